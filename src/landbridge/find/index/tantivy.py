"""The embedded index: tantivy, a folder a member and kind.

The folder holds `landbridge.json` (which generation answers, what it was built from, the last change in it)
and a folder a generation. The file is replaced after each commit: a crash between the two repeats some
changes, which does no harm, and a look at its date tells readers in other processes that there is news.
"""

import contextlib
import fcntl
import os
import shutil
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import tantivy
from tantivy import FieldType, Occur, Order, Query

from landbridge.errors import ConfigError
from landbridge.find.index.document import (
    BETWEEN,
    TIE_BITS,
    Document,
    Shape,
    Writer,
    fingerprint,
    label,
    shape,
)
from landbridge.find.index.protocol import (
    DEEPEST,
    SPACELESS,
    Answer,
    AtLeast,
    Changes,
    Contribution,
    Counted,
    Filter,
    Near,
    Plan,
    Reading,
    Terms,
    Word,
    nothing,
)
from landbridge.find.places import within
from landbridge.find.rates import Rates
from landbridge.kinds.kind import Kind

HEAP: Final = 48_000_000  # bytes that the writer gathers before it writes a segment
COMMIT: Final = 50_000  # changes between two commits of a long write
PATIENCE: Final = 60.0  # seconds to wait for another process that writes
COUNTED: Final = 200_000  # documents up to which a total is counted where counting costs more than the hits
_KNOWN = 8_192  # words of an index whose frequency is remembered
_RINGS = 1_000  # distances told apart in one query
_TIE = (1 << TIE_BITS) - 1
_MUST, _SHOULD, _NOT = Occur.Must, Occur.Should, Occur.MustNot
_ANY = Query.all_query()
_Clause = tuple[Occur, Query]


class _Meta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    generation: int
    form: str
    rates: str
    seq: int


class TantivyIndex:
    """One member's records of one kind, in a folder."""

    def __init__(self, folder: Path, member: str, kind: Kind, rates: Rates) -> None:
        self.folder = folder
        self.member = member
        self.kind = kind
        self._rates = rates
        self._form = fingerprint(kind)
        self._shape = shape(kind)
        self._file = folder / "landbridge.json"
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._index: tuple[int, tantivy.Index] | None = None
        self._view: TantivyView | None = None

    @property
    def last_seq(self) -> int:
        meta = self._meta()
        return meta.seq if meta else 0

    @property
    def outdated(self) -> str:
        try:
            meta = self._meta()
        except ConfigError as error:
            return str(error)
        if meta is None:
            return ""
        if meta.form != self._form:
            return f"the index of {self.member} {self.kind.name} was built for another form of the kind"
        if meta.rates != self._rates.version:
            return f"the index of {self.member} {self.kind.name} compares pay at other exchange rates"
        return ""

    def write(self, changes: Changes) -> int:
        with self._alone():
            if why := self.outdated:
                raise ConfigError(why, hint="landbridge index rebuild")
            meta = self._meta() or _Meta(generation=1, form=self._form, rates=self._rates.version, seq=0)
            return self._write(meta, changes)

    def rebuild(self, changes: Changes) -> int:
        with self._alone():
            old = max((int(p.name) for p in self.folder.iterdir() if p.name.isdigit()), default=0)
            meta = _Meta(generation=old + 1, form=self._form, rates=self._rates.version, seq=0)
            done = self._write(meta, changes, shown=False)
            for path in self.folder.iterdir():
                if path.name.isdigit() and int(path.name) <= old:
                    shutil.rmtree(path, ignore_errors=True)
            return done

    def view(self) -> "TantivyView":
        try:
            stat = os.stat(self._file)
            stamp = (stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            stamp = None
        view = self._view
        if view is not None and stamp == self._stamp:
            return view
        with self._lock:
            view = self._load()
            self._view, self._stamp = view, stamp
            return view

    def count(self) -> int:
        return self.view().count()

    def close(self) -> None:
        with self._lock:
            self._view = self._index = self._stamp = None

    def drop(self) -> None:
        self.close()
        if self.folder.exists():
            with self._alone():
                self._file.unlink(missing_ok=True)
                shutil.rmtree(self.folder, ignore_errors=True)

    def _meta(self) -> _Meta | None:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Meta)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(
                f"the index of {self.member} {self.kind.name} cannot be read: {error}",
                hint="landbridge index rebuild",
            ) from error

    def _load(self) -> "TantivyView":
        for attempt in (1, 2, 3):  # a rebuild may take the old generation away meanwhile
            meta = self._meta()
            if meta is None:
                return TantivyView(self, None, 0)
            if meta.form != self._form:
                raise ConfigError(self.outdated, hint="landbridge index rebuild")
            try:
                if self._index is not None and self._index[0] == meta.generation:
                    index = self._index[1]
                    index.reload()
                else:
                    index = tantivy.Index.open(str(self.folder / str(meta.generation)))
                    index.config_reader("manual")
                    self._index = (meta.generation, index)
                return TantivyView(self, index, meta.seq)
            except (OSError, ValueError) as error:
                self._index = None
                if attempt == 3:
                    raise ConfigError(
                        f"the index of {self.member} {self.kind.name} cannot be read: {error}",
                        hint="landbridge index rebuild",
                    ) from error
        raise AssertionError

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps other processes from writing meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + PATIENCE
        with (self.folder / "lock").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise ConfigError(
                            f"another process is writing the index of {self.member} {self.kind.name}"
                        ) from None
                    time.sleep(0.02)
            yield

    def _write(self, meta: _Meta, changes: Changes, *, shown: bool = True) -> int:
        folder = self.folder / str(meta.generation)
        if not shown:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        try:
            index = tantivy.Index(_schema(self._shape), str(folder), reuse=True)
            index.config_reader("manual")
            index.register_tokenizer("whitespace", _BY_SPACES)
            writer = index.writer(heap_size=HEAP, num_threads=1)
            done = self._add_all(index, writer, meta, changes, shown=shown)
            writer.wait_merging_threads()
        except ValueError as error:  # tantivy says all its troubles so
            raise OSError(
                f"the index of {self.member} {self.kind.name} cannot be written: {error}"
            ) from error
        return done

    def _add_all(
        self, index: tantivy.Index, writer: tantivy.IndexWriter, meta: _Meta, changes: Changes, *, shown: bool
    ) -> int:
        done, seq = 0, meta.seq
        there = index.searcher()
        new: set[str] = set()  # written since the last commit
        news = ((number, change) for number, change in changes if number > meta.seq)
        for number, change in Writer(self.kind, self._rates).documents(news):
            done += 1
            seq = max(seq, number)
            if change.id in new or there.doc_freq("id", change.id):
                # only then: a deletion costs more than a look, and the engine keeps it in memory
                writer.delete_documents_by_term("id", change.id)
            if isinstance(change, Document):
                new.add(change.id)
                writer.add_document(_engine_document(change))
            if done % COMMIT == 0:
                writer.commit()
                index.reload()
                there = index.searcher()
                new.clear()
                if shown:
                    self._save(msgspec.structs.replace(meta, seq=seq))
        writer.commit()
        self._save(msgspec.structs.replace(meta, seq=seq))
        return done

    def _save(self, meta: _Meta) -> None:
        path = self._file.with_suffix(".new")
        with path.open("wb") as file:
            file.write(msgspec.json.encode(meta))
            file.flush()
            os.fsync(file.fileno())
        path.replace(self._file)


def _sweep(folder: Path) -> None:
    """Clears away what a writer that was killed left behind: the engine refuses to write a name anew.

    Its segments are named at random, but a list of deletions is named by its segment and step.
    """
    try:
        known = msgspec.json.decode((folder / "meta.json").read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return
    segments = {
        one["segment_id"].replace("-", ""): (one.get("deletes") or {}).get("opstamp")
        for one in known.get("segments", ())
    }
    for path in folder.glob("*.del"):
        segment, _, step = path.stem.partition(".")
        if str(segments.get(segment)) != step:
            path.unlink(missing_ok=True)


def _engine_document(made: Document) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", made.id)
    document.add_integer("seq", made.seq)
    document.add_text("all", made.words)
    for column, term in made.exact:
        document.add_text("is_" + column, term)
    for column, value in made.numbers:
        document.add_integer(column, value)
    document.add_bytes("record", made.data)
    return document


_BY_SPACES = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def _schema(columns: Shape) -> tantivy.Schema:
    made = tantivy.SchemaBuilder()
    made.add_text_field("id", tokenizer_name="raw", index_option="basic")
    made.add_text_field("all", tokenizer_name="whitespace")
    for name in columns.exact:
        made.add_text_field(
            "is_" + name, tokenizer_name="raw", index_option="basic", fast=name in columns.facets
        )
    for name in ("seq", *columns.numbers):
        made.add_integer_field(name, fast=True)
    made.add_bytes_field("record", stored=True)
    return made.build()


class TantivyView:
    """One state of an index. What is derived from all of it (points, labels) is kept with it."""

    def __init__(self, owner: TantivyIndex, index: tantivy.Index | None, seq: int) -> None:
        self.seq = seq
        self._kind = owner.kind
        self._shape = owner._shape
        self._searcher: Any = index.searcher() if index else None
        self._schema: Any = index.schema if index else None
        self._size: int = self._searcher.doc_freq("all", BETWEEN) if self._searcher else 0
        self._languages: frozenset[str] | None = None
        self._points: _Points | None = None
        self._frequencies: dict[str, int] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._onlys: dict[str, str] = {}

    def count(self) -> int:
        return int(self._searcher.num_docs) if self._size else 0

    def size(self) -> int:
        return self._size

    def frequencies(self, tokens: Sequence[str]) -> list[int]:
        if not self._size:
            return [0] * len(tokens)
        known = self._frequencies
        if len(known) + len(tokens) > _KNOWN:
            known.clear()
        for token in tokens:
            if token not in known:
                known[token] = self._searcher.doc_freq("all", token)
        return [known[token] for token in tokens]

    def similar(self, token: str, distance: int) -> list[tuple[str, int]]:
        if not self._size or SPACELESS.search(token):
            return []
        if distance == 1:
            count = self._searcher.doc_freq
            found = ((other, count("all", other)) for other in neighbours(token))
            return [(other, n) for other, n in found if n]
        near = self._searcher.terms_with_prefix("all", token[:3])
        return [
            (t, n) for t, n in near if abs(len(t) - len(token)) <= distance and edits(token, t) <= distance
        ]

    def languages(self) -> frozenset[str]:
        if self._languages is None:
            terms = self._searcher.terms_with_prefix("is_language", "") if self._size else []
            self._languages = frozenset(t for t, _ in terms)
        return self._languages

    def values(self, column: str) -> list[tuple[str, int]]:
        return self._searcher.terms_with_prefix("is_" + column, "") if self._size else []

    def label(self, column: str, term: str) -> str:
        known = self._labels.get((column, term))
        if known is None:
            hits = self._searcher.search(self._term("is_" + column, term), 1, count=False).hits
            known = label(self._kind, column, term, self._read(hits[0][1])) if hits else term
            self._labels[(column, term)] = known
        return known

    def search(self, plan: Plan) -> Answer:
        if not self._size or not all(w.readings for w in plan.words):
            return nothing(plan)
        deep = plan.offset >= DEEPEST
        if deep:
            plan = msgspec.structs.replace(plan, offset=0, limit=1)
        if plan.sort == "distance":
            total, exact, hits = self._by_distance(plan)
        elif plan.sort == "relevance" and plan.words:
            total, exact, hits = self._by_score(plan)
        else:
            total, exact, hits = self._by_number(plan, "pay" if plan.sort == "pay" else "date")
        hits = [] if deep else hits
        at = [address for _, _, address in hits]
        return Answer(
            total=total,
            exact=exact,
            hits=[hit[:2] for hit in hits],
            facets=self._facets(plan, total if exact else None) if plan.facets else {},
            lacking={f.name: self._lacking(plan, f) for f in plan.filters} if plan.lacking else {},
            read=lambda positions: [self._read(at[i]) for i in positions],
            explain=lambda position: self._explain(plan, at[position]),
            pays=lambda positions: self._pays([at[i] for i in positions]),
        )

    # hits

    def _by_score(self, plan: Plan) -> "_Hits":
        limit = min(plan.limit, DEEPEST - plan.offset)
        count = self._worth_counting(plan)
        result = self._searcher.search(self._query(plan), limit, count=count, offset=plan.offset)
        addresses = [address for _, address in result.hits]
        dates = self._searcher.fast_field_values("date", addresses)
        hits = [(score, date, at) for (score, at), date in zip(result.hits, dates, strict=True)]
        if count:
            return result.count, True, hits
        found = self.frequencies([r.tokens[0] for r in plan.words[0].readings])
        removed = self._size - self.count()
        if len(found) == 1 and not removed:
            return found[0], True, hits
        return max(max(found) - removed, plan.offset + len(hits)), False, hits

    def _worth_counting(self, plan: Plan) -> bool:
        """Whether the exact total costs nothing, or little.

        The engine leaves out documents that cannot reach the page only for a single word without filters:
        then hits and total of the commonest word of 250,000 records take 0.40 ms, hits alone 0.24 (half of
        them for a word's two readings, nothing for two words). Where no removed record is in the way, the
        total of a single word is its frequency.
        """
        if len(plan.words) > 1 or plan.filters or plan.without or self._hides(plan):
            return True
        readings = plan.words[0].readings
        if any(len(r.tokens) > 1 for r in readings):
            return True
        found = self.frequencies([r.tokens[0] for r in readings])
        if len(found) == 1 and self._size == self.count():
            return False
        return sum(found) <= COUNTED

    def _by_number(self, plan: Plan, column: str) -> "_Hits":
        limit = min(plan.limit, DEEPEST - plan.offset)
        result = self._searcher.search(
            self._query(plan), limit, order_by_field=column, offset=plan.offset, order=Order.Desc
        )
        hits = [(float(n >> TIE_BITS), n & _TIE, address) for n, address in result.hits]
        return result.count, True, hits

    def _by_distance(self, plan: Plan) -> "_Hits":
        """The nearest first, among the equally near the newest.

        One search scores every record by the rank of its nearest place; of those as far away as the last
        one asked for, a second search takes the newest.
        """
        near = next(f for f in plan.filters if isinstance(f, Near))
        rings = self._rings(near)
        ranks = [
            Query.const_score_query(self._any_of("is_point", terms), float(len(rings) - rank))
            for rank, (_, terms) in enumerate(rings)
        ]
        if near.or_lacking:
            ranks.append(Query.const_score_query(self._term("is_lacks", near.name), 0.5))
        if not ranks:
            return 0, True, []
        others = [(_MUST, Query.const_score_query(self._query(plan, without=near.name), 0.0))]
        need = min(plan.offset + plan.limit, DEEPEST)
        result = self._searcher.search(
            Query.boolean_query([*others, (_MUST, Query.disjunction_max_query(ranks))]), need
        )
        last = result.hits[-1][0] if result.hits else 0.0
        hits = [(score, address) for score, address in result.hits if score > last or result.count <= need]
        if result.count > need:
            here = self._any_of("is_point", rings[len(rings) - round(last)][1]) if last >= 1 else ranks[-1]
            clauses = [*others, (_MUST, here)]
            closer = [t for _, terms in rings[: len(rings) - round(last)] for t in terms] if last >= 1 else []
            if closer:
                clauses.append((_NOT, self._any_of("is_point", closer)))
            newest = self._searcher.search(
                Query.boolean_query(clauses), need - len(hits), count=False, order_by_field="date"
            )
            hits += [(last, address) for _, address in newest.hits]
        dates = self._searcher.fast_field_values("date", [address for _, address in hits])
        found = [
            (-rings[len(rings) - round(score)][0] if score >= 1 else -np.inf, date, address)
            for (score, address), date in zip(hits, dates, strict=True)
        ]
        found.sort(key=lambda hit: hit[:2], reverse=True)
        return result.count, True, found[plan.offset : need]

    # queries

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._schema, field, value, "basic")

    def _any_of(self, field: str, values: Sequence[str]) -> Query:
        if len(values) == 1:
            return self._term(field, values[0])
        if len(values) <= 8:
            return Query.boolean_query([(_SHOULD, self._term(field, v)) for v in values])
        return Query.term_set_query(self._schema, field, values)

    def _query(self, plan: Plan, *, without: str = "", lacking: str = "") -> Query:
        """The plan as one query; `without` this filter, or with those that lack a value for it."""
        clauses = [(_MUST, self._word(word)) for word in plan.words]
        for one in plan.filters:
            if one.name == lacking:
                clauses.append((_MUST, _unscored(self._term("is_lacks", lacking))))
            elif one.name != without:
                clauses += self._filter(one)
        clauses += [(_NOT, self._word(word)) for word in plan.without if word.readings]
        if self._hides(plan):
            clauses.append((_MUST, _unscored(self._range("seq", plan.above + 1, plan.upto))))
        if len(clauses) == 1 and clauses[0][0] == _MUST:
            return clauses[0][1]
        if not any(occur == _MUST for occur, _ in clauses):
            clauses.append((_MUST, _ANY))
        return Query.boolean_query(clauses)

    def _hides(self, plan: Plan) -> bool:
        return plan.above > 0 or (plan.upto is not None and plan.upto < self.seq)

    def _word(self, word: Word) -> Query:
        if len(word.readings) == 1:
            return self._reading(word.readings[0])
        return Query.boolean_query([(_SHOULD, self._reading(r)) for r in word.readings])

    def _reading(self, reading: Reading) -> Query:
        if len(reading.tokens) == 1:
            query = Query.term_query(self._schema, "all", reading.tokens[0])
        else:
            query = Query.phrase_query(self._schema, "all", list(reading.tokens))
        return query if reading.boost == 1.0 else Query.boost_query(query, reading.boost)

    def _filter(self, one: Filter) -> list[_Clause]:
        if isinstance(one, Terms):
            return self._terms(one)
        if isinstance(one, AtLeast):
            return self._at_least(one)
        points = [t for _, terms in self._rings(one) for t in terms]
        return [(_MUST, _unscored(self._either("is_point", points, one.name if one.or_lacking else "")))]

    def _terms(self, one: Terms) -> list[_Clause]:
        column = "is_" + one.column
        if any(self._searcher.doc_freq(column, v) == self._size for v in one.values):
            return []  # all have it: a member of one country, asked for that country
        values = list(one.values)
        for prefix in one.prefixes:
            values += [t for t, _ in self._searcher.terms_with_prefix(column, prefix)]
        values = list(dict.fromkeys(values))
        return [(_MUST, _unscored(self._either(column, values, one.name if one.or_lacking else "")))]

    def _either(self, field: str, values: list[str], lacking: str) -> Query:
        if not lacking:
            return self._any_of(field, values) if values else Query.empty_query()
        lack = self._term("is_lacks", lacking)
        if not values:
            return lack
        return Query.boolean_query([(_SHOULD, self._any_of(field, values)), (_SHOULD, lack)])

    def _at_least(self, one: AtLeast) -> list[_Clause]:
        shift, first = (TIE_BITS, 1 << TIE_BITS) if one.column == "date" else (0, 0)
        low = max(one.low << shift, first)
        if not one.or_lacking:
            return [(_MUST, _unscored(self._range(one.column, low, None)))]
        if low <= first:
            return []
        # "not known to be less" is led by the words; "at least, or unknown" would visit every record
        return [(_NOT, self._range(one.column, first, low - 1))]

    def _range(self, field: str, low: int | None, high: int | None) -> Query:
        return Query.range_query(self._schema, field, FieldType.Integer, low, high)

    # places

    def _rings(self, near: Near) -> list[tuple[float, list[str]]]:
        """The points in reach, the nearest first: (kilometres, points). Very many are put in groups."""
        if self._points is None:
            self._points = _Points([t for t, _ in self._searcher.terms_with_prefix("is_point", "")])
        return self._points.rings(near)

    # counts

    def _lacking(self, plan: Plan, one: Filter) -> int:
        if not self._searcher.doc_freq("is_lacks", one.name):
            return 0
        return int(self._searcher.search(_unscored(self._query(plan, lacking=one.name)), 1).count)

    def _facets(self, plan: Plan, total: int | None) -> dict[str, Counted]:
        filtered = {f.column: f.name for f in plan.filters if isinstance(f, Terms)}
        together: list[str] = []
        counted: dict[str, Counted] = {}
        for name in plan.facets:
            only = self._only(name)
            if only and total is not None and name not in filtered:
                counted[name] = Counted(values=((only, total),) if total else (), missing=0)
            elif name in filtered:
                query = self._query(plan, without=filtered[name])
                counted |= self._count(query, [name], plan.facet_size)
            else:
                together.append(name)
        return counted | self._count(self._query(plan), together, plan.facet_size) if together else counted

    def _only(self, column: str) -> str:
        """The one value that all records have: most members are one country."""
        if column not in self._onlys:
            terms = self._searcher.terms_with_prefix("is_" + column, "", limit=2)
            self._onlys[column] = terms[0][0] if len(terms) == 1 and terms[0][1] == self._size else ""
        return self._onlys[column]

    def _count(self, query: Query, names: Sequence[str], size: int) -> dict[str, Counted]:
        closed = {n: len(f.values) for n in names if (f := self._kind.fields.get(n)) and f.values}
        asked = {}
        for name in names:
            most = max(size, closed.get(name, 0)) + 1
            # no more of a segment than is kept of all: looking further costs more than the search itself
            terms = {"field": "is_" + name, "size": most, "segment_size": most, "missing": ""}
            asked[name] = {"terms": terms}
        found: dict[str, Any] = self._searcher.aggregate(query, asked)
        counted = {}
        for name in names:
            values = [(b["key"], b["doc_count"]) for b in found[name]["buckets"]]
            counted[name] = Counted(
                values=tuple((v, n) for v, n in values if v != ""),
                missing=sum(n for v, n in values if v == ""),
                exact=not found[name]["sum_other_doc_count"],
            )
        return counted

    # records

    def _read(self, address: Any) -> bytes:
        data: bytes = self._searcher.doc(address).get_first("record")
        return data

    def _pays(self, addresses: list[Any]) -> list[tuple[int, int] | None]:
        if not self._shape.has_pay:
            return [None] * len(addresses)
        lows = self._searcher.fast_field_values("pay", addresses)
        tops = self._searcher.fast_field_values("top", addresses)
        pairs = zip(lows, tops, strict=True)
        return [None if top is None else (low >> TIE_BITS, top) for low, top in pairs]

    def _explain(self, plan: Plan, address: Any) -> list[Contribution]:
        found = []
        for word in plan.words:
            for reading in word.readings:
                with contextlib.suppress(ValueError):  # "does not match"
                    told = self._reading(reading).explain(self._searcher, address).to_json()
                    found.append(Contribution(reading.tokens, msgspec.json.decode(told)["value"]))
        return found


_Hits = tuple[int, bool, list[tuple[float, int, Any]]]  # total, whether exact; a hit and its address


class _Points:
    """The distinct points of an index."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._terms = terms
        self._degrees = np.array([t.split(",") for t in terms], dtype=np.float64).reshape(-1, 2)
        self._known: dict[tuple[float, float, float], list[tuple[float, list[str]]]] = {}

    def rings(self, near: Near) -> list[tuple[float, list[str]]]:
        asked = (near.lat, near.lon, near.km)
        if asked not in self._known:
            if len(self._known) >= 64:
                self._known.clear()
            self._known[asked] = self._measure(near)
        return self._known[asked]

    def _measure(self, near: Near) -> list[tuple[float, list[str]]]:
        km = within(self._degrees, near.lat, near.lon, near.km)
        inside = np.flatnonzero(np.isfinite(km))
        inside = inside[np.lexsort((inside, km[inside]))]
        rings: list[tuple[float, list[str]]] = []
        step = -(-len(inside) // _RINGS) or 1
        for at in range(0, len(inside), step):
            group = inside[at : at + step]
            rings.append((float(km[group[0]]), [self._terms[i] for i in group]))
        return rings


def _unscored(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)


def edits(one: str, other: str) -> int:
    """How many letters more, less, other, or swapped with their neighbour tell two words apart."""
    before: list[int] = []
    line = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        two_before, before, line = before, line, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, line[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, two_before[j - 2] + 1)
            line.append(cost)
    return line[-1]


def neighbours(word: str) -> set[str]:
    """All words one edit away, in the letters of the word's own scripts."""
    letters = "".join(
        dict.fromkeys(letter for block in {ord(c) >> 8 for c in word} for letter in _letters(block))
    )
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    found = {a + b[1:] for a, b in cuts if b}
    found |= {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    found |= {a + c + b[1:] for a, b in cuts if b for c in letters}
    found |= {a + c + b for a, b in cuts for c in letters}
    return found - {word}


def _letters(block: int) -> str:
    """The small letters of 256 code points (Latin, Cyrillic, Armenian, Arabic, …)."""
    every = (chr(n) for n in range(block << 8, (block << 8) + 256))
    return "".join(c for c in every if unicodedata.category(c) in {"Ll", "Lo"})
