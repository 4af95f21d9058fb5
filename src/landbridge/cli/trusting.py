"""What `trust` does on the command line: the list a verifier holds, and the repository it comes from."""

import os
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    load_pem_public_key,
)
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from landbridge.cli import DONE, NO
from landbridge.cli.given import passphrase, print_json
from landbridge.config import read_settings
from landbridge.errors import UsageError
from landbridge.prove.trust import register, repository, store
from landbridge.prove.trust.repository import Admitted

out = Console(highlight=False)
PASSPHRASE = "LANDBRIDGE_TRUST_PASSPHRASE"  # noqa: S105 the name of the setting


def run(arguments: Namespace) -> int:
    """The command a parsed line names."""
    return _ACTIONS[arguments.verb](arguments)


def _store() -> Path:
    return read_settings().data / "trust"


def _update(a: Namespace) -> int:
    root = _bytes(a.root) if a.root else None
    source = a.source if a.source.startswith(("http://", "https://")) else Path(a.source)
    updated = repository.update(_store(), source, now=datetime.now(UTC), root=root)
    if a.json:
        print_json(
            {
                "changed": updated.changed,
                "issued": updated.issued.isoformat(),
                "members": list(updated.members),
                "failed": dict(updated.failed),
            }
        )
    else:
        word = "brought up to date" if updated.changed else "nothing newer is there"
        out.print(f"{word}: {len(updated.members)} members, signed {updated.issued:%Y-%m-%d %H:%M} UTC")
        for member, reason in updated.failed.items():
            out.print(f"  [yellow]{escape(member)}[/]: {escape(reason)}; what it had published before stays")
    return NO if updated.failed else DONE


def _show(a: Namespace) -> int:
    """Every issuer believed here, for what, and how old the list is that says so."""
    now = datetime.now(UTC)
    trust = store.of_instance(read_settings().data, now=now)
    sources: list[dict[str, Any]] = []
    for source in trust.issuers.sources:
        age = (now - source.issued).total_seconds() / 86_400 if source.issued else None
        old = source.issued is not None and trust.policy.refuses("", now - source.issued)
        sources.append(
            {
                "list": source.name,
                "signed": source.issued.isoformat() if source.issued else None,
                "age_days": round(age, 2) if age is not None else None,
                "too_old": old or (source.expires is not None and source.expires < now),
                "keys": sum(one.source == source for one in trust.issuers.signers),
            }
        )
    issuers: list[dict[str, Any]] = [
        {
            "title": one.issuer.name,
            "id": one.issuer.id,
            "territory": one.issuer.territory,
            "kinds": sorted(one.kinds) if one.kinds is not None else None,
            "since": one.since.isoformat() if one.since else None,
            "until": one.until.isoformat() if one.until else None,
            "withdrawn": one.withdrawn.isoformat() if one.withdrawn else None,
            "key": one.ids[0] if one.ids else "",
            "list": one.source.name,
        }
        for one in trust.issuers.signers
    ]
    if a.json:
        print_json(
            {
                "lists": sources,
                "issuers": issuers,
                "status_lists": [one.uri for one in trust.taken_back.lists],
                "newest_signed_time": trust.floor.isoformat() if trust.floor else None,
                "passed_over": dict(trust.issuers.passed_over),
            }
        )
        return DONE if issuers else NO
    table = Table("list", "signed", "age", "keys")
    for row in sources:
        old_age = "not dated" if row["age_days"] is None else f"{row['age_days']} days"
        mark = f"[red]{old_age}: too old[/]" if row["too_old"] else old_age
        table.add_row(str(row["list"]), str(row["signed"] or "")[:16], mark, str(row["keys"]))
    out.print(table)
    table = Table("issuer", "country", "may issue", "key", "withdrawn")
    for row in issuers:
        kinds = "everything" if row["kinds"] is None else ", ".join(row["kinds"])
        table.add_row(
            row["title"] or row["id"], row["territory"], kinds, row["key"][:16], (row["withdrawn"] or "")[:10]
        )
    out.print(table)
    out.print(f"{len(trust.taken_back.lists)} lists of what was taken back")
    for name, reason in trust.issuers.passed_over:
        out.print(f"  not taken: {escape(name)}: {escape(reason)}")
    return DONE if issuers else NO


def _export(a: Namespace) -> int:
    written = repository.export(_store(), a.folder)
    if a.json:
        print_json({"files": written})
    else:
        out.print(f"{written} files written; elsewhere: landbridge trust update {a.folder}")
    return DONE


def _new_key(a: Namespace) -> int:
    if a.file.exists():
        raise UsageError(f"{a.file} is there already", parameter="FILE")
    pem = repository.new_key(passphrase(PASSPHRASE, a.file.name, new=True).encode())
    with open(os.open(a.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    public = repository.public_pem(pem, passphrase(PASSPHRASE, a.file.name).encode())
    a.file.with_suffix(".pub").write_bytes(public)
    out.print(f"{a.file} is to be kept; {a.file.with_suffix('.pub')} is to be handed over")
    return DONE


def _create(a: Namespace) -> int:
    root = repository.create(
        a.folder,
        {},
        officers=[_public(path) for path in a.officer],
        signers=[_private(path) for path in a.sign],
        online=_private(a.online),
        at=datetime.now(UTC),
        threshold=a.threshold,
    )
    (a.folder / "root.json").write_bytes(root)
    out.print(f"{a.folder / 'root.json'} is what every verifier is handed once, by a way it trusts")
    return DONE


def _admit(a: Namespace) -> int:
    repository.admit(
        a.folder,
        a.member,
        Admitted(_public(a.key), tuple(one for one in a.territories.split(",") if one)),
        signers=[_private(path) for path in a.sign],
        online=_private(a.online),
        at=datetime.now(UTC),
    )
    out.print(f"{a.member} may publish under its own key")
    return DONE


def _publish(a: Namespace) -> int:
    """A member's issuers (its TOML files, compiled) and its lists, all of them, signed by its own key."""
    now = datetime.now(UTC)
    entries: list[register.Entry] = []
    files: dict[str, bytes] = {}
    for path in a.files:
        if path.is_dir():
            entries.extend(register.read_entries(path))
        elif path.suffix == ".toml":
            entries.append(register.read_entry(_bytes(path).decode(), folder=path.parent, name=path.name)[0])
        else:
            files[path.name] = _bytes(path)
    if entries:
        files[repository.ISSUERS] = register.write_register(a.member, entries, issued=now)
    repository.publish(a.folder, a.member, files, signer=_private(a.key), online=_private(a.online), at=now)
    out.print(f"{a.member}: {len(entries)} issuers and {len(files) - bool(entries)} further files are signed")
    return DONE


def _timestamp(a: Namespace) -> int:
    repository.refresh_timestamp(a.folder, _private(a.online), at=datetime.now(UTC))
    out.print("signed: nothing newer is there")
    return DONE


def _private(path: Path) -> CryptoSigner:
    return repository.read_key(_bytes(path), passphrase(PASSPHRASE, path.name).encode())


def _public(path: Path) -> SSlibKey:
    try:
        return SSlibKey.from_crypto(load_pem_public_key(_bytes(path)))
    except ValueError:
        raise UsageError(f"{path} is no public key in PEM", parameter="PUB") from None


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(f"{path} is not a file", parameter="FILE")
    return path.read_bytes()


_ACTIONS = {
    "update": _update,
    "show": _show,
    "export": _export,
    "key": _new_key,
    "create": _create,
    "admit": _admit,
    "publish": _publish,
    "timestamp": _timestamp,
}
