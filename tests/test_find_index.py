"""The embedded index: the common sentences, and what is its own (a folder, processes, a disk)."""

import multiprocessing
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from landbridge.errors import ConfigError
from landbridge.find.index import open_index
from landbridge.find.index import tantivy as adapter
from landbridge.find.index.document import Writer
from landbridge.find.index.protocol import Index, Plan, Reading, Removal, Word
from landbridge.find.index.tantivy import edits, neighbours
from landbridge.find.rates import Rates
from landbridge.kinds.kind import Kind, read_kind
from tests.index_suite import COURSE, NOTE, RATES, VACANCY, IndexSuite, Make, vacancy, words


@pytest.fixture
def course(tmp_path: Path) -> Kind:
    path = tmp_path / "course.toml"
    path.write_text(COURSE)
    return read_kind(path)


@pytest.fixture
def note(tmp_path: Path) -> Kind:
    path = tmp_path / "note.toml"
    path.write_text(NOTE)
    return read_kind(path)


class TestTantivy(IndexSuite):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Make]:
        opened: list[Index] = []

        def make(member: str, kind: Kind, rates: Rates) -> Index:
            opened.append(open_index(tmp_path / "index", member, kind, rates))
            return opened[-1]

        yield make
        for index in opened:
            index.close()


def _write_many(folder: str, first: int, count: int) -> None:
    index = open_index(folder, "xa", VACANCY, RATES)
    for n in range(first, first + count):
        index.write([(n, vacancy(str(n), "Welder"))])


def test_processes_that_write_the_same_index_wait_for_each_other(tmp_path: Path) -> None:
    """Both follow one journal; whoever is late passes over what the other wrote."""
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_write_many, args=(str(tmp_path), 1, 12)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    index = open_index(tmp_path, "xa", VACANCY, RATES)
    assert (index.count(), index.last_seq) == (12, 12)


def test_a_process_that_does_not_stop_writing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PATIENCE", 0.1)
    index, other = (open_index(tmp_path, "xa", VACANCY, RATES) for _ in range(2))

    def changes() -> Iterator[tuple[int, object]]:
        with pytest.raises(ConfigError, match="another process"):
            other.write([(1, vacancy("1", "Cook"))])
        yield 1, vacancy("1", "Welder")

    index.write(changes())  # type: ignore[arg-type]
    assert index.count() == 1


def _die_while_writing(folder: str, after: float) -> None:
    index = open_index(folder, "xa", VACANCY, RATES)
    signal.setitimer(signal.ITIMER_REAL, after)  # SIGALRM ends the process wherever it is
    n = index.last_seq
    while True:
        n += 1
        index.write([(n, vacancy(str(n % 50), f"Welder {n}"))])


def test_a_process_killed_while_writing_leaves_an_index_that_goes_on(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for n in range(4):
        process = context.Process(target=_die_while_writing, args=(str(tmp_path), 0.05 + n * 0.037))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGALRM
        index = open_index(tmp_path, "xa", VACANCY, RATES)
        assert index.outdated == ""
        assert index.count() <= min(50, index.last_seq + 1)
    index.write(
        (n, vacancy(str(n % 50), f"Welder {n}")) for n in range(index.last_seq + 1, index.last_seq + 61)
    )
    assert index.count() == 50


def _fill_the_disk(folder: str) -> None:
    index = open_index(folder, "xa", VACANCY, RATES)
    index.write([(1, vacancy("1", "Welder"))])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    many = [(n, vacancy(str(n), f"Welder number {n} " * 50)) for n in range(2, 400)]
    with pytest.raises(OSError, match="cannot be written"):
        index.write(many)
    assert (index.last_seq, index.count()) == (1, 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert index.write(many) == 398
    assert (index.last_seq, index.count()) == (399, 399)


def test_a_full_disk_loses_nothing_and_writing_goes_on_afterwards(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_fill_the_disk, args=(str(tmp_path),))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_an_index_whose_files_are_damaged_says_so_and_can_be_rebuilt(tmp_path: Path) -> None:
    index = open_index(tmp_path, "xa", VACANCY, RATES)
    index.write([(1, vacancy("1", "Welder"))])
    (tmp_path / "xa" / "vacancy" / "landbridge.json").write_text("{")
    again = open_index(tmp_path, "xa", VACANCY, RATES)
    assert "cannot be read" in again.outdated
    with pytest.raises(ConfigError, match="cannot be read"):
        again.view()
    again.rebuild([(1, vacancy("1", "Welder"))])
    assert again.count() == 1


def test_a_long_write_commits_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "COMMIT", 10)
    monkeypatch.setattr(Writer, "TOGETHER", 5)  # records are read in so many at a time
    index, reader = (open_index(tmp_path, "xa", VACANCY, RATES) for _ in range(2))
    seen = []

    def changes() -> Iterator[tuple[int, object]]:
        for n in range(1, 36):
            yield n, vacancy(str(n % 12), f"Welder {n}")
            seen.append(reader.count())

    index.write(changes())  # type: ignore[arg-type]
    assert {0, 10, 12} <= set(seen)
    assert reader.count() == 12
    assert reader.view().search(Plan(words=words("35"))).total == 1


def test_a_new_record_is_found_within_two_seconds(tmp_path: Path) -> None:
    index, reader = (open_index(tmp_path, "xa", VACANCY, RATES) for _ in range(2))
    index.write((n, vacancy(str(n), f"Welder {n}")) for n in range(1, 3000))
    reader.view()
    started = time.monotonic()
    index.write([(3000, vacancy("new", "Plumber"))])
    assert reader.view().search(Plan(words=words("plumber"))).total == 1
    assert time.monotonic() - started < 2


def test_a_total_that_costs_too_much_is_a_lower_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(tmp_path, "xa", VACANCY, RATES)
    index.write((n, vacancy(str(n), "Welder" if n % 3 else "Plumber")) for n in range(1, 31))
    either = Word((Reading(("welder",)), Reading(("plumber",))))

    def total(*words: Word) -> tuple[int, bool]:
        answer = index.view().search(Plan(words=words, sort="relevance", limit=5))
        return answer.total, answer.exact

    welder = Word((Reading(("welder",)),))
    assert total(either) == (30, True)
    monkeypatch.setattr(adapter, "COUNTED", 25)
    assert total(either) == (20, False)  # at least as many as its most frequent reading
    assert total(welder) == (20, True)  # a frequency
    assert total(welder, either) == (20, True)
    index.write([(31, Removal("xa/jobs/1")), (32, vacancy("2", "Plumber"))])
    monkeypatch.setattr(adapter, "COUNTED", 5)
    found, exact = total(welder)
    assert exact or found <= 18  # frequencies count the removed until they are cleared away
    monkeypatch.setattr(adapter, "COUNTED", 25)
    assert total(welder) == (18, True)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("welder", "welder", 0),
        ("wleder", "welder", 1),
        ("wldr", "welder", 2),
        ("", "ab", 2),
        ("сворщик", "сварщик", 1),
    ],
)
def test_edits_count_swaps_as_one(one: str, other: str, distance: int) -> None:
    assert edits(one, other) == edits(other, one) == distance


def test_neighbours_are_all_words_one_edit_away() -> None:
    near = neighbours("сват")
    assert {"свт", "свата", "свет", "савт", "үсват"} <= near
    assert "сват" not in near
    assert all(edits("сват", word) == 1 for word in near)
