"""Points of a stage at which its run waits to be struck: no strike depends on a machine's speed.

The test starts a run that is to stop at a point. The run's process creates a file when it is there,
and goes on when it is ended or the file is removed.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.01
_BUNDLE = "apache_beam.runners.worker.bundle_processor:BundleProcessor.process_bundle"

WORK: Mapping[str, str] = {
    "TrialExampleGen": _BUNDLE,
    "StatisticsGen": _BUNDLE,
    "Transform": _BUNDLE,
    "Trainer": "trainer.fit:_Loop.run",
    "TrialEvaluator": _BUNDLE,
    # All of a model is copied but what makes it count.
    "Pusher": "tfx.utils.io_utils:copy_file",
    "ModelRegistrar": "pipeline.runs.register:write_entry",
}
"""What is called in the middle of a stage's work, as module and name in it."""


class Point(StrEnum):
    """A place in a stage."""

    ENTERED = "entered"
    """Its outputs' folders are there, and its executor is about to be called."""
    WORKING = "working"
    """It is about to call what `WORK` says."""
    WRITTEN = "written"
    """Its executor has returned, and its outputs are not published."""


@dataclass(frozen=True)
class Hold:
    """Where a run is to wait.

    Attributes:
        stage: In which stage, unless its result comes from the cache.
        point: Where in it.
    """

    stage: str
    point: Point

    def install(self, reached: Path) -> None:
        """Makes the runs of this process wait; to be called where TFX is loaded.

        Args:
            reached: The file that a run creates at the point.
        """
        from tfx.orchestration.portable.launcher import Launcher

        run_executor = Launcher._run_executor

        def held(launcher: Any, execution: Any) -> Any:
            if execution.pipeline_node.node_info.id == self.stage:
                operator = launcher._executor_operator
                operator.run_executor = self._held(operator.run_executor, reached)
            return run_executor(launcher, execution)

        Launcher._run_executor = held

    def _held(self, execute: Callable[[Any], Any], reached: Path) -> Callable[[Any], Any]:
        def held(execution: Any) -> Any:
            if self.point is Point.ENTERED:
                wait(reached)
            if self.point is Point.WORKING:
                _before(WORK[self.stage], lambda: wait(reached))
            output = execute(execution)
            if self.point is Point.WRITTEN:
                wait(reached)
            return output

        return held


def points_of(stage: str) -> list[Point]:
    """Where runs can wait in a stage."""
    return [point for point in Point if point is not Point.WORKING or stage in WORK]


def wait(reached: Path) -> None:
    """Creates a file and waits until it is removed, or until this process is to end.

    Another thread than the main one is not ended: the main thread ends while it works.
    """
    from pipeline import interrupts

    reached.touch()
    is_main = threading.current_thread() is threading.main_thread()
    while reached.exists() and not (is_main and interrupts.received()):
        time.sleep(_POLL_SECONDS)


def _before(name: str, act: Callable[[], None]) -> None:
    """Has something done before the first call of a function."""
    module, _, path = name.partition(":")
    *owners, function = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    original = getattr(owner, function)

    def first(*arguments: Any, **named: Any) -> Any:
        setattr(owner, function, original)
        act()
        return original(*arguments, **named)

    setattr(owner, function, first)
