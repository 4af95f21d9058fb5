"""Who may see the operator's pages: a local token, or an OpenID Connect provider; a session is a signed cookie.

The cookie is HttpOnly and SameSite=Strict and holds subject, role, end and a number; its key comes from a secret in
the data directory and from the token, so that a new token ends every session. Signing out writes the number down:
a copy of the cookie is worth nothing afterwards.
"""

import base64
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from landbridge.errors import ConfigError, LandbridgeError
from landbridge.portal.oidc import Asked, Provider, read_provider

TOKEN_FILE: Final = "operator.token"  # noqa: S105 a file name
KEY_FILE: Final = "operator.key"
OUT_FILE: Final = "operator.out"  # sessions that were signed out before their end
COOKIE: Final = "operator"
ASKED_COOKIE: Final = "operator-asked"
LASTS: Final = 8 * 3_600
_ASKED_LASTS: Final = 600
_SHORTEST = 16  # characters of a token that somebody chose
_FREE = 5  # wrong tokens before one has to wait
_WAIT, _LONGEST_WAIT = 30.0, 900.0
_MOST_HOSTS = 10_000
Role = Literal["viewer", "operator"]
_T = TypeVar("_T")


class SignIn(LandbridgeError):
    """Somebody who is not signed in."""

    status = 401


class NotAllowed(LandbridgeError):
    """Somebody who is signed in and may not do this."""

    status = 403


class Session(msgspec.Struct, frozen=True):
    """Somebody who is signed in, until when (seconds of the epoch)."""

    who: str
    role: Role
    until: float
    number: str


class _AskedUntil(msgspec.Struct, frozen=True):
    asked: Asked
    until: float


class Door:
    """The way in to the operator's pages of one instance."""

    def __init__(
        self, data: Path, env: Mapping[str, str] | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.data = data
        self.clock = clock
        env = os.environ if env is None else env
        self.provider: Provider | None = read_provider(env)
        self._chosen = env.get("LANDBRIDGE_OPERATOR_TOKEN", "")
        if self._chosen and len(self._chosen) < _SHORTEST:
            raise ConfigError(
                f"LANDBRIDGE_OPERATOR_TOKEN has {len(self._chosen)} characters",
                hint=f"{_SHORTEST} at least; or leave it out, and {TOKEN_FILE} is made in the data directory",
            )
        self._failed: dict[str, tuple[int, float]] = {}

    @property
    def token(self) -> str:
        """The operator's token: the setting's, else the file's, which is made when it is not there."""
        return self._chosen or _kept(self.data / TOKEN_FILE)

    # the local token

    def wait(self, host: str) -> float:
        """How many seconds a host that gave wrong tokens has to wait before its next one is looked at."""
        return max(0.0, self._failed.get(host, (0, 0.0))[1] - self.clock())

    def try_token(self, given: str, host: str) -> Session | None:
        """The session of who knows the token; a wrong one counts against the host."""
        if self.wait(host):
            return None
        if hmac.compare_digest(_digest(given), _digest(self.token)):
            self._failed.pop(host, None)
            return self.open("token", "operator")
        count = self._failed.pop(host, (0, 0.0))[0] + 1
        pause = min(_WAIT * 2.0 ** (count - _FREE), _LONGEST_WAIT) if count >= _FREE else 0.0
        self._failed[host] = (count, self.clock() + pause)
        if len(self._failed) > _MOST_HOSTS:
            del self._failed[next(iter(self._failed))]
        return None

    # sessions

    def open(self, who: str, role: Role) -> Session:
        return Session(who, role, self.clock() + LASTS, secrets.token_urlsafe(16))

    def session(self, request: Request) -> Session | None:
        """Who makes this request, if they are signed in."""
        found = self._unseal(request.cookies.get(COOKIE, ""), "session", Session)
        if found is None or found.until < self.clock() or found.number in self._signed_out():
            return None
        return found

    def require(self, request: Request, role: Role = "viewer") -> Session:
        """Who makes this request. Raises SignIn or NotAllowed."""
        found = self.session(request)
        if found is None:
            raise SignIn("this page is for operators")
        if role == "operator" and found.role != "operator":
            raise NotAllowed("a viewer changes nothing", hint="ask for the role operator")
        return found

    def enter(self, response: Response, session: Session, *, secure: bool) -> None:
        """Gives the session to the browser."""
        self._set(response, COOKIE, self._seal(session, "session"), LASTS, secure=secure)

    def leave(self, response: Response, session: Session) -> None:
        """Ends the session, here and in the browser."""
        path = self.data / OUT_FILE
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < self.clock() - LASTS:  # every session in it has ended by itself
                path.unlink()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(session.number + "\n")
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")

    def _signed_out(self) -> set[str]:
        try:
            return set((self.data / OUT_FILE).read_text("ascii").split())
        except FileNotFoundError:
            return set()

    # forms

    def form_token(self, session: Session) -> str:
        """What a form of this session must send back."""
        return hmac.new(self._key("form"), session.number.encode(), "sha256").hexdigest()

    def check_form(self, session: Session, given: object) -> None:
        """Raises NotAllowed for a form that was not on a page of this session."""
        if not isinstance(given, str) or not hmac.compare_digest(
            given.encode(), self.form_token(session).encode()
        ):
            raise NotAllowed("this form is not from a page of yours", hint="open the page again")

    # what a sign-in elsewhere must come back with

    def remember(self, response: Response, asked: Asked, *, secure: bool) -> None:
        """For the way back from another site, on which the browser sends no strict cookie."""
        sealed = self._seal(_AskedUntil(asked, self.clock() + _ASKED_LASTS), "asked")
        self._set(response, ASKED_COOKIE, sealed, _ASKED_LASTS, secure=secure, strict=False)

    def asked(self, request: Request) -> Asked | None:
        found = self._unseal(request.cookies.get(ASKED_COOKIE, ""), "asked", _AskedUntil)
        return found.asked if found is not None and found.until >= self.clock() else None

    def forget(self, response: Response) -> None:
        response.delete_cookie(ASKED_COOKIE, path="/", httponly=True, samesite="lax")

    # sealing

    def _set(
        self, response: Response, name: str, value: str, age: int, *, secure: bool, strict: bool = True
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=age,
            path="/",
            httponly=True,
            secure=secure,
            samesite="strict" if strict else "lax",
        )

    def _key(self, purpose: str) -> bytes:
        made_from = f"{purpose} {_digest(self.token).hex()}".encode()
        return hmac.new(_kept(self.data / KEY_FILE).encode(), made_from, "sha256").digest()

    def _seal(self, value: msgspec.Struct, purpose: str) -> str:
        body = base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
        return f"{body}.{hmac.new(self._key(purpose), body.encode(), 'sha256').hexdigest()}"

    def _unseal(self, text: str, purpose: str, type_: type[_T]) -> _T | None:
        body, dot, mark = text.rpartition(".")
        if not dot:
            return None
        good = hmac.new(self._key(purpose), body.encode(), "sha256").hexdigest()
        if not hmac.compare_digest(mark.encode(), good.encode()):
            return None
        return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=type_)


def prepare(data: Path, env: Mapping[str, str] | None = None) -> Path | None:
    """Makes the operator's token where no setting names one; returns the file that holds it."""
    env = os.environ if env is None else env
    if env.get("LANDBRIDGE_OPERATOR_TOKEN"):
        return None
    _kept(data / TOKEN_FILE)
    return data / TOKEN_FILE


def _kept(path: Path) -> str:
    """The secret in this file, which is made if it is not there; of two that make it, the first one wins."""
    with suppress(FileNotFoundError):
        return _read(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _read(path)


def _read(path: Path) -> str:
    found = path.read_text("utf-8").strip()
    if len(found) < _SHORTEST:
        raise ConfigError(
            f"{path} holds no secret", hint="delete it: a new one is made, and everybody signs in anew"
        )
    return found


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
