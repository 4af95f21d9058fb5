"""More like this record, and what it is matched with: candidates for a vacancy, vacancies for a candidate.

The search is asked several questions made of the record, each wider than the one before: its occupation and skills in
its country, its occupation there, both anywhere; only where they find little, the words of its title. What they find,
FAR at most, is ranked by a sum:

    OCCUPATION  if a unit group of ISCO-08 is the same
    SKILLS      times the share of the skills (those that the vacancy asks for; of two of a kind, those of the record)
    TITLE       times the share of the title's words
    PLACE       if a place is within NEAR km; half of it if a country is the same
    LANGUAGE    if the texts are written in one language

Every hit says what was counted, and a match also what is asked for and not named. A hit shows a title and where it is
from, as any list of hits: of a person no more than that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from landbridge.errors import LandbridgeError, NotFound
from landbridge.find import occupations as occupied
from landbridge.find.analysis import primary, tokens
from landbridge.find.index.document import key
from landbridge.find.occupations import Named, occupations
from landbridge.find.places import distance
from landbridge.find.query import LONGEST, Part, Query
from landbridge.find.record import Record
from landbridge.find.search import Hit, Result
from landbridge.find.skills import SCHEME, skills
from landbridge.find.skills import label as skill_label
from landbridge.kinds.kind import Kind

OCCUPATION, SKILLS, TITLE, PLACE, LANGUAGE = 3.0, 2.0, 1.0, 1.0, 0.5
FAR = 50  # hits that are ranked
NEAR = 50.0  # km
MOST = 10

Ask = Callable[[Query], Result]


class Reason(msgspec.Struct, frozen=True):
    """Something that two records share: what it is, in words, and its codes where it has some."""

    of: Literal["occupation", "skills", "title", "place", "language"]
    text: str
    codes: tuple[str, ...] = ()


class Missing(msgspec.Struct, frozen=True):
    """Something that a vacancy asks for and a candidate does not name."""

    of: Literal["skill", "language"]
    text: str
    code: str = ""


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that is like another, or matches it; `score` is the sum of what its reasons count."""

    id: str
    kind: str
    member: str
    source: str
    language: str
    title: str
    score: float
    why: list[Reason]
    missing: list[Missing] = []


class _Side:
    """What is compared of a record."""

    def __init__(self, record: Record, kind: Kind, named: Sequence[Named]) -> None:
        self.record = record
        self.kind = kind
        self.title = str(getattr(record.values, kind.title))
        self.language = primary(record.language)
        self.groups = tuple(dict.fromkeys(n.code for n in named if n.sure and n.scheme == "isco-08"))
        self.skills = skills(record, kind)
        self.words = frozenset(tokens(self.title, record.language))
        place = kind.first("place")
        found = getattr(record.values, place.name) if place else None
        self.places = [p for p in (found if isinstance(found, tuple) else (found,)) if p is not None]
        self.countries = tuple(dict.fromkeys(p.country for p in self.places if p.country))
        spoken = getattr(record.values, "languages", None) or ()
        self.spoken = {key(c.code or c.text): c.text or c.code for c in spoken}


def similar(record: Record, kind: Kind, ask: Ask, *, language: str = "en", limit: int = MOST) -> list[Match]:
    """Records of the same kind that are most like this one; names in the reasons are in `language`."""
    own = _Side(record, kind, occupations([record], kind)[0])
    return _ranked(own, kind, ask, language, limit)


def matches(
    record: Record,
    kinds: Mapping[str, Kind],
    ask: Ask,
    *,
    language: str = "en",
    limit: int = MOST,
) -> list[Match]:
    """Candidates for a vacancy, or vacancies for a candidate. Raises NotFound for a kind that is matched with none."""
    kind = kinds[record.kind]
    other = next((k for k in kinds.values() if k.named and k.personal != kind.personal), None)
    if other is None or kind.named is None:
        raise NotFound(f"a {kind.name} is matched with nothing", hint="similar finds more like it")
    own = _Side(record, kind, occupations([record], kind)[0])
    return _ranked(own, other, ask, language, limit)


def _ranked(own: _Side, kind: Kind, ask: Ask, language: str, limit: int) -> list[Match]:
    hits: dict[str, Hit] = {}
    for query in _questions(own, kind):
        if len(hits) >= FAR:
            break
        try:
            found = ask(query).hits
        except LandbridgeError:  # a title without a word
            continue
        hits.update((hit.id, hit) for hit in found if hit.id not in hits and hit.id != own.record.id)
    compared = [_compared(own, _read(hit, kind), language) for hit in list(hits.values())[:FAR]]
    return sorted((m for m in compared if m.why), key=lambda m: -m.score)[:limit]


def _questions(own: _Side, kind: Kind) -> Iterator[Query]:
    """What the search is asked, the narrowest first."""
    occupation = {kind.named.name: tuple(f"isco-08:{g}" for g in own.groups)} if kind.named else {}
    skilled = {kind.skilled.name: tuple(SCHEME + s for s in own.skills)} if kind.skilled else {}
    there = {"country": own.countries} if kind.first("place") else {}
    for parts in (
        (occupation, skilled, there),
        (occupation, there),
        (occupation, skilled),
        (occupation,),
        () if own.groups else (skilled,),
    ):
        filters = {name: values for part in parts for name, values in part.items()}
        if parts and all(filters.values()):
            yield Query(kind=kind.name, filters=filters, sort="date", limit=FAR)
    text = own.title[:LONGEST]
    yield Query(kind=kind.name, text=text, parts=(Part(text),), limit=FAR)


def _read(hit: Hit, kind: Kind) -> _Side:
    data: dict[str, Any] = msgspec.json.decode(hit.record)
    record = Record(
        id=hit.id,
        kind=kind.name,
        member=hit.member,
        source=hit.source,
        language=hit.language,
        values=kind.decoder.decode(msgspec.json.encode(data["values"])),
    )
    return _Side(record, kind, msgspec.convert(data.get("occupations", []), list[Named]))


def _compared(own: _Side, other: _Side, language: str) -> Match:
    why: list[Reason] = []
    score = 0.0
    if groups := tuple(g for g in own.groups if g in other.groups):
        score += OCCUPATION
        names = ", ".join(f"{g} {occupied.label(g, language)}" for g in groups)
        why.append(Reason("occupation", f"the same occupation: {names}", groups))
    asking, having = (other, own) if own.kind.personal and not other.kind.personal else (own, other)
    if shared := tuple(s for s in asking.skills if s in having.skills):
        score += SKILLS * len(shared) / len(asking.skills)
        names = ", ".join(skill_label(s, language) for s in shared)
        why.append(Reason("skills", f"skills: {names}", tuple(SCHEME + s for s in shared)))
    if common := own.words & other.words:
        score += TITLE * len(common) / len(own.words | other.words)
        why.append(Reason("title", "words of the title"))
    near, reason = _place(own, other)
    if reason is not None:
        score += near
        why.append(reason)
    if own.language and own.language == other.language and why:
        score += LANGUAGE
        why.append(Reason("language", "written in the same language", (own.language,)))
    missing: list[Missing] = []
    if asking.kind.personal != having.kind.personal:
        missing += [
            Missing("skill", skill_label(s, language), SCHEME + s)
            for s in asking.skills
            if s not in having.skills
        ]
        missing += [Missing("language", t) for k, t in asking.spoken.items() if k not in having.spoken]
    r = other.record
    return Match(
        r.id, other.kind.name, r.member, r.source, r.language, other.title, round(score, 3), why, missing
    )


def _place(own: _Side, other: _Side) -> tuple[float, Reason | None]:
    km = min(
        (
            distance(a.lat, a.lon, b.lat, b.lon)
            for a in own.places
            for b in other.places
            if None not in (a.lat, a.lon, b.lat, b.lon)
        ),
        default=NEAR + 1,
    )
    if km <= NEAR:
        return PLACE, Reason("place", f"{km:.0f} km away")
    if same := tuple(c for c in own.countries if c in other.countries):
        return PLACE / 2, Reason("place", "in the same country", same)
    return 0.0, None
