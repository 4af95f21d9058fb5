"""What is marked in a hit: the words of the query in its title, and the piece of its text that holds most of them.

Marks are pairs of text and whether it is marked, never HTML. A look at the text itself finds where a word may
be; only there the text analysis is asked. So a hit costs microseconds, and whatever it costs is bounded: the
first READ characters are looked at.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice

from landbridge.find.analysis import fold, spans

READ = 4_000  # characters of a text that are looked at
WIDTH = 200  # characters of a snippet
_LEAD = 50  # of them before the first mark
_TRIES = 40  # places looked at in one text
Piece = tuple[str, bool]
_Mark = tuple[int, int, str]  # from, to, term

_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff"
_OF_SPACELESS = re.compile(f"[{_SPACELESS}]")
_WORD = re.compile(rf"[^\s{_SPACELESS}]+")
_EDGES = frozenset(",.;:!?()")
_PIECE = re.compile(r"\S+")
_COMBINING = re.compile("[\u0300-\u036f]")
_GAP = re.compile(r"[\s,.;:!?)]+")


class Marker:
    """Marks the words of one query: `terms` as they are indexed, `words` as they were typed."""

    def __init__(self, terms: Iterable[str], words: Iterable[str]) -> None:
        self.terms = frozenset(terms)
        typed = [w.lower() for w in words]
        known = sorted({*self.terms, *typed, *map(fold, typed)} - {""}, key=lambda w: (-len(w), w))
        spaceless = {w for w in known if not w.isascii() and _OF_SPACELESS.search(w)}
        spaced = dict.fromkeys(_kept(w) for w in known if w not in spaceless)
        self._plain = list(spaced)
        self._accented: re.Pattern[str] | None = None  # made where a text asks for it
        # of scripts without spaces: the words as they were typed, else their pairs
        own = [_any_run(spaceless & words) for words in (set(typed), self.terms)]
        self._runs = [p for p in own if p is not None]

    def marks(self, text: str, language: str) -> list[_Mark]:
        """Where the terms stand, in order and apart from each other."""
        small = text.lower()
        if len(small) != len(text):  # İ
            small = text
        found: list[_Mark] = []
        behind = 0
        for at in self._beginnings(small):
            if at < behind:
                continue
            word = _word_at(text, at)
            behind = at + len(word)
            found += [
                (at + start, at + end, t) for t, start, end in _spans(word, language) if t in self.terms
            ]
        for runs in self._runs:
            hits = [(hit.start(), hit.end(), hit.group()) for hit in islice(runs.finditer(small), _TRIES)]
            if hits:
                found += hits
                break
        return _apart(found)

    def _beginnings(self, small: str) -> list[int]:
        """Where a word begins that may have one of the terms: as they are, else with accents."""
        found = self._beginnings_of(small)
        if found or small.isascii() or not self._plain:
            return sorted(found)
        if not _COMBINING.search(small):
            return sorted(self._beginnings_of(small.translate(_unaccented())))
        if self._accented is None:
            self._accented = re.compile("|".join(map(_accented, self._plain)))
        return [hit.start() for hit in islice(self._accented.finditer(small), _TRIES)]

    def _beginnings_of(self, small: str) -> list[int]:
        found = []
        for beginning in self._plain:
            at = small.find(beginning)
            for _ in range(_TRIES):
                if at < 0:
                    break
                if at == 0 or not small[at - 1].isalnum() or _OF_SPACELESS.match(small[at - 1]):
                    found.append(at)
                at = small.find(beginning, at + 1)
        return found

    def whole(self, text: str, language: str) -> list[Piece]:
        """A short text with its marks; where none is found by a look, the analysis reads all of it."""
        marks = self.marks(text, language)
        if not marks and self.terms:
            marks = _apart([(s, e, t) for t, s, e in _all_spans(text[:WIDTH], language) if t in self.terms])
        return _pieces(text, 0, len(text), marks)

    def best(self, text: str, language: str) -> tuple[int, list[Piece]]:
        """How many different terms the best window of a text holds, and the window with its marks."""
        marks = self.marks(text[:READ], language)
        first, most, every = 0, 0, len({t for _, _, t in marks})
        for i, (start, _, _) in enumerate(marks):
            if most == every:
                break
            inside = {t for s, e, t in marks[i:] if e <= start + WIDTH - _LEAD}
            if len(inside) > most:
                first, most = start, len(inside)
        start = _edge(text, max(0, first - _LEAD)) if most else 0
        end = min(len(text), start + WIDTH)
        if end < len(text):
            end = _last_edge(text, start + WIDTH // 2, end)
        return most, _pieces(text, start, end, marks)


def _any_run(words: Iterable[str]) -> re.Pattern[str] | None:
    runs = sorted(words, key=lambda w: (-len(w), w))
    return re.compile("|".join(map(re.escape, runs))) if runs else None


def _kept(word: str) -> str:
    """How a word with this term surely begins: stems lose endings, and change some."""
    return word if len(word) <= 3 else word[: max(3, len(word) - 2)]


def _accented(beginning: str) -> str:
    """A pattern for the beginning of a word, with any accents."""
    return r"(?<![^\W_])" + "".join(_variants(c) for c in beginning)


@cache
def _variants(letter: str) -> str:
    more = _folding_to().get(letter, "")
    if not letter.isalpha():
        return re.escape(letter)
    marks = "[\u0300-\u036f]*" if letter < "\u0400" else "\u0301?"
    return (f"[{letter}{more}]" if more else letter) + marks


@cache
def _folding_to() -> dict[str, str]:
    """Which small letters fold to a plain one: e → éèêëếề…"""
    found: dict[str, str] = {}
    for start, stop in ((0xDF, 0x250), (0x370, 0x460), (0x1E00, 0x2000)):
        for letter in map(chr, range(start, stop)):
            if letter == letter.lower() and unicodedata.category(letter) == "Ll":
                plain = fold(letter)
                if plain and plain[0] != letter:
                    found[plain[0]] = found.get(plain[0], "") + letter
    return found


@cache
def _unaccented() -> dict[int, str]:
    """Small letters that fold to a plain one, as `str.translate` takes them: one letter for one letter."""
    return {ord(letter): plain for plain, more in _folding_to().items() for letter in more}


def _word_at(text: str, start: int) -> str:
    """The word that begins here, a few of its letters before the rest of a very long one."""
    match = _WORD.match(text, start, start + 64)
    return match.group() if match else text[start : start + 1]


@lru_cache(maxsize=1 << 16)
def _spans(text: str, language: str) -> Sequence[tuple[str, int, int]]:
    return spans(text, language)


def _all_spans(text: str, language: str) -> Iterator[tuple[str, int, int]]:
    """The terms of a whole text: word by word where words are apart, for the same words come again."""
    if not text.isascii() and _OF_SPACELESS.search(text):
        yield from _spans(text, language)
        return
    for word in _PIECE.finditer(text):
        at = word.start()
        for term, start, end in _spans(word.group(), language):
            yield term, at + start, at + end


def _apart(marks: list[_Mark]) -> list[_Mark]:
    """In order; of those that overlap, the one that reaches further."""
    if len(marks) < 2:
        return marks
    apart: list[_Mark] = []
    for mark in sorted(marks, key=lambda m: (m[0], -m[1])):
        if not apart or mark[0] >= apart[-1][1]:
            apart.append(mark)
        elif mark[1] > apart[-1][1]:
            apart[-1] = (apart[-1][0], mark[1], apart[-1][2])
    return apart


def _edge(text: str, at: int) -> int:
    """The next place where a word begins, if one is near."""
    if at == 0:
        return 0
    found = _GAP.search(text, at, at + 30)
    return found.end() if found else at


def _last_edge(text: str, low: int, high: int) -> int:
    """The last place before `high` where a word has ended; `high` where there is none after `low`."""
    for at in range(high - 1, low - 1, -1):
        if text[at].isspace() or text[at] in _EDGES:
            return at
    return high


def _pieces(text: str, start: int, end: int, marks: list[_Mark]) -> list[Piece]:
    pieces: list[Piece] = []
    at = start
    for a, b, _ in marks:
        if a < start or b > end:
            continue
        if a > at:
            pieces.append((text[at:a], False))
        pieces.append((text[a:b], True))
        at = b
    if at < end:
        pieces.append((text[at:end], False))
    return pieces
