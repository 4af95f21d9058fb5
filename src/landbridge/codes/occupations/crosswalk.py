"""From the codes that registers use to ISCO-08.

`data/crosswalks/SCHEME.tsv` holds a line a code: it, the unit groups of ISCO-08 that it stands for (the likeliest
first, with spaces between), and a word for the editor. Schemes that are made of ISCO-08 need no table but for their
exceptions: their first four digits are the unit group.
"""

from functools import cache
from importlib import resources

# National classifications whose first four digits are ISCO-08's, where no exception is listed.
_MADE_OF_ISCO = frozenset(
    [
        "isco-08",
        "kbji",
        "okz",
        "nkz",
        "okrb-006",
        "psoc",
        "ssoc-2020",
        "vsco",
        "tsco",
        "masco",
        "styrk-08",
        "styrk08",
        "styrk08nav",
        "ssyk-2012",
        "kzis",
        "nocc",
    ]
)


@cache
def _table(scheme: str) -> dict[str, tuple[str, ...]]:
    path = resources.files("landbridge.codes.occupations") / "data/crosswalks" / f"{scheme}.tsv"
    if not path.is_file():
        return {}
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    return {row[0]: tuple(row[1].split()) for row in rows if len(row) > 1}


@cache
def _units() -> frozenset[str]:
    path = resources.files("landbridge.codes.occupations") / "data/titles/en.tsv"
    return frozenset(
        code for line in path.read_text("utf-8").splitlines() if len(code := line.partition("\t")[0]) == 4
    )


def schemes() -> list[str]:
    """The schemes that have a table."""
    folder = resources.files("landbridge.codes.occupations") / "data/crosswalks"
    return sorted(path.name[:-4] for path in folder.iterdir() if path.name.endswith(".tsv"))


def isco(scheme: str, code: str) -> tuple[str, ...]:
    """The unit groups of ISCO-08 that a code stands for, the likeliest first; none where it is not known.

    Of an ISCO-08 code of fewer than four digits the code itself.
    """
    scheme, code = scheme.lower(), code.strip().removeprefix("C")
    table = _table(scheme)
    if found := table.get(code) or table.get(code[:4]):
        return found
    if scheme in _MADE_OF_ISCO and code[:1].isdigit():
        digits = code.replace(".", "").replace("-", "")
        if digits[:4] in _units():
            return (digits[:4],)
    return ()
