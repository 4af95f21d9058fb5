"""JSON-LD to the one N-Quads text that was signed (JSON-LD 1.1; RDF Dataset Canonicalization, RDFC-1.0).

Contexts come from the package or from the operator's own folder, never from a network: the term to IRI facts of
the published ones stand in `data/contexts`, in a form of ours. Expansion is PyLD's; what it would drop in silence
is refused here, because a word that does not reach the N-Quads is a word nobody signed.
"""

import hashlib
import itertools
import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from pyld import jsonld
from pyld.context_resolver import ContextResolver

from landbridge.errors import CredentialError
from landbridge.prove import canonical

MAX_OBJECTS = 5_000
MAX_CONTEXTS = 500
MAX_WORK = 4_000_000
"""Steps that naming blank nodes may take, about a second: a credential takes some hundreds."""

_LOG = logging.getLogger(__name__)
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE, _FIRST, _REST, _NIL = (f"{_RDF}{name}" for name in ("type", "first", "rest", "nil"))
_JSON = f"{_RDF}JSON"
# A space is no part of an IRI, yet real certificates sign subjects such as `did:Voter ID:…`. Written between < and
# > it stays unambiguous, which a bracket, a quote, a backslash or a line end would not.
_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x1f<>"\\\x7f]*')
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_KEYWORD = re.compile(r"@[A-Za-z]+")
# What is escaped in a literal (RDFC-1.0, section 5.1; RDF 1.2 N-Quads, canonical form).
_ESCAPE = re.compile(r'[\x00-\x1f\x7f"\\]')
_ESCAPES = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r", '"': r"\"", "\\": r"\\"}


class UnknownContext(CredentialError):
    """A context that is neither bundled nor given: `url` names it. What is signed cannot be known: open, not no."""

    step = "decode"

    def __init__(self, url: str) -> None:
        shown = url[:200]
        super().__init__(
            f"the JSON-LD context {shown!r} is not known here, and nothing is fetched",
            code="unknown-context",
            hint=f"put a copy of {shown} that you trust into your folder of contexts, and verify again",
        )
        self.url = shown


class LinkedDataRefused(CredentialError):
    """A document whose meaning as linked data is broken or hidden; `code` says how."""

    step = "decode"


class DroppedTerm(LinkedDataRefused):
    """Something in the document never reaches what was signed: an undefined term, a relative name, a direction."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: it would be left out of what is signed",
            code="dropped-term",
            hint="ask the issuer for a credential in which every word is defined by its contexts",
        )


class DisguisedTerm(LinkedDataRefused):
    """The same signed graph written in words that read differently."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: a reader could be shown something else than was signed", code="disguised-term"
        )


class ExchangeableTerms(DisguisedTerm):
    """Several words of one object stand for the same IRI: their values can be exchanged under one signature.

    DIVOC's certificates are so made: a batch and a vaccine are both `schema:id`, three dates are `schema:date`.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        self.terms = tuple(sorted(terms))
        LinkedDataRefused.__init__(
            self,
            f"{', '.join(self.terms)[:300]} say the same thing to whoever signs: "
            "their values could be exchanged without breaking the signature",
            code="exchangeable-terms",
        )


class Poisoned(LinkedDataRefused):
    """More work than any real credential needs."""

    def __init__(self, what: str) -> None:
        super().__init__(what, code="too-much-work")


class Canonical(msgspec.Struct, frozen=True):
    """A dataset in its one order."""

    lines: tuple[str, ...]
    """N-Quads statements, each with its line end, sorted by code point."""
    labels: dict[str, str]
    """The blank nodes of the dataset that went in → their canonical names, such as `_:c14n0`."""

    def text(self) -> bytes:
        return "".join(self.lines).encode()


class Quad(msgspec.Struct, frozen=True):
    """One statement. Subject, object and graph are IRIs or blank nodes (`_:…`); a literal is `(text, suffix)`."""

    subject: str
    predicate: str
    object: str | tuple[str, str]
    graph: str


def canonical_text(
    document: dict[str, Any],
    *,
    contexts: Mapping[str, bytes] | None = None,
    digest: str = "sha256",
    unsafe_exchangeable: bool = False,
) -> bytes:
    """The canonical N-Quads of a JSON-LD document, as UTF-8.

    `contexts` are the operator's own, URL → JSON-LD; `digest` is the hash inside RDFC-1.0. Whoever says
    `unsafe_exchangeable` must believe no value of the words that `exchangeable` names.
    Raises UnknownContext, DroppedTerm, DisguisedTerm, ExchangeableTerms, Poisoned, LinkedDataRefused,
    canonical.NotCanonical.
    """
    found = statements(document, contexts=contexts, unsafe_exchangeable=unsafe_exchangeable)
    return canonicalise(found, digest=digest).text()


def exchangeable(document: dict[str, Any], *, contexts: Mapping[str, bytes] | None = None) -> frozenset[str]:
    """The words of a document that its contexts give one meaning with others. Raises as canonical_text does."""
    return frozenset(_read(document, contexts)[1])


def statements(
    document: dict[str, Any],
    *,
    contexts: Mapping[str, bytes] | None = None,
    unsafe_exchangeable: bool = False,
) -> list[Quad]:
    """Every statement of a JSON-LD document, in no order. Raises as canonical_text does."""
    found, exchanged = _read(document, contexts)
    if exchanged and not unsafe_exchangeable:
        raise ExchangeableTerms(exchanged)
    if exchanged:
        _LOG.warning("read although these words can be exchanged: %s", ", ".join(sorted(exchanged)))
    if not found:
        raise DroppedTerm("the whole document says nothing")
    return found


def _read(document: dict[str, Any], contexts: Mapping[str, bytes] | None) -> tuple[list[Quad], set[str]]:
    """The statements, expanded in safe mode (JSON-LD 1.1 API, section 5.1), and the words that share their IRI."""
    canonical.measure(document)
    loader = _Loader(contexts or {})
    processor = _Processor()
    options = {
        # None, not "": PyLD would complete relative names with an address of its own.
        "base": None,
        "documentLoader": loader,
        # A resolver of its own, so that no other call sees this one's contexts.
        "contextResolver": ContextResolver({}, loader),
        "processingMode": "json-ld-1.1",
        "isFrame": False,
        "keepFreeFloatingNodes": False,
    }
    try:
        _refuse_disguises(document, processor, options)
        return list(_Reader().read(processor.expand(document, options))), processor.exchanged
    except CredentialError:
        raise
    except RecursionError:
        raise Poisoned("this document is nested too deep") from None
    except Exception as wrong:
        raise _named(wrong) from None


class _Processor(jsonld.JsonLdProcessor):  # type: ignore[misc]
    """PyLD's processor, asked at every object which of its words mean the same."""

    def __init__(self) -> None:
        super().__init__(on_property_dropped=_refuse_dropped)
        self.exchanged: set[str] = set()
        self.words: dict[str, dict[str, int]] = {}

    def _expand_object(
        self, active: Any, active_property: Any, expanded: Any, element: Any, *rest: Any, **more: Any
    ) -> Any:
        counted = self.words.get(active["_uuid"])
        if counted is None:
            counted = self.words[active["_uuid"]] = {}
            for term, mapping in active["mappings"].items():
                # Words with a capital are classes, which a key never is.
                if mapping and mapping["@id"] and not term[:1].isupper():
                    counted[mapping["@id"]] = counted.get(mapping["@id"], 0) + 1
        for name in element:
            mapping = active["mappings"].get(name)
            if not mapping or counted.get(mapping["@id"], 0) < 2:
                continue
            if mapping["@id"].startswith("@"):
                if name not in ("id", "type"):
                    raise DisguisedTerm(f"{name[:80]!r} is another word for {mapping['@id']}")
            else:
                self.exchanged.add(name)
        return super()._expand_object(active, active_property, expanded, element, *rest, **more)


def bundled() -> tuple[str, ...]:
    """The URLs of the contexts that come with the package."""
    return tuple(sorted(_files()))


def bundled_context(url: str) -> dict[str, Any]:
    """One bundled context as JSON-LD. Raises UnknownContext."""
    if url not in _files():
        raise UnknownContext(url)
    return _bundled(url)


def _named(wrong: Exception) -> CredentialError:
    cause: BaseException | None = wrong
    for _ in range(12):
        if isinstance(cause, CredentialError):
            return cause
        if cause is None:
            break
        cause = cause.__cause__
    code = getattr(wrong, "code", None)
    # The texts of the library quote the document; its codes do not.
    what = code if isinstance(code, str) else type(wrong).__name__
    return LinkedDataRefused(f"this is not JSON-LD that can be expanded ({what})", code="json-ld")


def _refuse_dropped(name: str | None) -> None:
    raise DroppedTerm(f"the term {name[:80]!r} is not defined" if name else "a term is not defined")


# --- contexts -----------------------------------------------------------------------------------------------


class _Loader:
    """The document loader: what is bundled, then what the operator gave, then a refusal."""

    def __init__(self, given: Mapping[str, bytes]) -> None:
        self.given = given

    def __call__(self, url: str, options: dict[str, Any]) -> dict[str, Any]:
        if url in _files():
            document = _bundled(url)
        elif url in self.given:
            document = canonical.read(self.given[url])
            _refuse_reserved(document)
        else:
            raise UnknownContext(url)
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": document,
            "tag": "static",
        }


@cache
def _files() -> dict[str, str]:
    """URL → file name, for every bundled context."""
    found = {}
    for file in resources.files("landbridge.prove").joinpath("data", "contexts").iterdir():
        if file.name.endswith(".tsv"):
            for line in file.read_text("utf-8").splitlines():
                if not line.startswith("url\t"):
                    break
                found[line[4:]] = file.name
    return found


@cache
def _bundled(url: str) -> dict[str, Any]:
    text = resources.files("landbridge.prove").joinpath("data", "contexts", _files()[url]).read_text("utf-8")
    return {"@context": parse_context(text)}


def parse_context(text: str) -> Any:
    """A context out of our own form (see data/contexts/README.md), as JSON-LD's."""
    short: dict[str, str] = {}

    def full(cell: str) -> str:
        if not cell.startswith("{"):
            return cell
        name, rest = cell[1:].split("}", 1)
        return short[name] + rest

    head, _, body = text.partition("\n\n")
    for line in head.splitlines():
        kind, *cells = line.split("\t")
        if kind == "let":
            short[cells[0]] = cells[1]
    parts: list[Any] = []
    levels: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    for line in body.splitlines():
        term, *cells = line.lstrip("\t").split("\t")
        depth = len(line) - len(line.lstrip("\t"))
        if term == "@also":
            parts.append(cells[0])
            levels = []
            continue
        if not levels:
            levels = [{}]
            parts.append(levels[0])
        if depth == len(levels):
            levels.append(last.setdefault("@context", {}))
        del levels[depth + 1 :]
        if term.startswith("@"):
            levels[depth][term] = {"true": True, "1.1": 1.1}.get(cells[0]) or full(cells[0])
        elif len(cells) == 1:
            levels[depth][term] = full(cells[0])
        else:
            last = levels[depth][term] = _definition([full(cell) for cell in cells])
    return parts[0] if len(parts) == 1 else parts


def _definition(cells: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: cell for key, cell in zip(("@id", "@type", "@container"), cells, strict=False) if cell != "-"
    }
    if len(cells) > 3:
        found["@context"] = {} if cells[3] == "{}" else None
    return found


def _refuse_reserved(value: Any) -> None:
    """Refuses words that look like keywords and are none: a processor ignores them with a warning."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            for name, below in one.items():
                if _KEYWORD.fullmatch(name) and name not in jsonld.KEYWORDS:
                    raise DroppedTerm(f"{name[:40]!r} is a reserved word")
                stack.append(below)
        elif isinstance(one, list):
            stack.extend(one)
        elif isinstance(one, str) and _KEYWORD.fullmatch(one) and one not in jsonld.KEYWORDS:
            raise DroppedTerm(f"{one[:40]!r} is a reserved word")


# --- the same graph in other words (VC Data Integrity 1.0, section 2.4.1) -----------------------------------

# The words that decide whether a credential holds: none of them may be written so that a reader of the JSON misses
# it, or takes another for it.
_CONTROL = (
    "https://www.w3.org/2018/credentials#",
    "https://www.w3.org/ns/credentials/status#",
    "https://w3id.org/security#",
)
_INLINE_SETTINGS = frozenset({"@version", "@vocab", "@protected", "@language"})
_PLAIN_KEYWORDS = frozenset({"@context", "@value", "@type", "@language"})


@cache
def _known() -> dict[str, frozenset[str]]:
    """Every term a bundled context defines, at any level → the IRIs it stands for."""
    found: dict[str, set[str]] = {}

    def walk(part: Any, above: dict[str, str]) -> None:
        if isinstance(part, list):
            for one in part:
                walk(one, above)
        if not isinstance(part, dict):
            return
        short = above | {term: one for term, one in part.items() if isinstance(one, str)}
        for term, one in part.items():
            iri = one.get("@id", "") if isinstance(one, dict) else one
            if not term.startswith("@") and isinstance(iri, str):
                prefix, colon, rest = iri.partition(":")
                found.setdefault(term, set()).add(short[prefix] + rest if colon and prefix in short else iri)
                if isinstance(one, dict):
                    walk(one.get("@context"), short)

    for name in {name: url for url, name in _files().items()}.values():
        walk(_bundled(name)["@context"], {})
    return {term: frozenset(iris) for term, iris in found.items()}


@cache
def _control_words() -> frozenset[str]:
    return frozenset(
        re.split(r"[#/:]", iri)[-1] for iris in _known().values() for iri in iris if iri.startswith(_CONTROL)
    )


def _refuse_disguises(document: dict[str, Any], processor: Any, options: dict[str, Any]) -> None:
    """Holds the JSON to the words of its contexts.

    1. contexts written into the document add words of their own, and never give a known word another meaning
    2. no key is an IRI, or a prefixed name, of what decides whether a credential holds
    3. of the keywords, only those that say what a value is
    4. no list inside a list, and no second description of the document itself further down
    """
    empty = processor.process_context(None, None, options)
    if "@context" not in document:
        raise DroppedTerm("there is no @context")
    _refuse_reserved(_without_values(document))
    objects = contexts = 0
    stack: list[tuple[dict[str, Any], Any]] = [(document, empty)]
    while stack:
        node, active = stack.pop()
        objects += 1
        if "@context" in node:
            contexts += 1
            # Contexts that begin with a URL stand by themselves, as those of a credential inside a presentation do.
            local = node["@context"]
            begins = local[0] if isinstance(local, list) and local else local
            active = _enter(local, empty if isinstance(begins, str) else active, processor, options)
        if objects > MAX_OBJECTS or contexts > MAX_CONTEXTS:
            raise Poisoned("this document holds more objects or contexts than a credential")
        if node is not document and len(node) > 1 and "id" in document and node.get("id") == document["id"]:
            raise DisguisedTerm("the document is described a second time inside itself")
        for name, value in node.items():
            _check_key(name, node, active)
            if name == "@context" or _is_json(name, active):
                continue
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    stack.append((one, active))
                elif isinstance(one, list):
                    raise DisguisedTerm(f"{name[:80]!r} holds a list inside a list")


def _without_values(document: dict[str, Any]) -> Any:
    # Only names and contexts can be reserved words; a value such as "@home" is text.
    def names(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: one if name == "@context" else names(one) for name, one in value.items()}
        return [names(one) for one in value] if isinstance(value, list) else None

    return names(document)


def _is_json(name: str, active: Any) -> bool:
    if name == "@value":
        return True
    mapping = active["mappings"].get(name)
    return bool(mapping) and mapping.get("@type") == "@json"


def _check_key(name: str, node: dict[str, Any], active: Any) -> None:
    if name.startswith("@"):
        if name not in _PLAIN_KEYWORDS or (name in ("@type", "@language") and "@value" not in node):
            raise DisguisedTerm(f"the keyword {name[:20]} in the place of a word")
        return
    prefix, colon, rest = name.partition(":")
    if not colon:
        return
    mapping = active["mappings"].get(prefix)
    iri = str(mapping["@id"]) + rest if mapping and not rest.startswith("//") else name
    hidden = re.split(r"[#/:]", iri)[-1] in _control_words() and not (mapping or rest.startswith("//"))
    if hidden or iri.startswith(_CONTROL):
        raise DisguisedTerm(f"{name[:80]!r} is not written as the word it stands for")


def _enter(local: Any, active: Any, processor: Any, options: dict[str, Any]) -> Any:
    """The active context after `local`, one part at a time, each inline part checked."""
    for part in local if isinstance(local, list) else [local]:
        if part is not None and not isinstance(part, str | dict):
            raise LinkedDataRefused("a context is neither a URL nor an object", code="json-ld")
        if part is None:
            raise DisguisedTerm("a context takes back the contexts before it")
        active = processor.process_context(active, part, options)
        if isinstance(part, dict):
            _check_inline(part, active, processor, options, 0)
    return active


def _check_inline(
    part: dict[str, Any], active: Any, processor: Any, options: dict[str, Any], depth: int
) -> None:
    if depth > 8:
        raise Poisoned("contexts are nested too deep")
    for term, definition in part.items():
        if term.startswith("@"):
            if term not in _INLINE_SETTINGS or (
                term == "@vocab" and not str(definition).endswith(("#", "/", ":"))
            ):
                raise DisguisedTerm(f"a context in the document sets {term[:20]}")
            continue
        mapping = active["mappings"].get(term)
        iri = mapping["@id"] if mapping else None
        _check_meaning(term, iri)
        if isinstance(definition, dict):
            if "@reverse" in definition or "@nest" in definition or "@index" in definition:
                raise DisguisedTerm(f"a context in the document turns {term[:80]!r} round")
            scoped = definition.get("@context")
            if scoped is not None or "@context" in definition:
                for one in scoped if isinstance(scoped, list) else [scoped]:
                    if not isinstance(one, dict):
                        raise DisguisedTerm(f"{term[:80]!r} brings contexts of its own")
                    inner = processor._process_context(
                        active, one, options, propagate=True, override_protected=True
                    )
                    _check_inline(one, inner, processor, options, depth + 1)


def _check_meaning(term: str, iri: str | None) -> None:
    """A word of an inline context: as the bundled contexts have it, or the last part of its own address.

    Whoever holds the credential can rewrite such a context; so bound, a word cannot be given another's value.
    """
    known = _known().get(term, frozenset())
    if iri in known:
        return
    if iri is not None and not iri.startswith(("@", "_:")):
        last = re.split(r"[#/:?=]", iri)[-1]
        if last == term and not iri.startswith(_CONTROL):
            return
        if last == "" and not known:
            return  # a prefix
    raise DisguisedTerm(f"a context in the document gives {term[:80]!r} a meaning of its own")


# --- from the expanded form to statements (JSON-LD 1.1 API, section 8) --------------------------------------


class _Reader:
    """Statements out of expanded nodes. What is refused is named by its property: its value may be personal."""

    def __init__(self) -> None:
        self.fresh = itertools.count()

    def read(self, expanded: list[Any]) -> set[Quad]:
        found: set[Quad] = set()
        for node in expanded:
            self.node(node, "", found, "the document")
        return found

    def node(self, node: dict[str, Any], graph: str, found: set[Quad], where: str) -> str:
        subject = _resource(node["@id"], where) if "@id" in node else self.blank()
        for name, value in node.items():
            if name == "@id":
                continue
            if name == "@type":
                found.update(
                    Quad(subject, _TYPE, _resource(one, f"the type {one!r}"), graph) for one in value
                )
            elif name == "@graph":
                for one in value:
                    self.node(one, subject, found, where)
            elif name == "@included":
                for one in value:
                    self.node(one, graph, found, where)
            elif name == "@reverse":
                for predicate, nodes in value.items():
                    for one in nodes:
                        other = self.node(one, graph, found, predicate)
                        found.add(Quad(other, _predicate(predicate), subject, graph))
            elif name.startswith("@"):
                raise DroppedTerm(f"{name} of {where[:120]} says something that no statement can carry")
            else:
                for one in value:
                    found.add(Quad(subject, _predicate(name), self.object(one, graph, found, name), graph))
        return subject

    def object(self, item: dict[str, Any], graph: str, found: set[Quad], where: str) -> str | tuple[str, str]:
        if "@value" in item:
            return _literal(item, where)
        if "@list" not in item:
            return self.node(item, graph, found, where)
        if len(item) > 1:
            raise DroppedTerm(f"the list {where[:120]} has an index")
        links = [self.blank() for _ in item["@list"]]
        if not links:
            return _NIL
        for one, link, rest in zip(item["@list"], links, [*links[1:], _NIL], strict=True):
            found.add(Quad(link, _FIRST, self.object(one, graph, found, where), graph))
            found.add(Quad(link, _REST, rest, graph))
        return links[0]

    def blank(self) -> str:
        # `.` for ours, `=` for the document's own (see _resource): they never meet.
        return f"_:.{next(self.fresh)}"


def _resource(name: Any, where: str) -> str:
    if isinstance(name, str) and name.startswith("_:"):
        return f"_:={name[2:]}"
    return _iri(name, where)


def _predicate(name: str) -> str:
    if name.startswith("_:"):
        raise DroppedTerm("a property without an address")
    return _iri(name, name)


def _iri(name: Any, where: str) -> str:
    if not isinstance(name, str) or not _IRI.fullmatch(name):
        raise DroppedTerm(f"{where[:120]} is, or points at, a name that is relative or broken")
    return name


def _literal(item: dict[str, Any], where: str) -> tuple[str, str]:
    """A value as (lexical text, what follows the quotes)."""
    if item.keys() - {"@value", "@type", "@language"}:
        raise DroppedTerm(f"a value of {where[:120]} has a direction or an index")
    value, kind = item["@value"], item.get("@type")
    if kind == "@json":
        return canonical.canonicalise(value).decode(), f"^^<{_JSON}>"
    if "@language" in item:
        language = item["@language"]
        if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
            raise DroppedTerm(f"a value of {where[:120]} is in a language that has no such code")
        return str(value), f"@{language}"
    text, native = _lexical(value, double=kind == f"{_XSD}double")
    kind = kind or native
    return text, "" if kind == f"{_XSD}string" else f"^^<{_iri(kind, where)}>"


def _lexical(value: Any, *, double: bool) -> tuple[str, str]:
    """A native value's text and type, as JavaScript's one kind of number has them (JSON-LD 1.1 API, section 8.6)."""
    if isinstance(value, bool):
        return ("true" if value else "false"), f"{_XSD}boolean"
    if isinstance(value, str):
        if not double:
            return value, f"{_XSD}string"
        try:
            value = float(value)
        except ValueError:
            return value, f"{_XSD}double"
    number = canonical.exact(value)
    if isinstance(number, int) and abs(number) < 10**21 and not double:
        return str(int(float(number))), f"{_XSD}integer"
    if not math.isfinite(number):
        return str(value), f"{_XSD}double"
    mantissa, exponent = f"{float(number):.15E}".split("E")
    whole, _, part = mantissa.partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}E{int(exponent)}", f"{_XSD}double"


# --- RDFC-1.0 -----------------------------------------------------------------------------------------------


def canonicalise(quads: Iterable[Quad], *, digest: str = "sha256") -> Canonical:
    """The canonical form of a dataset (RDFC-1.0, section 4). Raises Poisoned after MAX_WORK steps."""
    try:
        return _Canonicaliser(list(quads), digest).run()
    except RecursionError:
        raise Poisoned("the unnamed parts of this document hang together in too long a chain") from None


def renamed(quads: Iterable[Quad], names: Mapping[str, str]) -> tuple[str, ...]:
    """The N-Quads of a dataset under other names for its blank nodes, sorted. Raises KeyError for one without."""
    return tuple(sorted(_line(quad, names.__getitem__) for quad in quads))


class _Issuer:
    """Names in the order they are asked for."""

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued = dict(issued or {})

    def issue(self, label: str) -> str:
        return self.issued.setdefault(label, f"{self.prefix}{len(self.issued)}")

    def copy(self) -> "_Issuer":
        return _Issuer(self.prefix, self.issued)


class _Canonicaliser:
    def __init__(self, quads: list[Quad], digest: str) -> None:
        self.quads = quads
        self.hash: Callable[[bytes], Any] = getattr(hashlib, digest)
        self.names = _Issuer("_:c14n")
        self.of: dict[str, list[Quad]] = {}
        self.first: dict[str, str] = {}
        self.work = 0
        for quad in quads:
            for label in dict.fromkeys(_blanks(quad)):
                self.of.setdefault(label, []).append(quad)

    def run(self) -> Canonical:
        alike: dict[str, list[str]] = {}
        for label in self.of:
            alike.setdefault(self.first_degree(label), []).append(label)
        for _, labels in sorted(alike.items()):
            if len(labels) == 1:
                self.names.issue(labels[0])
        for _, labels in sorted(alike.items()):
            if len(labels) == 1:
                continue
            paths = []
            for label in labels:
                if label not in self.names.issued:
                    issuer = _Issuer("_:b")
                    issuer.issue(label)
                    paths.append(self.n_degree(label, issuer))
            for _, issuer in sorted(paths, key=lambda path: path[0]):
                for label in issuer.issued:
                    self.names.issue(label)
        lines = sorted(_line(quad, self.names.issued.__getitem__) for quad in self.quads)
        return Canonical(tuple(lines), self.names.issued)

    def spend(self, steps: int) -> None:
        self.work += steps
        if self.work > MAX_WORK:
            raise Poisoned("the unnamed parts of this document are too entangled to be put in order")

    def digest(self, text: str) -> str:
        return str(self.hash(text.encode()).hexdigest())

    def first_degree(self, label: str) -> str:
        if label not in self.first:
            quads = self.of[label]
            self.spend(len(quads))
            lines = sorted(_line(quad, lambda one: "_:a" if one == label else "_:z") for quad in quads)
            self.first[label] = self.digest("".join(lines))
        return self.first[label]

    def related(self, label: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        self.spend(1)
        name = self.names.issued.get(label) or issuer.issued.get(label) or self.first_degree(label)
        return self.digest(position + (f"<{quad.predicate}>" if position != "g" else "") + name)

    def n_degree(self, label: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        groups: dict[str, list[str]] = {}
        for quad in self.of[label]:
            for position, one in (("s", quad.subject), ("o", quad.object), ("g", quad.graph)):
                if isinstance(one, str) and one.startswith("_:") and one != label:
                    groups.setdefault(self.related(one, quad, issuer, position), []).append(one)
        data = []
        for related, labels in sorted(groups.items()):
            data.append(related)
            chosen, chosen_issuer = "", issuer
            for order in itertools.permutations(labels):
                path, copy = self.path(order, issuer, chosen)
                if path and (not chosen or path < chosen):
                    chosen, chosen_issuer = path, copy
            data.append(chosen)
            issuer = chosen_issuer
        return self.digest("".join(data)), issuer

    def path(self, order: tuple[str, ...], issuer: _Issuer, chosen: str) -> tuple[str, _Issuer]:
        """The path of one order of alike neighbours; empty as soon as it is worse than `chosen`."""
        copy, path, deeper = issuer.copy(), "", []
        self.spend(len(order) + len(copy.issued))
        for one in order:
            if one in self.names.issued:
                path += self.names.issued[one]
            else:
                if one not in copy.issued:
                    deeper.append(one)
                path += copy.issue(one)
            if chosen and len(path) >= len(chosen) and path > chosen:
                return "", copy
        for one in deeper:
            digest, beyond = self.n_degree(one, copy)
            path += f"{copy.issue(one)}<{digest}>"
            copy = beyond
            if chosen and len(path) >= len(chosen) and path > chosen:
                return "", copy
        return path, copy


def _blanks(quad: Quad) -> Iterator[str]:
    for one in (quad.subject, quad.object, quad.graph):
        if isinstance(one, str) and one.startswith("_:"):
            yield one


def _line(quad: Quad, name: Callable[[str], str]) -> str:
    """One statement in canonical N-Quads, its blank nodes named by `name`."""

    def written(one: str) -> str:
        return name(one) if one.startswith("_:") else f"<{one}>"

    if isinstance(quad.object, str):
        object_ = written(quad.object)
    else:
        object_ = f'"{_ESCAPE.sub(_escaped, quad.object[0])}"{quad.object[1]}'
    graph = f" {written(quad.graph)}" if quad.graph else ""
    return f"{written(quad.subject)} <{quad.predicate}> {object_}{graph} .\n"


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}"
