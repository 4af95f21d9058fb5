"""Visible digital seals for health (ICAO VDS-NC): JSON, signed in its canonical form, the certificate inside.

ICAO Technical Report "VDS-NC – Visible Digital Seal for non-constrained environments" 1.1 and the guidelines for
travel-related public health proofs; RFC 8785 for the canonical form. A seal names no date on which it ends.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from asn1crypto import core
from asn1crypto import x509 as lenient

from landbridge.codes import country
from landbridge.errors import Malformed
from landbridge.prove import canonical
from landbridge.prove.carrier import Carried
from landbridge.prove.certificates import Certificate, read_certificate
from landbridge.prove.envelope import Envelope, KeyHint, Signed
from landbridge.prove.facts import Content, Subject
from landbridge.prove.keys import from_base64url, thumbprint
from landbridge.prove.trust.list import Signer

NAME = "vds-nc"
TITLE = "ICAO visible digital seal (VDS-NC)"

_MAX_TEXT = 65_536  # The largest QR code holds 4,296 characters; a file may be indented.
# The certificate decides the curve: P-256 or Brainpool's of the same length (Doc 9303-12, section 4.4).
_ALGORITHMS = {"ES256": "ECDSA-SHA256", "ES384": "ECDSA-SHA384", "ES512": "ECDSA-SHA512"}
_TYPE = re.compile(r"[a-z][a-z0-9]{0,15}\.[A-Za-z0-9._-]{1,30}")
# States that issue documents under letters of their own (Doc 9303-3, section 5), by ISO 3166-1.
_STATES = {"D": "DE", "GBD": "GB", "GBN": "GB", "GBO": "GB", "GBP": "GB", "GBS": "GB", "RKS": "XK"}
_TRAILING = "certificate-trailing-bytes"
_SEAL_SIGNERS = "2.23.136.1.1.14."
_DOCUMENT_TYPES = "2.23.136.1.1.6.2"
_TYPE_OF_DOCUMENT = {"icao.vacc": "NV", "icao.test": "NT"}
_KINDS = {"icao.vacc": "vaccination", "icao.test": "test"}
# COVID-19 in the eleventh revision of the disease classification, and the number other health certificates give it.
_COVID_ICD = frozenset({"RA01", "RA01.0", "RA01.1", "XN109"})
_COVID = "840539006"


def recognise(carried: Carried) -> bool:
    text = carried.text
    return (
        text is not None
        and text.lstrip()[:1] == "{"
        and all(name in text for name in ('"data"', '"hdr"', '"sigvl"'))
    )


def decode(carried: Carried) -> Envelope:
    """The envelope of one seal. Raises Malformed."""
    text = carried.text or ""
    if len(text) > _MAX_TEXT:
        raise Malformed(f"a seal of {len(text):,} characters is not read", code="too-long")
    seal = canonical.read(text)
    if not isinstance(seal, dict) or seal.keys() != {"data", "sig"}:
        raise Malformed("a seal holds `data` and `sig`, and nothing else", code="vds")
    data, sig = _object(seal, "data"), _object(seal, "sig")
    head, message = _object(data, "hdr"), _object(data, "msg")
    algorithm = _ALGORITHMS.get(sig["alg"]) if isinstance(sig.get("alg"), str) else None
    if algorithm is None:
        raise Malformed("a seal is signed with ES256, ES384 or ES512", code="algorithm-refused")
    form, state = head.get("t"), head.get("is")
    if not isinstance(form, str) or not _TYPE.fullmatch(form) or not isinstance(state, str):
        raise Malformed("the header of this seal does not say its type or its state", code="vds-header")
    forgiven: list[str] = []
    signature = _bytes(sig, "sigvl", forgiven)
    certificate = _bytes(sig, "cer", forgiven)
    faults: list[tuple[str, str]] = []
    if head.get("v") != 1 or isinstance(head["v"], bool):
        faults.append(("form", "it is of a version that is not known"))
    content, issued = _content(form, state, message, faults)
    return Envelope(
        format=NAME,
        claims=data,
        content=content,
        signatures=(
            Signed(
                algorithm=algorithm,
                message=canonical.canonicalise(data),
                signature=signature,
                hint=_key_hint(certificate, forgiven),
            ),
        ),
        issuer=state,
        issued=issued,
        leniencies=tuple(dict.fromkeys(forgiven)),
        faults=tuple(faults),
    )


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    """Section 5 of the report: the state that issued it is its signer's, and the certificate is for such seals."""
    certificate = signer.certificate
    state = _country(envelope.issuer)
    if certificate is None:
        return _foreign(state, signer.issuer.territory)
    failed = list(_foreign(state, certificate.country) or _foreign(state, signer.issuer.territory))
    if envelope.signatures[0].hint.chain != (certificate.der,):
        failed.append(("entitled", "not-the-issuer", "its certificate is not the listed one of this key"))
    if certificate.usages and not any(one.startswith(_SEAL_SIGNERS) for one in certificate.usages):
        failed.append(("entitled", "kind-not-entitled", ", ".join(sorted(certificate.usages))))
    wanted = _TYPE_OF_DOCUMENT.get(envelope.claims["hdr"]["t"])
    named = _document_types(certificate)
    if wanted and named and wanted not in named:
        failed.append(("entitled", "kind-not-entitled", f"{wanted}: {', '.join(sorted(named))}"))
    return tuple(failed)


def _foreign(state: str, territory: str) -> tuple[tuple[str, str, str], ...]:
    # Utopia and the like, whom ISO does not know, cannot be compared: no country's word is taken for theirs.
    if not state or not territory or state == territory:
        return ()
    return (("entitled", "not-the-issuer", f"{state}: {territory}"),)


def _document_types(certificate: Certificate) -> frozenset[str]:
    """The kinds of document a signer is limited to (Doc 9303-12, section 7.1.1, DocumentTypeList)."""
    for extension in lenient.Certificate.load(certificate.der)["tbs_certificate"]["extensions"]:
        if extension["extn_id"].dotted != _DOCUMENT_TYPES:
            continue
        try:
            listed = core.Sequence.load(extension["extn_value"].native)[1]
            return frozenset(
                str(core.load(one.dump()).native)
                for one in core.SetOf(spec=core.Any, contents=listed.contents)
            )
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return frozenset({"?"})
    return frozenset()


def _key_hint(der: bytes, forgiven: list[str]) -> KeyHint:
    try:
        certificate = read_certificate(der)
    except Exception:  # Of hostile DER its readers raise whatever comes.
        # Nobody can have listed it: the question who signed stays open.
        return KeyHint(chain=(b"",))
    if _TRAILING in certificate.leniencies:
        forgiven.append(_TRAILING)
    return KeyHint(ids=(thumbprint(certificate.key),), chain=(certificate.der,))


def _bytes(sig: Mapping[str, Any], name: str, forgiven: list[str]) -> bytes:
    """base64url, padded or not; the older alphabet is forgiven. Raises Malformed."""
    text = sig.get(name)
    if not isinstance(text, str) or not text:
        raise Malformed(f"the signature of this seal has no `{name}`", code="vds-signature")
    if "+" in text or "/" in text:
        forgiven.append("base64-alphabet")
    bare = text.rstrip("=")
    try:
        if len(text) - len(bare) not in (0, -len(bare) % 4):
            raise ValueError
        return from_base64url(bare.replace("+", "-").replace("/", "_"))
    except ValueError:
        raise Malformed(f"`{name}` of this seal is not base64url", code="vds-signature") from None


def _object(parent: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name)
    if not isinstance(found, dict):
        raise Malformed(f"this seal has no `{name}`, or it is no object", code="vds")
    return found


# what it says


def _content(
    form: str, state: str, message: Mapping[str, Any], faults: list[tuple[str, str]]
) -> tuple[Content, datetime | None]:
    kind = _KINDS.get(form, "credential")
    if kind == "credential":
        return Content(kind=kind, territory=_country(state)), None
    person = message.get("pid")
    if not isinstance(person, dict) or not _text(person, "n"):
        faults.append(("form", "it does not name the person it is for"))
        person = {}
    values, issued = _vaccination(message, faults) if kind == "vaccination" else _test(message, faults)
    surname, _, given = _text(person, "n").partition("  ")
    content = Content(
        kind=kind,
        territory=_country(state),
        subject=Subject(
            surname=surname.strip(),
            given_names=given.strip(),
            born=_day(person.get("dob")),
            id=_text(person, "i") or _text(person, "dn"),
        ),
        values={name: value for name, value in values.items() if value not in ("", None)},
    )
    return content, issued


def _vaccination(
    message: Mapping[str, Any], faults: list[tuple[str, str]]
) -> tuple[dict[str, Any], datetime | None]:
    """The latest dose, and how many there are."""
    events = message.get("ve")
    doses = [
        (_day(dose.get("dvc")), dose, event)
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, dict) and isinstance(event.get("vd"), list)
        for dose in event["vd"]
        if isinstance(dose, dict)
    ]
    if not _text(message, "uvci") or not doses or not all(day for day, _, _ in doses):
        faults.append(("form", "it lacks its number, or a vaccination with its date"))
    if not doses:
        return {"id": _text(message, "uvci")}, None
    day, dose, event = max(doses, key=lambda one: (one[0], _count(one[1].get("seq")) or 0))
    return {
        "disease": _disease(event),
        "vaccine": _text(event, "des"),
        "product": _text(event, "nam"),
        "dose": _count(dose.get("seq")),
        "date": day,
        "country": _country(_text(dose, "ctr")),
        "by": _text(dose, "adm"),
        "id": _text(message, "uvci"),
    }, None


def _test(
    message: Mapping[str, Any], faults: list[tuple[str, str]]
) -> tuple[dict[str, Any], datetime | None]:
    # The report's table says utci, its example ucti.
    number = _text(message, "utci") or _text(message, "ucti")
    centre, dates, result = (
        found if isinstance(found := message.get(name), dict) else {} for name in ("sp", "dat", "tr")
    )
    sampled, reported = _moment(dates.get("sc")), _moment(dates.get("ri"))
    outcome = _text(result, "r").lower()
    if not number or sampled is None or not outcome:
        faults.append(("form", "it lacks its number, its result, or when the sample was taken"))
    method = _text(result, "tc")
    return {
        "test_type": "naat"
        if method.lower().startswith("molecular")
        else "antigen"
        if method.lower() == "antigen"
        else method,
        "result": outcome,
        "sampled": sampled.isoformat() if sampled else "",
        "centre": _text(centre, "spn"),
        "country": _country(_text(centre, "ctr")),
        "by": _text(centre, "spn"),
        "id": number,
    }, reported


def _disease(event: Mapping[str, Any]) -> str:
    code = _text(event, "dis")
    return _COVID if code in _COVID_ICD else code


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value.strip() if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 100 else None


def _country(code: str) -> str:
    """ISO 3166-1 alpha-2 of a code of Doc 9303-3; empty for Utopia, organisations and what is none."""
    code = code.strip("< ").upper()
    if code in _STATES:
        return _STATES[code]
    return country(code) if len(code) == 3 else ""


def _day(value: Any) -> str:
    """YYYY-MM-DD; a birth date may lack its day or month (Doc 9303-3, section 4.8: written as 00 or XX)."""
    if not isinstance(value, str):
        return ""
    parts = re.fullmatch(r"(\d{4})(?:-(\d\d|XX)(?:-(\d\d|XX))?)?", value)
    if parts is None:
        return ""
    known = []
    for part in parts.groups():
        if part in (None, "00", "XX"):
            break
        known.append(part)
    try:
        if len(known) == 3:
            date(*map(int, known))
    except ValueError:
        return ""
    return "-".join(known)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
