"""A candidate that withdraws leaves no word behind: not in the journal's files, not in the index's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from landbridge.config import Settings
from landbridge.find.connect.page import Page, Row
from landbridge.find.harvest import harvest
from landbridge.instance import Instance

CANARY = "zebrawoodcarver"
SOURCE = """
title = "Pseudonymous candidates"
kind = "candidate"
licence = "open data"
store = "full"
deletes = "absence"
[map]
id = "id"
title = "title"
summary = "text"
"""


def send(instance: Instance, *rows: dict[str, str]) -> None:
    async def pages(_cursor: Any) -> AsyncIterator[Page]:
        read = [Row(raw=msgspec.json.encode(r), where=f"row {n}") for n, r in enumerate(rows)]
        yield Page(rows=read, cursor=1, last=True, complete=True, claimed=len(rows))

    source = instance.source("xa/people")
    asyncio.run(harvest(source, pages, journal=instance.journal, kind=instance.kinds["candidate"]))
    instance.follow()


def holding(folder: Path, word: str) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]


def test_what_a_withdrawn_candidate_said_is_in_no_file(tmp_path: Path) -> None:
    shares = tmp_path / "members" / "xa" / "shares"
    shares.mkdir(parents=True)
    (shares.parent / "member.toml").write_text('name = "Altania"\ncountries = ["XA"]\n', "utf-8")
    (shares / "people.toml").write_text(SOURCE, "utf-8")
    data = tmp_path / "data"
    instance = Instance(Settings(data=data, journal=str(data / "journal.db")), folders=[tmp_path / "members"])
    stays = {"id": "2", "title": "Welder", "text": "gatekeeperword"}
    others = [{"id": f"n{n}", "title": "Cook", "text": "soup and bread"} for n in range(20)]
    send(instance, {"id": "1", "title": f"Joiner {CANARY}", "text": CANARY}, stays, *others)
    assert holding(data, CANARY)
    send(instance, stays, *others)
    instance.close()
    assert holding(data, CANARY) == []
    assert holding(data, "gatekeeperword")
