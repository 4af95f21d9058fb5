"""The client: what it reaches, what it refuses, how polite it is, and how plainly it says what went wrong."""

import asyncio
import ipaddress
import shutil
import ssl
import string
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge import __version__
from landbridge.errors import (
    Broken,
    Drift,
    FetchError,
    Forbidden,
    LandbridgeError,
    Refused,
    Slowdown,
    SourceFileError,
)
from landbridge.find.connect import connect
from landbridge.find.connect.http import Client, Reply, is_public, redact, retry_after, visible
from landbridge.find.source import Source, parse_source
from landbridge.kinds.kind import read_kinds
from tests.registers import Register, closed_port, serving

KINDS = read_kinds()
FILE = """
title = "Altania: vacancies"
kind = "vacancy"
language = "en"
deletes = "absence"
[map]
id = "id"
title = "title"
[fetch]
with = "json-pages"
items = "data.items"
total = "meta.total"
"""


def source(url: str, more: str = "") -> Source:
    return parse_source(f'{FILE}url = "{url}"\n{more}', KINDS, member="xa", name="jobs")


def client(**settings: Any) -> Client:
    return Client(**{"allow_private": True, "attempts": 2, "wait": 0.01, "longest_wait": 1.0, **settings})


def at(
    register: Register, ask: Callable[[Client, Source, str], Awaitable[Any]], more: str = "", **settings: Any
) -> Any:
    """What `ask` gives, of a client and a source at this register."""

    async def run() -> Any:
        async with serving(register) as url, client(**settings) as one:
            return await ask(one, source(f"{url}/pages?page={{page}}", more), url)

    return asyncio.run(run())


def get(path: str = "/pages", **how: Any) -> Callable[[Client, Source, str], Awaitable[Reply]]:
    return lambda one, from_, url: one.get(from_, url + path, **how)


# addresses


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "0177.0.0.1",
            "0x7f000001",
            "0x7f.0.0.1",
            "2130706433",
            "017700000001",
        ),
        *("localhost", "LOCALHOST", "localhost.", "0", "0.0.0.0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]"),  # noqa: S104
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
        *("10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.1", "192.168.1.1", "[::ffff:10.0.0.1]"),
        *("169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00:ec2::254]", "[fec0::1]"),
        *(
            "100.64.0.1",
            "100.127.255.254",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
        ),
        *("224.0.0.1", "239.255.255.250", "[ff02::1]", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
        *("[2001:db8::1]", "[3fff::1]", "[100::1]", "[64:ff9b:1::1]", "[5f00::1]", "[2001:10::1]"),
        *("user@127.0.0.1", "user:word@127.0.0.1", "127.0.0.1%2f@127.0.0.1"),
    ],
)
def test_no_way_of_writing_a_private_address_is_reached(host: str) -> None:
    register = Register(3)

    async def run() -> None:
        async with serving(register) as url, client(allow_private=False) as one:
            port = url.rpartition(":")[2]
            target = f"http://{host}:{port}/pages"
            with pytest.raises(LandbridgeError):
                await one.get(source("https://jobs.altania.example/"), target)
            with pytest.raises(LandbridgeError):
                await one.get(source(target), target)

    asyncio.run(run())
    assert register.asked == []


def test_a_private_address_is_refused_in_words() -> None:
    with pytest.raises(Forbidden, match=r"127\.0\.0\.1 is no public address") as caught:
        at(Register(3), get(), allow_private=False)
    assert "LANDBRIDGE_PRIVATE" in caught.value.hint


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_as_any_ipv6_address_that_wraps_it(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    wrapped = {
        f"::ffff:{inner}",
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))),
    }
    assert {is_public(one) for one in wrapped} == {is_public(str(inner))}


@given(st.text())
def test_what_is_no_address_is_not_public(text: str) -> None:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        assert not is_public(text)


def test_public_addresses_are_public() -> None:
    assert is_public("8.8.8.8")
    assert is_public("2606:4700::1111")
    assert is_public("64:ff9b::808:808")


@pytest.mark.parametrize(
    ("to", "error", "words"),
    [
        ("http://169.254.169.254/latest/", Forbidden, "169.254.169.254 is no public address"),
        ("http://localhost:{port}/pages", Forbidden, "no public address"),
        ("http://127.0.0.1:1/pages", Forbidden, "no public address"),
        ("http://[::1]:{port}/pages", Forbidden, "no public address"),
        ("//10.0.0.1/pages", Forbidden, "no public address"),
        ("file:///etc/passwd", Forbidden, "no http address"),
        ("gopher://127.0.0.1/", Forbidden, "no http address"),
        ("javascript:alert(1)", Forbidden, "no http address"),
        ("/elsewhere?to=/elsewhere?to=/pages", None, ""),
        ("/pages", None, ""),
    ],
)
def test_a_redirect_leads_only_to_its_own_host_or_a_public_one(
    to: str, error: type[FetchError] | None, words: str
) -> None:
    async def ask(one: Client, from_: Source, url: str) -> Reply:
        path = "/elsewhere?to=" + to.format(port=url.rpartition(":")[2])
        return await one.get(from_, url + path)

    if error is None:
        assert at(Register(3), ask).status == 200
        return
    with pytest.raises(error, match=words):
        at(Register(3), ask)


def test_a_client_without_leave_follows_no_redirect_into_its_own_network() -> None:
    register = Register(3)
    with pytest.raises(Forbidden):
        at(register, get("/elsewhere?to=/pages"), allow_private=False)
    assert register.asked == []


# faults


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("hang-up", Refused, "closed the connection without an answer"),
        ("reset", Broken, "the body was cut after"),
        ("short", Broken, "the body was cut after"),
        ("drip", Broken, "did not finish within 0.3 s"),
        ("truncated-gzip", Broken, "the compressed body is cut"),
        ("damaged-gzip", Broken, "the compressed body is damaged"),
        ("brotli", Broken, "packed as 'br', which we did not ask for"),
        ("bomb", Broken, "larger than the cap of 1,000,000 bytes"),
        ("huge", Broken, "larger than the cap of 1,000,000 bytes"),
        ("error", Refused, "it answers 500"),
        ("unavailable", Refused, 'it answers 503: "Maintenance Back soon"'),
        ("too-many", Slowdown, "too many requests"),
        ("too-many-long", Slowdown, "come back in 86,400 s"),
        ("too-many-date", Slowdown, "come back in 86,400 s"),
        ("unauthorized", Forbidden, "access was refused (401)"),
        ("forbidden", Forbidden, 'access was refused (403): "captcha required"'),
        ("gone", Drift, "the path is gone (404)"),
        ("retired", Drift, "the path is gone (410)"),
        ("html", Drift, 'HTML where JSON was expected: "Maintenance Back soon"'),
        ("login", Drift, 'a login page where JSON was expected: "Please sign in"'),
        ("text", Drift, 'text where JSON was expected: "Service is being updated'),
        ("empty", Drift, "it answered with an empty body"),
        ("private-redirect", Forbidden, "169.254.169.254 is no public address"),
        ("file-redirect", Forbidden, "which is no http address"),
        ("redirect-loop", Drift, "redirects more than 5 times"),
    ],
)
def test_each_fault_has_its_error_and_words(fault: str, error: type[FetchError], words: str) -> None:
    register = Register(50)
    register.fail(fault)
    with pytest.raises(error) as caught:
        at(
            register,
            get("/pages?page=0"),
            f'timeout = "{0.3 if fault == "drip" else 9}s"\nmax_bytes = 1_000_000',
        )
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert str(caught.value).startswith("xa/jobs: http://127.0.0.1:")


def test_nobody_at_home_is_said_as_such() -> None:
    with pytest.raises(Refused, match="no connection"):
        at(Register(3), lambda one, _, __: one.get(from_, nobody))


nobody = f"http://127.0.0.1:{closed_port()}/"
from_ = source(nobody)


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("not run: no openssl to make a certificate with")
    key, made = tmp_path / "key.pem", tmp_path / "made.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*new, "-keyout", key, "-out", made, "-days", "2", *subject], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)

    async def run() -> None:
        async with serving(Register(3), ssl=context) as url, client() as one:
            await one.get(source(url), url + "/pages")

    with pytest.raises(Refused, match="cannot be trusted") as caught:
        asyncio.run(run())
    assert "SSL_CERT_FILE" in caught.value.hint


def test_html_is_welcome_where_a_page_is_expected() -> None:
    register = Register(3)
    register.fail("html")
    assert at(register, get(expect="page")).status == 200


def test_a_status_that_counts_as_an_answer_is_one() -> None:
    register = Register(3)
    register.fail("gone")
    assert at(register, get(answers=(404,))).status == 404


# patience


@pytest.mark.parametrize(
    "fault", ["hang-up", "reset", "short", "truncated-gzip", "error", "unavailable", "too-many-soon"]
)
def test_what_passes_is_waited_for(fault: str) -> None:
    register = Register(3)
    register.fail(fault, times=2)
    assert at(register, get(), attempts=3).status == 200
    assert len(register.asked) == 3


@pytest.mark.parametrize("fault", ["gone", "forbidden", "html", "too-many-long", "private-redirect", "huge"])
def test_what_does_not_pass_is_asked_once(fault: str) -> None:
    register = Register(3)
    register.fail(fault)
    with pytest.raises(FetchError):
        at(register, get(), "max_bytes = 1_000_000", attempts=3)
    assert len(register.asked) == 1


def test_a_long_wait_is_told_to_the_harvest() -> None:
    register = Register(3)
    register.fail("too-many-long")
    with pytest.raises(Slowdown) as caught:
        at(register, get())
    assert caught.value.retry_after == 86_400


def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_register() -> None:
    headers = {"Retry-After": "Tue, 01 Jan 2030 00:01:40 GMT", "Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    assert retry_after(headers) == 100


@given(st.text(), st.text())
def test_no_retry_after_header_breaks_us(text: str, date: str) -> None:
    wait = retry_after({"Retry-After": text, "Date": date})
    assert wait is None or wait >= 0


async def many(one: Client, from_: Source, url: str) -> float:
    begun = time.perf_counter()
    await asyncio.gather(*(one.get(from_, f"{url}/pages?page={n}") for n in range(6)))
    return time.perf_counter() - begun


def test_the_rate_of_a_source_is_kept() -> None:
    assert at(Register(300), many, 'rate = "20/s"') >= 0.24
    assert at(Register(300), many) < 0.2


def test_no_more_requests_at_once_than_the_source_allows() -> None:
    register = Register(300)
    at(register, many, "concurrency = 2")
    assert register.most_at_once <= 2


def test_a_register_sees_who_asks() -> None:
    register = Register(3)
    at(register, get(), contact="mailto:desk@altania.example")
    assert register.agents == {f"Landbridge/{__version__} (+mailto:desk@altania.example)"}


def test_what_did_not_change_is_not_sent_again() -> None:
    async def twice(one: Client, from_: Source, url: str) -> tuple[Reply, Reply]:
        first = await one.get(from_, f"{url}/single")
        return first, await one.get(from_, f"{url}/single", since=first.validators)

    first, second = at(Register(3), twice)
    assert (first.unchanged, second.unchanged, second.body) == (False, True, b"")


def test_a_download_lies_on_disk_until_the_client_goes() -> None:
    async def ask(one: Client, from_: Source, url: str) -> tuple[Path, int]:
        reply = await one.download(from_, f"{url}/files/jobs.csv.gz")
        assert reply.path is not None
        return reply.path, reply.path.stat().st_size

    path, size = at(Register(500), ask)
    assert size > 1_000
    assert path.name.endswith("jobs.csv.gz")
    assert not path.exists()


def test_a_download_that_is_cut_for_good_gives_what_came_and_says_so() -> None:
    register = Register(500)
    register.fail("short")
    reply = at(register, lambda one, from_, url: one.download(from_, f"{url}/files/jobs.csv", partial=True))
    assert "the body was cut after" in reply.cut
    assert len(register.asked) == 2


# logins


LOGINS = {
    "key": '{ type = "api_key", name = "X-API-Key", api_key = "env:LANDBRIDGE_TEST_KEY" }',
    "query": '{ type = "api_key", name = "api_key", api_key = "env:LANDBRIDGE_TEST_KEY", location = "query" }',
    "bearer": '{ type = "bearer", token = "env:LANDBRIDGE_TEST_KEY" }',
    "basic": '{ type = "http_basic", username = "anna", password = "env:LANDBRIDGE_TEST_KEY" }',
    "oauth2": '{ type = "oauth2_client_credentials", access_token_url = "URL/token", client_id = "public:landbridge",'
    ' client_secret = "env:LANDBRIDGE_TEST_KEY", scopes = ["jobs", "read"] }',
}


def log_in(guard: str, register: Register) -> Reply:
    async def run() -> Any:
        async with serving(register) as url, client() as one:
            auth = LOGINS[guard].replace("URL", url)
            from_ = source(f"{url}/pages?page={{page}}", f"auth = {auth}")
            connect(from_)
            found = [page async for page in connect(from_)(from_, one, None)]
            return found[-1]

    return asyncio.run(run())  # type: ignore[no-any-return]


@pytest.mark.parametrize("guard", LOGINS)
def test_each_kind_of_login_is_let_in(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    register = Register(120, guard=guard)
    monkeypatch.setenv("LANDBRIDGE_TEST_KEY", register.key)
    assert log_in(guard, register).complete
    assert register.tokens_given == (1 if guard == "oauth2" else 0)


@pytest.mark.parametrize("guard", LOGINS)
def test_a_wrong_key_names_its_variable_and_stays_unsaid(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    register = Register(120, guard=guard)
    monkeypatch.setenv("LANDBRIDGE_TEST_KEY", "wrong-key-0815")
    with pytest.raises(Forbidden) as caught:
        log_in(guard, register)
    assert "LANDBRIDGE_TEST_KEY" in caught.value.hint
    assert "wrong-key-0815" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("guard", LOGINS)
def test_a_missing_key_says_what_to_export(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDBRIDGE_TEST_KEY", raising=False)
    register = Register(120, guard=guard)
    with pytest.raises(Forbidden, match="LANDBRIDGE_TEST_KEY is not set") as caught:
        log_in(guard, register)
    assert caught.value.hint == "export LANDBRIDGE_TEST_KEY=…"
    assert register.asked == []


def test_a_token_that_expires_in_the_middle_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    register = Register(400, guard="oauth2")
    register.token_lasts = 3
    monkeypatch.setenv("LANDBRIDGE_TEST_KEY", register.key)
    assert log_in("oauth2", register).complete
    assert register.tokens_given == 3  # 8 pages and one behind them, 3 for a token


def test_a_new_token_that_is_refused_as_well_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    register = Register(400, guard="oauth2")
    monkeypatch.setenv("LANDBRIDGE_TEST_KEY", register.key)
    register.fail("unauthorized", after=2)
    with pytest.raises(Forbidden, match="the login was refused"):
        log_in("oauth2", register)
    assert register.tokens_given == 2


@pytest.mark.parametrize(
    "more",
    [
        'auth = { type = "bearer", token = "abcdef" }',
        'auth = { type = "api_key", api_key = "abcdef" }',
        'auth = { type = "http_basic", username = "anna", password = "abcdef" }',
        'auth = { type = "oauth2_client_credentials", access_token_url = "https://a.example/t", '
        'client_id = "env:ID", client_secret = "abcdef" }',
        'headers = { Authorization = "abcdef" }',
        'headers = { "X-API-Key" = "abcdef" }',
        'params = { app_key = "abcdef" }',
        'auth = { type = "bearer", token = "env:" }',
        'auth = { type = "bearer", token = "public:" }',
    ],
)
def test_a_secret_in_a_source_file_is_refused(more: str) -> None:
    with pytest.raises(SourceFileError, match="a secret never stands in a source file") as caught:
        connect(source("https://jobs.altania.example/?page={page}", more))
    assert "abcdef" not in str(caught.value) + caught.value.hint
    assert "env:LANDBRIDGE_XA_JOBS_KEY" in caught.value.hint


def test_a_login_in_an_address_is_refused() -> None:
    with pytest.raises(SourceFileError, match="an address holds a login") as caught:
        connect(source("https://anna:abcdef@jobs.altania.example/?page={page}"))
    assert "abcdef" not in str(caught.value)


def test_a_key_that_its_register_publishes_may_stand_there() -> None:
    more = 'auth = { type = "api_key", name = "X-API-Key", api_key = "public:altania-jobs" }'
    connect(source("https://jobs.altania.example/?page={page}", more))


@pytest.mark.parametrize(
    "more",
    [
        'rate = "often"',
        'rate = "0/s"',
        "concurrency = 0",
        'timeout = "soon"',
        "colour = 3",
        'auth = { type = "magic" }',
    ],
)
def test_a_key_that_means_nothing_is_named(more: str) -> None:
    with pytest.raises(SourceFileError, match=more.partition(" ")[0]):
        connect(source("https://jobs.altania.example/?page={page}", more))


# words


@pytest.mark.parametrize(
    "fault",
    ["error", "html", "gone", "unauthorized", "reset", "redirect-loop", "private-redirect", "too-many"],
)
def test_no_message_shows_a_key(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDBRIDGE_TEST_KEY", "hush-hush-4711")
    register = Register(3)
    register.fail(fault)

    async def ask(one: Client, from_: Source, url: str) -> Reply:
        return await one.get(from_, f"{url}/pages?where=hush-hush-4711&session=77aa77&page=0")

    more = (
        'auth = { type = "api_key", name = "akey", api_key = "env:LANDBRIDGE_TEST_KEY", location = "query" }'
    )
    with pytest.raises(FetchError) as caught:
        at(register, ask, more)
    said = str(caught.value) + caught.value.hint
    assert "hush" not in said
    assert "77aa77" not in said
    assert "page=0" in said


@given(st.text(), st.text(alphabet=string.ascii_letters, min_size=5))
def test_an_address_is_shown_without_its_secret_whatever_it_is(url: str, secret: str) -> None:
    try:
        shown = redact(f"https://a.example/?x={secret}{url}", {secret})
    except ValueError:
        return
    assert secret not in shown


def test_an_address_keeps_what_is_no_secret() -> None:
    assert redact("https://u:p@a.example/x?keyword=cook&author=me&apikey=1&page=2") == (
        "https://a.example/x?keyword=cook&author=me&apikey=…&page=2"
    )


@given(st.binary(max_size=300))
def test_the_visible_words_of_anything_are_short_and_on_one_line(body: bytes) -> None:
    shown = visible(body)
    assert len(shown) <= 81
    assert "\n" not in shown
