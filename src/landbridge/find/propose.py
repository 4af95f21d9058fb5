"""A source file proposed from rows nobody has described: mapping by names and by values.

Each field of theirs is profiled (how often filled, what its values look like); each of ours looks for the
field whose name means it and whose values can be read as its type. What stays unclear is written into the
file as a line to settle, never guessed away: the proposal runs as it is, and says what it leaves out.
"""

import json
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from landbridge import codes
from landbridge.find import dates, language, pay, places
from landbridge.find.analysis import languages
from landbridge.find.mapping import words
from landbridge.kinds.kind import Field, Kind

SAMPLE = 2_000
_DATA = Path(__file__).parent / "data"
_NAMES: dict[str, dict[str, list[str]]] = tomllib.loads((_DATA / "fields.toml").read_text("utf-8"))
_WORDS: dict[str, dict[str, list[str]]] = tomllib.loads((_DATA / "words.toml").read_text("utf-8"))
_CODE_WORDS_MAX = 60
_URL = re.compile(r"https?://\S+", re.I)
_IMAGE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|ico)(?:[?#]|$)", re.I)
_NUMERIC_DATE = re.compile(r"\s*(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}")
_DIGIT = re.compile(r"\d")
_CONTACT = re.compile(r"^[^@\s]+@[^@\s]+\.\w+$|^\+?[\d\s()-]{9,20}$")


class Column(msgspec.Struct):
    """One field of theirs, over a sample of rows."""

    path: str
    rows: int = 0
    filled: int = 0
    many: bool = False
    lists: int = 0
    values: list[str] = []
    distinct: int = 0

    @property
    def share(self) -> float:
        return self.filled / self.rows if self.rows else 0.0

    @property
    def mean(self) -> float:
        return sum(map(len, self.values)) / len(self.values) if self.values else 0.0


class Choice(msgspec.Struct, frozen=True):
    """A field of ours, the field of theirs it is read from, and how sure that is (0 to 1)."""

    ours: str
    path: str
    score: float
    why: str


class Proposal(msgspec.Struct):
    """A source file and what a person must still decide about it."""

    toml: str
    choices: list[Choice]
    settle: list[str]
    ignored: list[str]


def bare(name: str) -> str:
    """A name without case, accents, digits and separators: "Job_Title2" is "job title"."""
    return _plain(re.sub(r"\d", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)))


def _plain(text: str) -> str:
    """Words without case, Latin accents and separators: "Full_Time" is "full time"."""
    text = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    text = "".join(c for c in text if not (unicodedata.combining(c) and ord(c) < 0x0370))
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text)).split())


_BARE_NAMES = {
    kind: {ours: [bare(n) for n in names] for ours, names in table.items()}
    for kind, table in _NAMES.items()
    if kind != "contacts"
}
_WHOLE = {"text", "name"}  # the part of a struct that its field's own name means
_GONE = {
    "removed",
    "is removed",
    "deleted",
    "is deleted",
    "withdrawn",
    "is withdrawn",
    "gone",
    "удалено",
    "удалена",
}
_CONTACT_NAMES = {bare(n) for n in _NAMES["contacts"]["names"]}
_BARE_WORDS = {
    field: {_plain(w): code for code, theirs in table.items() for w in [code, *theirs]}
    for field, table in _WORDS.items()
}


def profile(rows: Iterable[Mapping[str, Any]]) -> list[Column]:
    """The fields of these rows, nested ones by their path, in the order they first appear."""
    columns: dict[str, Column] = {}
    seen: dict[str, Counter[str]] = {}
    rows = list(rows)
    labelled = _labelled(rows)
    for row in rows:
        leaves = _without_labels(_leaves(row, ""), labelled)
        for path, value, many in leaves:
            column = columns.setdefault(path, Column(path))
            column.many |= many
            text = words(value)
            if text:
                tally = seen.setdefault(path, Counter())
                if not many or not tally or text not in tally:
                    column.values.append(text)
                tally[text] += 1
        for path, times in Counter(p for p, v, _ in leaves if words(v)).items():
            columns[path].filled += 1
            columns[path].lists += times > 1
    for path, column in columns.items():
        column.rows = len(rows)
        column.distinct = len(seen.get(path, ()))
    return list(columns.values())


_Leaf = tuple[str, Any, bool]


def _labelled(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """The paths of pairs whose first word is always the same: ["Salary:", "900 EUR"]."""
    firsts: dict[str, Counter[str]] = {}
    seconds: dict[str, set[str]] = {}
    for row in rows:
        pairs: dict[str, list[str]] = {}
        for path, value, many in _leaves(row, ""):
            if many:
                pairs.setdefault(path, []).append(words(value))
        for path, pair in pairs.items():
            firsts.setdefault(path, Counter())[pair[0] if len(pair) == 2 else ""] += 1
            seconds.setdefault(path, set()).add(pair[-1])
    return {
        path
        for path, tally in firsts.items()
        if (first := tally.most_common(1)[0])[0] and first[1] >= max(5, 0.95 * tally.total())
        if len(seconds[path]) > 2
    }


def _without_labels(leaves: Sequence[_Leaf], labelled: set[str]) -> list[_Leaf]:
    seen: Counter[str] = Counter()
    left: list[_Leaf] = []
    for path, value, many in leaves:
        if path not in labelled:
            left.append((path, value, many))
            continue
        if seen[path]:
            left.append((f"{path}.{seen[path]}", value, False))
        seen[path] += 1
    return left


def _leaves(value: Any, path: str, many: bool = False) -> list[_Leaf]:
    if isinstance(value, dict):
        found = []
        for name, below in value.items():
            step = str(name).replace(".", "\\.")
            found += _leaves(below, f"{path}.{step}" if path else step, many)
        return found
    if isinstance(value, list):
        return [leaf for one in value[:20] for leaf in _leaves(one, path, True)]
    return [(path, value, many)]


def _names(kind: Kind, ours: str) -> list[str]:
    """What registers call a field of ours: its own name and labels, and the words of fields.toml."""
    name, _, part = ours.partition(".")
    table = _BARE_NAMES.get(kind.name, {})
    found = list(table.get(ours, ()))
    if not part or part in _WHOLE:
        found += table.get(name, ())
        field = kind.fields.get(name)
        found += [bare(name), *(bare(word) for word in (field.label.values() if field else ()))]
    return found or _BARE_NAMES["vacancy"].get(ours, [bare(f"{name} {part}")])


def _name_score(kind: Kind, ours: str, path: str) -> float:
    """How well the name of a path means a field of ours, 0 to 1."""
    names = _names(kind, ours)
    steps = [bare(s.replace("\0", ".")) for s in path.replace("\\.", "\0").split(".") if not s.isdigit()]
    last = steps[-1]
    if path.rpartition(".")[2].startswith("@") and last != "id":  # about the data, not of them
        return 0.0
    above = steps[-2] if len(steps) > 1 else ""
    if last in {"name", "text", "label", "libelle", "title", "value", "display name"} and above:
        score = 0.0 if ours == "id" and last != "value" else _match(names, above)
        if score:
            return score * 0.98
    whole = " ".join(s for s in steps if s)
    best = max(_match(names, last), _match(names, f"{above} {last}".strip()), _match(names, whole))
    return best * (0.93 ** (len(steps) - 1))


def _match(names: Sequence[str], said: str) -> float:
    if not said:
        return 0.0
    if said in names:
        return 1.0 - 0.01 * min(names.index(said), 20)
    if any(len(n) > 3 and (said.endswith(" " + n) or said.startswith(n + " ")) for n in names):
        return 0.72
    return 0.0


def _share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    sample = values[:60]
    return sum(map(test, sample)) / len(sample) if sample else 0.0


def _reads(read: Callable[..., Any], **how: Any) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        try:
            return read(value, **how) is not None
        except ValueError:
            return False

    return test


def _is_money(value: str) -> bool:
    try:
        money = pay.read(value)
    except ValueError:
        return False
    return money.low is not None or money.high is not None


def _is_number(value: str) -> bool:
    return re.fullmatch(r"-?[\d\s.,]+", value) is not None


def _known_word(field: str, value: str) -> str:
    return _BARE_WORDS.get(field, {}).get(_plain(value), "")


class _Judge:
    """Whether the values of a column can be a field of ours."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._orders: dict[str, str] = {}

    def order(self, column: Column) -> str | None:
        """The date order that reads nearly all values: "" where none is needed, None where none does."""
        shares = self._shares(column)
        best = max(shares, key=lambda order: shares[order])
        return best if shares[best] >= 0.9 else None

    def tells(self, column: Column) -> str:
        """The order that the dates of a column show where a number is too great for a month, else ""."""
        votes: Counter[str] = Counter()
        for value in column.values[:300]:
            first = _NUMERIC_DATE.match(value)
            if first is None or int(first[1]) == int(first[2]):
                continue
            try:
                day = dates.read(value, at=self.at)
            except ValueError:
                continue
            votes["dmy" if (day.day, day.month) == (int(first[1]), int(first[2])) else "mdy"] += 1
        return votes.most_common(1)[0][0] if votes else ""

    def _shares(self, column: Column) -> dict[str, float]:
        said = [v for v in column.values[:300] if not dates.names_no_day(v)]
        return {
            order: sum(map(_reads(dates.read, at=self.at, order=order), said)) / max(1, len(said))
            for order in ("", "dmy", "mdy", "ymd")
        }

    def fits(self, ours: str, field: Field, column: Column) -> float:
        """0 when the values contradict the field, else how much they speak for it."""
        part = ours.partition(".")[2]
        values = column.values
        if not values:
            return 0.0
        named = field.type != "money" and part in _WHOLE | {"city", "region"}
        if named and _share(values, _is_number) > 0.8:
            return 0.0
        if field.type == "date":
            return 1.0 if self.order(column) is not None and _share(values, _has_digit) > 0.9 else 0.0
        if field.type == "url":
            return (
                1.0
                if _share(values, lambda v: bool(_URL.match(v)) or v.startswith(("/", "www."))) > 0.9
                else 0.0
            )
        if field.type == "money" and part in {"low", "high"}:
            return 1.0 if _share(values, _is_number) > 0.9 else 0.0
        if field.type == "money" and part == "currency":
            return 1.0 if column.mean <= 8 else 0.0
        if field.type == "money" and part == "text":
            return 0.6 + 0.4 * _share(values, _is_money) if column.mean < 80 else 0.0
        if field.type == "number":
            return 1.0 if _share(values, _is_number) > 0.95 else 0.0
        if part in {"lat", "lon"}:
            return 1.0 if _share(values, _is_number) > 0.95 else 0.0
        if part == "country":
            return 1.0 if _share(values, lambda v: bool(codes.country(v))) > 0.9 else 0.0
        if part in {"city", "text", "region"} and field.type == "place":
            return 1.0 if not _share(values, lambda v: bool(_URL.match(v))) > 0.5 else 0.0
        if field.type == "code":
            known = _share(values, partial(_says, field.name))
            return known if known >= 0.3 and column.distinct <= max(_CODE_WORDS_MAX, 1) else 0.0
        if field.type == "text" and field.required:
            if column.lists or not 2 < column.mean < 160:
                return 0.0
            return 1.0 if _share(values, _is_number) < 0.5 else 0.0
        if ours == "description":
            return 1.0 if column.mean > 40 else 0.4
        if _share(values, lambda v: bool(_URL.match(v))) > 0.5:
            return 0.0
        return 1.0


def _has_digit(value: str) -> bool:
    return bool(_DIGIT.search(value)) or len(value) < 20


def _says(field: str, value: str) -> bool:
    """Whether a value holds a word that we know for a code field."""
    return any(_known_word(field, part) for part in _split(value))


def _split(value: str) -> list[str]:
    return [p for p in re.split(r"\s*[,;|/]\s*|\n", value) if p] or [value]


def _wanted(kind: Kind) -> list[tuple[str, Field]]:
    """The fields of ours, and their parts, that a proposal looks for."""
    wanted: list[tuple[str, Field]] = []
    parts = {
        "money": ("text", "low", "high", "currency", "period"),
        "place": ("text", "city", "region", "country", "lat", "lon"),
        "party": ("name", "id"),
        "concept": ("text", "code"),
    }
    for field in kind.fields.values():
        for part in parts.get(field.type, ("",)):
            wanted.append((f"{field.name}.{part}" if part else field.name, field))
    return wanted


def choose(kind: Kind, columns: Sequence[Column], at: datetime) -> list[Choice]:
    """For each field of ours the best field of theirs, each used once; the surest pairs first."""
    judge = _Judge(at)
    pairs: list[Choice] = []
    for ours, field in _wanted(kind):
        for column in columns:
            if not column.values or _is_contact(column):
                continue
            name = _name_score(kind, ours, column.path)
            if field.type == "code":  # their "employment type" may say hours, and their "schedule" a contract
                others = (_name_score(kind, f.name, column.path) for f in kind.of_type("code"))
                name = max(name, 0.9 * max(others))
            if name < 0.5:
                continue
            fit = judge.fits(ours, field, column)
            if fit <= 0.0:
                continue
            score = name * (0.6 + 0.4 * fit) * (0.85 + 0.15 * min(1.0, column.share * 2))
            pairs.append(Choice(ours, column.path, round(score, 3), "name" if fit < 1 else "name and values"))
    pairs.sort(key=lambda c: (-c.score, c.ours))
    taken: dict[str, Choice] = {}
    used: dict[str, str] = {}
    for pair in pairs:
        if pair.ours in taken or pair.path in used:
            continue
        taken[pair.ours] = pair
        used[pair.path] = pair.ours
    _by_values(kind, columns, taken, used, judge)
    _share_codes(kind, columns, taken)
    return list(taken.values())


def _share_codes(kind: Kind, columns: Sequence[Column], taken: dict[str, Choice]) -> None:
    """One column of theirs often says several things of ours: "full time" beside "internship"."""
    by_path = {c.path: c for c in columns}
    for field in kind.of_type("code"):
        if field.name in taken:
            continue
        for other in kind.of_type("code"):
            choice = taken.get(other.name)
            if choice is None or choice.why == "shared":
                continue
            known = _share(by_path[choice.path].values, partial(_says, field.name))
            if known >= 0.1:
                taken[field.name] = Choice(field.name, choice.path, choice.score * known, "shared")
                break


def _by_values(
    kind: Kind, columns: Sequence[Column], taken: dict[str, Choice], used: dict[str, str], judge: _Judge
) -> None:
    """What names did not tell and values do: the title, the link, the longest text."""
    free = [c for c in columns if c.path not in used and c.values and not _is_contact(c)]

    def take(ours: str, column: Column | None, why: str) -> None:
        if column is not None and ours not in taken:
            taken[ours] = Choice(ours, column.path, 0.4, why)
            used[column.path] = ours
            free.remove(column)

    urls = [c for c in free if _share(c.values, lambda v: bool(_URL.match(v)) and not _IMAGE.search(v)) > 0.9]
    urls = [c for c in urls if c.distinct >= 0.8 * c.filled and not c.path.rpartition(".")[2].startswith("@")]
    take("url", max(urls, key=lambda c: c.distinct, default=None), "its values are addresses")
    longest = [c for c in free if c.mean > 200]
    for name in ("description", "summary"):
        if name in kind.fields:
            take(name, max(longest, key=lambda c: c.mean, default=None), "its values are long texts")
    titles = [
        c
        for c in free
        if 5 < c.mean < 90
        and c.share > 0.95
        and not c.many
        and c.distinct > 0.3 * c.filled
        and not _looks_coded(c)
    ]
    take(kind.title, titles[0] if titles else None, "short texts, nearly all different")


def _looks_coded(column: Column) -> bool:
    return _share(column.values, lambda v: bool(_URL.match(v)) or _is_number(v) or " " not in v) > 0.7


def _is_contact(column: Column) -> bool:
    last = bare(column.path.rpartition(".")[2])
    if last in _CONTACT_NAMES or any(bare(s) in _CONTACT_NAMES for s in column.path.split(".")):
        return True
    return _share(column.values, lambda v: "@" in v and bool(_CONTACT.match(v))) > 0.6


def _without_idle_pay(choices: list[Choice], columns: Sequence[Column]) -> list[Choice]:
    """Without the parts of pay that say nothing: a number beside its bounds, a currency of no amount."""
    values = {c.path: c.values for c in columns}
    pays = {c.ours for c in choices if c.ours.startswith("pay.")}
    idle: set[str] = set()
    if pays & {"pay.low", "pay.high"}:
        idle = {c.ours for c in choices if c.ours == "pay.text" and _share(values[c.path], _is_number) > 0.9}
    elif "pay.text" not in pays:
        idle = pays
    return [c for c in choices if c.ours not in idle]


def propose(
    rows: Sequence[Mapping[str, Any]],
    *,
    kind: Kind,
    at: datetime,
    title: str,
    fetch: Mapping[str, Any],
    replay: str = "",
) -> Proposal:
    """A complete source file for these rows; `fetch` is what is known of how they are reached."""
    columns = profile(rows[:SAMPLE])
    mixed = _mixed(columns)
    columns = [c for c in columns if c.path not in mixed]
    choices = _without_idle_pay(choose(kind, columns, at), columns)
    by_ours = {c.ours: c for c in choices}
    by_path = {c.path: c for c in columns}
    judge = _Judge(at)
    settle = [
        f"{path}: a text in some rows and an object in others; only its parts are read" for path in mixed
    ]
    gone = next((c.path for c in columns if _says_gone(c)), "")
    top: list[str] = [f"title = {_quote(title)}", f"kind = {_quote(kind.name)}"]
    top.append('licence = ""  # settle: who may use these data, and where that is written')
    settle.append("licence: who may use these data")
    top.append('store = "full"')
    if gone:
        top.append('deletes = "tombstone"')
    else:
        top.append(
            'deletes = "none"  # settle: tombstone, absence (the whole register comes each time), expiry or none'
        )
        settle.append("deletes: how does one learn that a record is gone?")
    tongues = _languages(by_ours, by_path)
    if tongues:
        shown = _quote(tongues[0]) if len(tongues) == 1 else json.dumps(tongues)
        top.append(f"language = {shown}")
    else:
        top.append("language = []  # settle: the language of the texts, BCP 47")
        settle.append("language: it could not be recognised")
    country, sure = _country(by_ours, by_path, tongues)
    if "places.country" not in by_ours:
        if country:
            top.append(f"country = {_quote(country)}" + ("" if sure else "  # settle: is it?"))
        else:
            top.append('# country = ""  # settle: where these jobs are, ISO 3166-1')
            settle.append("country: it could not be recognised")
    map_lines = [_id_line(columns, by_ours, by_path, kind, settle)]
    if gone:
        map_lines.append(f"gone = {_quote(gone)}")
    for field in kind.fields.values():
        map_lines += _map_lines(field, by_ours, by_path)
    if kind.title not in by_ours:
        settle.append(f"{kind.title}: no field of theirs looks like it; [map] must name one")
        map_lines.append(f'{kind.title} = "…"  # settle: which field of theirs is it?')
    for name in ("description", "summary"):
        if name in by_ours:
            more = [
                c.path
                for c in columns
                if c.mean > 100 and c.path not in {x.path for x in choices} and not _is_contact(c)
            ]
            if more:
                together = ", ".join(map(_quote, [by_ours[name].path, *more]))
                map_lines = [
                    x if not x.startswith(name + " =") else f"{name} = [{together}]" for x in map_lines
                ]
                choices += [Choice(name, path, 0.3, "its values are long texts") for path in more]
    mapped = (
        {c.path for c in choices}
        | ({gone} if gone else set())
        | set(_id_paths(columns, by_ours, by_path, kind))
    )
    ignored = [c.path for c in columns if c.path not in mapped and not _covered(c.path, mapped)]
    body = list(top)
    if ignored:
        body.append("ignore = [")
        for path in ignored:
            column = by_path[path]
            note = "contact data" if _is_contact(column) else _example(column)
            body.append(f"    {_quote(path)}," + (f"  # {note}" if note else ""))
        body.append("]")
    body += ["", "[fetch]", *(f"{k} = {_toml(v)}" for k, v in fetch.items())]
    body += ["", "[map]  # ours = theirs", *map_lines]
    for field in kind.of_type("code"):
        if field.name in by_ours:
            path = by_ours[field.name].path
            beside = [
                f.name for f in kind.of_type("code") if f.name in by_ours and by_ours[f.name].path == path
            ]
            body += _values_lines(field, by_path[path], beside, settle)
    dated = [by_path[by_ours[f.name].path] for f in kind.of_type("date") if f.name in by_ours]
    told = [order for c in dated if (order := judge.tells(c))]
    orders = {judge.order(c) for c in dated} - {"", None}
    told += ["ymd"] if "ymd" in orders else []
    if orders:
        body += ["", "[dates]"]
        if told:
            body.append(f"order = {_quote(Counter(told).most_common(1)[0][0])}")
        else:
            body.append('order = "dmy"  # settle: no date tells the day from the month; or is it "mdy"?')
            settle.append(
                '[dates] order: no date tells the day from the month; "dmy" stands there until you say'
            )
    body += _pay_lines(by_ours, by_path, country if sure or country else "", settle)
    if replay:
        body += ["", "[[replay]]", f"files = [{_quote(replay)}]"]
    return Proposal("\n".join(body) + "\n", choices, settle, ignored)


def _mixed(columns: Sequence[Column]) -> list[str]:
    """The paths that hold a text in some rows and an object in others."""
    above = {c.path.rpartition(".")[0] for c in columns if c.filled and not c.path.endswith(".1")}
    return [c.path for c in columns if c.filled and c.path in above]


def _says_gone(column: Column) -> bool:
    last = bare(column.path.rpartition(".")[2])
    return last in _GONE and set(column.values) <= {"true", "false"} and "true" in column.values


def _covered(path: str, mapped: set[str]) -> bool:
    return any(path == m or path.startswith(m + ".") for m in mapped)


def _id_paths(
    columns: Sequence[Column], by_ours: Mapping[str, Choice], by_path: Mapping[str, Column], kind: Kind
) -> list[str]:
    """The field, or the fields together, that tell one row from another."""
    named = [
        (score, c)
        for c in columns
        if not c.many and c.share > 0.98 and c.mean <= 120 and c.distinct >= 0.8 * c.filled
        if (score := _name_score(kind, "id", c.path)) >= 0.5
    ]
    if named:
        return [max(named, key=lambda pair: (pair[0], pair[1].distinct))[1].path]
    url = by_ours.get("url")
    if (
        url is not None
        and by_path[url.path].share > 0.98
        and by_path[url.path].distinct >= 0.97 * by_path[url.path].filled
    ):
        return [url.path]
    together = [kind.title, "employer.name", "places.text", "places.city", "pay.text", "published"]
    return [by_ours[o].path for o in together if o in by_ours] or [c.path for c in columns[:3]]


def _id_line(
    columns: Sequence[Column],
    by_ours: Mapping[str, Choice],
    by_path: Mapping[str, Column],
    kind: Kind,
    settle: list[str],
) -> str:
    paths = _id_paths(columns, by_ours, by_path, kind)
    if len(paths) == 1:
        return f"id = {_quote(paths[0])}"
    settle.append("id: no field tells the rows apart by itself; these together are taken for one")
    return f"id = [{', '.join(map(_quote, paths))}]  # settle: is there an identifier?"


def _map_lines(field: Field, by_ours: Mapping[str, Choice], by_path: Mapping[str, Column]) -> list[str]:
    lines = []
    if field.name in by_ours:
        choice = by_ours[field.name]
        column = by_path[choice.path]
        if field.type == "code" and field.many and any(len(_split(v)) > 1 for v in column.values[:60]):
            return [f'{field.name} = {{ path = {_quote(choice.path)}, split = "\\\\s*[,;|/]\\\\s*" }}']
        if field.type == "concept" and field.many and not column.many and _lists(column):
            return [f'{field.name} = {{ path = {_quote(choice.path)}, split = "\\\\s*[,;|]\\\\s*" }}']
        return [f"{field.name} = {_quote(choice.path)}"]
    parts = {o.partition(".")[2]: c for o, c in by_ours.items() if o.startswith(field.name + ".")}
    bounds = field.type == "money" and parts.keys() & {"low", "high"}
    if bounds and "text" in parts and _share(by_path[parts["text"].path].values, _is_number) > 0.9:
        del parts["text"]
    if set(parts) <= {"currency", "period"}:
        return []
    if field.type == "place" and set(parts) == {"text"}:
        return [f"{field.name} = {_quote(parts['text'].path)}"]
    for part, choice in parts.items():
        column = by_path[choice.path]
        if field.type == "concept" and part == "text" and field.many and not column.many and _lists(column):
            value = f'{{ path = {_quote(choice.path)}, split = "\\\\s*[,;|]\\\\s*" }}'
        else:
            value = _quote(choice.path)
        lines.append(f"{field.name}.{part} = {value}")
    return lines


def _lists(column: Column) -> bool:
    return _share(column.values, lambda v: len(re.split(r"[,;|]", v)) > 2) > 0.3


def _values_lines(field: Field, column: Column, beside: Sequence[str], settle: list[str]) -> list[str]:
    found: dict[str, None] = {}
    for value in column.values:
        found.update(
            dict.fromkeys(p.strip() for p in (_split(value) if field.many else [value]) if p.strip())
        )
    lines = ["", f"[values.{field.name}]  # their word = ours"]
    unknown = []
    for word in found:
        code = _known_word(field.name, word)
        if code and code in field.values:
            lines.append(f"{_quote(word)} = {_quote(code)}")
        elif beside[0] != field.name or any(_known_word(other, word) for other in beside):
            lines.append(f'{_quote(word)} = ""')
        else:
            unknown.append(word)
            lines.append(f'{_quote(word)} = ""  # settle: one of {", ".join(field.values)}, or nothing')
    if unknown:
        settle.append(f"[values.{field.name}]: {len(unknown)} of {len(found)} words are not known")
    return lines


def _pay_lines(
    by_ours: Mapping[str, Choice], by_path: Mapping[str, Column], country: str, settle: list[str]
) -> list[str]:
    pays = {o: c for o, c in by_ours.items() if o.startswith("pay.")}
    if not pays:
        return []
    text = pays.get("pay.text")
    lines = []
    if "pay.currency" not in pays:
        read = (
            [m for v in by_path[text.path].values[:80] if text and (m := _money(v, country))] if text else []
        )
        amounts = [m for m in read if m.low is not None or m.high is not None]
        if not amounts or sum(1 for m in amounts if m.currency) < 0.8 * len(amounts):
            lines.append('# currency = ""  # settle: of the amounts, ISO 4217')
            settle.append("[pay] currency: the amounts do not say it")
    if "pay.period" not in pays:
        read = (
            [m for v in by_path[text.path].values[:80] if text and (m := _money(v, country))] if text else []
        )
        amounts = [m for m in read if m.low is not None or m.high is not None]
        if not amounts or sum(1 for m in amounts if m.period) < 0.8 * len(amounts):
            lines.append(
                '# period = ""  # settle: hour, day, week, month or year; without it pay is not compared'
            )
            settle.append("[pay] period: the amounts do not say it")
    return ["", "[pay]", *lines] if lines else []


def _money(value: str, country: str) -> Any:
    try:
        return pay.read(value, country=country)
    except ValueError:
        return None


def _languages(by_ours: Mapping[str, Choice], by_path: Mapping[str, Column]) -> list[str]:
    known = sorted(languages())
    tally: Counter[str] = Counter()
    for n in range(120):
        text = " ".join(
            by_path[by_ours[o].path].values[n]
            for o in ("title", "description", "summary")
            if o in by_ours and n < len(by_path[by_ours[o].path].values)
        )
        if text:
            tally[language.detect(text[:600], known)] += 1
    total = sum(tally.values())
    return [t for t, count in tally.most_common(3) if t and count > 0.12 * total]


def _country(
    by_ours: Mapping[str, Choice], by_path: Mapping[str, Column], tongues: Sequence[str]
) -> tuple[str, bool]:
    """The country most places are in, and whether that is nearly all of them."""
    tally: Counter[str] = Counter()
    for ours in ("places.city", "places.text", "places.region"):
        if ours in by_ours:
            for value in by_path[by_ours[ours].path].values[:120]:
                place = places.resolve(value)
                if place is not None and place.country:
                    tally[place.country] += 1
    if tally:
        best, count = tally.most_common(1)[0]
        return best, count > 0.85 * sum(tally.values()) and count >= 5
    lone = {"vi": "VN", "th": "TH", "km": "KH", "lo": "LA", "my": "MM", "hy": "AM", "kk": "KZ", "ky": "KG"}
    return (lone.get(tongues[0], "") if tongues else ""), False


def _example(column: Column) -> str:
    if not column.values:
        return "always empty"
    text = " ".join(column.values[0].split())
    return f"e.g. {text[:60]}" if not column.many else f"a list, e.g. {text[:50]}"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quote(name)
