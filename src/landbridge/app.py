"""What `landbridge serve` serves: the API and the pages of one instance, as an ASGI application."""

import os
from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from landbridge.api import clearing, endpoints, issuing, proving
from landbridge.api.limits import RateLimit
from landbridge.api.problems import OURS, problem
from landbridge.config import read_settings
from landbridge.instance import Instance
from landbridge.portal import events, join, operate, verifying
from landbridge.portal import issuing as issuing_pages
from landbridge.portal.login import Door
from landbridge.portal.outlets import Outlets
from landbridge.portal.pages import Pages
from landbridge.portal.rendering import Site


class OpenToAll:
    """Lets pages of any origin read the API (CORS); no other path, and never with a cookie."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-None-Match"],
            expose_headers=[
                "ETag",
                "Link",
                "RateLimit",
                "RateLimit-Policy",
                "Retry-After",
                "Landbridge-Total",
                "Landbridge-Complete",
            ],
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inside = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._open if inside else self._app)(scope, receive, send)


def make_app(instance: Instance, *, demo: bool = False) -> Starlette:
    """The application of an instance. Every answer of ours has its headers already."""
    site = Site(instance, demo=demo)
    door = Door(instance.settings.data)
    desk = proving.Desk(instance)
    bureau = issuing.Bureau(instance.settings.data)

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        allowed = {name: ", ".join(sorted(v.split(", "))) for name, v in (error.headers or {}).items()}
        detail = (
            f"only {allowed['Allow']} here"
            if "Allow" in allowed
            else f"nothing at {request.url.path[:200]!r}"
        )
        if request.url.path.startswith("/api"):
            return problem(
                error.status_code, detail, headers=allowed, hint="/api/v1/openapi.json lists what there is"
            )
        return site.error(request, error.status_code, detail, headers=allowed)

    async def answer_ours(request: Request, _error: Exception) -> Response:
        return problem(500, OURS) if request.url.path.startswith("/api") else site.error(request, 500, OURS)

    app = Starlette(
        routes=[
            *endpoints.routes(
                instance,
                paths={
                    **events.paths(instance.kinds),
                    **proving.paths(),
                    **clearing.paths(),
                    **issuing.paths(),
                },
            ),
            *events.routes(instance),
            *proving.routes(instance, desk),
            *clearing.routes(instance, desk),
            *verifying.routes(site, desk),
            *issuing.routes(bureau),
            *issuing_pages.routes(site, bureau),
            *Pages(site).routes(),
            *Outlets(instance, site).routes(),
            *join.routes(site, door),
            *operate.routes(site, door),
            Route("/static/{name}", site.static),
        ],
        exception_handlers={HTTPException: answer, 500: answer_ours},
    )
    app.router.redirect_slashes = False

    def refuse(scope: Scope, wait: int) -> Response:
        detail = f"too many requests; there is room again in {wait} s"
        if scope["path"].startswith("/api"):
            return problem(429, detail, hint="the RateLimit header of each answer says how many are left")
        return site.error(Request(scope), 429, detail)

    settings = instance.settings
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=3)
    app.add_middleware(
        RateLimit, rate=settings.rate, burst=settings.burst, proxies=settings.proxies, refuse=refuse
    )
    app.add_middleware(OpenToAll)
    return app


@cache
def _served() -> Starlette:
    settings = read_settings()
    demo = os.environ.get("LANDBRIDGE_DEMO") == "1"  # no members but the fictitious union's
    return make_app(Instance(settings, folders=settings.members if demo else ()), demo=demo)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of the instance that the environment describes, opened when it is first needed."""
    await _served()(scope, receive, send)
