"""The rows of the prediction log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.predictions.rows import ROWS, SCORE, Occasion, log_rows
from tests.pipeline.predictions.hand_made import STUDY, scored

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_each_subject_has_a_row_for_each_task() -> None:
    found = log_rows(Occasion(STUDY, SCORE, "run-1"), scored("a", "b"), NOON)

    assert found.schema == ROWS
    first, refused, relapse, _ = found.to_pylist()
    assert first == {
        "predicted_at": NOON,
        "study": "stroke",
        "task": "death",
        "model": "0123456789abcdef",
        "source": "score",
        "run": "run-1",
        "subject_hash": "a",
        "prediction": 0.25,
        "lower": 0.125,
        "upper": 0.75,
        "flags": ["out_of_range:AGE"],
        "inputs": [("AGE", "0"), ("SEX", None)],
    }
    assert (refused["subject_hash"], refused["prediction"], refused["lower"]) == ("b", None, None)
    assert (relapse["task"], relapse["prediction"], relapse["lower"]) == ("relapse", 0.5, None)
    assert len(found) == 4


def test_no_subject_makes_no_row() -> None:
    found = log_rows(Occasion(STUDY, SCORE, "run-1"), scored("a").slice(1), NOON)
    assert found.schema == ROWS
    assert len(found) == 0


def test_the_original_key_has_no_column() -> None:
    with pytest.raises(KeyError):
        ROWS.field("subject")
