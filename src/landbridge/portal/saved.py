"""Saved searches without an account: a question as a short token, and the tokens that a reader keeps in a cookie.

Nothing is stored here. A token is the question itself: its first character names the codec and the dictionary,
the rest is base64url of the deflated question and a checksum. Tokens are read for ever: a codec or dictionary that
has given tokens away never changes, a better one gets a new first character.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final
from urllib.parse import parse_qsl, quote

from landbridge.errors import NotFound, UsageError

COOKIE: Final = "searches"
KEPT: Final = 12  # searches on one device
LONGEST: Final = 1_500  # characters of a token
_MOST: Final = 4_000  # bytes of a question
_FIELDS: Final = 200
_COOKIE: Final = 3_500  # characters; browsers take 4,096 with the name and attributes
_CHECK: Final = 3  # bytes

_PAGE = frozenset({"cursor", "limit", "facets", "explain", "snippets"})  # say how an answer is shown
_DEFAULTS = {"kind": "vacancy", "currency": "EUR", "period": "month", "radius": "30"}
_PARTED = frozenset({"in", "lang", "source", "unknown"})  # codes, so that a comma parts them
_ORDER = ("q", "kind", "in", "place", "radius", "pay", "currency", "period", "sort")  # then by name
_PLAIN = frozenset("-_.~,:;/@!*'()\"$")  # stand in a question as they are
_SHAPE = re.compile(rf"[A-Za-z0-9_-]{{{2 + _CHECK},{LONGEST}}}")

# The end of a dictionary is the cheapest to refer to. First given away in version 0.2: do not change.
_WORDS: Final = (
    b"&explain=1&region=&city=&category=&industry=isco-08:esco:http://data.europa.eu/esco/occupation/"
    b"&experience=&education=&skills=&languages=&country=RU,KZ,CN,BY,KG,UZ,AM,TJ,TM,AZ,GE,MN,VN,TH,ID,MY,SG,PH,KH,"
    b"LA,MM,BN,TL,IN,PK,TR,IR,DE,FR,SE,NO,FI,GB,US&source=asean/boards/"
    b"&contract=self-employed&contract=apprenticeship&contract=volunteer&contract=project&contract=agency"
    b"&contract=internship&contract=seasonal&contract=temporary&contract=fixed-term&contract=permanent"
    b"&hours=irregular&hours=weekend&hours=night&hours=rotation&hours=shift&hours=flexible&hours=part-time"
    b"&hours=full-time&remote=on-site&remote=hybrid&remote=remote&employer=&occupation="
    b"&unknown=since&unknown=place&unknown=pay&since=24h&since=30d&since=7d&period=hour&period=day&period=year"
    b"&kind=candidate&currency=USD&currency=CNY&currency=KZT&currency=RUB&radius=10&radius=100&radius=50"
    b"&lang=kk,ky,en,ru&sort=distance&sort=relevance&sort=pay&in=cn,vn,th,id,my,sg,ph,by,kg,uz,kz,ru"
    b"q=&in=&place=&pay=&sort=date"
)


def save(params: Mapping[str, Sequence[str]]) -> str:
    """The token of a question; of what comes to the same, the same. Raises UsageError for one that is too long."""
    text = written(params)
    if len(text.encode()) > _MOST:
        raise UsageError("this search is too long to save", hint="fewer words or filters")
    packed = [(first, _deflate(data)) for first, data in _encoded(text)]
    first, best = min(packed, key=lambda one: (len(one[1]), one[0]))
    token = first + base64.urlsafe_b64encode(best + _check(first, text)).decode().rstrip("=")
    if len(token) > LONGEST:
        raise UsageError("this search is too long to save", hint="fewer words or filters")
    return token


def open_saved(token: str) -> dict[str, list[str]]:
    """The question of a token. Raises NotFound for one that was cut or altered, or is none of ours.

    What it holds was never checked: it goes through the same parser as an address that somebody typed.
    """
    wrong = NotFound("this saved search is cut or altered", hint="copy its whole address, or save it again")
    if not _SHAPE.fullmatch(token):
        raise wrong
    first, body = token[0], token[1:]
    if first not in _CODECS:
        raise NotFound(
            f"a saved search that begins with {first!r} is of a newer version", hint="save it again here"
        )
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        text = _decode(first, _inflate(data[:-_CHECK]))
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=_FIELDS
        )
    except (ValueError, binascii.Error, zlib.error):
        raise wrong from None
    spelt = base64.urlsafe_b64encode(data).decode().rstrip("=")
    if data[-_CHECK:] != _check(first, text) or spelt != body:
        raise wrong
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def written(params: Mapping[str, Sequence[str]]) -> str:
    """A question in its canonical order, without what says nothing or only how the answer is shown."""
    kept: dict[str, list[str]] = {}
    for name, values in params.items():
        if name in _PAGE:
            continue
        parts = [p for v in values for p in (v.split(",") if name in _PARTED else (v,))]
        parts = [" ".join(p.split()) for p in parts]
        if known := list(dict.fromkeys(p for p in parts if p and p != _DEFAULTS.get(name))):
            kept[name] = known
    if "place" not in kept:
        kept.pop("radius", None)
    if "pay" not in kept:
        kept.pop("period", None)
    pairs = []
    for name in sorted(kept, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n)):
        values = [",".join(sorted(kept[name]))] if name in _PARTED else kept[name]
        pairs += [f"{_spelt(name)}={_spelt(value)}" for value in values]
    return "&".join(pairs)


def kept(cookie: str) -> list[str]:
    """The tokens in a cookie, the newest first; whatever else it holds is passed over."""
    found: list[str] = []
    for token in cookie[:4_096].split("."):
        if token in found or len(found) == KEPT:
            continue
        try:
            open_saved(token)
        except NotFound:
            continue
        found.append(token)
    return found


def keep(cookie: str, token: str) -> str:
    """The cookie with one search more; the oldest go where there is no room. Raises NotFound for no token."""
    open_saved(token)
    tokens = [token, *(one for one in kept(cookie) if one != token)][:KEPT]
    while len(tokens) > 1 and len(".".join(tokens)) > _COOKIE:
        tokens.pop()
    return ".".join(tokens)


def forget(cookie: str, token: str) -> str:
    """The cookie without this search."""
    return ".".join(one for one in kept(cookie) if one != token)


def _spelt(text: str) -> str:
    """Letters of any script as they are; of the rest what would be misread is percent-encoded."""
    return "".join(
        c if c in _PLAIN or c.isalnum() or (not c.isascii() and c.isprintable()) else quote(c, "")
        for c in text
    ).replace("%20", "+")


def _check(first: str, text: str) -> bytes:
    return blake2b((first + text).encode(), digest_size=_CHECK).digest()


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return packer.compress(data) + packer.flush()


def _inflate(data: bytes) -> bytes:
    """Raises ValueError for what is cut, goes on, or would become large."""
    unpacker = zlib.decompressobj(-15, _WORDS)
    plain = unpacker.decompress(data, _MOST + 1)
    if len(plain) > _MOST or not unpacker.eof or unpacker.unused_data:
        raise ValueError("not one small text")
    return plain


# Deflate knows no alphabets: a letter of two or three bytes costs it two or three letters. So the text comes first
# as one byte a letter where its alphabet allows.
_CODECS: Final = {"A": "utf-8", "B": "window", "C": "ptcp154", "D": "gb18030"}


def _encoded(text: str) -> Iterator[tuple[str, bytes]]:
    """The text in each codec that gives it back."""
    for first, codec in _CODECS.items():
        try:
            data = _window(text) if codec == "window" else text.encode(codec)
            if _decode(first, data) == text:
                yield first, data
        except ValueError:
            continue


def _decode(first: str, data: bytes) -> str:
    """Raises ValueError for bytes that are no text."""
    codec = _CODECS[first]
    if codec != "window":
        return data.decode(codec)
    start = data[0] << 5 if data else 0
    return "".join(chr(b if b < 128 else start + b - 128) for b in data[1:])


def _window(text: str) -> bytes:
    """ASCII and 128 characters of one alphabet, which begins where the first byte says. Raises ValueError."""
    start = min((ord(c) for c in text if not c.isascii()), default=0) >> 5
    return bytes([start, *(ord(c) if c.isascii() else 128 + ord(c) - (start << 5) for c in text)])
