"""The words of a query as the members' indexes have them: their readings, their weight in all, and what stands
in for a word that no index knows."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from landbridge.codes.occupations.encoder import words
from landbridge.codes.occupations.link import Candidate
from landbridge.errors import UsageError
from landbridge.find.analysis import phrase_tokens, query_tokens
from landbridge.find.highlight import Piece
from landbridge.find.index.protocol import Reading, View, Word
from landbridge.find.layout import slipped
from landbridge.find.occupations import asked as asked_occupations
from landbridge.find.occupations import word as occupation_word
from landbridge.find.query import Part, Query
from landbridge.find.skills import named as named_skills
from landbridge.find.skills import word as skill_word
from landbridge.kinds.kind import Kind

_SURE = 0.2  # the confidence from which an occupation is sought
_OCCUPATION = 0.5  # what an ESCO occupation counts against a word of a title
_UNIT_GROUP = 0.8  # and a unit group
_SKILL = 0.8  # what a skill counts against a word
_GROUPS = 2  # unit groups that a text may stand for
_SHORT_TEXT = 4  # words of a text that is an occupation as a whole
_WIDEN = 5  # terms that stand in for a word that no index knows
_WIDEN_SHARE = 0.02  # of the frequency of the most frequent of them


class Sought:
    """One word or phrase of the query with its readings, each the tokens in a row that stand for it."""

    __slots__ = ("concepts", "extra", "known", "named", "readings", "typed", "weight", "widened")

    def __init__(self, readings: list[tuple[str, ...]]) -> None:
        self.readings = readings
        self.concepts: dict[str, float] = {}  # words of occupations and skills for it, and what each counts
        self.extra: list[tuple[str, float]] = []  # those with what they weigh in all
        self.named = False  # by a title of the vocabulary: it is rightly spelt
        self.known = False  # by an index
        self.typed = ""
        self.weight = 0.0
        self.widened: list[str] = []


class Asked:
    """The words of a query as the indexes have them."""

    def __init__(self, query: Query, kind: Kind, languages: Sequence[str]) -> None:
        self._query = query
        self._languages = languages
        self.words: list[Sought] = []
        self.without: list[Sought] = []
        self.named: tuple[Candidate, ...] = ()  # the occupations that the text was read as
        self.slips: list[tuple[str, str]] = []  # words typed in another layout, and what was meant
        self._plain: list[tuple[str, list[Sought]]] = []
        self._unread = False  # as an occupation: no word looked like one of a title's
        for part in query.parts:
            if part.phrase or part.without:
                ways = phrase_tokens(part.text, languages)
                if ways:
                    (self.without if part.without else self.words).append(Sought([tuple(w) for w in ways]))
            else:
                new = [Sought([(t,) for t in terms]) for terms in _terms(part.text, tuple(languages))]
                self.words += new
                self._plain += [(part.text, new)]
        if query.parts and not self.words and not self.without:
            raise UsageError(f"no word to search for in {query.text!r}", parameter="q")
        if kind.named and not query.literal:
            self._read_occupations(closely=False)
        if kind.skilled and not query.literal:
            self._read_skills()
        self._sizes: dict[str, int] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._all: dict[str, int] = {}
        self._total = 0

    def _read_occupations(self, *, closely: bool) -> None:
        """Lets the words that name an occupation stand for it in every language.

        The words of a title that the vocabulary knows, wherever it stands in the text; else all the words of a
        short text that is near an occupation. Other words, such as a town's, must be there as ever.
        """
        text = " ".join(text for text, _ in self._plain)
        link, covered, self._unread = asked_occupations(text, closely=closely)
        if link.kind == "none":
            return
        sought = [w for _, new in self._plain for w in new]
        naming = self._naming(covered, text) if covered else set()
        chosen = [w for w in sought if naming & {r[0] for r in w.readings}] if covered else sought
        if not chosen or (not covered and len(chosen) > _SHORT_TEXT):
            return
        self.named = tuple({c.code: c for c in (*link.occupations, *link.groups[:_GROUPS])}.values())
        for one in self.named:
            if one.confidence >= _SURE:
                share = one.confidence * (_OCCUPATION if one.scheme == "esco" else _UNIT_GROUP) / len(chosen)
                for word in chosen:
                    word.concepts[occupation_word(one.scheme, one.code)] = share
                    word.named = bool(covered)

    def _read_skills(self) -> None:
        """Lets the words that name a skill stand for it in every language."""
        text = " ".join(text for text, _ in self._plain)
        for skill, covered in named_skills(text):
            naming = self._naming(covered, text)
            chosen = [w for _, new in self._plain for w in new if naming & {r[0] for r in w.readings}]
            for sought in chosen:
                sought.concepts[skill_word(skill)] = _SKILL / len(chosen)
                sought.named = True

    def _naming(self, covered: frozenset[str], text: str) -> set[str]:
        """The terms of the covered words of a text, folded as they are there and as they were typed."""
        typed = [word for word in text.split() if covered.issuperset(words(word))]
        languages = tuple(self._languages)
        return {t for word in (*covered, *typed) for terms in _terms(word, languages) for t in terms}

    def terms(self) -> set[str]:
        return {t for word in self.words for reading in word.readings for t in reading}

    def typed(self) -> list[str]:
        return [w for part in self._query.parts if not part.without for w in part.text.split()]

    def weigh(self, views: Mapping[str, View]) -> None:
        """Counts the words in all indexes."""
        self._sizes = {m: v.size() for m, v in views.items()}
        self._total = sum(self._sizes.values())
        self._count(views)

    def strange(self) -> list[Sought]:
        """The words that no index knows."""
        return [w for w in self.words if all(len(r) == 1 and not self._all[r[0]] for r in w.readings)]

    def read_closely(self, views: Mapping[str, View]) -> None:
        """Reads as an occupation, after all, a text with a word that no index knows."""
        if self._unread and self.strange():
            self._read_occupations(closely=True)
            self._count(views)

    def means_nothing(self) -> bool:
        """Whether no index knows any of the words, and no vocabulary a name in them."""
        strange = self.strange()
        return bool(self.words) and len(strange) == len(self.words) and not any(w.named for w in strange)

    def widen(self, views: Mapping[str, View]) -> None:
        """Has its neighbours stand in for a word that no index knows.

        A title of the vocabulary is rightly spelt, if in another language. Of any other word that was read as an
        occupation only the nearest neighbours stand beside that.
        """
        strange = [w for w in self.strange() if not w.named]
        if strange and self._total:
            for word in strange:
                self._widen(word, views, 1 if any(map(self._all.__getitem__, word.concepts)) else 2)
            self._count(views)

    def _count(self, views: Mapping[str, View]) -> None:
        tokens = list(
            {t for word in (*self.words, *self.without) for r in (*word.readings, word.concepts) for t in r}
        )
        self._counts = {m: dict(zip(tokens, v.frequencies(tokens), strict=True)) for m, v in views.items()}
        self._all = {token: sum(counts[token] for counts in self._counts.values()) for token in tokens}
        for word in self.words:  # its readings are one word: they weigh what they weigh together
            having = sum(self._all[r[0]] for r in word.readings if len(r) == 1)
            word.known = having > 0
            word.weight = idf(self._total, min(having, self._total))
            word.extra = []
            for (
                token,
                share,
            ) in word.concepts.items():  # it weighs no more than the word that it stands beside
                weight = idf(self._total, self._all[token])
                word.extra.append((token, share * (min(weight, word.weight) if word.known else weight)))

    def _widen(self, word: Sought, views: Mapping[str, View], furthest: int) -> None:
        """Takes the nearest words that are known: one edit away, or two (if `furthest`) where the word is long."""
        tokens = [r[0] for r in word.readings if len(r[0]) >= 4 and not any(c.isdecimal() for c in r[0])]
        for reach in range(1, furthest + 1):
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
                    common = (
                        word.weight
                        if len(tokens) == 1
                        else sum(idf(self._total, self._all[t]) for t in tokens)
                    )
                    boost = common / sum(idf(size, own[t]) for t in tokens)
                    readings.append(Reading(tokens, 1.0 if abs(boost - 1) < 1e-9 else boost))
            for token, weight in word.extra:
                if own[token]:
                    readings.append(Reading((token,), weight / idf(size, own[token])))
            found.append(Word(tuple(readings)))
            if not readings:
                break  # no record has all the words
        return tuple(found)

    def without_in(self, member: str) -> tuple[Word, ...]:
        own = self._counts[member]
        return tuple(
            Word(tuple(Reading(tokens) for tokens in word.readings if all(own[t] for t in tokens)))
            for word in self.without
        )

    def corrections(self, shown: Sequence[Sequence[Piece]]) -> list[tuple[str, list[str]]]:
        """The words that nobody knows, each with those that were sought instead, as the hits write them."""
        widened = [(word.typed, _surfaces(word.widened, shown)) for word in self.words if word.widened]
        return [*((typed, [meant]) for typed, meant in self.slips), *widened]


def read(query: Query, kind: Kind, languages: Sequence[str], views: Mapping[str, View]) -> Asked:
    """The words of a query, weighed; read again in the other layout of the keyboard where they mean nothing."""
    asked = Asked(query, kind, languages)
    asked.weigh(views)
    if asked.means_nothing():
        slips = [(word, slipped(word)) for word in asked.typed()]
        if all(meant for _, meant in slips) and not any(p.phrase for p in query.parts):
            without = tuple(p for p in query.parts if p.without)
            meant = Part(" ".join(meant for _, meant in slips))
            again = Asked(msgspec.structs.replace(query, parts=(meant, *without)), kind, languages)
            again.weigh(views)
            if not again.means_nothing():
                asked, asked.slips = again, slips
    asked.read_closely(views)
    asked.widen(views)
    return asked


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
