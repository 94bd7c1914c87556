"""A run made by hand, with groups whose numbers are easy to follow.

All subjects are 400 with 100 events: women 240 with 60, men 160 with 40; the young 100 with
10, the old 300 with 90. Of young men there are too few to be shown, and so one more group is
suppressed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notebooks.opened_run import OpenedRun, open_run
from pipeline.runs.run_file import RunFile, Status
from pipeline.study.load import parse_study
from tests.death_study import NUMBER_AT_BASELINE, TEXT_AFTER, TEXT_AT_BASELINE, death_study

RUN = "20260301T120000.000000"
THRESHOLD = 0.3
SIZES: dict[tuple[tuple[str, str], ...], tuple[int, int]] = {
    (): (400, 100),
    (("sex", "F"),): (240, 60),
    (("sex", "M"),): (160, 40),
    (("age", "<50"),): (100, 10),
    (("age", ">=50"),): (300, 90),
    (("sex", "F"), ("age", ">=50")): (180, 54),
    (("sex", "M"), ("age", ">=50")): (120, 36),
}
"""Subjects and subjects with the outcome."""

RECALL = {(): 0.6, (("sex", "F"),): 0.7, (("sex", "M"),): 0.5, (("age", "<50"),): 0.4}
"""Sensitivity; of all others 0.6."""

_VALUES = {
    "auc": (0.72, 0.66, 0.78),
    "calibration_in_the_large": (-0.01, -0.04, 0.02),
    "calibration_slope": (0.9, 0.7, 1.1),
    "expected_calibration_error": (0.02, 0.01, 0.03),
    "observed_rate": (0.25, 0.21, 0.29),
    "mean_prediction": (0.24, 0.22, 0.26),
}
_AT_DECISION = {
    "specificity": (0.8, 0.75, 0.85),
    "false_positive_rate": (0.2, 0.15, 0.25),
    "positive_predictive_value": (0.5, 0.4, 0.6),
}


def write_run(root: Path, status: Status = "done", failed_stage: str = "") -> Path:
    """Writes a run below a root.

    Args:
        root: Folder of the runs.
        status: How it ended.
        failed_stage: `TrialEvaluator` for a run that has no evaluation, `DataGate` for one that
            has no findings either.

    Returns:
        Its folder of records.
    """
    documents = root / "documents"
    documents.mkdir(parents=True)
    for name, content in _documents().items():
        (documents / name).write_text(json.dumps(content))
    outputs = {
        "TrialExampleGen": {"rejects": str(documents)},
        "DataGate": {"findings": str(documents)},
    }
    if failed_stage == "DataGate":
        del outputs["DataGate"]
    elif failed_stage != "TrialEvaluator":
        outputs["TrialEvaluator"] = {"verdict": str(documents)}
    moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    folder = root / "hand" / "records" / RUN
    RunFile(
        run=RUN,
        study="hand",
        study_file=_study_file(),
        study_digest="d",
        fingerprint="f",
        data_root="data",
        data_modified=None,
        seed=1,
        steps=0,
        code_version="1.2.3",
        started_by="a_user",
        started=moment,
        ended=moment,
        status=status,
        failed_stage=failed_stage,
        reason=None,
        store="",
        outputs=outputs,
    ).write(folder)
    return folder


def hand_made_run(root: Path) -> OpenedRun:
    """The run, opened."""
    write_run(root)
    return open_run(RUN, root)


def _study_file() -> dict[str, Any]:
    columns = {
        "USUBJID": TEXT_AT_BASELINE,
        "AGE": NUMBER_AT_BASELINE,
        "SEX": TEXT_AT_BASELINE,
        "DIED": TEXT_AFTER,
    }
    slicing = {
        "by": {"sex": {"column": "SEX"}, "age": {"column": "AGE", "bands": [50]}},
        "pairs": [["sex", "age"]],
        "smallest_group": 50,
    }
    return parse_study(death_study(columns, slicing=slicing), "study.yaml").to_content()


def _documents() -> dict[str, Any]:
    hidden = [
        ({"sex": "M", "age": "<50"}, "too_small", "<50"),
        ({"sex": "F", "age": "<50"}, "complementary", None),
    ]
    return {
        "metrics.json": {
            "smallest_group": 50,
            "records": [item for group in SIZES for item in _records(group)],
            "suppressed": [
                {"task": "death", "slice": group, "reason": reason, "subjects": subjects}
                for group, reason, subjects in hidden
            ],
        },
        "verdict.json": {
            "blessed": True,
            "judged": True,
            "compared": 1,
            "comparisons": [],
            "reasons": [],
            "not_judged": [],
            "notes": [],
        },
        "curves.json": {"curves": [_curves(group) for group in SIZES]},
        "findings.json": [],
        "counts.json": {"datasets": {}, "subjects": {"test": 400}, "tasks": {}},
    }


def _records(group: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    subjects, positives = SIZES[group]
    own = {
        "task": "death",
        "slice": dict(group),
        "model": "challenger",
        "subjects": subjects,
        "positives": positives,
    }
    sensitivity = RECALL.get(group, 0.6)
    # The fewer events, the wider: 100 of them leave a tenth either way.
    reach = 1 / positives**0.5
    at_decision = {
        **_AT_DECISION,
        "sensitivity": (sensitivity, max(0.0, sensitivity - reach), min(1.0, sensitivity + reach)),
        "false_negative_rate": (
            1 - sensitivity,
            max(0.0, 1 - sensitivity - reach),
            min(1.0, 1 - sensitivity + reach),
        ),
    }
    return [
        own | _measured(metric, threshold, found)
        for threshold, metrics in ((None, _VALUES), (THRESHOLD, at_decision))
        for metric, found in metrics.items()
    ]


def _measured(
    metric: str, threshold: float | None, found: tuple[float, float, float]
) -> dict[str, Any]:
    value, lower, upper = found
    return {
        "metric": metric,
        "decision_threshold": threshold,
        "value": value,
        "lower": lower,
        "upper": upper,
    }


def _curves(group: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Two bins, and a point at 0.1 beside the one of the decision threshold."""
    subjects, positives = SIZES[group]
    found = round(RECALL.get(group, 0.6) * positives)
    negatives = subjects - positives
    false = round(0.2 * negatives)
    return {
        "task": "death",
        "slice": dict(group),
        "model": "challenger",
        "subjects": subjects,
        "positives": positives,
        "calibration": [
            {
                "mean_prediction": rate,
                "observed_rate": rate + 0.01,
                "lower": rate - 0.05,
                "upper": rate + 0.07,
                "subjects": subjects // 2,
            }
            for rate in (0.1, 0.3)
        ],
        "roc": [
            {"threshold": 1.0, "false_positive_rate": 0.0, "true_positive_rate": 0.0},
            {
                "threshold": THRESHOLD,
                "false_positive_rate": false / negatives,
                "true_positive_rate": found / positives,
            },
            {"threshold": 0.1, "false_positive_rate": 0.5, "true_positive_rate": 0.9},
            {"threshold": 0.0, "false_positive_rate": 1.0, "true_positive_rate": 1.0},
        ],
        "confusion": [
            {
                "decision_threshold": THRESHOLD,
                "true_positives": found,
                "false_positives": false,
                "true_negatives": negatives - false,
                "false_negatives": positives - found,
            }
        ],
    }
