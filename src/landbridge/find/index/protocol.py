"""What a search engine must do for Landbridge: keep one member's records of one kind, and answer plans.

A plan is a query in the engine's terms (tokens, exact terms, whole numbers); `search.py` makes plans and
merges what comes back, so that an adapter stays small and every engine gives the same answers.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from landbridge.find.record import Record
from landbridge.kinds.kind import Kind

# letters of scripts without spaces: their tokens are pairs, and no edit apart from each other
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
DEEPEST = 10_000  # how far into its hits an index is read
Sort = Literal["relevance", "date", "pay", "distance"]


class Removal(msgspec.Struct, frozen=True):
    """The record of this identifier is gone."""

    id: str


Changes: TypeAlias = Iterable[tuple[int, Record | Removal]]  # the journal's number, and what is now so


class Reading(msgspec.Struct, frozen=True):
    """One reading of a word: its token, or several in a row for a phrase. `boost` multiplies its score."""

    tokens: tuple[str, ...]
    boost: float = 1.0


class Word(msgspec.Struct, frozen=True):
    """A word or phrase of the query: any of its readings will do."""

    readings: tuple[Reading, ...]


class Terms(msgspec.Struct, frozen=True):
    """Records with any of these exact terms in a column, or any term that begins so.

    `name` is the filter's name; with `or_lacking`, records that lack a value for it pass as well.
    """

    name: str
    column: str
    values: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    or_lacking: bool = False


class AtLeast(msgspec.Struct, frozen=True):
    """Records whose number in a column is `low` or more; `date` counts in seconds, `top` in cents."""

    name: str
    column: Literal["date", "top"]
    low: int
    or_lacking: bool = False


class Near(msgspec.Struct, frozen=True):
    """Records with a place within `km` of a point."""

    lat: float
    lon: float
    km: float
    name: str = "place"
    or_lacking: bool = False


Filter: TypeAlias = Terms | AtLeast | Near


class Plan(msgspec.Struct, frozen=True):
    """What one index is asked. All words must match and none of `without`; all filters hold.

    `filters` have distinct names. `facets` are counted as if their own filter were not there, so that the
    other choices stay in sight. `upto` hides changes of a higher number: a later page sees what the first saw.
    `above` hides those up to that number: between the two lies a window of the journal.
    """

    words: tuple[Word, ...] = ()
    without: tuple[Word, ...] = ()
    filters: tuple[Filter, ...] = ()
    sort: Sort = "date"
    offset: int = 0
    limit: int = 10
    facets: tuple[str, ...] = ()
    facet_size: int = 50
    lacking: bool = True  # whether to count the records without a value
    upto: int | None = None
    above: int = 0


Found: TypeAlias = tuple[float, int]
"""A hit before its record is read: what orders it, higher first, and what settles ties.

The first is a score, minus kilometres for distance, cents a year for pay, seconds for date; the second a date
with a hash of the record's identifier (the hash alone where the date or pay is the first), the same everywhere.
"""


class Counted(msgspec.Struct, frozen=True):
    """How often the values of a facet occur: the most frequent ones, and the records without one.

    `exact` is false where there are more values than `facet_size`: then rare ones may be short of records.
    """

    values: tuple[tuple[str, int], ...]
    missing: int
    exact: bool = True


class Contribution(msgspec.Struct, frozen=True):
    """What one reading of a word added to a score."""

    tokens: tuple[str, ...]
    score: float


class Answer(msgspec.Struct, frozen=True):
    """What one index answers. `total` is a lower bound unless `exact`.

    `lacking` counts, for each filter, the records that would match but have no value for it.
    `read` gives the records (JSON) of hits by their position here, `explain` why one scored as it did, and
    `pays` the comparable pay of hits in euro cents a year (lower, upper end).
    """

    total: int
    exact: bool
    hits: Sequence[Found]
    facets: dict[str, Counted]
    lacking: dict[str, int]
    read: Callable[[Sequence[int]], list[bytes]]
    explain: Callable[[int], list[Contribution]]
    pays: Callable[[Sequence[int]], list[tuple[int, int] | None]]


def nothing(plan: Plan) -> Answer:
    """What an index without records answers."""
    return Answer(
        total=0,
        exact=True,
        hits=[],
        facets={name: Counted(values=(), missing=0) for name in plan.facets},
        lacking={f.name: 0 for f in plan.filters},
        read=lambda _: [],
        explain=lambda _: [],
        pays=lambda _: [],
    )


class View(Protocol):
    """One state of an index: what several questions of one query are asked, so that the answers agree."""

    @property
    def seq(self) -> int:
        """The journal's number of the last change that it shows; 0 for none."""

    def count(self) -> int:
        """How many records it holds."""

    def size(self) -> int:
        """How many documents its frequencies count: with removed ones that are not yet cleared away."""

    def frequencies(self, tokens: Sequence[str]) -> list[int]:
        """In how many documents each token occurs."""

    def similar(self, token: str, distance: int) -> list[tuple[str, int]]:
        """Tokens within so many edits (a letter more, less, other, or two swapped), with their frequencies."""

    def languages(self) -> frozenset[str]:
        """The languages its records are written in."""

    def search(self, plan: Plan) -> Answer:
        """Answers a plan."""

    def values(self, column: str) -> list[tuple[str, int]]:
        """Every distinct term of an exact column, with how many documents have it: the most frequent first.

        The terms are keys, as filters take them; `label` has their words. The number is that of `frequencies`:
        it may count removed records that are not yet cleared away, and a term that only those have.
        """

    def label(self, column: str, term: str) -> str:
        """The words behind an exact term, as one of its records writes them."""


class Index(Protocol):
    """One member's records of one kind."""

    member: str
    kind: Kind

    @property
    def last_seq(self) -> int:
        """The journal's number of the last change that was written; 0 for none."""

    @property
    def outdated(self) -> str:
        """Why the index must be rebuilt (another form of the kind, other exchange rates); "" if not."""

    def write(self, changes: Changes) -> int:
        """Writes changes in the order of their numbers and commits; returns how many were new to it.

        Changes up to `last_seq` are passed over, so that repeating a batch, or two processes following the
        same journal, does no harm. Raises ConfigError when `outdated` or when another process does not stop
        writing, OSError when the disk refuses: then `last_seq` stays.
        """

    def rebuild(self, changes: Changes) -> int:
        """Builds anew from all changes, beside the old index, which answers until the new one is ready."""

    def view(self) -> View:
        """Its newest state, with what other processes wrote. Raises ConfigError where it cannot be read,
        or was built for another form of the kind."""

    def count(self) -> int:
        """How many records it holds now."""

    def close(self) -> None: ...

    def drop(self) -> None:
        """Removes it from the disk."""
