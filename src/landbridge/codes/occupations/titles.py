"""Titles as people write them in advertisements, cleared of what says nothing of the work."""

import re
import unicodedata

_BRACKETS = re.compile(r"[(\[（【][^()\[\]（）【】]{0,80}[)\]）】]")
_GENDERS = re.compile(
    r"[(\[|/,\-–\s]+(?:[mwfdhxiafемжд]\s?[/|*,.]\s?){1,3}[mwfdhxiafемжд](?:[)\]]|(?=\s|$))"
    r"|\b(?:all genders|alle geschlechter|gn)\b",
    re.IGNORECASE,
)
_FEMININE_IN_BRACKETS = re.compile(
    r"(\w{3,})[({](?:in|innen|a|as|e|es|ne|ère|euse|trice|ka|esa|ice|ица|ка|ша)[)}]", re.IGNORECASE
)
_FEMININE_BEHIND_DOT = re.compile(
    r"(\w{3,})[·•*:_](?:innen|in|e|fe|ne|trice|euse|ère|ière|rice|a)(?:[·•]s)?\b", re.IGNORECASE
)
_FEMININE_CAPITAL = re.compile(r"([^\W\d_]{3,}[a-zäöüß])In(nen)?\b")
_PAIR = re.compile(r"(\w{3,})\s*/\s*-?\s*(\w+)")
# Without one of these none of the above is there.
_SIGNS = frozenset("()[]{}（）【】/|,.;:*·•_-–")
_NAMES = ("gn", "gender", "geschlecht")


def plain(title: str) -> str:
    """A title without marks of gender ("Lehrer/in", "Koch/Köchin", "(m/w/d)") and without brackets."""
    text = unicodedata.normalize("NFKC", title).replace("’", "'")
    if _SIGNS.isdisjoint(text) and "In" not in text:
        small = text.lower()
        if not any(name in small for name in _NAMES):
            return " ".join(text.split())
    return _cleared(text)


def _cleared(text: str) -> str:
    text = _GENDERS.sub(" ", text)
    text = _FEMININE_IN_BRACKETS.sub(r"\1", text)
    text = _FEMININE_BEHIND_DOT.sub(r"\1", text)
    text = _FEMININE_CAPITAL.sub(r"\1", text)
    text = _PAIR.sub(_first_of_pair, _PAIR.sub(_first_of_pair, text))
    without = " ".join(_BRACKETS.sub(" ", text).split()).strip(" /,;:-–|")
    return without if len(without) > 2 else " ".join(text.split()).strip(" /,;:-–|")


def _first_of_pair(pair: re.Match[str]) -> str:
    """The first of two forms of one word; both where they are two words."""
    first, second = pair[1], pair[2]
    if len(second) <= 4 and len(first) >= 5 and second.islower() == first[1:].islower():
        return first  # kocinero/a, Lehrer/in
    alike = 0
    for a, b in zip(_bare(first), _bare(second), strict=False):
        if a != b:
            break
        alike += 1
    if alike >= 3 and alike >= 0.5 * min(len(first), len(second)):
        return first  # Koch/Köchin
    return f"{first} / {second}"


def _bare(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
