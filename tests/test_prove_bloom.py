"""What was taken back, as phones get it: Bloom filters, partial hashes, and the JSON that tells whose they are."""

import base64
import gzip
import hashlib
import io
import json
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest

from landbridge.prove.cose import read_sign1
from landbridge.prove.facts import Outcome
from landbridge.prove.formats import hcert
from landbridge.prove.issue.hcert import create
from landbridge.prove.keys import base64url
from landbridge.prove.status import StatusLists
from landbridge.prove.status.bits import NumberedList, StatusListRefused, make_row
from landbridge.prove.status.bloom import make_bloom, pack_bloom, read_bloom
from landbridge.prove.status.hashes import (
    SliceList,
    hash_of,
    make_partial,
    pack_partial,
    read_partial,
    read_slices,
)
from landbridge.prove.status.read import read_list, read_lists
from landbridge.prove.trust.list import Source, TrustList
from landbridge.prove.verify import HINTS, Trust, examine
from tests.provers import NOON, TestIssuer, negative_test, trusting

WEEK = NOON + timedelta(days=7)
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DEPTHS = {"POINT": 1, "VECTOR": 2, "COORDINATE": 3}
FORMS = {"BLOOMFILTER": lambda some: pack_bloom(make_bloom(some, 1e-6))}
for _length in (4, 8, 16):
    FORMS[f"VARHASHLIST{_length}"] = lambda some, length=_length: pack_partial(make_partial(some, length))


@pytest.fixture(scope="module")
def laboratory() -> TestIssuer:
    return TestIssuer()


def _kid(issuer: TestIssuer) -> str:
    return base64.b64encode(issuer.kid).decode()


def _index(*issuers: TestIssuer, mode: str = "POINT", types: Iterable[str] = ("SIGNATURE", "UCI")) -> bytes:
    rows = [
        {
            "kid": _kid(one),
            "mode": mode,
            "hashTypes": list(types),
            "expires": WEEK.isoformat(),
            "lastUpdated": NOON.isoformat(),
        }
        for one in issuers
    ]
    return json.dumps(rows).encode()


def _published(
    issuer: TestIssuer,
    hashes: Iterable[bytes],
    *,
    form: str = "VARHASHLIST16",
    mode: str = "POINT",
    until: datetime = WEEK,
    updated: datetime = NOON,
) -> list[bytes]:
    """The partitions of one key, and its slices, cut as the mode says."""
    depth = DEPTHS[mode]
    by_start: dict[str, list[bytes]] = {}
    for one in hashes:
        by_start.setdefault(one.hex()[:depth], []).append(one)
    files, partitions = [], []
    for start, some in by_start.items():
        files.append(FORMS[form](some))
        told = {
            "type": form.rstrip("0123456789"),
            "version": "1.0",
            "hash": hashlib.sha256(files[-1]).hexdigest(),
        }
        x, y = (start[0] if depth > 1 else None), (start[1] if depth > 2 else None)
        partitions.append(
            {
                "kid": _kid(issuer),
                "id": start[:-1] or None,
                "x": x,
                "y": y,
                "lastUpdated": updated.isoformat(),
                "expired": until.isoformat(),
                "chunks": {start[-1]: {until.isoformat(): told}},
            }
        )
    return [json.dumps(partitions).encode(), *files]


def _signature(text: str) -> bytes:
    return read_sign1(hcert.inflate(hcert.from_base45(hcert.unprefix(text)))).signature


def _hash(text: str, hash_type: str = "SIGNATURE", number: int = 1) -> bytes:
    return hash_of(hash_type, f"URN:UVCI:01:XA:TEST{number:012}", "XA", _signature(text), "ES256")


def _noise(amount: int) -> list[bytes]:
    return [random.Random(number).randbytes(16) for number in range(amount)]


def _asked(laboratory: TestIssuer, text: str, files: Iterable[bytes], at: datetime = NOON) -> tuple[str, str]:
    trust = trusting(laboratory)
    lists = StatusLists(read_slices(files, trust.issuers, name="slices"))
    verdict = examine(text, trust=Trust(issuers=trust.issuers, taken_back=lists), at=at)[0]
    assert (verdict.facts is not None) == (verdict.outcome is Outcome.YES)
    return str(verdict.not_taken_back.outcome), verdict.not_taken_back.code


def test_a_filter_holds_all_that_was_put_in_and_names_others_as_often_as_it_says() -> None:
    some = _noise(2_000)
    bloom = make_bloom(some, 0.01)
    assert all(one in bloom for one in some)
    others = [hashlib.sha256(one).digest()[:16] for one in some]
    assert sum(one in bloom for one in others) < 2_000 * 0.03
    again = read_bloom(pack_bloom(bloom))
    assert (again.bits, again.rounds, again.planned, again.count) == (bloom.bits, bloom.rounds, 2_000, 2_000)


def test_a_filter_has_the_size_and_the_bits_that_its_format_gives_it() -> None:
    """The size and rounds are worked out from the format's formulas, the bit by hand from SHA-256."""
    bloom = make_bloom(_noise(10_000), 1e-5)
    assert (bloom.rounds, len(bloom.bits) * 8) == (17, 239_680)
    one = make_bloom([b"element"], 0.5)
    bits = len(one.bits) * 8
    places = {
        int.from_bytes(hashlib.sha256(b"element" + bytes([number])).digest(), "big", signed=True) % bits
        for number in range(one.rounds)
    }
    assert {place for place in range(bits) if one.bits[place // 8] >> (7 - place % 8) & 1} == places
    packed = pack_bloom(one)
    assert packed[:4] == bytes([0, 1, one.rounds, 0])
    assert struct.unpack(">f", packed[4:8]) == (0.5,)
    assert struct.unpack(">iii", packed[8:20]) == (1, 1, len(one.bits) // 4)


def test_a_filter_written_as_the_formats_table_says_is_read_like_one_of_its_reference() -> None:
    packed = pack_bloom(make_bloom(_noise(50), 0.001))
    table = (
        packed[:2]
        + packed[3:4]
        + packed[2:3]
        + packed[4:16]
        + struct.pack(">i", len(packed) - 20)
        + packed[20:]
    )
    assert read_bloom(table) == read_bloom(packed)


def _changed(at: int, new: bytes) -> bytes:
    packed = pack_bloom(make_bloom([b"one"], 0.01))
    return packed[:at] + new + packed[at + len(new) :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        pack_bloom(make_bloom([b"one"], 0.01))[:20],
        pack_bloom(make_bloom([b"one"], 0.01))[:-1],
        pack_bloom(make_bloom([b"one"], 0.01)) + b"\0",
        _changed(0, b"\0\2"),
        _changed(2, b"\0\0"),
        _changed(2, b"\5\5"),
        _changed(2, b"\xff\0"),
        _changed(4, struct.pack(">f", float("nan"))),
        _changed(4, struct.pack(">f", -0.5)),
        _changed(8, b"\xff"),
        _changed(16, b"\x7f\xff\xff\xff"),
        _changed(16, b"\xff\xff\xff\xff"),
    ],
)
def test_a_filter_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(StatusListRefused):
        read_bloom(data)


@pytest.mark.parametrize("rate", [0, 1, -1, float("nan"), 1e-300])
def test_no_filter_is_made_at_a_rate_that_cannot_be(rate: float) -> None:
    if rate == 1e-300:
        assert make_bloom([b"one"], rate).rounds == 127
        return
    with pytest.raises(ValueError, match="rate"):
        make_bloom([b"one"], rate)


@pytest.mark.parametrize("length", [4, 5, 16])
def test_partial_hashes_are_read_as_they_are_written(length: int) -> None:
    partial = make_partial([*_noise(300), bytes(16), b"\xff" * 16], length)
    packed = pack_partial(partial)
    assert len(packed) == 11 + 302 * length
    assert read_partial(packed) == partial
    assert all(one in partial for one in _noise(300))
    assert hashlib.sha256(b"other").digest()[:16] not in partial


def test_a_hash_whose_first_byte_the_reference_loses_is_found_nevertheless() -> None:
    """It takes hashes for signed numbers: FF 90 … is the shorter 90 …, and is filled up with 00 in front."""
    head = struct.pack(">hfib", 1, 0.0, 2, 4)
    partial = read_partial(head + bytes.fromhex("00901122") + bytes.fromhex("ff112233"))
    assert bytes.fromhex("ff901122") + bytes(12) in partial
    assert bytes.fromhex("ff112233") + bytes(12) in partial
    assert bytes.fromhex("ff001122") + bytes(12) not in partial


@pytest.mark.parametrize(
    "data",
    [b"", bytes(10), b"\0\2" + bytes(8) + b"\4", b"\0\1" + bytes(8) + b"\0", b"\0\1" + bytes(8) + b"\4abc"],
)
def test_a_row_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(StatusListRefused):
        read_partial(data)


@pytest.mark.parametrize("mode", DEPTHS)
@pytest.mark.parametrize("hash_type", ["SIGNATURE", "UCI", "COUNTRYCODEUCI"])
@pytest.mark.parametrize(
    ("form", "outcome", "code"),
    [
        ("BLOOMFILTER", "open", "possibly-taken-back"),
        ("VARHASHLIST4", "open", "possibly-taken-back"),
        ("VARHASHLIST8", "no", "taken-back"),
        ("VARHASHLIST16", "no", "taken-back"),
    ],
)
def test_slices_take_back_what_they_name_and_are_sure_only_where_they_can_be(
    laboratory: TestIssuer, mode: str, hash_type: str, form: str, outcome: str, code: str
) -> None:
    text, other = laboratory.test_result(), laboratory.test_result(ci="URN:UVCI:01:XA:TEST000000000002")
    hashes = [*_noise(200), _hash(text, hash_type)]
    files = [
        _index(laboratory, mode=mode, types=[hash_type]),
        *_published(laboratory, hashes, form=form, mode=mode),
    ]
    assert _asked(laboratory, text, files) == (outcome, code)
    assert _asked(laboratory, other, files) == ("yes", "not-on-list")
    assert _asked(laboratory, text, files[1:]) == (outcome, code)


def test_a_possible_withdrawal_says_what_to_do() -> None:
    assert "issuer" in HINTS["possibly-taken-back"]


def test_an_exact_list_decides_what_a_filter_only_suspects(laboratory: TestIssuer) -> None:
    text = laboratory.test_result()
    suspected, known = [*_noise(20), _hash(text)], _noise(20)
    by_filter = _published(laboratory, suspected, form="BLOOMFILTER")
    assert _asked(laboratory, text, by_filter)[1] == "possibly-taken-back"
    # Two forms of one place and date hold the same hashes.
    cleared = _published(laboratory, [*known, bytes([_hash(text)[0]]) + bytes(15)], form="VARHASHLIST16")
    assert _asked(laboratory, text, by_filter + cleared) == ("yes", "not-on-list")
    named = _published(laboratory, suspected, form="VARHASHLIST16")
    assert _asked(laboratory, text, by_filter + named) == ("no", "taken-back")
    # Those of another day do not: what was taken back since is in the newer alone.
    older = _published(
        laboratory,
        [*known, bytes([_hash(text)[0]]) + bytes(15)],
        form="VARHASHLIST16",
        updated=NOON - timedelta(days=1),
    )
    assert _asked(laboratory, text, by_filter + older)[1] == "possibly-taken-back"


def test_a_list_that_the_credential_points_into_decides_what_a_filter_only_suspects(
    laboratory: TestIssuer,
) -> None:
    uri = "https://altania.example/status/1"
    text = create(
        negative_test(),
        key=laboratory.key,
        kid=laboratory.kid,
        country="XA",
        issued=NOON,
        expires=NOON + timedelta(days=30),
        status={"status_list": {"idx": 7, "uri": uri}},
    )
    trust = trusting(laboratory)
    filters = read_slices(
        _published(laboratory, [_hash(text)], form="BLOOMFILTER"), trust.issuers, name="slices"
    )
    for marked, code in (({}, "not-on-list"), ({7: 1}, "taken-back")):
        numbered = NumberedList(
            mechanism="token-status-list",
            uri=uri,
            source=Source(name=uri, issued=NOON),
            signer=trust.issuers.signers[0],
            row=make_row(100, marked),
        )
        lists = StatusLists([*filters, numbered])
        verdict = examine(text, trust=Trust(issuers=trust.issuers, taken_back=lists), at=NOON)[0]
        assert verdict.not_taken_back.code == code


def test_a_slice_speaks_of_its_own_key_alone_and_ends_at_its_date(laboratory: TestIssuer) -> None:
    text, stranger = laboratory.test_result(), TestIssuer("XB")
    assert _asked(laboratory, text, _published(stranger, [_hash(text)])) == ("yes", "no-list")
    files = _published(laboratory, [_hash(text)])
    assert _asked(laboratory, text, files, at=WEEK)[1] == "taken-back"
    assert _asked(laboratory, text, files, at=WEEK + timedelta(seconds=1))[1] == "no-list"
    longer = _published(laboratory, [_hash(text)], until=WEEK + timedelta(days=7))
    assert _asked(laboratory, text, files + longer, at=WEEK + timedelta(days=1))[1] == "taken-back"


def test_a_signature_turned_round_or_another_name_of_the_key_does_not_escape(laboratory: TestIssuer) -> None:
    text = laboratory.test_result()
    data = cbor2.loads(hcert.inflate(hcert.from_base45(hcert.unprefix(text)))).value
    r, s = data[3][:32], int.from_bytes(data[3][32:], "big")
    turned = cbor2.CBORTag(18, [data[0], data[1], data[2], r + (N - s).to_bytes(32, "big")])
    again = "HC1:" + hcert.to_base45(zlib.compress(cbor2.dumps(turned)))
    files = _published(laboratory, [_hash(text)], form="BLOOMFILTER")
    assert _asked(laboratory, again, files)[1] == "possibly-taken-back"
    # The same key under a second name, as after its certificate was renewed.
    trust = trusting(laboratory)
    (first,) = trust.issuers.signers
    both = TrustList([msgspec.structs.replace(first, ids=(base64url(b"new-name"),)), first])
    under = create(
        negative_test(),
        key=laboratory.key,
        kid=b"new-name",
        country="XA",
        issued=NOON,
        expires=NOON + timedelta(days=30),
    )
    lists = StatusLists(read_slices(_published(laboratory, [_hash(under)]), both, name="slices"))
    verdict = examine(under, trust=Trust(issuers=both, taken_back=lists), at=NOON)[0]
    assert verdict.not_taken_back.code == "taken-back"


def test_a_slice_that_is_told_of_and_missing_damaged_or_of_another_kind_leaves_its_place_open(
    laboratory: TestIssuer,
) -> None:
    text, other = laboratory.test_result(), laboratory.test_result(ci="URN:UVCI:01:XA:TEST000000000002")
    place = _hash(text)
    while _hash(other)[0] >> 4 == place[0] >> 4:
        other = laboratory.test_result(ci="URN:UVCI:01:XA:TEST000000000002")
    metadata, slice_ = _published(laboratory, [place])
    index = _index(laboratory, types=["SIGNATURE"])
    cases = {
        "missing": [index, metadata],
        "changed": [index, metadata, slice_[:-1] + bytes([slice_[-1] ^ 1])],
        "of another kind": [index, metadata.replace(b"VARHASHLIST", b"CUCKOOFILTER"), slice_],
        "taken for a filter": [index, metadata.replace(b"VARHASHLIST", b"BLOOMFILTER"), slice_],
    }
    for name, files in cases.items():
        assert _asked(laboratory, text, files) == ("open", "list-unreadable"), name
        assert _asked(laboratory, other, files) == ("yes", "not-on-list"), name
    assert _asked(laboratory, text, [index]) == ("open", "list-unreadable")


def _tar(files: Mapping[str, bytes], *, ended: bool = True) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        length = archive.offset
    data = packed.getvalue()
    return data if ended else data[:length]


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize("form", ["BLOOMFILTER", "VARHASHLIST8"])
@pytest.mark.parametrize("carrier", ["folder", "tar", "tar without an end", "tar.gz", "zip"])
def test_slices_are_read_from_a_folder_and_from_archives(
    laboratory: TestIssuer, tmp_path: Path, form: str, carrier: str
) -> None:
    text = laboratory.test_result()
    metadata, *slices = _published(laboratory, [*_noise(50), _hash(text)], form=form, mode="VECTOR")
    files = {"lists.json": _index(laboratory, mode="VECTOR"), "a/partitions.json": metadata}
    files |= {f"a/null/{number}/{hashlib.sha256(one).hexdigest()}": one for number, one in enumerate(slices)}
    if carrier == "folder":
        for name, data in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
        path = tmp_path
    else:
        path = tmp_path / "slices"
        tar = _tar(files, ended=carrier != "tar without an end")
        path.write_bytes(
            _zip(files) if carrier == "zip" else gzip.compress(tar) if carrier == "tar.gz" else tar
        )
    trust = trusting(laboratory)
    trust = Trust(issuers=trust.issuers, taken_back=read_lists([path], trust.issuers))
    expected = "possibly-taken-back" if form == "BLOOMFILTER" else "taken-back"
    assert examine(text, trust=trust, at=NOON)[0].not_taken_back.code == expected


def test_what_a_member_published_speaks_of_its_own_keys_alone(laboratory: TestIssuer) -> None:
    stranger = TestIssuer("XB")
    both = trusting(laboratory, stranger).issuers
    mine = msgspec.structs.replace(both.signers[0], source=Source(name="XA"))
    theirs = msgspec.structs.replace(both.signers[1], source=Source(name="XB"))
    issuers = TrustList([mine, theirs])
    text = laboratory.test_result()
    packed = _tar(dict(zip("ab", _published(laboratory, [_hash(text)]), strict=True)))
    with pytest.raises(StatusListRefused):
        list(read_list(packed, issuers, name="x", believed=Source(name="XB")))
    (found,) = read_list(packed, issuers, name="x", believed=Source(name="XA", issued=NOON))
    assert isinstance(found, SliceList)
    assert found.source.name == "XA"


def test_a_slice_or_its_json_alone_is_refused_and_says_what_to_hand_over(laboratory: TestIssuer) -> None:
    for one in (
        _index(laboratory),
        *_published(laboratory, _noise(1), form="BLOOMFILTER"),
        _tar({"a": b"b"}),
    ):
        with pytest.raises(StatusListRefused):
            list(read_list(one, trusting(laboratory).issuers))
    with pytest.raises(StatusListRefused) as refused:
        list(read_list(pack_partial(make_partial(_noise(1), 8)), TrustList()))
    assert "JSON" in refused.value.hint


def _partition(**changes: Any) -> dict[str, Any]:
    told = {"type": "BLOOMFILTER", "version": "1.0", "hash": "00"}
    whole = {"kid": "AAAA", "id": None, "x": None, "y": None, "chunks": {"a": {WEEK.isoformat(): told}}}
    return {**whole, **changes}


@pytest.mark.parametrize(
    "metadata",
    [
        [_partition(kid=None)],
        [_partition(kid="?")],
        [_partition(x="g")],
        [_partition(x=["a"])],
        [_partition(y="\u0661")],
        [_partition(chunks=[])],
        [_partition(chunks={"": {}})],
        [_partition(chunks={"a" * 33: {}})],
        [_partition(chunks={"a": []})],
        [_partition(chunks={"a": {"soon": {}}})],
        [_partition(chunks={"a": {"0001-01-01T00:00:00+14:00": {}}})],
        [_partition(chunks={"a": {WEEK.isoformat(): 1}})],
        _partition(x="a"),
        [{"kid": "AAAA", "mode": "POINT"}],
        [{"kid": "AAAA", "mode": "POINT", "hashTypes": ["MD5"]}],
        [{"kid": "AAAA", "mode": "POINT", "hashTypes": [[]]}],
    ],
)
def test_json_of_slices_that_breaks_its_own_rules_is_refused(metadata: Any, tmp_path: Path) -> None:
    data = json.dumps(metadata).encode()
    with pytest.raises(StatusListRefused):
        read_slices([data], TrustList(), name="x")
    (tmp_path / "partitions.json").write_bytes(data)
    with pytest.raises(StatusListRefused):
        read_lists([tmp_path], TrustList())


def test_an_archive_that_is_damaged_or_too_large_is_refused_and_raises_nothing_else(
    laboratory: TestIssuer,
) -> None:
    dice = random.Random(5)
    files = dict(zip("abcdefghijk", [_index(laboratory), *_published(laboratory, _noise(5))], strict=False))
    tar = _tar(files)
    large = gzip.compress(bytes(80_000_000), 1)
    bombs = [large, _zip({"a": bytes(80_000_000)}), large[:-9], _tar({"a": b""}).replace(b"0000", b"-001", 1)]
    bombs.append(_zip({"a": b"b"}).replace(b"\1\0\0\0", b"\0\0\0\0"))
    for whole in bombs:
        with pytest.raises(StatusListRefused):
            list(read_list(whole, TrustList()))
    for whole in (tar, gzip.compress(tar), _zip(files)):
        for _ in range(150):
            broken = bytearray(whole)
            for _ in range(dice.randrange(1, 6)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            try:
                list(read_list(bytes(broken[: dice.randrange(len(broken)) + 1]), TrustList()))
            except StatusListRefused:
                continue


def _batch(*digests: bytes, length: int = 16, **changes: Any) -> bytes:
    entries = [{"hash": base64.b64encode(one[:length]).decode()} for one in digests]
    whole = {"country": "XA", "hashType": "SIGNATURE", "expires": None, "entries": entries}
    return json.dumps({**whole, **changes}).encode()


def _by_batch(laboratory: TestIssuer, text: str, data: bytes, at: datetime = NOON) -> str:
    trust = trusting(laboratory)
    lists = StatusLists(read_list(data, trust.issuers))
    return examine(text, trust=Trust(issuers=trust.issuers, taken_back=lists), at=at)[0].not_taken_back.code


def test_a_batch_that_has_ended_says_nothing_of_anybody(laboratory: TestIssuer) -> None:
    text, other = laboratory.test_result(), laboratory.test_result(ci="URN:UVCI:01:XA:TEST000000000002")
    data = _batch(_hash(text), expires=WEEK.isoformat())
    late = WEEK + timedelta(days=1)
    assert _by_batch(laboratory, text, data) == "taken-back"
    assert _by_batch(laboratory, text, data, late) == "no-list"
    assert _by_batch(laboratory, other, data, late) == "no-list"


def test_a_batch_takes_back_what_its_country_issued_wherever_the_test_was_made(
    laboratory: TestIssuer,
) -> None:
    abroad = laboratory.test_result(co="DE")
    assert _by_batch(laboratory, abroad, _batch(_hash(abroad))) == "taken-back"
    assert _by_batch(laboratory, abroad, _batch(_hash(abroad), country="DE")) == "no-list"


def test_a_batch_of_many_short_hashes_is_never_sure(laboratory: TestIssuer) -> None:
    text = laboratory.test_result()
    assert _by_batch(laboratory, text, _batch(*_noise(50), _hash(text), length=4)) == "possibly-taken-back"
    assert _by_batch(laboratory, text, _batch(*_noise(50), _hash(text), length=8)) == "taken-back"


def test_a_date_without_a_zone_is_read_as_universal_time(laboratory: TestIssuer) -> None:
    text = laboratory.test_result()
    naive = WEEK.astimezone(UTC).replace(tzinfo=None)
    assert _by_batch(laboratory, text, _batch(_hash(text), expires=naive.isoformat()), WEEK) == "taken-back"
