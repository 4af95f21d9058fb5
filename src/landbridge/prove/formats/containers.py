"""What holds several credentials at once, taken apart before any format is asked.

What is packed to fit a code is unpacked (`packed.py`). The parts of a SMART Health Card that are printed as several
codes are put together; presentations (W3C Verifiable Credentials, as JSON or JWT), `.smart-health-card` files, answers
of `$health-cards-issue`, deep links to wallets, and lists of tokens become their credentials, each named by its place;
so do the documents of a wallet's response. What a presentation itself says or signs is not looked at: it vouches for
the moment of showing, not for the credentials.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote

from landbridge.errors import Malformed, Unreadable
from landbridge.prove.carrier import Carried
from landbridge.prove.formats import mdoc, packed
from landbridge.prove.formats.shc import numeric
from landbridge.prove.jose import read_json
from landbridge.prove.keys import from_base64url

_MAX_TEXT = 4_000_000
_MAX_HELD = 200
_MAX_DEPTH = 12
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(?:~[A-Za-z0-9_~.-]*)?")
_LINK = re.compile(r"https?://[^\s#]{1,2000}#(?=\{|%7[Bb])")
_HOLDING = ("verifiableCredential", "vp", "verifiablePresentation", "vp_token", "EnvelopedVerifiable")
_ENVELOPES = ("EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation")


def unpack(carried: Iterable[Carried]) -> tuple[Carried, ...]:
    """Every credential on its own; what holds none, and what cannot be read, stays as it is.

    Raises Unreadable for more than can be examined at once.
    """
    found: list[Carried] = []
    for one in _join_parts(inside for each in carried for inside in packed.unpack(each)):
        held = list(islice(_credentials(one.text), _MAX_HELD + 1)) if one.text is not None else []
        if not held:
            found.append(one)
            continue
        if len(held) > _MAX_HELD:
            raise Unreadable(
                f"{one.place} holds more than {_MAX_HELD} credentials",
                code="too-many",
                hint="Hand them over in parts.",
            )
        for number, text in enumerate(held, 1):
            place = f"{one.place}, credential {number}" if len(held) > 1 else one.place
            found.append(Carried(text=text, data=text.encode(errors="replace"), place=place, media=one.media))
    return tuple(part for one in found for part in mdoc.take_apart(one))


def _join_parts(carried: Iterable[Carried]) -> Iterator[Carried]:
    """Codes that are parts of one card (`shc:/2/3/…`) become one text, a part a line, where the first of them stood."""
    listed = list(carried)
    sets: dict[tuple[int, int], list[Carried]] = {}
    seen: dict[tuple[int, int], list[str]] = {}
    starts: dict[int, tuple[int, int]] = {}
    for at, one in enumerate(listed):
        place = _part(one)
        if place is None:
            continue
        # Two cards in the same number of parts: each part's second text belongs to the second card.
        texts = seen.setdefault(place, [])
        if (text := (one.text or "").strip()) not in texts:
            texts.append(text)
        key = (place[1], texts.index(text))
        if key not in sets:
            starts[at] = key
        sets.setdefault(key, []).append(one)
    starts = _whole(sets, starts)
    for at, one in enumerate(listed):
        if _part(one) is None:
            yield one
        elif at in starts:
            yield _joined(sets[starts[at]])


def _part(one: Carried) -> tuple[int, int] | None:
    return (
        numeric.place_of(one.text.strip()) if one.text is not None and "\n" not in one.text.strip() else None
    )


def _whole(
    sets: dict[tuple[int, int], list[Carried]], starts: dict[int, tuple[int, int]]
) -> dict[int, tuple[int, int]]:
    """Where each set begins. One that would be a second card and is not whole is given to the first, which then
    says what is wrong with it."""
    kept: dict[int, tuple[int, int]] = {}
    for at, (count, turn) in starts.items():
        numbers = {_part(one) for one in sets[count, turn]}
        if turn and len(numbers) < count:
            sets[count, 0].extend(sets[count, turn])
        else:
            kept[at] = (count, turn)
    return kept


def _joined(parts: list[Carried]) -> Carried:
    text = "\n".join((one.text or "").strip() for one in parts)
    places = ", ".join(dict.fromkeys(one.place for one in parts))
    return Carried(text=text, data=text.encode(errors="replace"), place=places[:200], media=parts[0].media)


def _credentials(text: str) -> Iterator[str]:
    """The credentials in one text; none where it is no container."""
    text = text.strip()
    if len(text) > _MAX_TEXT:
        return
    if link := _LINK.match(text):
        text = text[link.end() :]
        text = unquote(text) if text[:1] == "%" else text
    if text[:1] in ("{", "["):
        if not any(name in text for name in _HOLDING) and text[:1] == "{":
            return
        try:
            value = read_json(text)
        except Malformed:
            return
        if isinstance(value, list) and not value:
            return
        yield from _held(value, _MAX_DEPTH, inside=isinstance(value, list))
    elif text[:3] == "eyJ" and text.count(".") == 2 and (value := _presented(text)) is not None:
        yield from _held(value, _MAX_DEPTH, inside=False)


def _held(value: Any, depth: int, *, inside: bool) -> Iterator[str]:
    """The credentials in a value; `inside` a container, whatever is no container itself is one of them."""
    if depth == 0:
        return
    if isinstance(value, list):
        for one in value:
            yield from _held(one, depth - 1, inside=inside)
    elif isinstance(value, str):
        bare = value.strip()
        if not inside or not bare:
            return
        presented = _presented(bare) if _TOKEN.fullmatch(bare) else None
        if presented is not None:
            yield from _held(presented, depth - 1, inside=False)
        elif (enveloped := _enveloped(bare)) is not None:
            yield from _held(enveloped, depth - 1, inside=True)
        else:
            yield bare
    elif isinstance(value, dict):
        yield from _in_object(value, depth, inside=inside)


def _in_object(value: dict[str, Any], depth: int, *, inside: bool) -> Iterator[str]:
    if value.get("resourceType") == "Parameters":
        for parameter in _list(value.get("parameter")):
            if isinstance(parameter, dict) and parameter.get("name") == "verifiableCredential":
                yield from _held(parameter.get("valueString"), depth - 1, inside=True)
        return
    if any(kind in _list(value.get("type")) for kind in _ENVELOPES) and isinstance(value.get("id"), str):
        yield from _held(_enveloped(value["id"]), depth - 1, inside=True)
        return
    if "verifiableCredential" in value:
        yield from _held(value["verifiableCredential"], depth - 1, inside=True)
        return
    for name in ("vp", "verifiablePresentation", "vp_token"):
        if name in value:
            inner = value[name]
            if name == "vp_token" and isinstance(inner, dict):
                inner = list(inner.values())
            yield from _held(inner, depth - 1, inside=not isinstance(inner, dict))
            return
    if inside:
        yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _presented(token: str) -> dict[str, Any] | None:
    """What a JWT presents: its payload where that is a presentation, None where it is anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = from_base64url(parts[1])
        # A presentation says so in its own words; reading every token's payload twice would be waste.
        if b'"vp"' not in payload and b'Presentation"' not in payload:
            return None
        value = read_json(payload)
    except (ValueError, Malformed):
        return None
    if not isinstance(value, dict):
        return None
    presents = "vp" in value or "verifiableCredential" in value
    return value if presents else None


def _enveloped(url: str) -> str | None:
    """The text in a data URL (RFC 2397), as an enveloped credential is."""
    head, comma, body = url.partition(",")
    if not comma or head[:5].lower() != "data:":
        return None
    if not head.lower().endswith(";base64"):
        return unquote(body)
    try:
        return base64.b64decode(body, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
