"""Lists that hold hashes of what was withdrawn: EU DCC revocation (batches, partial hashes, Bloom filters).

EU DCC revocation specification (eHealth Network, 2022), sections 4 and 5: a hash is the first sixteen bytes of a
SHA-256, of the certificate's identifier (`UCI`), of country and identifier (`COUNTRYCODEUCI`), or of the
signature (`SIGNATURE`), of which ECDSA's second half is left out, because anybody can turn it round.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from landbridge.prove.envelope import StatusClaim
from landbridge.prove.status import StatusList
from landbridge.prove.status.bits import StatusListRefused
from landbridge.prove.trust.list import Signer, Source

_TYPES = ("UCI", "COUNTRYCODEUCI", "SIGNATURE")
_LENGTH = 16
_MIN_PARTIAL = 4


class HashList(msgspec.Struct, frozen=True, kw_only=True):
    """One batch: truncated hashes, all of one length."""

    uri: str
    source: Source
    signer: Signer | None
    country: str
    hash_type: str
    hashes: frozenset[bytes]
    length: int = _LENGTH
    mechanism: str = "dcc-revocation"

    def look_up(self, claim: StatusClaim) -> str:
        identifier, country, signature, algorithm = claim.values
        if self.country and country and country != self.country:
            return "not-on-list"
        digest = hash_of(self.hash_type, identifier, country, signature, algorithm)
        return "taken-back" if digest[: self.length] in self.hashes else "not-on-list"


def hash_of(hash_type: str, identifier: str, country: str, signature: bytes, algorithm: str) -> bytes:
    """The sixteen bytes a list of this type holds of a certificate."""
    if hash_type == "SIGNATURE":
        hashed = signature if algorithm == "PS256" else signature[: len(signature) // 2]
    else:
        hashed = ((country if hash_type == "COUNTRYCODEUCI" else "") + identifier).encode()
    return hashlib.sha256(hashed).digest()[:_LENGTH]


def read_hashes(value: Mapping[str, Any], *, name: str, believed: Source | None) -> Iterator[StatusList]:
    """One batch as the gateway writes it: `country`, `expires`, `kid`, `hashType`, `entries` of `hash`.

    Such a batch carries no signature of its own: it must come from a source that does. Raises StatusListRefused.
    """
    kind, entries = value.get("hashType"), value.get("entries")
    if kind not in _TYPES or not isinstance(entries, list):
        raise StatusListRefused(f"{name}: no list of a form that is known", code="list-unreadable")
    try:
        hashes = frozenset(
            base64.b64decode(one["hash"] if isinstance(one, Mapping) else one, validate=True)
            for one in entries
        )
        expires = datetime.fromisoformat(value["expires"]) if value.get("expires") else None
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise StatusListRefused(f"{name}: an entry of the list is no hash", code="list-unreadable") from None
    lengths = {len(one) for one in hashes} or {_LENGTH}
    if len(lengths) != 1 or not _MIN_PARTIAL <= min(lengths) <= _LENGTH:
        raise StatusListRefused(f"{name}: hashes have one length, from 4 to 16 bytes", code="list-unreadable")
    source = believed or Source(name=name, expires=expires)
    yield HashList(
        uri=str(value.get("uri", "")) or name,
        source=source,
        signer=None,
        country=str(value.get("country", "")),
        hash_type=kind,
        hashes=hashes,
        length=lengths.pop(),
    )
