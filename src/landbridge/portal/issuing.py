"""/issue: officers of an issuing office sign in, fill in a form, and hand over a code or a sheet; nothing is kept.

Who signs in shows the office's token. The session is a signed cookie, HttpOnly and SameSite=Strict, whose key is made
from the token's hash: a new token ends every session. What was issued for one sheet is in the page's own form until it
is printed.
"""

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from landbridge.api.issuing import Bureau, NoKeys, NoToken, Wait
from landbridge.errors import CredentialError, NotFound, UsageError
from landbridge.portal import papers
from landbridge.portal.languages import Reader
from landbridge.portal.login import NotAllowed
from landbridge.portal.rendering import HEADERS, Page, Site
from landbridge.prove.issue import documents, sheet
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.office import Issued, Office, is_office_name, read_token_hash
from landbridge.prove.qr import CannotBeCoded

COOKIE: Final = "issuing"
_LASTS: Final = 8 * 3_600
_MOST_FORM: Final = 262_144  # bytes: a sheet of several persons travels in it
_MOST_FIELDS: Final = 60
_MOST_CARDS: Final = 20
_HEADERS: Final = {"Cache-Control": "no-store"}
_FORMATS: Final = {
    "hcert": "EU / WHO",
    "shc": "SMART Health Card",
    "sd-jwt-vc": "SD-JWT VC",
    "jwt-vc": "W3C / Open Badge",
}


class Session(msgspec.Struct, frozen=True):
    """An officer of an office, until when (seconds of the epoch)."""

    office: str
    until: float
    number: str


class Field(msgspec.Struct, frozen=True):
    """One line of a form."""

    name: str
    label: str
    type: str
    required: bool
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    """Whether nothing but the choices will do."""


class _SignIn(Exception):
    pass


def routes(site: Site, bureau: Bureau, *, clock: Callable[[], float] = time.time) -> list[Route]:
    """The way in, the forms, the sheet, and taking back."""
    counter = _Counter(site, bureau, clock)
    shown: dict[str, Page] = {"/issue": counter.show, "/issue/{kind}": counter.form}
    done: dict[str, Page] = {
        "/issue": counter.enter,
        "/issue/leave": counter.leave,
        "/issue/sheet": counter.print_sheet,
        "/issue/back": counter.take_back,
        "/issue/{kind}": counter.sign,
    }
    return [
        *site.routes({path: counter.guarded(page) for path, page in shown.items()}),
        *site.routes({path: counter.guarded(page) for path, page in done.items()}, methods=("POST",)),
    ]


class _Counter:
    def __init__(self, site: Site, bureau: Bureau, clock: Callable[[], float]) -> None:
        self.site = site
        self.bureau = bureau
        self.clock = clock

    def guarded(self, page: Page) -> Page:
        """The page; who is not signed in is sent to the way in."""

        async def answering(request: Request) -> Response:
            try:
                return await page(request)
            except _SignIn:
                return RedirectResponse(self.site.prefix(request) + "/issue", 303, _HEADERS)
            except NoKeys:
                reader = self.site.reader(request)
                return self._way_in(
                    request,
                    503,
                    wrong=reader.text(
                        "The keys of this office are not open on this server. Ask its operator."
                    ),
                )

        return answering

    # signing in and out

    async def show(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return self._way_in(request)
        return self._desk(request, session)

    async def enter(self, request: Request) -> Response:
        reader, form = self.site.reader(request), await _read(request)
        name, host = form.get("office", "").strip(), request.client.host if request.client else ""
        try:
            self.bureau.admit(name, form.get("token", "").strip(), host)
        except NoToken:
            words = reader.text("This is not the name and token of an office here.")
            return self._way_in(request, 403, wrong=words, office=name[:60])
        except Wait as wait:
            words = reader.text("Too many wrong tokens. Wait {n} seconds.", n=reader.number(wait.seconds))
            return self._way_in(request, 429, wrong=words, headers={"Retry-After": str(wait.seconds)})
        session = Session(name, self.clock() + _LASTS, secrets.token_urlsafe(16))
        response = RedirectResponse(self.site.prefix(request) + "/issue", 303, _HEADERS)
        response.set_cookie(
            COOKIE,
            self._seal(session),
            max_age=_LASTS,
            path="/",
            httponly=True,
            secure=self.site.base(request).startswith("https:"),
            samesite="strict",
        )
        return response

    async def leave(self, request: Request) -> Response:
        await self._act(request)
        response = RedirectResponse(self.site.prefix(request) + "/issue", 303, _HEADERS)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response

    def _session(self, request: Request) -> Session | None:
        body, _, mark = request.cookies.get(COOKIE, "").rpartition(".")
        try:
            sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            session = msgspec.json.decode(sealed, type=Session)
        except (ValueError, msgspec.DecodeError):
            return None
        if not is_office_name(session.office) or session.until < self.clock():
            return None
        good = self._mark(session.office, "session", body)
        return session if good and hmac.compare_digest(mark.encode(), good.encode()) else None

    def _seal(self, session: Session) -> str:
        body = base64.urlsafe_b64encode(msgspec.json.encode(session)).decode().rstrip("=")
        return f"{body}.{self._mark(session.office, 'session', body)}"

    def _mark(self, office: str, purpose: str, text: str) -> str:
        """Empty where the office has no token."""
        key = read_token_hash(self.bureau.folder / office)
        return hmac.new(key.encode(), f"{purpose} {text}".encode(), "sha256").hexdigest() if key else ""

    def _require(self, request: Request) -> Session:
        session = self._session(request)
        if session is None:
            raise _SignIn
        return session

    async def _act(self, request: Request) -> tuple[Session, dict[str, str]]:
        """Who acts, and their form. Raises NotAllowed for a form that is not of a page of this session."""
        session, form = self._require(request), await _read(request)
        expected = self._mark(session.office, "form", session.number)
        if not hmac.compare_digest(form.get("form", "").encode(), expected.encode()):
            raise NotAllowed("this form is not from a page of yours", hint="open the page again")
        return session, form

    # what there is to do

    async def form(self, request: Request) -> Response:
        session = self._require(request)
        office = self.bureau.office(session.office)
        return self._form(request, session, office, _kind(request, office), {}, [])

    async def sign(self, request: Request) -> Response:
        """Signs what the form says; what is wrong is said above it, and nothing that was typed is lost."""
        session, form = await self._act(request)
        reader, office = self.site.reader(request), self.bureau.office(session.office)
        kind, cards = _kind(request, office), _cards(form)
        if form.get("again"):
            return self._form(request, session, office, kind, {"format": form.get("format", "")}, cards)
        case = _case(form, kind)
        try:
            days = int(form["days"]) if form.get("days", "").strip() else None
        except ValueError:
            days = 0
        try:
            issued: Issued = await self.bureau.run(
                lambda: office.issue(form.get("format", ""), kind, case, at=datetime.now(UTC), days=days)
            )
        except CredentialError as wrong:
            return self._form(request, session, office, kind, form, cards, wrong)
        card = papers.card(case, issued, office.profile.title, reader)
        try:
            drawn = sheet.svg(issued.code, title=reader.text("Code to be checked"))
            cards = [*cards, card][-_MOST_CARDS:]
        except CannotBeCoded:
            drawn = ""
        return self._page(
            request,
            "issued.html",
            session,
            kind=kind,
            office=office.profile,
            issued=issued,
            card=card,
            drawn=drawn,
            cards=len(cards),
            sheet=_packed(cards),
            format=form.get("format", ""),
        )

    async def print_sheet(self, request: Request) -> Response:
        """The sheet to print: a page of its own, whose style its policy names."""
        session, form = await self._act(request)
        reader, paper, cards = self.site.reader(request), form.get("paper", "a4"), _cards(form)
        if paper not in sheet.PAPERS or not cards:
            raise UsageError("there is nothing to print on this paper", parameter="paper")
        title = self.bureau.office(session.office, signs=False).profile.title
        try:
            text = papers.render(cards, paper=paper, title=title, reader=reader)
        except CannotBeCoded:
            raise UsageError("a code on this sheet is too long", parameter="sheet") from None
        policy = HEADERS["Content-Security-Policy"].replace(
            "style-src 'self'", f"style-src {sheet.style_hash(paper)}"
        )
        headers = {**HEADERS, **_HEADERS, "Content-Security-Policy": policy}
        return Response(text, 200, headers, "text/html")

    async def take_back(self, request: Request) -> Response:
        session, form = await self._act(request)
        reader, number = self.site.reader(request), form.get("place", "").strip()
        value = form.get("status", "")
        office = self.bureau.office(session.office, signs=False)
        if not number.isascii() or not number.isdigit() or len(number) > 10:
            return self._desk(request, session, 400, wrong=reader.text("The number is missing, or is none."))
        try:
            await self.bureau.run(lambda: office.take_back(int(number), at=datetime.now(UTC), value=value))
        except NotIssued:
            words = reader.text("Number {n} was never given out here, or was taken back for good.", n=number)
            return self._desk(request, session, 422, wrong=words)
        said = {
            "invalid": reader.text("Number {n} is taken back. Others learn it with the next list.", n=number),
            "suspended": reader.text(
                "Number {n} is suspended. Others learn it with the next list.", n=number
            ),
            "valid": reader.text("Number {n} is valid again. Others learn it with the next list.", n=number),
        }
        return self._desk(request, session, said=said[value])

    # pages

    def _way_in(
        self, request: Request, status: int = 200, *, wrong: str = "", office: str = "", **more: Any
    ) -> Response:
        headers = {**_HEADERS, **more.get("headers", {})}
        return self.site.page(
            request, "issue_enter.html", status, headers=headers, wrong=wrong, office=office
        )

    def _desk(
        self, request: Request, session: Session, status: int = 200, *, wrong: str = "", said: str = ""
    ) -> Response:
        office, reader = self.bureau.office(session.office, signs=False), self.site.reader(request)
        kinds = [
            (name, label) for name, label in papers.kinds(reader).items() if name in office.profile.kinds
        ]
        return self._page(
            request,
            "issue.html",
            session,
            status=status,
            office=office.profile,
            kinds=kinds,
            wrong=wrong,
            said=said,
        )

    def _form(
        self,
        request: Request,
        session: Session,
        office: Office,
        kind: str,
        given: dict[str, str],
        cards: list[sheet.Card],
        wrong: CredentialError | None = None,
    ) -> Response:
        reader = self.site.reader(request)
        choices = [(name, _FORMATS[name]) for name, kinds in documents.FORMATS.items() if kind in kinds]
        field = wrong.field if isinstance(wrong, NotIssued) else ""
        return self._page(
            request,
            "issue_form.html",
            session,
            status=422 if wrong else 200,
            office=office.profile,
            kind=kind,
            title=papers.kinds(reader)[kind],
            formats=choices,
            format=given.get("format", choices[0][0]),
            fields=_fields(kind, given, reader),
            days=given.get("days", ""),
            zone=given.get("zone", "+00:00"),
            zones=_ZONES,
            wrong=str(wrong) if wrong else "",
            hint=wrong.hint if wrong else "",
            field=field,
            label=papers.labels(reader).get(field, ""),
            cards=len(cards),
            sheet=_packed(cards),
        )

    def _page(
        self, request: Request, template: str, session: Session, *, status: int = 200, **values: Any
    ) -> Response:
        return self.site.page(
            request,
            template,
            status,
            headers=_HEADERS,
            session=session,
            form_token=self._mark(session.office, "form", session.number),
            **values,
        )


_ZONES: Final = tuple(
    f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    for minutes in sorted(
        {*range(-720, 841, 60), -570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765}
    )
)
"""Every offset from UTC that a country keeps."""


def _kind(request: Request, office: Office) -> str:
    kind = str(request.path_params["kind"])
    if kind not in office.profile.kinds:
        raise NotFound("this office issues nothing of this kind")
    return kind


def _fields(kind: str, given: dict[str, str], reader: Reader) -> list[Field]:
    labels = papers.labels(reader)
    must = (*documents.required("hcert" if kind != "qualification" else "jwt-vc", kind), "surname")
    if kind == "vaccination":
        must = ("born", "vaccine", "date", "surname")  # a health card has no more
    choices = {
        "test_type": tuple(papers.test_types(reader).items()),
        "result": tuple(papers.results(reader).items()),
        "vaccine": documents.named_codes("vaccines"),
        "product": documents.named_codes("products"),
        "maker": documents.named_codes("makers"),
        "device": documents.named_codes("devices"),
    }
    types = {"sampled": "datetime-local", "dose": "number", "doses": "number"}
    types |= dict.fromkeys(("born", "date", "first_positive", "from", "until", "awarded"), "date")
    left_out = ("disease", "country", "by", "id")
    return [
        Field(
            name=name,
            label=labels[name],
            type=types.get(name, "text"),
            required=name in must,
            value=given.get(name, ""),
            choices=choices.get(name, ()),
            strict=name in ("test_type", "result"),
        )
        for name in (*documents.PERSON, *documents.FIELDS[kind])
        if name not in left_out
    ]


def _case(form: dict[str, str], kind: str) -> dict[str, str]:
    case = {
        name: form[name].strip()
        for name in (*documents.PERSON, *documents.FIELDS[kind])
        if form.get(name, "").strip()
    }
    if "sampled" in case and form.get("zone") in _ZONES and len(case["sampled"]) <= 19:
        case["sampled"] += form["zone"]
    return case


def _packed(cards: list[sheet.Card]) -> str:
    return msgspec.json.encode(cards).decode()


def _cards(form: dict[str, str]) -> list[sheet.Card]:
    """The persons already on the sheet, as the page's form brought them back."""
    try:
        found = msgspec.json.decode(form.get("sheet") or "[]", type=list[sheet.Card])
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise UsageError("the sheet cannot be read", parameter="sheet") from None
    return found[:_MOST_CARDS]


async def _read(request: Request) -> dict[str, str]:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_FORM:
            raise UsageError("the form is too large", parameter="body", hint="print the sheet, begin another")
    try:
        return dict(
            parse_qsl(
                body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
            )
        )
    except ValueError:
        raise UsageError("this is no form of ours", parameter="body") from None
