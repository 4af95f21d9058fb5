"""The pages work without JavaScript, say who answered, and let no text of a register become a command."""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from landbridge.instance import Instance
from landbridge.kinds.kind import LANGUAGES
from landbridge.portal import words
from tests.visits import Reply, Visitor, share, union, visitor

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "<iframe src=javascript:alert(1)></iframe>",
    '" autofocus onfocus=alert(1) x="',
    "{{ 7 * 7 }}{% include 'base.html' %}",
    "<a href='javascript:alert(1)'>click</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>@import 'http://evil.example'</style>",
    "\u202e<b>txet</b>",
]
BAD_LINKS = [
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example/x",
    "https://",
    "file:///etc/passwd",
    "http://[::1",
    "https://a.example/ onclick=alert(1)",
]


class Elements(HTMLParser):
    """The elements and attributes of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {k: v or "" for k, v in attrs}))

    def links(self) -> list[str]:
        return [a["href"] for t, a in self.found if t == "a" and "href" in a]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = union(
        tmp_path_factory.mktemp("union"), xa=("Altania", "en"), xb=("Berilia", "ru"), xc=("Corvia", "en")
    )
    share(found, "xa", {"id": "left", "title": "Baker"})
    share(
        found,
        "xa",
        {
            "id": "1",
            "title": "Welder",
            "employer": "Iron & Sons, Ltd",
            "town": "Almaty",
            "country": "Kazakhstan",
            "pay": "1200 EUR per month",
            "contract": "permanent",
            "text": "Weld pipes for a living.\nSecond line.",
            "date": "2026-03-01",
            "url": "https://jobs.example/1?a=1&b=2",
        },
        {"id": "2", "title": "Welder abroad", "contract": "seasonal"},
        *({"id": f"n{n}", "title": f"Welder number {n}", "employer": "Many Ltd"} for n in range(12)),
    )
    share(
        found,
        "xb",
        {
            "id": "1",
            "title": "Сварщик",
            "town": "Москва",
            "country": "Россия",
            "pay": "от 80 000 руб. в месяц",
        },
    )
    yield found
    found.close()


@pytest.fixture(scope="module")
def pages(instance: Instance) -> Visitor:
    return visitor(instance)


def link(page: Reply, text: str) -> str:
    """Where the link of this text leads."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>(?:<[^>]*>)*{re.escape(text)}', page.text)
    assert found, text
    return found[1].replace("&amp;", "&")


def titles(page: Reply) -> list[str]:
    found = re.findall(r"<li>\s*<h2><a [^>]*>(.*?)</a></h2>", page.text)
    return [re.sub("<.*?>", "", t) for t in found]


def test_every_page_allows_no_script_but_our_own_files(pages: Visitor) -> None:
    for path in ("/", "/find?q=welder", "/records/xa/jobs/1", "/members", "/nowhere", "/find?limit=x"):
        page = pages.get(path)
        policy = page.headers["content-security-policy"]
        assert policy.startswith(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'"
        )
        assert "unsafe" not in policy
        assert (page.headers["x-content-type-options"], page.headers["referrer-policy"]) == (
            "nosniff",
            "no-referrer",
        )
        elements = Elements(page.text).found
        assert not [t for t, a in elements if t in {"style", "iframe"} or "style" in a]
        scripts = [a for t, a in elements if t == "script" and a.get("type") != "application/ld+json"]
        assert all(a["src"].startswith("/static/") for a in scripts)
        assert elements[0] == ("html", {"lang": "en", "dir": "ltr"})
        assert [t for t, _ in elements].count("h1") == 1
        assert [t for t, _ in elements].count("main") == 1


def test_every_input_has_its_label(pages: Visitor) -> None:
    elements = Elements(pages.get("/").text).found
    labelled = {a["for"] for t, a in elements if t == "label" and "for" in a}
    visible = [
        a for t, a in elements if t in {"input", "select"} and a.get("type") not in {"hidden", "checkbox"}
    ]
    assert {a["id"] for a in visible} <= labelled


def test_the_form_sent_as_it_is_finds_everything(pages: Visitor) -> None:
    """A browser sends every empty field."""
    elements = Elements(pages.get("/").text).found
    fields = [
        a["name"] + "=" + a.get("value", "")
        for t, a in elements
        if t == "input" and a.get("type") != "checkbox"
    ]
    page = pages.get("/find?" + "&".join([*fields, "period=month", "since=", "sort="]))
    assert page.status == 200
    assert "15 found" in page.text


def test_an_answer_says_who_answered_how_old_and_how_much(pages: Visitor) -> None:
    page = pages.get("/find?q=welder")
    assert "15 found" in page.text
    assert "2 of 3 members answered; not all with all they have" in page.text
    rows = re.findall(
        r'<th scope="row"><a [^>]*><bdi>(.*?)</bdi></a></th><td>(.*?)</td><td>(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>',
        page.text,
    )
    by_member = {name: [re.sub("<.*?>", " ", cell).strip() for cell in cells] for name, *cells in rows}
    assert by_member["Altania"][0] == "answered"
    assert re.fullmatch(r"\d+ seconds? ago", by_member["Altania"][1])
    assert by_member["Altania"][2:] == ["14", "14 of unknown"]
    assert by_member["Berilia"][2:] == ["1", "1 of unknown"]  # a welder, in Russian
    assert by_member["Corvia"][:2] == ["never harvested", "never"]


def test_a_hit_shows_its_words_its_pay_and_where_it_is_from(pages: Visitor) -> None:
    page = pages.get("/find?q=сварщик")
    assert '<a href="/records/xb/jobs/1" lang="ru" dir="auto"><mark>Сварщик</mark></a>' in page.text
    assert "<bdi>от 80 000 руб. в месяц</bdi>" in page.text
    assert re.search(r"≈ from [\d,]+ EUR a month \(from [\d,]+ a year\)", page.text)
    assert "Berilia: vacancy bank" in page.text


def test_pay_is_shown_in_the_money_that_was_asked_for(pages: Visitor) -> None:
    page = pages.get("/find?q=pipes&currency=RUB")
    assert re.search(r"≈ [\d,]+ RUB a month", page.text)
    assert re.search(r"≈ [\d,]+ RUB a month", pages.get(link(page, "Welder")).text)


def test_a_facet_adds_a_filter_and_its_tag_removes_it(pages: Visitor) -> None:
    page = pages.get("/find?q=welder")
    assert re.search(r'no value <span class="count">13</span>', page.text)
    narrowed = pages.get(link(page, "Seasonal"))
    assert titles(narrowed) == ["Welder abroad"]
    assert parse_qs(urlsplit(link(narrowed, "Remove: ")).query) == {"q": ["welder"]}
    both = pages.get(link(narrowed, "Permanent"))
    assert sorted(titles(both)) == ["Welder", "Welder abroad"]
    assert titles(pages.get(link(both, "Permanent"))) == ["Welder abroad"]


def test_a_member_that_was_asked_is_called_by_its_name(pages: Visitor) -> None:
    page = pages.get("/find?in=xa,xb")
    assert "15 found" in page.text
    without = pages.get(link(page, "Remove: Member: Altania"))
    assert titles(without) == ["Сварщик"]


def test_an_employer_with_a_comma_in_its_name_is_one_filter(pages: Visitor) -> None:
    page = pages.get("/find?q=welder")
    narrowed = pages.get(link(page, "Iron &amp; Sons, Ltd"))
    assert titles(narrowed) == ["Welder"]


def test_records_that_do_not_say_are_counted_and_can_be_shown(pages: Visitor) -> None:
    page = pages.get("/find?q=welder&pay=1000")
    assert titles(page) == ["Welder"]
    assert "13 more do not say" in page.text
    with_them = pages.get(link(page, "Show them too"))
    assert "14 found" in with_them.text
    assert "Show them too" not in with_them.text


def test_the_next_page_goes_on_and_leads_back(pages: Visitor) -> None:
    first = pages.get("/find?q=welder")
    second = pages.get(link(first, "Next page"))
    assert len(titles(first)) == 10
    assert len(titles(second)) == 5
    assert titles(second)[-1] == "Сварщик"  # the same occupation comes after the words that were typed
    assert not {*titles(first)} & {*titles(second)}
    assert titles(pages.get(link(second, "First page"))) == titles(first)


def test_a_word_that_nobody_knows_is_corrected_and_said(pages: Visitor) -> None:
    page = pages.get("/find?q=weldar")
    assert "No register knows “weldar”. Searched for “welder” instead." in page.text


def test_an_occupation_is_found_in_other_languages_and_no_word_is_corrected(pages: Visitor) -> None:
    page = pages.get("/find?q=thợ+hàn&contract=permanent")  # no register here writes Vietnamese
    assert titles(page) == ["Welder"]
    assert titles(pages.get("/find?q=thợ+hàn&in=xb")) == ["Сварщик"]
    assert "No register knows" not in page.text
    assert "14 found" in pages.get("/find?q=welder&literal=1").text


def test_a_hit_shows_its_occupation_in_the_language_of_the_reader(pages: Visitor) -> None:
    for path, name in (("/find?q=welder&in=xb", "welder"), ("/ru/find?q=welder&in=xb", "сварщик")):
        assert re.search(rf">\s*{name}\b", pages.get(path).text)
    assert link(pages.get("/find?q=welder"), "welder").endswith("occupation=isco-08%3A7212")


def test_where_nothing_is_found_it_says_what_to_try(pages: Visitor) -> None:
    page = pages.get("/find?q=welder+astronaut&contract=seasonal")
    assert "Nothing found" in page.text
    assert link(page, "without Contract: Seasonal") == "/find?q=welder+astronaut"
    assert "fewer or other words" in page.text


def test_a_bad_question_gets_its_form_again_and_what_is_wrong(pages: Visitor) -> None:
    page = pages.get("/find?q=welder&pay=lots&in=xa")
    assert page.status == 400
    assert 'role="alert"' in page.text
    assert '<strong dir="auto">Pay at least</strong> <bdi>“lots”</bdi>' in page.text
    assert "Write a number, such as 1200." in page.text
    assert 'value="lots"' in page.text
    assert 'value="xa" checked' in page.text


def test_a_record_has_all_that_is_known_of_it(pages: Visitor) -> None:
    page = pages.get("/records/xa/jobs/1")
    assert page.status == 200
    for text in (
        "Iron &amp; Sons, Ltd",
        "Permanent",
        "Kazakhstan",
        "1200 EUR per month",
        "open data",
        "Mar 1, 2026",
    ):
        assert text in page.text, text
    assert "Weld pipes for a living.\nSecond line." in page.text
    assert 'href="https://jobs.example/1?a=1&amp;b=2" rel="nofollow noopener"' in page.text


def test_a_record_that_is_gone_says_what_was_there(pages: Visitor) -> None:
    page = pages.get("/records/xa/jobs/left")
    assert page.status == 410
    assert "Baker" in page.text
    assert "Gone since" in page.text


def test_the_members_page_lists_every_register(pages: Visitor) -> None:
    for name in ("Altania", "Berilia", "Corvia"):
        page = pages.get(link(pages.get("/members"), name))
        assert f"{name}: vacancy bank" in page.text
    assert "14 of unknown" in pages.get("/members/xa").text


def test_a_source_page_says_how_complete_it_is_and_how_its_last_runs_ended(pages: Visitor) -> None:
    page = pages.get(link(pages.get("/members/xa"), "Altania: vacancy bank"))
    assert "14 of unknown" in page.text
    assert re.search(r"<h2>Last runs</h2>.*complete", page.text, re.DOTALL)
    assert "It was never harvested." in pages.get("/members/xc/jobs").text
    assert pages.get("/members/xa/nothing").status == 404
    assert pages.get("/members/zz").status == 404


def test_a_page_speaks_the_language_of_its_address_then_of_the_cookie_then_of_the_browser(
    pages: Visitor,
) -> None:
    def language(path: str, **headers: str) -> str:
        page = pages.get(path, headers=headers)
        assert page.headers["content-language"] == Elements(page.text).found[0][1]["lang"]
        return page.headers["content-language"]

    assert language("/find?q=welder", **{"accept-language": "xx, kk;q=0.5, de;q=0.9"}) == "de"
    assert language("/find?q=welder", **{"accept-language": "de", "cookie": "language=th"}) == "th"
    assert language("/ar/find?q=welder", **{"accept-language": "de", "cookie": "language=th"}) == "ar"
    assert language("/", **{"accept-language": "tl-PH"}) == "fil"
    assert language("/", **{"accept-language": ";;q=x,\u202e"}) == "en"
    assert 'dir="rtl"' in pages.get("/ar/members").text
    assert "language=ar" in pages.get("/ar").headers["set-cookie"]
    assert pages.get("/xx/find?q=welder").status == 404


def test_every_page_names_itself_in_all_languages(pages: Visitor) -> None:
    elements = Elements(pages.get("/kk/find?q=welder").text).found
    named = {
        a["hreflang"]: a["href"]
        for t, a in elements
        if t == "link" and a.get("rel") == "alternate" and "hreflang" in a
    }
    assert set(named) == {*LANGUAGES, "x-default"}
    assert named["ar"].endswith("/ar/find?q=welder")
    assert named["x-default"].endswith("/find?q=welder")
    assert "/kk/" not in named["x-default"]


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/records/xa/jobs/0", 404), ("/find?in=zz", 404)]
)
def test_what_is_not_there_is_a_page_that_leads_on(pages: Visitor, path: str, status: int) -> None:
    page = pages.get(path)
    assert page.status == status
    assert page.headers["content-type"].startswith("text/html")
    assert "/" in [urlsplit(u).path for u in Elements(page.text).links()]


def test_the_style_sheet_is_there(pages: Visitor) -> None:
    links = Elements(pages.get("/").text).found
    (sheet,) = (a["href"] for t, a in links if t == "link" and a["rel"] == "stylesheet")
    reply = pages.get(sheet)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/css; charset=utf-8")


# hostile text


def hostile_rows(texts: Sequence[str]) -> list[dict[str, str]]:
    """An advertisement for each text, with the text in every field that takes one."""
    return [
        {
            "id": f"{n}",
            "title": f"Welder {text}",
            "employer": text,
            "town": text,
            "pay": f"{text} 1000 EUR per month",
            "text": f"{text} welder {text}",
            "job": text,
            "url": "https://jobs.example/1",
            "date": "2026-03-01",
        }
        for n, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    found = union(tmp_path_factory.mktemp("hostile"), xa=("<b>Alt</b>ania", "en"))
    share(found, "xa", *hostile_rows(HOSTILE))
    yield visitor(found)
    found.close()


def _is_tame(page: Reply) -> None:
    for tag, attributes in Elements(page.text).found:
        assert tag not in {"iframe", "style", "b", "object"}, page.text
        assert not [a for a in attributes if a.startswith("on") or a in {"style", "autofocus"}]
        assert attributes.get("src", "/static/").startswith("/static/")
        assert tag != "script" or attributes.get("src") or attributes["type"] == "application/ld+json"
        for name in ("href", "action"):
            assert (
                not attributes.get(name, "").lower().lstrip().startswith(("javascript", "data", "vbscript"))
            )
    assert "49" not in re.sub(r"\d{3,}|<time.*?</time>", "", page.text)


def test_hostile_text_of_a_register_reaches_no_page_as_html(hostile: Visitor) -> None:
    answer = hostile.get("/find?q=welder&limit=50")
    assert len(titles(answer)) == len(HOSTILE)
    _is_tame(answer)
    for path in [u for u in Elements(answer.text).links() if u.startswith(("/records", "/find"))]:
        page = hostile.get(path)
        assert page.status == 200, path
        _is_tame(page)
    _is_tame(hostile.get("/members"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_question_reaches_no_page_as_html(hostile: Visitor, text: str) -> None:
    for name in ("q", "in", "employer", "place", "pay", "kind", "cursor", "since", "sort", "unknown", text):
        _is_tame(hostile.get(f"/find?{quote(name)}={quote(text)}"))
        _is_tame(hostile.get(f"/?{quote(name)}={quote(text)}"))
    _is_tame(hostile.get(f"/records/{quote(text)}"))
    _is_tame(hostile.get(f"/{quote(text)}"))


@pytest.mark.parametrize("url", BAD_LINKS)
def test_only_an_address_of_the_web_becomes_a_link(url: str, tmp_path: Path) -> None:
    assert words.outside(url) == ""


def test_an_address_of_the_web_is_a_link() -> None:
    for url in ("https://jobs.example/1?a=1&b=2", "http://сайт.example/работа", "HTTPS://jobs.example"):
        assert words.outside(url) == url
