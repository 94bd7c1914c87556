"""What alarms are computed from: references of the training and weeks of what came since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """How a model predicted subjects of its training that it was not fitted to.

    From out-of-fold predictions or those of a test split. With weights of censoring, subjects and
    events are effective numbers: the square of a sum of weights divided by the sum of squares.

    Attributes:
        subjects: Subjects with a known outcome.
        events: Those of them with the outcome.
        mean_error: Mean of prediction minus outcome, weighted.
        error_variance: Variance of prediction minus outcome between subjects, weighted by the
            squares of the weights: divided by `subjects` it is that of the mean error.
        auc: Area under the ROC curve; None where it could not be computed.
        auc_error: Standard error of the AUC from the subjects alone (DeLong). Without it, or with
            0, the AUC is not watched.
    """

    subjects: float
    events: float
    mean_error: float
    error_variance: float
    auc: float | None = None
    auc_error: float | None = None

    def has_auc(self) -> bool:
        """Whether an AUC can be compared with it."""
        return self.auc is not None and bool(self.auc_error)


@dataclass(frozen=True, eq=False)
class WeekOfOutcomes:
    """Outcomes of one task that became known in one week.

    A subject belongs to the week in which its follow-up was complete, whatever its outcome: if
    events counted as soon as they happen, the first weeks would hold events alone, and a stable
    model would seem to predict too low.

    Attributes:
        week: Monday of the ISO week, UTC.
        predictions: What the model had predicted, from 0 to 1, `[n]`.
        outcomes: 1 or 0, `[n]`.
        weights: Inverse probability of censoring; who is censored has 0, or is left out. `[n]`.
    """

    week: dt.date
    predictions: _FloatArray
    outcomes: _FloatArray
    weights: _FloatArray


@dataclass(frozen=True)
class WatchedTask:
    """A task of the model in service.

    Attributes:
        task: Name of the task.
        reference: Of the training of the same model.
        weeks: What came; in any order, each week once. Weeks in which nothing came may be absent.
    """

    task: str
    reference: Reference
    weeks: Sequence[WeekOfOutcomes]


@dataclass(frozen=True)
class Counts:
    """Subjects by bin.

    Attributes:
        bins: Subjects by name of a bin; a bin that is absent has none.
        missing: Subjects without the value.
    """

    bins: Mapping[str, float]
    missing: float = 0.0


@dataclass(frozen=True)
class WeekOfCounts:
    """Subjects whom the model predicted in one week.

    Attributes:
        week: Monday of the ISO week, UTC.
        counts: Their bins.
    """

    week: dt.date
    counts: Counts


@dataclass(frozen=True)
class WatchedInput:
    """A feature, or the predicted risk of a task, by bins.

    Attributes:
        name: Name of the feature, or of the task.
        kind: `drift` of a feature, whose missing values are watched as well, or `risk_drift`.
        training: Counts of the training subjects in the same bins.
        weeks: What came; in any order, each week once.
        order: Bins from low to high, where they have an order; without one (categories) an alarm
            has no direction but names the bin that changed most.
    """

    name: str
    kind: Literal["drift", "risk_drift"]
    training: Counts
    weeks: Sequence[WeekOfCounts]
    order: Sequence[str] = field(default=())
