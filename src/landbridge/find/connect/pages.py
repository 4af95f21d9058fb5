"""`with = "json-pages"`: a list that is given page by page.

| key of `[fetch]` | meaning |
|---|---|
| `url` | may hold `{page}` `{offset}` `{limit}` `{cursor}` `{from}` `{to}`; a query pair whose value is not known is left out |
| `method` | GET or POST |
| `params` | query parameters; values may hold the same placeholders, `env:NAME` is a secret |
| `json` | the body of a POST; a text that is one placeholder becomes its number |
| `items`, `each` | the path to the rows in the answer, and inside an item to its record |
| `total` | the path to the number of all rows; `header:X-Total-Count` for a header |
| `page_size` | rows of a full page (`{limit}`) |
| `paginator` | how to get to the next page, see below; a text is short for `{ type = … }` |
| `incremental` | `{ cursor_path, start_param, end_param, initial_value, format, zone }`: only what changed since the last run |
| `detail` | `{ url = "https://…/{id}", id, items, mode = "merge" or "replace" }`: a second request per row; a placeholder may be any path in the row, `{id:base64}` encodes it |
| `slices` | see landbridge.find.connect.slices |

| paginator (names of dlt's rest_api) | keys |
|---|---|
| `page_number` | `base_page` = 0, `page_param` = page, `page_body_path`, `total_path` (number of pages), `maximum_page`, `has_more_path`, `stop_after_empty_page` |
| `offset` | `limit` = 100, `offset` = 0, `offset_param`, `limit_param`, `offset_body_path`, `limit_body_path`, `total_path`, `maximum_offset`, `has_more_path`, `stop_after_empty_page` |
| `cursor` | `cursor_path`, `cursor_param`, `cursor_body_path` (a token, a continuation token, the last id) |
| `json_link` | `next_url_path` |
| `header_link` | `links_next_key` = next (RFC 8288) |
| `header_cursor` | `cursor_key`, `cursor_param` |
| `range_header` | `limit` = 150, `range_param` (in the query: `range=0-149`), or `unit` = items (in the Range header) |
| `single_page` | a list in one answer; asked for conditionally |

Without a paginator, `{page}` in the address means page_number, `{offset}` offset, and neither single_page.
A run is complete when the total that the register first stated was reached by different identifiers; where it
states none, when an empty page, or one that repeats or is refused behind a short one, marks the end.
"""

import asyncio
import base64
import codecs
import re
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONDecodeError
from json import loads as loads_leniently
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import quote, urljoin
from zoneinfo import ZoneInfo

import msgspec

from landbridge.errors import Broken, Drift, FetchError, Forbidden, Looping, Slowdown, SourceFileError
from landbridge.find.connect.http import Client, Expect, Reach, Reply, Validators, read_keys, reading, visible
from landbridge.find.connect.page import Page, fingerprint
from landbridge.find.mapping import path as walk_path
from landbridge.find.mapping import words
from landbridge.find.read import Format, Row, read
from landbridge.find.source import Source

PAGE = 2_000
_DAY = 86_400.0
_BEYOND = frozenset({400, 404, 416, 422})  # what registers answer to a page behind the last one
_SLOT = re.compile(r"\{([^{}:\s\"]+)(?::(base64))?\}")
_SLOTS = frozenset({"page", "offset", "limit", "cursor", "range", "from", "to"})
_NOTHING: tuple[Any, ...] = (None, "", False, [], {})


# paths in an answer


def at(data: bytes, path: str) -> Any:
    """What stands at a path ("paging.next", "$.data.total", "links.0.href") of a JSON text; None for nothing."""
    steps = tuple(step for step in path.removeprefix("$").split(".") if step)
    if not any(step.isdigit() for step in steps):
        try:
            return _walk_found(_decoder(steps).decode(data), len(steps))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            whole = loads_leniently(data.decode("utf-8", "replace"), strict=False)
        except (JSONDecodeError, RecursionError):
            return None
    return walk_path(".".join(steps))(whole) if steps else whole


@lru_cache(1024)
def _decoder(steps: tuple[str, ...]) -> "msgspec.json.Decoder[Any]":
    """Decodes only what lies on the way, and skips the rest."""
    found: Any = Any
    for step in reversed(steps):
        found = msgspec.defstruct("Step", [("found", found | None, msgspec.field(name=step, default=None))])
    return msgspec.json.Decoder(found)


def _walk_found(value: Any, depth: int) -> Any:
    for _ in range(depth):
        if value is None:
            return None
        value = value.found
    return value


def number_at(data: bytes, path: str) -> int | None:
    """A number at a path; "6 657", {"value": 6657} and 6657.0 are numbers as well."""
    value = at(data, path)
    if isinstance(value, dict):
        value = value.get("value")
    return as_number(value)


def as_number(value: Any) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return int(value)
    digits = re.sub(r"[\s,.\u00a0\u202f']", "", str(value))
    return int(digits) if digits.isdigit() else None


# templates


def slots(value: Any) -> set[str]:
    """The names of the placeholders in an address, a table of parameters or a body."""
    if isinstance(value, str):
        return {name for name, _ in _SLOT.findall(value)}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return {name for one in inner for name in slots(one)}


def fill_url(url: str, values: Mapping[str, Any]) -> str:
    """An address with its placeholders filled; a pair of the query that cannot be filled is left out."""
    head, mark, query = url.partition("?")
    if mark:
        pairs = [pair for pair in query.split("&") if slots(pair) <= values.keys()]
        query = "&".join(pairs)
    text = head + (mark if query else "") + query
    return _SLOT.sub(lambda m: quote(_written(values.get(m[1]), m[2]), safe=""), text)


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """A table, list or text with its placeholders filled; an entry that cannot be filled is left out."""
    if isinstance(value, dict):
        return {k: fill(v, values) for k, v in value.items() if _fillable(v, values)}
    if isinstance(value, list | tuple):
        return [fill(v, values) for v in value if _fillable(v, values)]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value)
    if whole and not whole[2] and whole[1] in values:
        return values[whole[1]]
    return _SLOT.sub(lambda m: _written(values.get(m[1]), m[2]), value)


def _fillable(value: Any, values: Mapping[str, Any]) -> bool:
    return not isinstance(value, str) or slots(value) <= values.keys()


def _written(value: Any, how: str) -> str:
    text = words(value)
    return base64.b64encode(text.encode()).decode() if how else text


def put_at(body: Any, path: str, value: Any) -> Any:
    """A JSON body with a value at a path; objects on the way are made."""
    whole = dict(body) if isinstance(body, dict) else {}
    here = whole
    *way, last = [step for step in path.removeprefix("$").split(".") if step]
    for step in way:
        here[step] = dict(here[step]) if isinstance(here.get(step), dict) else {}
        here = here[step]
    here[last] = value
    return whole


# one request, one answer


class Call:
    """A request in the making."""

    def __init__(self, keys: "JsonPages", given: Mapping[str, Any]) -> None:
        self.url = ""
        self.given: dict[str, Any] = dict(given)
        self.params: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.json: Any = keys.json
        self.used = keys.slots

    def put(self, name: str, value: Any, param: str, body_path: str = "") -> None:
        """A value of the paginator: into its placeholder if there is one, else into body or query."""
        if name in self.used:
            self.given[name] = value
        elif body_path:
            self.json = put_at(self.json, body_path, value)
        elif param:
            self.params[param] = value


class Answer(NamedTuple):
    """What one request brought."""

    rows: list[Row]
    reply: Reply
    total: int | None
    notes: list[str]
    refused: str = ""


class Progress(msgspec.Struct):
    """How far a list was read; it is the cursor, and tells at the end whether all was read."""

    at: Any = None
    pages: int = 0
    rows: int = 0
    read: int = 0  # different rows
    total: int | None = None  # as first stated
    size: int = 0  # of a full page
    short: bool = False  # the last page was less than full
    empty: bool = False
    end: str = ""

    @property
    def reached(self) -> bool:
        return self.total is not None and self.read >= self.total


class _Paginator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    counted: ClassVar[bool] = False

    def put(self, at_: Any, call: Call, size: int) -> None:
        """The parameters of this step."""

    def after(self, at_: Any, answer: Answer, progress: Progress, tally: "Tally") -> tuple[Any, str]:
        """The next step, or why there is none."""
        raise NotImplementedError

    def total(self, answer: Reply) -> int | None:
        """The number of all rows, where this way of paging tells it."""
        return None


class _Counted(_Paginator, frozen=True):
    """Pages by number or offset: they may go on for ever, so their end has to be recognised."""

    counted: ClassVar[bool] = True
    has_more_path: str = ""
    stop_after_empty_page: bool = True

    def _end(self, answer: Answer, progress: Progress) -> str:
        count = len(answer.rows)
        if count == 0 and (self.stop_after_empty_page or progress.empty or progress.total is None):
            return "empty"
        if self.has_more_path:
            more = at(answer.reply.body, self.has_more_path)
            if more in _NOTHING or words(more).lower() in ("false", "0", "no"):
                return "no more"
        if progress.reached and count < progress.size:
            return "total"
        return ""


class PageNumber(_Counted, frozen=True, tag="page_number"):
    base_page: int = 0
    page_param: str = "page"
    page_body_path: str = ""
    total_path: str = ""
    maximum_page: int | None = None

    def put(self, at_: Any, call: Call, size: int) -> None:
        call.put("page", self.base_page if at_ is None else at_, self.page_param, self.page_body_path)
        if size:
            call.given["limit"] = size

    def after(self, at_: Any, answer: Answer, progress: Progress, tally: "Tally") -> tuple[Any, str]:
        page = self.base_page if at_ is None else int(at_)
        end = self._end(answer, progress)
        last = number_at(answer.reply.body, self.total_path) if self.total_path else None
        if not end and last is not None and page - self.base_page + 1 >= last:
            end = "last page"
        if not end and self.maximum_page is not None and page >= self.maximum_page:
            end = "maximum"
        return page + 1, end


class Offset(_Counted, frozen=True, tag="offset"):
    limit: int = 100
    offset: int = 0
    offset_param: str = "offset"
    offset_body_path: str = ""
    limit_param: str = "limit"
    limit_body_path: str = ""
    total_path: str = ""
    maximum_offset: int | None = None

    def put(self, at_: Any, call: Call, size: int) -> None:
        call.put("offset", self.offset if at_ is None else at_, self.offset_param, self.offset_body_path)
        call.put("limit", size or self.limit, self.limit_param, self.limit_body_path)

    def after(self, at_: Any, answer: Answer, progress: Progress, tally: "Tally") -> tuple[Any, str]:
        start = self.offset if at_ is None else int(at_)
        end = self._end(answer, progress)
        # a page that is less than full may be cut to the register's own limit: no row may be stepped over
        step = min(len(answer.rows), progress.size or self.limit) or self.limit
        if not end and self.maximum_offset is not None and start + step > self.maximum_offset:
            end = "maximum"
        return start + step, end

    def total(self, answer: Reply) -> int | None:
        return number_at(answer.body, self.total_path) if self.total_path else None


class RangeHeader(_Counted, frozen=True, tag="range_header"):
    limit: int = 150
    range_param: str = ""
    unit: str = "items"

    def put(self, at_: Any, call: Call, size: int) -> None:
        start = int(at_ or 0)
        span = f"{start}-{start + (size or self.limit) - 1}"
        if self.range_param:
            call.put("range", span, self.range_param)
        else:
            call.headers["Range"] = f"{self.unit}={span}"

    def after(self, at_: Any, answer: Answer, progress: Progress, tally: "Tally") -> tuple[Any, str]:
        return int(at_ or 0) + (len(answer.rows) or self.limit), self._end(answer, progress)

    def total(self, answer: Reply) -> int | None:
        return as_number(answer.headers.get("Content-Range", "").rpartition("/")[2])


class _Linked(_Paginator, frozen=True):
    """Each page says where the next one is."""

    def _next(self, answer: Answer) -> str:
        raise NotImplementedError

    def after(self, at_: Any, answer: Answer, progress: Progress, tally: "Tally") -> tuple[Any, str]:
        found = self._next(answer)
        if not found:
            return None, "no link"
        if not answer.rows and (progress.empty or found in tally.tokens):
            return None, "empty"
        tally.follow(found, answer.reply)
        return found, ""


class CursorPaginator(_Linked, frozen=True, tag="cursor"):
    cursor_path: str = "cursors.next"
    cursor_param: str = "cursor"
    cursor_body_path: str = ""

    def put(self, at_: Any, call: Call, size: int) -> None:
        if size:
            call.given["limit"] = size
        if at_ is not None:
            call.put("cursor", at_, self.cursor_param, self.cursor_body_path)

    def _next(self, answer: Answer) -> str:
        value = at(answer.reply.body, self.cursor_path)
        if isinstance(value, list):
            value = value[-1] if value else None
        return "" if value in _NOTHING else words(value)


class HeaderCursor(_Linked, frozen=True, tag="header_cursor"):
    cursor_key: str = "next"
    cursor_param: str = "cursor"

    def put(self, at_: Any, call: Call, size: int) -> None:
        if size:
            call.given["limit"] = size
        if at_ is not None:
            call.put("cursor", at_, self.cursor_param)

    def _next(self, answer: Answer) -> str:
        return str(answer.reply.headers.get(self.cursor_key, ""))


class JsonLink(_Linked, frozen=True, tag="json_link"):
    next_url_path: str = "paging.next"

    def put(self, at_: Any, call: Call, size: int) -> None:
        call.url = at_ or ""
        if size:
            call.given["limit"] = size

    def _next(self, answer: Answer) -> str:
        value = at(answer.reply.body, self.next_url_path)
        return str(urljoin(answer.reply.url, words(value))) if value not in _NOTHING else ""


class HeaderLink(_Linked, frozen=True, tag="header_link"):
    links_next_key: str = "next"

    def put(self, at_: Any, call: Call, size: int) -> None:
        call.url = at_ or ""
        if size:
            call.given["limit"] = size

    def _next(self, answer: Answer) -> str:
        for target, rest in re.findall(r"<([^>]*)>([^<]*)", answer.reply.headers.get("Link", "")):
            named = re.search(r"\brel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", rest)
            if named and self.links_next_key in (named[1] or named[2]).split():
                return str(urljoin(answer.reply.url, target))
        return ""


class SinglePage(_Paginator, frozen=True, tag="single_page"):
    def after(self, at_: Any, answer: Answer, progress: Progress, tally: "Tally") -> tuple[Any, str]:
        return None, "single"


Paginator = (
    PageNumber | Offset | RangeHeader | CursorPaginator | HeaderCursor | JsonLink | HeaderLink | SinglePage
)


class Incremental(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only what changed: the newest value at `cursor_path` is where the next run starts."""

    cursor_path: str
    start_param: str = "from"
    end_param: str = ""
    initial_value: str | int | float | None = None
    format: str = ""
    zone: str = ""


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second request for each row."""

    url: str
    id: str = ""
    items: str = ""
    mode: Literal["merge", "replace"] = "merge"


class JsonPages(Reach, frozen=True, kw_only=True):
    url: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    json: Any = None
    total: str = ""
    page_size: int = 0
    paginator: Paginator | str | None = None
    incremental: Incremental | None = None
    detail: Detail | None = None
    slices: dict[str, Any] | None = None

    @property
    def slots(self) -> set[str]:
        return slots([self.url, self.params, self.json])


def read_pages(source: Source) -> JsonPages:
    """`[fetch]` of a paged list, checked. Raises SourceFileError."""
    keys = read_keys(source, JsonPages)
    if isinstance(keys.paginator, str):
        given = {**source.fetch, "paginator": {"type": keys.paginator}}
        keys = read_keys(msgspec.structs.replace(source, fetch=given), JsonPages)
    if keys.paginator is None:
        found: Paginator = SinglePage()
        if "page" in keys.slots:
            found = PageNumber()
        elif "offset" in keys.slots:
            found = Offset()
        keys = msgspec.structs.replace(keys, paginator=found)
    parameters = {str(v) for v in _strings(keys.slices)}
    if keys.incremental is not None:
        parameters |= {keys.incremental.start_param, keys.incremental.end_param}
    if strange := keys.slots - _SLOTS - parameters:
        raise SourceFileError(
            source.id,
            f"[fetch] {{{min(strange)}}} is a placeholder that nothing fills",
            hint=f"one of {', '.join(f'{{{name}}}' for name in sorted(_SLOTS))}, or a parameter of [fetch.slices]",
        )
    if keys.incremental is not None and source.deletes == "absence":
        raise SourceFileError(
            source.id,
            'deletes = "absence" cannot go with [fetch] incremental: rows that did not change are not sent',
            hint='deletes = "expiry", "tombstone" or "none"',
        )
    return keys


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]


class Listing:
    """A list of one register: asks for its pages."""

    def __init__(self, source: Source, client: Client, keys: JsonPages) -> None:
        self.source = source
        self.client = client
        self.keys = keys
        assert isinstance(keys.paginator, _Paginator)
        self.paginator: _Paginator = keys.paginator
        self.form = reading(source, keys)
        self.expect = expected(self.form)

    @property
    def size(self) -> int:
        limit = getattr(self.paginator, "limit", 0)
        return self.keys.page_size or int(limit)

    async def ask(self, at_: Any, given: Mapping[str, Any], since: Validators | None = None) -> Answer:
        """One page. `given` are placeholders or parameters of a window."""
        call = Call(self.keys, given)
        self.paginator.put(at_, call, self.size)
        params = fill(self.keys.params, call.given) | call.params
        params |= {name: value for name, value in given.items() if name not in call.used}
        url = call.url or fill_url(self.keys.url, call.given)
        pairs = [] if call.url else self._pairs(params)
        answers = _BEYOND if self.paginator.counted and at_ is not None else ()
        if self.keys.method == "POST":
            reply = await self.client.post(
                self.source,
                url,
                json=fill(call.json, call.given),
                params=pairs,
                headers=call.headers,
                expect=self.expect,
                answers=answers,
            )
        else:
            reply = await self.client.get(
                self.source,
                url,
                params=pairs,
                headers=call.headers,
                expect=self.expect,
                answers=answers,
                since=since,
            )
        if reply.status in answers:
            return Answer([], reply, None, [], f'{reply.status}: "{visible(reply.body)}"')
        rows, notes = rows_of(reply, self.source, self.form)
        return Answer(rows, reply, 0 if reply.status == 204 else self._total(reply), notes)

    def _pairs(self, params: Mapping[str, Any]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        for name, value in params.items():
            many = value if isinstance(value, list | tuple) else [value]
            pairs += [(name, self.client.reveal(self.source, words(one))) for one in many if one is not None]
        return pairs

    def _total(self, reply: Reply) -> int | None:
        if not reply.body:
            return None
        if self.keys.total.startswith("header:"):
            text = reply.headers.get(self.keys.total.removeprefix("header:"), "")
            return as_number(text.rpartition("/")[2])
        if self.keys.total:
            return number_at(reply.body, self.keys.total)
        return self.paginator.total(reply)


def expected(form: Format) -> Expect:
    """What an answer must look like to be read by this format."""
    known: dict[str, Expect] = {"": "json", "json": "json", "ndjson": "json", "xml": "xml"}
    return known.get(form.kind, "page" if form.kind in ("html", "json-ld") else "data")


def rows_of(reply: Reply, source: Source, form: Format) -> tuple[list[Row], list[str]]:
    """The rows of an answer, and what is to be said of it. Raises FetchError that names the address."""
    if reply.unchanged or reply.status == 204 or not reply.body:
        return [], []
    if not form.encoding and (encoding := _foreign(reply)):
        form = msgspec.structs.replace(form, encoding=encoding)
    if not form.kind:
        form = msgspec.structs.replace(form, kind="json")
    try:
        found = read(reply.body, source.id, form)
        return list(found), found.notes
    except (Drift, Broken) as error:
        raise type(error)(source.id, f"{reply.shown}: {error.reason}", hint=error.hint) from error


def _foreign(reply: Reply) -> str:
    """The encoding that the header declares, where the body is not UTF-8 after all."""
    try:
        reply.body.decode()
    except UnicodeDecodeError:
        try:
            return codecs.lookup(reply.charset).name if reply.charset else ""
        except LookupError:
            return ""
    return ""


class Tally:
    """What was seen of a list, so that no row counts twice and nobody goes in circles.

    `everything` takes the same rows, for a run that reads several lists.
    """

    def __init__(self, source: Source, form: Format, everything: set[int] | None = None) -> None:
        self.source = source
        self.tokens: set[str] = set()
        self._identify = identify(source, form)
        self._ids: set[int] = set()
        self._pages: set[int] = set()
        self._everything = everything

    def add(self, rows: Sequence[Row]) -> tuple[int, bool]:
        """How many of these rows were never seen, and whether the very same page was."""
        page = hash(tuple(row.raw for row in rows))
        repeated = page in self._pages
        self._pages.add(page)
        before = len(self._ids)
        ids = [hash(self._identify(row)) for row in rows]
        self._ids.update(ids)
        if self._everything is not None:
            self._everything.update(ids)
        return len(self._ids) - before, repeated

    def follow(self, token: str, reply: Reply) -> None:
        """Raises Looping for a token or link that was followed before."""
        if token in self.tokens:
            shown = token if len(token) <= 60 else token[:60] + "…"
            raise Looping(self.source.id, f"{reply.shown}: its next page, {shown!r}, was read before")
        self.tokens.add(token)


def identify(source: Source, form: Format) -> Callable[[Row], Hashable]:
    """What tells a row of a source from the others: its identifier where that is cheap to read, or all of it."""
    paths = source.theirs["id"][""].path
    plain = [p for p in paths if "\\" not in p and p != "." and not any(s.isdigit() for s in p.split("."))]
    if form.kind not in ("", "json", "ndjson") or not paths or len(plain) < len(paths):
        return lambda row: row.raw
    ways = [(_decoder(tuple(p.split("."))), p.count(".") + 1) for p in paths]

    def one(row: Row) -> Hashable:
        try:
            found = [_walk_found(decoder.decode(row.raw), depth) for decoder, depth in ways]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return row.raw
        key = [v for v in found if isinstance(v, str | int | float)]
        return tuple(key) if len(key) == len(ways) else row.raw

    return one


async def walk(
    listing: Listing,
    progress: Progress,
    tally: Tally,
    given: Mapping[str, Any],
    *,
    first: Answer | None = None,
) -> AsyncIterator[Answer]:
    """Each page of a list that has rows, from where `progress` is to its end. Raises Looping.

    `first` is the first page, where it was asked for already.
    """
    paginator = listing.paginator
    if isinstance(progress.at, str):
        tally.tokens.add(progress.at)
    while not progress.end:
        here = progress.at
        answer, first = first or await listing.ask(here, given), None
        if answer.refused:
            progress.end = f"refused, {answer.refused}"
            if progress.total is not None and progress.reached:
                progress.end = "total"
            return
        if progress.total is None:
            progress.total = answer.total
        count = len(answer.rows)
        progress.size = progress.size or listing.size or count
        if progress.pages == 0 and count > progress.size:
            progress.size = count
        fresh, repeated = tally.add(answer.rows)
        if count and (repeated or (fresh == 0 and count >= progress.size and progress.pages)):
            if paginator.counted and (progress.short or progress.reached):
                progress.end = "repeated"
                return
            raise _looping(listing, answer, here, repeated)
        progress.pages += 1
        progress.rows += count
        progress.read += fresh
        progress.at, progress.end = paginator.after(here, answer, progress, tally)
        if isinstance(progress.at, str) and isinstance(paginator, JsonLink | HeaderLink):
            progress.at = listing.client.bare(listing.source, progress.at)
        progress.short = count < progress.size
        progress.empty = count == 0
        if count:
            yield answer


def _looping(listing: Listing, answer: Answer, here: Any, repeated: bool) -> Looping:
    what = "the same page came before" if repeated else "every row of it came before"
    hint = "the register goes in circles"
    if isinstance(listing.paginator, PageNumber) and here == listing.paginator.base_page + 1:
        hint = "are page_param and base_page right? Many registers count from 1 (base_page = 1)"
    elif listing.paginator.counted:
        hint = "does the register know this parameter?"
    return Looping(listing.source.id, f"{answer.reply.shown}: {what}", hint=hint)


def judge(progress: Progress, listing: Listing) -> tuple[bool, str]:
    """Whether the whole list was read, and what is to be said about it."""
    total, read_ = progress.total, progress.read
    refused = progress.end.startswith("refused")
    if total is not None:
        if read_ > total:
            return True, f"claimed {total:,}, but {read_:,} rows were there"
        if read_ == total:
            return True, ""
        return False, f"claimed {total:,}, read {read_:,}: {_why_short(progress, listing)}"
    if listing.keys.total:
        return False, f"there is no total at {listing.keys.total!r}: {read_:,} rows were read"
    if progress.end == "maximum":
        return False, f"{read_:,} rows were read, as far as [fetch] paginator allows"
    if read_ == 0:
        return False, "it has no rows and states no total"
    if (refused or progress.end == "repeated") and not (progress.short and progress.pages > 1):
        # one short page alone does not tell whether the register gives pages of this size at all
        return False, f"{read_:,} rows were read; the next page was {progress.end}"
    return True, ""


def _why_short(progress: Progress, listing: Listing) -> str:
    if progress.end == "maximum":
        return "[fetch] paginator allows no more"
    if twice := progress.rows - progress.read:
        return f"{twice:,} rows came twice; a sort order in params keeps the pages apart"
    words_ = f" (the next page was {progress.end})" if progress.end.startswith("refused") else ""
    if progress.size and progress.read and progress.read % progress.size == 0:
        return f"the register caps a query at {progress.read:,}{words_}; add [fetch.slices]"
    return f"the register gives no more{words_}"


# a run


async def pages(source: Source, client: Client, cursor: Any) -> AsyncIterator[Page]:
    """The pages of a list, from the cursor on."""
    keys = read_pages(source)
    listing = Listing(source, client, keys)
    if isinstance(listing.paginator, SinglePage) and keys.incremental is None:
        async for page in _single(listing, cursor):
            yield page
        return
    since = _Since(keys.incremental, source, cursor)
    state = cursor.get("progress") if isinstance(cursor, dict) else None
    progress = msgspec.convert(state, Progress) if state else Progress()
    tally = Tally(source, listing.form)
    notes: list[str] = []
    async for answer in walk(listing, progress, tally, since.given):
        since.look(answer.rows)
        rows, said = await with_details(answer.rows, listing)
        notes += [note for note in (*answer.notes, *said) if note not in notes]
        yield Page(
            rows=rows,
            cursor={"progress": msgspec.to_builtins(progress), **since.state},
            claimed=progress.total,
            url=answer.reply.shown,
        )
    complete, note = judge(progress, listing)
    if keys.incremental is not None and progress.read == 0 and not progress.total:
        complete, note = True, ""
    yield Page(
        rows=(),
        cursor=since.end(done=complete),
        claimed=progress.total,
        last=True,
        complete=complete and keys.incremental is None,
        keep_cursor=keys.incremental is not None,
        notes=[*notes, note] if note else notes,
    )


async def _single(listing: Listing, cursor: Any) -> AsyncIterator[Page]:
    """A list in one answer, which may be unchanged since the last run."""
    mark = fingerprint(listing.source)
    known = cursor if isinstance(cursor, dict) and cursor.get("mark") == mark else {}
    since = Validators(known.get("etag", ""), known.get("modified", ""))
    answer = await listing.ask(None, {}, since)
    if answer.reply.unchanged:
        yield Page(
            rows=(), cursor=cursor, last=True, keep_cursor=True, notes=["not modified since the last run"]
        )
        return
    fresh, _ = Tally(listing.source, listing.form).add(answer.rows)
    progress = Progress(
        end="single", pages=1, rows=len(answer.rows), read=fresh, total=answer.total, size=len(answer.rows)
    )
    said: list[str] = []
    for begin in range(0, len(answer.rows), PAGE):
        rows, more = await with_details(answer.rows[begin : begin + PAGE], listing)
        said += [words_ for words_ in more if words_ not in said]
        yield Page(rows=rows, claimed=progress.total, url=answer.reply.shown)
    complete, note = judge(progress, listing)
    found = answer.reply.validators
    keep = complete and bool(found) and listing.keys.detail is None
    yield Page(
        rows=(),
        cursor={"etag": found.etag, "modified": found.modified, "mark": mark} if keep else None,
        claimed=progress.total,
        last=True,
        complete=complete,
        keep_cursor=keep,
        url=answer.reply.shown,
        notes=[n for n in (*answer.notes, *said, note) if n],
    )


class _Since:
    """The moving start of an incremental list."""

    def __init__(self, keys: Incremental | None, source: Source, cursor: Any) -> None:
        self.keys = keys
        known = cursor if isinstance(cursor, dict) else {}
        self.start = known.get("since", keys.initial_value if keys else None)
        self.newest = known.get("newest", self.start)
        self._zone = ZoneInfo((keys.zone if keys else "") or source.dates.zone)
        self._ahead = (1, time.time() + _DAY, "")

    @property
    def given(self) -> dict[str, Any]:
        if self.keys is None:
            return {}
        given: dict[str, Any] = {}
        if self.start is not None:
            given[self.keys.start_param] = self._format(self.start)
        if self.keys.end_param:
            given[self.keys.end_param] = write_moment(datetime.now(UTC), self.keys.format, self._zone)
        return given

    @property
    def state(self) -> dict[str, Any]:
        return {"since": self.start, "newest": self.newest} if self.keys else {}

    def look(self, rows: Sequence[Row]) -> None:
        if self.keys is None:
            return
        for row in rows:
            value = at(row.raw, self.keys.cursor_path)
            # a date that lies ahead is a mistake: nothing may be missed because of it
            if value in _NOTHING or _rank(value, self._zone) > self._ahead:
                continue
            if self.newest is None or _rank(value, self._zone) > _rank(self.newest, self._zone):
                self.newest = value

    def end(self, *, done: bool) -> Any:
        if self.keys is None:
            return None
        return {"since": self.newest if done else self.start}

    def _format(self, value: Any) -> Any:
        if self.keys is None or not self.keys.format:
            return value
        moment = read_moment(value, self._zone)
        return value if moment is None else write_moment(moment, self.keys.format, self._zone)


def _rank(value: Any, zone: ZoneInfo) -> tuple[int, float, str]:
    moment = read_moment(value, zone)
    if moment is not None:
        return (1, moment.timestamp(), "")
    return (0, float(value), "") if isinstance(value, int | float) else (0, 0.0, words(value))


def read_moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A moment as registers write it: ISO 8601, or seconds or milliseconds since 1970."""
    text = words(value)
    if re.fullmatch(r"-?\d{9,14}(\.\d+)?", text):
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if abs(number) > 1e11 else number, UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def write_moment(moment: datetime, format_: str, zone: ZoneInfo) -> str | int:
    """A moment in a register's own writing: a strftime format, "seconds" or "milliseconds"; ISO by default."""
    if format_ == "seconds":
        return int(moment.timestamp())
    if format_ == "milliseconds":
        return int(moment.timestamp() * 1000)
    local = moment.astimezone(zone)
    return local.strftime(format_) if format_ else local.isoformat(timespec="seconds")


# details


async def with_details(rows: Sequence[Row], listing: Listing) -> tuple[Sequence[Row], list[str]]:
    """The rows with what a second request says of each; one that cannot be had is a fault of its row."""
    detail = listing.keys.detail
    if detail is None or not rows:
        return rows, []
    found = await asyncio.gather(*(_detail(row, detail, listing) for row in rows), return_exceptions=True)
    kept: list[Row] = []
    gone = 0
    errors: list[FetchError] = []
    for row, one in zip(rows, found, strict=True):
        if isinstance(one, Row):
            kept.append(one)
        elif one is None:
            gone += 1
        elif isinstance(one, FetchError) and not isinstance(one, Forbidden | Slowdown):
            errors.append(one)
            kept.append(Row(raw=row.raw, where=row.where, fault=f"its detail cannot be read: {one.reason}"))
        else:
            raise one
    if len(errors) > 1 and len(errors) == len(rows):
        raise errors[0]
    return kept, [f"{gone:,} rows of the list had no detail any more"] if gone else []


async def _detail(row: Row, detail: Detail, listing: Listing) -> Row | None:
    if row.fault:
        return row
    try:
        fields = row.decode()
    except ValueError as error:
        return Row(raw=row.raw, where=row.where, fault=str(error))
    ids = listing.source.theirs["id"][""].path
    own = detail.id or (ids[0] if ids else "id")
    values = {name: walk_path(own if name == "id" else name)(fields) for name in slots(detail.url)}
    missing = [name for name, value in values.items() if value in _NOTHING]
    if missing:
        return Row(
            raw=row.raw, where=row.where, fault=f"its detail cannot be asked for: no {', '.join(missing)}"
        )
    url = fill_url(detail.url, values)
    reply = await listing.client.get(listing.source, url, expect=listing.expect, answers=(404, 410))
    if reply.status in (404, 410):
        return None
    form = msgspec.structs.replace(listing.form, items=detail.items or ".", each="")
    inner, _ = rows_of(reply, listing.source, form)
    if not inner:
        return Row(raw=row.raw, where=row.where, fault=f"its detail is empty at {detail.items!r}")
    try:
        more = inner[0].decode()
    except ValueError as error:
        return Row(raw=row.raw, where=row.where, fault=f"its detail cannot be read: {error}")
    merged = more if detail.mode == "replace" else {**fields, **more}
    return Row(raw=msgspec.json.encode(merged), where=row.where)
