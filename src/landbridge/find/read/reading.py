"""One file or archive of a register, read row by row."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from landbridge.errors import Broken, Drift, FetchError, SourceFileError
from landbridge.find.read import mojibake
from landbridge.find.read.delimited import read_delimited, settle_dialect
from landbridge.find.read.encoding import Utf8
from landbridge.find.read.linked import read_linked
from landbridge.find.read.literals import parse_cells
from landbridge.find.read.markup import read_markup
from landbridge.find.read.objects import read_json, read_ndjson
from landbridge.find.read.recognise import HEAD, KINDS, declared_encoding, recognise_text, utf8_head
from landbridge.find.read.rows import Format, Row, State
from landbridge.find.read.unpack import CAP, Part, gather, hold_back, is_workbook, unpack
from landbridge.find.read.workbook import read_workbook

_OPEN = Format()


def read(data: bytes | Path, name: str, form: Format = _OPEN, *, cap: int = CAP) -> "Reading":
    """The rows of a file, packed or not; `name` is the source's or the file's, and stands in every error.

    What `form` leaves open is recognised. Raises at once: SourceFileError for a form that nothing can be read by,
    Broken for what is no register or decodes to more than `cap` bytes, Drift for another kind than declared.
    """
    _check(form, name)
    return Reading(data, name, form, cap)


def _check(form: Format, name: str) -> None:
    if form.kind and form.kind not in KINDS:
        raise SourceFileError(
            name, f"kind = {form.kind!r} is unknown", hint=f"one of {', '.join(sorted(KINDS))}"
        )
    for key, value in (("delimiter", form.delimiter), ("quote", form.quote)):
        if len(value) > 1 or value in ("\n", "\r"):
            raise SourceFileError(name, f"{key} = {value!r} is not one character")
    if form.delimiter and form.delimiter == form.quote:
        raise SourceFileError(name, f"delimiter and quote are both {form.quote!r}")
    if form.cells not in ("", "literals"):
        raise SourceFileError(name, f"cells = {form.cells!r} is unknown", hint='"literals", or nothing')
    if form.mojibake not in ("", "repair"):
        raise SourceFileError(name, f"mojibake = {form.mojibake!r} is unknown", hint='"repair", or nothing')
    if form.skip < 0:
        raise SourceFileError(name, f"skip = {form.skip} is less than nothing")


class _File(NamedTuple):
    part: Part
    form: Format
    is_book: bool


class Reading:
    """The rows of a register's file: iterate for them, as often as you like.

    `form` is the format as it was found; `notes` say in words what is not as it should be. Both are complete
    when the last row was given.
    """

    form: Format
    notes: list[str]

    def __init__(self, data: bytes | Path, name: str, form: Format, cap: int) -> None:
        self.name = name
        self.notes = []
        self._declared = form
        self._file_name = data.name if isinstance(data, Path) else name
        self._files = self._look(unpack(data, name, cap=cap))
        self.form = self._files[0].form

    def __iter__(self) -> Iterator[Row]:
        for at, file in enumerate(self._files):
            form = msgspec.structs.replace(file.form, encoding=self._declared.encoding)
            if file.form.kind == "json" and not self._declared.items:
                form = msgspec.structs.replace(form, items="")  # all of it tells more than the beginning
            state = State(self.name, form, self.notes, f"{file.part.name}, " if file.part.name else "")
            state.after = _after(form)
            try:
                yield from self._rows(file, state)
            finally:
                if at == 0:
                    encoding = state.encoding if file.form.kind != "xlsx" else ""
                    self.form = msgspec.structs.replace(state.form, encoding=encoding)

    def _look(self, parts: list[Part]) -> list[_File]:
        """What is in each file; of an archive, the files of the kind that most of its bytes have."""
        if len(parts) == 1:
            return [self._recognised(parts[0])]
        found: list[_File] = []
        sizes: dict[str, int] = {}
        for part in parts:
            try:
                file = self._recognised(part)
            except FetchError as error:
                self.notes.append(f"{part.name} was not read: {error.reason}")
                continue
            found.append(file)
            sizes[file.form.kind] = sizes.get(file.form.kind, 0) + part.size
        if not found:
            raise Broken(self.name, "no file in the archive can be read", hint="; ".join(self.notes[:5]))
        kind = max(sizes, key=lambda kind: sizes[kind])
        self.notes += [
            f"{f.part.name} was not read: it is {f.form.kind.upper()}" for f in found if f.form.kind != kind
        ]
        return [file for file in found if file.form.kind == kind]

    def _recognised(self, part: Part) -> _File:
        head, chunks = hold_back(part.chunks(), HEAD)
        if not head:
            for _ in chunks:  # a Broken says why there is nothing
                pass
        form = self._declared
        if part.is_book or is_workbook(head):
            if form.kind not in ("", "xlsx"):
                raise Drift(self.name, f"a workbook stands where {form.kind.upper()} was expected")
            return _File(part, msgspec.structs.replace(form, kind="xlsx"), True)
        state = State(self.name, form, self.notes, f"{part.name}, " if part.name else "")
        text = utf8_head(head, state)
        found = recognise_text(text, part.name or self._file_name, state)
        if found.kind == "xlsx":
            raise Drift(self.name, "this is no workbook")
        if (
            not form.kind
            and not form.mojibake
            and mojibake.looks_wrong(text[:100_000].decode("utf-8", "ignore"))
        ):
            state.note('text was decoded wrongly before it came here: mojibake = "repair" puts it right')
        return _File(part, msgspec.structs.replace(found, encoding=state.encoding), False)

    def _rows(self, file: _File, state: State) -> Iterator[Row]:
        if file.is_book:
            yield from self._workbook(file.part, state)
            return
        head, chunks = hold_back(file.part.chunks(), HEAD)
        declared = state.form.encoding or declared_encoding(head)
        text = iter(Utf8(chunks, declared, state))
        kind = state.form.kind
        if kind in ("csv", "tsv"):
            first, text = hold_back(text, HEAD)
            form = msgspec.structs.replace(self._declared, kind=kind)
            dialect = settle_dialect(first.decode("utf-8", "replace"), form, state)
            yield from read_delimited(text, dialect, state)
        elif kind == "ndjson":
            yield from read_ndjson(text, state)
        elif kind == "xml":
            yield from read_markup(text, state, state.form.items)
        else:
            data, cut = gather(text, self.name, kind.upper())
            try:
                yield from read_json(data, state) if kind == "json" else read_linked(data, state)
            except Broken:
                if cut is None:
                    raise
            if cut is not None:
                raise cut

    def _workbook(self, part: Part, state: State) -> Iterator[Row]:
        whole = part.whole
        if whole is None:
            whole, cut = gather(part.chunks(), self.name, "a packed workbook")
            if cut is not None:
                raise cut
        yield from read_workbook(whole, state)


def _after(form: Format) -> Callable[[Any], Any] | None:
    """What is done to the fields of a row once they are wanted."""
    steps: list[Callable[[Any], Any]] = [
        step
        for wanted, step in (
            (form.mojibake == "repair", mojibake.repair),
            (form.cells == "literals" and form.kind in ("csv", "tsv", "xlsx"), parse_cells),
        )
        if wanted
    ]
    return partial(_do, steps) if steps else None


def _do(steps: list[Callable[[Any], Any]], value: Any) -> Any:
    for step in steps:
        value = step(value)
    return value
