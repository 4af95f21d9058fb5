"""The doctor: what is wrong with a source, in words, and a whole source file for data nobody has described.

A source file is read, its recorded files are replayed in memory, and each reason is counted. An unknown
file or address is recognised (format, encoding, paging), mapped by names and values, and the proposal is
tried on the very rows it was made from before it is shown.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from landbridge.errors import FetchError, LandbridgeError, SourceFileError
from landbridge.find.connect import connect
from landbridge.find.harvest import Reader
from landbridge.find.propose import propose
from landbridge.find.read import Format, Row, read
from landbridge.find.source import Source, parse_source, read_source
from landbridge.kinds.kind import Kind

SAMPLE = 2_000
PREVIEWED = 10
PREVIEW_LENGTH = 20_000  # characters of a row that are shown
_PAGE_WORDS = {"page", "p", "seite", "pagina", "paged"}
_OFFSET_WORDS = {"offset", "start", "skip", "from"}
_LIMIT_WORDS = {"limit", "size", "per_page", "pagesize", "page_size", "count", "rows", "results_per_page"}
_TOTAL_WORDS = (
    "total",
    "found",
    "count",
    "totalcount",
    "maxergebnisse",
    "searchresultcountall",
    "numberrecords",
    "total_count",
    "totalelements",
)
_NEXT_WORDS = ("next", "next_url", "nexturl", "next_page", "nextpage", "next_link")


class Finding(msgspec.Struct, frozen=True):
    """One thing the doctor noticed: good, worth a look, or bad."""

    state: Literal["good", "look", "bad"]
    about: str
    what: str
    hint: str = ""


class Preview(msgspec.Struct, frozen=True):
    """One row beside the record it maps to, or beside the reason why it maps to none."""

    row: str
    values: dict[str, Any] | None = None
    why: str = ""


class Report(msgspec.Struct):
    """What the doctor says of a source, a file or an address."""

    target: str
    findings: list[Finding]
    rows: int = 0
    understood: int = 0
    proposal: str = ""
    settle: list[str] = []
    preview: list[Preview] = []

    @property
    def good(self) -> bool:
        return not any(f.state == "bad" for f in self.findings)

    def words(self) -> str:
        """The report as a person reads it."""
        lines = [f"{self.target}: {self.understood:,} of {self.rows:,} rows understood"]
        for f in self.findings:
            lines.append(f"  {f.state:4}  {f.about}: {f.what}")
            if f.hint:
                lines.append(f"        {f.hint}")
        if self.settle:
            lines.append("  to settle by a person:")
            lines += [f"    - {one}" for one in self.settle]
        return "\n".join(lines)


def examine_source(path: Path, kinds: Mapping[str, Kind], *, at: datetime | None = None) -> Report:
    """A source file and the recorded files beside it."""
    report = Report(str(path), [])
    try:
        source = read_source(path, dict(kinds))
        reader = Reader(source, kinds[source.kind])
        if "with" in source.fetch:
            connect(source)
    except LandbridgeError as error:
        report.findings.append(Finding("bad", "source file", str(error), error.hint))
        return report
    report.findings.append(Finding("good", "source file", f"{source.title} ({source.kind})"))
    samples = sorted(p for p in path.parent.rglob("*") if p.is_file() and _is_sample(p, source))
    for sample in samples:
        rows = _rows(sample.read_bytes(), sample.name, source.reading(_over(source, sample)), report)
        _try(reader, rows, report, at or datetime.now(UTC))
    if not samples:
        report.findings.append(
            Finding(
                "look",
                "samples",
                "no recorded sample beside it",
                f"save one answer of the register as {path.parent}/samples/{path.stem}.json",
            )
        )
    return report


def _is_sample(path: Path, source: Source) -> bool:
    if path.suffix == ".toml":
        return False
    named = path.parent.name == "samples" and re.split(r"[.]", path.name)[0].split("-quarantined")[0]
    if named and (named == source.name or str(named).startswith(source.name + "--")):
        return True
    return any(path.match(pattern) for entry in source.replay for pattern in entry.files)


def _over(source: Source, path: Path) -> dict[str, Any]:
    for entry in source.replay:
        if any(path.match(pattern) for pattern in entry.files):
            return entry.format
    return {}


def examine_bytes(
    data: bytes,
    name: str,
    *,
    kinds: Mapping[str, Kind],
    kind: str = "vacancy",
    member: str = "xx",
    url: str = "",
    at: datetime | None = None,
) -> Report:
    """An unknown file, or what an address answered: recognised, mapped, and tried."""
    at = at or datetime.now(UTC)
    report = Report(url or name, [])
    form = Format()
    try:
        reading = read(data, name, form)
        rows = _take(reading, report)
    except (FetchError, ValueError) as error:
        report.findings.append(Finding("bad", "format", str(error)))
        return report
    form = reading.form
    report.findings.append(
        Finding(
            "good", "format", f"{form.kind or 'unknown'}, {form.encoding or 'utf-8'}, {len(rows):,} rows read"
        )
    )
    if any("mojibake" in note for note in reading.notes):
        form = msgspec.structs.replace(form, mojibake="repair")
        reading = read(data, name, form)
        rows = _take(reading, report)
        report.findings.append(Finding("good", "format", "text that was decoded wrongly is put right"))
    for note in reading.notes:
        report.findings.append(Finding("look", "format", note))
    decoded = _decode(rows, report)
    if not decoded:
        report.findings.append(
            Finding("bad", "rows", "no rows in it", "name the path of the list as items in [fetch]")
        )
        return report
    if form.kind in {"csv", "tsv", "xlsx"} and _literal_cells(decoded):
        form = msgspec.structs.replace(form, cells="literals")
        reading = read(data, name, form)
        rows = _take(reading, report)
        decoded = _decode(rows, report)
        report.findings.append(Finding("good", "format", "cells hold lists and objects, read as such"))
    fetch = _fetch(url or name, form, data, decoded, report)
    stem = re.sub(r"[^a-z0-9]+", "-", Path(urlsplit(url).path or name).name.split(".")[0].lower()).strip("-")
    made = propose(
        decoded,
        kind=kinds[kind],
        at=at,
        title=f"{member}: {stem or 'register'}",
        fetch=fetch,
        replay="" if url else Path(name).name,
    )
    report.proposal, report.settle = made.toml, made.settle
    _summarise(made.choices, report)
    try:
        source = parse_source(made.toml, dict(kinds), member=member, name=stem or "register")
        reader = Reader(source, kinds[kind])
    except SourceFileError as error:
        report.findings.append(
            Finding("look", "proposal", f"it does not run yet: {error.reason}", error.hint)
        )
        return report
    _try(reader, rows, report, at)
    return report


def _summarise(choices: Sequence[Any], report: Report) -> None:
    found = ", ".join(f"{c.ours} = {c.path}" for c in choices)
    report.findings.append(Finding("good" if choices else "bad", "mapping", found or "nothing recognised"))


def _take(reading: Any, report: Report) -> list[Row]:
    rows: list[Row] = []
    try:
        for row in reading:
            rows.append(row)
            if len(rows) >= SAMPLE:
                break
    except FetchError as error:
        report.findings.append(Finding("bad", "format", error.reason))
    return rows


def _rows(data: bytes, name: str, form: Format, report: Report) -> list[Row]:
    try:
        return _take(read(data, name, form), report)
    except (FetchError, ValueError) as error:
        report.findings.append(Finding("bad", "format", f"{name}: {error}"))
        return []


def _decode(rows: Sequence[Row], report: Report) -> list[dict[str, Any]]:
    decoded: list[dict[str, Any]] = []
    for row in rows:
        if row.fault:
            continue
        try:
            value = row.decode()
        except ValueError:
            continue
        if isinstance(value, dict):
            decoded.append(value)
    return decoded


def _literal_cells(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some column holds Python or JSON literals in most of its cells."""
    tally: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for row in rows[:200]:
        for name, value in row.items():
            if isinstance(value, str) and value:
                filled[name] += 1
                tally[name] += re.match(r"""[\[{]\s*(?:[\[{'"]|\]|\})""", value) is not None
    return any(count > 0.6 * filled[name] and count >= 3 for name, count in tally.items())


def _preview(row: Row, seen: Any) -> Preview:
    try:
        shown = msgspec.json.encode(row.decode()).decode()
    except (ValueError, TypeError):
        shown = seen.raw.decode("utf-8", "replace")
    if seen.code or seen.mapped is None:
        return Preview(shown[:PREVIEW_LENGTH], None, seen.reason)
    if seen.mapped.gone:
        return Preview(shown[:PREVIEW_LENGTH], None, "the register says that it is gone")
    values = msgspec.to_builtins(seen.mapped.values)
    return Preview(
        shown[:PREVIEW_LENGTH], {"key": seen.mapped.key, "language": seen.mapped.language, **values}
    )


def _try(reader: Reader, rows: Sequence[Row], report: Report, at: datetime) -> None:
    """Reads rows through the mapping and says what came of it."""
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    filled: Counter[str] = Counter()
    good = 0
    keys: Counter[str] = Counter()
    for row in rows:
        seen = reader.see(row, b"", at)
        if len(report.preview) < PREVIEWED:
            report.preview.append(_preview(row, seen))
        if seen.code:
            reasons[seen.reason] += 1
            examples.setdefault(seen.reason, f"{seen.where}: {seen.raw[:160].decode('utf-8', 'replace')}")
            continue
        good += 1
        if seen.mapped is None or seen.mapped.gone:
            continue
        keys[seen.mapped.key] += 1
        filled.update(msgspec.to_builtins(seen.mapped.values).keys())
    report.rows += len(rows)
    report.understood += good
    for reason, count in reasons.most_common(8):
        report.findings.append(
            Finding(
                "bad" if count > 0.02 * len(rows) else "look", f"{count:,} rows", reason, examples[reason]
            )
        )
    twice = sum(1 for count in keys.values() if count > 1)
    if twice > 0.02 * max(1, good):
        report.findings.append(
            Finding("look", "id", f"{twice:,} identifiers come more than once", "is it the right field?")
        )
    if good:
        shares = ", ".join(
            f"{name} {filled[name] / good:.0%}" for name in reader.mapper.kind.fields if filled[name]
        )
        report.findings.append(Finding("good", "filled", shares))


def _fetch(
    where: str, form: Format, data: bytes, rows: Sequence[Mapping[str, Any]], report: Report
) -> dict[str, Any]:
    """[fetch] for what was found: the connector, its address and how it pages."""
    usual = {"encoding": "utf-8", "delimiter": "\t" if form.kind == "tsv" else ","}
    reading = {
        name: getattr(form, name)
        for name in ("encoding", "delimiter", "items", "each", "sheet", "skip", "cells", "mojibake")
        if getattr(form, name) not in (getattr(Format(), name), usual.get(name))
    }
    if not where.startswith("http"):
        return {"with": "file", "path": Path(where).name, **reading, "every": "24h"}
    if form.kind == "json-ld":
        parts = urlsplit(where)
        report.findings.append(
            Finding(
                "look",
                "paging",
                "pages with JSON-LD: the sitemap of the site lists them",
                "set url to the sitemap",
            )
        )
        return {"with": "json-ld", "url": f"{parts.scheme}://{parts.netloc}/sitemap.xml", "every": "24h"}
    if form.kind != "json":
        return {"with": "file", "url": where, **reading, "every": "24h"}
    return {"with": "json-pages", **_paging(where, data, len(rows), report), **reading, "every": "6h"}


def _paging(where: str, data: bytes, count: int, report: Report) -> dict[str, Any]:
    parts = urlsplit(where)
    params = dict(parse_qsl(parts.query))
    url = f"{parts.scheme}://{parts.netloc}{parts.path}"
    try:
        envelope = msgspec.json.decode(data)
    except msgspec.DecodeError:
        envelope = None
    flat = _flat(envelope) if isinstance(envelope, dict) else {}
    out: dict[str, Any] = {"url": url}
    total = next(
        (
            path
            for path, v in flat.items()
            if path.rpartition(".")[2].casefold() in _TOTAL_WORDS and _whole(v)
        ),
        "",
    )
    if total:
        out["total"] = total
        report.findings.append(Finding("good", "total", f"{total} = {flat[total]}"))
    else:
        report.findings.append(Finding("look", "total", "it does not say how many there are in all"))
    following = next(
        (p for p, v in flat.items() if p.rpartition(".")[2].casefold() in _NEXT_WORDS and isinstance(v, str)),
        "",
    )
    limit = next((n for n in params if n.casefold() in _LIMIT_WORDS), "")
    page = next((n for n in params if n.casefold() in _PAGE_WORDS), "")
    offset = next((n for n in params if n.casefold() in _OFFSET_WORDS), "")
    if following:
        out["paginator"] = {"type": "json_link", "next_url_path": following}
    elif page:
        out["paginator"] = {
            "type": "page_number",
            "page_param": page,
            "base_page": int(params.pop(page) or 0),
        }
    elif offset:
        params.pop(offset)
        out["paginator"] = {
            "type": "offset",
            "offset_param": offset,
            "limit_param": limit or "limit",
            "limit": int(params.get(limit, count) or count),
        }
    elif any(p.rpartition(".")[2] == "page" for p in flat):
        out["paginator"] = {
            "type": "page_number",
            "page_param": "page",
            "base_page": int(flat.get("page") or 0),
        }
    else:
        out["paginator"] = {"type": "single_page"}
        if total and int(flat[total]) > count:
            report.findings.append(
                Finding(
                    "look",
                    "paging",
                    f"{count} of {flat[total]} rows came: how are the other pages asked for?",
                )
            )
    report.findings.append(Finding("good", "paging", out["paginator"]["type"]))
    if params:
        out["params"] = params
    return out


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, below in value.items():
        path = f"{above}.{name}" if above else name
        if isinstance(below, dict):
            found.update(_flat(below, path))
        elif not isinstance(below, list):
            found[path] = below
    return found


def _whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and value.isdigit()
    )
