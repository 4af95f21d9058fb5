"""Decisions: yes, no or open, on the rules in force and the facts at hand, and the same again from a receipt."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from landbridge.clear.decide import Decision, compile, decide, read_values, replay
from landbridge.clear.rule import Rule, load, read_rule
from landbridge.errors import RuleError
from landbridge.prove.facts import Outcome
from landbridge.prove.verify import verify
from tests import provers

AT = datetime(2021, 8, 1, 12, tzinfo=UTC)
NEGATIVE = {"===": [{"var": "payload.t.0.tr"}, "260415000"]}
FRESH = {
    "not-after": [
        {"plusTime": [{"var": "external.validationClock"}, 0, "day"]},
        {"plusTime": [{"var": "payload.t.0.sc"}, 72, "hour"]},
    ]
}
TEST: dict[str, Any] = {"t": [{"tr": "260415000", "sc": "2021-07-31T08:00:00Z"}]}


def rule(name: str, logic: Any, **changes: Any) -> Rule:
    return read_rule(
        {
            "id": name,
            "version": "1.0.0",
            "destination": "XA",
            "subject": "travel",
            "type": "acceptance",
            "kind": "test",
            "engine": "certlogic/1.3.3",
            "valid_from": "2021-07-01",
            "logic": logic,
            "words": {"en": "As it must be."},
            "source": {"title": "Order", "url": "https://altania.example/1", "date": "2021-06-30"},
            **changes,
        }
    )


def decided(
    rules: list[Rule], facts: Any = TEST, *, at: datetime = AT, values: Any = None, **more: Any
) -> Decision:
    return decide(compile(rules, "XA", "test", at, **more), facts, at=at, values=values)


def test_every_rule_in_force_must_be_met() -> None:
    negative, fresh = rule("negative", NEGATIVE), rule("fresh", FRESH)
    assert decided([negative, fresh]).outcome is Outcome.YES
    late = decided([negative, fresh], at=AT + timedelta(days=5))
    assert late.outcome is Outcome.NO
    assert [finding.id for finding in late.failing] == ["fresh"]
    assert [finding.id for finding in late.findings] == ["fresh", "negative"]


def test_a_decision_is_never_taken_for_a_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(decided([rule("negative", NEGATIVE)]))


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"destination": "XB"},
        {"kind": "vaccination"},
        {"subject": "work"},
        {"valid_from": "2021-09-01"},
        {"valid_to": "2021-07-31"},
        {"region": "North"},
    ],
)
def test_where_nothing_was_published_the_decision_is_open(elsewhere: dict[str, Any]) -> None:
    decision = decided([rule("negative", NEGATIVE, **elsewhere)])
    assert (decision.outcome, decision.reason) == (Outcome.OPEN, "no-rule")


def test_the_highest_version_in_force_holds() -> None:
    rules = [
        rule("r", True, version="1.9.0"),
        rule("r", False, version="1.10.0", valid_from="2021-07-20"),
        rule("r", True, version="2.0.0", valid_from="2021-09-01"),
    ]
    assert decided(rules).receipt.rules[0][1] == "1.10.0"
    assert decided(rules).outcome is Outcome.NO
    assert decided(rules, at=datetime(2021, 7, 19, tzinfo=UTC)).outcome is Outcome.YES
    ruleset = compile(rules, "XA", "test", AT)
    assert ruleset.since == datetime(2021, 7, 20, tzinfo=UTC)
    assert ruleset.until == datetime(2021, 9, 1, tzinfo=UTC)
    for other in (datetime(2021, 7, 19, tzinfo=UTC), datetime(2021, 9, 2, tzinfo=UTC)):
        with pytest.raises(RuleError, match="another time"):
            decide(ruleset, TEST, at=other)


def test_a_rule_holds_from_its_first_to_its_last_moment() -> None:
    only = [rule("r", True, valid_from="2021-07-01T00:00:00Z", valid_to="2021-07-02T00:00:00Z")]
    moment = timedelta(milliseconds=1)
    first, last = datetime(2021, 7, 1, tzinfo=UTC), datetime(2021, 7, 2, tzinfo=UTC)
    said = [decided(only, at=at).outcome for at in (first - moment, first, last, last + moment)]
    assert said == [Outcome.OPEN, Outcome.YES, Outcome.YES, Outcome.OPEN]


def test_two_rules_of_one_version_that_differ_are_an_error() -> None:
    with pytest.raises(RuleError, match="differ"):
        decided([rule("r", True), rule("r", False)])


def test_general_rules_and_those_of_a_union_or_region_hold_as_well() -> None:
    rules = [
        rule("general", True, type="general", kind=""),
        rule("union", True, destination="EAU"),
        rule("north", False, region="North"),
    ]
    assert [finding.id for finding in decided(rules).findings] == ["general"]
    assert [finding.id for finding in decided(rules, within=["EAU"]).findings] == ["union", "general"]
    assert decided(rules, region="North").outcome is Outcome.NO


def test_the_issuing_country_can_take_its_credentials_back_for_every_destination() -> None:
    rules = [rule("accept", True), rule("revoked", False, type="invalidation", destination="XB")]
    assert decided(rules).outcome is Outcome.YES
    assert decided(rules, issuer="XB").outcome is Outcome.NO


def test_an_exemption_stands_in_for_acceptance_and_never_for_an_invalidation() -> None:
    nothing = {"===": [{"plusTime": ["soon", 0, "day"]}, 1]}
    said = {True: True, False: False, None: nothing}
    wanted = {
        (True, False): "yes",
        (False, True): "yes",
        (False, False): "no",
        (True, None): "yes",
        (False, None): "open",
        (None, True): "yes",
        (None, False): "open",
    }
    for (accepted, exempt), outcome in wanted.items():
        rules = [rule("a", said[accepted]), rule("e", said[exempt], type="exemption")]
        assert decided(rules).outcome == outcome
        refused = [*rules, rule("i", False, type="invalidation")]
        assert decided(refused).outcome is Outcome.NO
    assert decided([rule("e", True, type="exemption")]).outcome is Outcome.YES
    assert decided([rule("e", False, type="exemption")]).reason == "no-rule"


@pytest.mark.parametrize(
    ("logic", "facts", "reason", "where"),
    [
        (FRESH, {"t": [{"sc": "2021-07-32"}]}, "bad-date", "payload.t.0.sc"),
        (FRESH, {"t": [{}]}, "missing-date", "payload.t.0.sc"),
        (FRESH, {"t": {"0": {"sc": 20210731}}}, "wrong-type", "payload.t.0.sc"),
        (
            {"in": [{"var": "payload.t.0.tr"}, {"var": "external.valueSets.results"}]},
            TEST,
            "missing-value-set",
            "external.valueSets.results",
        ),
        ({"<": [{"var": "payload.t.0.tr"}, 3]}, TEST, "wrong-type", "payload.t.0.tr"),
        ({"var": "payload.t.0.tr"}, TEST, "not-a-verdict", ""),
    ],
)
def test_a_rule_that_cannot_be_worked_through_is_open_with_its_reason(
    logic: Any, facts: Any, reason: str, where: str
) -> None:
    decision = decided([rule("r", logic), rule("other", True)], facts)
    assert decision.outcome is Outcome.OPEN
    finding = decision.findings[1]
    assert (finding.outcome, finding.reason, finding.where) == (Outcome.OPEN, reason, where)


def test_the_clock_is_the_argument_and_not_what_the_facts_say() -> None:
    facts = {"payload": TEST, "external": {"validationClock": "2021-08-01T00:00:00Z"}}
    assert decided([rule("fresh", FRESH)], facts, at=AT + timedelta(days=30)).outcome is Outcome.NO
    with pytest.raises(RuleError, match="offset"):
        compile([rule("fresh", FRESH)], "XA", "test", datetime(2021, 8, 1))


@pytest.mark.parametrize(
    "facts",
    [
        {"t": [{"sc": b"2021"}]},
        {"t": float("nan")},
        {"t": 10**5000},
        {"t": object()},
        {"external": 3},
        ["t"],
        "yes",
        3,
    ],
)
def test_facts_of_the_wrong_kind_are_an_error_and_never_a_yes(facts: Any) -> None:
    with pytest.raises((RuleError, TypeError)):
        decided([rule("r", True)], facts)


def test_a_decision_replays_byte_for_byte_from_its_receipt() -> None:
    values = {"results": ["260415000"]}
    listed = {"in": [{"var": "payload.t.0.tr"}, {"var": "external.valueSets.results"}]}
    rules = [rule("fresh", FRESH), rule("fresh", True, version="0.9.0"), rule("listed", listed)]
    decision = decided(rules, values=read_values(values))
    again = replay(decision.receipt, [*rules, rule("later", False)], TEST, values=values)
    assert again.to_json() == decision.to_json()
    assert json.loads(decision.to_json())["receipt"]["at"] == "2021-08-01T12:00:00.000Z"
    with pytest.raises(RuleError, match="not among the rules"):
        replay(decision.receipt, [rule("fresh", FRESH, words={"en": "Another word."})], TEST, values=values)
    with pytest.raises(RuleError, match="value sets"):
        replay(decision.receipt, rules, TEST, values={"results": []})


def test_a_decision_keeps_nothing_of_the_facts() -> None:
    facts = {"nam": {"fn": "MUSTER-TEST"}, "dob": "1990-01-31", **TEST}
    assert "MUSTER" not in (text := decided([rule("fresh", FRESH)], facts).to_json())
    assert "1990" not in text
    assert "2021-07-31" not in text


def test_verified_facts_are_decided_on_in_the_credentials_words_and_in_ours() -> None:
    laboratory = provers.TestIssuer("XA")
    at = provers.NOON
    facts = verify(laboratory.test_result(), trust=provers.trusting(laboratory), at=at)
    old = {"valid_from": "2026-01-01"}
    rules = [
        rule("negative", NEGATIVE, **old),
        rule("ours", {"===": [{"var": "facts.test.0.values.result"}, "negative"]}, **old),
        rule("issuer", {"in": [{"var": "facts.test.0.issuer.territory"}, ["XA"]]}, **old),
    ]
    assert decide(compile(rules, "XA", "test", at), facts, at=at).outcome is Outcome.YES
    assert decide(compile(rules, "XA", "test", at), [facts], at=at).outcome is Outcome.YES


def test_every_country_of_the_gateway_is_decided_without_an_error(shared_data: Path) -> None:
    rules = load([shared_data / "clear/dcc-rules-gateway"])
    values = read_values(json.loads((shared_data / "clear/dcc-rules-gateway/valueSets.json").read_bytes()))
    at = datetime(2023, 7, 6, 10, tzinfo=UTC)
    vaccinated = {
        "dob": "1963-00",
        "v": [{"tg": "840539006", "dt": "2023-01-10", "dn": 1, "sd": 1, "mp": "EU/1/20/1525"}],
    }
    said = {
        country: decide(compile(rules, country, "vaccination", at), vaccinated, at=at, values=values)
        for country in {rule.destination for rule in rules}
    }
    assert said["AL"].reason == "no-rule"
    assert said["AT"].outcome is Outcome.YES
    assert {finding.reason for finding in said["FR"].findings} >= {"bad-date"}
    assert said["FR"].outcome is not Outcome.YES
