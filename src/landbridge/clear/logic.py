"""JSON logic read into a small typed tree: `certlogic/1.3.3` (CertLogic specification 1.3.3) and `landbridge/1`.

`landbridge/1` is CertLogic and five more:

    {"or": [a, b, …]}                        whether any of them holds; those after it stay unread
    {"startOfDay": [date, zone, days?]}      the first moment of a calendar day in local time
    {"plusTime": [date-time, n, unit]}       also of what startOfDay gives
    {"decimal": [text or number]}            an exact decimal; decimals may be written as they are: 0.25
    {"lookup": ["table", [key, …]]}          the value of the rule's own table in the row of these keys, or null

A tree is frozen and can be walked by anybody: `children` gives the branches of any node.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from landbridge.clear.moments import FURTHEST, UNITS, find_zone
from landbridge.errors import RuleError

CERTLOGIC = "certlogic/1.3.3"
LANDBRIDGE = "landbridge/1"
ENGINES = (CERTLOGIC, LANDBRIDGE)

LARGEST = 64 * 1024
"""Nodes and characters of one rule's logic, together."""
DEEPEST = 64
LOOPS = 16
NESTED_LOOPS = 2
GREATEST = 2**53 - 1
VALUE_SETS = "external.valueSets."

Step: TypeAlias = str | int
Table: TypeAlias = dict[tuple[Any, ...], Any]
Unit: TypeAlias = Literal["year", "month", "day", "hour"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A truth value, a whole number, a text, or (landbridge/1) a decimal."""

    value: bool | int | str | Decimal


@dataclass(frozen=True, slots=True)
class Items:
    """An array, each of its items a tree."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Var:
    """What lies at a path of the facts, or null. A value set (`required`) that is not there is open instead."""

    path: str
    steps: tuple[Step, ...]

    @property
    def required(self) -> bool:
        return self.path.startswith(VALUE_SETS)


@dataclass(frozen=True, slots=True)
class If:
    guard: "Node"
    then: "Node"
    other: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """The first operand that is falsy, or the last; the rest stay unread."""

    operands: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands, or three in a row: `sign` is the comparison, `of` says what is compared."""

    sign: Literal["<", ">", "<=", ">="]
    of: Literal["integers", "numbers", "moments"]
    operands: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Equal:
    """Equality without conversion; objects, arrays and date-times equal nothing but themselves."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Member:
    item: "Node"
    among: "Node"


@dataclass(frozen=True, slots=True)
class Plus:
    left: "Node"
    right: "Node"
    exact: bool
    """Decimals are allowed (landbridge/1)."""


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class PlusTime:
    date: "Node"
    amount: int
    unit: Unit
    chained: bool
    """`date` may be a date-time already (landbridge/1)."""


@dataclass(frozen=True, slots=True)
class BirthDate:
    date: "Node"


@dataclass(frozen=True, slots=True)
class StartOfDay:
    date: "Node"
    zone: "Node"
    days: int


@dataclass(frozen=True, slots=True)
class Reduce:
    """A left fold; `each` sees only `accumulator` and `current`."""

    over: "Node"
    each: "Node"
    start: "Node"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One part of a unique certificate identifier."""

    code: "Node"
    index: int


@dataclass(frozen=True, slots=True)
class Exactly:
    number: "Node"


@dataclass(frozen=True, slots=True)
class Lookup:
    table: str
    keys: "tuple[Node, ...]"


Node: TypeAlias = (
    Constant
    | Items
    | Var
    | If
    | And
    | Compare
    | Equal
    | Member
    | Plus
    | Not
    | PlusTime
    | BirthDate
    | StartOfDay
    | Reduce
    | Fragment
    | Exactly
    | Lookup
)


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of a logic: where it is (`/if/1/and/0`), what stands there, what is wrong, what to write."""

    path: str
    expression: Any
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.message}" + (f"; {self.hint}" if self.hint else "")


class LogicError(RuleError):
    """Logic that is not of its engine; `issues` names every fault."""

    def __init__(self, rule: str, issues: tuple[Issue, ...]) -> None:
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        super().__init__(
            f"{rule or 'logic'}: {issues[0].path or '/'}: {issues[0].message}{more}", hint=issues[0].hint
        )
        self.rule = rule
        self.issues = issues


def parse(
    logic: Any, *, engine: str = CERTLOGIC, tables: dict[str, Table] | None = None, rule: str = ""
) -> Node:
    """Logic, as JSON values, as a tree. `tables` are those the logic may look up, `rule` names it in errors.

    Raises LogicError.
    """
    reader = _Reader(engine, tables or {})
    node = reader.read(logic, "", 0)
    if reader.issues or node is None:
        raise LogicError(rule, tuple(reader.issues))
    return node


def examine(
    logic: Any, *, engine: str = CERTLOGIC, tables: dict[str, Table] | None = None
) -> tuple[Issue, ...]:
    """Everything that keeps the logic from being read, in the order it stands."""
    reader = _Reader(engine, tables or {})
    reader.read(logic, "", 0)
    return tuple(reader.issues)


def children(node: Node) -> "tuple[Node, ...]":
    """The branches of a node, from left to right."""
    match node:
        case Constant() | Var():
            return ()
        case Items(branches) | And(branches) | Lookup(_, branches):
            return branches
        case Compare():
            return node.operands
        case If(guard, then, other):
            return (guard, then, other)
        case Equal(left, right) | Member(left, right):
            return (left, right)
        case Plus():
            return (node.left, node.right)
        case Not(operand) | BirthDate(operand) | Exactly(operand):
            return (operand,)
        case PlusTime() | Fragment():
            return (node.date if isinstance(node, PlusTime) else node.code,)
        case StartOfDay():
            return (node.date, node.zone)
        case Reduce(over, each, start):
            return (over, each, start)


def reads(node: Node) -> tuple[str, ...]:
    """The paths of the facts a tree can read, sorted; what a loop reads of its own items is not among them."""
    return tuple(sorted({var.path for var in _variables(node)}))


def _variables(node: Node) -> Iterator[Var]:
    if isinstance(node, Var):
        yield node
    branches = children(node)
    if isinstance(node, Reduce):
        branches = (node.over, node.start)
    elif isinstance(node, If) and isinstance(node.guard, Constant):
        branches = (node.then if node.guard.value else node.other,)
    for branch in branches:
        yield from _variables(branch)


_COMPARISONS: Final[dict[str, Literal["<", ">", "<=", ">="]]] = {"<": "<", ">": ">", "<=": "<=", ">=": ">="}
_TIMES: Final[dict[str, Literal["<", ">", "<=", ">="]]] = {
    "before": "<",
    "after": ">",
    "not-after": "<=",
    "not-before": ">=",
}
_MANY = 1_000
# Fewest and most operands.
_OPERANDS: Final[dict[str, tuple[int, int]]] = {
    "if": (3, 3),
    "and": (2, _MANY),
    **dict.fromkeys((*_COMPARISONS, *_TIMES), (2, 3)),
    "===": (2, 2),
    "in": (2, 2),
    "+": (2, 2),
    "!": (1, 1),
    "plusTime": (3, 3),
    "reduce": (3, 3),
    "extractFromUVCI": (2, 2),
    "dccDateOfBirth": (1, 1),
}
_OURS: Final[dict[str, tuple[int, int]]] = {
    "or": (2, _MANY),
    "startOfDay": (2, 3),
    "decimal": (1, 1),
    "lookup": (2, 2),
}


class _Reader:
    """One reading: what was found wrong, and how much was read so far."""

    def __init__(self, engine: str, tables: dict[str, Table]) -> None:
        if engine not in ENGINES:
            raise RuleError(f'unknown engine "{engine}"', hint=f"Write one of {', '.join(ENGINES)}.")
        self.ours = engine == LANDBRIDGE
        self.operators = {**_OPERANDS, **_OURS} if self.ours else _OPERANDS
        self.tables = tables
        self.issues: list[Issue] = []
        self.size = 0
        self.loops = 0
        self.nesting = 0

    def fault(self, path: str, expression: Any, message: str, hint: str = "") -> None:
        self.issues.append(Issue(path, expression, message, hint))

    def read(self, expression: Any, path: str, depth: int) -> Node | None:
        self.size += 1 + (len(expression) if isinstance(expression, str) else 0)
        if self.size > LARGEST:
            if self.size < 2 * LARGEST:
                self.fault(path, None, f"the logic is larger than {LARGEST} nodes and characters")
                self.size = 2 * LARGEST
            return None
        if depth > DEEPEST:
            self.fault(path, None, f"nested deeper than {DEEPEST}", "divide the rule into several rules")
            return None
        if isinstance(expression, str | bool):
            return Constant(expression)
        if isinstance(expression, int | float | Decimal):
            return self._number(expression, path)
        if isinstance(expression, list):
            items = self._all(expression, path, depth)
            return None if items is None else Items(items)
        if isinstance(expression, dict):
            return self._operation(expression, path, depth)
        self.fault(
            path, expression, "invalid CertLogic expression", "write true, a number, a text or an operation"
        )
        return None

    def _all(self, expressions: list[Any], path: str, depth: int) -> tuple[Node, ...] | None:
        nodes = [self.read(one, f"{path}/{i}", depth + 1) for i, one in enumerate(expressions)]
        return None if None in nodes else tuple(node for node in nodes if node is not None)

    def _number(self, number: float | Decimal, path: str) -> Node | None:
        exact = _exactly(number)
        if exact is None or not -GREATEST <= exact <= GREATEST:
            self.fault(path, str(number)[:80], f"not a number within ±{GREATEST} that can be held exactly")
            return None
        if isinstance(exact, Decimal) and not self.ours:
            hint = f'engine "{LANDBRIDGE}" has decimals'
            self.fault(path, float(number), f"{number} is a non-integer number", hint)
            return None
        return Constant(exact)

    def _operation(self, expression: dict[str, Any], path: str, depth: int) -> Node | None:
        if len(expression) != 1:
            message = f"expression object must have exactly one key, but it has {len(expression)}"
            self.fault(path, expression, message, 'write {"operator": [operand, …]}')
            return None
        ((operator, operands),) = expression.items()
        if operator == "var":
            return self._var(expression, operands, path)
        if not isinstance(operands, list):
            form = 'operation not of the form { "<operator>": [ <values...> ] }'
            self.fault(path, expression, form, f'write {{"{str(operator)[:40]}": [ … ]}}')
            return None
        if operator not in self.operators:
            known = (
                f'engine "{LANDBRIDGE}" has it'
                if operator in _OURS
                else "known: var, " + ", ".join(self.operators)
            )
            self.fault(path, expression, f'unrecognised operator: "{str(operator)[:40]}"', known)
            return None
        fewest, most = self.operators[operator]
        if not fewest <= len(operands) <= most:
            wanted = (
                f"exactly {fewest}"
                if fewest == most
                else f"at least {fewest}"
                if most == _MANY
                else f"{fewest} or {most}"
            )
            self.fault(path, expression, f'"{operator}" takes {wanted} operands, but it has {len(operands)}')
            return None
        return self._known(operator, operands, f"{path}/{operator}", depth)

    def _var(self, expression: Any, path: Any, place: str) -> Node | None:
        if not isinstance(path, str):
            self.fault(
                place, expression, 'not of the form { "var": "<path>" }', 'write {"var": "payload.v.0"}'
            )
            return None
        if len(path) > 300 or (path and "" in path.split(".")):
            self.fault(place, expression, f"data access path doesn't have a valid format: {path[:300]}")
            return None
        return variable(path)

    def _known(self, operator: str, operands: list[Any], path: str, depth: int) -> Node | None:
        match operator:
            case "plusTime":
                return self._plus_time(operands, path, depth)
            case "extractFromUVCI":
                code = self.read(operands[0], f"{path}/0", depth + 1)
                index = self._whole(operands[1], f"{path}/1", 'the index of "extractFromUVCI"', GREATEST)
                return None if code is None or index is None else Fragment(code, index)
            case "startOfDay":
                return self._start_of_day(operands, path, depth)
            case "lookup":
                return self._lookup(operands, path, depth)
            case "reduce":
                return self._reduce(operands, path, depth)
        nodes = self._all(operands, path, depth)
        if nodes is None:
            return None
        match operator:
            case "if":
                return If(*nodes)
            case "and":
                return And(nodes)
            case "or":
                return Not(And(tuple(Not(node) for node in nodes)))
            case "===":
                return Equal(*nodes)
            case "in":
                return Member(*nodes)
            case "+":
                return Plus(nodes[0], nodes[1], exact=self.ours)
            case "!":
                return Not(*nodes)
            case "dccDateOfBirth":
                return BirthDate(*nodes)
            case "decimal":
                return Exactly(*nodes)
        if operator in _TIMES:
            return Compare(_TIMES[operator], "moments", nodes)
        return Compare(_COMPARISONS[operator], "numbers" if self.ours else "integers", nodes)

    def _whole(self, given: Any, path: str, what: str, furthest: int) -> int | None:
        value = _exactly(given) if type(given) in (int, float, Decimal) else None
        if not isinstance(value, int):
            self.fault(path, given, f"{what} must be an integer, but it is: {str(given)[:40]}")
            return None
        if abs(value) > furthest:
            self.fault(path, given, f"{what} is beyond ±{furthest}")
            return None
        return value

    def _plus_time(self, operands: list[Any], path: str, depth: int) -> Node | None:
        date = self.read(operands[0], f"{path}/0", depth + 1)
        unit = operands[2]
        if unit not in UNITS:
            message = f'"unit" argument (#3) of "plusTime" must be one of {", ".join(UNITS)}, but it is: {str(unit)[:40]}'
            self.fault(f"{path}/2", unit, message)
            return None
        amount = self._whole(operands[1], f"{path}/1", 'the amount of "plusTime"', FURTHEST[unit])
        return None if date is None or amount is None else PlusTime(date, amount, unit, chained=self.ours)

    def _start_of_day(self, operands: list[Any], path: str, depth: int) -> Node | None:
        date = self.read(operands[0], f"{path}/0", depth + 1)
        zone = self.read(operands[1], f"{path}/1", depth + 1)
        days = self._whole(
            operands[2] if len(operands) > 2 else 0, f"{path}/2", 'the days of "startOfDay"', FURTHEST["day"]
        )
        if isinstance(zone, Constant):
            try:
                find_zone(str(zone.value))
            except ValueError:
                message = f"unknown time zone: {str(zone.value)[:40]}"
                self.fault(
                    f"{path}/1", zone.value, message, 'write one of the IANA names, like "Asia/Vladivostok"'
                )
                return None
        return None if date is None or zone is None or days is None else StartOfDay(date, zone, days)

    def _lookup(self, operands: list[Any], path: str, depth: int) -> Node | None:
        name, keys = operands
        if not isinstance(name, str) or name not in self.tables:
            tables = ", ".join(sorted(self.tables)) or "none"
            message = f"no such table: {str(name)[:40]}"
            self.fault(f"{path}/0", name, message, f"the rule's tables are: {tables}")
            return None
        width = len(next(iter(self.tables[name]), ()))
        if not isinstance(keys, list) or len(keys) != width:
            self.fault(
                f"{path}/1",
                keys,
                f'table "{name}" is looked up by {width} keys',
                'write {"lookup": ["table", [key, …]]}',
            )
            return None
        nodes = self._all(keys, f"{path}/1", depth)
        return None if nodes is None else Lookup(name, nodes)

    def _reduce(self, operands: list[Any], path: str, depth: int) -> Node | None:
        self.loops += 1
        self.nesting += 1
        if self.loops > LOOPS or self.nesting > NESTED_LOOPS:
            self.fault(path, None, f"more than {LOOPS} loops, or more than {NESTED_LOOPS} within each other")
            self.nesting -= 1
            return None
        nodes = self._all(operands, path, depth)
        self.nesting -= 1
        return None if nodes is None else Reduce(*nodes)


def _exactly(number: float | Decimal) -> int | Decimal | None:
    exact = number if isinstance(number, Decimal | int) else Decimal(repr(number))
    if isinstance(exact, int):
        return exact
    if not exact.is_finite() or abs(exact.adjusted()) > 30 or len(exact.as_tuple().digits) > 30:
        return None
    return int(exact) if exact == exact.to_integral_value() else exact


def variable(path: str) -> Var:
    """The node that reads a path; a step of digits is an index in an array, a name in an object."""
    steps = path.split(".") if path else []
    return Var(path, tuple(int(step) if step.isascii() and step.isdigit() else step for step in steps))
