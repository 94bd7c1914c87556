"""Saves a model again with recalibrated probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from pipeline.log_odds import SMALLEST_PROBABILITY
from pipeline.results.registration import Recalibrated
from trainer.resaved import Outputs, save_with_outputs


def save_updated(source: str, target: str, tasks: Mapping[str, Recalibrated]) -> None:
    """Saves a SavedModel with the same signatures, whose probabilities are recalibrated.

    Args:
        source: Folder of the SavedModel, a local path.
        target: Folder of the new one.
        tasks: Linear function of the logit of each task that is updated.
    """

    def change(outputs: Outputs) -> Outputs:
        return {
            task: _recalibrate(probability, tasks[task]) if task in tasks else probability
            for task, probability in outputs.items()
        }

    save_with_outputs(source, target, change)


def _recalibrate(probability: tf.Tensor, update: Recalibrated) -> tf.Tensor:
    inner = tf.clip_by_value(
        tf.cast(probability, tf.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )
    logit = tf.math.log(inner) - tf.math.log1p(-inner)
    updated = tf.sigmoid(update.intercept + update.slope * logit)
    return tf.cast(updated, probability.dtype)
