"""Weighted subjects: every metric counts a subject as often as its weight says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from components.evaluator import performance
from components.evaluator.cross_fitted import measure
from components.evaluator.curves import curves_of, fold_curves_of
from components.evaluator.decision_curve import Treated, decision_point
from components.evaluator.fold_scores import FoldScores, ModelScores
from components.evaluator.score_table import ScoreTable
from pipeline.metrics import COMPUTED, METRICS
from pipeline.names import CHALLENGER
from pipeline.results.decisions import decisions_at
from pipeline.results.documents import GroupCurves
from tests.each import each

few_examples = settings(max_examples=15, deadline=None)
FOLDS = 3


class Subjects:
    """Predictions of three folds in two repeats, with ties; some subjects are unknown."""

    def __init__(self, seed: int, count: int = 60, whole: bool = False) -> None:
        generator = np.random.default_rng(seed)
        logit = generator.normal(-0.5, 1, count)
        self.outcome = generator.random(count) < 1 / (1 + np.exp(-logit))
        noise = generator.normal(0, 0.5, (count, 2))
        self.score = (1 / (1 + np.exp(-(logit[:, None] + noise)))).astype(np.float32).round(1)
        self.score = np.clip(self.score, 0.05, 0.95)
        self.fold = np.stack([generator.permutation(count) % FOLDS for _ in range(2)], 1)
        weights = generator.uniform(1, 4, count)
        self.weight = np.ceil(weights) if whole else weights.astype(np.float32)
        self.weight[generator.random(count) < 0.2] = 0

    def table(self, weight: NDArray[Any] | None = None, rows: Any = slice(None)) -> ScoreTable:
        own = self.weight if weight is None else weight
        return ScoreTable.of_rows(self.score[rows, 0], self.outcome[rows], own[rows])

    def folds(self, weight: NDArray[Any] | None = None, rows: Any = slice(None)) -> ModelScores:
        own = self.weight if weight is None else weight
        return FoldScores.of_rows(
            np.arange(len(own))[rows] if isinstance(rows, slice) else np.arange(len(rows)),
            self.outcome[rows],
            own[rows],
            self.fold[rows].astype(np.int16),
            {CHALLENGER: self.score[rows]},
        ).of(CHALLENGER)


def metrics_of(scores: ScoreTable | ModelScores) -> dict[str, float]:
    return {
        f"{name} {threshold}": measure(name, scores, threshold)
        for name in COMPUTED
        for threshold in ((0.3, 0.5) if METRICS[name].at_decision else (None,))
    }


def same(found: dict[str, float], expected: dict[str, float], tolerance: float = 1e-9) -> None:
    assert found.keys() == expected.keys()
    for name, value in each(expected.items()):
        assert found[name] == pytest.approx(value, abs=tolerance, nan_ok=True), name


@few_examples
@given(seed=st.integers(0, 10_000))
def test_a_whole_weight_is_the_subject_as_many_times(seed: int) -> None:
    subjects = Subjects(seed, whole=True)
    rows = np.repeat(np.arange(60), subjects.weight.astype(int))
    once = np.ones(len(subjects.weight))

    same(metrics_of(subjects.table()), metrics_of(subjects.table(once, rows)))
    # The slope is fitted to convergence, not to the last digit.
    same(metrics_of(subjects.folds()), metrics_of(subjects.folds(once, rows)), 1e-7)


@few_examples
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 1000))
def test_the_scale_of_the_weights_changes_no_metric(seed: int, factor: float) -> None:
    subjects = Subjects(seed)
    scaled = subjects.weight.astype(np.float64) * factor

    for kind in (subjects.table, subjects.folds):
        same(metrics_of(kind()), metrics_of(kind(scaled)), 1e-7)


@few_examples
@given(seed=st.integers(0, 10_000))
def test_weights_of_one_change_nothing_to_the_last_digit(seed: int) -> None:
    subjects = Subjects(seed)
    known = subjects.weight > 0

    for kind in (subjects.table, subjects.folds):
        assert metrics_of(kind(known)) == pytest.approx(
            metrics_of(kind(known.astype(np.float32))), abs=0, rel=0, nan_ok=True
        )
    assert subjects.table(known.astype(np.float32)).sums is None


@few_examples
@given(seed=st.integers(0, 10_000), equal=st.floats(1.5, 9))
def test_equal_weights_have_the_intervals_of_unweighted_subjects(seed: int, equal: float) -> None:
    subjects = Subjects(seed, count=400)
    known = subjects.weight > 0
    plain, weighted = subjects.folds(known), subjects.folds(known * equal)

    assert weighted.effective_positives == plain.effective_positives == plain.positives
    expected = fold_curves_of(plain, [0.3], 20, FOLDS)
    found = fold_curves_of(weighted, [0.3], 20, FOLDS)
    for name in ("calibration", "roc", "decision"):
        for one, other in zip(each(getattr(found, name)), getattr(expected, name), strict=True):
            # A variance that is zero but for rounding makes an error of its root.
            assert one.model_dump() == pytest.approx(other.model_dump(), abs=1e-6)
    # The band is of the sandwich kind where subjects are weighted.
    rates = [[point.observed_rate for point in each(curves.smooth)] for curves in (found, expected)]
    assert rates[0] == pytest.approx(rates[1], abs=1e-6)


def test_metrics_are_those_of_scikit_learn_with_weights() -> None:
    subjects = Subjects(3, count=500)
    kept = subjects.weight > 0
    label, weight = subjects.outcome[kept], subjects.weight[kept]
    score = subjects.score[kept, 0].astype(float)
    found = subjects.table()

    for ours, theirs in (
        (performance.auc, sk.roc_auc_score),
        (performance.pr_auc, sk.average_precision_score),
        (performance.brier, sk.brier_score_loss),
        (performance.log_loss, sk.log_loss),
    ):
        expected = theirs(label, score, sample_weight=weight)
        assert ours(found) == pytest.approx(expected, abs=1e-9)
    logit = np.log(score / (1 - score))[:, None]
    fit = LogisticRegression(C=1e12, tol=1e-10).fit(logit, label, sample_weight=weight)
    assert performance.calibration_slope(found) == pytest.approx(fit.coef_[0, 0], abs=1e-3)


def test_subjects_censored_early_are_stood_for_by_those_observed() -> None:
    """Two of four subjects at .8 are unknown: each of the other two stands for one of them."""
    score = np.array([0.8, 0.8, 0.2, 0.2], np.float32)
    found = ScoreTable.of_rows(score, np.array([1, 1, 0, 0]), np.array([2.0, 2.0, 1.0, 1.0]))

    assert performance.observed_rate(found) == pytest.approx(4 / 6)
    assert performance.mean_prediction(found) == pytest.approx(3.6 / 6)
    assert (found.subjects, found.positives, found.negatives) == (4, 2, 2)


@few_examples
@given(seed=st.integers(0, 10_000))
def test_parts_merge_to_the_same_table_in_any_order_to_the_last_digit(seed: int) -> None:
    subjects = Subjects(seed)
    # One part has weights of 1 only.
    subjects.weight[:20] = subjects.weight[:20] > 0
    parts = [subjects.table(rows=slice(first, first + 20)) for first in (0, 20, 40)]
    whole = subjects.table()

    assert parts[0].sums is None
    for order in ((0, 1, 2), (2, 0, 1)):
        merged = ScoreTable.merged([parts[place] for place in order])
        assert merged.sums is not None
        assert whole.sums is not None
        sums = zip(each(merged.sums.columns[:2]), whole.sums.columns[:2], strict=True)
        for one, other in sums:
            assert one.tobytes() == other.tobytes()
        assert merged.count.tobytes() == whole.count.tobytes()


@few_examples
@given(seed=st.integers(0, 10_000))
def test_no_count_tells_a_digit_of_a_weight(seed: int) -> None:
    """Two trials that differ in their weights alone have the same counts in their curves."""
    subjects = Subjects(seed, count=400)
    other = np.where(subjects.weight > 0, subjects.weight[::-1] + 1, 0).astype(np.float32)
    counts = []
    for weight in (subjects.weight, other):
        curves = curves_of(subjects.table(weight), [0.3, 0.5], 20)
        counts.append(
            [
                [item.subjects for item in each(curves.calibration)],
                *(
                    [item.true_positives, item.false_positives, item.false_negatives]
                    for item in each(curves.confusion)
                ),
            ]
        )

    assert counts[0] == counts[1]


def test_bins_and_their_intervals_are_weighted() -> None:
    score = np.repeat([0.2, 0.8], 100).astype(np.float32)
    outcome = np.arange(200) % 4 == 0
    weight = np.where(outcome, 3.0, 1.0)

    low, _ = curves_of(ScoreTable.of_rows(score, outcome, weight), [], 20).calibration

    assert low.subjects == 100
    assert low.observed_rate == pytest.approx(75 / 150)
    kish = 150**2 / (25 * 9 + 75)
    reach = 1.96 * math.sqrt(0.25 / kish)
    assert low.upper - low.lower == pytest.approx(2 * reach, rel=0.05)


def test_the_net_benefit_has_the_standard_error_of_a_weighted_mean() -> None:
    subjects = Subjects(5, count=300)
    kept = subjects.weight > 0
    weight = subjects.weight[kept].astype(float)
    treated = subjects.score[kept] >= 0.3
    gain = np.where(subjects.outcome[kept], 1.0, -3 / 7) * treated.mean(axis=1)
    mean = np.average(gain, weights=weight)
    influence = weight * (gain - mean) / weight.sum()
    error = np.sqrt((influence**2).sum() * len(gain) / (len(gain) - 1))

    point = decision_point(0.3, Treated.of(treated, subjects.outcome[kept], weight))

    assert point.net_benefit == pytest.approx(mean)
    assert point.lower == pytest.approx(mean - 1.959964 * error)
    rest = np.where(subjects.outcome[kept], 1.0, -3 / 7) - gain
    assert point.over_all == pytest.approx(-np.average(rest, weights=weight))
    mean = np.average(rest, weights=weight)
    influence = weight * (rest - mean) / weight.sum()
    error = np.sqrt((influence**2).sum() * len(gain) / (len(gain) - 1))
    assert point.over_all_lower == pytest.approx(-mean - 1.959964 * error)


def test_a_table_and_folds_of_one_repeat_have_the_same_decision_curve() -> None:
    subjects = Subjects(6, count=300)
    table = subjects.table()
    scores = subjects.folds()
    cut = int(np.searchsorted(table.score, np.float32(0.3)))
    treated = scores.score[:, :1] >= table.score[cut]

    found = decision_point(0.3, Treated.from_cut(table, cut))

    assert scores.weight is not None
    by_row = decision_point(0.3, Treated.of(treated, scores.outcome, scores.weight))
    assert found.model_dump() == pytest.approx(by_row.model_dump())


def test_the_band_of_a_weighted_curve_is_wider_than_that_of_so_many_subjects() -> None:
    """A tenth of the subjects have 20 times the weight: the effective number is a seventh."""
    subjects = Subjects(7, count=3000)
    known = subjects.weight > 0
    heavy = np.where(np.arange(3000) % 10 == 0, 20.0, 1.0) * known

    plain, weighted = (
        curves_of(subjects.table(weight), [], 50).smooth for weight in (known, heavy)
    )

    widths = [
        np.mean([point.upper - point.lower for point in each(of)]) for of in (plain, weighted)
    ]
    assert 2 < widths[1] / widths[0] < 3.5


def test_shares_that_follow_from_the_curves_are_weighted() -> None:
    subjects = Subjects(8, count=400)
    kept = subjects.weight > 0
    label, weight = subjects.outcome[kept], subjects.weight[kept]
    flagged = subjects.score[kept, 0] >= np.float32(0.3)
    table = subjects.table()
    curves = GroupCurves(
        task="death",
        slice={},
        model="challenger",
        subjects=table.subjects,
        positives=table.positives,
        **curves_of(table, [0.3], 20).to_json(),
    )

    point = decisions_at(curves, 0.3)

    assert point is not None
    assert point.predicted_positive_rate.value == pytest.approx(np.average(flagged, weights=weight))
    spared = np.average(~label[~flagged], weights=weight[~flagged])
    assert point.negative_predictive_value.value == pytest.approx(spared)
