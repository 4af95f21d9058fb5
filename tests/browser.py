"""A browser as far as our pages need one: cookies, forms, redirects, and nothing sent over a network."""

import asyncio
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.applications import Starlette

from tests.visits import Reply


class Forms(HTMLParser):
    """The forms of a page: where each goes, and what its hidden fields hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        if tag == "input" and given.get("type") == "hidden":
            self.found[-1][1][given["name"]] = given["value"]


class Browser:
    """One visitor with a cookie jar; `set_cookies` are the raw lines of the last answer."""

    def __init__(self, app: Starlette, *, host: str = "127.0.0.1", scheme: str = "http") -> None:
        self.app = app
        self.host = host
        self.scheme = scheme
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def follow(self, reply: Reply) -> Reply:
        assert reply.status == 303, reply.text[-2_000:]
        return self.get(reply.headers["location"])

    def post(self, path: str, fields: Mapping[str, str]) -> Reply:
        return self.ask("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def press(self, page: Reply, action: str, **more: str) -> Reply:
        """Sends the form of a page that goes to `action`."""
        fields = next(f for a, f in Forms(page.text).found if a == action)
        return self.post(action, {**fields, **more})

    def upload(self, path: str, name: str, data: bytes, **fields: str) -> Reply:
        edge = "--------edge"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode()
            for n, v in fields.items()
        ]
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode()
            + data
            + f"\r\n--{edge}--\r\n".encode()
        )
        return self.ask("POST", path, b"".join(parts), f"multipart/form-data; boundary={edge}")

    def ask(self, method: str, path: str, body: bytes = b"", type_: str = "") -> Reply:
        where, _, query = path.partition("?")
        headers = [(b"host", b"localhost")]
        if type_:
            headers.append((b"content-type", type_.encode()))
        if self.cookies:
            headers.append((b"cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()).encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": unquote(where),
            "raw_path": where.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": headers,
            "server": ("localhost", 443 if self.scheme == "https" else 80),
            "client": (self.host, 1),
        }
        sent: list[Mapping[str, Any]] = []
        pieces = [body[n : n + 2**16] for n in range(0, len(body), 2**16)] or [b""]

        async def receive() -> Mapping[str, Any]:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]
        lines = [(k.decode(), v.decode()) for k, v in sent[0]["headers"]]
        self.set_cookies = [v for k, v in lines if k == "set-cookie"]
        for line in self.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return Reply(sent[0]["status"], dict(lines), b"".join(m.get("body", b"") for m in sent[1:]))
