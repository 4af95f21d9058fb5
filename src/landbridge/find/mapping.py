"""A row of a register becomes the values of a record, strictly.

Every field of a row is mapped, ignored by name, or an error that names member, source and field.
A word that no table knows stops the row; nothing is guessed and nothing falls into an "other".
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin

import msgspec

from landbridge import codes
from landbridge.errors import BadValue, MissingField, RowError, SourceFileError, UnknownValue, UnmappedField
from landbridge.find import dates, html, language, pay, places
from landbridge.find.source import Source, Theirs
from landbridge.kinds.kind import Field, Kind
from landbridge.kinds.values import Concept, Money, Party, Period, Place

_Tree = dict[str, Any]
_EMPTY: tuple[Any, ...] = (None, "", [], {}, ())
_OFTEN = 80  # characters up to which a text is likely to come again
_NEAR = 75.0  # kilometres within which a row's own degrees still mean the town that it names
_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


class Mapped(msgspec.Struct, frozen=True):
    """What was understood of one row."""

    key: str
    language: str
    values: Any
    translations: dict[str, dict[str, str]]
    gone: bool = False


class _Reading(msgspec.Struct, frozen=True):
    """What the readers of a row share: its source and the clock."""

    source: Source
    at: datetime
    country: str


Get = Callable[[Any], Any]
ReadField = Callable[[Any, _Reading], Any]


def path(text: str) -> Get:
    """A getter for a path such as "address.city" or "skills.name" (over a list: all of them).

    A dot in a name is written `\\.`; a number picks one element of a list; "." is the row itself.
    """
    steps = [s.replace("\0", ".") for s in text.replace("\\.", "\0").split(".") if s]
    if len(steps) == 1:
        name = steps[0]
        return lambda row: row.get(name) if isinstance(row, dict) else _walk(row, (name,))
    keys = tuple(steps)
    return lambda row: _walk(row, keys)


def _walk(value: Any, steps: Sequence[str]) -> Any:
    for n, step in enumerate(steps):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list):
            if step.isdigit():
                value = value[int(step)] if int(step) < len(value) else None
            else:
                rest = steps[n:]
                found = [_walk(one, rest) for one in value]
                flat: list[Any] = []
                for one in found:
                    flat.extend(one) if isinstance(one, list) else flat.append(one)
                return flat
        elif step != "#text":  # an XML element without attributes is its text
            return None
    return value


def _flat(values: list[Any]) -> list[Any]:
    """The elements of a list, those of the lists in it among them."""
    if not any(isinstance(v, list) for v in values):
        return values
    return [one for v in values for one in (_flat(v) if isinstance(v, list) else [v])]


def words(value: Any) -> str:
    """A scalar as the register's own word: true, false, 3, 4.5, "text"."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _getter(theirs: Theirs, *, many: bool, join: str = "") -> Get:
    """What `Theirs` picks from a row: a scalar, or a list of scalars when `many`; None when absent."""
    gets = [path(p) for p in theirs.path]
    find = re.compile(theirs.find) if theirs.find else None

    def pick(row: Any) -> Any:
        if theirs.const is not None:
            return [theirs.const] if many else theirs.const
        found: list[Any] = []
        for get in gets:
            value = get(row)
            if value in _EMPTY:
                continue
            if isinstance(value, list):
                found.extend(v for v in _flat(value) if many or v not in _EMPTY)
            else:
                found.append(value)
            if not many and not join and found:
                break
        if theirs.split:
            found = [part.strip() for v in found for part in re.split(theirs.split, words(v))]
        if find is not None:
            matches = [find.search(words(v)) for v in found]
            found = [(m[1] if m.re.groups else m[0]) or "" for m in matches if m]
        if theirs.form:
            found = [_formed(theirs.form, word) for v in found if (word := words(v))]
        if many:
            return found
        if join:
            objects = [v for v in found if isinstance(v, dict)]
            if objects:
                return objects[0]
            return join.join(dict.fromkeys(text for v in found if (text := words(v)))) or None
        return found[0] if found else None

    plain = not theirs.split and find is None and not theirs.form
    if len(gets) == 1 and plain and not many and not join:
        only = gets[0]

        def pick_one(row: Any) -> Any:
            value = only(row)
            if isinstance(value, list):
                value = next((v for v in _flat(value) if v not in _EMPTY), None)
            return value

        return pick_one
    return pick


def _formed(form: str, word: str) -> str:
    return form.replace("{}", quote(word, safe="") if form.startswith(("http://", "https://", "/")) else word)


def _first_present(theirs: Theirs) -> Get:
    """The values of the first path that holds any: the city of an address, or else of an area."""
    gets = [_getter(msgspec.structs.replace(theirs, path=(p,)), many=True) for p in theirs.path]
    if len(gets) < 2:
        return _getter(theirs, many=True)

    def pick(row: Any) -> Any:
        each = (get(row) for get in gets)
        return next((found for found in each if any(v not in _EMPTY for v in found)), [])

    return pick


class Mapper:
    """`[map]` and `[values]` of a source, compiled once. Raises SourceFileError on a table it cannot use."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self.source = source
        self.kind = kind
        self._known = _known_fields(source)
        self._key = key_reader(source)
        self._gone = self._gone_reader()
        self._language = (
            _getter(source.theirs["language"][""], many=False) if "language" in source.theirs else None
        )
        self._tongues = {k.casefold(): str(v) for k, v in source.values.get("language", {}).items()}
        self._fields: list[tuple[Field, ReadField]] = []
        self._translated: list[tuple[str, dict[str, Get]]] = []
        for name, field in kind.fields.items():
            parts = source.theirs.get(name)
            if parts is None:
                continue
            if field.type == "text" and "" not in parts:
                gets = {lang: _getter(t, many=False, join="\n\n") for lang, t in parts.items()}
                self._translated.append((name, gets))
                continue
            self._fields.append((field, _reader(source, field, parts)))
        self._required = [f for f in kind.fields.values() if f.required]
        self._kept = (
            {f.name for f in kind.fields.values() if f.show == "row" or f.type == "url"}
            if source.store == "link-only"
            else None
        )
        self._long = [f.name for f in kind.fields.values() if f.type == "text" and f.search]

    def _gone_reader(self) -> Get | None:
        parts = self.source.theirs.get("gone")
        if parts is None:
            return None
        get = _getter(parts[""], many=False)
        table = {k.casefold(): v for k, v in self.source.values.get("gone", {}).items()}

        def read(row: Any) -> bool:
            word = words(get(row)).casefold()
            return str(table.get(word, word)) in {"true", "1", "yes"}

        return read

    def key(self, row: dict[str, Any]) -> str:
        """The register's identifier of a row, fit for a URL. Raises MissingField."""
        return self._key(row)

    def read(self, row: dict[str, Any], *, at: datetime) -> Mapped:
        """A row understood, or the RowError that says why it cannot be. `at` is the time of reading."""
        source = self.source
        if self._gone is not None and self._gone(row):
            return Mapped(key=self._key(row), language="", values=None, translations={}, gone=True)
        strange = _strange(row, self._known)
        if strange:
            raise UnmappedField(
                source.id,
                f"{', '.join(strange)} {'is' if len(strange) == 1 else 'are'} neither mapped nor ignored",
                field=strange[0],
                hint=f"map {strange[0]} in [map] of {_file(source)}, or name it in ignore",
            )
        key = self._key(row)
        reading = _Reading(source, at, source.country)
        values: dict[str, Any] = {}
        for field, read in self._fields:
            value = read(row, reading)
            if value is not None and value != ():
                values[field.name] = value
        tongue = words(self._language(row)).replace("_", "-") if self._language else ""
        tongue = self._tongues.get(tongue.casefold(), tongue)
        translations: dict[str, dict[str, str]] = {}
        for name, gets in self._translated:
            for lang, get in gets.items():
                text = _read_text(get(row), name, reading)
                if not text:
                    continue
                if name not in values:
                    values[name] = text
                    tongue = tongue or lang
                elif text != values[name]:
                    translations.setdefault(lang, {})[name] = text
        for field in self._required:
            if field.name not in values:
                raise MissingField(
                    source.id,
                    f"{field.name} is missing: {_named(source, field.name)} holds nothing",
                    field=field.name,
                )
        if self._kept is not None:
            values = {k: v for k, v in values.items() if k in self._kept}
        return Mapped(
            key=key,
            language=tongue or self._detect(values),
            values=self.kind.struct(**values),
            translations=translations,
        )

    def _detect(self, values: Mapping[str, Any]) -> str:
        candidates = self.source.languages
        if len(candidates) == 1:
            return candidates[0]
        text = " ".join(str(values[n])[:400] for n in self._long if n in values)
        return language.detect(text, candidates) or "und"


def _file(source: Source) -> str:
    return f"members/{source.member}/shares/{source.name}.toml"


def _named(source: Source, ours: str) -> str:
    paths = [p for theirs in source.theirs.get(ours, {}).values() for p in theirs.path]
    return " / ".join(paths) or ours


def _known_fields(source: Source) -> _Tree:
    """The tree of fields that [map] and ignore account for; True accounts for all below."""
    tree: _Tree = {}
    mapped = [p for parts in source.theirs.values() for theirs in parts.values() for p in theirs.path]
    for text in (*mapped, *source.ignore):
        steps = [s.replace("\0", ".") for s in text.replace("\\.", "\0").split(".") if s and not s.isdigit()]
        node = tree
        for step in steps[:-1]:
            below = node.setdefault(step, {})
            if below is True:
                break
            node = below
        else:
            if steps:
                node[steps[-1]] = True
            else:
                return {"": True}
    return tree


def _strange(row: dict[str, Any], known: _Tree, above: str = "") -> list[str]:
    """The fields of a row that hold something and that nobody has accounted for."""
    strange: list[str] = []
    for name, value in row.items():
        below = known.get(name)
        if below is True or value in _EMPTY:
            continue
        if below is None:
            if "" not in known:
                strange.append(above + name)
        elif isinstance(value, dict):
            strange += _strange(value, below, f"{above}{name}.")
        elif isinstance(value, list):
            for one in _flat(value):
                if isinstance(one, dict):
                    strange += [s for s in _strange(one, below, f"{above}{name}.") if s not in strange]
    return strange


def key_reader(source: Source) -> Callable[[dict[str, Any]], str]:
    """How the journal calls a row of this source. The reader raises MissingField."""
    theirs = source.theirs["id"][""]
    if len(theirs.path) == 1:
        get = _getter(theirs, many=False)

        def read(row: dict[str, Any]) -> str:
            key = words(get(row))
            if not key or isinstance(get(row), dict | list):
                raise MissingField(source.id, f"id is missing: {theirs.path[0]} holds nothing", field="id")
            return key if key.isalnum() and key.isascii() and len(key) <= 100 else url_key(key)

        return read
    gets = [path(p) for p in theirs.path]

    def said(value: Any) -> str:
        return "\x1e".join(map(words, value)) if isinstance(value, list) else words(value)

    def compose(row: dict[str, Any]) -> str:
        parts = [_SPACE.sub(" ", said(get(row))) for get in gets]
        if not any(parts):
            raise MissingField(source.id, f"id is missing: {', '.join(theirs.path)} hold nothing", field="id")
        return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()

    return compose


def url_key(key: str) -> str:
    """A key as part of a URL; one that is too long is shortened and hashed."""
    key = quote(key, safe="-._~:@")
    if len(key) <= 120:
        return key
    return key[:80] + "~" + hashlib.blake2b(key.encode(), digest_size=8).hexdigest()


def _table(source: Source, ours: str) -> Callable[[str, str], list[str] | None] | None:
    """[values.ours]: their word, at a path or anywhere → ours (a list), [] for nothing, None if not there."""
    entries = source.values.get(ours)
    if entries is None:
        return None
    table = {
        _SPACE.sub(" ", theirs).strip().casefold(): [
            c for c in ([code] if isinstance(code, str) else code) if c
        ]
        for theirs, code in entries.items()
    }
    rest = table.get("*")

    def look(word: str, where: str) -> list[str] | None:
        word = _SPACE.sub(" ", word).strip().casefold()
        return table.get(f"{where.casefold()}={word}", table.get(word, rest))

    return look


def _reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    make = _READERS.get(field.type)
    if make is None:
        raise SourceFileError(source.id, f"[map] {field.name}: no reader for {field.type}")
    return make(source, field, parts)


def _bad(reading: _Reading, field: str, value: Any, why: str, hint: str = "") -> BadValue:
    shown = words(value) if not isinstance(value, dict | list) else str(value)
    return BadValue(reading.source.id, f"{field}={shown[:80]!r}: {why}", field=field, value=shown, hint=hint)


def _read_text(value: Any, field: str, reading: _Reading, *, line: bool = False) -> str:
    if value in _EMPTY:
        return ""
    if isinstance(value, dict):
        raise _bad(reading, field, value, "an object, not a text", "name the part of it that is meant")
    said = words(value)
    if len(said) <= _OFTEN:
        return _cleaned_often(said, reading.source.contacts == "drop", line)
    return _cleaned(said, reading.source.contacts == "drop", line)


def _cleaned(text: str, drop_contacts: bool, line: bool) -> str:
    text = html.clean(text)
    if drop_contacts:
        text = html.without_contacts(text)
    return _SPACE.sub(" ", text).strip() if line else text.strip()


_cleaned_often = lru_cache(maxsize=16_384)(_cleaned)  # towns, employers, branches: short texts come again


def _text_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    get = _getter(parts[""], many=field.many, join="" if field.many else "\n\n")
    line = field.required or field.show == "row"

    def read(row: Any, reading: _Reading) -> Any:
        value = get(row)
        if field.many:
            return tuple(t for v in value if (t := _read_text(v, field.name, reading, line=line)))
        return _read_text(value, field.name, reading, line=line) or None

    return read


def _url_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    get = _getter(parts[""], many=False)
    base = str(source.fetch.get("url", ""))

    def read(row: Any, reading: _Reading) -> str | None:
        value = words(get(row))
        if not value:
            return None
        if value.startswith("/") and base:
            value = urljoin(base, value)
        elif value.startswith("www."):
            value = "https://" + value
        if not value.lower().startswith(("http://", "https://")) or any(c in value for c in "<>\"'\\\n"):
            raise _bad(reading, field.name, value, "no http address")
        return value.replace(" ", "%20")

    return read


def _number_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    get = _getter(parts[""], many=False)

    def read(row: Any, reading: _Reading) -> float | int | None:
        value = get(row)
        if value in _EMPTY:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        text = words(value).replace("\u00a0", "").replace(" ", "")
        if not _NUMBER.fullmatch(text):
            raise _bad(reading, field.name, value, "no number")
        number = float(text.replace(",", "."))
        return int(number) if number.is_integer() else number

    return read


def _date_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    get = _getter(parts[""], many=False)
    return lambda row, reading: _read_date(get(row), field.name, reading)


def _read_date(value: Any, field: str, reading: _Reading) -> str | None:
    if value in _EMPTY:
        return None
    if isinstance(value, dict | list | bool):
        raise _bad(reading, field, value, "no date")
    if isinstance(value, str) and dates.names_no_day(value):
        return None
    how = reading.source.dates
    tongue = reading.source.languages[0] if reading.source.languages else ""
    try:
        found = dates.read(
            value, at=reading.at, order=how.order, zone=how.zone, calendar=how.calendar, language=tongue
        )
    except ValueError as error:
        raise _bad(reading, field, value, str(error), "see [dates] of the source") from error
    if isinstance(found, datetime):
        return found.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
    return found.isoformat()


def _code_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    theirs = parts[""]
    gets = [
        (p, _getter(msgspec.structs.replace(theirs, path=(p,) if p else ()), many=True))
        for p in theirs.path or ("",)
    ]
    table = _table(source, field.name)
    ours = field.values

    def read(row: Any, reading: _Reading) -> Any:
        found: dict[str, None] = {}
        for where, value in ((where, value) for where, get in gets for value in get(row)):
            word = words(value) if not isinstance(value, dict | list) else str(value)
            if not word:
                continue
            known = table(word, where) if table else None
            if known is None and word in ours:
                known = [word]
            if known is None:
                raise UnknownValue(
                    source.id,
                    f"{where}={word[:80]!r} is not in [values.{field.name}]",
                    field=field.name,
                    value=word,
                    hint=f"add it to {_file(source)}",
                )
            found.update(dict.fromkeys(known))
        if field.many:
            return tuple(found)
        return next(iter(found), None)

    return read


def _parts_reader(
    source: Source, field: Field, parts: dict[str, Theirs]
) -> Callable[[Any, _Reading], list[dict[str, Any]]]:
    """For a struct type: the parts of each value, zipped where the row holds lists of them."""
    gather = field.type == "concept"  # several paths to its text are several concepts
    gets = {
        part: _getter(theirs, many=True) if gather or not part else _first_present(theirs)
        for part, theirs in parts.items()
    }
    const = {part for part, theirs in parts.items() if theirs.const is not None}
    tables = {part: _table(source, f"{field.name}.{part}" if part else field.name) for part in parts}

    def read(row: Any, reading: _Reading) -> list[dict[str, Any]]:
        columns = {part: get(row) for part, get in gets.items()}
        count = max((len(c) for part, c in columns.items() if part not in const), default=0)
        if count == 0:
            return []
        out: list[dict[str, Any]] = []
        for n in range(count):
            one: dict[str, Any] = {}
            for part, column in columns.items():
                value = column[0] if part in const else column[n] if n < len(column) else None
                table = tables[part]
                if table is not None and value not in _EMPTY:
                    known = table(words(value), "")
                    if known is None:
                        name = f"{field.name}.{part}" if part else field.name
                        raise UnknownValue(
                            source.id,
                            f'{"/".join(parts[part].path)}={words(value)[:80]!r} is not in [values."{name}"]',
                            field=name,
                            value=words(value),
                            hint=f"add it to {_file(source)}",
                        )
                    value = known[0] if known else None
                if value not in _EMPTY:
                    one[part] = value
            if one.keys() - const:
                out.append(one)
        return out if field.many else out[:1]

    return read


def _short(value: Any, field: str, reading: _Reading) -> str:
    return _read_text(value, field, reading, line=True)[:500]


def _several(field: Field, found: list[Any]) -> Any:
    if field.many:
        return tuple(dict.fromkeys(found))
    return found[0] if found else None


def _concept_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    read_parts = _parts_reader(source, field, parts)

    def read(row: Any, reading: _Reading) -> Any:
        found = []
        for one in read_parts(row, reading):
            text = _short(one.get("text", one.get("", "")), field.name, reading)
            code = words(one.get("code"))
            if text or code:
                found.append(Concept(text=text, scheme=words(one.get("scheme")) if code else "", code=code))
        return _several(field, found)

    return read


def _party_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    read_parts = _parts_reader(source, field, parts)

    def read(row: Any, reading: _Reading) -> Any:
        found = []
        for one in read_parts(row, reading):
            party = Party(
                name=_short(one.get("name", one.get("", "")), field.name, reading),
                id=words(one.get("id"))[:100],
                url=words(one.get("url"))
                if words(one.get("url")).startswith(("http://", "https://"))
                else "",
            )
            if party.name or party.id:
                found.append(party)
        return _several(field, found)

    return read


def _money_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    read_parts = _parts_reader(source, field, parts)
    said = source.pay

    def read(row: Any, reading: _Reading) -> Any:
        found: list[Money] = []
        for one in read_parts(row, reading):
            text = words(one.get("text", one.get("")))
            numbers = one.keys() & {"low", "high"}
            try:
                if numbers:
                    money = pay.build(
                        one.get("low"),
                        one.get("high"),
                        currency=words(one.get("currency")) or said.currency,
                        period=words(one.get("period")) or said.period,
                        tax=words(one.get("tax")) or said.tax,
                        text=html.clean(text),
                    )
                elif text:
                    money = pay.read(
                        html.clean(text),
                        currency=words(one.get("currency")) or said.currency,
                        period=words(one.get("period")) or said.period,
                        tax=words(one.get("tax")) or said.tax,
                        country=source.country,
                        language=source.languages[0] if source.languages else "",
                    )
                else:
                    continue
            except ValueError as error:
                raise _bad(reading, field.name, text or str(one), str(error)) from error
            if money != Money():
                found.append(money)
        return _several(field, found)

    return read


def _period_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    read_parts = _parts_reader(source, field, parts)

    def read(row: Any, reading: _Reading) -> Any:
        found = []
        for one in read_parts(row, reading):
            ends = {k: _read_date(one[k], field.name, reading) for k in ("start", "end") if k in one}
            days = {k: datetime.fromisoformat(v).date() for k, v in ends.items() if v}
            found.append(Period(text=_short(one.get("text", ""), field.name, reading), **days))
        return _several(field, found)

    return read


def _degrees(value: Any, field: str, reading: _Reading, limit: int) -> float | None:
    if value in _EMPTY:
        return None
    try:
        degrees = float(words(value).replace(",", "."))
    except ValueError as error:
        raise _bad(reading, field, value, "no degrees") from error
    if not -limit <= degrees <= limit:
        raise _bad(reading, field, value, f"not within {limit} degrees")
    return degrees


def _far(town: Place, lat: float | None, lon: float | None) -> bool:
    if not town.city or town.lat is None or town.lon is None or lat is None or lon is None:
        return False
    return places.distance(town.lat, town.lon, lat, lon) > _NEAR


def _region(said: str, known: Place) -> str:
    """The region that a source names as the gazetteer spells it, or where it names none the town's."""
    if not said or not known.region:
        return said or known.region
    meant = places.resolve(said, known.country)
    return known.region if meant is not None and meant.region == known.region and not meant.id else said


def _place_reader(source: Source, field: Field, parts: dict[str, Theirs]) -> ReadField:
    read_parts = _parts_reader(source, field, parts)

    def read(row: Any, reading: _Reading) -> Any:
        found = []
        for one in read_parts(row, reading):
            given = words(one.get("country"))
            country = codes.country(given) if given else reading.country
            if given and not country:
                raise _bad(reading, f"{field.name}.country", given, "no country we know")
            city = _short(one.get("city", ""), field.name, reading)
            region = _short(one.get("region", ""), field.name, reading)
            text = _short(one.get("text", one.get("", "")), field.name, reading)
            lat = _degrees(one.get("lat"), f"{field.name}.lat", reading, 90)
            lon = _degrees(one.get("lon"), f"{field.name}.lon", reading, 180)
            if not lat and not lon:
                lat = lon = None
            known = next((p for t in (city, text, region) if t and (p := places.resolve(t, country))), None)
            if known is not None and _far(known, lat, lon):  # another town of the same name
                known = None
            if known is not None and not given:  # the text names another country than the source's own
                country = known.country or country
            said = (city, region)  # as the source writes them
            if known is not None:
                city = known.city if known.id else city
                region = _region(region, known)
            for own, kept in zip(said, (city, region), strict=True):
                if own.casefold() != kept.casefold() and own.casefold() not in text.casefold():
                    text = f"{text}, {own}" if text else own
            place = Place(
                text=text[:500],
                country=country,
                region=region,
                city=city,
                id=known.id if known else "",
                lat=lat if lat is not None else known.lat if known else None,
                lon=lon if lon is not None else known.lon if known else None,
            )
            if place != Place(country=place.country) or "country" in one:
                found.append(place)
        if not found and reading.country:
            found = [Place(country=reading.country)]
        return _several(field, found)

    return read


_READERS: dict[str, Callable[[Source, Field, dict[str, Theirs]], ReadField]] = {
    "text": _text_reader,
    "url": _url_reader,
    "number": _number_reader,
    "date": _date_reader,
    "code": _code_reader,
    "concept": _concept_reader,
    "party": _party_reader,
    "money": _money_reader,
    "period": _period_reader,
    "place": _place_reader,
}


def read_row(mapper: Mapper, row: Any, *, at: datetime) -> Mapped:
    """`mapper.read` for anything a register sends. Raises RowError, also for a row that is no object."""
    if not isinstance(row, dict):
        raise RowError(mapper.source.id, f"a row that is no object: {str(row)[:60]!r}")
    return mapper.read(row, at=at)
