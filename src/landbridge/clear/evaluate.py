"""A tree of logic on facts: the reference semantics, and the place to stand for whoever asks more than yes or no.

What the specification calls an error, and what it leaves undefined (a date that is none), raises Open: such a rule
is neither met nor broken. Reasons name the path, never the value.
To watch or change an evaluation, make a subclass of Evaluator and override the methods of the nodes concerned:
`read` for facts, `compare` for comparisons, and so on; `evaluate` finds them by the node's type.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from itertools import pairwise
from typing import Any

from landbridge.clear import logic as l
from landbridge.clear.moments import Moment, read_birth, read_moment, shift, start_of_day

LONGEST_LOOP = 512
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)

REASONS = {
    "bad-date": "is not a date that exists",
    "missing-date": "a date is not there",
    "missing-value-set": "the value set is not there",
    "wrong-type": "is not of the kind the rule works with",
    "unknown-zone": "is not a time zone",
    "too-long": "is a list too long to work through",
    "not-a-verdict": "the rule gives something else than true or false",
    "failed": "the rule could not be worked through",
}


class Open(Exception):
    """A rule that cannot be decided: `code` is a key of REASONS, `where` the path of the facts concerned, if known."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code, where)
        self.code = code
        self.where = where


class Evaluator:
    """Evaluates trees; `tables` are those of the rule."""

    def __init__(self, tables: Mapping[str, l.Table] | None = None) -> None:
        self.tables = tables or {}
        self._ways: dict[type, Callable[[Any, Any], Any]] = {
            l.Constant: self.constant,
            l.Items: self.items,
            l.Var: self.read,
            l.If: self.choose,
            l.And: self.both,
            l.Compare: self.compare,
            l.Equal: self.equal,
            l.Member: self.member,
            l.Plus: self.plus,
            l.Not: self.negate,
            l.PlusTime: self.plus_time,
            l.BirthDate: self.birth_date,
            l.StartOfDay: self.start_of_day,
            l.Reduce: self.reduce,
            l.Fragment: self.fragment,
            l.Exactly: self.exactly,
            l.Lookup: self.lookup,
        }

    def evaluate(self, node: l.Node, data: Any) -> Any:
        """The value of a tree: JSON values, Decimal or Moment. Raises Open."""
        return self._ways[type(node)](node, data)

    def constant(self, node: l.Constant, _: Any) -> Any:
        return node.value

    def items(self, node: l.Items, data: Any) -> list[Any]:
        return [self.evaluate(item, data) for item in node.items]

    def read(self, node: l.Var, data: Any) -> Any:
        value = access(data, node.steps)
        if value is None and node.required:
            raise Open("missing-value-set", node.path)
        return value

    def choose(self, node: l.If, data: Any) -> Any:
        guard = truth(self.evaluate(node.guard, data), node.guard)
        return self.evaluate(node.then if guard else node.other, data)

    def both(self, node: l.And, data: Any) -> Any:
        value: Any = True
        for operand in node.operands:
            value = self.evaluate(operand, data)
            if not truth(value, operand):
                break
        return value

    def compare(self, node: l.Compare, data: Any) -> bool:
        check = _CHECKS[node.of]
        values = [check(self.evaluate(operand, data), operand) for operand in node.operands]
        return all(COMPARE[node.sign](one, next_) for one, next_ in pairwise(values))

    def equal(self, node: l.Equal, data: Any) -> bool:
        return same(self.evaluate(node.left, data), self.evaluate(node.right, data))

    def member(self, node: l.Member, data: Any) -> bool:
        item, among = self.evaluate(node.item, data), self.evaluate(node.among, data)
        return is_among(item, among, node.among)

    def plus(self, node: l.Plus, data: Any) -> int | Decimal:
        check = number if node.exact else whole
        left, right = self.evaluate(node.left, data), self.evaluate(node.right, data)
        return add(check(left, node.left), check(right, node.right))

    def negate(self, node: l.Not, data: Any) -> bool:
        return not truth(self.evaluate(node.operand, data), node.operand)

    def plus_time(self, node: l.PlusTime, data: Any) -> Moment:
        date = self.evaluate(node.date, data)
        start = date if node.chained and type(date) is Moment else as_moment(date, read_moment, node.date)
        return Moment(shift(start, node.amount, node.unit))

    def birth_date(self, node: l.BirthDate, data: Any) -> Moment:
        return Moment(as_moment(self.evaluate(node.date, data), read_birth, node.date))

    def start_of_day(self, node: l.StartOfDay, data: Any) -> Moment:
        return Moment(
            local_day(self.evaluate(node.date, data), self.evaluate(node.zone, data), node.days, node)
        )

    def reduce(self, node: l.Reduce, data: Any) -> Any:
        over, value = self.evaluate(node.over, data), self.evaluate(node.start, data)
        for item in loop(over, node.over):
            value = self.evaluate(node.each, {"accumulator": value, "current": item})
        return value

    def fragment(self, node: l.Fragment, data: Any) -> str | None:
        return fragment(self.evaluate(node.code, data), node.index, node.code)

    def exactly(self, node: l.Exactly, data: Any) -> int | Decimal:
        return exactly(self.evaluate(node.number, data), node.number)

    def lookup(self, node: l.Lookup, data: Any) -> Any:
        return look_up(self.tables[node.table], tuple(self.evaluate(key, data) for key in node.keys))


def judge(node: l.Node, data: Any, tables: Mapping[str, l.Table] | None = None) -> bool:
    """Whether a rule is met. Raises Open, and nothing else."""
    try:
        return verdict(Evaluator(tables).evaluate(node, data))
    except Open:
        raise
    except Exception:
        raise Open("failed") from None


def verdict(value: Any) -> bool:
    """What a rule's value says: true is met, anything falsy is not, any other value is open."""
    if value is True:
        return True
    if truth(value):
        raise Open("not-a-verdict")
    return False


# What follows is shared with functions that `build` makes; they leave `node` out and ask again here for the place.


def access(data: Any, steps: tuple[l.Step, ...]) -> Any:
    for step in steps:
        if type(data) is dict:
            data = data.get(step if type(step) is str else str(step))
        elif type(data) is list and type(step) is int:
            data = data[step] if step < len(data) else None
        else:
            return None
    return data


def truth(value: Any, node: l.Node | None = None) -> bool:
    if type(value) is Moment:
        raise Open("wrong-type", _place(node))
    return bool(value)


def whole(value: Any, node: l.Node | None = None) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Open("wrong-type", _place(node))


def number(value: Any, node: l.Node | None = None) -> int | Decimal:
    if type(value) is int:
        return value
    if type(value) is float:
        value = Decimal(repr(value))
    if type(value) is Decimal and value.is_finite():
        return value
    raise Open("wrong-type", _place(node))


def moment(value: Any, node: l.Node | None = None) -> int:
    if type(value) is Moment:
        return value
    raise Open("wrong-type", _place(node))


def exactly(value: Any, node: l.Node | None = None) -> int | Decimal:
    if type(value) is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return number(value, node)


def add(left: int | Decimal, right: int | Decimal) -> int | Decimal:
    if type(left) is int and type(right) is int:
        return left + right
    return EXACT.add(Decimal(left), Decimal(right))


def same(left: Any, right: Any) -> bool:
    if type(left) is str or type(right) is str:
        return type(left) is type(right) and bool(left == right)
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return number(left) == number(right)
    return left is right and type(left) is not Moment


def is_among(item: Any, among: Any, node: l.Node | None = None) -> bool:
    if type(among) is not list:
        raise Open("wrong-type", _place(node))
    if type(item) is str:
        return item in among
    return any(same(item, one) for one in among)


def as_moment(value: Any, read: Callable[[str], int], node: l.Node | None = None) -> int:
    if type(value) is not str:
        raise Open("missing-date" if value is None else "wrong-type", _place(node))
    try:
        return read(value)
    except ValueError:
        raise Open("bad-date", _place(node)) from None


def local_day(date: Any, zone: Any, days: int, node: l.StartOfDay | None = None) -> int:
    if type(date) is not Moment:
        as_moment(date, read_moment, node and node.date)
    if type(zone) is not str:
        raise Open("unknown-zone", _place(node and node.zone))
    try:
        return start_of_day(date, zone, days)
    except ValueError:
        raise Open("unknown-zone", _place(node and node.zone)) from None


def loop(over: Any, node: l.Node | None = None) -> list[Any]:
    if over is None:
        return []
    if type(over) is not list:
        raise Open("wrong-type", _place(node))
    if len(over) > LONGEST_LOOP:
        raise Open("too-long", _place(node))
    return over


def fragment(code: Any, index: int, node: l.Node | None = None) -> str | None:
    if code is None:
        return None
    if type(code) is not str:
        raise Open("wrong-type", _place(node))
    parts = code.removeprefix("URN:UVCI:").replace("/", ":").replace("#", ":").split(":")
    return parts[index] if 0 <= index < len(parts) else None


def look_up(table: l.Table, keys: tuple[Any, ...]) -> Any:
    return table.get(tuple(map(table_key, keys)))


def table_key(value: Any) -> Any:
    # 1 and true are one key to Python, and two to a table.
    return (type(value), value) if type(value) in _KEYS else None


def _place(node: l.Node | None) -> str:
    while isinstance(node, l.PlusTime | l.BirthDate | l.StartOfDay):
        node = node.date
    return node.path if isinstance(node, l.Var) else ""


_NUMBERS = (int, float, Decimal)
_KEYS = (str, int, bool)
_CHECKS: dict[str, Callable[[Any, l.Node | None], Any]] = {
    "integers": whole,
    "numbers": number,
    "moments": moment,
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: bool(one < other),
    ">": lambda one, other: bool(one > other),
    "<=": lambda one, other: bool(one <= other),
    ">=": lambda one, other: bool(one >= other),
}
