"""A source: one register of one member, as `members/xx/shares/name.toml` describes it.

The file says how the register is reached (`[fetch]`), what its fields mean (`[map]`, `[values.…]`),
how it tells that a record is gone (`deletes`), what may be stored (`store`), and what to expect of it.
"""

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from landbridge.errors import SourceFileError
from landbridge.find.read import Format
from landbridge.kinds.kind import STRUCTS, Field, Kind

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Theirs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands to the right of `ours =` in `[map]`.

    A string is short for `{ path = … }`; a list of strings joins texts, gathers the values of a
    field that holds many (or of concepts), and takes the first present of anything else, such as the
    `city` of a place. `split` cuts one string into many; `find` keeps the first group of a pattern and
    leaves the field empty where it does not match; `form` writes what was picked into a text in place of
    `{}`, such as an address made of an identifier; `const` is a value of ours.
    """

    path: tuple[str, ...] = ()
    const: str | int | float | None = None
    split: str = ""
    find: str = ""
    form: str = ""


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[pay]`: what the register says once for all its pay."""

    currency: str = ""
    period: str = ""
    tax: str = ""


class Dates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[dates]`: how the register writes its dates."""

    order: Literal["", "dmy", "mdy", "ymd"] = ""
    zone: str = "UTC"
    calendar: Literal["", "buddhist"] = ""


class Expect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[expect]`: outside of this a run is held for a person, or an incident is opened."""

    records: tuple[int, int] | None = None
    max_drop: float = 0.2
    max_quarantine: float = 0.2


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[replay]]`: recorded files of this register, by the end of their path.

    They are read as `[fetch]` says (items, each, encoding, …) unless `format` says otherwise.
    """

    files: tuple[str, ...]
    format: dict[str, Any] = {}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One register of one member.

    `[values.ours]` says what their words are: `"their word" = "ours"`, a list of ours, or "" for nothing.
    Where a code field is read from several of theirs, `"path=word"` means the word only at that path, so
    that the `true` of one field is told from the `true` of another.
    """

    title: str
    kind: str
    deletes: Literal["tombstone", "absence", "expiry", "none"]
    map: dict[str, Any]
    member: str = ""
    name: str = ""
    licence: str = ""
    store: Literal["full", "live-only", "link-only"] = "full"
    language: str | tuple[str, ...] = ()
    country: str = ""
    contacts: Literal["drop", "keep"] = "drop"
    ignore: tuple[str, ...] = ()
    fetch: dict[str, Any] = {}
    values: dict[str, dict[str, str | list[str]]] = {}
    pay: Defaults = Defaults()
    dates: Dates = Dates()
    expect: Expect = Expect()
    replay: tuple[Replay, ...] = ()
    folder: Path | None = None

    @property
    def id(self) -> str:
        """`member/name`, the way it is written in every message."""
        return f"{self.member}/{self.name}"

    @property
    def languages(self) -> tuple[str, ...]:
        return (self.language,) if isinstance(self.language, str) else self.language

    @property
    def every(self) -> float:
        """Seconds between two harvests."""
        return seconds(str(self.fetch.get("every", "24h")))

    def reading(self, over: dict[str, Any] | None = None) -> Format:
        """How bytes of this register become rows: the keys of `[fetch]` that concern reading."""
        keys = {k: v for k, v in self.fetch.items() if k in Format.__struct_fields__}
        return msgspec.convert({**keys, **(over or {})}, Format)

    @cached_property
    def theirs(self) -> dict[str, dict[str, Theirs]]:
        """`[map]` opened out: our field → part of it ("" for the whole) → their value."""
        out: dict[str, dict[str, Theirs]] = {}
        for ours, value in self.map.items():
            parts = value if isinstance(value, dict) and not _is_theirs(value) else {"": value}
            out[ours] = {part: _theirs(self, f"{ours}.{part}", v) for part, v in parts.items()}
        return out


def _is_theirs(value: dict[str, Any]) -> bool:
    return bool(value.keys() & {"path", "const"}) and value.keys() <= set(Theirs.__struct_fields__)


def _theirs(source: Source, ours: str, value: Any) -> Theirs:
    if isinstance(value, str):
        return Theirs(path=(value,))
    if isinstance(value, list):
        return Theirs(path=tuple(value))
    if isinstance(value.get("path"), str):
        value = {**value, "path": [value["path"]]}
    try:
        theirs = msgspec.convert(value, Theirs)
        re.compile(theirs.find)
    except (msgspec.ValidationError, re.error) as error:
        raise SourceFileError(source.id, f"[map] {ours.rstrip('.')}: {error}") from error
    if theirs.form and "{}" not in theirs.form:
        raise SourceFileError(
            source.id,
            f"[map] {ours.rstrip('.')}: form = {theirs.form!r} has no place for the value",
            hint='write {} where it goes, such as "https://jobs.example/{}"',
        )
    return theirs


def seconds(text: str) -> float:
    """ "90s", "15m", "6h", "1d" in seconds. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration: write 30s, 15m, 6h or 1d")
    return float(match[1]) * _SECONDS[match[2]]


def read_source(path: Path, kinds: dict[str, Kind], *, member: str = "") -> Source:
    """A source from its TOML file; `member` is the folder above `shares/` unless given.

    Raises SourceFileError that names the key and says what to write.
    """
    member = member or path.resolve().parent.parent.name
    return parse_source(path.read_text("utf-8"), kinds, member=member, name=path.stem, folder=path.parent)


def parse_source(
    text: str, kinds: dict[str, Kind], *, member: str, name: str, folder: Path | None = None
) -> Source:
    """A source from the text of its TOML file. Raises SourceFileError."""
    where = f"{member}/{name}"
    try:
        data = tomllib.loads(text)
        source = msgspec.convert({**data, "member": member, "name": name}, Source)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SourceFileError(where, str(error)) from error
    if folder is not None:
        source = msgspec.structs.replace(source, folder=folder)
    kind = kinds.get(source.kind)
    if kind is None:
        raise SourceFileError(where, f"kind = {source.kind!r} is unknown", hint=f"one of {', '.join(kinds)}")
    _check(source, kind)
    return source


def _check(source: Source, kind: Kind) -> None:
    for over in ({}, *(entry.format for entry in source.replay)):
        if strange := over.keys() - set(Format.__struct_fields__):
            raise SourceFileError(source.id, f"[[replay]] format: {', '.join(sorted(strange))} is unknown")
        try:
            source.reading(over)
        except msgspec.ValidationError as error:
            raise SourceFileError(source.id, f"[fetch] or [[replay]] format: {error}") from error
    for language in source.languages:
        if not _LANGUAGE.fullmatch(language):
            raise SourceFileError(source.id, f"language = {language!r} is no BCP 47 tag")
    if "every" in source.fetch:
        try:
            seconds(str(source.fetch["every"]))
        except ValueError as error:
            raise SourceFileError(source.id, f"[fetch] every: {error}") from error
    if "id" not in source.theirs:
        raise SourceFileError(
            source.id,
            "[map] has no id",
            hint="name their identifier, or a list of fields that together are one",
        )
    for ours, parts in source.theirs.items():
        if ours in {"id", "language", "gone"}:
            continue
        field = kind.fields.get(ours)
        if field is None:
            known = ", ".join(kind.fields)
            raise SourceFileError(
                source.id, f"[map] {ours}: {kind.name} has no such field", hint=f"it has {known}"
            )
        for part in parts:
            _check_part(source, field, part)
    missing = [f.name for f in kind.fields.values() if f.required and f.name not in source.theirs]
    if missing:
        raise SourceFileError(source.id, f"[map] lacks {', '.join(missing)}, which {kind.name} requires")
    for ours, words in source.values.items():
        _check_values(source, kind, ours, words)


def _check_part(source: Source, field: Field, part: str) -> None:
    if not part:
        return
    if field.type == "text":
        if not _LANGUAGE.fullmatch(part):
            raise SourceFileError(source.id, f"[map] {field.name}.{part}: {part!r} is no language")
        return
    struct = STRUCTS.get(field.type)
    if struct is None or part not in struct.__struct_fields__:
        known = ", ".join(struct.__struct_fields__) if struct else "no parts"
        raise SourceFileError(source.id, f"[map] {field.name}.{part}: {field.type} has {known}")


def _check_values(source: Source, kind: Kind, ours: str, words: dict[str, str | list[str]]) -> None:
    name, _, part = ours.partition(".")
    if name in {"language", "gone"}:
        return
    field = kind.fields.get(name)
    if field is None:
        raise SourceFileError(source.id, f"[values.{ours}]: {kind.name} has no such field")
    if field.type != "code" or part:
        return
    for theirs, code in words.items():
        for one in [code] if isinstance(code, str) else code:
            if one and one not in field.values:
                raise SourceFileError(
                    source.id,
                    f"[values.{ours}] {theirs!r} = {one!r}: not a value of {ours}",
                    hint=f"one of {', '.join(field.values)}, or an empty string for nothing",
                )
