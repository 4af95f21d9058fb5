"""W3C credentials as signed tokens: VC-JOSE-COSE (VC 2.0, Open Badges 3.0, UNTP) and the JWT encoding of VC 1.1.

W3C Securing Verifiable Credentials using JOSE and COSE, section 3.1; VC Data Model 1.1, section 6.3.1; Open Badges
3.0, section 8.2. Presentations and envelopes have been taken apart before (`containers.py`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from landbridge.errors import Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.envelope import Envelope, Signed
from landbridge.prove.formats import sdjwt, tokens, vcdm
from landbridge.prove.jose import Jws, read_compact, read_json
from landbridge.prove.keys import from_base64url
from landbridge.prove.trust.list import Signer

NAME = "jwt-vc"
TITLE = "W3C Verifiable Credential as a signed token"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_CREDENTIAL_TYPES = frozenset({"vc+jwt", "vc+ld+jwt", "vc-ld+jwt", "vc+ld+json+jwt", "vc-jwt"})
_PRESENTATION_TYPES = frozenset({"vp+jwt", "vp+ld+jwt", "vp-ld+jwt", "vp+ld+json+jwt"})
_PLAIN_TYPES = frozenset({"", "jwt", "jws", "jose"})
# What a token's registered claims stand for in the credential (VC Data Model 1.1, section 6.3.1; Open Badges 3.0).
_SAME = (("jti", "id"), ("iss", "issuer"), ("sub", "credentialSubject"))


def recognise(carried: Carried) -> bool:
    if carried.text is None or (jws := _peek(carried.text)) is None:
        return False
    header, payload = jws
    kind = tokens.media_type(header)
    if kind in _CREDENTIAL_TYPES or kind in _PRESENTATION_TYPES:
        return True
    return _is_credential(payload) or _is_presentation(payload)


def decode(carried: Carried) -> Envelope:
    """The envelope of one credential in a JWS, compact or JSON. Raises Malformed."""
    signatures = _read(carried.text or "")
    payload = read_json(signatures[0].payload)
    if not isinstance(payload, dict):
        raise Malformed("what this token signs is not an object", code="jwt-vc")
    if _is_presentation(payload) and not _is_credential(payload):
        raise Malformed(
            "this is a presentation: its credentials are examined one by one", code="presentation"
        )
    if "vc" in payload:
        credential, faults = _of_claim(payload)
    else:
        # Its exp and nbf are the signature's, not the credential's (VC-JOSE-COSE, section 3.1.3): both bound it.
        credential, faults = payload, list(_conflicts(payload, payload))
    issuer = vcdm.issuer_of(credential)
    for one in signatures:
        if (kind := tokens.media_type(one.header)) not in _CREDENTIAL_TYPES | _PLAIN_TYPES:
            faults.append(("form", f"a token of the type {kind[:40]!r} is no credential"))
        if "vc" in payload and kind in _CREDENTIAL_TYPES:
            faults.append(("form", "a token of this type is the credential itself and has no claim `vc`"))
        if "iss" in one.header and one.header["iss"] != issuer:
            faults.append(("form", "iss of the header says something else than the credential's issuer"))
    issued, start, end = vcdm.dates_of(credential)
    return Envelope(
        format=NAME,
        claims=credential,
        content=vcdm.content_of(credential),
        signatures=tuple(
            Signed(
                algorithm=one.algorithm,
                message=one.signed,
                signature=one.signature,
                hint=tokens.hint_of(one.header, issuer),
            )
            for one in signatures
        ),
        issuer=issuer,
        issued=tokens.moment_of(payload, "iat") or issued,
        valid_from=tokens.later(tokens.moment_of(payload, "nbf"), start),
        valid_until=tokens.earlier(tokens.moment_of(payload, "exp"), end),
        status=(*vcdm.status_of(credential), *sdjwt.status_of(payload)),
        faults=(*faults, *vcdm.faults_of(credential)),
    )


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """None: whose key may sign in an issuer's name is the trust list's to say."""
    return ()


def _peek(text: str) -> tuple[dict[str, Any], Any] | None:
    """Header and payload of what may be a JWS, unchecked; None where it is none."""
    text = text.strip()
    if len(text) > tokens.MAX_TEXT:
        return None
    if text.startswith("{"):
        form = tokens.json_form(text)
        if form is None:
            return None
        first = tokens.first_signature(form)
        text = f"{first.get('protected')}.{form['payload']}.{first.get('signature')}"
    else:
        text = tokens.joined(text)
    if not _COMPACT.fullmatch(text):
        return None
    header = tokens.header_of(text)
    if "alg" not in header:
        return None
    try:
        payload = read_json(from_base64url(text.split(".")[1]))
    except (Malformed, ValueError):
        payload = None
    return header, payload


def _read(text: str) -> tuple[Jws, ...]:
    text = text.strip()
    if len(text) > tokens.MAX_TEXT:
        raise Malformed(f"a token of {len(text)} characters is not read", code="too-long")
    if text.startswith("{"):
        return tuple(jws for jws, _ in tokens.read_json_form(text))
    return (read_compact(tokens.joined(text)),)


def _is_credential(payload: Any) -> bool:
    if not isinstance(payload, dict):
        return False
    if isinstance(payload.get("vc"), dict):
        return True
    return "credentialSubject" in payload or "VerifiableCredential" in _types(payload)


def _is_presentation(payload: Any) -> bool:
    if not isinstance(payload, dict):
        return False
    return isinstance(payload.get("vp"), dict) or "VerifiablePresentation" in _types(payload)


def _types(payload: Mapping[str, Any]) -> list[Any]:
    types = payload.get("type")
    return types if isinstance(types, list) else [types]


def _of_claim(payload: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The credential of `vc`, with what the token's own claims say of it (VC Data Model 1.1, section 6.3.1)."""
    inside = payload["vc"]
    if not isinstance(inside, dict):
        raise Malformed("`vc` of this token is not a credential", code="jwt-vc")
    faults = [*_conflicts(payload, inside), *_conflicts_of_dates(payload, inside)]
    credential = dict(inside)
    if isinstance(payload.get("jti"), str):
        credential.setdefault("id", payload["jti"])
    issuer, named = credential.get("issuer"), payload.get("iss")
    if isinstance(named, str) and (issuer is None or (isinstance(issuer, dict) and "id" not in issuer)):
        credential["issuer"] = {**issuer, "id": named} if isinstance(issuer, dict) else named
    subject, holder = credential.get("credentialSubject"), payload.get("sub")
    if isinstance(holder, str) and isinstance(subject, dict) and "id" not in subject:
        credential["credentialSubject"] = {**subject, "id": holder}
    two = vcdm.version_of(credential) == vcdm.V2
    for claim, name in (
        ("nbf", "validFrom" if two else "issuanceDate"),
        ("exp", "validUntil" if two else "expirationDate"),
    ):
        moment = tokens.moment_of(payload, claim)
        if moment is not None:
            credential.setdefault(name, moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
    return credential, faults


def _conflicts(payload: dict[str, Any], credential: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where the token and the credential in it say different things of the same."""
    for claim, name in _SAME:
        stated, inside = payload.get(claim), credential.get(name)
        if isinstance(inside, list):
            inside = inside[0] if len(inside) == 1 else None
        if isinstance(inside, dict):
            inside = inside.get("id")
        if stated is not None and inside is not None and stated != inside:
            yield "form", f"{claim} says something else than {name} of the credential"


def _conflicts_of_dates(payload: dict[str, Any], credential: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for claim, names in (("nbf", ("validFrom", "issuanceDate")), ("exp", ("validUntil", "expirationDate"))):
        moment = tokens.moment_of(payload, claim)
        inside = next((one for one in (vcdm.read_date(credential.get(name)) for name in names) if one), None)
        if moment is not None and inside is not None and moment.replace(microsecond=0) != inside:
            yield "form", f"{claim} says something else than {names[0]} of the credential"
