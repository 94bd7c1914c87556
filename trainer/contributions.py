"""Why a prediction is what it is: contributions of the features to its log odds.

The contributions are Shapley values of the calibrated log odds against one reference (the "baseline
Shapley" of Sundararajan and Najmi 2020, "The many Shapley values for model explanation"): a subject
with the mean of every number and the most frequent category of every categorical feature, nothing
missing. A feature takes the subject's value or the reference's; a missing value is a value like
any other. The average runs over orders of the features and their reverses. Each order adds up to
the prediction less the reference's, so their average does; the linear path is exact in each of
them, and so are interactions of two features in an order with its reverse (Lomeli et al. 2019,
"Antithetic and Monte Carlo kernel estimators for partial rankings"; Mitchell et al. 2022, "Sampling
permutations for Shapley value estimation", section 4). Only what three or more features do together
is approximate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.preprocessing import SEPARATOR

PAIRS = 8
"""Orders of the features, each with its reverse."""

_SEED = 20_260_101
"""Of the orders: the same for every model, so that equal models have equal contributions."""


def reference_codes(vocabulary: Sequence[bytes], columns: int) -> tuple[int, ...]:
    """Code of the most frequent category of each categorical feature.

    Args:
        vocabulary: Transform's, sorted by falling frequency.
        columns: Number of categorical features.

    Returns:
        Per feature the code of its first entry, or of its rare categories where it has none.
    """
    first: dict[int, int] = {}
    for code, entry in enumerate(vocabulary):
        column, separator, _ = entry.decode().partition(SEPARATOR)
        # Transform writes an entry of its own where there is no category.
        if separator:
            first.setdefault(int(column), code)
    return tuple(first.get(column, len(vocabulary) + column) for column in range(columns))


def orders(features: int) -> NDArray[np.int32]:
    """Place of each feature in each order, int32 `[2 * PAIRS, features]`."""
    generator = np.random.default_rng(_SEED)
    places = np.stack([generator.permutation(features) for _ in range(PAIRS)])
    return np.concatenate([places, features - 1 - places]).astype(np.int32)


class Contributions:
    """Contributions to the log odds of every task.

    Args:
        log_odds: Calibrated log odds `[rows, tasks]` of numbers float32 `[rows, 2 * numeric]` and
            codes int32 `[rows, categorical]`, as `trainer.preprocessing` makes them.
        numeric: Number of numeric features.
        reference: Code of the reference for each categorical feature.
    """

    def __init__(
        self,
        log_odds: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        numeric: int,
        reference: Sequence[int],
    ) -> None:
        self._log_odds = log_odds
        self._numeric = numeric
        self._reference = tf.constant(reference, tf.int32, [len(reference)])
        self._features = numeric + len(reference)
        self._orders = tf.constant(orders(self._features))
        # One trace for all signatures, and for the means over subjects.
        rows = [
            tf.TensorSpec([None, 2 * numeric], tf.float32),
            tf.TensorSpec([None, len(reference)], tf.int32),
        ]
        self._traced = tf.function(self._explain, input_signature=rows, autograph=False)
        self._traced_pairs = tf.function(self._pair, input_signature=rows, autograph=False)

    def __call__(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        """Contributions of every feature, and the log odds of the reference.

        Args:
            numbers: Scores, then indicators of missing values, float32 `[rows, 2 * numeric]`.
            codes: int32 `[rows, categorical]`.

        Returns:
            float32 `[rows, features + 1, tasks]`: the numeric features, the categorical ones, and
            last the log odds of the reference. Their sum is the subject's log odds.
        """
        return self._traced(numbers, codes)

    def _explain(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        first = self._along(self._orders[0], numbers, codes)
        # One order at a time: all at once would hold a model's inputs 2 * PAIRS times as often.
        total = tf.foldl(
            lambda found, places: found + self._along(places, numbers, codes)[:, 1:],
            self._orders[1:],
            initializer=first[:, 1:],
            parallel_iterations=1,
        )
        mean = total / tf.cast(tf.shape(self._orders)[0], total.dtype)
        return tf.concat([mean, first[:, :1]], axis=1)

    def pairs(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        """What two features do together and neither does alone.

        The log odds with the subject's values of both, less those with each of them, plus those of
        the reference; all other features have the reference's values.

        Args:
            numbers: As in a call.
            codes: As in a call.

        Returns:
            float32 `[rows, features, features, tasks]`; symmetric, 0 for a feature with itself.
        """
        return self._traced_pairs(numbers, codes)

    def _pair(self, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        alone = tf.eye(self._features, dtype=tf.bool)
        nothing = tf.zeros([1, self._features], tf.bool)
        steps = self._of_joined(tf.concat([nothing, alone], axis=0), numbers, codes)
        reference, single = steps[:, :1], steps[:, 1:]
        # One feature at a time, for the same reason as above.
        both = tf.map_fn(
            lambda first: self._of_joined(tf.logical_or(alone, first), numbers, codes),
            alone,
            fn_output_signature=tf.TensorSpec([None, self._features, single.shape[2]], tf.float32),
            parallel_iterations=1,
        )
        both = tf.transpose(both, [1, 0, 2, 3])
        found = both - single[:, :, tf.newaxis] - single[:, tf.newaxis] + reference[:, tf.newaxis]
        return tf.where(alone[:, :, tf.newaxis], 0.0, found)

    def _along(self, places: tf.Tensor, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        """Log odds of the reference, then what each feature changes as it joins in its place.

        Returns:
            float32 `[rows, 1 + features, tasks]`.
        """
        joined = places[tf.newaxis] < tf.range(self._features + 1)[:, tf.newaxis]
        path = self._of_joined(joined, numbers, codes)
        gains = tf.gather(path[:, 1:] - path[:, :-1], places, axis=1)
        return tf.concat([path[:, :1], gains], axis=1)

    def _of_joined(self, joined: tf.Tensor, numbers: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
        """Log odds where some features have the subject's values, the others the reference's.

        Args:
            joined: Which have the subject's, bool `[sets, features]`.
            numbers: As in a call.
            codes: As in a call.

        Returns:
            float32 `[rows, sets, tasks]`.
        """
        with_number, with_code = joined[:, : self._numeric], joined[:, self._numeric :]
        with_score = tf.concat([with_number, with_number], axis=1)
        rows, sets = tf.shape(numbers)[0], tf.shape(joined)[0]
        log_odds = self._log_odds(
            tf.reshape(
                tf.where(with_score, numbers[:, tf.newaxis], 0.0),
                [rows * sets, 2 * self._numeric],
            ),
            tf.reshape(
                tf.where(with_code, codes[:, tf.newaxis], self._reference),
                [rows * sets, self._features - self._numeric],
            ),
        )
        return tf.reshape(log_odds, [rows, sets, log_odds.shape[1]])
