"""Pay is read as it is written: amounts, currency, period and tax apart, and nothing is guessed."""

import csv
import gzip
import io
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import ConfigError
from landbridge.find import pay, rates
from landbridge.kinds.values import Money

VECTORS = tomllib.loads((Path(__file__).parent / "vectors" / "pay.toml").read_text("utf-8"))
CASES = [case for group in VECTORS.values() for case in group]
RATES = rates.load()


@pytest.mark.parametrize("case", CASES, ids=[case["text"][:50] for case in CASES])
def test_a_text_is_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    currency, period, tax = case.get("declared", ("", "", ""))
    read = pay.read(
        case["text"],
        currency=currency,
        period=period,
        tax=tax,
        country=case.get("country", ""),
        language=case.get("language", ""),
    )
    said = {key: case.get(key, "") for key in ("currency", "period", "tax")}
    assert read == Money(text=case["text"], low=case.get("low"), high=case.get("high"), **said)


def test_the_vectors_are_many_and_in_many_languages() -> None:
    assert len(CASES) >= 170
    assert len({case["text"] for case in CASES}) >= 170


def test_what_the_register_declares_fills_only_what_the_text_leaves_open() -> None:
    declared = {"currency": "KZT", "period": "month", "tax": "gross"}
    assert pay.read("от 300 000", **declared) == Money("от 300 000", 300000, None, "KZT", "month", "gross")
    text = "20 USD per hour net"
    assert pay.read(text, **declared) == Money(text, 20, 20, "USD", "hour", "net")


def test_a_declared_currency_settles_a_sign_only_where_it_can_be_meant() -> None:
    assert pay.read("$500", currency="SGD").currency == "SGD"
    assert pay.read("$500", currency="KZT").currency == ""
    assert pay.read("$500", currency="KZT", country="KZ").currency == "USD"


def test_a_bare_number_gets_no_currency_from_the_country() -> None:
    assert pay.read("300000", country="KZ").currency == ""


def test_a_text_without_an_amount_has_nothing_but_its_words() -> None:
    declared = {"currency": "VND", "period": "month", "tax": "gross"}
    assert pay.read(" Thương lượng ", **declared) == Money(text="Thương lượng")


def test_pay_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        pay.read("-5000 USD")
    with pytest.raises(ValueError, match="below zero"):
        pay.build(-1, None)
    with pytest.raises(ValueError, match="below zero"):
        pay.build("-1 200", None)


@pytest.mark.parametrize(
    ("low", "high", "bounds"),
    [
        (23000, 0, (23000, None)),
        ("0", "0.0", (None, None)),
        (None, "", (None, None)),
        ("n/a", "по договорённости", (None, None)),
        ("13000000", "15000000", (13000000, 15000000)),
        ("1.500.000", "2 000 000", (1500000, 2000000)),
        ("1,234.50", "1.234,50", (1234.5, 1234.5)),
        ("80 000 руб.", None, (80000, None)),
        (9000, 4000, (4000, 9000)),
        (37.5, None, (37.5, None)),
    ],
)
def test_bounds_of_their_own_are_numbers_in_any_form(low: Any, high: Any, bounds: tuple[Any, Any]) -> None:
    built = pay.build(low, high)
    assert (built.low, built.high) == bounds


def test_fields_of_their_own_are_understood_in_the_words_of_the_register() -> None:
    built = pay.build(100000, 0, currency="«руб.»", period="За месяц", tax=True, text="от 100000")
    assert built == Money("от 100000", 100000, None, "RUB", "month", "gross")


def test_the_text_beside_the_numbers_fills_what_the_fields_leave_open() -> None:
    built = pay.build(13000000, 15000000, text="13tr-15tr ₫/tháng")
    assert built == Money("13tr-15tr ₫/tháng", 13000000, 15000000, "VND", "month")
    assert pay.build(0, 0, currency="RUB", text="от 30000").low == 30000


@pytest.mark.parametrize("low", ["abc", "12.34.5x", float("nan"), float("inf"), 1e20])
def test_a_bound_that_is_no_amount_is_refused(low: Any) -> None:
    with pytest.raises(ValueError, match="no amount of pay"):
        pay.build(low, None)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("RUR", "RUB"),
        ("kzt", "KZT"),
        ("руб.", "RUB"),
        ("₸", "KZT"),
        ("VNĐ", "VND"),
        ("Euros", "EUR"),
        ("$", ""),
        ("BYR", "BYR"),
        ("元", "CNY"),
        ("¥", ""),
        ("", ""),
        ("US dollars", "USD"),
    ],
)
def test_a_currency_is_known_by_code_sign_or_word(word: str, code: str) -> None:
    assert pay.currency_of(word) == code


@pytest.mark.parametrize(
    ("word", "period"),
    [
        ("MONTH", "month"),
        ("Yearly", "year"),
        ("в месяц", "month"),
        ("per bulan", "month"),
        ("an", "year"),
        ("mensuel", "month"),
        ("PA", "year"),
        ("PH", "hour"),
        ("Per Year", "year"),
        ("SHIFT", "shift"),
        ("月", "month"),
        ("FLY_IN_FLY_OUT", "rotation"),
        ("SERVICE", "piece"),
        ("twoweeks", "fortnight"),
        ("BW", "fortnight"),
        ("Horaire", "hour"),
        ("tháng", "month"),
        ("Autre", ""),
        ("", ""),
        ("за смену", "shift"),
        ("week", "week"),
    ],
)
def test_a_period_is_known_by_the_words_and_codes_of_registers(word: str, period: str) -> None:
    assert pay.period_of(word) == period
    assert period == "" or period in pay.PERIODS


@pytest.mark.parametrize("reader", [pay.currency_of, pay.period_of, pay.tax_of])
def test_a_word_that_means_nothing_is_refused_and_named(reader: Any) -> None:
    with pytest.raises(ValueError, match="'xyzzy'"):
        reader("xyzzy")


def test_a_year_of_pay_is_amount_times_factor_in_the_viewers_currency() -> None:
    monthly = Money("", 500000, 800000, "KZT", "month")
    low, high = pay.per_year(monthly, RATES, "KZT")
    assert (low, high) == (6000000, 9600000)
    assert pay.per_year(Money("", 10, None, "EUR", "hour"), RATES) == (20800, None)
    low, _ = pay.per_year(Money("", 100, None, "USD", "year"), RATES)
    assert low == pytest.approx(100 / RATES.by_currency["USD"].per_euro)


@pytest.mark.parametrize(
    "money",
    [
        Money("", 100, 100, "", "month"),
        Money("", 100, 100, "USD", ""),
        Money("", 100, 100, "USD", "shift"),
        Money("", 100, 100, "BYR", "month"),
        Money("only words"),
        Money("10,000,000 USD", 10000000, None, "USD", "month"),
    ],
)
def test_what_is_not_known_is_not_compared(money: Money) -> None:
    assert pay.per_year(money, RATES) == (None, None)


@settings(derandomize=True)
@given(
    st.integers(1, 10_000_000),
    st.integers(1, 10_000_000),
    st.sampled_from(sorted(RATES.by_currency)),
    st.sampled_from(sorted(RATES.by_currency)),
    st.sampled_from([period for period, factor in pay.PERIODS.items() if factor]),
    st.booleans(),
)
def test_a_filter_in_the_viewers_currency_finds_what_the_sources_own_finds(
    offered: int, wanted: int, own: str, viewers: str, period: str, same: bool
) -> None:
    wanted = offered if same else wanted
    record, _ = pay.per_year(Money("", offered, None, own, period), RATES)
    converted = RATES.convert(wanted, own, viewers)
    in_own, _ = pay.per_year(Money("", wanted, None, own, period), RATES)
    in_viewers, _ = pay.per_year(Money("", converted, None, viewers, period), RATES)
    if record is None or in_own is None or in_viewers is None:
        return
    assert (record >= in_own) == (record >= in_viewers) == (offered >= wanted)


@given(st.text(max_size=80) | st.text("0123456789.,' -–+/$€₽руб.тысотдоktrмесk万月年元%to", max_size=40))
def test_any_text_is_read_or_refused_and_its_words_are_kept(text: str) -> None:
    try:
        read = pay.read(text, country="SG")
    except ValueError:
        return
    assert read.text == text.strip()
    assert read.low is None or read.low > 0
    assert read.high is None or read.high > 0
    assert read.low is None or read.high is None or read.low <= read.high
    if read.low is None and read.high is None:
        assert read == Money(text=text.strip())


@given(
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.sampled_from([" ", ",", ".", "'", "\u00a0", "\u202f", ""]),
)
def test_digits_with_any_separators_are_the_same_number(low: int, high: int, sign: str) -> None:
    low, high = sorted((low, high))
    read = pay.read(f"{low:,} - {high:,} USD".replace(",", sign))
    assert (read.low, read.high, read.currency) == (low, high, "USD")


@given(st.integers(1, 10**7), st.sampled_from("٠۰०০๐໐០၀０"))
def test_the_digits_of_every_script_are_digits(amount: int, zero: str) -> None:
    written = "".join(chr(ord(zero) + int(digit)) for digit in str(amount))
    assert pay.read(f"USD {written}").low == amount


def test_a_long_text_is_read_in_no_time() -> None:
    assert pay.read("1 " * 100_000).text


def test_the_shipped_rates_are_dated_and_name_their_source() -> None:
    for currency, rate in RATES.by_currency.items():
        assert len(currency) == 3
        assert RATES.date(currency) == rate.date
        assert rate.date.year >= 2026
        assert RATES.source(currency) == rate.source
    assert {"EUR", "USD", "RUB", "KZT", "VND", "IDR", "LAK", "KHR", "MMK", "THB"} <= RATES.by_currency.keys()
    assert RATES.source("USD").startswith("European Central Bank")
    assert RATES.source("RUB").startswith("Bank of Russia")


def test_a_currency_without_a_rate_is_not_converted() -> None:
    assert RATES.convert(1, "XXX", "EUR") is None
    assert RATES.convert(1, "", "") is None
    assert RATES.date("XXX") is None
    assert RATES.source("XXX") == ""


@given(st.sampled_from(sorted(RATES.by_currency)), st.sampled_from(sorted(RATES.by_currency)))
def test_a_conversion_there_and_back_gives_the_same_amount(one: str, other: str) -> None:
    there = RATES.convert(1000, one, other)
    assert there is not None
    assert RATES.convert(there, other, one) == pytest.approx(1000, rel=1e-12)


TABLE = """
[[table]]
source = "A bank"
date = 2026-11-01
base = "EUR"
[table.rates]
USD = 2
[[table]]
source = "Another bank"
date = 2026-11-02
base = "RUB"
[table.prices]
EUR = [1, 100]
USD = [1, 1]
KZT = [100, 20]
"""


def test_a_newer_file_is_loaded_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "rates.toml"
    file.write_text(TABLE)
    read = rates.load(file)
    assert read.convert(1, "EUR", "USD") == 2  # the first table that quotes it
    assert read.convert(1, "EUR", "KZT") == 500
    assert read.convert(10, "RUB", "KZT") == 50
    assert read.source("KZT") == "Another bank"
    assert str(read.date("KZT")) == "2026-11-02"
    assert read.version != RATES.version
    assert read.version == rates.load(file).version


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("USD = 2", "USD = 0", "rates.USD = 0 is no rate"),
        ("USD = 2", 'USD = "2"', "rates.USD = '2' is no rate"),
        ("USD = 2", "dollar = 2", "rates.dollar is no ISO 4217 code"),
        ("KZT = [100, 20]", "KZT = 5", "prices.KZT = 5 is not"),
        ("EUR = [1, 100]\n", "", "has base RUB and does not quote EUR"),
        ("2026-11-01", '"yesterday"', "needs date ="),
        ('base = "RUB"', "base = 1", "needs base ="),
        ('source = "A bank"\n', "", "does not say its source"),
        (TABLE, "x = 1", "has no [[table]]"),
        (TABLE, "x = [", "is no TOML"),
    ],
)
def test_a_rates_file_that_cannot_be_used_says_what_to_correct(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = tmp_path / "rates.toml"
    file.write_text(TABLE.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        rates.load(file)
    assert says in str(refused.value)
    assert "rates.toml" in str(refused.value)
    assert refused.value.hint


def test_a_rates_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        rates.load(tmp_path / "none.toml")


REAL = {  # file → column, encoding, country, least share with an amount
    "hh/superjob_ru.csv.gz": ("salary", "utf-8", "RU", 0.99),
    "indonesia/jobstreet_id.csv.gz": ("Salary", "utf-8", "ID", 0.99),
    "vietnam/careerviet.csv.gz": ("salary", "utf-8", "VN", 0.40),
    "vietnam/topcv.csv.gz": ("salary[1]", "utf-8", "VN", 0.55),
    "vietnam/vietnamworks.csv.gz": ("pretty_salary", "utf-8", "VN", 0.30),
    "china/51job_gbk.csv.gz": ("薪资", "gb18030", "CN", 0.90),
}


@pytest.mark.parametrize("name", REAL)
def test_every_real_text_with_a_digit_yields_an_amount_and_a_currency(shared_data: Path, name: str) -> None:
    column, encoding, country, share = REAL[name]
    raw = gzip.decompress((shared_data / "work" / name).read_bytes()).decode(encoding).lstrip("\ufeff")
    texts = [row[column] for row in csv.DictReader(io.StringIO(raw, newline="")) if row[column]]
    read = [pay.read(text, country=country) for text in texts]
    amounts = [money for money in read if money.low or money.high]
    silent = {money.text for money in read if not money.low and not money.high}
    assert not {text for text in silent if re.search(r"[1-9]", text)}
    assert len(amounts) >= share * len(texts)
    assert sum(not money.currency for money in amounts) <= 0.01 * len(amounts)
