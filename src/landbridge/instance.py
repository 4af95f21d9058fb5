"""An instance: the kinds, members, journal and indexes that one data directory holds together."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from landbridge.clear import rule
from landbridge.clear.rule import Rule
from landbridge.config import Settings
from landbridge.errors import ConfigError, FetchError, NotFound, StorageError, UsageError
from landbridge.find import doctor, matching, rates
from landbridge.find import harvest as harvesting
from landbridge.find.connect import connect
from landbridge.find.connect.http import Client
from landbridge.find.harvest import Harvested
from landbridge.find.index import Index, Removal, open_index
from landbridge.find.index.protocol import View
from landbridge.find.journal import Counts, Journal, SourceState, moment
from landbridge.find.matching import Match
from landbridge.find.query import Query
from landbridge.find.record import Record
from landbridge.find.search import Result, Standing, every, search
from landbridge.find.source import Source
from landbridge.find.suggest import Suggester, Suggestion
from landbridge.kinds.kind import Kind, read_kinds
from landbridge.members.member import SHIPPED, Member, pick, read_members
from landbridge.prove.trust import store
from landbridge.prove.verify import Trust

_MANY = 4_000  # changes from which on indexing goes to a process of its own
_STALE = 2.0  # a source not harvested for so many of its intervals is stale
_STANDING = 2.0  # seconds for which the members' standing is remembered
_NAMED = 1_024  # choices of members that are remembered


class Instance:
    """One Landbridge. Everything is opened on first use; `close` gives it back."""

    def __init__(self, settings: Settings, *, folders: Sequence[Path] = ()) -> None:
        self.settings = settings
        self.folders = tuple(folders)
        self._indexes: dict[tuple[str, str], Index] = {}
        self._suggester = Suggester()
        self._standing: tuple[float, dict[tuple[str, str], Standing]] = (0.0, {})
        self._sharing: dict[tuple[str, tuple[str, ...]], list[Member]] = {}

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        return read_kinds([self.settings.data / "kinds"])

    @cached_property
    def members(self) -> dict[str, Member]:
        own = self.settings.data / "members"
        folders = [*(self.folders or [SHIPPED]), own, *self.settings.members]
        return read_members(folders, self.kinds)

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.settings.journal, self.kinds)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """What destinations demand: the instance's own rules (`rules/`), and its members' (`demands/`)."""
        folders = [*(self.folders or [SHIPPED]), self.settings.data / "members", *self.settings.members]
        demands = [path for folder in folders for path in sorted(folder.glob("*/demands"))]
        own = self.settings.data / "rules"
        return rule.load([path for path in (own, *demands) if path.is_dir()])

    @cached_property
    def rates(self) -> rates.Rates:
        own = self.settings.data / "rates.toml"
        return rates.load(own if own.exists() else None)

    def trust(self, now: datetime | None) -> Trust:
        """What this instance believes of credentials: its trust store, and the issuers its members' folders list.

        `now` is this machine's clock, held against the newest time the store knows of; None for a time that
        was asked for on purpose.
        """
        folders = (*(self.folders or [SHIPPED]), *self.settings.members)
        return store.of_instance(self.settings.data, now=now, folders=folders)

    def close(self) -> None:
        for index in self._indexes.values():
            index.close()
        self._indexes.clear()
        if "journal" in self.__dict__:
            self.journal.close()

    def source(self, name: str) -> Source:
        """A source by `member/name`. Raises NotFound."""
        member, _, short = name.partition("/")
        found = self.members.get(member)
        if found is None or short not in found.sources:
            raise NotFound(f"no source {name!r}", hint="landbridge member list")
        return found.sources[short]

    # find

    def index(self, member: str, kind: str) -> Index:
        """The index of one member and kind, opened once."""
        key = (member, kind)
        if key not in self._indexes:
            self._indexes[key] = open_index(
                self.settings.index or self.settings.data / "index", member, self.kinds[kind], self.rates
            )
        return self._indexes[key]

    def find(self, query: Query, *, snippets: bool = True) -> Result:
        """The one ranked answer of the members a query names, and how each of them stands."""
        members = self._asked(query)
        standings = self.standings(query.kind)
        indexes: dict[str, Index | Exception] = {}
        for member in members:
            if standings[member.id].state == "never":
                continue
            try:
                indexes[member.id] = self.index(member.id, query.kind)
            except (OSError, ValueError, ConfigError) as error:
                indexes[member.id] = error
        return search(
            query,
            kind=self.kinds[query.kind],
            indexes=indexes,
            members={m.id: m for m in members},
            standings={m.id: standings[m.id] for m in members},
            rates=self.rates,
            snippets=snippets,
        )

    def every(self, query: Query) -> Iterator[list[bytes]]:
        """Every record (JSON) that a query matches, some at a time, however many there are."""
        standings = self.standings(query.kind)
        members = {m.id: m for m in self._asked(query) if standings[m.id].state != "never"}
        indexes = {name: self.index(name, query.kind) for name in members}
        return every(query, kind=self.kinds[query.kind], indexes=indexes, members=members)

    def _views(self, kind: str, members: Iterable[str]) -> dict[str, View]:
        """The indexes of these members as they now are; one that cannot be opened is left out."""
        found: dict[str, View] = {}
        standings = self.standings(kind)
        for member in members:
            if standings[member].state != "never":
                with contextlib.suppress(OSError, ValueError, ConfigError):
                    found[member] = self.index(member, kind).view()
        return found

    def suggest(
        self, text: str, kind: str, *, field: str = "", language: str = "", limit: int = 8
    ) -> list[Suggestion]:
        """Occupations, places and skills of the records that begin so. Raises NotFound for no kind."""
        if kind not in self.kinds:
            raise NotFound(f"no kind {kind[:60]!r}", hint=f"kinds: {', '.join(self.kinds)}")
        views = self._views(kind, self.members)
        return self._suggester.suggest(
            self.kinds[kind], views, text, field=field, language=language, limit=limit
        )

    def mark(self, query: Query) -> str:
        """Changes with whatever could change the answer to a query; found without searching."""
        members = [m.id for m in self._asked(query)]
        standings = self.standings(query.kind)
        stands = [(m, standings[m].state, standings[m].as_of, standings[m].harvested) for m in members]
        seqs = {name: view.seq for name, view in self._views(query.kind, members).items()}
        parts = (query.print_of(), query.cursor, query.limit, query.facets, query.explain)
        text = msgspec.json.encode((parts, self.rates.version, stands, seqs))
        return blake2b(text, digest_size=9).hexdigest()

    def _asked(self, query: Query) -> list[Member]:
        """The members that a query names and that share its kind, remembered for the next one that names them."""
        key = (query.kind, query.members)
        found = self._sharing.get(key)
        if found is None:
            if len(self._sharing) >= _NAMED:
                self._sharing.clear()
            found = self._sharing[key] = [
                m
                for m in pick(self.members, query.members)
                if any(s.kind == query.kind for s in m.sources.values())
            ]
        return found

    def standings(self, kind: str) -> dict[str, Standing]:
        """How each member stands for a kind: what its sources hold, claim and last did."""
        at, known = self._standing
        if time.monotonic() - at > _STANDING:
            known = self._read_standings()
            self._standing = (time.monotonic(), known)
        return {
            m.id: known.get((m.id, kind), Standing(id=m.id, name=m.name, state="never"))
            for m in self.members.values()
        }

    def _read_standings(self) -> dict[tuple[str, str], Standing]:
        by_part: dict[tuple[str, str], list[SourceState]] = {}
        for state in self.journal.states():
            by_part.setdefault((state.member, state.kind), []).append(state)
        return {
            (member, kind): self._stand(self.members[member], states)
            for (member, kind), states in by_part.items()
            if member in self.members
        }

    def _stand(self, member: Member, states: list[SourceState]) -> Standing:
        now = time.time()
        goods = [s.last_good for s in states if s.last_good is not None]
        claims = [s.claimed for s in states if s.claimed is not None]
        worst, why = "ok", ""
        order = ("ok", "stale", "held", "failed")
        for state in states:
            run = state.last_run
            short = state.name.partition("/")[2]
            source = member.sources.get(short)
            found, reason = "ok", ""
            if run is not None and run.state == "failed":
                found, reason = ("failed" if state.last_good is None else "stale"), f"{short}: {run.why}"
            elif run is not None and run.state == "interrupted":
                found, reason = "stale", f"{short}: {run.why}"
            elif run is not None and run.state == "held":
                found, reason = "held", f"{short}: {run.why}"
            elif state.last_good and source and now - state.last_good > _STALE * source.every:
                found, reason = "stale", f"{short}: last harvested {_ago(now - state.last_good)} ago"
            if order.index(found) > order.index(worst):
                worst, why = found, reason
        if not goods and worst == "ok":
            worst = "never"
        return Standing(
            id=member.id,
            name=member.name,
            state=worst,  # type: ignore[arg-type]
            as_of=datetime.fromtimestamp(min(goods), UTC) if goods else None,
            harvested=sum(s.alive for s in states),
            claimed=sum(claims) if len(claims) == len(states) else None,
            why=why,
        )

    def record(self, id_: str) -> Record:
        """A record by its identifier, gone or not. Raises NotFound."""
        return self.journal.record(id_)

    def similar(self, record: Record, *, language: str = "en", limit: int = matching.MOST) -> list[Match]:
        """Records of its kind that are most like a record, with the reasons."""
        kind = self.kinds[record.kind]
        return matching.similar(record, kind, self._ask, language=language, limit=limit)

    def matches(self, record: Record, *, language: str = "en", limit: int = matching.MOST) -> list[Match]:
        """Candidates for a vacancy, or vacancies for a candidate, with the reasons and what is missing."""
        return matching.matches(record, self.kinds, self._ask, language=language, limit=limit)

    def _ask(self, query: Query) -> Result:
        return self.find(query, snippets=False)

    def describe_members(self) -> list[dict[str, Any]]:
        """Every member with its sources, and how each of them stands."""
        states = {s.name: s for s in self.journal.states()}
        return [
            {
                "id": member.id,
                "name": member.name,
                "countries": list(member.countries),
                "kind_of": member.kind_of,
                "url": member.url,
                "sources": [_describe(source, states.get(source.id)) for source in member.sources.values()],
                "broken": member.broken,
            }
            for member in self.members.values()
        ]

    def runs(self, source: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """The last runs of a source, newest first; `counts` are read, new, changed, gone, quarantined."""
        if source not in {s.name for s in self.journal.states()}:
            return []
        return [
            {
                "started": moment(run.started),
                "state": run.state,
                "why": run.why,
                "counts": [
                    run.counts.read,
                    run.counts.new,
                    run.counts.changed,
                    run.counts.gone,
                    run.counts.quarantined,
                ],
            }
            for run in self.journal.runs(source, limit=limit)
        ]

    # the doctor

    def examine_target(self, target: str, *, kind: str, member: str) -> doctor.Report:
        """The doctor's report on a source file, a data file or an address. Raises UsageError."""
        if target.startswith(("http://", "https://")):
            return asyncio.run(self._examine_address(target, kind=kind, member=member))
        path = Path(target)
        if not path.is_file():
            raise UsageError(f"{target} is not there", parameter="FILE|URL")
        if path.suffix == ".toml":
            return doctor.examine_source(path, self.kinds)
        return doctor.examine_bytes(path.read_bytes(), path.name, kinds=self.kinds, kind=kind, member=member)

    async def _examine_address(self, url: str, *, kind: str, member: str) -> doctor.Report:
        probe = Source(
            title=url,
            kind=kind,
            deletes="none",
            map={"id": "id"},
            member=member,
            name="address",
            fetch={"url": url},
        )
        async with Client(contact=self.settings.contact, allow_private=self.settings.private) as client:
            try:
                reply = await client.get(probe, url)
            except FetchError as error:
                finding = doctor.Finding("bad", "address", error.reason, error.hint)
                return doctor.Report(url, [finding])
        return doctor.examine_bytes(reply.body, url, kinds=self.kinds, kind=kind, member=member, url=url)

    def examine(self) -> list[doctor.Finding]:
        """What there is to say about this instance: its disk, journal, indexes, rates, sources."""
        found = [self._examine_disk()]
        wrong = self.journal.check()
        found += [doctor.Finding("bad", "journal", one, "restore the last backup") for one in wrong]
        if not wrong:
            total = sum(s.alive for s in self.journal.states())
            found.append(doctor.Finding("good", "journal", f"{total:,} records, sound"))
        for member, kind in self.journal.parts():
            if kind not in self.kinds:
                continue
            index = self.index(member, kind)
            behind = self.journal.last_seq(member, kind) - index.last_seq
            if index.outdated:
                found.append(
                    doctor.Finding(
                        "look", f"index {member} {kind}", index.outdated, "landbridge index rebuild"
                    )
                )
            elif behind > 0:
                found.append(
                    doctor.Finding(
                        "look",
                        f"index {member} {kind}",
                        "it is behind the journal",
                        "landbridge index rebuild",
                    )
                )
        day = self.rates.date("USD")
        found.append(doctor.Finding("good", "exchange rates", f"of {day}, {self.rates.source('USD')}"))
        for one in self.members.values():
            found += [doctor.Finding("bad", f"{one.id}/{name}", why) for name, why in one.broken.items()]
        for incident in self.journal.incidents():
            found.append(doctor.Finding("look", incident.source, f"{incident.code}: {incident.what}"))
        return found

    def _examine_disk(self) -> doctor.Finding:
        data = self.settings.data
        data.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(data).free
        words = f"{data}, {free / 1e9:,.1f} GB free"
        if free < 1e9:
            return doctor.Finding("bad", "disk", words, "a harvest needs room: at least 1 GB")
        return doctor.Finding("good", "disk", words)

    # harvest

    def follow(self, parts: Sequence[tuple[str, str]] = ()) -> int:
        """Brings the indexes up to the journal; returns how many changes they took."""
        done = 0
        for member, kind in parts or self.journal.parts():
            if kind not in self.kinds:
                continue
            index = self.index(member, kind)
            if self.kinds[kind].personal and _withdrawn(self.journal, member, kind, index.last_seq):
                # a deleted record stays in the engine's files until they are made anew
                done += index.rebuild(_every_change(self.journal, member, kind))
            else:
                done += follow(self.journal, index, member, kind)
        return done

    def rebuild(self, report: Callable[[str, str, int], None] | None = None) -> int:
        """Throws every index away and makes it again from the journal."""
        done = 0
        for member, kind in self.journal.parts():
            index = self.index(member, kind)
            took = index.rebuild(_every_change(self.journal, member, kind))
            done += took
            if report is not None:
                report(member, kind, took)
        return done

    async def harvest(
        self,
        names: Sequence[str] = (),
        *,
        replay: Sequence[Path] = (),
        due_only: bool = False,
        at: datetime | None = None,
        progress: harvesting.Progress | None = None,
        report: Callable[[Harvested], None] | None = None,
    ) -> list[Harvested]:
        """Harvests the sources of these members (or `member/source` names); all without any.

        With `replay`, recorded files take the place of the registers, read as if it were `at`. One source's
        failure is its own.
        """
        files = [f for p in replay for f in ([p] if p.is_file() else sorted(p.rglob("*"))) if f.is_file()]
        done: list[Harvested] = []
        todo = list(self._chosen(names))
        if due_only:
            due = {s.name: s.next for s in self.journal.states()}
            todo = [s for s in todo if due.get(s.id, 0.0) <= time.time()]
        async with contextlib.AsyncExitStack() as stack:
            client = None
            if not replay:
                client = await stack.enter_async_context(
                    Client(
                        contact=self.settings.contact,
                        allow_private=self.settings.private,
                        folders=[self.settings.data],
                    )
                )
            gate = asyncio.Semaphore(4)
            follower = stack.enter_context(_Follower(self.settings))

            def watch(name: str, counts: Counts, claimed: int | None) -> None:
                follower.notice(name, counts)
                if progress is not None:
                    progress(name, counts, claimed)

            async def one(source: Source) -> None:
                if replay:
                    found = harvesting.match_replay(source, files)
                    if not found:
                        return
                    pages: harvesting.Pages = harvesting.replay_pages(source, found)
                elif source.fetch and client is not None:
                    pages = _bind(source, client)
                else:
                    return
                async with gate:
                    result = await harvesting.harvest(
                        source,
                        pages,
                        journal=self.journal,
                        kind=self.kinds[source.kind],
                        at=at,
                        progress=watch,
                        recorded=bool(replay),
                    )
                if not follower.running:
                    self.follow([(source.member, source.kind)])
                done.append(result)
                if report is not None:
                    report(result)

            await asyncio.gather(*(one(s) for s in todo))
        self.follow(sorted({(s.member, s.kind) for s in todo} & set(self.journal.parts())))
        self._standing = (0.0, {})
        return sorted(done, key=lambda h: h.source)

    def unmatched(self, replay: Sequence[Path]) -> list[Path]:
        """Files under these paths that no source reads."""
        files = [f for p in replay for f in ([p] if p.is_file() else sorted(p.rglob("*"))) if f.is_file()]
        used = {
            f
            for m in self.members.values()
            for s in m.sources.values()
            for f, _ in harvesting.match_replay(s, files)
        }
        return [f for f in files if f not in used and f.suffix != ".toml"]

    def _chosen(self, names: Sequence[str]) -> Iterator[Source]:
        exact = [n for n in names if "/" in n]
        for name in exact:
            yield self.source(name)
        plain = [n for n in names if "/" not in n]
        if names and not plain:
            return
        for member in pick(self.members, plain):
            yield from member.sources.values()


class _Follower:
    """A process that indexes beside a large harvest, so that both cores work; small ones do without.

    It lives as long as its standard input: a harvest that is killed takes it along.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._changes: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def notice(self, name: str, counts: Counts) -> None:
        """Starts it once the harvest has brought enough changes."""
        self._changes[name] = counts.new + counts.changed
        if self._process is None and sum(self._changes.values()) > _MANY:
            s = self._settings
            env = {
                **os.environ,
                "LANDBRIDGE_DATA": str(s.data),
                "LANDBRIDGE_JOURNAL": s.journal,
                "LANDBRIDGE_INDEX": s.index,
            }
            words = [sys.executable, "-m", "landbridge", "index", "follow"]
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=env)

    def __enter__(self) -> "_Follower":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()


def _describe(source: Source, state: SourceState | None) -> dict[str, Any]:
    run = state.last_run if state else None
    return {
        "id": source.id,
        "title": source.title,
        "kind": source.kind,
        "licence": source.licence,
        "store": source.store,
        "deletes": source.deletes,
        "harvested": state.alive if state else 0,
        "claimed": state.claimed if state else None,
        "last_run": moment(run.started) if run else None,
        "as_of": moment(state.last_good) if state and state.last_good else None,
        "state": run.state if run else "never",
        "why": run.why if run else "",
        "incidents": state.incidents if state else 0,
    }


def follow(journal: Journal, index: Index, member: str, kind: str) -> int:
    """Brings one index up to the journal, some thousand changes a commit.

    Raises StorageError when the disk refuses: the journal has everything, and the next call goes on.
    """
    done = 0
    while True:
        changes = journal.changes(member, kind, index.last_seq)
        if not changes:
            return done
        try:
            index.write((c.seq, c.record if c.record is not None else Removal(c.id)) for c in changes)
        except OSError as error:
            raise StorageError(
                str(error), hint="make room, then landbridge index follow, or harvest again"
            ) from error
        done += len(changes)


def _withdrawn(journal: Journal, member: str, kind: str, after: int) -> bool:
    """Whether anything indexed until `after` was withdrawn or said otherwise since."""
    if not after:
        return False
    while changes := journal.changes(member, kind, after):
        if any(c.record is None or c.record.changed != c.record.first_seen for c in changes):
            return True
        after = changes[-1].seq
    return False


def _every_change(journal: Journal, member: str, kind: str) -> Iterator[tuple[int, Record | Removal]]:
    after = 0
    while changes := journal.changes(member, kind, after):
        yield from ((c.seq, c.record if c.record is not None else Removal(c.id)) for c in changes)
        after = changes[-1].seq


def _bind(source: Source, client: Client) -> harvesting.Pages:
    pages = connect(source)
    return lambda cursor: pages(source, client, cursor)


def _ago(seconds: float) -> str:
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} seconds"
