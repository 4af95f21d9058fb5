"""kill -9 at random instants of a harvest: nothing lost, doubled or ghosted. The long version is `./run bench crash`."""

import os
import random
import signal
import time
from pathlib import Path

from bench.crash import completed_epochs, final_state, harvest_epochs, wrong_after_kill

KILLS = 100


def test_a_hundred_kills_lose_double_and_ghost_nothing(tmp_path: Path) -> None:
    dice = random.Random(20261101)
    for n in range(KILLS):
        child = os.fork()
        if child == 0:
            harvest_epochs(tmp_path)
            os._exit(0)
        time.sleep(dice.uniform(0.005, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if n % 10 == 9:
            assert wrong_after_kill(tmp_path) == []
    assert final_state(tmp_path) == []
    assert completed_epochs(tmp_path) > 5  # the kills met a harvest at work, not at its start each time
