"""JSON written one way only, so that it can be signed (RFC 8785, JSON Canonicalization Scheme; RFC 7493, I-JSON)."""

import json
import math
import re
from decimal import Decimal
from typing import Any

import rfc8785

from landbridge.errors import Malformed

MAX_BYTES = 4_000_000
"""The longest JSON text that is read: a badge with its pictures inside is below one million."""
MAX_DEPTH = 64
MAX_VALUES = 200_000
_MAX_DIGITS = 400
_EXACT = 2**53 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotCanonical(Malformed):
    """JSON that two readers could understand differently; `code` is `json` or `json-number`."""


def read(text: str | bytes) -> Any:
    """JSON as strictly as a signature needs it.

    Raises NotCanonical: for a name written twice, a number that no double stands for, half a surrogate pair, more than MAX_DEPTH levels, more than MAX_BYTES bytes.
    """
    if len(text) > MAX_BYTES:
        raise NotCanonical(f"this JSON is longer than {MAX_BYTES} bytes", code="json")
    try:
        found = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_once_each,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_no_constant,
        )
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as wrong:
        where = f" at character {wrong.pos}" if isinstance(wrong, json.JSONDecodeError) else ""
        raise NotCanonical(f"this is not well-formed JSON{where}", code="json") from None
    measure(found)
    return found


def canonicalise(value: Any) -> bytes:
    """The one UTF-8 text of `value` (RFC 8785). Raises NotCanonical where there is none."""
    measure(value)
    try:
        return rfc8785.dumps(_as_doubles(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError):
        raise NotCanonical("this value has no canonical JSON", code="json") from None


def measure(value: Any) -> None:
    """Refuses what is not JSON, or is too deep or too large to be worked on. Raises NotCanonical."""
    level: list[Any] = [value]
    seen = depth = 0
    while level:
        depth += 1
        seen += len(level)
        if depth > MAX_DEPTH or seen > MAX_VALUES:
            raise NotCanonical("this JSON is nested too deep or holds too many values", code="json")
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one.values())
                for name in one:
                    _check_scalar(name if isinstance(name, str) else None, named=True)
            elif isinstance(one, list):
                below.extend(one)
            else:
                _check_scalar(one, named=False)
        level = below


def exact(number: float) -> float:
    """A number as an integer where it is one below 10^21, as JavaScript and RFC 8785 see it."""
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e21:
        return int(number)
    return number


def _check_scalar(value: Any, *, named: bool) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise NotCanonical("half a character (a lone surrogate) cannot be signed", code="json")
    elif named:
        raise NotCanonical("a name in this JSON is not text", code="json")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotCanonical("a number beyond what JSON can write", code="json-number")
    elif isinstance(value, int) and not isinstance(value, bool):
        _check_integer(value)
    elif value is not None and not isinstance(value, bool):
        raise NotCanonical(f"{type(value).__name__} is not a JSON type", code="json")


def _check_integer(value: int) -> None:
    # Beyond 2^53 not every integer is a double: what is no double's own text would be signed as another number.
    if abs(value) <= _EXACT:
        return
    try:
        double = float(value)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double) or value not in (int(double), int(Decimal(repr(double)))):
        raise NotCanonical("an integer that a double does not hold exactly", code="json-number")


def _as_doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_doubles(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_doubles(one) for one in value]
    if isinstance(value, int) and abs(value) > _EXACT:
        return float(value)
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise NotCanonical("a number beyond what JSON can write", code="json-number")
    return int(digits)


def _double(digits: str) -> float:
    if len(digits) > _MAX_DIGITS:
        raise NotCanonical("a number written with too many digits", code="json-number")
    return float(digits)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("a name is written twice in one object", code="json")
    return found


def _no_constant(name: str) -> None:
    raise NotCanonical(f"{name} is not JSON", code="json-number")
