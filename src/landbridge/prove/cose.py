"""CBOR and COSE_Sign1 as credentials use them: to the algorithm, the bytes signed and the signature (RFC 8949, 9052)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any, NoReturn

import cbor2
import msgspec

from landbridge.errors import Malformed
from landbridge.prove.keys import base64url

# What cbor2 makes of a map; asking for the abstract Mapping costs more than reading a header.
MAPS = (dict, cbor2.frozendict)
_ARRAYS = (list, tuple)
_MAX_DEPTH = 32
_MAX_BIGNUM = 1024  # bytes
_SIGN1, _CWT = 18, 61
ALG, CRIT, KID, X5CHAIN = 1, 2, 4, 33
ALGORITHMS = {
    -7: "ECDSA-SHA256",
    -9: "ES256",  # RFC 9864: fully specified
    -35: "ECDSA-SHA384",
    -51: "ES384",
    -36: "ECDSA-SHA512",
    -52: "ES512",
    -8: "EdDSA",
    -19: "EdDSA",
    -37: "PS256",
    -38: "PS384",
    -39: "PS512",
    -47: "ES256K",
    -257: "RS256",
    -258: "RS384",
    -259: "RS512",
    -265: "ESB256",
    -267: "ESB384",
    -268: "ESB512",
}


class Sign1(msgspec.Struct, frozen=True):
    """A COSE_Sign1 taken apart; `signed` is its Sig_structure, the exact bytes under the signature."""

    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes
    signature: bytes
    algorithm: str
    kids: tuple[str, ...]
    signed: bytes
    leniencies: tuple[str, ...]

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that travel along (RFC 9360), the signer's first."""
        carried = self.protected.get(X5CHAIN, self.unprotected.get(X5CHAIN, ()))
        certificates = (carried,) if isinstance(carried, bytes) else carried
        if not isinstance(certificates, tuple | list) or not all(
            isinstance(one, bytes) for one in certificates
        ):
            raise Malformed("the header x5chain holds something else than certificates", code="cose-header")
        return tuple(certificates)


def _refuse_sharing(_: object, __: object) -> NoReturn:
    # Shared values (tags 28 and 29) can make an object that contains itself.
    raise cbor2.CBORDecodeError("shared values are not used by credentials")


def _as_tagged(tag: int) -> Callable[[Any, object], Any]:
    def keep(value: Any, _: object) -> Any:
        return cbor2.CBORTag(tag, value)

    return keep


def _bignum(sign: int) -> Callable[[Any, object], int]:
    def read(value: Any, _: object) -> int:
        if not isinstance(value, bytes) or len(value) > _MAX_BIGNUM:
            raise cbor2.CBORDecodeError("a number larger than credentials use")
        number = int.from_bytes(value, "big")
        return number if sign > 0 else -1 - number

    return read


# Fractions, patterns and messages (tags 4, 5, 30, 35, 36) stay as written: making them costs seconds, or memory.
_SEMANTICS: dict[int, Callable[[Any, object], Any]] = {
    2: _bignum(1),
    3: _bignum(-1),
    28: _refuse_sharing,
    29: _refuse_sharing,
    **{tag: _as_tagged(tag) for tag in (4, 5, 30, 35, 36)},
}


def read_cbor(data: bytes) -> Any:
    """One CBOR item and nothing after it. Raises Malformed for anything else, for a key written twice,
    and for a nesting deeper than credentials use."""
    item, trailing = read_first(data)
    if trailing:
        raise Malformed(f"{trailing} bytes follow the end of this CBOR", code="cbor-trailing")
    return item


def read_first(data: bytes) -> tuple[Any, int]:
    """One CBOR item, and how many bytes follow it. Raises Malformed."""
    stream = BytesIO(data)
    try:
        item = cbor2.CBORDecoder(
            stream, max_depth=_MAX_DEPTH, allow_duplicate_keys=False, semantic_decoders=_SEMANTICS
        ).decode()
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError, RecursionError) as wrong:
        raise Malformed(f"this is not well-formed CBOR: {str(wrong)[:100]}", code="cbor") from None
    return item, len(data) - stream.tell()


def read_sign1(data: bytes | Any, *, detached: bytes | None = None, external: bytes = b"") -> Sign1:
    """A COSE_Sign1, tagged 18, tagged 61 and 18, or not at all (RFC 9052, section 4.2).

    `data` is its CBOR, or what was read from it. Headers: what is protected wins; a `kid` that is only in
    the unprotected header is taken from there, and so is `alg`, each named as a leniency.
    Raises Malformed.
    """
    forgiven: tuple[str, ...] = ()
    if isinstance(data, bytes):
        item, trailing = read_first(data)
        if trailing:
            forgiven += ("cose-trailing-bytes",)
    else:
        item = data
    if isinstance(item, cbor2.CBORTag) and item.tag == _CWT:
        item = item.value
    if isinstance(item, cbor2.CBORTag) and item.tag == _SIGN1:
        item = item.value
    if not isinstance(item, _ARRAYS) or len(item) != 4:
        raise Malformed("this is not a COSE_Sign1: an array of four", code="cose")
    raw, unprotected, payload, signature = item
    if payload is None:
        payload = detached
    if not (isinstance(raw, bytes) and isinstance(unprotected, MAPS) and isinstance(signature, bytes)):
        raise Malformed("a part of this COSE_Sign1 is of the wrong type", code="cose")
    if not isinstance(payload, bytes):
        raise Malformed("this COSE_Sign1 carries no payload", code="cose")
    protected, algorithm, kids = _protected(raw)
    if CRIT in unprotected:
        raise Malformed("a header marked critical is not known here", code="cose-critical")
    if not algorithm:
        algorithm = _algorithm(unprotected.get(ALG))
        forgiven += ("alg-unprotected",)
    if not kids and (kid := unprotected.get(KID)) is not None:
        kids = _kids(kid)
        forgiven += ("kid-unprotected",)
    return Sign1(
        protected,
        unprotected,
        payload,
        signature,
        algorithm,
        kids,
        sig_structure(raw, payload, external),
        forgiven,
    )


def sig_structure(protected: bytes, payload: bytes, external: bytes = b"") -> bytes:
    """The bytes a COSE_Sign1 signs (RFC 9052, section 4.4). A header that is an empty map counts as none."""
    if protected == b"\xa0":
        protected = b""
    return b"".join(
        (b"\x84jSignature1", _head(protected), protected, _head(external), external, _head(payload), payload)
    )


def _head(data: bytes) -> bytes:
    """The head of a byte string in CBOR (RFC 8949, section 3.1)."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,))
    if size < 0x100:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big") if size < 0x10000 else b"\x5a" + size.to_bytes(4, "big")


@lru_cache(maxsize=4096)
def _protected(raw: bytes) -> tuple[Mapping[Any, Any], str, tuple[str, ...]]:
    """A protected header, the algorithm and the key it names: the same bytes stand in every credential of a key."""
    header = read_cbor(raw) if raw else {}
    if not isinstance(header, MAPS):
        raise Malformed("the protected header of this COSE_Sign1 is not a map", code="cose")
    if CRIT in header:
        raise Malformed("a header marked critical is not known here", code="cose-critical")
    number, kid = header.get(ALG), header.get(KID)
    algorithm = "" if number is None else _algorithm(number)
    return MappingProxyType(header), algorithm, () if kid is None else _kids(kid)


def _algorithm(number: Any) -> str:
    algorithm = ALGORITHMS.get(number) if isinstance(number, int) else None
    if algorithm is None:
        raise Malformed(f"the algorithm {str(number)[:20]!r} is not accepted", code="algorithm-refused")
    return algorithm


def _kids(kid: Any) -> tuple[str, ...]:
    if isinstance(kid, bytes):
        return (base64url(kid),)
    if isinstance(kid, str):
        return (kid,)
    raise Malformed("the key identifier of this COSE_Sign1 is not bytes", code="cose-header")
