"""A run's rows of all tables of the store, made by hand: as many as asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.store import models
from pipeline.store.rows import NO_THRESHOLD, Row, Rows

STARTED = datetime(2024, 1, 1, tzinfo=UTC)
STUDY = "hand"
TASKS = tuple(f"task_{number}" for number in range(1, 6))
_MODELS = ("challenger", "champion", "difference")
_METRICS = tuple(
    (metric, decision)
    for metrics, decisions in (
        (
            (
                *("auc", "pr_auc", "brier", "log_loss", "calibration_slope"),
                *("calibration_in_the_large", "expected_calibration_error"),
                *("observed_rate", "mean_prediction", "subjects_share"),
            ),
            (0.0,),
        ),
        (
            (
                "sensitivity",
                "specificity",
                "positive_predictive_value",
                "false_positive_rate",
                "false_negative_rate",
            ),
            (0.2, 0.5),
        ),
    )
    for metric in metrics
    for decision in decisions
)
_SEXES = ("F", "M")
_AGES = ("<50", "50 to <65", "65 to <75", ">=75")


def groups(count: int) -> Iterator[tuple[str, str]]:
    """(slicing, group) of as many groups: all subjects, sex, age, both, then sites."""
    made: Iterator[tuple[str, str]] = itertools.chain(
        [("", "")],
        (("sex", sex) for sex in _SEXES),
        (("age", age) for age in _AGES),
        (("sex, age", f"{sex}, {age}") for sex in _SEXES for age in _AGES),
        (("site", f"{number:03}") for number in itertools.count(1)),
    )
    return itertools.islice(made, count)


def run_rows(run: str, metric_rows: int) -> Rows:
    """All rows of a run, of its metrics about as many as asked for (in steps of 300)."""
    cells = list(groups(-(-metric_rows // (len(TASKS) * len(_METRICS) * len(_MODELS)))))
    number = {"value": 0.5, "lower": 0.4, "upper": 0.6}
    of_task = [
        {"run": run, "task": task, "slicing": slicing, "slice": group}
        for task in TASKS
        for slicing, group in cells
    ]
    return {
        models.Run: [
            {
                "run": run,
                "study": STUDY,
                "started": STARTED,
                "runner": "local",
                "started_by": "benchmark",
                "code_version": "0",
                "study_digest": "",
                "fingerprint": "",
                "data_modified": STARTED,
                "smallest_group": 10,
                "parameters": {},
            }
        ],
        models.Outcome: [
            {"run": run, "status": "done", "failed_stage": "", "ended": STARTED, "reason": None}
        ],
        models.Stage: [
            {
                "run": run,
                "stage": f"Stage{place}",
                "started": STARTED + timedelta(seconds=place),
                "status": "done",
                "seconds": 1.0,
                "peak_memory_mb": 1000.0,
                "error": None,
            }
            for place in range(17)
        ],
        models.StageRows: [
            {
                "run": run,
                "stage": "TrialExampleGen",
                "dataset": f"dataset{place}",
                "split": "",
                "rows_in": 1000,
                "used": 990,
                "excluded": 5,
                "rejected": 5,
                "subjects": None,
            }
            for place in range(6)
        ],
        models.Model: [
            {
                "run": run,
                "study": STUDY,
                "blessed": True,
                "judged": True,
                "comparisons": 20,
                "registered": True,
                "not_registered": None,
                "champion": True,
            }
        ],
        models.BlessingReason: [
            {
                **of_task[0],
                "number": place,
                "metric": "auc",
                "decision_threshold": NO_THRESHOLD,
                "value": 0.5,
                "message": "a threshold was not reached",
            }
            for place in range(3)
        ],
        models.TaskVerdict: [
            {"run": run, "task": task, "verdict": "blessed", "reason": ""} for task in TASKS
        ],
        models.Threshold: [
            {
                "run": run,
                "task": task,
                "metric": "auc",
                "scope": scope,
                "versus": "",
                "holds": "point",
                "decision_threshold": NO_THRESHOLD,
                "at_least": 0.6,
                "at_most": None,
            }
            for task in TASKS
            for scope in ("overall", "every_slice")
        ],
        models.Comparison: list(_comparisons(of_task)),
        models.Metric: [
            {
                **cell,
                "metric": metric,
                "decision_threshold": decision,
                "model": model,
                "versus": "",
                **number,
                "subjects": 100,
                "positives": 50,
            }
            for cell in of_task
            for metric, decision in _METRICS
            for model in _MODELS
        ],
        models.CalibrationBin: [
            {
                **cell,
                "model": model,
                "bin": place,
                "mean_prediction": place / 10,
                "observed_rate": place / 10,
                "lower": 0.0,
                "upper": 1.0,
                "subjects": 20,
            }
            for cell in of_task
            for model in _MODELS[:2]
            for place in range(10)
        ],
        models.SuppressedGroup: [
            {
                "run": run,
                "task": task,
                "slicing": "site",
                "slice": f"{place}",
                "reason": "too_small",
            }
            for task in TASKS
            for place in range(900, 910)
        ],
        models.GateFinding: [
            {
                "run": run,
                "number": place,
                "rule": "drift",
                "severity": "ok",
                "feature": f"feature{place}",
                "task": None,
                "split": None,
                "dataset": None,
                "value": 0.1,
                "limit": 0.2,
                "message": "within its limit",
            }
            for place in range(60)
        ],
        models.TrialProgress: list(_progress(run)),
    }


def _comparisons(of_task: Sequence[Row]) -> Iterator[Row]:
    """AUC of every group, of challenger and champion, with one limit each."""
    for number, (cell, model) in enumerate(itertools.product(of_task, _MODELS[:2])):
        yield {
            **cell,
            "number": number,
            "model": model,
            "metric": "auc",
            "decision_threshold": NO_THRESHOLD,
            "side": "at_least",
            "limit": 0.6,
            "holds": "point",
            "value": 0.5,
            "outcome": "fails",
            "reason": "beyond_limit",
            "message": "a threshold was not reached",
        }


def _progress(run: str) -> Iterator[Row]:
    arms = (None, "active", "placebo")
    parts: list[dict[str, Any]] = [
        {"section": "enrolment", "measure": "subjects"},
        *({"section": "enrolment", "measure": "subjects", "site": f"{n:03}"} for n in range(100)),
        *(
            {"section": "enrolment", "measure": "subjects", "period": f"20{year}-{month:02}"}
            for year in (21, 22, 23)
            for month in range(1, 13)
        ),
        *(
            {"section": "disposition", "measure": "share", "category": reason, "arm": arm}
            for reason in ("completed", "adverse event", "withdrawal", "lost to follow-up")
            for arm in arms
        ),
        *({"section": "exposure", "measure": "mean", "arm": arm} for arm in arms),
        *(
            {
                "section": "adverse_events",
                "measure": measure,
                "category": f"class {n}",
                "severity": severity,
                "arm": arm,
            }
            for n in range(25)
            for severity in (None, "MILD", "MODERATE", "SEVERE")
            for arm in arms[1:]
            for measure in ("share", "risk_difference")
        ),
        *(
            {
                "section": "endpoint",
                "measure": "mean",
                "parameter": parameter,
                "visit": f"week {week}",
                "arm": arm,
            }
            for parameter in ("ALT", "AST", "BILI")
            for week in range(0, 52, 4)
            for arm in arms[1:]
        ),
        *(
            {"section": "completeness", "measure": "share", "site": f"{n:03}", "category": "adsl"}
            for n in range(100)
        ),
    ]
    nothing = dict.fromkeys(("arm", "site", "period", "category", "severity", "visit", "parameter"))
    for number, part in enumerate(parts):
        yield {
            "run": run,
            "number": number,
            **nothing,
            "value": 0.5,
            "lower": 0.4,
            "upper": 0.6,
            "subjects": 50,
            **part,
        }
