"""An issuing office: its profile, its keys, the log of all it signed, and the list of what it took back.

One folder an office:

| file          | what it holds                                                                               |
|---------------|---------------------------------------------------------------------------------------------|
| `office.toml` | `title`, `id`, `country`, `kinds`, `status` (the address its list is published at), `days`     |
| `keys/`       | its keys (`keys.py`)                                                                         |
| `issued.db`   | hashes of what was signed, in order, and the numbers given out in the status list            |

Nothing of a credential is kept but its SHA-256: who was issued what is for the office's own systems to know.
"""

import hashlib
import re
import secrets
import sqlite3
import tomllib
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import msgspec

from landbridge.prove.cose import sig_structure
from landbridge.prove.issue import documents, hcert, jwtvc, log, sdjwt, shc
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.keys import KeyRing, Signing
from landbridge.prove.keys import base64url, to_jwk
from landbridge.prove.status.bits import Row, make_row, pack_bitstring_row, pack_token_row

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,40}")
_TABLES = """
create table if not exists entries (seq integer primary key, digest blob not null unique, at text not null);
create table if not exists places (place integer primary key, seq integer not null);
create table if not exists taken_back (place integer primary key, value integer not null, at text not null);
"""
_BLOCK = 1 << 16
"""The status list grows by so many entries, and numbers are drawn at random within: they tell no order."""
_TTL = 43_200  # seconds until a reader should ask for a newer list
_NAMED = {"valid": 0, "invalid": 1, "suspended": 2}


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`office.toml`."""

    title: str
    id: str
    """An https address: the issuer's name in cards and tokens."""
    country: str
    kinds: tuple[str, ...]
    status: str = ""
    days: int = 180
    """How long a credential is valid where nobody says otherwise."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What an office has signed. `text` is for its holder, and for nobody's disk here."""

    text: str
    code: str
    """What a QR code of it says; empty where it fits none."""
    format: str
    kind: str
    seq: int
    """Its place in the log, from 0."""
    place: int | None
    """Its number in the status list."""
    expires: datetime


class Office:
    """One issuing office, opened with the passphrase of its keys."""

    def __init__(self, folder: Path, passphrase: str) -> None:
        self.folder = folder
        self.profile = read_profile(folder)
        self.keys = KeyRing(folder / "keys", passphrase)
        self._signing: Signing | None = None

    @classmethod
    def found(
        cls, folder: Path, profile: Profile, passphrase: str, *, at: datetime, algorithm: str = "ES256"
    ) -> "Office":
        """A new office with its first key. Raises NotIssued where there is one already, or the profile is none."""
        if (folder / "office.toml").exists():
            raise NotIssued(f"there is an office {folder.name} already", code="office")
        _check_profile(profile, folder.name)
        ring = KeyRing(folder / "keys", passphrase)
        ring.generate(
            at.strftime("%Y-%m-%d"),
            country=profile.country,
            organisation=profile.title,
            algorithm=algorithm,
            kinds=profile.kinds,
            at=at,
        )
        (folder / "office.toml").write_text(_toml(profile), "utf-8")
        return cls(folder, passphrase)

    @property
    def signing(self) -> Signing:
        if self._signing is None:
            self._signing = self.keys.signer()
        return self._signing

    def issue(
        self,
        format_: str,
        kind: str,
        case: Mapping[str, str],
        *,
        at: datetime,
        days: int | None = None,
        conceal: tuple[str, ...] | None = None,
        holder: Mapping[str, Any] | None = None,
    ) -> Issued:
        """Signs one case, numbers it in the status list, and records its hash. Raises NotIssued: nothing was signed.

        `conceal` names the claims of an SD-JWT its holder may keep back (all of them, where it is None); `holder` is
        the JWK it is bound to.
        """
        if kind not in self.profile.kinds:
            raise NotIssued(f"this office issues {', '.join(self.profile.kinds)}, not {kind}", code="kind")
        profile = self.profile
        filled = documents.check(kind, case, country=profile.country, by=profile.title)
        body = documents.claims(format_, kind, filled, issuer=profile.id, by=profile.title)
        expires = at + timedelta(days=days or profile.days)
        with closing(self._database()) as database, database:
            place = self._draw_place(database) if profile.status else None
            text, code = self._sign(format_, body, at, expires, place, conceal, holder)
            seq = self._record(database, text, at)
            if place is not None:
                database.execute("insert into places values (?, ?)", (place, seq))
        return Issued(text=text, code=code, format=format_, kind=kind, seq=seq, place=place, expires=expires)

    def _sign(
        self,
        format_: str,
        body: dict[str, Any],
        at: datetime,
        expires: datetime,
        place: int | None,
        conceal: tuple[str, ...] | None,
        holder: Mapping[str, Any] | None,
    ) -> tuple[str, str]:
        signing, profile = self.signing, self.profile
        status = None if place is None else {"status_list": {"idx": place, "uri": profile.status}}
        if format_ == "hcert":
            text = hcert.create(
                body,
                key=signing.private,
                kid=signing.kid,
                country=profile.country,
                issued=at,
                expires=expires,
                status=status,
            )
            return text, text
        if format_ == "shc":
            token = shc.create(
                body,
                key=signing.private,
                issuer=profile.id,
                issued=at,
                expires=expires,
                revocation_id="" if place is None else base64url(place.to_bytes(4, "big")),
            )
            return token, shc.numeric(token)
        if format_ == "sd-jwt-vc":
            token = sdjwt.create(
                {
                    **body,
                    "iat": int(at.timestamp()),
                    "exp": int(expires.timestamp()),
                    **({"status": status} if status else {}),
                },
                key=signing.private,
                conceal=[
                    (name,) for name in (body if conceal is None else conceal) if name not in ("iss", "vct")
                ],
                header={"kid": signing.thumbprint},
                holder=holder,
            )
            return token, token
        entry = None if place is None else self._bitstring_entry(place)
        token = jwtvc.create(
            body, key=signing.private, kid=signing.thumbprint, issued=at, expires=expires, status=entry
        )
        return token, token

    def _bitstring_entry(self, place: int) -> dict[str, Any]:
        """Bitstring Status List 1.0, section 2.1."""
        uri = f"{self.profile.status}/bitstring"
        return {
            "id": f"{uri}#{place}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(place),
            "statusListCredential": uri,
        }

    def take_back(self, place: int, *, at: datetime, value: str = "invalid") -> None:
        """Marks one number of the status list `invalid`, `suspended`, or `valid` again; published with the next list.

        What is invalid stays so. Raises NotIssued for a number that was never given out.
        """
        if value not in _NAMED:
            raise NotIssued(f"a credential is {', '.join(_NAMED)}, not {value}", code="status")
        with closing(self._database()) as database, database:
            if not database.execute("select 1 from places where place = ?", (place,)).fetchone():
                raise NotIssued(f"the number {place} was never given out here", code="status")
            known = database.execute("select value from taken_back where place = ?", (place,)).fetchone()
            if known and known[0] == 1 and value != "invalid":
                raise NotIssued(f"the number {place} was taken back for good", code="status")
            database.execute(
                "insert into taken_back values (?, ?, ?) on conflict (place) do update set value = excluded.value, at = excluded.at",
                (place, _NAMED[value], at.isoformat()),
            )

    def status_row(self) -> Row:
        """The list as it stands: two bits an entry, for what is suspended is not gone."""
        with closing(self._database()) as database:
            marked = dict(database.execute("select place, value from taken_back where value > 0"))
            return make_row(self._length(database), marked, 2)

    def publish_status(self, *, at: datetime, days: int = 7) -> dict[str, bytes]:
        """The signed status lists by the address each is to be put at: one as a JWT, the same as a CWT and as a
        credential (Token Status List, sections 5.1 and 5.2; Bitstring Status List, section 2.2)."""
        uri = self.profile.status
        if not uri:
            raise NotIssued(
                "this office has no address for a status list",
                code="status",
                hint="Set `status` in office.toml.",
            )
        row, signing = self.status_row(), self.signing
        until = at + timedelta(days=days)
        issued, expires = int(at.timestamp()), int(until.timestamp())
        packed = pack_token_row(row)
        list_ = {"bits": row.size, "lst": base64url(packed)}
        token = self._signed(
            "statuslist+jwt", {"sub": uri, "iat": issued, "exp": expires, "ttl": _TTL, "status_list": list_}
        )
        protected = cbor2.dumps(
            {1: _COSE[signing.algorithm], 4: signing.kid, 16: "application/statuslist+cwt"}
        )
        claims = {2: uri, 6: issued, 4: expires, 65534: _TTL, 65533: {"bits": row.size, "lst": packed}}
        body = cbor2.dumps(claims)
        signature = signing.sign(sig_structure(protected, body))
        credential = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": f"{uri}/bitstring",
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self.profile.id,
            "credentialSubject": {
                "id": f"{uri}/bitstring#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": pack_bitstring_row(self._withdrawn(len(row))),
            },
        }
        bitstring = jwtvc.create(
            credential, key=signing.private, kid=signing.thumbprint, issued=at, expires=until
        )
        return {
            uri: token.encode(),
            f"{uri}.cwt": cbor2.dumps(cbor2.CBORTag(18, [protected, {}, body, signature])),
            f"{uri}/bitstring": bitstring.encode(),
        }

    def _withdrawn(self, length: int) -> Row:
        """One bit an entry: withdrawn or suspended. W3C wants at least 131,072 entries."""
        with closing(self._database()) as database:
            places = [row[0] for row in database.execute("select place from taken_back where value > 0")]
        return make_row(max(length, 1 << 17), dict.fromkeys(places, 1), low_first=False)

    def leaves(self) -> list[bytes]:
        """The leaf hashes of the log, in order."""
        with closing(self._database()) as database:
            return [
                log.leaf_hash(row[0]) for row in database.execute("select digest from entries order by seq")
            ]

    def head(self, *, at: datetime) -> dict[str, Any]:
        """The signed head of the log: size, root, time, in a JWS of the type `landbridge-log+jwt`."""
        leaves = self.leaves()
        payload = {
            "iss": self.profile.id,
            "iat": int(at.timestamp()),
            "size": len(leaves),
            "root": log.root(leaves).hex(),
        }
        return {**payload, "jws": self._signed("landbridge-log+jwt", payload)}

    def _signed(self, type_: str, payload: Mapping[str, Any]) -> str:
        header = {"alg": self.signing.algorithm, "typ": type_, "kid": self.signing.thumbprint}
        signed = ".".join(base64url(msgspec.json.encode(part)) for part in (header, payload))
        return f"{signed}.{base64url(self.signing.sign(signed.encode()))}"

    def find(self, text: str) -> int | None:
        """The place of a credential in the log; None where it is not there, although it may be signed."""
        with closing(self._database()) as database:
            row = database.execute("select seq from entries where digest = ?", (_digest(text),)).fetchone()
        return row[0] if row else None

    def trust_entry(self) -> str:
        """What a member lists this office by: the TOML of `members/xx/issues/…`, with the certificates of all its keys."""
        profile = self.profile
        lines = [
            f"title     = {_quoted(profile.title)}",
            f"id        = {_quoted(profile.id)}",
            f"territory = {_quoted(profile.country)}",
            f"kinds     = [{', '.join(map(_quoted, profile.kinds))}]",
            "complete  = true",
        ]
        for _, certificate in self.keys.certificates():
            lines += ["", "[[keys]]", f'certificate = "{_base64(certificate.der)}"']
        return "\n".join(lines) + "\n"

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set, for `.well-known/jwks.json` of the issuer's address."""
        keys = []
        for name, _ in self.keys.certificates():
            signing = self.keys.signer(name)
            jwk: dict[str, Any] = to_jwk(signing.private.public_key())
            keys.append({**jwk, "use": "sig", "alg": signing.algorithm, "kid": signing.thumbprint})
        return {"keys": keys}

    def _record(self, database: sqlite3.Connection, text: str, at: datetime) -> int:
        seq = database.execute("select count(*) from entries").fetchone()[0]
        database.execute(
            "insert into entries values (?, ?, ?)", (seq, _digest(text), at.astimezone(UTC).isoformat())
        )
        return int(seq)

    def _draw_place(self, database: sqlite3.Connection) -> int:
        """A number nobody has, drawn within a list that is never more than half full."""
        while True:
            place = secrets.randbelow(self._length(database))
            if not database.execute("select 1 from places where place = ?", (place,)).fetchone():
                return place

    def _length(self, database: sqlite3.Connection) -> int:
        given = database.execute("select count(*), coalesce(max(place), 0) from places").fetchone()
        length = _BLOCK
        while given[0] * 2 > length or given[1] >= length:
            length *= 2
        return length

    def _database(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.folder / "issued.db", timeout=30)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.executescript(_TABLES)
        database.execute("begin immediate")
        return database


_COSE = {"ES256": -7, "ES384": -35, "EdDSA": -8, "PS256": -37}


def read_profile(folder: Path) -> Profile:
    """The profile of an office. Raises NotIssued."""
    path = folder / "office.toml"
    if not path.is_file():
        raise NotIssued(
            f"there is no office {folder.name[:40]!r}",
            code="office",
            hint="Make it with `landbridge issue office`.",
        )
    try:
        profile = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as wrong:
        raise NotIssued(f"{path.name} of {folder.name} cannot be used: {wrong}", code="office") from None
    _check_profile(profile, folder.name)
    return profile


def _check_profile(profile: Profile, name: str) -> None:
    if not _SLUG.fullmatch(name):
        raise NotIssued(
            f"{name[:40]!r} is no name for an office: small letters, digits and hyphens", code="office"
        )
    if not re.fullmatch(r"[A-Z]{2}", profile.country):
        raise NotIssued(
            f"country={profile.country[:20]!r} is no ISO 3166-1 code of two letters", code="office"
        )
    if not profile.id.startswith("https://") or profile.id.endswith("/"):
        raise NotIssued(
            f"id={profile.id[:80]!r} is not an https address without a slash at its end", code="office"
        )
    unknown = set(profile.kinds) - set(documents.FIELDS)
    if unknown or not profile.kinds:
        raise NotIssued(f"kinds are some of {', '.join(documents.FIELDS)}", code="office")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _toml(profile: Profile) -> str:
    lines = [f"{name} = {_value(value)}" for name, value in msgspec.to_builtins(profile).items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _base64(data: bytes) -> str:
    return base64url(data).replace("-", "+").replace("_", "/") + "=" * (-len(data) % 3)
