"""What each word of the command line does."""

import asyncio
import contextlib
import csv
import itertools
import json
import os
import select
import shutil
import sys
import tarfile
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from landbridge.cli import DONE, FAILED, NO, demo
from landbridge.cli.given import print_json
from landbridge.cli.show import show_occupation, show_result, show_states
from landbridge.config import Settings, read_settings
from landbridge.errors import ConfigError, UsageError
from landbridge.find import occupations
from landbridge.find.harvest import Harvested, replay_quarantine
from landbridge.find.journal import Counts, Journal, Quarantined
from landbridge.find.query import parse
from landbridge.instance import Instance
from landbridge.members.member import pick
from landbridge.portal import login, operate
from landbridge.world.draw import CLOCK

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
WORLD = Path(__file__).resolve().parents[1] / "world" / "members"
DEMO = (
    {"q": ["welder"]},
    {"q": ["медсестра"], "facets": ["country,contract"]},
    {"q": ["lập trình viên"], "sort": ["pay"], "currency": ["EUR"]},
)


def run(arguments: Namespace) -> int:
    """The command a parsed line names."""
    verb = getattr(arguments, "verb", "")
    action = _ACTIONS[f"{arguments.command} {verb}".strip()]
    if arguments.command == "demo":
        return action(arguments)
    instance = Instance(read_settings())
    try:
        return action(instance, arguments)
    finally:
        instance.close()


def _find(instance: Instance, a: Namespace) -> int:
    params: dict[str, list[str]] = {}
    given = {
        "q": " ".join(a.text),
        "in": a.in_,
        **{
            name: getattr(a, name)
            for name in [
                "kind",
                "place",
                "radius",
                "occupation",
                "pay",
                "currency",
                "period",
                "unknown",
                "lang",
                "source",
                "since",
                "sort",
                "limit",
                "cursor",
                "facets",
            ]
        },
    }
    params.update((name, [value]) for name, value in given.items() if value)
    for pair in a.where:
        field, equals, code = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r} is not FIELD=CODE", parameter="--where")
        params.setdefault(field, []).append(code)
    params.update((name, ["1"]) for name in ("explain", "literal") if getattr(a, name))
    query = parse(params, instance.kinds, rates=instance.rates)
    result = instance.find(query)
    if a.json:
        print_json(result)
    else:
        show_result(out, result, instance, instance.kinds[query.kind])
    if result.hits:
        return DONE
    answered = any(m.state in {"ok", "stale", "held"} for m in result.members)
    return NO if answered else FAILED


def _occupation(_: Instance, a: Namespace) -> int:
    """A title, or a table of them: one JSON object a line, or a table."""
    if bool(a.text) == bool(a.file):
        raise UsageError("give a title, or --file with --title", parameter="TEXT")
    if not a.file:
        answer = occupations.read(" ".join(a.text), language=a.lang)
        if a.json:
            print_json(answer)
        else:
            show_occupation(out, answer)
        return NO if answer.kind == "none" else DONE
    if not a.title:
        raise UsageError("which column holds the titles?", parameter="--title", hint="--title COLUMN")
    named = 0
    for titles in _batches(_titles_of(a.file, a.title, a.more), 500):
        for (title, _text), answer in zip(titles, occupations.read_all(titles, language=a.lang), strict=True):
            named += answer.kind != "none"
            if a.json:
                print_json({"title": title, **msgspec.to_builtins(answer)})
                continue
            first = (*answer.occupations[:1], *answer.groups[:1]) if answer.kind != "none" else ()
            said = "; ".join(f"{o.scheme} {o.code} {o.label} ({o.confidence:.2f})" for o in first)
            print(f"{title}\t{said or 'no occupation'}")
    return DONE if named else NO


def _titles_of(path: Path, title: str, text: str | None) -> Iterator[tuple[str, str]]:
    """The titles of a table with a header row, and their texts. Raises UsageError where it has no such column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, dialect=_dialect(file.readline()))
            file.seek(0)
            for name, column in (("--title", title), ("--text", text)):
                if column and column not in (reader.fieldnames or ()):
                    has = ", ".join(reader.fieldnames or ()) or "no column"
                    raise UsageError(f"{path} has no column {column!r}", parameter=name, hint=f"it has {has}")
            for row in reader:
                yield row[title] or "", (row[text] or "") if text else ""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", parameter="--file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no table in UTF-8: {error}", parameter="--file") from error


def _dialect(header: str) -> type[csv.Dialect]:
    class Table(csv.excel):
        delimiter = max(",;\t|", key=header.count)

    return Table


def _batches(rows: Iterator[tuple[str, str]], size: int) -> Iterator[list[tuple[str, str]]]:
    while some := list(itertools.islice(rows, size)):
        yield some


def _harvest(instance: Instance, a: Namespace) -> int:
    if a.release is not None:
        gone = instance.journal.release(a.release)
        instance.follow()
        print_json({"run": a.release, "gone": gone}) if a.json else out.print(f"{gone:,} records removed")
        return DONE
    if a.forever:
        return asyncio.run(_harvest_forever(instance, a.names))
    for path in a.replay or ():
        if not path.exists():
            raise UsageError(f"{path} is not there", parameter="--replay")
    bar = _progress()
    tasks: dict[str, Any] = {}

    def progress(name: str, counts: Counts, claimed: int | None) -> None:
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=claimed)
        bar.update(tasks[name], completed=counts.read, total=claimed)

    def report(result: Harvested) -> None:
        if a.json:
            print_json(result)

    with bar:
        done = asyncio.run(
            instance.harvest(a.names, replay=a.replay or (), due_only=a.due, progress=progress, report=report)
        )
    if not a.json:
        _show_harvest(done)
    if a.replay:
        _show_unmatched(instance, a)
    if not done:
        err.print("nothing to harvest: no source has an address or a matching file")
        return NO
    if any(h.state == "failed" for h in done):
        return FAILED
    return NO if any(h.state == "held" for h in done) else DONE


async def _harvest_forever(instance: Instance, names: Sequence[str]) -> int:
    while True:
        for result in await instance.harvest(names, due_only=True):
            err.print(f"{result.source}: {result.state}, {result.new:,} new {result.why}")
        await asyncio.sleep(5)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
    )


_SHORT = {"unchanged": "same", "duplicate_key": "twice"}  # so that a line fits into 80 columns


def _show_harvest(done: Sequence[Harvested]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("source")
    columns = ("read", "new", "changed", "unchanged", "duplicate_key", "quarantined", "gone", "held")
    for name in columns:
        table.add_column(_SHORT.get(name, name), justify="right")
    table.add_column("state")
    for h in done:
        table.add_row(h.source, *(f"{getattr(h, n):,}" for n in columns), h.state)
    if len(done) > 1:
        sums = (f"{sum(getattr(h, n) for h in done):,}" for n in columns)
        table.add_row("all", *sums, "", style="bold")
    out.print(table)
    for h in done:
        if h.why:
            out.print(f"{h.source}: {h.why}", style="yellow", markup=False)


_SHOWN = 20


def _show_unmatched(instance: Instance, a: Namespace) -> None:
    left = instance.unmatched(a.replay)
    if left and not a.json:
        out.print(f"{len(left)} files are no source's: landbridge member test FILE proposes one")
        for path in left[:_SHOWN]:
            out.print(f"  {path}", markup=False, soft_wrap=True)
        if len(left) > _SHOWN:
            out.print(f"  … and {len(left) - _SHOWN} more")


def _member_list(instance: Instance, a: Namespace) -> int:
    states = instance.journal.states()
    if a.json:
        print_json(instance.describe_members())
    else:
        show_states(out, instance, states)
    return DONE


def _member_show(instance: Instance, a: Namespace) -> int:
    if "/" not in a.name:
        member = pick(instance.members, [a.name])[0]
        found = [m for m in instance.describe_members() if m["id"] == member.id]
        if a.json:
            print_json(found[0])
        else:
            out.print_json(data=found[0])
        return DONE
    source = instance.source(a.name)
    names = {s.name for s in instance.journal.states()}
    runs = instance.journal.runs(source.id) if source.id in names else []
    incidents = instance.journal.incidents(source.id)
    shown = {"source": source.id, "title": source.title, "runs": runs, "incidents": incidents}
    if a.json:
        print_json(shown)
        return DONE
    out.print(f"{source.id}: {source.title}", markup=False, style="bold")
    if source.folder is not None:
        out.print((source.folder / f"{source.name}.toml").read_text("utf-8"), markup=False)
    for r in runs:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(r.started))
        c = r.counts
        out.print(
            f"run {r.id}  {when}  {r.state}  read {c.read:,}  new {c.new:,}  gone {c.gone:,}  {r.why}",
            markup=False,
        )
    for i in incidents:
        out.print(f"incident {i.code}: {i.what}", style="yellow", markup=False)
    return DONE


def _member_test(instance: Instance, a: Namespace) -> int:
    if a.kind not in instance.kinds:
        raise UsageError(
            f"no kind {a.kind!r}", parameter="--kind", hint=f"one of {', '.join(instance.kinds)}"
        )
    report = instance.examine_target(a.target, kind=a.kind, member=a.member)
    if a.write is not None and report.proposal:
        a.write.write_text(report.proposal, "utf-8")
    if a.json:
        print_json(report)
    else:
        out.print(report.words(), markup=False)
        if a.write is None and report.proposal:
            out.print(report.proposal, markup=False)
    return DONE if report.good else NO


def _quarantine_list(instance: Instance, a: Namespace) -> int:
    rows = instance.journal.quarantined(a.source)
    groups: dict[tuple[str, str, str], list[Quarantined]] = {}
    for row in rows:
        groups.setdefault((row.source, row.code, row.field), []).append(row)
    found = [
        {
            "source": source,
            "code": code,
            "field": field,
            "rows": len(members),
            "reason": members[0].reason,
            "where": members[0].where,
            "example": members[0].raw[:400].decode("utf-8", "replace"),
        }
        for (source, code, field), members in sorted(groups.items(), key=lambda g: -len(g[1]))
    ]
    if a.json:
        print_json(found)
        return DONE
    if not found:
        out.print("nothing is quarantined")
    for one in found:
        out.print(f"{one['rows']:,} x {one['source']}: {one['reason']}", markup=False)
        out.print(f"    {one['where']}: {one['example']}", markup=False, style="dim")
    return DONE


def _quarantine_replay(instance: Instance, a: Namespace) -> int:
    waiting: dict[str, list[Quarantined]] = {}
    for row in instance.journal.quarantined(a.source):
        waiting.setdefault(row.source, []).append(row)
    done = []
    for name, rows in waiting.items():
        source = instance.source(name)
        kind = instance.kinds[source.kind]
        done.append(replay_quarantine(rows, source, journal=instance.journal, kind=kind))
    instance.follow()
    if a.json:
        for h in done:
            print_json(h)
    elif done:
        _show_harvest(done)
    else:
        out.print("nothing is quarantined")
    return DONE if all(h.quarantined == 0 for h in done) else NO


def _index_rebuild(instance: Instance, a: Namespace) -> int:
    parts = []
    started = time.monotonic()

    def report(member: str, kind: str, count: int) -> None:
        parts.append({"member": member, "kind": kind, "records": count})
        if not a.json:
            out.print(f"{member} {kind}: {count:,}")

    total = instance.rebuild(report)
    if a.json:
        print_json({"changes": total, "seconds": round(time.monotonic() - started, 2), "parts": parts})
    return DONE


def _index_follow(instance: Instance, a: Namespace) -> int:
    total = 0
    while True:
        total += instance.follow()
        ready, _, _ = select.select([sys.stdin], [], [], 0.2)
        if ready and not os.read(sys.stdin.fileno(), 4_096):
            break
    total += instance.follow()
    if a.json:
        print_json({"changes": total})
    return DONE


def _serve(instance: Instance, a: Namespace) -> int:
    settings = instance.settings
    instance.close()
    return _serve_on(settings, a)


def _serve_on(settings: Settings, a: Namespace) -> int:
    from granian import Granian
    from granian.constants import Interfaces

    host = a.host or settings.host
    port = a.port or settings.port
    workers = getattr(a, "workers", None) or settings.workers
    out.print(f"Landbridge at http://{host}:{port}/  (API: /api/v1, stop with Ctrl-C)")
    token = login.prepare(settings.data)
    if token is not None:
        out.print(f"operators: http://{host}:{port}/operate with the token in {token}")
    os.environ["LANDBRIDGE_DATA"] = str(settings.data)
    Granian(
        "landbridge.app:app",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        log_enabled=False,
        factory=False,
    ).serve()
    return DONE


def _demo(a: Namespace) -> int:
    with _demo_data() as data:
        env = {**os.environ, "LANDBRIDGE_DATA": str(data), "LANDBRIDGE_MEMBERS": str(WORLD)}
        env.pop("LANDBRIDGE_JOURNAL", None)
        env.pop("LANDBRIDGE_INDEX", None)
        settings = read_settings(env)
        instance = Instance(settings, folders=[WORLD])
        done = asyncio.run(
            instance.harvest(replay=[WORLD], at=datetime.combine(CLOCK, datetime.min.time(), UTC))
        )
        total = sum(h.new for h in done)
        out.print(f"A fictitious union of {len(instance.members)} members: {total:,} records.\n")
        for params in DEMO:
            line = " ".join(f"--{k} {v[0]}" if k != "q" else f'"{v[0]}"' for k, v in params.items())
            out.print(f"$ landbridge find {line}", style="bold", markup=False)
            query = parse({**params, "limit": ["5"]}, instance.kinds, rates=instance.rates)
            show_result(out, instance.find(query), instance, instance.kinds[query.kind])
            out.print()
        instance.close()
        if a.no_serve:
            return DONE
        tokens = demo.furnish(data, at=datetime.now(UTC))
        out.print("Papers to check, good and bad, lie on the page /verify. Offices to issue at, on /issue:")
        for office, token in tokens.items():
            out.print(f"  {office}  token {token}")
        out.print()
        os.environ.update({k: env[k] for k in ("LANDBRIDGE_DATA", "LANDBRIDGE_MEMBERS")})
        os.environ["LANDBRIDGE_DEMO"] = "1"
        return _serve_on(settings, a)


@contextlib.contextmanager
def _demo_data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="landbridge-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _export(instance: Instance, a: Namespace) -> int:
    names = [n for n in (a.in_ or "").split(",") if n]
    members = pick(instance.members, names) if names else [None]
    count = 0
    with contextlib.ExitStack() as stack:
        if a.output is not None:
            stream = stack.enter_context(a.output.open("w", encoding="utf-8", newline=""))
        else:
            stream = sys.stdout
        rows = csv.writer(stream) if a.format == "csv" else None
        for member in members:
            for record in instance.journal.records(member.id if member else "", a.kind):
                if rows is None:
                    stream.write(msgspec.json.encode(record).decode() + "\n")
                else:
                    flat = msgspec.to_builtins(record)
                    if count == 0:
                        rows.writerow(_CSV_COLUMNS)
                    rows.writerow([_cell(flat.get(c)) for c in _CSV_COLUMNS])
                count += 1
    if a.output is not None:
        err.print(f"{count:,} records in {a.output}")
    return DONE if count else NO


_CSV_COLUMNS = ("id", "kind", "member", "source", "language", "first_seen", "changed", "values")


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _backup(instance: Instance, a: Namespace) -> int:
    with tempfile.TemporaryDirectory(dir=a.file.resolve().parent) as folder:
        copy = Journal(Path(folder) / "journal.db", instance.kinds)
        rows = instance.journal.copy_to(copy)
        copy.close()
        partial = a.file.with_name(a.file.name + ".part")
        with tarfile.open(partial, "w") as tar:
            tar.add(Path(folder) / "journal.db", "journal.db")
            for name in _OWN:
                path = instance.settings.data / name
                if path.exists():
                    tar.add(path, name)
        partial.replace(a.file)
    operate.note_backup(instance.settings.data, a.file)
    size = a.file.stat().st_size
    if a.json:
        print_json({"file": str(a.file), "rows": rows, "bytes": size})
    else:
        out.print(f"{rows:,} rows, {size / 1e6:,.1f} MB in {a.file}")
    return DONE


_OWN = ("members", "kinds", "rates.toml")


def _restore(instance: Instance, a: Namespace) -> int:
    if not a.file.is_file():
        raise UsageError(f"{a.file} is not there", parameter="FILE")
    data = instance.settings.data
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data) as folder:
        try:
            with tarfile.open(a.file) as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise ConfigError(f"{a.file} is no backup of ours: {error}") from error
        if not (Path(folder) / "journal.db").exists():
            raise ConfigError(f"{a.file} holds no journal")
        for name in _OWN:
            path = Path(folder) / name
            if path.exists() and not (data / name).exists():
                shutil.move(path, data / name)
        saved = Journal(Path(folder) / "journal.db", instance.kinds)
        rows = saved.copy_to(instance.journal)
        saved.close()
    changes = instance.follow()
    if a.json:
        print_json({"rows": rows, "indexed": changes})
    else:
        out.print(f"{rows:,} rows restored, {changes:,} records indexed")
    return DONE


def _doctor(instance: Instance, a: Namespace) -> int:
    findings = instance.examine()
    if a.json:
        print_json(findings)
    else:
        for one in findings:
            mark = {"good": "[green]good[/]", "look": "[yellow]look[/]", "bad": "[red]bad [/]"}[one.state]
            out.print(f"{mark} {one.about}: ", end="")
            out.print(one.what, markup=False)
            if one.hint:
                out.print(f"     {one.hint}", markup=False)
    if any(f.state == "bad" for f in findings):
        return FAILED
    return NO if any(f.state == "look" for f in findings) else DONE


_ACTIONS: dict[str, Callable[..., int]] = {
    "find": _find,
    "occupation": _occupation,
    "harvest": _harvest,
    "member list": _member_list,
    "member show": _member_show,
    "member test": _member_test,
    "quarantine list": _quarantine_list,
    "quarantine replay": _quarantine_replay,
    "index rebuild": _index_rebuild,
    "index follow": _index_follow,
    "serve": _serve,
    "demo": _demo,
    "export": _export,
    "backup": _backup,
    "restore": _restore,
    "doctor": _doctor,
}
