"""Predictions beside their outcomes: hand-made subjects whose numbers can be seen."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.predictions.outcomes import CENSORED, OBSERVED, OUTCOME_ROWS, UNKNOWN
from pipeline.predictions.rows import ROWS
from pipeline.predictions.scored_outcomes import SCORED_ROWS, ScoredOutcomes, scored_outcomes
from tests.each import each

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    """Noon of a day of January 2026."""
    return START + timedelta(days=number - 1, hours=12)


def predicted(
    subject: str | None,
    at: int,
    prediction: float | None = 0.25,
    task: str = "death",
    model: str = "m1",
    source: str = "score",
) -> dict[str, Any]:
    return {
        "predicted_at": day(at),
        "study": "stroke",
        "task": task,
        "model": model,
        "source": source,
        "run": f"run-{at}",
        "subject_hash": subject,
        "prediction": prediction,
        "lower": 0.125,
        "upper": 0.75,
        "flags": ["out_of_range:AGE"],
        "inputs": [("AGE", "0")],
    }


def outcome(
    subject: str,
    status: str,
    value: int | None = None,
    known: int | None = None,
    recorded: int = 20,
    weight: float | None = None,
    task: str = "death",
) -> dict[str, Any]:
    if weight is None:
        weight = 0.0 if value is None else 1.0
    return {
        "study": "stroke",
        "task": task,
        "subject_hash": subject,
        "outcome": value,
        "status": status,
        "weight": weight,
        "known_at": day(recorded if known is None else known),
        "recorded_at": day(recorded),
        "cut": f"cut-{recorded}",
    }


def joined(predictions: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> ScoredOutcomes:
    return scored_outcomes(
        [pa.Table.from_pylist([row], ROWS) for row in predictions],
        [pa.Table.from_pylist([row], OUTCOME_ROWS) for row in outcomes],
    )


def rows(predictions: list[dict[str, Any]], *outcomes: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = joined(predictions, [*outcomes]).rows.to_pylist()
    return found


def test_a_prediction_has_its_outcome_beside_it() -> None:
    (row,) = rows([predicted("a", 1)], outcome("a", OBSERVED, 1, known=10, weight=1.5))
    assert row == {
        "task": "death",
        "model": "m1",
        "source": "score",
        "subject_hash": "a",
        "predicted_at": day(1),
        "prediction": 0.25,
        "lower": 0.125,
        "upper": 0.75,
        "flags": ["out_of_range:AGE"],
        "inputs": [("AGE", "0")],
        "outcome": 1,
        "status": OBSERVED,
        "weight": 1.5,
        "known_at": day(10),
        "first_recorded_at": day(20),
    }


def test_a_prediction_that_was_made_when_the_outcome_was_known_is_not_scored() -> None:
    """Not at the moment either."""
    known = outcome("a", OBSERVED, 1, known=10)
    for at, status in each({9: OBSERVED, 10: "after", 11: "after"}.items()):
        (row,) = rows([predicted("a", at)], known)
        assert (row["status"], row["outcome"], row["weight"]) == (
            (OBSERVED, 1, 1.0) if status == OBSERVED else ("after", None, 0.0)
        )


def test_censored_is_not_negative() -> None:
    for status in each((CENSORED, UNKNOWN)):
        (row,) = rows([predicted("a", 1)], outcome("a", status))
        assert (row["status"], row["outcome"], row["weight"]) == (status, None, 0.0)
        assert (row["known_at"], row["first_recorded_at"]) == (None, None)


def test_a_subject_without_an_outcome_waits_for_one() -> None:
    (row,) = rows([predicted("a", 1)], outcome("b", OBSERVED, 0))
    assert (row["status"], row["outcome"], row["weight"]) == (None, None, 0.0)


def test_of_a_subject_task_and_model_the_first_prediction_counts() -> None:
    made = [
        predicted("a", 3, 0.75),
        predicted("a", 2, 0.5),
        predicted("a", 2, 0.25, model="m2"),
        predicted("a", 4, 0.125, task="relapse"),
        predicted("b", 5),
    ]
    found = joined(made, [outcome("a", OBSERVED, 0, known=10)])
    shown = [(r["task"], r["model"], r["prediction"]) for r in found.rows.to_pylist()]
    assert shown == [
        ("death", "m1", 0.5),
        ("death", "m2", 0.25),
        ("relapse", "m1", 0.125),
        ("death", "m1", 0.25),
    ]
    assert found.repeated == 1


def test_a_later_prediction_does_not_stand_in_for_one_that_was_refused_for_ever() -> None:
    found = joined([predicted("a", 1, None), predicted("a", 2, 0.5), predicted(None, 1)], [])
    assert [row["prediction"] for row in found.rows.to_pylist()] == [0.5]
    assert (found.repeated, found.refused, found.nameless) == (0, 1, 1)


def test_the_newest_cut_counts_and_the_first_that_knew_it_is_kept() -> None:
    cuts = [
        outcome("a", OBSERVED, 1, known=8, recorded=40, weight=1.25),
        outcome("a", CENSORED, recorded=20),
        outcome("a", OBSERVED, 1, known=8, recorded=30, weight=2.0),
    ]
    (row,) = rows([predicted("a", 1)], *cuts)
    assert (row["outcome"], row["weight"]) == (1, 1.25)
    assert (row["known_at"], row["first_recorded_at"]) == (day(8), day(30))


def test_an_outcome_that_a_newer_cut_takes_back_is_not_scored() -> None:
    cuts = [outcome("a", OBSERVED, 1, recorded=20), outcome("a", UNKNOWN, recorded=30)]
    (row,) = rows([predicted("a", 1)], *cuts)
    assert (row["status"], row["outcome"], row["first_recorded_at"]) == (UNKNOWN, None, None)


def test_a_second_recording_does_not_make_an_outcome_newer_than_it_is() -> None:
    """Without dates an outcome is known since it was recorded: by each cut at another time."""
    cuts = [outcome("a", OBSERVED, 1, recorded=20), outcome("a", OBSERVED, 1, recorded=30)]
    (row,) = rows([predicted("a", 25)], *cuts)
    assert (row["status"], row["known_at"]) == ("after", day(20))


def test_outcomes_of_another_task_are_not_of_this_one() -> None:
    (row,) = rows([predicted("a", 1)], outcome("a", OBSERVED, 1, task="relapse"))
    assert row["status"] is None


def test_without_predictions_or_outcomes_there_are_no_rows() -> None:
    found = joined([], [])
    assert (len(found.rows), found.rows.schema) == (0, SCORED_ROWS)
    assert len(joined([], [outcome("a", OBSERVED, 1)]).rows) == 0


def test_no_prediction_is_lost_or_counted_twice_and_none_after_its_outcome_is_scored() -> None:
    """Random logs: every prediction is in one place, and what is scored was predicted before."""
    draws = np.random.default_rng(7)
    for _ in each(range(30)):
        subjects = [*"abcdefgh", None]
        made = [
            predicted(
                subjects[draws.integers(9)],
                int(draws.integers(1, 30)),
                None if draws.random() < 0.1 else 0.5,
                model=f"m{draws.integers(2)}",
            )
            for _ in range(int(draws.integers(0, 40)))
        ]
        known = [
            outcome(subject, status, value, int(draws.integers(1, recorded + 1)), recorded)
            for subject in "abcdef"
            for recorded in (10, 20, 30)
            if draws.random() < 0.5
            for status, value in [
                [(OBSERVED, 1), (OBSERVED, 0), (CENSORED, None), (UNKNOWN, None)][draws.integers(4)]
            ]
        ]
        found = joined(made, known)
        assert len(made) == len(found.rows) + found.repeated + found.refused + found.nameless
        table = found.rows.to_pylist()
        keys = Counter((row["subject_hash"], row["model"]) for row in table)
        assert keys == Counter({(r["subject_hash"], r["model"]): 1 for r in table})
        for row in table:
            of_subject = [o for o in known if o["subject_hash"] == row["subject_hash"]]
            seen = [o["known_at"] for o in of_subject if o["status"] == OBSERVED]
            newest = max(of_subject, key=lambda o: o["recorded_at"], default=None)
            if row["outcome"] is None:
                assert row["weight"] == 0
                assert row["status"] != OBSERVED
            else:
                assert newest is not None
                assert row["outcome"] == newest["outcome"]
                assert row["predicted_at"] < min(seen)
