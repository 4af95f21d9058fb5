"""SMART Health Links: `shlink:/…`, alone or behind a viewer's address (HL7 SMART Health Cards and Links, links).

A link holds no credential: it says where an encrypted one can be fetched, and with which key. Landbridge fetches
nothing, so a well-formed link leaves every question open, and says what its holder can do.
"""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from landbridge.errors import CredentialError, Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.envelope import Envelope
from landbridge.prove.jose import read_json
from landbridge.prove.keys import from_base64url
from landbridge.prove.trust.list import Signer

NAME = "shlink"
TITLE = "SMART Health Link"
PREFIX = "shlink:/"
_MAX_TEXT = 16_384
_LONGEST_URL = 128
_LONGEST_LABEL = 80
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_VIEWER = re.compile(r"https?://[^\s#]{1,2000}#shlink:/", re.IGNORECASE)
_DATA_TYPES = frozenset(
    {"application/smart-health-card", "application/fhir+json", "application/smart-api-access"}
)


class LinkNotFetched(CredentialError):
    """A link to a credential: nothing is wrong with it, and nothing of the credential is here."""

    step = "decode"


def recognise(carried: Carried) -> bool:
    text = carried.text
    if text is None:
        return False
    if text[: len(PREFIX)].lower() == PREFIX or _VIEWER.match(text):
        return True
    if text[:1] != "{" or len(text) > _MAX_TEXT or not ('"contentType"' in text or '"key"' in text):
        return False
    return _shape(text) is not None


def decode(carried: Carried) -> Envelope:
    """Never an envelope. Raises LinkNotFetched for a link as it must be, Malformed for any other."""
    text = (carried.text or "").strip()
    if len(text) > _MAX_TEXT:
        raise Malformed(f"a link of {len(text)} characters is not read", code="too-long")
    if text[:1] == "{":
        value: Any = _shape(text)
    else:
        value = _payload(text)
    if value is None:
        raise Malformed("this link is damaged", code="shlink")
    if "files" in value or "contentType" in value:
        for file in value.get("files", [value]):
            if "embedded" not in file:
                check_url(file.get("location"), longest=_MAX_TEXT)
    else:
        check(value)
    raise LinkNotFetched(
        "this is a link to a health card, not the card",
        code="link-to-fetch",
        hint="Ask its holder to open the link and show the card itself: nothing is fetched here.",
    )


def steps(envelope: Envelope, signer: Signer) -> tuple[tuple[str, str, str], ...]:
    return ()


def check(payload: dict[str, Any]) -> None:
    """Raises Malformed where a link's payload is not as the specification requires."""
    key, flag, label = payload.get("key"), payload.get("flag", ""), payload.get("label", "")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise Malformed("the key of this link is not 43 characters of base64url", code="shlink-key")
    if not isinstance(flag, str) or not flag.isascii() or (flag and not flag.isalpha()) or len(flag) > 26:
        raise Malformed("the flags of this link are not letters", code="shlink-flag")
    if list(flag) != sorted(set(flag)) or {"P", "U"} <= set(flag):
        raise Malformed(f"the flags {flag!r} are not in order, or contradict each other", code="shlink-flag")
    if not isinstance(label, str) or len(label) > _LONGEST_LABEL:
        raise Malformed(
            f"the label of this link has more than {_LONGEST_LABEL} characters", code="shlink-label"
        )
    expires = payload.get("exp", 0)
    if isinstance(expires, bool) or not isinstance(expires, int | float) or expires < 0:
        raise Malformed("the link's date of expiry is not a number of seconds", code="shlink-exp")
    if payload.get("v", 1) != 1:
        raise Malformed("this link is of a later version, unknown here", code="shlink-version")
    check_url(payload.get("url"), longest=_LONGEST_URL)


def check_url(url: Any, *, longest: int) -> None:
    """Raises Malformed for an address that is none, is too long, or is open to readers on the way."""
    if not isinstance(url, str) or not url or len(url) > longest:
        raise Malformed(f"the address in this link is missing, or longer than {longest}", code="shlink-url")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise Malformed("the address in this link cannot be read", code="shlink-url") from None
    if parts.scheme.lower() != "https":
        raise Malformed("the address in this link is not https", code="shlink-not-https")
    if not host:
        raise Malformed("the address in this link names no host", code="shlink-url")


def _payload(text: str) -> dict[str, Any] | None:
    start = text.lower().index(PREFIX) + len(PREFIX)
    try:
        value = read_json(from_base64url(unquote(text[start:]).rstrip("=")))
    except (ValueError, Malformed):
        return None
    return value if isinstance(value, dict) else None


def _shape(text: str) -> dict[str, Any] | None:
    """A payload, a manifest or one of its files, as JSON; None for anything else."""
    try:
        value = read_json(text)
    except Malformed:
        return None
    if not isinstance(value, dict):
        return None
    if (
        isinstance(value.get("url"), str)
        and isinstance(value.get("key"), str)
        and not value.keys() & {"kty", "iss"}
    ):
        return value
    files = value.get("files", [value])
    if isinstance(files, list) and files and all(_is_file(one) for one in files):
        return value
    return None


def _is_file(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("contentType"), str):
        return False
    bare = value["contentType"].partition(";")[0].strip()
    return bare in _DATA_TYPES and bool(value.keys() & {"location", "embedded"})
