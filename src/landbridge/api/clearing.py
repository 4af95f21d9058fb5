"""Decisions under `/api/v1`: may I, by a destination's own rules? Nothing that is sent is kept, logged or cached."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.problems import OURS, problem, problem_of
from landbridge.api.proving import Desk
from landbridge.api.requests import given, guarded
from landbridge.clear import decide as deciding
from landbridge.clear.evaluate import REASONS
from landbridge.errors import LandbridgeError, UsageError
from landbridge.instance import Instance
from landbridge.prove.facts import Facts

DECIDE: Final = "/api/v1/decide"
RULES: Final = "/api/v1/rules"
MOST: Final = 200_000  # bytes
_HEADERS: Final = {"Cache-Control": "no-store"}


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked: a destination, and either credentials to be verified or facts to be taken as they are."""

    to: str
    credentials: tuple[str, ...] = ()
    facts: dict[str, Any] | None = None
    at: datetime | None = None
    kind: str = ""
    subject: str = "travel"
    region: str = ""
    within: tuple[str, ...] = ()
    values: dict[str, Any] | None = None


def routes(instance: Instance, desk: Desk) -> list[Route]:
    async def decide(request: Request) -> Response:
        asked = await _question(request)
        at = asked.at or datetime.now(UTC)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        proven: list[Facts] = []
        for text in asked.credentials:
            for verdict in await desk.examine(text.encode(errors="replace"), at=asked.at):
                if verdict.facts is None:
                    answer = {"outcome": "open", "reason": "not-proven", "verdict": verdict.to_json()}
                    return _json(answer)
                proven.append(verdict.facts)
        kind = asked.kind or (proven[0].content.kind if proven else "")
        issuer = next((one.issuer.territory for one in proven), "")
        ruleset = deciding.compile(
            instance.rules,
            asked.to.upper(),
            kind,
            at,
            subject=asked.subject,
            region=asked.region,
            within=asked.within,
            issuer=issuer,
        )
        decision = deciding.decide(ruleset, proven or asked.facts or {}, at=at, values=asked.values)
        words = {one.id: dict(one.words) for one in ruleset.rules}
        return _json(
            {
                "outcome": str(decision.outcome),
                "reason": decision.reason,
                "proven": bool(proven),
                "findings": [
                    {
                        **asdict(one),
                        "outcome": str(one.outcome),
                        "words": words.get(one.id, {}),
                        "because": REASONS.get(one.reason, ""),
                    }
                    for one in decision.findings
                ],
                "receipt": asdict(decision.receipt),
            }
        )

    async def rules(request: Request) -> Response:
        params = given(request)
        for name in params:
            if name != "to":
                raise UsageError(f"no parameter {name[:60]!r}", parameter=name[:60], hint="allowed: to")
        to = params.get("to", [""])[-1].upper()
        shown = [
            {
                "id": one.id,
                "version": one.version,
                "destination": one.destination,
                "region": one.region,
                "subject": one.subject,
                "type": one.type,
                "kind": one.kind,
                "valid_from": one.valid_from.isoformat(),
                "valid_to": one.valid_to.isoformat() if one.valid_to else None,
                "words": dict(one.words),
                "source": asdict(one.source),
                "hash": one.hash,
            }
            for one in instance.rules
            if not to or one.destination == to
        ]
        return Response(msgspec.json.encode(shown), media_type="application/json")

    return [
        Route(DECIDE, guarded(decide, _answer), methods=["POST"]),
        Route(RULES, guarded(rules, _answer), methods=["GET"]),
    ]


async def _question(request: Request) -> Question:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST:
            raise UsageError(
                f"more than {MOST:,} bytes", parameter="body", hint="ask about fewer credentials"
            )
    try:
        return msgspec.json.decode(bytes(body), type=Question)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise UsageError(
            f"the question cannot be read: {wrong}",
            parameter="body",
            hint='{"to": "XA", "credentials": ["HC1:…"]}',
        ) from None


def _json(value: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(value), 200, _HEADERS, "application/json")


def _answer(_request: Request, error: LandbridgeError | None) -> Response:
    return problem_of(error) if error is not None else problem(500, OURS)


def paths() -> dict[str, Any]:
    """These endpoints as the `paths` of an OpenAPI document."""
    failure = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    question = {
        "type": "object",
        "required": ["to"],
        "additionalProperties": False,
        "properties": {
            "to": {**text, "description": "the destination, ISO 3166-1"},
            "credentials": {
                **texts,
                "description": "to be verified; the decision then rests on proven facts",
            },
            "facts": {"type": "object", "description": "or facts, taken as they are: what if"},
            "at": {**text, "format": "date-time"},
            "kind": text,
            "subject": text,
            "region": text,
            "within": texts,
            "values": {"type": "object", "description": "value sets by name"},
        },
    }
    decision = {
        "type": "object",
        "required": ["outcome", "reason"],
        "properties": {
            "outcome": {"enum": ["yes", "no", "open"]},
            "reason": {**text, "description": "no-rule, not-proven, or empty"},
            "proven": {"type": "boolean"},
            "findings": {"type": "array", "items": {"type": "object"}},
            "receipt": {"type": "object"},
        },
    }
    return {
        DECIDE: {
            "post": {
                "operationId": "decide",
                "summary": "May I, by the destination's own rules?",
                "requestBody": {"required": True, "content": {"application/json": {"schema": question}}},
                "responses": {
                    "200": {
                        "description": "The decision",
                        "content": {"application/json": {"schema": decision}},
                    },
                    "400": {"description": "It cannot be understood", "content": failure},
                    "422": {"description": "It cannot be decided", "content": failure},
                    "429": {"description": "Too many requests", "content": failure},
                },
            }
        },
        RULES: {
            "get": {
                "operationId": "rules",
                "summary": "The rules known here",
                "parameters": [
                    {"name": "to", "in": "query", "description": "of one destination", "schema": text}
                ],
                "responses": {
                    "200": {
                        "description": "Each rule, with its words and source",
                        "content": {
                            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}}
                        },
                    },
                    "400": {"description": "It cannot be understood", "content": failure},
                    "429": {"description": "Too many requests", "content": failure},
                },
            }
        },
    }
