"""Cells that hold the source text of a list or an object, as data frames are saved: `['x']`, `{'id': 1}`.

JSON, or Python's literals (Language Reference 2.5 and 6.2) with null, true, false and NaN; nothing is ever run.
"""

import ast
import math
from collections.abc import Mapping
from typing import Any

import msgspec

_LONGEST = 2**18
_WORDS: Mapping[str, Any] = {
    "None": None,
    "True": True,
    "False": False,
    "null": None,
    "true": True,
    "false": False,
    "nan": None,
    "NaN": None,
}


def parse_cells(value: Any) -> Any:
    """The value with every literal in it read; text that is none stays text."""
    if isinstance(value, str):
        return parse_literal(value)
    if isinstance(value, dict):
        return {name: parse_cells(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [parse_cells(inner) for inner in value]
    return value


def parse_literal(text: str) -> Any:
    """The list, object or truth value that `text` writes, or `text` itself."""
    bare = text.strip()
    if bare in ("None", "True", "False"):
        return _WORDS[bare]
    if not bare or bare[0] not in "[{(" or bare[-1] not in "]})" or len(bare) > _LONGEST:
        return text
    try:
        return msgspec.json.decode(bare.encode())
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        pass
    try:
        return _value(ast.parse(bare, mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text


def _value(node: ast.expr) -> Any:
    """What a literal stands for. Raises ValueError for anything that is not one."""
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return None if isinstance(value, float) and not math.isfinite(value) else value
        case ast.Constant(value=bool() as value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            if any(key is None for key in keys):
                raise ValueError("an unpacked dictionary")
            return {str(_value(key)): _value(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
    raise ValueError("not a literal")
