"""Columns and rows of the study that the summary uses."""

from __future__ import annotations

from pipeline.study.conditions import Condition
from pipeline.study.references import Role
from pipeline.study.study import Study

_EXPECTED: tuple[Role, ...] = ("enrolment", "event_category", "event_severity", "visit_value")
_ROWS: tuple[Role, ...] = ("disposition", "adverse_events", "visits")


def expected_columns(study: Study) -> dict[str, tuple[str, ...]]:
    """Columns by dataset in which every row should have a value.

    They are the features of the subject dataset with the date of enrolment, organ class and
    severity of adverse events, and the values measured at visits.
    """
    subject = study.subject.dataset
    found: dict[str, dict[str, None]] = {subject: {}}
    for use in study.references():
        is_feature = use.role == "feature" and use.dataset == subject
        if use.column and (is_feature or use.role in _EXPECTED):
            found.setdefault(use.dataset, {})[use.column] = None
    return {dataset: tuple(columns) for dataset, columns in found.items()}


def enrolment_column(study: Study) -> str | None:
    """Column with the date of enrolment: the summary's, or the reference date."""
    return next((use.column for use in study.references() if use.role == "enrolment"), None)


def summed_rows(study: Study, dataset: str) -> tuple[Condition, ...] | None:
    """Conditions of which a used row meets at least one; None if every row is used."""
    if dataset == study.subject.dataset:
        return None
    rows = [
        use.condition
        for use in study.references()
        if use.role in _ROWS and use.dataset == dataset and use.column is None
    ]
    wanted = tuple(condition for condition in rows if condition is not None)
    return wanted if len(wanted) == len(rows) else None
