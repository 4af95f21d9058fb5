"""Results by country as a picture that the server draws: a circle a country, no border drawn anywhere.

Circles stand at the middle of where a country's people live, and move apart until none covers another (D. Dorling,
"Area cartograms", 1996): on a telephone each can be read and hit. The picture takes colours from the style sheet's
classes alone, for the pages allow no style of their own; the table beside it says the same in words.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from typing import Final, Protocol

import numpy as np
from markupsafe import Markup

from landbridge.find.towns import COLUMNS, cache_folder, read_table

WIDTH: Final = 360.0  # units; a narrow telephone's pixels
MOST: Final = 60  # circles; the others are in the table
_SMALLEST, _LARGEST = 12.0, 34.0  # radius: a target of 24 pixels, WCAG 2.2, 2.5.8
_GAP = 1.5
_LOW, _HIGH = 180.0, 460.0  # of the picture
_STEPS = 400
_MARGIN = 8.0
_STEP = 15  # degrees of the lines behind
# Where nobody lives, or in no town that the gazetteer has: latitude, longitude.
_WITHOUT_TOWNS = {
    "AQ": (-80.0, 0.0),
    "BV": (-54.4, 3.4),
    "HM": (-53.1, 73.5),
    "IO": (-7.3, 72.4),
    "TK": (-9.2, -171.8),
    "UM": (19.3, 166.6),
}


class Reads(Protocol):
    """Who reads: names, numbers and texts in a language."""

    def text(self, message: str, /, **values: object) -> str: ...

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str: ...

    def number(self, value: float, /) -> str: ...

    def country(self, code: str, /) -> str: ...


Link = Callable[[str], str]  # from a country to the search narrowed to it


@cache
def centres() -> dict[str, tuple[float, float]]:
    """Country → latitude and longitude of the middle of its towns' inhabitants, on the sphere."""
    table = read_table(cache_folder())
    at, lat, lon, people = (
        np.frombuffer(getattr(table, name), COLUMNS[name]) for name in ("country", "lat", "lon", "people")
    )
    lat, lon = np.radians(lat.astype("f8")), np.radians(lon.astype("f8"))
    parts = (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    x, y, z = (np.bincount(at, people * part, len(table.countries)) for part in parts)
    lats, lons = np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
    found = zip(table.countries, zip(lats.tolist(), lons.tolist(), strict=True), strict=True)
    return {**_WITHOUT_TOWNS, **dict(found)}


def country_map(counts: Mapping[str, int], reader: Reads, link: Link) -> Markup:
    """The picture as SVG markup; countries without a place on Earth stand in a row below. "" without countries."""
    shown = sorted(((n, code) for code, n in counts.items() if n > 0), key=lambda one: (-one[0], one[1]))[
        :MOST
    ]
    if not shown:
        return Markup()
    circles, height, lines = _placed([(code, count) for count, code in shown])
    title = reader.text("Results by country")
    said = reader.text("A circle for each country; the table beside it says the same in words.")
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'aria-labelledby="map-title map-desc" xmlns="http://www.w3.org/2000/svg">',
        f'<title id="map-title">{escape(title)}</title><desc id="map-desc">{escape(said)}</desc>',
        f'<path class="map-grid" d="{lines}" aria-hidden="true"/>' if lines else "",
    ]
    for code, count, x, y, r in circles:
        found = reader.plural("{n} found", "{n} found", count)
        label = f"{reader.country(code)}: {found}"
        number = f'<text class="map-count" x="{x:.1f}" y="{y + 9:.1f}">{escape(_short(count))}</text>'
        parts.append(
            f'<a href="{escape(link(code))}" aria-label="{escape(label)}"><title>{escape(label)}</title>'
            f'<circle class="map-dot" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'
            f'<text class="map-code" x="{x:.1f}" y="{y + (-1 if r >= 16 else 4):.1f}">{escape(code)}</text>'
            f"{number if r >= 16 else ''}</a>"
        )
    return Markup("".join([*parts, "</svg>"]))


def country_table(counts: Mapping[str, int], reader: Reads, link: Link) -> Markup:
    """The same as a table, the most first."""
    rows = sorted(((-n, reader.country(code), code) for code, n in counts.items() if n > 0))
    body = "".join(
        f'<tr><th scope="row"><a href="{escape(link(code))}">{escape(name)}</a></th>'
        f"<td>{escape(reader.number(-n))}</td></tr>"
        for n, name, code in rows
    )
    titles = (reader.text("Country"), reader.text("Found"))
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in titles)
    caption = escape(reader.text("Results by country"))
    return Markup(
        f'<table class="map-table"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


_Circle = tuple[str, int, float, float, float]  # country, count, x, y, radius


def _placed(shown: list[tuple[str, int]]) -> tuple[list[_Circle], float, str]:
    """The circles, the height of the picture, and the lines of the graticule."""
    on_earth = [(code, n) for code, n in shown if code in centres()]
    below = [(code, n) for code, n in shown if code not in centres()]
    most = shown[0][1]
    # many countries leave less room for each
    largest = max(_SMALLEST, min(_LARGEST, _LARGEST * math.sqrt(14 / max(len(shown), 1))))
    radius = {code: _SMALLEST + (largest - _SMALLEST) * math.sqrt(n / most) for code, n in shown}
    height, lines = 2 * _MARGIN, ""
    circles: list[_Circle] = []
    if on_earth:
        codes = [code for code, _ in on_earth]
        at, height, lines = _projected([centres()[c] for c in codes])
        r = np.array([radius[c] for c in codes])
        at = _apart(at, r, height)
        height = max(height, float((at[:, 1] + r).max()) + _MARGIN)
        circles = [(c, n, float(x), float(y), radius[c]) for (c, n), (x, y) in zip(on_earth, at, strict=True)]
    x, tallest = _MARGIN, 0.0
    for code, n in below:
        r_ = radius[code]
        if x + 2 * r_ > WIDTH - _MARGIN:
            height, x, tallest = height + 2 * tallest + _GAP, _MARGIN, 0.0
        tallest = max(tallest, r_)
        circles.append((code, n, x + r_, height + r_, r_))
        x += 2 * r_ + _GAP
    if below:
        height += 2 * tallest + _MARGIN
    return circles, height, lines


def _projected(points: list[tuple[float, float]]) -> tuple[np.ndarray, float, str]:
    """Points on the picture, as near as they need be, its height, and every 15th meridian and parallel.

    Miller's cylindrical projection, cut where the most sea or nothing asked for lies between two neighbours.
    """
    lons = sorted(lon for _, lon in points)
    gaps = [(b - a, b) for a, b in zip(lons, [*lons[1:], lons[0] + 360], strict=True)]
    west = max(gaps)[1] % 360
    x = [(lon - west) % 360 for _, lon in points]
    y = [-_miller(lat) for lat, _ in points]
    wide, tall = max(max(x) - min(x), 20.0), max(max(y) - min(y), 10.0)
    edge = _MARGIN + _LARGEST
    scale = min((WIDTH - 2 * edge) / wide, (_HIGH - 2 * edge) / tall)
    height = max(_LOW, tall * scale + 2 * edge)
    left = (WIDTH - scale * (max(x) + min(x))) / 2
    top = (height - scale * (max(y) + min(y))) / 2
    at = np.array([(left + scale * a, top + scale * b) for a, b in zip(x, y, strict=True)])
    lines = []
    for degree in range(0, 360 + _STEP, _STEP):
        along = left + scale * (degree - west % _STEP)
        if 0 <= along <= WIDTH:
            lines.append(f"M{along:.1f} 0V{height:.0f}")
    for degree in range(-75, 90, _STEP):
        down = top - scale * _miller(degree)
        if 0 <= down <= height:
            lines.append(f"M0 {down:.1f}H{WIDTH:.0f}")
    return at, height, "".join(lines)


def _miller(lat: float) -> float:
    """How far from the equator, in degrees of longitude."""
    return math.degrees(1.25 * math.log(math.tan(math.pi / 4 + 0.4 * math.radians(lat))))


def _apart(at: np.ndarray, r: np.ndarray, height: float) -> np.ndarray:
    """The circles moved until none covers another; where there is no room, downwards."""
    home = at.copy()
    n = len(r)
    apart = r[:, None] + r[None, :] + _GAP
    np.fill_diagonal(apart, 0.0)
    turn = np.arange(n) * 2.399963  # the golden angle: points that coincide leave in different directions
    at = at + 0.01 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    floor = height
    for step in range(_STEPS):
        away = at[:, None, :] - at[None, :, :]
        far = np.hypot(away[..., 0], away[..., 1])
        np.fill_diagonal(far, 1.0)
        over = np.maximum(apart - far, 0.0)
        if step > 50 and over.max() < 0.05:
            break
        push = (away / np.maximum(far, 1e-9)[..., None] * over[..., None]).sum(axis=1) * 0.4
        pull = (home - at) * (0.02 if step < _STEPS // 2 else 0.0)
        at = at + push + pull
        if step % 40 == 39 and over.max() > 1.0:
            floor += 12.0
        at[:, 0] = np.clip(at[:, 0], r + 2, WIDTH - r - 2)
        at[:, 1] = np.clip(at[:, 1], r + 2, floor - r - 2)
    return at


def _short(count: int) -> str:
    """A number that fits into a circle: 950, 12k, 3M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            value = count / size
            return f"{value:.1f}".removesuffix(".0") + letter if value < 9.95 else f"{value:.0f}{letter}"
    return str(count)
