"""A harvest ends in what it says: nothing lost, nothing deleted wrongly, every fault with its cause."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from landbridge.errors import Drift, FetchError, Refused
from landbridge.find.connect import Page
from landbridge.find.harvest import Harvested, harvest, replay_quarantine
from landbridge.find.journal import Journal
from landbridge.find.read import Row
from landbridge.find.source import Source, parse_source
from landbridge.kinds.kind import read_kinds

KINDS = read_kinds()
AT = datetime(2026, 11, 1, tzinfo=UTC)
FILE = """
title = "Altania: vacancies"
kind = "vacancy"
language = "en"
deletes = "absence"
ignore = ["views"]
[map]
id = "id"
title = "title"
contract = "contract"
[values.contract]
"forever" = "permanent"
"""


def source(text: str = FILE) -> Source:
    return parse_source(text, KINDS, member="xa", name="jobs")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db", KINDS)


def row(n: int, **more: Any) -> Row:
    return Row(raw=msgspec.json.encode({"id": n, "title": f"Job {n}", **more}), where=f"item {n}")


def rows(*numbers: int) -> list[Row]:
    return [row(n) for n in numbers]


def register(
    *parts: Sequence[Row], complete: bool = True, fails: FetchError | None = None, **more: Any
) -> Any:
    """The pages of a register in memory; it may break after them."""

    async def pages(cursor: Any) -> AsyncIterator[Page]:
        for n, part in enumerate(parts):
            if n < (cursor or 0):
                continue
            end = n == len(parts) - 1 and fails is None
            yield Page(rows=part, cursor=n + 1, last=end, complete=end and complete, **more)
        if fails is not None:
            raise fails

    return pages


def run(journal: Journal, pages: Any, source_: Source | None = None) -> Harvested:
    from_ = source_ or source()
    done = asyncio.run(harvest(from_, pages, journal=journal, kind=KINDS[from_.kind], at=AT))
    five = done.new + done.changed + done.unchanged + done.duplicate_key + done.quarantined
    assert done.read == five
    assert journal.check() == []
    return done


def alive(journal: Journal) -> list[str]:
    return sorted(r.id.rpartition("/")[2] for r in journal.records())


def codes(journal: Journal) -> list[str]:
    return [i.code for i in journal.incidents("xa/jobs")]


def test_new_then_unchanged_then_changed(journal: Journal) -> None:
    assert run(journal, register(rows(1, 2), rows(3))).new == 3
    assert run(journal, register(rows(1, 2, 3))).unchanged == 3
    done = run(journal, register([row(1), row(2), row(3, contract="forever")]))
    assert (done.changed, done.unchanged) == (1, 2)


def test_an_ignored_field_may_change_without_a_new_version(journal: Journal) -> None:
    run(journal, register([row(1, views=1)]))
    assert run(journal, register([row(1, views=2)])).unchanged == 1


def test_a_row_with_an_unknown_field_is_quarantined_and_named(journal: Journal) -> None:
    done = run(journal, register([row(1), row(2, colour="x")]))
    assert (done.new, done.quarantined) == (1, 1)
    waiting = journal.quarantined("xa/jobs")[0]
    assert waiting.reason.startswith("colour is neither mapped nor ignored")
    assert "members/xa/shares/jobs.toml" in waiting.reason


def test_quarantined_rows_come_in_when_the_source_is_mended(journal: Journal) -> None:
    run(journal, register([row(1), row(2, contract="na zawsze")]))
    waiting = journal.quarantined("xa/jobs")
    mended = source(FILE + '"na zawsze" = "permanent"\n')
    done = replay_quarantine(waiting, mended, journal=journal, kind=KINDS["vacancy"], at=AT)
    assert (done.new, done.quarantined) == (1, 0)
    assert journal.quarantined() == []
    assert journal.record("xa/jobs/2").values.contract == ("permanent",)


def test_absence_deletes_only_after_a_complete_run(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    assert run(journal, register(rows(*range(18)), complete=False)).gone == 0
    assert run(journal, register(rows(*range(18)))).gone == 2
    assert len(alive(journal)) == 18


def test_a_run_that_would_remove_too_much_is_held(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    done = run(journal, register(rows(*range(10))))
    assert (done.state, done.held, done.gone) == ("held", 10, 0)
    assert "would remove 10 of 20 records (50%)" in done.why
    assert len(alive(journal)) == 20
    assert codes(journal) == ["held"]


def test_changed_identifiers_are_suspected_not_believed(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    done = run(journal, register(rows(*range(100, 120))))
    assert done.state == "held"
    assert "have the identifiers changed?" in done.why
    assert len(alive(journal)) == 40


def test_an_empty_answer_is_never_a_success(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    done = run(journal, register([]))
    assert done.state == "held"
    assert codes(journal) == ["empty"]
    assert len(alive(journal)) == 20


def test_a_count_below_what_is_expected_removes_nothing(journal: Journal) -> None:
    strict = source(FILE.replace("[map]", "[expect]\nrecords = [19, 100]\nmax_drop = 0.9\n[map]"))
    run(journal, register(rows(*range(20))), strict)
    done = run(journal, register(rows(*range(12))), strict)
    assert "12 rows, expected at least 19" in done.why
    assert len(alive(journal)) == 20


def test_a_register_that_breaks_keeps_its_data_and_goes_on_at_its_page(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    broken = run(journal, register(rows(*range(10)), fails=Refused("xa/jobs", "connection refused")))
    assert (broken.state, broken.why) == ("interrupted", "connection refused")
    assert codes(journal) == ["refused"]
    assert len(alive(journal)) == 20
    healed = run(journal, register(rows(*range(10)), rows(*range(10, 20))))
    assert healed.read == 20  # ten before the break, ten behind it
    assert codes(journal) == []


def test_a_register_that_answers_nothing_useful_opens_one_incident(journal: Journal) -> None:
    run(journal, register(rows(1, 2)))
    for _ in range(3):
        done = run(journal, register(fails=Drift("xa/jobs", "HTML where JSON was")))
    assert done.state == "failed"
    assert codes(journal) == ["drift"]
    assert alive(journal) == ["1", "2"]


def test_a_row_without_a_key_forbids_deletion(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    done = run(journal, register([*rows(*range(19)), Row(raw=b'{"title": "who am I"}')]))
    assert (done.quarantined, done.gone) == (1, 0)
    assert len(alive(journal)) == 20


def test_a_field_that_vanishes_opens_an_incident(journal: Journal) -> None:
    run(journal, register([row(n, contract="forever") for n in range(20)]))
    done = run(journal, register(rows(*range(20))))
    assert "contract is gone from 20 of 20" in done.why
    assert codes(journal) == ["field-vanished"]


def test_a_type_that_drifts_is_quarantined_and_the_last_good_version_stays(journal: Journal) -> None:
    run(journal, register(rows(*range(20))))
    drifted = [Row(raw=msgspec.json.encode({"id": n, "title": {"text": f"Job {n}"}})) for n in range(20)]
    done = run(journal, register(drifted))
    assert (done.state, done.quarantined, done.gone) == ("held", 20, 0)
    assert "an object, not a text" in done.why
    assert len(alive(journal)) == 20


def test_an_event_feed_removes_what_it_says_and_goes_on(journal: Journal) -> None:
    feed = source(FILE.replace('"absence"', '"tombstone"'))
    run(journal, register(rows(1, 2, 3), keep_cursor=True), feed)
    done = run(journal, register([], rows(4), keep_cursor=True, gone=["2"]), feed)
    assert (done.new, done.gone) == (1, 1)
    assert alive(journal) == ["1", "3", "4"]


def test_an_event_that_comes_again_still_undoes_the_one_before_it(journal: Journal) -> None:
    feed = source(FILE.replace('"absence"', '"tombstone"'))
    both = [row(1, contract="forever"), row(1)]
    run(journal, register(both), feed)
    done = run(journal, register(both), feed)
    assert (done.changed, done.unchanged, done.duplicate_key) == (0, 1, 1)
    assert journal.record("xa/jobs/1").values.contract == ()


def test_a_removed_row_needs_no_title(journal: Journal) -> None:
    feed = source(
        FILE.replace('"absence"', '"tombstone"').replace('id = "id"', 'id = "id"\ngone = "removed"')
    )
    run(journal, register(rows(1, 2)), feed)
    done = run(journal, register([Row(raw=b'{"id": 1, "removed": true}')]), feed)
    assert (done.gone, done.changed, done.quarantined) == (1, 1, 0)
    assert alive(journal) == ["2"]


def test_a_record_past_its_last_day_is_dead(journal: Journal) -> None:
    dated = source(FILE.replace('"absence"', '"expiry"').replace("[values", 'expires = "until"\n[values'))
    run(journal, register([row(1, until="2026-10-30"), row(2, until="2026-11-30")]), dated)
    assert alive(journal) == ["2"]


def test_a_dead_record_that_is_still_sent_stays_dead_and_unchanged(journal: Journal) -> None:
    dated = source(FILE.replace('"absence"', '"expiry"').replace("[values", 'expires = "until"\n[values'))
    run(journal, register([row(1, until="2026-10-30")]), dated)
    done = run(journal, register([row(1, until="2026-10-30")]), dated)
    assert (done.changed, done.unchanged) == (0, 1)
    assert alive(journal) == []
    assert run(journal, register([row(1, until="2026-12-30")]), dated).changed == 1
    assert alive(journal) == ["1"]


def test_a_link_only_source_keeps_no_description(journal: Journal) -> None:
    frugal = source(
        FILE.replace("[map]", "[map]\ndescription = 'text'\nurl = 'link'").replace(
            'deletes = "absence"', 'deletes = "none"\nstore = "link-only"'
        )
    )
    run(journal, register([row(1, text="a long story", link="https://jobs.example/1")]), frugal)
    values = journal.record("xa/jobs/1").values
    assert (values.description, values.url) == (None, "https://jobs.example/1")


def test_a_live_only_source_is_not_copied(journal: Journal) -> None:
    done = run(
        journal,
        register(rows(1)),
        source(
            FILE.replace("[map]", "[map]", 1).replace(
                'language = "en"', 'language = "en"\nstore = "live-only"'
            )
        ),
    )
    assert (done.state, done.read) == ("failed", 0)


PEOPLE = FILE.replace('"vacancy"', '"candidate"').replace("vacancies", "people who look for work")


def test_a_person_that_is_no_longer_sent_leaves_only_a_tombstone(journal: Journal) -> None:
    people = parse_source(PEOPLE, KINDS, member="xa", name="people")
    run(journal, register(rows(*range(10))), people)
    done = run(journal, register(rows(*range(9))), people)
    assert done.gone == 1
    left = journal.record("xa/people/9")
    assert (left.erased, left.values.title) == (True, "")
    assert not journal.record("xa/people/8").erased


def test_what_a_run_says_about_people_repeats_none_of_their_words(journal: Journal) -> None:
    people = parse_source(PEOPLE, KINDS, member="xa", name="people")
    strange = [row(n, contract="Kanari Fugl") for n in range(10)]
    done = run(journal, register(strange), people)
    (incident,) = journal.incidents()
    assert "contract: unknown-value" in done.why
    assert "Kanari" not in done.why + incident.what + repr(journal.runs("xa/people"))
    jobs = run(journal, register(strange))
    assert "Kanari" in jobs.why
