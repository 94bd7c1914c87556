"""Parts of the line of a stage that runs: spinner or mark, and a bar that follows its log."""

from __future__ import annotations

import logging
from typing import Any

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID
from rich.text import Text


class BarWhereKnown(ProgressColumn):
    """A bar for stages that report how far they are; nothing for the others."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = BarColumn(bar_width=24)

    def render(self, task: Task) -> Any:
        """The bar."""
        return self._bar.render(task) if task.total else Text("")


class Mark(SpinnerColumn):
    """A spinner; the mark of a stage that has ended but is not due to be shown yet."""

    def render(self, task: Task) -> Any:
        """The spinner or the mark."""
        mark = task.fields["mark"]
        return Text.from_markup(mark) if mark else super().render(task)


class Follower(logging.Handler):
    """Updates the bar from the stage's log records: `extra={"progress": (done, total)}`."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        super().__init__(logging.INFO)
        self._progress = progress
        self._task = task

    def emit(self, entry: logging.LogRecord) -> None:
        """Takes a record."""
        reported = getattr(entry, "progress", None)
        if isinstance(reported, tuple):
            done, total = reported
            detail = str(getattr(entry, "detail", ""))
            self._progress.update(self._task, completed=done, total=total, detail=detail)
