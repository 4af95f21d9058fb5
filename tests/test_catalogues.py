"""The interface speaks every one of its languages, without a hole and in one voice."""

import re
import tomllib
import unicodedata

import pytest
from babel import Locale
from babel.messages.catalog import Catalog

from landbridge.kinds.kind import LANGUAGES
from landbridge.portal import catalogue
from landbridge.portal.languages import reader

OTHERS = [one for one in LANGUAGES if one != "en"]
SCRIPTS = {
    **dict.fromkeys(("ru", "kk", "ky", "be"), "CYRILLIC"),
    "hy": "ARMENIAN",
    "th": "THAI",
    "km": "KHMER",
    "lo": "LAO",
    "my": "MYANMAR",
    "zh": "CJK",
    "ar": "ARABIC",
}


@pytest.fixture(scope="module")
def messages() -> Catalog:
    return catalogue.template()


def _parts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


@pytest.mark.parametrize("language", OTHERS)
def test_no_catalogue_has_a_hole(language: str) -> None:
    assert list(catalogue.holes(language)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_keeps_the_places_of_its_message(language: str, messages: Catalog) -> None:
    own = catalogue.read(language)
    for message in own:
        wanted = set(re.findall(r"{(\w+)}", " ".join(_parts(message.id))))
        for said in _parts(message.string):
            found = set(re.findall(r"{(\w+)}", said))
            assert found <= wanted, (message.id, said)
            assert wanted - found <= {"n"}, (message.id, said)
            assert said.count("{") == said.count("}") == len(re.findall(r"{\w+}", said)), said
    assert {m.id for m in own} <= {m.id for m in messages} | {""}


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_a_translation_is_written_in_the_script_of_its_language(language: str) -> None:
    for message in catalogue.read(language):
        for said in _parts(message.string) if message.id else ():
            plain = re.sub(r"{\w+}|[A-Za-z0-9]", "", said)
            letters = [c for c in plain if c.isalpha()]
            if letters:
                assert any(SCRIPTS[language] in unicodedata.name(c) for c in letters), said
                strange = [c for c in letters if SCRIPTS[language] not in unicodedata.name(c)]
                assert not strange, (said, strange)


@pytest.mark.parametrize("language", OTHERS)
def test_a_term_of_the_glossary_is_the_same_word_in_the_catalogue(language: str) -> None:
    glossary = tomllib.loads((catalogue.FOLDER / "glossary.toml").read_text("utf-8"))
    text = reader(language).text
    for term, message in (("register", "Register"), ("region", "Region")):
        word = glossary[term][language].casefold()
        assert (
            text(message).casefold() in {word, f"ال{word}", f"{word}ը", f"{word}ն"}
            or word[:4] == text(message).casefold()[:4]
        ), (term, language)
    assert all(set(words) == set(OTHERS) for words in glossary.values())


MANY = (
    "{n} entry of {members}, in one answer that says who answered.",
    "{n} entries of {members}, in one answer that says who answered.",
)


def test_plural_rules_are_those_of_the_language() -> None:
    def members(language: str, *counts: int) -> int:
        said = (reader(language).plural(*MANY, n, members="") for n in counts)
        return len({re.sub(r"\d", "", one) for one in said})

    assert members("ru", 1, 2, 5) == members("be", 1, 2, 5) == 3
    assert members("ru", 1, 21, 101) == 1
    assert members("ar", 0, 1, 2, 3, 11) == 5
    assert members("de", 1, 2) == 2
    assert members("vi", 1, 2, 5) == 1


def test_numbers_dates_and_countries_are_written_as_the_language_writes_them() -> None:
    assert reader("de").number(1234567.5) == "1.234.567,5"
    assert reader("ru").number(1234567) == "1\xa0234\xa0567"
    assert reader("en").date("2026-11-01") == "Nov 1, 2026"
    assert "2026" in reader("th").date("2026-11-01")
    assert reader("kk").country("KZ") == "Қазақстан"
    assert reader("zh").country("VN") == "越南"
    assert reader("ar").dir == "rtl"
    for language in LANGUAGES:
        assert Locale.parse(language)
        assert reader(language).country("TH") not in {"", "TH"}
