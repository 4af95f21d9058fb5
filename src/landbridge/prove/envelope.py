"""An envelope: a credential decoded to what it says and what was signed. Read, not believed."""

from datetime import datetime
from typing import Any

import msgspec

from landbridge.prove.facts import Content


class KeyHint(msgspec.Struct, frozen=True, kw_only=True):
    """How a credential says which key signed it."""

    ids: tuple[str, ...] = ()
    """Key identifiers, the one to be believed first: text as written, bytes as base64url without padding."""
    issuer: str = ""
    """The issuer the key must belong to, where the format binds them (a URL or DID); empty otherwise."""
    exact: bool = False
    """The identifiers are worked out of certificates, as HCERT's are: one that fits none of them is another's."""
    chain: tuple[bytes, ...] = ()
    """Certificates that travel along, DER, the signer's first."""
    jwk: dict[str, Any] | None = None
    """The public key that *is* the issuer's name (did:jwk, did:key). One that merely travels along is not: give
    its thumbprint among `ids`."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """One signature: the exact bytes it covers, and how to check it."""

    algorithm: str
    """A name of landbridge.prove.keys.ALGORITHMS."""
    message: bytes
    signature: bytes
    hint: KeyHint
    alternatives: tuple[tuple[str, bytes], ...] = ()
    """(algorithm, message) of other readings of the same signature, tried after the first; one of all must hold."""


class StatusClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Where a credential says one may learn that it was taken back."""

    mechanism: str
    """`token-status-list`, `bitstring-status-list`, `dcc-revocation`, `shc-revocation`, …"""
    uri: str = ""
    index: int = 0
    purpose: str = "revocation"
    size: int = 1
    """Bits an entry, where the credential says so."""
    values: tuple[Any, ...] = ()
    """What a list of the mechanism is asked about, where that is not an index: an identifier, what it is hashed of."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    claims: Any
    """As written, in the types of the encoding (CBOR bytes and dates stay so)."""
    content: Content
    signatures: tuple[Signed, ...]
    """Every one of them must hold; none at all is never authentic."""
    unchecked: tuple[str, str] | None = None
    """(code, detail): why a signature of it, or what it covers, cannot be told here. It stays open at best."""
    issuer: str = ""
    """As the credential names it: a country, a URL, a DID, a certificate's subject."""
    issued: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    status: tuple[StatusClaim, ...] = ()
    leniencies: tuple[str, ...] = ()
    """Codes of what the reader forgave: see landbridge.prove.leniency."""
    warnings: tuple[str, ...] = ()
    """Codes of what an officer should know and what turns nothing red."""
    faults: tuple[tuple[str, str], ...] = ()
    """(code, sentence) of what the format's rules forbid although it could be read."""
