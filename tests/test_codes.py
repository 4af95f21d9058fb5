"""Countries, languages and currencies have one code each, however a register writes them."""

import pytest

from landbridge import codes
from landbridge.kinds.kind import LANGUAGES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("KZ", "KZ"),
        ("kz", "KZ"),
        ("KAZ", "KZ"),
        ("398", "KZ"),
        ("4", "AF"),  # numeric, its zeros lost in a spreadsheet
        ("EL", "GR"),
        ("UK", "GB"),
        ("Казахстан", "KZ"),
        ("РОССИЯ", "RU"),
        ("Российская Федерация", "RU"),
        ("Việt Nam", "VN"),
        ("Viet Nam", "VN"),
        ("ประเทศไทย", "TH"),
        ("ປະເທດລາວ", "LA"),
        ("ប្រទេសកម្ពុជា", "KH"),
        ("မြန်မာနိုင်ငံ", "MM"),
        ("中国", "CN"),
        ("中國", "CN"),
        ("Հայաստան", "AM"),
        ("Oʻzbekiston", "UZ"),
        ("Ўзбекистон", "UZ"),
        ("Deutschland", "DE"),
        ("Trinidad and Tobago", "TT"),
        ("the Philippines", "PH"),
        ("Korea, Republic of", "KR"),
        ("Côte d’Ivoire", "CI"),
        ("Myanmar (Burma)", "MM"),
        ("Республика Бенин", "BJ"),
        ("Республика Алтай", ""),
        ("NGA", "NG"),
        ("Nga", "RU"),  # Vietnamese
        ("Áo", "AT"),
        ("Altania", ""),
        ("", ""),
    ],
)
def test_a_country_is_known_by_its_codes_and_by_its_names(text: str, code: str) -> None:
    assert codes.country(text) == code


def test_the_user_assigned_codes_are_countries_of_their_own() -> None:
    assert codes.country("XA") == "XA"
    assert codes.country("xz") == "XZ"
    assert codes.country_name("XA", "ru") == "XA"


@pytest.mark.parametrize("text", ["EU", "UN", "ZZ", "QO", "AA", "SU", "001"])
def test_what_is_no_country_has_no_code(text: str) -> None:
    assert codes.country(text) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_of_a_country_leads_back_to_it(language: str) -> None:
    strange = {
        code: name
        for code in codes.countries()
        if codes.country(name := codes.country_name(code, language)) != code
    }
    assert strange == {}


def test_there_are_as_many_countries_as_iso_lists_and_kosovo() -> None:
    assert len(codes.countries()) == 249 + 1


def test_a_country_has_a_name_in_the_language_asked_for_or_in_english() -> None:
    assert codes.country_name("KZ", "ru") == "Казахстан"
    assert codes.country_name("VN", "vi") == "Việt Nam"
    assert codes.country_name("VN", "no-such-language") == "Vietnam"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("zh_Hans_CN", "zh"),
        ("eng", "en"),
        ("ger", "de"),
        ("in", "id"),
        ("tl", "fil"),
        ("русский", "ru"),
        ("Русский язык", "ru"),
        ("tiếng Việt", "vi"),
        ("қазақ тілі", "kk"),
        ("ภาษาไทย", "th"),
        ("英语", "en"),
        ("Norwegian", "no"),
        ("und", ""),
        ("Altanian", ""),
    ],
)
def test_a_language_is_known_by_its_tags_and_by_its_names(text: str, code: str) -> None:
    assert codes.language(text) == code


def test_a_language_has_a_name_in_the_language_asked_for() -> None:
    assert codes.language_name("kk", "ru") == "казахский"
    assert codes.language_name("zh-Hans", "en") == "Chinese"
    assert codes.language_name("qqq", "en") == "qqq"


def test_only_money_in_force_is_a_currency() -> None:
    assert [codes.currency(c) for c in ("KZT", "vnd", "BYN", "EUR")] == ["KZT", "VND", "BYN", "EUR"]
    assert [codes.currency(c) for c in ("RUR", "DEM", "XXX", "руб.", "")] == [""] * 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hà Nội", "HA-NOI"),
        ("Орёл", "орел"),
        ("St. Gallen", "Saint Gallen"),
        ("LALEVADE D ARDECHE", "Lalevade-d’Ardèche"),
        ("ຫຼວງພະບາງ", "ຫລວງພະບາງ"),
        ("Ｔｏｋｙｏ", "tokyo"),
    ],
)
def test_names_that_differ_only_in_dress_are_folded_to_one(one: str, other: str) -> None:
    assert codes.fold(one) == codes.fold(other)


@pytest.mark.parametrize("word", ["ที่", "ភ្នំពេញ", "မြို့", "किताब"])
def test_folding_leaves_the_vowel_signs_of_a_script(word: str) -> None:
    assert codes.fold(word) == word
