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
    decision = decide(
        ruleset, facts, at=at, values=values, external={"issuerCountryCode": issuer} if issuer else None
    )
    words = {one.id: one.words for one in ruleset.rules}
    if a.json:
        print_json(_public(decision, words, a.lang))
    else:
        _show(decision, words, a.lang)
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


def _public(decision: Decision, words: Mapping[str, Mapping[str, str]], language: str) -> dict[str, Any]:
    return {
        "outcome": str(decision.outcome),
        "reason": decision.reason,
        "because": _WHY.get(decision.reason, ""),
        "findings": [
            {
                **asdict(one),
                "outcome": str(one.outcome),
                "words": _said(words.get(one.id, {}), language),
                "because": REASONS.get(one.reason, ""),
            }
            for one in decision.findings
        ],
        "receipt": asdict(decision.receipt),
    }


def _said(words: Mapping[str, str], language: str) -> str:
    return words.get(language) or words.get("en") or next(iter(words.values()), "")


def _show(decision: Decision, words: Mapping[str, Mapping[str, str]], language: str) -> None:
    sign, colour = _SIGNS[decision.outcome]
    receipt = decision.receipt
    out.print(f"[bold {colour}]{sign} {_WORDS[decision.outcome]}[/]   {receipt.destination}, {receipt.at}")
    if decision.reason:
        out.print(f"  {_WHY.get(decision.reason, decision.reason)}")
    for one in decision.findings:
        if one.outcome is Outcome.YES:
            continue
        sign, colour = _SIGNS[one.outcome]
        out.print(
            f"  [{colour}]{sign}[/] {escape(one.id)} {one.version}: {escape(_said(words.get(one.id, {}), language))}"
        )
        if one.reason:
            out.print(f"      {escape(one.where)} {REASONS.get(one.reason, one.reason)}")
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
