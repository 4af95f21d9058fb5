"""Mock registers on loopback: every way of paging, feeds, EURES, sitemaps, files and logins, and every fault by name.

    async with serving(Register(records=500)) as url: …      # in the running event loop
    with running(Register(records=500)) as url: …            # in a thread of its own
    python -m tests.registers --records 100000               # many rows fast, from bytes made before

What it serves is our own invention, the same for the same seed. `register.fail("html")` makes it misbehave.
"""

import argparse
import asyncio
import base64
import contextlib
import csv
import email.utils
import functools
import gzip
import hashlib
import io
import random
import socket
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from aiohttp import web

Record = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_TITLES = ("Welder", "Nurse", "Cook", "Driver", "Teacher", "Carpenter", "Clerk", "Baker", "Miner", "Tailor")
_CITIES = ("Altburg", "Neustadt am See", "Port Bella", "Kesh", "Òrsa", "Łąkowo", "Žilnica", "Ōtani")
_FIRMS = ("Example Works", "Sample & Sons", "Model Mill", "Specimen Care", "Pattern Rail")

FAULTS: dict[str, str] = {
    "hang-up": "closes the connection without an answer",
    "reset": "breaks off in the middle of the body",
    "short": "sends less than its Content-Length",
    "drip": "sends one byte after the other",
    "truncated-gzip": "a gzip body that ends early, at its announced length",
    "damaged-gzip": "a gzip body with wrong bytes in it",
    "brotli": "a Content-Encoding that nobody asked for",
    "bomb": "a small body that decodes to 100 MB",
    "huge": "a plain body of 8 MB",
    "error": "500",
    "unavailable": "503 without Retry-After",
    "too-many": "429 without Retry-After",
    "too-many-soon": "429 with Retry-After: 0",
    "too-many-long": "429 with Retry-After: 86400",
    "too-many-date": "503 with a date a day ahead in Retry-After",
    "unauthorized": "401",
    "forbidden": "403 with a captcha",
    "gone": "404",
    "retired": "410",
    "html": "200 with HTML",
    "login": "a redirect to a login page",
    "text": "200 with a sentence",
    "empty": "200 with nothing",
    "no-rows": "an empty list, and 0 as the total",
    "cut-json": "a document that ends early",
    "renamed": "the same data under other names",
    "page-loop": "the first page whatever is asked for",
    "token-loop": "a next page that was there before",
    "partial-dump": "30 % of the rows are missing, the total is as before",
    "collapse": "30 % of the rows are missing, and the total says so",
    "high-total": "a total that is half as much again",
    "low-total": "a total that is 30 % less than there is",
    "id-churn": "new identifiers for everything",
    "type-drift": "the title is an object from the middle on",
    "clock-skew": "its clock, and one date, are far ahead",
    "private-redirect": "a redirect to 169.254.169.254",
    "file-redirect": "a redirect to file:///etc/passwd",
    "redirect-loop": "a redirect to itself",
    "xml-bomb": "entities in entities",
    "xxe": "an entity that is a local file",
}


def records(count: int, seed: int = 1, *, step: float = 600.0) -> list[Record]:
    """`count` vacancies of our own invention, one every `step` seconds."""
    dice = random.Random(seed)
    made = []
    for n in range(count):
        title = dice.choice(_TITLES)
        made.append(
            {
                "id": f"v{n:06}",
                "title": f"{title} {n}",
                "company": dice.choice(_FIRMS),
                "city": dice.choice(_CITIES),
                "area": str(dice.randrange(1, 9)),
                "contract": "forever",
                "modified": stamp(BEGIN + timedelta(seconds=n * step)),
                "text": f"{title} wanted in a fictitious town. " * dice.randrange(2, 6),
            }
        )
    return made


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Register:
    """One mock register. `page_cap` is the most it gives at once, `cap` the most of one query."""

    def __init__(
        self,
        records_: int | list[Record] = 200,
        *,
        seed: int = 1,
        cap: int = 0,
        page_cap: int = 1_000,
        total_is_clipped: bool = False,
        guard: str = "",
    ) -> None:
        self.records = records(records_, seed) if isinstance(records_, int) else records_
        self.cap = cap
        self.page_cap = page_cap
        self.total_is_clipped = total_is_clipped
        self.guard = guard
        self.key = "secret-key-4711"
        self.tokens_given = 0
        self.token_lasts = 10**9
        self._token_used = 0
        self.events: list[Record] = [
            {"id": r["id"], "status": "ACTIVE", "at": r["modified"]} for r in self.records
        ]
        self.closed: dict[str, int] = {}
        self.changed: dict[str, int] = {}
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.at_once = self.most_at_once = 0
        self.crawl_delay = 0.0
        self.elsewhere_in_sitemap = ""
        self.disallow = ""
        self.fault = ""
        self._after = 0
        self._times = 0
        self._where = ""

    # faults

    def fail(self, fault: str, *, after: int = 0, times: int = 10**9, where: str = "") -> None:
        """Misbehaves from now on: `after` good answers, `times` often, only where the path has `where`."""
        assert fault in FAULTS, fault
        self.fault, self._after, self._times, self._where = fault, after, times, where

    def heal(self) -> None:
        self.fault = ""

    def _now(self, request: web.Request) -> str:
        """The fault of this request."""
        if not self.fault or self._where not in request.path or request.path in ("/token", "/login"):
            return ""
        if self._after > 0:
            self._after -= 1
            return ""
        if self._times <= 0:
            return ""
        self._times -= 1
        return self.fault

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._watch], client_max_size=2**24)
        app.add_routes(
            [
                web.get("/pages", self.pages),
                web.get("/pages/{page}", self.pages),
                web.get("/offset", self.offset),
                web.post("/search", self.search),
                web.get("/cursor", self.cursor),
                web.get("/link", self.link),
                web.get("/header-link", self.header_link),
                web.get("/header-cursor", self.header_cursor),
                web.get("/range", self.range),
                web.get("/single", self.single),
                web.get("/window", self.window),
                web.get("/detail/{id}", self.detail),
                web.get("/feed", self.feed),
                web.get("/feed/{page}", self.feed),
                web.get("/feedentry/{id}", self.entry),
                web.get("/snapshot", self.snapshot),
                web.get("/stream", self.stream),
                web.get("/eures/{what}", self.eures),
                web.get("/eures/{what}/{since}", self.eures),
                web.post("/eures/getDetails", self.eures_details),
                web.get("/robots.txt", self.robots),
                web.get("/sitemap.xml", self.sitemap_index),
                web.get("/sitemap-{part:\\d}.xml", self.sitemap),
                web.get("/sitemap-{part:\\d}.xml.gz", self.sitemap),
                web.get("/jobs/{id}", self.job),
                web.get("/files/{name}", self.file),
                web.post("/token", self.token),
                web.get("/login", self.login),
                web.get("/elsewhere", self.elsewhere),
            ]
        )
        return app

    @web.middleware
    async def _watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.agents.add(request.headers.get("User-Agent", ""))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            request["fault"] = self._now(request)
            if request.path not in ("/token", "/login") and not self._is_let_in(request):
                return web.json_response({"error": "who are you?"}, status=401)
            broken = await self._misbehave(request, handler)
            return broken if broken is not None else await handler(request)
        finally:
            self.at_once -= 1

    def _is_let_in(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        if self.guard == "key":
            return request.headers.get("X-API-Key") == self.key
        if self.guard == "query":
            return request.query.get("api_key") == self.key
        if self.guard == "bearer":
            return given == f"Bearer {self.key}"
        if self.guard == "basic":
            return given == "Basic " + base64.b64encode(f"anna:{self.key}".encode()).decode()
        if self.guard == "oauth2":
            self._token_used += 1
            return given == f"Bearer token-{self.tokens_given}" and self._token_used <= self.token_lasts
        return True

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("client_id") != "landbridge" or form.get("client_secret") != self.key:
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens_given += 1
        self._token_used = 0
        return web.json_response(
            {"access_token": f"token-{self.tokens_given}", "expires_in": 3600, "scope": form.get("scope", "")}
        )

    async def login(self, request: web.Request) -> web.Response:
        page = "<html><body><h1>Please sign in</h1><form><input name=u><input type='password'></form></body></html>"
        return web.Response(text=page, content_type="text/html")

    async def elsewhere(self, request: web.Request) -> web.Response:
        """A redirect to where `to` says."""
        raise web.HTTPFound(request.query["to"])

    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse | None:
        fault = request["fault"]
        if fault in _ANSWERS:
            return _ANSWERS[fault]()
        if fault == "hang-up":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "login":
            raise web.HTTPFound("/login")
        if fault == "private-redirect":
            raise web.HTTPFound("http://169.254.169.254/latest/meta-data/")
        if fault == "file-redirect":
            raise web.HTTPFound("file:///etc/passwd")
        if fault == "redirect-loop":
            raise web.HTTPFound(request.path_qs)
        if fault in ("reset", "short", "drip", "truncated-gzip", "damaged-gzip", "cut-json"):
            good = await handler(request)
            assert isinstance(good, web.Response)
            return await _spoil(request, fault, good.body if isinstance(good.body, bytes) else b"", good)
        return None

    # lists

    def _chosen(self, request: web.Request) -> list[Record]:
        """The rows that a query asks for, as the fault of the day has them."""
        fault = request["fault"]
        found = self.records
        query = request.query
        if fault in ("partial-dump", "collapse"):
            found = [r for n, r in enumerate(found) if n % 10 < 7]
        if fault == "no-rows":
            return []
        if begin := query.get("from") or query.get("modified_from"):
            found = [r for r in found if r["modified"] >= begin]
        if end := query.get("to"):
            found = [r for r in found if r["modified"][: len(end)] <= end]
        if area := query.get("area"):
            found = [r for r in found if r["area"] == area]
        if fault == "id-churn":
            found = [{**r, "id": f"n{r['id']}"} for r in found]
        if fault == "type-drift":
            found = [
                {**r, "title": {"text": r["title"]}} if n >= len(found) // 2 else r
                for n, r in enumerate(found)
            ]
        if fault == "clock-skew":
            found = [{**r, "modified": "2099-01-01T00:00:00Z"} if n == 0 else r for n, r in enumerate(found)]
        return found

    def _total(self, request: web.Request, found: list[Record]) -> int:
        fault = request["fault"]
        total = len(found)
        if fault == "partial-dump":
            total = len(self.records)
        if fault == "high-total":
            total = total * 3 // 2
        if fault == "low-total":
            total = total * 7 // 10
        return min(total, self.cap) if self.cap and self.total_is_clipped else total

    def _list(
        self, request: web.Request, begin: int, size: int, **more: Any
    ) -> tuple[dict[str, Any], list[Record], int]:
        found = self._chosen(request)
        total = self._total(request, found)
        if request["fault"] == "page-loop":
            begin = 0
        within = found[: self.cap] if self.cap else found
        rows = within[begin : begin + min(size, self.page_cap)]
        named = ("paging", "results") if request["fault"] == "renamed" else ("meta", "data")
        body = {named[0]: {"total": total, **more}, named[1]: {"items": rows}}
        return body, rows, total

    def _too_far(self, begin: int) -> web.Response | None:
        if self.cap and begin >= self.cap:
            words = f"you can't look up more than {self.cap} items"
            return web.json_response({"bad_argument": "page", "description": words}, status=400)
        return None

    async def pages(self, request: web.Request) -> web.Response:
        page = int(request.match_info.get("page") or request.query.get("page", 0))
        size = int(request.query.get("size", 50))
        begin = (page - int(request.query.get("base", 0))) * size
        if refusal := self._too_far(begin):
            return refusal
        body, _, total = self._list(request, begin, size)
        body.setdefault("meta", {})["pages"] = -(-total // size)
        return web.json_response(body)

    window = pages

    async def offset(self, request: web.Request) -> web.Response:
        begin = int(request.query.get("offset", 0))
        if refusal := self._too_far(begin):
            return refusal
        body, rows, total = self._list(request, begin, int(request.query.get("limit", 100)))
        body.setdefault("meta", {})["more"] = begin + len(rows) < total
        return web.json_response(body)

    async def search(self, request: web.Request) -> web.Response:
        asked = await request.json()
        page, size = int(asked["page"]["number"]), int(asked["page"]["size"])
        body, _, _ = self._list(request, page * size, size)
        return web.json_response(body)

    async def cursor(self, request: web.Request) -> web.Response:
        begin = int(request.query.get("after", 0))
        size = int(request.query.get("size", 50))
        _, rows, total = self._list(request, begin, size)
        after = begin + len(rows)
        token: str | None = str(after) if after < total and rows else None
        if request["fault"] == "token-loop" and after >= total // 2:
            token = str(size)
        return web.json_response({"data": {"items": rows}, "meta": {"next": token, "total": total}})

    async def link(self, request: web.Request) -> web.Response:
        begin = int(request.query.get("begin", 0))
        _, rows, total = self._list(request, begin, 50)
        after = begin + len(rows)
        key = f"&api_key={self.key}" if self.guard == "query" else ""
        link: str | None = f"/link?begin={after}{key}" if after < total and rows else None
        if request["fault"] == "token-loop" and after >= total // 2:
            link = "/link?begin=50"
        return web.json_response(
            {"data": {"items": rows}, "meta": {"total": total}, "paging": {"next": link}}
        )

    async def header_link(self, request: web.Request) -> web.Response:
        begin = int(request.query.get("begin", 0))
        _, rows, total = self._list(request, begin, 50)
        after = begin + len(rows)
        headers = {"X-Total-Count": str(total)}
        if after < total:
            headers["Link"] = f'</header-link?begin=0>; rel="first", </header-link?begin={after}>; rel="next"'
        return web.json_response(rows, headers=headers)

    async def header_cursor(self, request: web.Request) -> web.Response:
        begin = int(request.query.get("cursor", 0))
        _, rows, total = self._list(request, begin, 50)
        after = begin + len(rows)
        return web.json_response(rows, headers={"X-Next": str(after)} if after < total else {})

    async def range(self, request: web.Request) -> web.Response:
        text = request.query.get("range") or request.headers.get("Range", "").partition("=")[2] or "0-149"
        begin, end = map(int, text.split("-"))
        if refusal := self._too_far(begin):
            return refusal
        _, rows, total = self._list(request, begin, end - begin + 1)
        if not rows:
            return web.Response(status=204)
        last = begin + len(rows)
        status = 206 if last < total else 200
        headers = {"Content-Range": f"offres {begin}-{last - 1}/{total}"}
        return web.json_response({"resultats": rows}, status=status, headers=headers)

    async def single(self, request: web.Request) -> web.Response:
        return self._conditional(request, msgspec.json.encode(self._chosen(request)), "application/json")

    async def detail(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        for plain in (wanted, base64.b64decode(wanted + "==").decode("ascii", "replace")):
            for record in self.records:
                if record["id"] == plain:
                    return web.json_response(
                        {"job": {"id": plain, "text": f"All about {plain}.", "hours": 38}}
                    )
        return web.json_response({"error": "unknown"}, status=404)

    # feeds

    def _event(self, event: Record) -> Record:
        return {
            "id": event["id"],
            "url": f"/feedentry/{event['id']}",
            "date_modified": event["at"],
            "_feed_entry": {"uuid": event["id"], "status": event["status"]},
        }

    async def feed(self, request: web.Request) -> web.Response:
        page, size = int(request.match_info.get("page", 0)), 50
        events = self.events[page * size : (page + 1) * size]
        following: str | None = f"/feed/{page + 1}" if (page + 1) * size < len(self.events) else None
        if request["fault"] == "token-loop" and page > 0:
            following = "/feed/1"
        if request["fault"] == "no-rows":
            events = []
        body = {"items": [self._event(e) for e in events], "next_url": following}
        return self._conditional(request, msgspec.json.encode(body), "application/json")

    async def entry(self, request: web.Request) -> web.Response:
        record = self._find(request.match_info["id"])
        if record is None:
            return web.json_response({}, status=404)
        return web.json_response({"uuid": record["id"], "status": "ACTIVE", "ad_content": record})

    def _find(self, id_: str) -> Record | None:
        return next((r for r in self.records if r["id"] == id_), None)

    async def snapshot(self, request: web.Request) -> web.Response:
        return web.json_response([{**r, "removed": False} for r in self._chosen(request)])

    async def stream(self, request: web.Request) -> web.Response:
        since = request.query["date"]
        found: list[Record] = []
        for event in self.events:
            if event["at"] < since:
                continue
            record = self._find(event["id"])
            if event["status"] == "INACTIVE" or record is None:
                found.append({"id": event["id"], "removed": True, "removed_date": event["at"]})
            else:
                found.append({**record, "removed": False, "modified": event["at"]})
        if request["fault"] == "no-rows":
            found = []
        return web.json_response(found)

    # EURES

    def _reference(self, record: Record) -> Record:
        created = int(datetime.fromisoformat(record["modified"]).timestamp() * 1000)
        closed = self.closed.get(record["id"])
        return {
            "reference": record["id"],
            "source": "XA",
            "status": "CLOSED" if closed else "ACTIVE",
            "creationTimestamp": created,
            "lastModificationTimestamp": self.changed.get(record["id"], created),
            "closingTimestamp": closed,
        }

    async def eures(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        references = [self._reference(r) for r in self._chosen(request)]
        if what == "ping":
            return web.Response(text="pong")
        if what == "getAll":
            name = "renamed" if request["fault"] == "renamed" else "allReferences"
            return web.json_response({name: references})
        since = int(request.match_info["since"])
        created = [r for r in references if r["creationTimestamp"] > since and r["status"] == "ACTIVE"]
        changed = [
            r
            for r in references
            if r["creationTimestamp"] <= since < r["lastModificationTimestamp"] and r["status"] == "ACTIVE"
        ]
        closed = [r for r in references if (r["closingTimestamp"] or 0) > since]
        return web.json_response(
            {"createdReferences": created, "modifiedReferences": changed, "closedReferences": closed}
        )

    async def eures_details(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        details = {}
        for id_ in wanted:
            record = self._find(id_)
            if record is None:
                continue
            content = opening(record)
            if request["fault"] == "xml-bomb":
                content = _XML_BOMB
            if request["fault"] == "xxe":
                content = _XXE
            details[id_] = {**self._reference(record), "content": content, "contentFormatVersion": "1.3"}
        return web.json_response({"details": details})

    # pages of a site

    async def robots(self, request: web.Request) -> web.Response:
        lines = ["User-agent: *"]
        if self.crawl_delay:
            lines.append(f"Crawl-delay: {self.crawl_delay:g}")
        lines.append(f"Disallow: {self.disallow}")
        lines.append(f"Sitemap: http://{request.host}/sitemap.xml")
        return web.Response(text="\n".join(lines))

    async def sitemap_index(self, request: web.Request) -> web.Response:
        if request["fault"] in ("xml-bomb", "xxe"):
            text = _XML_BOMB if request["fault"] == "xml-bomb" else _XXE
            return web.Response(text=text, content_type="application/xml")
        parts = "".join(
            f"<sitemap><loc>http://{request.host}/{name}</loc></sitemap>"
            for name in ("sitemap-0.xml", "sitemap-1.xml.gz")
        )
        text = f'<?xml version="1.0"?><sitemapindex xmlns="{_SITEMAPS}">{parts}</sitemapindex>'
        return web.Response(text=text, content_type="application/xml")

    async def sitemap(self, request: web.Request) -> web.Response:
        part = int(request.match_info["part"])
        half = len(self.records) // 2
        mine = self._chosen(request)
        mine = mine[:half] if part == 0 else mine[half:]
        urls = "".join(
            f"<url><loc>http://{request.host}/jobs/{r['id']}</loc><lastmod>{r['modified']}</lastmod></url>"
            for r in mine
        )
        if self.elsewhere_in_sitemap and part == 0:
            urls += f"<url><loc>{self.elsewhere_in_sitemap}</loc></url>"
        body = f'<?xml version="1.0"?><urlset xmlns="{_SITEMAPS}">{urls}</urlset>'.encode()
        if request.path.endswith(".gz"):
            return web.Response(body=gzip.compress(body), content_type="application/gzip")
        return web.Response(body=body, content_type="application/xml")

    async def job(self, request: web.Request) -> web.Response:
        record = self._find(request.match_info["id"])
        if record is None:
            return web.Response(status=404, text="gone")
        posting = {
            "@context": "https://schema.org",
            "@type": "JobPosting",
            "identifier": {"@type": "PropertyValue", "value": record["id"]},
            "title": record["title"],
            "description": record["text"],
            "datePosted": record["modified"],
        }
        block = msgspec.json.encode(posting).decode()
        page = f"<html><head><script type='application/ld+json'>{block}</script></head><body>x</body></html>"
        return web.Response(text=page, content_type="text/html")

    # files

    async def file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        found = self._chosen(request)
        plain = name.removesuffix(".gz").removesuffix(".zip")
        if request["fault"] in ("xml-bomb", "xxe"):
            body = (_XML_BOMB if request["fault"] == "xml-bomb" else _XXE).encode()
        else:
            body = as_file(found, plain.rpartition(".")[2])
        if name.endswith(".gz"):
            body = gzip.compress(body, 6, mtime=0)
        if name.endswith(".zip"):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo(plain), body)
            body = packed.getvalue()
        if request["fault"] == "partial-dump":
            body = body[: len(body) * 7 // 10]
        return self._conditional(request, body, "application/octet-stream")

    def _conditional(self, request: web.Request, body: bytes, kind: str) -> web.Response:
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=body, content_type=kind, headers={"ETag": tag})


_SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XML_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><x><url>&j;</url><PositionOpening>&j;</PositionOpening></x>"
)
_XXE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    "<x><url>&f;</url><PositionOpening>&f;</PositionOpening></x>"
)
_PAGE = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"


@functools.cache
def _huge() -> bytes:
    return b"[" + b" " * 8_000_000 + b"]"


@functools.cache
def _packed_bomb() -> bytes:
    return gzip.compress(b"[" + b" " * 100_000_000, 1)


def _bomb() -> web.Response:
    return web.Response(
        body=_packed_bomb(), headers={"Content-Encoding": "gzip"}, content_type="application/json"
    )


def _tomorrow() -> web.Response:
    # the clock of this register is a year ahead: only the difference to its own Date counts
    now = time.time() + 365 * 86_400
    headers = {
        "Retry-After": email.utils.formatdate(now + 86_400, usegmt=True),
        "Date": email.utils.formatdate(now, usegmt=True),
    }
    return web.Response(status=503, headers=headers)


_ANSWERS: dict[str, Callable[[], web.Response]] = {
    "error": lambda: web.Response(status=500, text="Traceback (most recent call last)"),
    "unavailable": lambda: web.Response(status=503, text=_PAGE, content_type="text/html"),
    "too-many": lambda: web.Response(status=429),
    "too-many-soon": lambda: web.Response(status=429, headers={"Retry-After": "0"}),
    "too-many-long": lambda: web.Response(status=429, headers={"Retry-After": "86400"}),
    "too-many-date": _tomorrow,
    "unauthorized": lambda: web.json_response({"error": "invalid_token"}, status=401),
    "forbidden": lambda: web.Response(status=403, text="<html><b>captcha required</b></html>"),
    "gone": lambda: web.Response(status=404, text="Not Found"),
    "retired": lambda: web.Response(status=410),
    "html": lambda: web.Response(text=_PAGE, content_type="text/html"),
    "text": lambda: web.Response(text="Service is being updated, please come back"),
    "empty": lambda: web.Response(body=b"", content_type="application/json"),
    "brotli": lambda: web.Response(body=b"\x0b\x02\x80[]\x03", headers={"Content-Encoding": "br"}),
    "huge": lambda: web.Response(body=_huge(), content_type="application/json"),
    "bomb": _bomb,
}


async def _spoil(request: web.Request, fault: str, body: bytes, good: web.Response) -> web.StreamResponse:
    """A good answer on a bad line."""
    headers = {"Content-Type": good.headers.get("Content-Type", "application/json")}
    if fault == "cut-json":
        return web.Response(body=body[: len(body) // 2], headers=headers)
    if fault in ("truncated-gzip", "damaged-gzip"):
        packed = gzip.compress(body)
        half = len(packed) // 2
        packed = packed[:half] + (b"\xff" * 8 + packed[half + 8 :] if fault == "damaged-gzip" else b"")
        return web.Response(body=packed, headers={**headers, "Content-Encoding": "gzip"})
    answer = web.StreamResponse(headers={**headers, "Content-Length": str(len(body) + 1_000)})
    await answer.prepare(request)
    assert request.transport is not None
    if fault == "drip":
        with contextlib.suppress(ConnectionError):  # nobody listens for so long
            for at in range(len(body)):
                await answer.write(body[at : at + 1])
                await asyncio.sleep(0.05)
        return answer
    await answer.write(body[: len(body) // 2])
    await asyncio.sleep(0.02)
    if fault == "reset":
        raw = request.transport.get_extra_info("socket")
        # linger of zero: the close is a reset
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    request.transport.close() if fault == "short" else request.transport.abort()
    return answer


def opening(record: Record) -> str:
    """A vacancy as HR-XML 3."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><PositionOpening xmlns="http://www.hr-xml.org/3" '
        'xmlns:oa="http://www.openapplications.org/oagis/9" majorVersionID="3" minorVersionID="2">'
        f'<DocumentID schemeAgencyID="XA">{record["id"]}</DocumentID><PositionProfile languageCode="en">'
        f"<PositionTitle>{escape(record['title'])}</PositionTitle>"
        f"<PositionLocation><Address><oa:CityName>{escape(record['city'])}</oa:CityName></Address></PositionLocation>"
        "<PositionFormattedDescription><Content><![CDATA[<p>"
        f"{record['text']}</p>]]></Content></PositionFormattedDescription></PositionProfile></PositionOpening>"
    )


def as_file(found: list[Record], kind: str) -> bytes:
    """The records as a file of this kind."""
    if kind == "json":
        return msgspec.json.encode({"vacancies": found})
    if kind == "ndjson":
        return b"\n".join(msgspec.json.encode(r) for r in found)
    if kind == "xml":
        rows = "".join(
            "<job>" + "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in r.items()) + "</job>" for r in found
        )
        return f'<?xml version="1.0" encoding="UTF-8"?><jobs>{rows}</jobs>'.encode()
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(found[0]) if found else ["id", "title"])
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue().encode()


# serving


@contextlib.asynccontextmanager
async def serving(register: Register | web.Application, *, ssl: Any = None) -> AsyncIterator[str]:
    """The register in the running event loop; gives its address."""
    app = register.app() if isinstance(register, Register) else register
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http{'s' if ssl else ''}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@contextlib.contextmanager
def running(register: Register | web.Application) -> Iterator[str]:
    """The register in a thread of its own; gives its address."""
    ready = threading.Event()
    found: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving(register) as url:
            found.append(url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def fast(count: int, *, size: int = 1_000, seed: int = 1) -> web.Application:
    """Pages of `size` rows made once, so that serving them costs nothing: /pages?page=0 …"""
    made = records(count, seed)
    answers = [
        msgspec.json.encode({"meta": {"total": count}, "data": {"items": made[begin : begin + size]}})
        for begin in range(0, count, size)
    ]
    nothing = msgspec.json.encode({"meta": {"total": count}, "data": {"items": []}})

    async def page(request: web.Request) -> web.Response:
        number = int(request.query.get("page", 0))
        body = answers[number] if number < len(answers) else nothing
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get("/pages", page)])
    return app


def main() -> None:
    """Serves many rows fast, until it is stopped; its address is the first line that it prints."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    async def serve() -> None:
        async with serving(fast(options.records, size=options.size, seed=options.seed)) as url:
            print(url, flush=True)
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
