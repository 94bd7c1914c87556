"""`monitoring.json`: predictions and their outcomes by calendar period; no single subject.

Nothing in it is of an incomplete period, and no number of fewer subjects than the smallest group.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pipeline.documents import Count, Document
from pipeline.estimates import Estimate
from pipeline.results.of_group import OfGroup
from pipeline.results.validation import ValidatedModel
from pipeline.study.sections.monitoring import CalendarPeriod
from pipeline.titles import title_or_name

MonitoredRole = Literal["champion", "challenger", "difference"]
"""Whose value it is: `challenger` is a model in shadow, `difference` that minus the champion."""

DriftKind = Literal["values", "missing", "outside", "risk"]
"""What was compared with training: the distribution of a feature's values, the share without a
value, the share beyond what training had, or the distribution of the predicted risk."""

MonitoredMetric = Literal[
    "scored",
    "flagged",
    "mean_prediction",
    "expected_auc",
    "expected_brier",
    "known",
    "observed_rate",
    "auc",
    "brier",
    "calibration_in_the_large",
    "calibration_slope",
    "days_to_outcome",
]
"""What a value is of: number of subjects predicted, share of them with a flag, mean prediction,
performance to be expected from calibrated probabilities; then, of the subjects whose outcome is
known, their number, share with the outcome, performance, and median days from the prediction until
the outcome was known."""

AlarmKind = Literal["calibration", "auc", "drift", "missing", "risk_drift"]
"""What an alarm watches."""


class MonitoredValue(OfGroup):
    """A value of a period.

    Attributes:
        model: Id of the registration.
        role: Whose value it is.
        period_start: First day of the period, UTC.
        metric: What it is of.
        value: The value, rounded so that no single subject follows from it.
        lower: Lower end of its 95 % interval; null where it has none.
        upper: Upper end.
        reference: What the model's evaluation found before it was registered; null without.
        reference_lower: Lower end of the 95 % interval of that.
        reference_upper: Upper end.
        subjects: Subjects that it is a value of, a multiple of five.
    """

    model: str
    role: MonitoredRole
    period_start: date
    metric: MonitoredMetric
    value: float
    lower: float | None = None
    upper: float | None = None
    reference: float | None = None
    reference_lower: float | None = None
    reference_upper: float | None = None
    subjects: Count

    @property
    def estimate(self) -> Estimate:
        """The value with its interval."""
        return Estimate(self.value, self.lower, self.upper)

    @property
    def reference_estimate(self) -> Estimate:
        """The reference with its interval."""
        return Estimate(self.reference, self.reference_lower, self.reference_upper)


class MonitoredDrift(Document):
    """A distance of a period from the training data.

    Attributes:
        model: Id of the registration.
        period_start: First day of the period, UTC.
        task: The task whose predicted risk it is; empty for a feature.
        feature: The feature; empty for the predicted risk.
        title: The feature's title; null where the study file gives none.
        kind: What was compared.
        distance: Jensen-Shannon divergence in bits of `values` and `risk`, difference of shares of
            the others.
        boundary: What chance alone exceeds for any of the distances of the period and model with a
            probability of at most 5 %.
        beyond: Whether the distance exceeds it.
        subjects: Subjects of the period, a multiple of five.
    """

    model: str
    period_start: date
    task: str = ""
    feature: str = ""
    title: str | None = None
    kind: DriftKind
    distance: float
    boundary: float
    beyond: bool
    subjects: Count

    @property
    def about(self) -> str:
        """The feature, or else the task, as people read it."""
        return title_or_name(self.feature, self.title) if self.feature else self.task


class MonitoredAlarm(Document):
    """An alarm, as it stands after all complete weeks.

    Attributes:
        model: Id of the registration.
        task: The task; empty for an alarm on a feature.
        kind: What it watches.
        feature: The feature; empty for an alarm on a task.
        title: The feature's title; null where the study file gives none.
        evidence: How much speaks against no change at the newest look; null before any.
        boundary: Evidence from which it fires.
        fired: Whether it has fired.
        since: Monday of the week by which it had fired; null where it has not.
        direction: What changed, in a few words; empty where it has not fired.
        reason: A sentence for people.
    """

    model: str
    task: str = ""
    kind: AlarmKind
    feature: str = ""
    title: str | None = None
    evidence: float | None = None
    boundary: float | None = None
    fired: bool
    since: date | None = None
    direction: str = ""
    reason: str = ""

    @property
    def state(self) -> Literal["quiet", "fired", "not_judged"]:
        """What it says; nothing is judged as long as too few subjects came."""
        if self.fired:
            return "fired"
        return "not_judged" if self.evidence is None else "quiet"


class SuppressedPeriod(OfGroup):
    """A group of a period that is not shown.

    Attributes:
        model: Id of the registration.
        period_start: First day of the period, UTC.
        what: `predictions` or `outcomes`.
        reason: `too_small`, or `complementary`: a small group would follow from it by subtraction.
    """

    model: str
    period_start: date
    what: Literal["predictions", "outcomes"]
    reason: str


class Monitoring(Document):
    """`monitoring.json`.

    Attributes:
        study: The study.
        model: The champion.
        challengers: Ids of the other models with predictions of subjects of the champion.
        period: Length of the periods.
        as_of: When it was computed, UTC; only what was complete by then is in it.
        smallest_group: Fewest subjects that a number is shown for.
        task_titles: Title of each task.
        values: Values by model, task, period and group.
        drift: Distances from training.
        alarms: The champion's alarms.
        suppressed: What is not shown.
        outcomes_until: When the newest outcome that is used was recorded, UTC; null without any.
        outside_training: Features that lie beyond the range of training for more of the subjects of
            the newest period than chance explains: the expected performance may be far off.
    """

    study: str
    model: ValidatedModel
    challengers: tuple[str, ...] = ()
    period: CalendarPeriod
    as_of: datetime
    smallest_group: Count
    task_titles: dict[str, str] = {}
    values: tuple[MonitoredValue, ...] = ()
    drift: tuple[MonitoredDrift, ...] = ()
    alarms: tuple[MonitoredAlarm, ...] = ()
    suppressed: tuple[SuppressedPeriod, ...] = ()
    outcomes_until: datetime | None = None
    outside_training: tuple[str, ...] = ()

    @property
    def fired(self) -> tuple[MonitoredAlarm, ...]:
        """The alarms that have fired."""
        return tuple(alarm for alarm in self.alarms if alarm.fired)

    @property
    def periods(self) -> tuple[date, ...]:
        """First days of the periods that are shown, rising."""
        return tuple(sorted({found.period_start for found in self.values}))

    def series(
        self, task: str, metric: MonitoredMetric, role: MonitoredRole = "champion", model: str = ""
    ) -> list[MonitoredValue]:
        """The values of a metric of all subjects, by period.

        Args:
            task: The task.
            metric: The metric.
            role: Whose values.
            model: Id of a challenger; empty for any.
        """
        found = [
            value
            for value in self.values
            if (value.task, value.metric, value.role) == (task, metric, role)
            and not value.slice
            and model in ("", value.model)
        ]
        return sorted(found, key=lambda value: value.period_start)
