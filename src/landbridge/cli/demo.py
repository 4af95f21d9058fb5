"""What the demo shows of PROVE: offices of the fictitious union, founded when it starts, and papers they issued.

Their keys live as long as the demo does. Nobody's name is on the papers, nobody's birth date.
"""

import os
import secrets
import zlib
from datetime import datetime, timedelta
from pathlib import Path

from landbridge.prove.formats import hcert
from landbridge.prove.issue.office import Office, Profile, make_token

PASSPHRASE = "LANDBRIDGE_ISSUE_PASSPHRASE"  # noqa: S105 the name of the setting
_PERSON = {"surname": "Muster-Test", "given_names": "Fiktiva", "born": "1990-01-31"}


def furnish(data: Path, *, at: datetime) -> dict[str, str]:
    """Founds a laboratory and a university in a demo's data directory, lists them as issuers, and lays four papers on
    the counter of its page (`samples/`). Gives the offices' tokens, for the page that issues."""
    os.environ.setdefault(PASSPHRASE, secrets.token_urlsafe(24))
    since = at - timedelta(days=30)
    laboratory = _found(
        data, "xa-laboratory", "xa", since,
        Profile(title="Test laboratory of Altania", id="https://laboratory.altania.example", country="XA",
                kinds=("test", "vaccination", "recovery")),
    )  # fmt: skip
    university = _found(
        data, "xb-university", "xb", since,
        Profile(title="Test university of Borduria", id="https://university.borduria.example", country="XB",
                kinds=("qualification",)),
    )  # fmt: skip
    result = {
        **_PERSON,
        "test_type": "naat",
        "result": "negative",
        "sampled": (at - timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "centre": "Test centre 1",
    }
    good = laboratory.issue("hcert", "test", result, at=at - timedelta(hours=18), days=30)
    earlier = {**result, "sampled": (at - timedelta(days=21)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    old = laboratory.issue("hcert", "test", earlier, at=at - timedelta(days=20), days=10)
    diploma = university.issue(
        "jwt-vc",
        "qualification",
        {**_PERSON, "title": "Welder, level 4", "field": "Welding", "awarded": "2020-06-30"},
        at=at - timedelta(days=2),
        days=365,
    )
    samples = data / "samples"
    samples.mkdir()
    for name, text in (
        ("1-test-result", good.text),
        ("2-diploma", diploma.text),
        ("3-test-result-expired", old.text),
        ("4-test-result-altered", _altered(good.text)),
    ):
        (samples / f"{name}.txt").write_text(text, "utf-8")
    return {office.folder.name: make_token(office.folder) for office in (laboratory, university)}


def _found(data: Path, name: str, member: str, at: datetime, profile: Profile) -> Office:
    folder = data / "offices" / name
    folder.mkdir(parents=True)
    office = Office.found(folder, profile, os.environ[PASSPHRASE], at=at)
    issues = data / "members" / member / "issues"
    issues.mkdir(parents=True, exist_ok=True)
    (issues / f"{name}.toml").write_text(office.trust_entry(), "utf-8")
    return office


def _altered(text: str) -> str:
    """The same paper with another name: what a forger would like to show."""
    data = hcert.inflate(hcert.from_base45(hcert.unprefix(text)))
    return hcert.PREFIX + hcert.to_base45(zlib.compress(data.replace(b"Fiktiva", b"Erfunda")))
