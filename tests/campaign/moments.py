"""Kills runs at random moments: `python -m tests.campaign.moments NUMBER SEED FOLDER`.

Each run goes on where the one before it died; once one gets to its end, the next starts afresh. One
JSON object a line is written for each moment, and one at the end.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.campaign.chain import age
from tests.campaign.checks import half, outputs
from tests.campaign.roots import Ended, Root, Warm
from tests.campaign.study import arguments


def moments(number: int, seed: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Kills runs at moments between their start and the duration of a whole run.

    Args:
        number: How many moments.
        seed: What they come from.
        folder: Where the runs are made; an empty folder.

    Yields:
        Each moment with the stage that the run died in; at last what is wrong.
    """
    chance = random.Random(seed)
    (folder / "tmp").mkdir()
    warm = Warm(folder)
    chosen = arguments(folder)
    start = time.monotonic()
    whole = Root(warm, folder / "undisturbed", chosen).whole("undisturbed")
    longest = time.monotonic() - start
    assert whole.code == 0, whole.said
    chosen = (*chosen, "--data", whole.file["data_root"])
    wrong: list[str] = []
    fresh = 0
    root = Root(warm, folder / "0", chosen)
    for _ in range(number):
        seconds = chance.uniform(0, longest)
        age(root.path)
        with root.running("moment") as started:
            started.wait(seconds)
            started.kill()
        ended = root.ended[-1]
        if ended.code == 0:
            wrong += _differences(whole, ended)
            fresh += 1
            root = Root(warm, folder / str(fresh), chosen)
        elif ended.survivors:
            wrong.append(f"processes of {ended.run} still run")
        running = [stage for stage, status in _statuses(ended).items() if status == "running"]
        yield {"seconds": round(seconds, 2), "ended": ended.code == 0, "stages": running}
    age(root.path)
    last = root.whole("the last")
    wrong += _differences(whole, last)
    wrong += [f"left: {name}" for name in (folder / "tmp").iterdir()]
    warm.close()
    yield {"wrong": wrong, "roots": fresh + 1, "seconds": round(longest, 1)}


def _statuses(ended: Ended) -> dict[str, str]:
    return ended.statuses if ended.run else {}


def _differences(whole: Ended, ended: Ended) -> list[str]:
    """What is not as in the undisturbed run."""
    if ended.code:
        return [f"the run after the moments ended with {ended.code}: {ended.said[-500:]}"]
    expected, found = outputs(whole.file, whole.root), outputs(ended.file, ended.root)
    others = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    return [*(f"differs: {name}" for name in others), *half(ended.root)]


if __name__ == "__main__":
    for found in moments(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])):
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
