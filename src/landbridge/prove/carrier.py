"""What was handed over (text, picture, PDF or file) → the texts and bytes that it carries, recognised without a hint.

Codes (ISO/IEC 18004 QR and Micro QR, Aztec, Data Matrix, PDF417) are read by zxing-cpp; badges baked into PNG and
SVG are unpacked (Open Badges 3.0, section 5.3). Nothing here believes anything: what comes out is only what was
written. All input is hostile: sizes, pixels, pages, elements and time are bounded, and only an `UnreadableCarrier`
is ever raised.
"""

import base64
import binascii
import codecs
import contextlib
import io
import json
import math
import re
import threading
import time
import urllib.parse
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import zxingcpp
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image, ImageChops, ImageDraw, ImageFile, ImageFilter, ImageOps

from landbridge.errors import Unreadable
from landbridge.prove import pdf, svg


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading may cost; `seconds` is looked at between steps, of which none takes longer than two or three."""

    size: int = 20_000_000
    pixels: int = 50_000_000
    pages: int = 20
    carried: int = 200
    seconds: float = 8.0


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Carried:
    """One thing that was carried.

    `text` is None for what is no text; `data` are its bytes as they were (for a code: its payload; for hexadecimal
    or base64 of binary: what that stands for). `place` says where ("picture, code 2", "page 1, code 1", "line 3").
    `media` is one of text, qr, pdf-attachment, png-chunk, svg, bytes.
    """

    text: str | None
    data: bytes
    place: str
    media: str


def read(data: bytes, *, limits: Limits = DEFAULT) -> tuple[Carried, ...]:
    """Everything that the file, picture or text carries, in reading order; never an empty tuple.

    Raises UnreadableCarrier, of which each kind names what is wrong and what to do next.
    """
    try:
        return _read(data, limits, _Effort(limits.seconds), depth=0)
    except UnreadableCarrier:
        raise
    except Exception:  # hostile input must never be a traceback
        raise DamagedCarrier("what was handed over is damaged, or made to harm, and cannot be read") from None


def _read(data: bytes, limits: Limits, effort: "_Effort", *, depth: int) -> tuple[Carried, ...]:
    if not data.strip(b"\x00 \t\r\n"):
        raise EmptyCarrier("there is nothing to read: the file or text is empty")
    if len(data) > limits.size:
        raise CarrierTooLarge(
            f"the file has {len(data):,} bytes; at most {limits.size:,} are read",
            hint="Hand over the credential alone, or a smaller picture of its code.",
        )
    if depth > 3:
        raise DamagedCarrier("the file is packed in itself more than three times over")
    if _is_picture(data):
        return _picture(data, limits, effort)
    if b"%PDF-" in data[:1024]:
        return _pdf(data, limits, effort, depth)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        raise UnsupportedPicture(
            "the picture is in the HEIC form, which cannot be read here",
            hint="Save or share it as JPEG or PNG (a screenshot will do), and hand that over.",
        )
    text = _as_text(data)
    if text is None:
        return (Carried(text=None, data=data, place="file", media="bytes"),)
    return _text(text, limits, effort, depth)


class _Effort:
    """How much time is left."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        return self._until - time.monotonic()

    def spent(self) -> bool:
        return self.left() < 0


# text

_HEIF_BRANDS = frozenset((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"))
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_NON_ASCII = re.compile("[^\x00-\x7f]")
# What a line begins with that is a credential of its own: HC1: and its like, shc:/, a JWS, an object, a link.
_BEGINS = re.compile(r"[A-Z]{2}[0-9A-Z]:|[a-z][a-z0-9+.-]{1,30}:/|eyJ|\{")
_BASE45_BEGINS = re.compile(r"[A-Z]{2}[0-9A-Z]:")
_CONTINUES = re.compile(r"[\x21-\x7e]+")
_BASE45_LINE = re.compile(r"[0-9A-Z $%*+\-./:]+")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "«": "»", "‘": "’", "<": ">"}
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def _as_text(data: bytes) -> str | None:
    """The text that these bytes are, in whatever encoding; None if they are no text."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data[len(bom) :].decode(encoding)
            except UnicodeDecodeError:
                break
    for encoding in ("utf-8", *_sixteen_bit(data)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text.rstrip("\x00")):
            return text
    text = data.decode("cp1252", "replace")  # an eight-bit text: its ASCII part is what matters
    if _CONTROL.search(text) or len(_NON_ASCII.findall(text)) > len(text) // 8:
        return None
    return text


def _sixteen_bit(data: bytes) -> tuple[str, ...]:
    """The order of bytes of a text in UTF-16 without a mark, told by where its zeros are; none for other texts."""
    even, odd = data[:2000:2].count(0), data[1:2000:2].count(0)
    if len(data) % 2 or max(even, odd) < min(len(data), 2000) // 8:
        return ()
    return ("utf-16-be",) if even > odd else ("utf-16-le",)


def _text(text: str, limits: Limits, effort: "_Effort", depth: int) -> tuple[Carried, ...]:
    text = _bare(text)
    if not text:
        raise EmptyCarrier("there is nothing to read: the text is empty")
    if text[:5].lower() == "data:":
        return _read(_data_url(text), limits, effort, depth=depth + 1)
    if text[0] == "<" and "<svg" in text[:20_000].lower():
        return _svg(text, limits, effort, depth)
    parts = _several(text)
    if len(parts) > limits.carried:
        raise CarrierTooLarge(
            f"the text holds {len(parts):,} credentials; at most {limits.carried} are read at once",
            hint="Split the file and hand over its parts.",
        )
    if len(parts) > 1:
        return tuple(
            Carried(text=part, data=part.encode(errors="replace"), place=f"line {line}", media="text")
            for line, part in parts
        )
    text = parts[0][1]
    unpacked = _unpack(text)
    if unpacked is None:
        return (Carried(text=text, data=text.encode(errors="replace"), place="text", media="text"),)
    inner = _as_text(unpacked)
    if inner is None and not _is_picture(unpacked) and not unpacked.startswith(b"%PDF-"):
        return (Carried(text=text, data=unpacked, place="text", media="text"),)
    try:
        return _read(unpacked, limits, effort, depth=depth + 1)
    except UnreadableCarrier:
        return (Carried(text=text, data=unpacked, place="text", media="text"),)


def _bare(text: str) -> str:
    """Without white space, byte order marks and the quotes around it."""
    text = text.strip("\ufeff\u200b\x00 \t\r\n\f\xa0")
    for _ in range(3):
        if len(text) < 2 or _QUOTES.get(text[0]) != text[-1]:
            break
        if text[0] == "<" and "<" in text[1:]:
            break
        if text[0] == '"':
            try:
                plain = json.loads(text)
            except (ValueError, RecursionError):
                plain = text[1:-1]
            text = plain.strip() if isinstance(plain, str) else text[1:-1].strip()
        else:
            text = text[1:-1].strip()
    return text


def _data_url(text: str) -> bytes:
    """The bytes of a data URL (RFC 2397)."""
    head, comma, body = text.partition(",")
    if not comma:
        raise DamagedCarrier("the data: address has no comma, so it holds nothing")
    if not head.rstrip().lower().endswith(";base64"):
        return urllib.parse.unquote_to_bytes(body)
    decoded = _base64(urllib.parse.unquote(body))
    if decoded is None:
        raise DamagedCarrier("the data: address says base64, and what follows is none")
    return decoded


def _base64(text: str) -> bytes | None:
    squeezed = "".join(text.split())
    if not _BASE64.fullmatch(squeezed):
        return None
    squeezed = squeezed.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(squeezed + "=" * (-len(squeezed) % 4), validate=True)
    except binascii.Error:
        return None


def _unpack(text: str) -> bytes | None:
    """What hexadecimal digits or base64 stand for; None where the text is neither."""
    squeezed = "".join(text.split())
    if len(squeezed) < 32:
        return None
    if len(squeezed) % 2 == 0 and _HEX.fullmatch(squeezed):
        return bytes.fromhex(squeezed)
    return _base64(squeezed)


def _several(text: str) -> list[tuple[int, str]]:
    """The credentials of a text with their lines: one a line, or wrapped over lines, or the items of a JSON list."""
    if text[0] in "[{":
        return _json_items(text) or [(1, text)]
    lines = text.splitlines()
    if len(lines) == 1:
        return [(1, text)]
    if not any(_BEGINS.match(_bare(line)) for line in lines):
        return [(1, text)]
    found: list[tuple[int, list[str]]] = []
    continues: re.Pattern[str] | None = None
    for number, line in enumerate(lines, 1):
        bare = _bare(line)
        if _BEGINS.match(bare):
            found.append((number, [bare]))
            continues = _BASE45_LINE if _BASE45_BEGINS.match(bare) else _CONTINUES
        elif bare and continues and continues.fullmatch(bare):
            found[-1][1].append(bare)
        else:
            continues = None
    return [(number, "".join(pieces)) for number, pieces in found]


def _json_items(text: str) -> list[tuple[int, str]]:
    """The items of a JSON list, or of objects one after the other, each exactly as it was written."""
    decoder = json.JSONDecoder()
    inside = text[0] == "["
    at = 1 if inside else 0
    line, counted = 1, 0
    found: list[tuple[int, str]] = []
    space = re.compile(r"[\s,]*" if inside else r"\s*")
    while True:
        match = space.match(text, at)
        at = match.end() if match else at
        if at >= len(text) or (inside and text[at] == "]"):
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, str | dict) or len(found) > 10_000:
            return []
        line += text.count("\n", counted, at)
        counted = at
        found.append((line, value if isinstance(value, str) else text[at:end]))
        at = end
    return found


# pictures

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF")
_AT_ONCE = (
    4_000_000  # pixels given to the reader in one call: a picture full of false finders costs their square
)
_decoding = threading.Lock()  # warnings.catch_warnings is for one thread at a time


def _is_picture(data: bytes) -> bool:
    return (
        data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*"))
        or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
        or (data[:2] == b"BM" and len(data) > 26 and data[6:10] == b"\0\0\0\0" and data[14] in (12, 40, 52, 56, 64, 108, 124))
        or (data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"))
    )  # fmt: skip


def _picture(data: bytes, limits: Limits, effort: _Effort) -> tuple[Carried, ...]:
    baked = _baked_png(data, limits) if data.startswith(b"\x89PNG") else ()
    found: list[Carried] = list(baked)
    try:
        frames = _decode(data, limits)
    except UnreadableCarrier:
        if baked:
            return baked
        raise
    seen_but_unread = False
    for number, frame in enumerate(frames, 1):
        codes, located = _read_codes(frame, effort, thoroughly=not found)
        seen_but_unread = seen_but_unread or located
        name = "picture" if len(frames) == 1 else f"picture {number}"
        found += _carried(codes, name, alone=name)
        if effort.spent() or len(found) > limits.carried:
            break
    if not found:
        raise _no_code("the picture", seen_but_unread)
    return _once(found)


def _no_code(what: str, located: bool) -> "UnreadableCarrier":
    if located:
        return UnreadableCode(
            f"{what} shows a code, and it cannot be read: it is blurred, cut or damaged",
            hint="Photograph the code flat, whole and in focus, without glare, so that it fills half of the picture.",
        )
    return NoCodeFound(
        f"{what} shows no code that can be found",
        hint="Photograph the code flat and in focus, with a little of the white border around it.",
    )


def _decode(data: bytes, limits: Limits) -> list[Image.Image]:
    """The picture, or the pictures of a file of several, each with its colours; never larger than allowed."""
    frames: list[Image.Image] = []
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened = Image.open(io.BytesIO(data), formats=_FORMATS)
            _check_size(opened, limits)
            if opened.format == "JPEG" and opened.mode != "CMYK":
                opened.draft("L", opened.size)
            count = min(getattr(opened, "n_frames", 1), limits.pages)
            pixels = 0
            for number in range(count):
                if number:
                    opened.seek(number)
                    _check_size(opened, limits)
                pixels += opened.width * opened.height
                if number and pixels > limits.pixels:
                    break
                opened.load()
                frames.append(_upright(opened))
        except UnreadableCarrier:
            raise
        except (Image.DecompressionBombError, MemoryError):
            raise _too_many_pixels(limits) from None
        except Exception:
            if not frames:
                partial = _partial(data, limits)
                if partial is None:
                    raise DamagedPicture(
                        "the picture is damaged or cut off",
                        hint="Send or save the picture again, or take a new one.",
                    ) from None
                frames.append(partial)
    return frames


def _check_size(opened: Image.Image, limits: Limits) -> None:
    if opened.width * opened.height > limits.pixels:
        raise _too_many_pixels(limits)


def _too_many_pixels(limits: Limits) -> "CarrierTooLarge":
    return CarrierTooLarge(
        f"the picture has more than {limits.pixels // 1_000_000} million points",
        hint="Make the picture smaller or crop it to the code, and hand it over again.",
    )


def _upright(opened: Image.Image) -> Image.Image:
    """As it is to be seen: turned as its camera noted, in one of the modes L, RGB, RGBA."""
    if opened.mode.startswith(("I", "F")):
        levels = np.asarray(opened, dtype=np.float64)
        top = 65535.0 if opened.mode.startswith("I") else max(float(np.nanmax(levels)), 1e-9)
        return Image.fromarray((np.nan_to_num(levels).clip(0, top) * (255.0 / top)).astype(np.uint8))
    if opened.mode not in ("1", "L", "RGB"):
        see_through = "transparency" in opened.info or opened.mode in ("RGBA", "LA", "PA", "La", "RGBa")
        opened = opened.convert("RGBA" if see_through else "RGB")
    elif "transparency" in opened.info:
        opened = opened.convert("RGBA")
    elif opened.mode == "1":
        opened = opened.convert("L")
    else:
        opened = opened.copy()
    try:
        return ImageOps.exif_transpose(opened) if opened.getexif() else opened
    except Exception:  # what a camera wrote may be anything
        return opened


def _partial(data: bytes, limits: Limits) -> Image.Image | None:
    """As much of a picture that is cut off as there is; called under the lock, for Pillow's switch is global."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        opened = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
        _check_size(opened, limits)
        opened.load()
        return _upright(opened)
    except Exception:
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _greys(picture: Image.Image) -> Iterator[Image.Image]:
    """The picture in grey: as an eye sees it first, then each way in which its colours may hide a code."""
    if picture.mode == "L":
        yield picture
        return
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        yield white.convert("L")
        black = Image.new("RGBA", picture.size, "black")
        black.alpha_composite(picture)
        yield black.convert("L")
        yield picture.getchannel("A")
        picture = white.convert("RGB")
    else:
        yield picture.convert("L")
    red, green, blue = picture.split()
    yield from (red, green, blue)
    yield ImageChops.darker(ImageChops.darker(red, green), blue)
    yield ImageChops.lighter(ImageChops.lighter(red, green), blue)


# codes

_QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_MATRIX = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.QRCode,
        zxingcpp.BarcodeFormat.MicroQRCode,
        zxingcpp.BarcodeFormat.Aztec,
        zxingcpp.BarcodeFormat.DataMatrix,
        zxingcpp.BarcodeFormat.PDF417,
    ]
)


@dataclass(frozen=True, slots=True)
class _Code:
    text: str | None
    data: bytes
    corners: tuple[tuple[float, float], ...]

    @property
    def top(self) -> float:
        return min(y for _, y in self.corners)

    @property
    def height(self) -> float:
        return max(y for _, y in self.corners) - self.top

    @property
    def left(self) -> float:
        return min(x for x, _ in self.corners)


_Located = list[tuple[tuple[float, float], ...]]
_Change = Callable[[Image.Image], Image.Image]


def _carried(codes: list[_Code], place: str, *, alone: str) -> list[Carried]:
    """The codes in reading order: rows from the top, and within a row from the left."""
    rows: list[list[_Code]] = []
    for code in sorted(codes, key=lambda code: code.top + code.height / 2):
        middle = code.top + code.height / 2
        if rows and abs(middle - rows[-1][0].top - rows[-1][0].height / 2) < rows[-1][0].height / 2:
            rows[-1].append(code)
        else:
            rows.append([code])
    ordered = [code for row in rows for code in sorted(row, key=lambda code: code.left)]
    return [
        Carried(
            text=code.text,
            data=code.data,
            place=alone if alone and len(ordered) == 1 else f"{place}, code {number}",
            media="qr",
        )
        for number, code in enumerate(ordered, 1)
    ]


def _once(found: list[Carried]) -> tuple[Carried, ...]:
    """Each payload once: a sheet often shows a code twice."""
    first: dict[tuple[bytes, bool], Carried] = {}
    for one in found:
        first.setdefault((one.data, one.media == "qr"), one)
    return tuple(first.values())


def _scan(
    grey: Image.Image,
    formats: zxingcpp.BarcodeFormats,
    *,
    hard: bool,
    located: _Located | None = None,
    binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage,
) -> list[_Code]:
    """The codes of one picture; the corners of those seen but not read are added to `located`."""
    try:
        barcodes = zxingcpp.read_barcodes(
            np.asarray(grey),
            formats=formats,
            try_rotate=hard,
            try_downscale=hard,
            try_invert=hard,
            binarizer=binarizer,
            text_mode=zxingcpp.TextMode.Plain,
            return_errors=located is not None,
        )
    except (ValueError, RuntimeError, UnicodeDecodeError):
        return []
    found = []
    for barcode in barcodes:
        at = barcode.position
        corners = tuple(
            (float(p.x), float(p.y)) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        )
        if barcode.valid:
            found.append(_Code(*_payload(barcode), corners))
        elif located is not None:
            located.append(corners)
    return found


def _payload(barcode: zxingcpp.Barcode) -> tuple[str | None, bytes]:
    data = bytes(barcode.bytes)
    try:
        return data.decode(), data
    except UnicodeDecodeError:
        pass
    if barcode.content_type == zxingcpp.ContentType.Binary:
        return None, data
    try:
        return barcode.text, data
    except UnicodeDecodeError:
        return None, data


def _read_codes(picture: Image.Image, effort: _Effort, *, thoroughly: bool) -> tuple[list[_Code], bool]:
    """The codes of a picture, and whether one was seen that could not be read.

    A quick look, then a careful one at what the quick look left over; only where both find nothing, the picture is
    cut into tiles, straightened, enlarged, blurred, sharpened and recoloured until something is found.
    """
    others = _greys(picture)
    grey = next(others)
    small, factor = _shrunk(grey, _AT_ONCE)
    found = _scan(small, _QR, hard=False)
    located: _Located = []
    found += _scan(_erased(small, found), _MATRIX, hard=True, located=located)
    if factor != 1.0:
        found = [_moved(code, factor) for code in found]
    if thoroughly and not found and factor != 1.0:
        found = _scan_tiles(grey, effort)
    if thoroughly and located:
        found += _look_again(_straightened(grey, list(located), factor), effort, [])
    if thoroughly and not found:
        found = _look_again(_changed(grey, others), effort, located)
    return found, bool(located)


def _moved(code: _Code, factor: float, dx: float = 0.0, dy: float = 0.0) -> _Code:
    return replace(code, corners=tuple((x * factor + dx, y * factor + dy) for x, y in code.corners))


def _shrunk(grey: Image.Image, pixels: int) -> tuple[Image.Image, float]:
    """Not above so many pixels, and by which factor it was larger."""
    if grey.width * grey.height <= pixels:
        return grey, 1.0
    factor = math.sqrt(grey.width * grey.height / pixels)
    size = (max(1, round(grey.width / factor)), max(1, round(grey.height / factor)))
    return grey.resize(size, Image.Resampling.BOX, reducing_gap=2.0), factor


def _erased(grey: Image.Image, codes: list[_Code]) -> Image.Image:
    """Without the codes that are already read."""
    if not codes:
        return grey
    grey = grey.copy()
    draw = ImageDraw.Draw(grey)
    for code in codes:
        draw.polygon([*_grown(code.corners, 1.05)], fill=255)
    return grey


def _grown(corners: tuple[tuple[float, float], ...], by: float) -> tuple[tuple[float, float], ...]:
    cx = sum(x for x, _ in corners) / len(corners)
    cy = sum(y for _, y in corners) / len(corners)
    return tuple((cx + (x - cx) * by, cy + (y - cy) * by) for x, y in corners)


def _scan_tiles(grey: Image.Image, effort: _Effort) -> list[_Code]:
    """At full size, in overlapping tiles: for a small code in a large picture."""
    side = math.isqrt(_AT_ONCE)
    for formats in (_QR, _MATRIX):
        found: dict[bytes, _Code] = {}
        for top in range(0, max(1, grey.height - side // 4), side * 3 // 4):
            for left in range(0, max(1, grey.width - side // 4), side * 3 // 4):
                if effort.spent():
                    return list(found.values())
                tile = grey.crop((left, top, min(grey.width, left + side), min(grey.height, top + side)))
                for code in _scan(tile, formats, hard=True):
                    found.setdefault(code.data, _moved(code, 1.0, left, top))
        if found:
            break
    return list(found.values())


_BINARIZERS = (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram)
_ENOUGH = 1_200_000  # pixels of the picture that is changed over and over


def _look_again(
    changes: Iterator[tuple[Image.Image, zxingcpp.BarcodeFormats]], effort: _Effort, located: _Located
) -> list[_Code]:
    """The codes of the first changed picture that shows any."""
    for changed, formats in changes:
        for binarizer in _BINARIZERS:
            if effort.spent():
                return []
            found = _scan(changed, formats, hard=True, located=located, binarizer=binarizer)
            if found:
                return found
    return []


def _straightened(
    grey: Image.Image, located: _Located, factor: float
) -> Iterator[tuple[Image.Image, zxingcpp.BarcodeFormats]]:
    """The places where a code was seen, drawn square and large, in several ways."""
    for place in located[:6]:
        corners = _grown(tuple((x * factor, y * factor) for x, y in place), 1.25)
        side = max(math.dist(corners[n], corners[n - 1]) for n in range(4))
        if not 10 < side < 10_000:
            continue
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
        for size in (min(max(side * 1.3, 300), 1400), min(max(side * 0.7, 200), 700)):
            square = grey.transform(
                (round(size), round(size)),
                Image.Transform.QUAD,
                (ax, ay, dx, dy, cx, cy, bx, by),
                Image.Resampling.BICUBIC,
            )
            for change in (_plain, _stretched, _softer(1.5), _sharper(4), _levelled):
                yield change(square), _MATRIX if change is _plain else _QR


def _changed(
    grey: Image.Image, others: Iterator[Image.Image]
) -> Iterator[tuple[Image.Image, zxingcpp.BarcodeFormats]]:
    """The picture in other sizes, lights and colours, the likeliest and cheapest to help first.

    Enlarged, evened out and sharpened pictures gained most when changes were tried on simulated photographs;
    `bench qr` measures what all of them gain together.
    """
    work, _ = _shrunk(grey, _ENOUGH)
    yield ImageOps.expand(_stretched(work), 16, 255), _MATRIX
    for scale, changes in _CHANGES:
        if min(work.size) * scale < 40 or work.width * work.height * scale * scale > 2.5 * _ENOUGH:
            continue
        scaled = work if scale == 1.0 else _scaled(work, scale)
        for change in changes:
            yield change(scaled), _MATRIX if change is _plain else _QR
    for side in (400, 240, 140):  # modules drawn as dots, or torn, flow together
        if max(work.size) > side:
            scaled = _scaled(work, side / max(work.size))
            yield scaled, _QR
            yield _softer(1)(scaled), _QR
    for other in others:
        yield _stretched(_shrunk(other, _ENOUGH)[0]), _MATRIX
    for angle in (30, 60, 15, 45):
        turned = work.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        yield turned, _QR
        yield _sharper(3)(_softer(1)(_scaled(turned, 0.7))), _QR
    for level in (48, 80, 112, 144, 176, 208):
        yield work.point([0] * level + [255] * (256 - level)), _QR
    yield work.filter(ImageFilter.MinFilter(3)), _QR
    yield work.filter(ImageFilter.MaxFilter(3)), _QR


def _plain(grey: Image.Image) -> Image.Image:
    return grey


def _stretched(grey: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(grey, cutoff=1)


def _softer(radius: float) -> _Change:
    return lambda grey: grey.filter(ImageFilter.GaussianBlur(radius))


def _sharper(radius: float) -> _Change:
    return lambda grey: grey.filter(ImageFilter.UnsharpMask(radius, 300, 0))


def _median(grey: Image.Image) -> Image.Image:
    return grey.filter(ImageFilter.MedianFilter(3))


def _levelled(grey: Image.Image) -> Image.Image:
    """With its light evened out: each point against the light around it."""
    around = grey.filter(ImageFilter.BoxBlur(max(8, max(grey.size) // 24)))
    levels = np.asarray(grey, dtype=np.float32) / (np.asarray(around, dtype=np.float32) + 1.0) * 160.0
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def _one_after_other(*changes: _Change) -> _Change:
    def change(grey: Image.Image) -> Image.Image:
        for one in changes:
            grey = one(grey)
        return grey

    return change


_EVEN = _one_after_other(_stretched, _levelled)
_CHANGES: tuple[tuple[float, tuple[_Change, ...]], ...] = (
    (
        2.0,
        (
            _plain,
            _one_after_other(_EVEN, _sharper(8)),
            _softer(1),
            _sharper(2),
            _one_after_other(_EVEN, _sharper(2)),
        ),
    ),
    (1.5, (_one_after_other(_softer(1), _sharper(3)),)),
    (1.0, (_levelled, _softer(1), _softer(2), _sharper(3), _one_after_other(_EVEN, _sharper(2)))),
    (4.0, (_plain, _one_after_other(_softer(2), _sharper(8)))),
    (3.0, (_plain, _one_after_other(_EVEN, _sharper(8)), _one_after_other(_softer(1.7), _sharper(5)))),
    (0.5, (_plain, _levelled, _sharper(2))),
    (0.7, (_plain, _one_after_other(_softer(1), _sharper(3)))),
    (0.35, (_plain, _levelled)),
    (1.4, (_plain,)),
    (0.25, (_plain, _levelled)),
    (1.0, (_median, _one_after_other(_softer(2), _levelled))),
)


def _scaled(grey: Image.Image, factor: float) -> Image.Image:
    size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
    return grey.resize(size, Image.Resampling.BICUBIC)


# badges baked into PNG (Open Badges 3.0, section 5.3.1: an iTXt chunk; 2.0: the same under another keyword)

_BADGE_KEYWORDS = frozenset((b"openbadgecredential", b"openbadges"))
_UNPACKED = 5_000_000


def _baked_png(data: bytes, limits: Limits) -> tuple[Carried, ...]:
    found: list[Carried] = []
    at = 8
    while at + 8 <= len(data) and len(found) < limits.carried:
        length = int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND" or len(body) < length:
            break
        if kind not in (b"iTXt", b"tEXt", b"zTXt"):
            continue
        keyword, _, value = body.partition(b"\0")
        if keyword.lower() not in _BADGE_KEYWORDS:
            continue
        packed = kind == b"zTXt"
        if kind == b"zTXt":
            value = value[1:]
        elif kind == b"iTXt":
            packed = value[:1] == b"\1"
            value = value[2:].split(b"\0", 2)[-1]
        if packed:
            try:
                value = zlib.decompressobj().decompress(value, _UNPACKED)
            except zlib.error:
                continue
        text = value.decode("utf-8", "replace").strip("\ufeff\x00 \t\r\n")
        if text:
            place = f"chunk {keyword.decode('ascii', 'replace')}"
            found.append(Carried(text=text, data=text.encode(), place=place, media="png-chunk"))
    return tuple(found)


# PDF


def _pdf(data: bytes, limits: Limits, effort: _Effort, depth: int) -> tuple[Carried, ...]:
    found: list[Carried] = []
    undrawn = located = done = False
    pages = 0
    bounds = {"pages": limits.pages, "pixels": limits.pixels, "size": limits.size}
    parts = pdf.parts(data, seconds=max(effort.left(), 0.5), **bounds)
    with contextlib.closing(parts):
        for part in parts:
            if part.kind == "protected":
                raise PasswordProtected(
                    "the PDF is protected by a password",
                    hint="Open it with its password and print it to a new PDF, or photograph the code that it shows.",
                )
            if part.kind == "damaged":
                raise DamagedPdf(
                    "the PDF is damaged or cut off",
                    hint="Download or save it again, or photograph the code that it shows.",
                )
            if part.kind == "attachment":
                found += _attached(part, limits, effort, depth)
            elif part.kind == "undrawn":
                undrawn = True
            elif part.kind == "done":
                done, pages = True, part.number
            elif effort.spent() or len(found) > limits.carried or (found and part.kind != "page"):
                break
            elif part.kind == "text":
                found += _written(part)
            else:
                picture = Image.frombytes("L", (part.width, part.height), part.data)
                codes, seen = _read_codes(picture, effort, thoroughly=part.kind == "enlarged")
                located = located or seen
                found += _carried(codes, f"page {part.number}", alone="")
    if found:
        return _once(found)
    if undrawn or not done:
        raise CarrierTooLarge(
            "the PDF has a page that is too large or too slow to draw",
            hint="Photograph the code that it shows, or print that page alone to a new PDF.",
        )
    raise _no_code(f"the PDF of {pages} page{'s' * (pages != 1)}", located)


def _attached(part: pdf.Part, limits: Limits, effort: _Effort, depth: int) -> Iterator[Carried]:
    try:
        inner = _read(part.data, limits, effort, depth=depth + 1)
    except UnreadableCarrier:
        return
    place = f"attachment {part.number}"
    for one in inner:
        yield replace(
            one,
            place=place if one.place in ("text", "file") else f"{place}, {one.place}",
            media="pdf-attachment" if one.media in ("text", "bytes") else one.media,
        )


def _written(part: pdf.Part) -> Iterator[Carried]:
    """Credentials in the text of a page."""
    text = _bare(part.data.decode(errors="replace").replace("\ufffe", ""))
    if not text:
        return
    for _, one in _several(text):
        if len(one) > 40 and _BEGINS.match(one):
            place = f"page {part.number}, text"
            yield Carried(text=one, data=one.encode(errors="replace"), place=place, media="text")


# SVG: badges baked in (Open Badges 3.0, section 5.3.2), pictures inside, and codes drawn as squares, dots and paths

_SVG_SIZE = 5_000_000


def _svg(text: str, limits: Limits, effort: _Effort, depth: int) -> tuple[Carried, ...]:
    if len(text) > _SVG_SIZE:
        raise CarrierTooLarge(
            f"the SVG has {len(text):,} characters; at most {_SVG_SIZE:,} are read",
            hint="Save the picture as PNG and hand that over.",
        )
    try:
        root = fromstring(text, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise DamagedPicture(
            "the SVG is damaged, or has parts that are not read from strangers (entities)",
            hint="Save the picture as PNG and hand that over.",
        ) from None
    found = list(_baked_svg(root))
    if not found:
        found += _pictures_inside(root, limits, effort, depth)
    if not found:
        try:
            drawn = svg.draw(root, effort.spent)
        except (ValueError, ArithmeticError):
            raise DamagedPicture(
                "the SVG states no size that can be drawn", hint="Save the picture as PNG and hand that over."
            ) from None
        codes, located = _read_codes(drawn, effort, thoroughly=True)
        found += _carried(codes, "picture", alone="picture")
        if not found:
            raise _no_code("the SVG picture", located)
    return _once(found)


def _baked_svg(root: Element) -> Iterator[Carried]:
    for element in root.iter():
        if not isinstance(element.tag, str) or (
            "imsglobal" not in element.tag and "openbadges" not in element.tag
        ):
            continue
        name = svg.name_of(element).rpartition(":")[2]
        if name not in ("credential", "assertion"):
            continue
        for value in (element.text, element.get("verify")):
            if value and value.strip():
                text = value.strip()
                yield Carried(text=text, data=text.encode(), place=f"element openbadges:{name}", media="svg")
                break


def _pictures_inside(root: Element, limits: Limits, effort: _Effort, depth: int) -> Iterator[Carried]:
    count = 0
    for element in root.iter():
        if svg.name_of(element) != "image" or count >= 20:
            continue
        link = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"), "")
        if link[:11].lower() != "data:image/":
            continue
        count += 1
        try:
            inner = _read(_data_url(link), limits, effort, depth=depth + 1)
        except UnreadableCarrier:
            continue
        for one in inner:
            yield replace(one, place=f"picture {count}" if one.place == "picture" else one.place)


# errors


class UnreadableCarrier(Unreadable):
    """What was handed over cannot be read; nothing is said of a credential. `code` names the kind."""

    named: ClassVar[str] = "unreadable"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, code=self.named, hint=hint)


class EmptyCarrier(UnreadableCarrier):
    named = "empty"

    def __init__(self, message: str) -> None:
        super().__init__(
            message, hint="Hand over the credential itself: its text, a picture of its code, or its file."
        )


class CarrierTooLarge(UnreadableCarrier):
    named = "too-large"


class DamagedCarrier(UnreadableCarrier):
    named = "damaged"

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Copy or download it again, whole, and hand it over as it is.")


class DamagedPicture(UnreadableCarrier):
    named = "damaged-picture"


class UnsupportedPicture(UnreadableCarrier):
    named = "unsupported-picture"


class NoCodeFound(UnreadableCarrier):
    named = "no-code"


class UnreadableCode(UnreadableCarrier):
    named = "unreadable-code"


class DamagedPdf(UnreadableCarrier):
    named = "damaged-pdf"


class PasswordProtected(UnreadableCarrier):
    named = "password-protected"
