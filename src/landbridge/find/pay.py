"""Reads what a register says about pay, in any of its shapes and scripts, and guesses nothing.

`read` takes free text ("0.8-1.3万/月", "Tới 25 triệu", "от 80 000 до 120 000 руб. на руки"), `build` takes what a
register keeps apart (bounds, currency, period, gross or net). Both give `kinds.values.Money`. What the text leaves
open stays open unless the register declared it for itself; an amount that stands alone is both bounds.
The words are data: `data/pay.toml`. `per_year` makes amounts comparable, with `PERIODS` and dated `rates`.
"""

import html
import math
import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import msgspec

from landbridge.find.rates import Rates
from landbridge.kinds.values import Money

PERIODS: Final[dict[str, float | None]] = {
    "hour": 2080.0,
    "day": 260.0,
    "week": 52.0,
    "fortnight": 26.0,
    "four-weeks": 13.0,
    "half-month": 24.0,
    "month": 12.0,
    "quarter": 4.0,
    "half-year": 2.0,
    "year": 1.0,
    "shift": None,
    "rotation": None,
    "piece": None,
    "once": None,
}
"""How often each is paid in a year of full-time work, one constant table for all members.

An hour is 2,080 a year, 40 hours in 52 weeks: the figure with which the U.S. Bureau of Labor Statistics turns
hourly into annual wages (Occupational Employment and Wage Statistics, technical notes); a day is an eighth of
that many hours. Nobody can say how many shifts, rotations or pieces make a year: those have no factor, and such
pay is shown and not compared.
"""

MOST_PER_YEAR: Final = 10_000_000.0
"""Euro. A yearly pay above this is a slip ("30,000,000 USD" for dong): kept as it was said, never compared."""

_LONGEST: Final = 4000  # characters of a text that are read
_MOST: Final = 1e13  # a larger number is no pay, in any currency

# --- how text is folded -----------------------------------------------------------------------------------------

_ZEROS: Final = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰０"  # the zero of every script that counts by tens


def _fold_table() -> dict[int, str]:
    table = {ord(zero) + i: str(i) for zero in _ZEROS for i in range(10)}
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if not 0xFF10 <= code <= 0xFF19}
    table |= dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
    table |= dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE58, 0xFE63], "-")
    table |= dict.fromkeys(map(ord, "〜∼～"), "~")
    table |= dict.fromkeys(map(ord, "‘’‛ʹʻʼ՚´`"), "'")
    table |= dict.fromkeys(
        [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF], ""
    )
    table |= dict.fromkeys([0x640, *range(0x64B, 0x653)], "")  # Arabic stretching and vowel signs
    table |= {0x66B: ".", 0x66C: ",", 0x66A: "%", ord("Ё"): "Е", ord("ё"): "е"}
    return table


_FOLD: Final = _fold_table()


def fold(text: str) -> str:
    """Digits of every script, full-width letters, spaces, dashes and apostrophes as plain ones; NFC."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).translate(_FOLD)


# Thai, Lao, Tibetan, Myanmar, Khmer, Chinese, Japanese and Korean write words without spaces.
_UNSPACED: Final = "\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_INDIC: Final = "\u0900-\u0dff"
_LETTER: Final = rf"[^\W\d_{_UNSPACED}{_INDIC}]"
_SIGNS: Final = "$€£¥₽₸₫₭₮₾₴₼₺₩₪₹₨₱₦₲₡₵֏؋﷼"
_NUMBER: Final = r"\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,']\d+)*"
_TOKENS: Final = re.compile(
    r"[ ,:;()\[\]|«»]*("
    r"(?=[\d+])(?:"
    # dates, times, telephone numbers, "5/2": numbers that are no amount
    r"\d{1,2}:\d\d(?::\d\d)?|\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d(?!\d)|\+\d[\d ()-]{8,}\d"
    r"|(?<![\d.,])\d{1,2}/\d{1,2}(?![\d.,])|\d+[A-Za-z]\d{3,}(?!\d)"
    rf"|{_NUMBER}"
    r")"
    rf"|(?={_LETTER})(?:"
    r"[A-Za-z]\d{7,}|(?i:usd?|sg?|sing|hkd?|nt|aus?|a|ca?|cdn|nz|mex|mx|[rbu])\$|[Ss]/(?=\.? ?\d)"
    rf"|{_LETTER}(?:/{_LETTER}(?!{_LETTER})|\.(?:{_LETTER}\.)+|\.{_LETTER}(?!{_LETTER}))"  # "s/d", "p.a.", "т.р"
    rf"|{_LETTER}+(?:['\"]{_LETTER}+)*"
    r")"
    rf"|[{_UNSPACED}]+|[{_INDIC}]+|[<>]=|\$us|[-+⁺/~%<>≤≥&º#№{_SIGNS}])"
)
_ONE_NUMBER: Final = re.compile(rf"[-+]?(?:{_NUMBER})")
_WITH_EXPONENT: Final = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]?\d+")
_OR_MORE: Final = re.compile(r"(?<=[^\s(\[])\+(?=[\s/)\],.;·*+]|$)")  # "5000+", and not "5000 + bonus"
_CENTS_AFTER: Final = re.compile(r"(\d) ?€ ?(\d\d)(?!\d)")  # "11€65"
_URL: Final = re.compile(r"https?://\S+")
_DIGIT: Final = re.compile(r"\d")
_MILLIONS_AND_TENTHS: Final = re.compile(r"(\d)\s?tr(\d)(?!\d)", re.IGNORECASE)  # "2tr5" is 2.5 triệu
_STARTS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")

# --- the words --------------------------------------------------------------------------------------------------


class _Sign(msgspec.Struct, frozen=True):
    """A sign that several currencies share; `of` gives a currency for a country, a language or "else"."""

    of: dict[str, str]

    def resolve(self, mentioned: list[str], declared: str, country: str, language: str) -> str:
        among = set(self.of.values())
        for code in (*mentioned, declared):
            if code in among:
                return code
        return self.of.get(country) or self.of.get(language) or self.of.get("else", "")


class _Times(msgspec.Struct, frozen=True):
    """A counting word: its factor, and the currency it goes with in the countries whose own word it is."""

    factor: float
    money: dict[str, str] = {}


# What a token is, one letter each, so that a text becomes a short string on which patterns can be written:
#   N number   n number that is no amount   M counting word   C currency   c currency of the number after it
#   P period   U unit of time or work   / per   a "a", "an"   T tax   S pay word   O money beside pay   + and besides
#   F from   H up to   t to   - through   B between   & and   > and above   < and below   f since (follows)
#   X counts something else   ? unknown
_Token = tuple[str, Any]
_SEVERAL: Final = ""  # the value is a list of tokens: "т.р." is thousand and rouble
_MARKS: Final = {"from": "F", "upto": "H", "to": "t", "through": "-", "between": "B", "and": "&"}
_MARKS_AFTER: Final = {"above": ">", "below": "<", "since": "f"}
_BEFORE_NUMBERS: Final = frozenset(
    ["$", "£", "¥", "₱", "₹", "₦", "₩", "rp", "rm", "s$", "us$", "a$", "hk$", "nt$", "c$", "nz$", "r$"]
)

_AMOUNT: Final = re.compile(
    r"(?:(?:(?<![NM])C)?(?P<mark>[FHtB])-*)?"
    r"(?:(?<![NM])C|c)?(?:(?<!N)M)?(?P<first>N)"
    r"(?!-?[XU]|[-t]N-?[XU])(?P<units>[MC]*)"  # not "40 hours", "2-3 months"
    r"(?P<joint>(?P<how>[-tFHfa&/]+)(?P<sign>[Cc?]?)(?P<last>N)(?!-?[XU])(?P<last_units>[MC]*))?"
)
_UNCLEAR: Final = re.compile(r"[^+]*[?nXO]")
_GARBLED: Final = re.compile(r"[-t]n")  # an upper bound that cannot be read is not known
_MARKED: Final = re.compile("[FH]")
_AFTER_MARK: Final = re.compile(r"[/aUPTC]{0,5}(?P<mark>[><fFH])")
_PAID_PER: Final = re.compile(r"P|[/a]U")
_PERIOD_AFTER: Final = re.compile(r"(?<=[CM])U(?![Nn])|[^Nn+O]{0,6}?(?:P|(?<=[/a])U)")
# not "40 hours per week", "5+ years"; yes "월 250만원", "日200元"
_PERIOD_BEFORE: Final = re.compile(r"(?:(?<!NU)P|(?<!NU[/a])(?<=[/a])U|(?<![Nn>])U$)(?=[^Nn+O]{0,6}$)")
_EXTRA_BEFORE: Final = re.compile(r"O\?{0,2}$")
_BARE: Final = re.compile(r"[N\-tFHBS]*")
_TAX_AFTER: Final = re.compile(r"[^Nn+O]{0,8}?T")


class _Words(msgspec.Struct, frozen=True):
    """`data/pay.toml`, ready to be looked up."""

    entries: dict[str, _Token]
    longest: dict[str, int]  # first word → words of the longest entry that begins so
    stems: dict[str, _Token]
    units: dict[str, _Token]
    strokes: dict[str, _Token]
    unspaced: re.Pattern[str]
    iso: frozenset[str]
    risky: frozenset[str]
    thousandths: frozenset[str]
    codes: dict[str, str]
    open: frozenset[str]
    no_period: frozenset[str]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((resources.files("landbridge.find") / "data" / "pay.toml").read_text("utf-8"))


@cache
def _words(language: str = "", country: str = "") -> _Words:
    """The words for a text in this language, from this country; most have none of their own."""
    data = _data()
    if country and not any(country in each.get("country", ()) for each in data["sign"]):
        return _words(language)
    if language and not any(language in each.get("language", ()) for each in data["times"]):
        return _words("", country)
    entries: dict[str, _Token] = {}
    units: dict[str, _Token] = {}
    strokes: dict[str, _Token] = {}

    def enter(words: list[str], *tokens: _Token, table: dict[str, _Token] = entries) -> None:
        for word in words:
            table[_plain(word)] = tokens[0] if len(tokens) == 1 else (_SEVERAL, tokens)

    enter(data["about"]["pay"], ("S", None))
    enter(data["about"]["extra"], ("O", None))
    enter(data["about"]["counts"], ("X", None))
    for mark, letter in (_MARKS | _MARKS_AFTER).items():
        enter(data["mark"][mark], (letter, None))
    for period, by_form in data["period"].items():
        enter(by_form.get("unit", []), ("U", period))
        enter(by_form.get("unit", []), ("U", period), table=units)
        enter(by_form.get("stroke", []), ("U", period), table=strokes)
        enter(by_form["alone"], ("P", period))
    enter(["+"], ("+", None))
    enter(data["per"], ("/", None))
    enter(data["article"], ("a", None))
    for code, words in data["currency"].items():
        enter([code.lower(), *words], ("C", code))
    for sign in data["sign"]:
        if "country" in sign and country not in sign["country"]:
            continue
        shared: _Token = ("C", _Sign(sign["of"]))
        if "times" in sign:
            enter(sign["words"], ("M", _Times(float(sign["times"]))), shared)
        else:
            enter(sign["words"], shared)
    for times in data["times"]:
        if language in times.get("language", [language]):
            token: _Token = ("M", _Times(float(times["factor"]), times.get("money", {})))
            if "period" in times:  # "lpa" is lakhs per annum
                enter(times["words"], token, ("P", times["period"]))
            else:
                enter(times["words"], token)
    for tax, words in data["tax"].items():
        enter(words, ("T", tax))

    stems = {word[:-1]: token for word, token in entries.items() if word.endswith("*")}
    entries |= stems
    longest: dict[str, int] = {}
    for word in entries:
        first, *rest = word.split(" ")
        if rest:
            longest[first] = max(longest.get(first, 1), 1 + len(rest))
    unspaced = sorted(
        (word for word in entries if " " not in word and _STARTS_UNSPACED.match(word)), key=len, reverse=True
    )
    iso = frozenset(data["iso"].split())
    return _Words(
        entries=entries,
        longest=longest,
        stems=stems,
        units=units,
        strokes=strokes,
        unspaced=re.compile("|".join(map(re.escape, unspaced))),
        iso=iso | data["aliases"].keys(),
        risky=frozenset(data["also_words"]),
        thousandths=frozenset(data["thousandths"]),
        codes=data["code"],
        open=frozenset(map(_plain, data["about"]["open"])),
        no_period=frozenset(map(_plain, data["about"]["no_period"])),
    )


def _plain(word: str) -> str:
    return fold(word).lower()


# --- text → tokens ----------------------------------------------------------------------------------------------


def _tokens(text: str, words: _Words) -> tuple[str, list[Any]]:
    """The kinds of the tokens of a folded text, a letter each, and their values."""
    found = _TOKENS.findall(text)
    lower = [token.lower() for token in found]
    entries, longest = words.entries, words.longest
    kinds: list[str] = []
    values: list[Any] = []
    before = ""
    i, end = 0, len(found)
    while i < end:
        word = lower[i]
        i += 1
        after = lower[i] if i < end else ""
        if "0" <= word[0] <= "9":
            if word == "1" and before == "/" and after[:1].isalpha():  # "5 triệu/1 tháng"
                continue
            before = "N" if word.isdigit() or not _is_no_amount(word) else "n"
            kinds.append(before)
            values.append(word)
            continue
        token: _Token | None = None
        for length in range(min(longest.get(word, 1), end - i + 1), 1, -1):
            token = entries.get(" ".join(lower[i - 1 : i - 1 + length]))
            if token:
                i += length - 1
                break
        else:
            if before == "/":
                token = words.strokes.get(word) or words.units.get(word)
            token = token or entries.get(word)
            if token is None:
                token = _inflected(found[i - 1], word, before, after, words)
            elif (
                len(word) < 3
                and word < "\u0900"
                and word.isalpha()
                and not _stands_by(token[0], before, after)
            ):
                token = ("?", word)
        if token[0] == _SEVERAL:
            parts: list[_Token] = list(token[1])
            kinds.extend([kind for kind, _ in parts])
            values.extend([value for _, value in parts])
        else:
            kinds.append("c" if word in _BEFORE_NUMBERS and after[:1].isdigit() else token[0])
            values.append(token[1])
        before = kinds[-1]
    return "".join(kinds), values


def _is_no_amount(word: str) -> bool:
    """A date, a time, a telephone number, "5/2" or "11C5781", as `_TOKENS` found it."""
    return (
        ":" in word
        or "/" in word
        or "-" in word
        or word[1:].isalnum()
        or (word[-5:-4] == "." and word.count(".") == 2)
    )


def _stands_by(kind: str, before: str, after: str) -> bool:
    """Whether a short word is beside the number it needs ("RM 500", "10k", "12 đ", "3000 pm")."""
    if kind == "M":
        return before == "N"
    if kind == "C":
        return before in ("N", "M", "/") or after[:1].isdigit()
    if kind == "P":
        return before in ("N", "M", "C")
    return True


def _inflected(token: str, word: str, before: str, after: str, words: _Words) -> _Token:
    """A token that is not listed as it stands: an ISO code, a stem with an ending, a run without spaces."""
    if word[0] == "+" or word[-1].isdigit():
        return ("n", word)
    if word == "h" and before == "N":  # "40 h"
        return ("U", "hour")
    if _STARTS_UNSPACED.match(word):
        return (_SEVERAL, _split_run(word, words))
    code = token.upper()
    if len(code) == 3 and code in words.iso:
        beside = before in ("N", "M", "C") or after[:1].isdigit()
        if beside or (token == code and code not in words.risky):
            return ("C", _data()["aliases"].get(code, code))
    if "/" in word:
        first, last = word.split("/")
        known = words.entries.get(first, ("?", first))
        unit = words.strokes.get(last) or words.units.get(last) or ("?", last)
        return (_SEVERAL, [known if _stands_by(known[0], before, "") else ("?", first), ("/", None), unit])
    if "." in word:
        joined = words.entries.get(word.replace(".", "")) or words.entries.get(word.rstrip("."))
        if joined:
            return joined
    for length in range(len(word) - 1, 2, -1):
        stem = words.stems.get(word[:length])
        if stem:
            return stem
    return ("?", word)


def _split_run(run: str, words: _Words) -> list[_Token]:
    """The known words of a run without spaces, the longest first; what lies between is unknown."""
    found: list[_Token] = []
    at = 0
    for match in words.unspaced.finditer(run):
        if match.start() > at:
            found.append(("?", run[at : match.start()]))
        found.append(words.entries[match[0]])
        at = match.end()
    if at < len(run):
        found.append(("?", run[at:]))
    return found


# --- tokens → an amount -----------------------------------------------------------------------------------------


class _Amount(msgspec.Struct):
    """What was found of an amount or range in the tokens from `start` to `end`."""

    start: int
    end: int
    low: float | None
    high: float | None
    currency: str | _Sign | None
    local: dict[str, str]
    anchored: bool  # something beside the number says that it is money, or pay


def _find(kinds: str, values: list[Any], words: _Words) -> _Amount | None:
    """The first amount in the text that is pay; one with a currency or another sign of pay before a bare one."""
    at = 0
    bare: _Amount | None = None
    while match := _AMOUNT.search(kinds, at):
        at = match.end("first")
        if _EXTRA_BEFORE.search(kinds, 0, match.start()):  # a bonus
            at = match.end()
            continue
        found = _amount(kinds, values, match, words)
        if found is None:
            continue
        if found.anchored:
            return found
        bare = bare or found
    if bare and (
        _BARE.fullmatch(kinds) or ((bare.low or bare.high or 0) >= 100 and not _UNCLEAR.match(kinds))
    ):
        return bare
    return None


def _amount(kinds: str, values: list[Any], match: re.Match[str], words: _Words) -> _Amount | None:
    start, end = match.span()
    before = kinds[start - 1 : start]
    end_of_first = match.end("units")
    factor, currency, local = _said(kinds, values, start, end_of_first)
    first = _number(values[match.start("first")], factor, currency, words)
    if first is None or first * factor > _MOST:
        return None
    mark = match["mark"] or ""
    last: float | None = None
    last_factor = 1.0
    how = match["how"] or ""
    if match["sign"] == "?" and (before != "?" or values[match.start("sign")] != values[start - 1]):
        how = ""  # "Q 100 - Q 200" is a range in a currency we do not know, "5 - room 12" is none
    if how and (
        mark == "B"
        or not ("&" in how or (not mark and factor == 1.0 and currency is None and _MARKED.search(how)))
    ):
        last_factor, other, local_too = _said(kinds, values, match.end("how"), end)
        if _same(currency, other):
            last = _number(values[match.start("last")], last_factor, currency or other, words)
            mark = "" if last is not None else "F"
            local = local or local_too
            if not isinstance(currency, str):
                currency = other or currency
        else:
            end = end_of_first
    else:
        end = end_of_first
    if last is None:
        if _GARBLED.match(kinds, end):
            mark = "F"
        after = _AFTER_MARK.match(kinds, end) if mark not in ("F", "H", "t") else None
        mark = after["mark"] if after else mark
        amount = _times(first, factor) or None
        low = None if mark in ("H", "t", "<") else amount
        high = None if mark in ("F", "f", ">") else amount
    else:
        if factor == 1.0 and first < last:  # "6-8千": the word counts both
            factor = last_factor
        elif last_factor == 1.0 and first <= last < first * factor:  # "10k-20"
            last_factor = factor
        low, high = _times(first, factor) or None, _times(last, last_factor) or None
        if low and high and low > high:
            low, high = high, low
    anchored = currency is not None or factor != 1.0 or last_factor != 1.0 or before == "P"
    if not anchored:
        if before == "U":  # "lương tháng 13"
            return None
        anchored = (before == "S" and first >= 100) or _PAID_PER.match(kinds, end) is not None
    return _Amount(start, end, low, high, currency, local, anchored)


def _said(
    kinds: str, values: list[Any], start: int, end: int
) -> tuple[float, str | _Sign | None, dict[str, str]]:
    """What stands beside a number: the factor of its counting words, its currency, and theirs at home."""
    factor = 1.0
    currency: str | _Sign | None = None
    local: dict[str, str] = {}
    for p in range(start, end):
        if kinds[p] == "M":
            factor *= values[p].factor
            local = values[p].money
        elif kinds[p] in "Cc" and not isinstance(currency, str):  # a code says more than a sign
            currency = values[p]
    return factor, currency, local


def _same(one: str | _Sign | None, other: str | _Sign | None) -> bool:
    """Whether two bounds can be of one currency: "1 000 USD - 25 000 000 VND" are not."""
    if one is None or other is None:
        return True
    if isinstance(one, str):
        return one == other if isinstance(other, str) else one in other.of.values()
    return other in one.of.values() if isinstance(other, str) else True


def _times(number: float, factor: float) -> float:
    return number if factor == 1.0 else round(number * factor, 4)


def _number(raw: str, factor: float, currency: str | _Sign | None, words: _Words) -> float | None:
    """What digits with separators say, or None where they are no amount ("1.2.3", a telephone number)."""
    if raw.isdigit():
        return float(raw) if len(raw) <= 13 else None
    raw = raw.replace(" ", "").replace("'", "")
    dots, commas = raw.count("."), raw.count(",")
    if not dots and not commas:
        return float(raw) if len(raw) <= 13 else None
    if dots and commas:
        decimal, group = (".", ",") if raw.rfind(".") > raw.rfind(",") else (",", ".")
        return float(raw.replace(group, "").replace(decimal, ".")) if raw.count(decimal) == 1 else None
    groups = raw.split("." if dots else ",")
    if len(groups) == 2:
        head, tail = groups
        # "3,500만" is 35 million, "1,234 млн" a million and a bit: nobody is paid thousands of millions
        grouped = len(tail) == 3 and len(head) <= 3 and head[0] != "0"
        grouped = grouped and (factor < 10_000 or (commas == 1 and factor in (1e4, 1e8)))
        if grouped and dots and isinstance(currency, str) and currency in words.thousandths:
            grouped = False
        return float(head + tail if grouped else f"{head}.{tail}")
    if len(groups[-1]) == 3 and len(groups[0]) <= 3 and all(2 <= len(group) <= 3 for group in groups[1:]):
        return float("".join(groups))
    return None


def _period_said(kinds: str, values: list[Any], found: _Amount) -> str:
    """The period after the amount, up to the next number; else the last one before it."""
    after = _PERIOD_AFTER.match(kinds, found.end)
    if after:
        return str(values[after.end() - 1])
    before = [match.start() for match in _PERIOD_BEFORE.finditer(kinds, 0, found.start)]
    return str(values[before[-1]]) if before else ""


def _tax_said(kinds: str, values: list[Any], found: _Amount) -> str:
    after = _TAX_AFTER.match(kinds, found.end)
    if after:
        return str(values[after.end() - 1])
    before = kinds.rfind("T", 0, found.end)
    return str(values[before]) if before >= 0 else ""


def read(
    text: str, *, currency: str = "", period: str = "", tax: str = "", country: str = "", language: str = ""
) -> Money:
    """The pay that a text states.

    `currency`, `period` and `tax` are what the register declares for all of its pay; they fill only what the text
    leaves open. `country` (ISO 3166-1 alpha-2) and `language` resolve a sign that several currencies share ("$",
    "kr") and a counting word that is the country's own ("万", "triệu"); a bare number gets no currency from them.

    "up to" gives the upper bound alone, "from" the lower, one amount both. 0 is a bound that is not known. A range
    the wrong way round is turned. A text without an amount gives `Money(text=…)` and nothing else. Extra months
    ("13薪", "sur 13 mois") are not multiplied in.

    Raises ValueError for an amount that cannot be (below zero) and for a declaration that means nothing.
    """
    return _read(text, currency, period, tax, country, language)


@lru_cache(maxsize=16384)
def _read(text: str, currency: str, period: str, tax: str, country: str, language: str) -> Money:
    text = text.strip()
    folded = text[:_LONGEST]
    if "&" in folded:
        folded = html.unescape(folded)
    folded = _URL.sub("", fold(folded))
    if not _DIGIT.search(folded):
        return Money(text=text)
    if folded[0] == "-" and folded[1:2].isdigit():
        raise ValueError(f"{text[:60]!r}: a pay cannot be below zero")
    if "+" in folded:
        folded = _OR_MORE.sub("⁺", folded)
    if "€" in folded:
        folded = _CENTS_AFTER.sub(r"\1.\2€", folded)
    if "tr" in folded:
        folded = _MILLIONS_AND_TENTHS.sub(r"\1.\2tr", folded)
    words = _words(language, country)
    kinds, values = _tokens(folded, words)
    found = _find(kinds, values, words)
    if found is None or (found.low is None and found.high is None):
        return Money(text=text)
    return Money(
        text=text,
        low=found.low,
        high=found.high,
        currency=_currency_said(kinds, values, found, currency, country, language),
        period=_period_said(kinds, values, found) or period_of(period),
        tax=_tax_said(kinds, values, found) or tax_of(tax),
    )


def _currency_said(
    kinds: str, values: list[Any], found: _Amount, declared: str, country: str, language: str
) -> str:
    """The currency beside the amount; else one named elsewhere in the text; else the declared one."""
    sign = found.currency
    if isinstance(sign, str):
        return sign
    declared = currency_of(declared, country=country, language=language)
    others = [values[p] for p, kind in enumerate(kinds) if kind in "Cc" and not found.start <= p < found.end]
    named = [other for other in others if isinstance(other, str)]
    for other in (sign, *others):
        if other is not None:
            return other if isinstance(other, str) else other.resolve(named, declared, country, language)
    return declared or found.local.get(country, "")


# --- what registers keep apart ----------------------------------------------------------------------------------


def build(
    low: float | str | None = None,
    high: float | str | None = None,
    *,
    currency: str = "",
    period: str = "",
    tax: str | bool | None = "",
    text: str = "",
    country: str = "",
    language: str = "",
) -> Money:
    """The pay that a register keeps in fields of their own.

    Bounds are numbers or digits with any separators; 0, "" and words such as "negotiable" are a bound that is not
    known; a range the wrong way round is turned. `currency` is a code in any case, a sign or a word; RUR is read as
    RUB; BYR stays BYR, which has no rate (it was 10,000 to one BYN, and some registers write it and mean BYN: only
    their source file can say so). `period` and `tax` are words of any language, or the codes of USAJOBS, hh.ru, EURES
    and schema.org; for `tax` also true (gross) and false (net). `text` is kept, and fills what the fields leave open.

    Raises ValueError that says what is wrong: a bound below zero, a word that means no currency, period or tax.
    """
    bounds = [_bound(low), _bound(high)]
    said = Money(text=text.strip())
    if text and (bounds == [None, None] or not (currency and period)):
        said = read(
            text, currency=currency, period=period, tax=tax_of(tax), country=country, language=language
        )
    if bounds == [None, None]:
        return said
    first, last = bounds
    if first is not None and last is not None and first > last:
        first, last = last, first
    return Money(
        text=said.text,
        low=first,
        high=last,
        currency=currency_of(currency, country=country, language=language) or said.currency,
        period=period_of(period) or said.period,
        tax=tax_of(tax) or said.tax,
    )


def _bound(value: float | str | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        number = _written(value)
    else:
        number = float(value)
    if number is None or number == 0:
        return None
    if not math.isfinite(number) or number > _MOST:
        raise ValueError(f"{value!r} is no amount of pay")
    if number < 0:
        raise ValueError(f"{value!r}: a pay cannot be below zero")
    return number


@lru_cache(maxsize=16384)
def _written(value: str) -> float | None:
    folded = fold(value).strip()
    words = _words()
    if folded.lower().rstrip(".") in words.open:
        return None
    if _WITH_EXPONENT.fullmatch(folded):
        return float(folded)
    if _ONE_NUMBER.fullmatch(folded):
        number = _number(folded.lstrip("+-"), 1.0, None, words)
        if number is not None:
            return -number if folded[0] == "-" else number
    else:
        said = read(value)
        if said.low == said.high and said.low is not None:
            return said.low
    raise ValueError(f"{value[:60]!r} is no amount of pay")


@lru_cache(maxsize=1024)
def currency_of(word: str, *, country: str = "", language: str = "") -> str:
    """The ISO 4217 code of a code, sign or word; "" for a sign that is ambiguous in this country.

    Raises ValueError for a word that is no currency.
    """
    folded = fold(word).strip(" .,;:()[]«»\"'")
    words = _words(language, country)
    if not folded or folded.lower() in words.open:
        return ""
    code = folded.upper()
    if code in words.iso:
        return str(_data()["aliases"].get(code, code))
    entry = words.entries.get(folded.lower())
    if entry is None:
        kinds, values = _tokens(folded, words)
        entry = ("C", values[kinds.index("C")]) if "C" in kinds else None
    if entry and entry[0] == "C":
        value = entry[1]
        return value if isinstance(value, str) else str(value.resolve([], "", country, language))
    raise ValueError(f"{word[:40]!r} is no currency: write an ISO 4217 code such as EUR")


@lru_cache(maxsize=1024)
def period_of(word: str) -> str:
    """The name in `PERIODS` for a word or code of any language; "" for words such as "other".

    Raises ValueError for a word that is no period.
    """
    folded = fold(word).strip(" .,;:()[]«»\"'").lower()
    if folded in PERIODS:
        return folded
    words = _words()
    if folded in words.no_period or folded in words.open:
        return ""
    if folded in words.codes:
        return words.codes[folded]
    for table in (words.units, words.strokes):
        if folded in table:
            return str(table[folded][1])
    kinds, values = _tokens(folded, words)
    for wanted in ("P", "U"):
        if wanted in kinds:
            return str(values[kinds.index(wanted)])
    raise ValueError(f"{word[:40]!r} is no period of pay: write one of {', '.join(PERIODS)}")


@lru_cache(maxsize=256)
def tax_of(word: str | bool | None) -> str:
    """ "gross", "net" or "" for a word of any language; true and false answer "is it gross?".

    Raises ValueError for a word that says neither.
    """
    if word is None:
        return ""
    if isinstance(word, bool):
        return "gross" if word else "net"
    folded = fold(word).strip(" .,;:()[]«»\"'").lower()
    if folded in ("true", "1", "yes"):
        return "gross"
    if folded in ("false", "0", "no"):
        return "net"
    words = _words()
    if folded in words.open:
        return ""
    kinds, values = _tokens(folded, words)
    if "T" in kinds:
        return str(values[kinds.index("T")])
    raise ValueError(f'{word[:40]!r} says neither "gross" nor "net"')


def per_year(money: Money, rates: Rates, currency: str = "EUR") -> tuple[float | None, float | None]:
    """The bounds for a year of full-time work in `currency`, to nine digits; None where that cannot be said.

    It cannot be said without a bound, without a currency or its rate, without a period or its factor, or above
    `MOST_PER_YEAR`. Gross and net are not turned into one another. All amounts take the same way (amount, factor,
    rate), and nine digits are more than any rate has: so a filter gives the same answer in every currency.
    """
    factor = PERIODS.get(money.period)
    if factor is None or not money.currency:
        return None, None
    largest = rates.convert((money.high or money.low or 0.0) * factor, money.currency, "EUR")
    if largest is None or largest > MOST_PER_YEAR:
        return None, None
    yearly = [None if amount is None else amount * factor for amount in (money.low, money.high)]
    low, high = (each and rates.convert(each, money.currency, currency) for each in yearly)
    return low and float(f"{low:.9g}"), high and float(f"{high:.9g}")
