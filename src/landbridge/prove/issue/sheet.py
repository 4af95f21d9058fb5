"""A sheet to print: codes with what they say beside them, A4 or A6, several persons on one.

One HTML file with nothing to load: it prints from any browser, in any script the printer's computer has letters for,
and is read aloud by a screen reader. What is on it is for its holder; nothing of it is kept.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape

import msgspec

from landbridge.prove import qr

PAPERS = ("a4", "a6")
_LAYOUTS = {
    # paper: page size, columns, size of a code
    "a4": ("A4", 2, "68mm"),
    "a6": ("A6", 1, "78mm"),
}
_STYLE = """
@page {{ size: {page}; margin: 8mm }}
* {{ box-sizing: border-box }}
body {{ margin: 0; font: 10pt/1.35 "Noto Sans", system-ui, sans-serif; color: #000; background: #fff }}
main {{ display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 5mm }}
article {{ break-inside: avoid; border: .3mm solid #777; border-radius: 2mm; padding: 4mm; text-align: center }}
h2 {{ font-size: 12pt; margin: 0 0 2mm }}
svg {{ width: {code}; max-width: 100%; height: auto; display: block; margin: 0 auto }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .5mm 3mm; text-align: start; margin: 2mm 0 0; font-size: 9pt }}
dt {{ color: #444 }} dd {{ margin: 0; overflow-wrap: anywhere }}
@media screen and (max-width: 40rem) {{ body {{ margin: 3mm }} main {{ grid-template-columns: 1fr }} }}
footer {{ font-size: 8pt; margin-top: 2mm; color: #444 }}
"""


# Of version 25, 117 modules a side: digits, alphanumeric characters, bytes (ISO/IEC 18004, table 7). Denser codes are
# hard to read off paper, so that error correction yields first.
_READABLE: dict[qr.Level, tuple[int, int, int]] = {
    "Q": (1_708, 1_035, 715),
    "M": (2_395, 1_451, 997),
}
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]*")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One person's code on a sheet, and the lines beside it."""

    heading: str
    code: str
    """What the QR code says."""
    lines: tuple[tuple[str, str], ...] = ()


def level_for(code: str) -> qr.Level:
    """The error correction of a code: the strongest of Q, M and L that leaves it easy to read."""
    mode = 0 if code.startswith("shc:/") else 1 if _ALPHANUMERIC.fullmatch(code) else 2
    return next((level for level, most in _READABLE.items() if len(code) <= most[mode]), "L")


def png(code: str) -> bytes:
    """The QR code as a picture. Raises `qr.CannotBeCoded` for what fits none."""
    return qr.png(code, error_correction=level_for(code))


def svg(code: str, *, title: str = "QR code") -> str:
    """The QR code as a drawing, `title` for who cannot see it. Raises `qr.CannotBeCoded` for what fits none."""
    return qr.svg(code, error_correction=level_for(code), title=title)


def style_hash(paper: str) -> str:
    """What a page's security policy names the sheet's style by (Content Security Policy 3, section 2.3.1)."""
    digest = hashlib.sha256(_style(paper).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def render(
    cards: Iterable[Card],
    *,
    paper: str = "a4",
    language: str = "en",
    direction: str = "ltr",
    title: str = "",
    note: str = "",
    code_title: str = "QR code",
) -> str:
    """The sheet as HTML. Raises KeyError for another paper than a4 and a6, `qr.CannotBeCoded` for too long a code."""
    articles = []
    for card in cards:
        lines = "".join(
            f"<dt>{escape(name)}</dt><dd><bdi>{escape(value)}</bdi></dd>"
            for name, value in card.lines
            if value
        )
        articles.append(
            f"<article><h2 dir=auto>{escape(card.heading)}</h2>{svg(card.code, title=code_title)}<dl>{lines}</dl>"
            f"<footer>{escape(note)}</footer></article>"
        )
    return (
        f'<!doctype html>\n<html lang="{escape(language)}" dir="{escape(direction)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{_style(paper)}</style></head>\n<body><main>\n"
        + "\n".join(articles)
        + "\n</main></body></html>\n"
    )


def _style(paper: str) -> str:
    page, columns, size = _LAYOUTS[paper]
    return _STYLE.format(page=page, columns=columns, code=size)
