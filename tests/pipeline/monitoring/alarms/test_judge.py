"""All alarms of a study: what fires, why, and what stays as it was."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from pipeline.monitoring.alarms.judge import alarms
from pipeline.monitoring.alarms.state import Alarm
from pipeline.monitoring.alarms.watched import WatchedInput, WatchedTask, WeekOfOutcomes
from tests.each import each
from tests.pipeline.monitoring.alarms.weekly import (
    REFERENCE,
    TRAINING,
    age,
    calibrated,
    monday,
    outcomes,
    task,
    week_of_counts,
)


def found(
    tasks: list[WatchedTask], inputs: list[WatchedInput] | None = None
) -> dict[tuple[str, str], Alarm]:
    return {(alarm.kind, alarm.name): alarm for alarm in alarms(tasks, inputs or [])}


def test_a_model_that_predicts_as_in_training_fires_nothing() -> None:
    weeks = [calibrated(number) for number in range(60)]
    counts = [week_of_counts(number, 30, 40, 30) for number in range(60)]
    state = found([task(weeks)], [age(counts)])
    assert set(state) == {(kind, "death") for kind in ("calibration", "auc")} | {
        (kind, "AGE") for kind in ("drift", "missing")
    }
    for alarm in each(state.values()):
        assert alarm.judged
        assert not alarm.fired
        assert (alarm.since, alarm.last, alarm.direction) == (None, None, None)
        assert "As in training" in alarm.reason


@pytest.mark.parametrize(
    ("shift", "direction", "words"),
    [(0.08, "too_high", "+0.080 of"), (-0.08, "too_low", "-0.080 of")],
)
def test_calibration_fires_with_its_direction(shift: float, direction: str, words: str) -> None:
    alarm = found([task([calibrated(number, shift) for number in range(13)])])[
        "calibration", "death"
    ]
    assert alarm.fired
    assert alarm.direction == direction
    assert words in alarm.reason
    assert direction.replace("_", " ") in alarm.reason
    assert alarm.since is not None
    assert alarm.last == monday(12)


def ranked(number: int, turned: bool) -> WeekOfOutcomes:
    """20 subjects whose order is right in most pairs, or wrong in most."""
    predictions = [0.45] * 4 + [0.05] + [0.05] * 12 + [0.45] * 3
    outcome = [1] * 5 + [0] * 15
    return outcomes(number, [0.5 - p for p in predictions] if turned else predictions, outcome)


def test_only_a_lower_auc_fires() -> None:
    for turned, fires in each(((True, True), (False, False))):
        state = found([task([ranked(number, turned) for number in range(13)])])
        assert state["auc", "death"].fired is fires
    # 4 x 12 + 4 x 3 / 2 + 12 / 2 = 60 of 75 pairs are ordered rightly, and 15 when turned.
    turned_state = found([task([ranked(number, True) for number in range(13)])])
    assert "The AUC of death is lower: 0.200 of" in turned_state["auc", "death"].reason


def test_few_outcomes_are_not_judged() -> None:
    weeks = [outcomes(number, [0.9, 0.9], [0, 0]) for number in range(52)]
    weeks.append(outcomes(52, [0.9] * 19, [1] * 19))
    state = found([task(weeks)])
    for alarm in each(state.values()):
        assert not alarm.judged
        assert alarm.evidence is None
        assert alarm.boundary is None
        assert alarm.reason.startswith("Not judged yet")


def test_later_weeks_change_no_earlier_look() -> None:
    weeks = [calibrated(number, 0.004 * number) for number in range(70)]
    counts = [week_of_counts(number, 30, 40, 30 + number, number / 2) for number in range(70)]
    everything = found([task(weeks)], [age(counts)])
    earlier = found([task(weeks[:31])], [age(counts[:31])])
    for key, alarm in each(everything.items()):
        cut = tuple(look for look in alarm.looks if look.week <= monday(30))
        assert cut == earlier[key].looks


def test_neither_order_of_weeks_nor_of_subjects_matters() -> None:
    rng = np.random.default_rng(1)
    weeks = [calibrated(number, 0.05) for number in range(20)]
    mixed = []
    for week in weeks:
        order = rng.permutation(len(week.outcomes))
        mixed.append(
            WeekOfOutcomes(
                week.week, week.predictions[order], week.outcomes[order], week.weights[order]
            )
        )
    one, other = found([task(weeks)]), found([task(mixed[::-1])])
    for key, alarm in each(one.items()):
        for look, of_other in each(zip(alarm.looks, other[key].looks, strict=True)):
            assert dataclasses.replace(look, evidence=0, estimate=0, expected=0) == (
                dataclasses.replace(of_other, evidence=0, estimate=0, expected=0)
            )
            assert look.evidence == pytest.approx(of_other.evidence)


def test_an_alarm_goes_off_a_year_after_its_last_look_beyond_the_boundary() -> None:
    high = [calibrated(number, 0.1) for number in range(13)]
    # The second year of looks begins with week 52.
    stable = [calibrated(number) for number in range(52, 100)]
    on = found([task([*high, *stable[:12]])])["calibration", "death"]
    off = found([task([*high, *stable[:13]])])["calibration", "death"]
    assert (on.fired, off.fired) == (True, False)
    assert on.last == off.last == monday(12)


def test_a_second_year_is_compared_with_the_training_alone() -> None:
    weeks = [calibrated(number) for number in range(60)]
    second = [calibrated(number) for number in range(52, 60)]
    of_second = found([task(second)])["calibration", "death"].looks
    in_both = found([task(weeks)])["calibration", "death"].looks
    assert in_both[-len(of_second) :] == of_second


def test_the_error_is_shared_by_tasks() -> None:
    weeks = [calibrated(number) for number in range(13)]
    alone = found([task(weeks)])
    two = found([task(weeks), WatchedTask("stroke", REFERENCE, weeks)])
    for kind in each(("calibration", "auc")):
        looks = zip(alone[kind, "death"].looks, two[kind, "death"].looks, strict=True)
        for one, of_two in each(looks):
            assert of_two.boundary > one.boundary


def test_the_error_is_shared_by_distributions() -> None:
    counts = [week_of_counts(number, 30, 40, 30) for number in range(13)]
    risk = WatchedInput("death", "risk_drift", TRAINING, counts, ("1", "2", "3"))
    one, three = found([], [risk]), found([], [risk, age(counts)])
    key = ("risk_drift", "death")
    assert three[key].looks[-1].boundary > one[key].looks[-1].boundary
    assert ("missing", "death") not in three


def test_without_an_auc_of_the_training_none_is_watched() -> None:
    reference = dataclasses.replace(REFERENCE, auc=None, auc_error=None)
    state = found([task([calibrated(number) for number in range(13)], reference)])
    assert list(state) == [("calibration", "death")]


def test_a_week_is_a_monday_and_there_once() -> None:
    week = calibrated(0)
    tuesday = dataclasses.replace(week, week=week.week + dt.timedelta(days=1))
    with pytest.raises(ValueError, match="is not a Monday"):
        alarms([task([tuesday])], [])
    with pytest.raises(ValueError, match="there twice"):
        alarms([task([week, week])], [])
