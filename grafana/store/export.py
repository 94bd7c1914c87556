"""Exports a run: as a component does it, as an entrypoint does it, and again by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grafana.store import models
from grafana.store.rows import Row, Rows, progress_rows, result_rows, stage_rows
from grafana.store.writer import Patience, export
from pipeline.errors import UserError
from pipeline.results import (
    Curves,
    Findings,
    Metrics,
    Registration,
    TrialSummaryDocument,
    Verdict,
    read_result,
)
from pipeline.run_file import RunFile, read_run_file
from pipeline.run_record import read_records
from pipeline.study import Study, study_from_json

LOCAL = "local"
KUBEFLOW = "kubeflow"


@dataclass(frozen=True)
class RunFacts:
    """What a run was made from.

    Attributes:
        run: Its id.
        study: The study.
        started: When it was started.
        runner: `local` or `kubeflow`.
        started_by: Who or what started it.
        code_version: Version of the project.
        fingerprint: Fingerprint of the data.
        data_modified: When the newest of the data's files was changed.
        parameters: Seed, steps and the like.
    """

    run: str
    study: Study
    started: datetime
    runner: str
    started_by: str
    code_version: str
    fingerprint: str
    data_modified: datetime | None
    parameters: Mapping[str, Any]

    def rows(self) -> Rows:
        """The run's row."""
        return {
            models.Run: [
                {
                    "run": self.run,
                    "study": self.study.study,
                    "started": self.started,
                    "runner": self.runner,
                    "started_by": self.started_by,
                    "code_version": self.code_version,
                    "study_digest": self.study.digest(),
                    "fingerprint": self.fingerprint,
                    "data_modified": self.data_modified,
                    "smallest_group": self.study.slices.smallest_group,
                    "parameters": dict(self.parameters),
                }
            ]
        }


@dataclass(frozen=True)
class ResultFolders:
    """Where a run's stages wrote what is exported; None for what is not there.

    Attributes:
        verdict: TrialEvaluator's.
        findings: DataGate's.
        registration: ModelRegistrar's.
        summary: TrialSummary's.
    """

    verdict: str | None = None
    findings: str | None = None
    registration: str | None = None
    summary: str | None = None


def outcome_rows(
    run: str, status: str, ended: datetime, failed_stage: str = "", reason: str | None = None
) -> Rows:
    """The row of how a run ended."""
    return {
        models.Outcome: [
            {
                "run": run,
                "status": status,
                "failed_stage": failed_stage,
                "ended": ended,
                "reason": reason,
            }
        ]
    }


def result_rows_of(run: str, study: Study, folders: ResultFolders) -> Rows:
    """Rows of all that a run's stages wrote.

    Args:
        run: Id of the run.
        study: The study.
        folders: Where its stages wrote; a run that failed has not all of them.
    """
    rows: Rows = {}
    if folders.verdict and folders.findings and folders.registration:
        rows |= result_rows(
            run,
            study,
            read_result(Metrics, folders.verdict),
            read_result(Verdict, folders.verdict),
            read_result(Curves, folders.verdict),
            read_result(Findings, folders.findings),
            read_result(Registration, folders.registration),
        )
    if folders.summary:
        rows |= progress_rows(run, read_result(TrialSummaryDocument, folders.summary).records)
    return rows


def export_stage(address: str, study: str, record: Mapping[str, Any]) -> None:
    """Exports the record of one stage, where each stage is a process of its own.

    A stage that failed ends its run: what is known of the run is exported with it.

    Args:
        address: The store's.
        study: Name of the study.
        record: The stage's run record.
    """
    rows = stage_rows([record])
    if record["status"] == "failed":
        now = datetime.now(UTC)
        rows |= outcome_rows(record["run"], "failed", now, record["stage"], record["error"])
        rows |= {models.Run: [_unknown_run(record, study, now)]}
    export(address, rows)


def _unknown_run(record: Mapping[str, Any], study: str, now: datetime) -> Row:
    """The row of a run that failed before MetricsExporter could say what it was made from."""
    return {
        "run": record["run"],
        "study": study,
        "started": now,
        "runner": KUBEFLOW,
        "started_by": "",
        "code_version": record["versions"].get("clinical-trial-pipeline", ""),
        "study_digest": "",
        "fingerprint": "",
        "data_modified": None,
        "smallest_group": 0,
        "parameters": {},
    }


def export_local_run(folder: Path, address: str = "", patience: Patience | None = None) -> int:
    """Exports a local run: its outcome, its stages' records and whatever its stages wrote.

    Args:
        folder: The run's folder of records.
        address: The store's; empty takes the one that the run named.
        patience: How long a store that does not answer is waited for.

    Returns:
        How many rows were handed over.

    Raises:
        UserError: The folder is none of a run, or the store did not take the rows.
    """
    run = read_run_file(folder)
    if not (address or run.store):
        raise UserError(f"{folder}: the run names no store; give its address (STORE=).")
    rows = _local_rows(run) | stage_rows(read_records(folder))
    rows |= outcome_rows(run.run, run.status, run.ended, run.failed_stage, run.reason)
    return export(address or run.store, rows, patience)


def _local_rows(run: RunFile) -> Rows:
    facts = RunFacts(
        run=run.run,
        study=study_from_json(json.dumps(run.study_file)),
        started=run.started,
        runner=LOCAL,
        started_by=run.started_by,
        code_version=run.code_version,
        fingerprint=run.fingerprint,
        data_modified=run.data_modified,
        parameters={"seed": run.seed, "steps": run.steps},
    )
    outputs = run.outputs
    folders = ResultFolders(
        verdict=outputs.get("TrialEvaluator", {}).get("verdict"),
        findings=outputs.get("DataGate", {}).get("findings"),
        registration=outputs.get("ModelRegistrar", {}).get("registration"),
        summary=outputs.get("TrialSummary", {}).get("summary"),
    )
    return facts.rows() | result_rows_of(run.run, facts.study, folders)
