"""The doctor in a process of its own: a stranger's file gets so much time, so much memory, and no file.

`python -m landbridge.portal.examining` reads a Task from its input and writes the report. The kernel keeps the
limits: what a hostile file makes of a reader ends with the process.
"""

import asyncio
import resource
import sys
from pathlib import Path
from typing import Final

import msgspec

from landbridge.errors import FetchError
from landbridge.find.connect.http import Client
from landbridge.find.doctor import Finding, Report, examine_bytes
from landbridge.find.source import Source
from landbridge.kinds.kind import read_kinds

SECONDS: Final = 30  # of work
MEMORY: Final = 3 * 2**30  # bytes of address space
_FETCHING = "15s"


class Task(msgspec.Struct, frozen=True):
    """A file, or an address, to be looked at."""

    kind: str
    member: str
    kinds: str  # the folder of the instance's own kinds
    data: bytes = b""
    name: str = ""
    url: str = ""
    most: int = 0  # bytes of an answer
    contact: str = ""
    private: bool = False


def main() -> None:
    """Limits first; then the imports are done, and nothing but the task is read."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(examine(task)))


def examine(task: Task) -> Report:
    """The doctor's report on what the task names."""
    kinds = read_kinds([Path(task.kinds)])
    data, name = task.data, task.name
    if task.url:
        fetched = asyncio.run(_fetch(task))
        if isinstance(fetched, Report):
            return fetched
        data, name = fetched, task.url
    return examine_bytes(data, name, kinds=kinds, kind=task.kind, member=task.member, url=task.url)


async def _fetch(task: Task) -> bytes | Report:
    """What the address answers, or a report that says why it does not."""
    probe = Source(
        title="",
        kind=task.kind,
        deletes="none",
        map={"id": "id"},
        member=task.member,
        name="address",
        fetch={"url": task.url, "max_bytes": task.most, "timeout": _FETCHING},
    )
    async with Client(
        contact=task.contact, allow_private=task.private, attempts=1, longest_wait=0.0, connect_timeout=5.0
    ) as client:
        try:
            reply = await client.get(probe, task.url, expect="")
        except FetchError as error:
            return Report(task.url, [Finding("bad", "address", error.reason, error.hint)])
    return reply.body


if __name__ == "__main__":
    main()
