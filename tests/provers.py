"""Test issuers of the fictitious union, made afresh for every run: no key of ours is worth keeping."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from landbridge.prove.certificates import Certificate, read_certificate
from landbridge.prove.issue import hcert
from landbridge.prove.keys import from_base64url
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import Source, TrustList
from landbridge.prove.trust.read import of_certificate
from landbridge.prove.verify import Trust

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class TestIssuer:
    """A laboratory of Altania: a P-256 key and its certificate."""

    __test__ = False

    def __init__(
        self, country: str = "XA", usages: Iterable[str] = (), *, since: datetime | None = None
    ) -> None:
        self.country = country
        self.key = ec.generate_private_key(ec.SECP256R1())
        start = since or NOON - timedelta(days=365)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, country),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Test laboratory of {country}"),
            ]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=730))
        )
        if usages:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ObjectIdentifier(one) for one in usages]), critical=False
            )
        self.der = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)
        self.certificate: Certificate = read_certificate(self.der)
        self.kid = from_base64url(self.certificate.kid)

    def test_result(self, *, issued: datetime = NOON, days: int = 30, **changes: Any) -> str:
        """The text of a negative test's certificate."""
        return hcert.create(
            negative_test(**{"co": self.country, **changes}),
            key=self.key,
            kid=self.kid,
            country=self.country,
            issued=issued,
            expires=issued + timedelta(days=days),
        )


def negative_test(**changes: Any) -> dict[str, Any]:
    """What a laboratory of Altania found: `changes` are of the entry, or `nam`, `dob`, `ver`."""
    entry = {
        "tg": "840539006",
        "tt": "LP6464-4",
        "sc": "2026-05-31T08:30:00Z",
        "tr": "260415000",
        "tc": "Test centre 1",
        "co": "XA",
        "is": "Test ministry of Altania",
        "ci": "URN:UVCI:01:XA:TEST000000000001",
    }
    whole: dict[str, Any] = {
        "ver": "1.3.0",
        "nam": {"fn": "Muster-Test", "fnt": "MUSTER<TEST", "gn": "Fiktiva", "gnt": "FIKTIVA"},
        "dob": "1990-01-31",
    }
    for name in ("nam", "dob", "ver"):
        if name in changes:
            whole[name] = changes.pop(name)
    return {**whole, "t": [{**entry, **changes}]}


def trusting(*issuers: TestIssuer, **more: Any) -> Trust:
    """A verifier that has been handed these issuers' certificates."""
    entries = [one for issuer in issuers for one in of_certificate(issuer.certificate, Source(name="test"))]
    return Trust(issuers=TrustList(entries), taken_back=StatusLists(), **more)  # type: ignore[arg-type]
