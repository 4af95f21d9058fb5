"""Many credentials from a table: every row signed or refused on its own, with the reason beside it."""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from landbridge.errors import CredentialError, UsageError
from landbridge.prove.issue.documents import FIELDS, PERSON
from landbridge.prove.issue.office import Issued, Office

_MOST = 100_000


class Row(msgspec.Struct, frozen=True):
    """One row of the table: what was issued, or why nothing was."""

    number: int
    """Its line in the file, the heading being 1."""
    values: dict[str, str]
    issued: Issued | None
    reason: str = ""


def read_table(path: Path, kind: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file (comma, semicolon or tab) by our field names. Raises UsageError for another heading."""
    text = path.read_bytes().decode("utf-8-sig", "strict")
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    rows = list(csv.DictReader(text.splitlines(), delimiter=delimiter))
    if not rows:
        raise UsageError("the table has no rows", parameter="CSV")
    if len(rows) > _MOST:
        raise UsageError(f"{len(rows)} rows; {_MOST} at most in one table", parameter="CSV")
    known = {*PERSON, *FIELDS.get(kind, ())}
    for name in rows[0]:
        if name not in known:
            raise UsageError(
                f"the column {name!r} is no field of {kind}",
                parameter="CSV",
                hint=f"columns: {', '.join((*PERSON, *FIELDS.get(kind, ())))}",
            )
    return [
        (number, {name: value for name, value in row.items() if name is not None and value})
        for number, row in enumerate(rows, 2)
    ]


def issue_table(
    office: Office,
    format_: str,
    kind: str,
    rows: list[tuple[int, dict[str, str]]],
    *,
    at: datetime,
    days: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Row]:
    """Each row in turn. A row that is refused signs nothing and stops nothing."""
    for done, (number, values) in enumerate(rows, 1):
        try:
            yield Row(number, values, office.issue(format_, kind, values, at=at, days=days))
        except CredentialError as wrong:
            yield Row(number, values, None, str(wrong))
        progress(done, len(rows))


def write_refused(path: Path, rows: list[Row]) -> None:
    """The rows that were refused, as they came, each with its line and reason: to be mended and handed in again."""
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason", *columns])
        for row in rows:
            writer.writerow([row.number, row.reason, *(row.values.get(name, "") for name in columns)])
