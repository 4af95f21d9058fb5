"""`/feed`: the event feed over HTTP, for whoever joins this union to another.

A page is asked for again with its ETag; nothing is promised to be immutable, for an event that moves leaves its
page. Any web page may read it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.problems import OURS, problem, problem_of
from landbridge.api.requests import given, guarded
from landbridge.errors import LandbridgeError, UsageError
from landbridge.find import events
from landbridge.find.events import PAGE, Asked
from landbridge.find.journal import Step
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind
from landbridge.members.member import pick

PATH = "/feed"
JSON = "application/json"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since",
    "Access-Control-Max-Age": "86400",
}
_SETTLED = timedelta(seconds=5)  # a second that may still bring events is no Last-Modified
_MOST = (1 << 63) - 1

_encode = msgspec.json.Encoder().encode


def routes(instance: Instance) -> list[Route]:
    """The route of the feed."""

    async def feed(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_CORS | _PREFLIGHT)
        asked, newest = _asked(given(request), instance.kinds)
        members = pick(instance.members, asked.members.split(",") if asked.members else ())
        sources = events.shared([s for m in members for s in m.sources.values()], instance.kinds, asked.kind)
        journal = instance.journal
        if newest:
            asked = msgspec.structs.replace(asked, after=journal.last_of(list(sources)))
        steps = journal.steps(list(sources), asked.after, limit=PAGE)
        if not steps and asked.after > journal.newest():
            raise UsageError(
                f"after={asked.after}: no event had this number yet; the journal was made anew",
                parameter="after",
                hint=f"begin again at {PATH}",
            )
        headers = _headers(steps, events.etag(steps, asked, sources))
        if _is_known(request, headers):
            return Response(status_code=304, headers=headers)
        made = events.page(journal, steps, asked, path=PATH, sources=sources, kinds=instance.kinds)
        return Response(_encode(made), headers=headers, media_type=JSON)

    return [Route(PATH, guarded(feed, _answer), methods=["GET", "HEAD", "OPTIONS"])]


def paths(kinds: Mapping[str, Kind] | None = None) -> dict[str, Any]:
    """The feed as the `paths` of an OpenAPI document; `kinds` gives the filter its values."""
    text = {"type": "string"}
    shared = [name for name, kind in (kinds or {}).items() if not kind.personal]
    failure = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    parameters = [
        _parameter("after", "the number of the last event that is known", {"type": "integer", "minimum": 0}),
        _parameter("kind", "only events of this kind", {**text, **({"enum": shared} if shared else {})}),
        _parameter("in", "members or countries, separated by commas", text),
        _parameter("last", "true: the page behind the newest event", {**text, "enum": ["true", "false"]}),
    ]
    return {
        PATH: {
            "get": {
                "operationId": "feed",
                "summary": "What came, what changed and what went, in this order",
                "parameters": parameters,
                "responses": {
                    "200": {"description": "A page", "content": {JSON: {"schema": _SCHEMA}}},
                    "304": {"description": "Not modified"},
                    "400": {"description": "Cannot be understood", "content": failure},
                    "404": {"description": "No such member", "content": failure},
                    "500": {"description": "An error of ours", "content": failure},
                },
            }
        }
    }


_TEXTS = {"type": "string"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "title", "feed_url", "next_url", "items"],
    "properties": {
        **dict.fromkeys(("version", "title", "description", "feed_url"), _TEXTS),
        "next_url": {"type": ["string", "null"], "description": "null: nothing happened since"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "url", "date_modified", "_feed_entry", "_landbridge"],
                "properties": {
                    **dict.fromkeys(("id", "title", "language", "content_text"), _TEXTS),
                    "url": {"type": "string", "description": "where the record itself stands"},
                    "date_modified": {"type": "string", "format": "date-time"},
                    "_feed_entry": {
                        "type": "object",
                        "required": ["uuid", "status", "sistEndret"],
                        "properties": {
                            **dict.fromkeys(("uuid", "title", "businessName", "municipal"), _TEXTS),
                            "status": {"enum": ["ACTIVE", "INACTIVE"]},
                            "sistEndret": {"type": "string", "format": "date-time"},
                        },
                    },
                    "_landbridge": {
                        "type": "object",
                        "properties": dict.fromkeys(("kind", "member", "source", "licence"), _TEXTS),
                    },
                },
            },
        },
    },
}


def _parameter(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


def _asked(params: Mapping[str, list[str]], kinds: Mapping[str, Kind]) -> tuple[Asked, bool]:
    """The part that is asked for, and whether it is the newest page. Raises UsageError."""
    known = ("after", "kind", "in", "last")
    for name, values in params.items():
        if name not in known:
            raise UsageError(
                f"{name[:60]} is unknown", parameter=name[:60], hint=f"one of {', '.join(known)}"
            )
        if len(values) > 1 and name != "in":
            raise UsageError(f"{name} is given {len(values)} times", parameter=name, hint="give it once")
    after, kind, last = (params.get(name, [""])[0] for name in ("after", "kind", "last"))
    if after and not (after.isascii() and after.isdigit() and len(after) < 20 and int(after) <= _MOST):
        raise UsageError(
            f"after={after[:60]!r} is no number of an event",
            parameter="after",
            hint="take next_url as it is, or leave it out to begin",
        )
    open_ = [name for name, one in kinds.items() if not one.personal]
    if kind and kind not in open_:
        why = "is about people, and leaves in no feed" if kind in kinds else "is no kind"
        raise UsageError(f"kind={kind[:60]!r} {why}", parameter="kind", hint=f"one of {', '.join(open_)}")
    if last not in {"", "true", "false"}:
        raise UsageError("last is not true or false", parameter="last", hint="last=true: the newest page")
    members = [name.strip() for value in params.get("in", []) for name in value.split(",")]
    return Asked(int(after or 0), kind, ",".join(filter(None, members))), last == "true"


def _headers(steps: list[Step], tag: str) -> dict[str, str]:
    headers = {"ETag": tag, "Cache-Control": "no-cache", **_CORS}
    newest = max((step.at for step in steps), default=None)
    if newest is not None and newest < datetime.now(UTC) - _SETTLED:
        headers["Last-Modified"] = format_datetime(newest, usegmt=True)
    return headers


def _is_known(request: Request, headers: Mapping[str, str]) -> bool:
    """Whether the asker has this page: by its ETag, or by its date where no ETag is sent (RFC 9110, 13.2.2)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return headers["ETag"] in {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    since, modified = request.headers.get("if-modified-since"), headers.get("Last-Modified")
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False


def _answer(_request: Request, error: LandbridgeError | None) -> Response:
    response = problem_of(error) if error is not None else problem(500, OURS)
    response.headers.update(_CORS)
    return response
