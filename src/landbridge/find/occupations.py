"""The occupations of records and of queries, and the words by which the index knows them.

A record's own codes come first, led to ISCO-08 by a crosswalk; only where there is none is its title read, then its
other words. What is found goes into the index beside the record's words: `|7212` is a word of every welder's
advertisement, whatever its language.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from landbridge.codes.occupations.crosswalk import isco
from landbridge.codes.occupations.link import NOTHING, SURE_GROUP, Candidate, Link, Reading, linker
from landbridge.codes.occupations.vocabulary import ESCO_URI, ISCO_URI, vocabulary
from landbridge.find.analysis import primary
from landbridge.find.record import Record
from landbridge.kinds.kind import Kind

MOST = 2  # unit groups of a record
SECOND = 0.3  # the confidence of a second one
WEAK = 0.1  # from which the first is sought, though not said
_TEXT = 400  # characters of a description that are read where the title says nothing
_KNOWN = 1 << 16  # titles whose occupation is remembered: they repeat


class Named(msgspec.Struct, frozen=True, omit_defaults=True):
    """An occupation of a record: a unit group or an ESCO occupation, how sure, and by what it was told."""

    scheme: Literal["isco-08", "esco"]
    code: str
    confidence: float
    by: Literal["code", "title", "text"]

    @property
    def sure(self) -> bool:
        """Whether it is said of the record; what is not sure is a word of it in the index, and no more."""
        return self.confidence >= SURE_GROUP


_linked: dict[tuple[str, str], Link] = {}


def links(texts: Sequence[tuple[str, str]]) -> list[Link]:
    """What each (text, language) names; all that are new are worked out at once."""
    once = dict.fromkeys(texts)
    found = {one: _linked[one] for one in once if one in _linked}
    new = [one for one in once if one not in found]
    if new:
        made = linker().link([text for text, _ in new], [language for _, language in new])
        found.update(zip(new, made, strict=True))
        if len(_linked) + len(new) > _KNOWN:
            _linked.clear()
        _linked.update(zip(new, made, strict=True))
    return [found[one] for one in texts]


def occupations(records: Sequence[Record], kind: Kind) -> list[tuple[Named, ...]]:
    """The occupations of records of one kind, the likeliest first; none where nothing says so."""
    field = kind.named
    if field is None:
        return [()] * len(records)
    found: list[tuple[Named, ...]] = [_by_code(record, field.name) for record in records]
    open_ = [n for n, known in enumerate(found) if not known]
    titles = links([_title(records[n], kind) for n in open_])
    still: list[int] = []
    for n, link in zip(open_, titles, strict=True):
        found[n] = _named(link, "title")
        if not any(one.sure for one in found[n]):
            still.append(n)
    for n, link in zip(still, links([_text(records[n], kind) for n in still]), strict=True):
        read = _named(link, "text")
        if any(one.sure for one in read) or not found[n]:
            found[n] = read
    return found


def _by_code(record: Record, name: str) -> tuple[Named, ...]:
    value = getattr(record.values, name)
    concepts = value if isinstance(value, tuple) else (value,) if value else ()
    groups: dict[str, None] = {}
    for concept in concepts:
        if concept.code:
            groups.update(dict.fromkeys(isco(concept.scheme, concept.code)[:1]))
    return tuple(Named("isco-08", code, 1.0, "code") for code in list(groups)[:MOST])


def _title(record: Record, kind: Kind) -> tuple[str, str]:
    return str(getattr(record.values, kind.title)), primary(record.language)


def _text(record: Record, kind: Kind) -> tuple[str, str]:
    """The words of its own occupation, else how its description begins."""
    language = primary(record.language)
    if kind.named is not None:
        value = getattr(record.values, kind.named.name)
        for concept in value if isinstance(value, tuple) else (value,) if value else ():
            if concept.text:
                return concept.text, language
    texts = [f.name for f in kind.searched() if f.type == "text" and f.name != kind.title and not f.many]
    return next((str(text)[:_TEXT] for name in texts if (text := getattr(record.values, name))), ""), language


def _named(link: Link, by: Literal["title", "text"]) -> tuple[Named, ...]:
    """What is sure enough to be said, and what is only sought (`Named.sure`)."""
    groups = [c for n, c in enumerate(link.groups[:MOST]) if c.confidence >= (WEAK if n == 0 else SECOND)]
    esco = [c for c in link.occupations if c.scheme == "esco"]
    return tuple(Named(c.scheme, c.code, c.confidence, by) for c in (*groups, *esco))


def word(scheme: str, code: str) -> str:
    """An occupation as a word of the index; no word of a text is one."""
    return f"|{code}" if scheme == "isco-08" else f"|{code[:8]}"


@lru_cache(maxsize=1 << 13)
def asked(text: str, *, closely: bool = False) -> Reading:
    """What the text of a query names; `closely` even where no word of it looks like one of a title's."""
    return linker().read(text, closely=closely) if text else Reading(NOTHING)


def said(token: str) -> str:
    """An occupation's word of the index, for people."""
    code = token[1:]
    known = vocabulary()
    code = (
        code
        if code.isdigit() and len(code) == 4
        else next((c for c in known.group if c.startswith(code)), code)
    )
    return f"occupation {known.group.get(code, code)} {known.label(code, 'en')[0]}"


def label(code: str, language: str = "en") -> str:
    """The name of an occupation in a language, or in English where it has none there."""
    return vocabulary().label(code, language)[0]


def is_unit(term: str) -> bool:
    """Whether an exact term of the index is a unit group of ISCO-08."""
    return term.startswith("isco-08:") and term[8:].isdigit()


class Occupation(msgspec.Struct, frozen=True):
    """A concept of ISCO-08 or ESCO with its name, the language of the name, and how sure it is (0 to 1)."""

    scheme: Literal["isco-08", "esco"]
    code: str
    uri: str
    label: str
    language: str
    confidence: float


class ReadAs(msgspec.Struct, frozen=True):
    """What a text names: occupations of ESCO (several if unsure), a unit group of ISCO-08, or none.

    `groups` are the likeliest unit groups in any case.
    """

    kind: Literal["occupation", "group", "none"]
    occupations: list[Occupation]
    groups: list[Occupation]


def read(title: str, text: str = "", *, language: str = "en", written: str = "") -> ReadAs:
    """Reads the occupation out of a title, or out of further text where the title names none.

    `language` is that of the names in the answer, `written` that of the text where it is known.
    """
    return read_all([(title, text)], language=language, written=written)[0]


def read_all(rows: Sequence[tuple[str, str]], *, language: str = "en", written: str = "") -> list[ReadAs]:
    """`read` for many titles (and their texts) at once."""
    found = linker().link([title for title, _ in rows], [written] * len(rows))
    still = [n for n, link in enumerate(found) if link.kind == "none" and rows[n][1].strip()]
    for n, link in zip(
        still, linker().link([rows[n][1][:_TEXT] for n in still], [written] * len(still)), strict=True
    ):
        found[n] = link if link.kind != "none" else found[n]

    def named(candidate: Candidate) -> Occupation:
        name, of = vocabulary().label(candidate.code, language)
        uri = (ESCO_URI if candidate.scheme == "esco" else ISCO_URI) + candidate.code
        return Occupation(candidate.scheme, candidate.code, uri, name, of, candidate.confidence)

    return [
        ReadAs(link.kind, [named(c) for c in link.occupations], [named(c) for c in link.groups])
        for link in found
    ]
