"""Lists a credential points into by number: IETF Token Status List and W3C Bitstring Status List 1.0.

Both are a row of entries of 1, 2, 4 or 8 bits, compressed. The IETF's row begins at the lowest bit of a byte and is
packed by zlib; the W3C's begins at the highest and is packed by gzip.
"""

import gzip
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from landbridge.errors import CredentialError
from landbridge.prove.envelope import StatusClaim
from landbridge.prove.keys import base64url, from_base64url
from landbridge.prove.trust.list import Signer, Source

_MAX_BYTES = 64 * 1024 * 1024
_SIZES = (1, 2, 4, 8)
_VALID, _INVALID, _SUSPENDED = 0, 1, 2


class StatusListRefused(CredentialError):
    """A status list that cannot be read, or that nobody signed who may."""

    step = "taken back"


class Row(msgspec.Struct, frozen=True):
    """Entries of `size` bits each. `low_first` says from which end of a byte they are counted."""

    data: bytes
    size: int
    low_first: bool

    def __len__(self) -> int:
        return len(self.data) * 8 // self.size

    def __getitem__(self, index: int) -> int:
        """One entry. Raises IndexError where the row is shorter."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        byte, offset = divmod(index * self.size, 8)
        shift = offset if self.low_first else 8 - self.size - offset
        return self.data[byte] >> shift & (1 << self.size) - 1


def make_row(length: int, marked: Mapping[int, int], size: int = 1, *, low_first: bool = True) -> Row:
    """A row of `length` entries (rounded up to whole bytes), all zero but those marked."""
    if size not in _SIZES:
        raise ValueError(f"entries have 1, 2, 4 or 8 bits, not {size}")
    data = bytearray(-(-length * size // 8))
    for index, value in marked.items():
        if not 0 <= index < length or not 0 <= value < 1 << size:
            raise ValueError(f"entry {index}={value} does not fit {length} entries of {size} bits")
        byte, offset = divmod(index * size, 8)
        data[byte] |= value << (offset if low_first else 8 - size - offset)
    return Row(bytes(data), size, low_first)


def read_token_row(content: Any) -> Row:
    """`{"bits": …, "lst": …}` of a Token Status List, from JSON (base64url) or CBOR (bytes): sections 4.2 and 4.3.

    Raises StatusListRefused.
    """
    if (
        not isinstance(content, Mapping)
        or content.get("bits") not in _SIZES
        or isinstance(content["bits"], bool)
    ):
        raise StatusListRefused("a status list has `bits` of 1, 2, 4 or 8", code="list-unreadable")
    packed = content.get("lst")
    try:
        if isinstance(packed, str):
            packed = from_base64url(packed)
        if not isinstance(packed, bytes):
            raise TypeError
        return Row(_unpack(packed, zlib.MAX_WBITS), content["bits"], low_first=True)
    except (ValueError, TypeError, zlib.error):
        raise StatusListRefused(
            "the `lst` of a status list cannot be unpacked", code="list-unreadable"
        ) from None


def read_bitstring_row(encoded: Any, size: int = 1) -> Row:
    """`encodedList` of a Bitstring Status List: multibase base64url of gzip (section 2.3); the StatusList2021 form
    without the multibase letter is read too. Raises StatusListRefused."""
    try:
        text = encoded[1:] if encoded[:1] == "u" and not encoded.startswith("H4s") else encoded
        return Row(_unpack(from_base64url(text.rstrip("=")), zlib.MAX_WBITS | 16), size, low_first=False)
    except (ValueError, TypeError, AttributeError, zlib.error):
        raise StatusListRefused("the encodedList cannot be unpacked", code="list-unreadable") from None


def pack_token_row(row: Row) -> bytes:
    """The `lst` of a Token Status List, as CBOR carries it; JSON takes its base64url."""
    return zlib.compress(row.data, 9)


def pack_bitstring_row(row: Row) -> str:
    """The `encodedList` of a Bitstring Status List."""
    return "u" + base64url(gzip.compress(row.data, 9, mtime=0))


class NumberedList(msgspec.Struct, frozen=True, kw_only=True):
    """One list of either mechanism, read and verified."""

    mechanism: str
    uri: str
    source: Source
    signer: Signer | None
    row: Row
    purposes: frozenset[str] = frozenset({"revocation", "suspension"})
    """What an entry that is not zero means: for a Bitstring, its own `statusPurpose`."""

    def look_up(self, claim: StatusClaim) -> str:
        try:
            value = self.row[claim.index]
        except IndexError:
            return "list-unreadable"
        if self.mechanism == "bitstring-status-list":
            if claim.purpose not in self.purposes:
                return "list-unreadable"
            if value == 0:
                return "not-on-list"
            return "suspended" if claim.purpose == "suspension" else "taken-back"
        if value == _VALID:
            return "not-on-list"
        # Section 7.1 leaves 3 and 11 to 15 to applications: not valid, and nobody here knows what else.
        return {_INVALID: "taken-back", _SUSPENDED: "suspended"}.get(value, "list-unreadable")


def _unpack(packed: bytes, bits: int) -> bytes:
    inflater = zlib.decompressobj(bits)
    data = inflater.decompress(packed, _MAX_BYTES)
    if not inflater.eof:
        raise ValueError("cut, or too large")
    return data
