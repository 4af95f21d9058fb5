"""Verifiable Credentials in JWTs, made (W3C VC-JOSE-COSE 1.0, section 3.1; Data Model 2.0)."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from landbridge.prove.formats import vcdm
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.keys import PrivateKey, algorithm_of, base64url, sign


def create(
    credential: Mapping[str, Any],
    *,
    key: PrivateKey,
    kid: str,
    issued: datetime,
    expires: datetime | None = None,
    status: Iterable[Mapping[str, Any]] = (),
) -> str:
    """One credential as a JWS of the type `vc+jwt`.

    `credential` follows the Data Model 2.0; its dates are set here. Raises NotIssued, with the rule that is not kept.
    """
    whole = {**credential, "validFrom": _written(issued)}
    if expires is not None:
        whole["validUntil"] = _written(expires)
    entries = [dict(one) for one in status]
    if entries:
        whole["credentialStatus"] = entries
    for _, sentence in vcdm.faults_of(whole):
        raise NotIssued(sentence, code="form")
    algorithm = algorithm_of(key)
    header = {"alg": algorithm, "typ": "vc+jwt", "cty": "vc", "kid": kid}
    if isinstance(whole["issuer"], str):
        header["iss"] = whole["issuer"]
    signed = f"{_part(header)}.{_part(whole)}"
    return f"{signed}.{base64url(sign(key, algorithm, signed.encode()))}"


def _part(value: Any) -> str:
    return base64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
