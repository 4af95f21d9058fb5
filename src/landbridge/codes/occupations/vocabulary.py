"""The vocabulary of occupations: ISCO-08, the ESCO occupations below its unit groups, and what people call them.

`data/titles/LANGUAGE.tsv` holds a line a concept: its code, a tab, its titles with " | " between them. The first is
the one a reader is shown, the others are what people type. A title of two unit groups bears "~" in each. Codes are
those of ISCO-08 (one to four digits) and of ESCO (2654.1.7), which `data/esco.tsv` leads to ESCO's identifiers.

ISCO-08: International Labour Organization, 2012. ESCO: European Commission, https://esco.ec.europa.eu.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from landbridge.errors import ConfigError

ESCO_URI = "http://data.europa.eu/esco/occupation/"
ISCO_URI = "http://data.europa.eu/esco/isco/C"
_ISCO = re.compile(r"[0-9]{1,4}")
_SCRIPTS = {
    "CYRILLIC": "be kk ky ru tg uk",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "CJK": "zh",
    "ARABIC": "ar",
}
_SCRIPT_OF = {language: script for script, languages in _SCRIPTS.items() for language in languages.split()}


class Title(NamedTuple):
    """One title; `concept` is an ISCO-08 code or an ESCO identifier, `group` its unit group (or itself)."""

    concept: str
    group: str
    language: str
    text: str
    preferred: bool
    ambiguous: bool


class Vocabulary:
    """All concepts and their titles."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self.esco = dict(_pairs(folder / "esco.tsv"))  # code: identifier
        self.group = {identifier: code[:4] for code, identifier in self.esco.items()}
        self.languages = tuple(
            sorted(path.name[:-4] for path in (folder / "titles").iterdir() if path.name.endswith(".tsv"))
        )
        self._labels: dict[str, dict[str, str]] = {}

    @property
    def concepts(self) -> tuple[str, ...]:
        """Every concept, in a fixed order: ISCO-08 by code, then ESCO's identifiers by ESCO's code."""
        return (*self._isco, *self.esco.values())

    @property
    def _isco(self) -> tuple[str, ...]:
        return tuple(sorted(code for code in self.labels("en") if _ISCO.fullmatch(code)))

    def titles(self, language: str = "") -> Iterator[Title]:
        """The titles of a language, or of all."""
        for one in [language] if language else self.languages:
            for code, listed in _pairs(self._folder / "titles" / f"{one}.tsv"):
                concept = self.esco.get(code, code)
                for n, text in enumerate(listed.split(" | ")):
                    yield Title(concept, code[:4], one, text.removeprefix("~"), n == 0, text[0] == "~")

    def labels(self, language: str) -> Mapping[str, str]:
        """The name of each concept in a language; only those that it has one for."""
        if language not in self.languages:
            return {}
        found = self._labels.get(language)
        if found is None:
            found = self._labels[language] = {t.concept: t.text for t in self.titles(language) if t.preferred}
        return found

    def label(self, concept: str, language: str) -> tuple[str, str]:
        """The name of a concept and the language it is in: the reader's, else English.

        An occupation of ESCO without either goes by the name of its unit group.
        """
        for one in (language, "en"):
            if text := self.labels(one).get(concept):
                return text, one
        group = self.group.get(concept)
        return self.label(group, language) if group else (concept, "")


def _pairs(path: Traversable) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            code, _, rest = line.rstrip("\n").partition("\t")
            if rest:
                yield code, rest


def check(language: str, lines: list[str], known: frozenset[str]) -> None:
    """Reads a file of titles with suspicion. Raises ConfigError with the line that is wrong.

    Wrong is: another shape, a code that is not `known` or comes twice, a title twice in a line, in several unit
    groups without "~", or in letters that the language is not written in.
    """
    script = _SCRIPT_OF.get(language, "LATIN")
    seen: set[str] = set()
    where: dict[str, tuple[str, bool, int]] = {}
    for number, line in enumerate(lines, 1):

        def wrong(what: str, number: int = number) -> ConfigError:
            return ConfigError(f"titles/{language}.tsv, line {number}: {what}", hint="correct the line")

        code, tab, listed = line.partition("\t")
        texts = listed.split(" | ")
        if not tab or "\t" in listed or not all(t.strip("~ ") for t in texts) or listed != listed.strip():
            raise wrong("not a code, a tab, and titles with ' | ' between them")
        if code not in known:
            raise wrong(f"no such code: {code}")
        if code in seen:
            raise wrong(f"{code} stands here for the second time")
        seen.add(code)
        plain = [t.removeprefix("~").casefold() for t in texts]
        if len(set(plain)) < len(plain):
            raise wrong("the same title twice")
        for text in texts:
            bare = text.removeprefix("~")
            if unicodedata.normalize("NFC", bare) != bare or " ".join(bare.split()) != bare:
                raise wrong(f"{bare!r} is not in Unicode's form C, or has spaces too many")
            if strange := _strange(bare, script):
                raise wrong(f"{bare!r} has letters that {language} is not written in: {strange}")
            other = where.setdefault(bare.casefold(), (code[:4], text[0] == "~", number))
            of_two = len(code) >= 4 and len(other[0]) == 4 and other[0] != code[:4]
            if of_two and not (text[0] == "~" and other[1]):
                raise wrong(f"{bare!r} is in {other[0]} (line {other[2]}) too: ~ before both")


def _strange(text: str, script: str) -> str:
    """The letters of another script; Latin ones pass in short loan words (IT, CNC)."""
    letters = [c for c in text if c.isalpha()]
    own = [c for c in letters if script in unicodedata.name(c, "")]
    strange = "".join(c for c in letters if c not in own and not c.isascii())
    if not strange and letters and not own and len(text) > 12:
        return text
    return strange


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary of this package."""
    return Vocabulary(resources.files("landbridge.codes.occupations") / "data")
