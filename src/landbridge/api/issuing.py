"""Issuing under `/api/v1`: an office's own systems have credentials signed and taken back. Nothing personal is kept.

Who asks shows the office's token (RFC 6750); its hash alone is on the disk. The keys are opened with the passphrase in
the server's environment: a server without it signs nothing.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.problems import OURS, problem, problem_of
from landbridge.api.requests import Endpoint, guarded
from landbridge.errors import CredentialError, LandbridgeError, UsageError
from landbridge.prove.issue import sheet
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.keys import KeyUnusable
from landbridge.prove.issue.office import Issued, Office, is_office_name, knows_token
from landbridge.prove.qr import CannotBeCoded

PATH: Final = "/api/v1/issue"
PASSPHRASE: Final = "LANDBRIDGE_ISSUE_PASSPHRASE"  # noqa: S105 the name of the setting
_MOST = 65_536  # bytes of a request
_FREE, _WAIT, _LONGEST_WAIT, _MOST_HOSTS = 5, 30.0, 900.0, 10_000
_HEADERS: Final = {"Cache-Control": "no-store"}
_T = TypeVar("_T")


class NoToken(LandbridgeError):
    """Whoever asks has not shown the token of this office."""

    status = 401


class Wait(LandbridgeError):
    """Too many wrong tokens came from this address; `seconds` until one is looked at again."""

    status = 429

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong tokens", hint="Wait, and check the token.")
        self.seconds = math.ceil(seconds)


class NoKeys(LandbridgeError):
    """This server cannot open the keys."""

    status = 503


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/issue`."""

    office: str
    format: str
    kind: str
    case: dict[str, str | int]
    days: int | None = None
    conceal: tuple[str, ...] | None = None
    holder: dict[str, Any] | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/v1/issue/status`."""

    office: str
    place: int
    status: str = "invalid"


class Bureau:
    """The offices of an instance, as far as its server may open them."""

    def __init__(
        self, data: Path, env: Mapping[str, str] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = data / "offices"
        self._env = os.environ if env is None else env
        self._clock = clock
        self._open: dict[str, tuple[float, Office]] = {}
        self._failed: dict[str, tuple[int, float]] = {}
        self._limiter: CapacityLimiter | None = None

    async def run(self, act: Callable[[], _T]) -> _T:
        """Beside the event loop: a signature waits for the disk."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(4)
        return await to_thread.run_sync(act, limiter=self._limiter)

    def admit(self, name: str, token: str, host: str) -> None:
        """Raises NoToken where the token is not the office's, or there is no such office; Wait after several."""
        count, until = self._failed.get(host, (0, 0.0))
        if (left := until - self._clock()) > 0:
            raise Wait(left)
        known = is_office_name(name)
        if knows_token(self.folder / (name if known else "-"), token) and known:
            self._failed.pop(host, None)
            return
        count += 1
        pause = min(_WAIT * 2.0 ** min(count - _FREE, 10), _LONGEST_WAIT) if count >= _FREE else 0.0
        self._failed.pop(host, None)
        self._failed[host] = (count, self._clock() + pause)
        if len(self._failed) > _MOST_HOSTS:
            del self._failed[next(iter(self._failed))]
        raise NoToken(
            "this is not the token of an office here", hint="`landbridge issue token` makes a new one."
        )

    def office(self, name: str, *, signs: bool = True) -> Office:
        """An office whose token was shown. Raises NoKeys where it cannot sign, and should."""
        passphrase = self._env.get(PASSPHRASE, "")
        if signs and not passphrase:
            raise NoKeys(
                "this server has no keys open",
                hint=f"Its operator sets {PASSPHRASE}, and starts it again.",
            )
        folder = self.folder / name
        changed = (folder / "office.toml").stat().st_mtime
        kept = self._open.get(name)
        if kept is None or kept[0] != changed:
            kept = self._open[name] = (changed, Office(folder, passphrase))
        if signs:
            try:
                kept[1].signing  # noqa: B018 opened here, so that a wrong passphrase is told from a wrong case
            except KeyUnusable:
                raise NoKeys(
                    "the keys of this office do not open here",
                    hint=f"Its operator looks at {PASSPHRASE}, and at the office's keys.",
                ) from None
        return kept[1]


def routes(bureau: Bureau) -> list[Route]:
    async def issue(request: Request) -> Response:
        asked = await _read(request, Asked)
        bureau.admit(asked.office, _token(request), _host(request))
        once = request.headers.get("idempotency-key", "")

        def act() -> tuple[Issued, str]:
            issued = bureau.office(asked.office).issue(
                asked.format,
                asked.kind,
                asked.case,
                at=datetime.now(UTC),
                days=asked.days,
                conceal=asked.conceal,
                holder=asked.holder,
                once=once,
            )
            try:
                return issued, sheet.svg(issued.code)
            except CannotBeCoded:
                return issued, ""

        issued, drawn = await bureau.run(act)
        return _answer(msgspec.to_builtins(issued) | ({"qr_svg": drawn} if drawn else {}))

    async def change(request: Request) -> Response:
        asked = await _read(request, Change)
        bureau.admit(asked.office, _token(request), _host(request))

        def act() -> None:
            office = bureau.office(asked.office, signs=False)
            office.take_back(asked.place, at=datetime.now(UTC), value=asked.status)

        await bureau.run(act)
        return _answer({"place": asked.place, "status": asked.status})

    return [
        Route(PATH, guarded(_open(issue), _failed), methods=["POST"]),
        Route(f"{PATH}/status", guarded(_open(change), _failed), methods=["POST"]),
    ]


def _open(endpoint: Endpoint) -> Endpoint:
    """The endpoint; where the keys are not open it says so, though that is this server's fault."""

    async def answering(request: Request) -> Response:
        try:
            return await endpoint(request)
        except NoKeys as error:
            return _failed(request, error)

    return answering


async def _read(request: Request, type_: type[_T]) -> _T:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST:
            raise _TooLarge(f"more than {_MOST} bytes")
    try:
        return msgspec.json.decode(bytes(body), type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        # msgspec names the place, and at most a field nobody knows: never a value.
        detail = str(wrong) if isinstance(wrong, msgspec.ValidationError) else "the body is no JSON"
        raise UsageError(detail, parameter="body", hint="/api/v1/openapi.json says what there is") from None


class _TooLarge(LandbridgeError):
    status = 413


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _answer(value: Any) -> Response:
    return Response(msgspec.json.encode(value), 200, _HEADERS, "application/json")


def _failed(_request: Request, error: LandbridgeError | None) -> Response:
    if error is None:
        return problem(500, OURS, headers=_HEADERS)
    if isinstance(error, CredentialError):
        field = error.field if isinstance(error, NotIssued) else ""
        status = 409 if error.code == "issued-before" else error.status
        return problem(
            status, str(error), headers=_HEADERS, code=error.code, parameter=field, hint=error.hint
        )
    if isinstance(error, NoToken):
        return problem(401, str(error), headers={**_HEADERS, "WWW-Authenticate": "Bearer"}, hint=error.hint)
    if isinstance(error, Wait):
        return problem(
            429, str(error), headers={**_HEADERS, "Retry-After": str(error.seconds)}, hint=error.hint
        )
    if error.status in (413, 503):
        return problem(error.status, str(error), headers=_HEADERS, hint=error.hint)
    return problem_of(error)


def paths() -> dict[str, Any]:
    """These endpoints as the `paths` of an OpenAPI document."""
    text = {"type": "string"}
    body = {
        "type": "object",
        "required": ["office", "format", "kind", "case"],
        "additionalProperties": False,
        "properties": {
            "office": {**text, "description": "its short name"},
            "format": {"enum": ["hcert", "shc", "sd-jwt-vc", "jwt-vc"]},
            "kind": {"enum": ["test", "vaccination", "recovery", "qualification"]},
            "case": {
                "type": "object",
                "additionalProperties": {"type": ["string", "integer"]},
                "description": "the person, and the values of the kind",
            },
            "days": {"type": "integer", "minimum": 1, "description": "how long it is valid"},
            "conceal": {
                "type": "array",
                "items": text,
                "description": "fields its holder may keep back (sd-jwt-vc); all of them without",
            },
            "holder": {"type": "object", "description": "the public JWK it is bound to (sd-jwt-vc)"},
        },
    }
    issued = {
        "type": "object",
        "required": ["text", "code", "format", "kind", "seq", "place", "expires"],
        "properties": {
            "text": {**text, "description": "the credential, for its holder alone"},
            "code": {**text, "description": "what its QR code says"},
            "qr_svg": {**text, "description": "the code, where one holds it"},
            "format": text,
            "kind": text,
            "seq": {"type": "integer", "description": "its entry in the log"},
            "place": {"type": ["integer", "null"], "description": "its number in the status list"},
            "expires": {**text, "format": "date-time"},
        },
    }
    change = {
        "type": "object",
        "required": ["office", "place"],
        "additionalProperties": False,
        "properties": {
            "office": text,
            "place": {"type": "integer", "minimum": 0},
            "status": {"enum": ["invalid", "suspended", "valid"], "default": "invalid"},
        },
    }
    changed = {"type": "object", "properties": {"place": {"type": "integer"}, "status": text}}
    once = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "under one key nothing is signed twice; a second request is answered 409",
        "schema": text,
    }
    return {
        PATH: {
            "post": {
                **_operation("issue", "Sign a credential", "Needs the office's token.", body, issued),
                "parameters": [once],
            }
        },
        f"{PATH}/status": {
            "post": _operation(
                "changeStatus", "Take a credential back", "By its number in the status list.", change, changed
            )
        },
    }


def _operation(
    id_: str, summary: str, description: str, body: dict[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    failure = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "operationId": id_,
        "summary": summary,
        "description": f"{description} Send `Authorization: Bearer TOKEN`. Nothing personal is kept.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {"schema": answer}}},
            **{
                code: {"description": words, "content": failure}
                for code, words in {
                    "400": "It cannot be understood",
                    "401": "The token is not this office's",
                    "409": "It was issued before, under this Idempotency-Key",
                    "413": "It is too large",
                    "422": "It is refused; `parameter` names the field, nothing was signed",
                    "429": "Too many requests, or wrong tokens",
                    "503": "The keys are not open here",
                }.items()
            },
        },
    }
