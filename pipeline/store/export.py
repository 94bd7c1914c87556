"""Exports a run: for a component, for Kubeflow's entrypoint, and on a user's command."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from pipeline.errors import UserError
from pipeline.names import KUBEFLOW, LOCAL, TRAINING, RunKind
from pipeline.results.documents import Curves, Metrics, Verdict, read_result
from pipeline.results.findings import Findings
from pipeline.results.held_back import read_counts
from pipeline.results.monitoring import Monitoring
from pipeline.results.registration import Registration
from pipeline.results.trial_progress import TrialSummaryDocument
from pipeline.results.validation import ExternalValidation
from pipeline.runs.run_file import RunFile, read_run_file
from pipeline.runs.stage_record import ENDED_EARLY, StageRecord, gate_findings, read_records
from pipeline.store import models
from pipeline.store.engine import store_engine, transaction
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.monitoring_rows import monitoring_rows
from pipeline.store.registry_rows import rows_of_registration
from pipeline.store.rows import (
    Row,
    Rows,
    count_rows,
    evaluation_rows,
    finding_rows,
    joined,
    progress_rows,
    stage_rows,
)
from pipeline.store.title_rows import title_rows
from pipeline.store.validation_rows import validation_rows
from pipeline.store.writer import Patience, export
from pipeline.study.load import parse_study
from pipeline.version import code_version

logger = logging.getLogger(__name__)
_NOT_REGISTERED = Registration(registered=False, reason="the run ended before it could be")


@dataclass(frozen=True)
class RunFacts:
    """The inputs of a run.

    Attributes:
        run: Its id.
        study: What the store has of the study.
        started: When it was started.
        runner: `local` or `kubeflow`.
        started_by: User or system that started it.
        code_version: Version of the project.
        fingerprint: Fingerprint of the data.
        data_modified: Modification time of the newest of the data's files.
        parameters: Seed, steps and the like.
        kind: What the run does.
    """

    run: str
    study: ExportedStudy
    started: datetime
    runner: str
    started_by: str
    code_version: str
    fingerprint: str
    data_modified: datetime | None
    parameters: Mapping[str, Any]
    kind: RunKind = TRAINING

    def rows(self) -> Rows:
        """The row of the run, and its titles."""
        return {
            models.Run: [
                {
                    "run": self.run,
                    "study": self.study.study_name,
                    "started": self.started,
                    "runner": self.runner,
                    "started_by": self.started_by,
                    "code_version": self.code_version,
                    "study_digest": self.study.digest,
                    "fingerprint": self.fingerprint,
                    "data_modified": self.data_modified,
                    "smallest_group": self.study.smallest_group,
                    "parameters": dict(self.parameters),
                    "kind": self.kind,
                }
            ],
            models.Title: title_rows(self.run, self.study),
        }


def kubeflow_facts(
    run: str,
    study: ExportedStudy,
    files: Iterable[str],
    started: datetime,
    started_by: str,
    fingerprint: str,
    data_root: str,
    parameters: Mapping[str, Any],
    kind: RunKind = TRAINING,
) -> RunFacts:
    """The inputs of a run on Kubeflow, as known to one of its tasks.

    `files` are the patterns of the data's files below `data_root`.
    """
    # No other export needs the readers of files.
    from pipeline.reading.files import data_modified

    return RunFacts(
        run=run,
        study=study,
        started=started,
        runner=KUBEFLOW,
        started_by=started_by,
        code_version=code_version(),
        fingerprint=fingerprint,
        data_modified=data_modified(files, data_root),
        parameters=parameters,
        kind=kind,
    )


@dataclass(frozen=True)
class ResultFolders:
    """Folders of the outputs of a run's stages; None for missing ones.

    Attributes:
        rejects: TrialExampleGen's.
        findings: DataGate's.
        verdict: TrialEvaluator's.
        registration: ModelRegistrar's.
        summary: TrialSummary's.
        validation: ExternalValidation's.
        monitoring: Monitor's.
    """

    rejects: str | None = None
    findings: str | None = None
    verdict: str | None = None
    registration: str | None = None
    summary: str | None = None
    validation: str | None = None
    monitoring: str | None = None


def outcome_rows(
    run: str, status: str, ended: datetime, failed_stage: str = "", reason: str | None = None
) -> Rows:
    """The row of how a run ended.

    Examples:
        >>> ended = datetime(2026, 3, 1, tzinfo=UTC)
        >>> (rows,) = outcome_rows("20260301T000000", "failed", ended, "DataGate", "drift").values()
        >>> rows[0]["status"], rows[0]["failed_stage"]
        ('failed', 'DataGate')
    """
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


def result_rows_of(
    run: str, study: ExportedStudy, folders: ResultFolders, kind: RunKind = TRAINING
) -> Rows:
    """Rows of all outputs of a run's stages.

    Args:
        run: Id of the run.
        study: What the store has of the study.
        folders: Outputs of its stages; a failed run lacks some.
        kind: What the run does; a validation trains no model of the study.
    """
    parts: list[Rows] = []
    if folders.rejects:
        parts.append(count_rows(run, read_counts(folders.rejects)))
    if folders.findings:
        parts.append(finding_rows(run, read_result(Findings, folders.findings)))
    if folders.verdict and folders.validation:
        parts.append(
            validation_rows(
                run,
                read_result(ExternalValidation, folders.validation),
                read_result(Metrics, folders.verdict),
                read_result(Curves, folders.verdict),
            )
        )
    elif folders.verdict and kind == TRAINING:
        parts.append(_evaluation_rows(run, study, folders.verdict, folders.registration))
    if folders.summary:
        records = read_result(TrialSummaryDocument, folders.summary).records
        parts.append(progress_rows(run, records))
    if folders.monitoring:
        parts.append(monitoring_rows(run, read_result(Monitoring, folders.monitoring)))
    return joined(*parts)


def _evaluation_rows(
    run: str, study: ExportedStudy, verdict: str, registration: str | None
) -> Rows:
    registered = read_result(Registration, registration) if registration else _NOT_REGISTERED
    evaluated = evaluation_rows(
        run,
        study,
        read_result(Metrics, verdict),
        read_result(Verdict, verdict),
        read_result(Curves, verdict),
        registered,
    )
    return joined(evaluated, rows_of_registration(registered))


def export_stage(address: str, study: str, record: StageRecord, kind: RunKind = TRAINING) -> None:
    """Exports the record of one stage, where each stage is a process of its own.

    A stage that failed or was ended ends its run: the run's outcome is exported with it.

    Args:
        address: The store's.
        study: Name of the study.
        record: The stage's run record.
        kind: What the run does.
    """
    rows = stage_rows([record])
    if record.status in ENDED_EARLY:
        rows = joined(rows, _failure_rows(address, study, record, kind))
    export(address, rows)


def _failure_rows(address: str, study: str, record: StageRecord, kind: RunKind) -> Rows:
    run, now = record.run, datetime.now(UTC)
    started = first_start(address, run) or record.started
    return joined(
        {models.Run: [_unknown_run(record, study, started, kind)]},
        outcome_rows(run, record.status, now, record.stage, record.shown_error),
        # Documents of a failed stage are not kept.
        finding_rows(run, Findings(tuple(record.findings))),
    )


def first_start(address: str, run: str) -> datetime | None:
    """Start of the first of a run's stages in the store.

    Args:
        address: The store's.
        run: Id of the run.

    Returns:
        UTC; None where the store has none or does not answer.
    """
    statement = select(func.min(models.Stage.started)).where(models.Stage.run == run)
    try:
        with store_engine(address) as engine, transaction(engine) as connection:
            return connection.execute(statement).scalar_one()
    except UserError as error:
        logger.info("The start of the run is not known: %s", error)
        return None


def _unknown_run(record: StageRecord, study: str, started: datetime, kind: RunKind) -> Row:
    """The row of a run that failed before its inputs were determined."""
    return {
        "run": record.run,
        "study": study,
        "started": started,
        "runner": KUBEFLOW,
        "started_by": "",
        "code_version": record.versions.get("clinical-trial-pipeline", ""),
        "study_digest": "",
        "fingerprint": "",
        "data_modified": None,
        "smallest_group": 0,
        "parameters": {},
        "kind": kind,
    }


def export_local_run(folder: Path, address: str = "", patience: Patience | None = None) -> int:
    """Exports a local run that has ended: its outcome, its stages' records and outputs, at once.

    Args:
        folder: The run's folder of records.
        address: The store's; empty takes the one that the run named.
        patience: How long a store that does not answer is waited for.

    Returns:
        Number of rows submitted.

    Raises:
        UserError: The folder is not a run's, the run has not ended, or the store did not accept the
            rows.
    """
    run = read_run_file(folder)
    if run.ended is None:
        raise UserError(f"{folder}: the run has not ended; it exports itself at its end.")
    if not (address or run.store):
        raise UserError(f"{folder}: the run names no store; give its address (STORE=).")
    records = read_records(folder)
    outcome = outcome_rows(run.run, run.status, run.ended, run.failed_stage, run.reason)
    rows = joined(_local_rows(run, records), stage_rows(records), outcome)
    return export(address or run.store, rows, patience)


def has_outcome(address: str, run: str) -> bool:
    """Whether a store has how a run ended, and with it the run's results.

    Args:
        address: The store's.
        run: Id of the run.

    Raises:
        UserError: The store does not answer, or has no such table.
    """
    statement = select(models.Outcome.run).where(models.Outcome.run == run).limit(1)
    with store_engine(address) as engine, transaction(engine) as connection:
        return connection.execute(statement).first() is not None


def export_start(run: RunFile) -> None:
    """Adds the row of a local run that starts: without an outcome it is running.

    A store that does not answer is not waited for: the run's export at its end has the row, too.

    Args:
        run: The run's file.

    Raises:
        UserError: The store did not accept the row.
    """
    export(run.store, _local_facts(run).rows(), Patience(attempts=1))


def _local_facts(run: RunFile) -> RunFacts:
    return RunFacts(
        run=run.run,
        study=ExportedStudy.of(parse_study(run.study_file, f"the study of run {run.run}")),
        started=run.started,
        runner=LOCAL,
        started_by=run.started_by,
        code_version=run.code_version,
        fingerprint=run.fingerprint,
        data_modified=run.data_modified,
        parameters=run.parameters,
        kind=run.kind,
    )


def _local_rows(run: RunFile, records: Sequence[StageRecord]) -> Rows:
    facts = _local_facts(run)
    folders = ResultFolders(
        rejects=run.output("TrialExampleGen", "rejects"),
        verdict=run.output("TrialEvaluator", "verdict"),
        findings=run.output("DataGate", "findings"),
        registration=run.output("ModelRegistrar", "registration"),
        summary=run.output("TrialSummary", "summary"),
        validation=run.output("ExternalValidation", "validation"),
        monitoring=run.output("Monitor", "monitoring"),
    )
    rows = joined(facts.rows(), result_rows_of(run.run, facts.study, folders, run.kind))
    if folders.findings is None:
        rows = joined(rows, finding_rows(run.run, gate_findings(None, records)))
    return rows
