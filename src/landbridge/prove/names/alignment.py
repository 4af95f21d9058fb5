"""The cheapest way to read Latin letters as a spelling of a name: a shortest path over both texts."""

from dataclasses import dataclass

from landbridge.prove.names.spelling import ANY, EDGE, VOWELS, Letters, usual

_LONG = frozenset(("OU", "AA", "<A", "<E", "<I", "<O", "<U"))


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the zone and what was read in it."""

    price: float
    size: int  # Latin letters, the longer of both sides
    standards: int


@dataclass(frozen=True, slots=True)
class Alignment:
    words: tuple[Word, ...]
    cut: bool
    """The end of the written name is missing."""

    @property
    def score(self) -> float:
        """0 to 1: that of the word that fits worst."""
        return min((max(0.0, 1 - word.price / max(1, word.size)) for word in self.words), default=0.0)

    @property
    def standards(self) -> int:
        mask = ANY
        for word in self.words:
            mask &= word.standards
        return mask


def _added(name: Letters, at: int, target: str, to: int) -> float:
    """The price of the letter `target[to]` where the name has none, after `at` letters of it."""
    letter = target[to]
    if letter == "<":
        return 0.03
    before = target[to - 1] if to else ""
    kind = (name.vowels[at - 1] if at else 0) or (name.vowels[at] if at < len(name.vowels) else 0)
    if kind and letter in VOWELS:
        first = at == 0 or name.text[at - 1] == " "
        inside = at < len(name.text) and name.text[at] != " "
        if kind == 2:
            return 0.4 if first else 0.03 if letter in "AO" else 0.2
        if before not in VOWELS or before + letter in _LONG:
            if first:
                return 0.5  # a vowel at the beginning has its letter
            if inside:
                return 0.03
            if letter == "E":
                return 0.1
        if inside and at and name.text[at - 1] in "ويیו":
            return 0.1  # OUARDA: the letter is a consonant, spelt as a vowel
    if letter == before and letter not in VOWELS:
        return 0.03 if kind else 0.2
    if letter == "H":
        return 0.5
    return _wrong(target, to)


def _wrong(target: str, to: int) -> float:
    """The price of a wrong letter: more for the first of a word, and for a vowel at its end."""
    if not to or target[to - 1] == "<":
        return EDGE
    ends = to + 1 == len(target) or target[to + 1] == "<"
    return EDGE if ends and target[to] in VOWELS else 1.0


def align(name: Letters, target: str, *, budget: float, cut: bool = False) -> Alignment | None:
    """Reads `target` (A to Z, < between words) as a spelling of `name`; None where it costs more than `budget`.

    `cut`: the target may stop before the name does.
    """
    size, length = len(name.text), len(target)
    if not size or not length:
        return None
    rows: list[dict[int, float]] = [{} for _ in range(size + 1)]
    back: dict[tuple[int, int], tuple[int, int, float, int, bool]] = {}
    rows[0][0] = 0.0
    edges, skip = name.edges, name.skip
    for at in range(size + 1):
        row = rows[at]
        if not row:
            continue
        to = min(row)
        last = max(row)
        while to <= last:
            price = row.get(to)
            if price is None:
                to += 1
                continue
            if to < length:
                total = price + _added(name, at, target, to)
                if total <= budget and total < row.get(to + 1, 9e9):
                    row[to + 1] = total
                    unwritten = 1 in name.vowels[max(0, at - 1) : at + 1] and target[to] in VOWELS
                    back[at, to + 1] = (at, to, total - price, usual() if unwritten else ANY, False)
                    last = max(last, to + 1)
            if at < size:
                for taken, (spelling, standard, cost) in edges[at]:
                    if target.startswith(spelling, to):
                        total = price + cost
                        ahead, end = rows[at + taken], to + len(spelling)
                        if total <= budget and total < ahead.get(end, 9e9):
                            ahead[end] = total
                            back[at + taken, end] = (at, to, cost, standard, True)
                ahead = rows[at + 1]
                total = price + skip[at]
                if total <= budget and total < ahead.get(to, 9e9):
                    ahead[to] = total
                    back[at + 1, to] = (at, to, skip[at], ANY, False)
                if to < length and name.weight[at]:
                    cost = max(1.0, skip[at]) * _wrong(target, to)
                    total = price + cost
                    if total <= budget and total < ahead.get(to + 1, 9e9):
                        ahead[to + 1] = total
                        back[at + 1, to + 1] = (at, to, cost, ANY, False)
            to += 1
    end = size
    if length not in rows[size]:
        if not cut:
            return None
        ends = [(rows[at][length], -at) for at in range(size + 1) if length in rows[at]]
        if not ends:
            return None
        end = -min(ends)[1]
    elif cut:
        end = -min((rows[at][length], -at) for at in range(size + 1) if length in rows[at])[1]
    return Alignment(_words(name, target, back, end), end < size)


def _words(
    name: Letters, target: str, back: dict[tuple[int, int], tuple[int, int, float, int, bool]], end: int
) -> tuple[Word, ...]:
    words: list[Word] = []
    at, to = end, len(target)
    price, ours, theirs, mask = 0.0, 0, 0, ANY
    while (at, to) != (0, 0):
        from_at, from_to, cost, standard, read = back[at, to]
        ours += to - from_to if read else sum(name.weight[from_at:at])
        price += cost
        mask &= standard
        letters = target[from_to:to]
        if letters == "<":
            words.append(Word(price, max(ours, theirs), mask))
            price, ours, theirs, mask = 0.0, 0, 0, ANY
        else:
            theirs += len(letters)
        at, to = from_at, from_to
    words.append(Word(price, max(ours, theirs), mask))
    return tuple(reversed(words))
