"""X.509 certificates: keys strictly, everything around them leniently (RFC 5280).

Certificates of living issuers break DER in small ways: a default value written out, an empty extended key usage,
a serial number that is negative, bytes after the end. What is signed with them is no less true for it, so
extensions are read through asn1crypto where `cryptography` refuses; each such leniency is named.
"""

import hashlib
import re
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from asn1crypto import pem
from asn1crypto import x509 as lenient
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA224, SHA256, SHA384, SHA512

from landbridge.errors import CredentialError
from landbridge.prove.keys import PublicKey, base64url, from_spki

_MAX_BYTES = 64 * 1024


class CertificateRefused(CredentialError):
    """A certificate whose key, names or dates cannot be read."""

    step = "key"


class Certificate(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """What is read of a certificate. `kid` is that of EU DCC: the first eight bytes of its SHA-256."""

    der: bytes
    spki: bytes
    country: str
    subject: str
    issuer: str
    issuer_name: bytes
    subject_name: bytes
    not_before: datetime
    not_after: datetime
    usages: frozenset[str]
    """Extended key usages, dotted; empty where the certificate names none."""
    key_usage: frozenset[str] | None
    authority: bool
    subject_key_id: bytes
    authority_key_id: bytes
    alternative_names: tuple[str, ...]
    leniencies: tuple[str, ...]

    @property
    def key(self) -> PublicKey:
        return from_spki(self.spki)

    @property
    def kid(self) -> str:
        return base64url(hashlib.sha256(self.der).digest()[:8])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER, base64url: JOSE's `x5t#S256`."""
        return base64url(hashlib.sha256(self.der).digest())


def read_certificates(data: bytes) -> Iterator[Certificate]:
    """Every certificate in PEM or DER. Raises CertificateRefused; nothing at all is also refused."""
    if pem.detect(data):
        try:
            blocks = [
                der for name, _, der in pem.unarmor(data, multiple=True) if name.endswith("CERTIFICATE")
            ]
        except (ValueError, TypeError):
            raise CertificateRefused("this PEM is damaged") from None
        if not blocks:
            raise CertificateRefused("this PEM holds no certificate")
        for der in blocks:
            yield read_certificate(der)
        return
    yield read_certificate(data)


@lru_cache(maxsize=8192)
def read_certificate(der: bytes) -> Certificate:
    """One certificate, DER. Raises CertificateRefused where its key, names or dates cannot be read."""
    if len(der) > _MAX_BYTES:
        raise CertificateRefused(f"a certificate of {len(der)} bytes is not read (at most {_MAX_BYTES})")
    try:
        return _read(der)
    except Exception as wrong:  # Of hostile DER its readers raise whatever comes.
        raise CertificateRefused(f"a certificate cannot be read ({type(wrong).__name__})") from None


def issued_by(certificate: Certificate, authority: Certificate) -> bool:
    """Whether `authority` signed `certificate`: names, key identifiers where both are there, and the signature."""
    if certificate.issuer_name != authority.subject_name and certificate.issuer != authority.subject:
        return False
    here, there = certificate.authority_key_id, authority.subject_key_id
    if here and there and here != there:
        return False
    return _signed_by(certificate.der, authority.spki)


def _read(der: bytes) -> Certificate:
    forgiven: list[str] = []
    parsed = lenient.Certificate.load(der)
    length = len(parsed.dump())
    if length < len(der):
        forgiven.append("certificate-trailing-bytes")
        der = der[:length]
        parsed = lenient.Certificate.load(der)
    _ = parsed.native  # The whole of it, now and not when somebody asks.
    tbs = parsed["tbs_certificate"]
    spki = tbs["subject_public_key_info"].dump()
    from_spki(spki)
    if parsed.serial_number <= 0:
        forgiven.append("certificate-serial")
    if not _strictly_readable(der):
        forgiven.append("certificate-not-strict")
    usage = parsed.extended_key_usage_value
    names = parsed.subject_alt_name_value
    constraints = parsed.basic_constraints_value
    key_usage = parsed.key_usage_value
    if usage is not None and not len(usage):
        forgiven.append("certificate-empty-usage")
    return Certificate(
        der=der,
        spki=spki,
        country=_country(tbs["subject"]),
        subject=tbs["subject"].human_friendly,
        issuer=tbs["issuer"].human_friendly,
        issuer_name=tbs["issuer"].dump(),
        subject_name=tbs["subject"].dump(),
        not_before=_aware(tbs["validity"]["not_before"].native),
        not_after=_aware(tbs["validity"]["not_after"].native),
        usages=frozenset(one.dotted for one in usage or ()),
        key_usage=frozenset(key_usage.native) if key_usage is not None else None,
        authority=bool(constraints is not None and constraints["ca"].native),
        subject_key_id=parsed.key_identifier or b"",
        authority_key_id=parsed.authority_key_identifier or b"",
        alternative_names=tuple(str(one.native) for one in names or () if isinstance(one.native, str)),
        leniencies=tuple(forgiven),
    )


def _strictly_readable(der: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            list(x509.load_der_x509_certificate(der).extensions)
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm, Warning):
        return False
    return True


def _country(subject: Any) -> str:
    value = subject.native.get("country_name", "")
    value = value[0] if isinstance(value, list) else value
    return value.upper() if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2}", value) else ""


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_HASHES = {"sha224": SHA224(), "sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}


@lru_cache(maxsize=8192)
def _signed_by(der: bytes, authority_spki: bytes) -> bool:
    parsed = lenient.Certificate.load(der)
    means = parsed["signature_algorithm"]
    message, signature = parsed["tbs_certificate"].dump(), parsed["signature_value"].native
    key = from_spki(authority_spki)
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, message, ec.ECDSA(_HASHES[means.hash_algo]))
            case rsa.RSAPublicKey() if means.signature_algo == "rsassa_pss":
                how = padding.PSS(
                    padding.MGF1(_HASHES[means.hash_algo]), means["parameters"]["salt_length"].native
                )
                key.verify(signature, message, how, _HASHES[means.hash_algo])
            case rsa.RSAPublicKey():
                key.verify(signature, message, padding.PKCS1v15(), _HASHES[means.hash_algo])
            case ed25519.Ed25519PublicKey():
                key.verify(signature, message)
            case _:
                return False
    except (InvalidSignature, ValueError, KeyError, TypeError, UnsupportedAlgorithm):
        return False
    return True
