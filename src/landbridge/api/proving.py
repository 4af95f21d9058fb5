"""Credentials under `/api/v1`: is this one to be believed? Nothing that is sent is kept, logged or cached."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.problems import OURS, problem, problem_of
from landbridge.api.requests import given, guarded
from landbridge.errors import LandbridgeError, UsageError
from landbridge.instance import Instance
from landbridge.prove.verdict import PARTS, Verdict, whole
from landbridge.prove.verify import examine

PATH: Final = "/api/v1/verify"
MOST: Final = 10  # MB
_HEADERS: Final = {"Cache-Control": "no-store"}


class Desk:
    """Where credentials are examined: beside the event loop, for a poor picture can take seconds."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._limiter: CapacityLimiter | None = None

    async def examine(self, data: bytes, *, at: datetime | None = None) -> tuple[Verdict, ...]:
        """The verdicts at `at`, or at this moment by this machine's clock, which is then held to the trust store."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(2)
        now = datetime.now(UTC)
        trust = self.instance.trust(None if at else now)
        return await to_thread.run_sync(
            lambda: examine(data, trust=trust, at=at or now), limiter=self._limiter
        )


def routes(instance: Instance, desk: Desk | None = None) -> list[Route]:
    desk = desk or Desk(instance)

    async def verify(request: Request) -> Response:
        params = given(request)
        for name in params:
            if name != "at":
                raise UsageError(f"no parameter {name[:60]!r}", parameter=name[:60], hint="allowed: at")
        at = _moment(params["at"][-1]) if params.get("at") else None
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > MOST * 1_000_000:
                return problem(
                    413, f"more than {MOST} MB", hint="send the credential alone", headers=_HEADERS
                )
        if not data:
            raise UsageError("nothing was sent", parameter="body", hint="send a text, a picture or a PDF")
        verdicts = await desk.examine(bytes(data), at=at)
        return Response(msgspec.json.encode(whole(verdicts)), 200, _HEADERS, "application/json")

    return [Route(PATH, guarded(verify, _answer), methods=["POST"])]


def _answer(_request: Request, error: LandbridgeError | None) -> Response:
    return problem_of(error) if error is not None else problem(500, OURS)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"at={text[:60]!r} is no time", parameter="at", hint="2026-11-24T18:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def paths() -> dict[str, Any]:
    """This endpoint as the `paths` of an OpenAPI document."""
    part = {
        "type": "object",
        "required": ["outcome", "code", "sentence", "rests_on"],
        "properties": {
            "outcome": {"enum": ["yes", "no", "open"]},
            "code": {"type": "string"},
            "sentence": {"type": "string", "description": "the code in plain English"},
            "rests_on": {"type": "string", "description": "the fact behind it: a date, a list, a key"},
        },
    }
    verdict = {
        "type": "object",
        "required": ["format", "outcome"],
        "properties": {
            "format": {
                "type": "string",
                "description": "hcert, shc, sd-jwt-vc, …; several for more than one",
            },
            "outcome": {"enum": ["yes", "no", "open"], "description": "yes only when all four parts are"},
            "parts": {"type": "object", "properties": dict.fromkeys(PARTS, part)},
            "steps": {"type": "array", "items": {"type": "object"}},
            "leniencies": {"type": "array", "items": {"type": "string"}},
            "believed": {"type": "boolean", "description": "whether the claims may be relied on"},
            "claims": {"description": "as written; unbelieved unless the outcome is yes"},
            "credentials": {"type": "array", "items": {"type": "object"}, "description": "of several: each"},
        },
    }
    failure = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        PATH: {
            "post": {
                "operationId": "verify",
                "summary": "Is this credential to be believed?",
                "description": "Send a text, a picture, a PDF or a file as it is. Nothing of it is kept.",
                "parameters": [
                    {
                        "name": "at",
                        "in": "query",
                        "description": "as if it were then",
                        "schema": {"type": "string", "format": "date-time"},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                        "text/plain": {"schema": {"type": "string"}},
                    },
                },
                "responses": {
                    "200": {
                        "description": "The verdict",
                        "content": {"application/json": {"schema": verdict}},
                    },
                    "400": {"description": "It cannot be understood", "content": failure},
                    "413": {"description": "It is too large", "content": failure},
                    "429": {"description": "Too many requests", "content": failure},
                },
            }
        }
    }
