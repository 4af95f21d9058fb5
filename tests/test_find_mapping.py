"""A row becomes values: every rule of [map] and [values], and what a source file is told when it is wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest

from landbridge.errors import BadValue, MissingField, RowError, SourceFileError, UnknownValue, UnmappedField
from landbridge.find.mapping import Mapped, Mapper, read_row
from landbridge.find.source import parse_source
from landbridge.kinds.kind import read_kinds

AT = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = read_kinds()


def mapper(lines: str, *, top: str = "", language: str = '"en"') -> Mapper:
    text = (
        f'title = "Test"\nkind = "vacancy"\ndeletes = "none"\nlanguage = {language}\n{top}\n[map]\n{lines}\n'
    )
    source = parse_source(text, KINDS, member="xa", name="jobs")
    return Mapper(source, KINDS["vacancy"])


def mapped(lines: str, row: Any, **how: str) -> Mapped:
    return read_row(
        mapper(f'id = "id"\ntitle = "t"\n{lines}', **how), {"id": "1", "t": "Welder", **row}, at=AT
    )


def value(name: str, lines: str, row: Any, **how: str) -> Any:
    return getattr(mapped(lines, row, **how).values, name)


def fault(lines: str, row: Any, **how: str) -> RowError:
    with pytest.raises(RowError) as caught:
        mapped(lines, row, **how)
    return caught.value


# paths, lists, parts


def test_a_path_leads_into_an_object() -> None:
    assert (
        value("employer", 'employer = "company.name"', {"company": {"name": "Probe Ltd"}}).name == "Probe Ltd"
    )


def test_a_dot_in_a_name_is_written_with_a_backslash() -> None:
    assert value("employer", r"employer = 'company\.name'", {"company.name": "Probe Ltd"}).name == "Probe Ltd"


def test_a_number_picks_one_element_of_a_list() -> None:
    assert (
        value("employer", 'employer = "firms.1"', {"firms": ["First Probe", "Second Probe"]}).name
        == "Second Probe"
    )


def test_a_path_through_a_list_gathers_all_of_it() -> None:
    skills = value("skills", 'skills = "skills.name"', {"skills": [{"name": "TIG"}, {"name": "MIG"}]})
    assert [s.text for s in skills] == ["TIG", "MIG"]


def test_a_list_of_paths_gathers_the_values_of_a_field_that_holds_many() -> None:
    skills = value("skills", 'skills = ["a", "b"]', {"a": ["TIG"], "b": ["MIG", "TIG"]})
    assert [s.text for s in skills] == ["TIG", "MIG"]


def test_a_part_of_such_a_field_takes_the_first_path_that_holds_something() -> None:
    lines = 'places.city = ["address.city", "area.name"]'
    both = {"address": {"city": "Minsk"}, "area": {"name": "Brest"}}
    assert [p.city for p in value("places", lines, both, top='country = "BY"')] == ["Minsk"]
    second = {"address": None, "area": {"name": "Brest"}}
    assert [p.city for p in value("places", lines, second, top='country = "BY"')] == ["Brest"]
    hollow = {"address": [{"city": ""}, {"city": None}], "area": {"name": "Brest"}}
    assert [p.city for p in value("places", lines, hollow, top='country = "BY"')] == ["Brest"]


def test_a_list_of_paths_takes_the_first_that_is_present_for_a_single_value() -> None:
    lines = 'published = ["updated", "created"]'
    assert value("published", lines, {"updated": "", "created": "2026-10-02"}) == "2026-10-02"
    assert value("published", lines, {"updated": "2026-10-03", "created": "2026-10-02"}) == "2026-10-03"


def test_a_list_of_paths_joins_texts_and_says_nothing_twice() -> None:
    lines = 'description = ["duties", "terms", "again"]'
    row = {"duties": "Weld pipes.", "terms": "Shifts.", "again": "Shifts."}
    assert value("description", lines, row) == "Weld pipes.\n\nShifts."


def test_a_constant_needs_no_field_of_theirs() -> None:
    assert value("contract", 'contract = { const = "permanent" }', {}) == ("permanent",)


def test_split_cuts_one_string_into_many() -> None:
    skills = value("skills", "skills = { path = 's', split = '\\s*;\\s*' }", {"s": "TIG ; MIG;"})
    assert [s.text for s in skills] == ["TIG", "MIG"]


def test_find_keeps_the_first_group_and_leaves_the_rest_empty() -> None:
    lines = "published = { path = 'when', find = 'since (\\S+)' }"
    assert value("published", lines, {"when": "since 2026-10-02"}) == "2026-10-02"
    assert not value("published", lines, {"when": "always"})


def test_parts_are_zipped_where_the_row_holds_lists_of_them() -> None:
    lines = 'skills.text = "s.name"\nskills.code = "s.code"\nskills.scheme = { const = "esco" }'
    skills = value("skills", lines, {"s": [{"name": "TIG", "code": "a1"}, {"name": "MIG"}]})
    assert [(s.text, s.code, s.scheme) for s in skills] == [("TIG", "a1", "esco"), ("MIG", "", "")]


def test_lists_of_lists_along_a_path_are_one_list() -> None:
    nested = {"groups": [{"skills": [["TIG"], ["MIG", ["MAG"]]]}, {"skills": "Crane"}]}
    skills = value("skills", 'skills = "groups.skills"', nested)
    assert [s.text for s in skills] == ["TIG", "MIG", "MAG", "Crane"]
    objects = {"skills": [[{"name": "TIG"}], [{"name": "MIG", "level": 3}]]}
    error = fault('skills = "skills.name"', objects)
    assert error.field == "skills.level"  # type: ignore[attr-defined]
    (only,) = value("skills", 'skills = "s"', {"s": [["TIG"]]})
    assert only.text == "TIG"


def test_an_address_is_made_of_an_identifier() -> None:
    made = 'url = { path = "id", form = "https://jobs.example/{}/view" }'
    assert value("url", made, {}) == "https://jobs.example/1/view"
    assert value("url", made, {"id": "A/7 b"}) == "https://jobs.example/A%2F7%20b/view"
    found = "url = { path = 'ref', find = '\\d+', form = 'https://jobs.example/{}' }"
    assert value("url", found, {"ref": "No. 77"}) == "https://jobs.example/77"
    assert not value("url", found, {"ref": "none"})


def test_a_word_is_told_apart_by_the_path_it_stands_at() -> None:
    lines = 'remote = ["home", "mixed"]\n[values.remote]\n"home=true" = "remote"\n"mixed=true" = "hybrid"\n"false" = ""'
    assert value("remote", lines, {"home": True, "mixed": False}) == ("remote",)
    assert value("remote", lines, {"home": True, "mixed": True}) == ("remote", "hybrid")
    assert not value("remote", lines, {"home": False, "mixed": False})
    strict = lines.replace('\n"mixed=true" = "hybrid"', "")
    error = fault(strict, {"home": False, "mixed": True})
    assert isinstance(error, UnknownValue)
    assert "mixed='true' is not in [values.remote]" in str(error)


# languages


def test_a_text_in_several_languages_keeps_its_translations() -> None:
    source = mapper('id = "id"\ntitle.ru = "nameRu"\ntitle.kk = "nameKk"', language='["ru", "kk"]')
    found = source.read({"id": 1, "nameRu": "Сварщик", "nameKk": "Дәнекерлеуші"}, at=AT)
    assert (found.values.title, found.language) == ("Сварщик", "ru")
    assert found.translations == {"kk": {"title": "Дәнекерлеуші"}}


def test_a_text_only_in_the_second_language_is_in_that_language() -> None:
    source = mapper('id = "id"\ntitle.ru = "nameRu"\ntitle.kk = "nameKk"', language='["ru", "kk"]')
    found = source.read({"id": 1, "nameRu": "", "nameKk": "Дәнекерлеуші"}, at=AT)
    assert (found.values.title, found.language, found.translations) == ("Дәнекерлеуші", "kk", {})


def test_the_registers_own_word_for_a_language_is_translated() -> None:
    lines = 'language = "lang"\n[values.language]\n"Russian" = "ru"'
    assert mapped(lines, {"lang": "Russian"}, language='["ru", "kk"]').language == "ru"


# what may be kept


def test_link_only_keeps_the_row_and_the_link_and_no_text() -> None:
    lines = 'url = "u"\ndescription = "d"'
    found = mapped(
        lines, {"u": "https://jobs.example/1", "d": "Long text."}, top='store = "link-only"'
    ).values
    assert (found.title, found.url) == ("Welder", "https://jobs.example/1")
    assert not found.description


@pytest.mark.parametrize("contact", ["probe@jobs.example", "+7 701 555-01-23"])
def test_contacts_are_dropped_from_texts_unless_the_source_keeps_them(contact: str) -> None:
    row = {"d": f"Weld pipes. Write to {contact} today."}
    assert contact not in value("description", 'description = "d"', row)
    assert contact in value("description", 'description = "d"', row, top='contacts = "keep"')


# strictness


def test_an_unknown_word_is_named_with_its_field_and_its_file() -> None:
    error = fault('contract = "c"\n[values.contract]\n"perm" = "permanent"', {"c": "вахта"})
    assert isinstance(error, UnknownValue)
    assert "xa/jobs: c='вахта' is not in [values.contract]" in str(error)
    assert "members/xa/shares/jobs.toml" in error.hint


def test_one_word_of_theirs_may_be_two_of_ours_or_nothing() -> None:
    lines = 'contract = "c"\n[values.contract]\n"both" = ["permanent", "project"]\n"any" = ""'
    assert value("contract", lines, {"c": "both"}) == ("permanent", "project")
    assert not value("contract", lines, {"c": "any"})


def test_a_field_that_nobody_has_mapped_is_named() -> None:
    error = fault("", {"bonus": 5})
    assert isinstance(error, UnmappedField)
    assert error.field == "bonus"
    assert "bonus is neither mapped nor ignored" in str(error)
    assert "ignore" in error.hint


def test_an_unmapped_field_below_another_is_named_by_its_path() -> None:
    row = {"company": {"name": "Probe Ltd", "size": 5}}
    assert fault('employer = "company.name"', row).field == "company.size"  # type: ignore[attr-defined]
    listed = {"firms": [{"name": "Probe Ltd"}, {"name": "Probe Ltd", "size": 5}]}
    assert fault('employer = "firms.name"', listed).field == "firms.size"  # type: ignore[attr-defined]


def test_an_unmapped_field_that_holds_nothing_or_is_ignored_does_not_stop_the_row() -> None:
    assert mapped("", {"bonus": None, "tags": [], "note": ""}).key == "1"
    assert mapped("", {"bonus": 5}, top='ignore = ["bonus"]').key == "1"


def test_a_row_without_a_title_or_an_identifier_says_which_field_was_empty() -> None:
    assert isinstance(error := fault("", {"t": " "}), MissingField)
    assert "t holds nothing" in str(error)
    assert isinstance(error := fault("", {"id": ""}), MissingField)
    assert "id holds nothing" in str(error)


def test_a_row_that_is_no_object_is_refused() -> None:
    with pytest.raises(RowError, match="no object"):
        read_row(mapper('id = "id"\ntitle = "t"'), ["a", "b"], at=AT)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "ftp://jobs.example",
        'https://a.example/"><b>',
    ],
)
def test_an_address_that_is_no_http_address_is_refused(address: str) -> None:
    assert isinstance(error := fault('url = "u"', {"u": address}), BadValue)
    assert "no http address" in str(error)


@pytest.mark.parametrize("said", ["2026-13-45", "soon-ish", {"day": 1}, True])
def test_a_date_that_is_none_is_refused(said: Any) -> None:
    assert isinstance(error := fault('published = "p"', {"p": said}), BadValue)
    assert error.field == "published"


def test_a_country_that_nobody_knows_is_refused() -> None:
    error = fault('places.city = "city"\nplaces.country = "c"', {"city": "Oz", "c": "Emerald Land"})
    assert isinstance(error, BadValue)
    assert "places.country='Emerald Land': no country we know" in str(error)


def test_degrees_beyond_the_globe_are_refused() -> None:
    assert "90 degrees" in str(fault('places.lat = "lat"\nplaces.lon = "lon"', {"lat": 123, "lon": 5}))


# places


def test_a_town_near_the_rows_own_degrees_gets_its_identifier() -> None:
    lines = 'places.city = "city"\nplaces.lat = "lat"\nplaces.lon = "lon"'
    (near,) = value("places", lines, {"city": "Paris", "lat": 48.9, "lon": 2.3}, top='country = "FR"')
    assert near.id
    assert (near.lat, near.lon) == (48.9, 2.3)


def test_a_town_far_from_the_rows_own_degrees_does_not() -> None:
    lines = 'places.city = "city"\nplaces.lat = "lat"\nplaces.lon = "lon"'
    (far,) = value("places", lines, {"city": "Paris", "lat": 43.3, "lon": 5.4}, top='country = "FR"')
    assert (far.city, far.id, far.lat, far.lon, far.country) == ("Paris", "", 43.3, 5.4, "FR")


# gone


def test_a_row_that_says_it_is_gone_is_gone_and_needs_no_title() -> None:
    lines = 'gone = "state"\n[values.gone]\n"closed" = "true"\n"open" = "false"'
    assert mapped(lines, {"state": "closed", "t": ""}).gone
    assert not mapped(lines, {"state": "open"}).gone


# source files

GOOD = 'title = "T"\nkind = "vacancy"\ndeletes = "none"\n[map]\nid = "id"\ntitle = "t"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title = \nkind = 1", "line 1"),
        (GOOD.replace('"vacancy"', '"vacation"'), "one of candidate, vacancy"),
        (GOOD.replace('"none"', '"never"'), "deletes"),
        ("colour = 1\n" + GOOD, "colour"),
        (GOOD.replace('id = "id"\n', ""), "[map] has no id name their identifier"),
        (GOOD.replace('title = "t"\n', ""), "[map] lacks title, which vacancy requires"),
        (GOOD + 'wage = "w"\n', "[map] wage: vacancy has no such field it has title, employer"),
        (GOOD + 'places.town = "w"\n', "[map] places.town: place has text, country, region, city"),
        (GOOD + 'contract.name = "w"\n', "[map] contract.name: code has no parts"),
        (GOOD + 'description.Russian = "w"\n', "'Russian' is no language"),
        (GOOD + "url = { path = 'u', find = '(' }\n", "[map] url"),
        (GOOD + "url = { path = 'u', form = 'https://jobs.example/' }\n", "has no place for the value write {}"),
        (GOOD + '[values.wage]\na = "b"\n', "[values.wage]: vacancy has no such field"),
        (GOOD + '[values.contract]\na = "forever"\n', "'a' = 'forever': not a value of contract one of permanent"),
        ('language = "Russian!"\n' + GOOD, "no BCP 47 tag"),
        (GOOD + '[fetch]\nevery = "often"\n', "write 30s, 15m, 6h or 1d"),
        (GOOD + '[fetch]\nencoding = 5\n', "[fetch]"),
        (GOOD + '[[replay]]\nfiles = ["a"]\nformat = { colour = 1 }\n', "colour is unknown"),
    ],
)  # fmt: skip
def test_a_wrong_source_file_is_told_what_to_write(text: str, told: str) -> None:
    with pytest.raises(SourceFileError) as caught:
        parse_source(text, KINDS, member="xa", name="jobs")
    error = caught.value
    assert str(error).startswith("xa/jobs: ")
    assert told in f"{error} {error.hint}"
