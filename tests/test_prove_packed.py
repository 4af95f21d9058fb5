"""Credentials packed to fit a code: ZIP and PixelPass are opened, bombs and nonsense are not."""

import io
import json
import random
import zipfile
import zlib

import cbor2

from landbridge.prove import qr
from landbridge.prove.carrier import Carried, read
from landbridge.prove.formats import containers
from landbridge.prove.formats.hcert import to_base45
from landbridge.prove.verify import examine
from tests.provers import NOON, TestIssuer, trusting

CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "name": "test " * 20,
}


def _zip(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name.replace("_", "."), data)
    return file.getvalue()


def test_a_zip_in_a_code_gives_what_is_in_it() -> None:
    data = _zip(certificate_json=json.dumps(CREDENTIAL).encode())
    (one,) = containers.unpack(read(data))
    assert json.loads(one.text or "") == CREDENTIAL
    assert one.place.endswith("certificate.json")
    (one,) = containers.unpack(read(qr.png(data, error_correction="M")))
    assert json.loads(one.text or "") == CREDENTIAL


def test_pixels_of_json_and_of_cbor_give_the_same_credential() -> None:
    for packed in (json.dumps(CREDENTIAL).encode(), cbor2.dumps(CREDENTIAL)):
        (one,) = containers.unpack(read(to_base45(zlib.compress(packed)).encode()))
        assert json.loads(one.text or "") == CREDENTIAL


def test_a_health_certificate_without_its_prefix_is_not_one() -> None:
    laboratory = TestIssuer()
    text = laboratory.test_result()
    verdict = examine(text[4:], trust=trusting(laboratory), at=NOON)[0]
    assert str(verdict.outcome) == "open"
    assert verdict.authentic.code == "unknown-format"


def test_what_cannot_be_unpacked_stays_as_it_is() -> None:
    dice = random.Random(5)
    bomb = _zip(a_json=b"0" * 50_000_000)
    for data in (bomb, _zip(a_json=b"{}")[:-9], b"PK\x03\x04" + dice.randbytes(300), _zip()):
        assert all(one.text != "0" * 50_000_000 for one in containers.unpack([_binary(data)]))
    inflated = to_base45(zlib.compress(b"{" + b" " * 5_000_000))
    (one,) = containers.unpack([Carried(text=inflated, data=inflated.encode(), place="text", media="text")])
    assert one.text == inflated


def _binary(data: bytes) -> Carried:
    return Carried(text=None, data=data, place="file", media="bytes")
