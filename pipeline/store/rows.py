"""Converts outputs of stages to rows of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, Metrics, Verdict
from pipeline.results.findings import Findings
from pipeline.results.registration import Registration
from pipeline.results.trial_progress import ProgressRecord
from pipeline.runs.stage_record import CountedRows, StageRecord
from pipeline.store import models
from pipeline.store.exported_study import ExportedStudy
from pipeline.store.referral_rows import referral_rows
from pipeline.titles import Titles

Row = dict[str, Any]
Rows = dict[type[models.Base], list[Row]]
"""Rows by table, in the order in which they are written."""

NO_THRESHOLD = 0.0
"""Value in a key for the decision threshold of a metric that needs none."""


def evaluation_rows(
    run: str,
    study: ExportedStudy,
    metrics: Metrics,
    verdict: Verdict,
    curves: Curves,
    registration: Registration,
) -> Rows:
    """Rows of the Evaluator's result and of the registration.

    Args:
        run: Id of the run.
        study: What the store has of the study.
        metrics: The Evaluator's metrics of all groups that may be shown.
        verdict: Its decision.
        curves: Its curves of the same groups.
        registration: Whether the model became the champion.
    """
    titles = Titles(study.task_titles, study.slicing_titles)
    return {
        models.Model: [_model(run, study.study_name, metrics, verdict, registration)],
        models.TaskVerdict: [
            {
                "run": run,
                "task": task,
                "verdict": verdict.of_task(task).verdict,
                "reason": " ".join(verdict.of_task(task).reason_texts(titles)),
            }
            for task in study.tasks
        ],
        models.BlessingReason: list(_refusals(run, verdict, titles)),
        models.Comparison: list(_comparisons(run, verdict, titles)),
        models.Threshold: _thresholds(run, study, verdict),
        models.Metric: metric_rows(run, metrics),
        models.BetweenGroups: [
            {"run": run, **summary.model_dump()} for summary in metrics.between_groups
        ],
        models.PredictedRisk: _predicted_risks(run, verdict),
        models.CalibrationBin: list(calibration_rows(run, curves)),
        models.Referral: referral_rows(run, study.tasks, curves),
        models.SuppressedGroup: suppressed_rows(run, metrics),
    }


def metric_rows(run: str, metrics: Metrics) -> list[Row]:
    """Rows of the metrics of all groups that may be shown."""
    return [
        {
            "run": run,
            "task": record.task,
            **group_columns(record.slice),
            "metric": record.metric,
            "decision_threshold": record.decision_threshold or NO_THRESHOLD,
            "model": record.model,
            "versus": record.versus or "",
            "value": record.value,
            "lower": record.lower,
            "upper": record.upper,
            "subjects": record.subjects,
            "positives": record.positives,
        }
        for record in metrics.records
    ]


def suppressed_rows(run: str, metrics: Metrics) -> list[Row]:
    """Rows of the groups that are not shown."""
    return [
        {"run": run, "task": group.task, **group_columns(group.slice), "reason": group.reason}
        for group in metrics.suppressed
    ]


def finding_rows(run: str, findings: Findings) -> Rows:
    """Rows of DataGate's findings."""
    return {
        models.GateFinding: [
            {"run": run, "number": number, **finding.model_dump()}
            for number, finding in enumerate(findings.root)
        ]
    }


def count_rows(run: str, counts: Counts) -> Rows:
    """Rows of the datasets that TrialExampleGen read, also where its result was cached."""
    return {
        models.StageRows: [
            _counted(run, "TrialExampleGen", CountedRows(dataset=name, **found.model_dump()))
            for name, found in counts.datasets.items()
        ]
    }


def progress_rows(run: str, records: Sequence[ProgressRecord]) -> Rows:
    """Rows of TrialSummary's records, whose keys are the table's columns."""
    rows: list[Row] = [
        {"run": run, "number": number, **record.model_dump()}
        for number, record in enumerate(records)
    ]
    return {models.TrialProgress: rows}


def stage_rows(records: Iterable[StageRecord]) -> Rows:
    """Rows of stages' run records."""
    stages: list[Row] = []
    counted: list[Row] = []
    for record in records:
        stages.append(
            {
                "run": record.run,
                "stage": record.stage,
                "started": record.started,
                "status": record.status,
                "seconds": record.seconds,
                "peak_memory_mb": record.peak_memory_mb,
                "error": record.shown_error,
            }
        )
        # With the split's subjects, a task's known labels would disclose how many are unknown.
        counted += (
            _counted(record.run, record.stage, rows) for rows in record.rows if rows.task is None
        )
    return {models.Stage: stages, models.StageRows: counted}


def joined(*parts: Rows) -> Rows:
    """All rows of several parts, by table."""
    rows: Rows = {}
    for part in parts:
        for model, found in part.items():
            rows.setdefault(model, []).extend(found)
    return rows


def _model(
    run: str, study: str, metrics: Metrics, verdict: Verdict, registration: Registration
) -> Row:
    return {
        "run": run,
        "study": study,
        "blessed": verdict.blessed,
        "judged": verdict.judged,
        "comparisons": verdict.compared,
        "registered": registration.registered,
        "not_registered": registration.reason,
        "champion": metrics.has_champion,
        "scheme": metrics.evaluation.scheme,
        "folds": metrics.evaluation.folds,
        "repeats": metrics.evaluation.repeats,
    }


def _refusals(run: str, verdict: Verdict, titles: Titles) -> Iterator[Row]:
    for number, refusal in enumerate(verdict.reasons):
        yield {
            "run": run,
            "number": number,
            "task": refusal.task,
            **group_columns(refusal.slice),
            "metric": refusal.metric,
            "decision_threshold": refusal.decision_threshold or NO_THRESHOLD,
            "value": refusal.value,
            "message": refusal.text(titles),
        }


def _comparisons(run: str, verdict: Verdict, titles: Titles) -> Iterator[Row]:
    """A row for each comparison; none for a verdict of 0.1.0, which does not list them."""
    for number, comparison in enumerate(verdict.comparisons or ()):
        yield {
            "run": run,
            "number": number,
            "origin": comparison.origin,
            "model": comparison.model,
            "versus": comparison.versus or "",
            "task": comparison.task,
            **group_columns(comparison.slice),
            "metric": comparison.metric,
            "decision_threshold": comparison.decision_threshold or NO_THRESHOLD,
            "side": comparison.side,
            "limit": comparison.limit,
            "holds": comparison.holds,
            "value": comparison.value,
            "outcome": comparison.outcome,
            "reason": comparison.reason,
            "message": comparison.text(titles),
        }


def _predicted_risks(run: str, verdict: Verdict) -> list[Row]:
    return [
        {
            "run": run,
            "task": item.task,
            "arm": item.arm,
            "risk": item.risk.value,
            "risk_lower": item.risk.lower,
            "risk_upper": item.risk.upper,
            "mean_prediction": item.mean_prediction.value,
            "mean_lower": item.mean_prediction.lower,
            "mean_upper": item.mean_prediction.upper,
            "outcome": item.outcome,
            "reason": item.reason,
        }
        for item in verdict.risks
    ]


def _thresholds(run: str, study: ExportedStudy, verdict: Verdict) -> list[Row]:
    """A row for each key; of several thresholds with the same one the strictest limits."""
    found: dict[tuple[str, ...], Row] = {}
    for origin, threshold in verdict.applied(study.thresholds):
        for task in threshold.tasks or study.tasks:
            key: Row = {
                "run": run,
                "task": task,
                "metric": threshold.metric,
                "scope": threshold.scope,
                "versus": threshold.versus or "",
                "holds": threshold.holds,
                "decision_threshold": threshold.decision_threshold or NO_THRESHOLD,
            }
            row = found.setdefault(
                tuple(map(str, key.values())),
                key | {"origin": origin, "at_least": None, "at_most": None},
            )
            row["at_least"] = _strictest(max, row["at_least"], threshold.at_least)
            row["at_most"] = _strictest(min, row["at_most"], threshold.at_most)
    return list(found.values())


def _strictest(choose: Callable[[list[float]], float], *limits: float | None) -> float | None:
    given = [limit for limit in limits if limit is not None]
    return choose(given) if given else None


def calibration_rows(run: str, curves: Curves) -> Iterator[Row]:
    """Rows of the bins of all calibration curves."""
    for curve in curves.curves:
        for number, item in enumerate(curve.calibration):
            yield {
                "run": run,
                "task": curve.task,
                **group_columns(curve.slice),
                "model": curve.model,
                "bin": number,
                **item.model_dump(),
            }


def group_columns(group: Mapping[str, str]) -> Row:
    """Columns of a group; both are empty for all subjects."""
    return {"slicing": ", ".join(group), "slice": ", ".join(group.values())}


def _counted(run: str, stage: str, rows: CountedRows) -> Row:
    return {
        "run": run,
        "stage": stage,
        "dataset": rows.dataset or "",
        "split": rows.split or "",
        # Every row has every column: what was not counted is null.
        **{
            column: getattr(rows, column)
            for column in ("rows_in", "used", "excluded", "rejected", "subjects")
        },
    }
