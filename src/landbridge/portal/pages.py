"""The public pages: search, answer, record, members and sources, saved searches, about."""

from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.endpoints import readable
from landbridge.api.requests import given
from landbridge.errors import LandbridgeError, NotFound, UsageError
from landbridge.find.index.document import shape
from landbridge.find.query import Meant, default_kind, parse
from landbridge.find.record import Record
from landbridge.find.search import Result
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind
from landbridge.portal import words
from landbridge.portal.asked import Asked
from landbridge.portal.languages import Reader
from landbridge.portal.linked import block, job_posting
from landbridge.portal.map import country_map, country_table
from landbridge.portal.outlets import offers
from landbridge.portal.rendering import Site

_UNCOUNTED: Final = frozenset({"source", "region"})  # long, or beside another that says the same
_NO_TAG: Final = frozenset(
    {"q", "kind", "sort", "limit", "cursor", "facets", "explain", "literal", "radius", "currency", "period"}
)

_RUNS = 20  # shown of a source
_SIMILAR = 5


class Pages:
    """The public pages of one instance."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.instance: Instance = site.instance

    def routes(self) -> list[Route]:
        return self.site.routes(
            {
                "/": self.start,
                "/find": self.find,
                "/records/{id:path}": self.record,
                "/members": self.members,
                "/members/{member}": self.member,
                "/members/{member}/{source}": self.source,
                "/about": self.about,
            }
        )

    async def start(self, request: Request) -> Response:
        asked = self._asked(request)
        kind = self._kind(asked)
        reader = self.site.reader(request)
        standings = self.instance.standings(kind.name).values()
        here = [s for s in standings if s.harvested]
        unions: dict[str, list[str]] = {}
        for one in self.instance.members.values():
            for code in one.countries:
                unions.setdefault(code, []).append(one.id)
        regions = [
            (words.country(code, self.instance.members, reader), asked.link(set_={"in": ids[0]}))
            for code, ids in sorted(unions.items())
            if any(s.id in ids for s in here)
        ]
        return self.site.page(
            request,
            "start.html",
            **self._form(asked, kind, reader),
            records=sum(s.harvested for s in here),
            of=len(here),
            regions=regions,
        )

    async def find(self, request: Request) -> Response:
        """The answer; a question that is not understood gets its form again, with what is wrong."""
        asked = self._asked(request)
        kind = self._kind(asked)
        reader = self.site.reader(request)
        facets = [f for f in shape(kind).facets if f not in _UNCOUNTED]
        try:
            query = parse({"facets": facets, **asked.params}, self.instance.kinds, rates=self.instance.rates)
            result = self.instance.find(query)
        except LandbridgeError as error:
            if error.status >= 500:
                raise
            return self._wrong(request, error, asked, kind, reader)
        save, feeds = offers(asked.params, kind, reader, asked.prefix)
        return self.site.page(
            request,
            "find.html",
            **self._form(asked, kind, reader),
            result=result,
            states=words.states(reader),
            hits=[
                words.show_hit(hit, kind, query, self.instance, reader, asked.prefix) for hit in result.hits
            ],
            facets=self._facets(result, asked, kind, reader),
            tags=self._tags(asked, kind, reader),
            taken=self._meant(result.place.taken, reader) if result.place else "",
            namesakes=[
                (self._meant(one, reader), asked.link(set_={"place": one.write}))
                for one in (result.place.others if result.place else ())
            ],
            unknown=[
                (words.lacking_label(name, kind, reader), count, asked.link(add={"unknown": name}))
                for name, count in result.unknown.items()
                if count and name not in asked.values("unknown")
            ],
            answering=[m for m in result.members if m.state in {"ok", "stale", "held"}],
            rates_of=self.instance.rates.date(query.currency) if kind.first("money") else None,
            next_page=asked.link(set_={"cursor": result.cursor}) if result.cursor else "",
            first_page=asked.link() if asked.one("cursor") else "",
            broader=[] if result.hits else self._broader(asked, kind, reader),
            save=save,
            feeds=feeds,
            map=self._map(result, asked, kind, reader),
        )

    def _meant(self, one: Meant, reader: Reader) -> str:
        country = words.country(one.country, self.instance.members, reader)
        return ", ".join(dict.fromkeys(p for p in (one.name, one.region, country) if p))

    def _wrong(
        self, request: Request, error: LandbridgeError, asked: Asked, kind: Kind, reader: Reader
    ) -> Response:
        at = error.parameter if isinstance(error, UsageError) else ""
        text = reader.text
        help_ = {
            "pay": text("Write a number, such as 1200."),
            "radius": text("Write a distance in kilometres, such as 50."),
            "place": text("Write a town, such as Almaty or Hanoi."),
            "since": text("Write a day such as 2026-11-01, or 7d for seven days."),
            "currency": text("Write three letters, such as EUR or KZT."),
            "in": text("Choose among the members below."),
            "cursor": text("The answer has moved on. Begin with its first page."),
            "q": text("Write at least one word that is to be there."),
        }
        wrong = {
            "detail": str(error),
            "hint": error.hint,
            "parameter": at,
            "label": words.filter_label(at, kind, reader),
            "value": asked.one(at)[:100],
            "help": help_.get(at, ""),
        }
        return self.site.page(
            request, "wrong.html", error.status, **self._form(asked, kind, reader), wrong=wrong
        )

    async def record(self, request: Request) -> Response:
        found = self.instance.record(readable(request.path_params["id"]))
        kind = self.instance.kinds[found.kind]
        reader = self.site.reader(request)
        member = self.instance.members.get(found.member)
        source = member.sources.get(found.source.partition("/")[2]) if member else None
        currency = parse(
            {"currency": given(request).get("currency", [])}, self.instance.kinds, rates=self.instance.rates
        ).currency
        shown = {
            "record": found,
            "title": getattr(found.values, kind.title),
            "lang": words.tag(found.language),
            "member": member.name if member else found.member,
            "source": source.title if source else found.source,
        }
        if found.gone is not None:
            similar = self._similar(found, kind, self.site.prefix(request))
            return self.site.page(request, "gone.html", 410, **shown, similar=similar)
        values = found.values
        original = words.outside(found.provenance.url) or words.outside(words.first_url(values, kind))
        fields = words.show_fields(values, kind, self.instance, currency, reader)
        posting = job_posting(found, kind, base=self.site.base(request), path=words.record_link(found.id))
        return self.site.page(
            request,
            "record.html",
            **shown,
            kind=kind,
            licence=source.licence if source else "",
            language=reader.language_name(found.language) if shown["lang"] else "",
            fields=[
                f for f in fields if original not in {part["link"] for part in f["parts"]} or not original
            ],
            translations=words.show_translations(found, kind, reader),
            original=original,
            rates_of=self.instance.rates.date(currency) if kind.first("money") else None,
            linked=block(posting) if posting else "",
            similar=self._like(found, self.site.prefix(request)),
            print="print" in given(request).get("view", ()),
        )

    def _like(self, record: Record, prefix: str) -> list[dict[str, str]]:
        """Records that are most like one."""
        members = self.instance.members
        return [
            {
                "link": words.record_link(one.id, prefix=prefix),
                "lang": words.tag(one.language),
                "title": one.title,
                "member": members[one.member].name if one.member in members else one.member,
            }
            for one in self.instance.similar(record, limit=_SIMILAR)
        ]

    def _similar(self, gone: Record, kind: Kind, prefix: str) -> list[dict[str, str]]:
        """Records that share the rarest words of a title that is gone, still there."""
        title = getattr(gone.values, kind.title)
        for text in dict.fromkeys((title, *sorted(title.split(), key=len, reverse=True)[:3])):
            try:
                query = parse(
                    {"q": [text[:200]], "kind": [kind.name], "limit": [str(_SIMILAR)]},
                    self.instance.kinds,
                    rates=self.instance.rates,
                )
                hits = self.instance.find(query, snippets=False).hits
            except LandbridgeError:
                continue
            if hits:
                members = self.instance.members
                return [
                    {
                        "link": words.record_link(hit.id, prefix=prefix),
                        "lang": words.tag(hit.language),
                        "title": "".join(text for text, _ in hit.title),
                        "member": members[hit.member].name if hit.member in members else hit.member,
                    }
                    for hit in hits
                ]
        return []

    async def members(self, request: Request) -> Response:
        reader = self.site.reader(request)
        shown = [
            {
                **one,
                "countries": reader.all_of(
                    [words.country(c, self.instance.members, reader) for c in one["countries"]]
                ),
                "as_of": min((s["as_of"] for s in one["sources"] if s["as_of"]), default=None),
            }
            for one in self.instance.describe_members()
        ]
        return self.site.page(request, "members.html", members=shown)

    def _described(self, id_: str) -> dict[str, Any]:
        found = next((m for m in self.instance.describe_members() if m["id"] == id_), None)
        if found is None:
            raise NotFound(f"no member {id_[:60]!r}", hint="/members lists them")
        return found

    async def member(self, request: Request) -> Response:
        return self.site.page(
            request,
            "member.html",
            member=self._described(request.path_params["member"]),
            kinds=self.instance.kinds,
            runs=words.runs(self.site.reader(request)),
        )

    async def source(self, request: Request) -> Response:
        member = self._described(request.path_params["member"])
        name = f"{member['id']}/{request.path_params['source']}"
        found = next((s for s in member["sources"] if s["id"] == name), None)
        if found is None:
            raise NotFound(f"no source {name[:120]!r}", hint=f"/members/{member['id']} lists them")
        return self.site.page(
            request,
            "source.html",
            member=member,
            source=found,
            kind=self.instance.kinds[found["kind"]],
            runs=words.runs(self.site.reader(request)),
            history=self.instance.runs(name, limit=_RUNS),
        )

    async def about(self, request: Request) -> Response:
        return self.site.page(request, "about.html")

    def _map(self, result: Result, asked: Asked, kind: Kind, reader: Reader) -> Markup:
        """Where the hits are, where several countries have some."""
        countries = next((f for f in result.facets if f.name == "country"), None)
        if countries is None or len(countries.values) < 2 or "country" in asked.params:
            return Markup()
        counts = {v.key: v.count for v in countries.values}

        def link(code: str) -> str:
            return asked.link(add={"country": code})

        return country_map(counts, reader, link) + country_table(counts, reader, link)

    # parts

    def _asked(self, request: Request) -> Asked:
        return Asked(given(request), self.instance.kinds, self.site.prefix(request))

    def _kind(self, asked: Asked) -> Kind:
        """What is sought, as far as the form is concerned; `parse` says what is wrong with another word."""
        kinds = self.instance.kinds
        return kinds.get(asked.one("kind")) or kinds[default_kind(kinds)]

    def _form(self, asked: Asked, kind: Kind, reader: Reader) -> dict[str, Any]:
        members = self.instance.members.values()
        sharing = [m for m in members if any(s.kind == kind.name for s in m.sources.values())]
        named = {v.lower() for v in asked.values("in")}
        codes = [f for f in kind.fields.values() if f.type == "code" and f.values]
        inside = {"q", "kind", "in", "place", "radius", "pay", "currency", "period", "sort", "since"}
        inside |= {f.name for f in codes} | {"unknown"}
        first = default_kind(self.instance.kinds)
        has = {t: kind.first(t) is not None for t in ("place", "money", "date")}
        lacking = {"place": has["place"], "pay": has["money"], "since": has["date"]}
        lacking |= {f.name: True for f in codes} | dict.fromkeys(asked.values("unknown"), True)
        return {
            "asked": asked,
            "kind": kind,
            "kinds": [
                (k, asked.link(set_={"kind": k.name}, only=("q", "in", "place", "radius"), path=asked.path()))
                for k in sorted(self.instance.kinds.values(), key=lambda k: k.name != first)
            ],
            "sharing": [(m, bool(named & {m.id, *(c.lower() for c in m.countries)})) for m in sharing],
            "codes": codes,
            "unknowns": [
                (name, words.lacking_label(name, kind, reader)) for name, there in lacking.items() if there
            ],
            "hidden": [(n, v) for n, v in asked.pairs() if n not in inside | {"cursor", "explain"}],
            "open": any(asked.one(n) for n in ("place", "pay", "since", *(f.name for f in codes))),
            "has": has,
        }

    def _facets(self, result: Result, asked: Asked, kind: Kind, reader: Reader) -> list[dict[str, Any]]:
        shown = []
        for facet in result.facets:
            name = "lang" if facet.name == "language" else facet.name
            chosen = [v.casefold() for v in asked.values(name)]
            values = [
                {
                    "label": words.value_label(
                        facet.name, value.key, value.label, kind, self.instance.members, reader
                    ),
                    "count": value.count,
                    "chosen": (on := value.key.casefold() in chosen),
                    "link": asked.link(drop={name: value.key}) if on else asked.link(add={name: value.key}),
                }
                for value in facet.values
            ]
            if values:
                label = words.filter_label(facet.name, kind, reader)
                shown.append(
                    {"label": label, "values": values, "missing": facet.missing, "exact": facet.exact}
                )
        return shown

    def _tags(self, asked: Asked, kind: Kind, reader: Reader) -> list[tuple[str, str]]:
        """What narrows the answer, each with the link that takes it away."""
        tags = []
        for name, value in asked.pairs():
            if name in _NO_TAG:
                continue
            column = "language" if name == "lang" else name
            label = words.value_label(column, value, value, kind, self.instance.members, reader)
            if name == "pay":
                period = {
                    "hour": reader.text("hour"),
                    "day": reader.text("day"),
                    "week": reader.text("week"),
                    "year": reader.text("year"),
                }.get(asked.one("period"), reader.text("month"))
                label = f"{value} {asked.one('currency').upper() or 'EUR'} / {period}"
            if name == "place":
                label = f"{value}, {asked.one('radius') or 30} km"
            if name == "unknown":
                label = words.lacking_label(value, kind, reader)
            drop = {name: value, **({"radius": asked.one("radius")} if name == "place" else {})}
            tags.append((f"{words.filter_label(name, kind, reader)}: {label}", asked.link(drop=drop)))
        return tags

    def _broader(self, asked: Asked, kind: Kind, reader: Reader) -> list[tuple[str, str]]:
        """What may find more, where nothing was found."""
        found = [
            (reader.text("without {what}", what=label), link)
            for label, link in self._tags(asked, kind, reader)
        ]
        text = asked.one("q").split()
        if len(text) > 1:
            found.append((reader.text("only “{word}”", word=text[0]), asked.link(set_={"q": text[0]})))
        return found
