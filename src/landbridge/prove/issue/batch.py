"""Many credentials from a table: every row signed or refused on its own, with the reason beside it."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from landbridge.errors import CredentialError, UsageError
from landbridge.prove.issue.documents import FIELDS, PERSON
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.office import Issued, Office, Order

_MOST = 100_000
_MOST_BYTES = 64 * 1024 * 1024
_CHUNK = 100  # rows signed in one transaction: one wait for the disk
_NOTES = ("line", "reason")  # what `write_refused` puts before the columns


class Row(msgspec.Struct, frozen=True):
    """One row of the table: what was issued, or why nothing was."""

    number: int
    """Its line in the file, the heading being 1."""
    values: dict[str, str]
    issued: Issued | None
    reason: str = ""


Table = list[tuple[int, dict[str, str]]]


def read_table(path: Path, kind: str) -> Table:
    """The rows of a CSV file (comma, semicolon or tab) by our field names, each with the line it ends on.

    Raises UsageError: for a file that is no such table, and for a heading that is no field of the kind.
    """
    text = _text_of(path)
    delimiter = max(";,\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        _check_columns(columns, kind)
        rows: Table = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(columns):
                raise _unusable(f"line {reader.line_num} has {len(cells)} cells, the heading {len(columns)}")
            if len(rows) == _MOST:
                raise _unusable(f"more than {_MOST} rows", hint="Part the table.")
            named = zip(columns, cells, strict=False)
            values = {name: value for name, value in named if value.strip() and name not in _NOTES}
            rows.append((reader.line_num, values))
    except csv.Error as wrong:
        raise _unusable(f"line {reader.line_num} cannot be read: {wrong}") from None
    if not rows:
        raise _unusable("the table has no rows")
    return rows


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unusable(f"the table has more than {_MOST_BYTES} bytes", hint="Part it.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as wrong:
        raise _unusable(f"{path} cannot be opened ({wrong.strerror})") from None
    except UnicodeDecodeError:
        raise _unusable("the table is not UTF-8", hint="Save it as “CSV UTF-8”.") from None


def _check_columns(columns: list[str], kind: str) -> None:
    known = (*PERSON, *FIELDS.get(kind, ()))
    for name in columns:
        if name not in known and name not in _NOTES:
            raise _unusable(
                f"the column {name[:40]!r} is no field of {kind}", hint=f"columns: {', '.join(known)}"
            )
        if columns.count(name) > 1:
            raise _unusable(f"the column {name!r} is there twice")


def _unusable(what: str, *, hint: str = "") -> UsageError:
    return UsageError(what, parameter="CSV", hint=hint)


def issue_table(
    office: Office, format_: str, kind: str, rows: Table, *, at: datetime, days: int | None = None
) -> Iterator[Row]:
    """Each row in turn. A row that is refused signs nothing and stops nothing; none that was signed is unlogged.

    Raises KeyUnusable.
    """
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        orders = [Order(format=format_, kind=kind, case=values, days=days) for _, values in chunk]
        done = office.issue_all(orders, at=at)
        for (number, values), result in zip(chunk, done, strict=True):
            if isinstance(result, CredentialError):
                hint = f" ({result.hint})" if isinstance(result, NotIssued) and result.hint else ""
                yield Row(number, values, None, f"{result}{hint}")
            else:
                yield Row(number, values, result)


def write_refused(path: Path, rows: list[Row]) -> None:
    """The rows that were refused, as they came, each with its line and reason: to be mended and handed in again."""
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*_NOTES, *columns])
        for row in rows:
            writer.writerow([row.number, row.reason, *(row.values.get(name, "") for name in columns)])


def write_numbers(folder: Path, rows: list[Row]) -> None:
    """Which line became which entry of the log and which number of the status list: what taking back will ask for."""
    issued = [(row.number, row.issued) for row in rows if row.issued is not None]
    with (folder / f"issued-{issued[0][1].seq:07}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "entry", "number", "valid_until", "file"])
        for number, one in issued:
            place = "" if one.place is None else one.place
            writer.writerow([number, one.seq, place, f"{one.expires:%Y-%m-%d}", f"{one.seq:07}.txt"])
