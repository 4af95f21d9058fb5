"""Suggestions are what the records really have, from any letter of any script, the most frequent first."""

import time
from collections.abc import Iterator

import pytest

from landbridge.instance import Instance
from tests.visits import Visitor, share, union, visitor


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = union(tmp_path_factory.mktemp("union"), xa=("Altania", "en"), xb=("Berilia", "ru"))
    towns = [("Almaty", "Kazakhstan")] * 3 + [("Astana", "Kazakhstan")] * 5 + [("Москва", "Россия")]
    share(
        found,
        "xa",
        *({"id": f"{n}", "title": "Welder", "town": t, "country": c} for n, (t, c) in enumerate(towns)),
    )
    share(found, "xb", {"id": "1", "title": "Сварщик", "town": "Астана", "country": "Казахстан"})
    yield found
    found.close()


def suggested(instance: Instance, text: str, **more: str) -> list[str]:
    """What is suggested once the list is made, which happens beside the first request."""
    until = time.monotonic() + 20
    instance.suggest(text, "vacancy", **more)
    while "vacancy" in instance._suggester._making or "vacancy" not in instance._suggester._kept:
        assert time.monotonic() < until
        time.sleep(0.01)
    return [one.text for one in instance.suggest(text, "vacancy", **more)]


def test_a_beginning_gives_what_has_it_the_most_frequent_first(instance: Instance) -> None:
    assert suggested(instance, "a")[:2] == ["Astana", "Almaty"]
    assert suggested(instance, "ALMA") == ["Almaty"]
    assert suggested(instance, "xyz") == []
    assert suggested(instance, "  ") == []


def test_suggestions_can_be_of_one_field(instance: Instance) -> None:
    assert suggested(instance, "a", field="city")[:1] == ["Astana"]
    assert suggested(instance, "a", field="skills") == []


def test_titles_of_occupations_come_in_the_language_of_the_reader(instance: Instance) -> None:
    """They are of those occupations that records are linked to: here welders, nine in English and one in Russian."""
    assert "welder" in suggested(instance, "weld", language="en")
    assert "сварщик" in suggested(instance, "сварщ", language="ru")
    assert suggested(instance, "сварщ", language="en")  # where there is nothing else
    found = instance.suggest("welder", "vacancy", language="en")
    assert {(s.field, s.count, s.language) for s in found if s.text == "welder"} == {("occupation", 10, "en")}
    assert suggested(instance, "plumber", language="en") == []


def test_a_list_follows_its_records(instance: Instance) -> None:
    assert "Bishkek" not in suggested(instance, "bish")
    share(instance, "xb", {"id": "2", "title": "Cook", "town": "Bishkek", "country": "Kyrgyzstan"})
    suggested(instance, "bish")
    assert suggested(instance, "bish") == ["Bishkek"]


def test_the_api_answers_and_says_what_is_wrong(instance: Instance) -> None:
    api: Visitor = visitor(instance)
    suggested(instance, "alm")
    reply = api.get("/api/v1/suggest?q=alm")
    assert reply.json == [{"text": "Almaty", "field": "city", "count": 3}]
    for query, status in (("field=nothing", 400), ("kind=course", 400), ("limit=3", 400), ("lang=x_", 400)):
        assert api.get(f"/api/v1/suggest?q=a&{query}").status == status
    (welder,) = (s for s in api.get("/api/v1/suggest?q=welder&lang=en").json if s["text"] == "welder")
    assert (welder["field"], welder["language"]) == ("occupation", "en")
    assert api.get("/suggest.json?q=alm").json[:2] == ["alm", ["Almaty"]]
