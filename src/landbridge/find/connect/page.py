"""What a connector yields: one page of rows, and where the next step starts."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from landbridge.find.read import Row


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
