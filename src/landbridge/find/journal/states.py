"""What the journal takes and gives: rows as they were seen, runs, incidents, and how a source stands."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from landbridge.find.mapping import Mapped
from landbridge.find.record import Record

COUNTED = ("read", "new", "changed", "unchanged", "duplicate_key", "quarantined", "gone", "held")

# partial: it ended without having seen everything; interrupted: it broke off and can go on at its page
RunState = Literal["running", "complete", "partial", "interrupted", "held", "failed"]


class Counts(msgspec.Struct):
    """What happened to the rows of a page or a run: the five in the middle add up to `read`."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicate_key: int = 0
    quarantined: int = 0
    gone: int = 0
    held: int = 0


class Run(msgspec.Struct):
    """One harvest of one source, finished or not."""

    id: int
    source: str
    state: RunState
    started: float
    ended: float | None
    complete: bool
    claimed: int | None
    counts: Counts
    keyless: int
    why: str
    repeated: int = 0
    cursor: Any = None


class Seen(msgspec.Struct, frozen=True):
    """A row as the journal takes it: read, and either understood or with the reason why not."""

    raw_hash: bytes
    again: bool = False  # the same bytes came before in this run
    where: str = ""
    mapped: Mapped | None = None
    hash: bytes = b""
    data: bytes = b""
    translations: bytes | None = None
    url: str = ""
    expires: float | None = None
    key: str = ""  # of a quarantined row, where it could be read
    code: str = ""
    field: str = ""
    value: str = ""
    reason: str = ""
    raw: bytes = b""


class Quarantined(msgspec.Struct, frozen=True):
    """A row that waits to be understood."""

    id: int
    source: str
    at: float
    where: str
    key: str
    code: str
    field: str
    value: str
    reason: str
    raw: bytes


class Incident(msgspec.Struct, frozen=True):
    """Something a person should know about a source."""

    id: int
    source: str
    code: str
    what: str
    opened: float
    closed: float | None


class SourceState(msgspec.Struct, frozen=True):
    """How a source stands: its last runs, what it holds and what it claims to hold."""

    name: str
    member: str
    kind: str
    alive: int
    claimed: int | None
    last_run: Run | None
    last_good: float | None  # when the last complete or partial run ended
    incidents: int
    next: float = 0.0


class Change(msgspec.Struct, frozen=True):
    """One step of the sequence: a record as it now is, or the identifier of one that is gone."""

    seq: int
    id: str
    record: Record | None


class Step(msgspec.Struct, frozen=True):
    """One step of the sequence without its contents: its number, the journal's row, and when it happened."""

    seq: int
    row: int
    at: datetime
