"""Permutation importance of hand-made models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from notebooks.results.importance import Importance, _Score, permutation_importance

_SUBJECTS = 2000


def _found(model: object, labels: NDArray[np.float64], **other: object) -> dict[str, Importance]:
    found = permutation_importance(
        model,  # type: ignore[arg-type]
        labels[:, None],
        other.get("known", np.ones((len(labels), 1), bool)),  # type: ignore[arg-type]
        sources=("first", "second"),
        tasks=("death",),
        repeats=10,
        seed=1,
    )
    return {item.source: item for item in found}


@pytest.fixture
def values() -> NDArray[np.float64]:
    return np.random.default_rng(0).uniform(size=(_SUBJECTS, 2))


def _model_of_first(values: NDArray[np.float64]) -> object:
    return lambda origin: values[origin[:, 0], 0][:, None]


def test_a_model_of_one_source_loses_all_its_ranking_with_it_and_nothing_with_the_other(
    values: NDArray[np.float64],
) -> None:
    labels = (values[:, 0] > 0.5).astype(float)
    found = _found(_model_of_first(values), labels)
    # The AUC falls from 1 to that of guessing, 0.5.
    assert found["first"].auc.value == pytest.approx(0.5, abs=0.01)
    assert found["second"].auc.value == 0.0
    assert found["second"].brier.value == 0.0
    assert found["second"].auc.standard_error == 0.0


def test_the_rise_of_the_brier_score_is_twice_the_covariance_of_prediction_and_outcome(
    values: NDArray[np.float64],
) -> None:
    labels = (values[:, 0] > 0.5).astype(float)
    found = _found(_model_of_first(values), labels)
    # E(p' - y)^2 - E(p - y)^2 = 2 cov(p, y) where p' is p shuffled; here 2 * 1/8.
    expected = 2 * np.cov(values[:, 0], labels)[0, 1]
    assert expected == pytest.approx(0.25, abs=0.01)
    assert found["first"].brier.value == pytest.approx(expected, abs=0.01)


def test_the_interval_holds_the_true_loss_about_as_often_as_it_says() -> None:
    """Over 200 trials of 150 subjects, of a model whose true loss in Brier score is 0.25 / 3."""
    inside = {"auc": 0, "brier": 0}
    for trial in range(200):
        rng = np.random.default_rng(trial)
        values = rng.uniform(size=(150, 2))
        # The outcome occurs with the probability that the model says.
        labels = (rng.uniform(size=150) < values[:, 0]).astype(float)
        first = _found(_model_of_first(values), labels)["first"]
        # 2 cov(p, y) = 2 var(p) = 1/6; AUC of p uniform and y ~ p: 5/6, by shuffling 1/2.
        for name, loss, truth in (("auc", first.auc, 1 / 3), ("brier", first.brier, 1 / 6)):
            found = loss.estimate
            assert found.lower is not None
            assert found.upper is not None
            inside[name] += found.lower <= truth <= found.upper
    assert 180 <= inside["auc"] <= 199
    assert 180 <= inside["brier"] <= 199


def test_single_repeats_spread_around_their_mean(values: NDArray[np.float64]) -> None:
    labels = (values[:, 0] > 0.5).astype(float)
    first = _found(_model_of_first(values), labels)["first"]
    # An AUC of guessing with 1000 of each outcome: sqrt(2001 / (12 * 1000 * 1000)) = 0.0129.
    assert 0.005 < first.auc.spread < 0.03


def test_subjects_with_an_unknown_label_do_not_count(values: NDArray[np.float64]) -> None:
    labels = (values[:, 0] > 0.5).astype(float)
    wrong = labels.copy()
    wrong[::2] = 1 - wrong[::2]
    known = np.ones((_SUBJECTS, 1), bool)
    known[::2] = False
    model = _model_of_first(values)
    assert _found(model, wrong, known=known)["first"].auc.value == pytest.approx(0.5, abs=0.02)


def test_a_task_with_one_outcome_only_has_no_importance(values: NDArray[np.float64]) -> None:
    assert _found(_model_of_first(values), np.zeros(_SUBJECTS)) == {}


def test_a_whole_weight_is_the_subject_so_many_times(values: NDArray[np.float64]) -> None:
    """Of a model and a permutation that treat each copy of a subject alike."""
    labels = (values[:, 0] > 0.5).astype(float)
    weights = np.where(np.arange(_SUBJECTS) % 2, 3.0, 1.0)[:, None]
    rows = np.repeat(np.arange(_SUBJECTS), weights[:, 0].astype(int))
    scores = values[::-1, 1]

    before, after = (
        _Score.of(scores[rows, None], labels[rows, None], np.ones((len(rows), 1)), 0),
        _Score.of(scores[:, None], labels[:, None], weights, 0),
    )

    own = weights[:, 0]
    assert np.average(after.squared, weights=own) == pytest.approx(before.squared.mean())
    positive = labels > 0.5
    above = np.average(after.above, weights=own[positive])
    assert above == pytest.approx(before.above.mean())
    below = np.average(after.below, weights=own[~positive])
    assert below == pytest.approx(before.below.mean())


def test_the_importance_of_weighted_subjects_is_a_weighted_mean(
    values: NDArray[np.float64],
) -> None:
    """Subjects with a high value of the first source have the outcome; some have all the weight."""
    labels = (values[:, 0] > 0.5).astype(float)
    # Among those of weight 9 the outcome is the opposite.
    heavy = np.arange(_SUBJECTS) % 2 == 0
    labels[heavy] = 1 - labels[heavy]
    weights = np.where(heavy, 9.0, 1.0)[:, None]

    found = _found(_model_of_first(values), labels, known=weights)["first"]

    # 2 cov(p, y): -0.9 + 0.1 of 0.25.
    assert found.brier.value == pytest.approx(-0.2, abs=0.02)
