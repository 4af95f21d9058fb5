"""Titles across languages: MELO-like folders under two protocols that are never mixed.

A folder holds a folder a set, `COUNTRY_q_LANGUAGE_c_LANGUAGE`, with queries, corpus_elements, concept_mapping and
annotations (.tsv or .tsv.gz), as github.com/Avature/melo-benchmark lays them out (Retyk et al., 2024). Strict: every
label of the corpus is ranked, as published. By concept: one label of each concept comes first. The measure is the
mean reciprocal rank as trec_eval has it: scores of five decimals, ties by the identifier, descending.
"""

import gzip
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from landbridge.codes.occupations.encoder import encoder
from landbridge.codes.occupations.link import linker
from landbridge.codes.occupations.titles import plain

MELO = Path(__file__).resolve().parents[2] / "shared/data/esco/melo"
PUBLISHED = {  # of the same 16 sets: within a language, across
    "text-embedding-3-large": (0.522, 0.421),
    "E5": (0.521, 0.381),
    "char TF-IDF": (0.462, None),
}
_CONCEPT = 2.0  # what a concept's score counts beside a label's own, in the strict ranking
_LETTERS = 0.3  # what likeness of letters counts beside the likeness of vectors
_BLOCK = 500  # queries at a time
Matrix = npt.NDArray[np.float32]


class Set(NamedTuple):
    """One set: texts, the concept of each element, and which elements answer each query."""

    name: str
    queries: list[str]
    elements: list[str]
    concepts: list[str]
    relevant: list[list[int]]
    order: npt.NDArray[np.int64]  # of the elements' identifiers

    @property
    def within(self) -> bool:
        query, _, corpus = self.name.partition("_q_")[2].partition("_c_")
        return query == corpus


def _lines(folder: Path, name: str) -> Iterator[str]:
    packed = folder / f"{name}.tsv.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / f"{name}.tsv").read_bytes()
    yield from (line for line in data.decode("utf-8").split("\n") if line.strip())


def _pairs(folder: Path, name: str) -> list[list[str]]:
    return [line.split("\t", 1) for line in _lines(folder, name) if "\t" in line]


def read(folder: Path) -> Set:
    """Reads one set. Raises OSError where it is incomplete."""
    queries, elements = _pairs(folder, "queries"), _pairs(folder, "corpus_elements")
    of = dict(_pairs(folder, "concept_mapping"))
    place = {key: n for n, (key, _) in enumerate(elements)}
    answers: defaultdict[str, list[int]] = defaultdict(list)
    for line in _lines(folder, "annotations"):
        query, _, element, judged = line.split()
        if judged != "0" and element in place:
            answers[query].append(place[element])
    keys = np.array([key for key, _ in elements])
    order = np.empty(len(keys), np.int64)
    order[np.argsort(keys)] = np.arange(len(keys))
    return Set(
        folder.name,
        [text.strip() for _, text in queries],
        [text.strip() for _, text in elements],
        [
            of[key].rsplit("/", 1)[-1].removeprefix("C")
            if "/isco/" in of[key]
            else of[key].rsplit("/", 1)[-1]
            for key in keys
        ],
        [answers.get(key, []) for key, _ in queries],
        order,
    )


def reciprocal(scores: Matrix, relevant: list[list[int]], order: npt.NDArray[np.int64]) -> list[float]:
    """One over the rank of the first right element, a query; 0 where none is right."""
    found = []
    for row, right in zip(scores, relevant, strict=True):
        if not right:
            found.append(0.0)
            continue
        rounded = np.round(row.astype(np.float64), 5)
        best = rounded[right].max()
        last = max(order[n] for n in right if rounded[n] == best)
        above = int((rounded > best).sum()) + int(((rounded == best) & (order > last)).sum())
        found.append(1 / (1 + above))
    return found


def letters(queries: list[str], elements: list[str]) -> Matrix:
    """Likeness of letters: TF-IDF of runs of two to five within words, by its cosine."""

    def runs(text: str) -> Counter[str]:
        found: Counter[str] = Counter()
        bare = "".join(
            c for c in unicodedata.normalize("NFD", plain(text).casefold()) if not unicodedata.combining(c)
        )
        for word in bare.split():
            edged = f" {word} "
            for size in range(2, 6):
                found.update(edged[n : n + size] for n in range(max(1, len(edged) - size + 1)))
        return found

    counted = [runs(text) for text in elements]
    often: Counter[str] = Counter(run for one in counted for run in one)
    place = {run: n for n, run in enumerate(often)}
    idf = np.array([np.log((1 + len(elements)) / (1 + often[run])) + 1 for run in place], np.float32)

    def weighed(one: Counter[str]) -> tuple[npt.NDArray[np.int64], Matrix]:
        known = [(place[run], count) for run, count in one.items() if run in place]
        at = np.array([n for n, _ in known], np.int64)
        weights = (
            (1 + np.log(np.array([count for _, count in known], np.float32))) * idf[at]
            if known
            else np.zeros(0)
        )
        return at, (weights / max(float(np.linalg.norm(weights)), 1e-9)).astype(np.float32)

    columns: list[list[tuple[int, float]]] = [[] for _ in place]
    for n, one in enumerate(counted):
        for at, weight in zip(*weighed(one), strict=True):
            columns[int(at)].append((n, float(weight)))
    posted = [
        (np.array([n for n, _ in some], np.int64), np.array([w for _, w in some], np.float32))
        for some in columns
    ]
    scores = np.zeros((len(queries), len(elements)), np.float32)
    for row, query in zip(scores, queries, strict=True):
        for at, weight in zip(*weighed(runs(query)), strict=True):
            n, w = posted[int(at)]
            row[n] += weight * w
    return scores


def _best_of(scores: Matrix, concepts: npt.NDArray[np.int64], count: int, floor: float) -> Matrix:
    """The best score among each concept's elements."""
    found = np.full((len(scores), count), floor, np.float32)
    order = np.argsort(concepts, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(concepts[order]) > 0])
    found[:, concepts[order][starts]] = np.maximum.reduceat(scores[:, order], starts, axis=1)
    return found


def score(one: Set, *, answer_groups: bool = True, by_letters: bool = True) -> dict[str, float]:
    """Both measures of one set; `answer_groups` lets a unit group be the answer where no occupation is close."""
    link = linker()
    names = list(dict.fromkeys(one.concepts))
    place = {name: n for n, name in enumerate(names)}
    concept = np.array([place[name] for name in one.concepts])
    row = {code: n for n, code in enumerate(link.codes)}
    ours = np.array([row.get(name, -1) for name in names])
    elements = encoder().encode([plain(text) for text in one.elements])
    strict: list[float] = []
    listed: list[float] = []
    _, first = np.unique(concept, return_index=True)
    right = [sorted({int(concept[n]) for n in some}) for some in one.relevant]
    alike = letters(one.queries, one.elements) if by_letters and one.within else None
    for n in range(0, len(one.queries), _BLOCK):
        queries = encoder().encode([plain(text) for text in one.queries[n : n + _BLOCK]])
        near = queries @ elements.T
        if alike is not None:
            near = near + _LETTERS * alike[n : n + _BLOCK]
        middle = np.where(ours >= 0, (queries @ link.vectors)[:, np.maximum(ours, 0)], 0)
        scores = link.ranked(
            _best_of(near, concept, len(names), -0.2), middle, ours, answer_groups=answer_groups
        )
        strict += reciprocal(near + _CONCEPT * scores[:, concept], one.relevant[n : n + _BLOCK], one.order)
        listed += reciprocal(scores, right[n : n + _BLOCK], one.order[first])
    return {"strict": float(np.mean(strict)), "by concept": float(np.mean(listed))}
