"""Values as people read them: pay in the source's words and the viewer's money, places, ages, labels."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from babel.dates import format_timedelta

from landbridge import codes
from landbridge.find.pay import per_year
from landbridge.find.query import Query
from landbridge.find.rates import Rates
from landbridge.find.record import Record
from landbridge.find.search import Hit
from landbridge.instance import Instance
from landbridge.kinds.kind import Field, Kind
from landbridge.kinds.values import Money, Place
from landbridge.members.member import Member

_LABELS = {
    "in": "Asked",
    "country": "Country",
    "region": "Region",
    "city": "Town",
    "language": "Language of the text",
    "lang": "Language of the text",
    "source": "Register",
    "place": "Near",
    "pay": "Pay at least",
    "since": "Since",
    "unknown": "Also without",
}
_UNKNOWN_LABELS = {"pay": "comparable pay", "since": "a date", "place": "a place on the map"}
_STATES = {
    "ok": "answered",
    "stale": "answered from older data",
    "held": "answered; its last harvest waits for a person",
    "failed": "did not answer",
    "never": "never harvested",
}
_NAMELESS = frozenset({"", "und", "mul", "zxx"})


def age(when: datetime | None, now: datetime) -> str:
    """How long ago: "3 minutes ago"."""
    if when is None:
        return "never"
    past = max(now - when, timedelta(seconds=1))
    return format_timedelta(-past, add_direction=True, threshold=1.2, locale="en")


def number(count: float) -> str:
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.2f}"


def day(when: datetime | None) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d}" if when else ""


def state(name: str) -> str:
    return _STATES.get(name, name)


def tag(language: str) -> str:
    """A language as an HTML attribute takes it, or nothing where it is not known."""
    return "" if language in _NAMELESS else language


def record_link(id_: str, currency: str = "EUR") -> str:
    more = f"?{urlencode({'currency': currency})}" if currency != "EUR" else ""
    return f"/records/{quote(id_, safe='/')}{more}"


def outside(url: str) -> str:
    """An address that may be a link: http or https with a host; nothing for `javascript:` and the like."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return url.strip() if good and not any(c.isspace() or not c.isprintable() for c in url.strip()) else ""


def filter_label(name: str, kind: Kind) -> str:
    """How people call a filter."""
    field = kind.fields.get(name)
    if field is not None and name not in _LABELS:
        return field.label["en"]
    return _LABELS.get(name, name)


def lacking_label(name: str, kind: Kind) -> str:
    """What a record lacks, that a filter asks for."""
    return _UNKNOWN_LABELS.get(name) or filter_label(name, kind).lower()


def country(code: str, members: Mapping[str, Member]) -> str:
    """A country's name; the member's where only its member knows one, as with countries that are invented."""
    name = codes.country_name(code)
    if name != code:
        return name
    return next((m.name for m in members.values() if m.countries == (code,)), code)


def value_label(column: str, key: str, label: str, kind: Kind, members: Mapping[str, Member]) -> str:
    """How people call a value of a filter."""
    field = kind.fields.get(column)
    if field is not None and key in field.values:
        return field.values[key]["en"]
    if column == "in" and key.lower() in members:
        return members[key.lower()].name
    if column in {"country", "in"} and codes.country(key):
        return country(codes.country(key), members)
    if column == "language":
        return "not known" if key in _NAMELESS else codes.language_name(key)
    return label


def place(where: Place, members: Mapping[str, Member]) -> str:
    """Town, region and country; the source's own words where no town was understood."""
    parts = [where.city or where.text, where.region if where.city else ""]
    land = country(where.country, members) if where.country else ""
    return ", ".join(dict.fromkeys(p for p in (*parts, land) if p))


def pay(money: Money) -> str:
    """The source's own words; where it has only figures, these."""
    if money.text:
        return money.text
    low, high = money.low, money.high
    if low is not None and high is not None and low != high:
        amount = f"{number(low)}–{number(high)}"
    elif low is not None and high is not None:
        amount = number(low)
    elif low is not None:
        amount = f"from {number(low)}"
    elif high is not None:
        amount = f"up to {number(high)}"
    else:
        return ""
    period = f"a {money.period}" if money.period in {"hour", "day", "week", "month", "year"} else money.period
    return " ".join(p for p in (amount, money.currency, period, money.tax) if p)


def comparable(low: float | None, high: float | None, currency: str) -> str:
    """A yearly pay by the month and by the year."""

    def span(factor: float) -> str:
        if low is None:
            return f"up to {number(round((high or 0) / factor))}"
        if high is None:
            return f"from {number(round(low / factor))}"
        ends = [number(round(low / factor)), number(round(high / factor))]
        return "–".join(dict.fromkeys(ends))

    if low is None and high is None:
        return ""
    return f"≈ {span(12)} {currency} a month ({span(1)} a year)"


def show_hit(hit: Hit, kind: Kind, query: Query, instance: Instance) -> dict[str, Any]:
    """What a row of the answer shows."""
    record = msgspec.json.decode(hit.record)
    values = kind.decoder.decode(msgspec.json.encode(record["values"]))
    member = instance.members.get(hit.member)
    source = member.sources.get(hit.source.partition("/")[2]) if member else None
    party, date = kind.first("party"), kind.first("date")
    money, where = _first(values, kind.first("money")), _all(values, kind.first("place"))
    named = _first(values, party)
    return {
        "hit": hit,
        "link": record_link(hit.id, query.currency),
        "lang": tag(hit.language),
        "party": named.name if named else "",
        "places": [said for p in where[:3] if (said := place(p, instance.members))],
        "more_places": max(0, len(where) - 3),
        "pay": pay(money) if money else "",
        "comparable": comparable(*_yearly(money, instance.rates, query.currency), query.currency),
        "date": str(_first(values, date) or "")[:10],
        "date_label": date.label["en"] if date else "",
        "member": member.name if member else hit.member,
        "source": source.title if source else hit.source,
    }


def show_fields(values: Any, kind: Kind, instance: Instance, currency: str) -> list[dict[str, Any]]:
    """The fields of a record that have a value, in the order of its kind."""
    shown = []
    for field in kind.fields.values():
        found = [v for v in _all(values, field) if v not in (None, "")]
        if not found or field.name == kind.title or field.show == "never":
            continue
        parts = [_part(value, field, instance, currency) for value in found]
        if parts := [p for p in parts if p["text"] or p["link"]]:
            long = field.type == "text" and any(len(p["text"]) > 200 or "\n" in p["text"] for p in parts)
            shown.append({"label": field.label["en"], "type": field.type, "parts": parts, "long": long})
    return shown


def show_translations(record: Record, kind: Kind) -> list[dict[str, Any]]:
    """What the source itself says in further languages."""
    return [
        {
            "name": codes.language_name(language),
            "lang": tag(language),
            "texts": [(kind.fields[n].label["en"], t) for n, t in texts.items() if n in kind.fields and t],
        }
        for language, texts in record.translations.items()
    ]


def first_url(values: Any, kind: Kind) -> str:
    return _first(values, kind.first("url")) or ""


def _part(value: Any, field: Field, instance: Instance, currency: str) -> dict[str, str]:
    text, link, note = str(value), "", ""
    if field.type == "url":
        link = outside(value)
    elif field.type == "code":
        text = field.values[value]["en"] if value in field.values else value
    elif field.type == "concept":
        text = value.text or value.code
        note = f"{value.scheme} {value.code}".strip() if value.text and value.code else ""
    elif field.type == "place":
        text = place(value, instance.members)
        note = value.text if value.text and value.text not in text else ""
    elif field.type == "money":
        text = pay(value)
        low, high = _yearly(value, instance.rates, currency)
        note = (
            comparable(low, high, currency) or "not comparable: its amount, currency or period is not known"
        )
        if value.tax and value.text:
            note = f"{value.tax}; {note}"
    elif field.type == "party":
        text, link, note = value.name, outside(value.url), value.id
    elif field.type == "period":
        text = value.text or "–".join(str(d) if d else "" for d in (value.start, value.end))
    elif field.type == "date":
        text = (
            value[:10]
            if value.endswith("T00:00:00Z") or len(value) == 10
            else value[:16].replace("T", " ") + " UTC"
        )
    elif field.type == "number":
        text = number(value)
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


FILTERS: Mapping[str, Any] = {"age": age, "number": number, "day": day, "state": state, "tag": tag}
