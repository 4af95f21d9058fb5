"""The formats in which the fictitious registers are written, the same to the byte on every machine."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


def as_json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": "))


def json_list(before: str, rows: Iterable[Any], after: str) -> bytes:
    """JSON with a row a line, so that differences can be read."""
    return (before + "[\n" + ",\n".join(map(as_json, rows)) + "\n]" + after + "\n").encode()


def csv_table(rows: Iterable[dict[str, str]], delimiter: str = ",") -> str:
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


def gzipped(data: bytes) -> bytes:
    """Stored, not squeezed: how zlib squeezes differs from version to version."""
    blocks = [data[at : at + 65535] for at in range(0, len(data), 65535)]
    body = b"".join(
        bytes([at == len(blocks) - 1])
        + len(b).to_bytes(2, "little")
        + (65535 - len(b)).to_bytes(2, "little")
        + b
        for at, b in enumerate(blocks)
    )
    tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + body + tail


def workbook(sheets: Mapping[str, Iterable[Sequence[str | int | float]]]) -> bytes:
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
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
            for n, name in zip(parts, sheets, strict=True)
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
        body = "\n".join("<row>" + "".join(map(_cell, cells)) + "</row>" for cells in rows)
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


def element(name: str, text: str = "", **attributes: str | int) -> str:
    given = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items() if value != "")
    return f"<{name}{given}>{escape(text, quote=False)}</{name}>" if text else f"<{name}{given}/>"


def misread(text: str) -> str:
    """UTF-8 that was taken for windows-1252 once."""
    return "".join(
        bytes([b]).decode("cp1252") if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(b)
        for b in text.encode()
    )
