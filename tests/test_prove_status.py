"""What was taken back: the vectors of the drafts, lists of our own, and lists that nobody should believe."""

import base64
import json
import random
import re
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from landbridge.prove.cose import read_cbor, read_sign1, sig_structure
from landbridge.prove.facts import Issuer, Outcome
from landbridge.prove.issue.hcert import create
from landbridge.prove.jose import read_compact
from landbridge.prove.keys import base64url, sign, verify_signature
from landbridge.prove.status import StatusLists
from landbridge.prove.status.bits import (
    StatusListRefused,
    make_row,
    pack_bitstring_row,
    pack_token_row,
    read_bitstring_row,
    read_token_row,
)
from landbridge.prove.status.hashes import hash_of
from landbridge.prove.status.read import read_list, read_lists
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.verify import Policy, Trust, examine
from tests.provers import NOON, TestIssuer, negative_test, trusting

URI = "https://altania.example/status/1"
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def vectors(shared_data: Path) -> Path:
    folder = shared_data / "prove" / "status-list-vectors"
    if not folder.is_dir():
        pytest.skip("not run: no status list vectors here")
    return folder


def _json_of(text: str) -> dict[str, Any]:
    return dict(json.loads(re.sub(r"\n\s+(?=[A-Za-z0-9_-]+\"?$)", "", text[text.index("{") :], flags=re.M)))


def _cbor_of(text: str) -> Any:
    return read_cbor(
        bytes.fromhex("".join(line for line in text.split() if re.fullmatch(r"[0-9a-f]+", line)))
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("encoding", ["json", "cbor"])
def test_the_drafts_lists_of_a_million_entries_say_what_the_draft_says(
    vectors: Path, bits: int, encoding: str
) -> None:
    draft = next(vectors.glob("draft-*.md")).read_text("utf-8")
    start = draft.index(f"## {bits}-bit Status List")
    stated = draft[start : draft.index("~~~~~~~~~~", draft.index("~~~~~~~~~~", start) + 1)]
    marked = {
        int(index): int(value, 0)
        for index, value in re.findall(r"status\[(\d+)\]\s*=\s*(0b[01]+|\d+)", stated)
    }
    assert len(marked) == (255 if bits == 8 else {1: 11, 2: 11, 4: 16}[bits]) or len(marked) > 10
    stem = "status_list_encoding" + {1: "1_long", 2: "2_long", 4: "4", 8: "8"}[bits]
    text = (vectors / "examples" / f"{stem}_{encoding}.md").read_text("utf-8")
    row = read_token_row(_json_of(text) if encoding == "json" else _cbor_of(text))
    assert row.size == bits
    assert len(row) == 1 << 20
    assert {index: row[index] for index in range(len(row)) if row[index]} == {
        k: v for k, v in marked.items() if v
    }


def test_the_drafts_short_lists_begin_at_the_lowest_bit(vectors: Path) -> None:
    one = read_token_row(_json_of((vectors / "examples" / "status_list_encoding_json.md").read_text()))
    assert [one[index] for index in range(16)] == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    two = read_token_row(_json_of((vectors / "examples" / "status_list_encoding2_json.md").read_text()))
    assert [two[index] for index in range(12)] == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    for name, row in (("", one), ("2", two)):
        text = (vectors / "examples" / f"status_list_encoding{name}_cbor.md").read_text()
        assert read_token_row(_cbor_of(text)) == row


def test_the_drafts_signed_lists_and_token_verify_with_the_key_that_their_signatures_tell(
    vectors: Path,
) -> None:
    """The draft prints no public key. Each ECDSA signature leaves two that could have made it: one key made all."""
    examples = vectors / "examples"
    token = read_compact("".join((examples / "status_list_jwt_raw.md").read_text().split()).rstrip("="))
    signs = [
        read_sign1(bytes.fromhex("".join((examples / name).read_text().split())))
        for name in ("status_list_cwt.md", "referenced_token_cwt.md")
    ]
    signed = [(token.signed, token.signature), *((one.signed, one.signature) for one in signs)]
    common = set.intersection(*(_keys_that_signed(*one) for one in signed))
    assert len(common) == 1
    x, y = common.pop()
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    for message, signature in signed:
        verify_signature(key, "ES256", message, signature)
    spki = _spki(key)
    issuer = Issuer(id="https://example.com")
    signer = Signer(issuer=issuer, spki=spki, ids=("12", base64url(b"12")), source=Source(name="test"))
    issuers = TrustList([signer])
    raw = (examples / "status_list_jwt_raw.md").read_bytes()
    for data in (
        b"".join(raw.split()),
        bytes.fromhex("".join((examples / "status_list_cwt.md").read_text().split())),
    ):
        (found,) = read_list(data, issuers)
        assert found.uri == "https://example.com/statuslists/1"
        assert found.signer == signer
        assert found.source.issued is not None
        assert found.source.issued.year == 2023


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _keys_that_signed(message: bytes, signature: bytes) -> set[tuple[int, int]]:
    """SEC 1, 4.1.6: the public keys with which a P-256 signature verifies."""
    import hashlib

    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    square = (pow(r, 3, P) - 3 * r + b) % P
    root = pow(square, (P + 1) // 4, P)
    generator = (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    )
    inverse = pow(r, -1, N)
    found = set()
    for y in (root, P - root):
        one, other = _times((r, y), s * inverse % N), _times(generator, -e * inverse % N)
        point = _plus(one, other)
        assert point is not None
        found.add(point)
    return found


def _plus(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def _times(point: tuple[int, int], factor: int) -> tuple[int, int] | None:
    found, step = None, point
    while factor:
        if factor & 1:
            found = _plus(found, step)
        step = _plus(step, step)  # type: ignore[assignment]
        factor >>= 1
    return found


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_what_is_packed_is_read_again_in_both_forms(size: int) -> None:
    dice = random.Random(size)
    marked = {dice.randrange(5_000): dice.randrange(1, 1 << size) for _ in range(300)}
    row = make_row(5_000, marked, size)
    assert read_token_row({"bits": size, "lst": pack_token_row(row)}) == row
    assert read_token_row({"bits": size, "lst": base64url(pack_token_row(row))}) == row
    high = make_row(5_000, marked, size, low_first=False)
    assert read_bitstring_row(pack_bitstring_row(high), size) == high
    for index in range(5_000):
        assert row[index] == high[index] == marked.get(index, 0)
    with pytest.raises(IndexError):
        row[len(row)]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"bits": 3, "lst": "eNrbuRgAAhcBXQ"},
        {"bits": True, "lst": "eNrbuRgAAhcBXQ"},
        {"bits": 1, "lst": "not zlib"},
        {"bits": 1, "lst": "eNrbuRgAAhcB"},
        {"bits": 1, "lst": None},
        {"bits": 1, "lst": base64url(zlib.compress(bytes(80_000_000), 9))},
    ],
)
def test_a_list_that_is_none_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(StatusListRefused):
        read_token_row(content)


@pytest.fixture(scope="module")
def laboratory() -> TestIssuer:
    return TestIssuer()


def _certificate(laboratory: TestIssuer, place: int) -> str:
    return create(
        negative_test(),
        key=laboratory.key,
        kid=laboratory.kid,
        country="XA",
        issued=NOON,
        expires=NOON + timedelta(days=30),
        status={"status_list": {"idx": place, "uri": URI}},
    )


def _list_token(
    issuer: TestIssuer,
    marked: dict[int, int],
    *,
    size: int = 2,
    days: float = 7,
    uri: str = URI,
    length: int = 1_000,
) -> bytes:
    issued = int(NOON.timestamp())
    lst = pack_token_row(make_row(length, marked, size))
    head = cbor2.dumps({1: -7, 4: issuer.kid, 16: "application/statuslist+cwt"})
    claims = {2: uri, 6: issued, 4: issued + int(days * 86_400), 65533: {"bits": size, "lst": lst}}
    body = cbor2.dumps(claims)
    signature = sign(issuer.key, "ES256", sig_structure(head, body))
    return cbor2.dumps(cbor2.CBORTag(18, [head, {}, body, signature]))


def _trust(laboratory: TestIssuer, data: bytes | None, **more: Any) -> Trust:
    trust = trusting(laboratory, **more)
    if data is None:
        return trust
    lists = StatusLists(read_list(data, trust.issuers))
    return Trust(issuers=trust.issuers, taken_back=lists, **more)


@pytest.mark.parametrize(
    ("marked", "outcome", "code"),
    [
        ({}, "yes", "not-on-list"),
        ({8: 1}, "yes", "not-on-list"),
        ({7: 1}, "no", "taken-back"),
        ({7: 2}, "no", "suspended"),
        ({7: 3}, "open", "list-unreadable"),
    ],
)
def test_a_number_in_the_list_decides_its_credential_and_no_other(
    laboratory: TestIssuer, marked: dict[int, int], outcome: str, code: str
) -> None:
    trust = _trust(laboratory, _list_token(laboratory, marked))
    verdict = examine(_certificate(laboratory, 7), trust=trust, at=NOON + timedelta(hours=1))[0]
    assert (str(verdict.outcome), verdict.not_taken_back.code) == (outcome, code)
    assert (verdict.facts is not None) == (outcome == "yes")


def test_a_list_that_is_named_and_missing_stale_or_too_short_leaves_it_open(laboratory: TestIssuer) -> None:
    text = _certificate(laboratory, 7)
    assert examine(text, trust=_trust(laboratory, None), at=NOON)[0].not_taken_back.code == "list-missing"
    other = _list_token(laboratory, {}, uri=URI + "0")
    assert examine(text, trust=_trust(laboratory, other), at=NOON)[0].not_taken_back.code == "list-missing"
    week = _list_token(laboratory, {})
    late = examine(text, trust=_trust(laboratory, week), at=NOON + timedelta(days=8))[0]
    assert (late.outcome, late.not_taken_back.code) == (Outcome.OPEN, "list-stale")
    old = _list_token(laboratory, {}, days=60)
    strict = Policy(refuse_after=timedelta(days=3))
    late = examine(text, trust=_trust(laboratory, old, policy=strict), at=NOON + timedelta(days=4))[0]
    assert late.not_taken_back.code == "list-stale"
    short = _list_token(laboratory, {}, size=8, length=4)
    assert examine(text, trust=_trust(laboratory, short), at=NOON)[0].not_taken_back.code == "list-unreadable"


def test_an_old_list_is_still_believed_in_what_it_took_back_and_says_its_age(laboratory: TestIssuer) -> None:
    text = _certificate(laboratory, 7)
    late = NOON + timedelta(days=8)
    verdict = examine(text, trust=_trust(laboratory, _list_token(laboratory, {7: 1})), at=late)[0]
    assert verdict.not_taken_back.code == "taken-back"
    two_days = NOON + timedelta(days=2)
    verdict = examine(text, trust=_trust(laboratory, _list_token(laboratory, {})), at=two_days)[0]
    assert verdict.outcome is Outcome.YES
    assert "list-ageing" in verdict.warnings


def test_a_list_of_somebody_else_speaks_for_nobodys_credential_but_theirs(laboratory: TestIssuer) -> None:
    stranger = TestIssuer("XB")
    both = trusting(laboratory, stranger)
    lists = StatusLists(read_list(_list_token(stranger, {}), both.issuers))
    trust = Trust(issuers=both.issuers, taken_back=lists)
    verdict = examine(_certificate(laboratory, 7), trust=trust, at=NOON)[0]
    assert (verdict.outcome, verdict.not_taken_back.code) == (Outcome.OPEN, "list-unreadable")
    with pytest.raises(StatusListRefused):
        list(read_list(_list_token(stranger, {}), trusting(laboratory).issuers))
    forged = bytearray(_list_token(laboratory, {7: 1}))
    forged[-1] ^= 1
    with pytest.raises(StatusListRefused):
        list(read_list(bytes(forged), trusting(laboratory).issuers))


def _batch(hash_type: str, *digests: bytes, length: int = 16) -> bytes:
    entries = [{"hash": base64.b64encode(one[:length]).decode()} for one in digests]
    return json.dumps({"country": "XA", "hashType": hash_type, "expires": None, "entries": entries}).encode()


@pytest.mark.parametrize("hash_type", ["UCI", "COUNTRYCODEUCI", "SIGNATURE"])
@pytest.mark.parametrize("length", [16, 12, 8])
def test_a_hash_list_takes_back_exactly_what_it_names(
    laboratory: TestIssuer, hash_type: str, length: int
) -> None:
    text = laboratory.test_result()
    other = laboratory.test_result(ci="URN:UVCI:01:XA:TEST000000000002")
    signature = _signature(text)
    digest = hash_of(hash_type, "URN:UVCI:01:XA:TEST000000000001", "XA", signature, "ES256")
    trust = _trust(laboratory, _batch(hash_type, digest, length=length))
    assert examine(text, trust=trust, at=NOON)[0].not_taken_back.code == "taken-back"
    assert examine(other, trust=trust, at=NOON)[0].not_taken_back.code == "not-on-list"


def test_a_signature_turned_round_does_not_escape_the_list_of_signatures(laboratory: TestIssuer) -> None:
    from landbridge.prove.formats import hcert

    text = laboratory.test_result()
    data = cbor2.loads(hcert.inflate(hcert.from_base45(hcert.unprefix(text)))).value
    r, s = data[3][:32], int.from_bytes(data[3][32:], "big")
    turned = cbor2.CBORTag(18, [data[0], data[1], data[2], r + (N - s).to_bytes(32, "big")])
    again = "HC1:" + hcert.to_base45(zlib.compress(cbor2.dumps(turned)))
    assert again != text
    assert examine(again, trust=_trust(laboratory, None), at=NOON)[0].outcome is Outcome.YES
    digest = hash_of("SIGNATURE", "", "", _signature(text), "ES256")
    trust = _trust(laboratory, _batch("SIGNATURE", digest))
    for one in (text, again):
        assert examine(one, trust=trust, at=NOON)[0].not_taken_back.code == "taken-back"


def _signature(text: str) -> bytes:
    from landbridge.prove.formats import hcert

    return read_sign1(hcert.inflate(hcert.from_base45(hcert.unprefix(text)))).signature


@pytest.mark.parametrize(
    "batch",
    [
        {"hashType": "UCI", "entries": [{"hash": "???"}]},
        {"hashType": "UCI", "entries": [{"hash": "AAE="}]},
        {"hashType": "UCI", "entries": [{"hash": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"hash": "AAAAAAAA"}]},
        {"hashType": "UCI", "entries": {}},
        {"hashType": "UCI", "entries": [1], "expires": "soon"},
        {"hashType": "MD5", "entries": []},
    ],
)
def test_a_batch_of_something_else_is_refused(batch: dict[str, Any]) -> None:
    with pytest.raises(StatusListRefused):
        list(read_list(json.dumps(batch).encode(), TrustList()))


def test_a_folder_of_lists_is_read_and_what_is_none_passed_over(
    laboratory: TestIssuer, tmp_path: Path
) -> None:
    (tmp_path / "one").write_bytes(_list_token(laboratory, {7: 1}))
    (tmp_path / "two.json").write_bytes(_batch("UCI"))
    (tmp_path / "readme.txt").write_text("no list")
    found = read_lists([tmp_path], trusting(laboratory).issuers)
    assert sorted(one.mechanism for one in found.lists) == ["dcc-revocation", "token-status-list"]
    with pytest.raises(StatusListRefused):
        read_lists([tmp_path / "readme.txt"], trusting(laboratory).issuers)


def test_an_issuer_whose_list_must_be_at_hand_leaves_its_credentials_open_without_it(
    laboratory: TestIssuer,
) -> None:
    import msgspec

    only = trusting(laboratory).issuers.signers[0]
    listed = msgspec.structs.replace(only, lists=("https://altania.example/hashes",))
    trust = Trust(issuers=TrustList([listed]), taken_back=StatusLists())
    verdict = examine(laboratory.test_result(), trust=trust, at=NOON)[0]
    assert (verdict.outcome, verdict.not_taken_back.code) == (Outcome.OPEN, "list-missing")


def test_ten_million_with_one_in_a_hundred_withdrawn_stay_below_two_hundred_kilobytes() -> None:
    dice = random.Random(10_000_000)
    row = make_row(10_000_000, dict.fromkeys(dice.sample(range(10_000_000), 100_000), 1))
    packed = pack_token_row(row)
    assert len(packed) <= 200_000
    assert read_token_row({"bits": 1, "lst": packed}) == row
