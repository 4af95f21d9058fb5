"""A saved search is its own short address: nothing is stored, nothing can be slipped in, old ones stay good."""

import base64
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import LandbridgeError, NotFound, UsageError
from landbridge.portal import saved
from landbridge.portal.saved import forget, keep, kept, open_saved, save, written

# Given away: these must open for ever.
GIVEN_AWAY = {
    "AKwTGcU4KMAUCVYAVI6QAz6nQ": {"q": ["welder"], "in": ["kz,ru"], "sort": ["date"]},
    "CK7T9-OjBh58vXkGlD7x-8-DTb4Q8ALxnsw": {"q": ["сварщик"], "place": ["Алматы"], "sort": ["date"]},
    "CK7R9suvt01dPP7x--vnHZoQ4ALl0XQ": {"q": ["дәнекерлеуші"], "sort": ["date"]},
    "B21No276tZeql-dtmIQQB96BP": {"q": ["ជាងផ្សារ"], "sort": ["date"]},
    "DK7TdtWPnEu2T53ctRggCAKJbjQ": {"q": ["焊工 上海"], "sort": ["date"]},
    "AK7TNA0ZKKlTSCeiM7PxsJIfBFeJONPAIBQDE9v8": {
        "q": ["nurse"],
        "place": ["Bangkok"],
        "radius": ["50"],
        "sort": ["date"],
        "contract": ["permanent"],
        "hours": ["full-time"],
    },
    "AK7R1VjVyAiJtVSMz7eR8bVVjF22g21SNTBGB7lmUnweWD87PK9bR9ilJAQCwcf0": {
        "q": ["C++ & co = 100%"],
        "employer": ["Iron & Sons, Ltd"],
    },
    "AAwBa5WE": {},
}
NAMES = st.sampled_from(["q", "in", "place", "employer", "pay", "contract", "lang", "since", "sort"])
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@pytest.mark.parametrize("token", GIVEN_AWAY)
def test_a_token_that_was_given_away_opens_for_ever(token: str) -> None:
    assert open_saved(token) == GIVEN_AWAY[token]


@given(st.dictionaries(NAMES, st.lists(WORDS, min_size=1, max_size=3), max_size=4))
@settings(max_examples=300, deadline=None)
def test_every_question_comes_back_from_its_token(params: dict[str, list[str]]) -> None:
    opened = open_saved(save(params))
    assert written(opened) == written(params)
    assert save(opened) == save(params)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_what_is_no_token_is_refused_in_words(text: str) -> None:
    with pytest.raises(NotFound) as caught:
        open_saved(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "params",
    [
        {"q": ["welder"], "in": ["kz", "ru"], "sort": ["date"]},
        {"q": ["сварщик"], "place": ["Алматы"], "sort": ["date"]},
        {"q": ["accountant"], "place": ["Hanoi"], "radius": ["50"], "sort": ["date"]},
        {"q": ["ช่างเชื่อม"], "place": ["ระยอง"], "sort": ["date"]},
        {"q": ["لحام"], "in": ["de"], "sort": ["date"]},
        {"q": ["եռակցող"], "contract": ["permanent"], "sort": ["date"]},
    ],
    ids=lambda params: params["q"][0],
)
def test_a_usual_question_takes_at_most_forty_characters(params: dict[str, list[str]]) -> None:
    assert len(save(params)) <= 40


def test_questions_that_come_to_the_same_have_one_token() -> None:
    asked = {"sort": ["date"], "q": ["pipe  welder "], "in": ["kz", "ru"]}
    same = {
        "kind": ["vacancy"],
        "q": ["pipe welder"],
        "in": ["ru,kz", "ru"],
        "currency": ["EUR"],
        "radius": ["50"],
        "period": ["month"],
        "cursor": ["kg"],
        "limit": ["20"],
        "facets": ["country"],
        "explain": ["1"],
        "place": [""],
        "sort": ["date"],
    }
    assert save(asked) == save(same)


def test_a_comma_in_a_name_stays() -> None:
    assert open_saved(save({"employer": ["Iron & Sons, Ltd"]})) == {"employer": ["Iron & Sons, Ltd"]}


def test_no_altered_and_no_cut_token_opens() -> None:
    token = save({"q": ["welder"], "in": ["kz"], "sort": ["date"]})
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    altered = {token[:n] + c + token[n + 1 :] for n in range(len(token)) for c in letters} - {token}
    cut = {token[:n] for n in range(len(token))} | {token[n:] for n in range(1, len(token))}
    for wrong in [*altered, *cut, token + "A", token + "=", f" {token}", f"{token}\n"]:
        with pytest.raises(NotFound):
            open_saved(wrong)


def test_a_token_of_a_newer_version_says_so() -> None:
    with pytest.raises(NotFound, match="newer version"):
        open_saved("Z" + save({"q": ["welder"]})[1:])


def test_a_token_cannot_unfold_into_a_flood() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b"q=" + b"a" * 500_000) + packer.flush()
    token = "A" + base64.urlsafe_b64encode(bomb + b"xyz").decode().rstrip("=")
    assert len(token) < saved.LONGEST
    with pytest.raises(NotFound):
        open_saved(token)


def test_too_long_a_question_is_not_saved() -> None:
    with pytest.raises(UsageError, match="too long"):
        save({"q": ["".join(chr(0x4E00 + n) for n in range(3_000))]})


def test_a_device_keeps_twelve_searches_the_newest_first() -> None:
    tokens = [save({"q": [f"welder {n}"]}) for n in range(15)]
    cookie = ""
    for token in tokens:
        cookie = keep(cookie, token)
    assert kept(cookie) == tokens[:2:-1]
    again = keep(cookie, tokens[7])
    assert kept(again)[0] == tokens[7]
    assert len(kept(again)) == 12
    assert tokens[9] not in kept(forget(cookie, tokens[9]))
    assert len(kept(forget(cookie, tokens[9]))) == 11


def test_a_cookie_never_outgrows_what_browsers_take() -> None:
    cookie = ""
    for n in range(20):
        words = " ".join(f"{chr(0x4E00 + 37 * n + m)}{m * n}" for m in range(90))
        cookie = keep(cookie, save({"q": [words]}))
    assert len(cookie) < 4_000
    assert len(kept(cookie)) > 1


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ".",
        "...",
        "a.b.c",
        "\x00",
        "é" * 50,
        "A" * 10_000,
        "../../etc/passwd",
        "<script>.%00",
        "searches=1",
    ],
)
def test_a_hostile_cookie_holds_nothing(cookie: str) -> None:
    assert kept(cookie) == []
    token = save({"q": ["welder"]})
    assert kept(f"{cookie[:2_000]}.{token}") == [token]
    assert kept(keep(cookie, token)) == [token]


def test_nothing_but_a_token_is_kept() -> None:
    with pytest.raises(LandbridgeError):
        keep("", "not one of ours")
