"""The client without its input and output: which requests it makes, what it makes of the answers, when it waits.

A talk is a generator: it yields what is to be done, is sent the reply, and returns its result. A shell carries it
out, over sockets that block or over an event loop.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from landbridge.client.answers import FeedPage, Kind, Member, ReadAs, Record, Result, Suggestion
from landbridge.client.errors import Document, Gone, Problem, Unreachable, Unreadable

API: Final = "/api/v1"
FEED: Final = "/feed"
_KEPT: Final = 64  # answers that are remembered
_LARGEST: Final = 1 << 20  # of them, bytes
_PAUSE: Final = 1.0  # seconds between tries, at least
_BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

Value: TypeAlias = str | float | bool | Sequence[str] | None
T = TypeVar("T")


class Ask(msgspec.Struct, frozen=True):
    """A GET to be made; with `stream`, the body of an answer of 200 is left to be read."""

    target: str
    headers: dict[str, str]
    stream: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Seconds to be waited."""

    seconds: float


class Reply(msgspec.Struct, frozen=True):
    """What came back; the names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


Talk: TypeAlias = Generator[Ask | Wait, Reply | None, T]


class ExportHead(msgspec.Struct, frozen=True):
    """Before the records of an export: how many match, and whether every member answered with all it has."""

    total: int
    complete: bool


class Core:
    """What both clients share: the server's address, and the answers that are remembered by their ETag."""

    def __init__(self, base: str, *, patience: float) -> None:
        parts = urlsplit(base)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{base!r} is no address of a Landbridge; such as https://landbridge.example")
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.port = parts.port
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._patience = patience
        self._kept: dict[str, tuple[str, bytes]] = {}

    def find(self, q: str, filters: Mapping[str, Value]) -> Talk[Result]:
        return self._get(_target(f"{API}/find", {"q": q, **filters}), Result)

    def find_all(self, q: str, filters: Mapping[str, Value]) -> Generator[Talk[Result], Result, None]:
        """The talks of one page after the other."""
        cursor = ""
        while True:
            page = yield self.find(q, {**filters, "cursor": cursor or filters.get("cursor")})
            cursor = page.cursor
            if not cursor:
                return

    def record(self, id_: str) -> Talk[Record]:
        return self._get(f"{API}/records/{quote(id_)}", Record)

    def members(self) -> Talk[list[Member]]:
        return self._get(f"{API}/members", list[Member])

    def kinds(self) -> Talk[list[Kind]]:
        return self._get(f"{API}/kinds", list[Kind])

    def suggest(self, q: str, filters: Mapping[str, Value]) -> Talk[list[Suggestion]]:
        return self._get(_target(f"{API}/suggest", {"q": q, **filters}), list[Suggestion])

    def occupations(self, q: str, text: str, lang: str) -> Talk[ReadAs]:
        return self._get(_target(f"{API}/occupations", {"q": q, "text": text, "lang": lang}), ReadAs)

    def feed(self, start: str, filters: Mapping[str, Value]) -> Generator[Talk[FeedPage], FeedPage, None]:
        """The talks of one page after the other, up to the newest."""
        target: str | None = start or _target(FEED, filters)
        while target:
            if not target.startswith("/") or target.startswith("//"):
                raise Unreadable(f"{target[:200]!r} is no page of this feed")
            page = yield self._get(target, FeedPage)
            target = page.next_url if page.items else None

    def export(self, q: str, filters: Mapping[str, Value]) -> Talk[ExportHead]:
        target = _target(f"{API}/export", {"q": q, **filters, "format": "ndjson"})
        reply = yield from self._exchange(target, {"Accept": "application/x-ndjson"}, stream=True)
        if reply.status != HTTPStatus.OK:
            raise _refusal(reply)
        total = reply.headers.get("landbridge-total", "")
        return ExportHead(
            int(total) if total.isdecimal() else 0, reply.headers.get("landbridge-complete") == "yes"
        )

    def _get(self, target: str, type_: Any) -> Talk[Any]:
        headers = {"Accept": "application/json"}
        kept = self._kept.get(target)
        if kept is not None:
            headers["If-None-Match"] = kept[0]
        reply = yield from self._exchange(target, headers)
        if reply.status == HTTPStatus.NOT_MODIFIED and kept is not None:
            return _decode(target, kept[1], type_)
        if reply.status != HTTPStatus.OK:
            raise _refusal(reply)
        self._keep(target, reply)
        return _decode(target, reply.body, type_)

    def _exchange(self, target: str, headers: dict[str, str], *, stream: bool = False) -> Talk[Reply]:
        """The reply to a request, made again as often as the server says when and patience lasts."""
        waited = 0.0
        while True:
            reply = yield Ask(self._path + target, headers, stream)
            assert reply is not None, "a shell answers what it is asked"
            pause = _retry_after(reply) if reply.status in _BUSY else None
            if pause is None or waited + pause > self._patience:
                return reply
            waited += max(pause, _PAUSE)
            yield Wait(max(pause, _PAUSE))

    def _keep(self, target: str, reply: Reply) -> None:
        self._kept.pop(target, None)
        if (tag := reply.headers.get("etag")) and len(reply.body) <= _LARGEST:
            self._kept[target] = (tag, reply.body)
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]


class Lines:
    """Parts the bytes of an export into records."""

    def __init__(self) -> None:
        self._rest = b""
        self._decode: Callable[[bytes], Record] = msgspec.json.Decoder(Record).decode

    def feed(self, chunk: bytes) -> list[Record]:
        """The records that end in this chunk."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        try:
            return [self._decode(line) for line in whole if line]
        except msgspec.DecodeError as error:
            raise Unreadable(f"a line of the export is no record: {error}") from None

    def end(self) -> None:
        """Raises Unreachable where the last line has no end."""
        if self._rest:
            raise Unreachable("the export broke off in the middle of a record")


def _target(path: str, params: Mapping[str, Value]) -> str:
    """The address of an endpoint; `in_` stands for the parameter `in`, for that is a word of Python's own."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        for one in values:
            if one is None or one == "":
                continue
            pairs.append((name.removesuffix("_"), str(int(one)) if isinstance(one, bool) else str(one)))
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _decode(target: str, body: bytes, type_: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{target.partition('?')[0]} answers otherwise than Landbridge: {error}") from None


def _refusal(reply: Reply) -> Exception:
    """The error that an answer other than 200 stands for."""
    try:
        document = msgspec.json.decode(reply.body, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        names = {s.value: s.phrase for s in HTTPStatus}
        document = Document(title=names.get(reply.status, "no such status"), detail="")
    if reply.status == HTTPStatus.GONE:
        return Gone(reply.status, document)
    return Problem(reply.status, document, retry_after=_retry_after(reply))


def _retry_after(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 9 else None
