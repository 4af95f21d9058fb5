"""From when until when: a decision over every moment of the clock, or of one date in the facts, exactly.

The rules are evaluated at one moment. The outcome can only change where a comparison of date-times that was carried
out there changes, so every one of them says how far around that moment its answer is the same; where the nearest of
these intervals ends, the rules are evaluated again. A rule that takes the date for something else than a date (a
text, a key of a table) is found out while it runs, and nothing is computed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from landbridge.clear import logic as l
from landbridge.clear.decide import Finding, RuleSet, ValueSets, check_clock, conclude, facts_for
from landbridge.clear.evaluate import (
    COMPARE,
    Evaluator,
    access,
    as_moment,
    fragment,
    is_among,
    local_day,
    look_up,
    moment,
    same,
    verdict,
)
from landbridge.clear.moments import (
    DAY,
    HOUR,
    Moment,
    find_zone,
    of_clock,
    read_birth,
    read_moment,
    shift,
    start_of_day,
    write_moment,
)
from landbridge.clear.rule import Rule
from landbridge.errors import RuleError
from landbridge.prove.facts import Facts, Outcome

CLOCK = "external.validationClock"
MOST = 10_000
"""Evaluations of one rule; a rule that needs more is not computed."""

REASONS = {
    "no-date": "there is no date at the path",
    "as-text": "the rule takes the date for something else than a date",
    "calendar": "the rule counts days beyond the calendar",
    "too-long": "the outcome may change too often in this time",
}


@dataclass(frozen=True, slots=True)
class Window:
    """A time throughout which the outcome is the same, both ends within it, to the millisecond.

    Of a date without a time, the ends are its first and last day, at midnight UTC.
    """

    start: datetime
    end: datetime
    outcome: Outcome
    ends_by: str
    """The id of the rule that ends it, or empty where it goes on after the time that was asked for."""


@dataclass(frozen=True, slots=True)
class NotComputed:
    """No windows, and never a guess: `reason` is a key of REASONS, `rule` the id of the rule concerned, if any."""

    reason: str
    rule: str = ""


def windows(
    ruleset: RuleSet,
    facts: Facts | Sequence[Facts] | Mapping[str, Any],
    *,
    at: datetime,
    start: datetime,
    end: datetime,
    values: ValueSets | Mapping[str, Any] | None = None,
    external: Mapping[str, Any] | None = None,
    path: str = CLOCK,
) -> tuple[Window, ...] | NotComputed:
    """The outcome for every moment from `start` through `end`, in windows that adjoin and differ.

    The moment is the one decided for, whatever `at` is; or, where `path` is given, the one at that path of the facts,
    and the decision is for `at`. Such a date must be there: if it has no time it stays without, and goes from day
    to day. Nothing else of the facts changes. Raises RuleError for a clock at which other versions are in force.
    """
    for clock in (start, end) if path == CLOCK else (at,):
        check_clock(ruleset, clock)
    if start.tzinfo is None or end.tzinfo is None:
        raise RuleError("the time asked for has no offset from UTC")
    if end < start:
        raise RuleError("the time asked for ends before it starts")
    walk = start_walk(facts_for(facts, at=at, values=values, external=external), path, start, end)
    if walk is None:
        return NotComputed("no-date")
    spans = [spans_of(rule, walk) for rule in ruleset.rules]
    now = _still(ruleset, walk)
    for i, rule in enumerate(ruleset.rules):
        if walk.moves(rule):
            try:
                now[i] = next(spans[i])
            except Unanalysable as reason:
                return NotComputed(reason.code, rule.id)
    found: list[Window] = []
    findings = [
        Finding(rule.id, rule.version, rule.type, one.outcome)
        for rule, one in zip(ruleset.rules, now, strict=True)
    ]
    outcome, since, x = conclude(findings)[0], walk.start, walk.start
    while (x := min((one.end for one in now), default=walk.end)) < walk.end:
        before = list(findings)
        for i, rule in enumerate(ruleset.rules):
            if now[i].end > x:
                continue
            try:
                now[i] = next(spans[i])
            except Unanalysable as reason:
                return NotComputed(reason.code, rule.id)
            findings[i] = Finding(rule.id, rule.version, rule.type, now[i].outcome)
        if (then := conclude(findings)[0]) is not outcome:
            found.append(walk.window(since, x, outcome, _decisive(before, findings, outcome)))
            outcome, since = then, x
    return (*found, walk.window(since, walk.end, outcome, ""))


def _still(ruleset: RuleSet, walk: "Walk") -> "list[Span]":
    """What every rule says at the start, as if none of them read the date."""
    walk.put(walk.start)
    unmet, unclear = ruleset.judge(walk.data)
    outcomes = [Outcome.YES] * len(ruleset.rules)
    for i in unmet:
        outcomes[i] = Outcome.NO
    for i in unclear:
        outcomes[i] = Outcome.OPEN
    return [Span(walk.start, walk.end, outcome) for outcome in outcomes]


def _decisive(before: list[Finding], after: list[Finding], outcome: Outcome) -> str:
    """The first rule whose change alone ends the outcome, else the first that changes."""
    changed = [
        i for i, one in enumerate(after) if one is not before[i] and one.outcome is not before[i].outcome
    ]
    for i in changed:
        if conclude([*before[:i], after[i], *before[i + 1 :]])[0] is not outcome:
            return before[i].id
    return before[changed[0]].id


class Unanalysable(Exception):
    """A rule in which the date is more than a date: `code` is a key of REASONS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Span(NamedTuple):
    """What one rule says from `start` until before `end`, in milliseconds."""

    start: int
    end: int
    outcome: Outcome


@dataclass(slots=True)
class Walk:
    """Facts with one date that moves, from `start` until before `end`, in steps of `step` milliseconds."""

    data: dict[str, Any]
    holder: Any
    """The object or array in `data` that holds the date, ours to change."""
    steps: tuple[l.Step, ...]
    """The path of the date."""
    start: int
    end: int
    step: int
    watched: "_Watched"
    x: int | None = None
    text: str = ""

    def put(self, x: int) -> str:
        """Sets the date. The text is an object of its own, known by its identity."""
        if x != self.x:
            text = write_moment(x)
            self.x, self.text = x, text if self.step == 1 else text[: len("YYYY-MM-DD")]
            last = self.steps[-1]
            self.holder[last if type(self.holder) is list else str(last)] = self.text
        return self.text

    def moves(self, rule: Rule) -> bool:
        """Whether the rule may read the date, alone or within something that holds it."""
        return any(self.steps[: len(read)] == read for read in map(_steps, rule.reads))

    def window(self, start: int, end: int, outcome: Outcome, ends_by: str) -> Window:
        first, last = (_EPOCH + timedelta(milliseconds=x) for x in (start, end - self.step))
        return Window(first, last, outcome, ends_by)


def start_walk(data: dict[str, Any], path: str, start: datetime, end: datetime) -> Walk | None:
    """The facts ready for the date at a path to move; None where there is none."""
    steps = _steps(path)
    given = access(data, steps)
    if not _is_date(given):
        return None
    copied = dict(data)
    holder: Any = copied
    for step in steps[:-1]:
        key = step if type(holder) is list else str(step)
        inner = holder[key]
        holder[key] = inner = list(inner) if type(inner) is list else dict(inner)
        holder = inner
    width = 1 if "T" in given else DAY
    first, final = (of_clock(one) // width * width for one in (start, end))
    return Walk(copied, holder, steps, first, final + width, width, _Watched(dated=width == 1))


def spans_of(rule: Rule, walk: Walk) -> Iterator[Span]:
    """What a rule says over the walk, in spans that adjoin. Raises Unanalysable."""
    x = walk.start
    for _ in range(MOST):
        outcome, end = walk.watched.judge(rule, walk.data, walk.put(x), x)
        end = min(-(-end // walk.step) * walk.step, walk.end)
        yield Span(x, end, outcome)
        if end == walk.end:
            return
        x = end
    raise Unanalysable("too-long")


class _Shift(NamedTuple):
    amount: int
    unit: Literal["year", "month", "day", "hour"]


class _Day(NamedTuple):
    days: int
    zone: str
    written: bool
    """Of a date without a time: that calendar day, wherever it is read."""


_Step: TypeAlias = _Shift | _Day
_Chain: TypeAlias = tuple[tuple[_Step, int], ...]
"""What becomes of the date, step by step, each with the moment it starts from."""
_FAR: Final = 1 << 62


class _Watched(Evaluator):
    """Evaluates at one moment, and narrows the interval around it in which everything would go the same way."""

    def __init__(self, *, dated: bool) -> None:
        super().__init__()
        self.dated = dated
        """The date has a time."""
        self.text = ""
        self.x = 0
        self.low, self.high = -_FAR, _FAR
        self.chains: dict[int, tuple[Moment, _Chain]] = {}
        """By identity; the moment is kept so that its identity stays its own."""

    def judge(self, rule: Rule, data: Any, text: str, x: int) -> tuple[Outcome, int]:
        """What the rule says, and until when it certainly does."""
        self.tables, self.text, self.x = rule.tables, text, x
        self.low, self.high = -_FAR, _FAR
        self.chains.clear()
        try:
            outcome = Outcome.YES if verdict(self.evaluate(rule.node, data)) else Outcome.NO
        except Unanalysable:
            raise
        except Exception:
            outcome = Outcome.OPEN
        return outcome, self.high

    def compare(self, node: l.Compare, data: Any) -> bool:
        if node.of != "moments":
            return super().compare(node, data)
        values = [moment(self.evaluate(operand, data), operand) for operand in node.operands]
        for one, other in pairwise(values):
            self.hold(node.sign, one, other)
            if not COMPARE[node.sign](one, other):
                return False
        return True

    def equal(self, node: l.Equal, data: Any) -> bool:
        left, right = self.evaluate(node.left, data), self.evaluate(node.right, data)
        if self.is_text_beside(left, right):
            raise Unanalysable("as-text")
        return same(left, right)

    def member(self, node: l.Member, data: Any) -> bool:
        item, among = self.evaluate(node.item, data), self.evaluate(node.among, data)
        if type(among) is list and any(self.is_text_beside(item, one) for one in among):
            raise Unanalysable("as-text")
        return is_among(item, among, node.among)

    def fragment(self, node: l.Fragment, data: Any) -> str | None:
        code = self.evaluate(node.code, data)
        if code is self.text:
            raise Unanalysable("as-text")
        return fragment(code, node.index, node.code)

    def lookup(self, node: l.Lookup, data: Any) -> Any:
        keys = tuple(self.evaluate(key, data) for key in node.keys)
        if any(key is self.text for key in keys):
            raise Unanalysable("as-text")
        return look_up(self.tables[node.table], keys)

    def plus_time(self, node: l.PlusTime, data: Any) -> Moment:
        date = self.evaluate(node.date, data)
        start = date if node.chained and type(date) is Moment else as_moment(date, read_moment, node.date)
        step = _Shift(node.amount, node.unit)
        return self.follow(date, step, start, Moment(shift(start, node.amount, node.unit)))

    def birth_date(self, node: l.BirthDate, data: Any) -> Moment:
        date = self.evaluate(node.date, data)
        born = as_moment(date, read_birth, node.date)
        return self.follow(date, _Shift(0, "day"), born, Moment(born))

    def start_of_day(self, node: l.StartOfDay, data: Any) -> Moment:
        date, zone = self.evaluate(node.date, data), self.evaluate(node.zone, data)
        if (date is self.text or id(date) in self.chains) and _is_zone(zone):
            start = date if type(date) is Moment else read_moment(date)
            step = _Day(node.days, zone, written=date is self.text and not self.dated)
            low, high = _EARLIEST - min(0, node.days) * DAY, _LATEST - max(0, node.days) * DAY
            if not low <= start < high:
                raise Unanalysable("calendar")
            self.keep(self.chain_of(date), low, high)
            return self.follow(date, step, start, Moment(start_of_day(date, zone, node.days)))
        return Moment(local_day(date, zone, node.days, node))

    def is_text_beside(self, one: Any, other: Any) -> bool:
        """Whether the date would be compared with another text."""
        return (one is self.text) is not (other is self.text) and type(one) is type(other) is str

    def follow(self, date: Any, step: _Step, start: int, end: Moment) -> Moment:
        if date is self.text or id(date) in self.chains:
            self.chains[id(end)] = (end, (*self.chain_of(date), (step, int(start))))
        return end

    def chain_of(self, date: Any) -> _Chain:
        return self.chains[id(date)][1] if id(date) in self.chains else ()

    def hold(self, sign: str, one: int, other: int) -> None:
        """Narrows to where the comparison gives what it gives now."""
        left, right = self.chain_of(one), self.chain_of(other)
        beyond = sign in ("<=", ">")
        if left and right:
            self.hold_both(left, right, int(one), int(other), beyond)
        elif left:
            edge = int(other) + beyond
            self.keep(left, *((-_FAR, edge) if one < edge else (edge, _FAR)))
        elif right:
            edge = int(one) + (not beyond)
            self.keep(right, *((-_FAR, edge) if other < edge else (edge, _FAR)))

    def hold_both(self, left: _Chain, right: _Chain, one: int, other: int, beyond: bool) -> None:
        """Where both sides move: `one - other < beyond` stays as it is."""
        (least, most), (least_other, most_other) = _reach(left), _reach(right)
        if least - most_other >= beyond or most - least_other < beyond:
            return
        if least == most and least_other == most_other:
            return
        if [step for step, _ in left] == [step for step, _ in right]:
            return
        moves, other_moves = self.straighten(left), self.straighten(right)
        if moves is other_moves:
            return
        # one - other grows with the date where only the left side moves, and falls where only the right does.
        ahead = beyond - (one - other)
        if moves:
            edge = self.x + ahead
            self.narrow(*((-_FAR, edge) if ahead > 0 else (edge, _FAR)))
        else:
            edge = self.x - ahead + 1
            self.narrow(*((edge, _FAR) if ahead > 0 else (-_FAR, edge)))

    def straighten(self, chain: _Chain) -> bool:
        """Narrows to where the chain moves exactly as the date does (true), or does not move at all."""
        for i, (step, y) in enumerate(chain):
            if isinstance(step, _Day):
                self.keep(chain[:i], *_day_around(step, y))
                return False
            if step.amount and step.unit in ("year", "month"):
                self.keep(chain[:i], y // DAY * DAY, y // DAY * DAY + DAY)
        return True

    def keep(self, chain: _Chain, low: int, high: int) -> None:
        """Narrows to where the chain's value, which lies from `low` until before `high`, stays there."""
        for step, y in reversed(chain):
            least, most = -_FAR, _FAR
            for edge in (low, high):
                if abs(edge) < _FAR:
                    start, end = _around(step, y, edge)
                    least, most = max(least, start), min(most, end)
            low, high = least, most
        self.narrow(low, high)

    def narrow(self, low: int, high: int) -> None:
        self.low, self.high = max(self.low, low), min(self.high, high)


def _around(step: _Step, y: int, edge: int) -> tuple[int, int]:
    """An interval around `y`, its end not in it, throughout which the step leads to before `edge`, or never does."""
    least, most = _reach_of(step)
    if least == most:
        return (-_FAR, edge - least) if y < edge - least else (edge - least, _FAR)
    if y < edge - most:
        return -_FAR, edge - most
    if y >= edge - least:
        return edge - least, _FAR
    if isinstance(step, _Day):
        return _day_around(step, y)
    breaks = _breaks(step.amount, step.unit, edge)
    i = bisect_right(breaks, y)
    return breaks[i - 1] if i else -_FAR, breaks[i] if i < len(breaks) else _FAR


@lru_cache(maxsize=8192)
def _breaks(amount: int, unit: str, edge: int) -> tuple[int, ...]:
    """Where it changes whether a date shifted by months or years lies before `edge`; first it does.

    Shifts move whole days, by the calendar day alone, and days past the end of a month run on by three at most: the
    days that lead to about `edge` lie around the one from which it would be reached.
    """
    day, rest = divmod(edge, DAY)
    middle = shift(day * DAY, -amount, unit) // DAY
    breaks: list[int] = []
    before = True
    for start in range((middle - 6) * DAY, (middle + 7) * DAY, DAY):
        to = shift(start, amount, unit) // DAY
        if before is not (to < day or (to == day and rest > 0)):
            breaks.append(start)
            before = not before
        if to == day and rest > 0:
            breaks.append(start + rest)
            before = False
    return tuple(breaks)


def _reach(chain: _Chain) -> tuple[int, int]:
    """How far on a chain leads, at least and at most."""
    reaches = [_reach_of(step) for step, _ in chain]
    return sum(least for least, _ in reaches), sum(most for _, most in reaches)


def _reach_of(step: _Step) -> tuple[int, int]:
    if isinstance(step, _Day):
        # Less than a day back to midnight, and the zone's offset may differ there: by less than two days.
        return (step.days - 3) * DAY, (step.days + 3) * DAY
    days = _LENGTHS.get(step.unit)
    if days is None:
        ahead = step.amount * (DAY if step.unit == "day" else HOUR)
        return ahead, ahead
    one, other = (step.amount * length * DAY for length in days)
    return min(one, other), max(one, other)


@lru_cache(maxsize=8192)
def _day_around(step: _Day, y: int) -> tuple[int, int]:
    """An interval around `y` throughout which it is one calendar day in the zone, its offset from UTC one too."""
    if step.written:
        return y // DAY * DAY, y // DAY * DAY + DAY
    offset = _offset(y, step.zone)
    start = (y + offset) // DAY * DAY - offset
    end = start + DAY
    for t in (*range(y + HOUR, end, HOUR), end - 1):
        if _offset(t, step.zone) != offset:
            end = _change(max(y, t - HOUR), t, step.zone, offset)
            break
    for t in (*range(y - HOUR, start, -HOUR), start):
        if _offset(t, step.zone) != offset:
            start = _change(t, min(y, t + HOUR), step.zone, _offset(t, step.zone))
            break
    return start, end


def _change(low: int, high: int, zone: str, offset: int) -> int:
    """The first moment after `low` at which the offset is no longer `offset`; by `high` it is not."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high


def _offset(moment: int, zone: str) -> int:
    ahead = (_EPOCH + timedelta(milliseconds=moment)).astimezone(find_zone(zone)).utcoffset()
    return 0 if ahead is None else ahead // timedelta(milliseconds=1)


@lru_cache(maxsize=8192)
def _steps(path: str) -> tuple[l.Step, ...]:
    return l.variable(path).steps


def _is_zone(name: Any) -> bool:
    try:
        return type(name) is str and find_zone(name) is not None
    except ValueError:
        return False


def _is_date(value: Any) -> bool:
    try:
        return type(value) is str and type(read_moment(value)) is int
    except ValueError:
        return False


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Days in zones are counted within these; before and after, Python's calendar may end on the way.
_EARLIEST: Final = of_clock(datetime(2, 1, 1, tzinfo=UTC))
_LATEST: Final = of_clock(datetime(9998, 12, 31, tzinfo=UTC))
_LENGTHS: Final = {"year": (365, 366), "month": (28, 31)}
