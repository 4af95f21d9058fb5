"""Codes of health cards in our words: vaccines (CVX, ICD-11), tests (LOINC), results (SNOMED CT, LOINC answers).

`data/shc/codes.tsv` holds value sets of HL7 SMART Health Cards and Links 1.0.0 (immunization-covid-cvx,
immunization-covid-icd11, lab-qualitative-test-covid, lab-qualitative-result), and the CVX codes added since.
"""

from collections.abc import Iterable
from importlib import resources

CVX = "http://hl7.org/fhir/sid/cvx"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD11 = "http://id.who.int/icd11/mms"
COVID = "840539006"
"""SNOMED CT: the disease, as EU certificates name it."""

RESULT_WORDS = {
    "positive": "positive",
    "detected": "positive",
    "reactive": "positive",
    "negative": "negative",
    "not detected": "negative",
    "non-reactive": "negative",
}
_SYSTEMS = {"cvx": CVX, "icd11": ICD11, "loinc": LOINC, "snomed": SNOMED}
_ONCE = {f"{CVX}-TEMPORARY-CODE-SYSTEM": CVX}  # In the first months of 2021.


def _meanings() -> dict[tuple[str, str], str]:
    table = resources.files("landbridge.prove").joinpath("data/shc/codes.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return {(_SYSTEMS[vocabulary], code): meaning for vocabulary, code, meaning in rows}


_MEANINGS = _meanings()
TEST_TYPES = {
    code: meaning.removeprefix("covid-")
    for (_, code), meaning in _MEANINGS.items()
    if meaning in ("covid-naat", "covid-antigen")
}


def meaning(coding: tuple[str, str]) -> str:
    """What a (system, code) says in our words; empty where it is not known here."""
    system, code = coding
    return _MEANINGS.get((_ONCE.get(system, system), code), "")


def is_covid(codings: Iterable[tuple[str, str]]) -> bool:
    """Whether a vaccine or a test concerns COVID-19."""
    return any(meaning(one).startswith("covid-") for one in codings)


def preferred(codings: Iterable[tuple[str, str]], system: str) -> str:
    """The code of a system, or the first of any other."""
    listed = list(codings)
    return next((code for one, code in listed if one == system), listed[0][1] if listed else "")
