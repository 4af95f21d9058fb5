"""Handing over a credential: on the command line, to the API, on the page; and that nothing of it stays."""

import contextlib
import io
import json
import logging
import random
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from landbridge.cli import DONE, FAILED, NO, USAGE, main
from landbridge.errors import ConfigError
from landbridge.prove import qr
from landbridge.prove.facts import Outcome
from landbridge.prove.formats import hcert
from landbridge.prove.trust import store
from landbridge.prove.trust.policy import read_policy
from landbridge.prove.verify import Trust
from tests.browser import Browser
from tests.provers import NOON, TestIssuer, negative_test, trusting
from tests.visits import Visitor, union, visitor

AT = "2026-06-02T00:00:00Z"
PARTS = {"authentic", "in_time", "not_taken_back", "entitled"}
Run = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def laboratory() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def folder(tmp_path: Path, laboratory: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an officer has on the desk: one certificate, and a negative test in several shapes."""
    monkeypatch.setenv("LANDBRIDGE_DATA", str(tmp_path / "data"))
    (tmp_path / "believed").mkdir()
    (tmp_path / "believed" / "laboratory.der").write_bytes(laboratory.der)
    text = laboratory.test_result()
    (tmp_path / "test.txt").write_text(text)
    (tmp_path / "test.png").write_bytes(qr.png(text))
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def running(*words: str, stdin: bytes = b"") -> tuple[int, Any]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(folder / word) if (folder / word).exists() else word for word in words])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = capsys.readouterr()
        return code, said.out if code != USAGE else said.err

    return running


def test_a_picture_a_text_and_standard_input_are_believed_with_exit_code_0(run: Run, folder: Path) -> None:
    for name in ("test.png", "test.txt"):
        code, said = run("verify", name, "--trust", "believed", "--at", AT)
        assert code == DONE, said
        assert "YES" in said
        assert "FIKTIVA" in said
    code, _ = run("verify", "-", "--trust", "believed", "--at", AT, stdin=(folder / "test.txt").read_bytes())
    assert code == DONE
    code, _ = run("verify", "--trust", "believed", "test.txt", "--at", AT)
    assert code == DONE


def test_the_json_holds_format_outcome_parts_steps_leniencies_and_claims(run: Run) -> None:
    code, said = run("verify", "test.txt", "--trust", "believed", "--at", AT, "--json")
    answer = json.loads(said)
    assert code == DONE
    assert answer["format"] == "hcert"
    assert answer["outcome"] == "yes"
    assert set(answer["parts"]) == PARTS
    assert all(
        part["outcome"] == "yes" and part["code"] and part["sentence"] for part in answer["parts"].values()
    )
    assert [step["number"] for step in answer["steps"]] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert answer["leniencies"] == []
    assert answer["believed"] is True
    assert answer["claims"]["t"][0]["tr"] == "260415000"


def test_a_no_exits_with_1_and_an_open_answer_with_2_and_both_say_what_to_do(run: Run) -> None:
    code, said = run("verify", "test.txt", "--trust", "believed", "--at", "2027-01-01T00:00:00Z", "--json")
    answer = json.loads(said)
    assert (code, answer["outcome"], answer["parts"]["in_time"]["code"]) == (NO, "no", "expired")
    assert answer["believed"] is False
    assert "expired" in answer["hint"]
    code, said = run("verify", "test.txt", "--at", AT, "--json")
    answer = json.loads(said)
    assert (code, answer["outcome"], answer["parts"]["entitled"]["code"]) == (FAILED, "open", "trust-missing")
    assert "trust" in answer["hint"]
    assert answer["claims"]["dob"] == "1990-01-31"
    assert answer["believed"] is False


def test_a_batch_answers_one_object_a_file_in_their_order(run: Run, folder: Path) -> None:
    for number in range(12):
        text = (folder / "test.txt").read_text()
        (folder / f"{number:02}.txt").write_text(text if number % 3 else text[:-9])
    names = [f"{number:02}.txt" for number in range(12)]
    code, said = run("verify", "--batch", *names, "--trust", "believed", "--at", AT, "--json")
    answers = [json.loads(line) for line in said.splitlines()]
    assert code == NO
    assert [Path(one["file"]).name for one in answers] == names
    assert [one["outcome"] for one in answers] == ["yes" if n % 3 else "no" for n in range(12)]


def test_the_trust_list_travels_from_the_officers_to_a_post_without_a_network(
    run: Run, folder: Path, laboratory: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDBRIDGE_TRUST_PASSPHRASE", "of nobody's keys")
    (folder / "lab.toml").write_text(
        'title = "Test laboratory"\nterritory = "XA"\nkinds = ["test"]\n[[keys]]\ncertificate = "lab.der"\n'
    )
    (folder / "lab.der").write_bytes((folder / "believed" / "laboratory.der").read_bytes())
    repository, stick = str(folder / "repository"), str(folder / "stick")
    for name in ("one", "two", "three", "online", "xa"):
        assert run("trust", "key", str(folder / f"{name}.key"))[0] == DONE
    officers = [word for name in ("one", "two", "three") for word in ("--officer", f"{name}.pub")]
    signing = ["--sign", "one.key", "--sign", "three.key", "--online", "online.key"]
    assert run("trust", "create", repository, *officers, *signing)[0] == DONE
    assert run("trust", "admit", repository, "xa", "xa.pub", "--territories", "XA", *signing)[0] == DONE
    own = ["--key", "xa.key", "--online", "online.key"]
    assert run("trust", "publish", repository, "xa", "lab.toml", *own)[0] == DONE
    assert run("trust", "timestamp", repository, "--online", "online.key")[0] == DONE
    assert run("trust", "show", "--json")[0] == NO
    assert run("trust", "update", repository)[0] == FAILED  # nobody has handed over its root yet
    assert run("trust", "update", repository, "--root", str(folder / "repository" / "root.json"))[0] == DONE
    code, said = run("trust", "show", "--json")
    shown = json.loads(said)
    assert code == DONE
    assert [(one["title"], one["kinds"]) for one in shown["issuers"]] == [("Test laboratory", ["test"])]
    assert shown["lists"][0]["age_days"] < 1
    now = datetime.now(UTC)
    (folder / "fresh.txt").write_text(laboratory.test_result(issued=now - timedelta(minutes=10)))
    code, said = run("verify", "fresh.txt", "--json")
    assert json.loads(said)["parts"]["entitled"]["outcome"] == "yes", said
    assert run("trust", "export", stick)[0] == DONE
    monkeypatch.setenv("LANDBRIDGE_DATA", str(folder / "border"))
    root = str(folder / "repository" / "root.json")
    assert run("trust", "update", stick, "--root", root)[0] == DONE
    assert json.loads(run("verify", "fresh.txt", "--json")[1])["parts"]["entitled"]["outcome"] == "yes"
    (folder / "border" / "trust" / "newest-signed-time").write_text((now + timedelta(days=9)).isoformat())
    answer = json.loads(run("verify", "fresh.txt", "--json")[1])
    assert answer["parts"]["in_time"]["code"] == "clock-set-back"
    assert answer["outcome"] == "open"


def test_the_ages_lists_may_have_are_the_operators_to_set(run: Run, folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    for text, wanted in (
        ("[ages]\nrefuse_after = 'soon'", "ages.refuse_after='soon'"),
        ("[ages.test]\nolder = '1d'", "[ages.test]"),
        ("age = 1", "'age'"),
    ):
        (data / "trust.toml").write_text(text)
        assert main(["verify", str(folder / "test.txt"), "--at", AT]) == FAILED
        with pytest.raises(ConfigError, match=re.escape(wanted)):
            read_policy(data / "trust.toml")
    (data / "trust.toml").write_text(
        "tolerance = '2m'\n[ages]\nwarn_after = '2d'\n[ages.test]\nrefuse_after = '36h'"
    )
    policy = read_policy(data / "trust.toml")
    assert policy.tolerance == timedelta(minutes=2)
    assert policy.refuses("test", timedelta(hours=37))
    assert policy.warns("test", timedelta(hours=37))
    assert not policy.refuses("vaccination", timedelta(days=29))
    assert policy.warns("vaccination", timedelta(days=3))


def test_a_wrong_command_says_what_it_wants(run: Run) -> None:
    for words, wanted in (
        (("verify",), "name a file"),
        (("verify", "nothing-here.png"), "not a file"),
        (("verify", "test.txt", "--at", "noon"), "2026-11-24T18:00:00Z"),
        (("verify", "test.txt", "test.png"), "--batch"),
    ):
        code, said = run(*words)
        assert code == USAGE
        assert wanted in said


def _pictures(text: str) -> Iterator[tuple[str, bytes]]:
    blank = Image.new("L", (300, 300), 255)
    file = io.BytesIO()
    blank.save(file, "PNG")
    yield "a picture without a code", file.getvalue()
    code = Image.open(io.BytesIO(qr.png(text)))
    two = Image.new("L", (2 * code.width + 40, code.height), 255)
    two.paste(code, (0, 0))
    two.paste(Image.open(io.BytesIO(qr.png("WIFI:T:WPA;S:test;;"))), (code.width + 40, 0))
    file = io.BytesIO()
    two.save(file, "PNG")
    yield "two codes in one picture, one of them no credential", file.getvalue()
    yield "a cut picture", qr.png(text)[:400]


BAD = [
    ("nothing", b""),
    ("blanks", b" \n\t "),
    ("words", b"Hello, this is my test result. Thank you."),
    ("a link", b"https://example.org/my-certificate/1"),
    ("another context", b"HC9:NCFOXN%TS3DH3ZSUZK"),
    ("no compression", b"HC1:NCFOXN%TS3DH3ZSUZK"),
    ("a token of nobody", b"eyJhbGciOiJub25lIn0.e30."),
    ("half a token", b"eyJhbGciOiJFUzI1NiJ9.e30"),
    ("JSON", b'{"hello": "world"}'),
    ("JSON cut", b'{"hello": '),
    ("XML", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    ("bytes", bytes(range(256)) * 4),
    ("UTF-16", "HC1:ÄÖÜ".encode("utf-16")),
    ("latin", "HC1:ÄÖÜ".encode("latin-1")),
    ("a PDF that is none", b"%PDF-1.7\n%%EOF"),
    ("CBOR of a bomb", b"\x9f" * 5_000),
    ("zeros", b"\x00" * 100_000),
]


@pytest.mark.parametrize(("name", "data"), BAD, ids=[name for name, _ in BAD])
def test_anything_at_all_gets_an_answer_a_code_and_a_next_step(
    run: Run, folder: Path, name: str, data: bytes
) -> None:
    (folder / "bad").write_bytes(data)
    code, said = run("verify", "bad", "--trust", "believed", "--at", AT, "--json")
    answer = json.loads(said)
    assert code in (NO, FAILED), name
    assert answer["outcome"] in ("no", "open")
    assert answer["parts"]["authentic"]["code"]
    assert answer["steps"][0]["code"]
    if answer["outcome"] == "open":
        assert answer["hint"], answer
    code, said = run("verify", "bad", "--trust", "believed", "--at", AT)
    assert "Traceback" not in said


def test_pictures_of_all_kinds_get_an_answer(run: Run, folder: Path) -> None:
    for name, data in _pictures((folder / "test.txt").read_text()):
        (folder / "bad.png").write_bytes(data)
        code, said = run("verify", "bad.png", "--trust", "believed", "--at", AT, "--json")
        answer = json.loads(said)
        assert code in (NO, FAILED), name
        if name.startswith("two codes"):
            assert answer["format"] == "several"
            assert {one["outcome"] for one in answer["credentials"]} == {"yes", "open"}


@pytest.fixture
def desk(tmp_path: Path, laboratory: TestIssuer, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A served instance that holds the laboratory's certificate."""

    def load(folder: Path, *, now: datetime | None, **_: Any) -> Trust:
        return trusting(laboratory)

    monkeypatch.setattr(store, "load", load)
    return visitor(union(tmp_path))


def test_the_api_answers_as_the_command_does(desk: Visitor, laboratory: TestIssuer) -> None:
    text = laboratory.test_result()
    for body in (text.encode(), qr.png(text)):
        reply = desk.ask(
            "POST", f"/api/v1/verify?at={AT}", {"content-type": "application/octet-stream"}, body
        )
        assert reply.status == 200
        assert reply.headers["cache-control"] == "no-store"
        assert reply.json["outcome"] == "yes"
        assert set(reply.json["parts"]) == PARTS
    assert desk.ask("POST", "/api/v1/verify").status == 400
    assert desk.ask("POST", "/api/v1/verify?at=noon", {}, b"x").json["parameter"] == "at"
    assert desk.ask("POST", "/api/v1/verify", {}, b"x" * 10_000_001).status == 413
    assert desk.get("/api/v1/verify").status == 405


def test_the_page_shows_three_outcomes_by_sign_word_and_border(desk: Visitor, laboratory: TestIssuer) -> None:
    browser = Browser(desk.app)
    now = datetime.now(UTC)
    fresh = TestIssuer("XB", since=now - timedelta(days=1))
    old = laboratory.test_result(issued=NOON - timedelta(days=300))
    page = browser.upload("/verify", "test.png", qr.png(old))
    assert page.status == 200
    assert 'class="verdict no"' in page.text
    assert "✗" in page.text
    assert "Not valid" in page.text
    page = browser.upload("/verify", "test.txt", fresh.test_result(issued=now).encode())
    assert 'class="verdict open"' in page.text
    assert "Cannot be checked" in page.text
    assert "not to be relied on" in page.text


def test_the_name_is_held_against_the_passport(
    desk: Visitor, laboratory: TestIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(desk.app)
    zone = "P<XAAMUSTER<TEST<<FIKTIVA<MARIA<<<<<<<<<<<<<\n" + _second_line("X00000001", "900131")
    text = laboratory.test_result()
    page = browser.upload("/verify", "test.txt", text.encode(), passport=zone)
    assert "The name fits the passport." in page.text
    other = "P<XAAMUSTER<TEST<<ERFUNDEN<<<<<<<<<<<<<<<<<<\n" + _second_line("X00000001", "900131")
    page = browser.upload("/verify", "test.txt", text.encode(), passport=other)
    assert "The name does not fit the passport." in page.text
    page = browser.upload("/verify", "test.txt", text.encode(), passport="P<XAA")
    assert "could not be read" in page.text


def _second_line(number: str, born: str) -> str:
    """Doc 9303-4, 4.2.2: number, nationality, birth, sex, expiry, their check digits and the whole's."""

    def check(text: str) -> str:
        values = [int(s) if s.isdigit() else 0 if s == "<" else ord(s) - 55 for s in text]
        return str(sum(v * (7, 3, 1)[n % 3] for n, v in enumerate(values)) % 10)

    expiry = "350101"
    personal = "<" * 14
    first = number + check(number)
    birth, until = born + check(born), expiry + check(expiry)
    last = personal + "0"
    return first + "XAA" + birth + "F" + until + last + check(first + birth + until + last)


def test_after_a_thousand_verifications_nothing_of_a_person_is_left(
    tmp_path: Path, desk: Visitor, laboratory: TestIssuer, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = "QVANTENHOFER"
    log = tmp_path / "log.txt"
    handler = logging.FileHandler(log)
    logging.getLogger().addHandler(handler)
    dice = random.Random(3)
    outcomes = set()
    try:
        for number in range(1_000):
            name = {"fn": planted.title(), "fnt": planted, "gn": f"Zebedaeus {number}", "gnt": "ZEBEDAEUS"}
            text = laboratory.test_result(nam=name, ci=f"URN:UVCI:01:XA:{planted}{number}")
            if number % 4 == 1:  # changed, so that every step is met by its failure
                data = bytearray(hcert.inflate(hcert.from_base45(hcert.unprefix(text))))
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
                text = "HC1:" + hcert.to_base45(zlib.compress(bytes(data)))
            at = AT if number % 3 else "2031-01-01T00:00:00Z"
            reply = desk.ask("POST", f"/api/v1/verify?at={at}", {}, text.encode())
            assert reply.status == 200
            outcomes.add(reply.json["outcome"])
        browser = Browser(desk.app)
        name = {"fn": planted.title(), "fnt": planted, "gn": "Zebedaeus", "gnt": "ZEBEDAEUS"}
        browser.upload("/verify", f"{planted}.txt", laboratory.test_result(nam=name).encode())
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    said = capfd.readouterr()
    assert outcomes == {str(Outcome.YES), str(Outcome.NO)} | ({"open"} & outcomes)
    for word in (planted, planted.title(), "Zebedaeus", "ZEBEDAEUS"):
        for file in (one for one in tmp_path.rglob("*") if one.is_file()):
            assert word.encode() not in file.read_bytes(), file.name
            assert word not in file.name
        assert word not in said.out + said.err


def test_an_error_of_ours_reports_no_claim(
    desk: Visitor, laboratory: TestIssuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("QVANTENHOFER")

    monkeypatch.setattr("landbridge.api.proving.examine", broken)
    text = laboratory.test_result(nam={"fn": "Qvantenhofer", "fnt": "QVANTENHOFER"})
    reply = desk.ask("POST", "/api/v1/verify", {}, text.encode())
    assert reply.status == 500
    assert "QVANTENHOFER" not in reply.text + caplog.text
    with contextlib.suppress(KeyError):
        assert negative_test()["nam"]["fn"] not in caplog.text
