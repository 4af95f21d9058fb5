"""A page of this instance: template, reader, headers.

No page needs JavaScript; the two modules that add suggestions and progress are our own files. All text goes
through a template that escapes it, nothing is loaded from elsewhere.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.problems import OURS
from landbridge.api.requests import guarded
from landbridge.errors import LandbridgeError
from landbridge.instance import Instance
from landbridge.kinds.kind import LANGUAGES
from landbridge.portal.languages import COOKIE, Reader, choose, own_name, reader, words_for

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        "img-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Vary": "Accept-Language, Cookie",
}
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "png": "image/png"}
Page = Callable[[Request], Awaitable[Response]]


class _Language(Convertor[str]):
    regex = "|".join(LANGUAGES)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("language", _Language())


class Site:
    """What every page shares: the templates, the language, the headers; in a demo each page says so."""

    def __init__(self, instance: Instance, *, demo: bool = False) -> None:
        self.instance = instance
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("landbridge.portal"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        static = resources.files("landbridge.portal") / "static"
        self._files = {
            p.name: p.read_bytes() for p in static.iterdir() if p.name.rpartition(".")[2] in _TYPES
        }
        self._templates.globals.update(
            demo=demo,
            static={
                name: f"/static/{name}?{blake2b(body, digest_size=6).hexdigest()}"
                for name, body in self._files.items()
            },
            languages=[(code, own_name(code)) for code in LANGUAGES],
        )

    def reader(self, request: Request) -> Reader:
        return reader(choose(request))

    def base(self, request: Request) -> str:
        """The address of this site without a path, as the visitor sees it."""
        return str(request.base_url).rstrip("/")

    def prefix(self, request: Request) -> str:
        """What links on the page begin with: the language, where the address named one."""
        language = request.path_params.get("language")
        return f"/{language}" if language else ""

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """The page of a template; `values` beside what all templates have."""
        language = choose(request)
        prefix = self.prefix(request)
        split = urlsplit(str(request.url))
        path = split.path.removeprefix(prefix) or "/"
        text = self._templates.get_template(template).render(
            **words_for(language),
            now=datetime.now(UTC),
            prefix=prefix,
            base=self.base(request),
            here=path + (f"?{split.query}" if split.query else ""),
            **values,
        )
        more = {**HEADERS, "Content-Language": language, **(headers or {})}
        response = Response(text, status, more, "text/html")
        if prefix and request.cookies.get(COOKIE) != language:
            response.set_cookie(COOKIE, language, max_age=31_536_000, samesite="lax", httponly=True)
        return response

    def error(
        self,
        request: Request,
        status: int,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page that says what is wrong, and what to do."""
        return self.page(
            request, "error.html", status, headers=headers, code=status, detail=detail, hint=hint
        )

    def failed(self, request: Request, error: LandbridgeError | None) -> Response:
        """What `guarded` answers with where a page failed."""
        if error is None:
            return self.error(request, 500, OURS)
        return self.error(request, error.status, str(error), hint=error.hint)

    def routes(self, pages: Mapping[str, Page], *, methods: tuple[str, ...] = ("GET",)) -> list[Route]:
        """Each page at its path, and at its path in each language."""
        found = []
        for path, page in pages.items():
            endpoint = guarded(page, self.failed)
            found.append(Route(path, endpoint, methods=list(methods)))
            inside = "" if path == "/" else path
            found.append(Route("/{language:language}" + inside, endpoint, methods=list(methods)))
            if path == "/":
                found.append(Route("/{language:language}/", endpoint, methods=list(methods)))
        return found

    async def static(self, request: Request) -> Response:
        """A file of ours, kept for ever: its address changes with its content."""
        name = request.path_params["name"]
        body = self._files.get(name)
        if body is None:
            return self.error(request, 404, "no such file")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(body, 200, headers, _TYPES[name.rpartition(".")[2]])
