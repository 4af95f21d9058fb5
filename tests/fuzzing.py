"""The parsers, fuzzed: `python -m tests.fuzzing [--only NAME…] --seconds N [--folder PATH] [--seed N]`.

One process under atheris, which watches what the code of PROVE does with each input and keeps the inputs that lead
somewhere new. The first byte of an input chooses the parser, the rest is what it reads; it begins with samples of
every format. An input is a crash when a parser raises anything but the error it names, takes ten seconds, or the
process grows beyond its memory. Crashes lie in the folder; the last line says, as JSON, how many inputs were run.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY_MB = 1_536
SLOW_S = 10
_LONGEST = 8_192


def targets() -> dict[str, Callable[[bytes], object]]:
    """The parsers by name. Each raises CredentialError, or nothing."""
    from landbridge.prove import canonical, carrier, certificates, cose, jose, jsonld, keys, proofs
    from landbridge.prove.carrier import Carried
    from landbridge.prove.formats import FORMATS, containers
    from landbridge.prove.names import zone
    from landbridge.prove.status import read as lists
    from landbridge.prove.trust import did
    from landbridge.prove.trust import read as trust
    from landbridge.prove.trust.list import Source, TrustList
    from landbridge.prove.verify import examine
    from tests import mutants
    from tests.provers import NOON

    source, nobody = Source(name="fuzz"), TrustList()
    limits = carrier.Limits(size=_LONGEST, pixels=1_000_000, pages=2, seconds=0.5)

    def carried(data: bytes) -> Carried:
        return Carried(text=data.decode("utf-8", "replace"), data=data, place="fuzz", media="text")

    def of_format(form: Any) -> Callable[[bytes], object]:
        def decode(data: bytes) -> object:
            one = carried(data)
            return form.decode(one) if form.recognise(one) else None

        return decode

    def with_trust(data: bytes) -> object:
        return [mutants.judge(one, {}) for one in examine(data, trust=mutants.world().trust, at=NOON)]

    def linked(data: bytes) -> object:
        document = canonical.read(data)
        return jsonld.canonical_text(document) if isinstance(document, dict) else None

    def proven(data: bytes) -> object:
        document = canonical.read(data)
        found = proofs.proofs(document) if isinstance(document, dict) else ()
        return [proofs.forms(document, one) for one in found]

    def document_of_did(data: bytes) -> object:
        return did.signers_of_document(jose.read_json(data), source)

    return {
        "examine": with_trust,
        "carrier": lambda data: containers.unpack(carrier.read(data, limits=limits)),
        **{form.NAME: of_format(form) for form in FORMATS},
        "containers": lambda data: containers.unpack([carried(data)]),
        "cose": cose.read_sign1,
        "cbor": cose.read_cbor,
        "jose": lambda data: jose.read_compact(data.decode("utf-8", "replace")),
        "jwk": lambda data: keys.from_jwk(jose.read_json(data)),
        "certificate": lambda data: list(certificates.read_certificates(data)),
        "trust": lambda data: trust.read_material(data, source),
        "did": document_of_did,
        "status": lambda data: list(lists.read_list(data, nobody, name="fuzz")),
        "believed status": lambda data: list(lists.read_list(data, nobody, name="fuzz", believed=source)),
        "mrz": lambda data: zone.read_mrz(data.decode("utf-8", "replace")),
        "canonical": lambda data: canonical.canonicalise(canonical.read(data)),
        "jsonld": linked,
        "proofs": proven,
    }


def seeds() -> dict[str, list[bytes]]:
    """What to begin with, by parser."""
    import cbor2
    from cryptography.hazmat.primitives.asymmetric import ec
    from PIL import Image

    from landbridge.prove import qr
    from landbridge.prove.keys import to_jwk
    from landbridge.prove.status import bits
    from tests import mutants
    from tests.provers import TestIssuer

    samples = mutants.world().samples
    every = [one.text for one in samples]
    inner = [layer.data for one in samples for layer in one.layers]
    issuer = TestIssuer("XA")
    jwk = to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    documents = [
        {
            "id": "did:web:a.example",
            "assertionMethod": [{"id": "#1", "type": "JsonWebKey2020", "publicKeyJwk": jwk}],
        },
        {"keys": [{**jwk, "kid": "key-1", "use": "sig", "alg": "ES256"}]},
        {"participating_issuers": [{"iss": "https://clinic.example", "name": "Clinic"}]},
        {"kid": "key-1", "method": "rid", "ctr": 1, "rids": ["revoked-1", "revoked-2.1636977600"]},
        {
            "hashType": "SIGNATURE",
            "entries": [{"hash": "5uMM+tbuZMM8xSNMHSWSBw=="}],
            "country": "XA",
            "kid": "AAAAAAAAAAA=",
        },
        {
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": "did:web:a.example",
            "credentialSubject": {
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": bits.pack_bitstring_row(bits.make_row(64, {3: 1}, low_first=False)),
            },
        },
    ]
    told = [json.dumps(one).encode() for one in documents]
    row = {"bits": 1, "lst": bits.pack_token_row(bits.make_row(64, {3: 1}))}
    listed = cbor2.dumps(
        cbor2.CBORTag(
            18,
            [
                cbor2.dumps({1: -7, 16: "application/statuslist+cwt"}),
                {},
                cbor2.dumps({2: "https://a.example", 6: 1, 65533: row}),
                b"\0" * 64,
            ],
        )
    )
    zones = (
        "P<XAAMUSTER<TEST<<FIKTIVA<<<<<<<<<<<<<<<<<<<<\nTEST000018XAA9001311F3001012<<<<<<<<<<<<<<06",
        "I<XAATEST000018<<<<<<<<<<<<<<<\n9001311F3001012XAA<<<<<<<<<<<4\nMUSTER<TEST<<FIKTIVA<<<<<<<<<<",
    )
    picture = qr.png("HC1:TEST")
    return {
        "examine": every,
        "carrier": [*every, picture, qr.svg("HC1:TEST").encode(), _pdf(Image.new("1", (8, 8))), *told],
        "containers": [
            *every,
            *told,
            b'{"verifiableCredential":["eyJ.eyJ.x"]}',
            b"shc:/1/2/567\nshc:/2/2/567",
        ],
        "certificate": [issuer.der, _pem(issuer.der)],
        "trust": [*told, issuer.der, _pem(issuer.der)],
        "did": told,
        "status": [*told, listed],
        "believed status": [*told, listed],
        "jwk": [json.dumps(jwk).encode()],
        "mrz": [one.encode() for one in zones],
        "cose": [one for one in inner if one[:1] in (b"\xd2", b"\x84")],
        "cbor": [one for one in inner if one[:1] >= b"\x80"],
        "jose": [one for one in every if one.count(b".") == 2],
        **{
            name: [one for one in (*every, *inner) if one[:1] == b"{"]
            for name in ("canonical", "jsonld", "proofs")
        },
        **{
            name: [one.text for one in samples if one.format == name] or every
            for name in {one.format for one in samples} | {"shlink"}
        },
    }


def _pem(der: bytes) -> bytes:
    import ssl

    return ssl.DER_cert_to_PEM_cert(der).encode()


def _pdf(picture: Any) -> bytes:
    import io

    made = io.BytesIO()
    picture.save(made, "PDF")
    return made.getvalue()


def start(
    seconds: int, folder: Path, *, only: tuple[str, ...] = (), seed: int = 0
) -> "subprocess.Popen[str]":
    """The fuzzer as a process of its own, low in priority; what it says is on its standard output."""
    command = [sys.executable, "-m", "tests.fuzzing", "--seconds", str(seconds), "--folder", str(folder)]
    command += ["--seed", str(seed), *(word for name in only for word in ("--only", name))]
    house = Path(__file__).resolve().parents[1]
    paths = os.pathsep.join((str(house / "src"), str(house), os.environ.get("PYTHONPATH", "")))
    return subprocess.Popen(
        command,
        cwd=house,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def finish(fuzzer: "subprocess.Popen[str]", folder: Path, within: float) -> dict[str, Any]:
    """Its figures: inputs, branches reached, crashes. Ends it where it does not end by itself."""
    try:
        said, _ = fuzzer.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        fuzzer.kill()
        said, _ = fuzzer.communicate()
        said += "\nthe fuzzer did not end in time"
    crashes = sorted(
        one.name for one in folder.glob("*-*") if one.name.startswith(("crash", "timeout", "oom", "leak"))
    )
    inputs = re.findall(r"^#(\d+)\s", said, re.M)
    reached = re.findall(r"\bft: (\d+)", said)
    done = re.search(r"Done (\d+) runs in (\d+) second", said)
    most = re.findall(r"\brss: (\d+)Mb", said)
    return {
        "inputs": int(done[1]) if done else int(inputs[-1]) if inputs else 0,
        "seconds": int(done[2]) if done else 0,
        "features": int(reached[-1]) if reached else 0,
        "most_mb": max(map(int, most), default=0),
        "crashes": len(crashes),
        "ended_well": fuzzer.returncode == 0 and done is not None,
        "said": "\n".join(re.findall(r"^CRASH .*", said, re.M))
        + ("" if fuzzer.returncode == 0 else said[-4_000:]),
    }


def installed() -> bool:
    return importlib.util.find_spec("atheris") is not None


def main() -> None:
    words = argparse.ArgumentParser(prog="tests.fuzzing", description="The parsers, fuzzed.")
    words.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="one parser, more than once for more"
    )
    words.add_argument("--seconds", type=int, default=60)
    words.add_argument("--folder", type=Path, default=None)
    words.add_argument("--seed", type=int, default=0)
    given = words.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="landbridge-fuzz-"))
    os.nice(10)

    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["landbridge.prove"]):
        parsers = targets()
    from landbridge.errors import CredentialError

    every = list(parsers)
    chosen = given.only or every
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, begun in seeds().items():
        for number, data in enumerate(begun if name in chosen else ()):
            (corpus / f"{name.replace(' ', '-')}-{number}").write_bytes(bytes((chosen.index(name),)) + data)

    found: set[tuple[str, ...]] = set()

    def one(data: bytes) -> None:
        if not data:
            return
        name = chosen[data[0] % len(chosen)]
        try:
            parsers[name](data[1:])
        except CredentialError:
            return
        except KeyboardInterrupt:
            raise
        except (
            BaseException
        ) as raised:  # noted once for each place it comes from, so that the others are found too
            frames = traceback.extract_tb(raised.__traceback__)
            ours = [f"{frame.filename}:{frame.lineno}" for frame in frames if "landbridge" in frame.filename]
            place = (name, type(raised).__name__, *ours[-1:])
            if place not in found:
                found.add(place)
                path = folder / f"crash-{name.replace(' ', '-')}-{len(found)}"
                path.write_bytes(data[1:])
                print(f"CRASH {path.name}: {' '.join(place)}: {str(raised)[:200]}", flush=True)

    atheris.Setup(
        [
            "fuzzing",
            f"-max_total_time={given.seconds}",
            f"-timeout={SLOW_S}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-max_len={_LONGEST}",
            f"-seed={given.seed or 1}",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            str(corpus),
        ],
        one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
