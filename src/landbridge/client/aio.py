"""The client over an event loop."""

import asyncio
from collections.abc import AsyncIterator, Generator
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from yarl import URL

from landbridge.client.answers import FeedPage, Hit, Kind, Member, ReadAs, Record, Result, Suggestion
from landbridge.client.core import Ask, Core, ExportHead, Lines, Reply, Talk, Value
from landbridge.client.errors import Unreachable

T = TypeVar("T")


class AsyncExport:
    """The records of an export, read while they come. `total` match; `complete` if every member answered in full."""

    def __init__(self, head: ExportHead, response: aiohttp.ClientResponse) -> None:
        self.total = head.total
        self.complete = head.complete
        self._response = response

    async def __aiter__(self) -> AsyncIterator[Record]:
        """Raises Unreachable where it breaks off: then what was read is not all."""
        lines = Lines()
        try:
            async for chunk in self._response.content.iter_any():
                for record in lines.feed(chunk):
                    yield record
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"the export broke off: {error}") from error
        finally:
            self.close()
        lines.end()

    def close(self) -> None:
        self._response.close()


class AsyncClient:
    """Asks one Landbridge; used as `async with AsyncClient(address) as client`. Methods as those of Client."""

    def __init__(
        self, base: str = "http://127.0.0.1:8000", *, timeout: float = 30.0, patience: float = 60.0
    ) -> None:
        self._core = Core(base, patience=patience)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=timeout, sock_read=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def find(self, q: str = "", **filters: Value) -> Result:
        """One page of hits, and who answered."""
        return await self._carry_out(self._core.find(q, filters))

    async def find_all(self, q: str = "", **filters: Value) -> AsyncIterator[Hit]:
        """All hits that paging reaches, in their order: of each member the first 10,000."""
        async for page in self._pages(self._core.find_all(q, filters)):
            for hit in page.hits:
                yield hit

    async def record(self, id_: str) -> Record:
        """A record by its identifier. Raises Gone for one that is withdrawn."""
        return await self._carry_out(self._core.record(id_))

    async def members(self) -> list[Member]:
        """The members, their sources, and how each of them stands."""
        return await self._carry_out(self._core.members())

    async def kinds(self) -> list[Kind]:
        """What can be sought."""
        return await self._carry_out(self._core.kinds())

    async def suggest(self, q: str, **filters: Value) -> list[Suggestion]:
        """Occupations, places and skills that begin so."""
        return await self._carry_out(self._core.suggest(q, filters))

    async def occupations(self, q: str, text: str = "", lang: str = "") -> ReadAs:
        """The occupations that a title names, or else the further text; their names in the language `lang`."""
        return await self._carry_out(self._core.occupations(q, text, lang))

    async def export(self, q: str = "", **filters: Value) -> AsyncExport:
        """Every record that matches, in no order."""
        opened: list[aiohttp.ClientResponse] = []
        head = await self._carry_out(self._core.export(q, filters), opened)
        return AsyncExport(head, opened[-1])

    def feed(self, start: str = "", **filters: Value) -> AsyncIterator[FeedPage]:
        """What came, changed and went, up to now; `start` is the `position` of the last page of an earlier walk."""
        return self._pages(self._core.feed(start, filters))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        await self.close()

    async def _pages(self, talks: Generator[Talk[T], T, None]) -> AsyncIterator[T]:
        talk = next(talks, None)
        while talk is not None:
            page = await self._carry_out(talk)
            yield page
            try:
                talk = talks.send(page)
            except StopIteration:
                return

    async def _carry_out(self, talk: Talk[T], opened: list[aiohttp.ClientResponse] | None = None) -> T:
        reply: Reply | None = None
        while True:
            try:
                step = talk.send(reply)
            except StopIteration as done:
                result: T = done.value
                return result
            reply = None
            if isinstance(step, Ask):
                reply = await self._ask(step, opened)
            else:
                await asyncio.sleep(step.seconds)

    async def _ask(self, ask: Ask, opened: list[aiohttp.ClientResponse] | None) -> Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        url = URL(self._core.origin + ask.target, encoded=True)
        try:
            response = await self._session.get(url, headers=ask.headers, allow_redirects=False)
            headers = {name.lower(): value for name, value in response.headers.items()}
            if opened is not None and response.status == HTTPStatus.OK:
                opened.append(response)
                return Reply(response.status, headers)
            return Reply(response.status, headers, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self._core.origin} does not answer: {error}") from error
