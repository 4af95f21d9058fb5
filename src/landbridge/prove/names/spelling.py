"""How a name may be spelt in Latin letters: every letter with its spellings, from the tables of the standards.

ICAO Doc 9303-3 section 6 is the first of them; the others are the laws and habits of the states that issue passports.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

Spelling = tuple[str, int, float]
"""Latin letters, the standards that write so (bits of `standards()`), the price (a wrong letter costs 1)."""

Edge = tuple[int, Spelling]
"""Letters taken, and what may be written for them."""

ANY = -1  # every standard
_LONGEST = 6  # letters a row of the tables may have
_HABIT = 0.05  # the price of a spelling that no standard has
_TABLES = (
    "latin", "cyrillic", "greek", "armenian", "georgian", "arabic", "hebrew", "indic", "southeast", "hangul", "kana",
)  # fmt: skip
_HAN_WORD = 3  # characters a row of readings may have
_DOUBLED = 0.2
EDGE = 1.5  # times the price of a wrong first letter, or vowel at the end: Mario is not Maria
VOWELS = frozenset("AEIOU")
_ETHIOPIC = {
    "HH": ("H",), "X": ("H", "KH"), "SZ": ("S",), "Q": ("K", "Q"), "QH": ("K", "Q"), "TT": ("T",), "CCH": ("CH",),
    "PH": ("P",), "TS": ("TS", "S"), "TZ": ("TS", "S"), "KX": ("H", "KH"), "Y": ("Y", "I"), "NY": ("NY", "GN"),
}  # fmt: skip
_OTHER = 0.35  # a habit of this price changes a vowel: twice as dear at the end of a word
_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
_JOINERS = frozenset("'’ʼ`´‘ʹʻʿʾ′")
_LEADING = re.compile(  # Thai and Lao vowels written before the consonants they follow
    "([เแโใไ])(ห[งญนมยรลว]|[กขคตปผพ][รลว]|[ก-ฮ])|([ເແໂໃໄ])(ຫ[ງຍນມຣລວ]|[ກ-ຮໜໝ])"
)
_TONES = "\u1037\u1038"  # of Burmese: never spelt
_ARTICLE = "ال"
_CARRIER = 0.4  # added for a vowel's letter read as nothing at the beginning of a word
_SILENT = "\u0e4c"  # Thai: what is under it is not spoken
_MARKS = frozenset(("Mn", "Mc", "Me", "Cf", "Lm", "Sk"))


@dataclass(frozen=True, slots=True)
class Letters:
    """A text to be spelt: at each place, what may be written for the letters that start there."""

    text: str
    edges: tuple[tuple[Edge, ...], ...]
    skip: tuple[float, ...]
    """The price of leaving the letter out."""
    vowels: tuple[int, ...]
    """0: vowels are written. 1: short vowels are not (abjads). 2: vowels are free (abugidas)."""
    weight: tuple[int, ...]
    """How many Latin letters it is worth."""
    others: tuple["Letters", ...] = ()
    """The same text read in another language (Han characters)."""


def _rows(name: str) -> list[list[str]]:
    text = (files(__package__) / "tables" / f"{name}.tsv").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def standards() -> dict[str, tuple[int, str]]:
    """Code of a standard → its bit, its title."""
    return {code: (1 << bit, title) for bit, (code, title) in enumerate(_rows("standards"))}


def titles(mask: int) -> tuple[str, ...]:
    """The titles of the standards in `mask`, the first of the list first; empty for every standard and for none."""
    if mask == ANY:
        return ()
    return tuple(title for bit, title in standards().values() if mask & bit)


@cache
def usual() -> int:
    """The bit of no standard but usage: unwritten vowels are spelt by it alone."""
    return standards()["usual"][0]


@cache
def words() -> dict[str, str]:
    """Word, normal → particle, title or none."""
    return {normal(word): kind for kind, line in _rows("words") for word in line.split()}


def _behind(found: re.Match[str]) -> str:
    return "".join(reversed([group for group in found.groups() if group]))


def normal(text: str) -> str:
    """Compatibility forms, case and syllable blocks out of the way: what the tables are keyed by."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    out: list[str] = []
    for letter in _LEADING.sub(_behind, folded):
        if letter == "々" and out:
            out.append(out[-1])
        elif letter in _TONES:
            continue
        elif "가" <= letter <= "힣":
            out.append(unicodedata.normalize("NFD", letter))
        elif "ァ" <= letter <= "ヶ":
            out.append(chr(ord(letter) - 0x60))
        else:
            out.append(letter)
    return "".join(out)


@cache
def _table() -> dict[str, tuple[Spelling, ...]]:
    found: dict[str, dict[str, tuple[int, float]]] = {}
    bits = {code: bit for code, (bit, _) in standards().items()}
    for name in _TABLES:
        rows = _rows(name)
        named = {code for _, _, codes in rows for code in codes.split()} - {"*"}
        # Where `usual` stands beside a standard, as in Arabic, it is one: a way of its own to write the whole name.
        if not any("usual" in codes.split()[1:] for _, _, codes in rows):
            named.discard("usual")
        every = sum(bits[code] for code in named)
        for letters, spellings, codes in rows:
            mask = sum(bits[code] for code in codes.split() if code in named)
            if codes == "*":
                mask = every or ANY
            into = found.setdefault(normal(letters), {})
            for spelling in spellings.split():
                written, _, price = spelling.partition("=")
                written = "" if written == "-" else written
                old, cheap = into.get(written, (0, 9.0))
                into[written] = (
                    old | mask,
                    min(cheap, float(price) if price else _HABIT if codes == "usual" else 0.0),
                )
    return {
        letters: tuple(
            (spelling, mask or ANY, price)
            for spelling, (mask, price) in sorted(spellings.items(), key=lambda pair: pair[1][1])
        )
        for letters, spellings in found.items()
    }


@cache
def _habits() -> dict[str, tuple[Spelling, ...]]:
    found: dict[str, dict[str, float]] = {}
    for price, line in _rows("habits"):
        for one in line.split():
            into = found.setdefault(one.lower(), {})
            for other in line.split():
                if other != one:
                    into[other] = min(float(price), into.get(other, 1.0))
    return {one: tuple((other, ANY, price) for other, price in into.items()) for one, into in found.items()}


def _wade_giles(syllable: str) -> set[str]:
    """Wade-Giles of a pinyin syllable without marks, as Taiwan's passports write it, and its common variants."""
    special = {
        "ZI": {"TZU"}, "CI": {"TZU"}, "SI": {"SZU", "SSU"}, "ZHI": {"CHIH"}, "CHI": {"CHIH"}, "SHI": {"SHIH"},
        "RI": {"JIH"}, "YI": {"I", "YI"}, "YAN": {"YEN"}, "YE": {"YEH"}, "YOU": {"YU"}, "YONG": {"YUNG"},
        "ER": {"ERH"}, "E": {"O"}, "WEN": {"WEN", "WUN"}, "YING": {"YING", "ING"},
    }  # fmt: skip
    if syllable in special:
        return special[syllable]
    for pinyin, wade in (
        ("ZH", "CH"), ("CH", "CH"), ("SH", "SH"), ("B", "P"), ("P", "P"), ("D", "T"), ("T", "T"), ("G", "K"),
        ("K", "K"), ("J", "CH"), ("Q", "CH"), ("X", "HS"), ("R", "J"), ("Z", "TS"), ("C", "TS"), ("", ""),
    ):  # fmt: skip
        if syllable.startswith(pinyin):
            initial, final = wade, syllable[len(pinyin) :]
            break
    final = {"IE": "IEH", "UE": "UEH", "VE": "UEH", "V": "U"}.get(final, final)
    final = final.replace("ONG", "UNG").replace("IAN", "IEN") if final != "IANG" else final
    if final == "E":
        final = "O" if initial in ("K", "H") else "E"
    if initial in ("K",) and final == "UI":
        final = "UEI"
    found = {initial + final}
    if final == "UO":
        found.add(initial + "O")
    return found


def _hong_kong(syllable: str) -> set[str]:
    """Spellings of a Jyutping syllable in Hong Kong and Macao."""
    initials = {
        "NG": ("NG", ""), "GW": ("KW", "GW"), "KW": ("KW",), "G": ("K", "G"), "K": ("K",), "Z": ("CH", "TS", "J"),
        "C": ("CH", "TS"), "J": ("Y",), "D": ("T", "D"), "T": ("T",), "B": ("P", "B"), "P": ("P",),
    }  # fmt: skip
    finals = {
        "AA": ("A", "AH"), "AAI": ("AI",), "AAU": ("AU", "AAU"), "AAM": ("AM",), "AAN": ("AN",), "AANG": ("ANG",),
        "AAP": ("AP",), "AAT": ("AT",), "AAK": ("AK",), "AM": ("AM", "UM"), "AN": ("AN", "UN"), "AT": ("AT", "UT"),
        "AP": ("AP", "UP"), "E": ("E", "EH"), "EI": ("EI", "I", "AY", "EE"), "I": ("I", "EE", "ZE", "IE"),
        "IU": ("IU", "EW"), "O": ("O", "OH"), "OI": ("OI", "OY"), "OU": ("O", "OU", "U"), "U": ("U", "OO"),
        "UI": ("UI",), "OENG": ("EUNG", "EONG"), "OEK": ("EUK",), "EON": ("UN", "EUN"), "EOT": ("UT",),
        "EOI": ("UI", "OI", "EUI"), "YU": ("U", "UE", "YU"), "YUN": ("UEN", "UN", "YUEN"), "YUT": ("UT", "UET", "YUT"),
        "AK": ("AK",), "ANG": ("ANG",), "UNG": ("UNG",), "UN": ("UN", "OON"),
    }  # fmt: skip
    for initial in sorted((*initials, "F", "H", "L", "M", "N", "S", "W", ""), key=len, reverse=True):
        if syllable.startswith(initial):
            break
    final = syllable[len(initial) :]
    if not final:
        return {"NG"} if syllable == "NG" else {syllable}
    found = {
        one + other for one in initials.get(initial, (initial,)) for other in finals.get(final, (final,))
    } | ({"Y" + final[1:]} if initial == "J" and final.startswith("YU") else set())
    if initial == "J":
        found |= {spelt.replace("YY", "Y", 1) for spelt in found} | ({"YEE", "YI"} if final == "I" else set())
    return found


def _voiced(reading: str) -> set[str]:
    """A Japanese reading as the later part of a word: its first consonant voiced (rendaku)."""
    for plain, voiced in (("CH", "J"), ("SH", "J"), ("TS", "Z"), ("K", "G"), ("S", "Z"), ("T", "D"), ("H", "B"),
                          ("F", "B")):  # fmt: skip
        if reading.startswith(plain):
            return {voiced + reading[len(plain) :]}
    return set()


@cache
def _han() -> dict[str, dict[str, tuple[Spelling, ...]]]:
    """zh, ko, ja → characters → spellings. zh has pinyin first, then Taiwan's, Hong Kong's and South-East Asia's."""
    bits = {code: bit for code, (bit, _) in standards().items()}
    every: dict[str, dict[str, dict[str, int]]] = {"zh": {}, "ko": {}, "ja": {}}

    def add(characters: Iterable[str], spellings: set[str], bit: int, language: str = "zh") -> None:
        for character in characters:
            into = every[language].setdefault(character, {})
            for spelling in spellings:
                into[spelling] = into.get(spelling, 0) | bit

    for language, syllable, characters in _rows("han"):
        if language == "zh":
            add(characters, {syllable.replace("V", other) for other in ("U", "YU", "V")[: 3 if "V" in syllable else 1]},
                bits["pinyin"])  # fmt: skip
            add(characters, _wade_giles(syllable), bits["wade"])
        elif language == "yue":
            add(characters, _hong_kong(syllable), bits["hk"])
        elif language == "ko":
            add(characters, {spelling for spelling in _syllable(syllable) if spelling}, bits["ko"], "ko")
        else:
            short = syllable.replace("OU", "O").replace("UU", "U").replace("OO", "O")
            stem = {short[:-1]} if short.endswith("I") and len(short) > 2 else set()  # takai: taka
            add(characters, {syllable, short, *_voiced(short), *stem}, bits["ja"], "ja")
    for characters, readings in _rows("japanese"):
        for reading in readings.split():
            add(characters.split(), {reading, *_voiced(reading)}, bits["ja"], "ja")
    for characters, spellings, code in _rows("surnames"):
        anywhere = bits[code] | bits["pinyin"] | bits["wade"] | bits["hk"]
        add(characters.split(), set(spellings.split()), anywhere)
    return {
        language: {
            character: tuple((spelling, mask, 0.0) for spelling, mask in into.items())
            for character, into in some.items()
        }
        for language, some in every.items()
    }


def _syllable(hangul: str) -> set[str]:
    """Spellings of one syllable: its row, or its letters by the Revised Romanization."""
    jamo = normal(hangul)
    found = {spelling for spelling, _, _ in _table().get(jamo, ())}
    plain = "".join(_table()[letter][0][0] for letter in jamo)
    return found | {plain}


def _vowels(letter: str) -> int:
    code = ord(letter)
    if 0x0590 <= code <= 0x08FF:
        return 1
    if 0x0900 <= code <= 0x109F or 0x1200 <= code <= 0x137F or 0x1780 <= code <= 0x17FF:
        return 2
    return 0


def _is_han(letter: str) -> bool:
    return "㐀" <= letter <= "鿿"


def _ethiopic(letter: str) -> tuple[Spelling, ...]:
    """A syllable by its Unicode name: consonant and vowel, by the usual spellings."""
    name = unicodedata.name(letter, "").partition("SYLLABLE ")[2]
    name = name.replace("GLOTTAL ", "").replace("PHARYNGEAL ", "")
    if not name.isalpha():
        return ()
    consonant = name.rstrip("AEIOU")
    vowels = {"A": "A E", "AA": "A", "E": "E I", "EE": "E IE", "U": "U", "I": "I E", "O": "O"}
    spelt = _ETHIOPIC.get(consonant, (consonant,))
    ends = vowels.get(name[len(consonant) :], "").split()
    full = tuple((one + end, ANY, 0.0) for one in spelt for end in ends)
    return full + tuple((one, ANY, _HABIT) for one in spelt if consonant)


def _single(letter: str, language: str = "zh") -> tuple[Spelling, ...]:
    """The spellings of one letter, where a table, its block, or its unmarked letter gives some."""
    if letter.isascii():
        return ((letter.upper(), ANY, 0.0),) if letter.isalpha() else ()
    if found := _table().get(letter):
        return found
    code = ord(letter)
    if _is_han(letter):
        return _han()[language].get(letter, ())
    if 0x0980 <= code <= 0x0D7F:
        return _table().get(chr(0x0900 + code % 0x80), ())
    if 0x1200 <= code <= 0x137F:
        return _ethiopic(letter)
    plain = unicodedata.normalize("NFD", letter)[0]
    return _single(plain) if plain != letter else ()


def split(text: str) -> list[str]:
    """The words of a name, normal. Apostrophes and marks stay inside; every other sign parts words."""
    out = []
    for letter in normal(text):
        kind = unicodedata.category(letter)
        inside = kind[0] in "LN" or letter in _JOINERS or kind in ("Mn", "Mc", "Cf") or letter == "׳"
        out.append(letter if inside else " ")
    return [word for word in "".join(out).split() if any(letter.isalnum() for letter in word)]


def fold(word: str) -> str:
    """A Latin word in A to Z by its unmarked letters; any other letter is left out."""
    out = []
    for letter in word:
        if letter.isascii():
            out.append(letter.upper() if letter.isalpha() else "")
            continue
        plain = unicodedata.normalize("NFD", letter)[0]
        if plain.isascii() and plain.isalpha():
            out.append(plain.upper())
        elif letter < "ʰ" and (found := _table().get(letter)):
            out.append(found[0][0])
    return "".join(out)


def _base(letter: str) -> str:
    if letter.isascii():
        return letter
    plain = unicodedata.normalize("NFD", letter)[0]
    return plain if plain.isascii() else "\0"


def _digits(text: str, at: int) -> list[Edge]:
    """A number is left out of the zone, or written in Roman numerals digit by digit or as strokes (Doc 9303-3 4.6)."""
    if at and text[at - 1].isdigit():
        return []
    end = at
    while end < len(text) and text[end].isdigit():
        end += 1
    run = [unicodedata.digit(letter, 0) for letter in text[at : min(end, at + 8)]]
    spellings = dict.fromkeys(
        ("", "".join(_ROMAN[digit] for digit in run), "".join("I" * digit for digit in run))
    )
    return [(end - at, (spelling, ANY, _HABIT)) for spelling in spellings]


def _article(text: str, place: int) -> bool:
    """Whether the Arabic article may stand here: before a word, or joined within (ʿabdalkarim)."""
    start, end = text.rfind(" ", 0, place) + 1, text.find(" ", place)
    return place == start or (place - start >= 3 and (len(text) if end < 0 else end) - place >= 4)


def letters(found: list[str]) -> Letters:
    """The spellings of a name of these words (as `split` gives them)."""
    text = " ".join(found)
    if not any(map(_is_han, text)):
        return _letters(text, "zh")
    return replace(_letters(text, "zh"), others=(_letters(text, "ko"), _letters(text, "ja")))


def _letters(text: str, language: str) -> Letters:
    base = "".join(map(_base, text))
    places = [_place(text, base, at, language) for at in range(len(text))]
    return Letters(
        text,
        tuple(tuple(edges) for edges, _, _ in places),
        tuple(price for _, price, _ in places),
        tuple(map(_vowels, text)),
        tuple(worth for _, _, worth in places),
    )


def _place(text: str, base: str, at: int, language: str) -> tuple[list[Edge], float, int]:
    """What may be written for the letters from `at`, the price of leaving the first out, and what it is worth."""
    letter = text[at]
    if letter == " ":
        return [(1, ("<", ANY, 0.0)), (1, ("", ANY, 0.02))], 0.05, 0
    if letter in _JOINERS:
        return [(1, ("", ANY, 0.0)), (1, ("<", ANY, 0.0))], 0.0, 0
    if letter.isdigit():
        return _digits(text, at), 0.1, 0
    starts = not at or text[at - 1] == " "
    ends = at + 1 == len(text) or text[at + 1] == " "
    single = _single(letter, language)
    price, worth = _worth(text, at, single[0][0] if single else "", edge=(starts, ends))
    if starts and _vowels(letter) == 1:
        single = tuple((spelt, mask, cost if spelt else cost + _CARRIER) for spelt, mask, cost in single)
    edges = [(1, spelling) for spelling in single]
    edges += _several(text, base, at, language)
    if base[at] != "\0":
        for length in range(1, min(_LONGEST, len(text) - at) + 1):
            for spelt, mask, cost in _habits().get(base[at : at + length], ()):
                dear = ends and cost >= _OTHER and base[at] in "aeou"
                edges.append((length, (spelt, mask, 2 * cost if dear else cost)))
    return edges, price, worth


def _worth(text: str, at: int, spelt: str, *, edge: tuple[bool, bool]) -> tuple[float, int]:
    """The price of leaving a letter out, and how many Latin letters it is worth; `spelt` is its first spelling."""
    letter = text[at]
    starts, ends = edge
    mark = unicodedata.category(letter) in _MARKS
    if mark or (not spelt and _vowels(letter) == 2):
        return (0.6, 1) if spelt and letter != "ー" else (0.0, 0)
    price = 1.0
    if at and text[at - 1] == letter and spelt not in VOWELS:
        price = _DOUBLED
    elif letter == "h":
        price = 0.5
    if (ends and spelt[-1:] in VOWELS) or (starts and letter != "h"):
        price *= EDGE
    return price * (max(1, len(spelt)) if _is_han(letter) else 1), len(spelt) if spelt else int(
        not _known(letter)
    )


def _known(letter: str) -> bool:
    """Whether the tables have the letter, if only as nothing."""
    return letter in _table()


def _several(text: str, base: str, at: int, language: str) -> list[Edge]:
    """Spellings of two and more letters together."""
    most = min(_LONGEST, len(text) - at)
    found: list[Edge] = []
    if not text[at].isascii() or base[at : at + 2] == "ij":
        for length in range(2, most + 1):
            key = text[at : at + length]
            if key != _ARTICLE or _article(text, at):
                found += [(length, spelling) for spelling in _table().get(key, ())]
    if _is_han(text[at]):
        for length in range(2, min(_HAN_WORD, most) + 1):
            found += [(length, spelling) for spelling in _han()[language].get(text[at : at + length], ())]
    for length in (2, 3):
        if text[at + length - 1 : at + length] == _SILENT and (
            length == 2 or unicodedata.category(text[at + 1]) == "Mn"
        ):
            found.append((length, ("", ANY, 0.0)))
    return found
