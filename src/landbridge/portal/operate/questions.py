"""What these pages ask of the journal, and the two answers of a person that it must be told."""

import time

import msgspec
import sqlalchemy as sa

from landbridge.errors import NotFound
from landbridge.find.journal import Incident, Journal, Quarantined, Run
from landbridge.find.journal.tables import contents, incidents, quarantine, records, runs, sources

EXAMPLES = 20
MOST = 5_000  # quarantined rows tried again at a time


class Removal(msgspec.Struct, frozen=True):
    """What releasing a held run would remove."""

    run: Run
    kind: str
    count: int
    alive: int
    examples: list[tuple[str, str]]  # identifier, title
    later: int  # runs of the same source since


class Group(msgspec.Struct, frozen=True):
    """Quarantined rows of one source with one reason in one field."""

    source: str
    code: str
    field: str
    rows: int
    reason: str
    values: list[tuple[str, int]]  # the most frequent


def _reading(journal: Journal) -> sa.Engine:
    return journal.engine.execution_options(landbridge_reads=True)


def held(journal: Journal) -> list[Removal]:
    """Every held run that a person has not answered, oldest first."""
    with _reading(journal).connect() as db:
        found = db.execute(
            sa.select(runs.c.id, sources.c.name)
            .join(sources, sources.c.id == runs.c.source)
            .where(runs.c.state == "held")
            .order_by(runs.c.id)
        ).all()
    return [would_remove(journal, name, run) for run, name in found]


def would_remove(journal: Journal, source: str, run: int) -> Removal:
    """What `release` of a held run would remove now: the living records that no run since has seen."""
    with _reading(journal).connect() as db:
        row = db.execute(
            sa.select(sources.c.id, sources.c.kind, sources.c.alive)
            .join(runs, runs.c.source == sources.c.id)
            .where(sources.c.name == source, runs.c.id == run, runs.c.state == "held")
        ).first()
        if row is None:
            raise NotFound(f"no held run {run} of {source}", hint="somebody may have answered it already")
        gone = sa.and_(records.c.source == row.id, records.c.gone.is_(None), records.c.run < run)
        count = db.execute(sa.select(sa.func.count()).select_from(records).where(gone)).scalar_one()
        later = db.execute(
            sa.select(sa.func.count()).select_from(runs).where(runs.c.source == row.id, runs.c.id > run)
        ).scalar_one()
        shown = db.execute(
            sa.select(records.c.key, contents.c.data)
            .join(contents, contents.c.record == records.c.id)
            .where(gone)
            .order_by(records.c.id)
            .limit(EXAMPLES)
        ).all()
    kind = journal.kinds.get(row.kind)
    examples = []
    for key, data in shown:
        title = str(getattr(kind.decoder.decode(data), kind.title)) if kind else ""
        examples.append((f"{source}/{key}", title))
    own = next(r for r in journal.runs(source, limit=later + 1) if r.id == run)
    return Removal(own, row.kind, count, row.alive, examples, later)


def discard(journal: Journal, source: str, run: int) -> None:
    """Answers a held run: nothing is removed. Raises NotFound where nothing waits."""
    with journal.engine.begin() as db:
        done = db.execute(
            sa.update(runs)
            .where(
                runs.c.id == run,
                runs.c.state == "held",
                runs.c.source == sa.select(sources.c.id).where(sources.c.name == source).scalar_subquery(),
            )
            .values(state="partial", held=0, why=runs.c.why + "; discarded by a person: nothing was removed")
        )
        if not done.rowcount:
            raise NotFound(f"no held run {run} of {source}", hint="somebody may have answered it already")


def close_incident(journal: Journal, number: int) -> Incident:
    """Closes one open incident. Raises NotFound."""
    with journal.engine.begin() as db:
        row = db.execute(
            sa.select(incidents, sources.c.name)
            .join(sources, sources.c.id == incidents.c.source)
            .where(incidents.c.id == number, incidents.c.closed.is_(None))
        ).first()
        if row is None:
            raise NotFound(f"no open incident {number}", hint="somebody may have closed it already")
        db.execute(sa.update(incidents).where(incidents.c.id == number).values(closed=time.time()))
    return Incident(row.id, row.name, row.code, row.what, row.opened, None)


def groups(journal: Journal) -> list[Group]:
    """The quarantine by source, reason and field, the largest first."""
    by = (sources.c.name, quarantine.c.code, quarantine.c.field)
    of_source = quarantine.join(sources, sources.c.id == quarantine.c.source)
    with _reading(journal).connect() as db:
        found = db.execute(
            sa.select(*by, sa.func.count(), sa.func.min(quarantine.c.reason))
            .select_from(of_source)
            .group_by(*by)
            .order_by(sa.func.count().desc(), *by)
        ).all()
        made = []
        for name, code, field, count, reason in found:
            values = db.execute(
                sa.select(quarantine.c.value, sa.func.count())
                .select_from(of_source)
                .where(sources.c.name == name, quarantine.c.code == code, quarantine.c.field == field)
                .group_by(quarantine.c.value)
                .order_by(sa.func.count().desc(), quarantine.c.value)
                .limit(EXAMPLES)
            ).all()
            made.append(Group(name, code, field, count, reason, [(v, n) for v, n in values]))
    return made


def waiting(journal: Journal, source: str, code: str, field: str, *, limit: int = MOST) -> list[Quarantined]:
    """Quarantined rows of one group, oldest first."""
    with _reading(journal).connect() as db:
        found = db.execute(
            sa.select(quarantine)
            .join(sources, sources.c.id == quarantine.c.source)
            .where(sources.c.name == source, quarantine.c.code == code, quarantine.c.field == field)
            .order_by(quarantine.c.id)
            .limit(limit)
        ).all()
    return [
        Quarantined(r.id, source, r.at, r.where, r.key, r.code, r.field, r.value, r.reason, bytes(r.raw))
        for r in found
    ]


def behind(journal: Journal, member: str, kind: str, seq: int) -> int:
    """How many changes of a member's kind an index at `seq` has not taken."""
    with _reading(journal).connect() as db:
        return int(
            db.execute(
                sa.select(sa.func.count())
                .select_from(records.join(sources, sources.c.id == records.c.source))
                .where(sources.c.member == member, sources.c.kind == kind, records.c.seq > seq)
            ).scalar_one()
        )


def quarantined(journal: Journal) -> dict[str, int]:
    """How many rows of each source wait."""
    with _reading(journal).connect() as db:
        rows = db.execute(
            sa.select(sources.c.name, sa.func.count())
            .select_from(quarantine.join(sources, sources.c.id == quarantine.c.source))
            .group_by(sources.c.name)
        ).all()
    return {row[0]: row[1] for row in rows}
