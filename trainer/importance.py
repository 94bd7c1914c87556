"""Importance of features: the mean size of their contributions over subjects.

The mean of absolute Shapley values (Lundberg SM, et al. Nat Mach Intell 2020;2:56-67, who call it
global feature importance), here of `trainer.contributions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pipeline.results.importance import FeaturePair, Importance, TaskImportance
from trainer.arrays import Arrays
from trainer.contributions import Contributions

MOST_SUBJECTS = 500
"""Subjects that contributions are averaged over, at most: the standard error of a mean size, whose
standard deviation is about the mean itself, is 4 to 5 % then."""

MOST_PAIRED = 200
"""Subjects that pairs are averaged over, at most: they take a pass for each two features."""

_PAIRS = 5
_SMALLEST_PAIR = 0.01
"""Mean size in log odds below which a pair is none: it changes no probability by .003."""

_ROWS = 256


def measure_importance(
    contributions: Contributions, arrays: Arrays, features: Sequence[str], tasks: Sequence[str]
) -> Importance:
    """Averages contributions over subjects.

    Of more subjects than are needed those at equal distances are taken, in an order that depends on
    their values alone.

    Args:
        contributions: Those of the model.
        arrays: Subjects; their order does not matter.
        features: Features in the order of the contributions.
        tasks: Names of the tasks.
    """
    order = arrays.order()
    explained = arrays.take(_spaced(order, MOST_SUBJECTS))
    paired = arrays.take(_spaced(order, MOST_PAIRED))
    sizes = _mean_sizes(contributions, explained)[: len(features)]
    pairs = _mean_sizes(contributions.pairs, paired)
    return Importance(
        subjects=len(explained),
        paired=len(paired),
        tasks={
            task: TaskImportance(
                features={
                    features[place]: float(sizes[place, column])
                    for place in np.argsort(-sizes[:, column], kind="stable")
                },
                pairs=tuple(_strongest(pairs[:, :, column], features)),
            )
            for column, task in enumerate(tasks)
        },
    )


def _spaced(order: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of the places, at equal distances."""
    return order[:: -(-len(order) // most)]


def _mean_sizes(
    explain: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], arrays: Arrays
) -> NDArray[np.float64]:
    """Mean absolute value over subjects of what `explain` answers."""
    total: NDArray[np.float64] | float = 0.0
    for start in range(0, len(arrays), _ROWS):
        rows = slice(start, start + _ROWS)
        found = explain(
            tf.constant(arrays.numbers[rows], tf.float32),
            tf.constant(arrays.categories[rows], tf.int32),
        )
        total = total + np.abs(found.numpy().astype(np.float64)).sum(axis=0)
    return np.asarray(total / len(arrays), np.float64)


def _strongest(pairs: NDArray[np.float64], features: Sequence[str]) -> list[FeaturePair]:
    first, second = np.triu_indices(len(features), 1)
    order = np.argsort(-pairs[first, second], kind="stable")[:_PAIRS]
    return [
        FeaturePair(
            first=features[first[place]],
            second=features[second[place]],
            size=float(pairs[first[place], second[place]]),
        )
        for place in order
        if pairs[first[place], second[place]] >= _SMALLEST_PAIR
    ]
