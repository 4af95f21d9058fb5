"""Suggestions as one types: occupations, places and skills that the members' records really have.

The distinct values of the index are kept as one sorted list of folded words' beginnings, so that a look is a
bisection; what one, two or three letters find is ranked beforehand. All of it is made beside the requests, and
anew when an index has changed: until then the old list answers, or none.
"""

import threading
from bisect import bisect_left
from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec

from landbridge.codes.occupations.vocabulary import vocabulary
from landbridge.errors import LandbridgeError
from landbridge.find import occupations, skills
from landbridge.find.analysis import fold
from landbridge.find.index.document import shape
from landbridge.find.index.protocol import SPACELESS, View
from landbridge.kinds.kind import Kind

MOST: Final = 20  # suggestions of one answer
COLUMNS: Final = ("occupation", "category", "skills", "city")
_KEPT: Final = 20_000  # values of a member's column, the most frequent
_SHORT: Final = 3  # letters up to which a beginning is ranked beforehand
_FEW: Final = 5  # records of a personal kind that must share a value
_LONGEST: Final = 80
_KEPT_SHORT: Final = 200  # of a short beginning


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value as records write it, the field that it is of, and about how many records have it.

    With a `language` it is the name of an occupation or a skill in that language: what records are coded to.
    """

    text: str
    field: str
    count: int
    language: str = ""


class _Kept(msgspec.Struct, frozen=True):
    state: tuple[tuple[str, int], ...]  # member, journal's number
    starts: list[tuple[str, int]]  # the folded text from a word's beginning, and whose
    found: list[Suggestion]
    short: dict[str, list[int]]  # a short beginning: the best of what begins so


class Suggester:
    """The suggestions of one instance, by kind."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._making: set[str] = set()
        self._lock = threading.Lock()

    def suggest(
        self,
        kind: Kind,
        views: Mapping[str, View],
        text: str,
        *,
        field: str = "",
        language: str = "",
        limit: int = 8,
    ) -> list[Suggestion]:
        """What begins with the text, or has a word that does; the most frequent first, whole beginnings before.

        Titles of occupations in other languages than the one given come only where there is nothing else.
        """
        wanted = fold(text).strip()[:_LONGEST]
        if not wanted:
            return []
        state = tuple((name, view.seq) for name, view in views.items())
        kept = self._kept.get(kind.name)
        if kept is None or kept.state != state:
            self.prepare(kind, views)
        if kept is None:
            return []
        found = [s for s in _look(kept, wanted) if not field or s.field == field]
        own = [s for s in found if s.language in {"", language}]
        return (own or found)[: min(limit, MOST)]

    def prepare(self, kind: Kind, views: Mapping[str, View]) -> None:
        """Begins to make the list for these views, unless one is being made."""
        state = tuple((name, view.seq) for name, view in views.items())
        with self._lock:
            if kind.name in self._making:
                return
            self._making.add(kind.name)

        def make() -> None:
            try:
                self._kept[kind.name] = _gather(kind, views, state)
            finally:
                self._making.discard(kind.name)

        threading.Thread(target=make, name=f"suggestions of {kind.name}", daemon=True).start()


def _gather(kind: Kind, views: Mapping[str, View], state: tuple[tuple[str, int], ...]) -> _Kept:
    counts: dict[tuple[str, str], tuple[str, int]] = {}
    columns = [c for c in COLUMNS if c in shape(kind).exact]
    units: dict[str, int] = {}  # unit groups of ISCO-08, and their records
    known: dict[str, int] = {}  # skills of the vocabulary, and their records
    labels: dict[tuple[str, str], str] = {}  # a code's words are looked up once, not for each member
    for view in views.values():
        for column in columns:
            try:
                for term, count in islice(view.values(column), _KEPT):
                    words = labels.get((column, term), "")
                    if occupations.is_unit(term):
                        units[term[8:]] = units.get(term[8:], 0) + count
                        continue
                    if skills.is_skill(term):
                        known[term] = known.get(term, 0) + count
                        continue
                    if not words:
                        words = labels[column, term] = view.label(column, term) if ":" in term else term
                    if not words or len(words) > _LONGEST:
                        continue
                    at = (column, fold(words))
                    first, before = counts.get(at, (words, 0))
                    counts[at] = (first, before + count)
            except (LandbridgeError, OSError, ValueError):
                continue  # a member that fails suggests nothing
    least = _FEW if kind.personal else 1
    all_ = [Suggestion(words, name, count) for (name, _), (words, count) in counts.items()]
    if kind.named is not None:
        all_ += [
            Suggestion(title.text, kind.named.name, units[title.group], title.language)
            for title in vocabulary().titles()
            if title.group in units and len(title.concept) >= 4
        ]
    if kind.skilled is not None:
        all_ += [
            Suggestion(text, kind.skilled.name, count, language)
            for term, count in known.items()
            for language, text in skills.labels(term).items()
        ]
    found: list[Suggestion] = []
    starts: list[tuple[str, int]] = []
    for one in all_:
        if one.count < least:
            continue
        folded = fold(one.text)
        starts += [(folded[at:], len(found)) for at in _beginnings(folded)]
        found.append(one)
    starts.sort()
    short: dict[str, dict[int, _Rank]] = {}
    for start, number in starts:
        for length in range(1, min(_SHORT, len(start)) + 1):
            short.setdefault(start[:length], {})[number] = _rank(start, number, found)
    best = {start: [n for _, _, n in sorted(those.values())[:_KEPT_SHORT]] for start, those in short.items()}
    return _Kept(state=state, starts=starts, found=found, short=best)


_Rank = tuple[bool, int, int]  # not the whole beginning, -records, number


def _rank(start: str, number: int, found: list[Suggestion]) -> _Rank:
    return (len(fold(found[number].text)) != len(start), -found[number].count, number)


def _beginnings(folded: str) -> list[int]:
    """Where a word may begin: after what is no letter; in a script without spaces anywhere."""
    anywhere = SPACELESS.search(folded) is not None
    return [
        at
        for at, char in enumerate(folded)
        if char.isalnum() and (at == 0 or anywhere or not folded[at - 1].isalnum())
    ]


def _look(kept: _Kept, wanted: str) -> list[Suggestion]:
    if len(wanted) <= _SHORT:
        numbers = kept.short.get(wanted, [])
    else:
        ranked: dict[int, _Rank] = {}
        for at in range(bisect_left(kept.starts, (wanted,)), len(kept.starts)):
            start, number = kept.starts[at]
            if not start.startswith(wanted):
                break
            rank = _rank(start, number, kept.found)
            ranked[number] = min(rank, ranked.get(number, rank))
        numbers = [number for _, _, number in sorted(ranked.values())]
    return [kept.found[n] for n in numbers]
