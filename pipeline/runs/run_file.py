"""The record of a local run from its start on: `run.json` beside its stages' records."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from pipeline.documents import Document, parse_document
from pipeline.errors import UserError
from pipeline.names import MONITORING, OUTCOMES, SCORING, TRAINING, VALIDATION, RunKind

RUN_FILE = "run.json"

RECORDS = "records"
"""Folder of the records of a study's runs, one folder a run."""

VALIDATIONS = "validation"
"""Folder of a study's external validations below the root, beside the records of its runs."""

SCORINGS = "scoring"
"""Folder of the scorings of a study's subjects, likewise."""

MONITORINGS = "monitoring"
"""Folder of the monitorings of a study's champion, likewise."""

RECORDINGS = "outcomes"
"""Folder of the recordings of outcomes, likewise."""

Status = Literal["running", "done", "failed", "interrupted", "killed"]
"""`interrupted` is Ctrl-C; `killed` any other end from outside. A run that died without a
witness stays `running` until the next start of a run, or a command that names it, closes it."""

_DID = {
    VALIDATION: "validated a registered model",
    SCORING: "scored subjects with a registered model",
    MONITORING: "followed a registered model",
    OUTCOMES: "recorded outcomes",
}
"""What runs that trained no model did, by kind."""

_RENAMED_STAGES = {"BaselineModel": "ChampionModel"}
"""Present names of stages by their names in 0.1.0."""


class RunFile(Document):
    """A run; it is written when the run starts, with each of its stages, and when it ends.

    Attributes:
        run: Its id.
        study: Name of the study.
        study_file: The study file's content.
        study_digest: Its digest.
        fingerprint: Fingerprint of the data.
        data_root: Folder of the data.
        data_modified: Modification time of the newest data file.
        seed: Seed of training.
        steps: Training steps; 0 if the eval split stopped the training.
        code_version: Version of the project.
        started_by: Who started it.
        started: When it started.
        ended: When it ended; None while it runs.
        status: Its status.
        failed_stage: The stage that failed or was ended; the one that runs, of a run that does;
            empty for a finished run.
        reason: Why it failed.
        store: Address of the SQL store that it is exported to; empty for none.
        outputs: URI of each output of each finished stage.
        kind: What the run does.
    """

    run: str
    study: str
    study_file: dict[str, Any]
    study_digest: str
    fingerprint: str
    data_root: str
    data_modified: datetime | None
    seed: int
    steps: int
    code_version: str
    started_by: str
    started: datetime
    ended: datetime | None
    status: Status
    failed_stage: str
    reason: str | None
    store: str
    outputs: dict[str, dict[str, str]]
    kind: RunKind = TRAINING

    @field_validator("outputs", mode="before")
    @classmethod
    def _rename_stages(cls, outputs: object) -> object:
        if not isinstance(outputs, Mapping):
            return outputs
        return {_RENAMED_STAGES.get(stage, stage): found for stage, found in outputs.items()}

    @property
    def parameters(self) -> dict[str, int]:
        """Seed and steps; a run with a registered model trains nothing."""
        return {"seed": self.seed, "steps": self.steps} if self.kind == TRAINING else {}

    def output(self, stage: str, name: str) -> str | None:
        """URI of an output of a stage; None if the run did not reach it."""
        return self.outputs.get(stage, {}).get(name)

    def write(self, folder: Path) -> None:
        """Writes `run.json` to the run's folder of records."""
        write_record(folder / RUN_FILE, self)


def write_record(path: Path, record: Document) -> None:
    """Writes a record by one rename: a full disk or a death leaves the earlier one.

    Args:
        path: The file; its folder is made.
        record: Its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        draft.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_training_run(folder: Path) -> RunFile:
    """Reads `run.json` of a run that trained a model.

    Raises:
        UserError: The file is missing or invalid, or the run trained no model.
    """
    run = read_run_file(folder)
    if run.kind != TRAINING:
        raise UserError(
            f"{folder}: the run {_DID[run.kind]} and trained no model; its result is "
            f"{folder / 'page.html'}. Name a run of `trial run`."
        )
    return run


def read_run_file(folder: Path) -> RunFile:
    """Reads `run.json` of a run's folder of records.

    Raises:
        UserError: The file is missing or invalid.
    """
    path = folder / RUN_FILE
    if not path.exists():
        raise UserError(
            f"{path} not found: give the folder of a run's records, <root>/<study>/records/<run>."
        )
    return parse_document(
        RunFile, path.read_bytes(), str(path), "the record of a local run", "Rerun the pipeline."
    )


def end_text(run: RunFile) -> str:
    """How a run ended, as the predicate of a sentence.

    Args:
        run: The run.

    Examples:
        >>> from types import SimpleNamespace
        >>> end_text(SimpleNamespace(status="killed", failed_stage="Trainer"))
        'ended as killed at Trainer'
    """
    at = f" at {run.failed_stage}" if run.failed_stage else ""
    return f"is running{at}" if run.status == "running" else f"ended as {run.status}{at}"


def find_runs(root: Path) -> list[Path]:
    """Folders of the records of all runs below a root, oldest first.

    Args:
        root: Folder that runs are written below.
    """
    return _find(root, "*")


def find_run(run: str, root: Path) -> Path:
    """Folder of a run's records.

    Args:
        run: The folder, the run's id, or empty for the newest run that trained a model.
        root: Folder that runs are written below.

    Raises:
        UserError: There is no such run.
    """
    if run and Path(run).is_dir():
        return Path(run)
    found = _find(root, run or "*")
    if run and not found:
        others = (VALIDATIONS, SCORINGS, MONITORINGS, RECORDINGS)
        found = [folder for below in others for folder in _find(root, run, below)]
    if not found:
        what = f"no run {run}" if run else "no run"
        raise UserError(f"There is {what} below {root}: name its folder or id (RUN=), or the root.")
    return found[-1]


def _find(root: Path, run: str, below: str = ".") -> list[Path]:
    files = root.glob(f"*/{below}/{RECORDS}/{run}/{RUN_FILE}")
    return sorted((path.parent for path in files), key=lambda folder: folder.name)
