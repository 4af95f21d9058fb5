"""What a verifier believes, from its own disk: the last verified copy of everything, and how old each part is."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from landbridge.errors import CredentialError
from landbridge.prove.status import StatusList, StatusLists
from landbridge.prove.status.hashes import HashList
from landbridge.prove.status.read import read_list
from landbridge.prove.status.shc import CardList
from landbridge.prove.trust import register, repository
from landbridge.prove.trust.list import Source, TrustList
from landbridge.prove.trust.material import Material, joined
from landbridge.prove.trust.policy import read_policy
from landbridge.prove.trust.read import to_list
from landbridge.prove.verify import Policy, Trust


def of_instance(data: Path, *, now: datetime | None, folders: Iterable[Path] = ()) -> Trust:
    """What the instance of this data directory believes: its store, the issuers its members' folders list (its own
    `members/`, and `folders` of members besides), and the ages it lets lists have (`trust.toml`)."""
    members = [path.parent for above in (*folders, data / "members") for path in above.glob("*/issues")]
    return load(data / "trust", now=now, members=members, policy=read_policy(data / "trust.toml"))


def load(
    folder: Path, *, now: datetime | None, members: Iterable[Path] = (), policy: Policy | None = None
) -> Trust:
    """The trust store in `folder`, and the issuers that members' own folders list (`xa/issues/*.toml`).

    With neither, a trust list of nobody. `now` is this device's clock, held against the newest time the store has
    seen signed; None where a time was asked for on purpose. Read again when a file has changed.
    Raises TrustRefused or TrustUnreadable for a store or a member's file that is damaged.
    """
    folders = tuple(sorted(members))
    issuers, lists, floor = _read(folder, _mark([folder]), folders, _mark(folders))
    return Trust(
        issuers=issuers,
        taken_back=lists,
        policy=policy or Policy(),
        floor=floor if now is not None else None,
    )


def _mark(folders: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """What tells that something changed: names, sizes and times of the few files that matter."""
    found = []
    for folder in folders:
        for name in ("current", repository.FLOOR):
            path = folder / name
            if path.is_file():
                found.append(_stamp(path))
        found.extend(_stamp(path) for path in sorted(folder.glob("issues/*")))
    return tuple(found)


def _stamp(path: Path) -> tuple[str, int, int]:
    stat = os.stat(path)
    return str(path), stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=4)
def _read(
    folder: Path, _stored: object, members: tuple[Path, ...], _listed: object
) -> tuple[TrustList, StatusLists, datetime | None]:
    own = [
        register.material_of_entry(entry, Source(name=member.name), name=f"{member.name}: {entry.title}")
        for member in members
        for entry in register.read_entries(member / "issues")
    ]
    if not (folder / "current").is_file():
        return to_list(joined(own)), StatusLists(), None
    held = repository.load(folder)
    issuers = held.issuers
    if own:
        issuers = to_list(joined([Material(signers=issuers.signers, authorities=issuers.authorities), *own]))
        issuers = TrustList(
            issuers.signers,
            issuers.authorities,
            known=issuers.known | held.issuers.known,
            names=(*issuers.names, *held.issuers.names),
            passed_over=held.issuers.passed_over,
        )
    return issuers, StatusLists(_lists(held, issuers)), held.floor


def _lists(held: repository.Held, issuers: TrustList) -> Iterator[StatusList]:
    """The lists that members published, each only about what is its member's own. A pack of rules is none."""
    for file in held.files:
        mine = [one for one in issuers.signers if one.source.name == file.source.name]
        countries = {one.issuer.territory for one in mine if one.issuer.territory}
        kids = {name for one in mine for name in one.ids}
        try:
            for found in read_list(file.data, issuers, name=file.name, believed=file.source):
                if isinstance(found, HashList) and found.country not in countries:
                    continue
                if isinstance(found, CardList) and found.kid not in kids:
                    continue
                yield found
        except CredentialError:
            continue
