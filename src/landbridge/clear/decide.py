"""Rules in force, and facts, to a decision: yes, no or open, with a finding a rule and a receipt that replays it.

What applies follows the EU DCC validation rules (version 1.00): acceptance rules of the destination, for the kind of
credential and for all kinds; invalidation rules of the destination and of the country that issued the credential; of
several versions in force the highest. With our exemptions, three-valued: an exemption that holds stands in for the
acceptance rules, and never for an invalidation. Where nothing was published for a kind, the decision is open.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from landbridge.clear.build import Judge, build
from landbridge.clear.evaluate import Open, judge
from landbridge.clear.moments import of_clock, write_moment
from landbridge.clear.rule import Rule, canonical, plain, read_version
from landbridge.errors import RuleError
from landbridge.prove.facts import Facts, Outcome

ENGINE = "landbridge.clear/1"
"""Changes when a decision on the same rules and facts could."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says. `reason` and `where` are empty unless it is open: a key of `evaluate.REASONS`, and a path."""

    id: str
    version: str
    type: str
    outcome: Outcome
    reason: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything a decision depended on but the facts: who has these and the facts gets the same decision."""

    engine: str
    destination: str
    region: str
    within: tuple[str, ...]
    issuer: str
    subject: str
    kind: str
    at: str
    values: str
    """SHA-256 of the value sets."""
    rules: tuple[tuple[str, str, str], ...]
    """Id, version and hash of each, in the order they were judged."""


@dataclass(frozen=True, slots=True)
class Decision:
    """May I? `reason` says why a decision without findings is open."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    receipt: Receipt
    reason: str = ""

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision is yes, no or open: compare its outcome with Outcome.YES")

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The rules that say no."""
        return tuple(one for one in self.findings if one.outcome is Outcome.NO)

    def to_json(self) -> str:
        """One spelling: equal decisions are equal byte for byte."""
        return canonical(asdict(self))


@dataclass(frozen=True, slots=True)
class ValueSets:
    """Lists of codes that rules name, read and hashed once (`read_values`)."""

    sets: Mapping[str, Any] = field(repr=False)
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The rules that hold for a destination and a kind from `since` through `until`, as one function."""

    destination: str
    region: str
    within: tuple[str, ...]
    issuer: str
    subject: str
    kind: str
    since: datetime | None
    until: datetime | None
    """The last moment before another set of versions holds."""
    rules: tuple[Rule, ...]
    said: tuple[tuple[Finding, Finding], ...] = field(repr=False)
    """Of each rule what it says where it is met, and where it is not."""
    judge: Judge = field(repr=False)
    """Facts, in the form `facts_for` gives them, to the numbers of the rules that say no and of those that are open."""


def compile(
    rules: Iterable[Rule],
    destination: str,
    kind: str,
    at: datetime,
    *,
    subject: str = "travel",
    region: str = "",
    within: Collection[str] = (),
    issuer: str = "",
) -> RuleSet:
    """The rules in force at `at` for one who travels to `destination` with a credential of `kind`.

    `within` are the unions the destination belongs to, `issuer` the country that issued the credential. A rule of a
    region holds there only; a rule without one holds everywhere in its destination. Raises RuleError.
    """
    if at.tzinfo is None:
        raise RuleError("the time to decide for has no offset from UTC")
    places = {destination, *within}
    concerned = [
        rule
        for rule in rules
        if rule.subject == subject
        and rule.kind in ("", kind)
        and rule.region in ("", region)
        and rule.destination in (places | {issuer} if rule.type == "invalidation" else places)
    ]
    chosen = in_force(concerned, at)
    starts = [rule.valid_from for rule in concerned]
    ends = [rule.valid_to for rule in concerned if rule.valid_to is not None]
    return RuleSet(
        destination=destination,
        region=region,
        within=tuple(sorted(within)),
        issuer=issuer,
        subject=subject,
        kind=kind,
        since=max(
            [start for start in starts if start <= at] + [end for end in ends if end < at], default=None
        ),
        until=min(
            [start for start in starts if start > at] + [end for end in ends if end >= at], default=None
        ),
        rules=chosen,
        said=tuple(
            (
                Finding(rule.id, rule.version, rule.type, Outcome.YES),
                Finding(rule.id, rule.version, rule.type, Outcome.NO),
            )
            for rule in chosen
        ),
        judge=build([(rule.node, rule.tables) for rule in chosen]),
    )


def in_force(rules: Iterable[Rule], at: datetime) -> tuple[Rule, ...]:
    """Of each rule the highest version in force; ordered by destination and id. Raises RuleError."""
    highest: dict[tuple[str, str], Rule] = {}
    for rule in rules:
        if not rule.in_force(at):
            continue
        known = highest.setdefault((rule.destination, rule.id), rule)
        one, other = read_version(rule.version), read_version(known.version)
        if one == other and rule.hash != known.hash:
            raise RuleError(
                f"{rule.id}: two rules are version {rule.version} and differ",
                hint="Give the newer one a higher version.",
            )
        if one > other:
            highest[rule.destination, rule.id] = rule
    return tuple(highest[key] for key in sorted(highest))


def decide(
    ruleset: RuleSet,
    facts: Facts | Sequence[Facts] | Mapping[str, Any],
    *,
    at: datetime,
    values: ValueSets | Mapping[str, Any] | None = None,
    external: Mapping[str, Any] | None = None,
) -> Decision:
    """The decision on proven facts, or on a mapping of JSON values (a payload, or `payload` and `external`).

    `values` are the value sets by name (`read_values` once, for many decisions), `external` what else is known of the occasion. Nothing of the facts enters
    the decision but what the rules say of them. Raises RuleError for a time at which other versions are in force, and
    for facts that are no JSON values.
    """
    check_clock(ruleset, at)
    if isinstance(values, Mapping):
        values = read_values(values)
    data = facts_for(facts, at=at, values=values, external=external)
    unmet, unclear = ruleset.judge(data)
    findings = [met for met, _ in ruleset.said]
    for i in unmet:
        findings[i] = ruleset.said[i][1]
    for i in unclear:
        findings[i] = _open(ruleset.rules[i], data)
    outcome, reason = conclude(findings)
    receipt = Receipt(
        engine=ENGINE,
        destination=ruleset.destination,
        region=ruleset.region,
        within=ruleset.within,
        issuer=ruleset.issuer,
        subject=ruleset.subject,
        kind=ruleset.kind,
        at=write_moment(of_clock(at)),
        values=(values or read_values(data["external"].get("valueSets", {}))).hash,
        rules=tuple((rule.id, rule.version, rule.hash) for rule in ruleset.rules),
    )
    return Decision(outcome, tuple(findings), receipt, reason)


def replay(
    receipt: Receipt,
    rules: Iterable[Rule],
    facts: Facts | Sequence[Facts] | Mapping[str, Any],
    *,
    values: ValueSets | Mapping[str, Any] | None = None,
    external: Mapping[str, Any] | None = None,
) -> Decision:
    """The decision of a receipt once more. Raises RuleError where a rule, the value sets or the engine are not its."""
    if receipt.engine != ENGINE:
        raise RuleError(f'the receipt is of engine "{receipt.engine[:40]}", and this is "{ENGINE}"')
    known = {rule.hash: rule for rule in rules}
    if lost := [f"{id_} {version}" for id_, version, hash_ in receipt.rules if hash_ not in known]:
        raise RuleError(
            f"not among the rules: {', '.join(lost)}", hint="Hand over the rules as they were published then."
        )
    at = datetime.fromisoformat(receipt.at)
    ruleset = compile(
        [known[hash_] for _, _, hash_ in receipt.rules],
        receipt.destination,
        receipt.kind,
        at,
        subject=receipt.subject,
        region=receipt.region,
        within=receipt.within,
        issuer=receipt.issuer,
    )
    decision = decide(ruleset, facts, at=at, values=values, external=external)
    if decision.receipt != receipt:
        raise RuleError("the value sets are not those of the receipt")
    return decision


def read_values(sets: Any) -> ValueSets:
    """Value sets by name, each a list of codes. Raises RuleError."""
    named = plain(sets, "values")
    return ValueSets(named, hashlib.sha256(canonical(named).encode()).hexdigest())


def check_clock(ruleset: RuleSet, at: datetime) -> None:
    """Raises RuleError where another set of versions holds at `at`."""
    if at.tzinfo is None:
        raise RuleError("the time to decide for has no offset from UTC")
    early = ruleset.since is not None and at < ruleset.since
    if early or (ruleset.until is not None and at > ruleset.until):
        raise RuleError(
            "the rules were compiled for another time",
            hint="Compile them for the time that is to be decided for.",
        )


def conclude(findings: Sequence[Finding]) -> tuple[Outcome, str]:
    """What the findings come to, and why it is open where none of them says."""
    said = {
        type_: [one.outcome for one in findings if one.type in types]
        for type_, types in (
            ("accept", ("acceptance", "general")),
            ("refuse", ("invalidation",)),
            ("exempt", ("exemption",)),
        )
    }
    accepted = Outcome.of(tuple(said["accept"])) if said["accept"] else Outcome.OPEN
    exempt = _any(said["exempt"])
    outcome = Outcome.of((_any([accepted, exempt]), *said["refuse"]))
    nothing = not said["accept"] and exempt is not Outcome.YES and outcome is Outcome.OPEN
    return outcome, "no-rule" if nothing else ""


def facts_for(
    facts: Facts | Sequence[Facts] | Mapping[str, Any],
    *,
    at: datetime,
    values: ValueSets | Mapping[str, Any] | None = None,
    external: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the paths of rules are read in.

    `payload`: the claims of the (first) credential, as it says them; `facts.KIND.0`, `facts.KIND.1`, …: the credentials
    in our words (territory, subject, values, issuer, valid_from, valid_until); `external`: the occasion, in it
    `validationClock` (the time decided for) and `valueSets`. Raises RuleError.
    """
    if isinstance(facts, Mapping):
        given = plain(facts, "facts")
        data = given if {"payload", "external", "facts"} & given.keys() else {"payload": given}
    else:
        believed = [facts] if isinstance(facts, Facts) else list(facts)
        if not all(isinstance(one, Facts) for one in believed):
            raise RuleError("a decision rests on facts that were verified, or on a mapping of JSON values")
        data = {"facts": {}}
        for one in believed:
            data.setdefault("payload", plain(one.claims, "claims"))
            data["facts"].setdefault(one.content.kind, []).append(_in_our_words(one))
    occasion = data.get("external", {})
    if not isinstance(occasion, dict):
        raise RuleError("external: must be an object", hint='Write {"external": {"region": "…"}}.')
    occasion = {
        **occasion,
        **plain(external or {}, "external"),
        "validationClock": write_moment(of_clock(at)),
    }
    if values is not None:
        occasion["valueSets"] = (values if isinstance(values, ValueSets) else read_values(values)).sets
    return {**data, "external": occasion}


def _any(outcomes: Sequence[Outcome]) -> Outcome:
    if Outcome.YES in outcomes:
        return Outcome.YES
    return Outcome.OPEN if Outcome.OPEN in outcomes else Outcome.NO


def _open(rule: Rule, data: Any) -> Finding:
    """The finding of a rule that could not be decided: the reference says why."""
    try:
        judge(rule.node, data, rule.tables)
    except Open as reason:
        return Finding(rule.id, rule.version, rule.type, Outcome.OPEN, reason.code, reason.where)
    return Finding(rule.id, rule.version, rule.type, Outcome.OPEN, "failed")


def _in_our_words(facts: Facts) -> dict[str, Any]:
    content = facts.content
    subject = {name: getattr(content.subject, name) for name in content.subject.__struct_fields__}
    issuer = {name: getattr(facts.issuer, name) for name in facts.issuer.__struct_fields__}
    words = {
        "territory": content.territory,
        "subject": subject,
        "values": content.values,
        "issuer": issuer,
        "issued": facts.issued,
        "valid_from": facts.valid_from,
        "valid_until": facts.valid_until,
    }
    return {name: plain(value, name) for name, value in words.items()}
