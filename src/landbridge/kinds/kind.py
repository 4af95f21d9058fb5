"""A kind says what a record is; it is one TOML file beside this module, and everything else derives from it.

The record's type, its validation, JSON Schema, search fields, facets and filters all come from
`[fields]`. A field has one of the value types of `values.py`; `many = true` makes it a list.
"""

import tomllib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from landbridge.errors import ConfigError
from landbridge.kinds.values import Concept, Day, Money, Party, Period, Place

ValueType = Literal["text", "concept", "place", "money", "date", "period", "party", "code", "url", "number"]
LANGUAGES = [
    "en",
    "ru",
    "kk",
    "ky",
    "be",
    "hy",
    "uz",
    "vi",
    "id",
    "ms",
    "th",
    "km",
    "lo",
    "my",
    "fil",
    "zh",
    "fr",
    "de",
    "es",
    "ar",
]  # of the interface; every label has them all

_PYTHON: dict[str, Any] = {
    "text": str,
    "url": str,
    "code": str,
    "concept": Concept,
    "place": Place,
    "money": Money,
    "party": Party,
    "period": Period,
    "number": int | float,
    "date": Day,
}
StructType: TypeAlias = type[msgspec.Struct]
STRUCTS: dict[str, StructType] = {
    "concept": Concept,
    "place": Place,
    "money": Money,
    "party": Party,
    "period": Period,
}
Words = dict[str, str]  # language → words


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a kind, as its TOML says it."""

    type: ValueType
    label: Words
    name: str = ""
    many: bool = False
    required: bool = False
    search: int = 0  # 0 not searched; otherwise the weight of a word found here
    facet: bool = False
    show: Literal["row", "page", "never"] = "page"
    values: dict[str, Words] = {}  # the closed list of a code, with labels
    vocabulary: Literal["", "occupations", "skills"] = (
        ""  # a concept's: what its words and codes are linked to
    )

    @property
    def struct(self) -> "StructType | None":
        return STRUCTS.get(self.type)


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """What a record is. `title` names the field that names the record.

    Records of a `personal` kind are about a person, if under a pseudonym: they can be sought and read here,
    but leave in no feed, export, site map or list, and what is withdrawn is erased.
    """

    name: str
    title: str
    label: Words
    plural: Words
    fields: dict[str, Field]
    personal: bool = False

    @cached_property
    def struct(self) -> type[msgspec.Struct]:
        """The frozen struct that holds a record's values: absent is None, or () for a list."""
        parts: list[tuple[str, Any, Any]] = []
        for field in self.fields.values():
            python = _PYTHON[field.type]
            if field.values:
                python = Literal[tuple(field.values)]
            if field.many:
                parts.append((field.name, tuple[python, ...], ()))  # type: ignore[valid-type]
            elif field.required:
                parts.append((field.name, python, msgspec.NODEFAULT))
            else:
                parts.append((field.name, python | None, None))
        return msgspec.defstruct(
            self.name.capitalize(),
            [p if p[2] is not msgspec.NODEFAULT else p[:2] for p in parts],
            frozen=True,
            kw_only=True,
            omit_defaults=True,
            forbid_unknown_fields=True,
            module="landbridge.kinds",
        )

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self.struct)

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the values, with each field's English label as its description."""
        schema = msgspec.json.schema(self.struct, ref_template="#/$defs/{name}")
        body = schema["$defs"][self.name.capitalize()]
        for name, field in self.fields.items():
            body["properties"][name]["description"] = field.label["en"]
        return schema

    def searched(self) -> list[Field]:
        return [f for f in self.fields.values() if f.search]

    def facets(self) -> list[Field]:
        return [f for f in self.fields.values() if f.facet]

    @cached_property
    def named(self) -> Field | None:
        """The field that says the record's occupation."""
        return next((f for f in self.fields.values() if f.vocabulary == "occupations"), None)

    @cached_property
    def skilled(self) -> Field | None:
        """The field that lists the record's skills."""
        return next((f for f in self.fields.values() if f.vocabulary == "skills" and f.many), None)

    def of_type(self, type_: ValueType) -> list[Field]:
        return [f for f in self.fields.values() if f.type == type_]

    def first(self, type_: ValueType) -> Field | None:
        """The field that stands for its type in filters (the pay, the places, the date): the first."""
        return next(iter(self.of_type(type_)), None)


def read_kind(path: Path) -> Kind:
    """A kind from its TOML file. Raises ConfigError naming the file and the key."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        for name, field in data.get("fields", {}).items():
            field.setdefault("name", name)
        kind = msgspec.convert({"name": path.stem, **data}, Kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"kind {path.name}: {error}") from error
    title = kind.fields.get(kind.title)
    if title is None or title.type != "text" or not title.required:
        raise ConfigError(f"kind {path.name}: title = {kind.title!r} must name a required text field")
    for field in kind.fields.values():
        if field.values and field.type != "code":
            raise ConfigError(f"kind {path.name}: {field.name} is no code, so it has no values")
        if field.vocabulary and field.type != "concept":
            raise ConfigError(f"kind {path.name}: {field.name} is no concept, so it has no vocabulary")
    return kind


def read_kinds(folders: Iterable[Path] = ()) -> dict[str, Kind]:
    """All kinds: the shipped ones, and those in `folders` (an instance's own)."""
    kinds: dict[str, Kind] = {}
    for folder in (Path(__file__).parent, *folders):
        for path in sorted(folder.glob("*.toml")):
            kind = read_kind(path)
            kinds[kind.name] = kind
    return kinds
