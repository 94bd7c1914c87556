"""One metric of one task in one group."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.results.documents import Group, MetricRecord, ModelRole
from pipeline.results.judged import is_of_champion


@dataclass(frozen=True)
class Record:
    """A metric with its interval and the number of subjects behind it.

    Attributes:
        task: The task.
        group: The group of subjects.
        metric: The metric.
        decision_threshold: Probability from which a prediction is positive; None for metrics of
            probabilities.
        model: `challenger` is the model under evaluation, `champion` the current champion,
            `difference` challenger minus champion or, if `versus` names one, a reference model;
            else the name of a reference model.
        value: The point estimate; not a number if undefined.
        lower: Lower bound of the 95 % interval; not a number if there is none.
        upper: Upper bound.
        subjects: Subjects of the group whose outcome is known.
        positives: Those of them with the outcome.
        versus: Reference model that a difference is to; None for the champion.
        unknown: Subjects of the group whose outcome is unknown.
    """

    task: str
    group: Group
    metric: str
    decision_threshold: float | None
    model: ModelRole
    value: float
    lower: float
    upper: float
    subjects: int
    positives: int
    versus: str | None = None
    unknown: int = 0

    @property
    def negatives(self) -> int:
        """Subjects without the outcome."""
        return self.subjects - self.positives

    @property
    def is_of_champion(self) -> bool:
        """Whether it is of the subjects on which the champion is compared."""
        return is_of_champion(self.model, self.versus)

    def shown(self) -> MetricRecord:
        """The record as in `metrics.json`; not-a-number becomes null."""
        return MetricRecord(
            task=self.task,
            slice=dict(self.group),
            metric=self.metric,
            decision_threshold=self.decision_threshold,
            model=self.model,
            versus=self.versus,
            value=number_or_none(self.value),
            lower=number_or_none(self.lower),
            upper=number_or_none(self.upper),
            subjects=self.subjects,
            positives=self.positives,
        )


def number_or_none(value: float) -> float | None:
    """The number, or None in place of infinity and not-a-number, which JSON lacks."""
    return value if math.isfinite(value) else None
