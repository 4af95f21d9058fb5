"""Mutated credentials and fuzzed parsers: nothing is believed that nobody signed, and nothing comes out but answers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from landbridge.prove import verify
from tests import fuzzing, mutants

HOUSE = Path(__file__).resolve().parents[1]
SECONDS = 60


def test_of_six_thousand_mutants_of_every_format_none_is_believed_and_none_raises() -> None:
    # In a process of its own, so that its memory is its own.
    command = [sys.executable, "-m", "tests.mutants", "--count", "6000", "--seed", "20260601"]
    done = subprocess.run(
        command, cwd=HOUSE, env=_paths(), capture_output=True, text=True, check=True, timeout=240
    )
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert (found["accepted"], found["raised"]) == (0, 0)
    assert set(found["families"]) >= {
        "bit flips",
        "truncations",
        "splices",
        "forged keys",
        "forged algorithm",
        "bombs",
    }
    assert min(found["formats"].values()) > 100
    assert found["grown_mb"] < 200
    assert found["slowest_ms"] < 5_000


def test_a_verifier_that_checks_no_signature_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "verify_signature", lambda *_: None)
    found = mutants.run(400, 7)
    assert found["accepted"] > 40
    assert len({one["format"] for one in found["wrong"]}) > 3


def test_a_reader_that_raises_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise KeyError("unread")

    monkeypatch.setattr(verify, "recognise", fails)
    assert mutants.run(20, 7)["raised"] > 10


def test_a_minute_of_fuzzing_finds_no_input_that_a_parser_chokes_on(tmp_path: Path) -> None:
    if not fuzzing.installed():
        pytest.skip("not run: atheris is not installed")
    found = fuzzing.finish(fuzzing.start(SECONDS, tmp_path), tmp_path, within=SECONDS + 120)
    assert found["crashes"] == 0, found["said"]
    assert found["ended_well"], found["said"]
    assert found["seconds"] >= SECONDS
    assert found["inputs"] > 1_000


def _paths() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(HOUSE / "src"), os.environ.get("PYTHONPATH", ""))),
    }
