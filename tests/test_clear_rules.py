"""Rules as files: three forms into one, strict at the door, and the cases beside them."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from landbridge.clear import check
from landbridge.clear.logic import LogicError
from landbridge.clear.rule import (
    Republished,
    Rule,
    RuleFileError,
    load,
    read_file,
    read_json,
    read_rule,
    read_version,
)
from landbridge.errors import RuleError

GATEWAY: dict[str, Any] = {
    "Identifier": "VR-XA-0001",
    "Type": "Acceptance",
    "Country": "XA",
    "Version": "1.0.0",
    "SchemaVersion": "1.0.0",
    "Engine": "CERTLOGIC",
    "EngineVersion": "0.7.5",
    "CertificateType": "Vaccination",
    "Description": [{"lang": "en", "desc": "The course is complete."}],
    "ValidFrom": "2021-07-01T00:00:00Z",
    "ValidTo": "2030-06-01T00:00:00Z",
    "AffectedFields": ["v.0", "v.0.dn", "v.0.sd"],
    "Logic": {
        "if": [{"var": "payload.v.0"}, {">=": [{"var": "payload.v.0.dn"}, {"var": "payload.v.0.sd"}]}, True]
    },
}

OURS = """
id          = "xa-entry-pcr"
version     = "1.0.0"
destination = "XA"
subject     = "travel"
type        = "acceptance"
kind        = "test"
engine      = "landbridge/1"
valid_from  = 2021-07-25T00:00:00+03:00
published   = 2021-07-16
logic       = '''
  {"not-before": [
    {"startOfDay": [{"var": "payload.t.0.sc"}, {"lookup": ["zones", [{"var": "external.region"}]]}]},
    {"startOfDay": [{"var": "external.validationClock"}, {"lookup": ["zones", [{"var": "external.region"}]]}, -3]}]}'''

[words]
en = "The test was taken no more than three calendar days before arrival."
ru = "Тест сделан не ранее чем за три календарных дня до прибытия."

[source]
title = "Order No 1 of Altania"
url   = "https://altania.example/orders/1"
date  = 2021-07-16

[tables.zones]
keys = ["region"]
rows = [["east", "Asia/Vladivostok"], ["west", "Europe/Kaliningrad"]]

[[cases]]
name   = "three days before, half past midnight in the east"
at     = 2021-07-25T00:30:00+10:00
expect = "yes"
facts  = { external = { region = "east" }, payload = { t = [{ sc = 2021-07-22T00:05:00+10:00 }] } }

[[cases]]
name   = "four days before"
at     = 2021-07-25T00:30:00+10:00
facts  = '{"external": {"region": "east"}, "payload": {"t": [{"sc": "2021-07-21T23:55:00+10:00"}]}}'
expect = "no"

[[cases]]
name   = "a region nobody knows"
at     = 2021-07-25T00:30:00+10:00
facts  = '{"external": {"region": "north"}, "payload": {"t": [{"sc": "2021-07-24T00:00:00Z"}]}}'
expect = "open"
"""


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def gateway(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GATEWAY, **changes}.items() if value is not None}


def test_a_rule_of_the_gateway_is_read() -> None:
    rule = read_rule(gateway())
    assert (rule.id, rule.version, rule.destination, rule.subject) == ("VR-XA-0001", "1.0.0", "XA", "travel")
    assert (rule.type, rule.kind, rule.engine) == ("acceptance", "vaccination", "certlogic/1.3.3")
    assert rule.valid_from == datetime(2021, 7, 1, tzinfo=UTC)
    assert rule.words == {"en": "The course is complete."}
    assert rule.reads == ("payload.v.0", "payload.v.0.dn", "payload.v.0.sd")
    general = read_rule(gateway(CertificateType="General", Identifier="GR-XA-0001"))
    assert (general.type, general.kind) == ("general", "")


def test_a_rule_of_ours_is_read_with_its_source_its_table_and_its_cases(tmp_path: Path) -> None:
    (rule,) = read_file(write(tmp_path / "pcr.toml", OURS))
    assert rule.source.title == "Order No 1 of Altania"
    assert rule.source.date == "2021-07-16"
    assert rule.valid_from == datetime(2021, 7, 24, 21, tzinfo=UTC)
    assert rule.valid_to is None
    assert set(rule.words) == {"en", "ru"}
    assert [case.expected for case in rule.cases] == ["yes", "no", "open"]
    report = check.test_folder([tmp_path])
    assert (report.rules, report.passed, report.failures) == (1, 3, ())


def test_a_rule_has_one_hash_in_toml_and_json_and_another_for_every_change(tmp_path: Path) -> None:
    (rule,) = read_file(write(tmp_path / "pcr.toml", OURS))
    same: dict[str, Any] = {
        "id": "xa-entry-pcr",
        "version": "1.0.0",
        "destination": "XA",
        "subject": "travel",
        "type": "acceptance",
        "kind": "test",
        "engine": "landbridge/1",
        "valid_from": "2021-07-24T21:00:00Z",
        "published": "2021-07-16",
        "logic": rule.logic,
        "words": dict(reversed(rule.words.items())),
        "source": {"title": rule.source.title, "url": rule.source.url, "date": "2021-07-16"},
        "tables": {
            "zones": {
                "keys": ["region"],
                "rows": [["west", "Europe/Kaliningrad"], ["east", "Asia/Vladivostok"]],
            }
        },
    }
    (json_rule,) = read_file(write(tmp_path / "pcr.json", same))
    assert json_rule.hash == rule.hash
    changes: list[dict[str, Any]] = [
        {"logic": True, "affected": []},
        {"words": {"en": "Otherwise."}},
        {"valid_to": "2022-01-01"},
        {"type": "exemption"},
        {
            "tables": {
                "zones": {
                    "keys": ["region"],
                    "rows": [["east", "Asia/Vladivostok"], ["west", "Asia/Yerevan"]],
                }
            }
        },
    ]
    assert len({rule.hash, *(read_rule({**same, **change}).hash for change in changes)}) == 1 + len(changes)


def test_cases_may_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    before, _, cases = OURS.partition("[[cases]]")
    write(tmp_path / "pcr.toml", before)
    write(tmp_path / "pcr.cases.toml", "[[cases]]" + cases)
    assert check.test_folder([tmp_path]).passed == 3


@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        ({"Logic": {"maybe": [1]}}, "/", "unrecognised operator"),
        ({"Logic": None}, "", ""),
        ({"Engine": "JAVASCRIPT"}, "Engine", "unknown value"),
        ({"Type": "Perhaps"}, "Type", "unknown value"),
        ({"CertificateType": 3}, "CertificateType", "must be a text"),
        ({"Country": "Altania"}, "Country", "not written"),
        ({"Version": "1.0"}, "Version", "not written"),
        ({"Version": None}, "Version", "is missing"),
        ({"ValidFrom": "2021-02-30T00:00:00Z"}, "ValidFrom", "not a date"),
        ({"ValidFrom": "0001-01-01"}, "ValidFrom", "outside the years"),
        ({"ValidTo": "2021-06-30T00:00:00Z"}, "ValidTo", "before"),
        ({"ValidTo": ["2021"]}, "ValidTo", "must be a date"),
        ({"Description": "complete"}, "Description", "must be a list"),
        ({"Description": [{"lang": "en", "desc": "<script>x</script>"}]}, "Description.en", "markup"),
        ({"Description": [{"lang": "English language", "desc": "x"}]}, "Description", "not a language"),
        ({"Description": [{"lang": ["en"], "desc": "x"}]}, "Description", "must be a list"),
        ({"Description": [{"lang": "en"}]}, "Description.en", "must be a text"),
        ({"AffectedFields": [1]}, "AffectedFields", "list of texts"),
        ({"Urgency": "high"}, "Urgency", "not a field"),
    ],
)
def test_a_faulty_rule_is_refused_and_the_place_named(
    changes: dict[str, Any], where: str, message: str
) -> None:
    document = {**GATEWAY, **changes}
    if changes == {"Version": None}:
        del document["Version"]
    with pytest.raises(RuleError) as caught:
        read_rule(document, place="VR.json")
    assert str(caught.value).startswith("VR.json: VR-XA-0001: ")
    assert where in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('engine      = "landbridge/1"', 'engine = "landbridge/9"'), "unknown value"),
        (('type        = "acceptance"', 'type = "general"'), "kind"),
        (("valid_from  = 2021-07-25T00:00:00+03:00", "valid_from = 2021-07-25T00:00:00"), "offset"),
        (('rows = [["east"', 'rows = [["west", "Asia/Yerevan"], ["east"'), "earlier row"),
        (('rows = [["east", "Asia/Vladivostok"]', 'rows = [["east"]'), "1 keys and a value"),
        (('lookup": ["zones", [', 'lookup": ["zones", [1, '), "looked up by 1 keys"),
        (('lookup": ["zones"', 'lookup": ["zone"'), "no such table"),
        (('url   = "https://altania.example/orders/1"', 'url = "javascript:alert(1)"'), "url"),
        (("[source]", "[sources]"), "source"),
        (("[words]", "[wordings]"), "words"),
        (('subject     = "travel"', 'subject = "travel"\naffected = ["payload.v"]'), "payload.v"),
        (('subject     = "travel"', 'subject = "holidays"'), "unknown value"),
        (("logic       = '''", "logic = '''{"), "not JSON"),
        (('expect = "yes"', 'expect = "valid"'), "expect"),
        (('"Order No 1 of Altania"', "inf"), "must be a text"),
    ],
)
def test_a_faulty_rule_of_ours_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in OURS
    path = write(tmp_path / "pcr.toml", OURS.replace(*change))
    with pytest.raises(RuleError) as caught:
        read_file(path)
    assert "pcr.toml" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"Identifier": 1, "Identifier": 2}',
        '{"x": NaN}',
        "[" * 100_000,
        '{"x": 1',
        "\x00",
        '{"x": ' + "9" * 5000 + "}",
    ],
)
def test_broken_json_is_an_error_with_its_file(text: str) -> None:
    with pytest.raises(RuleFileError, match=r"^rule\.json: "):
        read_json(text, place="rule.json", exact=True)


def test_broken_toml_is_an_error_with_its_file(tmp_path: Path) -> None:
    for text in ("id = ", "a = " + "[" * 5000, "a = {" * 3000):
        with pytest.raises(RuleFileError, match=r"bad\.toml"):
            read_file(write(tmp_path / "bad.toml", text))


def test_a_published_version_never_changes(tmp_path: Path) -> None:
    write(tmp_path / "a.json", gateway())
    write(tmp_path / "b.json", [gateway()])
    assert len(load([tmp_path])) == 1
    write(tmp_path / "c.json", gateway(Logic=True))
    with pytest.raises(Republished, match="published before"):
        load([tmp_path])


def test_versions_follow_semver() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0"]
    ordered += ["1.0.9", "1.0.10", "1.2.0", "10.0.0"]
    assert sorted(ordered, key=read_version) == ordered


def folder_of(tmp_path: Path, **test: Any) -> Path:
    write(tmp_path / "XA/VR-XA-0001/rule.json", gateway())
    payload = {"v": [{"dn": 2, "sd": 2}]}
    write(
        tmp_path / "XA/VR-XA-0001/tests/test001.json",
        {"payload": payload, "external": {}, "expected": True, **test},
    )
    return tmp_path


def test_a_folder_of_rules_and_tests_passes(tmp_path: Path) -> None:
    report = check.test_folder([folder_of(tmp_path)])
    assert (report.rules, report.passed, report.failed, report.others) == (1, 1, 0, 0)


def test_a_failure_names_rule_case_expected_got_and_the_reason(tmp_path: Path) -> None:
    report = check.test_folder(
        [folder_of(tmp_path, name="half a course", payload={"v": [{"dn": 1, "sd": 2}]})]
    )
    (failure,) = report.failures
    assert (failure.rule, failure.case, failure.expected, failure.got) == (
        "VR-XA-0001",
        "half a course",
        "yes",
        "no",
    )
    report = check.test_folder(
        [folder_of(tmp_path, name="no number", payload={"v": [{"dn": "one", "sd": 2}]})]
    )
    (failure,) = report.failures
    assert (failure.got, failure.reason) == ("open", "payload.v.0.dn is not of the kind the rule works with")
    assert report.to_json()["failures"][0]["case"] == "no number"
    assert "one" not in str(failure)


def test_what_cannot_be_read_fails_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder_of(tmp_path)
    write(tmp_path / "XB/VR-XB-0001/rule.json", gateway(Logic={"maybe": []}))
    write(tmp_path / "XB/VR-XB-0001/tests/t.json", {"payload": {}, "external": {}, "expected": True})
    write(tmp_path / "XC/broken.json", "{")
    write(tmp_path / "XD/tests/t.json", {"payload": {}, "external": {}, "expected": True})
    write(tmp_path / "XE/notes.json", {"about": "something else"})
    report = check.test_folder([tmp_path])
    assert (report.passed, report.failed, report.others) == (1, 3, 1)
    assert [failure.got for failure in report.failures if "XB" in failure.file] == ["unreadable"]
    assert any("a test without a rule" in failure.got for failure in report.failures)
    with pytest.raises(RuleFileError, match="no such file"):
        check.test_folder([tmp_path / "nowhere"])


def test_packed_tests_pass_and_a_cut_file_says_so(tmp_path: Path) -> None:
    write(tmp_path / "rules.json", [{**gateway(), "_path": "XA/VR-XA-0001/rule.json"}])
    write(tmp_path / "valuesets.json", {"abc": {"makers": ["m"]}})
    test = {"payload": {}, "external": {"valueSets": "abc"}, "expected": True, "rule": "XA/VR-XA-0001"}
    packed = gzip.compress((json.dumps(test) + "\n").encode() * 3)
    (tmp_path / "tests.jsonl.gz").write_bytes(packed)
    assert check.test_folder([tmp_path]).passed == 3
    (tmp_path / "tests.jsonl.gz").write_bytes(packed[:-9])
    assert "cut" in check.test_folder([tmp_path]).failures[0].got


@pytest.mark.parametrize(
    ("folder", "holds"),
    [
        ("certlogic-spec", lambda report: report.passed == 218 + 23),
        ("dcc-rules-testdata", lambda report: report.passed == 899 and report.rules == 129),
        ("dcc-rules-gateway", lambda report: report.rules == 292),
    ],
)
def test_every_rule_and_case_at_hand_passes(
    shared_data: Path, folder: str, holds: Callable[[check.Report], bool]
) -> None:
    report = check.test_folder([shared_data / "clear" / folder])
    assert report.failures == ()
    assert holds(report)


def test_a_rule_cannot_be_made_without_its_logic() -> None:
    with pytest.raises(LogicError):
        read_rule({**GATEWAY, "Logic": {}})
    assert isinstance(read_rule(GATEWAY), Rule)
