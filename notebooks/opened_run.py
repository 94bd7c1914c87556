"""The run that a notebook shows."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from notebooks.shown import Shown, show
from pipeline.errors import UserError
from pipeline.html.blocks import Facts, Notice
from pipeline.pages.conduct import pooled_notices, unblinded_banner
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, Metrics, Verdict, read_result
from pipeline.results.findings import Findings
from pipeline.results.importance import Importance
from pipeline.results.registration import Registration
from pipeline.results.release import read_release
from pipeline.results.training import Training
from pipeline.runs.closing import close_if_dead
from pipeline.runs.run_file import RunFile, end_text, find_run, read_training_run
from pipeline.study.load import parse_study
from pipeline.study.study import Study
from pipeline.titles import title_or_name

RUN_VARIABLE = "RUN"
ROOT_VARIABLE = "ROOT"

_REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class OpenedRun:
    """A run with its documents, each read when it is first asked for.

    Attributes:
        folder: The run's folder of records.
        file: The run's file.
    """

    folder: Path
    file: RunFile

    def output(self, stage: str, name: str) -> str:
        """URI of an output of a stage.

        Raises:
            UserError: The run ended before the stage.
        """
        found = self.file.output(stage, name)
        if found is None:
            raise UserError(
                f"{self.folder}: this run has no {name} of {stage}: it {end_text(self.file)}. Name "
                "a run that completed it (RUN=), or run again."
            )
        return found

    @cached_property
    def study(self) -> Study:
        """The study file at the start of the run."""
        return parse_study(self.file.study_file, f"the study of run {self.file.run}")

    @cached_property
    def metrics(self) -> Metrics:
        """The metrics of the groups that may be shown."""
        return read_result(Metrics, self.output("TrialEvaluator", "verdict"))

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict."""
        return read_result(Verdict, self.output("TrialEvaluator", "verdict"))

    @cached_property
    def curves(self) -> Curves:
        """Curves of the groups shown."""
        return read_result(Curves, self.output("TrialEvaluator", "verdict"))

    @cached_property
    def result(self) -> RunResult:
        """The result as the run's page reads it."""
        return RunResult(
            settings=RunPageSettings.of(self.study),
            code_version=self.file.code_version,
            fingerprint=self.file.fingerprint,
            metrics=self.metrics,
            verdict=self.verdict,
            curves=self.curves,
            findings=read_result(Findings, self.output("DataGate", "findings")),
            counts=read_result(Counts, self.output("TrialExampleGen", "rejects")),
            registration=self._registration,
            importance=self._importance,
        ).titled

    @property
    def _registration(self) -> Registration:
        if "ModelRegistrar" not in self.file.outputs:
            return Registration(registered=False, reason="the run ended before")
        return read_result(Registration, self.output("ModelRegistrar", "registration"))

    @property
    def _importance(self) -> Importance | None:
        if "Trainer" not in self.file.outputs:
            return None
        return read_result(Training, self.output("Trainer", "model_run")).importance

    def heading(self) -> Shown:
        """Identity and status of the run."""
        file = self.file
        facts = Facts(
            (
                ("Study", f"{title_or_name(file.study, self.study.title)} ({file.study})"),
                ("Run", file.run),
                (
                    "Ended",
                    f"{file.ended:%Y-%m-%d %H:%M} UTC, {file.status}" if file.ended else "not yet",
                ),
                ("Version of the pipeline", file.code_version),
                ("Records", str(self.folder)),
            )
        )
        notices = pooled_notices(self.study)
        if banner := unblinded_banner(self.study):
            notices.append(Notice("bad", banner))
        if file.status != "done":
            notices.append(Notice("warn", f"This run {end_text(file)}"))
        return show(*notices, facts)


def open_run(run: str = "", root: Path | None = None) -> OpenedRun:
    """Opens a run.

    Args:
        run: Its id or folder of records; by default the variable RUN, else the newest run.
        root: Folder that runs are written below; by default the variable ROOT, else `runs` in
            the project's folder.

    Raises:
        UserError: There is no such run, or its numbers are held back: notebooks read examples.
    """
    if not logging.getLogger().handlers:
        # What a library logs while it is imported is no output of a cell.
        logging.getLogger().addHandler(logging.NullHandler())
    found = find_run(run or os.environ.get(RUN_VARIABLE, ""), root or _root()).resolve()
    close_if_dead(found)
    opened = OpenedRun(found, read_training_run(found))
    rejects = opened.file.output("TrialExampleGen", "rejects")
    if rejects and (release := read_release(rejects)).is_held_back:
        raise UserError(f"{found}: {release.sentence}")
    return opened


def _root() -> Path:
    named = os.environ.get(ROOT_VARIABLE)
    return Path(named) if named else _REPOSITORY / "runs"
