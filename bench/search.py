"""The search figures: `python -m bench.search [--docs N] [--curve] [--json]`.

Builds a corpus of made-up vacancies (the same ones every time) over six members in vi id ru kk en zh, and asks the
same queries of Landbridge, of tantivy without Landbridge (one index of all; the six of Landbridge), and of SQLite
FTS5, in process; then of Landbridge with two processes and of an OpenSearch node, with `wrk` over HTTP. All of them
take turns, so that whatever else the machine does falls on all. The log of queries is long and none comes twice in
it; every run goes on where the one before stopped. Ratios are from one run: how many times as fast as its peer
Landbridge is. Indexes are kept in the temporary folder under a name that says what they were built from.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

import msgspec
import numpy as np
import pytest
import tantivy
from tantivy import Occur, Query
from tests.servers import opensearch

from landbridge.find import rates as exchange
from landbridge.find.analysis import query_tokens
from landbridge.find.index import open_index
from landbridge.find.index.document import Writer, fingerprint
from landbridge.find.journal import Journal
from landbridge.find.query import parse
from landbridge.find.record import Provenance, Record
from landbridge.find.search import Result, Standing, search
from landbridge.kinds.kind import Kind, read_kinds
from landbridge.kinds.values import Concept, Money, Party, Place

VERSION = 1  # of the corpus
QUERIES = 20_000  # of the log: more than a run over HTTP asks in its time
IN_PROCESS = 2_000  # of them are asked in process, of each kind of question
_CHUNK = 2_000


class Country(NamedTuple):
    """How a made-up register writes."""

    code: str
    language: str
    currency: str
    pay: int  # a common pay of a month
    share: float
    syllables: str
    titles: str
    centre: tuple[float, float]
    other: tuple[str, float] = ("en", 0.1)  # a second language, and how many of its advertisements are in it


COUNTRIES = (
    Country(
        "vn", "vi", "VND", 15_000_000, 0.2,
        "b c ch d đ g gi h k kh l m n ng nh ph qu r s t th tr v x/"
        "a ạc ài am ản anh ao át ăm ặng âm ần ây e em en eo ê ên ết ệu i ia iên im in ình iếp o oa oai oan oc oi om "
        "on ong ô ốc ôi ôn ồng ơ ời ơn u ua ui un ung ư ưa ươi ương ứng ược",
        "kỹ sư phần mềm;nhân viên bán hàng;kế toán trưởng;thợ hàn;lái xe tải;giáo viên tiếng anh;điều dưỡng;"
        "đầu bếp;công nhân may;bảo vệ;thợ điện;nhân viên kho;lập trình viên;quản lý dự án;dược sĩ",
        (16.0, 107.0),
    ),
    Country(
        "id", "id", "IDR", 6_000_000, 0.2,
        "a ba ban be ber bi bu ca da di du ga gu ha ja ka ke ki ku la lu ma mem men mi na nga nya pa pe per ra ri ru "
        "sa se si ta tan ter ti tu wa ya",
        "staf akuntansi;perawat;juru masak;tukang las;sopir truk;guru matematika;programmer;teknisi listrik;"
        "kasir;satpam;operator produksi;sales;apoteker;manajer proyek;penjahit",
        (-2.0, 115.0),
    ),
    Country(
        "ru", "ru", "RUB", 80_000, 0.25,
        "ба ве во гор дел до еж за зна из ка ко ла ле ма ми на но об от пе по пра про ра ре ро са се ско со ста ста "
        "сти та те то тра ту ук хо це ча ши",
        "сварщик;водитель погрузчика;медсестра;бухгалтер;инженер конструктор;повар;учитель математики;"
        "электромонтер;программист;продавец кассир;слесарь;кладовщик;врач терапевт;охранник;менеджер",
        (56.0, 50.0),
        ("en", 0.03),
    ),
    Country(
        "kz", "kk", "KZT", 300_000, 0.1,
        "ай ал ба бе бол да де ер жа жұ ка ке қа қо қы ла лы ма мен на ны ой өз өн са се сы та те ті ту ұй шы ық ір",
        "дәнекерлеуші;жүргізуші;мейірбике;есепші;инженер;аспаз;мұғалім;электрик;бағдарламашы;сатушы;"
        "қоймашы;дәрігер;күзетші;құрылысшы;тігінші",
        (48.0, 68.0),
        ("ru", 0.6),
    ),
    Country(
        "ie", "en", "EUR", 3_200, 0.15,
        "al an ber bro cal con cor da den der el en er fa for gra har hol in ing is ka la ler lo man mar mo na nor "
        "on or pa per pro ra re ron sal sen ster ta ter tor ven wel",
        "welder;truck driver;registered nurse;accountant;design engineer;cook;maths teacher;electrician;"
        "software developer;sales assistant;warehouse operative;pharmacist;security guard;project manager;tailor",
        (53.0, -7.5),
        ("ru", 0.02),
    ),
    Country(
        "cn", "zh", "CNY", 8_000, 0.1,
        "安 保 北 本 采 测 产 场 成 程 出 储 传 创 单 电 动 发 方 服 工 公 管 广 规 国 行 合 华 化 技 计 加 建 检 金 "
        "经 开 客 理 力 联 量 料 流 门 能 品 平 企 汽 前 勤 区 人 软 商 设 生 师 时 市 输 数 司 通 图 务 系 销 信 修 业 "
        "医 艺 营 用 员 运 造 质 制 装 资 组 作",
        "高级焊工;货车司机;护士;会计;机械工程师;厨师;数学老师;电工;软件工程师;销售员;仓库管理员;药剂师;保安;项目经理;裁缝",
        (32.0, 112.0),
    ),
)  # fmt: skip


class Words:
    """The made-up words of a language: common ones are short, and a few are in most texts (Zipf–Mandelbrot)."""

    def __init__(self, country: Country, count: int = 30_000) -> None:
        draw = random.Random(country.code)
        openings, _, endings = country.syllables.rpartition("/")
        found: dict[str, None] = {}
        if openings:  # a language of single syllables
            every = [a + b for a in openings.split() for b in endings.split()]
            found = dict.fromkeys(draw.sample(every, len(every)))
        while not openings and len(found) < count:
            length = draw.choice((2, 2, 3) if country.language == "zh" else (2, 3, 3, 4, 4))
            found["".join(draw.choice(endings.split()) for _ in range(length))] = None
        self.list = np.array(list(found), dtype=object)
        weights = 1 / (np.arange(1, len(found) + 1) + 20)
        self.sums = np.cumsum(weights / weights.sum())
        self.glue = "" if country.language == "zh" else " "

    def draw(self, rng: np.random.Generator, count: int) -> list[str]:
        found: list[str] = self.list[np.searchsorted(self.sums, rng.random(count), side="right")].tolist()
        return found


CONTRACTS = ("permanent", "fixed-term", "temporary", "seasonal", "project")
HOURS = ("full-time", "part-time", "shift", "flexible")


def vacancies(country: Country, count: int, kind: Kind) -> Iterator[Record]:
    """The first `count` vacancies of a member; the same ones every time, in every process."""
    rng = np.random.default_rng([VERSION, COUNTRIES.index(country)])
    second = next(c for c in COUNTRIES if c.language == country.other[0])
    own, other = ((c.language, Words(c), c.titles.split(";")) for c in (country, second))
    words = own[1]
    towns = [
        (
            f"{words.list[i * 7 + 40]}".title(),
            *(np.array(country.centre) + rng.normal(0, 4, 2)).round(4).tolist(),
        )
        for i in range(120)
    ]
    firms = [f"{words.list[i % 499 + 100]} {words.list[i % 503 + 600]} {i}".title() for i in range(15_000)]
    made = 0
    while made < count:
        lengths = np.clip(rng.lognormal(4.0, 0.45, _CHUNK), 15, 300).astype(int)
        bodies = [w.draw(rng, int(lengths.sum())) for _, w, _ in (own, other)]
        second_language = rng.random(_CHUNK) < country.other[1]
        die = rng.random((_CHUNK, 10))
        at = 0
        for n in range(min(_CHUNK, count - made)):
            d = die[n].tolist()
            language, words, titles = other if second_language[n] else own
            text = bodies[int(second_language[n])][at : at + lengths[n]]
            at += lengths[n]
            town, lat, lon = towns[int(d[0] ** 3 * len(towns))]
            isco = f"{int(1000 + d[1] ** 2 * 8000)}"
            title = titles[int(d[2] * len(titles))]
            if d[3] < 0.6:
                title += words.glue + words.glue.join(text[: 1 + int(d[3] * 5)])
            low = round(country.pay * (0.5 + 2 * d[4] ** 2), -2)
            values = kind.struct(
                title=title,
                employer=Party(name=firms[int(d[5] ** 2 * len(firms))]),
                places=(Place(text=town, country=country.code.upper(), city=town, lat=lat, lon=lon),),
                pay=Money(
                    low=low, high=low * 1.5 if d[6] < 0.5 else None, currency=country.currency, period="month"
                )
                if d[4] < 0.7
                else None,
                occupation=(Concept(scheme="isco-08", code=isco),) if d[7] < 0.8 else (),
                contract=(CONTRACTS[int(d[8] ** 2 * 5)],) if d[8] < 0.9 else (),
                hours=(HOURS[int(d[9] ** 2 * 4)],) if d[9] < 0.9 else (),
                description=words.glue.join(text) + ".",
                published=f"2026-{1 + int(d[6] * 6):02d}-{1 + int(d[7] * 28):02d}",
                url=(url := f"https://jobs.example/{country.code}/{made + n}"),
            )
            yield Record(
                id=f"{country.code}/jobs/{made + n}",
                kind=kind.name,
                member=country.code,
                source=f"{country.code}/jobs",
                language=language,
                values=values,
                provenance=Provenance(url=url),
            )
        made += _CHUNK


def shares(docs: int) -> list[tuple[Country, int]]:
    counts = [(c, int(docs * c.share)) for c in COUNTRIES]
    return [(c, n + (docs - sum(m for _, m in counts) if c is COUNTRIES[0] else 0)) for c, n in counts]


# builds


def _kind() -> Kind:
    return read_kinds()["vacancy"]


def _key(*parts: object) -> str:
    text = json.dumps([VERSION, *map(str, parts)]).encode() + Path(__file__).read_bytes()[:0]
    return blake2b(text, digest_size=6).hexdigest()


_MEMBER = """
name = "Register {code}"
countries = ["{country}"]
"""
_SHARE = """
title = "Made-up vacancies of {code}"
kind = "vacancy"
deletes = "none"
[map]
id = "id"
title = "title"
"""


def build_ours(folder: Path, docs: int) -> dict[str, float]:
    """A data directory with all members' indexes, made through the same call that a harvest makes."""
    kind, rates = _kind(), exchange.load()
    started, size = time.monotonic(), 0
    making = 0.0
    for country, count in shares(docs):
        index = open_index(folder / "index", country.code, kind, rates)

        def timed(records: Iterator[Record]) -> Iterator[tuple[int, Record]]:
            nonlocal making
            number = 0
            while True:
                before = time.perf_counter()
                record = next(records, None)
                making += time.perf_counter() - before
                if record is None:
                    return
                number += 1
                yield number, record

        index.write(timed(vacancies(country, count, kind)))
        index.close()
    size = sum(p.stat().st_size for p in (folder / "index").rglob("*") if p.is_file())
    seconds = time.monotonic() - started - making
    _found_members(folder)
    return {
        "build_s": round(seconds, 1),
        "records_per_s": round(docs / seconds),
        "index_mb": round(size / 1e6),
        "build_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _found_members(folder: Path) -> None:
    """The members' files, and a journal that knows them, so that an instance opens the directory."""
    journal = Journal(folder / "journal.db", read_kinds())
    for country in COUNTRIES:
        named = {"code": country.code, "country": country.code.upper()}
        shares_of = folder / "members" / country.code / "shares"
        shares_of.mkdir(parents=True)
        (shares_of.parent / "member.toml").write_text(_MEMBER.format(**named))
        (shares_of / "jobs.toml").write_text(_SHARE.format(**named))
        source = f"{country.code}/jobs"
        journal.register(source, member=country.code, kind="vacancy")
        run = journal.take(source, "bench")
        assert run is not None
        journal.finish(run, "complete", complete=True)
    journal.close()


def build_bare(folder: Path, docs: int) -> dict[str, float]:
    """One plain tantivy index of the same tokens and columns, as one would write it by hand; and FTS5."""
    made = tantivy.SchemaBuilder()
    made.add_text_field("all", tokenizer_name="whitespace")
    for name in ("country", "occupation", "contract"):
        made.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    made.add_integer_field("top", fast=True)
    made.add_bytes_field("record", stored=True)
    (folder / "tantivy").mkdir()
    index = tantivy.Index(made.build(), str(folder / "tantivy"))
    spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer("whitespace", spaces)
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    db = sqlite3.connect(folder / "fts.db")
    db.executescript(
        "pragma journal_mode=off; pragma synchronous=off;"
        "create virtual table words using fts5(body, content='', tokenize='unicode61 remove_diacritics 0');"
        "create table row(id integer primary key, country text, occupation text, contract text, top int, record blob);"
    )
    kind = _kind()
    make = Writer(kind, exchange.load()).document
    number = 0
    rows: list[tuple[Any, ...]] = []
    for country, count in shares(docs):
        for record in vacancies(country, count, kind):
            number += 1
            document = make(number, record)
            exact, numbers = dict(document.exact), dict(document.numbers)
            plain = tantivy.Document()
            plain.add_text("all", document.words)
            for name in ("country", "occupation", "contract"):
                if name in exact:
                    plain.add_text(name, exact[name])
            if "top" in numbers:
                plain.add_integer("top", numbers["top"])
            plain.add_bytes("record", document.data)
            writer.add_document(plain)
            columns = (
                exact.get("country"),
                exact.get("occupation"),
                exact.get("contract"),
                numbers.get("top"),
            )
            rows.append((number, document.words, *columns, document.data))
            if len(rows) == _CHUNK:
                _insert(db, rows)
    _insert(db, rows)
    writer.commit()
    writer.wait_merging_threads()
    db.execute("insert into words(words) values('optimize')")
    db.commit()
    db.close()
    return {}


def _insert(db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    db.executemany("insert into words(rowid, body) values(?, ?)", [r[:2] for r in rows])
    db.executemany("insert into row values(?, ?, ?, ?, ?, ?)", [(r[0], *r[2:]) for r in rows])
    rows.clear()


def _build_in(work: Callable[[Path, int], dict[str, float]], folder: Path, docs: int) -> None:
    partial = folder.with_suffix(".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    figures = work(partial, docs)
    (partial / "figures.json").write_text(json.dumps(figures))
    partial.rename(folder)


def built(docs: int, *, peers: bool) -> tuple[Path, Path]:
    """The folders of both builds, made now where they are not there yet."""
    root = Path(tempfile.gettempdir()) / "landbridge-bench"
    ours = root / f"ours-{docs}-{_key(fingerprint(_kind()), exchange.load().version)}"
    bare = root / f"bare-{docs}-{_key(fingerprint(_kind()))}"
    todo = [(build_ours, ours)] + ([(build_bare, bare)] if peers else [])
    running = []
    for work, folder in todo:
        if not folder.exists():
            print(f"building {folder.name}: minutes for a million, kept for the next time", file=sys.stderr)
            process = multiprocessing.get_context("spawn").Process(
                target=_build_in, args=(work, folder, docs)
            )
            process.start()
            running.append((process, folder))
    for process, folder in running:
        process.join()
        if process.exitcode:
            raise SystemExit(f"building {folder} failed")
    return ours, bare


# queries


class Asked(NamedTuple):
    text: str
    members: tuple[str, ...]  # three of them, for the query with filters
    pay: int  # euro a month


@cache
def queries() -> list[Asked]:
    """What people type: titles, with and without a word more, and one to three words of the texts, as common there
    as they are. No two are the same."""
    kind = _kind()
    draw = random.Random(11)
    pool = {c.code: list(vacancies(c, 1_500, kind)) for c in COUNTRIES}
    titles = {c.language: c.titles.split(";") for c in COUNTRIES}
    found: dict[str, Asked] = {}
    while len(found) < QUERIES:
        country = draw.choices(COUNTRIES, [c.share for c in COUNTRIES])[0]
        record = draw.choice(pool[country.code])
        text = record.values.description.rstrip(".")
        words = [text[i : i + 2] for i in range(0, 40, 2)] if record.language == "zh" else text.split()
        match draw.randrange(3):
            case 0:
                title = draw.choice(titles[record.language])
                asked = title if title not in found else f"{title} {draw.choice(words)}"
            case 1:
                asked = " ".join(draw.sample(words, draw.choice((1, 2))))
            case _:
                asked = " ".join(draw.sample(words, draw.choice((2, 3))))
        if asked not in found:
            others = draw.sample([c.code for c in COUNTRIES if c is not country], 2)
            found[asked] = Asked(asked, (country.code, *others), draw.choice((300, 600, 1200, 2500)))
    return list(found.values())


def plain_params(one: Asked) -> dict[str, str]:
    """Of the words as they are typed, which is what the peers seek."""
    return {"q": one.text, "limit": "10", "literal": "1"}


def named(params: Callable[[Asked], dict[str, str]], one: Asked) -> dict[str, str]:
    """The same question, where words that name an occupation stand for it in every language."""
    return {name: value for name, value in params(one).items() if name != "literal"}


def full_params(one: Asked) -> dict[str, str]:
    return {
        **plain_params(one),
        "in": ",".join(one.members),
        "pay": str(one.pay),
        "facets": "country,occupation",
    }


class Ours:
    """Landbridge, as an instance asks it."""

    def __init__(self, folder: Path) -> None:
        self.kinds = read_kinds()
        self.rates = exchange.load()
        kind = self.kinds["vacancy"]
        self.indexes = {c.code: open_index(folder / "index", c.code, kind, self.rates) for c in COUNTRIES}
        self.members = {c.code: _Party((c.code.upper(),)) for c in COUNTRIES}
        self.standings = {
            c.code: Standing(id=c.code, name=c.code.upper(), state="ok", harvested=1) for c in COUNTRIES
        }

    def find(self, params: dict[str, str], *, snippets: bool = True) -> Result:
        query = parse({k: [v] for k, v in params.items()}, self.kinds, rates=self.rates)
        names = query.members or tuple(self.members)
        return search(
            query,
            kind=self.kinds[query.kind],
            indexes={m: self.indexes[m] for m in names},
            members={m: self.members[m] for m in names},
            standings={m: self.standings[m] for m in names},
            rates=self.rates,
            snippets=snippets,
        )


class _Party(NamedTuple):
    countries: tuple[str, ...]


class Bare:
    """tantivy by hand: the same tokens, the best ten, their records read; counted where facets are."""

    def __init__(self, folder: Path) -> None:
        self.index = tantivy.Index.open(str(folder / "tantivy"))
        self.searcher = self.index.searcher()
        self.schema = self.index.schema

    def plain(self, words: Sequence[Sequence[str]]) -> int:
        found = self.searcher.search(_all_of(self.schema, words), 10)
        return len([self.searcher.doc(at).get_first("record") for _, at in found.hits])

    def full(self, words: Sequence[Sequence[str]], one: Asked) -> int:
        countries = [Query.term_query(self.schema, "country", m.upper(), "basic") for m in one.members]
        low = int(one.pay * 12 * 100)
        filters = [
            Query.boolean_query([(Occur.Should, c) for c in countries]),
            Query.range_query(self.schema, "top", tantivy.FieldType.Integer, low, None),
        ]
        clauses = [(Occur.Must, _all_of(self.schema, words))]
        clauses += [(Occur.Must, Query.const_score_query(f, 0.0)) for f in filters]
        query = Query.boolean_query(clauses)
        found = self.searcher.search(query, 10)
        self.searcher.aggregate(
            query, {n: {"terms": {"field": n, "size": 20}} for n in ("country", "occupation")}
        )
        return len([self.searcher.doc(at).get_first("record") for _, at in found.hits])


class Parts:
    """tantivy by hand over Landbridge's own indexes: the same words, the best ten of all, their records read."""

    def __init__(self, ours: Path) -> None:
        self.parts = []
        for folder in sorted((ours / "index").glob("*/vacancy/1")):
            index = tantivy.Index.open(str(folder))
            self.parts.append((index.schema, index.searcher()))

    def plain(self, words: Sequence[Sequence[str]]) -> int:
        best: list[tuple[float, int, Any]] = []
        for number, (schema, searcher) in enumerate(self.parts):
            every = [[t for t in w if searcher.doc_freq("all", t)] for w in words]
            if all(every):
                found = searcher.search(_all_of(schema, every), 10)
                best += [(score, number, at) for score, at in found.hits]
        best.sort(key=lambda hit: -hit[0])
        return len([self.parts[n][1].doc(at).get_first("record") for _, n, at in best[:10]])


def _all_of(schema: tantivy.Schema, words: Sequence[Sequence[str]]) -> Query:
    every = [[Query.term_query(schema, "all", t) for t in w] for w in words]
    parts = [w[0] if len(w) == 1 else Query.boolean_query([(Occur.Should, t) for t in w]) for w in every]
    return parts[0] if len(parts) == 1 else Query.boolean_query([(Occur.Must, p) for p in parts])


class Fts:
    """SQLite FTS5: the same tokens, the best ten, their records read; counted where facets are."""

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(f"file:{folder / 'fts.db'}?mode=ro&immutable=1", uri=True)

    def match(self, words: Sequence[Sequence[str]]) -> str:
        return " AND ".join("(" + " OR ".join(f'"{t}"' for t in w) + ")" for w in words)

    def plain(self, words: Sequence[Sequence[str]]) -> int:
        best = "select rowid from words where words match ? order by rank limit 10"
        found = self.db.execute(f"select record from row where id in ({best})", [self.match(words)])  # noqa: S608
        return len(found.fetchall())

    def full(self, words: Sequence[Sequence[str]], one: Asked) -> int:
        where = "from words join row on row.id = words.rowid where words match ? and country in (?, ?, ?) and top >= ?"
        values = [self.match(words), *(m.upper() for m in one.members), one.pay * 1200]
        found = self.db.execute(f"select record {where} order by rank limit 10", values).fetchall()
        for name in ("country", "occupation"):
            facet = f"select {name}, count(*) {where} group by 1 order by 2 desc limit 20"
            self.db.execute(facet, values).fetchall()
        return len(found)


# measures


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def in_turns(
    works: Mapping[str, Callable[[Any], object]], items: Sequence[Any], *, warm: int, most_s: float
) -> dict[str, list[float]]:
    """Milliseconds of each item after the first `warm`, by engine, a hundred of each in turn.

    An engine that has worked for `most_s` seconds works no more: it has fewer figures.
    """
    spent: dict[str, list[float]] = {name: [] for name in works}
    for start in range(0, len(items), 100):
        for name, work in works.items():
            if sum(spent[name]) > most_s * 1000:
                continue
            for item in items[start : start + 100]:
                before = time.perf_counter()
                work(item)
                spent[name].append((time.perf_counter() - before) * 1000)
    return {name: times[min(warm, len(times) // 2) :] for name, times in spent.items()}


def told(spent: Sequence[float]) -> dict[str, float]:
    return {
        "p50_ms": round(statistics.median(spent), 3),
        "p95_ms": round(_percentile(spent, 0.95), 3),
        "p99_ms": round(_percentile(spent, 0.99), 3),
        "per_s": round(len(spent) / (sum(spent) / 1000), 1),
    }


def in_process(ours: Path, bare: Path | None) -> dict[str, list[float]]:
    """Every kind of question takes a part of the log of its own, so that Landbridge never meets a query again.

    So do the questions without occupations beside those with them: whoever asks second finds the words remembered.
    """
    mine, parts = Ours(ours), Parts(ours)
    together: list[dict[str, Callable[[Any], object]]] = [
        {
            "landbridge keyword": lambda q: mine.find(plain_params(q[1])),
            "tantivy keyword, six indexes": lambda q: parts.plain(q[0]),
        },
        {
            "landbridge keyword, no snippets": lambda q: mine.find(plain_params(q[1]), snippets=False),
            "tantivy keyword, six indexes (for no snippets)": lambda q: parts.plain(q[0]),
        },
        {"landbridge full": lambda q: mine.find(full_params(q[1]))},
        {
            "landbridge keyword, occupations": lambda q: mine.find(named(plain_params, q[1])),
            "landbridge keyword (for occupations)": lambda q: mine.find(plain_params(q[2])),
        },
        {
            "landbridge full, occupations": lambda q: mine.find(named(full_params, q[1])),
            "landbridge full (for occupations)": lambda q: mine.find(full_params(q[2])),
        },
        {"landbridge newest first": lambda q: mine.find({**plain_params(q[1]), "sort": "date"})},
    ]
    if bare is not None:
        plain, fts = Bare(bare), Fts(bare)
        together[0]["tantivy keyword"] = lambda q: plain.plain(q[0])
        together[0]["fts5 keyword"] = lambda q: fts.plain(q[0])
        together[2]["tantivy full"] = lambda q: plain.full(*q[:2])
        together[2]["fts5 full"] = lambda q: fts.full(*q[:2])
    languages = sorted(c.language for c in COUNTRIES)
    found: dict[str, list[float]] = {}
    for number, works in enumerate(together):
        part, other = (queries()[n * IN_PROCESS : (n + 1) * IN_PROCESS] for n in (number, number + 4))
        items = [(query_tokens(q.text, languages), q, o) for q, o in zip(part, other, strict=True)]
        found |= in_turns(works, items, warm=IN_PROCESS // 4, most_s=60.0)
    return found


def new_record_seen(ours: Path) -> float:
    """Milliseconds from the start of writing one record until a search in another reader finds it."""
    kind, rates = _kind(), exchange.load()
    copy = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    shutil.copytree(ours / "index" / "ie", copy / "ie")
    writing, reading = (open_index(copy, "ie", kind, rates) for _ in range(2))
    reader = Ours(ours)
    reader.indexes["ie"] = reading
    record = next(vacancies(COUNTRIES[4], 1, kind))
    values = msgspec.structs.replace(record.values, title="zzyzxwelder")
    record = msgspec.structs.replace(record, id="ie/jobs/new", values=values)
    reader.find({"q": "zzyzxwelder", "literal": "1"})
    started = time.perf_counter()
    writing.write([(writing.last_seq + 1, record)])
    assert reader.find({"q": "zzyzxwelder", "literal": "1"}).total.count == 1
    spent = (time.perf_counter() - started) * 1000
    shutil.rmtree(copy)
    return round(spent, 1)


# over HTTP

_LUA = """
local urls = {}
for line in io.lines("URLS") do urls[#urls + 1] = line end
local at = START
request = function()
  at = at % #urls + 1
  return wrk.format("GET", urls[at])
end
done = function(summary, latency, requests)
  io.write(string.format('JSON{"per_s": %.1f, "p50_ms": %.2f, "p95_ms": %.2f, "p99_ms": %.2f, "errors": %d, "requests": %d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout, summary.requests))
end
"""


class Served:
    """A server, and how far into the log of queries it was asked."""

    def __init__(self, base: str, urls: Mapping[str, Callable[[Asked], str]], folder: Path) -> None:
        self.base = base
        self._folder = folder
        self._at = dict.fromkeys(urls, 0)
        folder.mkdir()
        for name, url in urls.items():
            (folder / name).write_text("\n".join(map(url, queries())), "utf-8")

    def ask(self, name: str, connections: int, seconds: int) -> dict[str, float]:
        script = self._folder / "wrk.lua"
        urls = str(self._folder / name)
        script.write_text(_LUA.replace("URLS", urls).replace("START", str(self._at[name])))
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", str(seconds), "-s", str(script), self.base]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        figures: dict[str, float] = json.loads(out[out.index("JSON") + 4 :].splitlines()[0])
        self._at[name] = (self._at[name] + int(figures.pop("requests"))) % QUERIES
        return figures


@contextlib.contextmanager
def serving(ours: Path, folder: Path, workers: int = 2) -> Iterator[tuple[Served, int]]:
    """Landbridge with so many processes; and the number of the process above them."""
    port = 18_000 + os.getpid() % 1_000
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", str(workers)]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--no-access-log", "landbridge.app:app"],
        env={**os.environ, "LANDBRIDGE_DATA": str(ours), "LANDBRIDGE_RATE": "0"},
        stdout=subprocess.DEVNULL,
    )
    try:
        base = f"http://127.0.0.1:{port}/api/v1/find"
        _wait_for(f"{base}?q=welder")
        urls = {
            name: lambda q, params=params: f"/api/v1/find?{urlencode(params(q))}"
            for name, params in (
                ("keyword", plain_params),
                ("full", full_params),
                ("keyword-occupations", partial(named, plain_params)),
                ("full-occupations", partial(named, full_params)),
            )
        }
        yield Served(base, urls, folder / "landbridge"), server.pid
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def serving_opensearch(docs: int, folder: Path) -> Iterator[Served]:
    """One OpenSearch node of three gigabytes: the same tokens, columns and queries; its caches as they come."""
    with opensearch(heap="3g") as address:
        _fill(address, docs)
        sent = {"source_content_type": "application/json"}
        urls = {
            name: lambda q, body=body: f"/jobs/_search?{urlencode({'source': json.dumps(body(q)), **sent})}"
            for name, body in (("keyword", _plain_body), ("full", _full_body))
        }
        yield Served(address, urls, folder / "opensearch")


def over_http(ours: Path, docs: int, *, peers: bool, seconds: int = 5) -> dict[str, dict[str, float]]:
    """Requests a second with 16 connections and with 8: the middle of three rounds, in turn with the peer."""
    if shutil.which("wrk") is None:
        print("not run: HTTP, no wrk", file=sys.stderr)
        return {}
    rounds: dict[str, list[dict[str, float]]] = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="landbridge-bench-")))
        mine, pid = stack.enter_context(serving(ours, folder))
        servers = {"landbridge": mine}
        if peers:
            try:
                servers["opensearch"] = stack.enter_context(serving_opensearch(docs, folder))
            except pytest.skip.Exception as reason:
                print(reason, file=sys.stderr)
        for name in ("keyword", "full"):
            asked = [(who, one, name) for who, one in servers.items()]
            asked.append(("landbridge", mine, f"{name}-occupations"))
            for _, one, what in asked:
                one.ask(what, 16, 2 * seconds)
            for connections in (16, 8) * 3:
                for who, one, what in asked:
                    figures = one.ask(what, connections, seconds)
                    rounds.setdefault(f"{who} {what}, {connections} connections", []).append(figures)
        found = {name: sorted(three, key=lambda f: f["per_s"])[1] for name, three in rounds.items()}
        pids = _children(pid)
        found["memory"] = {
            "most_mb_a_process": max(_memory(p, "VmHWM") for p in pids),  # with what it reads of the indexes
            "own_mb_a_process": max(_memory(p, "RssAnon") for p in pids),  # without: those pages are shared
        }
    return found


def _fill(address: str, docs: int) -> None:
    exact = {"type": "keyword"}
    properties = {
        "all": {"type": "text", "analyzer": "whitespace"},
        **dict.fromkeys(("country", "occupation", "contract"), exact),
        "top": {"type": "long"},
        "record": {"type": "keyword", "index": False, "doc_values": False},
    }
    settings = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": -1}
    _send(f"{address}/jobs", {"settings": settings, "mappings": {"properties": properties}}, "PUT")
    kind = _kind()
    make = Writer(kind, exchange.load()).document
    lines: list[bytes] = []
    number = 0
    for country, count in shares(docs):
        for record in vacancies(country, count, kind):
            number += 1
            document = make(number, record)
            columns = {**dict(document.exact), **dict(document.numbers)}
            kept = {n: columns[n] for n in ("country", "occupation", "contract", "top") if n in columns}
            row = {"all": document.words, **kept, "record": document.data.decode()}
            lines += [b'{"index":{}}', msgspec.json.encode(row)]
            if len(lines) >= 4_000:
                _send(f"{address}/jobs/_bulk", lines, "POST")
                lines.clear()
    if lines:
        _send(f"{address}/jobs/_bulk", lines, "POST")
    _send(f"{address}/jobs/_refresh", {}, "POST")
    _send(f"{address}/jobs/_forcemerge?max_num_segments=5", {}, "POST")


def _send(url: str, body: dict[str, Any] | list[bytes], method: str) -> None:
    data = b"\n".join(body) + b"\n" if isinstance(body, list) else json.dumps(body).encode()
    kind = "application/x-ndjson" if isinstance(body, list) else "application/json"
    asked = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urlopen(asked, timeout=600) as answer:
        said = json.loads(answer.read())
    if said.get("errors"):
        raise SystemExit(f"OpenSearch refuses: {str(said)[:300]}")


def _plain_body(one: Asked) -> dict[str, Any]:
    words = query_tokens(one.text, [c.language for c in COUNTRIES])
    must = [{"terms": {"all": ways}} if len(ways) > 1 else {"term": {"all": ways[0]}} for ways in words]
    return {"query": {"bool": {"must": must}}, "size": 10}


def _full_body(one: Asked) -> dict[str, Any]:
    body = _plain_body(one)
    body["query"]["bool"]["filter"] = [
        {"terms": {"country": [m.upper() for m in one.members]}},
        {"range": {"top": {"gte": int(one.pay * 12 * 100)}}},
    ]
    body["aggs"] = {n: {"terms": {"field": n, "size": 20}} for n in ("country", "occupation")}
    return body


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urlopen(url) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def _children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(rest[1]) == pid:
            found.append(int(path.parent.name))
    return [*found, *(c for f in found for c in _children(f))] or [pid]


def _memory(pid: int, what: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in text.splitlines() if line.startswith(what))


# the table


def run(docs: int, *, peers: bool, http: bool) -> dict[str, Any]:
    ours, bare = built(docs, peers=peers)
    figures: dict[str, Any] = {"docs": docs, "build": json.loads((ours / "figures.json").read_text())}
    spent = in_process(ours, bare if peers else None)
    figures["in_process"] = {name: told(times) for name, times in spent.items()}
    figures["new_record_seen_ms"] = new_record_seen(ours)
    if http:
        figures["http"] = over_http(ours, docs, peers=peers)
    figures["ratios"] = _ratios(spent, figures.get("http", {}))
    return figures


_PAIRS = (
    ("landbridge keyword", "tantivy keyword"),
    ("landbridge keyword", "tantivy keyword, six indexes"),
    ("landbridge keyword, no snippets", "tantivy keyword, six indexes (for no snippets)"),
    ("landbridge keyword", "fts5 keyword"),
    ("landbridge full", "tantivy full"),
    ("landbridge full", "fts5 full"),
    ("landbridge keyword, occupations", "landbridge keyword (for occupations)"),
    ("landbridge full, occupations", "landbridge full (for occupations)"),
)


def _ratios(spent: Mapping[str, list[float]], served: Mapping[str, dict[str, float]]) -> dict[str, float]:
    """How many times as fast Landbridge is; in process over the queries that both were asked."""
    found = {}
    for ours, peer in _PAIRS:
        if peer in spent:
            most = min(len(spent[ours]), len(spent[peer]))
            found[f"{ours} / {peer}"] = round(sum(spent[peer][:most]) / sum(spent[ours][:most]), 2)
    for name, figures in served.items():
        literal = served.get(name.replace("-occupations", ""))
        if literal and literal is not figures:
            found[f"{name}, over HTTP / without occupations"] = round(figures["per_s"] / literal["per_s"], 2)
        theirs = served.get(name.replace("landbridge", "opensearch"))
        if theirs and theirs is not figures:
            found[f"{name}, over HTTP / opensearch"] = round(figures["per_s"] / theirs["per_s"], 2)
    return found


def show(figures: dict[str, Any]) -> None:
    print(f"\n{figures['docs']:,} vacancies: {figures['build']}")
    for name, values in {**figures["in_process"], **figures.get("http", {})}.items():
        print(f"  {name:48}" + "  ".join(f"{k} {v:>9,}" for k, v in values.items()))
    print(f"  a new record is found after {figures['new_record_seen_ms']} ms")
    for name, value in figures["ratios"].items():
        print(f"  {name:84}{value:>9}")


def main() -> None:
    words = argparse.ArgumentParser(prog="bench search", description="The search figures.")
    words.add_argument("--docs", type=int, default=100_000)
    words.add_argument("--curve", action="store_true", help="100k, 1M, 3M; peers at the first two")
    words.add_argument("--json", action="store_true")
    words.add_argument("--no-peers", action="store_true")
    words.add_argument("--no-http", action="store_true")
    given = words.parse_args()
    found = []
    for docs in (100_000, 1_000_000, 3_000_000) if given.curve else (given.docs,):
        figures = run(docs, peers=not given.no_peers and docs <= 1_000_000, http=not given.no_http)
        found.append(figures)
        if not given.json:
            show(figures)
    if given.json:
        print(json.dumps(found if given.curve else found[0], ensure_ascii=False))


if __name__ == "__main__":
    main()
