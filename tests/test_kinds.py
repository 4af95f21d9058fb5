"""The words of the kinds: every label in every interface language, in that language's script."""

import unicodedata
from collections.abc import Iterator

import pytest

from landbridge.kinds.kind import LANGUAGES, Kind, Words, read_kinds

KINDS = read_kinds()
SCRIPT = {  # the first word of the Unicode names of a language's letters
    **dict.fromkeys(["ru", "kk", "ky", "be"], "CYRILLIC"),
    **dict.fromkeys(["en", "uz", "vi", "id", "ms", "fil", "fr", "de", "es"], "LATIN"),
    "hy": "ARMENIAN", "th": "THAI", "km": "KHMER", "lo": "LAO", "my": "MYANMAR", "zh": "CJK", "ar": "ARABIC",
}  # fmt: skip


def _labels(kind: Kind) -> Iterator[tuple[str, Words]]:
    yield "label", kind.label
    yield "plural", kind.plural
    for field in kind.fields.values():
        yield field.name, field.label
        for code, words in field.values.items():
            yield f"{field.name}.{code}", words


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(sign).split()[0] for sign in text if sign.isalpha()} - {"MODIFIER"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_no_label_has_a_hole(kind: Kind) -> None:
    for name, words in _labels(kind):
        assert list(words) == LANGUAGES, f"{kind.name}.{name} lacks {set(LANGUAGES) - words.keys()}"
        assert all(word and word == word.strip() for word in words.values()), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_labels_are_in_the_script_of_their_language(kind: Kind, language: str) -> None:
    for name, words in _labels(kind):
        assert _scripts(words[language]) == {SCRIPT[language]}, f"{name}: {words[language]}"
        assert words[language] == unicodedata.normalize("NFC", words[language]), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_what_is_different_is_called_differently(kind: Kind, language: str) -> None:
    for field in kind.fields.values():
        words = [value[language] for value in field.values.values()]
        assert len(set(words)) == len(words), f"{field.name}: {words}"
    labels = [field.label[language] for field in kind.fields.values()]
    assert len(set(labels)) == len(labels), sorted(labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_the_same_is_called_the_same_in_both_kinds(language: str) -> None:
    vacancy, candidate = KINDS["vacancy"], KINDS["candidate"]
    for name in vacancy.fields.keys() & candidate.fields.keys():
        ours, theirs = vacancy.fields[name].values, candidate.fields[name].values
        for code in ours.keys() & theirs.keys():
            assert ours[code][language] == theirs[code][language], f"{name}.{code}"


def test_letters_that_only_look_like_those_of_the_language_are_not_used() -> None:
    uzbek = "".join(words["uz"] for kind in KINDS.values() for _, words in _labels(kind))
    assert not set(uzbek) & set("'‘’`"), "oʻ and gʻ are written with ʻ (U+02BB), the stop with ʼ (U+02BC)"
    assert "ʻ" in uzbek
    for language, letters in {"kk": "әғқңөұүһі", "ky": "ңөү", "be": "ўі"}.items():
        text = "".join(words[language] for kind in KINDS.values() for _, words in _labels(kind)).lower()
        assert set(text) & set(letters)
        assert not set(text) & {"be": set("иъщ"), "ky": set("әғқұһі"), "kk": set()}[language]
