"""Trust material of any form to one list: what an operator was handed, read without a hint."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate, CertificateRefused, read_certificates
from landbridge.prove.facts import Issuer
from landbridge.prove.trust.list import Authority, Signer, Source, TrustList


class TrustUnreadable(CredentialError):
    """A file of trust that is none: `code` is `trust-unreadable`."""

    step = "trust"


def read_trust(paths: Iterable[Path]) -> TrustList:
    """Everything in these files and folders as one list. Raises TrustUnreadable for a file named that is no trust
    material; in a folder such a file is passed over."""
    signers: list[Signer] = []
    authorities: list[Authority] = []
    for path in paths:
        for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
            try:
                for entry in read_file(file.read_bytes(), Source(name=file.name)):
                    (signers if isinstance(entry, Signer) else authorities).append(entry)  # type: ignore[arg-type]
            except CredentialError:
                if not path.is_dir():
                    raise
    return TrustList(signers, authorities)


def read_file(data: bytes, source: Source) -> Iterator[Signer | Authority]:
    try:
        for certificate in read_certificates(data):
            yield from of_certificate(certificate, source)
    except CertificateRefused as wrong:
        raise TrustUnreadable(str(wrong), code="trust-unreadable") from None


def of_certificate(certificate: Certificate, source: Source) -> Iterator[Signer | Authority]:
    """A certificate somebody trusts: as a signer, and as an authority where it is one."""
    issuer = Issuer(id=certificate.subject, name=certificate.subject, territory=certificate.country)
    if certificate.authority:
        yield Authority(certificate=certificate, issuer=issuer, source=source)
    yield Signer(
        issuer=issuer,
        spki=certificate.spki,
        ids=(certificate.kid, certificate.fingerprint),
        source=source,
        certificate=certificate,
    )
