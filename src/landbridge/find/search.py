"""One ranked answer over many members' indexes, and how each of them stands.

Ranking. Every index scores by BM25 over its own frequencies, which would make a word that is rare in one
country weigh more there than elsewhere. So each word's frequency is added up over all indexes that are asked,
and each index gets the word with the boost that turns its own weight (idf) into the common one; then scores
compare, and hits are merged by score. (Only the average length stays the member's own: a text is long or
short among its neighbours.) Reciprocal rank fusion, which needs no scores, is for engines whose scores cannot be
corrected so; it would put the best of an index without good hits beside the best of all.

Freshness. Within each BLOCK of the merged ranking a score counts up to FRESH more, half as much more with every
HALF_LIFE days of age: it decides between hits of much the same relevance. A block is ranked as a whole, whatever
the pages are; ties go to the newer record, then to a hash of the identifier.
"""

import base64
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from landbridge import codes
from landbridge.codes.occupations.link import Candidate
from landbridge.errors import LandbridgeError, UsageError
from landbridge.find import occupations, skills, words
from landbridge.find.highlight import Marker, Piece
from landbridge.find.index.document import TIE_BITS, once_a_kind
from landbridge.find.index.protocol import (
    DEEPEST,
    Answer,
    AtLeast,
    Counted,
    Filter,
    Index,
    Near,
    Plan,
    Reading,
    Sort,
    Terms,
    View,
)
from landbridge.find.places import distance
from landbridge.find.query import PlaceRead, Query, below
from landbridge.find.rates import Rates
from landbridge.find.words import Asked
from landbridge.kinds.kind import Kind

BLOCK = 30  # hits that are ranked together by relevance and freshness
FRESH = 0.15
HALF_LIFE = 30.0  # days
SHOWN = 20  # values of an open facet (employers, towns); of a closed one all
_CLOSED = 200
_READ = 200  # records at a time where all are wanted
_DAY = 86_400

State = Literal["ok", "stale", "held", "failed", "never"]


class Standing(msgspec.Struct, frozen=True):
    """How a member stands for one kind, as the journal knows it."""

    id: str
    name: str
    state: State
    as_of: datetime | None = None  # of the oldest of its sources' last good runs
    harvested: int = 0
    claimed: int | None = None  # what its registers say they hold
    why: str = ""


class MemberAnswer(msgspec.Struct, frozen=True):
    """What one member said: its state, its age, its hits, and how much of it is here."""

    id: str
    name: str
    state: State
    as_of: datetime | None
    age_seconds: float | None
    hits: int
    hits_exact: bool
    harvested: int
    claimed: int | None
    why: str = ""


class Total(msgspec.Struct, frozen=True):
    """How many match: so many, or at least so many."""

    count: int
    exact: bool


class YearlyPay(msgspec.Struct, frozen=True):
    """The pay of a hit in the viewer's currency, for a year of full-time work."""

    low: float
    high: float
    currency: str


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record that was found; `record` is its JSON. `title` and `snippet` are pieces: text, marked or not."""

    id: str
    member: str
    source: str
    language: str
    title: list[Piece]
    record: msgspec.Raw
    snippet: list[Piece] = []
    score: float = 0.0
    distance_km: float | None = None
    pay: YearlyPay | None = None
    why: list[str] = []


class FacetValue(msgspec.Struct, frozen=True):
    """`key` is what the filter of the facet's name takes; `label` the words where the key is none."""

    key: str
    label: str
    count: int


class Facet(msgspec.Struct, frozen=True):
    """The values of a field among the hits, the most frequent first; `missing` hits have none.

    A filter on the field itself is left out of its counts. Without `exact`, rare values may be short of hits.
    """

    name: str
    values: list[FacetValue]
    missing: int
    exact: bool


class Correction(msgspec.Struct, frozen=True):
    """A word that no index knows, and the words that were sought instead."""

    word: str
    searched: list[str]


class Result(msgspec.Struct, frozen=True):
    """The answer. `unknown` counts, by filter, records that lack a value for it and match all else.

    `complete` is false where a member that was asked did not answer with all it has.
    """

    total: Total
    hits: list[Hit]
    facets: list[Facet]
    unknown: dict[str, int]
    corrections: list[Correction]
    members: list[MemberAnswer]
    complete: bool
    sort: Sort
    cursor: str = ""
    plans: dict[str, str] = {}
    occupations: tuple[Candidate, ...] = ()  # that the text was read as
    place: PlaceRead | None = None  # that the name was read as


class Participant(Protocol):
    """Of a member, what a search must know."""

    @property
    def countries(self) -> tuple[str, ...]: ...


def search(
    query: Query,
    *,
    kind: Kind,
    indexes: Mapping[str, Index | Exception],
    members: Mapping[str, Participant],
    standings: Mapping[str, Standing],
    rates: Rates,
    snippets: bool = True,
    now: datetime | None = None,
) -> Result:
    """Asks the indexes of `members` and merges what they say.

    An index that is missing, an exception, or fails leaves its member's state as "failed" and why; the others
    answer. Raises UsageError for a query without a word in it, or a cursor of another query.
    """
    now = now or datetime.now(UTC)
    views, failed = _open(indexes)
    page = _page(query, now)
    asked = _asked(query, kind, views)
    common = tuple(_filters(query, kind, dict(query.filters)))
    plans = {m: _plan(query, kind, asked, m, members[m], views[m], page, common) for m in views}
    merged = _Merged(query, page, now)
    for member, plan in plans.items():
        try:
            merged.add(member, views[member], plan)
        except (LandbridgeError, OSError, ValueError) as error:
            failed[member] = str(error)
    chosen = merged.take()
    marker = Marker(asked.terms(), asked.typed()) if snippets else None
    hits = _hits(chosen, merged, query, kind, marker, rates)
    answers = [
        _member(s, views.get(m), merged.answers.get(m), failed.get(m, ""), now)
        if m in indexes
        else _unasked(s, now)
        for m, s in standings.items()
    ]
    return Result(
        total=Total(
            count=sum(a.total for a in merged.answers.values()),
            exact=all(a.exact for a in merged.answers.values()),
        ),
        hits=hits,
        facets=[_facet(name, merged, views, kind) for name in query.facets],
        unknown=_unknown(merged),
        corrections=[
            Correction(word, searched)
            for word, searched in asked.corrections([p for h in hits for p in (h.title, h.snippet)])
        ],
        members=answers,
        complete=all(a.state == "ok" for a in answers),
        sort=query.sort,
        cursor=merged.next_page(),
        plans={m: _in_words(plans[m], views[m]) for m in plans} if query.explain else {},
        occupations=asked.named,
        place=query.place,
    )


def every(
    query: Query,
    *,
    kind: Kind,
    indexes: Mapping[str, Index],
    members: Mapping[str, Participant],
    now: datetime | None = None,
) -> Iterator[list[bytes]]:
    """Every record (JSON) that matches, some at a time: member by member, as these now are, however many there are.

    An index is read only DEEPEST hits deep; so one with more is asked for windows of the journal's numbers, which
    are halved until each has no more than that. Raises what an index raises that cannot be read.
    """
    views = {member: index.view() for member, index in indexes.items()}
    page = _page(msgspec.structs.replace(query, cursor=""), now or datetime.now(UTC))
    asked = _asked(query, kind, views)
    common = tuple(_filters(query, kind, dict(query.filters)))
    for member, view in views.items():
        plan = _plan(query, kind, asked, member, members[member], view, page, common)
        plan = msgspec.structs.replace(plan, sort="date", facets=(), lacking=False, limit=_READ)
        yield from _window(view, plan, 0, view.seq)


def _window(view: View, plan: Plan, above: int, upto: int) -> Iterator[list[bytes]]:
    plan = msgspec.structs.replace(plan, above=above, upto=upto)
    answer = view.search(plan)
    if (answer.total > DEEPEST or not answer.exact) and upto - above > 1:
        middle = (above + upto) // 2
        yield from _window(view, plan, above, middle)
        yield from _window(view, plan, middle, upto)
        return
    read = 0
    while found := len(answer.hits):
        yield answer.read(range(found))
        read += found
        if read >= answer.total:
            return
        answer = view.search(msgspec.structs.replace(plan, offset=read))


def _asked(query: Query, kind: Kind, views: Mapping[str, View]) -> Asked:
    """The words of the query in the languages that these indexes have, weighed over all of them."""
    languages = sorted(set().union(*(v.languages() for v in views.values())))
    if wanted := query.filters.get("language"):
        languages = [
            one for one in languages if one.startswith(tuple(f"{w}-" for w in wanted)) or one in wanted
        ]
    return words.read(query, kind, languages, views)


def _open(indexes: Mapping[str, Index | Exception]) -> tuple[dict[str, View], dict[str, str]]:
    views: dict[str, View] = {}
    failed: dict[str, str] = {}
    for member, index in indexes.items():
        if isinstance(index, Exception):
            failed[member] = str(index)
            continue
        try:
            views[member] = index.view()
        except (LandbridgeError, OSError, ValueError) as error:
            failed[member] = str(error)
    return views, failed


# plans


class _Page(msgspec.Struct, frozen=True):
    """Where a page stops: how far each index was read, how far into a block, and what the first page saw."""

    query: str
    day: int  # the freshness of all pages is reckoned from it
    at: dict[str, tuple[int, int]]  # member: hits before the block, journal's number of the first page
    skip: int = 0


def _page(query: Query, now: datetime) -> _Page:
    own = query.print_of()
    if not query.cursor:
        return _Page(query=own, day=int(now.timestamp()) // _DAY, at={})
    try:
        packed = base64.b64decode(
            query.cursor + "=" * (-len(query.cursor) % 4), altchars=b"-_", validate=True
        )
        page = msgspec.msgpack.decode(packed, type=_Page)
    except (ValueError, msgspec.DecodeError):
        raise UsageError(
            "this cursor is not ours", parameter="cursor", hint="take it from an answer"
        ) from None
    if page.query != own:
        raise UsageError("this cursor belongs to another query", parameter="cursor", hint="begin without one")
    good = 0 <= page.skip < BLOCK and 0 <= page.day < 1_000_000
    if not good or any(not 0 <= o <= DEEPEST or not 0 <= s < 1 << 62 for o, s in page.at.values()):
        raise UsageError("this cursor is not ours", parameter="cursor", hint="take it from an answer")
    return page


def _plan(
    query: Query,
    kind: Kind,
    asked: Asked,
    member: str,
    party: Participant,
    view: View,
    page: _Page,
    common: tuple[Filter, ...],
) -> Plan:
    offset, upto = page.at.get(member, (0, view.seq))
    narrowed = _narrowed(query, kind, member, party)
    return Plan(
        words=asked.words_in(member),
        without=asked.without_in(member) if asked.without else (),
        filters=common if narrowed is None else tuple(_filters(query, kind, narrowed)),
        sort=query.sort,
        offset=offset,
        limit=BLOCK if query.sort == "relevance" else query.limit,
        facets=query.facets,
        upto=upto,
    )


def _narrowed(query: Query, kind: Kind, member: str, party: Participant) -> dict[str, tuple[str, ...]] | None:
    """The filters for a member of several countries of which some were named; None where all are the query's."""
    if not query.members or len(party.countries) < 2 or member in query.members or not kind.first("place"):
        return None
    named = [code for name in query.members if (code := codes.country(name))]
    if not named:
        return None
    own = [c for c in named if c in party.countries]
    return {
        **query.filters,
        "country": tuple(c for c in own if c in query.filters.get("country", own)),
    }


def _filters(query: Query, kind: Kind, chosen: Mapping[str, tuple[str, ...]]) -> Iterator[Filter]:
    for column, values in chosen.items():
        wide = tuple(v for v in values if below(column, kind, v))
        exact = tuple(v for v in values if v not in wide)
        if column == "language":  # pt is pt-BR too
            wide = tuple(f"{v}-" for v in values)
        yield Terms(column, column, exact, wide, column in query.unknown)
    if query.around is not None:
        a = query.around
        yield Near(a.lat, a.lon, a.km, or_lacking="place" in query.unknown)
    if query.pay is not None:
        yield AtLeast("pay", "top", round(query.pay.per_year * 100), "pay" in query.unknown)
    if query.since is not None:
        yield AtLeast("since", "date", query.since, "since" in query.unknown)


def _in_words(plan: Plan, view: View) -> str:
    """What an index was asked, for people."""

    def reading(r: Reading) -> str:
        text = _said(r.tokens)
        return (f'"{text}"' if len(r.tokens) > 1 else text) + (f" ×{r.boost:.2f}" if r.boost != 1 else "")

    said = [" or ".join(map(reading, w.readings)) or "a word that it does not have" for w in plan.words]
    said += ["not " + " nor ".join(map(reading, w.readings)) for w in plan.without if w.readings]
    for one in plan.filters:
        if isinstance(one, Terms):
            what = f"{one.column} in {', '.join([*one.values, *(p + '…' for p in one.prefixes)])}"
        elif isinstance(one, Near):
            what = f"within {one.km:g} km of {one.lat:.2f},{one.lon:.2f}"
        else:
            what = f"{one.name} at least {one.low}"
        said.append(what + (", or unknown" if one.or_lacking else ""))
    return f"{'; '.join(said) or 'everything'}; by {plan.sort}; of {view.count():,} records"


# merging


_Found = tuple[str, int, float, int]  # member, place in its answer, what orders it, what settles ties
# to be sorted: -score, -order, member, place; and the score before freshness
_Ranked = tuple[float, int, str, int, float]


class _Chosen(NamedTuple):
    """A hit on its way to the page."""

    score: float
    raw: float  # before freshness
    member: str
    position: int
    answer: Answer


class _Merged:
    """What the indexes answered, and the block of their common ranking that the page lies in."""

    def __init__(self, query: Query, page: _Page, now: datetime) -> None:
        self.query = query
        self.answers: dict[str, Answer] = {}
        self.day = page.day
        self._page = page
        self._size = BLOCK if query.sort == "relevance" else query.limit
        self._asks: dict[str, tuple[View, Plan]] = {}
        self._offsets: dict[str, int] = {}
        self._blocks: dict[str, Answer] = {}
        self._skip = 0  # into the block that the next page begins in
        self._ended = False

    def add(self, member: str, view: View, plan: Plan) -> None:
        answer = view.search(plan)
        self.answers[member] = self._blocks[member] = answer
        self._asks[member] = (view, plan)
        self._offsets[member] = plan.offset

    def take(self) -> list[_Chosen]:
        """The hits of the page."""
        wanted, skip = self.query.limit, self._page.skip
        page: list[_Chosen] = []
        while True:
            block = self._block()
            ranked = self._ranked(block)
            part = ranked[skip : skip + wanted - len(page)]
            page += [
                _Chosen(-score, raw, member, n, self._blocks[member]) for score, _, member, n, raw in part
            ]
            if skip + len(part) < len(ranked):
                self._skip = skip + len(part)
                return page
            for member, _, _, _ in block:
                self._offsets[member] += 1
            skip = 0
            self._ended = len(block) < self._size
            if len(page) >= wanted or self._ended:
                return page
            self._ask_on()

    def _ask_on(self) -> None:
        self._blocks = {
            member: view.search(
                msgspec.structs.replace(plan, offset=self._offsets[member], facets=(), lacking=False)
            )
            for member, (view, plan) in self._asks.items()
            if self._goes_on(member)
        }

    def _goes_on(self, member: str) -> bool:
        answer = self.answers[member]
        return self._offsets[member] < (min(answer.total, DEEPEST) if answer.exact else DEEPEST)

    def _block(self) -> list[_Found]:
        """The next hits of all indexes together, each index's in its own order."""
        by_relevance = self.query.sort == "relevance"
        members = list(self._blocks)
        every: list[tuple[float, int, int, int]] = []
        for number, member in enumerate(members):
            hits = enumerate(self._blocks[member].hits)
            if by_relevance:
                every += [(-first, 0, number, n) for n, (first, _) in hits]
            else:
                every += [(-first, -order, number, n) for n, (first, order) in hits]
        every.sort()
        return [
            (members[number], n, -first, self._blocks[members[number]].hits[n][1])
            for first, _, number, n in every[: self._size]
        ]

    def _ranked(self, block: list[_Found]) -> list[_Ranked]:
        if self.query.sort != "relevance":
            return [(-first, -order, member, n, first) for member, n, first, order in block]
        ranked = []
        for member, n, first, order in block:
            score = first * freshness(order >> TIE_BITS, self.day)
            ranked.append((-score, -order, member, n, first))
        ranked.sort()
        return ranked

    def next_page(self) -> str:
        if self._ended or not (self._skip or any(self._goes_on(m) for m in self.answers)):
            return ""
        at = {m: (self._offsets[m], plan.upto or 0) for m, (_, plan) in self._asks.items()}
        packed = msgspec.msgpack.encode(_Page(query=self._page.query, day=self.day, at=at, skip=self._skip))
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


_FRESHNESS = [1.0 + FRESH * math.pow(0.5, age / HALF_LIFE) for age in range(1_000)] + [1.0]  # by days of age


def freshness(seconds: int, day: int) -> float:
    """What a date multiplies a score by: from 1 + FRESH today down to 1; 1 where there is no date."""
    if not seconds:
        return 1.0
    age = day - seconds // _DAY
    return _FRESHNESS[0 if age < 0 else age if age < len(_FRESHNESS) else -1]


# what is shown


class _Glance:
    """Reads of a stored record no more than what a hit shows of it."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.title = kind.title
        self.texts = [
            f.name for f in kind.searched() if f.type == "text" and not f.many and f.name != kind.title
        ]
        place = kind.first("place")
        self.place = place.name if place else ""
        fields: list[tuple[str, Any, Any]] = [(name, str, "") for name in (self.title, *self.texts)]
        if place is not None:
            shape: Any = list[_Point] if place.many else _Point
            empty: Any = list if place.many else _Point
            fields.append((place.name, shape, msgspec.field(default_factory=empty)))
        values = msgspec.defstruct("Values", fields)
        record = msgspec.defstruct(
            "Glance", [("id", str), ("member", str), ("source", str), ("language", str), ("values", values)]
        )
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(record).decode


class _Point(msgspec.Struct):
    lat: float | None = None
    lon: float | None = None


_glance = once_a_kind(_Glance)


def _hits(
    chosen: list[_Chosen], merged: _Merged, query: Query, kind: Kind, marker: Marker | None, rates: Rates
) -> list[Hit]:
    glance = _glance(kind)
    records: dict[int, bytes] = {}
    pays: dict[int, tuple[int, int] | None] = {}
    together: dict[int, list[int]] = {}
    for n, c in enumerate(chosen):
        together.setdefault(id(c.answer), []).append(n)
    for numbers in together.values():
        answer = chosen[numbers[0]].answer
        positions = [chosen[n].position for n in numbers]
        records.update(zip(numbers, answer.read(positions), strict=True))
        pays.update(zip(numbers, answer.pays(positions), strict=True))
    rate = rates.convert(1.0, "EUR", query.currency) or 1.0
    by_relevance = query.sort == "relevance"
    hits = []
    for n, c in enumerate(chosen):
        seen = glance.decode(records[n])
        title, snippet = _marked(seen, glance, marker)
        hits.append(
            Hit(
                seen.id,
                seen.member,
                seen.source,
                seen.language,
                title,
                msgspec.Raw(records[n]),
                snippet,
                round(c.score, 4) if by_relevance else 0.0,
                _distance(seen, glance, query) if query.around is not None else None,
                _yearly(pays[n], rate, query.currency),
                _why(c, merged, query) if query.explain else [],
            )
        )
    return hits


def _marked(seen: Any, glance: _Glance, marker: Marker | None) -> tuple[list[Piece], list[Piece]]:
    title = getattr(seen.values, glance.title)
    if marker is None:
        return [(title, False)], []
    most, snippet = -1, []
    for name in glance.texts:
        text = getattr(seen.values, name)
        if text:
            found, pieces = marker.best(text, seen.language)
            if found > most:
                most, snippet = found, pieces
    return marker.whole(title, seen.language), snippet


def _distance(seen: Any, glance: _Glance, query: Query) -> float | None:
    if query.around is None:
        return None
    found = getattr(seen.values, glance.place)
    places = found if isinstance(found, list) else [found]
    at = query.around
    km = [distance(at.lat, at.lon, p.lat, p.lon) for p in places if p.lat is not None and p.lon is not None]
    return round(min(km), 1) if km else None


def _yearly(pay: tuple[int, int] | None, rate: float, currency: str) -> YearlyPay | None:
    if pay is None:
        return None
    return YearlyPay(round(pay[0] / 100 * rate, 2), round(pay[1] / 100 * rate, 2), currency)


def _why(chosen: _Chosen, merged: _Merged, query: Query) -> list[str]:
    if query.sort == "distance":
        return [f"{-chosen.score:.1f} km away" if math.isfinite(chosen.score) else "no place known"]
    if query.sort == "pay":
        return [f"pay from {chosen.score / 100:,.0f} EUR a year" if chosen.score else "no comparable pay"]
    if query.sort == "date":
        day = datetime.fromtimestamp(chosen.score, UTC).date() if chosen.score else None
        return [f"dated {day}" if day else "no date"]
    parts = [f"{_said(c.tokens)}: {c.score:.3f}" for c in chosen.answer.explain(chosen.position)]
    fresh = chosen.score / chosen.raw if chosen.raw else 1.0
    seconds = chosen.answer.hits[chosen.position][1] >> TIE_BITS
    age = f"{max(0, merged.day - seconds // _DAY)} days old" if seconds else "no date"
    return [*parts, f"together {chosen.raw:.3f}", f"{age}: ×{fresh:.3f}", f"score {chosen.score:.3f}"]


def _said(tokens: Sequence[str]) -> str:
    """The tokens of a reading, for people: an occupation by its code and name, a skill by its name."""
    text = " ".join(tokens)
    if text.startswith("|") and skills.is_skill(text):
        return skills.said(text)
    return occupations.said(text) if text.startswith("|") else text


def _member(
    standing: Standing, view: View | None, answer: Answer | None, failed: str, now: datetime
) -> MemberAnswer:
    state, why = standing.state, standing.why
    indexed = view.count() if view is not None else 0
    if failed:
        state, why = "failed", failed
    elif state == "ok" and indexed < standing.harvested:
        state, why = "stale", f"{indexed:,} of {standing.harvested:,} records are indexed so far"
    return MemberAnswer(
        id=standing.id,
        name=standing.name,
        state=state,
        as_of=standing.as_of,
        age_seconds=(now - standing.as_of).total_seconds() if standing.as_of else None,
        hits=answer.total if answer else 0,
        hits_exact=answer.exact if answer else True,
        harvested=standing.harvested,
        claimed=standing.claimed,
        why=why,
    )


def _unasked(standing: Standing, now: datetime) -> MemberAnswer:
    """Of a member without an index; of most of them nothing is known, whenever it is asked."""
    return _member(standing, None, None, "", now) if standing.as_of else _silent(standing)


@lru_cache(maxsize=1_024)
def _silent(standing: Standing) -> MemberAnswer:
    return _member(standing, None, None, "", datetime.now(UTC))


def _unknown(merged: _Merged) -> dict[str, int]:
    found: dict[str, int] = {}
    for answer in merged.answers.values():
        for name, count in answer.lacking.items():
            found[name] = found.get(name, 0) + count
    return {n: c for n, c in found.items() if n not in {"language", "source"}}  # every record has those


def _facet(name: str, merged: _Merged, views: Mapping[str, View], kind: Kind) -> Facet:
    counts: dict[str, int] = {}
    holder: dict[str, str] = {}
    counted: list[Counted] = []
    for member, answer in merged.answers.items():
        counted.append(answer.facets[name])
        for value, count in answer.facets[name].values:
            counts[value] = counts.get(value, 0) + count
            holder.setdefault(value, member)
    field = kind.fields.get(name)
    is_open = name in {"region", "city"} or (field is not None and field.type != "code")
    ranked = sorted(counts, key=lambda v: (-counts[v], v))[: SHOWN if is_open else _CLOSED]
    return Facet(
        name=name,
        values=[
            FacetValue(v, _label(name, v, views[holder[v]]) if is_open else v, counts[v]) for v in ranked
        ],
        missing=sum(c.missing for c in counted),
        exact=all(c.exact for c in counted),
    )


def _label(name: str, value: str, view: View) -> str:
    """The words of a facet's value: an occupation's or a skill's name, else as a record writes it."""
    if skills.is_skill(value):
        return skills.label(value)
    return occupations.label(value[8:]) if occupations.is_unit(value) else view.label(name, value)
