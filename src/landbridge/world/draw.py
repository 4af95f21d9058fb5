"""Draws the jobs and people of the fictitious union: what they are, before a register writes them in its own way.

Only `random.random` is used, which gives the same numbers in every version of Python.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

FOLDER = Path(__file__).parent
CLOCK = date(2026, 11, 1)  # the day on which the registers were recorded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trade:
    name: str
    group: str  # which sentences suit it
    isco: str
    pay: float  # euro a month
    share: int = 1  # how much more often it is advertised than others


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one language: titles of trades, and sentences."""

    title: dict[str, str]
    task: dict[str, list[str]]
    need: list[str]  # two years and more, a trade learnt, care, no experience
    offer: list[str]
    cv: list[str]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that exists nowhere, as its language names it."""

    member: str
    city: str
    region: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Job:
    """A job; `contract`, `hours` and `remote` in the codes of the kind, pay a month."""

    number: int
    trade: Trade
    language: str
    title: str
    tasks: list[str]
    need: str
    offer: str
    employer: str
    spot: Spot
    currency: str
    low: int
    high: int
    contract: str
    hours: str
    remote: str
    years: int
    openings: int
    published: date
    expires: date


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who looks for work: never a name, never a way to reach them."""

    number: int
    trade: Trade
    language: str
    title: str
    summary: str
    skills: list[str]
    spot: Spot
    currency: str
    pay: int
    years: int
    confirmed: date


@cache
def _seeds() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "seeds.toml").read_text("utf-8"))


@cache
def trades() -> list[Trade]:
    return [Trade(name, **of) for name, of in _seeds()["trades"].items()]


@cache
def phrases(language: str) -> Phrases:
    data = tomllib.loads((FOLDER / "phrases" / f"{language}.toml").read_text("utf-8"))
    return Phrases(data["title"], data["task"], **data["say"])


@cache
def languages() -> list[str]:
    return sorted(path.stem for path in (FOLDER / "phrases").glob("*.toml"))


@cache
def spots(member: str, language: str) -> list[Spot]:
    return [
        Spot(p["member"], p["names"][language], p["regions"][language], p["lat"], p["lon"])
        for p in _seeds()["place"]
        if language in p["names"] and member in ("", p["member"])
    ]


@cache
def employers(language: str, group: str) -> list[str]:
    of: dict[str, list[str]] = _seeds()["employers"][language]
    return of.get(group) or of["any"]


@cache
def _known(language: str) -> list[Trade]:
    return [trade for trade in trades() if trade.name in phrases(language).title]


@cache
def _advertised(language: str) -> list[Trade]:
    return [trade for trade in _known(language) for _ in range(trade.share)]


class Draw:
    """A run of chance that is the same whenever its seed is."""

    def __init__(self, seed: int | str) -> None:
        self.number = Random(seed).random  # noqa: S311

    def pick(self, from_: Sequence[T]) -> T:
        return from_[int(self.number() * len(from_))]

    def between(self, low: int, high: int) -> int:
        return low + int(self.number() * (high - low + 1))

    def chance(self, of: float) -> bool:
        return self.number() < of

    def job(self, number: int, member: str, language: str, currency: str) -> Job:
        words = phrases(language)
        trade = self.pick(_advertised(language))
        low, high = self.pay(trade, currency)
        posted = CLOCK - timedelta(days=self.between(0, 60))
        years = self.pick([0, 0, 1, 1, 2, 3, 5])
        return Job(
            number=number,
            trade=trade,
            language=language,
            title=words.title[trade.name],
            tasks=words.task[trade.group],
            need=words.need[0] if years > 1 else self.pick(words.need[1:3] if years else words.need[2:]),
            offer=self.pick(words.offer),
            employer=self.pick(employers(language, trade.group)),
            spot=self.pick(spots(member, language)),
            currency=currency,
            low=low,
            high=high,
            contract=self._contract(trade),
            hours=self.pick(["full-time"] * 5 + ["part-time", "shift"]),
            remote=self.pick(["on-site", "hybrid", "remote"]) if trade.group == "tech" else "on-site",
            years=years,
            openings=self.pick([1, 1, 1, 2, 3, 5, 10]),
            published=posted,
            expires=posted + timedelta(days=self.pick([30, 45, 60, 90])),
        )

    def _contract(self, trade: Trade) -> str:
        if trade.group == "farm" and self.chance(0.5):
            return "seasonal"
        return self.pick(["permanent"] * 5 + ["fixed-term"] * 2 + ["temporary"])

    def pay(self, trade: Trade, currency: str) -> tuple[int, int]:
        """What is paid for a month, as a range in round amounts."""
        money = _seeds()["money"][currency]
        step = money["step"]
        common = trade.pay * money["level"] * money["units"]
        low = max(1, round(common * (0.75 + 0.4 * self.number()) / step))
        return low * step, max(low + 1, round(low * (1.1 + 0.5 * self.number()))) * step

    def person(self, number: int, member: str, language: str, currency: str, home: str = "") -> Person:
        """A person; `home` is the language in which the register names their town."""
        words = phrases(language)
        trade = self.pick(_advertised(language))
        return Person(
            number=number,
            trade=trade,
            language=language,
            title=words.title[trade.name],
            summary=words.cv[0] + " " + self.pick(words.cv[1:]),
            skills=SKILLS[trade.group][: self.between(0, 2)],
            spot=self.pick(spots(member, home or language)),
            currency=currency,
            pay=self.pay(trade, currency)[1],
            years=self.between(1, 20),
            confirmed=CLOCK - timedelta(days=self.between(0, 85)),
        )


SKILLS = {  # the same in every language
    "health": ["ECG", "CPR"],
    "build": ["AutoCAD", "MIG/MAG"],
    "move": ["ADR", "GPS"],
    "make": ["CNC", "CAD"],
    "food": ["HACCP", "POS"],
    "farm": ["GPS", "GlobalG.A.P."],
    "teach": ["Montessori", "PowerPoint"],
    "tech": ["Linux", "PostgreSQL"],
    "office": ["Excel", "SAP"],
    "shop": ["POS", "CRM"],
    "guard": ["CCTV", "HACCP"],
}

_HOME = {  # where a language advertises, and in what it pays
    "ru": "KZT", "kk": "KZT", "vi": "VND", "id": "IDR", "ms": "MYR", "fil": "PHP", "nb": "NOK", "de": "EUR",
    "fr": "EUR", "es": "EUR", "ar": "EUR", "zh": "CNY", "th": "THB", "lo": "LAK", "km": "USD", "my": "MMK",
    "hy": "AMD", "ky": "KGS", "uz": "UZS", "be": "BYN", "en": "USD",
}  # fmt: skip


def vacancies(n: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """`n` vacancies as plain values, the same ones for the same seed; for benches, tens of thousands a second.

    Keys: id title description employer city country lat lon language occupation pay_low pay_high currency period
    contract hours remote published. Pay is for a month; a third have none (both bounds None).
    """
    draw = Random(seed)  # noqa: S311
    number = draw.random
    cells = [
        (
            language,
            words.title[trade.name],
            trade,
            [
                f"{task} {more} {need}\n{offer}"
                for task, more in (words.task[trade.group], words.task[trade.group][::-1])
                for need in words.need
                for offer in words.offer
            ],
            employers(language, trade.group),
            spots("", language),
            [Draw(f"{language} {trade.name} {at}").pay(trade, _HOME[language]) for at in range(8)]
            + [(None, None)] * 4,
            _HOME[language],
        )
        for language in languages()
        for words in [phrases(language)]
        for trade in _known(language)
    ]
    contracts = ["permanent", "permanent", "permanent", "fixed-term", "temporary", "seasonal"]
    hours = ["full-time", "full-time", "full-time", "part-time", "shift"]
    remote = ["on-site", "on-site", "on-site", "hybrid", "remote"]
    days = [(CLOCK - timedelta(days=d)).isoformat() for d in range(90)]
    for at in range(n):
        language, title, trade, texts, firms, places, amounts, currency = cells[int(number() * len(cells))]
        spot = places[int(number() * len(places))]
        employer = firms[int(number() * len(firms))]
        low, high = amounts[int(number() * len(amounts))]
        yield {
            "id": f"{at:07}",
            "title": title,
            "description": f"{texts[int(number() * len(texts))]}\n{employer}, {spot.city}",
            "employer": employer,
            "city": spot.city,
            "country": spot.member.upper(),
            "lat": spot.lat,
            "lon": spot.lon,
            "language": language,
            "occupation": trade.isco,
            "pay_low": low,
            "pay_high": high,
            "currency": currency if low else "",
            "period": "month" if low else "",
            "contract": contracts[int(number() * 6)],
            "hours": hours[int(number() * 5)],
            "remote": remote[int(number() * 5)],
            "published": days[int(number() * 90)],
        }
