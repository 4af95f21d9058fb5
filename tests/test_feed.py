"""Another union follows our feed: it gets everything, learns what went, and nothing about a person leaves."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from aiohttp import web
from starlette.applications import Starlette

from landbridge import world
from landbridge.api import endpoints
from landbridge.config import Settings
from landbridge.errors import Refused
from landbridge.find.connect import Page, connect
from landbridge.find.connect.http import Client
from landbridge.find.harvest import Harvested, harvest, match_replay, replay_pages
from landbridge.find.journal.tables import records
from landbridge.find.read import Row
from landbridge.find.record import Record
from landbridge.find.source import Source, parse_source
from landbridge.instance import Instance
from landbridge.portal import events
from tests.registers import serving
from tests.visits import Visitor, ask, union

DOC = Path(__file__).resolve().parents[1] / "docs/how-to/follow-the-feed.md"
PEOPLE = """
title = "Altania: people who look for work"
kind = "candidate"
language = "en"
deletes = "tombstone"
[map]
id = "id"
title = "title"
"""


def over_http(app: Starlette, asked: list[str]) -> web.Application:
    """The application behind a real socket; notes what it was asked."""

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        reply = await ask(app, "GET", request.raw_path, request.headers)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    made = web.Application()
    made.router.add_get("/{anything:.*}", answer)
    return made


def bring(instance: Instance, source: Source, *rows: Mapping[str, Any], gone: tuple[str, ...] = ()) -> None:
    async def pages(_cursor: Any) -> AsyncIterator[Page]:
        read = [Row(raw=msgspec.json.encode(r), where=f"row {n}") for n, r in enumerate(rows)]
        yield Page(rows=read, gone=gone, cursor=1, last=True, complete=True)

    kind = instance.kinds[source.kind]
    done = asyncio.run(harvest(source, pages, journal=instance.journal, kind=kind))
    assert done.quarantined == 0, instance.journal.quarantined()


def advertisement(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"a/{n} ?#%",
        "title": f"Welder {n}",
        "employer": "Iron & Sons, Ltd",
        "town": "Almaty",
        "country": "Kazakhstan",
        "pay": "1000-1500 EUR per month",
        "contract": "permanent",
        "text": f"Weld pipe number {n}, for a living.",
        "date": "2026-03-01",
        "url": f"https://jobs.example/{n}",
        "job": "welder",
        **more,
    }


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Instance]:
    made = union(tmp_path / "ours", xa=("Altania", "en"), xb=("Berilia", "en"))
    people = tmp_path / "ours" / "members" / "xa" / "shares" / "people.toml"
    people.write_text(PEOPLE, "utf-8")
    bring(made, made.source("xa/jobs"), *(advertisement(n) for n in range(25)))
    bring(made, made.source("xb/jobs"), *(advertisement(n) for n in range(100, 110)))
    bring(made, made.source("xa/people"), {"id": "p1", "title": "CANARY seeks work"})
    yield made
    made.close()


@pytest.fixture
def app(ours: Instance) -> Starlette:
    return Starlette(routes=[*endpoints.routes(ours), *events.routes(ours)])


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Instance]:
    made = Instance(Settings(data=tmp_path / "theirs", journal=str(tmp_path / "theirs" / "journal.db")))
    yield made
    made.close()


def joining(instance: Instance, url: str) -> Source:
    """The source file of the documentation, at this address."""
    found = re.search(r"```toml\n(.*?)```", DOC.read_text("utf-8"), re.S)
    assert found is not None
    text = found[1].replace("https://union.example", url)
    return parse_source(text, instance.kinds, member="xu", name="vacancies")


def follow(app: Starlette, instance: Instance, *, stop_after: int = 0) -> tuple[Harvested, list[str]]:
    """One harvest of the feed, over HTTP; it breaks off after so many pages."""
    asked: list[str] = []

    async def telling() -> Harvested:
        async with serving(over_http(app, asked)) as url, Client(allow_private=True) as client:
            source = joining(instance, url)
            read = connect(source)

            async def pages(cursor: Any) -> AsyncIterator[Page]:
                if cursor and cursor.get("url"):  # the port is another each time
                    cursor = {**cursor, "url": re.sub(r"^http://[^/]*", url, cursor["url"])}
                count = 0
                async for page in read(source, client, cursor):
                    yield page
                    count += 1
                    if count == stop_after:
                        raise Refused(source.id, "the line broke")

            kind = instance.kinds[source.kind]
            return await harvest(source, pages, journal=instance.journal, kind=kind)

    done = asyncio.run(telling())
    assert instance.journal.quarantined() == []
    return done, asked


def values(instance: Instance, kind: str = "vacancy") -> dict[str, Any]:
    """What an instance's living records say, by their title."""
    return {
        r.values.title: (r.language, msgspec.to_builtins(r.values))
        for r in instance.journal.records(kind=kind)
    }


def test_another_union_has_the_same_records_and_learns_what_changed_and_went(
    ours: Instance, theirs: Instance, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PAGE", 10)
    done, _ = follow(app, theirs)
    assert (done.new, done.quarantined) == (35, 0), done.why
    assert values(theirs) == values(ours)
    quiet, asked = follow(app, theirs)
    assert (quiet.read, quiet.gone, len(asked)) == (0, 0, 1)
    kept = [advertisement(n) for n in range(2, 25)]
    bring(ours, ours.source("xa/jobs"), advertisement(1, title="Master welder"), *kept)
    done, asked = follow(app, theirs)
    assert (done.changed, done.gone) == (1, 1)
    assert len([one for one in asked if "/records/" in one]) == 1
    assert values(theirs) == values(ours)
    assert "Welder 0" not in values(theirs)


def test_a_follower_that_breaks_off_goes_on_at_its_page(
    ours: Instance, theirs: Instance, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PAGE", 10)
    done, first = follow(app, theirs, stop_after=2)
    assert (done.state, done.new) == ("interrupted", 20)
    bring(ours, ours.source("xb/jobs"), *(advertisement(n) for n in range(101, 110)))
    _, rest = follow(app, theirs)
    assert values(theirs) == values(ours)
    assert not set(first) & set(rest)


def test_nothing_about_a_person_leaves(app: Starlette) -> None:
    visit = Visitor(app)
    whole = b""
    url: str | None = "/feed"
    while url:
        page = visit.get(url)
        whole += page.body
        url = page.json["next_url"]
    assert b"Welder 24" in whole
    assert b"CANARY" not in whole
    assert b"people" not in whole
    refused = visit.get("/feed?kind=candidate")
    assert refused.status == 400
    assert "about people" in refused.json["detail"]


def test_an_event_of_a_withdrawn_record_says_only_that_it_went(ours: Instance, app: Starlette) -> None:
    kept = [advertisement(n) for n in range(1, 25)]
    last = Visitor(app).get("/feed?last=true").json
    assert last["items"] == []
    bring(ours, ours.source("xa/jobs"), *kept)
    (went,) = Visitor(app).get(last["feed_url"]).json["items"]
    assert went["_feed_entry"]["status"] == "INACTIVE"
    assert went["id"] == ours.source("xa/jobs").id + "/a%2F0%20%3F%23%25"
    assert "Welder" not in msgspec.json.encode(went).decode()
    assert Visitor(app).get(went["url"]).status == 410


def test_the_record_of_an_event_stands_at_its_address(app: Starlette) -> None:
    first = Visitor(app).get("/feed").json["items"][0]
    entry = first["_feed_entry"]
    assert (entry["status"], entry["title"]) == ("ACTIVE", "Welder 0")
    assert (entry["businessName"], entry["municipal"]) == ("Iron & Sons, Ltd", "Almaty")
    assert first["content_text"] == "Weld pipe number 0, for a living."
    assert Visitor(app).get(first["url"]).json["id"] == first["id"]


def test_a_page_that_is_known_is_not_sent_again_until_something_happens(
    ours: Instance, app: Starlette
) -> None:
    visit = Visitor(app)
    for path in ("/feed", "/feed?last=true"):
        tag = visit.get(path).headers["etag"]
        again = visit.get(path, {"If-None-Match": f'"other", W/{tag}'})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    newest = visit.get("/feed?last=true")
    tag, url = newest.headers["etag"], newest.json["feed_url"]
    bring(ours, ours.source("xb/jobs"), *(advertisement(n) for n in range(100, 111)))
    news = visit.get(url, {"If-None-Match": tag})
    assert news.status == 200
    assert len(news.json["items"]) == 1


def test_a_date_alone_will_do_once_its_second_has_settled(ours: Instance, app: Starlette) -> None:
    visit = Visitor(app)
    assert "last-modified" not in visit.get("/feed").headers
    with ours.journal.engine.begin() as db:
        db.execute(records.update().values(changed=1_700_000_000))
    since = visit.get("/feed").headers["last-modified"]
    assert since == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert visit.get("/feed", {"If-Modified-Since": since}).status == 304
    assert visit.get("/feed", {"If-Modified-Since": "Tue, 14 Nov 2023 22:13:19 GMT"}).status == 200
    assert visit.get("/feed", {"If-Modified-Since": "yesterday"}).status == 200


def test_the_feed_of_a_part_stays_within_it(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PAGE", 4)
    url: str | None = "/feed?kind=vacancy&in=xb"
    titles = []
    while url:
        page = Visitor(app).get(url).json
        titles += [one["title"] for one in page["items"]]
        url = page["next_url"]
    assert titles == [f"Welder {n}" for n in range(100, 110)]


def test_a_source_of_links_gives_no_text_and_a_live_one_nothing(ours: Instance, app: Starlette) -> None:
    for store, texts in (("link-only", []), ("live-only", None)):
        file = Path(str(ours.source("xb/jobs").folder)) / "jobs.toml"
        text = re.sub(r"^store = .*\n", "", file.read_text("utf-8"), flags=re.M)
        file.write_text(f'store = "{store}"\n{text}', "utf-8")
        ours.__dict__.pop("members")
        items = Visitor(app).get("/feed?in=xb").json["items"]
        assert [one["content_text"] for one in items if "content_text" in one] == []
        assert (items == []) == (texts is None)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/feed?after=soon", 400, "no number of an event"),
        ("/feed?after=-1", 400, "no number of an event"),
        ("/feed?after=99999999999999999999", 400, "no number of an event"),
        ("/feed?after=40", 400, "made anew"),
        ("/feed?after=1&after=2", 400, "given 2 times"),
        ("/feed?kind=castle", 400, "is no kind"),
        ("/feed?page=2", 400, "page is unknown"),
        ("/feed?last=perhaps", 400, "not true or false"),
        ("/feed?in=atlantis", 404, "no member"),
    ],
)
def test_what_cannot_be_understood_is_said(app: Starlette, path: str, status: int, words: str) -> None:
    answer = Visitor(app).get(path)
    assert answer.status == status
    assert words in answer.json["detail"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_any_web_page_may_read_it(app: Starlette) -> None:
    assert Visitor(app).get("/feed").headers["access-control-allow-origin"] == "*"
    asked = Visitor(app).ask("OPTIONS", "/feed")
    assert asked.status == 204
    assert "If-None-Match" in asked.headers["access-control-allow-headers"]


def test_the_description_names_every_parameter_and_every_field(ours: Instance, app: Starlette) -> None:
    told = events.paths(ours.kinds)["/feed"]["get"]
    by_name = {one["name"]: one for one in told["parameters"]}
    assert "candidate" not in by_name["kind"]["schema"]["enum"]
    for name in by_name:
        assert Visitor(app).get(f"/feed?{name}=").status == 200
    schema = told["responses"]["200"]["content"]["application/json"]["schema"]
    page = Visitor(app).get("/feed").json
    assert page.keys() <= schema["properties"].keys()
    item = schema["properties"]["items"]["items"]["properties"]
    assert all(one.keys() <= item.keys() for one in page["items"])


def test_a_whole_union_comes_over_value_for_value(tmp_path: Path, theirs: Instance) -> None:
    registers = Path(world.__file__).parent / "members"
    settings = Settings(data=tmp_path / "world", journal=str(tmp_path / "world" / "journal.db"))
    demo = Instance(settings, folders=[registers])
    for member in demo.members.values():
        for source in member.sources.values():
            found = match_replay(source, [f for f in registers.rglob("*") if f.is_file()])
            kind = demo.kinds[source.kind]
            read = replay_pages(source, found)
            asyncio.run(harvest(source, read, journal=demo.journal, kind=kind, recorded=True))
    made = Starlette(routes=[*endpoints.routes(demo), *events.routes(demo)])
    done, _ = follow(made, theirs)
    assert done.state == "complete"
    sent = {r.id: stated(r) for r in demo.journal.records(kind="vacancy")}
    assert len(sent) > 1_000
    assert {unquote(r.id.rpartition("/")[2]): stated(r) for r in theirs.journal.records()} == sent
    demo.close()


def stated(record: Record) -> Any:
    return record.language, msgspec.to_builtins(record.values)
