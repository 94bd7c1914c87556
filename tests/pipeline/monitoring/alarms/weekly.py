"""Weeks written out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from pipeline.monitoring.alarms.watched import (
    Counts,
    Reference,
    WatchedInput,
    WatchedTask,
    WeekOfCounts,
    WeekOfOutcomes,
)

FIRST = dt.date(2025, 1, 6)
"""A Monday."""

REFERENCE = Reference(1000, 250, 0.0, 0.15, 0.8, 0.016)


def monday(number: int) -> dt.date:
    """The Monday of a week, from 0."""
    return FIRST + dt.timedelta(weeks=number)


def outcomes(
    number: int, predictions: Sequence[float], outcome: Sequence[int], weight: float = 1.0
) -> WeekOfOutcomes:
    """One week of outcomes."""
    known = np.array(outcome, np.float64)
    return WeekOfOutcomes(monday(number), np.array(predictions), known, np.full(len(known), weight))


def calibrated(number: int, shift: float = 0.0) -> WeekOfOutcomes:
    """40 subjects, 10 with the outcome, mean prediction .25 + shift, AUC .88.

    Of the subjects with the outcome 6 are predicted .5, 4 are .3; of the others 18 are predicted .3
    and 12 are .1: the first are higher in 6 x 30 + 4 x 12 + 4 x 18 / 2 = 264 of 300 pairs.
    """
    with_outcome, others = [0.5] * 6 + [0.3] * 4, [0.3] * 18 + [0.1] * 12
    mean = (sum(with_outcome) + sum(others)) / 40
    predictions = np.clip(np.array(with_outcome + others) + 0.25 - mean + shift, 0, 1)
    return outcomes(number, predictions.tolist(), [1] * 10 + [0] * 30)


def task(weeks: Sequence[WeekOfOutcomes], reference: Reference = REFERENCE) -> WatchedTask:
    return WatchedTask("death", reference, weeks)


TRAINING = Counts({"1": 300, "2": 400, "3": 300}, 50)


def week_of_counts(
    number: int, low: float, middle: float, high: float, missing: float = 5.0
) -> WeekOfCounts:
    return WeekOfCounts(monday(number), Counts({"1": low, "2": middle, "3": high}, missing))


def age(weeks: Sequence[WeekOfCounts], ordered: bool = True) -> WatchedInput:
    return WatchedInput("AGE", "drift", TRAINING, weeks, ("1", "2", "3") if ordered else ())
