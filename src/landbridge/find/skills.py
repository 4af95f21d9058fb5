"""The skills of records, and the words by which the index knows them.

They are read in what a record lists as its skills, in its title, and in its first longer text. What is found goes into
the index beside the record's words: `|skill:excel` is a word of all that ask for it, whatever their language.
"""

from collections.abc import Sequence
from functools import lru_cache

from landbridge.codes.skills import skills as vocabulary
from landbridge.find.analysis import primary
from landbridge.find.record import Record
from landbridge.kinds.kind import Kind

SCHEME = "skill:"


@lru_cache(maxsize=1 << 15)
def listed(text: str, language: str) -> tuple[str, ...]:
    """The skills in one entry of a list of skills, which repeat."""
    return vocabulary().find(text, primary(language))


def told_in(kind: Kind) -> tuple[str, ...]:
    """The fields whose texts are read: the title, and the first of the other texts."""
    others = [f.name for f in kind.searched() if f.type == "text" and not f.many and f.name != kind.title]
    return (kind.title, *others[:1])


def told(record: Record, names: Sequence[str]) -> dict[str, None]:
    """The skills in the texts of these fields."""
    find, language = vocabulary().find, primary(record.language)
    return dict.fromkeys(
        one for name in names if (text := getattr(record.values, name)) for one in find(text, language)
    )


def skills(record: Record, kind: Kind) -> tuple[str, ...]:
    """The ids of the skills of a record: those that it lists first."""
    if kind.skilled is None:
        return ()
    entries = getattr(record.values, kind.skilled.name) or ()
    own = [one for c in entries for one in listed(c.text, record.language)]
    return tuple(dict.fromkeys([*own, *told(record, told_in(kind))]))


@lru_cache(maxsize=1 << 13)
def named(text: str) -> list[tuple[str, frozenset[str]]]:
    """The skills that the text of a query names, each with the words of it that name it."""
    return vocabulary().named(text)


def word(skill: str) -> str:
    """A skill as a word of the index; no word of a text is one."""
    return f"|{SCHEME}{skill}"


def said(token: str) -> str:
    """A skill's word of the index, for people."""
    return f"skill {label(token[1:])}"


def is_skill(term: str) -> bool:
    """Whether an exact term or a word of the index is a skill."""
    return term.removeprefix("|").startswith(SCHEME)


def label(term: str, language: str = "en") -> str:
    """The name of the skill that an exact term is, in a language or in English."""
    return vocabulary().label(term.removeprefix(SCHEME), language)


def labels(term: str) -> dict[str, str]:
    """The names of the skill that an exact term is, by language; "" for one that is the same everywhere."""
    return vocabulary().labels(term.removeprefix(SCHEME))


def look_up(text: str) -> str:
    """The exact term of the skill that a text is a name of, in whatever language; "" for none."""
    found = vocabulary().look_up(text)
    return SCHEME + found if found else ""
