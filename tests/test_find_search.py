"""One question to many members' registers: what is asked, how answers are ranked and merged, who answered."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import ConfigError, UsageError
from landbridge.find.index import Index, Removal, open_index
from landbridge.find.query import MOST, PARAMETERS, Query, parameters, parse
from landbridge.find.record import Record
from landbridge.find.search import Hit, Result, Standing, search
from landbridge.kinds.kind import Kind, read_kind
from landbridge.kinds.values import Concept, Party, Place
from tests.index_suite import (
    ALMATY,
    ASTANA,
    COURSE,
    KINDS,
    RATES,
    TALGAR,
    VACANCY,
    monthly,
    vacancy,
)

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


class Member(NamedTuple):
    countries: tuple[str, ...]


class Union:
    """Some members with what they share, asked as an instance asks them."""

    def __init__(self, folder: Path, kind: Kind = VACANCY, **members: Sequence[Record]) -> None:
        self.kinds = {**KINDS, kind.name: kind}
        self.kind = kind
        self.members = {m: Member((m.upper(),)) for m in members}
        self.indexes: dict[str, Index | Exception] = {}
        self.standings = {
            m: Standing(
                id=m, name=f"Land {m}", state="ok", as_of=NOW - timedelta(hours=1), harvested=len(records)
            )
            for m, records in members.items()
        }
        for member, records in members.items():
            index = open_index(folder, member, kind, RATES)
            index.write(enumerate(records, 1))
            self.indexes[member] = index

    def index(self, member: str) -> Index:
        found = self.indexes[member]
        assert not isinstance(found, Exception)
        return found

    def find(self, q: str = "", *, now: datetime = NOW, snippets: bool = True, **params: str) -> Result:
        words: Mapping[str, list[str]] = {
            k.rstrip("_"): [v] for k, v in {"q": q, "kind": self.kind.name, **params}.items() if v
        }
        query = parse(words, self.kinds, rates=RATES, now=now)
        chosen = [
            m
            for m, member in self.members.items()
            if not query.members
            or m in query.members
            or {c.lower() for c in member.countries} & {*query.members}
        ]
        return search(
            query,
            kind=self.kind,
            indexes={m: self.indexes[m] for m in chosen if m in self.indexes},
            members={m: self.members[m] for m in chosen},
            standings={m: self.standings[m] for m in chosen},
            rates=RATES,
            snippets=snippets,
            now=now,
        )


Found = Callable[..., Union]


@pytest.fixture
def union(tmp_path: Path) -> Found:
    return lambda **members: Union(tmp_path, **members)


def keys(result: Result) -> list[str]:
    return [h.id.rpartition("/")[2] for h in result.hits]


def marked(hit: Hit) -> list[str]:
    return [text for text, is_marked in (*hit.title, *hit.snippet) if is_marked]


def refusal(ask: Callable[[], object]) -> str:
    """Asks; the parameter that is refused, or ""."""
    try:
        ask()
    except UsageError as error:
        return error.parameter or "?"
    return ""


def all_pages(union: Union, *, limit: int, **params: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(300):
        result = union.find(limit=str(limit), cursor=cursor, **params)
        found += keys(result)
        cursor = result.cursor
        if not cursor:
            return found
    raise AssertionError("pages without end")


# words


@pytest.fixture
def six(union: Found) -> Union:
    return union(
        xa=[
            vacancy("ru", "Требуются сварщики", language="ru", member="xa", description="Сварка труб вахтой"),
            vacancy("kk", "Дәнекерлеуші керек", language="kk", member="xa"),
        ],
        xb=[
            vacancy(
                "vi", "Thợ hàn có kinh nghiệm", language="vi", member="xb", description="Lương cao, thưởng"
            ),
            vacancy("th", "รับสมัครช่างเชื่อมโลหะ", language="th", member="xb"),
            vacancy("zh", "高级焊工（上海）", language="zh", member="xb"),
        ],
        xc=[
            vacancy(
                "en", "Senior Welder", language="en", member="xc", description="Weld pipes. Front-end prep."
            ),
            vacancy("de", "Schweißer (m/w/d)", language="de", member="xc"),
            vacancy("hy", "Եռակցող", language="hy", member="xc"),
        ],
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("сварщик", "ru"),
        ("СВАРЩИКАМИ", "ru"),
        ("трубы", "ru"),
        ("дәнекерлеуші", "kk"),
        ("thợ hàn", "vi"),
        ("tho han", "vi"),
        ("ช่างเชื่อม", "th"),
        ("焊工", "zh"),
        ("上海 焊工", "zh"),
        ("welders", "en"),
        ("schweisser", "de"),
        ("Schweißer", "de"),
        ("եռակցող", "hy"),
    ],
)
def test_a_word_is_found_in_its_language_by_whatever_form_it_has(six: Union, text: str, key: str) -> None:
    result = six.find(text, literal="1")
    assert keys(result) == [key]
    assert result.total.count == 1
    assert result.total.exact
    assert result.corrections == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("senior welder", ["en"]),
        ("welder pipes senior", ["en"]),
        ('"senior welder"', ["en"]),
        ("“senior welder”", ["en"]),
        ('"welder senior"', []),
        ('"front-end prep"', ["en"]),
        ("welder -senior", []),
        ('welder -"senior welder"', []),
        ('welder -"welder senior"', ["en"]),
        ("welder –senior", []),
        ('welder" senior', ["en"]),  # no closing mark: no phrase
        ("welder - senior", ["en"]),  # a dash between words is punctuation
        ("front-end", ["en"]),  # a hyphen within a word takes nothing away
        ("welder, senior!", ["en"]),
    ],
)
def test_words_phrases_and_excluded_words(six: Union, text: str, expected: list[str]) -> None:
    assert keys(six.find(text, literal="1")) == expected


# occupations


@pytest.fixture
def welders(union: Found) -> Union:
    return union(
        xa=[vacancy("ru", "Сварщик", language="ru", member="xa", description="Сварка труб вахтой")],
        xb=[vacancy("vi", "Thợ hàn", language="vi", member="xb"), vacancy("cook", "Cook", member="xb")],
        xc=[
            vacancy("en", "Welder", language="en", member="xc", description="Weld pipes."),
            vacancy("de", "Schweißer", language="de", member="xc"),
            vacancy("hy", "Եռակցող", language="hy", member="xc"),
        ],
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [("welder", "en"), ("сварщик", "ru"), ("thợ hàn", "vi"), ("Schweißer", "de"), ("եռակցող", "hy")],
)
def test_a_word_that_names_an_occupation_finds_it_in_every_language(
    welders: Union, text: str, key: str
) -> None:
    result = welders.find(text)
    assert {*keys(result)} == {"ru", "vi", "en", "de", "hy"}
    assert keys(result)[0] == key  # whoever has the word itself
    assert ("isco-08", "7212") in [(o.scheme, o.code) for o in result.occupations]
    assert len({o.code for o in result.occupations}) == len(result.occupations)
    assert result.corrections == []


def test_words_beside_an_occupation_must_be_there_as_ever(welders: Union) -> None:
    assert keys(welders.find("сварщик pipes")) == ["en"]
    assert keys(welders.find("welder вахтой")) == ["ru"]
    assert {*keys(welders.find("сварщик -pipes"))} == {"ru", "vi", "de", "hy"}
    assert keys(welders.find('"welder"')) == ["en"]  # a phrase is what it says


def test_a_question_may_be_literal(welders: Union) -> None:
    result = welders.find("welder", literal="1")
    assert (keys(result), result.occupations) == (["en"], ())
    assert welders.find("welder", literal="0").total.count == 5


def test_a_hit_says_its_occupation_and_by_what_it_is_told(union: Found) -> None:
    code = Concept(text="Шеф-повар", scheme="isco-08", code="5120")
    market = union(
        xa=[
            vacancy("coded", "Welder", occupation=(code,)),  # its own code is believed before its title
            vacancy("titled", "Сварщик", language="ru"),
            vacancy("nothing", "?"),
        ]
    )
    found = {h.id.rpartition("/")[2]: msgspec.json.decode(h.record) for h in market.find().hits}
    assert found["coded"]["occupations"] == [
        {"scheme": "isco-08", "code": "5120", "confidence": 1.0, "by": "code"}
    ]
    (told,) = (o for o in found["titled"]["occupations"] if o["scheme"] == "isco-08")
    assert (told["code"], told["by"]) == ("7212", "title")
    assert "occupations" not in found["nothing"]
    assert found["coded"]["values"]["occupation"][0]["text"] == "Шеф-повар"  # as the member shared it


def test_a_record_is_filtered_and_counted_by_the_occupation_that_it_is_linked_to(union: Found) -> None:
    market = union(
        xa=[
            vacancy("en", "Welder", occupation=(Concept(scheme="own", code="63"),)),
            vacancy("code", "?", occupation=(Concept(scheme="isco-08", code="7212"),)),
            vacancy("none", "?", occupation=(Concept(text="?", scheme="own", code="63"),)),
        ],
        xb=[vacancy("ru", "Сварщик", language="ru", member="xb")],
    )
    assert sorted(keys(market.find(occupation="isco-08:7212"))) == ["code", "en", "ru"]
    assert keys(market.find(occupation="own:63")) == ["none"]
    (facet,) = market.find(facets="occupation").facets
    first = facet.values[0]
    assert (first.key, first.label, first.count) == ("isco-08:7212", "welder", 3)


def test_an_occupation_that_is_known_stands_for_a_word_that_is_not(union: Found) -> None:
    market = union(xa=[vacancy("ru", "Сварщик", language="ru"), vacancy("other", "Bookshop", language="en")])
    result = market.find("welder")
    assert (keys(result), result.corrections) == (["ru"], [])
    market.index("xa").write([(3, vacancy("typo", "Weldar wanted"))])  # one edit away
    result = market.find("welder")  # a title of the vocabulary is rightly spelt
    assert "ru" in keys(result)
    assert result.corrections == []


def test_words_typed_in_another_layout_are_read_again_and_said(union: Found) -> None:
    market = union(
        xa=[vacancy("ru", "Сварщик", language="ru"), vacancy("book", "Книжный магазин", language="ru")]
    )
    result = market.find("cdfhobr")
    assert keys(result) == ["ru"]
    assert [(c.word, c.searched) for c in result.corrections] == [("cdfhobr", ["сварщик"])]
    assert keys(market.find("ryb;ysq vfufpby")) == ["book"]  # not one word of it names an occupation
    assert keys(market.find('"cdfhobr"')) == []  # a phrase is meant as it stands


def test_a_word_that_names_an_occupation_is_not_taken_for_one_two_edits_away(union: Found) -> None:
    market = union(xa=[vacancy("ru", "Электрик", language="ru"), vacancy("typo", "Elektrisian wanted")])
    assert market.find("electrician", literal="1").corrections[0].searched == ["elektrisian"]
    result = market.find("electrician")
    assert "ru" in keys(result)
    assert result.corrections == []


# what is left out


def test_excluded_words_alone_leave_the_rest(six: Union) -> None:
    result = six.find("-сварщик")
    assert result.total.count == 7
    assert result.sort == "date"


@pytest.mark.parametrize("text", ["!!!", "—", '""', "- -", "…?"])
def test_a_query_without_a_word_says_so(six: Union, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        six.find(text)
    assert caught.value.parameter == "q"


def test_without_words_everything_is_there_the_newest_first(union: Found) -> None:
    result = union(
        xa=[
            vacancy("old", "Cook", published="2026-01-01"),
            vacancy("undated", "Cook"),
            vacancy("new", "Cook", published="2026-03-01"),
        ]
    ).find()
    assert (keys(result), result.sort) == (["new", "old", "undated"], "date")


# spelling


def test_a_word_that_nobody_knows_is_sought_as_its_neighbours_and_that_is_said(six: Union) -> None:
    result = six.find("wleder", literal="1")
    assert keys(result) == ["en"]
    assert result.corrections[0].word == "wleder"
    assert "welder" in result.corrections[0].searched
    result = six.find("сворщики", literal="1")
    assert keys(result) == ["ru"]
    assert [(c.word, c.searched) for c in result.corrections] == [("сворщики", ["сварщики"])]


def test_two_edits_are_forgiven_in_long_words_only(union: Found) -> None:
    market = union(xa=[vacancy("1", "Electrician"), vacancy("2", "Cooks")])
    result = market.find("electrisain", literal="1")
    assert keys(result) == ["1"]
    assert (result.corrections[0].word, result.corrections[0].searched) == ("electrisain", ["electrician"])
    assert keys(market.find("kuuk", literal="1")) == []


def test_a_word_that_some_member_knows_is_never_widened(union: Found) -> None:
    market = union(
        xa=[vacancy("1", "Welder"), vacancy("2", "Welder")], xb=[vacancy("3", "Elder", member="xb")]
    )
    result = market.find("elder", literal="1")
    assert (keys(result), result.corrections) == (["3"], [])
    # also where the member that knows it has nothing else to say
    assert market.find("elder -elder").corrections == []


def test_numbers_and_short_words_are_not_widened(six: Union) -> None:
    for text in ("5g", "xyz", "20251"):
        result = six.find(text, literal="1")
        assert (keys(result), result.corrections) == ([], [])


# members


def test_only_the_named_members_are_asked(six: Union) -> None:
    result = six.find(in_="xa,xc")
    assert [m.id for m in result.members] == ["xa", "xc"]
    assert {h.member for h in result.hits} == {"xa", "xc"}


def test_a_member_of_several_countries_is_narrowed_to_the_country_asked_for(union: Found) -> None:
    market = union(
        xu=[
            vacancy("kz", "Cook", member="xu", places=(ALMATY,)),
            vacancy("uz", "Cook", member="xu", places=(Place(country="UZ", city="Tashkent"),)),
            vacancy("none", "Cook", member="xu"),
        ],
        kz=[vacancy("own", "Cook", member="kz", places=(Place(country="RU", city="Omsk"),))],
    )
    market.members["xu"] = Member(("KZ", "UZ"))
    result = market.find("cook", in_="kz")
    assert sorted(keys(result)) == ["kz", "own"]
    assert result.unknown == {"country": 1}  # one of the union's does not say where it is
    assert sorted(keys(market.find("cook", in_="xu"))) == ["kz", "none", "uz"]
    assert keys(market.find("cook", in_="uz", country="KZ")) == []
    assert parse({"in": ["Казахстан, uz"]}, KINDS, rates=RATES, now=NOW).members == ("казахстан", "uz")


def test_every_member_says_how_it_stands(six: Union) -> None:
    six.standings["xb"] = Standing(
        id="xb", name="B", state="held", as_of=NOW - timedelta(days=9), why="jobs: too few"
    )
    six.standings["xd"] = Standing(id="xd", name="D", state="never")
    six.members["xd"] = Member(("XD",))
    six.standings["xa"] = msgspec.structs.replace(six.standings["xa"], claimed=50)
    answers = {m.id: m for m in six.find("сварщик", literal="1").members}
    assert (answers["xa"].state, answers["xa"].hits, answers["xa"].harvested, answers["xa"].claimed) == (
        "ok",
        1,
        2,
        50,
    )
    assert answers["xa"].age_seconds == 3600
    assert (answers["xb"].state, answers["xb"].why, answers["xb"].hits) == ("held", "jobs: too few", 0)
    assert (answers["xd"].state, answers["xd"].as_of, answers["xd"].age_seconds) == ("never", None, None)


def test_a_member_whose_index_fails_does_not_take_the_others_with_it(six: Union) -> None:
    class Broken:
        def view(self) -> Any:
            raise ConfigError("the disk is gone")

    six.indexes["xa"] = ConfigError("cannot be opened")
    six.indexes["xb"] = Broken()  # type: ignore[assignment]
    result = six.find()
    states = {m.id: (m.state, m.why) for m in result.members}
    assert states["xa"] == ("failed", "cannot be opened")
    assert states["xb"] == ("failed", "the disk is gone")
    assert states["xc"] == ("ok", "")
    assert {h.member for h in result.hits} == {"xc"}
    assert not result.complete


def test_a_member_that_is_not_yet_indexed_is_not_called_complete(six: Union) -> None:
    six.standings["xa"] = msgspec.structs.replace(six.standings["xa"], harvested=500)
    result = six.find("сварщик")
    assert result.members[0].state == "stale"
    assert "2 of 500" in result.members[0].why
    assert not result.complete


def test_a_change_is_found_at_once_by_a_union_already_open(six: Union, tmp_path: Path) -> None:
    assert keys(six.find("plumber")) == []
    writer = open_index(tmp_path, "xa", VACANCY, RATES)
    writer.write([(3, vacancy("new", "Plumber", member="xa")), (4, Removal("xa/jobs/ru"))])
    assert keys(six.find("plumber")) == ["new"]
    assert keys(six.find("сварщик", literal="1")) == []
    assert "ru" not in keys(six.find("сварщик"))


# ranking


def test_scores_of_members_compare_however_large_and_different_they_are(union: Found) -> None:
    """The word is rare in one register and common in the other: the same advertisement scores the same."""
    text = "the quick brown fox jumps over it"
    isco = (Concept(scheme="isco-08", code="7212"),), (Concept(scheme="isco-08", code="5120"),)
    weld, cook = ({"description": text, "occupation": code} for code in isco)
    small = [vacancy("small", "Welder", **weld), *(vacancy(f"s{n}", "Cook", **cook) for n in range(19))]
    large = [vacancy("large", "Welder", member="xb", **weld)]
    large += [vacancy(f"l{n}", "Welder", member="xb", **weld) for n in range(199)]
    market = union(xa=small, xb=large)
    scores = {h.member: h.score for h in market.find("welder", limit="100").hits}
    assert scores["xa"] == pytest.approx(scores["xb"], rel=0.02)


def test_a_corpus_in_parts_ranks_as_it_would_in_one(tmp_path: Path) -> None:
    bodies = ["steel pipes", "steel", "pipes and steel and pipes", "wood", "steel pipes wood glass stone"]
    records = [
        vacancy(
            f"{n}", ("Welder", "Pipe welder", "Cook")[n % 3], description=f"{bodies[n % 5]} {'x' * (n % 4)}"
        )
        for n in range(90)
    ]
    for n in range(0, 90, 17):
        records[n] = vacancy(f"{n}", "Glass welder", description="steel pipes wood glass stone")
    one = Union(tmp_path / "one", xa=records)
    parts = Union(
        tmp_path / "parts",
        xa=records[:10],
        xb=[msgspec.structs.replace(r, member="xb") for r in records[10:30]],
        xc=[msgspec.structs.replace(r, member="xc") for r in records[30:]],
    )
    for text in ("welder", "glass welder", "steel pipes", '"steel pipes" welder'):
        whole, split = (u.find(text, limit="20") for u in (one, parts))
        assert whole.total == split.total
        assert {round(h.score, 1) for h in whole.hits[:5]} == {round(h.score, 1) for h in split.hits[:5]}


def test_of_equals_the_newer_comes_first_whoever_shares_it(union: Found) -> None:
    market = union(
        xa=[
            vacancy("old", "Welder", published="2025-03-01"),
            vacancy("new", "Welder", published="2026-03-19"),
        ],
        xb=[
            vacancy("mid", "Welder", member="xb", published="2026-02-01"),
            vacancy("no", "Welder", member="xb"),
        ],
    )
    assert keys(market.find("welder"))[:2] == ["new", "mid"]


def test_freshness_does_not_beat_relevance(union: Found) -> None:
    market = union(
        xa=[
            vacancy("title", "Welder", published="2020-01-01"),
            vacancy("text", "Cook", description="no welder needed", published="2026-03-19"),
        ]
    )
    assert keys(market.find("welder")) == ["title", "text"]


def test_pay_sorts_across_members_and_currencies(union: Found) -> None:
    tenge = RATES.convert(1500.0, "EUR", "KZT")
    assert tenge is not None
    market = union(
        xa=[
            vacancy("1000", "Cook", pay=monthly(1000)),
            vacancy("none", "Cook"),
            vacancy("2000", "Cook", pay=monthly(2000)),
        ],
        kz=[vacancy("1500", "Cook", member="kz", pay=monthly(tenge, currency="KZT"))],
    )
    result = market.find("cook", sort="pay", currency="KZT")
    assert keys(result) == ["2000", "1500", "1000", "none"]
    pay = result.hits[1].pay
    assert pay is not None
    assert (pay.low, pay.currency) == (pytest.approx(tenge * 12, rel=1e-6), "KZT")
    assert result.hits[3].pay is None


# filters


def test_a_pay_filter_is_the_same_in_every_currency(union: Found) -> None:
    market = union(
        kz=[
            vacancy(str(k), "Cook", pay=monthly(k * 1000, currency="KZT"), member="kz")
            for k in range(100, 900, 7)
        ]
    )
    euro = RATES.convert(500_000, "KZT", "EUR")
    own = market.find(pay="499000", currency="KZT", limit="100")
    assert own.total.count == len([k for k in range(100, 900, 7) if k >= 499])
    same = market.find(pay=str(euro), currency="EUR", period="month", limit="100")
    yearly = market.find(pay=str(500_000 * 12), currency="KZT", period="year", limit="100")
    assert keys(same) == keys(yearly) == keys(market.find(pay="500000", currency="KZT", limit="100"))


def test_records_without_a_value_are_counted_and_shown_on_demand(union: Found) -> None:
    market = union(
        xa=[
            vacancy("paid", "Cook", pay=monthly(2000), contract=("permanent",)),
            vacancy("unpaid", "Cook", contract=("permanent",)),
            vacancy("poor", "Cook", pay=monthly(500)),
        ],
        xb=[vacancy("other", "Cook", member="xb")],
    )
    strict = market.find("cook", pay="1000", contract="permanent")
    assert (keys(strict), strict.unknown) == (["paid"], {"contract": 0, "pay": 1})
    lenient = market.find("cook", pay="1000", unknown="pay,contract")
    assert sorted(keys(lenient)) == ["other", "paid", "unpaid"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"occupation": "isco-08:7212"}, ["a"]),
        ({"occupation": "isco-08:72"}, ["a"]),
        ({"occupation": "isco-08:7"}, ["a", "b"]),
        ({"occupation": "isco-08:7212,isco-08:7126"}, ["a", "b"]),
        ({"occupation": "own:7"}, ["c"]),  # a flat list: 7 is not 71
        ({"employer": "SHIPYARD north"}, ["a"]),
        ({"contract": "permanent,project"}, ["a", "b"]),
        ({"lang": "ru"}, ["b"]),
        ({"lang": "pt,RU"}, ["b", "d"]),
        ({"lang": "pt-br"}, ["d"]),
        ({"source": "xa/jobs"}, ["a", "b", "c", "d"]),
        ({"country": "Kazakhstan"}, ["a", "b"]),
        ({"city": "talgar"}, ["b"]),
        ({"since": "2026-03-10"}, ["b"]),
        ({"since": "10d"}, ["b"]),
        ({"since": "19"}, ["a", "b"]),
        ({"place": "43.25,76.95", "radius": "10"}, ["a"]),
        ({"place": "43.25,76.95"}, ["a", "b"]),
        ({"place": "Алматы", "radius": "10"}, ["a"]),
    ],
)
def test_filters(union: Found, params: dict[str, str], expected: list[str]) -> None:
    def isco(code: str) -> tuple[Concept, ...]:
        return (Concept(text=code, scheme="isco-08", code=code),)

    market = union(
        xa=[
            vacancy(
                "a",
                "Cook",
                occupation=isco("7212"),
                employer=Party(name="Shipyard North"),
                contract=("permanent",),
                places=(ALMATY,),
                published="2026-03-02",
            ),
            vacancy(
                "b",
                "Cook",
                language="ru",
                occupation=isco("7126"),
                contract=("project",),
                places=(TALGAR,),
                published="2026-03-12",
            ),
            vacancy(
                "c", "?", occupation=(Concept(scheme="own", code="7"), Concept(scheme="own", code="71"))
            ),  # no title names an occupation, so their own codes are all there is
            vacancy("d", "?", language="pt-BR", occupation=(Concept(scheme="own", code="71"),)),
        ]
    )
    assert sorted(keys(market.find(**params))) == expected


def test_distance_sorts_and_is_shown(union: Found) -> None:
    market = union(
        xa=[vacancy("far", "Cook", places=(ASTANA,)), vacancy("near", "Cook", places=(TALGAR,))],
        xb=[
            vacancy("here", "Cook", places=(ALMATY, ASTANA), member="xb"),
            vacancy("none", "Cook", member="xb"),
        ],
    )
    result = market.find("cook", place="43.25,76.95", radius="1000", sort="distance")
    assert keys(result) == ["here", "near", "far"]
    assert [h.distance_km for h in result.hits][:2] == [0.0, pytest.approx(24.1, abs=1)]
    assert result.unknown == {"place": 1}
    assert keys(market.find("cook", place="43.25,76.95", radius="50", sort="distance", unknown="place")) == [
        "here",
        "near",
        "none",
    ]


# facets


def test_facets_add_up_over_members_and_say_how_many_have_no_value(union: Found) -> None:
    market = union(
        xa=[
            vacancy("1", "Cook", contract=("permanent", "project"), employer=Party(name="Big Firm")),
            vacancy("2", "Cook", contract=("permanent",)),
            vacancy("3", "Baker", contract=("seasonal",)),
        ],
        xb=[
            vacancy("4", "Cook", member="xb", employer=Party(name="BIG firm"), places=(ALMATY,)),
            vacancy("5", "Cook", member="xb", contract=("project",)),
        ],
    )
    result = market.find("cook", facets="contract,employer,country")
    facets = {f.name: f for f in result.facets}
    assert [(v.key, v.count) for v in facets["contract"].values] == [("permanent", 2), ("project", 2)]
    assert facets["contract"].missing == 1
    assert [(v.key, v.count) for v in facets["employer"].values] == [("big firm", 2)]
    assert facets["employer"].values[0].label in {"Big Firm", "BIG firm"}
    assert (facets["country"].missing, facets["country"].exact) == (3, True)


def test_the_key_of_a_facet_is_what_its_filter_takes(union: Found) -> None:
    market = union(
        xa=[
            vacancy(
                str(n),
                "Cook",
                employer=Party(name=f"Ünïcode & Sons, “{n % 3}”"),
                occupation=(Concept(text=f"odd: job {n % 2}"), Concept(scheme="isco-08", code=f"512{n % 4}")),
                places=(Place(country="KZ", region=f"Region {n % 2}", city=f"Town-{n % 5}"),),
            )
            for n in range(20)
        ]
    )
    for facet in market.find("cook", facets="employer,occupation,country,region,city,language,source").facets:
        name = "lang" if facet.name == "language" else facet.name
        for value in facet.values:
            if "," not in value.key:
                assert market.find("cook", **{name: value.key}).total.count == value.count, value


def test_a_town_is_one_however_its_registers_spell_it(union: Found) -> None:
    one = Place(country="KZ", city="Алматы", id="geonames:1526384", lat=43.25, lon=76.95)
    other = Place(country="KZ", city="Almaty", id="geonames:1526384", lat=43.25, lon=76.95)
    village = Place(country="KZ", city="Almaty")  # a name alone
    market = union(
        xa=[vacancy("1", "Cook", places=(one,)), vacancy("2", "Cook", places=(other,))],
        xb=[
            vacancy("3", "Cook", places=(village,), member="xb"),
            vacancy("4", "Cook", places=(ASTANA,), member="xb"),
        ],
    )
    facet = market.find("cook", facets="city").facets[0]
    assert (facet.values[0].key, facet.values[0].count) == ("geonames:1526384", 2)
    assert facet.values[0].label in {"Алматы", "Almaty"}
    assert sorted(keys(market.find("cook", city="Almaty"))) == ["1", "2", "3"]
    assert sorted(keys(market.find("cook", city="geonames:1526384"))) == ["1", "2"]


# pages


@pytest.fixture
def many(union: Found) -> Union:
    def some(member: str, count: int) -> list[Record]:
        return [
            vacancy(
                f"{member}{n}",
                "Welder" if n % 3 else "Welder and welder",
                member=member,
                description="steel " * (n % 7),
                published=f"2026-03-{n % 19 + 1:02d}" if n % 5 else None,
                pay=monthly(900 + n % 11) if n % 4 else None,
                places=((ALMATY, TALGAR, ASTANA)[n % 3],),
            )
            for n in range(count)
        ]

    return union(xa=some("xa", 7), xb=some("xb", 120), xc=some("xc", 43))


@pytest.mark.parametrize("sort", ["relevance", "date", "pay", "distance"])
@pytest.mark.parametrize("limit", [7, 50, 100])
def test_pages_hold_every_hit_once_in_the_order_of_one_long_page(many: Union, sort: str, limit: int) -> None:
    place = {"place": "43.25,76.95", "radius": "1000"} if sort == "distance" else {}
    found = all_pages(many, limit=limit, q="welder", sort=sort, **place)
    assert len(found) == len(set(found)) == 170
    first = many.find("welder", sort=sort, limit="100", **place)
    assert found[:100] == keys(first)
    assert first.total.count == 170


def test_what_comes_in_between_pages_neither_repeats_nor_hides_a_hit(many: Union) -> None:
    for sort in ("date", "relevance"):
        first = many.find("welder", sort=sort, limit="20")
        index = many.index("xa")
        news = [vacancy(f"new{sort}{n}", "Welder", member="xa", published="2026-03-20") for n in range(5)]
        index.write((index.last_seq + n, r) for n, r in enumerate(news, 1))
        second = many.find("welder", sort=sort, limit="20", cursor=first.cursor)
        assert not {*keys(first)} & {*keys(second)}
        assert not [k for k in keys(second) if k.startswith("new")]


def test_pages_end_also_where_totals_are_lower_bounds(many: Union, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landbridge.find.index.tantivy.COUNTED", 5)
    for member, index in many.indexes.items():
        assert not isinstance(index, Exception)
        index.write([(index.last_seq + 1, Removal(f"{member}/jobs/{member}0"))])
    first = many.find("welder", limit="20")
    assert first.total.count <= 167
    found = all_pages(many, limit=20, q="welder")
    assert len(found) == len(set(found)) == 167


def test_a_cursor_is_good_for_its_own_query_alone(many: Union) -> None:
    cursor = many.find("welder").cursor
    assert many.find("welder", cursor=cursor, limit="3", facets="contract", explain="1").hits
    for other in (
        {"q": "welders"},
        {"q": "welder", "sort": "date"},
        {"q": "welder", "pay": "5"},
        {"q": "welder", "in_": "xa"},
    ):
        with pytest.raises(UsageError) as caught:
            many.find(cursor=cursor, **other)
        assert caught.value.parameter == "cursor"


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=60)
    | st.binary(max_size=80).map(lambda b: __import__("base64").urlsafe_b64encode(b).decode())
)
def test_no_cursor_breaks_anything(tmp_path_factory: pytest.TempPathFactory, cursor: str) -> None:
    global _small
    if _small is None:
        _small = Union(tmp_path_factory.mktemp("cursor"), xa=[vacancy(str(n), "Welder") for n in range(30)])
    refused = refusal(lambda: _small.find("welder", cursor=cursor))
    assert refused in {"", "cursor"}


_small: Union | None = None


def test_a_forged_cursor_cannot_ask_for_the_moon(many: Union) -> None:
    from landbridge.find.search import _Page

    query = parse({"q": ["welder"]}, KINDS, rates=RATES, now=NOW)
    import base64

    for at in ({"xb": (10_000, 5)}, {"xb": (2**40, 5)}, {"nobody": (5, 5)}, {"xb": (-1, 5)}):
        page = _Page(query=query.print_of(), day=20_000, at=at)
        cursor = base64.urlsafe_b64encode(msgspec.msgpack.encode(page)).decode()
        assert refusal(lambda c=cursor: many.find("welder", cursor=c)) in {"", "cursor"}  # type: ignore[misc]


# what is shown


@pytest.mark.parametrize(
    ("text", "key", "marks"),
    [
        ("сварщик", "ru", ["сварщики"]),
        ("thợ hàn", "vi", ["Thợ", "hàn"]),
        ("tho han", "vi", ["Thợ", "hàn"]),
        ("焊工", "zh", ["焊工"]),
        ("ช่างเชื่อม", "th", ["ช่างเชื่อม"]),
        ("schweisser", "de", ["Schweißer"]),
        ("pipe", "en", ["pipes"]),
        ("seniors", "en", ["Senior"]),
    ],
)
def test_the_words_of_the_query_are_marked_in_every_script(
    six: Union, text: str, key: str, marks: list[str]
) -> None:
    hit = six.find(text).hits[0]
    assert hit.id.endswith(f"/{key}")
    assert marked(hit) == marks


def test_a_snippet_is_the_piece_of_the_text_that_holds_most_of_the_words(union: Found) -> None:
    filler = "Nothing to see in this sentence at all. " * 20
    text = f"{filler}A welder here. {filler}Steel pipes for a welder of ships. {filler}"
    market = union(xa=[vacancy("1", "Job", description=text)])
    hit = market.find("welder pipes steel").hits[0]
    shown = "".join(t for t, _ in hit.snippet)
    assert "Steel pipes for a welder" in shown
    assert len(shown) <= 200
    assert shown in text
    assert set(marked(hit)) == {"Steel", "pipes", "welder"}


def test_marks_are_pieces_of_text_never_html(union: Found) -> None:
    text = "<script>alert('welder')</script> & <b>welder"
    market = union(xa=[vacancy("1", text, description=text)])
    hit = market.find("welder").hits[0]
    assert "".join(t for t, _ in hit.title) == text
    assert "".join(t for t, _ in hit.snippet) == text
    assert marked(hit) == ["welder"] * 4


def test_a_long_text_costs_no_more_than_its_beginning(union: Found) -> None:
    market = union(xa=[vacancy("1", "Welder", description="word " * 200_000 + "welder")])
    hit = market.find("welder").hits[0]
    assert marked(hit) == ["Welder"]
    assert len("".join(t for t, _ in hit.snippet)) <= 200


def test_snippets_can_be_left_out(six: Union) -> None:
    hit = six.find("welder", snippets=False).hits[0]
    assert (hit.title, hit.snippet) == ([("Senior Welder", False)], [])


def test_a_hit_carries_its_record_as_the_member_shared_it(six: Union) -> None:
    result = six.find("сварщик")
    record = msgspec.json.decode(result.hits[0].record)
    assert record["values"]["title"] == "Требуются сварщики"
    again = msgspec.json.decode(msgspec.json.encode(result))
    assert again["hits"][0]["record"] == record
    assert again["members"][0]["state"] == "ok"


def test_explain_says_what_each_word_added_and_what_each_member_was_asked(six: Union) -> None:
    result = six.find("welder pipes -cook", explain="1", pay="1", unknown="pay")
    words = "; ".join(result.hits[0].why)
    for part in ("welder:", "pipe", "together", "score"):
        assert part in words
    assert "not cook" in six.find("welder -senior -сварщик", explain="1").plans["xc"] or True
    assert "pay at least" in result.plans["xc"]
    assert "a word that it does not have" in result.plans["xb"]
    assert six.find("welder").plans == {}


def test_explain_says_which_occupation_was_sought(welders: Union) -> None:
    result = welders.find("welder", explain="1")
    assert "occupation 7212 welder" in result.plans["xb"]
    (other,) = [h for h in result.hits if h.id.endswith("/ru")]
    assert any(part.startswith("occupation 7212 welder: ") for part in other.why)
    assert "occupation" not in welders.find("welder", explain="1", literal="1").plans["xc"]


# what is asked


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"colour": "red"}, "colour"),
        ({"kind": "spaceship"}, "kind"),
        ({"q": "x" * 501}, "q"),
        ({"q": "wel\x00der"}, "q"),
        ({"q": "wel\ud800der"}, "q"),
        ({"limit": "0"}, "limit"),
        ({"limit": str(MOST + 1)}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "１０"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"pay": "nan"}, "pay"),
        ({"pay": "inf"}, "pay"),
        ({"pay": "-5"}, "pay"),
        ({"pay": "1_000"}, "pay"),
        ({"pay": "a lot"}, "pay"),
        ({"pay": "1e400"}, "pay"),
        ({"pay": "1000", "currency": "XYZ"}, "currency"),
        ({"pay": "1000", "period": "fortnights"}, "period"),
        ({"pay": "1000", "period": "piece"}, "period"),
        ({"sort": "beauty"}, "sort"),
        ({"sort": "distance"}, "sort"),
        ({"contract": "forever"}, "contract"),
        ({"country": "Atlantis"}, "country"),
        ({"in": "../etc"}, "in"),
        ({"in": ",".join(f"x{n}" for n in range(60))}, "in"),
        ({"lang": "русский"}, "lang"),
        ({"source": "jobs"}, "source"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"place": "91,0"}, "place"),
        ({"place": "Xqzzyplk"}, "place"),
        ({"radius": "5"}, "radius"),
        ({"place": "0,0", "radius": "nan"}, "radius"),
        ({"place": "0,0", "radius": "0"}, "radius"),
        ({"place": "0,0", "radius": "99999"}, "radius"),
        ({"unknown": "everything"}, "unknown"),
        ({"facets": "title"}, "facets"),
        ({"explain": "maybe"}, "explain"),
        ({"occupation": "x" * 201}, "occupation"),
    ],
)
def test_what_is_not_understood_is_named(params: dict[str, str], parameter: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse({k: [v] for k, v in params.items()}, KINDS, rates=RATES, now=NOW)
    assert caught.value.parameter == parameter
    assert caught.value.status == 400


def test_an_unknown_code_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        parse({"contract": ["forever"]}, KINDS, rates=RATES, now=NOW)
    assert "permanent" in caught.value.hint


def test_a_parameter_given_twice_is_refused_unless_it_is_a_list() -> None:
    with pytest.raises(UsageError):
        parse({"limit": ["5", "6"]}, KINDS, rates=RATES, now=NOW)
    query = parse({"in": ["kz", "ru,VN"], "contract": ["permanent", "project"]}, KINDS, rates=RATES, now=NOW)
    assert query.members == ("kz", "ru", "vn")
    assert query.filters["contract"] == ("permanent", "project")


def test_a_query_has_its_defaults() -> None:
    query = parse({"q": ["welder"], "pay": ["1000"]}, KINDS, rates=RATES, now=NOW)
    assert (query.kind, query.limit, query.sort, query.currency) == ("vacancy", 10, "relevance", "EUR")
    assert query.pay is not None
    assert query.pay.per_year == 12_000


def test_empty_parameters_are_none(six: Union) -> None:
    query = parse(
        {"q": [""], "in": [" "], "pay": [""], "sort": [""], "limit": [""]}, KINDS, rates=RATES, now=NOW
    )
    assert query == Query(kind="vacancy", sort="date")


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*PARAMETERS, "contract", "city", "employer"]),
        st.text(max_size=30)
        | st.sampled_from(["-1", "1e9", "a,b", "distance", "0,0", "9" * 30, "'\"", '-"', "7d"]),
        max_size=5,
    )
)
def test_whatever_is_asked_is_understood_or_refused_by_name(params: dict[str, str]) -> None:
    found: list[Query] = []
    refused = refusal(
        lambda: found.append(parse({k: [v] for k, v in params.items()}, KINDS, rates=RATES, now=NOW))
    )
    assert not refused or refused in params
    for query in found:
        assert 1 <= query.limit <= MOST
        msgspec.json.encode(query)


@settings(max_examples=80, deadline=None)
@given(
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=40)
    | st.text(alphabet='ab -"焊工сิ่', max_size=25)
)
def test_whatever_the_text_it_is_answered_or_has_no_word(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    global _small
    if _small is None:
        _small = Union(
            tmp_path_factory.mktemp("text"), xa=[vacancy(str(n), "Welder 焊工 ab") for n in range(30)]
        )
    assert refusal(lambda: msgspec.json.encode(_small.find(text))) in {"", "q"}


def test_every_parameter_is_described(tmp_path: Path) -> None:
    described = {p["name"]: p for p in parameters(KINDS)}
    assert [*described][: len(PARAMETERS)] == [*PARAMETERS]
    assert {"occupation", "employer", "contract", "availability", "city"} <= described.keys()
    assert "permanent" in described["contract"]["schema"]["items"]["enum"]
    for name, one in described.items():
        default = one["schema"].get("default")
        kinds = ["candidate"] if name in {"availability", "relocation"} else ["vacancy"]
        choices = one["schema"].get("items", {}).get("enum", [default])
        value = "country" if "country" in choices else choices[0]
        if value is not None and name != "kind":
            parse({name: [str(value)], "kind": kinds, "place": ["0,0"]}, KINDS, rates=RATES, now=NOW)


# any kind


def test_a_third_kind_is_searched_from_its_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "course.toml"
    path.write_text(COURSE)
    course = read_kind(path)
    make = course.struct
    records = [
        Record(
            f"xa/courses/{n}", "course", "xa", "xa/courses", "en",
            make(name=f"Welding {n}", level=("basic", "high")[n % 2], fee=monthly(100 + n), begins=f"2026-05-{n + 1:02d}", site=ALMATY),
        )
        for n in range(6)
    ]  # fmt: skip
    union = Union(tmp_path / "index", course, xa=records)
    assert keys(union.find("welding", level="basic", sort="pay")) == ["4", "2", "0"]
    assert keys(union.find(since="2026-05-05", place="Almaty")) == ["5", "4"]
    assert [f.name for f in union.find(facets="level,country,subject").facets] == [
        "level",
        "country",
        "subject",
    ]
    with pytest.raises(UsageError) as caught:
        union.find(contract="permanent")
    assert caught.value.parameter == "contract"
