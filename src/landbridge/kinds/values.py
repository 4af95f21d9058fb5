"""The value types that kinds are written in: what a field of a record can hold.

text and url are `str`, code is `str` from a closed list, number is `int | float`, date is an ISO 8601 day
("2026-03-05") or an instant in UTC ("2026-03-05T08:00:00Z"), whichever the source knows; the others are
the structs below. All are frozen, and each keeps the source's own words (`text`) beside what was
understood of them: nothing is guessed.
"""

from datetime import date
from typing import Annotated

import msgspec

Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$")]


class Concept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A word of some vocabulary: `scheme` ("isco-08", "esco", "rome", …), `code`, and the words."""

    text: str = ""
    scheme: str = ""
    code: str = ""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where: `country` is ISO 3166-1 alpha-2, `id` the gazetteer's, degrees are WGS 84."""

    text: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    id: str = ""
    lat: float | None = None
    lon: float | None = None


class Money(msgspec.Struct, frozen=True, omit_defaults=True):
    """An amount or a range: `currency` is ISO 4217, `period` one of pay.PERIODS or "" (unknown).

    `tax` is "gross", "net" or "" (unknown); a bound that is not known is None, never 0.
    `text` holds the source's own words.
    """

    text: str = ""
    low: float | None = None
    high: float | None = None
    currency: str = ""
    period: str = ""
    tax: str = ""


class Party(msgspec.Struct, frozen=True, omit_defaults=True):
    """An organisation: its name, its register number, its page."""

    name: str = ""
    id: str = ""
    url: str = ""


class Period(msgspec.Struct, frozen=True, omit_defaults=True):
    """From one day to another, either of them open."""

    start: date | None = None
    end: date | None = None
    text: str = ""
