from typing import Any

import numpy as np
import pytest

from pipeline.errors import UserError
from trainer.agreement import FoldLogits, compare, require_agreement
from trainer.arrays import Arrays
from trainer.cross_fit import OutOfFold, cross_fit
from trainer.final_fit import fit_on_all
from trainer.fit import Fitted
from trainer.model import Encoding, Hyperparameters

ENCODING = Encoding(numbers=3, categories=1, codes=2, tasks=("death", "ae"))
SMALL = Hyperparameters(members=4, width=8, depth=1, batch_size=64, max_epochs=4)


def trial(count: int) -> Arrays:
    """Three standard normal numbers, one category; two numbers matter."""
    generator = np.random.default_rng(3)
    numbers = generator.normal(size=(count, 3)).astype(np.float32)
    categories = generator.integers(0, 2, size=(count, 1)).astype(np.int32)
    truth = numbers[:, :1] - 0.5 * numbers[:, 1:2]
    labels = (generator.random((count, 2)) < 1 / (1 + np.exp(-truth))).astype(np.float32)
    return Arrays(numbers, categories, labels, np.ones_like(labels))


ARRAYS = trial(250)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit_on_all(ARRAYS, ENCODING, SMALL, seed=1)


@pytest.fixture(scope="module")
def folds() -> OutOfFold:
    order = np.arange(250) % 5
    dealt = np.stack([np.random.default_rng(r).permutation(order) for r in (0, 1)], axis=1)
    return cross_fit(ARRAYS, dealt, ENCODING, SMALL, seed=1)


def judged(final: Any, folds: OutOfFold) -> None:
    probabilities = folds.probabilities.astype(np.float64)
    out_of_fold = np.log(probabilities / (1 - probabilities)).mean(axis=1)
    logits = FoldLogits(folds.logits.astype(np.float64), folds.trained)
    require_agreement(compare(final, logits, out_of_fold, ENCODING.tasks))


def test_the_final_model_of_the_same_procedure_agrees(fitted: Fitted, folds: OutOfFold) -> None:
    final = fitted.calibrated_logits(ARRAYS)
    found = compare(
        final, FoldLogits(folds.logits.astype(np.float64), folds.trained), final, ENCODING.tasks
    )

    require_agreement(found)
    assert set(found.tasks) == {"death", "ae"}
    assert found.tasks["ae"].mean_difference == 0.0
    assert found.tasks["ae"].departures["shift"].bound >= 0.05


def test_a_wrong_intercept_in_the_final_model_alone_stops_the_push(
    fitted: Fitted, folds: OutOfFold
) -> None:
    wrong = fitted.calibrated_logits(ARRAYS) + np.array([0.0, 0.5])

    with pytest.raises(UserError, match=r"ae: shift \+0\.\d+, bound") as caught:
        judged(wrong, folds)
    assert "death" not in str(caught.value)


@pytest.mark.parametrize(
    ("factor", "measure"), [(0.5, "spread"), (2.0, "spread"), (-1.0, "correlation")]
)
def test_a_wrong_slope_in_the_final_model_alone_stops_the_push(
    factor: float, measure: str, fitted: Fitted, folds: OutOfFold
) -> None:
    with pytest.raises(UserError, match=f"death: {measure}") as caught:
        judged(fitted.calibrated_logits(ARRAYS) * np.array([factor, 1.0]), folds)
    assert "ae: " not in str(caught.value)


def test_a_swapped_column_in_the_final_model_alone_stops_the_push(
    fitted: Fitted, folds: OutOfFold
) -> None:
    swapped = Arrays(ARRAYS.numbers[:, [1, 0, 2]], ARRAYS.categories, ARRAYS.labels, ARRAYS.weights)

    with pytest.raises(UserError, match="correlation"):
        judged(fitted.calibrated_logits(swapped), folds)


def test_swapped_tasks_in_the_final_model_stop_the_push(folds: OutOfFold) -> None:
    other = Arrays(ARRAYS.numbers[:, [2, 1, 0]], ARRAYS.categories, ARRAYS.labels, ARRAYS.weights)
    mixed = fit_on_all(other, ENCODING, SMALL, seed=1)

    with pytest.raises(UserError, match="does not predict as the models of the folds do"):
        judged(mixed.calibrated_logits(ARRAYS), folds)
