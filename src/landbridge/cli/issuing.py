"""What `issue` and `status` do on the command line: an office signs, numbers, logs and takes back."""

import getpass
import json
import os
import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from landbridge.cli import DONE, NO
from landbridge.config import read_settings
from landbridge.errors import UsageError
from landbridge.prove import qr
from landbridge.prove.issue import batch, sheet
from landbridge.prove.issue.office import Issued, Office, Profile, read_profile
from landbridge.prove.status.read import read_lists
from landbridge.prove.trust.list import TrustList
from landbridge.prove.trust.read import read_trust
from landbridge.prove.verdict import written

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
PASSPHRASE = "LANDBRIDGE_ISSUE_PASSPHRASE"  # noqa: S105 the name of the setting


def run(arguments: Namespace) -> int:
    """The command a parsed line names."""
    return _ACTIONS[f"{arguments.command} {arguments.verb}"](arguments)


def offices() -> Path:
    """The folder of all offices of this instance."""
    return read_settings().data / "offices"


def _folder(name: str) -> Path:
    return offices() / name


def _open(a: Namespace) -> Office:
    folder = _folder(a.office)
    read_profile(folder)
    return Office(folder, _passphrase())


def _passphrase(*, new: bool = False) -> str:
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"set {PASSPHRASE}: the keys of an office open with a passphrase", parameter="")
    given = getpass.getpass("Passphrase of the office's keys: ")
    if new and getpass.getpass("Once more: ") != given:
        raise UsageError("the two are not the same", parameter="")
    return given


def _found(a: Namespace) -> int:
    profile = Profile(
        title=a.title,
        id=a.id,
        country=a.country.upper(),
        kinds=tuple(one for one in a.kinds.split(",") if one),
        status=a.status,
    )
    office = Office.found(
        _folder(a.office), profile, _passphrase(new=True), at=datetime.now(UTC), algorithm=a.algorithm
    )
    return _show_office(office, a)


def _new_key(a: Namespace) -> int:
    office = _open(a)
    now = datetime.now(UTC)
    name = now.strftime("%Y-%m-%d-%H%M%S")
    office.keys.generate(
        name,
        country=office.profile.country,
        organisation=office.profile.title,
        algorithm=a.algorithm,
        kinds=office.profile.kinds,
        at=now,
    )
    return _show_office(Office(office.folder, _passphrase()), a)


def _show(a: Namespace) -> int:
    return _show_office(_open(a), a)


def _show_office(office: Office, a: Namespace) -> int:
    now = datetime.now(UTC)
    head, current = office.head(at=now), office.keys.current
    keys: list[dict[str, Any]] = [
        {
            "name": name,
            "signs": name == current,
            "kid": certificate.kid,
            "until": certificate.not_after.isoformat(),
        }
        for name, certificate in office.keys.certificates()
    ]
    if a.json:
        _print_json(
            {
                "office": a.office,
                "profile": msgspec.to_builtins(office.profile),
                "keys": keys,
                "log": head,
                "trust_entry": office.trust_entry(),
                "jwks": office.jwks(),
            }
        )
        return DONE
    out.print(f"[bold]{escape(office.profile.title)}[/]  {escape(office.profile.id)}")
    table = Table("key", "kid", "good until", "")
    for key in keys:
        table.add_row(key["name"], key["kid"], key["until"][:10], "signs" if key["signs"] else "")
    out.print(table)
    out.print(f"log: {head['size']} signed, root {head['root'][:16]}…")
    out.print("\nWhat the trust list needs, for members/xx/issues/ of its member:\n")
    sys.stdout.write(office.trust_entry())
    return DONE


def _sign(a: Namespace) -> int:
    text = sys.stdin.read() if str(a.file) == "-" else _text(a.file)
    try:
        case = json.loads(text)
    except ValueError as wrong:
        raise UsageError(f"{a.file} is no JSON: {wrong}", parameter="FILE") from None
    if not isinstance(case, dict) or not all(isinstance(one, str | int) for one in case.values()):
        raise UsageError("a case is one JSON object of texts", parameter="FILE")
    office = _open(a)
    issued = office.issue(
        a.format,
        a.kind,
        {name: str(value) for name, value in case.items()},
        at=datetime.now(UTC),
        days=a.days,
        conceal=tuple(one for one in a.conceal.split(",") if one) if a.conceal is not None else None,
        holder=json.loads(_text(a.holder)) if a.holder else None,
    )
    if a.qr:
        _write_code(a.qr, issued.code)
    if a.sheet:
        a.sheet.write_text(_sheet(office, [(case, issued)], a), "utf-8")
    if a.json:
        _print_json(msgspec.to_builtins(issued))
    else:
        sys.stdout.write(issued.text + "\n")
        place = "" if issued.place is None else f", number {issued.place} in the status list"
        err.print(f"signed: entry {issued.seq} of the log{place}, valid until {issued.expires:%Y-%m-%d}")
    return DONE


def _batch(a: Namespace) -> int:
    rows = batch.read_table(a.file, a.kind)
    office = _open(a)
    a.out.mkdir(parents=True, exist_ok=True)
    done: list[tuple[dict[str, str], Issued]] = []
    refused: list[batch.Row] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("signing", total=len(rows))
        for row in batch.issue_table(office, a.format, a.kind, rows, at=datetime.now(UTC), days=a.days):
            progress.advance(task)
            if row.issued is None:
                refused.append(row)
                continue
            stem = f"{row.number:06}"
            (a.out / f"{stem}.txt").write_text(row.issued.text, "utf-8")
            if row.issued.code and len(row.issued.code) < _LONGEST_CODE:
                _write_code(a.out / f"{stem}.png", row.issued.code)
            done.append((row.values, row.issued))
    if refused:
        batch.write_refused(a.errors or a.out / "errors.csv", refused)
    if a.sheet and done:
        a.sheet.write_text(_sheet(office, done, a), "utf-8")
    if a.json:
        _print_json(
            {
                "signed": len(done),
                "refused": [{"line": row.number, "reason": row.reason} for row in refused],
            }
        )
    else:
        out.print(f"{len(done)} signed, {len(refused)} refused")
        for row in refused[:10]:
            out.print(f"  line {row.number}: {escape(row.reason)}")
        if refused:
            out.print(f"  mend them in {a.errors or a.out / 'errors.csv'}, and hand it in again")
    return NO if refused else DONE


_LONGEST_CODE = 1_600  # characters of a code that a telephone still reads off paper


def _sheet(office: Office, done: list[tuple[dict[str, Any], Issued]], a: Namespace) -> str:
    cards = [
        sheet.Card(
            heading=" ".join(str(case[part]) for part in ("given_names", "surname") if part in case),
            code=issued.code,
            lines=(
                *(
                    (name.replace("_", " "), str(value))
                    for name, value in case.items()
                    if name not in ("given_names", "surname")
                ),
                ("valid until", f"{issued.expires:%Y-%m-%d}"),
                ("issued by", office.profile.title),
            ),
        )
        for case, issued in done
    ]
    return sheet.render(
        cards, paper=a.paper, title=office.profile.title, note="Valid only when its code is checked."
    )


def _write_code(path: Path, code: str) -> None:
    if path.suffix.lower() == ".svg":
        path.write_text(qr.svg(code), "utf-8")
    else:
        path.write_bytes(qr.png(code))


def _set_status(a: Namespace) -> int:
    office = _open(a)
    office.take_back(a.place, at=datetime.now(UTC), value=a.value)
    if a.json:
        _print_json({"place": a.place, "status": a.value})
    else:
        out.print(f"number {a.place} is {a.value}; publish the list for others to learn it")
    return DONE


def _publish(a: Namespace) -> int:
    office = _open(a)
    a.out.mkdir(parents=True, exist_ok=True)
    made = []
    for uri, data in office.publish_status(at=datetime.now(UTC), days=a.days).items():
        name = uri.removeprefix("https://").replace("/", "-").replace(":", "-")
        (a.out / name).write_bytes(data)
        made.append({"put_at": uri, "file": str(a.out / name), "bytes": len(data)})
    if a.json:
        _print_json(made)
    else:
        for one in made:
            out.print(f"{one['file']} ({one['bytes']} bytes) is to be found at {one['put_at']}")
    return DONE


def _show_lists(a: Namespace) -> int:
    given = [path for group in a.trust for path in group]
    issuers = read_trust(given) if given else TrustList()
    found: list[dict[str, Any]] = [
        {
            "uri": one.uri,
            "mechanism": one.mechanism,
            "dated": written(one.source),
            "expires": one.source.expires.isoformat() if one.source.expires else None,
            "signed_by": one.signer.issuer.id if one.signer else "",
        }
        for one in read_lists(a.files, issuers).lists
    ]
    if a.json:
        _print_json(found)
    else:
        table = Table("list", "mechanism", "good until", "signed by")
        for row in found:
            table.add_row(str(row["dated"]), row["mechanism"], row["expires"] or "", row["signed_by"])
        out.print(table)
    return DONE if found else NO


def _text(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path} is not a file", parameter="FILE")
    return path.read_text("utf-8-sig")


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


_ACTIONS = {
    "issue office": _found,
    "issue key": _new_key,
    "issue sign": _sign,
    "issue batch": _batch,
    "issue show": _show,
    "status set": _set_status,
    "status publish": _publish,
    "status show": _show_lists,
}
