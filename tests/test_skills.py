"""Skills in any language, how records are found and filtered by them, and what a record is matched with."""

import time
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from landbridge.codes.skills import read, skills
from landbridge.errors import ConfigError, NotFound
from landbridge.find.matching import Ask, matches, similar
from landbridge.find.query import Query
from landbridge.find.record import Record
from landbridge.find.search import Result, search
from landbridge.instance import Instance
from landbridge.kinds.kind import read_kinds
from landbridge.kinds.values import Concept, Place
from tests.index_suite import ALMATY, ASTANA, RATES, TALGAR, vacancy
from tests.test_find_search import NOW, Union, keys
from tests.visits import Visitor, share, union, visitor

LINES = (resources.files("landbridge.codes.skills") / "skills.tsv").read_text("utf-8").splitlines()
LANGUAGES = ("en", "ru", "kk", "vi", "id", "zh", "fr", "no", "de", "es")
HEAD = "skill\t*\ten\tru"
BOTH = read_kinds()
AD = (
    "Требования: опыт работы сварщиком от трех лет, знание полуавтоматической сварки, умение читать чертежи. "
    "Обязанности: выполнение сварочных работ на производстве, соблюдение техники безопасности и охраны труда. "
    "Условия: официальное трудоустройство по ТК РФ, заработная плата два раза в месяц без задержек. "
) * 5


# the vocabulary


def test_the_skills_are_hundreds_and_each_has_a_name_for_every_reader() -> None:
    known = skills()
    assert len(known.ids) >= 300
    assert set(known.languages) == set(LANGUAGES)
    translated = [s for s in known.ids if "ru" in known.labels(s)]
    assert len(translated) >= 130
    for skill in known.ids:
        names = known.labels(skill)
        assert "" in names or set(names) == set(LANGUAGES), skill
    for skill in translated:
        assert set(known.labels(skill)) - {""} == set(LANGUAGES), skill


def test_every_form_leads_back_to_its_skill() -> None:
    known = skills()
    for form in read(LINES):
        assert known.look_up(form.text) == form.skill
        language = "" if form.language == "*" else form.language
        assert known.find(form.text, language) == (form.skill,), form


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("excel\tExcel", "line 3: excel stands in line 2 too"),
        ("sheets\tMS Excel", "line 3: 'MS Excel' is excel too (line 2)"),
        ("sheets\t\texcel", "line 3: 'excel' is excel too (line 2)"),
        ("cooking\t\t\tварка | Варки", None),  # one stem, two ways to write it
        ("cooking\t\tcooking | Cooking", "line 3: 'Cooking' comes twice"),
        ("cooking\t\tcooking | ", "line 3: '' is no form"),
        ("cooking\t\tmeal  making", "line 3: 'meal  making' is no form"),
        ("cooking\t\tcooking\tварка\tfourth", "line 3: not an id, and its forms"),
        ("Cooking\tcooking", "line 3: not an id, and its forms"),
        ("cooking\t", "line 3: not an id, and its forms"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(line: str, what: str | None) -> None:
    lines = [HEAD, "excel\t=Excel | MS Excel", line]
    if what is None:
        assert len(read(lines)) == 4
        return
    with pytest.raises(ConfigError, match=r".") as error:
        read(lines)
    assert what in str(error.value)


@pytest.mark.parametrize("head", ["", "skill\t*\ten\txx", "skill\t*\ten\ten", "id\t*\ten"])
def test_a_language_that_we_do_not_know_is_named(head: str) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        read([head, "excel\tExcel"])


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Знание Excel и 1С:Бухгалтерия, сварка полуавтоматом", "ru", "excel 1c-accounting mig-mag-welding"),
        ("соблюдение охраны труда; категории В", "ru", "occupational-safety driving-licence-b"),
        ("работа в команде, оператор 1 категории с опытом", "ru", "teamwork"),
        ("You will excel. MIG welding, C++, .NET; node.js", "en", "mig-mag-welding cpp dotnet nodejs"),
        ("熟练Java开发，持有叉车证，会氩弧焊", "zh", "forklift-licence java tig-welding"),
        ("Thành thạo excel, kỹ năng giao tiếp, điều hoà không khí", "vi", "excel communication hvac"),
        ("дәнекерлеуді білу, еңбекті қорғаудың негіздері", "kk", "welding occupational-safety"),
        ("Schweißen nach WIG, Führerschein Klasse B", "de", "welding tig-welding driving-licence-b"),
        ("soudure TIG, permis B, esprit d’équipe", "fr", "tig-welding driving-licence-b teamwork"),
        ("Menguasai Microsoft Excel, kerja tim", "id", "excel teamwork"),
        ("Førerkort klasse B og kundeservice", "nb", "driving-licence-b customer-service"),
        ("Carnet de conducir B, atención al cliente", "es", "driving-licence-b customer-service"),
        ("Vi söker dig. Kontakta mig om CNC", "sv", "cnc"),
        ("сварка аргоном", "", "tig-welding"),
        ("excel", "", "excel"),
        ("Ｅｘｃｅｌ", "zh", "excel"),
        ("", "ru", ""),
        ("\x00 ... +++", "", ""),
    ],
)
def test_a_text_names_its_skills(text: str, language: str, found: str) -> None:
    assert sorted(skills().find(text, language)) == sorted(found.split())


def test_a_text_is_read_fast_and_no_further_than_it_must() -> None:
    find = skills().find
    ad = " ".join(AD.split()[:150])
    find(ad, "ru")
    best = min(_timed(find, ad) for _ in range(300))
    assert best < 600e-6  # about 60 µs on an idle machine
    assert find("x " * 2_500 + "Excel", "en") == ()
    began = time.monotonic()
    find("焊" * 10_000_000, "zh")
    assert time.monotonic() - began < 1


def _timed(find: Callable[[str, str], object], text: str) -> float:
    began = time.perf_counter()
    find(text, "ru")
    return time.perf_counter() - began


def test_names_come_in_the_language_of_the_reader_or_in_english() -> None:
    known = skills()
    assert known.label("patient-care", "ru") == "уход за пациентами"
    assert known.label("patient-care", "nn") == "pasientomsorg"
    assert known.label("patient-care", "th") == "patient care"
    assert known.label("excel", "kk") == "Excel"
    assert known.label("nothing", "ru") == "nothing"


# finding


@pytest.fixture
def market(tmp_path: Path) -> Union:
    return Union(
        tmp_path,
        xa=[
            vacancy("en", "Clerk", description="We use Excel and keep records. Good communication skills."),
            vacancy("own", "Clerk", skills=(Concept(text="Excel"), Concept(text="Beekeeping"))),
            vacancy("verb", "Clerk", description="A place to excel in."),
        ],
        xb=[
            vacancy("ru", "Оператор", language="ru", description="Знание excel, коммуникабельность"),
            vacancy("zh", "文员", language="zh", description="熟练使用Excel，沟通能力强"),
        ],
    )


def test_records_of_every_language_are_filtered_by_a_skill(market: Union) -> None:
    assert sorted(keys(market.find(skills="skill:excel"))) == ["en", "own", "ru", "zh"]
    assert sorted(keys(market.find(skills="Эксель"))) == ["en", "own", "ru", "zh"]  # a name of it
    assert sorted(keys(market.find(skills="skill:communication"))) == ["en", "ru", "zh"]
    assert keys(market.find(skills="beekeeping")) == ["own"]  # what the vocabulary does not know
    assert keys(market.find(skills="skill:nothing")) == []
    assert market.find(skills="skill:excel").unknown == {"skills": 1}


def test_the_words_of_a_skill_find_it_in_other_languages(market: Union) -> None:
    assert sorted(keys(market.find("communication skills"))) == ["en", "ru", "zh"]
    assert sorted(keys(market.find("коммуникабельность"))) == ["en", "ru", "zh"]
    assert sorted(keys(market.find("沟通能力"))) == ["en", "ru", "zh"]
    assert keys(market.find("communication skills", literal="1")) == ["en"]
    hits = market.find("коммуникабельность", explain="1").hits
    assert any("skill communication skills" in line for hit in hits for line in hit.why)


# more like this, and what matches


def candidate(id_: str, title: str, language: str = "en", **values: Any) -> Record:
    return Record(
        id=f"xa/people/{id_}",
        kind="candidate",
        member="xa",
        source="xa/people",
        language=language,
        values=BOTH["candidate"].struct(title=title, **values),
    )


WELDER = vacancy(
    "1",
    "TIG welder",
    places=(ALMATY,),
    skills=(Concept(text="TIG welding"), Concept(text="blueprint reading")),
    languages=(Concept(text="Russian"),),
)


def asking(folder: Path, **records: Sequence[Record]) -> Ask:
    """The search over vacancies and candidates, as an instance has it."""
    unions = {
        name: Union(folder / name, BOTH[name], xa=[r for r in some if r.kind == name])
        for name, some in records.items()
    }

    def ask(query: Query) -> Result:
        one = unions[query.kind]
        return search(
            query,
            kind=one.kind,
            indexes=one.indexes,
            members=one.members,
            standings=one.standings,
            rates=RATES,
            now=NOW,
        )

    return ask


def test_more_like_a_record_comes_with_its_reasons(tmp_path: Path) -> None:
    ask = asking(
        tmp_path,
        vacancy=[
            WELDER,
            vacancy("2", "Сварщик", language="ru", places=(TALGAR,), description="Сварка аргоном"),
            vacancy("3", "Welder", places=(ASTANA,)),
            vacancy("4", "Cook", places=(ALMATY,)),
        ],
    )
    first, second = similar(WELDER, BOTH["vacancy"], ask, language="ru")
    assert (first.id[-1], second.id[-1]) == ("2", "3")
    assert first.score > second.score
    said = {reason.of: reason for reason in first.why}
    assert said["occupation"].text == "the same occupation: 7212 сварщик"
    assert said["skills"].codes == ("skill:tig-welding",)
    assert said["skills"].text == "skills: аргонодуговая сварка"
    assert said["place"].text.endswith("km away")
    assert {r.of: r.text for r in second.why}["place"] == "in the same country"
    assert {r.of for r in second.why} >= {"occupation", "title", "place", "language"}
    assert not first.missing


def test_candidates_match_a_vacancy_and_say_what_is_missing(tmp_path: Path) -> None:
    people = [
        candidate("a", "Welder", summary="TIG, reading blueprints", languages=(Concept(text="Russian"),)),
        candidate("b", "Дәнекерлеуші", "kk", places=(Place(country="KZ"),)),
        candidate("c", "Cook"),
    ]
    ask = asking(tmp_path, vacancy=[WELDER], candidate=people)
    best, other = matches(WELDER, BOTH, ask)
    assert (best.id[-1], best.missing) == ("a", [])
    assert [(m.of, m.text) for m in other.missing] == [
        ("skill", "TIG welding"),
        ("skill", "blueprint reading"),
        ("language", "Russian"),
    ]
    assert {*best.__struct_fields__} == {
        *("id", "kind", "member", "source", "language", "title", "score", "why", "missing")
    }  # of a person no more than a list of hits shows
    (back,) = matches(people[1], BOTH, ask)
    assert (back.id, back.kind) == (WELDER.id, "vacancy")
    assert [m.code for m in back.missing] == ["skill:tig-welding", "skill:blueprint-reading", ""]


def test_a_kind_that_nothing_matches_says_so(tmp_path: Path) -> None:
    alone = {"vacancy": BOTH["vacancy"]}
    with pytest.raises(NotFound, match="matched with nothing"):
        matches(WELDER, alone, asking(tmp_path, vacancy=[WELDER]))


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = union(tmp_path_factory.mktemp("union"), xa=("Altania", "en"), xb=("Berilia", "ru"))
    share(found, "xa", {"id": "1", "title": "Welder"}, {"id": "2", "title": "Cook"})
    share(found, "xb", {"id": "1", "title": "Сварщик"})
    yield found
    found.close()


def test_the_api_answers_beside_a_record(instance: Instance) -> None:
    api: Visitor = visitor(instance)
    own = next(h["id"] for h in api.get("/api/v1/find?q=welder&in=xa").json["hits"])
    (hit,) = api.get(f"/api/v1/records/{own}/similar?lang=ru").json
    assert hit["title"] == "Сварщик"
    assert hit["why"][0]["text"] == "the same occupation: 7212 сварщик"
    assert api.get(f"/api/v1/records/{own}/matches").json == []  # nobody shares candidates here
    assert api.get(f"/api/v1/records/{own}").json["id"] == own
    assert api.get(f"/api/v1/records/{own}/similar?limit=3").status == 400
    for wrong in ("xa/jobs/no/similar", "xa/jobs/similar", "similar/similar"):
        assert api.get(f"/api/v1/records/{wrong}").status == 404


def test_the_page_of_a_record_shows_what_is_like_it(instance: Instance) -> None:
    page = visitor(instance)
    own = next(h["id"] for h in page.get("/api/v1/find?q=welder&in=xa").json["hits"])
    assert ">Сварщик</a>" in page.get(f"/records/{own}").text
    assert ">Сварщик</a>" not in page.get(f"/records/{own}?view=print").text


def test_names_of_skills_are_suggested(instance: Instance) -> None:
    share(instance, "xb", {"id": "2", "title": "Бухгалтер", "text": "Знание Excel, ведение переговоров"})

    def names(text: str, language: str) -> set[tuple[str, str]]:
        found = instance.suggest(text, "vacancy", field="skills", language=language)
        return {(s.text, s.language) for s in found}

    names("e", "en")
    until = time.monotonic() + 20
    while ("Excel", "") not in names("exc", "en") and time.monotonic() < until:
        time.sleep(0.05)
    assert names("exc", "vi") == {("Excel", "")}
    assert ("ведение переговоров", "ru") in names("ведение", "ru")
    assert ("negotiation", "en") in names("negot", "en")
