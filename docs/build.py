"""Writes docs/reference from the code: `./run docs`, or `./run docs --check` to hear whether it is stale."""

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from landbridge import errors
from landbridge.api.openapi import describe
from landbridge.cli import parser
from landbridge.config import SETTINGS
from landbridge.find import source as sources
from landbridge.find.harvest import Harvested
from landbridge.find.query import PARAMETERS
from landbridge.find.read import Format
from landbridge.kinds import values
from landbridge.kinds.kind import STRUCTS, Field, read_kinds

HERE = Path(__file__).resolve().parent / "reference"
CONNECTORS = ("", ".http", ".pages", ".slices", ".feed", ".sitemap", ".eures", ".files", ".auth")
FILE_PARTS = (sources.Source, sources.Theirs, sources.Defaults, sources.Dates, sources.Expect, sources.Replay)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def doc(of: object) -> str:
    """A docstring without its indentation."""
    text = of.__doc__ or ""
    first, _, rest = text.strip().partition("\n")
    lines = rest.splitlines()
    edge = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join([first, *(line[edge:] for line in lines)]).strip()


def typed(annotation: object) -> str:
    """A type in short."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("landbridge.find.source.", "")


def fields(struct: type[msgspec.Struct], leave_out: tuple[str, ...] = ()) -> str:
    """The fields of a struct with their types and defaults."""

    def rows() -> Iterator[tuple[str, ...]]:
        for one in msgspec.structs.fields(struct):
            if one.name in leave_out:
                continue
            if one.required:
                default = "required"
            elif one.default is msgspec.NODEFAULT or isinstance(one.default, msgspec.Struct):
                default = "empty"
            else:
                default = f"`{one.default!r}`"
            yield f"`{one.encode_name}`", f"`{typed(one.type)}`", default

    return table(("key", "type", "default"), rows())


def commands() -> str:
    """Every command, its words and options."""

    def walk(one: argparse.ArgumentParser) -> Iterator[str]:
        yield f"## {one.prog}\n\n{one.description or ''}\n"
        options: list[tuple[str, ...]] = []
        below: list[argparse.ArgumentParser] = []
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                below += action.choices.values()
            elif not isinstance(action, argparse._HelpAction):
                name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
                options.append((f"`{name}`", action.help or ""))
        if options:
            yield table(("word", "meaning"), iter(options)) + "\n"
        for other in below:
            yield from walk(other)

    codes = "Exit codes: 0 done; 1 the answer is no; 2 it failed or cannot be said; 64 the command is wrong."
    return f"# Commands\n\n{codes}\n\n" + "\n".join(walk(parser()))


def settings() -> str:
    return (
        "# Settings\n\nEvery setting is an environment variable. `landbridge doctor` looks the instance over.\n\n"
        + table(("variable", "meaning"), ((f"`{name}`", text) for name, text in SETTINGS.items()))
    )


def kinds() -> str:
    out = ["# Kinds and value types\n\n## Value types\n"]
    for name, struct in STRUCTS.items():
        out.append(f"### {name}\n\n{doc(struct)}\n\n{fields(struct)}\n")
    assert values.__doc__
    out.append(f"## A field of a kind\n\n{doc(Field)}\n\n{fields(Field)}\n")
    for kind in read_kinds().values():

        def rows(kind=kind) -> Iterator[tuple[str, ...]]:
            for field in kind.fields.values():
                notes = [w for w, on in (("required", field.required), ("many", field.many)) if on]
                allowed = ", ".join(f"`{v}`" for v in field.values)
                yield (
                    f"`{field.name}`",
                    field.type,
                    field.label["en"],
                    "; ".join([*notes, allowed]).strip("; "),
                )

        out.append(f"## {kind.name}\n\n{table(('field', 'type', 'label', 'notes'), rows())}\n")
    return "\n".join(out)


def query() -> str:
    own = [
        p
        for p in describe(read_kinds())["paths"]["/api/v1/find"]["get"]["parameters"]
        if p["in"] == "query" and p["name"] not in PARAMETERS
    ]
    return (
        "# Query parameters\n\nOf `GET /api/v1/find`; `landbridge find` has the same words as options.\n\n"
        + table(("parameter", "meaning"), ((f"`{n}`", text) for n, text in PARAMETERS.items()))
        + "\n\n## By the kinds' fields\n\nOn the command line: `--where FIELD=CODE`.\n\n"
        + table(("parameter", "meaning"), ((f"`{p['name']}`", p["description"]) for p in own))
    )


def connectors() -> str:
    out = ["# Connectors"]
    for name in CONNECTORS:
        module = importlib.import_module(f"landbridge.find.connect{name}")
        out.append(f"## {name.strip('.') or 'which'}\n\n{doc(module)}")
    return "\n\n".join(out)


def source_file() -> str:
    out = [
        "# The source file\n\n`members/xx/shares/name.toml`: one register of one member.\n\n" + doc(sources)
    ]
    for struct in FILE_PARTS:
        left = ("member", "name", "folder") if struct is sources.Source else ()
        out.append(f"## {struct.__name__}\n\n{doc(struct)}\n\n{fields(struct, left)}")
    out.append(
        f"## How bytes become rows\n\nKeys of `[fetch]`, or of `[[replay]] format`.\n\n{fields(Format)}"
    )
    return "\n\n".join(out)


def failures() -> str:
    return f"# Errors\n\n```text\n{doc(errors)}\n```"


def endpoints() -> str:
    document = describe(read_kinds())

    def rows() -> Iterator[tuple[str, ...]]:
        for path, methods in document["paths"].items():
            for method, said in methods.items():
                yield f"`{method.upper()} {path}`", said.get("summary", ""), ", ".join(said["responses"])

    return "# API endpoints\n\nFrom the OpenAPI document.\n\n" + table(
        ("endpoint", "what", "answers"), rows()
    )


def harvest() -> str:
    return (
        "# What a harvest says\n\n`landbridge harvest --json` prints one such object a line for each source.\n\n"
        f"{doc(Harvested)}\n\n{fields(Harvested)}"
    )


PAGES = {
    "commands": commands,
    "settings": settings,
    "kinds": kinds,
    "query": query,
    "connectors": connectors,
    "source-file": source_file,
    "errors": failures,
    "api": endpoints,
    "harvest": harvest,
}


def pages() -> dict[str, str]:
    """File name → text, as the code has it now."""
    note = "<!-- Written by ./run docs. Change the code, not this page. -->\n"
    return {f"{name}.md": f"{note}{make().rstrip()}\n" for name, make in PAGES.items()}


def stale() -> list[str]:
    """The pages that are not as the code has them."""
    return [
        name
        for name, text in pages().items()
        if not (HERE / name).is_file() or (HERE / name).read_text("utf-8") != text
    ]


def main() -> int:
    arguments = argparse.ArgumentParser(prog="./run docs", description=__doc__)
    arguments.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    if arguments.parse_args().check:
        found = stale()
        print("\n".join(f"docs/reference/{name} is stale: ./run docs" for name in found), file=sys.stderr)
        return 1 if found else 0
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / name).write_text(text, "utf-8")
    print(f"{len(PAGES)} pages in docs/reference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
