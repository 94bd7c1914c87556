"""What the curves of `curves.json` are made of."""

from __future__ import annotations

from pipeline.documents import Count, Document
from pipeline.estimates import Estimate


class CalibrationBin(Document):
    """Subjects with similar predictions; 95 % interval of the observed rate.

    Attributes:
        mean_prediction: Their mean prediction.
        observed_rate: Share of them with the outcome.
        lower: Lower bound of its interval.
        upper: Upper bound.
        subjects: Number of subjects.
    """

    mean_prediction: float
    observed_rate: float
    lower: float
    upper: float
    subjects: Count

    @property
    def observed(self) -> Estimate:
        """The observed rate with its interval."""
        return Estimate(self.observed_rate, self.lower, self.upper)


class RocPoint(Document):
    """Rates at a decision threshold.

    Attributes:
        threshold: The decision threshold; rounded unless it is one of the study file, since the
            exact one would be the prediction of a subject.
        false_positive_rate: Share of subjects without the outcome that count as positive.
        true_positive_rate: Share of subjects with the outcome that count as positive.
    """

    threshold: float
    false_positive_rate: float
    true_positive_rate: float


class Confusion(Document):
    """Subjects by decision and outcome; of a group rounded where labels are unknown.

    Attributes:
        decision_threshold: Probability from which a prediction is positive.
        true_positives: Subjects with the outcome that count as positive.
        false_positives: Subjects without it that count as positive.
        true_negatives: Subjects without it that count as negative.
        false_negatives: Subjects with it that count as negative.
        true_positive_rate: Weighted share of the subjects with the outcome that count as positive;
            null where it follows from the numbers: they are neither weighted nor rounded.
        false_positive_rate: The same of those without the outcome.
    """

    decision_threshold: float
    true_positives: Count
    false_positives: Count
    true_negatives: Count
    false_negatives: Count
    true_positive_rate: float | None = None
    false_positive_rate: float | None = None


class WeightedOutcomes(Document):
    """Outcomes of a group whose subjects are weighted for the end of their follow-up.

    Attributes:
        observed_rate: Weighted share of subjects with the outcome.
        effective_subjects: Number of subjects of equal weight that would say as much, to three
            digits.
    """

    observed_rate: float
    effective_subjects: float
