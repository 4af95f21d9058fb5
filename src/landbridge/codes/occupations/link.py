"""Which occupation a text names: an ESCO occupation, else a unit group of ISCO-08, else none rather than a wrong one.

Two kinds of evidence. A title of the vocabulary that stands in the text, in as many of its letters as it covers; and
the distance of the text's vector to the vector of each concept (encoder.py). Both are added up, and a temperature
turns the sums into shares of one, beside what speaks for "no occupation at all". The shares of a unit group's
occupations are the group's. All four numbers of the calibration come from titles that training had not seen
(training/concepts.py), never from a benchmark.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from landbridge.codes.occupations.encoder import Encoder, encoder, is_syllable, spaceless, words
from landbridge.codes.occupations.titles import plain

SPAN = 6  # words of the longest title that is looked for inside a text
LEAST_COVER = 0.4  # what a title inside a longer text counts at least, against one that is all of it
RUN = 12  # letters of one in a script without spaces
_RANKED = 32  # concepts that a share is worked out for
_COARSE = 64  # directions, those that concepts differ most in, by which one text finds the unit groups that are near
_NEAREST = 16  # unit groups whose concepts are then looked at
_HOPELESS = -2.0  # the best score with which no unit group comes to SURE_GROUP
_FEW = 12  # hashes up to which they are sought one by one
_KNOWN = 4_096  # titles of queries whose reading is remembered
SHORT = 4  # words of a text that is read although no title stands in it, where it is read for a query
_SECOND_TONGUE = 0.8  # a title of another language than the text's, against one of its own
_SHARED = 0.6  # a title that several unit groups have

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
_Title = tuple[
    str, list[tuple[int, float]]
]  # a title, its concepts, and how far it is to be trusted for each


class Candidate(msgspec.Struct, frozen=True):
    """A concept that a text may name; `confidence` is its share, 0 to 1."""

    scheme: Literal["esco", "isco-08"]
    code: str
    confidence: float


class Link(msgspec.Struct, frozen=True):
    """What a text names. `kind` says how close: an occupation (several if unsure), a unit group, or none.

    `occupations` are the answer, the likeliest first; `groups` the likeliest unit groups whatever the answer is.
    """

    kind: Literal["occupation", "group", "none"]
    occupations: tuple[Candidate, ...] = ()
    groups: tuple[Candidate, ...] = ()


NOTHING = Link("none")


class Reading(NamedTuple):
    """What the text of a query names, and the words of the titles in it that made the answer; none where none did."""

    link: Link
    covered: frozenset[str] = frozenset()
    unread: bool = False  # not read closely: nothing in it looked like a title


class Calibration(NamedTuple):
    """How evidence becomes shares. Measured by training/concepts.py on titles that training had not seen."""

    temperature: float  # of the evidence, for the shares of concepts
    title: float  # what a title that stands in the text counts beside nearness
    group: float  # and what it counts for its unit group's other concepts
    none: float  # the evidence at which no occupation at all is as likely as one
    beyond: float  # how often the answer is a unit group without a closer occupation


class Concepts(NamedTuple):
    """N concepts and T titles of them.

    `codes` are ISCO-08 codes and ESCO identifiers, `groups` the row of each one's unit group (its own for others).
    `titles` are `title_hash`es in ascending order with the `concept` and `language` (its place in `languages`) of each.
    """

    codes: npt.NDArray[np.str_]  # N
    groups: npt.NDArray[np.int32]  # N
    vectors: npt.NDArray[np.int8]  # N × DIMENSIONS, in steps of 1/127
    titles: npt.NDArray[np.uint64]  # T
    concept: npt.NDArray[np.int32]  # T
    language: npt.NDArray[np.int16]  # T
    languages: npt.NDArray[np.str_]
    calibration: Floats  # as Calibration names them


def title_hash(title: str) -> int:
    """Of the words of a title, as the encoder reads them: titles that read the same are the same."""
    return _hash(" ".join(words(title)))


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return crc32(data) << 32 | crc32(data, 0x9E3779B9)


class Linker:
    """Links texts by an encoder and its concepts."""

    def __init__(self, encoder: Encoder, concepts: Concepts) -> None:
        self._encoder = encoder
        self.concepts = concepts
        self.codes = [str(code) for code in concepts.codes]
        self._row = {code: n for n, code in enumerate(self.codes)}
        rows = concepts.vectors.astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        self._rows: Floats = rows
        self.vectors: Floats = rows.T
        self._wide = np.array([code.isdigit() and len(code) < 4 for code in self.codes])
        self._languages = {str(code): n for n, code in enumerate(concepts.languages)}
        order = np.argsort(concepts.groups, kind="stable")
        edges = np.flatnonzero(np.diff(concepts.groups[order])) + 1
        self._members = {int(concepts.groups[some[0]]): some for some in np.split(order, edges)}
        self._titles = memoryview(np.ascontiguousarray(concepts.titles).data)
        self._titled_known: dict[str, Reading] = {}
        self._units = np.array([n for n in self._members if not self._wide[n]])
        self._main: Floats = np.linalg.eigh(rows.T @ rows)[1][:, -_COARSE:].T.copy()
        self._coarse: Floats = rows[self._units] @ self._main.T
        self.version = blake2b(concepts.vectors.tobytes() + concepts.titles.tobytes(), digest_size=8).digest()
        self.calibration = Calibration(*map(float, concepts.calibration))

    def evidence(
        self, texts: Sequence[str], languages: Sequence[str]
    ) -> tuple[Floats, list[dict[int, float]]]:
        """For each text: its nearness to each concept (a row, -1 to 1), and how much of it a concept's titles cover."""
        cleared = [plain(text) for text in texts]
        lines = [words(text) for text in cleared]
        covered = [
            _cover(line, self._titles_in(line, language))
            for line, language in zip(lines, languages, strict=True)
        ]
        return self._near(cleared), covered

    def _near(self, cleared: Sequence[str]) -> Floats:
        near: Floats = self._encoder.encode(cleared) @ self.vectors
        return near

    def read(self, text: str, *, closely: bool = True) -> Reading:
        """`link` of the text of a query, several times as fast.

        Only the concepts of the nearest unit groups are looked at, and of a text that names nothing no likely groups
        are told. A text longer than SHORT without a title is not read. Unless `closely`, neither is one in which no
        word looks like one of a title's, and beside a title such words are left out.
        """
        line = words(plain(text))
        titles = list(self._titles_in(line, ""))
        if not titles and not 0 < len(line) <= SHORT:
            return Reading(NOTHING)
        if not closely:
            if not titles:
                return self._read(line, titles) if self._may_name(line) else Reading(NOTHING, unread=True)
            titled = {word for title, _ in titles for word in title.split()}
            own = [word for word in line if word in titled]
            if own and not self._encoder.telling([word for word in line if word not in titled]):
                return self._read_titled(" ".join(own))
        return self._read(line, titles)

    def _may_name(self, line: Sequence[str]) -> bool:
        """Whether a text without a title may name an occupation: a third of it looks as if, or nothing can be told."""
        if (len(line) == 1 and spaceless(line[0])) or (len(line) == 2 and all(map(is_syllable, line))):
            return True
        return 3 * sum(map(len, self._encoder.telling(line))) >= sum(map(len, line))

    def _read_titled(self, text: str) -> Reading:
        """Of words that are titles: these come again beside other words, and are remembered."""
        known = self._titled_known.get(text)
        if known is None:
            if len(self._titled_known) >= _KNOWN:
                self._titled_known.clear()
            line = text.split()
            known = self._titled_known[text] = self._read(line, list(self._titles_in(line, "")))
        return known

    def _read(self, line: Sequence[str], titles: Sequence[_Title]) -> Reading:
        link = self._answer(*self._closest(line, _cover(line, titles)), whole=False)
        if link.kind == "none":
            return Reading(NOTHING)
        answer = {self._row[c.code] for c in (*link.occupations, *link.groups[:1])}
        covered = {
            word
            for title, concepts in titles
            if any(
                concept in answer or int(self.concepts.groups[concept]) in answer for concept, _ in concepts
            )
            for word in title.split()
        }
        return Reading(link, frozenset(covered))

    def _closest(self, line: Sequence[str], covered: dict[int, float]) -> tuple[Floats, Ints]:
        """The scores of the concepts that most speaks for, and which they are."""
        vector = self._encoder.one(line)
        far = self._coarse @ (self._main @ vector)
        near = self._units[far.argpartition(-_NEAREST)[-_NEAREST:]]
        groups = {*near.tolist(), *(int(self.concepts.groups[concept]) for concept in covered)}
        rows = np.concatenate([self._members[group] for group in groups])
        total = self._rows[rows] @ vector
        if covered:
            more = np.zeros(len(self.codes), np.float32)
            for concepts, evidence in self._titled(covered, self.calibration):
                more[concepts] += evidence
            total += more[rows]
        total -= self.calibration.none
        total /= self.calibration.temperature
        return total, rows

    def _titled(self, covered: dict[int, float], by: Calibration) -> Iterator[tuple[int | Ints, float]]:
        """What the titles that stand in a text add to the evidence for which concepts."""
        upper: dict[int, float] = {}
        for concept, share in covered.items():
            yield concept, by.title * share
            group = int(self.concepts.groups[concept])
            upper[group] = max(upper.get(group, 0.0), share)
        if by.group:
            for group, share in upper.items():
                yield self._members[group], by.group * share

    def _titles_in(self, line: list[str], language: str) -> Iterator[_Title]:
        """The titles that stand in a text, each with its concepts and how far it is to be trusted for them."""
        spans: list[str] = []
        for start, word in enumerate(line):
            if spaceless(word):
                spans += [
                    word[a:b]
                    for a in range(len(word))
                    for b in range(a + 2, min(a + RUN, len(word)) + 1)
                    if b - a < len(word)
                ]
            spans += [" ".join(line[start : end + 1]) for end in range(start, min(start + SPAN, len(line)))]
        if not spans:
            return
        c = self.concepts
        own = self._languages.get(language, -1)
        for n, first in self._places([_hash(text) for text in spans]):
            last = int(np.searchsorted(c.titles, c.titles[first], "right"))
            rows = range(first, last)
            trust = _SHARED if len({int(c.groups[c.concept[r]]) for r in rows}) > 1 else 1.0
            yield (
                spans[n],
                [
                    (
                        int(c.concept[r]),
                        trust if own < 0 or int(c.language[r]) == own else trust * _SECOND_TONGUE,
                    )
                    for r in rows
                ],
            )

    def _places(self, hashes: list[int]) -> list[tuple[int, int]]:
        """Which of these are hashes of titles, and where each stands first."""
        titles = self._titles
        if len(hashes) <= _FEW:
            found = [(n, bisect_left(titles, one)) for n, one in enumerate(hashes)]
            return [(n, at) for n, at in found if at < len(titles) and titles[at] == hashes[n]]
        every = np.array(hashes, np.uint64)
        first = np.searchsorted(self.concepts.titles, every)
        there = np.flatnonzero(self.concepts.titles.take(first, mode="clip") == every)
        return list(zip(there.tolist(), first[there].tolist(), strict=True))

    def scores(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """How much speaks for each concept (columns), in nats above no occupation at all."""
        return self.weighed(*self.evidence(texts, languages), self.calibration)

    def weighed(self, near: Floats, covered: Sequence[dict[int, float]], by: Calibration) -> Floats:
        """Evidence as nats above no occupation; what stands above the unit groups is none."""
        total = near.copy()
        for row, found in zip(total, covered, strict=True):
            for rows, evidence in self._titled(found, by):
                row[rows] += evidence
        total[:, self._wide] = -9
        total -= by.none
        total /= by.temperature
        return total

    def ranked(
        self, own: Floats, near: Floats, rows: Ints, *, temperature: float = 0.3, answer_groups: bool = True
    ) -> Floats:
        """Scores of given concepts (columns) for ranking, where labels of all of them are at hand.

        `own` is the likeness to a concept's labels, `near` that to its vector, `rows` its place here (-1: unknown).
        Each concept helps its unit group, and a unit group is the answer itself by the share of all that is in it,
        as often as `Calibration.beyond` says; without `answer_groups` it stands for its own labels alone.
        """
        total = own + 2 * near
        codes = [self.codes[row] if row >= 0 else "" for row in rows]
        place = {code: n for n, code in enumerate(codes)}
        parent = np.array(
            [
                place.get(self.codes[self.concepts.groups[row]], n) if row >= 0 else n
                for n, row in enumerate(rows)
            ]
        )
        wide = np.array([code.isdigit() and len(code) < 4 for code in codes])
        total = total + 0.1 * total[:, parent] - 0.2 * wide
        if not answer_groups:
            return np.asarray(total, np.float32)
        weights = np.exp((total - total.max(axis=1, keepdims=True)).astype(np.float64) / temperature)
        weights[:, wide] = 0
        whole = np.zeros_like(weights)
        np.add.at(whole.T, parent, weights.T)
        unit = np.array([code.isdigit() and len(code) == 4 for code in codes])
        beyond = self.calibration.beyond
        shares = np.where(unit, beyond * whole, (1 - beyond) * weights) / weights.sum(axis=1, keepdims=True)
        return np.asarray(shares + 1e-4 * total, np.float32)

    def link(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Link]:
        """What each text names. `languages` (BCP 47, "" for unknown) may be left out."""
        if not texts:
            return []
        scores = self.scores(texts, languages or [""] * len(texts))
        every = np.arange(len(self.codes))
        return [self._answer(row, every) for row in scores]

    def groups(self, texts: Sequence[str], languages: Sequence[str] = (), most: int = 10) -> list[list[str]]:
        """The unit groups that each text may name, the likeliest first, whether or not it names one."""
        rows = np.flatnonzero([len(code) == 4 for code in self.codes])
        found = []
        for n in range(0, len(texts), 512):
            part = texts[n : n + 512]
            scores = self.scores(part, languages[n : n + 512] or [""] * len(part))
            weights = np.exp(np.minimum(scores, 60).astype(np.float64))
            shares = np.zeros((len(self.codes), len(part)))
            np.add.at(shares, self.concepts.groups, weights.T)
            best = np.argsort(-shares[rows], axis=0, kind="stable")[:most]
            found += [[self.codes[rows[r]] for r in column] for column in best.T]
        return found

    def _answer(self, scores: Floats, rows: Ints, *, whole: bool = True) -> Link:
        """What the scores of these concepts say; without `whole`, no likely groups where that is nothing."""
        if not whole and scores.max() < _HOPELESS:
            return NOTHING
        best = np.argpartition(-scores, _RANKED)[:_RANKED] if len(scores) > _RANKED else slice(None)
        scores, rows = scores[best], rows[best]
        order = np.argsort(-scores, kind="stable")
        scores, rows = scores[order], rows[order]
        weights = np.exp(np.minimum(scores, 60).astype(np.float64))
        together = float(weights.sum())
        if not whole and together < SURE_GROUP * (1.0 + together):
            return NOTHING
        shares = (weights / (1.0 + together)).tolist()
        best = rows.tolist()
        groups: dict[int, float] = {}
        for row, share in zip(best, shares, strict=True):
            group = int(self.concepts.groups[row])
            groups[group] = groups.get(group, 0.0) + share
        ranked = sorted(groups, key=lambda g: -groups[g])[:5]
        likely = tuple(
            Candidate("isco-08", self.codes[g], round(groups[g], 3)) for g in ranked if groups[g] >= LEAST
        )
        if not likely or likely[0].confidence < SURE_GROUP:
            return Link("none", (), likely)
        beyond = self.calibration.beyond
        named = [
            Candidate("esco", self.codes[row], round(share, 3))
            for row, share in zip(best[:3], shares[:3], strict=True)
            if not self.codes[row].isdigit()
            and share >= SURE
            and (1 - beyond) * share >= beyond * groups[int(self.concepts.groups[row])]
        ]
        if named:
            return Link("occupation", tuple(named), likely)
        return Link("group", likely[:1], likely)


def _cover(line: Sequence[str], titles: Iterable[_Title]) -> dict[int, float]:
    """How far the titles of each concept that stand in a text cover it."""
    letters = max(sum(map(len, line)), 1)
    found: dict[int, float] = {}
    for title, concepts in titles:
        share = LEAST_COVER + (1 - LEAST_COVER) * len(title.replace(" ", "")) / letters
        for concept, trust in concepts:
            found[concept] = max(found.get(concept, 0.0), share * trust)
    return found


LEAST = 0.005  # the share below which a unit group is not named among the likely ones
SURE = 0.25  # the share from which an occupation is named
SURE_GROUP = 0.3  # and a unit group


def load(path: Path) -> Concepts:
    """Reads concepts; raises OSError or ValueError where there are none."""
    with np.load(path) as file:
        return Concepts(*(file[name] for name in Concepts._fields))


@cache
def linker() -> Linker:
    """The linker of this package."""
    with resources.as_file(resources.files("landbridge.codes.occupations") / "model/concepts.npz") as path:
        return Linker(encoder(), load(path))
