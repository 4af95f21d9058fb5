"""What is asked: one query over the members' records, and the one parser that API, pages and command line share.

Text is words that must all be there, "phrases" that must stand as written, and -words that must not be
there. Everything else is a named parameter; those of a kind's own fields come from the kind.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from landbridge import codes
from landbridge.errors import UsageError
from landbridge.find import places
from landbridge.find.index.document import concept_key, key, once_a_kind, shape
from landbridge.find.index.protocol import Sort
from landbridge.find.pay import per_year
from landbridge.find.rates import Rates
from landbridge.find.skills import look_up
from landbridge.kinds.kind import Field, Kind, ValueType
from landbridge.kinds.values import Money, Place

MOST = 100  # hits a page
LONGEST = 500  # characters of text
_MANY = 50  # values of one parameter
_SORTS: tuple[Sort, ...] = ("relevance", "date", "pay", "distance")
_LIMIT = 10
_KM = 30.0
_NEAREST = 0.1  # km
_FARTHEST = 1_000.0  # km
_MOST_PAY = 1e12
_PERIODS = ["hour", "day", "week", "month", "year"]
_NAMED_BY_TYPE: tuple[tuple[str, ValueType], ...] = (("pay", "money"), ("since", "date"), ("place", "place"))
_AGO = re.compile(r"(\d{1,5})\s*(h|d|w)?")
_HOURS = {"h": 1, "d": 24, "w": 168}
_NAME = re.compile(r"[^\W_][\w '’.()-]{1,60}")  # a country, in any language, or a member
_SOURCE = re.compile(r"[a-z][a-z0-9-]*/[\w.-]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_POINT = re.compile(r"(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)")
_CODED = re.compile(r"[a-z0-9.-]{2,30}:\S{1,100}")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞＂", '"') | dict.fromkeys("−–—﹣－", "-"))
_PARTS = re.compile(r'(?<!\S)(-)?"([^"]*)"|(\S+)')
_SCHEMES_BELOW = frozenset(
    {"isco-08", "isco-88", "isic", "nace", "soc"}
)  # a code stands for all that begin so

# The parameters that every kind has; the others are named by its fields.
PARAMETERS: dict[str, str] = {
    "q": 'words that must all be there, "phrases", -words that must not',
    "kind": "what is sought",
    "in": "countries (ISO 3166-1) or members whose registers are asked; all without",
    "place": 'a town, region or country in any language, or "latitude,longitude"',
    "radius": f"kilometres around the place; {_KM:.0f} without",
    "pay": "at least this much",
    "currency": "ISO 4217, of the pay asked for and the pay shown; EUR without",
    "period": "hour, day, week, month or year, of the pay asked for; month without",
    "lang": "languages that the records are written in (BCP 47)",
    "source": "registers, as member/source",
    "since": "a date, or how long ago (7d, 24h, 2w)",
    "unknown": "filters that let records without a value through",
    "sort": "relevance, date, pay or distance",
    "limit": f"how many on a page, up to {MOST}",
    "cursor": "the page to go on with",
    "facets": "what to count: country, language, source, or fields of the kind",
    "explain": "1 to say why each hit is where it is",
    "literal": "1 to seek the words as they are typed, and not the occupation that they name",
}


class Part(msgspec.Struct, frozen=True):
    """A piece of the text: words, or a phrase as it stands; with `without`, one that must not be there."""

    text: str
    phrase: bool = False
    without: bool = False


class Around(msgspec.Struct, frozen=True):
    """A point, how far around it, and how it was named."""

    text: str
    lat: float
    lon: float
    km: float


class Meant(msgspec.Struct, frozen=True):
    """A place as it can be asked for: `write` is what the parameter takes for it and no other."""

    name: str
    region: str
    country: str
    write: str


class PlaceRead(msgspec.Struct, frozen=True):
    """The place that was taken for the text, and what else the text could mean."""

    taken: Meant
    others: tuple[Meant, ...] = ()


class Floor(msgspec.Struct, frozen=True):
    """The least pay: as it was asked for, and in euro a year."""

    amount: float
    currency: str
    period: str
    per_year: float


class Query(msgspec.Struct, frozen=True):
    """One question. `filters` holds codes and names by column, each any of its values."""

    kind: str
    text: str = ""
    parts: tuple[Part, ...] = ()
    members: tuple[str, ...] = ()
    filters: dict[str, tuple[str, ...]] = {}
    around: Around | None = None
    place: PlaceRead | None = None
    pay: Floor | None = None
    currency: str = "EUR"
    since: int | None = None  # seconds since 1970
    unknown: tuple[str, ...] = ()
    sort: Sort = "relevance"
    limit: int = 10
    cursor: str = ""
    facets: tuple[str, ...] = ()
    explain: bool = False
    literal: bool = False

    def print_of(self) -> str:
        """The same for all pages of one question."""
        asked = msgspec.structs.replace(self, cursor="", limit=0, explain=False, facets=())
        return blake2b(msgspec.json.encode(asked, order="sorted"), digest_size=6).hexdigest()


def parse(
    params: Mapping[str, Sequence[str]],
    kinds: Mapping[str, Kind],
    *,
    rates: Rates,
    now: datetime | None = None,
) -> Query:
    """The query that these parameters mean; lists may be repeated, and lists of codes separated by commas.

    Raises UsageError, which names the parameter, for anything that is not understood.
    """
    now = now or datetime.now(UTC)
    given = {name: [v for v in values if v.strip()] for name, values in params.items()}
    kind = _kind(_one(given, "kind") or default_kind(kinds), kinds)
    own = _own_filters(kind)
    for name in given:
        if name not in PARAMETERS and name not in own:
            allowed = ", ".join([*PARAMETERS, *own])
            raise UsageError(f"no parameter {_shown(name)}", parameter=name, hint=f"allowed: {allowed}")
    text = _text(_one(given, "q"))
    parts = _parts(text)
    if text and not parts:
        raise UsageError(f"no word to search for in {_shown(text)}", parameter="q")
    filters: dict[str, tuple[str, ...]] = {}
    for name, field in own.items():
        if name in given and (values := _list(given, name, names=name in named(kind))):
            filters[name] = tuple(dict.fromkeys(_value(name, field, v) for v in values))
    if "city" in filters and own.get("city") is None:
        filters["city"] = _towns(filters["city"], filters.get("country", ()))
    around, place = _around(given, kind, filters)
    if values := _list(given, "lang"):
        filters["language"] = tuple(
            _matching("lang", v.lower(), _LANGUAGE, "a language code such as ru") for v in values
        )
    if values := _list(given, "source"):
        filters["source"] = tuple(_matching("source", v, _SOURCE, "member/source") for v in values)
    currency = _currency(given, rates)
    return Query(
        kind=kind.name,
        text=text,
        parts=parts,
        members=tuple(
            dict.fromkeys(
                _matching("in", v.lower(), _NAME, "a country or member") for v in _list(given, "in")
            )
        ),
        filters=filters,
        around=around,
        place=place,
        pay=_pay(given, kind, currency, rates),
        currency=currency,
        since=_since(_one(given, "since"), kind, now),
        unknown=_unknown(given, kind, own),
        sort=_sort(_one(given, "sort"), kind, around, words=any(not p.without for p in parts)),
        limit=_limit(_one(given, "limit")),
        cursor=_one(given, "cursor"),
        facets=_facets(given, kind),
        explain=_flag(given, "explain"),
        literal=_flag(given, "literal"),
    )


def parameters(kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    """The parameters as OpenAPI 3.1 has them: those of every kind, then those by which the kinds' fields filter."""

    def some(one: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "maxItems": _MANY, "items": {"type": "string", "minLength": 1, **one}}

    has = [name for name, type_ in _NAMED_BY_TYPE if any(k.first(type_) for k in kinds.values())]
    own: dict[str, list[Field | None]] = {}
    for kind in kinds.values():
        for name, field in _own_filters(kind).items():
            own.setdefault(name, []).append(field)
    facets = sorted({f for kind in kinds.values() for f in shape(kind).facets})
    schemas: dict[str, dict[str, Any]] = {
        "q": {"type": "string", "maxLength": LONGEST},
        "kind": {"type": "string", "enum": list(kinds), "default": default_kind(kinds)},
        "in": some({"maxLength": 60}),
        "place": {"type": "string", "maxLength": 200},
        "radius": {"type": "number", "minimum": _NEAREST, "maximum": _FARTHEST, "default": _KM},
        "pay": {"type": "number", "minimum": 0, "maximum": _MOST_PAY},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "EUR"},
        "period": {"type": "string", "enum": _PERIODS, "default": "month"},
        "lang": some({"pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}),
        "source": some({"pattern": f"^{_SOURCE.pattern}$"}),
        "since": {"type": "string", "examples": ["2026-03-01", "7d"]},
        "unknown": some({"enum": [*has, *own]}),
        "sort": {"type": "string", "enum": list(_SORTS)},
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": _LIMIT},
        "cursor": {"type": "string"},
        "facets": some({"enum": facets}),
        "explain": {"type": "string", "enum": ["0", "1"], "default": "0"},
        "literal": {"type": "string", "enum": ["0", "1"], "default": "0"},
    }
    said = [(name, text, schemas[name]) for name, text in PARAMETERS.items()]
    for name, fields in own.items():
        values = list(dict.fromkeys(v for f in fields if f is not None for v in f.values))
        text = next((f.label["en"] for f in fields if f is not None), f"the {name} of the place")
        said.append((name, text, some({"enum": values} if values else {"maxLength": 200})))
    return [
        {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
        for name, text, schema in said
    ]


def default_kind(kinds: Mapping[str, Kind]) -> str:
    """What is sought where nobody says: vacancies, or else the first kind there is."""
    return "vacancy" if "vacancy" in kinds else next(iter(kinds), "")


def below(column: str, kind: Kind, value: str) -> bool:
    """Whether a concept's code stands for all codes that begin so, as in ISCO-08: 72 for 7212."""
    field = kind.fields.get(column)
    scheme, _, _ = value.partition(":")
    return field is not None and field.type == "concept" and scheme in _SCHEMES_BELOW


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _one(given: Mapping[str, list[str]], name: str) -> str:
    values = given.get(name, [])
    if len(values) > 1:
        raise UsageError(f"{name} is given {len(values)} times", parameter=name, hint="give it once")
    return values[0].strip() if values else ""


def _list(given: Mapping[str, list[str]], name: str, *, names: bool = False) -> list[str]:
    """The values of a parameter; a comma parts them, but for `names`, which may have one ("Iron & Sons, Ltd")."""
    values: list[str] = []
    if name not in given:
        return values
    for text in given[name]:
        parts = [part.strip() for part in text.split(",")]
        whole = names and not all(_CODED.fullmatch(part) for part in parts)
        values += [text.strip()] if whole else [part for part in parts if part]
    if len(values) > _MANY:
        raise UsageError(f"{name} has {len(values)} values", parameter=name, hint=f"{_MANY} at most")
    for value in values:
        _printable(name, value)
        if len(value) > 200:
            raise UsageError(f"{_shown(value)} is too long", parameter=name)
    return values


def _printable(name: str, text: str) -> None:
    if text.isprintable():
        return
    for char in text:
        if unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} and char not in "\t\n\r":
            raise UsageError(f"{name} has a character that is no text (U+{ord(char):04X})", parameter=name)


def _number(name: str, text: str, low: float, high: float) -> float:
    try:
        number = float(text.replace(" ", "").replace("\u00a0", "")) if text.isascii() else math.nan
    except ValueError:
        number = math.nan
    if "_" in text or not low <= number <= high:
        raise UsageError(
            f"{name}={_shown(text)} is not a number from {low:,.10g} to {high:,.10g}",
            parameter=name,
            hint="such as 1500",
        )
    return number


def _matching(name: str, value: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(f"{_shown(value)} is not {what}", parameter=name)
    return value


def _kind(name: str, kinds: Mapping[str, Kind]) -> Kind:
    if name not in kinds:
        raise UsageError(f"no kind {_shown(name)}", parameter="kind", hint=f"allowed: {', '.join(kinds)}")
    return kinds[name]


@once_a_kind
def _own_filters(kind: Kind) -> dict[str, Field | None]:
    """The filters that a kind has by its fields: names of columns, and the field where it is one."""
    columns = (c for c in shape(kind).exact if c not in {"source", "language", "point", "lacks"})
    return {c: kind.fields.get(c) for c in columns if c not in PARAMETERS}


@once_a_kind
def named(kind: Kind) -> frozenset[str]:
    """The filters whose values are names as people write them, and not codes."""
    return frozenset(
        name
        for name, field in _own_filters(kind).items()
        if (name != "country" if field is None else field.type in {"party", "concept"})
    )


def _text(text: str) -> str:
    if len(text) > LONGEST:
        raise UsageError(f"q has {len(text)} characters", parameter="q", hint=f"{LONGEST} at most")
    _printable("q", text)
    return " ".join(text.split())


def _parts(text: str) -> tuple[Part, ...]:
    """Words side by side are one part. A quotation mark that is not closed is no quotation mark."""
    plain: list[str] = []
    rest: list[Part] = []
    for minus, phrase, word in _PARTS.findall(text.translate(_QUOTES)):
        if phrase.strip():
            rest.append(Part(phrase.strip(), phrase=True, without=bool(minus)))
        elif len(word) > 1 and word[0] == "-":
            rest.append(Part(word[1:], without=True))
        elif word:
            plain.append(word)
    return (*((Part(" ".join(plain)),) if plain else ()), *rest)


def _value(name: str, field: Field | None, value: str) -> str:
    if field is None:  # a part of the place
        if name != "country":
            return key(value)
        code = codes.country(value)
        if not code:
            raise UsageError(f"{_shown(value)} is no country", parameter=name, hint="ISO 3166-1, such as KZ")
        return code
    if field.type == "code":
        if field.values and value not in field.values:
            raise UsageError(
                f"{name} has no {_shown(value)}", parameter=name, hint=f"allowed: {', '.join(field.values)}"
            )
        return value
    if field.type == "concept" and _CODED.fullmatch(value):
        scheme, _, code = value.partition(":")
        return concept_key("", scheme, code)
    if field.vocabulary == "skills" and (skill := look_up(value)):
        return skill
    found = key(value)
    if not found:
        raise UsageError(f"{_shown(value)} has no letter", parameter=name)
    return found


def _towns(names: Sequence[str], countries: Sequence[str]) -> tuple[str, ...]:
    """Towns as they are spelt, and as the gazetteer knows them."""
    country = countries[0] if len(countries) == 1 else ""
    found = [places.resolve(name, country, best=True) for name in names if not _CODED.fullmatch(name)]
    return tuple(dict.fromkeys([*names, *(p.id for p in found if p is not None and p.id)]))


def _around(
    given: Mapping[str, list[str]], kind: Kind, filters: dict[str, tuple[str, ...]]
) -> tuple[Around | None, PlaceRead | None]:
    """The place and radius, and how its name was read. A country is a filter of its own; a region is the surroundings of its main town."""
    text, radius = _one(given, "place"), _one(given, "radius")
    km = _number("radius", radius, _NEAREST, _FARTHEST) if radius else _KM
    if not text:
        if radius:
            raise UsageError("radius without a place", parameter="radius", hint="add place=…")
        return None, None
    _printable("place", text)
    if kind.first("place") is None:
        raise UsageError(f"a {kind.name} has no place", parameter="place")
    if point := _POINT.fullmatch(text):
        lat, lon = float(point[1]), float(point[2])
        if abs(lat) > 90 or abs(lon) > 180:
            raise UsageError(
                f"{_shown(text)} is no point on Earth",
                parameter="place",
                hint="latitude,longitude: 43.24,76.95",
            )
        return Around(text, lat, lon, km), None
    only = filters.get("country", ())
    country = only[0] if len(only) == 1 else ""
    found = places.resolve(text[:200], country, best=True)
    if found is None:
        raise UsageError(
            f"{_shown(text)} is no place that we know",
            parameter="place",
            hint="a larger town near it, or 43.24,76.95",
        )
    others = places.namesakes(text[:200], found, country)
    read = PlaceRead(_meant(found), tuple(_meant(one) for one in others))
    if found.lat is not None and found.lon is not None:
        return Around(text, found.lat, found.lon, km), read
    filters["country"] = (found.country,)
    return None, read


def _meant(place: Place) -> Meant:
    name = place.city or place.region or place.text
    return Meant(name, place.region if place.city else "", place.country, places.written(place))


def _currency(given: Mapping[str, list[str]], rates: Rates) -> str:
    code = (_one(given, "currency") or "EUR").upper()
    if code not in rates.by_currency:
        known = ", ".join(sorted(rates.by_currency))
        raise UsageError(f"no rate for {_shown(code)}", parameter="currency", hint=f"known: {known}")
    return code


def _pay(given: Mapping[str, list[str]], kind: Kind, currency: str, rates: Rates) -> Floor | None:
    text, period = _one(given, "pay"), _one(given, "period") or "month"
    if period not in _PERIODS:
        raise UsageError(
            f"no period {_shown(period)}", parameter="period", hint=f"allowed: {', '.join(_PERIODS)}"
        )
    if not text:
        return None
    if kind.first("money") is None:
        raise UsageError(f"a {kind.name} has no pay", parameter="pay")
    amount = _number("pay", text, 0, _MOST_PAY)
    low, _ = per_year(Money(low=amount, currency=currency, period=period), rates)
    if low is None:
        raise UsageError(f"{text} {currency} a {period} is more than anyone is paid", parameter="pay")
    return Floor(amount, currency, period, low)


def _since(text: str, kind: Kind, now: datetime) -> int | None:
    if not text:
        return None
    if kind.first("date") is None:
        raise UsageError(f"a {kind.name} has no date", parameter="since")
    if ago := _AGO.fullmatch(text):
        return int((now - timedelta(hours=int(ago[1]) * _HOURS[ago[2] or "d"])).timestamp())
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{_shown(text)} is no date", parameter="since", hint="2026-03-01, or 7d") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _unknown(given: Mapping[str, list[str]], kind: Kind, own: Mapping[str, Field | None]) -> tuple[str, ...]:
    allowed = [*(name for name, type_ in _NAMED_BY_TYPE if kind.first(type_)), *own]
    return _among(given, "unknown", allowed)


def _sort(asked: str, kind: Kind, around: Around | None, *, words: bool) -> Sort:
    """Without words there is nothing to be relevant to: then the newest come first."""
    for sort in _SORTS:
        if sort == asked:
            break
    else:
        if asked:
            allowed = ", ".join(_SORTS)
            raise UsageError(f"no sort {_shown(asked)}", parameter="sort", hint=f"allowed: {allowed}")
        return "relevance" if words else "date"
    if sort == "distance" and around is None:
        raise UsageError("distance to what?", parameter="sort", hint="add place=…")
    if sort == "pay" and kind.first("money") is None:
        raise UsageError(f"a {kind.name} has no pay", parameter="sort")
    return sort if words or sort != "relevance" else "date"


def _limit(text: str) -> int:
    if not text:
        return _LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MOST:
        raise UsageError(f"limit={_shown(text)} is not a whole number from 1 to {MOST}", parameter="limit")
    return int(text)


def _facets(given: Mapping[str, list[str]], kind: Kind) -> tuple[str, ...]:
    return _among(given, "facets", list(shape(kind).facets))


def _among(given: Mapping[str, list[str]], name: str, allowed: Sequence[str]) -> tuple[str, ...]:
    values = _list(given, name)
    for value in values:
        if value not in allowed:
            raise UsageError(
                f"{name} has no {_shown(value)}", parameter=name, hint=f"allowed: {', '.join(allowed)}"
            )
    return tuple(dict.fromkeys(values))


def _flag(given: Mapping[str, list[str]], name: str) -> bool:
    text = _one(given, name).lower()
    if text not in {"", "0", "1", "true", "false"}:
        raise UsageError(f"{name}={_shown(text)} is not 1 or 0", parameter=name)
    return text in {"1", "true"}
