"""Bytes of a register become rows: every format, every encoding, and everything that may be wrong with them."""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import resource
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.errors import Broken, Drift, SourceFileError
from landbridge.find.read import Format, Reading, Row, read, recognise, unpack
from landbridge.find.read.encoding import recognise_encoding

VECTORS = Path(__file__).parent / "vectors" / "read"
JOBS = [
    {"id": "1", "title": "Welder", "city": "Northport"},
    {"id": "2", "title": "Cook", "city": "Easthaven"},
    {"id": "3", "title": "Driver", "city": "Westmoor"},
]


def vector(name: str, **form: Any) -> Reading:
    return read(VECTORS / name, name, Format(**form))


def fields(rows: Reading | list[Row]) -> list[dict[str, Any]]:
    return [row.decode() for row in rows]


def good(rows: Reading) -> list[dict[str, Any]]:
    return [row.decode() for row in rows if not row.fault]


def faults(rows: Reading) -> list[tuple[str, str]]:
    return [(row.where, row.fault) for row in rows if row.fault]


def until_broken(reading: Reading) -> tuple[list[Row], str]:
    """The rows before the break, and what broke."""
    rows: list[Row] = []
    with pytest.raises(Broken) as broken:
        rows.extend(_one_by_one(reading, rows))
    return rows, str(broken.value)


def _one_by_one(reading: Reading, rows: list[Row]) -> Iterator[Row]:
    for row in reading:
        rows.append(row)
    yield from ()


# Tables


def test_a_plain_table_is_read_with_its_places() -> None:
    rows = list(vector("plain.csv"))
    assert fields(rows) == JOBS
    assert [row.where for row in rows] == ["line 2", "line 3", "line 4"]
    assert rows[0].raw == b"1\x1fWelder\x1fNorthport"


def test_a_reading_can_be_read_again() -> None:
    reading = vector("two-members.csv.gz")
    assert fields(reading) == fields(reading)
    assert len(list(reading)) == 4


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(delimiter: str) -> None:
    text = f"id{delimiter}title{delimiter}pay\n" + "".join(
        f'{i}{delimiter}"Cook, or {delimiter} baker; night"{delimiter}"1,5"\n' for i in range(9)
    )
    reading = read(text.encode(), "xa/jobs")
    assert fields(reading)[8] == {"id": "8", "title": f"Cook, or {delimiter} baker; night", "pay": "1,5"}
    assert reading.form.delimiter == delimiter


def test_a_declared_delimiter_that_stands_nowhere_is_corrected_and_noted() -> None:
    reading = read(b"id;title\n1;Welder\n2;Cook\n", "xa/jobs", Format(kind="csv", delimiter=","))
    assert fields(reading)[1] == {"id": "2", "title": "Cook"}
    assert reading.notes == ["declared delimiter ',', is ';'"]


def test_cells_hold_line_breaks_and_quotes() -> None:
    text = 'id,text\r\n1,"first\r\nsecond, ""third"""\r\n\r\n2,x\r\n'
    rows = list(read(text.encode(), "xa/jobs"))
    assert fields(rows) == [{"id": "1", "text": 'first\r\nsecond, "third"'}, {"id": "2", "text": "x"}]
    assert [row.where for row in rows] == ["line 2", "line 5"]


def test_old_macintosh_line_ends_are_line_ends() -> None:
    assert fields(read(b"id,title\r1,Welder\r2,Cook\r", "xa/jobs"))[1] == {"id": "2", "title": "Cook"}


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert fields(read("\ufeffid,title\n1,Welder\n".encode(), "xa/jobs.csv")) == [
        {"id": "1", "title": "Welder"}
    ]


def test_too_few_and_too_many_cells_are_faults_and_empty_ones_are_not() -> None:
    reading = vector("ragged.csv")
    assert faults(reading) == [
        ("line 3", "2 cells where the header has 3"),
        ("line 4", "4 cells where the header has 3"),
    ]
    assert [job["title"] for job in good(reading)] == ["Welder", "Baker", "Clerk"]


def test_a_fault_raises_its_reason_when_it_is_decoded() -> None:
    row = next(row for row in vector("ragged.csv") if row.fault)
    with pytest.raises(ValueError, match="2 cells where the header has 3"):
        row.decode()


def test_columns_without_a_name_or_with_the_same_one_stay_apart() -> None:
    assert fields(vector("names-missing-and-twice.csv")) == [
        {"column 1": "0", "title": "Welder", "city": "Northport", "city (2)": "North"},
        {"column 1": "1", "title": "Cook", "city": "Easthaven", "city (2)": "East", "column 5": "x"},
    ]


def test_numbered_columns_are_lists() -> None:
    assert fields(vector("lists-in-columns.csv")) == [
        {
            "id": "1",
            "tags": {"skills:": ["steel", "pipes"], "extras": []},
            "duty": ["first", "second"],
            "text.long": "a",
        },
        {"id": "2", "tags": {"skills:": ["knives"], "extras": ["meals"]}, "duty": ["cook"], "text.long": "b"},
    ]


def test_numbered_columns_hold_objects() -> None:
    text = (
        b"places[0].city,places[0].code,places[1].city,places[1].code,size [m2],a,a[0]\nNorthport,1,,,9,x,y\n"
    )
    assert fields(read(text, "xa/jobs.csv")) == [
        {
            "places[0].city": "Northport",
            "places[0].code": "1",
            "places[1].city": "",
            "places[1].code": "",
            "size [m2]": "9",
            "a": "x",
            "a[0]": "y",
        }
    ], "a name that is a list and a text at once leaves all names as they are"
    assert fields(read(text.replace(b",a,a[0]", b",b").replace(b",x,y", b",x"), "xa/jobs.csv")) == [
        {"places": [{"city": "Northport", "code": "1"}], "size [m2]": "9", "b": "x"}
    ]


def test_a_header_that_comes_again_is_no_row() -> None:
    reading = vector("header-twice.csv")
    assert [job["id"] for job in fields(reading)] == ["1", "2", "3", "4"]
    assert reading.notes == ["the header comes again inside the table"]


def test_what_stands_above_the_header_is_skipped() -> None:
    reading = vector("title-above-the-header.csv")
    assert fields(reading) == JOBS
    assert reading.form.skip == 3
    assert reading.notes == ["the header is in line 4"]


def test_a_separator_line_of_a_spreadsheet_is_obeyed() -> None:
    assert fields(vector("sep-line.csv"))[0] == {"id": "1", "title": "Welder, night"}


def test_a_table_without_a_header_takes_the_declared_columns() -> None:
    reading = vector("no-header.csv", columns=("id", "title", "city"))
    assert fields(reading) == JOBS[:2]
    assert fields(vector("no-header.csv", header=False))[0] == {
        "column 1": "1",
        "column 2": "Welder",
        "column 3": "Northport",
    }


def test_a_first_line_of_data_is_noted() -> None:
    reading = vector("no-header.csv")
    list(reading)
    assert reading.notes == ["the first line looks like data: write header = false"]
    assert not recognise((VECTORS / "no-header.csv").read_bytes(), "no-header.csv").header


def test_declared_columns_take_the_place_of_the_header() -> None:
    assert fields(vector("plain.csv", columns=("id", "title", "city"))) == JOBS


def test_backslashes_escape_quotes_where_they_do() -> None:
    assert fields(vector("backslash-quotes.csv"))[0]["title"] == 'Welder "night", pipes'


def test_zeros_are_left_out_and_counted() -> None:
    reading = vector("nul-bytes.csv")
    assert fields(reading) == JOBS
    assert reading.notes == ["1 NUL bytes were left out"]


def test_a_lone_quote_costs_its_own_row_only() -> None:
    jobs = "".join(f'{i},"Driver, {i}",Westmoor\n' for i in range(3, 700))
    text = 'id,title,city\n1,"Welder",Northport\n2,"Cook,Easthaven\n' + jobs
    for quoted in (text, text.replace('"Driver, ', "Driver ").replace('",West', ",West")):
        reading = read(quoted.encode(), "xa/jobs.csv")
        assert [where for where, _ in faults(reading)] == ["line 3"]
        assert "not closed" in faults(reading)[0][1]
        assert [job["id"] for job in good(reading)] == ["1", *(str(i) for i in range(3, 700))]


def test_a_lone_quote_that_the_next_one_closes_costs_its_own_row_only() -> None:
    reading = vector("lone-quote-closed-by-the-next.csv")
    assert faults(reading) == [("line 3", "a quote that opens in line 3 is not closed")]
    assert [job["id"] for job in good(reading)] == ["1", "3", "4", "5", "6"]


def test_quotes_that_quote_nothing_are_text() -> None:
    reading = vector("lone-quote.csv")
    assert [faults(reading), len(list(reading)), good(reading)[1]["title"]] == [[], 639, '"Cook']
    assert fields(vector("tabs.txt"))[0]["title"] == 'Welder, "night"'
    assert fields(vector("quote-open-at-the-end.csv"))[2] == JOBS[2]


def test_a_cell_of_a_megabyte_is_a_fault_and_the_next_row_is_read() -> None:
    text = b'id,text\n1,"ok"\n2,' + b"x" * (2**20 + 1) + b"\n3,y\n"
    reading = read(text, "xa/jobs.csv")
    assert faults(reading) == [("line 3", "a cell of more than 1 MB")]
    assert [job["id"] for job in good(reading)] == ["1", "3"]


def test_a_file_of_one_endless_line_is_no_table() -> None:
    _, why = until_broken(read(b"id,title\n1,Cook\n" + b"x" * (9 << 20), "xa/jobs.csv"))
    assert "a line of more than 8 MB" in why


def test_ever_so_many_lone_quotes_stop_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.find.read.delimited._LOST", 100)
    text = 'id,title\n0,"a"\n' + "".join(f'{i},"Cook\n' + "1,x\n" * 501 for i in range(110))
    started = time.monotonic()
    _, why = until_broken(read(text.encode(), "xa/jobs.csv"))
    assert "quotes are never closed" in why
    assert time.monotonic() - started < 5


def test_a_separator_in_a_cell_does_not_make_two_rows_alike() -> None:
    rows = list(read(b"a,b,c\nx\x1fy,z,1\nx,y\x1fz,1\n", "xa/jobs.csv"))
    assert rows[0].raw != rows[1].raw


def test_literals_in_cells_are_read_only_where_that_is_declared() -> None:
    assert fields(vector("literals.csv"))[0]["skills"] == "['steel', 'pipes']"
    assert fields(vector("literals.csv", cells="literals")) == [
        {
            "id": "1",
            "title": "Welder",
            "area": {"id": "5", "name": "Northport"},
            "skills": ["steel", "pipes"],
            "open": True,
            "pay": {"from": None, "to": 10},
        },
        {
            "id": "2",
            "title": "[Urgent] Cook",
            "area": {"id": "6", "name": None},
            "skills": [],
            "open": None,
            "pay": "[__import__('os')]",
        },
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000 + "]" * 5000,
        "{" + "-" * 100_000 + "1}",
        "[9**9**9]",
        "[x for x in (1,)]",
        "{**{}}",
        "['a'.b]",
        "[f'{1}']",
        "[1j]",
    ],
)
def test_a_literal_is_never_run_and_never_hangs(text: str) -> None:
    started = time.monotonic()
    reading = read(
        f"id,x\n1,{json.dumps(text)}\n".replace("'", "'").encode(), "xa/jobs.csv", Format(cells="literals")
    )
    assert isinstance(fields(reading)[0]["x"], str)
    assert time.monotonic() - started < 5


# Encodings


SENTENCES = {
    "cp1251": "Требуется сварщик на строительный объект, опыт работы от трёх лет",
    "koi8-r": "Требуется повар в столовую, проживание и питание предоставляются",
    "cp866": "Водитель погрузчика на склад, сменный график, оплата два раза в месяц",
    "kz1048": "Құрылыс нысанына дәнекерлеуші қажет, жұмыс өтілі үш жыл болуы керек",
    "gb18030": "招聘焊工，要求三年以上工作经验，月薪八千元，包吃住",
    "big5hkscs": "誠徵焊接技工，需三年以上工作經驗，月薪四萬元，供餐宿",
    "cp932": "溶接工を募集しています。経験三年以上、月給三十万円、寮あり",
    "cp949": "용접공을 모집합니다. 경력 3년 이상, 월급 300만원, 숙식 제공",
    "cp874": "รับสมัครช่างเชื่อม ประสบการณ์อย่างน้อยสามปี เงินเดือนสองหมื่นบาท",
    "cp1252": "Soudeur expérimenté recherché à Orléans, débutants acceptés, rémunération élevée",
    "cp1250": "Zatrudnię spawacza na budowę w Łodzi, wymagane doświadczenie, płaca dzienna",
    "cp1254": "Şantiyede çalışacak kaynakçı aranıyor, üç yıl deneyim şart, ücret görüşülür",
    "cp1253": "Ζητείται συγκολλητής για εργοτάξιο, τριετής εμπειρία, μισθός κατόπιν συμφωνίας",
    "cp1256": "مطلوب لحام للعمل في موقع بناء، خبرة ثلاث سنوات، الراتب حسب الاتفاق",
}


@pytest.mark.parametrize("encoding", SENTENCES)
@pytest.mark.parametrize("declared", ["", "utf-8", "same"])
def test_an_encoding_is_recognised_whatever_is_declared(encoding: str, declared: str) -> None:
    text = "id,text\n" + "".join(f"{i},{SENTENCES[encoding].replace(',', ' ')}\n" for i in range(5))
    form = Format(encoding=encoding if declared == "same" else declared)
    reading = read(text.encode(encoding), "xa/jobs.csv", form)
    assert fields(reading)[4]["text"] == SENTENCES[encoding].replace(",", " ")
    assert reading.form.encoding == encoding
    assert reading.notes == ([f"declared utf-8, is {encoding}"] if declared == "utf-8" else [])


@pytest.mark.parametrize("declared", ["cp1252", "latin-1", "windows-1251", "gbk", "koi8-r"])
def test_utf_8_is_recognised_whatever_is_declared(declared: str) -> None:
    for sentence in SENTENCES.values():
        text = f"id,text\n1,{sentence.replace(',', ' ')}\n" * 3
        reading = read(text.encode(), "xa/jobs.csv", Format(encoding=declared))
        assert fields(reading)[0]["text"] == sentence.replace(",", " ")
        assert reading.notes[0] == f"declared {declared}, is utf-8"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("declared-utf-8-is-cp1251.csv", "cp1251"),
        ("koi8-r.csv", "koi8-r"),
        ("gbk.csv", "gb18030"),
        ("tis-620.csv", "cp874"),
        ("cp1250.csv", "cp1250"),
        ("utf-16-with-mark.csv", "utf-16-le"),
        ("utf-16-without-mark.csv", "utf-16-le"),
    ],
)
def test_a_few_lines_are_enough_for_an_encoding(name: str, encoding: str) -> None:
    reading = vector(name)
    assert not faults(reading)
    assert reading.form.encoding == encoding
    assert recognise((VECTORS / name).read_bytes(), name).encoding == encoding


def test_a_few_bytes_that_are_not_utf_8_cost_their_own_row() -> None:
    reading = vector("three-bytes-not-utf-8.csv", encoding="utf-8")
    assert faults(reading) == [("line 3", "3 bytes are not UTF-8")]
    assert len(good(reading)) == 2


def test_bytes_that_are_not_gb18030_cost_their_own_row() -> None:
    lines = [f"{i},{SENTENCES['gb18030'].replace(',', ' ')}".encode("gb18030") for i in range(40)]
    lines[20] = b"20,\xff\xff" + lines[20]
    reading = read(b"\n".join([b"id,text", *lines]), "xa/jobs.csv", Format(encoding="gbk"))
    assert faults(reading) == [("line 22", "2 bytes are not GB18030")]
    assert len(good(reading)) == 39


def test_other_letters_may_come_late(tmp_path: Path) -> None:
    ascii_rows = b"".join(b"%d,Welder\n" % i for i in range(40_000))
    late = "".join(f"{i},{SENTENCES['cp1251'].replace(',', ' ')}\n" for i in range(200)).encode("cp1251")
    (tmp_path / "late.csv").write_bytes(b"id,title\n" + ascii_rows + late)
    reading = read(tmp_path / "late.csv", "xa/jobs", Format(encoding="utf-8"))
    rows = list(reading)
    assert not any(row.fault for row in rows)
    assert rows[-1].decode()["title"] == SENTENCES["cp1251"].replace(",", " ")
    assert reading.notes == ["declared utf-8, is cp1251"]


def test_one_strange_byte_before_a_million_others_settles_nothing(tmp_path: Path) -> None:
    early = b"id,title\n0,\xe9lu\n" + b"".join(b"%d,Welder\n" % i for i in range(1, 120_000))
    (tmp_path / "early.csv").write_bytes(early + "120000,Сварщик\n".encode())
    reading = read(tmp_path / "early.csv", "xa/jobs")
    assert faults(reading) == [("line 2", "1 byte is not UTF-8")]
    assert good(reading)[-1]["title"] == "Сварщик"


def test_an_unknown_encoding_is_a_fault_of_the_source_file() -> None:
    for word in ("utf-9", "zlib", "idna", "rot13", "unicode_escape"):
        with pytest.raises(SourceFileError, match="encoding"):
            list(read(b"id\n1\n", "xa/jobs.csv", Format(encoding=word)))


@pytest.mark.parametrize("encoding", SENTENCES)
def test_forty_letters_are_enough_for_an_encoding(encoding: str) -> None:
    text = (SENTENCES[encoding] + " ") * 2
    for start in range(31):
        piece = text[start : start + 40]
        assert piece.encode(encoding).decode(recognise_encoding(piece.encode(encoding))) == piece


def test_quotation_marks_and_euros_alone_are_western() -> None:
    text = "id,pay\n1,“2 000 €”\n2,1 900 €\n"
    assert fields(read(text.encode("cp1252"), "xa/jobs.csv"))[0]["pay"] == "“2 000 €”"


def test_mojibake_is_noted_and_repaired_only_where_that_is_declared() -> None:
    reading = vector("mojibake.csv")
    assert fields(reading)[1]["city"] != "Hà Nội"
    assert "mojibake" in reading.notes[0]
    assert [job["title"] for job in fields(vector("mojibake.csv", mojibake="repair"))] == [
        "Thợ hàn công trình",
        "Đầu bếp – ca đêm",
        "Lái xe tải",
    ]
    assert recognise((VECTORS / "mojibake.csv").read_bytes(), "mojibake.csv").mojibake == "repair"


def test_mojibake_in_json_is_repaired_and_good_text_is_left_alone() -> None:
    wrong = "Инженер, посёлок".encode().decode("cp1251", "replace")
    items = [{"a": "CÃ´ng ty", "b": ["Công ty", "Zażółć", "Ä", "“Café”", "Л…", "Âme"]}]
    reading = read(json.dumps(items).encode(), "xa/jobs", Format(mojibake="repair"))
    assert fields(reading) == [{"a": "Công ty", "b": ["Công ty", "Zażółć", "Ä", "“Café”", "Л…", "Âme"]}]
    lost = read(json.dumps([{"a": wrong}]).encode(), "xa/jobs", Format(mojibake="repair"))
    assert fields(lost) == [{"a": "\ufffdнженер, посёлок"}]


# JSON


def test_rows_of_json_stay_bytes_until_they_are_decoded() -> None:
    reading = read(
        b'{"total": 2, "data": {"items": [{"id": 1},  {"id":2}]}}', "xa/jobs", Format(items="data.items")
    )
    assert [(row.raw, row.value, row.where) for row in reading] == [
        (b'{"id": 1}', None, "item 1"),
        (b'{"id":2}', None, "item 2"),
    ]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([{"id": 1}, {"id": 2}], ""),
        ({"items": [{"id": 1}, {"id": 2}], "found": 2, "arguments": None}, "items"),
        ({"meta": {"runs": [{"n": 1}]}, "vacancies": [{"id": 1, "t": "x" * 99}, {"id": 2}]}, "vacancies"),
        (
            {"status": "200", "results": {"vacancies": [{"id": 1, "t": "x" * 99}, {"id": 2}]}},
            "results.vacancies",
        ),
        ({f"key{i}": {"id": i, "t": "x"} for i in (1, 2, 3)}, "*"),
        ({"details": {f"key{i}": {"id": i, "t": "x"} for i in (1, 2, 3)}}, "details.*"),
        ({"id": 1, "title": "x" * 99, "tags": [{"code": 1}], "places": [{"city": "y"}]}, ""),
        ({"total": 0, "pages": 0, "items": []}, "items"),
    ],
)
def test_the_path_to_the_rows_is_recognised(document: Any, path: str) -> None:
    data = json.dumps(document, indent=1).encode()
    reading = read(data, "xa/jobs")
    list(reading)
    assert reading.form.items == recognise(data, "xa/jobs.json").items == path


def test_a_long_list_behind_a_long_preface_is_found_by_all_of_the_document() -> None:
    preface = [{"n": i, "t": "x" * 50} for i in range(6000)]
    document = {"facets": preface, "jobs": [{"id": i, "t": "y" * 90} for i in range(9000)]}
    reading = read(json.dumps(document).encode(), "xa/jobs")
    assert len(list(reading)) == 9000
    assert reading.form.items == "jobs"


def test_a_path_goes_through_lists_and_stars() -> None:
    document = {
        "catalog": {
            "providers": [{"items": [{"id": 1}]}, {"items": [{"id": 2}, {"id": 3}]}, {"name": "none"}]
        }
    }
    data = json.dumps(document).encode()
    for path in ("catalog.providers.items", "catalog.providers.*.items", "catalog.providers.items.*"):
        assert [job["id"] for job in fields(read(data, "xa/jobs", Format(items=path)))] == [1, 2, 3]


def test_each_leads_into_the_items() -> None:
    data = b'{"v": [{"vacancy": {"id": 1}}, {"other": 2}]}'
    reading = read(data, "xa/jobs", Format(items="v", each="vacancy"))
    assert [(row.raw, row.fault) for row in reading] == [
        (b'{"id": 1}', ""),
        (b'{"other": 2}', "the item has no 'vacancy'"),
    ]


def test_one_object_where_a_list_is_usual_is_one_row() -> None:
    assert fields(read(b'{"data": {"id": 1}}', "xa/jobs", Format(items="data"))) == [{"id": 1}]


def test_a_path_that_moved_is_drift_and_a_page_without_rows_is_empty() -> None:
    form = Format(kind="json", items="results.vacancies")
    with pytest.raises(Drift, match="no 'results': it has error, code"):
        list(read(b'{"error": "gone", "code": 7}', "xa/jobs", form))
    with pytest.raises(Drift, match="is text, not a list of rows"):
        list(read(b'{"results": {"vacancies": "none"}}', "xa/jobs", form))
    empty = read(b'{"status": "200", "results": {}}', "xa/jobs", form)
    assert list(empty) == []
    assert empty.notes == ["there is no 'results.vacancies' in the answer"]
    assert list(read(b'{"results": {"vacancies": null}}', "xa/jobs", form)) == []


def test_html_where_json_was_expected_is_drift() -> None:
    for kind in ("json", "ndjson", "csv", "xml", "xlsx"):
        with pytest.raises(Drift, match="HTML"):
            vector("html-instead-of.json", kind=kind)
    with pytest.raises(Drift, match="JSON stands where CSV"):
        read(b'{"error": "too many requests"}', "xa/jobs", Format(kind="csv"))


def test_cut_json_gives_the_rows_before_the_cut() -> None:
    rows, why = until_broken(vector("cut.json"))
    assert fields(rows) == [{"id": 1, "title": "Welder"}, {"id": 2, "title": "Cook"}]
    assert "cut" in why
    assert "2 rows came before" in why


@given(st.integers(1, 10_000))
@settings(max_examples=60, deadline=None)
def test_json_cut_anywhere_never_passes_for_whole(at: int) -> None:
    data = json.dumps({"a": {"items": [{"id": i, "t": 'x"]}' * 3} for i in range(20)]}, "n": 20}).encode()
    at = at % (len(data) - 1) + 1
    rows, _ = until_broken(read(data[:at], "xa/jobs", Format(kind="json", items="a.items")))
    assert [row.decode()["id"] for row in rows] == list(range(len(rows)))


def test_one_broken_item_is_a_fault_of_its_own() -> None:
    reading = vector("one-broken-item.json")
    assert [where for where, _ in faults(reading)] == ["item 2"]
    assert good(reading) == [{"id": 1}, {"id": 3}]


def test_items_that_are_no_objects_are_faults() -> None:
    reading = vector("items-that-are-no-objects.json")
    assert [fault for _, fault in faults(reading)] == [
        "the item is text, not an object",
        "the item is null, not an object",
        "the item is a list, not an object",
    ]
    assert good(reading) == [{"id": 1}, {"id": 4}]


def test_nan_line_breaks_and_half_emoji_are_mended_and_noted() -> None:
    reading = vector("nan.json")
    assert fields(reading) == [
        {"id": 1, "title": "Welder", "pay": None},
        {"id": 2, "title": "Cook, NaN", "pay": None},
    ]
    assert "mended" in reading.notes[0]
    assert fields(vector("raw-line-breaks.json")) == [
        {"id": 1, "text": "first\nsecond\tthird"},
        {"id": 2, "text": "cut emoji \ufffd here, whole 😀"},
    ]


def test_a_broken_line_of_ndjson_is_a_fault_of_its_own() -> None:
    reading = vector("one-broken-line.ndjson")
    assert faults(reading) == [
        ("line 2", "the JSON is cut"),
        ("line 5", "the item is a list, not an object"),
    ]
    assert [job["id"] for job in good(reading)] == [1, 3]
    assert reading.form.kind == "ndjson"


def test_ndjson_is_recognised_where_json_is_declared() -> None:
    reading = read(b'{"id": 1}\n{"id": 2}\n', "xa/jobs", Format(kind="json"))
    assert len(list(reading)) == 2
    assert reading.notes == ["declared json, is ndjson"]


def test_documents_one_after_another_are_rows() -> None:
    assert fields(vector("one-after-another.json")) == [{"id": 1}, {"id": 2}]


def test_json_in_another_encoding_costs_only_what_is_broken() -> None:
    items = [{"id": i, "t": SENTENCES["cp1251"]} for i in range(9)]
    data = json.dumps(items, ensure_ascii=False)
    assert fields(read(data.encode("cp1251"), "xa/jobs")) == items
    broken = data.encode().replace("сварщик".encode(), b"\xf1\xe2", 1)
    assert faults(read(broken, "xa/jobs")) == [("item 1", "2 bytes are not UTF-8")]


@pytest.mark.parametrize("brackets", ["[", '{"a":', '[{"a":'])
def test_deeply_nested_json_is_broken_and_not_a_crash(brackets: str) -> None:
    until_broken(read((brackets * 100_000).encode(), "xa/jobs", Format(kind="json")))


def test_a_row_that_is_nested_too_deeply_is_a_fault() -> None:
    row = b'{"id": 2, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    reading = read(b'[{"id": 1}, ' + row + b', {"id": 3}]', "xa/jobs")
    assert faults(reading) == [("item 2", "the JSON is nested too deeply")]


# XML


@pytest.mark.parametrize("name", ["billion-laughs.xml", "external-entity.xml", "external-dtd.xml"])
def test_a_document_type_is_refused(name: str) -> None:
    for form in ({}, {"kind": "xml", "items": "job"}):
        rows, why = until_broken(vector(name, **form))
        assert rows == []
        assert "document type" in why


def test_a_document_type_is_refused_in_any_encoding_and_place() -> None:
    text = (VECTORS / "external-entity.xml").read_text()
    for encoding in ("utf-16", "utf-16-be", "cp1251"):
        until_broken(
            read(text.encode(encoding), "xa/jobs", Format(kind="xml", items="job", encoding=encoding))
        )
    late = text.replace("<!DOCTYPE", "<!--" + "x" * 600_000 + "--><!DOCTYPE")
    until_broken(read(late.encode(), "xa/jobs", Format(kind="xml", items="job")))


def test_elements_become_fields() -> None:
    reading = vector("mixed-content.xml")
    assert fields(reading) == [
        {
            "@lang": "en",
            "title": "Welder",
            "place": {"@code": "NP", "#text": "Northport"},
            "text": {"b": "pipes", "#text": "Weld pipes daily"},
            "tag": ["a", "b"],
            "none": "",
        }
    ]
    assert reading.form.items == "entry"


def test_html_entities_and_control_characters_are_mended_outside_of_cdata() -> None:
    reading = vector("html-entities.xml")
    assert fields(reading) == [
        {"@id": "1", "title": "Café\xa0cook & baker", "text": "<!DOCTYPE html><p>Soup&nbsp;&lt;hot&gt;</p>"},
        {"@id": "2", "title": "Welder", "text": "Pipes"},
    ]
    assert len(reading.notes) == 2


def test_mending_xml_does_not_depend_on_where_the_pieces_end() -> None:
    jobs = "".join(
        f"<job><n>{i}</n><t>Pur&eacute;e &amp; <![CDATA[a &eacute; <b>]]> &#x{i % 31:x};é</t></job>"
        for i in range(30)
    )
    data = f"<jobs>{jobs}</jobs>".encode()
    whole = fields(read(data, "xa/jobs", Format(kind="xml", items="job")))
    assert whole[7]["t"] == "Purée & a &eacute; <b> é"
    for size in (1, 2, 3, 7, 50):
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        assert [row.decode() for row in _markup(pieces)] == whole


def _markup(pieces: Iterator[bytes]) -> Iterator[Row]:
    from landbridge.find.read.markup import read_markup
    from landbridge.find.read.rows import State

    return read_markup(pieces, State("xa/jobs", Format()), "job")


def test_xml_in_another_encoding_than_it_says_is_read() -> None:
    reading = vector("declared-utf-8-is-cp1251.xml")
    assert fields(reading)[1] == {"id": "2", "title": "Повар в столовую"}
    assert reading.notes == ["declared utf-8, is cp1251"]


def test_cut_xml_gives_the_rows_before_the_cut() -> None:
    rows, why = until_broken(vector("cut.xml"))
    assert [job["id"] for job in fields(rows)] == ["1", "2"]
    assert "2 rows came before" in why


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("<jobs><job><id>1</id><t>a</t></job><job><id>2</id><t>b</t></job></jobs>", "job"),
        ("<r><status>ok</status><data><v id='1' t='a'/><v id='2' t='b'/></data></r>", "v"),
        ("<jobs><job><id>1</id><t>a</t></job></jobs>", "job"),
        ("<rss><channel><title>x</title><item><title>a</title></item></channel></rss>", "item"),
        (
            "<Opening><id>1</id><place><a>1</a></place><place><a>2</a></place><text>"
            + "x" * 99
            + "</text></Opening>",
            "",
        ),
    ],
)
def test_the_row_element_is_recognised(text: str, row: str) -> None:
    assert recognise(text.encode(), "xa/jobs").items == row


def test_bytes_that_are_not_utf_8_in_xml_cost_their_own_row() -> None:
    jobs = [f"<x:job><id>{i}</id><t>Повар \ufffd</t></x:job>".encode() for i in range(9)]
    jobs[4] = jobs[4].replace("П".encode(), b"\xcf")
    data = b'<x:jobs xmlns:x="urn:x">' + b"".join(jobs) + b"</x:jobs>"
    reading = read(data, "xa/jobs", Format(kind="xml", items="x:job"))
    assert faults(reading) == [("item 5", "bytes are not UTF-8")]
    assert good(reading)[0]["t"] == "Повар \ufffd"


def test_deeply_nested_xml_is_broken_and_not_a_crash() -> None:
    until_broken(read(b"<a>" * 5000, "xa/jobs", Format(kind="xml")))


# Pages


def test_json_ld_is_found_in_graphs_and_lists() -> None:
    assert fields(vector("in-a-graph.html")) == [
        {
            "@type": ["JobPosting", "Thing"],
            "title": "Welder",
            "hiringOrganization": {"@type": "Organization", "@id": "#org", "name": "Northport Yards"},
        },
        {"@type": "http://schema.org/JobPosting", "title": "Cook"},
    ]


def test_json_ld_written_by_hand_is_mended_and_the_hopeless_is_a_fault() -> None:
    reading = vector("broken-blocks.html")
    assert good(reading) == [
        {
            "@context": "https://schema.org",
            "@type": "JobPosting",
            "title": "Welder",
            "url": "https://jobs.example/1",
            "description": "first\nsecond\tthird",
            "skills": ["steel", "pipes"],
        },
        {"@type": "JobPosting", "title": "Cook &amp; baker"},
    ]
    assert [where for where, _ in faults(reading)] == ["block 3"]


def test_a_posting_changes_with_what_it_refers_to() -> None:
    page = (VECTORS / "in-a-graph.html").read_bytes()
    before, after = (list(read(data, "xa/jobs")) for data in (page, page.replace(b"Yards", b"Docks")))
    assert [a.raw == b.raw for a, b in zip(before, after, strict=True)] == [False, True]


def test_another_type_is_found_where_it_is_wanted() -> None:
    assert fields(vector("in-a-graph.html", items="Organization"))[0]["name"] == "Northport Yards"


def test_a_page_without_json_ld_says_so() -> None:
    for name in ("microdata-only.html", "html-instead-of.json"):
        reading = vector(name)
        assert list(reading) == []
        assert "no JSON-LD" in reading.notes[0]


def test_json_ld_by_itself_is_read() -> None:
    data = b'{"@context": "https://schema.org", "@graph": [{"@type": "JobPosting", "title": "Cook"}, {"@type": "Place"}]}'
    assert fields(read(data, "xa/jobs")) == [{"@type": "JobPosting", "title": "Cook"}]


# Workbooks


def test_a_workbook_is_read() -> None:
    assert fields(vector("plain.xlsx")) == [
        {"id": 1, "title": "Welder", "city": "Northport"},
        {"id": 2, "title": "Cook", "city": "Easthaven"},
    ]


def test_titles_merged_headers_and_dates_of_a_workbook_are_understood() -> None:
    reading = vector("title-and-merged-header.xlsx")
    rows = list(reading)
    assert fields(rows) == [
        {
            "id": 1,
            "title": "Welder",
            "pay": {"from": 900.5, "to": 1200},
            "city": "Northport",
            "open since": "2024-03-01",
        },
        {
            "id": 2,
            "title": "Cook",
            "pay": {"from": "", "to": 800},
            "city": "Easthaven",
            "open since": "2024-03-02T08:30:00",
        },
    ]
    assert rows[0].where == "sheet Jobs row 6"
    assert reading.notes[0] == "sheet Jobs was read, of Cover, Jobs"


def test_cells_beyond_the_header_of_a_sheet_are_a_fault() -> None:
    book = openpyxl.Workbook()
    for cells in (["id", "title"], *([i, "Welder"] for i in range(40)), [40, "Cook", None, "extra"]):
        book.active.append(cells)
    book.save(out := io.BytesIO())
    reading = read(out.getvalue(), "xa/jobs")
    assert faults(reading) == [("sheet Sheet row 42", "4 cells where the header has 2")]
    assert len(good(reading)) == 40


def test_a_sheet_that_is_not_there_is_drift() -> None:
    with pytest.raises(Drift, match="it has Cover, Jobs"):
        list(vector("title-and-merged-header.xlsx", sheet="Vacancies"))


def test_a_workbook_that_is_cut_or_none_is_broken() -> None:
    with pytest.raises(Broken, match="cut or damaged"):
        list(vector("cut.xlsx"))
    with pytest.raises(Drift, match="CSV stands where XLSX"):
        list(vector("plain.csv", kind="xlsx"))


# Packed files


def test_packed_files_are_unpacked() -> None:
    table = (VECTORS / "plain.csv").read_bytes()
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert fields(read(pack(table), "xa/jobs.csv")) == JOBS
        assert fields(read(pack(gzip.compress(table)), "xa/jobs.csv")) == JOBS
        assert recognise(pack(table), "xa/jobs").kind == "csv"
    assert [job["id"] for job in fields(vector("two-members.csv.gz"))] == ["1", "2", "3", "4"]
    assert fields(read(gzip.compress(table) + bytes(500), "xa/jobs.csv")) == JOBS


def test_a_workbook_in_an_archive_is_read() -> None:
    book = (VECTORS / "plain.xlsx").read_bytes()
    assert len(list(read(gzip.compress(book), "xa/jobs"))) == 2
    assert len(list(read(zipped({"jobs.xlsx": book}), "xa/jobs"))) == 2


def test_the_files_of_an_archive_are_read_one_after_another() -> None:
    reading = vector("several-members.zip")
    assert fields(reading) == JOBS + JOBS
    assert [row.where for row in reading][2:4] == ["north.csv, line 4", "east.csv, line 2"]
    assert reading.notes == ["README.txt was not read: this is no format that is known"]


def test_a_cut_gzip_gives_the_whole_rows_before_the_cut() -> None:
    rows, why = until_broken(vector("cut.csv.gz"))
    jobs = fields(rows)
    assert len(jobs) > 3000
    assert [job["id"] for job in jobs] == [str(i) for i in range(len(jobs))]
    assert re.fullmatch(r"Northport \d+", jobs[-1]["city"])
    assert "the gzip data is cut after" in why


@pytest.mark.parametrize("suffix", ["json", "ndjson", "xml"])
def test_a_cut_gzip_of_anything_gives_the_rows_before_the_cut(suffix: str) -> None:
    items = [{"id": i, "x": i * 7919 % 10007} for i in range(5000)]
    text = {
        "json": json.dumps({"items": items}),
        "ndjson": "\n".join(map(json.dumps, items)),
        "xml": "<jobs>" + "".join(f"<job><id>{i['id']}</id><x>{i['x']}</x></job>" for i in items) + "</jobs>",
    }[suffix]
    packed = gzip.compress(text.encode())
    rows, why = until_broken(read(packed[: len(packed) * 2 // 3], f"xa/jobs.{suffix}"))
    assert len(rows) > 1000
    assert [int(row.decode()["id"]) for row in rows] == list(range(len(rows)))
    assert "gzip data is cut" in why


def test_damaged_archives_are_broken() -> None:
    for name in ("cut.zip", "wrong-checksum.csv.gz", "cut.xlsx"):
        with pytest.raises(Broken, match="damaged"):
            list(vector(name))
    with pytest.raises(Broken, match="encrypted"):
        read(_encrypted(), "xa/jobs")


@pytest.mark.parametrize(
    ("name", "why"),
    [("empty.csv", "nothing in it"), ("blank.json", "nothing in it"), ("picture.csv", "a picture")],
)
def test_nothing_and_other_things_are_broken(name: str, why: str) -> None:
    with pytest.raises(Broken, match=why):
        vector(name)


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _encrypted() -> bytes:
    data = bytearray(zipped({"jobs.csv": b"id\n1\n"}))
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _gzip_of_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    piece = bytes(2**20)
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])


def _peak(action: Any) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_stops_at_the_cap_and_takes_no_memory() -> None:
    bomb = _gzip_of_zeros(100)
    assert len(bomb) < 200_000

    def read_it() -> None:
        for part in unpack(bomb, "xa/jobs"):
            with pytest.raises(Broken, match="more than 200 times its packed size, the cap"):
                for _ in part.chunks():
                    pass

    assert _peak(read_it) < 8 * 2**20
    for form in (Format(kind="csv"), Format(kind="json"), Format(kind="ndjson"), Format(kind="xml")):
        started = time.monotonic()
        with pytest.raises(Broken):
            list(read(bomb, "xa/jobs", form))
        assert time.monotonic() - started < 5


def test_a_bomb_in_a_bomb_and_a_small_cap() -> None:
    nested = gzip.compress(_gzip_of_zeros(100))
    with pytest.raises(Broken, match="cap"):
        list(unpack(nested, "xa/jobs")[0].chunks())
    table = b"id,title\n" + b"".join(b"%d,Welder\n" % i for i in range(200_000))
    rows, why = until_broken(read(gzip.compress(table), "xa/jobs.csv", cap=1_000_000))
    assert len(rows) > 50_000
    assert "more than the cap of 1,000,000 bytes" in why
    with pytest.raises(Broken, match="packed more than"):
        read(gzip.compress(gzip.compress(gzip.compress(gzip.compress(table)))), "xa/jobs")


def test_zip_bombs_are_refused_whatever_they_claim() -> None:
    with pytest.raises(Broken, match="cap"):
        read(zipped({f"{i}.csv": bytes(2**20) for i in range(9)}), "xa/jobs", cap=2**22)
    lying = bytearray(zipped({"jobs.csv": b"id,title\n" + bytes(2**22)}))
    at = lying.rfind(b"PK\x01\x02")
    lying[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(Broken):
        list(read(bytes(lying), "xa/jobs", cap=2**20))
    many = zipped({f"{i}.csv": b"id\n1\n" for i in range(10_001)})
    with pytest.raises(Broken, match=r"10,001 files"):
        read(many, "xa/jobs")


def test_a_workbook_bomb_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.find.read.workbook.WHOLE", 2**22)
    book = io.BytesIO((VECTORS / "plain.xlsx").read_bytes())
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", bytes(2**23))
    data = bytearray(book.getvalue())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    with pytest.raises(Broken, match="cap of 4,194,304 bytes"):
        list(read(bytes(data), "xa/jobs"))


def test_a_large_table_is_read_in_little_memory(tmp_path: Path) -> None:
    line = b'12345,A title that is usual,"Quoted, thing",Northport,100000,200000,NPD,full-time,2024-01-01,x\n'
    with gzip.open(tmp_path / "large.csv.gz", "wb", 1) as file:
        file.write(b"a,b,c,d,e,f,g,h,i,j\n")
        for _ in range(300):
            file.write(line * 1000 + b"%d,x,x,x,x,x,x,x,x,x\n" % time.monotonic_ns())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in read(tmp_path / "large.csv.gz", "xa/jobs")) == 300_300
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


# Whatever comes


cells = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff\ufffd"), max_size=12
)
words = st.text("abcdefgхцчกขค", min_size=1, max_size=8)


@given(st.lists(words, min_size=2, max_size=6, unique=True), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_written_as_csv_is_read_again(header: list[str], data: st.DataObject) -> None:
    row = st.lists(
        st.one_of(cells, st.just('say "a, b"\nand more')), min_size=len(header), max_size=len(header)
    )
    rows = [["x" + cell for cell in cells] for cells in data.draw(st.lists(row, min_size=1, max_size=12))]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=data.draw(st.sampled_from(",;\t|")), quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(rows)
    reading = read(out.getvalue().encode(), "xa/jobs.csv")
    assert fields(reading) == [dict(zip(header, row, strict=True)) for row in rows if row != header]


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), cells),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(cells, inner, max_size=3)),
    max_leaves=8,
)
objects = st.lists(st.dictionaries(cells, values, min_size=1, max_size=5), min_size=1, max_size=8)


@given(objects, st.sampled_from([None, 1]), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_written_as_json_is_read_again(items: list[Any], indent: int | None, encoding: str) -> None:
    text = json.dumps({"data": {"items": items}}, ensure_ascii=False, indent=indent)
    assert fields(read(text.encode(encoding), "xa/jobs", Format(kind="json", items="data.items"))) == items
    lines = "\n".join(json.dumps(item, ensure_ascii=False) for item in items)
    assert fields(read(lines.encode(encoding), "xa/jobs.ndjson", Format(kind="ndjson"))) == items


seeds = [path.read_bytes()[:3000] for path in sorted(VECTORS.iterdir()) if path.stat().st_size]
kinds = st.sampled_from(["", "csv", "tsv", "xlsx", "json", "ndjson", "xml", "json-ld", "html"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real file with bytes changed, cut, doubled and put in; or nothing but noise."""
    data = bytearray(draw(st.one_of(st.sampled_from(seeds), st.binary(max_size=300))))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at : at + 1] = draw(st.binary(max_size=4))
            case 1:
                del data[at : at + draw(st.integers(1, 40))]
            case 2:
                data[at:at] = data[: draw(st.integers(0, 60))]
            case _:
                token = st.sampled_from(
                    [b'"', b"\\", b"<", b"&", b"]]>", b"{", b"[", b",", b"\x00", b"\n", b"<!--", b"\xff"]
                )
                data[at:at] = draw(token) * draw(st.sampled_from([1, 3, 600]))
    return bytes(data)


@given(
    damaged(),
    kinds,
    st.sampled_from(["", "utf-8", "gbk", "cp1252", "utf-16"]),
    st.sampled_from(["", "items", "job", "*.a"]),
)
@settings(max_examples=400, deadline=10_000, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_is_rows_or_a_plain_error(data: bytes, kind: str, encoding: str, items: str) -> None:
    form = Format(kind=kind, encoding=encoding, items=items, cells="literals", mojibake="repair")
    with suppress(Broken, Drift):
        for row in read(data, "xa/jobs", form):
            with suppress(ValueError):
                value = row.decode()
                assert isinstance(value, dict)
                assert not row.fault
                msgspec.json.encode(value)


@given(damaged(), st.sampled_from(["xa/jobs", "jobs.csv.gz", "jobs.json", "jobs.xml"]))
@settings(max_examples=200, deadline=10_000, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_begins_is_recognised_or_a_plain_error(head: bytes, name: str) -> None:
    with suppress(Broken):
        assert recognise(head, name).kind


@pytest.mark.parametrize(
    "piece",
    [
        b'"',
        b'\\"',
        b"<script ",
        b"<script>",
        b"/*",
        b"//",
        b"<!--",
        b"&",
        b"[",
        b"{",
        b"]]>",
        b",",
        b", ",
        b'"\\"',
        b"<meta ",
        b"''",
        b"\x1b$B",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "json", "ndjson", "xml", "html"])
def test_no_text_takes_more_than_its_length_in_time(piece: bytes, kind: str) -> None:
    begin = {
        "csv": b"a,b\n1,2\n",
        "json": b'[{"a": ',
        "ndjson": b'{"a": ',
        "xml": b"<a>",
        "html": b'<html><script type="application/ld+json">',
    }
    started = time.monotonic()
    try:
        for row in read(begin[kind] + piece * 60_000, "xa/jobs", Format(kind=kind, mojibake="repair")):
            row.fault or row.decode()
    except (Broken, Drift, ValueError):
        pass
    assert time.monotonic() - started < 5


def test_a_form_that_nothing_can_be_read_by_is_named() -> None:
    for form, why in (
        (Format(kind="docx"), "kind = 'docx' is unknown"),
        (Format(delimiter="||"), "delimiter = '||' is not one character"),
        (Format(cells="python"), "cells = 'python' is unknown"),
        (Format(mojibake="yes"), "mojibake = 'yes' is unknown"),
        (Format(skip=-1), "skip = -1"),
    ):
        with pytest.raises(SourceFileError, match=re.escape(why)):
            read(b"a,b\n1,2\n", "xa/jobs", form)


# The real inputs


def _claimed(source: str) -> dict[str, int]:
    """file → rows, where SOURCE.txt says a plain number."""
    found = re.findall(r"^FILE (\S+)\n(?:  (?!rows).*\n)*  rows: (\d+)$", source, re.M)
    return {name: int(rows) for name, rows in found}


def test_every_real_file_has_the_rows_that_it_should_have(shared_data: Path) -> None:
    wrong, seen = [], 0
    for note in sorted((shared_data / "work").glob("*/SOURCE.txt")):
        for name, rows in _claimed(note.read_text()).items():
            reading = read(note.parent / name, name)
            given = list(reading)
            seen += len(given)
            bad = [row for row in given if row.fault]
            page_without = reading.form.kind == "html" and not given and reading.notes
            if (len(given) != rows and not page_without) or bad:
                wrong.append((name, len(given), rows, [row.fault for row in bad[:3]]))
    assert wrong == []
    assert seen > 90_000


def test_the_gbk_file_and_the_mojibake_file_are_readable_text(shared_data: Path) -> None:
    gbk = read(
        shared_data / "work/china/51job_gbk.csv.gz", "xa/jobs", Format(encoding="utf-8", cells="literals")
    )
    assert all(row.decode() for row in gbk)
    assert (gbk.form.encoding, gbk.notes) == ("gb18030", ["declared utf-8, is gb18030"])
    mojibake = read(shared_data / "work/vietnam/topcv_mojibake.csv.gz", "xa/jobs", Format(mojibake="repair"))
    assert not re.search("Ã|áº|á»|Ä", "".join(map(str, fields(mojibake))))
