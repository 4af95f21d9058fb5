"""The HTTP API answers what its document says, and nothing that is asked breaks it."""

import csv
import gzip
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from landbridge.errors import ConfigError
from landbridge.instance import Instance
from tests.visits import Visitor, share, union, visitor

load_all_checks()
NEXT = "/api/v1/find?q=welder"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = union(
        tmp_path_factory.mktemp("union"), xa=("Altania", "en"), xb=("Berilia", "ru"), xc=("Corvia", "en")
    )
    share(found, "xa", {"id": "left", "title": "Baker"})
    advertisements = [
        {
            "id": "a/1 ?#%",
            "title": "Welder",
            "employer": "Iron & Sons, Ltd",
            "town": "Almaty",
            "country": "Kazakhstan",
            "pay": "1000-1500 EUR per month",
            "contract": "permanent",
            "text": "Weld pipes for a living.",
            "date": "2026-03-01",
        },
        {"id": "2", "title": "Welder abroad"},
    ]
    share(found, "xa", *advertisements)
    share(found, "xa", *advertisements, claimed=3)
    share(found, "xb", {"id": "1", "title": "Сварщик", "town": "Москва", "country": "Россия"})
    yield found
    found.close()


@pytest.fixture(scope="module")
def api(instance: Instance) -> Visitor:
    return visitor(instance)


def test_an_answer_says_what_was_found_and_who_answered(api: Visitor) -> None:
    answer = api.get("/api/v1/find?q=welder&in=xa,xc&facets=contract")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json
    assert found["total"] == {"count": 2, "exact": True}
    assert {h["record"]["values"]["title"] for h in found["hits"]} == {"Welder", "Welder abroad"}
    assert found["facets"][0]["missing"] == 1
    states = {m["id"]: (m["state"], m["harvested"], m["claimed"]) for m in found["members"]}
    assert states == {"xa": ("ok", 2, 3), "xc": ("never", 0, None)}
    assert found["complete"] is False


def test_snippets_are_left_out_when_nobody_wants_them(api: Visitor) -> None:
    assert any(marked for _, marked in api.get(NEXT).json["hits"][0]["title"])
    plain = api.get(f"{NEXT}&snippets=0").json["hits"][0]
    assert "snippet" not in plain
    assert not any(marked for _, marked in plain["title"])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("kind=castle", "kind"),
        ("colour=red", "colour"),
        ("q=%ff%fe", "q"),
        ("place=%ff", "place"),
        ("q=a%00b", "q"),
        ("sort=distance", "sort"),
        ("currency=XXX", "currency"),
        ("contract=forever", "contract"),
        ("cursor=zzz", "cursor"),
        ("snippets=perhaps", "snippets"),
        ("q=a&q=b", "q"),
        ("since=tomorrow", "since"),
        ("since=999999w", "since"),
        ("q=" + "a" * 501, "q"),
        ("q=%E2%80%AE", "q"),
        ("lang=%E2%80%AEru", "lang"),
        ("lang=klingon_", "lang"),
        ("place=a%1bb", "place"),
        ("employer=" + "a" * 201, "employer"),
        ("&".join(f"employer={n}" for n in range(60)), "employer"),
    ],
)
def test_a_bad_query_is_a_problem_document_that_names_its_parameter(
    api: Visitor, query: str, parameter: str
) -> None:
    answer = api.get(f"/api/v1/find?{query}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json["parameter"] == parameter
    assert answer.json["status"] == 400
    assert answer.json["detail"]


def test_more_parameters_than_anyone_needs_are_refused(api: Visitor) -> None:
    reply = api.get("/api/v1/find?" + "&".join(f"a{n}=1" for n in range(10_000)))
    assert (reply.status, reply.json["parameter"]) == (400, "a200")
    for name in ("%C3%A9", "%ff", "%00", "a+b", ""):
        reply = api.get("/api/v1/find?" + "&".join(f"{name}={n}" for n in range(300)))
        assert reply.status == 400


def test_marks_that_turn_the_reading_around_are_not_searched_for(api: Visitor) -> None:
    found = api.get("/api/v1/find?q=%E2%80%AEwelder%E2%80%AC").json
    assert found["total"]["count"] == api.get(NEXT).json["total"]["count"]


def test_a_cursor_of_another_time_is_still_one_or_is_refused(api: Visitor, instance: Instance) -> None:
    cursor = api.get("/api/v1/find?q=welder&limit=1").json["cursor"]
    assert api.get(f"/api/v1/find?q=welder&limit=1&cursor={cursor}").status == 200
    for wrong in (cursor[:-3], cursor[3:], cursor[::-1], cursor + "AAAA", "A" * 5_000):
        reply = api.get(f"/api/v1/find?q=welder&limit=1&cursor={wrong}")
        assert (reply.status, reply.json["parameter"]) == (400, "cursor")
    other = api.get(f"/api/v1/find?q=cook&cursor={cursor}")
    assert "another query" in other.json["detail"]


def test_a_blank_parameter_is_not_given(api: Visitor) -> None:
    blank = api.get(f"{NEXT}&place=&radius=&pay=&sort=&literal=").json["total"]["count"]
    assert blank == api.get(NEXT).json["total"]["count"] == 3


def test_an_answer_says_as_which_occupation_its_words_were_read(api: Visitor) -> None:
    found = api.get(NEXT).json
    assert {h["member"] for h in found["hits"]} == {"xa", "xb"}
    assert {"isco-08": "7212"} in [{o["scheme"]: o["code"]} for o in found["occupations"]]
    for hit in found["hits"]:
        assert "7212" in [o["code"] for o in hit["record"]["occupations"]]
    literal = api.get(f"{NEXT}&literal=1").json
    assert ({h["member"] for h in literal["hits"]}, literal["occupations"]) == ({"xa"}, [])


def test_a_title_is_read_as_an_occupation_in_whatever_language(api: Visitor) -> None:
    for title in ("welder", "Сварщик", "thợ hàn"):
        found = api.get(f"/api/v1/occupations?q={quote(title)}&lang=ru").json
        assert found["kind"] in {"occupation", "group"}
        first = found["groups"][0]
        assert (first["scheme"], first["code"], first["label"], first["language"]) == (
            "isco-08",
            "7212",
            "сварщик",
            "ru",
        )
        assert first["uri"] == "http://data.europa.eu/esco/isco/C7212"
        assert first["confidence"] > 0.5
    nothing = api.get("/api/v1/occupations?q=%3F").json
    assert nothing == {"kind": "none", "occupations": [], "groups": []}
    assert api.get("/api/v1/occupations?q=%3F&text=welder").json["groups"][0]["code"] == "7212"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "q"),
        ("q=+", "q"),
        ("q=" + "a" * 2_001, "q"),
        ("q=a&text=" + "a" * 2_001, "text"),
        ("q=a&lang=klingon_", "lang"),
        ("q=a&q=b", "q"),
    ],
)
def test_what_cannot_be_read_as_an_occupation_is_named(api: Visitor, query: str, parameter: str) -> None:
    reply = api.get(f"/api/v1/occupations?{query}")
    assert (reply.status, reply.json["parameter"]) == (400, parameter)
    assert reply.json["hint"]


def test_a_member_that_nobody_knows_is_not_found(api: Visitor) -> None:
    answer = api.get("/api/v1/find?in=zz")
    assert answer.status == 404
    assert "xa" in answer.json["hint"]


def test_a_record_is_read_by_the_identifier_that_an_answer_gives(api: Visitor) -> None:
    for hit in api.get(NEXT).json["hits"]:
        answer = api.get(f"/api/v1/records/{quote(hit['id'])}")
        assert answer.status == 200
        assert answer.json["id"] == hit["id"]


def test_a_record_that_nobody_shared_is_not_found(api: Visitor) -> None:
    for id_ in ("xa/jobs/nothing", "xa", "a%00b", "x" * 2_000):
        answer = api.get(f"/api/v1/records/{id_}")
        assert (answer.status, answer.json["title"]) == (404, "Not found")


def test_of_a_record_that_is_gone_the_answer_says_what_was_there(api: Visitor) -> None:
    answer = api.get("/api/v1/records/xa/jobs/left")
    assert answer.status == 410
    was = answer.json["was"]
    assert (was["title"], was["member"]) == ("Baker", "xa")
    assert was["gone"]
    assert was["why"]


def test_the_members_are_listed_with_how_each_register_stands(api: Visitor) -> None:
    members = {m["id"]: m for m in api.get("/api/v1/members").json}
    assert [*members] == ["xa", "xb", "xc"]
    source = members["xa"]["sources"][0]
    assert (source["harvested"], source["claimed"], source["deletes"]) == (2, 3, "absence")
    assert members["xc"]["sources"][0]["state"] == "never"


def test_every_kind_has_its_schema(api: Visitor) -> None:
    for kind in api.get("/api/v1/kinds").json:
        schema = api.get(kind["schema"])
        assert schema.headers["content-type"] == "application/schema+json"
        assert "title" in schema.json["$defs"][kind["name"].capitalize()]["required"]
    assert api.get("/api/v1/kinds/castle").status == 404


def test_an_unknown_path_and_a_wrong_method_are_problem_documents(api: Visitor) -> None:
    lost = api.get("/api/v1/found")
    assert (lost.status, lost.headers["content-type"]) == (404, "application/problem+json")
    refused = api.ask("POST", "/api/v1/find")
    assert (refused.status, refused.headers["content-type"]) == (405, "application/problem+json")
    assert refused.headers["allow"] == "GET, HEAD"


def test_head_is_answered(api: Visitor) -> None:
    assert api.ask("HEAD", NEXT).status == 200


# what is known already, what is sent whole, who may read


def test_an_answer_that_one_has_is_not_sent_again(tmp_path: Path) -> None:
    found = union(tmp_path, xa=("Altania", "en"))
    share(found, "xa", *({"id": f"{n}", "title": "Welder"} for n in range(12)))
    asked = visitor(found)
    first = asked.get(NEXT)
    known = {"if-none-match": first.headers["etag"]}
    again = asked.get(NEXT, known)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert asked.get(NEXT, {"if-none-match": f'"other", {first.headers["etag"]}'}).status == 304
    others = (
        "q=cook",
        "q=welder&limit=5",
        "q=welder&snippets=0",
        "q=welder&facets=contract",
        "q=welder&explain=1",
    )
    assert {asked.get(f"/api/v1/find?{other}", known).status for other in others} == {200}
    share(found, "xa", {"id": "new", "title": "Welder"})
    found._standing = (0.0, {})
    assert asked.get(NEXT, known).status == 200
    found.close()


@pytest.mark.parametrize(
    "path",
    [
        "members",
        "kinds",
        "kinds/vacancy",
        "openapi.json",
        "records/xa/jobs/2",
        "export",
        "occupations?q=welder",
    ],
)
def test_every_answer_has_a_mark_by_which_it_is_known(api: Visitor, path: str) -> None:
    first = api.get(f"/api/v1/{path}")
    again = api.get(f"/api/v1/{path}", {"if-none-match": first.headers["etag"]})
    assert (first.status, again.status, again.body) == (200, 304, b"")


def test_an_unchanged_answer_is_found_without_searching(
    api: Visitor, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"if-none-match": api.get(NEXT).headers["etag"]}

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("a search was made")

    monkeypatch.setattr(instance, "find", fail)
    assert api.get(NEXT, known).status == 304


def test_a_page_names_the_next_one(tmp_path: Path) -> None:
    found = union(tmp_path, xa=("Altania", "en"))
    share(found, "xa", *({"id": f"{n}", "title": "Welder, & more"} for n in range(12)))
    asked, path, seen = visitor(found), "/api/v1/find?q=welder&limit=5&contract=&in=xa", []
    while path:
        page = asked.get(path)
        seen += [h["id"] for h in page.json["hits"]]
        path = page.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert len(seen) == len(set(seen)) == 12
    found.close()


def test_an_export_gives_every_record_and_no_formula(tmp_path: Path) -> None:
    found = union(tmp_path, xa=("Altania", "en"), xb=("Berilia", "en"))
    share(found, "xa", *({"id": f"{n}", "title": f"=Welder {n}, «a»"} for n in range(250)))
    share(found, "xb", {"id": "1", "title": " +Welder\r\nof pipes"}, {"id": "2", "title": "Cook"})
    asked = visitor(found)
    lines = asked.get("/api/v1/export?q=welder&limit=3&sort=relevance").text.splitlines()
    assert len({msgspec.json.decode(line)["id"] for line in lines}) == 251
    reply = asked.get("/api/v1/export?q=welder&format=csv&in=xa,xb")
    assert reply.headers["landbridge-total"] == "251"
    assert reply.headers["content-type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(reply.text, newline="")))
    assert len(read) == 251
    assert {r["title"][:8] for r in read} == {"'=Welder", "'+Welder"}
    assert all(r["source"] == f"{r['member']}/jobs" for r in read)
    found.close()


def test_an_export_reaches_deeper_than_pages_do(tmp_path: Path) -> None:
    found = union(tmp_path, xa=("Altania", "en"), xb=("Berilia", "en"))
    share(found, "xb", {"id": "1", "title": "Welder"})
    share(found, "xa", *({"id": f"{n}", "title": "Welder", "date": "2026-03-01"} for n in range(10_050)))
    share(found, "xb", {"id": "1", "title": "Welder"}, {"id": "2", "title": "Welder"})
    reply = visitor(found).get("/api/v1/export?q=welder")
    ids = [msgspec.json.decode(line, type=_Id).id for line in reply.body.splitlines()]
    assert len(ids) == len(set(ids)) == 10_052 == int(reply.headers["landbridge-total"])
    found.close()


class _Id(msgspec.Struct):
    id: str


def test_the_head_of_an_export_is_no_export(
    api: Visitor, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("an export was begun")

    monkeypatch.setattr(instance, "every", fail)
    reply = api.ask("HEAD", "/api/v1/export?q=welder&format=csv")
    assert (reply.status, reply.headers["landbridge-total"], reply.body) == (200, "3", b"")


def test_an_export_that_breaks_off_has_no_end_and_tells_nobody_why(
    api: Visitor, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_query: Any) -> Iterator[list[bytes]]:
        yield [b"{}"]
        raise OSError("a secret word")

    monkeypatch.setattr(instance, "every", failing)
    with pytest.raises(RuntimeError, match=r"^an export broke off: OSError$"):
        api.get("/api/v1/export?q=welder")


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("kind=candidate", 403, "kind"),
        ("format=pdf", 400, "format"),
        ("cursor=abc", 400, "cursor"),
        ("a=b", 400, "a"),
    ],
)
def test_what_is_not_exported_is_refused(api: Visitor, query: str, status: int, parameter: str) -> None:
    reply = api.get(f"/api/v1/export?{query}")
    assert (reply.status, reply.json["parameter"]) == (status, parameter)
    assert reply.json["hint"]


@pytest.mark.parametrize(
    "path", ["find?q=welder", "members", "records/xa/jobs/none", "find?limit=0", "export?q=welder"]
)
def test_pages_of_any_origin_may_read(api: Visitor, path: str) -> None:
    reply = api.get(f"/api/v1/{path}", {"origin": "https://elsewhere.example"})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert {"ETag", "Link", "Retry-After", "Landbridge-Total"} <= set(
        reply.headers["access-control-expose-headers"].split(", ")
    )
    asked = {
        "origin": "https://elsewhere.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "if-none-match",
    }
    before = api.ask("OPTIONS", f"/api/v1/{path}", asked)
    assert (before.status, before.headers["access-control-allow-origin"]) == (200, "*")
    assert "POST" not in before.headers["access-control-allow-methods"]


def test_other_pages_are_nobody_elses_to_read(api: Visitor) -> None:
    assert "access-control-allow-origin" not in api.get("/", {"origin": "https://elsewhere.example"}).headers


@pytest.mark.parametrize(
    "path",
    [
        "members",
        "kinds",
        "kinds/vacancy",
        "openapi.json",
        "records/xa/jobs/2",
        "suggest",
        "find",
        "export",
        "occupations",
    ],
)
def test_a_parameter_that_nobody_knows_is_named(api: Visitor, path: str) -> None:
    reply = api.get(f"/api/v1/{path}?colour=red")
    assert (reply.status, reply.json["parameter"]) == (400, "colour")
    assert reply.json["hint"]


def test_large_answers_are_compressed_and_small_ones_are_not(api: Visitor) -> None:
    zipped = {"accept-encoding": "gzip"}
    large, small = api.get("/api/v1/openapi.json", zipped), api.get("/api/v1/kinds/castle", zipped)
    assert large.headers["content-encoding"] == "gzip"
    assert gzip.decompress(large.body) == api.get("/api/v1/openapi.json").body
    assert "Accept-Encoding" in large.headers["vary"]
    assert "content-encoding" not in small.headers


@pytest.mark.parametrize("error", [ValueError("a secret word"), ConfigError("/secret/path")])
def test_an_error_of_ours_tells_nobody_what_was_asked(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(instance, "find", fail)
    with caplog.at_level(logging.DEBUG):
        answers = [visitor(instance).get(path) for path in (NEXT, "/find?q=welder")]
    for answer, media_type in zip(answers, ("application/problem+json", "text/html"), strict=True):
        assert answer.status == 500
        assert answer.headers["content-type"].startswith(media_type)
        assert "Traceback" not in answer.text
        assert str(error) not in answer.text
    assert type(error).__name__ in caplog.text
    assert str(error) not in caplog.text


# the document


@pytest.fixture(scope="module")
def document(api: Visitor) -> dict[str, Any]:
    found = api.get("/api/v1/openapi.json").json
    assert isinstance(found, dict)
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    for reference in _references(document):
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def test_the_document_knows_every_filter_of_every_kind(document: dict[str, Any]) -> None:
    parameters = {p["name"]: p for p in document["paths"]["/api/v1/find"]["get"]["parameters"]}
    assert {"q", "in", "pay", "employer", "availability", "snippets"} <= parameters.keys()
    assert "seasonal" in parameters["contract"]["schema"]["items"]["enum"]


def test_a_kind_of_one_more_file_is_in_the_document(tmp_path: Path) -> None:
    found = union(tmp_path, xa=("Altania", "en"))
    (tmp_path / "data" / "kinds").mkdir(parents=True)
    (tmp_path / "data" / "kinds" / "course.toml").write_text(
        'title = "name"\nlabel.en = "Course"\nplural.en = "Courses"\n'
        '[fields.name]\ntype = "text"\nrequired = true\nsearch = 1\nlabel.en = "Name"\n'
        '[fields.level]\ntype = "code"\nfacet = true\nlabel.en = "Level"\nvalues.first.en = "First"\n'
    )
    asked = visitor(found)
    document = asked.get("/api/v1/openapi.json").json
    parameters = {p["name"]: p for p in document["paths"]["/api/v1/find"]["get"]["parameters"]}
    assert parameters["level"]["schema"]["items"]["enum"] == ["first"]
    assert "level" in document["components"]["schemas"]["values.course"]["properties"]
    assert asked.get("/api/v1/find?kind=course").status == 200
    assert asked.get("/find?kind=course&q=sewing").status == 200
    assert "Courses" in asked.get("/?kind=course").text
    found.close()


# whatever is asked

CHECKED = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
]
POSITIVE, NEGATIVE = (
    GenerationMode.POSITIVE,
    GenerationMode.NEGATIVE,
)  # what the document allows, and does not


@pytest.mark.parametrize(
    ("operation", "mode", "times"),
    [
        ("find", POSITIVE, 400),
        ("find", NEGATIVE, 60),
        ("export", POSITIVE, 60),
        ("suggest", POSITIVE, 60),
        ("suggest", NEGATIVE, 20),
        ("occupations", POSITIVE, 60),
        ("occupations", NEGATIVE, 20),
        ("record", POSITIVE, 50),
        ("kind", POSITIVE, 50),
        ("kinds", POSITIVE, 1),
        ("members", POSITIVE, 1),
        ("openapi", POSITIVE, 1),
    ],
)
def test_whatever_is_asked_is_answered_as_the_document_says(
    api: Visitor, operation: str, mode: GenerationMode, times: int
) -> None:
    document = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api.app)
    described = document.find_operation_by_id(operation)
    seen: list[int] = []

    @settings(max_examples=times, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=described.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call()
        seen.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS.get_by_names(CHECKED))

    ask()
    assert len(seen) >= times
    if mode is POSITIVE and operation not in {"record", "kind"}:
        assert 200 in seen
