"""JSON-LD in pages, and by itself → rows: every object of the wanted @type, wherever it stands.

schema.org's way of publishing vacancies: `<script type="application/ld+json">`, alone, in a list, in @graph, in an
ItemList. Blocks are written by hand and by templates, so they are read as `mend` allows.
"""

import html
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from landbridge.find.read.objects import NOT_JSON, mend
from landbridge.find.read.rows import Row, State, plain_reason

WANTED = "JobPosting"
_DEPTH = 40

_OPEN = re.compile(r"<script\b", re.I)
_CLOSE = re.compile(r"</script\b", re.I)
_IS_LINKED = re.compile(r"application/ld\+json", re.I)
_WRAPPING = re.compile(r"^\s*(?://\s*)?(?:<!\[CDATA\[|<!--)|(?://\s*)?(?:]]>|-->)\s*$")


def read_linked(data: bytes, state: State) -> Iterator[Row]:
    """The objects of type `form.items` (JobPosting) in a page, in a text with several blocks, or in JSON."""
    wanted = state.form.items or WANTED
    state.form = msgspec.structs.replace(state.form, items=wanted)
    text = data.decode("utf-8", "surrogateescape")
    blocks = _blocks(text)
    seen: set[bytes] = set()
    count = 0
    broken = 0
    for number, block in enumerate(blocks, 1):
        try:
            document = _decode(block)
        except ValueError as error:
            broken += 1
            if wanted in block:
                count += 1
                raw = block.encode("utf-8", "surrogateescape")
                yield Row(raw, f"{state.at}block {number}", None, f"the JSON-LD is broken: {error}")
            continue
        nodes = _named(document)
        for posting in _find(document, wanted, 0):
            value = _resolved(posting, nodes, 0)
            try:
                row = msgspec.json.encode(value)
            except RecursionError:
                continue
            if row in seen:
                continue
            seen.add(row)
            count += 1
            if state.after is not None:
                value = state.after(value)
            yield Row(row, f"{state.at}item {count}", value)
    if not count:
        why = f"{len(blocks)} JSON-LD blocks, none with a {wanted}" if blocks else "there is no JSON-LD"
        if re.search(rf"schema\.org/{re.escape(wanted)}|typeof=.{{1,20}}{re.escape(wanted)}", text):
            why += "; the page has it as microdata or RDFa, which is not read"
        state.note(f"{why}{f'; {broken} blocks are broken' if broken else ''}")


def has_blocks(text: str) -> bool:
    """Whether there is JSON-LD in this text."""
    return bool(re.search(r"<script\b[^>]{0,500}application/ld\+json", text, re.I))


def _blocks(text: str) -> list[str]:
    if text.lstrip()[:1] in ("{", "["):
        return [text]
    blocks = []
    opened = _OPEN.search(text)
    while opened is not None:
        begin = text.find(">", opened.end())
        closed = _CLOSE.search(text, begin) if begin >= 0 else None
        if closed is None:
            break
        if _IS_LINKED.search(text, opened.end(), begin):
            blocks.append(text[begin + 1 : closed.start()])
        opened = _OPEN.search(text, closed.end())
    return blocks


def _decode(block: str) -> Any:
    """The document in a block. Raises ValueError with a plain reason."""
    bare = _WRAPPING.sub("", _WRAPPING.sub("", block)).strip().rstrip(";")
    if not bare:
        return None
    reason = ""
    for written in (bare, html.unescape(bare) if bare.count("&quot;") + bare.count("&#34;") > 1 else ""):
        if not written:
            continue
        data = written.encode("utf-8", "surrogateescape")
        for attempt in (data, mend(data, loose=True)):
            try:
                return msgspec.json.decode(attempt)
            except NOT_JSON as error:
                reason = reason or plain_reason(error)
    raise ValueError(reason)


def _types(node: dict[str, Any]) -> list[str]:
    types = node.get("@type")
    found = types if isinstance(types, list) else [types]
    return [re.split(r"[/#:]", one)[-1] for one in found if isinstance(one, str)]


def _find(node: Any, wanted: str, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _DEPTH:
        return
    if isinstance(node, dict):
        if wanted in _types(node):
            yield node
            return
        for inner in node.values():
            yield from _find(inner, wanted, depth + 1)
    elif isinstance(node, list):
        for inner in node:
            yield from _find(inner, wanted, depth + 1)


def _named(document: Any) -> dict[str, dict[str, Any]]:
    """The objects of the document's graph that others refer to by @id."""
    graph = document.get("@graph", document) if isinstance(document, dict) else document
    nodes = graph if isinstance(graph, list) else []
    return {
        node["@id"]: node
        for node in nodes
        if isinstance(node, dict) and isinstance(node.get("@id"), str) and len(node) > 1
    }


def _resolved(node: Any, nodes: dict[str, dict[str, Any]], depth: int) -> Any:
    """The node with `{"@id": …}` replaced by the object that is meant; what that refers to stays."""
    if not nodes or depth > _DEPTH:
        return node
    if isinstance(node, dict):
        if len(node) == 1 and isinstance(node.get("@id"), str):
            return nodes.get(node["@id"], node)
        return {name: _resolved(inner, nodes, depth + 1) for name, inner in node.items()}
    if isinstance(node, list):
        return [_resolved(inner, nodes, depth + 1) for inner in node]
    return node
