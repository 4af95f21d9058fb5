"""A record: one thing that a member shares, with where it came from and since when."""

from datetime import datetime
from typing import Any

import msgspec


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a record was read, when, and the hash of what was understood of it."""

    url: str = ""
    fetched: datetime | None = None
    hash: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record. `id` is `member/source/key`; `values` is the kind's struct.

    `translations` holds what the source itself says in further languages: language → field → text.
    `first_seen`, `changed` and `last_seen` are ours; dates that the source states are among the values.
    """

    id: str
    kind: str
    member: str
    source: str
    language: str
    values: Any
    translations: dict[str, dict[str, str]] = {}
    provenance: Provenance = Provenance()
    first_seen: datetime | None = None
    changed: datetime | None = None
    last_seen: datetime | None = None
    gone: datetime | None = None
    gone_why: str = ""

    @property
    def erased(self) -> bool:
        """Whether its contents were erased: it is gone, of a personal kind, and has no title any more."""
        return self.gone is not None and not self.provenance.hash
