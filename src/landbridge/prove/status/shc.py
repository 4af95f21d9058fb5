"""What SMART Health Card issuers took back: one list a key, of revocation identifiers (cards specification, "Revocation").

The list is not signed: it is as true as the place it came from. Each identifier may carry the moment up to which cards
that bear it are withdrawn; without one, all are.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from landbridge.errors import CredentialError, Malformed
from landbridge.prove.envelope import StatusClaim
from landbridge.prove.jose import read_json
from landbridge.prove.trust.list import Signer, Source

MECHANISM = "shc-revocation"
_MAX_BYTES = 64 * 1024 * 1024
_ENTRY = re.compile(r"([A-Za-z0-9_-]+)(?:\.([0-9]{1,12}))?", re.ASCII)
_LONGEST = 24


class RevocationListRefused(CredentialError):
    """A list of withdrawn cards that is not as the framework requires: it answers nothing."""

    step = "taken back"


class CardList(msgspec.Struct, frozen=True, kw_only=True):
    """The cards of one key that were taken back."""

    kid: str
    counter: int
    uri: str
    source: Source
    entries: Mapping[str, int | None]
    """Identifier → the moment (seconds) before which cards were issued that are withdrawn; None: all of them."""
    signer: Signer | None = None
    mechanism: str = MECHANISM

    def look_up(self, claim: StatusClaim) -> str:
        """`taken-back` or `not-on-list`; cards of other keys are on no list of this one."""
        if not claim.uri.endswith(f"/{self.kid}.json"):
            return "not-on-list"
        rid, issued = claim.values
        if rid not in self.entries:
            return "not-on-list"
        until = self.entries[rid]
        return "taken-back" if until is None or issued < until else "not-on-list"


def address(issuer: str, kid: str) -> str:
    """Where an issuer publishes the list of one of its keys."""
    return f"{issuer}/.well-known/crl/{kid}.json"


def read_card_list(
    data: bytes | str | Mapping[str, Any],
    *,
    source: Source,
    issuer: str = "",
    kid: str = "",
    version: int | None = None,
) -> CardList:
    """One list. `kid` and `version` (`crlVersion` of the issuer's key) are what it must be, where they are known.

    Raises RevocationListRefused: a list that names another key or method, is not of that version, or holds an
    identifier that is none, too long, or written twice.
    """
    value = _object(data)
    name = value.get("kid")
    if not isinstance(name, str) or not name or (kid and name != kid):
        raise _refused("kid", "does not name the key it is for")
    if value.get("method") != "rid":
        raise _refused("method", f"is of the method {str(value.get('method'))[:40]!r}, not 'rid'")
    counter = value.get("ctr")
    if type(counter) is not int or counter < 1:
        raise _refused("ctr", "does not say how often it was changed (`ctr`)")
    if version is not None and counter != version:
        raise _refused("version", f"is number {counter}, and the issuer's key says {version}")
    listed = value.get("rids")
    if not isinstance(listed, list):
        raise _refused("rids", "has no array of identifiers (`rids`)")
    return CardList(
        kid=name,
        counter=counter,
        uri=address(issuer, name),
        source=source,
        entries=_entries(listed),
    )


def _object(data: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(data, Mapping):
        return data
    if len(data) > _MAX_BYTES:
        raise _refused("size", f"is longer than {_MAX_BYTES} bytes")
    try:
        value = read_json(data)
    except Malformed as wrong:
        raise _refused("json", f"cannot be read: {wrong}") from None
    if not isinstance(value, dict):
        raise _refused("json", "is not an object")
    return value


def _entries(listed: list[Any]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for number, one in enumerate(listed):
        entry = _ENTRY.fullmatch(one) if isinstance(one, str) else None
        if entry is None:
            raise _refused(
                "rid", f"holds an identifier (rids[{number}]) that is not of the base64url alphabet"
            )
        if len(entry[1]) > _LONGEST:
            raise _refused("rid-too-long", f"holds an identifier (rids[{number}]) longer than {_LONGEST}")
        if entry[1] in found:
            raise _refused("rid-twice", f"holds one identifier twice (rids[{number}])")
        found[entry[1]] = int(entry[2]) if entry[2] else None
    return found


def _refused(code: str, what: str) -> RevocationListRefused:
    return RevocationListRefused(
        f"this list of withdrawn health cards {what}",
        code=f"crl-{code}",
        hint="Fetch the list again from its issuer, together with the issuer's keys.",
    )
