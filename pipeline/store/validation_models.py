"""The store's tables of external validations."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base


class Validation(Base):
    """An external validation: a registered model on a trial that it was not trained on.

    Its metrics are in `metrics`, as those of the `challenger`.

    Attributes:
        run: Id of the run.
        study: Study that the model was validated on.
        model_study: Study that it was trained on.
        model: Id of its registration.
        model_fingerprint: Fingerprint of the data that it was trained on.
        subjects: Subjects of the trial.
    """

    __tablename__ = "validations"

    run: Mapped[str] = mapped_column(primary_key=True)
    study: Mapped[str]
    model_study: Mapped[str]
    model: Mapped[str]
    model_fingerprint: Mapped[str]
    subjects: Mapped[int]


class ValidationEstimate(Base):
    """What an external validation estimated beside the metrics.

    Attributes:
        run: Id of the run.
        task: The task.
        slicing: What the group was formed by; empty for all subjects.
        slice: The group; empty for all subjects. Of groups there is the net benefit alone.
        measure: `observed_to_expected`; `net_benefit` and `net_benefit_over_all` (minus that of
            treating all); of an update its `intercept` and `slope`, and what it would gain
            (`log_loss_gain`, `brier_gain`, `net_benefit_gain`).
        method: The update; empty for the model as it is.
        decision_threshold: 0 for measures that need none.
        value: Null where it is undefined.
        lower: Lower end of its 95 % interval.
        upper: Upper end.
    """

    __tablename__ = "validation_estimates"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    slicing: Mapped[str] = mapped_column(primary_key=True)
    slice: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    decision_threshold: Mapped[float] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    lower: Mapped[float | None]
    upper: Mapped[float | None]
