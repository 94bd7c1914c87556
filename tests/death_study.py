"""The smallest study file that many tests share: who of a trial dies."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "text"}
TEXT_AT_BASELINE = {"type": "text", "known": "baseline"}
NUMBER_AT_BASELINE = {"type": "number", "known": "baseline"}
TEXT_AFTER = {"type": "text", "known": "after"}


def death_study(columns: dict[str, dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """Content of a study file with one dataset and the task `death`.

    Args:
        columns: Columns of dm.csv; USUBJID, AGE and DIED must be among them.
        changes: What the study file has otherwise or besides.
    """
    return {
        "study": "hand",
        "title": "A trial made by hand",
        "datasets": {
            "dm": {
                "file": "dm.csv",
                "format": "csv",
                "rows": "one_per_subject",
                "columns": columns,
            }
        },
        "subject": {"dataset": "dm", "column": "USUBJID"},
        "features": {"AGE": {"kind": "number"}},
        "tasks": {
            "death": {
                "kind": "outcome",
                "title": "Death",
                "state": {"positive": {"column": "DIED", "equals": "Y"}},
            }
        },
        **changes,
    }
