"""The store's tables of curves."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.base import Base


class CalibrationBin(Base):
    """A bin of a calibration curve: subjects with similar predictions."""

    __tablename__ = "calibration"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    slicing: Mapped[str] = mapped_column(primary_key=True)
    slice: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True)
    mean_prediction: Mapped[float]
    observed_rate: Mapped[float]
    lower: Mapped[float]
    upper: Mapped[float]
    subjects: Mapped[int]


class Referral(Base):
    """The model on the subjects that it keeps, where the least certain are left to people.

    Attributes:
        run: Id of the run.
        task: The task.
        point: Place on the curve; at 0 no subject is left to people.
        referred: Share of all subjects that is left to people.
        subjects: Subjects kept.
        widest: Width of the widest interval of those kept.
        observed_rate: Their rate of the outcome.
        brier: Their Brier score.
    """

    __tablename__ = "referral"

    run: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    point: Mapped[int] = mapped_column(primary_key=True)
    referred: Mapped[float]
    subjects: Mapped[int]
    widest: Mapped[float]
    observed_rate: Mapped[float]
    brier: Mapped[float]
