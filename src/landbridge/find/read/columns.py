"""The header of a table → how its cells become fields.

`name[0]`, `name[1]`, … are one list (empty cells dropped); `tags.skills[0]` is the list `skills` inside `tags`.
A dot alone is part of a name. A name that comes twice is `name`, `name (2)`; a column without a name is
`column 3`, and is left out of the rows where it is empty (a trailing delimiter, the index of a data frame).
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

Build = Callable[[Sequence[Any]], dict[str, Any]]

_INDEXED = re.compile(r"\[(\d{1,4})\]")
_DEEPEST = 8  # steps of one name
_STEP = re.compile(r"\[(\d{1,4})\]|([^.\[]+|\[)")


def name_columns(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns: trimmed, and each only once."""
    seen: dict[str, int] = {}
    out = []
    for at, cell in enumerate(cells, 1):
        name = " ".join(cell.replace("\x00", "").split()) or f"column {at}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(out)


def unnamed(names: Sequence[str], cells: Sequence[str]) -> frozenset[str]:
    """The columns of this header that have no name of their own."""
    return frozenset(name for name, cell in zip(names, cells, strict=True) if not cell.strip())


def plan(names: Sequence[str], optional: frozenset[str] = frozenset()) -> Build:
    """The function that makes fields of cells; `optional` columns are left out where they are empty."""
    paths = [_path(name) for name in names]
    if any(len(path) > 1 for path in paths) and (tree := _tree(paths, names)) is not None:
        return _nested(tree, optional)
    if not optional:
        return lambda cells: dict(zip(names, cells, strict=False))
    return lambda cells: {
        name: cell
        for name, cell in zip(names, cells, strict=False)
        if name not in optional or cell not in ("", None)
    }


def _path(name: str) -> tuple[str | int, ...]:
    """`tags.skills[0]` → ("tags", "skills", 0); a name without an index is its own path."""
    if not _INDEXED.search(name):
        return (name,)
    steps = [int(at) if at else step for at, step in _STEP.findall(name)]
    return tuple(steps) if isinstance(steps[0], str) and len(steps) <= _DEEPEST else (name,)


Tree = dict[str | int, Any]  # a step → a further tree, or the number of a cell


def _tree(paths: list[tuple[str | int, ...]], names: Sequence[str]) -> Tree | None:
    """All paths as one tree; None where two of them claim the same place."""
    tree: Tree = {}
    for at, path in enumerate(paths):
        inner = tree
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                return None
        if path[-1] in inner:
            return None
        inner[path[-1]] = at
    return tree if _is_regular(tree) else None


def _is_regular(tree: Tree) -> bool:
    """Whether every level is either all names or all numbers."""
    kinds = {type(step) for step in tree}
    return len(kinds) == 1 and all(_is_regular(inner) for inner in tree.values() if isinstance(inner, dict))


def _nested(tree: Tree, optional: frozenset[str]) -> Build:
    fill = _filler(tree)

    def build(cells: Sequence[Any]) -> dict[str, Any]:
        out: dict[str, Any] = fill(cells)
        for name in optional:
            if out.get(name) in ("", None):
                out.pop(name, None)
        return out

    return build


def _filler(tree: Tree) -> Callable[[Sequence[Any]], Any]:
    if all(isinstance(step, int) for step in tree):
        ordered = [tree[step] for step in sorted(tree, key=lambda step: int(step))]
        if all(isinstance(item, int) for item in ordered):
            return lambda cells: [cells[at] for at in ordered if cells[at] not in ("", None)]
        parts = [_filler(item) if isinstance(item, dict) else _cell(item) for item in ordered]
        return lambda cells: [value for part in parts if not _is_hollow(value := part(cells))]
    fields = [
        (str(step), _filler(item) if isinstance(item, dict) else _cell(item)) for step, item in tree.items()
    ]
    return lambda cells: {name: part(cells) for name, part in fields}


def _cell(at: int) -> Callable[[Sequence[Any]], Any]:
    return lambda cells: cells[at]


def _is_hollow(value: Any) -> bool:
    """Whether there is nothing in it, however deep."""
    if isinstance(value, dict):
        return all(_is_hollow(inner) for inner in value.values())
    if isinstance(value, list):
        return all(_is_hollow(inner) for inner in value)
    return value in ("", None)
