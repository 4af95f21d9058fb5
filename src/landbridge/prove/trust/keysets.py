"""Keys in JSON and CBOR: JWK and JWK sets, COSE keys, the VCI directory and its snapshots, and what SMART Health
Cards demand of an issuer's keys.

RFC 7517; RFC 9052 section 7; SMART Health Cards Framework 1.4.0, "Determining keys associated with an issuer".
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import msgspec

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate, issued_by, read_certificate
from landbridge.prove.cose import MAPS
from landbridge.prove.facts import Issuer
from landbridge.prove.keys import KeyRefused, from_cose_key, from_jwk, thumbprint
from landbridge.prove.trust.list import Signer, Source
from landbridge.prove.trust.material import (
    HEALTH,
    Material,
    alpha2,
    certificate_ids,
    from_any_base64,
    kid_forms,
    moment,
    of_key,
    private_key,
    unreadable,
)

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MAX_KEYS = 10_000
_MAX_CHAIN = 8


def read_jwks(
    keys: Any, source: Source, *, issuer: Issuer | None = None, ids: Iterable[str] = (), **limits: Any
) -> Material:
    """The signers of a JWK set's keys. Without an issuer they are nobody's by name (`TrustList.find`).

    A key for encryption, of a kind that signs nothing here, or refused, is passed over; when none is left,
    that is an error, and so is a private key. Raises TrustUnreadable.
    """
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
        raise unreadable("`keys` of a JWK set is a list of keys")
    signers: list[Signer] = []
    passed_over: list[tuple[str, str]] = []
    for number, jwk in enumerate(keys):
        try:
            signers.append(of_jwk(jwk, source, issuer=issuer, ids=ids, **limits))
        except KeyRefused as wrong:
            passed_over.append((f"{source.name} keys[{number}]", str(wrong)))
    if keys and not signers:
        raise unreadable(f"none of the {len(keys)} keys of this set can be used: {passed_over[0][1]}")
    known = frozenset({issuer.id}) if issuer is not None and issuer.id else frozenset[str]()
    return Material(signers=tuple(signers), known=known, passed_over=tuple(passed_over))


def of_jwk(
    jwk: Any, source: Source, *, issuer: Issuer | None = None, ids: Iterable[str] = (), **limits: Any
) -> Signer:
    """Raises KeyRefused, and TrustUnreadable for a private key."""
    if isinstance(jwk, dict) and _PRIVATE & jwk.keys():
        raise private_key()
    key = from_jwk(jwk)
    own = kid_forms(jwk.get("kid"))
    names = [*own, *ids]
    thumb = jwk.get("x5t#S256")
    if isinstance(thumb, str):
        names += kid_forms(thumb)
    certificate = _first_certificate(jwk)
    signer = of_key(key, source, issuer=issuer, ids=names, **limits)
    if certificate is not None:
        if certificate.spki != signer.spki:
            raise KeyRefused("the certificate in `x5c` of a JWK is that of another key")
        signer = msgspec.structs.replace(
            signer, ids=tuple(dict.fromkeys((*signer.ids, *certificate_ids(certificate))))
        )
    return msgspec.structs.replace(signer, unnamed=not own)


def read_cose_keys(item: Any, source: Source) -> Material:
    """A COSE_Key, or a COSE_KeySet. Raises TrustUnreadable."""
    maps = [item] if isinstance(item, MAPS) else list(item)
    signers = []
    for one in maps[:_MAX_KEYS]:
        # Of EC and OKP keys -4 is the private part, of RSA keys -3 (RFC 9053, RFC 8230); an RSA key's -1 is n.
        if isinstance(one, MAPS) and ((-4 in one) or (one.get(1) == 3 and -3 in one) or one.get(1) == 4):
            raise private_key()
        try:
            key = from_cose_key(one)
        except KeyRefused as wrong:
            raise unreadable(str(wrong)) from None
        own = kid_forms(one.get(2))
        signers.append(of_key(key, source, ids=own, unnamed=not own))
    return Material(signers=tuple(signers))


def read_snapshot(document: Mapping[str, Any], source: Source) -> Material:
    """A snapshot of the VCI directory: every issuer with the keys it had. Raises TrustUnreadable."""
    source = Source(name=source.name, issued=moment(document.get("time")) or source.issued)
    signers: list[Signer] = []
    known: set[str] = set()
    names: list[Issuer] = []
    passed_over: list[tuple[str, str]] = []
    entries = document.get("issuerInfo")
    if not isinstance(entries, list):
        raise unreadable("`issuerInfo` of a directory's snapshot is a list")
    for entry in entries:
        said = entry.get("issuer") if isinstance(entry, dict) else None
        issuer = _directory_issuer(said)
        if issuer is None:
            passed_over.append((source.name, "an issuer without `iss`"))
            continue
        names.append(issuer)
        try:
            material = read_jwks(entry.get("keys") or [], source, issuer=issuer, kinds=HEALTH)
        except CredentialError as wrong:
            passed_over.append((f"{source.name} {issuer.id}", str(wrong)))
            continue
        passed_over += material.passed_over
        signers += material.signers
        if material.signers:
            known.add(issuer.id)
    return Material(
        signers=tuple(signers), known=frozenset(known), names=tuple(names), passed_over=tuple(passed_over)
    )


def read_directory(document: Mapping[str, Any]) -> Material:
    """The VCI directory: names of issuers, whose keys must come from elsewhere; also its file of metadata."""
    names = []
    for entry in document.get("participating_issuers") or document.get("issuer_metadata") or ():
        issuer = _directory_issuer(entry)
        if issuer is not None:
            names.append(issuer)
    return Material(names=tuple(names))


class KeyFault(msgspec.Struct, frozen=True):
    """What SMART Health Cards forbid of one key: `code` as below, `key` its place in the set."""

    code: str
    key: int
    sentence: str


FAULTS = (
    "key-schema",
    "key-wrong-kty",
    "key-wrong-alg",
    "key-wrong-use",
    "key-wrong-kid",
    "key-wrong-crv",
    "key-private",
    "key-x5c",
)


def check_health_card_keys(jwks: Any, *, issuer: str = "") -> tuple[KeyFault, ...]:
    """Every fault of an issuer's JWK set by the SMART Health Cards Framework; none for a good one.

    `issuer` is the `iss` its certificates must name as their only URI, where `x5c` is there.
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or len(keys) > _MAX_KEYS:
        return (KeyFault("key-schema", 0, "an issuer's keys are an object with a list `keys`"),)
    return tuple(fault for number, jwk in enumerate(keys) for fault in _faults_of(jwk, number, issuer))


def _faults_of(jwk: Any, number: int, issuer: str) -> Iterable[KeyFault]:
    if not isinstance(jwk, dict):
        yield KeyFault("key-schema", number, "a key is an object")
        return
    if any(not isinstance(jwk.get(name), str) for name in ("kty", "kid", "use", "alg")):
        yield KeyFault("key-schema", number, "a key names its kty, kid, use and alg")
    for name, wanted in (("kty", "EC"), ("alg", "ES256"), ("use", "sig"), ("crv", "P-256")):
        if jwk.get(name) != wanted and (name != "crv" or jwk.get("kty") == "EC"):
            yield KeyFault(f"key-wrong-{name}", number, f"`{name}` of a key is {wanted}")
    if _PRIVATE & jwk.keys():
        yield KeyFault("key-private", number, "the set shows a private key")
    own = _thumbprint(jwk)
    if own is None:
        if jwk.get("kty") == "EC":
            yield KeyFault("key-schema", number, "x and y are not a point of its curve")
        return
    if jwk.get("kid") != own:
        yield KeyFault("key-wrong-kid", number, "`kid` of a key is its SHA-256 thumbprint (RFC 7638)")
    if "x5c" in jwk:
        wrong = _wrong_chain(jwk, own, issuer)
        if wrong:
            yield KeyFault("key-x5c", number, wrong)


def _thumbprint(jwk: Mapping[str, Any]) -> str | None:
    members = {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    try:
        return thumbprint(from_jwk(members))
    except CredentialError:
        return None


def _wrong_chain(jwk: Mapping[str, Any], own: str, issuer: str) -> str:
    try:
        chain = _certificates(jwk)
        if not chain:
            return "`x5c` holds no certificate"
        if thumbprint(chain[0].key) != own:
            return "the certificate in `x5c` is that of another key"
    except CredentialError:
        return "a certificate in `x5c` cannot be read"
    if not all(issued_by(low, high) for low, high in pairwise(chain)):
        return "a certificate in `x5c` is not signed by the next one"
    addresses = [one for one in chain[0].alternative_names if "://" in one]
    if len(addresses) != 1 or len(chain[0].alternative_names) != 1:
        return "the certificate in `x5c` does not name its issuer's address, and nothing else"
    if issuer and addresses[0] != issuer:
        return "the certificate in `x5c` names another issuer"
    return ""


def _first_certificate(jwk: Mapping[str, Any]) -> Certificate | None:
    try:
        chain = _certificates(jwk)
    except CredentialError as wrong:
        raise KeyRefused(str(wrong)) from None
    return chain[0] if chain else None


def _certificates(jwk: Mapping[str, Any]) -> tuple[Certificate, ...]:
    chain = jwk.get("x5c", ())
    if not isinstance(chain, list | tuple) or len(chain) > _MAX_CHAIN:
        raise KeyRefused("`x5c` of a JWK is a list of certificates")
    try:
        return tuple(read_certificate(from_any_base64(one)) for one in chain)
    except (ValueError, TypeError, AttributeError):
        raise KeyRefused("a certificate in `x5c` of a JWK is not base64") from None


def _directory_issuer(entry: Any) -> Issuer | None:
    if not isinstance(entry, dict):
        return None
    name = entry.get("iss") or entry.get("canonical_iss")
    if not isinstance(name, str) or not name:
        return None
    title = entry.get("name") or entry.get("label")
    places = entry.get("locations")
    countries = {
        alpha2(place.get("country"))
        for place in (places if isinstance(places, list) else ())
        if isinstance(place, dict)
    }
    return Issuer(
        id=name,
        name=title if isinstance(title, str) else "",
        territory=countries.pop() if len(countries) == 1 else "",
    )
