"""Required sample size: against published examples, and what counts as a parameter."""

from __future__ import annotations

import numpy as np
import pytest

from components.data_gate.rules import Columns
from components.data_gate.sample_size import (
    largest_r_squared,
    predictor_parameters,
    required_size,
    sample_size,
)
from pipeline.estimates import Estimate
from pipeline.results.censoring import CensoredArm, CensoredTask
from pipeline.results.counts import Counts, LabelCounts
from pipeline.study.sections import Gate


def columns(**numbers: list[float]) -> Columns:
    """Numeric features of the given values, and one task."""
    values = {name: np.array(column, float) for name, column in numbers.items()}
    n = len(next(iter(values.values())))
    return Columns(
        numbers=values,
        categories={},
        labels={"death": np.zeros(n, bool)},
        known={"death": np.ones(n, bool)},
        missing={name: np.isnan(column) for name, column in values.items()},
    )


def counts(known: int, positives: int) -> Counts:
    labels = LabelCounts(known=known, positives=positives)
    return Counts(datasets={}, subjects={"train": known}, tasks={"death": {"train": labels}})


@pytest.mark.parametrize(
    ("parameters", "prevalence", "r_squared", "subjects"),
    [
        # The example of pmsampsize's documentation.
        (24, 0.174, 0.288, 662),
        # Riley et al. 2020, BMJ 368:m441: pre-eclampsia, 15 % of the largest R².
        (30, 0.05, 0.05, 5249),
    ],
)
def test_required_size_of_published_examples(
    parameters: int, prevalence: float, r_squared: float, subjects: int
) -> None:
    assert required_size(parameters, prevalence, r_squared).subjects == subjects


@pytest.mark.parametrize(
    ("prevalence", "largest"), [(0.5, 0.75), (0.4, 0.74), (0.1, 0.48), (0.05, 0.33), (0.01, 0.11)]
)
def test_largest_cox_snell_r_squared_is_that_of_the_paper(
    prevalence: float, largest: float
) -> None:
    assert largest_r_squared(prevalence) == pytest.approx(largest, abs=0.005)


def test_a_precise_overall_risk_needs_385_subjects_at_a_rate_of_one_half() -> None:
    assert required_size(1, 0.5, 0.3).overall_risk == 385


def test_a_number_is_a_parameter_and_its_missing_values_are_another() -> None:
    assert predictor_parameters(columns(age=[50, 60, 70], weight=[80, np.nan, 90])) == 3


def test_a_category_has_a_parameter_less_than_levels_with_rare_ones_together() -> None:
    # Levels of 6, 5, 2 and 1 subjects, and 3 subjects without a value.
    codes = np.repeat([0, 1, 2, 3, 4], [6, 5, 2, 1, 3])
    of_categories = Columns(
        numbers={},
        categories={"region": codes},
        labels={},
        known={},
        missing={"region": codes == 4},
    )

    assert predictor_parameters(of_categories) == 3


def test_a_small_trial_is_a_warning_with_the_number_needed() -> None:
    (finding,) = sample_size(columns(age=[50.0], bmi=[20.0]), counts(254, 60), Gate(), 20)

    needed = required_size(2, 60 / 254, 0.15 * largest_r_squared(60 / 254)).subjects
    assert (finding.severity, finding.value, finding.limit) == ("warn", 254, needed)
    assert "30.0 subjects of the rarer outcome per parameter" in finding.message


def test_a_large_trial_is_not_a_warning() -> None:
    (finding,) = sample_size(columns(age=[50.0], bmi=[20.0]), counts(20_000, 6_000), Gate(), 20)

    assert finding.severity == "ok"


def test_the_rarer_outcome_counts_whichever_it_is() -> None:
    (rare,) = sample_size(columns(age=[50.0]), counts(100, 10), Gate(), 20)
    (common,) = sample_size(columns(age=[50.0]), counts(100, 90), Gate(), 20)

    assert "10.0 subjects of the rarer outcome" in rare.message
    assert "10.0 subjects of the rarer outcome" in common.message


def test_a_better_anticipated_fit_needs_fewer_subjects() -> None:
    features = columns(**{f"lab_{number}": [1.0] for number in range(20)})
    limits = [
        next(sample_size(features, counts(100, 30), Gate(anticipated_fit=fit), 20)).limit
        for fit in (0.15, 0.3)
    ]

    assert limits[0] is not None
    assert limits[1] is not None
    assert limits[0] > limits[1]


def test_a_task_with_one_outcome_only_has_no_finding() -> None:
    assert list(sample_size(columns(age=[50.0]), counts(100, 0), Gate(), 20)) == []  # may be empty


def test_the_rate_of_a_task_whose_follow_up_ends_early_is_the_weighted_one() -> None:
    """60 of 254 known labels have the outcome; weighted for 60 censored subjects a fifth has it."""
    whole = CensoredArm(
        subjects=314,
        events=60,
        competing=0,
        complete=194,
        censored=60,
        risk=Estimate(0.2, 0.15, 0.25),
        naive=60 / 254,
        weighted=0.2,
        observed=0.7,
        largest_weight=1.4,
        truncated=0,
        effective=240.0,
    )
    task = CensoredTask(horizon=90, arms={"": whole})
    found = counts(254, 60).model_copy(update={"censoring": {"death": task}})
    features = columns(age=[50.0], bmi=[20.0])

    (finding,) = sample_size(features, found, Gate(), 20)
    (hidden,) = sample_size(features, found, Gate(), 100)

    assert "an observed rate of 0.200" in finding.message
    # So few censored subjects would follow from both rates.
    assert "an observed rate of 0.236" in hidden.message
