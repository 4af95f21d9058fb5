"""The map says by country what was found: readable on a telephone, by keyboard, without sight, without a border."""

import math
import re
import xml.etree.ElementTree as ET
from urllib.parse import urlencode

import pytest
from defusedxml.ElementTree import fromstring

from landbridge import codes
from landbridge.kinds.kind import LANGUAGES
from landbridge.portal import map as maps
from landbridge.portal.languages import reader
from landbridge.portal.map import MOST, WIDTH, centres, country_map, country_table

SVG = "{http://www.w3.org/2000/svg}"
ENGLISH = reader("en")
UNION = {"VN": 900, "TH": 800, "ID": 2500, "MY": 700, "SG": 4200, "PH": 600, "KH": 40, "LA": 12, "MM": 3}
NEAR = {"DE": 100, "FR": 90, "NL": 80, "BE": 70, "LU": 60, "CH": 50, "AT": 40, "CZ": 30, "PL": 20}
WORLD = {code: n % 97 + 1 for n, code in enumerate(sorted(codes.countries()))}
INVENTED = {"XA": 120, "XB": 900, "XC": 34, "XE": 12_000}
MANY = [UNION, NEAR, WORLD, INVENTED, {"RU": 1}, {"US": 4, "RU": 3, "NZ": 5, "FJ": 2}, {**NEAR, "XA": 7}]


def link(code: str) -> str:
    return f"/find?{urlencode({'q': 'a&b', 'country': code})}"


def drawn(counts: dict[str, int], language: str = "en") -> ET.Element:
    return fromstring(country_map(counts, reader(language), link))


def circles(root: ET.Element) -> dict[str, tuple[float, float, float]]:
    found = {}
    for one in root.findall(f"{SVG}a"):
        circle = one.find(f"{SVG}circle")
        assert circle is not None
        x, y, r = (float(circle.get(n, "nan")) for n in ("cx", "cy", "r"))
        found[re.search(r"country=(..)", one.get("href", ""))[1]] = (x, y, r)  # type: ignore[index]
    return found


def test_every_country_has_its_place() -> None:
    assert codes.countries() - centres().keys() == set()
    assert all(-90 <= lat <= 90 and -180 <= lon <= 180 for lat, lon in centres().values())


@pytest.mark.parametrize(
    ("code", "lat", "lon"),
    [
        ("KZ", (42, 52), (66, 78)),
        ("VN", (9, 22), (103, 109)),
        ("FJ", (-19, -16), (176, 180)),
        ("NO", (58, 65), (5, 14)),
    ],
)
def test_a_country_stands_where_it_is(code: str, lat: tuple[int, int], lon: tuple[int, int]) -> None:
    here = centres()[code]
    assert lat[0] <= here[0] <= lat[1]
    assert lon[0] <= here[1] <= lon[1]


@pytest.mark.parametrize("counts", MANY, ids=lambda c: "-".join([*c][:3]))
def test_no_circle_covers_another_or_leaves_the_picture(counts: dict[str, int]) -> None:
    root = drawn(counts)
    _, _, width, height = (float(n) for n in root.get("viewBox", "").split())
    found = circles(root)
    assert len(found) == min(len(counts), MOST)
    assert width == WIDTH
    assert height <= 600
    places = list(found.items())
    for n, (_, (x, y, r)) in enumerate(places):
        assert r >= 12, "a finger hits it"
        assert r <= x <= width - r
        assert r <= y <= height - r
        for other, (x2, y2, r2) in places[n + 1 :]:
            assert math.hypot(x - x2, y - y2) >= r + r2 - 0.5, other


def test_who_has_more_is_larger_and_the_north_is_above() -> None:
    found = circles(drawn({"NO": 10, "DE": 400, "IT": 100}))
    assert found["DE"][2] > found["IT"][2] > found["NO"][2]
    assert found["NO"][1] < found["DE"][1] < found["IT"][1]


def test_neighbours_over_the_date_line_stay_neighbours() -> None:
    found = circles(drawn({"FJ": 10, "WS": 10, "NZ": 10}))
    assert found["FJ"][0] < found["WS"][0]


def test_each_circle_is_a_link_with_words() -> None:
    root = drawn(UNION)
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    labels = [one.get("aria-label", "") for one in root.findall(f"{SVG}a")]
    assert labels[0] == "Singapore: 4,200 found"
    assert [one.findtext(f"{SVG}title") for one in root.findall(f"{SVG}a")] == labels
    assert root.find(f"{SVG}a").get("href") == "/find?q=a%26b&country=SG"  # type: ignore[union-attr]


@pytest.mark.parametrize("counts", MANY, ids=lambda c: "-".join([*c][:3]))
def test_it_needs_no_style_of_its_own_and_no_script(counts: dict[str, int]) -> None:
    for one in drawn(counts).iter():
        assert one.tag.removeprefix(SVG) in {"svg", "title", "desc", "path", "a", "circle", "text"}
        assert not {"style", "fill", "stroke"} & one.attrib.keys()
        assert not any(name.startswith("on") for name in one.attrib)


def test_names_and_addresses_cannot_break_out() -> None:
    text = country_map({'"><b>': 3, "KZ": 1}, ENGLISH, lambda code: f'/x?"><script>{code}')
    root = fromstring(text)
    assert "<script>" not in text
    assert "<b>" not in text
    assert len(root.findall(f"{SVG}a")) == 2
    assert "<b>" not in country_table({'"><b>': 3}, ENGLISH, link)


def test_the_table_says_the_same() -> None:
    root = fromstring(country_table({**UNION, "XA": 1, "KZ": 0}, ENGLISH, link))
    rows = [["".join(cell.itertext()) for cell in row] for row in root.findall("tbody/tr")]
    assert rows[0] == ["Singapore", "4,200"]
    assert len(rows) == len(UNION) + 1
    assert next(a.get("href") for a in root.iter("a")) == link("SG")


def test_nothing_found_is_no_map() -> None:
    assert country_map({}, ENGLISH, link) == ""
    assert country_map({"KZ": 0}, ENGLISH, link) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_reads_in_every_language(language: str) -> None:
    label = drawn({"KZ": 3_000}, language).find(f"{SVG}a").get("aria-label", "")  # type: ignore[union-attr]
    assert label.startswith(codes.country_name("KZ", language))


def test_the_same_counts_give_the_same_picture() -> None:
    assert country_map(UNION, ENGLISH, link) == country_map(dict(reversed(UNION.items())), ENGLISH, link)


def test_large_numbers_fit_into_a_circle() -> None:
    assert [maps._short(n) for n in (7, 950, 1_000, 9_960, 12_345, 3_000_000)] == [
        "7",
        "950",
        "1k",
        "10k",
        "12k",
        "3M",
    ]
