"""Text to vector: titles and short descriptions in any language, near each other where they mean one occupation.

A word is the sum of what its pieces (n-grams of letters) were given in training, weighed by a learnt gate; a text is
the sum of its words through one small layer. Pieces are taken twice: from the word in Latin letters, so that
"менеджер" and "manager" share some, and from the word as it is written where that differs. In Chinese every character
begins a window of three, which stands for a word; its pieces are its beginnings. A run of Thai, Lao, Khmer or Burmese
is one word. Nothing but arrays: the same text gives the same vector on every machine, to the last few bits.

The table of pieces holds four bits a number (a row has its own step); `model/README.md` is the model's card.
"""

import math
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

DIMENSIONS = 256
WORDS = 32  # of a text that are read
_LONGEST = 40  # letters of a word that are read
_UNITS = 64  # words and windows of a text that are read
_LATIN, _NATIVE = (3, 6), (3, 5)  # the lengths of pieces
_UNSPACED = (1, 4)  # of pieces in other scripts without spaces than Chinese
_WINDOW = 3  # characters of Chinese that stand for a word
_SEED = {"latin": 0x9E3779B1, "native": 0x85EBCA77}
_STEP = 0x01000193
_BITS = 0xFFFFFFFF
_TOGETHER = 1 << 15  # rows that are added up at once
_FEW = 2_048  # up to here another way is faster
_CHUNK = 4_096  # texts at a time: what bounds the memory of a batch
_KNOWN = 4_096  # words of single texts that are remembered, which share them

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]

# Letter by letter, after marks are taken off; whatever is missing here stands for itself.
_LATIN_OF: dict[str, str] = {
    pair[0]: pair[1:]
    for pair in ["аa", "бb", "вv", "гg", "дd", "еe", "зz", "иi", "кk", "лl", "мm", "нn", "оo", "пp", "рr", "сs", "тt", "уu", "фf", "хh", "цc", "ыy", "эe", "жzh", "чch", "шsh", "щsh", "ъ", "ь", "юiu", "яia", "іi", "јj", "қk", "ғg", "үu", "ұu", "өo", "һh", "әa", "ңn", "ґg", "єe", "љl", "њn", "ђd", "џdz", "ѕdz", "ћc", "ҳh", "ҷj", "αa", "βv", "γg", "δd", "εe", "ζz", "ηi", "θth", "ιi", "κk", "λl", "μm", "νn", "ξx", "οo", "πp", "ρr", "σs", "τt", "υi", "φf", "χh", "ψps", "ωo", "ςs", "աa", "բb", "գg", "դd", "եe", "զz", "էe", "ըe", "թt", "ժzh", "իi", "լl", "խkh", "ծc", "կk", "հh", "ձdz", "ղgh", "ճch", "մm", "յi", "նn", "շsh", "ոo", "չch", "պp", "ջj", "ռr", "սs", "վv", "տt", "րr", "ցc", "ւv", "փp", "քk", "օo", "ֆf", "ևev", "აa", "ბb", "გg", "დd", "ეe", "ვv", "ზz", "თt", "იi", "კk", "ლl", "მm", "ნn", "ოo", "პp", "ჟzh", "რr", "სs", "ტt", "უu", "ფp", "ქk", "ღg", "ყk", "შsh", "ჩch", "ცc", "ძdz", "წc", "ჭch", "ხh", "ჯj", "ჰh", "اa", "بb", "تt", "ثt", "جj", "حh", "خh", "دd", "ذd", "رr", "زz", "سs", "شsh", "صs", "ضd", "طt", "ظz", "عa", "غg", "فf", "قk", "كk", "لl", "مm", "نn", "هh", "وu", "يi", "ىa", "ةa", "ء", "ؤu", "ئi", "پp", "چch", "ژzh", "گg", "ßss", "æae", "øo", "œoe", "łl", "đd", "ðd", "þth", "ıi", "ŋn"]
}  # fmt: skip


class _Letters(dict[str, str]):
    """A letter as it is compared: itself, or a space where words end."""

    def __missing__(self, letter: str) -> str:
        if "\u0e80" <= letter <= "\u0eff":  # Lao stands 0x80 behind the Thai letter of the same sound
            thai = chr(ord(letter) - 0x80)
            letter = thai if unicodedata.category(thai) != "Cn" else letter
        kind = unicodedata.category(letter)[0]
        self[letter] = letter if kind in "LMN" or letter in "+#" else " "
        return self[letter]


class _Romans(dict[int, str]):
    """A letter in Latin ones, without marks; for `str.translate`."""

    def __missing__(self, code: int) -> str:
        bare = "".join(c for c in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(c))
        self[code] = "".join(_LATIN_OF.get(c, c) for c in bare)
        return self[code]


_letters = _Letters()
_romans = _Romans()


def words(text: str) -> list[str]:
    """The words of a text as the encoder reads them: folded, without punctuation, at most WORDS."""
    folded = unicodedata.normalize("NFKC", text[: WORDS * _LONGEST]).casefold()
    folded = folded.replace("’", "").replace("'", "").replace("ʻ", "").replace("ʼ", "")
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded)
    line = "".join(map(_letters.__getitem__, folded)).split()
    return [word[:_LONGEST] for word in line[:WORDS]]


def spaceless(word: str) -> bool:
    first = ord(word[0])
    return (
        0x0E00 <= first <= 0x0EFF or 0x1000 <= first <= 0x109F or 0x1780 <= first <= 0x17FF or first >= 0x2E80
    )


def units(line: Sequence[str]) -> list[str]:
    """What is summed up: words, and for a run of Chinese a window at each of its characters."""
    found: list[str] = []
    for word in line:
        if word[0] >= "\u2e80":
            found += [word[n : n + _WINDOW] for n in range(len(word))]
        else:
            found.append(word)
    return found[:_UNITS]


def pieces(batch: Sequence[str]) -> tuple[Hashes, Ints]:
    """The hashes of the pieces of words and windows (`units`), one after the other, and how many each has."""
    latin: list[str] = []
    latin_of: list[int] = []
    native: list[str] = []
    native_of: list[int] = []
    unspaced: list[str] = []
    unspaced_of: list[int] = []
    windows: list[tuple[str, int]] = []
    for n, word in enumerate(batch):
        if word.isascii():
            latin.append(word)
            latin_of.append(n)
            continue
        if word[0] >= "\u2e80":
            windows.append((word, n))
            continue
        if spaceless(word):
            unspaced.append(word)
            unspaced_of.append(n)
            continue
        latin.append(word.translate(_romans))
        latin_of.append(n)
        native.append(word)
        native_of.append(n)
    found, owners = [], []
    for some, of, seed, lengths in (
        (latin, latin_of, "latin", _LATIN),
        (native, native_of, "native", _NATIVE),
        (unspaced, unspaced_of, "native", _UNSPACED),
    ):
        if some:
            hashes, own = _ngrams(some, np.uint32(_SEED[seed]), lengths)
            found.append(hashes)
            owners.append(np.asarray(of, np.int64)[own])
    if windows:
        beginnings = [
            (crc32(word[:size].encode("utf-8", "surrogatepass")), n)
            for word, n in windows
            for size in range(1, len(word) + 1)
        ]
        found.append(np.array([h for h, _ in beginnings], np.uint32) ^ np.uint32(_SEED["native"]))
        owners.append(np.array([n for _, n in beginnings], np.int64))
    if not found:
        return np.zeros(0, np.uint32), np.zeros(len(batch), np.int64)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(found)[order], np.bincount(owner, minlength=len(batch)).astype(np.int64)


def _ngrams(some: list[str], seed: np.uint32, lengths: tuple[int, int]) -> tuple[Hashes, Ints]:
    """Every run of so many letters of each word between its two ends, and the word whole."""
    text = "".join([f"<{word}>" for word in some])
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = np.fromiter(map(len, some), np.int64, len(some)) + 2
    owner = np.repeat(np.arange(len(some)), sizes)
    left = np.cumsum(sizes)[owner] - np.arange(len(codes))  # letters from here to the word's end
    found = [
        np.fromiter((crc32(word.encode("utf-8", "surrogatepass")) for word in some), np.uint32, len(some))
        ^ seed
    ]
    owners = [np.arange(len(some))]
    step = np.uint32(_STEP)
    rolled = codes * step + seed
    for length in range(1, lengths[1] + 1):
        if length > 1:
            rolled = rolled[:-1] * step ^ codes[length - 1 :]
        if length < lengths[0] or not len(rolled):
            continue
        whole = left[: len(rolled)]
        fits = np.flatnonzero(whole >= length)  # not the word whole, which stands above
        if length == 1:
            fits = fits[(codes[fits] != 60) & (codes[fits] != 62)]  # the ends alone say nothing
        found.append(_mixed(rolled[fits] + np.uint32(length)))
        owners.append(owner[fits])
    return np.concatenate(found), np.concatenate(owners)


def pieces_of(word: str) -> tuple[list[int], list[int]]:
    """The hashes of one word's or window's pieces: those that are still to be mixed, and those that are not.

    The same as `pieces`, letter by letter: for few words that is five times as fast.
    """
    native = _SEED["native"]
    if word[0] >= "\u2e80":
        return [], [_whole(word[:size], native) for size in range(1, len(word) + 1)]
    if not word.isascii() and spaceless(word):
        return _runs(word, native, _UNSPACED), [_whole(word, native)]
    latin = word if word.isascii() else word.translate(_romans)
    mixed, whole = _runs(latin, _SEED["latin"], _LATIN), [_whole(latin, _SEED["latin"])]
    if not word.isascii():
        mixed += _runs(word, native, _NATIVE)
        whole.append(_whole(word, native))
    return mixed, whole


def _whole(word: str, seed: int) -> int:
    return crc32(word.encode("utf-8", "surrogatepass")) ^ seed


def _runs(word: str, seed: int, lengths: tuple[int, int]) -> list[int]:
    codes = [60, *map(ord, word), 62]
    rolled = [code * _STEP + seed & _BITS for code in codes]
    found = [one + 1 for one in rolled[1:-1]] if lengths[0] == 1 else []
    for length in range(2, min(lengths[1], len(codes)) + 1):
        rolled = [one * _STEP & _BITS ^ code for one, code in zip(rolled, codes[length - 1 :], strict=False)]
        if length >= lengths[0]:
            found += [one + length for one in rolled]
    return found


def is_syllable(word: str) -> bool:
    """Whether a word is short and in Latin letters with marks, as each syllable of Vietnamese is."""
    letter = max(word)
    return (
        len(word) < _LATIN[1] and not word.isascii() and (letter < "\u0250" or "\u1e00" <= letter < "\u1f00")
    )


def _telling(word: str) -> Iterator[int]:
    """The hashes of the pieces of a word that say most: all of it, and those with which it begins and ends."""
    native = _SEED["native"]
    if word[0] >= "\u2e80":
        for part in units([word]):
            for size in range(2, len(part) + 1):
                yield _whole(part[:size], native)
        return
    latin = word if word.isascii() else word.translate(_romans)
    yield _whole(latin, _SEED["latin"])
    if latin is not word:
        yield _whole(word, native)
    form, longest = f"<{latin}>", _LATIN[1]
    yield _piece(form[:longest], _SEED["latin"])
    yield _piece(form[-longest:], _SEED["latin"])


def _piece(letters: str, seed: int) -> int:
    """The hash of one piece; as `_runs` and `_mixed` make it."""
    rolled = ord(letters[0]) * _STEP + seed & _BITS
    for letter in letters[1:]:
        rolled = rolled * _STEP & _BITS ^ ord(letter)
    hashed = rolled + len(letters) & _BITS
    hashed = (hashed ^ hashed >> 16) * 0x85EBCA6B & _BITS
    hashed = (hashed ^ hashed >> 13) * 0xC2B2AE35 & _BITS
    return hashed ^ hashed >> 16


def _mixed(hashes: Hashes) -> Hashes:
    """Spreads the bits (the finaliser of MurmurHash3)."""
    hashes = hashes ^ (hashes >> np.uint32(16))
    hashes = hashes * np.uint32(0x85EBCA6B)
    hashes = hashes ^ (hashes >> np.uint32(13))
    hashes = hashes * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


class Weights(NamedTuple):
    """What training leaves: K pieces, D = DIMENSIONS, H hidden units."""

    pieces: Hashes  # K, ascending
    table: npt.NDArray[np.uint8]  # K × D/2: two numbers of four bits a byte, -8 to 7
    steps: npt.NDArray[np.float16]  # K: what a row's numbers are multiplied by
    gate: Floats  # D + 1: the last is the bias
    norm: Floats  # 2 × D: scale and shift
    into: Floats  # H × (D + 1)
    out: Floats  # D × (H + 1)


class Encoder:
    """Encodes texts with given weights."""

    def __init__(self, weights: Weights) -> None:
        self._w = weights
        low = np.arange(256, dtype=np.int16)
        # the two numbers of a byte side by side, as one item of eight bytes: what is quick to look up
        pairs = np.stack([(low & 15) - 8, (low >> 4) - 8], axis=1).astype(np.float32)
        self._pairs = pairs.view(np.uint64).ravel()
        self._into, self._out = (
            (np.ascontiguousarray(m[:, :-1]), np.ascontiguousarray(m[:, -1]))
            for m in (weights.into, weights.out)
        )
        self._pieces = memoryview(weights.pieces.data)
        self._told: dict[str, bool] = {}
        self._evenly = np.full(DIMENSIONS, 1 / DIMENSIONS, np.float32)
        self._known: dict[str, Floats] = {}

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of length 1, one a text (n × DIMENSIONS); zeros for a text without a piece that is known."""
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        parts = [self._some(texts[n : n + _CHUNK]) for n in range(0, len(texts), _CHUNK)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def telling(self, line: Sequence[str]) -> set[str]:
        """The words that may be of a title: known as they are, or by the way they begin or end.

        The others, such as names, are known by short pieces at most. This costs a tenth of what a vector does.
        """
        return {word for word in line if self._tells(word)}

    def _tells(self, word: str) -> bool:
        told = self._told.get(word)
        if told is None:
            if len(self._told) >= _KNOWN:
                self._told.clear()
            run = spaceless(word) and word[0] < "\u2e80"  # of words
            told = self._told[word] = run or any(map(self._has, _telling(word)))
        return told

    def _has(self, piece: int) -> bool:
        at = bisect_left(self._pieces, piece)
        return at < len(self._pieces) and self._pieces[at] == piece

    def one(self, line: Sequence[str]) -> Floats:
        """`encode` of one text, given by its words: several times as fast, and words that came before are known."""
        parts = units(line)
        if not parts:
            return np.zeros(DIMENSIONS, np.float32)
        vectors = {word: one for word in parts if (one := self._known.get(word)) is not None}
        if new := [word for word in dict.fromkeys(parts) if word not in vectors]:
            found = dict(zip(new, self._new(new), strict=True))
            vectors.update(found)
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known.update(found)
        every = [vectors[word] for word in parts]
        total: Floats = sum(every[1:], every[0])
        if not total.any():
            return total
        w = self._w
        total = total - total.dot(self._evenly)
        total *= w.norm[0] * np.float32(1 / math.sqrt(total.dot(total) / DIMENSIONS + 1e-5))
        total += w.norm[1]
        weights, bias = self._into
        hidden = weights @ total
        hidden += bias
        hidden.clip(0, None, out=hidden)
        weights, bias = self._out
        total += weights @ hidden
        total += bias
        total *= np.float32(1 / max(math.sqrt(total.dot(total)), 1e-9))
        return total

    def _new(self, batch: Sequence[str]) -> Floats:
        """`_words`, for a few."""
        w = self._w
        mixed: list[int] = []
        whole: list[int] = []
        owners: tuple[list[int], list[int]] = ([], [])
        for n, word in enumerate(batch):
            for every, of, some in zip((mixed, whole), owners, pieces_of(word), strict=True):
                every += some
                of += [n] * len(some)
        hashes = np.array(mixed + whole, np.uint64).astype(np.uint32)
        hashes[: len(mixed)] = _mixed(hashes[: len(mixed)])
        at = np.searchsorted(w.pieces, hashes)
        is_known = w.pieces.take(at, mode="clip") == hashes
        at = at[is_known]
        owner = np.array(owners[0] + owners[1])[is_known]
        share = np.zeros((len(batch), len(at)), np.float32)
        share[owner, np.arange(len(at))] = w.steps[at]
        vectors: Floats = share @ self._pairs.take(w.table[at]).view(np.float32)
        counts = np.maximum(np.bincount(owner, minlength=len(batch)), 1)
        vectors *= (1 / np.sqrt(counts).astype(np.float32))[:, None]
        vectors *= (1 / (1 + np.exp(-(vectors @ w.gate[:-1] + w.gate[-1]))))[:, None]
        return vectors

    def _some(self, texts: Sequence[str]) -> Floats:
        place: dict[str, int] = {}
        line, ends = [], []
        for text in texts:
            line += [place.setdefault(word, len(place)) for word in units(words(text))]
            ends.append(len(line))
        total = np.zeros((len(texts), DIMENSIONS), np.float32)
        if not line:
            return total
        vectors = self._words(list(place))
        _sums(vectors, np.asarray(line, np.int64), np.asarray(ends, np.int64), total)
        known = np.abs(total).sum(axis=1) > 0
        vectors = self._finished(total)
        vectors[~known] = 0
        return vectors

    def _words(self, batch: list[str]) -> Floats:
        w = self._w
        hashes, counts = pieces(batch)
        at = np.searchsorted(w.pieces, hashes)
        at[at == len(w.pieces)] = 0
        is_known = w.pieces[at] == hashes
        owner = np.repeat(np.arange(len(batch)), counts)[is_known]
        at = at[is_known]
        vectors = np.zeros((len(batch), DIMENSIONS), np.float32)
        if not len(at):
            return vectors
        counts = np.bincount(owner, minlength=len(batch))
        once, back = np.unique(at, return_inverse=True) if len(batch) > 64 else (at, np.arange(len(at)))
        rows = self._pairs.take(w.table[once]).view(np.float32)
        rows *= w.steps[once].astype(np.float32)[:, None]
        _sums(rows, back, np.cumsum(counts), vectors)
        vectors *= (1 / np.sqrt(np.maximum(counts, 1)).astype(np.float32))[:, None]
        vectors *= (1 / (1 + np.exp(-(vectors @ w.gate[:-1] + w.gate[-1]))))[:, None]
        return vectors

    def _finished(self, total: Floats) -> Floats:
        w = self._w
        total = total - total.mean(axis=1, keepdims=True)
        total /= np.sqrt((total * total).mean(axis=1, keepdims=True) + 1e-5)
        total = total * w.norm[0] + w.norm[1]
        hidden = np.maximum(total @ w.into[:, :-1].T + w.into[:, -1], 0)
        total = total + hidden @ w.out[:, :-1].T + w.out[:, -1]
        length = np.sqrt((total * total).sum(axis=1, keepdims=True))
        return np.asarray(total / np.maximum(length, 1e-9), np.float32)


def _sums(rows: Floats, at: Ints, ends: Ints, out: Floats) -> None:
    """Adds up `rows[at]` between the ends, into `out`: one row each; what has nothing stays as it is."""
    starts = np.concatenate([[0], ends[:-1]])
    sizes = ends - starts
    if len(at) < _FEW:
        some = np.flatnonzero(sizes)
        out[some] = np.add.reduceat(rows[at], starts[some], axis=0)
        return
    for size in np.unique(sizes[sizes > 0]).tolist():  # all sums of one length together
        same = np.flatnonzero(sizes == size)
        step = max(1, _TOGETHER // size)
        for n in range(0, len(same), step):
            part = same[n : n + step]
            total = rows[at[starts[part]]]
            for k in range(1, size):
                total += rows[at[starts[part] + k]]
            out[part] = total


def load(path: Path) -> Weights:
    """Reads weights; raises OSError or ValueError where there are none."""
    with np.load(path) as file:
        return Weights(*(file[name] for name in Weights._fields))


@cache
def encoder() -> Encoder:
    """The encoder of this package."""
    with resources.as_file(resources.files("landbridge.codes.occupations") / "model/encoder.npz") as path:
        return Encoder(load(path))
