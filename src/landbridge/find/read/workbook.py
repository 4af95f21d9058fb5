"""Workbooks (.xlsx, .xlsb, .xls, .ods) → rows of one sheet."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import python_calamine

from landbridge.errors import Broken, Drift
from landbridge.find.read.columns import Build, name_columns, plan, unnamed
from landbridge.find.read.delimited import SEPARATOR
from landbridge.find.read.rows import LazyRow, Row, State
from landbridge.find.read.unpack import CHUNK, WHOLE

_LOOKED_AT = 30  # rows of a sheet among which the header is looked for
_CELLS = 50_000_000  # a sheet claims its own size; this many cells would need gigabytes


def read_workbook(data: bytes | Path, state: State) -> Iterator[Row]:
    """The rows of a workbook's sheet: `form.sheet`, or the first that has rows."""
    _check_size(data, state.name)
    try:
        book = python_calamine.load_workbook(io.BytesIO(data) if isinstance(data, bytes) else data)
        sheet = _sheet(book, state)
        if sheet.total_height * sheet.total_width > _CELLS:
            raise Broken(state.name, f"sheet {sheet.name} has more than {_CELLS:,} cells")
        rows = sheet.iter_rows()
        merged = [span for span in (sheet.merged_cell_ranges or []) if span[0][0] == span[1][0]]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise Broken(state.name, f"the workbook cannot be read ({_words(error)})") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Broken(state.name, "the workbook is damaged") from error
    state.form = msgspec.structs.replace(state.form, sheet=sheet.name, encoding="")
    yield from _rows(rows, merged, sheet.name, state)


def _words(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _check_size(data: bytes | Path, name: str) -> None:
    """Inflates every member once without keeping it: what an archive claims of itself may be a lie."""
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    made = 0
    try:
        with zipfile.ZipFile(source) as archive, _raw_bytes(data) as raw:
            for info in archive.infolist():
                if info.compress_type != zipfile.ZIP_DEFLATED:
                    made += max(info.file_size, info.compress_size)
                else:
                    made += _inflated_size(raw, info, WHOLE - made)
                if made > WHOLE:
                    raise Broken(name, f"the workbook decodes to more than the cap of {WHOLE:,} bytes")
    except zipfile.BadZipFile as error:
        if zipfile.is_zipfile(source):
            raise Broken(name, f"the workbook is cut or damaged ({error})") from error
        # an OLE file (.xls) is not packed; anything else is for calamine to refuse
    except (zlib.error, OSError, ValueError, NotImplementedError, OverflowError, struct.error) as error:
        raise Broken(name, f"the workbook is damaged ({error})") from error


def _raw_bytes(data: bytes | Path) -> Any:
    return io.BytesIO(data) if isinstance(data, bytes) else data.open("rb")


def _inflated_size(raw: Any, info: zipfile.ZipInfo, cap: int) -> int:
    raw.seek(info.header_offset + 26)
    name, extra = int.from_bytes(raw.read(2), "little"), int.from_bytes(raw.read(2), "little")
    raw.seek(name + extra, io.SEEK_CUR)
    decoder = zlib.decompressobj(-15)
    left, made = info.compress_size, 0
    while left > 0 and not decoder.eof and (packed := raw.read(min(left, CHUNK))):
        left -= len(packed)
        while packed and made <= cap:
            made += len(decoder.decompress(packed, CHUNK))
            packed = decoder.unconsumed_tail
        if made > cap:
            break
    return made


def _sheet(book: python_calamine.CalamineWorkbook, state: State) -> python_calamine.CalamineSheet:
    names = book.sheet_names
    wanted = state.form.sheet
    if wanted:
        if wanted not in names:
            raise Drift(state.name, f"the workbook has no sheet {wanted!r}: it has {', '.join(names)}")
        return book.get_sheet_by_name(wanted)
    visible = [m.name for m in book.sheets_metadata if m.visible == python_calamine.SheetVisibleEnum.Visible]
    for name in visible or names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height > 1:
            if len(names) > 1:
                state.note(f"sheet {name} was read, of {', '.join(names)}")
            return sheet
    if not names:
        raise Broken(state.name, "the workbook has no sheet")
    return book.get_sheet_by_name(names[0])


Span = tuple[tuple[int, int], tuple[int, int]]


def _rows(rows: Iterator[list[Any]], merged: list[Span], sheet: str, state: State) -> Iterator[Row]:
    head: list[tuple[int, list[Any]]] = []
    build: Build | None = None
    names: tuple[str, ...] = ()
    empty = True
    for number, cells in enumerate(rows, 1):
        if number <= state.form.skip or not any(cell not in ("", None) for cell in cells):
            continue
        if build is None:
            head.append((number, cells))
            if len(head) < _LOOKED_AT:
                continue
            names, build, ready = _header(head, merged, state)
        else:
            ready = [(number, cells)]
        for at, row in ready:
            empty = False
            yield _row(row, names, build, f"{state.at}sheet {sheet} row {at}")
    if build is None and head:
        names, build, ready = _header(head, merged, state)
        for at, row in ready:
            empty = False
            yield _row(row, names, build, f"{state.at}sheet {sheet} row {at}")
    if empty:
        state.note(f"sheet {sheet} has no row below the header")


def _row(cells: list[Any], names: tuple[str, ...], build: Build, where: str) -> Row:
    values = [_value(cell) for cell in cells[: len(names)]]
    texts = [str(value) for value in values]
    joined = SEPARATOR.join(texts)
    if joined.count(SEPARATOR) != len(texts) - 1:
        joined = msgspec.json.encode(texts).decode()
    width = max((at for at, cell in enumerate(cells, 1) if cell not in ("", None)), default=0)
    try:
        if width > len(names):
            fault = f"{width} cells where the header has {len(names)}"
            return Row(joined.encode(), where, None, fault)
        return LazyRow(joined.encode(), where, None, "", values, build)
    except UnicodeEncodeError:
        return Row(joined.encode("utf-8", "surrogatepass"), where, None, "half a character in a cell")


def _value(cell: Any) -> Any:
    """A cell as JSON has it: whole numbers whole, dates as ISO 8601."""
    match cell:
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return int(cell)
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case str():
            return cell.replace("\x00", "") if "\x00" in cell else cell
    return cell


def _header(
    head: list[tuple[int, list[Any]]], merged: list[Span], state: State
) -> tuple[tuple[str, ...], Build, list[tuple[int, list[Any]]]]:
    """The names, what makes fields of a row, and the rows below the header.

    Rows above it are titles: they fill less of the sheet than the rows do. A header of two rows has cells that
    span columns in its first one; below them stand the names of an inner object.
    """
    form = state.form
    width = max(len(cells) for _, cells in head)
    used = max(
        (at for _, cells in head for at, cell in enumerate(cells, 1) if cell not in ("", None)), default=1
    )
    width = min(width, used)
    if form.columns or not form.header:
        names = name_columns(form.columns or [""] * width)
        first = (
            head[1:]
            if [str(cell).strip() for cell in head[0][1][: len(names)]] == list(form.columns)
            else head
        )
        return names, _plan(names, frozenset(), None, state), first
    at = 0
    while at + 1 < len(head) and _filled(head[at][1]) <= max(1, width // 3) and width > 1:
        at += 1
    if at:
        state.note(f"the header is in row {head[at][0]}")
    number, cells = head[at]
    texts = [str(_value(cell)) if cell is not None else "" for cell in cells[:width]]
    groups = {
        column: texts[left]
        for (row, left), (_, right) in merged
        if row == number - 1 and right > left and left < width
        for column in range(left, min(right + 1, width))
    }
    below = head[at + 1][1] if at + 1 < len(head) else []
    if (
        groups
        and len(below) >= width
        and all(isinstance(below[column], str) and below[column] for column in groups)
    ):
        lower = [str(below[column]) if column in groups else text for column, text in enumerate(texts)]
        paired = [
            f"{groups[column]}\x00{name}" if column in groups else name for column, name in enumerate(lower)
        ]
        names = tuple(dict.fromkeys(paired))
        alone = {text for column, text in enumerate(texts) if column not in groups}
        if len(names) == len(paired) and not alone & set(groups.values()):
            return names, _plan(names, frozenset(), groups, state), head[at + 2 :]
    names = name_columns(texts)
    return names, _plan(names, unnamed(names, texts), None, state), head[at + 1 :]


def _filled(cells: Sequence[Any]) -> int:
    return sum(1 for cell in cells if cell not in ("", None))


def _plan(
    names: tuple[str, ...], optional: frozenset[str], groups: dict[int, str] | None, state: State
) -> Build:
    after = state.after
    build = plan(names, optional) if groups is None else partial(_grouped, names)
    if after is None:
        return build
    return lambda cells: after(build(cells))


def _grouped(names: tuple[str, ...], cells: Sequence[Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        group, _, inner = name.partition("\x00")
        if inner:
            out.setdefault(group, {})[inner] = cell
        else:
            out[group] = cell
    return out
