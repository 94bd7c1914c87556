"""The chain of runs, each of which suffers a fault, and what was seen of it."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.checks import half, unfinished
from tests.campaign.faults import (
    STAGES,
    Fault,
    disk,
    disk_that_fills,
    ended_by,
    few_files,
    full_disk,
    killed,
    killed_at,
    little_memory,
    no_registry,
    out_of_memory_killer,
    read_only,
    read_only_registry,
    strike,
)
from tests.campaign.holds import WORK, Point, points_of
from tests.campaign.roots import Ended, Root, warm_process
from tests.campaign.study import arguments
from tests.campaign.whole import Register

MOMENTS = 5
CTRL_C = ("TrialExampleGen", "Transform", "Trainer", "TrialEvaluator")
"""Stages that Ctrl-C ends in the middle of their work."""

_HOURS = 2 * 3600


@dataclass
class Struck:
    """A run that suffered a fault.

    Attributes:
        fault: What happened.
        ended: How it ended.
        before: What was not whole below the root while it waited; None where it did not wait.
        half: What was not whole when it had ended.
        torn: Files of the register of outputs that were not whole, but for those that count for
            nothing yet.
    """

    fault: Fault
    ended: Ended
    before: list[str] | None
    half: list[str]
    torn: list[str]

    @property
    def is_recorded(self) -> bool:
        """Whether it had started: a run that was killed at once has no record."""
        return bool(self.fault.status) and (self.ended.records / "run.json").exists()


@dataclass
class Chain:
    """The chain and the undisturbed run.

    Attributes:
        undisturbed: That run.
        struck: Runs that suffered, in their order.
        last: The run after them.
        temporary: The system's folder of temporary files.
        root: Where the chain's runs were made.
        register: The register's files below it.
    """

    undisturbed: Ended
    struck: list[Struck]
    last: Ended
    temporary: Path
    root: Root
    register: Register

    def said_after(self, item: Struck) -> str:
        """What the runs after one said, up to the first that got to its point."""
        said = ""
        for later in self.struck[self.struck.index(item) + 1 :]:
            said += later.ended.terminal
            if later.before is not None:
                return said
        return said + self.last.terminal


def faults(chance: random.Random) -> list[Fault]:
    """All of the chain, in the order of the stages."""
    found = [read_only(STAGES[0]), full_disk(STAGES[0])]
    signalled = chance.sample([stage for stage in STAGES if stage not in WORK], 2)
    others = dict(zip(signalled, (signal.SIGTERM, signal.SIGHUP), strict=True))
    moments = chance.sample(STAGES[1:], MOMENTS)
    for stage in STAGES:
        if stage in moments:
            found.append(killed_at(chance.random(), stage))
        if stage == "TrialExampleGen":
            found += [few_files(stage), disk_that_fills(stage)]
        if stage == "Transform":
            found.append(little_memory(stage))
        if stage == "ModelRegistrar":
            found += [no_registry(stage), read_only_registry(stage)]
        if stage in CTRL_C:
            found.append(ended_by(signal.SIGINT, stage, Point.WORKING))
        if stage in others:
            found.append(ended_by(others[stage], stage, chance.choice(points_of(stage))))
        if stage == "Trainer":
            found += [out_of_memory_killer(stage), disk_that_fills(stage)]
        found.append(killed(stage, chance.choice(points_of(stage))))
    return found


@contextmanager
def chain_of_runs(folder: Path, seed: int) -> Iterator[Chain]:
    """Makes the undisturbed run and the chain on a small disk, which is there within the block.

    Args:
        folder: An empty folder.
        seed: What points and moments come from.
    """
    chance = random.Random(seed)
    chosen = arguments(folder)
    (folder / "tmp").mkdir()
    with warm_process(folder) as warm, disk(folder / "disk") as path:
        undisturbed = Root(warm, folder / "undisturbed", chosen).whole("undisturbed")
        assert undisturbed.code == 0, undisturbed.said
        root = Root(warm, path, (*chosen, "--data", undisturbed.file["data_root"]))
        register = Register(path)
        struck = []
        for fault in faults(chance):
            before = strike(root, fault, longest(fault, undisturbed), lambda: half(path))
            torn = register.torn(unfinished(path))
            struck.append(Struck(fault, root.ended[-1], before, half(path), torn))
        leave_draft(struck[-1].ended)
        age(path)
        last = root.whole("the last")
        yield Chain(undisturbed, struck, last, folder / "tmp", root, register)


def longest(fault: Fault, undisturbed: Ended) -> float:
    """Seconds until a run waits, of which the first stages come from the cache."""
    place = STAGES.index(fault.hold.stage)
    worked = STAGES[max(place - 1, 0) : place + 1]
    return undisturbed.beside_stages + sum(undisturbed.seconds[stage] for stage in worked)


def leave_draft(ended: Ended) -> None:
    """What a run leaves that is killed while it writes a record."""
    (ended.records / f".run.json.{'0' * 32}").write_text('{"run":', encoding="utf-8")


def age(root: Path) -> None:
    """Makes all files old: a writer that is alive would have gone on."""
    for path in root.rglob("*"):
        then = path.stat().st_mtime - _HOURS
        os.utime(path, (then, then))
