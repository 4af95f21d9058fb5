"""`with = "json-ld"`: pages with schema.org's JobPosting, found through a sitemap (sitemaps.org 0.9, RFC 9309).

| key of `[fetch]` | meaning |
|---|---|
| `url` | a sitemap, a sitemap index (also gzipped, or a plain list of addresses), a robots.txt or the front page that leads to them |
| `only`, `but` | patterns that the address of a page must match, must not match |
| `robots` | false for a site whose owner agreed otherwise |
| `items` | another @type than JobPosting |
| `concurrency`, `rate` | as everywhere; a Crawl-delay slows further |

A page whose `lastmod` did not change since it was last read is not fetched; its records are reported as still
there. What is no longer in the sitemap is absent, so `deletes = "absence"` is usual; a page that answers 404 or
410 is gone. A page that cannot be read keeps its record.

The key of a record is what [map] id says. `id = "@url"` takes the address of the page, and `url = "@url"` shows
it: the row has it when [map] asks for it. Where the id stands in the page itself (identifier.value), the keys of
every page are remembered from run to run, so that an unchanged page still speaks for its records.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import msgspec

from landbridge.errors import (
    Broken,
    Drift,
    FetchError,
    Forbidden,
    RowError,
    Slowdown,
    SourceFileError,
)
from landbridge.find.connect.http import Client, Reach, Reply, read_keys, reading
from landbridge.find.connect.page import Page, as_key, fingerprint, key_of
from landbridge.find.connect.pages import rows_of
from landbridge.find.read import Format, Row, read, unpack
from landbridge.find.source import Source

_DEPTH = 4  # of sitemaps in sitemaps
_PAGES = 2_000_000
_SIZE = 128 * 2**20  # of a sitemap; the standard allows 50 MB
_STEPS = 100  # pages of a run at most, because each carries what is remembered
_LEAST = 100  # addresses in one of them
_FAILING = 20  # pages in a row that cannot be read: it is not the pages


class Sitemap(Reach, frozen=True, kw_only=True):
    url: str
    only: str = ""
    but: str = ""
    robots: bool = True


class _State(msgspec.Struct):
    """What is remembered of each page, by a digest of its address and lastmod; and how far this run came."""

    mark: str = ""
    known: dict[str, list[str]] = {}  # digest → keys
    fresh: dict[str, list[str]] = {}  # those of this run
    at: str = ""  # the last address that was read, in their order
    failed: int = 0


class _Link(msgspec.Struct, frozen=True, order=True):
    url: str
    lastmod: str = ""

    @property
    def digest(self) -> str:
        return hashlib.blake2b(f"{self.url}\n{self.lastmod}".encode(), digest_size=6).hexdigest()


def read_sitemap(source: Source) -> Sitemap:
    """`[fetch]` of a site, checked. Raises SourceFileError."""
    keys = read_keys(source, Sitemap)
    for name, pattern in (("only", keys.only), ("but", keys.but)):
        try:
            re.compile(pattern)
        except re.error as error:
            raise SourceFileError(source.id, f"[fetch] {name} = {pattern!r}: {error}") from error
    return keys


async def pages(source: Source, client: Client, cursor: Any) -> AsyncIterator[Page]:
    """The postings of a site, from the cursor on."""
    keys = read_sitemap(source)
    site = _Site(source, client, keys)
    mark = fingerprint(source)
    state = msgspec.convert(cursor, _State) if isinstance(cursor, dict) and "mark" in cursor else _State()
    if state.mark != mark:
        state = _State(mark=mark)
    links = await site.links()
    todo = [link for link in links if link.url > state.at]
    step = max(_LEAST, -(-len(links) // _STEPS))
    for begin in range(0, len(todo), step):
        batch = todo[begin : begin + step]
        rows, still, gone = await site.read(batch, state)
        state.at = batch[-1].url
        yield Page(
            rows=rows,
            still=still,
            gone=gone,
            cursor=msgspec.to_builtins(state),
            claimed=None,
            url=client.show(source, batch[0].url),
        )
    whole = site.whole and not state.failed
    if state.failed:
        site.notes.append(f"{state.failed:,} pages could not be read: {site.why}")
    after = _State(mark=mark, known=state.fresh)
    yield Page(
        rows=(),
        cursor=msgspec.to_builtins(after),
        last=True,
        complete=whole and bool(links),
        keep_cursor=True,
        notes=site.notes,
    )


class _Site:
    """One site: its robots.txt, sitemaps and pages."""

    def __init__(self, source: Source, client: Client, keys: Sitemap) -> None:
        self.source = source
        self.client = client
        self.keys = keys
        self.notes: list[str] = []
        self.whole = True
        self.why = ""
        self._failing = 0
        form = reading(source, keys)
        self.form = form if form.kind else msgspec.structs.replace(form, kind="json-ld")
        self._key_of = key_of(source)
        asked = {path for parts in source.theirs.values() for one in parts.values() for path in one.path}
        self._wants_url = "@url" in asked
        self._by_url = source.theirs["id"][""].path == ("@url",)
        self._rules: dict[str, RobotFileParser] = {}

    # what may be read, and what there is

    async def _robots(self, url: str) -> RobotFileParser:
        """The rules of the host of this address; without a robots.txt everything is allowed (RFC 9309, 2.3.1.3)."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._rules:
            rules = RobotFileParser()
            rules.parse([])
            if self.keys.robots:
                reply = await self.client.get(
                    self.source, f"{host}/robots.txt", expect="", answers=(401, 403, 404, 410)
                )
                if reply.status == 200:
                    rules.parse(reply.body[: 2**19].decode("utf-8", "replace").splitlines())
            delay = rules.crawl_delay(self.client.agent)
            if delay:
                self.client.slow_down(self.source, float(delay))
            self._rules[host] = rules
        return self._rules[host]

    async def links(self) -> list[_Link]:
        """The addresses of all pages, in their order, each once."""
        found: dict[str, _Link] = {}
        for url in await self._begin():
            await self._walk(url, 0, set(), found)
        wanted = re.compile(self.keys.only)
        unwanted = re.compile(self.keys.but) if self.keys.but else None
        kept: list[_Link] = []
        barred = 0
        for link in sorted(found.values()):
            if not wanted.search(link.url) or (unwanted and unwanted.search(link.url)):
                continue
            if await self._may_read(link.url):
                kept.append(link)
            else:
                barred += 1
        if barred:
            self.notes.append(
                f"{barred:,} pages of the sitemap may not be read, says the robots.txt of their host"
            )
        if not kept:
            self.notes.append("the sitemap has no page that is wanted")
        return kept

    async def _may_read(self, url: str) -> bool:
        try:
            rules = await self._robots(url)
        except FetchError:
            if urlsplit(url).netloc == urlsplit(self.keys.url).netloc:
                raise
            self._rules[f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"] = rules = RobotFileParser()
            self.whole = False
        return rules.can_fetch(self.client.agent, url)  # False while nothing was read

    async def _begin(self) -> list[str]:
        """The sitemaps to begin with."""
        url = self.keys.url
        rules = await self._robots(url)
        path = urlsplit(url).path
        if path not in ("", "/") and not path.endswith("robots.txt"):
            return [url]
        return rules.site_maps() or [urljoin(url, "/sitemap.xml")]

    async def _walk(self, url: str, depth: int, visited: set[str], found: dict[str, _Link]) -> None:
        if url in visited:
            return
        visited.add(url)
        if depth > _DEPTH:
            self.whole = False
            self.notes.append(f"sitemaps lie more than {_DEPTH} deep in each other")
            return
        reply = await self.client.get(self.source, url, expect="data")
        inner, links = self._entries(reply)
        for link in links:
            found.setdefault(link.url, link)
        if len(found) > _PAGES:
            raise Broken(self.source.id, f"{reply.shown}: it names more than {_PAGES:,} pages")
        for one in inner:
            try:
                await self._walk(one, depth + 1, visited, found)
            except (Drift, Broken) as error:
                if depth:
                    raise
                self.whole = False
                self.notes.append(error.reason)

    def _entries(self, reply: Reply) -> tuple[list[str], list[_Link]]:
        """The sitemaps and the pages that a sitemap names."""
        try:
            body = b"".join(
                chunk for part in unpack(reply.body, self.source.id, cap=_SIZE) for chunk in part.chunks()
            )
            if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                lines = body.decode("utf-8", "replace").split()
                return [], [_Link(line) for line in lines if line.startswith(("http://", "https://"))]
            name = "sitemap" if re.search(rb"<(\w+:)?sitemapindex\b", body[:4096]) else "url"
            rows = list(read(body, self.source.id, Format(kind="xml", items=name)))
        except (Broken, Drift) as error:
            raise type(error)(self.source.id, f"{reply.shown}: {error.reason}", hint=error.hint) from error
        entries = [_entry(row, reply.url) for row in rows]
        named = [link for link in entries if link is not None]
        return ([link.url for link in named], []) if name == "sitemap" else ([], named)

    # pages

    async def read(self, links: Sequence[_Link], state: _State) -> tuple[list[Row], list[str], list[str]]:
        """Rows of pages that changed, keys of those that did not, and keys of those that are gone."""
        rows: list[Row] = []
        still: list[str] = []
        gone: list[str] = []
        todo = []
        for link in links:
            keys = state.known.get(link.digest) if link.lastmod else None
            if keys is None:
                todo.append(link)
            else:
                state.fresh[link.digest] = keys
                still += keys or self._keys_of_url(link)
        found = await asyncio.gather(*(self._page(link) for link in todo), return_exceptions=True)
        for link, one in zip(todo, found, strict=True):
            if isinstance(one, BaseException):
                self._fail(one, state)
                # the sitemap still has it: its record, if we know which, stays
                still += self._keys_of_url(link)
                continue
            self._failing = 0
            postings, keys = one
            if postings is None:
                gone += self._keys_of_url(link)
                continue
            rows += postings
            if link.lastmod:
                state.fresh[link.digest] = [] if self._by_url else keys
        return rows, still, gone

    def _keys_of_url(self, link: _Link) -> list[str]:
        return [as_key(link.url)] if self._by_url else []

    def _fail(self, error: BaseException, state: _State) -> None:
        if not isinstance(error, FetchError) or isinstance(error, Slowdown):
            raise error
        state.failed += 1
        self.why = error.reason
        self._failing += 1
        limit = _FAILING // 4 if isinstance(error, Forbidden) else _FAILING
        if self._failing >= limit:
            raise error

    async def _page(self, link: _Link) -> tuple[list[Row] | None, list[str]]:
        """The postings of a page and their keys; None for a page that is gone."""
        reply = await self.client.get(self.source, link.url, expect="page", answers=(404, 410))
        if reply.status in (404, 410):
            return None, []
        found, _ = rows_of(reply, self.source, self.form)
        rows = [self._row(row, link.url) for row in found]
        keys = []
        for row in rows:
            try:
                keys.append(self._key_of(row.decode()))
            except (RowError, ValueError):
                continue
        return rows, keys

    def _row(self, row: Row, url: str) -> Row:
        raw = url.encode() + b"\x1f" + row.raw
        if row.fault:
            return Row(raw=raw, where=url, fault=row.fault)
        try:
            fields = row.decode()
        except ValueError as error:
            return Row(raw=raw, where=url, fault=str(error))
        return Row(raw=raw, where=url, value={**fields, "@url": url} if self._wants_url else fields)


def _entry(row: Row, base: str) -> _Link | None:
    try:
        fields = row.decode()
    except ValueError:
        return None
    loc = fields.get("loc")
    if not isinstance(loc, str) or not loc.strip():
        return None
    lastmod = fields.get("lastmod")
    url = urljoin(base, loc.strip())
    if not url.startswith(("http://", "https://")):
        return None
    return _Link(url.partition("#")[0], lastmod.strip() if isinstance(lastmod, str) else "")
