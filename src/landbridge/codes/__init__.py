"""The codes all agree on: countries (ISO 3166-1), languages (BCP 47), currencies (ISO 4217).

Names come from CLDR through Babel and are read once, when the first name is asked for.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Literal, cast

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from landbridge.kinds.kind import LANGUAGES

# Names are understood in the interface languages and in these, the tongues of registers nearby.
_READ_TOO = "it ja ka ko lt lv mn nb nl nn pl pt ro sv tg tk tr uk uz_Cyrl zh_Hant".split()  # noqa: SIM905
# In CLDR's list of territories, yet no country: groupings, reservations, test locales.
_NO_COUNTRY = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
_USER_ASSIGNED = re.compile(r"X[A-Z]")  # ISO 3166-1: ours for unions that exist only in demos and tests
_ALSO = {  # names and codes in daily use that CLDR does not list
    "el": "GR",
    "uk": "GB",
    "england": "GB",
    "great britain": "GB",
    "northern ireland": "GB",
    "scotland": "GB",
    "wales": "GB",
    "britain": "GB",
    "united kingdom of great britain and northern ireland": "GB",
    "англия": "GB",
    "великая британия": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "america": "US",
    "сша": "US",
    "соединенные штаты америки": "US",
    "российская федерация": "RU",
    "russian federation": "RU",
    "рф": "RU",
    "республика беларусь": "BY",
    "белоруссия": "BY",
    "belorussia": "BY",
    "рэспубліка беларусь": "BY",
    "республика казахстан": "KZ",
    "қазақстан республикасы": "KZ",
    "кыргызская республика": "KG",
    "kyrgyz republic": "KG",
    "киргизская республика": "KG",
    "кыргыз республикасы": "KG",
    "республика узбекистан": "UZ",
    "узбекская республика": "UZ",
    "o'zbekiston respublikasi": "UZ",
    "республика армения": "AM",
    "республика таджикистан": "TJ",
    "туркмения": "TM",
    "молдавия": "MD",
    "republic of moldova": "MD",
    "czech republic": "CZ",
    "the netherlands": "NL",
    "holland": "NL",
    "голландия": "NL",
    "turkey": "TR",
    "burma": "MM",
    "ivory coast": "CI",
    "swaziland": "SZ",
    "macedonia": "MK",
    "cape verde": "CV",
    "vatican": "VA",
    "holy see": "VA",
    "east timor": "TL",
    "south korea": "KR",
    "republic of korea": "KR",
    "korea, republic of": "KR",
    "korea": "KR",
    "корея": "KR",
    "север. корея": "KP",
    "north korea": "KP",
    "democratic people's republic of korea": "KP",
    "iran, islamic republic of": "IR",
    "islamic republic of iran": "IR",
    "syrian arab republic": "SY",
    "venezuela, bolivarian republic of": "VE",
    "bolivia, plurinational state of": "BO",
    "tanzania, united republic of": "TZ",
    "united republic of tanzania": "TZ",
    "taiwan, province of china": "TW",
    "republic of china": "TW",
    "viet nam": "VN",
    "socialist republic of viet nam": "VN",
    "cộng hòa xã hội chủ nghĩa việt nam": "VN",
    "lao people's democratic republic": "LA",
    "lao pdr": "LA",
    "brunei darussalam": "BN",
    "hong kong": "HK",
    "гонконг": "HK",
    "macau": "MO",
    "macao": "MO",
    "香港": "HK",
    "中国香港": "HK",
    "澳门": "MO",
    "澳門": "MO",
    "中国台湾": "TW",
    "македония": "MK",
    "people's republic of china": "CN",
    "pr china": "CN",
    "中华人民共和国": "CN",
    "中国大陆": "CN",
    "republic of singapore": "SG",
    "republik indonesia": "ID",
    "republic of indonesia": "ID",
    "republic of the philippines": "PH",
    "republika ng pilipinas": "PH",
    "kingdom of thailand": "TH",
    "ราชอาณาจักรไทย": "TH",
    "kingdom of cambodia": "KH",
    "federal republic of germany": "DE",
    "bundesrepublik deutschland": "DE",
    "brd": "DE",
    "république française": "FR",
    "republic of serbia": "RS",
    "uae": "AE",
    "оаэ": "AE",
    "congo": "CG",
    "dr congo": "CD",
    "democratic republic of the congo": "CD",
    "congo, democratic republic of the": "CD",
    "palestine": "PS",
    "state of palestine": "PS",
}
# "the country of …" where a script writes it without a space: in front in Thai, Lao, Khmer, behind in Burmese.
_COUNTRY_OF = ("ประเทศ", "ປະເທດ", "ប្រទេស")
_SMALL = frozenset(["the", "and", "of", "и", "et", "und", "y", "la"])
_STATE_WORDS = re.compile(  # "Республика Бенин", "Republik Österreich"
    r"^(?:республика|королевство|государство|republic|republik|republique|republica|republika|kingdom) "
)
_COUNTRY_BEHIND = ("နိုင်ငံ", "国")
_NO_LANGUAGE = ("mul", "und", "zxx")
_LANGUAGE_ALSO = {
    "mandarin": "zh",
    "cantonese": "yue",
    "putonghua": "zh",
    "普通话": "zh",
    "国语": "zh",
    "华语": "zh",
    "简体中文": "zh",
    "繁体中文": "zh",
    "繁體中文": "zh",
    "bahasa": "id",
    "bahasa melayu": "ms",
    "tagalog": "fil",
    "farsi": "fa",
    "kirghiz": "ky",
    "киргизский": "ky",
    "кыргыз": "ky",
    "flemish": "nl",
    "castilian": "es",
    "castellano": "es",
    "moldovan": "ro",
}
_LANGUAGE_WORDS = re.compile(
    r"\b(language|язык|тілі|тили|мова|լեզու|tili|tiếng|bahasa|langue|sprache|idioma|lengua)\b|اللغة|ភាសា|ພາສາ|ภาษา|语$|語$|文$"
)
_SPECIAL = str.maketrans(
    {"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ŋ": "n",
     "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "\u0ebc": "\u0ea5", "ـ": None}
)  # fmt: skip
_MARKS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\u0591-\u05c7]")
_SHORT = {"st": "saint", "ste": "sainte"}
_ELIDED = re.compile(r"(?<= )([dl]) (?=[aeiouyh])")  # "D ARDECHE" and "d'Ardèche" are one
_APOSTROPHES = frozenset("'’‘ʻʼ`´ʹʺ′ʾʿ·")


class _Plain(dict[int, str | None]):
    """Punctuation becomes a space, apostrophes and invisible signs go, the rest stays."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        group = unicodedata.category(char)
        plain: str | None = char
        if char in _APOSTROPHES or group == "Cf":
            plain = None
        elif group[0] in "PSZC":
            plain = " "
        self[code] = plain
        return plain


_PLAIN = _Plain()


def fold(name: str) -> str:
    """A name as it is compared: "Hà Nội" and "HA-NOI" are "ha noi", "Орёл" is "орел".

    Case, Latin, Greek, Cyrillic, Arabic and Hebrew marks, apostrophes and punctuation do not count;
    the vowel signs of Indic and South-East Asian scripts, which carry the word, stay.
    """
    name = unicodedata.normalize("NFKC", name).casefold()
    if not name.isascii():
        name = _MARKS.sub("", unicodedata.normalize("NFD", name)).translate(_SPECIAL)
        name = unicodedata.normalize("NFC", name)
    name = " ".join([_SHORT.get(word, word) for word in name.translate(_PLAIN).split()])
    return _ELIDED.sub(r"\1", name) if " d " in name or " l " in name else name


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


@lru_cache(64)
def _names(of: Literal["territories", "languages"], language: str) -> dict[str, str]:
    """CLDR's names of all territories or languages in one language: code → name."""
    locale = _locale(language)
    return cast(dict[str, str], getattr(locale, of)) if locale else {}


def _without_small_words(name: str) -> str:
    """CLDR writes "Trinidad & Tobago", registers write "The Republic of Trinidad and Tobago"."""
    return " ".join(word for word in fold(name).split() if word not in _SMALL)


@cache
def countries() -> frozenset[str]:
    """Every ISO 3166-1 alpha-2 code in force, and XK."""
    return frozenset(c for c in _names("territories", "en") if len(c) == 2 and c.isalpha()) - _NO_COUNTRY


@cache
def _country_codes() -> dict[str, str]:
    """Alpha-2, alpha-3 and numeric codes."""
    known = countries()
    codes = {alias: found[0] for alias, found in get_global("territory_aliases").items() if len(found) == 1}
    return {c: c for c in known} | {
        alias: code for alias, code in codes.items() if code in known and len(alias) == 3
    }


@cache
def _country_names() -> dict[str, str]:
    """Names as they are written, and folded: "Áo" is Austria, "ao" would be Angola."""
    known = countries()
    names: dict[str, str] = {}
    for name, code in _ALSO.items():
        names.setdefault(_without_small_words(name), code)
    for tongue in (*LANGUAGES, *_READ_TOO):
        for code, name in _names("territories", tongue).items():
            if code in known:
                names.setdefault(name.casefold(), code)
                names.setdefault(_without_small_words(name), code)
                names.setdefault(_without_small_words(re.sub(r"\s*\(.*?\)", "", name)), code)
    return names


def country(text: str) -> str:
    """ISO 3166-1 alpha-2 for a code (alpha-2, alpha-3, numeric, "EL", "UK") or a name; "" if unknown.

    XA … XZ, which ISO 3166-1 leaves to its users, stand for themselves. Three letters are a code when they
    are capitals, else a name first: "NGA" is Nigeria, "Nga" is Russia in Vietnamese.
    """
    text = text.strip()
    known = _country_codes()
    if len(text) == 2 and text.isascii():
        code = text.upper()
        if code in known or _USER_ASSIGNED.fullmatch(code):
            return code
    if text.isascii() and text.isdigit():
        return known.get(text.zfill(3), "")
    if text in known:
        return known[text]
    names = _country_names()
    found = names.get(text.casefold())
    if found:
        return found
    folded = _without_small_words(text)
    found = names.get(folded) or names.get(_STATE_WORDS.sub("", folded).strip())
    if found or not folded or folded.isascii():
        return found or known.get(text.upper(), "")
    for front in _COUNTRY_OF:
        if folded.startswith(front):
            return names.get(folded[len(front) :].strip(), "")
    for behind in _COUNTRY_BEHIND:
        if folded.endswith(behind):
            return names.get(folded[: -len(behind)].strip(), "")
    return ""


def country_name(code: str, language: str = "en") -> str:
    """The name of a country in a language (English where CLDR has none); the code where it has no name."""
    if code not in countries():
        return code
    return _names("territories", language).get(code) or _names("territories", "en").get(code, code)


@cache
def _language_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for alias, tag in get_global("language_aliases").items():
        names[alias.casefold()] = re.split("[-_]", str(tag))[0]
    known = [
        code for code in _names("languages", "en") if code.isalpha() and code not in (*names, *_NO_LANGUAGE)
    ]
    names.update({code.casefold(): code for code in known})
    for name, code in _LANGUAGE_ALSO.items():
        names.setdefault(fold(name), code)
    for tongue in (*LANGUAGES, *_READ_TOO):
        for code, name in _names("languages", tongue).items():
            if code in names:
                names.setdefault(fold(name), names[code])
    return names


def language(text: str) -> str:
    """The BCP 47 primary subtag of a tag ("zh-Hans", "en_US"), an ISO 639 code or a name; "" if unknown."""
    names = _language_names()
    folded = fold(text)
    if folded in names:
        return names[folded]
    head = re.split("[-_]", text.strip())[0].casefold()
    if head.isascii() and head.isalpha() and 2 <= len(head) <= 3 and head in names:
        return names[head] if len(text.strip()) > len(head) else ""
    bare = " ".join(_LANGUAGE_WORDS.sub(" ", folded).split())
    return names.get(bare, "")


def language_name(code: str, language: str = "en") -> str:
    """The name of a language in a language (English where CLDR has none); the code where it has no name."""
    primary = re.split("[-_]", code)[0].casefold()
    primary = _language_names().get(primary, primary)
    return _names("languages", language).get(primary) or _names("languages", "en").get(primary, code)


@cache
def _currencies() -> frozenset[str]:
    """The tender in force anywhere, by CLDR."""
    found = {
        code
        for entries in get_global("territory_currencies").values()
        for code, _start, end, tender in entries
        if end is None and tender
    }
    return frozenset(found)


def currency(text: str) -> str:
    """The ISO 4217 code, upper case, if it is money in force today; "" otherwise ("RUR", "DEM", "руб.")."""
    code = text.strip().upper()
    return code if code in _currencies() else ""
