"""A visitor who asks too much waits; the others do not, and nobody's address is kept."""

from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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


def bucket(now: list[float], **how: Any) -> Visitor:
    async def answer(_: Request) -> Response:
        return Response("here")

    refused = RateLimit(
        Starlette(routes=[Route("/{path:path}", answer)]),
        refuse=lambda _scope, _wait: Response(status_code=429),
        clock=lambda: now[0],
        **how,
    )
    return Visitor(refused)


def test_a_bucket_fills_again_as_fast_as_it_is_said() -> None:
    now = [0.0]
    visitor = bucket(now, rate=2, burst=4)
    assert [visitor.get("/about").status for _ in range(5)] == [200] * 4 + [429]
    now[0] = 0.4
    assert visitor.get("/about").status == 429
    now[0] = 0.6
    assert [visitor.get("/about").status for _ in range(2)] == [200, 429]
    now[0] = 1_000.0  # and no fuller than it was
    assert [visitor.get("/about").status for _ in range(5)] == [200] * 4 + [429]


def test_who_waits_as_long_as_the_answer_says_is_let_in() -> None:
    now = [0.0]
    visitor = bucket(now, rate=3, burst=60)
    assert [visitor.get("/api/v1/export").status for _ in range(2)] == [200, 429]
    now[0] += int(visitor.get("/api/v1/export").headers["retry-after"])
    assert visitor.get("/api/v1/export").status == 200


def test_what_costs_more_than_a_bucket_holds_is_paid_for_afterwards() -> None:
    now = [0.0]
    visitor = bucket(now, rate=1, burst=10)
    assert visitor.get("/api/v1/export").status == 200
    now[0] = 30.0
    assert visitor.get("/about").status == 429
    now[0] = 41.0
    assert visitor.get("/about").status == 200


def test_without_a_rate_nobody_waits_and_nothing_is_said() -> None:
    visitor = bucket([0.0], rate=0, burst=1)
    replies = [visitor.get("/about") for _ in range(5)]
    assert {r.status for r in replies} == {200}
    assert "ratelimit" not in replies[0].headers


def test_the_table_of_visitors_has_an_end_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.api.limits.MOST", 10)
    visitor = bucket([0.0], rate=1, burst=5)
    for n in range(50):
        visitor.get("/about", {"x-forwarded-for": f"192.0.2.{n}"})
    limit: Any = visitor.app
    assert len(limit._left) <= 10
    assert not any(b"192" in name for name in limit._left)


def test_what_is_dear_costs_more() -> None:
    assert cost("/api/v1/export", b"") > cost("/api/v1/find", b"facets=country") > cost("/about", b"")
    assert cost("/api/v1/suggest", b"q=we") < cost("/about", b"")
    assert cost("/ru/find", b"") == cost("/find", b"")
    assert cost("/static/icon.svg", b"") == 0


def test_an_address_that_was_made_up_before_a_proxy_does_not_count() -> None:
    visitor = bucket([0.0], rate=1, burst=5, proxies=("127.0.0.1",))
    made_up = [
        visitor.get("/about", {"x-forwarded-for": f"198.51.100.{n}, 192.0.2.7"}).status for n in range(6)
    ]
    assert made_up == [200] * 5 + [429]
