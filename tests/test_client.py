"""The client says what the API says, waits when it is told to, and knows when an answer is not whole."""

import asyncio
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from landbridge import client as ours
from landbridge.client import AsyncClient, Client, Gone, Problem, Unreachable, Unreadable, answers
from landbridge.codes.occupations.link import Candidate
from landbridge.find import occupations, record, search, suggest
from tests.visits import served

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served"), LANDBRIDGE_RATE="0") as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as found:
        yield found


def test_a_page_says_what_was_found_and_who_answered(client: Client) -> None:
    found = client.find("welder", limit=3, facets=["country", "contract"])
    assert found.total.count > 3
    assert len(found.hits) == 3
    assert [f.name for f in found.facets] == ["country", "contract"]
    assert {m.id for m in found.members} == {m.id for m in client.members() if m.sources}
    hit = found.hits[0]
    assert client.record(hit.id).values["title"] == hit.text == hit.record.values["title"]


def test_paging_reaches_every_hit_once(client: Client) -> None:
    every = [h.id for h in client.find_all("welder", limit=7)]
    assert len(every) == len(set(every)) == client.find("welder").total.count


def test_a_filter_that_is_a_word_of_pythons_is_written_with_a_bar(client: Client) -> None:
    member = client.find("welder").hits[0].member
    assert {h.member for h in client.find_all("welder", in_=[member])} == {member}


def test_an_export_gives_every_record(client: Client) -> None:
    export = client.export("welder")
    records = list(export)
    assert export.total == len(records) == len({r.id for r in records}) == client.find("welder").total.count
    assert client.find("welder").hits[0].id in {r.id for r in records}


def test_the_feed_is_walked_to_its_end_and_gone_on_with(client: Client) -> None:
    pages = list(client.feed(kind="vacancy"))
    alive = [i for p in pages for i in p.items if i.entry.status == "ACTIVE"]
    assert len(alive) == client.find(kind="vacancy", limit=1).total.count
    assert all(i.origin.kind == "vacancy" and i.title for i in alive)
    later = list(client.feed(pages[-1].position))
    assert [p.items for p in later] == [[]]


def test_a_title_is_read_as_an_occupation(client: Client) -> None:
    found = client.occupations("Сварщик", lang="de")
    assert found.groups[0].code == "7212"
    assert (found.groups[0].label.lower(), found.groups[0].language) == ("schweißer", "de")
    assert client.occupations("?", "welder").groups[0].code == "7212"
    assert client.occupations("?").kind == "none"
    assert "7212" in {o.code for o in client.find("welder").occupations}
    assert client.find("welder", literal=True).occupations == []


def test_suggestions_and_kinds(client: Client) -> None:
    assert {"vacancy", "candidate"} <= {k.name for k in client.kinds()}
    deadline = 100
    while not (found := client.suggest("san")) and deadline:  # the list is made beside the first requests
        deadline -= 1
        threading.Event().wait(0.1)
    assert found
    assert all(s.count > 0 for s in found)


@pytest.mark.parametrize(
    ("filters", "status", "parameter"),
    [({"limit": 0}, 400, "limit"), ({"colour": "red"}, 400, "colour"), ({"in_": "zz"}, 404, "")],
)
def test_a_refusal_is_an_error_that_names_the_parameter(
    client: Client, filters: dict[str, Any], status: int, parameter: str
) -> None:
    with pytest.raises(Problem) as caught:
        client.find("welder", **filters)
    assert (caught.value.status, caught.value.parameter) == (status, parameter)
    assert caught.value.detail in str(caught.value)
    assert caught.value.hint in str(caught.value)


def test_what_is_about_people_is_not_exported(client: Client) -> None:
    with pytest.raises(Problem) as caught:
        client.export(kind="candidate")
    assert (caught.value.status, caught.value.parameter) == (403, "kind")


def test_over_an_event_loop_the_answers_are_the_same(client: Client, address: str) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(address) as found:
            with pytest.raises(Problem) as caught:
                await found.find(limit=0)
            export = await found.export("welder")
            return [
                caught.value.parameter,
                await found.members(),
                await found.kinds(),
                await found.suggest("san"),
                await found.occupations("Сварщик", lang="de"),
                (await found.find("welder")).hits,
                [h.id async for h in found.find_all("welder", limit=7)],
                export.total,
                [r async for r in export],
                [p async for p in found.feed(kind="vacancy")],
                await found.record((await found.find("welder")).hits[0].id),
            ]

    assert asyncio.run(ask()) == [
        "limit",
        client.members(),
        client.kinds(),
        client.suggest("san"),
        client.occupations("Сварщик", lang="de"),
        client.find("welder").hits,
        [h.id for h in client.find_all("welder", limit=7)],
        client.find("welder").total.count,
        list(client.export("welder")),
        list(client.feed(kind="vacancy")),
        client.record(client.find("welder").hits[0].id),
    ]


# what the documentation shows

GUIDE = (ROOT / "docs" / "how-to" / "use-the-api.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```(sh|python|javascript|r)\n(.*?)^```", GUIDE, re.M | re.S)
RUNS = {
    "sh": ("bash", ".sh", ["-euo", "pipefail"]),
    "python": (sys.executable, ".py", []),
    "javascript": ("node", ".mjs", []),
    "r": ("Rscript", ".R", []),
}


def test_the_guide_has_examples_in_every_language() -> None:
    assert {language for language, _ in EXAMPLES} == RUNS.keys()


@pytest.mark.parametrize(
    ("language", "text"), EXAMPLES, ids=[f"{language}-{n}" for n, (language, _) in enumerate(EXAMPLES)]
)
def test_an_example_of_the_guide_runs(
    address: str, client: Client, tmp_path: Path, language: str, text: str
) -> None:
    program, ending, options = RUNS[language]
    if shutil.which(program) is None:
        pytest.skip(f"not run: no {program}")
    script = tmp_path / f"example{ending}"
    script.write_text(text.replace("http://127.0.0.1:8000", address), "utf-8")
    done = subprocess.run(
        [program, *options, str(script)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = re.findall(r"\d+", done.stdout)
    assert {str(client.find("welder").total.count), "304", "400"} & set(told)


# servers that behave otherwise


class Server:
    """Answers one request after the other with what it was given: status, headers, body."""

    def __init__(self, *answers_: tuple[int, dict[str, str], bytes]) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        left = list(answers_)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append((self.path, {n.lower(): v for n, v in self.headers.items()}))
                status, headers, body = left.pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Server":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


LIMITED = (429, {"Retry-After": "1"}, b'{"title": "Too many requests", "status": 429, "detail": "slow down"}')
KINDS = (200, {"ETag": '"one"'}, b'[{"name": "a", "label": {}, "plural": {}, "schema": "/a", "newer": 1}]')


def _sync(address: str, **how: Any) -> Any:
    with Client(address, **how) as client:
        return [client.kinds(), client.kinds()]


def _async(address: str, **how: Any) -> Any:
    async def ask() -> Any:
        async with AsyncClient(address, **how) as client:
            return [await client.kinds(), await client.kinds()]

    return asyncio.run(ask())


@pytest.mark.parametrize("kinds", [_sync, _async])
def test_a_limit_is_waited_out_and_a_known_answer_is_not_sent_again(kinds: Any) -> None:
    with Server(LIMITED, KINDS, (304, {}, b"")) as server:
        first, second = kinds(server.address)
    assert first == second
    assert [h.get("if-none-match") for _, h in server.asked] == [None, None, '"one"']


@pytest.mark.parametrize("kinds", [_sync, _async])
def test_who_has_no_patience_is_told_how_long_to_wait(kinds: Any) -> None:
    with Server(LIMITED) as server, pytest.raises(Problem) as caught:
        kinds(server.address, patience=0)
    assert (caught.value.status, caught.value.retry_after, caught.value.detail) == (429, 1.0, "slow down")


@pytest.mark.parametrize("kinds", [_sync, _async])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((502, {}, b"<html>a proxy"), Problem),
        ((301, {"Location": "https://elsewhere.example/"}, b""), Problem),
        ((200, {}, b"<html>a login page"), Unreadable),
        ((200, {}, b'[{"name": 1}]'), Unreadable),
        ((200, {"Content-Length": "99"}, b"["), Unreachable),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), Unreachable),
    ],
    ids=["proxy", "moved", "login-page", "other-types", "cut", "false-gzip"],
)
def test_an_answer_that_is_none_is_an_error_of_its_name(
    kinds: Any, answer: Any, error: type[Exception]
) -> None:
    status, headers, body = answer
    with Server((status, {"Connection": "close", **headers}, body)) as server, pytest.raises(error):
        kinds(server.address, timeout=2)


@pytest.mark.parametrize("kinds", [_sync, _async])
def test_where_nobody_listens_the_error_says_so(kinds: Any) -> None:
    with Server() as server:
        address = server.address
    with pytest.raises(Unreachable, match="does not answer"):
        kinds(address)


def test_an_export_that_breaks_off_is_not_taken_for_whole() -> None:
    line = b'{"id": "a", "kind": "k", "member": "m", "source": "m/s", "language": "en", "values": {}}'
    for body, headers in ((line + b"\n" + line[:30], {}), (line + b"\n", {"Content-Length": "999"})):
        close = {"Connection": "close", **headers}
        with Server((200, close, body)) as server, Client(server.address) as client:
            read = []
            with pytest.raises(Unreachable, match="broke off"):
                read.extend(client.export())
        with Server((200, close, body)) as server, pytest.raises(Unreachable, match="broke off"):
            asyncio.run(_export(server.address))


def _walk(address: str) -> None:
    with Client(address) as client:
        list(client.feed())


async def _export(address: str) -> None:
    async with AsyncClient(address) as client:
        async for _ in await client.export():
            pass


def test_of_a_record_that_is_gone_the_error_says_what_it_was() -> None:
    was = {
        "id": "a",
        "kind": "k",
        "title": "Baker",
        "member": "m",
        "source": "m/s",
        "gone": "2026-03-01T00:00:00Z",
    }
    body = msgspec.json.encode({"title": "No longer there", "status": 410, "detail": "a is gone", "was": was})
    with Server((410, {}, body)) as server, Client(server.address) as client, pytest.raises(Gone) as caught:
        client.record("a")
    assert caught.value.was is not None
    assert caught.value.was.title == "Baker"


def test_a_feed_leads_to_no_other_server() -> None:
    page = b'{"feed_url": "/feed", "next_url": "https://elsewhere.example/", "items": [%s]}'
    item = (
        b'{"id": "a", "url": "/a", "date_modified": "2026-03-01T00:00:00Z", "_feed_entry": {"uuid": "u",'
        b' "status": "ACTIVE", "sistEndret": "2026-03-01T00:00:00Z"}, "_landbridge": {"kind": "k",'
        b' "member": "m", "source": "m/s", "licence": "open"}}'
    )
    with Server((200, {}, page % item)) as server, pytest.raises(Unreadable, match="no page of this feed"):
        _walk(server.address)


@pytest.mark.parametrize(
    "address", ["landbridge.example", "ftp://landbridge.example", "http://", "http://a/?q=1"]
)
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="no address of a Landbridge"):
        Client(address)


# its types


@pytest.mark.parametrize(
    "theirs",
    [
        search.Result, search.Hit, search.Total, search.YearlyPay, search.Facet, search.FacetValue,
        search.Correction, search.MemberAnswer, record.Record, record.Provenance, suggest.Suggestion,
        Candidate, occupations.ReadAs, occupations.Occupation,
    ],
    ids=lambda t: t.__name__,
)  # fmt: skip
def test_the_client_knows_every_field_that_is_answered(theirs: type[msgspec.Struct]) -> None:
    own = getattr(answers, theirs.__name__)
    assert {f.encode_name for f in msgspec.structs.fields(own)} == {
        f.encode_name for f in msgspec.structs.fields(theirs)
    }


def test_the_client_needs_nothing_else_of_ours() -> None:
    code = (
        "import sys, landbridge.client;"
        "print(*[m for m in sys.modules if m.startswith('landbridge.') and not m.startswith('landbridge.client')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_both_clients_can_do_the_same() -> None:
    def names(one: type) -> set[str]:
        return {n for n in vars(one) if not n.startswith("_")}

    assert names(ours.Client) == names(ours.AsyncClient)
    assert names(ours.Export) == names(ours.AsyncExport)
