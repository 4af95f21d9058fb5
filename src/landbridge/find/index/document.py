"""A record as every engine indexes it: words, exact terms and numbers, derived from its kind alone.

Engines are given tokens that Landbridge made, so that all of them give the same answers. A field that
weighs more is written several times: BM25 then sees its words as that many occurrences, before it levels
them off (the simple extension of BM25 to weighted fields: Robertson, Zaragoza, Taylor, CIKM 2004), and one
plain term of one field stays all that a query needs.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache, lru_cache, wraps
from hashlib import blake2b
from importlib import resources
from itertools import islice
from typing import Any, TypeVar

import msgspec

from landbridge.codes.occupations.link import linker
from landbridge.find.analysis import fold, tokens
from landbridge.find.occupations import Named, occupations, word
from landbridge.find.pay import per_year
from landbridge.find.rates import Rates
from landbridge.find.record import Record
from landbridge.find.skills import SCHEME, listed, told, told_in
from landbridge.kinds.kind import Field, Kind
from landbridge.kinds.values import Concept

FORMAT = 3  # of what is written; another number has every index made anew
BETWEEN = "|"  # stands between fields, so that no phrase reaches across; no token of the analysis
TIE_BITS = 24  # the low bits of a sort key: a hash of the identifier, so that no two records tie
_MOST_CENTS = (1 << 38) - 1
_MOST_SECONDS = (1 << 38) - 1
_LONGEST = 200  # characters of an exact term
_PLACES = ("country", "region", "city")

_encode = msgspec.json.Encoder().encode
Values = Callable[[Any], list[str]]
T = TypeVar("T")


class Document(msgspec.Struct, frozen=True):
    """What an engine writes: `exact` and `numbers` are pairs of a column and its value."""

    id: str
    seq: int
    words: str
    exact: list[tuple[str, str]]
    numbers: list[tuple[str, int]]
    data: bytes  # the record as JSON


class Shape(msgspec.Struct, frozen=True):
    """The columns of a kind's index.

    `exact` columns can be filtered, `facets` also counted; `lacks` holds the filters for which a record has
    no value. `sorts` are whole numbers whose low TIE_BITS tell equal records apart: `date` in seconds since
    1970, `pay` in euro cents a year; `top` is the upper end of the pay in euro cents.
    """

    exact: tuple[str, ...]
    facets: tuple[str, ...]
    sorts: tuple[str, ...]
    has_pay: bool
    has_places: bool

    @property
    def numbers(self) -> tuple[str, ...]:
        return (*self.sorts, "top") if self.has_pay else self.sorts


def once_a_kind(make: Callable[[Kind], T]) -> Callable[[Kind], T]:
    """Remembers what was made of each kind, until a kind of that name is another one."""
    known: dict[str, tuple[Kind, T]] = {}

    @wraps(make)
    def remembered(kind: Kind) -> T:
        found = known.get(kind.name)
        if found is None or found[0] is not kind:
            found = known[kind.name] = (kind, make(kind))
        return found[1]

    return remembered


@once_a_kind
def shape(kind: Kind) -> Shape:
    """The columns that a kind's index has."""
    place, money = kind.first("place"), kind.first("money")
    own = [f for f in kind.fields.values() if f.type in {"code", "concept", "party"}]
    named = {f.name for f in own}
    where = tuple(n for n in _PLACES if n not in named) if place else ()
    exact = ("source", "language", *where, *(f.name for f in own), *(("point",) if place else ()), "lacks")
    shown = where if place and place.facet else ()
    facets = ("source", "language", *shown, *(f.name for f in own if f.facet))
    sorts = ("date", *(("pay",) if money else ()))
    return Shape(
        exact=exact, facets=facets, sorts=sorts, has_pay=money is not None, has_places=place is not None
    )


def fingerprint(kind: Kind) -> str:
    """Changes with anything that an index of this kind was built from, but for the exchange rates."""
    fields = [(f.name, f.type, f.many, f.search, f.facet, f.vocabulary) for f in kind.fields.values()]
    text = _encode([FORMAT, _analysis(), kind.name, kind.title, fields])
    return blake2b(text, digest_size=8).hexdigest()


@cache
def _analysis() -> str:
    """The text analysis that made the tokens: its rules and its tables."""
    found = blake2b(digest_size=8)
    for path in ("analysis.py", "data/languages.toml", "data/stopwords.toml"):
        found.update((resources.files("landbridge.find") / path).read_bytes())
    found.update(linker().version)
    found.update((resources.files("landbridge.codes.skills") / "skills.tsv").read_bytes())
    return found.hexdigest()


@lru_cache(maxsize=1 << 16)
def key(text: str) -> str:
    """A name as an exact term: folded, so that two spellings of it are one."""
    return fold(" ".join(text.split()))[:_LONGEST].strip()


def concept_key(text: str, scheme: str, code: str) -> str:
    """A concept as an exact term: its code where it has one ("isco-08:7212"), else its words."""
    if not code:
        return key(text)
    return f"{scheme}:{code}"[:_LONGEST] if scheme else code[:_LONGEST]


def point(lat: float, lon: float) -> str:
    """Degrees as an exact term, to about a kilometre."""
    return f"{lat:.2f},{lon:.2f}"


def instant(text: str) -> int:
    """Seconds since 1970 of a day (its midnight in UTC) or an instant, as `values.Day` writes them."""
    start = _day(text[:10])
    if len(text) == 10:
        return start
    return start + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])


@lru_cache(maxsize=8192)
def _day(text: str) -> int:
    return (date.fromisoformat(text).toordinal() - 719_163) * 86_400


def cents(amount: float) -> int:
    """Euro as whole cents: what is compared, so that no last binary digit decides."""
    return min(round(amount * 100), _MOST_CENTS)


class Writer:
    """Makes documents of one kind. Everything that depends on the kind is settled once, here."""

    TOGETHER = 512  # records whose occupations are worked out at once

    def __init__(self, kind: Kind, rates: Rates) -> None:
        self.kind = kind
        self.rates = rates
        self.shape = shape(kind)
        self._searched = [(f.name, _reader(f), f.search) for f in kind.searched()]
        self._exact = [
            (f.name, _terms_of(f), f.many) for f in kind.fields.values() if f.name in self.shape.exact
        ]
        self._weights = {f.name: f.search for f in kind.searched() if f.type == "text"}
        self._weight = kind.fields[kind.title].search  # of an occupation: a title's
        self._named = kind.named.name if kind.named else ""
        self._skilled = kind.skilled
        self._told = told_in(kind)
        place, money, day = kind.first("place"), kind.first("money"), kind.first("date")
        self._place = (place.name, place.many) if place else None
        self._money = (money.name, money.many) if money else None
        self._date = (day.name, day.many) if day else None
        self._where = [n for n in _PLACES if n in self.shape.exact and n not in kind.fields]

    def documents(self, changes: Iterable[tuple[int, Record | T]]) -> Iterator[tuple[int, Document | T]]:
        """The documents of records, some at a time; what is no record passes as it is."""
        stream = iter(changes)
        while some := list(islice(stream, self.TOGETHER)):
            records = [change for _, change in some if isinstance(change, Record)]
            found = iter(occupations(records, self.kind))
            for seq, change in some:
                yield seq, self.document(seq, change, next(found)) if isinstance(change, Record) else change

    def document(self, seq: int, record: Record, named: Sequence[Named] | None = None) -> Document:
        """The document of one record; its occupations are worked out where they are not given."""
        if named is None:
            named = occupations([record], self.kind)[0]
        sure = [one for one in named if one.sure]
        exact = [("source", record.source), ("language", record.language.lower() or "und")]
        numbers: list[tuple[str, int]] = []
        lacks: list[str] = []
        values = record.values
        skills: list[str] = []
        tie = zlib.crc32(record.id.encode()) & ((1 << TIE_BITS) - 1)
        for name, terms, many in self._exact:
            if name == self._named and sure:
                exact += [(name, f"isco-08:{n.code}") for n in sure if n.scheme == "isco-08"]
                continue
            value = getattr(values, name)
            if self._skilled is not None and name == self._skilled.name:
                skills = self._skills(record, value)
                exact += [(name, term) for term in skills]
                if not skills:
                    lacks.append(name)
                continue
            if not value:
                lacks.append(name)
                continue
            found = 0
            for term in terms(value if many else (value,)):
                exact.append((name, term))
                found += 1
            if not found:
                lacks.append(name)
        if self._place is not None:
            self._add_places(values, exact, lacks)
        if self._money is not None:
            self._add_pay(values, tie, numbers, lacks)
        seconds = self._seconds(values)
        if not seconds:
            lacks.append("since")
        numbers.append(("date", seconds << TIE_BITS | tie))
        exact.extend(("lacks", name) for name in lacks)
        data = _encode(record)
        if sure:
            data = data[:-1] + b',"occupations":' + _encode(sure) + b"}"
        return Document(record.id, seq, self._words(record, named, skills), exact, numbers, data)

    def _seconds(self, values: Any) -> int:
        """Of the kind's date; 0 where there is none, or a day that no calendar has."""
        day = _first(values, self._date)
        try:
            return min(max(instant(day), 1), _MOST_SECONDS) if day else 0
        except ValueError:
            return 0

    def _skills(self, record: Record, listing: Sequence[Concept]) -> list[str]:
        """The skills of a record as exact terms; of what it lists and we do not know, its words."""
        terms: dict[str, None] = {}
        for one in listing:
            if found := listed(one.text, record.language):
                terms.update(dict.fromkeys(SCHEME + skill for skill in found))
            elif own := concept_key(one.text, one.scheme, one.code):
                terms[own] = None
        terms.update(dict.fromkeys(SCHEME + skill for skill in told(record, self._told)))
        return list(terms)

    def _words(self, record: Record, named: Sequence[Named], skills: Sequence[str]) -> str:
        parts: list[str] = []
        values, language = record.values, record.language
        for name, read, weight in self._searched:
            value = getattr(values, name)
            if not value:
                continue
            words = f" {BETWEEN} ".join(
                " ".join(found) for t in read(value) if (found := tokens(t, language))
            )
            if words:
                parts.extend([words] * weight)
        for other, texts in record.translations.items():
            for name, text in texts.items():
                weight = self._weights.get(name, 0)
                if weight and text and (found := tokens(text, other)):
                    parts.extend([" ".join(found)] * weight)
        for one in named:  # what is not sure weighs as a word of the description
            parts += [word(one.scheme, one.code)] * (self._weight if one.sure else 1)
        if self._skilled is not None:
            parts += [f"|{term}" for term in skills if term.startswith(SCHEME)] * self._skilled.search
        parts.append("")
        return f" {BETWEEN} ".join(parts) or BETWEEN  # a record is counted by it, also one without a word

    def _add_places(self, values: Any, exact: list[tuple[str, str]], lacks: list[str]) -> None:
        assert self._place is not None
        name, many = self._place
        value = getattr(values, name)
        places = value if many else (value,) if value is not None else ()
        for column in self._where:
            if column == "country":
                terms = {p.country for p in places if p.country}
            elif column == "region":
                terms = {key(p.region) for p in places} - {""}
            else:  # one town, however it is spelt, where the gazetteer knows it
                terms = {p.id or key(p.city) for p in places if p.city} - {""}
            if not terms:
                lacks.append(column)
            exact.extend((column, term) for term in sorted(terms))
        points = {point(p.lat, p.lon) for p in places if p.lat is not None and p.lon is not None}
        if not points:
            lacks.append("place")
        exact.extend(("point", term) for term in sorted(points))

    def _add_pay(self, values: Any, tie: int, numbers: list[tuple[str, int]], lacks: list[str]) -> None:
        money = _first(values, self._money)
        low, high = per_year(money, self.rates) if money is not None else (None, None)
        ends = [e for e in (low, high) if e is not None]
        if not ends:
            lacks.append("pay")
            numbers.append(("pay", tie))
            return
        numbers.append(("pay", cents(ends[0]) << TIE_BITS | tie))
        numbers.append(("top", cents(ends[-1])))


def _first(values: Any, field: tuple[str, bool] | None) -> Any:
    if field is None:
        return None
    value = getattr(values, field[0])
    if field[1]:
        return value[0] if value else None
    return value or None


def _reader(field: Field) -> Values:
    """Reads the texts of a searched field out of its value."""
    one: Values
    if field.type == "place":

        def one(p: Any) -> list[str]:
            return [t for t in (p.text, p.city, p.region) if t]

    elif field.type == "party":

        def one(p: Any) -> list[str]:
            return [p.name] if p.name else []

    elif field.type in {"concept", "money", "period"}:

        def one(c: Any) -> list[str]:
            return [c.text] if c.text else []

    else:

        def one(text: Any) -> list[str]:
            return [str(text)]

    if field.many:
        return lambda many: [t for each in many for t in one(each)]
    return one


def _terms_of(field: Field) -> Callable[[Any], set[str] | tuple[str, ...]]:
    """Reads the exact terms of a code, concept or party out of its values."""
    if field.type == "code":
        return lambda values: tuple(dict.fromkeys(values))
    if field.type == "concept":
        return lambda values: {k for c in values if (k := concept_key(c.text, c.scheme, c.code))}
    return lambda values: {k for p in values if (k := key(p.name))}


def label(kind: Kind, column: str, term: str, record: bytes) -> str:
    """The words that a record of this kind has for an exact term of it; the term itself if none."""
    values = msgspec.json.decode(record).get("values", {})
    field = kind.fields.get(column)
    if field is None:
        place = kind.first("place")
        found = values.get(place.name) if place else None
        for one in found if isinstance(found, list) else [found or {}]:
            if one.get(column) and (key(one[column]) == term or (column == "city" and one.get("id") == term)):
                return " ".join(one[column].split())
        return term
    found = values.get(column)
    for one in found if isinstance(found, list) else [found or {}]:
        if field.type == "party" and key(one.get("name", "")) == term:
            return " ".join(one["name"].split())
        if field.type == "concept":
            text, scheme, code = one.get("text", ""), one.get("scheme", ""), one.get("code", "")
            if concept_key(text, scheme, code) == term and text:
                return " ".join(text.split())
    return term
