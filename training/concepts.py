"""Makes what the linker knows of each concept: a vector, its titles, and the calibration of its confidence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from landbridge.codes.occupations.encoder import Encoder
from landbridge.codes.occupations.link import Calibration, Concepts, Linker, title_hash
from landbridge.codes.occupations.titles import plain
from landbridge.codes.occupations.vocabulary import Vocabulary
from training.labels import Label

UNCALIBRATED = Calibration(temperature=0.06, title=0.4, group=0.2, none=0.5, beyond=0.18)


def concepts(
    encoder: Encoder,
    labels: Sequence[Label],
    proxies: tuple[Sequence[str], Any],
    known: Vocabulary,
    *,
    without: frozenset[Label] = frozenset(),
    calibration: Calibration = UNCALIBRATED,
) -> Concepts:
    """A concept's vector lies between its proxy and the middle of its titles, where a language counts by the root
    of its titles. Titles `without` are left out of the middle and of the list of titles.
    """
    codes = list(known.concepts)
    row = {code: n for n, code in enumerate(codes)}
    kept = [label for label in labels if label.concept in row and label not in without]
    vectors = encoder.encode([plain(label.text) for label in kept])
    often = Counter((label.concept, label.language) for label in kept)
    weights = np.array([often[label.concept, label.language] ** -0.5 for label in kept], np.float32)
    middle = np.zeros((len(codes), vectors.shape[1]), np.float32)
    np.add.at(middle, np.array([row[label.concept] for label in kept]), vectors * weights[:, None])
    middle /= np.maximum(np.linalg.norm(middle, axis=1, keepdims=True), 1e-9)
    learnt = np.zeros_like(middle)
    place = {code: n for n, code in enumerate(proxies[0])}
    for n, code in enumerate(codes):
        if code in place:
            learnt[n] = proxies[1][place[code]]
    both = middle + learnt
    both /= np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-9)
    return Concepts(
        codes=np.array(codes),
        groups=np.array([row.get(known.group.get(c, c[:4]), n) for n, c in enumerate(codes)], np.int32),
        vectors=np.round(both * 127).astype(np.int8),
        **titles_of(known, without),
        calibration=np.asarray(calibration, np.float32),
    )


def titles_of(known: Vocabulary, without: frozenset[Label] = frozenset()) -> dict[str, Any]:
    """The list of titles as `Concepts` has it; it follows the vocabulary without a new training."""
    row = {code: n for n, code in enumerate(known.concepts)}
    languages = list(known.languages)
    titles = sorted(
        {
            (title_hash(plain(t.text)), row[t.concept], languages.index(t.language))
            for t in known.titles()
            if len(t.concept) >= 4 and Label(t.concept, t.language, t.text) not in without
        }
    )
    return {
        "titles": np.array([t[0] for t in titles], np.uint64),
        "concept": np.array([t[1] for t in titles], np.int32),
        "language": np.array([t[2] for t in titles], np.int16),
        "languages": np.array(languages),
    }


def held_back(
    known: Vocabulary, languages: Iterable[str], share: float = 1 / 3, seed: int = 7
) -> frozenset[Label]:
    """A part of the vocabulary's titles of unit groups that training must not see: of each group and language of
    three titles or more, so many at random, never all."""
    rng = np.random.default_rng(seed)
    out: set[Label] = set()
    for language in languages:
        by: defaultdict[str, list[Label]] = defaultdict(list)
        for t in known.titles(language):
            if len(t.concept) == 4 and t.concept.isdigit() and not t.ambiguous:
                by[t.concept].append(Label(t.concept, language, t.text))
        for group in sorted(by):
            titles = by[group]
            if len(titles) >= 2:
                count = max(1, round(len(titles) * share))
                out.update(titles[n] for n in rng.permutation(len(titles))[:count])
    return frozenset(out)


def calibrated(linker: Linker, positive: Sequence[Label], negative: Sequence[str]) -> Calibration:
    """Temperature, weight of a title, of its group, and what speaks for none: those that make held-back titles
    likeliest to be given their unit group, and texts that name no occupation none. Coordinate descent on a grid.
    """
    texts = [t.text for t in positive] + list(negative)
    near, cover = linker.evidence(texts, [t.language for t in positive] + [""] * len(negative))
    groups = linker.concepts.groups
    row = {code: n for n, code in enumerate(linker.codes)}
    target = np.array([row[t.concept] for t in positive])
    members = [np.flatnonzero(groups == g) for g in target]

    def loss(by: Calibration) -> float:
        scores = np.minimum(linker.weighed(near, cover, by), 60)
        weights = np.exp(scores.astype(np.float64))
        whole = 1 + weights.sum(axis=1)
        right = [weights[n, m].sum() / whole[n] for n, m in enumerate(members)]
        right += list(1 / whole[len(positive) :])
        balance = np.concatenate(
            [np.full(len(positive), 1 / len(positive)), np.full(len(negative), 1 / max(len(negative), 1))]
        )
        return float(-(np.log(np.maximum(right, 1e-6)) * balance).sum())

    best = UNCALIBRATED
    grids = {
        "temperature": [0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12],
        "title": [0.1, 0.2, 0.3, 0.4, 0.6, 0.8],
        "group": [0, 0.05, 0.1, 0.2, 0.3],
        "none": [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7],
    }
    least = loss(best)
    for _ in range(3):
        for name, grid in grids.items():
            for value in grid:
                tried = best._replace(**{name: value})
                if (found := loss(tried)) < least:
                    least, best = found, tried
    return best
