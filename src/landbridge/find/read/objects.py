"""JSON (RFC 8259) and NDJSON → rows that stay bytes until somebody wants their fields.

What is commonly wrong with published JSON is read all the same (`mend`); behind anything worse the rows
before the break are given, then Broken is raised.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import msgspec

from landbridge.errors import Broken, Drift
from landbridge.find.read.rows import (
    LazyRow,
    Row,
    State,
    decode_object,
    plain_reason,
    undecoded,
    undecoded_fault,
)

_LINE = 2**26  # bytes of one line of NDJSON
_DEPTH = 4  # levels above the list of the rows, where it is looked for
_NESTED = 100  # brackets that are open at once, in a document whose rows are looked for
_SPACE = b" \t\r\n"

Raw = msgspec.Raw
After = Callable[[Any], Any]
NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

# Possessive, and to the end where it is never closed: nobody can make this scan a text twice.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|(?P<cut>\\?\Z))'
_TOKEN = re.compile(_STRING + rb'|[{}\[\],:]|[^\s{}\[\],:"]+', re.S)
_MENDED = re.compile(_STRING + rb"|\b(?:NaN|nan)\b|-?\bInfinity\b", re.S)
_LOOSE = re.compile(_MENDED.pattern + rb"|,(?=\s*[}\]])|//[^\n]*|/\*.*?(?:\*/|\Z)", re.S)
_WORD = re.compile(rb"true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CONTROL = re.compile(rb"[\x00-\x1f]")
_HALF = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def mend(data: bytes, *, loose: bool = False) -> bytes:
    """JSON with NaN as null, control characters in strings escaped, halves of surrogate pairs replaced.

    `loose` also drops trailing commas and comments, as people write JSON-LD by hand.
    """
    return (_LOOSE if loose else _MENDED).sub(_mended, data)


def _mended(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if not token.startswith(b'"'):
        return b"" if token[:1] in b",/" else b"null"
    if _CONTROL.search(token):
        token = _CONTROL.sub(lambda c: b"\\u%04x" % c[0][0], token)
    if b"\\u" in token:
        token = _HALF.sub(lambda m: m[1] + (m[2] or b"\\ufffd"), token)
    return token


def _raw(data: bytes | Raw) -> Raw:
    """The JSON value, checked but not built. Raises msgspec.DecodeError or RecursionError."""
    return msgspec.json.decode(data, type=Raw)


def read_json(data: bytes, state: State) -> Iterator[Row]:
    """The rows of one JSON document at `form.items`."""
    try:
        items = _items(_raw(data), state)
    except NOT_JSON as error:
        yield from _one_by_one(data, state, error)
        return
    for count, item in enumerate(items, 1):
        yield _row(item, f"{state.at}item {count}", state)


def _row(item: Raw, where: str, state: State) -> Row:
    """One item as a row; what is not an object, or not text, is a fault."""
    for step in _steps(state.form.each):
        try:
            inner = _at(item, step)
        except NOT_JSON as error:
            return Row(bytes(item), where, None, plain_reason(error))
        if inner is None:
            return Row(bytes(item), where, None, f"the item has no {state.form.each!r}")
        item = inner
    raw = bytes(item)
    if raw[:1] != b"{":
        return Row(raw, where, None, f"the item is {_what(raw)}, not an object")
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError:
            return Row(
                raw, where, None, undecoded_fault(raw.decode("utf-8", "surrogateescape"), state.encoding)
            )
    if state.after is None:
        return Row(raw, where)
    return LazyRow(raw, where, None, "", None, partial(_then, state.after))


def _then(after: After, raw: bytes) -> Any:
    return after(decode_object(raw))


def _what(raw: bytes) -> str:
    return {b"[": "a list", b'"': "text", b"n": "null", b"t": "true or false", b"f": "true or false"}.get(
        raw[:1], "a number"
    )


def _steps(path: str) -> list[str]:
    return [step for step in path.split(".") if step]


@lru_cache(256)
def _step_type(step: str) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        "Step", [("found", Raw | msgspec.UnsetType, msgspec.field(name=step, default=msgspec.UNSET))]
    )


def _at(value: Raw, step: str) -> Raw | None:
    """What stands under `step` in an object; None where there is nothing."""
    if _first(value) != b"{":
        return None
    found: Raw | msgspec.UnsetType = msgspec.json.decode(value, type=_step_type(step)).found  # type: ignore[attr-defined]
    return None if found is msgspec.UNSET else found


def _first(value: bytes | Raw) -> bytes:
    return bytes(memoryview(value)[:64]).lstrip(_SPACE)[:1]


def _elements(value: Raw) -> list[Raw]:
    """The elements of a list, or the values of an object."""
    if _first(value) == b"[":
        return msgspec.json.decode(value, type=list[Raw])
    return list(msgspec.json.decode(value, type=dict[str, Raw]).values())


def _items(whole: Raw, state: State) -> list[Raw]:
    """The rows that the path leads to. Raises Drift where its first step is not there at all."""
    given = state.form.items
    path = given or guess_items(whole)
    state.form = msgspec.structs.replace(state.form, items=path)
    steps = _steps(path)
    here = [whole]
    for depth, step in enumerate(steps):
        here = [inner for value in here for inner in _follow(value, step)]
        if not here:
            if depth == 0 and given and step != "*":
                raise Drift(
                    state.name, f"the answer has no {step!r}: {_outline(whole)}", hint="has the path moved?"
                )
            state.note(f"there is no {'.'.join(steps[: depth + 1])!r} in the answer")
            return []
    if steps and steps[-1] == "*":
        return here
    out: list[Raw] = []
    for value in here:
        first = _first(value)
        if first == b"[":
            out += _elements(value)
        elif first == b"{":
            out.append(value)
        elif first != b"n":
            raise Drift(state.name, f"{path or 'the answer'} is {_what(first)}, not a list of rows")
    return out


def _follow(value: Raw, step: str) -> list[Raw]:
    """One step; a list is walked through."""
    first = _first(value)
    if step == "*":
        return _elements(value) if first in (b"[", b"{") else []
    if first == b"[":
        return [inner for element in _elements(value) for inner in _follow(element, step)]
    found = _at(value, step)
    return [] if found is None else [found]


def _outline(whole: Raw) -> str:
    if _first(whole) != b"{":
        return f"it is {_what(_first(whole))}"
    keys = list(msgspec.json.decode(whole, type=dict[str, Raw]))
    return f"it has {', '.join(keys[:12])}" if keys else "it is empty"


def guess_items(whole: bytes | Raw) -> str:
    """The path to the rows of a document: its largest list of objects, if that is most of it.

    A document that is one record has lists as well; they are the smaller part of it. An object of objects
    that are alike (`{"id1": {…}, "id2": {…}}`) has its rows at `*`.
    """
    if _first(whole) != b"{":
        return ""
    found: list[tuple[int, str]] = []
    _look(whole, "", 0, found)
    size, path = max(found, default=(0, ""))
    return path if size * 2 >= len(memoryview(whole)) else ""


def _look(value: bytes | Raw, path: str, depth: int, found: list[tuple[int, str]]) -> None:
    fields = msgspec.json.decode(value, type=dict[str, Raw])
    objects = []
    for key, inner in fields.items():
        here = f"{path}.{key}" if path else key
        first = _first(inner)
        if first == b"[" and key and "." not in key:
            elements = _elements(inner)
            if depth == 0 and _is_page(fields):
                found.append((len(memoryview(value)), here))
            elif elements and _first(elements[0]) == b"{":
                found.append((len(memoryview(inner)), here))
        elif first == b"{":
            objects.append(inner)
            if depth < _DEPTH and key and "." not in key:
                _look(inner, here, depth + 1, found)
    if len(objects) >= 3 and len(objects) == len(fields) and _are_alike(objects):
        found.append((len(memoryview(value)) + 1, f"{path}.*" if path else "*"))


def _is_page(fields: dict[str, Raw]) -> bool:
    """Whether everything but one list is a number, a truth value or nothing: a page, even one without rows."""
    return sum(1 for value in fields.values() if _first(value) not in b"tfn-0123456789") == 1


def _are_alike(objects: list[Raw]) -> bool:
    keys = [set(msgspec.json.decode(value, type=dict[str, Raw])) for value in objects[:20]]
    return all(len(keys[0] & other) * 2 > len(keys[0] | other) for other in keys)


def close_cut(head: bytes) -> bytes:
    """The beginning of a JSON document, closed behind its last whole value, with words that are none as null."""
    out: list[bytes] = []
    stack: list[bytes] = []
    safe, closers = 0, b""
    value = False  # whether the last token ended a value
    for match in _TOKEN.finditer(head):
        token = match[0]
        if match["cut"] is not None or (match.end() == len(head) and token not in b"]}"):
            break
        if token in b"{[":
            stack.append(b"}" if token == b"{" else b"]")
            if len(stack) > _NESTED:
                break
        elif token in b"}]" and (not stack or stack.pop() != token):
            break
        if token == b"," and value:
            safe, closers = len(out), b"".join(reversed(stack))
        value = token not in b"{[,:"
        is_word = value and token[:1] not in b'"}]'
        out.append(b"null" if is_word and not _WORD.fullmatch(token) else token)
        if token in b"{[}]":
            safe, closers = len(out), b"".join(reversed(stack))
    return mend(b"".join(out[:safe]) + closers)


def _one_by_one(data: bytes, state: State, error: Exception) -> Iterator[Row]:
    """The rows of a document that is not JSON as a whole: those that are, mended or not, and Broken if it is cut."""
    path = state.form.items or _guess_broken(data)
    state.form = msgspec.structs.replace(state.form, items=path)
    reason = plain_reason(error)
    steps = _steps(path)
    start = _find_list(data, steps)
    if start is None:
        raise Broken(state.name, reason, hint="fetch it again; if it stays so, tell the register") from error
    count, at = 0, start
    while (found := _next_item(data, at)) is not None:
        begin, at = found
        count += 1
        yield _checked(data[begin:at], f"{state.at}item {count}", state)
    at = _skip_space(data, at)
    if at == len(data) if data[start - 1 : start] != b"[" else _is_closed(data, at, len(steps) + 1):
        return
    reason = reason if "byte" in reason else f"{reason} in byte {at:,}"
    raise Broken(state.name, f"{reason}: {count} rows came before", hint="fetch it again") from error


def _checked(raw: bytes, where: str, state: State) -> Row:
    """One row out of bytes that may be no JSON; what can be mended is."""
    try:
        item = _raw(raw)
    except NOT_JSON as error:
        try:
            item = _raw(mend(raw))
        except NOT_JSON:
            text = raw.decode("utf-8", "surrogateescape")
            fault = undecoded_fault(text, state.encoding) if undecoded(text) else plain_reason(error)
            return Row(raw, where, None, fault)
        state.note("NaN, raw control characters or half characters in the JSON were mended")
    return _row(item, where, state)


def _guess_broken(data: bytes) -> str:
    try:
        return guess_items(close_cut(data[: 2**18]))
    except NOT_JSON:
        return ""


def _find_list(data: bytes, steps: list[str]) -> int | None:
    """Where the elements of the list at this path begin; None where it is not reached."""
    at = 0
    while True:
        at = _skip_space(data, at)
        opened = data[at : at + 1]
        if opened == b"[" and not steps:
            return at + 1
        if opened == b"{" and not steps:
            return at if at == 0 or not data[:at].strip(_SPACE) else None
        if opened != b"{":
            return None
        inner = _find_key(data, at + 1, steps[0])
        if inner is None:
            return None
        at, steps = inner, steps[1:]


def _find_key(data: bytes, at: int, step: str) -> int | None:
    """Where the value of this key begins, in the object whose inside begins at `at`."""
    wanted = msgspec.json.encode(step)
    while True:
        key = _TOKEN.search(data, at)
        if key is None or key["cut"] is not None or key[0] in b"}]":
            return None
        if key[0] == b",":
            at = key.end()
            continue
        colon = _TOKEN.search(data, key.end())
        if colon is None or colon[0] != b":":
            return None
        if key[0] == wanted:
            return colon.end()
        end = _end_of(data, colon.end())
        if end is None:
            return None
        at = end


def _skip_space(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in _SPACE:
        at += 1
    return at


def _end_of(data: bytes, at: int) -> int | None:
    """Where the value that begins at `at` ends, by its brackets; None if it does not."""
    depth = 0
    for match in _TOKEN.finditer(data, at):
        token = match[0]
        if token in b"{[":
            depth += 1
        elif token in b"}]":
            depth -= 1
            if depth < 0:
                return None
        elif match["cut"] is not None or (depth == 0 and token in b",:"):
            return None
        if depth == 0:
            return match.end()
    return None


def _next_item(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the next element begins and ends; None where there is no whole one."""
    at = _skip_space(data, at)
    if data[at : at + 1] == b",":
        at = _skip_space(data, at + 1)
    if at >= len(data) or data[at] in b"]}":
        return None
    end = _end_of(data, at)
    return None if end is None else (at, end)


def _is_closed(data: bytes, at: int, depth: int) -> bool:
    """Whether from here on every bracket that is open is closed, and nothing follows."""
    for match in _TOKEN.finditer(data, at):
        token = match[0]
        if match["cut"] is not None or depth == 0:
            return False
        depth += (token in b"{[") - (token in b"}]")
    return depth == 0


def read_ndjson(chunks: Iterator[bytes], state: State) -> Iterator[Row]:
    """The rows of JSON lines; a line that cannot be read is a fault of its own."""
    for number, line in enumerate(_lines(chunks, state.name), 1):
        raw = line.strip(b" \t\r\n\x00\x1e")
        if not raw:
            continue
        yield _checked(raw, f"{state.at}line {number}", state)


def _lines(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    rest: list[bytes] = []
    size = 0
    for chunk in chunks:
        head, found, tail = chunk.rpartition(b"\n")
        if found:
            lines = head.split(b"\n")
            lines[0] = b"".join([*rest, lines[0]])
            yield from lines
            rest, size = [], 0
        rest.append(tail)
        size += len(tail)
        if size > _LINE:
            raise Broken(name, f"a line of more than {_LINE >> 20} MB: this is no NDJSON")
    yield b"".join(rest)
