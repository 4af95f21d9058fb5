"""CSV and its kin (RFC 4180, and what is published instead of it) → rows, line by line."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from landbridge.errors import Broken
from landbridge.find.read.columns import Build, name_columns, plan, unnamed
from landbridge.find.read.rows import Format, LazyRow, Row, State, undecoded_fault

SEPARATOR = "\x1f"  # between the cells in `Row.raw`
_DELIMITERS = ",;\t|"
_CELL = 2**20  # characters; nobody writes a longer description
_LINES = 500  # newlines in one row: beyond it a quote was never closed
_ROW = 2**22  # characters of all lines of one row
_LINE = 2**23  # bytes without a line end: this is no table
_LOST = 1_000  # quotes that were never closed
_JUDGED = 200  # rows of the beginning by which a dialect is judged

# The limit is one for the whole process; the standard one (128 KB) is less than an advertisement may have.
csv.field_size_limit(_CELL)


class Dialect(NamedTuple):
    """How the cells are told apart."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    spaced: bool = False  # a space stands behind the delimiter
    skip: int = 0  # lines before the header
    score: float = 0.0  # the share of rows that are as wide as the widest usual one

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            skipinitialspace=self.spaced,
        )


def recognise_dialect(head: str, form: Format) -> Dialect:
    """The dialect in which the beginning of a table falls into rows of one width."""
    lines = whole_lines(head)[form.skip :]
    given = re.fullmatch(r"sep=(.)\s*", lines[0]) if lines else None
    if given:
        found = recognise_dialect(
            "".join(lines[1:]), msgspec.structs.replace(form, delimiter=given[1], skip=0)
        )
        return found._replace(skip=found.skip + form.skip + 1)
    best = Dialect(form.delimiter or ("\t" if form.kind == "tsv" else ","), form.quote)
    for delimiter in form.delimiter or _DELIMITERS:
        for variant in _variants(delimiter, form, head):
            score, skip = _judge(variant, lines)
            if score > best.score:
                best = variant._replace(score=score, skip=skip)
    return best._replace(skip=best.skip + form.skip)


def settle_dialect(head: str, form: Format, state: State) -> Dialect:
    """The dialect as declared, or as it is where the declared delimiter stands nowhere."""
    dialect = recognise_dialect(head, form)
    if dialect.skip > form.skip:
        state.note(f"the header is in line {dialect.skip + 1}")
    if form.delimiter and dialect.score <= 0:
        other = recognise_dialect(head, msgspec.structs.replace(form, delimiter=""))
        if other.score >= 0.9:
            state.note(f"declared delimiter {form.delimiter!r}, is {other.delimiter!r}")
            return other
    return dialect


def _variants(delimiter: str, form: Format, head: str) -> Iterator[Dialect]:
    plain = Dialect(delimiter, form.quote)
    yield plain
    if not form.quote:
        return
    if f"{delimiter} {form.quote}" in head:
        yield plain._replace(spaced=True)
    if f"\\{form.quote}" in head:
        yield plain._replace(escape="\\")
    quoted = re.escape(form.quote) + "[^\n]*?" + re.escape(form.quote)
    edge = f"[{re.escape(delimiter)}\r\n]"
    if form.quote in head and not re.search(rf"(?:^|{edge}){quoted}{edge}", head):
        yield plain._replace(quote="")  # inches and cut quotations, not quoted cells


def whole_lines(head: str) -> list[str]:
    """The lines of the beginning; the last one may be cut, and is left out if there are others."""
    lines = io.StringIO(head, newline="").readlines()
    return lines[:-1] if len(lines) > 1 and not lines[-1].endswith(("\n", "\r")) else lines


def _judge(dialect: Dialect, lines: list[str]) -> tuple[float, int]:
    """How regular the rows are, and how many lines stand before the header."""
    try:
        rows = [row for row in islice(dialect.reader(iter(lines)), _JUDGED) if any(row)]
    except csv.Error:
        return 0.0, 0
    if not rows:
        return 0.0, 0
    widths = [len(row) for row in rows]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    if usual == 1:
        return 0.0, 0
    score = widths.count(usual) / len(widths)
    # What stands before the header is narrower; a header may itself lack the name of its last column.
    first = 0 if widths[0] >= usual - 1 else next(at for at, width in enumerate(widths) if width >= usual)
    skip = 0 if first > 20 else _lines_before(dialect, lines, first)
    return score + min(usual, 100) / 1e4 - (0.1 if skip else 0.0), skip


def _lines_before(dialect: Dialect, lines: list[str], rows: int) -> int:
    """The lines above the row of this number; they are a title, a date, a remark."""
    if not rows:
        return 0
    reader = csv.reader(iter(lines), delimiter=dialect.delimiter, quotechar=dialect.quote or None)
    seen = before = 0
    for row in reader:
        if any(row):
            if seen == rows:
                break
            seen += 1
        before = reader.line_num
    return before


class _Open(Exception):
    """A quote that is not closed."""


class _Bytes(io.BufferedIOBase):
    """Chunks as a file, as io.TextIOWrapper wants it; a line without end stops it."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self._chunks = chunks
        self._name = name
        self._since = 0

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        for chunk in self._chunks:
            if not chunk:
                continue
            end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            self._since = self._since + len(chunk) if end < 0 else len(chunk) - end
            if self._since > _LINE:
                raise Broken(self._name, f"a line of more than {_LINE >> 20} MB: this is no table")
            return chunk
        return b""


class _Lines:
    """The lines of a table, one row at a time: `pending` are those of the row that is being read."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._back: list[str] = []
        self.pending: list[str] = []
        self.ended = False

    def feed(self) -> Iterator[str]:
        pending = self.pending
        while self._back:
            yield self._next(self._back.pop())
        for line in self._text:
            pending.append(line)
            if len(pending) > 1:
                self._watch()
            yield line
        self.ended = True

    def _next(self, line: str) -> str:
        self.pending.append(line)
        self._watch()
        return line

    def _watch(self) -> None:
        count = len(self.pending)
        if count > _LINES or (count % 16 == 0 and sum(map(len, self.pending)) > _ROW):
            raise _Open

    def again(self) -> str:
        """Takes back all lines of this row but the first, which is returned."""
        first, *others = self.pending
        self._back.extend(reversed(others))
        self.pending.clear()
        self.ended = False
        return first


def read_delimited(chunks: Iterator[bytes], dialect: Dialect, state: State) -> Iterator[Row]:
    """The rows of a table in UTF-8."""
    name = state.name
    text = io.TextIOWrapper(  # type: ignore[type-var]
        _Bytes(chunks, name), encoding="utf-8", errors="surrogateescape", newline=""
    )
    skipped = sum(1 for _ in islice(text, dialect.skip))
    lines = _Lines(text)
    line = skipped + 1
    header: list[str] | None = None
    build: Build = dict
    width = 0
    lost = removed = 0
    repeated, empty = False, True
    while True:
        reader = dialect.reader(lines.feed())
        try:
            for cells in reader:
                start, count = line, len(lines.pending)
                if (count > 1 or lines.ended) and _is_swallowed(lines, cells, width, dialect):
                    raise _Open
                line += count
                lines.pending.clear()
                if not cells:
                    continue
                if header is None:
                    header, build, first = _head(cells, state)
                    width = len(header)
                    if first:
                        continue
                joined = SEPARATOR.join(cells)
                if len(joined) <= 2 * len(cells) and not joined.strip(" \t\x1f"):
                    continue
                if len(cells) != width:
                    cells, joined = _fit(cells, width, joined)
                where = f"{state.at}line {start}"
                empty = False
                try:
                    raw = joined.encode()
                except UnicodeEncodeError:
                    raw = joined.encode("utf-8", "surrogateescape")
                    yield Row(raw, where, None, undecoded_fault(joined, state.encoding))
                    continue
                if len(cells) != width:
                    yield Row(raw, where, None, f"{len(cells)} cells where the header has {width}")
                    continue
                if cells == header:
                    repeated = True
                    continue
                if joined.count(SEPARATOR) != width - 1:
                    raw = msgspec.json.encode(cells)
                if "\x00" in joined:
                    removed += joined.count("\x00")
                    cells = [cell.replace("\x00", "") for cell in cells]
                yield LazyRow(raw, where, None, "", cells, build)
            break
        except (_Open, csv.Error) as error:
            start = line
            whole = lines.pending[0] if len(lines.pending) == 1 else lines.again()
            lines.pending.clear()
            line += 1
            lost += 1
            if lost > _LOST:
                raise Broken(
                    name, f"more than {_LOST:,} quotes are never closed", hint="give quote"
                ) from error
            fault = f"a quote that opens in line {start} is not closed"
            if isinstance(error, csv.Error):
                fault = f"a cell of more than {_CELL >> 20} MB" if "limit" in str(error) else str(error)
            yield Row(
                whole.encode("utf-8", "surrogateescape")[:_CELL], f"{state.at}line {start}", None, fault
            )
    if repeated:
        state.note("the header comes again inside the table")
    if removed:
        state.note(f"{removed} NUL bytes were left out")
    if empty and not lost:
        state.note("there is no row below the header")


def _head(cells: list[str], state: State) -> tuple[list[str], Build, bool]:
    """The header, what makes fields of a row, and whether this row was the header."""
    form = state.form
    if form.columns:
        names = name_columns(form.columns)
        first = list(form.columns) == [cell.strip() for cell in cells]
        optional: frozenset[str] = frozenset()
    elif form.header:
        names = name_columns(cells)
        optional = unnamed(names, cells)
        first = True
        if looks_like_data(cells):
            state.note("the first line looks like data: write header = false")
    else:
        names = name_columns([""] * len(cells))
        optional = frozenset()
        first = False
    if state.after is None:
        return (cells if first else list(names)), plan(names, optional), first
    named: dict[str, None] = state.after(dict.fromkeys(names))
    build = plan(tuple(named) if len(named) == len(names) else names, optional)
    return (cells if first else list(names)), partial(_then, build, state.after), first


def _then(build: Build, after: Callable[[Any], Any], cells: Sequence[Any]) -> dict[str, Any]:
    fields: dict[str, Any] = after(build(cells))
    return fields


def looks_like_data(cells: Sequence[str]) -> bool:
    """Whether these cells can hardly be names of columns."""
    return any(
        re.fullmatch(r"\s*[-+]?\d+([.,]\d+)*\s*|\d{1,4}[-./]\d\d?[-./]\d{1,4}.*|https?://\S+", c)
        for c in cells
    )


def _fit(cells: list[str], width: int, joined: str) -> tuple[list[str], str]:
    """Without the empty cells that stand beyond the header."""
    if len(cells) > width and not any(cells[width:]):
        return cells[:width], SEPARATOR.join(cells[:width])
    return cells, joined


def _is_swallowed(lines: _Lines, cells: list[str], width: int, dialect: Dialect) -> bool:
    """Whether this row of several lines is a quote that was never closed and swallowed good rows."""
    if lines.ended:
        return True  # the file ended inside the quotes
    if not width or len(cells) == width:
        return False
    try:
        alone = [next(dialect.reader(iter([line])), []) for line in lines.pending[1:]]
    except csv.Error:
        return False
    return sum(1 for row in alone if len(row) == width) * 2 >= len(alone)
