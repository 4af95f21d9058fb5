"""EU Digital COVID Certificates and WHO's health certificates: base45, zlib, COSE, CWT.

Electronic Health Certificate Specification 1.0.5 (eHealth Network), HCERT claim -260; RFC 9285 for base45, RFC 8392
for CWT. Test, vaccination and recovery are the EU schema's (`dcc.py`); other payloads of the claim are kept as
written, of the kind `health`.
"""

import zlib
from datetime import UTC, datetime
from typing import Any

import numpy as np

from landbridge.errors import Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.cose import MAPS, read_first, read_sign1
from landbridge.prove.envelope import Envelope, KeyHint, Signed, StatusClaim
from landbridge.prove.facts import Content
from landbridge.prove.formats import dcc
from landbridge.prove.trust.list import Signer

NAME = "hcert"
TITLE = "EU Digital COVID Certificate or WHO health certificate"
PREFIX = "HC1:"

_ISS, _EXP, _NBF, _IAT, _HCERT = 1, 4, 5, 6, -260
STATUS = 65535  # the claim `status` of a CWT (Token Status List, section 6.3)
_FAR = 253_402_300_800  # the year 10000, in seconds
_MAX_TEXT = 16_384  # The largest QR code holds 4,296 characters; a sheet of several stays far below this.
_MAX_INFLATED = 262_144
# Section 3.3.2 of the specification: one primary and one secondary algorithm, and no other.
_ALGORITHMS = frozenset({"ECDSA-SHA256", "ES256", "PS256"})
# Extended key usages of signers limited to one kind (specification of the gateway, 1.0; both spellings live).
_USAGES = {
    f"1.3.6.1.4.1{arc}.1847.2021.1.{number}": kind
    for arc in ("", ".0")
    for number, kind in ((1, "test"), (2, "vaccination"), (3, "recovery"))
}


def recognise(carried: Carried) -> bool:
    return carried.text is not None and carried.text[:4].upper() in (PREFIX, "HC2:", "HC0:")


def decode(carried: Carried) -> Envelope:
    """The envelope of one certificate, given its text `HC1:…`. Raises Malformed."""
    text = carried.text or ""
    if len(text) > _MAX_TEXT:
        raise Malformed(f"a health certificate of {len(text)} characters is not read", code="too-long")
    return read_cwt(inflate(from_base45(unprefix(text))))


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """A signer whose certificate names kinds may sign those only (specification of the gateway, section 5)."""
    if signer.certificate is None or not signer.certificate.usages:
        return ()
    allowed = {kind for usage in signer.certificate.usages if (kind := _USAGES.get(usage))}
    if allowed and envelope.content.kind not in allowed:
        return (("entitled", "kind-not-entitled", f"{envelope.content.kind}: {', '.join(sorted(allowed))}"),)
    return ()


def unprefix(text: str) -> str:
    """Without the context `HC1:`. Raises Malformed for another version of it."""
    if not text.startswith(PREFIX):
        raise Malformed(f"a health certificate begins with {PREFIX}, not {text[:4]!r}", code="prefix")
    return text[len(PREFIX) :]


def inflate(data: bytes) -> bytes:
    """The COSE under the zlib. Raises Malformed: also for what is not compressed, cut, or swells without bound."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, _MAX_INFLATED)
    except zlib.error:
        raise Malformed("the compressed part is damaged", code="zlib") from None
    if not inflater.eof:
        raise Malformed("the compressed part is cut, or far larger than a certificate is", code="zlib")
    return plain


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# Floats, because numpy multiplies those in the processor's own way; every sum of a right group is exact.
_VALUES = np.full(256, 1 << 20, np.float32)
for _value, _sign in enumerate(_ALPHABET):
    _VALUES[ord(_sign)] = _value
_WEIGHTS = np.array([1, 45, 2025], np.float32)


def from_base45(text: str) -> bytes:
    """RFC 9285. Raises Malformed."""
    try:
        signs = _VALUES.take(np.frombuffer(text.encode("ascii"), np.uint8))
    except UnicodeEncodeError:
        raise Malformed("a character here is not one of base45's", code="base45") from None
    whole = len(signs) // 3 * 3
    words = signs[:whole].reshape(-1, 3) @ _WEIGHTS
    if whole and words.max() > 0xFFFF:
        raise Malformed("a character or a group here is not base45", code="base45")
    data = words.astype(">u2").tobytes()
    if whole == len(signs):
        return data
    if len(signs) - whole == 1 or (last := int(signs[whole]) + 45 * int(signs[whole + 1])) > 0xFF:
        raise Malformed("the end of this base45 is cut", code="base45")
    return data + bytes((last,))


def to_base45(data: bytes) -> str:
    """RFC 9285."""
    found = []
    for start in range(0, len(data) - 1, 2):
        rest, low = divmod(data[start] << 8 | data[start + 1], 45)
        high, middle = divmod(rest, 45)
        found.append(_ALPHABET[low] + _ALPHABET[middle] + _ALPHABET[high])
    if len(data) % 2:
        high, low = divmod(data[-1], 45)
        found.append(_ALPHABET[low] + _ALPHABET[high])
    return "".join(found)


def read_cwt(data: bytes) -> Envelope:
    """The envelope of the signed CWT. Raises Malformed."""
    signed = read_sign1(data)
    if signed.algorithm not in _ALGORITHMS:
        raise Malformed("a health certificate is signed with ES256 or PS256", code="algorithm-refused")
    if not signed.kids:
        raise Malformed("a health certificate names the key that signed it", code="no-kid")
    forgiven = signed.leniencies
    claims, trailing = read_first(signed.payload)
    if trailing:
        forgiven += ("payload-trailing-bytes",)
    if not isinstance(claims, MAPS) or not isinstance(claims.get(_HCERT), MAPS):
        raise Malformed("this token carries no health certificate (claim -260)", code="cwt")
    at, until, starts = claims.get(_IAT), claims.get(_EXP), claims.get(_NBF)
    issued, expires = _moment(at), _moment(until)
    if type(at) is not int or type(until) is not int:
        forgiven += tuple(
            "date-not-integer" for one in (at, until) if one is not None and type(one) is not int
        )[:1]
    issuer = claims.get(_ISS)
    issuer = issuer if isinstance(issuer, str) else ""
    payload = claims[_HCERT].get(1)
    if payload is not None and not isinstance(payload, MAPS):
        raise Malformed("the health certificate in this token is not a map", code="cwt")
    faults: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    if payload is not None:
        read = dcc.read(payload, issued, issuer)
        content, faults, forgiven = read.content, read.faults, forgiven + read.leniencies
        if read.unknown:
            warnings = tuple(f"code-unknown: {field}" for field in read.unknown)
        identifier, country = read.identifier, read.country or issuer
    else:
        payload, content, identifier, country = claims[_HCERT], Content(kind="health"), "", ""
    return Envelope(
        format=NAME,
        claims=payload,
        content=content,
        signatures=(
            Signed(
                algorithm=signed.algorithm,
                message=signed.signed,
                signature=signed.signature,
                hint=KeyHint(ids=signed.kids, exact=True),
            ),
        ),
        issuer=issuer,
        issued=issued,
        valid_from=None if starts is None else _moment(starts),
        valid_until=expires,
        status=(
            StatusClaim(
                mechanism="dcc-revocation",
                values=(identifier, country, signed.signature, signed.algorithm, issuer),
            ),
            *(_numbered(claims[STATUS]) if STATUS in claims else ()),
        ),
        leniencies=forgiven,
        warnings=warnings,
        faults=faults,
    )


def _numbered(status: Any) -> tuple[StatusClaim, ...]:
    """Its place in a status list, where it has one. Raises Malformed."""
    entry = status.get("status_list") if isinstance(status, MAPS) else None
    if not isinstance(entry, MAPS):
        raise Malformed("the claim `status` of this certificate is of no form that is known", code="cwt")
    index, uri = entry.get("idx"), entry.get("uri")
    if type(index) is not int or index < 0 or not isinstance(uri, str):
        raise Malformed("the place in a status list is a number and an address", code="cwt")
    return (StatusClaim(mechanism="token-status-list", uri=uri, index=index),)


def _moment(value: Any) -> datetime | None:
    """A NumericDate, also as a float or a tagged date. Raises Malformed for anything else."""
    if type(value) is int and 0 <= value < _FAR:
        return datetime.fromtimestamp(value, UTC)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise Malformed("a date of this certificate is not one", code="cwt-date")
