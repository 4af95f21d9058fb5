"""Signing in with an OpenID Connect provider: the code flow with PKCE.

OpenID Connect Core 1.0 (3.1), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (the issuer in the answer). A provider is
asked anew at each sign-in: these are rare, and a key that was withdrawn is gone at once.
"""

import base64
import secrets
import time
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from landbridge.errors import ConfigError, LandbridgeError

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_PUBLIC_KEYS: Final = {"RSA", "EC"}
_LEEWAY = 30  # seconds by which clocks may differ
_MOST = 2**20  # bytes of one answer of a provider
_PATIENCE = aiohttp.ClientTimeout(total=10)


class SignInRefused(LandbridgeError):
    """Somebody who may not come in; the words say which step failed, never what a token held."""

    status = 403


class Provider(msgspec.Struct, frozen=True):
    """Where operators sign in, and as whom we ask."""

    issuer: str
    client: str
    secret: str = ""
    roles: str = "roles"  # the claim, with dots for what lies deeper


class Asked(msgspec.Struct, frozen=True):
    """What one sign-in must come back with."""

    state: str
    nonce: str
    verifier: str


def read_provider(env: Mapping[str, str]) -> Provider | None:
    """The provider that the settings name, if any. Raises ConfigError."""
    issuer, client = env.get("LANDBRIDGE_OIDC_ISSUER", ""), env.get("LANDBRIDGE_OIDC_CLIENT_ID", "")
    if not issuer:
        return None
    if not client:
        raise ConfigError("LANDBRIDGE_OIDC_ISSUER is set, LANDBRIDGE_OIDC_CLIENT_ID is not")
    _check_address("LANDBRIDGE_OIDC_ISSUER", issuer)
    secret, roles = env.get("LANDBRIDGE_OIDC_CLIENT_SECRET", ""), env.get("LANDBRIDGE_OIDC_ROLES") or "roles"
    return Provider(issuer, client, secret, roles)


async def ask(provider: Provider, back: str) -> tuple[str, Asked]:
    """Where to send somebody who wants to sign in, and what must come back to the address `back`."""
    async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
        known = await _discover(session, provider)
    asked = Asked(*(secrets.token_urlsafe(32) for _ in range(3)))
    params = {
        "response_type": "code",
        "client_id": provider.client,
        "redirect_uri": back,
        "scope": "openid",
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": _base64(sha256(asked.verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    address = known["authorization_endpoint"]
    return address + ("&" if "?" in address else "?") + urlencode(params), asked


async def believe(
    provider: Provider, asked: Asked, came: Mapping[str, str], back: str, *, at: float | None = None
) -> tuple[str, frozenset[str]]:
    """Subject and roles of who came back. Raises SignInRefused.

    1. it is the answer to what we asked      4. the signature is by a key that the provider shows now
    2. the provider gave a code               5. it is for us, now, and for this very sign-in
    3. it gives an identity for that code     6. subject and roles
    """
    if not secrets.compare_digest(came.get("state", "").encode(), asked.state.encode()):
        raise SignInRefused("this sign-in was not begun here", hint="begin again")
    if came.get("iss", provider.issuer) != provider.issuer:
        raise SignInRefused("another provider answered than was asked", hint="begin again")
    if "code" not in came:
        raise SignInRefused("the provider let nobody in", hint="begin again, or ask who runs it")
    async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
        known = await _discover(session, provider)
        form = {
            "grant_type": "authorization_code",
            "code": came["code"],
            "redirect_uri": back,
            "code_verifier": asked.verifier,
        }
        answer = await _redeem(session, provider, known, form)
        keys = await _fetch(session, "GET", known["jwks_uri"])
    claims = _read(str(answer.get("id_token", "")), keys)
    _check(claims, provider, asked, time.time() if at is None else at)
    return str(claims["sub"]), frozenset(_roles(claims, provider.roles))


def _read(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a token with a good signature; only a public key can have made it, never `none`."""
    shown = keys.get("keys")
    usable = [
        k
        for k in (shown if isinstance(shown, list) else [])
        if isinstance(k, dict) and k.get("kty") in _PUBLIC_KEYS and k.get("use", "sig") == "sig"
    ]
    if not usable:
        raise SignInRefused("the provider shows no key to check with")
    try:
        return jwt.decode(token, KeySet.import_key_set({"keys": usable}), algorithms=_ALGORITHMS).claims
    except (JoseError, ValueError, TypeError) as error:
        raise SignInRefused("the provider's token has no signature that we can trust") from error


def _check(claims: Mapping[str, Any], provider: Provider, asked: Asked, now: float) -> None:
    if claims.get("iss") != provider.issuer:
        raise SignInRefused("the token is by another issuer")
    audience = claims.get("aud")
    audience = audience if isinstance(audience, list) else [audience]
    if provider.client not in audience or claims.get("azp", provider.client) != provider.client:
        raise SignInRefused("the token is for another service")
    if len(audience) > 1 and "azp" not in claims:
        raise SignInRefused("the token is for several services and does not say which one asked")
    expires, issued, earliest = (_moment(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise SignInRefused("the token has no dates")
    if not now <= expires + _LEEWAY:
        raise SignInRefused("the token has expired", hint="begin again; are both clocks right?")
    if not max(issued, earliest or 0) <= now + _LEEWAY:
        raise SignInRefused("the token is of the future", hint="are both clocks right?")
    if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), asked.nonce.encode()):
        raise SignInRefused("the token belongs to another sign-in", hint="begin again")
    if not claims.get("sub"):
        raise SignInRefused("the token names nobody")


def _moment(value: object) -> float | None:
    """Seconds of the epoch, where the value is that."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return value


def _roles(claims: Mapping[str, Any], path: str) -> list[str]:
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value.split()
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


async def _discover(session: aiohttp.ClientSession, provider: Provider) -> dict[str, str]:
    url = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
    found = await _fetch(session, "GET", url)
    if found.get("issuer") != provider.issuer:
        raise ConfigError(
            f"LANDBRIDGE_OIDC_ISSUER={provider.issuer!r}, but it calls itself {found.get('issuer')!r}",
            hint="write the issuer as it calls itself, to the last slash",
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        _check_address(name, str(found.get(name, "")))
    return found


async def _redeem(
    session: aiohttp.ClientSession, provider: Provider, known: Mapping[str, Any], form: dict[str, str]
) -> dict[str, Any]:
    login = None
    methods = known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if provider.secret and "client_secret_basic" in methods:
        login = aiohttp.encode_basic_auth(*map(_escape, (provider.client, provider.secret)))
    elif provider.secret:
        form = {**form, "client_id": provider.client, "client_secret": provider.secret}
    else:
        form = {**form, "client_id": provider.client}
    headers = {"Authorization": login} if login else {}
    return await _fetch(session, "POST", known["token_endpoint"], data=form, headers=headers)


def _escape(text: str) -> str:
    return urlencode({"": text})[1:]  # RFC 6749, 2.3.1


async def _fetch(session: aiohttp.ClientSession, method: str, url: str, **more: Any) -> dict[str, Any]:
    try:
        async with session.request(method, url, allow_redirects=False, **more) as reply:
            if reply.status != 200:
                raise SignInRefused(f"the provider answers {reply.status} at {urlsplit(url).path}")
            body = bytearray()
            async for piece in reply.content.iter_chunked(2**16):
                body += piece
                if len(body) > _MOST:
                    raise SignInRefused(f"the provider does not end its answer at {urlsplit(url).path}")
            found = msgspec.json.decode(body)
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
        raise SignInRefused(
            f"the provider does not answer as it should at {urlsplit(url).path}", hint="try again later"
        ) from error
    if not isinstance(found, dict):
        raise SignInRefused(f"the provider does not answer as it should at {urlsplit(url).path}")
    return found


def _check_address(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    ):
        return
    raise ConfigError(f"{name} {url!r} is no https address")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
