"""The log of every issue: an append-only Merkle tree of hashes (RFC 9162, section 2.1).

What was signed is only ever remembered as a hash. Who holds a credential can be shown that it is in the log, and
whoever keeps an old root, that nothing was taken out since; a signature that is in no log was made by somebody
who had the key and no business with it.
"""

import hashlib
from collections.abc import Sequence

_LEAF, _NODE = b"\x00", b"\x01"
EMPTY = hashlib.sha256().digest()


def entry(algorithm: str, message: bytes, signature: bytes) -> bytes:
    """What the log remembers of a credential: the SHA-256 of what was signed and of the signature, 32 bytes.

    Of an ECDSA signature only its first half, because anybody can turn the second round. So a credential is found
    however it is carried, whichever claims its holder discloses; and nobody guesses it, for no two signatures are one.
    """
    if algorithm.startswith(("ES", "ECDSA")):
        signature = signature[: len(signature) // 2]
    return hashlib.sha256(hashlib.sha256(message).digest() + signature).digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry, 32 bytes; an entry here is what `entry` makes of a credential."""
    return hashlib.sha256(_LEAF + entry).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (section 2.1.1)."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    half = _largest_power_below(len(leaves))
    return _node(root(leaves[:half]), root(leaves[half:]))


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that the leaf of this index is under the root (section 2.1.3.1). Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    half = _largest_power_below(len(leaves))
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The proof that the tree of the first `size` leaves is the beginning of this one (section 2.1.4.1)."""
    if not 0 < size <= len(leaves):
        raise IndexError(size)
    return _consistency(leaves, size, whole=True)


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether a proof leads from the leaf to the root of a tree of `size` leaves (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = _node(one, found)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = _node(found, one)
        at >>= 1
        last >>= 1
    return last == 0 and found == expected


def extends(size: int, old: bytes, new_size: int, new: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree `new` begins with the tree `old` (section 2.1.4.2)."""
    if not 0 < size <= new_size:
        return False
    if size == new_size:
        return not proof and old == new
    path = list(proof)
    if size & (size - 1) == 0:
        path = [old, *path]
    if not path:
        return False
    at, last = size - 1, new_size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = _node(one, first), _node(one, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = _node(second, one)
        at >>= 1
        last >>= 1
    return last == 0 and first == old and second == new


def _consistency(leaves: Sequence[bytes], size: int, *, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    half = _largest_power_below(len(leaves))
    if size <= half:
        return [*_consistency(leaves[:half], size, whole=whole), root(leaves[half:])]
    return [*_consistency(leaves[half:], size - half, whole=False), root(leaves[:half])]


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
