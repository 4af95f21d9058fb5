"""Writes docs/reference from the code: `./run docs`, or `./run docs --check` to hear whether it is stale."""

import argparse
import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
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
from landbridge.prove import verdict, verify
from landbridge.prove.facts import Subject
from landbridge.prove.formats import FORMATS
from landbridge.prove.issue import documents
from landbridge.prove.leniency import LENIENCIES, WARNINGS
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import TrustList

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


PERSON = {
    "surname": "as its issuer writes it",
    "given_names": "the same",
    "surname_latin": "as in the machine-readable lines of a passport, where its issuer says so",
    "given_names_latin": "the same",
    "born": "YYYY-MM-DD, YYYY-MM or YYYY, as far as it is known",
    "id": "a DID, or the number of a document",
}
VALUES = {
    "awarded": "the day, as the credential writes it",
    "by": "who says so, as the credential names them",
    "categories": "of a driving licence",
    "centre": "where the sample was taken",
    "country": "ISO 3166-1, two letters",
    "date": "of the dose",
    "device": "of an antigen test: the number in the EU's list, or its name",
    "disease": "a code of SNOMED CT (840539006 is COVID-19), or its name",
    "dose": "the number of this dose",
    "doses": "how many there are to be",
    "expires": "the day on which the document ends",
    "exporter": "",
    "field": "of study",
    "first_positive": "the day of the first positive test",
    "from": "the day from which it holds",
    "goods": "",
    "id": "the number of the credential",
    "importer": "",
    "invoice": "",
    "issued": "the day of the document",
    "level": "such as EQF 4",
    "maker": "of the vaccine: a code, or its name",
    "name": "of the test",
    "nationality": "",
    "number": "of the document",
    "origin": "the country the goods come from",
    "product": "the vaccine by its licence, or by its trade name",
    "result": "`negative`, `positive`, or the code as written",
    "sampled": "when the sample was taken, with the zone",
    "sex": "",
    "test_type": "`naat`, `antigen`, or the code as written",
    "title": "of the qualification",
    "type": "of the credential, as its issuer calls it",
    "until": "the last day on which it holds",
    "vaccine": "a code of SNOMED CT, CVX or ATC, or its name",
}
_PAPERS = ("number", "nationality", "sex", "issued", "expires", "categories", "country", "by")
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "test": ("a test result", documents.FIELDS["test"]),
    "vaccination": ("a dose of a vaccine", documents.FIELDS["vaccination"]),
    "recovery": ("a recovery from an infection", documents.FIELDS["recovery"]),
    "qualification": (
        "a diploma, a badge, a certificate of a trade",
        (*documents.FIELDS["qualification"], "type"),
    ),
    "identity": ("an identity document", _PAPERS),
    "licence": ("a driving licence", _PAPERS),
    "origin": (
        "a certificate of origin",
        ("goods", "origin", "exporter", "importer", "invoice", "by", "id"),
    ),
    "health": ("a health document of another sort", ("id",)),
    "credential": ("anything else", _PAPERS),
}
"""What a credential of each kind may say, under `values` of its content."""

ANSWER = {
    "format": "which format it is; empty where none knows it",
    "outcome": "`yes`, `no` or `open`; yes only when all four parts are",
    "parts": "the four: `outcome`, `code`, `sentence`, and the fact the part `rests_on`",
    "steps": "every step that was taken: `number`, `name`, `outcome`, `code`, `detail`",
    "leniencies": "codes of what was forgiven",
    "warnings": "codes of what an officer should know",
    "hint": "what to do next",
    "at": "the moment asked about",
    "place": "where it was found, of several in one file",
    "kind": "of the kinds above",
    "issuer": "`id`, `name`, `territory`: of the trust list where it is known, else as the credential says",
    "issued": "",
    "valid_from": "",
    "valid_until": "",
    "believed": "true where the outcome is yes",
    "claims": "what it says, as written; not to be relied on unless it is believed",
}
PARTS = {
    "authentic": "Is it as its issuer signed it, and well formed?",
    "in_time": "Is it valid at this moment?",
    "not_taken_back": "Has its issuer not withdrawn it?",
    "entitled": "May this issuer say this at all?",
}


def codes() -> dict[str, list[str]]:
    """The codes of each part, as the comments in the table of sentences divide them."""
    found: dict[str, list[str]] = {}
    part = ""
    for line in inspect.getsource(verdict).partition("SENTENCES: ")[2].splitlines():
        if heading := re.match(r" +# (\w+)$", line):
            part = heading[1]
        elif entry := re.match(r' +"([a-z-]+)":', line):
            found.setdefault(part, []).append(entry[1])
    return found


def credentials() -> str:
    out = ["# Credentials", "## Formats"]
    out.append(
        "In the order in which they are asked. Nobody needs to say which one it is; text, picture, PDF and file are "
        "all read."
    )
    out.append(table(("name", "format"), ((f"`{one.NAME}`", one.TITLE) for one in FORMATS)))
    for form in FORMATS:
        module = inspect.getmodule(form.decode) if not inspect.ismodule(form) else form
        out.append(f"### {form.NAME}\n\n{doc(module)}")
    out.append("## Kinds and their values")
    out.append(
        "Whatever the format, what a credential says is put into these words. A value it does not say is left out. "
        "Every kind has its person:"
    )
    person = ((f"`{one.name}`", PERSON[one.name]) for one in msgspec.structs.fields(Subject))
    out.append(table(("person", "what"), person))
    for name, (meaning, values_) in KINDS.items():
        rows = ((f"`{value}`", VALUES[value]) for value in values_)
        out.append(f"### {name}\n\n{meaning[0].upper()}{meaning[1:]}.\n\n{table(('value', 'what'), rows)}")
    out.append("## What is issued")
    out.append(
        f"A case has `{'`, `'.join(documents.PERSON)}`, of which one name must be there, and the values below. "
        "In bold: what must be given. The rest is filled in or left out."
    )
    out.append(table(("format", "kind", "values"), _issued()))
    out.append("## The steps of a verification")
    out.append(f"```text\n{doc(verify)}\n```")
    out.append("## The answer")
    out.append("What `landbridge verify --json` prints and `POST /api/v1/verify` answers.")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    nobody = verify.Trust(issuers=TrustList(), taken_back=StatusLists())
    (empty,) = verify.examine(b"", trust=nobody, at=at)
    out.append(table(("key", "what"), ((f"`{key}`", ANSWER[key]) for key in empty.to_json())))
    out.append(
        "Of several credentials in one file: `format` is `several`, `outcome` that of all, `credentials` each answer. "
        "With `--batch` every object also has its `file`."
    )
    out.append("## The four parts")
    for part, listed in codes().items():
        said: Mapping[str, str] = {code: verdict.SENTENCES[code] for code in listed}
        rows = ((f"`{code}`", text, verify.HINTS.get(code, "")) for code, text in said.items())
        out.append(f"### {part}\n\n{PARTS[part]}\n\n{table(('code', 'sentence', 'what to do'), rows)}")
    out.append(
        "A step's own code may be finer than its part's: `base45` or `zlib` where the part says `damaged`, "
        "`fhir-missing` where it says `form`."
    )
    out.append("## What is forgiven")
    out.append("Counted under `leniencies`, and told with the verdict. It turns nothing green that is not.")
    out.append(table(("code", "sentence"), ((f"`{code}`", text) for code, text in LENIENCIES.items())))
    out.append("## Warnings")
    out.append("They turn nothing red. `code-unknown` names the field: `code-unknown: tt`.")
    out.append(table(("code", "sentence"), ((f"`{code}`", text) for code, text in WARNINGS.items())))
    policy = verify.DEFAULT_POLICY
    out.append("## How old a list may be")
    out.append(
        f"An answer warns when a list is older than {policy.warn_after.days} day, and is open when it is older than "
        f"{policy.refuse_after.days} days. Two clocks may differ by {policy.tolerance.seconds // 60} minutes."
    )
    return "\n\n".join(out)


def _issued() -> Iterator[tuple[str, ...]]:
    for form, kinds_ in documents.FORMATS.items():
        for kind in kinds_:
            must = documents.required(form, kind)
            given = [name for name in must if name in documents.PERSON] + list(documents.sayable(form, kind))
            yield f"`{form}`", kind, ", ".join(f"**`{n}`**" if n in must else f"`{n}`" for n in given)


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
    "credentials": credentials,
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
