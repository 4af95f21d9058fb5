"""Makes QR codes (ISO/IEC 18004): as modules, PNG and SVG.

The smallest version that holds the content is taken; digits and the 45 characters of the alphanumeric mode are
packed as such wherever they stand, which is what HCERT and SMART Health Cards are spelt for.
"""

import struct
import zlib
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from landbridge.errors import CredentialError

Level = Literal["L", "M", "Q", "H"]

CAPACITY: dict[str, tuple[int, int, int]] = {
    "L": (7089, 4296, 2953),
    "M": (5596, 3391, 2331),
    "Q": (3993, 2420, 1663),
    "H": (3057, 1852, 1273),
}
"""Digits, alphanumeric characters and bytes that the largest version holds (ISO/IEC 18004, table 7). Two bytes
fewer where the content is binary or beyond ASCII, for the mark that says so."""


class CannotBeCoded(CredentialError):
    """Content that no single QR code of this level can carry, or none at all."""


def matrix(content: str | bytes, *, error_correction: Level = "Q") -> NDArray[np.bool_]:
    """The modules, True for dark, without the quiet zone: a square of 21 to 177.

    Raises CannotBeCoded.
    """
    if error_correction not in CAPACITY:
        raise CannotBeCoded(
            f"error correction {error_correction!r} is none of L, M, Q, H", code="qr-level", hint="Use Q."
        )
    if not content:
        raise CannotBeCoded("an empty text cannot be made a QR code", code="qr-empty")
    eci = {"eci": "UTF-8"} if isinstance(content, str) and not content.isascii() else {}
    try:
        symbol = zxingcpp.create_barcode(
            content, zxingcpp.BarcodeFormat.QRCode, ec_level=error_correction, **eci
        )
    except (ValueError, UnicodeEncodeError):
        raise _too_much(content, error_correction) from None
    grey = np.asarray(zxingcpp.write_barcode_to_image(symbol, scale=1, add_quiet_zones=False))
    return grey < 128


def png(content: str | bytes, *, error_correction: Level = "Q", module: int = 4, quiet: int = 4) -> bytes:
    """A PNG of one bit a point; `module` points a module, `quiet` white modules around (the standard asks for 4).

    Raises CannotBeCoded.
    """
    light = ~np.pad(matrix(content, error_correction=error_correction), quiet)
    side = len(light) * module
    rows = np.packbits(light.repeat(module, axis=1), axis=1)
    lines = np.zeros((side, rows.shape[1] + 1), dtype=np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = rows.repeat(module, axis=0)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def svg(
    content: str | bytes,
    *,
    error_correction: Level = "Q",
    module: int = 4,
    quiet: int = 4,
    title: str = "QR code",
    description: str = "",
) -> str:
    """An SVG of one path, pure black on white, that scales; `module` and `quiet` as in `png`.

    `title` (what a screen reader says) and `description` are in the reader's language, and say what the code is of.
    Raises CannotBeCoded.
    """
    dark = np.pad(matrix(content, error_correction=error_correction), quiet)
    side = len(dark)
    edges = np.diff(np.pad(dark, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
    path = "".join(f"M{x} {y}h{end - x}v1h-{end - x}z" for (y, x), (_, end) in zip(starts, ends, strict=True))
    words = f"<title>{escape(title)}</title>" + (f"<desc>{escape(description)}</desc>" if description else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(title)} '
        f'width="{side * module}" height="{side * module}" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges">{words}'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def _too_much(content: str | bytes, level: str) -> CannotBeCoded:
    data = content if isinstance(content, bytes) else content.encode(errors="replace")
    digits, alphanumeric, plain = CAPACITY[level]
    better = [name for name, (_, _, most) in CAPACITY.items() if most >= len(data) + 2 and name != level]
    return CannotBeCoded(
        f"{len(data):,} bytes do not fit one QR code of level {level}, which holds {digits:,} digits, "
        f"{alphanumeric:,} alphanumeric characters or {plain:,} bytes",
        code="qr-too-large",
        hint=f"Use level {better[-1]}, or shorten the content."
        if better
        else "Shorten or split the content.",
    )
