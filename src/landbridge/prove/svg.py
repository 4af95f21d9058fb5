"""Draws the shapes of an SVG in black and white (SVG 1.1): enough for the codes that programs write, and nothing more.

Squares, dots, paths, strokes, `use`, `clip-path` on a rectangle, transforms and plain colours; no text, gradient,
filter or script. The number of shapes, their depth and the time are bounded.
"""

import contextlib
import math
import re
from collections.abc import Callable
from itertools import pairwise
from xml.etree.ElementTree import Element

from PIL import Image, ImageColor, ImageDraw

_PIXELS = 2_000_000
_NOT_SHOWN = frozenset(("defs", "clipPath", "mask", "symbol", "pattern", "marker"))
_SHAPES = 300_000
_NUMBER = re.compile(r"[\s,]*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?)")
_FLAG = re.compile(r"[\s,]*([01])")
_COMMAND = re.compile(r"[\s,]*([A-Za-z])")
_TRANSFORM = re.compile(r"([a-zA-Z]+)\s*\(([^()]{0,200})\)")
_CLASS = re.compile(r"\.([\w-]{1,80})\s*\{([^{}]{0,2000})\}")

_Matrix = tuple[float, float, float, float, float, float]
_Point = tuple[float, float]


def draw(root: Element, spent: Callable[[], bool]) -> Image.Image:
    """In grey, with a white border; `spent` is asked now and then whether to stop.

    Raises ValueError where the SVG has no size that can be drawn.
    """
    return _Drawing(root, spent).picture


def name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class _Enough(Exception):
    """More shapes than are drawn, or no time for more: what is drawn stays."""


class _Drawing:
    def __init__(self, root: Element, spent: Callable[[], bool]) -> None:
        self._spent = spent
        self._shapes = 0
        self._ids = {found: element for element in root.iter() if (found := element.get("id"))}
        styles = "\n".join(element.text or "" for element in root.iter() if name_of(element) == "style")
        self._classes = dict(_CLASS.findall(styles[:100_000]))
        left, top, width, height = self._box(root)
        scale = math.sqrt(_PIXELS / (width * height))
        scale = min(scale, 1_900 / width, 1_900 / height)
        if scale > 1:
            scale = math.floor(scale)
        border = max(8, round(max(width, height) * scale / 20))
        size = (max(1, round(width * scale)) + 2 * border, max(1, round(height * scale)) + 2 * border)
        self.picture = Image.new("L", size, 255)
        self._draw = ImageDraw.Draw(self.picture)
        with contextlib.suppress(_Enough):
            self._put(root, (scale, 0.0, 0.0, scale, border - left * scale, border - top * scale), {}, 0)

    @staticmethod
    def _box(root: Element) -> tuple[float, float, float, float]:
        box = _numbers(root.get("viewBox", ""))
        if len(box) != 4:
            sizes = [_numbers(root.get(side, "")) for side in ("width", "height")]
            box = [0.0, 0.0, *(found[0] if found else 1000.0 for found in sizes)]
        left, top, width, height = box
        if not (1e-6 < width < 1e7 and 1e-6 < height < 1e7 and abs(left) < 1e7 and abs(top) < 1e7):
            raise ValueError("no size that can be drawn")
        if not 1 / 50 < width / height < 50:
            raise ValueError("a strip too narrow for a code")
        return left, top, width, height

    def _put(self, element: Element, matrix: _Matrix, inherited: dict[str, str], depth: int) -> None:
        name = name_of(element)
        if depth > 40 or (name in _NOT_SHOWN and "shown" not in inherited):
            return
        self._shapes += 1
        if self._shapes > _SHAPES or (self._shapes % 500 == 0 and self._spent()):
            raise _Enough
        style = {**inherited, **self._style(element)}
        style.pop("shown", None)
        if style.get("display") == "none":
            return
        matrix = _times(matrix, _transform(element.get("transform", "")))
        clip = style.pop("clip-path", "")
        if name == "use":
            self._use(element, matrix, style, depth)
            return
        if name == "rect" and clip.startswith("url("):
            shape = self._ids.get(clip[4:].strip(" \"')#"))
            if shape is not None:
                for child in shape:
                    self._put(child, matrix, {**style, "shown": "1"}, depth + 1)
                return
        outlines = _outlines(element, name)
        if outlines:
            self._paint(outlines, matrix, style)
        for child in element:
            self._put(child, matrix, style, depth + 1)

    def _use(self, element: Element, matrix: _Matrix, style: dict[str, str], depth: int) -> None:
        link = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"), "")
        shape = self._ids.get(link.lstrip("#"))
        if shape is None:
            return
        x, y = _length(element, "x"), _length(element, "y")
        self._put(shape, _times(matrix, (1.0, 0.0, 0.0, 1.0, x, y)), {**style, "shown": "1"}, depth + 8)

    def _style(self, element: Element) -> dict[str, str]:
        named = (
            "fill",
            "stroke",
            "stroke-width",
            "fill-rule",
            "display",
            "clip-path",
            "fill-opacity",
            "opacity",
        )
        style = {key: value for key in named if (value := element.get(key))}
        for name in element.get("class", "").split()[:8]:
            style |= _declarations(self._classes.get(name, ""))
        return style | _declarations(element.get("style", ""))

    def _paint(self, outlines: list[list[_Point]], matrix: _Matrix, style: dict[str, str]) -> None:
        fill = _shade(style.get("fill", "black"))
        if fill is not None and style.get("fill-opacity") != "0" and style.get("opacity") != "0":
            placed = [[_at(matrix, point) for point in outline] for outline in outlines if len(outline) > 2]
            self._fill(placed, fill, even_odd=style.get("fill-rule") == "evenodd")
        stroke = _shade(style.get("stroke", "none"))
        if stroke is None:
            return
        width = (_numbers(style.get("stroke-width", "1")) or [1.0])[0]
        half = width / 2
        for outline in outlines:
            for (ax, ay), (bx, by) in pairwise(outline):
                if ay == by:
                    line = [(ax, ay - half), (bx, ay - half), (bx, ay + half), (ax, ay + half)]
                elif ax == bx:
                    line = [(ax - half, ay), (ax + half, ay), (ax + half, by), (ax - half, by)]
                else:
                    length = math.dist((ax, ay), (bx, by)) or 1.0
                    dx, dy = (by - ay) / length * half, (ax - bx) / length * half
                    line = [(ax + dx, ay + dy), (bx + dx, by + dy), (bx - dx, by - dy), (ax - dx, ay - dy)]
                self._area([_at(matrix, point) for point in line], stroke)

    def _fill(self, outlines: list[list[_Point]], shade: int, *, even_odd: bool) -> None:
        """Largest first; an outline inside another is a hole where the rule of filling says so."""
        if len(outlines) == 1:
            self._area(outlines[0], shade)
            return
        sized = sorted(
            ((_signed_area(outline), outline) for outline in outlines), key=lambda one: -abs(one[0])
        )
        turned = sized[0][0] > 0 if sized else True
        for area, outline in sized:
            hole = False
            if even_odd or (area > 0) != turned:
                x, y = (round(sum(p[n] for p in outline) / len(outline)) for n in (0, 1))
                if 0 <= x < self.picture.width and 0 <= y < self.picture.height:
                    hole = self.picture.getpixel((x, y)) == shade
            self._area(outline, 255 - shade if hole else shade)

    def _area(self, outline: list[_Point], shade: int) -> None:
        self._shapes += 1
        if self._shapes > _SHAPES or any(not -1e6 < value < 1e6 for point in outline for value in point):
            return
        xs, ys = sorted({round(x) for x, _ in outline}), sorted({round(y) for _, y in outline})
        if len(xs) == 2 and len(ys) == 2 and len(outline) >= 4:
            self._draw.rectangle((xs[0], ys[0], xs[1] - 1, ys[1] - 1), fill=shade)
        elif len(xs) > 1 and len(ys) > 1:
            self._draw.polygon(outline, fill=shade)


def _numbers(text: str) -> list[float]:
    found: list[float] = []
    at = 0
    while len(found) < 10_000 and (match := _NUMBER.match(text, at)):
        found.append(float(match[1]))
        at = match.end()
    return found


def _length(element: Element, name: str, default: float = 0.0) -> float:
    found = _numbers(element.get(name, ""))
    return found[0] if found else default


def _declarations(text: str) -> dict[str, str]:
    pairs = (one.partition(":") for one in text[:2_000].split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def _shade(colour: str) -> int | None:
    """0 for a dark colour, 255 for a light one, None for none."""
    colour = colour.strip().lower()
    if colour in ("none", "transparent"):
        return None
    try:
        red, green, blue, *alpha = ImageColor.getrgb(colour[:60])
    except (ValueError, TypeError, OverflowError):
        return 0  # a gradient, currentColor, a form not known: codes are dark on light
    if alpha and alpha[0] < 64:
        return None
    return 255 if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else 0


def _times(a: _Matrix, b: _Matrix) -> _Matrix:
    return (
        a[0] * b[0] + a[2] * b[1],
        a[1] * b[0] + a[3] * b[1],
        a[0] * b[2] + a[2] * b[3],
        a[1] * b[2] + a[3] * b[3],
        a[0] * b[4] + a[2] * b[5] + a[4],
        a[1] * b[4] + a[3] * b[5] + a[5],
    )


def _at(matrix: _Matrix, point: _Point) -> _Point:
    a, b, c, d, e, f = matrix
    return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f


def _transform(text: str) -> _Matrix:
    matrix: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    for name, inside in _TRANSFORM.findall(text[:2_000]):
        match name, _numbers(inside):
            case "translate", [x, *rest]:
                step = (1.0, 0.0, 0.0, 1.0, x, rest[0] if rest else 0.0)
            case "scale", [x, *rest]:
                step = (x, 0.0, 0.0, rest[0] if rest else x, 0.0, 0.0)
            case "matrix", [a, b, c, d, e, f]:
                step = (a, b, c, d, e, f)
            case "rotate", [angle, *rest]:
                turn = math.radians(angle)
                x, y = (rest[0], rest[1]) if len(rest) == 2 else (0.0, 0.0)
                cos, sin = math.cos(turn), math.sin(turn)
                step = (cos, sin, -sin, cos, x - x * cos + y * sin, y - x * sin - y * cos)
            case _:
                continue
        matrix = _times(matrix, step)
    return matrix


def _signed_area(outline: list[_Point]) -> float:
    return sum(
        ax * by - bx * ay for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True)
    )


def _outlines(element: Element, name: str) -> list[list[_Point]]:
    if name == "rect":
        x, y = _length(element, "x"), _length(element, "y")
        width, height = _length(element, "width"), _length(element, "height")
        if "%" in element.get("width", "") or width <= 0 or height <= 0:
            return []
        return [[(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]]
    if name in ("circle", "ellipse"):
        rx = _length(element, "r") or _length(element, "rx")
        ry = _length(element, "r") or _length(element, "ry")
        x, y = _length(element, "cx"), _length(element, "cy")
        turns = (math.radians(angle) for angle in range(0, 360, 30))
        return [[(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns]]
    if name in ("polygon", "polyline"):
        numbers = _numbers(element.get("points", ""))
        return [list(zip(numbers[::2], numbers[1::2], strict=False))]
    if name == "line":
        ends = [(_length(element, f"x{n}"), _length(element, f"y{n}")) for n in (1, 2)]
        return [ends]
    if name == "path":
        return _path(element.get("d", ""))
    return []


_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}


def _path(text: str) -> list[list[_Point]]:
    """The outlines of a path (SVG 1.1, section 8.3); curves as a few straight pieces."""
    outlines: list[list[_Point]] = []
    x = y = 0.0
    at = points = 0
    command = ""
    while points < _SHAPES:
        match = _COMMAND.match(text, at)
        if match:
            command, at = match[1], match.end()
        kind = command.upper()
        takes = _TAKES.get(kind)
        if takes is None:
            break
        if kind == "Z":
            if not match:
                break
            if outlines and outlines[-1]:
                x, y = outlines[-1][0]
                outlines[-1].append((x, y))
            outlines.append([(x, y)])
            command = ""
            continue
        numbers = []
        for n in range(takes):
            found = (_FLAG if kind == "A" and n in (3, 4) else _NUMBER).match(text, at)
            if not found:
                return [outline for outline in outlines if len(outline) > 1]
            numbers.append(float(found[1]))
            at = found.end()
        base = (x, y) if command.islower() else (0.0, 0.0)
        points += 1
        if kind == "H":
            x = base[0] + numbers[0]
        elif kind == "V":
            y = base[1] + numbers[0]
        else:
            start = (x, y)
            x, y = base[0] + numbers[-2], base[1] + numbers[-1]
        if kind == "M":
            outlines.append([])
            command = "l" if command == "m" else "L"
        elif kind in "CSQ" and outlines:
            controls = [(base[0] + numbers[n], base[1] + numbers[n + 1]) for n in range(0, takes - 2, 2)]
            outlines[-1] += _curve([start, *controls, (x, y)])
        elif kind == "A" and outlines:
            outlines[-1] += _arc(
                start, (x, y), max(abs(numbers[0]), 1e-9), bool(numbers[3]), bool(numbers[4])
            )
        if not outlines:
            outlines.append([])
        outlines[-1].append((x, y))
    return [outline for outline in outlines if len(outline) > 1]


def _curve(controls: list[_Point]) -> list[_Point]:
    found = []
    for t in (0.25, 0.5, 0.75):
        points = controls
        while len(points) > 1:
            points = [(ax + (bx - ax) * t, ay + (by - ay) * t) for (ax, ay), (bx, by) in pairwise(points)]
        found.append(points[0])
    return found


def _arc(start: _Point, end: _Point, radius: float, large: bool, sweep: bool) -> list[_Point]:
    """Three points on a circle's arc: enough for a dot or a rounded corner."""
    middle = _halfway(start, end, radius, large, sweep)
    return [
        _halfway(start, middle, radius, False, sweep),
        middle,
        _halfway(middle, end, radius, False, sweep),
    ]


def _halfway(start: _Point, end: _Point, radius: float, large: bool, sweep: bool) -> _Point:
    chord = math.dist(start, end)
    if chord < 1e-9:
        return end
    radius = max(radius, chord / 2)
    to_chord = math.sqrt(max(radius * radius - chord * chord / 4, 0.0))
    rise = radius + to_chord if large else radius - to_chord
    side = 1.0 if sweep else -1.0
    dx, dy = (end[0] - start[0]) / chord, (end[1] - start[1]) / chord
    return (start[0] + end[0]) / 2 + dy * rise * side, (start[1] + end[1]) / 2 - dx * rise * side
