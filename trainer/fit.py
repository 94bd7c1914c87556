"""Fits the model on arrays in memory; independent of TFX."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.arrays import Arrays
from trainer.calibration import Calibration, calibrate
from trainer.endpoint.arrays import probabilities
from trainer.endpoint.tensors import cross_entropies
from trainer.entropy import entropy, mean_losses, task_balance
from trainer.linear import LinearStart, fit_linear
from trainer.model import Encoding, Hyperparameters, TrialModel
from trainer.stack import Stack

PREDICT_ROWS = 8192
"""Subjects per forward pass outside training; limits the memory of the hidden layers."""

_MAX_EVALUATIONS = 50
"""Fewest steps between evaluations with a fixed number of steps: small splits are repeated."""

MIN_IMPROVEMENT = 1e-5
"""Decrease of the score that makes an epoch better than an earlier one."""

Progress = Callable[[int, int, str], None]
"""Called after an epoch with its number, the largest number of epochs, and a detail."""


@dataclasses.dataclass(frozen=True)
class History:
    """The course of a training, without data of single subjects.

    Attributes:
        steps: Optimiser steps.
        epochs: Evaluations after passes over the training data.
        best_epoch: Epoch whose weights were kept; 0 is the linear model alone.
        score: Mean over the tasks of the best epoch's eval loss relative to the entropy of the base
            rate: 1.0 is the loss of predicting the base rate.
        eval_loss: Per task the mean eval cross-entropy in nats, from epoch 0 on.
        seconds: Wall time of the fit.
    """

    steps: int
    epochs: int
    best_epoch: int
    score: float
    eval_loss: dict[str, tuple[float, ...]]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A trained and calibrated model."""

    model: TrialModel | Stack
    calibration: Calibration
    encoding: Encoding
    hyperparameters: Hyperparameters
    history: History
    forward: Callable[[Arrays], NDArray[Any]]

    def logits(self, arrays: Arrays) -> NDArray[Any]:
        """Uncalibrated logits, the mean over the ensemble: float32 `[subjects, tasks]`."""
        return self.forward(arrays)

    def predict(self, arrays: Arrays) -> NDArray[Any]:
        """Calibrated probabilities: float64 `[subjects, tasks]`."""
        return probabilities(self.calibrated_logits(arrays))

    def calibrated_logits(self, arrays: Arrays) -> NDArray[np.float64]:
        """Calibrated logits: float64 `[subjects, tasks]`."""
        return self.calibration(self.logits(arrays).astype(np.float64))


def fit(
    train: Arrays | Iterable[Arrays],
    evaluation: Arrays,
    encoding: Encoding,
    hyperparameters: Hyperparameters,
    seed: int,
    steps: int | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Trains on `train`; `evaluation` selects the epoch and fits the calibration.

    The linear path starts at ridge logistic regression that spares the arms, the ensemble at zero.
    Every task's loss is divided by the entropy of its base rate and by the mean weight of its
    labels, so that rare or often unknown outcomes have the same weight as common ones.

    Args:
        train: Subjects to fit the weights; or blocks of them, iterated repeatedly, with one at a
            time in memory; the linear start is fitted on the first.
        evaluation: Subjects for early stopping and calibration.
        encoding: Shape of both.
        hyperparameters: Hyperparameters of model and training.
        seed: Seeds initial weights, dropout and the order of the subjects.
        steps: If given, exactly this many steps instead of early stopping; the best epoch's weights
            are still kept.
        progress: Called after every epoch.

    Returns:
        The calibrated model.
    """
    started = time.monotonic()
    keras.utils.set_random_seed(seed)
    blocks = (train,) if isinstance(train, Arrays) else train
    first = next(iter(blocks))
    model = build(encoding, hyperparameters, seed)
    _assign(model, fit_linear(first, encoding, hyperparameters.penalty))
    _silence_unseen(model, first)
    loop = _Loop(model, first, evaluation, hyperparameters)
    best, losses, taken = _train(loop, blocks, hyperparameters, seed, steps, progress)
    calibration = calibrate(loop.forward(evaluation).astype(np.float64), evaluation, encoding.arms)
    model.add_to_arms(calibration.arm_logits)
    history = History(
        steps=taken,
        epochs=len(losses) - 1,
        best_epoch=best,
        score=loop.score(losses[best]),
        eval_loss={
            task: tuple(float(loss[column]) for loss in losses)
            for column, task in enumerate(encoding.tasks)
        },
        seconds=time.monotonic() - started,
    )
    line = calibration.without_arms()
    return Fitted(model, line, encoding, hyperparameters, history, loop.forward)


def build(encoding: Encoding, hyperparameters: Hyperparameters, seed: int) -> TrialModel:
    """A model with initial weights, ready to be called."""
    model = TrialModel(encoding, hyperparameters, seed)
    model(
        (
            tf.zeros([1, encoding.numbers], tf.float32),
            tf.zeros([1, encoding.categories], tf.int32),
        )
    )
    return model


def _assign(model: TrialModel, start: LinearStart) -> None:
    if model.linear.numbers is not None:
        model.linear.numbers.assign(start.numbers)
    if model.linear.codes is not None:
        model.linear.codes.assign(start.codes)
    model.linear.bias.assign(start.bias)


def _silence_unseen(model: TrialModel, train: Arrays) -> None:
    """Zeroes the embeddings of unseen codes, which training would leave random."""
    if model.ensemble is None or model.ensemble.table is None:
        return
    seen = np.bincount(train.categories.ravel(), minlength=model.encoding.codes) > 0
    model.ensemble.table.assign(model.ensemble.table * seen[:, np.newaxis])


def _train(
    loop: _Loop,
    blocks: Iterable[Arrays],
    hyper: Hyperparameters,
    seed: int,
    steps: int | None,
    progress: Progress | None,
) -> tuple[int, list[NDArray[Any]], int]:
    """Runs epochs until the eval loss stops improving, and restores the best weights."""
    order = np.random.default_rng(seed)
    losses = [loop.evaluate()]
    best, weights = 0, loop.model.get_weights()
    total = -(-steps // loop.steps_per_epoch) if steps else hyper.max_epochs
    passes = -(-total // _MAX_EVALUATIONS) if steps else 1
    total = -(-total // passes)
    taken = 0
    again = itertools.chain.from_iterable(itertools.repeat(blocks))
    for block in itertools.islice(again, total if steps is None else None):
        taken += loop.run(block, order, passes, steps - taken if steps else None)
        losses.append(loop.evaluate())
        epoch = len(losses) - 1
        if loop.score(losses[epoch]) < loop.score(losses[best]) - MIN_IMPROVEMENT:
            best, weights = epoch, loop.model.get_weights()
        if progress:
            progress(epoch, total, f"eval loss {loop.score(losses[epoch]):.4f}")
        if taken == steps or (not steps and epoch - best >= hyper.patience):
            break
    loop.model.set_weights(weights)
    return best, losses, taken


class _Loop:
    """The compiled epoch, without Python code between steps or copies of the data."""

    def __init__(
        self, model: TrialModel, train: Arrays, evaluation: Arrays, hyper: Hyperparameters
    ) -> None:
        self.model = model
        self.forward = mean_logits(model)
        self._batch = min(hyper.batch_size, len(train))
        self.steps_per_epoch = len(train) // self._batch
        self._evaluation = evaluation
        self._block, self._data = train, _tensors(train)
        self._entropy = entropy(train.labels, train.weights)
        balance = tf.constant(task_balance(train.labels, train.weights), tf.float32)
        variables = model.trainable_variables
        optimizer = keras.optimizers.AdamW(
            hyper.learning_rate, weight_decay=hyper.weight_decay, global_clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build(variables)

        def epoch(order: tf.Tensor, *data: tf.Tensor) -> None:
            def take(step: tf.Tensor) -> tuple[tf.Tensor]:
                numbers, categories, labels, weights = (tf.gather(x, order[step]) for x in data)
                with tf.GradientTape() as tape:
                    logits = model((numbers, categories), training=True)
                    loss = _batch_loss(logits, labels, weights * balance)
                arms = model.arm_weights()
                optimizer.apply(tape.gradient(loss, variables), variables)
                if arms is not None:
                    # Keras decays a variable as a whole; arms, a part of one, are not decayed.
                    model.add_to_arms(arms * hyper.learning_rate * hyper.weight_decay)
                return (step + 1,)

            # TensorFlow's own loop: AutoGraph takes longer to convert one than a step takes to run.
            tf.while_loop(lambda step: step < tf.shape(order)[0], take, (tf.constant(0),))

        # Traced once for any number of steps and subjects: the last epoch may be shorter.
        specs = [tf.TensorSpec([None, self._batch], tf.int32)]
        specs += [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in self._data]
        self._epoch = tf.function(epoch, input_signature=specs, autograph=False)

    def run(self, block: Arrays, order: np.random.Generator, passes: int, most: int | None) -> int:
        """Trains on the subjects of a block, reshuffled in each pass.

        Args:
            block: The subjects.
            order: Random generator of their order.
            passes: Number of passes.
            most: Largest number of steps.

        Returns:
            The number of steps.
        """
        if block is not self._block:
            self._block, self._data = block, _tensors(block)
        whole = len(block) // self._batch * self._batch
        shuffled = [order.permutation(len(block))[:whole] for _ in range(passes)]
        rows = np.concatenate(shuffled).reshape(-1, self._batch)[:most]
        self._epoch(tf.constant(rows, tf.int32), *self._data)
        return len(rows)

    def evaluate(self) -> NDArray[Any]:
        """Mean eval cross-entropy in nats of the ensemble's mean logit, float64 `[tasks]`."""
        logits = self.forward(self._evaluation).astype(np.float64)
        labels, weights = self._evaluation.labels, self._evaluation.weights
        return mean_losses(logits, labels, weights)

    def score(self, losses: NDArray[Any]) -> float:
        """Mean over the tasks of the loss relative to the entropy of the base rate."""
        return float(np.mean(losses / self._entropy))


def _tensors(block: Arrays) -> tuple[tf.Tensor, ...]:
    parts = (block.numbers, block.categories, block.labels, block.weights)
    return tuple(tf.constant(part) for part in parts)


def _batch_loss(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Mean over subjects, members and tasks; each member has its own loss."""
    return tf.reduce_mean(tf.reduce_mean(cross_entropies(logits, labels), axis=1) * weights)


def mean_logits(model: TrialModel | Stack) -> Callable[[Arrays], NDArray[Any]]:
    """Compiles the mean over the ensemble once, for any number of subjects."""

    @tf.function(reduce_retracing=True, autograph=False)
    def forward(numbers: tf.Tensor, categories: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(model((numbers, categories), training=False), axis=1)

    def chunked(arrays: Arrays) -> NDArray[Any]:
        chunks = (
            slice(first, first + PREDICT_ROWS) for first in range(0, len(arrays), PREDICT_ROWS)
        )
        logits = [
            forward(tf.constant(arrays.numbers[rows]), tf.constant(arrays.categories[rows])).numpy()
            for rows in chunks
        ]
        return np.concatenate(logits)

    return chunked
