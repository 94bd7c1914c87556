"""Sections about the evaluation: slicing, thresholds, split, data gate."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.documents import StrictModel
from pipeline.metrics import COMPARED_WITH_REFERENCES, JudgedName
from pipeline.names import CHAMPION
from pipeline.study.sections.types import (
    Holds,
    Name,
    OtherModel,
    Severity,
    Share,
    Side,
)

Period = Literal["year", "half_year", "quarter", "month"]
"""Part of the calendar that subjects are grouped by."""


class Slicing(StrictModel):
    """A slicing: groups by a column, the arm, the site or a period.

    Attributes:
        column: A column of the subject dataset.
        of: `arm` or `site`.
        date: A column of dates of the subject dataset, such as that of randomisation: groups are
            periods of the calendar.
        period: Length of a period of `date`; `year`, where not given.
        bands: Lower bounds of bands of a number: [65, 75] makes <65, 65-75, >=75.
    """

    column: str | None = None
    of: Literal["arm", "site"] | None = None
    date: str | None = None
    period: Period | None = None
    bands: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> Slicing:
        sources = (self.column, self.of, self.date)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give either `column` or `of: arm` or `of: site` or `date`")
        if self.bands and not self.column:
            raise ValueError("bands are of a column of numbers, not of arm, site or date")
        if self.period and not self.date:
            raise ValueError("`period` is the length of the periods of `date`: give `date`")
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError("bands must rise")
        return self


class Slicings(StrictModel):
    """All slicings of a study.

    Attributes:
        by: The slicings by name.
        pairs: Names of two slicings whose combinations are groups too.
        smallest_group: Fewest subjects of a group that is shown.
    """

    by: dict[Name, Slicing] = {}
    pairs: tuple[tuple[str, str], ...] = ()
    smallest_group: Annotated[int, Field(ge=5)] = 20


class Threshold(StrictModel):
    """A threshold that a model must meet to be blessed.

    Attributes:
        metric: The judged metric.
        tasks: Tasks that it applies to; all, where not given.
        at_least: Smallest value that passes.
        at_most: Largest value that passes.
        holds: `point`; `bound`: the bound of the interval on the unfavourable side must pass too;
            `overlap`: the interval must not lie wholly beyond the limit.
        strict: Whether the limit itself fails.
        scope: `overall`, or `every_slice` (groups that are large enough) with overall.
        versus: Applies the threshold to the difference to the current champion (`champion`), or to
            the reference model of this name.
        decision_threshold: For metrics at a threshold; each of the task's, where not given.
    """

    metric: JudgedName
    tasks: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    holds: Holds = "point"
    strict: bool = False
    scope: Literal["overall", "every_slice"] = "overall"
    versus: OtherModel | None = None
    decision_threshold: float | None = None

    @property
    def limits(self) -> tuple[tuple[Side, float], ...]:
        """The limits that are given, each with its side."""
        sides: tuple[tuple[Side, float | None], ...] = (
            ("at_least", self.at_least),
            ("at_most", self.at_most),
        )
        return tuple((side, limit) for side, limit in sides if limit is not None)

    @property
    def reference(self) -> str | None:
        """The reference model that it compares with; None for the champion or no other model."""
        return None if self.versus == CHAMPION else self.versus

    @model_validator(mode="after")
    def _has_limit(self) -> Threshold:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give `at_least`, `at_most` or both")
        return self

    @model_validator(mode="after")
    def _has_difference(self) -> Threshold:
        if self.reference and self.metric not in COMPARED_WITH_REFERENCES:
            names = ", ".join(COMPARED_WITH_REFERENCES)
            raise ValueError(f"with `versus: {self.reference}` the metric is one of {names}")
        return self


class Split(StrictModel):
    """Division of the subjects into splits.

    Attributes:
        train: Share for fitting the model.
        eval: Share for early stopping and calibration.
        test: Share for the evaluation only.
        seed: Seed of the hash that assigns splits.
        holdout_sites: Sites whose subjects all belong to the test split; the other subjects
            are divided between train and eval in the proportion of their shares.
    """

    train: Share = 0.6
    eval: Share = 0.2
    test: Share = 0.2
    seed: int = 1
    holdout_sites: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        if abs(self.train + self.eval + self.test - 1) > 1e-9:
            raise ValueError("the shares of train, eval and test must add up to 1")
        if min(self.train, self.eval, self.test) <= 0:
            raise ValueError("each of train, eval and test needs a share above 0")
        return self


class SplitMinimum(StrictModel):
    """Fewest subjects with a known label, and fewest of each outcome, that a split needs.

    Attributes:
        subjects: Fewest subjects with a known label.
        events: Fewest subjects with the outcome, and fewest without it.
    """

    subjects: Annotated[int, Field(ge=1)] = 30
    events: Annotated[int, Field(ge=1)] = 5


class TrainMinimum(SplitMinimum):
    """The same of the train split.

    Attributes:
        subjects: Fewest subjects with a known label.
        events: Fewest subjects with the outcome, and fewest without it.
    """

    subjects: Annotated[int, Field(ge=1)] = 100
    events: Annotated[int, Field(ge=1)] = 10


class Minimum(StrictModel):
    """What each split needs; what is not given keeps its default.

    Attributes:
        train: Of the split that fits the model.
        eval: Of the split that stops training and calibrates.
        test: Of the split that the Evaluator alone sees.
    """

    train: TrainMinimum = TrainMinimum()
    eval: SplitMinimum = SplitMinimum()
    test: SplitMinimum = SplitMinimum()

    def by_split(self) -> dict[str, SplitMinimum]:
        """The minimum of each split by its name."""
        return {"train": self.train, "eval": self.eval, "test": self.test}


class Gate(StrictModel):
    """Rules by which the data gate stops a run before training.

    Attributes:
        anomalies: Severity of deviations from the curated schema.
        drift: Severity of drift against the champion's run.
        too_few: Severity of too few subjects or events in a split.
        sample_size: Severity of fewer subjects than training a model with so many parameters needs
            (Riley et al. 2020).
        leakage: Severity of a single feature that nearly determines a label.
        missingness: Severity of a feature that is missing more often where a label is positive
            than where it is negative (or less often), or in one arm than in the others.
        levels: Severity of a value that the study file names (the control, a parameter of `each`,
            a held-out site, all values of a condition) and that no row has; where only some values
            of a condition are absent, at most a warning.
        rejects: Severity of too large a share of rejected rows.
        lost_labels: Severity of too many labels that are unknown because of a rejected row, or of
            a difference of their shares between arms.
        landmark_labels: Severity of too many labels that are unknown because of an event on the
            landmark's day.
        unknown_labels: Severity of too many labels that are unknown because an event has no day,
            its day may lie within or outside, or a value is missing.
        censoring: Severity of weights for the end of follow-up that leave too small an effective
            sample size in an arm, or that were cut to the largest.
        drift_limit: Largest distance: Jensen-Shannon divergence for numbers, L-infinity
            norm for categories.
        anticipated_fit: Cox-Snell R² that a model is expected to reach, as a share of the largest
            possible one.
        leakage_auc: Largest AUC of a single feature on train.
        missingness_limit: Smallest difference of two shares of missing values on train that is
            found, if it is also more than chance.
        rejects_limit: Largest share of a dataset's rows that may be rejected.
        lost_labels_warn: Share of a task's subjects from which on lost labels are a warning.
        lost_labels_limit: Share from which on they stop the run.
        lost_labels_difference: Difference of the shares of an arm and of all others from which on
            they stop the run, if it is also more than chance.
        landmark_labels_warn: Share of a task's subjects from which on these are a warning.
        landmark_labels_limit: Share from which on they stop the run.
        unknown_labels_limit: Share of a task's subjects, for each reason, from which on these
            are found.
        effective_limit: Effective sample size of an arm as a share of its known labels, below which
            it is found.
        minimum: What each split needs; what is not given keeps its default.
    """

    anomalies: Severity = "stop"
    drift: Severity = "warn"
    too_few: Severity = "stop"
    sample_size: Severity = "warn"
    leakage: Severity = "stop"
    missingness: Severity = "warn"
    levels: Severity = "stop"
    rejects: Severity = "stop"
    lost_labels: Severity = "stop"
    landmark_labels: Severity = "stop"
    unknown_labels: Severity = "warn"
    censoring: Severity = "warn"
    drift_limit: Annotated[float, Field(gt=0)] = 0.1
    anticipated_fit: Annotated[float, Field(gt=0, lt=0.9)] = 0.15
    leakage_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    missingness_limit: Share = 0.1
    rejects_limit: Share = 0.05
    lost_labels_warn: Share = 0.01
    lost_labels_limit: Share = 0.05
    lost_labels_difference: Share = 0.02
    landmark_labels_warn: Share = 0.01
    landmark_labels_limit: Share = 0.05
    unknown_labels_limit: Share = 0.01
    effective_limit: Share = 0.5
    minimum: Minimum = Minimum()
