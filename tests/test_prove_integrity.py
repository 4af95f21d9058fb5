"""Credentials with the proof inside them, from the file to the verdict."""

import copy
import gzip
import hashlib
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image, PngImagePlugin

from landbridge.cli import main
from landbridge.prove import jsonld, proofs
from landbridge.prove.facts import Outcome
from landbridge.prove.keys import PrivateKey, base64url, sign, to_jwk
from landbridge.prove.status import StatusLists
from landbridge.prove.status.read import read_lists
from landbridge.prove.trust.list import TrustList
from landbridge.prove.trust.read import read_trust
from landbridge.prove.verdict import Verdict
from landbridge.prove.verify import Trust, examine

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
V1, V2 = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"
INTEGRITY = "https://w3id.org/security/data-integrity/v2"
BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
GUILD, OTHER = "did:web:guild.example", "did:web:stranger.example"
OWN_WORDS = "https://guild.example/terms/v1"

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
P384 = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP384R1())
STRANGER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS: dict[str, PrivateKey] = {
    "EdDSA": ED25519,
    "ES256": P256,
    "ES384": P384,
    "RS256": rsa.generate_private_key(65537, 2048),
}
SUITES = [
    ("eddsa-rdfc-2022", "EdDSA"),
    ("eddsa-jcs-2022", "EdDSA"),
    ("ecdsa-rdfc-2019", "ES256"),
    ("ecdsa-rdfc-2019", "ES384"),
    ("ecdsa-jcs-2019", "ES256"),
    ("ecdsa-jcs-2019", "ES384"),
    ("eddsa-2022", "EdDSA"),
    ("Ed25519Signature2020", "EdDSA"),
    ("Ed25519Signature2018", "EdDSA"),
    ("RsaSignature2018", "RS256"),
    ("JsonWebSignature2020", "ES256"),
    ("JsonWebSignature2020", "EdDSA"),
]
LINKED, TEXTUAL = SUITES[0], SUITES[1]


def badge(**more: Any) -> dict[str, Any]:
    """A welder's badge, of a person who is not."""
    return {
        "@context": [V2, BADGES],
        "id": "urn:uuid:5d0f0b3e-0000-4000-8000-000000000002",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Pipe welding",
        "issuer": {"id": GUILD, "type": ["Profile"], "name": "Guild of Nowhere"},
        "validFrom": "2025-03-01T00:00:00Z",
        "validUntil": "2030-03-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:testa",
            "type": ["AchievementSubject"],
            "creditsEarned": 4.5,
            "achievement": {
                "id": "https://guild.example/achievements/weld",
                "type": ["Achievement"],
                "name": "Pipe welding",
                "description": "Welds pipes",
                "criteria": {"narrative": "Three seams."},
            },
        },
        **more,
    }


def older(**more: Any) -> dict[str, Any]:
    return {
        "@context": [V1, "https://www.w3.org/2018/credentials/examples/v1"],
        "id": "https://guild.example/diplomas/3",
        "type": ["VerifiableCredential", "UniversityDegreeCredential"],
        "issuer": GUILD,
        "issuanceDate": "2025-03-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:testa",
            "degree": {"type": "BachelorDegree", "name": "Bachelor of Tests"},
        },
        **more,
    }


def proven(
    document: dict[str, Any],
    suite: tuple[str, str] = LINKED,
    *,
    key: PrivateKey | None = None,
    contexts: dict[str, bytes] | None = None,
    **more: Any,
) -> dict[str, Any]:
    name, algorithm = suite
    kind = {"type": name} if name[:1].isupper() else {"type": "DataIntegrityProof", "cryptosuite": name}
    options = {
        **kind,
        "created": "2025-03-01T08:00:00Z",
        "verificationMethod": f"{GUILD}#{algorithm}",
        "proofPurpose": "assertionMethod",
        **more,
    }
    key = key or KEYS[algorithm]
    return proofs.create(
        document, options, lambda data: sign(key, algorithm, data), algorithm=algorithm, contexts=contexts
    )


def did_document(did: str, keys: dict[str, PrivateKey]) -> dict[str, Any]:
    methods = [
        {
            "id": f"{did}#{name}",
            "type": "JsonWebKey",
            "controller": did,
            "publicKeyJwk": to_jwk(key.public_key()),
        }
        for name, key in keys.items()
    ]
    return {"id": did, "verificationMethod": methods, "assertionMethod": [one["id"] for one in methods]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an operator holds: the DID documents of the guild and of a stranger."""
    made = tmp_path_factory.mktemp("trust")
    (made / "guild.json").write_text(json.dumps(did_document(GUILD, KEYS)))
    (made / "stranger.json").write_text(json.dumps(did_document(OTHER, {"key": STRANGER})))
    return made


@pytest.fixture(scope="module")
def trust(folder: Path) -> Trust:
    return Trust(issuers=read_trust([folder]), taken_back=StatusLists())


def asked(document: Any, trust: Trust, at: datetime = AT) -> Verdict:
    text = document if isinstance(document, str | bytes) else json.dumps(document, ensure_ascii=False)
    (verdict,) = examine(text, trust=trust, at=at)
    return verdict


def said(verdict: Verdict) -> tuple[str, str]:
    """The outcome, and the first code that is to blame for it."""
    outcome = verdict.outcome
    return str(outcome), next(part.code for part in verdict.parts.values() if part.outcome is outcome)


NO_TRUST = Trust(issuers=TrustList(), taken_back=StatusLists())


# what is believed


@pytest.mark.parametrize("suite", SUITES, ids=str)
def test_a_badge_of_a_listed_issuer_is_believed_under_every_suite(
    suite: tuple[str, str], trust: Trust
) -> None:
    verdict = asked(proven(badge(), suite), trust)
    assert verdict.outcome is Outcome.YES
    assert verdict.format == "data-integrity"
    assert verdict.facts is not None
    assert verdict.facts.issuer.id == GUILD
    assert verdict.facts.content.kind == "qualification"
    assert verdict.facts.content.values["title"] == "Pipe welding"


@pytest.mark.parametrize("suite", SUITES[7:], ids=str)
def test_a_credential_of_the_older_data_model_is_believed(suite: tuple[str, str], trust: Trust) -> None:
    verdict = asked(proven(older(), suite), trust)
    assert verdict.outcome is Outcome.YES
    assert verdict.envelope is not None
    assert verdict.envelope.issued == datetime(2025, 3, 1, 8, tzinfo=UTC)


def test_a_proof_whose_options_were_read_under_the_documents_contexts_holds_too(trust: Trust) -> None:
    made = proven(older(), ("RsaSignature2018", "RS256"))
    first, second = proofs.forms(made, made["proof"])
    assert first.message != second.message
    head = made["proof"]["jws"].split(".")[0]
    made["proof"]["jws"] = f"{head}..{base64url(sign(KEYS['RS256'], 'RS256', second.message))}"
    assert asked(made, trust).outcome is Outcome.YES
    made["credentialSubject"]["degree"]["name"] = "Master of Tests"
    assert said(asked(made, trust)) == ("no", "signature-wrong")


def test_a_badge_baked_into_a_picture_is_believed(trust: Trust) -> None:
    text = json.dumps(proven(badge()))
    info = PngImagePlugin.PngInfo()
    info.add_itxt("openbadgecredential", text)
    png = io.BytesIO()
    Image.new("RGB", (90, 90), "teal").save(png, "PNG", pnginfo=info)
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
    svg = f'<svg {space}><openbadges:credential>{escape(text, quote=False)}</openbadges:credential><circle r="9"/></svg>'
    forged = svg.replace("Pipe welding", "Ship welding")
    assert asked(png.getvalue(), trust).outcome is Outcome.YES
    assert asked(svg.encode(), trust).outcome is Outcome.YES
    assert said(asked(forged.encode(), trust)) == ("no", "signature-wrong")


def test_a_presentation_is_taken_apart_and_its_credentials_are_examined(trust: Trust) -> None:
    good, bad = proven(badge()), proven(badge(), TEXTUAL)
    bad["name"] = "Ship welding"
    presentation = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [good, bad],
        "proof": {"type": "DataIntegrityProof", "proofPurpose": "authentication"},
    }
    verdicts = examine(json.dumps(presentation), trust=trust, at=AT)
    assert [str(one.outcome) for one in verdicts] == ["yes", "no"]
    presentation["verifiableCredential"] = []
    assert asked(presentation, trust).outcome is not Outcome.YES


def test_an_issuer_that_is_its_own_key_is_authentic_and_entitled_to_nothing() -> None:
    raw = STRANGER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    did = f"did:key:z{proofs.to_base58(bytes([0xED, 0x01]) + raw)}"
    method = f"{did}#{did[8:]}"
    made = proven(badge(issuer=did), key=STRANGER, verificationMethod=method)
    verdict = asked(made, NO_TRUST)
    assert (verdict.authentic.outcome, verdict.outcome) == (Outcome.YES, Outcome.OPEN)
    assert said(asked(proven(badge(issuer=did), verificationMethod=method), NO_TRUST)) == (
        "no",
        "signature-wrong",
    )
    assert said(asked(proven(badge(issuer=did)), NO_TRUST)) == ("no", "signature-wrong")
    name = base64url(json.dumps(to_jwk(P256.public_key())).encode())
    jwk = f"did:jwk:{name}"
    made = proven(badge(issuer={"id": jwk}), SUITES[2], verificationMethod=f"{jwk}#0")
    assert asked(made, NO_TRUST).authentic.outcome is Outcome.YES
    made["name"] = "Ship welding"
    assert said(asked(made, NO_TRUST)) == ("no", "signature-wrong")


def test_a_bare_key_that_was_handed_over_does_not_speak_for_an_issuer_that_is_another_key(
    tmp_path: Path,
) -> None:
    raw = ED25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    did = f"did:key:z{proofs.to_base58(bytes([0xED, 0x01]) + raw)}"
    (tmp_path / "key.json").write_text(json.dumps({**to_jwk(STRANGER.public_key()), "kid": "k1"}))
    bare = Trust(issuers=read_trust([tmp_path]), taken_back=StatusLists())
    method = "did:web:nobody.example#k1"
    made = proven(badge(issuer=did), key=STRANGER, verificationMethod=method)
    assert said(asked(made, bare)) == ("no", "key-not-of-issuer")
    made = proven(badge(issuer="did:web:nobody.example"), key=STRANGER, verificationMethod=method)
    assert asked(made, bare).outcome is Outcome.YES


def test_an_issuer_nobody_lists_leaves_it_open() -> None:
    assert said(asked(proven(badge()), NO_TRUST)) == ("open", "no-key")


# what is refused


def _renamed(document: dict[str, Any]) -> None:
    document["description"] = document.pop("name")


FORGERIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a value changed": lambda d: d["credentialSubject"]["achievement"].update(name="Ship welding"),
    "a number changed": lambda d: d["credentialSubject"].update(creditsEarned=45),
    "another person": lambda d: d["credentialSubject"].update(id="did:example:testo"),
    "a longer life": lambda d: d.update(validUntil="2031-03-01T00:00:00Z"),
    "an end taken out": lambda d: d.pop("validUntil"),
    "a known word added": lambda d: d.update(description="with honours"),
    "an unknown word added": lambda d: d.update(honours="summa cum laude"),
    "a word renamed": _renamed,
    "a type added": lambda d: d["type"].append("EndorsementCredential"),
    "a status put in": lambda d: d.update(
        credentialStatus={"id": "https://x.example/1", "type": "BitstringStatusListEntry"}
    ),
    "contexts swapped for another": lambda d: d.update({"@context": [V2]}),
    "a context that gives a word another meaning": lambda d: d["@context"].append(
        {"name": "https://schema.org/alternateName"}
    ),
    "a context that takes a word away": lambda d: d["@context"].append({"creditsEarned": None}),
    "a vocabulary for every word": lambda d: (
        d["@context"].append({"@vocab": "https://x.example/#"}),
        d.update(honours="summa cum laude"),
    ),
    "made earlier": lambda d: d["proof"].update(created="2024-03-01T08:00:00Z"),
    "an option added": lambda d: d["proof"].update(domain="border.example"),
    "an end added": lambda d: d["proof"].update(expires="2040-01-01T00:00:00Z"),
    "another purpose": lambda d: d["proof"].update(proofPurpose="authentication"),
    "another of the issuer's keys": lambda d: d["proof"].update(verificationMethod=f"{GUILD}#ES256"),
    "a key that does not exist": lambda d: d["proof"].update(verificationMethod=f"{GUILD}#none"),
    "another's key": lambda d: d["proof"].update(verificationMethod=f"{OTHER}#key"),
    "another issuer": lambda d: d["issuer"].update(id=OTHER),
    "no key": lambda d: d["proof"].pop("verificationMethod"),
    "no purpose": lambda d: d["proof"].pop("proofPurpose"),
    "no signature": lambda d: [d["proof"].pop(name, "") for name in ("proofValue", "jws")],
    "no proof": lambda d: d.pop("proof"),
    "an empty proof": lambda d: d.update(proof=[]),
    "proofs that are text": lambda d: d.update(proof=["z"]),
    "no contexts": lambda d: d.pop("@context"),
    "the suite of canonical JSON": lambda d: d["proof"].update(
        type="DataIntegrityProof", cryptosuite="ecdsa-jcs-2019"
    ),
    "the suite of RSA": lambda d: d["proof"].update(type="RsaSignature2018"),
    "a second proof that is wrong": lambda d: d.update(
        proof=[d["proof"], {**d["proof"], "created": "2025-03-02T08:00:00Z"}]
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("suite", [LINKED, TEXTUAL, SUITES[7], SUITES[8]], ids=str)
def test_a_credential_that_was_changed_is_refused(suite: tuple[str, str], forgery: str, trust: Trust) -> None:
    made = copy.deepcopy(proven(badge(), suite))
    FORGERIES[forgery](made)
    assert asked(made, trust).outcome is Outcome.NO


def test_a_proof_of_another_document_is_refused(trust: Trust) -> None:
    made = {**badge(), "proof": proven(badge(name="Ship welding"))["proof"]}
    assert said(asked(made, trust)) == ("no", "signature-wrong")


def test_a_listed_issuer_may_not_sign_in_anothers_name(trust: Trust) -> None:
    made = proven(badge(), key=STRANGER, verificationMethod=f"{OTHER}#key")
    assert said(asked(made, trust)) == ("no", "key-not-of-issuer")
    under_ours = proven(badge(), key=STRANGER)
    assert said(asked(under_ours, trust)) == ("no", "signature-wrong")


def test_a_name_written_twice_and_a_text_cut_short_are_refused(trust: Trust) -> None:
    text = json.dumps(proven(badge()))
    twice = text.replace('"name": "Pipe welding"', '"name": "Ship welding", "name": "Pipe welding"', 1)
    assert twice != text
    assert said(asked(twice, trust)) == ("no", "damaged")
    assert said(asked(text[:-30], trust)) == ("no", "damaged")


@pytest.mark.parametrize("purpose", ["authentication", "keyAgreement", "capabilityInvocation"])
def test_a_proof_that_is_no_assertion_is_refused(purpose: str, trust: Trust) -> None:
    assert said(asked(proven(badge(), proofPurpose=purpose), trust)) == ("no", "form")


def test_a_proof_that_has_ended_is_no_longer_in_time(trust: Trust) -> None:
    made = proven(badge(), expires="2026-01-01T00:00:00Z")
    assert said(asked(made, trust)) == ("no", "expired")
    assert asked(made, trust, datetime(2025, 12, 1, tzinfo=UTC)).outcome is Outcome.YES
    assert said(asked(proven(badge(), created="2027-01-01T00:00:00Z"), trust)) == ("no", "issued-in-future")
    assert said(asked(proven(badge(), expires="2025-01-01T00:00:00Z"), trust)) == ("no", "form")


def test_what_the_data_model_forbids_is_refused_though_it_is_signed(trust: Trust) -> None:
    assert said(asked(proven(badge(validUntil="2025-01-01T00:00:00Z")), trust))[0] == "no"
    for wrong in ({"credentialSubject": {}}, {"issuer": "guild"}, {"type": ["OpenBadgeCredential"]}):
        made = proven(badge(**wrong), TEXTUAL)
        assert said(asked(made, trust)) == ("no", "form")


def test_five_hundred_mutants_and_more_are_never_believed(trust: Trust) -> None:
    draw = random.Random(20260302)
    originals = [
        json.dumps(proven(badge(), suite), separators=(",", ":")).encode()
        for suite in (LINKED, TEXTUAL, SUITES[7])
    ]
    believed = []
    for number in range(600):
        text = bytearray(originals[number % 3])
        place = draw.randrange(len(text))
        how = draw.randrange(5)
        if how == 0:
            text[place] ^= 1 << draw.randrange(8)
        elif how == 1:
            del text[place : place + draw.randrange(1, 40)]
        elif how == 2:
            text[place:place] = draw.choice([b'"', b",", b"null", b"{", b'"id":"x:y",', b"\x00", b"9", b"[]"])
        elif how == 3:
            other = draw.randrange(len(text))
            text[place : place + 12], text[other : other + 12] = (
                text[other : other + 12],
                text[place : place + 12],
            )
        else:
            del text[place:]
        before = json.loads(originals[number % 3])
        for verdict in examine(bytes(text), trust=trust, at=AT):
            if verdict.facts is not None and verdict.facts.claims != before:
                believed.append(bytes(text))
    assert believed == []


# what stays open


def test_a_context_that_is_not_at_hand_leaves_it_open_and_one_that_was_pinned_settles_it(
    folder: Path, trust: Trust, tmp_path: Path
) -> None:
    words = {"@context": {"seam": "https://guild.example/terms#seam"}}
    pinned = {OWN_WORDS: json.dumps(words).encode()}
    document = badge(**{"@context": [V2, BADGES, OWN_WORDS]})
    document["credentialSubject"]["seam"] = "butt"
    made = proven(document, contexts=pinned)
    verdict = asked(made, trust)
    assert said(verdict) == ("open", "context-unknown")
    assert verdict.authentic.rests_on == OWN_WORDS
    assert "--trust" in verdict.hint
    assert verdict.to_json()["claims"]["name"] == "Pipe welding"

    file = tmp_path / "guild-terms.json"
    file.write_text(json.dumps({"documentUrl": OWN_WORDS, "document": words}))
    with_words = Trust(issuers=read_trust([folder, file]), taken_back=StatusLists())
    assert asked(made, with_words).outcome is Outcome.YES
    assert said(asked(made, trust)) == ("open", "context-unknown")

    made["credentialSubject"]["seam"] = "fillet"
    assert said(asked(made, with_words)) == ("no", "signature-wrong")
    textual = proven(document, TEXTUAL)
    assert asked(textual, trust).outcome is Outcome.YES


def test_a_pinned_context_never_stands_in_for_a_bundled_one_nor_for_another_copy(tmp_path: Path) -> None:
    made = proven(badge())
    (tmp_path / "guild.json").write_text(json.dumps(did_document(GUILD, KEYS)))
    (tmp_path / "evil.json").write_text(
        json.dumps({"documentUrl": BADGES, "document": {"@context": {"@vocab": "https://x.example/#"}}})
    )
    for number in (1, 2):
        (tmp_path / f"words-{number}.json").write_text(
            json.dumps({"documentUrl": OWN_WORDS, "document": {"@context": {"seam": f"urn:seam:{number}"}}})
        )
    (tmp_path / "bare.jsonld").write_text(json.dumps({"@context": {"seam": "urn:seam:3"}}))
    issuers = read_trust([tmp_path])
    assert asked(made, Trust(issuers=issuers, taken_back=StatusLists())).outcome is Outcome.YES
    assert "does not say its address" in dict(issuers.passed_over)["bare.jsonld"]
    assert OWN_WORDS not in issuers.contexts
    assert (OWN_WORDS, "two copies of this context differ") in issuers.passed_over


def test_a_suite_that_is_not_read_here_leaves_it_open_unless_another_proof_is_wrong(trust: Trust) -> None:
    made = proven(badge())
    strange = {**made["proof"], "cryptosuite": "bbs-2023"}
    assert said(asked({**made, "proof": strange}, trust)) == ("open", "suite-unknown")
    assert said(asked({**made, "proof": [made["proof"], strange]}, trust)) == ("open", "suite-unknown")
    forged = {**made, "name": "Ship welding", "proof": [strange, made["proof"]]}
    assert said(asked(forged, trust)) == ("no", "signature-wrong")


def test_values_that_can_be_exchanged_under_one_signature_leave_it_open(trust: Trust) -> None:
    made = _of_divoc(trust)
    verdict = asked(made, trust)
    assert said(verdict) == ("open", "terms-exchangeable")
    assert verdict.facts is None
    evidence = made["evidence"][0]
    assert evidence.keys() & set(str(verdict.authentic.rests_on).split(", "))
    evidence["batch"], evidence["vaccine"] = evidence["vaccine"], evidence["batch"]
    assert said(asked(made, trust)) == ("open", "terms-exchangeable")
    made["credentialSubject"]["name"] = "Testo Mustermensch"
    assert said(asked(made, trust)) == ("no", "signature-wrong")


def _of_divoc(trust: Trust) -> dict[str, Any]:
    """A certificate made as DIVOC makes them, of our own invention."""
    document = {
        "@context": [V1, "https://cowin.gov.in/credentials/vaccination/v1"],
        "type": ["VerifiableCredential", "ProofOfVaccinationCredential"],
        "issuer": GUILD,
        "issuanceDate": "2025-03-01T00:00:00Z",
        "credentialSubject": {
            "type": "Person",
            "id": "did:example:testa",
            "name": "Testa Mustermensch",
            "gender": "Female",
        },
        "evidence": [
            {
                "id": "https://guild.example/vaccinations/1",
                "type": ["Vaccination"],
                "batch": "BATCH-1",
                "vaccine": "TESTVAX",
                "date": "2025-02-01T00:00:00Z",
                "effectiveStart": "2025-02-02",
                "effectiveUntil": "2027-02-02",
            }
        ],
    }
    options = {
        "type": "RsaSignature2018",
        "created": "2025-03-01T08:00:00Z",
        "verificationMethod": f"{GUILD}#RS256",
        "proofPurpose": "assertionMethod",
    }
    head = base64url(b'{"alg":"RS256","b64":false,"crit":["b64"]}')
    draft = {**document, "proof": {**options, "jws": f"{head}..{base64url(bytes(256))}"}}
    form = proofs.forms(draft, draft["proof"], unsafe_exchangeable=True)[0]
    draft["proof"]["jws"] = f"{head}..{base64url(sign(KEYS['RS256'], 'RS256', form.message))}"
    return draft


def test_contexts_added_after_signing_are_known_ones_or_the_answer_is_not_yes(trust: Trust) -> None:
    for added, outcome in (
        (INTEGRITY, Outcome.YES),
        (OWN_WORDS, Outcome.OPEN),
        ({"creditsEarned": None}, Outcome.NO),
    ):
        for suite in (LINKED, TEXTUAL):
            made = copy.deepcopy(proven(badge(), suite))
            made["@context"].append(added)
            assert asked(made, trust).outcome is outcome, (added, suite)
    for written, outcome in (
        ([V2, BADGES], Outcome.YES),
        (INTEGRITY, Outcome.YES),
        (OWN_WORDS, Outcome.OPEN),
        ({"honours": "urn:summa-cum-laude"}, Outcome.NO),
        (7, Outcome.NO),
    ):
        for suite in (LINKED, SUITES[7]):
            made = copy.deepcopy(proven(badge(), suite))
            made["proof"]["@context"] = written
            assert asked(made, trust).outcome is outcome, (written, suite)
    bare = proven(badge(), TEXTUAL)
    bare["@context"] = [V2]
    assert asked(bare, trust).outcome is Outcome.NO


# several proofs


def test_every_proof_must_hold_and_a_chain_holds_together(trust: Trust) -> None:
    two = proven(proven(badge()), ("ecdsa-jcs-2019", "ES256"))
    assert len(two["proof"]) == 2
    assert asked(two, trust).outcome is Outcome.YES
    chain = proven(
        proven(badge(), id="urn:uuid:5d0f0b3e-0000-4000-8000-000000000009"),
        ("ecdsa-rdfc-2019", "ES256"),
        previousProof="urn:uuid:5d0f0b3e-0000-4000-8000-000000000009",
    )
    assert asked(chain, trust).outcome is Outcome.YES
    chain["proof"].pop(0)
    assert asked(chain, trust).outcome is Outcome.NO
    two["proof"][0]["created"] = "2025-03-01T08:00:01Z"
    assert said(asked(two, trust)) == ("no", "signature-wrong")
    assert asked({**badge(), "proof": [proven(badge())["proof"]] * 30}, trust).outcome is Outcome.NO


@pytest.mark.parametrize("order", [1, -1])
def test_a_witness_signs_beside_the_issuer_and_never_instead_of_it(order: int, trust: Trust) -> None:
    def witness(document: dict[str, Any]) -> dict[str, Any]:
        return proven(document, key=STRANGER, verificationMethod=f"{OTHER}#key")

    both = witness(proven(badge()))
    both["proof"] = both["proof"][::order]
    verdict = asked(both, trust)
    assert verdict.outcome is Outcome.YES
    assert verdict.facts is not None
    assert verdict.facts.issuer.id == GUILD
    guild = TrustList(one for one in trust.issuers.signers if one.issuer.id == GUILD)
    alone = Trust(issuers=guild, taken_back=StatusLists())
    assert asked(both, alone).outcome is Outcome.OPEN
    both["proof"][0 if order == -1 else 1]["created"] = "2025-03-09T00:00:00Z"
    assert asked(both, trust).outcome is Outcome.NO


# disclosed in part


def _derived(document: dict[str, Any], hidden: int) -> dict[str, Any]:
    """A derived proof of ecdsa-sd-2023, as a wallet hands it on; `hidden` of its statements were the holder's to show."""
    once = ec.generate_private_key(ec.SECP256R1())
    point = b"\x80\x24" + once.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-sd-2023",
        "created": "2025-03-01T08:00:00Z",
        "verificationMethod": f"{GUILD}#ES256",
        "proofPurpose": "assertionMethod",
    }
    quads = jsonld.statements(document)
    labels = jsonld.canonicalise(quads).labels
    secret = {int(name[6:]): bytes([index]) * 32 for index, name in enumerate(sorted(labels.values()))}
    names = {label: f"_:u{base64url(secret[int(name[6:])])}" for label, name in labels.items()}
    lines = jsonld.renamed(quads, names)
    must = list(range(len(lines) - hidden))
    head = jsonld.canonical_text({**options, "@context": document["@context"]})
    shown = hashlib.sha256("".join(lines[: len(must)]).encode()).digest()
    base = sign(P256, "ES256", hashlib.sha256(head).digest() + point + shown)
    each = [sign(once, "ES256", line.encode()) for line in lines[len(must) :]]
    value = bytes([0xD9, 0x5D, 0x01]) + cbor2.dumps([base, point, each, secret, must])
    return {**document, "proof": {**options, "proofValue": f"u{base64url(value)}"}}


def test_what_a_holder_chose_to_show_is_believed_and_his_own_copy_is_not_yet(trust: Trust) -> None:
    made = _derived(badge(), 5)
    assert asked(made, trust).outcome is Outcome.YES
    for change in (
        lambda d: d.update(name="Ship welding"),
        lambda d: d["credentialSubject"].pop("creditsEarned"),
        lambda d: d["proof"].update(created="2025-03-01T08:00:01Z"),
    ):
        forged = copy.deepcopy(made)
        change(forged)
        assert asked(forged, trust).outcome is Outcome.NO
    base = f"u{base64url(bytes([0xD9, 0x5D, 0x00]) + cbor2.dumps([b'', b'', b'', [], []]))}"
    assert said(asked({**made, "proof": {**made["proof"], "proofValue": base}}, trust)) == (
        "open",
        "base-proof",
    )


# taken back


def test_a_list_of_bits_that_carries_its_own_proof_says_what_was_taken_back(
    trust: Trust, tmp_path: Path
) -> None:
    address = "https://guild.example/status/3"
    bits = bytearray(16_384)
    bits[1] = 0x80  # entry 8
    the_list = proven(
        {
            "@context": [V2],
            "id": address,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": GUILD,
            "validFrom": "2026-03-01T00:00:00Z",
            "credentialSubject": {
                "id": f"{address}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": f"u{base64url(gzip.compress(bytes(bits), mtime=0))}",
            },
        },
        created="2026-03-01T00:00:00Z",
    )
    (tmp_path / "list.json").write_text(json.dumps(the_list))
    lists = read_lists([tmp_path / "list.json"], trust.issuers)
    informed = Trust(issuers=trust.issuers, taken_back=lists)

    def numbered(index: int) -> dict[str, Any]:
        entry = {
            "id": f"{address}#{index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(index),
            "statusListCredential": address,
        }
        return proven(badge(credentialStatus=entry))

    assert said(asked(numbered(8), informed)) == ("no", "taken-back")
    assert asked(numbered(9), informed).outcome is Outcome.YES
    assert said(asked(numbered(9), trust)) == ("open", "list-missing")


# the command


def test_the_command_answers_with_one_object_and_its_exit_code(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "badge.json"
    made = proven(badge())
    for document, code, outcome in (
        (made, 0, "yes"),
        ({**made, "name": "Ship welding"}, 1, "no"),
        ({**made, "proof": {**made["proof"], "cryptosuite": "bbs-2023"}}, 2, "open"),
    ):
        file.write_text(json.dumps(document))
        line = ["verify", str(file), "--trust", str(folder), "--at", AT.isoformat(), "--json"]
        assert main(line) == code
        answer = json.loads(capsys.readouterr().out)
        assert (answer["format"], answer["outcome"]) == ("data-integrity", outcome)
        assert answer["believed"] is (outcome == "yes")
        assert answer["claims"]["credentialSubject"]["id"] == "did:example:testa"
