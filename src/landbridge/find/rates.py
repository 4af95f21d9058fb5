"""Dated exchange rates with their source: what one euro buys, from official tables.

The shipped file `data/rates.toml` holds figures as central banks published them; an instance puts a newer
file of the same form at DATA/rates.toml. Each currency has one rate, from the first table that quotes it, so
that a conversion there and back gives the same amount. A currency that no table quotes cannot be converted.
"""

import hashlib
import re
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from landbridge.errors import ConfigError

_HINT = (
    'write it as the shipped find/data/rates.toml is: [[table]] with source, url, date, base = "EUR" and '
    "[table.rates] CODE = units for one base, or [table.prices] CODE = [units, their price in the base]"
)
_CODE = re.compile(r"[A-Z]{3}")


class Rate(msgspec.Struct, frozen=True):
    """One currency: units of it for one euro, on a day, and who says so."""

    per_euro: float
    date: date
    source: str


class Rates(msgspec.Struct, frozen=True):
    """All rates of one file; `version` is the hash of its content."""

    by_currency: dict[str, Rate]
    version: str

    def convert(self, amount: float, from_: str, to: str) -> float | None:
        """`amount` of one currency in another, or None where a rate is not known."""
        if from_ == to and from_:
            return amount
        ours, theirs = self.by_currency.get(from_), self.by_currency.get(to)
        if ours is None or theirs is None:
            return None
        return amount / ours.per_euro * theirs.per_euro

    def date(self, currency: str) -> date | None:
        """The day of its rate, or None where there is no rate."""
        rate = self.by_currency.get(currency)
        return rate.date if rate else None

    def source(self, currency: str) -> str:
        """Who published its rate, or "" where there is none."""
        rate = self.by_currency.get(currency)
        return rate.source if rate else ""


def load(path: Path | None = None) -> Rates:
    """The rates of the file at `path`, or those shipped. Raises ConfigError, which names what to correct."""
    name = str(path) if path else "find/data/rates.toml"
    try:
        raw = (
            path.read_bytes()
            if path
            else (resources.files("landbridge.find") / "data" / "rates.toml").read_bytes()
        )
        tables = tomllib.loads(raw.decode()).get("table")
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}", hint=_HINT) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{name} is no TOML: {error}", hint=_HINT) from error
    if not isinstance(tables, list) or not tables:
        raise ConfigError(f"{name} has no [[table]]", hint=_HINT)
    rates: dict[str, Rate] = {}
    for number, table in enumerate(tables, 1):
        for code, rate in _read_table(table, f"{name}: table {number}").items():
            rates.setdefault(code, rate)
    return Rates(by_currency=rates, version=hashlib.sha256(raw).hexdigest()[:16])


def _read_table(table: Any, where: str) -> dict[str, Rate]:
    """One table in units for one euro; its own quote of the euro carries it there from another base."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} is no table", hint=_HINT)
    source, day, base = table.get("source"), table.get("date"), table.get("base")
    if not isinstance(source, str) or not source:
        raise ConfigError(f"{where} does not say its source", hint=_HINT)
    if type(day) is not date:
        raise ConfigError(
            f"{where} ({source}) needs date = a day such as 2026-01-31, not {day!r}", hint=_HINT
        )
    if not isinstance(base, str) or not _CODE.fullmatch(base):
        raise ConfigError(
            f'{where} ({source}) needs base = a currency such as "EUR", not {base!r}', hint=_HINT
        )
    units = {base: 1.0}
    for code, value in _figures(table, "rates", where):
        units[code] = _positive(value, f"{where} ({source}): rates.{code}")
    for code, value in _figures(table, "prices", where):
        place = f"{where} ({source}): prices.{code}"
        if not isinstance(value, list) or len(value) != 2:
            raise ConfigError(f"{place} = {value!r} is not [units, their price in {base}]", hint=_HINT)
        units[code] = _positive(value[0], place) / _positive(value[1], place)
    if "EUR" not in units:
        raise ConfigError(f"{where} ({source}) has base {base} and does not quote EUR", hint=_HINT)
    euro = units["EUR"]
    return {code: Rate(per_euro=each / euro, date=day, source=source) for code, each in units.items()}


def _figures(table: dict[str, Any], key: str, where: str) -> list[tuple[str, Any]]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: {key} is no table of currencies", hint=_HINT)
    for code in found:
        if not _CODE.fullmatch(code):
            raise ConfigError(f"{where}: {key}.{code} is no ISO 4217 code", hint=_HINT)
    return list(found.items())


def _positive(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"{where} = {value!r} is no rate: write a number above 0", hint=_HINT)
    return float(value)
