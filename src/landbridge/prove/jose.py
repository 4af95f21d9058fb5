"""JSON Web Signatures, to the algorithm, the bytes signed and the signature (RFC 7515)."""

import json
import re
from typing import Any

import msgspec

from landbridge.errors import Malformed
from landbridge.prove.keys import from_base64url

ALGORITHMS = {
    "ES256": "ES256",
    "ES384": "ES384",
    "ES512": "ES512",
    "ES256K": "ES256K",
    "EdDSA": "EdDSA",
    "Ed25519": "EdDSA",
    "PS256": "PS256",
    "PS384": "PS384",
    "PS512": "PS512",
    "RS256": "RS256",
    "RS384": "RS384",
    "RS512": "RS512",
}
_MAX_DEPTH = 64
_BRACKETS = re.compile(r"[\[\]{}]")


class Jws(msgspec.Struct, frozen=True):
    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes
    algorithm: str


def read_compact(token: str, *, critical: frozenset[str] = frozenset()) -> Jws:
    """A JWS in the compact form. `critical` names the header parameters of `crit` the caller understands.

    Raises Malformed: also for `alg: none`, for symmetric algorithms and for headers marked critical.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise Malformed(f"a signed token has three parts, this has {len(parts)}", code="jws")
    return read_parts(*parts, critical=critical)


def read_parts(
    protected: str,
    payload: str,
    signature: str,
    *,
    unprotected: dict[str, Any] | None = None,
    critical: frozenset[str] = frozenset(),
) -> Jws:
    """The parts of a JWS, each in base64url. Raises Malformed."""
    try:
        header = read_json(from_base64url(protected))
        body, made = from_base64url(payload), from_base64url(signature)
    except ValueError:
        raise Malformed("a part of this token is not base64url", code="jws") from None
    if not isinstance(header, dict):
        raise Malformed("the header of this token is not an object", code="jws-header")
    if unprotected and header.keys() & unprotected.keys():
        raise Malformed("a header of this token is written twice", code="jws-header")
    stated = header.get("crit", [])
    if "crit" in header and (
        not isinstance(stated, list) or not stated or not critical.issuperset(map(str, stated))
    ):
        raise Malformed("a header marked critical is not known here", code="jws-critical")
    if "crit" in (unprotected or {}):
        raise Malformed("`crit` must be protected", code="jws-critical")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Malformed(f"the algorithm {str(algorithm)[:20]!r} is not accepted", code="algorithm-refused")
    return Jws(
        {**(unprotected or {}), **header},
        body,
        made,
        f"{protected}.{payload}".encode(),
        ALGORITHMS[algorithm],
    )


def read_json(data: bytes | str) -> Any:
    """JSON without a name written twice, without NaN, and not nested beyond reason. Raises Malformed."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        if _too_deep(text):
            raise Malformed("this JSON is nested too deep", code="json")
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()  # Half of a pair of surrogates is no text.
        return value
    except (ValueError, RecursionError) as wrong:
        raise Malformed(f"this is not well-formed JSON: {str(wrong)[:80]}", code="json") from None


def _too_deep(text: str) -> bool:
    # Brackets inside strings count too: sixty-four of them, open in a row, are in nobody's credential.
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > _MAX_DEPTH:
            return True
    return False


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is written twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
