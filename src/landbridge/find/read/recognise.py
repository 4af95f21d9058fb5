"""The beginning of a file → the format it is written in."""

import re
from itertools import islice

import msgspec

from landbridge.errors import Broken, Drift
from landbridge.find.read import linked, markup, mojibake, objects
from landbridge.find.read.delimited import looks_like_data, recognise_dialect, settle_dialect, whole_lines
from landbridge.find.read.encoding import Utf8
from landbridge.find.read.literals import parse_literal
from landbridge.find.read.rows import Format, State
from landbridge.find.read.unpack import CHUNK, inflate_head, is_workbook

HEAD = CHUNK
_SUFFIXES = {
    **{"csv": "csv", "tsv": "tsv", "tab": "tsv", "json": "json", "ndjson": "ndjson", "jsonl": "ndjson"},
    **{"xml": "xml", "rss": "xml", "atom": "xml", "html": "html", "htm": "html", "jsonld": "json-ld"},
    **{"xlsx": "xlsx", "xlsm": "xlsx", "xlsb": "xlsx", "xls": "xlsx", "ods": "xlsx"},
}
KINDS = frozenset(_SUFFIXES.values())
_PACKED = {"gz", "gzip", "bz2", "xz", "zip"}
_TABLES = frozenset({"csv", "tsv"})
_JSON = frozenset({"json", "ndjson", "json-ld"})
_PAGES = frozenset({"html", "json-ld"})
# The first element, behind declarations and comments.
_ROOT = re.compile(r"(?:\s++|<\?[^>]*+>|<!--.*?-->|<![^>]*+>)*+<([A-Za-z][\w.-]*)", re.S)
_HTML_ROOTS = frozenset(
    {"html", "head", "body", "div", "script", "span", "p", "h1", "h2", "table", "meta", "title", "main"}
)
_DECLARED = (
    re.compile(rb"""^\s*<\?xml[^>]{0,200}\bencoding\s*=\s*["']([\w.:-]{2,40})["']"""),
    re.compile(rb"""<meta\b[^>]{0,200}\bcharset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I),
)
_NOT_DATA = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"SQLite": "an SQLite database",
    b"PAR1": "a Parquet file",
}


def recognise(head: bytes, name: str) -> Format:
    """How a file reads that begins with these bytes (256 KB tell enough), packed or not.

    Unlike `read`, which does only what a source file says, this also proposes `cells`, `mojibake` and `header`.
    Raises Broken for what is no register.
    """
    bare, inner = inflate_head(head)
    if is_workbook(bare):
        return Format(kind="xlsx")
    state = State(name, Format())
    text = utf8_head(bare, state)
    form = recognise_text(text, inner or name, state)
    sample = text.decode("utf-8", "replace")
    wrong = "repair" if mojibake.looks_wrong(sample[:100_000]) else ""
    form = msgspec.structs.replace(form, encoding=state.encoding, mojibake=wrong)
    if form.kind not in _TABLES:
        return form
    dialect = recognise_dialect(sample, form)
    rows = list(islice(dialect.reader(iter(whole_lines(sample)[dialect.skip :])), 200))
    cells = [cell for row in rows[1:] for cell in row]
    return msgspec.structs.replace(
        form,
        header=not (rows and looks_like_data(rows[0])),
        cells="literals"
        if any(not isinstance(parse_literal(c), str) for c in cells if c[:1] in "[{")
        else "",
    )


def utf8_head(head: bytes, state: State) -> bytes:
    """The beginning of a file in UTF-8; what it declares about itself counts."""
    declared = state.form.encoding or declared_encoding(head)
    return b"".join(Utf8(iter([head]), declared, state))


def declared_encoding(head: bytes) -> str:
    """What a document says about its own encoding, if Python knows the word."""
    for pattern in _DECLARED:
        if found := pattern.search(head[:4096]):
            word = found[1].decode("ascii", "replace").lower()
            try:
                "".encode(word)
            except (LookupError, ValueError):
                return ""
            return "" if word.startswith(("utf-16", "utf16", "utf-7", "utf-32", "ucs")) else word
    return ""


def recognise_text(head: bytes, name: str, state: State) -> Format:
    """The kind of a file by its text in UTF-8, and what belongs to that kind; `state.form` says what is given.

    Raises Broken where it is nothing that holds rows, and Drift where it is something else than declared.
    """
    form = state.form
    for magic, what in _NOT_DATA.items():
        if head.startswith(magic):
            raise Broken(state.name, f"this is {what}", hint="CSV, XLSX, JSON, NDJSON, XML and HTML are read")
    text = head.decode("utf-8", "replace")
    if not text.strip(" \t\r\n\x00\ufeff"):
        raise Broken(state.name, "there is nothing in it")
    found = _kind(text, head, suffix_kind(name), form)
    kind = _reconciled(form.kind, found, state)
    form = msgspec.structs.replace(form, kind=kind)
    if kind in _TABLES:
        dialect = settle_dialect(text, form, state)
        return msgspec.structs.replace(
            form, delimiter=dialect.delimiter, quote=dialect.quote, skip=dialect.skip
        )
    if form.items:
        return form
    if kind == "xml":
        return msgspec.structs.replace(form, items=markup.guess_row_element(head))
    if kind == "json":
        try:
            return msgspec.structs.replace(form, items=objects.guess_items(objects.close_cut(head)))
        except objects.NOT_JSON:
            return form
    if kind in _PAGES:
        return msgspec.structs.replace(form, items=linked.WANTED)
    return form


def suffix_kind(name: str) -> str:
    """The kind that a file's name promises."""
    parts = name.lower().rsplit("/", 1)[-1].split(".")[1:]
    while parts and parts[-1] in _PACKED:
        parts.pop()
    return _SUFFIXES.get(parts[-1], "") if parts else ""


def _kind(text: str, head: bytes, promised: str, form: Format) -> str:
    """What the text is by itself; `promised` decides only where it may be either."""
    begin = text.lstrip()
    if re.match(r'\{\s*["}]|\[\s*(?:[{\["\d\]-]|true|false|null|$)', begin):
        return _json_kind(head, promised or form.kind)
    if begin.startswith("<"):
        root = _ROOT.match(begin)
        if root is not None and root[1].lower() in _HTML_ROOTS:
            return "html"
        return "html" if not begin.startswith("<?xml") and linked.has_blocks(text) else "xml"
    if linked.has_blocks(text):
        return "html"
    if promised in _TABLES:
        return promised
    if "\x00" in text or text.count("\ufffd") * 20 > len(text):
        return ""
    dialect = recognise_dialect(text, form)
    return ("tsv" if dialect.delimiter == "\t" else "csv") if dialect.score >= 0.9 else ""


def _json_kind(head: bytes, promised: str) -> str:
    lines = [line for line in head.split(b"\n")[:6] if line.strip()]
    whole = sum(1 for line in lines if _is_object(line))
    if promised == "ndjson" or (len(lines) > 1 and whole * 2 >= len(lines) and lines[0].lstrip()[:1] == b"{"):
        return "ndjson" if head.lstrip()[:1] == b"{" else "json"
    begin = head[:2000]
    is_linked = b'"@context"' in begin and b"schema.org" in begin
    return "json-ld" if is_linked and promised != "json" else "json"


def _is_object(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except objects.NOT_JSON:
        return False
    return line.lstrip()[:1] == b"{"


def _reconciled(declared: str, found: str, state: State) -> str:
    """The kind to read as, where the source file and the bytes disagree."""
    if not declared:
        if not found:
            raise Broken(state.name, "this is no format that is known", hint="write kind = in [fetch]")
        return found
    if declared == found or not found:
        return declared
    if found == "html" and declared not in _PAGES:
        raise Drift(state.name, f"an HTML page stands where {declared.upper()} was expected")
    if {declared, found} <= _TABLES or {declared, found} <= _JSON or {declared, found} <= _PAGES:
        if {declared, found} == {"json", "ndjson"}:
            state.note(f"declared {declared}, is {found}")
            return found
        return declared
    if found in _TABLES and declared not in ("xlsx",):
        return declared  # prose may look like a table
    raise Drift(state.name, f"{found.upper()} stands where {declared.upper()} was expected")
