"""How a register is reached: a connector turns a source into pages of rows.

Every connector is one function `pages(source, client, cursor)`; the journal commits each page together
with its cursor, so a restart goes on behind the last committed page.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from landbridge.find.read import Row


class Page(msgspec.Struct, frozen=True):
    """What one step of a harvest yields.

    `cursor` (JSON) is where the next step starts; `claimed` the register's own total where it states one;
    `gone` the identifiers it declares removed; `last` is true on the final page, and `complete` on it says
    that the whole register was read (declared total reached, no page missing or repeated): only then may
    absence mean a deletion. `keep_cursor` says that the next run goes on from here (an event feed),
    rather than from the beginning.
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
