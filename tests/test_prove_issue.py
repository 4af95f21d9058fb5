"""Issuing: an office signs, numbers, logs and takes back; on the command line, over the API, on its pages."""

import csv
import io
import json
import logging
import multiprocessing
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from landbridge.cli import DONE, FAILED, NO, USAGE, main
from landbridge.errors import CredentialError
from landbridge.prove.carrier import read
from landbridge.prove.facts import Outcome
from landbridge.prove.formats import sdjwt as sdjwt_format
from landbridge.prove.issue import documents, log, sheet
from landbridge.prove.issue.hcert import NotIssued
from landbridge.prove.issue.keys import KeyUnusable
from landbridge.prove.issue.office import Issued, Office, Order, Profile, make_token
from landbridge.prove.issue.sdjwt import present
from landbridge.prove.keys import to_jwk
from landbridge.prove.qr import CannotBeCoded
from landbridge.prove.status import StatusLists
from landbridge.prove.status.read import read_lists
from landbridge.prove.trust.list import TrustList
from landbridge.prove.trust.read import read_trust
from landbridge.prove.verdict import Verdict
from landbridge.prove.verify import Trust, examine
from tests.browser import Browser
from tests.visits import Visitor, union, visitor

PASSPHRASE = "a passphrase of the tests"  # noqa: S105 of keys that are thrown away
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERSON = {"surname": "Мустер-Тест", "given_names": "Фиктива", "born": "1990-01-31"}
CASES = {
    "test": {**PERSON, "test_type": "naat", "result": "negative", "sampled": "2026-05-31T08:30:00Z"},
    "vaccination": {
        **PERSON,
        "vaccine": "1119349007",
        "product": "EU/1/20/1528",
        "maker": "ORG-100030215",
        "dose": "2",
        "doses": "2",
        "date": "2026-03-02",
    },
    "recovery": {**PERSON, "first_positive": "2026-02-01", "from": "2026-02-12", "until": "2026-07-31"},
    "qualification": {**PERSON, "title": "Welder, level 4", "field": "Welding", "awarded": "2020-06-30"},
}
CARD = {**PERSON, "vaccine": "208", "date": "2026-03-02"}
EVERY = [(format_, kind) for format_, kinds in documents.FORMATS.items() for kind in kinds]
Run = Callable[..., tuple[int, str, str]]


def case_of(format_: str, kind: str, **changes: str) -> dict[str, str]:
    return {**(CARD if (format_, kind) == ("shc", "vaccination") else CASES[kind]), **changes}


def found(folder: Path, *, id_: str = "https://lab.example", **more: Any) -> Office:
    profile = Profile(
        title="Test laboratory of Altania",
        id=id_,
        country="XA",
        kinds=tuple(documents.FIELDS),
        status=f"{id_}/status",
    )
    return Office.found(folder, profile, PASSPHRASE, at=NOON - timedelta(days=1), **more)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return found(tmp_path / "xa-lab")


def trust_in(office: Office, folder: Path) -> TrustList:
    """What a verifier has who was handed the office's entry."""
    (folder / "office.toml").write_text(office.trust_entry(), "utf-8")
    return read_trust([folder / "office.toml"])


def lists_of(office: Office, folder: Path, issuers: TrustList, *, at: datetime = NOON) -> StatusLists:
    for uri, data in office.publish_status(at=at).items():
        file = folder / "web" / uri.removeprefix("https://")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return read_lists([folder / "web"], issuers)


def verdict(data: str | bytes, issuers: TrustList, lists: StatusLists, *, at: datetime = NOON) -> Verdict:
    (found,) = examine(data, trust=Trust(issuers=issuers, taken_back=lists), at=at)
    return found


def test_what_is_issued_in_any_format_becomes_facts_and_what_is_taken_back_is_red_alone(
    office: Office, tmp_path: Path
) -> None:
    issued = {pair: [office.issue(*pair, case_of(*pair), at=NOON) for _ in range(2)] for pair in EVERY}
    issuers = trust_in(office, tmp_path)
    lists = lists_of(office, tmp_path, issuers)
    for (_, kind), both in issued.items():
        for one in both:
            answer = verdict(one.text, issuers, lists)
            assert answer.facts is not None, (one.format, kind, answer.to_json())
            assert answer.facts.content.kind == kind
            assert answer.facts.content.subject.surname == "Мустер-Тест"
            assert answer.facts.content.subject.born == "1990-01-31"
            assert answer.not_taken_back.code == "not-on-list"
            assert answer.leniencies == ()
    for number, (first, _) in enumerate(issued.values()):
        assert first.place is not None
        office.take_back(first.place, at=NOON, value="invalid" if number % 2 else "suspended")
    lists = lists_of(office, tmp_path, issuers)
    for pair, (first, second) in issued.items():
        assert verdict(first.text, issuers, lists).not_taken_back.outcome is Outcome.NO, pair
        assert verdict(second.text, issuers, lists).outcome is Outcome.YES, pair


def test_a_suspension_ends_and_what_is_taken_back_stays_so(office: Office, tmp_path: Path) -> None:
    one = office.issue("jwt-vc", "qualification", CASES["qualification"], at=NOON)
    assert one.place is not None
    issuers = trust_in(office, tmp_path)
    for value, code in (
        ("suspended", "suspended"),
        ("valid", "not-on-list"),
        ("invalid", "taken-back"),
    ):
        office.take_back(one.place, at=NOON, value=value)
        lists = lists_of(office, tmp_path, issuers)
        assert verdict(one.text, issuers, lists).not_taken_back.code == code
    with pytest.raises(NotIssued, match="for good"):
        office.take_back(one.place, at=NOON, value="valid")
    with pytest.raises(NotIssued, match="never given out"):
        office.take_back(one.place + 1, at=NOON)


def test_the_key_set_says_how_new_the_list_of_its_health_cards_is(office: Office) -> None:
    one = office.issue("shc", "test", CASES["test"], at=NOON)
    assert one.place is not None
    for counter in (1, 2):
        published = office.publish_status(at=NOON)
        (kid,) = [uri for uri in published if "/crl/" in uri]
        listed = json.loads(published[kid])
        keys = json.loads(published["https://lab.example/.well-known/jwks.json"])["keys"]
        assert keys[0]["crlVersion"] == listed["ctr"] == counter
        assert len(listed["rids"]) == counter - 1
        office.take_back(one.place, at=NOON)


REFUSED = [
    ("hcert", "test", "result", "inconclusive"),
    ("hcert", "test", "test_type", "sniffing"),
    ("hcert", "test", "sampled", "2026-06-02T08:00:00Z"),
    ("hcert", "test", "sampled", "2026-05-31"),
    ("hcert", "test", "sampled", "2026-05-31T08:30:00"),
    ("hcert", "test", "sampled", "1989-05-31T08:30:00Z"),
    ("hcert", "test", "born", "2026-12-01"),
    ("hcert", "test", "born", "31.01.1990"),
    ("hcert", "test", "born", "1990-02-30"),
    ("hcert", "test", "born", ""),
    ("hcert", "test", "surname", "12345"),
    ("hcert", "test", "surname", "A\u202eB"),
    ("hcert", "test", "surname", "A" * 81),
    ("hcert", "test", "surname_latin", "MÜSTER"),
    ("hcert", "test", "given_names", "\x07"),
    ("hcert", "test", "device", "9999999"),
    ("hcert", "test", "country", "QQ"),
    ("hcert", "test", "disease", "flu"),
    ("hcert", "test", "disease", "840539009"),
    ("hcert", "test", "id", "X-1"),
    ("hcert", "test", "id", "URN:UVCI:01:XA:ABC#0"),
    ("hcert", "test", "colour", "red"),
    ("hcert", "vaccination", "vaccine", "no-such-code"),
    ("hcert", "vaccination", "product", "EU/1/20/9999"),
    ("hcert", "vaccination", "maker", "ORG-1"),
    ("hcert", "vaccination", "dose", "0"),
    ("hcert", "vaccination", "doses", "two"),
    ("hcert", "vaccination", "date", "2026-06-09"),
    ("hcert", "recovery", "from", "2026-01-12"),
    ("hcert", "recovery", "until", "2026-02-10"),
    ("hcert", "recovery", "first_positive", "2026-13-01"),
    ("shc", "vaccination", "vaccine", "1119349007"),
    ("shc", "vaccination", "dose", "2"),
    ("sd-jwt-vc", "qualification", "awarded", "2026-06-30"),
    ("sd-jwt-vc", "qualification", "title", "x" * 201),
    ("jwt-vc", "qualification", "id", "diploma 1"),
    ("jwt-vc", "qualification", "awarded", "1980-06-30"),
]


@pytest.mark.parametrize(("format_", "kind", "field", "value"), REFUSED)
def test_what_is_not_as_it_must_be_is_refused_by_the_name_of_its_field(
    office: Office, format_: str, kind: str, field: str, value: str
) -> None:
    with pytest.raises(NotIssued) as refused:
        office.issue(format_, kind, case_of(format_, kind, **{field: value}), at=NOON)
    assert refused.value.field == field
    assert str(refused.value).startswith(field)
    assert office.leaves() == []


def test_formats_kinds_days_and_keys_that_do_not_go_together_are_refused(
    office: Office, tmp_path: Path
) -> None:
    test = CASES["test"]
    for format_, kind, more, words in (
        ("hcert", "qualification", {}, "is not issued as"),
        ("pdf", "test", {}, "no such format"),
        ("hcert", "cookery", {}, "this office issues"),
        ("hcert", "test", {"days": 0}, "days=0"),
        ("hcert", "test", {"days": 800}, "reaches beyond"),
        ("hcert", "test", {"conceal": ("born",)}, "sd-jwt-vc alone"),
        ("sd-jwt-vc", "test", {"conceal": ("shoe_size",)}, "names no claim"),
        ("sd-jwt-vc", "test", {"holder": {"kty": "EC"}}, "holder"),
    ):
        with pytest.raises(NotIssued, match=words):
            office.issue(format_, kind, test, at=NOON, **more)  # type: ignore[arg-type]
    rsa = found(tmp_path / "xa-ed", algorithm="EdDSA")
    for format_ in ("hcert", "shc"):
        with pytest.raises(NotIssued, match="signed with P-256"):
            rsa.issue(format_, "test", test, at=NOON)
    with pytest.raises(KeyUnusable, match="is good from"):
        office.issue("hcert", "test", test, at=NOON + timedelta(days=900))
    with pytest.raises(NotIssued, match="antigen test names its device"):
        office.issue("hcert", "test", {**test, "test_type": "antigen"}, at=NOON)
    for bad in ("http://lab.example", "https://lab.example/", "https://lab.example/../x"):
        with pytest.raises(NotIssued, match="https address"):
            found(tmp_path / "xa-bad", id_=bad)


def test_a_holder_gets_the_claims_named_to_keep_back_and_is_bound(office: Office, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    holder = to_jwk(key.public_key())
    case = CASES["qualification"]
    one = office.issue(
        "sd-jwt-vc", "qualification", case, at=NOON, conceal=("born", "given_names"), holder=holder
    )
    shown = present(
        one.text, [("given_name",)], key=key, audience="https://border.example", nonce="1", at=NOON
    )
    claims = sdjwt_format.check_binding(shown, audience="https://border.example", nonce="1", at=NOON)
    assert claims["nonce"] == "1"
    issuers = trust_in(office, tmp_path)
    answer = verdict(shown, issuers, lists_of(office, tmp_path, issuers))
    assert answer.facts is not None
    assert answer.facts.content.subject.given_names == "Фиктива"
    assert answer.facts.content.subject.born == ""
    assert office.find(shown) == one.seq
    with pytest.raises(NotIssued, match="private key"):
        office.issue("sd-jwt-vc", "qualification", case, at=NOON, holder={**holder, "d": "AA"})


def test_a_new_key_signs_and_what_the_old_one_signed_stays_good(office: Office, tmp_path: Path) -> None:
    old = office.issue("hcert", "test", CASES["test"], at=NOON)
    Office(office.folder, PASSPHRASE).keys.generate(
        "second", country="XA", organisation="Test laboratory", kinds=("test",), at=NOON
    )
    new = office.issue("hcert", "test", CASES["test"], at=NOON + timedelta(minutes=1))
    issuers = trust_in(office, tmp_path)
    lists = lists_of(office, tmp_path, issuers, at=NOON + timedelta(minutes=1))
    answers = [verdict(one.text, issuers, lists, at=NOON + timedelta(hours=1)) for one in (old, new)]
    assert [one.outcome for one in answers] == [Outcome.YES, Outcome.YES]
    assert answers[0].authentic.rests_on != answers[1].authentic.rests_on
    with pytest.raises(KeyUnusable, match="does not open"):
        Office(office.folder, "another passphrase").issue("hcert", "test", CASES["test"], at=NOON)
    with pytest.raises(KeyUnusable, match="12 bytes"):
        Office.found(tmp_path / "xa-x", office.profile, "short", at=NOON)


# the log


def test_proofs_of_the_log_hold_for_every_size_and_altered_ones_do_not() -> None:
    leaves = [log.leaf_hash(bytes([number])) for number in range(40)]
    roots = [log.root(leaves[:size]) for size in range(41)]
    for size in range(1, 41):
        for index in range(size):
            proof = log.inclusion(leaves[:size], index)
            assert log.includes(leaves[index], index, size, proof, roots[size])
            assert not log.includes(leaves[index], index, size, proof, roots[size - 1])
            assert not log.includes(leaves[(index + 1) % 40], index, size, proof, roots[size])
            assert not log.includes(leaves[index], index, size, [*proof, roots[1]], roots[size])
            if proof:
                assert not log.includes(leaves[index], index, size, proof[:-1], roots[size])
                wrong = [bytes(32), *proof[1:]]
                assert not log.includes(leaves[index], index, size, wrong, roots[size])
        for old in range(1, size + 1):
            proof = log.consistency(leaves[:size], old)
            assert log.extends(old, roots[old], size, roots[size], proof)
            assert not log.extends(old, bytes(32), size, roots[size], proof)
            assert not log.extends(old, roots[old], size, bytes(32), proof) or old == size == 0
            assert not log.extends(old, roots[old], size, roots[size], [*proof, bytes(32)])


def test_the_root_of_the_log_is_the_one_of_the_specification() -> None:
    # The seven leaves that certificate transparency implementations share as test data (RFC 9162, section 2.1).
    entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [log.leaf_hash(bytes.fromhex(one)) for one in entries]
    assert log.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert log.root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert log.root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_signature_that_was_not_made_here_is_in_no_log(office: Office, tmp_path: Path) -> None:
    one = office.issue("hcert", "test", CASES["test"], at=NOON)
    thief = found(tmp_path / "elsewhere" / "xa-lab")
    for name in ("keys", "office.toml"):
        target, source = thief.folder / name, office.folder / name
        if source.is_dir():
            for file in source.iterdir():
                (target / file.name).write_bytes(file.read_bytes())
        else:
            target.write_bytes(source.read_bytes())
    stolen = Office(thief.folder, PASSPHRASE).issue("hcert", "test", CASES["test"], at=NOON)
    issuers = trust_in(office, tmp_path)
    assert verdict(stolen.text, issuers, StatusLists()).authentic.outcome is Outcome.YES
    assert office.find(stolen.text) is None
    assert office.find(one.text) == 0
    assert office.find(sheet.png(one.code)) == 0


def test_under_one_name_nothing_is_signed_twice(office: Office) -> None:
    first = office.issue("hcert", "test", CASES["test"], at=NOON, once="order-1")
    with pytest.raises(NotIssued, match=f"entry {first.seq} of the log, number {first.place}"):
        office.issue("hcert", "test", CASES["test"], at=NOON, once="order-1")
    assert office.issue("hcert", "test", CASES["test"], at=NOON, once="order-2").seq == 1


def _issue_many(folder: Path, count: int, told: Any) -> None:
    office = Office(folder, PASSPHRASE)
    for _ in range(count):
        one = office.issue("hcert", "test", CASES["test"], at=NOON)
        told.put((one.seq, one.place, one.text))


def test_two_processes_that_issue_at_once_never_share_an_entry_or_a_number(office: Office) -> None:
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    workers = [context.Process(target=_issue_many, args=(office.folder, 25, told)) for _ in range(2)]
    for worker in workers:
        worker.start()
    got = [told.get(timeout=60) for _ in range(50)]
    for worker in workers:
        worker.join(30)
    assert sorted(seq for seq, _, _ in got) == list(range(50))
    assert len({place for _, place, _ in got}) == 50
    assert all(office.find(text) == seq for seq, _, text in got)


def test_whatever_left_is_in_the_log_though_the_process_was_killed(office: Office) -> None:
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    worker = context.Process(target=_issue_many, args=(office.folder, 100_000, told))
    worker.start()
    got = [told.get(timeout=60) for _ in range(5)]
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(30)
    assert all(office.find(text) == seq for seq, _, text in got)
    size = len(office.leaves())
    assert office.issue("hcert", "test", CASES["test"], at=NOON).seq == size
    with sqlite3.connect(office.folder / "issued.db") as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)


def test_ten_thousand_rows_wait_for_the_disk_a_hundred_times(office: Office) -> None:
    begin = time.monotonic()
    orders = [Order(format="hcert", kind="test", case=CASES["test"]) for _ in range(300)]
    done = office.issue_all(orders, at=NOON)
    assert all(isinstance(one, Issued) for one in done)
    assert time.monotonic() - begin < 5
    assert [one.seq for one in done if isinstance(one, Issued)] == list(range(300))


# codes and sheets


def test_a_code_is_as_strong_as_it_stays_readable_and_what_fits_none_says_so() -> None:
    for code, level in (
        ("HC1:" + "A" * 600, "Q"),
        ("HC1:" + "A" * 1_300, "M"),
        ("shc:/" + "56" * 1_000, "M"),
        ("a" * 700, "Q"),
        ("a" * 990, "M"),
        ("a" * 2_900, "L"),
    ):
        assert sheet.level_for(code) == level
        assert read(sheet.png(code))[0].text == code
    with pytest.raises(CannotBeCoded, match="do not fit"):
        sheet.png("a" * 3_000)


# the command line


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LANDBRIDGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LANDBRIDGE_ISSUE_PASSPHRASE", PASSPHRASE)
    monkeypatch.chdir(tmp_path)

    def running(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        try:
            code = main(words)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return running


@pytest.fixture
def laboratory(run: Run) -> str:
    code, said, _ = run(
        "issue", "office", "xa-lab", "--title", "Test laboratory", "--id", "https://lab.example",
        "--country", "xa", "--kinds", "test,qualification", "--status", "https://lab.example/status", "--json",
    )  # fmt: skip
    assert code == DONE
    Path("trust").mkdir()
    Path("trust/lab.toml").write_text(json.loads(said)["trust_entry"])
    return str(json.loads(said)["token"])


def recent(**changes: str) -> dict[str, str]:
    """A test of this morning, for what runs by the real clock."""
    sampled = (datetime.now(UTC) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**CASES["test"], "sampled": sampled, **changes}


@pytest.mark.usefixtures("laboratory")
def test_one_case_is_signed_verified_found_in_the_log_and_taken_back_on_the_command_line(run: Run) -> None:
    code, said, _ = run(
        "issue", "sign", "xa-lab", "-", "--format", "hcert", "--kind", "test", "--qr", "code.png",
        "--sheet", "sheet.html", "--lang", "ru", "--json", stdin=json.dumps(recent()),
    )  # fmt: skip
    assert code == DONE
    issued = json.loads(said)
    assert 'lang="ru"' in Path("sheet.html").read_text()
    assert run("status", "publish", "xa-lab", "--out", "web")[0] == DONE
    look = ("verify", "code.png", "--trust", "trust", "--status", "web", "--json")
    code, said, _ = run(*look)
    assert code == DONE, said
    code, said, _ = run("issue", "log", "xa-lab", "code.png", "--json")
    proof = json.loads(said)
    assert code == DONE
    path = [bytes.fromhex(one) for one in proof["proof"]]
    assert log.includes(bytes.fromhex(proof["leaf"]), 0, 1, path, bytes.fromhex(proof["root"]))
    run("issue", "sign", "xa-lab", "-", "--format", "hcert", "--kind", "test", stdin=json.dumps(recent()))
    code, said, _ = run("issue", "log", "xa-lab", "--since", "1", "--root", proof["root"])
    assert (code, "it begins with those" in said) == (DONE, True)
    assert run("issue", "log", "xa-lab", "--since", "1", "--root", "00" * 32)[0] == NO
    assert run("status", "set", "xa-lab", str(issued["place"]))[0] == DONE
    assert run("status", "publish", "xa-lab", "--out", "web")[0] == DONE
    code, said, _ = run(*look)
    assert (code, json.loads(said)["parts"]["not_taken_back"]["code"]) == (NO, "taken-back")


@pytest.mark.usefixtures("laboratory")
def test_of_three_hundred_rows_three_are_refused_mended_and_handed_in_again(run: Run) -> None:
    rows = [recent(surname=f"Muster-Test {chr(65 + n % 26)}", centre="Hall 1, desk 2") for n in range(300)]
    rows[10]["result"] = "unclear"
    rows[20]["born"] = "2036-01-01"
    rows[30]["surname"] = "???"
    columns = list(rows[0])

    def write(name: str, some: list[dict[str, str]]) -> None:
        with Path(name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter=";")
            writer.writeheader()
            writer.writerows(some)

    write("tests.csv", rows)
    words = ("--format", "hcert", "--kind", "test", "--out", "out", "--json")
    code, said, _ = run("issue", "batch", "xa-lab", "tests.csv", *words)
    answer = json.loads(said)
    assert (code, answer["signed"]) == (NO, 297)
    assert [(one["line"], one["reason"].split()[0]) for one in answer["refused"]] == [
        (12, "result"), (22, "born"), (32, "surname"),
    ]  # fmt: skip
    assert len(list(Path("out").glob("*.png"))) == 297
    with Path("out/errors.csv").open(encoding="utf-8", newline="") as file:
        again = list(csv.DictReader(file))
    assert [one["line"] for one in again] == ["12", "22", "32"]
    columns[:0] = ["line", "reason"]
    write("mended.csv", [{**one, "result": "negative", "born": "1990", "surname": "Muster"} for one in again])
    code, said, _ = run("issue", "batch", "xa-lab", "mended.csv", *words)
    assert (code, json.loads(said)["signed"]) == (DONE, 3)
    assert len(list(Path("out").glob("*.txt"))) == 300
    with Path("out/issued-0000000.csv").open(encoding="utf-8", newline="") as file:
        numbers = list(csv.DictReader(file))
    assert len({one["number"] for one in numbers}) == 297
    assert numbers[0]["line"] == "2"


@pytest.mark.usefixtures("laboratory")
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"surname;shoe\nA;1\n", "'shoe' is no field of test"),
        (b"surname;surname\nA;B\n", "is there twice"),
        (b"surname;born\n", "no rows"),
        (b"surname;born\nA;1990;2\n", "line 2 has 3 cells"),
        ("surname;born\nÄ;1990\n".encode("latin-1"), "not UTF-8"),
        (b"", "no rows"),
    ],
)
def test_a_table_that_is_none_says_why(run: Run, table: bytes, words: str) -> None:
    Path("t.csv").write_bytes(table)
    code, _, said = run(
        "issue", "batch", "xa-lab", "t.csv", "--format", "hcert", "--kind", "test", "--out", "out"
    )
    assert code == USAGE
    assert words in said


@pytest.mark.usefixtures("laboratory")
def test_a_wrong_command_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = ("issue", "sign", "xa-lab", "-", "--format", "hcert", "--kind", "test")
    assert run(*sign, stdin="no json")[0] == USAGE
    assert run(*sign, stdin="[]")[0] == USAGE
    assert run(*sign, "--lang", "tlh", stdin=json.dumps(recent()))[0] == USAGE
    assert run("issue", "show", "xb-none")[0] == FAILED
    assert run("issue", "log", "xa-lab", "nothing-here")[0] == USAGE
    monkeypatch.setenv("LANDBRIDGE_ISSUE_PASSPHRASE", "not this one, surely")
    code, _, said = run(*sign, stdin=json.dumps(recent()))
    assert (code, "does not open" in said) == (FAILED, True)
    monkeypatch.delenv("LANDBRIDGE_ISSUE_PASSPHRASE")
    assert "set LANDBRIDGE_ISSUE_PASSPHRASE" in run(*sign, stdin=json.dumps(recent()))[2]


# the API


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Visitor, str, Office]:
    monkeypatch.setenv("LANDBRIDGE_ISSUE_PASSPHRASE", PASSPHRASE)
    instance = union(tmp_path)
    office = found(instance.settings.data / "offices" / "xa-lab")
    return visitor(instance), make_token(office.folder), office


def ask(desk: Visitor, body: Any, token: str, path: str = "", **headers: str) -> Any:
    sent = {"authorization": f"Bearer {token}", "content-type": "application/json", **headers}
    return desk.ask("POST", f"/api/v1/issue{path}", sent, json.dumps(body).encode())


def test_the_api_signs_for_who_has_the_token_and_takes_back(
    desk: tuple[Visitor, str, Office], tmp_path: Path
) -> None:
    visits, token, office = desk
    order = {"office": "xa-lab", "format": "hcert", "kind": "test", "case": recent()}
    reply = ask(visits, order, token)
    assert reply.status == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    issued = reply.json
    assert issued["qr_svg"].startswith("<svg")
    assert office.find(issued["text"]) == issued["seq"] == 0
    assert reply.json["expires"] > "2026"
    issuers = trust_in(office, tmp_path)
    now = datetime.now(UTC)
    lists = lists_of(office, tmp_path, issuers, at=now)
    assert verdict(issued["text"], issuers, lists, at=now).outcome is Outcome.YES
    assert ask(visits, {"office": "xa-lab", "place": issued["place"]}, token, "/status").json == {
        "place": issued["place"],
        "status": "invalid",
    }
    lists = lists_of(office, tmp_path, issuers, at=now)
    assert verdict(issued["text"], issuers, lists, at=now).outcome is Outcome.NO
    once = {"idempotency-key": "order-7"}
    assert ask(visits, order, token, **once).status == 200
    assert ask(visits, order, token, **once).status == 409
    assert len(office.leaves()) == 2


def test_the_api_refuses_by_field_and_tells_nobody_which_offices_there_are(
    desk: tuple[Visitor, str, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    visits, token, office = desk
    order = {"office": "xa-lab", "format": "hcert", "kind": "test", "case": recent()}
    reply = ask(visits, {**order, "case": recent(result="unclear")}, token)
    assert (reply.status, reply.json["parameter"], reply.json["code"]) == (422, "result", "value-set")
    assert ask(visits, {**order, "colour": 1}, token).status == 400
    assert ask(visits, [], token).status == 400
    assert ask(visits, {**order, "case": {"surname": "x" * 70_000}}, token).status == 413
    assert visits.get("/api/v1/issue").status == 405
    monkeypatch.delenv("LANDBRIDGE_ISSUE_PASSPHRASE")
    assert ask(visits, order, token).status == 503
    monkeypatch.setenv("LANDBRIDGE_ISSUE_PASSPHRASE", PASSPHRASE)
    wrong = [ask(visits, {**order, "office": name}, "guess") for name in ("xa-lab", "xz-none", "../xa-lab")]
    assert {one.status for one in wrong} == {401}
    assert len({one.text for one in wrong}) == 1
    assert wrong[0].headers["www-authenticate"] == "Bearer"
    assert office.leaves() == []
    fresh = make_token(office.folder)
    assert ask(visits, order, token).status == 401
    assert ask(visits, order, fresh).status == 200
    for _ in range(5):
        ask(visits, order, "guess")
    assert ask(visits, order, fresh).status == 429


def test_after_a_hundred_issues_nothing_of_a_person_is_left(
    desk: tuple[Visitor, str, Office],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visits, token, _ = desk
    handler = logging.FileHandler(tmp_path / "log.txt")
    logging.getLogger().addHandler(handler)
    try:
        for number, (format_, kind) in enumerate(EVERY * 10):
            case = case_of(format_, kind, surname="Qvantenhofer", given_names="Zebedaeus")
            case |= {name: "2025-06-01" for name in ("date", "first_positive", "from") if name in case}
            case |= {"until": "2025-09-01"} if "until" in case else {}
            case |= {"sampled": "2025-06-01T08:00:00Z"} if "sampled" in case else {}
            if number % 4 == 3:
                case["born"] = "Qvantenhofer"
            order = {"office": "xa-lab", "format": format_, "kind": kind, "case": case}
            reply = ask(visits, order, token)
            assert reply.status == (422 if number % 4 == 3 else 200), reply.text
            if reply.status == 422:
                assert "vantenhofer" not in reply.text.lower()

        def broken(*_: Any, **__: Any) -> Any:
            raise RuntimeError("Qvantenhofer")

        monkeypatch.setattr(documents, "check", broken)
        reply = ask(visits, order, token)
        assert reply.status == 500
        assert "vantenhofer" not in reply.text.lower()
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    said = capfd.readouterr()
    for word in ("qvantenhofer", "zebedaeus", token.lower()):
        for file in (one for one in tmp_path.rglob("*") if one.is_file()):
            assert word.encode() not in file.read_bytes().lower(), file.name
        assert word not in (said.out + said.err).lower()


# the pages


@pytest.fixture
def officer(desk: tuple[Visitor, str, Office]) -> Browser:
    visits, token, _ = desk
    browser = Browser(visits.app)
    page = browser.post("/issue", {"office": "xa-lab", "token": token})
    assert "samesite=strict" in browser.set_cookies[0].lower()
    assert "httponly" in browser.set_cookies[0].lower()
    assert "Test laboratory of Altania" in browser.follow(page).text
    return browser


def test_two_persons_come_onto_one_sheet_and_its_codes_are_read_back(
    officer: Browser, desk: tuple[Visitor, str, Office]
) -> None:
    office = desk[2]
    fill = {**recent(), "zone": "+03:00", "format": "hcert"}
    fill["sampled"] = (datetime.now(UTC) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    page = officer.get("/issue/test")
    assert page.headers["cache-control"] == "no-store"
    page = officer.press(page, "/issue/test", **fill)
    assert page.status == 200
    assert "<svg" in page.text
    page = officer.press(page, "/issue/test", again="1")
    assert "1 person is on the sheet" in page.text
    page = officer.press(page, "/issue/test", **{**fill, "surname": "Beispiel<b>"})
    printed = officer.press(page, "/issue/sheet", paper="a4")
    assert printed.status == 200
    assert printed.text.count("<svg") == 2
    assert "Beispiel&lt;b&gt;" in printed.text
    assert sheet.style_hash("a4") in printed.headers["content-security-policy"]
    assert len(office.leaves()) == 2


def test_a_form_that_is_wrong_says_where_and_keeps_what_was_typed(officer: Browser) -> None:
    page = officer.press(
        officer.get("/issue/test"), "/issue/test", **recent(born="2036-01-01", format="hcert")
    )
    assert page.status == 422
    assert "Nothing was signed." in page.text
    assert 'aria-invalid="true"' in page.text
    assert "Мустер-Тест" in page.text
    assert officer.get("/issue/cookery").status == 404


def test_a_document_is_taken_back_by_its_number(officer: Browser, desk: tuple[Visitor, str, Office]) -> None:
    one = desk[2].issue("hcert", "test", CASES["test"], at=NOON)
    home = officer.get("/issue")
    page = officer.press(home, "/issue/back", place=str(one.place), status="suspended")
    assert "is suspended" in page.text
    for wrong in ("99999999", "x", ""):
        assert officer.press(home, "/issue/back", place=wrong, status="invalid").status in (400, 422)


def test_only_who_is_signed_in_issues_and_only_by_a_form_of_ours(
    officer: Browser, desk: tuple[Visitor, str, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    visits, token, office = desk
    stranger = Browser(visits.app)
    assert stranger.get("/issue/test").headers["location"] == "/issue"
    assert stranger.post("/issue/test", recent()).status == 303
    assert stranger.post("/issue", {"office": "xa-lab", "token": "guess"}).status == 403
    assert stranger.post("/issue", {"office": "../x", "token": token}).status == 403
    assert officer.post("/issue/test", {**recent(), "form": "0" * 64}).status == 403
    assert officer.post("/issue/test", {"form": "é" * 9}).status == 403
    assert office.leaves() == []
    cookie = officer.cookies["issuing"]
    officer.cookies["issuing"] = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    assert officer.get("/issue/test").status == 303
    officer.cookies["issuing"] = cookie
    monkeypatch.delenv("LANDBRIDGE_ISSUE_PASSPHRASE")
    assert officer.get("/issue/test").status == 503
    make_token(office.folder)
    assert officer.get("/issue/test").status == 303


def test_every_error_of_an_office_is_a_credential_error() -> None:
    assert issubclass(NotIssued, CredentialError)
    assert issubclass(KeyUnusable, CredentialError)


ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("page", ["issue-for-a-laboratory", "issue-for-a-university"])
def test_the_commands_of_the_how_to_can_be_typed(page: str, tmp_path: Path) -> None:
    (tmp_path / "run").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m landbridge "$@"\n')
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    text = (ROOT / "docs/how-to" / f"{page}.md").read_text("utf-8")
    script = "set -e\n" + "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANDBRIDGE_")}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={
            **kept,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PATH": f"{tmp_path}:{kept['PATH']}",
            "LANDBRIDGE_DATA": str(tmp_path / "data"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert done.stdout.count("YES") >= (1 if "laboratory" in page else 2)
