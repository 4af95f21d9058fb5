"""The journal: pages commit whole, counts add up, nothing is lost, doubled or ghosted. SQLite and PostgreSQL."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from landbridge.errors import ConfigError, NotFound
from landbridge.find.journal import Journal, Run, Seen
from landbridge.find.mapping import Mapped
from landbridge.kinds.kind import read_kinds
from tests.servers import postgresql

KINDS = read_kinds()
VACANCY = KINDS["vacancy"]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "sqlite":
        made = Journal(tmp_path / "journal.db", KINDS)
    else:
        made = Journal(request.getfixturevalue("database"), KINDS)
        _empty(made)
    made.register("xa/jobs", member="xa", kind="vacancy")
    yield made
    made.close()


def _empty(journal: Journal) -> None:
    from landbridge.find.journal.tables import meta

    meta.drop_all(journal.engine)
    made = Journal(journal.engine.url.render_as_string(hide_password=False), KINDS)
    made.close()
    journal._ids.clear()


def seen(key: str, title: str, **more: Any) -> Seen:
    mapped = Mapped(key=key, language="en", values=VACANCY.struct(title=title), translations={})
    data = msgspec.json.encode(mapped.values)
    raw = f"{key}|{title}".encode()
    return Seen(
        raw_hash=hashlib.blake2b(raw, digest_size=16).digest(),
        mapped=mapped,
        hash=hashlib.blake2b(data, digest_size=16).digest(),
        data=data,
        **more,
    )


def start(journal: Journal) -> Run:
    run = journal.take("xa/jobs", "me")
    assert run is not None
    return run


def load(journal: Journal, *rows: Seen) -> Run:
    run = start(journal)
    journal.commit(run, rows)
    journal.finish(run, "complete", complete=True, remove_absent=True)
    return run


def test_every_row_of_a_page_is_counted_once(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    run = start(journal)
    rows = [
        seen("1", "Welder"),  # unchanged
        seen("2", "Chef"),  # changed
        seen("3", "Nurse"),  # new
        seen("3", "Nurse"),  # an unchanged repeat
        seen("3", "Night nurse"),  # the same key again with other words
        Seen(raw_hash=b"x" * 16, code="missing-field", field="title", reason="title is missing", raw=b"{}"),
    ]
    counts, _ = journal.commit(run, rows)
    assert (counts.read, counts.new, counts.changed, counts.unchanged) == (6, 1, 1, 2)
    assert (counts.duplicate_key, counts.quarantined) == (1, 1)
    assert journal.record("xa/jobs/3").values.title == "Nurse"


def test_in_an_event_feed_the_later_word_wins(journal: Journal) -> None:
    run = start(journal)
    journal.commit(run, [seen("1", "Welder"), seen("1", "Master welder")], latest_wins=True)
    assert journal.record("xa/jobs/1").values.title == "Master welder"


def test_a_row_known_by_its_bytes_needs_no_decoding(journal: Journal) -> None:
    row = seen("1", "Welder")
    load(journal, row)
    run = start(journal)
    assert journal.known(run, [row.raw_hash, b"?" * 16]) == {row.raw_hash: False}
    counts, _ = journal.commit(run, [Seen(raw_hash=row.raw_hash)])
    assert counts.unchanged == 1
    assert journal.absent(run) == 0


def test_what_a_complete_run_did_not_see_is_gone_and_says_why(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    load(journal, seen("1", "Welder"))
    assert journal.record("xa/jobs/2").gone is not None
    assert journal.record("xa/jobs/2").gone_why == "no longer in the register"
    assert [r.id for r in journal.records()] == ["xa/jobs/1"]
    assert journal.alive("xa/jobs") == 1


def test_a_record_that_comes_back_is_alive_again(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    load(journal, seen("1", "Welder"))
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    assert journal.record("xa/jobs/2").gone is None
    assert journal.alive("xa/jobs") == 2
    assert journal.check() == []


def test_a_quarantined_row_keeps_its_last_good_version(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    run = start(journal)
    journal.commit(
        run,
        [
            seen("1", "Welder"),
            Seen(raw_hash=b"q" * 16, key="2", code="bad-value", field="pay", reason="pay: a word", raw=b"{}"),
        ],
    )
    journal.finish(run, "complete", complete=True, remove_absent=True)
    assert journal.record("xa/jobs/2").gone is None
    assert [q.reason for q in journal.quarantined("xa/jobs")] == ["pay: a word"]


def test_an_interrupted_run_goes_on_at_its_page(journal: Journal) -> None:
    run = start(journal)
    journal.commit(run, [seen("1", "Welder")], cursor={"page": 2})
    again = journal.take("xa/jobs", "me")
    assert again is not None
    assert (again.id, again.cursor, again.counts.new) == (run.id, {"page": 2}, 1)


def test_a_lease_is_not_taken_from_a_living_worker_but_from_a_dead_one(journal: Journal) -> None:
    run = journal.take("xa/jobs", "one", now=1_000.0)
    assert run is not None
    assert journal.take("xa/jobs", "two", now=1_030.0) is None
    taken = journal.take("xa/jobs", "two", now=1_061.0)
    assert taken is not None
    assert taken.id == run.id


def test_a_run_older_than_an_hour_begins_again(journal: Journal) -> None:
    run = journal.take("xa/jobs", "one", now=1_000.0)
    assert run is not None
    journal.commit(run, [seen("1", "Welder")], cursor=5, now=1_001.0)
    later = journal.take("xa/jobs", "two", now=1_000.0 + 3 * 3_600)
    assert later is not None
    assert later.id != run.id
    assert later.cursor is None


def test_changes_come_in_the_order_of_commits_and_each_once(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    load(journal, seen("1", "Welder"), seen("3", "Nurse"))
    changes = journal.changes("xa", "vacancy", 0)
    assert [c.seq for c in changes] == sorted({c.seq for c in changes})
    assert [(c.id, c.record is None) for c in changes] == [
        ("xa/jobs/1", False),
        ("xa/jobs/3", False),
        ("xa/jobs/2", True),
    ]
    assert journal.changes("xa", "vacancy", changes[-1].seq) == []


def test_a_held_run_waits_for_a_person(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    run = start(journal)
    journal.commit(run, [seen("1", "Welder")])
    journal.finish(run, "held", complete=True, held=1)
    assert journal.record("xa/jobs/2").gone is None
    assert journal.release(run.id) == 1
    assert journal.record("xa/jobs/2").gone is not None
    with pytest.raises(NotFound):
        journal.release(run.id)


def test_a_record_whose_last_day_has_passed_goes(journal: Journal) -> None:
    load(journal, seen("1", "Welder", expires=5_000.0), seen("2", "Cook"))
    assert journal.expire(now=4_999.0) == 0
    assert journal.expire(now=5_001.0) == 1
    assert journal.record("xa/jobs/1").gone_why == "its last day has passed"
    assert journal.check() == []


def test_an_incident_opens_once_and_closes(journal: Journal) -> None:
    journal.open_incident("xa/jobs", "drift", "HTML where JSON was")
    journal.open_incident("xa/jobs", "drift", "HTML where JSON was, again")
    assert [i.what for i in journal.incidents()] == ["HTML where JSON was, again"]
    journal.close_incidents("xa/jobs")
    assert journal.incidents() == []


def test_a_journal_moves_whole_into_another(journal: Journal, tmp_path: Path) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    other = Journal(tmp_path / "copy.db", KINDS)
    journal.copy_to(other)
    assert [msgspec.structs.asdict(r) for r in other.records()] == [
        msgspec.structs.asdict(r) for r in journal.records()
    ]
    run = other.take("xa/jobs", "me")
    assert run is not None
    other.commit(run, [seen("3", "Nurse")])
    assert other.record("xa/jobs/3").values.title == "Nurse"
    with pytest.raises(ConfigError):
        journal.copy_to(other)
    other.close()
