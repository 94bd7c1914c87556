"""Saves a model again with recalibrated probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

from pipeline.log_odds import SMALLEST_PROBABILITY
from pipeline.results.contributions import CONTRIBUTIONS_SIGNATURE, INTERACTIONS_SIGNATURE
from pipeline.results.registration import Recalibrated
from trainer.resaved import Outputs, save_with_outputs


def save_updated(source: str, target: str, tasks: Mapping[str, Recalibrated]) -> None:
    """Saves a SavedModel with the same signatures, whose predictions are recalibrated.

    Contributions are those to the recalibrated log odds.

    Args:
        source: Folder of the SavedModel, a local path.
        target: Folder of the new one.
        tasks: Linear function of the logit of each task that is updated.
    """

    def change(signature: str, outputs: Outputs) -> Outputs:
        recalibrate = _recalibration_of(signature)
        return {
            task: recalibrate(output, tasks[task]) if task in tasks else output
            for task, output in outputs.items()
        }

    save_with_outputs(source, target, change)


def _recalibration_of(signature: str) -> Callable[[tf.Tensor, Recalibrated], tf.Tensor]:
    if signature.endswith(CONTRIBUTIONS_SIGNATURE):
        return _recalibrate_contributions
    if signature.endswith(INTERACTIONS_SIGNATURE):
        return lambda interactions, update: update.slope * interactions
    return _recalibrate


def _recalibrate(probability: tf.Tensor, update: Recalibrated) -> tf.Tensor:
    inner = tf.clip_by_value(
        tf.cast(probability, tf.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )
    logit = tf.math.log(inner) - tf.math.log1p(-inner)
    updated = tf.sigmoid(update.intercept + update.slope * logit)
    return tf.cast(updated, probability.dtype)


def _recalibrate_contributions(contributions: tf.Tensor, update: Recalibrated) -> tf.Tensor:
    """Contributions, and the log odds of the reference in the last column."""
    scaled = update.slope * contributions
    return tf.concat([scaled[:, :-1], scaled[:, -1:] + update.intercept], axis=1)
