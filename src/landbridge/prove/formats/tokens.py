"""What the formats on JSON Web Tokens share: whose key a header names, the dates, the types of media (RFC 7515, 7519)."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from landbridge.errors import Malformed
from landbridge.prove.certificates import CertificateRefused, read_certificate
from landbridge.prove.envelope import KeyHint
from landbridge.prove.jose import Jws, read_json, read_parts
from landbridge.prove.keys import KeyRefused, from_base64url, from_jwk, thumbprint
from landbridge.prove.trust.did import key_of_did

MAX_TEXT = 4_000_000  # Portraits travel inside.
_MAX_CHAIN = 10
_MAX_SIGNATURES = 8
_THUMBPRINT = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"  # RFC 9278


def header_of(token: str) -> dict[str, Any]:
    """The protected header of what may be a compact JWS, unchecked; empty where there is none."""
    first, dot, _ = token.partition(".")
    if not dot or not first.startswith("ey") or len(first) > 65_536:
        return {}
    try:
        header = read_json(from_base64url(first))
    except (Malformed, ValueError):
        return {}
    return header if isinstance(header, dict) else {}


def joined(text: str) -> str:
    """A token without the line breaks that mail and documents put into long ones."""
    return "".join(text.split())


def json_form(text: str) -> dict[str, Any] | None:
    """The object, where a text may be a JWS in JSON (RFC 7515, section 7.2); None where it is none."""
    if len(text) > MAX_TEXT or '"payload"' not in text:
        return None
    try:
        form = read_json(text)
    except Malformed:
        return None
    return form if isinstance(form, dict) and isinstance(form.get("payload"), str) else None


def first_signature(form: dict[str, Any]) -> dict[str, Any]:
    """The first signature of a JWS in JSON, unchecked."""
    listed = form.get("signatures", [form])
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}


def read_json_form(text: str) -> tuple[tuple[Jws, dict[str, Any]], ...]:
    """Every signature of a JWS in JSON, flattened or general, with its unprotected header. Raises Malformed."""
    form = read_json(text)
    if not isinstance(form, dict) or not isinstance(form.get("payload"), str):
        raise Malformed("a signed token in JSON has a payload", code="jws")
    listed = form.get("signatures", [form])
    if (
        not isinstance(listed, list)
        or not 0 < len(listed) <= _MAX_SIGNATURES
        or ("signatures" in form) == ("signature" in form)
    ):
        raise Malformed(
            f"a signed token in JSON has one signature or a list of up to {_MAX_SIGNATURES}", code="jws"
        )
    found = []
    for one in listed:
        header = one.get("header", {}) if isinstance(one, dict) else None
        if not isinstance(header, dict) or not all(
            isinstance(one.get(name), str) for name in ("protected", "signature")
        ):
            raise Malformed("a signature in JSON has `protected` and `signature`", code="jws")
        jws = read_parts(one["protected"], form["payload"], one["signature"], unprotected=header)
        found.append((jws, header))
    return tuple(found)


def media_type(header: dict[str, Any], name: str = "typ") -> str:
    """The type a header states, in lower case and without `application/` (RFC 7515, section 4.1.9)."""
    stated = header.get(name)
    return stated.lower().removeprefix("application/") if isinstance(stated, str) else ""


def hint_of(header: dict[str, Any], issuer: str, *, chain: tuple[bytes, ...] = ()) -> KeyHint:
    """Whose key signed it: `kid`, `x5c` (or `chain`), `x5t#S256`, `jwk` and the issuer's own name. Raises Malformed.

    A key that travels in the header proves nothing by itself: only its thumbprint is kept, to look it up by.
    """
    try:
        urlsplit(issuer)
    except ValueError:
        raise Malformed("the issuer's address is not one", code="issuer") from None
    chain = chain or _chain(header)
    ids: list[str] = []
    if chain:
        ids.extend(_names_of_certificate(chain[0]))
    kid = header.get("kid")
    if isinstance(kid, str) and kid:
        if kid.startswith("#"):
            ids.append(issuer + kid)
        elif issuer and ":" not in kid:
            ids.append(f"{issuer}#{kid}")
        ids.append(kid)
        if kid.startswith(_THUMBPRINT):
            ids.append(kid[len(_THUMBPRINT) :])
    if isinstance(header.get("x5t#S256"), str):
        ids.append(header["x5t#S256"])
    if "jwk" in header:
        try:
            ids.append(thumbprint(from_jwk(header["jwk"])))
        except KeyRefused:
            raise Malformed("the key in this token's header cannot be read", code="jws-header") from None
    own = key_of_did(issuer)
    if own is not None:
        ids.append(thumbprint(from_jwk(own)))
    return KeyHint(ids=tuple(dict.fromkeys(ids)), issuer=issuer, chain=chain, jwk=own)


def moment_of(claims: dict[str, Any], name: str) -> datetime | None:
    """A NumericDate (RFC 7519, section 2). Raises Malformed."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise Malformed(f"{name!r} of this token is not a date", code="jwt-date")


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one is not None and other is not None else one or other


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one is not None and other is not None else one or other


def _chain(header: dict[str, Any]) -> tuple[bytes, ...]:
    listed = header.get("x5c")
    if listed is None:
        return ()
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_CHAIN:
        raise Malformed("`x5c` is not a list of certificates", code="jws-header")
    try:
        return tuple(base64.b64decode(one, validate=True) for one in listed)
    except (binascii.Error, TypeError, ValueError):
        raise Malformed("a certificate in `x5c` is not base64", code="jws-header") from None


def _names_of_certificate(der: bytes) -> tuple[str, ...]:
    try:
        certificate = read_certificate(der)
    except CertificateRefused:
        raise Malformed("the certificate in `x5c` cannot be read", code="jws-header") from None
    return certificate.fingerprint, thumbprint(certificate.key)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""
