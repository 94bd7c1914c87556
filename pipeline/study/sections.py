"""The sections of a study file, each validated by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from pipeline.documents import StrictModel
from pipeline.metrics import JudgedName
from pipeline.study.conditions import Condition, Scalar
from pipeline.study.tripod import ITEMS

FORMAT_VERSION: Literal[1] = 1
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KNOWN = re.compile(r"baseline|after|day -?\d+")
ColumnType = Literal["text", "number", "date", "datetime"]
Aggregate = Literal["last", "first", "mean", "min", "max", "change", "count", "any"]
Severity = Literal["stop", "warn", "ignore"]
Side = Literal["at_least", "at_most"]
"""On which side of its limit a metric passes."""


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits and _, beginning with a letter")
    return name


def _checked_known(text: str) -> str:
    if not _KNOWN.fullmatch(text):
        raise ValueError("expected `baseline`, `day N` (a study day) or `after`")
    return text


def refuse(problems: Iterable[str]) -> None:
    """Raises all problems at once, one a line, so that a file is put right in one go."""
    found = list(problems)
    if found:
        raise ValueError("\n".join(found))


Name = Annotated[str, AfterValidator(_checked_name)]
Known = Annotated[str, AfterValidator(_checked_known)]
Share = Annotated[float, Field(ge=0, le=1)]


class Column(StrictModel):
    """What the study file says of one column of a dataset.

    Attributes:
        type: Needed where the file does not carry types (delimited text).
        known: When the value is known: `baseline`, `day N`, or `after` (not at prediction).
        range: Smallest and largest value that can be true; a row outside is set aside.
        missing: Codes that stand for an unknown value, for example 9 or "UNK".
    """

    type: ColumnType | None = None
    known: Known | None = None
    range: tuple[float, float] | None = None
    missing: tuple[Scalar, ...] = ()


class Dataset(StrictModel):
    """One dataset: a file, or several of one layout.

    Attributes:
        file: Path or glob pattern below the data folder.
        rows: Whether a subject has exactly one row or any number.
        subject: Column of the subject key; the study's own where not given.
        day: Column of each row's study day.
        date: Column of each row's date; study days are counted from the reference date.
        end_day: Column of the day on which the row's event ended; not before `day`.
        end_date: The same as a date; not before `date`.
        parameter: Column that names what a row measures (PARAMCD), for features with `each`.
        known: When the rows of an undated dataset are known.
        supplements: Parent dataset to which a SUPP-- dataset adds its qualifiers as columns.
    """

    file: str
    format: Literal["xpt", "dataset-json", "csv", "parquet"]
    rows: Literal["one_per_subject", "many_per_subject"]
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    missing: tuple[str, ...] = ("",)
    subject: str | None = None
    columns: dict[str, Column] = {}
    day: str | None = None
    date: str | None = None
    end_day: str | None = None
    end_date: str | None = None
    parameter: str | None = None
    known: Known | None = None
    supplements: str | None = None

    @model_validator(mode="after")
    def _consistent_dates(self) -> Dataset:
        refuse(self._date_problems())
        return self

    def _date_problems(self) -> Iterator[str]:
        if self.day and self.date:
            yield "give either `day` or `date`, not both"
        if self.end_day and not self.day:
            yield "`end_day` needs `day`"
        if self.end_date and not self.date:
            yield "`end_date` needs `date`"
        if self.known and (self.day or self.date):
            yield "`known` is for datasets whose rows have neither day nor date"


class Subject(StrictModel):
    """Who a subject is.

    Attributes:
        dataset: The dataset with one row per subject; it decides who is in the trial.
        column: Its subject key.
        row_number: Use the row's number where the file has no key.
        rows_are_subjects: With `row_number`: each row is a subject of its own, even if a column
            of the file repeats as a subject key does (see `pipeline.reading.repeated_keys`).
        reference_date: Column of the date of study day `first_day` (RFSTDTC, TRTSDT).
        birth_date: Column of the date of birth; no date of a subject may lie before it.
        exit_day: Column of the study day on which the subject left the trial.
        exit_date: The same as a date.
    """

    dataset: str
    column: str | None = None
    row_number: bool = False
    rows_are_subjects: bool = False
    reference_date: str | None = None
    birth_date: str | None = None
    exit_day: str | None = None
    exit_date: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Subject:
        if (self.column is not None) == self.row_number:
            raise ValueError("give either `column` or `row_number: true`")
        if self.rows_are_subjects and not self.row_number:
            raise ValueError("`rows_are_subjects` belongs to `row_number: true`")
        if self.exit_day and self.exit_date:
            raise ValueError("give either `exit_day` or `exit_date`, not both")
        return self


class Arm(StrictModel):
    """The treatment arm: a column of the subject dataset, or several that are combined."""

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    control: str


class Site(StrictModel):
    """The site: a column of the subject dataset."""

    column: str


class Window(StrictModel):
    """Subjects whose date lies outside are left out."""

    column: str
    start: date | None = None
    end: date | None = None


class Landmark(StrictModel):
    """The moment of prediction: the end of a study day."""

    day: int


class Feature(StrictModel):
    """A feature: a column of the subject dataset, or an aggregate of rows up to the landmark.

    Attributes:
        kind: How the model reads it.
        dataset: The subject dataset where not given.
        column: The feature's own name where not given.
        where: Which rows count.
        each: Values of the dataset's parameter column: one feature for each.
        aggregate: What is made of the rows; needed where a subject has many.
    """

    kind: Literal["number", "category"]
    dataset: str | None = None
    column: str | None = None
    where: Condition | None = None
    each: tuple[str, ...] = ()
    aggregate: Aggregate | None = None

    @model_validator(mode="after")
    def _numbers_aggregate(self) -> Feature:
        if self.kind == "category" and self.aggregate not in (None, "last", "first"):
            raise ValueError(f"a category can't have the aggregate {self.aggregate}")
        return self


class FollowUp(StrictModel):
    """Until which study day a subject was observed for an event (its last such row)."""

    dataset: str
    where: Condition | None = None
    day: str | None = None
    date: str | None = None


class EventLabel(StrictModel):
    """Positive when a row that meets `where` is dated after the landmark, up to the horizon.

    An event at or before the landmark masks the subject. Without an event the label is
    negative if the follow-up reaches the horizon, and unknown if it ends before; without
    `follow_up` everybody counts as observed.

    Attributes:
        dataset: Where the events are.
        where: Which rows are events; all, where not given.
        day: Column of the event's day; the dataset's own day or date where not given.
        follow_up: Until when a subject was observed.
    """

    dataset: str
    where: Condition | None = None
    day: str | None = None
    follow_up: FollowUp | None = None


class StateLabel(StrictModel):
    """Positive when the selected row meets `positive`; unknown when its columns are missing.

    Attributes:
        dataset: Where the row is; the subject dataset where not given.
        where: Which row; of several in the window the last counts.
        positive: What makes the label positive.
        no_row: What a subject without such a row is.
    """

    dataset: str | None = None
    where: Condition | None = None
    positive: Condition
    no_row: Literal["unknown", "negative"] = "unknown"


class Task(StrictModel):
    """One thing to predict.

    Attributes:
        kind: What sort of prediction it is.
        title: One line for people.
        event: The label as an event in time.
        state: The label as a state.
        horizon: Last study day that counts.
        unknown_when: Condition over the subject dataset that masks the subject.
        decision_thresholds: Probabilities from which on a prediction counts as positive.
    """

    kind: Literal["outcome", "response", "adverse_event"]
    title: str
    event: EventLabel | None = None
    state: StateLabel | None = None
    horizon: int | None = None
    unknown_when: Condition | None = None
    decision_thresholds: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)
    ] = (0.5,)

    @model_validator(mode="after")
    def _one_label(self) -> Task:
        if (self.event is None) == (self.state is None):
            raise ValueError("give either `event` or `state`")
        return self


class Slicing(StrictModel):
    """Groups that results are shown for: of a column, the arm or the site.

    Attributes:
        column: A column of the subject dataset.
        of: `arm` or `site`.
        bands: Lower bounds of bands of a number: [65, 75] makes <65, 65-75, >=75.
    """

    column: str | None = None
    of: Literal["arm", "site"] | None = None
    bands: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> Slicing:
        if (self.column is None) == (self.of is None):
            raise ValueError("give either `column` or `of: arm` or `of: site`")
        if self.bands and self.of:
            raise ValueError("bands are of a column of numbers, not of the arm or the site")
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError("bands must rise")
        return self


class Slicings(StrictModel):
    """All slicings of a study.

    Attributes:
        by: The slicings by name.
        pairs: Names of two slicings whose combinations are groups too.
        smallest_group: Fewest subjects that a group is shown for.
    """

    by: dict[Name, Slicing] = {}
    pairs: tuple[tuple[str, str], ...] = ()
    smallest_group: Annotated[int, Field(ge=5)] = 20


class Threshold(StrictModel):
    """What a model must reach to be blessed.

    Attributes:
        metric: What is judged.
        tasks: Which tasks; all, where not given.
        at_least: Smallest value that passes.
        at_most: Largest value that passes.
        holds: `point`, or `bound`: the interval's end on the far side must pass too.
        scope: `overall`, or `every_slice` (groups that are large enough) with overall.
        versus: `champion` judges the difference to the last blessed model.
        decision_threshold: For metrics at a threshold; each of the task's, where not given.
    """

    metric: JudgedName
    tasks: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    holds: Literal["point", "bound"] = "point"
    scope: Literal["overall", "every_slice"] = "overall"
    versus: Literal["champion"] | None = None
    decision_threshold: float | None = None

    @property
    def limits(self) -> tuple[tuple[Side, float], ...]:
        """The limits that are given, each with its side."""
        sides: tuple[tuple[Side, float | None], ...] = (
            ("at_least", self.at_least),
            ("at_most", self.at_most),
        )
        return tuple((side, limit) for side, limit in sides if limit is not None)

    @model_validator(mode="after")
    def _has_limit(self) -> Threshold:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give `at_least`, `at_most` or both")
        return self


class Split(StrictModel):
    """How subjects are divided.

    Attributes:
        train: Share that fits the model.
        eval: Share that stops training and calibrates.
        test: Share that the Evaluator alone sees.
        seed: Part of the hash that divides; another seed is another division.
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
    """Fewest subjects with a known label, and fewest of each outcome, that a split needs."""

    subjects: Annotated[int, Field(ge=1)]
    events: Annotated[int, Field(ge=1)]


class Gate(StrictModel):
    """When the data gate stops a run before training.

    Attributes:
        anomalies: Severity of deviations from the curated schema.
        drift: Severity of drift against the last blessed run.
        too_few: Severity of too few subjects or events in a split.
        leakage: Severity of a single feature that nearly gives a label away.
        rejects: Severity of too large a share of rows set aside.
        drift_limit: Largest distance: Jensen-Shannon divergence for numbers, L-infinity
            norm for categories.
        leakage_auc: Largest AUC of a single feature on train.
        rejects_limit: Largest share of a dataset's rows that may be set aside.
        minimum: Per split.
    """

    anomalies: Severity = "stop"
    drift: Severity = "warn"
    too_few: Severity = "stop"
    leakage: Severity = "stop"
    rejects: Severity = "stop"
    drift_limit: Annotated[float, Field(gt=0)] = 0.1
    leakage_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    rejects_limit: Share = 0.05
    minimum: dict[Literal["train", "eval", "test"], SplitMinimum] = {
        "train": SplitMinimum(subjects=100, events=10),
        "eval": SplitMinimum(subjects=30, events=5),
        "test": SplitMinimum(subjects=30, events=5),
    }


class Training(StrictModel):
    """How the model is trained.

    Attributes:
        steps: Training steps; 0 trains until the eval split stops it.
        site_as_feature: Whether the model may use the site.
        hyperparameters: Values that replace the model's own defaults.
    """

    steps: Annotated[int, Field(ge=0)] = 0
    site_as_feature: bool = False
    hyperparameters: dict[str, float | int | bool | str] = {}


class Disposition(StrictModel):
    """How subjects left the trial.

    Attributes:
        dataset: Where it is; the subject dataset where not given.
        where: Which rows; a subject whose rows say different things counts as not known.
        column: Column of the reason.
        completed: Its value for those who completed the trial.
    """

    dataset: str | None = None
    where: Condition | None = None
    column: str
    completed: Scalar


class AdverseEvents(StrictModel):
    """Adverse events, a row each.

    Attributes:
        dataset: Where they are.
        where: Which rows count, such as those that are treatment-emergent.
        category: Column of the system organ class.
        severity: Column of the severity.
        severities: Its values, the mildest first: a subject counts with the worst one.
    """

    dataset: str
    where: Condition | None = None
    category: str | None = None
    severity: str | None = None
    severities: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _severities_are_ordered(self) -> AdverseEvents:
        if (self.severity is None) != (not self.severities):
            raise ValueError("`severity` needs `severities`, its values from mild to severe")
        return self


class Visits(StrictModel):
    """A measurement over the visits of the trial.

    Attributes:
        title: One line for people.
        dataset: Where it is.
        where: Which rows; of several of a subject and visit the mean counts.
        value: Column of the number.
        visit: Column of the visit's name.
        order: Column of a number that puts the visits in order.
    """

    title: str
    dataset: str
    where: Condition | None = None
    value: str
    visit: str
    order: str | None = None


class Summary(StrictModel):
    """What the summary of the trial's progress is made from.

    Attributes:
        population: Who was enrolled, a condition over the subject dataset; the study's own
            population where not given.
        safety: Who of them was treated: exposure and adverse events are of these; all, where
            not given.
        enrolment: Column of the subject dataset with the date of enrolment; the reference date
            where not given.
        disposition: How subjects left the trial.
        exposure: Columns of the subject dataset with a number, by what it is, with its unit.
        adverse_events: Adverse events.
        endpoints: Measurements over the visits, by name.
    """

    population: Condition | None = None
    safety: Condition | None = None
    enrolment: str | None = None
    disposition: Disposition | None = None
    exposure: dict[str, str] = {}
    adverse_events: AdverseEvents | None = None
    endpoints: dict[Name, Visits] = {}


class Card(StrictModel):
    """What the model card says that no run can measure.

    Attributes:
        purpose: What the model is for, by whom and when it is to be used.
        not_for: What it must not be used for.
        population: Whom the trial enrolled, and where.
        period: When it enrolled them and how long it followed them.
        limits: Limits that are known beforehand.
        statements: A person's answers to items of TRIPOD+AI, by the item's number.
    """

    purpose: str | None = None
    not_for: str | None = None
    population: str | None = None
    period: str | None = None
    limits: tuple[str, ...] = ()
    statements: dict[str, str] = {}

    @field_validator("statements")
    @classmethod
    def _items_are_for_people(cls, value: dict[str, str]) -> dict[str, str]:
        for number in value:
            if number not in ITEMS or ITEMS[number].filled_by == "run":
                known = ", ".join(n for n, item in ITEMS.items() if item.filled_by != "run")
                raise ValueError(
                    f"{number} is no item of TRIPOD+AI that a person answers; those are {known}"
                )
        return value


class TimeToEvent(StrictModel):
    """A time to an event or to the end of observation without it, as ADTTE holds them.

    Attributes:
        title: One line for people.
        dataset: Where the rows are; the subject dataset where not given.
        where: Which row; of several of a subject the earliest counts.
        time: Column of the time since the start of treatment or randomisation.
        event: When the time is that of an event; otherwise the subject is censored then.
        unit: Unit of the time, for people.
        horizon: Times beyond it are censored at it.
    """

    title: str
    dataset: str | None = None
    where: Condition | None = None
    time: str
    event: Condition
    unit: str = "days"
    horizon: Annotated[float, Field(gt=0)] | None = None


class Analysis(StrictModel):
    """What the researcher's analysis of the arms is told.

    Attributes:
        randomised: Whether chance alone decided who is in which arm. Without it differences
            between arms are described and never called effects.
        adjust_for: Baseline features that effects are adjusted for; all, where not given.
        time_to_event: Times to events, by name.
    """

    randomised: bool = False
    adjust_for: tuple[str, ...] | None = None
    time_to_event: dict[Name, TimeToEvent] = {}
