"""`with = "file"`: a register that is published as a file, or as several.

| key of `[fetch]` | meaning |
|---|---|
| `url` | the address of the file, or a list of them |
| `path` | a local file or pattern ("jobs/*.csv"), below the source's own folder or in a folder that the instance allows |
| `params` | query parameters; `env:NAME` is a secret |
| `kind`, `encoding`, `delimiter`, `items`, `each`, `sheet`, `cells`, `mojibake`, … | how it is read (landbridge.find.read.Format), here or in `format = { … }` |

gzip, bzip2, xz and zip are opened; what the keys leave out is recognised. A file that did not change since the
last complete run (ETag, Last-Modified; size and time of a local one) is not read again: the run says so and
removes nothing. A file that is cut gives its rows before the cut, and the run is not complete.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from landbridge.errors import Broken, Drift, FetchError, Forbidden, SourceFileError
from landbridge.find.connect.http import Client, Expect, Reach, Reply, Validators, read_keys, reading
from landbridge.find.connect.page import Page, fingerprint
from landbridge.find.read import Format, Reading, Row, read
from landbridge.find.source import Source

PAGE = 2_000
_CUT_ANYWHERE = frozenset({"csv", "tsv"})  # a row that is cut looks like a row


class File(Reach, frozen=True, kw_only=True):
    url: str | tuple[str, ...] = ()
    path: str | tuple[str, ...] = ()
    params: dict[str, Any] = msgspec.field(default_factory=dict)


class _State(msgspec.Struct):
    """Where the next page starts, and by what a file is known. It is the cursor."""

    mark: str = ""
    file: int = 0
    row: int = 0
    known: list[Validators | None] = []
    done: bool = False


class Place(msgspec.Struct, frozen=True):
    """A file that is to be read: an address, or a local path."""

    url: str = ""
    path: Path | None = None

    @property
    def name(self) -> str:
        return self.path.name if self.path is not None else self.url


def read_files(source: Source) -> File:
    """`[fetch]` of files, checked. Raises SourceFileError."""
    keys = read_keys(source, File)
    if bool(keys.url) == bool(keys.path):
        raise SourceFileError(source.id, "[fetch] needs either url or path")
    return keys


async def pages(source: Source, client: Client, cursor: Any) -> AsyncIterator[Page]:
    """The rows of all files, from the cursor on."""
    keys = read_files(source)
    places = _places(source, keys, client)
    async for page in read_places(source, client, places, reading(source, keys), keys.params, cursor):
        yield page


async def read_places(
    source: Source,
    client: Client,
    places: list[Place],
    form: Format,
    params: dict[str, Any],
    cursor: Any,
) -> AsyncIterator[Page]:
    """The rows of these files; a Broken one ends with the run incomplete."""
    state = _State()
    if isinstance(cursor, dict) and "known" in cursor:
        state = msgspec.convert(cursor, _State)
    mark = fingerprint(source)
    if state.mark != mark or len(state.known) != len(places):
        state = _State(mark=mark, known=[None] * len(places))
    got: dict[int, Reply] = {}
    if state.done:
        async for at, reply in _unchanged(source, client, places, params, form, state):
            got[at] = reply
        if not got:
            yield Page(
                rows=(), cursor=cursor, last=True, keep_cursor=True, notes=["not modified since the last run"]
            )
            return
        state = _State(mark=mark, known=[None] * len(places))
    notes: list[str] = []
    total = 0
    whole = True
    for at in range(state.file, len(places)):
        place = places[at]
        reply = got.get(at) or await _fetch(source, client, place, params, form, None)
        found = reply.validators
        skip = state.row if at == state.file and (state.known[at] in (None, found)) else 0
        state = msgspec.structs.replace(
            state, file=at, row=skip, done=False, known=[*state.known[:at], found, *state.known[at + 1 :]]
        )
        assert reply.path is not None
        batches = Batches(source, reply, form, skip)
        try:
            for rows in batches:
                state.row += len(rows)
                total += len(rows)
                yield Page(rows=rows, cursor=msgspec.to_builtins(state), url=reply.shown)
                await asyncio.sleep(0)
        finally:
            if place.path is None:
                reply.path.unlink(missing_ok=True)
        said = f"{place.name.rpartition('/')[2]}: " if len(places) > 1 else ""
        notes += [f"{said}{note}" for note in batches.notes]
        whole = whole and not batches.cut
        state = msgspec.structs.replace(state, file=at + 1, row=0)
    keep = whole and all(state.known)
    yield Page(
        rows=(),
        cursor=msgspec.to_builtins(msgspec.structs.replace(state, file=0, done=True)) if keep else None,
        last=True,
        complete=whole,
        keep_cursor=keep,
        notes=notes,
    )


class Batches:
    """The rows of one file, some thousand at a time; `cut` where they are not all of it."""

    def __init__(self, source: Source, reply: Reply, form: Format, skip: int) -> None:
        self.source = source
        self.reply = reply
        self.form = form
        self.skip = skip
        self.cut = reply.cut
        self.notes: list[str] = [reply.cut] if reply.cut else []

    def __iter__(self) -> Iterator[list[Row]]:
        assert self.reply.path is not None
        found: Reading | None = None
        held: list[Row] = []
        done = 0
        try:
            found = read(self.reply.path, self.source.id, self.form)
            for row in found:
                done += 1
                if done <= self.skip:
                    continue
                held.append(row)
                if len(held) > PAGE:
                    yield held[:PAGE]
                    held = held[PAGE:]
        except Broken as error:
            if not done and not self.cut:
                raise Broken(
                    self.source.id, f"{self.reply.shown}: {error.reason}", hint=error.hint
                ) from error
            self.cut = self.cut or error.reason
            self.notes.append(f"{error.reason}: {done:,} rows were read")
        except FetchError as error:
            raise type(error)(
                self.source.id, f"{self.reply.shown}: {error.reason}", hint=error.hint
            ) from error
        if found is not None:
            self.notes += found.notes
            if self.cut and held and found.form.kind in _CUT_ANYWHERE:
                held.pop()
        if held:
            yield held


async def _unchanged(
    source: Source, client: Client, places: list[Place], params: dict[str, Any], form: Format, state: _State
) -> AsyncIterator[tuple[int, Reply]]:
    """The first file that did change since the last run; nothing if none did."""
    for at, place in enumerate(places):
        reply = await _fetch(source, client, place, params, form, state.known[at])
        if not reply.unchanged:
            yield at, reply
            return


async def _fetch(
    source: Source,
    client: Client,
    place: Place,
    params: dict[str, Any],
    form: Format,
    since: Validators | None,
) -> Reply:
    if place.path is None:
        pairs = [(name, client.reveal(source, str(value))) for name, value in params.items()]
        return await client.download(
            source, place.url, params=pairs, since=since, expect=_expected(form), partial=True
        )
    try:
        stat = place.path.stat()
    except OSError as error:
        raise Drift(source.id, f"{place.name}: the file is gone ({error.strerror})") from error
    found = Validators(etag=f"{stat.st_size}-{stat.st_mtime_ns}")
    return Reply(
        status=304 if since == found else 200,
        url=place.name,
        shown=place.name,
        headers={"ETag": found.etag},
        path=place.path,
        unchanged=since == found,
    )


def _expected(form: Format) -> Expect:
    if form.kind in ("html", "json-ld"):
        return "page"
    return "data"


def _places(source: Source, keys: File, client: Client) -> list[Place]:
    """The addresses or local files that the keys name, in a settled order."""
    if keys.url:
        return [Place(url=url) for url in ([keys.url] if isinstance(keys.url, str) else keys.url)]
    patterns = [keys.path] if isinstance(keys.path, str) else keys.path
    return [Place(path=path) for path in local_files(source, patterns, client)]


def local_files(source: Source, patterns: tuple[str, ...] | list[str], client: Client) -> list[Path]:
    """Local files below the source's folder or in an allowed one. Raises Forbidden for any other."""
    allowed = [folder.resolve() for folder in (*([source.folder] if source.folder else []), *client.folders)]
    found: list[Path] = []
    for pattern in patterns:
        given = Path(pattern)
        bases = [Path(given.anchor)] if given.is_absolute() else allowed
        rest = str(given.relative_to(given.anchor)) if given.is_absolute() else pattern
        matches = sorted({p for base in bases for p in base.glob(rest) if p.is_file()})
        for path in matches:
            real = path.resolve()
            if not any(real.is_relative_to(folder) for folder in allowed):
                raise Forbidden(
                    source.id,
                    f"{pattern!r} lies outside of the source's folder",
                    hint="put the file beside the source file, or let the instance allow its folder",
                )
            if real not in found:
                found.append(real)
    if not found:
        raise Drift(source.id, f"no file matches {', '.join(map(repr, patterns))}")
    return found
