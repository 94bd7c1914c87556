"""Rows of outcomes of hand-made subjects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.outcome_log.rows import numbers_of, of_predicted, outcome_rows
from pipeline.predictions.outcomes import (
    CENSORED,
    OBSERVED,
    OUTCOME_ROWS,
    STATUSES,
    UNKNOWN,
    RecordedCut,
)
from pipeline.predictions.rows import ROWS
from pipeline.reading.examples import Categories, ExampleColumns

RECORDED_AT = datetime(2026, 3, 31, 15, 30, tzinfo=UTC)
CUT = RecordedCut("stroke", "f" * 64, RECORDED_AT)
MISSING = np.nan


def days(text: str) -> float:
    """Days since 1970-01-01."""
    return float((date.fromisoformat(text) - date(1970, 1, 1)).days)


def columns(**subjects: tuple[str, float, float, float, float]) -> ExampleColumns:
    """Subjects of a task with status, label, weight, day of the outcome, end of the window."""
    rows = list(subjects.values())
    numbers = {
        "label_death": [label for _, label, *_ in rows],
        "weight_death": [weight for _, _, weight, *_ in rows],
        "status:death": [float(STATUSES.index(row[0])) for row in rows],
        "decided_on:death": [row[3] for row in rows],
        "ends_on:death": [row[4] for row in rows],
    }
    assert set(numbers) == set(numbers_of("death"))
    return ExampleColumns(
        len(rows),
        {name: np.array(values, np.float32) for name, values in numbers.items()},
        {"subject_hash": Categories(np.arange(len(rows), dtype=np.int32), tuple(subjects))},
    )


def recorded(
    found: ExampleColumns, undetermined: tuple[str, ...] = ()
) -> dict[str, dict[str, Any]]:
    rows = outcome_rows(CUT, found, ["death"], undetermined)
    assert rows.schema == OUTCOME_ROWS
    return {row["subject_hash"]: row for row in rows.to_pylist()}


def test_an_event_is_known_at_the_end_of_its_day() -> None:
    row = recorded(columns(a=(OBSERVED, 1, 1.5, days("2026-02-10"), MISSING)))["a"]
    assert row == {
        "study": "stroke",
        "task": "death",
        "subject_hash": "a",
        "outcome": 1,
        "status": OBSERVED,
        "weight": 1.5,
        "known_at": datetime(2026, 2, 11, tzinfo=UTC),
        "recorded_at": RECORDED_AT,
        "cut": "f" * 64,
    }


def test_without_a_date_an_outcome_is_known_since_it_was_recorded() -> None:
    """And so is one of the day of the recording, or of a day that the data have by mistake."""
    found = recorded(
        columns(
            a=(OBSERVED, 0, 1, MISSING, MISSING),
            b=(OBSERVED, 1, 1, days("2026-03-31"), MISSING),
            c=(OBSERVED, 1, 1, days("2036-01-01"), MISSING),
        )
    )
    assert [row["known_at"] for row in found.values()] == [RECORDED_AT] * 3
    assert [row["outcome"] for row in found.values()] == [0, 1, 1]


@pytest.mark.parametrize("status", [CENSORED, UNKNOWN])
def test_what_is_not_known_is_not_negative(status: str) -> None:
    row = recorded(columns(a=(status, 0, 0, MISSING, MISSING)))["a"]
    assert (row["outcome"], row["status"], row["weight"]) == (None, status, 0)
    assert row["known_at"] == RECORDED_AT


@pytest.mark.parametrize(
    ("end", "status"),
    [("2026-03-30", OBSERVED), ("2026-03-31", CENSORED), ("2026-04-01", CENSORED)],
)
def test_a_window_that_is_open_censors_with_and_without_an_event(end: str, status: str) -> None:
    """Otherwise early events would count, and subjects without one would not."""
    found = recorded(
        columns(
            a=(OBSERVED, 1, 1, days("2026-02-01"), days(end)),
            b=(OBSERVED, 0, 1, days(end), days(end)),
        )
    )
    assert {row["status"] for row in found.values()} == {status}
    outcomes = [row["outcome"] for row in found.values()]
    assert outcomes == ([1, 0] if status == OBSERVED else [None, None])


def test_where_known_labels_cant_stand_for_the_others_all_are_censored() -> None:
    found = recorded(
        columns(
            a=(OBSERVED, 1, 1, days("2026-02-01"), MISSING), b=(UNKNOWN, 0, 0, MISSING, MISSING)
        ),
        undetermined=("death",),
    )
    assert [row["status"] for row in found.values()] == [CENSORED, UNKNOWN]
    assert [(row["outcome"], row["weight"]) for row in found.values()] == [(None, 0), (None, 0)]


def test_rows_are_of_who_was_predicted_for_the_task_alone() -> None:
    known = (OBSERVED, 1, 1, MISSING, MISSING)
    rows = outcome_rows(CUT, columns(a=known, b=known, c=known), ["death"], ())
    made = [
        {"task": "death", "subject_hash": "a"},
        {"task": "relapse", "subject_hash": "b"},
        {"task": "death", "subject_hash": None},
    ]
    predictions = [
        pa.Table.from_pylist(made, ROWS.empty_table().select(["task", "subject_hash"]).schema)
    ]
    assert of_predicted(rows, predictions)["subject_hash"].to_pylist() == ["a"]
    assert len(of_predicted(rows, [])) == 0


def test_the_days_of_a_cut_are_those_of_utc() -> None:
    """At half past one of 1 April in Paris it is still 31 March."""
    late = RecordedCut("stroke", "f", datetime.fromisoformat("2026-04-01T01:30:00+02:00"))
    found = outcome_rows(
        late, columns(a=(OBSERVED, 0, 1, MISSING, days("2026-03-31"))), ["death"], ()
    )
    assert found["status"].to_pylist() == [CENSORED]
    later = RecordedCut("stroke", "f", late.recorded_at + timedelta(hours=1))
    found = outcome_rows(
        later, columns(a=(OBSERVED, 0, 1, MISSING, days("2026-03-31"))), ["death"], ()
    )
    assert found["status"].to_pylist() == [OBSERVED]
