"""A kind added by one file works everywhere: harvest, find, filter, facet, schema, API description, export."""

import json
from pathlib import Path
from typing import Any

import pytest

from landbridge.api.openapi import describe
from landbridge.cli import main
from landbridge.kinds.kind import read_kinds

KIND = """
title = "title"
label = { en = "Course" }
plural = { en = "Courses" }
[fields.title]
type = "text"
required = true
search = 4
show = "row"
label = { en = "Name" }
[fields.level]
type = "code"
facet = true
label = { en = "Level" }
values.beginner = { en = "Beginner" }
values.expert = { en = "Expert" }
[fields.places]
type = "place"
many = true
label = { en = "Where" }
"""
SOURCE = """
title = "Altania: courses"
kind = "course"
language = "en"
deletes = "none"
country = "KZ"
[map]
id = "id"
title = "name"
level = "level"
[values.level]
"A" = "beginner"
"C" = "expert"
[[replay]]
files = ["courses.json"]
"""
ROWS = [
    {"id": 1, "name": "Welding of pipes", "level": "A"},
    {"id": 2, "name": "Welding under water", "level": "C"},
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "kinds/course.toml": KIND,
        "members/xa/member.toml": 'name = "Altania"\ncountries = ["KZ"]\n',
        "members/xa/shares/courses.toml": SOURCE,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "courses.json").write_text(json.dumps(ROWS), "utf-8")
    for name in ("JOURNAL", "INDEX", "MEMBERS"):
        monkeypatch.delenv(f"LANDBRIDGE_{name}", raising=False)
    monkeypatch.setenv("LANDBRIDGE_DATA", str(tmp_path))
    assert main(["harvest", "xa", "--replay", str(tmp_path / "courses.json")]) == 0
    return tmp_path


def find(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    main(["find", *words, "--kind", "course", "--in", "xa", "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def names(answer: dict[str, Any]) -> list[str]:
    return sorted((json.dumps(hit).count("pipes") and "pipes") or "water" for hit in answer["hits"])


def test_its_records_are_found_by_text_filtered_and_counted(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert names(find(capsys, "welding")) == ["pipes", "water"]
    assert names(find(capsys, "pipes")) == ["pipes"]
    assert names(find(capsys, "--where", "level=expert")) == ["water"]
    assert '"expert"' in json.dumps(find(capsys, "welding", "--facets", "level")["facets"])


def test_it_is_exported_and_shown(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["export", "--kind", "course"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(line["values"]["level"] for line in lines) == ["beginner", "expert"]
    assert main(["find", "welding", "--kind", "course", "--in", "xa"]) == 0
    assert "Welding of pipes" in capsys.readouterr().out


def test_it_has_a_schema_and_stands_in_the_description_of_the_api(data: Path) -> None:
    kinds = read_kinds([data / "kinds"])
    assert set(kinds) == {"candidate", "vacancy", "course"}
    schema = kinds["course"].json_schema()["$defs"]["Course"]
    assert schema["required"] == ["title"]
    assert schema["properties"]["level"]["description"] == "Level"
    assert "Course" in json.dumps(describe(kinds)) or "course" in json.dumps(describe(kinds))
