from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.calibration import Calibration, fit_calibration


def labelled(slope: Any, intercept: Any, subjects: Any, seed: Any = 0) -> Any:
    """Logits of a model, and labels whose true logit is a line of them."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=1.5, size=(subjects, 1))
    chance = 1 / (1 + np.exp(-(slope * logits + intercept)))
    labels = (generator.random((subjects, 1)) < chance).astype(float)
    return logits, labels, np.ones_like(labels)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.7), (1.0, 0.0), (1.6, -1.0)])
def test_calibration_recovers_slope_and_intercept_from_many_subjects(
    slope: Any, intercept: Any
) -> None:
    found = fit_calibration(*labelled(slope, intercept, 40_000))

    assert found.slopes[0] == pytest.approx(slope, abs=0.05)
    assert found.intercepts[0] == pytest.approx(intercept, abs=0.05)


def test_few_subjects_move_the_line_less_than_many() -> None:
    subjects = labelled(0.4, 1.0, 50)
    few = fit_calibration(*subjects)
    logits, labels, weights = (np.repeat(part, 100, axis=0) for part in subjects)
    many = fit_calibration(logits, labels, weights)

    assert many.slopes[0] < few.slopes[0] < 1.0
    assert 0.0 < few.intercepts[0] < many.intercepts[0]


def test_calibration_makes_the_mean_prediction_the_base_rate() -> None:
    logits, labels, weights = labelled(1.3, -0.8, 5_000)

    calibrated = fit_calibration(logits, labels, weights)(logits)

    assert np.mean(1 / (1 + np.exp(-calibrated))) == pytest.approx(labels.mean(), abs=0.005)


def test_task_without_a_known_label_is_left_alone() -> None:
    logits, labels, weights = labelled(0.5, 1.0, 100)

    assert fit_calibration(logits, labels, 0 * weights) == Calibration(
        slopes=(1.0,), intercepts=(0.0,)
    )


def test_unknown_labels_have_no_influence() -> None:
    logits, labels, weights = labelled(0.5, 1.0, 200)
    weights[::3] = 0.0
    changed = labels.copy()
    changed[::3] = 1.0 - changed[::3]

    assert fit_calibration(logits, labels, weights) == fit_calibration(logits, changed, weights)


def test_each_task_has_a_line_of_its_own() -> None:
    first, second = labelled(0.5, 0.0, 500), labelled(1.5, 1.0, 500, seed=1)
    together = [np.concatenate(parts, axis=1) for parts in zip(first, second, strict=True)]

    found = fit_calibration(*together)

    alone = [fit_calibration(*first), fit_calibration(*second)]
    assert found.slopes == pytest.approx([line.slopes[0] for line in alone])
    assert found.intercepts == pytest.approx([line.intercepts[0] for line in alone])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-40, 40), st.booleans(), st.booleans()), min_size=1, max_size=40)
)
def test_calibration_never_changes_the_ranking(subjects: Any) -> None:
    logits = np.array([[logit] for logit, _, _ in subjects])
    labels = np.array([[float(label)] for _, label, _ in subjects])
    weights = np.array([[float(known)] for _, _, known in subjects])

    calibrated = fit_calibration(logits, labels, weights)(logits)

    order = np.argsort(logits[:, 0], kind="stable")
    assert np.all(np.isfinite(calibrated))
    assert np.all(np.diff(calibrated[order, 0]) >= 0)
