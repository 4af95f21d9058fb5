"""Every shipped source, its sample beside it: the real shape, values of our own, and what must come of them.

`shares/samples/{source}.json` (.csv, .xml, .html, …), or `{source}-{what}.json`, is read as the source file says.
`{source}.expected.toml` beside it holds parts of the records by their key; `absent` names fields that stay empty,
`gone` a record that is taken back, `format` how this sample is read where it is not as `[fetch]` says. Every row of
`{source}-quarantined.json` is refused, with the reasons that `quarantined` lists.
"""

import asyncio
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from landbridge.errors import RowError
from landbridge.find.connect import connect
from landbridge.find.harvest import harvest, replay_pages
from landbridge.find.journal import Journal
from landbridge.find.mapping import Mapped, Mapper, read_row
from landbridge.find.read import Format, read
from landbridge.find.source import Source
from landbridge.kinds.kind import read_kinds
from landbridge.members.member import SHIPPED, read_members

AT = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = read_kinds()
MEMBERS = read_members([SHIPPED], KINDS)
SOURCES = [source for member in MEMBERS.values() for source in member.sources.values()]


def samples_of(source: Source) -> list[Path]:
    """The samples of a source: those of `jobs-bulk` are not those of `jobs`."""
    assert source.folder is not None
    names = MEMBERS[source.member].sources
    found = []
    for path in sorted((source.folder / "samples").glob(f"{source.name}*")):
        stem = path.name.partition(".")[0]
        owners = [name for name in names if stem == name or stem.startswith(f"{name}-")]
        if owners and max(owners, key=len) == source.name and not path.name.endswith(".expected.toml"):
            found.append(path)
    return found


def expected_of(sample: Path) -> dict[str, Any]:
    path = sample.with_name(sample.name.partition(".")[0] + ".expected.toml")
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def form_of(source: Source, expected: dict[str, Any]) -> Format:
    """How a sample is read: as the answers of the register, or as its recorded files."""
    if "format" in expected:
        return source.reading(expected["format"])
    if "entry" in source.fetch:  # a feed whose records stand behind its events
        return source.reading({"items": "", "each": source.fetch["entry"].get("items", "")})
    if not source.fetch and source.replay:
        return source.reading(source.replay[0].format)
    return source.reading()


def rows_of(source: Source, sample: Path) -> list[Mapped | RowError]:
    """What becomes of each row of a sample."""
    mapper = Mapper(source, KINDS[source.kind])
    found: list[Mapped | RowError] = []
    for row in read(sample, source.id, form_of(source, expected_of(sample))):
        try:
            if row.fault:
                raise RowError(source.id, row.fault)
            found.append(read_row(mapper, row.decode(), at=AT))
        except RowError as error:
            found.append(error)
    return found


def assert_holds(value: Any, wanted: Any, where: str) -> None:
    """`wanted` is part of `value`: of an object some fields, of a list every item."""
    if isinstance(wanted, dict):
        assert isinstance(value, dict), where
        for name, part in wanted.items():
            assert name in value, f"{where}.{name} is missing in {value}"
            assert_holds(value[name], part, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(value, list | tuple), where
        assert len(value) == len(wanted), f"{where}: {value}"
        for n, part in enumerate(wanted):
            assert_holds(value[n], part, f"{where}.{n}")
    else:
        assert value == wanted, where


ALL = [(source, sample) for source in SOURCES for sample in samples_of(source)]
GOOD = [(source, sample) for source, sample in ALL if "-quarantined." not in sample.name]
BAD = [(source, sample) for source, sample in ALL if "-quarantined." in sample.name]


def _name(pair: tuple[Source, Path]) -> str:
    return f"{pair[0].member}/{pair[1].name}"


@pytest.mark.parametrize("member", MEMBERS.values(), ids=lambda m: m.id)
def test_no_source_file_of_a_shipped_member_is_broken(member: Any) -> None:
    assert not member.broken
    assert member.sources


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.id)
def test_a_shipped_source_says_how_it_is_reached_and_under_what_terms(source: Source) -> None:
    assert source.licence
    assert source.fetch or source.replay
    if "with" in source.fetch:
        connect(source)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.id)
def test_a_shipped_source_has_a_sample(source: Source) -> None:
    assert [path for path in samples_of(source) if "-quarantined." not in path.name]


@pytest.mark.parametrize("pair", GOOD, ids=_name)
def test_a_sample_becomes_the_records_that_are_expected(pair: tuple[Source, Path]) -> None:
    source, sample = pair
    records: dict[str, Mapped] = {}
    for one in rows_of(source, sample):
        assert isinstance(one, Mapped), f"{one.reason}; {one.hint}"
        records.setdefault(one.key, one)
    wanted = expected_of(sample).get("records", {})
    assert wanted.keys() <= records.keys()
    for key, parts in wanted.items():
        mapped = records[key]
        assert mapped.gone is parts.get("gone", False), key
        if mapped.gone:
            continue
        values = msgspec.to_builtins(mapped.values)
        values["language"] = mapped.language
        for name in parts.get("absent", []):
            assert name not in values, f"{key}.{name}"
        assert_holds(values, {k: v for k, v in parts.items() if k not in ("absent", "gone")}, key)


@pytest.mark.parametrize("pair", BAD, ids=_name)
def test_rows_that_cannot_be_understood_are_refused_with_their_reason(pair: tuple[Source, Path]) -> None:
    source, sample = pair
    found = rows_of(source, sample)
    reasons = expected_of(sample)["quarantined"]
    assert len(found) == len(reasons)
    for one, reason in zip(found, reasons, strict=True):
        assert isinstance(one, RowError), reason
        assert reason in one.reason


def test_an_answer_without_vacancies_is_no_row_and_no_fault() -> None:
    source = MEMBERS["ru"].sources["trudvsem"]
    assert rows_of(source, source.folder / "samples" / "trudvsem-empty.json") == []


def test_the_same_advertisements_as_a_table_are_unchanged_repeats(tmp_path: Path) -> None:
    source = MEMBERS["kz"].sources["hh"]
    folder = source.folder / "samples"
    table = source.reading({"kind": "csv", "items": "", "cells": "literals"})
    files = [(folder / "hh.json", source.reading()), (folder / "hh-table.csv", table)]
    journal = Journal(tmp_path / "journal.db", KINDS)
    told = asyncio.run(harvest(source, replay_pages(source, files), journal=journal, kind=KINDS[source.kind]))
    journal.close()
    assert (told.new, told.unchanged, told.changed, told.duplicate_key, told.quarantined) == (4, 3, 0, 0, 0)
