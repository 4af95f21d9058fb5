"""A browser as far as our pages need one: cookies, forms, redirects, and nothing sent over a network."""

import asyncio
from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from starlette.applications import Starlette

from tests.visits import Reply, ask


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
        headers = {"content-type": type_} if type_ else {}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        reply = asyncio.run(ask(self.app, method, path, headers, body, host=self.host, scheme=self.scheme))
        self.set_cookies = reply.cookies
        for line in reply.cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return reply
