"""An issuing office: its profile, its keys, the log of all it signed, and the list of what it took back.

One folder an office:

| file          | what it holds                                                                               |
|---------------|---------------------------------------------------------------------------------------------|
| `office.toml` | `title`, `id`, `country`, `kinds`, `status` (the address its list is published at), `days`     |
| `keys/`       | its keys (`keys.py`)                                                                         |
| `token`       | the SHA-256 of the token its systems and officers sign in with                               |
| `issued.db`   | hashes of what was signed, in order, and the numbers given out in the status list            |

Nothing of a credential is kept but a hash: who was issued what is for the office's own systems to know. A signature
is in the log, on the disk, before anybody gets to see it.
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import msgspec

from landbridge.errors import CredentialError
from landbridge.prove import carrier
from landbridge.prove.carrier import Carried
from landbridge.prove.cose import sig_structure
from landbridge.prove.envelope import Envelope
from landbridge.prove.formats import containers
from landbridge.prove.issue import documents, hcert, jwtvc, log, sdjwt, shc
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.keys import KeyRing, KeyUnusable, Signing, write_whole
from landbridge.prove.keys import algorithm_of, base64url, thumbprint, to_jwk
from landbridge.prove.status.bits import Row, make_row, pack_bitstring_row, pack_token_row
from landbridge.prove.status.shc import address
from landbridge.prove.verify import recognise

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,40}")
_TABLES = """
create table if not exists entries (seq integer primary key, digest blob not null unique, at text not null);
create table if not exists places (place integer primary key, seq integer not null, card text not null);
create table if not exists changes (number integer primary key, place integer not null, value integer not null,
    at text not null);
create table if not exists asked (key blob primary key, seq integer not null);
"""
_BLOCK = 1 << 16
"""The status list grows by so many entries, and numbers are drawn at random within: they tell no order."""
_TTL = 43_200  # seconds until a reader should ask for a newer list
_NAMED = {"valid": 0, "invalid": 1, "suspended": 2}
_TOKEN = "token"  # noqa: S105 a file name
_TOKEN_BYTES = 32
_URL = re.compile(
    r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?(?:/[A-Za-z0-9_~.-]{1,100}){0,10}", re.ASCII
)
_MOST_DAYS = 36_500
_CHANGES_OF_KEY = "select count(*) from changes where place in (select place from places where card = ?)"
_STANDING = (
    "select place, value from changes where number in (select max(number) from changes group by place)"
)
_STANDING_OF_KEY = f"{_STANDING} and place in (select place from places where card = ?)"  # noqa: S608 ours


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


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be signed."""

    format: str
    kind: str
    case: Mapping[str, object]
    days: int | None = None
    """How long it is valid; None: as the profile says."""
    conceal: tuple[str, ...] | None = None
    """The fields of an SD-JWT its holder may keep back; None: all of them."""
    holder: Mapping[str, Any] | None = None
    """The public JWK an SD-JWT is bound to."""
    once: str = ""
    """A name for this order: under one name nothing is signed a second time."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What an office has signed. `text` is for its holder, and for nobody's disk here."""

    text: str
    code: str
    """What a QR code of it says."""
    format: str
    kind: str
    seq: int
    """Its place in the log, from 0."""
    place: int | None
    """Its number in the status list."""
    expires: datetime


class _Made(msgspec.Struct, frozen=True):
    """A signature that has not left yet."""

    text: str
    code: str
    entry: bytes
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
        cls,
        folder: Path,
        profile: Profile,
        passphrase: str,
        *,
        at: datetime,
        algorithm: str = "ES256",
        key_days: int = 730,
    ) -> "Office":
        """A new office with its first key. Raises NotIssued where there is one already, or the profile is none."""
        if (folder / "office.toml").exists():
            raise NotIssued(f"there is an office {folder.name} already", code="office")
        _check_profile(profile, folder.name)
        KeyRing(folder / "keys", passphrase).generate(
            at.strftime("%Y-%m-%d"),
            country=profile.country,
            organisation=profile.title,
            algorithm=algorithm,
            kinds=profile.kinds,
            at=at,
            days=key_days,
        )
        write_whole(folder / "office.toml", _toml(profile).encode())
        office = cls(folder, passphrase)
        with office._writing():
            pass
        return office

    @property
    def signing(self) -> Signing:
        """The current key: another one, as soon as there is one."""
        name = self.keys.current
        if self._signing is None or self._signing.name != name:
            self._signing = self.keys.signer(name)
        return self._signing

    def issue(
        self,
        format_: str,
        kind: str,
        case: Mapping[str, object],
        *,
        at: datetime,
        days: int | None = None,
        conceal: tuple[str, ...] | None = None,
        holder: Mapping[str, Any] | None = None,
        once: str = "",
    ) -> Issued:
        """Signs one case, numbers it in the status list, and records its hash; the fields are those of `Order`.

        Raises NotIssued: nothing was signed.
        """
        order = Order(
            format=format_, kind=kind, case=case, days=days, conceal=conceal, holder=holder, once=once
        )
        done = self.issue_all([order], at=at)[0]
        if isinstance(done, CredentialError):
            raise done
        return done

    def issue_all(self, orders: Sequence[Order], *, at: datetime) -> list[Issued | CredentialError]:
        """The same for several at once, in one transaction: each is signed, or refused on its own.

        All that was signed is in the log when this returns. Raises KeyUnusable.
        """
        signing = self.signing
        found: list[Issued | CredentialError] = []
        with self._writing() as database:
            given = _given(database)
            for order in orders:
                try:
                    found.append(self._issue(database, order, signing, given, at))
                except CredentialError as wrong:
                    found.append(wrong)
        return found

    def _issue(
        self, database: sqlite3.Connection, order: Order, signing: Signing, given: "_Given", at: datetime
    ) -> Issued:
        profile = self.profile
        if order.kind not in profile.kinds:
            raise NotIssued(
                f"this office issues {', '.join(profile.kinds)}, not {order.kind[:40]!r}",
                code="kind",
                field="kind",
            )
        expires = _expiry(order, profile, signing, at)
        key = _key_of_order(database, order)
        filled = documents.check(
            order.format, order.kind, order.case, country=profile.country, by=profile.title, at=at
        )
        body = documents.claims(order.format, order.kind, filled, issuer=profile.id, by=profile.title)
        place = given.draw(database) if profile.status else None
        made = self._sign(order, body, signing, at, expires, place)
        seq = given.seq
        try:
            database.execute(
                "insert into entries values (?, ?, ?)", (seq, made.entry, at.astimezone(UTC).isoformat())
            )
        except sqlite3.IntegrityError:
            raise NotIssued("this very credential was issued before", code="twice") from None
        if place is not None:
            card = signing.thumbprint if order.format == "shc" else ""
            database.execute("insert into places values (?, ?, ?)", (place, seq, card))
        if key:
            database.execute("insert into asked values (?, ?)", (key, seq))
        given.count(place)
        return Issued(
            text=made.text,
            code=made.code,
            format=order.format,
            kind=order.kind,
            seq=seq,
            place=place,
            expires=made.expires,
        )

    def _sign(
        self,
        order: Order,
        body: dict[str, Any],
        signing: Signing,
        at: datetime,
        expires: datetime,
        place: int | None,
    ) -> _Made:
        """One signature, read again as its verifier will: what our own reader finds at fault is not handed out."""
        if order.format != "sd-jwt-vc" and (order.conceal is not None or order.holder is not None):
            field = "holder" if order.holder is not None else "conceal"
            raise NotIssued(f"{field} is for sd-jwt-vc alone", code="format", field=field)
        profile, key = self.profile, signing.private
        status = None if place is None else {"status_list": {"idx": place, "uri": profile.status}}
        code = ""
        if order.format == "hcert":
            text = hcert.create(
                body,
                key=key,
                kid=signing.kid,
                country=profile.country,
                issued=at,
                expires=expires,
                status=status,
            )
        elif order.format == "shc":
            text = shc.create(
                body,
                key=key,
                issuer=profile.id,
                issued=at,
                expires=expires,
                revocation_id="" if place is None else _rid(place),
            )
            code = shc.numeric(text)
        elif order.format == "sd-jwt-vc":
            text = sdjwt.create(
                {
                    **body,
                    "iat": int(at.timestamp()),
                    "exp": int(expires.timestamp()),
                    **({"status": status} if status else {}),
                },
                key=key,
                conceal=_concealed(order, body),
                header={"kid": signing.thumbprint},
                holder=_holder(order),
            )
        else:
            entries = () if place is None else self._bitstring_entries(place)
            text = jwtvc.create(
                body, key=key, kid=signing.thumbprint, issued=at, expires=expires, status=entries
            )
        envelope = read_again(text)
        if envelope.faults or envelope.leniencies or envelope.content.kind != order.kind:
            why = envelope.faults[0][1] if envelope.faults else ", ".join(envelope.leniencies)
            raise NotIssued(f"its verifiers would not read it as {order.kind}: {why}", code="form")
        return _Made(text, code or text, _entry(envelope), expires)

    def _bitstring_entries(self, place: int) -> tuple[dict[str, Any], ...]:
        """Bitstring Status List 1.0, section 2.1: what is taken back for good, and what only for a while."""
        return tuple(
            {
                "id": f"{uri}#{place}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": purpose,
                "statusListIndex": str(place),
                "statusListCredential": uri,
            }
            for purpose in _PURPOSES
            for uri in (f"{self.profile.status}-{purpose}",)
        )

    def take_back(self, place: int, *, at: datetime, value: str = "invalid") -> None:
        """Marks one number of the status list `invalid`, `suspended`, or `valid` again; published with the next list.

        What is invalid stays so. Raises NotIssued for a number that was never given out.
        """
        if value not in _NAMED:
            raise NotIssued(
                f"a credential is {', '.join(_NAMED)}, not {value[:40]!r}", code="status", field="status"
            )
        with self._writing() as database:
            known = database.execute("select 1 from places where place = ?", (place,)).fetchone()
            if not 0 <= place < 1 << 32 or not known:
                raise NotIssued(f"the number {place} was never given out here", code="status", field="place")
            last = database.execute(
                "select value from changes where place = ? order by number desc limit 1", (place,)
            ).fetchone()
            if last and last[0] == _NAMED["invalid"] and value != "invalid":
                raise NotIssued(f"the number {place} was taken back for good", code="status", field="status")
            if (last[0] if last else 0) != _NAMED[value]:
                database.execute(
                    "insert into changes (place, value, at) values (?, ?, ?)",
                    (place, _NAMED[value], at.astimezone(UTC).isoformat()),
                )

    def status_row(self) -> Row:
        """The list as it stands: two bits an entry, for what is suspended is not gone."""
        with self._reading() as database:
            return make_row(_given(database).length, dict(database.execute(_STANDING)), 2)

    def publish_status(self, *, at: datetime, days: int = 7) -> dict[str, bytes]:
        """What must be published, by the address each is to be put at.

        The signed status list as a JWT and as a CWT (Token Status List, sections 5.1 and 5.2), as credentials for
        each purpose (Bitstring Status List, section 2.2); for health cards the lists of each key, which are not signed,
        and the key set that says how new they are.
        """
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
        found = {
            uri: token.encode(),
            f"{uri}.cwt": cbor2.dumps(cbor2.CBORTag(18, [protected, {}, body, signature])),
        }
        for purpose, value in _PURPOSES.items():
            found[f"{uri}-{purpose}"] = self._bitstring(purpose, value, len(row), at, until)
        for kid, counter, rids in self._card_lists():
            card_list = {"kid": kid, "method": "rid", "ctr": counter, "rids": rids}
            found[address(self.profile.id, kid)] = msgspec.json.encode(card_list)
        found[f"{self.profile.id}/.well-known/jwks.json"] = msgspec.json.encode(self.jwks())
        return found

    def _bitstring(self, purpose: str, value: int, length: int, at: datetime, until: datetime) -> bytes:
        """One bit an entry. W3C wants at least 131,072 entries."""
        uri = f"{self.profile.status}-{purpose}"
        with self._reading() as database:
            marked = [place for place, held in database.execute(_STANDING) if held == value]
        row = make_row(max(length, 1 << 17), dict.fromkeys(marked, 1), low_first=False)
        credential = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": uri,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self.profile.id,
            "credentialSubject": {
                "id": f"{uri}#list",
                "type": "BitstringStatusList",
                "statusPurpose": purpose,
                "encodedList": pack_bitstring_row(row),
            },
        }
        signing = self.signing
        return jwtvc.create(
            credential, key=signing.private, kid=signing.thumbprint, issued=at, expires=until
        ).encode()

    def _card_lists(self) -> Iterator[tuple[str, int, list[str]]]:
        """For each key that signed health cards: its name, how often its list changed, and what is on it.

        Cards know no suspension: while it lasts, the card is on the list.
        """
        with self._reading() as database:
            kids = [row[0] for row in database.execute("select distinct card from places where card <> ''")]
            for kid in sorted(kids):
                counter = database.execute(_CHANGES_OF_KEY, (kid,)).fetchone()[0]
                held = dict(database.execute(_STANDING_OF_KEY, (kid,)))
                yield kid, counter + 1, [_rid(place) for place, value in sorted(held.items()) if value]

    def leaves(self) -> list[bytes]:
        """The leaf hashes of the log, in order."""
        with self._reading() as database:
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

    def find(self, data: str | bytes) -> int | None:
        """The place in the log of a credential, given as text, picture, PDF or file, whatever of it is disclosed;
        None where it is not there, although it may be signed.

        Raises CredentialError for what is not exactly one credential that can be read.
        """
        entry = _entry(read_again(data))
        with self._reading() as database:
            row = database.execute("select seq from entries where digest = ?", (entry,)).fetchone()
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
        """The public keys as a JWK set, for `.well-known/jwks.json` of the issuer's address; `crlVersion` where a key's
        health cards have a list (SMART Health Cards, "Revocation")."""
        counters = {kid: counter for kid, counter, _ in self._card_lists()}
        keys = []
        for _, certificate in self.keys.certificates():
            public = certificate.key
            kid = thumbprint(public)
            jwk: dict[str, Any] = {
                **to_jwk(public), "use": "sig", "alg": algorithm_of(public), "kid": kid
            }  # fmt: skip
            if kid in counters:
                jwk["crlVersion"] = counters[kid]
            keys.append(jwk)
        return {"keys": keys}

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The database while nobody else writes in it; what was done is on the disk afterwards, or none of it is."""
        with closing(
            sqlite3.connect(self.folder / "issued.db", timeout=60, isolation_level=None)
        ) as database:
            database.execute("pragma synchronous = full")
            if database.execute("pragma journal_mode").fetchone()[0] != "wal":
                database.execute("pragma journal_mode = wal")
            database.execute("begin immediate")
            try:
                for statement in _TABLES.split(";\n"):
                    database.execute(statement)
                yield database
            except BaseException:
                database.execute("rollback")
                raise
            database.execute("commit")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The database as it is at this moment."""
        with closing(
            sqlite3.connect(self.folder / "issued.db", timeout=60, isolation_level=None)
        ) as database:
            database.execute("begin")
            yield database


class _Given:
    """What a log and a status list hold so far: where the next signature goes."""

    def __init__(self, seq: int, places: int, highest: int) -> None:
        self.seq = seq
        self.places = places
        self.highest = highest

    @property
    def length(self) -> int:
        """Of the status list: a block, doubled until it is at most half full."""
        length = _BLOCK
        while self.places * 2 > length or self.highest >= length:
            length *= 2
        return length

    def draw(self, database: sqlite3.Connection) -> int:
        """A number nobody has."""
        while True:
            place = secrets.randbelow(self.length)
            if not database.execute("select 1 from places where place = ?", (place,)).fetchone():
                return place

    def count(self, place: int | None) -> None:
        self.seq += 1
        if place is not None:
            self.places += 1
            self.highest = max(self.highest, place)


def _given(database: sqlite3.Connection) -> _Given:
    places = database.execute("select count(*), coalesce(max(place), 0) from places").fetchone()
    return _Given(database.execute("select coalesce(max(seq), -1) + 1 from entries").fetchone()[0], *places)


def read_again(data: str | bytes) -> Envelope:
    """The envelope of the one credential in `data`. Raises CredentialError."""
    if isinstance(data, str):
        found = [Carried(text=data, data=data.encode(), place="text", media="text/plain")]
    else:
        found = list(containers.unpack(carrier.read(data)))
    if len(found) != 1:
        raise CredentialError(f"{len(found)} credentials are in there, not one", code="several")
    return recognise(found[0]).decode(found[0])


def make_token(folder: Path) -> str:
    """A new token of an office, said once: only its hash is kept. The one before ends."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    write_whole(folder / _TOKEN, _digest(token).encode())
    return token


def read_token_hash(folder: Path) -> str:
    """The hash of an office's token; empty where it has none."""
    try:
        return (folder / _TOKEN).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def knows_token(folder: Path, given: str) -> bool:
    """Whether this is an office's token. Takes as long for an office that is none."""
    kept = read_token_hash(folder)
    return hmac.compare_digest(_digest(given).encode(), (kept or "-" * 64).encode()) and bool(kept)


def is_office_name(name: str) -> bool:
    """Whether a name may be an office's folder."""
    return bool(_SLUG.fullmatch(name))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _entry(envelope: Envelope) -> bytes:
    if not envelope.signatures:
        raise NotIssued("this is not signed", code="not-signed")
    signed = envelope.signatures[0]
    return log.entry(signed.algorithm, signed.message, signed.signature)


def _rid(place: int) -> str:
    return base64url(place.to_bytes(4, "big"))


def _expiry(order: Order, profile: Profile, signing: Signing, at: datetime) -> datetime:
    days = profile.days if order.days is None else order.days
    if not 1 <= days <= _MOST_DAYS:
        raise NotIssued(f"days={days} is not from 1 to {_MOST_DAYS}", code="dates-contradict", field="days")
    expires = at + timedelta(days=days)
    certificate = signing.certificate
    if not certificate.not_before <= at <= certificate.not_after:
        raise KeyUnusable(
            f"the key {signing.name} is good from {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
            hint="Make a new one with `landbridge issue key`.",
        )
    if expires > certificate.not_after:
        raise NotIssued(
            f"days={days} reaches beyond {certificate.not_after:%Y-%m-%d}, where the key {signing.name} ends",
            code="dates-contradict",
            field="days",
            hint="Make it valid for fewer days, or a key that lasts longer: `landbridge issue key --key-days`.",
        )
    return expires


def _key_of_order(database: sqlite3.Connection, order: Order) -> bytes:
    """The hash an order is remembered by, where it has a name. Raises NotIssued for one that was carried out."""
    if not order.once:
        return b""
    key = hashlib.sha256(order.once.encode("utf-8", "surrogatepass")).digest()
    done = database.execute("select seq from asked where key = ?", (key,)).fetchone()
    if done:
        place = database.execute("select place from places where seq = ?", done).fetchone()
        number = f", number {place[0]} of the status list" if place else ""
        raise NotIssued(
            f"this was issued before: entry {done[0]} of the log{number}",
            code="issued-before",
            hint="Nothing of a credential is kept here. If it was lost, take it back and ask under another name.",
        )
    return key


def _concealed(order: Order, body: Mapping[str, Any]) -> list[tuple[str]]:
    never = ("iss", "vct")
    if order.conceal is None:
        return [(name,) for name in body if name not in never]
    found = []
    for field in order.conceal:
        name = documents.claim_of(field)
        if name not in body or name in never:
            raise NotIssued(
                f"conceal={field[:40]!r} names no claim of this credential",
                code="no-such-claim",
                field="conceal",
                hint=f"claims: {', '.join(one for one in body if one not in never)}",
            )
        found.append((name,))
    return list(dict.fromkeys(found))


def _holder(order: Order) -> Mapping[str, Any] | None:
    if order.holder is not None and not order.holder.keys().isdisjoint(_PRIVATE):
        raise NotIssued(
            "holder is a private key: its holder alone may have it",
            code="holder-key",
            field="holder",
            hint="Make a new key, and hand over its public part (kty, crv, x, y).",
        )
    return order.holder


_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_PURPOSES = {"revocation": 1, "suspension": 2}
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
    if not 1 <= len(profile.title) <= 80 or not profile.title.isprintable():
        raise NotIssued("title is a name of 1 to 80 characters", code="office", field="title")
    if not re.fullmatch(r"[A-Z]{2}", profile.country):
        raise NotIssued(
            f"country={profile.country[:20]!r} is no ISO 3166-1 code of two letters",
            code="office",
            field="country",
        )
    for name, url in (("id", profile.id), ("status", profile.status)):
        if (url or name == "id") and (not _URL.fullmatch(url) or "/." in url):
            raise NotIssued(
                f"{name}={url[:80]!r} is not an https address without a slash at its end",
                code="office",
                field=name,
            )
    if not 1 <= profile.days <= _MOST_DAYS:
        raise NotIssued(f"days={profile.days} is not from 1 to {_MOST_DAYS}", code="office", field="days")
    unknown = set(profile.kinds) - set(documents.FIELDS)
    if unknown or not profile.kinds:
        raise NotIssued(f"kinds are some of {', '.join(documents.FIELDS)}", code="office")


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
