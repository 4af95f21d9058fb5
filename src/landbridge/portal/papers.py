"""What stands on a printed sheet, in the reader's language: the labels of a case, and its values as people write them."""

from collections.abc import Iterable, Mapping
from datetime import date

from landbridge.portal.languages import Reader
from landbridge.prove.issue import sheet
from landbridge.prove.issue.office import Issued

_NAMES = ("given_names", "surname")
_HIDDEN = (*_NAMES, "given_names_latin", "surname_latin")


def labels(reader: Reader) -> dict[str, str]:
    """The fields of a case, in the order they are asked for."""
    text = reader.text
    return {
        "surname": text("Surname"),
        "given_names": text("Given names"),
        "surname_latin": text("Surname as in the passport's lines"),
        "given_names_latin": text("Given names as in the passport's lines"),
        "born": text("Born"),
        "test_type": text("Kind of test"),
        "result": text("Result"),
        "sampled": text("Sample taken"),
        "name": text("Name of the test"),
        "device": text("Test device"),
        "centre": text("Test centre"),
        "vaccine": text("Vaccine"),
        "product": text("Product"),
        "maker": text("Maker"),
        "dose": text("Dose"),
        "doses": text("Of doses"),
        "date": text("Date"),
        "first_positive": text("First positive test"),
        "from": text("Valid from"),
        "until": text("Valid until"),
        "title": text("Title"),
        "field": text("Field"),
        "level": text("Level"),
        "awarded": text("Awarded"),
        "disease": text("Disease"),
        "country": text("Country"),
        "by": text("Issued by"),
        "id": text("Identifier"),
    }


def results(reader: Reader) -> dict[str, str]:
    return {"negative": reader.text("negative"), "positive": reader.text("positive")}


def test_types(reader: Reader) -> dict[str, str]:
    return {
        "naat": reader.text("Laboratory test (PCR and the like)"),
        "antigen": reader.text("Antigen test"),
    }


def kinds(reader: Reader) -> dict[str, str]:
    """What kinds of documents are called."""
    text = reader.text
    return {
        "test": text("Test result"),
        "vaccination": text("Vaccination"),
        "recovery": text("Recovery"),
        "qualification": text("Qualification"),
        "identity": text("Identity"),
        "licence": text("Driving licence"),
        "origin": text("Certificate of origin"),
        "health": text("Health certificate"),
    }


def card(case: Mapping[str, object], issued: Issued, by: str, reader: Reader) -> sheet.Card:
    """One person's place on a sheet."""
    said = {name: str(value) for name, value in case.items() if str(value).strip()}
    words = {**results(reader), **test_types(reader)}
    lines = []
    for name, label in labels(reader).items():
        if name not in said or name in _HIDDEN:
            continue
        value = said[name]
        if name in ("result", "test_type"):
            value = words.get(value, value)
        elif name == "country":
            value = reader.country(value)
        elif name == "sampled":
            value = f"{reader.date(value)}, {value[11:16]} {_zone(value)}"
        elif _is_day(value):
            value = reader.date(value)
        lines.append((label, value))
    lines.append((reader.text("Code valid until"), reader.date(issued.expires)))
    if "by" not in said:
        lines.append((reader.text("Issued by"), by))
    names = [said[part] for part in _NAMES if part in said]
    latin = [said[f"{part}_latin"].replace("<", " ") for part in _NAMES if f"{part}_latin" in said]
    return sheet.Card(heading=" ".join(names or latin), code=issued.code, lines=tuple(lines))


def render(cards: Iterable[sheet.Card], *, paper: str, title: str, reader: Reader) -> str:
    """The sheet as HTML. Raises `qr.CannotBeCoded` for a credential that fits no code."""
    return sheet.render(
        cards,
        paper=paper,
        language=reader.language,
        direction=reader.dir,
        title=title,
        note=reader.text("This paper proves nothing by itself: check the code."),
        code_title=reader.text("Code to be checked"),
    )


def _zone(moment: str) -> str:
    return f"UTC{moment[-6:]}" if moment[-6:-5] in ("+", "-") else "UTC"


def _is_day(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False
