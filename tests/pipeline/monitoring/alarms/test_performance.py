"""Evidence of calibration and AUC on outcomes that can be counted."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from pipeline.monitoring.alarms.performance import task_looks
from pipeline.monitoring.alarms.watched import WeekOfOutcomes
from tests.each import each
from tests.pipeline.monitoring.alarms.weekly import REFERENCE, calibrated, outcomes, task


def test_evidence_of_calibration_counts_the_noise_of_the_training() -> None:
    # 50 of 200 subjects have the outcome; all are predicted .35.
    week = outcomes(0, [0.35] * 200, [1] * 50 + [0] * 150)
    [look] = task_looks(task([week]), 0.05).calibration
    # The variance is that of .25 x .75, with 100 subjects' worth of the training's .15.
    variance = (100 * 0.15 + 200 * 0.1875) / 300
    assert look.estimate == pytest.approx(0.1)
    assert look.expected == 0
    assert look.subjects == 200
    assert look.evidence == pytest.approx(0.1 / math.sqrt(variance / 200 + 0.15 / 1000))


def test_a_reference_that_was_off_by_as_much_is_no_evidence() -> None:
    week = outcomes(0, [0.35] * 200, [1] * 50 + [0] * 150)
    reference = dataclasses.replace(REFERENCE, mean_error=0.1)
    [look] = task_looks(task([week], reference), 0.05).calibration
    assert look.evidence == pytest.approx(0, abs=1e-9)


def test_evidence_of_the_auc_counts_the_noise_of_the_training() -> None:
    # 30 x 30 of 40 x 40 pairs and half of those with .5: .5625 + .5 x .375 + 0 = .75.
    predictions = [0.9] * 30 + [0.5] * 10 + [0.5] * 10 + [0.1] * 30
    week = outcomes(0, predictions, [1] * 40 + [0] * 40)
    pairs = (30 * 40 + 10 * 30 + 10 * 10 / 2) / 1600
    reference = dataclasses.replace(REFERENCE, auc=0.98)
    [look] = task_looks(task([week], reference), 0.05).auc
    assert look.estimate == pytest.approx(pairs)
    assert look.direction == "lower"
    # Variance of an AUC by events and others: 250 and 750 in training, 40 and 40 since.
    size, training = 40 * 40 / 80, 250 * 750 / 1000
    error = 0.016 * math.sqrt(1 + training / size) / (0.98 * 0.02)
    distance = math.log(0.98 / 0.02) - math.log(pairs / (1 - pairs))
    assert look.evidence == pytest.approx(distance / error)


def test_later_weeks_are_compared_with_earlier_ones_and_the_training_together() -> None:
    weeks = [calibrated(number, 0.02 if number > 12 else 0.0) for number in range(26)]
    looks = task_looks(task(weeks), 0.05).calibration
    last = [look for look in looks if look.comparison == "earlier"][-1]
    assert last.estimate == pytest.approx(0.02)
    assert last.expected == pytest.approx(0.0, abs=1e-12)
    assert last.subjects == 13 * 40
    whole = [look for look in looks if look.comparison == "training"][-1]
    assert whole.estimate == pytest.approx(0.01)
    # The earlier weeks take part of the training's noise away, and nothing is diluted.
    assert last.evidence > whole.evidence


def test_who_is_censored_counts_nowhere() -> None:
    week = outcomes(0, [0.35] * 200, [1] * 50 + [0] * 150)
    unknown = np.full(60, np.nan)
    more = WeekOfOutcomes(
        week.week,
        np.concatenate([week.predictions, unknown]),
        np.concatenate([week.outcomes, unknown]),
        np.concatenate([week.weights, np.zeros(60)]),
    )
    assert task_looks(task([more]), 0.05) == task_looks(task([week]), 0.05)


def test_equal_weights_of_any_size_change_nothing() -> None:
    week = outcomes(0, [0.35] * 200, [1] * 50 + [0] * 150)
    [one] = task_looks(task([week]), 0.05).calibration
    [weighted] = task_looks(
        task([dataclasses.replace(week, weights=week.weights * 3)]), 0.05
    ).calibration
    assert weighted.evidence == pytest.approx(one.evidence)
    assert weighted.boundary == one.boundary


def test_large_errors_of_large_weights_make_more_noise() -> None:
    # Half have weight 1 and errors of .1 and -.1; half have weight 3 and errors of .5 and -.5.
    week = outcomes(0, [0.1, 0.9] * 50 + [0.5, 0.5] * 50, [0, 1] * 100)
    weighted = dataclasses.replace(week, weights=np.repeat([1.0, 3.0], 100))
    reference = dataclasses.replace(REFERENCE, mean_error=0.1)
    [look] = task_looks(task([weighted], reference), 0.05).calibration
    effective = (100 + 300) ** 2 / (100 + 900)
    own = (100 * 0.01 + 900 * 0.25) / 1000
    variance = (100 * 0.15 + effective * own) / (100 + effective)
    assert look.evidence == pytest.approx(0.1 / math.sqrt(variance / effective + 0.15 / 1000))


def test_twenty_events_and_twenty_others_are_judged() -> None:
    for events, judged in each(((19, False), (20, True))):
        week = outcomes(0, [0.3] * (events + 20), [1] * events + [0] * 20)
        looks = task_looks(task([week]), 0.05)
        assert bool(looks.calibration) is judged
        assert bool(looks.auc) is judged


def test_what_was_not_spent_while_nothing_was_judged_is_spent_later() -> None:
    few = [outcomes(number, [0.3], [1]) for number in range(12)]
    late = outcomes(12, [0.3] * 80, [1] * 40 + [0] * 40)
    [look] = task_looks(task([*few, late]), 0.05).calibration
    # 85 % of 60 % of the error, on two sides: 2.5 % is beyond 2.23 standard errors.
    assert look.boundary == pytest.approx(2.234, abs=2e-3)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("weights", -1.0, "weights must be finite and not below 0"),
        ("weights", np.inf, "weights must be finite and not below 0"),
        ("outcomes", 0.5, "outcomes must be 0 or 1"),
        ("predictions", 1.1, "predictions must be from 0 to 1"),
        ("predictions", np.nan, "predictions must be from 0 to 1"),
    ],
)
def test_what_is_out_of_range_is_refused(field: str, value: float, message: str) -> None:
    wrong: dict[str, Any] = {field: np.full(40, value)}
    week = dataclasses.replace(calibrated(0), **wrong)
    with pytest.raises(ValueError, match=message):
        task_looks(task([week]), 0.05)
