"""Skills that job ads ask for, and how they are called: which of them a text names, and what they are called here.

`skills.tsv` holds a line a skill: its id, the forms that are the same everywhere (CNC, Excel, 1С), then a column a
language, forms with " | " between them; the first of a language is the one a reader is shown. A form that begins
with "=" stands in a text with its capitals only: one asks for Excel, and one may excel. A Latin one may do without
in a text that has no capitals at all.

A text is read in words. Those of a language that bends them are compared by their stems, those of every language as
they are; of forms that begin at one word the longest counts. Chinese has no spaces: there a form is a part of the text.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import chain
from typing import NamedTuple

import Stemmer

from landbridge.codes.occupations.encoder import spaceless
from landbridge.codes.occupations.vocabulary import vocabulary
from landbridge.errors import ConfigError

READ = 4_000  # characters of a text that are read
EVERYWHERE = "*"  # the column of the forms that every language has
_ALIASES = {"nb": "no", "nn": "no"}
_STEMMERS = {"ru": "russian", "fr": "french", "no": "norwegian", "de": "german", "es": "spanish"}
_BENT = frozenset({*_STEMMERS, "kk"})
_WITHOUT_ENGLISH = frozenset({"fr", "no", "de", "es"})  # where English forms may be other words
# Where a Latin name in small letters is no word of the language: "знание excel".
_LOOSE = frozenset("ru kk vi id zh be uk ky tg hy ka th km lo my ar".split())  # noqa: SIM905
_OTHER = "* "  # of readers for languages without a column
_LAYERS, _SHORTEST = 3, 4  # Kazakh endings that are taken off, and the letters that stay
_LONG = 40  # letters of what is remembered
_KNOWN = 1 << 16  # words of a language that are remembered
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\uffff"
_WORD = re.compile(rf"(?:(?<![\w.])\.)?[^\W_{_SPACELESS}]+[+#]*")  # with the signs of C++, C# and .NET
_UNCOMPOSED = re.compile("[\u0300-\u036f\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u00a0\ufb00-\ufb06]")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ENDINGS = tuple(  # Kazakh: case and number, the longest first
    "ының інің дың дің тың тің ның нің дан ден тан тен нан нен мен бен пен лар лер дар дер тар тер ына іне "  # noqa: SIM905
    "ды ді ты ті ны ні ға ге қа ке да де та те сы сі ын ін ы і".split()
)


class Form(NamedTuple):
    """One way to write a skill; `cased` where only with its capitals."""

    skill: str
    language: str  # "*" for all
    text: str
    cased: bool


Keys = tuple[str, ...]  # a word as it is compared: as it is, and by its stems


class _Node(dict[str, "_Node"]):
    """What may follow in a form, and the forms that end here."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []


class _Words(dict[str, tuple[Keys, ...]]):
    """The words of what stands between two spaces, each with those of its keys that a form has. Remembers the short."""

    def __init__(self, known: Iterable[str], languages: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._bent = [(f"{one}~", _stems(one)) for one in languages if one in _BENT]

    def __missing__(self, text: str) -> tuple[Keys, ...]:
        found = tuple(map(self._keys, _WORD.findall(text)))
        if len(text) <= _LONG:
            if len(self) >= _KNOWN:
                self.clear()
            self[text] = found
        return found

    def _keys(self, word: str) -> Keys:
        keys = (word, *(start + stem(word) for start, stem in self._bent))
        return tuple(key for key in keys if key in self._known)


class _Reader:
    """Finds the forms of some languages in texts; `loose` lets small letters stand for capitals."""

    def __init__(self, forms: Iterable[Form], languages: Iterable[str], *, loose: bool) -> None:
        self._loose = loose
        self._root = _Node()
        self._inside: dict[str, list[tuple[str, str]]] = {}  # first letter: forms without spaces
        known: set[str] = set()
        for form in forms:
            keys = compared(form)
            if _is_spaceless(form.text):
                self._inside.setdefault(keys[0][0], []).append((keys[0], form.skill))
                continue
            known.update(keys)
            node = self._root
            for key in keys:
                node = node.setdefault(key, _Node())
            node.forms.append(form)
        self._words = _Words(known, languages)

    def find(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(skill for skill, _, _ in self.places(text[:READ], fold(text[:READ]))))

    def places(self, text: str, folded: str) -> Iterator[tuple[str, range, str]]:
        """The skills of a text with what names them: the places of its words, or a part of it."""
        row = list(chain.from_iterable(map(self._words.__getitem__, folded.split())))
        after = 0
        for at, keys in enumerate(row):
            if keys and at >= after:
                nodes, end = [self._root], at
                while nodes and end < len(row):
                    nodes = [node[key] for node in nodes for key in row[end] if key in node]
                    end += 1
                    for node in nodes:
                        for form in node.forms:
                            if self._stands(form, text, folded):
                                longest, after = form.skill, end
                if after > at:
                    yield longest, range(at, after), ""
        if self._inside and not folded.isascii():
            letters = self._inside.keys() & set(folded)
            inside = [one for letter in letters for one in self._inside[letter] if one[0] in folded]
            for part, skill in sorted(inside, key=lambda one: (-len(one[0]), one)):
                if part in folded:  # not inside a longer one
                    folded = folded.replace(part, " ")
                    yield skill, range(0), part

    def _stands(self, form: Form, text: str, folded: str) -> bool:
        """Whether a form that may stand here is written with its capitals, where it must be."""
        if not form.cased or (self._loose and form.text.isascii()):
            return True
        return form.text in text or form.text.upper() in text or (form.text.isascii() and text == folded)


class Skills:
    """All skills with their forms."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms
        self._readers: dict[str, _Reader] = {}
        self._names: dict[str, dict[str, str]] = {}
        self._whole: dict[tuple[str, ...], str] = {}
        for form in forms:
            self._names.setdefault(form.language, {}).setdefault(form.skill, form.text)
            self._whole.setdefault(_plain(form.text), form.skill)
        self.ids = tuple(dict.fromkeys(form.skill for form in forms))
        self.languages = tuple(one for one in self._names if one != EVERYWHERE)

    def find(self, text: str, language: str = "") -> tuple[str, ...]:
        """The ids of the skills that a text names, in the language that it is written in; in all without one.

        At most READ characters are read. English forms count too in languages where they are no other words.
        """
        return self._reader(language).find(text)

    def named(self, text: str) -> list[tuple[str, frozenset[str]]]:
        """The skills that a text names, in whatever language, each with the words of it that name it."""
        text = text[:READ]
        folded = fold(text)
        words = _WORD.findall(folded)
        return [
            (skill, frozenset([part] if part else [words[n] for n in places]))
            for skill, places, part in self._reader("").places(text, folded)
        ]

    def _reader(self, language: str) -> _Reader:
        reader = self._readers.get(language)
        if reader is None:
            reader = self._readers[language] = self._new_reader(language)
        return reader

    def _new_reader(self, language: str) -> _Reader:
        own = _ALIASES.get(language, language)
        if own and own not in self.languages and language[0] != _OTHER[0]:
            return self._reader(_OTHER + (own if own in _LOOSE else ""))
        if not own:
            languages = set(self.languages)
        else:
            languages = {own} if own in _WITHOUT_ENGLISH else {own, "en"}
        chosen = [form for form in self._forms if form.language in languages or form.language == EVERYWHERE]
        return _Reader(chosen, sorted(languages), loose=own.removeprefix(_OTHER) in _LOOSE)

    def look_up(self, text: str) -> str:
        """The id of the skill that the text is a form of, in whatever language; "" for none."""
        return self._whole.get(_plain(text), "")

    def label(self, skill: str, language: str = "en") -> str:
        """What a skill is called in a language, or else in English, or everywhere; the id where there is none."""
        for one in (_ALIASES.get(language, language), "en", EVERYWHERE):
            if text := self._names.get(one, {}).get(skill):
                return text
        return skill

    def labels(self, skill: str) -> dict[str, str]:
        """The names of a skill: by language, "" for one that is the same everywhere."""
        named = {one: names[skill] for one, names in self._names.items() if skill in names}
        if EVERYWHERE in named:
            named[""] = named.pop(EVERYWHERE)
        return named


def fold(text: str) -> str:
    """A text as it is compared: small letters, composed, ё as е, letters of full width as others."""
    if not text.isascii() and _UNCOMPOSED.search(text):
        text = unicodedata.normalize("NFKC", text)
    return text.casefold().replace("ё", "е")


def _is_spaceless(text: str) -> bool:
    return any(map(spaceless, text))


def compared(form: Form) -> tuple[str, ...]:
    """The words of a form as they are compared; the whole of one without spaces."""
    if _is_spaceless(form.text):
        return (fold(form.text),)
    words = _WORD.findall(fold(form.text))
    if form.language not in _BENT:
        return tuple(words)
    stem = _stems(form.language)
    return tuple(f"{form.language}~{stem(word)}" for word in words)


def _plain(text: str) -> tuple[str, ...]:
    return compared(Form("", EVERYWHERE, text.strip(), False))


def _stems(language: str) -> Callable[[str], str]:
    if language == "kk":
        return _kazakh
    stem: Callable[[str], str] = Stemmer.Stemmer(_STEMMERS[language], 0).stemWord
    return stem


def _kazakh(word: str) -> str:
    for _ in range(_LAYERS):
        for ending in _ENDINGS:
            if len(word) - len(ending) >= _SHORTEST and word.endswith(ending):
                word = word[: -len(ending)]
                break
        else:
            break
    return word


def read(lines: Sequence[str]) -> list[Form]:
    """The forms in the lines of `skills.tsv`. Raises ConfigError with the line that is wrong.

    Wrong is: another shape, a language that we do not know, an id or a form that comes twice.
    """

    def wrong(number: int, what: str) -> ConfigError:
        return ConfigError(f"skills.tsv, line {number}: {what}", hint="correct the line")

    head = lines[0].split("\t") if lines else []
    if head[:2] != ["skill", EVERYWHERE]:
        raise wrong(1, f"the first columns are skill and {EVERYWHERE}")
    for language in head[2:]:
        if language not in vocabulary().languages or head.count(language) > 1:
            raise wrong(1, f"no such language, or twice: {language!r}")
    found: list[Form] = []
    ids: dict[str, int] = {}
    where: dict[tuple[str, ...], tuple[str, int]] = {}
    seen: set[tuple[str, str, tuple[str, ...]]] = set()
    for number, line in enumerate(lines[1:], 2):
        id_, *cells = line.split("\t")
        if not _ID.fullmatch(id_) or not any(cells) or len(cells) >= len(head):
            raise wrong(number, "not an id, and its forms in a column a language")
        if ids.setdefault(id_, number) != number:
            raise wrong(number, f"{id_} stands in line {ids[id_]} too")
        for language, cell in zip(head[1:], cells, strict=False):
            for written in cell.split(" | ") if cell else ():
                form = Form(id_, language, written.removeprefix("="), written[:1] == "=")
                if not _plain(form.text) or " ".join(form.text.split()) != form.text:
                    raise wrong(number, f"{written!r} is no form: it has no word, or spaces too many")
                if (id_, language, _plain(form.text)) in seen:
                    raise wrong(number, f"{form.text!r} comes twice")
                seen.add((id_, language, _plain(form.text)))
                for keys in (_plain(form.text), compared(form)):
                    other, at = where.setdefault(keys, (id_, number))
                    if other != id_:
                        raise wrong(number, f"{form.text!r} is {other} too (line {at})")
                found.append(form)
    return found


@cache
def skills() -> Skills:
    """The skills of this package."""
    path = resources.files("landbridge.codes.skills") / "skills.tsv"
    return Skills(read(path.read_text("utf-8").splitlines()))
