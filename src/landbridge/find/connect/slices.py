"""`[fetch.slices]`: everything from a register that caps a query (hh.ru at 2,000; Jobsuche and EURES at 10,000).

    [fetch.slices]
    cap = 2000
    by = "date"                 # a window of time, halved until its total is below the cap
    from = "date_from"          # the parameters, or placeholders of the address: {from}, {to}
    to = "date_to"
    format = "%Y-%m-%dT%H:%M:%S"
    start = "2010-01-01"

or several dimensions, the next one where a window cannot be halved any more:

    [[fetch.slices.by]]
    by = "date"
    …
    [[fetch.slices.by]]
    by = "values"
    param = "area"
    values = ["1", "2", ["113", ["1384", "1438"]]]   # 113 as a whole; its parts where it is over the cap

| key of a date | meaning | default |
|---|---|---|
| `from`, `to` | parameters or placeholders | from, to |
| `format` | strftime, "seconds" or "milliseconds" | ISO 8601 |
| `start`, `end` | the range; rows outside are in no window, and the run says so | 2000-01-01, tomorrow |
| `smallest` | the smallest window | "1s"; "1d" for a format without hours |
| `inclusive` | whether `to` includes the whole unit that it names | true for a format without hours |
| `zone` | of the format | that of [dates] |

The total of the whole query is what the run claims; it is complete when all windows were read and that many
different rows came. Windows share their edges, so a row may come twice, which the journal knows.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from landbridge.errors import Drift, Looping, SourceFileError
from landbridge.find.connect.http import Client
from landbridge.find.connect.page import Page
from landbridge.find.connect.pages import (
    Answer,
    JsonPages,
    Listing,
    PageNumber,
    Progress,
    RangeHeader,
    SinglePage,
    Tally,
    judge,
    read_moment,
    read_pages,
    walk,
    with_details,
    write_moment,
)
from landbridge.find.source import Source, seconds

Window = list[Any]  # an entry a dimension: [from, to] in seconds of the wall clock, a path of values, or None
_DAY = 86_400.0
_EDGES = 2  # windows that the rows of one moment can lie in
_HOURS = ("%H", "%I", "%T", "%c", "%X", "%s")


class ByDate(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="date", tag_field="by"
):
    from_: str = msgspec.field(name="from", default="from")
    to: str = "to"
    format: str = ""
    start: str = "2000-01-01"
    end: str = ""
    smallest: str = ""
    inclusive: bool | None = None
    zone: str = ""

    @property
    def by_day(self) -> bool:
        return "%" in self.format and not any(unit in self.format for unit in _HOURS)

    @property
    def least(self) -> float:
        return seconds(self.smallest) if self.smallest else _DAY if self.by_day else 1.0


class ByValues(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="values", tag_field="by"
):
    param: str
    values: list[Any]


By = ByDate | ByValues


class Slices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a capped query is cut into windows below the cap."""

    cap: int
    by: tuple[By, ...]


class _State(msgspec.Struct):
    """Windows that are still to be read, and what was read before the first of them. It is the cursor."""

    open: list[Window]
    claimed: int | None = None
    read: int = 0
    over: int = 0
    same: int = 0  # windows on end over the cap with the same total
    last_over: int = 0
    missed: list[str] = []


def read_slices(source: Source) -> tuple[JsonPages, Slices]:
    """`[fetch]` and `[fetch.slices]`, checked. Raises SourceFileError."""
    keys = read_pages(source)
    given = dict(keys.slices or {})
    if isinstance(given.get("by"), str):
        given = {"by": [{k: v for k, v in given.items() if k != "cap"}]} | (
            {"cap": given["cap"]} if "cap" in given else {}
        )
    try:
        found = msgspec.convert(given, Slices)
        for one in found.by:
            if isinstance(one, ByDate):
                _range(one, _zone(one, source))
                seconds(one.smallest or "1s")
            else:
                _split_values(one.values, None)
    except (msgspec.ValidationError, ValueError) as error:
        raise SourceFileError(source.id, f"[fetch.slices]: {error}") from error
    if not found.by or found.cap < 1:
        raise SourceFileError(source.id, "[fetch.slices] needs a cap, and by what to slice")
    total_path = (
        getattr(keys.paginator, "total_path", "") if not isinstance(keys.paginator, PageNumber) else ""
    )
    if not keys.total and not total_path and not isinstance(keys.paginator, RangeHeader):
        raise SourceFileError(
            source.id, "[fetch.slices] needs [fetch] total: the path to the number of rows of a query"
        )
    if isinstance(keys.paginator, SinglePage):
        raise SourceFileError(source.id, "[fetch.slices] needs a [fetch] paginator")
    if keys.incremental is not None:
        raise SourceFileError(source.id, "[fetch] has both incremental and slices: keep one of them")
    return keys, found


async def pages(source: Source, client: Client, cursor: Any) -> AsyncIterator[Page]:
    """The pages of all windows, from the cursor on."""
    keys, slices = read_slices(source)
    listing = Listing(source, client, keys)
    everything: set[int] = set()
    notes: list[str] = []
    first: Answer | None = None
    if isinstance(cursor, dict) and "open" in cursor:
        state = msgspec.convert(cursor, _State)
    else:
        state = _State(open=[[None] * len(slices.by)])
        first = await listing.ask(None, {})
        if first.total is not None and first.total != slices.cap:  # many state their cap instead of the total
            state.claimed = first.total
    read_before = state.read
    while state.open:
        window = state.open[0]
        given = _given(window, slices, source)
        probe, first = first or await listing.ask(None, given), None
        if probe.total is None and probe.rows:
            state.missed.append(f"{_words(given)}: it states no total")
        total = probe.total or 0
        parts = _cut(window, slices, source) if total >= slices.cap else []
        if parts:
            state.open[:1] = parts
            continue
        progress = Progress()
        tally = Tally(source, listing.form, everything)
        here = msgspec.to_builtins(msgspec.structs.replace(state, read=read_before + len(everything)))
        try:
            async for answer in walk(listing, progress, tally, given, first=probe):
                rows, said = await with_details(answer.rows, listing)
                notes += [note for note in (*answer.notes, *said) if note not in notes]
                yield Page(rows=rows, cursor=here, claimed=state.claimed, url=answer.reply.shown)
        except Looping:
            if total < slices.cap:
                raise
            # behind its cap the register gives the last page again
        whole, why = judge(progress, listing)
        if total >= slices.cap:
            state.same = state.same + 1 if total == state.last_over else 1
            state.last_over = total
            if state.same > _EDGES:
                raise Drift(
                    source.id,
                    f"{probe.reply.shown}: {state.same} windows on end state {total:,} rows each",
                    hint="does the register know the parameters of [fetch.slices], to the second?",
                )
            state.over += 1
            state.missed.append(f"{_words(given)}: it holds {total:,}, read {progress.read:,}")
        elif not whole and (total or progress.read):
            state.missed.append(f"{_words(given)}: {why}")
        state.open.pop(0)
    read = read_before + len(everything)
    claimed = read if state.claimed is None else state.claimed
    complete = not state.missed and read >= claimed
    yield Page(
        rows=(),
        claimed=claimed,
        last=True,
        complete=complete,
        notes=notes if complete else [*notes, *_account(state, slices, claimed, read)],
    )


def _account(state: _State, slices: Slices, claimed: int, read: int) -> list[str]:
    """What is to be said of a run that did not read everything."""
    notes = [f"claimed {claimed:,}, read {read:,} in windows below {slices.cap:,}"]
    if state.over:
        few = "window holds" if state.over == 1 else "windows hold"
        notes.append(
            f"{state.over:,} of the smallest {few} more than the register gives: "
            "[fetch.slices] needs a further dimension"
        )
    elif not state.missed:
        notes.append(
            "the rest lies in no window: rows without a date, or with a value that [fetch.slices] lacks"
        )
    notes += state.missed[:5]
    return [*notes, f"and {len(state.missed) - 5:,} more windows"] if len(state.missed) > 5 else notes


# windows


def _cut(window: Window, slices: Slices, source: Source) -> list[Window]:
    """A window in parts, by the first dimension that still has some; none where it is the smallest."""
    for at, by in enumerate(slices.by):
        parts: list[Any]
        if isinstance(by, ByDate):
            parts = _halve(by, window[at], _zone(by, source))
        else:
            parts = _split_values(by.values, window[at])
        if parts:
            return [[*window[:at], part, *window[at + 1 :]] for part in parts]
    return []


def _given(window: Window, slices: Slices, source: Source) -> dict[str, Any]:
    """The parameters of a window."""
    given: dict[str, Any] = {}
    for by, part in zip(slices.by, window, strict=True):
        if part is None:
            continue
        if isinstance(by, ByValues):
            given[by.param] = _value(by.values, part)
            continue
        zone = _zone(by, source)
        begin, end = part
        inclusive = by.by_day if by.inclusive is None else by.inclusive
        given[by.from_] = _write(begin, by, zone)
        given[by.to] = _write(end - (_DAY if by.by_day and inclusive else 0.0), by, zone)
    return given


def _words(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items()) or "the whole"


def _zone(by: ByDate, source: Source) -> ZoneInfo:
    return ZoneInfo(by.zone or source.dates.zone)


def _halve(by: ByDate, part: list[float] | None, zone: ZoneInfo) -> list[list[float]]:
    begin, end = part or _range(by, zone)
    units = int((end - begin) // by.least)
    if units < 2:
        return []
    middle = begin + units // 2 * by.least
    return [[begin, middle], [middle, end]]


def _range(by: ByDate, zone: ZoneInfo) -> tuple[float, float]:
    """The whole range, in seconds of the wall clock: no hour of a clock change is lost between two windows."""
    begin = _wall(by.start, zone)
    end = _wall(by.end, zone) if by.end else _clock(datetime.now(zone)) // _DAY * _DAY + 2 * _DAY
    if begin >= end:
        raise ValueError(f"start = {by.start!r} is not before the end")
    return begin, end


def _wall(text: str, zone: ZoneInfo) -> float:
    moment = read_moment(text, zone)
    if moment is None:
        raise ValueError(f"{text!r} is no date: write 2010-01-01")
    return _clock(moment.astimezone(zone))


def _clock(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()


def _write(wall: float, by: ByDate, zone: ZoneInfo) -> str | int:
    moment = datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone)
    return write_moment(moment, by.format, zone)


def _split_values(values: list[Any], path: list[int] | None) -> list[list[int]]:
    """Paths to the parts of a value. Raises ValueError."""
    here = values
    for at in path or ():
        node = here[at]
        here = node[1] if isinstance(node, list) else []
    for node in here:
        pair = isinstance(node, list) and len(node) == 2 and isinstance(node[1], list)
        if not pair and not isinstance(node, str | int):
            raise ValueError(f'values: {node!r} is neither a value nor ["value", ["its", "parts"]]')
    return [[*(path or ()), at] for at in range(len(here))]


def _value(values: list[Any], path: list[int]) -> Any:
    node: Any = None
    for at in path:
        node = values[at]
        values = node[1] if isinstance(node, list) else []
    return node[0] if isinstance(node, list) else node
