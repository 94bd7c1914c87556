"""What a model says about arms, of hand-made models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from notebooks.results.arm_effects import arm_rates, effects_by_third, predicted_effects
from tests.each import each


def test_an_arm_has_its_observed_rate_beside_its_mean_prediction() -> None:
    arm = ["A"] * 20 + ["B"] * 20
    outcome = np.array([1.0] * 10 + [0.0] * 10 + [1.0] * 4 + [0.0] * 16)
    active, placebo = arm_rates(np.full(40, 0.3), outcome, arm, smallest=10)
    assert (active.arm, active.subjects, active.observed.value) == ("A", 20, 0.5)
    # Wilson's interval of 10 of 20.
    assert active.observed.lower == pytest.approx(0.2993, abs=1e-4)
    assert active.observed.upper == pytest.approx(0.7007, abs=1e-4)
    assert placebo.observed.value == 0.2
    assert placebo.predicted.value == pytest.approx(0.3)


def test_small_arms_are_suppressed_with_what_would_disclose_them() -> None:
    arm = ["A"] * 5 + ["B"] * 15 + ["C"] * 20
    assert [found.arm for found in arm_rates(np.full(40, 0.3), np.zeros(40), arm, 10)] == ["C"]


def test_the_predicted_effect_is_what_the_arm_alone_changes() -> None:
    is_active = np.array([1.0, 0.0, 1.0, 0.0])
    severity = np.array([0.1, 0.2, 0.3, 0.4])

    def predict(origin: NDArray[np.int64]) -> NDArray[np.float64]:
        # Twice as much for the severely ill.
        effect = is_active[origin[:, 1]] * -severity[origin[:, 0]]
        return (0.5 + effect)[:, None]

    found = predicted_effects(predict, 4, 2, 1, ["Active", "Pbo", "Active", "Pbo"], "Pbo")
    np.testing.assert_allclose(found["Active"][:, 0], [-0.1, -0.2, -0.3, -0.4])


def test_without_subjects_of_the_control_there_is_no_effect() -> None:
    assert predicted_effects(lambda _: np.zeros((1, 1)), 1, 1, 0, ["Active"], "Pbo") == {}


def test_observed_differences_stand_beside_predicted_ones_by_third() -> None:
    effect = np.repeat([-0.3, -0.2, -0.1], 40)
    arm = ["Active", "Pbo"] * 60
    outcome = np.zeros(120)
    # Among the first 40 each of the 20 on placebo has the outcome.
    outcome[1:40:2] = 1.0
    lowest, middle, highest = effects_by_third(effect, outcome, arm, ("Active", "Pbo"), 10)
    assert (lowest.third, lowest.subjects) == ("lowest third", 40)
    assert lowest.predicted == pytest.approx(-0.3)
    assert lowest.observed.value == -1.0
    assert (middle.observed.value, highest.observed.value) == (0.0, 0.0)


def test_thirds_with_few_subjects_in_an_arm_are_not_shown() -> None:
    effect = np.repeat([-0.3, -0.2, -0.1], 4)
    arm = ["Active", "Pbo"] * 6
    assert effects_by_third(effect, np.zeros(12), arm, ("Active", "Pbo"), 10) == []


def test_an_arm_that_is_suppressed_does_not_come_back_in_thirds() -> None:
    # 5 on another arm: the sizes of the two compared would disclose them.
    effect = np.repeat([-0.3, -0.2, -0.1], 40)
    arm = ["Active", "Pbo"] * 60
    compared = ("Active", "Pbo")
    assert len(effects_by_third(effect, np.zeros(120), arm, compared, 10)) == 3
    more = np.append(effect, np.zeros(5))
    assert effects_by_third(more, np.zeros(125), [*arm, *["Other"] * 5], compared, 10) == []


def test_rates_of_weighted_subjects_are_weighted() -> None:
    outcome = np.array(([1.0] * 5 + [0.0] * 15) * 2)
    weight = np.where(outcome > 0, 3.0, 1.0)
    predicted = np.where(outcome > 0, 0.6, 0.2)
    arm = ["Active"] * 20 + ["Pbo"] * 20

    for found in each(arm_rates(predicted, outcome, arm, 10, weight)):
        assert found.subjects == 20
        assert found.observed.value == pytest.approx(0.5)
        assert found.predicted.value == pytest.approx(0.4)


def test_thirds_of_weighted_subjects_compare_weighted_rates() -> None:
    outcome = np.tile([1.0, 0.0, 0.0, 0.0], 60)
    arm = np.repeat(["Active", "Pbo"], 120).tolist()
    weight = np.where((outcome > 0) & (np.arange(240) < 120), 3.0, 1.0)
    effect = np.tile(np.repeat([0.1, 0.2, 0.3], 40), 2)

    for third in each(effects_by_third(effect, outcome, arm, ("Active", "Pbo"), 10, weight)):
        assert third.observed.value == pytest.approx(0.5 - 0.25)
