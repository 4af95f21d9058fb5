"""SMART Health Cards, made (HL7 SMART Health Cards and Links, section "Generating and Issuing")."""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.keys import PrivateKey, algorithm_of, base64url, sign, thumbprint

_LONGEST = 1_195
"""Characters of a JWS that one QR code of version 22 holds; a card must fit one."""
_TYPES = {
    "Immunization": ["https://smarthealth.cards#immunization", "https://smarthealth.cards#covid19"],
    "Observation": ["https://smarthealth.cards#laboratory", "https://smarthealth.cards#covid19"],
}


def create(
    bundle: Mapping[str, Any],
    *,
    key: PrivateKey,
    issuer: str,
    issued: datetime,
    expires: datetime | None = None,
    revocation_id: str = "",
) -> str:
    """One card as its JWS; `numeric` makes the text of its QR code.

    `bundle` is a FHIR collection whose resources are called `resource:0`, `resource:1`, …; `issuer` an https address
    without a slash at its end. Raises NotIssued: for another key than P-256, and for a card that fits no QR code.
    """
    if algorithm_of(key) != "ES256":
        raise NotIssued("health cards are signed with P-256", code="algorithm-refused")
    if not issuer.startswith("https://") or issuer.endswith("/"):
        raise NotIssued(
            f"issuer={issuer[:80]!r} is not an https address without a slash at its end", code="form"
        )
    entries = bundle.get("entry", [])
    kinds = {
        entry["resource"]["resourceType"] for entry in entries if isinstance(entry.get("resource"), Mapping)
    }
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "collection" or "Patient" not in kinds:
        raise NotIssued("a card holds a Bundle of the type collection, with a Patient", code="form")
    credential: dict[str, Any] = {
        "type": [
            "https://smarthealth.cards#health-card",
            *(name for kind in sorted(kinds) for name in _TYPES.get(kind, [])),
        ],
        "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": bundle},
    }
    if revocation_id:
        credential["rid"] = revocation_id
    payload: dict[str, Any] = {"iss": issuer, "nbf": int(issued.timestamp()), "vc": credential}
    if expires is not None:
        payload["exp"] = int(expires.timestamp())
    header = {"alg": "ES256", "zip": "DEF", "kid": thumbprint(key.public_key())}
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(_minified(payload)) + packer.flush()
    signed = f"{base64url(_minified(header))}.{base64url(packed)}"
    token = f"{signed}.{base64url(sign(key, 'ES256', signed.encode()))}"
    if len(token) > _LONGEST:
        raise NotIssued(
            f"the card has {len(token)} characters, one QR code holds {_LONGEST}",
            code="too-long",
            hint="Leave out what no reader needs, or make two cards.",
        )
    return token


def numeric(token: str) -> str:
    """The text of the QR code: each character as two digits, its code less 45."""
    return "shc:/" + "".join(f"{ord(sign_) - 45:02}" for sign_ in token)


def _minified(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
