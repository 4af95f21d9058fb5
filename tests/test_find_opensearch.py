"""The distributed index: the common sentences on a real node, and that it answers as the embedded one does."""

import builtins
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from landbridge.errors import ConfigError
from landbridge.find.index import open_index
from landbridge.find.index.protocol import AtLeast, Index, Near, Plan, Reading, Removal, Terms, Word
from landbridge.find.rates import Rates
from landbridge.find.record import Record
from landbridge.kinds.kind import Kind, read_kind
from landbridge.kinds.values import Concept, Party
from tests.index_suite import (
    ALMATY,
    ASTANA,
    COURSE,
    NOTE,
    RATES,
    TALGAR,
    VACANCY,
    IndexSuite,
    Make,
    ids,
    monthly,
    phrase,
    vacancy,
    words,
)
from tests.servers import free_port, opensearch


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with opensearch() as address:
        yield address


@pytest.fixture
def make(node: str) -> Iterator[Make]:
    opened: list[Index] = []

    def make(member: str, kind: Kind, rates: Rates) -> Index:
        opened.append(open_index(node, member, kind, rates))
        return opened[-1]

    yield make
    for index in opened:
        index.drop()
        index.close()


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


class TestOpenSearch(IndexSuite):
    @pytest.fixture
    def make(self, make: Make) -> Make:
        return make


TRADES = ("Welder", "Pipe welder", "Cook", "Truck driver", "Driver", "Ward nurse", "Nurse", "Mason")
TASKS = ("night shift", "day shift", "ship hulls and pipes", "a truck and a crane", "patients", "bread")


def _market() -> list[Record]:
    return [
        vacancy(
            str(n),
            TRADES[n % 8],
            description=". ".join(TASKS[(n * k) % 6] for k in range(1, n % 9 + 1)),
            language=("en", "de", "sv")[n % 3],
            contract=(("permanent",), ("project", "seasonal"), ())[n % 7 % 3],
            occupation=(Concept(text=TRADES[n % 8], scheme="isco-08", code=f"{7212 + n % 8 * 13}"),),
            employer=Party(name=f"Firm {n % 23}"),
            pay=monthly(900 + n * 37 % 2000, 3000) if n % 5 else None,
            places=((ALMATY,), (ASTANA, TALGAR), (TALGAR,), ())[n % 11 % 4],
            published=f"2026-{n % 9 + 1:02d}-{n % 28 + 1:02d}" if n % 13 else None,
        )
        for n in range(300)
    ]


def _plans() -> list[Plan]:
    either = Word((Reading(("welder",), 1.7), Reading(("mason",))))
    near = Near(43.25, 76.95, 60)
    plans = [
        *(
            {"words": words(t)}
            for t in ("welder", "driver", "night shift", "pipes", "nurse patients", "truck")
        ),
        {"words": (phrase("truck driver"),)},
        {"words": (either,)},
        {"words": words("shift"), "without": words("welder")},
        {"words": words("shift"), "filters": (AtLeast("pay", "top", 2_000_000),)},
        {"words": words("shift"), "filters": (Terms("contract", "contract", ("project",)), near)},
        {"filters": (Terms("occupation", "occupation", (), ("isco-08:72",)),)},
        {"filters": (AtLeast("since", "date", 1_780_000_000, or_lacking=True),), "offset": 13},
    ]
    facets = ("contract", "employer", "city", "language")
    asked: list[Any] = [
        {**plan, "sort": sort, "facets": facets} for plan in plans for sort in ("relevance", "date", "pay")
    ]
    asked.append({"filters": (near,), "sort": "distance", "words": words("shift")})
    return [Plan(**{"limit": 300, **one}) for one in asked]


def test_both_engines_give_the_same_hits_in_the_same_order(make: Make, tmp_path: Path) -> None:
    records, plans = _market(), _plans()
    one, other = make("xa", VACANCY, RATES), open_index(tmp_path, "xa", VACANCY, RATES)
    assert len(records) == 300
    assert len(plans) == 40
    for index in (one, other):
        index.write(enumerate(records, 1))
    for plan in plans:
        theirs, ours = one.view().search(plan), other.view().search(plan)
        assert (theirs.total, theirs.lacking) == (ours.total, ours.lacking), plan
        assert [h[0] for h in theirs.hits] == pytest.approx([h[0] for h in ours.hits], rel=1e-5), plan
        assert _ranked(theirs) == _ranked(ours), plan
        assert theirs.pays(range(9)) == ours.pays(range(9)) or plan.sort == "relevance", plan
        for name in plan.facets:
            counted, count = theirs.facets[name], ours.facets[name]
            assert (dict(counted.values), counted.missing) == (dict(count.values), count.missing), plan
    for token in ("weldr", "drivr", "nigth"):
        assert sorted(one.view().similar(token, 1)) == sorted(other.view().similar(token, 1))
    other.close()


def _ranked(answer: Any) -> list[str]:
    """The keys in order; equals, which an engine may give in any order, by their dates."""
    found = zip(answer.hits, ids(answer), strict=True)
    return [key for _, key in sorted(found, key=lambda f: (-round(f[0][0], 4), -f[0][1]))]


def test_a_writer_that_comes_late_neither_overwrites_nor_brings_back(make: Make) -> None:
    """Both followed the journal from the same number: what decides is the number of each change."""
    slow, fast, reader = (make("xa", VACANCY, RATES) for _ in range(3))

    def changes() -> Iterator[tuple[int, Record]]:
        newer = [(3, vacancy("1", "Plumber")), (4, vacancy("2", "Cook")), (5, Removal("xa/jobs/2"))]
        fast.write(newer)
        yield 1, vacancy("1", "Welder")
        yield 2, vacancy("2", "Welder")

    slow.write(changes())
    assert ids(reader.view().search(Plan())) == ["1"]
    assert reader.view().search(Plan(words=words("plumber"))).total == 1


def test_an_identifier_may_be_longer_than_the_engine_takes(make: Make) -> None:
    index = make("xa", VACANCY, RATES)
    index.write([(1, vacancy("я" * 900, "Welder")), (2, vacancy("ю" * 900, "Cook"))])
    assert ids(index.view().search(Plan(words=words("welder")))) == ["я" * 900]
    index.write([(3, Removal("xa/jobs/" + "я" * 900))])
    assert index.count() == 1


def test_an_index_of_that_name_that_is_not_ours_says_so(make: Make) -> None:
    index: Any = make("xa", VACANCY, RATES)
    index.ask("PUT", f"/{index.name}-7", {"aliases": {index.name: {}}})
    assert "cannot be read" in index.outdated
    with pytest.raises(ConfigError, match="cannot be read"):
        index.view()
    index.rebuild([(1, vacancy("1", "Welder"))])
    assert (index.count(), index.outdated) == (1, "")


def test_a_node_that_does_not_answer_is_an_error_of_the_system() -> None:
    index = open_index(f"http://127.0.0.1:{free_port()}", "xa", VACANCY, RATES)
    with pytest.raises(OSError, match="xa vacancy"):
        index.view()
    index.close()


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "opensearchpy":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "landbridge.find.index.opensearch", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError) as told:
        open_index("http://127.0.0.1:9200", "xa", VACANCY, RATES)
    assert told.value.hint == "pip install landbridge[opensearch]"
