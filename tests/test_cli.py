"""The command line: exit codes, the shapes of --json, and that nothing is lost between its commands."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from landbridge.cli import DONE, FAILED, NO, USAGE, main

SOURCE = """
title = "Altania: vacancies"
kind = "vacancy"
language = "en"
deletes = "none"
country = "KZ"
[map]
id = "id"
title = "title"
contract = "contract"
[values.contract]
"forever" = "permanent"
[[replay]]
files = ["rows.json"]
"""
ROWS = [
    {"id": 1, "title": "Pipe welder", "contract": "forever"},
    {"id": 2, "title": "Ward nurse", "contract": "forever"},
    {"id": 3, "title": "Crane driver", "contract": "rotation"},  # a word the source does not know
]

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS), "utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with one member of its own, xa."""
    folder = tmp_path / "data"
    shares = folder / "members" / "xa" / "shares"
    shares.mkdir(parents=True)
    (shares.parent / "member.toml").write_text('name = "Altania"\ncountries = ["KZ"]\n', "utf-8")
    (shares / "jobs.toml").write_text(SOURCE, "utf-8")
    for name in ("JOURNAL", "INDEX", "MEMBERS"):
        monkeypatch.delenv(f"LANDBRIDGE_{name}", raising=False)
    monkeypatch.setenv("LANDBRIDGE_DATA", str(folder))
    return folder


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; answers its exit code and the JSON documents or the text it printed."""

    def command(*words: str | Path) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([str(word) for word in words])
        text = capsys.readouterr().out
        return code, json.loads(text) if "--json" in words else text

    return command


@pytest.fixture
def harvested(run: Run, rows: Path) -> Run:
    run("harvest", "xa", "--replay", rows)
    return run


def titles(answer: dict[str, Any]) -> list[str]:
    return sorted("".join(part for part, _ in hit["title"]) for hit in answer["hits"])


def exit_of(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert isinstance(left.value.code, int)
    return left.value.code


# exit codes


def test_found_is_0_and_nothing_found_is_1(harvested: Run) -> None:
    assert harvested("find", "welder", "--in", "xa")[0] == DONE == 0
    assert harvested("find", "astronaut", "--in", "xa")[0] == NO == 1


def test_members_that_cannot_answer_make_it_2(run: Run) -> None:
    assert run("find", "welder", "--in", "xa")[0] == FAILED == 2


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["find", "--colour", "red"], ["member"], ["export", "--format", "xml"]]
)
def test_a_wrong_command_is_64(words: list[str]) -> None:
    assert exit_of(*words) == USAGE == 64


@pytest.mark.parametrize(
    "words",
    [
        ["find", "welder", "--sort", "colour"],
        ["find", "welder", "--where", "contract"],
        ["find", "welder", "--in", "nowhere"],
        ["harvest", "nobody"],
        ["harvest", "--replay", "not-there.json"],
        ["member", "test", "not-there.json"],
        ["member", "show", "xa/none"],
        ["restore", "not-there.tar"],
    ],
)
def test_a_command_that_names_what_is_not_there_is_64(run: Run, words: list[str]) -> None:
    assert run(*words)[0] == 64


def test_a_file_that_is_no_backup_is_2(run: Run, rows: Path) -> None:
    assert run("restore", rows)[0] == FAILED


def test_a_harvest_of_nothing_is_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "strange.bin").write_bytes(b"?")
    assert run("harvest", "xa", "--replay", tmp_path / "strange.bin")[0] == NO


# shapes


def test_find_answers_one_json_document(harvested: Run) -> None:
    _, answer = harvested("find", "welder", "--in", "xa", "--json")
    assert titles(answer) == ["Pipe welder"]
    assert {
        "total",
        "hits",
        "facets",
        "unknown",
        "corrections",
        "members",
        "complete",
        "sort",
    } <= answer.keys()
    assert [m["id"] for m in answer["members"]] == ["xa"]


def test_harvest_counts_every_row_exactly_once(run: Run, rows: Path) -> None:
    _, answer = run("harvest", "xa", "--replay", rows, "--json")
    assert answer.keys() == {
        "source", "state", "read", "new", "changed", "unchanged", "duplicate_key", "quarantined",
        "gone", "held", "claimed", "why", "notes",
    }  # fmt: skip
    assert (answer["source"], answer["state"]) == ("xa/jobs", "complete")
    assert (answer["read"], answer["new"], answer["quarantined"]) == (3, 2, 1)
    _, again = run("harvest", "xa", "--replay", rows, "--json")
    assert (again["read"], again["new"], again["unchanged"], again["quarantined"]) == (3, 0, 2, 1)


def test_member_list_says_how_each_source_stands(harvested: Run) -> None:
    code, members = harvested("member", "list", "--json")
    assert code == DONE
    (mine,) = [m for m in members if m["id"] == "xa"]
    assert mine.keys() == {"id", "name", "countries", "kind_of", "url", "sources", "broken"}
    assert [s["id"] for s in mine["sources"]] == ["xa/jobs"]


def test_a_broken_source_file_is_named_and_the_doctor_says_2(run: Run, data: Path) -> None:
    (data / "members" / "xa" / "shares" / "bad.toml").write_text(SOURCE + "colour = 1", "utf-8")
    code, findings = run("doctor", "--json")
    assert code == FAILED
    (bad,) = [f for f in findings if f["state"] == "bad"]
    assert bad["about"] == "xa/bad"


def test_the_doctor_of_an_instance_says_what_it_looked_at(harvested: Run) -> None:
    _, findings = harvested("doctor", "--json")
    assert all({"state", "about", "what"} <= f.keys() for f in findings)
    assert {"disk", "journal", "exchange rates"} <= {f["about"] for f in findings}


def test_quarantine_list_groups_rows_by_their_reason(harvested: Run) -> None:
    _, (group,) = harvested("quarantine", "list", "--json")
    assert group.keys() == {"source", "code", "field", "rows", "reason", "where", "example"}
    assert (group["source"], group["field"], group["rows"]) == ("xa/jobs", "contract", 1)
    assert "rotation" in group["reason"]


# nothing is lost


def test_a_quarantined_row_comes_in_after_its_source_is_mended(harvested: Run, data: Path) -> None:
    assert harvested("quarantine", "replay")[0] == NO
    mended = SOURCE.replace('"forever" = "permanent"', '"forever" = "permanent"\n"rotation" = "project"')
    (data / "members" / "xa" / "shares" / "jobs.toml").write_text(mended, "utf-8")
    assert harvested("quarantine", "replay")[0] == DONE
    assert harvested("quarantine", "list", "--json")[1] == []
    assert titles(harvested("find", "crane", "--in", "xa", "--json")[1]) == ["Crane driver"]


def test_export_writes_each_record_on_a_line_or_in_a_row(harvested: Run, tmp_path: Path) -> None:
    code, text = harvested("export", "--in", "xa")
    assert code == DONE
    assert sorted(json.loads(line)["values"]["title"] for line in text.splitlines()) == [
        "Pipe welder",
        "Ward nurse",
    ]
    harvested("export", "--in", "xa", "--format", "csv", "-o", tmp_path / "out.csv")
    found = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert sorted(json.loads(r["values"])["title"] for r in found) == ["Pipe welder", "Ward nurse"]


def test_an_export_of_nothing_is_1(run: Run) -> None:
    assert run("export", "--in", "xa") == (NO, "")


def test_a_backup_restored_elsewhere_holds_the_same_and_finds_the_same(
    harvested: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = harvested("export")[1], harvested("find", "nurse", "--in", "xa", "--json")[1]["hits"]
    assert harvested("backup", tmp_path / "all.tar", "--json")[0] == DONE
    monkeypatch.setenv("LANDBRIDGE_DATA", str(tmp_path / "elsewhere"))
    assert harvested("restore", tmp_path / "all.tar", "--json")[1]["indexed"] == 2
    after = harvested("export")[1], harvested("find", "nurse", "--in", "xa", "--json")[1]["hits"]
    assert after == before
    assert before[1]


def test_a_rebuilt_index_gives_the_same_answers(harvested: Run) -> None:
    before = harvested("find", "--in", "xa", "--json")[1]["hits"]
    answer = harvested("index", "rebuild", "--json")[1]
    assert {"member": "xa", "kind": "vacancy", "records": 2} in answer["parts"]
    assert harvested("find", "--in", "xa", "--json")[1]["hits"] == before != []


def test_help_does_not_wait_for_the_engines() -> None:
    heavy = ("aiohttp", "sqlalchemy", "tantivy", "starlette", "numpy")
    code = f"import sys, landbridge.cli as c; c.parser(); print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": ":".join(p for p in sys.path if p)})  # fmt: skip
    assert done.stdout.strip() == "[]"
