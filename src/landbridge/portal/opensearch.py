"""The search as a browser's search engine: an OpenSearch description (1.1), and suggestions for its box."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

import msgspec

from landbridge.kinds.kind import LANGUAGES
from landbridge.portal.feeds import Reads

TYPE: Final = "application/opensearchdescription+xml; charset=utf-8"
SUGGESTIONS: Final = "application/x-suggestions+json"
_OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
_MOST = 10  # suggestions


def description(base: str, reader: Reads, *, name: str = "Landbridge") -> bytes:
    """What a browser reads to add this search; `base` is the absolute address of this site."""
    ET.register_namespace("", _OPENSEARCH)
    root = ET.Element(f"{{{_OPENSEARCH}}}OpenSearchDescription")

    def add(tag: str, text: str = "", **attributes: str) -> None:
        ET.SubElement(root, f"{{{_OPENSEARCH}}}{tag}", attributes).text = text or None

    here = f"{base}/{reader.language}"
    add("ShortName", name[:16])
    add("Description", reader.text("Search the members’ registers")[:1024])
    add("Url", type="text/html", method="get", template=f"{here}/find?q={{searchTerms}}")
    add("Url", type="application/json", method="get", template=f"{base}/api/v1/find?q={{searchTerms}}")
    add("Url", type=SUGGESTIONS, method="get", template=f"{base}/suggest.json?q={{searchTerms}}")
    add("Url", type=TYPE.partition(";")[0], rel="self", template=f"{here}/opensearch.xml")
    add("Language", reader.language)
    for language in LANGUAGES:
        if language != reader.language:
            add("Language", language)
    add("InputEncoding", "UTF-8")
    add("OutputEncoding", "UTF-8")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'.encode()


def suggestions(typed: str, found: Sequence[str]) -> bytes:
    """What was typed and what it may become, as browsers take it."""
    return msgspec.json.encode([typed, list(dict.fromkeys(found))[:_MOST]])
