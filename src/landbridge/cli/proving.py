"""What the words of PROVE do on the command line: verify, trust, status. None of them opens the journal."""

import gc
import multiprocessing
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from landbridge.cli import DONE, FAILED, NO
from landbridge.cli.given import moment
from landbridge.config import read_settings
from landbridge.errors import UsageError
from landbridge.prove.facts import Outcome
from landbridge.prove.status import StatusLists
from landbridge.prove.status.read import read_lists
from landbridge.prove.trust import policy, store
from landbridge.prove.trust.read import read_trust
from landbridge.prove.verdict import whole
from landbridge.prove.verify import Trust, examine_many

out = Console(highlight=False)
_PART = 128  # files that a process is handed at a time
EXITS = {Outcome.YES: DONE, Outcome.NO: NO, Outcome.OPEN: FAILED}
_SIGNS = {Outcome.YES: ("✓", "green"), Outcome.NO: ("✗", "red"), Outcome.OPEN: ("?", "yellow")}
_WORDS = {Outcome.YES: "YES", Outcome.NO: "NO", Outcome.OPEN: "OPEN: it cannot be said"}
_QUESTIONS = {
    "authentic": "authentic",
    "in_time": "in time",
    "not_taken_back": "not taken back",
    "entitled": "from someone entitled to say this",
}


def run(arguments: Namespace) -> int:
    """The command a parsed line names."""
    verb = getattr(arguments, "verb", "")
    return _ACTIONS[f"{arguments.command} {verb}".strip()](arguments)


def _verify(a: Namespace) -> int:
    """Each file's verdicts: a table, or one JSON object a file. The worst outcome is the exit code."""
    files, given = list(a.files), [path for group in a.trust for path in group]
    if not files and len(given) > 1:
        files = [str(given.pop())]  # verify --trust LIST FILE
    if not files:
        raise UsageError("name a file, or - for standard input", parameter="FILE")
    if len(files) > 1 and not a.batch:
        raise UsageError("several files are examined with --batch", parameter="FILE")
    for name in files:
        if name != "-" and not Path(name).is_file():
            raise UsageError(f"{name} is not a file", parameter="FILE")
    at = moment(a.at) if a.at else datetime.now(UTC)
    look = partial(_examined, trust=_trust(given, a.status, now=None if a.at else at), at=at, named=a.batch)
    outcomes: set[Outcome] = set()
    for found, lines in _answers(files, look, parallel=a.batch):
        outcomes |= found
        if a.json:
            sys.stdout.write(lines.decode() + "\n")
            continue
        for answer in map(msgspec.json.decode, lines.split(b"\n")):
            if a.batch:
                sign, colour = _SIGNS[Outcome(answer["outcome"])]
                out.print(f"[{colour}]{sign}[/] {escape(answer['file'])}  {answer['format']}  {_why(answer)}")
            else:
                _show(answer)
    sys.stdout.flush()
    return EXITS[Outcome.of(tuple(outcomes))]


def _trust(given: Sequence[Path], lists: Iterable[Iterable[Path]], *, now: datetime | None) -> Trust:
    """What this call believes: the material named on the line and nothing else, or the trust store."""
    data = read_settings().data
    if not given:
        return store.of_instance(data, now=now)
    issuers = read_trust(given)
    named = [path for group in lists for path in group]
    lists_read = read_lists(named, issuers) if named else StatusLists()
    return Trust(issuers=issuers, taken_back=lists_read, policy=policy.read_policy(data / "trust.toml"))


def _examined(names: Sequence[str], *, trust: Trust, at: datetime, named: bool) -> tuple[set[Outcome], bytes]:
    """The outcomes of some files, and the answers as lines of JSON: what a process hands to another is text."""
    files = (sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes() for name in names)
    outcomes, lines = set(), []
    for name, verdicts in zip(names, examine_many(files, trust=trust, at=at), strict=True):
        answer = whole(verdicts)
        outcomes.add(Outcome(answer["outcome"]))
        lines.append(msgspec.json.encode({"file": name, **answer} if named else answer))
    return outcomes, b"\n".join(lines)


_Look = Callable[[Sequence[str]], tuple[set[Outcome], bytes]]


def _answers(files: Sequence[str], look: _Look, *, parallel: bool) -> Iterator[tuple[set[Outcome], bytes]]:
    """In the order of the files; over all cores where there are enough to be worth it.

    Processes, because threads wait for each other: a credential is half signature, half Python. Each is handed the
    trust list once, as it starts (where the system can fork, by being born with it).
    """
    parts = [files[start : start + _PART] for start in range(0, len(files), _PART)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not parallel or cores < 2 or len(parts) < 2:
        yield from map(look, parts)
        return
    how = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    gc.freeze()  # The collector would touch, and so copy, what the processes are born with.
    try:
        with multiprocessing.get_context(how).Pool(cores, _begin, (look,)) as pool:
            yield from pool.imap(_continue, parts)
    finally:
        gc.unfreeze()


_looking: list[_Look] = []


def _begin(look: _Look) -> None:
    _looking.append(look)


def _continue(names: Sequence[str]) -> tuple[set[Outcome], bytes]:
    return _looking[-1](names)


def _show(answer: dict[str, Any]) -> None:
    several = answer.get("credentials")
    if several:
        for number, one in enumerate(several, 1):
            out.print(f"\n[bold]{number} of {len(several)}[/], {escape(one['place'])}")
            _show(one)
        return
    outcome = Outcome(answer["outcome"])
    sign, colour = _SIGNS[outcome]
    kind = f"{answer['kind']}, " if answer["kind"] else ""
    out.print(f"[bold {colour}]{sign} {_WORDS[outcome]}[/]   {kind}{answer['format'] or 'no format'}")
    for name, part in answer["parts"].items():
        sign, colour = _SIGNS[Outcome(part["outcome"])]
        rests = f"  [dim]{escape(part['rests_on'])}[/]" if part["rests_on"] else ""
        out.print(f"  [{colour}]{sign}[/] {_QUESTIONS[name]}: {escape(part['sentence'])}{rests}")
    if answer["steps"] and outcome is not Outcome.YES:
        last = next((one for one in answer["steps"] if one["outcome"] != "yes"), None)
        if last:
            out.print(
                f"  [dim]step {last['number']}, {last['name']}: {escape(last['detail'] or last['code'])}[/]"
            )
    if answer["issuer"]["id"]:
        out.print(f"  issuer: {escape(answer['issuer']['name'] or answer['issuer']['id'])}")
    for name in ("leniencies", "warnings"):
        if answer[name]:
            out.print(f"  {name}: {escape(', '.join(answer[name]))}")
    if answer["claims"]:
        out.print("  what it says:" if answer["believed"] else "  what it says, [bold]not believed[/]:")
        for line in (
            msgspec.json.format(msgspec.json.encode(answer["claims"]), indent=2).decode().splitlines()
        ):
            out.print(f"    {escape(line)}", soft_wrap=True)
    if answer["hint"]:
        out.print(f"  → {escape(answer['hint'])}")


def _why(answer: dict[str, Any]) -> str:
    parts = answer.get("parts", {})
    return next(
        (one["sentence"] for one in parts.values() if one["outcome"] == answer["outcome"] != "yes"), ""
    )


_ACTIONS = {"verify": _verify}
