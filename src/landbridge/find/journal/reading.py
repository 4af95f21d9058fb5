"""What can be asked of the journal without changing it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from landbridge.errors import ConfigError, NotFound
from landbridge.find.journal.states import (
    COUNTED,
    Change,
    Counts,
    Incident,
    Quarantined,
    Run,
    SourceState,
    Step,
)
from landbridge.find.journal.tables import (
    ERASED,
    contents,
    counters,
    incidents,
    quarantine,
    records,
    runs,
    sources,
)
from landbridge.find.record import Provenance, Record
from landbridge.kinds.kind import Kind

CHUNK = 2_000  # rows of one statement
BUSY = 30_000  # milliseconds to wait for another process
_T = TypeVar("_T")
_part = (sources.c.member, sources.c.kind)


class JournalReader:
    """The reading half of a journal. `url` is a path of a SQLite file, or a SQLAlchemy URL."""

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
        if self._sqlite:
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin)
        self._reader = self.engine.execution_options(landbridge_reads=True)
        self._ids: dict[str, int] = {}

    def close(self) -> None:
        self.engine.dispose()

    def _number(self, name: str) -> int:
        if name not in self._ids:
            with self._reader.connect() as db:
                number = db.execute(sa.select(sources.c.id).where(sources.c.name == name)).scalar()
            if number is None:
                raise NotFound(f"no source {name} in the journal")
            self._ids[name] = number
        return self._ids[name]

    def known(self, run: Run, raw_hashes: Sequence[bytes]) -> dict[bytes, bool]:
        """Those raw hashes whose row is in the journal, alive and understood: they need no decoding.

        True for a row that this very run has met already.
        """
        number = self._number(run.source)
        found: dict[bytes, bool] = {}
        with self._reader.connect() as db:
            for part in chunks(raw_hashes):
                rows = db.execute(
                    sa.select(records.c.raw, records.c.run).where(
                        records.c.source == number, records.c.raw.in_(part), records.c.gone.is_(None)
                    )
                )
                found.update((row[0], row[1] == run.id) for row in rows)
        return found

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
        """A record by `member/source/key`, gone or not; of an erased one, only the tombstone. Raises NotFound."""
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

    def steps(self, names: Sequence[str], after: int, *, limit: int) -> list[Step]:
        """The next changes of these sources together behind number `after`, in order, without their contents."""
        found: list[Step] = []
        with self._reader.connect() as db:
            numbers = {r.name: r.id for r in db.execute(sa.select(sources.c.id, sources.c.name))}
            for number in (numbers[name] for name in dict.fromkeys(names) if name in numbers):
                rows = db.execute(
                    sa.select(records.c.seq, records.c.id, records.c.changed, records.c.gone)
                    .where(records.c.source == number, records.c.seq > after)
                    .order_by(records.c.seq)
                    .limit(limit)
                )
                found += [Step(r.seq, r.id, moment(r.changed if r.gone is None else r.gone)) for r in rows]
        return sorted(found, key=lambda step: step.seq)[:limit]

    def at(self, steps: Sequence[Step]) -> list[Record]:
        """The records of these steps in their order, those that are gone too; one that moved on is left out."""
        wanted = {step.seq: step.row for step in steps}
        found: dict[int, Record] = {}
        with self._reader.connect() as db:
            for part in chunks(list(wanted.values())):
                rows = db.execute(self._records().where(records.c.id.in_(part)))
                found.update((row.seq, self._record(row)) for row in rows if row.seq in wanted)
        return [found[step.seq] for step in steps if step.seq in found]

    def newest(self) -> int:
        """The last number of the sequence that was given out."""
        with self._reader.connect() as db:
            last = db.execute(sa.select(counters.c.value).where(counters.c.name == "seq")).scalar()
        return int(last or 0)

    def last_of(self, names: Sequence[str]) -> int:
        """The last number of the sequence among the records of these sources; 0 without any."""
        query = sa.select(sa.func.max(records.c.seq)).where(records.c.source == sources.c.id)
        with self._reader.connect() as db:
            rows = db.execute(sa.select(sources.c.name, query.scalar_subquery().label("last"))).all()
        return max((row.last or 0 for row in rows if row.name in set(names)), default=0)

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
            values=self._values(row),
            translations=msgspec.json.decode(row.translations) if row.translations else {},
            provenance=Provenance(url=row.url, fetched=moment(row.changed), hash=row.hash.hex()),
            first_seen=moment(row.first_seen),
            changed=moment(row.changed),
            gone=moment(row.gone) if row.gone is not None else None,
            gone_why=row.gone_why,
        )

    def _values(self, row: Any) -> Any:
        kind = self.kinds[row.kind]
        return kind.decoder.decode(row.data) if row.hash != ERASED else _nothing(kind)

    def _run(self, row: Any, name: str) -> Run:
        return Run(
            id=row.id,
            source=name,
            state=row.state,
            started=row.started,
            ended=row.ended,
            complete=row.complete,
            claimed=row.claimed,
            counts=Counts(**{n: getattr(row, n) for n in COUNTED}),
            keyless=row.keyless,
            why=row.why,
            repeated=row.repeated,
        )


def moment(seconds: float) -> datetime:
    """Seconds of the epoch as an aware time in UTC, without fractions."""
    return datetime.fromtimestamp(int(seconds), UTC)


def chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """As many at a time as one statement takes."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _nothing(kind: Kind) -> Any:
    """The values of an erased record: its title is empty, nothing else is known."""
    required = {f.name: "" if f.type == "text" else None for f in kind.fields.values() if f.required}
    return kind.struct(**required)


def _connect_args(url: str) -> dict[str, Any]:
    return {"timeout": BUSY / 1_000} if url.startswith("sqlite") else {}


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the begin below is ours
    pragmas = (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "secure_delete=ON",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """A writer takes its place at once: a transaction that upgrades later may find its snapshot stale."""
    reads = connection.get_execution_options().get("landbridge_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
