"""The OpenAPI 3.1 document, derived from the kinds, the query's parameters and the answer's structs."""

from collections.abc import Mapping
from typing import Any

import msgspec

from landbridge import __version__
from landbridge.find.query import parameters
from landbridge.find.record import Record
from landbridge.find.search import Result
from landbridge.kinds.kind import Kind

_PROBLEM = {
    "type": "object",
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


def _failure(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _success(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _get(id_: str, summary: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    responses = {"200": answer, "400": _failure("The request cannot be understood"), **more.pop("also", {})}
    return {"get": {"operationId": id_, "summary": summary, "responses": responses, **more}}


def describe(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The document for an instance with these kinds."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    (_, found) = msgspec.json.schema_components([Result, Record], ref_template="#/components/schemas/{name}")
    schemas.update(found)
    values = []
    for kind in kinds.values():
        (_, parts) = msgspec.json.schema_components(
            [kind.struct], ref_template="#/components/schemas/{name}"
        )
        schemas.update(parts)
        name = kind.name.capitalize()
        for field in kind.fields.values():
            schemas[name]["properties"][field.name]["description"] = field.label["en"]
        values.append({"$ref": f"#/components/schemas/{name}"})
    schemas["Record"]["properties"]["values"] = {"anyOf": values}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Landbridge",
            "version": __version__,
            "description": "One search over the members' registers. Every answer says who answered.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/api/v1/find": _get(
                "find",
                "Search the members' registers",
                _success("The ranked answer", {"$ref": "#/components/schemas/Result"}),
                parameters=parameters(kinds),
                also={"404": _failure("No such member or place")},
            ),
            "/api/v1/records/{id}": _get(
                "record",
                "One record",
                _success("The record", {"$ref": "#/components/schemas/Record"}),
                parameters=[
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "description": "member/source/key",
                        "schema": {"type": "string", "minLength": 1},
                    }
                ],
                also={
                    "404": _failure("No such record"),
                    "410": _failure("It was there and is gone"),
                },
            ),
            "/api/v1/members": _get(
                "members",
                "The members, their sources, and how each of them stands",
                _success("The members", {"type": "array", "items": {"type": "object"}}),
            ),
            "/api/v1/kinds/{kind}": _get(
                "kind",
                "JSON Schema of a kind of records",
                _success("The schema", {"type": "object"}),
                parameters=[
                    {
                        "name": "kind",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "minLength": 1},
                    }
                ],
                also={"404": _failure("No such kind")},
            ),
            "/api/v1/openapi.json": _get("openapi", "This document", _success("It", {"type": "object"})),
        },
        "components": {"schemas": schemas},
    }
