"""Weighted subjects in training: a subject counts as often as its weight says."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.results.reference_models import GRADIENT_BOOSTING, RANDOM_FOREST, RIDGE
from tests.each import each
from trainer.arrays import Arrays
from trainer.calibration import fit_calibration
from trainer.entropy import entropy, mean_losses, task_balance
from trainer.fit import _batch_loss
from trainer.linear import LinearStart, choose_penalties, fit_linear
from trainer.model import Encoding, resolve
from trainer.procedures import deal_parts
from trainer.reference import BaseRates, fit_predict
from trainer.stack import Member, Stack, StackTrainer

ENCODING = Encoding(numbers=3, categories=1, codes=4, tasks=("a", "b"))
few_examples = settings(max_examples=10, deadline=None)


def trial(seed: int, subjects: int = 80) -> Arrays:
    """Whole weights of 0 to 3."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(subjects, 3)).astype(np.float32)
    logits = numbers @ np.array([[1.0, 0.0], [0.0, -1.0], [0.5, 0.5]])
    labels = (rng.random((subjects, 2)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    weights = rng.integers(0, 4, (subjects, 2)).astype(np.float32)
    # Both tasks have the same weights, so that both are repeated at once.
    weights[:, 1] = weights[:, 0]
    codes = rng.integers(0, 4, (subjects, 1)).astype(np.int32)
    return Arrays(numbers, codes, labels, weights)


def repeated(arrays: Arrays) -> tuple[Arrays, NDArray[Any]]:
    rows = np.repeat(np.arange(len(arrays)), arrays.weights[:, 0].astype(int))
    once = arrays.take(rows)
    return dataclasses.replace(once, weights=np.ones_like(once.weights)), rows


def with_weights(arrays: Arrays, weights: Any) -> Arrays:
    return dataclasses.replace(arrays, weights=np.asarray(weights, np.float32))


@few_examples
@given(seed=st.integers(0, 10_000))
def test_a_whole_weight_trains_as_the_subject_so_many_times(seed: int) -> None:
    arrays = trial(seed)
    once, rows = repeated(arrays)
    logits = np.random.default_rng(seed).normal(size=arrays.labels.shape)

    losses = mean_losses(logits, arrays.labels, arrays.weights)
    assert losses == pytest.approx(mean_losses(logits[rows], once.labels, once.weights))
    assert entropy(arrays.labels, arrays.weights) == pytest.approx(
        entropy(once.labels, once.weights)
    )
    found, expected = (
        fit_calibration(of, who.labels, who.weights)
        for of, who in ((logits, arrays), (logits[rows], once))
    )
    assert found.slopes == pytest.approx(expected.slopes)
    assert found.intercepts == pytest.approx(expected.intercepts, abs=1e-7)
    starts = [fit_linear(of, ENCODING, 1.0) for of in (arrays, once)]
    assert starts[0].numbers == pytest.approx(starts[1].numbers, abs=1e-3)
    assert starts[0].bias == pytest.approx(starts[1].bias, abs=1e-3)


@few_examples
@given(seed=st.integers(0, 10_000), factor=st.floats(0.001, 1000))
def test_the_scale_of_the_weights_changes_no_loss(seed: int, factor: float) -> None:
    arrays = trial(seed)
    scaled = with_weights(arrays, arrays.weights * factor)
    logits = np.random.default_rng(seed).normal(size=arrays.labels.shape)

    assert mean_losses(logits, scaled.labels, scaled.weights) == pytest.approx(
        mean_losses(logits, arrays.labels, arrays.weights), rel=1e-5
    )
    assert entropy(scaled.labels, scaled.weights) == pytest.approx(
        entropy(arrays.labels, arrays.weights), rel=1e-5
    )
    # The balance takes the scale out of the loss of a batch.
    balances = [task_balance(of.labels, of.weights) for of in (scaled, arrays)]
    assert balances[0] * factor == pytest.approx(balances[1], rel=1e-4)


@few_examples
@given(seed=st.integers(0, 10_000))
def test_the_penalty_is_chosen_by_leaving_out_subjects_with_all_their_weight(seed: int) -> None:
    arrays = trial(seed, subjects=25)
    arrays.weights[:] = np.maximum(arrays.weights, 1)
    penalties = (0.3, 3.0, 30.0)
    codes = np.eye(4)[arrays.categories[:, 0]]
    design = np.hstack([arrays.numbers, codes]).astype(np.float64)
    weight = arrays.weights[:, 0].astype(np.float64)
    labels = arrays.labels[:, 0].astype(np.float64)
    if labels.min() == labels.max():
        return
    rate = np.average(labels, weights=weight)
    variance = np.average((labels - rate) ** 2, weights=weight)

    def error(penalty: float) -> float:
        total = 0.0
        for out in range(25):
            rest = np.arange(25) != out
            x, y, w = design[rest], labels[rest], weight[rest]
            x, y = x - np.average(x, axis=0, weights=w), y - np.average(y, weights=w)
            ridge = penalty / variance * np.eye(7)
            found = np.linalg.solve((x * w[:, None]).T @ x + ridge, (x * w[:, None]).T @ y)
            here = design[out] - np.average(design[rest], axis=0, weights=w)
            rest_rate = np.average(labels[rest], weights=w)
            total += weight[out] * (labels[out] - rest_rate - here @ found) ** 2
        return total

    errors = [error(penalty) for penalty in penalties]
    chosen = choose_penalties(arrays, ENCODING, penalties)[0]
    assert errors[penalties.index(chosen)] == pytest.approx(min(errors), rel=1e-6)


def test_the_base_rate_of_an_arm_is_weighted() -> None:
    labels = np.array([[1], [0], [1]], np.float32)
    arrays = Arrays(np.zeros((3, 0)), np.zeros((3, 0), int), labels, np.array([[1.0], [3.0], [2]]))
    arms = np.array([b"Active", b"Active", b"Placebo"], object)

    found = BaseRates.of(arrays, arms)

    assert found.predict(np.array([b"Active"], object))[0, 0] == pytest.approx(1 / 4)
    assert found.overall[0] == pytest.approx(3 / 6)


@pytest.mark.parametrize("name", [RIDGE, RANDOM_FOREST, GRADIENT_BOOSTING])
def test_a_reference_model_predicts_the_weighted_rate(name: str) -> None:
    """All features are equal; subjects with the outcome have three times the weight."""
    labels = (np.arange(600) % 4 == 0).astype(np.float32)[:, None].repeat(2, axis=1)
    weights = np.stack([np.where(labels[:, 0] > 0, 3.0, 1.0), np.ones(600)], axis=1)
    arrays = Arrays(
        np.zeros((600, 3), np.float32),
        np.zeros((600, 1), np.int32),
        labels,
        weights.astype(np.float32),
    )

    found = fit_predict(name, arrays, arrays, ENCODING, seed=1).mean(axis=0)

    assert found[0] == pytest.approx(0.5, abs=0.06)
    assert found[1] == pytest.approx(0.25, abs=0.04)


def test_ridge_regression_counts_a_subject_as_often_as_its_weight_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The penalty is chosen by subjects, which are fewer than their repetitions.
    monkeypatch.setattr("trainer.reference.PENALTIES", (3.0,))
    arrays = trial(4)
    once, _ = repeated(arrays)

    weighted, expected = (
        fit_predict(RIDGE, train, arrays, ENCODING, seed=1) for train in (arrays, once)
    )

    assert weighted == pytest.approx(expected, abs=2e-3)


def test_subjects_are_dealt_by_their_number_whatever_their_weight() -> None:
    arrays = trial(5)
    known = with_weights(arrays, arrays.weights > 0)
    everyone = np.ones(len(arrays), bool)

    dealt = [deal_parts(everyone, of, (1,)) for of in (arrays, known)]

    assert dealt[0].tolist() == dealt[1].tolist()


def test_a_step_of_training_counts_a_subject_as_often_as_its_weight_says() -> None:
    """One step on all subjects, from the same weights of the linear path."""
    arrays = trial(6)
    once, _ = repeated(arrays)
    start = fit_linear(with_weights(arrays, arrays.weights > 0), ENCODING, 1.0)

    steps = [step_of_stack(of, start) for of in (arrays, once)]

    moved = steps[0]["linear_numbers"] - start.numbers.astype(np.float32)
    assert np.abs(moved).max() > 1e-4
    for name, expected in each(steps[1].items()):
        assert steps[0][name] == pytest.approx(expected, abs=1e-5), name


def step_of_stack(arrays: Arrays, start: LinearStart) -> Any:
    hyper = dataclasses.replace(resolve(len(arrays)), depth=0, members=1)
    balance = task_balance(arrays.labels, arrays.weights)
    members = [Member(np.arange(len(arrays)), (1,), start, balance)]
    stack = Stack(ENCODING, hyper, members, arrays.categories)
    StackTrainer(stack, members, arrays, steps=1, seed=1).run_epoch()
    return {name: values[0] for name, values in stack.values().items()}


def test_an_epoch_of_one_model_counts_a_subject_as_often_as_its_weight_says() -> None:
    """All subjects are one batch; the loss is that of each subject so many times."""
    arrays = trial(7)
    once, _ = repeated(arrays)
    logits = np.random.default_rng(7).normal(size=(len(arrays), 1, 2)).astype(np.float32)
    rows = np.repeat(np.arange(len(arrays)), arrays.weights[:, 0].astype(int))

    weighted, expected = (
        float(_batch_loss(of, who.labels, who.weights * balance))
        for of, who, balance in (
            (logits, arrays, task_balance(arrays.labels, arrays.weights).astype(np.float32)),
            (logits[rows], once, task_balance(once.labels, once.weights).astype(np.float32)),
        )
    )

    assert weighted == pytest.approx(expected, rel=1e-5)
