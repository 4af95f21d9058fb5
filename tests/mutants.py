"""Credentials with something wrong: `python -m tests.mutants [--count N] [--seed N]` makes, examines and counts them.

A sample is a genuine credential of a made-up issuer, in every format that is registered, opened layer by layer: what
is printed, what it unpacks to, what was signed, the signature. A mutant is a sample with bytes changed, cut or
exchanged at one of its layers; with its JSON or CBOR rebuilt (values, names twice, depth, numbers, sharing, unicode);
one that swells; or one forged whole, with another key, algorithm, signature or key identifier.

A mutant that is believed is a forgery unless everything that counts is as its issuer signed it: the bytes under the
signature, the claims (of SD-JWT and mdoc fewer of them, which is the holder's choice), the dates, the status entries,
the issuer. What is then left was never signed; those are counted as `unsigned`, and a signature (r, n - s) in the
place of (r, s), which is as good by the standard, as `malleated`.
"""

import argparse
import base64
import hashlib
import hmac
import json
import random
import resource
import sys
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from typing import Any, NamedTuple

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from landbridge.prove import canonical, proofs
from landbridge.prove.cose import sig_structure
from landbridge.prove.facts import Issuer
from landbridge.prove.formats import FORMATS, hcert
from landbridge.prove.issue import jwtvc, sdjwt, shc
from landbridge.prove.issue.hcert import create as create_hcert
from landbridge.prove.keys import (
    PrivateKey,
    algorithm_of,
    base64url,
    from_base64url,
    sign,
    thumbprint,
    to_jwk,
)
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.trust.read import of_certificate
from landbridge.prove.verdict import Verdict
from landbridge.prove.verify import Trust, examine
from tests.provers import NOON, TestIssuer, negative_test

UNIVERSITY, REGISTRY, CLINIC = (
    "https://university.xa.example",
    "https://registry.xa.example",
    "https://clinic.xa.example",
)
N256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_COSE = {"ES256": -7, "ES384": -35, "EdDSA": -8, "PS256": -37}


# JSON and CBOR as trees that may be written wrongly


class Pairs(list[tuple[Any, Any]]):
    """An object or a map, whose names may come twice."""


class Raw(NamedTuple):
    """Bytes to be written as they are."""

    data: bytes


class Tagged(NamedTuple):
    """A CBOR tag and what it is of."""

    tag: int
    value: Any


def read_json(data: bytes) -> Any:
    return json.loads(data, object_pairs_hook=Pairs)


def write_json(tree: Any) -> bytes:
    if isinstance(tree, Raw):
        return tree.data
    if isinstance(tree, Pairs | Mapping):
        pairs = tree if isinstance(tree, Pairs) else tree.items()
        return b"{" + b",".join(write_json(name) + b":" + write_json(value) for name, value in pairs) + b"}"
    if isinstance(tree, list):
        return b"[" + b",".join(map(write_json, tree)) + b"]"
    return json.dumps(tree).encode()


def read_cbor(data: bytes) -> Any:
    return _item(data, 0)[0]


def _item(data: bytes, at: int) -> tuple[Any, int]:
    """One item of definite length, and where the next begins."""
    major, low, start = data[at] >> 5, data[at] & 31, at
    at += 1
    number = low
    if low >= 24:
        size = 1 << low - 24
        number, at = int.from_bytes(data[at : at + size], "big"), at + size
    if major in (0, 1):
        return (number if major == 0 else -1 - number), at
    if major in (2, 3):
        part = data[at : at + number]
        return (part if major == 2 else part.decode()), at + number
    if major == 7:
        return Raw(data[start:at]), at
    if major == 6:
        value, at = _item(data, at)
        return Tagged(number, value), at
    found: list[Any] = []
    for _ in range(number * (major - 3)):
        value, at = _item(data, at)
        found.append(value)
    return (found if major == 4 else Pairs(zip(found[::2], found[1::2], strict=True))), at


def head(major: int, number: int) -> bytes:
    for low, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes((major << 5 | number,))
        if number < 1 << 8 * size:
            return bytes((major << 5 | low,)) + number.to_bytes(size, "big")
    raise ValueError(number)


def write_cbor(tree: Any) -> bytes:
    if isinstance(tree, Raw):
        return tree.data
    if isinstance(tree, Tagged):
        return head(6, tree.tag) + write_cbor(tree.value)
    if isinstance(tree, Pairs | Mapping):
        pairs = tree if isinstance(tree, Pairs) else list(tree.items())
        return head(5, len(pairs)) + b"".join(write_cbor(part) for pair in pairs for part in pair)
    if isinstance(tree, list | tuple):
        return head(4, len(tree)) + b"".join(map(write_cbor, tree))
    if isinstance(tree, str):
        data = tree.encode("utf-8", "surrogatepass")
        return head(3, len(data)) + data
    return cbor2.dumps(tree)


def change_anywhere(tree: Any, dice: random.Random, change: Callable[[Any], Any]) -> Any:
    """The tree with one node changed, found by going down at random."""
    if isinstance(tree, Tagged):
        return Tagged(tree.tag, change_anywhere(tree.value, dice, change))
    if isinstance(tree, list) and tree and dice.random() < 0.85:
        at = dice.randrange(len(tree))
        copy = type(tree)(tree)
        if isinstance(tree, Pairs):
            name, value = tree[at]
            copy[at] = (name, change_anywhere(value, dice, change))
        else:
            copy[at] = change_anywhere(tree[at], dice, change)
        return copy
    return change(tree)


def change_container(tree: Any, dice: random.Random, change: Callable[[Any], Any]) -> Any:
    """The same, where only an object, a map or an array is changed; one that is not empty, where there is one."""
    inner = [at for at, one in enumerate(_values(tree)) if isinstance(one, list | Tagged) and _values(one)]
    if isinstance(tree, Tagged) or (inner and dice.random() < 0.7):
        at = dice.choice(inner) if inner else 0
        if isinstance(tree, Tagged):
            return Tagged(tree.tag, change_container(tree.value, dice, change))
        copy = type(tree)(tree)
        if isinstance(tree, Pairs):
            copy[at] = (tree[at][0], change_container(tree[at][1], dice, change))
        else:
            copy[at] = change_container(tree[at], dice, change)
        return copy
    return change(tree)


def _values(tree: Any) -> list[Any]:
    if isinstance(tree, Tagged):
        return [tree.value]
    return [value for _, value in tree] if isinstance(tree, Pairs) else tree if isinstance(tree, list) else []


# samples: genuine credentials, opened


class Layer(NamedTuple):
    """What one step of reading sees, and how to get from it to what is handed over."""

    name: str
    data: bytes
    wrap: Callable[[bytes], bytes]
    kind: str = "bytes"  # bytes, json, cbor, or zlib and deflate for what is unpacked next


class Sample(NamedTuple):
    format: str
    text: bytes
    layers: tuple[Layer, ...]
    forge: Callable[[random.Random], tuple[str, bytes]]


class World(NamedTuple):
    """All samples, and the trust in which they are believed."""

    samples: tuple[Sample, ...]
    trust: Trust
    genuine: Mapping[tuple[bytes, ...], tuple[Any, ...]]


def _named(layers: Sequence[Layer], name: str) -> Layer:
    return next(one for one in layers if one.name == name)


def _spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signer(key: PrivateKey, *ids: str, issuer: str = "", territory: str = "") -> Signer:
    return Signer(
        issuer=Issuer(id=issuer, name=issuer, territory=territory),
        spki=_spki(key),
        ids=(*ids, thumbprint(key.public_key())),
        source=Source(name="test"),
    )


def _impostor(key: ec.EllipticCurvePrivateKey, like: bytes) -> bytes:
    """A certificate with everything of another but its key."""
    model = x509.load_der_x509_certificate(like)
    builder = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(model.issuer)
        .public_key(key.public_key())
        .serial_number(model.serial_number)
        .not_valid_before(model.not_valid_before_utc)
        .not_valid_after(model.not_valid_after_utc)
    )
    for extension in model.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


ATTACKER = ec.generate_private_key(ec.SECP256R1())
ATTACKERS: dict[str, PrivateKey] = {
    "ES256": ATTACKER,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "PS256": rsa.generate_private_key(65537, 2048),
}


@cache
def world() -> World:
    """Made once a process, because keys are made with it. Raises AssertionError for a sample nobody believes."""
    keys: dict[str, PrivateKey] = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "PS256": rsa.generate_private_key(65537, 2048),
    }
    offices = [TestIssuer("XA"), TestIssuer("XB")]
    road = TestIssuer("XA", usages=["1.0.18013.5.1.2"]), TestIssuer("XB", usages=["1.0.18013.5.1.2"])
    borders = TestIssuer("FR", usages=["2.23.136.1.1.14.2"]), TestIssuer("DE", usages=["2.23.136.1.1.14.2"])
    signers: list[Any] = [
        entry
        for office in (*offices, *road, *borders)
        for entry in of_certificate(office.certificate, Source(name="test"))
    ]
    samples: list[Sample] = []

    expert = rsa.generate_private_key(65537, 2048)
    signers.append(_signer(expert, base64url(b"rsa-kid8"), issuer="XC", territory="XC"))
    of_tests: list[tuple[PrivateKey, bytes, str]] = [(one.key, one.kid, one.country) for one in offices]
    for key, kid, country in (*of_tests, (expert, b"rsa-kid8", "XC")):
        text = create_hcert(
            negative_test(co=country),
            key=key,
            kid=kid,
            country=country,
            issued=NOON,
            expires=NOON + timedelta(days=30),
        )
        samples.append(_hcert(text, key, [one.kid for one in offices]))

    for number in range(2):
        clinic = f"{CLINIC}/{number}"
        key = ec.generate_private_key(ec.SECP256R1())
        signers.append(_signer(key, issuer=clinic))
        card = shc.create(_bundle(number), key=key, issuer=clinic, issued=NOON - timedelta(days=1))
        samples.append(_jose("shc", card, key, number=bool(number)))

    for algorithm, key in keys.items():
        registry, university = f"{REGISTRY}/{algorithm}", f"{UNIVERSITY}/{algorithm}"
        signers.append(_signer(key, "key-1", f"{registry}#key-1", issuer=registry))
        signers.append(_signer(key, f"{university}#key-1", issuer=university))
        token = sdjwt.create(
            _person(registry),
            key=key,
            conceal=(("given_name",), ("nationalities", None), ("address",), ("address", "locality")),
            header={"kid": "key-1"},
            holder=to_jwk(ATTACKERS["ES256"].public_key()),
            decoys=1,
        )
        samples.append(_jose("sd-jwt", token, key))
        whole = json.dumps(sdjwt.as_json(token)).encode()
        samples.append(samples[-1]._replace(text=whole, layers=(Layer("json", whole, bytes, "json"),)))
        diploma = jwtvc.create(
            _diploma(university),
            key=key,
            kid=f"{university}#key-1",
            issued=NOON,
            expires=NOON + timedelta(days=900),
        )
        samples.append(_jose("jwt-vc", diploma, key))
        samples.append(_cose_vc(_diploma(university), key, f"{university}#key-1"))

    samples.extend(_mdoc(office) for office in road)
    samples.extend(_seal(office, borders[1 - number]) for number, office in enumerate(borders))

    for algorithm, suite in (
        ("EdDSA", "eddsa-jcs-2022"),
        ("EdDSA", "eddsa-rdfc-2022"),
        ("ES256", "ecdsa-jcs-2019"),
        ("ES256", "ecdsa-rdfc-2019"),
    ):
        samples.append(_integrity(keys[algorithm], f"{UNIVERSITY}/{algorithm}", suite, algorithm))

    trust = Trust(
        issuers=TrustList(
            signers, known={one.issuer.id for one in signers if one.issuer.id.startswith("http")}
        ),
        taken_back=StatusLists(),
    )
    genuine: dict[tuple[bytes, ...], tuple[Any, ...]] = {}
    for sample in samples:
        [verdict] = examine(sample.text, trust=trust, at=NOON)
        assert verdict.facts is not None, (sample.format, [str(step) for step in verdict.steps])
        genuine[_messages(verdict)] = _substance(verdict)
    # A link holds no credential itself.
    left_out = {form.NAME for form in FORMATS} - {one.format for one in samples} - {"shlink"}
    assert not left_out, f"no sample of {left_out}"
    return World(tuple(samples), trust, genuine)


def _person(issuer: str) -> dict[str, Any]:
    return {
        "iss": issuer,
        "iat": int(NOON.timestamp()) - 60,
        "exp": int(NOON.timestamp()) + 86_400 * 300,
        "vct": "urn:altania:pid:1",
        "given_name": "Fiktiva",
        "family_name": "Muster-Test",
        "birthdate": "1990-01-31",
        "nationalities": ["XA", "XB"],
        "address": {"locality": "Altastadt", "country": "XA"},
    }


def _diploma(issuer: str) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "https://university.xa.example/diplomas/7",
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "issuer": issuer,
        "credentialSubject": {
            "id": "did:example:fiktiva",
            "degree": {"type": "ExampleBachelorDegree", "name": "Bachelor of Tests"},
        },
    }


def _bundle(number: int) -> dict[str, Any]:
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "Muster-Test", "given": ["Fiktiva", f"N{number}"]}],
        "birthDate": "1990-01-31",
    }
    dose = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "208"}]},
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": "2026-02-01",
        "lotNumber": "T1",
    }
    entries = [{"fullUrl": f"resource:{n}", "resource": one} for n, one in enumerate((patient, dose))]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _hcert(text: str, key: PrivateKey, kids: Sequence[bytes]) -> Sample:
    def of_compressed(data: bytes) -> bytes:
        return (hcert.PREFIX + hcert.to_base45(data)).encode()

    def of_cose(data: bytes) -> bytes:
        return of_compressed(zlib.compress(data, 6))

    packed = hcert.from_base45(text[4:])
    whole = zlib.decompress(packed)
    layers = [
        Layer("text", text.encode(), bytes),
        Layer("compressed", packed, of_compressed, "zlib"),
        Layer("cose", whole, of_cose, "cbor"),
        *_inside_cose(read_cbor(whole), of_cose),
    ]
    forge = partial(_forge_cose, read_cbor(whole), of_cose, key, tuple(kids), b"")
    return Sample("hcert", text.encode(), tuple(layers), forge)


def _inside_cose(tree: Any, wrap: Callable[[bytes], bytes], payload: str = "cbor") -> Iterator[Layer]:
    inner = tree.value if isinstance(tree, Tagged) else tree

    def with_part(at: int, data: bytes) -> bytes:
        parts = [*inner[:at], data, *inner[at + 1 :]]
        return wrap(write_cbor(Tagged(tree.tag, parts) if isinstance(tree, Tagged) else parts))

    for at, name, kind in ((0, "protected", "cbor"), (2, "payload", payload), (3, "signature", "bytes")):
        yield Layer(name, inner[at], partial(with_part, at), kind)


def _cose_vc(credential: dict[str, Any], key: PrivateKey, kid: str) -> Sample:
    whole = {**credential, "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z"}
    body = json.dumps(whole).encode()
    protected = cbor2.dumps({1: _COSE[algorithm_of(key)], 4: kid.encode(), 16: "application/vc+cose"})
    data = write_cbor(
        Tagged(18, [protected, Pairs(), body, sign(key, algorithm_of(key), sig_structure(protected, body))])
    )
    tree = read_cbor(data)
    layers = (Layer("cose", data, bytes, "cbor"), *_inside_cose(tree, bytes, "json"))
    return Sample("cose-vc", data, layers, partial(_forge_cose, tree, bytes, key, (kid.encode(),), b""))


def _mdoc(issuer: TestIssuer) -> Sample:
    space, kind = "org.iso.18013.5.1", "org.iso.18013.5.1.mDL"
    elements = {
        "family_name": "Muster-Test",
        "given_name": "Fiktiva",
        "birth_date": Tagged(1004, "1990-01-31"),
        "issue_date": Tagged(1004, "2025-05-01"),
        "expiry_date": Tagged(1004, "2035-05-01"),
        "issuing_country": issuer.country,
        "document_number": "TEST000001",
        "driving_privileges": [Pairs([("vehicle_category_code", "B")])],
    }
    items = [
        write_cbor(
            Tagged(
                24,
                write_cbor(
                    {
                        "digestID": number,
                        "random": bytes((number,)) * 32,
                        "elementIdentifier": name,
                        "elementValue": value,
                    }
                ),
            )
        )
        for number, (name, value) in enumerate(elements.items())
    ]
    days = {"signed": -10, "validFrom": -10, "validUntil": 80}
    mso = write_cbor(
        {
            "version": "1.0",
            "digestAlgorithm": "SHA-256",
            "valueDigests": {space: {n: hashlib.sha256(item).digest() for n, item in enumerate(items)}},
            "deviceKeyInfo": {"deviceKey": {}},
            "docType": kind,
            "validityInfo": {
                name: Tagged(0, (NOON + timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ"))
                for name, n in days.items()
            },
        }
    )
    payload, protected = write_cbor(Tagged(24, mso)), cbor2.dumps({1: -7})
    signature = sign(issuer.key, "ECDSA-SHA256", sig_structure(protected, payload))
    auth = [protected, Pairs([(33, issuer.der)]), payload, signature]

    def whole(parts: Sequence[bytes], auth: bytes) -> bytes:
        spaces = {space: [Raw(one) for one in parts]}
        return write_cbor({"docType": kind, "issuerSigned": {"nameSpaces": spaces, "issuerAuth": Raw(auth)}})

    def with_item(at: int, inner: bytes) -> bytes:
        return whole([*items[:at], write_cbor(Tagged(24, inner)), *items[at + 1 :]], write_cbor(auth))

    def with_mso(data: bytes) -> bytes:
        return whole(items, write_cbor([protected, auth[1], write_cbor(Tagged(24, data)), signature]))

    data = whole(items, write_cbor(auth))
    layers = (
        Layer("document", data, bytes, "cbor"),
        Layer("security object", mso, with_mso, "cbor"),
        *(
            Layer(f"element {n}", read_cbor(item).value, partial(with_item, n), "cbor")
            for n, item in enumerate(items)
        ),
        *_inside_cose(auth, partial(whole, items)),
    )
    return Sample(
        "mdoc",
        data,
        layers,
        partial(_forge_cose, auth, partial(whole, items), issuer.key, (issuer.kid,), issuer.der),
    )


def _seal(issuer: TestIssuer, other: TestIssuer) -> Sample:
    state = {"FR": "FRA", "DE": "DEU"}[issuer.country]
    data = {
        "hdr": {"t": "icao.test", "v": 1, "is": state},
        "msg": {
            "utci": "TEST0002",
            "pid": {"n": "MUSTER-TEST  FIKTIVA", "dob": "1990-01-31", "dt": "P", "dn": "TEST000001"},
            "sp": {
                "spn": "Test laboratory",
                "ctr": state,
                "cd": {"p": "0", "e": "a@lab.test", "a": "Test street"},
            },
            "dat": {"sc": "2026-05-31T10:30:00+02:00", "ri": "2026-05-31T12:00:00+02:00"},
            "tr": {"tc": "molecular(PCR)", "r": "negative", "m": "nasopharyngeal"},
        },
    }
    message = canonical.canonicalise(data)
    made = sign(issuer.key, "ES256", message)

    def whole(data: Any, der: bytes, signature: bytes, algorithm: Any = "ES256") -> bytes:
        sig = {"alg": algorithm, "cer": base64url(der), "sigvl": base64url(signature)}
        return write_json({"data": data, "sig": sig})

    def forge(dice: random.Random) -> tuple[str, bytes]:
        attacker = ATTACKER
        kind = dice.choice(("keys", "algorithm", "signature"))
        if kind == "signature":
            return kind, whole(data, issuer.der, dice.choice(_signatures(made, message, issuer.key)))
        changed = dice.choice((data, _tweaked(data, dice)))
        if kind == "algorithm":
            name = dice.choice(_ALGORITHMS)
            return kind, whole(
                changed, issuer.der, dice.choice((made, b"", _hmac(issuer.key, message, dice))), name
            )
        key = dice.choice((attacker, other.key))
        der = dice.choice((issuer.der, _impostor(attacker, issuer.der), other.der))
        if (key, der) == (other.key, other.der) and changed is not data:
            key = attacker  # Else the other state's own seal, if it is one.
        return kind, whole(changed, der, sign(key, "ES256", canonical.canonicalise(changed)))

    text = whole(data, issuer.der, made)
    layers = (
        Layer("json", text, bytes, "json"),
        Layer("signature", made, partial(whole, data, issuer.der)),
        Layer("certificate", issuer.der, lambda der: whole(data, der, made)),
    )
    return Sample("vds-nc", text, layers, forge)


def _integrity(key: PrivateKey, issuer: str, suite: str, algorithm: str) -> Sample:
    document = {**_diploma(issuer), "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01T00:00:00Z"}
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": f"{issuer}#key-1",
        "proofPurpose": "assertionMethod",
    }
    whole = proofs.create(
        document, options, lambda message: sign(key, algorithm, message), algorithm=algorithm
    )
    raw = proofs.from_base58(whole["proof"]["proofValue"][1:])

    def with_signature(data: bytes) -> bytes:
        # Of many bytes, base58 is slow to make.
        text = proofs.to_base58(data) if len(data) < 1_000 else "2" * len(data)
        return write_json({**document, "proof": {**whole["proof"], "proofValue": f"z{text}"}})

    def forge(dice: random.Random) -> tuple[str, bytes]:
        kind = dice.choice(("keys", "algorithm", "signature", "kid"))
        if kind == "signature":
            return kind, with_signature(dice.choice(_signatures(raw, b"", key)))
        changed = dict(dice.choice((document, _tweaked(document, dice))))
        changed.pop("proof", None)
        proof = dict(whole["proof"])
        if kind == "algorithm":
            suites = (
                "eddsa-jcs-2022",
                "eddsa-rdfc-2022",
                "ecdsa-jcs-2019",
                "ecdsa-rdfc-2019",
                "none",
                "bbs-2023",
                "",
            )
            proof["cryptosuite"] = dice.choice([one for one in suites if one != suite])
            return kind, write_json(
                {**changed, "proof": dice.choice((proof, [proof], [proof, whole["proof"]]))}
            )
        if kind == "kid":
            name = dice.choice(("verificationMethod", "proofPurpose", "created", "controller", "domain"))
            proof[name] = dice.choice((*_KIDS, f"{UNIVERSITY}/PS256#key-1", "authentication"))
            return kind, write_json({**document, "proof": proof})
        attacker = ATTACKERS[algorithm]
        made = {name: value for name, value in proof.items() if name != "proofValue"}
        if dice.random() < 0.3:
            own = proofs.to_base58(b"\xed\x01" + _spki(ATTACKERS["EdDSA"])[-32:])
            made["verificationMethod"] = f"did:key:z{own}"
        try:
            forged = proofs.create(changed, made, lambda m: sign(attacker, algorithm, m), algorithm=algorithm)
        except Exception:
            forged = {**changed, "proof": proof}
        return kind, write_json(forged)

    text = write_json(whole)
    return Sample(
        "data-integrity",
        text,
        (Layer("json", text, bytes, "json"), Layer("signature", raw, with_signature)),
        forge,
    )


def _jose(form: str, token: str, key: PrivateKey, *, number: bool = False) -> Sample:
    """A compact JWS, with what follows it where it is an SD-JWT; a card as the digits of its code, with `number`."""
    jws, tilde, rest = token.partition("~")
    parts = jws.split(".")

    def finish(text: str) -> bytes:
        return (shc.numeric(text) if number and set(text) <= _PLAIN else text).encode()

    def with_part(at: int, data: bytes) -> bytes:
        return finish(".".join((*parts[:at], base64url(data), *parts[at + 1 :])) + tilde + rest)

    def of_payload(data: bytes) -> bytes:
        packer = zlib.compressobj(6, wbits=-15)
        return with_part(1, packer.compress(data) + packer.flush())

    bodies = [from_base64url(part) for part in parts]
    layers = [
        Layer("text", finish(token), bytes),
        Layer("token", token.encode(), lambda data: finish(data.decode("latin-1"))),
        Layer("header", bodies[0], partial(with_part, 0), "json"),
        Layer("signature", bodies[2], partial(with_part, 2)),
    ]
    if form == "shc":
        layers.append(Layer("packed", bodies[1], partial(with_part, 1), "deflate"))
        layers.append(Layer("payload", zlib.decompress(bodies[1], -15), of_payload, "json"))
    else:
        layers.append(Layer("payload", bodies[1], partial(with_part, 1), "json"))
    disclosures = [one for one in rest.split("~") if one]
    for at, one in enumerate(disclosures):

        def with_disclosure(data: bytes, at: int = at) -> bytes:
            changed = [*disclosures[:at], base64url(data), *disclosures[at + 1 :]]
            return "~".join((jws, *changed, "")).encode()

        layers.append(Layer(f"disclosure {at}", from_base64url(one), with_disclosure, "json"))
    payload = _named(layers, "payload")
    forge = partial(_forge_jose, json.loads(bodies[0]), bodies, payload, key, finish, tilde + rest)
    return Sample(form, finish(token), tuple(layers), forge)


_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


# forgeries: made whole, by somebody who has no key


_ALGORITHMS: tuple[Any, ...] = (
    "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "ES256", "ES384", "ES512", "ES256K",
    "EdDSA", "Ed25519", "PS256", "PS384", "RS256", "es256", " ES256", "ES256 ", "RSA-OAEP", "dir",
    "ES256\0", "ЕS256", None, 0, -7, ["ES256"], {"ES256": 1}, True,
)  # fmt: skip
_NUMBERS: tuple[Any, ...] = (
    0, 1, 4, 5, 6, 7, -7, -8, -9, -19, -35, -36, -37, -47, -257, -258, -65535, "ES256", None, b"",
)  # fmt: skip
_KIDS: tuple[Any, ...] = (
    "", " ", "0", "key-1", "key-2", "../../../../etc/passwd", "/dev/null", "file:///dev/zero",
    "' OR 1=1 --", "\0", "%00", "did:key:z6Mk", "did:jwk:e30", "did:web:",
    "https://xa.example/" + "a/" * 2_000, "k" * 100_000, "urn:ietf:params:oauth:jwk-thumbprint:sha-256:",
    "#", "##key-1", None, 0, -1, 1e308, True, [], ["key-1"], {},
)  # fmt: skip


def _hmac(key: PrivateKey, message: bytes, dice: random.Random) -> bytes:
    """Authenticated with what everybody knows: the public key in one of the ways it is written."""
    public = key.public_key()
    secrets = [
        _spki(key),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        json.dumps(to_jwk(public), separators=(",", ":")).encode(),
        thumbprint(public).encode(),
        b"",
    ]
    if isinstance(public, ec.EllipticCurvePublicKey):
        secrets.append(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:])
    return hmac.digest(dice.choice(secrets), message, dice.choice(("sha256", "sha384", "sha512")))


def _signatures(raw: bytes, message: bytes, key: PrivateKey) -> list[bytes]:
    """Other signatures in the place of a good one."""
    half = len(raw) // 2
    first, second = raw[:half], raw[half:]
    r, s = int.from_bytes(first, "big"), int.from_bytes(second, "big")
    zero, one = bytes(half), bytes(half - 1) + b"\x01"
    found = [
        b"", bytes(len(raw)), b"\xff" * len(raw), zero + second, first + zero, one + one, second + first,
        first + first, raw[:-1], raw[1:], raw + b"\0", b"\0" + raw, raw + raw, raw[:half], b"\0" * 100_000,
        raw + b"\x01" * 100_000, encode_dss_signature(r, s), bytes(8) + first + bytes(8) + second,
        first + b"\0" + second, bytes(255 - byte for byte in raw),
        sign(ATTACKERS["ES256"], "ES256", message), sign(ATTACKERS["EdDSA"], "EdDSA", message),
    ]  # fmt: skip
    if isinstance(key, ec.EllipticCurvePrivateKey) and half == 32:
        found += [
            N256.to_bytes(32, "big") * 2,
            first + (N256 - s).to_bytes(32, "big"),  # as good as the other: counted as malleated
            (N256 - r).to_bytes(32, "big") + second,
            first + ((s + N256) % 2**256).to_bytes(32, "big"),
            encode_dss_signature(r, N256 - s),
            encode_dss_signature(r, s + N256),
            one + N256.to_bytes(32, "big"),
        ]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        scalar = int.from_bytes(second, "little")
        found += [first + (scalar + n * ED25519_ORDER).to_bytes(32, "little") for n in (1, 2)]
        found.append(b"\x01" + bytes(63))
    return found


def _tweaked(value: Any, dice: random.Random) -> Any:
    """The same with one text, number or date in it changed to what an attacker would like."""
    if isinstance(value, dict) and value:
        name = dice.choice(list(value))
        return {**value, name: _tweaked(value[name], dice)}
    if isinstance(value, list) and value:
        at = dice.randrange(len(value))
        return [*value[:at], _tweaked(value[at], dice), *value[at + 1 :]]
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + dice.choice((1, -1, 86_400, 10**9))
    if isinstance(value, bytes):
        return bytes(byte ^ 1 for byte in value)
    return f"{value}X" if dice.random() < 0.5 else str(value)[::-1] or "X"


def _forge_jose(
    header: dict[str, Any],
    bodies: Sequence[bytes],
    payload: Layer,
    key: PrivateKey,
    finish: Callable[[str], bytes],
    rest: str,
    dice: random.Random,
) -> tuple[str, bytes]:
    kind = dice.choice(("algorithm", "keys", "signature", "kid"))
    body = bodies[1]
    if kind != "signature" and dice.random() < 0.5:
        changed = write_json(_tweaked(json.loads(payload.data), dice))
        if len(bodies[1]) != len(payload.data) or bodies[1] != payload.data:
            packer = zlib.compressobj(6, wbits=-15)
            changed = packer.compress(changed) + packer.flush()
        body = changed
    named = dict(header)

    def message() -> bytes:
        return f"{base64url(write_json(named))}.{base64url(body)}".encode()

    def sealed(signature: bytes, signed: bytes | None = None) -> tuple[str, bytes]:
        return kind, finish(f"{(signed or message()).decode()}.{base64url(signature)}{rest}")

    attacker = ATTACKERS[dice.choice(list(ATTACKERS))]
    if kind == "signature":
        genuine = b".".join(base64url(part).encode() for part in bodies[:2])
        return sealed(dice.choice(_signatures(bodies[2], genuine, key)), genuine)
    if kind == "algorithm":
        named["alg"] = dice.choice([one for one in _ALGORITHMS if one != header["alg"]])
        made = dice.choice(
            (b"", bodies[2], _hmac(key, message(), dice), sign(attacker, algorithm_of(attacker), message()))
        )
        return sealed(made)
    if kind == "kid":
        named["kid"] = dice.choice((*_KIDS, thumbprint(attacker.public_key())))
        named["alg"] = algorithm_of(attacker)
        return sealed(dice.choice((sign(attacker, algorithm_of(attacker), message()), bodies[2])))
    named["alg"] = algorithm_of(attacker)
    for name, value in (
        ("jwk", to_jwk(attacker.public_key())),
        ("x5c", [base64.b64encode(_attackers_certificate()).decode()]),
        ("jku", "https://evil.example/keys"),
        ("x5u", "https://evil.example/certificate"),
        ("x5t#S256", base64url(hashlib.sha256(_attackers_certificate()).digest())),
        ("kid", thumbprint(attacker.public_key())),
        ("crit", dice.choice((["alg"], ["exp"], [], ["b64"]))),
        ("b64", False),
        ("zip", "DEF"),
        ("iss", "https://evil.example"),
    ):
        if dice.random() < 0.2:
            named[name] = value
    return sealed(sign(attacker, algorithm_of(attacker), message()))


@cache
def _attackers_certificate() -> bytes:
    return _impostor(ATTACKER, TestIssuer("XA").der)


def _forge_cose(
    tree: Any,
    wrap: Callable[[bytes], bytes],
    key: PrivateKey,
    kids: Sequence[bytes],
    der: bytes,
    dice: random.Random,
) -> tuple[str, bytes]:
    raw, loose, payload, signature = tree.value if isinstance(tree, Tagged) else tree
    kind = dice.choice(("algorithm", "keys", "signature", "kid"))
    protected: dict[Any, Any] = dict(read_cbor(raw))
    loose = dict(loose)
    body = payload
    if kind != "signature" and dice.random() < 0.5:
        body = _tweaked_bytes(payload, dice)

    def sealed(made: bytes, written: bytes | None = None) -> tuple[str, bytes]:
        parts = [write_cbor(protected) if written is None else written, loose, body, made]
        return kind, wrap(write_cbor(Tagged(tree.tag, parts) if isinstance(tree, Tagged) else parts))

    def message() -> bytes:
        return sig_structure(write_cbor(protected), body)

    attacker = ATTACKERS[dice.choice(list(ATTACKERS))]
    if kind == "signature":
        return sealed(dice.choice(_signatures(signature, sig_structure(raw, payload), key)), raw)
    if kind == "algorithm":
        named = dice.choice([one for one in _NUMBERS if one != protected[1]])
        place = dice.choice((protected, loose))
        protected.pop(1)
        place[1] = named
        made = sign(attacker, algorithm_of(attacker), message())
        return sealed(dice.choice((b"", signature, _hmac(key, message(), dice), made)))
    protected[1] = _COSE[algorithm_of(attacker)]
    if kind == "kid":
        odd = dice.choice(
            (*_KIDS, b"", b"\0" * 8, b"k" * 50_000, *kids, thumbprint(attacker.public_key()).encode())
        )
        if dice.random() < 0.5:
            protected.pop(4, None)
            loose[4] = odd
        else:
            protected[4] = odd
            if dice.random() < 0.5:
                loose[4] = kids[0]
        return sealed(dice.choice((signature, sign(attacker, algorithm_of(attacker), message()))))
    if der:
        impostor = _impostor(ATTACKER, der)
        loose[33] = dice.choice((impostor, [impostor, der], [der, impostor], der, b"", []))
    elif dice.random() < 0.3:
        dice.choice((protected, loose))[33] = _attackers_certificate()
    return sealed(sign(attacker, algorithm_of(attacker), message()))


def _tweaked_bytes(data: bytes, dice: random.Random) -> bytes:
    """A payload with a byte of its text or numbers changed, still well formed more often than not."""
    at = dice.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << dice.randrange(3),)) + data[at + 1 :]


# changes to bytes, and to trees


def flip(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    data = bytearray(layer.data)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(data)) if data else 0
        what = dice.randrange(6)
        if what <= 2 and data:
            data[at] ^= 1 << dice.randrange(8)
        elif what == 3 and data:
            data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x30, 0x41, dice.randrange(256)))
        elif what == 4 and len(data) > 1:
            del data[at]
        else:
            data.insert(at, dice.randrange(256))
    return layer.wrap(bytes(data))


def cut(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(layer.data) + 1)
    how = dice.randrange(4)
    if how == 0:
        return layer.wrap(layer.data[:at])
    if how == 1:
        return layer.wrap(layer.data[at:])
    if how == 2:
        return layer.wrap(layer.data[:at] + layer.data[at + dice.randrange(1, 40) :])
    return layer.wrap(
        layer.data + dice.choice((b"\0", b"\n", b" ", b"=", b"~", b".", b"\xf6", dice.randbytes(20)))
    )


def splice(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    """The same layer of another credential, whole or from somewhere on."""
    how = dice.randrange(4)
    if how == 0:
        return layer.wrap(other)
    here, there = dice.randrange(len(layer.data) + 1), dice.randrange(len(other) + 1)
    if how == 1:
        there = here
    if how == 2:
        return layer.wrap(other[:there] + layer.data[here:])
    return layer.wrap(layer.data[:here] + other[there:])


_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), 1.5, 1e308, 5e-324, -0.0,
    "", " ", "\0", "null", "true", "0", "1", "XA", "2026-06-01", "9999-12-31T23:59:59Z", "0000-00-00",
    "x" * 10_000, [], Pairs(), [[]], Pairs([("", "")]),
)  # fmt: skip
_LETTERS = (
    "\u0000", "\u200b", "\u202e", "\ufeff", "\u00ad", "\ud800", "\udfff", "\U0010ffff", "\u0301", "ſ", "K",
    "İ", "\u2028", "\ufffe", "а", "Ｍ", "\x7f", "\x1b[31m",
)  # fmt: skip


def rewrite(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    """Other values: odd ones, slightly changed ones, some missing, some more, some exchanged."""
    read, write = _codec(layer)
    tree = read(layer.data)
    how = dice.randrange(5)
    if how == 0:
        tree = change_anywhere(tree, dice, lambda _: dice.choice(_ODD))
    elif how == 1:
        tree = change_anywhere(tree, dice, partial(_nudged, dice=dice))
    elif how == 2:
        tree = change_container(tree, dice, partial(_without_one, dice=dice))
    elif how == 3:
        extra = (
            dice.choice(("", "x", "iss", "exp", "proof", "vc", 1, 4, 33, "__proto__", "$schema")),
            dice.choice(_ODD),
        )
        tree = change_container(
            tree,
            dice,
            lambda node: Pairs([*node, extra]) if isinstance(node, Pairs) else [*_as_list(node), extra[1]],
        )
    else:
        tree = change_container(tree, dice, partial(_exchanged, dice=dice))
    return layer.wrap(write(tree))


def _codec(layer: Layer) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    return (read_json, write_json) if layer.kind == "json" else (read_cbor, write_cbor)


def _as_list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]


def _nudged(value: Any, *, dice: random.Random) -> Any:
    if isinstance(value, str):
        at = dice.randrange(len(value) + 1)
        return value[:at] + dice.choice("aZ09 -.\n") + value[at + dice.randrange(2) :]
    if isinstance(value, bytes) and value:
        at = dice.randrange(len(value))
        return value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :]
    if isinstance(value, int) and not isinstance(value, bool):
        return value + dice.choice((1, -1, 86_400, -86_400))
    return [value]


def _without_one(node: Any, *, dice: random.Random) -> Any:
    if not isinstance(node, list) or not node:
        return None
    at = dice.randrange(len(node))
    return type(node)([*node[:at], *node[at + 1 :]])


def _exchanged(node: Any, *, dice: random.Random) -> Any:
    if not isinstance(node, list) or len(node) < 2:
        return [node]
    one, two = dice.sample(range(len(node)), 2)
    copy = type(node)(node)
    if isinstance(node, Pairs):
        copy[one], copy[two] = (node[one][0], node[two][1]), (node[two][0], node[one][1])
    else:
        copy[one], copy[two] = node[two], node[one]
    return copy


def name_twice(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    read, write = _codec(layer)

    def doubled(node: Any) -> Any:
        if not isinstance(node, Pairs) or not node:
            return [node, node]
        name, value = dice.choice(node)
        again = (name, dice.choice((value, dice.choice(_ODD), _nudged(value, dice=dice))))
        return Pairs([again, *node] if dice.random() < 0.5 else [*node, again])

    return layer.wrap(write(change_container(read(layer.data), dice, doubled)))


def nest(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    read, write = _codec(layer)
    levels = dice.choice((10, 31, 33, 63, 65, 200, 1_000, 5_000, 50_000))

    def deep(node: Any) -> Raw:
        inner = write(node)
        if layer.kind == "json":
            opening, closing = dice.choice(((b"[", b"]"), (b'{"a":', b"}")))
            return Raw(opening * levels + inner + closing * dice.choice((levels, levels, levels - 1)))
        opening = dice.choice(
            (b"\x81", b"\xa1\x00", b"\xc1", b"\xd8\x18", b"\x9f", b"\xbf\x00", b"\xd9\xd9\xf7")
        )
        return Raw(opening * levels + inner)

    return layer.wrap(write(change_anywhere(read(layer.data), dice, deep)))


def overflow(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    """Numbers and lengths larger than anything."""
    read, write = _codec(layer)
    size = dice.choice((10, 20, 400, 4_000, 5_000, 60_000))
    if layer.kind == "json":
        digits = dice.choice("159").encode() * size
        found = (
            digits,
            b"-" + digits,
            digits + b".5",
            b"1e" + digits[:9],
            b"1e-" + digits[:9],
            b"0." + digits,
        )
        odd = Raw(dice.choice((*found, b"NaN", b"Infinity", b"-Infinity", b"0x10", b"1_000", b"+1", b"01")))
    else:
        many = dice.randbytes(size)
        length = dice.choice((1 << 16, 1 << 31, 1 << 40, (1 << 62) + 5, (1 << 64) - 1))
        tagged = [head(6, tag) + head(2, size) + many for tag in (2, 3)]
        fractions = [head(6, tag) + b"\x82" + b"\x1a\x7f\xff\xff\xff" + b"\x03" for tag in (4, 5, 30)]
        claims = [head(major, length) for major in (2, 3, 4, 5)]
        others = (
            b"\xfb\x7f\xf0\0\0\0\0\0\0",
            b"\xf9\x7e\0",
            b"\xc1\xfb\x7f\xef\xff\xff\xff\xff\xff\xff",
            b"\xc1\x1b" + b"\xff" * 8,
        )
        odd = Raw(dice.choice((*tagged, *fractions, *claims, *others)))
    return layer.wrap(write(change_anywhere(read(layer.data), dice, lambda _: odd)))


def share(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    """CBOR that refers to itself, to what is not there, or to what was said before; tags that mean something."""
    read, write = _codec(layer)
    if layer.kind == "json":
        return rewrite(layer, other, dice)

    def shared(node: Any) -> Raw:
        inner = write(node)
        tag = dice.choice((23, 24, 25, 28, 29, 35, 36, 37, 100, 256, 258, 260, 1004, 43_000, 55_799, 2**63))
        return Raw(
            dice.choice(
                (
                    b"\xd8\x1c\x81\xd8\x1d\x00",
                    b"\xd8\x1d\x00",
                    b"\xd8\x1d\x1b" + b"\xff" * 8,
                    b"\x82\xd8\x1c" + inner + b"\xd8\x1d\x00",
                    b"\xd9\x01\x00\x82" + inner + b"\xd8\x19\x00",
                    b"\xd8\x23" + write("(a+)+$"),
                    head(6, tag) + inner,
                    b"\x5f" + b"\x41\x00" * 3 + b"\xff",
                    b"\x5f\x61\x00\xff",
                    b"\x7f\x61\xff\xff",
                    b"\xff",
                    b"\xfc",
                    b"\xf8\x10",
                    b"\x62\xc3\x28",
                )
            )
        )

    return layer.wrap(write(change_anywhere(read(layer.data), dice, shared)))


def unlike(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    """Text that looks alike, is composed otherwise, or turns round."""
    read, write = _codec(layer)

    def turned(value: Any) -> Any:
        if not isinstance(value, str):
            return dice.choice(_LETTERS)
        if dice.random() < 0.3:
            form = unicodedata.normalize(dice.choice(("NFD", "NFKC", "NFKD")), value)
            return dice.choice((form, value.upper(), value.swapcase(), value.translate(_ALIKE)))
        at = dice.randrange(len(value) + 1)
        return value[:at] + dice.choice(_LETTERS) + value[at:]

    def named(node: Any) -> Any:
        if not isinstance(node, Pairs) or not node:
            return turned(node)
        at = dice.randrange(len(node))
        copy = Pairs(node)
        copy[at] = (turned(node[at][0]), node[at][1])
        return copy

    change = dice.choice((change_anywhere, change_anywhere, change_container))
    return layer.wrap(write(change(read(layer.data), dice, turned if change is change_anywhere else named)))


_ALIKE = str.maketrans("aeiopcxyAEOPCXM", "аеіорсхуАЕОРСХМ")


@cache
def _bombs(bits: int) -> tuple[bytes, ...]:
    found = []
    for opening, filling in (
        (b"", b"\0"),
        (b"\x9b\0\0\0\0\x10\0\0\0", b"\x80"),
        (b"[", b"[],"),
        (b'{"a":"', b"a"),
        (b"", b"["),
    ):
        for millions in (1, 80):
            packer = zlib.compressobj(9, wbits=bits)
            piece = filling * (1_000_000 // len(filling))
            packed = packer.compress(opening) + b"".join(packer.compress(piece) for _ in range(millions))
            found.append(packed + packer.flush())
    twice = found[1]
    for _ in range(2):
        packer = zlib.compressobj(9, wbits=bits)
        twice = packer.compress(twice) + packer.flush()
        found.append(twice)
    return tuple(found)


def swell(layer: Layer, other: bytes, dice: random.Random) -> bytes:
    """Small things that would become large."""
    if layer.kind in ("zlib", "deflate"):
        return layer.wrap(dice.choice(_bombs(15 if layer.kind == "zlib" else -15)))
    size = dice.choice((1_000, 30_000, 200_000))
    if layer.kind == "cbor":
        filling = dice.choice((b"\x80", b"\xa0", b"\x00", b"\x60", b"\xf6"))
        items = dice.choice(
            (
                head(4, size) + filling * size,
                head(5, size // 5)
                + b"".join(b"\x1a" + n.to_bytes(4, "big") + b"\0" for n in range(size // 5)),
                b"\x9f" + filling * size,
                head(2, size) + bytes(size),
            )
        )
        read, write = _codec(layer)
        return layer.wrap(write(change_anywhere(read(layer.data), dice, lambda _: Raw(items))))
    if layer.kind == "json":
        many = dice.choice(
            (
                b"[" + b"0," * size + b"0]",
                b"{" + b",".join(b'"%d":0' % n for n in range(size // 5)) + b"}",
                b'"' + b"\\u0061" * (size // 6) + b'"',
                b" " * size + b"0",
            )
        )
        return layer.wrap(write_json(change_anywhere(read_json(layer.data), dice, lambda _: Raw(many))))
    return layer.wrap(layer.data * (1 + size // max(1, len(layer.data))))


_OF_BYTES = {"bit flips": flip, "truncations": cut, "splices": splice}
_OF_TREES = {
    "values": rewrite,
    "names twice": name_twice,
    "depth": nest,
    "numbers": overflow,
    "sharing": share,
    "unicode": unlike,
}
FAMILIES = (*_OF_BYTES, *_OF_TREES, "bombs", "forgeries")


def mutant(dice: random.Random) -> tuple[str, str, bytes]:
    """(format, family, what is handed over) of one that is made by these dice."""
    samples = world().samples
    sample = dice.choice(samples)
    family = dice.choices(FAMILIES, (4, 3, 3, 4, 1, 1, 1, 1, 1, 0.25, 6))[0]
    if family == "forgeries":
        kind, data = sample.forge(dice)
        return sample.format, f"forged {kind}", data
    layers = [one for one in sample.layers if family not in _OF_TREES or one.kind in ("json", "cbor")]
    layer = dice.choice(layers)
    others = [
        theirs.data
        for one in samples
        if one is not sample and one.format == sample.format
        for theirs in one.layers
        if theirs.name == layer.name
    ] or [sample.text]
    change = _OF_BYTES.get(family) or _OF_TREES.get(family) or swell
    return sample.format, family, change(layer, dice.choice(others), dice)


# judging


def _messages(verdict: Verdict) -> tuple[bytes, ...]:
    assert verdict.envelope is not None
    return tuple(one.message for one in verdict.envelope.signatures)


def _substance(verdict: Verdict) -> tuple[Any, ...]:
    """Everything that counts of a credential that is believed."""
    envelope = verdict.envelope
    assert envelope is not None
    assert verdict.issuer is not None
    return (
        envelope.format,
        verdict.issuer.id,
        envelope.claims,
        (envelope.issued, envelope.valid_from, envelope.valid_until),
        tuple(one for one in envelope.status if one.mechanism != "dcc-revocation"),
        tuple(one.signature for one in envelope.signatures),
        envelope.content,
    )


def judge(verdict: Verdict, genuine: Mapping[tuple[bytes, ...], tuple[Any, ...]]) -> str:
    """`refused`, `open`, and of what is believed: `unsigned`, `presented`, `malleated`, or `forged`."""
    if verdict.facts is None:
        return "refused" if verdict.outcome.value == "no" else "open"
    known = genuine.get(_messages(verdict))
    if known is None:
        return "forged"
    form, issuer, claims, dates, status, signatures, content = _substance(verdict)
    if (form, issuer) != known[:2] or status != known[4]:
        return "forged"
    if signatures != known[5]:
        r, s = signatures[0][:32], int.from_bytes(signatures[0][32:], "big")
        good = known[5][0]
        same = len(good) == 64 and r == good[:32] and s == N256 - int.from_bytes(good[32:], "big")
        return "malleated" if same and _same(_unsealed(claims), _unsealed(known[2])) else "forged"
    if _same(claims, known[2]):
        return "unsigned" if dates == known[3] else "forged"
    if form in ("sd-jwt", "mdoc"):
        return "presented" if _within(claims, known[2]) else "forged"
    # The statements under the signature are the same ones: linked data may be written in many ways.
    rdf = form == "data-integrity" and (content, dates) == (known[6], known[3])
    return "unsigned" if rdf else "forged"


def _unsealed(claims: Any) -> Any:
    """Without the signature, which linked data carry in themselves."""
    proof = claims.get("proof") if isinstance(claims, Mapping) else None
    if not isinstance(proof, Mapping):
        return claims
    return {**claims, "proof": {name: value for name, value in proof.items() if name != "proofValue"}}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        return (
            isinstance(other, Mapping)
            and one.keys() == other.keys()
            and all(_same(one[n], other[n]) for n in one)
        )
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _within(one: Any, other: Any) -> bool:
    """Whether nothing is in `one` that is not in `other`, in the same place and order."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(name in other and _within(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        rest = iter(other)
        return all(any(_within(item, theirs) for theirs in rest) for item in one)
    return _same(one, other)


# the run


def run(count: int, seed: int) -> dict[str, Any]:
    """`count` mutants, examined one by one."""
    whole = world()
    for bits in (15, -15):
        _bombs(bits)
    before = _peak()
    outcomes: Counter[str] = Counter()
    families: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    wrong: list[dict[str, str]] = []
    slowest: tuple[float, str] = (0.0, "")
    spent = 0.0
    for number in range(count):
        form, family, data = mutant(random.Random(f"{seed}/{number}"))
        families[family] += 1
        formats[form] += 1
        started = time.process_time()
        try:
            found = {judge(one, whole.genuine) for one in examine(data, trust=whole.trust, at=NOON)}
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            outcomes["raised"] += 1
            wrong.append(_told(form, family, data, f"{type(raised).__name__}: {raised}"[:300]))
            continue
        took = time.process_time() - started
        spent += took
        slowest = max(slowest, (took, f"{form}, {family}"))
        outcome = next(
            one for one in ("forged", "malleated", "presented", "unsigned", "refused", "open") if one in found
        )
        outcomes[outcome] += 1
        if outcome == "forged":
            wrong.append(_told(form, family, data, "believed"))
    return {
        "mutants": count,
        "accepted": outcomes["forged"],
        "raised": outcomes["raised"],
        "outcomes": dict(outcomes.most_common()),
        "formats": dict(formats.most_common()),
        "families": dict(families.most_common()),
        "wrong": wrong[:20],
        "cpu_s": round(spent, 1),
        "slowest_ms": round(slowest[0] * 1e3, 1),
        "slowest": slowest[1],
        "peak_mb": round(_peak() / 1024, 1),
        "grown_mb": round((_peak() - before) / 1024, 1),
    }


def _told(form: str, family: str, data: bytes, what: str) -> dict[str, str]:
    return {"format": form, "family": family, "what": what, "base64": base64.b64encode(data[:6_000]).decode()}


def _peak() -> int:
    """The most memory this process ever had, in kilobytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


def main() -> None:
    words = argparse.ArgumentParser(prog="tests.mutants", description="Mutated credentials, examined.")
    words.add_argument("--count", type=int, default=6_000)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    print(json.dumps(run(given.count, given.seed)))


if __name__ == "__main__":
    main()
