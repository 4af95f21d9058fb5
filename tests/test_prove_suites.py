"""The conformance suites of what credentials are made of: CBOR, COSE, JOSE, signatures, canonical JSON."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest
from asn1crypto import core

from landbridge.errors import CredentialError, Malformed
from landbridge.prove import canonical
from landbridge.prove.certificates import read_certificate
from landbridge.prove.cose import ALGORITHMS, read_cbor, read_sign1
from landbridge.prove.jose import read_compact
from landbridge.prove.keys import (
    KeyRefused,
    PublicKey,
    base64url,
    from_cose_key,
    from_jwk,
    from_spki,
    permits,
    verify_signature,
)


def suite(shared_data: Path, name: str) -> Path:
    found = shared_data / "prove" / name
    if not found.is_dir():
        pytest.skip(f"not run: no {name} here")
    return found


# CBOR

UNDECODED = {
    "f97c00": math.inf,
    "f9fc00": -math.inf,
    "fa7f800000": math.inf,
    "faff800000": -math.inf,
    "fb7ff0000000000000": math.inf,
    "fbfff0000000000000": -math.inf,
    "f7": cbor2.undefined,
    "f0": cbor2.CBORSimpleValue(16),
    "f8ff": cbor2.CBORSimpleValue(255),
    "c074323031332d30332d32315432303a30343a30305a": datetime(2013, 3, 21, 20, 4, tzinfo=UTC),
    "c11a514b67b0": datetime(2013, 3, 21, 20, 4, tzinfo=UTC),
    "c1fb41d452d9ec200000": datetime(2013, 3, 21, 20, 4, 0, 500_000, tzinfo=UTC),
    "d74401020304": cbor2.CBORTag(23, bytes.fromhex("01020304")),
    "d818456449455446": cbor2.CBORTag(24, bytes.fromhex("6449455446")),
    "d82076687474703a2f2f7777772e6578616d706c652e636f6d": cbor2.CBORTag(32, "http://www.example.com"),
    "40": b"",
    "4401020304": bytes.fromhex("01020304"),
    "a201020304": {1: 2, 3: 4},
    "5f42010243030405ff": bytes.fromhex("0102030405"),
}
# RFC 7049 gave it as an example; RFC 8949, section 3.3, says that it is not well-formed.
REFUSED_ON_PURPOSE = {"f818"}
# Read as the same moment, and written with the other of the two tags.
WRITTEN_OTHERWISE = {"c11a514b67b0", "c1fb41d452d9ec200000"}


def test_every_example_of_the_cbor_standard_is_read(shared_data: Path) -> None:
    vectors = json.loads((suite(shared_data, "cbor-appendix-a") / "appendix_a.json").read_text("utf-8"))
    counted: Counter[str] = Counter()
    for vector in vectors:
        data = bytes.fromhex(vector["hex"])
        if vector["hex"] in REFUSED_ON_PURPOSE:
            with pytest.raises(Malformed):
                read_cbor(data)
            counted["refused on purpose"] += 1
            continue
        read = read_cbor(data)
        counted["read"] += 1
        if vector.get("diagnostic") == "NaN":
            assert math.isnan(read)
        else:
            wanted = vector["decoded"] if "decoded" in vector else UNDECODED[vector["hex"]]
            assert read == wanted, vector
            assert type(read) is type(wanted) or isinstance(wanted, dict), vector
        if vector["roundtrip"] and vector["hex"] not in WRITTEN_OTHERWISE:
            assert cbor2.dumps(read, canonical=True) == data, vector
            counted["written again"] += 1
    assert counted["read"] + counted["refused on purpose"] == len(vectors) == 82
    assert counted["refused on purpose"] == len(REFUSED_ON_PURPOSE)


@pytest.mark.parametrize(
    "hostile",
    [
        "9b00000000ffffffff00",  # an array of four thousand million
        "5b00000000ffffffff00",
        "bb00000000ffffffff0000",
        "81" * 40 + "00",
        "c1" * 40 + "00",
        "d81c80",  # a shared value
        "a2010101" + "02",  # a key twice
        "c25b0000000000000401" + "ff" * 1025,  # a number of 1,025 bytes
        "01" + "00",
        "",
        "ff",
        "1c",
    ],
)
def test_cbor_that_no_credential_uses_is_refused(hostile: str) -> None:
    with pytest.raises(Malformed):
        read_cbor(bytes.fromhex(hostile))


@pytest.mark.parametrize(
    "tagged",
    [
        cbor2.CBORTag(4, [2**62, 3]),
        cbor2.CBORTag(5, [2**62, 3]),
        cbor2.CBORTag(30, [1, 0]),
        cbor2.CBORTag(35, "((a+)+)+$"),
        cbor2.CBORTag(36, "Content-Type: text/plain\r\n\r\n"),
    ],
)
def test_values_that_cost_to_make_stay_as_written(tagged: cbor2.CBORTag) -> None:
    assert read_cbor(cbor2.dumps(tagged)) == tagged


# COSE

NOT_SIGNED_WITH_KEYS = ("encrypted", "enveloped", "mac", "mac0")
OUT_OF_SCOPE_ALGORITHMS = {
    "eddsa-02": "Ed448",
    "eddsa-sig-02": "Ed448",
    "hashsig-01": "HSS-LMS",
    "hsssig-sig-01": "HSS-LMS",
}


def cose_examples(shared_data: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in sorted(suite(shared_data, "cose-wg-examples").rglob("*.json")):
        yield path.parent.name, path.stem, json.loads(path.read_text("utf-8-sig"))


def key_of(jwk: dict[str, Any]) -> PublicKey:
    """A key as the examples write it: a JWK, some members of which are hexadecimal."""
    plain = {name: value for name, value in jwk.items() if name in ("kty", "crv", "x", "y", "n", "e")}
    for name, value in jwk.items():
        if name in ("x_hex", "y_hex", "n_hex", "e_hex"):
            plain[name.removesuffix("_hex")] = base64url(bytes.fromhex(value))
    plain["kty"] = {"EC2": "EC"}.get(plain["kty"], plain["kty"])
    return from_jwk(plain)


def sign1_holds(case: dict[str, Any]) -> bool:
    means = case["input"]["sign0"]
    try:
        signed = read_sign1(
            bytes.fromhex(case["output"]["cbor"]), external=bytes.fromhex(means.get("external", ""))
        )
        verify_signature(key_of(means["key"]), signed.algorithm, signed.signed, signed.signature)
    except CredentialError:
        return False
    return True


def every_signer_holds(case: dict[str, Any]) -> bool:
    """A COSE_Sign (RFC 9052, section 4.1), which no credential is: its signatures, each with our keys."""
    tag = read_cbor(bytes.fromhex(case["output"]["cbor"]))
    if isinstance(tag, cbor2.CBORTag) and tag.tag != 98:
        return False
    body, _, payload, signatures = tag.value if isinstance(tag, cbor2.CBORTag) else tag
    means = case["input"]["sign"]
    for signer, (protected, unprotected, signature) in zip(means["signers"], signatures, strict=True):
        header = {**unprotected, **(read_cbor(protected) if protected else {})}
        body, protected = (b"" if one == b"\xa0" else one for one in (body, protected))
        message = cbor2.dumps(
            ["Signature", body, protected, bytes.fromhex(signer.get("external", "")), payload]
        )
        keys = [key_of(signer["key"])]
        if 33 in header:
            chain = header[33] if isinstance(header[33], list | tuple) else [header[33]]
            keys.append(read_certificate(chain[0]).key)
        try:
            for key in keys:
                verify_signature(key, ALGORITHMS.get(header.get(1), ""), message, signature)
        except CredentialError:
            return False
    return True


def test_the_cose_working_groups_signatures_hold_and_fail_as_they_say(shared_data: Path) -> None:
    right: Counter[str] = Counter()
    out: Counter[str] = Counter()
    wrong = []
    for folder, name, case in cose_examples(shared_data):
        kind = next(
            one
            for one in ("sign0", "sign", *NOT_SIGNED_WITH_KEYS, "input")
            if one in (*case["input"], "input")
        )
        if kind not in ("sign0", "sign"):
            out[f"{folder}: {kind}"] += 1
            continue
        if name in OUT_OF_SCOPE_ALGORITHMS:
            out[f"{folder}: {OUT_OF_SCOPE_ALGORITHMS[name]}"] += 1
            continue
        held = sign1_holds(case) if kind == "sign0" else every_signer_holds(case)
        if held is not case.get("fail", False):
            right[folder] += 1
        else:
            wrong.append(f"{folder}/{name}")
    assert not wrong
    assert right["sign1-tests"] == 9
    assert right["ecdsa-examples"] == 8
    assert right["eddsa-examples"] == 2
    assert right["rsa-pss-examples"] == 3
    assert right["x509-examples"] == 5
    assert right["CWT"] == 1
    assert right["RFC8152"] == 5
    # Encryption and codes of a shared key, by folder; countersignatures are passed over, what they are on is not.
    assert sum(right.values()) + sum(out.values()) == 306
    assert not {
        one for one in out if not one.endswith(("encrypted", "enveloped", "mac", "mac0", "448", "LMS"))
    }


def test_a_header_that_must_not_be_changed_is_signed(shared_data: Path) -> None:
    for folder, name, case in cose_examples(shared_data):
        if (folder, name) == ("sign1-tests", "sign-pass-02"):
            data = bytes.fromhex(case["output"]["cbor"])
            key = key_of(case["input"]["sign0"]["key"])
            signed = read_sign1(data)
            with pytest.raises(CredentialError):
                verify_signature(key, signed.algorithm, signed.signed, signed.signature)
            return
    pytest.fail("the example with external data is gone")


def test_the_cose_vectors_of_the_mobile_documents_hold(shared_data: Path) -> None:
    vectors = json.loads((suite(shared_data, "mdoc-interop") / "vectors.json").read_text("utf-8"))
    # The key that the working group's examples call 11.
    key = next(
        key_of(case["input"]["sign0"]["key"])
        for folder, name, case in cose_examples(shared_data)
        if (folder, name) == ("sign1-tests", "sign-pass-01")
    )
    messages = [
        bytes.fromhex(text)
        for name in ("tests/cose/vectors.ts", "tests/cose/sign1.test.ts")
        for text in vectors[name]["hex"]
        if text.startswith("d284")
    ]
    assert len(messages) == 3
    for message in messages:
        # The first is signed over something outside it as well, as the group's own example of it is.
        external = bytes.fromhex("11aa22bb33cc44dd55006699") if message is messages[0] else b""
        signed = read_sign1(message, external=external)
        verify_signature(key, signed.algorithm, signed.signed, signed.signature)
    [mac] = vectors["tests/cose/mac0.test.ts"]["hex"]
    with pytest.raises(Malformed):
        read_sign1(bytes.fromhex(mac))


# Wycheproof


def wycheproof(shared_data: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    read = json.loads((suite(shared_data, "wycheproof") / f"{name}_test.json").read_text("utf-8"))
    tests = [(group, test) for group in read["testGroups"] for test in group["tests"]]
    assert len(tests) == read["numberOfTests"]
    yield from tests


def raw_pair(der: bytes, size: int) -> bytes:
    """The two numbers of an ECDSA signature in strict DER, as JOSE and COSE write them. Raises ValueError."""
    pair = core.SequenceOf.load(der, strict=True, spec=core.Integer)
    r, s = (int(one.native) for one in pair)
    strict = core.SequenceOf([r, s], spec=core.Integer).dump(force=True)
    if strict != der or r < 0 or s < 0:
        raise ValueError("not DER")
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@pytest.mark.parametrize(
    ("name", "algorithm", "size"),
    [
        ("ecdsa_secp256r1_sha256_p1363", "ES256", 0),
        ("ecdsa_secp256r1_sha256", "ES256", 32),
        ("ecdsa_secp384r1_sha384_p1363", "ES384", 0),
        ("ed25519", "EdDSA", 0),
        ("rsa_pss_2048_sha256_mgf1_32", "PS256", 0),
        ("rsa_pss_3072_sha256_mgf1_32", "PS256", 0),
        ("rsa_signature_2048_sha256", "RS256", 0),
    ],
)
def test_no_attack_on_a_signature_that_wycheproof_knows_succeeds(
    shared_data: Path, name: str, algorithm: str, size: int
) -> None:
    wrong = []
    acceptable = 0
    for group, test in wycheproof(shared_data, name):
        signature = bytes.fromhex(test["sig"])
        try:
            key = from_spki(bytes.fromhex(group["publicKeyDer"]))
            if size:
                signature = raw_pair(signature, size)
            verify_signature(key, algorithm, bytes.fromhex(test["msg"]), signature)
            held = True
        except (CredentialError, ValueError, TypeError, OverflowError):
            held = False
        if test["result"] == "acceptable":
            acceptable += 1
        elif held is not (test["result"] == "valid"):
            wrong.append((test["tcId"], test["comment"], test["result"]))
    assert not wrong
    assert acceptable == (1 if name == "rsa_signature_2048_sha256" else 0)


def token_holds(token: str, keys: list[dict[str, Any]]) -> bool:
    """Whether any key of the set that the token's `kid` may mean verifies it."""
    signed = read_compact(token)
    kid = signed.header.get("kid")
    for jwk in keys:
        if kid is not None and jwk.get("kid", kid) != kid:
            continue
        try:
            if permits(jwk, signed.algorithm):
                verify_signature(from_jwk(jwk), signed.algorithm, signed.signed, signed.signature)
                return True
        except CredentialError:
            continue
    return False


@pytest.mark.parametrize("name", ["json_web_signature", "json_web_key"])
def test_no_attack_on_a_token_that_wycheproof_knows_succeeds(shared_data: Path, name: str) -> None:
    wrong = []
    counted: Counter[str] = Counter()
    for group, test in wycheproof(shared_data, name):
        keys = group.get("public") or group["private"]
        keys = keys.get("keys", [keys])
        token = test["jws"] if isinstance(test["jws"], str) else json.dumps(test["jws"])
        try:
            held = token_holds(token, keys)
        except CredentialError:
            held = False
        symmetric = all(jwk["kty"] == "oct" for jwk in keys)
        counted["with a shared key" if symmetric else test["result"]] += 1
        if symmetric:
            assert not held, test
        elif held is not (test["result"] == "valid"):
            wrong.append((test["tcId"], test["comment"], test["result"]))
    assert not wrong
    assert counted["valid"] > 0 or name == "json_web_key"
    assert counted["with a shared key"] > 0


def test_a_shared_secret_is_no_key_and_no_algorithm() -> None:
    with pytest.raises(KeyRefused):
        from_jwk({"kty": "oct", "k": base64url(b"0" * 32)})
    for algorithm in ("HS256", "none", "None", "", "RSA1_5", "dir"):
        header = base64url(json.dumps({"alg": algorithm}).encode())
        with pytest.raises(Malformed):
            read_compact(f"{header}.e30.")


def test_a_key_for_one_algorithm_is_for_no_other() -> None:
    assert permits({"kty": "RSA", "alg": "PS256"}, "PS256")
    assert not permits({"kty": "RSA", "alg": "PS256"}, "RS256")
    assert not permits({"kty": "RSA", "alg": "PS512"}, "PS256")
    assert permits({"kty": "RSA", "alg": "PS256"}, "PS384")
    assert permits({"kty": "RSA"}, "RS256")
    assert not permits({"kty": "RSA", "alg": "RSA-OAEP"}, "RS256")


def test_a_brainpool_key_is_read_from_cose_and_certificates_alike() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = ec.generate_private_key(ec.BrainpoolP256R1())
    point = key.public_key().public_numbers()
    r, s = decode_dss_signature(key.sign(b"words", ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for public in (
        from_spki(spki),
        from_cose_key({1: 2, -1: 256, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}),
    ):
        verify_signature(public, "ESB256", b"words", signature)
        verify_signature(public, "ECDSA-SHA256", b"words", signature)
        with pytest.raises(CredentialError):
            verify_signature(public, "ES256", b"words", signature)


# canonical JSON


def test_json_has_one_canonical_form(shared_data: Path) -> None:
    folder = suite(shared_data, "jcs")
    compared = 0
    for path in sorted((folder / "input").glob("*.json")):
        wanted = (folder / "output" / path.name).read_bytes().strip()
        assert canonical.canonicalise(canonical.read(path.read_bytes())) == wanted, path.name
        octets = bytes.fromhex("".join((folder / "outhex" / f"{path.stem}.txt").read_text().split()))
        assert octets == wanted
        compared += 1
    assert compared == 6
