"""The hits of a saved search for programs: Atom (RFC 4287), JSON Feed 1.1, closing dates as a calendar (RFC 5545).

The same hits in the same order as the page, the API and the command line give. A feed says nothing about the
moment it was asked, so that it stays the same, byte for byte, until a record changes.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from landbridge import codes
from landbridge.errors import NotFound
from landbridge.find.record import Record
from landbridge.find.search import Hit, Result
from landbridge.kinds.kind import Field, Kind
from landbridge.kinds.values import Money
from landbridge.portal.words import outside, tag

MOST: Final = 50  # hits of a feed
TYPES: Final = {
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
    "ics": "text/calendar; charset=utf-8",
}
CLOSING: Final = "expires"  # the field that says until when; it is the journal's, too
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SILENT = frozenset(
    {
        "kind",
        "sort",
        "radius",
        "currency",
        "period",
        "unknown",
        "limit",
        "cursor",
        "facets",
        "explain",
        "literal",
    }
)  # say nothing about what is sought
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # would turn the line around them
_FOLD = 75  # octets of a line, RFC 5545, 3.1


class Reads(Protocol):
    """Who reads: a language, and texts in it."""

    @property
    def language(self) -> str: ...

    def text(self, message: str, /, **values: object) -> str: ...

    def label(self, words: dict[str, str], /) -> str: ...

    def country(self, code: str, /) -> str: ...


class Feed(msgspec.Struct, frozen=True):
    """What a feed is made of. `base` is the absolute address of this site, without a slash at its end.

    `prefix` is the language of the pages it leads to ("/kk"); what a record is called does not depend on it.
    """

    token: str
    title: str
    base: str
    kind: Kind
    result: Result
    reader: Reads
    prefix: str = ""

    def link(self, form: str = "") -> str:
        return f"{self.base}{self.prefix}/s/{self.token}{form and '.' + form}"


def title(params: Mapping[str, Sequence[str]], kind: Kind, reader: Reads) -> str:
    """What a saved search is called: "Vacancies: welder, Kazakhstan, Full time"."""
    said = [
        _named(name, value, kind, reader)
        for name, values in params.items()
        if name not in _SILENT
        for value in values
        if value.strip()
    ]
    plural = reader.label(kind.plural)
    return _line(f"{plural}: {', '.join(said)}" if said else plural)[:200]


def _named(name: str, value: str, kind: Kind, reader: Reads) -> str:
    field = kind.fields.get(name)
    if field is not None and value in field.values:
        return reader.label(field.values[value])
    if name in {"in", "country"}:
        return ", ".join(reader.country(codes.country(one) or one) for one in value.split(","))
    return f"≥ {value}" if name == "pay" else value


def atom(feed: Feed) -> bytes:
    """The feed as Atom."""
    refuse_personal(feed.kind)
    ET.register_namespace("", _ATOM)
    root = ET.Element(f"{{{_ATOM}}}feed")
    entries = list(_entries(feed))
    _add(root, "id", feed.link())
    _add(root, "title", feed.title)
    _add(root, "updated", _instant(_newest(feed, entries)))
    _add(root, "link", rel="self", type="application/atom+xml", href=feed.link("atom"))
    _add(root, "link", rel="alternate", type="text/html", href=feed.link(), hreflang=feed.reader.language)
    _add(_add(root, "author"), "name", "Landbridge")
    for entry in entries:
        item = _add(root, "entry")
        if entry.language:
            item.set(_LANG, entry.language)
        _add(item, "id", entry.address)
        _add(item, "title", entry.title)
        _add(item, "updated", _instant(entry.updated))
        if entry.published:
            _add(item, "published", _instant(entry.published))
        _add(item, "link", rel="alternate", type="text/html", href=entry.link)
        if entry.original:
            _add(item, "link", rel="via", href=entry.original)
        _add(_add(item, "author"), "name", entry.author)
        _add(item, "summary", entry.summary or entry.title)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'.encode()


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    refuse_personal(feed.kind)
    items = []
    for entry in _entries(feed):
        item: dict[str, Any] = {
            "id": entry.address,
            "url": entry.link,
            "title": entry.title,
            "content_text": entry.summary or entry.title,
            "date_modified": _instant(entry.updated),
            "authors": [{"name": entry.author}],
        }
        if entry.published:
            item["date_published"] = _instant(entry.published)
        if entry.original:
            item["external_url"] = entry.original
        if entry.language:
            item["language"] = entry.language
        items.append(item)
    return msgspec.json.encode(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.link(),
            "feed_url": feed.link("json"),
            "language": feed.reader.language,
            "authors": [{"name": "Landbridge"}],
            "items": items,
        }
    )


def calendar(feed: Feed) -> bytes:
    """The closing dates of the hits that have one, as whole days."""
    refuse_personal(feed.kind)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Landbridge//Saved search//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(feed.title)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    label = _label(feed.kind.fields.get(CLOSING), feed.reader)
    for entry in _entries(feed):
        if entry.closes is None:
            continue
        language = f";LANGUAGE={entry.language}" if entry.language else ""
        words = f"{entry.summary}\n{entry.link}".strip()
        heading = f"{label}: {entry.title}" if label else entry.title
        lines += [
            "BEGIN:VEVENT",
            f"UID:{blake2b(entry.id.encode(), digest_size=12).hexdigest()}@landbridge",
            f"DTSTAMP:{entry.updated.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"LAST-MODIFIED:{entry.updated.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{_basic(entry.closes)}",
            f"SUMMARY{language}:{_escaped(heading)}",
            f"DESCRIPTION{language}:{_escaped(words)}",
            f"URL:{entry.link}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def etag(body: bytes) -> str:
    """The strong validator of a body (RFC 9110, 8.8.3)."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def unchanged(if_none_match: str, tag: str) -> bool:
    """Whether the asker has this body already (RFC 9110, 13.1.2: a weak comparison)."""
    given = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in given or given == ["*"]


def refuse_personal(kind: Kind) -> None:
    """Raises NotFound where the kind's records leave in no feed."""
    if kind.personal:
        raise NotFound(
            f"there is no feed of {kind.plural['en'].lower()}: they are about people",
            hint="look them up on the page",
        )


class _Entry(msgspec.Struct, frozen=True):
    """A hit as all three forms show it: one line each, but for the summary."""

    id: str
    address: str
    link: str
    title: str
    language: str
    summary: str
    author: str
    original: str
    updated: datetime
    published: datetime | None
    closes: date | None


def _entries(feed: Feed) -> Iterator[_Entry]:
    names = {m.id: m.name for m in feed.result.members}
    for hit in feed.result.hits:
        record = msgspec.json.decode(hit.record, type=Record)
        values = feed.kind.decoder.decode(msgspec.json.encode(record.values))
        stated = feed.kind.first("date")
        updated = record.changed or record.first_seen or _NOTHING_YET
        path = f"/records/{quote(hit.id, safe='/')}"
        yield _Entry(
            id=hit.id,
            address=feed.base + path,
            link=feed.base + feed.prefix + path,
            title=_line("".join(text for text, _ in hit.title)) or hit.id,
            language=tag(hit.language),
            summary=_summary(hit, values, feed),
            author=_line(names.get(hit.member, hit.member)),
            original=outside(record.provenance.url),
            updated=updated,
            published=_moment(getattr(values, stated.name)) if stated and not stated.many else None,
            closes=_day(getattr(values, CLOSING, None)),
        )


def _summary(hit: Hit, values: Any, feed: Feed) -> str:
    """Who, where, for how much, until when: a line each."""
    lines = []
    for field in feed.kind.fields.values():
        found = getattr(values, field.name)
        every = list(found) if field.many else [found]
        if field.type == "party":
            said = [p.name for p in every if p is not None]
        elif field.type == "place":
            said = [
                ", ".join(x for x in (p.city or p.region or p.text, p.country and feed.reader.country(p.country)) if x)
                for p in every[:5]
                if p is not None
            ]  # fmt: skip
        elif field.type == "money":
            said = [_pay(m) for m in every if m is not None]
        elif field.name == CLOSING and field.type == "date":
            said = [d[:10] for d in every if d]
        else:
            continue
        if text := "; ".join(_line(s) for s in dict.fromkeys(said) if s):
            lines.append(f"{_label(field, feed.reader)}: {text}")
    return "\n".join(lines)


def _pay(money: Money) -> str:
    """The source's own words; where it has only figures, these."""
    ends = dict.fromkeys(f"{end:,.10g}" for end in (money.low, money.high) if end is not None)
    return money.text or " ".join(x for x in ("–".join(ends), money.currency, money.period) if x)


def _label(field: Field | None, reader: Reads) -> str:
    return reader.label(field.label) if field else ""


def _newest(feed: Feed, entries: Sequence[_Entry]) -> datetime:
    return max((e.updated for e in entries), default=_NOTHING_YET)


def _line(text: str) -> str:
    """One line of text that XML and calendars may hold."""
    return " ".join(_DIRECTIONS.sub("", _NO_XML.sub("", text)).split())


def _instant(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")


def _moment(text: str | None) -> datetime | None:
    """A day or an instant as an instant; nothing for what is no date of the calendar."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _day(text: str | None) -> date | None:
    found = _moment(text)
    return found.date() if found else None


def _basic(day: date) -> str:
    return day.isoformat().replace("-", "")


def _add(above: ET.Element, name: str, text: str = "", /, **attributes: str) -> ET.Element:
    found = ET.SubElement(above, f"{{{_ATOM}}}{name}", attributes)
    if text:
        found.text = _NO_XML.sub("", text)
    return found


def _escaped(text: str) -> str:
    """A TEXT of RFC 5545, 3.3.11."""
    for char in ("\\", ";", ","):
        text = text.replace(char, "\\" + char)
    return (
        _NO_XML.sub("", text)
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\n", "\\n")
        .replace("\t", " ")
    )


def _folded(line: str) -> bytes:
    """The line in pieces of 75 octets, cut between characters; a space begins each further one."""
    pieces: list[bytes] = []
    piece = b""
    for char in line:
        octets = char.encode()
        if len(piece) + len(octets) > _FOLD:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
