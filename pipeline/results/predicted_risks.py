"""Mean predictions beside the risks by the horizon: what `verdict.json` holds of censored tasks.

The Evaluator decides whether they agree (`components.evaluator.predicted_risks`); pages, card,
store and boards show what it decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pipeline.documents import Document
from pipeline.estimates import Estimate
from pipeline.results.outcomes import Outcome

RiskReason = Literal[
    "within_interval", "outside_interval", "no_risk", "no_prediction", "group_too_small"
]
"""Reason of the outcome of a risk's comparison.

`within_interval`, `outside_interval`: the mean prediction lies within the interval of the risk by
the horizon, or outside of it.
`no_risk`: the risk by the horizon, or its interval, is not known.
`no_prediction`: no mean prediction is known, for example because no slicing is by arm.
`group_too_small`: fewer subjects than the smallest group, or its metrics are not shown.
"""

RISK_OUTCOMES: Mapping[RiskReason, Outcome] = {
    "within_interval": "passes",
    "outside_interval": "fails",
    "no_risk": "not_judged",
    "no_prediction": "not_judged",
    "group_too_small": "not_judged",
}
"""The outcome of each reason."""


class PredictedRisk(Document):
    """The mean prediction of an arm beside its risk by the horizon.

    The risk is Kaplan-Meier's, or Aalen and Johansen's with competing events, of all subjects whose
    follow-up is known. An outcome that `fails` is a note of the verdict; it refuses no task.

    Attributes:
        task: The task.
        arm: The arm, `pipeline.results.censoring.ALL_SUBJECTS`, or "" in a study without arms.
        risk: The risk, with its 95 % interval; empty where few censored subjects would follow from
            it.
        mean_prediction: The weighted mean prediction of the evaluated subjects, with its interval.
        is_too_high: Whether the mean prediction is above the risk; null where they agree.
        outcome: Whether they agree.
        reason: Reason of the outcome.
    """

    task: str
    arm: str
    risk: Estimate = Estimate()
    mean_prediction: Estimate = Estimate()
    is_too_high: bool | None = None
    outcome: Outcome
    reason: RiskReason
