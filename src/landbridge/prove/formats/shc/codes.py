"""Codes of health cards in our words: vaccines (CVX, ICD-11), tests (LOINC), results (SNOMED CT, LOINC answers).

Value sets of HL7 SMART Health Cards and Links 1.0.0 (immunization-covid-cvx, immunization-covid-icd11,
lab-qualitative-test-covid, lab-qualitative-result), and the CVX codes added by the CDC since.
"""

from collections.abc import Iterable

CVX = "http://hl7.org/fhir/sid/cvx"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD11 = "http://id.who.int/icd11/mms"
COVID = "840539006"
"""SNOMED CT: the disease, as EU certificates name it."""

_COVID_CVX = frozenset(
    """207 208 210 211 212 213 217 218 219 221 225 226 227 228 229 230 300 301 302 308 309 310 311 312 313
    500 501 502 503 504 505 506 507 508 509 510 511 512 513 514 515 516 517 518 519 520 521""".split()
)
_COVID_ICD11 = frozenset(
    """XM68M6 XM1NL1 XM7HT3 XM8866 XM9TQ1 XM1G90 XM85P5 XM9FQ7 XM97N6 XM2YG8 XM0K39 XM1AU2 XM5DF6 XM9QW8 XM4YL8
    XM97T2 XM6QV1 XM1AG7 XM5ZJ4 XM5QM6 XM0CX4 XM5JC5 XM3CT4 XM3PG0 XM4EC8 XM6SZ8 XM0RV9 XM3SK8 XM9P21 XM9T65
    XM9N08 XM1J92 XM6AT1 XM52P3 XM0GQ8 XM8NQ0 XM3DT5""".split()
)
_NAAT = """94306-8 94307-6 94308-4 94309-2 94310-0 94314-2 94315-9 94316-7 94500-6 94502-2 94531-1 94532-9 94533-7
    94534-5 94559-2 94565-9 94639-2 94640-0 94641-8 94647-5 94660-8 94756-4 94757-2 94758-0 94759-8 94760-6 94765-5
    94766-3 94767-1 94845-5 95406-5 95409-9 95423-0 95425-5 95608-6 95823-1 95824-9 96091-4 96120-1 96121-9 96122-7
    96123-5 96448-6 96763-8 96765-3 96797-6 96829-7 96957-6 96958-4 96986-5 97098-8 98131-6 98132-4 98493-0
    98494-8""".split()
_ANTIGEN = "94558-4 95209-3 96119-3 97097-0".split()
_OTHER_COVID_TESTS = """94503-0 94504-8 94507-1 94508-9 94547-7 94562-6 94563-4 94564-2 94661-6 94761-4 94762-2 94763-0
    94764-8 94768-9 94822-4 95125-1 95411-5 95416-4 95424-8 95542-7 95609-4 95825-6 95970-0 95971-8 96603-6 96752-1
    98069-8 99596-9 99597-7 99772-6""".split()
_COVID_LOINC = frozenset((*_NAAT, *_ANTIGEN, *_OTHER_COVID_TESTS))
TEST_TYPES = dict.fromkeys(_NAAT, "naat") | dict.fromkeys(_ANTIGEN, "antigen")
RESULTS = {
    (system, code): word
    for word, system, listed in (
        ("positive", SNOMED, "260373001 10828004 11214006 52101004"),
        ("negative", SNOMED, "260385009 260415000 131194007 2667000"),
        ("positive", LOINC, "LA6576-8 LA11882-0"),
        ("negative", LOINC, "LA6577-6 LA11883-8"),
    )
    for code in listed.split()
}
RESULT_WORDS = {
    "positive": "positive",
    "detected": "positive",
    "reactive": "positive",
    "negative": "negative",
    "not detected": "negative",
    "non-reactive": "negative",
}


def is_covid_vaccine(codings: Iterable[tuple[str, str]]) -> bool:
    return any(
        (system == CVX and code in _COVID_CVX) or (system == ICD11 and code in _COVID_ICD11)
        for system, code in codings
    )


def is_covid_test(codings: Iterable[tuple[str, str]]) -> bool:
    return any(system == LOINC and code in _COVID_LOINC for system, code in codings)


def preferred(codings: Iterable[tuple[str, str]], system: str) -> str:
    listed = list(codings)
    return next((code for one, code in listed if one == system), listed[0][1] if listed else "")
