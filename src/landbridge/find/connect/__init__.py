"""How a register is reached: a connector turns a source into pages of rows.

Every connector is one function `pages(source, client, cursor)`; the journal commits each page together
with its cursor, so a restart goes on behind the last committed page. The tables of their `[fetch]` keys stand
at the top of their modules.

| `with` | for |
|---|---|
| `json-pages` | a list given page by page; with `[fetch.slices]`, one that caps a query |
| `event-feed` | a feed that tells what came, changed and went |
| `json-ld` | pages with schema.org's JobPosting, found through a sitemap |
| `eures` | the input interface of EURES (HR-XML) |
| `file` | a file to download, or local files |
"""

from landbridge.errors import SourceFileError
from landbridge.find.connect import eures, feed, files, pages, sitemap, slices
from landbridge.find.connect.page import Page, Pages, as_key, fingerprint, key_of
from landbridge.find.source import Source

__all__ = ["CONNECTORS", "Page", "Pages", "as_key", "connect", "fingerprint", "key_of"]

CONNECTORS = {
    "json-pages": (pages.read_pages, pages.pages),
    "event-feed": (feed.read_feed, feed.pages),
    "json-ld": (sitemap.read_sitemap, sitemap.pages),
    "eures": (eures.read_eures, eures.pages),
    "file": (files.read_files, files.pages),
}


def connect(source: Source) -> Pages:
    """The connector that `[fetch] with` names, after a look at its keys. Raises SourceFileError."""
    name = source.fetch.get("with", "")
    if name not in CONNECTORS:
        raise SourceFileError(
            source.id, f"[fetch] with = {name!r} is unknown", hint=f"one of {', '.join(CONNECTORS)}"
        )
    if name == "json-pages" and "slices" in source.fetch:
        slices.read_slices(source)
        return slices.pages
    read, pages_ = CONNECTORS[name]
    read(source)
    return pages_
