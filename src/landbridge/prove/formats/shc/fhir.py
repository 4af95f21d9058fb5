"""The FHIR bundle of a health card: its form, and what it says (HL7 FHIR R4, 4.0.1; SMART Health Cards Vaccination & Testing).

Patient, Immunization and Observation are checked element by element against the tables below; other resources only
for what holds everywhere in FHIR: nothing is empty, references lead somewhere. What a verifier can do without is
forgiven and counted (long addresses, display texts, elements beyond the profile's minimum, whatever their form); what
makes the statement uncertain is a fault: no status `completed`, no date, no code, not exactly one person, an element
nobody knows.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from landbridge.prove.facts import Content, Subject
from landbridge.prove.formats.shc import codes

_MAX_NOTES = 200
_SHORT = re.compile(r"resource:\d{1,9}")

_DATE = r"(?:\d{3}[1-9]|\d{2}[1-9]\d|\d[1-9]\d{2}|[1-9]\d{3})"
_DAY = rf"{_DATE}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,12})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_FULL_DAY = rf"{_DATE}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
# FHIR R4, datatypes: the text of each primitive type.
_TEXTS = {
    name: re.compile(form, re.ASCII if name not in ("string", "markdown", "xhtml") else 0)
    for name, form in {
        "string": r"[ \r\n\t\S]+",
        "markdown": r"[ \r\n\t\S]+",
        "xhtml": r"[ \r\n\t\S]+",
        "uri": r"\S+",
        "url": r"\S+",
        "canonical": r"\S+",
        "code": r"[^\s]+(?:\s[^\s]+)*",
        "id": r"[A-Za-z0-9.-]{1,64}",
        "base64Binary": r"[A-Za-z0-9+/=\s]+",
        "date": _DAY,
        "dateTime": rf"{_DAY}|{_FULL_DAY}T{_CLOCK}{_ZONE}",
        "instant": rf"{_FULL_DAY}T{_CLOCK}{_ZONE}",
        "time": _CLOCK,
    }.items()
}
_NUMBERS = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}

# Elements by type: name:type, `*` for several, `!` where one is required, `~` where the minimal profile
# (Vaccination & Testing, "data minimization") leaves it out; `[x]` for one name a type.
_TABLES = {
    "Coding": "system:uri version:string code:code display:string userSelected:boolean",
    "CodeableConcept": "coding:Coding* text:string",
    "Reference": "reference:string type:uri identifier:Identifier display:string",
    "Identifier": "use:code type:CodeableConcept system:uri value:string period:Period assigner:Reference",
    "HumanName": """use:code(usual|official|temp|nickname|anonymous|old|maiden) text:string family:string given:string*
        prefix:string* suffix:string* period:Period""",
    "Period": "start:dateTime end:dateTime",
    "Quantity": "value:decimal comparator:code unit:string system:uri code:code",
    "Range": "low:Quantity high:Quantity",
    "Ratio": "numerator:Quantity denominator:Quantity",
    "Annotation": "author[x]:Reference|string time:dateTime text:markdown!",
    "Address": """use:code type:code text:string line:string* city:string district:string state:string
        postalCode:string country:string period:Period""",
    "ContactPoint": "system:code value:string use:code rank:positiveInt period:Period",
    "Attachment": """contentType:code language:code data:base64Binary url:url size:unsignedInt hash:base64Binary
        title:string creation:dateTime""",
    "Meta": "versionId:id lastUpdated:instant source:uri profile:canonical* security:Coding* tag:Coding*",
    "Bundle": """meta:Meta implicitRules:uri language:code identifier:Identifier timestamp:instant total:unsignedInt
        type:code(document|message|transaction|transaction-response|batch|batch-response|history|searchset|collection)!
        link:any* entry:any* signature:any""",
    "Bundle.entry": "link:any* fullUrl:uri resource:any search:any request:any response:any",
    "Patient": """identifier:Identifier*~ active:boolean~ name:HumanName* telecom:ContactPoint*~
        gender:code(male|female|other|unknown)~ birthDate:date deceased[x]:boolean|dateTime~ address:Address*~
        maritalStatus:CodeableConcept~ multipleBirth[x]:boolean|integer~ photo:Attachment*~
        contact:Patient.contact*~ communication:Patient.communication*~ generalPractitioner:Reference*~
        managingOrganization:Reference~ link:Patient.link*~""",
    "Patient.contact": """relationship:CodeableConcept* name:HumanName telecom:ContactPoint* address:Address
        gender:code(male|female|other|unknown) organization:Reference period:Period""",
    "Patient.communication": "language:CodeableConcept! preferred:boolean",
    "Patient.link": "other:Reference! type:code!",
    "Immunization": """identifier:Identifier*~ status:code(completed)! statusReason:CodeableConcept~
        vaccineCode:CodeableConcept! patient:Reference! encounter:Reference~ occurrence[x]:dateTime|string!
        recorded:dateTime~ primarySource:boolean~ reportOrigin:CodeableConcept~ location:Reference~
        manufacturer:Reference lotNumber:string expirationDate:date~ site:CodeableConcept~ route:CodeableConcept~
        doseQuantity:Quantity~ performer:Immunization.performer* note:Annotation*~ reasonCode:CodeableConcept*~
        reasonReference:Reference*~ isSubpotent:boolean subpotentReason:CodeableConcept*~
        education:Immunization.education*~ programEligibility:CodeableConcept*~ fundingSource:CodeableConcept~
        reaction:Immunization.reaction*~ protocolApplied:Immunization.protocolApplied*~""",
    "Immunization.performer": "function:CodeableConcept actor:Reference!",
    "Immunization.education": """documentType:string reference:uri publicationDate:dateTime
        presentationDate:dateTime""",
    "Immunization.reaction": "date:dateTime detail:Reference reported:boolean",
    "Immunization.protocolApplied": """series:string authority:Reference targetDisease:CodeableConcept*
        doseNumber[x]:positiveInt|string! seriesDoses[x]:positiveInt|string""",
    "Observation": """identifier:Identifier*~ basedOn:Reference*~ partOf:Reference*~
        status:code(final|amended|corrected)! category:CodeableConcept* code:CodeableConcept! subject:Reference
        focus:Reference*~ encounter:Reference~ effective[x]:dateTime|Period|any:Timing|instant issued:instant~
        performer:Reference*
        value[x]:Quantity|CodeableConcept|string|boolean|integer|Range|Ratio|any:SampledData|time|dateTime|Period
        dataAbsentReason:CodeableConcept interpretation:CodeableConcept*~ note:Annotation*~ bodySite:CodeableConcept~
        method:CodeableConcept~ specimen:Reference~ device:Reference~ referenceRange:Observation.referenceRange*
        hasMember:Reference*~ derivedFrom:Reference*~ component:Observation.component*~""",
    "Observation.referenceRange": """low:Quantity high:Quantity type:CodeableConcept appliesTo:CodeableConcept*
        age:Range text:string""",
    "Observation.component": """code:CodeableConcept!
        value[x]:Quantity|CodeableConcept|string|boolean|integer|Range|Ratio|any:SampledData|time|dateTime|Period
        dataAbsentReason:CodeableConcept interpretation:CodeableConcept* referenceRange:Observation.referenceRange*""",
}
_EVERY_RESOURCE = """resourceType:code! id:id meta:any implicitRules:uri language:code text:any contained:any*
    extension:any* modifierExtension:any*"""
_RESOURCES = frozenset({"Patient", "Immunization", "Observation"})
_EVERY_ELEMENT = "id:string extension:any* modifierExtension:any*"


class Element(msgspec.Struct, frozen=True):
    type: str
    several: bool
    beyond: bool
    choice: str
    """The name without its type, of an element that may have several."""
    allowed: frozenset[str] | None


class Form(msgspec.Struct, frozen=True):
    """One type's elements by name, and the names (or choices) of which one must be there."""

    elements: Mapping[str, Element]
    required: tuple[str, ...]


def _form(name: str, table: str) -> Form:
    elements: dict[str, Element] = {}
    required: list[str] = []
    more = _EVERY_RESOURCE if name in _RESOURCES or name == "Bundle" else _EVERY_ELEMENT
    for word in f"{more} {table}".split():
        label, _, kind = word.partition(":")
        bare = kind.rstrip("!~*")
        marks = kind[len(bare) :]
        plain = label.removesuffix("[x]")
        if "!" in marks:
            required.append(plain)
        choice = label.endswith("[x]")
        for one in bare.split("|") if choice else (bare,):
            type_, _, rest = one.partition("(")
            # `any:Timing` is an element called …Timing whose inside is not looked at.
            type_, _, spelt = type_.partition(":")
            spelt = spelt or type_
            elements[plain + spelt[:1].upper() + spelt[1:] if choice else plain] = Element(
                type_,
                "*" in marks,
                "~" in marks,
                plain if choice else "",
                frozenset(rest.rstrip(")").split("|")) if rest else None,
            )
    return Form(elements, tuple(required))


_FORMS = {name: _form(name, table) for name, table in _TABLES.items()}


class Notes:
    """What was found on the way, bounded: a file can hold a million slips."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self.leniencies: list[str] = []

    def fault(self, code: str, sentence: str) -> None:
        if len(self.faults) < _MAX_NOTES:
            self.faults.append((code, sentence))

    def forgive(self, code: str) -> None:
        if len(self.leniencies) < _MAX_NOTES:
            self.leniencies.append(code)


class _Beyond(Notes):
    """Of elements that the minimal profile leaves out, and that nothing here rests on: their faults are forgiven too."""

    def __init__(self, notes: Notes) -> None:
        self.faults = []
        self.leniencies = notes.leniencies

    def fault(self, code: str, sentence: str) -> None:
        self.forgive("beyond-profile-form")


class Entry(msgspec.Struct, frozen=True):
    url: str
    resource: Mapping[str, Any]
    type: str


def read(bundle: Any, notes: Notes) -> tuple[Entry, ...]:
    """The bundle's resources; everything that is wrong with it goes into `notes`. Nothing raises."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        notes.fault("fhir-bundle", "the card holds no FHIR bundle")
        return ()
    _Walk(frozenset(), notes).fields(_but(bundle, "entry"), "Bundle", "Bundle")
    listed = bundle.get("entry")
    if not isinstance(listed, list) or not listed:
        notes.fault("fhir-bundle", "the FHIR bundle of this card is empty")
        return ()
    entries = tuple(_entries(listed, notes))
    urls = _addresses(entries, notes)
    patients = [one for one in entries if one.type == "Patient"]
    walk = _Walk(urls, notes)
    for entry in entries:
        walk.resource(entry)
        if entry.type in ("Immunization", "Observation"):
            _check_subject(entry, patients, notes)
    if any(one.type in ("Immunization", "Observation") for one in entries) and len(patients) != 1:
        notes.fault("fhir-patients", f"the card names {len(patients)} persons, not one")
    return entries


def content(entries: tuple[Entry, ...], types: tuple[str, ...], rid: str) -> Content:
    """What the resources say, in our words: the latest vaccination, or the latest test."""
    subject = next((_subject(one.resource) for one in entries if one.type == "Patient"), Subject())
    doses = [one.resource for one in entries if one.type == "Immunization"]
    tests = [one.resource for one in entries if one.type == "Observation"]
    if doses:
        full = [one for one in doses if one.get("isSubpotent") is not True] or doses
        dose = max(full, key=lambda one: _string(one.get("occurrenceDateTime")))
        return Content(kind="vaccination", subject=subject, values=_said(_vaccination(dose, types), rid))
    if tests:
        test = max(tests, key=_sampled)
        return Content(kind="test", subject=subject, values=_said(_test(test, types), rid))
    return Content(kind="health", subject=subject, values=_said({}, rid))


def has_covid(entries: tuple[Entry, ...]) -> bool:
    concepts = {"Immunization": "vaccineCode", "Observation": "code"}
    return any(
        codes.is_covid(_codings(one.resource.get(concepts[one.type])))
        for one in entries
        if one.type in concepts
    )


# the form


def _entries(listed: list[Any], notes: Notes) -> Iterator[Entry]:
    for number, one in enumerate(listed):
        if not isinstance(one, dict):
            notes.fault("fhir-type", f"entry[{number}] is not an object")
            continue
        _Walk(frozenset(), notes).fields(_but(one, "resource"), "Bundle.entry", f"entry[{number}]")
        resource = one.get("resource")
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            notes.fault("fhir-missing", f"entry[{number}] holds no resource")
            continue
        yield Entry(_string(one.get("fullUrl")), resource, resource["resourceType"][:64])


def _addresses(entries: tuple[Entry, ...], notes: Notes) -> frozenset[str]:
    """Every address a reference may name."""
    found: set[str] = set()
    for one in entries:
        if not _SHORT.fullmatch(one.url):
            notes.forgive("url-not-short")
        elif one.url in found:
            notes.forgive("url-twice")
        found.update(_names(one))
    return frozenset(found)


def _names(entry: Entry) -> Iterator[str]:
    if entry.url:
        yield entry.url
        head, _, last = entry.url.rpartition("/")
        kind = head.rpartition("/")[2]
        if kind == entry.type:
            yield f"{kind}/{last}"
    if isinstance(entry.resource.get("id"), str):
        yield f"{entry.type}/{entry.resource['id']}"


def _check_subject(entry: Entry, patients: list[Entry], notes: Notes) -> None:
    """A statement must be about the person on the card."""
    named = entry.resource.get("patient" if entry.type == "Immunization" else "subject")
    reference = named.get("reference") if isinstance(named, dict) else None
    if not isinstance(reference, str):
        notes.forgive("subject-not-named")
        return
    if not any(reference in _names(one) for one in patients):
        notes.fault("fhir-subject", f"{entry.type} is about somebody who is not on the card")


def _check_form(value: Mapping[str, Any], name: str, path: str, notes: Notes) -> None:
    """The names of an object's elements: none unknown, none missing, one type of a choice."""
    form = _FORMS[name]
    chosen: set[str] = set()
    for key in value:
        element = form.elements.get(key)
        if element is None:
            if key[:1] == "_" and key[1:] in form.elements:
                continue
            notes.fault("fhir-unknown", f"{path} has an element {_quoted(key)} that FHIR does not know")
        elif element.choice:
            if element.choice in chosen:
                notes.fault("fhir-choice", f"{path}.{element.choice}[x] is there in two types")
            chosen.add(element.choice)
        elif element.beyond:
            notes.forgive("beyond-profile")
        if key in ("modifierExtension", "implicitRules"):
            notes.fault("fhir-modifier", f"{path}.{key} may change what is said, and is not understood")
    for key in form.required:
        if key not in value and key not in chosen:
            notes.fault("fhir-missing", f"{path}.{key} is missing")


class _Walk:
    """Through one resource, by its types where they are known."""

    def __init__(self, urls: frozenset[str], notes: Notes) -> None:
        self.urls = urls
        self.notes = notes

    def resource(self, entry: Entry) -> None:
        notes, value = self.notes, entry.resource
        if value.get("id"):
            notes.forgive("resource-id")
        if value.get("text"):
            notes.forgive("resource-text")
        meta = value.get("meta")
        if meta is not None:
            if not isinstance(meta, dict) or meta.keys() != {"security"}:
                notes.forgive("resource-meta")
            if isinstance(meta, dict) and "security" in meta:
                self.element(meta["security"], Element("Coding", True, False, "", None), "meta.security")
        if entry.type in _RESOURCES:
            self.fields(value, entry.type, entry.type)
        else:
            self.anything(value, entry.type)

    def fields(self, value: Mapping[str, Any], name: str, path: str) -> None:
        _check_form(value, name, path, self.notes)
        elements = _FORMS[name].elements
        for key, one in value.items():
            element = elements.get(key)
            if element is not None and key not in ("resourceType", "meta", "id", "text"):
                walk = _Walk(self.urls, _Beyond(self.notes)) if element.beyond else self
                walk.element(one, element, f"{path}.{key}")

    def element(self, value: Any, element: Element, path: str) -> None:
        if value is None or value == "" or value == [] or value == {}:
            self.notes.fault("fhir-empty", f"{path} is empty")
            return
        if element.several is not isinstance(value, list) and (element.several or element.type != "any"):
            self.notes.fault("fhir-type", f"{path} is {'not ' if element.several else ''}a list")
            return
        for one in value if element.several else (value,):
            if one is None or one == "" or one == {} or one == []:
                self.notes.fault("fhir-empty", f"{path} is empty")
            elif element.type == "any":
                self.anything(one, path)
            elif element.type in _FORMS:
                self.typed(one, element.type, path)
            else:
                self.primitive(one, element, path)

    def typed(self, value: Any, name: str, path: str) -> None:
        if not isinstance(value, dict):
            self.notes.fault("fhir-type", f"{path} is not an object")
            return
        self.described(value, name)
        self.fields(value, name, path)

    def described(self, value: Mapping[str, Any], name: str) -> None:
        """What is forgiven of codes and references."""
        if name == "CodeableConcept" and value.get("text"):
            self.notes.forgive("concept-text")
        elif name == "Coding" and value.get("display"):
            self.notes.forgive("coding-display")
        elif name == "Reference" and isinstance(reference := value.get("reference"), str) and reference:
            if not _SHORT.fullmatch(reference):
                self.notes.forgive("reference-not-short")
            if reference not in self.urls and reference[:1] != "#":
                self.notes.forgive("reference-unresolved")

    def primitive(self, value: Any, element: Element, path: str) -> None:
        name = element.type
        if name in _TEXTS:
            right = isinstance(value, str) and _TEXTS[name].fullmatch(value) is not None
            if right and name in ("date", "dateTime", "instant"):
                right = _is_day(value[:10])
        elif name == "boolean":
            right = isinstance(value, bool)
        elif name == "decimal":
            right = isinstance(value, int | float) and not isinstance(value, bool)
        else:
            right = type(value) is int and value >= _NUMBERS[name]
        if not right:
            self.notes.fault("fhir-type", f"{path} is not of the type {name}")
        elif element.allowed is not None and value not in element.allowed:
            # The statuses that are left out say that nothing was given, found or finished.
            code = "fhir-status" if path.endswith(".status") else "fhir-code"
            self.notes.fault(code, f"{path} is {_quoted(value)}, not {' or '.join(sorted(element.allowed))}")

    def anything(self, value: Any, path: str) -> None:
        """What holds in every resource."""
        if value is None or value == "" or value == [] or value == {}:
            self.notes.fault("fhir-empty", f"{path} is empty")
        elif isinstance(value, list):
            for one in value:
                self.anything(one, path)
        elif isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                self.described(value, "Reference")
            if isinstance(value.get("coding"), list):
                self.described(value, "CodeableConcept")
                for one in value["coding"]:
                    if isinstance(one, dict):
                        self.described(one, "Coding")
            for key, one in value.items():
                self.anything(one, f"{path}.{key[:40]}" if len(path) < 200 else path)


# what it says


def _subject(patient: Mapping[str, Any]) -> Subject:
    names = patient.get("name")
    listed = [one for one in names if isinstance(one, dict)] if isinstance(names, list) else []
    name: Mapping[str, Any] = next((one for one in listed if one.get("use") == "official"), {})
    name = name or next((one for one in listed if one.get("use") not in ("old", "maiden", "nickname")), {})
    given = name.get("given")
    first = " ".join(one for one in given if isinstance(one, str)) if isinstance(given, list) else ""
    return Subject(
        surname=_string(name.get("family")) or ("" if first else _string(name.get("text"))),
        given_names=first,
        born=_string(patient.get("birthDate")),
    )


def _vaccination(dose: Mapping[str, Any], types: tuple[str, ...]) -> dict[str, Any]:
    codings = _codings(dose.get("vaccineCode"))
    applied = _first(dose.get("protocolApplied"))
    target = _codings(_first(applied.get("targetDisease")))
    covid = codes.is_covid(codings) or _says_covid(types)
    return {
        "disease": codes.preferred(target, codes.SNOMED) or (codes.COVID if covid else ""),
        "vaccine": codes.preferred(codings, codes.CVX),
        "maker": _manufacturer(dose.get("manufacturer")),
        "dose": _number(applied.get("doseNumberPositiveInt")),
        "doses": _number(applied.get("seriesDosesPositiveInt")),
        "date": _string(dose.get("occurrenceDateTime")),
        "by": _display(_first(dose.get("performer")).get("actor")),
    }


def _test(test: Mapping[str, Any], types: tuple[str, ...]) -> dict[str, Any]:
    codings = _codings(test.get("code"))
    kind = codes.preferred(codings, codes.LOINC)
    return {
        "disease": codes.COVID if codes.is_covid(codings) or _says_covid(types) else "",
        "test_type": codes.TEST_TYPES.get(kind, kind),
        "result": _result(test),
        "sampled": _sampled(test),
        "device": _display(test.get("device")),
        "centre": _display(_first(test.get("performer"))),
    }


def _result(test: Mapping[str, Any]) -> str:
    codings = _codings(test.get("valueCodeableConcept"))
    for one in codings:
        if (word := codes.meaning(one)) in ("positive", "negative"):
            return word
    if codings:
        return codings[0][1]
    text = _string(test.get("valueString"))
    return codes.RESULT_WORDS.get(text.strip().lower(), text)


def _sampled(test: Mapping[str, Any]) -> str:
    period = test.get("effectivePeriod")
    return (
        _string(test.get("effectiveDateTime"))
        or _string(test.get("effectiveInstant"))
        or (_string(period.get("start")) if isinstance(period, dict) else "")
    )


def _says_covid(types: tuple[str, ...]) -> bool:
    return any(one.endswith("#covid19") for one in types)


def _codings(concept: Any) -> list[tuple[str, str]]:
    """(system, code) of each coding that has both."""
    listed = concept.get("coding") if isinstance(concept, dict) else None
    return [
        (one["system"], one["code"])
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("system"), str) and isinstance(one.get("code"), str)
    ]


def _manufacturer(reference: Any) -> str:
    if not isinstance(reference, dict):
        return ""
    identifier = reference.get("identifier")
    return _string(identifier.get("value")) if isinstance(identifier, dict) else _display(reference)


def _display(reference: Any) -> str:
    return _string(reference.get("display")) if isinstance(reference, dict) else ""


def _first(listed: Any) -> Mapping[str, Any]:
    first = listed[0] if isinstance(listed, list) and listed else None
    return first if isinstance(first, dict) else {}


def _but(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: one for key, one in value.items() if key != name}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if type(value) is int else None


def _said(values: dict[str, Any], rid: str) -> dict[str, Any]:
    """Without what the card does not say."""
    found = {name: value for name, value in values.items() if value not in ("", None)}
    return found | {"id": rid} if rid else found


@lru_cache(maxsize=1024)
def _is_day(text: str) -> bool:
    """Whether a day is one of the calendar's; a month or a year is."""
    if len(text) < 10:
        return True
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    return repr(re.sub(r"[^ -~]", "?", text[:40]))
