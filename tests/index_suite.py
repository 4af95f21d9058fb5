"""The sentences that every index passes, whatever its engine. A test module gives it `make`."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from landbridge.errors import ConfigError
from landbridge.find import rates as exchange
from landbridge.find.analysis import tokens
from landbridge.find.index.protocol import (
    DEEPEST,
    Answer,
    AtLeast,
    Index,
    Near,
    Plan,
    Reading,
    Removal,
    Terms,
    Word,
)
from landbridge.find.rates import Rates
from landbridge.find.record import Record
from landbridge.kinds.kind import Kind, read_kinds
from landbridge.kinds.values import Concept, Money, Party, Place

KINDS = read_kinds()
VACANCY = KINDS["vacancy"]
RATES = exchange.load()
Make = Callable[[str, Kind, Rates], Index]  # the same index for the same member and kind, opened anew

ALMATY = Place(text="Алматы", country="KZ", city="Almaty", lat=43.25, lon=76.95)
ASTANA = Place(text="Астана", country="KZ", city="Astana", lat=51.18, lon=71.45)
TALGAR = Place(text="Talgar", country="KZ", city="Talgar", lat=43.30, lon=77.24)  # 24 km from Almaty


def vacancy(key: str, title: str, *, language: str = "en", member: str = "xa", **values: Any) -> Record:
    """A vacancy with these values."""
    translations = values.pop("translations", {})
    return Record(
        id=f"{member}/jobs/{key}",
        kind="vacancy",
        member=member,
        source=f"{member}/jobs",
        language=language,
        values=VACANCY.struct(title=title, **values),
        translations=translations,
    )


def monthly(low: float | None, high: float | None = None, currency: str = "EUR") -> Money:
    return Money(low=low, high=high, currency=currency, period="month")


def words(text: str, language: str = "en") -> tuple[Word, ...]:
    return tuple(Word((Reading((t,)),)) for t in tokens(text, language))


def phrase(text: str, language: str = "en") -> Word:
    return Word((Reading(tuple(tokens(text, language))),))


def ids(answer: Answer) -> list[str]:
    """The keys of the hits' records, in order."""
    found = answer.read(range(len(answer.hits)))
    return [msgspec.json.decode(r)["id"].rpartition("/")[2] for r in found]


class IndexSuite:
    """Subclasses give `make`."""

    @pytest.fixture
    def make(self) -> Iterator[Make]:
        raise NotImplementedError

    @pytest.fixture
    def index(self, make: Make) -> Index:
        return make("xa", VACANCY, RATES)

    def keep(self, index: Index, *records: Record) -> None:
        start = index.last_seq
        index.write((start + n, r) for n, r in enumerate(records, 1))

    def ask(self, index: Index, **plan: Any) -> list[str]:
        return ids(index.view().search(Plan(**plan)))

    # what is written is found

    def test_an_index_that_nobody_wrote_to_answers_with_nothing(self, index: Index) -> None:
        answer = index.view().search(Plan(words=words("welder"), facets=("contract",)))
        assert (answer.total, answer.exact, list(answer.hits)) == (0, True, [])
        assert answer.facets["contract"].missing == 0
        assert (index.count(), index.last_seq, index.outdated) == (0, 0, "")

    def test_a_record_is_found_by_the_words_of_every_searched_field(self, index: Index) -> None:
        self.keep(
            index,
            vacancy(
                "1",
                "Welder",
                employer=Party(name="Northern Shipyard"),
                occupation=(Concept(text="metal joiner", scheme="isco-08", code="7212"),),
                skills=(Concept(text="arc welding"),),
                description="Steel hulls and pipes.",
                benefits="Free canteen",
                education="doctorate",
            ),
            vacancy("2", "Cook"),
        )
        for text in ("welder", "shipyard", "joiner", "arc", "hulls", "canteen"):
            assert self.ask(index, words=words(text)) == ["1"], text
        assert self.ask(index, words=words("doctorate")) == []  # a field with search = 0

    def test_a_record_without_a_word_is_counted_and_filtered_as_any(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Cook", places=(ALMATY,)), vacancy("2", "?"))
        assert (index.count(), index.view().size()) == (2, 2)
        assert self.ask(index, filters=(Terms("country", "country", ("KZ",)),)) == ["1"]

    def test_all_words_must_match(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder", description="night shift"), vacancy("2", "Welder"))
        assert self.ask(index, words=words("welder night")) == ["1"]

    def test_any_reading_of_a_word_will_do(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder"), vacancy("2", "сварщик", language="ru"), vacancy("3", "Cook"))
        either = Word((Reading(("welder",)), *(Reading((t,)) for t in tokens("сварщик", "ru"))))
        assert sorted(self.ask(index, words=(either,))) == ["1", "2"]

    def test_a_translation_is_found_in_its_own_language(self, index: Index) -> None:
        self.keep(
            index,
            vacancy(
                "1",
                "дәнекерлеуші",
                language="kk",
                translations={"ru": {"title": "Сварщики"}, "en": {"title": "Welders"}},
            ),
        )
        assert self.ask(index, words=words("сварщик", "ru")) == ["1"]
        assert self.ask(index, words=words("дәнекерлеуші", "kk")) == ["1"]

    def test_scripts_without_spaces_are_found_by_their_words(self, index: Index) -> None:
        self.keep(
            index,
            vacancy("zh", "高级焊工", language="zh"),
            vacancy("th", "ช่างเชื่อมโลหะ", language="th"),
            vacancy("km", "ជាងផ្សារដែក", language="km"),
        )
        assert self.ask(index, words=words("焊工", "zh")[:1]) == ["zh"]
        assert self.ask(index, words=words("เชื่อม", "th")[:1]) == ["th"]
        assert self.ask(index, words=words("ផ្សារ", "km")[:1]) == ["km"]

    def test_a_phrase_stands_as_written_and_within_one_field(self, index: Index) -> None:
        self.keep(
            index,
            vacancy("1", "Truck driver", description="mechanic wanted too"),
            vacancy("2", "Driver", description="drive a truck, be a mechanic"),
        )
        assert self.ask(index, words=(phrase("truck driver"),)) == ["1"]
        assert self.ask(index, words=(phrase("driver truck"),)) == []
        assert self.ask(index, words=(phrase("driver mechanic"),)) == []  # title, then description

    def test_excluded_words_exclude(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Truck driver"), vacancy("2", "Bus driver"))
        assert self.ask(index, words=words("driver"), without=words("bus")) == ["1"]
        assert self.ask(index, without=words("bus")) == ["1"]

    def test_a_word_in_the_title_weighs_more_than_in_the_text(self, index: Index) -> None:
        self.keep(
            index,
            vacancy("1", "Cook", description="works beside the welder in the canteen of the yard"),
            vacancy("2", "Welder", description="works beside the cook in the canteen of the yard"),
        )
        assert self.ask(index, words=words("welder"), sort="relevance") == ["2", "1"]

    def test_a_boost_multiplies_a_score(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder"))
        view = index.view()
        one, three = (
            view.search(Plan(words=(Word((Reading(("welder",), boost),)),), sort="relevance")).hits[0][0]
            for boost in (1.0, 3.0)
        )
        assert three == pytest.approx(3 * one, rel=1e-5)

    # changes

    def test_a_change_takes_the_place_of_what_was_there(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder"), vacancy("2", "Cook"))
        self.keep(index, vacancy("1", "Plumber"))
        assert self.ask(index, words=words("welder")) == []
        assert self.ask(index, words=words("plumber")) == ["1"]
        assert (index.count(), index.last_seq) == (2, 3)

    def test_what_is_removed_is_not_found(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder"), vacancy("2", "Welder"))
        assert index.write([(3, Removal("xa/jobs/1"))]) == 1
        assert self.ask(index, words=words("welder")) == ["2"]
        assert (index.count(), index.last_seq) == (1, 3)

    def test_a_record_that_changes_within_one_batch_is_there_once(self, index: Index) -> None:
        index.write([(1, vacancy("1", "Welder")), (2, vacancy("1", "Plumber")), (3, vacancy("2", "Cook"))])
        index.write([(4, Removal("xa/jobs/2")), (5, vacancy("2", "Baker"))])
        assert sorted(self.ask(index)) == ["1", "2"]
        assert self.ask(index, words=words("baker")) == ["2"]

    def test_repeating_a_batch_changes_nothing(self, index: Index) -> None:
        batch = [(1, vacancy("1", "Welder")), (2, vacancy("2", "Cook")), (3, Removal("xa/jobs/2"))]
        assert index.write(batch) == 3
        assert index.write(batch) == 0
        assert (self.ask(index), index.count(), index.last_seq) == (["1"], 1, 3)

    def test_an_older_state_never_overwrites_a_newer_one(self, make: Make) -> None:
        slow, fast = make("xa", VACANCY, RATES), make("xa", VACANCY, RATES)
        fast.write([(1, vacancy("1", "Welder")), (5, vacancy("1", "Plumber"))])
        assert slow.write([(1, vacancy("1", "Welder")), (2, vacancy("2", "Cook"))]) == 0
        assert self.ask(slow) == ["1"]
        assert self.ask(slow, words=words("plumber")) == ["1"]

    def test_a_reader_opened_before_sees_what_another_writes(self, make: Make) -> None:
        reader, writer = make("xa", VACANCY, RATES), make("xa", VACANCY, RATES)
        assert self.ask(reader) == []
        for n, title in enumerate(("Welder", "Plumber", "Cook"), 1):
            writer.write([(n, vacancy(str(n), title))])
            assert self.ask(reader, words=words(title)) == [str(n)]
            assert (reader.count(), reader.last_seq) == (n, n)

    def test_a_view_stays_as_it_was(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder"))
        view = index.view()
        self.keep(index, vacancy("2", "Welder"))
        if view.seq == 1:  # an engine without snapshots shows its newest state, and says so
            assert ids(view.search(Plan(words=words("welder")))) == ["1"]
        assert index.view().seq == 2

    # filters

    @pytest.fixture
    def market(self, index: Index) -> Index:
        self.keep(
            index,
            vacancy(
                "permanent",
                "Welder",
                contract=("permanent",),
                occupation=(Concept(text="Welders", scheme="isco-08", code="7212"),),
                employer=Party(name="Shipyard  North"),
                pay=monthly(2000, 3000),
                places=(ALMATY,),
                published="2026-03-01",
            ),
            vacancy(
                "both",
                "Welder",
                contract=("permanent", "project"),
                occupation=(Concept(text="Plumbers", scheme="isco-08", code="7126"),),
                employer=Party(name="SHIPYARD NORTH"),
                pay=monthly(1000),
                places=(ASTANA, TALGAR),
                published="2026-03-02T12:30:00Z",
            ),
            vacancy("nothing", "Welder"),
            vacancy(
                "late",
                "Welder",
                language="ru",
                contract=("seasonal",),
                occupation=(Concept(text="odd jobs"),),
                pay=monthly(None, 2500),
                places=(Place(text="somewhere", country="KZ"),),
                published="2026-03-03",
            ),
        )
        return index

    def test_a_code_filters(self, market: Index) -> None:
        only = (Terms("contract", "contract", ("permanent",)),)
        assert sorted(self.ask(market, filters=only)) == ["both", "permanent"]
        either = (Terms("contract", "contract", ("project", "seasonal")),)
        assert sorted(self.ask(market, filters=either, words=words("welder"))) == ["both", "late"]
        assert self.ask(market, filters=(Terms("contract", "contract", ("volunteer",)),)) == []

    def test_a_concept_filters_by_code_by_the_beginning_of_its_code_or_by_its_words(
        self, market: Index
    ) -> None:
        def of(*values: str, prefixes: tuple[str, ...] = ()) -> list[str]:
            return sorted(self.ask(market, filters=(Terms("occupation", "occupation", values, prefixes),)))

        assert of("isco-08:7126") == ["both"]
        assert of("isco-08:7212") == ["late", "nothing", "permanent"]  # where no code says so, the title does
        assert of(prefixes=("isco-08:7",)) == ["both", "late", "nothing", "permanent"]
        self.keep(market, vacancy("untitled", "?", occupation=(Concept(text="Xyzzy"),)))
        assert of("xyzzy", prefixes=("isco-08:712",)) == ["both", "untitled"]

    def test_two_spellings_of_an_employer_are_one(self, market: Index) -> None:
        filters = (Terms("employer", "employer", ("shipyard north",)),)
        assert sorted(self.ask(market, filters=filters)) == ["both", "permanent"]

    def test_country_town_language_and_source_filter(self, market: Index) -> None:
        assert len(self.ask(market, filters=(Terms("country", "country", ("KZ",)),))) == 3
        assert self.ask(market, filters=(Terms("city", "city", ("talgar",)),)) == ["both"]
        assert self.ask(market, filters=(Terms("language", "language", ("ru",)),)) == ["late"]
        assert len(self.ask(market, filters=(Terms("source", "source", ("xa/jobs",)),))) == 4
        assert self.ask(market, filters=(Terms("source", "source", ("xa/other",)),)) == []

    def test_pay_filters_by_its_upper_end(self, market: Index) -> None:
        def at_least(month: int) -> list[str]:
            return sorted(self.ask(market, filters=(AtLeast("pay", "top", month * 12 * 100),)))

        assert at_least(500) == ["both", "late", "permanent"]
        assert at_least(1000) == ["both", "late", "permanent"]  # exactly so much is enough
        assert at_least(1001) == ["late", "permanent"]
        assert at_least(2600) == ["permanent"]

    def test_since_filters_by_the_first_date(self, market: Index) -> None:
        second = 1_772_409_600  # 2026-03-02
        assert sorted(self.ask(market, filters=(AtLeast("since", "date", second),))) == ["both", "late"]
        assert self.ask(market, filters=(AtLeast("since", "date", second + 12 * 3600 + 1801),)) == ["late"]
        assert len(self.ask(market, filters=(AtLeast("since", "date", -1),))) == 3  # before any date

    @pytest.mark.parametrize(
        ("filter_", "passing"),
        [
            (Terms("contract", "contract", ("project",)), ["both"]),
            (AtLeast("pay", "top", 2600 * 1200), ["permanent"]),
            (AtLeast("since", "date", 1_772_409_600), ["both", "late"]),
            (Near(43.25, 76.95, 30), ["both", "permanent"]),
        ],
        ids=["code", "pay", "date", "place"],
    )
    def test_records_without_a_value_are_counted_and_let_through_on_demand(
        self, market: Index, filter_: Any, passing: list[str]
    ) -> None:
        lacking = ["nothing", "late"] if filter_.name == "place" else ["nothing"]
        strict = market.view().search(Plan(words=words("welder"), filters=(filter_,), sort="relevance"))
        assert sorted(ids(strict)) == passing
        assert strict.lacking == {filter_.name: len(lacking)}
        lenient = msgspec.structs.replace(filter_, or_lacking=True)
        assert sorted(self.ask(market, filters=(lenient,))) == sorted({*passing, *lacking})
        assert sorted(self.ask(market, words=words("welder"), filters=(lenient,))) == sorted(
            {*passing, *lacking}
        )

    def test_lacking_counts_only_what_matches_all_else(self, market: Index) -> None:
        filters = (AtLeast("pay", "top", 1), Terms("contract", "contract", ("seasonal",)))
        assert market.view().search(Plan(filters=filters)).lacking == {"pay": 0, "contract": 1 - 1}
        assert market.view().search(Plan(filters=filters[:1])).lacking == {"pay": 1}
        assert market.view().search(Plan(words=words("cook"), filters=filters[:1])).lacking == {"pay": 0}

    # order

    def test_the_newest_come_first_and_those_without_a_date_last(self, market: Index) -> None:
        assert self.ask(market, sort="date") == ["late", "both", "permanent", "nothing"]
        assert self.ask(market, words=words("welder"), sort="date", limit=2) == ["late", "both"]

    def test_the_best_paid_come_first_by_what_is_certain_and_those_without_last(self, market: Index) -> None:
        # up to 2500 is all that is known of one; 2000 to 3000 counts as 2000
        assert self.ask(market, sort="pay") == ["late", "permanent", "both", "nothing"]

    def test_pays_are_given_in_cents_a_year(self, market: Index) -> None:
        answer = market.view().search(Plan(sort="pay"))
        assert answer.pays(range(4)) == [
            (3_000_000, 3_000_000),
            (2_400_000, 3_600_000),
            (1_200_000, 1_200_000),
            None,
        ]

    def test_all_pays_compare_whatever_their_currency(self, index: Index) -> None:
        euro = RATES.convert(1000.0, "EUR", "KZT")
        assert euro is not None
        self.keep(
            index,
            vacancy("less", "Cook", pay=monthly(euro - 100, currency="KZT")),
            vacancy("euro", "Cook", pay=monthly(1000)),
            vacancy("more", "Cook", pay=monthly(euro + 100, currency="KZT")),
            vacancy("strange", "Cook", pay=monthly(5, currency="XXX")),
            vacancy("piece", "Cook", pay=Money(low=90, currency="EUR", period="piece")),
        )
        order = self.ask(index, sort="pay")
        assert order[:3] == ["more", "euro", "less"]
        assert index.view().search(Plan(filters=(AtLeast("pay", "top", 1),))).lacking == {"pay": 2}

    def test_equals_stand_in_the_same_order_in_every_index(self, make: Make) -> None:
        records = [vacancy(str(n), "Welder", published="2026-03-01", pay=monthly(1000)) for n in range(30)]
        one, other = make("xa", VACANCY, RATES), make("xb", VACANCY, RATES)
        for n, record in enumerate(records, 1):
            if n % 7 == 0:
                one.write([(n, record)])
        one.write((100 + n, r) for n, r in enumerate(records))
        other.write((n, r) for n, r in enumerate(reversed(records), 1))
        for sort in ("date", "pay"):
            assert self.ask(one, sort=sort, limit=30) == self.ask(other, sort=sort, limit=30)

    @pytest.mark.parametrize("sort", ["relevance", "date", "pay", "distance"])
    def test_pages_hold_every_hit_once(self, index: Index, sort: str) -> None:
        self.keep(
            index,
            *(
                vacancy(
                    str(n),
                    "Welder" if n % 3 else "Welder welder",
                    published=f"2026-03-{n % 5 + 1:02d}" if n % 4 else None,
                    pay=monthly(1000 + n % 6) if n % 5 else None,
                    places=((ALMATY, TALGAR, ASTANA)[n % 3],),
                )
                for n in range(60)
            ),
        )
        filters = (Near(43.25, 76.95, 2000),) if sort == "distance" else ()
        found: list[str] = []
        scores: list[float] = []
        for offset in range(0, 70, 7):
            plan = Plan(words=words("welder"), filters=filters, sort=sort, offset=offset, limit=7)  # type: ignore[arg-type]
            answer = index.view().search(plan)
            assert answer.total == 60
            found += ids(answer)
            scores += [first for first, _ in answer.hits]
        assert len(found) == len(set(found)) == 60
        assert scores == sorted(scores, reverse=True)

    def test_nothing_is_read_deeper_than_there_is_sense(self, market: Index) -> None:
        for sort in ("relevance", "date", "distance"):
            filters = (Near(43.25, 76.95, 30, or_lacking=True),) if sort == "distance" else ()
            plan = Plan(words=words("welder"), filters=filters, sort=sort, offset=DEEPEST, limit=10)  # type: ignore[arg-type]
            answer = market.view().search(plan)
            assert (answer.total, list(answer.hits)) == (4, [])

    def test_later_pages_do_not_see_what_came_after_the_first(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder"), vacancy("2", "Welder"))
        self.keep(index, vacancy("3", "Welder"))
        assert sorted(self.ask(index, words=words("welder"), upto=2)) == ["1", "2"]
        assert sorted(self.ask(index, upto=2)) == ["1", "2"]
        assert len(self.ask(index, words=words("welder"), upto=3)) == 3

    def test_a_window_of_the_journal_holds_what_was_written_in_it(self, index: Index) -> None:
        self.keep(index, *(vacancy(str(n), "Welder") for n in range(1, 6)))
        assert sorted(self.ask(index, words=words("welder"), above=1, upto=3)) == ["2", "3"]
        assert sorted(self.ask(index, above=3)) == ["4", "5"]
        self.keep(index, vacancy("2", "Welder, again"))
        assert sorted(self.ask(index, above=1, upto=3)) == ["3"]
        assert sorted(self.ask(index, above=5)) == ["2"]

    # places

    def test_a_radius_is_a_circle_around_any_of_a_records_places(self, market: Index) -> None:
        assert self.ask(market, filters=(Near(43.25, 76.95, 5),)) == ["permanent"]
        assert sorted(self.ask(market, filters=(Near(43.25, 76.95, 30),))) == ["both", "permanent"]
        assert self.ask(market, filters=(Near(51.2, 71.4, 30),)) == ["both"]
        assert self.ask(market, filters=(Near(0, 0, 100),)) == []

    def test_distance_orders_by_the_nearest_place_and_then_by_date(self, index: Index) -> None:
        self.keep(
            index,
            vacancy("far", "Cook", places=(ASTANA,), published="2026-03-09"),
            vacancy("two", "Cook", places=(ASTANA, TALGAR), published="2026-03-01"),
            *(
                vacancy(f"here{n}", "Cook", places=(ALMATY,), published=f"2026-03-{n:02d}")
                for n in range(1, 8)
            ),
            vacancy("nowhere", "Cook"),
        )
        near = (Near(43.25, 76.95, 1500),)
        here = [f"here{n}" for n in range(7, 0, -1)]
        assert self.ask(index, filters=near, sort="distance", limit=20) == [*here, "two", "far"]
        assert self.ask(index, filters=near, sort="distance", limit=3) == here[:3]
        assert self.ask(index, filters=near, sort="distance", limit=3, offset=5) == [*here[5:], "two"]
        all_ = (Near(43.25, 76.95, 1500, or_lacking=True),)
        answer = index.view().search(Plan(filters=all_, sort="distance", limit=20, words=words("cook")))
        assert ids(answer) == [*here, "two", "far", "nowhere"]
        assert -answer.hits[7][0] == pytest.approx(24.1, abs=1.5)

    # facets

    def test_facets_count_the_values_of_the_hits_and_those_without(self, market: Index) -> None:
        plan = Plan(words=words("welder"), facets=("contract", "employer", "country", "language"))
        facets = market.view().search(plan).facets
        assert dict(facets["contract"].values) == {"permanent": 2, "project": 1, "seasonal": 1}
        assert (facets["contract"].missing, facets["contract"].exact) == (1, True)
        assert dict(facets["employer"].values) == {"shipyard north": 2}
        assert (dict(facets["country"].values), facets["country"].missing) == ({"KZ": 3}, 1)
        assert dict(facets["language"].values) == {"en": 3, "ru": 1}

    def test_a_facet_leaves_its_own_filter_out(self, market: Index) -> None:
        filters = (Terms("contract", "contract", ("seasonal",)), Terms("country", "country", ("KZ",)))
        facets = market.view().search(Plan(filters=filters, facets=("contract", "occupation"))).facets
        assert dict(facets["contract"].values) == {"permanent": 2, "project": 1, "seasonal": 1}
        assert dict(facets["occupation"].values) == {"isco-08:7212": 1}

    def test_only_the_most_frequent_values_are_looked_at(self, index: Index) -> None:
        self.keep(
            index,
            *(
                vacancy(f"{n}-{m}", "Cook", employer=Party(name=f"Firm {n}"))
                for n in range(9)
                for m in range(n + 1)
            ),
        )
        facet = index.view().search(Plan(facets=("employer",), facet_size=3)).facets["employer"]
        assert facet.values[:3] == (("firm 8", 9), ("firm 7", 8), ("firm 6", 7))
        assert not facet.exact

    def test_a_value_has_the_words_of_a_record(self, market: Index) -> None:
        view = market.view()
        assert view.label("employer", "shipyard north") in {"Shipyard North", "SHIPYARD NORTH"}
        assert view.label("occupation", "isco-08:7212") == "Welders"
        assert view.label("city", "talgar") == "Talgar"
        assert view.label("city", "atlantis") == "atlantis"

    def test_every_value_of_a_column_is_listed_the_most_frequent_first(self, make: Make) -> None:
        index = make("xa", VACANCY, RATES)
        assert index.view().values("city") == []
        self.keep(
            index,
            vacancy("1", "Welder", places=(ALMATY, TALGAR), skills=(Concept(text="Arc welding"),)),
            vacancy(
                "2", "Welder", places=(ALMATY,), skills=(Concept(text="arc  WELDING"), Concept(text="MIG"))
            ),
            vacancy("3", "Cook", places=(ASTANA,), occupation=(Concept(scheme="isco-08", code="5120"),)),
        )
        view = index.view()
        assert view.values("city") == [("almaty", 2), ("astana", 1), ("talgar", 1)]
        skills = [("skill:arc-welding", 2), ("skill:mig-mag-welding", 1)]  # no facet, and listed all the same
        assert view.values("skills") == skills
        assert view.values("occupation") == [("isco-08:7212", 2), ("isco-08:5120", 1)]
        assert view.values("employer") == []

    # words it knows

    def test_frequencies_and_languages(self, market: Index) -> None:
        view = market.view()
        assert view.frequencies(["welder", "zebra"]) == [4, 0]
        assert (view.count(), view.size()) == (4, 4)
        assert view.languages() == {"en", "ru"}

    def test_similar_words_are_one_or_two_edits_away(self, index: Index) -> None:
        self.keep(
            index,
            vacancy("1", "welder"),
            vacancy("2", "elder"),
            vacancy("3", "сварщик", language="ru"),
            vacancy("4", "electrician"),
        )
        view = index.view()
        stem = tokens("electrician", "en")[0]
        for typo in ("wleder", "welde", "weldder", "velder"):
            assert "welder" in dict(view.similar(typo, 1)), typo
        assert dict(view.similar("сворщик", 1)) == {tokens("сварщик", "ru")[0]: 1}
        assert dict(view.similar(stem.replace("tr", "rt").replace("ri", "r"), 2)) == {stem: 1}
        assert view.similar("zebra", 1) == []

    def test_a_score_can_be_explained(self, index: Index) -> None:
        self.keep(index, vacancy("1", "Welder", description="pipes"), vacancy("2", "Welder"))
        answer = index.view().search(Plan(words=words("welder pipes"), sort="relevance"))
        parts = answer.explain(0)
        assert [c.tokens for c in parts] == [("welder",), tuple(tokens("pipes", "en"))]
        assert sum(c.score for c in parts) == pytest.approx(answer.hits[0][0], rel=1e-4)

    # building anew

    def test_a_rebuild_gives_the_same_answers(self, market: Index) -> None:
        plans = [
            Plan(words=words("welder"), sort=sort, filters=filters, facets=("contract",))  # type: ignore[arg-type]
            for sort in ("relevance", "date", "pay")
            for filters in ((), (AtLeast("pay", "top", 1),), (Near(43.25, 76.95, 30),))
        ]
        records = [msgspec.json.decode(r) for r in _records(market)]
        before = [(a.total, sorted(ids(a)), a.facets) for a in map(market.view().search, plans)]
        changes = [(n, _typed(r)) for n, r in enumerate(records, 10)]
        assert market.rebuild([(1, Removal("xa/jobs/permanent")), *changes]) == 5
        assert [(a.total, sorted(ids(a)), a.facets) for a in map(market.view().search, plans)] == before
        assert market.last_seq == 13

    def test_the_old_index_answers_until_the_new_one_is_ready(self, make: Make) -> None:
        writer, reader = make("xa", VACANCY, RATES), make("xa", VACANCY, RATES)
        writer.write([(1, vacancy("old", "Welder"))])

        def changes() -> Iterator[tuple[int, Record]]:
            yield 1, vacancy("new", "Welder")
            assert self.ask(reader) == ["old"]
            yield 2, vacancy("newer", "Welder")

        writer.rebuild(changes())
        assert sorted(self.ask(reader)) == ["new", "newer"]
        assert sorted(self.ask(writer)) == ["new", "newer"]

    def test_a_rebuild_that_breaks_leaves_the_old_index(self, index: Index) -> None:
        self.keep(index, vacancy("old", "Welder"))

        def changes() -> Iterator[tuple[int, Record]]:
            yield 1, vacancy("new", "Welder")
            raise RuntimeError("the journal went away")

        with pytest.raises(RuntimeError):
            index.rebuild(changes())
        assert self.ask(index) == ["old"]
        assert index.rebuild([(1, vacancy("new", "Welder"))]) == 1
        assert self.ask(index) == ["new"]

    def test_other_exchange_rates_ask_for_a_rebuild(self, make: Make) -> None:
        make("xa", VACANCY, RATES).write([(1, vacancy("1", "Welder", pay=monthly(1000, currency="KZT")))])
        newer = make("xa", VACANCY, Rates(by_currency=RATES.by_currency, version="newer"))
        assert "exchange rates" in newer.outdated
        assert self.ask(newer) == ["1"]  # it answers meanwhile
        with pytest.raises(ConfigError, match="exchange rates"):
            newer.write([(2, vacancy("2", "Cook"))])
        newer.rebuild([(1, vacancy("1", "Welder"))])
        assert newer.outdated == ""

    def test_another_form_of_the_kind_asks_for_a_rebuild_and_does_not_answer(self, make: Make) -> None:
        make("xa", VACANCY, RATES).write([(1, vacancy("1", "Welder"))])
        fields = {**VACANCY.fields}
        del fields["benefits"]
        other = make("xa", msgspec.structs.replace(VACANCY, fields=fields), RATES)
        assert "another form" in other.outdated
        with pytest.raises(ConfigError, match="another form"):
            other.view()
        with pytest.raises(ConfigError, match="another form"):
            other.write([(2, vacancy("2", "Cook"))])

    def test_a_dropped_index_is_empty_and_can_be_written_again(self, make: Make) -> None:
        index, reader = make("xa", VACANCY, RATES), make("xa", VACANCY, RATES)
        self.keep(index, vacancy("1", "Welder"))
        assert self.ask(reader) == ["1"]
        index.drop()
        assert (index.last_seq, index.count(), self.ask(reader)) == (0, 0, [])
        self.keep(index, vacancy("2", "Cook"))
        assert self.ask(reader) == ["2"]

    def test_members_do_not_see_each_other(self, make: Make) -> None:
        one, other = make("xa", VACANCY, RATES), make("xb", VACANCY, RATES)
        self.keep(one, vacancy("1", "Welder"))
        assert self.ask(other) == []
        other.drop()
        assert self.ask(one) == ["1"]

    # any kind

    def test_a_third_kind_is_indexed_from_its_file_alone(self, make: Make, course: Kind) -> None:
        index = make("xa", course, RATES)
        values = course.struct(
            name="Welding for beginners",
            level="basic",
            fee=Money(low=100, currency="EUR", period="month"),
            site=Place(country="KZ", city="Almaty", lat=43.25, lon=76.95),
            begins="2026-05-01",
            subject=Concept(text="Welding"),
        )
        record = Record("xa/courses/1", "course", "xa", "xa/courses", "en", values)
        bare = Record("xa/courses/2", "course", "xa", "xa/courses", "en", course.struct(name="Baking"))
        index.write([(1, record), (2, bare)])
        assert self.ask(index, words=words("beginners")) == ["1"]
        assert self.ask(index, filters=(Near(43.2, 76.9, 30),)) == ["1"]
        assert self.ask(index, filters=(AtLeast("pay", "top", 120_000),)) == ["1"]
        assert self.ask(index, sort="date") == ["1", "2"]
        facets = index.view().search(Plan(facets=("level", "country"))).facets
        assert (dict(facets["level"].values), facets["level"].missing) == ({"basic": 1}, 1)
        assert index.view().label("subject", "welding") == "Welding"

    def test_a_kind_without_place_pay_or_date_is_searched_by_its_words(self, make: Make, note: Kind) -> None:
        index = make("xa", note, RATES)
        record = Record("xa/notes/1", "note", "xa", "xa/notes", "en", note.struct(words="Hello bridge"))
        index.write([(1, record)])
        answer = index.view().search(Plan(words=words("bridge"), sort="relevance"))
        assert (ids(answer), answer.pays([0])) == (["1"], [None])


COURSE = """
title = "name"
label.en = "Course"
plural.en = "Courses"
[fields.name]
type = "text"
required = true
search = 4
label.en = "Name"
[fields.level]
type = "code"
facet = true
label.en = "Level"
values.basic.en = "Basic"
values.high.en = "High"
[fields.subject]
type = "concept"
search = 1
facet = true
label.en = "Subject"
[fields.fee]
type = "money"
label.en = "Fee"
[fields.site]
type = "place"
facet = true
label.en = "Site"
[fields.begins]
type = "date"
label.en = "Begins"
"""
NOTE = """
title = "words"
label.en = "Note"
plural.en = "Notes"
[fields.words]
type = "text"
required = true
search = 1
label.en = "Words"
"""


def _records(index: Index) -> list[bytes]:
    answer = index.view().search(Plan(limit=100))
    return answer.read(range(len(answer.hits)))


def _typed(data: dict[str, Any]) -> Record:
    values = msgspec.convert(data.pop("values"), VACANCY.struct)
    record: Record = msgspec.convert({**data, "values": None}, Record)
    return msgspec.structs.replace(record, values=values)
