"""Trust material of any form to one list: what an operator was handed, read without a hint.

| form                                                          | where                                     |
|---------------------------------------------------------------|-------------------------------------------|
| certificates and public keys: PEM, DER, base64                | here                                      |
| PKCS #7, ICAO master lists, AAMVA VICAL                       | `authorities.py`                          |
| JWK, JWK sets, COSE keys, the VCI directory                   | `keysets.py`                              |
| lists of EU DCC signers                                       | `national.py`                             |
| WHO GDHCN participants' folders                               | `participants.py`                         |
| DID documents, did:key, did:jwk                               | `did.py`                                  |
| JSON-LD contexts, each with its address                       | here                                      |
| our own TOML and JSON                                         | `register.py`                             |

A folder is read whole. What a file's place says counts: `HOST/PATH/.well-known/jwks.json` is the key set of
`https://HOST/PATH`, and of a participant's folder the country and the domain. A certificate that our own TOML names
is that issuer's, with its limits, and is not read a second time without them.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cbor2
import msgspec
from asn1crypto import parser

from landbridge.errors import CredentialError
from landbridge.prove import canonical
from landbridge.prove.certificates import Certificate, CertificateRefused, read_certificate
from landbridge.prove.cose import MAPS, read_cbor, read_sign1
from landbridge.prove.facts import Issuer
from landbridge.prove.jose import read_compact, read_json
from landbridge.prove.keys import KeyRefused, base64url, from_jwk, from_spki
from landbridge.prove.trust import authorities, did, keysets, national, participants, register
from landbridge.prove.trust.list import Authority, Signer, Source, TrustList
from landbridge.prove.trust.material import (
    Material,
    TrustUnreadable,
    bare,
    from_any_base64,
    joined,
    kid_forms,
    moment,
    of_key,
    private_key,
    unreadable,
)

_MAX_BYTES = 64 * 1024 * 1024
_MAX_FILES = 20_000
_MAX_DEPTH = 6
_BASE64 = re.compile(rb"[A-Za-z0-9+/_=\s-]{40,}")
_LDIF = re.compile(
    rb"^(?:pkdMasterListContent|CscaMasterListData|(?:userCertificate|cACertificate)(?:;binary)?)::", re.M
)
_HEX = re.compile(rb"[0-9A-Fa-f\s]{80,}")
_COMPACT = re.compile(rb"[\w-]+\.[\w-]+\.[\w-]+")


def read_trust(paths: Iterable[Path]) -> TrustList:
    """Everything in these files and folders as one list.

    Raises TrustUnreadable for a file named that is no trust material; in a folder such a file is passed over, and
    `TrustList.passed_over` says why.
    """
    parts: list[Material] = []
    for path in paths:
        parts.extend(_read_folder(path) if path.is_dir() else [_read_named(path)])
    whole = joined(parts)
    # A key that somebody withdrew is withdrawn, though another file still carries it: those come first.
    return to_list(
        msgspec.structs.replace(
            whole,
            signers=tuple(sorted(whole.signers, key=_still_believed)),
            authorities=tuple(sorted(whole.authorities, key=_still_believed)),
        )
    )


def to_list(material: Material) -> TrustList:
    """One list, with the names a directory gives joined to the keys that came from elsewhere."""
    names = {one.id: one for one in material.names}
    contexts: dict[str, set[bytes]] = {}
    for url, text in material.contexts:
        contexts.setdefault(url, set()).add(text)
    twice = [url for url, texts in contexts.items() if len(texts) > 1]
    return TrustList(
        (_with_name(one, names) for one in material.signers),
        material.authorities,
        known=material.known,
        names=names.values(),
        passed_over=(*material.passed_over, *((url, "two copies of this context differ") for url in twice)),
        contexts={url: texts.pop() for url, texts in contexts.items() if url not in twice},
    )


def read_file(data: bytes, source: Source) -> Iterator[Signer | Authority]:
    """The signers and authorities of one file. Raises TrustUnreadable."""
    material = read_material(data, source)
    yield from material.signers
    yield from material.authorities


def of_certificate(certificate: Certificate, source: Source) -> Iterator[Signer | Authority]:
    """A certificate somebody trusts: as a signer, and as an authority where it is one."""
    material = bare(certificate, source)
    yield from material.signers
    yield from material.authorities


def read_material(
    data: bytes, source: Source, *, parts: tuple[str, ...] = (), folder: Path | None = None
) -> Material:
    """What one file holds. `parts` is its path below what was handed over; `folder` where its neighbours lie.

    Raises TrustUnreadable.
    """
    if len(data) > _MAX_BYTES:
        raise unreadable(f"a file of {len(data)} bytes is not read (at most {_MAX_BYTES})")
    name = parts[-1] if parts else source.name
    try:
        if name.endswith(".toml"):
            entry, _ = register.read_entry(data.decode("utf-8"), folder=folder, name=name)
            return register.material_of_entry(entry, source, name=name)
        return _read(data, source, _issuer_of_place(parts), 0)
    except TrustUnreadable:
        raise
    except CredentialError as wrong:
        raise unreadable(str(wrong)) from None
    except Exception as wrong:  # Of hostile DER its readers raise whatever comes.
        raise unreadable(f"this file cannot be read ({type(wrong).__name__})") from None


def _read_named(path: Path) -> Material:
    try:
        data = path.read_bytes()
    except OSError as wrong:
        raise unreadable(f"{path.name} cannot be opened ({wrong.strerror})", hint="Check the path.") from None
    place = participants.place_of(path.absolute().parts)
    material = read_material(data, Source(name=path.name), parts=(path.name,), folder=path.parent)
    return material if place is None else participants.limited(material, place)


def _read_folder(folder: Path) -> Iterator[Material]:
    files = [one for one in sorted(folder.rglob("*")) if one.is_file()]
    if len(files) > _MAX_FILES:
        raise unreadable(f"a folder of {len(files)} files is not read (at most {_MAX_FILES})")
    taken: set[Path] = set()
    dates: dict[str, Source] = {}
    contents: dict[Path, bytes] = {}
    for file in files:
        try:
            if file.stat().st_size > _MAX_BYTES:
                yield _passed(folder, file, f"it has more than {_MAX_BYTES} bytes")
                continue
            contents[file] = data = file.read_bytes()
        except OSError as wrong:
            yield _passed(folder, file, f"it cannot be opened ({wrong.strerror})")
            continue
        if file.suffix == ".toml":
            taken |= {file.parent / one for one in _files_named(data)}
        elif data[:1] in (b"\xd2", b"\x84", b"\xd8") and (found := national.dates_beside(data)):
            dates[found[0]] = found[1]
            taken.add(file)
    for file, data in contents.items():
        if file in taken:
            continue
        source = Source(name=str(file.relative_to(folder)))
        if dates and (dated := dates.get(_sha256(data))):
            source = Source(name=source.name, issued=dated.issued, expires=dated.expires)
        place = participants.place_of(file.absolute().parts)
        if place is not None and (reason := participants.not_an_issuer(place)):
            yield _passed(folder, file, reason)
            continue
        try:
            material = read_material(data, source, parts=file.relative_to(folder).parts, folder=file.parent)
        except CredentialError as wrong:
            yield _passed(folder, file, str(wrong))
            continue
        yield material if place is None else participants.limited(material, place)


def _files_named(toml: bytes) -> frozenset[str]:
    """The certificates an issuer's file names, also where the rest of it is wrong: they are not anybody's then."""
    return frozenset(
        re.findall(r'\bcertificate"?\s*=\s*["\']([\w.-]{1,100})["\']', toml.decode("utf-8", "replace"))
    )


def _read(data: bytes, source: Source, issuer: Issuer | None, depth: int) -> Material:
    if depth > _MAX_DEPTH:
        raise unreadable("this is wrapped in too many layers")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16").encode()
    stripped = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not stripped:
        raise unreadable("this file is empty")
    if b"-----BEGIN " in data and stripped[:1] not in b'{["':
        return _read_pem(data, source)
    if _LDIF.search(data):
        return _read_ldif(data, source)
    if stripped[:1] in b'{["':
        return _read_json(read_json(stripped), source, issuer, depth)
    if stripped.startswith(b"did:"):
        return _read_dids(stripped.decode("utf-8"), source)
    if _COMPACT.fullmatch(stripped):
        token = read_compact(stripped.decode("ascii"))
        claims = read_json(token.payload)
        if isinstance(claims, dict):
            source = Source(
                name=source.name, issued=moment(claims.get("iat")), expires=moment(claims.get("exp"))
            )
        return _read_json(claims, source, issuer, depth + 1)
    first, _, rest = stripped.partition(b"\n")
    if rest.lstrip()[:1] in (b"{", b"[") and _BASE64.fullmatch(first.strip()):
        return _read_json(read_json(rest), source, issuer, depth + 1)
    if _HEX.fullmatch(stripped):
        return _read(bytes.fromhex(stripped.decode("ascii")), source, issuer, depth + 1)
    if _BASE64.fullmatch(stripped):
        return _read(from_any_base64(stripped), source, issuer, depth + 1)
    if data[:1] == b"\x30":
        return joined(_read_der(one, source) for one in _ders(data))
    return _read_cbor(data, source)


def _read_pem(data: bytes, source: Source) -> Material:
    """Every block. Private keys are an error, a block that is broken is passed over where another is good."""
    found: list[Material] = []
    wrong: list[tuple[str, str]] = []
    for name, body in _blocks(data):
        if "PRIVATE KEY" in name:
            raise private_key()
        try:
            found.append(_read_der(from_any_base64(body), source))
        except ValueError:
            wrong.append((f"{source.name} {name.lower()}", "this PEM is broken: a block is not base64"))
        except TrustUnreadable as refused:
            if refused.code == "private-key":
                raise
            wrong.append((f"{source.name} {name.lower()}", str(refused)))
    if not found:
        raise unreadable(wrong[0][1] if wrong else "this PEM holds nothing that could be trusted")
    return joined((*found, Material(passed_over=tuple(wrong))))


def _blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every block of a PEM, indented or not, without headers (RFC 7468, read laxly). Raises TrustUnreadable."""
    for part in data.split(b"-----BEGIN ")[1:]:
        label, _, rest = part.partition(b"-----")
        body, end, _ = rest.partition(b"-----END " + label + b"-----")
        if not end:
            raise unreadable("this PEM is broken: a block has no end")
        yield (
            label.decode("ascii", "replace"),
            b"\n".join(one for one in body.splitlines() if b":" not in one),
        )


def _read_ldif(data: bytes, source: Source) -> Material:
    """An export of ICAO's directory (RFC 2849): master lists and certificates, in base64 on folded lines."""
    found: list[Material] = []
    wrong: list[tuple[str, str]] = []
    for number, line in enumerate(data.replace(b"\r", b"").replace(b"\n ", b"").split(b"\n")):
        if not _LDIF.match(line):
            continue
        try:
            found.append(_read_der(from_any_base64(line.partition(b"::")[2]), source))
        except (CredentialError, ValueError) as refused:
            wrong.append((f"{source.name} [{number}]", str(refused)[:200]))
    if not found:
        raise unreadable(wrong[0][1] if wrong else "this directory holds no certificate")
    return joined((*found, Material(passed_over=tuple(wrong))))


def _read_der(der: bytes, source: Source) -> Material:
    """By the shape of its outermost sequence: a CMS message, a certificate, a public key, or a private one."""
    tags = _tags_within(der)
    if tags[:1] == [6]:
        return authorities.read_signed_data(der, source)
    if tags[:1] == [2] and tags != [2, 2]:
        raise private_key()
    if tags in ([16, 3], [2, 2]):
        try:
            return Material(signers=(of_key(from_spki(der), source, unnamed=True),))
        except KeyRefused as wrong:
            raise unreadable(str(wrong)) from None
    try:
        return bare(read_certificate(der), source)
    except CertificateRefused as wrong:
        raise unreadable(str(wrong)) from None


def _tags_within(der: bytes) -> list[int]:
    try:
        _, _, tag, _, content, _ = parser.parse(der)
        if tag != 16:
            return []
        tags: list[int] = []
        while content and len(tags) < 4:
            _, _, inner, header, body, trailer = parser.parse(content)
            tags.append(inner)
            content = content[len(header) + len(body) + len(trailer) :]
    except ValueError:
        raise unreadable("this is neither DER nor any other form of trust that is known") from None
    return tags


def _ders(data: bytes) -> Iterator[bytes]:
    """DER one after another; what follows the last one is left to the certificate's own reader."""
    while data:
        try:
            _, _, _, header, body, trailer = parser.parse(data)
        except ValueError:
            yield data
            return
        length = len(header) + len(body) + len(trailer)
        if data[length : length + 1] != b"\x30":
            yield data
            return
        yield data[:length]
        data = data[length:]


def _read_cbor(data: bytes, source: Source) -> Material:
    try:
        item = read_cbor(data)
    except CredentialError:
        raise unreadable("this is in no form of trust that is known", hint=_FORMS) from None
    if isinstance(item, cbor2.CBORTag) or (isinstance(item, list | tuple) and len(item) == 4):
        item = read_cbor(read_sign1(item).payload)
    if isinstance(item, MAPS):
        if "certificateInfos" in item:
            return authorities.read_vical(item, source)
        if "c" in item:
            return national.read_austrian(item, source)
        if 1 in item:
            return keysets.read_cose_keys(item, source)
    elif isinstance(item, list | tuple) and item and all(isinstance(one, MAPS) for one in item):
        return keysets.read_cose_keys(item, source)
    raise unreadable("this CBOR is no form of trust that is known", hint=_FORMS)


def _read_json(document: Any, source: Source, issuer: Issuer | None, depth: int) -> Material:
    if depth > _MAX_DEPTH:
        raise unreadable("this is wrapped in too many layers")
    if isinstance(document, list):
        return _read_array(document, source, issuer, depth)
    if isinstance(document, str):
        return _read(document.encode(), source, issuer, depth + 1)
    if not isinstance(document, dict):
        raise unreadable("this JSON is neither an object nor an array", hint=_FORMS)
    if "issuers" in document and "member" in document:
        return register.read_register(msgspec.json.encode(document), source)[3]
    if "didDocument" in document or "verificationMethod" in document or "assertionMethod" in document:
        return _read_did_document(document, source)
    if "issuerInfo" in document:
        return keysets.read_snapshot(document, source)
    if "participating_issuers" in document or "issuer_metadata" in document:
        return keysets.read_directory(document)
    for name, reader in _NATIONAL.items():
        if name in document:
            return reader(document[name], source)
    if isinstance(document.get("payload"), str) and "signature" in document:
        return _read(from_any_base64(document["payload"]), source, issuer, depth + 1)
    if "kty" in document:
        return keysets.read_jwks([document], source, issuer=issuer)
    if "documentUrl" in document and "document" in document:
        return _read_context(document)
    own = document.get("issuer") or document.get("iss")
    if isinstance(own, str) and own:
        issuer = Issuer(id=own)
    if "keys" in document:
        return keysets.read_jwks(document["keys"], source, issuer=issuer)
    if isinstance(document.get("jwks"), dict):
        return keysets.read_jwks(document["jwks"].get("keys"), source, issuer=issuer)
    if not document or "url" in document:
        material = participants.read_trusted_issuer(document)
        if not material:
            raise unreadable("it names no issuer yet")
        return material
    if all(isinstance(one, dict) and "keys" in one for one in document.values()):
        return joined(
            keysets.read_jwks(one["keys"], source, issuer=Issuer(id=name)) for name, one in document.items()
        )
    if national.is_map_of_keys(document):
        return national.read_map(document, source)
    pems = [one for one in document.values() if isinstance(one, str) and "-----BEGIN " in one]
    if pems:
        return joined(_read_pem(one.encode(), source) for one in pems)
    if document.keys() == {"@context"}:
        raise unreadable(
            'this JSON-LD context does not say its address: write {"documentUrl": "https://…", "document": …} around it'
        )
    raise unreadable("this JSON is no form of trust that is known", hint=_FORMS)


def _read_context(document: Mapping[str, Any]) -> Material:
    """A JSON-LD context with its address, as a document loader keeps it (JSON-LD 1.1 API, section 9.4.3, RemoteDocument)."""
    url, inner = document["documentUrl"], document["document"]
    if not isinstance(url, str) or not url or not isinstance(inner, dict) or "@context" not in inner:
        raise unreadable("a pinned context is an object with @context, and its documentUrl is text")
    return Material(contexts=((url, canonical.canonicalise(inner)),))


def _read_array(entries: list[Any], source: Source, issuer: Issuer | None, depth: int) -> Material:
    if entries and all(isinstance(one, dict) and "kty" in one for one in entries):
        return keysets.read_jwks(entries, source, issuer=issuer)
    if any(isinstance(one, dict) and "rawData" in one for one in entries):
        return national.read_gateway(entries, source)
    if entries and all(isinstance(one, str) for one in entries):
        return joined(_read(one.encode(), source, issuer, depth + 1) for one in entries)
    if entries and all(isinstance(one, dict) for one in entries):
        return joined(_read_json(one, source, issuer, depth + 1) for one in entries)
    raise unreadable("this JSON array is no form of trust that is known", hint=_FORMS)


_NATIONAL = {
    "certificates": national.read_gateway,
    "dsc_trust_list": national.read_swedish,
    "certificatesDCC": national.read_map,
    "eu_keys": national.read_map,
    "certs": national.read_swiss,
}


def _read_did_document(document: Mapping[str, Any], source: Source) -> Material:
    inner = document.get("didDocument", document)
    if not isinstance(inner, dict):
        raise unreadable("this DID document is not an object")
    methods = inner.get("verificationMethod")
    methods = methods if isinstance(methods, list) else []
    if not any(relation in inner for relation in _RELATIONS):
        # Documents of trust networks name no relation: every key of theirs signs.
        inner = inner | {
            "assertionMethod": [
                one["id"] for one in methods if isinstance(one, dict) and isinstance(one.get("id"), str)
            ]
        }
    signers = did.signers_of_document(inner, source)
    if not signers:
        raise unreadable("this DID document has no key for assertions")
    certified = _named_in_certificates(methods, source)
    signers = tuple(
        msgspec.structs.replace(one, ids=tuple(dict.fromkeys((*one.ids, *certified.get(one.spki, ())))))
        for one in signers
    )
    return Material(signers=signers, known=frozenset(one.issuer.id for one in signers))


_RELATIONS = (
    "assertionMethod",
    "authentication",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
)


def _named_in_certificates(methods: list[Any], source: Source) -> dict[bytes, tuple[str, ...]]:
    """Further names of a document's keys: their `kid` as bytes, and their certificates'."""
    found: dict[bytes, tuple[str, ...]] = {}
    for method in methods:
        jwk = method.get("publicKeyJwk") if isinstance(method, dict) else None
        if not isinstance(jwk, dict):
            continue
        try:
            signer = keysets.of_jwk(jwk, source)
        except CredentialError:
            continue
        fragment = str(method.get("id", "")).rpartition("#")[2]
        found[signer.spki] = (*found.get(signer.spki, ()), *signer.ids, *kid_forms(fragment))
    return found


def _read_dids(text: str, source: Source) -> Material:
    """did:key and did:jwk, one a line; any other DID is a name whose document comes on its own."""
    signers: list[Signer] = []
    names: list[Issuer] = []
    for line in text.split():
        name = line.partition("#")[0]
        jwk = did.key_of_did(name)
        if jwk is not None:
            fragment = "0" if name.startswith("did:jwk:") else name.rpartition(":")[2]
            ids = (f"{name}#{fragment}", name)
            signers.append(of_key(from_jwk(jwk), source, issuer=Issuer(id=name), ids=ids))
        elif re.fullmatch(r"did:[a-z0-9]+:\S{1,1000}", name):
            names.append(Issuer(id=name))
        else:
            raise unreadable(f"{line[:60]!r} is not a DID")
    return Material(
        signers=tuple(signers), names=tuple(names), known=frozenset(one.issuer.id for one in signers)
    )


def _issuer_of_place(parts: tuple[str, ...]) -> Issuer | None:
    """The issuer a key set's place names: `HOST/PATH/.well-known/jwks.json` below the folder handed over."""
    if parts[-2:] != (".well-known", "jwks.json") or len(parts) < 3:
        return None
    host = parts[0]
    if "." not in host and not host.startswith("localhost"):
        return None
    return Issuer(id="https://" + "/".join(parts[:-2]))


def _still_believed(entry: Signer | Authority) -> bool:
    return entry.withdrawn is None


def _with_name(signer: Signer, names: Mapping[str, Issuer]) -> Signer:
    named = names.get(signer.issuer.id)
    if named is None or (signer.issuer.name and signer.issuer.territory):
        return signer
    issuer = Issuer(
        id=named.id,
        name=signer.issuer.name or named.name,
        territory=signer.issuer.territory or named.territory,
    )
    return msgspec.structs.replace(signer, issuer=issuer)


def _passed(folder: Path, file: Path, reason: str) -> Material:
    return Material(passed_over=((str(file.relative_to(folder)), reason),))


def _sha256(data: bytes) -> str:
    return base64url(hashlib.sha256(data).digest())


_FORMS = "Trust is given as certificates, keys, key sets, DID documents, or a list in one of the forms of docs/how-to/keep-the-trust-list.md."
