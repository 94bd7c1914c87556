"""A small run made by hand: two tasks, groups by sex and age, a champion where it is asked for.

All subjects are 400 with 80 events; women are 220, men 180; "85 and older" are fewer than
the smallest group of 50.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, Metrics, Verdict
from pipeline.results.evaluation_plan import SPLIT_PLAN, EvaluationPlan
from pipeline.results.findings import Findings
from pipeline.results.registration import Registration
from pipeline.results.training import Training
from pipeline.study.sections import Threshold
from pipeline.study.settings import TaskTitle

TASKS = {
    "death": TaskTitle(title="Dead at 6 months", kind="outcome"),
    "bleed": TaskTitle(title="Any bleed", kind="adverse_event"),
}
SUBJECTS: dict[tuple[tuple[str, str], ...], tuple[int, int]] = {
    (): (400, 80),
    (("sex", "F"),): (220, 50),
    (("sex", "M"),): (180, 30),
    (("age", ">=75"),): (120, 30),
    (("age", "<65"),): (130, 20),
    (("age", "65 to <75"),): (150, 30),
}
BY_SPLIT = {"train": 1200, "eval": 400, "test": 400}
ALL_IN_TRAIN = {"train": 2000, "eval": 0, "test": 0}
CROSS_FIT = EvaluationPlan(
    scheme="cross_fit", requested="auto", reason="Too few for death.", folds=5, repeats=10
)
BY_SITE = EvaluationPlan(
    scheme="internal_external",
    requested="internal_external",
    folds=4,
    repeats=1,
    by="site",
    groups=("A", "B", "C", "D"),
)
VALUES = {
    "auc": (0.72, 0.66, 0.78),
    "pr_auc": (0.41, 0.33, 0.49),
    "brier": (0.13, 0.11, 0.15),
    "log_loss": (0.42, 0.38, 0.46),
    "calibration_slope": (0.9, 0.7, 1.1),
    "expected_calibration_error": (0.02, 0.01, 0.03),
    "calibration_in_the_large": (-0.01, -0.04, 0.02),
    "observed_rate": (0.2, 0.16, 0.24),
    "mean_prediction": (0.19, 0.18, 0.2),
}
AT_DECISION = {
    "sensitivity": (0.6, 0.5, 0.7),
    "specificity": (0.8, 0.7, 0.9),
    "positive_predictive_value": None,
}
AUC_AT_LEAST = Threshold(metric="auc", at_least=0.7)
AUC_EVERYWHERE = Threshold(metric="auc", at_least=0.6, scope="every_slice")
NOT_WORSE = Threshold(metric="auc", at_least=-0.02, versus="champion")


def records(task: str, model: str = "challenger") -> list[dict[str, Any]]:
    """All records of a task; a positive predictive value has none."""
    made = []
    for group, (subjects, positives) in SUBJECTS.items():
        own = {
            "task": task,
            "slice": dict(group),
            "model": model,
            "subjects": subjects,
            "positives": positives,
        }
        for metric, (value, lower, upper) in VALUES.items():
            made.append(own | _measured(metric, None, value, lower, upper))
        for metric, found in AT_DECISION.items():
            made.append(own | _measured(metric, 0.3, *(found or (None, None, None))))
    return made


def curves(task: str, model: str = "challenger") -> dict[str, Any]:
    """Curves of all subjects."""
    return {
        "task": task,
        "slice": {},
        "model": model,
        "subjects": 400,
        "positives": 80,
        "calibration": [
            {
                "mean_prediction": rate,
                "observed_rate": rate + 0.01,
                "lower": rate - 0.05,
                "upper": rate + 0.07,
                "subjects": 200,
            }
            for rate in (0.1, 0.3)
        ],
        "roc": [
            {"threshold": 1.0, "false_positive_rate": 0.0, "true_positive_rate": 0.0},
            {"threshold": 0.3, "false_positive_rate": 0.2, "true_positive_rate": 0.6},
            {"threshold": 0.0, "false_positive_rate": 1.0, "true_positive_rate": 1.0},
        ],
        "confusion": [
            {
                "decision_threshold": 0.3,
                "true_positives": 48,
                "false_positives": 64,
                "true_negatives": 256,
                "false_negatives": 32,
            }
        ],
    }


def failure(
    threshold: Threshold, task: str = "death", group: dict[str, str] | None = None
) -> dict[str, Any]:
    """A threshold that the model failed."""
    return {
        "reason": "beyond_limit",
        "side": "at_least",
        "limit": threshold.at_least,
        "estimate": {"value": 0.5, "lower": None, "upper": None},
        "task": task,
        "slice": group or {},
        "metric": threshold.metric,
        "decision_threshold": None,
        "model": "challenger",
        "value": 0.5,
        "threshold": threshold.model_dump(mode="json", exclude_defaults=True),
    }


def compared(number: int, outcome: str, model: str = "challenger") -> dict[str, Any]:
    """A comparison of AUC with the threshold of that place in the study file."""
    return {
        "threshold": number,
        "model": model,
        "task": "death",
        "slice": {},
        "metric": "auc",
        "decision_threshold": None,
        "side": "at_least",
        "limit": 0.7,
        "holds": "point",
        "value": None,
        "outcome": outcome,
        "reason": {"passes": "within_limit", "fails": "beyond_limit"}.get(outcome, "no_champion"),
        "message": "",
    }


USED = {
    "features": {"AGE": 0.9, "SEX": 0.4, "BMI": 0.0},
    "pairs": [{"first": "AGE", "second": "SEX", "size": 0.21}],
}
"""What the model uses for each task."""


def documents(
    failures: Sequence[dict[str, Any]] = (),
    champion: bool = False,
    judged: bool = True,
    notes: Iterable[str] = (),
    findings: Sequence[dict[str, Any]] = (),
    comparisons: Sequence[dict[str, Any]] | int | None = None,
    evaluation: EvaluationPlan = SPLIT_PLAN,
    defaults: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What the stages of the run wrote, by file.

    Args:
        failures: Why the model was refused.
        champion: Whether one was scored.
        judged: Whether anything was compared.
        notes: Notes of the verdict.
        findings: What the gate found.
        comparisons: Those of the verdict, one for each failure if none are given; a number as
            0.1.0 wrote it.
        evaluation: How it was evaluated; out of fold all 2,000 subjects are in one split.
        defaults: Default thresholds that were applied.
    """
    models = ("challenger", "champion", "difference") if champion else ("challenger",)
    if comparisons is None:
        comparisons = [compared(0, "fails") for _ in failures]
    small = [
        {"task": task, "slice": {"age": ">=85"}, "reason": "too_small", "subjects": "<50"}
        for task in TASKS
    ]
    return {
        "metrics.json": {
            "smallest_group": 50,
            "records": [item for task in TASKS for m in models for item in records(task, m)],
            "suppressed": small,
            "evaluation": evaluation.model_dump(mode="json"),
        },
        "verdict.json": {
            "blessed": not failures,
            "judged": judged,
            "compared": 9 if judged else 0,
            "comparisons": comparisons,
            "defaults": list(defaults),
            "reasons": list(failures),
            "not_judged": small,
            "notes": list(notes),
        },
        "curves.json": {
            "curves": [curves(task, m) for task in TASKS for m in models if m != "difference"]
        },
        "findings.json": list(findings),
        "counts.json": {
            "datasets": {"dm": {"rows_in": 2010, "used": 2000, "excluded": 7, "rejected": 3}},
            "subjects": ALL_IN_TRAIN if evaluation.out_of_fold else BY_SPLIT,
            "tasks": {
                task: {
                    "train" if evaluation.out_of_fold else "test": {"known": 400, "positives": 80}
                }
                for task in TASKS
            },
        },
        "registration.json": {
            "registered": not failures,
            "reason": "refused" if failures else None,
        },
        "training.json": {
            **{"steps": 100, "epochs": 4, "best_epoch": 3, "score": 0.9, "seconds": 2.5},
            **{"seed": 1, "hyperparameters": {"width": 64}, "calibration": {}, "weights": 500},
            "eval_loss": {},
            "importance": {"subjects": 1000, "paired": 200, "tasks": dict.fromkeys(TASKS, USED)},
        },
    }


def page_settings(*thresholds: Threshold) -> RunPageSettings:
    """The study for people."""
    return RunPageSettings(
        study_name="demo",
        title="A demonstration trial",
        tasks=TASKS,
        features={"AGE": "Age (years)"},
        slicings=("sex", "age"),
        thresholds=thresholds,
    )


def result(*thresholds: Threshold, **changes: Any) -> RunResult:
    """The result of the run; `changes` are those of `documents`."""
    written = documents(**changes)
    return RunResult(
        settings=page_settings(*thresholds),
        code_version="1.2.3",
        fingerprint="f" * 64,
        metrics=Metrics.model_validate(written["metrics.json"]),
        verdict=Verdict.model_validate(written["verdict.json"]),
        curves=Curves.model_validate(written["curves.json"]),
        findings=Findings.model_validate(written["findings.json"]),
        counts=Counts.model_validate(written["counts.json"]),
        registration=Registration.model_validate(written["registration.json"]),
        importance=Training.model_validate(written["training.json"]).importance,
    )


def write(folder: Path, **changes: Any) -> None:
    """Writes the documents into one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in documents(**changes).items():
        (folder / name).write_text(json.dumps(content))


def _measured(
    metric: str,
    decision_threshold: float | None,
    value: float | None,
    lower: float | None,
    upper: float | None,
) -> dict[str, Any]:
    return {
        "metric": metric,
        "decision_threshold": decision_threshold,
        "value": value,
        "lower": lower,
        "upper": upper,
    }
