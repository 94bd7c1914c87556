"""What all kinds of prediction logs do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyarrow as pa
import pytest

from pipeline.predictions.log import Batch
from pipeline.predictions.open_log import open_log
from pipeline.predictions.outcomes import OUTCOME_ROWS
from pipeline.predictions.rows import ROWS, SCORE, Occasion
from tests.pipeline.predictions.hand_made import (
    DAY,
    NOON,
    STUDY,
    add,
    outcomes,
    record,
    rows_of,
    subjects_of,
)


def test_what_was_added_is_read(address: str) -> None:
    log = open_log(address)
    add(log, "a", "b")
    add(log, None, run="run-2")
    add(log, "c", study="other")

    assert subjects_of(log.read(STUDY)) == [None, None, "a", "a", "b", "b"]


def test_rows_come_back_as_they_were(address: str) -> None:
    log = open_log(address)
    add(log, "a", None)
    found = pa.concat_tables(log.read(STUDY))

    assert found.schema == ROWS
    assert rows_of(found) == rows_of(*add_to_nothing("a", None))
    assert found["predicted_at"].to_pylist() == [NOON] * 4


def add_to_nothing(*subjects: str | None) -> list[pa.Table]:
    """Tables that `add` hands to a log."""
    handed: list[pa.Table] = []

    class Handed:
        def append(self, batch: Batch, tables: Iterator[pa.Table]) -> None:
            del batch
            handed.extend(tables)

    add(Handed(), *subjects)  # type: ignore[arg-type]
    return handed


def test_a_log_is_empty_before_anything_is_added(address: str) -> None:
    assert list(open_log(address).read(STUDY)) == []


def test_a_batch_is_there_once(address: str) -> None:
    log = open_log(address)
    add(log, "a", "b")
    add(log, "a", "b")

    assert subjects_of(log.read(STUDY)) == ["a", "a", "b", "b"]


def test_a_scoring_that_is_tried_again_after_midnight_is_there_once(address: str) -> None:
    log = open_log(address)
    add(log, "a", "b")
    add(log, "a", "b", day=DAY + timedelta(1))

    assert subjects_of(log.read(STUDY)) == ["a", "a", "b", "b"]


def test_rows_that_fail_in_the_middle_leave_nothing(address: str) -> None:
    def failing() -> Iterator[pa.Table]:
        yield from add_to_nothing("a")
        raise RuntimeError("a bug")

    log, batch = open_log(address), Batch(Occasion(STUDY, SCORE, "run-1"), "run-1", DAY)
    with pytest.raises(RuntimeError):
        log.append(batch, failing())
    assert subjects_of(log.read(STUDY)) == []

    add(log, "a")
    assert subjects_of(log.read(STUDY)) == ["a", "a"], "the same batch can be written again"


def test_a_subject_is_forgotten_and_the_others_stay(address: str) -> None:
    log = open_log(address)
    add(log, "a", "b")
    add(log, "a", run="run-2")
    add(log, "b", None, run="run-3")
    add(log, "a", study="other")

    assert log.forget(STUDY, ["a"]) == 4
    assert subjects_of(log.read(STUDY)) == [None, None, "b", "b", "b", "b"]
    assert subjects_of(log.read("other")) == ["a", "a"]
    assert log.forget(STUDY, ["a"]) == 0


def test_days_before_the_first_that_stays_are_removed(address: str) -> None:
    log = open_log(address)
    add(log, "a", day=DAY - timedelta(1))
    add(log, "b", run="run-2")
    add(log, "c", day=DAY - timedelta(400), study="other")

    assert log.expire(DAY) == 4
    assert subjects_of(log.read(STUDY)) == ["b", "b"]
    assert subjects_of(log.read("other")) == []


def test_outcomes_come_back_as_they_were_and_are_no_predictions(address: str) -> None:
    log = open_log(address)
    add(log, "a")
    assert record(log, "a", "b", "c")
    record(log, "d", study="other")
    found = pa.concat_tables(log.read_outcomes(STUDY))

    assert found.schema == OUTCOME_ROWS
    key = "subject_hash"
    assert sorted(found.to_pylist(), key=lambda row: str(row[key])) == (
        outcomes("a", "b", "c").to_pylist()
    )
    assert subjects_of(log.read(STUDY)) == ["a", "a"]


def test_a_cut_is_recorded_once_and_keeps_when_it_was_recorded_first(address: str) -> None:
    log = open_log(address)
    assert record(log, "a", "b")
    assert not record(log, "a", "b", "c", day=DAY + timedelta(1))

    (found,) = log.read_outcomes(STUDY)
    assert found["recorded_at"].to_pylist() == [NOON, NOON]


def test_a_cut_without_rows_leaves_nothing(address: str) -> None:
    log = open_log(address)
    assert not record(log)
    assert list(log.read_outcomes(STUDY)) == []
    assert record(log, "a"), "it can still be recorded"


def test_outcomes_of_a_subject_are_forgotten_with_the_predictions(address: str) -> None:
    log = open_log(address)
    add(log, "a", "b")
    record(log, "a", "b")
    record(log, "a", cut="cut-2")

    assert log.forget(STUDY, ["a"]) == 2 + 2
    assert subjects_of(log.read_outcomes(STUDY)) == ["b"]


def test_outcomes_expire_by_the_day_they_were_recorded_on(address: str) -> None:
    log = open_log(address)
    record(log, "a", day=DAY - timedelta(1))
    record(log, "b", cut="cut-2")

    assert log.expire(DAY) == 1
    assert subjects_of(log.read_outcomes(STUDY)) == ["b"]
    assert record(log, "a", day=DAY - timedelta(1)), "nothing is left of a cut that has expired"
