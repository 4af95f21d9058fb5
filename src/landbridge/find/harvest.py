"""A harvest: pages of a register become records in the journal, and nothing is lost, guessed or hidden.

A row that cannot be understood is quarantined with its reason; a register that cannot be read keeps its
last good data; a run that would remove too much waits for a person. Every ending that is not plain
success opens one incident that names the cause.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from landbridge.errors import FetchError, RowError, Slowdown, SourceError, StorageError
from landbridge.find.connect.page import Page, fingerprint
from landbridge.find.journal import LEASE, Counts, Journal, Quarantined, Run, RunState, Seen, worker
from landbridge.find.mapping import Mapper, read_row
from landbridge.find.read import Row, read
from landbridge.find.source import Source
from landbridge.kinds.kind import Kind

_encode = msgspec.json.Encoder().encode
REPLAY_PAGE = 1_000
_VANISHED = 0.05  # a field gone from more than this share of the records that had it is drift
_FEW = 5  # below so many records, shares mean nothing


class Harvested(msgspec.Struct):
    """What one harvest of one source did; the five counts after `read` add up to it."""

    source: str
    state: str = "complete"
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicate_key: int = 0
    quarantined: int = 0
    gone: int = 0
    held: int = 0
    claimed: int | None = None
    why: str = ""
    notes: list[str] = []


Pages = Callable[[Any], AsyncIterator[Page]]  # cursor → pages
Progress = Callable[[str, Counts, int | None], None]


class Reader:
    """Rows of one source as the journal takes them."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self.mapper = Mapper(source, kind)
        self.source = source
        self._expiring = next((f.name for f in kind.of_type("date") if f.name == "expires"), "")
        self._url = next((f.name for f in kind.of_type("url")), "")
        fields = _encode([(f.name, f.type, f.many, sorted(f.values)) for f in kind.fields.values()])
        self._salt = hashlib.blake2b(fingerprint(source).encode() + fields, digest_size=16).digest()

    def hash(self, raw: bytes) -> bytes:
        """Of a row's bytes, under this mapping: a changed source file makes every row new to read."""
        return hashlib.blake2b(raw, digest_size=16, key=self._salt).digest()

    def see(self, row: Row, raw_hash: bytes, at: datetime) -> Seen:
        """One row, understood or with the reason why not."""
        value: Any = row.value
        try:
            if row.fault:
                raise RowError(self.source.id, row.fault)
            try:
                value = row.decode()
            except ValueError as error:
                raise RowError(self.source.id, str(error)) from error
            mapped = read_row(self.mapper, value, at=at)
        except RowError as error:
            return self._rejected(row, raw_hash, value, error)
        if mapped.gone:
            return Seen(raw_hash=raw_hash, where=row.where, mapped=mapped)
        data = _encode(mapped.values)
        translations = _encode(mapped.translations) if mapped.translations else None
        digest = hashlib.blake2b(data, digest_size=16, key=mapped.language.encode()[:16])
        if translations:
            digest.update(translations)
        return Seen(
            raw_hash=raw_hash,
            where=row.where,
            mapped=mapped,
            hash=digest.digest(),
            data=data,
            translations=translations,
            url=(getattr(mapped.values, self._url) or "") if self._url else "",
            expires=self._expires(mapped.values),
        )

    def _expires(self, values: Any) -> float | None:
        if self.source.deletes != "expiry" or not self._expiring:
            return None
        day = getattr(values, self._expiring)
        if not day:
            return None
        until = datetime.fromisoformat(day)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return until.timestamp() + (86_400 if len(day) == 10 else 0)

    def _rejected(self, row: Row, raw_hash: bytes, value: Any, error: RowError) -> Seen:
        key = ""
        if isinstance(value, dict):
            try:
                key = self.mapper.key(value)
            except RowError:
                key = ""
        return Seen(
            raw_hash=raw_hash,
            where=row.where,
            key=key,
            code=error.code,
            field=error.field,
            value=error.value,
            reason=error.reason + (f"; {error.hint}" if error.hint else ""),
            raw=_encode(value) if isinstance(value, dict) else row.raw,
        )


async def harvest(
    source: Source,
    pages: Pages,
    *,
    journal: Journal,
    kind: Kind,
    at: datetime | None = None,
    progress: Progress | None = None,
    recorded: bool = False,
) -> Harvested:
    """One run of one source, from its cursor to its end.

    1. take the lease, or say who has it     4. judge the ending: complete, partial, held, failed
    2. read page by page, commit each        5. remove what is proven absent, within `max_drop`
    3. note fields that vanish               6. open or close incidents

    Raises StorageError when our own disk or database refuses; never for what a register
    does: that is in the answer's `state` and `why`. A `recorded` file may be
    a part of the register: how many records to expect does not apply to it.
    """
    if source.store == "live-only":
        return Harvested(source.id, state="failed", why="live-only: this register may not be copied")
    at = at or datetime.now(UTC)
    journal.register(source.id, member=source.member, kind=source.kind)
    me = worker()
    run = journal.take(source.id, me)
    if run is None:
        return Harvested(source.id, state="failed", why="another process is harvesting it")
    alive_before = journal.alive(source.id)
    lost = _Lost()
    notes: list[str] = []
    last: Page | None = None
    still = False
    error: SourceError | None = None
    reader = Reader(source, kind)
    heart = asyncio.create_task(_beat(journal, source.id, me))
    try:
        async for page in pages(run.cursor):
            await _commit(page, run, reader, journal, lost, at)
            still = still or bool(page.still)
            notes += [n for n in page.notes if n not in notes]
            if progress is not None:
                progress(source.id, run.counts, run.claimed)
            if page.last:
                last = page
            await asyncio.sleep(0)
    except SourceError as failure:
        error = failure
    except sa.exc.DBAPIError as failure:
        journal.let_go(source.id, me)
        raise StorageError(
            f"{source.id}: the journal refuses a page: {failure.orig}",
            hint="every page before it is kept; make room and harvest again: it goes on at its page",
        ) from failure
    finally:
        heart.cancel()
    _end(
        source,
        run,
        journal,
        last,
        error,
        lost,
        alive_before,
        notes,
        at,
        all_sent=not still,
        recorded=recorded,
    )
    c = run.counts
    return Harvested(
        source=source.id,
        state=run.state,
        **{name: getattr(c, name) for name in Counts.__struct_fields__},
        claimed=run.claimed,
        why=run.why,
        notes=notes,
    )


async def _beat(journal: Journal, name: str, me: str) -> None:
    while True:
        await asyncio.sleep(LEASE / 4)
        journal.beat(name, me)


async def _commit(
    page: Page, run: Run, reader: Reader, journal: Journal, lost: "_Lost", at: datetime
) -> None:
    hashes = [reader.hash(row.raw) for row in page.rows]
    events = reader.source.deletes == "tombstone"
    # the order of events matters: one that is known must still undo the one before it
    known = journal.known(run, hashes) if hashes and not events else {}
    seen = [
        Seen(raw_hash=h, again=known[h]) if h in known else reader.see(row, h, at)
        for row, h in zip(page.rows, hashes, strict=True)
    ]
    _, pairs = journal.commit(
        run,
        seen,
        gone=page.gone,
        cursor=page.cursor,
        claimed=page.claimed,
        latest_wins=events,
        keep=page.keep_cursor,
    )
    if page.still:
        journal.touch_keys(run, page.still)
    lost.count(pairs)


class _Lost:
    """How many changed records had a field before and have it no more."""

    def __init__(self) -> None:
        self.had: dict[str, int] = {}
        self.lost: dict[str, int] = {}

    def count(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        for before, after in pairs:
            now = msgspec.json.decode(after)
            for field in msgspec.json.decode(before):
                self.had[field] = self.had.get(field, 0) + 1
                if field not in now:
                    self.lost[field] = self.lost.get(field, 0) + 1

    def vanished(self, alive: int) -> list[str]:
        """Fields that went from more than 5 % of all the records, in words."""
        return [
            f"{field} is gone from {count:,} of {self.had[field]:,} changed records that had it"
            for field, count in self.lost.items()
            if count > max(_FEW, _VANISHED * alive) and count > 0.5 * self.had[field]
        ]


def _end(
    source: Source,
    run: Run,
    journal: Journal,
    last: Page | None,
    error: SourceError | None,
    lost: _Lost,
    alive_before: int,
    notes: list[str],
    at: datetime,
    *,
    all_sent: bool,
    recorded: bool,
) -> None:
    """Steps 4 to 6 of `harvest`; `all_sent` when no record was only said to be still there."""
    counts = run.counts
    open_codes: dict[str, str] = {}
    if error is not None:
        code = getattr(error, "code", "fetch")
        open_codes[code] = error.reason + (f"; {error.hint}" if error.hint else "")
        retry = error.retry_after if isinstance(error, Slowdown) and error.retry_after else 0.0
        broke: RunState = "interrupted" if counts.read else "failed"
        journal.finish(
            run, broke, why=open_codes[code], cursor="resume", next_at=time.time() + max(retry, 60.0)
        )
        _tell(journal, source.id, open_codes, close=False)
        return
    complete = last is not None and last.complete and not run.keyless
    keep = last is not None and last.keep_cursor
    if counts.read == 0 and alive_before > _FEW and not keep and last is not None and all_sent:
        open_codes["empty"] = f"it answered with no rows where {alive_before:,} records were known"
        complete = False
    low, high = (0, 0) if recorded or source.expect.records is None else source.expect.records
    if complete and low and counts.read < low:
        open_codes["count-collapse"] = f"{counts.read:,} rows, expected at least {low:,}"
        complete = False
    if high and counts.read > high:
        open_codes["count-explosion"] = f"{counts.read:,} rows, expected at most {high:,}"
    if counts.read > _FEW and counts.quarantined > source.expect.max_quarantine * counts.read:
        open_codes["quarantine"] = (
            f"{counts.quarantined:,} of {counts.read:,} rows could not be understood: "
            + _reasons(journal, run, personal=journal.kinds[source.kind].personal)
        )
        complete = False
    for words in lost.vanished(alive_before):
        open_codes["field-vanished"] = words
    fell_short = (
        run.claimed is not None and last is not None and not last.complete and counts.read < run.claimed
    )
    if fell_short:
        open_codes["incomplete"] = f"{counts.read:,} of {run.claimed:,} claimed rows could be read"
    remove, held = False, 0
    if source.deletes == "absence" and complete:
        absent = journal.absent(run)
        if absent and alive_before > _FEW and absent > source.expect.max_drop * alive_before:
            held = absent
            share = absent / alive_before
            words = f"it would remove {absent:,} of {alive_before:,} records ({share:.0%})"
            if counts.new > 0.3 * alive_before:
                words += f" and brings {counts.new:,} new ones: have the identifiers changed?"
            open_codes["held"] = words
        else:
            remove = absent > 0
    wait = source.every * (0.9 + 0.2 * random.random())  # noqa: S311 jitter
    done = complete or (keep and last is not None and not fell_short)
    state: RunState = "held" if held else "complete" if done else "partial"
    if "empty" in open_codes or "count-collapse" in open_codes or "quarantine" in open_codes:
        state = "held" if alive_before else state
    why = "; ".join(open_codes.values()) or "; ".join(notes if state == "partial" else [])
    journal.finish(
        run,
        state,
        complete=complete,
        why=why,
        remove_absent=remove,
        held=held,
        # a held run reads everything again: an unchanged register must not pass for a harvested one
        cursor="keep" if keep and not (state == "held" and last is not None and last.complete) else "drop",
        all_sent=all_sent,
        next_at=time.time() + wait,
    )
    if source.deletes == "expiry":
        journal.expire(now=at.timestamp())
    _tell(journal, source.id, open_codes, close=True)


def _reasons(journal: Journal, run: Run, *, personal: bool) -> str:
    """The most frequent reasons; about people without their words, for runs and incidents are kept."""
    found: dict[str, int] = {}
    for row in journal.quarantined(run.source):
        reason = f"{row.field or 'row'}: {row.code}" if personal else row.reason
        found[reason] = found.get(reason, 0) + 1
    best = sorted(found.items(), key=lambda item: -item[1])[:3]
    return "; ".join(f"{count:,} x {reason}" for reason, count in best)


def _tell(journal: Journal, name: str, codes: dict[str, str], *, close: bool) -> None:
    if close:
        journal.close_incidents(name, but=codes)
    for code, what in codes.items():
        journal.open_incident(name, code, what)


# recorded files instead of the register


def match_replay(source: Source, files: Sequence[Path]) -> list[tuple[Path, Any]]:
    """Those files that `[[replay]]` of a source names by the end of their path, in its order."""
    found: list[tuple[Path, Any]] = []
    for entry in source.replay:
        for pattern in entry.files:
            matches = sorted(f for f in files if f.match(pattern))
            form = source.reading(entry.format)
            found += [(f, form) for f in matches if all(f != known for known, _ in found)]
    return found


def replay_pages(source: Source, files: Sequence[tuple[Path, Any]]) -> Pages:
    """Pages of recorded files, as if the register had sent them. A cursor counts rows already committed."""

    async def pages(cursor: Any) -> AsyncIterator[Page]:
        skip = int(cursor or 0)
        done = 0
        whole = True
        rows: list[Row] = []
        notes: list[str] = []
        for file, form in files:
            reading = read(file, source.id, form)
            try:
                for row in reading:
                    done += 1
                    if done <= skip:
                        continue
                    rows.append(row)
                    if len(rows) >= REPLAY_PAGE:
                        yield Page(rows=rows, cursor=done, url=file.name)
                        rows = []
            except FetchError as error:
                whole = False
                notes.append(f"{file.name}: {error.reason}")
            notes += [f"{file.name}: {note}" for note in reading.notes]
        everything = all(
            any(f.match(pattern) for f, _ in files) for entry in source.replay for pattern in entry.files
        )
        yield Page(
            rows=rows,
            cursor=done,
            claimed=done if whole else None,
            last=True,
            complete=whole and everything,
            notes=notes,
        )

    return pages


def replay_quarantine(
    rows: Sequence[Quarantined], source: Source, *, journal: Journal, kind: Kind, at: datetime | None = None
) -> Harvested:
    """Tries quarantined rows again, after the source file was mended. What is understood leaves the quarantine.

    The rows join a run of their own that removes nothing.
    """
    at = at or datetime.now(UTC)
    reader = Reader(source, kind)
    run = journal.take(source.id, worker())
    if run is None:
        return Harvested(source.id, state="failed", why="another process is harvesting it")
    seen = [reader.see(Row(raw=one.raw, where=one.where), reader.hash(one.raw), at) for one in rows]
    journal.commit(run, seen, cursor=run.cursor, keep=True)
    # a mended source file gives its rows other hashes: the old ones would stand beside those still not understood
    journal.forget_quarantined([one.id for one in rows], before=run)
    journal.finish(run, "complete", why="quarantined rows tried again", cursor="keep")
    c = run.counts
    return Harvested(
        source.id,
        state="complete",
        **{name: getattr(c, name) for name in Counts.__struct_fields__},
        claimed=None,
    )
