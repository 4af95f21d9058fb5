"""Any language finds any language: MELO, speed, real advertisements, and ISCO-08 codes of registers.

`./run bench language` prints all that can be measured here, each part beside what it is compared with;
`--melo FOLDER` scores any folder laid out as MELO is; `--only PART …` leaves the others out.
"""

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench import melo
from landbridge.codes.occupations.crosswalk import isco
from landbridge.codes.occupations.encoder import encoder
from landbridge.codes.occupations.link import linker
from landbridge.codes.occupations.vocabulary import vocabulary
from landbridge.config import read_settings
from landbridge.find.analysis import primary
from landbridge.find.occupations import read_all
from landbridge.find.query import parse
from landbridge.instance import Instance

WORK = Path(__file__).resolve().parents[2] / "shared/data/work"
JUDGED = Path(__file__).with_name("occupations.tsv")
TYPED = ("ru", "kk", "vi", "id", "zh", "fr", "no", "en")  # the languages of its queries
AT = datetime(2026, 11, 1, tzinfo=UTC)
PARTS = ("melo", "speed", "codes", "ads", "pace")
FEWEST = 3  # right advertisements of a language, for a question to be asked of them
SAMPLE = 4_000  # coded advertisements of a source, evenly over it


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench language", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--melo", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=None)
    asked = parser.parse_args()
    parts = asked.only or (["melo"] if asked.melo else list(PARTS))
    found: dict[str, Any] = {}
    if "melo" in parts:
        found["melo"] = of_melo(asked.melo or melo.MELO)
    if "speed" in parts:
        found["speed"] = of_speed()
    if {"codes", "ads", "pace"} & set(parts):
        found |= of_work(parts)
    if asked.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        show(found)


# MELO


def of_melo(folder: Path) -> dict[str, Any]:
    """Both protocols over every set of a folder, with and without unit groups as answers."""
    sets = sorted(one for one in folder.iterdir() if "_q_" in one.name) if folder.is_dir() else []
    if not sets:
        return {"not run": f"no set in {folder.name}"}
    each: dict[str, Any] = {}
    for one in sets:
        read = melo.read(one)
        ours, without = melo.score(read), melo.score(read, answer_groups=False)
        each[one.name] = {"within": read.within, "queries": len(read.queries), **ours} | {
            f"{name}, no groups": value for name, value in without.items()
        }
    names = [n for n in next(iter(each.values())) if n not in {"within", "queries"}]
    mean = {
        place: {name: round(sum(s[name] for s in some) / len(some), 4) for name in names}
        for place, is_within in (("within a language", True), ("across languages", False))
        if (some := [s for s in each.values() if s["within"] == is_within])
    }
    return {"mean": mean, "sets": {n: {k: round(v, 4) for k, v in s.items()} for n, s in each.items()}}


# speed


def of_speed() -> dict[str, Any]:
    """Titles a second in batch, one query with its concepts ranked, the time to load, and the memory."""
    code = (
        "import re,time\nfrom pathlib import Path\n"
        "def rss(): return int(re.search(r'VmRSS:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "from landbridge.codes.occupations.link import linker\n"
        "a=time.perf_counter(); m=rss(); linker(); b=time.perf_counter(); linker().link(['welder'])\n"
        "print(b-a, rss()-m)"
    )
    load, memory = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    titles = [f"{t.text} {n % 7}" for n, t in enumerate(vocabulary().titles()) if len(t.concept) >= 4][::3]
    began = time.process_time()
    encoder().encode(titles)
    batch = len(titles) / (time.process_time() - began)
    some = titles[:: max(1, len(titles) // 1_000)]
    took = []
    for title in some:
        began = time.perf_counter()
        linker().link([title])
        took.append(time.perf_counter() - began)
    model = Path(sys.modules["landbridge.codes.occupations.link"].__file__ or "").parent / "model"
    return {
        "titles a second and core": round(batch),
        "one query, ms, median": round(sorted(took)[len(took) // 2] * 1e3, 3),
        "one query, ms, p95": round(sorted(took)[int(len(took) * 0.95)] * 1e3, 3),
        "load, s": round(float(load), 3),
        "memory, MB": round(int(memory) / 1024, 1),
        "in the package, MB": round(sum(p.stat().st_size for p in model.iterdir()) / 1e6, 1),
    }


# real advertisements


def of_work(parts: Sequence[str]) -> dict[str, Any]:
    """What is measured on the real advertisements: they are harvested into a fresh instance first."""
    if not WORK.is_dir():
        return {"work": {"not run": "../shared/data/work is not there"}}
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(read_settings({"LANDBRIDGE_DATA": folder}))
        try:
            began = time.perf_counter()
            harvested = asyncio.run(instance.harvest(replay=[WORK], at=AT))
            took = time.perf_counter() - began
            found: dict[str, Any] = {}
            records = list(_records(instance))
            if "pace" in parts:
                new = sum(h.new for h in harvested)
                found["pace"] = {
                    "new records a second, with occupations": round(new / took),
                    "linked": round(sum(bool(_links(raw)) for raw, _ in records) / len(records), 3),
                    "peak memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                }
            if "codes" in parts:
                found["codes"] = of_codes(records)
            if "ads" in parts:
                found["ads"] = of_ads(instance, records)
            return found
        finally:
            instance.close()


def _records(instance: Instance) -> Iterator[tuple[dict[str, Any], str]]:
    """Every vacancy, as its hit has it, with its language."""
    query = parse({"kind": ["vacancy"]}, instance.kinds, rates=instance.rates)
    for some in instance.every(query):
        for raw in some:
            record = msgspec.json.decode(raw)
            yield record, primary(record.get("language", ""))


def _links(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in record.get("occupations", ()) if one["scheme"] == "isco-08"]


def _coded(record: dict[str, Any]) -> tuple[str, list[str]]:
    """The scheme and the unit groups that the source's own codes lead to."""
    for concept in record["values"].get("occupation", ()):
        if concept.get("code") and (groups := isco(concept.get("scheme", ""), concept["code"])):
            return concept["scheme"].lower(), [g for g in groups if len(g) == 4]
    return "", []


def of_codes(records: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    """Of titles alone, for advertisements whose source has a code: how often the unit group is right.

    A code that covers several unit groups counts as any of them. `covered` are titles that were read as something.
    """
    by: defaultdict[str, list[tuple[str, str, list[str]]]] = defaultdict(list)
    for record, _ in records:
        scheme, groups = _coded(record)
        if groups:
            text = str(record["values"].get("description", ""))[:400]
            by[f"{record['source']} ({scheme})"].append((record["values"]["title"], text, groups))
    found: dict[str, Any] = {}
    for name, rows in sorted(by.items()):
        if len(rows) < 30:
            continue
        rows = rows[:: max(1, len(rows) // SAMPLE)]
        read = read_all([(title, text) for title, text, _ in rows])
        answered = [(r, groups) for r, (_, _, groups) in zip(read, rows, strict=True) if r.kind != "none"]
        first = sum(bool(r.groups) and r.groups[0].code in groups for r, groups in answered)
        every = [(r, groups) for r, (_, _, groups) in zip(read, rows, strict=True)]
        top1 = sum(bool(r.groups) and r.groups[0].code in groups for r, groups in every)
        top3 = sum(any(c.code in groups for c in r.groups[:3]) for r, groups in every)
        found[name] = {
            "advertisements": len(rows),
            "covered": round(len(answered) / len(rows), 3),
            "right of covered": round(first / max(len(answered), 1), 3),
            "right of all": round(top1 / len(rows), 3),
            "top 3 of all": round(top3 / len(rows), 3),
        }
    return found


def of_ads(instance: Instance, records: list[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    """Sixty occupations asked in eight languages, of the advertisements of each language that has some.

    An advertisement is right by its source's own code where it has one, else by its title and the judged words.
    Counted are pairs of a query's and an advertisement's language: is a right one among the first ten?
    """
    occupations = [
        line.split("\t")
        for line in JUDGED.read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    right: dict[str, tuple[set[str], re.Pattern[str]]] = {
        name: (set(groups.split()), re.compile(words, re.IGNORECASE))
        for name, groups, *_, words in occupations
    }

    def is_right(record: dict[str, Any], name: str) -> bool:
        groups, words = right[name]
        _, own = _coded(record)
        if own:
            return bool(groups & set(own))
        return words.search(record["values"]["title"]) is not None

    have: dict[str, Counter[str]] = {name: Counter() for name in right}
    for record, language in records:
        for name in right:
            if is_right(record, name):
                have[name][language] += 1
    answers: dict[str, dict[str, list[bool]]] = {way: defaultdict(list) for way in ("with", "lexical")}
    for name, _, *queries, _ in occupations:
        for asked, text in zip(TYPED, queries, strict=True):
            for language, count in have[name].items():
                if count < FEWEST or not language or language == "und":
                    continue
                for way, extra in (("with", {}), ("lexical", {"literal": ["1"]})):
                    params = {"q": [text], "lang": [language], "limit": ["10"], **extra}
                    query = parse(params, instance.kinds, rates=instance.rates)
                    hits = instance.find(query, snippets=False).hits
                    good = any(is_right(msgspec.json.decode(h.record), name) for h in hits)
                    answers[way][f"{asked}>{language}"].append(good)

    def share(way: str, *, own: bool | None = None) -> float:
        cells = [
            value
            for pair, values in answers[way].items()
            for value in values
            if own is None or (pair.partition(">")[0] == pair.partition(">")[2]) == own
        ]
        return round(sum(cells) / max(len(cells), 1), 3)

    pairs = {
        pair: [
            len(values),
            round(sum(values) / len(values), 2),
            round(sum(answers["lexical"][pair]) / len(values), 2),
        ]
        for pair, values in sorted(answers["with"].items())
    }
    return {
        "questions": sum(len(v) for v in answers["with"].values()),
        "right in the first ten": share("with"),
        "across languages": share("with", own=False),
        "lexical only": share("lexical"),
        "lexical only, across languages": share("lexical", own=False),
        "pairs (questions, with, lexical)": pairs,
    }


def show(found: dict[str, Any]) -> None:
    """The figures for people."""
    for part, figures in found.items():
        print(f"\n{part}")
        if part == "melo" and "mean" in figures:
            for place, values in figures["mean"].items():
                said = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
                print(f"  {place}: {said}")
            for name, (within, across) in melo.PUBLISHED.items():
                beside = f", {across:.3f} across" if across else ""
                print(f"  published, strict, on the 16 sets: {name} {within:.3f} within{beside}")
            for name, values in figures["sets"].items():
                print(f"    {name}: strict {values['strict']:.3f}, by concept {values['by concept']:.3f}")
            continue
        for name, value in figures.items():
            print(
                f"  {name}: {value if not isinstance(value, dict) else ', '.join(f'{k} {v}' for k, v in value.items())}"
            )


if __name__ == "__main__":
    main()
