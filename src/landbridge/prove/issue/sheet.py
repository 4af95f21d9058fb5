"""A sheet to print: codes with what they say beside them, A4 or A6, several persons on one.

One HTML file with nothing to load: it prints from any browser, in any script the printer's computer has letters for,
and is read aloud by a screen reader. What is on it is for its holder; nothing of it is kept.
"""

from collections.abc import Iterable
from html import escape

import msgspec

from landbridge.prove import qr

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
footer {{ font-size: 8pt; margin-top: 2mm; color: #444 }}
"""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One person's code on a sheet, and the lines beside it."""

    heading: str
    code: str
    """What the QR code says."""
    lines: tuple[tuple[str, str], ...] = ()


def render(
    cards: Iterable[Card],
    *,
    paper: str = "a4",
    language: str = "en",
    direction: str = "ltr",
    title: str = "",
    note: str = "",
) -> str:
    """The sheet as HTML. Raises KeyError for another paper than a4 and a6, `qr.CannotBeCoded` for too long a code."""
    page, columns, size = _LAYOUTS[paper]
    articles = []
    for card in cards:
        lines = "".join(
            f"<dt>{escape(name)}</dt><dd dir=auto>{escape(value)}</dd>" for name, value in card.lines if value
        )
        picture = qr.svg(card.code, error_correction="Q" if len(card.code) <= 1_600 else "M")
        articles.append(
            f"<article><h2 dir=auto>{escape(card.heading)}</h2>{picture}<dl>{lines}</dl>"
            f"<footer>{escape(note)}</footer></article>"
        )
    style = _STYLE.format(page=page, columns=columns, code=size)
    return (
        f'<!doctype html>\n<html lang="{escape(language)}" dir="{escape(direction)}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body><main>\n"
        + "\n".join(articles)
        + "\n</main></body></html>\n"
    )
