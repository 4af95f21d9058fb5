"""What a visitor asked, as it stands in the address: read for the form, changed for the links."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

from landbridge.find.query import named, parameters
from landbridge.kinds.kind import Kind


class Asked:
    """The parameters of a page: blank ones left out, lists taken apart. Links forget the page they stand on."""

    def __init__(
        self, params: Mapping[str, Sequence[str]], kinds: Mapping[str, Kind], prefix: str = ""
    ) -> None:
        self.prefix = prefix  # of links: the language, where the address named one
        lists = {p["name"] for p in parameters(kinds) if p["schema"]["type"] == "array"}
        lists -= frozenset().union(*map(named, kinds.values()))
        self.params: dict[str, list[str]] = {}
        for name, values in params.items():
            parts = [p.strip() for v in values for p in (v.split(",") if name in lists else (v,))]
            if kept := list(dict.fromkeys(p for p in parts if p)):
                self.params[name] = kept

    def values(self, name: str) -> list[str]:
        return self.params.get(name, [])

    def one(self, name: str) -> str:
        """The first value, or nothing."""
        return next(iter(self.values(name)), "")

    def pairs(self) -> Iterator[tuple[str, str]]:
        for name, values in self.params.items():
            for value in values:
                yield name, value

    def path(self) -> str:
        """Where a change of the kind leads: to an answer if anything is sought, else to the form."""
        return "/find" if set(self.params) - {"kind"} else "/"

    def link(
        self,
        *,
        add: Mapping[str, str] | None = None,
        drop: Mapping[str, str] | None = None,
        set_: Mapping[str, str] | None = None,
        only: Sequence[str] = (),
        path: str = "/find",
    ) -> str:
        """This question with a value more, a value less, or another value; with `only` these parameters of it."""
        dropped, changed = drop or {}, set_ or {}
        pairs = [
            (name, value)
            for name, value in self.pairs()
            if name != "cursor"
            and name not in changed
            and dropped.get(name) != value
            and (not only or name in only)
        ]
        pairs = [(n, v) for n, v in pairs if n not in dropped or dropped[n].casefold() != v.casefold()]
        return f"{self.prefix}{path}?{urlencode([*pairs, *(add or {}).items(), *changed.items()])}"
