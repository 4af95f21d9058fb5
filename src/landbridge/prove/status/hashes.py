"""Lists that hold hashes of what was withdrawn: EU DCC revocation (batches, partial hashes, Bloom filters).

EU DCC revocation specification (eHealth Network, 2022), sections 4 and 5: a hash is the first sixteen bytes of a
SHA-256, of the certificate's identifier (`UCI`), of country and identifier (`COUNTRYCODEUCI`), or of the
signature (`SIGNATURE`), of which ECDSA's second half is left out, because anybody can turn it round.

Countries exchange hashes in batches. Phones get them by key, cut into slices by the first hexadecimal digits of the
hash (mode POINT by one, VECTOR by two, COORDINATE by three) and by the date they end; each slice is a Bloom filter or
a row of partial hashes, and JSON beside the slices says of which key they speak and names each by its SHA-256.
"""

import base64
import binascii
import hashlib
import io
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from landbridge.errors import Malformed
from landbridge.prove.envelope import KeyHint, StatusClaim
from landbridge.prove.jose import read_json
from landbridge.prove.keys import base64url
from landbridge.prove.status import Scope, StatusList
from landbridge.prove.status.bits import StatusListRefused
from landbridge.prove.status.bloom import Bloom, read_bloom
from landbridge.prove.trust.list import Signer, Source, TrustList

_TYPES = ("UCI", "COUNTRYCODEUCI", "SIGNATURE")
_LENGTH = 16
_MIN_PARTIAL = 4
_MAX_BYTES = 64 * 1024 * 1024
_MAX_FILES = 100_000
_HEX = frozenset("0123456789abcdef")
_ANSWERS = ("not-on-list", "list-unreadable", "possibly-taken-back", "taken-back")
# A list names by accident: below this chance (a question), not one of all people on Earth.
_NOBODY = 1e-12


class HashList(msgspec.Struct, frozen=True, kw_only=True):
    """One batch: truncated hashes, all of one length."""

    uri: str
    source: Source
    signer: Signer | None
    country: str
    hash_type: str
    hashes: frozenset[bytes]
    length: int = _LENGTH
    until: datetime | None = None
    """When its entries end: after that it says nothing of anybody."""
    mechanism: str = "dcc-revocation"

    @property
    def scope(self) -> Scope:
        return Scope(country=self.country, until=self.until)

    def look_up(self, claim: StatusClaim) -> str:
        if not any(
            digest[: self.length] in self.hashes for digest in _digests(claim, frozenset({self.hash_type}))
        ):
            return "not-on-list"
        chance = len(self.hashes) / 256**self.length
        return "taken-back" if chance < _NOBODY else "possibly-taken-back"


class Partial(msgspec.Struct, frozen=True, kw_only=True):
    """A row of partial hashes (`VARHASHLIST`): the first `length` bytes of each."""

    length: int
    hashes: frozenset[bytes]

    def __contains__(self, digest: bytes) -> bool:
        start = digest[: self.length]
        return start in self.hashes or _as_written(start) in self.hashes


class SliceList(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back of one key's certificates and ends at one date, in slices."""

    uri: str
    source: Source
    scope: Scope
    hash_types: frozenset[str]
    places: Mapping[str, tuple[tuple[Bloom | Partial, ...], ...]]
    """First digits of a hash → groups of slices. Slices of one group hold the same hashes in different forms; a
    group of none is one that is published, and not at hand."""
    certain: bool
    """Whether a partial hash that fits is proof."""
    signer: Signer | None = None
    mechanism: str = "dcc-revocation"

    def look_up(self, claim: StatusClaim) -> str:
        answers = ["not-on-list"]
        depths = {len(start) for start in self.places}
        for digest in _digests(claim, self.hash_types):
            written = digest.hex()
            answers.extend(
                self._ask(digest, group) for depth in depths for group in self.places.get(written[:depth], ())
            )
        return max(answers, key=_ANSWERS.index)

    def _ask(self, digest: bytes, group: tuple[Bloom | Partial, ...]) -> str:
        if not group:
            return "list-unreadable"
        if not all(digest in one for one in group):
            return "not-on-list"
        exact = self.certain and any(isinstance(one, Partial) for one in group)
        return "taken-back" if exact else "possibly-taken-back"


def hash_of(hash_type: str, identifier: str, country: str, signature: bytes, algorithm: str) -> bytes:
    """The sixteen bytes a list of this type holds of a certificate."""
    if hash_type == "SIGNATURE":
        hashed = signature if algorithm == "PS256" else signature[: len(signature) // 2]
    else:
        hashed = ((country if hash_type == "COUNTRYCODEUCI" else "") + identifier).encode()
    return hashlib.sha256(hashed).digest()[:_LENGTH]


def _digests(claim: StatusClaim, hash_types: frozenset[str]) -> list[bytes]:
    """Every hash under which a list may hold this certificate. Beyond the first country come others it names."""
    identifier, country, signature, algorithm, *others = claim.values
    found = [hash_of("SIGNATURE", "", "", signature, algorithm)] if "SIGNATURE" in hash_types else []
    if identifier and "UCI" in hash_types:
        found.append(hash_of("UCI", identifier, "", signature, algorithm))
    if identifier and "COUNTRYCODEUCI" in hash_types:
        found.extend(
            hash_of("COUNTRYCODEUCI", identifier, one, signature, algorithm) for one in {country, *others}
        )
    return found


def read_hashes(value: Mapping[str, Any], *, name: str, believed: Source | None) -> Iterator[StatusList]:
    """One batch as the gateway writes it: `country`, `expires`, `kid`, `hashType`, `entries` of `hash`.

    Such a batch carries no signature of its own: it must come from a source that does. Raises StatusListRefused.
    """
    kind, entries = value.get("hashType"), value.get("entries")
    if kind not in _TYPES or not isinstance(entries, list):
        raise StatusListRefused(f"{name}: no list of a form that is known", code="list-unreadable")
    try:
        hashes = frozenset(
            base64.b64decode(one["hash"] if isinstance(one, Mapping) else one, validate=True)
            for one in entries
        )
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise StatusListRefused(f"{name}: an entry of the list is no hash", code="list-unreadable") from None
    lengths = {len(one) for one in hashes} or {_LENGTH}
    if len(lengths) != 1 or not _MIN_PARTIAL <= min(lengths) <= _LENGTH:
        raise StatusListRefused(f"{name}: hashes have one length, from 4 to 16 bytes", code="list-unreadable")
    until = _moment(value["expires"], name) if value.get("expires") else None
    yield HashList(
        uri=str(value.get("uri", "")) or name,
        source=believed or Source(name=name, expires=until),
        signer=None,
        country=str(value.get("country", "")),
        hash_type=kind,
        hashes=hashes,
        length=lengths.pop(),
        until=until,
    )


# Partial hashes

_HEADER = struct.Struct(">hfib")
_VERSION = 1


def make_partial(hashes: Collection[bytes], length: int) -> Partial:
    """The row of these hashes, cut to `length` bytes. Raises ValueError where one of them is shorter."""
    if not _MIN_PARTIAL <= length <= _LENGTH or any(len(one) < length for one in hashes):
        raise ValueError(f"partial hashes have from 4 to 16 bytes, and no more than the hash: {length}")
    return Partial(length=length, hashes=frozenset(one[:length] for one in hashes))


def pack_partial(partial: Partial) -> bytes:
    """The file: version (2 bytes), probability (4), how many (4), bytes each (1), and the hashes in order."""
    rate = min(len(partial.hashes) / 256**partial.length, 1.0)
    head = _HEADER.pack(_VERSION, rate, len(partial.hashes), partial.length)
    return head + b"".join(sorted(partial.hashes))


def read_partial(data: bytes) -> Partial:
    """The row in a file. What it states of probability and number decides nothing. Raises StatusListRefused."""
    if not _HEADER.size <= len(data) <= _MAX_BYTES:
        raise _refused(f"a row of partial hashes has from {_HEADER.size} to {_MAX_BYTES} bytes")
    version, _, _, length = _HEADER.unpack_from(data)
    row = data[_HEADER.size :]
    if version != _VERSION or not 1 <= length <= 32 or len(row) % length:
        raise _refused(f"{len(row)} bytes of partial hashes of {length} bytes, version {version}")
    return Partial(
        length=min(length, _LENGTH),
        hashes=frozenset(row[at : at + length][:_LENGTH] for at in range(0, len(row), length)),
    )


def _as_written(start: bytes) -> bytes:
    """As the reference writes it: taken for a signed number, of which leading FF are lost and become 00."""
    short = start
    while len(short) > 1 and short[0] == 0xFF and short[1] & 0x80:
        short = short[1:]
    return bytes(len(start) - len(short)) + short


# Slices, and the JSON beside them

_READERS: Mapping[str, Callable[[bytes], Bloom | Partial]] = {
    "BLOOMFILTER": read_bloom,
    "VARHASHLIST": read_partial,
}


class _Told(msgspec.Struct, frozen=True):
    """One slice as the JSON tells of it."""

    start: str
    until: datetime
    updated: str
    kind: str
    sha256: str


def is_slice_metadata(value: Any) -> bool:
    """Whether this JSON is the list of keys, or of one key's partitions."""
    rows = value if isinstance(value, list) else [value]
    return bool(rows) and all(
        isinstance(one, Mapping) and "kid" in one and ("chunks" in one or "mode" in one) for one in rows
    )


def read_slices(
    files: Iterable[bytes], issuers: TrustList, *, name: str, believed: Source | None = None
) -> list[SliceList]:
    """The lists that these files make together: JSON as the distribution service answers (`lists`,
    `lists/{kid}/partitions`) and slices, which are known by their SHA-256. What is neither is passed over.

    Unsigned as they are, they are as true as where they come from; where that is a member (`believed`), they
    speak of that member's own keys alone. Raises StatusListRefused where JSON of this form breaks its own rules.
    """
    told: defaultdict[str, list[_Told]] = defaultdict(list)
    types: dict[str, frozenset[str]] = {}
    data: dict[str, bytes] = {}
    for one in files:
        value = _json(one)
        if is_slice_metadata(value):
            for row in value if isinstance(value, list) else [value]:
                kid = _kid(row["kid"], name)
                if "chunks" in row:
                    told[kid].extend(_partition(row, name, whole=isinstance(value, list)))
                else:
                    types[kid] = types.get(kid, frozenset()) | _hash_types(row, name)
        else:
            data[hashlib.sha256(one).hexdigest()] = one
    found: list[SliceList] = []
    for kid in sorted({*told, *types}):
        signers = [
            one
            for one in issuers.find(KeyHint(ids=(kid,))).signers
            if believed is None or one.source.name == believed.name
        ]
        if believed is not None and not signers:
            continue
        scope = Scope(kids=frozenset({kid}), keys=frozenset(one.spki for one in signers))
        for listed in _of_key(told.get(kid, []), types.get(kid) or frozenset(_TYPES), data, scope):
            source = believed or Source(name=name, expires=listed.scope.until)
            found.append(msgspec.structs.replace(listed, uri=name, source=source))
    return found


def _of_key(
    told: list[_Told], hash_types: frozenset[str], data: Mapping[str, bytes], scope: Scope
) -> Iterator[SliceList]:
    if not told:
        # The key is listed, and nothing of what is listed of it is here.
        yield _slice_list(dict.fromkeys(_HEX, ((),)), hash_types, scope, certain=False)
        return
    grouped: dict[datetime, dict[tuple[str, str], dict[str, _Told]]] = {}
    for one in told:
        place = grouped.setdefault(one.until, {}).setdefault((one.start, one.updated), {})
        # Twice the same form in one place is no second form of the same hashes.
        key = one.kind if place.get(one.kind, one) == one else one.sha256
        place[key] = one
    chance = 0.0
    whole: dict[datetime, dict[str, list[tuple[Bloom | Partial, ...]]]] = {}
    for until, places in grouped.items():
        for (start, _), slices in places.items():
            read = {one.sha256: _slice(one, data) for one in slices.values()}
            chance += sum(
                len(one.hashes) / 256**one.length for one in read.values() if isinstance(one, Partial)
            )
            forms = {one.kind for one in slices.values()}
            groups = (
                [tuple(one for one in read.values() if one is not None)]
                if len(forms) == len(slices)
                else [() if one is None else (one,) for one in read.values()]
            )
            whole.setdefault(until, {}).setdefault(start, []).extend(groups)
    certain = chance * len(hash_types) < _NOBODY
    for until, at in whole.items():
        yield _slice_list(
            {start: tuple(groups) for start, groups in at.items()},
            hash_types,
            msgspec.structs.replace(scope, until=until),
            certain=certain,
        )


def _slice_list(
    places: Mapping[str, tuple[tuple[Bloom | Partial, ...], ...]],
    hash_types: frozenset[str],
    scope: Scope,
    *,
    certain: bool,
) -> SliceList:
    return SliceList(
        uri="", source=Source(name=""), scope=scope, hash_types=hash_types, places=places, certain=certain
    )


def _slice(told: _Told, data: Mapping[str, bytes]) -> Bloom | Partial | None:
    """The slice, or None where it is not at hand or cannot be read: a question that falls there stays open."""
    reader = _READERS.get(told.kind)
    if reader is None or told.sha256 not in data:
        return None
    try:
        return reader(data[told.sha256])
    except StatusListRefused:
        return None


def _partition(row: Mapping[str, Any], name: str, *, whole: bool) -> Iterator[_Told]:
    """One partition: `x` and `y` are the digits it is cut by, `chunks` goes by the next digit, then by date."""
    x, y, chunks = row.get("x") or "", row.get("y") or "", row["chunks"]
    if not isinstance(chunks, Mapping) or (x and not whole):
        raise _refused(f"{name}: a partition has `chunks`, and one of several comes with the others")
    updated = str(row.get("lastUpdated", ""))
    for chunk, slices in chunks.items():
        start = f"{x}{y}{chunk}".lower()
        if (
            not 1 <= len(start) <= 2 * _LENGTH
            or not _HEX.issuperset(start)
            or not isinstance(slices, Mapping)
        ):
            raise _refused(f"{name}: x, y and chunk are hexadecimal digits")
        for until, one in slices.items():
            if not isinstance(one, Mapping):
                raise _refused(f"{name}: a slice has `type`, `version` and `hash`")
            yield _Told(
                start=start,
                until=_moment(until, name),
                updated=updated,
                kind=str(one.get("type", "")).upper(),
                sha256=str(one.get("hash", "")).lower(),
            )


def _hash_types(row: Mapping[str, Any], name: str) -> frozenset[str]:
    written = row.get("hashTypes", row.get("hashType"))
    found = frozenset(map(str, written)) if isinstance(written, list) else frozenset()
    if not found or not found.issubset(_TYPES):
        raise _refused(f"{name}: `hashTypes` are of {', '.join(_TYPES)}")
    return found


def _kid(written: Any, name: str) -> str:
    try:
        plain = written.replace("-", "+").replace("_", "/").rstrip("=")
        return base64url(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
    except (AttributeError, ValueError):
        raise _refused(f"{name}: a `kid` is base64") from None


def _moment(written: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _refused(f"{name}: a date is written as in ISO 8601") from None


def _json(data: bytes) -> Any:
    if data.lstrip()[:1] not in (b"[", b"{"):
        return None
    try:
        return read_json(data)
    except Malformed:
        return None


# Archives

_BLOCK = 512


def is_archive(data: bytes) -> bool:
    return data.startswith((b"PK\x03\x04", b"\x1f\x8b")) or data[257:262] == b"ustar"


def unpack_archive(data: bytes) -> list[bytes]:
    """The files in a zip, a tar, or a tar packed by gzip; their names say nothing. Raises StatusListRefused."""
    try:
        if data.startswith(b"PK"):
            return _unzip(data)
        return _untar(_gunzip(data) if data.startswith(b"\x1f\x8b") else data)
    except (
        ValueError,
        OSError,
        EOFError,
        OverflowError,
        RuntimeError,
        struct.error,
        zlib.error,
        zipfile.BadZipFile,
    ):
        raise _refused("this archive is damaged, or too large") from None


def _unzip(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    left = _MAX_BYTES
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith("/"):
                continue
            with archive.open(entry) as file:
                one = file.read(left + 1)
            left -= len(one)
            if left < 0 or len(found) >= _MAX_FILES:
                raise ValueError("too large")
            found.append(one)
    return found


def _gunzip(data: bytes) -> bytes:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = inflater.decompress(data, _MAX_BYTES)
    if not inflater.eof:
        raise ValueError("cut, or too large")
    return plain


def _untar(data: bytes) -> list[bytes]:
    """Ordinary files only. The distribution service leaves out the two empty blocks at the end."""
    found: list[bytes] = []
    at = 0
    while at + _BLOCK <= len(data) and any(data[at : at + _BLOCK]):
        head = data[at : at + _BLOCK]
        if head[257:262] != b"ustar":
            raise ValueError("no header")
        size = int(head[124:136].strip(b" \0") or b"0", 8)
        at += _BLOCK
        if not 0 <= size <= len(data) - at or len(found) >= _MAX_FILES:
            raise ValueError("cut, or too many")
        if head[156:157] in (b"0", b"\0"):
            found.append(data[at : at + size])
        at += -(-size // _BLOCK) * _BLOCK
    return found


def _refused(what: str) -> StatusListRefused:
    return StatusListRefused(
        what,
        code="list-unreadable",
        hint="Hand over the folder, or one archive, that holds the slices and the JSON that tells of them.",
    )
