"""Intervals and sets of a task: their coverage in simulation, and when there are none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.results.uncertainty import SET_NEGATIVE, SET_POSITIVE
from tests.each import each
from tests.prediction_sets import bound
from tests.trainer.uncertainty.simulated import Simulated, simulate
from trainer.uncertainty.task import Calibrators, fit_task, groups_in

SLICINGS = [("sex",), ("age",), ("country",), ("sex", "age")]


def fitted(subjects: Simulated) -> Calibrators:
    found = fit(subjects)
    assert isinstance(found, Calibrators)
    return found


def fit(subjects: Simulated, smallest_group: int = 20) -> Calibrators | str:
    groups = groups_in(subjects.slices, SLICINGS, 500)
    return fit_task(
        subjects.score, subjects.label, subjects.weight, subjects.slices, groups, smallest_group
    )


def covered(calibrators: Calibrators, subjects: Simulated) -> NDArray[np.bool_]:
    """Whether the set of each subject has its outcome."""
    found = calibrators(subjects.score, subjects.slices)
    holds = np.where(subjects.label > 0.5, found[SET_POSITIVE], found[SET_NEGATIVE])
    return np.asarray(holds > 0)


@pytest.mark.parametrize("seed", range(3))
def test_each_level_of_each_group_is_covered_as_asked_for(seed: int) -> None:
    calibration, tested = simulate(16_000, 2 * seed), simulate(16_000, 2 * seed + 1)
    calibrators = fitted(calibration)
    assert len(calibrators.groups) > 8

    for level in (0, 1):
        known, new = (part.take(part.label == level) for part in (calibration, tested))
        hit = covered(calibrators, new)
        assert hit.mean() == pytest.approx(0.9, abs=bound(len(known.label), len(hit)))
        for group in each(calibrators.groups):
            own, other = (
                np.all([part.slices[name] == value for name, value in group.items()], axis=0)
                for part in (known, new)
            )
            if own.sum() >= 500:
                assert hit[other].mean() == pytest.approx(0.9, abs=bound(own.sum(), other.sum()))


@pytest.mark.parametrize("blank", [SLICINGS[:1], SLICINGS[-1:], SLICINGS])
def test_sets_are_those_without_groups_where_a_group_is_not_known(
    blank: list[tuple[str, ...]],
) -> None:
    calibration, tested = simulate(16_000, 51), simulate(16_000, 52)
    names = {name for slicing in blank for name in slicing}
    none = tested.slices | {name: np.full(16_000, "") for name in names}
    nothing = {name: np.full(16_000, "") for name in tested.slices}
    of_groups, of_none = (
        fitted(Simulated(calibration.score, calibration.label, calibration.weight, slices))
        for slices in (calibration.slices, nothing)
    )

    found, expected = of_groups(tested.score, none), of_none(tested.score, nothing)

    assert (of_groups.groups != [], list(of_none.groups)) == (True, [])
    for part in (SET_NEGATIVE, SET_POSITIVE):
        assert found[part].tolist() == expected[part].tolist()
    unknown = Simulated(tested.score, tested.label, tested.weight, none)
    hit = covered(of_groups, unknown)
    assert hit[tested.label > 0.5].mean() == pytest.approx(0.9, abs=0.02)
    assert hit[tested.label < 0.5].mean() == pytest.approx(0.9, abs=0.02)


def test_a_rare_outcome_is_covered_like_the_other() -> None:
    calibration, tested = (simulate(20_000, seed, intercept=-4.0) for seed in (7, 8))
    assert 0.02 < tested.label.mean() < 0.08
    events = tested.label > 0.5

    hit = covered(fitted(calibration), tested)

    assert hit[events].mean() == pytest.approx(0.9, abs=0.06)
    assert hit[~events].mean() == pytest.approx(0.9, abs=0.02)


def test_a_set_for_all_alike_leaves_out_the_rare_outcome() -> None:
    calibration, tested = (simulate(20_000, seed, intercept=-4.0) for seed in (7, 8))
    of_own = np.where(calibration.label > 0.5, 1 - calibration.score, calibration.score)
    threshold = np.quantile(of_own, 0.9)
    events = tested.label > 0.5

    hit = np.where(events, 1 - tested.score, tested.score) <= threshold

    # What the sets of this project are not.
    assert hit.mean() == pytest.approx(0.9, abs=0.02)
    assert hit[events].mean() < 0.05


def test_sets_calibrated_on_training_scores_do_not_cover() -> None:
    tested = simulate(8_000, 11)
    drawn = simulate(8_000, 12)
    # A model that has learned its training subjects by heart predicts them better than others.
    learned = np.clip(0.5 * drawn.score + 0.5 * drawn.label, 0, 1).astype(np.float32)
    by_heart = Simulated(learned, drawn.label, drawn.weight, drawn.slices)

    assert covered(fitted(drawn), tested).mean() == pytest.approx(0.9, abs=0.02)
    assert covered(fitted(by_heart), tested).mean() < 0.7


def test_weights_undo_a_loss_of_the_subjects_that_are_hard_to_predict() -> None:
    whole, tested = simulate(30_000, 21), simulate(30_000, 22)
    rng = np.random.default_rng(23)
    # Women, whose predictions err otherwise, are observed less often.
    observed = np.where(whole.slices["sex"] == "F", 0.2, 1.0)
    seen = rng.random(30_000) < observed
    none = {name: np.full(30_000, "") for name in whole.slices}
    weighted = Simulated(whole.score, whole.label, np.where(seen, 1 / observed, 0), none)
    unweighted = Simulated(whole.score, whole.label, seen.astype(float), none)
    events = tested.label > 0.5
    tested = Simulated(tested.score, tested.label, tested.weight, none)

    def coverage(subjects: Simulated) -> float:
        return float(covered(fitted(subjects), tested)[events].mean())

    assert coverage(weighted) == pytest.approx(0.9, abs=0.012)
    assert abs(coverage(unweighted) - 0.9) > 0.015


def test_sets_may_be_empty_where_the_model_separates_well() -> None:
    rng = np.random.default_rng(31)
    label = (np.arange(2_000) % 2).astype(float)
    score = np.where(label > 0.5, 1 - rng.random(2_000) / 4, rng.random(2_000) / 4)
    no_groups = {name: np.full(2_000, "") for name in ("sex", "age", "country")}
    calibrators = fitted(Simulated(score.astype(np.float32), label, np.ones(2_000), no_groups))
    between = np.array([0.5], np.float32)

    found = calibrators(between, {name: np.array([""]) for name in no_groups})

    assert (found[SET_NEGATIVE][0], found[SET_POSITIVE][0]) == (0.0, 0.0)


@pytest.mark.parametrize(("level", "whose"), [(1, "with the outcome"), (0, "without the outcome")])
def test_too_few_subjects_of_a_level_are_one_clear_reason(level: int, whose: str) -> None:
    drawn = simulate(2_000, 41)
    rows = np.flatnonzero(drawn.label != level).tolist()
    few = drawn.take(np.array(rows + np.flatnonzero(drawn.label == level)[:19].tolist()))

    found = fit(few, smallest_group=20)

    assert found == (
        f"Fewer than 20 subjects {whose} can be calibrated on: the model answers probabilities "
        "without intervals and sets."
    )


def test_groups_are_those_with_enough_subjects_and_without_missing_values() -> None:
    slices = {
        "sex": np.array(["F"] * 3 + ["M"] + [""] * 3),
        "age": np.array(["old", "old", "young", "old", "old", "old", "old"]),
    }

    assert groups_in(slices, [("sex",), ("sex", "age")], 2) == [
        {"sex": "F"},
        {"sex": "F", "age": "old"},
    ]
