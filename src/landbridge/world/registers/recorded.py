"""The rows that a register recorded, what a harvest must make of each, and what the registers share."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from landbridge.world.draw import FOLDER, Draw, Job, Person

HOSTILE = (
    '<p>{}</p><script>document.title="owned"</script><img src=x onerror="alert(1)">'
    '<a href="javascript:alert(1)">+</a><style>body{{display:none}}</style>'
)
HIDDEN_SPACE, OVERRIDE, POP = "\u200b", "\u202e", "\u202c"


@dataclass
class Recorded:
    """The rows of one register, with what a harvest must make of each."""

    rows: list[Any] = field(default_factory=list)
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    duplicate_key: int = 0
    gone: int = 0
    quarantine: list[tuple[str, str, str]] = field(default_factory=list)  # code, field, why

    def add(self, row: Any) -> None:
        self.rows.append(row)
        self.new += 1

    def repeat(self, row: Any) -> None:
        """The same row once more."""
        self.rows.append(row)
        self.unchanged += 1

    def contradict(self, row: Any) -> None:
        """The same key with other content."""
        self.rows.append(row)
        self.duplicate_key += 1

    def correct(self, row: Any) -> None:
        """A later version, in a register that tells what happened: there the last one counts."""
        self.rows.append(row)
        self.duplicate_key += 1  # the earlier version, on the same page: it is passed over

    def withdraw(self, row: Any) -> None:
        """A row that says that an earlier one is gone."""
        self.rows.append(row)
        self.unchanged += 1
        self.gone += 1

    def spoil(self, row: Any, code: str, of: str, why: str) -> None:
        """A row that must be quarantined, for a true reason."""
        self.rows.append(row)
        self.quarantine.append((code, of, why))


Files = dict[str, bytes]
Register = Callable[[Draw], tuple[Recorded, Files]]


@cache
def _share(source: str) -> dict[str, Any]:
    member, name = source.split("/")
    return tomllib.loads((FOLDER / "members" / member / "shares" / f"{name}.toml").read_text("utf-8"))


def word_of(source: str, of: str, ours: str, beside: str = "") -> str:
    """The register's own word for one of ours; where it has several, the one in the script of `beside`."""
    theirs = [word for word, code in _share(source)["values"][of].items() if code == ours]
    if beside:
        theirs = [word for word in theirs if ord(word[0]) >> 7 == ord(beside[0]) >> 7]
    return str(theirs[0]) if theirs else ""


def draw_jobs(draw: Draw, member: str, wanted: Sequence[tuple[str, str, int]]) -> list[Job]:
    """Jobs by language and currency, mixed."""
    found = [
        (draw.number(), draw.job(0, member, language, currency))
        for language, currency, count in wanted
        for _ in range(count)
    ]
    mixed = [job for _, job in sorted(found, key=lambda pair: pair[0])]
    return [replace(job, number=at) for at, job in enumerate(mixed, 1)]


def draw_people(
    draw: Draw, member: str, wanted: Sequence[tuple[str, str, int]], home: str = ""
) -> list[Person]:
    found = [
        (draw.number(), draw.person(0, member, language, currency, home))
        for language, currency, count in wanted
        for _ in range(count)
    ]
    mixed = [person for _, person in sorted(found, key=lambda pair: pair[0])]
    return [replace(person, number=at) for at, person in enumerate(mixed, 1)]


def study(group: str, low: str, middle: str, high: str) -> str:
    if group in ("health", "teach", "tech", "office"):
        return high
    return middle if group in ("build", "make", "move") else low


def grouped(amount: float, mark: str) -> str:
    return f"{amount:,.0f}".replace(",", mark)
