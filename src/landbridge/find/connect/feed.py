"""`with = "event-feed"`: a feed that tells what came, what changed and what went.

Two shapes, told apart by their keys: pages that link to the next one and grow at the end (NAV), and a stream
that is asked for what happened since a moment, behind a snapshot (JobStream).

| key of `[fetch]` | meaning |
|---|---|
| `url` | the first page of the feed, or the stream |
| `params` | query parameters; `env:NAME` is a secret |
| `items`, `each` | the path to the events in a page, and inside an event to its record |
| `id` | the path to the identifier in an event, where it is not that of [map] |
| `removed` | `{ path = "status", equals = "INACTIVE" }` (or a list of values): the event says that the record is gone |
| `next_url_path` | the path to the next page, an address or part of one; nothing there means the newest page, which is asked for again in the next run (ETag, If-Modified-Since) |
| `next_url` | an address with `{next}` for a feed that gives an identifier at `next_url_path` |
| `entry` | `{ url = "https://…/feedentry/{id}", items }`: the record itself stands behind an address; a placeholder may be any path in the event |
| `since` | `{ param = "date", path = "timestamp" (or a list), format, zone, initial_value }`: where the stream goes on |
| `snapshot` | the address of everything there is, read once before the stream |

`format` is a strftime format, "seconds", "milliseconds" or nothing for ISO 8601. The next run goes on where this
one ended; of several events for one identifier the last counts. The stream is asked for from a minute before
the newest event on: an event that comes again is known.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import msgspec

from landbridge.errors import Broken, FetchError, Forbidden, Looping, RowError, Slowdown, SourceFileError
from landbridge.find.connect.files import Batches
from landbridge.find.connect.http import Client, Reach, Validators, read_keys, reading
from landbridge.find.connect.page import Page, as_key, key_of
from landbridge.find.connect.pages import at, expected, fill_url, read_moment, rows_of, slots, write_moment
from landbridge.find.mapping import path as walk_path
from landbridge.find.mapping import words
from landbridge.find.read import Format, Row
from landbridge.find.source import Source

PAGE = 2_000
_OVERLAP = timedelta(minutes=1)


class Removed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an event says that its record is gone."""

    path: str
    equals: str | bool | int | tuple[str | bool | int, ...] = True


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the record of an event stands."""

    url: str
    items: str = ""


class SinceKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the stream is asked for what happened since."""

    param: str
    path: str | tuple[str, ...]
    format: str = ""
    zone: str = ""
    initial_value: str = ""


class Feed(Reach, frozen=True, kw_only=True):
    url: str
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    id: str = ""
    removed: Removed | None = None
    next_url_path: str = ""
    next_url: str = ""
    entry: Entry | None = None
    since: SinceKeys | None = None
    snapshot: str = ""


class _State(msgspec.Struct, omit_defaults=True):
    """Where the feed goes on. It is the cursor."""

    url: str = ""
    etag: str = ""
    modified: str = ""
    since: str = ""
    newest: str = ""
    snapshot: bool = False  # read to its end
    row: int = 0  # of the snapshot


def read_feed(source: Source) -> Feed:
    """`[fetch]` of a feed, checked. Raises SourceFileError."""
    keys = read_keys(source, Feed)
    if bool(keys.next_url_path) == bool(keys.since):
        raise SourceFileError(source.id, "[fetch] needs either next_url_path or since")
    if keys.removed is None and source.deletes == "tombstone":
        raise SourceFileError(
            source.id,
            'deletes = "tombstone", but [fetch] removed does not say how an event tells it',
            hint='removed = { path = "status", equals = "INACTIVE" }',
        )
    if keys.next_url and "next" not in slots(keys.next_url):
        raise SourceFileError(source.id, "[fetch] next_url has no {next}")
    if keys.since is not None and not keys.snapshot and not keys.since.initial_value:
        raise SourceFileError(source.id, "[fetch] since needs an initial_value, or a snapshot to begin with")
    return keys


async def pages(source: Source, client: Client, cursor: Any) -> AsyncIterator[Page]:
    """The events of a feed, from the cursor on."""
    keys = read_feed(source)
    state = msgspec.convert(cursor, _State) if isinstance(cursor, dict) else _State()
    follow = _stream if keys.since is not None else _chain
    async for page in follow(_Events(source, client, keys), state):
        yield page


class _Events:
    """Events of one feed, told apart into rows and removals."""

    def __init__(self, source: Source, client: Client, keys: Feed) -> None:
        self.source = source
        self.client = client
        self.keys = keys
        self.form = reading(source, keys)
        self._key_of = key_of(source)
        equals = keys.removed.equals if keys.removed else ()
        self._gone_words = {words(w).casefold() for w in (equals if isinstance(equals, tuple) else (equals,))}
        self._latest: dict[str, datetime] = {}  # of a stream, which need not be in order

    def pairs(self) -> list[tuple[str, str]]:
        return [
            (name, self.client.reveal(self.source, words(value))) for name, value in self.keys.params.items()
        ]

    async def sort(self, rows: Sequence[Row]) -> tuple[list[Row], list[str], list[str]]:
        """Rows, removed keys, and what is to be said; of events for one key the last counts."""
        last: dict[str, tuple[Row, dict[str, Any] | None]] = {}
        strange: list[Row] = []
        for row in rows:
            fields = _fields(row)
            key = self._key(fields)
            if not key:
                strange.append(row)
            elif not self._is_older(key, fields):
                last.pop(key, None)
                last[key] = (row, fields)
        gone = [key for key, (_, fields) in last.items() if self._is_gone(fields)]
        for key in gone:
            del last[key]
        if self.keys.entry is None:
            return [*strange, *(row for row, _ in last.values())], gone, []
        kept, more = await self._entries(last)
        return [*strange, *kept], [*gone, *more], []

    def _key(self, fields: dict[str, Any] | None) -> str:
        if fields is None:
            return ""
        if self.keys.id:
            found = walk_path(self.keys.id)(fields)
            return as_key(words(found)) if isinstance(found, str | int) else ""
        try:
            return self._key_of(fields)
        except RowError:
            return ""

    def _is_older(self, key: str, fields: dict[str, Any] | None) -> bool:
        """Whether a later event for this key came before."""
        if self.keys.since is None:
            return False
        moment = _happened(fields, self.keys.since, _zone(self.keys.since, self.source))
        if moment is None:
            return False
        known = self._latest.setdefault(key, moment)
        self._latest[key] = max(known, moment)
        return moment < known

    def _is_gone(self, fields: dict[str, Any] | None) -> bool:
        if fields is None or self.keys.removed is None:
            return False
        found = walk_path(self.keys.removed.path)(fields)
        return found is not None and words(found).casefold() in self._gone_words

    async def _entries(
        self, events: dict[str, tuple[Row, dict[str, Any] | None]]
    ) -> tuple[list[Row], list[str]]:
        """The records behind these events; one that cannot be had is a fault of its row."""
        found = await asyncio.gather(
            *(self._entry(row, fields or {}) for row, fields in events.values()), return_exceptions=True
        )
        kept: list[Row] = []
        gone: list[str] = []
        errors: list[FetchError] = []
        for (key, (row, _)), one in zip(events.items(), found, strict=True):
            if isinstance(one, Row):
                kept.append(one)
            elif one is None:
                gone.append(key)
            elif isinstance(one, FetchError) and not isinstance(one, Forbidden | Slowdown):
                errors.append(one)
                kept.append(
                    Row(raw=row.raw, where=row.where, fault=f"its entry cannot be read: {one.reason}")
                )
            else:
                raise one
        if errors and len(errors) == len(events):
            raise errors[0]
        return kept, gone

    async def _entry(self, row: Row, fields: dict[str, Any]) -> Row | None:
        entry = self.keys.entry
        assert entry is not None
        own = self.keys.id or (self.source.theirs["id"][""].path or ("id",))[0]
        values = {name: walk_path(own if name == "id" else name)(fields) for name in slots(entry.url)}
        url = urljoin(self.keys.url, fill_url(entry.url, values))
        reply = await self.client.get(self.source, url, expect=expected(self.form), answers=(404, 410))
        if reply.status in (404, 410):
            return None
        form = msgspec.structs.replace(self.form, items=entry.items or ".", each="")
        inner, _ = rows_of(reply, self.source, form)
        if not inner:
            return Row(raw=row.raw, where=row.where, fault=f"its entry is empty at {entry.items!r}")
        if self._is_gone(_fields(inner[0])):
            return None
        return msgspec.structs.replace(inner[0], where=row.where)


def _fields(row: Row) -> dict[str, Any] | None:
    try:
        return row.decode()
    except ValueError:
        return None


async def _chain(events: _Events, state: _State) -> AsyncIterator[Page]:
    """Pages that link to each other; the last one is asked for again in the next run."""
    keys, source, client = events.keys, events.source, events.client
    url = state.url or keys.url
    since = Validators(state.etag, state.modified)
    visited: set[str] = set()
    while True:
        visited.add(url)
        reply = await client.get(
            source,
            url,
            params=events.pairs() if url == keys.url else (),
            since=since or None,
            expect=expected(events.form),
            headers={},
        )
        if reply.unchanged:
            cursor = msgspec.to_builtins(_State(url=url, etag=since.etag, modified=since.modified))
            notes = ["not modified since the last run"]
            yield Page(rows=(), cursor=cursor, last=True, keep_cursor=True, url=reply.shown, notes=notes)
            return
        found, notes = rows_of(reply, source, events.form)
        rows, gone, said = await events.sort(found)
        link = at(reply.body, keys.next_url_path) if reply.body else None
        following = _link(words(link), keys, reply.url) if link not in (None, "", False) else ""
        following = client.bare(source, following)
        if following and following in visited:
            shown = client.show(source, following)
            raise Looping(source.id, f"{reply.shown}: its next page, {shown}, was read before")
        known = reply.validators
        after = (
            _State(url=following) if following else _State(url=url, etag=known.etag, modified=known.modified)
        )
        yield Page(
            rows=rows,
            gone=gone,
            cursor=msgspec.to_builtins(after),
            last=not following,
            keep_cursor=True,
            url=reply.shown,
            notes=[*notes, *said],
        )
        if not following:
            return
        url, since = following, Validators()


def _link(link: str, keys: Feed, base: str) -> str:
    return urljoin(base, fill_url(keys.next_url, {"next": link}) if keys.next_url else link)


async def _stream(events: _Events, state: _State) -> AsyncIterator[Page]:
    """A snapshot of everything, once; then what happened since the newest event that is known."""
    keys = events.keys
    assert keys.since is not None
    if keys.snapshot and not state.snapshot and not state.since:
        async for page in _snapshot(events, state):
            yield page
    since = state.since or keys.since.initial_value
    pairs = [*events.pairs(), (keys.since.param, since)]
    form = _as_json(events)
    reply = await events.client.download(events.source, keys.url, params=pairs, expect=expected(form))
    newest = state.newest
    notes: list[str] = []
    if reply.status != 204:
        batches = Batches(events.source, reply, form, 0)
        for found in batches:
            newest = _newest(found, keys.since, events.source, newest)
            rows, gone, said = await events.sort(found)
            # until its end is read, the stream is asked for from the same moment again
            yield Page(
                rows=rows,
                gone=gone,
                cursor=msgspec.to_builtins(msgspec.structs.replace(state, since=since)),
                keep_cursor=True,
                url=reply.shown,
            )
            notes += [note for note in said if note not in notes]
        if batches.cut:
            raise Broken(events.source.id, f"{reply.shown}: {batches.cut}")
        notes += batches.notes
    after = _State(since=_moment(newest, keys.since, events.source) or since, newest=newest, snapshot=True)
    yield Page(
        rows=(), cursor=msgspec.to_builtins(after), last=True, keep_cursor=True, url=reply.shown, notes=notes
    )


async def _snapshot(events: _Events, state: _State) -> AsyncIterator[Page]:
    """Everything there is; `state` then knows the newest of it."""
    keys = events.keys
    assert keys.since is not None
    begun = datetime.now(UTC).isoformat()
    form = _as_json(events)
    reply = await events.client.download(
        events.source, keys.snapshot, params=events.pairs(), expect=expected(form)
    )
    batches = Batches(events.source, reply, form, 0)
    for found in batches:
        state.newest = _newest(found, keys.since, events.source, state.newest)
        rows, gone, _ = await events.sort(found)
        yield Page(rows=rows, gone=gone, cursor=None, keep_cursor=True, url=reply.shown)
    if batches.cut:
        raise Broken(events.source.id, f"{reply.shown}: {batches.cut}")
    state.since = _moment(state.newest or begun, keys.since, events.source)
    state.snapshot = True


def _as_json(events: _Events) -> Format:
    form = events.form
    return form if form.kind else msgspec.structs.replace(form, kind="json")


def _zone(keys: SinceKeys, source: Source) -> ZoneInfo:
    return ZoneInfo(keys.zone or source.dates.zone)


def _happened(fields: dict[str, Any] | None, keys: SinceKeys, zone: ZoneInfo) -> datetime | None:
    """When an event happened. A date that lies ahead is a mistake: nothing may be missed because of it."""
    if fields is None:
        return None
    ahead = datetime.now(UTC) + timedelta(days=1)
    for path in (keys.path,) if isinstance(keys.path, str) else keys.path:
        value = walk_path(path)(fields)
        moment = read_moment(value, zone) if isinstance(value, str | int | float) else None
        if moment is not None and moment <= ahead:
            return moment
    return None


def _newest(rows: Sequence[Row], keys: SinceKeys, source: Source, known: str) -> str:
    """The moment of the newest event so far, in ISO 8601."""
    zone = _zone(keys, source)
    found = [moment for row in rows if (moment := _happened(_fields(row), keys, zone)) is not None]
    if known:
        found.append(datetime.fromisoformat(known))
    return max(found).astimezone(UTC).isoformat() if found else ""


def _moment(newest: str, keys: SinceKeys, source: Source) -> str:
    """The moment from which the stream is asked for, as it wants it."""
    if not newest:
        return ""
    moment = datetime.fromisoformat(newest) - _OVERLAP
    return str(write_moment(moment, keys.format, _zone(keys, source)))
