"""Who may issue what: trust material of every form is read, carried between machines, and grows old honestly."""

import base64
import hashlib
import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
)
from cryptography.x509.oid import NameOID
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from landbridge.prove.certificates import CertificateRefused, read_certificates
from landbridge.prove.envelope import KeyHint
from landbridge.prove.facts import Issuer, Outcome
from landbridge.prove.keys import base64url, thumbprint, to_jwk
from landbridge.prove.status import StatusLists
from landbridge.prove.trust import register, repository
from landbridge.prove.trust.keysets import check_health_card_keys
from landbridge.prove.trust.list import Source, TrustList
from landbridge.prove.trust.material import TrustUnreadable, of_key
from landbridge.prove.trust.read import read_material, read_trust
from landbridge.prove.trust.repository import Admitted, TrustRefused
from landbridge.prove.verdict import Verdict
from landbridge.prove.verify import Policy, Trust, examine
from tests.provers import NOON, TestIssuer, trusting

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def lab() -> TestIssuer:
    return TestIssuer()


def put(folder: Path, name: str, data: bytes | str | object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(data, bytes | str):
        data = json.dumps(data)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def spki(issuer: TestIssuer) -> bytes:
    return issuer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def authority() -> tuple[bytes, ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "XA"), x509.NameAttribute(NameOID.COMMON_NAME, "Test CSCA")]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOON - 100 * DAY)
        .not_valid_after(NOON + 1000 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA384())
    )
    return made.public_bytes(Encoding.DER), key, made


def verdict(text: str, trust: TrustList | Trust, at: datetime = NOON) -> Verdict:
    if isinstance(trust, TrustList):
        trust = Trust(issuers=trust, taken_back=StatusLists())
    (found,) = examine(text, trust=trust, at=at)
    return found


# Reading


def forms_of(lab: TestIssuer) -> dict[str, bytes | str | object]:
    """One laboratory in every form its signer may be handed over in."""
    der, text = lab.der, base64.b64encode(lab.der).decode()
    kid = base64.b64encode(lab.kid).decode()
    entry = {
        "kid": kid,
        "country": "XA",
        "certificateType": "DSC",
        "rawData": text,
        "thumbprint": hashlib.sha256(der).hexdigest(),
        "timestamp": "2026-01-02T03:04:05+00:00",
        "signature": "MII=",
    }
    german = json.dumps({"certificates": [entry]})
    jwk = to_jwk(lab.key.public_key()) | {"kid": kid, "x5c": [text], "x5t#S256": lab.certificate.fingerprint}
    swedish = {
        "iss": "XD",
        "iat": 1_780_000_000,
        "exp": 1_790_000_000,
        "dsc_trust_list": {"XA": {"keys": [jwk]}},
    }
    header = base64url(json.dumps({"alg": "ES256"}).encode())
    austrian = cbor2.dumps({"c": [{"i": lab.kid, "c": der}]})
    number = lab.key.public_key().public_numbers()
    point = {"x": number.x.to_bytes(32, "big"), "y": number.y.to_bytes(32, "big")}
    bundle = pkcs7.serialize_certificates([x509.load_der_x509_certificate(der)], Encoding.DER)
    return {
        "certificate.pem": b"A laboratory of Altania\n" + pem(der),
        "certificate.der": der,
        "certificate.b64": text,
        "bundle.p7b": bundle,
        "bundle.pem": pkcs7.serialize_certificates([x509.load_der_x509_certificate(der)], Encoding.PEM),
        "directory.ldif": b"dn: c=XA\nuserCertificate;binary:: "
        + b"\n ".join(text[at : at + 70].encode() for at in range(0, len(text), 70))
        + b"\ncn: test\n",
        "windows.pem": pem(der).replace(b"\n", b"\r\n"),
        "gateway.json": [entry, entry | {"certificateType": "AUTHENTICATION"}],
        "german.txt": base64.b64encode(b"not a real signature, of 64 bytes. " * 2) + b"\n" + german.encode(),
        "austrian.cbor": austrian,
        "austrian-signed.cose": cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", {}, austrian, b"0" * 64])),
        "austrian-keys.cbor": cbor2.dumps({"c": [{"i": lab.kid, "p": spki(lab), "t": ["t", "v"]}]}),
        "swedish.jwt": ".".join((header, base64url(json.dumps(swedish).encode()), base64url(b"0" * 64))),
        "french.json": {"certificatesDCC": {kid: base64.b64encode(pem(der)).decode()}},
        "italian.json": {kid: text},
        "dutch.json": {
            "payload": base64.b64encode(
                json.dumps(
                    {
                        "eu_keys": {
                            kid: [{"subjectPk": base64.b64encode(spki(lab)).decode(), "keyUsage": ["t"]}]
                        }
                    }
                ).encode()
            ).decode(),
            "signature": "MII=",
        },
        "swiss.json": {
            "certs": [
                {"keyId": kid, "use": "t", "alg": "ES256", "crv": "P-256"}
                | {name: base64.b64encode(value).decode() for name, value in point.items()}
            ]
        },
        "jwks.json": {"keys": [to_jwk(lab.key.public_key()) | {"kid": base64url(lab.kid)}]},
        "key.jwk": to_jwk(lab.key.public_key()) | {"kid": base64url(lab.kid)},
        "cose.key": cbor2.dumps({1: 2, 2: lab.kid, -1: 1, -2: point["x"], -3: point["y"]}),
        "cose.keyset": cbor2.dumps([{1: 2, 2: lab.kid, -1: 1, -2: point["x"], -3: point["y"]}]),
        "did.json": {
            "id": "did:web:lab.xa.example",
            "verificationMethod": [
                {
                    "id": "did:web:lab.xa.example#key-1",
                    "type": "JsonWebKey",
                    "controller": "did:web:lab.xa.example",
                    "publicKeyJwk": to_jwk(lab.key.public_key()) | {"kid": kid},
                }
            ],
            "assertionMethod": ["did:web:lab.xa.example#key-1"],
        },
        "lab.toml": f'title = "Test laboratory"\nterritory = "XA"\nkinds = ["test"]\n[[keys]]\ncertificate = "{text}"\n',
    }


FORMS = tuple(forms_of(TestIssuer()))


@pytest.mark.parametrize("name", FORMS)
def test_a_laboratory_is_believed_in_whatever_form_its_key_is_handed_over(
    name: str, lab: TestIssuer, tmp_path: Path
) -> None:
    listed = read_trust([put(tmp_path, name, forms_of(lab)[name])])
    assert verdict(lab.test_result(), listed).outcome is Outcome.YES
    assert verdict(TestIssuer().test_result(), listed).outcome is Outcome.OPEN


def test_a_folder_of_every_form_is_read_and_what_is_none_is_passed_over_with_its_reason(
    lab: TestIssuer, tmp_path: Path
) -> None:
    for name, data in forms_of(lab).items():
        put(tmp_path, f"nested/{name}", data)
    put(tmp_path, "README.md", "# What this is\n")
    put(tmp_path, "picture.png", bytes(range(256)))
    listed = read_trust([tmp_path])
    assert verdict(lab.test_result(), listed).outcome is Outcome.YES
    assert {name for name, _ in listed.passed_over if "/" not in name} >= {"README.md", "picture.png"}


def test_one_pem_may_hold_several_certificates_and_keys(lab: TestIssuer, tmp_path: Path) -> None:
    other = TestIssuer("XB")
    key = other.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    listed = read_trust([put(tmp_path, "both.pem", pem(lab.der) + key)])
    assert [one.issuer.territory for one in listed.signers] == ["XA", ""]


@pytest.mark.parametrize(
    "make",
    [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()],
    ids=["P-256", "Ed25519"],
)
def test_a_bare_public_key_is_known_by_its_thumbprint_and_its_digest(make: Any, tmp_path: Path) -> None:
    public = make.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for form in (der, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        listed = read_trust([put(tmp_path, "key", form)])
        for name in (thumbprint(public), base64url(hashlib.sha256(der).digest()[:8])):
            assert listed.find(KeyHint(ids=(name,), issuer="https://any.example")).signers
        assert listed.find(KeyHint(ids=("key-1",))).signers == ()
        assert listed.find(KeyHint(ids=("key-1",))).unnamed == listed.signers


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_private_key_is_refused_whatever_its_form(
    form: PrivateFormat, encoding: Encoding, tmp_path: Path
) -> None:
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)):
        with pytest.raises(TrustUnreadable) as wrong:
            read_trust([put(tmp_path, "key", key.private_bytes(encoding, form, NoEncryption()))])
        assert wrong.value.code == "private-key"


def test_a_private_key_in_json_or_cbor_is_refused(tmp_path: Path) -> None:
    jwk = to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    forms: list[Any] = [
        jwk | {"d": "AAAA"},
        {"keys": [jwk | {"d": "AAAA"}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        cbor2.dumps({1: 2, -1: 1, -2: b"x", -3: b"y", -4: b"d"}),
    ]
    for form in forms:
        with pytest.raises(TrustUnreadable) as wrong:
            read_trust([put(tmp_path, "key", form)])
        assert wrong.value.code == "private-key"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x80",
        b"\x30\x82\xff\xff",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA",
        b"{",
        b"[" * 5000,
        b'{"keys": 5}',
        b'{"keys": [5]}',
        b'{"certificates": {"a": 1}}',
        b'{"dsc_trust_list": {"XA": 5}}',
        b'{"issuerInfo": 1}',
        b'{"didDocument": 5}',
        b'{"verificationMethod": [5]}',
        b'{"issuers": [], "member": "xa"}',
        b'{"payload": "e30=", "signature": ""}',
        b"\xa1\x61c\x81\xa0",
        b"\xd2\x84\x40\xa0\x40\x40",
        b"\x81" * 4000,
        b"did:nonsense\nand more",
        b"A" * 100,
        b"\xff" * 100,
        b"a.b.c",
    ],
)
def test_what_is_no_trust_material_is_a_named_error_and_never_another(data: bytes, tmp_path: Path) -> None:
    for name in ("list", "list.toml"):
        with pytest.raises(TrustUnreadable):
            read_trust([put(tmp_path, name, data)])


def test_no_damage_to_any_form_raises_anything_but_the_named_error(lab: TestIssuer) -> None:
    chance = random.Random(6)
    forms = [
        one if isinstance(one, bytes) else one.encode() if isinstance(one, str) else json.dumps(one).encode()
        for one in forms_of(lab).values()
    ]
    for _ in range(6_000):
        data = bytearray(chance.choice(forms))
        for _ in range(chance.choice((1, 2, 5))):
            data = data or bytearray(1)
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] ^= 1 << chance.randrange(8)
                case 1:
                    data[place:place] = chance.randbytes(chance.randrange(1, 9))
                case 2:
                    del data[place : place + chance.randrange(1, 20)]
                case 3:
                    del data[place + 1 :]
        with suppress(TrustUnreadable):
            read_material(bytes(data), Source(name="damaged"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrustUnreadable, match="nowhere"):
        read_trust([tmp_path / "nowhere.pem"])


def test_every_key_of_a_colliding_identifier_is_tried(lab: TestIssuer, tmp_path: Path) -> None:
    kid = base64.b64encode(lab.kid).decode()
    others = [TestIssuer("XB") for _ in range(3)]
    entries = [
        {
            "kid": kid,
            "country": one.country,
            "certificateType": "DSC",
            "rawData": base64.b64encode(one.der).decode(),
        }
        for one in (*others, lab)
    ]
    listed = read_trust([put(tmp_path, "list.json", entries)])
    assert len(listed.find(KeyHint(ids=(base64url(lab.kid),))).signers) == 4
    found = verdict(lab.test_result(), listed)
    assert found.facts is not None
    assert found.facts.issuer.territory == "XA"


def test_a_csca_of_a_list_names_signers_and_signs_nothing_itself(tmp_path: Path) -> None:
    der, _, _ = authority()
    entry = {
        "kid": "AAAAAAAAAAA=",
        "country": "XA",
        "certificateType": "CSCA",
        "rawData": base64.b64encode(der).decode(),
    }
    listed = read_trust([put(tmp_path, "list.json", [entry])])
    assert (len(listed.signers), len(listed.authorities)) == (0, 1)


def test_an_icao_master_list_gives_authorities_that_vouch_for_a_chain(
    lab: TestIssuer, tmp_path: Path
) -> None:
    der, key, made = authority()

    class Certificates(core.SetOf):  # type: ignore[misc]
        _child_spec = asn1_x509.Certificate

    class MasterList(core.Sequence):  # type: ignore[misc]
        _fields = [("version", core.Integer), ("cert_list", Certificates)]  # noqa: RUF012

    listed_certificates = MasterList({"version": 0, "cert_list": [asn1_x509.Certificate.load(der)]})
    content = {"content_type": "2.23.136.1.1.2", "content": listed_certificates.dump()}
    signed = cms.SignedData(
        {"version": "v3", "digest_algorithms": [], "encap_content_info": content, "signer_infos": []}
    )
    whole = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    listed = read_trust([put(tmp_path, "list.ml", whole)])
    assert (len(listed.signers), len(listed.authorities)) == (0, 1)
    signer = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "XA")]))
        .issuer_name(made.subject)
        .public_key(lab.key.public_key())
        .serial_number(8)
        .not_valid_before(NOON - DAY)
        .not_valid_after(NOON + DAY)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    (found,) = listed.find(KeyHint(chain=(signer,))).signers
    assert found.spki == spki(lab)
    assert found.issuer.territory == "XA"
    assert listed.find(KeyHint(chain=(lab.der,))).code == "issuer-unknown"


def test_a_list_of_driving_licence_authorities_keeps_its_kinds_and_dates(tmp_path: Path) -> None:
    der, _, _ = authority()
    vical = {
        "vicalProvider": "Test provider",
        "date": NOON,
        "nextUpdate": NOON + 30 * DAY,
        "certificateInfos": [
            {"certificate": der, "docType": ["org.iso.18013.5.1.mDL"], "issuingCountry": "XA"}
        ],
    }
    payload = cbor2.dumps(vical)
    listed = read_trust(
        [
            put(
                tmp_path,
                "list.cbor",
                cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", {}, payload, b"0" * 64])),
            )
        ]
    )
    (found,) = listed.authorities
    assert found.kinds == {"licence"}
    assert found.issuer.territory == "XA"
    assert (found.source.issued, found.source.expires) == (NOON, NOON + 30 * DAY)


# Key sets and whose they are


def test_a_key_set_without_an_issuer_fits_every_issuer_by_its_key_alone(
    lab: TestIssuer, tmp_path: Path
) -> None:
    jwk = to_jwk(lab.key.public_key()) | {"kid": "key-1"}
    listed = read_trust([put(tmp_path, "jwks.json", {"keys": [jwk]})])
    assert listed.find(KeyHint(ids=("key-1",), issuer="https://lab.xa.example")).signers
    assert listed.find(KeyHint(issuer="https://lab.xa.example")).signers
    assert listed.find(KeyHint(ids=("key-2",), issuer="https://lab.xa.example")).code == "issuer-unknown"


@pytest.mark.parametrize("form", ["named", "place", "snapshot", "metadata", "map"])
def test_a_key_set_that_names_its_issuer_is_that_issuers_alone(
    form: str, lab: TestIssuer, tmp_path: Path
) -> None:
    iss = "https://lab.xa.example/creds"
    keys = {"keys": [to_jwk(lab.key.public_key()) | {"kid": thumbprint(lab.key.public_key())}]}
    match form:
        case "named":
            put(tmp_path, "jwks.json", keys | {"issuer": iss})
        case "place":
            put(tmp_path, "lab.xa.example/creds/.well-known/jwks.json", keys)
        case "snapshot":
            info = {"issuer": {"iss": iss, "name": "Test laboratory"}, **keys}
            put(tmp_path, "snapshot.json", {"time": "2026-05-31T00:00:00Z", "issuerInfo": [info]})
        case "metadata":
            put(tmp_path, "jwt-vc-issuer", {"issuer": iss, "jwks": keys})
        case "map":
            put(tmp_path, "sets.json", {iss: keys})
    put(tmp_path, "directory.json", {"participating_issuers": [{"iss": iss, "name": "Test laboratory"}]})
    listed = read_trust([tmp_path])
    kid = keys["keys"][0]["kid"]
    (found,) = listed.find(KeyHint(ids=(kid,), issuer=iss)).signers
    assert found.issuer.name == "Test laboratory"
    assert listed.find(KeyHint(ids=(kid,), issuer="https://other.example")).code == "not-the-issuer"
    assert listed.find(KeyHint(ids=("another",), issuer=iss)).code == "key-not-of-issuer"


def test_the_same_short_identifier_at_another_issuer_says_nothing_of_an_unknown_one(
    lab: TestIssuer, tmp_path: Path
) -> None:
    jwk = to_jwk(lab.key.public_key()) | {"kid": "1"}
    listed = read_trust([put(tmp_path, "jwks.json", {"issuer": "https://b.example", "keys": [jwk]})])
    assert listed.find(KeyHint(ids=("1",), issuer="https://a.example")).code == "issuer-unknown"


def test_a_directory_without_keys_names_issuers_and_knows_no_key_of_theirs(tmp_path: Path) -> None:
    directory = {"participating_issuers": [{"iss": "https://lab.xa.example", "name": "Test laboratory"}]}
    listed = read_trust([put(tmp_path, "directory.json", directory)])
    assert [one.name for one in listed.names] == ["Test laboratory"]
    assert listed.find(KeyHint(ids=("a",), issuer="https://lab.xa.example")).signers == ()


def test_the_directory_of_health_card_issuers_is_read_whole(shared_data: Path) -> None:
    folder = shared_data / "prove/vci-directory"
    if not folder.is_dir():
        pytest.skip("not run: no VCI directory here")
    listed = read_trust([folder])
    wanted = {
        one["iss"] for one in json.loads((folder / "vci-issuers.json").read_bytes())["participating_issuers"]
    }
    assert wanted <= {one.id for one in listed.names}


def test_every_fault_of_a_health_card_key_has_its_name(shared_data: Path) -> None:
    folder = shared_data / "prove/shc-dev-tools/testdata"
    if not folder.is_dir():
        pytest.skip("not run: no SMART Health Card test data here")
    wanted = {
        "valid_key.json": set(),
        "valid_keys.json": set(),
        "valid_key_with_x5c.json": set(),
        "valid_2_chain.public.json": set(),
        "wrong_kid_key.json": {"key-wrong-kid"},
        "wrong_alg_key.json": {"key-wrong-alg"},
        "wrong_use_key.json": {"key-wrong-use"},
        "wrong_curve_key.json": {"key-wrong-crv", "key-wrong-alg"},
        "cert_mismatch.public.json": {"key-x5c"},
        "invalid_DNS_SAN.public.json": {"key-x5c"},
        "invalid_no_SAN.public.json": {"key-x5c"},
        "invalid_chain.public.json": {"key-x5c"},
    }
    found = {
        name: {one.code for one in check_health_card_keys(json.loads((folder / name).read_bytes()))}
        for name in wanted
    }
    assert found == wanted
    kinds = check_health_card_keys(json.loads((folder / "wrong_kty_key.json").read_bytes()))
    assert "key-wrong-kty" in {one.code for one in kinds}


def test_a_health_card_key_is_checked_without_any_file() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    good = to_jwk(key) | {"kid": thumbprint(key), "use": "sig", "alg": "ES256"}
    assert check_health_card_keys({"keys": [good]}) == ()
    for change, code in (
        ({"kid": "mine"}, "key-wrong-kid"),
        ({"use": "enc"}, "key-wrong-use"),
        ({"alg": "ES384"}, "key-wrong-alg"),
        ({"d": "AAAA"}, "key-private"),
        ({"x": "AAAA"}, "key-schema"),
        ({"x5c": ["AAAA"]}, "key-x5c"),
        ({"kid": 5}, "key-schema"),
    ):
        assert code in {one.code for one in check_health_card_keys({"keys": [good | change]})}
    for nothing in (None, [], {"keys": []}, {"keys": [5]}):
        assert [one.code for one in check_health_card_keys(nothing)] == ["key-schema"]


def test_a_did_that_is_its_own_key_is_read_from_a_line_of_text(lab: TestIssuer, tmp_path: Path) -> None:
    name = "did:jwk:" + base64url(json.dumps(to_jwk(lab.key.public_key())).encode())
    listed = read_trust([put(tmp_path, "dids.txt", f"{name}\ndid:web:lab.xa.example\n")])
    (found,) = listed.find(KeyHint(ids=(f"{name}#0",), issuer=name)).signers
    assert found.spki == spki(lab)
    assert [one.id for one in listed.names] == ["did:web:lab.xa.example"]


def test_a_participants_folder_gives_its_country_and_kinds_and_never_its_connections_keys(
    lab: TestIssuer, tmp_path: Path
) -> None:
    der, _, _ = authority()
    put(tmp_path, "ARM/onboarding/DCC/SCA/SCA.pem", pem(der))
    put(tmp_path, "ARM/onboarding/DCC/DSC/DSC.pem", pem(lab.der))
    put(tmp_path, "ARM/onboarding/DCC/TLS/TLS.pem", pem(TestIssuer().der))
    put(tmp_path, "WHO/signing/DCC/TNG_TA.pem", pem(TestIssuer().der))
    put(tmp_path, "ARM/onboarding/PH4H/UP/UP.pem", pem(TestIssuer().der))
    put(
        tmp_path,
        "XXA/onboarding/DDCC/ISSUER/Trusted_Issuer.json",
        {"url": "did:web:lab.xa.example", "name": "Test"},
    )
    listed = read_trust([tmp_path])
    (signer,), (root,) = listed.signers, listed.authorities
    assert (signer.issuer.territory, root.issuer.territory) == ("AM", "AM")
    assert signer.kinds == {"test", "vaccination", "recovery"}
    assert [one.id for one in listed.names] == ["did:web:lab.xa.example"]
    assert read_trust([tmp_path / "ARM/onboarding/DCC/SCA/SCA.pem"]).signers == ()


def test_all_sixty_participants_of_the_test_network_are_read(shared_data: Path) -> None:
    folder = shared_data / "prove/who-tng-participants-dev"
    if not folder.is_dir():
        pytest.skip("not run: no participants' folders here")
    listed = read_trust([folder])
    read = Counter(name.partition("/")[0] for name in (one.source.name for one in listed.authorities))
    assert (
        len(read) >= 58
    )  # Of the other two one is the network itself, and one has sent a text in place of a certificate.
    assert not any("/TLS/" in one.source.name or "/UP/" in one.source.name for one in listed.signers)


# Our own list


LAB_TOML = """
title = "Test laboratory of Altania"
id = "https://lab.xa.example"
territory = "XA"
kinds = ["test"]
since = 2026-01-01
until = 2026-12-31

[[keys]]
certificate = "lab.pem"
"""


def test_an_issuers_file_limits_its_keys_to_what_it_says(lab: TestIssuer, tmp_path: Path) -> None:
    put(tmp_path, "xa/issues/lab.toml", LAB_TOML)
    put(tmp_path, "xa/issues/lab.pem", pem(lab.der))
    listed = read_trust([tmp_path])
    (signer,) = listed.signers  # The certificate is not read a second time, without its limits.
    assert signer.kinds == {"test"}
    assert signer.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert signer.until == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert verdict(lab.test_result(), listed).outcome is Outcome.YES
    wrong_kind = read_trust([_edited(tmp_path, 'kinds = ["test"]', 'kinds = ["vaccination"]')])
    found = verdict(lab.test_result(), wrong_kind)
    assert (found.entitled.outcome, found.entitled.code) == (Outcome.NO, "kind-not-entitled")


def _edited(folder: Path, old: str, new: str) -> Path:
    copy = folder.with_name(folder.name + "-edited")
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    file = copy / "xa/issues/lab.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return copy


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("kinds", "kindz", "kindz"),
        ('["test"]', '["spell"]', "spell"),
        ('"XA"', '"Altania"', "territory"),
        ("2026-01-01", '"soon"', "since"),
        ("2026-01-01", "2026-01-01T00:00:00", "since"),
        ('certificate = "lab.pem"', 'certificat = "lab.pem"', "certificat"),
        ('certificate = "lab.pem"', 'certificate = "gone.pem"', "gone.pem"),
        ('certificate = "lab.pem"', "", r"keys\[0\]"),
        ("title", "# title", "title"),
    ],
)
def test_a_mistake_in_an_issuers_file_is_an_error_that_names_the_field(
    old: str, new: str, named: str, lab: TestIssuer, tmp_path: Path
) -> None:
    put(tmp_path / "a", "xa/issues/lab.toml", LAB_TOML)
    put(tmp_path / "a", "xa/issues/lab.pem", pem(lab.der))
    edited = _edited(tmp_path / "a", old, new)
    with pytest.raises(TrustUnreadable, match=named):
        read_trust([edited / "xa/issues/lab.toml"])


def test_the_certificate_of_a_broken_issuers_file_is_not_trusted_without_its_limits(
    lab: TestIssuer, tmp_path: Path
) -> None:
    put(tmp_path, "lab.toml", LAB_TOML.replace("kinds", "kindz"))
    put(tmp_path, "lab.pem", pem(lab.der))
    assert len(read_trust([tmp_path])) == 0


def test_a_members_folder_becomes_the_list_it_signs(lab: TestIssuer, tmp_path: Path) -> None:
    put(tmp_path, "lab.toml", LAB_TOML)
    put(tmp_path, "lab.pem", pem(lab.der))
    public = TestIssuer("XB").key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    put(
        tmp_path,
        "university.toml",
        f'title = "Test university"\nid = "did:web:u.example"\nkinds = ["qualification"]\n'
        f'[[keys]]\nids = ["key-1"]\npem = """\n{public.decode()}"""\n',
    )
    data = register.write_register("xa", register.read_entries(tmp_path), issued=NOON, expires=NOON + 9 * DAY)
    assert b"PUBLIC KEY" not in data
    member, issued, expires, material = register.read_register(data, Source(name="xa"))
    assert (member, issued, expires) == ("xa", NOON, NOON + 9 * DAY)
    listed = read_trust([put(tmp_path / "out", "issuers.json", data)])
    assert listed.signers == tuple(
        msgspec.structs.replace(one, source=listed.sources[0]) for one in material.signers
    )
    assert verdict(lab.test_result(), listed).outcome is Outcome.YES
    assert listed.find(KeyHint(ids=("did:web:u.example#key-1",), issuer="did:web:u.example")).signers
    assert (
        listed.find(KeyHint(ids=("did:web:u.example#key-2",), issuer="did:web:u.example")).code
        == "key-not-of-issuer"
    )


def test_a_key_without_a_name_is_tried_under_any_its_issuer_writes(tmp_path: Path) -> None:
    public = TestIssuer().key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f'title = "Test university"\nid = "https://u.example"\n[[keys]]\npem = """{public.decode()}"""\n'
    listed = read_trust([put(tmp_path, "university.toml", text)])
    assert listed.find(KeyHint(ids=("2026",), issuer="https://u.example")).signers
    assert listed.find(KeyHint(ids=("2026",), issuer="https://other.example")).code == "issuer-unknown"


def entry_of(lab: TestIssuer, **changes: Any) -> register.Entry:
    return register.Entry(
        **{
            "title": "Test laboratory",
            "territory": "XA",
            "kinds": ("test",),
            "keys": (register.Key(certificate=base64.b64encode(lab.der).decode()),),
            **changes,
        }
    )


def test_withdrawing_an_issuer_reddens_exactly_its_credentials_from_that_day_on(lab: TestIssuer) -> None:
    other = TestIssuer("XB")
    withdrawn = NOON - 3 * DAY
    data = register.write_register(
        "xa",
        [entry_of(lab, withdrawn=withdrawn.isoformat(), reason="test"), entry_of(other, territory="XB")],
        issued=NOON,
    )
    material = register.read_register(data, Source(name="xa"))[3]
    listed = TrustList(material.signers, material.authorities, known=material.known)
    before, after = withdrawn - DAY, withdrawn + DAY
    assert verdict(lab.test_result(issued=before), listed).outcome is Outcome.YES
    assert verdict(other.test_result(issued=after), listed).outcome is Outcome.YES
    for issued in (withdrawn, after):
        found = verdict(lab.test_result(issued=issued), listed)
        assert (found.outcome, found.entitled.code) == (Outcome.NO, "issuer-withdrawn")
    assert found.authentic.outcome is Outcome.YES


def test_a_key_that_one_list_withdrew_is_withdrawn_though_another_still_carries_it(
    lab: TestIssuer, tmp_path: Path
) -> None:
    put(tmp_path, "a.pem", pem(lab.der))
    put(tmp_path, "z/lab.toml", LAB_TOML + 'withdrawn = "2026-05-01"\nreason = "stolen"\n')
    put(tmp_path, "z/lab.pem", pem(lab.der))
    assert verdict(lab.test_result(), read_trust([tmp_path])).entitled.code == "issuer-withdrawn"


# Distribution


class Union:
    """A repository of three members, with every key in hand; the attacks are made with those."""

    def __init__(self, folder: Path, lab: TestIssuer) -> None:
        self.folder, self.lab = folder / "repository", lab
        self.officers = [CryptoSigner.generate_ed25519() for _ in range(3)]
        self.online = CryptoSigner.generate_ed25519()
        self.members = {name: CryptoSigner.generate_ed25519() for name in ("xa", "xb", "xc")}
        self.root = repository.create(
            self.folder,
            {name: Admitted(key.public_key, (name.upper(),)) for name, key in self.members.items()},
            officers=[one.public_key for one in self.officers],
            signers=self.officers[:2],
            online=self.online,
            at=NOON,
        )
        self.publish("xa", NOON)
        self.store = folder / "store"

    def publish(self, member: str, at: datetime, *entries: register.Entry, **more: Any) -> None:
        data = register.write_register(member, entries or (entry_of(self.lab),), issued=at, **more)
        files = {"issuers.json": data, "status.jwt": b"a list of what was taken back"}
        repository.publish(self.folder, member, files, signer=self.members[member], online=self.online, at=at)

    def update(self, at: datetime, source: str | Path | None = None) -> repository.Updated:
        return repository.update(self.store, source or self.folder, now=at, root=self.root)

    def trust(self, **more: Any) -> Trust:
        held = repository.load(self.store)
        return Trust(issuers=held.issuers, taken_back=StatusLists(), floor=held.floor, **more)

    def sign(self, name: str, signed: Any, signer: CryptoSigner) -> None:
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(signer)
        metadata.to_file(str(self.folder / "metadata" / name))


@pytest.fixture
def union(tmp_path: Path, lab: TestIssuer) -> Union:
    return Union(tmp_path, lab)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def copyfile(self, *parts: Any) -> None:
        with suppress(ConnectionError):  # Whoever reads an endless file hangs up.
            super().copyfile(*parts)


@pytest.fixture
def address(union: Union) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(union.folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_list_is_fetched_over_the_network_and_believed(union: Union, address: str) -> None:
    done = union.update(NOON, address)
    assert done.changed
    assert done.members == ("xa", "xb", "xc")
    assert done.failed == {}
    assert verdict(union.lab.test_result(), union.trust()).outcome is Outcome.YES
    held = repository.load(union.store)
    assert held.members["xa"].issued == NOON == held.issued
    assert [(one.member, one.name) for one in held.files] == [("xa", "status.jwt")]


def test_a_list_travels_on_a_stick_and_from_stick_to_stick(union: Union, tmp_path: Path) -> None:
    union.update(NOON)
    stick = tmp_path / "stick"
    assert repository.export(union.store, stick) >= 7
    done = repository.update(tmp_path / "post", stick, now=NOON + 3 * DAY, root=union.root)
    assert done.issued == NOON
    held = repository.load(tmp_path / "post")
    assert held.members["xa"].issued == NOON
    assert len(held.issuers.signers) == 1


def test_without_a_root_handed_over_nothing_is_believed(union: Union) -> None:
    with pytest.raises(TrustRefused) as wrong:
        repository.update(union.store, union.folder, now=NOON)
    assert wrong.value.code == "no-root"
    with pytest.raises(TrustRefused) as wrong:
        repository.load(union.store)
    assert wrong.value.code == "no-store"


def test_an_old_copy_stays_readable_and_says_its_age(union: Union) -> None:
    union.update(NOON)
    for days, outcome, code, warned in (
        (0, Outcome.YES, "listed", False),
        (3, Outcome.YES, "listed", True),
        (29, Outcome.YES, "listed", True),
        (31, Outcome.OPEN, "trust-stale", False),
    ):
        at = NOON + days * DAY
        found = verdict(union.lab.test_result(issued=NOON, days=100), union.trust(), at)
        assert (found.outcome, found.entitled.code) == (outcome, code)
        assert ("trust-ageing" in found.warnings) is warned
    assert "31 days" in str(found.entitled.rests_on)
    patient = union.trust(policy=Policy(refuse_after=90 * DAY))
    assert verdict(union.lab.test_result(days=100), patient, at).outcome is Outcome.YES


def test_a_list_that_nobody_signed_anew_is_told_apart_from_a_bad_credential(union: Union) -> None:
    """What happened to Austria on 2021-11-15: every certificate turned red, and none was bad."""
    union.publish("xa", NOON, expires=NOON + 2 * DAY)
    union.update(NOON)
    at = NOON + 3 * DAY
    good = verdict(union.lab.test_result(), union.trust(), at)
    assert (good.outcome, good.authentic.outcome, good.entitled.code) == (
        Outcome.OPEN,
        Outcome.YES,
        "trust-stale",
    )
    text = union.lab.test_result()
    forged = verdict(text[:-20] + text[-19:] + text[-20], union.trust(), at)
    assert forged.authentic.outcome is Outcome.NO
    assert verdict(union.lab.test_result(), TrustList(), at).entitled.code == "trust-missing"


def test_the_dates_of_an_austrian_list_are_those_of_the_signature_beside_it(
    lab: TestIssuer, tmp_path: Path
) -> None:
    content = cbor2.dumps({"c": [{"i": lab.kid, "c": lab.der}]})
    start, end = int(NOON.timestamp()), int((NOON + 2 * DAY).timestamp())
    claims = cbor2.dumps({2: hashlib.sha256(content).digest(), 5: start, 4: end})
    put(tmp_path, "trustlist.bin", content)
    put(
        tmp_path, "trustlistsig.bin", cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", {}, claims, b"0" * 64]))
    )
    listed = read_trust([tmp_path])
    assert verdict(lab.test_result(), listed, NOON + DAY).outcome is Outcome.YES
    late = verdict(lab.test_result(), listed, NOON + 3 * DAY)
    assert (late.outcome, late.entitled.code) == (Outcome.OPEN, "trust-stale")


def test_a_clock_set_back_is_seen_by_the_newest_signed_time(union: Union) -> None:
    union.update(NOON)
    assert repository.floor(union.store) == NOON
    found = verdict(union.lab.test_result(issued=NOON - 9 * DAY), union.trust(), NOON - 5 * DAY)
    assert (found.in_time.outcome, found.in_time.code) == (Outcome.OPEN, "clock-set-back")
    repository.raise_floor(union.store, NOON + DAY)
    assert repository.raise_floor(union.store, NOON - DAY) == NOON + DAY == repository.floor(union.store)
    with pytest.raises(TrustRefused) as wrong:
        union.update(NOON - DAY)
    assert wrong.value.code == "clock-set-back"


def test_withdrawing_an_issuer_reaches_every_store_that_updates(union: Union) -> None:
    union.update(NOON)
    old, new = union.lab.test_result(issued=NOON - DAY), union.lab.test_result(issued=NOON + DAY)
    at = NOON + 2 * DAY
    assert verdict(new, union.trust(), at).outcome is Outcome.YES
    union.publish("xa", at, entry_of(union.lab, withdrawn=NOON.isoformat(), reason="stolen key"))
    union.update(at)
    assert verdict(new, union.trust(), at).entitled.code == "issuer-withdrawn"
    assert verdict(old, union.trust(), at).outcome is Outcome.YES


def test_a_member_that_stops_signing_grows_old_alone(union: Union) -> None:
    union.publish("xb", NOON)
    late = NOON + 20 * DAY
    union.publish("xb", late, entry_of(TestIssuer("XB"), territory="XB"))
    union.update(late)
    held = repository.load(union.store)
    assert held.members["xb"].issued == late
    assert held.members["xa"].issued == NOON + repository.MEMBER_LASTS


def refused(union: Union, at: datetime, source: str | Path | None = None) -> str:
    """The code an update is refused with; what was at hand before is still there."""
    before = repository.load(union.store)
    with pytest.raises(TrustRefused) as wrong:
        union.update(at, source)
    after = repository.load(union.store)
    assert (after.members, len(after.issuers)) == (before.members, len(before.issuers))
    assert wrong.value.hint
    return wrong.value.code


def test_updates_held_back_are_refused_over_the_network_once_the_timestamp_ran_out(
    union: Union, address: str
) -> None:
    union.update(NOON, address)
    assert refused(union, NOON + 2 * DAY, address) == "frozen"
    repository.refresh_timestamp(union.folder, union.online, at=NOON + 2 * DAY)
    assert union.update(NOON + 2 * DAY, address).issued == NOON + 2 * DAY


def test_an_older_state_is_refused(union: Union, address: str, tmp_path: Path) -> None:
    shutil.copytree(union.folder, tmp_path / "old")
    union.publish("xa", NOON + timedelta(hours=1))
    union.update(NOON + timedelta(hours=2), address)
    assert refused(union, NOON + timedelta(hours=3), tmp_path / "old") == "rolled-back"


def test_a_timestamp_of_another_key_is_refused(union: Union) -> None:
    union.update(NOON)
    forged = Timestamp(
        version=99,
        expires=NOON + DAY,
        snapshot_meta=MetaFile(99),
        unrecognized_fields={"issued": NOON.isoformat()},
    )
    union.sign("timestamp.json", forged, CryptoSigner.generate_ed25519())
    assert refused(union, NOON) == "signature-wrong"


def test_a_stick_cannot_make_itself_younger(union: Union, address: str) -> None:
    union.update(NOON)
    path = union.folder / "metadata/timestamp.json"
    path.write_bytes(path.read_bytes().replace(b"2026-06-01T12:00:00Z", b"2026-06-09T12:00:00Z", 1))
    assert refused(union, NOON + 10 * DAY) == "signature-wrong"


def test_an_endless_file_is_given_up(union: Union, address: str) -> None:
    union.update(NOON)
    union.publish("xa", NOON + timedelta(hours=1))
    path = union.folder / "metadata/timestamp.json"
    path.write_bytes(path.read_bytes() + b" " * 10_000_000)
    for source in (address, union.folder):
        assert refused(union, NOON + timedelta(hours=1), source) == "too-large"


@pytest.mark.parametrize("how", ["altered", "endless", "missing"])
def test_a_file_that_is_not_what_its_member_signed_is_not_taken_and_the_earlier_one_stays(
    how: str, union: Union
) -> None:
    union.update(NOON)
    later = NOON + timedelta(hours=1)
    union.publish("xb", later, entry_of(TestIssuer("XB"), territory="XB"))
    union.publish("xa", later, entry_of(union.lab, title="Another name"))
    newest = max((union.folder / "targets/xa").glob("*.issuers.json"), key=lambda one: one.stat().st_mtime_ns)
    match how:
        case "altered":
            newest.write_bytes(newest.read_bytes().replace(b"Another", b"Nobody1"))
        case "endless":
            newest.write_bytes(newest.read_bytes() * 50)
        case "missing":
            newest.unlink()
    done = union.update(later)
    assert set(done.failed) == {"xa"}
    held = repository.load(union.store)
    assert {one.issuer.name for one in held.issuers.signers} == {"Test laboratory"}
    assert len(held.issuers.signers) == 2
    assert held.members["xb"].issued == later
    assert held.members["xa"].issued == NOON  # as old as its own signature


def test_one_members_old_file_beside_the_others_new_ones_is_not_taken(union: Union) -> None:
    union.update(NOON)
    old = (union.folder / "metadata/1.xa.json").read_bytes()
    union.publish("xa", NOON + timedelta(hours=1), entry_of(union.lab, withdrawn="2026-01-01", reason="test"))
    (union.folder / "metadata/2.xa.json").write_bytes(old)
    done = union.update(NOON + timedelta(hours=1))
    assert "xa" in done.failed
    assert repository.load(union.store).members["xa"].issued == NOON


def test_a_member_cannot_write_into_anothers_folder(union: Union) -> None:
    stolen = register.write_register("xa", [entry_of(TestIssuer(), title="Forged laboratory")], issued=NOON)
    name = hashlib.sha256(stolen).hexdigest() + ".issuers.json"
    put(union.folder / "targets/xa", name, stolen)
    forged = Targets(version=1, expires=NOON + DAY, unrecognized_fields={"issued": NOON.isoformat()})
    forged.targets["xa/issuers.json"] = TargetFile.from_data("xa/issuers.json", stolen, ["sha256"])
    union.sign("1.xb.json", forged, union.members["xb"])
    meta = {"targets.json": MetaFile(1), "xa.json": MetaFile(1), "xb.json": MetaFile(1)}
    union.sign("9.snapshot.json", Snapshot(version=9, expires=NOON + DAY, meta=meta), union.online)
    stamp = Timestamp(
        version=9,
        expires=NOON + DAY,
        snapshot_meta=MetaFile(9),
        unrecognized_fields={"issued": NOON.isoformat()},
    )
    union.sign("timestamp.json", stamp, union.online)
    union.update(NOON)
    held = repository.load(union.store)
    assert {one.issuer.name for one in held.issuers.signers} == {"Test laboratory"}
    with pytest.raises(TrustRefused):
        repository.publish(
            union.folder,
            "xa",
            {"issuers.json": stolen},
            signer=union.members["xb"],
            online=union.online,
            at=NOON,
        )
    with pytest.raises(TrustRefused):
        repository.publish(
            union.folder,
            "xb",
            {"../xa/issuers.json": b""},
            signer=union.members["xb"],
            online=union.online,
            at=NOON,
        )


def test_a_member_cannot_list_keys_for_anothers_laboratory_or_country(union: Union) -> None:
    url = "https://lab.xa.example"
    union.publish("xa", NOON, entry_of(union.lab, id=url))
    forger = TestIssuer("XB")
    union.publish(
        "xb", NOON, entry_of(forger, id=url, territory="XB"), entry_of(TestIssuer(), territory="XA")
    )
    union.update(NOON)
    held = repository.load(union.store)
    assert [one.source.name for one in held.issuers.signers] == ["xa"]
    reasons = " ".join(reason for _, reason in held.issuers.passed_over)
    assert "listed by xa already" in reasons
    assert "not a country of this member" in reasons


def test_a_member_cannot_withdraw_anothers_key(union: Union) -> None:
    stolen = entry_of(union.lab, title="Not ours", territory="XB", withdrawn="2026-01-01", reason="spite")
    union.publish("xb", NOON, stolen)
    union.update(NOON)
    assert verdict(union.lab.test_result(), union.trust()).outcome is Outcome.YES
    assert "its key is listed by xa already" in repository.load(union.store).issuers.passed_over[0][1]


def test_an_issuer_without_an_id_speaks_under_no_address(union: Union) -> None:
    jwk = to_jwk(union.lab.key.public_key()) | {"kid": "key-1"}
    union.publish("xa", NOON, entry_of(union.lab, keys=(register.Key(jwk=jwk),)))
    union.update(NOON)
    issuers = repository.load(union.store).issuers
    assert issuers.find(KeyHint(ids=("key-1",))).signers
    assert issuers.find(KeyHint(ids=("key-1",), issuer="https://lab.xb.example")).signers == ()


def test_a_store_altered_on_disk_is_not_believed(union: Union) -> None:
    union.update(NOON)
    (file,) = union.store.glob("*/targets/xa%2Fissuers.json")
    file.write_bytes(file.read_bytes().replace(b"Test lab", b"Fake lab"))
    with pytest.raises(TrustRefused) as wrong:
        repository.load(union.store)
    assert wrong.value.code == "altered"
    with pytest.raises(TrustRefused):
        repository.export(union.store, union.store.with_name("stick"))
    repository.update(union.store, union.folder, now=NOON)  # Its root still holds: the rest is fetched again.
    assert len(repository.load(union.store).issuers) == 1


def test_a_member_that_was_dismissed_is_gone_with_the_next_update(union: Union) -> None:
    union.update(NOON)
    repository.dismiss(union.folder, "xa", signers=union.officers[1:], online=union.online, at=NOON)
    union.update(NOON)
    assert len(repository.load(union.store).issuers) == 0


def test_one_officer_alone_changes_nothing(union: Union) -> None:
    union.update(NOON)
    repository.dismiss(union.folder, "xa", signers=union.officers[:1], online=union.online, at=NOON)
    assert refused(union, NOON) == "signature-wrong"


def test_new_officers_are_believed_when_enough_of_the_old_ones_signed(union: Union) -> None:
    union.update(NOON)
    new = [CryptoSigner.generate_ed25519() for _ in range(3)]
    repository.change_keys(
        union.folder,
        officers=[one.public_key for one in new],
        signers=[*union.officers[:2], *new[:2]],
        online=union.online,
        at=NOON + DAY,
    )
    union.officers = new
    repository.renew(union.folder, signers=new[1:], online=union.online, at=NOON + 2 * DAY)
    assert union.update(NOON + 2 * DAY).issued == NOON + 2 * DAY
    assert len(repository.load(union.store).issuers) == 1


def test_an_update_that_breaks_off_leaves_what_was_there(
    union: Union, monkeypatch: pytest.MonkeyPatch
) -> None:
    union.update(NOON)
    union.publish("xa", NOON + DAY)

    def stops(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(repository, "_fetch_members", stops)
    with pytest.raises(KeyboardInterrupt):
        union.update(NOON + DAY)
    assert repository.load(union.store).members["xa"].issued == NOON
    monkeypatch.undo()
    assert union.update(NOON + DAY).changed
    assert not union.update(NOON + DAY).changed


def test_an_address_nobody_answers_at_is_said_so(union: Union) -> None:
    union.update(NOON)
    assert refused(union, NOON, "http://127.0.0.1:9/") == "unreachable"
    assert refused(union, NOON, "nowhere") == "unreachable"


def test_a_key_of_the_trust_list_is_kept_under_a_passphrase() -> None:
    kept = repository.new_key(b"a long sentence")
    assert b"ENCRYPTED PRIVATE KEY" in kept
    assert repository.read_key(kept, b"a long sentence").public_key.keytype == "ed25519"
    with pytest.raises(TrustRefused):
        repository.read_key(kept, b"another")
    with pytest.raises(ValueError, match="passphrase"):
        repository.new_key(b"")


def test_a_thousand_certificates_are_read_in_two_seconds(tmp_path: Path) -> None:
    issuer = TestIssuer()
    parsed = asn1_x509.Certificate.load(issuer.der)
    entries = []
    for number in range(1000):
        parsed["tbs_certificate"]["serial_number"] = 1000 + number
        der = parsed.dump(force=True)
        entries.append(
            {
                "kid": base64.b64encode(hashlib.sha256(der).digest()[:8]).decode(),
                "country": "XA",
                "certificateType": "DSC",
                "rawData": base64.b64encode(der).decode(),
            }
        )
    path = put(tmp_path, "list.json", entries)
    start = time.perf_counter()
    listed = read_trust([path])
    assert len(listed.signers) == 1000
    assert time.perf_counter() - start < 2
    assert trusting(issuer).issuers.find(KeyHint(ids=(issuer.certificate.kid,))).signers


def test_an_encrypted_private_key_is_refused_too(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    with pytest.raises(TrustUnreadable) as wrong:
        read_trust([put(tmp_path, "key.pem", data)])
    assert wrong.value.code == "private-key"


def test_a_bare_key_beside_a_known_issuers_keys_is_not_that_issuers() -> None:
    own, other = (ec.generate_private_key(ec.SECP256R1()).public_key() for _ in range(2))
    known = Issuer(id="https://uni.example")
    signers = [
        of_key(own, source=Source(name="list"), issuer=known, ids=("one",)),
        of_key(other, source=Source(name="by hand"), ids=("two",)),
    ]
    listed = TrustList(signers, known=[known.id])
    assert listed.find(KeyHint(ids=("two",), issuer=known.id)).signers == ()
    assert listed.find(KeyHint(ids=("two",), issuer=known.id)).code in ("key-not-of-issuer", "not-the-issuer")
    assert [one.ids for one in listed.find(KeyHint(ids=("one",), issuer=known.id)).signers] == [
        signers[0].ids
    ]
    assert listed.find(KeyHint(ids=("two",), issuer="https://[")).code in ("issuer-unknown", "")


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN CERTIFICATE-----\nMIIBx\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMIIBx\n",
        b"-----BEGIN CERTIFICATE-----\n\xff\xfe\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PUBLIC KEY-----\nMIIBx\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_damaged_pem_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(CertificateRefused):
        list(read_certificates(data))
