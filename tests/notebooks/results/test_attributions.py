"""Sampled Shapley values of hand-made models, and what is shown of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from notebooks.results.attributions import Attributions, boxes, sampled_shapley

_SUBJECTS = np.arange(20)
_BACKGROUND = np.arange(20, 60)


@pytest.fixture
def values() -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=(60, 3))


def _explained(values: NDArray[np.float64], model: object) -> Attributions:
    def predict(origin: NDArray[np.int64]) -> NDArray[np.float64]:
        mixed = np.take_along_axis(values, origin, axis=0)
        return model(mixed)[:, None]  # type: ignore[operator]

    return sampled_shapley(predict, _SUBJECTS, _BACKGROUND, sources=3, seed=1)


def test_those_of_a_linear_model_are_its_weights_times_the_distance_from_the_mean(
    values: NDArray[np.float64],
) -> None:
    weights = np.array([0.5, -2.0, 0.0])
    found = _explained(values, lambda mixed: mixed @ weights)
    expected = weights * (values[_SUBJECTS] - values[_BACKGROUND].mean(axis=0))
    np.testing.assert_allclose(found.values[:, :, 0], expected, atol=1e-12)
    np.testing.assert_array_equal(found.values[:, 2, 0], 0.0)


def test_they_add_up_to_the_prediction_minus_the_mean_prediction(
    values: NDArray[np.float64],
) -> None:
    found = _explained(values, lambda mixed: np.tanh(mixed[:, 0] * mixed[:, 1] + mixed[:, 2]))
    np.testing.assert_allclose(found.values.sum(axis=1), found.predictions - found.base, atol=1e-12)


def test_two_sources_that_act_only_together_share_the_effect_evenly(
    values: NDArray[np.float64],
) -> None:
    """Of a product, by the formula of Shapley with the background's means."""
    found = _explained(values, lambda mixed: mixed[:, 0] * mixed[:, 1])
    own, others = values[_SUBJECTS, :2], values[_BACKGROUND, :2]
    means, both = others.mean(axis=0), (others[:, 0] * others[:, 1]).mean()
    # Half of what it adds first, and half of what it adds last.
    first = (own[:, 0] * means[1] - both + own[:, 0] * own[:, 1] - means[0] * own[:, 1]) / 2
    error = np.abs(found.values[:, 0, 0] - first)
    assert (error < 4 * found.errors[:, 0, 0] + 1e-9).all()
    assert (found.errors[:, 2] == 0).all()


def test_a_box_shows_no_value_of_a_single_subject() -> None:
    values = np.arange(100.0) ** 2
    (box,) = boxes(values, ["all"] * 100, smallest=20)
    shown = {box.lower_quartile, box.median, box.upper_quartile, box.mean}
    assert not shown & set(values.tolist())
    # The five values around place 24.75: places 23 to 27.
    assert box.lower_quartile == pytest.approx(np.mean([23**2, 24**2, 25**2, 26**2, 27**2]))


def test_groups_under_the_smallest_size_have_no_box_nor_has_what_would_disclose_them() -> None:
    groups = ["F"] * 50 + ["M"] * 31 + ["U"] * 19
    shown = [box.group for box in boxes(np.arange(100.0), groups, smallest=20)]
    # 100 - 50 - 31 would tell how many are U: one of the others goes as well.
    assert shown == ["F"]


def test_too_few_subjects_have_no_box_at_all() -> None:
    assert boxes(np.arange(10.0), ["F"] * 10, smallest=20) == []
