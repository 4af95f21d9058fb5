"""Explanations: the words of the rules that refuse, and facts enough that no other fact changes the answer."""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from landbridge.clear.decide import Finding, RuleSet, compile, conclude, decide, facts_for, read_values
from landbridge.clear.explain import Cited, Explanation, choose_words, explain
from landbridge.clear.rule import Rule, load
from landbridge.errors import RuleError
from landbridge.prove.facts import Outcome
from tests import rulers

AT = datetime(2021, 8, 1, 12, tzinfo=UTC)
NEGATIVE = {"===": [{"var": "payload.t.0.tr"}, "260415000"]}
NOW = {"plusTime": [{"var": "external.validationClock"}, 0, "day"]}
FRESH = {"not-after": [NOW, {"plusTime": [{"var": "payload.t.0.sc"}, 72, "hour"]}]}
TEST: dict[str, Any] = {
    "t": [{"tr": "260415000", "sc": "2021-07-31T08:00:00Z", "co": "XB"}],
    "dob": "1990-01-01",
}


def rule(name: str, logic: Any, **changes: Any) -> Rule:
    words = {"en": f"{name} in English", "de": f"{name} auf Deutsch", "zh-Hans": "中文"}
    return rulers.rule(name, logic, **{"words": words, **changes})


def explained(
    rules: list[Rule], facts: Any = TEST, *, at: datetime = AT, language: str = "en"
) -> Explanation:
    ruleset = compile(rules, "XA", "test", at)
    return explain(ruleset, facts, decide(ruleset, facts, at=at), language=language)


def paths(cited: tuple[Cited, ...]) -> list[str]:
    return [one.path for one in cited]


def test_a_refusal_gives_the_words_of_the_rule_and_the_facts_it_rests_on() -> None:
    late = explained(
        [rule("negative", NEGATIVE), rule("fresh", FRESH)], at=AT + timedelta(days=9), language="de"
    )
    (reason,) = late.reasons
    assert (reason.finding.id, reason.words, reason.language) == ("fresh", "fresh auf Deutsch", "de")
    assert reason.cited == late.cited
    assert [(one.path, one.value) for one in reason.cited] == [
        ("external.validationClock", "2021-08-10T12:00:00.000Z"),
        ("payload.t.0.sc", "2021-07-31T08:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("language", "found"),
    [("de", "de"), ("DE-at", "de"), ("zh", "zh-Hans"), ("zh-Hant", "zh-Hans"), ("fr", "en"), ("", "en")],
)
def test_words_are_in_the_readers_language_or_in_english(language: str, found: str) -> None:
    assert choose_words({"en": "a", "de": "b", "zh-Hans": "c"}, language)[1] == found


def test_words_in_any_language_are_better_than_none_and_say_which_it_is() -> None:
    assert choose_words({"lt": "žodžiai", "sv": "ord"}, "de") == ("žodžiai", "lt")
    assert choose_words({}, "de") == ("", "")


def test_a_false_operand_alone_explains_an_and() -> None:
    both = {"and": [{"===": [{"var": "payload.t.0.co"}, "XB"]}, {"===": [{"var": "payload.t.0.tr"}, "x"]}]}
    assert paths(explained([rule("both", both)]).cited) == ["payload.t.0.tr"]


@pytest.mark.parametrize(
    "fragile",
    [
        FRESH,
        {"!": [{"!": [FRESH]}]},
        {"in": [{"+": [{"var": "payload.t.0.dn"}, 1]}, {"var": "external.valueSets.numbers"}]},
        {"in": [{"+": [{"var": "payload.t.0.dn"}, 1]}, [3]]},
        {"in": ["x", {"var": "payload.codes"}]},
    ],
)
def test_an_operand_that_could_make_the_rule_open_is_cited_beside_the_false_one(fragile: Any) -> None:
    both = rule("both", {"and": [fragile, {"===": [{"var": "payload.t.0.tr"}, "x"]}]})
    ruleset, facts = compile([both], "XA", "test", AT), {"codes": ["x"], "t": [{**TEST["t"][0], "dn": 2}]}
    decision = decide(ruleset, facts, at=AT, values={"numbers": [3]})
    assert decision.outcome is Outcome.NO
    cited = explain(ruleset, facts, decision, language="en", values={"numbers": [3]}).cited
    read = [path for path in both.reads if not path.startswith("external.valueSets")]
    assert paths(cited) == read


def test_a_list_that_is_searched_is_cited_with_all_that_is_in_it() -> None:
    listed = {"if": [{"var": "payload.codes"}, {"in": ["x", {"var": "payload.codes"}]}, False]}
    assert explained([rule("listed", listed)], {"codes": ["y"]}).cited == (Cited("payload.codes", ["y"]),)
    counted = {"and": [{"in": ["y", {"var": "payload.codes"}]}, {"!": [{"var": "payload.codes"}]}]}
    assert explained([rule("counted", counted)], {"codes": ["y"]}).cited == (Cited("payload.codes", ["y"]),)


def test_an_and_whose_value_is_compared_is_explained_by_all_that_were_read() -> None:
    value = {"===": [{"and": [{"var": "payload.t.0.co"}, {"var": "payload.t.0.xx"}]}, False]}
    assert paths(explained([rule("value", value)]).cited) == ["payload.t.0.co", "payload.t.0.xx"]


def test_an_object_that_is_only_asked_for_being_there_is_cited_without_what_is_in_it() -> None:
    there = {"if": [{"var": "payload.t.0"}, False, True]}
    assert explained([rule("there", there)]).cited == (Cited("payload.t.0", None, there=True),)


def test_a_loop_cites_the_items_it_reads_and_no_others() -> None:
    any_of = {
        "reduce": [
            {"var": "payload.t"},
            {"or": [{"var": "accumulator"}, {"===": [{"var": "current.tr"}, "x"]}]},
            False,
        ]
    }
    assert explained([rule("any", any_of)]).cited == (
        Cited("payload.t", None, there=True),
        Cited("payload.t.0.tr", "260415000"),
    )


def test_an_open_rule_says_its_words_and_what_keeps_it_open() -> None:
    broken = {"t": [{"tr": "260415000", "sc": "2021-13-31"}]}
    unclear = explained([rule("negative", NEGATIVE), rule("fresh", FRESH)], broken)
    assert unclear.outcome is Outcome.OPEN
    (reason,) = unclear.reasons
    assert (reason.finding.reason, reason.finding.where) == ("bad-date", "payload.t.0.sc")
    assert "payload.t.0.sc" in paths(reason.cited)
    # A decision stays open only while no other rule says no.
    assert "payload.t.0.tr" in paths(unclear.cited)


def test_the_decision_rests_on_the_reason_that_needs_the_fewest_facts() -> None:
    two = explained(
        [rule("fresh", FRESH), rule("country", {"===": [{"var": "payload.t.0.co"}, "XA"]})],
        at=AT + timedelta(days=9),
    )
    assert len(two.reasons) == 2
    assert paths(two.cited) == ["payload.t.0.co"]


def test_an_exemption_that_fails_belongs_to_what_a_refusal_rests_on() -> None:
    child = {"===": [{"var": "payload.dob"}, "2015-01-01"]}
    refused = explained([rule("never", False), rule("child", child, type="exemption")])
    assert paths(refused.cited) == ["payload.dob"]
    exempt = explained([rule("fresh", FRESH), rule("child", {"!": [child]}, type="exemption")])
    assert exempt.outcome is Outcome.YES
    assert paths(exempt.cited) == ["payload.dob"]


def test_what_waiting_mends_comes_first_and_says_from_when() -> None:
    def since(day: str) -> Any:
        return {"not-before": [NOW, {"plusTime": [day, 0, "day"]}]}

    waiting = explained([rule("a", since("2021-09-01")), rule("b", since("2021-08-15"))])
    assert [(one.finding.id, one.met_from) for one in waiting.reasons] == [
        ("b", datetime(2021, 8, 15, tzinfo=UTC)),
        ("a", datetime(2021, 9, 1, tzinfo=UTC)),
    ]
    assert waiting.yes_from == datetime(2021, 9, 1, tzinfo=UTC)
    never = explained([rule("a", since("2021-09-01")), rule("0", False)])
    assert [(one.finding.id, one.met_from is None) for one in never.reasons] == [("a", False), ("0", True)]
    assert never.yes_from is None


def test_no_remedy_is_promised_beyond_the_rules_in_force() -> None:
    waiting = {"not-before": [NOW, {"plusTime": ["2021-09-01", 0, "day"]}]}
    ends = explained([rule("a", waiting, valid_to="2021-08-31")])
    assert (ends.reasons[0].met_from, ends.yes_from) == (None, None)


def test_other_rules_or_other_facts_than_the_decisions_are_refused() -> None:
    ruleset, other = (compile([rule("x", logic)], "XA", "test", AT) for logic in (NEGATIVE, FRESH))
    decision = decide(ruleset, TEST, at=AT)
    with pytest.raises(RuleError, match="not the rules"):
        explain(other, TEST, decision, language="en")
    with pytest.raises(RuleError, match="not the facts"):
        explain(ruleset, {"t": []}, decision, language="en")


def test_a_decision_without_rules_has_no_reasons() -> None:
    nothing = explained([])
    assert (nothing.outcome, nothing.reasons, nothing.cited) == (Outcome.OPEN, (), ())


JUNK = (None, "", 0, 7, True, False, "x", "2021-13-45", "2021-07-31T08:00:00Z", 2.5)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if not isinstance(value, dict | list) or not value:
        yield path, value
        return
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(inner, (*path, step))


def mutated(facts: Any, cited: tuple[Cited, ...], chance: random.Random, pool: dict[str, list[Any]]) -> Any:
    """The facts with every fact that is not cited replaced."""
    changed, kept = deepcopy(facts), [one.path for one in cited if not one.there]
    for path, _ in leaves(facts):
        name = ".".join(map(str, path))
        if any(name == one or name.startswith(f"{one}.") or not one for one in kept):
            continue
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        field = ".".join(step for step in path if isinstance(step, str))
        holder[path[-1]] = (
            chance.choice(pool.get(field) or JUNK) if chance.random() < 0.8 else chance.choice(JUNK)
        )
    return changed


def flips(
    ruleset: RuleSet,
    facts: dict[str, Any],
    at: datetime,
    values: Any,
    chance: random.Random,
    pool: dict[str, list[Any]],
) -> tuple[int, int, list[Any]]:
    """Reasons, facts they cite, and mutations after which a rule or the decision says something else."""
    decision = decide(ruleset, facts, at=at, values=values)
    explanation = explain(ruleset, facts, decision, language="en", values=values)
    wrong: list[Any] = []
    targets = [(explanation.outcome, "", explanation.cited)]
    targets += [(one.finding.outcome, one.finding.id, one.cited) for one in explanation.reasons]
    for outcome, name, cited in targets:
        for _ in range(2):
            clock = at
            if "external.validationClock" not in [one.path for one in cited]:
                clock = ruleset.since or at - timedelta(days=300)
            other = facts_for(mutated(facts, cited, chance, pool), at=clock, values=values)
            unmet, unclear = ruleset.judge(other)
            said = [
                Outcome.NO if i in unmet else Outcome.OPEN if i in unclear else Outcome.YES
                for i in range(len(ruleset.rules))
            ]
            findings = [
                Finding(one.id, one.version, one.type, now)
                for one, now in zip(ruleset.rules, said, strict=True)
            ]
            now = next((one.outcome for one in findings if one.id == name), conclude(findings)[0])
            if now is not outcome:
                wrong.append((ruleset.destination, name, outcome, now, cited, other["payload"]))
    reasons = explanation.reasons
    return len(reasons), sum(len(one.cited) for one in reasons), wrong


def made(chance: random.Random, depth: int, *, loop: bool = False) -> Any:
    """Logic of every operator, right and wrong."""
    names = ("accumulator", "current.x", "current", "current.y.0") if loop else FIELDS
    if depth == 0 or chance.random() < 0.15:
        return (
            {"var": chance.choice(names)}
            if chance.random() < 0.8
            else chance.choice((True, False, 1, "x", ""))
        )

    def more() -> Any:
        return made(chance, depth - 1, loop=loop)

    match chance.randrange(11):
        case 0:
            return {"if": [more(), more(), more()]}
        case 1 | 2:
            return {"and": [more() for _ in range(chance.choice((2, 3)))]}
        case 3:
            return {"or": [more(), more()]}
        case 4:
            return {"!": [more()]}
        case 5 | 6:
            return {"===": [more(), more()]}
        case 7:
            return {"in": [more(), chance.choice((["x", 1, ""], [more(), more()], {"var": "payload.t"}))]}
        case 8:
            return {chance.choice(("<", ">=")): [more(), more(), 2]}
        case 9:
            return {"not-after": [{"plusTime": [more(), 1, "day"]}, NOW]}
        case _ if loop:
            return {"+": [more(), 1]}
        case _:
            over = {"var": chance.choice(("payload.t", "payload.a"))}
            return {"reduce": [over, made(chance, max(0, depth - 2), loop=True), made(chance, 0)]}


FIELDS = ("payload.a", "payload.b", "payload.c", "payload.t", "payload.t.0", "payload.t.0.x", "payload.t.1.y")


def check_made(seed: int, rounds: int) -> tuple[int, list[Any]]:
    chance, reasons, wrong = random.Random(seed), 0, []
    values = (*JUNK, "x", 1, 1, "2021-07-31")
    for _ in range(rounds):
        types = ("acceptance", "acceptance", "invalidation", "exemption")
        rules = [
            rule(f"r{i}", json.dumps(made(chance, 4)), type=chance.choice(types))
            for i in range(chance.randint(1, 4))
        ]
        facts = {
            "payload": {
                "a": chance.choice((*values, [1, "x"])),
                "b": chance.choice(values),
                "c": chance.choice(values),
                "t": [{"x": chance.choice(values), "y": [chance.choice(values)]} for _ in range(2)],
            }
        }
        pool = {
            name: list(values)
            for name in ("payload.a", "payload.b", "payload.c", "payload.t.x", "payload.t.y")
        }
        found, _, more = flips(compile(rules, "XA", "test", AT), facts, AT, None, chance, pool)
        reasons += found
        wrong += more
    return reasons, wrong


def test_no_uncited_fact_changes_the_answer_of_rules_of_every_make() -> None:
    reasons, wrong = check_made(seed=4, rounds=400)
    assert reasons > 400
    assert wrong == []


KINDS = {"test": "t", "vaccination": "v", "recovery": "r"}


def test_no_uncited_fact_changes_the_answer_of_real_rules(shared_data: Path) -> None:
    folder = shared_data / "clear/dcc-rules-gateway"
    rules, chance = load([folder]), random.Random(3)
    values = read_values(json.loads((folder / "valueSets.json").read_bytes()))
    with gzip.open(shared_data / "clear/dcc-payloads/payloads.jsonl.gz") as lines:
        payloads = [json.loads(line)["payload"] for line in lines]
    pool: dict[str, list[Any]] = defaultdict(list)
    for path, value in (leaf for payload in payloads for leaf in leaves({"payload": payload})):
        pool[".".join(step for step in path if isinstance(step, str))].append(value)
    at = datetime(2022, 9, 1, 10, tzinfo=UTC)
    reasons, facts = 0, 0
    for country in sorted({one.destination for one in rules}):
        for kind, letter in KINDS.items():
            ruleset = compile(rules, country, kind, at)
            for payload in chance.sample([one for one in payloads if one.get(letter)], 20):
                found, cited, wrong = flips(ruleset, {"payload": payload}, at, values, chance, pool)
                reasons += found
                facts += cited
                assert wrong == []
    assert reasons > 500
    assert facts <= 4 * reasons
