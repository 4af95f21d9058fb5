"""A member: who takes part. One folder a member: member.toml and what it shares, issues and demands."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from landbridge import codes
from landbridge.errors import ConfigError, LandbridgeError, NotFound
from landbridge.find.source import Source, read_source
from landbridge.kinds.kind import Kind

SHIPPED = Path(__file__).parent


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes part: a state, city, chamber, laboratory, or a union of them."""

    name: str
    countries: tuple[str, ...]
    id: str = ""
    kind_of: str = "state"
    label: dict[str, str] = {}
    url: str = ""
    contact: str = ""
    languages: tuple[str, ...] = ()
    about: str = ""
    sources: dict[str, Source] = {}
    folder: Path | None = None
    broken: dict[str, str] = {}  # source name → why its file cannot be used


def read_member(folder: Path, kinds: dict[str, Kind]) -> Member:
    """A member from its folder. A source file that cannot be used does not take the others with it."""
    path = folder / "member.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        member = msgspec.convert({**data, "id": folder.name}, Member)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path.parent.name}/member.toml: {error}") from error
    for country in member.countries:
        if codes.country(country) != country:
            raise ConfigError(f"{folder.name}/member.toml: {country!r} is no ISO 3166-1 alpha-2 code")
    found: dict[str, Source] = {}
    broken: dict[str, str] = {}
    for file in sorted((folder / "shares").glob("*.toml")):
        try:
            source = read_source(file, kinds, member=folder.name)
        except LandbridgeError as error:
            broken[file.stem] = str(error)
            continue
        if not source.country and len(member.countries) == 1:
            source = msgspec.structs.replace(source, country=member.countries[0])
        found[source.name] = source
    return msgspec.structs.replace(member, sources=found, folder=folder, broken=broken)


def read_members(folders: Iterable[Path], kinds: dict[str, Kind]) -> dict[str, Member]:
    """All members in these folders; a later folder wins over an earlier one of the same name."""
    members: dict[str, Member] = {}
    for above in folders:
        for path in sorted(above.glob("*/member.toml")):
            members[path.parent.name] = read_member(path.parent, kinds)
    return members


def pick(members: dict[str, Member], names: Sequence[str]) -> list[Member]:
    """The members that these identifiers or country codes mean; all when there are none. Raises NotFound."""
    if not names:
        return list(members.values())
    found: dict[str, Member] = {}
    for name in names:
        country = codes.country(name)
        hits = [
            m for m in members.values() if m.id == name.casefold() or (country and country in m.countries)
        ]
        if not hits:
            known = ", ".join(members) or "none yet"
            raise NotFound(f"no member {name!r}", hint=f"members here: {known}")
        found.update((m.id, m) for m in hits)
    return list(found.values())
