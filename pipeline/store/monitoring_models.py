"""The store's tables of the monitoring of a model's predictions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base


class Monitoring(Base):
    """A monitoring of the predictions of a study's champion.

    Attributes:
        run: Id of the run.
        study: The study.
        model: Id of the champion's registration.
        period: Length of its periods: `week` or `month`.
        as_of: When it was computed; only what was complete by then is in it.
        outcomes_until: When the newest outcome that is used was recorded; null without any.
    """

    __tablename__ = "monitorings"

    run: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str]
    model: Mapped[str]
    period: Mapped[str]
    as_of: Mapped[datetime]
    outcomes_until: Mapped[datetime | None]


class MonitoredValue(Base):
    """A value of a period.

    Attributes:
        run: Id of the run.
        model: Id of the registration.
        role: `champion`, `challenger` (a model in shadow) or `difference` (that minus the champion
            on the same subjects).
        task: The task.
        period_start: First moment of the period.
        slicing: What the group was formed by: a feature, or `flag`; empty for all subjects.
        slice: The group; empty for all subjects.
        metric: `scored`, `flagged`, `mean_prediction`; `expected_auc`, `expected_brier`;
            of known outcomes `known`, `auc`, `brier`, `calibration_in_the_large`,
            `calibration_slope`, `observed_rate`, `days_to_outcome`.
        value: The value.
        lower: Lower end of its 95 % interval; null where it has none.
        upper: Upper end.
        reference: What the model's evaluation found before it was registered; null without.
        reference_lower: Lower end of the 95 % interval of that.
        reference_upper: Upper end.
        subjects: Subjects that it is a value of, a multiple of five.
    """

    __tablename__ = "monitored_values"
    __table_args__ = (Index("monitored_values_of_metric", "metric", "task", "slicing", "run"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    slicing: Mapped[str] = mapped_column(primary_key=True)
    slice: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]
    lower: Mapped[float | None]
    upper: Mapped[float | None]
    reference: Mapped[float | None]
    reference_lower: Mapped[float | None]
    reference_upper: Mapped[float | None]
    subjects: Mapped[int]


class MonitoredDrift(Base):
    """A distance of the subjects of a period from the training data.

    Attributes:
        run: Id of the run.
        model: Id of the registration.
        period_start: First moment of the period.
        task: The task whose predicted risk it is; empty for a feature.
        feature: The feature; empty for the predicted risk.
        kind: `values`, `missing`, `outside` (beyond what training had) or `risk`.
        title: The feature's title; null where the study file gives none.
        distance: Jensen-Shannon divergence in bits of `values` and `risk`, difference of shares of
            the others.
        boundary: What chance alone exceeds for any of the distances of the period and model with a
            probability of at most 5 %.
        outcome: `within` or `beyond` the boundary.
        subjects: Subjects of the period, a multiple of five.
    """

    __tablename__ = "monitored_drift"

    run: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    distance: Mapped[float]
    boundary: Mapped[float]
    outcome: Mapped[str]
    subjects: Mapped[int]


class MonitoredAlarm(Base):
    """An alarm of the champion, as it stands after all complete weeks.

    Attributes:
        run: Id of the run.
        model: Id of the registration.
        task: The task; empty for an alarm on a feature.
        kind: What it watches: `calibration`, `auc`, `drift`, `missing` or `risk_drift`.
        feature: The feature; empty for an alarm on a task.
        title: The feature's title; null where the study file gives none.
        evidence: How much speaks against no change at the newest look; null before any.
        boundary: Evidence from which it fires.
        state: `quiet`, `fired`, or `not_judged` as long as too few subjects came.
        since: Monday of the week by which it had fired; null where it has not.
        direction: What changed; empty where it has not fired.
        reason: A sentence for people.
    """

    __tablename__ = "monitored_alarms"

    run: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str | None]
    evidence: Mapped[float | None]
    boundary: Mapped[float | None]
    state: Mapped[str]
    since: Mapped[datetime | None]
    direction: Mapped[str]
    reason: Mapped[str]
