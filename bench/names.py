"""Names against passports: `python -m bench.names [--pairs FILE] [--json]`.

FILE holds pairs a line, tab-separated: a name as written, the same name as its issuing state standardised it after
ICAO Doc 9303-3. Every pair is compared, and every name with every other's standardised spelling. Wrong is a pair of
two lines that have neither the name as written nor its standardised spelling in common (without regard to case,
fillers and spaces at the ends); nothing else is left out, not even two spellings of one name.
The lines fall into two halves by a hash: `seen` was looked at when the tables were written, `unseen` was not.
The peer is the plain way: marks off, everything else as it is, then equality.
"""

import argparse
import hashlib
import json
import os
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from landbridge.prove.names import THRESHOLD, Name, compare

_SHARED = Path(os.environ.get("LANDBRIDGE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
PAIRS = _SHARED / "prove/name-transliteration-pairs/pairs.tsv"
THRESHOLDS = (0.8, THRESHOLD, 0.9, 0.95)
PUBLISHED = {"Unidecode": 425, "small ICAO Latin table and Unidecode": 438}
"""Of the 479 pairs, by equality, as measured when the work began."""


class Pair(NamedTuple):
    """One line of the file."""

    written: str
    standardised: str
    script: str


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    """The pairs of a file whose first line names its columns."""
    lines = path.read_text("utf-8").splitlines()[1:]
    return [Pair(*line.split("\t")[:3]) for line in lines if line]


def same(one: str, other: str) -> bool:
    """Whether two spellings are one but for case, fillers and spaces."""
    return _key(one) == _key(other)


def _key(text: str) -> str:
    return " ".join(text.replace("<", " ").split()).casefold()


def unseen(pair: Pair) -> bool:
    """Whether the pair belongs to the half nobody looked at."""
    return bool(hashlib.sha256(f"{pair.written}|{pair.standardised}".encode()).digest()[0] & 1)


def plain(text: str) -> str:
    """The peer: capitals without marks, words parted by a filler."""
    folded = unicodedata.normalize("NFKD", text.replace("<", " ").replace("-", " ")).upper()
    return "<".join("".join(letter for letter in folded if not unicodedata.combining(letter)).split())


def measure(pairs: list[Pair]) -> dict[str, Any]:
    """Shares found and shares falsely found, at each threshold, in both halves, by script, and the time each took."""
    scores = [compare(Name(pair.written), Name(pair.standardised)).score for pair in pairs]
    wrong: list[float] = []
    keys = [(_key(pair.written), _key(pair.standardised)) for pair in pairs]
    started = time.perf_counter()
    for one, mine in zip(pairs, keys, strict=True):
        for other, theirs in zip(pairs, keys, strict=True):
            if mine[0] != theirs[0] and mine[1] != theirs[1]:
                wrong.append(compare(Name(one.written), Name(other.standardised)).score)
    spent = time.perf_counter() - started
    full = [Name(pair.written, "Анна Мария") for pair in pairs]
    started = time.perf_counter()
    for name, pair in zip(full, pairs, strict=True):
        compare(name, Name(pair.standardised, "ANNA MARIIA"))
    whole = time.perf_counter() - started
    halves = {
        "seen": [score for score, pair in zip(scores, pairs, strict=True) if not unseen(pair)],
        "unseen": [score for score, pair in zip(scores, pairs, strict=True) if unseen(pair)],
    }
    found, every = Counter[str](), Counter(pair.script for pair in pairs)
    found.update(pair.script for score, pair in zip(scores, pairs, strict=True) if score >= THRESHOLD)
    return {
        "pairs": len(pairs),
        "wrong_pairs": len(wrong),
        "threshold": THRESHOLD,
        "at": {
            str(at): {
                "found": sum(score >= at for score in scores),
                "false": sum(score >= at for score in wrong),
            }
            for at in THRESHOLDS
        },
        "halves": {
            name: {"pairs": len(some), "found": sum(score >= THRESHOLD for score in some)}
            for name, some in halves.items()
        },
        "scripts": {script: [found[script], every[script]] for script in sorted(every)},
        "peer": {"plain folding": sum(plain(pair.written) == plain(pair.standardised) for pair in pairs)}
        | PUBLISHED,
        "ms_a_wrong_pair": spent / max(1, len(wrong)) * 1000,
        "ms_a_full_name": whole / max(1, len(pairs)) * 1000,
    }


def show(figures: dict[str, Any]) -> None:
    count, wrong = figures["pairs"], figures["wrong_pairs"]
    print(f"{count} pairs, {wrong:,} wrong pairs; the threshold is {figures['threshold']}")
    for at, row in figures["at"].items():
        print(
            f"  from {float(at):.2f}: {row['found']} found ({row['found'] / count:.1%}), "
            f"{row['false']} false ({row['false'] / max(1, wrong):.4%})"
        )
    for name, half in figures["halves"].items():
        print(
            f"  half {name}: {half['found']} of {half['pairs']} ({half['found'] / max(1, half['pairs']):.1%})"
        )
    print("  by script: " + ", ".join(f"{script} {a}/{b}" for script, (a, b) in figures["scripts"].items()))
    for peer, matched in figures["peer"].items():
        print(f"  peer, {peer}, equality: {matched} found")
    print(
        f"  {figures['ms_a_wrong_pair']:.2f} ms a wrong pair, {figures['ms_a_full_name']:.2f} ms a full name"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if not asked.pairs.is_file():
        parser.error(f"there is no {asked.pairs}: give a file of pairs with --pairs")
    figures = measure(read_pairs(asked.pairs))
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    show(figures)


if __name__ == "__main__":
    main()
