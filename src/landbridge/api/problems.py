"""Errors as problem documents (RFC 9457): what is wrong, which parameter, and what to do next."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from landbridge.errors import LandbridgeError, UsageError
from landbridge.find.record import Record

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The request cannot be understood",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Waiting for a person",
    410: "No longer there",
    429: "Too many requests",
    422: "Cannot be decided",
    500: "An error of ours",
    502: "A member's register failed",
}
OURS = "this is our fault; it is noted, with no word of what was asked"


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """A problem document; empty members are left out."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        **{name: value for name, value in more.items() if value},
    }
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def problem_of(error: LandbridgeError) -> Response:
    """An error as its problem document."""
    parameter = error.parameter if isinstance(error, UsageError) else ""
    return problem(error.status, str(error), parameter=parameter, hint=error.hint)


def problem_of_gone(record: Record, title: str) -> Response:
    """What was there: its title and member, since when it is gone, and why."""
    was = {
        "id": record.id,
        "kind": record.kind,
        "title": title,
        "language": record.language,
        "member": record.member,
        "source": record.source,
        "first_seen": record.first_seen,
        "gone": record.gone,
        "why": record.gone_why,
    }
    return problem(410, f"{record.id} is gone", was=was)
