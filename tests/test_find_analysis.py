"""Text becomes search terms so that what people type finds what registers wrote, in every script."""

import csv
import gzip
import io
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.find.analysis import (
    _REMEMBERED,
    _analyser,
    fold,
    languages,
    phrase_tokens,
    query_tokens,
    spans,
    stop_words,
    tokens,
)

ASKED = ["ru", "kk", "en", "vi", "zh", "th", "uz", "id"]
_NAMED = "en ru kk ky be hy uk uz vi id ms th km lo my fil zh de fr es sv no pl"
PROMISED = _NAMED.split()


def finds(query: str, text: str, language: str, asked: list[str] | None = None) -> bool:
    """Whether an index that holds `text` answers `query`: every position meets a term."""
    terms = set(tokens(text, language))
    asked = asked or [language, *ASKED]
    return all(not terms.isdisjoint(alternatives) for alternatives in query_tokens(query, asked))


@pytest.mark.parametrize(
    ("query", "text", "language"),
    [
        # signs that are part of a name
        ("c++", "Senior C++ developer", "en"),
        ("С++", "Разработчик C++ (Qt)", "ru"),
        ("c#", "C#/.NET engineer", "en"),
        (".net", "Developer .NET Core", "en"),
        (".net", "ASP.NET developer", "en"),
        ("dotnet", "Разработчик .NET", "ru"),
        ("node.js", "NodeJS developer", "en"),
        ("nodejs", "Разработчик Node.js", "ru"),
        ("node js", "Backend (Node.js)", "en"),
        ("1с", "Программист 1C", "ru"),
        ("1C", "программист 1С:Предприятие", "ru"),
        ("wifi", "Wi-Fi installer", "en"),
        ("wi-fi", "WiFi installer", "en"),
        ("e-mail", "email marketing", "en"),
        ("frontend", "Front-end developer", "en"),
        ("front end", "Front-end developer", "en"),
        ("front-end", "Front end developer", "en"),
        ("веб-разработчик", "Вебразработчик", "ru"),
        ("r&d", "R&D manager", "en"),
        ("50000", "Bonus of 50,000", "en"),
        ("1.5", "Повышенная ставка 1,5", "ru"),
        ("IT", "IT specialist", "en"),
        ("категория C", "Водитель категории С", "ru"),
        # full-width, composed and decomposed, invisible characters
        ("java", "ＪＡＶＡ工程师", "zh"),
        ("ingénieur", "Inge\u0301nieur logiciel", "fr"),
        ("разработчик", "раз\u00adра\u00adбот\u00adчик", "ru"),
        ("бригадир", "\u200fБригадир\u202c", "ru"),
        ("йога", "Инструктор и\u0306оги", "ru"),
        # marks that are not typed
        ("tho han", "Thợ hàn CO2", "vi"),
        ("thợ hàn", "THỢ HÀN", "vi"),
        ("dien lanh", "Kỹ thuật viên điện lạnh", "vi"),
        ("елка", "Продавец ёлок и ёлка", "ru"),
        ("kaeltetechniker", "Kältetechniker (m/w/d)", "de"),
        ("kaltetechniker", "Kältetechniker", "de"),
        ("strasse", "Straßenbau, Straße", "de"),
        ("ingenieur", "L’ingénieur d’études", "fr"),
        ("sjukskoterska", "Sjuksköterska", "sv"),
        ("laerer", "Lærer", "no"),
        ("pracownik", "Pracowników", "pl"),
        ("isik", "IŞIK teknisyeni", "tr"),
        ("istanbul", "İSTANBUL", "tr"),
        ("oqituvchi", "O‘qituvchi kerak", "uz"),
        ("o'qituvchi", "Ўқитувчи керак", "uz"),
        ("ўқитувчи", "oʻqituvchilar", "uz"),
        ("مهندس", "مُهَنْدِس", "ar"),
        ("Աբ", "Ա՜բ", "hy"),
        ("12", "อายุ ๑๒ ปี", "th"),
        # inflected words
        ("сварщики", "Требуется сварщик", "ru"),
        ("продавец", "Ищем продавца", "ru"),
        ("зварювальник", "Потрібні зварювальники", "uk"),
        ("водій", "Шукаємо водіїв", "uk"),
        ("зваршчык", "Патрэбны зваршчыкі", "be"),
        ("дәнекерлеуші", "Дәнекерлеушілер қажет", "kk"),
        ("менеджер", "Сату менеджері", "kk"),
        ("айдоочу", "Айдоочулар керек", "ky"),
        ("haydovchi", "Haydovchilar kerak", "uz"),
        ("վարորդ", "Պահանջվում են վարորդներ", "hy"),
        ("bekerja", "Mampu kerja dalam tim", "id"),
        ("developers", "Tuyển developer", "vi"),
        ("developer", "Разработчики и developers", "ru"),
        ("welders", "Welder needed", "fil"),
        # a letter of the other script that looks the same
        ("сварщик", "Cварщик", "ru"),
        ("дәнекерлеуші", "Дәнекерлеушi", "kk"),
        # scripts without spaces
        ("数据分析", "大数据分析师", "zh"),
        ("前端", "高级Web前端开发", "zh"),
        ("上海数据分析师", "数据分析师（上海）", "zh"),
        ("车", "汽车维修工", "zh"),
        ("3年经验", "经验3年以上", "zh"),
        ("พนักงาน", "รับสมัครพนักงานขาย", "th"),
        ("ขับรถ", "พนักงานขับรถส่งของ", "th"),
        ("ช่างไฟ", "ต้องการช่างไฟฟ้า", "th"),
        ("น้ำ", "ผลิตนํ้าดื่ม", "th"),
        ("ยา", "เภสัชกรร้านขายยา", "th"),
        ("ພະນັກງານ", "ຮັບສະໝັກພະນັກງານຂັບລົດ", "lo"),
        ("ຫນ້າ", "ໜ້າຮ້ານ", "lo"),
        ("បុគ្គលិក", "ជ្រើសរើសបុគ្គលិកផ្នែកលក់", "km"),
        ("បុគ្គលិក", "ជ្រើសរើស\u200bបុគ្គ\u200bលិក", "km"),
        ("ဆရာ", "အင်္ဂလိပ်စာဆရာမ", "my"),
        ("エンジニア", "ソフトウェアエンジニア募集", "ja"),
    ],
)
def test_what_people_type_finds_what_registers_wrote(query: str, text: str, language: str) -> None:
    assert finds(query, text, language), (query_tokens(query, [language, *ASKED]), tokens(text, language))


@pytest.mark.parametrize(
    ("query", "text", "language"),
    [
        ("c", "Senior C++ developer", "en"),
        ("java", "JavaScript developer", "en"),
        ("йог", "Иог", "ru"),
        ("кан", "Қан орталығы", "kk"),  # қ is not к
        ("ยา", "พยาบาลวิชาชีพ", "th"),  # ยา (medicine) is only letters of พยาบาล (nurse)
        ("ปา", "ป้า", "th"),  # a tone mark makes another word
        ("ការ", "កាំរ", "km"),
        ("分数", "数分", "zh"),
        ("бухгалтер", "бухта", "ru"),
    ],
)
def test_what_is_another_word_is_not_found(query: str, text: str, language: str) -> None:
    assert not finds(query, text, language)


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("kk", "дәнекерлеуші дәнекерлеушілер дәнекерлеушіні дәнекерлеушіге дәнекерлеушілердің"),
        ("kk", "мұғалім мұғалімі мұғалімдер мұғалімге мұғалімнің мұғалімдерді"),
        ("kk", "маман маманы мамандар мамандарға мамандардың"),
        ("kk", "көлік көлігі көліктер көліктің"),
        ("ky", "кызматкер кызматкерлер кызматкери кызматкерге кызматкерлердин"),
        ("ky", "окутуучу окутуучулар окутуучуга окутуучунун"),
        ("uz", "muhandis muhandislar muhandisga muhandislarning муҳандис муҳандислар"),
        ("be", "зваршчык зваршчыка зваршчыкі зваршчыкаў зваршчыкамі"),
        ("be", "настаўнік настаўніка настаўнікі настаўнікаў"),
        ("uk", "водій водія водії водіїв водіями"),
        ("uk", "продавець продавця продавці продавців"),
        ("uk", "старший старша старшого старших"),
        ("ru", "продавец продавца продавцы продавцов"),
        ("ru", "водитель водителя водители водителей"),
        ("en", "engineer engineers"),
        ("de", "Pflegekraft Pflegekräfte Pflegekräften"),
        ("es", "conductor conductores conductora"),
        ("sv", "elektriker elektrikern elektrikerna"),
        ("fr", "employé employe employés employée employee employées"),
        ("fr", "infirmier infirmière infirmiere infirmières"),
        ("pt", "operação operações operacao operacoes"),
        ("hy", "վարորդ վարորդներ վարորդի վարորդների"),
        ("pl", "pracownik pracowników pracownikow pracownika"),
        ("pl", "kierowca kierowcy kierowców kierowcami"),
    ],
)
def test_the_forms_of_a_word_are_one_term(language: str, forms: str) -> None:
    assert len({term for form in forms.split() for term in tokens(form, language)}) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("kk", "жұмыс жұмысшы мұғалім дәрігер дәнекер маман мал сату сатушы бала балалық көлік көл"),
        ("ky", "иш ишкана айыл айдоочу мал мугалим кызмат кыз"),
        ("uz", "ish ishchi shifokor shahar bola boshliq oshpaz"),
        ("be", "рабочы рабіна вада вадзіцель завод заводскі кухар"),
        ("uk", "вода водій завод кухар лікар лікарня робота"),
    ],
)
def test_different_words_stay_different(language: str, words: str) -> None:
    assert len({term for word in words.split() for term in tokens(word, language)}) == len(words.split())


def test_one_query_meets_records_of_several_languages() -> None:
    assert query_tokens("сварщики", ["ru", "kk", "vi"]) == [["сварщик", "сварщики"]]
    assert finds("менеджеры", "Менеджеры по продажам", "kk", ["ru", "kk"])


def test_alternatives_stay_few() -> None:
    found = query_tokens("опытный сварщик front-end developers 数据分析 tho han", PROMISED)
    assert all(1 <= len(terms) <= 10 for terms in found)
    assert sum(map(len, query_tokens("сварщик", PROMISED))) <= 4


def test_every_language_promised_is_known() -> None:
    assert set(PROMISED) <= languages().keys()
    assert all(stop_words(code) for code in PROMISED)


def test_an_unknown_language_is_read_by_its_script() -> None:
    assert tokens("Welders wanted", "und") == tokens("Welders wanted", "en")
    assert tokens("Ищем сварщиков", "xx-Cyrl") == tokens("Ищем сварщиков", "ru")
    assert tokens("Lærere søkes", "nb-NO") == tokens("Lærere søkes", "no")


# Stop words


def test_stop_words_are_left_out_of_both_sides() -> None:
    assert tokens("Head of the department", "en") == ["head", "depart"]
    assert query_tokens("head of the department", ["en", "id"]) == [["head"], ["depart", "department"]]


def test_a_stop_word_of_any_language_asked_is_no_condition() -> None:
    # "of" is none in Indonesian, and still must not shut out the English record
    assert finds("head of sales", "Head of Sales", "en", ["id", "en"])
    assert finds("head of sales", "Head sales", "id", ["id", "en"])


def test_a_text_of_stop_words_alone_keeps_them_and_is_found_by_them() -> None:
    assert tokens("Для всех", "ru") == ["для", "всех"]
    assert finds("для всех", "Для всех", "ru", ["ru"])
    assert not finds("для всех", "Для всех желающих", "ru", ["ru"])


def test_capitals_make_an_abbreviation_but_not_at_the_start_of_a_query() -> None:
    assert "or" in tokens("OR nurse", "en")
    assert query_tokens("В офис", ["ru"]) == [["офис"]]
    assert query_tokens("РАБОТА В ОФИСЕ", ["ru"]) == query_tokens("работа в офисе", ["ru"])


def test_nothing_gives_nothing() -> None:
    assert tokens("", "ru") == tokens(" —!… ", "en") == []
    assert query_tokens("?!", ["en"]) == query_tokens("", []) == []
    assert spans("", "th") == []


# Phrases


@pytest.mark.parametrize(
    ("phrase", "text", "language"),
    [
        ("front-end developer", "Senior front-end developer wanted", "en"),
        ("front end developer", "Senior front-end developer wanted", "en"),
        ("数据分析", "招聘大数据分析师", "zh"),
        ("java工程师", "高级Java工程师", "zh"),
        ("พนักงานขับรถ", "รับพนักงานขับรถด่วน", "th"),
        ("водитель категории", "Водители категории С", "ru"),
    ],
)
def test_a_phrase_stands_in_a_text_as_a_run_of_terms(phrase: str, text: str, language: str) -> None:
    line = " ".join(tokens(text, language))
    assert any(f" {' '.join(way)} " in f" {line} " for way in phrase_tokens(phrase, [language, "en"]))


def test_a_phrase_is_written_once_for_each_language_that_differs() -> None:
    ways = phrase_tokens("senior developers", ["en", "id", "vi", "ru"])
    assert ["senior", "develop"] in ways
    assert len(ways) == len({tuple(way) for way in ways}) == 2


# Places


@pytest.mark.parametrize(
    ("text", "language", "term", "shown"),
    [
        ("Требуется СВАРЩИК срочно", "ru", "сварщик", "СВАРЩИК"),
        ("ﬁnance и ﬁtter", "en", "fitter", "ﬁtter"),
        ("招聘，Ｊａｖａ！工程师", "zh", "java", "Ｊａｖａ"),
        ("招聘，Ｊａｖａ！工程师", "zh", "程师", "程师"),
        ("раз\u00adра\u00adботчик", "ru", "разработчик", "раз\u00adра\u00adботчик"),
        ("Inge\u0301nieur ici", "fr", "ici", "ici"),
        ("Front-end developer", "en", "frontend", "Front-end"),
        ("ผลิตนํ้าดื่ม", "th", "น้ำ", "นํ้า"),
        ("ທີ່ຫນ້າຮ້ານ", "lo", "ໜ້າຮ້າ", "ຫນ້າຮ້າ"),
    ],
)
def test_a_term_is_placed_in_the_text_as_it_was_written(
    text: str, language: str, term: str, shown: str
) -> None:
    assert shown in [text[start:end] for found, start, end in spans(text, language) if found == term]


_LETTERS = "aбвçéßёйіәқŁøđ中文数かแกำพນໜຫກຳកខាမြ٣أ'’-.,+# &①㎏ﬁＣ＋İı½0150\u0301\u0308\u1161\u1100\u200b\u00ad\u0e4d\u0ecd\u0e48"
_PIECES = [*_LETTERS, "C++", ".NET", "front-end", "The ", "of ", "и ", "각", "က်", "្គ"]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=20).map("".join) | st.text(max_size=30)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.sampled_from([*PROMISED, "und"]))
def test_places_and_terms_agree_and_a_text_finds_itself(text: str, language: str) -> None:
    placed = spans(text, language)
    assert {term for term, _, _ in placed} == set(tokens(text, language))
    assert all(0 <= start < end <= len(text) for _, start, end in placed)
    assert all(term and not set(term) & set(" \t\n") and len(term) <= 64 for term, _, _ in placed)
    assert finds(f"x {text.lower()}", f"x {text.lower()}", language, [language])


# Scripts without spaces

_WORDS = {
    "zh": "数据 分析 工程师 会计 司机 销售 经理 上海 人工智能 车 高级 英语 老师",
    "th": "พนักงาน ขับรถ ช่าง เชื่อม ไฟฟ้า บัญชี ครู แพทย์ พยาบาล ขาย โรงแรม ทำความสะอาด วิศวกร แม่บ้าน",
    "lo": "ພະນັກງານ ຂັບລົດ ຊ່າງ ເຊື່ອມ ໄຟຟ້າ ບັນຊີ ແພດ ພະຍາບານ ໂຮງແຮມ ວິສະວະກອນ",
    "km": "បុគ្គលិក អ្នកបើកបរ ជាង ផ្សារ អគ្គិសនី គណនេយ្យករ គ្រូបង្រៀន គិលានុបដ្ឋាក សណ្ឋាគារ វិស្វករ",
    "my": "ဝန်ထမ်း ယာဉ်မောင်း ဂဟေဆော် လျှပ်စစ် စာရင်းကိုင် ဆရာမ သူနာပြု ဟိုတယ် အင်ဂျင်နီယာ အင်္ဂလိပ်",
}


@pytest.mark.parametrize("language", _WORDS)
def test_a_word_is_found_between_any_others(language: str) -> None:
    """No segmentation of a text can hide it: each word, and each two side by side, between each two others."""
    words = _WORDS[language].split()
    for first, second in zip(words, [*words[1:], ""], strict=True):
        for asked in (first, first + second):
            positions = query_tokens(asked, [language, "en"])
            for before, after in itertools.product(words, words):
                terms = set(tokens(before + asked + after, language))
                assert all(not terms.isdisjoint(position) for position in positions), (before, asked, after)


def test_what_a_real_chinese_title_holds_finds_it(shared_data: Path) -> None:
    with gzip.open(shared_data / "work" / "china" / "51job_gbk.csv.gz") as file:
        rows = list(csv.reader(io.StringIO(file.read().decode("gbk", "replace"))))[1:]
    tried = missed = 0
    for number, row in enumerate(rows):
        title = row[0].strip("[]'")
        length = 1 + number % 6
        start = number * 7 % max(1, len(title) - length)
        asked = title[start : start + length]
        if asked and all("\u4e00" <= letter <= "\u9fff" for letter in asked):
            tried += 1
            missed += not finds(asked, title, "zh", ["zh", "en"])
    assert tried > 2_000
    assert missed == 0


# What it costs


def test_importing_it_loads_no_segmenter_and_a_text_only_its_own() -> None:
    program = """
import sys
from landbridge.find import analysis
heavy = lambda: sorted({"rjieba", "pythainlp", "laonlp", "khmernltk", "sklearn"} & sys.modules.keys())
print(heavy())
analysis.tokens("Водитель 司机 អ្នកបើកបរ", "ru")
print(heavy())
analysis.query_tokens("司机招聘", ["zh"])
print(heavy())
"""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ | paths
    )
    assert run.stdout.splitlines() == ["[]", "[]", "['rjieba']"]


def test_it_remembers_words_without_end_only_so_far() -> None:
    for number in range(2 * _REMEMBERED + 10):
        tokens(f"слово{number}", "ru")
    assert len(_analyser("ru", keep=False)) <= _REMEMBERED


def test_fold_compares_without_destroying_a_script() -> None:
    assert fold("Thợ HÀN") == "tho han"
    assert fold("Ёлка, Йод") == "елка, йод"
    assert fold("Әлібек Ұзақов") == "әлібек ұзақов"
    assert fold("Ïóïî Ø Æ Łódź İı ß") == "ioii o ae lodz ii ss"
    assert fold("Ἀθῆναι") == "αθηναι"
    for untouched in ("ผู้ป่วย น้ำ", "ຜູ້ປ່ວຍ ນ້ຳ", "អ្នកជំងឺ", "လူနာ", "बीमार", "қаңғыбас ўқитувчи"):
        assert fold(untouched) == untouched
