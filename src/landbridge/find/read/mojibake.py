"""Text that was decoded wrongly before it came to us ("CÃ´ng ty" for "Công ty") → text as it was written."""

import re
from typing import Any

import ftfy
from ftfy.badness import badness
from ftfy.chardata import CHARMAP_ENCODINGS
from ftfy.fixes import restore_byte_a0

_LOST_SPACE = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]) |[\xe0-\xef] (?=[\x80-\xbf])")
_CONFIG = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)


def repair(value: Any) -> Any:
    """The value with every wrongly decoded text in it put right, names of fields as well."""
    if isinstance(value, str):
        return repair_text(value)
    if isinstance(value, dict):
        return {repair_text(name): repair(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [repair(inner) for inner in value]
    return value


def repair_text(text: str) -> str:
    """The text as it was meant, only if the result is plainly better and nothing of it is lost.

    Bytes that happen to be UTF-8 from end to end were UTF-8; where only parts of a text are, ftfy judges.
    """
    if text.isascii():
        return text
    for encoding in CHARMAP_ENCODINGS:
        try:
            fixed = _with_spaces_restored(text.encode(encoding)).decode("utf-8")
        except UnicodeError:
            continue
        usual = encoding in ("latin-1", "sloppy-windows-1252")
        plainly = badness(fixed) <= badness(text) if usual else badness(fixed) < badness(text)
        return fixed if plainly else text
    fixed = ftfy.fix_encoding(text, _CONFIG)
    if fixed.count("\ufffd") > text.count("\ufffd"):
        return text
    return fixed if badness(fixed) < badness(text) else text


def _with_spaces_restored(data: bytes) -> bytes:
    """UTF-8 whose bytes A0 somebody took for spaces; ftfy knows of most, the rest can be nothing else."""
    return _LOST_SPACE.sub(lambda m: m[0].replace(b" ", b"\xa0"), restore_byte_a0(data))


def looks_wrong(sample: str) -> bool:
    """Whether a sample of text was decoded wrongly in most of its lines with other letters than ASCII."""
    lines = [line[:500] for line in sample.splitlines() if not line.isascii()][:50]
    wrong = sum(1 for line in lines if badness(line) > 0 and repair_text(line) != line)
    return wrong > len(lines) // 2
