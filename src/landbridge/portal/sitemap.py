"""What crawlers may see: the site map (sitemaps.org, 0.9) of all living records about things, and robots.txt.

One page for each 50,000 records of a source, read from the journal row by row; a record has one address, whose
page offers the other languages. Records of personal kinds are in none.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import sqlalchemy as sa

from landbridge.errors import NotFound
from landbridge.find.journal.tables import records, sources
from landbridge.instance import Instance

TYPE: Final = "application/xml; charset=utf-8"
MOST: Final = 50_000  # addresses of a page; the protocol allows no more
_LONGEST = 900  # characters of an address, so that a page stays under the 50 MB that the protocol allows
_ROWS = 1_000  # written at once
_XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def site_index(instance: Instance, base: str) -> bytes:
    """The index of all pages; `base` is the absolute address of this site."""
    parts = []
    for state in instance.journal.states():
        if not _shown(instance, state.kind):
            continue
        for number in range(1, -(-state.alive // MOST) + 1):
            address = f"{base}/sitemaps/{quote(state.name, safe='/')}/{number}.xml"
            when = f"<lastmod>{_instant(state.last_good)}</lastmod>" if state.last_good else ""
            parts.append(f"<sitemap><loc>{escape(address)}</loc>{when}</sitemap>\n")
    return f'{_HEAD}<sitemapindex xmlns="{_XMLNS}">\n{"".join(parts)}</sitemapindex>\n'.encode()


def site_page(instance: Instance, base: str, source: str, number: int) -> Iterator[bytes]:
    """The page of a source, `number` from 1, in pieces. Raises NotFound at once where there is none."""
    for state in instance.journal.states():
        if state.name == source and _shown(instance, state.kind) and 0 < number <= -(-state.alive // MOST):
            return _page(instance, base, source, number)
    raise NotFound("no such page of the site map", hint="/sitemap.xml lists them")


def robots(base: str) -> bytes:
    """What crawlers are asked: to read records, and not to walk through every question there could be."""
    closed = ("/find", "/*/find", "/s/", "/*/s/", "/suggest.json", "/api/v1/find")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), f"Sitemap: {base}/sitemap.xml"]
    return "\n".join([*lines, ""]).encode()


def _shown(instance: Instance, kind: str) -> bool:
    return kind in instance.kinds and not instance.kinds[kind].personal


def _page(instance: Instance, base: str, source: str, number: int) -> Iterator[bytes]:
    query = (
        sa.select(records.c.key, records.c.changed)
        .join(sources, sources.c.id == records.c.source)
        .where(sources.c.name == source, records.c.gone.is_(None))
        .order_by(records.c.seq)
        .offset((number - 1) * MOST)
        .limit(MOST)
    )
    yield f'{_HEAD}<urlset xmlns="{_XMLNS}">\n'.encode()
    reading = instance.journal.engine.execution_options(landbridge_reads=True)
    with reading.connect() as db:
        rows = db.execution_options(yield_per=_ROWS).execute(query)
        for part in rows.partitions(_ROWS):
            lines = []
            for key, changed in part:
                address = f"{base}/records/{quote(f'{source}/{key}', safe='/')}"
                if len(address) <= _LONGEST:
                    lines.append(
                        f"<url><loc>{escape(address)}</loc><lastmod>{_instant(changed)}</lastmod></url>\n"
                    )
            yield "".join(lines).encode()
    yield b"</urlset>\n"


def _instant(seconds: float) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"
