"""The real inputs, all of them: every row accounted for, hardly any refused, and found again in its language."""

import asyncio
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from landbridge.config import read_settings
from landbridge.find.harvest import Harvested
from landbridge.find.query import parse
from landbridge.instance import Instance

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def work(shared_data: Path) -> Path:
    return shared_data / "work"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    made = Instance(read_settings({"LANDBRIDGE_DATA": str(tmp_path_factory.mktemp("real"))}))
    yield made
    made.close()


def replay(instance: Instance, work: Path) -> list[Harvested]:
    return asyncio.run(instance.harvest(replay=[work], at=AT))


@pytest.fixture(scope="module")
def first(instance: Instance, work: Path) -> list[Harvested]:
    return replay(instance, work)


def test_every_row_is_counted_exactly_once(first: list[Harvested]) -> None:
    for h in first:
        assert h.read == h.new + h.changed + h.unchanged + h.duplicate_key + h.quarantined, h
        assert h.state != "failed", h
    assert sum(h.read for h in first) >= 95_000


def test_hardly_a_row_is_refused(first: list[Harvested], instance: Instance) -> None:
    reasons = sorted({f"{q.source}: {q.reason}" for q in instance.journal.quarantined("")})
    refused = sum(h.quarantined for h in first)
    assert refused <= 0.02 * sum(h.read for h in first), "\n".join([f"{refused:,} rows", *reasons])


@pytest.mark.parametrize(
    "word",
    [
        "сварщик",
        "водитель",
        "kế toán",
        "nhân viên",
        "admin",
        "perawat",
        "工程师",
        "销售",
        "cuisinier",
        "vendeur",
    ],
)
def test_a_word_finds_titles_that_hold_it(word: str, first: list[Harvested], instance: Instance) -> None:
    query = parse({"q": [word], "limit": ["20"]}, instance.kinds, rates=instance.rates)
    hits = instance.find(query).hits
    titles = [msgspec.json.decode(hit.record)["values"]["title"] for hit in hits]
    wanted = unicodedata.normalize("NFC", word)
    holding = [t for t in titles if wanted in unicodedata.normalize("NFC", t).casefold()]
    assert len(holding) >= 3, titles
    assert wanted in unicodedata.normalize("NFC", titles[0]).casefold(), titles


def test_the_same_again_changes_nothing(first: list[Harvested], instance: Instance, work: Path) -> None:
    parts = instance.journal.parts()
    before = {part: instance.journal.last_seq(*part) for part in parts}
    for h in replay(instance, work):
        assert (h.new, h.changed, h.gone) == (0, 0, 0), h
        assert h.read == h.unchanged + h.duplicate_key + h.quarantined, h
    assert {part: instance.journal.last_seq(*part) for part in parts} == before
