"""What requests to the API and to the pages share: their parameters, and errors that reach nobody raw."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from landbridge.errors import LandbridgeError, UsageError

MOST = 200  # parameters of one request
Endpoint = Callable[[Request], Awaitable[Response]]
Answering = Callable[[Request, LandbridgeError | None], Response]

log = logging.getLogger("landbridge")


def given(request: Request) -> dict[str, list[str]]:
    """The parameters of a request, by name in their order. Raises UsageError for what is no text.

    Starlette's own reading replaces bytes that are no UTF-8 by a question mark, and would then search for it.
    """
    found: dict[str, list[str]] = {}
    query = request.scope["query_string"]
    try:
        pairs = parse_qsl(
            query.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MOST,
        )
    except ValueError:
        one_more = query.split(b"&", MOST)[MOST].partition(b"=")[0].partition(b"&")[0]
        name = unquote_plus(one_more.decode("utf-8", "replace"))[:60]
        raise UsageError("too many parameters", parameter=name, hint=f"{MOST} at most") from None
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    if b"%" in query or not query.isascii():
        for name, values in found.items():
            _check_text(name, [name, *values])
    return found


def _check_text(name: str, texts: list[str]) -> None:
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            shown = name.encode("utf-8", "replace").decode()
            raise UsageError(f"{shown} is not UTF-8", parameter=shown, hint="percent-encode UTF-8") from None


def guarded(endpoint: Endpoint, answer: Answering) -> Endpoint:
    """The endpoint, with its errors answered; `answer` is given None for one that nobody foresaw.

    Such an error is logged by its type and where it was raised: its words may hold what somebody searched for.
    So does a traceback, which Starlette's own middleware would print.
    """

    async def answering(request: Request) -> Response:
        try:
            return await endpoint(request)
        except LandbridgeError as error:
            if error.status < 500:
                return answer(request, error)
            _note(error)
            return answer(request, None)
        except Exception as error:
            _note(error)
            return answer(request, None)

    return answering


def _note(error: Exception) -> None:
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s at %s:%s in %s", type(error).__name__, last.filename, last.lineno, last.name)
