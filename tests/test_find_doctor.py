"""The doctor reads files that nobody has described, and its proposal runs on them."""

import csv
import gzip
import io
import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest

import landbridge
from landbridge.errors import LandbridgeError
from landbridge.find import doctor
from landbridge.find.doctor import Report, examine_bytes
from landbridge.find.harvest import Reader
from landbridge.find.read import Format, read
from landbridge.find.source import Source, parse_source, read_source
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


# eight languages, and the formats that registers send

JOBS = {
    "en": (["Pipe welder", "Ward nurse", "Bus driver"], "Leeds", "Full-time", "{} GBP per month"),
    "de": (["Schweißer", "Krankenpfleger", "Busfahrer"], "Leipzig", "Vollzeit", "{} EUR pro Monat"),
    "ru": (["Сварщик труб", "Медицинская сестра", "Водитель автобуса"], "Казань", "Полный день", "{} руб. в месяц"),
    "kk": (["Дәнекерлеуші маман", "Мейіргер қызметі", "Автобус жүргізушісі"], "Алматы", "Толық күн", "{} теңге айына"),
    "vi": (["Thợ hàn ống", "Điều dưỡng viên", "Tài xế xe buýt"], "Hà Nội", "Toàn thời gian", "{} VND/tháng"),
    "id": (["Tukang las pipa", "Perawat bangsal", "Sopir bus kota"], "Surabaya", "Penuh waktu", "Rp {} per bulan"),
    "zh": (["管道焊工", "病房护士", "公交司机"], "上海", "全职", "{}元/月"),
    "th": (["ช่างเชื่อมท่อ", "พยาบาลประจำวอร์ด", "พนักงานขับรถ"], "เชียงใหม่", "เต็มเวลา", "{} บาท/เดือน"),
}  # fmt: skip
# title, employer, town, hours, pay, published, expires, link
THEIRS = {
    "en": ["Position", "Employer", "City", "Working hours", "Salary", "Posted", "Closing date", "Link"],
    "de": ["Stelle", "Arbeitgeber", "Stadt", "Arbeitszeit", "Gehalt", "Veröffentlicht", "Bewerbungsschluss", "Link"],
    "ru": ["Вакансия", "Организация", "Город", "График работы", "Зарплата", "Дата публикации", "Дата окончания", "Ссылка"],
    "kk": ["Лауазым", "Жұмыс беруші", "Қала", "Жұмыс кестесі", "Жалақы", "Жарияланған күні", "Мерзімі", "Сілтеме"],
    "vi": ["Tên công việc", "Công ty", "Thành phố", "Thời gian làm việc", "Mức lương", "Ngày đăng", "Hạn nộp", "Đường dẫn"],
    "id": ["Judul Lowongan", "Perusahaan", "Kota", "Jam kerja", "Gaji", "Tanggal posting", "Batas akhir", "Tautan"],
    "zh": ["职位名称", "公司名称", "城市", "工作时间", "薪资", "发布时间", "截止日期", "链接"],
    "th": ["ตำแหน่งงาน", "บริษัท", "เมือง", "เวลาทำงาน", "เงินเดือน", "วันที่ประกาศ", "วันปิดรับสมัคร", "ลิงก์"],
}  # fmt: skip


def register(language: str) -> list[dict[str, str]]:
    """Thirty vacancies of our own invention; days before months, as the later days of the month show."""
    jobs, town, hours, pay = JOBS[language]
    heads = ["ID", *THEIRS[language]]
    return [
        dict(zip(heads, [
            f"P{n:03}", f"{jobs[n % 3]} {n}", f"Probe {n % 4} & Co", town, hours, pay.format(2000 + 10 * n),
            f"{n % 28 + 1:02}/10/2026", f"{n % 28 + 1:02}/12/2026", f"https://jobs.example/{language}/{n}",
        ], strict=True))
        for n in range(30)
    ]  # fmt: skip


def csv_of(rows: list[dict[str, str]], encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    sheet = csv.DictWriter(out, list(rows[0]), delimiter=";")
    sheet.writeheader()
    sheet.writerows(rows)
    return out.getvalue().encode(encoding)


def workbook_of(rows: list[dict[str, str]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in [list(rows[0]), *(list(row.values()) for row in rows)]:
        sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xml_of(rows: list[dict[str, str]]) -> bytes:
    def item(row: dict[str, str]) -> str:
        inner = "".join(f"<{k.replace(' ', '_')}>{escape(v)}</{k.replace(' ', '_')}>" for k, v in row.items())
        return f"<job>{inner}</job>"

    return f"<?xml version='1.0' encoding='utf-8'?><jobs>{''.join(map(item, rows))}</jobs>".encode()


def page_of(rows: list[dict[str, str]]) -> bytes:
    def posting(row: dict[str, str]) -> str:
        key, title, employer, town, _, pay, published, expires, link = row.values()
        day = [f"{d[6:]}-{d[3:5]}-{d[:2]}" for d in (published, expires)]
        return json.dumps({
            "@context": "https://schema.org", "@type": "JobPosting", "title": title, "url": link,
            "identifier": {"@type": "PropertyValue", "name": employer, "value": key},
            "hiringOrganization": {"@type": "Organization", "name": employer, "sameAs": "https://probe.example", "logo": "https://probe.example/logo.png"},
            "jobLocation": {"@type": "Place", "address": {"@type": "PostalAddress", "addressLocality": town}},
            "baseSalary": {"@type": "MonetaryAmount", "currency": "EUR", "value": {"@type": "QuantitativeValue", "minValue": int(re.sub(r"\D", "", pay)), "unitText": "MONTH"}},
            "employmentType": "FULL_TIME", "datePosted": day[0], "validThrough": day[1],
        })  # fmt: skip

    return "".join(
        f'<html><head><script type="application/ld+json">{posting(row)}</script></head></html>'
        for row in rows
    ).encode()


def next_of(rows: list[dict[str, str]]) -> bytes:
    return json.dumps({"total": 900, "next": "https://jobs.example/api?after=30", "items": rows}).encode()


FORMS = {
    "jobs.csv": csv_of,
    "jobs.xlsx": workbook_of,
    "jobs.xml": xml_of,
    "jobs.html": page_of,
    "jobs.json": next_of,
}


def understood(report: Report, language: str) -> None:
    assert report.understood >= 0.9 * report.rows >= 27, report.words()
    first = report.preview[0].values
    assert first is not None, report.words()
    jobs, _, _, _ = JOBS[language]
    assert first["title"] == f"{jobs[0]} 0", report.proposal
    assert first["employer"]["name"] == "Probe 0 & Co", report.proposal
    assert first["places"][0]["id"], report.proposal
    assert first["pay"]["low"] == 2000, report.proposal
    assert first["published"] == "2026-10-01", report.proposal
    assert first["expires"] == "2026-12-01", report.proposal
    assert first["url"] == f"https://jobs.example/{language}/0", report.proposal
    assert list(first["hours"]) == ["full-time"], report.proposal
    assert first["key"] == "P000", report.proposal


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", JOBS)
def test_a_register_in_any_language_and_format_is_understood(language: str, form: str) -> None:
    understood(examine_bytes(FORMS[form](register(language)), form, kinds=KINDS, at=AT), language)


def test_a_chinese_table_in_gbk_is_understood() -> None:
    report = examine_bytes(csv_of(register("zh"), "gbk"), "jobs.csv", kinds=KINDS, at=AT)
    understood(report, "zh")
    assert re.search(r'encoding = "gb', report.proposal)


def test_an_answer_with_a_next_link_is_followed() -> None:
    url = "https://jobs.example/api?limit=30"
    report = examine_bytes(next_of(register("en")), url, kinds=KINDS, at=AT, url=url)
    assert 'next_url_path = "next"' in report.proposal
    assert 'total = "total"' in report.proposal


# shapes that stop a mapping which goes by names alone


def test_a_label_before_each_value_is_not_taken_for_the_value() -> None:
    rows = [
        {"id": n, "title": f"Welder {n}", "deadline": ["Apply by:", f"2026-12-{n % 28 + 1:02}"]}
        for n in range(30)
    ]
    report = examine(rows, "ndjson")
    assert 'expires = "deadline.1"' in report.proposal
    assert report.understood == 30


@pytest.mark.parametrize(("day", "order"), [("{0:02}/11/2026", "dmy"), ("11/{0:02}/2026", "mdy")])
def test_the_order_of_dates_is_told_by_the_values_of_any_date(day: str, order: str) -> None:
    rows = [{"id": n, "title": f"Welder {n}", "published": day.format(n + 1)} for n in range(28)]
    assert f'order = "{order}"' in examine(rows, "ndjson").proposal
    unsure = examine(rows[:12], "ndjson")
    assert any(one.startswith("[dates] order") for one in unsure.settle)
    late = [{**row, "deadline": day.format(28)} for row in rows[:12]]
    sure = examine(late, "ndjson")
    assert f'order = "{order}"' in sure.proposal
    assert not any(one.startswith("[dates] order") for one in sure.settle)


def test_a_text_that_is_an_object_in_other_rows_is_left_to_a_person() -> None:
    rows = [
        {"id": n, "title": f"Welder {n}", "skills": {"name": "TIG"} if n % 2 else "TIG, MIG"}
        for n in range(30)
    ]
    report = examine(rows, "ndjson")
    assert report.understood == 30
    assert any(one.startswith("skills: a text in some rows") for one in report.settle)


def test_a_row_that_says_it_was_removed_is_a_tombstone() -> None:
    rows: list[dict[str, Any]] = [{"id": n, "headline": f"Welder {n}", "removed": False} for n in range(30)]
    rows += [{"id": 90 + n, "headline": None, "removed": True} for n in range(3)]
    report = examine(rows, "ndjson")
    assert 'gone = "removed"' in report.proposal
    assert 'deletes = "tombstone"' in report.proposal
    assert report.understood == 33


def test_the_preview_shows_a_row_beside_its_record_or_beside_the_reason() -> None:
    rows = table(HEADS["en"])
    rows[1]["job title"] = ""
    good, bad = examine(rows, "ndjson").preview[:2]
    assert json.loads(good.row)["job title"] == "Pipe welder 0"
    assert (good.values is not None, good.why) == (True, "")
    assert bad.values is None
    assert "title is missing" in bad.why


# every file of the shared data

FIELDS = ("title", "employer", "url", "pay", "published", "expires")
ROWS = 100


def examples(shared: Path) -> dict[Path, tuple[Source, Format]]:
    """The recorded files that a source of the members maps, and how it reads them."""
    found: dict[Path, tuple[Source, Format]] = {}
    files = [p for p in sorted((shared / "work").rglob("*")) if p.is_file()]
    for path in sorted((Path(landbridge.__file__).parent / "members").glob("*/shares/*.toml")):
        source = read_source(path, KINDS)
        for entry in source.replay:
            for file in files:
                if any(file.match(pattern) for pattern in entry.files):
                    found.setdefault(file, (source, source.reading(entry.format)))
    return found


def records(source: Source, data: bytes, name: str, form: Format) -> list[Any]:
    reader = Reader(source, KINDS["vacancy"])
    out: list[Any] = []
    try:
        for row, _ in zip(read(data, name, form), range(ROWS), strict=False):
            seen = reader.see(row, b"", AT)
            out.append(None if seen.code or seen.mapped is None or seen.mapped.gone else seen.mapped.values)
    except LandbridgeError:
        return out
    return out


def plain(values: Any, name: str) -> Any:
    """A value as far as two mappings must agree on it: an amount, a name, an address, a day."""
    value = getattr(values, name)
    if isinstance(value, tuple):
        value = value[0] if value else None
    if name == "pay":
        return (value.low, value.high) if value is not None and (value.low or value.high) else None
    if name == "employer":
        return value.name if value is not None else None
    if name == "url":
        return value.split("?")[0] if value else None
    return value[:10] if value and name in {"published", "expires"} else value


def test_the_proposal_for_each_recorded_file_runs_and_agrees_with_its_source(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "SAMPLE", 300)
    runs: list[bool] = []
    agree: dict[str, list[bool]] = defaultdict(list)
    table: list[str] = []
    for file, (source, form) in examples(shared_data).items():
        data = file.read_bytes()
        if file.suffix == ".gz" and len(data) > 1_000_000:
            data = gzip.decompress(data)
        name = file.name.removesuffix(".gz") if data[:2] != b"\x1f\x8b" else file.name
        theirs = records(source, data, name, form)
        if not theirs:  # a page without a posting: nothing to recognise
            continue
        report = examine_bytes(data, name, kinds=KINDS, at=AT)
        runs.append(report.understood >= 0.9 * report.rows > 0)
        told = ""
        if report.proposal:
            made = parse_source(report.proposal, KINDS, member="xx", name="x")
            ours = records(made, data, name, made.reading())
            for field in FIELDS:
                pairs = [
                    (plain(a, field), plain(b, field))
                    for a, b in zip(theirs, ours, strict=False)
                    if a is not None and b is not None and plain(a, field)
                ]
                if pairs:
                    share = sum(a == b for a, b in pairs) / len(pairs)
                    agree[field].append(share >= 0.8)
                    told += "" if share >= 0.8 else f" {field} {share:.0%}"
        table.append(f"{file.name[:50]:50} {report.understood:>5}/{report.rows:<5}{told}")
    shares = {field: sum(found) / len(found) for field, found in agree.items()}
    said = "\n".join([*table, str(shares)])
    assert sum(runs) >= 0.9 * len(runs) > 0, said
    assert shares["title"] >= 0.9, said
    assert all(share >= 0.75 for share in shares.values()), said
