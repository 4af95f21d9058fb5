"""Text into search terms, per language and the same for every engine.

Both sides of a search come here. A text becomes `tokens`: words folded, without stop words, stemmed where Snowball
or a table of endings (data/languages.toml) knows how. Both engines index them joined by spaces. A query becomes
`query_tokens`: per position the terms it may have in the languages asked, for nobody says in which language a
query is.

Scripts written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) are indexed as overlapping pairs of units
(a character; a consonant with its signs; a syllable), so that whatever stands in a text is found by it: no two
segmentations need to agree. A query is cut into words first, and each word asks for its pairs.

Refused: words alone for these scripts (a title that holds the query is missed where its neighbours draw the cut
elsewhere: 前端 found 15 of 40 titles); ICU folding as in Lucene (it strips Thai and Khmer vowels).
"""

import re
import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate, groupby, pairwise
from typing import Any, NamedTuple

import msgspec
import Stemmer

_LONGEST = 64  # letters of a term; what is longer is no word, and its head finds it
_REMEMBERED = 1 << 16  # words a language remembers, about 16 MB at most; then it begins anew


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language of data/languages.toml, where the keys are explained."""

    script: tuple[str, ...] = ()
    stemmer: str = ""
    endings: dict[str, str] = {}
    layers: int = 1
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    latin: dict[str, str] = {}
    letters: str = ""
    common: str = ""
    shapes: str = ""


# Characters

_SPACELESS = {  # ISO 15924: its letters, and the language whose words they spell
    "Hani": ("\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff", "zh"),
    "Kana": ("\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff", "ja"),
    "Thai": ("\u0e01-\u0e2e\u0e30-\u0e3a\u0e40-\u0e45\u0e47-\u0e4e", "th"),
    "Laoo": ("\u0e81-\u0ec4\u0ec8-\u0ecd\u0edc-\u0edf", "lo"),
    "Mymr": ("\u1000-\u103f\u104c-\u104f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f", "my"),
    "Khmr": ("\u1780-\u17d3\u17dd", "km"),
}  # fmt: skip
_RUN = "".join(letters for letters, _ in _SPACELESS.values())
# whole blocks, so that their punctuation and repeat marks (ๆ ៗ) are no words; their digits are
_BLOCKS = (
    "\u0e00-\u0e4f\u0e5a-\u0ecf\u0edc-\u0eff\u1000-\u103f\u104a-\u108f\u109a-\u109f\u1780-\u17df\u2e80-\u2fdf"
    "\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ef\ua9fa-\ua9fe"
    "\uaa60-\uaa7f\uf900-\ufaff\U00020000-\U0003ffff"
)
# marks inside words, which \w leaves out: Latin and Cyrillic, Armenian intonation, Hebrew, Arabic, Indic
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u055b\u055c\u055e\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0971-\u0dff\u1ab0-\u1aff"
)
# soft hyphen, joiners, zero-width spaces, direction marks, variation selectors, tags
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
)
_SCRIPTS = (  # first characters of blocks in order; what no language here is written in counts as the block before
    ("\u0000", "Latn"), ("\u0370", "Grek"), ("\u0400", "Cyrl"), ("\u0530", "Armn"), ("\u0590", "Hebr"),
    ("\u0600", "Arab"), ("\u0900", "Deva"), ("\u0980", "Beng"), ("\u0a00", "Guru"), ("\u0a80", "Gujr"),
    ("\u0b00", "Orya"), ("\u0b80", "Taml"), ("\u0c00", "Telu"), ("\u0c80", "Knda"), ("\u0d00", "Mlym"),
    ("\u0d80", "Sinh"), ("\u0e00", "Thai"), ("\u0e80", "Laoo"), ("\u0f00", "Tibt"), ("\u1000", "Mymr"),
    ("\u10a0", "Geor"), ("\u1100", "Hang"), ("\u1200", "Ethi"), ("\u1780", "Khmr"), ("\u1800", "Mong"),
    ("\u1c80", "Cyrl"), ("\u1c90", "Geor"), ("\u1e00", "Latn"), ("\u1f00", "Grek"), ("\u2000", "Latn"),
    ("\u2de0", "Cyrl"), ("\u2e80", "Hani"), ("\u3040", "Kana"), ("\u3100", "Hani"), ("\u3130", "Hang"),
    ("\u3190", "Hani"), ("\u31f0", "Kana"), ("\u3200", "Hani"), ("\ua640", "Cyrl"), ("\ua700", "Latn"), ("\ua980", "Mymr"), ("\uac00", "Hang"),
    ("\uf900", "Hani"), ("\ufb00", "Latn"), ("\ufb1d", "Hebr"), ("\ufb50", "Arab"), ("\uff00", "Latn"),
    ("\U00020000", "Hani"),
)  # fmt: skip
_BLOCK_STARTS = [start for start, _ in _SCRIPTS]

_LETTERS = rf"(?:[^\W_{_BLOCKS}]+[{_MARKS}]*)+"
_NUMBER = r"\d++(?:[.,]\d++)++(?!\w)"
# A word keeps its inner apostrophes, hyphens, dots and ampersands (e-mail, Node.js, R&D), C++ and C# their signs,
# .NET its dot.
_WORD = re.compile(rf"{_NUMBER}|\.?{_LETTERS}(?:['’‘`.&‐‑-]{_LETTERS})*+(?:\+\+|\#)?|[{_RUN}]+")
_PART = re.compile(rf"{_NUMBER}|{_LETTERS}(?:['’‘`]{_LETTERS})*+(?:\+\+|\#)?")
# The units. Each is decided by its own characters and the one after it, never by what stands before, so that a
# word has the same units alone and inside a text. Thai, Lao: leading vowel, consonant, signs, following vowel.
# Khmer: consonant, subscripts, signs (the Khmer character cluster). Myanmar: a consonant opens a syllable unless
# it is killed or stacked (sylbreak, Ye Kyaw Thu 2017; Unicode Technical Note 11). Else a character.
_UNIT = re.compile(
    "[\u0e40-\u0e44]?[\u0e01-\u0e2e][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]*[\u0e30\u0e32\u0e33\u0e45]*"
    "|[\u0ec0-\u0ec4]?[\u0e81-\u0eae\u0edc-\u0edf][\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd]*[\u0eb0\u0eb2\u0eb3\u0ebd]*"
    "|[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17d3\u17dd])*"
    "|[\u1000-\u102a\u103f\u104c-\u104f\u1050-\u1055](?:\u1039[\u1000-\u1021]"
    "|[\u102b-\u1038\u103a-\u103e\u1056-\u1059\u105e-\u1060]|[\u1000-\u1021](?=[\u1039\u103a]))*"
    "|."
)
_OPEN = re.compile("[\u0e31\u0e47\u0eb1\u0ebb]")  # signs that need a final consonant: no word ends on them

_IGNORED = re.compile(f"[{_IGNORABLE}]+")
_SARA_AM = re.compile("([\u0e4d\u0ecd])([\u0e48-\u0e4b\u0ec8-\u0ecb]?)([\u0e32\u0eb2])")
# a letter with all that can change with it; then words; then all there is: the first that adds up is taken
_PIECES = (
    re.compile(
        f".(?:[{_MARKS}{_IGNORABLE}\u0e31-\u0e4e\u0eb1-\u0ece\u1100-\u11ff\u3099\u309a]|(?<=ຫ)[ນມ])*",
        re.DOTALL,
    ),
    re.compile(r"\s+|\S+"),
    re.compile(".+", re.DOTALL),
)

_DIGIT = re.compile(r"(?![0-9])\d")
_UNPOINTED = re.compile(
    "(?<=[a-z\u0180-\u02af\u0370-\u03ff])[\u0300-\u036f]+"  # Latin, Greek: é, ợ, ά
    "|(?<=е)\u0308"  # ё, but neither й nor ї
    "|(?<=[аеиоуыэюяіє])[\u0300\u0301]"  # the stress of dictionaries, but neither ќ nor ѓ
    "|[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640]"  # Hebrew points, Arabic vowels, kashida
    "|[\u055b\u055c\u055e]"  # Armenian intonation
)
_BARE = str.maketrans(
    dict(zip("øłđðħıŋŧ", "oldd" + "hint", strict=True))
    | {"æ": "ae", "œ": "oe", "þ": "th"}
    | dict(zip("ىیةکٱ", "يي" + "هكا", strict=True))
    | dict.fromkeys("ʻʼʹʾʿ’‘`", "'")
)
_CYRILLIC_TWINS, _LATIN_TWINS = "авсекмнорстухіј", "abcekmhopctyxij"
_TWINS = (
    (re.compile(f"(?:[{_CYRILLIC_TWINS}]|[^а-ӿ])+"), str.maketrans(_CYRILLIC_TWINS, _LATIN_TWINS)),
    (re.compile(f"(?:[{_LATIN_TWINS}]|[^a-z])+"), str.maketrans(_LATIN_TWINS, _CYRILLIC_TWINS)),
)
_TO_LATIN = str.maketrans("АВСЕНКМОРТХІЈ", "ABCEHKMOPTXIJ")
_LATIN_BESIDE_CYRILLIC = re.compile("[a-z][^a-z]*[а-ӿ]|[а-ӿ][^а-ӿ]*[a-z]")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|un|(?:d|n|s)?(?:all|ell|ull))'(?=.)")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:[.,]|$))")
_ALIASES = {"nb": "no", "nn": "no", "tl": "fil", "iw": "he", "in": "id"}


# The door


class _Term(NamedTuple):
    text: str  # "" for a stop word
    start: int
    end: int
    aside: bool = False  # another way to say what stands there


def tokens(text: str, language: str) -> list[str]:
    """The terms to index: in their order, then, once each, other ways to say them.

    The others are compounds in one word (frontend for front-end) and, in scripts without spaces, words and single
    units. Stop words are left out, but a text of stop words alone keeps them.
    """
    text = _normal(text)
    line, others = _entries(text, primary(language))
    return line + list(dict.fromkeys(others))


def spans(text: str, language: str) -> list[tuple[str, int, int]]:
    """Every place of every term of `tokens`: (term, start, end), in characters of the text as it is given.

    Places overlap (the pairs of a script without spaces, a compound and its parts): who marks them merges them.
    """
    normal = _normal(text)
    starts, ends = _origins(text, normal)
    for keep in (False, True):
        analyser = _analyser(primary(language), keep=keep)
        found = [
            (term.text, starts[word.start() + term.start], ends[word.start() + term.end - 1])
            for word in _WORD.finditer(normal)
            for term in analyser.terms(word.group())
            if term.text
        ]
        if found:
            return found
    return []


def query_tokens(text: str, languages: Sequence[str]) -> list[list[str]]:
    """Per position of a query, the terms that meet it in any of `languages`; each position must be met.

    A stop word of any of them is dropped, for where it is one it is not indexed. A query of stop words alone is
    kept whole: it finds texts of stop words alone, and most often nothing. Quotation marks and minus signs are
    the caller's affair.
    """
    text = _normal(text)
    codes = list(dict.fromkeys(map(primary, languages))) or [""]
    analysers = [_analyser(code, keep=False) for code in codes]
    positions: list[list[str]] = []
    dropped: list[list[str]] = []
    for number, word in enumerate(_WORD.findall(text)):
        if _spaceless(word):
            asked: Iterable[tuple[list[str], bool]] = _asked_of_run(word)
        else:
            # capitals mean an abbreviation, but not in a query all in capitals, nor in its first letter
            plain = text.isupper() or (number == 0 and len(word) == 1)
            asked = _asked_of_word(word.lower() if plain else word, analysers)
        for terms, stop in asked:
            (dropped if stop else positions).append(terms)
    return positions or dropped


def phrase_tokens(text: str, languages: Sequence[str]) -> list[list[str]]:
    """The ways a phrase may stand in an index, one for each of `languages` that writes it differently.

    Each is a run of adjacent terms; the phrase is found where any of them is.
    """
    text = _normal(text)
    codes = dict.fromkeys(map(primary, languages)) or [""]
    ways = dict.fromkeys(tuple(_entries(text, code)[0]) for code in codes)
    return [list(way) for way in ways if way]


def fold(text: str) -> str:
    """The text as it is compared: compatibility forms, small letters, no accents of Latin, Greek or Arabic, ё as е.

    й, Kazakh and other letters stay; so do all marks of Thai, Lao, Khmer, Myanmar and Indic scripts.
    """
    return _bare(_normal(text))


def script(letter: str) -> str:
    """The ISO 15924 code of a letter's script, Latn for what has none."""
    return _SCRIPTS[bisect_right(_BLOCK_STARTS, letter) - 1][1]


def primary(language: str) -> str:
    """The language that a BCP 47 tag names, by the code Landbridge knows it by: nb-NO is no, tl is fil."""
    code = language.replace("_", "-").partition("-")[0].lower()
    return _ALIASES.get(code, code)


@cache
def languages() -> dict[str, Language]:
    """What data/languages.toml says, by code."""
    return msgspec.convert(_data("languages.toml"), dict[str, Language])


@cache
def stop_words(code: str) -> frozenset[str]:
    """The stop words of a language as they are written."""
    return frozenset(str(_stop_lists().get(code, "")).split())


# Text


def _normal(text: str) -> str:
    """NFKC without ignorable characters, except that Thai and Lao keep their composed vowels and letters."""
    if text.isascii():
        return text
    text = _IGNORED.sub("", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text.replace("´", "'"))
    if "\u0e4d" in text or "\u0ecd" in text:
        text = _SARA_AM.sub(lambda am: am[2] + ("\u0e33" if am[3] == "\u0e32" else "\u0eb3"), text)
    if "ຫ" in text:
        text = text.replace("ຫນ", "ໜ").replace("ຫມ", "ໝ")
    return text


def _bare(text: str) -> str:
    """`fold` of a normal text."""
    text = text.casefold()
    if text.isascii():
        return text
    text = _UNPOINTED.sub("", unicodedata.normalize("NFD", text)).translate(_BARE)
    return _normal(_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text))


def _origins(text: str, normal: str) -> tuple[Sequence[int], Sequence[int]]:
    """For each character of `normal`, where the piece of `text` that it comes from starts and ends."""
    if text == normal:
        return range(len(text)), range(1, len(text) + 1)
    found: list[tuple[str, int, int]] = []
    for pieces in _PIECES:
        found = [(_normal(piece.group()), *piece.span()) for piece in pieces.finditer(text)]
        if "".join(piece for piece, _, _ in found) == normal:
            break
    return (
        [start for piece, start, _ in found for _ in piece],
        [end for piece, _, end in found for _ in piece],
    )


def _entries(text: str, code: str) -> tuple[list[str], list[str]]:
    """The terms of a normal text in their order, and those aside."""
    words = _WORD.findall(text)
    for keep in (False, True):
        analyser = _analyser(code, keep=keep)
        entries = [analyser[word] for word in words]
        joined = " ".join(entries)
        if "\t" not in joined:
            if line := joined.split():
                return line, []
            continue
        line, others = [], []
        for entry in entries:
            terms, _, aside = entry.partition("\t")
            line += terms.split()
            others += aside.split()
        return line, others
    return [], []


# Words


class _Analyser(dict[str, str]):
    """The terms of words in one language: word → its terms joined by spaces, after a tab those aside."""

    def __init__(self, code: str, *, keep: bool) -> None:
        super().__init__()
        self.code = code
        self.keep = keep  # stop words

    def __missing__(self, word: str) -> str:
        if _spaceless(word):  # never the same twice: not remembered
            line, others = _places_in_run(word, keep=self.keep)
            return " ".join([word[a:b] for a, b in line]) + "\t" + " ".join([word[a:b] for a, b in others])
        terms = self.terms(word)
        entry = " ".join([term.text for term in terms if not term.aside])
        if aside := " ".join([term.text for term in terms if term.aside]):
            entry += "\t" + aside
        if len(word) <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[word] = entry
        return entry

    def terms(self, word: str) -> list[_Term]:
        """The terms of one match of _WORD; places are within the word."""
        if _spaceless(word):
            line, aside = _places_in_run(word, keep=self.keep)
            return [_Term(word[a:b], a, b) for a, b in line] + [
                _Term(word[a:b], a, b, True) for a, b in aside
            ]
        terms = [_Term(self.term(part.group()), *part.span()) for part in _PART.finditer(word)]
        if joined := _joined(word):
            terms.append(_Term(self.term(joined), 0, len(word), True))
        if word[-4:].casefold() == ".net":  # and ASP.NET
            terms.append(_Term("dotnet", len(word) - 4, len(word), True))
        return terms

    def term(self, part: str) -> str:
        """One word as it is indexed, "" for a stop word."""
        part = part[:_LONGEST]
        if len(part) <= 2 and part.isupper():
            part = part.translate(_TO_LATIN)  # category С, СЕ, В, ТО
        word = _bare(part)
        if not word[-1:].isdecimal() or not ("." in word or "," in word):
            word = _plain(word, self.code)
            code = _spoken(word, self.code)
            abbreviation = len(part) <= 3 and part.isupper()  # IT, US, OR; категория С
            if not self.keep and not abbreviation and word in _bare_stop_words(code):
                return ""
            return _stem(code)(word)[:_LONGEST]
        return _THOUSANDS.sub("", word).replace(",", ".")[:_LONGEST]


@cache
def _analyser(code: str, *, keep: bool) -> _Analyser:
    return _Analyser(code, keep=keep)


def _joined(word: str) -> str:
    """A compound in one word (wifi, email, nodejs, rd), "" where the word is none.

    Only where a part is short: веб-разработчик is also written in one word, инженер-конструктор is not.
    """
    parts = _PART.findall(word)
    if not 2 <= len(parts) <= 3 or min(map(len, parts)) > 4 or all(part[0].isdecimal() for part in parts):
        return ""
    return "".join(parts)


def _asked_of_word(word: str, analysers: Sequence[_Analyser]) -> Iterator[tuple[list[str], bool]]:
    """For each part of a word, the terms that meet it, and whether it is a stop word in any language."""
    if word.casefold() == ".net":
        yield ["dotnet"], False
        return
    joined = _joined(word)
    whole = [analyser.term(joined) for analyser in analysers] if joined else []
    for part in _PART.findall(word):
        terms = [analyser.term(part) for analyser in analysers]
        stop = not all(terms)
        if stop:
            terms = [_analyser(analyser.code, keep=True).term(part) for analyser in analysers]
        if met := list(dict.fromkeys(filter(None, terms + whole))):  # a lone apostrophe is nothing
            yield met, stop


def _plain(word: str, code: str) -> str:
    """A bare word without apostrophes, and without letters of another script that only look like its own."""
    if "'" in word:
        if code in ("fr", "it", "ca"):
            word = _ELISION.sub("", word, count=1)
        word = word.removesuffix("'s").replace("'", "")
    if word.isascii() or (word.isalpha() and not _LATIN_BESIDE_CYRILLIC.search(word)):
        return word
    # 1С and C++ are typed in either script; Cварщик may begin with a Latin letter, дәнекерлеушi end with one
    for only, twins in _TWINS:
        if only.fullmatch(word):
            return word.translate(twins)
    return word


def _spoken(word: str, code: str) -> str:
    """The language to read a word in: the text's own, or the usual one of a script that the text's has not."""
    letter = next(filter(str.isalpha, word), "")
    if not letter:
        return code
    written = script(letter)
    language = languages().get(code)
    if language and written in language.script:
        return code
    return _first_language(written)


@cache
def _first_language(written: str) -> str:
    if written == "Cyrl":
        return "ru"
    return next((code for code, language in languages().items() if language.script[0] == written), "")


@cache
def _stem(code: str) -> Callable[[str], str]:
    language = languages().get(code)
    if language is None:
        return str
    stem: Callable[[str], str] = str
    if language.stemmer:
        stem = Stemmer.Stemmer(language.stemmer, 0).stemWord
    elif language.endings:
        stem = _without_endings(language)
    if code == "vi":
        stem = _foreign_stem
    if not language.latin and not language.before and not language.after:
        return stem
    latin = str.maketrans(language.latin)

    def stem_between(word: str) -> str:
        return _with_end(stem(_with_end(word.translate(latin), language.before)), language.after)

    return stem_between


def _with_end(word: str, ends: dict[str, str]) -> str:
    for end, instead in ends.items():
        if word.endswith(end) and len(word) > len(end) + 1:
            return word.removesuffix(end) + instead
    return word


def _without_endings(language: Language) -> Callable[[str], str]:
    least = {
        ending: int(letters) for letters, endings in language.endings.items() for ending in endings.split()
    }
    lengths = sorted(set(map(len, least)), reverse=True)

    def stem(word: str) -> str:
        for _ in range(language.layers):
            for length in lengths:
                rest = len(word) - length
                if rest >= least.get(word[-length:], len(word) + 1):
                    word = word[:rest]
                    break
            else:
                break
        return word

    return stem


_SYLLABLE = re.compile(
    r"(?:b|ch?|d|gh?|gi|h|kh?|l|m|ngh?|nh?|ph?|qu|r|s|th?|tr|v|x)?[aeiouy]{1,3}(?:ch?|m|ng?|nh|p|t)?"
)


def _foreign_stem(word: str) -> str:
    """A word that can be no (bare) Vietnamese syllable is an English one; half of the titles hold some."""
    return word if _SYLLABLE.fullmatch(word) else _stem("en")(word)


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("landbridge.find") / "data" / name).read_text("utf-8"))


@cache
def _stop_lists() -> dict[str, Any]:
    return _data("stopwords.toml")


@cache
def _bare_stop_words(code: str) -> frozenset[str]:
    return frozenset(_plain(fold(word), code) for word in stop_words(code))


# Runs of scripts without spaces


@cache
def _written(letter: str) -> str:
    """The script of a letter, if it is one without spaces, else ""."""
    return next((code for code, (letters, _) in _SPACELESS.items() if re.match(f"[{letters}]", letter)), "")


def _spaceless(word: str) -> bool:
    return word[0] > "\u0e00" and bool(_written(word[0]))


def _places_in_run(run: str, *, keep: bool) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where the terms of a run stand: its pairs of units, and those aside.

    Aside are single units: every character of Han, syllable of Myanmar and cluster of Khmer may be a word. Those of
    Thai and Lao hardly ever are; there words lift the rank, and with them their first and last unit (ยา at the end
    of ร้านขายยา, but not inside พยาบาล).
    """
    units = [unit.span() for unit in _UNIT.finditer(run)]
    if len(units) == 1:
        return units, []
    pairs = [(start, end) for (start, _), (_, end) in pairwise(units)]
    aside: list[tuple[int, int]] = []
    for written, own in _pieces(run, units):
        if written not in _LEXICONS:
            aside += [(start, end) for start, end in own if end - start > 1 or written == "Hani"]
            continue
        stops: frozenset[str] = frozenset() if keep else stop_words(_SPACELESS[written][1])
        for word in _words(run, own, written):
            start, end = word[0][0], word[-1][1]
            if run[start:end] in stops:
                continue
            aside.append((start, end))
            if len(word) > 1:
                aside += [
                    (first, last)
                    for first, last in (word[0], word[-1])
                    if last - first > 1 and not _OPEN.search(run, first, last)
                ]
    return pairs, aside


def _asked_of_run(run: str) -> Iterator[tuple[list[str], bool]]:
    """For each pair or lone unit of each word of a run, the terms that meet it, and whether the word is a stop word."""
    units = [unit.span() for unit in _UNIT.finditer(run)]
    first = 0
    for written, piece in _pieces(run, units):
        for own in _words(run, piece, written):
            after = first + len(own)
            word = run[own[0][0] : own[-1][1]]
            stop = word in stop_words(_SPACELESS[written][1])
            if len(own) == 1:
                # as a word, or as it stands here: with the unit before it or after it
                beside = units[max(first - 1, 0) : after + 1]
                yield [word, *(run[one[0] : two[1]] for one, two in pairwise(beside))], stop
            for number, (one, two) in enumerate(pairwise(own)):
                pair = run[one[0] : two[1]]
                lifted = number == 0 and len(own) > 2 and written in _LEXICONS
                yield [pair, word] if lifted else [pair], stop
            first = after


def _pieces(run: str, units: Sequence[tuple[int, int]]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """A run's units, script by script."""
    for written, own in groupby(units, lambda unit: _written(run[unit[0]])):
        yield written, list(own)


def _words(run: str, units: list[tuple[int, int]], written: str) -> list[list[tuple[int, int]]]:
    """The units of a piece, word by word; all together where no words are known."""
    if len(units) < 2:
        return [units]
    if written in _LEXICONS:
        return _fewest_words(run, units, _lexicon(written))
    if written not in ("Hani", "Khmr"):
        return [units]
    start, end = units[0][0], units[-1][1]
    words = list(_segmenter(written)(run[start:end]))
    if "".join(words) != run[start:end]:  # it has changed letters: its places are not ours
        return [units]
    ends = set(accumulate(map(len, words), initial=start))
    found: list[list[tuple[int, int]]] = [[]]
    for unit in units:
        if found[-1] and not ends.isdisjoint(range(found[-1][-1][0] + 1, unit[0] + 1)):
            found.append([])
        found[-1].append(unit)
    return found


_UNKNOWN = 10  # words that a unit outside every word counts as


def _fewest_words(
    run: str, units: list[tuple[int, int]], lexicon: dict[str, bool]
) -> list[list[tuple[int, int]]]:
    """Maximal matching (as pythainlp's newmm, on our units): fewest unknown units, then fewest words."""
    count = len(units)
    costs = [0] + [_UNKNOWN * count + count] * count
    came = [0] * (count + 1)
    for at in range(count):
        cost, start = costs[at], units[at][0]
        if cost + _UNKNOWN < costs[at + 1]:
            costs[at + 1], came[at + 1] = cost + _UNKNOWN, at
        for after in range(at + 1, count + 1):
            is_word = lexicon.get(run[start : units[after - 1][1]])
            if is_word is None:
                break
            if is_word and cost + 1 < costs[after]:
                costs[after], came[after] = cost + 1, at
    backwards: list[list[tuple[int, int]]] = []
    after, unknown = count, False
    while after:
        at = came[after]
        was_unknown, unknown = unknown, costs[after] - costs[at] == _UNKNOWN
        if was_unknown and unknown:
            backwards[-1].append(units[at])  # unknown units side by side are one word: a name
        else:
            backwards.append(units[at:after][::-1])
        after = at
    return [word[::-1] for word in reversed(backwards)]


# Word lists and segmenters are imported when a text first asks for one: together they take 1.5 s and 200 MB, and
# most instances meet none of these scripts.


def _thai_words() -> Iterable[str]:
    from pythainlp.corpus import thai_words

    return thai_words()  # type: ignore[no-any-return]


def _lao_words() -> Iterable[str]:
    from laonlp.corpus import lao_words

    return lao_words()  # type: ignore[no-any-return]


_LEXICONS: dict[str, Callable[[], Iterable[str]]] = {"Thai": _thai_words, "Laoo": _lao_words}


@cache
def _lexicon(written: str) -> dict[str, bool]:
    """Every word of a list and every beginning of one, by whole units; whether it is a word."""
    lexicon: dict[str, bool] = {}
    for word in map(_normal, _LEXICONS[written]()):
        ends = [unit.end() for unit in _UNIT.finditer(word)]
        for end in ends[:-1]:
            lexicon.setdefault(word[:end], False)
        lexicon[word] = True
    return lexicon


@cache
def _segmenter(written: str) -> Callable[[str], Iterable[str]]:
    if written == "Hani":
        import rjieba

        return rjieba.cut
    import logging

    from khmernltk import word_tokenize

    logging.getLogger("khmer-nltk").setLevel(logging.WARNING)  # it reports the file it loads
    return word_tokenize  # type: ignore[no-any-return]
