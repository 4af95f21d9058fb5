"""Linked data proofs: what is signed, and everything that must not slip past it."""

import copy
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from landbridge.errors import CredentialError
from landbridge.prove import canonical, jsonld, proofs
from landbridge.prove.keys import SignatureWrong, base64url, from_base64url, verify_signature

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
INTEGRITY = "https://w3id.org/security/data-integrity/v2"
CITIZEN = "https://w3id.org/citizenship/v1"
BADGE = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
P384 = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)


def _ecdsa(
    key: ec.EllipticCurvePrivateKey, algorithm: hashes.HashAlgorithm, length: int
) -> Callable[[bytes], bytes]:
    def sign(message: bytes) -> bytes:
        return b"".join(
            part.to_bytes(length) for part in decode_dss_signature(key.sign(message, ec.ECDSA(algorithm)))
        )

    return sign


SIGNERS: dict[str, tuple[Callable[[bytes], bytes], Any]] = {
    "EdDSA": (ED25519.sign, ED25519.public_key()),
    "ES256": (_ecdsa(P256, hashes.SHA256(), 32), P256.public_key()),
    "ES384": (_ecdsa(P384, hashes.SHA384(), 48), P384.public_key()),
    "RS256": (lambda message: RSA.sign(message, padding.PKCS1v15(), hashes.SHA256()), RSA.public_key()),
    "PS256": (
        lambda message: RSA.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
        RSA.public_key(),
    ),
}

MAKERS = [
    ("DataIntegrityProof", "eddsa-rdfc-2022", "EdDSA"),
    ("DataIntegrityProof", "eddsa-jcs-2022", "EdDSA"),
    ("DataIntegrityProof", "ecdsa-rdfc-2019", "ES256"),
    ("DataIntegrityProof", "ecdsa-rdfc-2019", "ES384"),
    ("DataIntegrityProof", "ecdsa-jcs-2019", "ES256"),
    ("DataIntegrityProof", "ecdsa-jcs-2019", "ES384"),
    ("DataIntegrityProof", "eddsa-2022", "EdDSA"),
    ("DataIntegrityProof", "json-eddsa-2022", "EdDSA"),
    ("Ed25519Signature2020", "", "EdDSA"),
    ("Ed25519Signature2018", "", "EdDSA"),
    ("RsaSignature2018", "", "RS256"),
    ("RsaSignature2018", "", "PS256"),
    ("JsonWebSignature2020", "", "ES256"),
    ("JsonWebSignature2020", "", "ES384"),
]
LINKED = [maker for maker in MAKERS if "jcs" not in maker[1] and "json" not in maker[1]]


def licence() -> dict[str, Any]:
    """A welder's licence of a fictitious person."""
    return {
        "@context": [
            V2,
            BADGE,
            {"Seam": "https://guild.example/terms#Seam", "seam": "https://guild.example/terms#seam"},
        ],
        "id": "urn:uuid:5d0f0b3e-0000-4000-8000-000000000001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Welding licence",
        "issuer": {"id": "https://guild.example/issuers/1", "type": ["Profile"], "name": "Guild of Nowhere"},
        "validFrom": "2025-03-01T00:00:00Z",
        "validUntil": "2030-03-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:imaginary-person",
            "type": ["AchievementSubject"],
            "creditsEarned": 4.5,
            "seam": [{"type": "Seam", "name": "butt"}, {"type": "Seam", "name": "fillet"}, {"type": "Seam"}],
            "achievement": {
                "id": "https://guild.example/achievements/weld",
                "type": ["Achievement"],
                "name": "Pipe welding \u007f\u0001 «тест»\n",
                "description": "Welds pipes",
                "criteria": {"narrative": 'Three seams, one "cold".'},
            },
        },
        "credentialStatus": {
            "id": "https://guild.example/status#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://guild.example/status",
        },
    }


def options(kind: str, suite: str = "", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        **({"cryptosuite": suite} if suite else {}),
        "created": "2025-03-01T08:00:00Z",
        "verificationMethod": "https://guild.example/issuers/1#key-1",
        "proofPurpose": "assertionMethod",
        **more,
    }


def issue(document: dict[str, Any], maker: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    kind, suite, algorithm = maker
    return proofs.create(document, options(kind, suite, **more), SIGNERS[algorithm][0], algorithm=algorithm)


def hold(document: dict[str, Any]) -> list[proofs.Signed]:
    """Checks every proof of a document with the key of its algorithm. Raises CredentialError."""
    return [_hold(proofs.forms(document, proof)) for proof in proofs.proofs(document)]


def _hold(forms: tuple[proofs.Signed, ...]) -> proofs.Signed:
    for left, one in enumerate(reversed(forms)):
        try:
            verify_signature(SIGNERS[one.algorithm][1], one.algorithm, one.message, one.signature)
        except SignatureWrong:
            if left == len(forms) - 1:
                raise
        else:
            return one
    raise AssertionError("no form at all")


def refused(document: dict[str, Any]) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        hold(document)
    return caught.value


@pytest.mark.parametrize("maker", MAKERS, ids=str)
def test_what_is_signed_with_one_suite_holds(maker: tuple[str, str, str]) -> None:
    (found,) = hold(json.loads(json.dumps(issue(licence(), maker))))
    assert found.algorithm == maker[2]
    assert found.verification_method == "https://guild.example/issuers/1#key-1"


@pytest.mark.parametrize("maker", MAKERS, ids=str)
def test_the_order_of_names_and_the_layout_do_not_matter(maker: tuple[str, str, str]) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turned(value[name]) for name in reversed(value)}
        return [turned(one) for one in value] if isinstance(value, list) else value

    hold(canonical.read(json.dumps(turned(issue(licence(), maker)), indent=3)))


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, below in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from _places(below, (*path, key))


def _changed(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-1] + ("x" if value[-1:] != "x" else "y")
    return value + 1 if isinstance(value, int | float) else {**value, "name": "forged"}


@pytest.mark.parametrize("maker", [MAKERS[0], MAKERS[1], MAKERS[8], MAKERS[10]], ids=str)
def test_no_value_no_name_and_no_option_can_be_changed_or_taken_out(maker: tuple[str, str, str]) -> None:
    made = issue(licence(), maker)
    tried = 0
    for *way, last in (place for place in _places(made) if place):
        for change in ("value", "gone", "renamed"):
            forged = copy.deepcopy(made)
            spot = forged
            for key in way:
                spot = spot[key]
            if change == "value":
                if isinstance(spot[last], list):
                    continue
                spot[last] = _changed(spot[last])
            elif change == "gone":
                del spot[last]
            elif isinstance(last, str):
                spot["holder"] = spot.pop(last)
            else:
                continue
            tried += 1
            assert refused(forged), (way, last, change)
    assert tried > 130


@pytest.mark.parametrize("maker", LINKED, ids=str)
def test_another_context_is_another_document(maker: tuple[str, str, str]) -> None:
    made = issue(licence(), maker)
    made["@context"][1] = BADGE.replace("3.0.3", "3.0.1")
    made["@context"][0] = V1
    assert refused(made)


def test_a_proof_of_one_suite_is_none_of_another() -> None:
    for maker in MAKERS:
        made = issue(licence(), maker)
        for kind, suite, _ in MAKERS:
            if (kind, suite) == maker[:2]:
                continue
            forged = copy.deepcopy(made)
            forged["proof"] |= {"type": kind} | ({"cryptosuite": suite} if suite else {})
            if not suite:
                forged["proof"].pop("cryptosuite", None)
            assert refused(forged), (maker, kind, suite)


@pytest.mark.parametrize("maker", MAKERS, ids=str)
def test_a_second_signature_beside_the_first_is_not_overlooked(maker: tuple[str, str, str]) -> None:
    made = issue(licence(), maker)
    made["proof"]["jws" if "proofValue" in made["proof"] else "proofValue"] = "e30..AA"
    assert refused(made)


def test_an_unknown_suite_is_said_by_name() -> None:
    made = issue(licence(), MAKERS[0])
    made["proof"]["cryptosuite"] = "bbs-2023"
    wrong = refused(made)
    assert isinstance(wrong, proofs.UnknownSuite)
    assert "bbs-2023" in str(wrong)
    assert "eddsa-rdfc-2022" in wrong.hint


def test_every_proof_of_a_set_is_checked_by_itself() -> None:
    twice = issue(issue(licence(), MAKERS[0]), MAKERS[3])
    assert [one.algorithm for one in hold(twice)] == ["EdDSA", "ES384"]
    twice["proof"][0]["created"] = "2025-03-02T08:00:00Z"
    assert isinstance(refused(twice), SignatureWrong)
    del twice["proof"][0]
    hold(twice)


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_a_chained_proof_signs_the_proofs_before_it(suite: str) -> None:
    maker = ("DataIntegrityProof", suite, "EdDSA")
    first = issue(licence(), maker, id="urn:uuid:first")
    chain = issue(first, maker, id="urn:uuid:second", previousProof="urn:uuid:first")
    third = issue(chain, maker, previousProof=["urn:uuid:first", "urn:uuid:second"])
    assert len(hold(third)) == 3

    again = issue({**licence(), "name": "Welding licence"}, maker, id="urn:uuid:first", nonce="another")
    swapped = copy.deepcopy(third)
    swapped["proof"][0] = again["proof"]
    assert isinstance(refused(swapped), SignatureWrong)
    swapped["proof"] = third["proof"][1:]
    assert refused(swapped).code == "proof-chain"
    swapped["proof"] = [*third["proof"], third["proof"][0]]
    assert refused(swapped).code == "proof-chain"


def test_a_word_no_context_defines_is_refused_and_not_left_unsigned() -> None:
    made = issue(licence(), MAKERS[0])
    for spot in (made, made["credentialSubject"], made["issuer"], made["proof"]):
        spot["grade"] = "excellent"
        wrong = refused(made)
        assert isinstance(wrong, jsonld.DroppedTerm)
        assert "grade" in str(wrong)
        del spot["grade"]
    hold(made)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("credentialSubject", "id"), "19882120590"),
        (("id",), "../credentials/7"),
        (("credentialSubject", "type"), "Undefined"),
        (("issuer", "id"), "https://guild.example/<1>"),
        (("issuer", "id"), "https://guild.example/1> <urn:a> <urn:b> .\n<urn:c"),
        (("name",), {"@value": "Welding", "@direction": "rtl"}),
        (("name",), {"@value": "Welding", "@language": 'en> "'}),
        (("name",), {"@value": "Welding", "@index": "a"}),
        (("@welded",), "yes"),
        (("_:b0",), "yes"),
    ],
)
def test_what_would_not_reach_the_statements_is_refused(path: tuple[str, ...], value: Any) -> None:
    document = licence()
    spot = document
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = value
    with pytest.raises(jsonld.LinkedDataRefused):
        jsonld.canonical_text(document)


def _disguises() -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
    """Ways to write the same signed statements so that a reader of the JSON misses or mistakes them."""
    status = "https://www.w3.org/2018/credentials#credentialStatus"

    def prefixed(made: dict[str, Any]) -> None:
        made["@context"].append({"cred": status[:-16]})
        made["cred:credentialStatus"] = made.pop("credentialStatus")

    def renamed(made: dict[str, Any]) -> None:
        made["@context"].append({"note": {"@id": status, "@type": "@id"}})
        made["note"] = made.pop("credentialStatus")

    def another_name(made: dict[str, Any]) -> None:
        made["@context"][2]["flaw"] = made["@context"][2].pop("seam")
        made["credentialSubject"]["flaw"] = made["credentialSubject"].pop("seam")

    def cut_in_two(made: dict[str, Any]) -> None:
        del made["@context"][2]["seam"]
        made["@context"][2]["@vocab"] = "https://guild.example/terms#se"
        made["credentialSubject"]["am"] = made["credentialSubject"].pop("seam")

    yield "an own word renamed", another_name
    yield "an own word cut in two", cut_in_two
    yield "an IRI for a word", lambda made: made.update({status: made.pop("credentialStatus")})
    yield "a prefix for a word", prefixed
    yield "another word for a word", renamed
    yield (
        "two words exchanged",
        lambda made: made["@context"].append(
            {"seam": "https://guild.example/terms#seam", "creditsEarned": "https://guild.example/terms#seam"}
        ),
    )
    yield "a list inside a list", lambda made: made.update(credentialStatus=[[made["credentialStatus"]]])
    yield "a keyword for a word", lambda made: made.update({"@id": made.pop("id")})
    yield "a graph", lambda made: made.update({"@graph": [dict(made)]})
    yield (
        "included elsewhere",
        lambda made: made["credentialSubject"].update(
            {"@included": [{"id": made["id"], "credentialStatus": made.pop("credentialStatus")}]}
        ),
    )
    yield (
        "said of the document further down",
        lambda made: made["issuer"].update(
            parentOrg={"id": made["id"], "credentialStatus": made.pop("credentialStatus")}
        ),
    )
    yield "contexts taken back", lambda made: made["@context"].insert(1, None)
    yield "another base", lambda made: made["@context"].append({"@base": "https://guild.example/"})
    yield "a context that imports", lambda made: made["@context"].append({"@version": 1.1, "@import": BADGE})
    yield (
        "contexts inside a word",
        lambda made: made["@context"].append(
            {"Weld": {"@id": "urn:weld", "@context": {"name": "urn:other-name"}}}
        ),
    )
    yield (
        "contexts lower down",
        lambda made: made["issuer"].update({"@context": {"url": "https://guild.example/terms#name"}}),
    )


@pytest.mark.parametrize(
    ("fault", "disguise"), list(_disguises()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_the_same_statements_in_other_words_are_refused(
    fault: str, disguise: Callable[[dict[str, Any]], None]
) -> None:
    made = issue(licence(), MAKERS[0])
    disguise(made)
    assert not isinstance(refused(made), SignatureWrong), fault


def test_an_inline_context_may_add_words_of_its_own() -> None:
    document = licence()
    document["@context"].append(
        {
            "guild": "https://guild.example/terms#",
            "bead": "guild:bead",
            "name": "https://schema.org/name",
            "heat": {"@id": "guild:heat", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
            "passes": {"@id": "guild:passes", "@container": "@list"},
        }
    )
    document["credentialSubject"] |= {"bead": "narrow", "heat": 3, "passes": [1, 1, 2], "guild:flux": True}
    document["credentialSubject"]["seam"][0]["passes"] = []
    text = jsonld.canonical_text(document).decode()
    assert text.count("#nil>") == 2
    assert '<https://guild.example/terms#heat> "3"^^<http://www.w3.org/2001/XMLSchema#integer>' in text
    assert text.count("#first>") == 3
    hold(issue(document, MAKERS[0]))


def test_a_context_not_known_here_is_named_and_can_be_given() -> None:
    url = "https://guild.example/contexts/v1"
    document = licence()
    document["@context"][2] = url
    with pytest.raises(jsonld.UnknownContext) as caught:
        jsonld.canonical_text(document)
    assert caught.value.url == url
    assert url in caught.value.hint
    given = {url: json.dumps({"@context": licence()["@context"][2]}).encode()}
    assert jsonld.canonical_text(document, contexts=given) == jsonld.canonical_text(licence())
    with pytest.raises(jsonld.UnknownContext):
        jsonld.canonical_text(document)
    with pytest.raises(CredentialError):
        jsonld.canonical_text(document, contexts={url: b'{"@context": '})


def test_a_given_context_never_stands_in_for_a_bundled_one() -> None:
    forged = json.dumps({"@context": {"@vocab": "urn:forged:"}}).encode()
    assert jsonld.canonical_text(licence(), contexts={V2: forged}) == jsonld.canonical_text(licence())


@pytest.mark.parametrize("url", jsonld.bundled())
def test_every_bundled_context_can_be_used(url: str) -> None:
    assert jsonld.bundled_context(url)["@context"]
    assert jsonld.canonical_text({"@context": url, "urn:p": "x"}) == b'_:c14n0 <urn:p> "x" .\n'


def test_a_bundled_context_says_what_its_specification_says() -> None:
    badge = {
        "@context": [
            V1,
            BADGE.replace("context-3.0.3", "context"),
            "https://w3id.org/security/suites/ed25519-2020/v1",
        ],
        "id": "urn:uuid:2",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "urn:issuer", "type": "Profile", "name": "Guild of Nowhere"},
        "issuanceDate": "2025-03-01T00:00:00Z",
        "credentialSubject": {"type": "AchievementSubject", "activityStartDate": "2025-02-01T00:00:00Z"},
    }
    lines = jsonld.canonical_text(badge).decode().splitlines()
    date = '"2025-02-01T00:00:00Z"^^<https://www.w3.org/2001/XMLSchema#date>'
    assert f"_:c14n0 <https://purl.imsglobal.org/spec/vc/ob/vocab.html#activityStartDate> {date} ." in lines
    assert (
        "<urn:uuid:2> <https://www.w3.org/2018/credentials#issuanceDate> "
        '"2025-03-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .'
    ) in lines


def test_numbers_are_written_as_javascript_writes_them() -> None:
    document: dict[str, Any] = {"@context": {"p": "urn:p"}}
    document["p"] = [
        1,
        1.0,
        True,
        2.5,
        -0.0,
        1e21,
        1e-7,
        123456789.125,
        9007199254740994,
        123456789012345680000,
    ]
    lines = jsonld.canonical_text(document).decode().splitlines()
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert [line.split(" ")[2] for line in lines] == sorted(
        [
            f'"1"^^<{xsd}integer>',
            f'"true"^^<{xsd}boolean>',
            f'"2.5E0"^^<{xsd}double>',
            f'"0"^^<{xsd}integer>',
            f'"1.0E21"^^<{xsd}double>',
            f'"1.0E-7"^^<{xsd}double>',
            f'"1.23456789125E8"^^<{xsd}double>',
            f'"9007199254740994"^^<{xsd}integer>',
            f'"123456789012345683968"^^<{xsd}integer>',
        ]
    )


def test_alike_unnamed_parts_get_the_same_names_in_any_order() -> None:
    def ring(order: list[int]) -> list[jsonld.Quad]:
        count = len(order)
        return [
            jsonld.Quad(f"_:{order[n]}", "urn:next", f"_:{order[(n + 1) % count]}", "") for n in range(count)
        ]

    texts = {
        jsonld.canonicalise(ring(order)).text()
        for order in ([0, 1, 2, 3, 4], [3, 0, 4, 2, 1], [1, 4, 0, 3, 2])
    }
    assert len(texts) == 1
    assert jsonld.canonicalise(ring([0, 1, 2, 3, 4]), digest="sha384").text().count(b"\n") == 5


def test_a_poisoned_graph_is_given_up_soon() -> None:
    tangle = [
        jsonld.Quad(f"_:{one}", "urn:p", f"_:{other}", "")
        for one in range(12)
        for other in range(12)
        if one != other
    ]
    begun = time.monotonic()
    with pytest.raises(jsonld.Poisoned):
        jsonld.canonicalise(tangle)
    assert time.monotonic() - begun < 8

    document = licence()
    document["credentialSubject"]["seam"] = [{"type": "Seam"}] * 6_000
    with pytest.raises(jsonld.Poisoned):
        jsonld.canonical_text(document)
    deep: Any = {"type": "Seam"}
    for _ in range(200):
        deep = {"seam": deep}
    document["credentialSubject"]["seam"] = deep
    with pytest.raises(canonical.NotCanonical):
        jsonld.canonical_text(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", 7),
        ("type", None),
        ("cryptosuite", ["eddsa-rdfc-2022"]),
        ("verificationMethod", ""),
        ("verificationMethod", {"controller": "x"}),
        ("proofPurpose", None),
        ("created", "yesterday"),
        ("created", "2025-13-01T00:00:00Z"),
        ("created", 1740816000),
        ("expires", "2025-03-01"),
        ("proofValue", None),
        ("proofValue", "u" + base64url(bytes(64))),
        ("proofValue", "z0OIl"),
        ("proofValue", "z" + "1" * 5_000),
        ("proofValue", "z" + proofs.to_base58(bytes(63))),
        ("previousProof", "urn:uuid:nowhere"),
        ("previousProof", []),
        ("previousProof", [[]]),
    ],
)
def test_a_proof_wrongly_made_is_refused_by_name(name: str, value: Any) -> None:
    made = issue(licence(), MAKERS[0])
    made["proof"][name] = value
    assert isinstance(refused(made), proofs.ProofRefused)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "b64": False, "crit": ["b64"]},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": "ES256", "b64": False, "crit": ["b64"]},
        {"alg": "EdDSA", "b64": False},
        {"alg": "EdDSA", "crit": ["b64"]},
        {"alg": "EdDSA", "b64": "false", "crit": ["b64"]},
        {"alg": "EdDSA", "b64": False, "crit": ["b64", "exp"]},
        {"alg": ["EdDSA"], "b64": False, "crit": ["b64"]},
        ["EdDSA"],
    ],
    ids=str,
)
def test_the_header_of_a_detached_jws_is_taken_at_its_word(header: Any) -> None:
    made = issue(licence(), ("Ed25519Signature2018", "", "EdDSA"))
    _, middle, signature = made["proof"]["jws"].split(".")
    made["proof"]["jws"] = f"{base64url(json.dumps(header).encode())}.{middle}.{signature}"
    assert isinstance(refused(made), CredentialError)
    made["proof"]["jws"] = f"{made['proof']['jws'].split('.')[0]}.{base64url(b'x')}.{signature}"
    assert refused(made).code == "jws"


def test_a_detached_jws_may_sign_its_payload_in_base64url() -> None:
    made = issue(licence(), ("Ed25519Signature2018", "", "EdDSA"))
    header = base64url(b'{"alg":"EdDSA"}')
    raw = proofs.signed(made, made["proof"]).message.split(b".", 1)[1]
    signature = ED25519.sign(f"{header}.{base64url(raw)}".encode())
    made["proof"]["jws"] = f"{header}..{base64url(signature)}"
    hold(made)


def test_a_presentation_may_hold_a_credential_under_contexts_of_its_own() -> None:
    inside = issue(_vaccinated(), ("Ed25519Signature2018", "", "EdDSA"))
    outside = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": "did:example:imaginary-person",
        "verifiableCredential": [inside],
    }
    made = issue(outside, MAKERS[0])
    hold(made)
    made["verifiableCredential"][0]["credentialSubject"]["age"] = "72"
    assert isinstance(refused(made), SignatureWrong)


def _vaccinated() -> dict[str, Any]:
    return {
        "@context": [V1, "https://cowin.gov.in/credentials/vaccination/v1"],
        "type": ["VerifiableCredential", "ProofOfVaccinationCredential"],
        "issuer": "https://clinic.example/",
        "issuanceDate": "2021-04-14T04:00:00Z",
        "credentialSubject": {
            "type": "Person",
            "id": "did:Voter ID:0",
            "name": "Nobody Imaginary",
            "age": "27",
        },
    }


def test_words_that_share_their_meaning_can_be_exchanged_and_are_refused() -> None:
    document = _vaccinated()
    document["evidence"] = [
        {"type": "Vaccination", "vaccine": "Nowhere-1", "batch": "7", "dose": 1, "totalDoses": 2}
    ]
    header = base64url(b'{"alg":"PS256"}')
    proof = options("RsaSignature2018", jws=f"{header}..AA")
    with pytest.raises(jsonld.ExchangeableTerms) as caught:
        proofs.forms(document, proof)
    assert caught.value.terms == ("batch", "dose", "totalDoses", "vaccine")
    assert jsonld.exchangeable(document) == set(caught.value.terms)
    assert not jsonld.exchangeable(_vaccinated())

    before = proofs.forms(document, proof, unsafe_exchangeable=True)
    document["evidence"][0] |= {"vaccine": "7", "batch": "Nowhere-1", "dose": 2, "totalDoses": 1}
    assert proofs.forms(document, proof, unsafe_exchangeable=True) == before
    document["credentialSubject"]["name"] = "Somebody Else"
    assert proofs.forms(document, proof, unsafe_exchangeable=True) != before


def test_options_of_the_older_suites_are_read_under_the_suite_or_the_document() -> None:
    made = issue(_vaccinated(), ("RsaSignature2018", "", "PS256"))
    first, second = proofs.forms(made, made["proof"])
    assert first.message != second.message
    hold(made)
    header = made["proof"]["jws"].split(".")[0]
    made["proof"]["jws"] = f"{header}..{base64url(SIGNERS['PS256'][0](second.message))}"
    hold(made)
    plain = issue(licence(), MAKERS[0])
    assert len(proofs.forms(plain, plain["proof"])) == 1


def test_a_canonical_json_proof_keeps_to_the_contexts_it_was_made_under() -> None:
    made = copy.deepcopy(issue(licence(), MAKERS[1]))
    assert made["proof"]["@context"] == licence()["@context"]
    made["@context"].append(INTEGRITY)
    hold(made)
    made["@context"].insert(0, INTEGRITY)
    assert refused(made).code == "proof-context"
    bare = issue(licence(), MAKERS[1])
    bare["proof"].pop("@context")
    assert isinstance(refused(bare), SignatureWrong)


def _derive(document: dict[str, Any], hidden: int) -> dict[str, Any]:
    """A derived proof of selective disclosure, as a holder's wallet hands it on; `hidden` statements were optional."""
    fresh = ec.generate_private_key(ec.SECP256R1())
    point = b"\x80\x24" + fresh.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    made = {**document, "proof": options("DataIntegrityProof", "ecdsa-sd-2023")}
    quads = jsonld.statements(document)
    labels = jsonld.canonicalise(quads).labels
    secret = {int(name[6:]): bytes([index]) * 32 for index, name in enumerate(sorted(labels.values()))}
    names = {label: f"_:u{base64url(secret[int(name[6:])])}" for label, name in labels.items()}
    lines = jsonld.renamed(quads, names)
    must = list(range(0, len(lines) - hidden))
    head = jsonld.canonical_text({**made["proof"], "@context": document["@context"]})
    shown = hashlib.sha256("".join(lines[: len(must)]).encode()).digest()
    base = SIGNERS["ES256"][0](hashlib.sha256(head).digest() + point + shown)
    once = _ecdsa(fresh, hashes.SHA256(), 32)
    value = cbor2.dumps([base, point, [once(line.encode()) for line in lines[len(must) :]], secret, must])
    made["proof"]["proofValue"] = f"u{base64url(bytes([0xD9, 0x5D, 0x01]) + value)}"
    return made


def test_what_a_holder_chose_to_show_holds_statement_by_statement() -> None:
    (found,) = hold(_derive(licence(), 12))
    assert (found.suite, found.algorithm) == ("ecdsa-sd-2023", "ES256")
    for hidden in (0, 1):
        hold(_derive(licence(), hidden))


def test_nothing_of_a_derived_credential_can_be_changed_taken_out_or_added() -> None:
    made = _derive(licence(), 12)
    for change in (
        lambda forged: forged.update(name="Diving licence"),
        lambda forged: forged.pop("credentialStatus"),
        lambda forged: forged["credentialSubject"].pop("creditsEarned"),
        lambda forged: forged["credentialSubject"].update(creditsEarned=5),
        lambda forged: forged["credentialSubject"].update(licenseNumber="1"),
        lambda forged: forged["proof"].update(created="2025-03-01T08:00:01Z"),
        lambda forged: forged["credentialSubject"]["seam"].pop(),
    ):
        forged = copy.deepcopy(made)
        change(forged)
        assert refused(forged)
    raw = from_base64url(made["proof"]["proofValue"][1:])
    for place in range(0, len(raw), 17):
        forged = copy.deepcopy(made)
        forged["proof"]["proofValue"] = (
            f"u{base64url(raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :])}"
        )
        assert refused(forged), place


def test_a_base_proof_is_not_for_a_verifier() -> None:
    made = _derive(licence(), 2)
    made["proof"]["proofValue"] = f"u{base64url(bytes([0xD9, 0x5D, 0x00, 0x80]))}"
    assert refused(made).code == "base-proof"


@pytest.mark.parametrize(
    "value",
    [
        [],
        [b"", b"", [], {}, []],
        [bytes(64), b"\x80\x24" + bytes(33), [], {}, []],
        [bytes(64), b"\x80\x24" + bytes(33), [], {0: bytes(32)}, list(range(200))],
        [bytes(64), b"\x80\x24" + bytes(33), [bytes(64)] * 40, {n: bytes(32) for n in range(9)}, []],
        [
            bytes(64),
            b"\x80\x24" + bytes(33),
            [bytes(64)] * 40,
            {n: bytes([n]) * 32 for n in range(9)},
            [0, 0],
        ],
        [bytes(64), b"\x80\x24" + bytes(33), [bytes(64)] * 40, {n: bytes([n]) * 32 for n in range(9)}, [-1]],
        [bytes(64), "key", 7, None, "x"],
        7,
    ],
    ids=lambda one: str(one)[:30],
)
def test_a_derived_proof_wrongly_made_is_refused_by_name(value: Any) -> None:
    made = _derive(licence(), 2)
    made["proof"]["proofValue"] = f"u{base64url(bytes([0xD9, 0x5D, 0x01]) + cbor2.dumps(value))}"
    assert isinstance(refused(made), proofs.ProofRefused)


def test_whatever_is_done_to_a_document_the_answer_is_a_named_error() -> None:
    dice = random.Random(20250301)
    names = ["name", "id", "type", "@id", "@graph", "@context", "x", "proof", "urn:y", "", "@x"]
    odd: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        10**40,
        float("nan"),
        "",
        "@id",
        "@nope",
        "_:x",
        "urn:x",
        "a b",
        "\ud800",
    ]
    odd += [
        [],
        [[]],
        [None, 1],
        ["@type"],
        {},
        {"": 1},
        {"@id": "x"},
        {"@value": 1},
        {"@list": [1]},
        {"@set": []},
    ]
    odd += [{"@context": None}, {"@context": {"name": None}}, {"@context": {"x": {"@id": 7}}}]
    issued = [issue(licence(), MAKERS[maker]) for maker in (0, 1, 10)] + [_derive(licence(), 6)]
    held = 0
    for _ in range(700):
        document = copy.deepcopy(dice.choice(issued))
        for _ in range(dice.choice((1, 1, 2, 4))):
            *way, last = dice.choice([place for place in _places(document) if place])
            spot = document
            for key in way:
                spot = spot[key]
            if isinstance(spot, dict) and dice.random() < 0.4:
                last = dice.choice(names)
            spot[last] = copy.deepcopy(dice.choice(odd))
        with suppress(CredentialError):
            hold(document)
            held += 1
    # Some changes change nothing: an empty context, a null in the place of nothing.
    assert held < 40


def test_a_document_without_a_proof_says_so() -> None:
    for proof in ([], None, "z", ["z"]):
        assert refused(licence() | {"proof": proof}).code == "no-proof"
    assert refused(licence()).code == "no-proof"
    assert refused(licence() | {"proof": [{}] * 17}).code == "proof"


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\1", bytes(range(256))])
def test_base58_goes_there_and_back(data: bytes) -> None:
    assert proofs.from_base58(proofs.to_base58(data)) == data


def test_base58_is_the_one_of_its_draft() -> None:
    assert proofs.to_base58(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    with pytest.raises(ValueError):
        proofs.from_base58("0")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 1}', "json"),
        ('{"a": {"b": 1, "b": 2}}', "json"),
        ("9007199254740993", "json-number"),
        ("1e400", "json-number"),
        ("1" * 500, "json-number"),
        ("NaN", "json-number"),
        ("-Infinity", "json-number"),
        ('"\\ud800"', "json"),
        ('{"\\udfff": 1}', "json"),
        ("[" * 65 + "]" * 65, "json"),
        ("[" * 100_000, "json"),
        ("{", "json"),
        ("", "json"),
    ],
)
def test_json_two_readers_could_understand_differently_is_refused(text: str, code: str) -> None:
    with pytest.raises(canonical.NotCanonical) as caught:
        canonical.read(text)
    assert caught.value.code == code


def test_json_that_is_not_text_is_refused() -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.read(b'"\xff"')
    with pytest.raises(canonical.NotCanonical):
        canonical.canonicalise({"a": b"bytes"})
    with pytest.raises(canonical.NotCanonical):
        canonical.canonicalise({1: "a"})


def test_canonical_json_sorts_names_by_utf16_and_writes_numbers_shortest() -> None:
    value = canonical.read(
        '{"\U0001f600": 1e30, "\ufb33": 4.50, "b": -0.0, "a": [1.0, 2e-3, 9007199254740994, 123456789012345680000]}'
    )
    assert canonical.canonicalise(value).decode() == (
        '{"a":[1,0.002,9007199254740994,123456789012345680000],"b":0,"\U0001f600":1e+30,"\ufb33":4.5}'
    )


def test_the_published_vectors_of_canonical_json_come_out_byte_for_byte(shared_data: Path) -> None:
    inputs = sorted((shared_data / "prove" / "jcs").rglob("input/*.json"))
    if not inputs:
        pytest.skip("not run: no RFC 8785 vectors here")
    for source in inputs:
        expected = source.parent.parent / "output" / source.name
        assert canonical.canonicalise(canonical.read(source.read_bytes())) == expected.read_bytes(), (
            source.name
        )
    assert len(inputs) == 6
