"""Connectors: everything is read, the end is known, and no fault of a register deletes anything."""

import asyncio
import gzip
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import (
    Broken,
    Drift,
    FetchError,
    Forbidden,
    Looping,
    Refused,
    Slowdown,
    SourceFileError,
)
from landbridge.find.connect import Page, connect
from landbridge.find.connect.http import Client
from landbridge.find.connect.pages import at, fill, fill_url
from landbridge.find.harvest import Harvested, harvest
from landbridge.find.journal import Journal
from landbridge.find.source import Source, parse_source
from landbridge.kinds.kind import read_kinds
from tests.registers import BEGIN, Register, records, serving, stamp

KINDS = read_kinds()
MAP = 'id = "id"\ntitle = "title"\n'
IGNORE = ("area", "city", "company", "contract", "modified", "removed", "text")


def source(
    fetch: str,
    *,
    map_: str = MAP,
    ignore: tuple[str, ...] = IGNORE,
    deletes: str = "absence",
    folder: Path | None = None,
    name: str = "jobs",
) -> Source:
    text = f"""
title = "Altania: vacancies"
kind = "vacancy"
language = "en"
deletes = "{deletes}"
ignore = {list(ignore)}
[map]
{map_}
[fetch]
{fetch}
"""
    return parse_source(text, KINDS, member="xa", name=name, folder=folder)


def client(**more: Any) -> Client:
    return Client(**{"allow_private": True, "attempts": 2, "wait": 0.01, "longest_wait": 1.0, **more})


async def read_all(from_: Source, one: Client, cursor: Any = None) -> list[Page]:
    return [page async for page in connect(from_)(from_, one, cursor)]


def run(register: Register, fetch: str, cursor: Any = None, **more: Any) -> list[Page]:
    """All pages of a source at this register; URL in `fetch` is its address."""

    async def reading() -> list[Page]:
        async with serving(register) as url, client() as one:
            return await read_all(source(fetch.replace("URL", url), **more), one, cursor)

    return asyncio.run(reading())


def together(
    register: Register, fetch: str, story: Callable[[Source, Client], Awaitable[None]], **more: Any
) -> None:
    """A story of several runs at one register."""

    async def telling() -> None:
        async with serving(register) as url, client() as one:
            await story(source(fetch.replace("URL", url), **more), one)

    asyncio.run(telling())


def ids(pages: list[Page], name: str = "id") -> list[str]:
    return [row.decode()[name] for page in pages for row in page.rows]


def all_of(register: Register) -> list[str]:
    return [r["id"] for r in register.records]


PAGED = 'with = "json-pages"\nitems = "data.items"\ntotal = "meta.total"\n'
WITHOUT_TOTAL = 'with = "json-pages"\nitems = "data.items"\n'

PAGING = {
    "a page in the query": PAGED + 'url = "URL/pages?page={page}&size={limit}"\npage_size = 50',
    "a page as a parameter": PAGED + 'url = "URL/pages"\nparams = { size = "{limit}" }\npage_size = 40\n'
    'paginator = { type = "page_number" }',
    "a page in the path": PAGED + 'url = "URL/pages/{page}"\npaginator = "page_number"',
    "pages from one": PAGED
    + 'url = "URL/pages?page={page}&base=1"\npaginator = { type = "page_number", base_page = 1 }',
    "a number of pages": WITHOUT_TOTAL + 'url = "URL/pages?page={page}"\n'
    'paginator = { type = "page_number", total_path = "meta.pages" }',
    "pages without a total": WITHOUT_TOTAL + 'url = "URL/pages?page={page}"\npage_size = 50',
    "full pages without a total": WITHOUT_TOTAL + 'url = "URL/pages?page={page}&size=46"\npage_size = 46',
    "an offset": PAGED + 'url = "URL/offset"\npaginator = { type = "offset", limit = 60 }',
    "an offset beyond what is given at once": PAGED
    + 'url = "URL/offset"\npaginator = { type = "offset", limit = 5000 }',
    "a flag that there is more": WITHOUT_TOTAL + 'url = "URL/offset"\n'
    'paginator = { type = "offset", limit = 46, has_more_path = "meta.more" }',
    "a posted page": PAGED
    + 'url = "URL/search"\nmethod = "POST"\npage_size = 33\npaginator = "page_number"\n'
    'json = { page = { number = "{page}", size = "{limit}" } }',
    "a page put into the body": PAGED
    + 'url = "URL/search"\nmethod = "POST"\njson = { page = { size = 70 } }\n'
    'paginator = { type = "page_number", page_body_path = "page.number" }',
    "a token": PAGED
    + 'url = "URL/cursor"\npaginator = { type = "cursor", cursor_path = "meta.next", cursor_param = "after" }',
    "a link": WITHOUT_TOTAL
    + 'url = "URL/link"\npaginator = { type = "json_link", next_url_path = "paging.next" }',
    "a link in a header": 'with = "json-pages"\nurl = "URL/header-link"\ntotal = "header:X-Total-Count"\npaginator = "header_link"',
    "a token in a header": 'with = "json-pages"\nurl = "URL/header-cursor"\n'
    'paginator = { type = "header_cursor", cursor_key = "X-Next" }',
    "a range in the query": 'with = "json-pages"\nitems = "resultats"\nurl = "URL/range"\n'
    'paginator = { type = "range_header", range_param = "range" }',
    "a range in a header": 'with = "json-pages"\nitems = "resultats"\nurl = "URL/range"\n'
    'paginator = { type = "range_header", limit = 46 }',
    "one page": 'with = "json-pages"\nurl = "URL/single"',
}


@pytest.mark.parametrize("how", PAGING)
def test_every_way_of_paging_reads_everything_once(how: str) -> None:
    register = Register(230, page_cap=100)
    found = run(register, PAGING[how])
    assert ids(found) == all_of(register)
    assert [page.last for page in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].complete
    assert found[-1].notes == []
    assert found[-1].claimed in (230, None)


@pytest.mark.parametrize("how", [how for how in PAGING if how != "one page"])
def test_every_way_of_paging_goes_on_at_the_page_where_it_stopped(how: str) -> None:
    register = Register(230, page_cap=100)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        middle = msgspec.json.decode(msgspec.json.encode(first[0].cursor))
        rest = await read_all(from_, one, middle)
        assert ids(first[:1]) + ids(rest) == all_of(register)
        assert rest[-1].complete

    together(register, PAGING[how], story)


@pytest.mark.parametrize("how", PAGING)
def test_an_empty_register_is_never_proof_that_all_is_gone_unless_it_says_zero(how: str) -> None:
    found = run(Register([]), PAGING[how])
    assert ids(found) == []
    says_zero = "total =" in PAGING[how] or "range_header" in PAGING[how]
    assert found[-1].complete == says_zero


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 130), size=st.integers(1, 40), cap=st.integers(1, 50), known=st.booleans())
def test_no_number_of_rows_page_size_and_server_limit_loses_a_row(
    count: int, size: int, cap: int, known: bool
) -> None:
    register = Register(count, page_cap=cap)
    start = PAGED if known else WITHOUT_TOTAL
    found = run(register, start + f'url = "URL/offset"\npaginator = {{ type = "offset", limit = {size} }}')
    assert sorted(set(ids(found))) == all_of(register)
    assert found[-1].complete == (known or count > 0)


def test_a_total_that_is_not_reached_is_said_with_its_remedy() -> None:
    found = run(Register(6_657, cap=2_000), PAGED + 'url = "URL/pages?page={page}&size=100"\npage_size = 100')
    assert len(ids(found)) == 2_000
    assert found[-1].claimed == 6_657
    assert not found[-1].complete
    (note,) = found[-1].notes
    assert note.startswith("claimed 6,657, read 2,000: the register caps a query at 2,000")
    assert note.endswith("add [fetch.slices]")


def test_a_configured_total_that_is_missing_proves_nothing() -> None:
    found = run(Register(30), WITHOUT_TOTAL + 'url = "URL/pages?page={page}"\ntotal = "meta.sum"')
    assert (len(ids(found)), found[-1].complete) == (30, False)
    assert "there is no total at 'meta.sum'" in found[-1].notes[0]


def test_rows_that_move_while_they_are_read_leave_the_run_incomplete() -> None:
    register = Register(200)

    async def story(from_: Source, one: Client) -> None:
        found: list[Page] = []
        async for page in connect(from_)(from_, one, None):
            found.append(page)
            if len(found) == 1:
                del register.records[0]  # everything behind it moves up; one row is never seen
        assert not found[-1].complete
        assert "claimed 200, read 199" in found[-1].notes[0]

    together(register, PAGED + 'url = "URL/pages?page={page}"', story)


def test_a_register_that_ignores_the_page_is_looping_and_the_hint_says_where_to_look() -> None:
    register = Register(300)
    register.fail("page-loop")
    with pytest.raises(Looping, match="the same page came before") as caught:
        run(register, PAGED + 'url = "URL/pages?page={page}"')
    assert "base_page = 1" in caught.value.hint


def test_a_register_that_ignores_the_page_and_gives_less_than_asked_proves_nothing() -> None:
    register = Register(300, page_cap=40)
    register.fail("page-loop")
    found = run(register, WITHOUT_TOTAL + 'url = "URL/pages?page={page}&size=50"\npage_size = 50')
    assert not found[-1].complete
    assert "the next page was repeated" in found[-1].notes[0]


@pytest.mark.parametrize("how", ["a token", "a link"])
def test_a_token_or_link_that_comes_again_is_looping(how: str) -> None:
    register = Register(300)
    register.fail("token-loop")
    with pytest.raises(Looping, match="was read before"):
        run(register, PAGING[how])


def test_a_list_in_one_page_that_did_not_change_is_not_read_again() -> None:
    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        again = await read_all(from_, one, first[-1].cursor)
        assert (ids(again), again[-1].complete, again[-1].keep_cursor) == ([], False, True)
        assert "not modified" in again[-1].notes[0]
        changed = msgspec.structs.replace(from_, ignore=("text",))
        assert len(ids(await read_all(changed, one, again[-1].cursor))) == 20

    together(Register(20), PAGING["one page"], story)


def test_a_key_that_a_register_repeats_in_its_links_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    register = Register(230, guard="query")
    monkeypatch.setenv("LANDBRIDGE_TEST_KEY", register.key)
    auth = '\nauth = { type = "api_key", name = "api_key", api_key = "env:LANDBRIDGE_TEST_KEY", location = "query" }'
    found = run(register, PAGING["a link"] + auth)
    assert found[-1].complete
    assert register.key not in repr([(page.cursor, page.url, page.notes) for page in found])


@pytest.mark.parametrize(
    "part", ['url = "URL/pages?p={pag}"', 'url = "URL/pages/{page}"\nparams = { a = "{area}" }']
)
def test_a_placeholder_that_nothing_fills_is_named(part: str) -> None:
    with pytest.raises(SourceFileError, match=r"\{(pag|area)\} is a placeholder that nothing fills"):
        run(Register(1), PAGED + part)


# only what changed


SINCE = (
    PAGED
    + 'url = "URL/pages?page={page}"\n'
    + 'incremental = { cursor_path = "modified", start_param = "modified_from", format = "%Y-%m-%dT%H:%M:%SZ" }'
)


def test_an_incremental_list_asks_only_for_what_changed_since() -> None:
    register = Register(120)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        assert len(ids(first)) == 120
        assert first[-1].keep_cursor
        register.records[7]["modified"] = stamp(BEGIN + timedelta(days=200))
        second = await read_all(from_, one, first[-1].cursor)
        assert ids(second) == ["v000007", "v000119"]
        assert not second[-1].complete
        third = await read_all(from_, one, second[-1].cursor)
        assert ids(third) == ["v000007"]

    together(register, SINCE, story, deletes="expiry")


def test_a_date_in_the_future_does_not_close_an_incremental_list_for_ever() -> None:
    register = Register(60)
    register.fail("clock-skew")
    found = run(register, SINCE, deletes="expiry")
    assert found[-1].cursor == {"since": register.records[-1]["modified"]}


def test_an_incremental_run_that_was_not_whole_starts_from_the_same_moment_again() -> None:
    register = Register(60)
    register.fail("high-total")
    found = run(register, SINCE, cursor={"since": "2026-01-01T00:00:00Z"}, deletes="expiry")
    assert found[-1].cursor == {"since": "2026-01-01T00:00:00Z"}


def test_absence_cannot_go_with_an_incremental_list() -> None:
    with pytest.raises(SourceFileError, match='deletes = "absence" cannot go with'):
        run(Register(3), SINCE)


# details


def test_the_detail_of_a_row_is_merged_into_it() -> None:
    detail = '\ndetail = { url = "URL/detail/{id}", items = "job" }'
    register = Register(30)
    found = run(register, PAGED + 'url = "URL/pages?page={page}"' + detail)
    rows = [row.decode() for page in found for row in page.rows]
    assert [r["id"] for r in rows] == all_of(register)
    assert {(r["hours"], r["text"], bool(r["title"])) for r in rows if r["id"] == "v000003"} == {
        (38, "All about v000003.", True)
    }


def test_the_detail_can_take_the_place_of_the_row_and_its_address_be_encoded() -> None:
    detail = '\ndetail = { url = "URL/detail/{id:base64}", items = "job", mode = "replace" }'
    found = run(Register(3), PAGED + 'url = "URL/pages?page={page}"' + detail)
    assert found[0].rows[1].decode() == {"id": "v000001", "text": "All about v000001.", "hours": 38}


def test_one_detail_that_cannot_be_read_is_a_fault_of_its_row_alone() -> None:
    register = Register(5)
    register.fail("error", where="/detail/v000002")
    detail = '\ndetail = { url = "URL/detail/{id}", items = "job" }'
    found = run(register, PAGED + 'url = "URL/pages?page={page}"' + detail)
    faults = [row.fault for page in found for row in page.rows]
    assert [bool(fault) for fault in faults] == [False, False, True, False, False]
    assert "it answers 500" in faults[2]
    assert found[-1].complete


def test_details_that_all_fail_are_the_fault_of_the_register() -> None:
    register = Register(5)
    register.fail("error", where="/detail")
    with pytest.raises(Refused):
        run(register, PAGED + 'url = "URL/pages?page={page}"\ndetail = { url = "URL/detail/{id}" }')


# capped queries


def sliced(cap: int, by: str, size: int = 100) -> str:
    return (
        PAGED
        + f'url = "URL/window?page={{page}}&size={size}"\npage_size = {size}\n[fetch.slices]\ncap = {cap}\n{by}'
    )


BY_DATE = 'by = "date"\nformat = "%Y-%m-%dT%H:%M:%SZ"\nstart = "2020-01-01"'
BY_AREA = 'by = "values"\nparam = "area"\nvalues = ["1", "2", "3", "4", "5", "6", "7", "8"]'


@pytest.mark.parametrize(("count", "cap", "size"), [(6_657, 2_000, 500), (54_000, 10_000, 1_000)])
def test_everything_is_read_from_a_register_that_caps_a_query(count: int, cap: int, size: int) -> None:
    register = Register(records(count, step=60.0), cap=cap)
    found = run(register, sliced(cap, BY_DATE, size))
    assert len(set(ids(found))) == count
    assert (found[-1].complete, found[-1].claimed, found[-1].notes) == (True, count, [])
    assert len(register.asked) < 2.2 * count / size + 40


def test_a_register_that_states_its_cap_as_the_total_is_read_whole_all_the_same() -> None:
    register = Register(3_000, cap=500, total_is_clipped=True)
    found = run(register, sliced(500, BY_DATE))
    assert len(set(ids(found))) == 3_000
    assert found[-1].complete
    assert found[-1].claimed == 3_000


def test_days_without_hours_are_cut_day_by_day() -> None:
    register = Register(1_500, cap=160)
    found = run(register, sliced(160, 'by = "date"\nformat = "%Y-%m-%d"\nstart = "2020-01-01"'))
    assert len(set(ids(found))) == 1_500
    assert found[-1].complete


def test_values_are_cut_into_their_parts_only_where_they_must_be() -> None:
    made = records(900)
    for r in made:
        r["area"] = "north" if r["area"] in "12345" else "south"
    for n, r in enumerate(made):
        r["area"] = f"north-{n % 3}" if r["area"] == "north" else "south"
    by = 'by = "values"\nparam = "area"\nvalues = [["north", ["north-0", "north-1", "north-2"]], "south"]'

    class Nested(Register):
        def _chosen(self, request: Any) -> list[dict[str, Any]]:
            area = request.query.get("area", "")
            return [r for r in self.records if r["area"].startswith(area)]

    register = Nested(made, cap=400)
    found = run(register, sliced(400, by))
    assert len(set(ids(found))) == 900
    assert found[-1].complete
    assert not any("area=south-" in asked for asked in register.asked)


def test_where_a_second_holds_too_much_the_next_dimension_cuts_on() -> None:
    made = records(3_000, step=0.0)
    by = "[[fetch.slices.by]]\n" + BY_DATE + "\n[[fetch.slices.by]]\n" + BY_AREA
    found = run(Register(made, cap=1_000), sliced(1_000, by, 250))
    assert len(set(ids(found))) == 3_000
    assert found[-1].complete


def test_a_second_that_holds_more_than_the_cap_is_said_to_be_incomplete() -> None:
    made = records(3_000, step=0.0) + [{**r, "id": f"w{r['id']}"} for r in records(500, seed=2)]
    found = run(Register(made, cap=2_000), sliced(2_000, BY_DATE, 500))
    assert not found[-1].complete
    assert len(set(ids(found))) == 2_499
    assert found[-1].notes[0] == "claimed 3,500, read 2,499 in windows below 2,000"
    assert "needs a further dimension" in found[-1].notes[1]
    assert "it holds 3,001" in found[-1].notes[2]


def test_rows_that_lie_in_no_window_are_said_to_be_missing() -> None:
    made = records(900)
    for r in made[:30]:
        r["area"] = "elsewhere"
    found = run(Register(made, cap=300), sliced(300, BY_AREA))
    assert not found[-1].complete
    assert found[-1].notes[:1] == ["claimed 900, read 870 in windows below 300"]
    assert "lies in no window" in found[-1].notes[1]


def test_a_sliced_run_goes_on_at_the_window_where_it_stopped() -> None:
    register = Register(2_000, cap=300)

    async def story(from_: Source, one: Client) -> None:
        pages = connect(from_)(from_, one, None)
        first = [await anext(pages) for _ in range(8)]
        await pages.aclose()
        asked = len(register.asked)
        rest = await read_all(from_, one, msgspec.json.decode(msgspec.json.encode(first[-1].cursor)))
        assert set(ids(first)) | set(ids(rest)) == set(all_of(register))
        assert rest[-1].complete
        assert len(register.asked) - asked < 45

    together(register, sliced(300, BY_DATE), story)


@pytest.mark.parametrize(
    ("fetch", "words"),
    [
        (
            WITHOUT_TOTAL + 'url = "https://a.example/?page={page}"\n[fetch.slices]\ncap = 5\n' + BY_DATE,
            "needs .fetch. total",
        ),
        (sliced(0, BY_DATE), "needs a cap"),
        (sliced(5, 'by = "date"\nstart = "soon"'), "'soon' is no date"),
        (sliced(5, 'by = "values"\nparam = "x"\nvalues = [1.5]'), "neither a value nor"),
        (sliced(5, 'by = "magic"'), "Invalid value 'magic'"),
    ],
)
def test_slices_that_cannot_work_are_refused_with_the_reason(fetch: str, words: str) -> None:
    with pytest.raises(SourceFileError, match=words):
        connect(source(fetch.replace("URL", "https://a.example")))


# feeds


NAV = """
with = "event-feed"
url = "URL/feed"
items = "items"
id = "_feed_entry.uuid"
removed = { path = "_feed_entry.status", equals = "INACTIVE" }
next_url_path = "next_url"
entry = { url = "/feedentry/{id}" }
"""
NAV_MAP = 'id = "uuid"\ntitle = "ad_content.title"\n'
STREAM = """
with = "event-feed"
url = "URL/stream"
snapshot = "URL/snapshot"
removed = { path = "removed" }
since = { param = "date", path = ["removed_date", "modified"], format = "%Y-%m-%dT%H:%M:%SZ" }
"""


def test_a_feed_of_linked_pages_is_read_to_its_end_and_goes_on_there() -> None:
    register = Register(120)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        assert ids(first, "uuid") == all_of(register)
        assert all(page.keep_cursor for page in first)
        quiet = await read_all(from_, one, first[-1].cursor)
        assert (ids(quiet, "uuid"), list(quiet[-1].gone)) == ([], [])
        assert "not modified" in quiet[-1].notes[0]
        register.events += [
            {"id": "v000003", "status": "INACTIVE", "at": "2026-02-01T00:00:00Z"},
            {"id": "v000004", "status": "INACTIVE", "at": "2026-02-01T00:00:01Z"},
            {"id": "v000003", "status": "ACTIVE", "at": "2026-02-01T00:00:02Z"},
        ]
        later = await read_all(from_, one, quiet[-1].cursor)
        assert later[-1].gone == ["v000004"]
        assert "v000003" in ids(later, "uuid")

    together(register, NAV, story, map_=NAV_MAP, ignore=("ad_content", "status"), deletes="tombstone")


def test_an_entry_that_is_not_there_any_more_is_gone() -> None:
    register = Register(20)
    del register.records[5]
    found = run(register, NAV, map_=NAV_MAP, deletes="tombstone")
    assert [key for page in found for key in page.gone] == ["v000005"]


def test_a_feed_whose_pages_lead_back_is_looping() -> None:
    register = Register(200)
    register.fail("token-loop")
    with pytest.raises(Looping, match="was read before"):
        run(register, NAV, map_=NAV_MAP, deletes="tombstone")


def test_a_stream_begins_with_its_snapshot_and_goes_on_from_the_newest_event() -> None:
    register = Register(100)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        assert set(ids(first)) == set(all_of(register))
        assert first[-1].cursor["since"] == stamp(BEGIN + timedelta(seconds=99 * 600 - 60))
        del register.records[10]
        register.records[11]["title"] = "Baker, now for the whole day"
        register.events += [
            {"id": "v000010", "status": "INACTIVE", "at": "2026-02-01T08:00:00Z"},
            {"id": "v000011", "status": "ACTIVE", "at": "2026-02-01T09:00:00Z"},
        ]
        later = await read_all(from_, one, first[-1].cursor)
        assert [key for page in later for key in page.gone] == ["v000010"]
        assert ids(later) == ["v000099", "v000011"]
        assert not any("/snapshot" in asked for asked in register.asked[2:])
        assert later[-1].cursor["since"] == "2026-02-01T08:59:00Z"

    together(register, STREAM, story, deletes="tombstone")


def test_the_latest_of_several_events_counts_whatever_their_order() -> None:
    register = Register(3)
    register.events = [
        {"id": "v000001", "status": "INACTIVE", "at": "2026-03-02T00:00:00Z"},
        {"id": "v000001", "status": "ACTIVE", "at": "2026-03-01T00:00:00Z"},
        {"id": "v000002", "status": "INACTIVE", "at": "2026-03-01T00:00:00Z"},
        {"id": "v000002", "status": "ACTIVE", "at": "2026-03-02T00:00:00Z"},
    ]
    cursor = {"since": "2026-02-01T00:00:00Z", "snapshot": True}
    found = run(register, STREAM, cursor=cursor, deletes="tombstone")
    assert [key for page in found for key in page.gone] == ["v000001"]
    assert ids(found) == ["v000002"]


def test_an_event_from_the_future_does_not_close_the_stream_for_ever() -> None:
    register = Register(5)
    register.events[0]["at"] = "2099-01-01T00:00:00Z"
    found = run(
        register, STREAM, cursor={"since": "2025-01-01T00:00:00Z", "snapshot": True}, deletes="tombstone"
    )
    assert found[-1].cursor["since"] == "2026-01-01T00:39:00Z"  # a minute before the newest of the others


def test_a_tombstone_feed_must_say_what_a_removal_looks_like() -> None:
    with pytest.raises(SourceFileError, match="does not say how an event tells it"):
        run(Register(1), 'with = "event-feed"\nurl = "URL/feed"\nnext_url_path = "x"', deletes="tombstone")


# sites


SITE = 'with = "json-ld"\nurl = "URL/sitemap.xml"'
BY_URL = 'id = "@url"\nurl = "@url"\ntitle = "title"\n'
BY_IDENTIFIER = 'id = "identifier.value"\ntitle = "title"\n'


@pytest.mark.parametrize("start", ["/sitemap.xml", "/robots.txt", "/", ""])
@pytest.mark.parametrize("map_", [BY_URL, BY_IDENTIFIER])
def test_every_page_of_a_site_is_found_through_its_sitemaps(start: str, map_: str) -> None:
    register = Register(40)
    found = run(register, f'with = "json-ld"\nurl = "URL{start}"', map_=map_)
    rows = [row.decode() for page in found for row in page.rows]
    assert [r["identifier"]["value"] for r in rows] == all_of(register)
    assert found[-1].complete
    assert [r.get("@url", "").rpartition("/")[2] for r in rows] == (
        all_of(register) if map_ == BY_URL else [""] * 40
    )


@pytest.mark.parametrize("map_", [BY_URL, BY_IDENTIFIER])
def test_a_page_whose_lastmod_stands_is_not_fetched_and_its_record_stays(map_: str) -> None:
    register = Register(40)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        register.asked.clear()
        register.records[4]["modified"] = "2026-06-01T00:00:00Z"
        del register.records[9]
        cursor = msgspec.json.decode(msgspec.json.encode(first[-1].cursor))
        second = await read_all(from_, one, cursor)
        assert len([asked for asked in register.asked if "/jobs/" in asked]) == 1
        still = [key for page in second for key in page.still]
        assert len(still) == 38
        assert any("v000005" in key for key in still)
        assert not any("v000009" in key for key in still)
        assert second[-1].complete

    together(register, SITE, story, map_=map_)


def test_a_page_that_cannot_be_read_keeps_its_record_and_the_run_is_not_complete() -> None:
    register = Register(30)
    register.fail("error", where="/jobs/v000007")
    found = run(register, SITE, map_=BY_URL)
    assert len(ids(found, "title")) == 29
    assert any("v000007" in key for page in found for key in page.still)
    assert not found[-1].complete
    assert "1 pages could not be read" in found[-1].notes[0]


def test_a_page_that_is_gone_is_gone() -> None:
    register = Register(30)
    register.fail("gone", where="/jobs/v000007")
    found = run(register, SITE, map_=BY_URL)
    assert [key.rpartition("%2F")[2] for page in found for key in page.gone] == ["v000007"]
    assert found[-1].complete


def test_robots_are_heard() -> None:
    register = Register(6)
    register.disallow = "/jobs/v000003"
    register.crawl_delay = 0.05
    found = run(register, SITE, map_=BY_URL)
    assert len(ids(found, "title")) == 5
    assert not any("v000003" in asked for asked in register.asked)
    assert found[-1].notes == ["1 pages of the sitemap may not be read, says the robots.txt of their host"]


def test_a_page_on_another_host_is_left_out_where_that_host_may_not_be_reached() -> None:
    register = Register(4)
    register.elsewhere_in_sitemap = "http://localhost:1/jobs/x"
    found = run(register, SITE, map_=BY_URL)
    assert len(ids(found, "title")) == 4
    assert not found[-1].complete


def test_only_wanted_pages_are_fetched() -> None:
    register = Register(10)
    found = run(register, SITE + '\nonly = "/jobs/v00000[0-4]"\nbut = "3$"', map_=BY_URL)
    assert len(ids(found, "title")) == 4


# EURES


EURES = 'with = "eures"\nurl = "URL/eures"\nbatch = 30'
EURES_MAP = 'id = "reference"\ntitle = "PositionProfile.PositionTitle"\n'


def test_the_input_interface_of_eures_is_read_whole_and_then_by_its_changes() -> None:
    register = Register(100)
    register.closed["v000002"] = 1_800_000_000_000

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        assert len(ids(first, "reference")) == 99
        assert [key for page in first for key in page.gone] == ["v000002"]
        assert (first[-1].complete, first[-1].claimed) == (True, 99)
        register.closed["v000005"] = 1_800_000_000_001
        register.changed["v000006"] = 1_800_000_000_002
        second = await read_all(from_, one, first[-1].cursor)
        assert [key for page in second for key in page.gone] == ["v000005"]
        assert ids(second, "reference") == ["v000006"]
        assert not second[-1].complete
        third = await read_all(from_, one, second[-1].cursor)
        assert (ids(third, "reference"), third[-1].gone) == ([], [])

    together(register, EURES, story, map_=EURES_MAP, deletes="tombstone")


def test_a_vacancy_that_eures_does_not_give_leaves_the_run_incomplete() -> None:
    register = Register(40)
    references = [register._reference(r) for r in register.records]
    register._chosen = lambda request: [
        *register.records,
        {**references[0], "id": "lost", "modified": stamp(BEGIN)},
    ]  # type: ignore[method-assign]
    found = run(register, EURES, map_=EURES_MAP, deletes="tombstone")
    assert not found[-1].complete
    assert "left out 1 of the references" in found[-1].notes[0]


@pytest.mark.parametrize("fault", ["xml-bomb", "xxe"])
def test_a_hostile_document_is_a_fault_of_its_row(fault: str) -> None:
    register = Register(3)
    register.fail(fault, where="getDetails")
    found = run(register, EURES, map_=EURES_MAP, deletes="tombstone")
    faults = [row.fault for page in found for row in page.rows]
    assert len(faults) == 3
    assert all("document type" in fault for fault in faults)


def test_bare_documents_in_a_folder_are_read(tmp_path: Path) -> None:
    from tests.registers import opening

    for r in records(3):
        (tmp_path / f"{r['id']}.xml").write_text(opening(r))
    found = run(
        Register(0),
        'with = "eures"\npath = "*.xml"',
        map_='id = "DocumentID.#text"\ntitle = "x"',
        folder=tmp_path,
    )
    assert [row.decode()["DocumentID"]["#text"] for page in found for row in page.rows] == all_of(Register(3))
    assert found[-1].complete


# files


@pytest.mark.parametrize(
    "name",
    [
        "jobs.csv",
        "jobs.csv.gz",
        "jobs.json",
        "jobs.json.gz",
        "jobs.ndjson",
        "jobs.xml",
        "jobs.csv.zip",
        "jobs.ndjson.zip",
    ],
)
def test_every_kind_of_file_is_read_whole_and_not_again_while_it_stands(name: str) -> None:
    register = Register(2_300)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        assert ids(first) == all_of(register)
        assert max(len(page.rows) for page in first) == 2_000
        assert first[-1].complete
        again = await read_all(from_, one, msgspec.json.decode(msgspec.json.encode(first[-1].cursor)))
        assert (ids(again), again[-1].complete, again[-1].keep_cursor) == ([], False, True)
        assert "not modified" in again[-1].notes[0]
        register.records.pop()
        assert len(ids(await read_all(from_, one, again[-1].cursor))) == 2_299

    together(register, f'with = "file"\nurl = "URL/files/{name}"', story)


def test_a_file_goes_on_at_the_row_where_it_stopped() -> None:
    register = Register(4_500)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        rest = await read_all(from_, one, first[0].cursor)
        assert ids(first[:1]) + ids(rest) == all_of(register)
        assert rest[-1].complete
        register.records.insert(0, {**register.records[0], "id": "new"})
        assert len(ids(await read_all(from_, one, first[0].cursor))) == 4_501

    together(register, 'with = "file"\nurl = "URL/files/jobs.csv"', story)


def test_of_several_files_one_that_changed_has_all_read_again() -> None:
    register = Register(50)

    async def story(from_: Source, one: Client) -> None:
        first = await read_all(from_, one)
        assert len(ids(first)) == 100
        cursor = first[-1].cursor
        cursor["known"][1]["etag"] = '"another"'
        again = await read_all(from_, one, cursor)
        assert len(ids(again)) == 100
        assert again[-1].complete

    together(register, 'with = "file"\nurl = ["URL/files/jobs.csv", "URL/files/jobs.ndjson"]', story)


@pytest.mark.parametrize("name", ["jobs.csv", "jobs.json", "jobs.ndjson", "jobs.xml"])
@pytest.mark.parametrize("fault", ["short", "truncated-gzip"])
def test_a_file_that_is_cut_gives_its_whole_rows_and_is_not_complete(fault: str, name: str) -> None:
    register = Register([{**r, "text": r["text"].strip()} for r in records(900)])
    register.fail(fault)
    found = run(register, f'with = "file"\nurl = "URL/files/{name}"')
    rows = [row.decode() for page in found for row in page.rows if not row.fault]
    # what is cut in the middle of a row is not taken for a row
    assert rows == register.records[: len(rows)]
    assert 200 < len(rows) < 900
    assert (found[-1].complete, found[-1].keep_cursor) == (False, False)
    assert "cut" in found[-1].notes[0]


def test_local_files_are_read_only_where_they_may_be(tmp_path: Path) -> None:
    shares, outside, allowed = tmp_path / "shares", tmp_path / "outside", tmp_path / "allowed"
    for folder in (shares, outside, allowed):
        folder.mkdir()
        (folder / "a.csv").write_text("id,title\n1,Cook\n2,Baker\n")
    (shares / "b.csv.gz").write_bytes(gzip.compress(b"id,title\n3,Miner\n4,Clerk\n"))
    with zipfile.ZipFile(shares / "c.zip", "w") as archive:
        archive.writestr("c.csv", "id,title\n5,Tailor\n6,Nurse\n")
    (shares / "link.csv").symlink_to(outside / "a.csv")

    async def reading(path: str) -> list[str]:
        async with client(folders=(allowed,)) as one:
            return ids(await read_all(source(f'with = "file"\npath = "{path}"', folder=shares), one))

    assert asyncio.run(reading("[bc].*")) == ["3", "4", "5", "6"]
    assert asyncio.run(reading(f"{allowed}/a.csv")) == ["1", "2"]
    for path in (f"{outside}/a.csv", "../outside/a.csv", "link.csv"):
        with pytest.raises(Forbidden, match="outside of the source's folder"):
            asyncio.run(reading(path))
    with pytest.raises(Drift, match="no file matches 'z"):
        asyncio.run(reading("z*.csv"))


# every fault, every connector: through the whole harvest


CONNECTORS: dict[str, dict[str, Any]] = {
    "pages": {"fetch": PAGED + 'url = "URL/pages?page={page}&size=10"'},
    "windows": {"fetch": sliced(20, BY_DATE, 10)},
    "links": {"fetch": PAGING["a link"]},
    "feed": {
        "fetch": NAV,
        "map_": NAV_MAP,
        "ignore": ("ad_content", "status"),
        "deletes": "tombstone",
    },
    "stream": {"fetch": STREAM, "ignore": (*IGNORE, "removed_date"), "deletes": "tombstone"},
    "site": {
        "fetch": SITE,
        "map_": BY_URL,
        "ignore": ("@context", "@type", "identifier", "description", "datePosted"),
    },
    "eures": {
        "fetch": EURES,
        "map_": EURES_MAP,
        "ignore": ("@majorVersionID", "@minorVersionID", "DocumentID", "PositionProfile"),
        "deletes": "tombstone",
    },
    "csv": {"fetch": 'with = "file"\nurl = "URL/files/jobs.csv"'},
    "xml": {"fetch": 'with = "file"\nurl = "URL/files/jobs.xml"'},
}
LIMITS = 'timeout = "2s"\nmax_bytes = 1_000_000\n'

SAME: dict[str, tuple[type[FetchError], str]] = {
    "hang-up": (Refused, "without an answer"),
    "reset": (Broken, "cut"),
    "short": (Broken, "cut"),
    "truncated-gzip": (Broken, "cut"),
    "damaged-gzip": (Broken, "damaged"),
    "brotli": (Broken, "packed as 'br'"),
    "bomb": (Broken, "cap"),
    "huge": (Broken, "cap"),
    "error": (Refused, "500"),
    "unavailable": (Refused, "503"),
    "too-many": (Slowdown, "too many"),
    "too-many-long": (Slowdown, "86,400 s"),
    "too-many-date": (Slowdown, "86,400 s"),
    "unauthorized": (Forbidden, "401"),
    "forbidden": (Forbidden, "captcha"),
    "gone": (Drift, "the path is gone"),
    "retired": (Drift, "the path is gone"),
    "html": (Drift, "HTML where"),
    "login": (Drift, "login page"),
    "empty": (Drift, "empty body"),
    "private-redirect": (Forbidden, "no public address"),
    "file-redirect": (Forbidden, "no http address"),
    "redirect-loop": (Drift, "redirects more than 5 times"),
}
# A file gives what came of it; a site's front door is its robots.txt, whose words are not looked at.
TOLD_IN_NOTES = {(how, fault) for how in ("csv", "xml") for fault in ("reset", "short", "truncated-gzip")}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """One journal for all: every test has its own source in it."""
    made = Journal(tmp_path_factory.mktemp("connect") / "journal.db", KINDS)
    yield made
    assert made.check() == []
    made.close()


def harvester(from_: Source, one: Client, journal: Journal) -> Callable[[], Awaitable[Harvested]]:
    """One run after the other of a source."""
    pages = connect(from_)

    def go() -> Awaitable[Harvested]:
        return harvest(
            from_, lambda cursor: pages(from_, one, cursor), journal=journal, kind=KINDS["vacancy"]
        )

    return go


@pytest.mark.parametrize("fault", SAME)
@pytest.mark.parametrize("how", CONNECTORS)
def test_no_fault_of_a_register_removes_a_record(how: str, fault: str, journal: Journal) -> None:
    error, words = SAME[fault]
    register = Register(24)
    parts = CONNECTORS[how]
    fetch = LIMITS + parts["fetch"]

    async def story(from_: Source, one: Client) -> None:
        go = harvester(from_, one, journal)

        good = await go()
        assert (good.state, good.new) == ("complete", 24), good
        register.records[0]["title"] = "Cook, with a new title"
        register.changed["v000000"] = 1_900_000_000_000
        register.events.append({"id": "v000000", "status": "ACTIVE", "at": "2026-06-01T00:00:00Z"})
        where = {"site": "sitemap", "eures": "get", "feed": "feed", "stream": "stream"}.get(how, "")
        register.fail(fault, where=where)
        bad = await go()
        assert bad.gone == 0
        assert journal.alive(from_.id) == 24
        codes = {incident.code: incident.what for incident in journal.incidents(from_.id)}
        if (how, fault) in TOLD_IN_NOTES:
            assert bad.state in ("partial", "interrupted", "held", "failed")
            assert words in bad.why + " ".join(bad.notes)
        else:
            assert bad.state in ("partial", "interrupted", "failed"), bad
            assert words in codes[error.code], codes
        register.heal()
        after = await go()
        assert after.state == "complete", after
        assert journal.alive(from_.id) == 24
        assert journal.incidents(from_.id) == []

    together(
        register,
        fetch,
        story,
        map_=parts.get("map_", MAP),
        ignore=parts.get("ignore", IGNORE),
        deletes=parts.get("deletes", "absence"),
        name=f"{how}-{fault}",
    )


LISTS: dict[str, tuple[str, int]] = {
    # the fault → its incident, and the records that are there afterwards
    "no-rows": ("empty", 24),
    "partial-dump": ("incomplete", 24),
    "collapse": ("held", 24),
    "high-total": ("incomplete", 24),
    "low-total": ("", 24),
    "id-churn": ("held", 48),
    "cut-json": ("broken", 24),
    "renamed": ("drift", 24),
    "page-loop": ("looping", 24),
}


@pytest.mark.parametrize("fault", LISTS)
@pytest.mark.parametrize("how", ["pages", "windows"])
def test_no_wrong_list_removes_a_record(how: str, fault: str, journal: Journal) -> None:
    register = Register(24)
    code, alive = LISTS[fault]
    if (how, fault) == ("windows", "partial-dump"):
        code = "drift"  # the total stays the same in every window

    async def story(from_: Source, one: Client) -> None:
        go = harvester(from_, one, journal)

        assert (await go()).new == 24
        register.fail(fault)
        bad = await go()
        assert bad.gone == 0
        assert journal.alive(from_.id) == alive
        codes = {incident.code for incident in journal.incidents(from_.id)}
        assert codes == ({code} if code else set()), (bad, codes)

    together(register, LIMITS + CONNECTORS[how]["fetch"], story, name=f"{how}-{fault}-list")


# paths and placeholders


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("$.a.b", 1),
        ("list.1.x", 2),
        ("a.none", None),
        ("none.at.all", None),
        ("a.b.c", None),
        ("with space", "é"),
        ("@type", "X"),
    ],
)
def test_a_path_finds_what_stands_there(path: str, value: Any) -> None:
    data = '{"a": {"b": 1}, "list": [{"x": 1}, {"x": 2}], "with space": "é", "@type": "X"}'.encode()
    assert at(data, path) == value


def test_a_path_is_found_in_json_that_is_not_quite_json() -> None:
    assert at(b'{"rows": [{"pay": NaN, "text": "a\nb"}], "total": 7}', "total") == 7


@given(st.binary(max_size=200), st.text(alphabet="ab.0$", max_size=8))
def test_no_body_and_no_path_break_us(body: bytes, path: str) -> None:
    at(body, path)


def test_placeholders_that_are_not_known_are_left_out() -> None:
    assert (
        fill_url("https://a.example/x?from={from}&page={page}&q=a", {"page": 3})
        == "https://a.example/x?page=3&q=a"
    )
    assert fill({"n": "{page}", "t": "p{page}", "from": "{from}", "in": ["{page}"]}, {"page": 3}) == {
        "n": 3,
        "t": "p3",
        "in": [3],
    }
    assert fill_url("https://a.example/{id}", {"id": "a/b ü"}) == "https://a.example/a%2Fb%20%C3%BC"
