"""Coverage of the prediction sets of a whole run beside the share that they promise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.names import label_key, slice_key, weight_key
from tests.whole_runs import Run

FEWEST = 500
MANY = 4_000


def uncovered(run: Run) -> tuple[int, list[str]]:
    """Groups of a level whose coverage is not .90 within the bound.

    The bound is 3.5 standard deviations, and .02 where as many as 4,000 calibrate and are tested.
    Groups are those that sets are conditional on: at least 500 of the level to calibrate on.

    Args:
        run: A run that has ended.

    Returns:
        How many were compared, and a text for each that departs.
    """
    calibration = _calibration_of(run)
    compared, found = 0, []
    for record in run.metrics:
        if record["model"] != "challenger" or not record["metric"].startswith("coverage_"):
            continue
        positive = record["metric"] == "coverage_positive"
        positives, subjects = record["positives"], record["subjects"]
        tested = positives if positive else subjects - positives
        calibrating = calibration.of(record, positive, tested)
        if calibrating < FEWEST:
            continue
        compared += 1
        if abs(record["value"] - 0.9) > bound(calibrating, tested):
            found.append(f"{record['task']} {record['slice']}: {record['metric']} {record}")
    return compared, found


def bound(calibrating: float, tested: float) -> float:
    """Largest distance of a coverage from .90, by the subjects of the level and group."""
    sampling = 3.5 * sqrt(0.09 * (1 / calibrating + 1 / tested))
    return min(sampling, 0.02) if min(calibrating, tested) >= MANY else sampling


@dataclass(frozen=True)
class _Calibration:
    """Subjects that sets are calibrated on.

    Attributes:
        folds: Folds of a run that was evaluated out of fold: sets of one are calibrated on the
            others. 0 under `split`.
        columns: Of the subjects that calibrate under `split`, by name.
    """

    folds: int
    columns: Mapping[str, NDArray[Any]]

    def of(self, record: Mapping[str, Any], positive: bool, tested: int) -> float:
        """How many of a level of a record's group."""
        if self.folds:
            return tested * (self.folds - 1) / self.folds
        task = record["task"]
        level = self.columns[weight_key(task)] > 0
        level &= (self.columns[label_key(task)] > 0.5) == positive
        for slicing, value in record["slice"].items():
            level &= self.columns[slice_key(slicing)] == value
        return float(level.sum())


def _calibration_of(run: Run) -> _Calibration:
    folds = json.loads(run.metrics_text)["evaluation"]["folds"]
    return _Calibration(folds, {} if folds else _eval_columns(run))


def _eval_columns(run: Run) -> dict[str, NDArray[Any]]:
    """Labels, weights and slices of the subjects of the `eval` split."""
    import tensorflow as tf

    files = (run.output("TrialExampleGen", "examples") / "Split-eval").glob("*.gz")
    records = tf.data.TFRecordDataset([str(path) for path in files], compression_type="GZIP")
    rows = [tf.train.Example.FromString(record.numpy()).features.feature for record in records]
    prefixes = (label_key(""), weight_key(""), slice_key(""))
    names = {name for row in rows for name in row if name.startswith(prefixes)}
    return {
        name: np.array(
            [
                row[name].bytes_list.value[0].decode()
                if name.startswith(slice_key(""))
                else row[name].float_list.value[0]
                for row in rows
            ]
        )
        for name in names
    }
