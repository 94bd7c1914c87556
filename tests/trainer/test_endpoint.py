"""Loss and probability of an outcome, in the only place that knows them."""

import re

import numpy as np
import pytest

from pipeline.version import PROJECT
from tests.each import each
from trainer.endpoint import arrays, tensors

LOGITS = np.array([-40.0, -3.0, -0.5, 0.0, 0.5, 3.0, 40.0])
LABELS = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0])


def test_numpy_and_tensorflow_agree() -> None:
    logits = LOGITS.astype(np.float32)[:, None, None]

    loss = tensors.cross_entropies(logits, LABELS.astype(np.float32)[:, None])

    assert loss.numpy().ravel() == pytest.approx(arrays.cross_entropies(LOGITS, LABELS), rel=1e-6)
    assert tensors.probabilities(logits).numpy().ravel() == pytest.approx(
        arrays.probabilities(LOGITS), rel=1e-6
    )


def test_errors_and_curvatures_are_the_derivatives_of_the_loss() -> None:
    inside, labels, step = LOGITS[1:-1], LABELS[1:-1], 1e-4
    low, middle, high = (
        arrays.cross_entropies(inside + move, labels) for move in (-step, 0.0, step)
    )

    assert arrays.errors(inside, labels) == pytest.approx((high - low) / (2 * step), abs=1e-7)
    assert arrays.curvatures(inside) == pytest.approx((high - 2 * middle + low) / step**2, abs=1e-6)
    assert arrays.curvatures(LOGITS).max() == arrays.MOST_CURVATURE


def test_the_base_rates_loss_is_that_of_predicting_it() -> None:
    labels = np.array([1.0, 0.0, 0.0, 0.0])
    logit = np.full(4, np.log(0.25 / 0.75))

    found = arrays.base_cross_entropy(np.array([0.25]))

    assert found == pytest.approx([arrays.cross_entropies(logit, labels).mean()])


def test_no_other_file_of_the_trainer_knows_them() -> None:
    formula = re.compile(r"logaddexp|tanh\(0\.5|sigmoid|log1p\(-|np\.log\(|\bexpit\b")
    files = [path for path in (PROJECT / "trainer").rglob("*.py") if path.parent.name != "endpoint"]

    found = [path.name for path in each(files) if formula.search(path.read_text("utf-8"))]

    assert found == []
