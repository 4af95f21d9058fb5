"""Facts: what `verify` has found true, the only thing rules may rest on; and the three outcomes."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn, Self

import msgspec


class Outcome(StrEnum):
    """Yes, no or open. A missing list, fact or date is open, never yes."""

    YES = "yes"
    NO = "no"
    OPEN = "open"

    def __bool__(self) -> NoReturn:
        raise TypeError("an outcome is yes, no or open: compare it with Outcome.YES")

    @classmethod
    def of(cls, parts: "tuple[Outcome, ...]") -> "Outcome":
        """The whole of several parts: one no is no; yes only when every part is yes."""
        if cls.NO in parts:
            return cls.NO
        return cls.OPEN if cls.OPEN in parts else cls.YES


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands behind a credential, as the trust list names them."""

    id: str
    """A URL, a DID, or the country's code where that is all a format knows."""
    name: str = ""
    territory: str = ""
    """ISO 3166-1 alpha-2, or empty where the list does not say."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a credential speaks of. Every part may be empty: formats and issuers differ."""

    surname: str = ""
    given_names: str = ""
    surname_latin: str = ""
    """As in a passport's machine-readable zone, where the issuer wrote it."""
    given_names_latin: str = ""
    born: str = ""
    """YYYY-MM-DD, YYYY-MM or YYYY, as far as it is known."""
    id: str = ""
    """A DID or a document's number."""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A credential's claims in our words, whatever its format: still only what it says."""

    kind: str
    """`test`, `vaccination`, `recovery`, `qualification`, `identity`, `licence`, `origin`, or `credential`."""
    territory: str = ""
    """The country the matter belongs to, ISO 3166-1 alpha-2, where the credential says so."""
    subject: Subject = Subject()
    values: Mapping[str, Any] = {}
    """The kind's own values, by the names of docs/reference/credentials.md."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A believed credential: its content, who says so, and until when.

    Made by `landbridge.prove.verify` alone; `Facts(...)` elsewhere raises TypeError.
    """

    format: str
    content: Content
    issuer: Issuer
    claims: Any
    issued: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    verified_at: datetime
    seal: "_Seal"

    def __post_init__(self) -> None:
        if not isinstance(self.seal, _Seal):
            raise TypeError("only landbridge.prove.verify makes Facts")


class _Seal:
    """In the hands of `verify` only."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self


SEAL = _Seal()
