"""Many trees into one Python function, through `ast`: what `evaluate` does, several times faster.

The function reads every path of the facts once, and hands back the numbers of the rules that are not met and of
those that are open; why they are open, `evaluate` says. No text of a rule becomes program text: names of variables
are ours, and what a rule says enters as constants.

What is known of a value before it is there decides how it is checked: a date-time is a plain integer where nothing
else can stand, and is wrapped (Moment) where it meets other values.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from landbridge.clear import evaluate as e
from landbridge.clear import logic as l
from landbridge.clear.moments import DAY, HOUR, Moment, read_birth, read_moment, shift

Judge: TypeAlias = Callable[[Any], tuple[list[int], list[int]]]
"""Facts → (numbers of the rules not met, numbers of the rules that are open). Raises nothing on JSON values."""

# "json": a value of the facts, never a date-time; "any": perhaps one.
_Kind: TypeAlias = Literal["bool", "int", "number", "str", "list", "moment", "json", "any"]
_Code: TypeAlias = tuple[_Kind, ast.expr]


def build(rules: Sequence[tuple[l.Node, Mapping[str, l.Table]]]) -> Judge:
    """One function that judges all of the rules, each with its tables."""
    writer = _Writer()
    attempts = [writer.attempt(i, node, tables) for i, (node, tables) in enumerate(rules)]
    body: list[ast.stmt] = [
        _assign("unmet", ast.List([], ast.Load())),
        _assign("unclear", ast.List([], ast.Load())),
        *writer.loads(),
        *attempts,
        ast.Return(ast.Tuple([_name("unmet"), _name("unclear")], ast.Load())),
    ]
    arguments = ast.arguments([], [ast.arg("data")], None, [], [], None, [])
    function = ast.FunctionDef("judge", arguments, body, [])
    _place(function)
    module = ast.Module([function], [])
    names: dict[str, Any] = dict(_HELPERS, **writer.constants)
    exec(compile(module, "<rules>", "exec"), names)  # noqa: S102  (our own tree, without any text of the rules)
    made: Judge = names["judge"]
    return made


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a path starts: at the facts, or within a loop at its two variables."""

    accumulator: str = ""
    kind: _Kind = "any"
    """Of the accumulator."""
    current: str | l.Var = ""
    """A variable of the function, or the path of the facts at which the loop stands."""


_FACTS = _Scope()


class _Writer:
    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self.paths: dict[tuple[l.Step, ...], str] = {}
        self.counted = 0

    def fresh(self, letter: str) -> str:
        self.counted += 1
        return f"{letter}{self.counted}"

    def constant(self, value: Any) -> ast.expr:
        name = self.fresh("k")
        self.constants[name] = value
        return _name(name)

    def attempt(self, number: int, node: l.Node, tables: Mapping[str, l.Table]) -> ast.stmt:
        """try: if not RULE: unmet.append(number) / except Exception: unclear.append(number)"""
        kind, code = _Rule(self, tables).write(node, _FACTS)
        met = code if kind == "bool" else _call("verdict", _boxed((kind, code)))
        return ast.Try(
            [ast.If(_not(met), [_append("unmet", number)], [])],
            [ast.ExceptHandler(_name("Exception"), None, [_append("unclear", number)])],
            [],
            [],
        )

    def path(self, var: l.Var) -> ast.expr:
        if var.steps not in self.paths:
            self.paths[var.steps] = self.fresh("v")
        return _name(self.paths[var.steps])

    def loads(self) -> list[ast.stmt]:
        """Every path that is read, each of its steps once."""
        known: dict[tuple[l.Step, ...], str] = {(): "data"}
        statements: list[ast.stmt] = []
        for steps, name in sorted(self.paths.items(), key=lambda item: [str(step) for step in item[0]]):
            for end in range(1, len(steps) + 1):
                if steps[:end] in known:
                    continue
                target = name if end == len(steps) else self.paths.get(steps[:end]) or self.fresh("x")
                statements.append(_assign(target, _step(known[steps[: end - 1]], steps[end - 1])))
                known[steps[:end]] = target
        return statements


class _Rule:
    """The expression of one rule."""

    def __init__(self, writer: _Writer, tables: Mapping[str, l.Table]) -> None:
        self.writer = writer
        self.tables = tables

    def write(self, node: l.Node, scope: _Scope) -> _Code:
        match node:
            case l.Constant(value):
                return self._constant(value)
            case l.Items():
                return self._items(node, scope)
            case l.Var():
                return self._var(node, scope)
            case l.If():
                return self._if(node, scope)
            case l.And(operands):
                return self._and(operands, scope)
            case l.Compare():
                return "bool", self._compare(node, scope)
            case l.Equal(left, right):
                return "bool", self._equal(self.write(left, scope), self.write(right, scope))
            case l.Member():
                return "bool", self._member(node, scope)
            case l.Plus():
                left_, right_ = self.write(node.left, scope), self.write(node.right, scope)
                if node.exact:
                    return "number", _call("add", self._number(left_), self._number(right_))
                return "int", ast.BinOp(self._whole(left_), ast.Add(), self._whole(right_))
            case l.Not(operand):
                return "bool", _not(self._truth(operand, scope))
            case l.PlusTime():
                return "moment", self._plus_time(node, scope)
            case l.BirthDate(date):
                return "moment", _call("birth", _boxed(self.write(date, scope)))
            case l.StartOfDay():
                date_, zone = (_boxed(self.write(part, scope)) for part in (node.date, node.zone))
                return "moment", _call("local_day", date_, zone, ast.Constant(node.days))
            case l.Reduce():
                return self._reduce(node, scope)
            case l.Fragment(code, index):
                return "json", _call("fragment", _boxed(self.write(code, scope)), ast.Constant(index))
            case l.Exactly(number):
                return "number", _call("exactly", _boxed(self.write(number, scope)))
            case l.Lookup():
                keys = ast.Tuple([_boxed(self.write(key, scope)) for key in node.keys], ast.Load())
                return "json", _call("look_up", self.writer.constant(self.tables[node.table]), keys)

    def _constant(self, value: Any) -> _Code:
        if isinstance(value, Decimal):
            return "number", self.writer.constant(value)
        kinds: dict[type, _Kind] = {bool: "bool", int: "int", str: "str"}
        return kinds[type(value)], ast.Constant(value)

    def _items(self, node: l.Items, scope: _Scope) -> _Code:
        return "list", ast.List([_boxed(self.write(item, scope)) for item in node.items], ast.Load())

    def _var(self, var: l.Var, scope: _Scope) -> _Code:
        if scope is _FACTS:
            value = self.writer.path(var) if var.steps else _name("data")
            return "json", _call("there", value) if var.required else value
        current = (
            self._var(scope.current, _FACTS)
            if isinstance(scope.current, l.Var)
            else ("any", _name(scope.current))
        )
        if not var.steps:
            parts: list[ast.expr | None] = [ast.Constant("accumulator"), ast.Constant("current")]
            return "json", ast.Dict(parts, [_boxed((scope.kind, _name(scope.accumulator))), current[1]])
        first, *rest = var.steps
        if var.required or first not in ("accumulator", "current"):
            return "json", _call("there", ast.Constant(None)) if var.required else ast.Constant(None)
        if isinstance(scope.current, l.Var) and first == "current":
            return self._var(l.Var(scope.current.path, (*scope.current.steps, *rest)), _FACTS)
        kind, start = (scope.kind, _name(scope.accumulator)) if first == "accumulator" else current
        if not rest:
            return kind, start
        return "any", _call("access", _boxed((kind, start)), self.writer.constant(tuple(rest)))

    def _if(self, node: l.If, scope: _Scope) -> _Code:
        if isinstance(node.guard, l.Constant):
            return self.write(node.then if node.guard.value else node.other, scope)
        guard = self._truth(node.guard, scope)
        (kind, then), (other_kind, other) = self.write(node.then, scope), self.write(node.other, scope)
        if kind == other_kind:
            return kind, ast.IfExp(guard, then, other)
        joined: _Kind = "any" if {"moment", "any"} & {kind, other_kind} else "json"
        return joined, ast.IfExp(guard, _boxed((kind, then)), _boxed((other_kind, other)))

    def _and(self, operands: tuple[l.Node, ...], scope: _Scope) -> _Code:
        codes = [self.write(operand, scope) for operand in operands]
        kind: _Kind = "bool" if all(kind == "bool" for kind, _ in codes) else "json"
        settled = [
            _call("settled", _boxed(code)) if code[0] in ("any", "moment") else code[1] for code in codes
        ]
        return kind, ast.BoolOp(ast.And(), settled)

    def _truth(self, node: l.Node, scope: _Scope) -> ast.expr:
        """An expression that Python takes for true exactly when the logic does."""
        kind, code = self.write(node, scope)
        return _call("settled", _boxed((kind, code))) if kind in ("any", "moment") else code

    def _compare(self, node: l.Compare, scope: _Scope) -> ast.expr:
        check = {"integers": self._whole, "numbers": self._number, "moments": self._moment}[node.of]
        first, *rest = [check(self.write(operand, scope)) for operand in node.operands]
        sign = _SIGNS[node.sign]
        if len(rest) == 1:
            return ast.Compare(first, [sign()], rest)
        # The third operand is checked even where the first two decide: read it before.
        last = self.writer.fresh("t")
        before = ast.Compare(
            ast.NamedExpr(_name(last, ast.Store()), rest[1]), [ast.IsNot()], [ast.Constant(None)]
        )
        return ast.BoolOp(ast.And(), [before, ast.Compare(first, [sign(), sign()], [rest[0], _name(last)])])

    def _whole(self, code: _Code) -> ast.expr:
        kind, value = code
        if kind == "int":
            return value
        if isinstance(value, ast.Name) and kind != "moment":
            return ast.IfExp(_is_type(value, "int"), value, _call("whole", value))
        return _call("whole", _boxed(code))

    def _number(self, code: _Code) -> ast.expr:
        return code[1] if code[0] in ("int", "number") else _call("number", _boxed(code))

    def _moment(self, code: _Code) -> ast.expr:
        return code[1] if code[0] == "moment" else _call("moment", code[1])

    def _equal(self, left: _Code, right: _Code) -> ast.expr:
        if "moment" not in (left[0], right[0]):
            if "str" in (left[0], right[0]):
                return ast.Compare(left[1], [ast.Eq()], [right[1]])
            for one, other in ((left, right), (right, left)):
                if one[0] == "int" and other[0] == "json" and isinstance(other[1], ast.Name):
                    equal = ast.Compare(other[1], [ast.Eq()], [one[1]])
                    return ast.BoolOp(ast.And(), [equal, _not(_is_type(other[1], "bool"))])
        return _call("same", _boxed(left), _boxed(right))

    def _member(self, node: l.Member, scope: _Scope) -> ast.expr:
        item = self.write(node.item, scope)
        if isinstance(node.among, l.Items):
            words = [one.value for one in node.among.items if isinstance(one, l.Constant)]
            if len(words) == len(node.among.items) and all(type(word) is str for word in words):
                among = self.writer.constant(frozenset(words))
                if isinstance(item[1], ast.Name) and item[0] != "moment":
                    listed = ast.Compare(item[1], [ast.In()], [among])
                    return ast.BoolOp(ast.And(), [_is_type(item[1], "str"), listed])
                if isinstance(node.item, l.Fragment):  # a text or None: it needs no look at its type
                    return ast.Compare(item[1], [ast.In()], [among])
                return _call("is_word", _boxed(item), among)
        if isinstance(node.among, l.Var) and scope is _FACTS:
            # A value set that is not there is no list either, and is_among says so.
            among_ = self.writer.path(node.among) if node.among.steps else _name("data")
            if isinstance(item[1], ast.Name) and item[0] != "moment":
                plain = ast.BoolOp(ast.And(), [_is_type(item[1], "str"), _is_type(among_, "list")])
                listed = ast.Compare(item[1], [ast.In()], [among_])
                return ast.IfExp(plain, listed, _call("is_among", item[1], among_))
            return _call("is_among", _boxed(item), among_)
        return _call("is_among", _boxed(item), _boxed(self.write(node.among, scope)))

    def _plus_time(self, node: l.PlusTime, scope: _Scope) -> ast.expr:
        kind, date = self.write(node.date, scope)
        if kind == "moment":
            start = date if node.chained else _call("moment_of", _boxed((kind, date)))
        elif kind == "any" and node.chained:
            start = _call("moment_or_date", date)
        else:
            start = self._date(node.date, date)
        if node.amount == 0:
            return start
        if node.unit in ("day", "hour"):
            ahead = node.amount * (DAY if node.unit == "day" else HOUR)
            return ast.BinOp(start, ast.Add(), ast.Constant(ahead))
        return _call("shift", start, ast.Constant(node.amount), ast.Constant(node.unit))

    def _date(self, node: l.Node, date: ast.expr) -> ast.expr:
        if isinstance(node, l.Constant) and isinstance(node.value, str):
            try:
                return ast.Constant(read_moment(node.value))
            except ValueError:
                pass
        return _call("moment_of", date)

    def _reduce(self, node: l.Reduce, scope: _Scope) -> _Code:
        paths = _fixed(node)
        if paths and scope is _FACTS:
            return self._unrolled(node, paths)
        over, start = _boxed(self.write(node.over, scope)), _boxed(self.write(node.start, scope))
        accumulator, current = self.writer.fresh("a"), self.writer.fresh("c")
        each = _boxed(self.write(node.each, _Scope(accumulator, "any", current)))
        arguments = [ast.arg(accumulator), ast.arg(current)]
        fold = ast.Lambda(ast.arguments([], arguments, None, [], [], None, []), each)
        return "any", _call("reduce", over, fold, start)

    def _unrolled(self, node: l.Reduce, paths: tuple[l.Var, ...]) -> _Code:
        """(a1 := start, a2 := each of the first path, …)[-1]"""
        kind, code = self.write(node.start, _FACTS)
        steps: list[ast.expr] = []
        for path in (*paths, None):
            name = self.writer.fresh("a")
            steps.append(ast.NamedExpr(_name(name, ast.Store()), code))
            if path is not None:
                kind, code = self.write(node.each, _Scope(name, kind, path))
        return kind, ast.Subscript(ast.Tuple(steps, ast.Load()), ast.Constant(-1), ast.Load())


def _fixed(node: l.Reduce) -> tuple[l.Var, ...]:
    """The paths a loop goes through, where it goes through a few paths of the facts and holds no loop itself."""
    if not isinstance(node.over, l.Items) or not 1 <= len(node.over.items) <= 8 or _loops(node.each):
        return ()
    paths = tuple(item for item in node.over.items if isinstance(item, l.Var) and not item.required)
    return paths if len(paths) == len(node.over.items) else ()


def _loops(node: l.Node) -> bool:
    return isinstance(node, l.Reduce) or any(map(_loops, l.children(node)))


def _place(node: Any) -> None:
    # What ast.fix_missing_locations does, in a third of its time: most of a compilation would be spent there.
    node.lineno, node.col_offset = 1, 0
    for field in node._fields:
        branch = getattr(node, field, None)
        for one in branch if type(branch) is list else (branch,):
            if isinstance(one, _PLACED):
                _place(one)


_PLACED = (ast.expr, ast.stmt, ast.arguments, ast.arg, ast.ExceptHandler)


def _name(name: str, context: ast.expr_context | None = None) -> ast.Name:
    return ast.Name(name, context or ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(name), list(arguments), [])


def _not(code: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), code)


def _is_type(value: ast.expr, name: str) -> ast.expr:
    return ast.Compare(_call("type", value), [ast.Is()], [_name(name)])


def _boxed(code: _Code) -> ast.expr:
    return _call("Moment", code[1]) if code[0] == "moment" else code[1]


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([_name(name, ast.Store())], value)


def _append(name: str, number: int) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Attribute(_name(name), "append", ast.Load()), [ast.Constant(number)], []))


def _step(start: str, step: l.Step) -> ast.expr:
    """start.get("step") of an object, start[step] of an array, else None."""
    get = ast.Call(ast.Attribute(_name(start), "get", ast.Load()), [ast.Constant(str(step))], [])
    named = ast.IfExp(_is_type(_name(start), "dict"), get, ast.Constant(None))
    if type(step) is str:
        return named
    there = ast.Compare(_call("len", _name(start)), [ast.Gt()], [ast.Constant(step)])
    item = ast.Subscript(_name(start), ast.Constant(step), ast.Load())
    return ast.IfExp(_is_type(_name(start), "list"), ast.IfExp(there, item, ast.Constant(None)), named)


_SIGNS = {"<": ast.Lt, ">": ast.Gt, "<=": ast.LtE, ">=": ast.GtE}


def _settled(value: Any) -> Any:
    if type(value) is Moment:
        raise e.Open("wrong-type")
    return value


def _there(value: Any) -> Any:
    if value is None:
        raise e.Open("missing-value-set")
    return value


def _moment_or_date(value: Any) -> int:
    return value if type(value) is Moment else read_moment(value)


def _is_word(value: Any, words: frozenset[str]) -> bool:
    return type(value) is str and value in words


def _reduce(over: Any, each: Callable[[Any, Any], Any], value: Any) -> Any:
    for item in e.loop(over):
        value = each(value, item)
    return value


_HELPERS: dict[str, Any] = {
    "__builtins__": {},
    "type": type,
    "len": len,
    "int": int,
    "str": str,
    "bool": bool,
    "dict": dict,
    "list": list,
    "Exception": Exception,
    "Moment": Moment,
    "access": e.access,
    "add": e.add,
    "birth": read_birth,
    "exactly": e.exactly,
    "fragment": e.fragment,
    "is_among": e.is_among,
    "is_word": _is_word,
    "local_day": e.local_day,
    "look_up": e.look_up,
    "moment": e.moment,
    "moment_of": read_moment,
    "moment_or_date": _moment_or_date,
    "number": e.number,
    "reduce": _reduce,
    "same": e.same,
    "settled": _settled,
    "shift": shift,
    "there": _there,
    "verdict": e.verdict,
    "whole": e.whole,
}
