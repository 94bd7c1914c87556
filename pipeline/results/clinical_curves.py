"""Parts of `curves.json` by which a reader judges probabilities and decisions.

`components.evaluator` computes them: `smooth_calibration` and `decision_curve`.
"""

from __future__ import annotations

from pipeline.documents import Document
from pipeline.estimates import Estimate


class SmoothPoint(Document):
    """A point of the smoothed calibration curve with its 95 % band.

    Attributes:
        prediction: Predicted probability.
        observed_rate: Estimated rate of the outcome among subjects with this prediction.
        lower: Lower end of the band at this prediction.
        upper: Upper end.
    """

    prediction: float
    observed_rate: float
    lower: float
    upper: float


class DecisionPoint(Document):
    """Net benefit at a decision threshold (Vickers and Elkin, Med Decis Making 2006;26:565-74).

    True positives minus the false positives times the odds of the threshold, per subject. Treating
    no subject has a net benefit of 0.

    Attributes:
        threshold: Probability from which a subject is treated.
        net_benefit: Of treating by the model's prediction.
        lower: Lower end of its 95 % interval; null if no subject with the outcome is treated.
        upper: Upper end.
        treat_all: Net benefit of treating all.
        over_all: Net benefit by the model minus that of treating all.
        over_all_lower: Lower end of its 95 % interval, which is of the paired difference; null if
            all subjects with the outcome are treated.
        over_all_upper: Upper end.
    """

    threshold: float
    net_benefit: float
    lower: float | None
    upper: float | None
    treat_all: float
    over_all: float
    over_all_lower: float | None
    over_all_upper: float | None

    @property
    def estimate(self) -> Estimate:
        """The net benefit with its interval."""
        return Estimate(self.net_benefit, self.lower, self.upper)

    @property
    def gain_over_all(self) -> Estimate:
        """The net benefit minus that of treating all, with its interval."""
        return Estimate(self.over_all, self.over_all_lower, self.over_all_upper)

    @property
    def is_useful(self) -> bool:
        """Whether both intervals say that the model is better than treating all and than none."""
        return (
            self.lower is not None
            and self.over_all_lower is not None
            and self.lower > 0
            and self.over_all_lower > 0
        )
