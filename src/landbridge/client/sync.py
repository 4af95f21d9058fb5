"""The client over sockets that block, with nothing but the standard library."""

import gzip
import http.client
import time
from collections.abc import Generator, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

from landbridge.client.answers import FeedPage, Hit, Kind, Member, ReadAs, Record, Result, Suggestion
from landbridge.client.core import Ask, Core, ExportHead, Lines, Reply, Talk, Value
from landbridge.client.errors import Unreachable

T = TypeVar("T")
_CHUNK = 1 << 16


class Export:
    """The records of an export, read while they come. `total` match; `complete` if every member answered in full."""

    def __init__(
        self, head: ExportHead, response: http.client.HTTPResponse, connection: http.client.HTTPConnection
    ) -> None:
        self.total = head.total
        self.complete = head.complete
        self._response = response
        self._connection = connection

    def __iter__(self) -> Iterator[Record]:
        """Raises Unreachable where it breaks off: then what was read is not all."""
        lines = Lines()
        stream = gzip.GzipFile(fileobj=self._response) if _is_zipped(self._response) else self._response
        try:
            while chunk := stream.read1(_CHUNK):
                yield from lines.feed(chunk)
            if self._response.length:  # read1 does not miss what is missing
                raise http.client.IncompleteRead(b"", self._response.length)
        except (OSError, EOFError, http.client.HTTPException) as error:
            raise Unreachable(f"the export broke off: {error}") from error
        finally:
            self.close()
        lines.end()

    def close(self) -> None:
        self._response.close()
        self._connection.close()


class Client:
    """Asks one Landbridge. Not to be shared between threads.

    An answer of 429 is waited out as the server says, for `patience` seconds in all. Raises Problem for what is
    refused, Unreachable and Unreadable for what is no answer. Filters are the parameters of the API (`in_` for
    `in`); lists may be given as lists.
    """

    def __init__(
        self, base: str = "http://127.0.0.1:8000", *, timeout: float = 30.0, patience: float = 60.0
    ) -> None:
        self._core = Core(base, patience=patience)
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def find(self, q: str = "", **filters: Value) -> Result:
        """One page of hits, and who answered."""
        return self._carry_out(self._core.find(q, filters))

    def find_all(self, q: str = "", **filters: Value) -> Iterator[Hit]:
        """All hits that paging reaches, in their order: of each member the first 10,000."""
        for page in self._pages(self._core.find_all(q, filters)):
            yield from page.hits

    def record(self, id_: str) -> Record:
        """A record by its identifier. Raises Gone for one that is withdrawn."""
        return self._carry_out(self._core.record(id_))

    def members(self) -> list[Member]:
        """The members, their sources, and how each of them stands."""
        return self._carry_out(self._core.members())

    def kinds(self) -> list[Kind]:
        """What can be sought."""
        return self._carry_out(self._core.kinds())

    def suggest(self, q: str, **filters: Value) -> list[Suggestion]:
        """Occupations, places and skills that begin so."""
        return self._carry_out(self._core.suggest(q, filters))

    def occupations(self, q: str, text: str = "", lang: str = "") -> ReadAs:
        """The occupations that a title names, or else the further text; their names in the language `lang`."""
        return self._carry_out(self._core.occupations(q, text, lang))

    def export(self, q: str = "", **filters: Value) -> Export:
        """Every record that matches, in no order."""
        opened: list[tuple[http.client.HTTPResponse, http.client.HTTPConnection]] = []
        head = self._carry_out(self._core.export(q, filters), opened)
        return Export(head, *opened[-1])

    def feed(self, start: str = "", **filters: Value) -> Iterator[FeedPage]:
        """What came, changed and went, up to now; `start` is the `position` of the last page of an earlier walk."""
        return self._pages(self._core.feed(start, filters))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.close()

    def _pages(self, talks: Generator[Talk[T], T, None]) -> Iterator[T]:
        talk = next(talks, None)
        while talk is not None:
            page = self._carry_out(talk)
            yield page
            try:
                talk = talks.send(page)
            except StopIteration:
                return

    def _carry_out(
        self,
        talk: Talk[T],
        opened: list[tuple[http.client.HTTPResponse, http.client.HTTPConnection]] | None = None,
    ) -> T:
        reply: Reply | None = None
        while True:
            try:
                step = talk.send(reply)
            except StopIteration as done:
                result: T = done.value
                return result
            reply = None
            if not isinstance(step, Ask):
                time.sleep(step.seconds)
                continue
            if opened is None:
                reply = self._ask(step)
                continue
            connection = self._connect()
            response = _answer(connection, step)
            if response.status == HTTPStatus.OK:
                opened.append((response, connection))
                reply = Reply(response.status, _headers(response))
            else:
                reply = Reply(response.status, _headers(response), _read(response))
                connection.close()

    def _ask(self, ask: Ask) -> Reply:
        """The reply over the connection of the last one, or a new one where the server closed that meanwhile."""
        kept, self._connection = self._connection, None
        connection = kept or self._connect()
        try:
            response = _answer(connection, ask)
        except Unreachable:
            connection.close()
            if kept is None:
                raise
            connection = self._connect()
            response = _answer(connection, ask)
        body = _read(response)
        self._connection = connection
        return Reply(response.status, _headers(response), body)

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._core.scheme == "https" else http.client.HTTPConnection
        return kind(self._core.host, self._core.port, timeout=self._timeout)


def _answer(connection: http.client.HTTPConnection, ask: Ask) -> http.client.HTTPResponse:
    try:
        connection.request("GET", ask.target, headers={**ask.headers, "Accept-Encoding": "gzip"})
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise Unreachable(f"{connection.host}:{connection.port} does not answer: {error}") from error


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        body = response.read()
        return gzip.decompress(body) if _is_zipped(response) and body else body
    except (OSError, EOFError, http.client.HTTPException) as error:
        raise Unreachable(f"the answer broke off: {error}") from error
    finally:
        response.close()


def _is_zipped(response: http.client.HTTPResponse) -> bool:
    return response.headers.get("content-encoding") == "gzip"


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
