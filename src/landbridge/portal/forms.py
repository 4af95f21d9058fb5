"""Forms with a file in them, read in memory: nothing that was sent ever reaches the disk."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import PurePosixPath

from starlette.datastructures import UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from landbridge.portal.languages import Reader

_FORM = 20_000  # bytes of the form around a file
_UPLOAD = 60  # seconds that an upload may take


class Unusable(Exception):
    """A form that asks for nothing that can be looked at; the words are for the reader."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class _InMemory(MultiPartParser):
    """Starlette's, which would else write a larger file to the disk."""

    spool_max_size = 1 << 30


async def read_form(
    request: Request, reader: Reader, *, most: int, lacking: str
) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """The fields of the form, and the file with its name; `most` is in megabytes.

    Raises Unusable for one that is too large, too slow, or no form (`lacking` says what was expected).
    """
    bytes_ = most * 1_000_000
    drained = 8 * bytes_  # what is read of a longer file, so that its sender sees the answer
    body = bytearray()
    size = 0
    try:
        async with asyncio.timeout(_UPLOAD):
            async for piece in request.stream():
                size += len(piece)
                if size <= bytes_ + _FORM:
                    body += piece
                if size > drained:
                    break
    except TimeoutError:
        raise Unusable(reader.text("The file did not arrive in time."), 408) from None
    if size > bytes_ + _FORM:
        raise Unusable(reader.text("The file is larger than {n} MB. Please give a part of it.", n=most), 413)

    async def whole() -> AsyncGenerator[bytes, None]:
        yield bytes(body)
        yield b""

    type_ = request.headers.get("content-type", "")
    parser = _InMemory if type_.startswith("multipart/form-data") else FormParser
    limits = {"max_fields": 10, "max_part_size": _FORM}
    try:
        form = await parser(request.headers, whole(), **limits).parse()
    except (MultiPartException, KeyError, ValueError):
        raise Unusable(lacking) from None
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    file = form.get("file")
    upload = None
    if isinstance(file, UploadFile) and file.filename:
        name = PurePosixPath(file.filename.replace("\\", "/")).name[-100:] or "file"
        upload = (name, await file.read())
    await form.close()
    return fields, upload
