"""All runs of a study, side by side."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError
from pipeline.results.documents import Metrics, Verdict, read_result
from pipeline.results.registration import Registration
from pipeline.runs.run_file import RUN_FILE, RunFile, read_run_file

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ComparedRun:
    """A run with the results that it wrote.

    Attributes:
        file: The run's file.
        metrics: Metrics; None if the run did not evaluate a model.
        verdict: The verdict; None likewise.
        registration: Whether the model became the champion; None likewise.
        unreadable: Why its results can't be read, for example because its artifacts were removed.
    """

    file: RunFile
    metrics: Metrics | None = None
    verdict: Verdict | None = None
    registration: Registration | None = None
    unreadable: str | None = None


def runs_of_study(study: str, root: Path) -> tuple[ComparedRun, ...]:
    """Runs of a study below a root, the oldest first.

    Args:
        study: Name of the study.
        root: Folder that runs are written below.
    """
    paths = root.glob(f"{study}/records/*/{RUN_FILE}")
    files = map(_file, sorted((path.parent for path in paths), key=lambda folder: folder.name))
    return tuple(_with_results(file) for file in files if file and file.study == study)


def _file(folder: Path) -> RunFile | None:
    """A run's file; None, with a warning, where it is damaged: it hides no other run."""
    try:
        return read_run_file(folder)
    except UserError as error:
        logger.warning("left out of the study's runs: %s", error)
        return None


def root_of(folder: Path) -> Path:
    """Folder that runs are written below, from a run's folder of records."""
    return folder.parents[2]


def _with_results(file: RunFile) -> ComparedRun:
    evaluated = file.output("TrialEvaluator", "verdict")
    registered = file.output("ModelRegistrar", "registration")
    try:
        return ComparedRun(
            file,
            metrics=read_result(Metrics, evaluated) if evaluated else None,
            verdict=read_result(Verdict, evaluated) if evaluated else None,
            registration=read_result(Registration, registered) if registered else None,
        )
    except UserError as error:
        return ComparedRun(file, unreadable=str(error))
