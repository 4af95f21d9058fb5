"""From what an office knows of a case to the claims of each format: one vocabulary, many schemas.

A case is flat: the person (`surname`, `given_names`, `surname_latin`, `given_names_latin`, `born`) and the values of
its kind, by the names of docs/reference/credentials.md. It is what a form sends, and what a row of a CSV file is.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from landbridge.prove.formats.dcc import RESULTS, TEST_TYPES
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.names import standardise

PERSON = ("surname", "given_names", "surname_latin", "given_names_latin", "born")
FIELDS: dict[str, tuple[str, ...]] = {
    "test": ("test_type", "result", "sampled", "name", "device", "centre", "disease", "country", "by", "id"),
    "vaccination": (
        "vaccine", "product", "maker", "dose", "doses", "date", "disease", "country", "by", "id",
    ),
    "recovery": ("first_positive", "from", "until", "disease", "country", "by", "id"),
    "qualification": ("title", "field", "level", "awarded", "by", "id"),
}  # fmt: skip
REQUIRED: dict[str, tuple[str, ...]] = {
    "test": ("born", "test_type", "result", "sampled"),
    "vaccination": ("born", "vaccine", "product", "maker", "dose", "doses", "date"),
    "recovery": ("born", "first_positive", "from", "until"),
    "qualification": ("title", "awarded"),
}
FORMATS: dict[str, tuple[str, ...]] = {
    "hcert": ("test", "vaccination", "recovery"),
    "shc": ("test", "vaccination"),
    "sd-jwt-vc": tuple(FIELDS),
    "jwt-vc": tuple(FIELDS),
}
_COVID = "840539006"
_LABELS = {value: code for code, value in RESULTS.items()} | {
    value: code for code, value in TEST_TYPES.items()
}
_UVCI = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ/#:"


def check(kind: str, case: Mapping[str, str], *, country: str, by: str) -> dict[str, str]:
    """The case with its gaps filled from what the office knows. Raises NotIssued, naming the field."""
    if kind not in FIELDS:
        raise NotIssued(f"nothing of the kind {kind!r} is issued: {', '.join(FIELDS)}", code="kind")
    found = {name: str(value).strip() for name, value in case.items() if str(value).strip()}
    for name in found:
        if name not in FIELDS[kind] and name not in PERSON:
            raise NotIssued(
                f"{name[:40]!r} is no field of {kind}",
                code="field",
                hint=f"fields: {', '.join((*PERSON, *FIELDS[kind]))}",
            )
    for name in REQUIRED[kind]:
        if name not in found:
            raise NotIssued(f"{name} is missing", code="field")
    if not any(name in found for name in PERSON[:4]):
        raise NotIssued("a surname or a given name is missing", code="field")
    for name in ("surname", "given_names"):
        if name in found and f"{name}_latin" not in found:
            found[f"{name}_latin"] = standardise(found[name])
    found.setdefault("country", country)
    found.setdefault("by", by)
    if kind != "qualification":
        found.setdefault("disease", _COVID)
        found.setdefault("id", identifier(country))
    else:
        found.setdefault("id", f"urn:uuid:{_uuid()}")
    return found


def claims(format_: str, kind: str, case: Mapping[str, str], *, issuer: str, by: str) -> dict[str, Any]:
    """The claims of a checked case in one format. Raises NotIssued where the format has no such kind."""
    if kind not in FORMATS.get(format_, ()):
        kinds = ", ".join(FORMATS.get(format_, ()))
        raise NotIssued(f"{kind} is not issued as {format_}: {kinds or 'no such format'}", code="format")
    return _MAKERS[format_](kind, case, issuer, by)


def identifier(country: str) -> str:
    """A new unique certificate identifier with its check sign (UVCI, option 3; ISO 7812 Luhn mod N)."""
    text = f"URN:UVCI:01:{country}:{secrets.token_hex(16).upper()}"
    return f"{text}#{check_sign(text)}"


def check_sign(text: str) -> str:
    """The Luhn mod 39 sign of a UVCI without its `#`."""
    total, factor = 0, 2
    for sign in reversed(text):
        addend = factor * _UVCI.index(sign)
        total += addend // len(_UVCI) + addend % len(_UVCI)
        factor = 3 - factor
    return _UVCI[-total % len(_UVCI)]


def _dcc(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    name = {
        ours: case[theirs]
        for ours, theirs in (
            ("fn", "surname"),
            ("fnt", "surname_latin"),
            ("gn", "given_names"),
            ("gnt", "given_names_latin"),
        )
        if theirs in case
    }
    shared = {"tg": case["disease"], "co": case["country"], "is": case["by"][:80], "ci": case["id"]}
    entry: dict[str, Any]
    if kind == "test":
        entry = {
            "tt": _LABELS.get(case["test_type"], case["test_type"]),
            "sc": case["sampled"],
            "tr": _LABELS.get(case["result"], case["result"]),
            **{
                ours: case[theirs]
                for ours, theirs in (("nm", "name"), ("ma", "device"), ("tc", "centre"))
                if theirs in case
            },
        }
        group = "t"
    elif kind == "vaccination":
        entry = {
            "vp": case["vaccine"],
            "mp": case["product"],
            "ma": case["maker"],
            "dn": _number(case, "dose"),
            "sd": _number(case, "doses"),
            "dt": case["date"],
        }
        group = "v"
    else:
        entry = {"fr": case["first_positive"], "df": case["from"], "du": case["until"]}
        group = "r"
    return {"ver": "1.3.0", "nam": name, "dob": case["born"], group: [{**shared, **entry}]}


def _fhir(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    name: dict[str, Any] = {"family": case.get("surname", case.get("surname_latin", ""))}
    if "given_names" in case:
        name["given"] = case["given_names"].split()
    patient = {"resourceType": "Patient", "name": [name], "birthDate": case["born"]}
    if kind == "vaccination":
        resource: dict[str, Any] = {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": case["vaccine"]}]},
            "patient": {"reference": "resource:0"},
            "occurrenceDateTime": case["date"],
            "performer": [{"actor": {"display": case["by"]}}],
        }
    else:
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "code": {
                "coding": [
                    {
                        "system": "http://loinc.org",
                        "code": "94500-6" if case["test_type"] == "naat" else "94558-4",
                    }
                ]
            },
            "subject": {"reference": "resource:0"},
            "effectiveDateTime": case["sampled"],
            "performer": [{"display": case["by"]}],
            "valueCodeableConcept": {
                "coding": [
                    {"system": "http://snomed.info/sct", "code": _LABELS.get(case["result"], case["result"])}
                ]
            },
        }
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "resource:0", "resource": patient},
            {"fullUrl": "resource:1", "resource": resource},
        ],
    }


_VCT = {
    "test": "test-result",
    "vaccination": "vaccination",
    "recovery": "recovery-certificate",
    "qualification": "qualification",
}
_OPENID = {"surname": "family_name", "given_names": "given_name", "born": "birthdate"}


def _sd_jwt(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    return {
        "iss": issuer,
        "vct": f"urn:landbridge:{_VCT[kind]}:1",
        **{_OPENID.get(name, name): value for name, value in case.items() if not name.endswith("_latin")},
    }


_TYPES = {
    "test": "TestCertificate",
    "vaccination": "VaccinationCertificate",
    "recovery": "RecoveryCertificate",
}


def _vcdm(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    person = {
        ours: case[theirs]
        for ours, theirs in (("familyName", "surname"), ("givenName", "given_names"), ("birthDate", "born"))
        if theirs in case
    }
    named = {"id": issuer, "name": by}
    if kind == "qualification":
        achievement = {
            "id": case["id"] + "#achievement",
            "type": ["Achievement"],
            "name": case["title"],
            "description": case.get("field", case["title"]),
            "criteria": {"narrative": case.get("level", case["title"])},
            **({"fieldOfStudy": case["field"]} if "field" in case else {}),
        }
        full = " ".join(case[part] for part in ("given_names", "surname") if part in case)
        return {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": case["id"],
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {**named, "type": ["Profile"]},
            "name": case["title"],
            "awardedDate": _with_time(case["awarded"]),
            "credentialSubject": {
                "type": ["AchievementSubject"],
                "achievement": achievement,
                "identifier": [
                    {"type": "IdentityObject", "identityHash": full, "identityType": "name", "hashed": False}
                ],
            },
        }
    rest = {name: case[name] for name in FIELDS[kind] if name in case and name != "id"}
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2",
        ],
        "type": ["VerifiableCredential", _TYPES[kind]],
        "issuer": named,
        "credentialSubject": {**person, **rest, "certificateId": case["id"]},
    }


_MAKERS: dict[str, Callable[[str, Mapping[str, str], str, str], dict[str, Any]]] = {
    "hcert": _dcc,
    "shc": _fhir,
    "sd-jwt-vc": _sd_jwt,
    "jwt-vc": _vcdm,
}


def _number(case: Mapping[str, str], name: str) -> int:
    if not re.fullmatch(r"[1-9]\d?", case[name]):
        raise NotIssued(f"{name}={case[name][:20]!r} is no count from 1 to 99", code="field")
    return int(case[name])


def _with_time(text: str) -> str:
    try:
        return text if "T" in text else f"{date.fromisoformat(text).isoformat()}T00:00:00Z"
    except ValueError:
        raise NotIssued(f"awarded={text[:20]!r} is no date: 2026-06-30", code="field") from None


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
