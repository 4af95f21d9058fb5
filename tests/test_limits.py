"""A visitor who asks too much waits; the others do not, and nobody's address is kept."""

import msgspec
import pytest
from starlette.applications import Starlette

from landbridge.api.limits import RateLimit, cost
from landbridge.app import make_app
from landbridge.config import Settings
from landbridge.instance import Instance
from tests.visits import Visitor, share, union


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    found = union(tmp_path_factory.mktemp("union"), xa=("Altania", "en"))
    share(found, "xa", {"id": "1", "title": "=Welder"}, {"id": "2", "title": "Welder, again"})
    settings: Settings = msgspec.structs.replace(found.settings, rate=1, burst=5)
    return Visitor(make_app(Instance(settings, folders=found.folders)))


def test_above_the_limit_an_answer_says_when_to_come_again(limited: Visitor) -> None:
    replies = [limited.get("/api/v1/find?q=welder") for _ in range(7)]
    assert [r.status for r in replies] == [200] * 5 + [429] * 2
    assert replies[0].headers["ratelimit-policy"] == '"cost";q=5;w=5'
    assert replies[0].headers["ratelimit"].startswith('"cost";r=4;')
    assert replies[5].json["status"] == 429
    assert 1 <= int(replies[5].headers["retry-after"]) <= 5
    page = limited.get("/kk/find?q=welder")
    assert page.status == 429
    assert page.headers["content-type"].startswith("text/html")
    assert limited.get("/static/landbridge.css").status == 200


def test_another_visitor_has_a_bucket_of_their_own(limited: Visitor) -> None:
    def ask(through: str) -> int:
        return limited.get("/api/v1/find?q=welder", {"x-forwarded-for": through}).status

    assert [ask("192.0.2.1") for _ in range(6)] == [200] * 5 + [429]
    assert ask("192.0.2.2, 127.0.0.1") == 200
    assert [ask(f"2001:db8::{n}") for n in range(6)] == [200] * 5 + [429]  # one network


def test_a_bucket_fills_again_and_what_is_dear_costs_more() -> None:
    now = [0.0]
    app = RateLimit(Starlette(), rate=2, burst=4, refuse=lambda s, w: None, clock=lambda: now[0])  # type: ignore[arg-type, return-value]
    assert app._rate == 2
    assert cost("/api/v1/export", b"") > cost("/api/v1/find", b"facets=country") > cost("/about", b"")
    assert cost("/ru/find", b"") == cost("/find", b"")
    assert cost("/static/icon.svg", b"") == 0


def test_an_export_gives_every_hit_and_no_formula(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = union(tmp_path_factory.mktemp("union"), xa=("Altania", "en"))
    share(found, "xa", *({"id": f"{n}", "title": f"=Welder {n}, «a»"} for n in range(250)))
    api = Visitor(make_app(found))
    lines = api.get("/api/v1/export?q=welder").text.splitlines()
    assert len({msgspec.json.decode(line)["id"] for line in lines}) == 250
    reply = api.get("/api/v1/export?q=welder&format=csv")
    assert reply.headers["landbridge-total"] == "250"
    assert reply.text.count("\r\n") == 251
    assert '"\'=Welder 3, «a»"' in reply.text
    assert api.get("/api/v1/export?kind=candidate").status == 400
    assert api.get("/api/v1/export?format=pdf").json["parameter"] == "format"
    found.close()


def test_an_answer_that_one_has_is_not_sent_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = union(tmp_path_factory.mktemp("union"), xa=("Altania", "en"))
    share(found, "xa", *({"id": f"{n}", "title": "Welder"} for n in range(12)))
    api = Visitor(make_app(found))
    first = api.get("/api/v1/find?q=welder")
    assert 'rel="next"' in first.headers["link"]
    again = api.get("/api/v1/find?q=welder", {"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert api.get("/api/v1/find?q=cook", {"if-none-match": first.headers["etag"]}).status == 200
    share(found, "xa", {"id": "new", "title": "Welder"})
    found._standing = (0.0, {})
    assert api.get("/api/v1/find?q=welder", {"if-none-match": first.headers["etag"]}).status == 200
    opened = api.get("/api/v1/members", {"origin": "https://elsewhere.example"})
    assert opened.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in api.get("/", {"origin": "https://elsewhere.example"}).headers
    found.close()
