"""Rules of the fictitious union, made as tests need them."""

from typing import Any

from landbridge.clear.rule import Rule, read_rule


def rule(name: str, logic: Any, **changes: Any) -> Rule:
    """An acceptance rule of Altania in force since long ago; `changes` are of its fields."""
    return read_rule(
        {
            "id": name,
            "version": "1.0.0",
            "destination": "XA",
            "subject": "travel",
            "type": "acceptance",
            "engine": "landbridge/1",
            "valid_from": "1900-01-01",
            "logic": logic,
            "words": {"en": "As it must be."},
            "source": {"title": "Order", "url": "https://altania.example/1", "date": "2021-06-30"},
            **changes,
        }
    )
