"""What is done to runs: each fault strikes in a stage or at the start, and the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.roots import Root, Started

STAGES = (
    *("ChampionModel", "CuratedSchema", "TrialExampleGen", "StatisticsGen", "ExampleValidator"),
    *("DataGate", "TrialSummary", "Transform", "Trainer", "CrossFit", "ReferenceModels"),
    *("TrialEvaluator", "BlessedModel", "ModelCard", "TrialAnalysis", "Pusher", "ModelRegistrar"),
    *("RunPage", "MetricsExporter"),
)
"""All stages, in the order in which they run one after the other."""

SLOW = ("TrialExampleGen", "StatisticsGen", "Transform", "Trainer", "TrialEvaluator")
"""Stages that work for seconds, so that a fault strikes in the middle of their work."""

_MEBIBYTE = 2**20

Act = Callable[[Started], None]


@dataclass(frozen=True)
class Fault:
    """One thing that happens to a run.

    Attributes:
        name: What.
        stage: The stage in which it happens; empty for the start.
        act: Does it to a run that is in the stage.
        around: Holds while the run is under way.
        limits: Limits of the run's process by name of `resource`; `RLIMIT_AS` is what it may take
            beside what it has.
        status: How the run is recorded from the next start on, of two in one of these ways; empty
            where it did not start.
        codes: Exit codes that it may have.
        says: The line for the person, as a regular expression; empty where no process is left
            to write it.
    """

    name: str
    stage: str
    status: str
    codes: tuple[int, ...]
    says: str
    act: Act | None = None
    around: Callable[[Root], Iterator[None]] | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name and place."""
        return f"{self.name} in {self.stage}" if self.stage else self.name


def strike(root: Root, fault: Fault, chance: random.Random) -> None:
    """Starts a run that suffers a fault."""
    with (
        contextmanager(fault.around or _nothing)(root),
        root.running(fault.title, fault.limits) as started,
    ):
        if fault.stage:
            assert root.wait_for(started, fault.stage), f"{fault.stage} did not run"
            time.sleep(chance.uniform(0.0, 0.1) if fault.stage in SLOW else 0.0)
        if fault.act:
            fault.act(started)


def _nothing(_: Root) -> Iterator[None]:
    yield


def killed(stage: str) -> Fault:
    """All processes of the run are killed at once."""
    return Fault("kill -9", stage, "killed", (-signal.SIGKILL,), "", lambda started: started.kill())


def killed_after(seconds: float) -> Fault:
    """All processes of the run are killed at a moment after its start."""

    def act(started: Started) -> None:
        started.wait(seconds)
        started.kill()

    # Before its first record it has not started.
    return Fault(f"kill -9 after {seconds:.2f} s", "", "killed", (-signal.SIGKILL,), "", act)


def out_of_memory_killer(stage: str) -> Fault:
    """The process that works is killed, and its supervisor is not."""

    def act(started: Started) -> None:
        for worker in started.workers:
            os.kill(worker, signal.SIGKILL)

    says = r"✗ Stage \w+: its process was ended by SIGKILL: as a rule because the machine was out"
    return Fault("kill -9 of the worker", stage, "killed", (1,), says, act)


def ended_by(number: signal.Signals, stage: str) -> Fault:
    """The supervisor gets a signal."""
    interrupt = number == signal.SIGINT
    said = "Interrupted" if interrupt else f"Ended by {number.name}"
    return Fault(
        number.name,
        stage,
        "interrupted" if interrupt else "killed",
        (130,) if interrupt else (1,),
        rf"{said}\. Rerun the same command to continue",
        lambda started: started.signal(number),
    )


def few_files(stage: str) -> Fault:
    """The run may open a few files."""
    says = r"Too many files are open: raise their limit"
    return Fault("few files", stage, "failed killed", (1, 2), says, limits={"RLIMIT_NOFILE": 16})


def little_memory(stage: str) -> Fault:
    """The run may take little memory."""
    says = r"The memory that the run may take is used up|its process was ended by SIG|Unexpected"
    limits = {"RLIMIT_AS": 60 * _MEBIBYTE}
    return Fault("little memory", stage, "failed", (1, 2), says, limits=limits)


def full_disk(kilobytes: int) -> Fault:
    """The disk has some space left at the start."""

    def around(root: Root) -> Iterator[None]:
        with resized(root.path, kilobytes):
            yield

    says = r"[Dd]isk is full|No space left on device|disk is full"
    # Where not even that can be recorded, the next start finds a run that died.
    return Fault(f"{kilobytes} kB of disk", "", "failed killed", (1, 2), says, around=around)


def read_only_registry() -> Fault:
    """Nothing in the registry can be written."""

    def around(root: Root) -> Iterator[None]:
        with written_never(root.path / "registry"):
            yield

    says = r"registry/\S+: the file system refused access .*Read-only file system.*Check"
    return Fault("read-only registry", "", "failed", (2,), says, around=around)


def no_registry() -> Fault:
    """A file lies where the registry was."""

    def around(root: Root) -> Iterator[None]:
        registry, aside = root.path / "registry", root.path / "aside"
        registry.rename(aside)
        registry.write_text("not a folder")
        try:
            yield
        finally:
            registry.unlink()
            aside.rename(registry)

    says = r"registry\S*: .*(Not a directory|File exists|not a folder)"
    return Fault("no registry", "", "failed", (2,), says, around=around)


def read_only() -> Fault:
    """Nothing below the root can be written."""

    def around(root: Root) -> Iterator[None]:
        mount("remount,ro", root.path)
        try:
            yield
        finally:
            mount("remount,rw", root.path)

    return Fault("read-only root", "", "", (2,), r"Read-only file system", around=around)


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small disk of its own at a folder, in memory."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1g,mode=700", "tmpfs", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(options: str, folder: Path) -> None:
    """Mounts a folder's disk with other options."""
    subprocess.run(["mount", "-o", options, str(folder)], check=True)


@contextmanager
def written_never(path: Path) -> Iterator[None]:
    """Lets no account write a file or what is in a folder, root included."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    mount("remount,bind,ro", path)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def resized(folder: Path, free_kilobytes: int) -> Iterator[None]:
    """Leaves a disk some space."""
    found = os.statvfs(folder)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize // 1024
    mount(f"remount,size={used + free_kilobytes}k", folder)
    try:
        yield
    finally:
        mount("remount,size=1g", folder)
