"""Whatever is forgiven has its sentence, and whatever has one can happen."""

import ast
import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from landbridge.prove.leniency import LENIENCIES, WARNINGS, sentence
from landbridge.prove.status import StatusLists
from landbridge.prove.status.read import read_lists
from landbridge.prove.trust.read import read_trust
from landbridge.prove.verify import Trust, examine

ROOT = Path(__file__).resolve().parents[1]
PROVE = ROOT / "src" / "landbridge" / "prove"
VECTORS = ROOT / "tests" / "vectors" / "prove"
_LISTS = {"forgiven", "leniencies"}


def _texts(node: ast.AST) -> Iterator[str]:
    return (
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


def _codes(tree: ast.Module) -> Iterator[str]:
    """Every text that a module puts into a list of what was forgiven."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            if node.func.attr == "forgive" or (
                node.func.attr == "append" and isinstance(of, ast.Name) and of.id in _LISTS
            ):
                yield from (text for one in node.args for text in _texts(one))
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Name) and one.id in _LISTS for one in targets):
                yield from _texts(node.value)
        elif isinstance(node, ast.FunctionDef) and node.name == "_leniencies":
            yield from (text for one in node.body if isinstance(one, ast.If) for text in _texts(one))


def test_every_code_that_is_forgiven_has_its_sentence_and_every_sentence_its_code() -> None:
    used = {code for path in PROVE.rglob("*.py") for code in _codes(ast.parse(path.read_text("utf-8")))}
    assert used == set(LENIENCIES)


def test_a_sentence_is_one() -> None:
    for text in (*LENIENCIES.values(), *WARNINGS.values()):
        assert text[0].isupper()
        assert text.endswith(".")


def test_a_warning_that_names_a_field_has_the_sentence_of_its_code() -> None:
    assert sentence("code-unknown: tt") == WARNINGS["code-unknown"]
    assert sentence("url-twice") == LENIENCIES["url-twice"]


def test_what_our_own_vectors_meet_can_be_said() -> None:
    issuers = read_trust([VECTORS / "trust"])
    trust = Trust(issuers=issuers, taken_back=read_lists([VECTORS / "status"], issuers))
    for case in tomllib.loads((VECTORS / "expected.toml").read_text("utf-8"))["case"]:
        at = datetime.fromisoformat(case["at"])
        for verdict in examine((VECTORS / case["file"]).read_bytes(), trust=trust, at=at):
            assert all(sentence(code) for code in (*verdict.leniencies, *verdict.warnings))


@pytest.mark.parametrize("suite", ["dgc-testdata", "shc-dev-tools"])
def test_what_a_suite_meets_can_be_said(suite: str, shared_data: Path) -> None:
    folder = shared_data / "prove" / suite
    if not folder.is_dir():
        pytest.skip(f"not run: no {suite} here")
    trust = Trust(issuers=read_trust([VECTORS / "trust"]), taken_back=StatusLists())
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in _CARRIED and path.is_file()]
    met: set[str] = set()
    for path in files:
        for verdict in examine(_credential(path), trust=trust, at=datetime(2026, 6, 1, tzinfo=UTC)):
            met.update(verdict.leniencies, verdict.warnings)
    assert met
    assert all(sentence(code) for code in met)


_CARRIED = {".json", ".txt", ".smart-health-card"}


def _credential(path: Path) -> bytes:
    """The text of the certificate in a file of the EU's tests, or the file."""
    data = path.read_bytes()
    try:
        return str(json.loads(data)["PREFIX"]).encode()
    except (ValueError, KeyError, TypeError):
        return data
