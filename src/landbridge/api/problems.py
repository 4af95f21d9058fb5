"""Errors as problem documents (RFC 9457): what is wrong, which parameter, and what to do next."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from landbridge.errors import LandbridgeError, UsageError

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "The request cannot be understood",
    404: "Not found",
    405: "Method not allowed",
    409: "Waiting for a person",
    410: "No longer there",
    422: "Cannot be decided",
    502: "A member's register failed",
    500: "An error of ours",
}


def problem(status: int, detail: str, **more: Any) -> Response:
    """A problem document; empty members are left out."""
    body = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        **{name: value for name, value in more.items() if value},
    }
    return Response(msgspec.json.encode(body), status, media_type=MEDIA_TYPE)


async def answer_error(_request: Request, error: Exception) -> Response:
    """A LandbridgeError as its problem document."""
    assert isinstance(error, LandbridgeError)
    parameter = error.parameter if isinstance(error, UsageError) else ""
    return problem(error.status, str(error), parameter=parameter, hint=error.hint)
