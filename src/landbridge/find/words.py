"""The words of a query as the members' indexes have them: their readings, their weight in all, and what stands
in for a word that no index knows."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from landbridge.errors import UsageError
from landbridge.find.analysis import phrase_tokens, query_tokens
from landbridge.find.highlight import Piece
from landbridge.find.index.protocol import Reading, View, Word
from landbridge.find.query import Query

_WIDEN = 5  # terms that stand in for a word that no index knows
_WIDEN_SHARE = 0.02  # of the frequency of the most frequent of them


class Sought:
    """One word or phrase of the query with its readings, each the tokens in a row that stand for it."""

    __slots__ = ("readings", "typed", "weight", "widened")

    def __init__(self, readings: list[tuple[str, ...]]) -> None:
        self.readings = readings
        self.typed = ""
        self.weight = 0.0
        self.widened: list[str] = []


class Asked:
    """The words of a query as the indexes have them."""

    def __init__(self, query: Query, languages: Sequence[str]) -> None:
        self._query = query
        self._languages = languages
        self.words: list[Sought] = []
        self.without: list[Sought] = []
        for part in query.parts:
            if part.phrase or part.without:
                ways = phrase_tokens(part.text, languages)
                if ways:
                    (self.without if part.without else self.words).append(Sought([tuple(w) for w in ways]))
            else:
                self.words += [Sought([(t,) for t in terms]) for terms in _terms(part.text, tuple(languages))]
        if query.parts and not self.words and not self.without:
            raise UsageError(f"no word to search for in {query.text!r}", parameter="q")
        self._sizes: dict[str, int] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._total = 0

    def terms(self) -> set[str]:
        return {t for word in self.words for reading in word.readings for t in reading}

    def typed(self) -> list[str]:
        return [w for part in self._query.parts if not part.without for w in part.text.split()]

    def weigh(self, views: Mapping[str, View]) -> None:
        """Counts the words in all indexes; a word that none of them knows is widened to its neighbours."""
        self._sizes = {m: v.size() for m, v in views.items()}
        self._total = sum(self._sizes.values())
        self._count(views)
        strange = [
            w for w in self.words if all(len(r) == 1 and not self._everywhere(r[0]) for r in w.readings)
        ]
        if strange and self._total:
            for word in strange:
                self._widen(word, views)
            self._count(views)

    def _count(self, views: Mapping[str, View]) -> None:
        tokens = list({t for word in (*self.words, *self.without) for r in word.readings for t in r})
        self._counts = {m: dict(zip(tokens, v.frequencies(tokens), strict=True)) for m, v in views.items()}
        for word in self.words:  # its readings are one word: they weigh what they weigh together
            having = sum(self._everywhere(r[0]) for r in word.readings if len(r) == 1)
            word.weight = idf(self._total, min(having, self._total))

    def _everywhere(self, token: str) -> int:
        return sum(counts[token] for counts in self._counts.values())

    def _widen(self, word: Sought, views: Mapping[str, View]) -> None:
        """Takes the nearest words that are known: one edit away, or two where the word is long."""
        tokens = [r[0] for r in word.readings if len(r[0]) >= 4 and not any(c.isdecimal() for c in r[0])]
        for reach in (1, 2):
            near: dict[str, int] = {}
            for token in tokens:
                if reach == 1 or len(token) >= 8:
                    for view in views.values():
                        for term, count in view.similar(token, reach):
                            near[term] = near.get(term, 0) + count
            if near:
                ranked = sorted(near, key=lambda t: (-near[t], t))[:_WIDEN]
                word.widened = [t for t in ranked if near[t] >= _WIDEN_SHARE * near[ranked[0]]]
                word.typed = self._typed_for(tokens[0])
                word.readings = [(t,) for t in word.widened]
                return

    def _typed_for(self, token: str) -> str:
        for text in self.typed():
            if any(token in terms for terms in query_tokens(text, self._languages)):
                return text
        return token

    def words_in(self, member: str) -> tuple[Word, ...]:
        """The words for one index: the readings that it has, with the weight that they have in all."""
        own, size = self._counts[member], self._sizes[member]
        found = []
        for word in self.words:
            readings = []
            for tokens in word.readings:
                if all(own[t] for t in tokens):
                    common = word.weight if len(tokens) == 1 else sum(map(self._weight, tokens))
                    boost = common / sum(idf(size, own[t]) for t in tokens)
                    readings.append(Reading(tokens, 1.0 if abs(boost - 1) < 1e-9 else boost))
            found.append(Word(tuple(readings)))
            if not readings:
                break  # no record has all the words
        return tuple(found)

    def _weight(self, token: str) -> float:
        return idf(self._total, self._everywhere(token))

    def without_in(self, member: str) -> tuple[Word, ...]:
        own = self._counts[member]
        return tuple(
            Word(tuple(Reading(tokens) for tokens in word.readings if all(own[t] for t in tokens)))
            for word in self.without
        )

    def corrections(self, shown: Sequence[Sequence[Piece]]) -> list[tuple[str, list[str]]]:
        """The words that nobody knows, each with those that were sought instead, as the hits write them."""
        return [(word.typed, _surfaces(word.widened, shown)) for word in self.words if word.widened]


@lru_cache(maxsize=4096)
def _terms(text: str, languages: tuple[str, ...]) -> list[list[str]]:
    """`query_tokens`, remembered: people ask for the same words."""
    return query_tokens(text, languages)


def idf(documents: int, having: int) -> float:
    """The weight of a word, as BM25 has it."""
    return math.log(1 + (documents - having + 0.5) / (having + 0.5))


def _surfaces(terms: Sequence[str], shown: Sequence[Sequence[Piece]]) -> list[str]:
    """Terms as a hit writes them, for a term may be a stem; as they are where no hit shows them."""
    marked = {text.lower() for pieces in shown for text, is_marked in pieces if is_marked}
    found: dict[str, None] = {}
    for term in terms:
        alike = sorted(
            (s for s in marked if query_tokens(s, [""]) == [[term]] or s.startswith(term)), key=len
        )
        found[alike[0] if alike else term] = None
    return list(found)
