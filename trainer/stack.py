"""Many models trained side by side: every weight has one more leading axis.

No weight, gradient norm or optimiser state is shared between the models of a stack, so that each of
them is what it would be if it were trained alone; one trace and one matrix product serve them all.
The architecture is that of `trainer.model`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.arrays import Arrays
from trainer.endpoint.tensors import cross_entropies
from trainer.linear import LinearStart
from trainer.model import Encoding, Hyperparameters

_MOST_VALUES = 2**25
"""Values of a hidden layer in one forward pass outside training: 128 MB."""

_BETAS = (0.9, 0.999)
_EPSILON = 1e-7
_CLIP_NORM = 1.0
_NOT_DECAYED = "bias"


@dataclasses.dataclass(frozen=True)
class Member:
    """One model of a stack.

    Attributes:
        rows: Subjects that it is trained on: positions, int `[rows]`.
        seed: Seeds its weights and the order of its subjects.
        start: Weights of its linear path.
        balance: Weight of each task in its loss, float `[tasks]`.
    """

    rows: NDArray[np.int64]
    seed: tuple[int, ...]
    start: LinearStart
    balance: NDArray[np.float64]


class Stack(tf.Module):
    """Models of one architecture, with all weights stacked."""

    def __init__(
        self,
        encoding: Encoding,
        hyper: Hyperparameters,
        members: Sequence[Member],
        categories: NDArray[np.int32],
    ) -> None:
        """Initial weights.

        Args:
            encoding: Shape of the subjects.
            hyper: Hyperparameters; `members` is the size of each model's own ensemble.
            members: The models.
            categories: Codes of all subjects, int32 `[subjects, categories]`; the embeddings of
                codes that a model's own subjects lack are zero, since training would leave them
                random.
        """
        super().__init__()
        self.encoding = encoding
        self.hyper = hyper
        drawn = [_initial(encoding, hyper, member, categories) for member in members]
        self.weights = {
            name: tf.Variable(np.stack([weights[name] for weights in drawn]), name=name)
            for name in drawn[0]
        }

    def __len__(self) -> int:
        return int(self.weights["linear_bias"].shape[0])

    def count_params(self) -> int:
        """Number of weights."""
        return sum(math.prod(weight.shape) for weight in self.weights.values())

    def values(self) -> dict[str, NDArray[np.float32]]:
        """All weights by name."""
        return {name: weight.numpy() for name, weight in self.weights.items()}

    def decays(self) -> dict[str, float | NDArray[np.float32]]:
        """Weight decay of each weight; biases and the effects of the arms have none."""
        decay = self.hyper.weight_decay
        found: dict[str, float | NDArray[np.float32]] = {
            name: 0.0 if _NOT_DECAYED in name else decay for name in self.weights
        }
        if self.encoding.arms:
            of_codes = np.full((self.encoding.codes, 1), decay, np.float32)
            of_codes[list(self.encoding.arms)] = 0.0
            found["linear_codes"] = of_codes
        return found

    def add_to_arms(self, logits: NDArray[np.float64]) -> None:
        """Adds `logits` `[arms, tasks]` to what every model predicts for subjects of an arm."""
        if self.encoding.arms:
            codes = self.weights["linear_codes"]
            values = codes.numpy()
            values[:, list(self.encoding.arms)] += logits
            codes.assign(values)

    def assign(self, values: Mapping[str, NDArray[np.float32]]) -> None:
        """Sets all weights."""
        for name, weight in self.weights.items():
            weight.assign(values[name])

    def __call__(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        """Logits `[batch, models * members, tasks]` of numbers and categories, for serving."""
        del training
        numbers, codes = inputs
        models = len(self)
        rows = tf.shape(codes)[0] if self.encoding.categories else tf.shape(numbers)[0]
        logits = self.logits(
            tf.broadcast_to(numbers[tf.newaxis], [models, rows, self.encoding.numbers]),
            tf.broadcast_to(codes[tf.newaxis], [models, rows, self.encoding.categories]),
        )
        joined = tf.transpose(logits, [1, 0, 2, 3])
        return tf.reshape(joined, [rows, -1, len(self.encoding.tasks)])

    def logits(self, numbers: tf.Tensor, codes: tf.Tensor, noise: tf.Tensor | None = None) -> Any:
        """Logits of every model for subjects of its own.

        Args:
            numbers: float32 `[models, batch, numbers]`.
            codes: int32 `[models, batch, categories]`.
            noise: Seed of the dropout, int32 `[2]`, the same units for every model; None drops
                nothing.

        Returns:
            float32 `[models, batch, members, tasks]`.
        """
        linear = tf.expand_dims(self._linear(numbers, codes), 2)
        if not self.hyper.depth:
            return linear
        return linear + self._ensemble(numbers, codes, noise)

    def _linear(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        logits = self.weights["linear_bias"][:, tf.newaxis]
        if self.encoding.numbers:
            logits += tf.matmul(numbers, self.weights["linear_numbers"])
        if self.encoding.categories:
            picked = tf.gather(self.weights["linear_codes"], codes, axis=1, batch_dims=1)
            logits += tf.reduce_sum(picked, axis=2)
        return logits

    def _ensemble(self, numbers: tf.Tensor, codes: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
        hyper, weights = self.hyper, self.weights
        models, rows = len(self), tf.shape(numbers)[1]
        parts = [numbers]
        if self.encoding.categories:
            vectors = tf.gather(weights["table"], codes, axis=1, batch_dims=1)
            width = self.encoding.categories * hyper.embedding
            parts.append(tf.reshape(vectors, [models, rows, width]))
        inputs = tf.expand_dims(tf.concat(parts, axis=-1), 2)
        hidden = inputs * tf.expand_dims(weights["adapter"], 1)
        hidden = tf.reshape(hidden, [models, rows * hyper.members, inputs.shape[-1]])
        for layer in range(hyper.depth):
            hidden = tf.matmul(hidden, weights[f"kernel_{layer}"])
            hidden = tf.nn.relu(hidden + weights[f"bias_{layer}"][:, tf.newaxis])
            if noise is not None and hyper.dropout:
                hidden *= _kept(rows * hyper.members, hyper, noise + layer)
        hidden = tf.reshape(hidden, [models, rows, hyper.members, hyper.width])
        return tf.einsum("mbkw,mkwt->mbkt", hidden, weights["heads"])


def _kept(rows: tf.Tensor, hyper: Hyperparameters, seed: tf.Tensor) -> tf.Tensor:
    """Dropout's factors `[1, rows, width]`: 0, or what keeps the mean."""
    drawn = tf.random.stateless_uniform([1, rows, hyper.width], seed)
    return tf.cast(drawn >= hyper.dropout, tf.float32) / (1.0 - hyper.dropout)


def _initial(
    encoding: Encoding, hyper: Hyperparameters, member: Member, categories: NDArray[np.int32]
) -> dict[str, NDArray[np.float32]]:
    """Weights of one model before training; its ensemble adds nothing at first."""
    draw = np.random.default_rng(member.seed)
    tasks = len(encoding.tasks)
    weights: dict[str, NDArray[Any]] = {"linear_bias": member.start.bias}
    if encoding.numbers:
        weights["linear_numbers"] = member.start.numbers
    if encoding.categories:
        weights["linear_codes"] = member.start.codes
    if hyper.depth:
        width = encoding.numbers + hyper.embedding * encoding.categories
        if encoding.categories:
            seen = np.bincount(categories[member.rows].ravel(), minlength=encoding.codes) > 0
            table = draw.normal(size=(encoding.codes, hyper.embedding))
            weights["table"] = table / math.sqrt(hyper.embedding) * seen[:, np.newaxis]
        weights["adapter"] = draw.choice((-1.0, 1.0), size=(hyper.members, width))
        for layer in range(hyper.depth):
            kernel = draw.normal(size=(width, hyper.width)) * math.sqrt(2.0 / width)
            weights[f"kernel_{layer}"] = kernel
            weights[f"bias_{layer}"] = np.zeros(hyper.width)
            width = hyper.width
        weights["heads"] = np.zeros((hyper.members, hyper.width, tasks))
    return {name: values.astype(np.float32) for name, values in weights.items()}


class StackTrainer:
    """Trains a stack by AdamW, an epoch at a time.

    Every model has its own order of subjects, its own gradient norm to clip, and takes the same
    number of steps in an epoch, with batches of its own size.
    """

    def __init__(
        self, stack: Stack, members: Sequence[Member], arrays: Arrays, steps: int, seed: int
    ) -> None:
        """Prepares the training.

        Args:
            stack: Weights to train.
            members: Its models.
            arrays: All subjects; a model reads its own rows.
            steps: Steps of an epoch.
            seed: Seeds the dropout.
        """
        self._stack = stack
        self._members = members
        self._orders = [np.random.default_rng([*member.seed, 1]) for member in members]
        self._steps = steps
        self._batch = -(-max(len(member.rows) for member in members) // steps)
        self._noise = np.random.default_rng([seed, 2])
        self._numbers = tf.constant(arrays.numbers)
        self._codes = tf.constant(arrays.categories)
        self._labels = tf.constant(arrays.labels)
        balance = np.stack([member.balance for member in members]).astype(np.float32)
        weights = tf.constant(arrays.weights)
        self._epoch = _compiled_epoch(
            stack, (self._numbers, self._codes, self._labels, weights), tf.constant(balance)
        )
        self._forward = _compiled_forward(stack)

    def run_epoch(self) -> None:
        """One pass of every model over its own subjects."""
        shape = (self._steps, len(self._members), self._batch)
        rows, shares = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        for model, (member, order) in enumerate(zip(self._members, self._orders, strict=True)):
            parts = np.array_split(order.permutation(member.rows), self._steps)
            for step, part in enumerate(parts):
                rows[step, model, : len(part)] = part
                shares[step, model, : len(part)] = 1.0 / max(len(part), 1)
        noise = self._noise.integers(0, 2**30, size=(self._steps, 2), dtype=np.int32)
        self._epoch(tf.constant(rows), tf.constant(shares), tf.constant(noise))

    def logits(self) -> NDArray[np.float32]:
        """Mean logit of every model's ensemble for all subjects: `[models, subjects, tasks]`."""
        hyper, models = self._stack.hyper, len(self._members)
        rows = max(_MOST_VALUES // (models * hyper.members * hyper.width), 1)
        chunks = [
            self._forward(self._numbers[first : first + rows], self._codes[first : first + rows])
            for first in range(0, int(self._labels.shape[0]), rows)
        ]
        return np.concatenate([chunk.numpy() for chunk in chunks], axis=1)


def _compiled_forward(stack: Stack) -> Any:
    @tf.function(reduce_retracing=True, autograph=False)
    def forward(numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        members = stack((numbers, codes))
        tasks = len(stack.encoding.tasks)
        by_model = tf.reshape(members, [tf.shape(members)[0], len(stack), -1, tasks])
        return tf.transpose(tf.reduce_mean(by_model, axis=2), [1, 0, 2])

    return forward


def _compiled_epoch(stack: Stack, data: tuple[tf.Tensor, ...], balance: tf.Tensor) -> Any:
    """An epoch without Python code between its steps.

    Its loop is TensorFlow's own, since AutoGraph takes longer to convert it than it runs.
    """
    optimizer = _AdamW(stack.weights, stack.hyper, stack.decays())

    @tf.function(reduce_retracing=True, autograph=False)
    def epoch(rows: tf.Tensor, shares: tf.Tensor, noise: tf.Tensor) -> None:
        def take(step: tf.Tensor) -> tuple[tf.Tensor]:
            numbers, codes, labels, weights = (tf.gather(x, rows[step]) for x in data)
            factors = weights * balance[:, tf.newaxis] * shares[step][..., tf.newaxis]
            with tf.GradientTape() as tape:
                logits = stack.logits(numbers, codes, noise[step])
                loss = _summed_loss(logits, labels, factors)
            names = list(stack.weights)
            gradients = tape.gradient(loss, [stack.weights[name] for name in names])
            optimizer.apply(dict(zip(names, gradients, strict=True)))
            return (step + 1,)

        tf.while_loop(lambda step: step < tf.shape(rows)[0], take, (tf.constant(0),))

    return epoch


def _summed_loss(logits: tf.Tensor, labels: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Sum over the models of each model's mean over its batch, members and tasks."""
    tasks = tf.cast(tf.shape(logits)[-1], tf.float32)
    return tf.reduce_sum(tf.reduce_mean(cross_entropies(logits, labels), axis=2) * factors) / tasks


class _AdamW:
    """AdamW (Loshchilov & Hutter 2019) with each model's own gradient norm clipped.

    Keras's optimiser clips the norm over all weights, which would let the subjects of one model
    change the weights of another.
    """

    def __init__(
        self,
        weights: Mapping[str, tf.Variable],
        hyper: Hyperparameters,
        decays: Mapping[str, float | NDArray[np.float32]],
    ) -> None:
        self._weights = weights
        self._rate = hyper.learning_rate
        self._kept = {name: 1.0 - hyper.learning_rate * share for name, share in decays.items()}
        self._first = {name: tf.Variable(tf.zeros_like(w)) for name, w in weights.items()}
        self._second = {name: tf.Variable(tf.zeros_like(w)) for name, w in weights.items()}
        self._steps = tf.Variable(0.0)

    def apply(self, gradients: Mapping[str, Any]) -> None:
        """Takes a step."""
        dense = {name: tf.convert_to_tensor(gradient) for name, gradient in gradients.items()}
        squares = [
            tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(gradient.shape))))
            for gradient in dense.values()
        ]
        norm = tf.sqrt(tf.add_n(squares))
        scale = tf.minimum(1.0, tf.math.divide_no_nan(_CLIP_NORM, norm))
        scale = tf.where(norm > 0.0, scale, 1.0)
        self._steps.assign_add(1.0)
        corrections = [1.0 - tf.pow(beta, self._steps) for beta in _BETAS]
        rate = self._rate * tf.sqrt(corrections[1]) / corrections[0]
        for name, gradient in dense.items():
            weight, first, second = self._weights[name], self._first[name], self._second[name]
            axes = [-1] + [1] * (len(gradient.shape) - 1)
            clipped = gradient * tf.reshape(scale, axes)
            first.assign(_BETAS[0] * first + (1.0 - _BETAS[0]) * clipped)
            second.assign(_BETAS[1] * second + (1.0 - _BETAS[1]) * tf.square(clipped))
            step = rate * first / (tf.sqrt(second) + _EPSILON)
            weight.assign(weight * self._kept[name] - step)
