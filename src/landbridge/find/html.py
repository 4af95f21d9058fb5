"""An advertisement's text, however it was written, as plain text with paragraphs and lists.

Sources send plain text, HTML, HTML escaped once or twice, CDATA, Markdown, Word's bullets, escapes written out
("\\r\\n"). What comes out holds no tag, no script, no control character; a paragraph is an empty line, a point of
a list a line that begins with "• ". The parser is nh3 (html5ever), so a tag is what a browser takes for one.
"""

import html
import re

import nh3

_LONGEST = 100_000  # characters of a cleaned text
_CUT = " […]"
_LONGEST_RAW = 4 * _LONGEST
_MOST_TAGS = 5_000  # nested ones cost the parser their square: 60,000 open <div> take 13 s
_ROUNDS = 6  # of escaping

_TAG = re.compile(r"<[A-Za-z/!?]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NAMED_TAG = re.compile(r"<(/?)([A-Za-z][^\s<>/]*+)([^<>]*+)>")
_SURROGATES = re.compile("[\ud800-\udfff]+")
_OPEN_TAG = re.compile(r"<(?=[A-Za-z/])(?![^<>]*[>=])")  # "pay <a lot": a parser drops what follows
_CRUDE_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>?")
_ELEMENTS = """
a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink blockquote body br button
canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset
figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img
input ins isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem meta meter multicol
nav nextid nobr noembed noframes noscript object ol optgroup option output p param picture plaintext pre progress q rb
rp rt rtc ruby s samp script search section select slot small source span strike strong style sub summary sup svg table
tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xml xmp"""
_KNOWN = frozenset(_ELEMENTS.split())
# ours until the end, so that a second round keeps what the first has found
_LINE, _PARAGRAPH, _BLOCK = "\u2028", "\u2029", "\x1e"
_PARAGRAPHS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "hr", "ul", "ol", "dl", "table", "blockquote", "section", "article"}  # fmt: skip
_BLOCKS = {"dd", "div", "dt", "pre", "tr"}
_KEPT = _PARAGRAPHS | _BLOCKS | {"br", "li", "td", "th"}
_DROPPED = """
head iframe math noembed noframes noscript object script select style svg template textarea title xmp"""
_CLEANER = nh3.Cleaner(tags=_KEPT, attributes={}, link_rel=None, clean_content_tags=set(_DROPPED.split()))
_SPACES = re.compile(rf"[^\S{_LINE}{_PARAGRAPH}{_BLOCK}]+")
_EMPTY_LINE = re.compile(rf"\n[^\S{_LINE}{_PARAGRAPH}{_BLOCK}]*\n[^\S{_LINE}{_PARAGRAPH}{_BLOCK}]*")
_BLOCK_ENDS = re.compile(rf"{_LINE}?(?: ?{_BLOCK})+ ?")
_STRUCTURE = re.compile(r"<(/?)([a-z0-9]+)>")

# what is not printable is dropped: controls, direction marks and overrides, halves of surrogates (no UTF-8), private
# characters, tags. Zero-width spaces and (non-)joiners stay: Khmer, Persian and emoji need them.
_SEEN = frozenset("\u200b\u200c\u200d")
_SYMBOL_FONT = re.compile("[\uf020-\uf0ff]")  # Word's Symbol and Wingdings: a bullet nearly always
_WRITTEN_LINE = re.compile(r"\\r\\n|\\n(?![a-z])")
_POINTS = "•●▪■◦‣⁃►▶▸➢➤✓✔☑✅"
_ANY_POINT = re.compile(rf"[{_POINTS}\uf020-\uf0ff]")
_POINT = re.compile(rf"(?:[;,]|(?<!\s))\s*+[{_POINTS}][\s{_POINTS}]*+")
_FIRST_POINTS = frozenset("-–—*·+»○□")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_LEFT = re.compile(r"<(?=[A-Za-z/!?])|<(?=[^\W\d][^<>\n]*>)")
_LEFT_PAIR = re.compile(r"<([^\W\d_][^<>\n]*)>")


def clean(text: str) -> str:
    """The text without markup; a text longer than 100,000 characters ends with a mark."""
    text = text[:_LONGEST_RAW]
    if "<" in text or "&" in text:
        text = _without_markup(text)
    text = _tidied(text)
    if "<" in text:
        # what still looks like a tag is shown, in signs that are none: <Компания>, a tag escaped seven times
        text = _LEFT.sub("‹", _LEFT_PAIR.sub(r"‹\1›", text))
    if len(text) > _LONGEST:
        text = text[: _LONGEST - len(_CUT)].rstrip() + _CUT
    return text


def _without_markup(text: str) -> str:
    text = _SURROGATES.sub("", text)  # halves of characters: no UTF-8, so no parser takes them
    for _ in range(_ROUNDS):
        if _TAG.search(text):
            text = _without_tags(text)
        elif _ENTITY.search(text):
            text = _unescaped(text)
        else:
            break
    return text


def _unescaped(text: str) -> str:
    # html.unescape alone also takes "&para=1" of a link for a sign
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _without_tags(text: str) -> str:
    text = text.replace("<![CDATA[", "").replace("]]>", "")
    if text.count("<") > _MOST_TAGS:
        return _unescaped(_CRUDE_TAG.sub(" ", text))
    closed = {tag[2].lower() for tag in _NAMED_TAG.finditer(text) if tag[1]}

    def shown(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        # <Yêu cầu> is no tag to who wrote it: no such element, never closed, no attribute
        if name in _KNOWN or name in closed or not name.isalpha() or "=" in tag[3]:
            return tag[0]
        return f"‹{tag[0][1:-1]}›"

    text = _CLEANER.clean(_NAMED_TAG.sub(shown, _OPEN_TAG.sub("‹", text)))
    if _STRUCTURE.search(text):
        # line ends mean nothing beside elements that make lines, but an empty line is meant
        text = _SPACES.sub(" ", _EMPTY_LINE.sub(_PARAGRAPH, text.replace("\r\n", "\n")))
        text = _BLOCK_ENDS.sub(_BLOCK, _STRUCTURE.sub(_structure, text))
    return _unescaped(text)


def _structure(tag: re.Match[str]) -> str:
    closing, name = tag.groups()
    if name == "li":
        return "" if closing else f"{_LINE}• "
    if name in _PARAGRAPHS:
        return _PARAGRAPH
    if name in _BLOCKS:
        return _BLOCK
    if name == "br":
        return _LINE
    return " | " if closing else ""  # a cell


def _tidied(text: str) -> str:
    if "\\" in text:
        text = _WRITTEN_LINE.sub("\n", text)
    if "**" in text:
        text = _BOLD.sub(r"\1", text)
    if not text.isascii():
        text = text.replace(_PARAGRAPH, "\n\n")
        if _ANY_POINT.search(text):
            text = _POINT.sub("\n• ", _SYMBOL_FONT.sub("•", text))
    lines: list[str] = []
    for line in text.splitlines():
        line = " ".join(line.split())
        if not line.isprintable():
            line = " ".join("".join([sign for sign in line if sign.isprintable() or sign in _SEEN]).split())
        if line[:1] in _FIRST_POINTS and line[1:2] == " ":
            line = "• " + line[2:]
        elif line[:1] == "#":
            line = line.lstrip("#").lstrip() if line.lstrip("#")[:1] == " " else line
        elif line[-1:] == "|":
            line = line.rstrip(" |")
        if line != "•" and (line or (lines and lines[-1])):
            lines.append(line)
    return "\n".join(lines).rstrip()


# Contacts (law 7: nothing personal is kept)

_HIDDEN = "[…]"
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+%-]{1,64} ?(?:[@＠]|[\[({] ?(?:at|собака) ?[\])}]) ?"
    r"(?:[\w-]{1,63}(?:\.| ?[\[({] ?(?:dot|точка) ?[\])}] ?)){1,8}[A-Za-zА-яЁёІіЇї]{2,24}(?![A-Za-z0-9-])",
    re.IGNORECASE,
)
# @hr_manager, @rabota; but not "work @Woodlands"
_NICK = re.compile(
    r"(?<![\w.@/])@(?=[a-z]|[A-Za-z]*[0-9_.][A-Za-z0-9])[A-Za-z0-9_.]{2,31}[A-Za-z0-9_](?![\w@])", re.ASCII
)
_MESSENGER = re.compile(
    r"(?:https?://)?(?<![\w.-])(?:www\.)?(?:t|telegram|wa|vk|m|line|zalo|viber)\.me/[^\s<>\"')]+"
    r"|(?:https?://)?(?<![\w.-])(?:api\.whatsapp|chat\.whatsapp|join\.skype)\.com/[^\s<>\"')]+"
    r"|(?<!\w)(?:mailto|tel|viber|whatsapp|skype|weixin):(?://)?[^\s<>\"']{4,}",
    re.IGNORECASE,
)
_HANDLE = re.compile(
    r"(?<!\w)((?:telegram|телеграмм?|whats ?app|viber|вайбер|skype|скайп|wechat|微信|weixin|qq|line id|zalo)"
    r"(?: id|号)? ?[:：] ?)@?[A-Za-z0-9][A-Za-z0-9_.+-]{3,31}",
    re.IGNORECASE,
)
_NAMES = (
    *(".me/", "mailto:", "tel:", "telegram", "телеграм", "whats", "viber", "вайбер", "skype", "скайп"),
    *("wechat", "微信", "weixin", "qq", "line id", "zalo"),
)
_NAMED = re.compile("|".join(map(re.escape, _NAMES)))
_NUMBER = re.compile(r"\d[\d \xa0()./–-]{3,26}\d")
_NO_NUMBER_BEFORE = frozenset("0123456789.,/=$€£¥₽₸-_#")
_NO_NUMBER_AFTER = re.compile(r"[\w%]|[.,:]\d")
_LABEL = re.compile(
    r"(?:tele?ph?|tele?fon\w*|t[eé]l[eé]fono?|t[eé]l|telp|tlf|phone|mobile?|mob|cell|call(?: us)?|hotline|whats ?app|wa|"
    r"hp|fax|zalo|viber|contact|kontak|hubungi|call center|sđt|đt|điện thoại|liên hệ|di động|тел|телефон\w*|моб|"
    r"мобильн\w+|звоните|звонить|звонок|вайбер|ватсап\w*|вотсап\w*|байланыс\w*|қоңырау\w*|հեռ|հեռախոս\w*|"
    r"โทร(?:ศัพท์)?|เบอร์|ເບີໂທ\w*|ទូរស័ព្ទ|ဖုန်း|电话|手机|热线|联系\w{0,4})[^\w\n+(]{0,4}(?:no|nr|№|номер\w*|số|us)?[^\w\n+(]{0,4}$",
    re.IGNORECASE,
)
_CURRENCY = re.compile(
    r"\s?(?:[$€£¥₽₸₫đ₴฿៛]|руб|р\.|тг|тенге|сом|тыс|млн|грн|vn[dđ]|rp|idr|usd|eur|kr|triệu|juta|元|บาท)",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[1-9]\d{0,2}(?:[ \xa0.]\d{3})+(?: ?[–-] ?[1-9]\d{0,2}(?:[ \xa0.]\d{3})+)?")
_DAY = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})(?!\d)|\d{4}[./-]\d\d?[./-]\d\d?(?!\d)|\d\d[.]\d\d ?[–-]"
)
_FULL_DAY = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}(?!\d)|\d{4}[./-]\d\d?[./-]\d\d?(?!\d)")
_NATIONAL = re.compile(
    r"[78][ -]?\(?[34789]\d\d\D*\d{3}\D*\d\d\D*\d\d"  # Russia, Kazakhstan: 8 (924) 123-45-67, 77011234567
    r"|\(?[2-9]\d\d\)?[ .-]\d{3}[ .-]\d{4}"  # North America: 617-954-5000
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"  # China: a mobile number
)


def without_contacts(text: str) -> str:
    """The text with e-mail addresses, telephone numbers and messenger names as "[…]"; pay and dates stay.

    A number is a telephone number when it is written as one (+7 …, 0812-…, 8 (924) …) or is said to be one.
    """
    # each search only where a sign of its own is there: most texts hold none
    small = text.lower()
    signed = "@" in small or "＠" in small
    if signed or "at]" in small or "at)" in small or "собака" in small:
        text = _NICK.sub(_HIDDEN, _EMAIL.sub(_HIDDEN, text))
    if signed or _NAMED.search(small):
        text = _HANDLE.sub(rf"\1{_HIDDEN}", _MESSENGER.sub(_HIDDEN, text))
    return _without_telephones(text)


def _without_telephones(text: str) -> str:
    kept: list[str] = []
    at = 0
    for number in _NUMBER.finditer(text):
        start, end = number.span()
        while start > at and text[start - 1] in "+(":
            start -= 1
        if _is_telephone(text, start, end):
            kept += [text[at:start], _HIDDEN]
            at = end
    return "".join(kept) + text[at:] if kept else text


def _is_telephone(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    digits = "".join(filter(str.isdecimal, written))
    if not 5 <= len(digits) <= 15 or text[start - 1 : start] in _NO_NUMBER_BEFORE:
        return False
    if _NO_NUMBER_AFTER.match(text, end) or _CURRENCY.match(text, end):
        return False
    if _LABEL.search(text[max(0, start - 40) : start]):
        return not _FULL_DAY.match(written)
    if written[0] == "+":
        return len(digits) >= 9
    if _DAY.match(written) or _MONEY.fullmatch(written):
        return False
    if digits[0] == "0":
        return 9 <= len(digits) <= 13 and written[1] != "."
    return _NATIONAL.fullmatch(written) is not None
