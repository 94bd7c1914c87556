"""A trial made by hand whose outcomes come from the risk of the hand-made model, shifted."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from tests.components.registered_model.hand_made_model import STUDY

SHIFT = 0.7
SUBJECTS = 1_500
CONTENT: dict[str, Any] = {
    "study": "second",
    "title": "A second trial",
    "datasets": {
        "subjects": {
            "file": "subjects.csv",
            "format": "csv",
            "rows": "one_per_subject",
            "columns": {
                "ID": {"type": "text"},
                "AGEYR": {"type": "number", "known": "baseline"},
                "GENDER": {"type": "text", "known": "baseline"},
                "DIED": {"type": "text", "known": "after"},
            },
        }
    },
    "subject": {"dataset": "subjects", "column": "ID"},
    "features": {"AGEYR": {"kind": "number"}, "GENDER": {"kind": "category"}},
    "tasks": {
        "died": {
            "kind": "outcome",
            "title": "Death within a year",
            "state": {"positive": {"column": "DIED", "equals": "Y"}},
            "decision_thresholds": [0.3],
        }
    },
    "slicing": {"by": {"gender": {"column": "GENDER"}}, "smallest_group": 20},
    "validation": {
        "of": STUDY,
        "features": {"AGEYR": "AGE", "GENDER": "SEX"},
        "tasks": {"died": "death"},
    },
}
SCHEMA = """
feature { name: "AGEYR" type: FLOAT presence { min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "GENDER" type: BYTES presence { min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "label_died" type: FLOAT presence { min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "weight_died" type: FLOAT presence { min_count: 1 } value_count { min: 1 max: 1 } }
feature { name: "slice_gender" type: BYTES presence { min_count: 1 } }
"""


def write_trial(folder: Path, **changes: Any) -> Path:
    """Writes study file, curated schema and data.

    Returns:
        The study file.
    """
    folder.mkdir(parents=True)
    random = np.random.default_rng(11)
    with (folder / "subjects.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "AGEYR", "GENDER", "DIED"])
        for number in range(SUBJECTS):
            age, gender = round(random.normal(65, 9), 1), random.choice(["F", "M"])
            # Otherwise rounding would decide between a woman and a man ten years older.
            age = round(age + 0.05 * (gender == "F"), 2)
            odds = risk(age, gender) / (1 - risk(age, gender)) * np.exp(SHIFT)
            died = random.random() < odds / (1 + odds)
            writer.writerow([f"S{number}", age, gender, "Y" if died else "N"])
    (folder / "schema.pbtxt").write_text(SCHEMA)
    study = folder / "study.yaml"
    study.write_text(yaml.safe_dump({**CONTENT, **changes}))
    return study


def risk(age: float, gender: str) -> float:
    """What the hand-made model predicts."""
    return float(1 / (1 + np.exp(4.5 - age / 20 - 0.5 * (gender == "F"))))


def expected_metrics(folder: Path) -> dict[str, float]:
    """Metrics of the hand-made model on all subjects of a written trial, by other code."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    died, predicted = predictions(folder)
    return {
        "auc": float(roc_auc_score(died, predicted)),
        "brier": float(brier_score_loss(died, predicted)),
        "calibration_in_the_large": float(predicted.mean() - died.mean()),
    }


def predictions(folder: Path, gender: str = "") -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Who died, and what the hand-made model predicts, of all subjects or of a gender."""
    subjects = pd.read_csv(folder / "subjects.csv")
    chosen = subjects.query("GENDER == @gender") if gender else subjects
    predicted = [risk(*pair) for pair in zip(chosen.AGEYR, chosen.GENDER, strict=True)]
    return (chosen.DIED == "Y").to_numpy(), np.array(predicted)
