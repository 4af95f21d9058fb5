"""Windows: from when until when a decision is what it is, to the millisecond, or an honest word that nobody computed it."""

import bisect
import gzip
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from landbridge.clear.decide import RuleSet, compile, conclude, facts_for, read_values
from landbridge.clear.moments import DAY, of_clock, write_moment
from landbridge.clear.rule import Rule, load
from landbridge.clear.windows import CLOCK, NotComputed, Window, windows
from landbridge.errors import RuleError
from landbridge.prove.facts import Outcome
from tests.rulers import rule

AT = datetime(2021, 8, 1, 12, tzinfo=UTC)
MS = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAKEN = {"var": "payload.t.0.sc"}
NOW = {"plusTime": [{"var": "external.validationClock"}, 0, "day"]}
FRESH = {"not-after": [NOW, {"plusTime": [TAKEN, 72, "hour"]}]}
TEST = {"t": [{"tr": "260415000", "sc": "2021-07-31T08:00:00Z"}]}


def computed(
    rules: list[Rule],
    facts: Any = TEST,
    *,
    start: datetime = AT - timedelta(days=400),
    end: datetime = AT + timedelta(days=400),
    **more: Any,
) -> tuple[Window, ...]:
    found = windows(compile(rules, "XA", "test", AT), facts, at=AT, start=start, end=end, **more)
    assert not isinstance(found, NotComputed), found
    return found


def read(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_test_is_good_for_72_hours_to_the_millisecond() -> None:
    before, after = computed([rule("fresh", FRESH)])
    assert (before.outcome, before.ends_by) == (Outcome.YES, "fresh")
    assert before.end == read("2021-08-03T08:00:00")
    assert (after.start, after.outcome, after.ends_by) == (before.end + MS, Outcome.NO, "")


def test_the_date_of_a_test_walks_at_a_fixed_clock() -> None:
    old, good = computed([rule("fresh", FRESH)], path="payload.t.0.sc")
    assert (old.outcome, good.outcome) == (Outcome.NO, Outcome.YES)
    assert good.start == AT - timedelta(hours=72)


def test_a_date_without_a_time_walks_from_day_to_day() -> None:
    dose = {"plusTime": [{"var": "payload.v.0.dt"}, 14, "day"]}
    good, early = computed(
        [rule("waited", {"not-before": [NOW, dose]})], {"v": [{"dt": "2021-07-01"}]}, path="payload.v.0.dt"
    )
    assert (good.outcome, early.outcome) == (Outcome.YES, Outcome.NO)
    assert (good.end, early.start) == (read("2021-07-18"), read("2021-07-19"))


def test_a_month_that_overflows_is_not_taken_for_monotone() -> None:
    until = {"plusTime": ["2021-03-02", 0, "day"]}
    month = {"before": [{"plusTime": [{"var": "external.validationClock"}, 1, "month"]}, until]}
    found = computed([rule("month", month)], start=read("2021-01-01"), end=read("2021-03-01"))
    assert [(one.start.date().isoformat(), one.outcome) for one in found] == [
        ("2021-01-01", Outcome.YES),
        ("2021-01-30", Outcome.NO),
        ("2021-02-01", Outcome.YES),
        ("2021-02-02", Outcome.NO),
    ]


def test_open_is_a_window_of_its_own_and_named_by_the_rule_that_ends_it() -> None:
    july = {"before": [NOW, {"plusTime": ["2021-07-01", 0, "day"]}]}
    found = computed([rule("unclear", {"if": [july, {"+": ["x", 1]}, True]}), rule("fresh", FRESH)])
    assert [(one.outcome, one.ends_by) for one in found] == [
        (Outcome.OPEN, "unclear"),
        (Outcome.YES, "fresh"),
        (Outcome.NO, ""),
    ]


def test_an_exemption_and_an_invalidation_make_windows_as_they_make_decisions() -> None:
    def since(day: str) -> Any:
        return {"not-before": [NOW, {"plusTime": [day, 0, "day"]}]}

    found = computed(
        [
            rule("fresh", FRESH),
            rule("child", since("2021-09-01"), type="exemption"),
            rule("withdrawn", {"!": [since("2021-10-01")]}, type="invalidation"),
        ]
    )
    assert [(one.start.date().isoformat(), one.outcome, one.ends_by) for one in found[1:]] == [
        ("2021-08-03", Outcome.NO, "child"),
        ("2021-09-01", Outcome.YES, "withdrawn"),
        ("2021-10-01", Outcome.NO, ""),
    ]


def test_three_calendar_days_in_vladivostok_end_at_its_midnight() -> None:
    zone = "Asia/Vladivostok"
    taken = {"startOfDay": [TAKEN, zone, 3]}
    within = {"not-after": [{"startOfDay": [{"var": "external.validationClock"}, zone]}, taken]}
    good, late = computed([rule("days", within)], {"t": [{"sc": "2021-07-31T00:30:00+10:00"}]})
    assert (good.outcome, late.outcome) == (Outcome.YES, Outcome.NO)
    assert late.start == datetime.fromisoformat("2021-08-04T00:00:00+10:00")


def test_a_local_day_that_comes_twice_is_two_windows() -> None:
    # St. John's went from 00:01 on 7 November 2010 back to 23:01 on the 6th.
    today = {"startOfDay": [{"var": "external.validationClock"}, "America/St_Johns"]}
    seventh = {"not-before": [today, {"plusTime": ["2010-11-07T02:30:00Z", 0, "day"]}]}
    found = computed([rule("day", seventh)], start=read("2010-11-01"), end=read("2010-11-10"))
    assert [(one.start, one.outcome) for one in found[1:]] == [
        (read("2010-11-07T02:30:00"), Outcome.YES),
        (read("2010-11-07T02:31:00"), Outcome.NO),
        (read("2010-11-07T03:30:00"), Outcome.YES),
    ]


def test_a_local_day_of_25_hours_is_counted_in_full() -> None:
    tomorrow = {"startOfDay": [{"var": "external.validationClock"}, "Europe/Kaliningrad", 1]}
    early = {"before": [tomorrow, {"plusTime": ["2010-10-31T21:30:00Z", 0, "day"]}]}
    found = computed([rule("day", early)], start=read("2010-10-20"), end=read("2010-11-10"))
    assert [(one.outcome, one.end) for one in found[:-1]] == [(Outcome.YES, read("2010-10-30T21:00:00") - MS)]


def test_two_dates_that_move_together_are_compared_by_the_month_they_are_in() -> None:
    later = [{"plusTime": [{"var": "external.validationClock"}, *by]} for by in ((1, "month"), (29, "day"))]
    found = computed([rule("month", {"before": later})], start=read("2021-01-01"), end=read("2021-12-31"))
    assert [(one.outcome, one.start) for one in found[1:]] == [
        (Outcome.YES, read("2021-02-01")),
        (Outcome.NO, read("2021-03-01")),
    ]


def test_a_fact_in_our_own_words_walks_by_its_path_and_is_left_as_it_was() -> None:
    facts = {"facts": {"test": [{"values": {"sampled": "2021-07-31T08:00:00Z"}}]}}
    sampled = {"plusTime": [{"var": "facts.test.0.values.sampled"}, 1, "day"]}
    found = computed(
        [rule("fresh", {"not-after": [NOW, sampled]})], facts, path="facts.test.0.values.sampled"
    )
    assert [one.outcome for one in found] == [Outcome.NO, Outcome.YES]
    assert facts["facts"]["test"][0]["values"] == {"sampled": "2021-07-31T08:00:00Z"}


def test_where_no_rule_was_published_every_moment_is_open() -> None:
    (only,) = windows(compile([], "XA", "test", AT), TEST, at=AT, start=AT, end=AT)  # type: ignore[misc]
    assert only == Window(AT, AT, Outcome.OPEN, "")


@pytest.mark.parametrize(
    "logic",
    [
        {"===": [TAKEN, "2021-07-31"]},
        {"in": [TAKEN, ["2021-07-31"]]},
        {"in": ["2021-07-31", [TAKEN]]},
        {"===": [{"extractFromUVCI": [TAKEN, 0]}, "x"]},
        {"reduce": [{"var": "payload.t"}, {"===": [{"var": "current.sc"}, "x"]}, True]},
        {"===": [{"lookup": ["days", [TAKEN]]}, 1]},
    ],
)
def test_a_date_taken_for_a_text_is_not_computed(logic: Any) -> None:
    tables = {"days": {"keys": ["day"], "rows": [["2021-07-31", 1]]}}
    ruleset = compile([rule("fresh", FRESH), rule("text", logic, tables=tables)], "XA", "test", AT)
    found = windows(ruleset, TEST, at=AT, start=AT, end=AT + timedelta(days=9), path="payload.t.0.sc")
    assert found == NotComputed("as-text", "text")


def test_a_date_that_is_only_asked_for_being_there_is_computed() -> None:
    there = {"if": [{"var": "payload.t.0.sc"}, {"!": [{"===": [TAKEN, 1]}]}, False]}
    (only,) = computed([rule("there", there)], path="payload.t.0.sc")
    assert only.outcome is Outcome.YES


@pytest.mark.parametrize("path", ["payload.t.0.tr", "payload.t.1.sc", "payload.v.0.dt", "", "payload.t"])
def test_a_path_without_a_date_is_not_computed(path: str) -> None:
    ruleset = compile([rule("fresh", FRESH)], "XA", "test", AT)
    assert windows(ruleset, TEST, at=AT, start=AT, end=AT, path=path) == NotComputed("no-date")


def test_a_rule_that_changes_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.clear.windows.MOST", 500)
    hour_later = {"plusTime": [{"var": "external.validationClock"}, 1, "hour"]}
    daily = {"before": [{"startOfDay": [hour_later, "UTC"]}, NOW]}
    ruleset = compile([rule("days", daily)], "XA", "test", AT)
    start, end = datetime(1950, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
    assert windows(ruleset, TEST, at=AT, start=start, end=end) == NotComputed("too-long", "days")


def test_days_beyond_the_calendar_are_not_computed() -> None:
    beyond = {"before": [{"startOfDay": [{"var": "external.validationClock"}, "UTC", 3_660_000]}, NOW]}
    ruleset = compile([rule("days", beyond)], "XA", "test", AT)
    assert windows(ruleset, TEST, at=AT, start=AT, end=AT) == NotComputed("calendar", "days")


def test_windows_beyond_the_rules_in_force_are_refused() -> None:
    ruleset = compile([rule("fresh", FRESH, valid_to="2021-08-31")], "XA", "test", AT)
    with pytest.raises(RuleError, match="another time"):
        windows(ruleset, TEST, at=AT, start=AT, end=AT + timedelta(days=60))
    with pytest.raises(RuleError, match="ends before it starts"):
        windows(ruleset, TEST, at=AT, start=AT, end=AT - MS)


ZONES = ("Europe/Kaliningrad", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "America/Havana")


def made_date(chance: random.Random, moving: Any, depth: int = 3) -> Any:
    """A date-time in the date that moves."""
    kind = chance.randrange(4) if depth else 0
    if kind == 0:
        return {"plusTime": [moving, chance.choice((0, 0, 1, -30)), chance.choice(("day", "hour"))]}
    inner = made_date(chance, moving, depth - 1)
    if kind == 1:
        return {"startOfDay": [inner, chance.choice(ZONES), chance.randrange(-3, 4)]}
    return {"plusTime": [inner, chance.randrange(-5, 6), chance.choice(("month", "month", "hour"))]}


def fixed_date(chance: random.Random) -> Any:
    days = (
        "2010-11-07",
        "2011-01-30",
        "2011-02-28",
        "2011-03-01",
        "2011-03-13",
        "2011-04-03",
        "2011-11-06",
        "2011-12-30",
    )
    return {"plusTime": [chance.choice(days), chance.choice((0, 0, 5, chance.randrange(-900, 900))), "hour"]}


def made_logic(chance: random.Random, moving: Any, depth: int = 2) -> Any:
    kind = chance.randrange(4) if depth else 0
    if kind < 2:
        sign = chance.choice(("before", "after", "not-before", "not-after"))
        dates = [made_date(chance, moving), fixed_date(chance)]
        if chance.randrange(4) == 0:
            dates.append(made_date(chance, moving, 2))
        chance.shuffle(dates)
        return {sign: dates}
    branches = [made_logic(chance, moving, depth - 1) for _ in range(3)]
    if kind == 2:
        return {"if": [branches[0], branches[1], {"!": [branches[2]]}]}
    return {chance.choice(("and", "or")): branches}


def outcome_of(ruleset: RuleSet, data: Any) -> Outcome:
    unmet, unclear = ruleset.judge(data)
    findings = [
        replace(said[0], outcome=Outcome.OPEN) if i in unclear else said[i in unmet]
        for i, said in enumerate(ruleset.said)
    ]
    return conclude(findings)[0]


def mismatches(
    ruleset: RuleSet,
    facts: dict[str, Any],
    found: tuple[Window, ...],
    path: str,
    chance: random.Random,
    points: int,
    *,
    at: datetime = AT,
) -> list[str]:
    """Where a decision is not what its window says: at every end, one step around it, and at random points."""
    data = facts_for(facts, at=at)
    *steps, last = path.split(".")
    holder: Any = data
    for step in steps:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    step_ = 1 if "T" in holder[last] else DAY
    starts, ends = [of_clock(one.start) for one in found], [of_clock(one.end) for one in found]
    assert all(start - end == step_ for end, start in zip(ends, starts[1:], strict=False))
    assert all(one.outcome is not other.outcome for one, other in pairwise(found))
    around = {edge + side for edge in (*starts, *ends) for side in (-step_, 0, step_)}
    at_random = {chance.randint(starts[0], ends[-1]) // step_ * step_ for _ in range(points)}
    wrong = []
    for x in around | at_random:
        if not starts[0] <= x <= ends[-1]:
            continue
        holder[last] = write_moment(x) if step_ == 1 else write_moment(x)[:10]
        if outcome_of(ruleset, data) is not found[bisect.bisect_right(starts, x) - 1].outcome:
            wrong.append(write_moment(x))
    return wrong


def check_made(seed: int, rounds: int) -> tuple[int, list[str]]:
    """Windows found, and mismatches, over as many made rule sets."""
    chance, windows_found, wrong = random.Random(seed), 0, []
    for _ in range(rounds):
        path, form = chance.choice(
            ((CLOCK, ""), ("payload.d", "2011-01-01"), ("payload.d", "2011-01-01T00:00:00Z"))
        )
        made = [rule(f"rule-{i}", made_logic(chance, {"var": path})) for i in range(chance.randint(1, 2))]
        ruleset = compile(made, "XA", "test", AT)
        facts = {"payload": {"d": form}}
        start = datetime(2010, 10, 1, tzinfo=UTC) + chance.randrange(DAY) * MS
        found = windows(ruleset, facts, at=AT, start=start, end=start + timedelta(days=500), path=path)
        assert not isinstance(found, NotComputed), found
        windows_found += len(found)
        wrong += mismatches(ruleset, facts, found, path, chance, 25)
    return windows_found, wrong


def test_windows_of_rules_of_every_make_agree_with_decisions_one_by_one() -> None:
    found, wrong = check_made(seed=20, rounds=150)
    assert found > 300
    assert wrong == []


DATES = {
    "test": ("t", "payload.t.0.sc", "payload.dob"),
    "vaccination": ("v", "payload.v.0.dt", "payload.dob"),
    "recovery": ("r", "payload.r.0.fr", "payload.r.0.df", "payload.r.0.du", "payload.dob"),
}


def test_windows_of_real_rules_and_payloads_agree_with_decisions_one_by_one(shared_data: Path) -> None:
    folder = shared_data / "clear/dcc-rules-gateway"
    rules, chance = load([folder]), random.Random(7)
    values = read_values(json.loads((folder / "valueSets.json").read_bytes()))
    with gzip.open(shared_data / "clear/dcc-payloads/payloads.jsonl.gz") as lines:
        payloads = [json.loads(line)["payload"] for line in lines]
    at = datetime(2022, 9, 1, 10, tzinfo=UTC)
    computed_, found = 0, 0
    for country in sorted({one.destination for one in rules}):
        for kind, (letter, *dates) in DATES.items():
            ruleset = compile(rules, country, kind, at)
            for payload in chance.sample([one for one in payloads if one.get(letter)], 12):
                facts = {"payload": payload, "external": {"valueSets": values.sets}}
                for path in (CLOCK, *dates):
                    start, end = at - timedelta(days=700), at + timedelta(days=700)
                    if path == CLOCK:
                        start, end = max(start, ruleset.since or start), min(end, ruleset.until or end)
                    windows_ = windows(ruleset, facts, at=at, start=start, end=end, path=path)
                    if isinstance(windows_, NotComputed):
                        assert windows_.reason == "no-date"
                        continue
                    computed_ += 1
                    found += len(windows_)
                    assert mismatches(ruleset, facts, windows_, path, chance, 8, at=at) == []
    assert computed_ > 2_000
    assert found > computed_ + 300
