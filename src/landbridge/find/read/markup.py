"""XML → rows: one element each, namespaces dropped, attributes as "@name".

No document type, no entity and no network is ever used: a DOCTYPE is refused as what bombs and file readers are
made of. What is merely wrong (HTML's entities, control characters, a wrong encoding declaration) is put right.
"""

import codecs
import html.entities
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

from lxml import etree

from landbridge.errors import Broken, Drift
from landbridge.find.read.objects import After
from landbridge.find.read.rows import Format, LazyRow, Row, State

_DEPTH = 200
_LOST = "\ufdd0"  # a noncharacter that XML allows (XML 1.0, 2.2)
# The row elements of the standards that registers publish in; any other is recognised by its repetition.
_KNOWN = {"rss": "item", "feed": "entry", "OAI-PMH": "record", "urlset": "url", "RDF": "item"}

_MARKS = ("<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE")
_ENTITY_BEGUN = re.compile("&#?[0-9A-Z]*")
_PARTS = re.compile(r"<!\[CDATA\[|]]>|<!--|-->|<!DOCTYPE", re.I)
_PREDEFINED = {"amp", "lt", "gt", "quot", "apos"}
_WRONG = re.compile(
    r"&(?:#(\d{1,8})|#x([0-9a-fA-F]{1,8})|([A-Za-z][A-Za-z0-9]{1,31}));|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def _mark(error: UnicodeError) -> tuple[str, int]:
    """The error handler "mark": each byte that cannot be decoded becomes a character that nobody writes."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _LOST * (error.end - error.start), error.end


codecs.register_error("mark", _mark)


class _Mender:
    """Text of an XML document, piece by piece, with what XML does not know put right outside of CDATA."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._end = ""  # what ends the CDATA section or the comment we are in
        self._rest = ""

    def feed(self, text: str, *, last: bool = False) -> str:
        text = self._rest + text
        keep = 0 if last else self._tail(text)
        text, self._rest = text[: len(text) - keep], text[len(text) - keep :]
        out: list[str] = []
        at = 0
        for match in _PARTS.finditer(text):
            part = match[0]
            if self._end:
                if part == self._end:
                    out.append(self._inner(text[at : match.end()]))
                    at, self._end = match.end(), ""
            elif part.upper() == "<!DOCTYPE":
                raise Broken(
                    self._state.name,
                    "the XML has a document type, which may hold bombs or read files: it is refused",
                    hint="ask the register for XML without a DOCTYPE",
                )
            elif part.startswith("<!"):
                out.append(self._outer(text[at : match.start()]))
                at, self._end = match.start(), "]]>" if part[2] == "[" else "-->"
        out.append(self._inner(text[at:]) if self._end else self._outer(text[at:]))
        return "".join(out)

    @staticmethod
    def _tail(text: str) -> int:
        """How much of the end may be the beginning of something that is looked for."""
        for at in range(max(0, len(text) - 40), len(text)):
            rest = text[at:].upper()
            if any(mark.startswith(rest) for mark in _MARKS) or _ENTITY_BEGUN.fullmatch(rest):
                return len(text) - at
        return 0

    def _outer(self, text: str) -> str:
        return _WRONG.sub(self._mended, text)

    def _inner(self, text: str) -> str:
        return _WRONG.sub(lambda m: m[0] if m[0].startswith("&") else self._mended(m), text)

    def _mended(self, match: re.Match[str]) -> str:
        decimal, hexadecimal, word = match.groups()
        if word is not None:
            if word in _PREDEFINED or f"{word};" not in html.entities.html5:
                return match[0]
            self._state.note("entities of HTML were read in the XML")
            meant = html.entities.html5[f"{word};"]
            return "".join(f"&#{ord(c)};" if c in "<>&\"'" else c for c in meant)
        if decimal or hexadecimal:
            code = int(decimal) if decimal else int(hexadecimal, 16)
            if (
                code in (9, 10, 13)
                or 32 <= code < 0xD800
                or 0xE000 <= code < 0xFFFE
                or 0x10000 <= code < 0x110000
            ):
                return match[0]
        self._state.note("control characters in the XML were left out")
        return ""


def _parser(**options: Any) -> Any:
    safe = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
    return etree.XMLPullParser(**safe, encoding="utf-8", remove_comments=True, remove_pis=True, **options)


def _mended(chunks: Iterator[bytes], state: State) -> Iterator[bytes]:
    """The document in UTF-8 without its encoding declaration, which speaks of other bytes."""
    mender = _Mender(state)
    decoder = codecs.getincrementaldecoder("utf-8")("mark")
    first = True
    for chunk in chunks:
        text = mender.feed(decoder.decode(chunk))
        if first and text:
            text = _DECLARATION.sub("", text.lstrip(), count=1)
            first = False
        if text:
            yield text.encode()
    text = mender.feed(decoder.decode(b"", True), last=True)
    yield (_DECLARATION.sub("", text.lstrip(), count=1) if first else text).encode()


def read_markup(chunks: Iterator[bytes], state: State, row_element: str) -> Iterator[Row]:
    """Each element named `row_element` as a row; an empty name stands for the root."""
    parser = _parser(events=("start", "end"))
    row_element = row_element.rpartition(":")[2]
    root: Any = None
    count = depth = inside = 0
    build = partial(_then, state.after) if state.after is not None else decode_element
    try:
        for chunk in _mended(chunks, state):
            parser.feed(chunk)
            for event, element in parser.read_events():
                if event == "start":
                    depth += 1
                    if root is None:
                        root = element
                        _check_root(element, state)
                    if depth > _DEPTH:
                        raise Broken(state.name, f"the XML is nested more than {_DEPTH} deep")
                    if inside == 0 and _is_row(element, row_element, depth):
                        inside = depth
                    continue
                if depth == inside:
                    count += 1
                    yield _row(element, f"{state.at}item {count}", state, build)
                    inside = 0
                    _forget(element)
                elif not inside:
                    _forget(element)
                depth -= 1
        parser.close()
    except etree.XMLSyntaxError as error:
        words = re.sub(r"\s*\(<string>.*\)$|, line \d+, column \d+$", "", str(error.msg or error))
        line, column = error.position
        raise Broken(
            state.name,
            f"the XML is broken in line {line}, column {column} ({words}): {count} rows came before",
        ) from error
    if not count:
        state.note(f"there is no element {row_element!r} in the XML")


def _check_root(element: Any, state: State) -> None:
    if local_name(element).lower() == "html":
        raise Drift(state.name, "an HTML page stands where XML was expected")


def _is_row(element: Any, row_element: str, depth: int) -> bool:
    return local_name(element) == row_element if row_element else depth == 1


def _forget(element: Any) -> None:
    """Frees what was read: the element and what stands before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _row(element: Any, where: str, state: State, build: Any) -> Row:
    raw: bytes = etree.tostring(element, encoding="utf-8", with_tail=False)
    if _LOST.encode() in raw:
        return Row(raw, where, None, f"bytes are not {state.encoding.upper()}")
    return LazyRow(raw, where, None, "", None, build)


def _then(after: After, raw: bytes) -> Any:
    return after(decode_element(raw))


def decode_element(raw: bytes) -> dict[str, Any]:
    """One element as fields. Raises ValueError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        value = _fields(etree.fromstring(raw, parser), 0)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"the XML is broken ({error.msg})") from error
    return value if isinstance(value, dict) else {"#text": value}


def local_name(element: Any) -> str:
    """The name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _fields(element: Any, depth: int) -> Any:
    """Text for a plain element; else its attributes and children, and all its text where they are mixed."""
    if depth > _DEPTH:
        raise ValueError(f"the XML is nested more than {_DEPTH} deep")
    children = [child for child in element if isinstance(child.tag, str)]
    text = element.text or ""
    if not children and not element.attrib:
        return text.strip()
    out: dict[str, Any] = {f"@{name.rpartition('}')[2]}": value for name, value in element.attrib.items()}
    many = Counter(local_name(child) for child in children)
    for child in children:
        name = local_name(child)
        value = _fields(child, depth + 1)
        if many[name] > 1:
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    if not children:
        if text.strip():
            out["#text"] = text.strip()
    elif text.strip() or any((child.tail or "").strip() for child in children):
        out["#text"] = "".join(element.itertext()).strip()
    return out


Path = tuple[str, ...]


def guess_row_element(head: bytes) -> str:
    """The local name of the row element, by the beginning of a document; empty where the root is the row.

    `head` is UTF-8 and may be cut.
    """
    parser = _parser(events=("start", "end"))
    sizes: Counter[Path] = Counter()
    counts: Counter[Path] = Counter()
    parts: defaultdict[Path, set[str]] = defaultdict(set)
    path: list[str] = []
    kept: list[Any] = []  # lxml frees what nobody holds
    try:
        for text in _mended(iter([head]), State("", Format())):
            parser.feed(text)
            for event, element in parser.read_events():
                if event == "start":
                    parts[tuple(path)].add(local_name(element))
                    path.append(local_name(element))
                    here = tuple(path)
                    counts[here] += 1
                    parts[here].update(f"@{name}" for name in element.attrib)
                    kept.append(element)
                    if len(path) > _DEPTH:
                        return ""
                    continue
                size = len(element.text or "") + sum(map(len, element.attrib.values())) + len(path[-1])
                for at in range(1, len(path) + 1):
                    sizes[tuple(path[:at])] += size
                path.pop()
    except (etree.XMLSyntaxError, Broken):
        pass
    if not counts:
        return ""
    root = next(iter(counts))
    known, below = _KNOWN.get(root[0], ""), _row_below(root, sizes, counts, parts)
    is_there = any(path[-1] == known for path in counts)
    return known if known and (is_there or not below) else below


def _row_below(root: Path, sizes: Counter[Path], counts: Counter[Path], parts: dict[Path, set[str]]) -> str:
    """A list consists mostly of one element that comes again and has several parts.

    Down to it leads what is most of its parent. The only element of the only element … is a list of one.
    """
    here, alone, one = root, True, ""
    while True:
        inner = [path for path in counts if path[:-1] == here]
        lists = [p for p in inner if counts[p] > 1 and len(parts[p]) > 1 and sizes[p] * 2 >= sizes[here]]
        if lists:
            return lists[0][-1]
        largest = max(inner, key=lambda path: sizes[path], default=None)
        if largest is None or counts[largest] > 1 or not parts[largest] or sizes[largest] * 2 < sizes[here]:
            return one
        alone = alone and len(inner) == 1
        if alone and len(parts[largest]) > 1:
            one = largest[-1]
        here = largest
