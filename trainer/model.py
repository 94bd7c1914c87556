"""Architecture: a linear path, and a parameter-sharing ensemble that learns what it misses."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from pipeline.study.sections import check_hyperparameters


@dataclasses.dataclass(frozen=True)
class Encoding:
    """Shape of the transformed examples that the model reads.

    Attributes:
        numbers: Width of the dense float vector.
        categories: Number of categorical features.
        codes: Number of codes that the categorical features share; none is used by two.
        tasks: Names of the tasks, in the order of the label columns.
        arms: Codes of the arms in rising order, see `trainer.arms`; none without arms.
    """

    numbers: int
    categories: int
    codes: int
    tasks: tuple[str, ...]
    arms: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Hyperparameters:
    """Everything about the model and its training that is a choice.

    Attributes:
        members: Size of the ensemble.
        width: Units of a hidden layer.
        depth: Number of hidden layers; 0 leaves the linear path alone.
        embedding: Dimensions of the vector of a category.
        dropout: Share of hidden units that are dropped in training.
        learning_rate: Step size of AdamW.
        weight_decay: Decoupled weight decay of AdamW per step, relative to `learning_rate`.
        batch_size: Subjects per step.
        max_epochs: Passes over the training data at most.
        patience: Epochs without a better eval loss after which training stops.
        penalty: Ridge penalty of the linear path's start. It multiplies half the squared norm
            of a task's weights, those of the arms apart (`trainer.linear.ARM_PENALTY`); the loss
            is summed over subjects, so 1 / penalty is what scikit-learn's LogisticRegression calls
            C.
    """

    members: int = 8
    width: int = 64
    depth: int = 2
    embedding: int = 8
    dropout: float = 0.2
    learning_rate: float = 2e-3
    weight_decay: float = 0.5
    batch_size: int = 256
    max_epochs: int = 100
    patience: int = 12
    penalty: float = 10.0

    def __post_init__(self) -> None:
        check_hyperparameters(dataclasses.asdict(self))


MANY_ROWS = 100_000
"""Subjects of the train split from which the defaults change."""


def resolve(
    rows: int,
    tuned: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> Hyperparameters:
    """Hyperparameters of a study: the defaults for its size, then what differs from them.

    Args:
        rows: Subjects of the train split.
        tuned: Values that the Tuner found.
        chosen: Values of the study file; they win.

    Returns:
        The hyperparameters.

    Raises:
        UserError: A name is unknown, or a value has the wrong type or is out of range.
    """
    changes = check_hyperparameters({**(tuned or {}), **(chosen or {})})
    # mypy would compare every value with every type.
    return dataclasses.replace(default_hyperparameters(rows), **changes)  # type: ignore[arg-type]


def default_hyperparameters(rows: int) -> Hyperparameters:
    """Defaults for a train split of so many subjects.

    Few subjects have few steps in an epoch, so that the ensemble, which starts at zero, adds
    little to the linear path before eval stops it. From `MANY_ROWS` on an epoch has so many
    steps that larger batches and less patience lose nothing.
    """
    if rows < MANY_ROWS:
        return Hyperparameters()
    return Hyperparameters(batch_size=1024, patience=4, max_epochs=30)


class Linear(keras.layers.Layer):
    """Logistic regression of every task at once on numbers and categories."""

    def __init__(self, encoding: Encoding, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tasks = len(encoding.tasks)
        # A kind that the study lacks has no weights: oneDNN aborts the process at a product of
        # width zero.
        self.numbers = self._add_zeros("numbers", encoding.numbers, tasks)
        self.codes = self._add_zeros("codes", encoding.codes, tasks)
        self.bias = self.add_weight(shape=(tasks,), initializer="zeros", name="bias")

    def _add_zeros(self, name: str, rows: int, tasks: int) -> Any:
        if not rows:
            return None
        return self.add_weight(shape=(rows, tasks), initializer="zeros", name=name)

    def call(self, numbers: Any, codes: Any) -> Any:
        """Logits `[batch, tasks]` of numbers `[batch, n]` and codes `[batch, c]`."""
        logits = self.bias
        if self.numbers is not None:
            logits = keras.ops.matmul(numbers, self.numbers) + logits
        if self.codes is not None:
            logits = logits + keras.ops.sum(keras.ops.take(self.codes, codes, axis=0), axis=1)
        return logits


class Ensemble(keras.layers.Layer):
    """Multilayer perceptrons that share their weights and differ in input scaling and head.

    After TabM-mini (Gorishniy et al. 2025, "TabM: Advancing tabular deep learning with
    parameter-efficient ensembling"). The heads start at zero: at first the ensemble adds
    nothing to the linear path.
    """

    def __init__(self, encoding: Encoding, hyper: Hyperparameters, seed: int, **kw: Any) -> None:
        super().__init__(**kw)
        self._inputs = encoding.numbers + hyper.embedding * encoding.categories
        seeds = iter(range(seed, seed + 1000))
        vectors = keras.initializers.RandomNormal(
            stddev=1.0 / math.sqrt(hyper.embedding), seed=next(seeds)
        )
        self.table = (
            self.add_weight(
                shape=(encoding.codes, hyper.embedding), initializer=vectors, name="table"
            )
            if encoding.codes
            else None
        )
        self.adapter = self.add_weight(
            shape=(hyper.members, self._inputs),
            initializer=_random_signs(hyper.members, self._inputs, seed),
            name="adapter",
        )
        self._dense = [
            keras.layers.Dense(
                hyper.width,
                activation="relu",
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            )
            for _ in range(hyper.depth)
        ]
        self._dropout = [
            keras.layers.Dropout(hyper.dropout, seed=next(seeds)) for _ in range(hyper.depth)
        ]
        self.heads = self.add_weight(
            shape=(hyper.members, hyper.width, len(encoding.tasks)),
            initializer="zeros",
            name="heads",
        )

    def call(self, numbers: Any, codes: Any, training: bool = False) -> Any:
        """Logits `[batch, members, tasks]` to be added to the linear path's."""
        ops = keras.ops
        parts = [numbers]
        if self.table is not None:
            vectors = ops.take(self.table, codes, axis=0)
            parts.append(ops.reshape(vectors, (-1, vectors.shape[1] * vectors.shape[2])))
        hidden = ops.expand_dims(ops.concatenate(parts, axis=-1), 1) * self.adapter
        for dense, dropout in zip(self._dense, self._dropout, strict=True):
            hidden = dropout(dense(hidden), training=training)
        return ops.einsum("bkw,kwt->bkt", hidden, self.heads)


class TrialModel(keras.Model):
    """Logits of every task for every member of the ensemble."""

    def __init__(self, encoding: Encoding, hyper: Hyperparameters, seed: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.linear = Linear(encoding)
        self.ensemble = Ensemble(encoding, hyper, seed) if hyper.depth else None

    def arm_weights(self) -> Any:
        """Effects of the arms in the linear path, `[arms, tasks]`; None without arms."""
        if not self.encoding.arms:
            return None
        return keras.ops.take(self.linear.codes, np.array(self.encoding.arms), axis=0)

    def add_to_arms(self, logits: Any) -> None:
        """Adds `logits` `[arms, tasks]` to what is predicted for subjects of an arm."""
        if self.encoding.arms:
            places = np.array(self.encoding.arms)[:, np.newaxis]
            codes = self.linear.codes
            added = keras.ops.cast(logits, codes.dtype)
            codes.assign(keras.ops.scatter_update(codes, places, self.arm_weights() + added))

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        """Logits `[batch, members, tasks]` of numbers and categories."""
        numbers, codes = inputs
        # Keras traces a signature of its own when the model is saved, with floats throughout.
        codes = keras.ops.cast(codes, "int32")
        linear = keras.ops.expand_dims(self.linear(numbers, codes), 1)
        if self.ensemble is None:
            return linear
        return linear + self.ensemble(numbers, codes, training=training)


def _random_signs(members: int, width: int, seed: int) -> Any:
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(members, width))
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(signs.reshape(shape), dtype)
