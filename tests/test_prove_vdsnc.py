"""Visible digital seals: ICAO's and Australia's samples, and seals of our own making."""

import contextlib
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from landbridge.errors import Malformed
from landbridge.prove import canonical
from landbridge.prove.carrier import Carried
from landbridge.prove.certificates import read_certificate
from landbridge.prove.facts import Issuer, Outcome
from landbridge.prove.formats import vdsnc
from landbridge.prove.keys import base64url, sign, verify_signature
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import Authority, Source, TrustList
from landbridge.prove.verify import Trust, Verdict, examine
from tests.provers import NOON, TestIssuer, trusting

SEAL_SIGNER = "2.23.136.1.1.14.2"
VACCINATION: dict[str, Any] = {
    "hdr": {"t": "icao.vacc", "v": 1, "is": "XAA"},
    "msg": {
        "uvci": "TEST0001",
        "pid": {"n": "MUSTER-TEST  FIKTIVA", "dob": "1990-01-31", "sex": "F", "i": "TEST000001"},
        "ve": [
            {
                "des": "XM68M6",
                "nam": "Testvax",
                "dis": "RA01.0",
                "vd": [
                    {"dvc": "2026-02-01", "seq": 2, "ctr": "XAA", "adm": "Test centre 2", "lot": "T2"},
                    {"dvc": "2026-01-01", "seq": 1, "ctr": "XAA", "adm": "Test centre 1", "lot": "T1"},
                ],
            }
        ],
    },
}
TEST: dict[str, Any] = {
    "hdr": {"t": "icao.test", "v": 1, "is": "XAA"},
    "msg": {
        "utci": "TEST0002",
        "pid": {"n": "MUSTER-TEST  FIKTIVA", "dob": "1990-01-31", "dt": "P", "dn": "TEST000001"},
        "sp": {
            "spn": "Test laboratory",
            "ctr": "XAA",
            "cd": {"p": "0", "e": "a@lab.test", "a": "Test street"},
        },
        "dat": {"sc": "2026-05-31T10:30:00+02:00", "ri": "2026-05-31T12:00:00+02:00"},
        "tr": {"tc": "molecular(PCR)", "r": "negative", "m": "nasopharyngeal"},
    },
}


def seal(issuer: TestIssuer, data: dict[str, Any], **sig: Any) -> str:
    """What an issuer prints; `sig` changes the part that is not signed."""
    made = sign(issuer.key, "ES256", canonical.canonicalise(data))
    whole = {
        "data": data,
        "sig": {"alg": "ES256", "cer": base64url(issuer.der), "sigvl": base64url(made), **sig},
    }
    return json.dumps(whole)


def of_state(data: dict[str, Any], state: str) -> dict[str, Any]:
    return {**data, "hdr": {**data["hdr"], "is": state}}


def answer(text: str, *issuers: TestIssuer) -> Verdict:
    [found] = examine(text, trust=trusting(*issuers), at=NOON)
    return found


def carried(text: str) -> Carried:
    return Carried(text=text, data=text.encode(), place="text", media="text")


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    return TestIssuer("FR", usages=[SEAL_SIGNER])


def samples(shared_data: Path) -> list[dict[str, Any]]:
    folder = shared_data / "prove" / "vds-nc-examples"
    if not folder.is_dir():
        pytest.skip("not run: no vds-nc-examples here")
    [path] = folder.rglob("*.json")
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8-sig"))
    return found


def test_both_seals_of_the_samples_hold_however_they_are_set_out(shared_data: Path) -> None:
    found = samples(shared_data)
    assert len(found) == 2
    for sample in found:
        for indent in (None, 2):
            one = carried(json.dumps(sample, indent=indent, sort_keys=indent is None))
            assert vdsnc.recognise(one)
            envelope = vdsnc.decode(one)
            assert envelope.faults == ()
            assert envelope.content.kind == "vaccination"
            [signed] = envelope.signatures
            certificate = read_certificate(signed.hint.chain[0])
            verify_signature(certificate.key, signed.algorithm, signed.message, signed.signature)


def test_a_sample_is_believed_with_its_certificate_and_not_when_a_name_is_changed(shared_data: Path) -> None:
    for sample in samples(shared_data):
        signer = TestIssuer()
        signer.certificate = read_certificate(
            vdsnc.decode(carried(json.dumps(sample))).signatures[0].hint.chain[0]
        )
        trust = trusting(signer)
        at = signer.certificate.not_before + timedelta(days=200)
        [verdict] = examine(json.dumps(sample), trust=trust, at=at)
        assert verdict.outcome is Outcome.YES
        sample["data"]["msg"]["pid"]["n"] += "X"
        [verdict] = examine(json.dumps(sample), trust=trust, at=at)
        assert (verdict.authentic.outcome, verdict.authentic.code) == (Outcome.NO, "signature-wrong")


def test_a_vaccination_says_its_latest_dose(issuer: TestIssuer) -> None:
    verdict = answer(seal(issuer, of_state(VACCINATION, "FRA")), issuer)
    assert verdict.outcome is Outcome.YES
    assert verdict.facts is not None
    content = verdict.facts.content
    assert (content.kind, content.territory) == ("vaccination", "FR")
    assert (content.subject.surname, content.subject.given_names) == ("MUSTER-TEST", "FIKTIVA")
    assert (content.subject.born, content.subject.id) == ("1990-01-31", "TEST000001")
    assert content.values == {
        "disease": "840539006",
        "vaccine": "XM68M6",
        "product": "Testvax",
        "dose": 2,
        "date": "2026-02-01",
        "by": "Test centre 2",
        "id": "TEST0001",
    }


def test_a_test_says_its_result_and_when_the_sample_was_taken(issuer: TestIssuer) -> None:
    verdict = answer(seal(issuer, of_state(TEST, "FRA")), issuer)
    assert verdict.facts is not None
    assert verdict.facts.content.kind == "test"
    assert verdict.facts.content.values == {
        "test_type": "naat",
        "result": "negative",
        "sampled": "2026-05-31T08:30:00+00:00",
        "centre": "Test laboratory",
        "by": "Test laboratory",
        "id": "TEST0002",
    }
    assert verdict.facts.issued is not None
    assert verdict.facts.issued.isoformat() == "2026-05-31T10:00:00+00:00"


@pytest.mark.parametrize(
    ("state", "outcome"), [("FRA", "yes"), ("D", "no"), ("GBN", "no"), ("AUS", "no"), ("UTO", "yes")]
)
def test_a_seal_is_of_the_country_of_its_certificate(issuer: TestIssuer, state: str, outcome: str) -> None:
    verdict = answer(seal(issuer, of_state(VACCINATION, state)), issuer)
    assert str(verdict.entitled.outcome) == outcome
    if outcome == "no":
        assert verdict.entitled.code == "not-the-issuer"


def test_letters_that_states_use_in_passports_only_are_their_countries() -> None:
    for state, country in (("D", "DE"), ("GBD", "GB"), ("RKS", "XK")):
        signer = TestIssuer(country)
        assert answer(seal(signer, of_state(VACCINATION, state)), signer).outcome is Outcome.YES


def test_a_certificate_for_something_else_signs_no_seal() -> None:
    server = TestIssuer("FR", usages=["1.3.6.1.5.5.7.3.1"])
    verdict = answer(seal(server, of_state(VACCINATION, "FRA")), server)
    assert (verdict.entitled.outcome, verdict.entitled.code) == (Outcome.NO, "kind-not-entitled")


def csca(country: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A country's signing authority, as it stands behind passports: RSA."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Test signing authority of {country}"),
        ]
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOON - timedelta(days=900))
    builder = builder.not_valid_after(NOON + timedelta(days=900))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def signer_under(key: rsa.RSAPrivateKey, root: x509.Certificate, country: str, kind: str) -> TestIssuer:
    """A signer of seals of one kind of document: `NV` vaccinations, `NT` tests (Doc 9303-12, DocumentTypeList)."""
    issuer = TestIssuer(country)
    listed = b"\x30\x09\x02\x01\x00\x31\x04\x13\x02" + kind.encode()
    builder = x509.CertificateBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country)])
    )
    builder = builder.issuer_name(root.subject).public_key(issuer.key.public_key()).serial_number(2)
    builder = builder.not_valid_before(NOON - timedelta(days=90)).not_valid_after(NOON + timedelta(days=90))
    for extension in (
        x509.UnrecognizedExtension(x509.ObjectIdentifier("2.23.136.1.1.6.2"), listed),
        x509.ExtendedKeyUsage([x509.ObjectIdentifier(SEAL_SIGNER)]),
    ):
        builder = builder.add_extension(extension, critical=False)
    issuer.der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return issuer


@pytest.fixture(scope="module")
def authority() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    return csca("FR")


def under(root: x509.Certificate) -> Trust:
    certificate = read_certificate(root.public_bytes(Encoding.DER))
    source = Source(name="test")
    issuer = Issuer(id=certificate.subject, territory=certificate.country)
    listed = Authority(certificate=certificate, issuer=issuer, source=source)
    return Trust(issuers=TrustList((), (listed,)), taken_back=StatusLists())


def test_a_signer_whom_the_countrys_authority_names_is_believed_for_its_kind_only(
    authority: tuple[rsa.RSAPrivateKey, x509.Certificate],
) -> None:
    key, root = authority
    signer = signer_under(key, root, "FR", "NV")
    [verdict] = examine(seal(signer, of_state(VACCINATION, "FRA")), trust=under(root), at=NOON)
    assert verdict.outcome is Outcome.YES
    [verdict] = examine(seal(signer, of_state(TEST, "FRA")), trust=under(root), at=NOON)
    assert (verdict.entitled.outcome, verdict.entitled.code) == (Outcome.NO, "kind-not-entitled")


def test_one_countrys_authority_speaks_for_no_other(
    authority: tuple[rsa.RSAPrivateKey, x509.Certificate],
) -> None:
    key, root = authority
    signer = signer_under(key, root, "DE", "NV")
    for state in ("D", "FRA"):
        [verdict] = examine(seal(signer, of_state(VACCINATION, state)), trust=under(root), at=NOON)
        assert (verdict.entitled.outcome, verdict.entitled.code) == (Outcome.NO, "not-the-issuer")


def test_a_certificate_with_bytes_after_its_end_is_read_and_named(issuer: TestIssuer) -> None:
    text = seal(issuer, of_state(VACCINATION, "FRA"), cer=base64url(issuer.der + b"\x00\x00"))
    verdict = answer(text, issuer)
    assert verdict.outcome is Outcome.YES
    assert "certificate-trailing-bytes" in verdict.leniencies


def test_a_certificate_that_nobody_can_read_leaves_open_who_signed(issuer: TestIssuer) -> None:
    verdict = answer(seal(issuer, of_state(VACCINATION, "FRA"), cer="AAAA"), issuer)
    assert verdict.outcome is Outcome.OPEN
    assert verdict.entitled.code == "issuer-unknown"


def test_another_certificate_of_the_same_key_is_not_the_listed_one(issuer: TestIssuer) -> None:
    other = bytearray(issuer.der)
    other[-1] ^= 1
    verdict = answer(seal(issuer, of_state(VACCINATION, "FRA"), cer=base64url(bytes(other))), issuer)
    assert verdict.outcome is Outcome.NO


def test_the_older_alphabet_of_base64_and_its_padding_are_read(issuer: TestIssuer) -> None:
    text = seal(issuer, of_state(VACCINATION, "FRA"))
    old = json.loads(text)
    for name in ("cer", "sigvl"):
        bare = old["sig"][name].replace("-", "+").replace("_", "/")
        old["sig"][name] = bare + "=" * (-len(bare) % 4)
    verdict = answer(json.dumps(old), issuer)
    assert verdict.outcome is Outcome.YES


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": ["ES256"]},
        {"sigvl": ""},
        {"sigvl": "A"},
        {"sigvl": 7},
        {"cer": None},
    ],
)
def test_a_signature_that_is_none_is_refused(issuer: TestIssuer, change: dict[str, Any]) -> None:
    text = seal(issuer, of_state(VACCINATION, "FRA"), **change)
    with pytest.raises(Malformed):
        vdsnc.decode(carried(text))


@pytest.mark.parametrize(
    "change",
    [
        {"uvci": ""},
        {"pid": {}},
        {"pid": {"n": 7}},
        {"ve": []},
        {"ve": [{"vd": [{"dvc": "yesterday"}]}]},
        {"ve": "none"},
    ],
)
def test_a_vaccination_without_its_parts_is_not_as_the_format_requires(
    issuer: TestIssuer, change: dict[str, Any]
) -> None:
    data = of_state(VACCINATION, "FRA")
    verdict = answer(seal(issuer, {**data, "msg": {**data["msg"], **change}}), issuer)
    assert (verdict.authentic.outcome, verdict.authentic.code) == (Outcome.NO, "form")


def test_a_seal_of_a_kind_that_is_not_known_is_a_credential_all_the_same(issuer: TestIssuer) -> None:
    data = {"hdr": {"t": "icao.visa", "v": 1, "is": "FRA"}, "msg": {"number": "TEST0003"}}
    verdict = answer(seal(issuer, data), issuer)
    assert verdict.outcome is Outcome.YES
    assert verdict.facts is not None
    assert verdict.facts.content.kind == "credential"
    assert verdict.facts.claims == data


@pytest.mark.parametrize(
    "text",
    [
        '{"data": {"hdr": {}}, "sigvl": ""}',
        '{"data": {"hdr": {"t": "icao.vacc", "t": "icao.test", "v": 1}}, "sig": {"sigvl": ""}}',
        '{"data": 1, "hdr": 1, "sig": {"sigvl": 1}}',
        '{"data": {"hdr": ' + "[" * 5000 + '}, "sigvl": 1}',
        '{"data": {"hdr": 1e999, "sigvl": NaN}}',
        '{"data": {"hdr": {"is": "\\ud800", "t": "icao.vacc", "v": 1}, "msg": {}}, "sig": {"sigvl": "", "alg": "ES256"}}',
    ],
)
def test_what_only_looks_like_a_seal_is_refused(text: str) -> None:
    assert vdsnc.recognise(carried(text))
    with pytest.raises(Malformed):
        vdsnc.decode(carried(text))


def test_other_json_is_not_taken_for_a_seal() -> None:
    for text in ("{}", '{"data": {}}', "[]", "data hdr sigvl", '["data", "hdr", "sigvl"]', ""):
        assert not vdsnc.recognise(carried(text))


def test_no_mutation_is_believed_and_none_breaks_the_reader(issuer: TestIssuer) -> None:
    dice = random.Random(6)
    trust = trusting(issuer)
    texts = [seal(issuer, of_state(VACCINATION, "FRA")), seal(issuer, of_state(TEST, "FRA"))]
    meanings = [json.loads(text) for text in texts]
    tried = 0
    while tried < 2_400:
        text = mutate(texts[tried % 2], dice)
        try:
            if json.loads(text) in meanings:
                continue  # A blank more or less between the names of JSON is no change.
        except (ValueError, RecursionError):
            pass
        tried += 1
        with contextlib.suppress(Malformed):
            vdsnc.decode(carried(text))
        for verdict in examine(text, trust=trust, at=NOON):
            if "certificate-trailing-bytes" not in verdict.leniencies:
                assert verdict.outcome is not Outcome.YES, text


def mutate(text: str, dice: random.Random) -> str:
    """Characters turned, cut out, doubled, exchanged, or of another script."""
    raw = list(text)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        at = dice.randrange(len(raw))
        match dice.randrange(6):
            case 0 | 1:
                raw[at] = chr(ord(raw[at]) ^ (1 << dice.randrange(7)))
            case 2:
                del raw[at : at + dice.choice((1, 1, 4, 60))]
            case 3:
                raw[at:at] = raw[at : at + dice.choice((1, 8, 100))]
            case 4:
                raw[at] = dice.choice(('"', "{", "}", "[", ",", "\\", "0", "e", "А", "\u200b", "\\ud800"))
            case _:
                other = dice.randrange(len(raw))
                raw[at], raw[other] = raw[other], raw[at]
        if not raw:
            return ""
    return "".join(raw)
