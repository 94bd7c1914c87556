"""The terminal's display during a run, and the table of its results."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.progress import (
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.spinner import Spinner
from rich.text import Text

from pipeline.estimates import fixed
from pipeline.results.documents import MetricRecord
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from pipeline.results.scheme_words import subjects_title
from pipeline.runners.local.progress import BarWhereKnown, Follower, Mark
from pipeline.runners.local.task_table import TaskTable
from pipeline.runners.stages import STAGES
from pipeline.titles import NAMES, Titles

_RESULT_TITLE = "AUC with 95 % interval, Brier score, calibration slope and error"
_RESULT_COLUMNS = ("subjects", "events", "AUC", "Brier", "slope", "error")


def print_words(console: Console, text: str | Text) -> None:
    """Prints text whose lines break between words on a terminal.

    A word that is longer than a line, such as a path, stays in one piece; so does every line where
    the output is no terminal but, for example, searched by another program.

    Args:
        console: Where to print it.
        text: The text, as rich's markup where it is a `str`.
    """
    whole = Text.from_markup(text) if isinstance(text, str) else text
    if not console.is_terminal:
        console.print(whole, soft_wrap=True)
        return
    for line in whole.split("\n", allow_blank=True):
        for part in line.divide(_line_breaks(line.plain, console.width)):
            part.rstrip()
            # Rich's own wrapping would cut a word that is longer than a line.
            console.print(part, soft_wrap=True)


def _line_breaks(line: str, width: int) -> list[int]:
    """Places in a line that are the start of a word that no longer fits before the margin."""
    breaks: list[int] = []
    start = 0
    for word in re.finditer(r"\S+", line):
        if cell_len(line[start : word.end()]) > width and line[start : word.start()].strip():
            start = word.start()
            breaks.append(start)
    return breaks


def waiting(console: Console, text: str) -> Live:
    """Shows a spinner with a text while work is in progress; removes both afterwards.

    Args:
        console: Where to show it.
        text: Description of the work.

    Returns:
        A context manager.
    """
    return Live(
        Spinner("dots", text),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class RunDisplay:
    """Shows the stages of a run as they start and end.

    Args:
        console: Where to show them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._shown: list[TaskID] = []
        self._order: list[str] = []
        self._ended: dict[str, tuple[str, TaskID]] = {}

    def begin(self, order: Sequence[str]) -> None:
        """Takes the order in which lines of ended stages are printed, however long each takes.

        Args:
            order: Stages; one that is not among them has its line as soon as it has ended.
        """
        self._order = list(order)

    @contextmanager
    def stage(self, name: str, is_beside: bool = False) -> Iterator[Stage]:
        """Shows one stage while it runs, and a line when it has ended.

        Args:
            name: The stage's node id.
            is_beside: Whether it runs in the process beside this one.

        Yields:
            The stage; the caller may mark it as cached.
        """
        stage = Stage()
        start = time.monotonic()
        label = f"[bold]{name:<17}[/bold] {STAGES.get(name, '')}"
        with self._lock:
            progress = self._progress or self._start()
            task = progress.add_task(label, total=None, detail="", mark="")
            self._shown.append(task)
        follower = Follower(progress, task)
        follower.addFilter(lambda entry: getattr(entry, "beside", False) == is_beside)
        logging.getLogger().addHandler(follower)
        try:
            yield stage
        except BaseException:
            stage.mark = "[red]✗[/red]"
            raise
        finally:
            logging.getLogger().removeHandler(follower)
            taken = "from cache" if stage.cached else f"{time.monotonic() - start:.1f} s"
            with self._lock:
                progress.stop_task(task)
                self._ended[name] = (f"{stage.mark} {label} [dim]{taken}[/dim]", task)
                if name not in self._order:
                    self._print(name)
                while self._order and self._order[0] in self._ended:
                    self._print(self._order.pop(0))
                if name in self._ended:
                    progress.update(task, mark=stage.mark)

    def finish(self) -> None:
        """Prints the lines of stages that have ended before one that never ran."""
        with self._lock:
            for name in [name for name in self._order if name in self._ended]:
                self._print(name)

    def _start(self) -> Progress:
        columns: Sequence[ProgressColumn] = (
            Mark(),
            TextColumn("{task.description}"),
            BarWhereKnown(),
            TextColumn("{task.fields[detail]}", style="dim"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(
            *columns,
            console=self._console,
            transient=True,
            # Without a terminal nothing is animated: one line per stage, when it has ended.
            disable=not self._console.is_terminal,
            # Output of libraries goes to the log file, not between these lines.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._progress.start()
        return self._progress

    def _print(self, name: str) -> None:
        """Prints a stage's line; where no other stage is shown, the animation ends before."""
        line, task = self._ended.pop(name)
        assert self._progress is not None
        self._shown.remove(task)
        if self._shown:
            # What it reported last is drawn.
            self._progress.refresh()
            self._progress.update(task, visible=False)
        else:
            self._progress.stop()
            self._progress = None
        print_words(self._console, line)


class Stage:
    """How a stage ended."""

    def __init__(self) -> None:
        self.cached = False
        self.mark = "[green]✓[/green]"


def results_table(
    metrics: Sequence[MetricRecord],
    width: int = 80,
    plan: EvaluationPlan = SPLIT_PLAN,
    titles: Titles = NAMES,
) -> Text:
    """The result of a run: one line per task, or two where name and numbers do not fit in one.

    Args:
        metrics: Records of the Evaluator's `metrics.json`.
        width: Columns of the terminal.
        plan: How the run evaluates.
        titles: Titles of the study's tasks.

    Returns:
        The text for the terminal; nothing is truncated.
    """
    overall = {
        (record.task, record.metric): record
        for record in metrics
        if record.model == "challenger" and not record.slice
    }
    tasks = dict.fromkeys(task for task, _ in overall)
    cells = {titles.task(task): _task_cells(task, overall) for task in tasks}
    table = TaskTable(_RESULT_COLUMNS, cells, width)
    return Text("\n").join(
        [
            Text(f"{_subjects_heading(plan)}: {_RESULT_TITLE}", style="bold"),
            Text(table.heading, style="bold"),
            *(Text(table.line(task)) for task in cells),
        ]
    )


def _subjects_heading(plan: EvaluationPlan) -> str:
    title = "out of fold" if plan.out_of_fold else subjects_title(plan)
    return title.capitalize()


def _task_cells(task: str, overall: Mapping[tuple[str, str], MetricRecord]) -> list[str]:
    auc = overall[task, "auc"]
    return [
        f"{auc.subjects:,}",
        f"{auc.positives:,}",
        f"{_number(auc.value)} {_interval(auc)}",
        _number(overall[task, "brier"].value),
        _number(overall[task, "calibration_slope"].value, 2),
        _number(overall[task, "expected_calibration_error"].value),
    ]


def _interval(record: MetricRecord) -> str:
    if record.lower is None:
        return "(no interval)"
    return f"({_number(record.lower)}–{_number(record.upper)})"


def _number(value: float | None, decimals: int = 3) -> str:
    return "–" if value is None else fixed(value, decimals)
