"""Dates are read in every order, language and calendar; what can be read in two ways is refused with the way out."""

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.find import dates

VECTORS = tomllib.loads((Path(__file__).parent / "vectors" / "dates.toml").read_text("utf-8"))
AT: datetime = VECTORS["at"]


def _declared(case: dict[str, Any]) -> dict[str, str]:
    return {key: case[key] for key in ("order", "zone", "calendar", "language") if key in case}


@pytest.mark.parametrize("case", VECTORS["read"], ids=[case["text"] for case in VECTORS["read"]])
def test_a_date_is_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    found = dates.read(case["text"], at=AT, **_declared(case))
    assert found == case["is"]
    assert type(found) is type(case["is"])
    assert not isinstance(found, datetime) or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=[case["text"] for case in VECTORS["refused"]])
def test_what_is_no_date_is_refused_and_says_why(case: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as refused:
        dates.read(case["text"], at=AT, **_declared(case))
    assert case["says"] in str(refused.value)


def test_numbers_are_seconds_or_milliseconds() -> None:
    assert dates.read(1606640400000, at=AT) == datetime(2020, 11, 29, 9, tzinfo=UTC)
    assert dates.read(1606640400, at=AT) == datetime(2020, 11, 29, 9, tzinfo=UTC)
    assert dates.read(20260306, at=AT) == date(2026, 3, 6)
    with pytest.raises(ValueError, match="neither a day"):
        dates.read(0, at=AT)


def test_a_cell_that_is_a_date_already_is_kept() -> None:
    assert dates.read(date(2026, 3, 6), at=AT) == date(2026, 3, 6)
    assert dates.read(datetime(2026, 3, 6, 8), at=AT, zone="+05:00") == datetime(2026, 3, 6, 3, tzinfo=UTC)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf")])
def test_a_number_that_counts_nothing_is_no_date(value: float) -> None:
    with pytest.raises(ValueError, match="is no date"):
        dates.read(value, at=AT)


def test_today_is_counted_in_the_zone_of_the_register() -> None:
    late = datetime(2026, 3, 10, 22, tzinfo=UTC)
    assert dates.read("today", at=late) == date(2026, 3, 10)
    assert dates.read("today", at=late, zone="Asia/Almaty") == date(2026, 3, 11)


def test_a_month_ago_from_the_31st_is_the_last_day_of_that_month() -> None:
    assert dates.read("1 month ago", at=datetime(2026, 3, 31, tzinfo=UTC)) == date(2026, 2, 28)


def test_the_29th_of_february_without_a_year_is_that_of_the_last_leap_year() -> None:
    assert dates.read("29 February", at=AT) == date(2024, 2, 29)


@pytest.mark.parametrize(
    "text", ["Snarest", "Fortløpende", "as soon as possible", "NOT FOUND", "长期有效", "-"]
)
def test_a_text_that_fixes_no_day_is_known_as_such(text: str) -> None:
    assert dates.names_no_day(text)


@pytest.mark.parametrize("text", ["2026-03-01", "3 days ago", "Spring 2020", "soon"])
def test_other_texts_are_not_taken_for_an_open_date(text: str) -> None:
    assert not dates.names_no_day(text)


@given(st.text(max_size=60) | st.text("0123456789/-.: TZтагоmайднr年月日天前", max_size=30))
def test_any_text_is_a_date_within_reason_or_a_value_error(text: str) -> None:
    try:
        found = dates.read(text, at=AT)
    except ValueError:
        return
    assert 1900 <= found.year <= 2127


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)), st.integers(-12, 14))
def test_a_moment_written_in_iso_8601_comes_back(moment: datetime, hours: int) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert dates.read(written.isoformat(), at=AT) == written


@given(st.dates(date(1980, 1, 1), date(2099, 12, 31)), st.sampled_from("./-"))
def test_a_day_comes_back_from_every_declared_order(day: date, sign: str) -> None:
    year, month, number = f"{day.year}", f"{day.month:02}", f"{day.day:02}"
    orders = {"dmy": (number, month, year), "mdy": (month, number, year), "ymd": (year, month, number)}
    for order, parts in orders.items():
        assert dates.read(sign.join(parts), at=AT, order=order) == day


@given(st.dates(date(1980, 1, 1), date(2099, 12, 31)))
def test_a_thai_buddhist_year_becomes_a_common_one(day: date) -> None:
    assert dates.read(f"{day.day}/{day.month}/{day.year + 543}", at=AT, order="dmy") == day
