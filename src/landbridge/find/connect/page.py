"""What a connector yields: one page of rows, and where the next step starts."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from landbridge.find.mapping import key_reader, url_key
from landbridge.find.read import Row
from landbridge.find.source import Source


class Page(msgspec.Struct, frozen=True):
    """What one step of a harvest yields.

    `cursor` (JSON) is where the next step starts; `claimed` the register's own total where it states one;
    `gone` the identifiers it declares removed; `still` those it declares present without sending them again;
    `last` is true on the final page, and `complete` on it says that the whole register was read (declared
    total reached, no page missing or repeated): only then may absence mean a deletion. `keep_cursor` says
    that the next run goes on from here (an event feed, a file that may be unchanged), rather than from the
    beginning. `gone` and `still` hold keys as `key_of` makes them.
    """

    rows: Sequence[Row]
    cursor: Any = None
    claimed: int | None = None
    gone: Sequence[str] = ()
    still: Sequence[str] = ()
    last: bool = False
    complete: bool = False
    keep_cursor: bool = False
    url: str = ""
    notes: Sequence[str] = ()


Pages = Callable[..., AsyncIterator[Page]]


def key_of(source: Source) -> Callable[[dict[str, Any]], str]:
    """How the journal calls a row of this source: what stands in `gone` and `still`. Raises MissingField."""
    return key_reader(source)


def as_key(identifier: str) -> str:
    """The same for an identifier that stands alone."""
    return url_key(identifier.strip())


def fingerprint(source: Source) -> str:
    """Of what a source file makes of its rows: when it changes, nothing may be left out as unchanged."""
    told = [
        *(source.fetch, source.map, source.values, source.ignore, source.pay, source.dates),
        *(source.store, source.contacts, source.language, source.country),
    ]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=9).hexdigest()
