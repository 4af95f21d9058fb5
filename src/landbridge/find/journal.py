"""The journal: the truth about every record, run, quarantined row and incident.

SQLite in WAL mode by default, PostgreSQL through the same SQLAlchemy Core statements. A page of a
harvest, its cursor and its counts commit in one transaction; each change gets the next number of one
sequence, and an index follows the journal by that number. Whatever else is lost can be rebuilt from here.
"""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from landbridge.errors import ConfigError, NotFound
from landbridge.find.mapping import Mapped
from landbridge.find.record import Provenance, Record
from landbridge.kinds.kind import Kind

LEASE = 60.0  # seconds without a heartbeat until a run may be taken over
RESUME = 3_600.0  # seconds in which an interrupted run goes on at its page; later it would miss what moved
_CHUNK = 2_000
_T = TypeVar("_T")

meta = sa.MetaData()
_big = sa.BigInteger().with_variant(sa.Integer, "sqlite")

sources = sa.Table(
    "sources",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),  # member/source
    sa.Column("member", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cursor", sa.LargeBinary),
    sa.Column("keeps", sa.Boolean, nullable=False, default=False),  # the cursor is for further runs too
    sa.Column("alive", _big, nullable=False, default=0),
    sa.Column("claimed", _big),
    sa.Column("owner", sa.Text),
    sa.Column("lease", sa.Float, nullable=False, default=0.0),
    sa.Column("next", sa.Float, nullable=False, default=0.0),
)
runs = sa.Table(
    "runs",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),  # a RunState
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("complete", sa.Boolean, nullable=False, default=False),
    sa.Column("claimed", _big),
    *(
        sa.Column(name, _big, nullable=False, default=0)
        for name in ("read", "new", "changed", "unchanged", "duplicate_key", "quarantined", "gone", "held")
    ),
    sa.Column("keyless", _big, nullable=False, default=0),
    sa.Column("repeated", _big, nullable=False, default=0),  # rows whose key this run had met before
    sa.Column("why", sa.Text, nullable=False, default=""),
)
records = sa.Table(
    "records",
    meta,
    sa.Column("id", _big, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),  # of what was understood
    sa.Column("raw", sa.LargeBinary, nullable=False),  # of the bytes as read
    sa.Column("run", sa.Integer, nullable=False),  # that saw it last
    sa.Column("first_seen", sa.Float, nullable=False),
    sa.Column("changed", sa.Float, nullable=False),
    sa.Column("expires", sa.Float),
    sa.Column("gone", sa.Float),
    sa.Column("gone_why", sa.Text, nullable=False, default=""),
    sa.Column("seq", _big, nullable=False),
    sa.UniqueConstraint("source", "key"),
    sa.Index("records_by_raw", "source", "raw"),
    sa.Index("records_by_seq", "source", "seq"),
)
contents = sa.Table(
    "contents",
    meta,
    sa.Column("record", sa.ForeignKey("records.id"), primary_key=True, autoincrement=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),  # JSON: the kind's values
    sa.Column("translations", sa.LargeBinary),
)
quarantine = sa.Table(
    "quarantine",
    meta,
    sa.Column("id", _big, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False, index=True),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("where", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("raw_hash", sa.LargeBinary, nullable=False),
    sa.Index("quarantine_by_raw", "source", "raw_hash"),
)
incidents = sa.Table(
    "incidents",
    meta,
    sa.Column("id", _big, primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.id"), nullable=False, index=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("closed", sa.Float),
)
counters = sa.Table(
    "counters",
    meta,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", _big, nullable=False),
)

_COUNTED = ("read", "new", "changed", "unchanged", "duplicate_key", "quarantined", "gone", "held")
# partial: it ended without having seen everything; interrupted: it broke off and can go on at its page
RunState = Literal["running", "complete", "partial", "interrupted", "held", "failed"]


class Counts(msgspec.Struct):
    """What happened to the rows of a page or a run: the five in the middle add up to `read`."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicate_key: int = 0
    quarantined: int = 0
    gone: int = 0
    held: int = 0


class Run(msgspec.Struct):
    """One harvest of one source, finished or not."""

    id: int
    source: str
    state: RunState
    started: float
    ended: float | None
    complete: bool
    claimed: int | None
    counts: Counts
    keyless: int
    why: str
    repeated: int = 0
    cursor: Any = None


class Seen(msgspec.Struct, frozen=True):
    """A row as the journal takes it: read, and either understood or with the reason why not."""

    raw_hash: bytes
    again: bool = False  # the same bytes came before in this run
    where: str = ""
    mapped: Mapped | None = None
    hash: bytes = b""
    data: bytes = b""
    translations: bytes | None = None
    url: str = ""
    expires: float | None = None
    key: str = ""  # of a quarantined row, where it could be read
    code: str = ""
    field: str = ""
    value: str = ""
    reason: str = ""
    raw: bytes = b""


class Quarantined(msgspec.Struct, frozen=True):
    """A row that waits to be understood."""

    id: int
    source: str
    at: float
    where: str
    key: str
    code: str
    field: str
    value: str
    reason: str
    raw: bytes


class Incident(msgspec.Struct, frozen=True):
    """Something a person should know about a source."""

    id: int
    source: str
    code: str
    what: str
    opened: float
    closed: float | None


class SourceState(msgspec.Struct, frozen=True):
    """How a source stands: its last runs, what it holds and what it claims to hold."""

    name: str
    member: str
    kind: str
    alive: int
    claimed: int | None
    last_run: Run | None
    last_good: float | None  # when the last complete or partial run ended
    incidents: int
    next: float = 0.0


class Change(msgspec.Struct, frozen=True):
    """One step of the sequence: a record as it now is, or the identifier of one that is gone."""

    seq: int
    id: str
    record: Record | None


class Journal:
    """The journal of one instance. `url` is a path of a SQLite file, or a SQLAlchemy URL."""

    def __init__(self, url: str | Path, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        text = str(url)
        if "://" not in text:
            Path(text).parent.mkdir(parents=True, exist_ok=True)
            text = f"sqlite:///{text}"
        if text.startswith("postgresql://"):
            text = "postgresql+psycopg://" + text.removeprefix("postgresql://")
        try:
            self.engine = sa.create_engine(text, connect_args=_connect_args(text))
        except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
            raise ConfigError(
                f"journal {text.split('@')[-1]!r} cannot be opened: {error}",
                hint="a path, or postgresql://user@host/database with landbridge[postgresql] installed",
            ) from error
        self._sqlite = self.engine.dialect.name == "sqlite"
        self._insert: Any = sqlite.insert if self._sqlite else postgresql.insert
        if self._sqlite:
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin)
        self._reader = self.engine.execution_options(landbridge_reads=True)
        meta.create_all(self.engine)
        with self.engine.begin() as db:
            db.execute(self._insert(counters).values(name="seq", value=0).on_conflict_do_nothing())
        self._ids: dict[str, int] = {}

    def close(self) -> None:
        self.engine.dispose()

    # sources and leases

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

    def _number(self, name: str) -> int:
        if name not in self._ids:
            with self._reader.connect() as db:
                number = db.execute(sa.select(sources.c.id).where(sources.c.name == name)).scalar()
            if number is None:
                raise NotFound(f"no source {name} in the journal")
            self._ids[name] = number
        return self._ids[name]

    # pages

    def known(self, run: Run, raw_hashes: Sequence[bytes]) -> dict[bytes, bool]:
        """Those raw hashes whose row is in the journal, alive and understood: they need no decoding.

        True for a row that this very run has met already.
        """
        number = self._number(run.source)
        found: dict[bytes, bool] = {}
        with self._reader.connect() as db:
            for part in _chunks(raw_hashes):
                rows = db.execute(
                    sa.select(records.c.raw, records.c.run).where(
                        records.c.source == number, records.c.raw.in_(part), records.c.gone.is_(None)
                    )
                )
                found.update((row[0], row[1] == run.id) for row in rows)
        return found

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
            self._reject(db, number, run.id, rejected, now)
            counts.quarantined = len(rejected)
            keyless = sum(1 for s in rejected if not s.key)
            values: dict[str, Any] = {
                name: runs.c[name] + getattr(counts, name) for name in _COUNTED if getattr(counts, name)
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
        for name in _COUNTED:
            setattr(run.counts, name, getattr(run.counts, name) + getattr(counts, name))
        run.keyless += keyless
        run.repeated += repeated
        run.claimed = claimed if claimed is not None else run.claimed
        return counts, before_after

    def _touch(self, db: sa.Connection, number: int, run: int, raw_hashes: Sequence[bytes]) -> int:
        touched = 0
        for part in _chunks(list(dict.fromkeys(raw_hashes))):
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
        old: dict[str, Any] = {}
        keys = list(dict.fromkeys(s.mapped.key for s in seen if s.mapped))
        for part in _chunks(keys):
            rows = db.execute(
                sa.select(
                    records.c.id, records.c.key, records.c.hash, records.c.run, records.c.gone, records.c.raw
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
            elif known.hash == one.hash and known.gone is None:
                counts.unchanged += 1
                same[key] = one
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
            for part in _chunks(ids):
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
        for part in _chunks(list(dict.fromkeys(keys))):
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

    def _reject(self, db: sa.Connection, number: int, run: int, seen: Sequence[Seen], now: float) -> None:
        if not seen:
            return
        for part in _chunks([s.raw_hash for s in seen]):
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
        for keys in _chunks([s.key for s in seen if s.key]):
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
            for part in _chunks(keys):
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

    # the end of a run

    def absent(self, run: Run) -> int:
        """How many living records this run did not see."""
        number = self._number(run.source)
        with self._reader.connect() as db:
            return int(
                db.execute(
                    sa.select(sa.func.count())
                    .select_from(records)
                    .where(records.c.source == number, records.c.gone.is_(None), records.c.run != run.id)
                ).scalar_one()
            )

    def alive(self, name: str) -> int:
        with self._reader.connect() as db:
            return int(
                db.execute(sa.select(sources.c.alive).where(sources.c.name == name)).scalar_one_or_none() or 0
            )

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
        gone = 0
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
                db.execute(
                    sa.delete(quarantine).where(quarantine.c.source == number, quarantine.c.run != run.id)
                )
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
            self._bury(db, [r.id for r in rows], "its last day has passed", now)
            by_source: dict[int, int] = {}
            for row in rows:
                by_source[row.source] = by_source.get(row.source, 0) + 1
            for number, count in by_source.items():
                db.execute(
                    sa.update(sources).where(sources.c.id == number).values(alive=sources.c.alive - count)
                )
                total += count
        return total

    # incidents and quarantine

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

    def incidents(self, source: str = "", *, open_only: bool = True) -> list[Incident]:
        query = (
            sa.select(incidents, sources.c.name)
            .join(sources, sources.c.id == incidents.c.source)
            .order_by(incidents.c.id)
        )
        if source:
            query = query.where(sources.c.name == source)
        if open_only:
            query = query.where(incidents.c.closed.is_(None))
        with self._reader.connect() as db:
            return [Incident(r.id, r.name, r.code, r.what, r.opened, r.closed) for r in db.execute(query)]

    def quarantined(self, source: str = "", *, limit: int = 100_000) -> list[Quarantined]:
        """The rows that wait, oldest first."""
        query = (
            sa.select(quarantine, sources.c.name)
            .join(sources, sources.c.id == quarantine.c.source)
            .order_by(quarantine.c.id)
            .limit(limit)
        )
        if source:
            query = query.where(sa.or_(sources.c.name == source, sources.c.member == source))
        with self._reader.connect() as db:
            return [
                Quarantined(
                    r.id, r.name, r.at, r.where, r.key, r.code, r.field, r.value, r.reason, bytes(r.raw)
                )
                for r in db.execute(query)
            ]

    def forget_quarantined(self, ids: Sequence[int]) -> None:
        with self.engine.begin() as db:
            for part in _chunks(ids):
                db.execute(sa.delete(quarantine).where(quarantine.c.id.in_(part)))

    # reading

    def states(self) -> list[SourceState]:
        """How every source stands."""
        with self._reader.connect() as db:
            rows = db.execute(sa.select(sources).order_by(sources.c.name)).all()
            last = dict(
                db.execute(sa.select(runs.c.source, sa.func.max(runs.c.id)).group_by(runs.c.source)).all()
            )
            good = dict(
                db.execute(
                    sa.select(runs.c.source, sa.func.max(runs.c.ended))
                    .where(runs.c.state.in_(["complete", "partial"]))
                    .group_by(runs.c.source)
                ).all()
            )
            open_: dict[int, int] = dict(
                db.execute(
                    sa.select(incidents.c.source, sa.func.count())
                    .where(incidents.c.closed.is_(None))
                    .group_by(incidents.c.source)
                ).all()
            )
            names = {r.id: r.name for r in rows}
            last_runs = {
                r.source: self._run(r, names[r.source])
                for r in db.execute(sa.select(runs).where(runs.c.id.in_(list(last.values()))))
            }
        return [
            SourceState(
                name=r.name,
                member=r.member,
                kind=r.kind,
                alive=r.alive,
                claimed=r.claimed,
                last_run=last_runs.get(r.id),
                last_good=good.get(r.id),
                incidents=open_.get(r.id, 0),
                next=r.next,
            )
            for r in rows
        ]

    def runs(self, source: str, *, limit: int = 20) -> list[Run]:
        """The last runs of a source, newest first."""
        with self._reader.connect() as db:
            rows = db.execute(
                sa.select(runs)
                .where(runs.c.source == self._number(source))
                .order_by(runs.c.id.desc())
                .limit(limit)
            ).all()
        return [self._run(row, source) for row in rows]

    def record(self, id_: str) -> Record:
        """A record by `member/source/key`, gone or not. Raises NotFound."""
        name, _, key = id_.rpartition("/")
        query = self._records().where(sources.c.name == name, records.c.key == key)
        with self._reader.connect() as db:
            row = db.execute(query).first()
        if row is None:
            raise NotFound(f"no record {id_}")
        return self._record(row)

    def records(self, member: str = "", kind: str = "", *, gone: bool = False) -> Iterator[Record]:
        """All records, streamed in the order of the sequence."""
        query = self._records().order_by(records.c.source, records.c.seq)
        if member:
            query = query.where(sources.c.member == member)
        if kind:
            query = query.where(sources.c.kind == kind)
        if not gone:
            query = query.where(records.c.gone.is_(None))
        with self._reader.connect() as db:
            for row in db.execution_options(yield_per=1_000).execute(query):
                yield self._record(row)

    def parts(self) -> list[tuple[str, str]]:
        """The (member, kind) pairs that have sources: one index each."""
        with self._reader.connect() as db:
            rows = db.execute(sa.select(sources.c.member, sources.c.kind).distinct().order_by(*_part))
            return [(r.member, r.kind) for r in rows]

    def changes(self, member: str, kind: str, after: int, *, limit: int = 5_000) -> list[Change]:
        """The next changes of a member's kind behind number `after`, in order."""
        with self._reader.connect() as db:
            numbers = (
                db.execute(sa.select(sources.c.id).where(sources.c.member == member, sources.c.kind == kind))
                .scalars()
                .all()
            )
            rows = db.execute(
                self._records()
                .where(records.c.source.in_(numbers), records.c.seq > after)
                .order_by(records.c.seq)
                .limit(limit)
            ).all()
        return [
            Change(r.seq, f"{r.name}/{r.key}", None if r.gone is not None else self._record(r)) for r in rows
        ]

    def copy_to(self, other: "Journal", report: Callable[[str, int], None] | None = None) -> int:
        """Everything, into an empty journal of either kind; returns how many rows. Raises ConfigError."""
        with other._reader.connect() as there:
            if there.execute(sa.select(sa.func.count()).select_from(sources)).scalar_one():
                raise ConfigError("the journal to copy into is not empty")
        done = 0
        with self._reader.connect() as here, other.engine.begin() as there:
            there.execute(sa.delete(counters))
            for table in meta.sorted_tables:
                rows = here.execution_options(yield_per=_CHUNK).execute(sa.select(table))
                for part in rows.mappings().partitions(_CHUNK):
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

    def check(self) -> list[str]:
        """What is wrong with the journal itself, in words; nothing when all is well."""
        wrong: list[str] = []
        with self._reader.connect() as db:
            if self._sqlite:
                found = db.exec_driver_sql("PRAGMA quick_check").scalar()
                if found != "ok":
                    wrong.append(f"the journal file is damaged: {found}")
            lonely = db.execute(
                sa.select(sa.func.count())
                .select_from(records.outerjoin(contents, contents.c.record == records.c.id))
                .where(contents.c.record.is_(None))
            ).scalar_one()
            if lonely:
                wrong.append(f"{lonely:,} records have lost their contents")
            counted: dict[int, int] = dict(
                db.execute(
                    sa.select(records.c.source, sa.func.count())
                    .where(records.c.gone.is_(None))
                    .group_by(records.c.source)
                ).all()
            )
            for row in db.execute(sa.select(sources.c.id, sources.c.name, sources.c.alive)):
                if counted.get(row.id, 0) != row.alive:
                    wrong.append(
                        f"{row.name}: counts {row.alive:,} records, holds {counted.get(row.id, 0):,}"
                    )
        return wrong

    def last_seq(self, member: str, kind: str) -> int:
        """The last number of the sequence among a member's records of a kind; 0 without any."""
        with self._reader.connect() as db:
            return int(
                db.execute(
                    sa.select(sa.func.max(records.c.seq))
                    .join(sources, sources.c.id == records.c.source)
                    .where(sources.c.member == member, sources.c.kind == kind)
                ).scalar()
                or 0
            )

    def _records(self) -> sa.Select[Any]:
        return (
            sa.select(
                records.c.key,
                records.c.hash,
                records.c.first_seen,
                records.c.changed,
                records.c.gone,
                records.c.gone_why,
                records.c.seq,
                contents.c.language,
                contents.c.url,
                contents.c.data,
                contents.c.translations,
                sources.c.name,
                sources.c.member,
                sources.c.kind,
            )
            .join(contents, contents.c.record == records.c.id)
            .join(sources, sources.c.id == records.c.source)
        )

    def _record(self, row: Any) -> Record:
        return Record(
            id=f"{row.name}/{row.key}",
            kind=row.kind,
            member=row.member,
            source=row.name,
            language=row.language,
            values=self.kinds[row.kind].decoder.decode(row.data),
            translations=msgspec.json.decode(row.translations) if row.translations else {},
            provenance=Provenance(url=row.url, fetched=moment(row.changed), hash=row.hash.hex()),
            first_seen=moment(row.first_seen),
            changed=moment(row.changed),
            gone=moment(row.gone) if row.gone is not None else None,
            gone_why=row.gone_why,
        )

    def _run(self, row: Any, name: str) -> Run:
        return Run(
            id=row.id,
            source=name,
            state=row.state,
            started=row.started,
            ended=row.ended,
            complete=row.complete,
            claimed=row.claimed,
            counts=Counts(**{n: getattr(row, n) for n in _COUNTED}),
            keyless=row.keyless,
            why=row.why,
            repeated=row.repeated,
        )


_part = (sources.c.member, sources.c.kind)


def moment(seconds: float) -> datetime:
    """Seconds of the epoch as an aware time in UTC, without fractions."""
    return datetime.fromtimestamp(int(seconds), UTC)


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


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": 30.0} if url.startswith("sqlite") else {}


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the begin below is ours
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """A writer takes its place at once: a transaction that upgrades later may find its snapshot stale."""
    reads = connection.get_execution_options().get("landbridge_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
