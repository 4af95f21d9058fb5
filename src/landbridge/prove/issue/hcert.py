"""Health certificates, made: strict where their reader is forgiving (`formats/hcert.py`, `formats/dcc.py`)."""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import cbor2

from landbridge.errors import CredentialError
from landbridge.prove.cose import ALG, KID, sig_structure
from landbridge.prove.formats import dcc
from landbridge.prove.formats.hcert import PREFIX, STATUS, to_base45
from landbridge.prove.keys import PrivateKey, algorithm_of, sign

_NUMBERS = {"ES256": -7, "PS256": -37}


class NotIssued(CredentialError):
    """What was to be issued is not as it must be: nothing was signed. `field` is the part of the case that is meant."""

    step = "issue"

    def __init__(self, message: str, *, code: str = "refused", hint: str = "", field: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.field = field


def create(
    payload: Mapping[str, Any],
    *,
    key: PrivateKey,
    kid: bytes,
    country: str,
    issued: datetime,
    expires: datetime,
    status: Mapping[str, Any] | None = None,
) -> str:
    """One certificate as the text of its QR code, `HC1:…`.

    `payload` is the EU schema's object (1.3.x); `kid` the first eight bytes of the SHA-256 of the signer's
    certificate; `status` says where it may be taken back (Token Status List, section 6.3). Raises NotIssued where
    schema or value sets are not kept to, naming the field.
    """
    read = dcc.read(payload, issued, country)
    if read.faults:
        raise NotIssued(read.faults[0][1], code="form")
    if read.leniencies:
        raise NotIssued(
            f"this would have to be forgiven by its reader: {', '.join(read.leniencies)}", code="form"
        )
    if read.unknown:
        raise NotIssued(f"{read.unknown[0]}= is not a code of its value set", code="value-set")
    if issued >= expires:
        raise NotIssued("it would expire before it is issued", code="dates-contradict")
    return sign_cwt(payload, key=key, kid=kid, country=country, issued=issued, expires=expires, status=status)


def sign_cwt(
    payload: Any,
    *,
    key: PrivateKey,
    kid: bytes,
    country: str,
    issued: datetime,
    expires: datetime,
    status: Mapping[str, Any] | None = None,
) -> str:
    """The same without a look at the payload."""
    algorithm = algorithm_of(key)
    if algorithm not in _NUMBERS:
        raise NotIssued("health certificates are signed with P-256 or RSA", code="algorithm-refused")
    protected = cbor2.dumps({ALG: _NUMBERS[algorithm], KID: kid})
    claims: dict[int, Any] = {
        1: country,
        4: int(expires.timestamp()),
        6: int(issued.timestamp()),
        -260: {1: payload},
    }
    if status is not None:
        claims[STATUS] = dict(status)
    body = cbor2.dumps(claims)
    signature = sign(key, algorithm, sig_structure(protected, body))
    data = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, body, signature]))
    return PREFIX + to_base45(zlib.compress(data, 9))
