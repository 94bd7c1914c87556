"""200 subjects whose values follow from their number, and the files that hold them.

Subject i is P-<i>, AGE 40 + i mod 50, SEX F for even i (missing for every 10th), arm A for
i mod 3 = 0, otherwise B. Who has i mod 4 = 0 dies; of who has i mod 10 = 9 that is unknown.
ALT is i on day 1, 2i on day 28 and 9999 on day 29, after the landmark. Day of death or of the
last contact is 29 + 7i mod 100, with i mod 50 for i.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from pipeline.study.study import Study
from tests.components.trial_example_gen.hand_made_trial import hand_made_study

N = 200
REJECTED_AGE = 7770077.0
CHANGES: dict[str, Any] = {
    "evaluation": {"scheme": "split"},
    "datasets.dm.columns.ARM": {"type": "text", "known": "baseline"},
    "datasets.dm.columns.SITEID": {"type": "text", "known": "baseline"},
    "arm": {"columns": ["ARM"], "control": "B"},
    "site": {"column": "SITEID"},
    "features.SEX": {"kind": "category"},
    "slicing.by": {
        "age": {"column": "AGE", "bands": [50, 65]},
        "sex": {"column": "SEX"},
        "arm": {"of": "arm"},
        "site": {"of": "site"},
    },
}


FOLLOWED: dict[str, Any] = {
    "datasets.dm.columns.LASTDY": {"type": "number"},
    "datasets.dm.columns.SEX.known": "baseline",
    "tasks.death_by_day_90": {
        "kind": "outcome",
        "title": "Death on study days 29 to 90",
        "horizon": 90,
        "event": {
            "dataset": "dm",
            "day": "LASTDY",
            "where": {"column": "DIED", "equals": "Y"},
            "follow_up": {"dataset": "dm", "day": "LASTDY"},
        },
        "censoring": {"by": ["sex"], "smallest_stratum": 20},
    },
}
"""A task whose follow-up may end before the horizon."""


def subject_rows() -> pd.DataFrame:
    i = np.arange(N)
    dm = pd.DataFrame(
        {
            "USUBJID": [f"P-{k:04d}" for k in i],
            "AGE": 40.0 + i % 50,
            "SEX": np.where(i % 10 == 3, "", np.where(i % 2 == 0, "F", "M")),
            "DIED": np.where(i % 10 == 9, "", np.where(i % 4 == 0, "Y", "N")),
            "ARM": np.where(i % 3 == 0, "A", "B"),
            "SITEID": [f"{k % 7:02d}" for k in i],
            "LASTDY": 29.0 + 7 * (i % 50) % 100,
        }
    )
    dm.loc[5, "AGE"] = np.nan
    dm.loc[6, "AGE"] = REJECTED_AGE
    return dm


def lab_rows() -> pd.DataFrame:
    i = np.repeat(np.arange(N), 3)
    day = np.tile([1.0, 28.0, 29.0], N)
    lb = pd.DataFrame(
        {
            "USUBJID": [f"P-{k:04d}" for k in i],
            "LBTESTCD": "ALT",
            "LBDY": day,
            "LBSTRESN": np.select([day == 1, day == 28], [1.0 * i, 2.0 * i], 9999.0),
        }
    )
    lb.loc[0, "USUBJID"] = "P-WHO"
    return lb


def write_dataset_json(frame: pd.DataFrame, path: Path) -> None:
    columns = [
        {
            "itemOID": name,
            "name": name,
            "label": name,
            "dataType": "float" if kind == np.float64 else "string",
        }
        for name, kind in frame.dtypes.items()
    ]
    rows = [[None if value != value else value for value in row] for row in frame.values.tolist()]
    document = {
        "datasetJSONCreationDateTime": "2024-11-11T15:09:14",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": "IG",
        "records": len(rows),
        "name": "X",
        "label": "X",
        "columns": columns,
        "rows": rows,
    }
    path.write_text(json.dumps(document))


WRITERS: dict[str, Any] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "parquet": lambda frame, path: frame.replace("", None).to_parquet(path),
    "xpt": lambda frame, path: pyreadstat.write_xport(frame, path, file_format_version=5),
    "dataset-json": write_dataset_json,
    "stata": pyreadstat.write_dta,
    "spss": pyreadstat.write_sav,
    "excel": lambda frame, path: frame.to_excel(path, index=False, engine="openpyxl"),
}


def write_data(folder: Path, kind: str = "csv") -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in (("dm", subject_rows()), ("lb", lab_rows())):
        WRITERS[kind](frame, folder / f"{name}.{kind}")
    return folder


def study(kind: str = "csv", **changes: Any) -> Study:
    files = {f"datasets.{name}.file": f"{name}.{kind}" for name in ("dm", "lb")}
    formats = {f"datasets.{name}.format": kind for name in ("dm", "lb")}
    return hand_made_study({**CHANGES, **files, **formats, **changes})
