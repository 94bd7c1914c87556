"""Documents as version 0.1.0 wrote them, made by hand, are still read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.results.counts import Counts
from pipeline.results.documents import Curves, Metrics, Verdict, read_result
from pipeline.results.findings import Findings
from pipeline.results.registration import Registration
from pipeline.results.training import Training
from pipeline.results.trial_progress import TrialSummaryDocument

RECORD = {
    "task": "death",
    "slice": {"sex": "F"},
    "metric": "auc",
    "decision_threshold": None,
    "model": "challenger",
    "value": 0.71,
    "lower": 0.6,
    "upper": 0.82,
    "subjects": 120,
    "positives": 30,
}
REFUSAL = {
    "task": "death",
    "slice": {},
    "metric": "auc",
    "decision_threshold": None,
    "model": "challenger",
    "value": 0.61,
    "threshold": {"metric": "auc", "at_least": 0.65, "where": "every_slice"},
    "message": "auc of death is 0.610, at least 0.65 is demanded.",
}
DOCUMENTS: dict[type[Any], tuple[str, Any]] = {
    Metrics: (
        "metrics.json",
        {
            "smallest_group": 20,
            "records": [RECORD],
            "suppressed": [
                {"task": "death", "slice": {"sex": "U"}, "reason": "too_small", "subjects": "<20"}
            ],
        },
    ),
    Verdict: (
        "verdict.json",
        {
            "blessed": False,
            "judged": True,
            "comparisons": 4,
            "reasons": [REFUSAL],
            "not_judged": [{"task": "death", "slice": {"sex": "U"}, "subjects": "<20"}],
            "notes": ["No champion: no model has been blessed before."],
        },
    ),
    Curves: (
        "curves.json",
        {
            "smallest_group": 20,
            "curves": [
                {
                    "task": "death",
                    "slice": {},
                    "model": "challenger",
                    "subjects": 120,
                    "positives": 30,
                    "calibration": [],
                    "roc": [],
                    "confusion": [],
                }
            ],
        },
    ),
    Findings: (
        "findings.json",
        [
            {
                "rule": "too_few",
                "severity": "warn",
                "message": "task death: the eval split has 4 subjects",
                "feature": None,
                "task": "death",
                "split": "eval",
                "dataset": None,
                "value": 4,
                "limit": 30,
            }
        ],
    ),
    Counts: (
        "counts.json",
        {
            "datasets": {
                "adsl": {
                    "rows_in": 10,
                    "used": 8,
                    "left_out": 1,
                    "rejected": 1,
                    "reasons": {"no subject key": 1},
                }
            },
            "qualifiers": {},
            "problems": [],
            "subjects": {"train": 5},
            "tasks": {"death": {"train": {"known": 5, "positives": 2}}},
        },
    ),
    Registration: (
        "registration.json",
        {
            "registered": True,
            "reason": None,
            "entry": {
                "id": "00ff",
                "registered_at": "2025-01-02T03:04:05.000006+00:00",
                "model_uri": "registry/demo/models/00ff",
                "statistics_uri": "registry/demo/statistics/00ff",
                "study": "demo",
                "split_seed": 1,
                "label_digest": "a",
                "study_digest": "b",
                "fingerprint": "c",
                "code_version": "0.1.0",
                "run": "r1",
                "metrics": {"death/auc": 0.71},
            },
        },
    ),
    Training: (
        "training.json",
        {
            "steps": 396,
            "epochs": 2,
            "best_epoch": 1,
            "score": 0.84,
            "eval_loss": {"death": [0.45, 0.44]},
            "seconds": 2.5,
            "seed": 7,
            "hyperparameters": {"width": 64, "dropout": 0.2},
            "calibration": {"death": {"slope": 1.1, "intercept": -0.1}},
            "weights": 11435,
        },
    ),
    TrialSummaryDocument: (
        "summary.json",
        {
            "smallest_group": 20,
            "records": [{"section": "enrolment", "measure": "subjects", "value": 120.0}],
            "absent": [{"section": "exposure", "reason": "the study file names no column"}],
        },
    ),
}


@pytest.mark.parametrize("content", DOCUMENTS, ids=lambda content: content.__name__)
def test_a_document_of_0_1_0_is_read_and_keeps_what_it_says(
    content: type[Any], tmp_path: Path
) -> None:
    name, written = DOCUMENTS[content]
    (tmp_path / name).write_text(json.dumps(written))

    read = json.loads(read_result(content, str(tmp_path)).model_dump_json(exclude_unset=True))

    if content is Verdict:
        written = written | {"compared": 4, "comparisons": None}
        scope = {"metric": "auc", "at_least": 0.65, "scope": "every_slice"}
        written |= {"reasons": [REFUSAL | {"threshold": scope}]}
        written |= {"notes": [{"message": note} for note in written["notes"]]}
    if content is Counts:
        (rows,) = read["datasets"].values()
        rows["left_out"] = rows.pop("excluded")
    assert read == written
