"""What one file of trust holds, before it joins the list; and the signers made of a bare key or certificate."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate
from landbridge.prove.facts import Issuer
from landbridge.prove.keys import PublicKey, base64url, thumbprint
from landbridge.prove.trust.list import Authority, Signer, Source

HEALTH = frozenset({"test", "vaccination", "recovery", "health"})
"""What an issuer of a health network may say."""
DCC = frozenset({"test", "vaccination", "recovery"})


class TrustUnreadable(CredentialError):
    """A file of trust that is none: `code` is `trust-unreadable`, or `private-key` for what must not be handed round."""

    step = "trust"


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """Signers, authorities, the issuers whose keys are all here, names without keys, and what was passed over."""

    signers: tuple[Signer, ...] = ()
    authorities: tuple[Authority, ...] = ()
    known: frozenset[str] = frozenset()
    names: tuple[Issuer, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()
    contexts: tuple[tuple[str, bytes], ...] = ()
    """JSON-LD contexts, (URL, JSON)."""

    def __len__(self) -> int:
        return len(self.signers) + len(self.authorities) + len(self.names) + len(self.contexts)


def joined(parts: Iterable[Material]) -> Material:
    parts = tuple(parts)
    return Material(
        signers=tuple(one for part in parts for one in part.signers),
        authorities=tuple(one for part in parts for one in part.authorities),
        known=frozenset().union(*(part.known for part in parts)),
        names=tuple(one for part in parts for one in part.names),
        passed_over=tuple(one for part in parts for one in part.passed_over),
        contexts=tuple(one for part in parts for one in part.contexts),
    )


def unreadable(message: str, *, hint: str = "") -> TrustUnreadable:
    return TrustUnreadable(message, code="trust-unreadable", hint=hint)


def private_key() -> TrustUnreadable:
    return TrustUnreadable(
        "this holds a private key, which nobody but its issuer may have",
        code="private-key",
        hint="Hand over the public key or the certificate; if this file was sent around, its issuer must change the key.",
    )


def of_key(
    key: PublicKey, source: Source, *, issuer: Issuer | None = None, ids: Iterable[str] = (), **limits: Any
) -> Signer:
    """A signer of a public key: known by `ids`, and by what can be computed of it: the JWK thumbprint, the SHA-256
    of the DER, and its first eight bytes. `limits` are fields of Signer."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    issuer = issuer or Issuer(id="")
    names = tuple(ids)
    if issuer.id.startswith("did:"):
        names += tuple(f"{issuer.id}#{one.lstrip('#')}" for one in names if not one.startswith("did:"))
    return Signer(
        issuer=issuer,
        spki=spki,
        ids=tuple(dict.fromkeys((*names, thumbprint(key), *_digests(spki)))),
        source=source,
        **limits,
    )


def of_certificate(
    certificate: Certificate,
    source: Source,
    *,
    issuer: Issuer | None = None,
    ids: Iterable[str] = (),
    **limits: Any,
) -> Signer:
    """A signer of a certificate: known by `ids`, the `kid` of EU DCC, `x5t`, `x5t#S256` and the key's own names."""
    return Signer(
        issuer=issuer or subject_of(certificate),
        spki=certificate.spki,
        ids=tuple(dict.fromkeys((*ids, *certificate_ids(certificate)))),
        source=source,
        certificate=certificate,
        **limits,
    )


def as_authority(
    certificate: Certificate, source: Source, *, issuer: Issuer | None = None, **limits: Any
) -> Authority:
    return Authority(
        certificate=certificate, issuer=issuer or subject_of(certificate), source=source, **limits
    )


def bare(certificate: Certificate, source: Source) -> Material:
    """A certificate somebody trusts: as a signer, and as an authority where it is one."""
    return Material(
        signers=(of_certificate(certificate, source, unnamed=True),),
        authorities=(as_authority(certificate, source),) if certificate.authority else (),
    )


def subject_of(certificate: Certificate, territory: str = "") -> Issuer:
    return Issuer(
        id=certificate.subject, name=certificate.subject, territory=territory or certificate.country
    )


def certificate_ids(certificate: Certificate) -> tuple[str, ...]:
    sha1 = base64url(hashlib.sha1(certificate.der, usedforsecurity=False).digest())
    return (
        certificate.kid,
        certificate.fingerprint,
        sha1,
        thumbprint(certificate.key),
        *_digests(certificate.spki),
    )


def kid_forms(kid: Any) -> tuple[str, ...]:
    """The ways a credential may write this identifier: as it is, and its bytes as base64url."""
    if isinstance(kid, bytes):
        return (base64url(kid),)
    if not isinstance(kid, str) or not kid:
        return ()
    try:
        return (kid, base64url(from_any_base64(kid)))
    except ValueError:
        return (kid,)


_BLANKS = re.compile(r"\s+")


def from_any_base64(text: str | bytes) -> bytes:
    """Base64 of either alphabet, with padding or without, on one line or many. Raises ValueError."""
    plain = text.decode("ascii") if isinstance(text, bytes) else text
    plain = _BLANKS.sub("", plain).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as wrong:
        raise ValueError(str(wrong)) from None


def moment(value: Any) -> datetime | None:
    """A date in any writing lists use (seconds since 1970, ISO 8601, CBOR's own); None where it is none."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def alpha2(value: Any) -> str:
    return value.upper() if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2}", value) else ""


def _digests(spki: bytes) -> tuple[str, str]:
    whole = hashlib.sha256(spki).digest()
    return base64url(whole), base64url(whole[:8])
