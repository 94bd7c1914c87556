"""Saves a model again with recalibrated probabilities."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import tensorflow as tf

from pipeline import storage
from pipeline.log_odds import SMALLEST_PROBABILITY
from pipeline.results.contributions import CONTRIBUTIONS_SIGNATURE, INTERACTIONS_SIGNATURE
from pipeline.results.registration import Recalibrated
from pipeline.results.uncertainty import SERVED_FILE, is_part, read_uncertainty
from trainer.endpoint.tensors import probabilities
from trainer.resaved import Inputs, Outputs, save_with_outputs

RECALIBRATED = (
    "The predictions are recalibrated on other subjects: intervals and sets of the predictions "
    "before do not belong to them."
)
"""Why a recalibrated task has no interval and no set."""


def save_updated(source: str, target: str, tasks: Mapping[str, Recalibrated]) -> None:
    """Saves a SavedModel with the same signatures, whose predictions are recalibrated.

    Contributions are those to the recalibrated log odds. A recalibrated task has no interval and no
    set any more: they were fitted to the predictions before, of other subjects.

    Args:
        source: Folder of the SavedModel, a local path.
        target: Folder of the new one.
        tasks: Linear function of the logit of each task that is updated.
    """

    def change(signature: str, _: Inputs, outputs: Outputs) -> Outputs:
        recalibrate = _recalibration_of(signature)
        return {
            task: recalibrate(output, tasks[task]) if task in tasks else output
            for task, output in outputs.items()
            if not _is_stale(task, tasks)
        }

    save_with_outputs(source, target, change)
    uncertainty = read_uncertainty(f"{source}/{SERVED_FILE}")
    if uncertainty:
        content = uncertainty.without(dict.fromkeys(tasks, RECALIBRATED))
        storage.write_whole(f"{target}/{SERVED_FILE}", content.model_dump_json().encode())


def _is_stale(output: str, updated: Collection[str]) -> bool:
    """Whether an output is the interval or set of a prediction that is no more."""
    return is_part(output) and output.rpartition("/")[0] in updated


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
    updated = probabilities(update.intercept + update.slope * logit)
    return tf.cast(updated, probability.dtype)


def _recalibrate_contributions(contributions: tf.Tensor, update: Recalibrated) -> tf.Tensor:
    """Contributions, and the log odds of the reference in the last column."""
    scaled = update.slope * contributions
    return tf.concat([scaled[:, :-1], scaled[:, -1:] + update.intercept], axis=1)
