"""The operator's pages: who comes in, what they see, what a button does, and what is written down of it."""

import base64
import http.server
import json
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette

from landbridge.errors import ConfigError
from landbridge.find.connect import Page
from landbridge.find.harvest import Harvested, harvest
from landbridge.find.read import Row
from landbridge.instance import Instance
from landbridge.portal import audit, login, operate
from landbridge.portal.login import Door
from landbridge.portal.rendering import Site
from tests.browser import Browser
from tests.visits import Reply, union

TOKEN = "a token that somebody chose"  # noqa: S105 of this test
ROWS = [{"id": f"v{n}", "title": f"Welder number {n}", "contract": "permanent"} for n in range(40)]


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    found = union(tmp_path, xa=("Altania", "en"))
    file = tmp_path / "members" / "xa" / "shares" / "jobs.toml"
    file.write_text(file.read_text("utf-8").replace("max_drop = 1.0", "max_drop = 0.2\nmax_quarantine = 0.9"))
    yield found
    found.close()


def send(instance: Instance, rows: list[dict[str, str]]) -> Harvested:
    """The register of xa sends these rows, all it has, and is harvested."""
    import asyncio

    async def pages(_cursor: Any) -> Any:
        read = [Row(raw=msgspec.json.encode(r), where=f"row {n}") for n, r in enumerate(rows)]
        yield Page(rows=read, cursor=1, last=True, complete=True)

    source = instance.source("xa/jobs")
    done = asyncio.run(harvest(source, pages, journal=instance.journal, kind=instance.kinds["vacancy"]))
    instance.follow()
    return done


def desk(instance: Instance, clock: Callable[[], float] = time.time, **env: str) -> Starlette:
    door = Door(instance.settings.data, {"LANDBRIDGE_OPERATOR_TOKEN": TOKEN, **env}, clock=clock)
    return Starlette(routes=operate.routes(Site(instance), door))


def signed_in(instance: Instance) -> Browser:
    browser = Browser(desk(instance))
    page = browser.follow(browser.post("/operate/login", {"token": TOKEN}))
    assert "Overview" in page.text
    return browser


def words(page: Reply) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page.text))


# coming in

PATHS = [
    "",
    "/held",
    "/quarantine",
    "/quarantine/group?source=xa/jobs",
    "/incidents",
    "/audit",
    "/sources/xa/jobs",
]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_a_page_without_a_session(instance: Instance, path: str) -> None:
    reply = Browser(desk(instance)).get("/operate" + path)
    assert (reply.status, reply.headers["location"]) == (303, "/operate/login")


def test_the_token_opens_a_session_whose_cookie_no_script_and_no_other_site_gets(instance: Instance) -> None:
    browser = Browser(desk(instance), scheme="https")
    page = browser.post("/operate/login", {"token": f" {TOKEN}\n"})
    assert page.status == 303
    cookie = browser.set_cookies[0].lower()
    assert all(
        part in cookie for part in ("httponly", "samesite=strict", "secure", "max-age=28800", "path=/")
    )
    assert browser.get("/operate").headers["cache-control"] == "no-store"


def test_the_token_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = login.prepare(tmp_path / "data", {})
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    assert len(token) >= 43
    assert login.prepare(tmp_path / "data", {}) == path
    assert Door(tmp_path / "data", {}).token == token
    assert login.prepare(tmp_path / "other", {"LANDBRIDGE_OPERATOR_TOKEN": TOKEN}) is None


@pytest.mark.parametrize("content", ["", "\n", "short"])
def test_an_emptied_token_file_lets_nobody_in(tmp_path: Path, content: str) -> None:
    (tmp_path / "operator.token").write_text(content)
    with pytest.raises(ConfigError, match="holds no secret"):
        Door(tmp_path, {}).try_token(content, "127.0.0.1")
    with pytest.raises(ConfigError, match="5 characters"):
        Door(tmp_path, {"LANDBRIDGE_OPERATOR_TOKEN": "short"})


def test_after_five_wrong_tokens_one_waits_longer_and_longer_and_others_do_not(instance: Instance) -> None:
    clock = Clock()
    app = desk(instance, clock)
    guesser, owner = Browser(app, host="192.0.2.1"), Browser(app, host="192.0.2.2")
    for _ in range(5):
        assert guesser.post("/operate/login", {"token": "wrong"}).status == 403
    refused = guesser.post("/operate/login", {"token": TOKEN})
    assert (refused.status, refused.headers["retry-after"]) == (429, "31")
    assert owner.post("/operate/login", {"token": TOKEN}).status == 303
    clock.now += 31
    assert guesser.post("/operate/login", {"token": "wrong"}).status == 403
    assert int(guesser.post("/operate/login", {"token": TOKEN}).headers["retry-after"]) > 59
    clock.now += 61
    assert guesser.post("/operate/login", {"token": TOKEN}).status == 303


@pytest.mark.parametrize("change", ["role", "mark", "nonsense", "other key"])
def test_a_forged_session_is_none(instance: Instance, change: str, tmp_path: Path) -> None:
    browser = signed_in(instance)
    body, _, mark = browser.cookies["operator"].partition(".")
    session = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**session, "who": "admin"}).encode()).decode().rstrip("=")
    elsewhere = Browser(desk(union(tmp_path / "b", xb=("Berilia", "en"))))
    elsewhere.post("/operate/login", {"token": TOKEN})
    browser.cookies["operator"] = {
        "role": f"{forged}.{mark}",
        "mark": f"{body}.{'0' * 64}",
        "nonsense": "\xff.\xff",
        "other key": elsewhere.cookies["operator"],
    }[change]
    assert browser.get("/operate").status == 303


def test_a_session_ends_after_eight_hours_with_a_new_token_and_for_every_copy_by_signing_out(
    instance: Instance,
) -> None:
    clock = Clock()
    browser = Browser(desk(instance, clock))
    browser.post("/operate/login", {"token": TOKEN})
    copy = Browser(browser.app)
    copy.cookies = dict(browser.cookies)
    changed = Browser(desk(instance, clock, LANDBRIDGE_OPERATOR_TOKEN="another token entirely"))
    changed.cookies = dict(browser.cookies)
    assert copy.get("/operate").status == 200
    assert changed.get("/operate").status == 303
    clock.now += 8 * 3_600 + 1
    assert copy.get("/operate").status == 303
    clock.now -= 8 * 3_600
    left = browser.press(browser.get("/operate"), "/operate/logout")
    assert left.status == 303
    assert "operator" not in browser.cookies
    assert copy.get("/operate").status == 303


# what there is to do

POSTS = ["/held/xa/jobs/1", "/quarantine/replay", "/incidents/1/close", "/logout"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("form", ["", "0" * 64, "of another session"])
def test_no_action_without_the_token_of_this_sessions_form(instance: Instance, path: str, form: str) -> None:
    browser = signed_in(instance)
    if form == "of another session":
        form = re.findall(r'name="form" value="(\w+)"', signed_in(instance).get("/operate").text)[0]
    before = (instance.settings.data / audit.FILE).read_bytes()
    assert browser.post("/operate" + path, {"form": form, "answer": "release"}).status == 403
    assert (instance.settings.data / audit.FILE).read_bytes() == before
    browser.cookies.clear()
    assert browser.post("/operate" + path, {"form": form}).status == 303


def test_a_held_run_shows_what_it_would_remove_and_release_removes_just_that(instance: Instance) -> None:
    send(instance, ROWS)
    done = send(instance, ROWS[:15])
    assert (done.state, done.held) == ("held", 25)
    browser = signed_in(instance)
    page = browser.get("/operate/held")
    assert "25 of 40 records (62%)" in words(page)
    assert "Welder number 15" in page.text
    assert "Welder number 14" not in page.text
    after = browser.follow(browser.press(page, "/operate/held/xa/jobs/2", answer="release"))
    assert "Records removed: 25." in after.text
    assert "Nothing is held." in after.text
    assert instance.journal.alive("xa/jobs") == 15
    assert instance.journal.incidents() == []
    assert instance.journal.record("xa/jobs/v20").gone is not None
    assert instance.index("xa", "vacancy").last_seq == instance.journal.last_seq("xa", "vacancy")
    again = browser.press(page, "/operate/held/xa/jobs/2", answer="release")
    assert again.status == 404


def test_a_discarded_run_removes_nothing_and_waits_no_more(instance: Instance) -> None:
    send(instance, ROWS)
    send(instance, ROWS[:15])
    browser = signed_in(instance)
    after = browser.follow(
        browser.press(browser.get("/operate/held"), "/operate/held/xa/jobs/2", answer="discard")
    )
    assert "Nothing was removed." in after.text
    assert instance.journal.alive("xa/jobs") == 40
    assert [r.state for r in instance.journal.runs("xa/jobs")] == ["partial", "complete"]
    assert "discarded by a person" in browser.get("/operate/sources/xa/jobs").text


def test_a_release_of_more_than_the_page_showed_is_refused(instance: Instance) -> None:
    send(instance, ROWS)
    send(instance, ROWS[:15])
    browser = signed_in(instance)
    page = browser.get("/operate/held")
    send(instance, ROWS[:30])  # fifteen of them are seen again meanwhile
    reply = browser.press(page, "/operate/held/xa/jobs/2", answer="release")
    assert reply.status == 403
    assert "it would now remove 10 records" in reply.text
    assert instance.journal.alive("xa/jobs") == 40 or instance.journal.alive("xa/jobs") == 30


def test_quarantined_rows_are_grouped_and_a_mended_file_lets_them_in(instance: Instance) -> None:
    odd = [{**row, "contract": "сезонная" if n % 2 else "вахта"} for n, row in enumerate(ROWS[:6])]
    send(instance, [*ROWS[6:], *odd])
    browser = signed_in(instance)
    page = browser.get("/operate/quarantine")
    assert "unknown-value contract вахта (3), сезонная (3) 6" in words(page)
    link = re.findall(r'href="(/operate/quarantine/group[^"]*)"', page.text)[0].replace("&amp;", "&")
    group = browser.get(link)
    assert "[values.contract]" in group.text
    assert "members/xa/shares/jobs.toml" in group.text
    assert "&#34;title&#34;: &#34;Welder number 0&#34;" in group.text
    unchanged = browser.follow(browser.press(group, "/operate/quarantine/replay"))
    assert "Understood: 0. Still waiting: 6." in unchanged.text
    member = instance.members["xa"].folder
    assert member is not None
    file = member / "shares" / "jobs.toml"
    mended = file.read_text("utf-8").replace('"seasonal" =', '"вахта" = "seasonal"\n"seasonal" =')
    file.write_text(mended, "utf-8")
    after = browser.follow(browser.press(group, "/operate/quarantine/replay"))
    assert "Understood: 3. Still waiting: 3." in after.text
    assert "unknown-value contract сезонная (3) 3" in words(after)
    assert instance.journal.alive("xa/jobs") == 37
    file.write_text("this is no TOML", "utf-8")
    broken = browser.press(browser.get(link), "/operate/quarantine/replay")
    assert broken.status == 403
    assert "landbridge member test says more" in broken.text
    assert "failed: " in browser.get("/operate/audit").text


def test_an_incident_is_closed_by_a_person(instance: Instance) -> None:
    send(instance, ROWS)
    instance.journal.open_incident("xa/jobs", "drift", "it answers <b>HTML</b>")
    browser = signed_in(instance)
    page = browser.get("/operate/incidents")
    assert "it answers &lt;b&gt;HTML&lt;/b&gt;" in page.text
    after = browser.follow(browser.press(page, "/operate/incidents/1/close"))
    assert "The incident is closed." in after.text
    assert instance.journal.incidents() == []
    assert browser.press(page, "/operate/incidents/1/close").status == 404


def test_the_overview_says_how_everything_stands(instance: Instance, tmp_path: Path) -> None:
    send(instance, ROWS)
    operate.note_backup(instance.settings.data, tmp_path / "backup.tar")
    said = words(signed_in(instance).get("/operate"))
    for part in ("xa/jobs", "complete", "40", "up to date", "backup.tar", "GB", "Exchange rates of"):
        assert part in said


def test_what_an_address_claims_was_done_is_not_repeated(instance: Instance) -> None:
    browser = signed_in(instance)
    for query in (
        "done=<b>x</b>",
        "done=released&n=<b>",
        "done=released&n=1e9",
        "done=released&n=" + "9" * 99,
    ):
        page = browser.get("/operate/held?" + query)
        assert page.status == 200
        assert "Records removed" not in page.text


@pytest.mark.parametrize("body", [b"x" * 20_000, b"\xff\xfe", b"a=1&" * 30, b"form=%ff"])
def test_a_form_that_is_none_is_a_page(instance: Instance, body: bytes) -> None:
    reply = signed_in(instance).ask("POST", "/operate/quarantine/replay", body, "text/plain")
    assert reply.status == 400


# what is written down


def test_every_action_is_written_down_before_and_after(instance: Instance) -> None:
    send(instance, ROWS)
    send(instance, ROWS[:15])
    browser = signed_in(instance)
    browser.press(browser.get("/operate/held"), "/operate/held/xa/jobs/2", answer="release")
    lines = [(e.who, e.what, e.on, e.outcome) for e in audit.entries(instance.settings.data)]
    assert lines == [
        ("token", "release run", "xa/jobs 2", "25 removed"),
        ("token", "release run", "xa/jobs 2", "begun"),
        ("token", "sign in", "127.0.0.1", "done"),
    ]
    page = browser.get("/operate/audit")
    assert "The chain is whole: 3 lines." in page.text
    assert audit.verify(instance.settings.data).head in page.text


def test_nothing_is_done_that_cannot_be_written_down(instance: Instance) -> None:
    send(instance, ROWS)
    send(instance, ROWS[:15])
    browser = signed_in(instance)
    page = browser.get("/operate/held")
    log = instance.settings.data / audit.FILE
    log.unlink()
    log.mkdir()
    assert browser.press(page, "/operate/held/xa/jobs/2", answer="release").status == 500
    assert instance.journal.alive("xa/jobs") == 40


def _change(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3].replace(b"who 3", b"who 9"), *lines[4:]]


def _change_and_seal(lines: list[bytes]) -> list[bytes]:
    body = lines[3].replace(b"who 3", b"who 9")[: -len(b',"hash":""}') - 64] + b"}"
    return [*lines[:3], body[:-1] + b',"hash":"' + sha256(body).hexdigest().encode() + b'"}', *lines[4:]]


TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "changed": (_change, "line 4 was changed"),
    "changed and sealed anew": (_change_and_seal, "line 5 does not follow line 4"),
    "the last one changed": (lambda x: [*x[:-1], x[-1].replace(b"who 7", b"who 9")], "line 8 was changed"),
    "taken out": (lambda x: x[:3] + x[4:], "line 4 does not follow line 3"),
    "the first taken out": (lambda x: x[1:], "line 1 does not follow"),
    "put in twice": (lambda x: [*x[:4], x[3], *x[4:]], "line 5 does not follow line 4"),
    "swapped": (lambda x: [*x[:3], x[4], x[3], *x[5:]], "line 4 does not follow line 3"),
    "written over": (lambda x: [*x[:3], b"nonsense", *x[4:]], "line 4 cannot be read"),
    "a member added": (lambda x: [*x[:3], x[3][:-1] + b',"x":1}', *x[4:]], "line 4 was changed"),
}


@pytest.mark.parametrize("fault", TAMPERED)
def test_a_log_somebody_has_touched_says_where(tmp_path: Path, fault: str) -> None:
    for n in range(8):
        audit.append(tmp_path, who=f"who {n}", what="release run", on='"xa/jobs" 7')
    assert audit.verify(tmp_path).lines == 8
    assert audit.verify(tmp_path).wrong == ""
    change, said = TAMPERED[fault]
    path = tmp_path / audit.FILE
    path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())) + b"\n")
    assert said in audit.verify(tmp_path).wrong
    audit.append(tmp_path, who="later", what="sign in")
    assert said in audit.verify(tmp_path).wrong


def test_the_page_says_that_the_log_was_touched(instance: Instance) -> None:
    browser = signed_in(instance)
    path = instance.settings.data / audit.FILE
    path.write_bytes(path.read_bytes().replace(b"127.0.0.1", b"127.0.0.9"))
    assert "The chain is broken." in browser.get("/operate/audit").text


def test_a_line_that_was_cut_by_a_crash_does_not_swallow_the_next(tmp_path: Path) -> None:
    audit.append(tmp_path, who="a", what="sign in")
    path = tmp_path / audit.FILE
    path.write_bytes(path.read_bytes() + b'{"at":"2026-')
    audit.append(tmp_path, who="b", what="sign in")
    assert [e.who for e in audit.entries(tmp_path)] == ["b", "a"]
    assert "line 2 cannot be read" in audit.verify(tmp_path).wrong


def test_many_writers_keep_one_chain(tmp_path: Path) -> None:
    def write(name: str) -> None:
        for n in range(20):
            audit.append(tmp_path, who=name, what="sign in", on=str(n))

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.verify(tmp_path).lines == 80
    assert audit.verify(tmp_path).wrong == ""
    assert stat.S_IMODE((tmp_path / audit.FILE).stat().st_mode) == 0o600


# signing in elsewhere


class Provider:
    """A small OpenID Connect provider on loopback; `spoil` changes what it issues."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.other = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
        self.spoil: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = self._signed
        self.roles: Any = ["operator"]
        self.codes: dict[str, dict[str, str]] = {}
        self.secrets: list[str] = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(provider.metadata() if "openid-configuration" in self.path else provider.keys())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.secrets.append(self.headers.get("Authorization", ""))
                self.answer(provider.redeem(dict(parse_qsl(body))))

            def answer(self, found: dict[str, Any] | None) -> None:
                body = json.dumps(found).encode()
                self.send_response(200 if found is not None else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def keys(self) -> dict[str, Any]:
        secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "three"}
        return {"keys": [self.other.as_dict(private=False), self.key.as_dict(private=False), secret]}

    def authorize(self, address: str) -> str:
        """Somebody agrees; returns the address that the browser is sent back to."""
        asked = {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"], asked["scope"]) == (
            "code",
            "landbridge",
            "openid",
        )
        assert asked["code_challenge_method"] == "S256"
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        assert asked["redirect_uri"] == "http://localhost/operate/back"
        return f"/operate/back?code={code}&state={asked['state']}"

    def redeem(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form["code"], None)
        challenge = (
            base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "person-7",
            "aud": "landbridge",
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "roles": self.roles,
        }
        self.spoil(claims)
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)}

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


@pytest.fixture(scope="module")
def _provider() -> Iterator[Provider]:
    found = Provider()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def provider(_provider: Provider) -> Provider:
    _provider.spoil, _provider.sign, _provider.roles = lambda claims: None, _provider._signed, ["operator"]
    return _provider


def _at(provider: Provider, instance: Instance, **env: str) -> Browser:
    return Browser(
        desk(
            instance,
            LANDBRIDGE_OIDC_ISSUER=provider.issuer,
            LANDBRIDGE_OIDC_CLIENT_ID="landbridge",
            LANDBRIDGE_OIDC_CLIENT_SECRET="s e+cret",
            **env,
        )
    )


def _back(browser: Browser, provider: Provider) -> str:
    sent = browser.get("/operate/oidc")
    assert sent.status == 303
    assert sent.headers["location"].startswith(provider.issuer + "/authorize?")
    return provider.authorize(sent.headers["location"])


def test_an_operator_signs_in_with_the_organisation(provider: Provider, instance: Instance) -> None:
    browser = _at(provider, instance)
    assert "/operate/oidc" in browser.get("/operate/login").text
    back = _back(browser, provider)
    assert "samesite=lax" in browser.set_cookies[0].lower()
    welcome = browser.get(back)
    assert welcome.status == 200, welcome.text
    assert 'content="0; url=/operate"' in welcome.text
    assert "samesite=strict" in browser.set_cookies[-1].lower()
    assert "operator-asked" not in browser.cookies
    page = browser.get("/operate")
    assert "person-7" in page.text
    assert provider.secrets[-1] == "Basic " + base64.b64encode(b"landbridge:s+e%2Bcret").decode()
    assert audit.entries(instance.settings.data)[0].who == "person-7"
    assert browser.get(back).status == 403  # the way back is good once


def test_a_viewer_looks_and_changes_nothing(provider: Provider, instance: Instance) -> None:
    send(instance, ROWS)
    send(instance, ROWS[:15])
    provider.roles = ["viewer", "something else"]
    browser = _at(provider, instance)
    browser.get(_back(browser, provider))
    page = browser.get("/operate/held")
    assert "Welder number 20" in page.text
    assert "Release" not in page.text.replace("Release would", "")
    form = re.findall(r'name="form" value="(\w+)"', page.text)[0]
    fields = {"form": form, "answer": "release", "count": "25"}
    assert browser.post("/operate/held/xa/jobs/2", fields).status == 403
    assert instance.journal.alive("xa/jobs") == 40


def test_roles_are_found_where_the_setting_says(provider: Provider, instance: Instance) -> None:
    provider.roles = []
    provider.spoil = lambda claims: claims.update(resource_access={"landbridge": {"roles": ["operator"]}})
    browser = _at(provider, instance, LANDBRIDGE_OIDC_ROLES="resource_access.landbridge.roles")
    assert browser.get(_back(browser, provider)).status == 200


@pytest.mark.parametrize("roles", [[], None, {}, 7, ["Operator"], ["operators"], "admin"])
def test_who_has_no_role_here_does_not_come_in(provider: Provider, instance: Instance, roles: Any) -> None:
    provider.roles = roles
    browser = _at(provider, instance)
    assert browser.get(_back(browser, provider)).status == 403
    assert browser.get("/operate").status == 303


def _unsigned(claims: dict[str, Any]) -> str:
    head, body = (
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
        for p in ({"alg": "none"}, claims)
    )
    return f"{head}.{body}."


def _signed_by_a_stranger(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048, {"kid": "one"}))


def _signed_with_the_public_key(claims: dict[str, Any]) -> str:
    from joserfc.jwk import OctKey

    return jwt.encode(
        {"alg": "HS256", "kid": "three"}, claims, OctKey.import_key({"kty": "oct", "k": "c2VjcmV0"})
    )


SPOILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "wrong nonce": lambda c: c.update(nonce="another"),
    "no nonce": lambda c: c.pop("nonce"),
    "wrong audience": lambda c: c.update(aud="another service"),
    "no audience": lambda c: c.pop("aud"),
    "several audiences and no azp": lambda c: c.update(aud=["landbridge", "another"]),
    "several audiences and another azp": lambda c: c.update(aud=["landbridge", "another"], azp="another"),
    "wrong issuer": lambda c: c.update(iss="https://another.example"),
    "expired": lambda c: c.update(exp=time.time() - 60),
    "no end": lambda c: c.pop("exp"),
    "an end that is no number": lambda c: c.update(exp=float("nan")),
    "an end that is true": lambda c: c.update(exp=True),
    "of the future": lambda c: c.update(iat=time.time() + 600),
    "not yet": lambda c: c.update(nbf=time.time() + 600),
    "nobody": lambda c: c.update(sub=""),
}
FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg none": _unsigned,
    "by a stranger": _signed_by_a_stranger,
    "a shared secret": _signed_with_the_public_key,
    "no token": lambda _: "",
    "nonsense": lambda _: "a.b.c",
    "cut": lambda c: _unsigned(c)[:20],
}


@pytest.mark.parametrize("fault", [*SPOILT, *FORGED])
def test_a_token_with_a_fault_is_refused(provider: Provider, instance: Instance, fault: str) -> None:
    if fault in SPOILT:
        provider.spoil = lambda claims: SPOILT[fault](claims) and None
    else:
        provider.sign = FORGED[fault]
    browser = _at(provider, instance)
    page = browser.get(_back(browser, provider))
    assert page.status == 403
    assert 'role="alert"' in page.text
    assert browser.get("/operate").status == 303
    assert audit.entries(instance.settings.data)[0].outcome.startswith("refused: ")


@pytest.mark.parametrize("fault", ["state", "code", "iss", "error", "no cookie", "other browser"])
def test_a_way_back_that_was_not_begun_here_is_refused(
    provider: Provider, instance: Instance, fault: str
) -> None:
    browser = _at(provider, instance)
    back = _back(browser, provider)
    query = dict(parse_qsl(urlsplit(back).query))
    if fault in ("state", "code", "iss"):
        query[fault] = "another"
    if fault == "error":
        query = {"error": "access_denied", "state": query["state"]}
    if fault == "no cookie":
        browser.cookies.clear()
    if fault == "other browser":
        browser = Browser(browser.app)
        _back(browser, provider)
    page = browser.get("/operate/back?" + "&".join(f"{k}={v}" for k, v in query.items()))
    assert page.status == 403
    assert browser.get("/operate").status == 303


def test_a_provider_that_is_another_or_not_there_is_explained(provider: Provider, instance: Instance) -> None:
    with pytest.raises(ConfigError, match="no https address"):
        desk(instance, LANDBRIDGE_OIDC_ISSUER="http://login.example", LANDBRIDGE_OIDC_CLIENT_ID="x")
    with pytest.raises(ConfigError, match="CLIENT_ID"):
        desk(instance, LANDBRIDGE_OIDC_ISSUER="https://login.example")
    nobody = Browser(
        desk(instance, LANDBRIDGE_OIDC_ISSUER="http://127.0.0.1:9", LANDBRIDGE_OIDC_CLIENT_ID="x")
    )
    page = nobody.get("/operate/oidc")
    assert page.status == 403
    assert "does not answer" in page.text
    assert Browser(desk(instance)).get("/operate/oidc").status == 404
