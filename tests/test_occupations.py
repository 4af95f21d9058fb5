"""Occupations in any language: the vocabulary, the encoder, the linker, the crosswalks, and what is made of them."""

import json
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.codes.occupations import crosswalk
from landbridge.codes.occupations.encoder import DIMENSIONS, encoder, pieces, pieces_of, units, words
from landbridge.codes.occupations.link import linker, title_hash
from landbridge.codes.occupations.titles import plain
from landbridge.codes.occupations.vocabulary import check, vocabulary
from landbridge.errors import ConfigError
from landbridge.find import occupations
from landbridge.find.layout import slipped
from landbridge.find.occupations import read, read_all

DATA = resources.files("landbridge.codes.occupations") / "data"
MODEL = Path(str(resources.files("landbridge.codes.occupations"))) / "model"
KNOWN = frozenset(vocabulary().labels("en")) | frozenset(vocabulary().esco)
LANGUAGES = "en ru uk be kk ky uz tg hy ka az vi id ms th km lo my fil zh fr de es pt pl sv no ar".split()  # noqa: SIM905
UNION = "ru be kk ky hy uz tg az vi id ms th km lo my fil en".split()  # noqa: SIM905 - of the EAEU and ASEAN
DEEP = "ru vi id zh".split()  # noqa: SIM905 - down to ESCO's occupations


# the vocabulary


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_concept_has_its_titles_and_none_is_wrong(language: str) -> None:
    lines = (DATA / f"titles/{language}.tsv").read_text("utf-8").splitlines()
    check(language, lines, KNOWN)
    titles: dict[str, int] = {}
    for line in lines:
        code, _, listed = line.partition("\t")
        titles[code] = len(listed.split(" | "))
    isco = [c for c in KNOWN if c.isdigit()]
    assert len(isco) == 10 + 43 + 130 + 436
    assert not [c for c in isco if c not in titles]
    units_ = [titles[c] for c in isco if len(c) == 4]
    if language in UNION:
        assert sum(n >= 3 for n in units_) >= 0.97 * len(units_), "three titles a unit group"
    if language in DEEP:
        deep = [c for c in titles if "." in c]
        assert len(deep) >= 0.9 * len(vocabulary().esco)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("7212", "line 2: not a code"),
        ("7212\t", "line 2: not a code"),
        ("7212\tсварщик\tещё", "line 2: not a code"),
        ("9999\tсварщик", "line 2: no such code: 9999"),
        ("7211\tлитейщик", "line 2: 7211 stands here for the second time"),
        ("7212\tсварщик | Сварщик", "line 2: the same title twice"),
        ("7212\tсварщик焊工", "line 2: 'сварщик焊工' has letters that ru is not written in: 焊工"),
        ("7212\tcварщик по металлу и всему", None),  # its first letter is Latin: seen, where it stands alone
        ("7212\tформовщик", "line 2: 'формовщик' is in 7211 (line 1) too: ~ before both"),
        ("7212\tсварщик  ручной", "Unicode's form C, or has spaces too many"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(line: str, what: str | None) -> None:
    lines = ["7211\tлитейщик | формовщик", line]
    if what is None:
        check("ru", lines, KNOWN)
        return
    with pytest.raises(ConfigError, match=r".") as error:
        check("ru", lines, KNOWN)
    assert what in str(error.value)


def test_a_title_of_two_groups_passes_where_both_are_marked() -> None:
    check("ru", ["1221\t~менеджер", "1222\t~менеджер"], KNOWN)


def test_the_name_of_an_occupation_is_the_readers_or_english() -> None:
    known = vocabulary()
    assert known.label("7212", "kk") == ("дәнекерлеуші", "kk")
    assert known.label("7212", "xx") == ("welder", "en")
    assert known.label("nothing", "ru") == ("nothing", "")


def test_the_list_of_titles_is_the_vocabularys() -> None:
    with np.load(MODEL / "concepts.npz") as file:
        assert len(file["codes"]) == len(vocabulary().concepts)
        assert file["codes"].tolist() == list(vocabulary().concepts)
        now = {title_hash(plain(t.text)) for t in vocabulary().titles() if len(t.concept) >= 4}
        assert set(file["titles"].tolist()) == now, "./run train-encoder --titles"


# the encoder


def test_vectors_have_length_one_and_are_the_same_every_time() -> None:
    texts = ["welder", "сварщик", "thợ hàn", "焊工", "ช่างเชื่อม", "ជាងផ្សារ", "لحام", "a b c"]
    once, again = encoder().encode(texts), encoder().encode(texts)
    assert once.shape == (len(texts), DIMENSIONS)
    assert once.dtype == np.float32
    assert np.array_equal(once, again)
    assert np.allclose(np.linalg.norm(once, axis=1), 1, atol=1e-5)
    for text, row in zip(texts, once, strict=True):  # alone or among others
        assert np.allclose(encoder().encode([text])[0], row, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "welder",
        "сварщик ручной",
        "thợ hàn",
        "高级焊工 招聘",
        "ช่างเชื่อม",
        "ជាងផ្សារ",
        "لحام",
        "дәнекерлеуші 4",
        "ъ",
        "ß",
    ],
)
def test_one_text_has_the_vector_that_it_has_among_many(text: str) -> None:
    for _ in "as it is new, and as its words are known":
        assert np.allclose(encoder().one(words(text)), encoder().encode([text])[0], atol=1e-5)
    for word in units(words(text)):
        assert sum(map(len, pieces_of(word))) == len(pieces([word])[0])


@pytest.mark.parametrize("text", ["", "   ", "!!! ???", "\x00\x01\x02", "😀🎉", "\u202e\u200b"])
def test_nothing_to_read_gives_a_vector_of_zeros(text: str) -> None:
    assert not encoder().encode([text]).any()


def test_ten_megabytes_are_read_as_far_as_a_title_goes() -> None:
    began = time.monotonic()
    assert len(words("welder " * 1_500_000)) <= 64
    encoder().encode(["焊" * 10_000_000, "x" * 10_000_000])
    assert time.monotonic() - began < 5


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_text_gives_a_vector_and_an_answer(text: str) -> None:
    row = encoder().encode([text])[0]
    assert np.isfinite(row).all()
    hashes, counts = pieces(units(words(text)))
    assert len(hashes) == counts.sum()
    answer = read(text)
    assert 0 <= sum(g.confidence for g in answer.groups) <= 1.01
    assert (answer.kind == "none") == (not answer.occupations)


@pytest.mark.parametrize(
    "text",
    [
        "welder",
        "сварщик",
        "thợ hàn Hà Nội",
        "高级焊工",
        "ช่างเชื่อม",
        "เชฟ",
        "bốc xếp",
        "Fliesenlegerin",
    ],
)
def test_a_query_is_read_as_a_title_is(text: str) -> None:
    (whole,) = linker().link([text])
    for closely in (True, False):
        link, _, unread = linker().read(text, closely=closely)
        assert not unread
        assert link.groups[0].code == whole.groups[0].code


def test_what_stands_beside_a_title_and_is_no_work_is_left_out_of_it() -> None:
    alone, beside = linker().read("welder", closely=False), linker().read("welder zzyzxqua", closely=False)
    assert beside == alone
    assert beside.covered == {"welder"}


def test_words_that_look_like_no_title_are_read_where_that_is_asked_for() -> None:
    assert linker().read("zzyzxqua qqawwer", closely=False).unread
    assert not linker().read("zzyzxqua qqawwer").unread


def test_the_package_holds_no_more_than_thirty_megabytes_of_model() -> None:
    assert sum(p.stat().st_size for p in MODEL.iterdir()) <= 30_000_000


def test_no_more_than_numpy_is_needed() -> None:
    code = (
        "import sys; from landbridge.codes.occupations.link import linker; linker().link(['welder'])\n"
        "bad = {'torch', 'scipy', 'sklearn', 'anyascii'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# titles


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Lehrer/in", "Lehrer"),
        ("Koch/Köchin (m/w/d)", "Koch"),
        ("Softwareentwickler/-in", "Softwareentwickler"),
        ("Infirmier(ère)", "Infirmier"),
        ("Chef·fe de projet", "Chef de projet"),
        ("Elektriker:in", "Elektriker"),
        ("VerkäuferInnen", "Verkäufer"),
        ("Vendeur / Vendeuse en boulangerie (H/F)", "Vendeur en boulangerie"),
        ("Менеджер (м/ж)", "Менеджер"),
        ("Welder / Fitter", "Welder / Fitter"),
        ("продавец-кассир", "продавец-кассир"),
        ("(m/w/d)", ""),
    ],
)
def test_a_title_is_cleared_of_genders_and_brackets(title: str, bare: str) -> None:
    assert plain(title) == bare


# linking


@pytest.mark.parametrize(
    ("title", "group"),
    [
        ("сварщик", "7212"),
        ("thợ hàn", "7212"),
        ("tukang las", "7212"),
        ("焊工", "7212"),
        ("дәнекерлеуші", "7212"),
        ("ช่างเชื่อม", "7212"),
        ("soudeur", "7212"),
        ("Schweißer (m/w/d)", "7212"),
        ("եռակցող", "7212"),
        ("Требуется сварщик 5 разряда", "7212"),
        ("Senior Software Engineer (Remote)", "2512"),
        ("Lkw-Fahrer Nahverkehr", "8332"),
        ("бухгалтер", None),  # of several groups: any of them
        ("tài xế xe tải", "8332"),
        ("sjukvårdspersonal natt", None),
    ],
)
def test_a_title_in_any_language_names_its_unit_group(title: str, group: str | None) -> None:
    answer = read(title)
    if group is not None:
        assert answer.kind != "none"
        assert answer.groups[0].code == group


@pytest.mark.parametrize(
    "text",
    ["", " ", "😀", "Алматы", "work from home", "12345", "\x00", "asdf qwerty zxcv", "包吃住", "удалённо"],
)
def test_what_names_no_occupation_is_given_none(text: str) -> None:
    assert read(text).kind == "none"


def test_further_text_is_read_where_the_title_says_nothing() -> None:
    assert read("Срочно!!!").kind == "none"
    assert read("Срочно!!!", "сварщик на производство").groups[0].code == "7212"


def test_names_come_in_the_language_asked_for() -> None:
    first = read("welder", language="vi").groups[0]
    assert (first.label, first.language) == ("thợ hàn", "vi")
    assert first.uri == "http://data.europa.eu/esco/isco/C7212"


def test_homoglyphs_and_a_wrong_declared_language_do_not_invent_an_occupation() -> None:
    assert read("wеldеr", written="th").kind in {"none", "group", "occupation"}  # two Cyrillic letters in it
    assert read("welder", written="th").groups[0].code == "7212"


def test_every_preferred_title_leads_back_to_its_unit_group() -> None:
    for language in LANGUAGES:
        titles = [
            t
            for t in vocabulary().titles(language)
            if t.preferred and len(t.concept) == 4 and not t.ambiguous
        ]
        ranked = linker().groups([t.text for t in titles], [language] * len(titles), 5)
        missed = [t for t, codes in zip(titles, ranked, strict=True) if t.concept not in codes]
        assert len(missed) <= 0.03 * len(titles), (language, [(t.concept, t.text) for t in missed[:20]])


def test_many_are_read_as_one_by_one() -> None:
    titles = ["welder", "nothing at all", "сварщик", ""]
    assert read_all([(t, "") for t in titles]) == [read(t) for t in titles]


def test_more_titles_than_are_remembered_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occupations, "_KNOWN", 3)
    monkeypatch.setattr(occupations, "_linked", {})
    first = occupations.links([("welder", "en"), ("сварщик", "ru"), ("焊工", "zh")])
    again = occupations.links([("welder", "en"), ("thợ hàn", "vi"), ("welder", "en"), ("焊工", "zh")])
    assert [link.groups[0].code for link in (*first, *again)] == ["7212"] * 7


# crosswalks


def test_every_table_leads_to_unit_groups() -> None:
    units_ = {c for c in KNOWN if c.isdigit() and len(c) == 4}
    for scheme in crosswalk.schemes():
        rows = [
            line.split("\t") for line in (DATA / f"crosswalks/{scheme}.tsv").read_text("utf-8").splitlines()
        ]
        codes = [row[0] for row in rows]
        assert len(codes) == len(set(codes)), scheme
        for row in rows:
            assert len(row) == 3, (scheme, row)
            assert set(row[1].split()) <= units_, (scheme, row)


@pytest.mark.parametrize(
    ("scheme", "code", "group"),
    [
        ("isco-08", "7212", "7212"),
        ("isco-08", "C7212", "7212"),
        ("kbji", "7212.01", "7212"),
        ("us-opm-series", "0610", "2221"),
        ("us-opm-series", "3703", "7212"),
        ("rome", "H2913", "7212"),
        ("nonsense", "7212", None),
        ("isco-08", "9999", None),
        ("rome", "", None),
    ],
)
def test_a_code_leads_to_its_unit_group(scheme: str, code: str, group: str | None) -> None:
    assert crosswalk.isco(scheme, code)[:1] == ((group,) if group else ())


# keyboards


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ghbdtn", "привет"),
        ("cdfhobr", "сварщик"),
        ("цудвук", "welder"),
        ("cke;fobq", "служащий"),
        ("焊工", ""),
        ("a1", ""),
    ],
)
def test_a_word_typed_in_the_other_layout_is_read_again(typed: str, meant: str) -> None:
    assert slipped(typed) == meant


# the command


def command(*words_: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "landbridge", "occupation", *words_],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_the_command_names_an_occupation_or_says_that_it_cannot(tmp_path: Path) -> None:
    done = command("thợ", "hàn", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["groups"][0]["code"] == "7212"
    done = command("12345", cwd=tmp_path)
    assert done.returncode == 1
    assert "No occupation" in done.stdout


def test_the_command_reads_a_table(tmp_path: Path) -> None:
    (tmp_path / "ads.csv").write_text("n;job;text\n1;сварщик;\n2;???;soudeur\n", "utf-8")
    done = command("--file", "ads.csv", "--title", "job", "--text", "text", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["groups"][0]["code"] for line in done.stdout.splitlines()] == ["7212", "7212"]


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        ((), "give a title"),
        (("--file", "nothing.csv", "--title", "x"), "cannot be read"),
        (("--file", "ads.csv"), "which column"),
        (("--file", "ads.csv", "--title", "x"), "has no column 'x'"),
    ],
)
def test_a_wrong_command_says_what_to_do(tmp_path: Path, words_: tuple[str, ...], said: str) -> None:
    (tmp_path / "ads.csv").write_text("job\nwelder\n", "utf-8")
    done = command(*words_, cwd=tmp_path)
    assert done.returncode == 64
    assert said in done.stderr
