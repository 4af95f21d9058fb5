"""Mobile documents (driving licences, identity): the part their issuer signed (ISO/IEC 18013-5:2021, clauses 8.3 and 9.1.2).

Read are an IssuerSigned, a Document and a DeviceResponse, in CBOR or as hexadecimal or base64 of it, as OpenID4VP
and OpenID4VCI hand them over. Every disclosed element is hashed over the very bytes that came, and compared with
what the issuer signed (clause 9.3.1). That the one who presents it holds the device's key can only be seen in the
conversation with the device: `device-not-checked` says that it was not.
"""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time
from typing import Any

import cbor2

from landbridge.codes import country
from landbridge.errors import Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.certificates import Certificate, read_certificate
from landbridge.prove.cose import MAPS, Sign1, read_cbor, read_sign1
from landbridge.prove.envelope import Envelope, KeyHint, Signed, StatusClaim
from landbridge.prove.facts import Content, Subject
from landbridge.prove.keys import from_base64url, thumbprint
from landbridge.prove.trust.list import Signer

NAME = "mdoc"
TITLE = "mobile document: driving licence, identity (ISO 18013-5)"

_MAX_BYTES = 1_000_000
_MAX_ITEMS = 100_000
_MAX_CHAIN = 4
_MAX_DOCUMENTS = 100
_TRAILING = "certificate-trailing-bytes"
_RESPONSE = frozenset({"version", "documents", "documentErrors", "status"})
_RESPONSE_11 = frozenset({"encryptedDocuments", "zkDocuments"})
_ENCODED = 24
_HASHES = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}
_MIN_RANDOM = (
    16  # Clause 9.1.2.5. It keeps what was not disclosed from being guessed; nothing is less true without.
)
_LICENCE = "org.iso.18013.5.1.mDL"
_IDENTITY = ("eu.europa.ec.eudi.pid.", "eu.europa.ec.eudiw.pid.", "org.iso.23220.photoid.")
_NAMESPACES = (
    "org.iso.18013.5.1",
    "eu.europa.ec.eudi.pid.1",
    "org.iso.23220.1",
    "org.iso.23220.photoid.1",
)
# Extended key usages: those that sign documents (18013-5, annex B.1.4; 23220-4), and the arcs they stand in.
_LICENCE_SIGNER = "1.0.18013.5.1.2"
_DOCUMENT_SIGNERS = frozenset({_LICENCE_SIGNER, "1.0.23220.4.1.2"})
_OTHER_USES = ("1.0.18013.5.1.", "1.0.23220.4.1.", "1.3.6.1.5.5.7.3.")


def recognise(carried: Carried) -> bool:
    return _looks_so(carried.data) or (carried.text is not None and _looks_so(_unwritten(carried.text)))


def decode(carried: Carried) -> Envelope:
    """The envelope of the one document in `carried`. Raises Malformed; several are `documents`' to take apart."""
    data = carried.data if _looks_so(carried.data) else _unwritten(carried.text or "")
    _check_size(data)
    data = data.removeprefix(_SELF_DESCRIBED)
    read_cbor(data)
    parts = _members(data)
    if "issuerSigned" not in parts and "issuerAuth" not in parts:
        found = _documents(parts)
        if len(found) != 1:
            raise Malformed(
                f"this response holds {len(found)} documents, not one",
                code="several" if found else "no-document",
                hint="Examine them one by one." if found else "Ask the holder to share the document again.",
            )
        parts = _members(found[0])
    if "issuerSigned" not in parts:
        return _read(parts, None)
    _refuse_strange(parts, {"docType", "issuerSigned", "deviceSigned", "errors"})
    kind = read_cbor(parts.get("docType", b"\xf6"))
    if not isinstance(kind, str):
        raise Malformed("a document of this response does not say what it is (docType)", code="mdoc")
    return _read(_members(parts["issuerSigned"]), kind)


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """Clauses 9.3.1 and 9.3.3, B.1.4: the digests, the use its signer's certificate names, and its country."""
    failed: list[tuple[str, str, str]] = []
    for code, sentence in envelope.faults:
        if code == "digest-mismatch":
            failed.append(("authentic", code, sentence))
    certificate = signer.certificate
    if certificate is None:
        return tuple(failed)
    if envelope.signatures[0].hint.chain[:1] not in ((), (certificate.der,)):
        failed.append(("entitled", "not-the-issuer", "its certificate is not the listed one of this key"))
    kind = envelope.claims["docType"]
    if not _may_sign(certificate.usages, kind):
        failed.append(("entitled", "kind-not-entitled", f"{kind}: {', '.join(sorted(certificate.usages))}"))
    # Only a licence must name its signer's country; whom an authority names is of the authority's for all.
    written = envelope.content.territory if kind == _LICENCE else ""
    for stated in (written, signer.issuer.territory):
        if stated and certificate.country and stated != certificate.country:
            failed.append(("entitled", "territory-not-entitled", f"{stated}: {certificate.country}"))
    return tuple(failed)


def documents(data: bytes) -> list[bytes]:
    """The documents of a DeviceResponse, each as a Document of its own, byte by byte as it came.

    Anything else, and a response with fewer than two, is returned whole. Raises nothing.
    """
    try:
        _check_size(data)
        whole = data.removeprefix(_SELF_DESCRIBED)
        read_cbor(whole)
        parts = _members(whole)
        found = _documents(parts) if "documents" in parts else []
    except Malformed:
        return [data]
    return found if len(found) > 1 else [data]


def take_apart(carried: Carried) -> tuple[Carried, ...]:
    """The documents of a response, each on its own; whatever else was carried, as it was. Raises nothing."""
    if not recognise(carried):
        return (carried,)
    found = documents(carried.data if _looks_so(carried.data) else _unwritten(carried.text or ""))
    if not 1 < len(found) <= _MAX_DOCUMENTS:
        return (carried,)
    return tuple(
        Carried(text=None, data=data, place=f"{carried.place}, document {number}", media=carried.media)
        for number, data in enumerate(found, 1)
    )


def _documents(parts: Mapping[str, bytes]) -> list[bytes]:
    """The documents of a DeviceResponse (clause 8.3.2.1.2.2). Raises Malformed."""
    _refuse_strange(parts, _RESPONSE | _RESPONSE_11)
    version = "1.1" if parts.keys() & _RESPONSE_11 else "1.0"
    if not {"version", "status"} <= parts.keys() or read_cbor(parts["version"]) != version:
        raise Malformed("this response is of a version that is not known", code="mdoc")
    if parts["status"] != b"\x00":
        raise Malformed("the wallet says that something went wrong when it answered", code="wallet-error")
    return _items(parts["documents"]) if "documents" in parts else []


def _read(parts: Mapping[str, bytes], stated: str | None) -> Envelope:
    _refuse_strange(parts, {"nameSpaces", "issuerAuth"})
    if "issuerAuth" not in parts:
        raise Malformed("this document carries no signature of its issuer (issuerAuth)", code="mdoc")
    signed = read_sign1(read_cbor(parts["issuerAuth"]))
    if "alg-unprotected" in signed.leniencies:
        raise Malformed("the algorithm of this document's signature is not signed", code="cose-header")
    mso = _security_object(signed.payload)
    kind = mso["docType"]
    faults: list[tuple[str, str]] = []
    forgiven = ["device-not-checked"]
    if stated is not None and stated != kind:
        faults.append(("form", "it calls itself another kind of document than its issuer signed (docType)"))
    elements = _elements(parts.get("nameSpaces", b"\xf6"), mso, faults, forgiven)
    leaf, hint = _key_hint(signed)
    if leaf and _TRAILING in leaf.leniencies:
        forgiven.append(_TRAILING)
    validity = mso["validityInfo"]
    issued, start, end = (_moment(validity.get(name)) for name in ("signed", "validFrom", "validUntil"))
    if start < issued:
        forgiven.append("valid-before-signed")
    content = _content(kind, elements)
    expires = content.values.get("expires", "")
    if len(expires) == 10:
        # The licence may end before the signature on this copy of it does.
        end = min(end, datetime.combine(date.fromisoformat(expires), time(23, 59, 59), UTC))
    return Envelope(
        format=NAME,
        claims={"docType": kind, "nameSpaces": elements},
        content=content,
        signatures=(
            Signed(algorithm=signed.algorithm, message=signed.signed, signature=signed.signature, hint=hint),
        ),
        issuer=leaf.subject if leaf else "",
        issued=issued,
        valid_from=start,
        valid_until=end,
        status=_status(mso.get("status")),
        leniencies=tuple(dict.fromkeys(forgiven)),
        faults=tuple(dict.fromkeys(faults)),
    )


def _security_object(payload: bytes) -> Mapping[Any, Any]:
    """The MobileSecurityObject (clause 9.1.2.4), its members of the right types. Raises Malformed."""
    mso = read_cbor(_encoded(read_cbor(payload), "the security object of this document"))
    if not isinstance(mso, MAPS):
        raise Malformed("the security object of this document is not a map", code="mdoc-mso")
    version = mso.get("version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise Malformed("the security object of this document is of an unknown version", code="mdoc-mso")
    if not isinstance(mso.get("digestAlgorithm"), str) or mso["digestAlgorithm"] not in _HASHES:
        raise Malformed(
            "its elements are hashed in a way that is not accepted (SHA-256, SHA-384 or SHA-512 are)",
            code="algorithm-refused",
        )
    if not isinstance(mso.get("docType"), str):
        raise Malformed("the security object of this document does not say its docType", code="mdoc-mso")
    if not isinstance(mso.get("validityInfo"), MAPS) or not isinstance(mso.get("valueDigests"), MAPS):
        raise Malformed("the security object of this document has no dates or no digests", code="mdoc-mso")
    return mso


def _elements(
    raw: bytes, mso: Mapping[Any, Any], faults: list[tuple[str, str]], forgiven: list[str]
) -> dict[str, dict[str, Any]]:
    """What was disclosed, by name space; each element that is not what its issuer signed becomes a fault."""
    if raw == b"\xf6":
        return {}
    digest = _HASHES[mso["digestAlgorithm"]]
    found: dict[str, dict[str, Any]] = {}
    for space, items in _members(raw).items():
        known = mso["valueDigests"].get(space)
        here = found[space] = {}
        for item in _items(items):
            inner = read_cbor(_encoded(read_cbor(item), "an element of this document"))
            if not isinstance(inner, MAPS) or not inner.keys() >= {"digestID", "elementIdentifier"}:
                raise Malformed("an element of this document is not one", code="mdoc-element")
            number, name = inner["digestID"], inner["elementIdentifier"]
            random = inner.get("random")
            if type(number) is not int or not isinstance(name, str) or not isinstance(random, bytes):
                raise Malformed("an element of this document is not one", code="mdoc-element")
            if "elementValue" not in inner:
                raise Malformed("an element of this document has no value", code="mdoc-element")
            if len(random) < _MIN_RANDOM:
                forgiven.append("short-random")
            wanted = known.get(number) if isinstance(known, MAPS) else None
            if not isinstance(wanted, bytes) or digest(item).digest() != wanted:
                faults.append(("digest-mismatch", f"{name[:60]} is not what the issuer signed"))
            if name in here:
                faults.append(("form", f"{name[:60]} is written twice"))
            here[name] = inner["elementValue"]
    return found


def _key_hint(signed: Sign1) -> tuple[Certificate | None, KeyHint]:
    chain = signed.chain
    if not chain and not signed.kids:
        raise Malformed(
            "this document does not carry its signer's certificate (x5chain)", code="no-certificate"
        )
    if not chain:
        return None, KeyHint(ids=signed.kids)
    readable: list[Certificate] = []
    for der in chain[:_MAX_CHAIN]:
        try:
            readable.append(read_certificate(der))
        except Exception:  # Of hostile DER its readers raise whatever comes.
            break
    if not readable:
        # Nobody can have listed it: the question who signed stays open.
        return None, KeyHint(ids=signed.kids, chain=(b"",))
    ids = (*signed.kids, thumbprint(readable[0].key))
    return readable[0], KeyHint(ids=ids, chain=tuple(one.der for one in readable))


def _may_sign(usages: frozenset[str], kind: str) -> bool:
    if not usages or usages & _DOCUMENT_SIGNERS:
        # Issuers of other documents use the licence's number too: theirs have none of their own in the standard.
        return True
    return kind != _LICENCE and not all(one.startswith(_OTHER_USES) for one in usages)


def _status(claim: Any) -> tuple[StatusClaim, ...]:
    """The security object's `status` (Token Status List, section 6.3; 18013-5, second edition, for identifiers)."""
    if claim is None:
        return ()
    if not isinstance(claim, MAPS):
        raise Malformed("where one may learn that it was taken back cannot be read", code="status")
    found = []
    for name, entry in claim.items():
        if not isinstance(entry, MAPS) or not isinstance(entry.get("uri"), str) or not entry["uri"]:
            raise Malformed("where one may learn that it was taken back cannot be read", code="status")
        uri = entry["uri"]
        if name == "status_list":
            index = entry.get("idx")
            if type(index) is not int or index < 0:
                raise Malformed("its place in the list of what was taken back cannot be read", code="status")
            found.append(StatusClaim(mechanism="token-status-list", uri=uri, index=index))
        elif name == "identifier_list":
            found.append(StatusClaim(mechanism="identifier-list", uri=uri, values=(entry.get("id"),)))
        else:
            found.append(StatusClaim(mechanism=str(name)[:60], uri=uri))
    return tuple(found)


# what it says


def _content(kind: str, elements: Mapping[str, Mapping[str, Any]]) -> Content:
    said: dict[str, Any] = {}
    for space in dict.fromkeys((*_NAMESPACES, kind)):
        said = {**elements.get(space, {}), **said}
    values: dict[str, Any] = {
        "number": _text(said, "document_number", "personal_administrative_number"),
        "nationality": _texts(said, "nationality", "nationalities"),
        "sex": {1: "M", 2: "F"}.get(said["sex"], "") if type(said.get("sex")) is int else "",
        "issued": _day(said.get("issue_date", said.get("issuance_date"))),
        "expires": _day(said.get("expiry_date")),
        "by": _text(said, "issuing_authority", "issuing_authority_unicode", "issuing_authority_latin1"),
        "country": _country(_text(said, "issuing_country")),
        "categories": _categories(said.get("driving_privileges")),
    }
    return Content(
        kind=_kind(kind),
        territory=values["country"],
        subject=Subject(
            id=values["number"],
            surname=_text(said, "family_name", "family_name_unicode", "family_name_national_character"),
            given_names=_text(said, "given_name", "given_name_unicode", "given_name_national_character"),
            surname_latin=_text(said, "family_name_latin1"),
            given_names_latin=_text(said, "given_name_latin1"),
            born=_day(said.get("birth_date", said.get("birthdate"))),
        ),
        values={name: value for name, value in values.items() if value},
    )


def _kind(kind: str) -> str:
    if kind == _LICENCE:
        return "licence"
    return "identity" if kind.lower().startswith(_IDENTITY) else "credential"


def _text(said: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := said.get(name), str) and value), "")


def _texts(said: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = said.get(name)
        some = value if isinstance(value, list | tuple) else (value,)
        if some and all(isinstance(one, str) and one for one in some):
            return ", ".join(some)
    return ""


def _day(value: Any) -> str:
    """YYYY-MM-DD; a birth date may be a map that also says how sure its parts are (ISO/IEC 23220-2)."""
    if isinstance(value, MAPS):
        value = value.get("birth_date")
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(value[:10]).isoformat() if isinstance(value, str) else ""
    except ValueError:
        return ""


def _country(text: str) -> str:
    return country(text) if len(text) in (2, 3) else ""


def _categories(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    codes = (one.get("vehicle_category_code") for one in value if isinstance(one, MAPS))
    return tuple(dict.fromkeys(code for code in codes if isinstance(code, str)))


def _moment(value: Any) -> datetime:
    """A tdate (RFC 8949, section 3.4.1), already read by its tag. Raises Malformed."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Malformed("a date of this document is not one", code="mdoc-date")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Malformed("a date of this document is not one", code="mdoc-date") from None


# bytes

_SELF_DESCRIBED = b"\xd9\xd9\xf7"


def _looks_so(data: bytes) -> bool:
    head = data.removeprefix(_SELF_DESCRIBED)[:1]
    return b"\xa0" <= head <= b"\xbf" and b"jissuerAuth" in data


def _unwritten(text: str) -> bytes:
    """The bytes that hexadecimal or base64 stand for; empty where the text is neither."""
    squeezed = "".join(text.split()) if len(text) <= 2 * _MAX_BYTES else ""
    try:
        return bytes.fromhex(squeezed)
    except ValueError:
        pass
    try:
        return from_base64url(squeezed.rstrip("=").replace("+", "-").replace("/", "_"))
    except ValueError:
        return b""


def _check_size(data: bytes) -> None:
    if len(data) > _MAX_BYTES:
        raise Malformed(f"a document of {len(data):,} bytes is not read", code="too-long")


def _refuse_strange(parts: Mapping[str, bytes], known: AbstractSet[str]) -> None:
    if strange := sorted(parts.keys() - known):
        raise Malformed(f"this document has a part that no document has: {strange[0][:40]!r}", code="mdoc")


def _encoded(item: Any, what: str) -> bytes:
    """The bytes inside tag 24 (RFC 8949, section 3.4.5.1). Raises Malformed."""
    if isinstance(item, cbor2.CBORTag) and item.tag == _ENCODED and isinstance(item.value, bytes):
        return item.value
    raise Malformed(f"{what} is not kept as the bytes that were hashed (tag 24)", code="mdoc")


def _members(data: bytes) -> dict[str, bytes]:
    """The members of a map with text for keys, each value as the bytes it came in. Raises Malformed."""
    parts = _parts(data, 5)
    found: dict[str, bytes] = {}
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        name = read_cbor(key)
        if not isinstance(name, str) or name in found:
            raise Malformed("a map of this document has a name that is no text, or one twice", code="mdoc")
        found[name] = value
    return found


def _items(data: bytes) -> list[bytes]:
    """The items of an array, each as the bytes it came in. Raises Malformed."""
    return _parts(data, 4)


def _parts(data: bytes, kind: int) -> list[bytes]:
    """The items of an array (4), or the keys and values of a map (5). Raises Malformed."""
    if not data or data[0] >> 5 != kind:
        raise Malformed(f"a part of this document is no {'array' if kind == 4 else 'map'}", code="mdoc")
    count, at = _head(data, 0)
    if kind == 5 and count is not None:
        count *= 2
    found: list[bytes] = []
    while count is None or len(found) < count:
        if count is None and data[at : at + 1] == b"\xff":
            break
        end = _end(data, at)
        found.append(data[at:end])
        at = end
    if kind == 5 and len(found) % 2:
        raise Malformed("a map of this document has a name without a value", code="mdoc")
    return found


def _end(data: bytes, at: int) -> int:
    """Where the item that begins at `at` ends (RFC 8949, section 3). Raises Malformed."""
    open_: list[int | None] = [1]  # How many items each level still awaits; None until a break.
    for _ in range(_MAX_ITEMS):
        while open_ and open_[-1] == 0:
            open_.pop()
        if not open_:
            return at
        awaited = open_[-1]
        if awaited is None and data[at : at + 1] == b"\xff":
            open_.pop()
            at += 1
            continue
        if awaited is not None:
            open_[-1] = awaited - 1
        kind = data[at] >> 5 if at < len(data) else 0
        count, at = _head(data, at)
        if count is None or kind in (4, 5):
            open_.append(count if count is None or kind == 4 else 2 * count)
        elif kind in (2, 3):
            at += count
        elif kind == 6:
            open_.append(1)
    raise Malformed("this document holds more items than a document does", code="mdoc")


def _head(data: bytes, at: int) -> tuple[int | None, int]:
    """The argument of the item at `at` (None: of indefinite length), and where its contents begin."""
    if at >= len(data):
        raise Malformed("this document is cut", code="cbor")
    kind, short = data[at] >> 5, data[at] & 31
    if short < 24:
        return short, at + 1
    if short < 28:
        width = 1 << (short - 24)
        return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
    if short == 31 and kind in (2, 3, 4, 5):
        return None, at + 1
    raise Malformed("this is not well-formed CBOR", code="cbor")
