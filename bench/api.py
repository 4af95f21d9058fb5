"""The API under whatever is asked, and under load: `python -m bench.api [--cases N] [--seconds N] [--json]`.

schemathesis makes requests from the OpenAPI document, of those that it allows and of those that it does not, and
checks each answer against it, over the fictitious union. Then two processes serve that union, and wrk asks them for
searches, facets, suggestions, records and lists: with 16 and with 256 connections without a rate limit, where no
answer may fail and memory must stand still; with 16 under a limit, where all above it must be 429 with Retry-After;
and slowly, below the limit, where nobody may be refused.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from tests.servers import free_port

from landbridge.app import make_app
from landbridge.client import Client
from landbridge.config import read_settings
from landbridge.instance import Instance
from landbridge.world.draw import CLOCK

WORLD = Path(__file__).resolve().parents[1] / "src" / "landbridge" / "world" / "members"
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
# of the cases: how many parts each operation has, and how many of ten are none that the document allows
SHARES = {
    "find": (60, 3),
    "export": (12, 3),
    "suggest": (10, 3),
    "record": (8, 0),
    "kind": (6, 0),
    "members": (2, 3),
    "kinds": (1, 3),
    "openapi": (1, 3),
}
RATE, BURST = 20, 200
WORDS = (
    *(
        "welder",
        "cook",
        "driver",
        "nurse",
        "teacher",
        "engineer",
        "сварщик",
        "водитель",
        "повар",
        "медсестра",
    ),
    *("kế toán", "thợ hàn", "lái xe", "perawat", "juru masak", "électricien", "Schweißer", "ช่างเชื่อม", "焊工"),
    *("司机", "医生", "бухгалтер", "дәнекерлеуші", "жүргізуші"),
)


def prepare(data: Path) -> dict[str, str]:
    """The fictitious union in this folder; the settings under which it is served."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LANDBRIDGE_")}
    env |= {"LANDBRIDGE_DATA": str(data), "LANDBRIDGE_MEMBERS": str(WORLD), "LANDBRIDGE_DEMO": "1"}
    instance = Instance(read_settings(env), folders=[WORLD])
    asyncio.run(instance.harvest(replay=[WORLD], at=datetime.combine(CLOCK, datetime.min.time(), UTC)))
    instance.close()
    return env


# whatever is asked


def ask_anything(env: Mapping[str, str], cases: int) -> dict[str, Any]:
    """So many requests made from the document, and what was wrong with their answers."""
    load_all_checks()
    instance = Instance(read_settings({**env, "LANDBRIDGE_RATE": "0"}), folders=[WORLD])
    document = schemathesis.openapi.from_asgi("/api/v1/openapi.json", make_app(instance, demo=True))
    statuses: Counter[int] = Counter()
    wrong: Counter[str] = Counter()
    started = time.monotonic()

    def asking(operation: str, mode: GenerationMode, times: int) -> None:
        @settings(max_examples=times, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=document.find_operation_by_id(operation).as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            answer = None
            try:
                answer = case.call()
                case.validate_response(answer, checks=CHECKS.get_by_names(CHECKED))
            except Exception as failure:
                wrong[f"{operation}: {str(failure)[:400]}"] += 1
            statuses[answer.status_code if answer is not None else 500] += 1

        ask()

    whole = sum(share for share, _ in SHARES.values())
    for operation, (share, against) in SHARES.items():
        count = -(-cases * share // whole)
        others = count * against // 10
        asking(operation, GenerationMode.POSITIVE, count - others)
        if others:
            asking(operation, GenerationMode.NEGATIVE, others)
    instance.close()
    return {
        "cases": statuses.total(),
        "seconds": round(time.monotonic() - started, 1),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "server_errors": sum(count for status, count in statuses.items() if status >= 500),
        "undocumented": sum(wrong.values()),
        "what": dict(wrong.most_common(5)),
    }


# load


@contextlib.contextmanager
def serving(env: Mapping[str, str], *, rate: int) -> Iterator[tuple[str, int]]:
    """The union served by two processes: its address, and the number of the process above them."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "landbridge", "serve", "--workers", "2", "--port", str(port)],
        env={**env, "LANDBRIDGE_RATE": str(rate), "LANDBRIDGE_BURST": str(BURST)},
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/api/v1/kinds"):
                break
            if server.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.1)
        yield base, server.pid
    finally:
        server.terminate()
        server.wait()


def log_of(base: str) -> list[str]:
    """What is asked under load, mixed: searches, facets, suggestions, records, lists."""
    with Client(base) as client:
        hits = [hit.id for word in WORDS for hit in client.find(word, limit=5).hits]
    asked = []
    for n, word in enumerate(WORDS):
        asked += [
            f"find?{urlencode({'q': word})}",
            f"find?{urlencode({'q': f'{word} {WORDS[n - 3]}', 'limit': 20})}",
            f"find?{urlencode({'q': word, 'facets': 'country,contract,language', 'sort': 'date'})}",
            f"find?{urlencode({'kind': 'candidate', 'q': word, 'snippets': 0})}",
            f"suggest?{urlencode({'q': word[:2]})}",
        ]
    asked += [f"records/{quote(id_)}" for id_ in hits]
    asked += ["members", "kinds", "kinds/vacancy"]
    return [f"/api/v1/{path}" for path in sorted(asked, key=lambda path: path[::-1])]


_LUA = """
local paths, at, threads = {}, 0, {}
for line in io.lines("PATHS") do paths[#paths + 1] = line end
counted, ready = "", 0
local seen = {}
function setup(thread) threads[#threads + 1] = thread end
function request()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
function response(status, headers)
  local name = tostring(status)
  if status == 429 then
    local wait = headers["retry-after"]
    if not (wait and tonumber(wait) >= 1) then name = "429 without Retry-After" end
  end
  seen[name] = (seen[name] or 0) + 1
  counted = ""
  for known, count in pairs(seen) do counted = counted .. known .. "=" .. count .. ";" end
end
function done(summary, latency)
  local statuses = ""
  for _, thread in ipairs(threads) do statuses = statuses .. thread:get("counted") end
  local e = summary.errors
  io.write(string.format('JSON{"per_s": %.1f, "p50_ms": %.2f, "p95_ms": %.2f, "p99_ms": %.2f, "broken": %d, "statuses": "%s"}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(95) / 1000,
    latency:percentile(99) / 1000, e.connect + e.read + e.write + e.timeout, statuses))
end
"""  # fmt: skip


def press(base: str, paths: list[str], folder: Path, *, connections: int, seconds: int) -> dict[str, Any]:
    """wrk for so many seconds; `broken` counts connections that failed, `statuses` the answers."""
    (folder / "paths").write_text("\n".join(paths) + "\n")
    script = folder / "wrk.lua"
    script.write_text(_LUA.replace("PATHS", str(folder / "paths")))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), base]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, Any] = json.loads(out[out.index("JSON") + 4 :].splitlines()[0])
    statuses: Counter[str] = Counter()
    for name, count in re.findall(r"([^;=]+)=(\d+)", figures["statuses"]):
        statuses[name] += int(count)
    return {**figures, "statuses": dict(sorted(statuses.items()))}


def below(base: str, paths: list[str], *, seconds: int) -> dict[str, int]:
    """The statuses of requests made a quarter slower than the limit allows them to one visitor of one process."""
    statuses: Counter[str] = Counter()
    until = time.monotonic() + seconds
    for path in paths * 100:
        began = time.monotonic()
        if began > until:
            break
        try:
            with urllib.request.urlopen(base + path) as answer:
                statuses[str(answer.status)] += 1
        except urllib.error.HTTPError as error:
            statuses[str(error.code)] += 1
        cost = 2 if "facets=" in path else 1
        time.sleep(max(0.0, 1.25 * cost / RATE - (time.monotonic() - began)))
    return dict(statuses)


def memory(pid: int) -> list[float]:
    """What each process under this one has of its own, in MB, the largest last."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = []
    for child in children:
        status = Path(f"/proc/{child}/status").read_text()
        found.append(int(re.search(r"RssAnon:\s+(\d+)", status)[1]) / 1_000)  # type: ignore[index]
    return sorted(found)


def load(env: Mapping[str, str], seconds: int) -> dict[str, Any]:
    if shutil.which("wrk") is None:
        print("not run: load, no wrk", file=sys.stderr)
        return {}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as name:
        folder = Path(name)
        with serving(env, rate=0) as (base, pid):
            paths = log_of(base)
            press(base, paths, folder, connections=256, seconds=max(5, seconds // 4))  # warm
            for connections in (16, 256):
                before = memory(pid)
                figures = press(base, paths, folder, connections=connections, seconds=seconds)
                after = memory(pid)
                found[f"{connections} connections"] = {**figures, "mb_before": before, "mb_after": after}
        with serving(env, rate=RATE) as (base, pid):
            found["below the limit"] = {"statuses": below(base, paths, seconds=min(seconds, 20))}
            before = memory(pid)
            figures = press(base, paths, folder, connections=16, seconds=seconds)
            found["above the limit"] = {**figures, "mb_before": before, "mb_after": memory(pid)}
    return found


def main() -> int:
    words = argparse.ArgumentParser(
        prog="bench api", description="The API under whatever is asked, and under load."
    )
    words.add_argument("--cases", type=int, default=5_000, help="requests made from the document; 0 for none")
    words.add_argument("--seconds", type=int, default=60, help="of each run of the load; 0 for none")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="landbridge-bench-") as name:
        env = prepare(Path(name))
        figures: dict[str, Any] = {}
        if asked.cases:
            figures["whatever is asked"] = ask_anything(env, asked.cases)
        if asked.seconds:
            figures |= load(env, asked.seconds)
    if asked.json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        for what, one in figures.items():
            print(what)
            for name, value in one.items():
                print(f"    {name:15} {value}")
    return 0 if sound(figures) else 1


def sound(figures: Mapping[str, Any]) -> bool:
    """Whether nothing failed: no error of ours, nothing undocumented, no connection broken, no other refusal."""
    anything = figures.get("whatever is asked", {})
    if anything.get("server_errors") or anything.get("undocumented"):
        return False
    allowed = {"above the limit": {"200", "429"}}
    loads = [(what, one) for what, one in figures.items() if what != "whatever is asked"]
    return all(
        not one.get("broken") and one["statuses"].keys() <= allowed.get(what, {"200"}) for what, one in loads
    )


if __name__ == "__main__":
    sys.exit(main())
