"""What is done to runs: each strikes at a point of a stage or before it, and a next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tests.campaign.holds import Hold, Point
from tests.campaign.roots import Root, Started

Look = TypeVar("Look")

STAGES = (
    *("ChampionModel", "CuratedSchema", "TrialExampleGen", "StatisticsGen", "ExampleValidator"),
    *("DataGate", "TrialSummary", "Transform", "Trainer", "CrossFit", "ReferenceModels"),
    *("TrialEvaluator", "BlessedModel", "ModelCard", "TrialAnalysis", "Pusher", "ModelRegistrar"),
    *("RunPage", "MetricsExporter"),
)
"""All stages, in the order in which they run one after the other."""

_MEBIBYTE = 2**20
_WHOLE_DISK = "size=1g"

Act = Callable[[Root, Started], None]


@dataclass(frozen=True)
class Fault:
    """One thing that happens to a run.

    Attributes:
        name: What.
        hold: Where the run waits for it; what strikes by itself does so before.
        status: How the run is recorded from the next start on, of two in one of these ways; empty
            where it did not start.
        codes: Exit codes that it may have.
        says: The line for the person, as a regular expression; empty where no process is left
            to write it.
        act: Does it to a run that waits; None for what strikes by itself.
        share: When a run is killed before it waits: the share of the time that it takes until
            then; None for other faults.
        around: Holds while the run is under way.
        limits: Limits of the run's process by name of `resource`; `RLIMIT_AS` is what it may take
            beside what it has.
    """

    name: str
    hold: Hold
    status: str
    codes: tuple[int, ...]
    says: str
    act: Act | None = None
    share: float | None = None
    around: Callable[[Root], Iterator[None]] | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name and place."""
        return f"{self.name} in {self.hold.stage} {self.hold.point}"

    @property
    def is_at_its_point(self) -> bool:
        """Whether it strikes where the run waits."""
        return self.act is not None and self.share is None

    @property
    def is_unnoticed(self) -> bool:
        """Whether nothing of the run is left that could record its end."""
        return self.codes == (-signal.SIGKILL,)


def strike(root: Root, fault: Fault, longest: float, look: Callable[[], Look]) -> Look | None:
    """Starts a run that suffers a fault.

    A run that suffers nothing is killed at its point, so that the next one still has its stage to
    do: its exit code tells.

    Args:
        root: Where.
        fault: The fault.
        longest: Seconds until the run waits, at most.
        look: Looks at the root while the run waits.

    Returns:
        What it saw; None where the run did not wait.
    """
    seen = None
    with (
        contextmanager(fault.around or _nothing)(root),
        root.running(fault.title, fault.limits, hold=fault.hold) as started,
    ):
        started.wait(*([] if fault.share is None else [fault.share * longest]))
        if started.is_held:
            seen = look()
        if started.is_held or fault.share is not None:
            (fault.act or _kill)(root, started)
    return seen


def _nothing(_: Root) -> Iterator[None]:
    yield


def _kill(_: Root, started: Started) -> None:
    started.kill()


def killed(stage: str, point: Point) -> Fault:
    """All processes of the run are killed at once."""
    return Fault("kill -9", Hold(stage, point), "killed", (-signal.SIGKILL,), "", _kill)


def killed_at(share: float, stage: str) -> Fault:
    """All processes of the run are killed at a moment before a stage is done."""
    # Before its first record it has not started.
    return replace(killed(stage, Point.WRITTEN), name=f"kill -9 at {share:.3f}", share=share)


def out_of_memory_killer(stage: str) -> Fault:
    """The process that works is killed, and its supervisor is not."""

    def act(_: Root, started: Started) -> None:
        for worker in started.workers:
            os.kill(worker, signal.SIGKILL)

    says = r"✗ Stage \w+: its process was ended by SIGKILL: as a rule because the machine was out"
    return Fault("kill -9 of the worker", Hold(stage, Point.WORKING), "killed", (1,), says, act)


def ended_by(number: signal.Signals, stage: str, point: Point) -> Fault:
    """The supervisor gets a signal."""
    interrupt = number == signal.SIGINT
    said = "Interrupted" if interrupt else f"Ended by {number.name}"
    return Fault(
        number.name,
        Hold(stage, point),
        "interrupted" if interrupt else "killed",
        (130,) if interrupt else (1,),
        rf"{said}\. Rerun the same command to continue",
        lambda _, started: started.signal(number),
    )


def _by_itself(
    name: str, before: str, status: str, codes: tuple[int, ...], says: str, **how: Any
) -> Fault:
    """A fault that strikes by itself, before a stage is done."""
    return Fault(name, Hold(before, Point.WRITTEN), status, codes, says, **how)


def few_files(stage: str) -> Fault:
    """The run may open a few files."""
    says = r"Too many files are open: raise their limit"
    limits = {"RLIMIT_NOFILE": 16}
    return _by_itself("few files", stage, "failed killed", (1, 2), says, limits=limits)


def little_memory(stage: str) -> Fault:
    """The run may take little memory."""
    says = r"The memory that the run may take is used up|its process was ended by SIG|Unexpected"
    limits = {"RLIMIT_AS": 60 * _MEBIBYTE}
    return _by_itself("little memory", stage, "failed", (1, 2), says, limits=limits)


_SAYS_FULL = r"[Dd]isk is full|No space left on device"
_WHERE_DISK_IS_FULL = "failed killed"
"""Where not even the end can be recorded, the next start finds a run that died."""


def full_disk(stage: str) -> Fault:
    """The disk is nearly full from the start on."""

    def around(root: Root) -> Iterator[None]:
        shrink(root.path, 40)
        yield
        mount(_WHOLE_DISK, root.path)

    return _by_itself("full disk", stage, _WHERE_DISK_IS_FULL, (1, 2), _SAYS_FULL, around=around)


def disk_that_fills(stage: str) -> Fault:
    """The disk is nearly full from the middle of a stage on."""

    def act(root: Root, started: Started) -> None:
        shrink(root.path, 16)
        started.release()
        started.wait()
        mount(_WHOLE_DISK, root.path)

    hold = Hold(stage, Point.WORKING)
    return Fault("disk that fills", hold, _WHERE_DISK_IS_FULL, (1, 2), _SAYS_FULL, act)


def read_only_registry(stage: str) -> Fault:
    """Nothing in the registry can be written."""

    def around(root: Root) -> Iterator[None]:
        with written_never(root.path / "registry"):
            yield

    says = r"registry/\S+: the file system refused access .*Read-only file system.*Check"
    return _by_itself("read-only registry", stage, "failed", (2,), says, around=around)


def no_registry(stage: str) -> Fault:
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
    return _by_itself("no registry", stage, "failed", (2,), says, around=around)


def read_only(stage: str) -> Fault:
    """Nothing below the root can be written."""

    def around(root: Root) -> Iterator[None]:
        mount("ro", root.path)
        try:
            yield
        finally:
            mount("rw", root.path)

    says = r"Read-only file system"
    return _by_itself("read-only root", stage, "", (2,), says, around=around)


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small disk of its own at a folder, in memory."""
    folder.mkdir()
    options = f"{_WHOLE_DISK},mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(options: str, folder: Path) -> None:
    """Mounts a folder's disk with other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@contextmanager
def written_never(path: Path) -> Iterator[None]:
    """Lets no account write a file or what is in a folder, root included."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    mount("bind,ro", path)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def shrink(folder: Path, free_kilobytes: int) -> None:
    """Leaves a disk some space."""
    found = os.statvfs(folder)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize // 1024
    mount(f"size={used + free_kilobytes}k", folder)
