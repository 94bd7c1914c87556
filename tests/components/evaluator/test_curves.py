import itertools
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

from components.evaluator.curves import curves_of
from components.evaluator.cuts import MOST_POINTS
from components.evaluator.score_table import ScoreTable
from tests.each import each


def table(scores: Any, labels: Any) -> Any:
    return ScoreTable.of_rows(
        np.asarray(scores, np.float32), np.asarray(labels), np.ones(len(scores), bool)
    )


def random_trial(subjects: Any, seed: Any = 1) -> Any:
    generator = np.random.default_rng(seed)
    scores = generator.beta(2, 5, subjects).astype(np.float32)
    return scores, (generator.random(subjects) < scores).astype(int)


def subjects_from_each_point_on(curves: Any, positives: Any, negatives: Any) -> Any:
    """How many subjects are predicted positive at each point, from what is published."""
    return [
        round(point.true_positive_rate * positives + point.false_positive_rate * negatives)
        for point in curves.roc
    ]


def test_ten_bins_hold_equally_many_subjects() -> None:
    scores, labels = random_trial(2000)

    bins = curves_of(table(scores, labels), [], smallest=10).calibration

    assert [item.subjects for item in bins] == [200] * 10
    observed, predicted = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    assert [item.observed_rate for item in bins] == pytest.approx(observed)
    assert [item.mean_prediction for item in bins] == pytest.approx(predicted, rel=1e-6)


def test_bins_too_small_to_show_are_merged() -> None:
    scores, labels = random_trial(250)

    bins = curves_of(table(scores, labels), [], smallest=100).calibration

    assert [item.subjects for item in bins] == [100, 150]


def test_subjects_with_the_same_prediction_share_a_bin() -> None:
    bins = curves_of(table([0.2] * 60 + [0.7] * 40, [0] * 50 + [1] * 50), [], 10).calibration

    assert [(item.mean_prediction, item.observed_rate, item.subjects) for item in bins] == [
        (pytest.approx(0.2), pytest.approx(10 / 60), 60),
        (pytest.approx(0.7), 1.0, 40),
    ]


def test_every_point_of_the_roc_curve_lies_on_the_exact_one() -> None:
    scores, labels = random_trial(1000)
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    exact = set(zip(false.round(9), true.round(9), strict=True))

    roc = curves_of(table(scores, labels), [0.3], smallest=10).roc

    assert {
        (round(point.false_positive_rate, 9), round(point.true_positive_rate, 9)) for point in roc
    } <= exact
    assert [roc[0].true_positive_rate, roc[-1].true_positive_rate] == [0.0, 1.0]


def test_a_large_trial_has_a_hundred_points_at_most() -> None:
    scores, labels = random_trial(50_000)

    roc = curves_of(table(scores, labels), [0.1, 0.2, 0.3], smallest=10).roc

    assert MOST_POINTS // 2 < len(roc) <= MOST_POINTS


def test_decision_thresholds_are_points_of_the_roc_curve() -> None:
    scores, labels = random_trial(1000)

    curves = curves_of(table(scores, labels), [0.25], smallest=20)

    (point,) = (point for point in curves.roc if point.threshold == 0.25)
    (confusion,) = curves.confusion
    assert point.true_positive_rate == confusion.true_positives / labels.sum()
    assert point.false_positive_rate == confusion.false_positives / (1 - labels).sum()


def test_the_confusion_matrix_counts_subjects() -> None:
    scores, labels = random_trial(500)

    (found,) = curves_of(table(scores, labels), [0.3], smallest=10).confusion

    ((true_negatives, false_positives), (false_negatives, true_positives)) = confusion_matrix(
        labels, scores >= np.float32(0.3)
    )
    assert (found.true_negatives, found.false_positives) == (true_negatives, false_positives)
    assert (found.false_negatives, found.true_positives) == (false_negatives, true_positives)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("subjects", [60, 173, 999])
def test_no_difference_of_published_numbers_concerns_a_small_group(
    subjects: Any, seed: Any
) -> None:
    """Bins, points and the decision threshold's counts divide the subjects in their order."""
    smallest = 25
    scores, labels = random_trial(subjects, seed)
    threshold = 0.31
    at_threshold = int((scores >= np.float32(threshold)).sum())

    curves = curves_of(table(scores, labels), [threshold], smallest)

    points = subjects_from_each_point_on(curves, labels.sum(), subjects - labels.sum())
    bins = np.cumsum([0] + [item.subjects for item in reversed(curves.calibration)]).tolist()
    assert all(b - a >= smallest for a, b in itertools.pairwise(points))  # may be empty
    # What a decision threshold leaves on either side is published with its rates anyhow.
    decided = {0, at_threshold, subjects}
    cuts = sorted({*points, *bins, *decided})
    small = [(a, b) for a, b in itertools.pairwise(cuts) if b - a < smallest]
    assert all({a, b} <= decided for a, b in small)  # may be empty


def test_thresholds_are_no_subjects_prediction() -> None:
    scores, labels = random_trial(1000)

    roc = curves_of(table(scores, labels), [], smallest=10).roc

    assert all(point.threshold == round(point.threshold, 4) for point in each(roc))


def test_a_group_below_the_smallest_size_has_no_curves() -> None:
    curves = curves_of(table([0.1, 0.4, 0.8], [0, 1, 1]), [0.5], smallest=4)

    assert (curves.calibration, curves.roc, curves.confusion) == ((), (), ())


def test_without_both_outcomes_there_is_no_roc_curve() -> None:
    curves = curves_of(table(np.linspace(0, 1, 100), np.zeros(100)), [0.5], smallest=10)

    assert curves.roc == ()
    assert len(curves.calibration) == 10


def test_a_prediction_that_is_not_a_number_leaves_no_curves() -> None:
    curves = curves_of(table([0.2] * 50 + [np.nan], [0] * 51), [0.5], smallest=10)

    assert (curves.calibration, curves.roc, curves.confusion) == ((), (), ())
