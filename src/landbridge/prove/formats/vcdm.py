"""The contents of a W3C Verifiable Credential, however it is secured: what it says, its dates, where it may be taken
back, and what the data model forbids (W3C Verifiable Credentials Data Model 2.0 and 1.1).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from landbridge.errors import CredentialError
from landbridge.prove import jsonld
from landbridge.prove.envelope import StatusClaim
from landbridge.prove.facts import Content, Subject

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
_MAX_LIST = 1_000

# What a type says in words, and the kind that makes it; asked in this order, the first that is there counts.
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "vaccination",
        ("vaccination", "vaccine certificate", "vaccination event", "immunization", "immunisation"),
    ),
    ("recovery", ("recovery certificate", "recovery statement", "covid recovery", "proof of recovery")),
    (
        "test",
        (
            "test certificate",
            "test result",
            "test results",
            "lab result",
            "laboratory result",
            "lab report",
            "covid test",
        ),
    ),
    (
        "licence",
        (
            "mdl",
            "m dl",
            "driving licence",
            "driving license",
            "driver licence",
            "driver license",
            "drivers license",
            "drivers licence",
        ),
    ),
    ("origin", ("certificate of origin", "origin certificate", "proof of origin", "origin declaration")),
    (
        "qualification",
        (
            "open badge",
            "achievement",
            "european digital credential",
            "europass",
            "diploma",
            "degree",
            "qualification",
            "qualifications",
            "education credential",
            "education id",
            "educational",
            "learning credential",
            "learner credential",
            "learner record",
            "micro credential",
            "clr credential",
            "transcript",
            "academic",
            "award credential",
            "course credential",
            "certificate of completion",
            "assertion credential",
        ),
    ),
    (
        "identity",
        (
            "pid",
            "person identification",
            "identity credential",
            "identity card",
            "id card",
            "id credential",
            "national id",
            "passport",
            "verifiable id",
            "citizenship",
            "permanent resident",
            "residence permit",
        ),
    ),
)
_WORD = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

# Where the values of a kind are written, ours = theirs; the first path that leads to text counts. `*` is the
# credentialSubject, one object or the first of several.
_PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "qualification": {
        "title": (
            "*.achievement.name",
            "*.degree.name",
            "*.hasCredential.title",
            "*.hasClaim.title",
            "*.title",
            "*.qualification",
            "*.achieved.title",
            "name",
        ),
        "field": (
            "*.achievement.fieldOfStudy",
            "*.degree.field",
            "*.fieldOfStudy",
            "*.field_of_study",
            "*.major",
        ),
        "level": ("*.degree.type", "*.level", "*.educationLevel", "*.achievement.achievementType"),
        "awarded": (
            "awardedDate",
            "*.activityEndDate",
            "*.degree.awarded",
            "*.dateAwarded",
            "*.date_awarded",
            "*.graduationDate",
            "*.awardingDate",
        ),
        "by": (
            "issuer.name",
            "*.achievement.creator.name",
            "*.awardedBy",
            "*.college",
            "issuer.id",
            "issuer",
        ),
        "id": ("id",),
    },
    "identity": {
        "number": (
            "*.documentNumber",
            "*.document_number",
            "*.personalNumber",
            "*.personal_administrative_number",
            "*.personalIdentifier",
            "*.identifier",
        ),
        "nationality": ("*.nationality", "*.nationalities", "*.birthCountry", "*.citizenship"),
        "sex": ("*.sex", "*.gender"),
        "issued": ("*.issuanceDate", "*.issuance_date", "*.issue_date", "*.date_of_issuance"),
        "expires": ("*.expiryDate", "*.expiry_date", "*.date_of_expiry", "*.expirationDate"),
        "by": ("*.issuingAuthority", "*.issuing_authority", "issuer.name", "issuer.id", "issuer"),
    },
    "licence": {
        "number": ("*.documentNumber", "*.document_number", "*.licenceNumber", "*.licenseNumber"),
        "issued": ("*.issuanceDate", "*.issue_date"),
        "expires": ("*.expiryDate", "*.expiry_date"),
        "by": ("*.issuingAuthority", "*.issuing_authority", "issuer.name", "issuer.id", "issuer"),
    },
    "vaccination": {
        "vaccine": ("*.vaccine.atcCode", "*.vaccine", "evidence.vaccine"),
        "product": ("*.vaccine.medicinalProductName", "*.vaccine.name", "evidence.vaccine"),
        "maker": ("*.vaccine.marketingAuthorizationHolder", "evidence.manufacturer"),
        "disease": ("*.vaccine.disease.name", "*.vaccine.disease", "*.disease"),
        "date": ("*.dateOfVaccination", "evidence.date", "*.date"),
        "dose": ("*.order", "evidence.dose", "*.dose"),
        "doses": ("evidence.totalDoses", "*.doses"),
        "country": ("*.countryOfVaccination", "evidence.facility.address.addressCountry"),
        "by": ("*.healthProfessional", "issuer.name", "issuer.id", "issuer"),
        "id": ("evidence.certificateId", "id"),
    },
    "test": {
        "disease": ("*.disease", "*.test.disease"),
        "test_type": ("*.testType", "*.test_type", "*.test.type"),
        "result": ("*.result", "*.testResult", "*.test_result", "*.test.result"),
        "sampled": ("*.sampled", "*.sampleDate", "*.collectionDate", "*.dateOfSample"),
        "name": ("*.testName",),
        "device": ("*.testDevice",),
        "centre": ("*.testCentre", "*.test_centre", "*.laboratory"),
        "country": ("*.country", "*.countryOfTest"),
        "by": ("issuer.name", "issuer.id", "issuer"),
        "id": ("id",),
    },
    "recovery": {
        "disease": ("*.disease",),
        "first_positive": ("*.firstPositive", "*.dateOfFirstPositiveTest"),
        "from": ("*.validFrom", "validFrom"),
        "until": ("*.validUntil", "validUntil"),
        "country": ("*.country",),
        "by": ("issuer.name", "issuer.id", "issuer"),
        "id": ("id",),
    },
    "origin": {
        "goods": ("*.goods", "*.goodsDescription", "*.description", "*.product.name"),
        "origin": ("*.countryOfOrigin", "*.originCountry", "*.country_of_origin", "*.origin"),
        "exporter": ("*.exporter.name", "*.exporter"),
        "importer": ("*.importer.name", "*.importer", "*.consignee.name"),
        "invoice": ("*.invoiceNumber", "*.invoice.identifier", "*.invoice"),
        "by": ("issuer.name", "issuer.id", "issuer"),
        "id": ("*.certificateNumber", "*.id", "id"),
    },
}
_SURNAME = ("familyName", "family_name", "lastName", "last_name", "surname")
_GIVEN = ("givenName", "given_name", "givenNames", "given_names", "firstName", "first_name")
_BORN = ("birthDate", "birthdate", "birth_date", "dateOfBirth", "date_of_birth")
_PERSONS = ("*", "*.recipient", "*.person", "*.holder", "*.patient", "*.profile")
_TERRITORY = ("*.countryOfVaccination", "*.issuingCountry", "*.issuing_country", "*.country")


def version_of(document: Mapping[str, Any]) -> str:
    """The base context, V1 or V2; V2 where it is neither."""
    return V1 if _first_of(document.get("@context")) == V1 else V2


def kind_of(types: Iterable[str]) -> str:
    """The kind that these types make, each a name (`UniversityDegreeCredential`), a URL or a URN."""
    texts = [" ".join(_words(one)) for one in types]
    for kind, phrases in KINDS:
        if any(f" {phrase} " in f" {text} " for phrase in phrases for text in texts):
            return kind
    return "credential"


def content_of(credential: Mapping[str, Any]) -> Content:
    """What a credential says, in our words. Never raises, whatever it is given."""
    types = _texts(credential.get("type"))
    subject = _first(credential.get("credentialSubject"))
    kind = kind_of(types)
    values = {
        ours: found
        for ours, paths in _PLACES.get(kind, {}).items()
        if (found := _find(credential, subject, (*paths, f"*.{ours}"))) != ""
    }
    if kind == "qualification":
        values["type"] = next((one for one in types if one != "VerifiableCredential"), "")
    if kind == "licence":
        values["categories"] = _categories(subject)
    if kind == "vaccination" and "doses" not in values:
        # vaccination/v1 writes "3/3": this dose of how many.
        dose, slash, doses = str(values.get("dose", "")).partition("/")
        if slash:
            values |= {"dose": dose.strip(), "doses": doses.strip()}
    territory = next(
        (text for path in _TERRITORY if _is_country(text := _find(credential, subject, (path,)))), ""
    )
    return Content(
        kind=kind, territory=territory, subject=_subject(credential, subject), values=_said(values)
    )


def dates_of(
    credential: Mapping[str, Any],
) -> tuple[datetime | None, datetime | None, datetime | None]:
    """(issued, valid from, valid until), aware; None where one is not there or cannot be read (a fault of its own).

    1.1 has one date for the first two; 2.0 says nothing of the day of issue.
    """
    first = read_date(credential.get("issuanceDate"))
    start = read_date(credential.get("validFrom")) or first
    end = read_date(credential.get("validUntil")) or read_date(credential.get("expirationDate"))
    return read_date(credential.get("issued")) or first, start, end


_DATE = re.compile(
    r"(-?(?:[1-9]\d{3,8}|0\d{3}))-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,30})?(?:(Z)|([+-])(\d\d):(\d\d))?",
    re.ASCII,
)


def read_date(value: Any) -> datetime | None:
    """A moment as XML Schema writes it (xsd:dateTime), without parts of a second; None where it is not one.

    Without a zone it is UTC (2.0, section 4.9, "Representing Time").
    """
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    if offset > timedelta(hours=14) or int(found[10] or 0) > 59:
        return None
    midnight = (hour, minute, second) == (24, 0, 0)
    try:
        moment = datetime(year, month, day, 0 if midnight else hour, minute, second, tzinfo=UTC)
        moment += timedelta(days=midnight)
        return moment.replace(tzinfo=timezone(-offset if found[8] == "-" else offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# Types of entries; each with (mechanism, index, list).
_STATUS = {
    "BitstringStatusListEntry": ("bitstring-status-list", "statusListIndex", "statusListCredential"),
    "StatusList2021Entry": ("bitstring-status-list", "statusListIndex", "statusListCredential"),
    "StatusList2021": ("bitstring-status-list", "statusListIndex", "statusListCredential"),
    "RevocationList2020Status": (
        "bitstring-status-list",
        "revocationListIndex",
        "revocationListCredential",
    ),
}
_INDEX = re.compile(r"\d{1,15}", re.ASCII)


def status_of(credential: Mapping[str, Any]) -> tuple[StatusClaim, ...]:
    """Where the credential says one learns that it was taken back. An entry of a kind nobody here reads is kept,
    so that the question stays open."""
    found = []
    for entry in _listed(credential.get("credentialStatus")):
        if not isinstance(entry, dict):
            continue
        kinds = _texts(entry.get("type"))
        kind = next((one for one in kinds if one in _STATUS), None)
        if kind is None:
            found.append(
                StatusClaim(mechanism=(kinds or ["unknown"])[0], uri=_text(entry.get("id")) or "urn:unnamed")
            )
            continue
        mechanism, index, list_ = _STATUS[kind]
        size = entry.get("statusSize", 1)
        found.append(
            StatusClaim(
                mechanism=mechanism,
                uri=_text(entry.get(list_)),
                index=_index(entry.get(index)) or 0,
                purpose=_text(entry.get("statusPurpose")) or "revocation",
                size=size if isinstance(size, int) and not isinstance(size, bool) and 0 < size <= 64 else 1,
            )
        )
    return tuple(found)


def faults_of(credential: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the data model forbids in this credential, (code, sentence) for each. Never raises."""
    return tuple(("form", sentence) for sentence in _faults(credential))


def faults_of_presentation(presentation: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the data model forbids in this presentation, and in the credentials written out in it (2.0, section 4.13)."""
    return tuple(("form", sentence) for sentence in _faults_of_presentation(presentation))


def _faults(credential: Mapping[str, Any]) -> Iterator[str]:
    version, wrong = _version(credential)
    yield from wrong
    contexts = credential.get("@context")
    if "EnvelopedVerifiableCredential" in _texts(credential.get("type")):
        yield from _faults_of_envelope(credential, "EnvelopedVerifiableCredential", version)
        return
    yield from _faults_of_id(credential, "the credential")
    yield from _faults_of_type(
        credential.get("type"), "the credential", contexts, must="VerifiableCredential"
    )
    yield from _faults_of_issuer(credential)
    yield from _faults_of_subject(credential)
    yield from _faults_of_dates(credential, version)
    for name, needs_id in (
        ("credentialSchema", True),
        ("credentialStatus", version == V1),
        ("refreshService", version == V1),
        ("termsOfUse", False),
        ("evidence", False),
        ("proof", False),
    ):
        if name in credential:
            yield from _faults_of_entries(credential[name], name, contexts, needs_id=needs_id)
    yield from _faults_of_status(credential)
    if version == V2:
        yield from _faults_of_language(credential, "the credential")
        yield from _faults_of_resources(credential)


def _version(document: Mapping[str, Any]) -> tuple[str, list[str]]:
    contexts = document.get("@context")
    if "@context" not in document:
        return V2, ["@context is missing"]
    wrong = []
    first = _first_of(contexts)
    if not isinstance(first, str) or first not in (V1, V2):
        wrong.append(f"@context does not begin with {V2} (or {V1})")
    for one in contexts if isinstance(contexts, list) else [contexts]:
        if isinstance(one, str):
            if not is_url(one):
                wrong.append(f"@context {one[:40]!r} is not a URL")
        elif not isinstance(one, dict):
            wrong.append("an entry of @context is neither a URL nor an object")
    wrong.extend(_faults_of_redefinition(contexts))
    return version_of(document), wrong


def _faults_of_redefinition(contexts: Any) -> Iterator[str]:
    """Terms of the base context are protected: nothing after it may give them another meaning."""
    listed = contexts if isinstance(contexts, list) else [contexts]
    if not listed or not isinstance(listed[0], str) or listed[0] not in jsonld.bundled():
        return
    protected = _terms(listed[0])
    for one in listed[1:]:
        if not isinstance(one, dict):
            continue
        for term, meaning in one.items():
            if not isinstance(term, str) or term.startswith("@") or term not in protected:
                continue
            if _meaning(meaning, one) != _meaning(protected[term], protected):
                yield f"@context gives {term[:40]!r} another meaning"


def _meaning(definition: Any, terms: Mapping[str, Any]) -> Any:
    """The IRI of a term, its prefix written out."""
    iri = definition.get("@id") if isinstance(definition, dict) else definition
    if isinstance(iri, str):
        prefix, colon, rest = iri.partition(":")
        if colon and isinstance(terms.get(prefix), str):
            return terms[prefix] + rest
    return iri


def _faults_of_type(value: Any, where: str, contexts: Any, *, must: str = "") -> Iterator[str]:
    """`contexts` None: the types are not asked for their meaning."""
    types = _texts(value)
    if not types or len(types) != len(_listed(value)):
        yield f"type of {where} is missing, or not text"
        return
    if must and must not in types:
        yield f"type of {where} does not name {must}"
    # 1.1 was much used as plain JSON, without a context for the type.
    if _first_of(contexts) != V2:
        return
    for one in types:
        if not is_url(one) and not _mapped(one, contexts, inside=not must):
            yield f"type {one[:40]!r} of {where} is no URL, and no @context makes it one"


def _mapped(name: str, contexts: Any, *, inside: bool) -> bool:
    """Whether a type stands for a URL under these contexts, or one of them is not known here.

    `inside` an entry, the contexts of terms count too: which of them is in force there is for JSON-LD to say.
    """
    found, unknown = False, False
    for one in _listed(contexts):
        if isinstance(one, str) and one not in jsonld.bundled():
            unknown = True
            continue
        terms = _terms(one) if isinstance(one, str) else one
        if not isinstance(terms, dict):
            continue
        unknown = unknown or "@import" in terms
        found = found or isinstance(terms.get("@vocab"), str)
        for within in _scopes(terms) if inside else (terms,):
            if name in within:
                found = _is_mapping(within[name], within)
    return found or unknown


def _is_mapping(definition: Any, terms: Mapping[str, Any]) -> bool:
    iri = _meaning(definition, terms)
    if iri is None:
        return isinstance(definition, dict) and "@vocab" in terms
    return isinstance(iri, str) and (":" in iri or "@vocab" in terms or iri in terms)


def _scopes(terms: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A context, and the contexts that its terms bring with them."""
    yield terms
    for definition in terms.values():
        scoped = definition.get("@context") if isinstance(definition, dict) else None
        for one in _listed(scoped):
            if isinstance(one, dict):
                yield from _scopes(one)


@cache
def _terms(url: str) -> dict[str, Any]:
    """The terms of a bundled context, those of the contexts it is made of among them."""
    try:
        context = jsonld.bundled_context(url)["@context"]
    except (CredentialError, KeyError):
        return {}
    found: dict[str, Any] = {}
    for part in _listed(context):
        if isinstance(part, str) and part != url:
            found |= _terms(part)
        elif isinstance(part, dict):
            found |= part
    return found


def _faults_of_id(thing: Mapping[str, Any], where: str) -> Iterator[str]:
    if "id" in thing and not is_url(thing["id"]):
        yield f"id of {where} is not one URL"


def _faults_of_issuer(credential: Mapping[str, Any]) -> Iterator[str]:
    issuer = credential.get("issuer")
    if isinstance(issuer, dict):
        if not is_url(issuer.get("id")):
            yield "issuer has no id that is a URL"
        yield from _faults_of_language(issuer, "issuer")
    elif not is_url(issuer):
        yield "issuer is missing, or is neither a URL nor an object with one"


def _faults_of_subject(credential: Mapping[str, Any]) -> Iterator[str]:
    subjects = _listed(credential.get("credentialSubject"))
    if not subjects:
        yield "credentialSubject is missing"
    for one in subjects[:_MAX_LIST]:
        if not isinstance(one, dict) or not one:
            yield "a credentialSubject makes no claim"
            continue
        yield from _faults_of_id(one, "credentialSubject")


def _faults_of_dates(credential: Mapping[str, Any], version: str) -> Iterator[str]:
    for name in ("validFrom", "validUntil", "issuanceDate", "expirationDate"):
        if name in credential and read_date(credential[name]) is None:
            yield f"{name} is not a date and time"
    if version == V1 and "issuanceDate" not in credential:
        yield "issuanceDate is missing"
    _, start, end = dates_of(credential)
    if start is not None and end is not None and end < start:
        yield "it ends before it begins"


def _faults_of_entries(value: Any, name: str, contexts: Any, *, needs_id: bool) -> Iterator[str]:
    for one in _listed(value)[:_MAX_LIST]:
        if not isinstance(one, dict):
            yield f"{name} is not an object"
            continue
        if needs_id and "id" not in one:
            yield f"{name} has no id"
        yield from _faults_of_id(one, name)
        # What a proof's type means is its suite's to say (proofs.py).
        yield from _faults_of_type(one.get("type"), name, None if name == "proof" else contexts)


def _faults_of_status(credential: Mapping[str, Any]) -> Iterator[str]:
    for entry in _listed(credential.get("credentialStatus"))[:_MAX_LIST]:
        kind = (
            next((one for one in _texts(entry.get("type")) if one in _STATUS), None)
            if isinstance(entry, dict)
            else None
        )
        if kind is None:
            continue
        _, index, list_ = _STATUS[kind]
        if _index(entry.get(index)) is None:
            yield f"credentialStatus has no {index} that is a number"
        if not is_url(entry.get(list_)):
            yield f"credentialStatus has no {list_} that is a URL"
        if kind == "BitstringStatusListEntry" and not isinstance(entry.get("statusPurpose"), str):
            yield "credentialStatus has no statusPurpose"


def _faults_of_language(thing: Mapping[str, Any], where: str) -> Iterator[str]:
    """`name` and `description` are text, or text with its language and direction (2.0, section 11.1)."""
    for name in ("name", "description"):
        for one in _listed(thing.get(name))[:_MAX_LIST]:
            if isinstance(one, dict):
                if not isinstance(one.get("@value"), str) or not one.keys() <= {
                    "@value",
                    "@language",
                    "@direction",
                }:
                    yield f"{name} of {where} is not text with a language"
            elif not isinstance(one, str):
                yield f"{name} of {where} is not text"


def _faults_of_resources(credential: Mapping[str, Any]) -> Iterator[str]:
    """2.0, section 5.3."""
    seen: set[str] = set()
    for one in _listed(credential.get("relatedResource"))[:_MAX_LIST]:
        if not isinstance(one, dict) or not is_url(one.get("id")):
            yield "relatedResource has no id that is a URL"
            continue
        if one["id"] in seen:
            yield "two relatedResources have the same id"
        seen.add(one["id"])
        if not any(isinstance(one.get(name), str | list) for name in ("digestSRI", "digestMultibase")):
            yield "relatedResource has no digest"


def _faults_of_envelope(thing: Mapping[str, Any], kind: str, version: str) -> Iterator[str]:
    if version != V2:
        yield f"{kind} is of version 2.0"
    if kind not in _texts(thing.get("type")):
        yield f"type does not name {kind}"
    name = thing.get("id")
    if not isinstance(name, str) or not name.startswith("data:"):
        yield f"id of {kind} is not a data: URL"


def _faults_of_presentation(presentation: Mapping[str, Any]) -> Iterator[str]:
    version, wrong = _version(presentation)
    yield from wrong
    contexts = presentation.get("@context")
    if "EnvelopedVerifiablePresentation" in _texts(presentation.get("type")):
        yield from _faults_of_envelope(presentation, "EnvelopedVerifiablePresentation", version)
        return
    yield from _faults_of_id(presentation, "the presentation")
    yield from _faults_of_type(
        presentation.get("type"), "the presentation", contexts, must="VerifiablePresentation"
    )
    holder = presentation.get("holder")
    if "holder" in presentation and not is_url(holder.get("id") if isinstance(holder, dict) else holder):
        yield "holder is neither a URL nor an object with one"
    for name in ("termsOfUse", "proof"):
        if name in presentation:
            yield from _faults_of_entries(presentation[name], name, contexts, needs_id=False)
    for one in _listed(presentation.get("verifiableCredential"))[:_MAX_LIST]:
        if isinstance(one, dict):
            yield from _faults(one)
        elif version == V2 or not isinstance(one, str):
            yield "a verifiableCredential is not an object"


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_NOT_IN_URL = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f]')


def is_url(value: Any) -> bool:
    """Whether a value is an absolute URL or IRI (the URL Standard; RFC 3986, RFC 3987)."""
    if not isinstance(value, str) or len(value) > 4_000_000:
        return False
    scheme, colon, rest = value.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme) or _NOT_IN_URL.search(value[:8_192]):
        return False
    if scheme.lower() in ("http", "https"):
        try:
            return bool(urlsplit(value).hostname)
        except ValueError:
            return False
    return True


def issuer_of(credential: Mapping[str, Any]) -> str:
    """The issuer's id; empty where there is none."""
    issuer = credential.get("issuer")
    return _text(issuer.get("id")) if isinstance(issuer, dict) else _text(issuer)


def _words(name: str) -> list[str]:
    if name.startswith(("https://", "http://")):
        # A host may be called anything.
        name = name.split("/", 3)[3] if name.count("/") > 2 else ""
    return [word.lower() for word in _WORD.findall(name[:300])]


def _subject(credential: Mapping[str, Any], subject: Mapping[str, Any]) -> Subject:
    def said(names: tuple[str, ...]) -> str:
        return _find(credential, subject, tuple(f"{one}.{name}" for one in _PERSONS for name in names))

    return Subject(
        surname=said(_SURNAME), given_names=said(_GIVEN), born=said(_BORN)[:10], id=_text(subject.get("id"))
    )


def _find(credential: Mapping[str, Any], subject: Mapping[str, Any], paths: tuple[str, ...]) -> str:
    for path in paths:
        first, *rest = path.split(".")
        value: Any = subject if first == "*" else _first_of(credential.get(first))
        for name in rest:
            value = _first_of(value.get(name)) if isinstance(value, dict) else None
        if text := _plain(value):
            return text
    return ""


def _plain(value: Any) -> str:
    """Text as it is, of a value with a language, of a map of languages (English first)."""
    value = _first_of(value)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        if isinstance(value.get("@value"), str):
            return str(value["@value"])
        if value and all(isinstance(key, str) and 2 <= len(key) <= 3 and key.isalpha() for key in value):
            one = _first_of(value.get("en", next(iter(value.values()))))
            return one if isinstance(one, str) else ""
    return ""


def _categories(subject: Mapping[str, Any]) -> str:
    found = []
    for one in _listed(subject.get("driving_privileges", subject.get("drivingPrivileges")))[:100]:
        code = (
            one.get("vehicle_category_code", one.get("vehicleCategoryCode")) if isinstance(one, dict) else one
        )
        if isinstance(code, str):
            found.append(code)
    return ", ".join(found)


def _said(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _is_country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isupper()


def _index(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return value
    return int(value) if isinstance(value, str) and _INDEX.fullmatch(value) else None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first_of(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _first(value: Any) -> dict[str, Any]:
    value = _first_of(value)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [one for one in _listed(value) if isinstance(one, str) and one]
