"""Keys and signatures: which algorithm goes with which key, and the check itself (RFC 7518, RFC 9053, RFC 8032)."""

import base64
import binascii
import hashlib
import json
from functools import cache, lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from landbridge.errors import CredentialError

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class KeyRefused(CredentialError):
    """A key that is not one, or that nobody should use."""

    step = "key"


class SignatureWrong(CredentialError):
    """The signature does not fit the bytes and the key."""

    step = "signature"


class Algorithm(msgspec.Struct, frozen=True):
    """How bytes are signed. `curve` binds ECDSA to one curve, as JOSE does and COSE does not."""

    name: str
    family: str
    hash: hashes.HashAlgorithm | None = None
    curve: str = ""


ALGORITHMS: dict[str, Algorithm] = {
    one.name: one
    for one in (
        Algorithm("ES256", "ec", hashes.SHA256(), "secp256r1"),
        Algorithm("ES384", "ec", hashes.SHA384(), "secp384r1"),
        Algorithm("ES512", "ec", hashes.SHA512(), "secp521r1"),
        Algorithm("ES256K", "ec", hashes.SHA256(), "secp256k1"),
        # Brainpool's curves, which ISO 18013-5 and ICAO allow (RFC 9864).
        Algorithm("ESB256", "ec", hashes.SHA256(), "brainpoolP256r1"),
        Algorithm("ESB384", "ec", hashes.SHA384(), "brainpoolP384r1"),
        Algorithm("ESB512", "ec", hashes.SHA512(), "brainpoolP512r1"),
        # COSE leaves the curve to the key (RFC 9053, section 2.1): Spain signed ES256 with P-384.
        Algorithm("ECDSA-SHA256", "ec", hashes.SHA256()),
        Algorithm("ECDSA-SHA384", "ec", hashes.SHA384()),
        Algorithm("ECDSA-SHA512", "ec", hashes.SHA512()),
        Algorithm("PS256", "rsa-pss", hashes.SHA256()),
        Algorithm("PS384", "rsa-pss", hashes.SHA384()),
        Algorithm("PS512", "rsa-pss", hashes.SHA512()),
        Algorithm("RS256", "rsa-pkcs1", hashes.SHA256()),
        Algorithm("RS384", "rsa-pkcs1", hashes.SHA384()),
        Algorithm("RS512", "rsa-pkcs1", hashes.SHA512()),
        Algorithm("EdDSA", "ed25519"),
    )
}
_ECDSA = {
    name: ec.ECDSA(one.hash)
    for name, one in ALGORITHMS.items()
    if one.family == "ec" and one.hash is not None
}
_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192  # A larger modulus makes one check cost seconds.
_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
    # Not registered for JOSE: the names Germany's health network gives them.
    "BP-256": ec.BrainpoolP256R1(),
    "BP-384": ec.BrainpoolP384R1(),
    "BP-512": ec.BrainpoolP512R1(),
}


# Other names for an algorithm in a JWK: RFC 9864's, and a slip of the pen after P-521.
_JWK_ALGORITHMS = {"Ed25519": "EdDSA", "ES521": "ES512"}
_COSE_CURVES = {
    1: "P-256",
    2: "P-384",
    3: "P-521",
    8: "secp256k1",
    256: "BP-256",
    258: "BP-384",
    259: "BP-512",
}


def verify_signature(key: PublicKey, algorithm: str, message: bytes, signature: bytes) -> None:
    """Checks one signature; ECDSA as the raw pair r, s of the curve's length (RFC 7518, section 3.4).

    Raises SignatureWrong, also where key and algorithm do not belong together.
    """
    means = ALGORITHMS.get(algorithm)
    if means is None:
        raise SignatureWrong(f"the algorithm {algorithm!r} is not accepted", code="algorithm-refused")
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if means.family != "ec" or (means.curve and means.curve != key.curve.name):
                raise _mismatch(algorithm, key)
            half = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * half:
                raise SignatureWrong(
                    f"the signature has {len(signature)} bytes, not the {2 * half} of {key.curve.name}",
                    code="signature-wrong",
                )
            pair = encode_dss_signature(
                int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            )
            key.verify(pair, message, _ECDSA[algorithm])
        elif isinstance(key, rsa.RSAPublicKey):
            if means.hash is None or not means.family.startswith("rsa"):
                raise _mismatch(algorithm, key)
            key.verify(signature, message, _rsa_padding(means), means.hash)
        elif isinstance(key, ed25519.Ed25519PublicKey):
            if means.family != "ed25519":
                raise _mismatch(algorithm, key)
            key.verify(signature, message)
        else:
            raise _mismatch(algorithm, key)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise SignatureWrong("the signature does not fit what is written", code="signature-wrong") from None


def sign(key: PrivateKey, algorithm: str, message: bytes) -> bytes:
    """One signature in the form `verify_signature` reads. Raises KeyRefused where key and algorithm do not fit."""
    means = ALGORITHMS[algorithm]
    if isinstance(key, ec.EllipticCurvePrivateKey) and means.family == "ec":
        if means.curve and means.curve != key.curve.name:
            raise KeyRefused(f"{algorithm} needs the curve {means.curve}, the key has {key.curve.name}")
        return _raw_pair(key.sign(message, _ECDSA[algorithm]), (key.curve.key_size + 7) // 8)
    if isinstance(key, rsa.RSAPrivateKey) and means.family.startswith("rsa") and means.hash is not None:
        return key.sign(message, _rsa_padding(means), means.hash)
    if isinstance(key, ed25519.Ed25519PrivateKey) and means.family == "ed25519":
        return key.sign(message)
    raise KeyRefused(f"{algorithm} cannot be made with a key of the kind {describe(key.public_key())}")


def algorithm_of(key: PublicKey | PrivateKey) -> str:
    """The algorithm we sign with, given a key: ES256, ES384, ES512, EdDSA or PS256."""
    match key:
        case ec.EllipticCurvePublicKey() | ec.EllipticCurvePrivateKey():
            for name in ("ES256", "ES384", "ES512", "ES256K"):
                if ALGORITHMS[name].curve == key.curve.name:
                    return name
        case rsa.RSAPublicKey() | rsa.RSAPrivateKey():
            return "PS256"
        case ed25519.Ed25519PublicKey() | ed25519.Ed25519PrivateKey():
            return "EdDSA"
    raise KeyRefused(f"no algorithm of ours goes with a key of the kind {type(key).__name__}")


def describe(key: PublicKey) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return "Ed25519"


def check_strength(key: object) -> PublicKey:
    """The key, if it is of a kind and size that may be trusted. Raises KeyRefused."""
    if isinstance(key, rsa.RSAPublicKey):
        if not _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
            raise KeyRefused(
                f"an RSA key of {key.key_size} bits is not accepted (from {_MIN_RSA_BITS} to {_MAX_RSA_BITS})"
            )
        if _is_guessable(key.public_numbers().n):
            raise KeyRefused("an RSA key made by a faulty chip (ROCA, CVE-2017-15361) is not accepted")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in {one.curve for one in ALGORITHMS.values()}:
            raise KeyRefused(f"the curve {key.curve.name} is not accepted (use P-256, P-384 or P-521)")
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise KeyRefused(f"a key of the kind {type(key).__name__} signs nothing here (use P-256, Ed25519 or RSA)")


def _is_guessable(modulus: int) -> bool:
    """Whether a modulus carries the mark of ROCA: a power of 65537 modulo every small prime (Nemec et al., CCS 2017)."""
    return all(modulus % prime in powers for prime, powers in _powers_of_65537().items())


@cache
def _powers_of_65537() -> dict[int, frozenset[int]]:
    primes = [one for one in range(3, 168) if all(one % other for other in range(2, one))]
    return {prime: frozenset(pow(65537, power, prime) for power in range(prime - 1)) for prime in primes}


@lru_cache(maxsize=4096)
def from_spki(der: bytes) -> PublicKey:
    """A public key from its SubjectPublicKeyInfo, strictly read. Raises KeyRefused."""
    try:
        return check_strength(serialization.load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm) as wrong:
        raise KeyRefused(f"a public key cannot be read: {wrong}") from None


def from_jwk(jwk: Any) -> PublicKey:
    """A public key from a JWK (RFC 7517, RFC 8037). Raises KeyRefused.

    A JWK meant for encryption, or for another algorithm than its curve allows, is refused.
    """
    if not isinstance(jwk, dict):
        raise KeyRefused("a JWK is an object with `kty`")
    if jwk.get("use", "sig") != "sig":
        raise KeyRefused(f'a key with "use": {json.dumps(jwk["use"])[:40]} is not for signatures')
    operations = jwk.get("key_ops")
    if (
        isinstance(operations, list)
        and operations
        and not {"verify", "sign"} & {str(one) for one in operations}
    ):
        raise KeyRefused("a key whose `key_ops` do not name `verify` is not for signatures")
    try:
        key = check_strength(_public_from_jwk(jwk))
    except KeyRefused:
        raise
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(f"a JWK of the kind {str(jwk.get('kty'))[:20]!r} cannot be read") from None
    wanted = jwk.get("alg")
    if wanted is not None and not _goes_with(key, str(wanted)):
        raise KeyRefused(
            f'a JWK says "alg": {json.dumps(wanted)[:40]}, which its {describe(key)} key cannot be'
        )
    return key


def permits(jwk: dict[str, Any], algorithm: str) -> bool:
    """Whether a JWK may check this algorithm: the one that its `alg` names (RFC 7517, section 4.4), or one of the
    same family with a longer hash, as an example of RFC 7520 in wide use has it; any, where it names none."""
    if jwk.get("alg") is None:
        return True
    stated = ALGORITHMS.get(_JWK_ALGORITHMS.get(str(jwk["alg"]), str(jwk["alg"])))
    means = ALGORITHMS.get(algorithm)
    if stated is None or means is None or stated.family != means.family:
        return False
    return stated == means or (
        stated.hash is not None
        and means.hash is not None
        and stated.hash.digest_size <= means.hash.digest_size
    )


def to_jwk(key: PublicKey) -> dict[str, str]:
    """The public JWK with the members of its thumbprint only (RFC 7638, section 3.2)."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        half = (key.curve.key_size + 7) // 8
        name = next(name for name, curve in _CURVES.items() if curve.name == key.curve.name)
        point = key.public_numbers()
        return {
            "crv": name,
            "kty": "EC",
            "x": base64url(point.x.to_bytes(half, "big")),
            "y": base64url(point.y.to_bytes(half, "big")),
        }
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"e": base64url(_big(numbers.e)), "kty": "RSA", "n": base64url(_big(numbers.n))}
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url(key.public_bytes_raw())}


def thumbprint(key: PublicKey) -> str:
    """The JWK thumbprint, SHA-256, base64url (RFC 7638)."""
    return base64url(hashlib.sha256(json.dumps(to_jwk(key), separators=(",", ":")).encode()).digest())


def from_cose_key(cose_key: Any) -> PublicKey:
    """A public key from a COSE_Key map (RFC 9053, section 7). Raises KeyRefused."""
    try:
        kind, curve = cose_key[1], cose_key.get(-1)
        if kind == 2:
            name = _COSE_CURVES[curve]
            if not isinstance(cose_key[-3], bytes):
                raise ValueError
            return check_strength(
                ec.EllipticCurvePublicNumbers(
                    int.from_bytes(cose_key[-2], "big"), int.from_bytes(cose_key[-3], "big"), _CURVES[name]
                ).public_key()
            )
        if kind == 1 and curve == 6:
            return ed25519.Ed25519PublicKey.from_public_bytes(cose_key[-2])
        if kind == 3:
            return check_strength(
                rsa.RSAPublicNumbers(
                    int.from_bytes(cose_key[-2], "big"), int.from_bytes(cose_key[-1], "big")
                ).public_key()
            )
    except (KeyError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        pass
    raise KeyRefused("a COSE key cannot be read")


def base64url(data: bytes) -> str:
    """Without padding, as JOSE writes it (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str | bytes) -> bytes:
    """Strict: no padding, no stray characters, no bits left over. Raises ValueError."""
    raw = text.encode("ascii") if isinstance(text, str) else text
    try:
        data = base64.b64decode(raw.translate(_URLSAFE) + b"=" * (-len(raw) % 4), validate=True)
    except binascii.Error as wrong:
        raise ValueError(str(wrong)) from None
    if base64url(data).encode() != raw:
        raise ValueError("not the one way to write these bytes in base64url")
    return data


# "+", "/" and "=" become characters that base64 refuses.
_URLSAFE = bytes.maketrans(b"-_+/=", b"+/!!!")


def _public_from_jwk(jwk: dict[str, Any]) -> object:
    kind = jwk["kty"]
    if kind == "EC":
        curve = _CURVES[jwk["crv"]]
        return ec.EllipticCurvePublicNumbers(
            int.from_bytes(from_base64url(jwk["x"]), "big"),
            int.from_bytes(from_base64url(jwk["y"]), "big"),
            curve,
        ).public_key()
    if kind == "RSA":
        return rsa.RSAPublicNumbers(
            int.from_bytes(from_base64url(jwk["e"]), "big"), int.from_bytes(from_base64url(jwk["n"]), "big")
        ).public_key()
    if kind == "OKP" and jwk["crv"] == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(from_base64url(jwk["x"]))
    raise ValueError


def _goes_with(key: PublicKey, algorithm: str) -> bool:
    means = ALGORITHMS.get(_JWK_ALGORITHMS.get(algorithm, algorithm))
    if means is None:
        return False
    if isinstance(key, ec.EllipticCurvePublicKey):
        return means.family == "ec" and means.curve in ("", key.curve.name)
    return means.family.startswith("rsa") if isinstance(key, rsa.RSAPublicKey) else means.family == "ed25519"


def _rsa_padding(means: Algorithm) -> padding.AsymmetricPadding:
    if means.family == "rsa-pkcs1" or means.hash is None:
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(means.hash), salt_length=means.hash.digest_size)


def _raw_pair(der: bytes, half: int) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def _big(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _mismatch(algorithm: str, key: Any) -> SignatureWrong:
    return SignatureWrong(
        f"{algorithm} cannot be checked with a key of the kind {describe(key)}", code="algorithm-mismatch"
    )
