"""Makes the credentials of this folder afresh: `python -m tests.vectors.prove.make`.

Issuers of the fictitious union sign them with keys that are gone when this ends: a new run makes other files that say
the same. Each file is named by what is right or wrong with it; `expected.toml` says how it must be answered.
"""

import shutil
import tempfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from landbridge.prove.formats import hcert
from landbridge.prove.issue.hcert import sign_cwt
from landbridge.prove.issue.keys import Signing
from landbridge.prove.issue.office import Office, Profile
from landbridge.prove.keys import base64url, from_base64url

HERE = Path(__file__).parent
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT = NOON + timedelta(hours=12)
PASSPHRASE = "kept nowhere at all"  # noqa: S105 of keys that are thrown away
PERSON = {"surname": "Muster-Test", "given_names": "Fiktiva", "born": "1990-01-31"}
TEST = {
    **PERSON,
    "test_type": "naat",
    "result": "negative",
    "sampled": "2026-05-31T08:30:00Z",
    "centre": "Test centre 1",
}
VACCINATION = {
    **PERSON,
    "vaccine": "1119349007",
    "product": "EU/1/20/1528",
    "maker": "ORG-100030215",
    "dose": "2",
    "doses": "2",
    "date": "2026-03-02",
}
RECOVERY = {**PERSON, "first_positive": "2026-02-01", "from": "2026-02-12", "until": "2026-07-31"}
DIPLOMA = {
    **PERSON,
    "title": "Welder, level 4",
    "field": "Welding",
    "level": "EQF 4",
    "awarded": "2020-06-30",
}


class Maker:
    """Writes files and what is expected of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def write(
        self, name: str, content: str | bytes, outcome: str, *, at: datetime = AT, **codes: str
    ) -> None:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.lines += [
            "[[case]]",
            f'file = "{name}"',
            f'at = "{at:%Y-%m-%dT%H:%M:%SZ}"',
            f'outcome = "{outcome}"',
        ]
        self.lines += [f'{part} = "{code}"' for part, code in codes.items()] + [""]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "made"
        for folder in ("trust", "status"):
            (made / folder).mkdir(parents=True)
        _make(made, Path(scratch))
        for old in HERE.iterdir():
            if old.name not in ("make.py", "__init__.py", "__pycache__"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(made, HERE, dirs_exist_ok=True)


def _make(made: Path, scratch: Path) -> None:
    maker = Maker(made)
    laboratory = _office(
        scratch / "laboratory",
        "Test laboratory of Altania",
        "https://lab.altania.example",
        ("test", "recovery"),
    )
    clinic = _office(
        scratch / "clinic",
        "Test clinic of Borduria",
        "https://clinic.borduria.example",
        ("vaccination",),
        "XB",
    )
    university = _office(
        scratch / "university",
        "Test university of Altania",
        "https://uni.altania.example",
        ("qualification",),
    )
    closed = _office(
        scratch / "closed", "Closed laboratory of Altania", "https://closed.altania.example", ("test",)
    )
    stranger = _office(scratch / "stranger", "Laboratory on no list", "https://nobody.example", ("test",))
    for name, office, more in (
        ("laboratory", laboratory, ""),
        ("clinic", clinic, ""),
        ("university", university, ""),
        ("closed", closed, 'withdrawn = 2026-05-01T00:00:00Z\nreason = "its key was used by others"\n'),
    ):
        head, keys, rest = office.trust_entry().partition("\n[[keys]]")
        (made / "trust" / f"{name}.toml").write_text(head + more + keys + rest, "utf-8")

    good = laboratory.issue("hcert", "test", TEST, at=NOON, days=30)
    maker.write("good-test.hcert.txt", good.text, "yes", authentic="signature-verified")
    maker.write(
        "good-vaccination.hcert.txt", clinic.issue("hcert", "vaccination", VACCINATION, at=NOON).text, "yes"
    )
    maker.write(
        "good-recovery.hcert.txt", laboratory.issue("hcert", "recovery", RECOVERY, at=NOON).text, "yes"
    )
    maker.write("good-test.shc.txt", laboratory.issue("shc", "test", TEST, at=NOON).code, "yes")
    maker.write(
        "good-diploma.sd-jwt.txt",
        university.issue("sd-jwt-vc", "qualification", DIPLOMA, at=NOON).text,
        "yes",
    )
    maker.write(
        "good-diploma.jwt.txt", university.issue("jwt-vc", "qualification", DIPLOMA, at=NOON).text, "yes"
    )

    maker.write("expired.txt", good.text, "no", at=NOON + timedelta(days=31), in_time="expired")
    maker.write(
        "issued-in-the-future.txt", good.text, "no", at=NOON - timedelta(days=1), in_time="issued-in-future"
    )
    maker.write(
        "signer-expired.txt",
        _plain(laboratory, issued=NOON, days=2_000),
        "no",
        at=NOON + timedelta(days=900),
        in_time="signer-expired",
    )
    for name, value in (("revoked", "invalid"), ("suspended", "suspended")):
        one = laboratory.issue("hcert", "test", TEST, at=NOON, days=30)
        assert one.place is not None
        laboratory.take_back(one.place, at=NOON, value=value)
        code = "taken-back" if value == "invalid" else "suspended"
        maker.write(f"{name}.txt", one.text, "no", not_taken_back=code)
    maker.write(
        "list-stale.txt", good.text, "open", at=NOON + timedelta(days=20), not_taken_back="list-stale"
    )
    maker.write("issuer-unknown.txt", _plain(stranger), "open", entitled="issuer-unknown", authentic="no-key")
    maker.write("issuer-withdrawn.txt", _plain(closed), "no", entitled="issuer-withdrawn")
    before = datetime(2026, 4, 1, 12, tzinfo=UTC)
    maker.write("issued-before-its-issuer-was-withdrawn.txt", _plain(closed, issued=before, days=200), "yes")
    maker.write(
        "laboratory-signs-vaccination.txt", _plain(laboratory, group="v"), "no", entitled="kind-not-entitled"
    )
    maker.write(
        "wrong-key.txt", _plain(stranger, kid=laboratory.signing.kid), "no", authentic="signature-wrong"
    )
    maker.write("wrong-kid.txt", _plain(laboratory, kid=b"\x00" * 8), "open", authentic="no-key")
    maker.write(
        "changed-name.txt", _changed(good.text, b"Fiktiva", b"Faelsch"), "no", authentic="signature-wrong"
    )
    maker.write("two-kinds-in-one.txt", _plain(laboratory, group="tr"), "no", authentic="form")
    maker.write("no-birth-date.txt", _plain(laboratory, without="dob"), "no", authentic="form")
    maker.write("wrong-prefix.txt", "HC2:" + good.text[4:], "no", authentic="damaged")
    maker.write("not-base45.txt", good.text[:99] + "a" + good.text[100:], "no", authentic="damaged")
    maker.write("cut.txt", good.text[:-40], "no", authentic="damaged")
    maker.write("not-compressed.txt", "HC1:" + hcert.to_base45(_cose(good.text)), "no", authentic="damaged")
    diploma = university.issue("jwt-vc", "qualification", DIPLOMA, at=NOON).text
    maker.write("unsigned-token.txt", _unsigned(diploma), "no")
    maker.write("token-changed.txt", _token_changed(diploma), "no", authentic="signature-wrong")
    maker.write(
        "no-credential.txt", "https://altania.example/my-certificate", "open", authentic="unknown-format"
    )
    maker.write("empty.txt", "", "open", authentic="unreadable")

    for office in (laboratory, clinic, university, closed):
        for uri, data in office.publish_status(at=NOON, days=7).items():
            (made / "status" / uri.removeprefix("https://").replace("/", "-")).write_bytes(data)
    (made / "expected.toml").write_text("\n".join(maker.lines), "utf-8")


def _office(folder: Path, title: str, id_: str, kinds: tuple[str, ...], country: str = "XA") -> Office:
    folder.mkdir()
    profile = Profile(title=title, id=id_, country=country, kinds=kinds, status=f"{id_}/status")
    return Office.found(folder, profile, PASSPHRASE, at=START)


def _plain(
    office: Office,
    *,
    issued: datetime = NOON,
    days: int = 30,
    group: str = "t",
    kid: bytes = b"",
    without: str = "",
) -> str:
    """A health certificate without a status number, and without a look at what it says."""
    signing: Signing = office.signing
    shared = {"tg": "840539006", "co": "XA", "is": office.profile.title, "ci": "URN:UVCI:01:XA:VECTOR1"}
    entries: dict[str, dict[str, Any]] = {
        "t": {
            **shared,
            "tt": "LP6464-4",
            "sc": "2026-03-31T08:30:00Z",
            "tr": "260415000",
            "tc": "Test centre 1",
        },
        "v": {
            **shared,
            "vp": "1119349007",
            "mp": "EU/1/20/1528",
            "ma": "ORG-100030215",
            "dn": 2,
            "sd": 2,
            "dt": "2026-03-02",
        },
        "r": {**shared, "fr": "2026-02-01", "df": "2026-02-12", "du": "2026-07-31"},
    }
    payload = {
        "ver": "1.3.0",
        "nam": {"fn": "Muster-Test", "fnt": "MUSTER<TEST", "gn": "Fiktiva", "gnt": "FIKTIVA"},
        "dob": "1990-01-31",
        **{letter: [entries[letter]] for letter in group},
    }
    payload.pop(without, None)
    return sign_cwt(
        payload,
        key=signing.private,
        kid=kid or signing.kid,
        country=office.profile.country,
        issued=issued,
        expires=issued + timedelta(days=days),
    )


def _cose(text: str) -> bytes:
    return hcert.inflate(hcert.from_base45(hcert.unprefix(text)))


def _changed(text: str, old: bytes, new: bytes) -> str:
    data = _cose(text)
    assert data.count(old) == 1
    return "HC1:" + hcert.to_base45(zlib.compress(data.replace(old, new)))


def _unsigned(token: str) -> str:
    _, payload, _ = token.split(".")
    head = base64url(b'{"alg":"none","typ":"vc+jwt"}')
    return f"{head}.{payload}."


def _token_changed(token: str) -> str:
    head, payload, signature = token.split(".")
    changed = from_base64url(payload).replace(b"level 4", b"level 7")
    return f"{head}.{base64url(changed)}.{signature}"


if __name__ == "__main__":
    main()
