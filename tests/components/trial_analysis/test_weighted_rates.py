"""Rates and effects of weighted subjects: those of whom follow-up ended early are stood for."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trial_analysis.adjusted import standardised
from components.trial_analysis.analyse import analyse
from components.trial_analysis.proportions import (
    Observed,
    equality_test,
    rate,
    risk_difference,
    risk_ratio,
)
from components.trial_analysis.subjects import Outcome, TrialSubjects
from tests.components.trial_analysis.hand_made_subjects import settings_of, trial
from tests.each import each

few_examples = settings(max_examples=10, deadline=None)


def group(positive: Any, weight: Any) -> Observed:
    return Observed.of(np.array(positive, bool), np.array(weight, np.float32))


def test_a_rate_is_weighted_and_its_numbers_are_counts() -> None:
    # One event at weight 1, three subjects without it of whom two stand for two each.
    found = group([1, 0, 0, 0], [1, 1, 2, 2])

    assert (found.subjects, found.events) == (4, 1)
    assert found.rate == pytest.approx(1 / 6)
    assert rate(found).value == pytest.approx(1 / 6)


def test_weights_of_one_change_nothing_to_the_last_digit() -> None:
    positive = [1, 1, 0, 0, 0]

    assert group(positive, [1] * 5) == Observed(5, 2) == Observed.of(np.array(positive, bool))


def test_only_the_known_of_a_group_are_counted() -> None:
    outcome = Outcome(
        np.array([True, False, False, False]),
        np.array([True, True, False, True]),
        np.array([1.0, 3.0, 0.0, 2.0], np.float32),
    )

    found = outcome.observed(np.array([True, True, True, False]))

    assert (found.subjects, found.events, found.rate) == (2, 1, pytest.approx(1 / 4))


@few_examples
@given(seed=st.integers(0, 1000))
def test_intervals_are_of_the_error_of_each_subjects_influence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for size, share in ((300, 0.3), (400, 0.2)):
        positive, weight = rng.random(size) < share, rng.uniform(1, 3, size).astype(np.float32)
        sides.append((group(positive, weight), positive, weight.astype(float)))
    errors = []
    for found, positive, weight in sides:
        mean = np.average(positive, weights=weight)
        errors.append(np.sqrt(((weight * (positive - mean)) ** 2).sum()) / weight.sum())
        assert found.rate == pytest.approx(mean)
        shown = rate(found)
        assert shown.lower is not None
        assert shown.upper is not None
        # Wilson's interval is about as wide as Wald's.
        assert shown.upper - shown.lower == pytest.approx(2 * 1.96 * errors[-1], rel=0.03)
    (one, *_), (two, *_) = sides
    difference = risk_difference(one, two)
    assert difference.value == pytest.approx(one.rate - two.rate)
    assert difference.lower is not None
    assert difference.upper is not None
    reach = 1.96 * math.hypot(*errors)
    assert difference.upper - difference.lower == pytest.approx(2 * reach, rel=0.03)
    ratio = risk_ratio(one, two)
    assert ratio.upper is not None
    of_logarithm = math.hypot(errors[0] / one.rate, errors[1] / two.rate)
    assert math.log(ratio.upper / (one.rate / two.rate)) == pytest.approx(
        1.96 * of_logarithm, rel=1e-3
    )
    z = (one.rate - two.rate) / math.hypot(*errors)
    test = equality_test(one, two)
    assert test.name == "Wald's test of weighted rates"
    assert test.p_value == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))


def test_a_rate_of_0_or_1_has_the_interval_of_the_effective_number() -> None:
    found = rate(group([0] * 40, [1] * 20 + [3] * 20))

    kish = 80**2 / (20 + 180)
    assert found.value == 0
    assert found.upper == pytest.approx(1.96**2 / (kish + 1.96**2), rel=1e-3)


def test_rates_without_error_are_compared_by_their_counts() -> None:
    found = equality_test(group([0] * 9, [2] * 9), group([1] * 9, [2] * 9))

    assert found.name == "Fisher's exact test"


@few_examples
@given(seed=st.integers(0, 1000))
def test_an_adjusted_effect_counts_a_subject_as_often_as_its_weight_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    treated, severity = rng.random(200) < 0.5, rng.normal(size=200)
    positive = (rng.random(200) < 1 / (1 + np.exp(-severity + treated))).astype(float)
    weight = rng.integers(1, 4, 200)
    rows = np.repeat(np.arange(200), weight)

    found = standardised(positive, treated, severity[:, None], weight.astype(np.float32))
    expected = standardised(positive[rows], treated[rows], severity[rows, None])

    assert found is not None
    assert expected is not None
    assert found[0].value == pytest.approx(expected[0].value)
    assert found[1].value == pytest.approx(expected[1].value)
    # A subject of weight 3 is one subject, so the interval is wider than that of three.
    assert found[0].lower is not None
    assert expected[0].lower is not None
    assert found[0].lower < expected[0].lower


def test_adjusted_for_nothing_the_error_is_that_of_the_weighted_rates() -> None:
    rng = np.random.default_rng(1)
    treated, positive = rng.random(500) < 0.5, rng.random(500) < 0.3
    weight = rng.uniform(1, 3, 500).astype(np.float32)

    found = standardised(positive.astype(float), treated, np.empty((500, 0)), weight)

    sides = [Observed.of(positive[of], weight[of]) for of in (treated, ~treated)]
    assert found is not None
    assert found[0].value == pytest.approx(sides[0].rate - sides[1].rate)
    error = math.hypot(*(side.weighted.error for side in sides if side.weighted))
    assert found[0].upper is not None
    assert found[0].upper - sides[0].rate + sides[1].rate == pytest.approx(1.96 * error, rel=0.01)


def weighted_trial() -> TrialSubjects:
    """In each arm two of ten are lost; those observed late stand for them."""
    made = trial(
        ["Active"] * 10 + ["Placebo"] * 10,
        outcomes={"death": ([True] * 3 + [False] * 5 + [None] * 2) * 2},
    )
    weight = np.array(([1.0] * 3 + [1.4] * 5 + [0.0] * 2) * 2, np.float32)
    outcomes = {"death": dataclasses.replace(made.outcomes["death"], weight=weight)}
    return dataclasses.replace(made, outcomes=outcomes)


def test_the_analysis_weights_its_rates_and_says_so() -> None:
    subjects = weighted_trial()

    found = analyse(subjects, settings_of(subjects))

    for shown in each(found.tasks[0].rates):
        assert (shown.subjects, shown.events, shown.unknown) == (10 - 2, 3, 2)
        assert shown.rate.value == pytest.approx(3 / 10)
    (note,) = (text for text in found.notes if "horizon (Death)" in text)
    assert "The screening is not weighted." in note


def test_an_analysis_without_weights_does_not_speak_of_them() -> None:
    subjects = trial(["Active"] * 10 + ["Placebo"] * 10, outcomes={"death": [True, False] * 10})

    notes = each(analyse(subjects, settings_of(subjects)).notes)

    assert not [note for note in notes if "weighted" in note]
