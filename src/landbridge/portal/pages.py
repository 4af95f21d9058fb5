"""The pages: search, answer, record, members, errors.

Every page is whole without JavaScript, and allows none: `default-src 'none'`. All text goes through a template
that escapes it; a link out is made only of an http or https address. English for now.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from importlib import resources
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from landbridge.api.endpoints import readable
from landbridge.api.problems import OURS, TITLES
from landbridge.api.requests import given, guarded
from landbridge.errors import LandbridgeError, UsageError
from landbridge.find.index.document import shape
from landbridge.find.query import default_kind, parse
from landbridge.find.search import Result
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind
from landbridge.portal import words
from landbridge.portal.asked import Asked

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_UNCOUNTED = frozenset({"source", "region", "occupation"})  # long lists, or beside another that says the same
_STYLE = (resources.files("landbridge.portal") / "static" / "landbridge.css").read_bytes()
_STYLE_MARK = blake2b(_STYLE, digest_size=6).hexdigest()


class Pages:
    """The pages of one instance; in a demo each says so."""

    def __init__(self, instance: Instance, *, demo: bool = False) -> None:
        self.instance = instance
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("landbridge.portal"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.filters.update(words.FILTERS)
        self._templates.globals.update(demo=demo, style=f"/static/landbridge.css?{_STYLE_MARK}")

    def routes(self) -> list[Route]:
        by_path = {
            "/": self.start,
            "/find": self.find,
            "/records/{id:path}": self.record,
            "/members": self.members,
        }
        return [
            *(Route(path, guarded(page, self._failed)) for path, page in by_path.items()),
            Route("/static/landbridge.css", _style),
        ]

    async def start(self, request: Request) -> Response:
        asked = Asked(given(request), self.instance.kinds)
        kind = self._kind(asked)
        standings = self.instance.standings(kind.name).values()
        here = [s for s in standings if s.harvested]
        return self._page(
            "start.html",
            **self._form(asked, kind),
            records=sum(s.harvested for s in here),
            of=len(here),
        )

    async def find(self, request: Request) -> Response:
        """The answer; a question that is not understood gets its form again, with what is wrong."""
        asked = Asked(given(request), self.instance.kinds)
        kind = self._kind(asked)
        facets = [f for f in shape(kind).facets if f not in _UNCOUNTED]
        try:
            query = parse({"facets": facets, **asked.params}, self.instance.kinds, rates=self.instance.rates)
            result = self.instance.find(query)
        except LandbridgeError as error:
            if error.status >= 500:
                raise
            at = error.parameter if isinstance(error, UsageError) else ""
            wrong = {"detail": str(error), "hint": error.hint, "parameter": at}
            return self._page("wrong.html", error.status, **self._form(asked, kind), wrong=wrong)
        return self._page(
            "find.html",
            **self._form(asked, kind),
            result=result,
            hits=[words.show_hit(hit, kind, query, self.instance) for hit in result.hits],
            facets=self._facets(result, asked, kind),
            tags=self._tags(asked, kind),
            unknown=[
                (words.filter_label(name, kind), count, asked.link(add={"unknown": name}))
                for name, count in result.unknown.items()
                if count and name not in asked.values("unknown")
            ],
            answering=[m for m in result.members if m.state in {"ok", "stale", "held"}],
            next_page=asked.link(set_={"cursor": result.cursor}) if result.cursor else "",
            first_page=asked.link() if asked.one("cursor") else "",
            broader=[(text, link) for text, link in self._broader(asked, kind) if not result.hits],
        )

    async def record(self, request: Request) -> Response:
        found = self.instance.record(readable(request.path_params["id"]))
        kind = self.instance.kinds[found.kind]
        member = self.instance.members.get(found.member)
        source = member.sources.get(found.source.partition("/")[2]) if member else None
        currency = parse(
            {"currency": given(request).get("currency", [])}, self.instance.kinds, rates=self.instance.rates
        ).currency
        shown = {
            "record": found,
            "title": getattr(found.values, kind.title),
            "member": member.name if member else found.member,
            "source": source.title if source else found.source,
        }
        if found.gone is not None:
            return self._page("gone.html", 410, **shown)
        values = found.values
        original = words.outside(found.provenance.url) or words.outside(words.first_url(values, kind))
        fields = words.show_fields(values, kind, self.instance, currency)
        return self._page(
            "record.html",
            **shown,
            kind=kind,
            licence=source.licence if source else "",
            fields=[
                f for f in fields if original not in {part["link"] for part in f["parts"]} or not original
            ],
            translations=words.show_translations(found, kind),
            original=original,
        )

    async def members(self, _request: Request) -> Response:
        return self._page("members.html", members=self.instance.describe_members(), kinds=self.instance.kinds)

    def error(
        self, status: int, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page that says what is wrong."""
        title = TITLES.get(status, "Error")
        return self._page("error.html", status, headers=headers, title=title, detail=detail, hint=hint)

    def _failed(self, _request: Request, error: LandbridgeError | None) -> Response:
        if error is None:
            return self.error(500, OURS)
        return self.error(error.status, str(error), hint=error.hint)

    def _page(
        self, template: str, status: int = 200, *, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        text = self._templates.get_template(template).render(now=datetime.now(UTC), **values)
        return Response(text, status, {**_HEADERS, **(headers or {})}, "text/html")

    def _kind(self, asked: Asked) -> Kind:
        """What is sought, as far as the form is concerned; `parse` says what is wrong with another word."""
        kinds = self.instance.kinds
        return kinds.get(asked.one("kind")) or kinds[default_kind(kinds)]

    def _form(self, asked: Asked, kind: Kind) -> dict[str, Any]:
        members = self.instance.members.values()
        sharing = [m for m in members if any(s.kind == kind.name for s in m.sources.values())]
        named = {v.lower() for v in asked.values("in")}
        codes = [f for f in kind.fields.values() if f.type == "code" and f.values]
        inside = {"q", "kind", "in", "place", "radius", "pay", "currency", "period", "sort", "since"}
        inside |= {f.name for f in codes}
        first = default_kind(self.instance.kinds)
        return {
            "asked": asked,
            "kind": kind,
            "kinds": [
                (k, asked.link(set_={"kind": k.name}, only=("q", "in", "place", "radius"), path=asked.path()))
                for k in sorted(self.instance.kinds.values(), key=lambda k: k.name != first)
            ],
            "sharing": [(m, bool(named & {m.id, *(c.lower() for c in m.countries)})) for m in sharing],
            "codes": codes,
            "hidden": [(n, v) for n, v in asked.pairs() if n not in inside | {"cursor", "explain"}],
            "open": any(asked.one(n) for n in ("place", "pay", "since", *(f.name for f in codes))),
            "has": {t: kind.first(t) is not None for t in ("place", "money", "date")},
        }

    def _facets(self, result: Result, asked: Asked, kind: Kind) -> list[dict[str, Any]]:
        shown = []
        for facet in result.facets:
            name = "lang" if facet.name == "language" else facet.name
            chosen = [v.casefold() for v in asked.values(name)]
            values = [
                {
                    "label": words.value_label(
                        facet.name, value.key, value.label, kind, self.instance.members
                    ),
                    "count": value.count,
                    "chosen": (on := value.key.casefold() in chosen),
                    "link": asked.link(drop={name: value.key}) if on else asked.link(add={name: value.key}),
                }
                for value in facet.values
            ]
            if values:
                label = words.filter_label(facet.name, kind)
                shown.append(
                    {"label": label, "values": values, "missing": facet.missing, "exact": facet.exact}
                )
        return shown

    def _tags(self, asked: Asked, kind: Kind) -> list[tuple[str, str]]:
        """What narrows the answer, each with the link that takes it away."""
        tags = []
        for name, value in asked.pairs():
            if name in {
                "q",
                "kind",
                "sort",
                "limit",
                "cursor",
                "facets",
                "explain",
                "radius",
                "currency",
                "period",
            }:
                continue
            column = "language" if name == "lang" else name
            label = words.value_label(column, value, value, kind, self.instance.members)
            if name == "pay":
                label = f"{value} {asked.one('currency').upper() or 'EUR'} a {asked.one('period') or 'month'}"
            if name == "place":
                label = f"{value}, {asked.one('radius') or 30} km"
            if name == "unknown":
                label = words.filter_label(value, kind)
            drop = {name: value, **({"radius": asked.one("radius")} if name == "place" else {})}
            tags.append((f"{words.filter_label(name, kind)}: {label}", asked.link(drop=drop)))
        return tags

    def _broader(self, asked: Asked, kind: Kind) -> list[tuple[str, str]]:
        """What may find more, where nothing was found."""
        found = [(f"without {label}", link) for label, link in self._tags(asked, kind)]
        text = asked.one("q").split()
        if len(text) > 1:
            found.append((f"only “{text[0]}”", asked.link(set_={"q": text[0]})))
        return found


async def _style(_request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(_STYLE, 200, headers, "text/css")
