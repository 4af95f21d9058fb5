"""Status lists of any form to `StatusLists`: each is verified before it may answer."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from landbridge.errors import CredentialError, Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.cose import read_cbor, read_sign1
from landbridge.prove.envelope import Envelope, KeyHint, Signed
from landbridge.prove.facts import Content
from landbridge.prove.formats import FORMATS, decode
from landbridge.prove.jose import read_compact, read_json
from landbridge.prove.status import StatusList, StatusLists
from landbridge.prove.status.bits import (
    NumberedList,
    StatusListRefused,
    read_bitstring_row,
    read_token_row,
)
from landbridge.prove.status.hashes import (
    is_archive,
    is_slice_metadata,
    read_hashes,
    read_slices,
    unpack_archive,
)
from landbridge.prove.status.shc import read_card_list
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.verify import find_signer

_TTL, _STATUS_LIST, _SUB, _EXP, _IAT = 65534, 65533, 2, 4, 6
_BITSTRINGS = ("BitstringStatusList", "StatusList2021")


def read_lists(paths: Iterable[Path], issuers: TrustList) -> StatusLists:
    """Every list in these files and folders. Raises StatusListRefused for a file named that is none, or whose
    signature nobody listed made; in a folder such a file is passed over. Slices of revocation are read together
    with the JSON that tells of them, as one folder or one archive, and refused where that JSON is wrong."""
    found: list[StatusList] = []
    for path in paths:
        if not path.is_dir():
            found.extend(read_list(path.read_bytes(), issuers, name=path.name))
            continue
        contents = {file: file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
        for file, data in contents.items():
            with suppress(CredentialError):
                found.extend(read_list(data, issuers, name=file.name))
        found.extend(read_slices(contents.values(), issuers, name=path.name))
    return StatusLists(found)


def read_list(
    data: bytes, issuers: TrustList, *, name: str = "", believed: Source | None = None
) -> Iterator[StatusList]:
    """The list or lists in one file. Raises StatusListRefused.

    A list that carries a signature is verified by it. One that carries none (hashes of EU certificates, numbers of
    health cards) is as true as where it comes from: `believed` is that source, and its countries and keys are the
    caller's to check.
    """
    try:
        yield from _read(data, issuers, name, believed)
    except Malformed as wrong:
        raise StatusListRefused(f"{name}: {wrong}", code="list-unreadable") from None


def _read(data: bytes, issuers: TrustList, name: str, believed: Source | None) -> Iterator[StatusList]:
    if is_archive(data):
        slices = read_slices(unpack_archive(data), issuers, name=name, believed=believed)
        if not slices:
            raise StatusListRefused(
                f"{name}: no JSON in this archive tells whose slices it holds", code="list-unreadable"
            )
        yield from slices
        return
    if data[:2] == b"\0\1":
        raise StatusListRefused(
            f"{name}: a slice of a list does not say whose certificates it speaks of",
            code="list-unreadable",
            hint="Hand over the folder, or one archive, that holds the JSON beside it too.",
        )
    text = data.strip()
    if text[:1] in (b"{", b"["):
        value = read_json(text)
        if is_slice_metadata(value):
            raise StatusListRefused(
                f"{name}: this tells of slices that are not in it",
                code="list-unreadable",
                hint="Hand over the folder, or one archive, that holds them too.",
            )
        if isinstance(value, dict) and "rids" in value:
            yield _card_list(value, issuers, name, believed)
            return
        if isinstance(value, dict) and "hashType" in value:
            yield from read_hashes(value, name=name, believed=believed)
            return
    elif text.isascii() and text.count(b".") == 2 and b"\n" not in text:
        # The draft's own example pads its signature, which JWS does not.
        token = read_compact(text.decode("ascii", "replace").rstrip("="))
        if "statuslist" in str(token.header.get("typ", "")):
            yield _token_list(read_json(token.payload), _jwt_envelope(token), issuers)
            return
    elif not text.isascii():
        sign1 = read_sign1(data)
        claims = read_cbor(sign1.payload)
        if isinstance(claims, Mapping) and _STATUS_LIST in claims:
            named = {
                "sub": claims.get(_SUB),
                "iat": claims.get(_IAT),
                "exp": claims.get(_EXP),
                "ttl": claims.get(_TTL),
            }
            hint = KeyHint(ids=sign1.kids, chain=sign1.chain)
            signed = Signed(
                algorithm=sign1.algorithm, message=sign1.signed, signature=sign1.signature, hint=hint
            )
            envelope = Envelope(
                format="status-list", claims=claims, content=Content(kind="status"), signatures=(signed,)
            )
            yield _token_list({**named, "status_list": claims[_STATUS_LIST]}, envelope, issuers)
            return
    yield from _credential_list(data, issuers)


def _card_list(value: dict[str, Any], issuers: TrustList, name: str, believed: Source | None) -> StatusList:
    """The list of one key of an issuer of health cards. It carries no signature: it is as true as its source."""
    kid = value.get("kid")
    signers = issuers.find(KeyHint(ids=(kid,))).signers if isinstance(kid, str) else ()
    issuer = signers[0].issuer.id if signers else ""
    return read_card_list(value, source=believed or Source(name=name), issuer=issuer)


def _jwt_envelope(token: Any) -> Envelope:
    header = token.header
    kid = header.get("kid")
    claims = read_json(token.payload)
    issuer = claims.get("iss", "") if isinstance(claims, dict) else ""
    ids = (kid,) if isinstance(kid, str) else ()
    hint = KeyHint(ids=ids, issuer=issuer if isinstance(issuer, str) else "")
    signed = Signed(algorithm=token.algorithm, message=token.signed, signature=token.signature, hint=hint)
    return Envelope(format="status-list", claims=claims, content=Content(kind="status"), signatures=(signed,))


def _token_list(claims: Any, envelope: Envelope, issuers: TrustList) -> NumberedList:
    """A Token Status List, sections 5.1 (JWT) and 5.2 (CWT): `sub` is its address, `iat` its date."""
    if not isinstance(claims, Mapping) or not isinstance(claims.get("sub"), str):
        raise StatusListRefused("a status list names its address in `sub`", code="list-unreadable")
    uri, issued, expires = claims["sub"], _moment(claims.get("iat")), _moment(claims.get("exp"))
    if issued is None:
        raise StatusListRefused(f"{uri}: a status list is dated by `iat`", code="list-unreadable")
    return NumberedList(
        mechanism="token-status-list",
        uri=uri,
        source=Source(name=uri, issued=issued, expires=expires),
        signer=_signer(envelope, issuers, uri),
        row=read_token_row(claims.get("status_list")),
    )


def _credential_list(data: bytes, issuers: TrustList) -> Iterator[NumberedList]:
    """A Bitstring Status List is a credential of its own: whatever format secures it."""
    text = data.decode("utf-8", "replace").strip()
    carried = Carried(text=text, data=data, place="file", media="text")
    for form in FORMATS:
        if not form.recognise(carried):
            continue
        envelope = decode(form, carried, contexts=issuers.contexts)
        subject = _subject(envelope.claims)
        if subject is None:
            break
        uri = str(subject.get("id", "")).partition("#")[0] or str(envelope.claims.get("id", ""))
        uri = str(envelope.claims.get("id") or uri)
        purpose = subject.get("statusPurpose", "revocation")
        size = subject.get("statusSize", 1)
        yield NumberedList(
            mechanism="bitstring-status-list",
            uri=uri,
            source=Source(
                name=uri, issued=envelope.issued or envelope.valid_from, expires=envelope.valid_until
            ),
            signer=_signer(envelope, issuers, uri),
            row=read_bitstring_row(subject.get("encodedList"), size if size in (1, 2, 4, 8) else 1),
            purposes=frozenset(purpose if isinstance(purpose, list) else [str(purpose)]),
        )
        return
    raise StatusListRefused(
        "this file is no list of withdrawn credentials in a form that is known", code="list-unreadable"
    )


def _subject(claims: Any) -> Mapping[str, Any] | None:
    if not isinstance(claims, Mapping):
        return None
    claims = claims.get("vc", claims)
    subject = claims.get("credentialSubject") if isinstance(claims, Mapping) else None
    if isinstance(subject, Mapping) and subject.get("type") in _BITSTRINGS:
        return subject
    return None


def _signer(envelope: Envelope, issuers: TrustList, uri: str) -> Signer:
    signer, part = find_signer(envelope, issuers, [])
    if signer is None:
        raise StatusListRefused(
            f"{uri}: {part.sentence}",
            code="list-unreadable",
            hint="Give the key of the list's issuer with --trust.",
        )
    return signer


def _moment(value: Any) -> datetime | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    return None
