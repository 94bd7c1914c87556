"""A flat CSV file made from the synthetic trial, one row per subject, and its study file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pipeline.errors import UserError
from pipeline.synthetic.simulate import simulate
from pipeline.synthetic.trial import BLOCK, LARGEST, SyntheticTrial

LABEL = "WORSENED"
AGE_BAND = "AGE_BAND"
NUMERIC = ("AGE", "HEIGHTBL", "WEIGHTBL", "BMIBL", "SEVBL")
CATEGORICAL = ("SEX", "RACE")
SLICES = ("SEX", AGE_BAND)
CSV_NAME = "flat.csv"

_BANDS = (0, 50, 65, 75, 200)
_BAND_NAMES = ("under 50", "50 to 64", "65 to 74", "75 and over")
_STUDY = "flat_benchmark"
_RANGES = {"AGE": [18, 100], "SEVBL": [0, 100]}


def write_flat_csv(folder: Path, rows: int, seed: int) -> Path:
    """Writes `flat.csv`: seven baseline features, age band, and a label that is always known.

    The label is 1 for a subject with a recorded first worsening on any study day, otherwise 0.
    Subjects that were never treated are excluded. Weight and body mass index have empty cells.

    Args:
        folder: Destination; created.
        rows: Number of subjects.
        seed: Seed of the synthetic trial.

    Returns:
        Path of the file.

    Raises:
        UserError: The synthetic trial can't have so many subjects.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CSV_NAME
    # 0.5 % are never treated: a few subjects more than needed are drawn.
    drawn = rows + max(BLOCK, rows // 50)
    if drawn > LARGEST:
        raise UserError(f"{rows} rows: the synthetic trial yields at most {LARGEST * 49 // 50}.")
    trial = SyntheticTrial(subjects=drawn, seed=seed)
    written = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        for block in range(trial.blocks):
            table = _flat_block(trial, block).head(rows - written)
            table.to_csv(stream, index=False, header=block == 0, lineterminator="\n")
            written += len(table)
            if written == rows:
                break
    return path


def write_study_file(
    folder: Path,
    *,
    training: Mapping[str, Any] | None = None,
    smallest_auc: float = 0.5,
) -> Path:
    """Writes the study file that describes `flat.csv`.

    Args:
        folder: Destination; created.
        training: The study file's `training`.
        smallest_auc: ROC AUC at which the model is blessed.

    Returns:
        Path of the study file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(_study(training or {}, smallest_auc), sort_keys=False))
    return path


def _study(training: Mapping[str, Any], smallest_auc: float) -> dict[str, Any]:
    columns: dict[str, dict[str, Any]] = {
        name: {"type": "number", "known": "baseline"} for name in NUMERIC
    }
    for name, limits in _RANGES.items():
        columns[name]["range"] = limits
    for name in (*CATEGORICAL, AGE_BAND):
        columns[name] = {"type": "text", "known": "baseline"}
    columns[LABEL] = {"type": "number", "known": "after"}
    return {
        "study": _STUDY,
        "title": "Flat file of the synthetic trial",
        "datasets": {
            "flat": {
                "file": CSV_NAME,
                "format": "csv",
                "rows": "one_per_subject",
                "columns": columns,
            }
        },
        "subject": {"dataset": "flat", "row_number": True},
        "features": {
            **{name: {"kind": "number"} for name in NUMERIC},
            **{name: {"kind": "category"} for name in CATEGORICAL},
        },
        "tasks": {
            LABEL.lower(): {
                "kind": "outcome",
                "title": "Worsened while observed",
                "state": {"positive": {"column": LABEL, "equals": 1}},
            }
        },
        "slicing": {"by": {name.lower(): {"column": name} for name in SLICES}},
        "evaluation": {"scheme": "split"},
        "thresholds": [{"metric": "auc", "at_least": smallest_auc}],
        "training": {"reference_models": [], **training},
    }


def _flat_block(trial: SyntheticTrial, block: int) -> pd.DataFrame:
    datasets = simulate(trial, block).datasets
    subjects = datasets["adsl"]
    table = pd.DataFrame({name: subjects[name] for name in NUMERIC})
    for name in CATEGORICAL:
        table[name] = np.char.decode(subjects[name], "ascii")
    table[AGE_BAND] = pd.cut(table["AGE"], _BANDS, right=False, labels=_BAND_NAMES)
    events = datasets["adtte"]
    worsened = events["USUBJID"][(events["PARAMCD"] == b"WORSEN") & (events["CNSR"] == 0)]
    table[LABEL] = np.isin(subjects["USUBJID"], worsened).astype(int)
    return table[subjects["SAFFL"] == b"Y"]
