"""Writes what the registers of the fictitious union recorded: `python -m landbridge.world.write [FOLDER]`.

`expected.toml` says what a harvest must make of each register. The same files are written every time, to the byte.
"""

import sys
from pathlib import Path

from landbridge.world.draw import FOLDER, Draw, vacancies
from landbridge.world.registers import REGISTERS, Recorded

__all__ = ["vacancies", "write"]


def write(folder: Path = FOLDER) -> None:
    """All data files below `folder`/members, and `folder`/expected.toml."""
    told: list[str] = [
        "# What a harvest at 2026-11-01 makes of each register; written with the data, by landbridge.world.write."
    ]
    for source, register in REGISTERS.items():
        member, _, _ = source.partition("/")
        recorded, files = register(Draw(source))
        below = folder / "members" / member / "shares" / "data"
        below.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (below / name).write_bytes(data)
        told.append(_told(source, recorded))
    (folder / "expected.toml").write_text("\n\n".join(told) + "\n", "utf-8")


def _told(source: str, recorded: Recorded) -> str:
    lines = [f'["{source}"]', f"read = {len(recorded.rows)}"]
    lines += [
        f"{name} = {getattr(recorded, name)}" for name in ("new", "changed", "unchanged", "duplicate_key")
    ]
    lines += [f"quarantined = {len(recorded.quarantine)}", f"gone = {recorded.gone}"]
    for code, field, why in recorded.quarantine:
        lines += [
            "",
            f'[["{source}".quarantine]]',
            f'code = "{code}"',
            f'field = "{field}"',
            f'why = "{why}"',
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
