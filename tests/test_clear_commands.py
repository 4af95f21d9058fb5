"""`landbridge decide` and `landbridge rules test`, as somebody at a terminal meets them."""

import json
from pathlib import Path
from typing import Any

import pytest

from landbridge.cli import DONE, FAILED, NO, USAGE, main
from landbridge.prove.trust import store
from tests.provers import TestIssuer, trusting
from tests.visits import union, visitor

RULE: dict[str, Any] = {
    "Identifier": "TR-XA-0001",
    "Type": "Acceptance",
    "Country": "XA",
    "Version": "1.0.0",
    "SchemaVersion": "1.0.0",
    "Engine": "CERTLOGIC",
    "EngineVersion": "1.0.0",
    "CertificateType": "Test",
    "Description": [
        {"lang": "en", "desc": "The sample must not be older than 72 hours."},
        {"lang": "ru", "desc": "Проба взята не более 72 часов назад."},
    ],
    "ValidFrom": "2026-01-01T00:00:00Z",
    "ValidTo": "2030-01-01T00:00:00Z",
    "AffectedFields": ["t.0.sc"],
    "Logic": {
        "not-after": [
            {"plusTime": [{"var": "external.validationClock"}, 0, "hour"]},
            {"plusTime": [{"var": "payload.t.0.sc"}, 72, "hour"]},
        ]
    },
}
FACTS: dict[str, Any] = {"t": [{"sc": "2026-06-01T08:00:00Z", "tr": "260415000", "co": "XA"}]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANDBRIDGE_DATA", str(tmp_path / "data"))
    (tmp_path / "rules" / "TR-XA-0001" / "tests").mkdir(parents=True)
    (tmp_path / "rules" / "TR-XA-0001" / "rule.json").write_text(json.dumps(RULE))
    (tmp_path / "facts.json").write_text(json.dumps(FACTS))
    return tmp_path


def _decide(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    facts, rules = str(folder / "facts.json"), str(folder / "rules")
    code = main(["decide", "--to", "XA", "--facts", facts, "--rules", rules, "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_a_fresh_test_is_yes_an_old_one_no_with_the_rules_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = _decide(folder, capsys, "--at", "2026-06-03T08:00:00Z")
    assert (code, answer["outcome"]) == (DONE, "yes")
    code, answer = _decide(folder, capsys, "--at", "2026-06-05T08:00:00Z", "--lang", "ru")
    assert (code, answer["outcome"]) == (NO, "no")
    assert answer["findings"][0]["words"] == "Проба взята не более 72 часов назад."
    assert answer["receipt"]["rules"][0][:2] == ["TR-XA-0001", "1.0.0"]
    assert {one["path"] for one in answer["findings"][0]["cited"]} >= {"payload.t.0.sc"}
    assert answer["yes_from"] is None
    code = main(
        [
            "decide",
            "--to",
            "XA",
            "--facts",
            str(folder / "facts.json"),
            "--rules",
            str(folder / "rules"),
            "--at",
            "2026-06-05",
        ]
    )
    assert code == NO
    assert "TR-XA-0001 1.0.0: The sample must not be older" in capsys.readouterr().out


def test_no_rule_and_a_broken_date_are_open_with_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = _decide(folder, capsys, "--at", "2025-06-03T08:00:00Z")
    assert (code, answer["outcome"], answer["reason"]) == (FAILED, "open", "no-rule")
    assert "No rule is known" in answer["because"]
    (folder / "facts.json").write_text(json.dumps({"t": [{"sc": "1963-00", "co": "XA"}]}))
    code, answer = _decide(folder, capsys, "--at", "2026-06-03T08:00:00Z")
    assert (code, answer["outcome"]) == (FAILED, "open")
    assert answer["findings"][0]["because"] == "is not a date that exists"


def test_the_cases_beside_rules_are_counted_and_each_failure_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = folder / "rules" / "TR-XA-0001" / "tests"
    clock = {"validationClock": "2026-06-05T08:00:00Z", "valueSets": {}}
    case = {"payload": FACTS, "external": clock, "name": "too old", "expected": False}
    (tests / "old.json").write_text(json.dumps(case))
    assert main(["rules", "test", str(folder / "rules")]) == DONE
    assert "1 rules, 1 cases passed, 0 failed" in capsys.readouterr().out
    (tests / "wrong.json").write_text(json.dumps({**case, "name": "wrong", "expected": True}))
    assert main(["rules", "test", str(folder / "rules"), "--json"]) == NO
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["failed"]) == (1, 1)
    assert report["failures"][0]["rule"].startswith("TR-XA-0001")
    assert main(["rules", "test", str(folder / "nothing")]) == USAGE


def test_every_rule_test_beside_us_goes_as_it_says(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suites = shared_data / "clear"
    if not suites.is_dir():
        pytest.skip("not run: no rules beside us")
    assert main(["rules", "test", str(suites), "--json"]) == DONE
    report = json.loads(capsys.readouterr().out)
    assert report["failed"] == 0
    assert report["passed"] >= 1_100


def test_the_api_decides_on_what_it_has_verified_and_says_when_it_has_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laboratory = TestIssuer()
    demands = folder / "members" / "xa" / "demands" / "TR-XA-0001"
    demands.mkdir(parents=True)
    (demands / "rule.json").write_text(json.dumps(RULE))
    monkeypatch.setattr(store, "load", lambda *_, **__: trusting(laboratory))
    desk = visitor(union(folder))
    question = {"to": "xa", "credentials": [laboratory.test_result()], "at": "2026-06-02T00:00:00Z"}
    reply = desk.ask("POST", "/api/v1/decide", {}, json.dumps(question).encode())
    assert reply.status == 200, reply.text
    assert (reply.json["outcome"], reply.json["proven"]) == ("yes", True)
    late = {**question, "at": "2026-06-05T00:00:00Z"}
    reply = desk.ask("POST", "/api/v1/decide", {}, json.dumps(late).encode())
    assert reply.json["outcome"] == "no"
    assert reply.json["findings"][0]["words"]["ru"].startswith("Проба")
    forged = {**question, "credentials": [laboratory.test_result()[:-8]]}
    reply = desk.ask("POST", "/api/v1/decide", {}, json.dumps(forged).encode())
    assert (reply.json["outcome"], reply.json["reason"]) == ("open", "not-proven")
    what_if = {"to": "XA", "facts": FACTS, "kind": "test", "at": "2026-06-02T00:00:00Z"}
    reply = desk.ask("POST", "/api/v1/decide", {}, json.dumps(what_if).encode())
    assert (reply.json["outcome"], reply.json["proven"]) == ("yes", False)
    assert desk.ask("POST", "/api/v1/decide", {}, b'{"from": "XB"}').status == 400
    assert [one["id"] for one in desk.get("/api/v1/rules?to=xa").json] == ["TR-XA-0001"]
    assert desk.get("/api/v1/rules?to=xb").json == []
