"""The client through which every register is reached: guarded, polite, and plain about what went wrong.

Keys of `[fetch]` that concern every connector:

| key | meaning | default |
|---|---|---|
| `with` | the connector: json-pages, event-feed, json-ld, eures, file | |
| `every` | how often it is harvested: "30m", "6h", "1d" | "24h" |
| `rate` | at most so many requests: "10/s", "1/m", "500/h" | no limit |
| `concurrency` | requests at the same time | 4 |
| `timeout` | of one request, in all: "90s" (a file download may take an hour) | "60s" |
| `max_bytes` | decoded bytes of one answer | 64 MiB (a file: 2 GiB) |
| `headers` | sent with every request; `env:NAME` for a secret | |
| `auth` | see landbridge.find.connect.auth | |
| `format` | reading keys (kind, encoding, items, …) in a table of their own; they may also stand in `[fetch]` | |

What a register does, and the error it becomes (landbridge.errors):

| it … | error |
|---|---|
| does not answer, breaks off before the body, answers 5xx, or 4xx other than below | Refused |
| resolves or redirects to an address that is not public; answers 401, 403 | Forbidden |
| answers 429, or 503 with Retry-After, again and again or for longer than we wait | Slowdown |
| answers 404 or 410; with nothing; with HTML, a login page or plain text for data; redirects in circles | Drift |
| sends less than it announced, a damaged or cut compression, or more than the cap | Broken |

Connection failures, cut bodies, 5xx, 408, 425 and 429 are tried again a few times (jittered, Retry-After obeyed).
"""

import asyncio
import email.utils
import html
import ipaddress
import logging
import re
import shutil
import socket
import ssl
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit, urlunsplit

import aiohttp
import msgspec
import stamina
from multidict import CIMultiDict, MultiDict
from yarl import URL

from landbridge import __version__
from landbridge.errors import (
    Broken,
    Drift,
    FetchError,
    Forbidden,
    Refused,
    Slowdown,
    SourceFileError,
)
from landbridge.find.connect.auth import Credentials, Login
from landbridge.find.read import Format
from landbridge.find.source import Source, seconds

# stamina tells of every new attempt; who wants to read that gives the logger a handler
logging.getLogger("stamina").addHandler(logging.NullHandler())

MAX_BYTES = 64 * 2**20
MAX_FILE = 2 * 2**30
_REDIRECTS = 5
_WORDS = 2**16  # bytes of a failing answer that are read for its words
_HEAD = 2**12
_CHUNK = 2**18
_FILE_TIME = 3_600.0
_FETCH_AGAIN = "fetch it again; if it stays so, tell the register"
_NOT_PUBLIC = "is no public address"
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 527, 530})
_RATE = re.compile(r"(\d+)\s*/\s*(\d*)\s*([smhd])")
_HIDDEN = re.compile(
    r"(?:^|[-_.]|api|app|access|client)key$|token|secret|passw|pwd|auth(?!or)|sig(?:nature)?$|credential|session"
    r"|cookie|^code$|app_?id",
    re.I,
)

Expect = Literal["json", "xml", "page", "data", ""]


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys of `[fetch]` that every connector knows."""

    with_: str = msgspec.field(name="with")
    every: str = ""
    rate: str = ""
    concurrency: int = 4
    timeout: str = "60s"
    max_bytes: int = 0
    headers: dict[str, str] = {}
    auth: dict[str, Any] | None = None
    format: dict[str, Any] = {}


Keys = TypeVar("Keys", bound=Reach)


def read_keys(source: Source, keys: type[Keys]) -> Keys:
    """`[fetch]` of a source, checked. Raises SourceFileError that names the key and what may stand there."""
    given = {k: v for k, v in source.fetch.items() if k not in Format.__struct_fields__}
    known = [f.encode_name for f in msgspec.structs.fields(keys)]
    if strange := given.keys() - set(known):
        raise SourceFileError(
            source.id,
            f"[fetch] {', '.join(sorted(strange))} is unknown to {given.get('with')!r}",
            hint=f"it knows {', '.join(known)}, and how to read: {', '.join(Format.__struct_fields__)}",
        )
    try:
        found = msgspec.convert(given, keys)
        _interval(found.rate)
        _timeout(found.timeout)
        reading(source, found)
    except (msgspec.ValidationError, ValueError) as error:
        raise SourceFileError(source.id, f"[fetch]: {error}") from error
    if found.concurrency < 1:
        raise SourceFileError(source.id, "[fetch] concurrency is less than 1")
    for url in _urls(source.fetch):
        _check_url(source, url)
    Login(source)
    return found


def reading(source: Source, keys: Reach) -> Format:
    """How the answers of a register are read."""
    if strange := keys.format.keys() - set(Format.__struct_fields__):
        raise ValueError(f"format has no {', '.join(sorted(strange))}")
    return source.reading(keys.format)


def _check_url(source: Source, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceFileError(source.id, f"[fetch] {redact(url)!r} is no http address")
    if parts.username or parts.password:
        raise SourceFileError(
            source.id,
            "[fetch] an address holds a login: a secret never stands in a source file",
            hint='auth = { type = "http_basic", username = "…", password = "env:NAME" }',
        )


def _urls(value: Any) -> Iterator[str]:
    if isinstance(value, str) and re.match(r"[a-z]{2,10}://", value):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _urls(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _urls(inner)


def _interval(rate: str) -> float:
    """Seconds between two requests. Raises ValueError."""
    if not rate:
        return 0.0
    match = _RATE.fullmatch(rate.strip())
    if match is None or not int(match[1]):
        raise ValueError(f'rate = {rate!r}: write "10/s", "1/m" or "500/h"')
    return seconds(f"{match[2] or 1}{match[3]}") / int(match[1])


def _timeout(text: str) -> float:
    """Seconds. Raises ValueError."""
    try:
        return seconds(text)
    except ValueError as error:
        raise ValueError(f"timeout = {error}") from error


class Validators(msgspec.Struct, frozen=True):
    """By which a register knows that we have its last version: ETag and Last-Modified (RFC 9110, 13)."""

    etag: str = ""
    modified: str = ""

    def __bool__(self) -> bool:
        return bool(self.etag or self.modified)


class Reply(msgspec.Struct, frozen=True):
    """An answer. A download lies in `path`, any other body in `body`.

    `unchanged` is a 304 to our validators; `cut` says why only the beginning of a download is there.
    `url` is the address that answered, `shown` the same without secrets.
    """

    status: int
    url: str
    shown: str
    headers: Mapping[str, str]
    body: bytes = b""
    path: Path | None = None
    unchanged: bool = False
    cut: str = ""

    @property
    def validators(self) -> Validators:
        return Validators(self.headers.get("ETag", ""), self.headers.get("Last-Modified", ""))

    @property
    def charset(self) -> str:
        """The encoding that Content-Type declares, if any."""
        match = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", self.headers.get("Content-Type", ""), re.I)
        return match[1].lower() if match else ""


class _Asked(msgspec.Struct, frozen=True):
    """One request as it was meant, before redirects."""

    source: Source
    manners: "_Manners"
    method: str
    url: str
    params: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    json: Any
    since: Validators | None
    expect: Expect
    answers: Collection[int]
    cap: int
    file: Path | None
    partial: bool

    def fail(self, error: type[FetchError], words: str, *, hint: str = "", url: str = "") -> FetchError:
        words = hide(words, self.manners.login.secrets)
        return error(self.source.id, f"{self.show(url)}: {words}", hint=hint)

    def show(self, url: str = "") -> str:
        return self.manners.show(url or self.url)


class _Again(Exception):
    """Something that may pass: worth another attempt, after `wait` seconds if the register said so."""

    def __init__(self, error: FetchError, *, wait: float | None = None, partial: Reply | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.partial = partial


def _wait_before(error: Exception) -> bool | float:
    if not isinstance(error, _Again):
        return False
    return True if error.wait is None else error.wait


class _Manners:
    """How one register wants to be treated: its login, pace, and number of requests at a time."""

    def __init__(self, source: Source) -> None:
        given = self.fetch = source.fetch
        try:
            self.interval = _interval(str(given.get("rate", "")))
            self.timeout = _timeout(str(given.get("timeout", "60s")))
        except ValueError as error:
            raise SourceFileError(source.id, f"[fetch] {error}") from error
        self.gate = asyncio.Semaphore(int(given.get("concurrency", 4)))
        self.max_bytes = int(given.get("max_bytes", 0))
        self.login = Login(source)
        self.headers = dict(given.get("headers") or {})
        self.places = {_place(urlsplit(url)) for url in _urls(given)}
        self._next = 0.0

    async def turn(self) -> None:
        """Waits until the next request may go."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self.interval
        if at > now:
            await asyncio.sleep(at - now)

    def pause(self, wait: float) -> None:
        """Nothing goes to this register for a while."""
        self._next = max(self._next, asyncio.get_running_loop().time() + wait)

    def show(self, url: str) -> str:
        return redact(url, self.login.secrets)


class Client:
    """Reaches registers; an async context manager.

        async with Client(contact="mailto:desk@altania.example") as client:
            reply = await client.get(source, "https://…")

    `allow_private` lets sources name private and loopback addresses (tests, a ministry's own network); a
    redirect or a link to another host must lead to a public address all the same. `folders` are those from
    which local files may be read besides a source's own folder. `longest_wait` seconds of Retry-After are
    waited for; a longer one raises Slowdown.
    """

    def __init__(
        self,
        *,
        contact: str = "",
        allow_private: bool = False,
        folders: Sequence[Path] = (),
        attempts: int = 4,
        wait: float = 0.5,
        longest_wait: float = 120.0,
        connect_timeout: float = 10.0,
    ) -> None:
        self.allow_private = allow_private
        self.folders = tuple(folders)
        self.attempts = attempts
        self.wait = wait
        self.longest_wait = longest_wait
        self.connect_timeout = connect_timeout
        self.agent = f"Landbridge/{__version__}" + (f" (+{contact})" if contact else "")
        self._known: dict[str, _Manners] = {}
        self._files: Path | None = None
        self._count = 0

    async def __aenter__(self) -> Self:
        self._guarded = _session(_guarded_socket)
        self._open = _session(None) if self.allow_private else self._guarded
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._guarded.close()
        await self._open.close()
        if self._files is not None:
            shutil.rmtree(self._files, ignore_errors=True)

    async def get(
        self,
        source: Source,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        since: Validators | None = None,
        expect: Expect = "json",
        answers: Collection[int] = (),
    ) -> Reply:
        """The answer to a GET. `expect` says what the body must look like, `answers` which statuses of
        failure are an answer all the same (a 404 for a record that went). Raises FetchError."""
        return await self._ask(
            source, "GET", url, params, headers, None, since=since, expect=expect, answers=answers
        )

    async def post(
        self,
        source: Source,
        url: str,
        *,
        json: Any,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        expect: Expect = "json",
        answers: Collection[int] = (),
    ) -> Reply:
        """The answer to a POST of a JSON body. Raises FetchError."""
        return await self._ask(source, "POST", url, params, headers, json, expect=expect, answers=answers)

    async def download(
        self,
        source: Source,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        since: Validators | None = None,
        expect: Expect = "data",
        partial: bool = False,
    ) -> Reply:
        """A file, streamed to disk: `path` is the caller's to delete, at the latest the client does.

        With `partial`, a transfer that was cut to the end of our attempts gives what came, and says so in `cut`.
        """
        if self._files is None:
            self._files = Path(tempfile.mkdtemp(prefix="landbridge-"))
        self._count += 1
        # the register's name for it tells what is in it; any other name would do as well
        name = re.sub(r"[^\w.-]", "_", urlsplit(url).path.rpartition("/")[2])[-80:] or "file"
        file = self._files / f"{self._count}-{name}"
        return await self._ask(
            source, "GET", url, params, headers, None, since=since, expect=expect, file=file, partial=partial
        )

    def show(self, source: Source, url: str) -> str:
        """An address as messages show it."""
        return self._manners(source).show(url)

    def reveal(self, source: Source, text: str) -> str:
        """A value of a source file, with what `env:` and `public:` stand for. Raises Forbidden."""
        return self._manners(source).login.reveal(text)

    def bare(self, source: Source, url: str) -> str:
        """A register's own link without our key, which some of them repeat in it: it is added again when asked."""
        secrets = self._manners(source).login.secrets
        head, mark, query = url.partition("?")
        kept = [pair for pair in query.split("&") if not any(secret in pair for secret in secrets)]
        return head + mark + "&".join(kept) if mark and kept else head

    def slow_down(self, source: Source, interval: float) -> None:
        """At least so many seconds between two requests (a robots.txt asks for it)."""
        manners = self._manners(source)
        manners.interval = max(manners.interval, interval)

    def _manners(self, source: Source) -> _Manners:
        known = self._known.get(source.id)
        if known is None or known.fetch is not source.fetch:
            known = self._known[source.id] = _Manners(source)
        return known

    async def _ask(
        self,
        source: Source,
        method: str,
        url: str,
        params: Sequence[tuple[str, str]],
        headers: Mapping[str, str] | None,
        json: Any,
        *,
        since: Validators | None = None,
        expect: Expect = "",
        answers: Collection[int] = (),
        file: Path | None = None,
        partial: bool = False,
    ) -> Reply:
        manners = self._manners(source)
        asked = _Asked(
            source=source,
            manners=manners,
            method=method,
            url=str(_url(url, params)),
            params=params,
            headers={**manners.headers, **(headers or {})},
            json=json,
            since=since,
            expect=expect,
            answers=answers,
            cap=manners.max_bytes or (MAX_FILE if file else MAX_BYTES),
            file=file,
            partial=partial,
        )
        try:
            async with manners.gate:
                async for attempt in stamina.retry_context(
                    on=_wait_before,
                    attempts=self.attempts,
                    timeout=None,
                    wait_initial=self.wait,
                    wait_max=30.0,
                    wait_jitter=self.wait,
                ):
                    with attempt:
                        await manners.turn()
                        return await self._once(asked)
        except _Again as again:
            if again.partial is not None:
                return again.partial
            raise again.error from again.__cause__
        raise AssertionError("unreachable")

    async def _once(self, asked: _Asked) -> Reply:
        """One attempt: login, redirects, one renewal of a token that was refused, and what it all means."""
        login = asked.manners.login

        async def ask_token(url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
            token = msgspec.structs.replace(asked, method="POST", url=url, json=None, file=None, cap=_WORDS)
            headers = {"Accept": "application/json", **headers}
            reply = await self._exchange(self._session(asked, url), token, url, headers, form=form)
            if reply.status in _AGAIN:
                self._judge(token, reply)
            return reply.status, reply.body

        used = await login.credentials(ask_token)
        reply = await self._follow(asked, used)
        if reply.status == 401 and login.expire(used):
            used = await login.credentials(ask_token)
            reply = await self._follow(asked, used)
        return self._judge(asked, reply)

    def _session(self, asked: _Asked, url: str) -> aiohttp.ClientSession:
        known = _place(urlsplit(url)) in asked.manners.places
        return self._open if known else self._guarded

    async def _follow(self, asked: _Asked, used: Credentials) -> Reply:
        """The answer behind at most five redirects; the login goes only to hosts that the source file names."""
        url, method, json = asked.url, asked.method, asked.json
        for _ in range(_REDIRECTS + 1):
            headers = CIMultiDict({"User-Agent": self.agent, "Accept": _ACCEPT[asked.expect]})
            known = _place(urlsplit(url)) in asked.manners.places
            for name, value in asked.headers.items():
                if known or not value.startswith("env:"):
                    headers[name] = asked.manners.login.reveal(value)
            if asked.since:
                headers.update(_conditions(asked.since))
            target = url
            if known:
                headers.update(used.headers)
                target = str(_url(url, list(used.params.items()))) if used.params else url
            session = self._session(asked, url)
            now = msgspec.structs.replace(asked, method=method, json=json)
            reply = await self._exchange(session, now, target, headers)
            if reply.status not in (301, 302, 303, 307, 308) or "Location" not in reply.headers:
                return reply
            url = self._next_url(asked, url, reply.headers["Location"])
            if reply.status == 303 or (reply.status in (301, 302) and method == "POST"):
                method, json = "GET", None
        raise asked.fail(Drift, f"it redirects more than {_REDIRECTS} times, at last to {asked.show(url)}")

    def _next_url(self, asked: _Asked, url: str, location: str) -> str:
        found = urlsplit(urljoin(url, location))
        if found.scheme not in ("http", "https") or not found.hostname:
            raise asked.fail(Forbidden, f"it redirects to {location[:80]!r}, which is no http address")
        if urlsplit(url).scheme == "https" and found.scheme == "http" and asked.manners.login.auth:
            raise asked.fail(Forbidden, "it redirects a login from https to http")
        return urlunsplit(found._replace(netloc=found.netloc.rpartition("@")[2], fragment=""))

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        asked: _Asked,
        url: str,
        headers: Mapping[str, str],
        *,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request and its answer, read to its end or to the cap. Raises FetchError, or _Again."""
        total = max(asked.manners.timeout, _FILE_TIME if asked.file else 0.0)
        timeout = aiohttp.ClientTimeout(
            total=total, sock_connect=self.connect_timeout, sock_read=asked.manners.timeout
        )
        body = _Body(asked)
        try:
            async with session.request(
                asked.method,
                URL(url, encoded=True),
                headers=headers,
                json=asked.json,
                data=form,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                body.open(answer, asked.file is not None and answer.status < 300)
                async for chunk in answer.content.iter_any():
                    body.take(chunk)
                body.close()
        except aiohttp.InvalidURL as error:
            raise asked.fail(Drift, "this is no address", url=url) from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError, ssl.SSLError) as error:
            raise _what_failed(asked, error, body, url) from error
        finally:
            body.drop()
        return body.reply(url)

    def _judge(self, asked: _Asked, reply: Reply) -> Reply:
        """The reply, if it is one; otherwise the error that it means."""
        status = reply.status
        if status == 304:
            return msgspec.structs.replace(reply, unchanged=True)
        if status in asked.answers:
            return reply
        said = visible(reply.body)
        quoted = f': "{said}"' if said else ""
        if status in (401, 403, 407):
            words, hint = asked.manners.login.refusal(status)
            raise asked.fail(Forbidden, words + quoted, hint=hint)
        if status in (429, 503):
            self._wait_or_give_up(asked, reply, quoted)
        if status in _AGAIN:
            raise _Again(asked.fail(Refused, f"it answers {status}{quoted}"))
        if status in (404, 410):
            raise asked.fail(Drift, f"the path is gone ({status})", hint="has the address changed?")
        if not 200 <= status < 300:
            raise asked.fail(Refused, f"it answers {status}{quoted}")
        if words := _unlike(reply, asked.expect):
            raise asked.fail(Drift, words)
        return reply

    def _wait_or_give_up(self, asked: _Asked, reply: Reply, quoted: str) -> None:
        wait = retry_after(reply.headers)
        if wait is None:
            if reply.status == 503:
                return
            raise _Again(Slowdown(asked.source.id, f"{asked.show()}: too many requests (429){quoted}"))
        words = f"{asked.show()}: it asks us to come back in {wait:,.0f} s ({reply.status})"
        error = Slowdown(
            asked.source.id, words, retry_after=wait, hint='a lower [fetch] rate, such as "1/s", may help'
        )
        if wait > self.longest_wait:
            raise error
        asked.manners.pause(wait)
        raise _Again(error, wait=wait)


class _Body:
    """The body of an answer, decoded as it comes, into memory or a file, up to the cap."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._parts: list[bytes] = []
        self._answer: aiohttp.ClientResponse | None = None
        self._file: Any = None
        self._to_file = False
        self._head = b""
        self._inflate: _Inflate | None = None
        self.size = 0
        self.cut = ""

    def open(self, answer: aiohttp.ClientResponse, to_file: bool) -> None:
        self._answer = answer
        packed = answer.headers.get("Content-Encoding", "").strip().lower()
        if packed in ("gzip", "x-gzip", "deflate"):
            self._inflate = _Inflate()
        elif packed not in ("", "identity") and answer.status != 304:
            raise self._asked.fail(Broken, f"it is packed as {packed!r}, which we did not ask for")
        if to_file:
            assert self._asked.file is not None
            self._to_file = True
            self._file = self._asked.file.open("wb")

    @property
    def opened(self) -> bool:
        return self._answer is not None

    def take(self, chunk: bytes) -> None:
        if self._inflate is None:
            self._put(chunk)
            return
        try:
            for piece in self._inflate.feed(chunk):
                self._put(piece)
        except zlib.error as error:
            # what was decoded before may be wrong already
            words = f"the compressed body is damaged: {self.size:,} bytes were decoded"
            raise _Again(self._asked.fail(Broken, words, hint=_FETCH_AGAIN)) from error

    def _put(self, piece: bytes) -> None:
        assert self._answer is not None
        self.size += len(piece)
        failing = self._answer.status >= 300
        if failing and self.size > _WORDS:
            return
        if self.size > self._asked.cap:
            raise self._asked.fail(
                Broken,
                f"the body is larger than the cap of {self._asked.cap:,} bytes",
                hint="raise [fetch] max_bytes if that is right",
            )
        if self._file is not None:
            self._file.write(piece)
            if len(self._head) < _HEAD:
                self._head += piece[:_HEAD]
        else:
            self._parts.append(piece)

    def close(self) -> None:
        if self._inflate is not None and self._inflate.begun and not self._inflate.complete:
            raise self._broken(f"the compressed body is cut after {self.size:,} decoded bytes")

    def _broken(self, words: str) -> _Again:
        return _Again(
            self._asked.fail(Broken, words, hint=_FETCH_AGAIN),
            partial=self.partial(words),
        )

    def drop(self) -> None:
        if self._file is not None:
            self._file.close()

    def partial(self, words: str) -> Reply | None:
        if not (self._asked.partial and self._to_file and self.size):
            return None
        self._file.flush()
        self.cut = words
        return self.reply(self._asked.url)

    def reply(self, url: str) -> Reply:
        assert self._answer is not None
        return Reply(
            status=self._answer.status,
            url=url,
            shown=self._asked.show(url),
            headers=self._answer.headers,
            body=self._head if self._to_file else b"".join(self._parts),
            path=self._asked.file if self._to_file else None,
            cut=self.cut,
        )


class _Inflate:
    """gzip (RFC 1952) or deflate, piece by piece, so that a bomb is never held."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(47)
        self._raw = False
        self._any = False
        self.begun = False

    @property
    def complete(self) -> bool:
        return self._zlib.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self.begun = self.begun or bool(chunk)
        rest = chunk
        while rest:
            if self._zlib.eof:
                if not rest.startswith(b"\x1f\x8b"):
                    return  # padding behind the last member
                self._zlib = zlib.decompressobj(47)
            try:
                piece = self._zlib.decompress(rest, _CHUNK)
            except zlib.error:
                if self._any or self._raw:
                    raise
                # "deflate" without its zlib header, as some servers send it
                self._raw, self._zlib = True, zlib.decompressobj(-15)
                continue
            self._any = self._any or bool(piece)
            if piece:
                yield piece
            rest = self._zlib.unconsumed_tail or self._zlib.unused_data


def _what_failed(asked: _Asked, error: BaseException, body: _Body, url: str) -> FetchError | _Again:
    """A failure of the transport in our terms."""
    said = f"{error} {getattr(error, 'os_error', '')}"
    if body.opened:
        if isinstance(error, TimeoutError):
            words = f"it did not finish within {asked.manners.timeout:g} s: {body.size:,} bytes came"
        else:
            words = f"the body was cut after {body.size:,} bytes"
        return body._broken(words)
    if _NOT_PUBLIC in said:
        address = re.search(rf"(\S+) {_NOT_PUBLIC}", said)
        words = f"{address[1] if address else 'it'} {_NOT_PUBLIC}"
        if _place(urlsplit(url)) == _place(urlsplit(asked.url)):
            hint = "LANDBRIDGE_PRIVATE=1 lets sources name addresses in this network"
        else:
            words = f"it leads to {asked.show(url)}, but {words}"
            hint = "a redirect or link to another host may lead only to a public address"
        return asked.fail(Forbidden, words, hint=hint)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        why = getattr(error, "certificate_error", None) or error
        reason = getattr(why, "verify_message", "") or getattr(why, "reason", "") or said
        return asked.fail(
            Refused,
            f"its certificate or TLS cannot be trusted: {reason}",
            hint="SSL_CERT_FILE names further roots, such as a state's own",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _Again(asked.fail(Refused, f"the name {urlsplit(url).hostname} is not known"))
    if isinstance(error, TimeoutError):
        return _Again(asked.fail(Refused, f"no answer within {asked.manners.timeout:g} s"))
    if isinstance(error, aiohttp.ClientConnectorError):
        return _Again(asked.fail(Refused, f"no connection ({error.os_error.strerror or error.os_error})"))
    if isinstance(error, aiohttp.ClientResponseError):
        return _Again(asked.fail(Refused, f"its answer is no HTTP ({error.message[:80].strip()})"))
    return _Again(asked.fail(Refused, "it closed the connection without an answer"))


# what may be reached

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address inside
_NOT_GLOBAL = [
    ipaddress.ip_network(net)
    for net in (
        "192.88.99.0/24",  # 6to4 relays
        "192.0.0.0/24",
        "fec0::/10",
        "64:ff9b:1::/48",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "100::/64",
    )
]


def is_public(address: str) -> bool:
    """Whether an IP address is reachable for everybody; one that wraps an IPv4 address is judged by that."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return (
        ip.is_global
        and not (ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_link_local or ip.is_unspecified)
        and not any(ip in net for net in _NOT_GLOBAL if net.version == ip.version)
    )


def _guarded_socket(address: Any) -> socket.socket:
    """A socket for an address that was resolved a moment ago: nothing can change between check and use."""
    family, kind, protocol, _, to = address
    if not is_public(str(to[0])):
        raise OSError(f"{to[0]} {_NOT_PUBLIC}")
    return socket.socket(family, kind, protocol)


def _session(make_socket: Callable[[Any], socket.socket] | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(socket_factory=make_socket, limit=64, limit_per_host=16),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "gzip, deflate"},
        json_serialize=lambda value: msgspec.json.encode(value).decode(),
        trust_env=False,
    )


def _place(parts: SplitResult) -> tuple[str, int]:
    """Host and port; http and https at their usual ports are one place."""
    try:
        port = parts.port or 443
    except ValueError:
        port = 0
    return (parts.hostname or "").rstrip("."), 443 if port == 80 else port


def _url(url: str, params: Sequence[tuple[str, str]]) -> URL:
    """The address with these parameters; a register's own link stays as it was written."""
    plain = url.isascii() and not re.search(r"[\s<>\"{}|\\^`]", url)
    try:
        found = URL(url, encoded=plain)
        return found.update_query(MultiDict(params)) if params else found
    except ValueError:
        return URL(url, encoded=True)


_ACCEPT: dict[Expect, str] = {
    "json": "application/json, application/*+json;q=0.9, */*;q=0.5",
    "xml": "application/xml, text/xml;q=0.9, */*;q=0.5",
    "page": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5",
    "data": "*/*",
    "": "*/*",
}


def _conditions(since: Validators) -> dict[str, str]:
    found = {"If-None-Match": since.etag, "If-Modified-Since": since.modified}
    return {name: value for name, value in found.items() if value}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait (RFC 9110, 10.2.3), by the register's own clock where it gives a date."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d*)?", text):
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    try:
        now = email.utils.parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(0.0, until - now)


# what an answer looks like

_TAGS = re.compile(
    r"<(script|style|noscript|template)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)|<[^>]*(>|$)", re.S | re.I
)
_HTML = re.compile(
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|title|meta)\b", re.S | re.I
)
_PASSWORD = re.compile(rb"<input[^>]+type\s*=\s*[\"']?password", re.I)


def visible(body: bytes, length: int = 80) -> str:
    """The first words that a person would see of an answer."""
    text = body[:_WORDS].decode("utf-8", "replace")
    text = html.unescape(_TAGS.sub(" ", text)) if "<" in text[:_HEAD] else text
    text = re.sub(r"[\s\x00-\x1f\x7f-\x9f\ufffd\u200b-\u200f\u202a-\u202e\ufeff]+", " ", text).strip()
    return text if len(text) <= length else text[:length].rstrip() + "…"


def _unlike(reply: Reply, expect: Expect) -> str:
    """Why a body is not what was asked for; nothing if it is."""
    if not expect or reply.status == 204 or reply.cut:
        return ""
    body = reply.body.removeprefix(b"\xef\xbb\xbf")
    bare = body.lstrip()
    if not bare:
        return "it answered with an empty body"
    wanted = {"json": "JSON", "xml": "XML", "data": "data"}.get(expect, "")
    if not wanted:
        return ""
    if _HTML.match(body):
        what = "a login page" if _PASSWORD.search(body) else "HTML"
        return f'{what} where {wanted} was expected: "{visible(body)}"'
    utf16 = body[:2] in (b"\xff\xfe", b"\xfe\xff")
    if expect == "json" and not utf16 and not re.match(rb'[{\["\-0-9\x1e\x1f]|true|false|null|NaN', bare):
        what = "XML" if bare[:1] == b"<" else "text"
        return f'{what} where JSON was expected: "{visible(body)}"'
    if expect == "xml" and not utf16 and bare[:1] not in (b"<", b"\x1f"):
        return f'text where XML was expected: "{visible(body)}"'
    return ""


def redact(url: str, secrets: Collection[str] = ()) -> str:
    """An address as it may be shown: without login, and without what its query calls a key or a token."""
    parts = urlsplit(url)
    query = parts.query
    if query:
        shown = []
        for pair in query.split("&"):
            name, equals, _ = pair.partition("=")
            secret = equals and _HIDDEN.search(unquote_plus(name))
            shown.append(f"{name}=…" if secret else pair)
        query = "&".join(shown)
    text = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment=""))
    text = hide(text, secrets)
    return text if len(text) <= 300 else text[:300] + "…"


def hide(text: str, secrets: Collection[str]) -> str:
    """The text without these secrets."""
    for secret in sorted((s for s in secrets if len(s) > 3), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
