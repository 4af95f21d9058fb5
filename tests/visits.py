"""Visits to the application without a network: a small union in a journal and its indexes, and one request; and
the fictitious union, really served."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp

from landbridge.app import make_app
from landbridge.config import Settings
from landbridge.find.connect import Page
from landbridge.find.harvest import harvest
from landbridge.find.read import Row
from landbridge.instance import Instance
from tests.servers import free_port

SOURCE = """
title = "{name}: vacancy bank"
kind = "vacancy"
licence = "open data"
language = "{language}"
deletes = "absence"
[fetch]
every = "6h"
[map]
id = "id"
title = "title"
employer = "employer"
places.text = "town"
places.country = "country"
pay = "pay"
contract = "contract"
description = "text"
published = "date"
url = "url"
occupation = "job"
[values.contract]
"permanent" = "permanent"
"seasonal" = "seasonal"
[expect]
max_drop = 1.0
"""


class Reply(msgspec.Struct):
    """What came back. A header that came twice keeps its last value; `cookies` are the lines of all that were set."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str] = []

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    host: str = "127.0.0.1",
    scheme: str = "http",
) -> Reply:
    """One request to an application, as a server hands it on; `host` is the visitor's."""
    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": unquote(where),
        "raw_path": where.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (n.lower().encode(), v.encode()) for n, v in {"host": "localhost", **(headers or {})}.items()
        ],
        "server": ("localhost", 443 if scheme == "https" else 80),
        "client": (host, 1),
    }
    pieces = [body[n : n + 2**16] for n in range(0, len(body), 2**16)] or [b""]
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        if not pieces:
            await asyncio.Event().wait()  # the visitor stays until the answer is there
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]  # our messages are plain mappings
    lines = [(k.decode(), v.decode()) for k, v in sent[0]["headers"]]
    whole = b"".join(m.get("body", b"") for m in sent[1:])
    return Reply(sent[0]["status"], dict(lines), whole, [v for k, v in lines if k == "set-cookie"])


class Visitor:
    """Makes requests to an application, each on its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.ask("GET", path, headers)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        return asyncio.run(ask(self.app, method, path, headers, body))


def union(folder: Path, **members: tuple[str, str]) -> Instance:
    """An instance whose members (name, language) share a vacancy bank each; nothing is harvested yet."""
    for member, (name, language) in members.items():
        shares = folder / "members" / member / "shares"
        shares.mkdir(parents=True)
        (shares.parent / "member.toml").write_text(
            f'name = "{name}"\ncountries = ["{member.upper()}"]\n', "utf-8"
        )
        (shares / "jobs.toml").write_text(SOURCE.format(name=name, language=language), "utf-8")
    settings = Settings(data=folder / "data", journal=str(folder / "data" / "journal.db"))
    return Instance(settings, folders=[folder / "members"])


def share(instance: Instance, member: str, *rows: Mapping[str, Any], claimed: int | None = None) -> None:
    """The member's register sends these advertisements, and is harvested; more `claimed`, it did not send all."""
    source = instance.source(f"{member}/jobs")

    async def pages(_cursor: Any) -> AsyncIterator[Page]:
        read = [Row(raw=msgspec.json.encode(r), where=f"row {n}") for n, r in enumerate(rows)]
        yield Page(rows=read, cursor=1, last=True, complete=claimed is None, claimed=claimed)

    done = asyncio.run(harvest(source, pages, journal=instance.journal, kind=instance.kinds["vacancy"]))
    assert done.quarantined == 0, instance.journal.quarantined()
    instance.follow()


def visitor(instance: Instance) -> Visitor:
    return Visitor(make_app(instance))


@contextlib.contextmanager
def served(folder: Path, *words: str, **settings: str) -> Iterator[str]:
    """The address of a server of the fictitious union on a free port of loopback, stopped in the end.

    With `words`, another command of ours than `demo` is started.
    """
    port = free_port()
    environment = {n: v for n, v in os.environ.items() if not n.startswith("LANDBRIDGE_")}
    environment |= {
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "TMPDIR": str(folder),
        **settings,
    }
    command = [sys.executable, "-m", "landbridge", *(words or ("demo",)), "--port", str(port)]
    with (folder / "served.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, server, folder / "served.log")
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/api/v1/kinds", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text(errors='replace')[-800:]}")
