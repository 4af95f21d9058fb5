"""The OpenAPI 3.1 document, derived from the kinds, the query's parameters and the answer's structs."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from landbridge import __version__
from landbridge.api.export import TYPES
from landbridge.find.matching import Match
from landbridge.find.occupations import ReadAs
from landbridge.find.query import LONGEST, parameters
from landbridge.find.record import Record
from landbridge.find.search import Result
from landbridge.find.suggest import COLUMNS, Suggestion
from landbridge.kinds.kind import Kind

_REF = "#/components/schemas/{name}"
_TEXT = {"type": "string"}
_WORDS = {"type": "object", "additionalProperties": _TEXT, "description": "language: words"}
_COUNT = {"type": "integer", "minimum": 0}
_WHEN = {"type": ["string", "null"], "format": "date-time"}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "parameter": {"type": "string", "description": "the part of the request that is meant"},
        "hint": {"type": "string", "description": "what to do next"},
    },
}
_GONE = {
    "allOf": [{"$ref": _REF.format(name="Problem")}],
    "type": "object",
    "required": ["was"],
    "properties": {
        "was": {
            "type": "object",
            "description": "the record that was there",
            "required": ["id", "kind", "title", "member", "source", "gone"],
            "properties": {
                **dict.fromkeys(("id", "kind", "title", "language", "member", "source", "why"), _TEXT),
                "first_seen": _WHEN,
                "gone": {"type": "string", "format": "date-time", "description": "since when it is gone"},
            },
        }
    },
}
_SOURCE = {
    "type": "object",
    "description": "One register of a member, and how it stands",
    "required": ["id", "title", "kind", "licence", "deletes", "state", "harvested", "claimed", "incidents"],
    "properties": {
        **dict.fromkeys(("id", "title", "kind", "licence", "store", "state", "why"), _TEXT),
        "deletes": {"enum": ["tombstone", "absence", "expiry", "none"]},
        "harvested": _COUNT,
        "claimed": {"type": ["integer", "null"], "description": "how many the register says it holds"},
        "as_of": {**_WHEN, "description": "the end of its last good harvest"},
        "last_run": _WHEN,
        "incidents": {**_COUNT, "description": "open ones"},
    },
}
_MEMBER = {
    "type": "object",
    "required": ["id", "name", "countries", "sources"],
    "properties": {
        **dict.fromkeys(("id", "name", "kind_of", "url"), _TEXT),
        "countries": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2}$"}},
        "sources": {"type": "array", "items": {"$ref": _REF.format(name="Source")}},
        "broken": {
            "type": "object",
            "additionalProperties": _TEXT,
            "description": "source: why it cannot be used",
        },
    },
}
_KIND = {
    "type": "object",
    "required": ["name", "label", "plural", "schema"],
    "properties": {
        "name": _TEXT,
        "label": _WORDS,
        "plural": _WORDS,
        "schema": {"type": "string", "description": "where its JSON Schema is"},
    },
}
_HEADERS: dict[str, Any] = {
    "ETag": {"schema": _TEXT, "description": "the state of this answer, for If-None-Match"},
    "Link": {"schema": _TEXT, "description": 'the next page, as <...>; rel="next", where there is one'},
    "RateLimit": {
        "schema": _TEXT,
        "description": '"cost";r=tokens left;t=seconds until all are back; where requests are limited',
    },
    "RateLimit-Policy": {"schema": _TEXT, "description": '"cost";q=tokens at once;w=seconds to gain them'},
    "Retry-After": {
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "description": "seconds until there is room again",
    },
    "Landbridge-Total": {"required": True, "schema": _COUNT, "description": "how many match"},
    "Landbridge-Complete": {
        "required": True,
        "schema": {"type": "string", "enum": ["yes", "no"]},
        "description": "whether every member answers with all it has",
    },
}
_KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of an answer that is known; where it still holds, 304 comes without a body",
    "schema": {"type": "string", "maxLength": 2000, "pattern": '^(W/)?"[\\x21\\x23-\\x7e]*"$'},
}
_WITHOUT_EFFECT = {"cursor", "limit", "facets", "explain", "sort"}  # on an export
_LANGUAGE = {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}
_READ = {"type": "string", "maxLength": 2000}
_SNIPPETS = {
    "name": "snippets",
    "in": "query",
    "required": False,
    "description": "0 to leave out marks and snippets",
    "schema": {"type": "string", "enum": ["0", "1"], "default": "1"},
}


def describe(kinds: Mapping[str, Kind], paths: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document for an instance with these kinds, and with further paths."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Landbridge",
            "version": __version__,
            "description": "One search over the members' registers. Every answer says who answered.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/api/v1/find": _get(
                "find",
                "Search the members' registers",
                {
                    "200": _answer("The ranked answer", "Result"),
                    **_not("No such member"),
                },
                [*parameters(kinds), _SNIPPETS],
                ["Link"],
            ),
            "/api/v1/suggest": _get(
                "suggest",
                "Occupations, places and skills of the records that begin so",
                {
                    "200": _answers("The most frequent first", "Suggestion"),
                },
                [
                    _asked("q", "the beginning of a word", {"type": "string", "maxLength": LONGEST}),
                    _asked("kind", "of which records", {"type": "string", "enum": list(kinds)}),
                    _asked("field", "of this field alone", {"type": "string", "enum": list(COLUMNS)}),
                    _asked("lang", "the language of titles of occupations", _LANGUAGE),
                ],
            ),
            "/api/v1/occupations": _get(
                "occupations",
                "The occupations that a title names, as ESCO and ISCO-08 know them, or that it names none",
                {"200": _answer("The likeliest first", "ReadAs")},
                [
                    {**_asked("q", "a title, in any language", {**_READ, "minLength": 1}), "required": True},
                    _asked("text", "further words, read where the title names none", _READ),
                    _asked("lang", "the language of the occupations' names", _LANGUAGE),
                ],
            ),
            "/api/v1/export": _get(
                "export",
                "Every record that matches, as CSV or newline-delimited JSON",
                {
                    "200": {
                        "description": "The records, member by member. A line is a record; a cell of the CSV "
                        "that a spreadsheet would take for a formula begins with an apostrophe",
                        "content": {media: {"schema": _TEXT} for media in TYPES.values()},
                    },
                    "403": _failure("Of a kind that is about people: those leave in no export"),
                    **_not("No such member"),
                },
                [
                    *(p for p in parameters(kinds) if p["name"] not in _WITHOUT_EFFECT),
                    _asked("format", "ndjson without", {"type": "string", "enum": list(TYPES)}),
                ],
                ["Landbridge-Total", "Landbridge-Complete"],
            ),
            "/api/v1/records/{id}": _get(
                "record",
                "One record",
                {
                    "200": _answer("The record", "Record"),
                    **_not("No such record"),
                    "410": _failure("It was there and is gone", "Gone"),
                },
                [_in_path("id", "member/source/key")],
            ),
            **{
                f"/api/v1/records/{{id}}/{id_}": _get(
                    id_,
                    summary,
                    {
                        "200": _answers("The best first, with the reasons", "Match"),
                        **_not("No such record, or of a kind that is matched with none"),
                        "410": _failure("It was there and is gone", "Gone"),
                    },
                    [
                        _in_path("id", "member/source/key"),
                        _asked("lang", "the language of names in the reasons", _LANGUAGE),
                    ],
                )
                for id_, summary in (
                    ("similar", "Records of its kind that are most like a record"),
                    ("matches", "Candidates for a vacancy, or vacancies for a candidate"),
                )
            },
            "/api/v1/members": _get(
                "members",
                "The members, their sources, and how each of them stands",
                {"200": _answers("The members", "Member")},
            ),
            "/api/v1/kinds": _get(
                "kinds", "What can be sought", {"200": _answers("The kinds of records", "Kind")}
            ),
            "/api/v1/kinds/{kind}": _get(
                "kind",
                "JSON Schema of a kind of records",
                {
                    "200": _content("JSON Schema 2020-12", "application/schema+json", {"type": "object"}),
                    **_not("No such kind"),
                },
                [_in_path("kind", "its name")],
            ),
            "/api/v1/openapi.json": _get(
                "openapi",
                "This document",
                {"200": _content("OpenAPI 3.1", "application/json", {"type": "object"})},
            ),
            **(paths or {}),
        },
        "components": {"schemas": _schemas(kinds), "headers": _HEADERS},
    }


def _schemas(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The components. Those of the answers stand last: a kind of the same name does not take their place."""
    schemas: dict[str, Any] = {}
    values = []
    for kind in kinds.values():
        _, parts = msgspec.json.schema_components([kind.struct], ref_template=_REF)
        own = parts.pop(kind.name.capitalize())
        for field in kind.fields.values():
            own["properties"][field.name]["description"] = field.label["en"]
        schemas.update(parts)
        schemas[f"values.{kind.name}"] = own
        values.append({"$ref": _REF.format(name=f"values.{kind.name}")})
    _, answers = msgspec.json.schema_components(
        [Result, Record, Suggestion, ReadAs, Match], ref_template=_REF
    )
    schemas.update(answers)
    schemas["Record"]["properties"]["values"] = {"anyOf": values}
    schemas["Hit"]["properties"]["record"] = {"$ref": _REF.format(name="Record")}
    for name, schema in (
        ("Problem", _PROBLEM),
        ("Gone", _GONE),
        ("Source", _SOURCE),
        ("Member", _MEMBER),
        ("Kind", _KIND),
    ):
        schemas[name] = schema
    return schemas


def _content(text: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {media_type: {"schema": schema}}}


def _answer(text: str, name: str) -> dict[str, Any]:
    return _content(text, "application/json", {"$ref": _REF.format(name=name)})


def _answers(text: str, name: str) -> dict[str, Any]:
    return _content(text, "application/json", {"type": "array", "items": {"$ref": _REF.format(name=name)}})


def _failure(text: str, name: str = "Problem") -> dict[str, Any]:
    return _content(text, "application/problem+json", {"$ref": _REF.format(name=name)})


def _not(found: str) -> dict[str, Any]:
    return {"404": _failure(found)}


def _get(
    id_: str,
    summary: str,
    responses: dict[str, Any],
    parameters: Sequence[dict[str, Any]] = (),
    headers: Sequence[str] = (),
) -> dict[str, Any]:
    """An operation: what it answers, and what every one may answer; `headers` are those of its 200 alone."""
    marked = id_ != "suggest"  # that is remembered for a while instead
    every = {
        **responses,
        **({"304": {"description": "Unchanged: If-None-Match named its ETag"}} if marked else {}),
        "400": _failure("Cannot be understood"),
        "414": {
            "description": "The address is longer than 64 KiB; no words, for the server itself refuses it"
        },
        "429": _failure("Too many requests"),
        "500": _failure("An error of ours"),
    }
    for status, response in every.items():
        own = [
            *(["ETag"] if marked and status in {"200", "304"} else ()),
            *(headers if status == "200" else ()),
            *(["Retry-After"] if status == "429" else ()),
            "RateLimit",
            "RateLimit-Policy",
        ]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in own}
    return {
        "get": {
            "operationId": id_,
            "summary": summary,
            "parameters": [*parameters, *([_KNOWN] if marked else ())],
            "responses": dict(sorted(every.items())),
        }
    }


def _asked(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


def _in_path(name: str, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": text,
        "schema": {"type": "string", "minLength": 1},
    }
