"""/join: a stranger's file or address is explained, mapped and shown, and nothing of it stays."""

import gzip
import http.server
import io
import json
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette

from landbridge.config import Settings
from landbridge.find.source import parse_source
from landbridge.instance import Instance
from landbridge.portal import join, operate
from landbridge.portal.login import Door
from landbridge.portal.rendering import Site
from tests.browser import Browser

TOKEN = "a token that somebody chose"  # noqa: S105 of this test
ROWS = [
    {"id": f"v{n}", "title": f"Welder {n}", "town": "Almaty", "employer": "Beispiel & Söhne"}
    for n in range(12)
]
CSV = ("id;title;town;employer\n" + "".join(";".join(r.values()) + "\n" for r in ROWS)).encode()


def _desk(folder: Path, *, private: bool = False) -> Starlette:
    settings = Settings(data=folder / "data", journal=str(folder / "data" / "journal.db"), private=private)
    site = Site(Instance(settings, folders=[folder / "members"]))
    door = Door(settings.data, {"LANDBRIDGE_OPERATOR_TOKEN": TOKEN})
    return Starlette(routes=[*join.routes(site, door), *operate.routes(site, door)])


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(_desk(tmp_path))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_file_comes_back_as_a_source_file_that_runs_and_ten_rows_beside_their_records(
    browser: Browser, tmp_path: Path
) -> None:
    before = _files(tmp_path)
    page = browser.upload("/join", "jobs.csv", CSV, kind="vacancy", member="xa")
    assert page.status == 200, page.text
    proposal = unquote(page.text.partition("data:application/toml;charset=utf-8,")[2].partition('"')[0])
    source = parse_source(proposal, Instance(Settings(tmp_path, "")).kinds, member="xa", name="jobs")
    assert source.map["title"] == "title"
    assert tomllib.loads(proposal)["fetch"]["delimiter"] == ";"
    assert page.text.count("Beispiel &amp; Söhne") == 20  # ten rows, as they came and as they were mapped
    assert "members/xa/shares/jobs.toml" in page.text
    assert "landbridge member test" in page.text
    assert _files(tmp_path) == before


def test_the_page_speaks_the_readers_language_and_keeps_what_was_typed(browser: Browser) -> None:
    page = browser.upload("/ar/join", "", b"", kind="vacancy", member="xa", url="ftp://register.example/x")
    assert page.status == 400
    assert '<html lang="ar" dir="rtl"' in page.text
    assert 'value="ftp://register.example/x"' in page.text
    assert 'action="/ar/join"' in page.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("jobs.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20),
        ("jobs.xlsx", b"this is no workbook"),
        ("jobs.json", b'{"items": [{"id": 1, "title": "cut'),
        ("jobs.json.gz", gzip.compress(b"[1, 2, 3]")[:-9]),
        ("jobs.zip", b"PK\x03\x04 and then nothing"),
        ("jobs.xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><c>&b;</c></a>'),
        ("jobs.html", b"<html><body><form><input type=password></form>Please log in</body></html>"),
        ("jobs.csv", b""),
        ("jobs.json", b"null"),
        ("../../etc/<script>alert(1)</script>.json", b"[]"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_explained(
    browser: Browser, tmp_path: Path, name: str, data: bytes
) -> None:
    page = browser.upload("/join", name, data, kind="vacancy", member="xa")
    assert page.status == 422, page.text
    assert '<tr class="failed">' in page.text
    assert "Traceback" not in page.text
    assert "<script>alert" not in page.text
    assert "root:" not in page.text
    assert _files(tmp_path) == {}


def test_a_bomb_ends_with_its_process(browser: Browser) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("jobs.csv", b"id,title\n" + b"1,a\n" * 50_000_000)
    assert len(packed.getvalue()) < 1_000_000
    page = browser.upload("/join", "jobs.zip", packed.getvalue(), kind="vacancy", member="xa")
    assert page.status in (200, 422)
    assert browser.get("/join").status == 200


def test_a_file_over_the_cap_is_refused_with_a_page(browser: Browser) -> None:
    page = browser.upload("/join", "jobs.csv", b"x" * 10_100_000, kind="vacancy", member="xa")
    assert page.status == 413
    assert "larger than 10 MB" in page.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": ""}, "Please give an address or a file"),
        ({"url": "file:///etc/passwd"}, "must begin with https://"),
        ({"url": "https://user:secret@register.example/"}, "no name or password"),
        ({"url": "http://[::1"}, "must begin with https://"),
        ({"url": "https://register.example/", "kind": "unicorn"}, "choose what it holds"),
        ({"url": "https://register.example/", "member": "../x"}, "short name"),
    ],
)
def test_a_form_that_cannot_be_used_says_what_to_write(
    browser: Browser, fields: dict[str, str], words: str
) -> None:
    page = browser.post("/join", fields)
    assert page.status == 400
    assert words in page.text


@pytest.mark.parametrize("body", [b"--edge\r\nnonsense", b"", b"\xff\xfe" * 50])
def test_a_body_that_is_no_form_is_a_page(browser: Browser, body: bytes) -> None:
    page = browser.ask("POST", "/join", body, "multipart/form-data; boundary=edge")
    assert page.status == 400
    assert "Please give an address or a file" in page.text


class _Register(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"total": 12, "items": ROWS}).encode()
        if self.path == "/large":
            body = b"[" + b" " * 11_000_000 + b"]"
        if self.path == "/inside":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def register() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Register)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_nobody_looks_around_in_the_network_of_the_instance(tmp_path: Path, register: str) -> None:
    stranger = Browser(_desk(tmp_path, private=True))
    page = stranger.post("/join", {"url": register + "/jobs", "kind": "vacancy", "member": "xa"})
    assert page.status == 422
    assert "no public address" in page.text
    assert "Welder" not in page.text


def test_an_operator_reaches_a_private_register_where_the_setting_allows_it(
    tmp_path: Path, register: str
) -> None:
    operator = Browser(_desk(tmp_path, private=True))
    operator.post("/operate/login", {"token": TOKEN})
    page = operator.post("/join", {"url": register + "/jobs", "kind": "vacancy", "member": "xa"})
    assert page.status == 200, page.text
    assert "Welder 3" in page.text
    assert "json-pages" in page.text
    large = operator.post("/join", {"url": register + "/large", "kind": "vacancy", "member": "xa"})
    assert large.status == 422
    assert "10,000,000 bytes" in large.text
    inside = operator.post("/join", {"url": register + "/inside", "kind": "vacancy", "member": "xa"})
    assert "no public address" in inside.text


def test_what_takes_too_long_is_broken_off(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "PATIENCE", 0.05)
    page = browser.upload("/join", "jobs.csv", CSV, kind="vacancy", member="xa")
    assert page.status == 422
    assert "in time" in page.text


def test_many_at_once_are_asked_to_come_again(tmp_path: Path) -> None:
    app = _desk(tmp_path)
    statuses: list[int] = []

    def one() -> None:
        statuses.append(Browser(app).upload("/join", "jobs.csv", CSV, kind="vacancy", member="xa").status)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 200, 503, 503, 503]
