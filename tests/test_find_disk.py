"""A full disk: the harvest stops with a word, keeps what was whole, and goes on when there is room again."""

import asyncio
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from landbridge.config import read_settings
from landbridge.errors import StorageError
from landbridge.find.connect import Page
from landbridge.find.harvest import harvest
from landbridge.find.journal import Journal
from landbridge.find.read import Row
from landbridge.find.source import parse_source
from landbridge.instance import Instance, follow
from landbridge.kinds.kind import read_kinds

KINDS = read_kinds()
FILE = """
title = "a register"
kind = "vacancy"
language = "en"
deletes = "absence"
[map]
id = "id"
title = "title"
"""
ROWS = [Row(raw=msgspec.json.encode({"id": n, "title": f"Job {n} " + "x" * 400})) for n in range(2_000)]
SOURCE = parse_source(FILE, KINDS, member="xa", name="jobs")


async def pages(cursor: Any) -> AsyncIterator[Page]:
    for start in range(int(cursor or 0), len(ROWS), 100):
        last = start + 100 >= len(ROWS)
        yield Page(rows=ROWS[start : start + 100], cursor=start + 100, last=last, complete=last)


def allow(journal: Journal, file_pages: int) -> None:
    """How large SQLite may let its file grow; beyond, it says that the disk is full."""

    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={file_pages}")

    sa.event.listen(journal.engine, "connect", limit)
    journal.engine.dispose()


def test_a_full_disk_stops_the_harvest_and_nothing_is_half_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", KINDS)
    allow(journal, 150)
    with pytest.raises(StorageError, match="full") as caught:
        asyncio.run(harvest(SOURCE, pages, journal=journal, kind=KINDS["vacancy"]))
    assert "it goes on at its page" in caught.value.hint
    kept = journal.alive("xa/jobs")
    assert 0 < kept < 2_000
    assert kept % 100 == 0  # whole pages
    assert journal.check() == []
    allow(journal, 1_000_000)
    done = asyncio.run(harvest(SOURCE, pages, journal=journal, kind=KINDS["vacancy"]))
    assert (done.state, done.read, journal.alive("xa/jobs")) == ("complete", 2_000, 2_000)
    assert journal.check() == []


def test_an_index_that_cannot_be_written_is_made_up_for_later(tmp_path: Path) -> None:
    instance = Instance(read_settings({"LANDBRIDGE_DATA": str(tmp_path)}))
    asyncio.run(harvest(SOURCE, pages, journal=instance.journal, kind=KINDS["vacancy"]))
    index = instance.index("xa", "vacancy")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            follow(instance.journal, index, "xa", "vacancy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert follow(instance.journal, index, "xa", "vacancy") == 2_000
    assert index.count() == 2_000
    instance.close()
