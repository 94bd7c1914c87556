"""The store's columns that were renamed or added since 0.1.0, for pending exports of then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.metrics import current_name

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "thresholds": {"place": "scope"},
    "stage_rows": {"left_out": "excluded"},
}
"""Names of columns by their former ones, of each table that has one."""

ADDED: Mapping[str, Mapping[str, Any]] = {
    "metrics": {"versus": ""},
    "thresholds": {"origin": "study"},
    "comparisons": {"origin": "study", "versus": ""},
    "models": {"scheme": "split", "folds": 0, "repeats": 0},
    "runs": {"kind": "training"},
    "gate_findings": {"title": None},
    "validation_estimates": {"slicing": "", "slice": ""},
}
"""Columns of each table that earlier rows lack, with what they mean for them."""


def with_names_of_today(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as this release has it.

    Args:
        table: Name of its table.
        row: A row of this or an earlier release.
    """
    columns = COLUMNS.get(table, {})
    renamed = {columns.get(column, column): value for column, value in row.items()}
    if "metric" in renamed:
        renamed["metric"] = current_name(renamed["metric"])
    return {**ADDED.get(table, {}), **renamed}
