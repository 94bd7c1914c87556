"""The internal report of a run: for the owners of the trial's data, see docs/disclosure.md.

No stage writes anything internal. The analysis is computed again from the run's examples, and
the report is the only file that contains it.
"""

from __future__ import annotations

import os
from pathlib import Path

from components.trial_analysis.analyse import analyse
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subjects import load_subjects
from pipeline.errors import UserError
from pipeline.html.page import render
from pipeline.pages.report import report_page
from pipeline.pages.write_report import read_card
from pipeline.reading.examples import examples_at
from pipeline.runs.run_file import RunFile
from pipeline.study.load import parse_study

INTERNAL_REPORT_FILE = "report.internal.html"
_OWNER_ALONE = 0o600


def write_internal_report(folder: Path, run: RunFile) -> Path | None:
    """Writes the internal report of a run beside its public one, readable by its owner alone.

    Args:
        folder: The run's folder of records.
        run: Its `run.json`.

    Returns:
        The file; None where the run's study file does not set `disclosure: internal`.

    Raises:
        UserError: The run did not reach its card, or its examples were deleted.
    """
    study = parse_study(run.study_file, f"{folder}: the study file of the run")
    if study.disclosure != "internal":
        return None
    card = read_card(run, folder)
    examples = run.output("TrialExampleGen", "examples")
    if examples is None or not Path(examples).is_dir():
        raise UserError(
            f"{folder}: the internal report needs the run's examples, and {examples} is not there. "
            "Run the pipeline again."
        )
    settings = TrialAnalysisSettings.of(study)
    analysis = analyse(load_subjects(examples_at(examples), settings), settings, internal=True)
    path = folder / INTERNAL_REPORT_FILE
    _write_for_owner(path, render(report_page(card, analysis, run.run, internal=True)))
    return path


def _write_for_owner(path: Path, text: str) -> None:
    """Writes a file that only its owner can read at any moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
