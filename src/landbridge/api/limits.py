"""How much one visitor may ask: a bucket of tokens for each address, and what each request costs.

The header fields are those of the IETF draft "RateLimit header fields for HTTP". No address is kept: the table's
keys are hashes under a salt that dies with the process, and full buckets are forgotten. Each process counts on
its own.
"""

import contextlib
import secrets
import time
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import ip_network
from math import ceil
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST: Final = 50_000  # visitors that are remembered
COSTS: Final = {
    "/api/v1/export": 50.0,
    "/api/v1/suggest": 0.2,
    "/api/v1/issue": 2.0,
    "/api/v1/verify": 5.0,
    "/api/v1/decide": 5.0,
    "/issue": 2.0,
    "/verify": 5.0,
    "/join": 20.0,
    "/static": 0.0,
}
_FACETS: Final = 2.0

Refusal = Callable[[Scope, int], Response]


def cost(path: str, query: bytes) -> float:
    """What a request costs; an ordinary one 1, one that counts facets 2."""
    parts = path.split("/", 2)
    if len(parts) > 2 and 1 < len(parts[1]) < 4 and parts[1] != "api":  # a language
        path = f"/{parts[2]}"
    for start, price in COSTS.items():
        if path.startswith(start):
            return price
    return _FACETS if path.startswith("/find") or b"facets=" in query else 1.0


class RateLimit:
    """Lets requests through at `rate` tokens a second, `burst` at once; with a rate of 0 all of them."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rate: float,
        burst: float,
        proxies: tuple[str, ...] = (),
        refuse: Refusal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._rate = rate
        self._burst = burst
        self._proxies = frozenset(proxies)
        self._refuse = refuse
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        self._left: dict[bytes, tuple[float, float]] = {}  # visitor: tokens, when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._rate:
            await self._app(scope, receive, send)
            return
        price = cost(scope["path"], scope["query_string"])
        if not price:
            await self._app(scope, receive, send)
            return
        who, now = self._visitor(scope), self._clock()
        tokens, before = self._left.get(who, (self._burst, now))
        tokens = min(self._burst, tokens + (now - before) * self._rate)
        if tokens < min(price, self._burst):
            self._left[who] = (tokens, now)
            wait = ceil((min(price, self._burst) - tokens) / self._rate)
            response = self._refuse(scope, wait)
            response.headers["Retry-After"] = str(wait)
            self._tell(response.headers, tokens)
            await response(scope, receive, send)
            return
        left = tokens - price
        self._left.pop(who, None)  # the newest stand last
        self._left[who] = (left, now)
        if len(self._left) > MOST:
            del self._left[next(iter(self._left))]

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tell(MutableHeaders(scope=message), left)
            await send(message)

        await self._app(scope, receive, telling)

    def _tell(self, headers: MutableHeaders, left: float) -> None:
        window = ceil(self._burst / self._rate)
        headers["RateLimit-Policy"] = f'"cost";q={self._burst:.0f};w={window}'
        headers["RateLimit"] = f'"cost";r={max(0, int(left))};t={ceil((self._burst - left) / self._rate)}'

    def _visitor(self, scope: Scope) -> bytes:
        address = scope["client"][0] if scope.get("client") else ""
        if address in self._proxies:
            for one in reversed(Headers(scope=scope).get("x-forwarded-for", "").split(",")):
                address = one.strip()
                if address not in self._proxies:
                    break
        if ":" in address:  # an IPv6 visitor has the whole of a /64
            with contextlib.suppress(ValueError):
                address = str(ip_network((address, 64), strict=False))
        return blake2b(address.encode(), digest_size=12, key=self._salt).digest()
