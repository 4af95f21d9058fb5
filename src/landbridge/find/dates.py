"""Reads the dates that registers write: ISO 8601, epochs, days and months in any order and language, "3 days ago".

A day is a `date`, a moment is an aware `datetime` in UTC. What can be read in two ways is an error that says how
to settle it. The words are data: `data/dates.toml`.
"""

import math
import re
import tomllib
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib import resources
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from landbridge.find.pay import fold

T = TypeVar("T")

_FIRST_YEAR: Final = 1900
_YEARS_AHEAD: Final = 100
_LONGEST: Final = 300  # characters of a text that can be a date
_BUDDHIST: Final = 543  # Thai and Lao years: 2569 is 2026
_FIRST_BUDDHIST: Final = 2400
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_TIME: Final = re.compile(
    r"(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d|60))?(?:[.,](?P<fraction>\d+))?"
    r"(?:\s*(?P<half>[ap])\.?m\b\.?)?\s*(?P<zone>z\b|(?:utc|gmt)?\s*[+-]\d\d?:?(?:\d\d)?(?!\d)|utc\b|gmt\b)?"
)
_THREE: Final = re.compile(
    r"(?<![\d/.-])(?P<a>\d{1,4})(?:(?P<sep>[./-])|\s)\s?(?P<b>\d{1,2})(?(sep)(?P=sep)|\s)\s?(?P<c>\d{1,4})(?![\d/-])"
)
_TWO: Final = re.compile(r"(?<![\d/.-])(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?![\d/-])")
_NUMBER: Final = re.compile(
    r"[+-]?\d+(?:\.\d+)?|/date\((\d+)(?:[+-]\d{4})?\)/"
)  # /Date(1606640400000)/ is .NET's
_BASIC_ISO: Final = re.compile(r"\d{8}t\d{4}")
_ANY_TIME: Final = re.compile(r"\d:\d\d")
_DOT_IN_THAI: Final = re.compile(r"(?<=[\u0e00-\u0e7f])\.")  # มี.ค.
_UNSPACED: Final = "\u0e00-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af"
_PARTS: Final = re.compile(
    rf"\d+|[\u0900-\u0dff]+|[{_UNSPACED}]+|[^\W\d_{_UNSPACED}]+(?:['-][^\W\d_{_UNSPACED}]+)*"
)


class _Words(msgspec.Struct, frozen=True):
    """`data/dates.toml`, ready to be looked up; the source's own language wins over the others."""

    months: dict[str, int]
    units: dict[str, str]
    past: frozenset[str]
    future: frozenset[str]
    clue_past: frozenset[str]
    clue_future: frozenset[str]
    days: dict[str, int]
    year_after: frozenset[str]
    month_after: frozenset[str]
    day_after: frozenset[str]
    month_before: frozenset[str]
    open: frozenset[str]
    unspaced: re.Pattern[str]


@cache
def _words(language: str) -> _Words:
    data: dict[str, Any] = tomllib.loads(
        (resources.files("landbridge.find") / "data" / "dates.toml").read_text("utf-8")
    )

    def plain(words: list[str]) -> frozenset[str]:
        return frozenset(fold(word).lower() for word in words)

    months: dict[str, int] = {}
    languages = [name for name in data["months"] if name != language]
    for name in (*reversed(languages), *(data["months"].keys() & {language})):
        for number, forms in enumerate(data["months"][name], 1):
            months |= dict.fromkeys(plain(forms.split()), number)
    units = {word: unit for unit, words in data["units"].items() for word in plain(words)}
    days = {word: int(offset) for offset, words in data["day"].items() for word in plain(words)}
    words = {
        f"{table}.{key}": plain(data[table][key])
        for table in ("when", "clue", "parts")
        for key in data[table]
    }
    every = {*months, *units, *days}.union(*words.values())
    unspaced = sorted((w for w in every if re.match(f"[{_UNSPACED}]", w)), key=len, reverse=True)
    return _Words(
        months=months,
        units=units,
        past=words["when.past"],
        future=words["when.future"],
        clue_past=words["clue.past"],
        clue_future=words["clue.future"],
        days=days,
        year_after=words["parts.year_after"],
        month_after=words["parts.month_after"],
        day_after=words["parts.day_after"],
        month_before=words["parts.month_before"],
        open=plain(data["open"]["words"]),
        unspaced=re.compile("|".join(map(re.escape, unspaced))),
    )


def read(
    value: str | float | date,
    *,
    at: datetime,
    order: str = "",
    zone: str = "UTC",
    calendar: str = "",
    language: str = "",
) -> date | datetime:
    """The day or the moment (aware, UTC) that a register writes.

    `order` ("dmy", "mdy", "ymd") settles 03/04/2026; days written with full stops are day first everywhere. `zone`
    is that of times without one ("Asia/Almaty", "+07:00"). Years from 2400 on are Buddhist (2569 is 2026), and with
    `calendar` "buddhist" also two-digit ones. "3 days ago", "yesterday", "09-03" are counted from `at`: a day
    without a year is the latest one not after `at`, or beside words such as "closing" the next one not before it.
    `language` lets that language's names of months win over the others'.

    Raises ValueError that says what is wrong: no date, no such day, two readings, a year out of all reason.
    """
    if type(value) is str:
        if value[4:5] == "-":  # the fast way for almost everything
            try:
                found = datetime.fromisoformat(value)
            except ValueError:
                pass
            else:
                if _FIRST_YEAR <= found.year <= at.year + _YEARS_AHEAD:
                    if len(value) == 10:
                        return found.date()
                    if found.tzinfo is None:
                        found = found.replace(tzinfo=_zone(zone))
                    return found.astimezone(UTC)
        return _read_text(value, at, order, zone, calendar, language)
    if isinstance(value, datetime):
        return _moment(value, at, zone)
    if isinstance(value, date):
        return _day(value.year, value.month, value.day, at)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return _read_number(str(int(value)) if value == int(value) else str(value), at, zone)
    raise ValueError(f"{value!r} is no date")


def names_no_day(text: str) -> bool:
    """Whether a text says that no day is fixed ("as soon as possible", "fortløpende", "not found")."""
    return fold(text).strip(" .!").lower() in _words("").open


def _read_text(
    text: str, at: datetime, order: str, zone: str, calendar: str, language: str
) -> date | datetime:
    words = _words(language)
    left = fold(text).strip().lower()
    if not left:
        raise ValueError("an empty text is no date")
    if len(left) > _LONGEST:
        raise ValueError(f"{text[:60]!r}… is too long for a date")
    number = _NUMBER.fullmatch(left)
    if number:
        return _read_number(number[1] or left, at, zone)
    if _BASIC_ISO.match(left):
        try:
            return _moment(datetime.fromisoformat(left.upper()), at, zone)
        except ValueError:
            pass
    clock = _TIME.search(left.replace("t", " ") if left[:1].isdigit() else left)
    if clock:
        left = f"{left[: clock.start()].rstrip(' t')} {left[clock.end() :]}"
    elif _ANY_TIME.search(left):
        raise ValueError(f"{text[:60]!r} has no time of the day")
    if not left.isascii():
        left = _DOT_IN_THAI.sub("", left)
        left = words.unspaced.sub(r" \g<0> ", left)
    found = (
        _read_three(left, at, order, calendar)
        or _read_named(left, text, at, calendar, words)
        or _read_relative(left, at, zone, words)
        or _read_two(left, text, at, order, words)
    )
    if found is None:
        raise ValueError(f"{text[:60]!r} is no date we can read")
    if clock and not isinstance(found, datetime):
        return _with_time(found, clock, at, zone)
    return found


def _read_number(text: str, at: datetime, zone: str) -> date | datetime:
    """Seconds, milliseconds, micro- or nanoseconds since 1970, or the digits of a day: 20260306, 20260306181957."""
    digits = text.split(".")[0]
    if len(digits) in (8, 12, 14) and digits[:2] in ("19", "20", "25") and "." not in text:
        try:
            compact = datetime.strptime(digits, "%Y%m%d%H%M%S"[: len(digits) - 2])
        except ValueError:
            pass
        else:
            if len(digits) == 8:
                return _day(compact.year, compact.month, compact.day, at)
            return _moment(compact, at, zone)
    number = float(text)
    for unit in (1.0, 1e3, 1e6, 1e9):
        if 1e8 <= number / unit < 1e11:
            try:
                return _moment(datetime.fromtimestamp(number / unit, UTC), at, zone)
            except (OverflowError, OSError) as error:
                raise ValueError(f"{text} is no date") from error
    raise ValueError(f"{text} is neither a day (20260131) nor seconds or milliseconds since 1970")


def _read_three(left: str, at: datetime, order: str, calendar: str) -> date | None:
    """Three numbers with strokes, full stops or hyphens between them."""
    match = _THREE.search(left)
    if match is None or not match["sep"]:
        return None
    a, b, c = match["a"], match["b"], match["c"]
    if len(a) > 2:
        order = "ymd"
    elif len(c) < 3 and order == "ymd":
        pass
    elif match["sep"] == ".":
        order = "dmy" if order in ("", "ymd") else order
    elif order in ("", "ymd"):
        order = _settle(match[0], int(a), int(b), short=len(c) < 3)
    year, month, day = {"ymd": (a, b, c), "dmy": (c, b, a), "mdy": (c, a, b)}[order]
    if int(month) > 12:
        raise ValueError(f"{match[0]} has no month {int(month)} when read as {order}")
    return _day(_year(year, at, calendar), int(month), int(day), at)


def _settle(written: str, a: int, b: int, *, short: bool) -> str:
    """Day first or month first, where the numbers leave only one way."""
    if short and a != b:
        raise ValueError(f'{written} can be read in several ways: say order = "dmy", "mdy" or "ymd"')
    if a > 12 >= b > 0 or a == b:
        return "dmy"
    if b > 12 >= a > 0:
        return "mdy"
    if a > 12 or 0 in (a, b):
        raise ValueError(f"{written} has no month")
    raise ValueError(
        f"{written} can be {a} {_MONTHS[b - 1]} or {b} {_MONTHS[a - 1]}: say order = "
        f'"dmy" or "mdy" in [dates] of the source'
    )


def _year(written: str, at: datetime, calendar: str) -> int:
    year = int(written)
    if len(written) <= 2:  # the year nearest to today that ends so
        if calendar == "buddhist":
            return _nearest(year, at.year + _BUDDHIST) - _BUDDHIST
        return _nearest(year, at.year)
    return year


def _nearest(ending: int, year: int) -> int:
    century = year - year % 100
    return min(
        (century - 100 + ending, century + ending, century + 100 + ending), key=lambda y: abs(y - year)
    )


def _read_relative(left: str, at: datetime, zone: str, words: _Words) -> date | datetime | None:
    """ "3 days ago", "in 25 days", "yesterday"."""
    parts = _PARTS.findall(left)
    today = at.astimezone(_zone(zone)).date()
    for size in (3, 2, 1):
        for i in range(len(parts) - size + 1):
            phrase = " ".join(parts[i : i + size])
            if phrase in words.days:
                return today + timedelta(days=words.days[phrase])
    ahead = _direction(parts, words)
    if ahead == 0:
        return None
    units = [
        words.units.get(" ".join(parts[i : i + 2])) or _look_up(parts[i], words.units)
        for i in range(len(parts))
    ]
    for i in range(1, len(parts)):
        unit = units[i]
        if unit and parts[i - 1].isdigit() and len(parts[i - 1]) < 6:
            return _shift(at, today, unit, ahead * int(parts[i - 1]))
    named = [unit for unit in units if unit]
    if named and not any(part.isdigit() for part in parts) and not words.past.isdisjoint(parts):
        return _shift(at, today, named[-1], ahead)  # "an hour ago", "неделю назад"
    return None


def _direction(parts: list[str], words: _Words) -> int:
    """-1 for "ago", 1 for "left", 0 where nothing says."""
    said = {" ".join(parts[i : i + size]) for size in (1, 2, 3) for i in range(len(parts))}
    if said & words.past:
        return -1
    if said & words.future:
        return 1
    if said & words.clue_past:
        return -1
    return 1 if said & words.clue_future else 0


def _shift(at: datetime, today: date, unit: str, number: int) -> date | datetime:
    try:
        if unit in ("minute", "hour"):
            moment = (at + timedelta(**{f"{unit}s": number})).astimezone(UTC)
            _within_reason(moment.year, at)
            return moment
        if unit in ("day", "week"):
            day = today + timedelta(**{f"{unit}s": number})
        else:
            years, month = divmod(today.month - 1 + number * (12 if unit == "year" else 1), 12)
            day = date(today.year + years, month + 1, 1)
            day = day.replace(day=min(today.day, monthrange(day.year, day.month)[1]))
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{number} {unit}s from today is out of all reason") from error
    _within_reason(day.year, at)
    return day


def _read_named(left: str, text: str, at: datetime, calendar: str, words: _Words) -> date | None:
    """A day with its month in a word, or with the words for year, month and day: 2024年3月5日, 5 tháng 3."""
    parts = _PARTS.findall(left)
    year, month, day = "", 0, 0
    for i, part in enumerate(parts):
        before, after = parts[i - 1] if i else "", parts[i + 1] if i + 1 < len(parts) else ""
        if not part.isdigit():
            if not month and (before.isdigit() or after.isdigit() or _is_ordinal(before)):
                month = _look_up(part, words.months) or 0
        elif after in words.month_after or (before in words.month_before and not month):
            month = int(part)
        elif after in words.day_after:
            day = int(part)
        elif after in words.year_after or len(part) > 2 or int(part) > 31:
            year = year or part
        elif not day:
            day = int(part)
        elif not year:
            year = part
    if not month:
        return None
    if not day:
        raise ValueError(f"{text[:60]!r} names no day")
    if month > 12:
        raise ValueError(f"{text[:60]!r} has no month {month}")
    if year:
        return _day(_year(year, at, calendar), month, day, at)
    return _without_year(month, day, at, parts, words)


def _is_ordinal(word: str) -> bool:
    return word in ("st", "nd", "rd", "th", "er", "of", "de", "do", "º")


def _read_two(left: str, text: str, at: datetime, order: str, words: _Words) -> date | None:
    """A month and a day without a year: 09-03, 03.09."""
    match = _TWO.search(left)
    if match is None:
        return None
    a, b = int(match["a"]), int(match["b"])
    if order in ("dmy", "mdy"):
        day_first = order == "dmy"
    elif match["sep"] == "/":
        day_first = _settle(match[0], a, b, short=False) == "dmy"
    else:
        day_first = match["sep"] == "."
    day, month = (a, b) if day_first else (b, a)
    if not 1 <= month <= 12:
        raise ValueError(f"{text[:60]!r} has no month {month}")
    return _without_year(month, day, at, _PARTS.findall(left), words)


def _without_year(month: int, day: int, at: datetime, parts: list[str], words: _Words) -> date:
    """The latest such day not after today; or the next one where the words speak of an end."""
    ahead = _direction(parts, words) > 0
    today = at.date()
    for year in range(today.year - 4, today.year + 5) if ahead else range(today.year + 4, today.year - 5, -1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if (found >= today) if ahead else (found <= today):
            return found
    raise ValueError(f"there is no {day} {_MONTHS[month - 1]}")


def _look_up(word: str, table: dict[str, T]) -> T | None:
    """The word, or a listed beginning of it ("январ*")."""
    found = table.get(word)
    if found is not None:
        return found
    for length in range(len(word), 1, -1):
        found = table.get(f"{word[:length]}*")
        if found is not None:
            return found
    return None


def _with_time(day: date, clock: re.Match[str], at: datetime, zone: str) -> datetime:
    hour = int(clock["hour"])
    if clock["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{clock[0]} is no time of the day")
        hour = hour % 12 + (12 if clock["half"] == "p" else 0)
    if hour == 24 and (clock["minute"] != "00" or int(clock["second"] or 0)):
        raise ValueError(f"{clock[0]} is no time of the day")
    found = datetime(day.year, day.month, day.day, tzinfo=_offset(clock["zone"]) or _zone(zone))
    fraction = (clock["fraction"] or "")[:6].ljust(6, "0")
    return _moment(
        found
        + timedelta(
            hours=hour,
            minutes=int(clock["minute"]),
            seconds=int(clock["second"] or 0),
            microseconds=int(fraction),
        ),
        at,
        zone,
    )


def _offset(written: str | None) -> tzinfo | None:
    if not written:
        return None
    digits = re.sub(r"\D", "", written)
    if not digits:
        return UTC
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59:
        raise ValueError(f"{written.strip()} is no offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if "-" in written else offset)


@cache
def _zone(name: str) -> tzinfo:
    if name in ("", "UTC", "Z"):
        return UTC
    if name[0] in "+-":
        return _offset(name) or UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f'{name!r} is no time zone: write one such as "Asia/Almaty" or "+05:00"') from error


def _moment(found: datetime, at: datetime, zone: str) -> datetime:
    _within_reason(found.year, at)
    if found.tzinfo is None:
        found = found.replace(tzinfo=_zone(zone))
    return found.astimezone(UTC)


def _day(year: int, month: int, day: int, at: datetime) -> date:
    if _FIRST_BUDDHIST <= year < _FIRST_BUDDHIST + 400:
        year -= _BUDDHIST
    _within_reason(year, at)
    try:
        return date(year, month, day)
    except ValueError as error:
        name = _MONTHS[month - 1] if 1 <= month <= 12 else f"month {month}"
        raise ValueError(f"there is no {day} {name} {year}") from error


def _within_reason(year: int, at: datetime) -> None:
    if not _FIRST_YEAR <= year <= at.year + _YEARS_AHEAD:
        raise ValueError(f"the year {year} is out of all reason")
