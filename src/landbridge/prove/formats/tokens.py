"""What the formats on JSON Web Tokens share: whose key a header names, the dates, the types of media (RFC 7515, 7519)."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from landbridge.errors import Malformed
from landbridge.prove.certificates import CertificateRefused, read_certificate
from landbridge.prove.envelope import Envelope, KeyHint
from landbridge.prove.jose import read_json
from landbridge.prove.keys import KeyRefused, from_base64url, from_jwk, thumbprint
from landbridge.prove.trust.did import key_of_did
from landbridge.prove.trust.list import Signer

_MAX_CHAIN = 10


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


def media_type(header: dict[str, Any], name: str = "typ") -> str:
    """The type a header states, in lower case and without `application/` (RFC 7515, section 4.1.9)."""
    stated = header.get(name)
    return stated.lower().removeprefix("application/") if isinstance(stated, str) else ""


def hint_of(header: dict[str, Any], issuer: str) -> KeyHint:
    """Whose key signed it: `kid`, `x5c`, `x5t#S256`, `jwk` and the issuer's own name. Raises Malformed.

    A key that travels in the header proves nothing by itself: only its thumbprint is kept, to look it up by.
    """
    chain = _chain(header)
    ids: list[str] = []
    if chain:
        ids.extend(_names_of_certificate(chain[0]))
    kid = header.get("kid")
    if isinstance(kid, str) and kid:
        if kid.startswith("#"):
            ids.append(issuer + kid)
        elif issuer.startswith("did:") and not kid.startswith("did:"):
            ids.append(f"{issuer}#{kid}")
        ids.append(kid)
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
    # A certificate names its holder itself; whether that is the issuer is asked in `not_the_issuer`.
    return KeyHint(ids=tuple(dict.fromkeys(ids)), issuer="" if chain else issuer, chain=chain, jwk=own)


def not_the_issuer(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """What fails where a key found through its certificate is not that of the issuer the token names.

    A certificate that carries names carries the issuer's (its address, or its host).
    """
    issuer = envelope.issuer
    if not issuer or signer.issuer.id in ("", issuer):
        return ()
    if signer.certificate is not None:
        names = signer.certificate.alternative_names
        host = _host(issuer)
        if not names or issuer in names or any(_covers(name, host) for name in names):
            return ()
    return (("entitled", "not-the-issuer", f"{issuer}: {signer.issuer.id}"),)


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


def _host(issuer: str) -> str | None:
    try:
        return urlsplit(issuer).hostname if issuer.startswith("https://") else None
    except ValueError:
        return None


def _covers(name: str, host: str | None) -> bool:
    """Whether a certificate's name is this host, or a wildcard one label above it (RFC 9525, section 6.3)."""
    if host is None:
        return False
    name = name.lower()
    return name == host or (name.startswith("*.") and name[1:] == host[host.find(".") :])


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""
