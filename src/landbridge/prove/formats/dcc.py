"""The EU Digital COVID Certificate's contents: schema 1.0.0 to 1.3.3, strict when we issue, forgiving when we read.

What is forgiven, each counted by its code: dates that CBOR tagged or that carry a time, empty arrays beside the
one that is filled, doses written as 1.0, blanks round a code, a name that was not standardised.
What is not: a missing field, no certificate or two in one, a birth date that cannot be, a name nobody could read
out of a passport, and a code that has the form of its system's and is none of its codes. Text that is no code
at all ("a test") is unknown rather than false: a warning for whoever needs that value.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from importlib import resources
from typing import Any

import msgspec

from landbridge.codes import countries
from landbridge.prove.facts import Content, Subject


class PersonName(msgspec.Struct, frozen=True, omit_defaults=True):
    fn: str | None = None
    fnt: str | None = None
    gn: str | None = None
    gnt: str | None = None


class Vaccination(msgspec.Struct, frozen=True):
    tg: str
    vp: str
    mp: str
    ma: str
    dn: int
    sd: int
    dt: str
    co: str
    is_: str = msgspec.field(name="is")
    ci: str


class Test(msgspec.Struct, frozen=True, omit_defaults=True):
    tg: str
    tt: str
    sc: str
    tr: str
    co: str
    is_: str = msgspec.field(name="is")
    ci: str
    nm: str | None = None
    ma: str | None = None
    tc: str | None = None


class Recovery(msgspec.Struct, frozen=True):
    tg: str
    fr: str
    co: str
    is_: str = msgspec.field(name="is")
    df: str
    du: str
    ci: str


class Certificate(msgspec.Struct, frozen=True, omit_defaults=True):
    ver: str
    nam: PersonName
    dob: str
    v: tuple[Vaccination, ...] | None = None
    t: tuple[Test, ...] | None = None
    r: tuple[Recovery, ...] | None = None


class Read(msgspec.Struct, frozen=True):
    """One certificate read: what it says, what was forgiven, what is wrong with it."""

    content: Content
    identifier: str
    country: str
    leniencies: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...] = ()
    """Fields whose code is in no value set we hold: nothing false, and nothing a rule can use."""


_DAY = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")
_BORN = re.compile(r"(?:(?:19|20)\d\d(?:-\d\d){0,2})?")
_STANDARD = re.compile(r"[A-Z<]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_MAX_LENGTH = 80
_DAY_LENGTH = 10
_PARTS = 4  # ver, nam, dob and one group
_DATES: dict[str, tuple[str, ...]] = {"vaccination": ("dt",), "recovery": ("fr", "df", "du"), "test": ()}
_MIN_SLIP = 8  # Among short codes every one is one sign from another.
RESULTS = {"260415000": "negative", "260373001": "positive"}
TEST_TYPES = {"LP6464-4": "naat", "LP217198-3": "antigen"}


def read(payload: Any, issued: datetime | None, issuer: str = "") -> Read:
    """What one certificate says. Nothing raises: what cannot be read is a fault.

    `issuer` is the country that signed: its own code counts as one, even where ISO has not assigned it.
    """
    forgiven: list[str] = []
    try:
        certificate = msgspec.convert(payload, Certificate)
    except (msgspec.ValidationError, TypeError):
        try:
            certificate = msgspec.convert(_forgive(payload, forgiven), Certificate)
        except (msgspec.ValidationError, TypeError, RecursionError) as wrong:
            fault = ("form", _plain(str(wrong)))
            return Read(Content(kind=_claimed(payload)), "", "", tuple(forgiven), (fault,))
    groups: list[tuple[str, tuple[Any, ...]]] = [
        (kind, some)
        for kind, some in (
            ("vaccination", certificate.v),
            ("test", certificate.t),
            ("recovery", certificate.r),
        )
        if some
    ]
    if len(groups) != 1:
        fault = ("form", f"a certificate is of one kind, this is of {len(groups)}")
        return Read(Content(kind=_claimed(payload)), "", "", tuple(forgiven), (fault,))
    if len(payload) > _PARTS and any(payload.get(key, "") is None for key in "vtr"):
        forgiven.append("array-null")
    kind, entries = groups[0]
    entry = entries[0]
    if len(entries) > 1:
        forgiven.append("several-entries")  # Until 1.3.0 a group could hold a person's doses one by one.
        entry = max(entries, key=partial(_when, kind))
    faults: list[tuple[str, str]] = []
    unknown: list[str] = []
    _look_at_person(certificate, issued, forgiven, faults)
    _look_at_dates(kind, entry, forgiven, faults)
    for field, codes in _CODED[kind]:
        value = getattr(entry, field)
        if value is not None and value not in codes.codes and value != issuer:
            _look_at_code(field, value, codes, issued, forgiven, faults, unknown)
    if len(entry.ci) > _MAX_LENGTH or len(entry.is_) > _MAX_LENGTH:
        forgiven.append("text-too-long")
    if not _VERSION.fullmatch(certificate.ver):
        faults.append(("form", "ver is not a version"))
    name = certificate.nam
    content = Content(
        kind=kind,
        territory=entry.co,
        subject=Subject(
            surname=name.fn or "",
            given_names=name.gn or "",
            surname_latin=name.fnt or "",
            given_names_latin=name.gnt or "",
            born=certificate.dob,
        ),
        values=_values(kind, entry),
    )
    return Read(content, entry.ci, entry.co, tuple(forgiven), tuple(faults), tuple(unknown))


def _when(kind: str, entry: Any) -> str:
    """The day that orders entries of one kind: the latest is what its holder shows it for."""
    return str(entry.dt if kind == "vaccination" else entry.sc if kind == "test" else entry.fr)


def _claimed(payload: Any) -> str:
    for key, kind in (("v", "vaccination"), ("t", "test"), ("r", "recovery")):
        if isinstance(payload, Mapping) and payload.get(key):
            return kind
    return "health"


def _values(kind: str, entry: Any) -> dict[str, Any]:
    shared = {"disease": entry.tg, "country": entry.co, "by": entry.is_, "id": entry.ci}
    if kind == "test":
        return shared | {
            "test_type": TEST_TYPES.get(entry.tt.strip(), entry.tt),
            "result": RESULTS.get(entry.tr.strip(), entry.tr),
            "sampled": entry.sc,
            "name": entry.nm or "",
            "device": entry.ma or "",
            "centre": entry.tc or "",
        }
    if kind == "vaccination":
        return shared | {
            "vaccine": entry.vp,
            "product": entry.mp,
            "maker": entry.ma,
            "dose": entry.dn,
            "doses": entry.sd,
            "date": entry.dt,
        }
    return shared | {"first_positive": entry.fr, "from": entry.df, "until": entry.du}


def _forgive(value: Any, forgiven: list[str], key: str = "") -> Any:
    """The same payload with its harmless oddities put right, each noted."""
    if isinstance(value, Mapping):
        return {
            name: _forgive(one, forgiven, name if isinstance(name, str) else "")
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_forgive(one, forgiven) for one in value]
    if isinstance(value, datetime):
        forgiven.append("date-tagged")
        return value.date().isoformat() if key in _DAYS else value.isoformat()
    if isinstance(value, date):
        forgiven.append("date-tagged")
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        forgiven.append("dose-not-integer")
        return int(value)
    return value


_DAYS = frozenset({"dob", "dt", "fr", "df", "du"})


def _look_at_person(
    certificate: Certificate, issued: datetime | None, forgiven: list[str], faults: list[tuple[str, str]]
) -> None:
    name, born = certificate.nam, certificate.dob
    if name.fnt is None and name.gnt is None:
        faults.append(("form", "neither nam.fnt nor nam.gnt is there"))
    for written, standard in ((name.fn, name.fnt), (name.gn, name.gnt)):
        if standard:
            if not _STANDARD.fullmatch(standard):
                forgiven.append("name-not-standardised")
        elif written and not any(sign.isalpha() for sign in written):
            faults.append(("form", "a name consists of no letter at all"))
    if len(born) > _DAY_LENGTH and born[_DAY_LENGTH] == "T" and _DAY.match(born):
        forgiven.append("date-with-time")
        born = born[:_DAY_LENGTH]
    if not _BORN.fullmatch(born) or (issued is not None and born > issued.date().isoformat()):
        faults.append(("form", "dob cannot be a date of birth"))
    elif len(born) == _DAY_LENGTH and "-00" not in born and not _is_day(born):
        faults.append(("form", "dob is not a day of the calendar"))


def _look_at_dates(kind: str, entry: Any, forgiven: list[str], faults: list[tuple[str, str]]) -> None:
    for field in _DATES[kind]:
        text = getattr(entry, field)
        if len(text) == _DAY_LENGTH and _DAY.match(text) and _is_day(text):
            continue
        if (
            _DAY.match(text)
            and text[_DAY_LENGTH : _DAY_LENGTH + 1] in ("T", " ")
            and _is_day(text[:_DAY_LENGTH])
        ):
            forgiven.append("date-with-time")
            continue
        faults.append(("form", f"{field} is not a day"))
    if kind == "test" and not _is_moment(entry.sc, forgiven):
        faults.append(("form", "sc is not a date and time"))
    if kind == "vaccination" and not (0 < entry.dn < 100 and 0 < entry.sd < 100):
        forgiven.append("dose-odd")


def _look_at_code(
    field: str,
    value: str,
    codes: "Codes",
    issued: datetime | None,
    forgiven: list[str],
    faults: list[tuple[str, str]],
    unknown: list[str],
) -> None:
    bare = value.strip()
    if bare != value:
        forgiven.append("code-with-blanks")
    if bare in codes.codes:
        return
    unknown.append(field)
    if codes.nearly(bare):
        forgiven.append("code-misspelt")
    elif codes.invented(bare, issued):
        faults.append(("form", f"{field}={bare[:24]!r} has the form of a code and is none"))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_moment(text: str, forgiven: list[str]) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    if moment.tzinfo is None:
        forgiven.append("time-without-zone")
    return True


class Codes:
    """One value set: its codes, the form they have, and the day up to which it is complete."""

    def __init__(
        self,
        form: str,
        complete_until: date | None,
        codes: frozenset[str],
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.form = re.compile(form)
        self.complete_until = complete_until
        self.codes = codes
        self.names = names or {}

    def invented(self, value: str, issued: datetime | None) -> bool:
        """Whether a value has the form of these codes, was written while the set was complete, and is none."""
        if value in self.codes or self.complete_until is None or not self.form.fullmatch(value):
            return False
        return issued is not None and issued.date() <= self.complete_until

    def nearly(self, value: str) -> bool:
        """Whether a long code differs from one of the set by one sign: somebody's slip, and still unknown."""
        if value in self.codes or not _MIN_SLIP <= len(value) <= _MAX_LENGTH:
            return False
        return any(_one_sign_apart(value, code) for code in self.codes if abs(len(code) - len(value)) <= 1)


def _one_sign_apart(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    start = next((at for at, sign in enumerate(shorter) if sign != longer[at]), len(shorter))
    return shorter[start + (len(shorter) == len(longer)) :] == longer[start + 1 :]


def _codes(name: str, form: str) -> Codes:
    lines = (
        resources.files("landbridge.prove").joinpath(f"data/dcc/{name}.tsv").read_text("utf-8").splitlines()
    )
    stated = date.fromisoformat(lines[0].rpartition(" ")[2])
    names = dict(line.split("\t")[:2] for line in lines[1:])
    return Codes(form, stated, frozenset(names), names)


_COUNTRY_CODES = Codes(r"[A-Z]{2}", date.max, countries() | {"XK", "EU", "UN"})
_DISEASES = Codes(r"\d{6,18}", None, frozenset({"840539006"}))
_CODED: dict[str, tuple[tuple[str, Codes], ...]] = {
    "vaccination": (
        ("tg", _DISEASES),
        ("co", _COUNTRY_CODES),
        ("ma", _codes("makers", r"ORG-\d+")),
        ("mp", _codes("products", r"EU/1/\d\d/\d+")),
        ("vp", _codes("vaccines", r"\d{9,}")),
    ),
    "test": (
        ("tg", _DISEASES),
        ("co", _COUNTRY_CODES),
        ("tt", Codes(r"LP\d+-\d", None, frozenset(TEST_TYPES))),
        ("tr", Codes(r"\d{6,18}", None, frozenset(RESULTS))),
        ("ma", _codes("devices", r"\d{3,5}")),
    ),
    "recovery": (("tg", _DISEASES), ("co", _COUNTRY_CODES)),
}


def _plain(message: str) -> str:
    """The schema's complaint without the value it complains of."""
    return re.sub(r"[^ -~]", "?", message)[:120]


def name_of(code: str) -> str:
    """What the value sets call a vaccine, its maker or a device; empty for what is in none."""
    return next(
        (codes.names[code] for fields in _CODED.values() for _, codes in fields if code in codes.names), ""
    )
