"""The logic of rules: CertLogic 1.3.3 to the letter, landbridge/1 on top, and nothing hostile gets through."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from landbridge.clear import logic
from landbridge.clear.build import build
from landbridge.clear.evaluate import Evaluator, Open, judge
from landbridge.clear.logic import CERTLOGIC, LANDBRIDGE, LogicError, examine, parse, reads
from landbridge.clear.moments import read_birth, read_moment, shift, start_of_day, write_moment


def evaluate(expression: Any, data: Any = None, engine: str = CERTLOGIC, **tables: logic.Table) -> Any:
    return Evaluator(tables).evaluate(parse(expression, engine=engine, tables=tables), data)


def both(expression: Any, data: Any = None, engine: str = CERTLOGIC) -> bool | str:
    """What the reference says, having made sure that the built function says the same."""
    node = parse(expression, engine=engine)
    try:
        said: bool | str = judge(node, data)
    except Open as reason:
        said = reason.code
    unmet, unclear = build([(node, {})])(data)
    assert (bool(unclear), bool(unmet)) == (isinstance(said, str), said is False)
    return said


def date_is(text: Any, expected: str) -> bool | str:
    date = {"plusTime": [{"var": "x"}, 0, "day"]}
    return both({"not-after": [date, {"plusTime": [expected, 0, "day"]}, date]}, {"x": text})


def test_every_active_assertion_of_the_certlogic_suite_holds(shared_data: Path) -> None:
    ran = 0
    for file in sorted((shared_data / "clear/certlogic-spec/testSuite").glob("*.json")):
        suite = json.loads(file.read_bytes())
        for case in suite["cases"]:
            for assertion in case["assertions"]:
                if "skip" in (suite.get("directive"), case.get("directive"), assertion.get("directive")):
                    continue
                ran += 1
                expression = assertion.get("certLogicExpression", case.get("certLogicExpression"))
                got = evaluate(expression, assertion["data"])
                assert json.dumps(got) == json.dumps(assertion["expected"]), (
                    file.name,
                    case["name"],
                    assertion,
                )
    assert ran == 218


def test_every_assertion_of_the_validation_suite_holds(shared_data: Path) -> None:
    ran = 0
    for file in sorted((shared_data / "clear/certlogic-spec/validation-testSuite").glob("*.json")):
        for case in json.loads(file.read_bytes())["cases"]:
            ran += 1
            found = [
                {"expr": one.expression, "message": one.message}
                for one in examine(case["certLogicExpression"])
            ]
            assert found == case["issues"]
    assert ran == 23


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021", "2021-12-31T00:00:00.000Z"),
        ("2020-02", "2020-02-29T00:00:00.000Z"),
        ("2021-06-01", "2021-06-01T00:00:00.000Z"),
        ("2021-06-01T10:20:30", "2021-06-01T10:20:30.000Z"),
        ("2021-06-01T10:20:30Z", "2021-06-01T10:20:30.000Z"),
        ("2021-06-01T10:20:30+2", "2021-06-01T08:20:30.000Z"),
        ("2021-06-01T10:20:30-02", "2021-06-01T12:20:30.000Z"),
        ("2021-06-01T10:20:30+530", "2021-06-01T04:50:30.000Z"),
        ("2021-06-01T10:20:30+0530", "2021-06-01T04:50:30.000Z"),
        ("2021-06-01T10:20:30+5:30", "2021-06-01T04:50:30.000Z"),
        ("2021-06-01T10:20:30.1", "2021-06-01T10:20:30.100Z"),
        ("2021-06-01T10:20:30.123999-05:30", "2021-06-01T15:50:30.123Z"),
        ("2021-12-31T24:00:00Z", "2022-01-01T00:00:00.000Z"),
    ],
)
def test_a_date_is_read_in_every_form_the_specification_allows(text: str, moment: str) -> None:
    assert write_moment(read_moment(text)) == moment
    assert date_is(text, moment) is True


@pytest.mark.parametrize(
    "text",
    [
        "1963-00",
        "2021-02-29",
        "2021-13-01",
        "2021-09-99",
        "21-01-01",
        "2021-1-1",
        "2021-06-01T25:00:00Z",
        "2021-06-01T10:60:00Z",
        "2021-06-01 10:00:00",
        "2021-06-01T10:00:00+24",
        "2021-06-01T10:00:00+5:",
        "",
        "soon",
        "٢٠٢١-٠٦-٠١",
        "2021-06-01T10:00:00Z" + "0" * 90,
        "2021-06-01\n",
    ],
)
def test_a_broken_date_is_open_and_never_yes(text: str) -> None:
    assert date_is(text, "2030-01-01") == "bad-date"


@pytest.mark.parametrize("value", [None, 3, True, [], {"a": 1}])
def test_what_is_no_text_is_no_date(value: Any) -> None:
    assert date_is(value, "2030-01-01") == ("missing-date" if value is None else "wrong-type")


def test_an_open_rule_names_the_path_and_not_the_value() -> None:
    node = parse(
        {"after": [{"dccDateOfBirth": [{"var": "payload.dob"}]}, {"plusTime": ["2000-01-01", 0, "day"]}]}
    )
    with pytest.raises(Open) as caught:
        judge(node, {"payload": {"dob": "1963-00"}})
    assert (caught.value.code, caught.value.where) == ("bad-date", "payload.dob")
    assert "1963" not in str(caught.value)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2020-02-29", 1, "day", "2020-03-01"),
        ("2020-02-29", 1, "month", "2020-03-29"),
        ("2020-02-29", 1, "year", "2021-03-01"),
        ("2021-01-31", 1, "month", "2021-03-03"),
        ("2021-03-31", -1, "month", "2021-03-03"),
        ("2021-12-15", 14, "month", "2023-02-15"),
        ("2000-01-01", -1, "year", "1999-01-01"),
        ("0001-01-01", -2, "year", "-001-01-01"),
    ],
)
def test_offsets_run_over_the_end_of_a_month(start: str, amount: int, unit: str, end: str) -> None:
    assert write_moment(shift(read_birth(start), amount, unit)).startswith(end)


@pytest.mark.parametrize(
    ("when", "zone", "days", "start"),
    [
        ("2021-07-24T14:30:00Z", "Asia/Vladivostok", 0, "2021-07-24T14:00:00.000Z"),
        ("2021-07-24T13:30:00Z", "Asia/Vladivostok", 0, "2021-07-23T14:00:00.000Z"),
        ("2021-07-24T14:30:00Z", "Asia/Vladivostok", -3, "2021-07-21T14:00:00.000Z"),
        ("2021-07-24T22:30:00Z", "Europe/Kaliningrad", -3, "2021-07-21T22:00:00.000Z"),
        ("2021-07-24T20:30:00Z", "Asia/Yerevan", -3, "2021-07-21T20:00:00.000Z"),
        ("2021-07-25", "America/New_York", 0, "2021-07-25T04:00:00.000Z"),
        ("2021-03-29T12:00:00Z", "Europe/Berlin", -2, "2021-03-26T23:00:00.000Z"),
        ("2018-11-04T12:00:00Z", "America/Sao_Paulo", 0, "2018-11-04T03:00:00.000Z"),
    ],
)
def test_a_calendar_day_begins_at_local_midnight(when: str, zone: str, days: int, start: str) -> None:
    assert write_moment(start_of_day(when, zone, days)) == start
    day = {"startOfDay": [{"var": "x"}, zone, days]}
    wanted = {"plusTime": [start, 0, "day"]}
    assert both({"not-after": [wanted, day, wanted]}, {"x": when}, LANDBRIDGE) is True


def test_a_zone_that_the_facts_name_wrongly_is_open() -> None:
    rule = {
        "after": [{"startOfDay": ["2021-07-25", {"var": "zone"}]}, {"plusTime": ["2020-01-01", 0, "day"]}]
    }
    assert both(rule, {"zone": "Asia/Yerevan"}, LANDBRIDGE) is True
    for zone in ("Mars/Olympus", "../../etc/passwd", "", None, 3):
        assert both(rule, {"zone": zone}, LANDBRIDGE) == "unknown-zone"


def test_decimals_are_exact() -> None:
    tenth = {"+": [{"var": "a"}, Decimal("0.2")]}
    assert both({"===": [tenth, Decimal("0.3")]}, {"a": 0.1}, LANDBRIDGE) is True
    assert both({"<": [{"decimal": [{"var": "a"}]}, Decimal("0.35")]}, {"a": "0.30"}, LANDBRIDGE) is True
    assert both({"<": [{"decimal": [{"var": "a"}]}, 1]}, {"a": "a third"}, LANDBRIDGE) == "wrong-type"
    assert both({"<": [{"+": [{"var": "a"}, 1]}, 1]}, {"a": Decimal("1e-900")}, LANDBRIDGE) == "failed"


def test_a_table_is_looked_up_by_all_its_keys() -> None:
    zones = {((str, "RU"), (int, 1)): "Europe/Kaliningrad"}
    look = {"lookup": ["zones", [{"var": "country"}, {"var": "n"}]]}
    assert evaluate(look, {"country": "RU", "n": 1}, LANDBRIDGE, zones=zones) == "Europe/Kaliningrad"
    for data in ({"country": "RU", "n": True}, {"country": "RU"}, {"country": ["RU"], "n": 1}):
        assert evaluate(look, data, LANDBRIDGE, zones=zones) is None


def test_any_of_several_is_enough() -> None:
    rule = {"or": [{"var": "a"}, {"var": "b"}, {"plusTime": ["soon", 0, "day"]}]}
    assert both(rule, {"a": False, "b": 1}, LANDBRIDGE) is True
    assert both(rule, {"a": False, "b": 0}, LANDBRIDGE) == "bad-date"


def test_a_value_set_that_is_not_there_is_open() -> None:
    rule = {"if": [{"var": "payload.t"}, {"!": [{"var": "external.valueSets.labs"}]}, True]}
    assert both(rule, {"payload": {"t": [1]}, "external": {"valueSets": {}}}) == "missing-value-set"
    assert both(rule, {"payload": {}, "external": {}}) is True


def test_a_rule_that_is_neither_true_nor_falsy_is_open() -> None:
    assert [both({"var": "x"}, {"x": x}) for x in (True, False, None, 0, "", [])] == [True] + [False] * 5
    assert both({"var": "x"}, {"x": "yes"}) == "not-a-verdict"
    assert both({"plusTime": ["2021", 0, "day"]}) == "wrong-type"


def test_equality_never_converts() -> None:
    pairs = [(1, True), (0, False), (1, "1"), (None, False), ([], []), ({}, {})]
    assert [both({"===": [{"var": "a"}, {"var": "b"}]}, {"a": a, "b": b}) for a, b in pairs] == [False] * 6
    assert both({"===": [{"var": "a"}, 1]}, {"a": True}) is False
    assert both({"===": [{"var": "a"}, 1]}, {"a": 1.0}) is True
    assert both({"in": [{"var": "a"}, [1, "x"]]}, {"a": True}) is False
    assert both({"in": [{"var": "a"}, ["1", "x"]]}, {"a": ["x"]}) is False
    assert both({"in": [False, {"var": ""}]}, []) is False
    assert both({"in": [{"extractFromUVCI": [{"var": "a"}, 1]}, ["x"]]}, {"a": "y:x"}) is True
    assert both({"in": [{"extractFromUVCI": [{"var": "a"}, 1]}, ["x"]]}, {"a": None}) is False


def test_a_third_operand_is_checked_even_where_two_decide() -> None:
    dates = [{"plusTime": [{"var": name}, 0, "day"]} for name in "abc"]
    assert both({"before": dates}, {"a": "2022", "b": "2021", "c": "soon"}) == "bad-date"
    assert both({"<": [2, 1, {"var": "c"}]}, {"c": "3"}) == "wrong-type"


def test_a_loop_sees_only_its_own_items_and_not_too_many() -> None:
    total = {"reduce": [{"var": "xs"}, {"+": [{"var": "accumulator"}, {"var": "current.n"}]}, 0]}
    assert both({"===": [total, 6]}, {"xs": [{"n": 1}, {"n": 2}, {"n": 3}]}) is True
    assert both({"===": [total, 0]}, {"xs": [{"n": 0}] * 600}) == "too-long"
    assert both({"!": [{"reduce": [[1], {"var": "xs"}, 0]}]}, {"xs": [1]}) is True
    assert reads(parse(total)) == ("xs",)


def test_what_a_rule_reads_is_known_without_running_it() -> None:
    rule = {
        "if": [
            {"var": "payload.v.0"},
            {"in": [{"var": "payload.v.0.mp"}, {"var": "external.valueSets.m"}]},
            True,
        ]
    }
    assert reads(parse(rule)) == ("external.valueSets.m", "payload.v.0", "payload.v.0.mp")
    assert reads(parse({"if": [True, True, {"var": "payload.v"}]})) == ()


def test_whoever_asks_more_overrides_a_node() -> None:
    class Watching(Evaluator):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []

        def read(self, node: logic.Var, data: Any) -> Any:
            self.seen.append(node.path)
            return super().read(node, data)

    watching = Watching()
    watching.evaluate(parse({"and": [{"var": "a"}, {"var": "b"}, {"var": "c"}]}), {"a": 1, "b": 0})
    assert watching.seen == ["a", "b"]


def nested(depth: int) -> Any:
    rule: Any = True
    for _ in range(depth):
        rule = {"!": [rule]}
    return rule


@pytest.mark.parametrize(
    ("rule", "place", "message"),
    [
        ({"if": [True, True]}, "", "exactly 3 operands, but it has 2"),
        ({"and": [True]}, "", "at least 2 operands"),
        ({"if": [True, {"<": [1, 2, 3, 4]}, True]}, "/if/1", "2 or 3 operands"),
        ({"eval": ["import os"]}, "", 'unrecognised operator: "eval"'),
        ({"or": [True, False]}, "", 'unrecognised operator: "or"'),
        ({"plusTime": ["2021", 1, "week"]}, "/plusTime/2", "week"),
        ({"plusTime": ["2021", 1.5, "day"]}, "/plusTime/1", "must be an integer"),
        ({"plusTime": ["2021", 10**9, "year"]}, "/plusTime/1", "beyond"),
        ({"plusTime": ["2021", Decimal("1e999999999"), "day"]}, "/plusTime/1", "must be an integer"),
        ({"and": [True, [1, None]]}, "/and/1/1", "invalid CertLogic expression"),
        ({"var": "a..b"}, "", "valid format"),
        ({"var": ["a", 1]}, "", "not of the form"),
        (10**400, "", "not a number within"),
        (float("nan"), "", "not a number within"),
        (nested(65), "/!/0" * 65, "nested deeper than 64"),
        (nested(20_000), "/!/0" * 65, "nested deeper than 64"),
        (["x" * 70_000], "/0", "larger than"),
        ([[1]] * 40_000, "", "larger than"),
        ({"reduce": [{"reduce": [{"reduce": [[], 1, 1]}, 1, 1]}, 1, 1]}, "/reduce/0/reduce/0", "loops"),
        ([{"reduce": [[], 1, 1]}] * 17, "/16", "loops"),
    ],
)
def test_a_faulty_logic_is_refused_and_its_place_named(rule: Any, place: str, message: str) -> None:
    with pytest.raises(LogicError) as caught:
        parse(rule, rule="XA-1")
    issue = caught.value.issues[0]
    assert issue.path.startswith(place)
    assert message in issue.message
    assert str(caught.value).startswith("XA-1: /")


@pytest.mark.parametrize(
    "rule",
    [
        {"startOfDay": ["2021", "Mars/Olympus"]},
        {"startOfDay": ["2021"]},
        {"lookup": ["nowhere", ["x"]]},
        {"lookup": [{"var": "table"}, ["x"]]},
    ],
)
def test_our_own_operators_are_as_strict(rule: Any) -> None:
    assert examine(rule, engine=LANDBRIDGE)


def test_text_of_a_rule_never_becomes_program_text() -> None:
    word = "'); __import__('os').abort(); ('"
    rule = {"===": [{"var": f"payload.{word.replace('.', '')}"}, word]}
    assert both(rule, {"payload": {word.replace(".", ""): word}}) is True


_scalars = some.one_of(
    some.booleans(),
    some.integers(-3, 3),
    some.sampled_from(["", "a", "2021", "2021-02-31", "2021-06-01", "URN:UVCI:01:XA:1#2"]),
)
_values = some.recursive(
    some.one_of(some.none(), _scalars, some.just(1.0), some.just(0.5)),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from("ab01"), inner, max_size=3)
    ),
    max_leaves=6,
)
_paths = some.sampled_from(
    ["", "a", "b", "a.0", "a.b.1", "0", "accumulator", "current", "current.a", "external.valueSets.a"]
)


def _operations(inner: Any) -> Any:
    def operation(name: str, *operands: Any) -> Any:
        return some.tuples(*operands).map(lambda given: {name: list(given)})

    amounts, units = some.integers(-20, 20), some.sampled_from(["year", "month", "day", "hour"])
    times = operation("plusTime", inner, amounts, units) | operation("dccDateOfBirth", inner)
    many = some.lists(inner, min_size=2, max_size=3)
    return some.one_of(
        times,
        operation("if", inner, inner, inner),
        many.map(lambda operands: {"and": operands}),
        some.tuples(some.sampled_from(["<", ">=", "after", "not-after"]), many).map(
            lambda pair: {pair[0]: pair[1]}
        ),
        some.lists(times, min_size=2, max_size=3).map(lambda operands: {"not-before": operands}),
        operation("===", inner, inner),
        operation("in", inner, inner | some.lists(_scalars, max_size=3)),
        operation("+", inner, inner),
        operation("!", inner),
        operation("reduce", inner, inner, inner),
        operation("reduce", some.lists(_paths.map(lambda path: {"var": path}), max_size=3), inner, inner),
        operation("extractFromUVCI", inner, some.integers(-1, 4)),
        operation("startOfDay", inner, some.just("Asia/Yerevan"), amounts),
        operation("decimal", inner),
        some.lists(inner, max_size=2),
    )


_logic = some.recursive(
    some.one_of(_scalars, _paths.map(lambda path: {"var": path})), _operations, max_leaves=12
)


@settings(max_examples=600, deadline=None)
@given(rule=_logic, data=_values, engine=some.sampled_from([CERTLOGIC, LANDBRIDGE]))
def test_the_built_function_says_what_the_reference_says(rule: Any, data: Any, engine: str) -> None:
    if not examine(rule, engine=engine):
        both(rule, data, engine)
