"""SMART Health Cards: FHIR resources in a JWS, ES256, raw DEFLATE (HL7 SMART Health Cards and Links, cards specification).

Read from QR codes (one or several), a `.smart-health-card` file, the answer of `$health-cards-issue`, or the bare JWS.
Verifiers forgive here what only concerns how a card is printed (short addresses, codes in parts, types that are
recommended), and count it; what the framework says a card SHALL be is a fault.
"""

import re
import zlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from landbridge.errors import Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.envelope import Envelope, KeyHint, Signed, StatusClaim
from landbridge.prove.facts import Content
from landbridge.prove.formats.shc import fhir, numeric
from landbridge.prove.jose import read_compact, read_json
from landbridge.prove.keys import PublicKey, from_base64url, from_spki, thumbprint
from landbridge.prove.trust.list import Signer

NAME = "shc"
TITLE = "SMART Health Card"

TYPE = "https://smarthealth.cards#"
_TYPES = {"Immunization": f"{TYPE}immunization", "Observation": f"{TYPE}laboratory"}
_KNOWN_TYPES = frozenset(
    {f"{TYPE}{name}" for name in ("health-card", "immunization", "laboratory", "covid19")}
)
_MAX_TOKEN = 400_000
_MAX_INFLATED = 1_048_576
_SIGNATURE_BYTES = 64
_FAR = 253_402_300_800  # The year 10000, in seconds: what is larger was written in milliseconds.
_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_RID = re.compile(r"[A-Za-z0-9_-]{1,24}")
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


def recognise(carried: Carried) -> bool:
    text = carried.text
    if text is None or len(text) > _MAX_TOKEN:
        return False
    start = text[:64].lstrip()[:4].lower()
    if start == "shc:":
        return True
    if start[:1] == "{":
        return ('"fhirBundle"' in text and '"proof"' not in text) or _is_empty_file(text)
    return start[:3] == "eyj" and _is_card(text.strip())


def decode(carried: Carried) -> Envelope:
    """The envelope of one card: `shc:/…` (parts a line each), its JWS, or its payload as JSON.

    Raises Malformed, and numeric.PartMissing where not every code of the card is here.
    """
    text = carried.text or ""
    start = text[:64].lstrip()
    if start[:4].lower() == "shc:":
        joined = numeric.join(text)
        return read_token(joined.token, leniencies=joined.leniencies, faults=joined.faults)
    forgiven = ("blanks-around",) if text != text.strip() else ()
    if start[:1] == "{":
        if _is_empty_file(text):
            raise Malformed("this file of health cards holds none", code="file-empty")
        return read_payload(text.strip().encode(), leniencies=forgiven)
    return read_token(text.strip(), leniencies=forgiven)


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """The name of the key in the card must be the key's own: its thumbprint ("Determining keys")."""
    kid = envelope.signatures[0].hint.ids[0]
    if kid != _thumbprint(signer.spki):
        return (("authentic", "form", "kid is not the key's thumbprint"),)
    return ()


def read_token(
    token: str, *, leniencies: tuple[str, ...] = (), faults: tuple[tuple[str, str], ...] = ()
) -> Envelope:
    """The envelope of a card's JWS. Raises Malformed."""
    if len(token) > _MAX_TOKEN:
        raise Malformed(f"a card of {len(token)} characters is not read", code="too-long")
    jws = read_compact(token)
    if jws.algorithm != "ES256":
        raise Malformed("a health card is signed with ES256", code="algorithm-refused")
    kid = jws.header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise Malformed("a health card names the key that signed it", code="no-kid")
    zipped = jws.header.get("zip")
    if zipped != "DEF":
        faults += (("jws-header", 'the header of a health card says "zip": "DEF"'),)
    if len(token) > numeric.LONGEST_ALONE:
        leniencies += ("jws-too-long",)
    if len(jws.signature) != _SIGNATURE_BYTES:
        form = "DER" if jws.signature[:1] == b"\x30" else f"{len(jws.signature)} bytes"
        faults += (("signature-form", f"the signature is {form}, not r and s of 32 bytes each"),)
    payload, wrong, forgiven = _inflate(jws.payload)
    return read_payload(
        payload, jws=(kid, jws.signed, jws.signature), leniencies=leniencies + forgiven, faults=faults + wrong
    )


def read_payload(
    payload: bytes,
    *,
    jws: tuple[str, bytes, bytes] | None = None,
    leniencies: tuple[str, ...] = (),
    faults: tuple[tuple[str, str], ...] = (),
) -> Envelope:
    """The envelope of a card's payload; `jws` are its key's name, the bytes signed and the signature. Raises Malformed."""
    notes = fhir.Notes()
    notes.faults.extend(faults)
    notes.leniencies.extend(leniencies)
    if payload[:3] == _BOM:
        notes.fault("payload-blanks", "the payload begins with a byte order mark")
        payload = payload[3:]
    if payload[:1] in _SPACE or payload[-1:] in _SPACE:
        notes.fault("payload-blanks", "the payload is surrounded by blanks")
    elif jws is not None and (b"\n" in payload or b'": ' in payload):
        notes.forgive("payload-not-minified")
    claims = read_json(payload)
    if not isinstance(claims, dict):
        raise Malformed("the payload of a health card is an object", code="payload")
    issuer = _issuer(claims, notes)
    issued, expires = _dates(claims, notes)
    card = claims.get("vc")
    if not isinstance(card, dict):
        notes.fault("vc", "the payload has no `vc`")
        card = {}
    subject = card.get("credentialSubject")
    if not isinstance(subject, dict):
        notes.fault("vc", "the card says nothing (`credentialSubject` is missing)")
        subject = {}
    version = subject.get("fhirVersion")
    if not isinstance(version, str):
        notes.fault("vc", "the card does not say its version of FHIR")
    elif not version.startswith("4."):
        notes.forgive("fhir-version")
    entries = fhir.read(subject.get("fhirBundle"), notes) if subject else ()
    types = _types(card, entries, notes)
    rid = card.get("rid", "")
    if not isinstance(rid, str) or (rid and not _RID.fullmatch(rid)):
        notes.fault("rid", "the identifier for revocation is not up to 24 characters of base64url")
        rid = ""
    kid = jws[0] if jws else ""
    return Envelope(
        format=NAME,
        claims=claims,
        content=fhir.content(entries, types, rid) if entries else Content(kind="health"),
        signatures=(
            (
                Signed(
                    algorithm="ES256",
                    message=jws[1],
                    signature=jws[2],
                    hint=KeyHint(ids=(kid,), issuer=issuer),
                ),
            )
            if jws
            else ()
        ),
        issuer=issuer,
        issued=issued,
        valid_from=issued,
        valid_until=expires,
        status=(
            (
                StatusClaim(
                    mechanism="shc-revocation",
                    uri=f"{issuer}/.well-known/crl/{kid}.json",
                    values=(rid, issued.timestamp() if issued else 0.0),
                ),
            )
            if rid
            else ()
        ),
        leniencies=tuple(notes.leniencies),
        faults=tuple(notes.faults),
    )


def _inflate(data: bytes) -> tuple[bytes, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The payload under the compression, and what is wrong with that. Raises Malformed where nothing can be read."""
    for width, wrong in ((-zlib.MAX_WBITS, ()), (zlib.MAX_WBITS, ("zlib",))):
        inflater = zlib.decompressobj(width)
        try:
            plain = inflater.decompress(data, _MAX_INFLATED)
        except zlib.error:
            continue
        if not inflater.eof:
            raise Malformed("the payload is cut, or far larger than a health card is", code="inflate")
        forgiven = ("deflate-trailing-bytes",) if inflater.unused_data else ()
        if wrong:
            return plain, (("inflate", "the payload is compressed as zlib, not as raw DEFLATE"),), forgiven
        return plain, (), forgiven
    if data[:1] == b"{":
        return data, (("inflate", "the payload is not compressed"),), ()
    raise Malformed("the payload cannot be decompressed", code="inflate")


def _issuer(claims: dict[str, Any], notes: fhir.Notes) -> str:
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        notes.fault("issuer-url", "the card does not name its issuer (`iss`)")
        return ""
    if not issuer.startswith("https://"):
        notes.fault("issuer-url", "the issuer's address does not begin with https://")
    if issuer.endswith("/"):
        notes.fault("issuer-url", "the issuer's address ends with /")
    return issuer


def _dates(claims: dict[str, Any], notes: fhir.Notes) -> tuple[datetime | None, datetime | None]:
    """`nbf` and `exp`, seconds. An `exp` in milliseconds is read as what it means, the earlier date."""
    begins, ends = claims.get("nbf"), claims.get("exp")
    issued = _moment(begins)
    if issued is None:
        late = isinstance(begins, int | float) and not isinstance(begins, bool) and begins >= _FAR
        sentence = "is written in milliseconds, not in seconds" if late else "is not a date"
        notes.fault("nbf-milliseconds" if late else "nbf", f"the date of issue (`nbf`) {sentence}")
    if ends is None:
        return issued, None
    expires = _moment(ends)
    if expires is None and isinstance(ends, int | float) and not isinstance(ends, bool):
        expires = _moment(ends / 1000) if 0 < ends < 1000 * _FAR else None
        if expires is not None:
            notes.forgive("exp-milliseconds")
    if expires is None:
        notes.fault("exp", "the date of expiry (`exp`) is not one")
    return issued, expires


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FAR:
        return None
    return datetime.fromtimestamp(value, UTC)


def _types(card: dict[str, Any], entries: tuple[fhir.Entry, ...], notes: fhir.Notes) -> tuple[str, ...]:
    """The card's types: `#health-card` must be there, the others when they apply."""
    listed = card.get("type")
    types = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
    if f"{TYPE}health-card" not in types:
        notes.fault("vc-type", f"the types of the card do not name {TYPE}health-card")
    for one in types:
        if one not in _KNOWN_TYPES:
            notes.forgive("vc-type-unknown")
    held = {one.type for one in entries}
    applying = {name for kind, name in _TYPES.items() if kind in held}
    if fhir.has_covid(entries):
        applying.add(f"{TYPE}covid19")
    for name in _KNOWN_TYPES - {f"{TYPE}health-card"}:
        if name in applying and name not in types:
            notes.forgive("vc-type-missing")
        elif name in types and name not in applying:
            notes.forgive("vc-type-needless")
    return types


def _is_card(token: str) -> bool:
    """Whether a JWS is a health card's: by its compression, or by what it carries."""
    if not _JWS.fullmatch(token):
        return False
    head, payload, _ = token.split(".")
    try:
        if b'"DEF"' in from_base64url(head):
            return True
        data = from_base64url(payload)
        if data[:1] != b"{":
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _MAX_INFLATED)
    except (ValueError, zlib.error):
        return False
    return b'"fhirBundle"' in data


def _is_empty_file(text: str) -> bool:
    """A `.smart-health-card` file, or an answer of `$health-cards-issue`, of which nothing could be taken."""
    return (
        len(text) < 4096
        and '"verifiableCredential"' in text
        and '"proof"' not in text
        and '"@context"' not in text
    )


@lru_cache(maxsize=4096)
def _thumbprint(spki: bytes) -> str:
    key: PublicKey = from_spki(spki)
    return thumbprint(key)
