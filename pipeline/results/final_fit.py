"""How the final model agrees with the out-of-fold predictions: `final_fit.json`."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import Document

FINAL_FIT_FILE = "final_fit.json"
"""File name in the output `predictions` of CrossFit; absent under `split`."""

Measure = Literal["shift", "spread", "correlation"]


class Departure(Document):
    """How far the final model is from what a model of the procedure is like.

    Attributes:
        value: The measure of the final model minus the mean of the folds' models.
        bound: Largest absolute value with which a model is pushed; of `correlation` only a lower
            one counts.
    """

    value: float
    bound: float


class TaskAgreement(Document):
    """One task, on the scale of log odds; nothing about a single subject.

    Attributes:
        mean_difference: Mean over subjects of the final model's prediction minus the out-of-fold
            prediction of the same subject.
        spread_of_difference: Standard deviation of that difference.
        departures: By measure, each of the predictions against the out-of-fold predictions of the
            same subjects: `shift`, the mean difference; `spread`, the logarithm of the ratio of
            their standard deviations; `correlation`, the inverse hyperbolic tangent of their
            correlation (Fisher's z).
    """

    mean_difference: float
    spread_of_difference: float
    departures: dict[Measure, Departure]


class FinalFit(Document):
    """`final_fit.json`.

    Attributes:
        tasks: The tasks by name.
    """

    tasks: dict[str, TaskAgreement]
