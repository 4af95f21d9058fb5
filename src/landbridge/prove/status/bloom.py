"""Bloom filters of hashes, as EU DCC revocation distributes them: what is not in one was not put in; what is, perhaps.

File format 1 of the standardized filter of the EU Digital COVID Certificate project, big-endian: version (2 bytes),
number of rounds, hash function (1 byte each; 0: SHA-256), stated probability (4, IEEE 754), elements planned and
elements put in (4 each), length (4), bits. Round `i` of an element sets bit SHA-256(element ‖ i), read as a signed
number, modulo the number of bits; bits are counted from the highest of the first byte.
"""

import hashlib
import math
import struct
from collections.abc import Collection, Iterator

import msgspec

from landbridge.prove.status.bits import StatusListRefused

_MAX_BYTES = 64 * 1024 * 1024
_VERSION, _SHA256 = 1, 0
_HEADER = struct.Struct(">hbbfiii")
_WORD = 4
_MAX_ROUNDS = 127


class Bloom(msgspec.Struct, frozen=True, kw_only=True):
    """A filter. `hash in filter` is False where it was never put in; True is no certainty, with any filter."""

    bits: bytes
    rounds: int
    rate: float
    """How often something that was never put in is named, as its maker states it."""
    planned: int
    count: int

    def __contains__(self, element: bytes) -> bool:
        return all(
            self.bits[place >> 3] & 0x80 >> (place & 7) for place in _places(element, self.rounds, self.bits)
        )


def make_bloom(elements: Collection[bytes], rate: float) -> Bloom:
    """A filter of these elements that names another with probability `rate`, of the size the reference gives it.

    Raises ValueError where the rate is not between 0 and 1, or the filter would be larger than is read again.
    """
    if not 0 < rate < 1:
        raise ValueError(f"a rate lies between 0 and 1: {rate}")
    planned = max(len(elements), 1)
    needed = math.ceil(planned * math.log(rate) / -(math.log(2) ** 2)) // 8 + 1
    # Rounding as the reference does it, so that the same hashes make the same file.
    size = (needed // _WORD + needed % _WORD) * _WORD
    if size > _MAX_BYTES:
        raise ValueError(f"a filter of {size} bytes is larger than {_MAX_BYTES}: make several")
    rounds = min(max(1, math.floor(size * 8 / planned * math.log(2) + 0.5)), _MAX_ROUNDS)
    bits = bytearray(size)
    for element in elements:
        for place in _places(element, rounds, bits):
            bits[place >> 3] |= 0x80 >> (place & 7)
    return Bloom(bits=bytes(bits), rounds=rounds, rate=rate, planned=planned, count=len(elements))


def pack_bloom(bloom: Bloom) -> bytes:
    """The file, as the reference writes it."""
    head = _HEADER.pack(
        _VERSION, bloom.rounds, _SHA256, bloom.rate, bloom.planned, bloom.count, len(bloom.bits) // _WORD
    )
    return head + bloom.bits


def read_bloom(data: bytes) -> Bloom:
    """The filter in a file. Raises StatusListRefused.

    The format's table and its reference disagree twice: the two single bytes are written in either order (rounds
    are never 0, the one hash function always is), the length counts bytes or words of four. Both are read.
    """
    if not _HEADER.size < len(data) <= _MAX_BYTES:
        raise _refused(f"has {len(data)} bytes, and a filter from {_HEADER.size + 1} to {_MAX_BYTES}")
    version, first, second, rate, planned, count, length = _HEADER.unpack_from(data)
    bits = data[_HEADER.size :]
    if version != _VERSION:
        raise _refused(f"is of version {version}, and only {_VERSION} is known")
    if sorted((first > 0, second > 0)) != [False, True] or _SHA256 not in (first, second):
        raise _refused(f"names rounds and hash function {first} and {second}: one is 0 (SHA-256), one is not")
    if len(bits) % _WORD or length not in (len(bits), len(bits) // _WORD):
        raise _refused(f"says it has {length} words of bits, and has {len(bits)} bytes")
    if not 0 < rate <= 1 or planned < 0 or count < 0:
        raise _refused("states a probability or a number of elements that cannot be")
    return Bloom(bits=bits, rounds=first or second, rate=rate, planned=planned, count=count)


def _places(element: bytes, rounds: int, bits: bytes | bytearray) -> Iterator[int]:
    begun = hashlib.sha256(element)
    for number in range(rounds):
        digest = begun.copy()
        digest.update(bytes((number,)))
        yield int.from_bytes(digest.digest(), "big", signed=True) % (len(bits) * 8)


def _refused(what: str) -> StatusListRefused:
    return StatusListRefused(f"this Bloom filter {what}", code="list-unreadable")
