"""Values as people read them: pay in the source's words and the reader's money, places, ages, labels."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from landbridge import codes
from landbridge.find import occupations, skills
from landbridge.find.pay import per_year
from landbridge.find.query import Query
from landbridge.find.rates import Rates
from landbridge.find.record import Record
from landbridge.find.search import Hit
from landbridge.instance import Instance
from landbridge.kinds.kind import Field, Kind
from landbridge.kinds.values import Money, Place
from landbridge.members.member import Member
from landbridge.portal.languages import Reader

_WORDS_OF_PLACE = 60  # characters from which the words for a place are an address
_NAMELESS = frozenset({"", "und", "mul", "zxx"})


def states(reader: Reader) -> dict[str, str]:
    """How a member stands."""
    return {
        "ok": reader.text("answered"),
        "stale": reader.text("answered from older data"),
        "held": reader.text("answered; its last harvest waits for a person"),
        "failed": reader.text("did not answer"),
        "never": reader.text("never harvested"),
    }


def runs(reader: Reader) -> dict[str, str]:
    """How a run ended."""
    return {
        "running": reader.text("running"),
        "complete": reader.text("complete"),
        "partial": reader.text("partial"),
        "interrupted": reader.text("interrupted"),
        "held": reader.text("held for a person"),
        "failed": reader.text("failed"),
        "never": reader.text("never harvested"),
    }


def tag(language: str) -> str:
    """A language as an HTML attribute takes it, or nothing where it is not known."""
    return "" if language in _NAMELESS else language


def record_link(id_: str, currency: str = "EUR", prefix: str = "") -> str:
    more = f"?{urlencode({'currency': currency})}" if currency != "EUR" else ""
    return f"{prefix}/records/{quote(id_, safe='/')}{more}"


def outside(url: str) -> str:
    """An address that may be a link: http or https with a host; nothing for `javascript:` and the like."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return url.strip() if good and not any(c.isspace() or not c.isprintable() for c in url.strip()) else ""


def filter_label(name: str, kind: Kind, reader: Reader) -> str:
    """How people call a filter."""
    text = reader.text
    own = {
        "q": text("What are you looking for?"),
        "in": text("Member"),
        "country": text("Country"),
        "region": text("Region"),
        "city": text("Town"),
        "language": text("Language of the text"),
        "lang": text("Language of the text"),
        "source": text("Register"),
        "place": text("Town or region"),
        "radius": text("Within, km"),
        "pay": text("Pay at least"),
        "currency": text("Currency"),
        "period": text("Per"),
        "since": text("Since"),
        "sort": text("Sort by"),
        "unknown": text("Also what does not say"),
    }
    field = kind.fields.get(name)
    return own.get(name) or (reader.label(field.label) if field is not None else name)


def lacking_label(name: str, kind: Kind, reader: Reader) -> str:
    """What a record lacks, that a filter asks for."""
    own = {
        "pay": reader.text("comparable pay"),
        "since": reader.text("a date"),
        "place": reader.text("a place on the map"),
    }
    return own.get(name) or filter_label(name, kind, reader)


def country(code: str, members: Mapping[str, Member], reader: Reader) -> str:
    """A country's name; the member's where only its member knows one, as with countries that are invented."""
    name = reader.country(code)
    if name != code:
        return name
    return next((m.name for m in members.values() if m.countries == (code,)), code)


def value_label(
    column: str, key: str, label: str, kind: Kind, members: Mapping[str, Member], reader: Reader
) -> str:
    """How people call a value of a filter."""
    field = kind.fields.get(column)
    if field is not None and key in field.values:
        return reader.label(field.values[key])
    if column == "in" and key.lower() in members:
        return members[key.lower()].name
    if column in {"country", "in"} and codes.country(key):
        return country(codes.country(key), members, reader)
    if field is not None and field.vocabulary and skills.is_skill(key):
        return skills.label(key, reader.language)
    if field is not None and field.vocabulary and occupations.is_unit(key):
        return occupations.label(key.removeprefix("isco-08:"), reader.language)
    if column == "language":
        return reader.text("not known") if key in _NAMELESS else reader.language_name(key)
    return label


def place(where: Place, members: Mapping[str, Member], reader: Reader) -> str:
    """The source's own words for it, or the town and region where they are too long, and the country."""
    if where.text and len(where.text) <= _WORDS_OF_PLACE:
        parts = [where.text]
    else:
        parts = [where.city or where.text, where.region if where.city else ""]
    land = country(where.country, members, reader) if where.country else ""
    return ", ".join(dict.fromkeys(p for p in (*parts, "" if land in parts[0] else land) if p))


def pay(money: Money, reader: Reader) -> str:
    """The source's own words; where it has only figures, these."""
    if money.text:
        return money.text
    amount = _span(money.low, money.high, money.currency, reader)
    text = reader.text
    periods = {
        "hour": text("{amount} an hour", amount=amount),
        "day": text("{amount} a day", amount=amount),
        "week": text("{amount} a week", amount=amount),
        "month": text("{amount} a month", amount=amount),
        "year": text("{amount} a year", amount=amount),
    }
    said = periods.get(money.period, f"{amount} {money.period}".strip()) if amount else ""
    return f"{said} ({tax(money.tax, reader)})" if said and money.tax else said


def tax(word: str, reader: Reader) -> str:
    return {"gross": reader.text("before tax"), "net": reader.text("after tax")}.get(word, word)


def comparable(low: float | None, high: float | None, currency: str, reader: Reader) -> str:
    """A yearly pay by the month and by the year."""
    if low is None and high is None:
        return ""
    month = _span(_part_of(low, 12), _part_of(high, 12), currency, reader)
    year = _span(_part_of(low, 1), _part_of(high, 1), "", reader)
    return reader.text("≈ {amount} a month ({year} a year)", amount=month, year=year)


def _part_of(amount: float | None, parts: int) -> int | None:
    return None if amount is None else round(amount / parts)


def _span(low: float | None, high: float | None, currency: str, reader: Reader) -> str:
    """An amount from, to, or between, with its currency."""
    ends = [reader.number(n) for n in (low, high) if n is not None]
    if not ends:
        return ""
    amount = "–".join(dict.fromkeys(ends))
    amount = f"{amount} {currency}".strip()
    if high is None:
        return reader.text("from {amount}", amount=amount)
    if low is None:
        return reader.text("up to {amount}", amount=amount)
    return amount


def show_hit(
    hit: Hit, kind: Kind, query: Query, instance: Instance, reader: Reader, prefix: str
) -> dict[str, Any]:
    """What a row of the answer shows."""
    record = msgspec.json.decode(hit.record)
    values = kind.decoder.decode(msgspec.json.encode(record["values"]))
    member = instance.members.get(hit.member)
    source = member.sources.get(hit.source.partition("/")[2]) if member else None
    party, date = kind.first("party"), kind.first("date")
    money, where = _first(values, kind.first("money")), _all(values, kind.first("place"))
    named = _first(values, party)
    yearly = _yearly(money, instance.rates, query.currency)
    return {
        "hit": hit,
        "link": record_link(hit.id, query.currency, prefix),
        "lang": tag(hit.language),
        "language": reader.language_name(hit.language)
        if tag(hit.language) and hit.language.split("-")[0] != reader.language
        else "",
        "occupation": _occupation(record, kind, values, reader),
        "party": named.name if named else "",
        "places": [said for p in where[:3] if (said := place(p, instance.members, reader))],
        "more_places": max(0, len(where) - 3),
        "pay": pay(money, reader) if money else "",
        "comparable": comparable(*yearly, query.currency, reader),
        "date": str(_first(values, date) or "")[:10],
        "date_label": reader.label(date.label) if date else "",
        "member": member.name if member else hit.member,
        "source": source.title if source else hit.source,
    }


def _occupation(record: dict[str, Any], kind: Kind, values: Any, reader: Reader) -> str:
    """The occupation in the reader's language; the record's own words where it was linked to none."""
    for one in record.get("occupations", ()):
        return occupations.label(one["code"], reader.language)
    shown = (f for f in kind.of_type("concept") if f.show == "row")
    return next((o.text for f in shown for o in _all(values, f) if o.text), "")


def show_fields(
    values: Any, kind: Kind, instance: Instance, currency: str, reader: Reader
) -> list[dict[str, Any]]:
    """The fields of a record that have a value, in the order of its kind."""
    shown = []
    for field in kind.fields.values():
        found = [v for v in _all(values, field) if v not in (None, "")]
        if not found or field.name == kind.title or field.show == "never":
            continue
        parts = [_part(value, field, instance, currency, reader) for value in found]
        if parts := [p for p in parts if p["text"] or p["link"]]:
            long = field.type == "text" and any(len(p["text"]) > 200 or "\n" in p["text"] for p in parts)
            shown.append(
                {"label": reader.label(field.label), "type": field.type, "parts": parts, "long": long}
            )
    return shown


def show_translations(record: Record, kind: Kind, reader: Reader) -> list[dict[str, Any]]:
    """What the source itself says in further languages."""
    return [
        {
            "name": reader.language_name(language),
            "lang": tag(language),
            "texts": [
                (reader.label(kind.fields[n].label), t) for n, t in texts.items() if n in kind.fields and t
            ],
        }
        for language, texts in record.translations.items()
    ]


def first_url(values: Any, kind: Kind) -> str:
    return _first(values, kind.first("url")) or ""


def _part(value: Any, field: Field, instance: Instance, currency: str, reader: Reader) -> dict[str, str]:
    text, link, note = str(value), "", ""
    if field.type == "url":
        link = outside(value)
    elif field.type == "code":
        text = reader.label(field.values[value]) if value in field.values else value
    elif field.type == "concept":
        text = value.text or value.code
        note = f"{value.scheme} {value.code}".strip() if value.text and value.code else ""
    elif field.type == "place":
        text = place(value, instance.members, reader)
        note = value.text if value.text and value.text not in text else ""
    elif field.type == "money":
        text = pay(value, reader)
        low, high = _yearly(value, instance.rates, currency)
        note = comparable(low, high, currency, reader) or reader.text(
            "not comparable: its amount, currency or period is not known"
        )
        if value.tax and value.text:
            note = f"{tax(value.tax, reader)}; {note}"
    elif field.type == "party":
        text, link, note = value.name, outside(value.url), value.id
    elif field.type == "period":
        text = value.text or "–".join(reader.date(str(d)) if d else "" for d in (value.start, value.end))
    elif field.type == "date":
        text = reader.date(value)
    elif field.type == "number":
        text = reader.number(value)
    return {"text": text, "link": link, "note": note}


def _yearly(money: Money | None, rates: Rates, currency: str) -> tuple[float | None, float | None]:
    return per_year(money, rates, currency) if money is not None else (None, None)


def _all(values: Any, field: Field | None) -> list[Any]:
    if field is None:
        return []
    value = getattr(values, field.name)
    if field.many:
        return list(value)
    return [] if value is None else [value]


def _first(values: Any, field: Field | None) -> Any:
    return next(iter(_all(values, field)), None)
