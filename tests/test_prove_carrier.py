"""What people hand over: texts in any encoding, pictures, PDFs, baked badges, and everything that is none of these."""

import base64
import io
import json
import random
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
import zxingcpp
from bench.qr import certificate, photograph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps, PngImagePlugin
from pypdf import PdfReader, PdfWriter

from landbridge.errors import CredentialError
from landbridge.prove import carrier, qr
from landbridge.prove.carrier import Carried, Limits, read

TEXT = certificate(random.Random(7), 320)
JWS = "eyJhbGciOiJFUzI1NiJ9." + "eyJpc3MiOiJodHRwczovL2FsdGFuaWEuZXhhbXBsZSJ9" * 3 + ".c2lnbmF0dXJl"


def texts(data: bytes, **limits: Any) -> list[str | None]:
    return [one.text for one in read(data, **limits)]


def picture(text: str | bytes = TEXT, module: int = 4, level: qr.Level = "Q") -> Image.Image:
    return Image.open(io.BytesIO(qr.png(text, module=module, error_correction=level))).convert("L")


def saved(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def sheet(*placed: tuple[Image.Image, int, int], size: tuple[int, int] = (1600, 1400)) -> Image.Image:
    page = Image.new("L", size, 255)
    for image, x, y in placed:
        page.paste(image, (x, y))
    return page


def refusal(data: bytes, **limits: Any) -> carrier.UnreadableCarrier:
    with pytest.raises(carrier.UnreadableCarrier) as caught:
        read(data, **limits)
    assert caught.value.hint or caught.value.code == "empty"
    assert isinstance(caught.value, CredentialError)
    return caught.value


# text


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii"]
)
@pytest.mark.parametrize("around", ["{}", "  {}\r\n\r\n", '"{}"', "“{}”\n", "\t'{}' "])
def test_a_text_is_the_same_in_any_encoding_and_quotes(encoding: str, around: str) -> None:
    if not around.isascii() and encoding == "ascii":
        around = "<{}>"
    (found,) = read(around.format(TEXT).encode(encoding))
    assert found == Carried(text=TEXT, data=TEXT.encode(), place="text", media="text")


def test_letters_of_other_scripts_stay_as_they_are_written() -> None:
    card = '{"name": "Ержан Сынақов", "place": "Астана"}'
    assert texts(card.encode()) == [card]
    assert texts(card.encode("utf-16")) == [card]
    assert texts('{"name": "José Inventado"}'.encode("cp1252")) == ['{"name": "José Inventado"}']


def test_credentials_one_a_line_come_out_one_by_one_with_their_lines() -> None:
    other = certificate(random.Random(8), 200)
    found = read(f"two certificates\n\n{TEXT}\n\n  {other}\r\n{JWS}\n\nregards\n".encode())
    assert [(one.text, one.place) for one in found] == [(TEXT, "line 3"), (other, "line 5"), (JWS, "line 6")]


def test_a_credential_wrapped_over_lines_is_one() -> None:
    wrapped = "\n".join(JWS[at : at + 64] for at in range(0, len(JWS), 64))
    assert texts(wrapped.encode()) == [JWS]


def test_a_json_list_and_json_lines_come_out_item_by_item_exactly_as_written() -> None:
    first, second = '{"a": 1.0, "b" :[2]}', '{"c":"x\\u00e9"}'
    assert texts(f"[{first},\n {second}]".encode()) == [first, second]
    assert texts(f"{first}\n{second}\n".encode()) == [first, second]
    assert texts(json.dumps([TEXT, JWS]).encode()) == [TEXT, JWS]
    assert texts(first.encode()) == [first]
    assert texts(b'{"cut": ') == ['{"cut":']


def test_binary_is_passed_on_and_its_hexadecimal_and_base64_are_unpacked() -> None:
    cbor = bytes.fromhex("a26a6e616d65537061636573a0") + b"\x6aissuerAuth\xd2\x84\x43\xa1\x01\x26\xff\x00" * 3
    assert read(cbor) == (Carried(text=None, data=cbor, place="file", media="bytes"),)
    for spelt in (
        cbor.hex(),
        cbor.hex().upper(),
        base64.b64encode(cbor).decode(),
        base64.urlsafe_b64encode(cbor).decode().rstrip("="),
        base64.encodebytes(cbor).decode(),
    ):
        (found,) = read(spelt.encode())
        assert (found.data, found.media) == (cbor, "text")
        assert found.text == spelt.strip()


def test_a_data_address_and_bare_base64_of_a_picture_are_read_as_the_picture() -> None:
    packed = base64.b64encode(qr.png(TEXT)).decode()
    assert texts(f"data:image/png;base64,{packed}".encode()) == [TEXT]
    assert texts(packed.encode()) == [TEXT]
    assert refusal(b"data:image/png;base64").code == "damaged"
    assert refusal(b"data:image/png;base64,??").code == "damaged"


# pictures


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"])
def test_a_code_is_read_from_a_picture_of_any_form(form: str) -> None:
    (found,) = read(saved(picture().convert("RGB"), form))
    assert found == Carried(text=TEXT, data=TEXT.encode(), place="picture", media="qr")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16", "CMYK", "clear"])
def test_a_code_is_read_in_any_kind_of_colour(mode: str) -> None:
    if mode == "clear":  # dark modules on nothing
        image = Image.new("RGBA", picture().size, (0, 0, 0, 0))
        image.putalpha(ImageOps.invert(picture()))
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(picture(), dtype=np.uint16) * 257)
    else:
        image = picture().convert(mode)
    assert texts(saved(image, "TIFF" if mode == "CMYK" else "PNG")) == [TEXT]


def test_light_modules_on_a_clear_or_dark_ground_are_read() -> None:
    light = Image.new("RGBA", picture().size, (255, 255, 255, 0))
    light.putalpha(ImageOps.invert(picture()))
    assert texts(saved(light)) == [TEXT]
    assert texts(saved(ImageOps.invert(picture()))) == [TEXT]
    assert texts(saved(ImageOps.colorize(picture(), "#3030c0", "#30a030"))) == [TEXT]


@pytest.mark.parametrize("angle", [0, 33, 90, 135, 180, 270])
def test_a_turned_or_mirrored_code_is_read(angle: int) -> None:
    turned = picture().rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert texts(saved(turned)) == [TEXT]
    assert texts(saved(ImageOps.mirror(turned), "JPEG", quality=60)) == [TEXT]


def test_tiny_and_huge_codes_are_read_and_small_ones_in_large_pictures() -> None:
    assert texts(qr.png(TEXT, module=1)) == [TEXT]
    assert texts(qr.png(TEXT, module=60)) == [TEXT]
    assert texts(qr.png(TEXT, module=4, quiet=0)) == [TEXT]
    desk = Image.effect_noise((1000, 800), 20).resize((5000, 4000))
    desk.paste(picture(module=3), (3900, 3100))
    assert texts(saved(desk, "JPEG", quality=70)) == [TEXT]


def test_several_codes_come_in_reading_order_each_once() -> None:
    parts = [f"shc:/{n}/3/{'5676290952432060346029243' * 6}" for n in (1, 2, 3)]
    a, b, c = (picture(part, module=3) for part in parts)
    found = read(saved(sheet((c, 60, 800), (a, 50, 90), (b, 800, 60), (a, 800, 800))))
    assert [(one.text, one.place) for one in found] == [
        (parts[0], "picture, code 1"),
        (parts[1], "picture, code 2"),
        (parts[2], "picture, code 3"),
    ]


def test_a_code_that_is_hard_to_see_is_not_lost_beside_an_easy_one() -> None:
    faint = picture("A FAINT CODE", module=6).point([140] * 128 + [200] * 128)
    page = sheet((picture(), 50, 50), (faint, 900, 500))
    page.paste(200, (850, 450, 900 + faint.width + 50, 500 + faint.height + 50))
    page.paste(faint, (900, 500))
    assert texts(saved(page)) == [TEXT, "A FAINT CODE"]


@pytest.mark.parametrize("name", ["MicroQRCode", "Aztec", "DataMatrix", "PDF417"])
def test_other_matrix_codes_are_read(name: str) -> None:
    text = "LANDBRIDGE" if name == "MicroQRCode" else "HC1:LANDBRIDGE 123"
    symbol = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, name))
    image = Image.fromarray(np.asarray(zxingcpp.write_barcode_to_image(symbol, scale=5)))
    (found,) = read(saved(ImageOps.expand(image, 30, 255)))
    assert (found.text, found.media) == (text, "qr")


def test_a_binary_payload_is_kept_byte_for_byte_and_text_beyond_ascii_is_text() -> None:
    payload = bytes(range(256))
    (found,) = read(qr.png(payload))
    assert found.data == payload
    assert read(qr.png("Сынақ қағазы é"))[0].text == "Сынақ қағазы é"
    assert read(qr.png("Сынақ".encode()))[0].text == "Сынақ"


def test_the_pages_of_a_scan_are_pictures_of_their_own() -> None:
    pages = [picture(text) for text in ("FIRST PAGE", "SECOND PAGE")]
    scan = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert [(one.text, one.place) for one in read(scan)] == [
        ("FIRST PAGE", "picture 1"),
        ("SECOND PAGE", "picture 2"),
    ]


def test_photographs_beyond_a_single_look_are_read_and_none_wrongly() -> None:
    ours = bare = 0
    for seed in (12, 16, 19, 23, 24, 29, 44, 55, 60, 61):
        text, photo = photograph(seed)
        bare += any(
            one.text == text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(photo)).convert("L"))
        )
        try:
            found = texts(photo, limits=Limits(seconds=2))
        except carrier.UnreadableCarrier:
            continue
        assert found == [text]
        ours += 1
    assert ours >= bare + 7


def test_a_picture_cut_off_is_read_as_far_as_it_goes() -> None:
    page = saved(sheet((picture(), 0, 0)), "JPEG")
    assert texts(page[: len(page) * 9 // 10]) == [TEXT]


# PDF


def pdf(*pages: Image.Image, text: str = "") -> PdfWriter:
    writer = PdfWriter()
    for page in pages:
        writer.append(PdfReader(io.BytesIO(saved(page.convert("L"), "PDF", resolution=150))))
    return writer


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_the_codes_of_a_pdf_come_page_by_page() -> None:
    first = sheet((picture("ONE"), 40, 40), (picture("TWO"), 700, 40), size=(1240, 1754))
    second = sheet((picture(TEXT, module=3), 300, 700), size=(1240, 1754))
    assert [(one.text, one.place, one.media) for one in read(written(pdf(first, second)))] == [
        ("ONE", "page 1, code 1", "qr"),
        ("TWO", "page 1, code 2", "qr"),
        (TEXT, "page 2, code 1", "qr"),
    ]


def test_what_is_attached_to_a_pdf_is_carried_too() -> None:
    writer = pdf(sheet(size=(300, 300)))
    writer.add_attachment("credential.json", b'{"type": ["VerifiableCredential"]}')
    writer.add_attachment("badge.png", qr.png("ATTACHED"))
    found = {(one.text, one.place, one.media) for one in read(written(writer))}
    assert found == {
        ('{"type": ["VerifiableCredential"]}', "attachment 2", "pdf-attachment"),
        ("ATTACHED", "attachment 1, picture", "qr"),
    }


def one_page(content: bytes, resources: bytes = b"<<>>", packed: bytes = b"") -> bytes:
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources" + resources + b">>",
        b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), packed, content),
    ]
    return (
        b"%PDF-1.7\n"
        + b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in enumerate(objects, 1))
        + b"trailer<</Root 1 0 R>>\n%%EOF"
    )


def test_a_credential_written_as_the_text_of_a_pdf_is_found() -> None:
    font = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    page = one_page(b"BT /F 6 Tf 10 700 Td (" + JWS.encode() + b") Tj ET", font)
    assert [(one.text, one.place) for one in read(page)] == [(JWS, "page 1, text")]


def test_a_pdf_that_cannot_be_read_says_why() -> None:
    writer = pdf(picture())
    writer.encrypt("a password", algorithm="RC4-128")
    assert refusal(written(writer)).code == "password-protected"
    assert refusal(b"%PDF-1.7 and nothing else").code == "damaged-pdf"
    assert refusal(written(pdf(sheet(size=(400, 400))))).code == "no-code"


@pytest.mark.parametrize("fault", ["spaces", "fills", "picture"])
def test_a_pdf_that_asks_for_gigabytes_or_hours_is_stopped(fault: str) -> None:
    packer = zlib.compressobj(9)
    if fault == "spaces":
        body = b"".join(packer.compress(b" " * 10_000_000) for _ in range(40)) + packer.flush()
        bomb = one_page(body, packed=b"/Filter/FlateDecode")
    elif fault == "fills":
        body = packer.compress(b"0 0 595 842 re f\n" * 2_000_000) + packer.flush()
        bomb = one_page(body, packed=b"/Filter/FlateDecode")
    else:
        bomb = one_page(b"595 0 0 842 0 0 cm BI /W 60000 /H 60000 /BPC 8 /CS /G ID  EI", packed=b"")
    started = time.monotonic()
    assert refusal(bomb, limits=Limits(seconds=1.0)).code in ("too-large", "no-code")
    assert time.monotonic() - started < 4


# badges


def test_a_badge_baked_into_a_png_is_unpacked() -> None:
    for keyword, zipped in (("openbadgecredential", False), ("openbadges", True)):
        info = PngImagePlugin.PngInfo()
        info.add_itxt(keyword, JWS, zip=zipped)
        found = read(saved(Image.new("RGB", (90, 90), "teal"), pnginfo=info))
        assert found == (Carried(text=JWS, data=JWS.encode(), place=f"chunk {keyword}", media="png-chunk"),)


def test_a_badge_baked_into_an_svg_is_unpacked() -> None:
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
    signed = f'<svg {space}><openbadges:credential verify="{JWS}"/><circle r="9"/></svg>'
    embedded = f'<svg {space}><openbadges:credential><![CDATA[ {{"a": 1}} ]]></openbadges:credential></svg>'
    assert read(signed.encode())[0] == Carried(
        text=JWS, data=JWS.encode(), place="element openbadges:credential", media="svg"
    )
    assert texts(b'<?xml version="1.0"?>\n' + embedded.encode()) == ['{"a": 1}']


# SVG


def test_a_code_drawn_in_svg_is_read_however_it_is_drawn() -> None:
    dark = np.argwhere(np.pad(qr.matrix("DRAWN AS SVG"), 4)).tolist()
    side = len(qr.matrix("DRAWN AS SVG")) + 8
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {side} {side}">'
    squares = "".join(f'<rect x="{x}" y="{y}" width="1" height="1"/>' for y, x in dark)
    strokes = "".join(f"M{x} {y}.5h1" for y, x in dark)
    dots = "".join(f"M{x} {y}.5a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0z" for y, x in dark)
    used = "".join(f'<use xlink:href="#m" x="{x}" y="{y}"/>' for y, x in dark)
    for shapes in (
        squares,
        f'<path stroke="#000" d="{strokes}"/>',
        f'<g style="fill:#123"><path d="{dots}"/></g>',
        f'<defs><path id="m" d="M0,0 l1,0 0,1 -1,0 z"/></defs>{used}',
        f'<clipPath id="c">{squares}</clipPath><rect width="{side}" height="{side}" clip-path="url(#c)"/>',
        f'<rect width="{side}" height="{side}" fill="black"/><g fill="white" transform="scale(1)">'
        + "".join(
            f'<rect x="{x}" y="{y}" width="1" height="1"/>'
            for y in range(side)
            for x in range(side)
            if [y, x] not in dark
        )
        + "</g>",
    ):
        assert texts(f"{head}{shapes}</svg>".encode()) == ["DRAWN AS SVG"]
    inside = base64.b64encode(qr.png("A PICTURE INSIDE")).decode()
    image = f'<image width="9" height="9" xlink:href="data:image/png;base64,{inside}"/>'
    assert texts(f"{head}{image}</svg>".encode()) == ["A PICTURE INSIDE"]


def test_an_svg_with_entities_or_without_end_is_refused() -> None:
    laughs = '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><svg><title>&b;</title></svg>'
    assert refusal(laughs.encode()).code == "damaged-picture"
    shapes = "".join(
        f'<g id="a{n}">{f"<use href={chr(34)}#a{n - 1}{chr(34)}/>" * 30}</g>' for n in range(1, 9)
    )
    nested = f'<svg viewBox="0 0 9 9"><rect id="a0" width="9" height="9"/>{shapes}</svg>'
    started = time.monotonic()
    assert refusal(nested.encode(), limits=Limits(seconds=0.5)).code == "no-code"
    assert time.monotonic() - started < 4


# what cannot be read


def png_of(width: int, height: int) -> bytes:
    """The head of a PNG that claims this size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def test_each_fault_has_its_own_name_and_says_what_to_do_next() -> None:
    noisy = picture().point(lambda value: value)
    ImageDraw.Draw(noisy).rectangle((100, 100, 300, 300), fill=128)
    for code, data in {
        "empty": b" \r\n\x00",
        "too-large": png_of(60_000, 60_000) + b"\0\0\0\4IDAT" + b"\0" * 8,
        "damaged-picture": png_of(60, 60) + b"\0\0\0\0IEND",
        "unsupported-picture": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "no-code": saved(Image.new("RGB", (300, 300), "teal")),
        "unreadable-code": saved(noisy),
    }.items():
        assert refusal(data).code == code
    assert refusal(b"x" * 101, limits=Limits(size=100)).code == "too-large"
    assert refusal("\n".join([TEXT] * 300).encode()).code == "too-large"


def test_a_picture_full_of_false_corners_takes_no_longer_than_allowed() -> None:
    finder = np.pad(np.zeros((7, 7), np.uint8), 1, constant_values=255)
    finder[2:7, 2:7] = 255
    finder[3:6, 3:6] = 0
    started = time.monotonic()
    refusal(saved(Image.fromarray(np.tile(finder, (150, 150)))), limits=Limits(seconds=1))
    assert time.monotonic() - started < 4


def test_threads_may_read_at_the_same_time() -> None:
    found: list[str | None] = []
    data = qr.png(TEXT)
    threads = [threading.Thread(target=lambda: found.extend(texts(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [TEXT] * 8


SEEDS = [
    qr.png("A SEED", module=2),
    saved(picture("A SEED", module=2), "JPEG"),
    saved(picture("A SEED", module=2), "GIF"),
    saved(picture("A SEED", module=2), "TIFF"),
    qr.svg("A SEED", error_correction="L").encode(),
    TEXT.encode(),
    json.dumps([{"a": 1}, JWS]).encode(),
]
QUICK = Limits(seconds=0.05)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=600) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_carried_or_refused_by_name(data: bytes) -> None:
    try:
        assert read(data, limits=QUICK)
    except carrier.UnreadableCarrier:
        return


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_any_damaged_file_is_carried_or_refused_by_name(seed: bytes, dice: random.Random) -> None:
    data = bytearray(seed)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data))
        match dice.randrange(4):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                del data[at:]
            case 2:
                data[at:at] = dice.randbytes(dice.randint(1, 9))
            case _:
                data[at : at + dice.randint(1, 9)] = b""
        if not data:
            break
    try:
        assert read(bytes(data), limits=QUICK)
    except carrier.UnreadableCarrier:
        return


def test_any_damaged_pdf_is_carried_or_refused_by_name() -> None:
    whole = written(pdf(picture("A SEED", module=2)))
    dice = random.Random(3)
    for _ in range(6):
        data = bytearray(whole)
        for _ in range(10):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            assert read(bytes(data), limits=Limits(seconds=1))
        except carrier.UnreadableCarrier:
            return


# codes made


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_each_level_holds_what_the_standard_says_and_no_more(level: qr.Level) -> None:
    digits, alphanumeric, plain = qr.CAPACITY[level]
    for unit, most in (("7", digits), ("A", alphanumeric), ("a", plain)):
        assert qr.matrix(unit * most, error_correction=level).shape == (177, 177)
        with pytest.raises(qr.CannotBeCoded, match=f"{most:,}") as caught:
            qr.matrix(unit * (most + 3), error_correction=level)
        assert caught.value.code == "qr-too-large"
        assert caught.value.hint
    with pytest.raises(qr.CannotBeCoded):
        qr.matrix("")
    with pytest.raises(qr.CannotBeCoded, match="none of L, M, Q, H"):
        qr.matrix("A", error_correction="X")  # type: ignore[arg-type]


def test_the_smallest_version_is_taken() -> None:
    assert qr.matrix(certificate(random.Random(1), 604)).shape == (
        93,
        93,
    )  # version 19, as the specification has it
    assert qr.matrix("shc:/" + "5" * 2385, error_correction="L").shape == (105, 105)  # version 22
    assert len(qr.matrix("1" * 41, error_correction="L")) == 21


def test_an_svg_says_what_it_is_scales_and_is_read() -> None:
    drawn = qr.svg(TEXT, title='Test <result> & "more"', description="valid until 2031")
    root = fromstring(drawn)  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'Test <result> & "more"'
    assert root.get("viewBox") == f"0 0 {len(qr.matrix(TEXT)) + 8} {len(qr.matrix(TEXT)) + 8}"
    assert [element.text for element in root][:2] == ['Test <result> & "more"', "valid until 2031"]
    assert "currentColor" not in drawn
    assert texts(drawn.encode()) == [TEXT]


@pytest.mark.parametrize(("level", "share"), [("Q", 0.10), ("H", 0.15)])
@pytest.mark.parametrize("characters", [60, 350, 604])
def test_a_printed_code_survives_a_stain_and_scattered_specks(
    characters: int, level: qr.Level, share: float
) -> None:
    """A stain of this share of the whole symbol, that is of about twice the share of its codewords; the standard
    promises 25 % of codewords at Q and 30 % at H."""
    for seed in range(3):
        dice = random.Random(seed)
        text = certificate(dice, characters)
        stained = qr.matrix(text, error_correction=level).copy()
        side = len(stained)
        stain = round(side * share**0.5)
        top, left = (dice.randint(9, max(9, side - 9 - stain)) for _ in range(2))
        stained[top : min(top + stain, side - 9), left : min(left + stain, side - 9)] = False
        specked = qr.matrix(text, error_correction=level).copy()
        specked[9:-9, 9:-9] ^= np.random.default_rng(seed).random((side - 18, side - 18)) < 0.02
        for modules in (stained, specked):
            shown = Image.fromarray(
                np.where(np.pad(modules, 4), 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
            )
            assert texts(saved(shown)) == [text]


# the suites


def test_the_pictures_of_the_member_states_test_data_are_read(shared_data: Path) -> None:
    folder = shared_data / "prove" / "dgc-testdata"
    if not folder.is_dir():
        pytest.skip("not run: no dgc-testdata here")
    files = sorted(folder.rglob("*.json"))
    count = 0
    for file in files[::10] + [file for file in files if file.name == "Q1.json"]:
        case = json.loads(file.read_text("utf-8-sig"))
        wanted = case.get("EXPECTEDRESULTS", {}).get("EXPECTEDPICTUREDECODE")
        if wanted is None or "2DCODE" not in case:
            continue
        count += 1
        try:
            found = texts(base64.b64decode(case["2DCODE"]))
        except carrier.UnreadableCarrier:
            found = []
        assert (case["PREFIX"] in found) is wanted, file.name
    assert count > 40


def test_the_pictures_of_the_smart_health_card_suites_are_read(shared_data: Path) -> None:
    folder = shared_data / "prove" / "shc-dev-tools" / "testdata"
    examples = shared_data / "prove" / "shc-spec-examples"
    if not folder.is_dir() or not examples.is_dir():
        pytest.skip("not run: no smart health card suites here")
    for file in sorted([*folder.glob("*.png"), *folder.glob("*.jpg")]):
        if "corrupted" in file.name:
            assert refusal(file.read_bytes()).code == "unreadable-code"
        else:
            assert read(file.read_bytes())[0].text.startswith(("shc:/", "shlink:/")), file.name  # type: ignore[union-attr]
    for file in sorted(examples.rglob("*.svg")):
        spelt = file.name.replace("-g-qr-code-", "-f-qr-code-numeric-value-").replace(".svg", ".txt")
        (numeric,) = examples.rglob(spelt)
        assert texts(file.read_bytes()) == [numeric.read_text().strip()]
