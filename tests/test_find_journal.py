"""The journal: pages commit whole, counts add up, nothing is lost, doubled or ghosted. SQLite and PostgreSQL."""

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from landbridge.errors import ConfigError, NotFound
from landbridge.find.journal import Journal, Run, Seen, moment
from landbridge.find.journal.tables import meta
from landbridge.find.journal.writing import EXPIRED
from landbridge.find.mapping import Mapped
from landbridge.kinds.kind import Kind, read_kinds
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
    made.register("xa/people", member="xa", kind="candidate")
    yield made
    made.close()


def _empty(journal: Journal) -> None:
    meta.drop_all(journal.engine)
    made = Journal(journal.engine.url.render_as_string(hide_password=False), KINDS)
    made.close()
    journal._ids.clear()


def seen(key: str, title: str, *, kind: Kind = VACANCY, **more: Any) -> Seen:
    mapped = Mapped(key=key, language="en", values=kind.struct(title=title), translations={})
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


# what was withdrawn by a person is erased

CANARY = "Kanari Fugl"
WAYS = {
    "withdrawn": "the source says so",
    "absent": "no longer in the register",
    "expired": EXPIRED,
    "released": "no longer in the register; released by a person",
}


def people(journal: Journal, *rows: Seen, gone: Sequence[str] = (), **ending: Any) -> Run:
    run = journal.take("xa/people", "me")
    assert run is not None
    journal.commit(run, rows, gone=gone, now=1_000.0)
    journal.finish(run, ending.pop("state", "complete"), **ending)
    return run


def leave(journal: Journal, way: str) -> None:
    """The second of two candidates goes this way."""
    people(journal, person("1", "Cook"), person("2", f"{CANARY}, welder", expires=2_000.0))
    if way == "withdrawn":
        people(journal, gone=["2"])
    elif way == "absent":
        people(journal, person("1", "Cook"), complete=True, remove_absent=True)
    elif way == "expired":
        journal.expire(now=3_000.0)
    else:
        run = people(journal, person("1", "Cook"), state="held", held=1)
        journal.release(run.id)


def person(key: str, title: str, **more: Any) -> Seen:
    return seen(key, title, kind=KINDS["candidate"], url=f"https://people.example/{title}", **more)


def dump(journal: Journal) -> str:
    """Every value of every table."""
    with journal.engine.connect() as db:
        return repr([tuple(row) for table in meta.sorted_tables for row in db.execute(sa.select(table))])


@pytest.mark.parametrize("way", WAYS)
def test_of_a_candidate_that_is_gone_only_the_tombstone_stays(journal: Journal, way: str) -> None:
    hashes = person("2", f"{CANARY}, welder")
    leave(journal, way)
    left = journal.record("xa/people/2")
    assert (left.erased, left.gone_why, left.values.title) == (True, WAYS[way], "")
    assert (left.kind, left.member, left.source) == ("candidate", "xa", "xa/people")
    assert left.first_seen == moment(1_000.0)
    assert (left.provenance.url, left.provenance.hash, left.language) == ("", "", "")
    told = dump(journal)
    assert CANARY not in told
    assert repr(hashes.raw_hash) not in told
    assert repr(hashes.hash) not in told
    assert journal.record("xa/people/1").values.title == "Cook"
    assert not journal.record("xa/people/1").erased
    assert [c.id for c in journal.changes("xa", "candidate", 0) if c.record is None] == ["xa/people/2"]
    assert journal.check() == []


def test_a_vacancy_that_is_gone_keeps_its_title(journal: Journal) -> None:
    load(journal, seen("1", "Welder"), seen("2", "Cook"))
    load(journal, seen("1", "Welder"))
    assert journal.record("xa/jobs/2").values.title == "Cook"
    assert not journal.record("xa/jobs/2").erased


def test_an_erased_candidate_may_come_back(journal: Journal) -> None:
    leave(journal, "withdrawn")
    people(journal, person("2", "Welder again"))
    assert journal.record("xa/people/2").values.title == "Welder again"
    assert journal.alive("xa/people") == 2


def test_an_erased_candidate_whose_last_day_has_passed_stays_erased_when_it_is_sent_again(
    journal: Journal,
) -> None:
    leave(journal, "expired")
    run = people(journal, person("2", f"{CANARY}, welder", expires=2_000.0))
    assert (run.counts.unchanged, run.counts.changed) == (1, 0)
    assert journal.record("xa/people/2").erased
    assert CANARY not in dump(journal)
    people(journal, person("2", "Welder", expires=9_000.0))
    assert journal.record("xa/people/2").values.title == "Welder"


def test_what_waits_in_quarantine_about_a_person_goes_when_it_is_superseded(journal: Journal) -> None:
    def strange(key: str, raw: str) -> Seen:
        return Seen(raw_hash=raw.encode().ljust(16), key=key, code="bad-value", reason=raw, raw=raw.encode())

    people(journal, strange("1", f"{CANARY} one"), strange("2", f"{CANARY} two"), strange("3", "three"))
    people(journal, person("1", "Cook"), gone=["2"], state="partial")
    assert [q.key for q in journal.quarantined("xa/people")] == ["3"]
    people(journal, strange("3", "three, mended"), state="partial")
    assert [q.reason for q in journal.quarantined("xa/people")] == ["three, mended"]
    assert CANARY not in dump(journal)


def test_what_was_gone_before_its_kind_was_personal_is_erased_by_the_next_run(tmp_path: Path) -> None:
    before = {**KINDS, "candidate": msgspec.structs.replace(KINDS["candidate"], personal=False)}
    old = Journal(tmp_path / "journal.db", before)
    old.register("xa/people", member="xa", kind="candidate")
    leave(old, "withdrawn")
    assert CANARY in dump(old)
    old.close()
    new = Journal(tmp_path / "journal.db", KINDS)
    people(new, person("1", "Cook"))
    assert CANARY not in dump(new)
    new.close()


@pytest.mark.parametrize("way", WAYS)
def test_no_byte_of_it_is_left_in_the_files(tmp_path: Path, way: str) -> None:
    journal = Journal(tmp_path / "journal.db", KINDS)
    journal.register("xa/people", member="xa", kind="candidate")
    leave(journal, way)
    assert "Cook" in files(tmp_path)
    assert CANARY not in files(tmp_path)
    journal.close()


def test_no_byte_is_left_of_versions_and_of_rows_that_were_moved(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", KINDS)
    journal.register("xa/people", member="xa", kind="candidate")
    draw = random.Random(7)
    living = {str(n): 0 for n in range(400)}
    for version in range(4):
        gone = draw.sample(sorted(living), 60 if version else 0)
        for key in gone:
            del living[key]
        changed = draw.sample(sorted(living), len(living) // (2 if version else 1))
        living.update(dict.fromkeys(changed, version))
        run = journal.take("xa/people", "me")
        assert run is not None
        for start_ in range(0, len(changed), 50):
            rows = [
                person(k, f"K{k}v{version}|" * draw.choice([1, 20, 700]))
                for k in changed[start_ : start_ + 50]
            ]
            journal.commit(run, rows)
        journal.commit(run, [], gone=gone)
        journal.finish(run, "complete")
    found = set(re.findall(r"K(\d+)v(\d)\|", files(tmp_path)))
    assert found == {(key, str(version)) for key, version in living.items()}
    journal.close()


def test_a_compacted_journal_says_the_same(journal: Journal) -> None:
    leave(journal, "withdrawn")
    before = dump(journal)
    journal.compact()
    assert dump(journal) == before
    assert journal.check() == []


def files(folder: Path) -> str:
    return b"".join(f.read_bytes() for f in sorted(folder.iterdir())).decode("latin-1")
