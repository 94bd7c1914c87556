"""What a metric of a model is; `pipeline.metrics` has all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trials = Literal["subjects", "positives", "negatives", "predicted_positives", "predicted_negatives"]
"""Denominator of a share: all subjects with a known label, those with the outcome, those without
it, those predicted to have it, or those predicted not to have it."""


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes:
        name: In study files, documents and the store.
        title: For people.
        says: Its explanation, a sentence for readers who are not statisticians.
        lowest: Smallest value that it can have.
        highest: Largest value that it can have.
        decimals: Digits after the point.
        percent: Whether it is shown in percent.
        ideal: Value of a perfect model; None for metrics that describe the subjects.
        at_decision: Whether it exists at each decision threshold of a task.
        computed: Whether the Evaluator computes it; others follow from its curves.
        judged: Whether a study can have thresholds for it.
        trials: Denominator of a share; None for other metrics.
        of_uncertainty: Whether it measures intervals and sets, which only the challenger has.
        of_counts: Whether numbers of subjects could follow from it though it is no share.
    """

    name: str
    title: str
    says: str
    lowest: float = 0.0
    highest: float = 1.0
    decimals: int = 3
    percent: bool = False
    ideal: float | None = None
    at_decision: bool = False
    computed: bool = True
    judged: bool = True
    trials: Trials | None = None
    of_uncertainty: bool = False
    of_counts: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether numbers of subjects could follow from it: not from means of predictions."""
        return self.of_counts or self.trials is not None

    def bounds(self, difference: bool) -> tuple[float, float]:
        """Smallest and largest value that it, or a difference of two models in it, can have.

        Examples:
            >>> Metric("auc", "AUC", "").bounds(difference=False)
            (0.0, 1.0)
            >>> Metric("auc", "AUC", "").bounds(difference=True)
            (-1.0, 1.0)
        """
        if not difference:
            return self.lowest, self.highest
        width = self.highest - self.lowest
        return -width, width
