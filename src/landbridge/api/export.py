"""Every record that a query matches, as CSV (RFC 4180) or newline-delimited JSON, written while they are read."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import msgspec

from landbridge.errors import LandbridgeError
from landbridge.find.query import Query
from landbridge.find.search import Result
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind

TYPES: Final = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet would reckon
_FIRST: Final = ("id", "member", "source", "language")


def head(instance: Instance, query: Query) -> Result:
    """How many match, and who answers."""
    return instance.find(
        msgspec.structs.replace(query, limit=1, sort="date", facets=(), explain=False), snippets=False
    )


async def rows(records: Iterator[list[bytes]], kind: Kind, form: str) -> AsyncIterator[bytes]:
    """The export, some records at a time; other requests are answered in between."""
    if form == "csv":
        yield _line([*_FIRST, *kind.fields])
    try:
        for some in records:
            yield b"".join(_csv(one, kind) if form == "csv" else one + b"\n" for one in some)
            await asyncio.sleep(0)
    except (LandbridgeError, OSError, ValueError) as error:
        # the connection ends without its last chunk; the error's own words may hold what was searched for
        raise RuntimeError(f"an export broke off: {type(error).__name__}") from None


def _csv(line: bytes, kind: Kind) -> bytes:
    record = msgspec.json.decode(line)
    values = record["values"]
    return _line([*(record.get(name, "") for name in _FIRST), *(values.get(name) for name in kind.fields)])


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(c) for c in cells])
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Text as it is, the rest as JSON; an apostrophe before what a spreadsheet would take for a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    return f"'{value}" if value.lstrip(" \u00a0").startswith(_FORMULA) else value
