"""An issuer's keys: made, kept in files that a passphrase opens, and rotated.

A folder holds one file a key, PKCS#8 encrypted (RFC 5958), its certificate beside it, and `current` with the name of
the one that signs. A key in a hardware token (PKCS #11) takes the place of a file by one more branch in
`KeyRing.signer`: what it returns there is an object of cryptography's abstract private key class, which signs in the
token; everything above calls `sign` and `public_key` of it and never asks for its numbers.
"""

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate, read_certificates
from landbridge.prove.keys import PrivateKey, algorithm_of, sign, thumbprint

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MIN_PASSPHRASE = 12
_MOST_DAYS = 36_500
_MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65537, 3072),
}
_USAGES = {
    "test": "1.3.6.1.4.1.1847.2021.1.1",
    "vaccination": "1.3.6.1.4.1.1847.2021.1.2",
    "recovery": "1.3.6.1.4.1.1847.2021.1.3",
}


class KeyUnusable(CredentialError):
    """A key of ours that cannot be opened, found or made."""

    step = "issue"


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """Something that signs: its algorithm, how verifiers name it, and the certificate that stands for it."""

    name: str
    private: PrivateKey
    certificate: Certificate

    @property
    def algorithm(self) -> str:
        return algorithm_of(self.private)

    @property
    def thumbprint(self) -> str:
        """The JWK thumbprint, which health cards and tokens name it by."""
        return thumbprint(self.private.public_key())

    @property
    def kid(self) -> bytes:
        """The first eight bytes of the certificate's SHA-256, which HCERT names it by."""
        return sha256(self.certificate.der).digest()[:8]

    def sign(self, message: bytes) -> bytes:
        return sign(self.private, self.algorithm, message)


class KeyRing:
    """The keys in one folder, opened with one passphrase."""

    def __init__(self, folder: Path, passphrase: str) -> None:
        self.folder = folder
        self._passphrase = passphrase.encode()

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.key"))

    @property
    def current(self) -> str:
        """The name of the key that signs. Raises KeyUnusable where there is none."""
        pointer = self.folder / "current"
        if not pointer.is_file():
            raise KeyUnusable(
                f"{self.folder.name} has no key yet", hint="Make one with `landbridge issue key new`."
            )
        return pointer.read_text("utf-8").strip()

    def generate(
        self,
        name: str,
        *,
        country: str,
        organisation: str,
        algorithm: str = "ES256",
        kinds: tuple[str, ...] = (),
        at: datetime,
        days: int = 730,
    ) -> Signing:
        """A new key with a certificate of its own making, which from now on is the one that signs.

        `kinds` go into the certificate as the usages EU health certificates know. Raises KeyUnusable.
        """
        if not _NAME.fullmatch(name):
            raise KeyUnusable(f"{name!r} is no name for a key: small letters, digits and hyphens")
        if algorithm not in _MAKERS:
            raise KeyUnusable(f"no keys are made for {algorithm!r}: {', '.join(_MAKERS)}")
        if len(self._passphrase) < _MIN_PASSPHRASE:
            raise KeyUnusable(f"a passphrase has {_MIN_PASSPHRASE} bytes or more")
        if not 1 <= days <= _MOST_DAYS:
            raise KeyUnusable(f"a key is good for 1 to {_MOST_DAYS} days, not {days}")
        if (self.folder / f"{name}.key").exists():
            raise KeyUnusable(f"there is a key {name!r} already", hint="Give the new one another name.")
        private = _MAKERS[algorithm]()
        certificate = _certify(private, country, organisation, kinds, at, days)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        encrypted = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(self._passphrase),
        )
        write_whole(self.folder / f"{name}.key", encrypted)
        write_whole(self.folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))
        write_whole(self.folder / "current", name.encode())
        return self.signer(name)

    def signer(self, name: str = "") -> Signing:
        """The key of this name, or the current one. Raises KeyUnusable."""
        name = name or self.current
        path = self.folder / f"{name}.key"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise KeyUnusable(f"there is no key {name[:64]!r} in {self.folder.name}")
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), self._passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyUnusable(
                f"the key {name} does not open", hint="The passphrase is another, or the file is damaged."
            ) from None
        if not isinstance(
            private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
        ):
            raise KeyUnusable(f"the key {name} is of a kind that signs nothing here")
        certificate = self._certificate(name)
        if thumbprint(certificate.key) != thumbprint(private.public_key()):
            raise KeyUnusable(f"the certificate {name}.crt is not that of the key {name}")
        return Signing(name=name, private=private, certificate=certificate)

    def certificates(self) -> Iterator[tuple[str, Certificate]]:
        """The certificates of all keys, the retired ones too: what they signed is to be verified for years."""
        for name in self.names():
            yield name, self._certificate(name)

    def _certificate(self, name: str) -> Certificate:
        try:
            return next(read_certificates((self.folder / f"{name}.crt").read_bytes()))
        except (OSError, StopIteration, CredentialError):
            raise KeyUnusable(f"the certificate {name}.crt of the key {name} cannot be read") from None


def _certify(
    private: PrivateKey, country: str, organisation: str, kinds: tuple[str, ...], at: datetime, days: int
) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation} {at:%Y-%m-%d}"[:64]),
        ]
    )
    start = at.astimezone(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    usages = [ObjectIdentifier(_USAGES[kind]) for kind in kinds if kind in _USAGES]
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(private, None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing, for the owner alone."""
    beside = path.with_suffix(path.suffix + ".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
