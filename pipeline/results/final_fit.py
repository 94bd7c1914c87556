"""How the final model agrees with the models of the folds: `final_fit.json`."""

from __future__ import annotations

from pipeline.documents import Document

FINAL_FIT_FILE = "final_fit.json"
"""File name in the output `predictions` of CrossFit; absent under `split`."""


class Departure(Document):
    """A number that is 0 where the final model predicts as the models of the folds do.

    Attributes:
        value: The number.
        bound: Largest absolute value with which a model is pushed.
    """

    value: float
    bound: float


class TaskAgreement(Document):
    """One task, on the scale of log odds; nothing about a single subject.

    Attributes:
        mean_difference: Mean over subjects of the final model's prediction minus the out-of-fold
            prediction of the same subject.
        spread_of_difference: Standard deviation of that difference.
        departures: By name: `shift`, the mean difference to the models of the folds that were
            trained on the subject; `slope` and `correlation` of the regression on their mean,
            minus 1.
    """

    mean_difference: float
    spread_of_difference: float
    departures: dict[str, Departure]


class FinalFit(Document):
    """`final_fit.json`.

    Attributes:
        tasks: The tasks by name.
    """

    tasks: dict[str, TaskAgreement]
