"""The fictitious union: five members whose registers are as different, and as dirty, as real ones."""

import asyncio
import time
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from landbridge.find.harvest import Harvested, harvest, match_replay, replay_pages
from landbridge.find.html import without_contacts
from landbridge.find.journal import Journal
from landbridge.find.pay import per_year
from landbridge.find.rates import load
from landbridge.find.record import Record
from landbridge.find.source import Source
from landbridge.kinds.kind import read_kinds
from landbridge.members.member import Member, read_members
from landbridge.world.draw import CLOCK, FOLDER, Trade, languages, phrases, trades
from landbridge.world.write import vacancies, write

KINDS = read_kinds()
MEMBERS = read_members([FOLDER / "members"], KINDS)
SOURCES = {source.id: source for member in MEMBERS.values() for source in member.sources.values()}
EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text("utf-8"))
FILES = sorted(p for p in (FOLDER / "members").rglob("*") if p.is_file())
DATA = [p for p in FILES if p.parent.name == "data"]
AT = datetime(CLOCK.year, CLOCK.month, CLOCK.day, tzinfo=UTC)

SCRIPT = {  # the first word of the Unicode names of a language's letters
    **dict.fromkeys(["ru", "kk", "ky", "be"], "CYRILLIC"),
    **dict.fromkeys(["en", "uz", "vi", "id", "ms", "fil", "fr", "de", "es", "nb"], "LATIN"),
    "hy": "ARMENIAN", "th": "THAI", "lo": "LAO", "km": "KHMER", "my": "MYANMAR", "zh": "CJK", "ar": "ARABIC",
}  # fmt: skip


class World:
    """What one harvest of every register left."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.runs: dict[str, Harvested] = {}
        for source in SOURCES.values():
            pages = replay_pages(source, match_replay(source, FILES))
            run = harvest(source, pages, journal=journal, kind=KINDS[source.kind], at=AT)
            self.runs[source.id] = asyncio.run(run)
        self.records = list(journal.records())

    def of(self, start: str) -> list[Record]:
        return [record for record in self.records if record.id.startswith(start)]

    def all(self, kind: str) -> list[Record]:
        return [record for record in self.records if record.kind == kind]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    journal = Journal(str(tmp_path_factory.mktemp("world") / "journal.db"), KINDS)
    yield World(journal)
    journal.close()


def _texts(record: Record) -> list[str]:
    values = record.values
    found = [values.title, getattr(values, "description", None), getattr(values, "summary", None)]
    return [
        text for text in (*found, *(t for of in record.translations.values() for t in of.values())) if text
    ]


def test_the_generator_writes_the_files_that_are_here(tmp_path: Path) -> None:
    write(tmp_path)
    written = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    shipped = {p.relative_to(FOLDER): p.read_bytes() for p in [*DATA, FOLDER / "expected.toml"]}
    assert written.keys() == shipped.keys()
    assert [name for name in written if written[name] != shipped[name]] == []


def test_the_whole_world_is_small() -> None:
    assert sum(p.stat().st_size for p in FOLDER.rglob("*") if p.is_file() and p.suffix != ".pyc") <= 3_000_000


@pytest.mark.parametrize("member", MEMBERS.values(), ids=lambda m: m.id)
def test_a_member_is_plainly_fictitious_and_all_of_its_sources_can_be_used(member: Member) -> None:
    assert member.broken == {}
    assert member.sources
    assert member.countries == (member.id.upper(),)
    assert member.url.endswith(".example/")
    assert member.contact.endswith(".example")
    assert set(member.label) <= set(languages())
    assert member.about


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda s: s.id)
def test_a_source_says_how_it_is_reached_and_names_its_recorded_files(source: Source) -> None:
    assert ".example/" in str(source.fetch["url"])
    assert source.licence
    assert source.expect.records is not None
    found = match_replay(source, FILES)
    assert found
    assert all(file.parent == source.folder / "data" for file, _ in found)


def test_every_recorded_file_belongs_to_a_source() -> None:
    used = {file for source in SOURCES.values() for file, _ in match_replay(source, FILES)}
    assert set(DATA) - used == set()
    assert SOURCES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", SOURCES)
def test_a_harvest_makes_of_a_register_what_was_expected(world: World, name: str) -> None:
    run, expected = world.runs[name], EXPECTED[name]
    counts = ["read", "new", "changed", "unchanged", "duplicate_key", "quarantined", "gone"]
    assert {count: getattr(run, count) for count in counts} == {count: expected[count] for count in counts}
    assert run.read == run.new + run.changed + run.unchanged + run.duplicate_key + run.quarantined


@pytest.mark.parametrize("name", SOURCES)
def test_every_quarantined_row_is_there_for_its_true_reason(world: World, name: str) -> None:
    found = Counter((row.code, row.field) for row in world.journal.quarantined(name))
    assert found == Counter((row["code"], row["field"]) for row in EXPECTED[name].get("quarantine", []))


def test_there_is_enough_to_find_in_enough_languages(world: World) -> None:
    assert len(world.all("vacancy")) >= 650
    assert len(world.all("candidate")) >= 220
    spoken = Counter(record.language for record in world.all("vacancy"))
    assert len([language for language, count in spoken.items() if count >= 10]) >= 14
    assert {language for language in spoken if spoken[language] >= 10} <= set(languages())


def test_every_job_is_somewhere(world: World) -> None:
    for record in world.all("vacancy"):
        assert record.values.places, record.id
        for place in record.values.places:
            assert place.country in {"XA", "XB", "XC", "XD", "XE"}
            assert place.city
            assert place.lat is not None
            assert place.lon is not None
            assert place.id == "", "no gazetteer may know it"


def test_nobody_can_be_recognised_or_reached(world: World) -> None:
    for record in world.all("candidate"):
        for text in _texts(record):
            assert "@" not in text
            assert without_contacts(text) == text
        assert record.values.title in phrases(record.language).title.values()


def test_hostile_markup_reaches_no_record(world: World) -> None:
    raw = [p for p in DATA if "onerror" in p.read_bytes().decode("utf-8", "replace")]
    assert len(raw) >= 5
    for record in world.records:
        for text in _texts(record):
            assert not any(bad in text for bad in ("<", "onerror", "javascript", "owned", "display:none"))
    assert not [r for r in world.records if not (r.values.url or "https").startswith("https")]


def test_text_that_was_decoded_wrongly_is_put_right(world: World) -> None:
    assert "Ã" in (FOLDER / "members/xb/shares/data/viec-lam.csv").read_text("utf-8")
    titles = {record.values.title for record in world.of("xb/jobs") if record.language == "vi"}
    assert titles <= set(phrases("vi").title.values())


def test_gbk_and_two_calendars_are_read(world: World) -> None:
    with pytest.raises(UnicodeDecodeError):
        (FOLDER / "members/xe/shares/data/zhiwei.csv").read_text("utf-8")
    assert "焊工" in {record.values.title for record in world.of("xe/zhaopin")}
    assert "2569" in (FOLDER / "members/xe/shares/data/valley.xml").read_text("utf-8")
    years = {record.values.published[:4] for record in world.of("xe/valley")}
    assert years == {"2026"}


def test_a_job_stands_in_two_registers_with_different_pay(world: World) -> None:
    bank = {
        (r.values.title, r.values.employer.name, r.values.places[0].city): r for r in world.of("xa/vacancies")
    }
    board = [r for r in world.of("xe/settlers") if r.values.places[0].country == "XA"]
    assert len(board) >= 5
    for record in board:
        twin = bank[(record.values.title, record.values.employer.name, record.values.places[0].city)]
        assert record.values.pay.low != twin.values.pay.low


def test_absurd_pay_is_kept_and_not_compared(world: World) -> None:
    absurd = [
        r for r in world.records if r.values.pay and r.values.pay.low and "USD" in r.values.pay.currency
    ]
    largest = max(absurd, key=lambda r: r.values.pay.low).values.pay
    assert largest.low >= 30_000_000
    assert per_year(largest, load()) == (None, None)


def test_most_pay_can_be_compared_and_some_is_open(world: World) -> None:
    vacancy = world.all("vacancy")
    comparable = [r for r in vacancy if r.values.pay and per_year(r.values.pay, load()) != (None, None)]
    assert 0.5 * len(vacancy) < len(comparable) < len(vacancy)
    assert {r.values.pay.period for r in comparable} >= {"hour", "day", "month", "year"}
    assert {r.values.pay.tax for r in comparable} == {"", "net", "gross"}
    assert len({r.values.pay.currency for r in comparable}) >= 14


def test_what_was_withdrawn_is_gone_and_what_ran_out_too(world: World) -> None:
    assert world.journal.record("xd/feed/d0000021-0000-4000-8000-000000166299").gone is not None
    every = list(world.journal.records("xc", "vacancy", gone=True))
    assert [r for r in every if r.gone_why == "expired" or (r.gone and r.values.expires)]


@pytest.mark.parametrize("trade", trades(), ids=lambda t: t.name)
def test_a_trade_has_its_title_in_at_least_fourteen_languages(trade: Trade) -> None:
    assert len([language for language in languages() if trade.name in phrases(language).title]) >= 14


def test_there_are_at_least_forty_five_trades() -> None:
    assert len(trades()) >= 45


@pytest.mark.parametrize("language", languages())
def test_the_words_of_a_language_are_in_its_script(language: str) -> None:
    words = phrases(language)
    known = {trade.name: trade.group for trade in trades()}
    assert words.title.keys() <= known.keys()
    assert words.task.keys() == set(known.values())
    texts = [
        *words.title.values(),
        *words.need,
        *words.offer,
        *words.cv,
        *(t for of in words.task.values() for t in of),
    ]
    assert all(text == unicodedata.normalize("NFC", text).strip() for text in texts)
    scripts = {unicodedata.name(c).split()[0].rstrip("-") for text in texts for c in text if c.isalpha()}
    assert scripts - {"MODIFIER"} == {SCRIPT[language]}
    assert len(set(words.title.values())) == len(words.title)


def test_vacancies_are_varied_and_the_same_for_a_seed() -> None:
    first = list(vacancies(3_000, 7))
    assert first == list(vacancies(3_000, 7))
    assert first != list(vacancies(3_000, 8))
    assert len({v["id"] for v in first}) == 3_000
    assert len({v["language"] for v in first}) >= 20
    assert len({v["title"] for v in first}) > 800
    assert {v["country"] for v in first} == {"XA", "XB", "XC", "XD", "XE"}


def test_thirty_thousand_vacancies_take_less_than_a_second() -> None:
    next(vacancies(1, 1))
    began = time.process_time()
    assert sum(1 for _ in islice(vacancies(30_000, 1), None)) == 30_000
    assert time.process_time() - began < 1
