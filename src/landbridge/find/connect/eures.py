"""`with = "eures"`: the input interface by which EURES reads its members (0.1), read in the same way.

Implementing Decisions (EU) 2017/1257 and 2018/1021; vacancies are HR-XML 3 PositionOpening documents.

| key of `[fetch]` | meaning |
|---|---|
| `url` | the address below which `ping`, `getAll`, `getChanges/{ms}` and `getDetails` answer ("https://…/input/api/jv/v0.1") |
| `path` | local PositionOpening files instead ("ads/*.xml"); for addresses of such files, `url` may be a list |
| `batch` | references in one getDetails (default 100) |
| `params` | query parameters; `env:NAME` is a secret |

The first run reads everything (getAll), later ones what changed since the newest change known; CLOSED references
are gone. A row is the document's fields and `reference`, which [map] id takes, as removals come by it.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import msgspec

from landbridge.errors import Broken, Drift, SourceFileError
from landbridge.find.connect.files import Place, local_files, read_places
from landbridge.find.connect.http import Client, Reach, Reply, read_keys, reading
from landbridge.find.connect.page import Page, as_key
from landbridge.find.read import Format, Row, read
from landbridge.find.source import Source

DOCUMENT = "PositionOpening"


class Eures(Reach, frozen=True, kw_only=True):
    url: str | tuple[str, ...] = ()
    path: str | tuple[str, ...] = ()
    batch: int = 100
    params: dict[str, Any] = msgspec.field(default_factory=dict)


class Reference(msgspec.Struct, frozen=True):
    """What is told of a vacancy without its details; times are milliseconds since 1970."""

    reference: str
    status: str = "ACTIVE"
    creationTimestamp: int | None = None  # noqa: N815 the names of the interface
    lastModificationTimestamp: int | None = None  # noqa: N815
    closingTimestamp: int | None = None  # noqa: N815

    @property
    def changed(self) -> int:
        return max(
            self.creationTimestamp or 0, self.lastModificationTimestamp or 0, self.closingTimestamp or 0
        )


class _All(msgspec.Struct):
    allReferences: list[Reference]  # noqa: N815


class _Changes(msgspec.Struct):
    createdReferences: list[Reference] = []  # noqa: N815
    modifiedReferences: list[Reference] = []  # noqa: N815
    closedReferences: list[Reference] = []  # noqa: N815


class _Detail(msgspec.Struct):
    content: str = ""
    status: str = "ACTIVE"
    reference: str = ""


class _Details(msgspec.Struct):
    details: dict[str, _Detail | None]


class _State(msgspec.Struct, omit_defaults=True):
    """What is known, and how far the present run has come. It is the cursor."""

    since: int = 0
    mode: Literal["", "all", "changes"] = ""
    done: str = ""  # the last reference that was read, in their order


def read_eures(source: Source) -> Eures:
    """`[fetch]` of the interface, checked. Raises SourceFileError."""
    keys = read_keys(source, Eures)
    if bool(keys.url) == bool(keys.path):
        raise SourceFileError(source.id, "[fetch] needs either url or path")
    if keys.batch < 1:
        raise SourceFileError(source.id, "[fetch] batch is less than 1")
    return keys


async def pages(source: Source, client: Client, cursor: Any) -> AsyncIterator[Page]:
    """The vacancies of a member, from the cursor on."""
    keys = read_eures(source)
    form = reading(source, keys)
    form = msgspec.structs.replace(form, kind="xml", items=form.items or DOCUMENT)
    if keys.path or not isinstance(keys.url, str):
        places = [Place(url=url) for url in keys.url]
        if keys.path:
            patterns = (keys.path,) if isinstance(keys.path, str) else keys.path
            places = [Place(path=path) for path in local_files(source, patterns, client)]
        async for page in read_places(source, client, places, form, keys.params, cursor):
            yield page
        return
    async for page in _interface(source, client, keys, form, cursor):
        yield page


async def _interface(
    source: Source, client: Client, keys: Eures, form: Format, cursor: Any
) -> AsyncIterator[Page]:
    state = msgspec.convert(cursor, _State) if isinstance(cursor, dict) else _State()
    ask = _Ask(source, client, keys)
    await ask.get("ping", expect="")
    if state.mode == "all" or not state.since:
        references, closed = await ask.everything()
        mode: Literal["all", "changes"] = "all"
    else:
        references, closed = await ask.changes(state.since)
        mode = "changes"
    newest = max([state.since, *(r.changed for r in (*references, *closed))])
    live = sorted({r.reference: r for r in references}.values(), key=lambda r: r.reference)
    claimed = len(live) if mode == "all" else None
    notes: list[str] = []
    missing = 0
    gone = [as_key(r.reference) for r in closed]
    todo = [r for r in live if not state.done or r.reference > state.done]
    for begin in range(0, len(todo), keys.batch):
        batch = todo[begin : begin + keys.batch]
        details, shown = await ask.details([r.reference for r in batch])
        rows: list[Row] = []
        for one in batch:
            detail = details.get(one.reference)
            if detail is None:
                missing += 1
            elif detail.status.upper() == "CLOSED":
                gone.append(as_key(one.reference))
            else:
                rows.append(_row(one.reference, detail.content, source, form))
        yield Page(
            rows=rows,
            gone=gone,
            cursor=msgspec.to_builtins(_State(since=state.since, mode=mode, done=batch[-1].reference)),
            claimed=claimed,
            keep_cursor=True,
            url=shown,
        )
        gone = []
    if missing:
        notes.append(f"getDetails left out {missing:,} of the references that it was asked for")
    yield Page(
        rows=(),
        gone=gone,
        cursor=msgspec.to_builtins(_State(since=newest)),
        claimed=claimed,
        last=True,
        complete=mode == "all" and not missing,
        keep_cursor=True,
        notes=notes,
    )


class _Ask:
    """The four questions of the interface."""

    def __init__(self, source: Source, client: Client, keys: Eures) -> None:
        self.source = source
        self.client = client
        self.base = str(keys.url).rstrip("/")
        self.params = [(name, client.reveal(source, str(value))) for name, value in keys.params.items()]

    async def get(self, what: str, expect: Literal["json", ""] = "json") -> Reply:
        return await self.client.get(self.source, f"{self.base}/{what}", params=self.params, expect=expect)

    async def everything(self) -> tuple[list[Reference], list[Reference]]:
        """Those that are open, and those that are closed."""
        reply = await self.get("getAll")
        found = self._decode(reply, _All).allReferences
        closed = [r for r in found if r.status.upper() == "CLOSED"]
        return [r for r in found if r.status.upper() != "CLOSED"], closed

    async def changes(self, since: int) -> tuple[list[Reference], list[Reference]]:
        """Those that came or changed since, and those that were closed; the last word counts."""
        found = self._decode(await self.get(f"getChanges/{since}"), _Changes)
        closed = {r.reference: r for r in found.closedReferences}
        live: list[Reference] = []
        for one in (*found.createdReferences, *found.modifiedReferences):
            end = closed.get(one.reference)
            if one.status.upper() == "CLOSED":
                closed.setdefault(one.reference, one)
            elif end is None or one.changed > end.changed:
                closed.pop(one.reference, None)
                live.append(one)
        return live, list(closed.values())

    async def details(self, references: list[str]) -> tuple[Mapping[str, _Detail | None], str]:
        reply = await self.client.post(
            self.source, f"{self.base}/getDetails", json=references, params=self.params
        )
        return self._decode(reply, _Details).details, reply.shown

    def _decode(self, reply: Reply, type_: Any) -> Any:
        try:
            return msgspec.json.decode(reply.body, type=type_)
        except msgspec.ValidationError as error:
            raise Drift(
                self.source.id, f"{reply.shown}: it is not what the interface 0.1 says: {error}"
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Broken(self.source.id, f"{reply.shown}: the JSON is cut or broken: {error}") from error


def _row(reference: str, content: str, source: Source, form: Format) -> Row:
    """One vacancy: the fields of its document, and its reference."""
    raw = f"{reference}\x1f{content}".encode()
    try:
        rows = list(read(content.encode(), source.id, form))
        if len(rows) != 1:
            return Row(raw=raw, where=reference, fault=f"its content has {len(rows)} {form.items}, not one")
        fields = rows[0].decode()
    except (Broken, Drift) as error:
        return Row(raw=raw, where=reference, fault=error.reason)
    except ValueError as error:
        return Row(raw=raw, where=reference, fault=str(error))
    return Row(raw=raw, where=reference, value={**fields, "reference": reference})
