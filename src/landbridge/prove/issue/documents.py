"""From what an office knows of a case to the claims of each format: one vocabulary, many schemas.

A case is flat: the person (`surname`, `given_names`, `surname_latin`, `given_names_latin`, `born`) and the values of
its kind, by the names of docs/reference/credentials.md. It is what a form sends, and what a row of a CSV file is.
Latin names are for HCERT, which carries both; other formats write a name as it is, and its Latin form where that is
all there is.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from landbridge.codes import countries
from landbridge.prove.formats import dcc, vcdm
from landbridge.prove.formats.dcc import RESULTS, TEST_TYPES
from landbridge.prove.formats.shc import codes
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
FORMATS: dict[str, tuple[str, ...]] = {
    "hcert": ("test", "vaccination", "recovery"),
    "shc": ("test", "vaccination"),
    "sd-jwt-vc": tuple(FIELDS),
    "jwt-vc": tuple(FIELDS),
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "test": ("born", "test_type", "result", "sampled"),
    "vaccination": ("born", "vaccine", "product", "maker", "dose", "doses", "date"),
    "recovery": ("born", "first_positive", "from", "until"),
    "qualification": ("title", "awarded"),
}
# What a format has no place for: better refused than left out unnoticed.
_UNSAID: dict[str, tuple[str, ...]] = {
    "shc": ("product", "maker", "dose", "doses", "name", "device", "disease", "country", "id"),
}
_DAYS = ("date", "first_positive", "from", "until", "awarded")
_LONG = ("title", "field", "level")
_COVID = "840539006"
_LABELS = {value: code for code, value in RESULTS.items()} | {
    value: code for code, value in TEST_TYPES.items()
}
_UVCI = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ/#:"
_UVCI_FORM = re.compile(r"URN:UVCI:01:[A-Z]{2,3}:[A-Z0-9/:#]{1,60}")
_DAY = re.compile(r"(?:19|20)\d\d-\d\d-\d\d", re.ASCII)
_BORN = re.compile(r"(?:19|20)\d\d(?:-\d\d){0,2}", re.ASCII)
_MOMENT = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_STANDARD = re.compile(r"[A-Z]+(?:<+[A-Z]+)*")
_DISEASE = re.compile(r"\d{6,18}", re.ASCII)
# Signs that turn the direction of what follows: on paper a name could read as another.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SLACK = timedelta(minutes=5)
_EAST = timedelta(hours=14)  # Where it is already tomorrow.


def check_format(format_: str, kind: str) -> None:
    """Raises NotIssued where the format has no such kind."""
    if kind not in FIELDS:
        raise NotIssued(
            f"nothing of the kind {kind[:40]!r} is issued: {', '.join(FIELDS)}", code="kind", field="kind"
        )
    if kind not in FORMATS.get(format_, ()):
        kinds = ", ".join(FORMATS.get(format_, ())) or "no such format"
        raise NotIssued(f"{kind} is not issued as {format_[:40]!r}: {kinds}", code="format", field="format")


def required(format_: str, kind: str) -> tuple[str, ...]:
    """The fields a case must have."""
    return tuple(name for name in _REQUIRED[kind] if name not in _UNSAID.get(format_, ()))


def sayable(format_: str, kind: str) -> tuple[str, ...]:
    """The fields a case may have, beside the person's."""
    return tuple(name for name in FIELDS[kind] if name not in _UNSAID.get(format_, ()))


@cache
def named_codes(values: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of a value set of the EU certificate: vaccines, products, makers or devices."""
    text = resources.files("landbridge.prove").joinpath(f"data/dcc/{values}.tsv").read_text("utf-8")
    rows = (line.partition("\t") for line in text.splitlines()[1:])
    return tuple((code, name) for code, _, name in rows)


def check(
    format_: str, kind: str, case: Mapping[str, object], *, country: str, by: str, at: datetime
) -> dict[str, str]:
    """The case as it is signed: cleaned, its gaps filled from what the office knows, its dates and codes checked.

    Raises NotIssued, naming the field.
    """
    check_format(format_, kind)
    found = {name: text for name, value in case.items() if (text := _clean(name, value))}
    for name in found:
        if name not in FIELDS[kind] and name not in PERSON:
            raise _refused(
                name[:40],
                f"is no field of {kind}",
                code="field",
                hint=f"fields: {', '.join((*PERSON, *sayable(format_, kind)))}",
            )
        if name in _UNSAID.get(format_, ()):
            raise _refused(
                name, f"is nothing that {format_} has a place for", code="field", hint="Leave it out."
            )
    for name in required(format_, kind):
        if name not in found:
            raise _refused(name, "is missing", code="field")
    _fill_names(found)
    own_id = "id" in found
    found.setdefault("country", country)
    found.setdefault("by", _clean("by", by))
    if kind != "qualification":
        found.setdefault("disease", _COVID)
    if not own_id:
        found["id"] = f"urn:uuid:{_uuid()}" if kind == "qualification" else identifier(country)
    _check_codes(format_, kind, found, country)
    _check_dates(found, at)
    if format_ == "hcert":
        _check_schema(kind, found, at, country)
    return found


def claims(format_: str, kind: str, case: Mapping[str, str], *, issuer: str, by: str) -> dict[str, Any]:
    """The claims of a checked case in one format. Raises NotIssued where the format has no such kind."""
    check_format(format_, kind)
    return _MAKERS[format_](kind, case, issuer, by)


def claim_of(field: str) -> str:
    """The claim an SD-JWT writes one of our fields as."""
    return _OPENID.get(field, _WRITTEN.get(field, field))


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


def _clean(name: str, value: object) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _refused(name[:40], "is neither text nor a number", code="field")
    text = " ".join(unicodedata.normalize("NFC", str(value)).split(" ")).strip()
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in _TURNING for sign in text):
        raise _refused(name[:40], "has a control character", code="field")
    longest = 200 if name in _LONG else 80
    if len(text) > longest:
        raise _refused(name[:40], f"has {len(text)} characters, {longest} at most", code="too-long")
    return text


def _fill_names(found: dict[str, str]) -> None:
    """The Latin form of each name, as a passport's machine-readable zone has it (ICAO Doc 9303-3, section 6)."""
    if not any(name in found for name in PERSON[:4]):
        raise _refused("surname", "and given_names are missing: one of them must be there", code="field")
    for name in ("surname", "given_names"):
        latin = f"{name}_latin"
        if latin in found:
            found[latin] = found[latin].upper().replace(" ", "<")
            if not _STANDARD.fullmatch(found[latin]):
                raise _refused(
                    latin,
                    "has other signs than A to Z and <",
                    code="name",
                    hint="Write it as the machine-readable lines of the passport do.",
                )
        elif name in found:
            if not any(sign.isalpha() for sign in found[name]):
                raise _refused(name, "has no letter", code="name")
            found[latin] = standardise(found[name])
            if not found[latin]:
                raise _refused(
                    name,
                    "cannot be written in Latin letters here",
                    code="name",
                    hint=f"Give {latin} as well, as the machine-readable lines of the passport have it.",
                )


def _check_codes(format_: str, kind: str, found: dict[str, str], own: str) -> None:
    if found["country"] != own and found["country"] not in countries():
        raise _refused("country", "is no ISO 3166-1 code of two letters", code="value-set")
    for name, values in (("test_type", TEST_TYPES), ("result", RESULTS)):
        if name in found:
            found[name] = values.get(found[name], found[name])
            if found[name] not in values.values():
                raise _refused(name, f"is none of {', '.join(sorted(values.values()))}", code="value-set")
    if "disease" in found and not _DISEASE.fullmatch(found["disease"]):
        raise _refused("disease", "is no code of SNOMED CT: 840539006", code="value-set")
    for name in ("dose", "doses"):
        if name in found and not re.fullmatch(r"[1-9][0-9]?", found[name]):
            raise _refused(name, "is no count from 1 to 99", code="value-set")
    if format_ == "shc" and kind == "vaccination" and not codes.is_covid(((codes.CVX, found["vaccine"]),)):
        raise _refused("vaccine", "is no CVX code of a vaccine against COVID-19: 208", code="value-set")
    if format_ == "hcert" and found.get("test_type") == "antigen" and "device" not in found:
        raise _refused("device", "is missing: an antigen test names its device", code="field")
    if kind == "qualification":
        if not vcdm.is_url(found["id"]):
            raise _refused("id", "is no URL or URN", code="form")
    else:
        _check_identifier(found["id"])


def _check_identifier(text: str) -> None:
    """A UVCI of ours or of the case's own; its check sign, where it has one, must be right."""
    if not _UVCI_FORM.fullmatch(text):
        raise _refused("id", "is no certificate identifier: URN:UVCI:01:XA:…", code="form")
    if text[-2] == "#":  # The sign may be one itself.
        if check_sign(text[:-2]) != text[-1]:
            raise _refused("id", "has a wrong check sign", code="form")
    elif "#" in text:
        raise _refused("id", "has no check sign after its #", code="form")


def _check_dates(found: dict[str, str], at: datetime) -> None:
    today = (at + _EAST).date().isoformat()
    born = found.get("born", "")
    if born and (not _BORN.fullmatch(born) or not _is_day(f"{born}-01-01"[:10] if len(born) < 10 else born)):
        raise _refused("born", "is no date of birth: 1990-01-31, 1990-01 or 1990", code="date")
    if born > today:
        raise _refused("born", "lies in the future", code="date")
    for name in _DAYS:
        day = found.get(name)
        if day is None:
            continue
        if not _DAY.fullmatch(day) or not _is_day(day):
            raise _refused(name, "is no day: 2026-06-30", code="date")
        if name not in ("from", "until") and day > today:
            raise _refused(name, "lies in the future", code="date")
        if day[: len(born)] < born:
            raise _refused(name, "lies before the date of birth", code="date")
    if "first_positive" in found and not found["first_positive"] <= found["from"] <= found["until"]:
        early = "from" if found["from"] < found["first_positive"] else "until"
        raise _refused(early, "lies before what it follows: first_positive, from, until", code="date")
    if "sampled" in found:
        found["sampled"] = _sampled(found["sampled"], born, at)


def _sampled(text: str, born: str, at: datetime) -> str:
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _refused(
            "sampled", "is no date and time with its zone: 2026-06-30T08:00:00+07:00", code="date"
        ) from None
    if moment > at + _SLACK:
        raise _refused("sampled", "lies in the future", code="date")
    if text[: len(born)] < born:
        raise _refused("sampled", "lies before the date of birth", code="date")
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _check_schema(kind: str, found: Mapping[str, str], at: datetime, country: str) -> None:
    """Schema and value sets of the EU certificate, the refusal in our field's name."""
    read = dcc.read(_dcc(kind, found, "", ""), at, country)
    for code in read.unknown:
        raise _refused(_ours(kind, code), "is no code of its value set", code="value-set")
    for _, sentence in read.faults:
        field = _ours(kind, re.split(r"[ =]", sentence)[0].rpartition(".")[2])
        raise _refused(field, "is not as the schema of the EU certificate has it", code="form", hint=sentence)


def _ours(kind: str, theirs: str) -> str:
    if theirs == "ma":
        return "device" if kind == "test" else "maker"
    return _DCC_NAMES.get(theirs, theirs)


_DCC_NAMES = {
    "fnt": "surname_latin", "gnt": "given_names_latin", "dob": "born", "tg": "disease", "co": "country",
    "is": "by", "ci": "id", "tt": "test_type", "sc": "sampled", "tr": "result", "nm": "name", "tc": "centre",
    "vp": "vaccine", "mp": "product", "dn": "dose", "sd": "doses", "dt": "date", "fr": "first_positive",
    "df": "from", "du": "until",
}  # fmt: skip


def _is_day(text: str) -> bool:
    if len(text) < 10:
        text = f"{text}-01"
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _refused(field: str, what: str, *, code: str, hint: str = "") -> NotIssued:
    return NotIssued(f"{field} {what}", code=code, hint=hint, field=field)


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
    shared = {"tg": case["disease"], "co": case["country"], "is": case["by"], "ci": case["id"]}
    entry: dict[str, Any]
    if kind == "test":
        entry = {
            "tt": _LABELS[case["test_type"]],
            "sc": case["sampled"],
            "tr": _LABELS[case["result"]],
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
            "dn": int(case["dose"]),
            "sd": int(case["doses"]),
            "dt": case["date"],
        }
        group = "v"
    else:
        entry = {"fr": case["first_positive"], "df": case["from"], "du": case["until"]}
        group = "r"
    return {"ver": "1.3.0", "nam": name, "dob": case["born"], group: [{**shared, **entry}]}


def _fhir(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    names = _names(case)
    name: dict[str, Any] = {}
    if "surname" in names:
        name["family"] = names["surname"]
    if "given_names" in names:
        name["given"] = names["given_names"].split()
    patient = {"resourceType": "Patient", "name": [name], "birthDate": case["born"]}
    if kind == "vaccination":
        resource: dict[str, Any] = {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": codes.CVX, "code": case["vaccine"]}]},
            "patient": {"reference": "resource:0"},
            "occurrenceDateTime": case["date"],
            "performer": [{"actor": {"display": case["by"]}}],
        }
    else:
        test = "94500-6" if case["test_type"] == "naat" else "94558-4"
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": codes.LOINC, "code": test}]},
            "subject": {"reference": "resource:0"},
            "effectiveDateTime": case["sampled"],
            "performer": [{"display": case.get("centre", case["by"])}],
            "valueCodeableConcept": {"coding": [{"system": codes.SNOMED, "code": _LABELS[case["result"]]}]},
        }
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "resource:0", "resource": patient},
            {"fullUrl": "resource:1", "resource": resource},
        ],
    }


def _names(case: Mapping[str, str]) -> dict[str, str]:
    """Surname and given names as written; the Latin form, its `<` opened, where it is all there is."""
    found = {
        name: case.get(name) or case.get(f"{name}_latin", "").replace("<", " ")
        for name in ("surname", "given_names")
    }
    return {name: text for name, text in found.items() if text}


_VCT = {
    "test": "test-result",
    "vaccination": "vaccination",
    "recovery": "recovery-certificate",
    "qualification": "qualification",
}
_OPENID = {"surname": "family_name", "given_names": "given_name", "born": "birthdate", "id": "jti"}
# Our fields, as credentials of other issuers name them.
_WRITTEN = {
    "test_type": "testType",
    "centre": "testCentre",
    "first_positive": "firstPositive",
    "from": "validFrom",
    "until": "validUntil",
    "field": "fieldOfStudy",
    "awarded": "dateAwarded",
}


def _sd_jwt(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    said = {**_names(case), **{name: case[name] for name in ("born", *FIELDS[kind]) if name in case}}
    if kind == "qualification" and case["by"] == by:
        del said["by"]  # The issuer's own name: the trust list says it.
    return {
        "iss": issuer,
        "vct": f"urn:landbridge:{_VCT[kind]}:1",
        **{claim_of(name): value for name, value in said.items()},
    }


_TYPES = {
    "test": "TestCertificate",
    "vaccination": "VaccinationCertificate",
    "recovery": "RecoveryCertificate",
}
_V2 = "https://www.w3.org/ns/credentials/v2"
_OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
_UNDEFINED = "https://www.w3.org/ns/credentials/undefined-terms/v2"
"""Of the W3C: gives every term a meaning that has none elsewhere."""


def _vcdm(kind: str, case: Mapping[str, str], issuer: str, by: str) -> dict[str, Any]:
    names = _names(case)
    person = {
        theirs: value
        for theirs, value in (
            ("familyName", names.get("surname")),
            ("givenName", names.get("given_names")),
            ("birthDate", case.get("born")),
        )
        if value
    }
    named = {"id": issuer, "name": case["by"]}
    if kind == "qualification":
        return _badge(case, person, named)
    rest = {
        _WRITTEN.get(name, name): case[name]
        for name in FIELDS[kind]
        if name in case and name not in ("id", "by")
    }
    return {
        "@context": [_V2, _UNDEFINED],
        "id": case["id"],
        "type": ["VerifiableCredential", _TYPES[kind]],
        "issuer": named,
        "credentialSubject": {**person, **rest},
    }


def _badge(case: Mapping[str, str], person: Mapping[str, str], named: Mapping[str, str]) -> dict[str, Any]:
    """An Open Badge (1EdTech Open Badges 3.0, appendix B.1): who earned what, the name also in readable form."""
    names = _names(case)
    full = " ".join(names[part] for part in ("given_names", "surname") if part in names)
    return {
        "@context": [_V2, _OPEN_BADGES, _UNDEFINED],
        "id": case["id"],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {**named, "type": ["Profile"]},
        "name": case["title"],
        "awardedDate": f"{case['awarded']}T00:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            **person,
            **({"level": case["level"]} if "level" in case else {}),
            "achievement": {
                "id": f"{case['id']}#achievement",
                "type": ["Achievement"],
                "name": case["title"],
                "description": case.get("field", case["title"]),
                "criteria": {"narrative": case["title"]},
                **({"fieldOfStudy": case["field"]} if "field" in case else {}),
            },
            "identifier": [
                {"type": "IdentityObject", "identityHash": full, "identityType": "name", "hashed": False}
            ],
        },
    }


_MAKERS: dict[str, Callable[[str, Mapping[str, str], str, str], dict[str, Any]]] = {
    "hcert": _dcc,
    "shc": _fhir,
    "sd-jwt-vc": _sd_jwt,
    "jwt-vc": _vcdm,
}


def _uuid() -> str:
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
