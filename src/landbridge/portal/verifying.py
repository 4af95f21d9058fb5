"""/verify: somebody hands over a credential and meets a verdict; nothing of it is kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.proving import MOST, Desk
from landbridge.errors import CredentialError
from landbridge.members.member import Member
from landbridge.portal import papers, words
from landbridge.portal.forms import Unusable, read_form
from landbridge.portal.languages import Reader
from landbridge.portal.rendering import Site
from landbridge.prove import names
from landbridge.prove.envelope import Envelope
from landbridge.prove.facts import Outcome, Subject
from landbridge.prove.formats import dcc
from landbridge.prove.trust.list import Source
from landbridge.prove.verdict import Part, Verdict

_HEADERS: Final = {"Cache-Control": "no-store"}
_DAY = len("2026-11-25")
_DAYS: Final = frozenset({"date", "first_positive", "from", "until", "awarded"})


class Line(msgspec.Struct, frozen=True):
    """One of the four parts, in the reader's words."""

    question: str
    outcome: str
    sentence: str
    rests_on: str


class Shown(msgspec.Struct, frozen=True):
    """A verdict as its page shows it."""

    outcome: str
    kind: str
    lines: list[Line]
    said: list[tuple[str, str]]
    believed: bool
    issuer: str
    hint: str
    leniencies: tuple[str, ...]
    warnings: tuple[str, ...]
    steps: list[tuple[int, str, str, str]]
    claims: str
    passport: str
    """How the name fits the passport's: `yes`, `no`, `open`, or empty where none was given."""
    passport_words: str


def routes(site: Site, desk: Desk) -> list[Route]:
    """The form, and the verdict."""
    counter = _Counter(site, desk)
    return [
        *site.routes({"/verify": counter.show}),
        *site.routes({"/verify": counter.look}, methods=("POST",)),
    ]


class _Counter:
    def __init__(self, site: Site, desk: Desk) -> None:
        self.site = site
        self.desk = desk

    async def show(self, request: Request) -> Response:
        return self._form(request)

    async def look(self, request: Request) -> Response:
        reader = self.site.reader(request)
        lacking = reader.text("Please give a file, or paste what the code says.")
        try:
            fields, upload = await read_form(request, reader, most=MOST, lacking=lacking)
            data = upload[1] if upload else fields.get("text", "").encode()
            if not data.strip():
                raise Unusable(lacking)
            passport = _passport(fields.get("passport", ""), reader)
        except Unusable as error:
            return self._form(request, error.words, error.status)
        verdicts = await self.desk.examine(data)
        return self.site.page(
            request,
            "verdict.html",
            headers=_HEADERS,
            shown=[_show(one, passport, self.desk.instance.members, reader) for one in verdicts],
            at=datetime.now(UTC),
        )

    def _form(self, request: Request, wrong: str = "", status: int = 200) -> Response:
        sources = self.desk.instance.trust(None).issuers.sources
        newest = max((one.issued for one in sources if one.issued), default=None)
        return self.site.page(
            request,
            "verify.html",
            status,
            headers=_HEADERS,
            wrong=wrong,
            most=MOST,
            lists=len(sources),
            newest=newest,
            samples=_samples(self.desk.instance.settings.data / "samples", self.site.reader(request)),
        )


def _samples(folder: Path, reader: Reader) -> list[tuple[str, str]]:
    """The papers that a demo lays on the counter: what each is called, and its text."""
    names = {
        "1-test-result": reader.text("A test result"),
        "2-diploma": reader.text("A diploma"),
        "3-test-result-expired": reader.text("A test result that has expired"),
        "4-test-result-altered": reader.text("A test result that was altered"),
    }
    files = [(folder / f"{stem}.txt", title) for stem, title in names.items()]
    return [(title, file.read_text("utf-8")) for file, title in files if file.is_file()]


def _passport(text: str, reader: Reader) -> names.Passport | None:
    if not text.strip():
        return None
    try:
        return names.read_mrz(text)
    except CredentialError:
        raise Unusable(
            reader.text(
                "The lines of the passport could not be read. Type both as they are printed, with every <."
            )
        ) from None


def _show(
    verdict: Verdict, passport: names.Passport | None, members: dict[str, Member], reader: Reader
) -> Shown:
    text = reader.text
    questions = {
        "authentic": text("Authentic"),
        "in_time": text("In time"),
        "not_taken_back": text("Not taken back"),
        "entitled": text("From someone entitled to say this"),
    }
    envelope = verdict.envelope
    public = verdict.to_json()
    fits, words = _fits(verdict, passport, reader)
    return Shown(
        outcome=str(verdict.outcome),
        kind=papers.kinds(reader).get(envelope.content.kind, text("Document")) if envelope else "",
        lines=[
            Line(questions[name], str(part.outcome), text(part.sentence), _rests_on(part, reader))
            for name, part in verdict.parts.items()
        ],
        said=_said(envelope, members, reader) if envelope else [],
        believed=verdict.believed,
        issuer=public["issuer"]["name"] or public["issuer"]["id"],
        hint=text(verdict.hint) if verdict.hint else "",
        leniencies=verdict.leniencies,
        warnings=verdict.warnings,
        steps=[
            (one["number"], one["name"], one["outcome"], one["detail"] or one["code"])
            for one in public["steps"]
        ],
        claims=msgspec.json.format(msgspec.json.encode(public["claims"]), indent=2).decode()
        if envelope
        else "",
        passport=fits,
        passport_words=words,
    )


def _rests_on(part: Part, reader: Reader) -> str:
    fact = part.rests_on
    if isinstance(fact, datetime):
        return reader.moment(fact)
    if isinstance(fact, Source):
        return f"{fact.name}, {reader.date(fact.issued)}" if fact.issued else fact.name
    return fact


def _said(envelope: Envelope, members: dict[str, Member], reader: Reader) -> list[tuple[str, str]]:
    """What the credential says, in the reader's words; what is not there is left out."""
    text = reader.text
    subject = envelope.content.subject
    labels = papers.labels(reader) | {"number": text("Number"), "nationality": text("Nationality")}
    said = papers.results(reader) | papers.test_types(reader)
    found = [
        (text("Name"), " ".join(part for part in (subject.given_names, subject.surname) if part)),
        (text("Name as in a passport"), _zone(subject)),
        (text("Born"), reader.date(subject.born) if len(subject.born) == _DAY else subject.born),
    ]
    values = envelope.content.values
    for name in labels:
        value = values.get(name)
        if value in ("", None):
            continue
        written = str(value)
        if name == "country":
            written = words.country(written, members, reader)
        elif name == "sampled":
            written = _moment(written, reader)
        elif name in _DAYS and len(written) == _DAY:
            written = reader.date(written)
        elif known := dcc.name_of(written):
            written = f"{known} ({written})"
        found.append((labels[name], said.get(written, written)))
    for label, moment in (
        (text("Issued"), envelope.issued),
        (text("Ends"), envelope.valid_until),
    ):
        if moment:
            found.append((label, reader.moment(moment)))
    return [(label, value[:300]) for label, value in found if value]


def _moment(written: str, reader: Reader) -> str:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written
    return reader.moment(moment) if moment.tzinfo else written


def _zone(subject: Subject) -> str:
    parts = [part for part in (subject.surname_latin, subject.given_names_latin) if part]
    return "<<".join(parts)


def _fits(verdict: Verdict, passport: names.Passport | None, reader: Reader) -> tuple[str, str]:
    """Whether the credential is the passport holder's: the name scored, the birth date compared as far as known."""
    if passport is None or verdict.envelope is None:
        return "", ""
    subject = verdict.envelope.content.subject
    if not (subject.surname or subject.given_names or subject.surname_latin or subject.given_names_latin):
        return str(Outcome.OPEN), reader.text("It names nobody.")
    written = names.Name(subject.surname, subject.given_names)
    standard = names.Name(subject.surname_latin, subject.given_names_latin)
    match = names.compare(
        written,
        passport.name,
        standardised=standard if standard.surname or standard.given else None,
    )
    fits = match.score >= names.THRESHOLD
    born = names.same_birth(subject.born, passport) if subject.born else None
    if fits and born is not False:
        return str(Outcome.YES), reader.text("The name fits the passport.")
    if born is False:
        return str(Outcome.NO), reader.text("The date of birth is not the passport's.")
    return str(Outcome.NO), reader.text("The name does not fit the passport.")
