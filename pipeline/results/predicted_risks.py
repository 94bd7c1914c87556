"""Mean predictions beside the risks by the horizon: what `verdict.json` holds of censored tasks.

The Evaluator decides whether they agree (`components.evaluator.predicted_risks`); pages, card,
store and boards show what it decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pipeline.documents import Document
from pipeline.estimates import Estimate, fixed, interval_text
from pipeline.results.censoring import ALL_SUBJECTS
from pipeline.results.outcomes import Outcome
from pipeline.titles import Titles

_NOT_SHOWN = "another (not shown, since few censored subjects would follow from it)"

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

    def text(self, titles: Titles) -> str:
        """That the mean prediction does not agree, for people; for an outcome that fails.

        Args:
            titles: Titles of the study's tasks.
        """
        return f"{titles.task(self.task)}: {self.text_without_task}"

    @property
    def text_without_task(self) -> str:
        """The same without the task."""
        whose = "" if self.arm in (ALL_SUBJECTS, "") else f" of the arm {self.arm}"
        risk = _NOT_SHOWN if self.risk.value is None else _text(self.risk)
        return (
            f"the mean prediction{whose} is {_text(self.mean_prediction)}, but the risk by the "
            f"horizon is {risk}: predictions are too {'high' if self.is_too_high else 'low'} there."
        )


def _text(found: Estimate) -> str:
    return f"{fixed(found.value or 0.0)}{interval_text(found)}"
