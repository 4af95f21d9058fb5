"""What `decide` and `rules` do on the command line: a destination's rules, decided on facts, with reasons."""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from landbridge.clear import check, rule
from landbridge.clear.decide import Decision, decide
from landbridge.clear.decide import compile as compile_rules
from landbridge.clear.evaluate import REASONS
from landbridge.clear.explain import Cited, Explanation, Reason, choose_words, explain
from landbridge.cli import DONE, FAILED, NO
from landbridge.cli.given import moment, print_json
from landbridge.config import read_settings
from landbridge.errors import UsageError
from landbridge.prove.facts import Outcome

out = Console(highlight=False)
EXITS = {Outcome.YES: DONE, Outcome.NO: NO, Outcome.OPEN: FAILED}
_SIGNS = {Outcome.YES: ("✓", "green"), Outcome.NO: ("✗", "red"), Outcome.OPEN: ("?", "yellow")}
_WORDS = {
    Outcome.YES: "YES",
    Outcome.NO: "NO",
    Outcome.OPEN: "OPEN: it cannot be said",
}
_WHY = {"no-rule": "No rule is known here for this destination and this kind of document at that time."}
_GROUPS = {"v": "vaccination", "t": "test", "r": "recovery"}


def run(arguments: Namespace) -> int:
    """The command a parsed line names."""
    return _ACTIONS[f"{arguments.command} {getattr(arguments, 'verb', '')}".strip()](arguments)


def _decide(a: Namespace) -> int:
    """The decision for one destination, on one file of facts."""
    at = moment(a.at) if a.at else datetime.now(UTC)
    facts = _json(a.facts, "--facts")
    if not isinstance(facts, Mapping):
        raise UsageError("facts are one JSON object", parameter="--facts")
    paths = [path for group in a.rules for path in group] or _own()
    known = rule.load(paths)
    payload = facts.get("payload", facts)
    kind = a.kind or next(
        (_GROUPS[key] for key in _GROUPS if isinstance(payload, Mapping) and payload.get(key)), ""
    )
    issuer = _issuer(payload)
    ruleset = compile_rules(
        known,
        a.to.upper(),
        kind,
        at,
        subject=a.subject,
        region=a.region,
        within=tuple(one for one in a.within.upper().split(",") if one),
        issuer=issuer,
    )
    values = _json(a.values, "--values") if a.values else None
    external = {"issuerCountryCode": issuer} if issuer else None
    decision = decide(ruleset, facts, at=at, values=values, external=external)
    why = explain(ruleset, facts, decision, language=a.lang, values=values, external=external)
    if a.json:
        print_json(_public(decision, why, {one.id: one.words for one in ruleset.rules}, a.lang))
    else:
        _show(decision, why)
    return EXITS[decision.outcome]


def _own() -> list[Path]:
    """The rules of this instance and of its members."""
    data = read_settings().data
    return [path for path in (data / "rules", *(data / "members").glob("*/demands")) if path.exists()]


def _issuer(payload: Any) -> str:
    """The country that issued an EU certificate: invalidation rules may be its own."""
    for key in _GROUPS:
        entries = payload.get(key) if isinstance(payload, Mapping) else None
        if isinstance(entries, list) and entries and isinstance(entries[0], Mapping):
            return str(entries[0].get("co", ""))
    return ""


def _public(
    decision: Decision, why: Explanation, words: Mapping[str, Mapping[str, str]], language: str
) -> dict[str, Any]:
    cited = {(one.finding.id, one.finding.version): one for one in why.reasons}
    return {
        "outcome": str(decision.outcome),
        "reason": decision.reason,
        "because": _WHY.get(decision.reason, ""),
        "yes_from": why.yes_from.isoformat() if why.yes_from else None,
        "findings": [
            {
                **asdict(one),
                "outcome": str(one.outcome),
                "words": choose_words(words.get(one.id, {}), language)[0],
                "because": REASONS.get(one.reason, ""),
                **_reason(cited.get((one.id, one.version))),
            }
            for one in decision.findings
        ],
        "cited": [_cited(one) for one in why.cited],
        "receipt": asdict(decision.receipt),
    }


def _reason(reason: Reason | None) -> dict[str, Any]:
    """What a rule that is not met rests on, and from when waiting alone meets it."""
    if reason is None:
        return {}
    met = reason.met_from.isoformat() if reason.met_from else None
    return {"cited": [_cited(one) for one in reason.cited], "met_from": met}


def _cited(one: Cited) -> dict[str, Any]:
    return {"path": one.path, "there": True} if one.there else {"path": one.path, "value": one.value}


def _show(decision: Decision, why: Explanation) -> None:
    sign, colour = _SIGNS[decision.outcome]
    receipt = decision.receipt
    out.print(f"[bold {colour}]{sign} {_WORDS[decision.outcome]}[/]   {receipt.destination}, {receipt.at}")
    if decision.reason:
        out.print(f"  {_WHY.get(decision.reason, decision.reason)}")
    for one in why.reasons:
        finding = one.finding
        sign, colour = _SIGNS[finding.outcome]
        out.print(f"  [{colour}]{sign}[/] {escape(finding.id)} {finding.version}: {escape(one.words)}")
        if finding.reason:
            out.print(f"      {escape(finding.where)} {REASONS.get(finding.reason, finding.reason)}")
        for fact in one.cited:
            shown = "is there" if fact.there else json.dumps(fact.value, ensure_ascii=False)
            out.print(f"      [dim]{escape(fact.path)}: {escape(shown)}[/]", soft_wrap=True)
        if one.met_from:
            out.print(f"      met from {one.met_from:%Y-%m-%d %H:%M} UTC")
    if why.yes_from:
        out.print(f"  → yes from {why.yes_from:%Y-%m-%d %H:%M} UTC, with the same facts")
    met = sum(one.outcome is Outcome.YES for one in decision.findings)
    out.print(f"  {met} of {len(decision.findings)} rules are met")


def _test(a: Namespace) -> int:
    """The cases beside rules: how many go as they say, and each that does not."""
    for path in a.paths:
        if not path.exists():
            raise UsageError(f"{path} is not there", parameter="PATH")
    report = check.test_folder(a.paths)
    if a.json:
        print_json(report.to_json())
    else:
        for failure in report.failures:
            out.print(escape(str(failure)), soft_wrap=True)
        skipped = f", {report.skipped} skipped by their own suite" if report.skipped else ""
        out.print(f"{report.rules} rules, {report.passed} cases passed, {report.failed} failed{skipped}")
    if report.failed:
        return NO
    return DONE if report.passed or report.rules else FAILED


def _json(path: Path, parameter: str) -> Any:
    if str(path) == "-":
        text = sys.stdin.read()
    elif path.is_file():
        text = path.read_text("utf-8-sig")
    else:
        raise UsageError(f"{path} is not a file", parameter=parameter)
    try:
        return json.loads(text)
    except ValueError as wrong:
        raise UsageError(f"{path} is no JSON: {wrong}", parameter=parameter) from None


_ACTIONS = {"decide": _decide, "rules test": _test}
