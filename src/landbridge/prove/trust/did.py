"""Keys of decentralised identifiers, offline: did:key and did:jwk are their own key, every other DID is a document
that somebody hands over as a file (W3C DID Core 1.0, Controlled Identifiers 1.0, the did:key and did:jwk methods).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from landbridge.errors import CredentialError
from landbridge.prove.facts import Issuer
from landbridge.prove.jose import read_json
from landbridge.prove.keys import (
    KeyRefused,
    PublicKey,
    check_strength,
    from_base64url,
    from_jwk,
    thumbprint,
    to_jwk,
)
from landbridge.prove.proofs import from_base58
from landbridge.prove.trust.list import Signer, Source

_MAX_DID = 8_192
_MAX_METHODS = 200
# Multicodec, the table's names: p256-pub, p384-pub, p521-pub, secp256k1-pub.
_CURVES: dict[int, ec.EllipticCurve] = {
    0x1200: ec.SECP256R1(),
    0x1201: ec.SECP384R1(),
    0x1202: ec.SECP521R1(),
    0xE7: ec.SECP256K1(),
}
_ED25519, _RSA, _JWK = 0xED, 0x1205, 0xEB51


def key_of_did(did_url: str) -> dict[str, str] | None:
    """The public JWK of a did:key or did:jwk, also of its one verification method (`did:key:z…#z…`, `did:jwk:…#0`).

    None for other methods, for other fragments, and for a key that is not to be used.
    """
    did, _, fragment = did_url.partition("#")
    method, _, name = did.removeprefix("did:").partition(":")
    if len(did) > _MAX_DID or not did.startswith("did:"):
        return None
    try:
        if method == "key" and fragment in ("", name):
            return to_jwk(from_multikey(name.rpartition(":")[2]))
        if method == "jwk" and fragment in ("", "0"):
            return to_jwk(from_jwk(read_json(from_base64url(name))))
    except (CredentialError, ValueError):
        pass
    return None


def from_multikey(text: str) -> PublicKey:
    """A public key in multibase (z or u) and multicodec (Controlled Identifiers 1.0, section 2.2.2).

    Raises KeyRefused.
    """
    try:
        if text[:1] == "z":
            data = from_base58(text[1:])
        elif text[:1] == "u":
            data = from_base64url(text[1:])
        else:
            raise KeyRefused("a multibase key begins with z or u")
        code, raw = _varint(data)
        return check_strength(_of_codec(code, raw))
    except KeyRefused:
        raise
    except (CredentialError, ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused("a multibase key cannot be read") from None


def signers_of_document(document: Any, source: Source) -> tuple[Signer, ...]:
    """The keys that a DID document allows to make assertions, each with every name a credential may use for it.

    `document` is a DID or controlled identifier document, or a resolver's answer that holds one. Keys of other
    relations (authentication, keyAgreement) sign no credential and are left out, as are those of other controllers
    and of kinds that are not read here. Raises KeyRefused where it is no such document.
    """
    if isinstance(document, dict) and isinstance(document.get("didDocument"), dict):
        document = document["didDocument"]
    did = document.get("id") if isinstance(document, dict) else None
    if not isinstance(did, str) or ":" not in did:
        raise KeyRefused("a DID document is an object with `id`")
    known = {_absolute(one["id"], did): one for one in _methods(document, "verificationMethod")}
    found = []
    for one in _asserting(document, did, known):
        if one.get("controller", did) != did:
            continue
        try:
            key = _key_of_method(one)
        except KeyRefused:
            continue
        names = [_absolute(one["id"], did), thumbprint(key)]
        jwk = one.get("publicKeyJwk")
        if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str):
            names.append(jwk["kid"])
        found.append(
            Signer(
                issuer=Issuer(id=did),
                spki=key.public_bytes(
                    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
                ),
                ids=tuple(dict.fromkeys(names)),
                source=source,
                until=_moment(one, "expires"),
                withdrawn=_moment(one, "revoked"),
            )
        )
    return tuple(found)


def _methods(document: dict[str, Any], relation: str) -> Iterator[Any]:
    listed = document.get(relation, [])
    listed = listed if isinstance(listed, list) else [listed]
    if len(listed) > _MAX_METHODS:
        raise KeyRefused(f"a DID document with more than {_MAX_METHODS} keys is not read")
    for one in listed:
        named = isinstance(one, str) and relation != "verificationMethod"
        if not named and not (isinstance(one, dict) and isinstance(one.get("id"), str)):
            raise KeyRefused(f"an entry of {relation} is not a key with `id`")
        yield one


def _asserting(
    document: dict[str, Any], did: str, known: dict[str, dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    for one in _methods(document, "assertionMethod"):
        if isinstance(one, dict):
            yield one
        elif method := known.get(_absolute(one, did)):
            yield method


def _absolute(name: str, did: str) -> str:
    return did + name if name.startswith("#") else name


def _key_of_method(method: dict[str, Any]) -> PublicKey:
    if "publicKeyJwk" in method:
        return from_jwk(method["publicKeyJwk"])
    multibase, base58 = method.get("publicKeyMultibase"), method.get("publicKeyBase58")
    if isinstance(multibase, str):
        return _bare_or_multikey(multibase, str(method.get("type")))
    if isinstance(base58, str):
        try:
            return _of_type(from_base58(base58), str(method.get("type")))
        except ValueError:
            raise KeyRefused("a base58 key cannot be read") from None
    raise KeyRefused(
        "a verification method carries no key that is read here (publicKeyJwk, publicKeyMultibase)"
    )


def _bare_or_multikey(text: str, kind: str) -> PublicKey:
    try:
        return from_multikey(text)
    except KeyRefused:
        # Documents of 2021 wrote publicKeyMultibase without the multicodec in front.
        if text[:1] != "z":
            raise
    try:
        return _of_type(from_base58(text[1:]), kind)
    except ValueError:
        raise KeyRefused("a multibase key cannot be read") from None


def _of_type(raw: bytes, kind: str) -> PublicKey:
    """Raises ValueError, KeyRefused."""
    if kind.startswith("Ed25519"):
        return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    if kind.startswith("EcdsaSecp256k1"):
        return check_strength(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), raw))
    if kind.startswith("EcdsaSecp256r1"):
        return check_strength(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw))
    raise KeyRefused(f"a verification method of the type {kind[:40]!r} is not read here")


def _varint(data: bytes) -> tuple[int, bytes]:
    number = 0
    for at, byte in enumerate(data[:4]):
        number |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return number, data[at + 1 :]
    raise ValueError("no multicodec")


def _of_codec(code: int, raw: bytes) -> object:
    if code in _CURVES:
        if raw[:1] not in (b"\x02", b"\x03"):
            raise ValueError("a point of a multikey is compressed")
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[code], raw)
    if code == _ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    if code == _RSA:
        return serialization.load_der_public_key(raw)
    if code == _JWK:
        return from_jwk(read_json(raw))
    raise ValueError("a multicodec that is no key for signatures")


def _moment(method: dict[str, Any], name: str) -> datetime | None:
    value = method.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise KeyRefused(f"the moment {name!r} of a verification method is none") from None
