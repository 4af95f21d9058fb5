"""SD-JWTs, made, and presented: an issuer conceals, a holder discloses (RFC 9901, sections 4, 5 and 8)."""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from landbridge.errors import CredentialError
from landbridge.prove.formats import sdjwt
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.keys import PrivateKey, algorithm_of, base64url, from_jwk, sign, to_jwk

Path = tuple[str | int | None, ...]
"""Where a claim is: names of members, positions of elements, None for every element (as in SD-JWT VC type metadata)."""

_RESERVED = frozenset({"_sd", "...", "_sd_alg"})
_SALT = 16  # bytes: 128 bits, section 9.3


def create(
    claims: Mapping[str, Any],
    *,
    key: PrivateKey,
    conceal: Iterable[Path] = (),
    header: Mapping[str, Any] | None = None,
    holder: Mapping[str, Any] | None = None,
    decoys: int = 0,
    digest: str = "sha-256",
    salt: Callable[[], str] | None = None,
) -> str:
    """One SD-JWT with all its disclosures, in the compact form: for its holder alone.

    `conceal` names the claims the holder may keep back, members and elements, one inside the other where wanted;
    `holder` is the public JWK the holder must prove to have; `header` is added to `alg` (and `typ`, `dc+sd-jwt`
    where the claims have a `vct`); `decoys` digests of nothing are put beside the concealed claims of each place.
    Raises NotIssued: for reserved names, a path that leads nowhere, what is no JSON, and what SD-JWT VC forbids.
    """
    claims = dict(claims)
    if holder is not None:
        try:
            claims["cnf"] = {"jwk": to_jwk(from_jwk(dict(holder)))}
        except CredentialError as wrong:
            raise NotIssued(f"the holder's key is not one: {wrong}", code="holder-key") from None
    issue = _Issue(tuple(conceal), decoys, digest, salt or _salt)
    payload = issue.of_object(claims, ())
    if issue.disclosures or digest != "sha-256":
        payload["_sd_alg"] = digest
    missed = [path for path in issue.conceal if path not in issue.used]
    if missed:
        raise NotIssued(f"conceal={'.'.join(map(str, missed[0]))} names no claim", code="no-such-claim")
    protected = {
        "alg": algorithm_of(key),
        **({"typ": "dc+sd-jwt"} if "vct" in claims else {}),
        **(header or {}),
    }
    token = "~".join((_signed(protected, payload, key), *issue.disclosures, ""))
    _check(token, claims)
    return token


def present(
    token: str,
    disclose: Iterable[Path] = (),
    *,
    key: PrivateKey | None = None,
    audience: str = "",
    nonce: str = "",
    at: datetime | None = None,
) -> str:
    """The SD-JWT with only those disclosures, and those they hang on; with `key`, bound to `audience`, `nonce`, `at`.

    Positions in `disclose` are those of the array as issued. Raises NotIssued where a path names no concealed claim.
    """
    held = sdjwt.read(token)
    concealed = dict(_concealed(held))
    wanted: set[str] = set()
    for pattern in disclose:
        found = [path for path in concealed if _fits(pattern, path)]
        if not found:
            raise NotIssued(
                f"disclose={'.'.join(map(str, pattern))} names no concealed claim", code="no-such-claim"
            )
        for path in found:
            wanted.update(concealed[path[:end]] for end in range(1, len(path) + 1) if path[:end] in concealed)
    shown = [one for one in held.disclosures if one in wanted]
    presented = "~".join((token.split("~", 1)[0], *shown, ""))
    if key is None:
        return presented
    if at is None:
        raise TypeError("a presentation that is bound needs `at`")
    name = held.payload.get("_sd_alg", "sha-256")
    bound = {
        "iat": int(at.timestamp()),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": sdjwt.digest(presented, name),
    }
    return presented + _signed({"alg": algorithm_of(key), "typ": "kb+jwt"}, bound, key)


def as_json(token: str, others: Iterable[tuple[PrivateKey, Mapping[str, Any]]] = ()) -> dict[str, Any]:
    """The same in the JSON serialization: flattened, or general where `others` sign too, each with (key, header)."""
    held = sdjwt.read(token)
    protected, payload, signature = token.split("~", 1)[0].split(".")
    header: dict[str, Any] = {"disclosures": list(held.disclosures)}
    if held.key_binding:
        header["kb_jwt"] = held.key_binding
    first = {"protected": protected, "signature": signature, "header": header}
    more = []
    for key, fields in others:
        name = base64url(_json({"alg": algorithm_of(key), **fields}))
        made = sign(key, algorithm_of(key), f"{name}.{payload}".encode())
        more.append({"protected": name, "signature": base64url(made)})
    return {"payload": payload, "signatures": [first, *more]} if more else {"payload": payload, **first}


class _Issue:
    """One walk through the claims: what was concealed, and the disclosures made of it."""

    def __init__(self, conceal: tuple[Path, ...], decoys: int, digest: str, salt: Callable[[], str]) -> None:
        self.conceal = conceal
        self.decoys = decoys
        self.digest = digest
        self.salt = salt
        self.disclosures: list[str] = []
        self.used: set[Path] = set()

    def of(self, value: Any, path: Path) -> Any:
        if len(path) > sdjwt.MAX_DEPTH:
            raise NotIssued("the claims are nested too deep", code="too-deep")
        if isinstance(value, Mapping):
            return self.of_object(value, path)
        return self._of_array(value, path) if isinstance(value, list | tuple) else value

    def of_object(self, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        digests: list[str] = []
        for name, one in value.items():
            if not isinstance(name, str) or name in _RESERVED:
                raise NotIssued(f"a claim cannot have the name {name!r}", code="reserved-name")
            inner = self.of(one, (*path, name))
            if self._concealed((*path, name)):
                digests.append(self._disclose([self.salt(), name, inner]))
            else:
                found[name] = inner
        if digests:
            digests.extend(self._decoy() for _ in range(self.decoys))
            found["_sd"] = sorted(digests)  # An order that says nothing of the claims' own.
        return found

    def _of_array(self, value: list[Any] | tuple[Any, ...], path: Path) -> list[Any]:
        found: list[Any] = []
        concealing = False
        for position, one in enumerate(value):
            inner = self.of(one, (*path, position))
            if self._concealed((*path, position)):
                concealing = True
                found.append({"...": self._disclose([self.salt(), inner])})
            else:
                found.append(inner)
        for _ in range(self.decoys if concealing else 0):
            found.insert(secrets.randbelow(len(found) + 1), {"...": self._decoy()})
        return found

    def _concealed(self, path: Path) -> bool:
        fitting = [one for one in self.conceal if _fits(one, path)]
        self.used.update(fitting)
        return bool(fitting)

    def _disclose(self, parts: list[Any]) -> str:
        text = base64url(_json(parts))
        self.disclosures.append(text)
        return sdjwt.digest(text, self.digest)

    def _decoy(self) -> str:
        return sdjwt.digest(base64url(os.urandom(32)), self.digest)


def _salt() -> str:
    return base64url(os.urandom(_SALT))


def _fits(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(
        isinstance(step, int) if wanted is None else type(wanted) is type(step) and wanted == step
        for wanted, step in zip(pattern, path, strict=True)
    )


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as wrong:
        raise NotIssued(f"a claim cannot be written as JSON: {type(wrong).__name__}", code="form") from None


def _signed(header: Mapping[str, Any], payload: Mapping[str, Any], key: PrivateKey) -> str:
    if header["alg"] != algorithm_of(key):
        raise NotIssued(
            f"the key signs with {algorithm_of(key)}, not {header['alg']!r}", code="algorithm-refused"
        )
    message = f"{base64url(_json(header))}.{base64url(_json(payload))}"
    return f"{message}.{base64url(sign(key, header['alg'], message.encode()))}"


def _check(token: str, claims: Mapping[str, Any]) -> None:
    """Strict in what is issued: what our own reader finds at fault is not handed out."""
    held = sdjwt.read(token)
    read = sdjwt.reconstruct(held.payload, held.disclosures)
    if read != json.loads(_json(claims)):
        raise NotIssued("with everything disclosed, other claims come out than went in", code="form")
    faults = sdjwt.faults_of(held, read)
    if faults:
        raise NotIssued(faults[0][1], code="form")


def _concealed(held: sdjwt.SdJwt) -> Iterator[tuple[Path, str]]:
    """(path, disclosure) of every claim the holder can disclose."""
    name = held.payload.get("_sd_alg", "sha-256")
    by_digest = {sdjwt.digest(one, name): one for one in held.disclosures}
    sdjwt.reconstruct(held.payload, held.disclosures)  # Refuses what could not be walked below.
    yield from _walk(held.payload, (), by_digest)


def _walk(value: Any, path: Path, by_digest: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name != "_sd":
                yield from _walk(one, (*path, name), by_digest)
        for digest in value.get("_sd", ()):
            if (text := by_digest.get(digest)) is not None:
                _, name, inner = sdjwt.read_disclosure(text)
                yield (*path, name), text
                yield from _walk(inner, (*path, name), by_digest)
    elif isinstance(value, list):
        position = 0
        for one in value:
            if isinstance(one, dict) and "..." in one:
                text = by_digest.get(one["..."])
                if text is None:
                    continue
                yield (*path, position), text
                one = sdjwt.read_disclosure(text)[1]
            yield from _walk(one, (*path, position), by_digest)
            position += 1
