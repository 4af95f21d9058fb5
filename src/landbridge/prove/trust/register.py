"""Our own list of issuers: the TOML that people write, and the JSON that a member signs and everybody carries.

`members/xa/issues/laboratory.toml` (one issuer; certificates and keys in files beside it):

| field              | what it says                                                                                 |
|--------------------|----------------------------------------------------------------------------------------------|
| `title`            | the issuer's name, as an officer reads it                                                      |
| `id`               | how its credentials name it: a URL, a DID, a certificate's subject; empty where formats do not |
| `territory`        | its country, ISO 3166-1 alpha-2                                                                |
| `kinds`            | what it may issue; absent: everything                                                          |
| `territories`      | the countries whose matters it may attest; absent: every one                                   |
| `since`, `until`   | from when to when it may issue: a day, or a time with its zone; `until` a day: to its end      |
| `withdrawn`        | nothing it issued from then on is believed                                                     |
| `reason`           | why it was withdrawn                                                                           |
| `lists`            | addresses of its lists of withdrawn credentials                                                |
| `complete`         | false where these are not all of its keys; then another key is unknown rather than wrong       |
| `[[keys]]`         | one of `jwk` (a table), `pem` (text), `certificate` (a file beside, or base64 DER);            |
|                    | with `ids` (further identifiers), `since`, `until`, `withdrawn`, `reason` of this key alone,   |
|                    | and `authority = true` where the certificate names signers instead of signing                  |

`issuers.json`: `{"version": 1, "member": "xa", "issued": TIME, "expires": TIME, "issuers": [the same fields]}`,
every key as `jwk` or as `certificate` in base64. `expires` may be absent: it is the day after which its member
wants nobody to rely on the list. An unknown field is an error that names it.
"""

import base64
import re
import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from landbridge.errors import CredentialError
from landbridge.prove.certificates import Certificate, read_certificate, read_certificates
from landbridge.prove.facts import Issuer
from landbridge.prove.jose import read_json
from landbridge.prove.keys import PublicKey, from_jwk, from_spki, to_jwk
from landbridge.prove.trust.list import Authority, Signer, Source
from landbridge.prove.trust.material import (
    Material,
    TrustUnreadable,
    as_authority,
    from_any_base64,
    kid_forms,
    of_certificate,
    of_key,
    private_key,
    unreadable,
)

KINDS = frozenset(
    {
        "test",
        "vaccination",
        "recovery",
        "qualification",
        "identity",
        "licence",
        "origin",
        "health",
        "credential",
    }
)


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key of an issuer: exactly one of jwk, pem and certificate."""

    jwk: dict[str, Any] | None = None
    pem: str = ""
    certificate: str = ""
    authority: bool = False
    ids: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    withdrawn: str = ""
    reason: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One issuer."""

    title: str
    id: str = ""
    territory: str = ""
    kinds: tuple[str, ...] | None = None
    territories: tuple[str, ...] | None = None
    since: str = ""
    until: str = ""
    withdrawn: str = ""
    reason: str = ""
    lists: tuple[str, ...] = ()
    complete: bool = True
    keys: tuple[Key, ...]


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`issuers.json`."""

    version: Literal[1]
    member: str
    issued: str
    expires: str = ""
    issuers: tuple[Entry, ...]


def read_entry(text: str, *, folder: Path | None, name: str = "") -> tuple[Entry, frozenset[str]]:
    """One issuer's TOML, with the certificates of `folder` in it; and the names of the files it took.

    Raises TrustUnreadable, naming the field.
    """
    try:
        entry = msgspec.convert(_dates_as_text(tomllib.loads(text)), Entry)
    except tomllib.TOMLDecodeError as wrong:
        raise unreadable(f"{name}: this is not TOML: {wrong}") from None
    except msgspec.ValidationError as wrong:
        raise _wrong_field(name, wrong) from None
    keys: list[Key] = []
    taken: set[str] = set()
    for number, key in enumerate(entry.keys):
        place = f"{name}: keys[{number}].certificate"
        if re.fullmatch(r"[\w.-]{1,100}\.(?:pem|crt|cer|der)", key.certificate):
            if folder is None:
                raise unreadable(f"{place} names a file, and there is no folder to find it in")
            try:
                content = (folder / key.certificate).read_bytes()
            except OSError:
                raise unreadable(f"{place} names {key.certificate!r}, which does not lie beside it") from None
            taken.add(key.certificate)
            for certificate in _certificates_of(content, place):
                keys.append(msgspec.structs.replace(key, certificate=_base64(certificate.der)))
        else:
            keys.append(key)
    entry = msgspec.structs.replace(entry, keys=tuple(keys))
    material_of_entry(entry, Source(name=name), name=name)
    return entry, frozenset(taken)


def read_entries(folder: Path) -> tuple[Entry, ...]:
    """Every issuer of a member: the TOML files of its `issues` folder, by name. Raises TrustUnreadable."""
    return tuple(
        read_entry(file.read_text("utf-8"), folder=folder, name=file.name)[0]
        for file in sorted(folder.glob("*.toml"))
    )


def write_register(
    member: str, entries: Iterable[Entry], *, issued: datetime, expires: datetime | None = None
) -> bytes:
    """`issuers.json` of a member, every key in it. Raises TrustUnreadable."""
    plain = []
    for entry in entries:
        material_of_entry(entry, Source(name=member), name=f"{member}: {entry.title}")
        plain.append(
            msgspec.structs.replace(
                entry,
                keys=tuple(
                    msgspec.structs.replace(key, pem="", jwk=to_jwk(_key_of_pem(key.pem, "pem")))
                    if key.pem
                    else key
                    for key in entry.keys
                ),
                since=_written(_moment(entry.since, "since")),
                until=_written(_moment(entry.until, "until", end=True)),
                withdrawn=_written(_moment(entry.withdrawn, "withdrawn")),
            )
        )
    register = Register(
        version=1, member=member, issued=_written(issued), expires=_written(expires), issuers=tuple(plain)
    )
    return msgspec.json.format(msgspec.json.encode(register), indent=1) + b"\n"


def read_register(data: bytes, source: Source) -> tuple[str, datetime, datetime | None, Material]:
    """`issuers.json`: its member, when it was issued, until when it may be relied on, and what is in it.

    Raises TrustUnreadable, naming the field.
    """
    name = source.name or "issuers.json"
    try:
        register = msgspec.convert(read_json(data), Register)
    except msgspec.ValidationError as wrong:
        raise _wrong_field(name, wrong) from None
    except CredentialError as wrong:
        raise unreadable(f"{name}: {wrong}") from None
    issued = _moment(register.issued, f"{name}: issued")
    if issued is None:
        raise unreadable(f"{name}: `issued` is empty; write when the list was made")
    expires = _moment(register.expires, f"{name}: expires", end=True)
    source = Source(name=source.name, issued=source.issued or issued, expires=source.expires or expires)
    parts = [
        material_of_entry(entry, source, name=f"{name}: issuers[{number}]")
        for number, entry in enumerate(register.issuers)
    ]
    material = Material(
        signers=tuple(one for part in parts for one in part.signers),
        authorities=tuple(one for part in parts for one in part.authorities),
        known=frozenset().union(*(part.known for part in parts)),
        names=tuple(one for part in parts for one in part.names),
    )
    return register.member, issued, expires, material


def material_of_entry(entry: Entry, source: Source, *, name: str = "") -> Material:
    """The signers and authorities of one issuer. Raises TrustUnreadable, naming the field."""
    territory = _country(entry.territory, f"{name}: territory") if entry.territory else ""
    for kind in entry.kinds or ():
        if kind not in KINDS:
            raise unreadable(f"{name}: kinds: {kind!r} is none of {', '.join(sorted(KINDS))}")
    for one in entry.territories or ():
        _country(one, f"{name}: territories")
    # Without an id of its own it is known by its title, and speaks under no address that a credential names.
    issuer = Issuer(id=entry.id or entry.title, name=entry.title, territory=territory)
    limits: dict[str, Any] = {
        "kinds": None if entry.kinds is None else frozenset(entry.kinds),
        "territories": None if entry.territories is None else frozenset(entry.territories),
        "lists": entry.lists,
    }
    signers: list[Signer] = []
    authorities: list[Authority] = []
    for number, key in enumerate(entry.keys):
        place = f"{name}: keys[{number}]"
        own = limits | _period(entry, key, place)
        ids = tuple(form for one in key.ids for form in kid_forms(one))
        if sum((key.jwk is not None, bool(key.pem), bool(key.certificate))) != 1:
            raise unreadable(f"{place} needs one of jwk, pem and certificate")
        if key.authority and not key.certificate:
            raise unreadable(f"{place}.authority goes with a certificate only")
        if key.certificate:
            certificate = _certificate(key.certificate, place)
            if key.authority:
                authorities.append(as_authority(certificate, source, issuer=issuer, **own))
            else:
                signers.append(
                    of_certificate(certificate, source, issuer=issuer, ids=ids, unnamed=not ids, **own)
                )
            continue
        if key.jwk is not None:
            if key.jwk.keys() & {"d", "k"}:
                raise private_key()
            ids = (*kid_forms(key.jwk.get("kid")), *ids)
        try:
            public = from_jwk(key.jwk) if key.jwk is not None else _key_of_pem(key.pem, place)
        except TrustUnreadable:
            raise
        except CredentialError as wrong:
            raise unreadable(f"{place}: {wrong}") from None
        signers.append(of_key(public, source, issuer=issuer, ids=ids, unnamed=not ids, **own))
    return Material(
        signers=tuple(signers),
        authorities=tuple(authorities),
        known=frozenset({entry.id}) if entry.id and entry.complete and not authorities else frozenset(),
        names=(issuer,) if entry.id else (),
    )


def _period(entry: Entry, key: Key, place: str) -> dict[str, Any]:
    """When both an issuer and its key have a date, the narrower one counts."""
    starts = (_moment(entry.since, f"{place}: since"), _moment(key.since, f"{place}.since"))
    ends = (_moment(entry.until, f"{place}: until", end=True), _moment(key.until, f"{place}.until", end=True))
    gone = (_moment(entry.withdrawn, f"{place}: withdrawn"), _moment(key.withdrawn, f"{place}.withdrawn"))
    return {
        "since": max((one for one in starts if one), default=None),
        "until": min((one for one in ends if one), default=None),
        "withdrawn": min((one for one in gone if one), default=None),
        "reason": key.reason or entry.reason,
    }


def _certificate(text: str, place: str) -> Certificate:
    try:
        if "-----BEGIN" in text:
            return next(read_certificates(text.encode()))
        return read_certificate(from_any_base64(text))
    except ValueError:
        raise unreadable(f"{place}.certificate is neither a file's name nor base64") from None
    except CredentialError as wrong:
        raise unreadable(f"{place}.certificate: {wrong}") from None


def _certificates_of(content: bytes, place: str) -> tuple[Certificate, ...]:
    try:
        return tuple(read_certificates(content))
    except (CredentialError, ValueError) as wrong:
        raise unreadable(f"{place}: {wrong}") from None


def _key_of_pem(text: str, place: str) -> PublicKey:
    if "PRIVATE KEY" in text:
        raise private_key()
    body = re.fullmatch(r"\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]*)-----END PUBLIC KEY-----\s*", text)
    if body is None:
        raise unreadable(f"{place}.pem is not one public key in PEM")
    try:
        return from_spki(from_any_base64(body[1]))
    except (ValueError, CredentialError) as wrong:
        raise unreadable(f"{place}.pem: {wrong}") from None


def _country(code: str, place: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise unreadable(f"{place}: {code[:40]!r} is not an ISO 3166-1 alpha-2 code")
    return code


def _moment(text: str, place: str, *, end: bool = False) -> datetime | None:
    """A day (its start, or its end), or a time with its zone. Raises TrustUnreadable."""
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day + timedelta(days=1, microseconds=-1) if end else day
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.tzinfo is None:
        raise unreadable(
            f"{place}: {text[:40]!r} is neither a day (2026-05-31) nor a time with its zone (2026-05-31T12:00:00Z)"
        )
    return found.astimezone(UTC)


def _written(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _base64(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _dates_as_text(value: Any) -> Any:
    """TOML's own days and times in the one writing we read."""
    if isinstance(value, dict):
        return {name: _dates_as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _wrong_field(name: str, wrong: msgspec.ValidationError) -> TrustUnreadable:
    return unreadable(
        f"{name}: {wrong}",
        hint="The fields of an issuer's file are listed in docs/how-to/keep-the-trust-list.md.",
    )
