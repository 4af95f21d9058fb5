"""The event feed: what came, what changed and what went, in the order of the journal (the form is NAV's).

A page is addressed by a number of the journal's sequence, not by a count of pages: `after=N` holds the next
events behind N, and its `next_url` names the number of its last one. A record has one event, its latest: when
it changes, its event moves behind all others, so a page only ever loses items. Whoever reads from 0 to the page
without items has everything, and goes on from there.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from landbridge.find.journal import JournalReader, Step
from landbridge.find.record import Record
from landbridge.find.source import Source
from landbridge.kinds.kind import Kind

PAGE = 200
_LONGEST = 2_000  # characters of a text; the whole of it stands with the record
_RECORDS = "/api/v1/records/"


class Asked(msgspec.Struct, frozen=True):
    """What part of the feed is asked for: behind which event, and the filters as they were given."""

    after: int = 0
    kind: str = ""
    members: str = ""

    def url(self, path: str, after: int) -> str:
        """The address of a page of the same feed."""
        pairs = {"kind": self.kind, "in": self.members, "after": str(after) if after else ""}
        given = urlencode({name: value for name, value in pairs.items() if value}, safe=",")
        return path + ("?" + given if given else "")


def shared(sources: Sequence[Source], kinds: Mapping[str, Kind], kind: str = "") -> dict[str, Source]:
    """Those sources whose records may leave by the feed: of no personal kind, and not live-only."""
    return {
        s.id: s
        for s in sources
        if s.store != "live-only" and not kinds[s.kind].personal and kind in {"", s.kind}
    }


def etag(steps: Sequence[Step], asked: Asked, sources: Mapping[str, Source]) -> str:
    """Of a page: a number of the sequence stands for one state of one record, shown as its source allows."""
    allowed = [(s.id, s.store, s.licence) for s in sources.values()]
    told = msgspec.json.encode([asked, [step.seq for step in steps], allowed])
    return f'"{hashlib.blake2b(told, digest_size=12).hexdigest()}"'


def page(
    journal: JournalReader,
    steps: Sequence[Step],
    asked: Asked,
    *,
    path: str,
    sources: Mapping[str, Source],
    kinds: Mapping[str, Kind],
) -> dict[str, Any]:
    """The page of these steps. Only the page behind the last event has no `next_url`."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Landbridge",
        "description": "what came, what changed and what went, in this order",
        "feed_url": asked.url(path, asked.after),
        "next_url": asked.url(path, steps[-1].seq) if steps else None,
        "items": [
            item(record, kinds[record.kind], sources[record.source])
            for record in journal.at(steps)
            if record.source in sources
        ],
    }


def item(record: Record, kind: Kind, source: Source) -> dict[str, Any]:
    """One event: of a record that is gone, no more than its identifier and when."""
    alive = record.gone is None
    at = (record.changed if alive else record.gone) or datetime.fromtimestamp(0, UTC)
    when = at.isoformat().replace("+00:00", "Z")
    title = getattr(record.values, kind.title) if alive else ""
    made = {
        "id": record.id,
        "url": _RECORDS + quote(record.id),
        "date_modified": when,
        "_feed_entry": {
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "landbridge:" + record.id)),
            "status": "ACTIVE" if alive else "INACTIVE",
            "title": title,
            "businessName": _first(record, kind, "party") if alive else "",
            "municipal": _first(record, kind, "place") if alive else "",
            "sistEndret": when,
        },
        "_landbridge": {
            "kind": record.kind,
            "member": record.member,
            "source": record.source,
            "licence": source.licence,
        },
    }
    if not alive:
        return made
    made |= {"title": title, "language": record.language}
    text = _text(record, kind) if source.store == "full" else ""
    return made | ({"content_text": text} if text else {})


def _first(record: Record, kind: Kind, type_: Any) -> str:
    """The words for the field that stands for its type: an employer's name, a town."""
    field = kind.first(type_)
    value = getattr(record.values, field.name) if field else None
    if isinstance(value, tuple):
        value = value[0] if value else None
    names = ("name",) if type_ == "party" else ("city", "text", "region", "country")
    return next((found for name in names if (found := getattr(value, name, ""))), "")


def _text(record: Record, kind: Kind) -> str:
    """The longest of its texts that is not its title."""
    texts = [
        value
        for field in kind.of_type("text")
        if field.name != kind.title and field.show != "never"
        if isinstance(value := getattr(record.values, field.name), str)
    ]
    longest = max(texts, key=len, default="")
    return longest if len(longest) <= _LONGEST else longest[: _LONGEST - 1] + "…"
