"""How answers look in a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from landbridge.find.journal import SourceState
from landbridge.find.occupations import ReadAs
from landbridge.find.search import Hit, MemberAnswer, Result
from landbridge.instance import Instance
from landbridge.kinds.kind import Kind

_STATES = {"ok": "green", "stale": "yellow", "held": "yellow", "failed": "red", "never": "dim"}


def show_result(out: Console, result: Result, instance: Instance, kind: Kind) -> None:
    """The hits as a table, then the facets, then who answered."""
    for one in result.corrections:
        out.print(f"no register knows “{escape(one.word)}”; searched for {escape(', '.join(one.searched))}")
    if result.place is not None and result.place.others:
        taken, others = result.place.taken, result.place.others
        out.print(
            f"near {escape(taken.write)}; or did you mean {escape('; '.join(o.write for o in others))}?"
        )
    if result.hits:
        out.print(_hits(result, kind))
    else:
        out.print("nothing found")
    atleast = "" if result.total.exact else "at least "
    out.print(f"{len(result.hits)} of {atleast}{result.total.count:,}")
    for name, count in result.unknown.items():
        if count:
            out.print(f"  {count:,} more without a known {name}: --unknown {name} shows them too")
    for facet in result.facets:
        values = "  ".join(f"{escape(v.label or v.key)} {v.count:,}" for v in facet.values[:8])
        out.print(f"[bold]{facet.name}[/]  {values}  [dim]no value {facet.missing:,}[/]")
    out.print(_members(result.members))
    for hit in result.hits:
        if hit.why:
            out.print(f"{hit.id}: {'; '.join(hit.why)}", markup=False, style="dim")
    for member, plan in result.plans.items():
        out.print(f"{member}: {plan}", markup=False, style="dim")
    if result.cursor:
        out.print(f"[dim]more: --cursor {result.cursor}[/]", soft_wrap=True)


def show_occupation(out: Console, answer: ReadAs) -> None:
    """What a title was read as, the likeliest first."""
    if answer.kind == "none":
        out.print("No occupation that could be told.")
    table = Table(box=None, header_style="bold")
    for name in ("Scheme", "Code", "Name", "Confidence"):
        table.add_column(name, justify="right" if name == "Confidence" else "left", overflow="fold")
    for one in (*answer.occupations, *(g for g in answer.groups if g not in answer.occupations)):
        table.add_row(one.scheme, one.code, one.label, f"{one.confidence:.2f}")
    if table.row_count:
        out.print(table)


def _hits(result: Result, kind: Kind) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    shown = ["title", *(["employer"] if "employer" in kind.fields else [])]
    shown += [*(["place"] if kind.of_type("place") else []), *(["pay"] if kind.of_type("money") else [])]
    shown += ["source", "date"]
    for name in shown:
        table.add_column(name, overflow="fold")
    for hit in result.hits:
        values = msgspec.json.decode(hit.record).get("values", {})
        cells = {
            "title": "".join(f"[bold]{escape(t)}[/]" if marked else escape(t) for t, marked in hit.title),
            "employer": escape((values.get("employer") or {}).get("name", "")),
            "place": escape(_place(values, hit)),
            "pay": escape(_pay(values, hit)),
            "source": hit.source,
            "date": _date(values, kind),
        }
        table.add_row(*(cells[name] for name in shown))
    return table


def _place(values: dict[str, Any], hit: Hit) -> str:
    shown = []
    for place in (values.get("places") or [])[:2]:
        city = place.get("city") or place.get("text") or place.get("region") or ""
        shown.append(
            f"{city[:40]}, {place['country']}"
            if place.get("country") and city
            else city or place.get("country", "")
        )
    far = f" ({hit.distance_km:g} km)" if hit.distance_km is not None else ""
    return "; ".join(dict.fromkeys(shown)) + far


def _pay(values: dict[str, Any], hit: Hit) -> str:
    pay = values.get("pay")
    if not pay:
        return ""
    said = pay.get("text") or ""
    if not said:
        low, high = pay.get("low"), pay.get("high")
        ends = (
            f"{low:,.0f}–{high:,.0f}"
            if low and high and low != high
            else f"{low or high:,.0f}"
            if low or high
            else ""
        )
        if ends and not high:
            ends = f"from {ends}"
        elif ends and not low:
            ends = f"up to {ends}"
        said = " ".join(
            x for x in (ends, pay.get("currency", ""), pay.get("period", "") and f"a {pay['period']}") if x
        )
    if hit.pay is not None:
        low, high = hit.pay.low / 12, hit.pay.high / 12
        same = f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f}–{high:,.0f}"
        said += f" (≈ {same} {hit.pay.currency} a month)"
    return said


def _date(values: dict[str, Any], kind: Kind) -> str:
    field = kind.first("date")
    return str(values.get(field.name) or "")[:10] if field else ""


def _members(answers: Sequence[MemberAnswer]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("who answered", "state", "as of", "hits", "harvested of claimed", ""):
        table.add_column(name, justify="right" if name in {"hits", "harvested of claimed"} else "left")
    for m in answers:
        claimed = f"{m.claimed:,}" if m.claimed is not None else "?"
        table.add_row(
            f"{m.id} {escape(m.name)}",
            f"[{_STATES[m.state]}]{m.state}[/]",
            f"{m.as_of:%Y-%m-%d %H:%M}" if m.as_of else "",
            ("" if m.hits_exact else "≥ ") + f"{m.hits:,}",
            f"{m.harvested:,} of {claimed}",
            escape(m.why),
        )
    return table


def show_states(out: Console, instance: Instance, states: Sequence[SourceState]) -> None:
    """Every source of every member and how it stands."""
    known = {s.name: s for s in states}
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("source", "what", "records", "claimed", "last run", "state", "incidents"):
        table.add_column(name, justify="right" if name in {"records", "claimed", "incidents"} else "left")
    for member in instance.members.values():
        for source in member.sources.values():
            state = known.get(source.id)
            run = state.last_run if state else None
            when = datetime.fromtimestamp(run.started, UTC) if run else None
            table.add_row(
                source.id,
                escape(source.title),
                f"{state.alive:,}" if state else "",
                f"{state.claimed:,}" if state and state.claimed is not None else "",
                f"{when:%Y-%m-%d %H:%M}" if when else "never",
                run.state if run else "",
                str(state.incidents or "") if state else "",
            )
        for name, why in member.broken.items():
            table.add_row(f"{member.id}/{name}", f"[red]{escape(why)}[/]")
    out.print(table)
