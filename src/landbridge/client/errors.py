"""What can go wrong for who asks an API.

ClientError
├── Unreachable    nobody answered, or the answer broke off
├── Unreadable     the answer is none of Landbridge's
└── Problem        the answer is a problem document (RFC 9457); it names the parameter and the next step
    └── Gone       the record was there; `was` says what it was
"""

import msgspec

from landbridge.client.answers import Was


class ClientError(Exception):
    """The root."""


class Unreachable(ClientError):
    """Nobody answered, or the answer broke off."""


class Unreadable(ClientError):
    """The answer is none of Landbridge's."""


class Document(msgspec.Struct, frozen=True):
    """A problem document."""

    title: str = ""
    status: int = 0
    detail: str = ""
    parameter: str = ""
    hint: str = ""
    was: Was | None = None


class Problem(ClientError):
    """The server refuses, and says why; with 429, `retry_after` seconds are to be waited."""

    def __init__(self, status: int, document: Document, *, retry_after: float | None = None) -> None:
        about = f"{document.parameter}: " if document.parameter else ""
        hint = f" ({document.hint})" if document.hint else ""
        super().__init__(f"{status}: {about}{document.detail or document.title}{hint}")
        self.status = status
        self.title = document.title
        self.detail = document.detail
        self.parameter = document.parameter
        self.hint = document.hint
        self.retry_after = retry_after


class Gone(Problem):
    """The record was there and was withdrawn."""

    def __init__(self, status: int, document: Document) -> None:
        super().__init__(status, document)
        self.was = document.was
