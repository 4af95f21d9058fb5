"""SD-JWT: what the issuer concealed, the holder disclosed, and nobody can change on the way."""

import base64
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from landbridge.errors import CredentialError, Malformed
from landbridge.prove.carrier import Carried
from landbridge.prove.certificates import read_certificate
from landbridge.prove.envelope import Envelope
from landbridge.prove.facts import Issuer, Outcome
from landbridge.prove.formats import sdjwt
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.sdjwt import as_json, create, present
from landbridge.prove.keys import algorithm_of, base64url, from_base64url, sign, to_jwk, verify_signature
from landbridge.prove.status import StatusLists
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.verify import Trust, examine

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ISSUER = "https://registry.altania.example"
SUITES = ("sd-jwt-python-testcases", "sd-jwt-rfc-examples", "sd-jwt-vc-examples")


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def holder() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def claims(**more: Any) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "iat": 1_770_000_000,
        "exp": 1_900_000_000,
        "vct": "urn:altania:pid:1",
        "given_name": "Testa",
        "family_name": "Mustermensch",
        "birthdate": "1990-02-30"[:8] + "03",
        "nationalities": ["XA", "XB"],
        "address": {"locality": "Altastadt", "country": "XA"},
        **more,
    }


CONCEAL = (("given_name",), ("family_name",), ("nationalities", None), ("address",), ("address", "locality"))


def carried(text: str) -> Carried:
    return Carried(text=text, data=text.encode(), place="text", media="text")


def decoded(text: str) -> Envelope:
    assert sdjwt.recognise(carried(text))
    return sdjwt.decode(carried(text))


def holds(envelope: Envelope, *keys: Any) -> bool:
    """Whether every signature is by its key."""
    for one, key in zip(envelope.signatures, keys, strict=True):
        try:
            verify_signature(key.public_key(), one.algorithm, one.message, one.signature)
        except CredentialError:
            return False
    return True


def hand_made(key: ec.EllipticCurvePrivateKey, payload: Any, *disclosures: Any, **header: Any) -> str:
    """An SD-JWT nobody should issue."""
    head = {"alg": algorithm_of(key), "typ": "dc+sd-jwt", **header}
    body = payload if isinstance(payload, str) else json.dumps(payload)
    message = f"{base64url(json.dumps(head).encode())}.{base64url(body.encode())}"
    texts = [one if isinstance(one, str) else written(one) for one in disclosures]
    return "~".join((f"{message}.{base64url(sign(key, head['alg'], message.encode()))}", *texts, ""))


def written(disclosure: Any) -> str:
    return base64url(json.dumps(disclosure).encode())


def digest(disclosure: Any, algorithm: str = "sha-256") -> str:
    return sdjwt.digest(disclosure if isinstance(disclosure, str) else written(disclosure), algorithm)


def code(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        sdjwt.decode(carried(text))
    return caught.value.code


# what the suites say


class Concealed:
    """A `!sd` of the suites' YAML: on a name, the claim; on a value, the element."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Concealed) and other.value == self.value


class _Loader(yaml.SafeLoader):
    pass


def _construct(loader: Any, node: Any) -> Concealed:
    if isinstance(node, yaml.MappingNode):
        return Concealed(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Concealed(loader.construct_sequence(node, deep=True))
    plain = yaml.ScalarNode(
        loader.resolve(yaml.ScalarNode, node.value, (not node.style, bool(node.style))), node.value
    )
    return Concealed(loader.construct_object(plain, deep=True))


_Loader.add_constructor("!sd", _construct)


def plain(value: Any) -> Any:
    """The claims without the marks."""
    if isinstance(value, Concealed):
        return plain(value.value)
    if isinstance(value, dict):
        return {
            (name.value if isinstance(name, Concealed) else name): plain(one) for name, one in value.items()
        }
    return [plain(one) for one in value] if isinstance(value, list) else value


def marked(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the marks are."""
    if isinstance(value, Concealed):
        return [path, *marked(value.value, path)]
    found = []
    if isinstance(value, dict):
        for name, one in value.items():
            if isinstance(name, Concealed):
                found += [(*path, name.value), *marked(one, (*path, name.value))]
            else:
                found += marked(one, (*path, name))
    elif isinstance(value, list):
        for position, one in enumerate(value):
            found += marked(one, (*path, position))
    return found


def chosen(paths: list[tuple[Any, ...]], wish: Any) -> list[tuple[Any, ...]]:
    """The marked paths that `holder_disclosed_claims` asks for: `true`, or something inside that is asked for."""
    return [path for path in paths if _asked(wish, path)]


def _asked(wish: Any, path: tuple[Any, ...]) -> bool:
    for step in path:
        if isinstance(wish, dict):
            wish = wish.get(step)
        elif isinstance(wish, list) and isinstance(step, int):
            wish = wish[step] if step < len(wish) else None
        else:
            return False
    return bool(wish)


def expected(value: Any, shown: set[tuple[Any, ...]], path: tuple[Any, ...] = ()) -> Any:
    """What a verifier gets, told from the marks alone."""
    if isinstance(value, Concealed):
        return expected(value.value, shown, path)
    if isinstance(value, dict):
        found = {}
        for name, one in value.items():
            inner = (*path, name.value if isinstance(name, Concealed) else name)
            if not isinstance(name, Concealed) or inner in shown:
                found[inner[-1]] = expected(one, shown, inner)
        return found
    if isinstance(value, list):
        return [
            expected(one, shown, (*path, position))
            for position, one in enumerate(value)
            if not isinstance(one, Concealed) or (*path, position) in shown
        ]
    return value


def _private(jwk: dict[str, str]) -> ec.EllipticCurvePrivateKey:
    key = ec.derive_private_key(int.from_bytes(from_base64url(jwk["d"])), ec.SECP256R1())
    assert to_jwk(key.public_key())["x"] == jwk["x"]
    return key


def cases(shared_data: Path, suite: str) -> list[Path]:
    found = sorted((shared_data / "prove" / suite).rglob("specification.yml"))
    if not found:
        pytest.skip(f"not run: {suite} is not here")
    return found


@pytest.mark.parametrize(("suite", "count"), list(zip(SUITES, (32, 15, 3), strict=True)))
def test_every_case_of_a_suite_comes_out_as_it_expects(suite: str, count: int, shared_data: Path) -> None:
    found = cases(shared_data, suite)
    assert len(found) == count
    for file in found:
        run_case(file)


def run_case(file: Path) -> None:
    case = yaml.load(file.read_text("utf-8"), _Loader)
    settings = yaml.safe_load(
        (next(one for one in file.parents if (one / "settings.yml").exists()) / "settings.yml").read_text()
    )
    override = case.get("settings_override", {})
    ours = {**settings["key_settings"], **override, **override.get("key_settings", {})}
    keys = [
        (_private(one), {"kid": one["kid"]} if "kid" in one else {})
        for one in ours.get("issuer_keys", [ours.get("issuer_key")])
    ]
    bound = bool(case.get("key_binding"))
    defaults = {"iss": settings["identifiers"]["issuer"], "iat": settings["iat"], "exp": settings["exp"]}
    if case.get("include_default_claims") is False:
        defaults = {}
    marks = marked(case["user_claims"])
    first, header = keys[0]
    token = create(
        {**defaults, **plain(case["user_claims"])},
        conceal=marks,
        key=first,
        header={**header, **case.get("extra_header_parameters", {})},
        holder=to_jwk(_private(ours["holder_key"]).public_key()) if bound else None,
        decoys=3 if case.get("add_decoy_claims") else 0,
    )
    assert {**defaults, **plain(case["user_claims"])}.items() <= decoded(token).claims.items(), file
    wish = case["holder_disclosed_claims"]
    shown = chosen(marks, wish)
    presented = present(
        token,
        shown,
        key=_private(ours["holder_key"]) if bound else None,
        audience=settings["identifiers"]["verifier"],
        nonce=settings["key_binding_nonce"],
        at=AT,
    )
    if case.get("serialization_format") == "json":
        presented = json.dumps(as_json(presented, keys[1:]))
        signers = [key for key, _ in keys]
    else:
        signers = [first]
    envelope = decoded(presented)
    assert holds(envelope, *signers), file
    assert not envelope.faults, file
    got = {
        name: one
        for name, one in envelope.claims.items()
        if name not in defaults and not (bound and name == "cnf")
    }
    wanted = expected(case["user_claims"], set(shown))
    wanted = {name: one for name, one in wanted.items() if name not in defaults}
    assert got == wanted, file
    if "expect_verified_user_claims" in case:
        assert got == case["expect_verified_user_claims"], file
    if bound:
        binding = sdjwt.check_binding(
            presented,
            audience=settings["identifiers"]["verifier"],
            nonce=settings["key_binding_nonce"],
            at=AT + timedelta(seconds=20),
        )
        assert binding["nonce"] == settings["key_binding_nonce"]


def test_the_worked_example_of_openid4vp_verifies_to_its_published_claims(shared_data: Path) -> None:
    folder = shared_data / "prove" / "openid4vp" / "examples" / "sd_jwt_vcld"
    if not folder.is_dir():
        pytest.skip("not run: openid4vp is not here")
    settings = yaml.safe_load((folder / "settings.yml").read_text())
    key = _private(settings["key_settings"]["issuer_keys"][0])
    for name in ("sd_jwt_issuance.txt", "sd_jwt_presentation.txt"):
        envelope = decoded((folder / "01" / name).read_text())
        assert holds(envelope, key)
        assert not envelope.faults
    assert envelope.claims == json.loads((folder / "01" / "verified_contents.json").read_text())
    bound = sdjwt.check_binding(
        (folder / "01" / "sd_jwt_presentation.txt").read_text(),
        audience=settings["identifiers"]["verifier"],
        nonce=settings["key_binding_nonce"],
        at=datetime(2025, 4, 15, 18, 56, 40, tzinfo=UTC),
    )
    assert bound == json.loads((folder / "01" / "kb_jwt_payload.json").read_text())


def test_the_answer_of_an_openid4vci_issuer_reads_through_its_line_breaks(shared_data: Path) -> None:
    file = shared_data / "prove" / "openid4vci" / "examples" / "credential_response_sd_jwt_vc.txt"
    if not file.exists():
        pytest.skip("not run: openid4vci is not here")
    text = file.read_text().partition('"credential": "')[2].partition('"')[0]
    envelope = decoded(text)
    assert not envelope.faults
    assert envelope.content.kind == "identity"
    assert envelope.claims["is_over_65"] is True


def test_the_disclosures_written_in_rfc_9901_have_the_digests_written_there(shared_data: Path) -> None:
    file = shared_data / "prove" / "sd-jwt-rfc-examples" / "draft-ietf-oauth-selective-disclosure-jwt.md"
    if not file.exists():
        pytest.skip("not run: sd-jwt-rfc-examples is not here")
    text = file.read_text("utf-8")
    disclosures = set(re.findall(r"`(W[A-Za-z0-9_-]{30,})`", text))
    digests = set(re.findall(r"\b[A-Za-z0-9_-]{43}\b", text))
    matching = [one for one in disclosures if digest(one) in digests]
    assert len(matching) == 2
    claim, element = sorted(matching, key=len, reverse=True)
    assert sdjwt.reconstruct({"a": 1, "_sd": [digest(claim)]}, [claim]) == {"a": 1, "family_name": "Möbius"}
    assert sdjwt.reconstruct({"a": ["DE", {"...": digest(element)}]}, [element]) == {"a": ["DE", "FR"]}


# what comes out


def test_only_what_the_holder_discloses_is_read(key: Any, holder: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL, holder=to_jwk(holder.public_key()))
    envelope = decoded(present(token, [("family_name",), ("nationalities", 1)]))
    assert holds(envelope, key)
    assert envelope.claims["family_name"] == "Mustermensch"
    assert envelope.claims["nationalities"] == ["XB"]
    assert not {"given_name", "address", "_sd", "_sd_alg"} & envelope.claims.keys()
    assert envelope.content.kind == "identity"
    assert envelope.content.subject.surname == "Mustermensch"
    assert envelope.issuer == ISSUER
    assert envelope.issued == datetime.fromtimestamp(1_770_000_000, UTC)
    assert envelope.valid_until == datetime.fromtimestamp(1_900_000_000, UTC)


def test_what_lies_inside_brings_what_it_lies_in(key: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL)
    assert decoded(present(token, [("address", "locality")])).claims["address"] == {
        "locality": "Altastadt",
        "country": "XA",
    }
    assert decoded(present(token, [("address",)])).claims["address"] == {"country": "XA"}


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_decoys_say_nothing_and_every_accepted_digest_is_made(algorithm: str, key: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL, decoys=4, digest=algorithm)
    payload = sdjwt.read(token).payload
    assert len(payload["_sd"]) == 3 + 4
    assert len(payload["nationalities"]) == 2 + 4
    assert payload["_sd"] == sorted(payload["_sd"])
    assert decoded(token).claims == claims()
    assert decoded(present(token, [("nationalities", 0)])).claims["nationalities"] == ["XA"]


def test_a_status_list_is_named_and_an_unknown_mechanism_stays_a_question(key: Any) -> None:
    status = {
        "status_list": {"idx": 412, "uri": "https://registry.altania.example/lists/1"},
        "ledger": {"n": 1},
    }
    listed, other = decoded(create(claims(status=status), key=key)).status
    assert (listed.mechanism, listed.uri, listed.index) == (
        "token-status-list",
        "https://registry.altania.example/lists/1",
        412,
    )
    assert other.mechanism == "ledger"
    assert other.uri


def test_the_json_forms_say_the_same_as_the_compact_one(key: Any, holder: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL, holder=to_jwk(holder.public_key()))
    bound = present(
        token, [("given_name",)], key=holder, audience="https://border.example", nonce="n1", at=AT
    )
    other = ec.generate_private_key(ec.SECP384R1())
    flat, general = as_json(bound), as_json(bound, [(other, {"kid": "second"})])
    assert decoded(json.dumps(flat)).claims == decoded(bound).claims
    envelope = decoded(json.dumps(general))
    assert holds(envelope, key, other)
    assert envelope.signatures[1].hint.ids == (f"{ISSUER}#second", "second")
    for form in (flat, general):
        assert sdjwt.check_binding(json.dumps(form), audience="https://border.example", nonce="n1", at=AT)


def test_a_w3c_credential_may_be_disclosed_in_parts(key: Any) -> None:
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "issuer": "did:web:university.altania.example",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:testa",
            "degree": {"type": "ExampleBachelorDegree", "name": "Bachelor of Tests"},
        },
    }
    token = create(
        credential,
        key=key,
        conceal=[("credentialSubject", "degree", "name")],
        header={"typ": "vc+sd-jwt", "kid": "#1"},
    )
    envelope = decoded(token)
    assert not envelope.faults
    assert envelope.content.kind == "qualification"
    assert envelope.content.values["title"] == "Bachelor of Tests"
    assert envelope.signatures[0].hint.ids[0] == "did:web:university.altania.example#1"
    assert "title" not in decoded(present(token)).content.values
    for name in ("issuer", "validFrom"):
        with pytest.raises(NotIssued):
            create(credential, key=key, conceal=[(name,)], header={"typ": "vc+sd-jwt"})


# key binding


@pytest.fixture(scope="module")
def bound(key: Any, holder: Any) -> str:
    token = create(claims(), key=key, conceal=CONCEAL, holder=to_jwk(holder.public_key()))
    return present(token, [("given_name",)], key=holder, audience="https://border.example", nonce="n1", at=AT)


def refusal(
    text: str, *, audience: str = "https://border.example", nonce: str = "n1", at: datetime = AT
) -> str:
    with pytest.raises(sdjwt.BindingRefused) as caught:
        sdjwt.check_binding(text, audience=audience, nonce=nonce, at=at)
    return caught.value.code


def test_a_presentation_without_its_binding_is_not_bound(bound: str) -> None:
    bare = bound[: bound.rindex("~") + 1]
    assert not decoded(bare).faults
    assert refusal(bare) == "binding-missing"


def test_a_presentation_to_another_or_of_another_time_is_refused(bound: str) -> None:
    assert refusal(bound, nonce="n2") == "binding-nonce"
    assert refusal(bound, audience="https://elsewhere.example") == "binding-audience"
    assert refusal(bound, at=AT + timedelta(minutes=6)) == "binding-time"
    assert refusal(bound, at=AT - timedelta(minutes=6)) == "binding-time"


def test_a_binding_by_another_key_shows_even_where_none_was_asked_for(key: Any, holder: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL, holder=to_jwk(holder.public_key()))
    thief = ec.generate_private_key(ec.SECP256R1())
    stolen = present(
        token, [("given_name",)], key=thief, audience="https://border.example", nonce="n1", at=AT
    )
    assert refusal(stolen) == "binding-signature"
    assert decoded(stolen).faults


def test_disclosures_taken_out_after_binding_show(bound: str) -> None:
    parts = bound.split("~")
    assert refusal("~".join((parts[0], parts[-1]))) == "binding-hash"
    assert decoded("~".join((parts[0], parts[-1]))).faults


def test_a_token_bound_to_nobody_cannot_be_presented_as_bound(key: Any, holder: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL)
    pretended = present(token, [], key=holder, audience="https://border.example", nonce="n1", at=AT)
    assert refusal(pretended) == "binding-key"
    assert decoded(pretended).faults


def test_a_credential_is_no_key_binding(key: Any, holder: Any) -> None:
    token = create(claims(), key=key, holder=to_jwk(key.public_key()))
    assert refusal(token + token.split("~")[0]) == "binding-type"


# what must not be believed


def test_a_disclosure_that_was_changed_is_not_one_of_the_issuers(key: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL)
    parts = token.split("~")
    other = sdjwt.read_disclosure(parts[1])
    assert code("~".join((parts[0], written([*other[:-1], "Somebody"]), ""))) == "disclosure-unreferenced"


def test_a_disclosure_of_another_credential_is_refused(key: Any) -> None:
    one, other = (create(claims(), key=key, conceal=CONCEAL) for _ in range(2))
    swapped = "~".join((one.split("~")[0], *other.split("~")[1:]))
    assert code(swapped) == "disclosure-unreferenced"


def test_a_disclosure_inside_one_that_is_kept_back_is_refused(key: Any) -> None:
    token = create(claims(), key=key, conceal=CONCEAL)
    inner = next(
        one for one in sdjwt.read(token).disclosures if "locality" in str(sdjwt.read_disclosure(one)[1])
    )
    assert code(f"{token.split('~')[0]}~{inner}~") == "disclosure-unreferenced"


SALT = "c2FsdHNhbHRzYWx0c2FsdA"
MADE_WRONG: dict[str, tuple[Any, ...]] = {
    "disclosure-twice": ({"_sd": [digest([SALT, "a", 1])]}, [SALT, "a", 1], [SALT, "a", 1]),
    "digest-twice": (
        {"_sd": [digest([SALT, "a", 1])], "b": {"_sd": [digest([SALT, "a", 1])]}},
        [SALT, "a", 1],
    ),
    "digest-refused": ({"_sd": [], "_sd_alg": "sha-1"},),
    "reserved-name": ({"_sd": [digest([SALT, "_sd", []])]}, [SALT, "_sd", []]),
    "claim-twice": ({"a": 0, "_sd": [digest([SALT, "a", 1])]}, [SALT, "a", 1]),
    "disclosure": ({"_sd": [digest([SALT, 1])]}, [SALT, 1]),
    "sd-jwt": ({"_sd": "x"},),
}


@pytest.mark.parametrize("wanted", MADE_WRONG)
def test_what_an_issuer_must_not_make_is_refused_by_name(wanted: str, key: Any) -> None:
    payload, *disclosures = MADE_WRONG[wanted]
    assert code(hand_made(key, payload, *disclosures)) == wanted


@pytest.mark.parametrize(
    ("payload", "disclosures", "wanted"),
    [
        ({"_sd": [digest([SALT, "...", 1])]}, [[SALT, "...", 1]], "reserved-name"),
        ({"a": {"...": "x"}}, [], "reserved-name"),
        ({"a": [{"...": digest([SALT, "a", 1])}]}, [[SALT, "a", 1]], "disclosure"),
        ({"a": [{"...": "x", "b": 1}]}, [], "sd-jwt"),
        ({"a": [{"...": 7}]}, [], "sd-jwt"),
        ({"_sd": [7]}, [], "sd-jwt"),
        (
            {"_sd": [digest([SALT, "a", {"_sd": [digest([SALT, "a", 1])]}])]},
            [[SALT, "a", 1]],
            "disclosure-unreferenced",
        ),
        ({"_sd_alg": ["sha-256"]}, [], "digest-refused"),
        ({"_sd_alg": None}, [], "digest-refused"),
        ({}, ["e30"], "disclosure"),
        ({}, [[SALT, 1, 2]], "disclosure"),
        ({}, [[]], "disclosure"),
        ({}, ["W10="], "disclosure"),
        ({}, ["ü"], "disclosure"),
        ({"iat": "yesterday"}, [], "jwt-date"),
        ({"exp": 1e300}, [], "jwt-date"),
        ({"exp": True}, [], "jwt-date"),
        ({"iss": "https://["}, [], "issuer"),
        ({"status": 1}, [], "status"),
        ({"status": {"status_list": {"idx": -1, "uri": "https://x.example"}}}, [], "status"),
        ([], [], "sd-jwt"),
        ('{"a": 1, "a": 2}', [], "json"),
        ('{"a": NaN}', [], "json"),
        ("[" * 100_000, [], "json"),
    ],
)
def test_odd_payloads_are_refused_by_name(
    payload: Any, disclosures: list[Any], wanted: str, key: Any
) -> None:
    assert code(hand_made(key, payload, *disclosures)) == wanted


def test_disclosures_nested_in_one_another_without_end_are_refused(key: Any) -> None:
    disclosures: list[Any] = [[SALT, "a", 1]]
    for _ in range(1_500):
        disclosures.append([SALT, "a", {"_sd": [digest(disclosures[-1])]}])
    assert code(hand_made(key, {"_sd": [digest(disclosures[-1])]}, *disclosures)) == "too-deep"
    assert code(hand_made(key, {}, *([[SALT, str(n), n] for n in range(2_001)]))) == "too-long"


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": ["ES256"]}, {"alg": None}])
def test_only_signatures_with_public_keys_are_read(header: dict[str, Any], key: Any) -> None:
    rest = create(claims(), key=key).split(".", 1)[1]
    assert code(f"{base64url(json.dumps(header).encode())}.{rest}") == "algorithm-refused"


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJFUzI1NiJ9.e30.AA~~",
        "eyJ.e30.AA~",
        "a.b.c~",
        "eyJhbGciOiJFUzI1NiJ9.e30~",
        "eyJhbGciOiJFUzI1NiJ9.!.AA~",
        "~",
        "",
    ],
)
def test_what_is_cut_or_garbled_is_malformed_and_nothing_else(text: str) -> None:
    with pytest.raises(Malformed):
        sdjwt.decode(carried(text))


def test_a_token_that_lost_its_tilde_is_recognised_and_refused(key: Any) -> None:
    token = create(claims(), key=key).removesuffix("~")
    assert sdjwt.recognise(carried(token))
    assert code(token) == "sd-jwt"


def test_no_truncation_of_a_token_raises_anything_but_malformed(bound: str) -> None:
    for end in range(0, len(bound), 3):
        if sdjwt.recognise(carried(bound[:end])):
            try:
                envelope = sdjwt.decode(carried(bound[:end]))
            except Malformed:
                continue
            # What was cut at a tilde is whole but for its binding.
            assert bound[:end].endswith("~") or envelope.faults


@pytest.mark.parametrize("name", ["iss", "nbf", "exp", "cnf", "vct", "status"])
def test_what_an_issuer_may_not_leave_to_the_holder_is_a_fault_and_is_not_issued(name: str, key: Any) -> None:
    value = {"exp": 1_900_000_000, "nbf": 1, "cnf": {}, "status": {}, "iss": ISSUER, "vct": "urn:x:y"}[name]
    payload = {"vct": "urn:x:y", **{"_sd": [digest([SALT, name, value])]}}
    if name == "vct":
        del payload["vct"]
    assert decoded(hand_made(key, payload, [SALT, name, value])).faults
    with pytest.raises(NotIssued):
        create({"vct": "urn:x:y", name: value}, key=key, conceal=[(name,)])


def test_a_credential_without_its_type_and_a_token_of_another_kind_are_faults(key: Any) -> None:
    assert decoded(hand_made(key, {"iss": ISSUER})).faults
    assert decoded(hand_made(key, {"vct": "urn:x:y"}, typ="statuslist+jwt")).faults
    assert not decoded(hand_made(key, {"vct": "urn:x:y"}, typ="application/DC+SD-JWT")).faults


# whose key


def trusted(*signers: Signer) -> TrustList:
    return TrustList(signers)


def signer(key: Any, issuer: str, *ids: str) -> Signer:
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Signer(issuer=Issuer(id=issuer), spki=spki, ids=ids, source=Source(name="test"))


def test_a_kid_of_another_issuers_key_does_not_make_it_theirs(key: Any) -> None:
    thief = ec.generate_private_key(ec.SECP256R1())
    envelope = decoded(create(claims(), key=thief, header={"kid": "theirs"}))
    found = trusted(signer(key, ISSUER, "ours"), signer(thief, "https://thief.example", "theirs")).find(
        envelope.signatures[0].hint
    )
    assert not found.signers


def test_a_key_that_travels_along_is_looked_up_and_never_believed(key: Any) -> None:
    thief = ec.generate_private_key(ec.SECP256R1())
    hint = decoded(create(claims(), key=thief, header={"jwk": to_jwk(thief.public_key())})).signatures[0].hint
    assert hint.jwk is None
    assert not trusted(signer(key, ISSUER, "ours")).find(hint).signers


def _certificate(key: Any, *names: x509.GeneralName) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Altania Test Registry")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(AT - timedelta(days=9))
        .not_valid_after(AT + timedelta(days=900))
    )
    if names:
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return built.sign(key, hashes.SHA256())


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        ([x509.DNSName("registry.altania.example")], True),
        ([x509.UniformResourceIdentifier(ISSUER)], True),
        ([], True),
        ([x509.DNSName("altania.example")], False),
        ([x509.UniformResourceIdentifier(ISSUER + "/other")], False),
    ],
)
def test_a_certificate_speaks_for_the_names_it_carries(names: list[Any], fits: bool, key: Any) -> None:
    der = _certificate(key, *names).public_bytes(serialization.Encoding.DER)
    envelope = decoded(create(claims(), key=key, header={"x5c": [base64.b64encode(der).decode()]}))
    certificate = read_certificate(der)
    one = Signer(
        issuer=Issuer(id=certificate.subject),
        spki=certificate.spki,
        ids=(certificate.fingerprint,),
        source=Source(name="test"),
        certificate=certificate,
    )
    assert trusted(one).find(envelope.signatures[0].hint).signers == ((one,) if fits else ())


# through the front door


def test_a_verifier_believes_what_is_disclosed_under_the_issuers_signature(key: Any, holder: Any) -> None:
    trust = Trust(issuers=TrustList([signer(key, ISSUER, "k1")], known=[ISSUER]), taken_back=StatusLists())
    token = create(
        claims(), key=key, conceal=CONCEAL, header={"kid": "k1"}, holder=to_jwk(holder.public_key())
    )
    shown = present(token, [("family_name",)], key=holder, audience="https://b.example", nonce="n", at=AT)
    for text in (token, shown, json.dumps(as_json(shown))):
        (verdict,) = examine(text, trust=trust, at=AT)
        assert verdict.outcome is Outcome.YES
        assert verdict.facts is not None
        assert verdict.facts.content.subject.surname == "Mustermensch"
    thief = ec.generate_private_key(ec.SECP256R1())
    stolen = present(token, [("family_name",)], key=thief, audience="https://b.example", nonce="n", at=AT)
    forged = create(claims(), key=thief, conceal=CONCEAL, header={"kid": "k1"})
    other = create(claims(), key=key, conceal=CONCEAL, header={"kid": "k1"})
    swapped = "~".join((token.split("~")[0], *other.split("~")[1:]))
    for text in (stolen, forged, swapped):
        (verdict,) = examine(text, trust=trust, at=AT)
        assert verdict.outcome is Outcome.NO
        assert verdict.authentic.outcome is Outcome.NO
    (verdict,) = examine(token, trust=trust, at=datetime(2031, 1, 1, tzinfo=UTC))
    assert verdict.in_time.code == "expired"


# issuing


@pytest.mark.parametrize(
    ("made", "options"),
    [
        ({"_sd": []}, {}),
        ({"a": {"...": 1}}, {}),
        ({"a": float("nan")}, {}),
        ({"a": object()}, {}),
        ({"a": 1}, {"conceal": [("b",)]}),
        ({"a": [1]}, {"conceal": [("a", 1)]}),
        ({"a": 1}, {"header": {"alg": "none"}}),
        ({"a": 1}, {"header": {"typ": "dc+sd-jwt"}}),
        ({"a": 1}, {"holder": {"kty": "oct", "k": "AA"}}),
        ({"vct": "urn:x:y", "a": "\ud800"}, {}),
    ],
)
def test_what_no_reader_would_take_is_not_issued(
    made: dict[str, Any], options: dict[str, Any], key: Any
) -> None:
    with pytest.raises(CredentialError):
        create(made, key=key, **options)


def test_every_claim_has_a_salt_of_its_own_of_128_bits(key: Any) -> None:
    salts = [
        sdjwt.read_disclosure(one)[0]
        for one in sdjwt.read(create(claims(), key=key, conceal=CONCEAL)).disclosures
    ]
    assert len(set(salts)) == len(salts) == 6
    assert {len(one) for one in salts} == {22}


def test_a_private_key_of_the_holder_does_not_end_up_in_the_credential(key: Any, holder: Any) -> None:
    private = {**to_jwk(holder.public_key()), "d": "c2VjcmV0"}
    assert decoded(create(claims(), key=key, holder=private)).claims["cnf"] == {
        "jwk": to_jwk(holder.public_key())
    }


def test_salts_may_be_given_so_that_a_token_can_be_made_twice(key: Any) -> None:
    def salts() -> Any:
        numbers = itertools.count()
        return lambda: f"{next(numbers):022d}"

    one, other = (create(claims(), key=key, conceal=CONCEAL, salt=salts()) for _ in range(2))
    assert one.split(".")[1] == other.split(".")[1]
    assert one.split("~")[1:] == other.split("~")[1:]
