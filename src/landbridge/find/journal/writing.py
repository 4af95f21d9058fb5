"""What changes the journal: pages of a harvest, the ends of runs, tombstones, quarantine and incidents.

Of a record of a personal kind, nothing outlives its withdrawal but the tombstone: identifier, dates and why.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from landbridge.errors import ConfigError, NotFound, StorageError
from landbridge.find.journal.reading import BUSY, CHUNK, JournalReader, chunks
from landbridge.find.journal.states import COUNTED, Counts, Run, RunState, Seen
from landbridge.find.journal.tables import (
    ERASED,
    contents,
    counters,
    incidents,
    meta,
    quarantine,
    records,
    runs,
    sources,
)
from landbridge.kinds.kind import Kind

EXPIRED = "its last day has passed"  # sent again unchanged, such a record does not come back to life
_SMALL = 256_000_000  # bytes of a journal that is compacted without being asked
_WIPING = 2_000  # milliseconds to wait for readers of the write-ahead log
SCHEMA = 1  # of the tables; another number than the journal's own is refused
LEASE = 60.0  # seconds without a heartbeat until a run may be taken over
RESUME = 3_600.0  # seconds in which an interrupted run goes on at its page; later it would miss what moved


class Journal(JournalReader):
    """The journal of one instance. `url` is a path of a SQLite file, or a SQLAlchemy URL."""

    def __init__(self, url: str | Path, kinds: Mapping[str, Kind]) -> None:
        super().__init__(url, kinds)
        self._personal = [k.name for k in kinds.values() if k.personal]
        self._left = False  # something about a person was erased or replaced since the last compaction
        self._insert: Any = sqlite.insert if self._sqlite else postgresql.insert
        meta.create_all(self.engine)
        with self.engine.begin() as db:
            for name, value in (("seq", 0), ("schema", SCHEMA)):
                db.execute(self._insert(counters).values(name=name, value=value).on_conflict_do_nothing())
            schema = db.execute(sa.select(counters.c.value).where(counters.c.name == "schema")).scalar_one()
        if schema != SCHEMA:
            raise ConfigError(
                f"the journal is of form {schema}, this Landbridge writes form {SCHEMA}",
                hint="back it up with the Landbridge that wrote it, and restore the backup with this one",
            )

    def register(self, name: str, *, member: str, kind: str) -> int:
        """The number of a source, made on first sight."""
        if name in self._ids:
            return self._ids[name]
        with self.engine.begin() as db:
            db.execute(
                self._insert(sources)
                .values(name=name, member=member, kind=kind, alive=0, keeps=False, lease=0.0, next=0.0)
                .on_conflict_do_update(index_elements=["name"], set_={"member": member, "kind": kind})
            )
            number = db.execute(sa.select(sources.c.id).where(sources.c.name == name)).scalar_one()
        self._ids[name] = number
        return int(number)

    def take(self, name: str, owner: str, *, now: float | None = None) -> Run | None:
        """The lease of a source and its run: one interrupted within the last hour goes on where it stopped.

        None when somebody else holds the lease (a heartbeat within the last LEASE seconds).
        """
        now = time.time() if now is None else now
        number = self._number(name)
        with self.engine.begin() as db:
            holder = db.execute(sa.select(sources.c.owner).where(sources.c.id == number)).scalar()
            free = sa.or_(sources.c.lease < now, sources.c.owner == owner, sources.c.owner.is_(None))
            if holder is not None and _is_dead(holder):
                free = sources.c.owner == holder
            taken = db.execute(
                sa.update(sources).where(sources.c.id == number, free).values(owner=owner, lease=now + LEASE)
            )
            if not taken.rowcount:
                return None
            row = db.execute(
                sa.select(runs).where(runs.c.source == number).order_by(runs.c.id.desc()).limit(1)
            ).first()
            if row is not None and row.state == "running" and row.started > now - RESUME:
                pass
            elif row is not None and row.state == "interrupted" and (row.ended or 0.0) > now - RESUME:
                db.execute(sa.update(runs).where(runs.c.id == row.id).values(state="running", ended=None))
            else:
                if row is not None and row.state in {"running", "interrupted"}:  # too old: begin again
                    db.execute(
                        sa.update(sources)
                        .where(sources.c.id == number, sources.c.keeps.is_(False))
                        .values(cursor=None)
                    )
                    db.execute(
                        sa.update(runs)
                        .where(runs.c.id == row.id, runs.c.state == "running")
                        .values(state="failed", ended=now, why="it stopped without a word")
                    )
                row = db.execute(
                    sa.insert(runs)
                    .values(source=number, state="running", started=now, complete=False, why="")
                    .returning(runs)
                ).one()
            cursor = db.execute(sa.select(sources.c.cursor).where(sources.c.id == number)).scalar()
        run = self._run(row, name)
        run.cursor = msgspec.json.decode(cursor) if cursor else None
        return run

    def beat(self, name: str, owner: str) -> bool:
        """A sign of life; False when the lease was taken over."""
        with self.engine.begin() as db:
            done = db.execute(
                sa.update(sources)
                .where(sources.c.id == self._number(name), sources.c.owner == owner)
                .values(lease=time.time() + LEASE)
            )
        return bool(done.rowcount)

    def let_go(self, name: str, owner: str) -> None:
        """Gives a lease back without ending its run, as far as the database still takes a word."""
        with contextlib.suppress(sa.exc.DBAPIError), self.engine.begin() as db:
            db.execute(
                sa.update(sources)
                .where(sources.c.id == self._number(name), sources.c.owner == owner)
                .values(owner=None, lease=0.0)
            )

    def commit(
        self,
        run: Run,
        seen: Sequence[Seen],
        *,
        gone: Sequence[str] = (),
        cursor: Any = None,
        claimed: int | None = None,
        latest_wins: bool = False,
        keep: bool = False,
        now: float | None = None,
    ) -> tuple[Counts, list[tuple[bytes, bytes]]]:
        """One page and its cursor, in one transaction.

        A row is new, changed, unchanged, a duplicate key (the same key twice in a run with other content;
        the first stays, unless `latest_wins` as in an event feed) or quarantined. With `keep`, the cursor is
        good for later runs too. Returns the counts of the
        page, and for changed records what they said before and say now (to notice fields that vanish).
        """
        now = time.time() if now is None else now
        number = self._number(run.source)
        counts = Counts(read=len(seen))
        before_after: list[tuple[bytes, bytes]] = []
        plain = [s for s in seen if s.mapped is None and not s.code]
        understood = [s for s in seen if s.mapped is not None]
        rejected = [s for s in seen if s.code]
        with self.engine.begin() as db:
            personal = self._is_personal(db, number)
            touched = self._touch(db, number, run.id, [s.raw_hash for s in plain])
            if touched < len({s.raw_hash for s in plain}):  # pragma: no branch
                raise sa.exc.InvalidRequestError("a row known a moment ago is gone: the page is read again")
            counts.unchanged = len(plain)
            repeated = len(plain) - len({s.raw_hash for s in plain if not s.again})
            alive, again = self._apply(
                db, number, run.id, understood, counts, before_after, latest_wins=latest_wins, now=now
            )
            repeated += again
            alive -= self._remove(db, number, gone, "the source says so", counts, now)
            if personal:
                self._supersede(db, number, [*(s.mapped.key for s in understood if s.mapped), *gone])
                self._supersede(db, number, [s.key for s in rejected if s.key])
            self._reject(db, number, run.id, rejected, now)
            counts.quarantined = len(rejected)
            keyless = sum(1 for s in rejected if not s.key)
            values: dict[str, Any] = {
                name: runs.c[name] + getattr(counts, name) for name in COUNTED if getattr(counts, name)
            }
            if keyless:
                values["keyless"] = runs.c.keyless + keyless
            if repeated:
                values["repeated"] = runs.c.repeated + repeated
            if claimed is not None:
                values["claimed"] = claimed
            if values:
                db.execute(sa.update(runs).where(runs.c.id == run.id).values(**values))
            state: dict[str, Any] = {
                "cursor": msgspec.json.encode(cursor),
                "keeps": keep,
                "lease": now + LEASE,
            }
            if alive:
                state["alive"] = sources.c.alive + alive
            db.execute(sa.update(sources).where(sources.c.id == number).values(**state))
        if personal and (counts.changed or counts.gone or rejected):
            self._wipe()
        for name in COUNTED:
            setattr(run.counts, name, getattr(run.counts, name) + getattr(counts, name))
        run.keyless += keyless
        run.repeated += repeated
        run.claimed = claimed if claimed is not None else run.claimed
        return counts, before_after

    def _touch(self, db: sa.Connection, number: int, run: int, raw_hashes: Sequence[bytes]) -> int:
        touched = 0
        for part in chunks(list(dict.fromkeys(raw_hashes))):
            touched += db.execute(
                sa.update(records)
                .where(records.c.source == number, records.c.raw.in_(part), records.c.gone.is_(None))
                .values(run=run)
            ).rowcount
        return touched

    def _apply(
        self,
        db: sa.Connection,
        number: int,
        run: int,
        seen: Sequence[Seen],
        counts: Counts,
        before_after: list[tuple[bytes, bytes]],
        *,
        latest_wins: bool,
        now: float,
    ) -> tuple[int, int]:
        """New and changed records; returns by how many the living grew, and the rows met before in this run."""
        if not seen:
            return 0, 0
        again = 0
        if latest_wins:
            seen, again = _last_words(seen, counts)
        old: dict[str, Any] = {}
        keys = list(dict.fromkeys(s.mapped.key for s in seen if s.mapped))
        for part in chunks(keys):
            rows = db.execute(
                sa.select(
                    records.c.id,
                    records.c.key,
                    records.c.hash,
                    records.c.run,
                    records.c.gone,
                    records.c.gone_why,
                    records.c.expires,
                ).where(records.c.source == number, records.c.key.in_(part))
            )
            old.update((row.key, row) for row in rows)
        fresh: dict[str, Seen] = {}
        update: dict[str, Seen] = {}
        same: dict[str, Seen] = {}
        gone: list[str] = []
        for one in seen:
            assert one.mapped is not None
            key = one.mapped.key
            earlier = fresh.get(key) or update.get(key) or same.get(key)
            known = old.get(key)
            if one.mapped.gone:
                counts.unchanged += known is None or known.gone is not None
                counts.changed += known is not None and known.gone is None
                gone.append(key)
            elif earlier is not None or (known is not None and known.run == run and known.gone is None):
                again += 1
                last = earlier.hash if earlier is not None else old[key].hash
                if last == one.hash:
                    counts.unchanged += 1
                elif latest_wins:
                    counts.changed += 1
                    (fresh if key in fresh else update)[key] = one
                else:
                    counts.duplicate_key += 1
            elif known is None:
                counts.new += 1
                fresh[key] = one
            elif known.hash == one.hash and (known.gone is None or known.gone_why == EXPIRED):
                counts.unchanged += 1
                same[key] = one
            elif known.hash == ERASED and known.gone_why == EXPIRED and known.expires == one.expires:
                counts.unchanged += 1  # nothing is left to compare but its last day
            else:
                counts.changed += 1
                update[key] = one
        grown = len(fresh) + sum(1 for key in update if old[key].gone is not None)
        steps = len(fresh) + len(update)
        seq = self._next(db, steps) if steps else 0
        if same:
            db.execute(
                sa.update(records)
                .where(records.c.id == sa.bindparam("b_id"))
                .values(run=run, raw=sa.bindparam("b_raw")),
                [{"b_id": old[k].id, "b_raw": s.raw_hash} for k, s in same.items()],
            )
        if update:
            ids = [old[k].id for k in update]
            before: dict[int, bytes] = {}
            for part in chunks(ids):
                before.update(
                    (r.record, r.data)
                    for r in db.execute(
                        sa.select(contents.c.record, contents.c.data).where(contents.c.record.in_(part))
                    )
                )
            before_after += [(before.get(old[k].id, b"{}"), s.data) for k, s in update.items()]
            db.execute(
                sa.update(records)
                .where(records.c.id == sa.bindparam("b_id"))
                .values(
                    hash=sa.bindparam("b_hash"),
                    raw=sa.bindparam("b_raw"),
                    run=run,
                    changed=now,
                    expires=sa.bindparam("b_expires"),
                    gone=None,
                    gone_why="",
                    seq=sa.bindparam("b_seq"),
                ),
                [
                    {
                        "b_id": old[k].id,
                        "b_hash": s.hash,
                        "b_raw": s.raw_hash,
                        "b_expires": s.expires,
                        "b_seq": seq + n,
                    }
                    for n, (k, s) in enumerate(update.items())
                ],
            )
            db.execute(
                sa.update(contents)
                .where(contents.c.record == sa.bindparam("b_record"))
                .values(
                    language=sa.bindparam("b_language"),
                    url=sa.bindparam("b_url"),
                    data=sa.bindparam("b_data"),
                    translations=sa.bindparam("b_translations"),
                ),
                [
                    {
                        "b_record": old[k].id,
                        "b_language": s.mapped.language if s.mapped else "",
                        "b_url": s.url,
                        "b_data": s.data,
                        "b_translations": s.translations,
                    }
                    for k, s in update.items()
                ],
            )
            seq += len(update)
        if fresh:
            first = self._next(db, len(fresh), "record")
            db.execute(
                sa.insert(records),
                [
                    {
                        "id": first + n,
                        "source": number,
                        "key": key,
                        "hash": s.hash,
                        "raw": s.raw_hash,
                        "run": run,
                        "first_seen": now,
                        "changed": now,
                        "expires": s.expires,
                        "gone": None,
                        "gone_why": "",
                        "seq": seq + n,
                    }
                    for n, (key, s) in enumerate(fresh.items())
                ],
            )
            db.execute(
                sa.insert(contents),
                [
                    {
                        "record": first + n,
                        "language": s.mapped.language if s.mapped else "",
                        "url": s.url,
                        "data": s.data,
                        "translations": s.translations,
                    }
                    for n, s in enumerate(fresh.values())
                ],
            )
        return grown - self._remove(db, number, gone, "the source says so", counts, now), again

    def _remove(
        self, db: sa.Connection, number: int, keys: Sequence[str], why: str, counts: Counts, now: float
    ) -> int:
        """Tombstones for living records; returns how many."""
        if not keys:
            return 0
        ids: list[int] = []
        for part in chunks(list(dict.fromkeys(keys))):
            rows = db.execute(
                sa.select(records.c.id).where(
                    records.c.source == number, records.c.key.in_(part), records.c.gone.is_(None)
                )
            )
            ids += [row[0] for row in rows]
        self._bury(db, ids, why, now)
        counts.gone += len(ids)
        return len(ids)

    def _bury(self, db: sa.Connection, ids: Sequence[int], why: str, now: float) -> None:
        if not ids:
            return
        seq = self._next(db, len(ids))
        db.execute(
            sa.update(records)
            .where(records.c.id == sa.bindparam("b_id"))
            .values(gone=now, gone_why=why, seq=sa.bindparam("b_seq")),
            [{"b_id": one, "b_seq": seq + n} for n, one in enumerate(ids)],
        )
        for part in chunks(ids):
            self._erase(db, records.c.id.in_(part))

    def _is_personal(self, db: sa.Connection, number: int) -> bool:
        kind = db.execute(sa.select(sources.c.kind).where(sources.c.id == number)).scalar()
        return kind in self._personal

    def _erase(self, db: sa.Connection, which: sa.ColumnElement[bool]) -> int:
        """Takes everything but the tombstone from these records, as far as they are gone and of a personal kind.

        Returns how many. Rows of theirs that wait in quarantine go as well.
        """
        if not self._personal:
            return 0
        rows = db.execute(
            sa.select(records.c.id, records.c.source, records.c.key)
            .join(sources, sources.c.id == records.c.source)
            .where(which, sources.c.kind.in_(self._personal))
            .where(records.c.gone.is_not(None), records.c.hash != ERASED)
        ).all()
        for part in chunks(rows):
            ids = [row.id for row in part]
            db.execute(sa.update(records).where(records.c.id.in_(ids)).values(hash=ERASED, raw=ERASED))
            db.execute(
                sa.update(contents)
                .where(contents.c.record.in_(ids))
                .values(language="", url="", data=b"{}", translations=None)
            )
        for number in {row.source for row in rows}:
            self._supersede(db, number, [row.key for row in rows if row.source == number])
        return len(rows)

    def _supersede(self, db: sa.Connection, number: int, keys: Sequence[str]) -> None:
        """Erases what waits in quarantine under these keys."""
        for part in chunks(list(dict.fromkeys(keys))):
            db.execute(sa.delete(quarantine).where(quarantine.c.source == number, quarantine.c.key.in_(part)))

    def compact(self) -> None:
        """Writes the journal anew, so that no byte of what was erased is left between its rows.

        SQLite overwrites what is deleted, but a page whose rows moved to another may keep a copy of them;
        PostgreSQL keeps dead rows until then. Nobody else can write meanwhile. Raises StorageError.
        """
        commands = ["VACUUM"] if self._sqlite else ["VACUUM FULL contents", "VACUUM FULL quarantine"]
        raw = self.engine.raw_connection()
        driver: Any = raw.driver_connection
        try:
            if not self._sqlite:
                driver.autocommit = True
            for command in commands:
                raw.cursor().execute(command)
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise StorageError(
                f"the journal cannot be compacted: {error}",
                hint="when no harvest runs, and with as much room again",
            ) from error
        finally:
            if not self._sqlite:
                driver.autocommit = False
            raw.close()
        self._wipe()
        self._left = False

    def _compact_if_small(self) -> None:
        name = self.engine.url.database
        if not self._left or not self._sqlite or not name or os.path.getsize(name) > _SMALL:
            return
        with contextlib.suppress(StorageError):  # a busy one is compacted after the next run
            self.compact()

    def _wipe(self) -> None:
        """Takes what was erased out of SQLite's write-ahead log too; where a reader is in the way, the next does."""
        self._left = True
        if not self._sqlite:
            return
        raw = self.engine.raw_connection()
        try:
            raw.cursor().execute(f"PRAGMA busy_timeout={_WIPING}")
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            raw.cursor().execute(f"PRAGMA busy_timeout={BUSY}")
        finally:
            raw.close()

    def _reject(self, db: sa.Connection, number: int, run: int, seen: Sequence[Seen], now: float) -> None:
        if not seen:
            return
        for part in chunks([s.raw_hash for s in seen]):
            db.execute(
                sa.delete(quarantine).where(quarantine.c.source == number, quarantine.c.raw_hash.in_(part))
            )
        db.execute(
            sa.insert(quarantine),
            [
                {
                    "source": number,
                    "run": run,
                    "at": now,
                    "where": s.where,
                    "key": s.key,
                    "code": s.code,
                    "field": s.field,
                    "value": s.value,
                    "reason": s.reason,
                    "raw": s.raw,
                    "raw_hash": s.raw_hash,
                }
                for s in seen
            ],
        )
        # the last good version of a quarantined record stays and counts as seen
        for keys in chunks([s.key for s in seen if s.key]):
            db.execute(
                sa.update(records)
                .where(records.c.source == number, records.c.key.in_(keys), records.c.gone.is_(None))
                .values(run=run)
            )

    def touch_keys(self, run: Run, keys: Sequence[str]) -> int:
        """Marks records as still present (a sitemap that says they did not change)."""
        number = self._number(run.source)
        touched = 0
        with self.engine.begin() as db:
            for part in chunks(keys):
                touched += db.execute(
                    sa.update(records)
                    .where(records.c.source == number, records.c.key.in_(part), records.c.gone.is_(None))
                    .values(run=run.id)
                ).rowcount
        return touched

    def _next(self, db: sa.Connection, steps: int, name: str = "seq") -> int:
        """The first of `steps` new numbers; the row lock keeps their order the order of commits."""
        last = db.execute(
            self._insert(counters)
            .values(name=name, value=steps)
            .on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + steps})
            .returning(counters.c.value)
        ).scalar_one()
        return int(last) - steps + 1

    def finish(
        self,
        run: Run,
        state: RunState,
        *,
        complete: bool = False,
        why: str = "",
        remove_absent: bool = False,
        held: int = 0,
        cursor: Literal["drop", "keep", "resume"] = "drop",
        all_sent: bool = True,
        next_at: float = 0.0,
        now: float | None = None,
    ) -> int:
        """Ends a run: removes what it proved absent, gives back the lease. Returns how many went.

        The cursor is dropped, kept for the next run, or left for this run to be resumed. A complete run that
        was sent everything clears the quarantine of rows that came no more.
        """
        now = time.time() if now is None else now
        number = self._number(run.source)
        gone = waited = 0
        with self.engine.begin() as db:
            if remove_absent:
                ids = (
                    db.execute(
                        sa.select(records.c.id).where(
                            records.c.source == number, records.c.gone.is_(None), records.c.run != run.id
                        )
                    )
                    .scalars()
                    .all()
                )
                self._bury(db, ids, "no longer in the register", now)
                gone = len(ids)
            if complete and all_sent:  # rows that are no longer sent need no longer be understood
                waited = db.execute(
                    sa.delete(quarantine).where(quarantine.c.source == number, quarantine.c.run != run.id)
                ).rowcount
            personal = self._is_personal(db, number)
            erased = gone + waited
            if personal:  # also what went before its kind was personal
                erased += self._erase(db, records.c.source == number)
            db.execute(
                sa.update(runs)
                .where(runs.c.id == run.id)
                .values(
                    state=state,
                    ended=now,
                    complete=complete,
                    why=why,
                    held=held,
                    gone=runs.c.gone + gone,
                )
            )
            values: dict[str, Any] = {
                "owner": None,
                "lease": 0.0,
                "next": next_at,
                "alive": sources.c.alive - gone,
            }
            if cursor == "drop":
                values["cursor"] = None
            if run.claimed is not None:  # a register that counts rows it sends twice claims fewer records
                different = run.counts.read - run.repeated
                values["claimed"] = min(run.claimed, different) if complete else run.claimed
            db.execute(sa.update(sources).where(sources.c.id == number).values(**values))
        if personal:
            if erased:
                self._wipe()
            self._compact_if_small()
        run.counts.gone += gone
        run.counts.held = held
        run.state, run.ended, run.complete, run.why = state, now, complete, why
        return gone

    def release(self, run_id: int, *, now: float | None = None) -> int:
        """Carries out the removals of a held run that a person has looked at. Returns how many went."""
        now = time.time() if now is None else now
        with self.engine.begin() as db:
            row = db.execute(sa.select(runs).where(runs.c.id == run_id)).first()
            if row is None or row.state != "held":
                raise NotFound(f"no held run {run_id}")
            ids = (
                db.execute(
                    sa.select(records.c.id).where(
                        records.c.source == row.source, records.c.gone.is_(None), records.c.run < run_id
                    )
                )
                .scalars()
                .all()
            )
            self._bury(db, ids, "no longer in the register; released by a person", now)
            db.execute(
                sa.update(runs)
                .where(runs.c.id == run_id)
                .values(state="complete", held=0, gone=runs.c.gone + len(ids))
            )
            db.execute(
                sa.update(sources).where(sources.c.id == row.source).values(alive=sources.c.alive - len(ids))
            )
            personal = self._is_personal(db, row.source)
        if personal:
            self._wipe()
            self._compact_if_small()
        return len(ids)

    def expire(self, *, now: float | None = None) -> int:
        """Buries living records whose own last day has passed, of sources that declare it. Returns how many."""
        now = time.time() if now is None else now
        total = 0
        with self.engine.begin() as db:
            rows = db.execute(
                sa.select(records.c.id, records.c.source).where(
                    records.c.expires.is_not(None), records.c.expires < now, records.c.gone.is_(None)
                )
            ).all()
            self._bury(db, [r.id for r in rows], EXPIRED, now)
            by_source: dict[int, int] = {}
            for row in rows:
                by_source[row.source] = by_source.get(row.source, 0) + 1
            for number, count in by_source.items():
                db.execute(
                    sa.update(sources).where(sources.c.id == number).values(alive=sources.c.alive - count)
                )
                total += count
            personal = any(self._is_personal(db, number) for number in by_source)
        if personal:
            self._wipe()
            self._compact_if_small()
        return total

    def open_incident(self, source: str, code: str, what: str, *, now: float | None = None) -> None:
        """Opens an incident, or renews the words of the one that is open under this code."""
        now = time.time() if now is None else now
        number = self._number(source)
        with self.engine.begin() as db:
            known = db.execute(
                sa.update(incidents)
                .where(incidents.c.source == number, incidents.c.code == code, incidents.c.closed.is_(None))
                .values(what=what)
            )
            if not known.rowcount:
                db.execute(sa.insert(incidents).values(source=number, code=code, what=what, opened=now))

    def close_incidents(self, source: str, *, but: Iterable[str] = (), now: float | None = None) -> None:
        """Closes the open incidents of a source, except those of the codes in `but`."""
        now = time.time() if now is None else now
        with self.engine.begin() as db:
            db.execute(
                sa.update(incidents)
                .where(
                    incidents.c.source == self._number(source),
                    incidents.c.closed.is_(None),
                    incidents.c.code.not_in(list(but)),
                )
                .values(closed=now)
            )

    def forget_quarantined(self, ids: Sequence[int], *, before: Run) -> None:
        """Drops these rows, but for those that the run itself has put back under the same number."""
        with self.engine.begin() as db:
            for part in chunks(ids):
                old = sa.and_(quarantine.c.id.in_(part), quarantine.c.run < before.id)
                db.execute(sa.delete(quarantine).where(old))
        if self._personal:
            self._wipe()

    def copy_to(self, other: "Journal", report: Callable[[str, int], None] | None = None) -> int:
        """Everything, into an empty journal of either kind; returns how many rows. Raises ConfigError."""
        with other._reader.connect() as there:
            if there.execute(sa.select(sa.func.count()).select_from(sources)).scalar_one():
                raise ConfigError("the journal to copy into is not empty")
        done = 0
        with self._reader.connect() as here, other.engine.begin() as there:
            there.execute(sa.delete(counters))
            for table in meta.sorted_tables:
                rows = here.execution_options(yield_per=CHUNK).execute(sa.select(table))
                for part in rows.mappings().partitions(CHUNK):
                    there.execute(sa.insert(table), [dict(row) for row in part])
                    done += len(part)
                    if report is not None:
                        report(table.name, len(part))
            if not other._sqlite:
                for table in (sources, runs, quarantine, incidents):
                    there.execute(
                        sa.text(
                            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"  # noqa: S608 our own names
                            f" (SELECT coalesce(max(id), 1) FROM {table.name}))"
                        )
                    )
        return done


def _last_words(seen: Sequence[Seen], counts: Counts) -> tuple[list[Seen], int]:
    """Of several events of one record on a page, the last is what it now is; counts the others, and how many.

    A record that came and went on the page is kept as both, so that it can be said to be gone.
    """
    last: dict[tuple[str, bool], int] = {}
    for n, one in enumerate(seen):
        if one.mapped is not None:
            if not one.mapped.gone:
                last.pop((one.mapped.key, True), None)
            last[(one.mapped.key, one.mapped.gone)] = n
    kept = set(last.values())
    for n, one in enumerate(seen):
        if n in kept or one.mapped is None:
            continue
        final = last.get((one.mapped.key, one.mapped.gone))
        if one.mapped.gone or (final is not None and seen[final].hash == one.hash):
            counts.unchanged += 1
        else:
            counts.duplicate_key += 1
    return [seen[n] for n in sorted(kept)], len(seen) - len(kept)


def worker() -> str:
    """A name for a holder of leases: host, process and a number of its own."""
    return f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is no more: its lease need not run out."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
