"""A row of a register as it was read, and the form that the register was written in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec


class Format(msgspec.Struct, frozen=True):
    """How a register's bytes are read; the keys stand in `[fetch]`, and an empty one is recognised.

    `kind`      csv, tsv, xlsx (every workbook), json, ndjson, xml, json-ld or html
    `encoding`  utf-8, gb18030, cp1251, …; what is declared wrongly is read as what it is, and noted
    `columns`   the names, for a table that has no header line (`header = false`)
    `skip`      lines (rows of a sheet) before the header
    `items`     the path to the rows in JSON ("data.items", "details.*"; steps go into lists by themselves),
                the local name of the row element in XML, the wanted @type in JSON-LD
    `each`      the path inside an item to its record ("vacancy" in {"vacancy": {…}})
    `cells`     "literals": a cell such as "['x']" or "{'id': 1}" is the value that it writes
    `mojibake`  "repair": text that was decoded wrongly before it came to us is put right where that is plain
    """

    kind: str = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()
    skip: int = 0
    items: str = ""
    each: str = ""
    sheet: str = ""
    cells: str = ""
    mojibake: str = ""


@dataclass
class State:
    """What is known while one file is read: `form` and `encoding` as they were found, `notes` in words.

    `name` is the register's, for errors; `at` stands before each place where there are several files;
    `after` is done to the fields of each row that is decoded.
    """

    name: str
    form: Format
    notes: list[str] = field(default_factory=list)
    at: str = ""
    encoding: str = "utf-8"
    after: Callable[[Any], Any] | None = None

    def note(self, words: str) -> None:
        """Writes a note, once."""
        if (note := f"{self.at}{words}") not in self.notes:
            self.notes.append(note)


class Row(msgspec.Struct, frozen=True):
    """One row: its exact bytes, where it stood, its value once decoded, and why it cannot be read.

    `raw` is what an unchanged row is known by; the cells of a table are joined by the unit separator.
    """

    raw: bytes
    where: str = ""
    value: Any = None
    fault: str = ""

    def decode(self) -> dict[str, Any]:
        """The row as fields. Raises ValueError with a plain reason."""
        if self.fault:
            raise ValueError(self.fault)
        if self.value is None:
            return decode_object(self.raw)
        return as_fields(self.value)


class LazyRow(Row, frozen=True):
    """A row that is built on demand, out of `parts`: an unchanged row never is."""

    parts: Any = None
    build: Callable[[Any], Any] = dict

    def decode(self) -> dict[str, Any]:
        """The row as fields. Raises ValueError with a plain reason."""
        if self.fault:
            raise ValueError(self.fault)
        try:
            return as_fields(self.build(self.raw if self.parts is None else self.parts))
        except RecursionError as error:
            raise ValueError("the row is nested too deeply") from error


def decode_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`. Raises ValueError with a plain reason."""
    try:
        return as_fields(msgspec.json.decode(raw))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(plain_reason(error)) from error


def as_fields(value: Any) -> dict[str, Any]:
    """`value` if it is an object. Raises ValueError that says what it is instead."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"the item is {_WORDS.get(type(value), 'a value')}, not an object")


_WORDS = {
    str: "text",
    list: "a list",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def plain_reason(error: Exception) -> str:
    """What a JSON decoder found, in words."""
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "bytes are not UTF-8"
    words = str(error)
    return "the JSON is cut" if "truncated" in words else words.replace("JSON is", "the JSON is")


# A byte that its encoding does not know travels through text as a lone surrogate (PEP 383); one that was
# kept while transcoding travels as the three bytes of that surrogate, each of which UTF-8 does not know.
_UNDECODED = re.compile("\udced[\udcb2\udcb3][\udc80-\udcbf]|[\ud800-\udfff]")


def undecoded(text: str) -> int:
    """How many bytes of this text their encoding did not know."""
    return sum(1 for _ in _UNDECODED.finditer(text))


def undecoded_fault(text: str, encoding: str) -> str:
    """The fault of a row that holds such bytes."""
    count = undecoded(text)
    return f"{count} {'byte is' if count == 1 else 'bytes are'} not {encoding.upper()}"
