"""Bytes in any encoding → UTF-8 bytes, whatever their register says about them.

What is declared is tried first and strictly. Where it does not fit, the encoding is recognised: UTF-8 by its
shape, the usual encodings of Cyrillic, Thai and Chinese by how often their letters occur, Latin ones by the
letters of their languages, all others by charset-normalizer. A byte that does not fit stays recognisable
(PEP 383), so that only its row fails.
"""

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec
from charset_normalizer import from_bytes

from landbridge.errors import SourceFileError
from landbridge.find.read.alphabets import ALPHABETS, Alphabet
from landbridge.find.read.rows import State

_ENOUGH = 2**13  # bytes of lines with other letters than ASCII that are judged
_FEW = 32  # bytes beyond ASCII that are too few to judge by
_PATIENCE = 2**20  # bytes that are held back while there are fewer

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Encodings that are declared where a superset is meant (WHATWG Encoding, 4.2).
_SUPERSETS = {
    "ascii": "",
    "big5": "big5hkscs",
    "utf-8-sig": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
_NOT_TEXT = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"}

_WIDE = {"utf-16", "utf-32"}  # which say the order of their bytes by a mark, or should
_HIGH = re.compile(rb"[\x80-\xff]+")
_ESCAPES = re.compile(rb"\x1b[$(][@BIJ]")  # ISO-2022-JP
_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)

# Quotation marks and dashes, of all languages; and signs that stand beside a number or a name, never in a word.
_THAI_MARK = re.compile("[ัิ-ฺ็-์]")
_THAI_BASE = re.compile("[ก-ฮัิ-ู่-์]")
_MARKS = "“”‘’„‚–—…•«»·\u00a0　，。、；：？！（）【】《》「」"
_SIGNS = "£€¥§°№©®™±²³¹½¼¾µ"
# What charset-normalizer may answer; its other answers are code pages that nobody publishes in.
_FOREIGN = {
    *("big5", "big5hkscs", "cp950", "cp932", "shift_jis", "shift_jis_2004", "euc_jp", "euc_jis_2004"),
    *(
        "gb18030",
        "gbk",
        "gb2312",
        "cp949",
        "euc_kr",
        "johab",
        "iso2022_jp",
        "iso2022_jp_2",
        "iso2022_kr",
        "hz",
    ),
    *("cp1253", "iso8859_7", "cp1255", "iso8859_8", "cp1256", "iso8859_6", "cp1258"),
}


def _keep(error: UnicodeError) -> tuple[str, int]:
    """The error handler "keep": each byte that cannot be decoded becomes a lone surrogate."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + (byte | 0x80)) for byte in lost), error.end


codecs.register_error("keep", _keep)


class Utf8:
    """Chunks of bytes in some encoding, given out as chunks of UTF-8.

    `state.encoding` is settled with the first other letter than ASCII; before it nearly all encodings look alike.
    """

    def __init__(self, chunks: Iterator[bytes], declared: str, state: State) -> None:
        self._chunks = chunks
        self._declared = known_encoding(declared, state.name)
        self._written = declared
        self._state = state
        state.encoding = self._declared or "utf-8"

    def __iter__(self) -> Iterator[bytes]:
        first = next(self._chunks, b"")
        while 0 < len(first) < 4 and (more := next(self._chunks, b"")):
            first += more
        marked = by_mark(first)
        if marked:
            encoding, size = marked
            return self._settled(encoding, self._again([first[size:]]))
        if self._declared in _WIDE:
            if b"\0" in first[:1000]:
                self._declared += "-le"  # WHATWG Encoding, 14.4
                return self._settled(self._declared, self._again([first]))
            self._state.note(f"declared {self._written}, is not")
            self._declared = self._state.encoding = ""
        if self._declared and not _is_like_ascii(self._declared):
            return self._settled(self._declared, self._again([first]))
        return self._unsettled(self._again([first]))

    def _again(self, kept: list[bytes]) -> Iterator[bytes]:
        yield from kept
        yield from self._chunks

    def _unsettled(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if chunk.isascii() and b"\x1b" not in chunk:
                yield chunk
                continue
            if self._declared in ("", "utf-8") and _is_plainly_utf8(chunk):
                yield from self._settled("utf-8", _joined([chunk], chunks, None))
                return
            kept, judged, seen = [chunk], len(_other_lines(chunk)), len(chunk)
            broken: Exception | None = None
            ended = False
            while judged < _ENOUGH and seen < _PATIENCE:
                try:
                    more = next(chunks, b"")
                except Exception as error:  # a cut archive: what came before it is still judged and given
                    broken = error
                    break
                if not more:
                    ended = True
                    break
                kept.append(more)
                judged += len(_other_lines(more))
                seen += len(more)
            encoding = recognise_encoding(b"".join(kept), self._declared, ended=ended)
            yield from self._settled(encoding, _joined(kept, chunks, broken))
            return

    def _settled(self, encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        if self._declared and encoding != self._declared:
            self._state.note(f"declared {self._written}, is {encoding}")
        self._state.encoding = encoding
        self._state.form = msgspec.structs.replace(self._state.form, encoding=encoding)
        if encoding == "utf-8":
            yield from chunks
            return
        decoder = codecs.getincrementaldecoder(encoding)("keep")
        for chunk in chunks:
            yield _encode(decoder.decode(chunk))
        yield _encode(decoder.decode(b"", True))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _joined(kept: list[bytes], chunks: Iterator[bytes], broken: Exception | None) -> Iterator[bytes]:
    yield from kept
    if broken is not None:
        raise broken
    yield from chunks


def known_encoding(declared: str, name: str) -> str:
    """Python's name of the encoding that is meant. Raises SourceFileError for a word that is none."""
    if not declared:
        return ""
    try:
        found = codecs.lookup(declared)
    except (LookupError, ValueError) as error:
        raise SourceFileError(name, f"encoding = {declared!r} is unknown", hint="leave it out") from error
    is_text = getattr(found, "_is_text_encoding", True) and found.incrementaldecoder is not None
    if found.name.replace("-", "_") in _NOT_TEXT or not is_text:
        raise SourceFileError(name, f"encoding = {declared!r} is no encoding of text", hint="leave it out")
    return _SUPERSETS.get(found.name, found.name)


def by_mark(head: bytes) -> tuple[str, int] | None:
    """The encoding that a byte order mark states, or that the zeros of UTF-16 show, and the mark's size."""
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding, len(mark)
    even, odd = head[:1000:2], head[1:1000:2]
    if len(odd) > 4:
        if odd.count(0) > 0.8 * len(odd) and even.count(0) < 0.1 * len(even):
            return "utf-16-le", 0
        if even.count(0) > 0.8 * len(even) and odd.count(0) < 0.1 * len(odd):
            return "utf-16-be", 0
    return None


@lru_cache(64)
def _is_like_ascii(encoding: str) -> bool:
    ascii_bytes = bytes(range(32, 127))
    return ascii_bytes.decode(encoding, "replace") == ascii_bytes.decode("ascii")


def recognise_encoding(sample: bytes, declared: str = "", *, ended: bool = True) -> str:
    """The encoding of a sample that begins at a character; `ended` where nothing was cut off behind it.

    `declared` is kept unless it cannot be what the bytes are. Bytes that are nothing are called UTF-8.
    """
    if _ESCAPES.search(sample) and not _HIGH.search(sample):
        return "iso2022_jp"
    lines = _other_lines(sample)[:_ENOUGH]
    if not lines:
        return declared or "utf-8"
    good, bad = _utf8_bytes(lines)
    if good + bad < _FEW and not ended:
        return declared or "utf-8"  # the next million bytes may say otherwise; until then only rows fail
    if declared not in ("", "utf-8"):
        return _judge(lines, declared, good, bad)
    return "utf-8" if good >= 2 * bad else _guess(lines) or "utf-8"


def _judge(lines: bytes, declared: str, good: int, bad: int) -> str:
    """What is declared, unless the bytes plainly are something else."""
    fits = _text(lines, declared) is not None
    if bad == 0 and good >= (2 if _is_one_byte(declared) or not fits else 24):
        return "utf-8"
    ours = _fit(lines, declared)
    if ours is not None and ours > 0.9:
        return declared
    found = _guess(lines)
    if not found or found == declared:
        return declared
    if not fits:
        return found if _text(lines, found) is not None else declared
    theirs = _fit(lines, found)
    plainly = ours is not None and theirs is not None and theirs - ours > 0.15
    return found if plainly else declared


@lru_cache(64)
def _is_one_byte(encoding: str) -> bool:
    return len(bytes(range(128, 256)).decode(encoding, "replace")) == 128


def _is_plainly_utf8(chunk: bytes) -> bool:
    """Whether all of it is UTF-8, and enough of it is beyond ASCII to be no accident."""
    text = _text(chunk, "utf-8")
    return text is not None and len(chunk) - len(text) >= _FEW


def _other_lines(sample: bytes) -> bytes:
    """The lines of the sample that hold anything but ASCII."""
    if sample.isascii():
        return b""
    return b"\n".join(line for line in sample.split(b"\n") if not line.isascii())


def _utf8_bytes(lines: bytes) -> tuple[int, int]:
    """How many bytes beyond ASCII are UTF-8, and how many are not (a character cut at the end is no fault)."""
    high = sum(map(len, _HIGH.findall(lines)))
    try:
        lines.decode("utf-8")
        return high, 0
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return high, 0
    bad = sum(map(len, _HIGH.findall(_UTF8.sub(b"", lines))))
    return high - bad, bad


def _text(lines: bytes, encoding: str) -> str | None:
    """The text, if every byte fits (a character may be cut at the end)."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(lines)
    except (UnicodeError, ValueError):
        return None


def _guess(lines: bytes) -> str:
    """The encoding by its letters, or nothing."""
    best, encoding = 0.0, ""
    for name in dict.fromkeys(alphabet.encoding for alphabet in ALPHABETS):
        fit = _fit(lines, name) or 0.0
        if fit > best:
            best, encoding = fit, name
    if best >= 0.6:
        return encoding
    found = from_bytes(lines).best()
    return found.encoding if found is not None and found.encoding in _FOREIGN else ""


def _fit(lines: bytes, encoding: str) -> float | None:
    """How much these bytes read like sensible text, about 1 where they do; None where nobody can say."""
    alphabets = [alphabet for alphabet in ALPHABETS if alphabet.encoding == encoding]
    if not alphabets:
        return None
    text = _text(lines, encoding)
    if text is None:
        return 0.0
    return max(_likeness(text, alphabet) for alphabet in alphabets)


def _likeness(text: str, alphabet: Alphabet) -> float:
    worth, usual = _worth(alphabet)
    points, letters, signs = 0.0, 0, 0
    for c, before, after in zip(text, " " + text, text[1:] + " ", strict=False):
        if c <= "\x7f" or c in _MARKS:
            continue
        if c in _SIGNS and not after.isalpha() and not before.isalpha():
            signs += 1
        else:
            letters += 1
            points += _points(c, before, after, worth, alphabet.script)
    if not letters:
        return 0.7 if alphabet.encoding == "cp1252" else 0.0  # nothing but quotation marks or €
    return (points + 0.3 * signs) / (letters + signs) / usual


def _points(c: str, before: str, after: str, worth: dict[str, float], script: str) -> float:
    """What one letter says for its alphabet; what cannot stand there says as much against it."""
    if script == "signs":
        return worth.get(c, 0.0)
    small = c.lower() if c.lower() in worth else c
    if small not in worth:
        return -1.0
    if script == "thai":
        return -1.0 if _THAI_MARK.match(c) and not _THAI_BASE.match(before) else worth[small]
    if c != small and before.islower():
        return -1.0  # a capital inside a word
    beside = sum(1 for other in (before, after) if "a" <= other.lower() <= "z")
    if script == "latin":
        alone = not before.isalpha() and not after.isalpha()
        return worth[small] if beside or alone or before <= "\x7f" or after <= "\x7f" else 0.0
    # a capital counts less: small letters in the wrong encoding often are capitals; two scripts make no word
    return worth[small] - (0 if c == small else 0.1) - beside


@lru_cache(64)
def _worth(alphabet: Alphabet) -> tuple[dict[str, float], float]:
    """What each letter is worth, and what a letter of sensible text is worth on average."""
    if alphabet.script == "latin":
        return dict.fromkeys(alphabet.letters, 1.0), 1.0
    if alphabet.script == "signs":
        return {**dict.fromkeys(_usual_signs(alphabet), 0.3), **dict.fromkeys(alphabet.letters, 1.0)}, 0.65
    # Frequencies fall about exponentially with the rank, so that this is a likelihood in bits: sensible text has
    # about 1 on average, an alphabet in disorder less than 0.5.
    size = len(alphabet.letters)
    return {c: 1.6 - 2.4 * at / size for at, c in enumerate(alphabet.letters)}, 1.0


def _usual_signs(alphabet: Alphabet) -> str:
    """The signs of the first level of a two-byte set, which ordinary text does not leave."""
    if alphabet.rows is None:
        return ""
    encoding, first, last = alphabet.rows
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(0xA1, 0xFF))
    return "".join(pair.decode(encoding, "ignore") for pair in pairs)
