"""What commands share: a time and a passphrase as they are given, JSON as it is printed."""

import getpass
import os
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from landbridge.errors import UsageError


def moment(text: str, parameter: str = "--at") -> datetime:
    """A time; without a zone, UTC. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time; write 2026-11-24T18:00:00Z", parameter=parameter) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def passphrase(setting: str, what: str, *, new: bool = False) -> str:
    """The passphrase that opens `what`: the environment's, or asked for at a terminal. Raises UsageError."""
    given = os.environ.get(setting)
    if given:
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"set {setting}: {what} opens with a passphrase", parameter="")
    given = getpass.getpass(f"Passphrase of {what}: ")
    if new and getpass.getpass("Once more: ") != given:
        raise UsageError("the two are not the same", parameter="")
    return given


def print_json(value: Any) -> None:
    """One document on one line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
