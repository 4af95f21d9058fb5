"""One question has one answer: on the command line, over HTTP, on the page, through the client, in a feed."""

import asyncio
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec
import pytest

from landbridge.app import make_app
from landbridge.cli import commands, parser
from landbridge.client import AsyncClient
from landbridge.config import read_settings
from landbridge.find.query import parse
from landbridge.instance import Instance
from landbridge.portal.feeds import MOST
from landbridge.portal.saved import save
from landbridge.world.draw import CLOCK
from tests.visits import Visitor, served

WORLD = Path(__file__).resolve().parents[1] / "src" / "landbridge" / "world" / "members"
QUERIES = 200


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("union")


@pytest.fixture(scope="module")
def instance(data: Path) -> Iterator[Instance]:
    found = Instance(read_settings({"LANDBRIDGE_DATA": str(data), "LANDBRIDGE_RATE": "0"}), folders=[WORLD])
    asyncio.run(found.harvest(replay=[WORLD], at=datetime.combine(CLOCK, datetime.min.time(), UTC)))
    yield found
    found.close()


@pytest.fixture(scope="module")
def questions(instance: Instance) -> list[dict[str, str]]:
    """Made of words of the union's own records, and of filters that some of them pass."""
    draw = random.Random(4)
    hits = [
        hit
        for kind in ("vacancy", "vacancy", "vacancy", "candidate")
        for offset in ("date", "relevance")
        for hit in instance.find(
            parse({"kind": [kind], "sort": [offset], "limit": ["100"]}, instance.kinds, rates=instance.rates)
        ).hits
    ]
    found = []
    while len(found) < QUERIES:
        hit = draw.choice(hits)
        record = msgspec.json.decode(hit.record)
        words = re.findall(r"\w+", "".join(text for text, _ in hit.title))
        question = {"q": " ".join(draw.sample(words, min(len(words), draw.choice((1, 1, 2)))))}
        if record["kind"] != "vacancy":
            question["kind"] = record["kind"]
        more = {
            "in": draw.choice(("xa", "xb,xc", hit.member)),
            "lang": hit.language,
            "sort": draw.choice(("date", "relevance")),
            "since": "2026-09-01",
            "pay": "500",
            "unknown": "pay,since",
            "currency": "USD",
        }
        if record["kind"] != "vacancy":
            more = {name: more[name] for name in ("in", "lang", "sort")}
        question |= dict(draw.sample(sorted(more.items()), draw.choice((0, 0, 1, 2))))
        found.append({**question, "limit": str(MOST)})
    return found


@pytest.fixture(scope="module")
def answers(instance: Instance, questions: list[dict[str, str]]) -> list[list[str]]:
    """By the engine itself."""
    return [
        [
            hit.id
            for hit in instance.find(
                parse({n: [v] for n, v in one.items()}, instance.kinds, rates=instance.rates)
            ).hits
        ]
        for one in questions
    ]


@pytest.fixture(scope="module")
def visitor(instance: Instance) -> Visitor:
    return Visitor(make_app(instance, demo=True))


def test_the_questions_are_worth_asking(questions: list[dict[str, str]], answers: list[list[str]]) -> None:
    assert len({tuple(sorted(one.items())) for one in questions}) > QUERIES / 2
    assert sum(map(bool, answers)) > QUERIES / 2
    assert len({tuple(one) for one in answers}) > QUERIES / 4


def test_over_http(visitor: Visitor, questions: list[dict[str, str]], answers: list[list[str]]) -> None:
    for question, ids in zip(questions, answers, strict=True):
        found = visitor.get(f"/api/v1/find?{urlencode(question)}").json
        assert [hit["id"] for hit in found["hits"]] == ids, question


def test_on_the_page(visitor: Visitor, questions: list[dict[str, str]], answers: list[list[str]]) -> None:
    for question, ids in zip(questions, answers, strict=True):
        page = visitor.get(f"/en/find?{urlencode(question)}").text
        links = re.findall(r'<h2><a href="/en/records/([^"?]*)', page)
        assert [unquote(unescape(link)) for link in links] == ids, question


def test_in_the_feed_of_a_saved_search(
    visitor: Visitor, questions: list[dict[str, str]], answers: list[list[str]]
) -> None:
    for question, ids in zip(questions, answers, strict=True):
        reply = visitor.get(f"/en/s/{save({n: [v] for n, v in question.items()})}.json")
        if question.get("kind") == "candidate":
            assert reply.status in {403, 404}
            continue
        found = [unquote(item["id"].partition("/records/")[2]) for item in reply.json["items"]]
        assert sorted(found) == sorted(ids), question


def test_on_the_command_line(
    instance: Instance,
    questions: list[dict[str, str]],
    answers: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(commands, "Instance", lambda _settings: instance)  # opened once, not each time
    monkeypatch.setattr(instance, "close", lambda: None)
    for question, ids in zip(questions, answers, strict=True):
        options = [f"--{name}={value}" for name, value in question.items() if name != "q"]
        commands.run(parser().parse_args(["find", "--json", *options, "--", question["q"]]))
        found: Any = msgspec.json.decode(capsys.readouterr().out)
        assert [hit["id"] for hit in found["hits"]] == ids, question


def test_through_the_client(
    data: Path, questions: list[dict[str, str]], answers: list[list[str]], tmp_path: Path
) -> None:
    settings = {"LANDBRIDGE_DATA": str(data), "LANDBRIDGE_MEMBERS": str(WORLD), "LANDBRIDGE_DEMO": "1"}

    async def ask(address: str) -> list[list[str]]:
        async with AsyncClient(address) as client:
            pages = [await client.find(**question) for question in questions]
            return [[hit.id for hit in page.hits] for page in pages]

    with served(tmp_path, "serve", LANDBRIDGE_RATE="0", **settings) as address:
        assert asyncio.run(ask(address)) == answers
