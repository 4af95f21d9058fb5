"""Credentials packed so that they fit a code: DIVOC's ZIP, and PixelPass's base45 of zlib of JSON or CBOR.

Unpacked before any format is asked; what is not packed, or holds no text, stays as it is.
"""

import io
import json
import re
import zipfile
import zlib

from landbridge.errors import CredentialError
from landbridge.prove.carrier import Carried
from landbridge.prove.cose import MAPS, read_cbor
from landbridge.prove.formats.hcert import from_base45
from landbridge.prove.verdict import plain

_ZIP = b"PK\x03\x04"
_MAX_UNPACKED = 1_000_000
_MAX_MEMBERS = 8
_MIN_PACKED = 60
_BASE45 = re.compile(r"[0-9A-Z $%*+\-./:]+")


def unpack(carried: Carried) -> tuple[Carried, ...]:
    """The texts within, each with its place; else `carried` itself."""
    if carried.data[:4] == _ZIP:
        return _unzipped(carried) or (carried,)
    text = carried.text
    if text is not None and len(text) >= _MIN_PACKED and text[3:4] != ":" and _BASE45.fullmatch(text):
        inside = _from_pixels(text)
        if inside is not None:
            return (Carried(text=inside, data=inside.encode(), place=carried.place, media=carried.media),)
    return (carried,)


def _unzipped(carried: Carried) -> tuple[Carried, ...]:
    found: list[Carried] = []
    try:
        with zipfile.ZipFile(io.BytesIO(carried.data)) as packed:
            for member in packed.infolist()[:_MAX_MEMBERS]:
                if member.filename[-1:] in ("", "/") or member.file_size > _MAX_UNPACKED:
                    continue
                with packed.open(member) as file:
                    data = file.read(_MAX_UNPACKED + 1)
                if len(data) <= _MAX_UNPACKED:
                    text = data.decode("utf-8-sig").strip()
                    place = f"{carried.place}, {member.filename[:60]}"
                    found.append(Carried(text=text, data=data, place=place, media=carried.media))
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError, OSError):
        return ()
    return tuple(found)


def _from_pixels(text: str) -> str | None:
    """JSON out of base45 and zlib; of CBOR, the same object written as JSON."""
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(from_base45(text), _MAX_UNPACKED)
        if not inflater.eof:
            return None
        if data[:1] in (b"{", b"["):
            return data.decode("utf-8")
        item = read_cbor(data)
        return json.dumps(plain(item), ensure_ascii=False) if isinstance(item, MAPS) else None
    except (CredentialError, zlib.error, ValueError):
        return None
