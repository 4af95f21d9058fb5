"""The documentation is true: its reference is fresh, its links lead somewhere, its tutorial runs."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from docs import build

from landbridge import __version__, errors
from landbridge.cli import parser
from landbridge.config import SETTINGS
from landbridge.find.query import PARAMETERS
from landbridge.kinds.kind import read_kinds
from landbridge.prove.formats import FORMATS
from landbridge.prove.issue import documents
from landbridge.prove.leniency import LENIENCIES, WARNINGS
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import TrustList
from landbridge.prove.verdict import SENTENCES
from landbridge.prove.verify import HINTS, Trust, examine

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def reference(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text("utf-8")


def test_the_reference_is_what_the_code_says() -> None:
    assert build.stale() == [], "run ./run docs"


def words(one: object = None, name: str = "landbridge") -> Iterator[str]:
    """Every command, as it is typed."""
    for action in (one or parser())._actions:  # type: ignore[attr-defined]
        if isinstance(action.choices, dict):
            for word, below in action.choices.items():
                yield f"{name} {word}"
                yield from words(below, f"{name} {word}")


def test_every_command_setting_parameter_kind_and_field_has_its_place() -> None:
    assert all(f"## {command}\n" in reference("commands") for command in words())
    assert all(f"`{name}`" in reference("settings") for name in SETTINGS)
    assert all(f"`{name}`" in reference("query") for name in PARAMETERS)
    for kind in read_kinds().values():
        assert f"## {kind.name}\n" in reference("kinds")
        assert all(f"| `{name}` |" in reference("kinds") for name in kind.fields)


def test_every_connector_error_and_endpoint_has_its_place() -> None:
    for name in ("json-pages", "event-feed", "json-ld", "eures", "file"):
        assert f'`with = "{name}"`' in reference("connectors")
    tree = [n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, Exception)]
    assert [name for name in tree if name not in reference("errors")] == []
    assert "`GET /api/v1/find`" in reference("api")


def test_every_format_code_and_value_of_a_credential_has_its_place() -> None:
    page = reference("credentials")
    assert [form.NAME for form in FORMATS if f"### {form.NAME}\n" not in page] == []
    said = (*SENTENCES, *LENIENCIES, *WARNINGS)
    assert [code for code in said if f"| `{code}` |" not in page] == []
    known = {code for codes in build.codes().values() for code in codes}
    assert known == set(SENTENCES)
    assert set(HINTS) <= set(SENTENCES)


def test_what_a_credential_says_is_written_down_by_its_kind() -> None:
    """Every value that our own vectors hold, and every one that an office may issue."""
    trust = Trust(issuers=TrustList(), taken_back=StatusLists())
    for kind, names in documents.FIELDS.items():
        assert set(names) <= set(build.KINDS[kind][1])
    for path in sorted((ROOT / "tests" / "vectors" / "prove").glob("good-*.txt")):
        for one in examine(path.read_bytes(), trust=trust, at=datetime(2026, 6, 1, tzinfo=UTC)):
            assert one.envelope is not None
            content = one.envelope.content
            assert set(content.values) <= set(build.KINDS[content.kind][1]), path.name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    listed = (DOCS / "README.md").read_text("utf-8") + (DOCS / "decisions/README.md").read_text("utf-8")
    pages = [p for p in DOCS.rglob("*.md") if p.name != "README.md"]
    assert [p.name for p in pages if p.name not in listed] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_that_is_shown_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    own = {"demo", "test", "lint", "bench", "docs"}
    known = {name.removeprefix("landbridge ") for name in words()}
    for line in re.findall(r"^[ $]*\./run ([a-z].*)$", text, re.M):
        typed = line.split()
        assert typed[0] in own or typed[0] in known, line
        if typed[0] in {"member", "index", "quarantine"}:
            assert " ".join(typed[:2]) in known, line
        if typed[0] in known:
            one = parser()
            for option in re.findall(r"(--[a-z-]+)", line):
                allowed = one.format_help() + "".join(helps(one))
                assert option in allowed, line


def helps(one: object) -> Iterator[str]:
    for action in one._actions:  # type: ignore[attr-defined]
        if isinstance(action.choices, dict):
            for below in action.choices.values():
                yield below.format_help()
                yield from helps(below)


def test_the_changelog_is_of_this_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def blocks(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The commands of each console block, and the lines that its output must hold."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        commands: list[str] = []
        shown: list[str] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append(line[2:])
            elif line.startswith("> "):
                commands[-1] += "\n" + line[2:]
            elif line.strip():
                shown.append(line)
        yield commands, shown


def test_the_tutorial_runs(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m landbridge "$@"\n')
    run.chmod(0o755)
    parts = list(blocks((DOCS / "tutorial.md").read_text("utf-8")))
    script = "set -e\n" + "\necho =====\n".join("\n".join(commands) for commands, _ in parts)
    kept = {n: v for n, v in os.environ.items() if not n.startswith("LANDBRIDGE_")}
    env = {
        **kept,
        "PYTHONPATH": str(ROOT / "src"),
        "COLUMNS": "200",
        "LANDBRIDGE_DATA": str(tmp_path / "data"),
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = [" ".join(part.split()) for part in done.stdout.split("=====\n")]
    assert len(outputs) == len(parts) > 5
    for (commands, shown), output in zip(parts, outputs, strict=True):
        for line in shown:
            assert " ".join(line.split()) in output, f"after {commands[-1]}"
