"""CLEAR beside certlogic-js: `python -m bench.clear [--only speed] [--seconds N] [--json]`.

speed   every country's real rules of the EU gateway on every payload of a kind they concern, both with the rules that
        fail listed (but for kinds whose rules are all the constant true); each pair of rule and payload compared; compile times. certlogic-js is fetched by npm into a
        folder of the temporary directory, once, and run by node on the same files, in the same run.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from landbridge.clear.decide import RuleSet, compile, decide, facts_for, read_values
from landbridge.clear.evaluate import Open, judge
from landbridge.clear.rule import Rule, load

_SHARED = Path(os.environ.get("LANDBRIDGE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
GATEWAY = _SHARED / "clear/dcc-rules-gateway"
PAYLOADS = _SHARED / "clear/dcc-payloads/payloads.jsonl.gz"
AT = datetime(2023, 7, 6, 10, tzinfo=UTC)
"""The day after the rules were taken from the gateway; for a country most of whose rules had ended, see `clock_of`."""
KINDS = {"test": "t", "vaccination": "v", "recovery": "r"}
PEER = "certlogic-js@1.2.2"

_PEER = """
const { evaluate } = require("certlogic-js");
const { seconds, external, payloads, sets } = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));
const judge = (rules, data) => {
    const failing = [], erring = [];
    for (let i = 0; i < rules.length; ++i) {
        try { if (evaluate(rules[i], data) !== true) failing.push(i); } catch (e) { erring.push(i); }
    }
    return [failing, erring];
};
const data = payloads.map((payload) => ({ payload, external }));
const answers = sets.map(({ rules, on }) => on.map((i) => judge(rules, data[i])));
const countries = {};
for (const country of new Set(sets.map((set) => set.country))) {
    const own = sets.filter((set) => set.country === country);
    countries[country] = 0;
    for (let third = 0; third < 3; ++third) {
        const started = process.hrtime.bigint();
        let done = 0, spent = 0;
        do {
            for (const { rules, on } of own) for (const i of on) { judge(rules, data[i]); ++done; }
            spent = Number(process.hrtime.bigint() - started) / 1e9;
        } while (spent < seconds / 3);
        countries[country] = Math.max(countries[country], done / spent);
    }
}
console.log(JSON.stringify({ answers, countries }));
"""


def read_payloads() -> list[dict[str, Any]]:
    """The distinct payloads, each of one kind."""
    with gzip.open(PAYLOADS) as lines:
        return [json.loads(line)["payload"] for line in lines]


def peer_folder() -> Path:
    """A folder in which node finds certlogic-js."""
    folder = Path(tempfile.gettempdir()) / f"landbridge-bench-{PEER.replace('@', '-')}"
    if not (folder / "node_modules/certlogic-js/package.json").is_file():
        folder.mkdir(exist_ok=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PEER],
            check=True,
            capture_output=True,
        )
    return folder


def rate(once: Callable[[], int], seconds: float) -> float:
    """How many a second, in the best third of `seconds`: others share the machine."""
    best = 0.0
    for _ in range(3):
        done, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds / 3 or not done:
            done += once()
        best = max(best, done / spent)
    return best


def speed(seconds: float) -> dict[str, Any]:
    """Travellers a second and core, by country; agreement; compile times in milliseconds."""
    rules = load([GATEWAY])
    payloads = read_payloads()
    values = read_values(json.loads((GATEWAY / "valueSets.json").read_bytes()))
    data = [facts_for({"payload": payload}, at=AT, values=values) for payload in payloads]
    on = {kind: [i for i, one in enumerate(payloads) if one.get(letter)] for kind, letter in KINDS.items()}
    countries = sorted({rule.destination for rule in rules})
    clocks = {country: clock_of(country, rules) for country in countries}
    all_sets = [
        (country, kind, compile(rules, country, kind, clocks[country]))
        for country in countries
        for kind in KINDS
    ]
    # Where every rule is the constant true, nothing but a call would be measured.
    sets = [one for one in all_sets if any(rule.reads for rule in one[2].rules)]
    constant = [country for country in countries if country not in {one[0] for one in sets}]
    countries = [country for country in countries if country not in constant]
    rates: dict[str, float] = {}
    for country in countries:
        own = [(ruleset, [data[i] for i in on[kind]]) for at, kind, ruleset in sets if at == country]
        rates[country] = rate(lambda own=own: _all(own), seconds)
    ruleset = next(ruleset for country, kind, ruleset in sets if (country, kind) == ("CZ", "vaccination"))
    some = [payloads[i] for i in on["vaccination"]]
    whole = rate(lambda: len([decide(ruleset, one, at=AT, values=values) for one in some]), seconds)
    peer = _ask_peer(sets, on, payloads, data[0]["external"], seconds)
    agreement, strange = _compare(sets, on, data, peer["answers"])
    return {
        "countries": {
            country: {
                "rules": sum(rule.destination == country for rule in rules),
                "ours": rates[country],
                "certlogic-js": peer["countries"][country],
                "ratio": rates[country] / peer["countries"][country],
            }
            for country in countries
        },
        "constant": constant,
        "decisions with findings and receipt, CZ vaccination": whole,
        "compile ms": _compile_times(rules, countries),
        "pairs": dict(agreement),
        "disagreements": strange,
    }


def clock_of(country: str, rules: tuple[Rule, ...]) -> datetime:
    """The latest time at which most rules of a country were in force."""
    own = [rule for rule in rules if rule.destination == country]
    times = {AT, *(rule.valid_to for rule in own if rule.valid_to is not None and rule.valid_to < AT)}
    return max(times, key=lambda at: (sum(rule.in_force(at) for rule in own), at))


def _all(own: list[tuple[RuleSet, list[dict[str, Any]]]]) -> int:
    for ruleset, travellers in own:
        judge_ = ruleset.judge
        for one in travellers:
            judge_(one)
    return sum(len(travellers) for _, travellers in own)


def _compile_times(rules: tuple[Rule, ...], countries: list[str]) -> dict[str, float]:
    def spent(country: str, kind: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            compile(rules, country, kind, AT)
            times.append((time.perf_counter() - started) * 1000)
        return statistics.median(times)

    times = {f"{country} {kind}": spent(country, kind) for country in countries for kind in KINDS}
    slowest = max(times, key=lambda name: times[name])
    return {"median": statistics.median(times.values()), f"slowest ({slowest})": times[slowest]}


def _ask_peer(
    sets: list[tuple[str, str, RuleSet]],
    on: dict[str, list[int]],
    payloads: list[dict[str, Any]],
    external: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    asked = {
        "seconds": seconds,
        "external": external,
        "payloads": payloads,
        "sets": [
            {"country": country, "on": on[kind], "rules": [rule.logic for rule in ruleset.rules]}
            for country, kind, ruleset in sets
        ],
    }
    folder = peer_folder()
    with tempfile.TemporaryDirectory() as scratch:
        question, script = Path(scratch, "question.json"), folder / "peer.js"
        question.write_text(json.dumps(asked, default=float), "utf-8")
        script.write_text(_PEER, "utf-8")
        done = subprocess.run(["node", str(script), str(question)], check=True, capture_output=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _compare(
    sets: list[tuple[str, str, RuleSet]],
    on: dict[str, list[int]],
    data: list[dict[str, Any]],
    answers: list[list[list[list[int]]]],
) -> tuple[Counter[str], list[str]]:
    tally: Counter[str] = Counter()
    strange: list[str] = []
    for (_, kind, ruleset), theirs in zip(sets, answers, strict=True):
        for i, (failing, erring) in zip(on[kind], theirs, strict=True):
            unmet, unclear = ruleset.judge(data[i])
            for number, rule in enumerate(ruleset.rules):
                mine = "open" if number in unclear else "no" if number in unmet else "yes"
                other = "error" if number in erring else "no" if number in failing else "yes"
                tally[f"ours {mine}, theirs {other}"] += 1
                if mine == other or (mine, other) == ("open", "error"):
                    continue
                reason = _reason(rule, data[i])
                if reason != "bad-date":
                    strange.append(f"{rule.id} on payload {i}: ours {mine} {reason}, theirs {other}")
    return tally, strange


def _reason(rule: Rule, data: Any) -> str:
    try:
        judge(rule.node, data, rule.tables)
    except Open as reason:
        return reason.code
    return ""


def show(figures: dict[str, Any]) -> None:
    print(f"{'to':4}{'rules':>6}{'ours/s':>12}{'certlogic-js/s':>16}{'ratio':>8}")
    for country, row in figures["countries"].items():
        print(
            f"{country:4}{row['rules']:6}{row['ours']:12,.0f}{row['certlogic-js']:16,.0f}{row['ratio']:8.1f}"
        )
    print(f"not measured, their rules read no facts: {', '.join(figures['constant'])}")
    slowest = min(figures["countries"].values(), key=lambda row: row["ours"])
    least = min(row["ratio"] for row in figures["countries"].values())
    print(f"slowest {slowest['ours']:,.0f} travellers/s/core (goal 60,000); least ratio {least:.1f} (goal 4)")
    print(
        "compile:",
        ", ".join(f"{name} {ms:.1f} ms" for name, ms in figures["compile ms"].items()),
        "(goal 20 ms)",
    )
    whole = figures["decisions with findings and receipt, CZ vaccination"]
    print(f"decide, with findings and receipt, CZ vaccination: {whole:,.0f}/s")
    print(
        f"pairs: {sum(figures['pairs'].values()):,}: ",
        "; ".join(f"{k}: {n:,}" for k, n in figures["pairs"].items()),
    )
    print(f"disagreements outside malformed dates: {len(figures['disagreements'])} (goal 0)")
    for line in figures["disagreements"][:20]:
        print("  ", line)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["speed"], default="speed")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each country is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if not GATEWAY.is_dir():
        print("not run: no shared data here", file=sys.stderr)
        return 0
    figures = speed(options.seconds)
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
