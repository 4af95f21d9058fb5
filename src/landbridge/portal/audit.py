"""The audit log: every action of an operator, a line each, chained so that a changed line shows.

One file of JSON lines, `audit.ndjson` in the data directory. A line holds the hash of the line before it and its
own, so that nothing in the middle can be changed, taken out or put in. That the end was cut off shows only to
somebody who kept a later head: each head also goes to the log of the service, which may be kept elsewhere.
"""

import fcntl
import logging
import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from landbridge.errors import LandbridgeError, StorageError

FILE: Final = "audit.ndjson"
_TAIL = 2**16  # bytes; no line of ours is longer
_LONGEST = 1_000  # characters of one word of an entry
_START = "0" * 64  # what stands before the first line
log = logging.getLogger("landbridge.audit")


class Entry(msgspec.Struct, frozen=True):
    """Who did what, on what, and what came of it."""

    at: datetime
    who: str
    what: str
    on: str
    outcome: str
    previous: str


class Chain(msgspec.Struct, frozen=True):
    """What `verify` found: how many lines hold together, the last one's hash, and what is wrong behind them."""

    lines: int
    head: str
    wrong: str = ""


def append(
    data: Path, *, who: str, what: str, on: str = "", outcome: str = "done", at: datetime | None = None
) -> None:
    """Writes one line and waits until the disk has it. Raises StorageError: then do not act."""
    path = data / FILE
    try:
        data.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            previous, whole = _last(file)
            who, what, on, outcome = (text[:_LONGEST] for text in (who, what, on, outcome))
            entry = Entry(at or datetime.now(UTC), who, what, on, outcome, previous)
            line = _seal(msgspec.json.encode(entry))
            file.write((b"" if whole else b"\n") + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}",
            hint="nothing was done: every action is audited first",
        ) from error
    log.info("audit %s", _hash_of(line))


def audited(data: Path, *, who: str, what: str, on: str, act: Callable[[], str]) -> str:
    """Acts between two lines, what begins and what came of it; returns the words of the outcome."""
    append(data, who=who, what=what, on=on, outcome="begun")
    try:
        outcome = act()
    except Exception as error:
        append(data, who=who, what=what, on=on, outcome=f"failed: {_words(error)}")
        raise
    append(data, who=who, what=what, on=on, outcome=outcome)
    return outcome


def _words(error: Exception) -> str:
    """What an error may say here: of one that nobody foresaw only its type, for its words may hold a record."""
    return str(error) if isinstance(error, LandbridgeError) else type(error).__name__


def entries(data: Path, *, last: int = 200) -> list[Entry]:
    """The last entries, newest first; lines that cannot be read are left out, and `verify` tells of them."""
    found = []
    for line in _lines(data, last):
        try:
            found.append(msgspec.json.decode(line, type=Entry))
        except msgspec.MsgspecError:
            continue
    return found[::-1]


def verify(data: Path) -> Chain:
    """Follows the chain from its first line to where it ends or breaks."""
    path = data / FILE
    lines, head = 0, _START
    if not path.exists():
        return Chain(0, head)
    with path.open("rb") as file:
        for raw in file:
            number = lines + 1
            line = raw.rstrip(b"\n")
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.MsgspecError:
                return Chain(lines, head, f"line {number} cannot be read")
            if _seal(_body(line)) != line:
                return Chain(lines, head, f"line {number} was changed: it does not match its own hash")
            if entry.previous != head:
                return Chain(
                    lines, head, f"line {number} does not follow line {lines}: one was changed or taken out"
                )
            lines, head = number, _hash_of(line)
    return Chain(lines, head)


def _seal(body: bytes) -> bytes:
    """The line of an entry: its JSON with the hash of that JSON as the last member."""
    return body[:-1] + b',"hash":"' + sha256(body).hexdigest().encode() + b'"}'


def _hash_of(line: bytes) -> str:
    return line[-66:-2].decode("ascii", "replace")


def _body(line: bytes) -> bytes:
    return line[: -len(b',"hash":""}') - 64] + b"}"


def _last(file: Any) -> tuple[str, bool]:
    """The hash that the next line follows, and whether the last line is whole."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return _START, True
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    whole = tail.endswith(b"\n")
    line = tail.rstrip(b"\n").rpartition(b"\n")[2]
    return _hash_of(line), whole


def _lines(data: Path, last: int) -> list[bytes]:
    path = data / FILE
    if not path.exists():
        return []
    with path.open("rb") as file:
        return list(deque(file, maxlen=last))
