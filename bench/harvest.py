"""Harvest end to end: from local mock registers to a committed journal and index, new and unchanged rows.

The peer beside it is what the parts cost alone: the same rows decoded and written by a bare SQLite upsert.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec

from landbridge.config import read_settings
from landbridge.find.query import parse
from landbridge.instance import Instance

ROOT = Path(__file__).resolve().parents[1]
SOURCE = """
title = "a mock register"
kind = "vacancy"
language = "en"
deletes = "absence"
[fetch]
with = "json-pages"
url = "{url}/pages?page={{page}}"
items = "data.items"
total = "meta.total"
page_size = 1000
[map]
id = "id"
title = "title"
employer = "company"
places.city = "city"
category.code = "area"
contract = "contract"
description = "text"
updated = "modified"
[values.contract]
"forever" = "permanent"
"""


@contextlib.contextmanager
def register(records: int) -> Iterator[str]:
    """A mock register in a process of its own; yields its address."""
    words = [sys.executable, "-m", "tests.registers", "--records", str(records)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def _instance(folder: Path, url: str, members: int) -> Instance:
    for n in range(members):
        shares = folder / "members" / f"m{n}" / "shares"
        shares.mkdir(parents=True, exist_ok=True)
        (shares.parent / "member.toml").write_text(f'name = "Member {n}"\ncountries = ["KZ"]\n')
        (shares / "jobs.toml").write_text(SOURCE.format(url=url))
    settings = read_settings({"LANDBRIDGE_DATA": str(folder), "LANDBRIDGE_PRIVATE": "1"})
    return Instance(settings, folders=[folder / "none"])


def _harvest(instance: Instance) -> tuple[float, dict[str, int]]:
    started = time.perf_counter()
    done = asyncio.run(instance.harvest())
    took = time.perf_counter() - started
    return took, {n: sum(getattr(h, n) for h in done) for n in ("read", "new", "unchanged", "quarantined")}


def _bare(url: str, folder: Path) -> float:
    """Rows a second of a bare loop: fetch, decode, upsert of key and bytes."""
    db = sqlite3.connect(folder / "bare.db")
    db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE r (key TEXT PRIMARY KEY, data BLOB)")
    started, count, page = time.perf_counter(), 0, 0
    while True:
        with urlopen(f"{url}/pages?page={page}") as answer:
            items = msgspec.json.decode(answer.read())["data"]["items"]
        if not items:
            break
        with db:
            rows = [(i["id"], msgspec.json.encode(i)) for i in items]
            db.executemany("INSERT OR REPLACE INTO r VALUES (?, ?)", rows)
        count, page = count + len(items), page + 1
    db.close()
    return count / (time.perf_counter() - started)


def _searchable(instance: Instance, folder: Path, url: str) -> float:
    """Seconds from the start of a harvest of one new record until a search finds it."""
    shares = folder / "members" / "m0" / "shares"
    (shares / "data").mkdir(exist_ok=True)
    (shares / "data" / "one.ndjson").write_text('{"id": "late", "title": "Zeppelin captain"}\n')
    (shares / "late.toml").write_text(
        'title = "one"\nkind = "vacancy"\nlanguage = "en"\ndeletes = "none"\n'
        '[fetch]\nwith = "file"\npath = "data/one.ndjson"\n[map]\nid = "id"\ntitle = "title"\n'
    )
    fresh = Instance(instance.settings, folders=[folder / "none"])
    started = time.perf_counter()
    asyncio.run(fresh.harvest(["m0/late"]))
    while not fresh.find(parse({"q": ["zeppelin"]}, fresh.kinds, rates=fresh.rates)).hits:
        if time.perf_counter() - started > 30:
            return float("inf")
        time.sleep(0.01)
    fresh.close()
    return time.perf_counter() - started


def measure(records: int, members: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    try:
        with register(records) as url:
            bare = _bare(url, folder)
            instance = _instance(folder, url, members)
            new, counts = _harvest(instance)
            if counts["new"] != records * members:
                raise SystemExit(f"{counts} of {records * members} records")
            again, same = _harvest(instance)
            if same["unchanged"] != records * members:
                raise SystemExit(f"{same} of {records * members} unchanged")
            late = _searchable(instance, folder, url)
            instance.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    total = records * members
    return {
        "records": total,
        "new_per_second": round(total / new),
        "unchanged_per_second": round(total / again),
        "bare_sqlite_per_second": round(bare),
        "new_to_bare": round(total / new / bare, 2),
        "unchanged_to_bare": round(total / again / bare, 2),
        "searchable_seconds": round(late, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peak_children_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "goal": {
            "new_per_second": 10_000,
            "unchanged_per_second": 50_000,
            "peak_mb": 300,
            "searchable_seconds": 2,
        },
    }


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--records", type=int, default=50_000, help="of each member")
    words.add_argument("--members", type=int, default=4)
    words.add_argument("--json", action="store_true")
    a = words.parse_args()
    found = measure(a.records, a.members)
    if a.json:
        print(json.dumps(found))
        return
    goal = found["goal"]
    for name, value in found.items():
        if name != "goal":
            print(f"{name:24} {value:>12,}" + (f"   (goal {goal[name]:,})" if name in goal else ""))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
