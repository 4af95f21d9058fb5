"""What `issue` and `status` do on the command line: an office signs, numbers, logs and takes back."""

import json
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
from landbridge.cli.given import passphrase, print_json
from landbridge.config import read_settings
from landbridge.errors import UsageError
from landbridge.kinds.kind import LANGUAGES
from landbridge.portal import papers
from landbridge.portal.languages import Reader, reader
from landbridge.prove.issue import batch, documents, log, sheet
from landbridge.prove.issue.office import Office, Profile, make_token, read_profile
from landbridge.prove.qr import CannotBeCoded
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
    return Office(folder, passphrase(PASSPHRASE, "an office's keys"))


def _found(a: Namespace) -> int:
    profile = Profile(
        title=a.title,
        id=a.id,
        country=a.country.upper(),
        kinds=tuple(one for one in a.kinds.split(",") if one),
        status=a.status,
    )
    office = Office.found(
        _folder(a.office),
        profile,
        passphrase(PASSPHRASE, "an office's keys", new=True),
        at=datetime.now(UTC),
        algorithm=a.algorithm,
        key_days=a.key_days,
    )
    return _show_office(office, a, token=make_token(office.folder))


def _new_token(a: Namespace) -> int:
    read_profile(_folder(a.office))
    token = make_token(_folder(a.office))
    if a.json:
        print_json({"office": a.office, "token": token})
    else:
        _say_token(token)
    return DONE


def _say_token(token: str) -> None:
    err.print("\nThe token of its officers and systems, said this once:\n")
    sys.stdout.write(token + "\n")


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
        days=a.key_days,
    )
    return _show_office(office, a)


def _show(a: Namespace) -> int:
    return _show_office(_open(a), a)


def _show_office(office: Office, a: Namespace, *, token: str = "") -> int:
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
        print_json(
            {
                "office": a.office,
                "profile": msgspec.to_builtins(office.profile),
                "keys": keys,
                "log": head,
                "trust_entry": office.trust_entry(),
                "jwks": office.jwks(),
                **({"token": token} if token else {}),
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
    if token:
        _say_token(token)
    return DONE


def _log(a: Namespace) -> int:
    """Whether a credential is in the log, and the proof; or that the log still begins with what it was."""
    folder = _folder(a.office)
    read_profile(folder)
    office = Office(folder, "")  # the log is open to whoever may read the folder
    leaves = office.leaves()
    answer: dict[str, Any] = {"size": len(leaves), "root": log.root(leaves).hex()}
    holds = True
    if a.since is not None or a.root:
        answer |= _extension(leaves, a.since, a.root)
        holds = answer["extends"]
    if a.file:
        seq = office.find(_bytes(a.file))
        answer["entry"] = seq
        if seq is not None:
            answer |= {
                "leaf": leaves[seq].hex(),
                "proof": [one.hex() for one in log.inclusion(leaves, seq)],
            }
        holds = holds and seq is not None
    if a.json:
        print_json(answer)
        return DONE if holds else NO
    out.print(f"log: {answer['size']} signed, root {answer['root']}")
    if "extends" in answer:
        words = "it begins with those" if answer["extends"] else "it does NOT begin with those: ask why"
        out.print(f"since {a.since} entries with root {a.root[:16]}…: {words}")
    if a.file:
        out.print(
            "NOT in the log: whoever signed it did not do so here"
            if answer["entry"] is None
            else f"in the log: entry {answer['entry']}"
        )
    for name, part in (("leaf", [answer.get("leaf")]), ("proof", answer.get("proof", []))):
        for one in filter(None, part):
            out.print(f"  {name} {one}")
    return DONE if holds else NO


def _extension(leaves: list[bytes], since: int | None, root: str | None) -> dict[str, Any]:
    if since is None or not root:
        raise UsageError("--since and --root go together", parameter="", hint="Note both when you look.")
    try:
        old = bytes.fromhex(root)
    except ValueError:
        raise UsageError("--root is 64 hexadecimal digits", parameter="--root") from None
    if not 0 < since <= len(leaves):
        return {"since": since, "extends": False, "consistency": []}
    proof = log.consistency(leaves, since)
    extends = log.extends(since, old, len(leaves), log.root(leaves), proof)
    return {"since": since, "extends": extends, "consistency": [one.hex() for one in proof]}


def _sign(a: Namespace) -> int:
    words = _reader(a.lang)
    case = _object(sys.stdin.read() if str(a.file) == "-" else _text(a.file), "FILE")
    office = _open(a)
    issued = office.issue(
        a.format,
        a.kind,
        case,
        at=datetime.now(UTC),
        days=a.days,
        conceal=tuple(one for one in a.conceal.split(",") if one) if a.conceal is not None else None,
        holder=_object(_text(a.holder), "--holder") if a.holder else None,
    )
    # The text first: it is signed and logged, whatever becomes of pictures.
    if a.json:
        print_json(msgspec.to_builtins(issued))
    else:
        sys.stdout.write(issued.text + "\n")
        place = "" if issued.place is None else f", number {issued.place} in the status list"
        err.print(f"signed: entry {issued.seq} of the log{place}, valid until {issued.expires:%Y-%m-%d}")
    if a.qr:
        _write_code(a.qr, issued.code)
    if a.sheet:
        cards = [papers.card(case, issued, office.profile.title, words)]
        a.sheet.write_text(
            papers.render(cards, paper=a.paper, title=office.profile.title, reader=words), "utf-8"
        )
    return DONE


def _batch(a: Namespace) -> int:
    words = _reader(a.lang)
    documents.check_format(a.format, a.kind)
    rows = batch.read_table(a.file, a.kind)
    office = _open(a)
    a.out.mkdir(parents=True, exist_ok=True)
    done: list[batch.Row] = []
    refused: list[batch.Row] = []
    uncoded = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("signing", total=len(rows))
        for row in batch.issue_table(office, a.format, a.kind, rows, at=datetime.now(UTC), days=a.days):
            progress.advance(task)
            if row.issued is None:
                refused.append(row)
                continue
            done.append(row)
            stem = a.out / f"{row.issued.seq:07}"
            stem.with_suffix(".txt").write_text(row.issued.text, "utf-8")
            try:
                _write_code(stem.with_suffix(".png"), row.issued.code)
            except CannotBeCoded:
                uncoded += 1
    errors = a.errors or a.out / "errors.csv"
    if refused:
        batch.write_refused(errors, refused)
    if done:
        batch.write_numbers(a.out, done)
    if a.sheet and done:
        title = office.profile.title
        cards = [papers.card(row.values, row.issued, title, words) for row in done if row.issued]
        a.sheet.write_text(papers.render(cards, paper=a.paper, title=title, reader=words), "utf-8")
    if a.json:
        print_json(
            {
                "signed": len(done),
                "without_code": uncoded,
                "refused": [{"line": row.number, "reason": row.reason} for row in refused],
            }
        )
    else:
        out.print(f"{len(done)} signed, {len(refused)} refused")
        if uncoded:
            out.print(f"  {uncoded} fit no QR code: hand over the text files")
        for row in refused[:10]:
            out.print(f"  line {row.number}: {escape(row.reason)}")
        if refused:
            out.print(f"  mend them in {errors}, and hand it in again")
    return NO if refused else DONE


def _reader(language: str) -> Reader:
    if language not in LANGUAGES:
        raise UsageError(
            f"no sheets are written in {language!r}", parameter="--lang", hint=", ".join(LANGUAGES)
        )
    return reader(language)


def _write_code(path: Path, code: str) -> None:
    if path.suffix.lower() == ".svg":
        path.write_text(sheet.svg(code), "utf-8")
    else:
        path.write_bytes(sheet.png(code))


def _set_status(a: Namespace) -> int:
    folder = _folder(a.office)
    read_profile(folder)
    office = Office(folder, "")  # nothing is signed before the list is published
    office.take_back(a.place, at=datetime.now(UTC), value=a.value)
    if a.json:
        print_json({"place": a.place, "status": a.value})
    else:
        out.print(f"number {a.place} is {a.value}; publish the list for others to learn it")
    return DONE


def _publish(a: Namespace) -> int:
    office = _open(a)
    a.out.mkdir(parents=True, exist_ok=True)
    made = []
    for uri, data in office.publish_status(at=datetime.now(UTC), days=a.days).items():
        file = a.out / uri.removeprefix("https://").replace(":", "-")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        made.append({"put_at": uri, "file": str(file), "bytes": len(data)})
    if a.json:
        print_json(made)
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
        print_json(found)
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


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(f"{path} is not a file", parameter="FILE")
    return path.read_bytes()


def _object(text: str, parameter: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as wrong:
        raise UsageError(f"this is no JSON: {wrong}", parameter=parameter) from None
    if not isinstance(found, dict):
        raise UsageError("this is not one JSON object", parameter=parameter)
    return found


_ACTIONS = {
    "issue office": _found,
    "issue key": _new_key,
    "issue token": _new_token,
    "issue log": _log,
    "issue sign": _sign,
    "issue batch": _batch,
    "issue show": _show,
    "status set": _set_status,
    "status publish": _publish,
    "status show": _show_lists,
}
