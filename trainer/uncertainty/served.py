"""Intervals and sets in a saved model's signatures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from pipeline.names import EXAMPLES_SIGNATURE, slice_key
from pipeline.results.signatures import COLUMNS_SIGNATURE, SLICES_SIGNATURE
from pipeline.results.uncertainty import (
    LOWER,
    SET_NEGATIVE,
    SET_POSITIVE,
    UPPER,
    TaskUncertainty,
    Uncertainty,
    output_name,
)
from trainer.resaved import Inputs, Outputs

_Slices = Mapping[str, tf.Tensor]
"""Value of each subject by slicing, string `[batch]`; empty where it is not known."""


class ServedUncertainty:
    """Interval and set beside each prediction of a model's signatures.

    The serialized examples of `serving_default` may have the columns of slices that
    TrialExampleGen writes; `columns_with_slices` takes them as arguments. Where a subject lacks one
    of them, and in `columns`, which does not take them, a set is as if there were no groups: it
    holds what it promises of all subjects of a level, not of those of a group.

    Args:
        uncertainty: Intervals and sets.
    """

    def __init__(self, uncertainty: Uncertainty) -> None:
        self._uncertainty = uncertainty
        # One trace for all signatures.
        self._parts = tf.function(self._parts_of_tasks, autograph=False)

    def added(self, signature: str, inputs: Inputs, outputs: Outputs) -> Outputs:
        """Outputs of a signature that predicts, with interval and set beside each prediction.

        Args:
            signature: Its name; those that do not predict stay as they are.
            inputs: Its inputs.
            outputs: Its outputs, probabilities `[batch, 1]` by task.
        """
        if signature not in (EXAMPLES_SIGNATURE, COLUMNS_SIGNATURE, SLICES_SIGNATURE):
            return outputs
        names = _slicings(self._uncertainty)
        if signature == EXAMPLES_SIGNATURE:
            (examples,) = inputs.values()
            slices = _slices(examples, names)
        elif signature == SLICES_SIGNATURE:
            slices = {name: inputs[slice_key(name)] for name in names}
        else:
            unknown = tf.fill([tf.shape(next(iter(outputs.values())))[0]], "")
            slices = dict.fromkeys(names, unknown)
        fitted = {task: outputs[task] for task in outputs if task in self._uncertainty.fitted}
        return {**outputs, **(self._parts(fitted, slices) if fitted else {})}

    def _parts_of_tasks(self, probabilities: Outputs, slices: _Slices) -> dict[str, tf.Tensor]:
        return {
            output_name(task, part): found[:, None]
            for task, probability in probabilities.items()
            for part, found in _parts(
                tf.reshape(probability, [-1]), self._uncertainty.tasks[task], slices
            ).items()
        }


def _slicings(uncertainty: Uncertainty) -> list[str]:
    """Slicings of the groups that sets are conditional on, in alphabetical order."""
    tasks = uncertainty.tasks.values()
    return sorted({name for task in tasks for group in task.groups for name in group.slice})


def _slices(examples: tf.Tensor, names: Sequence[str]) -> _Slices:
    if not names:
        return {}
    spec = {slice_key(name): tf.io.VarLenFeature(tf.string) for name in names}
    parsed = tf.io.parse_example(examples, spec)
    rows = tf.size(examples, out_type=tf.int64)
    return {name: _first(parsed[slice_key(name)], rows) for name in names}


def _first(column: tf.SparseTensor, rows: tf.Tensor) -> tf.Tensor:
    """The value of each row, empty where it has none; `[rows]`."""
    first = column.indices[:, 1] == 0
    place = tf.boolean_mask(column.indices[:, :1], first)
    values = tf.boolean_mask(column.values, first)
    return tf.tensor_scatter_nd_update(tf.fill([rows], ""), place, values)


def _parts(
    probability: tf.Tensor, uncertainty: TaskUncertainty, slices: _Slices
) -> dict[str, tf.Tensor]:
    steps = tf.constant(uncertainty.starts, tf.float32)
    step = (
        tf.searchsorted(steps, probability, side="right")
        if uncertainty.starts
        else tf.zeros_like(probability, tf.int32)
    )
    inner = tf.cast(probability, tf.float64)
    negative, positive = (
        tf.fill(tf.shape(inner), tf.constant(_threshold(of), tf.float64))
        for of in (uncertainty.negative, uncertainty.positive)
    )
    for group in uncertainty.groups:
        inside = tf.ones_like(probability, tf.bool)
        for name, value in group.slice.items():
            inside &= slices[name] == value
        member = tf.cast(inside, tf.float64)
        negative += group.negative * member
        positive += group.positive * member
    if uncertainty.groups:
        unknown = _with_unknown_group(probability, uncertainty, slices)
        negative, positive = (
            tf.where(unknown, tf.constant(_threshold(alone), tf.float64), of_groups)
            for alone, of_groups in (
                (uncertainty.negative_alone, negative),
                (uncertainty.positive_alone, positive),
            )
        )
    return {
        LOWER: tf.gather(tf.constant(uncertainty.lower, tf.float32), step),
        UPPER: tf.gather(tf.constant(uncertainty.upper, tf.float32), step),
        SET_NEGATIVE: tf.cast(inner <= negative, tf.float32),
        SET_POSITIVE: tf.cast(1 - inner <= positive, tf.float32),
    }


def _with_unknown_group(
    probability: tf.Tensor, uncertainty: TaskUncertainty, slices: _Slices
) -> tf.Tensor:
    """Whether a subject's value is unknown in a slicing of the groups; bool `[batch]`."""
    unknown = tf.zeros_like(probability, tf.bool)
    for name in sorted({name for group in uncertainty.groups for name in group.slice}):
        unknown |= slices[name] == ""
    return unknown


def _threshold(of: float | None) -> float:
    return math.inf if of is None else of
