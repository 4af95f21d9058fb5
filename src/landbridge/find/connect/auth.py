"""`[fetch] auth`: how a register is told who asks (the names are those of dlt's rest_api).

    auth = { type = "api_key", name = "X-API-Key", api_key = "env:LANDBRIDGE_RU_HH_KEY", location = "header" }
    auth = { type = "bearer", token = "env:LANDBRIDGE_NO_NAV_TOKEN" }
    auth = { type = "http_basic", username = "anna", password = "env:LANDBRIDGE_XA_JOBS_PASSWORD" }
    auth = { type = "oauth2_client_credentials", access_token_url = "https://…/token",
             client_id = "env:…", client_secret = "env:…", scopes = ["read"],
             access_token_request_data = { audience = "jobs" }, default_token_expiration = 3600 }

| type | keys |
|---|---|
| api_key | `name` (default Authorization), `api_key`, `location` = header or query |
| bearer | `token` |
| http_basic | `username`, `password` |
| oauth2_client_credentials | `access_token_url`, `client_id`, `client_secret`, `scopes`, `client_auth` = body or basic, `access_token_request_data`, `default_token_expiration` (seconds) |

A secret is never written into a source file: `env:NAME` reads it from the environment. A constant that the
register itself publishes (Jobsuche's key, say) is written `public:jobboerse-jobsuche`.
"""

import base64
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from landbridge.errors import Drift, Forbidden, SourceFileError
from landbridge.find.source import Source

_EARLY = 30.0  # seconds before its end at which a token is renewed
_SECRET_NAME = re.compile(
    r"(^|[-_.])((api|app|access|auth|client|subscription|private|secret)[-_]?(key|token|secret)|apikey|appkey"
    r"|authorization|token|secret|password|passwd|pwd|cookie)([-_]key)?$",
    re.I,
)


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="api_key", tag_field="type"):
    api_key: str
    name: str = "Authorization"
    location: Literal["header", "query"] = "header"


class Bearer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="bearer", tag_field="type"):
    token: str


class HttpBasic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="http_basic", tag_field="type"):
    username: str
    password: str


class OAuth2ClientCredentials(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag="oauth2_client_credentials",
    tag_field="type",
):
    access_token_url: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = ()
    client_auth: Literal["body", "basic"] = "body"
    access_token_request_data: dict[str, str] = {}
    default_token_expiration: float = 3600.0


Auth = ApiKey | Bearer | HttpBasic | OAuth2ClientCredentials
AskToken = Callable[[str, dict[str, str], dict[str, str]], Awaitable[tuple[int, bytes]]]  # url, form, headers


class Credentials(msgspec.Struct, frozen=True):
    """What is added to a request."""

    headers: Mapping[str, str] = {}
    params: Mapping[str, str] = {}


class Login:
    """The credentials of one source. `secrets` is what no message may show."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.secrets: set[str] = set()
        self.auth = read_auth(source)
        self.variables = _variables(source.fetch)
        self._token = ""
        self._until = 0.0

    async def credentials(self, ask: AskToken) -> Credentials:
        """What a request carries now; `ask` posts a form to the token endpoint.

        Raises Forbidden where a variable is missing or the token endpoint refuses.
        """
        match self.auth:
            case ApiKey(api_key=key, name=name, location=location):
                value = self.reveal(key)
                if location == "query":
                    return Credentials(params={name: value})
                return Credentials(headers={name: value})
            case Bearer(token=token):
                return Credentials(headers={"Authorization": f"Bearer {self.reveal(token)}"})
            case HttpBasic(username=username, password=password):
                return Credentials(headers=_basic(self.reveal(username), self.reveal(password)))
            case OAuth2ClientCredentials() as auth:
                if not self._token or time.monotonic() > self._until:
                    await self._renew(auth, ask)
                return Credentials(headers={"Authorization": f"Bearer {self._token}"})
        return Credentials()

    def expire(self, used: Credentials) -> bool:
        """Forgets a token that was refused; False where there is nothing to renew."""
        if not isinstance(self.auth, OAuth2ClientCredentials):
            return False
        if used.headers.get("Authorization") == f"Bearer {self._token}":
            self._token = ""
        return True

    def reveal(self, text: str) -> str:
        """A value of the source file, with what `env:` and `public:` stand for. Raises Forbidden."""
        if text.startswith("public:"):
            return text.removeprefix("public:")
        if not text.startswith("env:"):
            return text
        name = text.removeprefix("env:")
        value = os.environ.get(name, "").strip()
        if not value:
            raise Forbidden(self.source.id, f"the variable {name} is not set", hint=f"export {name}=…")
        self.secrets.add(value)
        self.secrets.add(quote(value, safe=""))
        return value

    def refusal(self, status: int) -> tuple[str, str]:
        """What a refused login means, and what to do."""
        if self.variables:
            names = " and ".join(self.variables)
            return f"the login was refused ({status})", f"{names} may be wrong or expired: export a valid one"
        if self.auth is not None:
            return f"the login was refused ({status})", "the register no longer takes the key in [fetch] auth"
        return f"access was refused ({status})", "it may want a login ([fetch] auth) or fewer requests (rate)"

    async def _renew(self, auth: OAuth2ClientCredentials, ask: AskToken) -> None:
        client, secret = self.reveal(auth.client_id), self.reveal(auth.client_secret)
        form = {"grant_type": "client_credentials", **auth.access_token_request_data}
        headers: dict[str, str] = {}
        if auth.scopes:
            form["scope"] = " ".join(auth.scopes)
        if auth.client_auth == "basic":
            headers = _basic(quote(client, safe=""), quote(secret, safe=""))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": client, "client_secret": secret}
        status, body = await ask(auth.access_token_url, form, headers)
        if status in (400, 401, 403):
            names = " and ".join(self.variables) or "client_id and client_secret"
            raise Forbidden(
                self.source.id, f"no token was given ({status})", hint=f"{names} may be wrong or expired"
            )
        try:
            answer = msgspec.json.decode(body, type=dict[str, Any])
            token = str(answer["access_token"])
            lasts = float(answer.get("expires_in") or auth.default_token_expiration)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise Drift(self.source.id, "the token endpoint answers without an access_token") from error
        self._token, self._until = token, time.monotonic() + max(lasts - _EARLY, lasts / 2)
        self.secrets.add(token)


def read_auth(source: Source) -> Auth | None:
    """`[fetch] auth`, checked; headers and params as well. Raises SourceFileError for a secret in the file."""
    given = source.fetch.get("auth")
    for table in ("headers", "params"):
        for name, value in dict(source.fetch.get(table) or {}).items():
            if _SECRET_NAME.search(name) and isinstance(value, str) and value:
                _check_secret(source, f"{table}.{name}", value)
    if given is None:
        return None
    try:
        auth: Auth = msgspec.convert(given, Auth)
    except msgspec.ValidationError as error:
        raise SourceFileError(
            source.id,
            f"[fetch] auth: {error}",
            hint='type = "api_key", "bearer", "http_basic" or "oauth2_client_credentials"',
        ) from error
    for key in ("api_key", "token", "password", "client_id", "client_secret"):
        if (value := getattr(auth, key, None)) is not None:
            _check_secret(source, f"auth.{key}", value)
    return auth


def _check_secret(source: Source, key: str, value: str) -> None:
    if value.startswith("env:") and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value[4:]):
        return
    if value.startswith("public:") and len(value) > len("public:"):
        return
    raise SourceFileError(
        source.id,
        f"[fetch] {key} is written out: a secret never stands in a source file",
        hint=f'{key} = "env:LANDBRIDGE_{_constant(source)}", or "public:…" for a key that the register publishes',
    )


def _constant(source: Source) -> str:
    return re.sub(r"\W+", "_", f"{source.member}_{source.name}_key").upper()


def _variables(value: Any) -> list[str]:
    """The names of the environment variables that a source reads."""
    if isinstance(value, str):
        return [value.removeprefix("env:")] if value.startswith("env:") else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for one in inner for name in _variables(one)))


def _basic(username: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}
