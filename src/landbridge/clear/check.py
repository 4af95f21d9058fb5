"""The cases beside rules: `landbridge rules test PATH…` on folders laid out in any of the ways rules are kept.

    NAME/rule.json + NAME/tests/*.json      a rule and its tests: payload, external, expected
    rules.json + tests.jsonl(.gz)           the same, packed; valuesets.json holds what `external.valueSets` names
    {"cases": [{"assertions": …}]}          suites of the CertLogic specification, for evaluators …
    {"cases": [{"issues": …}]}              … and for validators
    *.toml, *.json                          rules with their own cases, or without any

Every case is judged twice, by the reference and by the built function; they must agree. Files that hold none of
these are counted and left alone.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from landbridge.clear import logic
from landbridge.clear.build import build
from landbridge.clear.evaluate import REASONS, Evaluator, Open, judge
from landbridge.clear.rule import (
    LARGEST_FILE,
    Case,
    Rule,
    RuleFileError,
    find_files,
    is_rule,
    read_bytes,
    read_document,
    read_json,
    read_rule,
)
from landbridge.errors import RuleError
from landbridge.prove.facts import Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that went otherwise, or a file that cannot be used (then `case` and `expected` are empty)."""

    file: str
    rule: str
    case: str
    expected: str
    got: str
    reason: str = ""

    def __str__(self) -> str:
        if not self.expected:
            return f"{self.file}: {self.got}"
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.file}: {self.rule}: {self.case}: expected {self.expected}, got {self.got}{because}"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the cases. `skipped` are those that their own suite marks so, `others` the files left alone."""

    rules: int
    passed: int
    failures: tuple[Failure, ...]
    skipped: int
    others: int

    @property
    def failed(self) -> int:
        return len(self.failures)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "failed": self.failed}


def test_folder(paths: Iterable[Path]) -> Report:
    """Runs every case below the paths. Raises RuleFileError only for a path that is not there."""
    tally = _Tally()
    for path in paths:
        packed = _packed_below(path)
        for folder in packed:
            _attempt(tally, folder / "rules.json", _test_packed)
        for file in sorted(find_files(path)):
            if file.parent not in packed:
                _attempt(tally, file, _test_file)
    return Report(tally.rules, tally.passed, tuple(tally.failures), tally.skipped, tally.others)


class _Tally:
    def __init__(self) -> None:
        self.rules = self.passed = self.skipped = self.others = 0
        self.failures: list[Failure] = []

    def count(
        self, file: Path | str, rule: str, case: str, expected: str, got: str, reason: str = ""
    ) -> None:
        if expected == got:
            self.passed += 1
        else:
            self.failures.append(Failure(str(file), rule, case, str(expected), str(got), reason))

    def unusable(self, file: Path, error: RuleError) -> None:
        hint = f" {error.hint}" if error.hint else ""
        self.failures.append(Failure(str(file), "", "", "", f"{error}{hint}"))


def _attempt(tally: _Tally, file: Path, test: Any) -> None:
    try:
        test(tally, file)
    except RuleError as error:
        tally.unusable(file, error)


def _packed_below(path: Path) -> set[Path]:
    if not path.is_dir():
        return set()
    return {file.parent for file in path.rglob("rules.json") if _tests_of(file.parent) is not None}


def _tests_of(folder: Path) -> Path | None:
    packed = (folder / name for name in ("tests.jsonl", "tests.jsonl.gz"))
    return next((file for file in packed if file.is_file()), None)


def _test_packed(tally: _Tally, file: Path) -> None:
    documents = {_key(document): document for document in _list(read_document(file))}
    sets_file = file.with_name("valuesets.json")
    value_sets = read_json(read_bytes(sets_file), place=str(sets_file)) if sets_file.is_file() else {}
    if not isinstance(value_sets, dict):
        raise RuleFileError(str(sets_file), "", "must be an object")
    rules: dict[str, Rule | RuleError] = {}
    for key, document in documents.items():
        try:
            rules[key] = read_rule(document, place=str(file))
        except RuleError as error:
            rules[key] = error
    tally.rules += len(rules)
    tests = _tests_of(file.parent)
    for number, line in enumerate(_lines(tests) if tests else (), 1):
        test = read_json(line, place=f"{tests}: line {number}")
        if not isinstance(test, dict):
            raise RuleFileError(f"{tests}: line {number}", "", "is not an object")
        external = test.get("external")
        if isinstance(external, dict) and isinstance(named := external.get("valueSets"), str):
            test["external"] = {**external, "valueSets": value_sets.get(named)}
        key = str(test.get("rule", ""))
        rule = rules.get(
            key, RuleFileError(f"{tests}: line {number}", "rule", f'there is no rule "{key[:80]}"')
        )
        _test_one(tally, test.get("path", f"{tests}: line {number}"), rule, key, test)


def _test_file(tally: _Tally, file: Path) -> None:
    document = read_document(file)
    if isinstance(document, dict) and _is_suite(document):
        _test_suite(tally, file, document)
        return
    documents = [one for one in _list(document) if is_rule(one)]
    if not documents:
        if file.parent.name != "tests" or not any("expected" in one for one in _list(document)):
            tally.others += 1
        elif _rule_of(file.parent) is None:
            raise RuleFileError(
                str(file), "", "a test without a rule", hint="Put it in tests/ beside its rule.json."
            )
        return
    tests = sorted(file.parent.glob("tests/*.json")) if _rule_of(file.parent / "tests") == file else []
    for one in documents:
        tally.rules += 1
        rule: Rule | RuleError
        try:
            rule = read_rule(one, place=str(file), beside=file)
        except RuleError as error:
            rule = error
            if not tests:
                tally.unusable(file, error)
        for test_file in tests:
            for test in _list(read_json(read_bytes(test_file), place=str(test_file))):
                _test_one(tally, str(test_file), rule, str(one.get("Identifier", one.get("id"))), test)
        if isinstance(rule, Rule):
            for case in rule.cases:
                got, reason = _judged(rule, case.data)
                tally.count(file, rule.id, case.name, case.expected, got, reason)


def _rule_of(tests: Path) -> Path | None:
    """The rule that the tests of a folder are for: `rule.json` beside it, or the one file that stands there."""
    beside = sorted(tests.parent.glob("*.json"))
    named = [file for file in beside if file.name == "rule.json"] or beside
    return named[0] if len(named) == 1 else None


def _test_one(tally: _Tally, place: str, rule: Rule | RuleError, name: str, test: Mapping[str, Any]) -> None:
    expected = test.get("expected")
    if not isinstance(expected, bool):
        raise RuleFileError(place, "expected", "must be true or false")
    case = Case(
        str(test.get("name", "")),
        {"payload": test.get("payload"), "external": test.get("external")},
        _YES_NO[expected],
    )
    if isinstance(rule, RuleError):
        got, reason = "unreadable", str(rule)
    else:
        name = rule.id
        got, reason = _judged(rule, case.data)
    tally.count(place, name, case.name, case.expected, got, reason)


def _judged(rule: Rule, data: Any) -> tuple[str, str]:
    reason = ""
    try:
        got = _YES_NO[judge(rule.node, data, rule.tables)]
    except Open as why:
        got, reason = Outcome.OPEN, " ".join(filter(None, (why.where, REASONS[why.code])))
    unmet, unclear = build([(rule.node, rule.tables)])(data)
    built = Outcome.OPEN if unclear else _YES_NO[not unmet]
    return (
        (got, reason)
        if built is got
        else (f"{got} by the reference and {built} by the built function", reason)
    )


def _is_suite(document: Mapping[str, Any]) -> bool:
    cases = document.get("cases")
    return isinstance(cases, list) and any(
        isinstance(case, dict) and {"assertions", "issues"} & case.keys() for case in cases
    )


def _test_suite(tally: _Tally, file: Path, document: Mapping[str, Any]) -> None:
    # Read anew: the suite compares numbers with a point as JavaScript does.
    document = read_json(read_bytes(file), place=str(file))
    for number, case in enumerate(document["cases"]):
        name = str(case.get("name", f"case {number + 1}"))
        if "issues" in case:
            found = [
                {"expr": issue.expression, "message": issue.message}
                for issue in logic.examine(case.get("certLogicExpression"))
            ]
            tally.count(file, str(document.get("name", "")), name, _spelt(case["issues"]), _spelt(found))
            continue
        for i, assertion in enumerate(case.get("assertions", ())):
            if "skip" in (document.get("directive"), case.get("directive"), assertion.get("directive")):
                tally.skipped += 1
                continue
            expression = assertion.get("certLogicExpression", case.get("certLogicExpression"))
            what = f"{name} {i + 1}: {assertion.get('message', '')}".rstrip(": ")
            got, reason = _value(expression, assertion.get("data"))
            tally.count(
                file, str(document.get("name", "")), what, _spelt(assertion.get("expected")), got, reason
            )


def _value(expression: Any, data: Any) -> tuple[str, str]:
    node = logic.parse(expression)
    try:
        return _spelt(Evaluator().evaluate(node, data)), ""
    except Open as why:
        return Outcome.OPEN, REASONS[why.code]


def _spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _list(document: Any) -> list[dict[str, Any]]:
    return [one for one in (document if isinstance(document, list) else [document]) if isinstance(one, dict)]


def _key(document: Mapping[str, Any]) -> str:
    """What the packed tests call a rule: the folder it was in, or its id."""
    path = document.get("_path")
    return (
        path.rpartition("/")[0]
        if isinstance(path, str)
        else str(document.get("Identifier", document.get("id")))
    )


def _lines(file: Path) -> Iterator[bytes]:
    data = read_bytes(file)
    if file.suffix == ".gz":
        try:
            with gzip.open(file) as packed:
                data = packed.read(LARGEST_FILE + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise RuleFileError(str(file), "", "is cut or not packed with gzip") from None
    if len(data) > LARGEST_FILE:
        raise RuleFileError(str(file), "", f"larger than {LARGEST_FILE // 1024 // 1024} MiB")
    return filter(None, data.splitlines())


_YES_NO = {True: Outcome.YES, False: Outcome.NO}
