"""The pages of an operator and what their buttons do."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from landbridge.api.requests import given
from landbridge.errors import ConfigError, NotFound, StorageError, UsageError
from landbridge.find.harvest import replay_quarantine
from landbridge.find.journal import moment
from landbridge.find.source import Source
from landbridge.members.member import read_member
from landbridge.portal import audit, oidc
from landbridge.portal.login import Door, NotAllowed, Role, Session, SignIn
from landbridge.portal.operate import questions
from landbridge.portal.rendering import Page, Site

BACKUP: Final = "backup.json"
_FORM_FIELDS = 20
_LONGEST_FORM = 2**14
_SHOWN = 4_000  # characters of a row
_HEADERS: Final = {"Cache-Control": "no-store"}
_DONE: Final = {
    "released": "The run was released. Records removed: {n}.",
    "discarded": "The run was discarded. Nothing was removed.",
    "replayed": "The rows were tried again. Understood: {n}. Still waiting: {left}.",
    "closed": "The incident is closed.",
    "behind": "It is done; the index could not follow yet and does so at the next harvest.",
}
_FIXES: Final = {
    "unmapped-field": "Map it under [map], or name it in ignore.",
    "unknown-value": 'Add their word under [values.{field}]: "their word" = "ours".',
    "missing-field": "A required value is not there: map it from another of their fields, or let the row wait.",
    "bad-value": "The value cannot be read: is {field} mapped from the right field, and is its format named?",
}


def routes(site: Site, door: Door | None = None) -> list[Route]:
    """Every operator's page, and every action."""
    desk = _Desk(site, door or Door(site.instance.settings.data))
    shown: dict[str, Page] = {
        "/operate": desk.overview,
        "/operate/login": desk.login,
        "/operate/oidc": desk.ask_provider,
        "/operate/back": desk.come_back,
        "/operate/sources/{member}/{name}": desk.source,
        "/operate/held": desk.held,
        "/operate/quarantine": desk.quarantine,
        "/operate/quarantine/group": desk.group,
        "/operate/incidents": desk.incidents,
        "/operate/audit": desk.audit,
    }
    done: dict[str, Page] = {
        "/operate/login": desk.enter,
        "/operate/logout": desk.leave,
        "/operate/held/{member}/{name}/{run:int}": desk.answer_held,
        "/operate/quarantine/replay": desk.replay,
        "/operate/incidents/{number:int}/close": desk.close_incident,
    }
    return [
        *site.routes({path: desk.open_to_signed_in(page) for path, page in shown.items()}),
        *site.routes({path: desk.open_to_signed_in(page) for path, page in done.items()}, methods=("POST",)),
    ]


def note_backup(data: Path, file: Path) -> None:
    """Remembers when a backup was made and where it went, for the overview."""
    (data / BACKUP).write_bytes(msgspec.json.encode({"at": datetime.now(UTC), "file": str(file)}))


class _Desk:
    def __init__(self, site: Site, door: Door) -> None:
        self.site = site
        self.door = door
        self.instance = site.instance
        self.data = door.data

    def open_to_signed_in(self, page: Page) -> Page:
        """The page; who is not signed in is sent to the way in, who may not do it is told so."""

        async def guarded(request: Request) -> Response:
            try:
                return await page(request)
            except SignIn:
                return self._go(request, "/operate/login")

        return guarded

    # signing in and out

    async def login(self, request: Request) -> Response:
        if self.door.session(request) is not None:
            return self._go(request, "/operate")
        await run_in_threadpool(lambda: self.door.token)
        return self._login(request)

    async def enter(self, request: Request) -> Response:
        host = request.client.host if request.client else ""
        form = await _form(request)
        if wait := self.door.wait(host):
            return self._login(
                request,
                429,
                wrong="Too many wrong tokens.",
                wait=int(wait) + 1,
                headers={"Retry-After": str(int(wait) + 1)},
            )
        session = self.door.try_token(form.get("token", "").strip(), host)
        if session is None:
            await self._note("unknown", "sign in", host, "refused: wrong token")
            return self._login(request, 403, wrong="This is not the operator's token.")
        await self._note(session.who, "sign in", host, "done")
        response = self._go(request, "/operate")
        self.door.enter(response, session, secure=self._secure(request))
        return response

    async def ask_provider(self, request: Request) -> Response:
        if self.door.provider is None:
            raise NotFound("no provider to sign in with", hint="LANDBRIDGE_OIDC_ISSUER names one")
        address, asked = await oidc.ask(self.door.provider, self._back(request))
        response = RedirectResponse(address, 303, _HEADERS)
        self.door.remember(response, asked, secure=self._secure(request))
        return response

    async def come_back(self, request: Request) -> Response:
        """Where a provider sends somebody. The session begins with a page of ours: behind a redirect from
        another site, the browser would not send the strict cookie."""
        asked = self.door.asked(request)
        if self.door.provider is None or asked is None:
            raise oidc.SignInRefused("this sign-in was not begun here", hint="begin again at /operate/login")
        came = {name: values[-1] for name, values in given(request).items()}
        try:
            who, roles = await oidc.believe(
                self.door.provider, asked, came, self._back(request), at=self.door.clock()
            )
            role: Role | None = "operator" if "operator" in roles else "viewer" if "viewer" in roles else None
            if role is None:
                raise oidc.SignInRefused("no role here", hint="the provider must say operator or viewer")
        except oidc.SignInRefused as error:
            await self._note("unknown", "sign in", self.door.provider.issuer, f"refused: {error}")
            response = self._page(request, "login.html", 403, **self._ways(wrong=f"{error}. {error.hint}"))
            self.door.forget(response)
            return response
        session = self.door.open(who, role)
        await self._note(who, "sign in", self.door.provider.issuer, f"done, as {role}")
        response = self._page(request, "welcome.html", role=role)
        self.door.forget(response)
        self.door.enter(response, session, secure=self._secure(request))
        return response

    async def leave(self, request: Request) -> Response:
        session, _ = await self._act(request, "viewer")
        response = self._go(request, "/operate/login")
        self.door.leave(response, session)
        await self._note(session.who, "sign out", "", "done")
        return response

    def _login(self, request: Request, status: int = 200, **more: Any) -> Response:
        headers = more.pop("headers", {})
        return self._page(request, "login.html", status, headers=headers, **self._ways(**more))

    def _ways(self, *, wrong: str = "", wait: int = 0) -> dict[str, Any]:
        return {"provider": self.door.provider is not None, "wrong": wrong, "wait": wait}

    def _back(self, request: Request) -> str:
        return self.site.base(request) + "/operate/back"

    def _secure(self, request: Request) -> bool:
        return self.site.base(request).startswith("https:")

    # what there is to see

    async def overview(self, request: Request) -> Response:
        session = self.door.require(request)
        return self._page(
            request, "overview.html", session=session, **await run_in_threadpool(self._overview)
        )

    def _overview(self) -> dict[str, Any]:
        journal, members = self.instance.journal, self.instance.members
        waiting = questions.quarantined(journal)
        known = {s.name: s for s in journal.states()}
        rows = []
        for member in members.values():
            for source in member.sources.values():
                rows.append(
                    (member, source.id, source.title, known.get(source.id), waiting.get(source.id, 0))
                )
            for name, why in member.broken.items():
                rows.append((member, f"{member.id}/{name}", why, None, 0))
        lags = []
        for member_id, kind in journal.parts():
            if kind not in self.instance.kinds:
                continue
            try:
                index = self.instance.index(member_id, kind)
                count = questions.behind(journal, member_id, kind, index.last_seq)
                lags.append((member_id, kind, count, index.outdated))
            except (OSError, ValueError, ConfigError) as error:
                lags.append((member_id, kind, 0, str(error)))
        backup = self.data / BACKUP
        return {
            "rows": rows,
            "lags": lags,
            "moment": moment,
            "incidents": journal.incidents(),
            "held": len(questions.held(journal)),
            "waiting": sum(waiting.values()),
            "free": shutil.disk_usage(self.data).free,
            "backup": msgspec.json.decode(backup.read_bytes()) if backup.exists() else None,
            "rates": (self.instance.rates.date("USD"), self.instance.rates.source("USD")),
        }

    async def source(self, request: Request) -> Response:
        session = self.door.require(request)
        source = self._named(request)
        journal = self.instance.journal
        state = next((s for s in journal.states() if s.name == source.id), None)
        return self._page(
            request,
            "source.html",
            session=session,
            source=source,
            state=state,
            moment=moment,
            runs=journal.runs(source.id, limit=50) if state else [],
            incidents=journal.incidents(source.id, open_only=False)[::-1][:50],
        )

    async def held(self, request: Request) -> Response:
        session = self.door.require(request)
        found = await run_in_threadpool(questions.held, self.instance.journal)
        return self._page(request, "held.html", session=session, held=found, moment=moment)

    async def quarantine(self, request: Request) -> Response:
        session = self.door.require(request)
        found = await run_in_threadpool(questions.groups, self.instance.journal)
        links = [
            "/operate/quarantine/group?" + urlencode({"source": g.source, "code": g.code, "field": g.field})
            for g in found
        ]
        return self._page(
            request, "quarantine.html", session=session, groups=list(zip(found, links, strict=True))
        )

    async def group(self, request: Request) -> Response:
        """One group: its rows as they came, what to write where, and the button that tries them again."""
        session = self.door.require(request)
        asked = {name: values[-1] for name, values in given(request).items()}
        source, code, field = (asked.get(name, "") for name in ("source", "code", "field"))
        found = [
            g
            for g in questions.groups(self.instance.journal)
            if (g.source, g.code, g.field) == (source, code, field)
        ]
        if not found:
            raise NotFound("nothing waits under this reason", hint="it may have been understood by now")
        rows = questions.waiting(self.instance.journal, source, code, field, limit=5)
        member, _, name = source.partition("/")
        own = self.instance.members.get(member)
        about = own.sources.get(name) if own else None
        personal = about is None or self.instance.kinds[about.kind].personal
        return self._page(
            request,
            "group.html",
            session=session,
            group=found[0],
            rows=[(r, _pretty(r.raw)) for r in rows],
            hidden=personal and session.role != "operator",
            fix=_FIXES.get(code, "").format(field=field or "…"),
            file=f"members/{member}/shares/{name}.toml",
            moment=moment,
        )

    async def incidents(self, request: Request) -> Response:
        session = self.door.require(request)
        return self._page(
            request,
            "incidents.html",
            session=session,
            incidents=self.instance.journal.incidents(),
            moment=moment,
        )

    async def audit(self, request: Request) -> Response:
        session = self.door.require(request)
        chain = await run_in_threadpool(audit.verify, self.data)
        shown = await run_in_threadpool(audit.entries, self.data)
        return self._page(request, "audit.html", session=session, chain=chain, entries=shown)

    # what there is to do

    async def answer_held(self, request: Request) -> Response:
        session, form = await self._act(request)
        source, run = self._named(request).id, int(request.path_params["run"])
        journal = self.instance.journal
        answer = form.get("answer")
        if answer not in ("release", "discard"):
            raise UsageError(f"answer={answer!r} is neither release nor discard", parameter="answer")
        removed = 0

        def act() -> str:
            nonlocal removed
            expected = questions.would_remove(journal, source, run).count
            if answer == "discard":
                questions.discard(journal, source, run)
            else:
                if form.get("count") != str(expected):
                    raise NotAllowed(
                        f"it would now remove {expected:,} records, not what the page showed",
                        hint="look again",
                    )
                removed = journal.release(run)
            others = {i.code for i in journal.incidents(source)} - {"held"}
            journal.close_incidents(source, but=others)
            return f"{removed} removed"

        await self._audited(session, f"{answer} run", f"{source} {run}", act)
        code = "released" if answer == "release" else "discarded"
        return await self._followed(request, source, "/operate/held", done=code, n=removed)

    async def replay(self, request: Request) -> Response:
        session, form = await self._act(request)
        source, code, field = (form.get(name, "") for name in ("source", "code", "field"))
        journal = self.instance.journal
        healed = left = 0

        def act() -> str:
            nonlocal healed, left
            rows = questions.waiting(journal, source, code, field)
            if not rows:
                raise NotFound("nothing waits under this reason", hint="it may have been understood by now")
            current = self._reread(source)
            done = replay_quarantine(rows, current, journal=journal, kind=self.instance.kinds[current.kind])
            if done.state == "failed":
                raise NotAllowed(f"{source}: {done.why}", hint="try again when it is done")
            healed, left = len(rows) - done.quarantined, done.quarantined
            return f"{healed} understood, {left} not"

        await self._audited(session, "replay quarantine", f"{source} {code} {field}", act)
        return await self._followed(
            request, source, "/operate/quarantine", done="replayed", n=healed, left=left
        )

    async def close_incident(self, request: Request) -> Response:
        session, _ = await self._act(request)
        number = int(request.path_params["number"])

        def act() -> str:
            closed = questions.close_incident(self.instance.journal, number)
            return f"{closed.source}: {closed.code} closed"

        await self._audited(session, "close incident", str(number), act)
        return self._go(request, "/operate/incidents", done="closed")

    async def _act(self, request: Request, role: Role = "operator") -> tuple[Session, dict[str, str]]:
        """Who acts, and their form, checked. Raises SignIn or NotAllowed."""
        session = self.door.require(request, role)
        form = await _form(request)
        self.door.check_form(session, form.get("form"))
        return session, form

    async def _audited(self, session: Session, what: str, on: str, act: Callable[[], str]) -> None:
        await run_in_threadpool(audit.audited, self.data, who=session.who, what=what, on=on, act=act)

    async def _note(self, who: str, what: str, on: str, outcome: str) -> None:
        await run_in_threadpool(audit.append, self.data, who=who, what=what, on=on, outcome=outcome)

    async def _followed(self, request: Request, source: str, path: str, **done: Any) -> Response:
        """Brings the index up to what was done, then shows the page."""
        found = self.instance.source(source)
        try:
            await run_in_threadpool(self.instance.follow, [(found.member, found.kind)])
        except (StorageError, ConfigError, OSError, ValueError):
            return self._go(request, path, done="behind")
        return self._go(request, path, **done)

    def _named(self, request: Request) -> Source:
        return self.instance.source(f"{request.path_params['member']}/{request.path_params['name']}")

    def _reread(self, name: str) -> Source:
        """The source as its file says now: somebody has just mended it. Raises LandbridgeError."""
        member, _, short = name.partition("/")
        own = self.instance.members.get(member)
        if own is None or own.folder is None:
            raise NotFound(f"no source {name!r}")
        fresh = read_member(own.folder, self.instance.kinds)
        if short not in fresh.sources:
            raise NotAllowed(
                fresh.broken.get(short, f"{name} has no file any more"),
                hint="landbridge member test says more",
            )
        return fresh.sources[short]

    def _go(self, request: Request, path: str, **done: Any) -> RedirectResponse:
        query = f"?{urlencode(done)}" if done else ""
        return RedirectResponse(self.site.prefix(request) + path + query, 303, _HEADERS)

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        session = values.get("session")
        return self.site.page(
            request,
            f"operate/{template}",
            status,
            headers={**_HEADERS, **values.pop("headers", {})},
            **{"session": None, **values},
            form_token=self.door.form_token(session) if session else "",
            said=_said(request),
        )


def _said(request: Request) -> str:
    """What the last action did; of the address only a known word and numbers are believed."""
    asked = request.query_params
    numbers = {name: asked.get(name, "0") for name in ("n", "left")}
    if not all(value.isascii() and value.isdigit() and len(value) < 12 for value in numbers.values()):
        return ""
    return _DONE.get(asked.get("done", ""), "").format(**{k: f"{int(v):,}" for k, v in numbers.items()})


async def _form(request: Request) -> dict[str, str]:
    """A small form; of a field that comes twice, the last. Raises UsageError for anything else."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST_FORM:
            raise UsageError("this form is too long", hint="the forms of these pages are short")
    try:
        return dict(
            parse_qsl(
                body.decode("ascii"), keep_blank_values=True, max_num_fields=_FORM_FIELDS, errors="strict"
            )
        )
    except ValueError as error:
        raise UsageError(
            "this form cannot be read", hint="application/x-www-form-urlencoded in UTF-8"
        ) from error


def _pretty(raw: bytes) -> str:
    try:
        text = msgspec.json.format(raw, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = raw.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
