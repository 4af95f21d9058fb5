"""Trains the encoder of occupations from nothing but labels: `./run train-encoder`.

Titles of one concept, in whatever languages, are drawn together and apart from all others: in the batch
(InfoNCE with several positives), against a vector a concept learnt beside (proxies), and against one a unit group.
Pieces and words drop out at random, so that no single one carries a title, and words that advertisements put around
titles (training/around.txt, towns) are put there, so that they come to weigh little; a language counts by the root of its
titles in a concept, so that English does not drown the others.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from landbridge.codes.occupations.encoder import DIMENSIONS, Weights, pieces, units, words
from training.labels import Label, both_forms, groups

PIECES = 190_000  # what thirty megabytes hold
HIDDEN = 512
CONCEPTS, PER_CONCEPT = 512, 4  # of a batch
PIECE_DROP, WHOLE_DROP, WORD_DROP = 0.25, 0.5, 0.15
AROUND = 0.3  # how often words stand beside a title that say nothing of it
DESCRIBED = 0.1  # how often a sentence of the description stands for a title
RATE, TABLE_RATE = 2e-3, 4e-3
GROUP_WEIGHT = 0.2


class Trained(NamedTuple):
    """Weights, and a vector each for the concepts that were learnt beside them (proxies)."""

    weights: Weights
    concepts: list[str]
    proxies: np.ndarray[Any, np.dtype[np.float32]]


class _Texts:
    """Titles as word numbers, words as piece numbers."""

    def __init__(self) -> None:
        self.place: dict[str, int] = {}

    def add(self, text: str) -> np.ndarray[Any, Any]:
        return np.array([self.place.setdefault(w, len(self.place)) for w in units(words(text))], np.int64)


def _chosen_pieces(place: dict[str, int], often: Counter[int]) -> tuple[Any, Any, Any]:
    """The most frequent pieces (hashes, ascending); for each word its rows in them, and where each word's begin."""
    hashes, counts = pieces(list(place))
    weight = np.repeat(
        np.array([1 + 0.1 * min(often[n], 50) for n in range(len(place))]), counts
    )  # a piece counts by the words it is in, a word by its titles
    once, back = np.unique(hashes, return_inverse=True)
    kept = np.sort(once[np.argsort(-np.bincount(back, weights=weight), kind="stable")[:PIECES]])
    at = np.minimum(np.searchsorted(kept, hashes), len(kept) - 1)
    known = kept[at] == hashes
    owner = np.repeat(np.arange(len(place)), counts)[known]
    starts = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(place)))])
    return kept, at[known].astype(np.int64), starts.astype(np.int64)


class _Head(nn.Module):
    """All of the encoder behind the table of pieces, and the proxies."""

    def __init__(self, concepts: int, unit_groups: int) -> None:
        super().__init__()
        self.gate = nn.Linear(DIMENSIONS, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, 1.0)
        self.norm = nn.LayerNorm(DIMENSIONS)
        self.into = nn.Linear(DIMENSIONS, HIDDEN)
        self.out = nn.Linear(HIDDEN, DIMENSIONS)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)
        self.proxies = nn.Parameter(torch.randn(concepts, DIMENSIONS) * 0.1)
        self.groups = nn.Parameter(torch.randn(unit_groups, DIMENSIONS) * 0.1)
        self.scale = nn.Parameter(torch.tensor(2.7))
        self.proxy_scale = nn.Parameter(torch.tensor(2.7))

    def forward(self, vectors: Tensor, word: Tensor, text: Tensor, texts: int) -> Tensor:
        vectors = vectors * torch.sigmoid(self.gate(vectors))
        total = torch.zeros(texts, DIMENSIONS).index_add(0, text, vectors.index_select(0, word))
        total = self.norm(total)
        return functional.normalize(total + self.out(functional.relu(self.into(total))), dim=1)


def _contrast(z: Tensor, scale: Tensor) -> Tensor:
    """InfoNCE with several positives: rows stand in blocks of PER_CONCEPT of one concept."""
    similar = z @ z.T * scale
    n = len(z)
    block = torch.arange(n) // PER_CONCEPT
    same = block[:, None] == block[None, :]
    others = torch.logsumexp(similar.masked_fill(same, -1e9), dim=1, keepdim=True)
    first = (block * PER_CONCEPT)[:, None] + torch.arange(PER_CONCEPT)
    positive = similar.gather(1, first)
    own = first == torch.arange(n)[:, None]
    return functional.softplus(others - positive).masked_fill(own, 0).sum() / (n * (PER_CONCEPT - 1))


def train(
    labels: Iterable[Label],
    sentences: Iterable[Label] = (),
    around: Iterable[str] = (),
    *,
    steps: int,
    seed: int = 1,
    quiet: bool = False,
) -> Trained:
    """Trains for so many steps. The same labels, steps and seed give the same weights on the same machine."""
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)
    rng = np.random.default_rng(seed)
    texts = _Texts()
    forms: list[list[np.ndarray[Any, Any]]] = []
    by: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    often: Counter[int] = Counter()
    for label in dict.fromkeys(labels):
        read = [found for form in both_forms(label) if len(found := texts.add(form))]
        if read:
            by[label.concept][label.language].append(len(forms))
            forms.append(read)
            often.update(int(w) for w in read[0])
    concepts = sorted(by)
    described: defaultdict[str, list[np.ndarray[Any, Any]]] = defaultdict(list)
    for label in sentences:
        if label.concept in by and len(found := texts.add(label.text)):
            described[label.concept].append(found)
    beside = [found for text in around if len(found := texts.add(text))]
    kept, rows, starts = _chosen_pieces(texts.place, often)
    whole = np.zeros(len(rows), bool)  # the first piece of a word in a script is the word
    whole[starts[:-1][starts[1:] > starts[:-1]]] = True
    unit = groups()
    codes = [c if c.isdigit() else unit.get(c, "") for c in concepts]
    unit_groups = sorted({c[:4] for c in codes if len(c) >= 4})
    group_of = torch.tensor([unit_groups.index(c[:4]) if len(c) >= 4 else -100 for c in codes])
    drawn = [[np.array(some) for some in by[c].values()] for c in concepts]
    chance = [np.cumsum(p / p.sum()) for p in ([np.array([len(s) ** 0.5 for s in d]) for d in drawn])]
    if not quiet:
        print(
            f"{len(forms):,} titles of {len(concepts):,} concepts, {len(texts.place):,} words, {len(kept):,} pieces",
            flush=True,
        )
    head = _Head(len(concepts), len(unit_groups))
    table = rng.standard_normal((len(kept), DIMENSIONS), dtype=np.float32) * 0.1
    table_t = torch.from_numpy(table)
    momentum = torch.zeros(len(kept), DIMENSIONS)
    variance = torch.zeros(len(kept))
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.0)
    order = rng.permutation(len(concepts))
    at, began, losses = 0, time.monotonic(), []
    for step in range(steps):
        pace = min(1.0, (step + 1) / 100) * (1 - step / steps * 0.97)
        if at + CONCEPTS > len(order):
            order, at = rng.permutation(len(concepts)), 0
        batch = order[at : at + CONCEPTS]
        at += CONCEPTS
        chosen = []
        dice = rng.random((len(batch), PER_CONCEPT, 6))
        for x, c in enumerate(batch):
            told = described.get(concepts[c])
            for y in range(PER_CONCEPT):
                a, b, d, e, f, g = dice[x, y]
                if y == 0 and told and d < DESCRIBED:
                    chosen.append(told[int(e * len(told))])
                    continue
                some = drawn[c][min(int(np.searchsorted(chance[c], a)), len(drawn[c]) - 1)]
                both = forms[some[int(b * len(some))]]
                title = both[-1] if d > 0.5 else both[0]
                if beside and f < AROUND:
                    other = beside[int(g * len(beside))]
                    title = np.concatenate([other, title] if f < AROUND / 2 else [title, other])
                chosen.append(title)
        sizes = np.array([len(t) for t in chosen])
        text = np.repeat(np.arange(len(chosen)), sizes)
        word = np.concatenate(chosen)
        keep = rng.random(len(word)) > np.where(sizes[text] > 1, WORD_DROP, 0)
        keep |= ~np.isin(text, text[keep])
        word, text = word[keep], text[keep]
        once, back = np.unique(word, return_inverse=True)
        counts = starts[once + 1] - starts[once]
        ends = np.cumsum(counts)
        spot = np.repeat(starts[once] - ends + counts, counts) + np.arange(ends[-1])
        own = np.repeat(np.arange(len(once)), counts)
        keep = rng.random(len(spot)) > np.where(whole[spot], WHOLE_DROP, PIECE_DROP)
        spot, own = spot[keep], own[keep]
        left = np.bincount(own, minlength=len(once))
        level = torch.from_numpy((1 / np.sqrt(np.maximum(left, 1))).astype(np.float32))[:, None]
        row = torch.from_numpy(rows[spot])
        own_t = torch.from_numpy(own)
        offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(left)[:-1]]))
        summed = functional.embedding_bag(row, table_t, offsets, mode="sum")
        vectors = (summed * level).requires_grad_(True)
        z = head(vectors, torch.from_numpy(back.reshape(-1)), torch.from_numpy(text), len(chosen))
        target = torch.from_numpy(np.repeat(batch, PER_CONCEPT))
        proxy = head.proxy_scale.exp()
        loss = _contrast(z, head.scale.exp())
        loss = loss + functional.cross_entropy(
            z @ functional.normalize(head.proxies, dim=1).T * proxy, target
        )
        loss = loss + GROUP_WEIGHT * functional.cross_entropy(
            z @ functional.normalize(head.groups, dim=1).T * proxy * 0.7, group_of[target]
        )
        for parameters in optimiser.param_groups:
            parameters["lr"] = RATE * pace
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        touched, place = torch.unique(row, return_inverse=True)
        assert vectors.grad is not None
        gradient = torch.zeros(len(touched), DIMENSIONS).index_add_(
            0, place, (vectors.grad * level).index_select(0, own_t)
        )
        variance[touched] = variance[touched] * 0.99 + 0.01 * gradient.square().mean(dim=1)
        moved = momentum[touched] * 0.8 + gradient
        momentum[touched] = moved
        table_t.index_add_(
            0, touched, moved * (-TABLE_RATE * pace / (variance[touched].sqrt() + 1e-8))[:, None]
        )
        losses.append(float(loss.detach()))
        if not quiet and (step + 1) % 100 == 0:
            print(
                f"step {step + 1:,} of {steps:,}: loss {np.mean(losses[-100:]):.3f}, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    return Trained(
        _packed(kept, table, head), concepts, functional.normalize(head.proxies, dim=1).detach().numpy()
    )


def _packed(kept: Any, table: Any, head: _Head) -> Weights:
    """Four bits a number; the step of a row is the one of a few that loses least."""
    top = np.abs(table).max(axis=1, keepdims=True)
    best = np.zeros_like(table)
    steps = np.zeros((len(table), 1), np.float32)
    least = np.full(len(table), np.inf)
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        step = (top * share / 7 + 1e-9).astype(np.float16).astype(np.float32)
        whole = np.clip(np.round(table / step), -8, 7)
        error = np.square(whole * step - table).sum(axis=1)
        better = error < least
        best[better], steps[better], least[better] = whole[better], step[better], error[better]
    nibbles = (best + 8).astype(np.uint8)
    packed = nibbles[:, 0::2] | nibbles[:, 1::2] << 4

    def array(*tensors: Tensor) -> Any:
        return np.concatenate([t.detach().numpy().astype(np.float32) for t in tensors], axis=-1)

    return Weights(
        pieces=kept,
        table=packed,
        steps=steps[:, 0].astype(np.float16),
        gate=array(head.gate.weight[0], head.gate.bias),
        norm=np.stack([array(head.norm.weight), array(head.norm.bias)]),
        into=array(head.into.weight, head.into.bias[:, None]),
        out=array(head.out.weight, head.out.bias[:, None]),
    )
