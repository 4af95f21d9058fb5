"""A register in memory that changes with every epoch, harvested under kill -9, and what must hold afterwards."""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from landbridge.config import read_settings
from landbridge.find.connect import Page
from landbridge.find.harvest import harvest
from landbridge.find.read import Row
from landbridge.find.source import Source, parse_source
from landbridge.instance import Instance, follow

SIZE, PAGE = 600, 50
FILE = """
title = "a register that changes"
kind = "vacancy"
language = "en"
deletes = "absence"
[fetch]
every = "1s"
[expect]
max_drop = 0.9
[map]
id = "id"
title = "title"
"""


def register(epoch: int) -> dict[str, str]:
    """What the register holds in an epoch: a tenth goes, a tenth comes, a tenth changes each time."""
    return {
        f"k{n}": f"Job {n} version {epoch if n % 10 == epoch % 10 else 0}"
        for n in range(epoch * SIZE // 10, epoch * SIZE // 10 + SIZE)
    }


def _instance(folder: Path) -> Instance:
    return Instance(read_settings({"LANDBRIDGE_DATA": str(folder)}))


def _source(instance: Instance) -> Source:
    return parse_source(FILE, instance.kinds, member="xa", name="jobs")


def _pages(epoch: int) -> Any:
    rows = [Row(raw=msgspec.json.encode({"id": k, "title": t})) for k, t in register(epoch).items()]

    async def pages(cursor: Any) -> AsyncIterator[Page]:
        start = int(cursor or 0)
        while True:  # also behind the last row: a run that broke off there still has its end to come
            last = start + PAGE >= len(rows)
            yield Page(rows=rows[start : start + PAGE], cursor=start + PAGE, last=last, complete=last)
            if last:
                return
            start += PAGE

    return pages


def completed_epochs(folder: Path) -> int:
    """How many epochs were harvested to their end."""
    file = folder / "epoch"
    return int(file.read_text()) if file.exists() else 0


def _one_epoch(instance: Instance, folder: Path) -> None:
    source = _source(instance)
    epoch = completed_epochs(folder)
    done = asyncio.run(
        harvest(source, _pages(epoch), journal=instance.journal, kind=instance.kinds["vacancy"])
    )
    follow(instance.journal, instance.index("xa", "vacancy"), "xa", "vacancy")
    if done.state == "complete":
        temporary = folder / "epoch.new"
        temporary.write_text(str(epoch + 1))
        temporary.replace(folder / "epoch")


def harvest_epochs(folder: Path) -> None:
    """Harvests epoch after epoch until killed; an epoch ends only when its run completed."""
    instance = _instance(folder)
    while True:
        _one_epoch(instance, folder)


def wrong_after_kill(folder: Path) -> list[str]:
    """What must never be seen, even between two kills."""
    instance = _instance(folder)
    wrong = instance.journal.check()
    epoch = completed_epochs(folder)
    known = {k: t for e in range(max(0, epoch - 12), epoch + 1) for k, t in register(e).items()}
    titles = {f"{k}|{t}" for e in range(max(0, epoch - 12), epoch + 1) for k, t in register(e).items()}
    for record in instance.journal.records("xa"):
        key = record.id.rpartition("/")[2]
        if key not in known or f"{key}|{record.values.title}" not in titles:
            wrong.append(f"{record.id} {record.values.title!r} never was")
    instance.close()
    return wrong


def final_state(folder: Path) -> list[str]:
    """After a last undisturbed epoch: journal, index and register hold the same, each once."""
    instance = _instance(folder)
    epoch = completed_epochs(folder)
    _one_epoch(instance, folder)
    wrong = instance.journal.check()
    if completed_epochs(folder) == epoch:
        wrong.append("the last epoch did not complete")
    held = {r.id.rpartition("/")[2]: r.values.title for r in instance.journal.records("xa")}
    if held != register(epoch):
        wrong.append(f"the journal holds {len(held)} records that are not the register's {SIZE}")
    index = instance.index("xa", "vacancy")

    if index.count() != SIZE:
        wrong.append(f"the index holds {index.count()} records of {SIZE}")
    instance.close()
    return wrong


def kill(folder: Path, times: int, seed: int = 1, *, longest: float = 0.15) -> dict[str, Any]:
    """Kills a harvesting child so many times, each within `longest` seconds; returns what was found wrong."""
    dice = random.Random(seed)
    wrong: list[str] = []
    started = time.monotonic()
    for n in range(times):
        child = os.fork()
        if child == 0:
            harvest_epochs(folder)
            os._exit(0)
        time.sleep(dice.uniform(0.005, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if n % 25 == 24:
            wrong += wrong_after_kill(folder)
    wrong += final_state(folder)
    return {
        "kills": times,
        "epochs": completed_epochs(folder),
        "seconds": round(time.monotonic() - started, 1),
        "wrong": wrong,
    }


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--kills", type=int, default=1_000)
    words.add_argument("--json", action="store_true")
    a = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="landbridge-crash-"))
    found = kill(folder, a.kills)
    shutil.rmtree(folder)
    if a.json:
        print(json.dumps(found))
    else:
        print(f"{found['kills']} kills, {found['epochs']} epochs completed, {found['seconds']} s")
        print("\n".join(found["wrong"]) or "nothing lost, doubled or ghosted")
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
