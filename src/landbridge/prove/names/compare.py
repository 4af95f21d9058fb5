"""The comparison: component by component, word by word, then everything against everything."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from landbridge.prove.names.alignment import Alignment, align
from landbridge.prove.names.spelling import ANY, Letters, fold, letters, split, titles, words

THRESHOLD = 0.86
"""From here on a name fits: one wrong letter in a word of eight, none in a shorter one.

`./run bench names` measures it: of 479 pairs made by states 98.5 % fit, of 228,852 wrong pairs 0.02 % do. From 0.80 on
it would be 98.7 % and 0.05 %, from 0.90 on 98.3 % and 0.02 %."""

_LETTERS = 120  # of a component: what is longer is cut, as in every zone
_ZONE = 80  # of a component in A to Z: a zone has 39
_WORDS = 12
_FULL = frozenset((30, 31, 39))  # letters of the name field of TD1; TD2 and MRV-B; TD3 and MRV-A
_READINGS = 3  # are told
_ALONE = 0.75  # the most for one word of several, when nothing else speaks for it

Kind = Literal[
    "middle-name",
    "first-name",
    "surname-part",
    "particle",
    "title",
    "initial",
    "only-initial",
    "truncation",
    "order",
    "fields",
    "given-names",
    "surname",
]
_PRICE: dict[str, float] = {
    "middle-name": 0.04,
    "first-name": 0.06,
    "surname-part": 0.07,
    "particle": 0.02,
    "title": 0.0,
    "initial": 0.03,
    "only-initial": 0.1,
    "truncation": 0.02,
    "order": 0.02,
    "fields": 0.03,
}


class Name(msgspec.Struct, frozen=True):
    """A name as a document has it. Either part may be empty; `<` and spaces both part words."""

    surname: str
    given: str = ""
    truncated: bool = False
    """The zone had no room for all of it (Doc 9303-3 4.6; assumed too where its letters fill a zone)."""


class Ignored(msgspec.Struct, frozen=True):
    """What was overlooked to make the names fit, and its words as compared."""

    kind: Kind
    words: tuple[str, ...] = ()


class Match(msgspec.Struct, frozen=True):
    """How well two names fit: 0 to 1, `THRESHOLD` and more is a fit. A fit of names alone proves no person."""

    score: float
    readings: tuple[str, ...] = ()
    """The standards by which the whole name is spelt so, the first of them first; `mixed` where none covers it all."""
    ignored: tuple[Ignored, ...] = ()
    standardised: bool = False
    """It was the issuer's own standardised spelling that fitted."""


@dataclass(frozen=True, slots=True)
class _Fit:
    score: float
    standards: int = ANY
    ignored: tuple[Ignored, ...] = ()
    matched: int = 1

    @property
    def price(self) -> float:
        total = 0.0
        for one in self.ignored:
            total += _PRICE.get(one.kind, 0.0)
            if one.kind == "middle-name":
                total += 0.01 * (len(one.words) - 1)
        return total


_NOTHING = _Fit(0.0, matched=0)


@dataclass(frozen=True, slots=True)
class _Part:
    """A word that counts, with the particles before it."""

    word: str
    spelt: Letters
    particles: tuple[str, ...] = ()


def compare(written: Name, passport: Name, *, standardised: Name | None = None) -> Match:
    """Scores a credential's name as written against the passport's.

    `standardised`: the spelling the credential itself gives in A to Z (`fnt`, `gnt` of a DCC); the better one counts.
    """
    match = _compare(written, passport)
    if standardised is None or match.score >= 1:
        return match
    other = _compare(standardised, passport)
    if other.score <= match.score:
        return match
    return Match(other.score, other.readings, other.ignored, standardised=True)


def _compare(written: Name, passport: Name) -> Match:
    if not (_spoken(written) and _spoken(passport)):
        return Match(0.0)
    ours = _words(written.surname), _words(written.given)
    theirs = _zone(passport.surname), _zone(passport.given)
    if not any(ours):
        return Match(0.0)
    if not any(theirs):
        if any((_zone(written.surname), _zone(written.given))):
            return _compare(passport, written)  # the passport's is the one in another script
        return _same_script(ours, passport)
    cut = passport.truncated or len("<<".join(filter(None, map("<".join, theirs)))) in _FULL
    best = _direct(ours, theirs, cut)
    one = not (ours[1] or theirs[1]) or not (ours[0] or theirs[0])
    if best.score < THRESHOLD and not one:
        pooled = _pooled(ours, theirs, cut)
        if pooled.score > best.score:
            best = pooled
    return Match(round(best.score, 4), _readings(best.standards), tuple(map(_told, best.ignored)))


def _told(one: Ignored) -> Ignored:
    """Words as people write them: syllables of Hangul whole again."""
    return Ignored(one.kind, tuple(unicodedata.normalize("NFC", word) for word in one.words))


def _spoken(name: Name) -> bool:
    """Every part that is not blank has a letter: a name of pictures is no name."""
    parts = [part for part in (name.surname, name.given) if part.replace("<", " ").strip()]
    return bool(parts) and all(any(letter.isalpha() for letter in part) for part in parts)


def _words(text: str) -> list[str]:
    return _bounded(split(text[:_LETTERS]), _LETTERS)


def _zone(text: str) -> list[str]:
    """The words of a passport's component in A to Z; a placeholder for an unknown name is none."""
    folded = [fold(word) for word in split(text[:_LETTERS])]
    return _bounded([word for word in folded if word and words().get(word.lower()) != "none"], _ZONE)


def _bounded(found: list[str], most: int) -> list[str]:
    """As many words as have `most` letters, the last one cut."""
    kept: list[str] = []
    for word in found[:_WORDS]:
        if most <= 0:
            break
        kept.append(word[:most])
        most -= len(word)
    return kept


def _same_script(ours: tuple[list[str], list[str]], passport: Name) -> Match:
    """Both in the same script other than Latin: no spelling is in question."""
    theirs = _words(passport.surname), _words(passport.given)
    return Match(1.0 if ours == theirs and any(ours) else 0.0)


def _readings(mask: int) -> tuple[str, ...]:
    return titles(mask)[:_READINGS] if mask else ("mixed",)


def _direct(ours: tuple[list[str], list[str]], theirs: tuple[list[str], list[str]], cut: bool) -> _Fit:
    """Surname against surname, given names against given names."""
    surname = _component(ours[0], theirs[0], cut=cut, surname=True)
    if not (ours[1] or theirs[1]):
        return _alone(surname)
    given = _component(ours[1], theirs[1], cut=cut, surname=False)
    if not (ours[0] or theirs[0]):
        return _alone(given)
    if not (ours[0] and theirs[0]):
        return _one_sided(given, "surname", ours[0] or theirs[0])
    if not (ours[1] and theirs[1]):
        return _one_sided(surname, "given-names", ours[1] or theirs[1])
    return _joined(surname, given)


def _joined(surname: _Fit, given: _Fit) -> _Fit:
    ignored = surname.ignored + given.ignored
    score = min(surname.score, given.score) - surname.price - given.price
    return _Fit(
        max(0.0, score), surname.standards & given.standards, ignored, surname.matched + given.matched
    )


def _one_sided(fit: _Fit, kind: Kind, missing: Sequence[str]) -> _Fit:
    ignored = (*fit.ignored, Ignored(kind, tuple(missing)))
    return (
        _Fit(min(fit.score, _ALONE) - 0.05, fit.standards, ignored, fit.matched)
        if fit.score > 0.05
        else _NOTHING
    )


def _alone(fit: _Fit) -> _Fit:
    """A component with nothing beside it: a word left out leaves too little."""
    score = max(0.0, fit.score - fit.price)
    weak = any(
        one.kind in ("middle-name", "first-name", "surname-part", "only-initial") for one in fit.ignored
    )
    return _Fit(min(score, _ALONE) if weak else score, fit.standards, fit.ignored, fit.matched)


def _pooled(ours: tuple[list[str], list[str]], theirs: tuple[list[str], list[str]], cut: bool) -> _Fit:
    """All words against all words: another country's order of names, or all in one field."""
    target = [*theirs[0], *theirs[1]]
    note = (Ignored("fields"),)
    best = _NOTHING
    for order in dict.fromkeys((tuple(ours[0] + ours[1]), tuple(ours[1] + ours[0]))):
        whole = _whole(letters(list(order)), "<".join(target), cut=cut, budget=_budget(target, 1 - THRESHOLD))
        if whole is not None and whole.score > best.score:
            best = _Fit(whole.score, whole.standards, (*note, *_cut(whole)))
    if best.score >= THRESHOLD:
        return _Fit(best.score - best.price, best.standards, best.ignored)
    fit = _by_words([*ours[0], *ours[1]], target, cut=cut, surname=False)
    missing = sum(len(one.words) for one in fit.ignored if one.kind in ("middle-name", "first-name"))
    if fit.matched < 2 and (missing or len(target) > 1):
        return _NOTHING
    if missing and not (_touches(ours, theirs, fit)):
        return _NOTHING
    ignored = note + tuple(one for one in fit.ignored if one.kind != "order")
    found = _Fit(fit.score, fit.standards, ignored, fit.matched)
    return _Fit(max(0.0, found.score - found.price), found.standards, ignored, found.matched)


def _touches(ours: tuple[list[str], list[str]], theirs: tuple[list[str], list[str]], fit: _Fit) -> bool:
    """Of words left out, none was all there is of the passport's surname or given names."""
    gone = {word for one in fit.ignored for word in one.words}
    return all(not part or set(part) - gone for part in (*ours, *theirs))


def _component(ours: list[str], theirs: list[str], *, cut: bool, surname: bool) -> _Fit:
    if not ours or not theirs:
        return _NOTHING
    target = "<".join(theirs)
    if "<".join(map(fold, ours)) == target and all(word.isascii() and word.isalpha() for word in ours):
        return _Fit(1.0)
    name = letters(ours)
    whole = _whole(name, target, cut=cut, budget=_budget(theirs, 0.3))
    if whole is not None and whole.score >= THRESHOLD:
        return _Fit(whole.score, whole.standards, _cut(whole))
    fit = _by_words(ours, theirs, cut=cut, surname=surname)
    if whole is not None and whole.score > fit.score:
        return _Fit(whole.score, whole.standards, _cut(whole))
    return fit


def _whole(name: Letters, target: str, *, cut: bool, budget: float) -> Alignment | None:
    best: Alignment | None = None
    for one in (name, *name.others):
        for found in (
            align(one, target, budget=budget),
            align(one, target, budget=budget, cut=True) if cut else None,
        ):
            if found is not None and (best is None or found.score > best.score):
                best = found
    return best


def _cut(found: Alignment) -> tuple[Ignored, ...]:
    return (Ignored("truncation"),) if found.cut else ()


def _budget(theirs: Sequence[str], share: float) -> float:
    return 0.5 + share * sum(map(len, theirs))


def _without_titles(found: list[str]) -> tuple[list[str], tuple[str, ...]]:
    kept = [word for word in found if words().get(word.lower()) != "title"]
    gone = tuple(word for word in found if words().get(word.lower()) == "title")
    return (kept, gone) if kept else (found, ())


def _parts(found: list[str]) -> list[_Part]:
    """Words with the particles before them; a particle with nothing after it is a word."""
    parts: list[_Part] = []
    waiting: list[str] = []
    for place, word in enumerate(found):
        if words().get(word.lower()) == "particle" and place + 1 < len(found):
            waiting.append(word)
        else:
            parts.append(_Part(word, letters([word]), tuple(waiting)))
            waiting = []
    return parts


def _one_letter(word: str) -> bool:
    """An initial of an alphabet: one sign of a syllabary or one character is a word."""
    return len(word) == 1 and word < "\u1200"


def _initial(ours: _Part, theirs: _Part) -> bool:
    """One of the two is the first letter of the other."""
    if _one_letter(ours.word) != _one_letter(theirs.word):
        return any(
            spelling[:1] == theirs.word[0] for _, (spelling, _, price) in ours.spelt.edges[0] if price < 0.1
        )
    return False


def _pair(ours: _Part, theirs: _Part, *, cut: bool) -> tuple[float, int, tuple[Ignored, ...]]:
    """How two words fit, with and without what stands before them."""
    best: tuple[float, int, tuple[Ignored, ...]] = (0.0, ANY, ())
    tries = [(ours.spelt, theirs.word, False)]
    if ours.particles or theirs.particles:
        full, whole = letters([*ours.particles, ours.word]), "<".join((*theirs.particles, theirs.word))
        tries = [(full, whole, False), (ours.spelt, theirs.word, True)]
        if ours.particles:
            tries.append((full, theirs.word, False))
        if theirs.particles:
            tries.append((ours.spelt, whole, False))
    for source, target, bare in tries:
        if _one_letter(ours.word) or _one_letter(theirs.word):
            continue
        found = _whole(source, target, cut=cut and len(target) > 2, budget=0.5 + 0.3 * len(target))
        if found is None:
            continue
        note = _cut(found)
        price = 0.0
        if bare and bool(ours.particles) != bool(theirs.particles):
            note += (Ignored("particle", ours.particles or theirs.particles),)
        elif bare:
            price = 0.1  # other particles
        if found.score - price > best[0]:
            best = (found.score - price, found.standards, note)
    if best[0] < THRESHOLD and _initial(ours, theirs):
        return (
            0.95,
            ANY,
            (Ignored("truncation" if cut and len(theirs.word) == 1 else "initial", (ours.word,)),),
        )
    if best[0] < THRESHOLD and len(ours.word) == len(theirs.word) == 1:
        found = _whole(ours.spelt, theirs.word, cut=False, budget=0.5)
        return (found.score, found.standards, ()) if found else best
    return best


def _by_words(ours: list[str], theirs: list[str], *, cut: bool, surname: bool) -> _Fit:
    """Words paired from the best pair on; what is over on one side alone was left out, on both sides is another name."""
    ours, our_titles = _without_titles(ours)
    theirs, their_titles = _without_titles(theirs)
    left, right = _parts(ours), _parts(theirs)
    pairs = sorted(
        (
            (-score, n, m, standard, notes)
            for n, one in enumerate(left)
            for m, other in enumerate(right)
            for score, standard, notes in (_pair(one, other, cut=cut),)
            if score > 0.5
        ),
        key=lambda pair: pair[:3],
    )
    taken: dict[int, int] = {}
    score, standards, ignored = 1.0, ANY, list[Ignored]()
    full = 0  # words that fit by more than an initial
    for minus, n, m, standard, notes in pairs:
        if -minus < THRESHOLD:
            break
        if n in taken or m in taken.values():
            continue
        taken[n] = m
        only = any(one.kind == "initial" for one in notes)
        full += not only
        score = min(score, 1.0 if only else -minus)
        standards &= standard
        ignored += notes
    over = [n for n in range(len(left)) if n not in taken]
    beyond = [m for m in range(len(right)) if m not in taken.values()]
    if not taken or (over and beyond):
        near = -pairs[0][0] if pairs else 0.0
        share = len(taken) / max(len(left), len(right))
        return _Fit(min(0.8, max(near, 0.5)) * max(share, 0.5) if pairs else 0.0, standards, (), len(taken))
    missing = [left[n].word for n in over] or [right[m].word for m in beyond]
    if missing:
        first = (over and over[0] == 0) or (beyond and beyond[0] == 0)
        if cut and over and not first:
            ignored.append(Ignored("truncation", tuple(missing)))
        else:
            kind: Kind = "surname-part" if surname else "first-name" if first else "middle-name"
            ignored.append(Ignored(kind, tuple(missing)))
    order = [taken[n] for n in sorted(taken)]
    if order != sorted(order):
        ignored.append(Ignored("order"))
    if not full:
        ignored = [Ignored("only-initial", one.words) if one.kind == "initial" else one for one in ignored]
    if our_titles or their_titles:
        ignored.append(Ignored("title", our_titles or their_titles))
    return _Fit(score, standards, tuple(ignored), len(taken))
