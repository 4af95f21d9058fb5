"""The QR codes of SMART Health Cards: a JWS as pairs of digits, in one code or in several (framework, "Encoding QRs").

`shc:/` and the digits; where one code does not hold a card, `shc:/C/N/` and the digits of part C of N. Every pair is a
character of the JWS less 45. Several parts are handed over as one text, a part a line, in any order.
"""

import re

import msgspec
import numpy as np

from landbridge.errors import CredentialError, Malformed

PREFIX = "shc:/"
LONGEST_ALONE = 1195
"""Characters of a JWS that one code of version 22 holds."""
LONGEST_PART = 1191
_MAX_PARTS = 99
_MAX_TEXT = 400_000
_OFFSET = ord("-")
_HIGHEST = ord("z") - _OFFSET
_HEAD = re.compile(r"shc:/(?:([0-9]{1,9})/([0-9]{1,9})/)?", re.IGNORECASE)


class PartMissing(CredentialError):
    """A card of which not every code was read: nothing is wrong with what is here, and it is not enough."""

    step = "decode"


class Joined(msgspec.Struct, frozen=True):
    """A card's JWS put together, what was forgiven on the way, and what the framework forbids."""

    token: str
    leniencies: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]


def place_of(text: str) -> tuple[int, int] | None:
    """(part, of how many) of a text that says so; None for any other."""
    head = _HEAD.match(text)
    if head is None or head[1] is None:
        return None
    return int(head[1]), int(head[2])


def join(text: str) -> Joined:
    """The JWS in one code or in the parts, a part a line. Raises Malformed with a code for each thing that is wrong, and
    PartMissing where there are more codes than these."""
    if len(text) > _MAX_TEXT:
        raise Malformed(f"a card of {len(text)} digits is not read", code="too-long")
    lines = [line for line in text.split("\n") if line.strip()]
    forgiven: list[str] = []
    if any(line != line.strip() for line in lines):
        forgiven.append("blanks-around")
        lines = [line.strip() for line in lines]
    if len(lines) > _MAX_PARTS:
        raise Malformed(f"a card in {len(lines)} parts is not read", code="too-long")
    if len(set(lines)) == 1 and place_of(lines[0]) is None:
        return _alone(lines[0], forgiven)
    return _together(lines, forgiven)


def to_numeric(token: str) -> tuple[str, ...]:
    """The texts of the codes that carry a JWS: one, or as few of the same size as hold it."""
    count = 1 if len(token) <= LONGEST_ALONE else -(-len(token) // LONGEST_PART)
    size = -(-len(token) // count)
    parts = [token[start : start + size] for start in range(0, len(token), size)]
    heads = ("",) if count == 1 else tuple(f"{number}/{count}/" for number in range(1, count + 1))
    return tuple(
        PREFIX + head + "".join(f"{ord(sign) - _OFFSET:02d}" for sign in part)
        for head, part in zip(heads, parts, strict=True)
    )


def _alone(line: str, forgiven: list[str]) -> Joined:
    token = _characters(line, _after_head(line))
    return Joined(token, tuple(forgiven), _too_big((token,), LONGEST_ALONE))


def _together(lines: list[str], forgiven: list[str]) -> Joined:
    count = 0
    found: dict[int, str] = {}
    twice = False
    for line in lines:
        place = place_of(line)
        if place is None:
            raise Malformed("a whole card stands among the parts of another", code="qr-header")
        number, of = place
        if count not in (0, of):
            raise Malformed(f"parts of a card in {count} and of one in {of} are mixed", code="qr-header")
        count = of
        if not 1 <= number <= count or count > _MAX_PARTS:
            raise Malformed(f"there is no part {number} of {count}", code="qr-part-index")
        part = _characters(line, _after_head(line))
        if number in found:
            twice = True
            if found[number] != part:
                raise Malformed(f"part {number} is here twice, and differs", code="qr-part-twice")
        found[number] = part
    missing = ", ".join(str(number) for number in range(1, count + 1) if number not in found)
    if missing:
        here = "one part is here twice, and " if twice else ""
        raise PartMissing(
            f"{here}part {missing} of {count} is missing",
            code="qr-part-twice" if twice else "qr-part-missing",
            hint=f"Read all {count} codes of this card together.",
        )
    if twice:
        forgiven.append("qr-part-twice")
    parts = tuple(found[number] for number in range(1, count + 1))
    if count == 1:
        forgiven.append("qr-part-alone")
        return Joined(parts[0], tuple(forgiven), _too_big(parts, LONGEST_ALONE))
    forgiven.append("qr-in-parts")
    token = "".join(parts)
    if len(token) <= LONGEST_ALONE:
        forgiven.append("qr-parts-needless")
    even = len(token) // count
    if any(abs(len(part) - even) > -(-even // 200) for part in parts):
        forgiven.append("qr-parts-uneven")
    return Joined(token, tuple(forgiven), _too_big(parts, LONGEST_PART))


def _after_head(line: str) -> int:
    head = _HEAD.match(line)
    if head is None:
        raise Malformed(f"a card's code begins with {PREFIX}, not {line[:8]!r}", code="qr-header")
    return head.end()


def _characters(line: str, start: int) -> str:
    digits = line[start:]
    if not digits.isascii() or not digits.isdigit():
        raise Malformed("what follows shc:/ is not digits alone", code="qr-digits")
    if len(digits) % 2:
        raise Malformed("the digits of a card come in pairs, and one is missing", code="qr-digits-odd")
    signs = np.frombuffer(digits.encode(), np.uint8) - ord("0")
    values = signs[::2] * 10 + signs[1::2]
    if values.size and (highest := int(values.max())) > _HIGHEST:
        raise Malformed(
            f"a pair of digits is {highest}; the highest that stands for a character is {_HIGHEST}",
            code="qr-value",
        )
    return (values + _OFFSET).astype(np.uint8).tobytes().decode()


def _too_big(parts: tuple[str, ...], longest: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("qr-part-too-big", f"one code holds {len(part)} characters, more than the {longest} allowed")
        for part in parts
        if len(part) > longest
    )
