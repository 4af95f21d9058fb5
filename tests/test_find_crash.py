"""kill -9 at random instants of a harvest: nothing lost, doubled or ghosted. The long version is `./run bench crash`."""

from pathlib import Path

from bench.crash import kill


def test_a_hundred_kills_lose_double_and_ghost_nothing(tmp_path: Path) -> None:
    found = kill(tmp_path, 100, seed=20261101)
    assert found["wrong"] == []
    assert found["epochs"] >= 1
