"""What leaves for other programs is valid, is the same answer as everywhere, and tells nothing about people."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import feedparser
import icalendar
import msgspec
import pytest
from defusedxml.ElementTree import fromstring
from starlette.applications import Starlette

from landbridge.app import make_app
from landbridge.config import Settings
from landbridge.errors import NotFound
from landbridge.find.mapping import Mapper, read_row
from landbridge.find.query import parse
from landbridge.find.read import Format, read
from landbridge.find.record import Record
from landbridge.instance import Instance
from landbridge.kinds.kind import LANGUAGES, Kind, read_kinds
from landbridge.kinds.values import Concept, Money, Party, Place
from landbridge.members.member import SHIPPED, read_members
from landbridge.portal import feeds, linked, opensearch, saved, sitemap
from landbridge.portal.languages import reader
from landbridge.portal.outlets import Outlets, offers
from landbridge.portal.rendering import Site
from tests.visits import SOURCE, Visitor, share

BASE = "https://bridge.example"
KINDS = read_kinds()
VACANCY = KINDS["vacancy"]
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HOSTILE = 'Welder </script><script>alert(1)</script> & "co" <b>; x, y\\z \u2028 \u202etxet'
AWKWARD = 'Welder "co" & sons; x, y\\z, 3 < 4 \u2028 \u202etxet'
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
ROWS: list[dict[str, Any]] = [
    {
        "id": f"n{n}",
        "title": f"Welder number {n}",
        "employer": "Probe Ltd",
        "town": "Almaty",
        "country": "KZ",
        "pay": "1200 EUR per month",
        "date": f"2026-03-{n + 1:02d}",
        "until": f"2099-05-{n + 1:02d}",
        "text": "Welds.",
    }
    for n in range(25)
]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("union")
    text = SOURCE.format(name="Altania", language="en")
    text = text.replace('url = "url"', 'url = "url"\nexpires = "until"')
    for member, name in (("xa", "Altania"), ("xb", "Berilia")):
        shares = folder / "members" / member / "shares"
        shares.mkdir(parents=True)
        (shares.parent / "member.toml").write_text(f'name = "{name}"\ncountries = ["{member.upper()}"]\n')
        (shares / "jobs.toml").write_text(text)
    people = SOURCE.split("[map]")[0].format(name="Berilia", language="en").replace("vacancy", "candidate", 1)
    people = people.replace('kind = "vacancy"', 'kind = "candidate"')
    (folder / "members/xb/shares/people.toml").write_text(f'{people}[map]\nid = "id"\ntitle = "title"\n')
    settings = Settings(data=folder / "data", journal=str(folder / "data" / "journal.db"))
    found = Instance(settings, folders=[folder / "members"])
    share(found, "xa", *ROWS, {"id": "open", "title": "Welder without a closing date"})
    staying = [
        {
            "id": "ключ/1 & 2",
            "title": AWKWARD,
            "until": "2099-01-31",
            "url": "https://jobs.example/1?a=1&b=2",
        },
        {"id": "ru", "title": "Сварщик " * 12, "until": "2099-02-28"},
    ]
    share(found, "xb", *staying, {"id": "gone", "title": "Welder that goes"})
    share(found, "xb", *staying)
    yield found
    found.close()


@pytest.fixture(scope="module")
def pages(instance: Instance) -> Visitor:
    return Visitor(Starlette(routes=Outlets(instance, Site(instance)).routes()))


def made(instance: Instance, language: str = "en", **params: str) -> feeds.Feed:
    asked = {"q": ["welder"], "sort": ["date"], **{n: [v] for n, v in params.items()}}
    query = parse({**asked, "limit": [str(feeds.MOST)]}, instance.kinds, rates=instance.rates)
    kind = instance.kinds[query.kind]
    return feeds.Feed(
        token=saved.save(asked),
        title=feeds.title(asked, kind, reader(language)),
        base=BASE,
        kind=kind,
        result=instance.find(query, snippets=False),
        reader=reader(language),
    )


def ids(instance: Instance, **params: str) -> list[str]:
    asked = {"q": ["welder"], "sort": ["date"], "limit": ["50"], **{n: [v] for n, v in params.items()}}
    return [h.id for h in instance.find(parse(asked, instance.kinds, rates=instance.rates)).hits]


# feeds


def test_atom_is_what_the_standard_asks(instance: Instance) -> None:
    root = fromstring(feeds.atom(made(instance)))
    assert root.tag == f"{ATOM}feed"
    for one in [root, *root.findall(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            assert len(one.findall(ATOM + name)) == 1, name
        assert re.match(r"https://", one.findtext(f"{ATOM}id", ""))
        assert RFC_3339.fullmatch(one.findtext(f"{ATOM}updated", ""))
        assert all(a.findtext(f"{ATOM}name") for a in one.findall(f"{ATOM}author"))
        assert one.find(f"{ATOM}author") is not None
        links = [(e.get("rel"), e.get("type"), e.get("hreflang")) for e in one.findall(f"{ATOM}link")]
        assert len(set(links)) == len(links), "one alternate a type and language"
        assert any(rel == "alternate" for rel, _, _ in links)
    assert [e.get("href") for e in root.findall(f"{ATOM}link[@rel='self']")] == [made(instance).link("atom")]
    entries = [e.findtext(f"{ATOM}id") for e in root.findall(f"{ATOM}entry")]
    assert len(set(entries)) == len(entries) == 28  # all who weld, also in Russian
    newest = max(e.findtext(f"{ATOM}updated", "") for e in root.findall(f"{ATOM}entry"))
    assert root.findtext(f"{ATOM}updated") == newest


def test_a_feed_reader_reads_it(instance: Instance) -> None:
    read_ = feedparser.parse(feeds.atom(made(instance)))
    assert not read_.bozo
    assert read_.feed.title == "Vacancies: welder"
    entry = next(e for e in read_.entries if e.title == "Welder number 3")
    assert entry.link == f"{BASE}/records/xa/jobs/n3"
    assert "Probe Ltd" in entry.summary
    assert entry.title_detail.language == "en"


def test_every_form_has_the_hits_of_the_answer_in_its_order(instance: Instance) -> None:
    feed = made(instance)
    root = fromstring(feeds.atom(feed))
    atom = [e.findtext(f"{ATOM}id", "") for e in root.findall(f"{ATOM}entry")]
    assert [unquote(a) for a in atom] == [f"{BASE}/records/{i}" for i in ids(instance)]
    assert atom == [i["id"] for i in json.loads(feeds.json_feed(feed))["items"]]
    events = icalendar.Calendar.from_ical(feeds.calendar(feed)).walk("VEVENT")
    links = [str(e["url"]) for e in events]
    assert links == [a for a in atom if a in links]
    other = json.loads(feeds.json_feed(made(instance, sort="relevance")))["items"]
    assert [unquote(i["id"]) for i in other] == [
        f"{BASE}/records/{i}" for i in ids(instance, sort="relevance")
    ]


def test_json_feed_has_its_required_members(instance: Instance) -> None:
    feed = made(instance)
    found = json.loads(feeds.json_feed(feed))
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert found["title"]
    assert found["feed_url"] == feed.link("json")
    assert found["home_page_url"] == feed.link()
    for item in found["items"]:
        assert isinstance(item["id"], str)
        assert item["content_text"]
        assert RFC_3339.fullmatch(item["date_modified"])
        assert all(isinstance(a["name"], str) for a in item["authors"])
    awkward = next(i for i in found["items"] if "sons" in i["title"])
    assert awkward["external_url"] == "https://jobs.example/1?a=1&b=2"
    assert "\u202e" not in awkward["title"]


def test_the_calendar_is_one_and_holds_the_closing_dates(instance: Instance) -> None:
    body = feeds.calendar(made(instance))
    calendar = icalendar.Calendar.from_ical(body)
    assert calendar["version"] == "2.0"
    events = list(calendar.walk("VEVENT"))
    assert len(events) == 27, "all that have a closing date"
    by_link = {str(e["url"]): e for e in events}
    one = by_link[f"{BASE}/records/xa/jobs/n3"]
    assert one["dtstart"].dt == date(2099, 5, 4)
    assert type(one["dtstart"].dt) is date
    assert one["dtstamp"].dt.tzinfo is not None
    assert "Welder number 3" in str(one["summary"])
    awkward = next(str(e["summary"]) for e in events if "sons" in str(e["summary"]))
    assert awkward.endswith('Welder "co" & sons; x, y\\z, 3 < 4 txet'), "escapes come back as they were"
    assert len({str(e["uid"]) for e in events}) == 27
    assert body == feeds.calendar(made(instance)), "the same UIDs and stamps every time"


def test_lines_of_the_calendar_are_folded_between_characters(instance: Instance) -> None:
    body = feeds.calendar(made(instance, q="сварщик"))
    assert "Сварщик".encode() in body
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert all(line.decode() is not None for line in lines)
    events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    event = next(e for e in events if str(e["url"]) == f"{BASE}/records/xb/jobs/ru")
    assert str(event["summary"]).endswith(" ".join(["Сварщик"] * 12))


def test_what_a_feed_says_of_itself_is_in_the_readers_language(instance: Instance) -> None:
    feed = made(instance, "ru", country="KZ", contract="permanent")
    assert feed.title == "Вакансии: welder, Казахстан, Бессрочный"
    assert json.loads(feeds.json_feed(feed))["language"] == "ru"
    assert b'hreflang="ru"' in feeds.atom(feed)
    assert made(instance, "ru", literal="1").title == "Вакансии: welder"  # how it is sought is not what


def test_a_feed_has_what_its_question_means_in_every_language(instance: Instance) -> None:
    english, russian, literal = (
        {i["id"] for i in json.loads(feeds.json_feed(made(instance, **asked)))["items"]}
        for asked in ({}, {"q": "сварщик"}, {"literal": "1"})
    )
    assert english == literal | {f"{BASE}/records/xb/jobs/ru"}
    assert {f"{BASE}/records/xb/jobs/ru", f"{BASE}/records/xa/jobs/n3"} <= russian
    assert len(literal) == 27


def test_a_feed_without_hits_is_one(instance: Instance) -> None:
    feed = made(instance, q="nobodyadvertisesthis")
    assert not feedparser.parse(feeds.atom(feed)).bozo
    assert json.loads(feeds.json_feed(feed))["items"] == []
    assert list(icalendar.Calendar.from_ical(feeds.calendar(feed)).walk("VEVENT")) == []


@pytest.mark.parametrize("form", [feeds.atom, feeds.json_feed, feeds.calendar])
def test_no_feed_of_people(instance: Instance, form: Any) -> None:
    with pytest.raises(NotFound, match="about people"):
        form(made(instance, kind="candidate"))


# over HTTP


def test_a_feed_is_asked_again_only_when_it_changed(pages: Visitor) -> None:
    token = saved.save({"q": ["welder"], "sort": ["date"]})
    for form, type_ in feeds.TYPES.items():
        first = pages.get(f"/s/{token}.{form}")
        assert first.status == 200, first.text
        assert first.headers["content-type"] == type_
        assert first.headers["etag"] == pages.get(f"/s/{token}.{form}").headers["etag"]
        assert feeds.unchanged(f'"other", W/{first.headers["etag"]}', first.headers["etag"])
        assert not feeds.unchanged('"other"', first.headers["etag"])


def test_a_feed_in_a_language_leads_to_pages_in_it(pages: Visitor) -> None:
    token = saved.save({"q": ["welder"], "sort": ["date"]})
    found = pages.get(f"/ru/s/{token}.json").json
    plain = pages.get(f"/s/{token}.json").json
    assert found["title"] == "Вакансии: welder"
    assert found["items"][0]["url"].startswith("http://localhost/ru/records/")
    assert [i["id"] for i in found["items"]] == [i["id"] for i in plain["items"]]


@pytest.mark.parametrize("path", ["/s/x.atom", "/s/AAwBa5WX.atom", "/s/AAwBa5WE.rss", "/s/%00.ics", "/s/x"])
def test_a_broken_address_of_a_feed_is_not_found(pages: Visitor, path: str) -> None:
    assert pages.get(path).status == 404


def test_a_saved_question_that_is_not_understood_says_why(pages: Visitor) -> None:
    token = saved.save({"q": ["welder"], "nonsense": ["1"]})
    assert pages.get(f"/s/{token}.atom").status == 400


def test_people_can_be_found_again_but_not_followed(pages: Visitor) -> None:
    token = saved.save({"q": ["welder"], "kind": ["candidate"]})
    assert pages.get(f"/s/{token}.atom").status == 404
    assert offers({"kind": ["candidate"]}, KINDS["candidate"], reader("en"), "")[1] == []
    link, forms = offers({"q": ["welder"]}, VACANCY, reader("en"), "/kk")
    assert link.startswith("/kk/s/")
    assert [type_ for type_, _, _ in forms] == [
        "application/atom+xml",
        "application/feed+json",
        "text/calendar",
    ]


# schema.org


def record(kind: Kind = VACANCY, **values: Any) -> Record:
    return Record(
        id="xa/jobs/1",
        kind=kind.name,
        member="xa",
        source="xa/jobs",
        language="en",
        values=kind.struct(**values),
        changed=datetime(2026, 3, 1, tzinfo=UTC),
    )


FULL = {
    "title": "Welder",
    "employer": Party("Probe Ltd & Co", "123", "https://probe.example"),
    "places": (Place("Almaty", "KZ", "", "Almaty", lat=43.25, lon=76.95),),
    "pay": Money("1200-1500 EUR a month", 1200.0, 1500.0, "EUR", "month"),
    "contract": ("fixed-term",),
    "hours": ("full-time",),
    "description": "Welds pipes & more.\nSecond line.",
    "openings": 3,
    "published": "2026-03-01",
    "expires": "2099-04-01",
    "skills": (Concept("TIG"), Concept("MIG")),
    "url": "https://jobs.example/1",
}


def posting(**values: Any) -> dict[str, Any]:
    found = linked.job_posting(record(**values), VACANCY, base=BASE, path="/records/xa/jobs/1")
    assert found is not None
    return found


def page(posting: dict[str, Any]) -> bytes:
    return f'<script type="application/ld+json">{linked.block(posting)}</script>'.encode()


def read_back(data: bytes) -> Any:
    source = read_members([SHIPPED], KINDS)["boards"].sources["pages"]
    rows = [row.value for row in read(data, "page.html", Format(kind="json-ld"))]
    assert len(rows) == 1
    return read_row(Mapper(source, VACANCY), rows[0], at=datetime(2026, 11, 1, tzinfo=UTC))


def test_our_own_connector_reads_the_page_back() -> None:
    back = read_back(page(posting(**FULL)))
    values = back.values
    assert back.language == "en"
    assert values.title == "Welder"
    assert values.employer.name == "Probe Ltd & Co"
    assert [(p.country, p.city) for p in values.places] == [("KZ", "Almaty")]
    assert (values.pay.low, values.pay.high, values.pay.currency, values.pay.period) == (
        1200,
        1500,
        "EUR",
        "month",
    )
    assert values.published[:10] == "2026-03-01"
    assert values.expires[:10] == "2099-04-01"
    assert values.hours == ("full-time",)
    assert values.openings == 3
    assert values.description.splitlines() == ["Welds pipes & more.", "Second line."]
    assert [c.text for c in values.skills] == ["TIG", "MIG"]
    assert values.url == "https://jobs.example/1"


def test_no_text_of_a_register_ends_the_block() -> None:
    data = page(posting(title=HOSTILE, description="</script><!--<script>"))

    seen: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            seen.append(tag)

    parser = Tags()
    parser.feed(data.decode())
    assert seen == ["script"]
    assert data.count(b"<") == 2
    assert msgspec.json.decode(data[35:-9])["title"] == HOSTILE


@pytest.mark.parametrize(
    "money",
    [
        Money("1200", 1200.0, 1200.0, "", "month"),
        Money("1200 EUR", 1200.0, 1200.0, "EUR", ""),
        Money("by agreement", None, None, "EUR", "month"),
        Money("10 a piece", 10.0, 10.0, "EUR", "piece"),
    ],
    ids=lambda money: money.text,
)
def test_pay_is_never_guessed(money: Money) -> None:
    assert "baseSalary" not in posting(title="Welder", pay=money)


def test_a_bound_that_is_not_known_is_not_there() -> None:
    found = posting(title="Welder", pay=Money("from 10", 10.0, None, "USD", "hour"))["baseSalary"]
    assert found["value"] == {"@type": "QuantitativeValue", "unitText": "HOUR", "minValue": 10.0}


def test_work_from_home_says_where_from() -> None:
    found = posting(title="Tester", remote=("remote",), places=(Place(country="KZ"), Place(country="VN")))
    assert found["jobLocationType"] == "TELECOMMUTE"
    assert [c["name"] for c in found["applicantLocationRequirements"]] == ["KZ", "VN"]
    assert "jobLocationType" not in posting(title="Tester", remote=("hybrid",))


def test_every_word_for_contract_and_hours_is_a_word_of_ours() -> None:
    ours = {*VACANCY.fields["contract"].values, *VACANCY.fields["hours"].values}
    assert set(linked._EMPLOYMENT) <= ours
    assert (
        posting(title="Welder", hours=("full-time",), contract=("permanent",))["employmentType"]
        == "FULL_TIME"
    )
    assert "employmentType" not in posting(title="Welder", contract=("permanent",))


def test_only_living_vacancies_are_job_postings() -> None:
    gone = msgspec.structs.replace(record(title="Welder"), gone=datetime(2026, 1, 1, tzinfo=UTC))
    assert linked.job_posting(gone, VACANCY, base=BASE, path="/x") is None
    person = record(KINDS["candidate"], **{KINDS["candidate"].title: "Welder"})
    assert linked.job_posting(person, KINDS["candidate"], base=BASE, path="/x") is None


# site map


def test_the_site_map_has_every_living_record_about_things(instance: Instance) -> None:
    root = fromstring(sitemap.site_index(instance, BASE))
    assert root.tag == f"{MAP}sitemapindex"
    assert {e.tag for e in root} == {f"{MAP}sitemap"}
    found = [e.findtext(f"{MAP}loc", "") for e in root]
    assert found == [f"{BASE}/sitemaps/xa/jobs/1.xml", f"{BASE}/sitemaps/xb/jobs/1.xml"]
    addresses = []
    for source in ("xa/jobs", "xb/jobs"):
        page_ = fromstring(b"".join(sitemap.site_page(instance, BASE, source, 1)))
        assert page_.tag == f"{MAP}urlset"
        for url in page_:
            assert [e.tag for e in url] == [f"{MAP}loc", f"{MAP}lastmod"]
            address, when = (e.text or "" for e in url)
            assert 12 <= len(address) <= 2048
            assert re.fullmatch(r"[!-~]+", address)
            assert RFC_3339.fullmatch(when)
            addresses.append(address)
    living = [r.id for r in instance.journal.records(kind="vacancy")]
    assert len(addresses) == len(set(addresses)) == len(living) == 28
    assert not any("gone" in a for a in addresses)


def test_a_long_source_has_several_pages(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MOST", 10)
    pages = [b"".join(sitemap.site_page(instance, BASE, "xa/jobs", n)) for n in (1, 2, 3)]
    assert [p.count(b"<url>") for p in pages] == [10, 10, 6]
    assert sitemap.site_index(instance, BASE).count(b"xa/jobs") == 3
    assert len(set(re.findall(rb"<loc>[^<]+", b"".join(pages)))) == 26


@pytest.mark.parametrize(
    ("source", "number"), [("xa/jobs", 0), ("xa/jobs", 2), ("xa/none", 1), ("xb/people", 1), ("", 1)]
)
def test_there_is_no_other_page(instance: Instance, source: str, number: int) -> None:
    with pytest.raises(NotFound):
        sitemap.site_page(instance, BASE, source, number)


def test_crawlers_find_the_site_map(pages: Visitor) -> None:
    robots = pages.get("/robots.txt")
    assert "Sitemap: http://localhost/sitemap.xml" in robots.text
    assert "Disallow: /records" not in robots.text
    index = pages.get("/sitemap.xml")
    assert index.status == 200
    reply = pages.get("/sitemaps/xa/jobs/1.xml")
    assert reply.headers["content-type"] == sitemap.TYPE
    assert reply.body.count(b"<url>") == 26
    assert pages.get("/sitemaps/xa/jobs/7.xml").status == 404


# a browser's search engine


@pytest.mark.parametrize("language", LANGUAGES)
def test_browsers_can_add_the_search(language: str) -> None:
    root = fromstring(opensearch.description(BASE, reader(language)))
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert root.tag == f"{space}OpenSearchDescription"
    assert 0 < len(root.findtext(f"{space}ShortName", "")) <= 16
    assert 0 < len(root.findtext(f"{space}Description", "")) <= 1024
    urls = {u.get("type"): u.get("template", "") for u in root.findall(f"{space}Url")}
    assert {"text/html", "application/json", "application/x-suggestions+json"} <= urls.keys()
    assert urls["text/html"] == f"{BASE}/{language}/find?q={{searchTerms}}"
    assert root.findtext(f"{space}Language") == language


def test_suggestions_are_as_browsers_take_them() -> None:
    body = opensearch.suggestions('we"l', ["welder", "welding", "welder"])
    assert json.loads(body) == ['we"l', ["welder", "welding"]]


# the cookie


def test_a_search_is_kept_on_the_device_and_shown_there(instance: Instance) -> None:
    app = Starlette(routes=Outlets(instance, Site(instance)).routes())
    token = saved.save({"q": ["welder"], "sort": ["date"]})
    status, headers = post(app, "/saved", {"token": token, "do": "keep"})
    assert (status, headers["location"]) == (303, "/saved")
    assert headers["set-cookie"].startswith(f"{saved.COOKIE}={token};")
    assert "httponly" in headers["set-cookie"].lower()
    assert post(app, "/saved", {"token": "x", "do": "keep"})[0] == 404
    assert post(app, "/saved", {"token": token, "do": "burn"})[0] == 400
    assert post(app, "/saved", {"token": token * 2_000, "do": "keep"})[0] == 400


def test_the_page_of_a_saved_search_leads_to_its_answer_and_feeds(instance: Instance) -> None:
    app = make_app(instance)
    token = saved.save({"q": ["welder"], "in": ["xa"], "sort": ["date"]})
    status, _, body = ask(app, "GET", f"/ru/s/{token}")
    assert status == 200
    links = re.findall(r'href="([^"]+)"', body.decode())
    assert {f"/ru/s/{token}.{form}" for form in feeds.TYPES} <= set(links)
    run = next(unescape(one) for one in links if one.startswith("/ru/find?"))
    assert parse_qs(run.partition("?")[2]) == {"q": ["welder"], "in": ["xa"], "sort": ["date"]}
    status, _, body = ask(app, "GET", "/saved", cookie=f"{saved.COOKIE}={token}")
    assert f"/s/{token}" in body.decode()


def test_an_answer_offers_its_feeds(instance: Instance) -> None:
    app = make_app(instance)
    _, _, body = ask(app, "GET", "/find?q=welder")
    found = re.findall(r'<link rel="alternate" type="([^"]+)" title="[^"]*" href="([^"]+)"', body.decode())
    assert [type_ for type_, _ in found] == ["application/atom+xml", "application/feed+json", "text/calendar"]
    assert all(ask(app, "GET", link)[0] == 200 for _, link in found)


def test_a_feed_that_is_known_is_not_sent_again(instance: Instance) -> None:
    app = make_app(instance)
    path = f"/s/{saved.save({'q': ['welder'], 'sort': ['date']})}.atom"
    _, headers, body = ask(app, "GET", path)
    status, again, nothing = ask(app, "GET", path, if_none_match=f'"x", {headers["etag"]}')
    assert (status, nothing) == (304, b"")
    assert again["etag"] == headers["etag"]
    assert ask(app, "GET", path, if_none_match='"x"')[2] == body


def post(app: Starlette, path: str, form: dict[str, str]) -> tuple[int, dict[str, str]]:
    status, headers, _ = ask(app, "POST", path, urlencode(form).encode())
    return status, headers


def ask(
    app: Starlette, method: str, path: str, body: bytes = b"", **more: str
) -> tuple[int, dict[str, str], bytes]:
    where, _, query = path.partition("?")
    given = {"host": "localhost", **{n.replace("_", "-"): v for n, v in more.items()}}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": where,
        "raw_path": where.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [(n.encode(), v.encode()) for n, v in given.items()],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:])
