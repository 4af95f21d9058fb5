"""The distributed index: OpenSearch, an index a member and kind (https://docs.opensearch.org/latest/api-reference/).

`landbridge-MEMBER-KIND` is an alias; behind it stands one generation (`…-1`, `…-2`), and a rebuild swaps it.
The mapping's `_meta` tells what it was built from and the last change in it. Readers see nothing until it is
refreshed, which is once a commit. A record's version is the journal's number, so that an older state never
overwrites a newer one and writers need no lock.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
from opensearchpy import JSONSerializer, OpenSearch
from opensearchpy.exceptions import OpenSearchException, TransportError

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
    Found,
    Near,
    Plan,
    Reading,
    Removal,
    Terms,
    Word,
    nothing,
)
from landbridge.find.rates import Rates
from landbridge.kinds.kind import Kind

COMMIT: Final = 50_000  # changes between two commits of a long write
BULK: Final = 5_000_000  # bytes of one request, about
_TIMEOUT = 60  # seconds
_LONGEST_ID = 512  # bytes that OpenSearch takes
_NEAR_WORDS = 1_000
_LANGUAGES = 1_000
_PAGE = 10_000  # terms of a column read at once
_MAPPINGS = 2  # of this engine's columns; another number has every index made anew
_TIE = (1 << TIE_BITS) - 1
_MOST = (1 << 63) - 1
_Json = dict[str, Any]

# What it logs is raised here as well; without a handler it would go to standard error.
logging.getLogger("opensearch").addHandler(logging.NullHandler())


class _Meta(msgspec.Struct, frozen=True):
    """`born` tells an index from an earlier one of its name."""

    form: str
    rates: str
    seq: int
    born: int


class _Serializer(JSONSerializer):  # type: ignore[misc]
    def loads(self, s: str) -> Any:
        return msgspec.json.decode(s)


class OpenSearchIndex:
    """One member's records of one kind, on the node at an http address."""

    def __init__(self, where: str, member: str, kind: Kind, rates: Rates) -> None:
        self.member = member
        self.kind = kind
        self.name = f"landbridge-{member}-{kind.name}".lower()
        self._rates = rates
        self._form = f"{fingerprint(kind)}-{_MAPPINGS}"
        self._shape = shape(kind)
        self._node = OpenSearch([where], timeout=_TIMEOUT, serializer=_Serializer())
        self._view: OpenSearchView | None = None

    @property
    def last_seq(self) -> int:
        found = self._found()
        return found[1].seq if found else 0

    @property
    def outdated(self) -> str:
        try:
            found = self._found()
        except ConfigError as error:
            return str(error)
        return self._outdated(found[1]) if found else ""

    def write(self, changes: Changes) -> int:
        found = self._found()
        if found is None:
            self._create(f"{self.name}-1", shown=True)
            found = self._found()
            if found is None:
                raise OSError(f"{self._self} cannot be made")
        name, meta = found
        if why := self._outdated(meta):
            raise ConfigError(why, hint="landbridge index rebuild")
        return self._write(name, meta, changes, shown=True)

    def rebuild(self, changes: Changes) -> int:
        old = self._concrete()
        name = f"{self.name}-{int(old.rpartition('-')[2]) + 1 if old else 1}"
        self.ask("DELETE", f"/{name}", ignore=404)  # what an interrupted rebuild left
        meta = self._create(name, shown=False)
        try:
            done = self._write(name, meta, changes, shown=False)
        except BaseException:
            self.ask("DELETE", f"/{name}", ignore=404)
            raise
        actions: list[_Json] = [{"add": {"index": name, "alias": self.name}}]
        if old:
            actions.append({"remove_index": {"index": old}})
        self.ask("POST", "/_aliases", {"actions": actions})
        return done

    def view(self) -> "OpenSearchView":
        found = self._found()
        meta = found[1] if found else None
        if meta is not None and meta.form != self._form:
            raise ConfigError(self._outdated(meta), hint="landbridge index rebuild")
        view = self._view
        if view is None or view.meta != meta:
            view = self._view = OpenSearchView(self, meta)
        return view

    def count(self) -> int:
        return self.view().count()

    def close(self) -> None:
        self._view = None
        self._node.close()

    def drop(self) -> None:
        self._view = None
        if name := self._concrete():
            self.ask("DELETE", f"/{name}", ignore=404)

    def ask(self, method: str, path: str, body: Any = None, *, ignore: int = 0, **params: Any) -> Any:
        """One request. Raises OSError where the node does not answer or refuses; None for `ignore`."""
        params = {k: str(v).lower() for k, v in params.items()} | ({"ignore": ignore} if ignore else {})
        try:
            answer = self._node.transport.perform_request(method, path, params=params, body=body)
        except TransportError as error:
            raise OSError(f"{self._self}: OpenSearch says {error.status_code} {_reason(error)}") from error
        except OpenSearchException as error:
            raise OSError(f"{self._self}: OpenSearch: {error}") from error
        refused = ignore and isinstance(answer, dict) and answer.get("status") == ignore
        return None if refused else answer

    @property
    def _self(self) -> str:
        return f"the index of {self.member} {self.kind.name}"

    def _outdated(self, meta: _Meta) -> str:
        if meta.form != self._form:
            return f"{self._self} was built for another form of the kind"
        if meta.rates != self._rates.version:
            return f"{self._self} compares pay at other exchange rates"
        return ""

    def _mapping(self, name: str) -> tuple[str, _Json] | None:
        found = self.ask("GET", f"/{name}/_mapping", ignore=404)
        if not found:
            return None
        [(name, told)] = found.items()
        return name, told["mappings"]

    def _concrete(self) -> str:
        found = self._mapping(self.name)
        return found[0] if found else ""

    def _found(self, name: str = "") -> tuple[str, _Meta] | None:
        """The generation of this name, or that behind the alias, and what it says of itself."""
        found = self._mapping(name or self.name)
        if found is None:
            return None
        try:
            return found[0], msgspec.convert(found[1].get("_meta"), _Meta)
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"{self._self} cannot be read: {error}", hint="landbridge index rebuild"
            ) from error

    def _create(self, name: str, *, shown: bool) -> _Meta:
        meta = _Meta(form=self._form, rates=self._rates.version, seq=0, born=time.time_ns())
        body = {
            "settings": _SETTINGS,
            "mappings": {"_meta": msgspec.to_builtins(meta), **_mappings(self._shape)},
            "aliases": {self.name: {}} if shown else {},
        }
        self.ask("PUT", f"/{name}", body, ignore=400)  # another process may have been faster
        return meta

    def _write(self, name: str, meta: _Meta, changes: Changes, *, shown: bool) -> int:
        done, seq, size = 0, meta.seq, 0
        lines: list[bytes] = []
        news = ((number, change) for number, change in changes if number > meta.seq)
        for number, change in Writer(self.kind, self._rates).documents(news):
            done += 1
            seq = max(seq, number)
            added = _lines(number, change)
            lines += added
            size += sum(map(len, added))
            if size > BULK:
                self._send(name, lines, shown=shown)
                lines, size = [], 0
            if done % COMMIT == 0:
                self._send(name, lines, shown=shown)
                lines, size = [], 0
                self._commit(name, msgspec.structs.replace(meta, seq=seq))
        self._send(name, lines, shown=shown)
        if done:
            self._commit(name, msgspec.structs.replace(meta, seq=seq))
        return done

    def _send(self, name: str, lines: list[bytes], *, shown: bool) -> None:
        """Sends changes, to what is shown through its alias: an index just removed is not made by the way."""
        if not lines:
            return
        path = f"/{self.name if shown else name}/_bulk"
        answer = self.ask(
            "POST",
            path,
            b"\n".join([*lines, b""]),
            require_alias=shown,
            filter_path="items.*.status,items.*.error",
        )
        for item in answer["items"]:
            [told] = item.values()
            if "error" in told and told["status"] != 409:  # 409: it has a newer state of the record
                raise OSError(f"{self._self} cannot be written: {told['error']['reason']}")

    def _commit(self, name: str, meta: _Meta) -> None:
        self.ask("POST", f"/{name}/_refresh")
        found = self._found(name)
        seq = max(meta.seq, found[1].seq if found else 0)  # another process may have come further
        told = msgspec.to_builtins(msgspec.structs.replace(meta, seq=seq))
        self.ask("PUT", f"/{name}/_mapping", {"_meta": told})


_SETTINGS: Final[_Json] = {
    "index": {
        "number_of_shards": 1,  # frequencies are a shard's own
        "auto_expand_replicas": "0-1",
        "refresh_interval": -1,
        "gc_deletes": "1h",  # for so long a removal holds against an older state that comes late
        # the BM25 of the embedded index, with its factor k1 + 1
        "similarity": {"default": {"type": "LegacyBM25", "k1": 1.2, "b": 0.75}},
    }
}


def _mappings(columns: Shape) -> _Json:
    properties: _Json = {
        "all": {"type": "text", "analyzer": "whitespace"},
        **{name: {"type": "long"} for name in ("seq", *columns.numbers)},
        **{"is_" + n: {"type": "keyword", "doc_values": n != "lacks"} for n in columns.exact},
    }
    if columns.has_places:
        properties["is_point"] = {"type": "geo_point", "ignore_malformed": True}
    return {"dynamic": False, "_source": {"includes": ["record"]}, "properties": properties}


def _reason(error: TransportError) -> str:
    told = error.info.get("error") if isinstance(error.info, dict) else None
    return str(told.get("reason")) if isinstance(told, dict) else str(error.error)


def _lines(seq: int, change: Document | Removal) -> list[bytes]:
    """A change as two lines of a bulk request, or one."""
    about = {"_id": _id(change.id), "version": seq, "version_type": "external"}
    if isinstance(change, Removal):
        return [msgspec.json.encode({"delete": about})]
    fields: _Json = {"seq": seq, "all": change.words, "record": change.data.decode(), **dict(change.numbers)}
    for column, term in change.exact:
        fields.setdefault("is_" + column, []).append(term)
    return [msgspec.json.encode({"index": about}), msgspec.json.encode(fields)]


def _id(text: str) -> str:
    data = text.encode()
    return text if len(data) <= _LONGEST_ID else blake2b(data, digest_size=32).hexdigest()


class OpenSearchView:
    """The newest state of an index, without what was written since. What is derived from it is kept with it.

    A record that changed or went meanwhile is not shown: OpenSearch keeps older states only at a cost.
    """

    def __init__(self, owner: OpenSearchIndex, meta: _Meta | None) -> None:
        self.meta = meta
        self.seq = meta.seq if meta else 0
        self._owner = owner
        self._kind = owner.kind
        self._shape = owner._shape
        self._path = f"/{owner.name}"
        self._count: int | None = None
        self._frequencies: dict[str, int] = {}
        self._languages: frozenset[str] | None = None
        self._labels: dict[tuple[str, str], str] = {}

    def count(self) -> int:
        if self._count is None:
            found = self._owner.ask("GET", f"{self._path}/_count", ignore=404) if self.seq else None
            self._count = int(found["count"]) if found else 0
        return self._count

    def size(self) -> int:
        return self.frequencies([BETWEEN])[0]

    def frequencies(self, tokens: Sequence[str]) -> list[int]:
        new = [t for t in tokens if t not in self._frequencies]
        if new and self.seq:
            body = {"doc": {"all": " ".join(new)}, "fields": ["all"], "term_statistics": True}
            flags = dict.fromkeys(("positions", "offsets", "payloads", "field_statistics"), False)
            found = self._owner.ask("POST", f"{self._path}/_termvectors", body | flags)
            terms = found["term_vectors"].get("all", {}).get("terms", {})
            self._frequencies.update((t, terms.get(t, {}).get("doc_freq", 0)) for t in new)
        return [self._frequencies.get(t, 0) for t in tokens]

    def similar(self, token: str, distance: int) -> list[tuple[str, int]]:
        if not self.seq or SPACELESS.search(token):
            return []
        terms = {
            "field": "all",
            "size": _NEAR_WORDS,
            "suggest_mode": "always",
            "max_edits": distance,
            "prefix_length": 0 if distance == 1 else 3,
            "min_word_length": 1,
            "accuracy": 0.0,
            "string_distance": "damerau_levenshtein",
        }
        asked = {"size": 0, "suggest": {"near": {"text": token, "term": terms}}}
        return [
            (option["text"], option["freq"])
            for entry in self._search([asked])[0]["suggest"]["near"]
            for option in entry["options"]
        ]

    def languages(self) -> frozenset[str]:
        if self._languages is None:
            self._languages = frozenset()
            if self.seq:
                asked = {"size": 0, "aggs": {"all": {"terms": {"field": "is_language", "size": _LANGUAGES}}}}
                buckets = self._search([asked])[0]["aggregations"]["all"]["buckets"]
                self._languages = frozenset(b["key"] for b in buckets)
        return self._languages

    def values(self, column: str) -> list[tuple[str, int]]:
        every: dict[str, Any] = {"size": _PAGE, "sources": [{"of": {"terms": {"field": "is_" + column}}}]}
        shown = {"range": {"seq": {"lte": self.seq}}}
        found: list[tuple[str, int]] = []
        while self.seq:
            asked = {"size": 0, "query": shown, "aggs": {"all": {"composite": every}}}
            told = self._search([asked])[0]["aggregations"]["all"]
            found += [(b["key"]["of"], b["doc_count"]) for b in told["buckets"]]
            if len(told["buckets"]) < _PAGE:
                break
            every = every | {"after": told["after_key"]}
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def label(self, column: str, term: str) -> str:
        known = self._labels.get((column, term))
        if known is None:
            asked = {"size": 1, "query": _any_of(column, [term]), "_source": ["record"]}
            hits = self._search([asked])[0]["hits"]["hits"] if self.seq else []
            known = label(self._kind, column, term, _record(hits[0])) if hits else term
            self._labels[(column, term)] = known
        return known

    def search(self, plan: Plan) -> Answer:
        if not self.seq or not all(w.readings for w in plan.words):
            return nothing(plan)
        lacked = [f.name for f in plan.filters] if plan.lacking else []
        own = {f.column: f.name for f in plan.filters if isinstance(f, Terms) and f.column in plan.facets}
        together = [name for name in plan.facets if name not in own]
        asked = [self._hits(plan) | {"aggs": self._aggregations(together, plan)}]
        asked += [
            _counting(self._query(plan, without=own[name])) | {"aggs": self._aggregations([name], plan)}
            for name in own
        ]
        asked += [_counting(self._query(plan, lacking=name)) for name in lacked]
        answers = self._search(asked)
        total, hits = answers[0]["hits"]["total"], answers[0]["hits"]["hits"]
        facets: dict[str, Counted] = {}
        for names, answer in zip([together, *([n] for n in own)], answers, strict=False):
            facets |= {name: _counted(answer["aggregations"], name) for name in names}
        counts = [a["hits"]["total"]["value"] for a in answers[len(answers) - len(lacked) :]]
        return Answer(
            total=total["value"],
            exact=total["relation"] == "eq",
            hits=[_found(plan, hit) for hit in hits],
            facets={name: facets[name] for name in plan.facets},
            lacking=dict(zip(lacked, counts, strict=True)),
            read=lambda positions: [_record(hits[i]) for i in positions],
            explain=lambda position: self._explain(plan, hits[position]["_id"]),
            pays=lambda positions: [_pay(hits[i]) for i in positions],
        )

    def _search(self, asked: list[_Json]) -> list[_Json]:
        """Several searches in one request."""
        lines = [part for one in asked for part in (b"{}", msgspec.json.encode(one))]
        answers: list[_Json] = self._owner.ask("POST", f"{self._path}/_msearch", b"\n".join([*lines, b""]))[
            "responses"
        ]
        for answer in answers:
            if "error" in answer:
                raise OSError(f"{self._owner.name} cannot be searched: {answer['error']['reason']}")
        return answers

    # queries

    def _hits(self, plan: Plan) -> _Json:
        newest = {"date": {"order": "desc", "unmapped_type": "long"}}
        order: list[Any]
        if plan.sort == "distance":
            near = next(f for f in plan.filters if isinstance(f, Near))
            at = {"lat": near.lat, "lon": near.lon}
            order = [{"_geo_distance": {"is_point": at, "unit": "km", "mode": "min"}}, newest]
        elif _by_score(plan):
            order = ["_score", newest]
        elif plan.sort == "pay":
            order = [{"pay": {"order": "desc", "unmapped_type": "long"}}]
        else:
            order = [newest]
        deep = plan.offset >= DEEPEST
        return {
            "query": self._query(plan),
            "from": 0 if deep else plan.offset,
            "size": 0 if deep else min(plan.limit, DEEPEST - plan.offset),
            "sort": order,
            "track_total_hits": True if plan.facets else DEEPEST,
            "_source": ["record"],
            "docvalue_fields": ["pay", "top"] if self._shape.has_pay else [],
        }

    def _query(self, plan: Plan, *, without: str = "", lacking: str = "") -> _Json:
        """The plan as one query; `without` this filter, or with those that lack a value for it."""
        held = [
            _any_of("lacks", [lacking]) if f.name == lacking else _filter(f)
            for f in plan.filters
            if f.name != without
        ]
        upto = self.seq if plan.upto is None else min(self.seq, plan.upto)
        return {
            "bool": {
                "must": [_word(w) for w in plan.words],
                "must_not": [_word(w) for w in plan.without if w.readings],
                "filter": [*held, {"range": {"seq": {"gt": plan.above, "lte": upto}}}],
            }
        }

    def _aggregations(self, names: Sequence[str], plan: Plan) -> _Json:
        asked: _Json = {}
        for name in names:
            field = self._kind.fields.get(name)
            most = max(plan.facet_size, len(field.values) if field else 0) + 1
            asked[name] = {"terms": {"field": "is_" + name, "size": most}}
            asked["no " + name] = {"missing": {"field": "is_" + name}}
        return asked

    def _explain(self, plan: Plan, id_: str) -> list[Contribution]:
        """What each reading added: one search for the hit alone, with every reading by its name."""
        readings = [r for word in plan.words for r in word.readings]
        named = [{"bool": {"must": [_reading(r)], "_name": str(n)}} for n, r in enumerate(readings)]
        asked = {"query": {"bool": {"filter": {"ids": {"values": [id_]}}, "should": named}}, "_source": False}
        found = self._owner.ask("POST", f"{self._path}/_search", asked, include_named_queries_score=True)
        hits = found["hits"]["hits"]
        scores = hits[0].get("matched_queries", {}) if hits else {}
        return [Contribution(r.tokens, scores[str(n)]) for n, r in enumerate(readings) if str(n) in scores]


def _by_score(plan: Plan) -> bool:
    return plan.sort == "relevance" and bool(plan.words)


def _counting(query: _Json) -> _Json:
    return {"size": 0, "track_total_hits": True, "query": query}


def _word(word: Word) -> _Json:
    if len(word.readings) == 1:
        return _reading(word.readings[0])
    return {"bool": {"should": [_reading(r) for r in word.readings]}}


def _reading(reading: Reading) -> _Json:
    if len(reading.tokens) == 1:
        return {"term": {"all": {"value": reading.tokens[0], "boost": reading.boost}}}
    return {"match_phrase": {"all": {"query": " ".join(reading.tokens), "boost": reading.boost}}}


def _any_of(column: str, values: Sequence[str]) -> _Json:
    return {"terms": {"is_" + column: list(values)}}


def _filter(one: Filter) -> _Json:
    passing = list(_passing(one))
    if one.or_lacking:
        passing.append(_any_of("lacks", [one.name]))
    return passing[0] if len(passing) == 1 else {"bool": {"should": passing}}


def _passing(one: Filter) -> Iterator[_Json]:
    if isinstance(one, Terms):
        yield _any_of(one.column, one.values)
        for prefix in one.prefixes:
            yield {"prefix": {"is_" + one.column: prefix}}
    elif isinstance(one, AtLeast):
        low = max(one.low << TIE_BITS, 1 << TIE_BITS) if one.column == "date" else max(one.low, 0)
        yield {"range": {one.column: {"gte": min(low, _MOST)}}}
    else:
        at = {"lat": one.lat, "lon": one.lon}
        yield {"geo_distance": {"distance": f"{one.km}km", "is_point": at, "ignore_unmapped": True}}


# what comes back


def _found(plan: Plan, hit: _Json) -> Found:
    first, date = hit["sort"][0], hit["sort"][-1] or 0
    if _by_score(plan):
        return float(first), date
    if plan.sort == "distance":
        return -float(first), date  # "Infinity" for those without a place
    return float(date >> TIE_BITS), date & _TIE


def _record(hit: _Json) -> bytes:
    record: str = hit["_source"]["record"]
    return record.encode()


def _pay(hit: _Json) -> tuple[int, int] | None:
    fields = hit.get("fields", {})
    return (fields["pay"][0] >> TIE_BITS, fields["top"][0]) if "top" in fields else None


def _counted(found: _Json, name: str) -> Counted:
    return Counted(
        values=tuple((b["key"], b["doc_count"]) for b in found[name]["buckets"]),
        missing=found["no " + name]["doc_count"],
        exact=not found[name]["sum_other_doc_count"],
    )
