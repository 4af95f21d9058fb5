"""PROVE's strength and speed: `python -m bench.prove [--only PART] [--minutes N] [--mutants N] [--json]`.

| part      | what is measured                                                                                    |
|-----------|-----------------------------------------------------------------------------------------------------|
| speed     | health certificates a CPU-second, from the text to facts, beside the bare signature check           |
|           | (`cryptography`), python-cwt and pycose, on the same certificates; all take turns, in one run       |
| batch     | `landbridge verify --batch` over 4,000 and 20,000 files, start and all: on one core, and on two      |
| status    | a status list of ten million entries, one in a hundred withdrawn: its size, and one look into it    |
| mutations | 100,000 credentials with something wrong (tests/mutants.py): how many are believed, how many raise   |
| fuzz      | the parsers under atheris for so many minutes, on every core (tests/fuzzing.py)                      |
| names, qr | bench/names.py and bench/qr.py                                                                      |

The certificates are the member states' own (dgc-testdata, ES256 on P-256) where the shared data lies beside us, else
200 of ours; a peer that refuses some of them is measured on those it takes, against us on the same. The peers need an
older cbor2 than we do, so they live in an environment of their own, made in the temporary folder on first use.
"""

import argparse
import base64
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from tests import fuzzing
from tests.provers import NOON, TestIssuer

from bench import names, qr
from landbridge.errors import CredentialError
from landbridge.prove.carrier import Carried
from landbridge.prove.formats import hcert
from landbridge.prove.status import StatusLists
from landbridge.prove.status.bits import make_row, pack_token_row, read_token_row
from landbridge.prove.trust.list import Signer, Source, TrustList
from landbridge.prove.trust.read import read_file
from landbridge.prove.verify import AT_ONCE, Trust, examine_all, examine_carried

HOUSE = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("LANDBRIDGE_SHARED_DATA", HOUSE.parent / "shared" / "data"))
PARTS = ("speed", "batch", "status", "mutations", "fuzz", "names", "qr")
PEERS = ("cwt==3.3.0", "pycose==1.1.0")
GOALS = {"raw ES256": 0.70, "python-cwt": 1.5, "pycose": 10.0}
_ROUNDS, _SLICE = 7, 0.7  # of every runner, in seconds of the processor


class Sample(NamedTuple):
    """A certificate somebody issued, and when it is believed."""

    text: str
    der: bytes
    at: datetime


# speed


def certificates() -> tuple[str, list[Sample]]:
    """Whose they are, and the certificates: ES256 on P-256, each believed at its time."""
    root = SHARED / "prove" / "dgc-testdata"
    found = list(_of_the_states(root)) if root.is_dir() else []
    if found:
        return "dgc-testdata", found
    offices = [TestIssuer(country) for country in ("XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH")]
    made = [
        Sample(office.test_result(ci=f"URN:UVCI:01:{office.country}:TEST{n:012}"), office.der, NOON)
        for n in range(25)
        for office in offices
    ]
    return "our own", made


def _of_the_states(root: Path) -> Any:
    for path in sorted(root.rglob("*.json")):
        case = json.loads(path.read_text("utf-8-sig"))
        text, der = case.get("PREFIX", ""), case.get("TESTCTX", {}).get("CERTIFICATE")
        if not text.startswith("HC1:") or not der:
            continue
        try:
            envelope = hcert.decode(_carried(text))
            [signer] = [
                one
                for one in read_file(base64.b64decode(der), Source(name="bench"))
                if isinstance(one, Signer)
            ]
        except (CredentialError, ValueError):
            continue
        if not isinstance(signer.key, ec.EllipticCurvePublicKey) or signer.key.curve.name != "secp256r1":
            continue
        started = [
            one for one in (envelope.issued, signer.certificate and signer.certificate.not_before) if one
        ]
        at = max(started, default=datetime(2021, 6, 15, tzinfo=UTC)) + timedelta(hours=1)
        sample = Sample(text, base64.b64decode(der), at)
        trust = Trust(issuers=TrustList([signer]), taken_back=StatusLists())
        if examine_carried(_carried(text), trust=trust, at=at).facts is not None:
            yield sample


def _carried(text: str) -> Carried:
    return Carried(text=text, data=b"", place="", media="text")


def _believed(one: Carried, trust: Trust, at: datetime) -> bool:
    return examine_carried(one, trust=trust, at=at).facts is not None


def speed() -> dict[str, Any]:
    whose, samples = certificates()
    trust = _trust(samples)
    # Believed under the whole list too, where keys of the same identifier must be told apart.
    samples = [
        one
        for one in samples
        if examine_carried(_carried(one.text), trust=trust, at=one.at).facts is not None
    ]
    checks = [_check(one, trust) for one in samples]
    carried = [(_carried(one.text), one.at) for one in samples]

    def raw(chosen: Sequence[int]) -> None:
        for n in chosen:
            key, signature, message, algorithm = checks[n]
            key.verify(signature, message, algorithm)

    def ours(chosen: Sequence[int]) -> None:
        for n in chosen:
            one, at = carried[n]
            examine_carried(one, trust=trust, at=at)

    # Read together only where one moment suits all: the moment at which most are believed.
    moments = sorted({at for _, at in carried})[:: max(1, len(carried) // 40)]
    moment, together = max(
        ((at, [one for one, _ in carried if _believed(one, trust, at)]) for at in moments),
        key=lambda found: len(found[1]),
    )

    def many(_: Sequence[int]) -> None:
        for start in range(0, len(together), AT_ONCE):
            examine_all(together[start : start + AT_ONCE], trust=trust, at=moment)

    every = range(len(samples))
    with contextlib.ExitStack() as stack:
        runners: dict[str, Callable[[], float]] = {
            "raw ES256": lambda: _rate(raw, every),
            "landbridge": lambda: _rate(ours, every),
            "landbridge, many at once": lambda: _rate(many, range(len(together))),
        }
        found: dict[str, Any] = {
            "certificates": f"{len(samples)}, {whose}",
            "read together": f"{len(together)} of them, as of {moment:%Y-%m-%d}",
        }
        for name, peer in _peers(samples, stack).items():
            if isinstance(peer, str):
                found[name] = peer
                continue
            found[f"{name} takes"] = f"{len(peer.takes)} of {len(samples)}"
            if peer.takes:
                runners[name] = peer.rate
                if len(peer.takes) < len(samples):
                    runners[f"landbridge, those of {name}"] = partial(_rate, ours, peer.takes)
        rates: dict[str, list[float]] = {name: [] for name in runners}
        for runner in runners.values():
            runner()
        for _ in range(_ROUNDS):
            for name, runner in runners.items():
                rates[name].append(runner())
    found["a CPU-second"] = {name: round(statistics.median(some)) for name, some in rates.items()}
    found["ratios"] = {
        f"landbridge / {name}": round(
            statistics.median(
                a / b
                for a, b in zip(
                    rates.get(f"landbridge, those of {name}", rates["landbridge"]), rates[name], strict=True
                )
            ),
            3,
        )
        for name in GOALS
        if name in rates
    }
    found["ratios"] |= {
        f"landbridge, many at once / {name}": round(
            statistics.median(
                a / b for a, b in zip(rates["landbridge, many at once"], rates[name], strict=True)
            ),
            3,
        )
        for name in GOALS
        if name in rates
    }
    found["goals"] = {f"landbridge / {name}": goal for name, goal in GOALS.items()}
    return found


def _trust(samples: Sequence[Sample]) -> Trust:
    entries = [
        entry
        for der in dict.fromkeys(one.der for one in samples)
        for entry in read_file(der, Source(name="bench"))
    ]
    return Trust(
        issuers=TrustList(one for one in entries if isinstance(one, Signer)), taken_back=StatusLists()
    )


def _check(sample: Sample, trust: Trust) -> tuple[ec.EllipticCurvePublicKey, bytes, bytes, ec.ECDSA]:
    envelope = hcert.decode(_carried(sample.text))
    [signed] = envelope.signatures
    r, s = (int.from_bytes(half, "big") for half in (signed.signature[:32], signed.signature[32:]))
    key = load_der_x509_certificate(sample.der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key, encode_dss_signature(r, s), signed.message, ec.ECDSA(hashes.SHA256())


def _rate(work: Callable[[Sequence[int]], None], chosen: Sequence[int]) -> float:
    started = time.process_time()
    done = 0
    while (spent := time.process_time() - started) < _SLICE:
        work(chosen)
        done += len(chosen)
    return done / spent


class Peer:
    """A peer in its own environment, which measures when it is told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.takes: list[int] = json.loads(self._answer())

    def rate(self) -> float:
        assert self._process.stdin is not None
        print(_SLICE, file=self._process.stdin, flush=True)
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


_OF_PEERS = """
import json, sys, time, warnings, zlib
warnings.simplefilter("ignore")
name, path = sys.argv[1:]
import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
SIGNS = {c: n for n, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
def base45(text):
    found = bytearray()
    for at in range(0, len(text), 3):
        part = [SIGNS[c] for c in text[at:at + 3]]
        if len(part) == 3:
            found += (part[0] + part[1] * 45 + part[2] * 2025).to_bytes(2, "big")
        else:
            found.append(part[0] + part[1] * 45)
    return bytes(found)
samples = [(s["text"], s["pem"]) for s in json.load(open(path))]
if name == "python-cwt":
    from cwt import COSE, COSEKey
    cose = COSE.new()
    keys = {}
    def key_of(text, pem):
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        public = x509.load_pem_x509_certificate(pem.encode()).public_key()
        item = cbor2.loads(zlib.decompress(base45(text[4:]))).value
        kid = (cbor2.loads(item[0]) if item[0] else {}).get(4) or item[1].get(4)
        spki = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return COSEKey.from_pem(spki, alg="ES256", kid=kid)
    def verify(text, key):
        return cbor2.loads(cose.decode(zlib.decompress(base45(text[4:])), key))[-260][1]
else:
    from pycose.keys import EC2Key
    from pycose.messages import CoseMessage
    def key_of(text, pem):
        numbers = x509.load_pem_x509_certificate(pem.encode()).public_key().public_numbers()
        return EC2Key(crv="P_256", x=numbers.x.to_bytes(32, "big"), y=numbers.y.to_bytes(32, "big"))
    def verify(text, key):
        message = CoseMessage.decode(zlib.decompress(base45(text[4:])))
        message.key = key
        if not message.verify_signature():
            raise ValueError
        return cbor2.loads(message.payload)[-260][1]
taken, ready = [], []
for number, (text, pem) in enumerate(samples):
    try:
        key = key_of(text, pem)
        verify(text, key)
    except Exception:
        continue
    taken.append(number)
    ready.append((text, key))
print(json.dumps(taken), flush=True)
for line in sys.stdin:
    slice_, started, done = float(line), time.process_time(), 0
    while (spent := time.process_time() - started) < slice_:
        for text, key in ready:
            verify(text, key)
        done += len(ready)
    print(done / spent, flush=True)
"""


def _peers(samples: Sequence[Sample], stack: contextlib.ExitStack) -> dict[str, Peer | str]:
    """The peers, started and checked; or why they are not here."""
    named = ("python-cwt", "pycose")
    try:
        python = _environment()
    except (OSError, subprocess.SubprocessError) as wrong:
        return dict.fromkeys(named, f"not installed: {getattr(wrong, 'stderr', None) or wrong}"[:200])
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landbridge-bench-")))
    texts = folder / "certificates.json"
    texts.write_text(json.dumps([{"text": one.text, "pem": _pem(one.der)} for one in samples]))
    found: dict[str, Peer | str] = {}
    for name in named:
        process = subprocess.Popen(
            [python, "-c", _OF_PEERS, name, str(texts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        try:
            found[name] = Peer(process)
        except ValueError:
            found[name] = "not run: it did not start"
    return found


def _environment() -> str:
    """The peers' Python; made once and kept. Raises OSError and SubprocessError."""
    folder = (
        Path(tempfile.gettempdir())
        / f"landbridge-bench-peers-{zlib.crc32(repr((PEERS, sys.version)).encode()):x}"
    )
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        quiet: dict[str, Any] = {"check": True, "capture_output": True, "text": True, "timeout": 300}
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], **quiet)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS], **quiet)
        (folder / "ready").touch()
    return str(python)


def _pem(der: bytes) -> str:
    return load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()


# many files

_COMMAND = """
import os, sys
os.sched_setaffinity(0, map(int, sys.argv.pop(1).split(",")))
from landbridge.cli import main
sys.exit(main())
"""


def batch(files: int, rounds: int = 3) -> dict[str, Any]:
    """The whole command, start and all, and what it takes for one file. One core and two take turns."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        return {"not run": "one core here"}
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as place:
        folder = Path(place)
        offices = [TestIssuer("XA"), TestIssuer("XB")]
        (folder / "trust").mkdir()
        for number, office in enumerate(offices):
            (folder / "trust" / f"{number}.der").write_bytes(office.der)
        paths = []
        for number in range(files):
            path = folder / f"{number}.txt"
            path.write_text(offices[number % 2].test_result(ci=f"URN:UVCI:01:XA:TEST{number:012}"))
            paths.append(str(path))

        def took(chosen: Sequence[int], given: Sequence[str]) -> float:
            command = [sys.executable, "-c", _COMMAND, ",".join(map(str, chosen))]
            command += ["verify", "--batch", *given, "--json"]
            command += ["--at", NOON.isoformat(), "--trust", str(folder / "trust")]
            started = time.perf_counter()
            done = subprocess.run(
                command,
                cwd=HOUSE,
                env={**os.environ, "PYTHONPATH": str(HOUSE / "src"), "LANDBRIDGE_DATA": str(folder / "data")},
                capture_output=True,
            )
            spent = time.perf_counter() - started
            answers = done.stdout.count(b'"outcome":"yes"')
            if answers < len(given):
                raise SystemExit(f"{answers} of {len(given)} believed: {done.stderr[-500:].decode()}")
            return spent

        times: dict[str, list[float]] = {"one core": [], "two cores": [], "start, one file": []}
        for _ in range(rounds):
            times["one core"].append(took(cores[:1], paths))
            times["two cores"].append(took(cores[:2], paths))
            times["start, one file"].append(took(cores[:1], paths[:1]))
    best = {name: min(some) for name, some in times.items()}
    start = best["start, one file"]
    return {
        "s": {name: round(value, 2) for name, value in best.items()},
        "files a second on two cores": round(files / best["two cores"]),
        "times faster on two cores": round(best["one core"] / best["two cores"], 2),
        "without the start": round((best["one core"] - start) / max(best["two cores"] - start, 1e-9), 2),
        "goal": 1.8,
    }


# lists


def status(entries: int = 10_000_000) -> dict[str, Any]:
    dice = random.Random(1)
    withdrawn = dice.sample(range(entries), entries // 100)
    row = make_row(entries, dict.fromkeys(withdrawn, 1))
    packed = pack_token_row(row)
    opened = []
    for _ in range(5):
        started = time.perf_counter()
        read = read_token_row({"bits": 1, "lst": packed})
        opened.append(time.perf_counter() - started)
    asked = dice.choices(range(entries), k=100_000)
    started = time.perf_counter()
    marked = sum(read[index] for index in asked)
    spent = time.perf_counter() - started
    assert marked == sum(row[index] for index in asked)
    return {
        "entries": entries,
        "withdrawn": len(withdrawn),
        "kB": round(len(packed) / 1000, 1),
        "least_kB": round(_entropy(0.01) * entries / 8 / 1000, 1),
        "open_ms": round(min(opened) * 1e3, 2),
        "look_up_ms": round(spent / len(asked) * 1e3, 5),
        "goals": {"kB": 200, "look_up_ms": 1},
    }


def _entropy(share: float) -> float:
    from math import log2

    return -share * log2(share) - (1 - share) * log2(1 - share)


# strength


def mutations(count: int = 100_000) -> dict[str, Any]:
    """A process a core, each with its own dice."""
    workers = max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    started = time.perf_counter()
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.mutants",
                "--count",
                str(-(-count // workers)),
                "--seed",
                str(1 + number),
            ],
            cwd=HOUSE,
            env={**os.environ, "PYTHONPATH": str(HOUSE / "src")},
            stdout=subprocess.PIPE,
        )
        for number in range(workers)
    ]
    found = [json.loads(one.communicate()[0]) for one in running]
    totals: dict[str, Any] = {
        name: sum(one[name] for one in found) for name in ("mutants", "accepted", "raised")
    }
    for name in ("outcomes", "formats", "families"):
        every = sorted({key for one in found for key in one[name]})
        totals[name] = {key: sum(one[name].get(key, 0) for one in found) for key in every}
    totals["wrong"] = [case for one in found for case in one["wrong"]]
    for name in ("slowest_ms", "peak_mb", "grown_mb"):
        totals[name] = max(one[name] for one in found)
    totals["slowest"] = max(found, key=lambda one: one["slowest_ms"])["slowest"]
    totals["s"] = round(time.perf_counter() - started, 1)
    return totals


def fuzz(minutes: float) -> dict[str, Any]:
    """A process a core, each with its own seed."""
    if not fuzzing.installed():
        return {"not run": "atheris is not installed"}
    seconds = round(minutes * 60)
    workers = max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    folders = [Path(tempfile.mkdtemp(prefix="landbridge-fuzz-")) for _ in range(workers)]
    running = [fuzzing.start(seconds, folder, seed=1 + number) for number, folder in enumerate(folders)]
    found = [
        fuzzing.finish(one, folder, within=seconds + 180)
        for one, folder in zip(running, folders, strict=True)
    ]
    crashes = sum(one["crashes"] for one in found)
    return {
        "minutes": minutes,
        "processes": workers,
        "inputs": sum(one["inputs"] for one in found),
        "features": max(one["features"] for one in found),
        "most_mb": max(one["most_mb"] for one in found),
        "crashes": crashes,
        "ended_well": all(one["ended_well"] for one in found),
        **(
            {"folders": [str(folder) for folder in folders], "said": [one["said"] for one in found]}
            if crashes
            else {}
        ),
    }


# the other figures of PROVE


def names_figures() -> dict[str, Any]:
    if not names.PAIRS.is_file():
        return {"not run": "no pairs here"}
    return names.measure(names.read_pairs())


def qr_figures() -> dict[str, Any]:
    text = qr.certificate(random.Random(1), qr.CHARACTERS)
    return {"made_ms": qr.made(text, 100), "read_ms": qr.read(text, 100)}


def show(figures: dict[str, Any], depth: int = 0) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{'  ' * depth}{name}")
            show(value, depth + 1)
        else:
            print(
                f"{'  ' * depth}{name:{46 - 2 * depth}}{value:,}"
                if isinstance(value, int)
                else f"{'  ' * depth}{name:{46 - 2 * depth}}{value}"
            )


def main() -> int:
    words = argparse.ArgumentParser(prog="bench prove", description="PROVE's strength and speed.")
    words.add_argument("--only", action="append", choices=PARTS, help="a part; more than once for more")
    words.add_argument("--minutes", type=float, default=10, help="of fuzzing")
    words.add_argument("--mutants", type=int, default=100_000)
    words.add_argument("--files", type=int, action="append", help="of the batch; more than once for more")
    words.add_argument("--json", action="store_true")
    given = words.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "speed": speed,
        "batch": lambda: {f"{files:,} files": batch(files) for files in given.files or (4_000, 20_000)},
        "status": status,
        "mutations": lambda: mutations(given.mutants),
        "fuzz": lambda: fuzz(given.minutes),
        "names": names_figures,
        "qr": qr_figures,
    }
    figures: dict[str, Any] = {}
    for name in given.only or PARTS:
        figures[name] = parts[name]()
        if not given.json:
            show({name: figures[name]})
    if given.json:
        print(json.dumps(figures))
    wrong = figures.get("mutations", {})
    bad = wrong.get("accepted", 0) + wrong.get("raised", 0) + figures.get("fuzz", {}).get("crashes", 0)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
