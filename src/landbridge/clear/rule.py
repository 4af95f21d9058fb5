"""Rules as they are published, read from three forms into one: the EU gateway's, folders of rules with tests, and ours.

The gateway's form is the JSON of the EU DCC business rules (Identifier, Country, CertificateType, Logic, …). Ours is
one file a rule, TOML or JSON, the logic as tables or as JSON text, its cases in it or in `NAME.cases.toml` (`.json`):

    id          = "xa-entry-pcr"
    version     = "1.0.0"                     # SemVer; the highest in force is the one that holds
    destination = "XA"                        # a country, or a union of countries
    subject     = "travel"                    # travel · work · qualification · goods
    type        = "acceptance"                # acceptance · general · invalidation · exemption
    kind        = "test"                      # whose holders it concerns; leave it out for everybody
    engine      = "landbridge/1"
    valid_from  = 2021-07-25T00:00:00+03:00
    logic       = '{"not-before": [ … ]}'
    [words]
    en = "The test was taken no more than three calendar days before arrival."
    [source]
    title = "Order No 1 of 2021"
    url   = "https://…"
    date  = 2021-07-16
    [tables.zones]                            # for {"lookup": ["zones", [key]]}
    keys = ["region"]
    rows = [["north", "Europe/Kaliningrad"]]
    [[cases]]
    name   = "taken two days ago"
    at     = 2021-07-26T08:00:00+03:00
    facts  = '{"payload": { … }}'
    expect = "yes"                            # yes · no · open

What a file says is read, named as not ours to read, or an error that names the file, the place in it and what to
write. What cannot be read is never left out of a decision: reading stops.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from landbridge.clear import logic
from landbridge.clear.evaluate import table_key
from landbridge.clear.moments import of_clock, read_moment, write_moment
from landbridge.errors import RuleError
from landbridge.prove.facts import Outcome

SUBJECTS = ("travel", "work", "qualification", "goods")
TYPES = ("acceptance", "general", "invalidation", "exemption")
LARGEST_FILE = 64 * 1024 * 1024
LARGEST_RULE = 1024 * 1024
ROWS = 10_000
WORDS = 4_000
DEEPEST_FACTS = 32

Version: TypeAlias = tuple[int, int, int, tuple[Any, ...]]


class RuleFileError(RuleError):
    """A rule that cannot be used: `place` is its file or id, `where` the field in it."""

    def __init__(self, place: str, where: str, message: str, *, hint: str = "") -> None:
        super().__init__(": ".join(part for part in (place, where, message) if part), hint=hint)
        self.place = place
        self.where = where


class Republished(RuleFileError):
    """Two rules with one id and version that say different things: a published version never changes."""


@dataclass(frozen=True, slots=True)
class Source:
    """The official text a rule is taken from."""

    title: str = ""
    url: str = ""
    date: str = ""
    """YYYY-MM-DD, or empty where the form has no place for it."""


@dataclass(frozen=True, slots=True)
class Case:
    """Facts and what the rule says of them."""

    name: str
    data: Any
    """What paths are read in: `payload`, `facts`, `external`."""
    expected: Outcome


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One version of one rule, its logic read and found sound."""

    id: str
    version: str
    destination: str
    """ISO 3166-1 alpha-2, or the code of a union."""
    region: str = ""
    subject: str = "travel"
    type: str
    kind: str = ""
    """The kind of credential whose holders it concerns, or empty for everybody."""
    engine: str
    valid_from: datetime
    valid_to: datetime | None = None
    """The last moment it is in force; None where no end was published."""
    published: datetime | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    source: Source = Source()
    affected: tuple[str, ...] = ()
    """The fields the publisher declares; what the logic reads is `reads`."""
    logic: Any
    node: logic.Node = field(repr=False)
    tables: Mapping[str, logic.Table] = field(default_factory=dict, repr=False)
    cases: tuple[Case, ...] = field(default=(), repr=False, compare=False)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The paths of the facts that its logic can read."""
        return logic.reads(self.node)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything but the cases: what a published version may never change."""
        tables = {
            name: sorted([*(key[1] for key in keys), value] for keys, value in table.items())
            for name, table in self.tables.items()
        }
        said = {
            "affected": list(self.affected),
            "destination": self.destination,
            "engine": self.engine,
            "id": self.id,
            "kind": self.kind,
            "logic": self.logic,
            "published": _written(self.published),
            "region": self.region,
            "source": [self.source.title, self.source.url, self.source.date],
            "subject": self.subject,
            "tables": tables,
            "type": self.type,
            "valid_from": _written(self.valid_from),
            "valid_to": _written(self.valid_to),
            "version": self.version,
            "words": dict(self.words),
        }
        return hashlib.sha256(canonical(said).encode()).hexdigest()

    def in_force(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at <= self.valid_to)


def read_version(text: str) -> Version:
    """The precedence of SemVer 2.0.0; raises ValueError."""
    if (found := _VERSION.fullmatch(text)) is None:
        raise ValueError("not a version")
    major, minor, patch, before = found.groups()
    if before is None:
        return int(major), int(minor), int(patch), (1,)
    parts = ((0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split("."))
    return int(major), int(minor), int(patch), (0, *parts)


def read_json(text: str | bytes, *, place: str, exact: bool = False) -> Any:
    """JSON with every name once; `exact` reads numbers with a point as decimals. Raises RuleFileError."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_once,
            parse_float=Decimal if exact else float,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise RuleFileError(place, "", "nested too deeply to be read") from None
    except (ValueError, ArithmeticError) as error:
        raise RuleFileError(place, "", f"not JSON: {str(error)[:200]}") from None


def load(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """Every rule of files and folders, each once. Raises RuleFileError."""
    rules: dict[tuple[str, str, str], Rule] = {}
    for path in paths:
        for file in sorted(find_files(path)):
            for rule in read_file(file):
                known = rules.setdefault((rule.destination, rule.id, rule.version), rule)
                if known.hash != rule.hash:
                    message = (
                        f"version {rule.version} of {rule.id} was published before and said something else"
                    )
                    raise Republished(str(file), "version", message, hint="Give it a higher version.")
    return tuple(rules.values())


def find_files(path: Path) -> list[Path]:
    """The files below a path that may hold rules."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise RuleFileError(str(path), "", "no such file or folder")
    return [
        file
        for file in path.rglob("*")
        if file.suffix in (".json", ".toml")
        and not file.name.endswith((".cases.json", ".cases.toml"))
        and file.is_file()
    ]


def read_file(path: Path) -> tuple[Rule, ...]:
    """The rules of one file: none where it holds something else. Raises RuleFileError."""
    document = read_document(path)
    documents = document if isinstance(document, list) else [document]
    return tuple(
        read_rule(one, place=str(path), beside=path)
        for one in documents
        if isinstance(one, dict) and is_rule(one)
    )


def read_document(path: Path) -> Any:
    """A TOML or JSON file as plain values. Raises RuleFileError."""
    data = read_bytes(path)
    if path.suffix == ".json":
        return read_json(data, place=str(path), exact=True)
    try:
        return tomllib.loads(data.decode("utf-8"), parse_float=Decimal)
    except RecursionError:
        raise RuleFileError(str(path), "", "nested too deeply to be read") from None
    except (ValueError, ArithmeticError) as error:
        raise RuleFileError(str(path), "", f"not TOML: {str(error)[:200]}") from None


def read_bytes(path: Path) -> bytes:
    """A file, unless it is too large to be one of rules. Raises RuleFileError."""
    try:
        if path.stat().st_size <= LARGEST_FILE:
            return path.read_bytes()
    except OSError as error:
        raise RuleFileError(str(path), "", f"cannot be read: {error.strerror}") from None
    raise RuleFileError(str(path), "", f"larger than {LARGEST_FILE // 1024 // 1024} MiB")


def is_rule(document: Mapping[str, Any]) -> bool:
    """Whether an object is meant as a rule, of the gateway's form or ours."""
    return {"Identifier", "Logic"} <= document.keys() or {"id", "logic"} <= document.keys()


def read_rule(document: Mapping[str, Any], *, place: str = "", beside: Path | None = None) -> Rule:
    """A rule of the gateway's form or ours. Raises RuleFileError or LogicError."""
    if "Identifier" in document:
        return _read_gateway(document, _Fields(document, place, str(document["Identifier"])[:80]))
    return _read_ours(document, _Fields(document, place, str(document.get("id", ""))[:80]), beside)


def canonical(value: Any) -> str:
    """JSON with one spelling: names sorted, no spaces, decimals as they count and not as they were written."""
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"
    if isinstance(value, Mapping):
        parts = (f"{json.dumps(str(key))}:{canonical(value[key])}" for key in sorted(value))
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, allow_nan=False)


def plain(value: Any, path: str, depth: int = 0) -> Any:
    """JSON values, whatever containers they came in; dates as rules read them. Raises RuleError."""
    if value is None or type(value) in (str, bool):
        return value
    if type(value) in (int, float, Decimal):
        if abs(value) <= _FURTHEST:
            return value
        raise RuleError(f"{path}: a number that rules cannot read")
    if depth > DEEPEST_FACTS:
        raise RuleError(f"{path}: nested deeper than {DEEPEST_FACTS}")
    if isinstance(value, Mapping):
        return {str(name): plain(one, f"{path}.{name}", depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, f"{path}.{i}", depth + 1) for i, one in enumerate(value)]
    if isinstance(value, datetime) and value.tzinfo is not None:
        return write_moment(of_clock(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    raise RuleError(f"{path}: {type(value).__name__} is not a value that rules can read")


class _Fields:
    """The fields of one rule, each read by name; `close` refuses those nobody asked for."""

    def __init__(self, document: Mapping[str, Any], place: str, rule: str) -> None:
        self.document = document
        self.place = f"{place}: {rule}" if place and rule else place or rule
        self.asked: set[str] = set()

    def fault(self, where: str, message: str, hint: str = "") -> RuleFileError:
        return RuleFileError(self.place, where, message, hint=hint)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return self.document.get(name, default)

    def text(self, name: str, *, default: str | None = None, pattern: re.Pattern[str] | None = None) -> str:
        value = self.get(name, default)
        if value is None:
            raise self.fault(name, "is missing")
        if not isinstance(value, str):
            raise self.fault(name, f"must be a text, and is {type(value).__name__}")
        if pattern is not None and value != default and not pattern.fullmatch(value):
            raise self.fault(name, f'"{value[:80]}" is not written as it must be', _PATTERNS[pattern])
        return value

    def choice(self, name: str, among: Iterable[str], *, default: str | None = None) -> str:
        value = self.text(name, default=default)
        if value not in (known := tuple(among)):
            raise self.fault(name, f'unknown value "{value[:80]}"', f"Write one of: {', '.join(known)}.")
        return value

    def moment(self, name: str, *, needed: bool = False) -> datetime | None:
        value = self.get(name)
        if value is None:
            if needed:
                raise self.fault(name, "is missing")
            return None
        try:
            return _as_time(value)
        except ValueError as error:
            raise self.fault(name, str(error), "Write it like 2021-07-25T00:00:00Z.") from None

    def words(self, name: str, given: Mapping[Any, Any]) -> dict[str, str]:
        words: dict[str, str] = {}
        for language, text in given.items():
            where = f"{name}.{str(language)[:20]}"
            if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
                raise self.fault(where, "is not a language", _PATTERNS[_LANGUAGE])
            if not isinstance(text, str) or not text.strip() or len(text) > WORDS:
                raise self.fault(where, f"must be a text of 1 to {WORDS} characters")
            if _MARKUP.search(text):
                raise self.fault(where, "holds markup or control characters", "Write plain words.")
            words[language] = text
        return words

    def close(self, ignored: Callable[[str], bool] = lambda name: False) -> None:
        for name in self.document:
            if name not in self.asked and not ignored(str(name)):
                known = ", ".join(sorted(self.asked))
                raise self.fault(str(name)[:80], "is not a field of a rule", f"The fields are: {known}.")


def _read_gateway(document: Mapping[str, Any], fields: _Fields) -> Rule:
    fields.choice("Engine", ("CERTLOGIC",))
    for name in ("EngineVersion", "SchemaVersion"):
        fields.text(name, default="1.0.0", pattern=_VERSION)
    certificate = fields.choice("CertificateType", _CERTIFICATES)
    kind = _CERTIFICATES[certificate]
    type_ = fields.choice("Type", ("Acceptance", "Invalidation")).lower()
    descriptions = fields.get("Description")
    if not isinstance(descriptions, list) or not all(
        isinstance(one, dict) and isinstance(one.get("lang"), str) for one in descriptions
    ):
        raise fields.fault("Description", 'must be a list of {"lang": …, "desc": …}')
    affected = fields.get("AffectedFields", [])
    if not isinstance(affected, list) or not all(isinstance(one, str) for one in affected):
        raise fields.fault("AffectedFields", "must be a list of texts")
    words = fields.words("Description", {one.get("lang"): one.get("desc") for one in descriptions})
    rule = _make(
        fields,
        source=document,
        id=fields.text("Identifier", pattern=_ID),
        version=fields.text("Version", pattern=_VERSION),
        destination=fields.text("Country", pattern=_COUNTRY),
        region=fields.text("Region", default="", pattern=_REGION).strip(),
        type="general" if (type_, kind) == ("acceptance", "") else type_,
        kind=kind,
        engine=logic.CERTLOGIC,
        valid_from=fields.moment("ValidFrom", needed=True),
        valid_to=fields.moment("ValidTo", needed=True),
        words=words,
        affected=tuple(affected),
        logic=fields.get("Logic"),
    )
    # The gateway's own names are capitalised; `hash`, `expr-as-text`, `_path` are notes that tools leave.
    fields.close(ignored=lambda name: not name[:1].isupper())
    return rule


def _read_ours(document: Mapping[str, Any], fields: _Fields, beside: Path | None) -> Rule:
    written = fields.get("logic")
    if isinstance(written, str):
        if len(written) > LARGEST_RULE:
            raise fields.fault("logic", f"longer than {LARGEST_RULE} characters")
        written = read_json(written, place=f"{fields.place}: logic", exact=True)
    words, source = fields.get("words"), fields.get("source")
    if not isinstance(words, Mapping) or not words:
        raise fields.fault("words", "is missing", "Say in at least one language what the rule asks for.")
    affected = fields.get("affected", [])
    if not isinstance(affected, list) or not all(isinstance(one, str) for one in affected):
        raise fields.fault("affected", "must be a list of texts")
    kind = fields.text("kind", default="", pattern=_KIND)
    type_ = fields.choice("type", TYPES)
    if type_ == "general" and kind:
        raise fields.fault(
            "kind", "a general rule concerns every kind", 'Leave kind out, or write type = "acceptance".'
        )
    rule = _make(
        fields,
        id=fields.text("id", pattern=_ID),
        version=fields.text("version", pattern=_VERSION),
        destination=fields.text("destination", pattern=_DESTINATION),
        region=fields.text("region", default="", pattern=_REGION),
        subject=fields.choice("subject", SUBJECTS),
        type=type_,
        kind=kind,
        engine=fields.choice("engine", logic.ENGINES),
        valid_from=fields.moment("valid_from", needed=True),
        valid_to=fields.moment("valid_to"),
        published=fields.moment("published"),
        words=fields.words("words", words),
        official=_read_source(fields, source),
        affected=tuple(affected),
        logic=written,
        tables=_read_tables(fields),
        cases=_read_cases(fields, beside),
    )
    fields.close()
    if set(affected) - set(rule.reads):
        strange = ", ".join(sorted(set(affected) - set(rule.reads)))
        raise fields.fault(
            "affected", f"the logic does not read {strange}", f"It reads: {', '.join(rule.reads)}."
        )
    return rule


def _make(fields: _Fields, *, source: Any = None, official: Source = Source(), **said: Any) -> Rule:
    valid_from, valid_to = said["valid_from"], said["valid_to"]
    if valid_to is not None and valid_to < valid_from:
        raise fields.fault("valid_to" if source is None else "ValidTo", "lies before the rule is in force")
    node = logic.parse(
        said["logic"], engine=said["engine"], tables=dict(said.get("tables", {})), rule=fields.place
    )
    return Rule(node=node, source=official, **said)


def _read_source(fields: _Fields, given: Any) -> Source:
    if not isinstance(given, Mapping):
        raise fields.fault("source", "is missing", "Name the official text: title, url and date.")
    source = _Fields(given, fields.place, "source")
    read = Source(
        title=source.text("title"),
        url=source.text("url", pattern=_URL),
        date=(source.moment("date", needed=True) or datetime.max).date().isoformat(),
    )
    source.close()
    return read


def _read_tables(fields: _Fields) -> dict[str, logic.Table]:
    given = fields.get("tables", {})
    if not isinstance(given, Mapping):
        raise fields.fault("tables", "must be tables, each with keys and rows")
    return {name: _read_table(fields, f"tables.{name[:40]}", table) for name, table in given.items()}


def _read_table(fields: _Fields, where: str, given: Any) -> logic.Table:
    if not isinstance(given, Mapping) or given.keys() != {"keys", "rows"}:
        raise fields.fault(where, "must have keys and rows, and nothing else")
    keys, rows = given["keys"], given["rows"]
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise fields.fault(f"{where}.keys", "must name the columns that are looked up by")
    if not isinstance(rows, list) or not 1 <= len(rows) <= ROWS:
        raise fields.fault(f"{where}.rows", f"must be 1 to {ROWS} rows")
    table: logic.Table = {}
    for i, row in enumerate(rows):
        place = f"{where}.rows.{i}"
        if not isinstance(row, list) or len(row) != len(keys) + 1:
            raise fields.fault(place, f"must have {len(keys)} keys and a value")
        if not all(isinstance(cell, str | int | bool) for cell in row[:-1]):
            raise fields.fault(place, "its keys must be texts, whole numbers or truth values")
        value = row[-1]
        if not isinstance(value, str | int | bool | Decimal) or (
            isinstance(value, Decimal) and not abs(value.adjusted()) <= 30
        ):
            raise fields.fault(place, "its value must be a text, a number or a truth value")
        key = tuple(map(table_key, row[:-1]))
        if key in table:
            raise fields.fault(
                place, "has the keys of an earlier row", "Write each combination of keys once."
            )
        table[key] = row[-1]
    return table


def _read_cases(fields: _Fields, beside: Path | None) -> tuple[Case, ...]:
    lists = [fields.get("cases", [])]
    if beside is not None:
        for file in (beside.with_suffix(f".cases{suffix}") for suffix in (".toml", ".json")):
            if file.is_file():
                more = read_document(file)
                lists.append(more.get("cases") if isinstance(more, dict) else more)
    if not all(
        isinstance(cases, list) and all(isinstance(case, Mapping) for case in cases) for cases in lists
    ):
        raise fields.fault("cases", "must be a list of cases")
    given = [case for cases in lists for case in cases]
    return tuple(_read_case(fields, i, case) for i, case in enumerate(given))


def _read_case(fields: _Fields, number: int, given: Mapping[str, Any]) -> Case:
    case = _Fields(given, fields.place, f"cases.{number}")
    facts = case.get("facts")
    facts = (
        read_json(facts, place=f"{case.place}: facts") if isinstance(facts, str) else plain(facts, "facts")
    )
    if not isinstance(facts, Mapping) or not isinstance(facts.get("external", {}), Mapping):
        raise case.fault("facts", "must be an object, or its JSON text")
    at = case.moment("at", needed=True)
    external = {**facts.get("external", {}), "validationClock": _written(at)}
    expected = Outcome(case.choice("expect", tuple(Outcome)))
    read = Case(case.text("name", default=str(number)), {**facts, "external": external}, expected)
    case.close()
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice[:80]}" stands twice in one object')
    return read


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _as_time(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("has no offset from UTC")
        read = value.astimezone(UTC)
    elif isinstance(value, date):
        read = datetime.combine(value, time(), UTC)
    elif isinstance(value, str):
        try:
            read = _EPOCH + timedelta(milliseconds=read_moment(value))
        except (ValueError, OverflowError):
            raise ValueError("is not a date that exists") from None
    else:
        raise ValueError(f"must be a date, and is {type(value).__name__}")
    if not 1800 <= read.year <= 9999:
        raise ValueError("lies outside the years 1800 to 9999")
    return read


def _written(at: datetime | None) -> str:
    return "" if at is None else write_moment(of_clock(at))


_FURTHEST = 10**30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CERTIFICATES = {"General": "", "Test": "test", "Vaccination": "vaccination", "Recovery": "recovery"}
_VERSION = re.compile(
    r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,60}))?(?:\+[0-9A-Za-z.-]{1,60})?", re.ASCII
)
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_DESTINATION = re.compile(r"[A-Z]{2,10}")
_REGION = re.compile(r"[^\x00-\x1f<>]{0,80}")
_KIND = re.compile(r"[a-z][a-z-]{0,39}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[0-9A-Za-z]{1,8}){0,4}")
_URL = re.compile(r"https?://[^\s<>\"]{3,2000}")
_MARKUP = re.compile(r"<[A-Za-z/!?]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PATTERNS = {
    _VERSION: "Write a version like 1.0.0.",
    _ID: "Write letters, digits, dots and dashes.",
    _COUNTRY: "Write the two letters of a country.",
    _DESTINATION: "Write the two letters of a country, or the code of a union, in capitals.",
    _REGION: "Write up to 80 characters in a line.",
    _KIND: 'Write a kind of credential, like "test".',
    _LANGUAGE: 'Write a language like "en" or "zh-Hans".',
    _URL: "Write the address of the official text.",
}
