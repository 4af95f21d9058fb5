"""What the API answers, as typed values; fields that a newer server adds are passed over."""

from datetime import datetime
from typing import Any, Literal

import msgspec

Piece = tuple[str, bool]  # text, and whether it was sought
State = Literal["ok", "stale", "held", "failed", "never"]


class Total(msgspec.Struct, frozen=True):
    """How many match: so many, or at least so many."""

    count: int
    exact: bool


class YearlyPay(msgspec.Struct, frozen=True):
    """Pay in the currency that was asked for, for a year of full-time work."""

    low: float
    high: float
    currency: str


class Provenance(msgspec.Struct, frozen=True):
    """Where a record was read, when, and the hash of what was understood of it."""

    url: str = ""
    fetched: datetime | None = None
    hash: str = ""


class Record(msgspec.Struct, frozen=True):
    """One record; `values` are those of its kind, as `/api/v1/kinds/{kind}` describes them."""

    id: str
    kind: str
    member: str
    source: str
    language: str
    values: dict[str, Any]
    translations: dict[str, dict[str, str]] = {}
    provenance: Provenance = Provenance()
    first_seen: datetime | None = None
    changed: datetime | None = None
    last_seen: datetime | None = None
    gone: datetime | None = None
    gone_why: str = ""


class Hit(msgspec.Struct, frozen=True):
    """One record that was found, and what of it was sought."""

    id: str
    member: str
    source: str
    language: str
    title: list[Piece]
    record: Record
    snippet: list[Piece] = []
    score: float = 0.0
    distance_km: float | None = None
    pay: YearlyPay | None = None
    why: list[str] = []

    @property
    def text(self) -> str:
        """The title without its marks."""
        return "".join(text for text, _ in self.title)


class FacetValue(msgspec.Struct, frozen=True):
    """`key` is what the filter takes, `label` its words."""

    key: str
    label: str
    count: int


class Facet(msgspec.Struct, frozen=True):
    """The values of a field among the hits; `missing` hits have none."""

    name: str
    values: list[FacetValue]
    missing: int
    exact: bool


class Correction(msgspec.Struct, frozen=True):
    """A word that no index knows, and the words that were sought instead."""

    word: str
    searched: list[str]


class MemberAnswer(msgspec.Struct, frozen=True):
    """How one member answered: its state, its age, its hits, and how much of it is here."""

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


class Candidate(msgspec.Struct, frozen=True):
    """An occupation that the words of a question may name; `confidence` is its share, 0 to 1."""

    scheme: Literal["esco", "isco-08"]
    code: str
    confidence: float


class Meant(msgspec.Struct, frozen=True):
    """A place as it can be asked for: `write` is what the parameter `place` takes for it and no other."""

    name: str
    region: str
    country: str
    write: str


class PlaceRead(msgspec.Struct, frozen=True):
    """The place that was taken for the name asked for, and what else that could mean."""

    taken: Meant
    others: list[Meant] = []


class Result(msgspec.Struct, frozen=True):
    """A page of hits, and who answered; without a `cursor` it is the last.

    `occupations` are those that the words were read as: their records are found in whatever language.
    `place` says which place the name was taken for, and its namesakes.
    """

    total: Total
    hits: list[Hit]
    facets: list[Facet]
    unknown: dict[str, int]
    corrections: list[Correction]
    members: list[MemberAnswer]
    complete: bool
    sort: str
    cursor: str = ""
    plans: dict[str, str] = {}
    occupations: list[Candidate] = []
    place: PlaceRead | None = None


class Source(msgspec.Struct, frozen=True):
    """One register of a member, and how it stands."""

    id: str
    title: str
    kind: str
    licence: str
    store: str
    deletes: str
    harvested: int
    claimed: int | None
    last_run: datetime | None
    as_of: datetime | None
    state: str
    why: str
    incidents: int


class Member(msgspec.Struct, frozen=True):
    """A member and its sources; `broken` says which of them cannot be used, and why."""

    id: str
    name: str
    countries: list[str]
    kind_of: str
    url: str
    sources: list[Source]
    broken: dict[str, str] = {}


class Kind(msgspec.Struct, frozen=True):
    """A kind of records; its words by language, and where its JSON Schema stands."""

    name: str
    label: dict[str, str]
    plural: dict[str, str]
    schema: str


class Suggestion(msgspec.Struct, frozen=True):
    """Words that begin so, of which field, and how many records have them.

    With a `language` they are the title of an occupation in that language.
    """

    text: str
    field: str
    count: int
    language: str = ""


class Occupation(msgspec.Struct, frozen=True):
    """A concept of ISCO-08 or ESCO with its name, the language of the name, and how sure it is (0 to 1)."""

    scheme: Literal["isco-08", "esco"]
    code: str
    uri: str
    label: str
    language: str
    confidence: float


class ReadAs(msgspec.Struct, frozen=True):
    """What a title names: occupations of ESCO (several if unsure), a unit group of ISCO-08, or none.

    `groups` are the likeliest unit groups in any case.
    """

    kind: Literal["occupation", "group", "none"]
    occupations: list[Occupation]
    groups: list[Occupation]


class FeedEntry(msgspec.Struct, frozen=True):
    """What happened to a record."""

    uuid: str
    status: Literal["ACTIVE", "INACTIVE"]
    changed: datetime = msgspec.field(name="sistEndret")
    title: str = ""
    business_name: str = msgspec.field(name="businessName", default="")
    municipal: str = ""


class Origin(msgspec.Struct, frozen=True):
    """Where a record of the feed comes from, and under what licence."""

    kind: str
    member: str
    source: str
    licence: str


class FeedItem(msgspec.Struct, frozen=True):
    """One event: a record came or changed, or it is gone."""

    id: str
    url: str
    date_modified: datetime
    entry: FeedEntry = msgspec.field(name="_feed_entry")
    origin: Origin = msgspec.field(name="_landbridge")
    title: str = ""
    language: str = ""
    content_text: str = ""


class FeedPage(msgspec.Struct, frozen=True):
    """Events in their order. A page without items is the newest."""

    feed_url: str
    next_url: str | None
    items: list[FeedItem]

    @property
    def position(self) -> str:
        """Where to go on the next time: the `start` of another walk."""
        return self.next_url or self.feed_url


class Was(msgspec.Struct, frozen=True):
    """Of a record that is gone, what was there."""

    id: str
    kind: str
    title: str
    member: str
    source: str
    gone: datetime
    language: str = ""
    first_seen: datetime | None = None
    why: str = ""
