"""What answers under `/api/v1`.

The engine is asked within the event loop: a search takes about a millisecond of CPU, a hand-over to a thread
and back costs a tenth of that and lets nothing else run meanwhile, for Python runs one thread at a time. More
requests at once need more processes: `serve --workers`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.openapi import describe
from landbridge.api.problems import OURS, problem, problem_of, problem_of_gone
from landbridge.api.requests import Endpoint, given, guarded
from landbridge.errors import LandbridgeError, NotFound, UsageError
from landbridge.find.query import parse
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind

PREFIX = "/api/v1"
JSON = "application/json"
SCHEMA = "application/schema+json"

_encode = msgspec.json.Encoder().encode
_NO = frozenset({"0", "false"})
_YES = frozenset({"", "1", "true"})


def routes(instance: Instance) -> list[Route]:
    """The routes of the API; the search first, for it is asked most."""

    async def find(request: Request) -> Response:
        params = given(request)
        snippets = _snippets(params.pop("snippets", ()))
        query = parse(params, instance.kinds, rates=instance.rates)
        return Response(_encode(instance.find(query, snippets=snippets)), media_type=JSON)

    async def record(request: Request) -> Response:
        found = instance.record(readable(request.path_params["id"]))
        if found.gone is not None:
            return problem_of_gone(found, getattr(found.values, instance.kinds[found.kind].title))
        return Response(_encode(found), media_type=JSON)

    async def members(_request: Request) -> Response:
        return Response(_encode(instance.describe_members()), media_type=JSON)

    async def kinds(_request: Request) -> Response:
        return Response(_encode([_in_short(k) for k in instance.kinds.values()]), media_type=JSON)

    async def kind(request: Request) -> Response:
        name = request.path_params["kind"]
        if name not in instance.kinds:
            raise NotFound(f"no kind {name[:60]!r}", hint=f"kinds: {', '.join(instance.kinds)}")
        return Response(_encode(instance.kinds[name].json_schema()), media_type=SCHEMA)

    async def openapi(_request: Request) -> Response:
        return Response(_encode(describe(instance.kinds)), media_type=JSON)

    by_path: Mapping[str, Endpoint] = {
        "/find": find,
        "/records/{id:path}": record,
        "/members": members,
        "/kinds": kinds,
        "/kinds/{kind}": kind,
        "/openapi.json": openapi,
    }
    return [Route(PREFIX + path, guarded(endpoint, _answer)) for path, endpoint in by_path.items()]


def readable(id_: str) -> str:
    """An identifier out of a path. Raises NotFound for what can be none."""
    if not id_.isprintable() or len(id_) > 500:
        raise NotFound("no such record", hint="member/source/key")
    return id_


def _answer(_request: Request, error: LandbridgeError | None) -> Response:
    return problem_of(error) if error is not None else problem(500, OURS)


def _snippets(values: list[str] | tuple[()]) -> bool:
    asked = values[-1].lower() if values else ""
    if len(values) > 1 or asked not in _NO | _YES:
        raise UsageError(
            "snippets is not 1 or 0", parameter="snippets", hint="give it once: 0 leaves them out"
        )
    return asked not in _NO


def _in_short(kind: Kind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "label": kind.label,
        "plural": kind.plural,
        "schema": f"{PREFIX}/kinds/{kind.name}",
    }
