"""Writes what the registers of the fictitious union recorded: `python -m landbridge.world.write [FOLDER]`.

Every register has its own format, its own words (those of its source file) and its own faults, which are meant:
repeats, the same key with other content, rows that cannot be understood, hostile markup, invisible signs, absurd
pay. `expected.toml` says what a harvest must make of each. The same files are written every time, to the byte.
"""

import io
import json
import sys
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from landbridge.world.draw import CLOCK, FOLDER, Draw, Job, Person, vacancies

__all__ = ["CLOCK", "REGISTERS", "vacancies", "write"]

_HOSTILE = (
    '<p>{}</p><script>document.title="owned"</script><img src=x onerror="alert(1)">'
    '<a href="javascript:alert(1)">»</a><style>body{{display:none}}</style>'
)
_HIDDEN_SPACE, _OVERRIDE, _POP = "\u200b", "\u202e", "\u202c"


@dataclass
class Recorded:
    """The rows of one register, with what a harvest must make of each."""

    rows: list[Any] = field(default_factory=list)
    new: int = 0
    unchanged: int = 0
    duplicate_key: int = 0
    gone: int = 0
    quarantine: list[tuple[str, str, str]] = field(default_factory=list)  # code, field, why

    def add(self, row: Any) -> None:
        self.rows.append(row)
        self.new += 1

    def repeat(self, row: Any) -> None:
        """The same row once more."""
        self.rows.append(row)
        self.unchanged += 1

    def contradict(self, row: Any) -> None:
        """The same key with other content."""
        self.rows.append(row)
        self.duplicate_key += 1

    def withdraw(self, row: Any) -> None:
        """A row that says that an earlier one is gone."""
        self.rows.append(row)
        self.unchanged += 1
        self.gone += 1

    def spoil(self, row: Any, code: str, of: str, why: str) -> None:
        """A row that must be quarantined, for a true reason."""
        self.rows.append(row)
        self.quarantine.append((code, of, why))


Files = dict[str, bytes]
Register = Callable[[Draw], tuple[Recorded, Files]]


@cache
def _share(source: str) -> dict[str, Any]:
    member, name = source.split("/")
    return tomllib.loads((FOLDER / "members" / member / "shares" / f"{name}.toml").read_text("utf-8"))


def _word(source: str, of: str, ours: str, beside: str = "") -> str:
    """The register's own word for one of ours; where it has several, the one in the script of `beside`."""
    theirs = [word for word, code in _share(source)["values"][of].items() if code == ours]
    if beside:
        theirs = [word for word in theirs if ord(word[0]) >> 7 == ord(beside[0]) >> 7]
    return str(theirs[0]) if theirs else ""


def _jobs(draw: Draw, member: str, wanted: Sequence[tuple[str, str, int]]) -> list[Job]:
    """Jobs by language and currency, mixed."""
    found = [
        (draw.number(), draw.job(0, member, language, currency))
        for language, currency, count in wanted
        for _ in range(count)
    ]
    mixed = [job for _, job in sorted(found, key=lambda pair: pair[0])]
    return [replace(job, number=at) for at, job in enumerate(mixed, 1)]


def _people(draw: Draw, member: str, wanted: Sequence[tuple[str, str, int]], home: str = "") -> list[Person]:
    found = [
        (draw.number(), draw.person(0, member, language, currency, home))
        for language, currency, count in wanted
        for _ in range(count)
    ]
    mixed = [person for _, person in sorted(found, key=lambda pair: pair[0])]
    return [replace(person, number=at) for at, person in enumerate(mixed, 1)]


def _study(group: str, low: str, middle: str, high: str) -> str:
    if group in ("health", "teach", "tech", "office"):
        return high
    return middle if group in ("build", "make", "move") else low


def _grouped(amount: float, mark: str) -> str:
    return f"{amount:,.0f}".replace(",", mark)


# formats


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": "))


def _list(before: str, rows: Iterable[Any], after: str) -> bytes:
    """JSON with a row a line, so that differences can be read."""
    return (before + "[\n" + ",\n".join(map(_json, rows)) + "\n]" + after + "\n").encode()


def _csv(rows: Iterable[dict[str, str]], delimiter: str = ",") -> str:
    lines: list[str] = []
    for row in rows:
        if not lines:
            lines.append(delimiter.join(row))
        cells = [
            '"' + cell.replace('"', '""') + '"' if any(c in cell for c in f'"\r\n{delimiter}') else cell
            for cell in row.values()
        ]
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def _gzip(data: bytes) -> bytes:
    """Stored, not squeezed: how zlib squeezes differs from version to version."""
    blocks = [data[at : at + 65535] for at in range(0, len(data), 65535)]
    body = b"".join(
        bytes([at == len(blocks) - 1]) + len(b).to_bytes(2, "little") + (65535 - len(b)).to_bytes(2, "little") + b
        for at, b in enumerate(blocks)
    )
    tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + body + tail


def _workbook(sheets: dict[str, Iterable[Sequence[str | int | float]]]) -> bytes:
    """A workbook (ECMA-376) of plain sheets: texts stand in their cells, nothing is styled."""
    office = "http://schemas.openxmlformats.org"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    parts = range(1, len(sheets) + 1)
    files = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument'
        '.spreadsheetml.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.spreadsheetml.worksheet+xml"/>'
            for n in parts
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{office}/spreadsheetml/2006/main" '
        f'xmlns:r="{office}/officeDocument/2006/relationships"><sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, name in zip(parts, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{office}/officeDocument/2006/relationships/worksheet" '
            f'Target="worksheets/sheet{n}.xml"/>'
            for n in parts
        )
        + "</Relationships>",
    }
    for n, rows in zip(parts, sheets.values(), strict=True):
        body = "\n".join(
            "<row>" + "".join(map(_cell, cells)) + "</row>" for cells in rows
        )
        files[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{office}/spreadsheetml/2006/main"><sheetData>\n{body}\n</sheetData></worksheet>'
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (2026, 11, 1, 0, 0, 0))
            entry.create_system = 3
            archive.writestr(entry, head + text)
    return packed.getvalue()


def _cell(value: str | int | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value, quote=False)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _element(name: str, text: str = "", **attributes: Any) -> str:
    given = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items() if value != "")
    return f"<{name}{given}>{escape(text, quote=False)}</{name}>" if text else f"<{name}{given}/>"


def _misread(text: str) -> str:
    """UTF-8 that was taken for windows-1252 once."""
    return "".join(
        bytes([b]).decode("cp1252") if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b) for b in text.encode()
    )


# Altania


def altanian_bank_jobs() -> list[Job]:
    """The jobs of the state vacancy bank; Eastmere passes some of them on."""
    return _jobs(
        Draw("xa/vacancies"), "xa", [("ru", "KZT", 92), ("ru", "RUB", 14), ("ru", "USD", 4), ("kk", "KZT", 50)]
    )


_COINS = {"KZT": "тенге", "RUB": "«руб.»", "USD": "доллары США"}


def _bank_row(draw: Draw, job: Job) -> dict[str, Any]:
    source = "xa/vacancies"
    shown = draw.pick(["range", "range", "from", "upto", "open", "fixed"])
    low = job.low if shown in ("range", "from", "fixed") else 0
    high = {"range": job.high, "upto": job.high, "fixed": job.low}.get(shown, 0)
    said = {
        "range": f"от {low} до {high}",
        "from": f"от {low}",
        "upto": f"до {high}",
        "fixed": f"{low}",
        "open": "по договорённости",
    }[shown]
    kazakh = job.language == "kk"
    text = "<p>" + "</p><p>".join([*job.tasks, job.offer]) + "</p>"
    row: dict[str, Any] = {
        "id": f"xa-{20260000 + job.number * 7}",
        "source": "Служба занятости Алтании",
        "job-name": "" if kazakh else job.title,
        "region": {"code": f"{40 + int(job.spot.lat)}00000000", "name": job.spot.region},
        "company": {
            "name": job.employer,
            "ogrn": f"{sum(map(ord, job.employer)):013}",
            "inn": "0000000000",
        },
        "creation-date": job.published.isoformat(),
        "date_modify": f"{min(CLOCK, job.published + timedelta(days=job.number % 20)).isoformat()}T09:{job.number % 60:02}:00+0500",
        "closing-date": job.expires.isoformat(),
        "salary": said,
        "salary_min": low,
        "salary_max": high,
        "currency": _COINS[job.currency],
        "salary_tax": draw.pick(["до вычета налогов", "на руки", ""]),
        "employment": _word(source, "contract", job.contract),
        "schedule": "Вахтовый метод" if job.trade.group == "build" and job.hours == "shift" else _word(source, "hours", job.hours),
        "workplace": _word(source, "remote", job.remote),
        "duty": "" if kazakh else text,
        "requirement": {
            "qualification": "" if kazakh else job.need,
            "experience": job.years,
            "education": _study(job.trade.group, "Среднее", "Среднее профессиональное", "Высшее"),
        },
        "category": {"specialisation": job.title},
        "code_profession": job.trade.isco,
        "addresses": {"address": [{"locality": job.spot.city, "lat": f"{job.spot.lat:.4f}", "lng": f"{job.spot.lon:.4f}"}]},
        "skills": [],
        "work_places": job.openings,
        "social_protected": "",
        "contact_list": [{"type": "в личном кабинете работодателя"}],
        "vac_url": f"https://work.altania.example/vacancy/{20260000 + job.number * 7}",
    }
    if kazakh:
        row |= {"job-name-kk": job.title, "duty-kk": f"{text}<p>{job.need}</p>"}
    return row


def _kazakh_too(row: dict[str, Any], job: Job) -> dict[str, Any]:
    """The same vacancy in both state languages."""
    from landbridge.world.draw import phrases

    words = phrases("kk")
    return row | {"job-name-kk": words.title[job.trade.name], "duty-kk": " ".join(words.task[job.trade.group])}
