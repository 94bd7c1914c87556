"""Files of a small trial that tests draft a study of."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import yaml

from pipeline.draft.study import draft_study


def write_csv(path: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> None:
    """Writes rows with a header, and the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def patients(n: int = 40) -> list[dict[str, Any]]:
    """Rows of a file of one row a subject."""
    return [
        {
            "PATNO": f"P-{i:03d}",
            "CENTRE": i % 4,
            "ARM": "active" if i % 2 else "control",
            "AGE": 40.5 + i,
            "SEX": "F" if i % 3 else "M",
            "SMOKER": i % 2,
            "WEIGHT": "" if i == 7 else 60 + i,
            "ENTERED": f"2021-03-{i % 28 + 1:02d}",
            "REMARK": f"fell off bicycle {i}",
            "HEALED": "Y" if i % 5 < 2 else "N",
        }
        for i in range(n)
    ]


def draft_of(folder: Path) -> dict[str, Any]:
    """The study file that is drafted from a folder, as a mapping."""
    return yaml.safe_load(draft_study(folder, "mytrial"))
