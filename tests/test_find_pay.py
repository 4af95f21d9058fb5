"""Pay is read as it is written: amounts, currency, period and tax apart, and nothing is guessed."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
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
