"""The language of an advertisement is one that its source declares, unless its letters say otherwise."""

import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.find.language import detect


@pytest.mark.parametrize(
    ("text", "candidates", "language"),
    [
        # a script of its own
        ("Պահանջվում է զոդող", ["hy", "ru"], "hy"),
        ("รับสมัครพนักงานขับรถ", ["th", "en"], "th"),
        ("ຮັບສະໝັກພະນັກງານ", ["lo", "th"], "lo"),
        ("ជ្រើសរើសបុគ្គលិក", ["km"], "km"),
        ("အရောင်းဝန်ထမ်း အလိုရှိသည်", ["my", "en"], "my"),
        ("招聘软件工程师", ["zh", "en"], "zh"),
        ("ソフトウェアエンジニア募集", ["ja", "zh"], "ja"),
        ("소프트웨어 개발자", ["ko"], "ko"),
        # letters that tell
        ("Дәнекерлеуші керек, жұмыс тәжірибесі бар", ["ru", "kk"], "kk"),
        ("Требуется сварщик с опытом работы", ["ru", "kk"], "ru"),
        ("Жумушка айдоочу керек, тажрыйбасы бар", ["ru", "ky"], "ky"),
        ("Патрабуецца зваршчык з вопытам працы", ["be", "ru"], "be"),
        ("Потрібен зварювальник з досвідом роботи", ["uk", "ru"], "uk"),
        ("Ишга тажрибали ошпаз керак", ["uz", "ru"], "uz"),
        ("Nhân viên kinh doanh tại Hà Nội", ["vi", "en"], "vi"),
        ("Undersköterska sökes till äldreboende", ["sv", "no"], "sv"),
        ("Erfaren sykepleier søkes til sykehjem", ["no", "sv"], "no"),
        ("Spawacz MIG/MAG, praca na pełny etat", ["pl", "en"], "pl"),
        # words that tell
        ("Tajribali oshpaz kerak, oylik maosh yaxshi", ["uz", "en"], "uz"),
        ("Oʻqituvchi va ishchilar ishga taklif qilinadi", ["uz", "en"], "uz"),
        ("Dibutuhkan sopir truk, pengalaman minimal 1 tahun", ["id", "en"], "id"),
        ("We are looking for a truck driver with experience", ["id", "en"], "en"),
        ("Pemandu lori diperlukan segera, gaji RM 2500", ["ms", "en"], "ms"),
        ("Naghahanap kami ng tindera para sa tindahan", ["fil", "en"], "fil"),
        ("Wir suchen eine Pflegekraft in Vollzeit", ["de", "en"], "de"),
        ("Nous recherchons un ingénieur pour notre équipe", ["fr", "en"], "fr"),
        ("Buscamos un conductor con experiencia", ["es", "en"], "es"),
        ("Nhan vien kinh doanh tai Ha Noi, kinh nghiem 1 nam", ["vi", "en"], "vi"),
        # one script among words of another
        ("Java-разработчик (Spring, Kafka, PostgreSQL)", ["ru", "en"], "ru"),
        ("高级Java开发工程师 Spring Cloud", ["zh", "en"], "zh"),
        # as it was given
        ("Lærer søkes til barneskole, erfaring kreves", ["nb-NO", "en"], "nb-NO"),
        ("招聘软件工程师", ["zh-Hans"], "zh-Hans"),
    ],
)
def test_the_language_is_the_declared_one_that_fits(text: str, candidates: list[str], language: str) -> None:
    assert detect(text, candidates) == language
    assert detect(text, candidates[::-1]) == language


@pytest.mark.parametrize(
    ("text", "candidates", "language"),
    [
        ("Сварщик", ["ru"], "ru"),
        ("Менеджер (Өскемен)", ["ru"], "ru"),
        ("Продавец-консультант L'Étoile", ["ru"], "ru"),
        ("Software developer at Café Müller", ["en"], "en"),
    ],
)
def test_one_candidate_holds_unless_more_than_a_name_speaks_against_it(
    text: str, candidates: list[str], language: str
) -> None:
    assert detect(text, candidates) == language


@pytest.mark.parametrize(
    ("text", "candidates", "language"),
    [
        ("Қазақ тілі мұғалімі керек", ["ru"], "kk"),
        ("Senior Project Manager", ["ru"], "en"),
        ("Wir suchen für die Münchner Werkstätten einen Kältetechniker", ["en"], "de"),
        ("Требуется водитель с опытом", ["en"], "ru"),
        ("招聘司机", ["en", "id"], "zh"),
        ("Tuyển nhân viên kinh doanh tại Hà Nội", ["en"], "vi"),
    ],
)
def test_a_text_in_another_script_or_other_letters_is_in_another_language(
    text: str, candidates: list[str], language: str
) -> None:
    assert detect(text, candidates) == language


@pytest.mark.parametrize("text", ["", "   ", "12 345 – 67", "!!!", "Xqz", "Brzk Vlk"])
def test_what_cannot_be_said_is_not_said(text: str) -> None:
    assert detect(text, ["en", "id"]) == ""
    assert detect(text, []) == ""


def test_without_candidates_all_known_languages_compete() -> None:
    assert detect("Требуется водитель на полный рабочий день, опыт от 3 лет", []) == "ru"
    assert detect("Wir suchen ab sofort eine Pflegekraft mit Erfahrung", []) == "de"


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60),
    st.lists(st.sampled_from(["en", "ru", "kk", "vi", "zh", "th", "xx", ""]), max_size=3),
)
def test_any_text_has_an_answer(text: str, candidates: list[str]) -> None:
    assert isinstance(detect(text, candidates), str)


def _column(path: Path, *names: str) -> list[str]:
    text = gzip.decompress(path.read_bytes()).decode("utf-8-sig", "replace")
    return [" ".join(row.get(name) or "" for name in names) for row in csv.DictReader(io.StringIO(text))]


def test_real_advertisements_are_in_the_language_of_their_country(shared_data: Path) -> None:
    work = shared_data / "work"
    found = Counter(detect(text, ["ru"]) for text in _column(work / "hh" / "hh_ru_titles.csv.gz", "title"))
    assert found["ru"] > 0.98 * found.total()
    found = Counter(
        detect(text, ["fr"])
        for text in _column(work / "france_travail" / "offres_emploi.csv.gz", "intitule", "description")
    )
    assert found["fr"] == found.total()
    # Indonesian boards advertise in both, and titles alone often cannot be told
    texts = [
        text
        for text in _column(work / "indonesia" / "jobstreet_id.csv.gz", "Job Description")
        if len(text) > 300
    ]
    found = Counter(detect(text, ["id", "en"]) for text in texts)
    assert found[""] < 0.02 * found.total()
    assert min(found["id"], found["en"]) > 0.1 * found.total()
