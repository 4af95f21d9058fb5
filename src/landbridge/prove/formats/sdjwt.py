"""SD-JWT and SD-JWT VC: a signed token whose claims the holder discloses one by one.

RFC 9901 (both serialisations, key binding); draft-ietf-oauth-sd-jwt-vc for credentials with `vct`; W3C VC-JOSE-COSE,
section 3.2, for W3C credentials secured so.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from landbridge.errors import CredentialError, Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.envelope import Envelope, Signed, StatusClaim
from landbridge.prove.facts import Content
from landbridge.prove.formats import tokens, vcdm
from landbridge.prove.jose import Jws, read_compact, read_json
from landbridge.prove.keys import base64url, from_base64url, from_jwk, verify_signature
from landbridge.prove.trust.did import key_of_did
from landbridge.prove.trust.list import Signer

NAME = "sd-jwt"
TITLE = "SD-JWT, SD-JWT VC or W3C credential with selective disclosure"

MAX_DEPTH = 64
_MAX_DISCLOSURES = 2_000
# Section 4.1.1: names of IANA's Named Information registry; those that cut a digest short are unfit.
_DIGESTS: dict[str, Callable[[bytes], Any]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*~")
_TYPES = ("", "jwt", "sd-jwt")
# Claims an issuer may not leave to the holder (draft-ietf-oauth-sd-jwt-vc, "Registered JWT Claims").
_NEVER_HIDDEN = ("iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status")
# What says who issued it, how long it holds and whether it was taken back (VC-JOSE-COSE, section 3.2.1).
_NEVER_HIDDEN_VCDM = (
    "@context",
    "issuer",
    "validFrom",
    "validUntil",
    "credentialStatus",
    "iss",
    "exp",
    "cnf",
    "status",
)


class BindingRefused(CredentialError):
    """The presentation is not bound to its holder, to this verifier, or to this moment; `code` says which."""

    step = "key binding"


class SdJwt(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an SD-JWT, unchecked but for their form."""

    signatures: tuple[Jws, ...]
    disclosures: tuple[str, ...]
    key_binding: str
    """The Key Binding JWT; empty where the holder added none."""
    compact: str
    """Issuer-signed JWT and disclosures, each with its tilde: what `sd_hash` is taken over."""

    @property
    def payload(self) -> dict[str, Any]:
        """Raises Malformed."""
        payload = read_json(self.signatures[0].payload)
        if not isinstance(payload, dict):
            raise Malformed("what this SD-JWT signs is not an object", code="sd-jwt")
        return payload


def recognise(carried: Carried) -> bool:
    text = carried.text
    if text is None:
        return False
    text = text.strip()
    if text.startswith("{"):
        return _is_json_form(text)
    if _COMPACT.match(tokens.joined(text[: tokens.MAX_TEXT])):
        return True
    # Without its tilde it is none; still it says that it is one.
    return tokens.media_type(tokens.header_of(text)).endswith("sd-jwt")


def decode(carried: Carried) -> Envelope:
    """The envelope of one SD-JWT, in what its holder discloses. Raises Malformed."""
    token = read(carried.text or "")
    payload = token.payload
    claims = reconstruct(payload, token.disclosures)
    faults = (*faults_of(token, claims), *_faults_of_binding(token, payload))
    if _is_vcdm(token, claims):
        return _of_vcdm(token, claims, faults)
    issuer = tokens.as_text(claims.get("iss"))
    return Envelope(
        format=NAME,
        claims=claims,
        content=_content(claims),
        signatures=_signatures(token, issuer),
        issuer=issuer,
        issued=tokens.moment_of(claims, "iat"),
        valid_from=tokens.moment_of(claims, "nbf"),
        valid_until=tokens.moment_of(claims, "exp"),
        status=status_of(claims),
        leniencies=_leniencies(token, payload),
        faults=faults,
    )


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """None: whose key may sign in an issuer's name is the trust list's to say."""
    return ()


def read(text: str) -> SdJwt:
    """The parts of an SD-JWT, in the compact form (section 4) or as JSON, flattened or general (section 8).

    Raises Malformed.
    """
    text = text.strip()
    if len(text) > tokens.MAX_TEXT:
        raise Malformed(f"an SD-JWT of {len(text)} characters is not read", code="too-long")
    if text.startswith("{"):
        return _read_json_form(text)
    first, *rest = tokens.joined(text).split("~")
    if not rest:
        raise Malformed("an SD-JWT has a tilde after its token", code="sd-jwt")
    return _parts((read_compact(first),), first, rest[:-1], rest[-1])


def reconstruct(payload: dict[str, Any], disclosures: Iterable[str]) -> dict[str, Any]:
    """The claims of an issuer-signed payload, with what these disclosures reveal in its place (section 7.1, step 3).

    Digests that no disclosure answers (decoys, or what the holder keeps) are dropped.
    Raises Malformed: for a disclosure that no digest names, one whose claim is there already or has a reserved name,
    a digest met twice, and a `_sd_alg` that is not known or not safe.
    """
    algorithm = payload.get("_sd_alg", "sha-256")
    digest("", algorithm)
    hidden: dict[str, list[Any]] = {}
    for number, text in enumerate(disclosures):
        if number >= _MAX_DISCLOSURES:
            raise Malformed(f"more than {_MAX_DISCLOSURES} disclosures are not read", code="too-long")
        name = digest(text, algorithm)
        if name in hidden:
            raise Malformed("a disclosure is there twice", code="disclosure-twice")
        hidden[name] = read_disclosure(text)
    revealed = _Revealing(hidden)
    claims = revealed.of_object(payload, 0)
    if revealed.unused:
        raise Malformed(
            "a disclosure belongs to no claim that its issuer signed", code="disclosure-unreferenced"
        )
    claims.pop("_sd_alg", None)
    return claims


def check_binding(
    text: str, *, audience: str, nonce: str, at: datetime, window: timedelta = timedelta(minutes=5)
) -> dict[str, Any]:
    """The payload of the Key Binding JWT, of a presentation that must be bound (section 7.3).

    `audience` and `nonce` are what the verifier asked the holder to sign, `at` the present (aware), `window` how far
    its `iat` may be from that. It says nothing of the issuer: that is what `verify` is for.
    Raises BindingRefused where the holder's key, the verifier, the request or the moment is another, or the token is
    not bound at all; Malformed where it cannot be read.
    """
    token = read(text)
    if not token.key_binding:
        raise BindingRefused("the holder has not signed this presentation", code="binding-missing")
    claims = _check_key_binding(token, token.payload)
    if claims["aud"] != audience:
        raise BindingRefused("this was presented to somebody else", code="binding-audience")
    if claims["nonce"] != nonce:
        raise BindingRefused("this answers another request", code="binding-nonce")
    issued = tokens.moment_of(claims, "iat")
    if issued is None or abs(at - issued) > window:
        raise BindingRefused("this was presented at another time", code="binding-time")
    end, start = tokens.moment_of(claims, "exp"), tokens.moment_of(claims, "nbf")
    if (end is not None and end < at) or (start is not None and start > at + window):
        raise BindingRefused("this presentation is not valid at this time", code="binding-time")
    return claims


def status_of(claims: Mapping[str, Any]) -> tuple[StatusClaim, ...]:
    """The `status` claim (draft-ietf-oauth-status-list, section 6). Mechanisms nobody reads here stay open."""
    status = claims.get("status")
    if status is None:
        return ()
    if not isinstance(status, dict):
        raise Malformed("`status` is not an object", code="status")
    found = []
    for mechanism, entry in status.items():
        if mechanism != "status_list":
            found.append(StatusClaim(mechanism=mechanism, uri=_uri_of(entry) or "urn:unnamed"))
            continue
        index, uri = (entry.get("idx"), entry.get("uri")) if isinstance(entry, dict) else (None, None)
        if not isinstance(index, int) or isinstance(index, bool) or index < 0 or not isinstance(uri, str):
            raise Malformed("`status_list` has no idx and uri", code="status")
        found.append(StatusClaim(mechanism="token-status-list", uri=uri, index=index))
    return tuple(found)


class _Revealing:
    """One walk through a payload: which digests were met, which disclosures are still to be placed."""

    def __init__(self, hidden: dict[str, list[Any]]) -> None:
        self.hidden = hidden
        self.unused = set(hidden)
        self.met: set[str] = set()

    def of(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return self.of_object(value, depth)
        return self._of_array(value, depth) if isinstance(value, list) else value

    def of_object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        _check_depth(depth)
        if "..." in value:
            raise Malformed("a claim has the reserved name `...`", code="reserved-name")
        found = {name: self.of(one, depth + 1) for name, one in value.items() if name != "_sd"}
        digests = value.get("_sd", [])
        if not isinstance(digests, list):
            raise Malformed("`_sd` is not a list of digests", code="sd-jwt")
        for one in digests:
            disclosed = self._meet(one)
            if disclosed is None:
                continue
            if len(disclosed) != 3:
                raise Malformed("a disclosure for a claim has no name", code="disclosure")
            name = disclosed[1]
            if name in ("_sd", "..."):
                raise Malformed(
                    f"a claim is disclosed under the reserved name {name!r}", code="reserved-name"
                )
            if name in found:
                raise Malformed("a claim is disclosed that is there already", code="claim-twice")
            found[name] = self.of(disclosed[2], depth + 1)
        return found

    def _of_array(self, value: list[Any], depth: int) -> list[Any]:
        _check_depth(depth)
        found = []
        for one in value:
            if not isinstance(one, dict) or "..." not in one:
                found.append(self.of(one, depth + 1))
                continue
            if len(one) > 1:
                raise Malformed("beside the digest of an element stands something else", code="sd-jwt")
            disclosed = self._meet(one["..."])
            if disclosed is None:
                continue
            if len(disclosed) != 2:
                raise Malformed("a disclosure for an element has a name", code="disclosure")
            found.append(self.of(disclosed[1], depth + 1))
        return found

    def _meet(self, name: Any) -> list[Any] | None:
        if not isinstance(name, str):
            raise Malformed("a digest is not text", code="sd-jwt")
        if name in self.met:
            raise Malformed("a digest is there twice", code="digest-twice")
        self.met.add(name)
        self.unused.discard(name)
        return self.hidden.get(name)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Malformed("the claims of this SD-JWT are nested too deep", code="too-deep")


def digest(text: str, algorithm: str) -> str:
    """The digest of a disclosure or a presentation, base64url (section 4.2.3). Raises Malformed."""
    if not isinstance(algorithm, str) or algorithm not in _DIGESTS:
        raise Malformed(
            f"digests of the kind {str(algorithm)[:20]!r} are not accepted", code="digest-refused"
        )
    return base64url(_DIGESTS[algorithm](text.encode("ascii")).digest())


def read_disclosure(text: str) -> list[Any]:
    """Salt, name and value of a claim; salt and value of an element (section 4.2). Raises Malformed."""
    try:
        read = read_json(from_base64url(text))
    except ValueError:
        raise Malformed("a disclosure is not base64url", code="disclosure") from None
    if (
        not isinstance(read, list)
        or len(read) not in (2, 3)
        or not all(isinstance(one, str) for one in read[:-1])
    ):
        raise Malformed("a disclosure is not a salt, a name and a value", code="disclosure")
    return read


def _parts(signatures: tuple[Jws, ...], signed: str, disclosures: list[str], binding: str) -> SdJwt:
    if "" in disclosures or not all(one.isascii() for one in disclosures):
        raise Malformed("a disclosure is empty, or not base64url", code="disclosure")
    return SdJwt(
        signatures=signatures,
        disclosures=tuple(disclosures),
        key_binding=binding,
        compact="~".join((signed, *disclosures, "")),
    )


def _is_json_form(text: str) -> bool:
    form = tokens.json_form(text)
    if form is None:
        return False
    first = tokens.first_signature(form)
    header = first.get("header")
    if isinstance(header, dict) and header.keys() & {"disclosures", "kb_jwt"}:
        return True
    return tokens.media_type(tokens.header_of(f"{first.get('protected')}.")).endswith("sd-jwt")


def _read_json_form(text: str) -> SdJwt:
    (first, header), *others = tokens.read_json_form(text)
    if any(one.keys() & {"disclosures", "kb_jwt"} for _, one in others):
        raise Malformed("only the first signature carries disclosures", code="sd-jwt")
    disclosures, binding = header.get("disclosures", []), header.get("kb_jwt", "")
    if not isinstance(disclosures, list) or not all(isinstance(one, str) for one in disclosures):
        raise Malformed("`disclosures` is not a list of text", code="sd-jwt")
    if not isinstance(binding, str):
        raise Malformed("`kb_jwt` is not text", code="sd-jwt")
    signed = f"{first.signed.decode()}.{base64url(first.signature)}"
    return _parts((first, *(jws for jws, _ in others)), signed, disclosures, binding)


def _signatures(token: SdJwt, issuer: str) -> tuple[Signed, ...]:
    return tuple(
        Signed(
            algorithm=one.algorithm,
            message=one.signed,
            signature=one.signature,
            hint=tokens.hint_of(one.header, issuer),
        )
        for one in token.signatures
    )


def faults_of(token: SdJwt, claims: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the rules of its type forbid in an SD-JWT, given its claims as far as they are disclosed.

    Raises Malformed.
    """
    payload = token.payload
    types = {tokens.media_type(one.header) for one in token.signatures}
    strange = sorted(one for one in types if one not in _TYPES and not one.endswith("+sd-jwt"))
    found = [("form", f"a token of the type {one[:40]!r} is no SD-JWT") for one in strange]
    if _is_vcdm(token, claims):
        issuer, named = vcdm.issuer_of(claims), claims.get("iss", "")
        if named and issuer and named != issuer:
            found.append(("form", "iss names another issuer than the credential"))
        return (*found, *_faults_of_hiding(payload, claims, _NEVER_HIDDEN_VCDM), *vcdm.faults_of(claims))
    if "vct" in claims or "dc+sd-jwt" in types:
        found.extend(_faults_of_vc(payload, claims))
    return tuple(found)


def _is_vcdm(token: SdJwt, claims: dict[str, Any]) -> bool:
    """Whether the payload is, or says that it is, a W3C credential; drafts of SD-JWT VC had the same type."""
    if "@context" in claims:
        return True
    return "vct" not in claims and tokens.media_type(token.signatures[0].header).startswith("vc")


def _of_vcdm(token: SdJwt, claims: dict[str, Any], faults: tuple[tuple[str, str], ...]) -> Envelope:
    """A W3C credential: the payload is the credential (VC-JOSE-COSE, section 3.2.1)."""
    issuer = vcdm.issuer_of(claims) or tokens.as_text(claims.get("iss"))
    issued, start, end = vcdm.dates_of(claims)
    return Envelope(
        format=NAME,
        claims=claims,
        content=vcdm.content_of(claims),
        signatures=_signatures(token, issuer),
        issuer=issuer,
        issued=tokens.moment_of(claims, "iat") or issued,
        valid_from=tokens.moment_of(claims, "nbf") or start,
        valid_until=tokens.earlier(tokens.moment_of(claims, "exp"), end),
        status=(*vcdm.status_of(claims), *status_of(claims)),
        leniencies=_leniencies(token, token.payload),
        faults=faults,
    )


def _faults_of_hiding(
    payload: dict[str, Any], claims: dict[str, Any], names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    for name in names:
        if claims.get(name) != payload.get(name) or (name in claims) != (name in payload):
            yield "form", f"{name} is left to the holder to disclose"


def _faults_of_vc(payload: dict[str, Any], claims: dict[str, Any]) -> list[tuple[str, str]]:
    """What draft-ietf-oauth-sd-jwt-vc forbids."""
    found = []
    if not isinstance(claims.get("vct"), str) or not claims["vct"]:
        found.append(("form", "the type of the credential (vct) is missing"))
    found.extend(_faults_of_hiding(payload, claims, _NEVER_HIDDEN))
    if "iss" in claims and not isinstance(claims["iss"], str):
        found.append(("form", "iss is not text"))
    others = claims.get("aka_vcts")
    if "aka_vcts" in claims and (
        not isinstance(others, list)
        or not others
        or not all(isinstance(one, str) for one in others)
        or claims.get("vct") in others
    ):
        found.append(("form", "aka_vcts is not a list of other types"))
    return found


def _faults_of_binding(token: SdJwt, payload: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """A Key Binding JWT that is there must hold, asked for or not."""
    if not token.key_binding or _unknown_holder(payload):
        return ()
    try:
        _check_key_binding(token, payload)
    except CredentialError as wrong:
        return (("form", str(wrong)),)
    return ()


def _leniencies(token: SdJwt, payload: dict[str, Any]) -> tuple[str, ...]:
    if token.key_binding and _unknown_holder(payload):
        return ("key-binding-unchecked",)
    return ()


def _check_key_binding(token: SdJwt, payload: dict[str, Any]) -> dict[str, Any]:
    """All of section 7.3, step 5, that needs no knowledge of the request: the payload of the Key Binding JWT.

    Raises BindingRefused, Malformed.
    """
    jwk = _holder_key(payload)
    if jwk is None:
        raise BindingRefused("the issuer names no key of the holder that is known here", code="binding-key")
    bound = read_compact(token.key_binding)
    if tokens.media_type(bound.header) != "kb+jwt":
        raise BindingRefused("what is signed by the holder is no Key Binding JWT", code="binding-type")
    try:
        verify_signature(from_jwk(jwk), bound.algorithm, bound.signed, bound.signature)
    except CredentialError:
        raise BindingRefused(
            "the holder's signature does not fit the key the issuer names", code="binding-signature"
        ) from None
    claims = read_json(bound.payload)
    if (
        not isinstance(claims, dict)
        or not all(isinstance(claims.get(name), str) for name in ("aud", "nonce", "sd_hash"))
        or tokens.moment_of(claims, "iat") is None
    ):
        raise BindingRefused("the Key Binding JWT lacks iat, aud, nonce or sd_hash", code="binding-claims")
    if claims["sd_hash"] != digest(token.compact, payload.get("_sd_alg", "sha-256")):
        raise BindingRefused("the holder signed another set of disclosures", code="binding-hash")
    return claims


def _holder_key(payload: dict[str, Any]) -> dict[str, Any] | None:
    """The key of `cnf` (RFC 7800): a JWK, or a DID that is its own key."""
    confirmed = payload.get("cnf")
    if not isinstance(confirmed, dict):
        return None
    jwk, kid = confirmed.get("jwk"), confirmed.get("kid")
    if isinstance(jwk, dict):
        return jwk
    return key_of_did(kid) if isinstance(kid, str) else None


def _unknown_holder(payload: dict[str, Any]) -> bool:
    """Whether the issuer names a key of the holder in a way that is not read here."""
    return isinstance(payload.get("cnf"), dict) and _holder_key(payload) is None


def _uri_of(entry: Any) -> str:
    return tokens.as_text(entry.get("uri")) if isinstance(entry, dict) else ""


def _content(claims: dict[str, Any]) -> Content:
    """The claims of an SD-JWT VC are those of a subject: read as if they were a credentialSubject."""
    others, inside = claims.get("aka_vcts"), claims.get("credentialSubject")
    types = [claims.get("vct", claims.get("type")), *(others if isinstance(others, list) else [])]
    subject = {"id": claims.get("sub"), **claims, **(inside if isinstance(inside, dict) else {})}
    return vcdm.content_of(
        {
            "type": [one for one in types if isinstance(one, str)],
            "credentialSubject": subject,
            "issuer": claims.get("iss"),
            "id": claims.get("jti"),
            "name": claims.get("name"),
        }
    )
