"""Dates and date-times of rules: milliseconds since 1970-01-01T00:00Z (CertLogic 1.3.3, `plusTime`, `dccDateOfBirth`).

Offsets follow ECMAScript's UTC setters: a day past the end of its month runs on into the next.
Nothing here reads the machine's clock or zone. What is not a date raises ValueError, without the text it was given.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR = 3_600_000
DAY = 24 * HOUR
UNITS = ("year", "month", "day", "hour")
FURTHEST = {"year": 10_000, "month": 120_000, "day": 3_660_000, "hour": 87_840_000}
"""How far a rule may move a date, by unit: some ten thousand years."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_FULL = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d{1,2})(?::?(\d\d))?)?", re.ASCII
)
_LONGEST = 64


class Moment(int):
    """A date-time among other values of the logic: neither a number, nor true, nor false."""

    __slots__ = ()


@lru_cache(maxsize=8192)
def read_moment(text: str) -> int:
    """A date or date-time; a year or a month means its last day, a missing time midnight, a missing offset UTC."""
    if type(text) is not str or len(text) > _LONGEST:
        raise ValueError("not a date")
    if (full := _FULL.fullmatch(text)) is None:
        return read_birth(text)
    year, month, day, hour, minute, second = map(int, full.groups()[:6])
    fraction, sign, ahead, ahead_minutes = full.groups()[6:]
    thousandths = int((fraction or "")[1:4].ljust(3, "0"))
    clock = (hour * 60 + minute) * 60_000 + second * 1000 + thousandths
    if minute > 59 or second > 59 or clock > DAY or int(ahead or 0) > 23 or int(ahead_minutes or 0) > 59:
        raise ValueError("not a time of day")
    offset = (int(ahead or 0) * 60 + int(ahead_minutes or 0)) * 60_000
    return _on_calendar(year, month, day) + clock - (-offset if sign == "-" else offset)


@lru_cache(maxsize=8192)
def read_birth(text: str) -> int:
    """A date of birth: the last day that YYYY, YYYY-MM or YYYY-MM-DD can mean, at midnight UTC."""
    if type(text) is not str or (partial := _PARTIAL.fullmatch(text)) is None:
        raise ValueError("not a date")
    year, month, day = partial.groups()
    if day is not None:
        return _on_calendar(int(year), int(month), int(day))
    month_number = int(month or 12)
    return _on_calendar(int(year), month_number, 1) + (_length(int(year), month_number) - 1) * DAY


@lru_cache(maxsize=8192)
def shift(moment: int, amount: int, unit: str) -> int:
    """The moment `amount` units on, or back where it is negative."""
    if unit == "day":
        return moment + amount * DAY
    if unit == "hour":
        return moment + amount * HOUR
    days, rest = divmod(moment, DAY)
    year, month, day = civil(days)
    years, months = (amount, 0) if unit == "year" else (0, amount)
    return _days(year + years, month + months, day) * DAY + rest


@lru_cache(maxsize=8192)
def start_of_day(when: int | str, zone: str, days: int = 0) -> int:
    """The first moment of a calendar day in `zone`, `days` calendar days after the one on which `when` falls there.

    A date without a time is that calendar day itself, wherever it is read.
    """
    local = find_zone(zone)
    try:
        if isinstance(when, str) and len(when) <= len("YYYY-MM-DD"):
            day = _EPOCH + timedelta(milliseconds=read_birth(when))
        else:
            ms = read_moment(when) if isinstance(when, str) else when
            day = (_EPOCH + timedelta(milliseconds=ms)).astimezone(local)
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(days=days)
        return (midnight.replace(tzinfo=local) - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError:
        raise ValueError("a day outside the calendar") from None


@lru_cache(maxsize=64)
def find_zone(name: str) -> ZoneInfo:
    """A zone of the IANA time zone database, by its name."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, TypeError, ValueError):
        raise ValueError("not a time zone") from None


def of_clock(at: datetime) -> int:
    """An aware date-time of Python, down to its millisecond."""
    if at.tzinfo is None:
        raise ValueError("a clock needs its offset from UTC")
    return (at - _EPOCH) // timedelta(milliseconds=1)


def write_moment(moment: int) -> str:
    """The moment as rules read it: 2021-07-25T00:30:00.000Z."""
    days, rest = divmod(moment, DAY)
    year, month, day = civil(days)
    seconds, thousandths = divmod(rest, 1000)
    return (
        f"{year:04}-{month:02}-{day:02}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        f".{thousandths:03}Z"
    )


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of the Gregorian calendar, for days since 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    since_march = (5 * day_of_year + 2) // 153
    month = since_march + 3 if since_march < 10 else since_march - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * since_march + 2) // 5 + 1


def _days(year: int, month: int, day: int) -> int:
    # Years counted from March, so that the leap day is the last; month and day may run over.
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    if month <= 2:
        year -= 1
    since_march = (153 * ((month + 9) % 12) + 2) // 5
    return 365 * year + year // 4 - year // 100 + year // 400 + since_march + day - 719_469


def _length(year: int, month: int) -> int:
    return _days(year, month + 1, 1) - _days(year, month, 1)


def _on_calendar(year: int, month: int, day: int) -> int:
    if not (1 <= month <= 12 and 1 <= day <= _length(year, month)):
        raise ValueError("no such day")
    return _days(year, month, day) * DAY
