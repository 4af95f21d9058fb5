"""What answers under `/api/v1`.

The engine is asked within the event loop: a search takes about a millisecond of CPU, a hand-over to a thread
and back costs a tenth of that and lets nothing else run meanwhile, for Python runs one thread at a time. More
requests at once need more processes: `serve --workers`.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from landbridge.api import export as exporting
from landbridge.api.openapi import describe
from landbridge.api.problems import OURS, problem, problem_of, problem_of_gone
from landbridge.api.requests import Endpoint, given, guarded
from landbridge.errors import LandbridgeError, NotFound, UsageError
from landbridge.find import occupations as reading
from landbridge.find import suggest as suggesting
from landbridge.find.query import LONGEST, default_kind, parse
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind

PREFIX = "/api/v1"
JSON = "application/json"
SCHEMA = "application/schema+json"

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_LONGEST_TEXT = 2_000  # characters that an occupation is read out of

_encode = msgspec.json.Encoder().encode
_NO = frozenset({"0", "false"})
_YES = frozenset({"", "1", "true"})


def routes(instance: Instance, *, paths: Mapping[str, Any] | None = None) -> list[Route]:
    """The routes of the API; the search first, for it is asked most. `paths` are described beside its own."""

    async def find(request: Request) -> Response:
        params = given(request)
        snippets = _snippets(params.pop("snippets", ()))
        query = parse(params, instance.kinds, rates=instance.rates)
        headers = {"ETag": f'W/"{instance.mark(query)}{snippets:d}"', "Cache-Control": "no-cache"}
        if _same(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        result = instance.find(query, snippets=snippets)
        if result.cursor:
            following = [(n, v) for n, v in request.query_params.multi_items() if n != "cursor"]
            link = urlencode([*following, ("cursor", result.cursor)])
            headers["Link"] = f'<{request.url.path}?{link}>; rel="next"'
        return Response(_encode(result), headers=headers, media_type=JSON)

    async def export(request: Request) -> Response:
        params = given(request)
        form = _one(params, "format", of=list(exporting.TYPES)) or "ndjson"
        params.pop("format", None)
        _snippets(params.pop("snippets", ()))
        if any(params.pop("cursor", ())):
            raise UsageError("an export has no pages", parameter="cursor", hint="leave it out: all is sent")
        query = parse(params, instance.kinds, rates=instance.rates)
        kind = instance.kinds[query.kind]
        if kind.personal:
            return problem(
                403,
                f"{kind.name} records are about people and leave in no export",
                parameter="kind",
                hint=f"{PREFIX}/find shows them, without a name",
            )
        mark = f'W/"{instance.mark(query)}-{form}"'
        if _same(request, mark):
            return Response(status_code=304, headers={"ETag": mark, "Cache-Control": "no-cache"})
        first = exporting.head(instance, query)
        headers = {
            "ETag": mark,
            "Cache-Control": "no-cache",
            "Content-Disposition": f'attachment; filename="landbridge-{kind.name}.{form}"',
            "Landbridge-Total": str(first.total.count),
            "Landbridge-Complete": "yes" if first.complete else "no",
        }
        if request.method == "HEAD":
            return Response(headers=headers, media_type=exporting.TYPES[form])
        body = exporting.rows(instance.every(query), kind, form)
        return StreamingResponse(body, headers=headers, media_type=exporting.TYPES[form])

    async def suggest(request: Request) -> Response:
        params = _allowed(given(request), "q", "kind", "field", "lang")
        kind = _one(params, "kind", of=list(instance.kinds)) or default_kind(instance.kinds)
        field = _one(params, "field", of=suggesting.COLUMNS)
        text = _one(params, "q")
        if len(text) > LONGEST:
            raise UsageError(f"q has {len(text)} characters", parameter="q", hint=f"{LONGEST} at most")
        found = instance.suggest(text, kind, field=field, language=_language(params))
        # nothing may mean: not yet
        headers = {"Cache-Control": "public, max-age=60" if found else "no-cache"}
        return Response(_encode(found), headers=headers, media_type=JSON)

    async def occupations(request: Request) -> Response:
        params = _allowed(given(request), "q", "text", "lang")
        title, text = _one(params, "q"), _one(params, "text")
        if not title.strip():
            raise UsageError("no title to read", parameter="q", hint="q=electric welder")
        for name, value in (("q", title), ("text", text)):
            if len(value) > _LONGEST_TEXT:
                raise UsageError(
                    f"{name} has {len(value)} characters", parameter=name, hint=f"{_LONGEST_TEXT} at most"
                )
        return _marked(request, _encode(reading.read(title, text, language=_language(params) or "en")), JSON)

    async def record(request: Request) -> Response:
        _allowed(given(request))
        found = instance.record(readable(request.path_params["id"]))
        if found.gone is not None:
            return problem_of_gone(found, getattr(found.values, instance.kinds[found.kind].title))
        return _marked(request, _encode(found), JSON)

    async def alike(request: Request) -> Response:
        """More like a record, or what it is matched with: the end of the path says which."""
        id_, what = readable(request.path_params["id"]), request.url.path.rpartition("/")[2]
        if id_.count("/") < 2:  # no identifier: what was asked for is a record whose key is that word
            request.path_params["id"] = f"{id_}/{what}"
            return await record(request)
        params = _allowed(given(request), "lang")
        found = instance.record(id_)
        if found.gone is not None:
            return problem_of_gone(found, getattr(found.values, instance.kinds[found.kind].title))
        look = instance.matches if what == "matches" else instance.similar
        return _marked(request, _encode(look(found, language=_language(params) or "en")), JSON)

    async def members(request: Request) -> Response:
        _allowed(given(request))
        return _marked(request, _encode(instance.describe_members()), JSON)

    async def kinds(request: Request) -> Response:
        _allowed(given(request))
        return _marked(request, _encode([_in_short(k) for k in instance.kinds.values()]), JSON)

    async def kind(request: Request) -> Response:
        _allowed(given(request))
        name = request.path_params["kind"]
        if name not in instance.kinds:
            raise NotFound(f"no kind {name[:60]!r}", hint=f"kinds: {', '.join(instance.kinds)}")
        return _marked(request, _encode(instance.kinds[name].json_schema()), SCHEMA)

    async def openapi(request: Request) -> Response:
        _allowed(given(request))
        return _marked(request, _encode(describe(instance.kinds, paths)), JSON)

    by_path: Mapping[str, Endpoint] = {
        "/find": find,
        "/suggest": suggest,
        "/export": export,
        "/occupations": occupations,
        "/records/{id:path}/similar": alike,
        "/records/{id:path}/matches": alike,
        "/records/{id:path}": record,
        "/members": members,
        "/kinds": kinds,
        "/kinds/{kind}": kind,
        "/openapi.json": openapi,
    }
    return [Route(PREFIX + path, guarded(endpoint, _answer)) for path, endpoint in by_path.items()]


def _same(request: Request, mark: str) -> bool:
    """Whether the visitor has this answer already (If-None-Match, RFC 9110, 13.1.2)."""
    known = request.headers.get("if-none-match", "")[:2_000]
    bare = mark.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in {bare, "*"} for one in known.split(","))


def _marked(request: Request, body: bytes, media_type: str) -> Response:
    """An answer with its mark; to who has it already, that it is unchanged."""
    headers = {"ETag": f'W/"{blake2b(body, digest_size=9).hexdigest()}"', "Cache-Control": "no-cache"}
    if _same(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def readable(id_: str) -> str:
    """An identifier out of a path. Raises NotFound for what can be none."""
    if not id_.isprintable() or len(id_) > 500:
        raise NotFound("no such record", hint="member/source/key")
    return id_


def _answer(_request: Request, error: LandbridgeError | None) -> Response:
    return problem_of(error) if error is not None else problem(500, OURS)


def _allowed(params: dict[str, list[str]], *names: str) -> dict[str, list[str]]:
    """The parameters. Raises UsageError for one that is none of these."""
    for name in params:
        if name not in names:
            allowed = f"allowed: {', '.join(names)}" if names else "there are none here"
            raise UsageError(f"no parameter {name[:60]!r}", parameter=name[:60], hint=allowed)
    return params


def _one(params: Mapping[str, list[str]], name: str, *, of: Sequence[str] = ()) -> str:
    """The value of a parameter that is given once, or "". Raises UsageError for another than `of` these."""
    values = [v for v in params.get(name, ()) if v.strip()]
    if len(values) > 1:
        raise UsageError(f"{name} is given {len(values)} times", parameter=name, hint="give it once")
    value = values[0] if values else ""
    if of and value and value not in of:
        raise UsageError(f"no {name} {value[:60]!r}", parameter=name, hint=f"allowed: {', '.join(of)}")
    return value


def _language(params: Mapping[str, list[str]]) -> str:
    """The language of the reader, or "". Raises UsageError for what can be none."""
    code = _one(params, "lang").lower()
    if code and not _LANGUAGE.fullmatch(code):
        raise UsageError(f"lang={code[:60]!r} is no language", parameter="lang", hint="such as ru")
    return code.partition("-")[0]


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
