"""The doctor reads files that nobody has described, and its proposal runs on them."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from landbridge.find.doctor import Report, examine_bytes
from landbridge.kinds.kind import read_kinds

KINDS = read_kinds()
AT = datetime(2026, 11, 1, tzinfo=UTC)
HEADS = {
    "en": ["id", "job title", "company", "city", "salary", "date posted", "url", "email"],
    "ru": ["id", "Должность", "Работодатель", "Город", "Зарплата", "Дата публикации", "Ссылка", "email"],
    "de": ["id", "Stellenbezeichnung", "Arbeitgeber", "Ort", "Gehalt", "Veröffentlicht", "Link", "E-Mail"],
}


def table(heads: list[str]) -> list[dict[str, Any]]:
    jobs = ["Pipe welder", "Ward nurse", "Crane driver", "Bus driver", "Cook"]
    return [
        dict(zip(heads, [
            f"J-{n}", f"{jobs[n % 5]} {n}", f"Probe {n % 7} Ltd", "Berlin",
            f"{2000 + n} EUR per month", f"2026-10-{n % 28 + 1:02}", f"https://jobs.example/{n}", f"probe{n}@jobs.example",
        ], strict=True))
        for n in range(40)
    ]  # fmt: skip


def examine(rows: list[dict[str, Any]], form: str, url: str = "") -> Report:
    if form == "csv":
        out = io.StringIO()
        sheet = csv.DictWriter(out, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)
        text = out.getvalue()
    elif form == "ndjson":
        text = "\n".join(json.dumps(row) for row in rows)
    else:
        text = json.dumps({"total": 400, "jobs": rows})
    return examine_bytes(text.encode(), url or f"jobs.{form}", kinds=KINDS, at=AT, url=url)


@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
@pytest.mark.parametrize("language", HEADS)
def test_the_proposal_for_an_unknown_file_understands_it(language: str, form: str) -> None:
    report = examine(table(HEADS[language]), form)
    assert report.understood >= 0.95 * report.rows > 0, report.words()
    first = report.preview[0].values
    assert first is not None
    assert first["title"] == "Pipe welder 0"
    assert first["employer"]["name"] == "Probe 0 Ltd"
    assert "@" not in json.dumps([one.values for one in report.preview])
    assert any("licence" in one for one in report.settle)


def test_a_currency_without_an_amount_does_not_stop_the_rows() -> None:
    rows = [{**row, "pay": {"currency": "EUR", "note": ""}} for row in table(HEADS["en"])]
    for row in rows:
        del row["salary"]
    assert examine(rows, "json").understood == 40


def test_an_answer_that_says_its_total_gets_its_paging() -> None:
    report = examine(table(HEADS["en"]), "json", "https://jobs.example/api?page=1")
    assert 'total = "total"' in report.proposal
    assert "page_number" in report.proposal


def test_a_broken_file_says_what_is_wrong() -> None:
    report = examine_bytes(b"\x00\x01\x02\x03", "jobs.bin", kinds=KINDS, at=AT)
    assert not report.good
    assert "bad" in report.words()
