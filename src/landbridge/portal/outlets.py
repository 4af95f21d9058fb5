"""The addresses of what other programs take: feeds of saved searches, site map, search engine description.

path                                  what                        for how long
/s/{token}.atom .json .ics            a saved search as a feed    ten minutes, then by its ETag
/s/{token}                            leads to its answer         not kept
POST /searches                        keeps or forgets one        not kept
/sitemap.xml, /sitemaps/{source}/{n}.xml, /robots.txt             an hour
/opensearch.xml                       by language                 a day
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from landbridge.api.requests import given, guarded
from landbridge.errors import NotFound, UsageError
from landbridge.find.query import default_kind, parse
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind
from landbridge.portal import feeds, opensearch, saved, sitemap
from landbridge.portal.feeds import Reads
from landbridge.portal.rendering import Site

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_FORMS: Final = {"atom": feeds.atom, "json": feeds.json_feed, "ics": feeds.calendar}
_BODY: Final = 16_384  # bytes of a form
_YEAR: Final = 31_536_000


class Outlets:
    """What other programs take of one instance."""

    def __init__(self, instance: Instance, site: Site) -> None:
        self.instance = instance
        self.site = site

    def routes(self) -> list[Route]:
        by_language = {
            "/s/{token}.{form}": self.feed,
            "/s/{token}": self.one,
            "/saved": self.every,
            "/opensearch.xml": self.description,
        }
        plain = {
            "/sitemap.xml": self.index,
            "/suggest.json": self.suggest,
            "/sitemaps/{source:path}/{number:int}.xml": self.page,
            "/robots.txt": self.robots,
        }
        return [
            *self.site.routes(by_language),
            *self.site.routes({"/saved": self.change}, methods=("POST",)),
            *(Route(path, guarded(endpoint, self.site.failed)) for path, endpoint in plain.items()),
        ]

    async def feed(self, request: Request) -> Response:
        token, form = request.path_params["token"], request.path_params["form"]
        if form not in _FORMS:
            raise NotFound(f"no feed of the form {form[:20]!r}", hint=f"forms: {', '.join(_FORMS)}")
        body = _FORMS[form](self._feed(request, token))
        mark = feeds.etag(body)
        headers = {
            **_HEADERS,
            "ETag": mark,
            "Cache-Control": "public, max-age=600",
            "Vary": "Accept-Language, Cookie",
        }
        if feeds.unchanged(request.headers.get("if-none-match", ""), mark):
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, feeds.TYPES[form])

    def _feed(self, request: Request, token: str) -> feeds.Feed:
        params = saved.open_saved(token)
        kinds = self.instance.kinds
        asked = {**params, "limit": [str(feeds.MOST)]}
        query = parse(asked, kinds, rates=self.instance.rates)
        kind = kinds[query.kind]
        feeds.refuse_personal(kind)
        reader = self.site.reader(request)
        return feeds.Feed(
            token=token,
            title=feeds.title(params, kind, reader),
            base=self.site.base(request),
            prefix=self.site.prefix(request),
            kind=kind,
            result=self.instance.find(query, snippets=False),
            reader=reader,
        )

    async def one(self, request: Request) -> Response:
        """The page of a saved search: run it, follow it, keep it on this device."""
        token = request.path_params["token"]
        prefix = self.site.prefix(request)
        shown = self._shown(request, token, saved.open_saved(token))
        here = f"{prefix}/s/{token}"
        feed = {form: f"{here}.{form}" if shown["open"] else "" for form in _FORMS}
        one = {**shown, **feed, "token": token, "kept": token in self._kept(request)}
        return self._page(request, one)

    async def every(self, request: Request) -> Response:
        """The searches kept on this device."""
        return self._page(request, None)

    def _page(self, request: Request, one: dict[str, Any] | None) -> Response:
        others = [
            self._shown(request, token, saved.open_saved(token))
            for token in self._kept(request)
            if one is None or token != one["token"]
        ]
        headers = {"Cache-Control": "no-store"}
        return self.site.page(request, "saved.html", headers=headers, one=one, others=others)

    def _shown(self, request: Request, token: str, params: dict[str, list[str]]) -> dict[str, Any]:
        """What a page shows of a saved search; `open` where there are feeds of it."""
        kinds = self.instance.kinds
        name = params.get("kind", [default_kind(kinds)])[0]
        kind = kinds.get(name)
        prefix = self.site.prefix(request)
        return {
            "words": feeds.title(params, kind, self.site.reader(request)) if kind else name,
            "run": f"{prefix}/find?{urlencode(params, doseq=True)}",
            "link": f"{prefix}/s/{token}",
            "open": kind is not None and not kind.personal,
        }

    def _kept(self, request: Request) -> list[str]:
        return saved.kept(request.cookies.get(saved.COOKIE, ""))

    async def change(self, request: Request) -> Response:
        """Keeps the search of the field `token` on this device, or removes it from there."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _BODY:
                raise UsageError("the form is too long", hint="one search at a time")
        try:
            form = parse_qs(body.decode(), errors="strict", max_num_fields=10)
        except ValueError:
            raise UsageError("the form is not UTF-8, or has too many fields") from None
        token, do = form.get("token", [""])[0], form.get("do", [""])[0]
        if do not in {"keep", "remove"}:
            raise UsageError(f"do={do[:20]!r} is not keep or remove", parameter="do")
        cookie = request.cookies.get(saved.COOKIE, "")
        cookie = saved.keep(cookie, token) if do == "keep" else saved.forget(cookie, token)
        where = f"{self.site.prefix(request)}/saved"
        response = RedirectResponse(where, 303, {**_HEADERS, "Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        age = _YEAR if cookie else 0
        response.set_cookie(saved.COOKIE, cookie, max_age=age, samesite="lax", httponly=True, secure=secure)
        return response

    async def description(self, request: Request) -> Response:
        body = opensearch.description(self.site.base(request), self.site.reader(request))
        headers = {**_HEADERS, "Cache-Control": "public, max-age=86400", "Vary": "Accept-Language, Cookie"}
        return Response(body, 200, headers, opensearch.TYPE)

    async def suggest(self, request: Request) -> Response:
        typed = (given(request).get("q") or [""])[-1]
        language = self.site.reader(request).language
        found = self.instance.suggest(typed, default_kind(self.instance.kinds), language=language)
        headers = {**_HEADERS, "Cache-Control": "public, max-age=60", "Vary": "Accept-Language, Cookie"}
        return Response(
            opensearch.suggestions(typed, [one.text for one in found]), 200, headers, opensearch.SUGGESTIONS
        )

    async def index(self, request: Request) -> Response:
        body = sitemap.site_index(self.instance, self.site.base(request))
        return Response(body, 200, _hourly(), sitemap.TYPE)

    async def page(self, request: Request) -> Response:
        source, number = request.path_params["source"], request.path_params["number"]
        parts = sitemap.site_page(self.instance, self.site.base(request), source, number)
        return Response(await run_in_threadpool(b"".join, parts), 200, _hourly(), sitemap.TYPE)

    async def robots(self, request: Request) -> Response:
        return Response(sitemap.robots(self.site.base(request)), 200, _hourly(), "text/plain")


def offers(
    params: Mapping[str, Sequence[str]], kind: Kind, reader: Reads, prefix: str
) -> tuple[str, list[tuple[str, str, str]]]:
    """Of a question, the address of its saved search, and its feeds: type, title, address.

    A saved search gives the newest first unless the question says otherwise. No feed of a personal kind; nothing
    for a question that is too long.
    """
    try:
        token = saved.save({"sort": ["date"], **params})
    except UsageError:
        return "", []
    link = f"{prefix}/s/{token}"
    name = feeds.title({n: list(v) for n, v in params.items()}, kind, reader)
    forms = [] if kind.personal else list(_FORMS)
    return link, [(feeds.TYPES[form].partition(";")[0], name, f"{link}.{form}") for form in forms]


def _hourly() -> dict[str, str]:
    return {**_HEADERS, "Cache-Control": "public, max-age=3600"}
