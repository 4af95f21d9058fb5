"""Which of the languages that a source declares an advertisement is written in.

By script first, for most scripts here spell one language. Where a script spells several (Latin, Cyrillic, Arabic),
by letters that only some of them have (қ, ў, ợ, ß), by stop words and frequent words of advertisements, by ends of
words: all from data/languages.toml and data/stopwords.toml.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from landbridge.find.analysis import languages, primary, script, stop_words

_LOOKED_AT = 400  # characters: some sixty words
_WORD = re.compile(r"[^\W\d_]+")
_UZBEK_MARK = re.compile(
    "(?<=[oOgG])['‘’`ʻʼ]"
)  # oʻ and gʻ are letters, in whichever apostrophe they are typed
_LATIN_AMONG_OTHERS = (
    3  # Java-разработчик is Russian: a letter of another script outweighs so many Latin ones
)
_STRANGE = 3, 0.04  # so many letters, and this share of all, that a language has not: it is another
_SHAPE = 0.4  # the end of a word, against a whole word as 1
_FOREIGN = 2.0  # a letter that a language has not, against one that it has as 1
_EXPECTED = (
    {"Cyrl": 0.06},
    0.03,
)  # the share that letters not all languages of a script have take up in those that do
_LEAD, _LEAD_SHARE = 0.5, 0.15  # of the best over the second, in points and as a share of its own


class _Clues(NamedTuple):
    """What the languages of one script are told apart by."""

    codes: tuple[str, ...]
    words: dict[str, frozenset[str]]  # whose they are; none that all of them have
    shapes: dict[str, frozenset[str]]
    letters: dict[str, frozenset[str]]
    lengths: tuple[int, ...]  # of the shapes
    lettered: frozenset[str]  # languages with letters that not all of them have
    expected: float  # their share
    told_apart: bool  # else the first is the usual one of its script


def detect(text: str, candidates: Sequence[str]) -> str:
    """The one of `candidates` that the text is in, as it was given; "" when it cannot be said.

    A text in a script, or with letters, that none of the candidates has is in another language: then the code of
    that one, where it can be told from all that Landbridge knows, else "".
    """
    given = {primary(candidate): candidate for candidate in reversed(candidates)}
    text = unicodedata.normalize("NFC", text[:_LOOKED_AT]).lower()
    if "uz" in given or not given:
        text = _UZBEK_MARK.sub("", text)
    written, words = _main_script(_WORD.findall(text))
    if not written:
        return ""
    clues = _clues(written)
    letters = {letter: text.count(letter) for letter in set(text) if letter in clues.letters}
    total = sum(map(len, words))
    fitting = tuple(
        code for code in clues.codes if code in given and not _strange(letters, total, code, clues)
    )
    code = _likeliest(words, letters, total, _clues(written, fitting))
    return given.get(code, code)


@cache
def _script(letter: str) -> str:
    return script(letter)


def _main_script(words: list[str]) -> tuple[str, list[str]]:
    """The script of most letters, and the words in it."""
    if "".join(words).isascii():
        return "Latn" if words else "", words
    scripts = [_script(word[0]) for word in words]
    if len(set(scripts)) == 1:
        return scripts[0], words
    weights: Counter[str] = Counter()
    for word, written in zip(words, scripts, strict=True):
        weights[written] += len(word) if written == "Latn" else len(word) * _LATIN_AMONG_OTHERS
    if "Kana" in weights:
        weights["Kana"] += weights.pop("Hani", 0)  # Japanese: no other language mixes them
    written = max(weights, key=weights.__getitem__)
    return written, [word for word, its in zip(words, scripts, strict=True) if its == written]


def _strange(letters: dict[str, int], total: int, code: str, clues: _Clues) -> bool:
    """Whether a text has letters that the language has not, more than a name or two bring in."""
    count = sum(number for letter, number in letters.items() if code not in clues.letters[letter])
    return count >= _STRANGE[0] and count >= _STRANGE[1] * total


def _likeliest(words: list[str], letters: dict[str, int], total: int, clues: _Clues) -> str:
    if len(clues.codes) == 1:
        return clues.codes[0]
    scores = dict.fromkeys(clues.codes, 0.0)

    def weigh(evidence: Iterable[tuple[frozenset[str] | None, float]]) -> str:
        for codes, weight in evidence:
            for code in codes or ():
                scores[code] += weight / len(codes or ())
        best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
        lead = scores[best] - scores[second]
        return best if lead >= max(_LEAD, _LEAD_SHARE * scores[best]) else ""

    for letter, number in letters.items():
        having = clues.letters.get(letter, frozenset())
        for code in clues.codes:
            scores[code] += number / len(having) if code in having else -_FOREIGN * number
    for code in clues.codes:
        if code in clues.lettered and not any(code in clues.letters.get(letter, ()) for letter in letters):
            scores[code] -= min(total * clues.expected, 2.0)
    best = weigh(Counter(map(clues.words.get, words)).items())
    if not best:
        ends = [word for word in words if len(word) > 4 and word not in clues.words]
        best = weigh(
            [(clues.shapes.get(word[-length:]), _SHAPE) for word in ends for length in clues.lengths]
        )
    return best or ("" if clues.told_apart else clues.codes[0])


@cache
def _clues(written: str, among: tuple[str, ...] = ()) -> _Clues:
    known = {
        code: language
        for code, language in languages().items()
        if written in language.script and (not among or code in among)
    }

    def whose(evidence: dict[str, Iterable[str]]) -> dict[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for code, pieces in evidence.items():
            for piece in pieces:
                if _script(piece[0]) == written:
                    found[piece].add(code)
        return {piece: frozenset(codes) for piece, codes in found.items() if len(codes) < len(known)}

    letters = whose({code: language.letters for code, language in known.items()})
    shapes = whose({code: language.shapes.split() for code, language in known.items()})
    return _Clues(
        codes=tuple(known),
        words=whose(
            {code: {*language.common.split(), *stop_words(code)} for code, language in known.items()}
        ),
        shapes=shapes,
        letters=letters,
        lettered=frozenset(code for codes in letters.values() for code in codes),
        expected=_EXPECTED[0].get(written, _EXPECTED[1]),
        told_apart=written in ("Latn", "Cyrl"),
        lengths=tuple(sorted(set(map(len, shapes)), reverse=True)),
    )
