from typing import Any

import numpy as np
import pytest

from pipeline.results.stability import spread_of, stability_of


def repeated_means(subjects: Any = 400, folds: Any = 5, repeats: Any = 150, seed: Any = 1) -> Any:
    """Out-of-fold predictions of a model that predicts the mean of its training subjects."""
    generator = np.random.default_rng(seed)
    values = generator.normal(0.5, 0.2, subjects)
    score = np.empty((subjects, repeats))
    for repeat in range(repeats):
        fold = generator.permutation(subjects) % folds
        for number in range(folds):
            score[fold == number, repeat] = values[fold != number].mean()
    return score, values


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_the_spread_of_a_mean_is_its_standard_error(folds: Any) -> None:
    score, values = repeated_means(folds=folds)

    spread = spread_of(score, 1 - 1 / folds)

    standard_error = values.std(ddof=1) / 20
    assert np.sqrt(np.mean(spread**2)) == pytest.approx(standard_error, rel=0.1)


def test_five_folds_show_half_of_the_spread() -> None:
    score = np.array([[0.2, 0.3, 0.4], [0.5, 0.5, 0.5]])

    assert spread_of(score, 0.8) == pytest.approx([0.2, 0.0])


def test_the_mean_absolute_change_is_that_of_a_normal_spread() -> None:
    generator = np.random.default_rng(2)
    score = generator.normal(0.4, 0.03, (500, 10))

    found = stability_of(score, 0.8, smallest=20)

    assert found is not None
    # A normal variable's mean absolute deviation is 0.798 standard deviations.
    assert found.mean_absolute_change == pytest.approx(0.0479, rel=0.02)
    assert found.quantiles["50"] == pytest.approx(0.06, rel=0.05)
    assert list(found.quantiles.values()) == sorted(found.quantiles.values())


def test_bins_rise_and_hold_the_smallest_group() -> None:
    generator = np.random.default_rng(3)
    score = generator.uniform(0, 1, (95, 1)) + generator.normal(0, 0.02, (95, 5))

    found = stability_of(score, 0.8, smallest=20)

    assert found is not None
    assert [item.subjects for item in found.bins] == [24, 24, 24, 23]
    means = [item.mean_prediction for item in found.bins]
    assert means == sorted(means)


@pytest.mark.parametrize(
    ("subjects", "repeats"), [(100, 2), (100, 1), (19, 10)], ids=["two", "one", "few subjects"]
)
def test_too_few_repeats_or_subjects_have_no_stability(subjects: Any, repeats: Any) -> None:
    assert stability_of(np.full((subjects, repeats), 0.3), 0.8, smallest=20) is None


def test_a_quantile_is_no_single_subjects_value() -> None:
    # One subject varies, the others don't: the highest quantile is a mean with four of them.
    score = np.full((20, 3), 0.5)
    score[0] = [0.2, 0.5, 0.8]

    found = stability_of(score, 0.5, smallest=20)

    assert found is not None
    assert found.quantiles["90"] == pytest.approx(0.3 / 5)
    assert found.bins[0].spread == pytest.approx(0.3 / np.sqrt(20))
