"""A process that changes a registry: `python -m tests.pipeline.runs.registry_writer ...`."""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from pipeline.errors import UserError
from pipeline.results.trail import Actor
from pipeline.runs.changes import Change, Rules, promote, resume, retire, roll_back
from pipeline.runs.publish import publish
from pipeline.runs.register import NONE, Decision
from tests.pipeline.runs.governed import STUDY, add, champion_id


def first_run(root: str, folder: Path, number: int) -> dict[str, object]:
    """A run that has found no champion, as all the others have."""
    found = add(root, folder, f"model {number}", Decision(NONE))
    return {"champion": found.is_champion, "reason": found.reason}


def anything(root: str, folder: Path, number: int, serving: str) -> dict[str, object]:
    """Runs and a person's decisions at random, each followed by what a server reads."""
    dice, by = random.Random(number), Actor(account=f"person {number}")
    done = refused = 0
    models: list[str] = []
    for step in range(4):
        change = Change(STUDY, by, "attack")
        try:
            kind = dice.choice(["run", "run", "promote", "rollback", "retire", "resume"])
            if kind == "run":
                compared = champion_id(root) or NONE
                models.append(
                    add(root, folder, f"model {number}.{step}", Decision(compared)).entry.id
                )
            elif kind == "promote" and models:
                promote(root, change, dice.choice(models), Rules(), True)
            elif kind == "rollback":
                roll_back(root, change)
            elif kind == "retire" and models:
                retire(root, change, models.pop(0))
            else:
                resume(root, change)
            done += 1
        except UserError:
            refused += 1
        publish(root, STUDY, serving)
    return {"done": done, "refused": refused}


def main() -> None:
    """Waits for the start, attacks, and writes what happened to standard output."""
    kind, root, folder, number, serving, start = sys.argv[1:]
    while not Path(start).exists():
        time.sleep(0.01)
    own = Path(folder) / number
    if kind == "first":
        result = first_run(root, own, int(number))
    else:
        result = anything(root, own, int(number), serving)
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
