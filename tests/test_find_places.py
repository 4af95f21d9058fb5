"""A place is found in whatever script and with whatever words around it; a doubtful one is not."""

import csv
import gzip
import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.find import places, towns
from landbridge.find.places import distance, namesakes, near, resolve, within, written
from landbridge.find.query import PlaceRead
from landbridge.kinds.values import Place
from tests.index_suite import vacancy
from tests.test_find_mapping import value
from tests.test_find_search import Union, keys


def found(text: str, country: str = "") -> tuple[str, str]:
    place = resolve(text, country)
    return (place.city, place.country) if place else ("", "")


@pytest.mark.parametrize(
    ("text", "city", "country"),
    [
        ("г. Астана", "Astana", "KZ"),
        ("Нур-Султан", "Astana", "KZ"),
        ("город Алматы", "Almaty", "KZ"),
        ("Алматы қаласы", "Almaty", "KZ"),
        ("Кыргызстан, Ош", "Osh", "KG"),
        ("Тошкент шаҳри", "Tashkent", "UZ"),
        ("Гомель", "Homyel'", "BY"),
        ("м. Київ", "Kyiv", "UA"),
        ("ք. Երևան", "Yerevan", "AM"),
        ("თბილისი", "Tbilisi", "GE"),
        ("Hà Nội", "Hanoi", "VN"),
        ("Ha Noi", "Hanoi", "VN"),
        ("TP.HCM", "Ho Chi Minh City", "VN"),
        ("KOTA BATAM", "Batam", "ID"),
        ("KAB. SEMARANG", "Semarang", "ID"),
        ("KOTA ADM. JAKARTA SELATAN", "Jakarta", "ID"),
        ("Jakarta Raya", "Jakarta", "ID"),
        ("Kuala Lumpur City Centre", "Kuala Lumpur", "MY"),
        ("Lungsod ng Maynila", "Manila", "PH"),
        ("กรุงเทพมหานคร", "Bangkok", "TH"),
        ("อ.เมือง จ.เชียงใหม่", "Chiang Mai", "TH"),
        ("ນະຄອນຫຼວງວຽງຈັນ", "Vientiane", "LA"),
        ("រាជធានីភ្នំពេញ", "Phnom Penh", "KH"),
        ("ရန်ကုန်မြို့", "Yangon", "MM"),
        ("上海市", "Shanghai", "CN"),
        ("广州", "Guangzhou", "CN"),
        ("广东省深圳市南山区", "Shenzhen", "CN"),
        ("الرياض، السعودية", "Riyadh", "SA"),
        ("75 - Paris (Dept.)", "Paris", "FR"),
        ("Paris 8ème", "Paris", "FR"),
        ("D-80331 München", "Munich", "DE"),
        ("SE-111 22 Stockholm", "Stockholm", "SE"),
        ("Oslo kommune", "Oslo", "NO"),
        ("Washington, District of Columbia", "Washington", "US"),
        ("Sydney NSW", "Sydney", "AU"),
    ],
)
def test_a_town_is_known_in_its_own_script_and_dress(text: str, city: str, country: str) -> None:
    assert found(text) == (city, country)


@pytest.mark.parametrize("text", ["Singapore", "Сингапур", "新加坡", "Singapore 339780"])
def test_a_city_state_is_a_town_as_well_as_a_country(text: str) -> None:
    assert found(text, "SG") == ("Singapore", "SG")


def test_anywhere_in_a_city_state_is_in_its_town() -> None:
    assert found("North-East Region (Hybrid)", "SG") == ("Singapore", "SG")


@pytest.mark.parametrize(
    ("text", "country", "city"),
    [
        ("Москва, ул. Ленина 5", "", "Moscow"),
        ("Москва ул. Ленина 5", "RU", "Moscow"),
        ("Московская обл., г. Химки, ул. Парковая, д. 1", "RU", "Khimki"),
        ("Республика Татарстан, г. Казань", "", "Kazan"),
        ("Tầng 3, số 12 Đội Cấn, Phường Liễu Giai, Hà Nội", "VN", "Hanoi"),
        ("17 Duy Tân Cầu Giấy Hà Nội", "VN", "Hanoi"),
        ("Petaling Jaya, Selangor (Remote)", "MY", "Petaling Jaya"),
        ("Мытищи (Московская область)", "", "Mytishchi"),
        ("Братск, Иркутск", "RU", "Bratsk"),
    ],
)
def test_an_address_is_in_the_town_it_names(text: str, country: str, city: str) -> None:
    place = resolve(text, country)
    assert place is not None
    assert place.city == city


@pytest.mark.parametrize(
    ("text", "town", "most_km"),
    [
        ("上海-浦东新区", "Shanghai", 20),
        ("Quận 1, TP. Hồ Chí Minh", "Ho Chi Minh City", 12),
    ],
)
def test_a_quarter_named_beside_its_town_gives_the_degrees(text: str, town: str, most_km: float) -> None:
    exact, plain = resolve(text), resolve(town)
    assert exact is not None
    assert plain is not None
    assert exact.id == plain.id
    assert 0 < distance(exact.lat or 0, exact.lon or 0, plain.lat or 0, plain.lon or 0) < most_km


@pytest.mark.parametrize(
    ("text", "city", "country"),
    [
        ("Paris, TX", "Paris", "US"),
        ("Paris, France", "Paris", "FR"),
        ("Birmingham, Alabama", "Birmingham", "US"),
        ("Birmingham, UK", "Birmingham", "GB"),
        ("Atlanta, Georgia", "Atlanta", "US"),
        ("Tbilisi, Georgia", "Tbilisi", "GE"),
        ("Córdoba, Veracruz", "Córdoba", "MX"),
    ],
)
def test_what_else_a_text_names_decides_between_namesakes(text: str, city: str, country: str) -> None:
    assert found(text) == (city, country)


def test_a_department_decides_between_french_namesakes() -> None:
    place = resolve("07 - ST CYR", "FR")
    assert place is not None
    assert place.region == "Auvergne-Rhône-Alpes"


def test_of_namesakes_in_one_country_the_largest_is_meant() -> None:
    place = resolve("Киров", "RU")
    assert place is not None
    assert distance(place.lat or 0, place.lon or 0, 58.6, 49.65) < 10  # not the one near Kaluga


def test_a_name_borne_abroad_by_towns_as_great_means_none_for_a_record() -> None:
    assert resolve("Valencia") is None
    assert found("Valencia", "ES") == ("Valencia", "ES")
    best = resolve("Valencia", best=True)
    assert best is not None
    assert best.city == "Valencia"


def test_a_former_name_does_not_beat_the_town_that_bears_it_now() -> None:
    assert found("Ставрополь", "RU") == ("Stavropol", "RU")  # Tolyatti, which is larger, was called so


def test_a_country_given_keeps_towns_abroad_out_unless_the_text_names_theirs() -> None:
    assert resolve("Tokyo", "VN") is None
    assert found("Tokyo, Japan", "VN") == ("Tokyo", "JP")
    assert found("香港", "CN") == ("Hong Kong", "HK")


def test_a_region_has_no_point_for_a_record_and_its_main_town_for_a_query() -> None:
    record = resolve("Московская обл.")
    assert record == Place(text="Московская обл.", country="RU", region="Московская область")
    query = resolve("Selangor", best=True)
    assert query is not None
    assert (query.region, query.city) == ("Selangor", "")
    assert distance(query.lat or 0, query.lon or 0, 3.07, 101.52) < 20


def test_a_country_alone_is_only_a_country() -> None:
    assert resolve("Қазақстан") == Place(text="Қазақстан", country="KZ")
    assert resolve("Mexico") == Place(text="Mexico", country="MX")
    assert resolve("Georgia") is None  # the country or the state


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Remote", "US"),
        ("удаленная работа", "RU"),
        ("异地招聘", "CN"),
        ("ул. Казанская, д. 5", "RU"),
        ("м. Сокол", "RU"),
        ("Воровского, 29 А", "RU"),
        ("677/2A, Điện Biên Phủ, Phường 25", "VN"),
        ("Quận Tân Bình", "VN"),
        ("朝阳路88号", "CN"),
        ("", "RU"),
        ("Altaburg", "XA"),
    ],
)
def test_what_is_no_town_is_none(text: str, country: str) -> None:
    place = resolve(text, country)
    assert place is None or not place.id


@pytest.mark.parametrize(
    ("text", "city", "country"),
    [
        *((name, "Almaty", "KZ") for name in ("Алматы", "Almaty", "Алма-Ата", "阿拉木图", "KZ-75")),
        *((name, "Hanoi", "VN") for name in ("河内", "Ханой", "Hà Nội", "VN-HN")),
        *((name, "Bishkek", "KG") for name in ("Бишкек", "Фрунзе", "比什凯克", "KG-GB")),
        ("Севастополь", "Sevastopol", "UA"),
        ("RU-MOW", "Moscow", "RU"),
        ("胡志明市", "Ho Chi Minh City", "VN"),
        ("Сурабая", "Surabaya", "ID"),
        ("金边", "Phnom Penh", "KH"),
        ("仰光", "Yangon", "MM"),
        ("DE30", "Berlin", "DE"),
    ],
)
def test_a_town_has_one_place_under_its_names_and_codes(text: str, city: str, country: str) -> None:
    place = resolve(text, best=True)
    assert place is not None
    assert (place.city, place.country) == (city, country)


@pytest.mark.parametrize(
    ("text", "region", "country"),
    [
        *((name, "Jawa Barat", "ID") for name in ("西爪哇省", "Западная Ява", "West Java", "Jabar", "ID-JB")),
        *((name, "广东", "CN") for name in ("広東省", "廣東省", "Гуандун", "провинция Гуандун", "CN-GD")),
        *((name, "Île-de-France", "FR") for name in ("Иль-де-Франс", "法兰西岛", "FR10", "FR-IDF")),
        *((name, "Гродненская область", "BY") for name in ("Гродненская", "Grodno Region", "BY-HR")),
        ("Котайкская область", "Կոտայք", "AM"),
        ("Surxondaryo", "Сурхандарьинская область", "UZ"),
        ("Область Абая", "область Абай", "KZ"),
        ("NTB", "Nusa Tenggara Barat", "ID"),
        ("Бали", "Bali", "ID"),
        ("Kabupaten Badung", "Kabupaten Badung", "ID"),
        ("Kabupaten Gunungkidul", "Kabupaten Gunungkidul", "ID"),
        ("Zambales", "Zambales", "PH"),
        ("Tawi-Tawi", "Tawi-Tawi", "PH"),
        ("Bohol", "Bohol", "PH"),
        ("Camarines Sur", "Camarines Sur", "PH"),
        ("EL30", "Αττική", "GR"),
        ("DE2", "Bayern", "DE"),
        ("DE21", "Oberbayern", "DE"),
        ("PL91", "Warszawski stołeczny", "PL"),
        ("SE23", "Västsverige", "SE"),
        ("NO07", "Nord-Norge", "NO"),
        ("US-GA", "Georgia", "US"),
    ],
)
def test_a_region_is_one_under_its_names_and_codes(text: str, region: str, country: str) -> None:
    place = resolve(text, best=True)
    assert place is not None
    assert (place.region, place.country, place.id) == (region, country, "")


def test_three_capitals_are_a_region_where_the_country_is_known() -> None:
    assert resolve("NCR", "PH") == Place(text="NCR", country="PH", region="National Capital Region")
    assert resolve("DIY") is None


def test_a_code_of_kladr_is_a_region_of_russia() -> None:
    assert resolve("7600000000000", "RU") == Place(
        text="7600000000000", country="RU", region="Ярославская область"
    )
    assert found("7700000000000", "RU") == ("Moscow", "RU")


def test_every_region_of_the_table_has_its_town_and_its_codes_once() -> None:
    lines = [
        line.split("\t") for line in places._text("regions.tsv").splitlines() if not line.startswith("#")
    ]
    codes = [code for _, _, said, _ in lines for code in said.split()]
    assert len(set(codes)) == len(codes)
    for country, seat, said, names in lines:
        for code in said.split():
            place = resolve(code, country, best=True)
            assert place is not None, code
            assert (place.country, place.region) == (country, names.split(" | ")[0]), (code, seat)


def test_a_town_says_its_region() -> None:
    place = resolve("Мытищи", "RU")
    assert place is not None
    assert place.region == "Московская область"


def test_a_region_beside_its_country_is_the_region() -> None:
    assert resolve("Selangor, Malaysia") == Place(text="Selangor, Malaysia", country="MY", region="Selangor")


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("Springfield", ["Springfield, Massachusetts", "Springfield, Illinois"]),
        ("Valencia", ["Valencia, Comunitat Valenciana"]),
        ("Cambridge", ["Cambridge, Ontario", "Cambridge, Massachusetts"]),
        ("Georgia", ["Georgia, US"]),
        ("NCR", ["National Capital Region, PH"]),
    ],
)
def test_a_name_of_several_places_says_what_else_it_could_be(text: str, others: list[str]) -> None:
    place = resolve(text, best=True)
    assert place is not None
    found = namesakes(text, place)
    assert [written(one) for one in found][: len(others)] == others
    for one in [place, *found]:
        again = resolve(written(one), best=True)
        assert again is not None
        assert (again.country, again.region) == (one.country, one.region)


@pytest.mark.parametrize(
    "text", ["Алматы", "Киров", "New York", "Birmingham", "河内", "Paris, TX", "Selangor"]
)
def test_a_place_meant_by_far_is_not_asked_about(text: str) -> None:
    place = resolve(text, best=True)
    assert place is not None
    assert namesakes(text, place) == []


def test_the_country_asked_for_settles_a_name() -> None:
    place = resolve("Valencia", "ES", best=True)
    assert place is not None
    assert namesakes("Valencia", place, "ES") == []


def test_an_answer_says_how_its_place_was_read(tmp_path: Path) -> None:
    market = Union(tmp_path, xa=[vacancy("one", "Cook", places=(Place(country="US", lat=37.2, lon=-93.3),))])
    read = market.find("cook", place="Springfield").place
    assert isinstance(read, PlaceRead)
    assert read.taken.write == "Springfield, Missouri"
    assert {one.region for one in read.others} >= {"Illinois", "Massachusetts"}
    assert keys(market.find("cook", place="Springfield, Illinois")) == []
    assert market.find("cook", place="37.2,-93.3").place is None


def test_a_place_near_a_border_finds_what_is_beyond_it(tmp_path: Path) -> None:
    lviv, bishkek, astana = (
        Place(country=p.country, city=p.city, lat=p.lat, lon=p.lon)
        for name, land in (("Lviv", "UA"), ("Бишкек", "KG"), ("Астана", "KZ"))
        if (p := resolve(name, land))
    )
    market = Union(tmp_path, xa=[vacancy("kg", "Cook", places=(bishkek,)), vacancy("kz", "Cook", places=(astana,))],
                   xb=[vacancy("ua", "Cook", places=(lviv,), member="xb")])  # fmt: skip
    assert keys(market.find("cook", place="Кордай")) == ["kg"]  # Korday is in Kazakhstan, 20 km from Bishkek
    assert keys(market.find("cook", place="Przemyśl", radius="100")) == ["ua"]


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (
            {"city": "Шымкент"},
            Place(text="Шымкент", country="KZ", city="Shymkent"),
        ),
        (
            {"city": "Талдықорған", "region": "Жетысуская область"},
            Place(
                text="Талдықорған, Жетысуская область",
                country="KZ",
                region="область Жетысу",
                city="Taldykorgan",
            ),
        ),
        (
            {"city": "Kokshetau"},
            Place(country="KZ", region="Акмолинская область", city="Kokshetau"),
        ),
        (
            {"region": "Ақмола облысы", "text": "Ақмола облысы, село"},
            Place(text="Ақмола облысы, село", country="KZ", region="Акмолинская область"),
        ),
        (
            {"city": "Altaburg", "region": "Old Province"},
            Place(country="KZ", region="Old Province", city="Altaburg"),
        ),
    ],
)
def test_a_record_has_one_spelling_of_its_place_and_keeps_the_words_of_its_source(
    row: dict[str, str], kept: Place
) -> None:
    lines = "\n".join(f'places.{name} = "{name}"' for name in ("city", "region", "text"))
    (place,) = value("places", lines, row, top='country = "KZ"')
    assert msgspec.structs.replace(place, id="", lat=None, lon=None) == kept


@given(st.text(max_size=60), st.sampled_from(["", "RU", "VN", "SG", "XA", "ID"]), st.booleans())
def test_no_text_breaks_the_gazetteer(text: str, country: str, best: bool) -> None:
    place = resolve(text, country, best=best)
    assert place is None or place.country


@pytest.mark.parametrize(
    "text", ["1" * 300 + " x", "a1 " * 100, "- " * 150, "г " * 150, "Singapore, Luxembourg"]
)
@pytest.mark.timeout(5)
def test_hostile_texts_are_answered_at_once(text: str) -> None:
    resolve(text, "VN")


def test_distances_are_those_of_the_globe() -> None:
    assert distance(55.7558, 37.6173, 59.9311, 30.3609) == pytest.approx(632, abs=1)
    assert distance(0, 179.9, 0, -179.9) == pytest.approx(22.2, abs=0.1)
    assert distance(10, 20, 10, 20) == 0


def test_within_agrees_with_distance_and_leaves_out_what_is_far_or_unknown() -> None:
    points = np.array([[51.18, 71.45], [43.25, 76.95], [np.nan, np.nan], [51.3, 71.5], [0.05, 179.95]])
    far = within(points, 51.18, 71.45, 50)
    assert np.isfinite(far).tolist() == [True, False, False, True, False]
    assert far[3] == pytest.approx(distance(51.18, 71.45, 51.3, 71.5))
    assert np.isfinite(within(points, 0, -179.95, 30)).tolist() == [False] * 4 + [True]


def test_near_lists_towns_from_the_nearest() -> None:
    here = near(51.1801, 71.446, 60)
    assert here[0].city == "Astana"
    far = [distance(51.1801, 71.446, p.lat or 0, p.lon or 0) for p in here]
    assert far == sorted(far)


def test_the_table_is_made_once_and_a_broken_one_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(towns, "SMALLEST", 15000)
    first = towns.read_table(tmp_path).countries
    (table,) = tmp_path.iterdir()
    made = table.stat().st_mtime_ns
    assert towns.read_table(tmp_path).countries == first
    assert table.stat().st_mtime_ns == made
    table.write_bytes(table.read_bytes()[:1000])
    assert towns.read_table(tmp_path).countries == first
    assert table.stat().st_mtime_ns != made


def test_where_the_table_cannot_be_kept_it_serves_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(towns, "SMALLEST", 15000)
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder would be")
    assert "KZ" in towns.read_table(taken).countries
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("file", "column", "encoding", "country", "least"),
    [
        ("hh/hh_ru_titles.csv.gz", "city", "utf-8-sig", "RU", 0.99),
        ("indonesia/karirhub_kemnaker.csv", "Lokasi", "utf-8-sig", "ID", 0.85),
        ("indonesia/jobstreet_id.csv.gz", "Location", "utf-8-sig", "ID", 0.84),
        ("vietnam/topcv.csv.gz", "location[1]", "utf-8-sig", "VN", 0.99),
        ("china/51job_2018.csv", "地址", "utf-8-sig", "CN", 0.95),
        ("china/lagou.csv", "城市", "utf-8-sig", "CN", 0.99),
        ("france_travail/offres_it_2025.csv", "lieu_travail", "utf-8-sig", "FR", 0.99),
    ],
)
def test_most_places_of_real_registers_are_understood(
    shared_data: Path, file: str, column: str, encoding: str, country: str, least: float
) -> None:
    data = (shared_data / "work" / file).read_bytes()
    text = (gzip.decompress(data) if file.endswith(".gz") else data).decode(encoding)
    texts = [t for row in csv.DictReader(io.StringIO(text)) if (t := (row[column] or "").strip())]
    understood = sum(resolve(t, country) is not None for t in texts)
    assert understood / len(texts) >= least
