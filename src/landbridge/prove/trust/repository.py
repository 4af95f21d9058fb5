"""The trust list between machines: a TUF repository with a delegation a member, over the network or on a stick.

The Update Framework 1.0.34. Roles: `root` and `targets` are signed by two of three officers, whose keys stay offline;
`targets` hands `xa/*` to member xa's own key, terminating, so that nobody else can write there; `snapshot` and
`timestamp` are signed by the repository's own key. A member's folder holds `issuers.json` (`register.py`) and, by the
names it likes, lists of withdrawn credentials and packs of rules.

Every signed file says when it was `issued`. What a verifier holds is as old as the last time that both vouched for
it: the repository, by its timestamp, and the member, until its own signature runs out. A repository or member that
stops signing does not make the copy at hand unreadable: it makes it old, and `verify.Policy` says what age means.
Over the network a timestamp that ran out is refused (somebody holds updates back); a stick is judged as of the moment
its timestamp was signed.

The store of a verifier: `current` names the generation in use (`7/metadata`, `7/targets`), written whole before it
is named; `newest-signed-time` is the newest time anything signed has shown, and only grows.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
from securesystemslib.signer import Key as PublicTufKey  # type: ignore[attr-defined]
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import (  # type: ignore[attr-defined]
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from landbridge.errors import CredentialError
from landbridge.prove.facts import Issuer
from landbridge.prove.trust import register
from landbridge.prove.trust.list import Source, TrustList
from landbridge.prove.trust.material import Material, joined
from landbridge.prove.trust.read import to_list

ISSUERS = "issuers.json"
FLOOR, _CURRENT = "newest-signed-time", "current"
_MEMBER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_OWN_ROLES = frozenset({"root", "targets", "snapshot", "timestamp"})
_MAX_TARGET = 64 * 1024 * 1024
_MAX_TARGETS = 1_000
_MAX_MEMBERS = 1_000
_TIMEOUT, _DEADLINE, _CHUNK = 20.0, 120.0, 65_536
ROOT_LASTS, TARGETS_LAST = timedelta(days=365), timedelta(days=90)
MEMBER_LASTS, TIMESTAMP_LASTS = timedelta(days=7), timedelta(days=1)
_TOLERANCE = timedelta(minutes=5)
_DAMAGE = (RepositoryError, OSError, ValueError, KeyError, TypeError, AttributeError)
_TELL = "Try again later, or tell the secretariat."
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class TrustRefused(CredentialError):
    """A repository that must not be followed, or cannot be; the copy at hand stays in use.

    `code`: `frozen`, `rolled-back`, `signature-wrong`, `altered`, `too-large`, `unreachable`, `no-root`, `no-store`.
    """

    step = "trust"


class Admitted(msgspec.Struct, frozen=True):
    """A member as the officers admit it: its key, and the countries its issuers may be of (none: any)."""

    key: PublicTufKey
    territories: tuple[str, ...] = ()


class HeldFile(msgspec.Struct, frozen=True):
    """A file of a member beside its issuers: a list of withdrawn credentials, a pack of rules."""

    member: str
    name: str
    data: bytes
    source: Source


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds, verified down from its root."""

    issuers: TrustList
    files: tuple[HeldFile, ...]
    members: Mapping[str, Source]
    """Each member's list: when both it and the repository last vouched for it, and the end it set itself."""
    issued: datetime | None
    """The time of the repository's timestamp."""
    floor: datetime | None


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """What an update brought. `failed` are members whose files could not be taken, with the reason: their earlier
    files stay, where there were any."""

    changed: bool
    issued: datetime
    members: tuple[str, ...]
    failed: Mapping[str, str]


# Keys: Ed25519, PKCS #8 in PEM under a passphrase.


def new_key(passphrase: bytes) -> bytes:
    """A private key to keep, PEM. Raises ValueError for an empty passphrase."""
    if not passphrase:
        raise ValueError("a key of the trust list is kept under a passphrase")
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )


def read_key(pem: bytes, passphrase: bytes) -> CryptoSigner:
    """Raises TrustRefused where the passphrase or the file is wrong."""
    try:
        return CryptoSigner(load_pem_private_key(pem, passphrase))
    except (ValueError, TypeError):
        raise TrustRefused(
            "this key cannot be opened", code="key-refused", hint="Check the passphrase and the file."
        ) from None


def public_pem(pem: bytes, passphrase: bytes) -> bytes:
    """The public half of a key, PEM: what is handed to the officers. Raises TrustRefused as `read_key` does."""
    read_key(pem, passphrase)
    private = load_pem_private_key(pem, passphrase)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


# The repository's side.


def create(
    folder: Path,
    members: Mapping[str, Admitted],
    *,
    officers: Sequence[PublicTufKey],
    signers: Sequence[CryptoSigner],
    online: CryptoSigner,
    at: datetime,
    threshold: int = 2,
) -> bytes:
    """A new repository; gives its root, which every verifier must be handed once by a way it trusts.

    `officers` are all the keys of root and targets (three), `signers` those who sign now (at least `threshold`).
    """
    for part in ("metadata", "targets"):
        (folder / part).mkdir(parents=True, exist_ok=False)
    root = Root(expires=_whole(at + ROOT_LASTS), consistent_snapshot=True, unrecognized_fields=_issued(at))
    _set_keys(root, officers, online.public_key, threshold)
    root_bytes = _write(folder, "root", root, signers)
    targets = Targets(expires=_whole(at + TARGETS_LAST), unrecognized_fields=_issued(at))
    targets.delegations = Delegations({}, {})
    for member, admitted in members.items():
        _delegate(targets, member, admitted)
    _write(folder, "targets", targets, signers)
    _take_snapshot(folder, online, at)
    return root_bytes


def admit(
    folder: Path,
    member: str,
    admitted: Admitted,
    *,
    signers: Sequence[CryptoSigner],
    online: CryptoSigner,
    at: datetime,
) -> None:
    """A member joins, or gets a new key (which must then sign its folder anew)."""
    targets = _newest(folder, "targets").signed
    _delegate(targets, member, admitted)
    _sign_targets(folder, targets, signers, online, at)


def dismiss(
    folder: Path, member: str, *, signers: Sequence[CryptoSigner], online: CryptoSigner, at: datetime
) -> None:
    """A member leaves: nothing in its folder is believed from the next update on."""
    targets = _newest(folder, "targets").signed
    role = targets.delegations.roles.pop(member)
    for keyid in role.keyids:
        if not any(keyid in other.keyids for other in targets.delegations.roles.values()):
            targets.delegations.keys.pop(keyid, None)
    _sign_targets(folder, targets, signers, online, at)


def renew(folder: Path, *, signers: Sequence[CryptoSigner], online: CryptoSigner, at: datetime) -> None:
    """The officers sign root and targets for another year and another quarter."""
    _sign_root(folder, _newest(folder, "root").signed, signers, at)
    _sign_targets(folder, _newest(folder, "targets").signed, signers, online, at)


def change_keys(
    folder: Path,
    *,
    officers: Sequence[PublicTufKey],
    signers: Sequence[CryptoSigner],
    online: CryptoSigner,
    at: datetime,
    threshold: int = 2,
) -> bytes:
    """New officers, or a new key of the repository itself: signed by enough of the old officers and of the new."""
    root = _newest(folder, "root").signed
    for role in _OWN_ROLES:
        for keyid in tuple(root.roles[role].keyids):
            root.revoke_key(keyid, role)
    _set_keys(root, officers, online.public_key, threshold)
    written = _sign_root(folder, root, signers, at)
    _sign_targets(folder, _newest(folder, "targets").signed, signers, online, at)
    return written


def publish(
    folder: Path,
    member: str,
    files: Mapping[str, bytes],
    *,
    signer: CryptoSigner,
    online: CryptoSigner,
    at: datetime,
    lasts: timedelta = MEMBER_LASTS,
) -> None:
    """A member's folder as it is to be from now on: `files` by name, all of them.

    Raises TrustRefused for a name outside the folder, an `issuers.json` that is wrong or another member's, a key
    that is not this member's, and too large a file.
    """
    delegations = _newest(folder, "targets").signed.delegations
    if delegations is None or member not in delegations.roles:
        raise TrustRefused(f"{member!r} is no member here", code="unknown-member", hint="Admit it first.")
    if signer.public_key.keyid not in delegations.roles[member].keyids:
        raise TrustRefused(f"this key is not that of member {member!r}", code="signature-wrong")
    targets = Targets(
        version=_version(folder, member) + 1, expires=_whole(at + lasts), unrecognized_fields=_issued(at)
    )
    for name, data in files.items():
        if not _NAME.fullmatch(name):
            raise TrustRefused(f"{name[:80]!r} is not a plain file name", code="name-refused")
        if len(data) > _MAX_TARGET:
            raise TrustRefused(f"{name} has {len(data)} bytes (at most {_MAX_TARGET})", code="too-large")
        if name == ISSUERS and register.read_register(data, Source(name=name))[0] != member:
            raise TrustRefused(f"this {ISSUERS} is not that of member {member!r}", code="altered")
        target = TargetFile.from_data(f"{member}/{name}", data, ["sha256"])
        targets.targets[target.path] = target
        _write_whole(folder / "targets" / member / f"{target.hashes['sha256']}.{name}", data)
    _write(folder, member, targets, [signer])
    _take_snapshot(folder, online, at)


def refresh_timestamp(
    folder: Path, online: CryptoSigner, *, at: datetime, lasts: timedelta = TIMESTAMP_LASTS
) -> None:
    """Says, with the time, that nothing newer is there: to be done well before the last one runs out."""
    _take_snapshot(folder, online, at, lasts=lasts)


# The verifier's side.


def update(store: Path, source: str | Path, *, now: datetime, root: bytes | None = None) -> Updated:
    """Brings a store up to date from an `http(s)://` address or from a folder (a stick).

    `root` is the repository's root as it was handed over by a way one trusts; needed the first time only.
    Raises TrustRefused, and then nothing has changed.
    """
    newest = floor(store)
    if newest is not None and now < newest - _TOLERANCE:
        raise _set_back(newest, now)
    with closing(_fetcher(source)) as fetcher, _generation(store) as (folder, before):
        metadata = folder / "metadata"
        known = _root_bytes(metadata)
        if known is None and root is None:
            raise TrustRefused(
                "this store has no root to check the repository against",
                code="no-root",
                hint="Hand over the repository's root once: landbridge trust update SOURCE --root FILE.",
            )
        stick = isinstance(fetcher, _Folder)
        as_of = min(now, fetcher.said_issued() or now) if isinstance(fetcher, _Folder) else now
        try:
            updater = Updater(
                str(metadata),
                "metadata/",
                str(folder / "targets"),
                "targets/",
                fetcher=fetcher,
                config=UpdaterConfig(max_delegations=_MAX_MEMBERS),
                bootstrap=known or root,
            )
            # Expiry is judged by the caller's clock; a stick's by the moment it was written.
            updater._trusted_set.reference_time = as_of
            updater.refresh()
            timestamp = _read(metadata / "timestamp.json", Timestamp)
            issued = _issued_of(timestamp)
            if issued is None:
                raise TrustRefused(
                    "the repository does not say when it was signed", code="altered", hint=_TELL
                )
            if issued > now + _TOLERANCE:
                raise _set_back(issued, now)
            if stick and issued < as_of:
                raise TrustRefused(
                    "the time this stick states is not the one that was signed", code="altered", hint=_TELL
                )
        except (RepositoryError, DownloadError, OSError, ValueError, KeyError) as wrong:
            raise _refused(wrong) from None
        # A member that stopped signing is told by its age, and takes nobody else with it.
        updater._trusted_set.reference_time = _LONG_AGO
        members, failed = _fetch_members(updater, folder, before)
        _drop_strangers(folder, members)
        changed = before is None or _newer(folder, before)
        _raise_floor(store, (issued,))
    return Updated(changed=changed, issued=issued, members=tuple(members), failed=failed)


def load(store: Path) -> Held:
    """What a store holds, verified again from its root down, whatever its age; the clock plays no part.

    Raises TrustRefused with the code `no-store` where nothing was ever fetched, and `altered` where the copy on this
    disk is not what was signed.
    """
    folder = _current(store)
    if folder is None:
        raise TrustRefused(
            "no trust list was ever fetched",
            code="no-store",
            hint="Fetch one with `landbridge trust update`.",
        )
    try:
        return _load(store, folder)
    except _DAMAGE as wrong:
        raise TrustRefused(
            f"the trust list on this disk is not as it was signed ({type(wrong).__name__})",
            code="altered",
            hint="Fetch it again with `landbridge trust update`.",
        ) from None


def export(store: Path, folder: Path) -> int:
    """The store as a repository again, onto a stick; gives how many files were written. Raises TrustRefused."""
    held = _current(store)
    if held is None:
        raise TrustRefused(
            "there is nothing to export yet", code="no-store", hint="Fetch it with `landbridge trust update`."
        )
    load(store)  # What goes onto a stick is what was signed.
    metadata, out = held / "metadata", folder / "metadata"
    written = 0
    for file in (metadata / "root_history").glob("*.root.json"):
        _write_whole(out / file.name, file.read_bytes())
        written += 1
    snapshot = _read(metadata / "snapshot.json", Snapshot)
    for name in ("snapshot", "targets", *_delegated(metadata)):
        listed = name in ("snapshot", "targets") or f"{name}.json" in snapshot.meta
        path = metadata / f"{quote(name, '')}.json"
        if not listed or not path.is_file():
            continue
        signed: Any = Metadata.from_bytes(path.read_bytes()).signed
        if name not in ("snapshot", "targets"):
            if signed.version != snapshot.meta[f"{name}.json"].version:
                continue  # Kept from an earlier update: it does not belong to this state.
            written += _export_targets(held, folder, signed)
        _write_whole(out / f"{signed.version}.{quote(name, '')}.json", path.read_bytes())
        written += 1
    # Last: a stick pulled out too early holds an older state or none, never a mixed one.
    _write_whole(out / "timestamp.json", (metadata / "timestamp.json").read_bytes())
    return written + 1


def _export_targets(held: Path, folder: Path, signed: Targets) -> int:
    for path, target in signed.targets.items():
        data = (held / "targets" / quote(path, "")).read_bytes()
        target.verify_length_and_hashes(data)
        member, _, name = path.partition("/")
        _write_whole(folder / "targets" / member / f"{next(iter(target.hashes.values()))}.{name}", data)
    return len(signed.targets)


def floor(store: Path) -> datetime | None:
    """The newest time anything signed has shown this store: a clock that shows less was set back."""
    try:
        found = datetime.fromisoformat((store / FLOOR).read_text("ascii").strip())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo else None


def raise_floor(store: Path, *signed_times: datetime) -> datetime | None:
    """Adds times of what was just verified (a status list, a believed credential); the floor never sinks."""
    store.mkdir(parents=True, exist_ok=True)
    return _raise_floor(store, signed_times)


# Inside.


class _Reader(FetcherInterface):
    """Reads one file at a time; what is given up half-way is closed with the next one, or at the end."""

    opened: Any = None

    def close(self) -> None:
        if self.opened is not None:
            self.opened.close()
            self.opened = None

    def read_on(self, opened: Any, url: str) -> Iterator[bytes]:
        until = monotonic() + _DEADLINE
        self.opened = opened
        while chunk := opened.read(_CHUNK):
            if monotonic() > until:
                raise DownloadError(f"{url} takes longer than {_DEADLINE:.0f} seconds")
            yield chunk
        self.close()


class _Folder(_Reader):
    """A repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.close()
        path = (self.folder / url).resolve()
        if not path.is_relative_to(self.folder) or not path.is_file():
            raise DownloadHTTPError(f"{url} is not there", 404)
        return self.read_on(path.open("rb"), url)

    def said_issued(self) -> datetime | None:
        """When its timestamp claims to be signed; believed once its signature was checked."""
        try:
            with (self.folder / "metadata/timestamp.json").open("rb") as file:
                return _issued_of(Metadata.from_bytes(file.read(_CHUNK)).signed)
        except (OSError, ValueError, RepositoryError, KeyError):
            return None


class _Web(_Reader):
    """A repository behind an address. Redirects may lead to http and https only; a file that drips is given up."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/") + "/"
        self.opener = OpenerDirector()
        for handler in (
            ProxyHandler(),
            HTTPHandler(),
            HTTPSHandler(),
            HTTPRedirectHandler(),
            HTTPErrorProcessor(),
            HTTPDefaultErrorHandler(),
        ):
            self.opener.add_handler(handler)

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.close()
        request = Request(self.base + url, headers={"User-Agent": "Landbridge"})  # noqa: S310
        try:
            response = self.opener.open(request, timeout=_TIMEOUT)
        except HTTPError as wrong:
            wrong.close()
            raise DownloadHTTPError(f"{url}: answer {wrong.code}", wrong.code) from None
        if response is None:
            raise DownloadError(f"{url}: its address leads to no http")
        return self.read_on(response, url)


def _fetcher(source: str | Path) -> _Folder | _Web:
    if isinstance(source, str) and urlsplit(source).scheme in ("http", "https"):
        return _Web(source)
    folder = Path(source)
    if not folder.is_dir():
        raise TrustRefused(
            f"{folder.name} is no folder that could be opened",
            code="unreachable",
            hint="Give an address (https://…) or the folder of a stick.",
        )
    return _Folder(folder)


@contextmanager
def _generation(store: Path) -> Iterator[tuple[Path, Path | None]]:
    """A new generation beside the one in use, named as current only when everything in it was taken."""
    store.mkdir(parents=True, exist_ok=True)
    before = _current(store)
    number = 1 + max((int(one.name) for one in store.iterdir() if one.name.isdigit()), default=0)
    folder = store / str(number)
    try:
        folder.mkdir()
    except FileExistsError:
        raise TrustRefused(
            "another update of this store is running", code="busy", hint="Wait for it."
        ) from None
    try:
        before = _copy_sound(store, before, folder)
        yield folder, before
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _write_whole(store / _CURRENT, folder.name.encode())
    for old in store.iterdir():
        if old.name.isdigit() and old not in (folder, before):
            shutil.rmtree(old, ignore_errors=True)


def _copy_sound(store: Path, before: Path | None, folder: Path) -> Path | None:
    """Copies the generation in use, or of a damaged one its roots as far as they hold; gives what was copied whole."""
    (folder / "metadata").mkdir()
    (folder / "targets").mkdir()
    if before is None:
        return None
    try:
        _load(store, before)
    except _DAMAGE:
        try:
            root = _chain_of_roots(before / "metadata")
        except _DAMAGE:
            return None
        shutil.copytree(before / "metadata/root_history", folder / "metadata/root_history")
        (folder / "metadata/root.json").symlink_to(f"root_history/{root.version}.root.json")
        return None
    for part in ("metadata", "targets"):
        shutil.copytree(before / part, folder / part, symlinks=True, dirs_exist_ok=True)
    return before


def _current(store: Path) -> Path | None:
    try:
        folder = store / (store / _CURRENT).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return folder if folder.name.isdigit() and folder.is_dir() else None


def _root_bytes(metadata: Path) -> bytes | None:
    try:
        return (metadata / "root.json").read_bytes()
    except OSError:
        return None


def _fetch_members(updater: Updater, folder: Path, before: Path | None) -> tuple[list[str], dict[str, str]]:
    members: list[str] = []
    failed: dict[str, str] = {}
    metadata = folder / "metadata"
    published = _read(metadata / "snapshot.json", Snapshot).meta
    for member in _delegated(metadata):
        members.append(member)
        own = metadata / f"{member}.json"
        if own.name not in published:
            continue
        try:
            updater.get_targetinfo(f"{member}/{ISSUERS}")
            paths = _read(own, Targets).targets
            if len(paths) > _MAX_TARGETS:
                raise RepositoryError(f"more than {_MAX_TARGETS} files")
            for path in paths:
                info = updater.get_targetinfo(path) if path.startswith(f"{member}/") else None
                if info is None:
                    continue
                if info.length > _MAX_TARGET:
                    raise RepositoryError(f"{path} has {info.length} bytes")
                if updater.find_cached_target(info) is None:
                    updater.download_target(info)
        except (RepositoryError, DownloadError, OSError, ValueError, KeyError) as wrong:
            failed[member] = _refused(wrong).args[0]
            _keep_earlier(member, folder, before)
    return members, failed


def _keep_earlier(member: str, folder: Path, before: Path | None) -> None:
    for part, pattern in (("metadata", f"{member}.json"), ("targets", f"{member}%2F*")):
        for file in (folder / part).glob(pattern):
            file.unlink()
        for file in (before / part).glob(pattern) if before is not None else ():
            shutil.copy2(file, folder / part / file.name)


def _drop_strangers(folder: Path, members: Iterable[str]) -> None:
    """What no admitted member's signature names any more."""
    wanted: set[str] = set()
    for member in members:
        own = folder / "metadata" / f"{member}.json"
        if own.is_file():
            wanted |= {quote(path, "") for path in _read(own, Targets).targets}
    for file in (folder / "targets").iterdir():
        if file.name not in wanted:
            file.unlink()
    keep = {f"{name}.json" for name in (*_OWN_ROLES, *members)}
    for file in (folder / "metadata").iterdir():
        if file.suffix == ".json" and file.name not in keep:
            file.unlink()


def _load(store: Path, folder: Path) -> Held:
    metadata = folder / "metadata"
    root = _chain_of_roots(metadata)
    timestamp = _verified(root, metadata, "timestamp", Timestamp)
    snapshot = _verified(root, metadata, "snapshot", Snapshot)
    targets = _verified(root, metadata, "targets", Targets)
    if (
        snapshot.version != timestamp.snapshot_meta.version
        or targets.version != snapshot.meta["targets.json"].version
    ):
        raise RepositoryError("metadata of two different states")
    confirmed = _issued_of(timestamp)
    material: list[Material] = []
    files: list[HeldFile] = []
    members: dict[str, Source] = {}
    owners: dict[str | bytes, str] = {}
    for member in _delegated(metadata):
        if not (metadata / f"{member}.json").is_file():
            material.append(
                Material(
                    passed_over=((member, "it has published nothing yet, or nothing that could be taken"),)
                )
            )
            continue
        own = _verified(targets, metadata, member, Targets)
        newest = snapshot.meta[f"{member}.json"].version
        # Kept from an earlier update: it is as old as its own signature.
        issued = min(confirmed, own.expires) if confirmed and own.version == newest else _issued_of(own)
        source = Source(name=member, issued=issued)
        for path, target in own.targets.items():
            name = path.removeprefix(f"{member}/")
            if name == path or "/" in name:
                continue
            data = (folder / "targets" / quote(path, "")).read_bytes()
            target.verify_length_and_hashes(data)
            if name != ISSUERS:
                files.append(HeldFile(member, name, data, source))
                continue
            part, source = _issuers_of(member, data, source, _territories(targets, member), owners)
            material.append(part)
        members[member] = source
    return Held(
        issuers=to_list(joined(material)),
        files=tuple(files),
        members=members,
        issued=confirmed,
        floor=floor(store),
    )


def _issuers_of(
    member: str,
    data: bytes,
    source: Source,
    territories: frozenset[str],
    owners: dict[str | bytes, str],
) -> tuple[Material, Source]:
    """A member's issuers, without those of countries that are not its own, and without names and keys that a member
    admitted before it has listed: nobody lists keys for another's laboratory, or withdraws another's key."""
    place = f"{member}/{ISSUERS}"
    try:
        whose, _, expires, found = register.read_register(data, source)
    except CredentialError as wrong:
        return Material(passed_over=((place, str(wrong)),)), source
    if whose != member:
        return Material(passed_over=((place, f"it is the list of {whose!r}"),)), source
    source = Source(name=source.name, issued=source.issued, expires=expires)
    named = {one.id for one in found.names}
    passed_over: list[tuple[str, str]] = []

    def refused(issuer: Issuer, key: bytes = b"") -> bool:
        reason = ""
        if territories and issuer.territory not in territories:
            reason = f"{issuer.territory or 'no country'} is not a country of this member"
        else:
            for mark, what in ((issuer.id if issuer.id in named else "", issuer.id), (key, "its key")):
                if mark and owners.setdefault(mark, member) != member:
                    reason = f"{what} is listed by {owners[mark]} already"
        if reason:
            passed_over.append((place, f"{issuer.name}: {reason}"))
        return bool(reason)

    names = tuple(one for one in found.names if not refused(one))
    return Material(
        signers=tuple(one for one in found.signers if not refused(one.issuer, one.spki)),
        authorities=tuple(one for one in found.authorities if not refused(one.issuer, one.certificate.spki)),
        known=found.known & {one.id for one in names},
        names=names,
        passed_over=tuple(dict.fromkeys(passed_over)),
    ), source


def _chain_of_roots(metadata: Path) -> Root:
    """From the first root this store was given to the newest, each signed by the one before."""
    files = sorted(
        (metadata / "root_history").glob("*.root.json"), key=lambda one: int(one.name.partition(".")[0])
    )
    trusted: Root | None = None
    for file in files:
        found = Metadata[Root].from_bytes(file.read_bytes())
        for authority in (trusted, found.signed):
            if authority is not None:
                authority.verify_delegate("root", found.signed_bytes, found.signatures)
        if trusted is not None and found.signed.version != trusted.version + 1:
            raise RepositoryError("a root is missing")
        trusted = found.signed
    if trusted is None:
        raise RepositoryError("no root")
    return trusted


def _verified(authority: Root | Targets, metadata: Path, role: str, kind: type[Any]) -> Any:
    found = Metadata.from_bytes((metadata / f"{quote(role, '')}.json").read_bytes())
    if not isinstance(found.signed, kind):
        raise RepositoryError(f"{role}.json is of another role")
    authority.verify_delegate(role, found.signed_bytes, found.signatures)
    return found.signed


def _delegated(metadata: Path) -> tuple[str, ...]:
    delegations = _read(metadata / "targets.json", Targets).delegations
    roles = delegations.roles if delegations is not None and delegations.roles is not None else {}
    return tuple(name for name in roles if _MEMBER.fullmatch(name) and name not in _OWN_ROLES)[:_MAX_MEMBERS]


def _territories(targets: Targets, member: str) -> frozenset[str]:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    said = targets.delegations.roles[member].unrecognized_fields.get("territories", [])
    return frozenset(one for one in said if isinstance(one, str))


def _newer(folder: Path, before: Path) -> bool:
    here, there = (_read(one / "metadata/timestamp.json", Timestamp).version for one in (folder, before))
    return bool(here != there)


def _read(path: Path, kind: type[Any]) -> Any:
    signed = Metadata.from_bytes(path.read_bytes()).signed
    if not isinstance(signed, kind):
        raise RepositoryError(f"{path.name} is of another role")
    return signed


def _refused(wrong: Exception) -> TrustRefused:
    code, message, hint = (
        "altered",
        "the repository's files do not fit each other",
        _TELL,
    )
    match wrong:
        case ExpiredMetadataError():
            code = "frozen"
            message = "the repository has not been signed in time: it is stopped, or updates are held back"
        case UnsignedMetadataError():
            code, message = (
                "signature-wrong",
                "a file of the repository is not signed by the keys it should be",
            )
        case BadVersionNumberError():
            code, message = (
                "rolled-back",
                "the repository shows an older state than one seen before, or a mixed one",
            )
        case DownloadLengthMismatchError():
            code, message = "too-large", "a file of the repository is larger than it was signed to be"
        case LengthOrHashMismatchError():
            code, message = "altered", "a file of the repository is not what was signed"
        case DownloadError() | OSError():
            code, message = "unreachable", f"the repository cannot be read: {str(wrong)[:200]}"
            hint = "Check the address and the connection, or bring the list on a stick."
    return TrustRefused(message, code=code, hint=hint)


def _set_back(seen: datetime, now: datetime) -> TrustRefused:
    return TrustRefused(
        f"your clock shows {now.isoformat()}, and something was signed at {seen.isoformat()} already",
        code="clock-set-back",
        hint="Set the clock of this device.",
    )


def _raise_floor(store: Path, signed_times: Iterable[datetime]) -> datetime | None:
    newest = max((one for one in (floor(store), *signed_times) if one is not None), default=None)
    if newest is not None and newest != floor(store):
        _write_whole(store / FLOOR, newest.astimezone(UTC).isoformat().encode())
    return newest


def _set_keys(root: Root, officers: Sequence[PublicTufKey], online: PublicTufKey, threshold: int) -> None:
    for key in officers:
        root.add_key(key, "root")
        root.add_key(key, "targets")
    for role in ("snapshot", "timestamp"):
        root.add_key(online, role)
    root.roles["root"].threshold = root.roles["targets"].threshold = threshold


def _delegate(targets: Targets, member: str, admitted: Admitted) -> None:
    if not _MEMBER.fullmatch(member) or member in _OWN_ROLES:
        raise TrustRefused(f"{member!r} is not a member's name (xa, altania-labs)", code="name-refused")
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    targets.delegations.keys[admitted.key.keyid] = admitted.key
    targets.delegations.roles[member] = DelegatedRole(
        member,
        [admitted.key.keyid],
        1,
        terminating=True,
        paths=[f"{member}/*"],
        unrecognized_fields={"territories": sorted(admitted.territories)} if admitted.territories else {},
    )


def _sign_root(folder: Path, root: Root, signers: Sequence[CryptoSigner], at: datetime) -> bytes:
    root.version += 1
    root.expires = _whole(at + ROOT_LASTS)
    root.unrecognized_fields = _issued(at)
    return _write(folder, "root", root, signers)


def _sign_targets(
    folder: Path, targets: Targets, signers: Sequence[CryptoSigner], online: CryptoSigner, at: datetime
) -> None:
    targets.version += 1
    targets.expires = _whole(at + TARGETS_LAST)
    targets.unrecognized_fields = _issued(at)
    _write(folder, "targets", targets, signers)
    _take_snapshot(folder, online, at)


def _take_snapshot(
    folder: Path, online: CryptoSigner, at: datetime, *, lasts: timedelta = TIMESTAMP_LASTS
) -> None:
    delegations = _newest(folder, "targets").signed.delegations
    names = {f"{member}.json" for member in delegations.roles} if delegations is not None else set()
    if _version(folder, "snapshot"):
        # What was listed once stays listed (section 5.5.5): also the folder of a member that left.
        names |= _newest(folder, "snapshot").signed.meta.keys()
    versions = {name: _version(folder, name.removesuffix(".json")) for name in {*names, "targets.json"}}
    meta = {name: MetaFile(number) for name, number in sorted(versions.items()) if number}
    version = _version(folder, "snapshot") + 1
    snapshot = Snapshot(
        version=version,
        expires=_whole(at + max(lasts, MEMBER_LASTS)),
        meta=meta,
        unrecognized_fields=_issued(at),
    )
    _write(folder, "snapshot", snapshot, [online])
    timestamp = Timestamp(
        version=_version(folder, "timestamp") + 1,
        expires=_whole(at + lasts),
        snapshot_meta=MetaFile(version),
        unrecognized_fields=_issued(at),
    )
    _write(folder, "timestamp", timestamp, [online])


def _write(folder: Path, role: str, signed: Any, signers: Sequence[CryptoSigner]) -> bytes:
    metadata: Metadata[Any] = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    data = metadata.to_bytes(JSONSerializer(compact=True))
    name = f"{role}.json" if role == "timestamp" else f"{signed.version}.{role}.json"
    _write_whole(folder / "metadata" / name, data)
    return data


def _version(folder: Path, role: str) -> int:
    if role == "timestamp":
        path = folder / "metadata/timestamp.json"
        return int(_read(path, Timestamp).version) if path.is_file() else 0
    found = (one.name.partition(".") for one in (folder / "metadata").glob(f"*.{role}.json"))
    return max((int(number) for number, _, rest in found if rest == f"{role}.json"), default=0)


def _newest(folder: Path, role: str) -> Metadata[Any]:
    version = _version(folder, role)
    if not version:
        raise TrustRefused(f"{folder.name} is no repository of trust", code="no-store")
    return Metadata.from_bytes((folder / "metadata" / f"{version}.{role}.json").read_bytes())


def _write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing, also when the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _issued(at: datetime) -> dict[str, Any]:
    return {"issued": _whole(at).isoformat().replace("+00:00", "Z")}


def _issued_of(signed: Any) -> datetime | None:
    said = signed.unrecognized_fields.get("issued")
    try:
        found = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
