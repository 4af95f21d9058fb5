"""Why: the words of the rules that say no or are open, and the facts that this rests on.

A fact is cited where the answer hangs on it. One false operand of an `and` is enough: of those before it only facts
that could make the rule open are cited. Whoever keeps the cited facts and changes any others gets the same answer,
of the rule and of the decision. Value sets are the publisher's, and no facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from landbridge.clear import logic as l
from landbridge.clear.decide import Decision, Finding, RuleSet, ValueSets, facts_for
from landbridge.clear.evaluate import (
    Evaluator,
    loop,
    truth,
    verdict,
)
from landbridge.clear.rule import Rule
from landbridge.clear.windows import CLOCK, NotComputed, Unanalysable, spans_of, start_walk, windows
from landbridge.errors import RuleError
from landbridge.prove.facts import Facts, Outcome

AHEAD = timedelta(days=2 * 366)
"""How far ahead of the time decided for a remedy is looked for, and never beyond the rules in force."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A fact that an answer rests on."""

    path: str
    value: Any = field(repr=False)
    """Null where nothing lies at the path, and where only `there` matters."""
    there: bool = False
    """Only that an object lies there with something in it, or an array of so many items; not what is in it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that says no or is open."""

    finding: Finding
    words: str
    language: str
    """That of the words, which may be another than the reader's; both are empty where a rule has none."""
    cited: tuple[Cited, ...]
    met_from: datetime | None
    """The first moment from which waiting alone meets the rule, where there is one and it was computed."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision is what it is; the reasons that waiting mends come first, the nearest of them first."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    cited: tuple[Cited, ...]
    """What the decision rests on as a whole, fewer facts than those of all reasons where one reason is enough."""
    yes_from: datetime | None
    """When the same facts are good enough, by waiting alone; None where they are now, or never, or nobody knows."""


def explain(
    ruleset: RuleSet,
    facts: Facts | Sequence[Facts] | Mapping[str, Any],
    decision: Decision,
    *,
    language: str,
    values: ValueSets | Mapping[str, Any] | None = None,
    external: Mapping[str, Any] | None = None,
) -> Explanation:
    """Why `decision` was made by `ruleset` on these facts, in words of `language`, else English, else any.

    Raises RuleError where rules or facts are not those of the decision.
    """
    if decision.receipt.rules != tuple((rule.id, rule.version, rule.hash) for rule in ruleset.rules):
        raise RuleError("these are not the rules of the decision")
    at = datetime.fromisoformat(decision.receipt.at)
    data = facts_for(facts, at=at, values=values, external=external)
    rested = [trace(rule, data) for rule in ruleset.rules]
    if [outcome for outcome, _ in rested] != [finding.outcome for finding in decision.findings]:
        raise RuleError("these are not the facts of the decision")
    until = min(ruleset.until or datetime.max.replace(tzinfo=at.tzinfo), _ahead(at))
    reasons = [
        Reason(finding, *choose_words(rule.words, language), cited, _met_from(rule, data, at, until))
        for rule, finding, (_, cited) in zip(ruleset.rules, decision.findings, rested, strict=True)
        if finding.outcome is not Outcome.YES
    ]
    reasons.sort(key=lambda reason: (reason.met_from is None, reason.met_from or at))
    yes_from = None
    if decision.outcome is not Outcome.YES:
        ahead = windows(ruleset, facts, at=at, start=at, end=until, values=values, external=external)
        if not isinstance(ahead, NotComputed):
            yes_from = next((one.start for one in ahead if one.outcome is Outcome.YES), None)
    cited = _sufficient(decision, [cited for _, cited in rested])
    return Explanation(decision.outcome, tuple(reasons), cited, yes_from)


def trace(rule: Rule, data: Any) -> tuple[Outcome, tuple[Cited, ...]]:
    """What a rule says of facts in the form `facts_for` gives them, and the facts that this rests on."""
    tracing = _Tracing(rule.tables)
    try:
        outcome = Outcome.YES if verdict(tracing.condition(rule.node, data)) else Outcome.NO
    except Exception:
        outcome = Outcome.OPEN
    return outcome, _merge(tracing.read_so_far)


def choose_words(words: Mapping[str, str], language: str) -> tuple[str, str]:
    """A text and its language: the reader's, the same without its region or script, English, or any."""
    wanted = language.lower()
    general = wanted.partition("-")[0]
    spoken = sorted(words)
    for matches in (
        lambda one: one == wanted,
        lambda one: one == general,
        lambda one: one.partition("-")[0] == general,
        lambda one: one == "en",
        lambda one: one.partition("-")[0] == "en",
        lambda one: True,
    ):
        for one in spoken:
            if matches(one.lower()):
                return words[one], one
    return "", ""


def _ahead(at: datetime) -> datetime:
    try:
        return at + AHEAD
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)


def _met_from(rule: Rule, data: dict[str, Any], at: datetime, until: datetime) -> datetime | None:
    walk = start_walk(data, CLOCK, at, until)
    if walk is None or not walk.moves(rule):
        return None
    try:
        for start, end, outcome in spans_of(rule, walk):
            if outcome is Outcome.YES:
                return walk.window(start, end, outcome, rule.id).start
    except Unanalysable:
        pass
    return None


def _sufficient(decision: Decision, cited: Sequence[tuple[Cited, ...]]) -> tuple[Cited, ...]:
    """The fewest facts, of those that were cited, which keep the decision what it is (see `decide.conclude`)."""

    def of(*types: str) -> list[tuple[Outcome, tuple[Cited, ...]]]:
        both = zip(decision.findings, cited, strict=True)
        return [(finding.outcome, own) for finding, own in both if finding.type in types]

    accept, refuse, exempt = of("acceptance", "general"), of("invalidation"), of("exemption")
    if decision.outcome is Outcome.OPEN:
        return _merge(one for own in cited for one in own)
    alone = [own for outcome, own in exempt if outcome is Outcome.YES]
    if decision.outcome is Outcome.YES:
        if accept and all(outcome is Outcome.YES for outcome, _ in accept):
            alone.append(tuple(one for _, own in accept for one in own))
        always = [one for _, own in refuse for one in own]
    else:
        refused = [own for outcome, own in refuse if outcome is Outcome.NO]
        always = []
        if not alone and all(outcome is Outcome.NO for outcome, _ in exempt):
            beside = [one for _, own in exempt for one in own]
            alone = [(*own, *beside) for outcome, own in accept if outcome is Outcome.NO]
        else:
            alone = []
        alone += refused
    return min((_merge((*own, *always)) for own in alone), key=len)


def _merge(cited: Iterable[Cited]) -> tuple[Cited, ...]:
    """Each path once, in the order of paths; the whole value includes that something is there."""
    merged: dict[str, Cited] = {}
    for one in cited:
        if one.path not in merged or not one.there:
            merged[one.path] = one
    return tuple(merged[path] for path in sorted(merged))


class _Tracing(Evaluator):
    """Evaluates, and notes what it reads; `condition` is `evaluate` where only truth or falsehood matters."""

    def __init__(self, tables: Mapping[str, l.Table]) -> None:
        super().__init__(tables)
        self.read_so_far: list[Cited] = []
        self.loops: list[str | None] = []
        """Of each loop around, the path of the item at hand; None where it was made up on the way."""

    def condition(self, node: l.Node, data: Any) -> Any:
        """The value of the node, or, where it is falsy, any falsy value. Raises Open where it has no truth."""
        match node:
            case l.And():
                return self.all_of(node, data)
            case l.If():
                branch = node.then if truth(self.condition(node.guard, data), node.guard) else node.other
                return self.condition(branch, data)
            case l.Var():
                return self.read_for(node, data, there=True)
        return self.evaluate(node, data)

    def all_of(self, node: l.And, data: Any) -> Any:
        before: list[tuple[l.Node, int, int]] = []
        value: Any = True
        for operand in node.operands:
            start = len(self.read_so_far)
            value = self.condition(operand, data)
            if not truth(value, operand):
                for earlier, first, last in reversed(before):
                    if not _may_be_open(earlier):
                        del self.read_so_far[first:last]
                break
            before.append((operand, start, len(self.read_so_far)))
        return value

    def read(self, node: l.Var, data: Any) -> Any:
        return self.read_for(node, data, there=False)

    def read_for(self, node: l.Var, data: Any, *, there: bool) -> Any:
        value = super().read(node, data)
        path = self.path_of(node)
        if path is not None and not path.startswith(l.VALUE_SETS):
            only = there and type(value) in (dict, list) and bool(value)
            self.read_so_far.append(Cited(path, None if only else value, only))
        return value

    def path_of(self, node: l.Var) -> str | None:
        """Where in the facts a variable reads; None for what a loop made itself."""
        steps = [str(step) for step in node.steps]
        if not self.loops:
            return ".".join(steps)
        if steps[:1] != ["current"] or self.loops[-1] is None:
            return None
        return ".".join([self.loops[-1], *steps[1:]])

    def choose(self, node: l.If, data: Any) -> Any:
        guard = truth(self.condition(node.guard, data), node.guard)
        return self.evaluate(node.then if guard else node.other, data)

    def negate(self, node: l.Not, data: Any) -> bool:
        return not truth(self.condition(node.operand, data), node.operand)

    def reduce(self, node: l.Reduce, data: Any) -> Any:
        over_path = self.path_of(node.over) if isinstance(node.over, l.Var) else None
        over = (
            self.condition(node.over, data)
            if isinstance(node.over, l.Var)
            else self.evaluate(node.over, data)
        )
        value = self.evaluate(node.start, data)
        for i, item in enumerate(loop(over, node.over)):
            self.loops.append(None if over_path is None else f"{over_path}.{i}")
            value = self.evaluate(node.each, {"accumulator": value, "current": item})
            self.loops.pop()
        return value


def _may_be_open(node: l.Node) -> bool:
    """Whether other facts could make a node open."""
    match node:
        case l.Constant() | l.Var():
            return False
        case l.If() | l.And() | l.Equal() | l.Not() | l.Items() | l.Lookup():
            return any(map(_may_be_open, l.children(node)))
        case l.Member(_, l.Items()):
            return any(map(_may_be_open, l.children(node)))
        case l.Member(item, l.Var() as among) if among.required:
            return _may_be_open(item)
    return True
