"""A credential's name against a passport's: scored over the spellings of many states, never by equality.

The passport's machine readable zone is the reference (ICAO Doc 9303-3). A name is read letter by letter as what the
tables allow for its script; what was left out, cut or swapped is named, so that an officer sees why.
"""

from landbridge.prove.names.compare import THRESHOLD, Ignored, Match, Name, compare
from landbridge.prove.names.standard import standardise
from landbridge.prove.names.zone import MrzError, Passport, born, read_mrz, same_birth

__all__ = [
    "THRESHOLD",
    "Ignored",
    "Match",
    "MrzError",
    "Name",
    "Passport",
    "born",
    "compare",
    "read_mrz",
    "same_birth",
    "standardise",
]
