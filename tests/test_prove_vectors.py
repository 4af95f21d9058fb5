"""Our own credentials, right and wrong, each named by what it is: the wallet answers the same files."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from landbridge.prove.status.read import read_lists
from landbridge.prove.trust.read import read_trust
from landbridge.prove.verify import Trust, examine

HERE = Path(__file__).parent / "vectors" / "prove"
CASES = tomllib.loads((HERE / "expected.toml").read_text("utf-8"))["case"]


@pytest.fixture(scope="module")
def trust() -> Trust:
    issuers = read_trust([HERE / "trust"])
    return Trust(issuers=issuers, taken_back=read_lists([HERE / "status"], issuers))


@pytest.mark.parametrize("case", CASES, ids=[one["file"] for one in CASES])
def test_each_is_answered_as_its_name_says(case: dict[str, Any], trust: Trust) -> None:
    at = datetime.fromisoformat(case["at"])
    (verdict,) = examine((HERE / case["file"]).read_bytes(), trust=trust, at=at)
    said = {name: part.code for name, part in verdict.parts.items()}
    wanted = {name: case[name] for name in said if name in case}
    assert str(verdict.outcome) == case["outcome"], said
    assert {name: said[name] for name in wanted} == wanted
    assert (verdict.facts is not None) == (case["outcome"] == "yes")


def test_every_file_is_expected_to_be_something() -> None:
    assert {one["file"] for one in CASES} == {path.name for path in HERE.glob("*.txt")}
