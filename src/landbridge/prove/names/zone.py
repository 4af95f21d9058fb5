"""The machine readable zone of a passport, identity card or visa (ICAO Doc 9303 parts 3 to 7)."""

from datetime import datetime
from typing import Literal

import msgspec

from landbridge.errors import CredentialError
from landbridge.prove.names.compare import Name

Form = Literal["TD1", "TD2", "TD3", "MRV-A", "MRV-B"]
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")
_VALUES = {letter: value for value, letter in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
_SHAPES: dict[tuple[int, int], tuple[Form, Form]] = {  # lines, letters a line → a document, a visa
    (3, 30): ("TD1", "TD1"),
    (2, 36): ("TD2", "MRV-B"),
    (2, 44): ("TD3", "MRV-A"),
}
_LONGEST = 400  # of the text handed in


class MrzError(CredentialError):
    """The zone cannot be read: `code` is the fault, `field` the part of the zone it is in."""

    step = "passport"

    def __init__(self, message: str, *, code: str, field: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint or "Read the zone again, or type it letter by letter.")
        self.field = field


class Passport(msgspec.Struct, frozen=True, kw_only=True):
    """What a zone says. Check digits are right; that does not make the document genuine."""

    form: Form
    document: str
    """The document code: P, PD, ID, V, …"""
    issuer: str
    """Issuing state or organisation, as in the zone (D, GBR, UTO, …)."""
    number: str
    name: Name
    nationality: str
    birth: str
    """YYMMDD, with < where a part is not known."""
    sex: Literal["F", "M", "X"]
    """X: not stated."""
    expires: str
    """YYMMDD."""
    optional: str = ""


def read_mrz(text: str) -> Passport:
    """Reads a zone: lines of 30 (three), 36 or 44 letters (two), or the same letters in one run.

    Spaces are dropped and small letters raised. Raises MrzError for another shape, a strange letter, a wrong check
    digit or an impossible date; its message holds nothing of the zone but check digits.
    """
    lines = _lines(text)
    form = _SHAPES[len(lines), len(lines[0])][lines[0][0] == "V"]
    for number, line in enumerate(lines, 1):
        for place, letter in enumerate(line, 1):
            if letter not in _LETTERS:
                raise MrzError(
                    f"line {number} of the zone has a sign at place {place} that no zone may have: "
                    "only A to Z, 0 to 9 and < are allowed",
                    code="mrz-letter",
                )
    return _card(lines) if form == "TD1" else _booklet(lines, form)


def _lines(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise MrzError(f"a zone has at most 90 letters, this text has {len(text)}", code="mrz-shape")
    lines = ["".join(line.split()).upper().replace("«", "<<") for line in text.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) == 1:
        run = lines[0]
        for count, length in _SHAPES:
            if len(run) == count * length:
                lines = [run[at : at + length] for at in range(0, len(run), length)]
    if not lines:
        raise MrzError("the zone is empty", code="mrz-shape")
    if len({len(line) for line in lines}) != 1 or (len(lines), len(lines[0])) not in _SHAPES:
        raise MrzError(
            "the zone has lines of "
            + ", ".join(str(len(line)) for line in lines[:5])
            + " letters; a card has three of 30, a small document two of 36, a passport two of 44",
            code="mrz-shape",
        )
    return lines


def _digit(data: str) -> str:
    """The check digit of Doc 9303-3 section 4.9: weights 7, 3, 1, modulus 10."""
    return str(sum(_VALUES[letter] * (7, 3, 1)[place % 3] for place, letter in enumerate(data)) % 10)


def _check(data: str, given: str, field: str, *, blank: bool = False) -> None:
    wanted = _digit(data)
    if given == wanted or (blank and given == "<" and not data.strip("<")):
        return
    raise MrzError(
        f"the check digit of the {field} is {given}, and its letters give {wanted}: one of them was misread or altered",
        code="mrz-check-digit",
        field=field,
    )


def _plain(data: str) -> str:
    return data.strip("<").replace("<", " ")


def _date(data: str, field: str) -> str:
    """A date with its unknown parts as <; an impossible one raises."""
    year, month, day = data[:2], data[2:4], data[4:]
    for part, low, high in ((year, 0, 99), (month, 1, 12), (day, 1, 31)):
        if part == "<<":
            continue
        if not (part.isdigit() and low <= int(part) <= high):
            raise MrzError(
                f"the {field} is no date: the zone has six digits, year, month, day, and < for what is not known",
                code="mrz-date",
                field=field,
            )
    return data


def _sex(letter: str) -> Literal["F", "M", "X"]:
    if letter == "F":
        return "F"
    if letter == "M":
        return "M"
    if letter in "<X":
        return "X"
    raise MrzError("the sex in the zone is neither F, M nor <", code="mrz-sex", field="sex")


def _name(data: str) -> Name:
    """Surname, two fillers, given names; a last letter that is no filler says that names were cut (9303-3 4.6)."""
    surname, _, given = data.partition("<<")
    if surname.startswith("<"):
        surname = surname.lstrip("<")
    words = [word for word in surname.split("<") if word], [word for word in given.split("<") if word]
    if not any(words):
        raise MrzError("the zone has no name", code="mrz-name", field="name")
    if any(letter.isdigit() for letter in data):
        raise MrzError(
            "the name in the zone has a digit, which Doc 9303-3 4.6 forbids", code="mrz-name", field="name"
        )
    return Name(" ".join(words[0]), " ".join(words[1]), truncated=data[-1] != "<")


def _booklet(lines: list[str], form: Form) -> Passport:
    """Two lines: TD2, TD3 and both visas differ in length and in the last check digits alone."""
    upper, lower = lines
    optional = lower[28:42] if form == "TD3" else lower[28:35] if form == "TD2" else lower[28:]
    number = lower[:9]
    if form == "TD2" and lower[9] == "<" and optional.strip("<"):
        number, optional = _long_number(number, optional)
    else:
        _check(number, lower[9], "document number")
    _check(lower[13:19], lower[19], "birth date")
    _check(lower[21:27], lower[27], "expiry date")
    if form == "TD3":
        _check(lower[28:42], lower[42], "personal number", blank=True)
    if form in ("TD2", "TD3"):
        _check(lower[:10] + lower[13:20] + lower[21:-1], lower[-1], "whole zone")
    return Passport(
        form=form,
        document=_plain(upper[:2]),
        issuer=_plain(upper[2:5]),
        number=_plain(number),
        name=_name(upper[5:]),
        nationality=_plain(lower[10:13]),
        birth=_date(lower[13:19], "birth date"),
        sex=_sex(lower[20]),
        expires=_date(lower[21:27], "expiry date"),
        optional=_plain(optional),
    )


def _card(lines: list[str]) -> Passport:
    """Three lines: TD1."""
    first, second, third = lines
    number, optional = first[5:14], first[15:]
    if first[14] == "<" and optional.strip("<"):
        number, optional = _long_number(number, optional)
    else:
        _check(number, first[14], "document number")
    _check(second[:6], second[6], "birth date")
    _check(second[8:14], second[14], "expiry date")
    _check(first[5:] + second[:7] + second[8:15] + second[18:29], second[29], "whole zone")
    return Passport(
        form="TD1",
        document=_plain(first[:2]),
        issuer=_plain(first[2:5]),
        number=_plain(number),
        name=_name(third),
        nationality=_plain(second[15:18]),
        birth=_date(second[:6], "birth date"),
        sex=_sex(second[7]),
        expires=_date(second[8:14], "expiry date"),
        optional=" ".join(filter(None, (_plain(optional), _plain(second[18:29])))),
    )


def _long_number(start: str, optional: str) -> tuple[str, str]:
    """A number of more than nine letters goes on in the optional data, its check digit last (9303-5 4.2.2.1)."""
    rest, _, optional = optional.partition("<")
    _check(start + rest[:-1], rest[-1:], "document number")
    return start + rest[:-1], optional


def born(passport: Passport, *, at: datetime) -> str:
    """The birth date as YYYY-MM-DD, YYYY-MM or YYYY, or empty: the latest century that is not after `at`."""
    year, month, day = passport.birth[:2], passport.birth[2:4], passport.birth[4:]
    if year == "<<":
        return ""
    text = "-".join(part for part in (month, day) if part != "<<") if month != "<<" else ""
    century = at.year // 100 * 100
    full = f"{century + int(year)}" + (f"-{text}" if text else "")
    today = at.strftime("%Y-%m-%d")
    if full > today[: len(full)]:
        full = f"{century - 100 + int(year)}" + (f"-{text}" if text else "")
    return full


def same_birth(written: str, passport: Passport) -> bool | None:
    """A credential's birth date (YYYY-MM-DD or its beginning) against the zone's; None where a part is not known.

    The zone has two digits of the year: a century cannot differ.
    """
    parts = written.strip().split("-")
    if len(parts[0]) != 4 or not all(part.isdigit() for part in parts) or len(parts) > 3:
        return None
    ours = [parts[0][2:], *parts[1:], "00", "00"][:3]
    theirs = [passport.birth[at : at + 2] for at in (0, 2, 4)]
    unknown = False
    for one, other in zip(ours, theirs, strict=True):
        if other == "<<" or (one == "00" and other != "00" and one is not ours[0]):
            unknown = True
        elif one != other:
            return False
    return None if unknown else True
