"""All hits of a query as CSV (RFC 4180) or newline-delimited JSON, written while they are read."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from landbridge.errors import UsageError
from landbridge.find.index.protocol import DEEPEST
from landbridge.find.query import MOST, Query
from landbridge.find.search import Hit, Result
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind

TYPES: Final = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would reckon with it
_FIRST: Final = ("id", "member", "source", "language")


def first_page(instance: Instance, query: Query) -> tuple[Query, Result]:
    """The query as it is exported, and its first page. Raises UsageError for a kind whose records stay here."""
    if instance.kinds[query.kind].personal:
        raise UsageError(
            f"{query.kind} records are about people and leave in no export",
            parameter="kind",
            hint="read them here",
        )
    asked = msgspec.structs.replace(query, limit=MOST, facets=(), cursor="", explain=False)
    return asked, instance.find(asked, snippets=False)


def complete(result: Result) -> bool:
    """Whether an export reaches every hit: an index is read as far as its first DEEPEST."""
    return result.complete and all(m.hits <= DEEPEST for m in result.members)


async def rows(instance: Instance, query: Query, first: Result, form: str) -> AsyncIterator[bytes]:
    """The export, a page of hits at a time; other requests are answered in between."""
    kind, page = instance.kinds[query.kind], first
    if form == "csv":
        yield _line([*_FIRST, *kind.fields])
    while True:
        yield b"".join(_csv(hit, kind) if form == "csv" else bytes(hit.record) + b"\n" for hit in page.hits)
        if not page.cursor:
            return
        await asyncio.sleep(0)
        page = instance.find(msgspec.structs.replace(query, cursor=page.cursor), snippets=False)


def _csv(hit: Hit, kind: Kind) -> bytes:
    record = msgspec.json.decode(hit.record)
    values = record["values"]
    return _line([*(record.get(name, "") for name in _FIRST), *(values.get(name) for name in kind.fields)])


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([_cell(c) for c in cells])
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Text as it is, the rest as JSON; none that a spreadsheet would take for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) and isinstance(value, str) else text
