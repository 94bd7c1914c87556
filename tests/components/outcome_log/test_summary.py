"""Counts of recorded outcomes: each subject is in one place, and none is shown."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from components.outcome_log.settings import OutcomeLogSettings
from components.outcome_log.summary import summarize, task_counts
from pipeline.predictions.outcomes import CENSORED, OBSERVED, OUTCOME_ROWS, UNKNOWN
from pipeline.predictions.rows import ROWS
from tests.pipeline.predictions.test_scored_outcomes import outcome, predicted

SETTINGS = OutcomeLogSettings(
    study_name="stroke",
    title="",
    titles={"death": "Death", "relapse": "Relapse"},
    least_observed={},
    smallest_group=20,
)


def tables(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema)


def many(
    name: str, number: int, at: int, status: str, value: int | None = None
) -> tuple[list[Any], list[Any]]:
    """Predictions and outcomes of subjects who are alike."""
    subjects = [f"{name}{place}" for place in range(number)]
    return (
        [predicted(subject, at) for subject in subjects],
        [outcome(subject, status, value, known=10) for subject in subjects],
    )


def test_each_predicted_subject_of_the_cut_is_counted_once() -> None:
    groups = [
        many("a", 45, 1, OBSERVED, 1),
        many("b", 30, 15, OBSERVED, 0),
        many("c", 7, 1, CENSORED),
        many("d", 21, 1, UNKNOWN),
    ]
    predictions = tables([row for made, _ in groups for row in made], ROWS)
    rows = tables([row for _, known in groups for row in known], OUTCOME_ROWS)

    counts = task_counts(rows, [predictions])
    assert counts == {"death": {"scored": 45, "after": 30, CENSORED: 7, UNKNOWN: 21}}
    assert sum(counts["death"].values()) == len(rows)

    found = summarize(SETTINGS, "f", 119, rows, [predictions], is_new=True)
    assert (found.subjects, found.predicted) == (100, 100)
    death, relapse = found.tasks
    assert (death.scored, death.after, death.censored, death.unknown) == (40, 20, None, 20)
    assert (relapse.scored, relapse.unknown) == (0, 0)


def test_a_subject_whom_two_models_predicted_is_one() -> None:
    made = [predicted("a", 15, model="m1"), predicted("a", 5, model="m2"), predicted("a", 6, None)]
    known = tables([outcome("a", OBSERVED, 1, known=10)], OUTCOME_ROWS)
    counts = task_counts(known, [tables(made, ROWS)])
    assert counts == {"death": Counter({"scored": 1})}


def test_a_recording_that_adds_nothing_says_so() -> None:
    found = summarize(SETTINGS, "f", 50, OUTCOME_ROWS.empty_table(), [], is_new=False)
    assert (found.subjects, found.predicted) == (40, 0)
    assert "Nothing was added" in found.what_was_added
