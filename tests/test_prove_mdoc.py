"""Mobile documents: what their issuer signed, of real playgrounds and of our own making."""

import base64
import hashlib
import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from landbridge.errors import CredentialError, Malformed
from landbridge.prove import carrier
from landbridge.prove.carrier import Carried
from landbridge.prove.certificates import Certificate, read_certificate, read_certificates
from landbridge.prove.cose import sig_structure
from landbridge.prove.facts import Outcome
from landbridge.prove.formats import mdoc
from landbridge.prove.keys import sign, verify_signature
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import Authority, Signer, Source, TrustList
from landbridge.prove.trust.read import of_certificate
from landbridge.prove.verify import Trust, Verdict, examine
from tests.provers import NOON, TestIssuer, trusting

LICENCE = "org.iso.18013.5.1.mDL"
SPACE = "org.iso.18013.5.1"
MDL_SIGNER, READER = "1.0.18013.5.1.2", "1.0.18013.5.1.6"
ELEMENTS: dict[str, Any] = {
    "family_name": "Muster-Test",
    "given_name": "Fiktiva",
    "birth_date": cbor2.CBORTag(1004, "1990-01-31"),
    "issue_date": cbor2.CBORTag(1004, "2025-05-01"),
    "expiry_date": cbor2.CBORTag(1004, "2035-05-01"),
    "issuing_country": "XA",
    "issuing_authority": "Test road office of Altania",
    "document_number": "TEST000001",
    "driving_privileges": [{"vehicle_category_code": "B"}, {"vehicle_category_code": "C1"}],
}


def issuer_signed(
    issuer: TestIssuer,
    elements: dict[str, Any] = ELEMENTS,
    *,
    space: str = SPACE,
    kind: str = LICENCE,
    algorithm: str = "SHA-256",
    random_bytes: int = 32,
    chain: tuple[bytes, ...] | None = None,
    change_item: Callable[[int, bytes], bytes] = lambda number, item: item,
    change_mso: Callable[[dict[str, Any]], dict[str, Any]] = lambda mso: mso,
) -> bytes:
    """What an issuer of Altania gives a wallet; `change_item` is applied after the digests were made."""
    digest = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}[algorithm]
    items, digests = [], {}
    for number, (name, value) in enumerate(elements.items()):
        inner = cbor2.dumps(
            {
                "digestID": number,
                "random": bytes([number]) * random_bytes,
                "elementIdentifier": name,
                "elementValue": value,
            }
        )
        item = cbor2.dumps(cbor2.CBORTag(24, inner))
        digests[number] = digest(item).digest()
        items.append(change_item(number, item))
    mso = change_mso(
        {
            "version": "1.0",
            "digestAlgorithm": algorithm,
            "valueDigests": {space: digests},
            "deviceKeyInfo": {"deviceKey": {}},
            "docType": kind,
            "validityInfo": {
                name: cbor2.CBORTag(0, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
                for name, moment in (
                    ("signed", NOON - timedelta(days=10)),
                    ("validFrom", NOON - timedelta(days=10)),
                    ("validUntil", NOON + timedelta(days=80)),
                )
            },
        }
    )
    payload = cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(mso)))
    protected = cbor2.dumps({1: -7})
    signature = sign(issuer.key, "ECDSA-SHA256", sig_structure(protected, payload))
    certificates = chain if chain is not None else (issuer.der,)
    header = {33: certificates[0] if len(certificates) == 1 else list(certificates)} if certificates else {}
    array = b"".join(items)
    assert len(items) < 24
    return (
        b"\xa2"
        + cbor2.dumps("nameSpaces")
        + b"\xa1"
        + cbor2.dumps(space)
        + bytes([0x80 | len(items)])
        + array
        + cbor2.dumps("issuerAuth")
        + cbor2.dumps([protected, header, payload, signature])
    )


def document(signed: bytes, kind: str = LICENCE) -> bytes:
    return b"\xa2" + cbor2.dumps("docType") + cbor2.dumps(kind) + cbor2.dumps("issuerSigned") + signed


def response(*documents: bytes) -> bytes:
    return (
        b"\xa3"
        + cbor2.dumps("version")
        + cbor2.dumps("1.0")
        + cbor2.dumps("documents")
        + bytes([0x80 | len(documents)])
        + b"".join(documents)
        + cbor2.dumps("status")
        + b"\x00"
    )


def carried(data: bytes) -> Carried:
    return Carried(text=None, data=data, place="file", media="bytes")


def answer(data: bytes | str, *issuers: TestIssuer, at: datetime = NOON) -> Verdict:
    [found] = examine(data, trust=trusting(*issuers), at=at)
    return found


def handed_over(*certificates: Certificate) -> Trust:
    entries = [entry for one in certificates for entry in of_certificate(one, Source(name="test"))]
    signers = [one for one in entries if isinstance(one, Signer)]
    authorities = [one for one in entries if isinstance(one, Authority)]
    return Trust(issuers=TrustList(signers, authorities), taken_back=StatusLists())


@pytest.fixture(scope="module")
def issuer() -> TestIssuer:
    return TestIssuer(usages=[MDL_SIGNER])


# real ones


def playgrounds(shared_data: Path, folder: str) -> list[tuple[str, bytes]]:
    path = shared_data / "prove" / folder / "vectors.json"
    if not path.is_file():
        pytest.skip(f"not run: no {folder} here")
    found = []
    for name, vectors in json.loads(path.read_text("utf-8")).items():
        for text in (*vectors.get("hex", ()), *vectors.get("base64", ())):
            for one in carrier.read(text.encode()):
                if mdoc.recognise(one):
                    found.append((name, one.data))
    return found


def holds(data: bytes) -> mdoc.Envelope:
    """An envelope whose signature its own certificate made, whoever that is."""
    envelope = mdoc.decode(carried(data))
    [signed] = envelope.signatures
    verify_signature(
        read_certificate(signed.hint.chain[0]).key, signed.algorithm, signed.message, signed.signature
    )
    return envelope


def test_five_playgrounds_signatures_and_digests_hold(shared_data: Path) -> None:
    found = dict(playgrounds(shared_data, "mdoc-interop"))
    assert len(found) == 5
    disclosed = 0
    for name, data in found.items():
        envelope = holds(data)
        assert envelope.faults == (), name
        assert envelope.content.subject.surname
        disclosed += sum(map(len, envelope.claims["nameSpaces"].values()))
    assert disclosed == 29


def test_the_playgrounds_are_believed_with_their_certificates_on_their_day(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "prove" / "mdoc-interop" / "vectors.json").read_text("utf-8"))
    days = {
        "animo-mdoc-05": "2026-01-12",
        "bdr": "2025-06-01",
        "france": "2021-09-25",
        "google": "2025-02-20",
        "ubique": "2025-02-01",
    }
    outcomes = {}
    for name, data in playgrounds(shared_data, "mdoc-interop"):
        folder = name.split("/")[2]
        handed = [
            certificate
            for file, one in vectors.items()
            if f"/{folder}/" in file
            for pem in one["pem"]
            for certificate in read_certificates(pem.encode())
        ]
        trust = handed_over(*handed)
        [verdict] = examine(data, trust=trust, at=datetime.fromisoformat(days[folder]).replace(tzinfo=UTC))
        outcomes[folder] = str(verdict.outcome)
    assert outcomes == dict.fromkeys(days, "yes")


def test_responses_of_other_wallets_hold_but_the_one_that_was_changed(shared_data: Path) -> None:
    held, changed, refused = [], [], []
    for name, data in playgrounds(shared_data, "auth0-mdl"):
        try:
            (changed if holds(data).faults else held).append(name)
        except Malformed:
            refused.append(name)
    assert len(held) == 8
    assert changed == ["__tests__/example/example3.tests.ts"]
    # Made before the standard was: their security object is not kept as bytes.
    assert refused == [
        "__tests__/parser/deviceResponse.tests.ts",
        "__tests__/parser/deviceResponse2.tests.ts",
    ]


# our own


def test_a_licence_is_believed_and_says_what_its_issuer_wrote(issuer: TestIssuer) -> None:
    verdict = answer(issuer_signed(issuer), issuer)
    assert verdict.outcome is Outcome.YES
    assert verdict.facts is not None
    content = verdict.facts.content
    assert (content.kind, content.territory) == ("licence", "XA")
    assert (content.subject.surname, content.subject.given_names) == ("Muster-Test", "Fiktiva")
    assert content.subject.born == "1990-01-31"
    assert content.values == {
        "number": "TEST000001",
        "issued": "2025-05-01",
        "expires": "2035-05-01",
        "by": "Test road office of Altania",
        "country": "XA",
        "categories": ("B", "C1"),
    }
    assert verdict.leniencies == ("device-not-checked",)
    assert verdict.facts.claims["nameSpaces"][SPACE]["birth_date"] == date(1990, 1, 31)


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-384", "SHA-512"])
def test_elements_are_hashed_as_the_issuer_says(issuer: TestIssuer, algorithm: str) -> None:
    assert answer(issuer_signed(issuer, algorithm=algorithm), issuer).outcome is Outcome.YES


@pytest.mark.parametrize("wrap", [lambda one: one, document, lambda one: response(document(one))])
@pytest.mark.parametrize(
    "write",
    [
        bytes,
        bytes.hex,
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode(),
        lambda data: b"\xd9\xd9\xf7" + data,
    ],
)
def test_every_way_to_hand_a_document_over_is_read(
    issuer: TestIssuer, wrap: Callable[[bytes], bytes], write: Callable[[bytes], bytes | str]
) -> None:
    verdict = answer(write(wrap(issuer_signed(issuer))), issuer)
    assert verdict.format == "mdoc"
    assert verdict.outcome is Outcome.YES


def test_text_that_nobody_unpacked_is_unpacked_here(issuer: TestIssuer) -> None:
    data = issuer_signed(issuer)
    for text in (data.hex(), base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        one = Carried(text=text, data=text.encode(), place="text", media="text")
        assert mdoc.recognise(one)
        assert mdoc.decode(one).content.kind == "licence"


def test_bytes_are_hashed_as_they_came_however_they_are_written(issuer: TestIssuer) -> None:
    # The length of the item in four bytes where one would do: the digest is of other bytes then.
    def lengthen(number: int, item: bytes) -> bytes:
        inner = cbor2.loads(item).value
        return b"\xd8\x18\x5a" + len(inner).to_bytes(4, "big") + inner

    verdict = answer(issuer_signed(issuer, change_item=lengthen), issuer)
    assert (verdict.authentic.outcome, verdict.authentic.code) == (Outcome.NO, "digest-mismatch")


def test_an_element_that_was_changed_is_not_what_its_issuer_signed(issuer: TestIssuer) -> None:
    forged = issuer_signed(
        issuer, change_item=lambda number, item: item.replace(b"Fiktiva", b"Fabella") if number == 1 else item
    )
    verdict = answer(forged, issuer)
    assert (verdict.authentic.outcome, verdict.authentic.code) == (Outcome.NO, "digest-mismatch")
    assert verdict.facts is None
    # Even where the issuer is unknown: what does not fit its own digests is nobody's.
    assert answer(forged).authentic.outcome is Outcome.NO


def test_an_element_its_issuer_never_signed_is_refused(issuer: TestIssuer) -> None:
    def forget(mso: dict[str, Any]) -> dict[str, Any]:
        return {**mso, "valueDigests": {SPACE: dict(list(mso["valueDigests"][SPACE].items())[:3])}}

    assert answer(issuer_signed(issuer, change_mso=forget), issuer).authentic.code == "digest-mismatch"


def test_a_document_of_another_kind_than_its_issuer_signed_is_refused(issuer: TestIssuer) -> None:
    verdict = answer(document(issuer_signed(issuer), "eu.europa.ec.eudi.pid.1"), issuer)
    assert (verdict.authentic.outcome, verdict.authentic.code) == (Outcome.NO, "form")


def test_a_short_random_number_is_forgiven_and_named(issuer: TestIssuer) -> None:
    verdict = answer(issuer_signed(issuer, random_bytes=8), issuer)
    assert verdict.outcome is Outcome.YES
    assert "short-random" in verdict.leniencies


@pytest.mark.parametrize(
    ("days", "code"), [(-11, "issued-in-future"), (81, "expired"), (79, "within-dates"), (-9, "within-dates")]
)
def test_the_dates_are_those_that_were_signed(issuer: TestIssuer, days: int, code: str) -> None:
    assert answer(issuer_signed(issuer), issuer, at=NOON + timedelta(days=days)).in_time.code == code


def test_a_licence_that_has_ended_itself_has_expired(issuer: TestIssuer) -> None:
    ended = {**ELEMENTS, "expiry_date": cbor2.CBORTag(1004, "2026-05-31")}
    verdict = answer(issuer_signed(issuer, ended), issuer)
    assert (verdict.in_time.outcome, verdict.in_time.code) == (Outcome.NO, "expired")


def test_a_certificate_for_readers_signs_no_document() -> None:
    reader = TestIssuer(usages=[READER])
    verdict = answer(issuer_signed(reader), reader)
    assert (verdict.entitled.outcome, verdict.entitled.code) == (Outcome.NO, "kind-not-entitled")


def test_a_licence_names_the_country_of_its_signer(issuer: TestIssuer) -> None:
    verdict = answer(issuer_signed(issuer, {**ELEMENTS, "issuing_country": "XB"}), issuer)
    assert (verdict.entitled.outcome, verdict.entitled.code) == (Outcome.NO, "territory-not-entitled")


def test_an_identity_and_any_other_document_are_of_their_kinds() -> None:
    issuer = TestIssuer()
    for kind, space, wanted in (
        ("eu.europa.ec.eudi.pid.1", "eu.europa.ec.eudi.pid.1", "identity"),
        ("org.iso.23220.photoid.1", "org.iso.23220.1", "identity"),
        ("test.altania.library.1", "test.altania.library.1", "credential"),
    ):
        said = {
            "family_name": "Muster-Test",
            "nationality": ["XA"],
            "sex": 2,
            "birthdate": {"birth_date": cbor2.CBORTag(1004, "1990-01-31")},
        }
        verdict = answer(issuer_signed(issuer, said, space=space, kind=kind), issuer)
        assert verdict.facts is not None
        assert verdict.facts.content.kind == wanted
        assert verdict.facts.content.subject.born == "1990-01-31"
        assert verdict.facts.content.values == {"nationality": "XA", "sex": "F"}


def test_where_it_may_be_taken_back_is_what_was_signed(issuer: TestIssuer) -> None:
    def listed(mso: dict[str, Any]) -> dict[str, Any]:
        entry = {"idx": 412, "uri": "https://status.test/1"}
        return {
            **mso,
            "status": {
                "status_list": entry,
                "identifier_list": {"id": b"\x01\x02", "uri": "https://status.test/2"},
            },
        }

    envelope = mdoc.decode(carried(issuer_signed(issuer, change_mso=listed)))
    assert [(one.mechanism, one.uri, one.index, one.values) for one in envelope.status] == [
        ("token-status-list", "https://status.test/1", 412, ()),
        ("identifier-list", "https://status.test/2", 0, (b"\x01\x02",)),
    ]


@pytest.mark.parametrize(
    "status", ["no", {"status_list": {"idx": 1}}, {"status_list": {"idx": -1, "uri": "a"}}]
)
def test_a_status_that_cannot_be_read_is_never_passed_over(issuer: TestIssuer, status: Any) -> None:
    verdict = answer(issuer_signed(issuer, change_mso=lambda mso: {**mso, "status": status}), issuer)
    assert verdict.outcome is Outcome.NO


def test_bytes_after_the_end_of_a_certificate_are_forgiven_and_named(issuer: TestIssuer) -> None:
    verdict = answer(issuer_signed(issuer, chain=(issuer.der + b"\x00",)), issuer)
    assert verdict.outcome is Outcome.YES
    assert "certificate-trailing-bytes" in verdict.leniencies


@pytest.mark.parametrize("chain", [(b"",), (b"0\x00",), (b"no certificate",)])
def test_a_certificate_that_nobody_can_read_leaves_open_who_signed(
    issuer: TestIssuer, chain: tuple[bytes, ...]
) -> None:
    verdict = answer(issuer_signed(issuer, chain=chain), issuer)
    assert (verdict.outcome, verdict.entitled.code) == (Outcome.OPEN, "issuer-unknown")


def authority(country: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """An IACA of a country, and its certificate."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Test authority of {country}"),
        ]
    )
    der = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=1000))
        .not_valid_after(NOON + timedelta(days=1000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA384())
        .public_bytes(Encoding.DER)
    )
    return key, der


def named_by(key: ec.EllipticCurvePrivateKey, of: bytes, country: str) -> TestIssuer:
    issuer = TestIssuer(country)
    start = NOON - timedelta(days=100)
    issuer.der = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.COUNTRY_NAME, country),
                    x509.NameAttribute(NameOID.COMMON_NAME, "Test road office"),
                ]
            )
        )
        .issuer_name(x509.load_der_x509_certificate(of).subject)
        .public_key(issuer.key.public_key())
        .serial_number(2)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=400))
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(MDL_SIGNER)]), critical=True)
        .sign(key, hashes.SHA384())
        .public_bytes(Encoding.DER)
    )
    return issuer


@pytest.mark.parametrize("with_root", [False, True])
def test_a_signer_whom_a_listed_authority_names_is_believed(with_root: bool) -> None:
    key, root = authority("XA")
    issuer = named_by(key, root, "XA")
    chain = (issuer.der, root) if with_root else (issuer.der,)
    [verdict] = examine(
        issuer_signed(issuer, chain=chain), trust=handed_over(read_certificate(root)), at=NOON
    )
    assert verdict.outcome is Outcome.YES
    _, other = authority("XA")
    [verdict] = examine(
        issuer_signed(issuer, chain=chain), trust=handed_over(read_certificate(other)), at=NOON
    )
    assert (verdict.outcome, verdict.entitled.code) == (Outcome.OPEN, "issuer-unknown")


def test_an_authority_of_one_country_names_no_signer_of_another() -> None:
    key, root = authority("XB")
    issuer = named_by(key, root, "XA")
    [verdict] = examine(issuer_signed(issuer), trust=handed_over(read_certificate(root)), at=NOON)
    assert (verdict.entitled.outcome, verdict.entitled.code) == (Outcome.NO, "territory-not-entitled")


def test_several_documents_are_taken_apart_byte_by_byte(issuer: TestIssuer) -> None:
    one, two = document(issuer_signed(issuer)), document(issuer_signed(issuer, {"given_name": "Fabella"}))
    assert mdoc.documents(response(one, two)) == [one, two]
    assert mdoc.documents(response(one)) == [response(one)]
    assert mdoc.documents(one) == [one]
    assert mdoc.documents(b"\xff") == [b"\xff"]
    for data in mdoc.documents(response(one, two)):
        assert mdoc.decode(carried(data)).faults == ()
    for whole in (
        carried(response(one, two)),
        Carried(text=response(one, two).hex(), data=b"", place="file", media="text"),
    ):
        apart = mdoc.take_apart(whole)
        assert [(part.place, part.data) for part in apart] == [
            ("file, document 1", one),
            ("file, document 2", two),
        ]
    assert mdoc.take_apart(carried(one)) == (carried(one),)
    assert mdoc.take_apart(carried(b"{}")) == (carried(b"{}"),)
    with pytest.raises(Malformed) as wrong:
        mdoc.decode(carried(response(one, two)))
    assert wrong.value.code == "several"


def test_every_document_of_a_response_gets_its_own_verdict(issuer: TestIssuer) -> None:
    good = document(issuer_signed(issuer))
    forged = document(issuer_signed(issuer, change_item=lambda _, item: item.replace(b"Fiktiva", b"Fabella")))
    both = response(good, forged)
    for handed in (both, json.dumps({"vp_token": {"licence": [base64.urlsafe_b64encode(both).decode()]}})):
        verdicts = examine(handed, trust=trusting(issuer), at=NOON)
        assert [str(one.outcome) for one in verdicts] == ["yes", "no"]
        assert [one.place.rpartition(", ")[2] for one in verdicts] == ["document 1", "document 2"]


def test_a_response_of_errors_alone_holds_no_document() -> None:
    data = cbor2.dumps({"version": "1.0", "documentErrors": [{LICENCE: 0}], "status": 10})
    assert not mdoc.recognise(carried(data))
    assert answer(data).outcome is Outcome.OPEN


def test_what_a_wallet_adds_to_a_response_is_not_what_its_issuer_signed(issuer: TestIssuer) -> None:
    added = {
        "nameSpaces": cbor2.CBORTag(24, cbor2.dumps({SPACE: {"given_name": "Fabella"}})),
        "deviceAuth": {},
    }
    shown = b"\xa3" + document(issuer_signed(issuer))[1:] + cbor2.dumps("deviceSigned") + cbor2.dumps(added)
    verdict = answer(response(shown), issuer)
    assert verdict.outcome is Outcome.YES
    assert verdict.facts is not None
    assert verdict.facts.content.subject.given_names == "Fiktiva"


@pytest.mark.parametrize(
    "change",
    [
        lambda mso: {**mso, "version": "2.0"},
        lambda mso: {**mso, "digestAlgorithm": "MD5"},
        lambda mso: {**mso, "docType": 7},
        lambda mso: {**mso, "validityInfo": {}},
        lambda mso: {**mso, "validityInfo": {**mso["validityInfo"], "validUntil": "2030-01-01"}},
        lambda mso: {**mso, "valueDigests": []},
    ],
)
def test_a_security_object_that_is_none_is_refused(issuer: TestIssuer, change: Any) -> None:
    with pytest.raises(Malformed):
        mdoc.decode(carried(issuer_signed(issuer, change_mso=change)))


def test_a_document_without_its_signers_certificate_is_refused(issuer: TestIssuer) -> None:
    with pytest.raises(Malformed) as wrong:
        mdoc.decode(carried(issuer_signed(issuer, chain=())))
    assert wrong.value.code == "no-certificate"


def test_no_mutation_is_believed_and_none_breaks_the_reader(issuer: TestIssuer) -> None:
    dice = random.Random(5)
    trust = trusting(issuer)
    seeds = [issuer_signed(issuer), response(document(issuer_signed(issuer)))]
    for number in range(2_400):
        data = mutate(seeds[number % 2], dice)
        if data in seeds:
            continue
        for verdict in examine(data, trust=trust, at=NOON):
            assert verdict.outcome is not Outcome.YES, data.hex()
        try:
            mdoc.decode(carried(data))
        except Malformed:
            continue


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Bits turned, bytes cut out, doubled, exchanged or made up."""
    raw = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        at = dice.randrange(len(raw))
        match dice.randrange(6):
            case 0 | 1:
                raw[at] ^= 1 << dice.randrange(8)
            case 2:
                del raw[at : at + dice.choice((1, 1, 4, 60))]
            case 3:
                raw[at:at] = raw[at : at + dice.choice((1, 8, 100))]
            case 4:
                raw[at] = dice.choice((0x00, 0x5F, 0x7F, 0x9F, 0xBF, 0xF6, 0xFF, 0x81, 0xA1, 0xD8))
            case _:
                other = dice.randrange(len(raw))
                raw[at], raw[other] = raw[other], raw[at]
        if not raw:
            return b"\xa0"
    return bytes(raw)


def test_a_bomb_is_refused_in_no_time() -> None:
    for data in (
        b"\xa2jissuerAuth" + b"\x81" * 500_000,
        b"\xa2jissuerAuth" + b"\x9f" * 500_000,
        b"\xa1jissuerAuth\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1jissuerAuth\x98\xff" + b"\x00" * 900_000,
        b"\xa0jissuerAuth" + b"\x00" * 2_000_000,
        b"\xbf" + b"jissuerAuth\x00" * 80_000 + b"\xff",
    ):
        assert mdoc.recognise(carried(data))
        with pytest.raises(CredentialError):
            mdoc.decode(carried(data))
