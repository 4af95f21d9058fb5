"""Archives and compressed files → the files inside them, bounded so that a bomb stops early.

gzip (RFC 1952), bzip2, xz and zip. Sizes that an archive claims are never believed: what is decoded is counted.
"""

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from landbridge.errors import Broken

CAP = 2 * 2**30  # decoded bytes of one file
RATIO = 200  # decoded to packed; gzip of plain text reaches 30, of very repetitive JSON 100
_FREE = 64 * 2**20  # the ratio counts only beyond this many bytes
WHOLE = 512 * 2**20  # what may be held in memory at once
CHUNK = 2**18
_MEMBERS = 10_000
_LAYERS = 3

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of .xls


_STREAM_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
_ZIP_ERRORS = (
    *_STREAM_ERRORS,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    struct.error,
)


class Part(NamedTuple):
    """One file: its name (empty where it came alone) and how its bytes are read, again and again."""

    name: str
    chunks: Callable[[], Iterator[bytes]]
    whole: bytes | Path | None = None  # where the bytes lie unpacked already
    size: int = 0  # bytes, as the archive claims
    is_book: bool = False  # a workbook, which is a zip archive of its own


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": _Gzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=2**28),
}


def packed_as(head: bytes) -> str:
    """gzip, bzip2, xz, zip, or nothing, by the first bytes."""
    return next((what for magic, what in _MAGIC.items() if head.startswith(magic)), "")


def unpack(data: bytes | Path, name: str, *, cap: int = CAP) -> list[Part]:
    """The files in `data`: one, or each member of a zip archive.

    A file that decodes to more than `cap` bytes, or to an absurd multiple of its size, raises Broken that
    names the cap, as soon as it is passed; a cut one gives the bytes before the cut, then raises Broken.
    """

    def first() -> Iterator[bytes]:
        return read_chunks(data)

    part = Part("", first, data)
    for _ in range(_LAYERS):
        what = packed_as(_peek(part.chunks))
        if not what:
            return [part]
        if what == "zip":
            return _members(part, name, cap)
        part = Part("", _inflated(part.chunks, what, name, cap))
    raise Broken(name, f"is packed more than {_LAYERS} times", hint="give the file itself")


def read_chunks(data: bytes | Path) -> Iterator[bytes]:
    """The bytes of a file or a buffer, piece by piece."""
    if isinstance(data, bytes):
        yield from (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
        return
    with data.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def gather(chunks: Iterator[bytes], name: str, what: str, cap: int = WHOLE) -> tuple[bytes, Broken | None]:
    """All bytes at once, and the Broken that ended them early, if any. More than `cap` raises Broken."""
    out: list[bytes] = []
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > cap:
                break
            out.append(chunk)
    except Broken as cut:
        return b"".join(out), cut
    if size > cap:
        raise Broken(name, f"{what} of more than {cap >> 20} MB", hint="ask for NDJSON, CSV, or pages")
    return b"".join(out), None


def hold_back(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes or more, and all of the bytes again; a Broken comes in its own place."""
    kept: list[bytes] = []
    seen = 0
    try:
        for chunk in chunks:
            kept.append(chunk)
            seen += len(chunk)
            if seen >= size:
                break
    except Broken as cut:
        return b"".join(kept), _then_raise(kept, cut)
    return b"".join(kept), chain(kept, chunks)


def _then_raise(kept: list[bytes], cut: Broken) -> Iterator[bytes]:
    yield from kept
    raise cut


def _peek(chunks: Callable[[], Iterator[bytes]]) -> bytes:
    return hold_back(chunks(), 8)[0]


def _inflated(
    chunks: Callable[[], Iterator[bytes]], what: str, name: str, cap: int
) -> Callable[[], Iterator[bytes]]:
    return lambda: _inflate(chunks(), what, name, cap)


def _inflate(chunks: Iterator[bytes], what: str, name: str, cap: int) -> Iterator[bytes]:
    magic = next(m for m, w in _MAGIC.items() if w == what)
    decoder: _Decoder | None = None
    taken = made = 0
    for packed in chunks:
        taken += len(packed)
        rest = packed
        while rest:
            if decoder is None:
                # further members follow each other; zeros pad a tape or a disk block
                rest = rest.lstrip(b"\0") if made else rest
                if not rest:
                    break
                if not rest.startswith(magic[: len(rest)]):
                    return
                decoder = _DECODERS[what]()
            try:
                out, rest = decoder.decompress(rest, CHUNK), b""
                while out:
                    made += len(out)
                    _check(made, taken, name, cap)
                    yield out
                    out = b"" if decoder.eof else decoder.decompress(b"", CHUNK)
            except _STREAM_ERRORS as error:
                raise Broken(name, f"the {what} data is damaged after {made:,} decoded bytes") from error
            if decoder.eof:
                rest, decoder = decoder.unused_data, None
    if decoder is not None:
        raise Broken(name, f"the {what} data is cut after {made:,} decoded bytes", hint="fetch it again")


def _check(made: int, taken: int, name: str, cap: int) -> None:
    if made > cap:
        raise Broken(name, f"decodes to more than the cap of {cap:,} bytes")
    if made > _FREE and made > RATIO * taken:
        raise Broken(name, f"decodes to more than {RATIO} times its packed size, the cap for that")


def _members(part: Part, name: str, cap: int) -> list[Part]:
    whole = part.whole
    if whole is None:
        whole, cut = gather(part.chunks(), name, "a packed zip archive")
        if cut is not None:
            raise cut
    try:
        with zipfile.ZipFile(_opened(whole)) as archive:
            infos = [info for info in archive.infolist() if _is_wanted(info)]
    except _ZIP_ERRORS as error:
        raise Broken(name, f"the zip archive is cut or damaged ({error})") from error
    if any(info.filename in ("[Content_Types].xml", "content.xml") for info in infos):
        return [Part("", lambda: read_chunks(whole), whole, is_book=True)]
    if not infos:
        raise Broken(name, "the zip archive holds no file")
    if len(infos) > _MEMBERS:
        raise Broken(name, f"the zip archive holds {len(infos):,} files, more than the cap of {_MEMBERS:,}")
    if sum(info.file_size for info in infos) > cap:
        raise Broken(name, f"the files of the zip archive decode to more than the cap of {cap:,} bytes")
    out = []
    for info in infos:
        if info.flag_bits & 1:
            raise Broken(name, f"{info.filename} in the zip archive is encrypted")
        inner = Part(info.filename, _member(whole, info, name, cap), size=info.file_size)
        what = packed_as(_peek(inner.chunks))
        if what in _DECODERS:
            inner = inner._replace(chunks=_inflated(inner.chunks, what, name, cap))
        out.append(inner)
    return out if len(out) > 1 else [out[0]._replace(name="")]


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    last = info.filename.rsplit("/", 1)[-1]
    return bool(last) and not last.startswith(".") and not info.filename.startswith("__MACOSX/")


def _opened(whole: bytes | Path) -> IO[bytes] | Path:
    return io.BytesIO(whole) if isinstance(whole, bytes) else whole


def _member(whole: bytes | Path, info: zipfile.ZipInfo, name: str, cap: int) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        made = 0
        try:
            with zipfile.ZipFile(_opened(whole)) as archive, archive.open(info) as file:
                while chunk := file.read(CHUNK):
                    made += len(chunk)
                    _check(made, max(info.compress_size, 1), name, cap)
                    yield chunk
        except _ZIP_ERRORS as error:
            why = f"{info.filename} in the zip archive is damaged after {made:,} bytes ({error})"
            raise Broken(name, why) from error

    return chunks


def inflate_head(head: bytes) -> tuple[bytes, str]:
    """What can be read of the beginning of a packed file, and the name of the member it belongs to."""
    inner = ""
    for _ in range(_LAYERS):
        what = packed_as(head)
        if what in _DECODERS:
            try:
                head = _DECODERS[what]().decompress(head, CHUNK)
            except _STREAM_ERRORS:
                return b"", inner
        elif what == "zip" and len(head) > 30 and not is_workbook(head):
            # APPNOTE 4.3.7: name length at 26, extra length at 28, method at 8
            size, extra = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
            inner = head[30 : 30 + size].decode("utf-8", "replace")
            body, method = head[30 + size + extra :], int.from_bytes(head[8:10], "little")
            try:
                head = zlib.decompressobj(-15).decompress(body, CHUNK) if method == 8 else body
            except zlib.error:
                return b"", inner
        else:
            break
    return head, inner


def is_workbook(head: bytes) -> bool:
    """Whether these are the first bytes of a workbook: a zip of Office Open XML or ODF, or an OLE file."""
    zipped = head.startswith(b"PK")
    return head.startswith(OLE) or (
        zipped and any(m in head for m in (b"[Content_Types].xml", b"opendocument"))
    )
