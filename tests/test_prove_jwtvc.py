"""W3C credentials in signed tokens, what their data model forbids, and keys that are somebody's name."""

import base64
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from landbridge.errors import CredentialError, Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.cose import sig_structure
from landbridge.prove.envelope import Envelope
from landbridge.prove.facts import Issuer, Outcome
from landbridge.prove.formats import jwtvc, vcdm
from landbridge.prove.keys import (
    KeyRefused,
    algorithm_of,
    base64url,
    from_jwk,
    sign,
    thumbprint,
    to_jwk,
    verify_signature,
)
from landbridge.prove.proofs import to_base58
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.did import from_multikey, key_of_did, signers_of_document
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.verify import Trust, examine

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNIVERSITY = "did:web:university.altania.example"
V1, V2 = vcdm.V1, vcdm.V2


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def diploma(**more: Any) -> dict[str, Any]:
    return {
        "@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "https://university.altania.example/diplomas/77",
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "issuer": {"id": UNIVERSITY, "name": "University of Altania"},
        "validFrom": "2025-07-01T10:00:00Z",
        "validUntil": "2045-07-01T12:00:00+02:00",
        "credentialSubject": {
            "id": "did:example:testa",
            "givenName": "Testa",
            "familyName": "Mustermensch",
            "degree": {"type": "ExampleBachelorDegree", "name": "Bachelor of Tests"},
        },
        **more,
    }


def older(**more: Any) -> dict[str, Any]:
    return {
        "@context": [V1, "https://www.w3.org/2018/credentials/examples/v1"],
        "type": ["VerifiableCredential", "UniversityDegreeCredential"],
        "issuer": UNIVERSITY,
        "issuanceDate": "2025-07-01T10:00:00Z",
        "credentialSubject": {"degree": {"type": "BachelorDegree", "name": "Bachelor of Tests"}},
        **more,
    }


def token(key: Any, payload: Any, **header: Any) -> str:
    head = {"alg": algorithm_of(key), "typ": "vc+jwt", **header}
    body = payload if isinstance(payload, str) else json.dumps(payload)
    message = f"{base64url(json.dumps(head).encode())}.{base64url(body.encode())}"
    return f"{message}.{base64url(sign(key, algorithm_of(key), message.encode()))}"


def carried(text: str) -> Carried:
    return Carried(text=text, data=text.encode(), place="text", media="text")


def decoded(text: str) -> Envelope:
    assert jwtvc.recognise(carried(text))
    return jwtvc.decode(carried(text))


def code(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        jwtvc.decode(carried(text))
    return caught.value.code


def sentences(envelope: Envelope) -> str:
    return "; ".join(sentence for _, sentence in envelope.faults)


# what is read


def test_a_diploma_is_read_with_its_dates_its_subject_and_its_key(key: Any) -> None:
    envelope = decoded(token(key, diploma(), kid="#key-1"))
    assert not envelope.faults
    assert envelope.content.kind == "qualification"
    assert envelope.content.values["title"] == "Bachelor of Tests"
    assert envelope.content.values["by"] == "University of Altania"
    assert envelope.content.subject.surname == "Mustermensch"
    assert envelope.content.subject.id == "did:example:testa"
    assert envelope.issuer == UNIVERSITY
    assert envelope.valid_from == datetime(2025, 7, 1, 10, tzinfo=UTC)
    assert envelope.valid_until == datetime(2045, 7, 1, 10, tzinfo=UTC)
    (signed,) = envelope.signatures
    assert signed.hint.ids[0] == f"{UNIVERSITY}#key-1"
    assert signed.hint.issuer == UNIVERSITY
    verify_signature(key.public_key(), signed.algorithm, signed.message, signed.signature)


def test_the_signatures_own_end_bounds_the_credential_and_contradicts_nothing(key: Any) -> None:
    envelope = decoded(token(key, {**diploma(), "exp": 1_800_000_000, "iat": 1_760_000_000}))
    assert not envelope.faults
    assert envelope.valid_until == datetime.fromtimestamp(1_800_000_000, UTC)
    assert envelope.issued == datetime.fromtimestamp(1_760_000_000, UTC)


def test_a_credential_of_1_1_gets_from_its_token_what_it_leaves_out(key: Any) -> None:
    inside = older()
    del inside["issuer"], inside["issuanceDate"]
    payload = {
        "iss": UNIVERSITY,
        "jti": "urn:uuid:77",
        "sub": "did:example:testa",
        "nbf": 1_751_364_000,
        "exp": 1_900_000_000,
        "vc": inside,
    }
    envelope = decoded(token(key, payload, typ="JWT"))
    assert not envelope.faults
    assert envelope.claims["id"] == "urn:uuid:77"
    assert envelope.claims["issuer"] == UNIVERSITY
    assert envelope.claims["issuanceDate"] == "2025-07-01T10:00:00Z"
    assert envelope.content.subject.id == "did:example:testa"
    assert envelope.valid_until == datetime.fromtimestamp(1_900_000_000, UTC)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "did:web:elsewhere.example"),
        ("jti", "urn:uuid:other"),
        ("sub", "did:example:somebody-else"),
        ("nbf", 1_751_364_001),
        ("exp", 1_900_000_001),
    ],
)
def test_a_token_that_says_something_else_than_its_credential_is_a_fault(
    claim: str, value: Any, key: Any
) -> None:
    inside = older(id="urn:uuid:77", expirationDate="2030-03-17T17:46:40Z")
    inside["credentialSubject"]["id"] = "did:example:testa"
    agreed = {
        "iss": UNIVERSITY,
        "jti": "urn:uuid:77",
        "sub": "did:example:testa",
        "nbf": 1_751_364_000,
        "exp": 1_900_000_000,
        "vc": inside,
    }
    assert not decoded(token(key, agreed, typ="JWT")).faults
    assert claim in sentences(decoded(token(key, {**agreed, claim: value}, typ="JWT")))


def test_an_open_badge_signed_with_a_key_in_its_header_is_looked_up_by_that_keys_thumbprint(key: Any) -> None:
    badge = {
        "@context": [V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": "https://badges.altania.example/9",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "https://badges.altania.example/issuer", "type": ["Profile"], "name": "Guild"},
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "Welding, level 2",
        "credentialSubject": {
            "id": "did:example:testa",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://badges.altania.example/a/2",
                "type": ["Achievement"],
                "name": "Welder",
                "description": "Welds",
                "criteria": {"narrative": "Has welded"},
                "fieldOfStudy": "Metal",
            },
        },
    }
    payload = {
        **badge,
        "iss": "https://badges.altania.example/issuer",
        "jti": badge["id"],
        "sub": "did:example:testa",
        "nbf": 1_767_225_600,
    }
    envelope = decoded(token(key, payload, typ="JWT", jwk=to_jwk(key.public_key())))
    assert not envelope.faults
    assert envelope.content.kind == "qualification"
    assert envelope.content.values["title"] == "Welder"
    assert envelope.content.values["field"] == "Metal"
    assert thumbprint(key.public_key()) in envelope.signatures[0].hint.ids
    assert envelope.signatures[0].hint.jwk is None


def test_the_answer_of_an_openid4vci_issuer_is_signed_with_its_published_key(shared_data: Path) -> None:
    folder = shared_data / "prove" / "openid4vci" / "examples"
    if not folder.is_dir():
        pytest.skip("not run: openid4vci is not here")
    answer = (folder / "credential_response_jwt_vc_json.txt").read_text()
    text = "".join(answer.partition('"credential": "')[2].partition('"')[0].split())
    envelope = decoded(text)
    published = json.loads("".join((folder / "issuer_jwks.json").read_text().split()))["jwks"]["keys"][0]
    signed = envelope.signatures[0]
    assert not envelope.faults
    assert envelope.content.kind == "qualification"
    assert thumbprint(from_jwk(published)) in signed.hint.ids
    verify_signature(from_jwk(published), signed.algorithm, signed.message, signed.signature)


def test_json_tokens_and_wrapped_lines_say_the_same(key: Any) -> None:
    compact = token(key, diploma(), kid="k")
    protected, payload, signature = compact.split(".")
    flat = {"payload": payload, "protected": protected, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": protected, "signature": signature}]}
    wrapped = "\n".join(compact[at : at + 60] for at in range(0, len(compact), 60))
    for text in (json.dumps(flat), json.dumps(general), wrapped):
        assert decoded(text) == decoded(compact)


def test_a_token_that_is_no_credential_is_somebody_elses(key: Any) -> None:
    for payload in ({"iss": "x", "sub": "y"}, [], "7", {"type": "Login"}):
        assert not jwtvc.recognise(carried(token(key, payload, typ="JWT")))
    for text in ("", "{}", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", '{"payload": 7}', "[" * 100_000, "{" * 100_000):
        assert not jwtvc.recognise(carried(text))


def cose(key: Any, payload: Any, *, kid: bytes = b"", kind: Any = "application/vc+cose") -> bytes:
    header = {1: -7, 16: kind, 3: "application/vc"} | ({4: kid} if kid else {})
    protected, body = cbor2.dumps(header), json.dumps(payload).encode()
    signature = sign(key, algorithm_of(key), sig_structure(protected, body))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, body, signature]))


def test_the_same_credential_in_cose_is_the_same_credential(key: Any) -> None:
    data = cose(key, diploma(), kid=f"{UNIVERSITY}#key-1".encode())
    trust = listed(key, UNIVERSITY, f"{UNIVERSITY}#key-1")
    for text in (data, data.hex().encode(), base64.b64encode(data)):
        (verdict,) = examine(text, trust=trust, at=AT)
        assert verdict.outcome is Outcome.YES
        assert verdict.format == "cose-vc"
        assert verdict.facts is not None
        assert verdict.facts.content == decoded(token(key, diploma())).content
    thief = ec.generate_private_key(ec.SECP256R1())
    for forged in (
        cose(thief, diploma(), kid=f"{UNIVERSITY}#key-1".encode()),
        data[:-1] + bytes((data[-1] ^ 1,)),
        data[:-70],
        cose(key, changed(diploma(), "type", "Degree"), kid=f"{UNIVERSITY}#key-1".encode()),
        cose(key, diploma(), kid=f"{UNIVERSITY}#key-1".encode(), kind="application/vp+cose"),
    ):
        (verdict,) = examine(forged, trust=trust, at=AT)
        assert verdict.outcome is Outcome.NO


# what must not be believed


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256", "crit": ["b64"]}])
def test_only_signatures_with_public_keys_are_read(header: dict[str, Any], key: Any) -> None:
    payload = token(key, diploma()).split(".")[1]
    text = f"{base64url(json.dumps({'typ': 'vc+jwt', **header}).encode())}.{payload}."
    assert code(text) in ("algorithm-refused", "jws-critical")


def test_odd_tokens_are_refused_by_name(key: Any) -> None:
    assert code(token(key, [])) == "jwt-vc"
    assert code(token(key, {"vc": 7})) == "jwt-vc"
    assert code(token(key, {**diploma(), "exp": "soon"})) == "jwt-date"
    assert code(token(key, {**diploma(), "nbf": 1e300})) == "jwt-date"
    assert code(token(key, '{"type": "VerifiableCredential", "type": []}')) == "json"
    assert code(token(key, '{"a":' * 5_000)) == "json"
    assert code(token(key, diploma(), jwk={"kty": "oct"})) == "jws-header"
    assert code(token(key, diploma(), x5c=["!"])) == "jws-header"
    assert code(token(key, diploma(), x5c=[base64.b64encode(b"no certificate").decode()])) == "jws-header"
    assert code(token(key, {"type": "VerifiablePresentation", "verifiableCredential": []})) == "presentation"


def test_a_token_of_another_type_is_no_credential_even_if_it_looks_like_one(key: Any) -> None:
    for kind in ("at+jwt", "statuslist+jwt", "kb+jwt", "vp+jwt"):
        assert "no credential" in sentences(decoded(token(key, diploma(), typ=kind)))
    assert "`vc`" in sentences(decoded(token(key, {"vc": diploma()})))
    assert "iss" in sentences(decoded(token(key, diploma(), iss="did:web:elsewhere.example")))


def test_no_truncation_or_flipped_character_raises_anything_but_malformed(key: Any) -> None:
    whole = token(key, diploma(), kid="#1")
    for at in range(0, len(whole), 3):
        for text in (whole[:at], whole[:at] + chr(ord(whole[at]) ^ 1) + whole[at + 1 :]):
            if not jwtvc.recognise(carried(text)):
                continue
            try:
                (signed,) = jwtvc.decode(carried(text)).signatures
                with pytest.raises(CredentialError):
                    verify_signature(key.public_key(), signed.algorithm, signed.message, signed.signature)
            except Malformed:
                continue


# the data model

WRONG_IN_BOTH: dict[str, Any] = {
    "no context": ("@context", None),
    "no context at all": ("@context", ...),
    "another context first": ("@context", ["https://www.w3.org/ns/credentials/examples/v2", V2]),
    "a context that is a number": ("@context", [V2, 7]),
    "no type": ("type", ...),
    "an empty type": ("type", []),
    "another type": ("type", ["ExampleDegreeCredential"]),
    "a type that is a number": ("type", ["VerifiableCredential", 4]),
    "an id that is no URL": ("id", "diploma 77"),
    "two ids": ("id", ["https://a.example", "https://b.example"]),
    "no id but null": ("id", None),
    "no issuer": ("issuer", ...),
    "an issuer that is null": ("issuer", None),
    "an issuer that is no URL": ("issuer", "university"),
    "an issuer without id": ("issuer", {"name": "University"}),
    "two issuers": ("issuer", [UNIVERSITY, UNIVERSITY]),
    "no subject": ("credentialSubject", ...),
    "an empty subject": ("credentialSubject", {}),
    "one of two subjects empty": ("credentialSubject", [{"id": "did:example:a"}, {}]),
    "a subject that is text": ("credentialSubject", "did:example:a"),
    "a subject whose id is no URL": ("credentialSubject", {"id": "testa"}),
    "a schema without id": ("credentialSchema", {"type": "JsonSchema"}),
    "a schema without type": ("credentialSchema", {"id": "https://a.example/schema"}),
    "a schema whose id is no URL": ("credentialSchema", {"id": "schema", "type": "JsonSchema"}),
    "a status without type": ("credentialStatus", {"id": "https://a.example/1"}),
    "a status whose id is no URL": ("credentialStatus", {"id": "one", "type": "ExampleStatus"}),
    "terms without type": ("termsOfUse", {"id": "https://a.example/terms"}),
    "evidence without type": ("evidence", [{"id": "https://a.example/evidence"}]),
    "a proof without type": ("proof", {"created": "2026-01-01T00:00:00Z"}),
}


def changed(credential: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(credential)
    if value is ...:
        made.pop(name, None)
    else:
        made[name] = value
    return made


@pytest.mark.parametrize("fault", WRONG_IN_BOTH)
def test_what_both_versions_of_the_data_model_forbid_is_found(fault: str) -> None:
    for credential in (diploma(), older()):
        assert not vcdm.faults_of(credential)
        assert vcdm.faults_of(changed(credential, *WRONG_IN_BOTH[fault])), fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("validFrom", "2025-07-01"),
        ("validFrom", "2025-07-01 10:00:00Z"),
        ("validFrom", "2025-02-30T10:00:00Z"),
        ("validFrom", 1_751_364_000),
        ("validUntil", "2025-06-30T10:00:00Z"),
        ("validUntil", "soon"),
        ("@context", [V2]),
        ("credentialStatus", {"type": "StatusNobodyDefines"}),
        ("termsOfUse", {"type": "TermsNobodyDefines"}),
        ("@context", [V2, {"ExampleDegreeCredential": "degree"}]),
        (
            "@context",
            [
                V2,
                "https://www.w3.org/ns/credentials/examples/v2",
                {"VerifiableCredential": "https://a.example/vc"},
            ],
        ),
        (
            "@context",
            [V2, "https://www.w3.org/ns/credentials/examples/v2", {"type": "https://a.example/type"}],
        ),
        ("name", 7),
        ("name", {"@value": "Diploma", "@language": "en", "url": "https://a.example"}),
        ("description", {"@language": "en"}),
        ("issuer", {"id": UNIVERSITY, "name": {"@value": "U", "lang": "en"}}),
        ("relatedResource", {"digestSRI": "sha384-x"}),
        ("relatedResource", {"id": "https://a.example/r"}),
        ("relatedResource", [{"id": "https://a.example/r", "digestSRI": "sha384-x"}] * 2),
        (
            "credentialStatus",
            {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "-1",
                "statusListCredential": "https://a.example/l",
            },
        ),
        (
            "credentialStatus",
            {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1"},
        ),
    ],
)
def test_what_version_2_forbids_is_found(name: str, value: Any) -> None:
    # Under the context for examples any word has a meaning.
    plain = diploma(**{"@context": [V2, {"ExampleDegreeCredential": "https://a.example/degree"}]})
    assert not vcdm.faults_of(plain)
    assert vcdm.faults_of(changed(plain, name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", ...),
        ("id", "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"),
        ("issuer", UNIVERSITY),
        ("validFrom", ...),
        ("validFrom", "2025-07-01T10:00:00.123456789+05:30"),
        ("validFrom", "2025-07-01T24:00:00Z"),
        ("validFrom", "2025-07-01T10:00:00"),
        ("name", {"@value": "Диплом", "@language": "ru", "@direction": "ltr"}),
        ("name", [{"@value": "Diploma", "@language": "en"}, {"@value": "Diplom", "@language": "de"}]),
        ("credentialSubject", [{"id": "did:example:a"}, {"degree": {"type": "ExampleBachelorDegree"}}]),
        ("credentialSchema", [{"id": "https://a.example/s", "type": "JsonSchema"}] * 2),
        ("evidence", {"type": "ExampleEvidence"}),
        ("credentialStatus", {"type": "StatusOfExample"}),
        ("relatedResource", {"id": "https://a.example/r", "digestMultibase": "zQ"}),
        ("type", ["VerifiableCredential", "https://a.example/types#Degree"]),
        ("@context", [V2, {"ExampleDegreeCredential": "https://a.example/degree"}]),
        ("@context", [V2, {"ExampleDegreeCredential": {"@id": "https://a.example/degree", "@context": {}}}]),
        ("@context", [V2, {"@vocab": "https://a.example/#"}]),
        ("@context", [V2, "https://contexts.altania.example/nobody-here-knows"]),
        ("@context", [V2, {"name": "https://schema.org/name", "ExampleDegreeCredential": "urn:x:degree"}]),
    ],
)
def test_what_version_2_allows_is_no_fault(name: str, value: Any) -> None:
    assert not vcdm.faults_of(changed(diploma(), name, value))


def test_version_1_1_has_rules_of_its_own() -> None:
    assert vcdm.faults_of(changed(older(), "issuanceDate", ...))
    assert vcdm.faults_of(changed(older(), "expirationDate", "2031"))
    assert vcdm.faults_of(changed(older(), "credentialStatus", {"type": "ExampleStatus"}))
    assert not vcdm.faults_of(changed(older(), "issuanceDate", "2025-07-01T10:00:00"))
    assert not vcdm.faults_of(changed(older(), "type", ["VerifiableCredential", "PlainJsonCredential"]))


def test_presentations_and_envelopes_have_their_form() -> None:
    enveloped = {
        "@context": V2,
        "id": "data:application/vc+jwt,eyJ.e30.AA",
        "type": "EnvelopedVerifiableCredential",
    }
    shown = {
        "@context": [V2],
        "type": "VerifiablePresentation",
        "holder": "did:example:testa",
        "verifiableCredential": [enveloped],
    }
    assert not vcdm.faults_of_presentation(shown)
    assert not vcdm.faults_of_presentation({**enveloped, "type": "EnvelopedVerifiablePresentation"})
    for name, value in (
        ("type", []),
        ("type", "Presentation"),
        ("holder", "testa"),
        ("holder", {"name": "Testa"}),
        ("verifiableCredential", ["eyJ.e30.AA"]),
        ("verifiableCredential", [changed(enveloped, "@context", ...)]),
        ("verifiableCredential", [changed(enveloped, "id", "https://a.example/1")]),
        ("verifiableCredential", [changed(diploma(), "type", "ExampleDegreeCredential")]),
        ("@context", []),
    ):
        assert vcdm.faults_of_presentation(changed(shown, name, value)), (name, value)


@pytest.mark.parametrize(
    "odd",
    [None, 7, "x", [], {}, [[]], [None], {"id": []}, {"type": {}}, [{"type": [[]]}], {"@context": {}}, True],
)
def test_no_shape_of_any_part_raises_anything(odd: Any) -> None:
    for credential in (diploma(), older()):
        for name in (
            *credential,
            "credentialStatus",
            "credentialSchema",
            "evidence",
            "termsOfUse",
            "relatedResource",
            "proof",
            "name",
            "vc",
        ):
            made = changed(credential, name, odd)
            vcdm.faults_of(made)
            vcdm.faults_of_presentation(made)
            vcdm.content_of(made)
            vcdm.dates_of(made)
            vcdm.status_of(made)


def test_every_kind_of_status_entry_becomes_a_question() -> None:
    entries = [
        {
            "type": "BitstringStatusListEntry",
            "statusPurpose": "suspension",
            "statusListIndex": "94567",
            "statusListCredential": "https://a.example/l/3",
            "statusSize": 2,
        },
        {
            "type": "StatusList2021Entry",
            "statusListIndex": 4,
            "statusListCredential": "https://a.example/l/4",
        },
        {
            "type": "RevocationList2020Status",
            "revocationListIndex": "5",
            "revocationListCredential": "https://a.example/l/5",
        },
        {"type": "LedgerStatus", "id": "https://a.example/6"},
        {"type": "NamelessStatus"},
    ]
    found = vcdm.status_of({"credentialStatus": entries})
    assert [(one.mechanism, one.uri, one.index, one.purpose, one.size) for one in found] == [
        ("bitstring-status-list", "https://a.example/l/3", 94567, "suspension", 2),
        ("bitstring-status-list", "https://a.example/l/4", 4, "revocation", 1),
        ("bitstring-status-list", "https://a.example/l/5", 5, "revocation", 1),
        ("LedgerStatus", "https://a.example/6", 0, "revocation", 1),
        ("NamelessStatus", "urn:unnamed", 0, "revocation", 1),
    ]


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["VerifiableCredential", "OpenBadgeCredential"], "qualification"),
        (["VerifiableCredential", "AchievementCredential"], "qualification"),
        (["VerifiableCredential", "EuropeanDigitalCredential"], "qualification"),
        (["VerifiableCredential", "VerifiableAttestation", "VerifiableDiploma"], "qualification"),
        (["UniversityDegreeCredential"], "qualification"),
        (["https://credentials.altania.example/education_credential/v4"], "qualification"),
        (["urn:eudi:pid:1"], "identity"),
        (["urn:eudi:pid:de:1"], "identity"),
        (["urn:eu.europa.ec.eudi:pid:1"], "identity"),
        (["https://credentials.example.com/identity_credential"], "identity"),
        (["VerifiableCredential", "VerifiableId"], "identity"),
        (["IDCredential"], "identity"),
        (["org.iso.18013.5.1.mDL"], "licence"),
        (["Iso18013DriversLicenseCredential"], "licence"),
        (["urn:eu.europa.ec.eudi:mdl:1"], "licence"),
        (["VerifiableCredential", "CertificateOfOrigin"], "origin"),
        (["VerifiableCredential", "DigitalTraceabilityEvent"], "credential"),
        (["VerifiableCredential", "DigitalIdentityAnchor"], "credential"),
        (["VerifiableCredential", "VaccinationCertificate"], "vaccination"),
        (["VerifiableCredential", "ProofOfVaccinationCredential"], "vaccination"),
        (["VerifiableCredential", "TestResultCredential"], "test"),
        (["https://diploma.altania.example/tickets/bus"], "credential"),
        (["VerifiableCredential"], "credential"),
        ([], "credential"),
    ],
)
def test_the_type_says_the_kind(types: list[str], kind: str) -> None:
    assert vcdm.kind_of(types) == kind


# through the front door


def listed(key: Any, issuer: str, *ids: str) -> Trust:
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signer = Signer(issuer=Issuer(id=issuer), spki=spki, ids=ids, source=Source(name="test", issued=AT))
    return Trust(issuers=TrustList([signer], known=[issuer]), taken_back=StatusLists())


def outcome(text: str, trust: Trust) -> tuple[Outcome, str]:
    (verdict,) = examine(text, trust=trust, at=AT)
    return verdict.outcome, verdict.authentic.code


def test_a_verifier_believes_the_listed_key_of_the_issuer_and_nobody_else(key: Any) -> None:
    trust = listed(key, UNIVERSITY, f"{UNIVERSITY}#key-1")
    thief = ec.generate_private_key(ec.SECP256R1())
    good = token(key, diploma(), kid="#key-1")
    assert outcome(good, trust) == (Outcome.YES, "signature-verified")
    assert outcome(token(thief, diploma(), kid="#key-1"), trust) == (Outcome.NO, "signature-wrong")
    assert outcome(token(thief, diploma(), kid="#key-2"), trust) == (Outcome.NO, "key-not-of-issuer")
    assert outcome(token(thief, diploma(issuer="did:web:b.example"), kid="#1"), trust)[0] is Outcome.OPEN
    head, _, signature = good.split(".")
    forged = base64url(json.dumps(diploma(id="urn:uuid:other")).encode())
    assert outcome(f"{head}.{forged}.{signature}", trust) == (Outcome.NO, "signature-wrong")
    assert outcome(token(key, changed(diploma(), "type", "Degree"), kid="#key-1"), trust)[0] is Outcome.NO
    (verdict,) = examine(good, trust=trust, at=datetime(2046, 1, 1, tzinfo=UTC))
    assert verdict.in_time.code == "expired"


def test_a_verifier_finds_the_credentials_of_presentations_and_envelopes(key: Any) -> None:
    trust = listed(key, UNIVERSITY, f"{UNIVERSITY}#key-1")
    good = token(key, diploma(), kid="#key-1")
    envelope = {
        "@context": V2,
        "id": f"data:application/vc+jwt,{good}",
        "type": "EnvelopedVerifiableCredential",
    }
    shown = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [envelope]}
    holder = ec.generate_private_key(ec.SECP256R1())
    for text in (
        json.dumps(envelope),
        json.dumps(shown),
        token(holder, shown, typ="vp+jwt"),
        token(
            holder, {"iss": "did:example:testa", "vp": {**shown, "verifiableCredential": [good]}}, typ="JWT"
        ),
    ):
        assert outcome(text, trust) == (Outcome.YES, "signature-verified")


def test_a_did_key_is_authentic_and_entitled_to_nothing(key: Any) -> None:
    did = "did:key:" + multikey(0x1200, _point(key.public_key()))
    trust = listed(key, UNIVERSITY, f"{UNIVERSITY}#key-1")
    (verdict,) = examine(token(key, diploma(issuer=did), kid=f"{did}#{did[8:]}"), trust=trust, at=AT)
    assert verdict.authentic.code == "signature-verified"
    assert verdict.entitled.outcome is Outcome.OPEN
    thief = ec.generate_private_key(ec.SECP256R1())
    assert outcome(token(thief, diploma(issuer=did), kid=did), trust) == (Outcome.NO, "signature-wrong")


# keys that are a name


def multikey(code: int, raw: bytes) -> str:
    prefix = b""
    while code > 0x7F:
        prefix += bytes((code & 0x7F | 0x80,))
        code >>= 7
    return "z" + to_base58(prefix + bytes((code,)) + raw)


def _point(key: Any) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


KEYS: dict[str, Any] = {
    "P-256": (lambda: ec.generate_private_key(ec.SECP256R1()), 0x1200, _point),
    "P-384": (lambda: ec.generate_private_key(ec.SECP384R1()), 0x1201, _point),
    "P-521": (lambda: ec.generate_private_key(ec.SECP521R1()), 0x1202, _point),
    "secp256k1": (lambda: ec.generate_private_key(ec.SECP256K1()), 0xE7, _point),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, 0xED, lambda key: key.public_bytes_raw()),
    "RSA": (
        lambda: rsa.generate_private_key(65537, 2048),
        0x1205,
        lambda key: key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1),
    ),
    "JWK": (
        lambda: ec.generate_private_key(ec.SECP256R1()),
        0xEB51,
        lambda key: json.dumps(to_jwk(key), separators=(",", ":")).encode(),
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_did_key_is_its_key(name: str) -> None:
    make, codec, raw = KEYS[name]
    public = make().public_key()
    text = multikey(codec, raw(public))
    assert key_of_did(f"did:key:{text}") == to_jwk(public)
    assert key_of_did(f"did:key:{text}#{text}") == to_jwk(public)
    assert key_of_did(f"did:key:{text}#another") is None


def test_a_did_jwk_is_its_key(key: Any) -> None:
    name = base64url(json.dumps({**to_jwk(key.public_key()), "use": "sig"}).encode())
    assert key_of_did(f"did:jwk:{name}") == to_jwk(key.public_key())
    assert key_of_did(f"did:jwk:{name}#0") == to_jwk(key.public_key())
    assert key_of_did(f"did:jwk:{name}#1") is None


def test_what_is_no_key_is_none() -> None:
    for text in (
        "",
        "did:key:",
        "did:key:z",
        "did:key:z0OIl",
        "did:key:u!",
        "did:key:z6Mk",
        "did:key:" + multikey(0xED, b"\0" * 31),
        "did:key:" + multikey(0x1200, b"\x04" + b"\1" * 64),
        "did:key:" + multikey(0xEC, b"\1" * 32),
        "did:key:z" + "2" * 9_000,
        "did:jwk:e30",
        "did:jwk:!",
        "did:jwk:" + base64url(b"[" * 5_000),
        "did:web:university.altania.example",
        "https://university.altania.example",
    ):
        assert key_of_did(text) is None, text
    with pytest.raises(KeyRefused):
        from_multikey("mAQID")


def test_a_credential_of_a_did_key_brings_its_key_with_it_and_no_trust(key: Any) -> None:
    did = "did:key:" + multikey(0x1200, _point(key.public_key()))
    hint = decoded(token(key, diploma(issuer=did), kid=f"{did}#{did[8:]}")).signatures[0].hint
    assert hint.jwk == to_jwk(key.public_key())
    assert not TrustList().find(hint).signers
    thief = ec.generate_private_key(ec.SECP256R1())
    other = "did:key:" + multikey(0x1200, _point(thief.public_key()))
    assert (
        decoded(token(thief, diploma(issuer=did), kid=f"{other}#{other[8:]}")).signatures[0].hint.jwk
        == hint.jwk
    )


def test_a_did_document_gives_the_keys_that_may_assert_and_no_others(key: Any) -> None:
    others = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    edwards = ed25519.Ed25519PrivateKey.generate()
    document = {
        "id": UNIVERSITY,
        "verificationMethod": [
            {
                "id": "#key-1",
                "type": "JsonWebKey",
                "controller": UNIVERSITY,
                "publicKeyJwk": {**to_jwk(key.public_key()), "kid": "a1"},
            },
            {
                "id": f"{UNIVERSITY}#login",
                "type": "JsonWebKey",
                "controller": UNIVERSITY,
                "publicKeyJwk": to_jwk(others[0].public_key()),
            },
            {
                "id": f"{UNIVERSITY}#theirs",
                "type": "JsonWebKey",
                "controller": "did:web:b.example",
                "publicKeyJwk": to_jwk(others[1].public_key()),
            },
            {
                "id": f"{UNIVERSITY}#pairing",
                "type": "Bls12381G2Key2020",
                "controller": UNIVERSITY,
                "publicKeyBase58": "25eeT",
            },
            {
                "id": f"{UNIVERSITY}#old",
                "type": "Ed25519VerificationKey2018",
                "controller": UNIVERSITY,
                "publicKeyBase58": to_base58(edwards.public_key().public_bytes_raw()),
            },
        ],
        "authentication": [f"{UNIVERSITY}#login"],
        "assertionMethod": [
            f"{UNIVERSITY}#key-1",
            f"{UNIVERSITY}#theirs",
            "#pairing",
            "#old",
            {
                "id": "#inside",
                "type": "Multikey",
                "controller": UNIVERSITY,
                "publicKeyMultibase": multikey(0x1200, _point(others[2].public_key())),
                "revoked": "2026-01-01T00:00:00Z",
            },
        ],
    }
    signers = signers_of_document(document, Source(name="did.json"))
    assert [one.ids[0].rpartition("#")[2] for one in signers] == ["key-1", "old", "inside"]
    assert signers[0].ids == (f"{UNIVERSITY}#key-1", thumbprint(key.public_key()), "a1")
    assert signers[2].withdrawn == datetime(2026, 1, 1, tzinfo=UTC)
    assert signers_of_document({"didDocument": document}, Source(name="did.json")) == signers
    trust = TrustList(signers, known=[UNIVERSITY])
    hint = decoded(token(key, diploma(), kid="#key-1")).signatures[0].hint
    assert trust.find(hint).signers == signers[:1]
    assert (
        trust.find(decoded(token(others[0], diploma(), kid="#login")).signatures[0].hint).code
        == "key-not-of-issuer"
    )


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"id": 7},
        {"id": "x"},
        {"id": UNIVERSITY, "assertionMethod": [7]},
        {"id": UNIVERSITY, "verificationMethod": ["#a"]},
    ],
)
def test_what_is_no_did_document_is_refused(document: Any) -> None:
    with pytest.raises(KeyRefused):
        signers_of_document(document, Source(name="did.json"))
