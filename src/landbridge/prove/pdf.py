"""Draws the pages of a PDF and takes out its attachments and text, in a process of its own with bounded memory and time.

A PDF is a program: a kilobyte of it can ask for gigabytes or hours. So PDFium reads it in a child that the kernel
stops; this module is both sides, and the child imports nothing of Landbridge.
"""

import contextlib
import json
import math
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any

_MEMORY = 1_500_000_000  # bytes of address space of the child
_DPI = 200
_PAGE = 4_000_000  # pixels of a page as drawn first; four times as many where it is drawn again


@dataclass(frozen=True, slots=True)
class Part:
    """One thing found: `kind` is attachment, page, enlarged (grey, one byte a point), text, undrawn, protected,
    damaged or done; `number` counts from 1."""

    kind: str
    number: int = 0
    width: int = 0
    height: int = 0
    data: bytes = b""


def parts(data: bytes, *, pages: int, pixels: int, size: int, seconds: float) -> Generator[Part, None, None]:
    """Attachments, then pages, then up to three pages enlarged, then the text of pages.

    Ends with `done`, `protected` or `damaged`; where it ends without, memory or time ran out. Closing the iterator
    stops the child.
    """
    bounds = json.dumps({"pages": pages, "pixels": pixels, "size": size, "seconds": seconds})
    child = subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", __file__, bounds],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    stop = threading.Timer(seconds + 1, child.kill)
    stop.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(data)
            child.stdin.close()
        yield from _received(child.stdout)
    finally:
        stop.cancel()
        child.kill()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.stdout.close()
        child.wait()


def _received(stream: IO[bytes]) -> Iterator[Part]:
    while line := stream.readline(1_000):
        try:
            head = json.loads(line)
        except ValueError:  # cut off as the child died
            return
        body = stream.read(head.pop("bytes"))
        if head["kind"] in ("page", "enlarged") and len(body) != head["width"] * head["height"]:
            return
        yield Part(data=body, **head)


# the child


def _send(kind: str, data: bytes = b"", **head: Any) -> None:
    out = sys.stdout.buffer
    out.write(json.dumps({"kind": kind, "bytes": len(data), **head}).encode() + b"\n")
    out.write(data)
    out.flush()


def _limit(seconds: float) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds) + 1, math.ceil(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _draw(page: Any, pdfium: Any, pixels: int, enlarged: int) -> tuple[int, int, bytes] | None:
    inside = 0
    for image in page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        width, height = image.get_px_size()
        inside += width * height
        if inside > pixels:
            return None
    width, height = page.get_size()
    if not (width >= 1 and height >= 1):
        return None
    scale = min(_DPI / 72, math.sqrt(_PAGE / (width * height))) * enlarged
    size = math.ceil(width * scale), math.ceil(height * scale)
    if size[0] * size[1] > 5 * _PAGE:
        return None
    bitmap = pdfium.PdfBitmap.new_native(*size, format=pdfium.raw.FPDFBitmap_Gray)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
    flags = pdfium.raw.FPDF_ANNOT | pdfium.raw.FPDF_GRAYSCALE
    pdfium.raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
    rows, stride = memoryview(bitmap.buffer).cast("B"), bitmap.stride
    if stride == size[0]:
        return (*size, bytes(rows[: stride * size[1]]))
    return (*size, b"".join(rows[n * stride : n * stride + size[0]] for n in range(size[1])))


def _serve(data: bytes, *, pages: int, pixels: int, size: int, seconds: float) -> None:
    import pypdfium2 as pdfium

    _limit(seconds)
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        _send("protected" if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD else "damaged")
        return
    for number in range(min(document.count_attachments(), 20)):
        with contextlib.suppress(pdfium.PdfiumError):
            body = document.get_attachment(number).get_data()
            if len(body) <= size:
                _send("attachment", bytes(body), number=number + 1)
    count = min(len(document), pages)
    for kind, enlarged, most in (("page", 1, count), ("enlarged", 2, min(count, 3))):
        for number in range(1, most + 1):
            try:
                page = document[number - 1]
                drawn = _draw(page, pdfium, pixels, enlarged)
                page.close()
            except pdfium.PdfiumError:
                drawn = None
            if drawn is None:
                _send("undrawn", number=number)
            else:
                _send(kind, drawn[2], number=number, width=drawn[0], height=drawn[1])
    for number in range(1, count + 1):
        with contextlib.suppress(pdfium.PdfiumError):
            text = document[number - 1].get_textpage().get_text_bounded()[:200_000]
            _send("text", text.encode(errors="replace"), number=number)
    _send("done", number=len(document))


if __name__ == "__main__":
    _serve(sys.stdin.buffer.read(), **json.loads(sys.argv[1]))
    sys.stdout.flush()
