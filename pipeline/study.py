"""The study file: a trial described as data, validated before anything runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from pipeline.conditions import Condition, Scalar, StrictModel
from pipeline.documents import yaml_fault
from pipeline.errors import UserError
from pipeline.names import (
    ARM,
    SITE,
    SUBJECT_HASH,
    event_key,
    label_key,
    slice_key,
    time_key,
    weight_key,
)
from pipeline.tripod import ITEMS

_TAKEN_NAMES = (ARM, SITE, SUBJECT_HASH)
_TAKEN_PREFIXES = tuple(key("") for key in (label_key, weight_key, slice_key, time_key, event_key))

FORMAT_VERSION: Literal[1] = 1

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KNOWN = re.compile(r"baseline|after|day -?\d+")

ColumnType = Literal["text", "number", "date", "datetime"]
Aggregate = Literal["last", "first", "mean", "min", "max", "change", "count", "any"]
Severity = Literal["stop", "warn", "ignore"]
Metric = Literal[
    "auc",
    "pr_auc",
    "brier",
    "log_loss",
    "calibration_in_the_large",
    "calibration_slope",
    "expected_calibration_error",
    "precision",
    "recall",
    "f1",
    "specificity",
    "false_positive_rate",
    "false_negative_rate",
]


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected a name of letters, digits and _, beginning with a letter")
    return name


def _checked_known(text: str) -> str:
    if not _KNOWN.fullmatch(text):
        raise ValueError("expected `baseline`, `day N` (a study day) or `after`")
    return text


def _refuse(problems: Iterable[str]) -> None:
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
        _refuse(self._date_problems())
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
        reference_date: Column of the date of study day `first_day` (RFSTDTC, TRTSDT).
        birth_date: Column of the date of birth; no date of a subject may lie before it.
        exit_day: Column of the study day on which the subject left the trial.
        exit_date: The same as a date.
    """

    dataset: str
    column: str | None = None
    row_number: bool = False
    reference_date: str | None = None
    birth_date: str | None = None
    exit_day: str | None = None
    exit_date: str | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Subject:
        if (self.column is not None) == self.row_number:
            raise ValueError("give either `column` or `row_number: true`")
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


class Slice(StrictModel):
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
    def _one_source(self) -> Slice:
        if (self.column is None) == (self.of is None):
            raise ValueError("give either `column` or `of: arm` or `of: site`")
        if self.bands and self.of:
            raise ValueError("bands are of a column of numbers, not of the arm or the site")
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError("bands must rise")
        return self


class Slicing(StrictModel):
    """All slices of a study, pairs of them included."""

    groups: dict[Name, Slice] = {}
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
        where: `overall`, or `every_slice` (groups that are large enough) with overall.
        versus: `champion` judges the difference to the last blessed model.
        decision_threshold: For metrics at a threshold; each of the task's, where not given.
    """

    metric: Metric
    tasks: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    holds: Literal["point", "bound"] = "point"
    where: Literal["overall", "every_slice"] = "overall"
    versus: Literal["champion"] | None = None
    decision_threshold: float | None = None

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


@dataclass(frozen=True)
class ResolvedFeature:
    """A feature with every default filled in and `each` taken apart.

    Attributes:
        name: Its column in the examples.
        parameter: Value of the dataset's parameter column that selects its rows.
    """

    name: str
    kind: Literal["number", "category"]
    dataset: str
    column: str | None
    where: Condition | None
    parameter: str | None
    aggregate: Aggregate | None


class Study(StrictModel):
    """A whole study file."""

    study: Name
    title: str
    version: Literal[1] = FORMAT_VERSION
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)]
    subject: Subject
    arm: Arm | None = None
    site: Site | None = None
    population: Condition | None = None
    window: Window | None = None
    first_day: Literal[0, 1] = 1
    landmark: Literal["baseline"] | Landmark = "baseline"
    features: Annotated[dict[Name, Feature], Field(min_length=1)]
    tasks: Annotated[dict[Name, Task], Field(min_length=1)]
    slices: Slicing = Slicing()
    split: Split = Split()
    thresholds: tuple[Threshold, ...] = ()
    gate: Gate = Gate()
    training: Training = Training()
    card: Card = Card()
    summary: Summary = Summary()
    analysis: Analysis = Analysis()

    @field_validator("version", mode="before")
    @classmethod
    def _version_is_known(cls, value: object) -> object:
        if value != FORMAT_VERSION:
            raise ValueError(f"this release reads version {FORMAT_VERSION} of the study file")
        return value

    @field_validator("landmark", mode="before")
    @classmethod
    def _landmark_is_a_moment(cls, value: object) -> object:
        day = value.get("day") if isinstance(value, Mapping) and set(value) == {"day"} else None
        if value != "baseline" and type(day) is not int:
            raise ValueError("expected `baseline` or `{day: N}` with the number of a study day")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        _refuse(_problems(self))
        return self

    @cached_property
    def landmark_day(self) -> int:
        """Last study day whose values may become features."""
        return self.first_day if isinstance(self.landmark, str) else self.landmark.day

    @cached_property
    def resolved_features(self) -> tuple[ResolvedFeature, ...]:
        """All features, those with `each` taken apart, in the order of the file."""
        return tuple(
            resolved
            for name, feature in self.features.items()
            for resolved in _resolve(self, name, feature)
        )

    @cached_property
    def baseline_features(self) -> tuple[ResolvedFeature, ...]:
        """Features whose value is known when the arm begins, the arm's own columns left out."""
        return tuple(
            feature for feature in self.resolved_features if _is_of_baseline(self, feature)
        )

    @property
    def subject_dataset(self) -> Dataset:
        """The dataset with one row per subject."""
        return self.datasets[self.subject.dataset]

    def subject_column(self, dataset: str) -> str | None:
        """Column of the subject key in a dataset; None where it is the row's number."""
        return self.datasets[dataset].subject or self.subject.column

    def supplements_of(self, dataset: str) -> tuple[str, ...]:
        """The datasets of supplemental qualifiers (SUPP--) of a dataset, in their order."""
        return tuple(name for name, other in self.datasets.items() if other.supplements == dataset)

    def known_by_landmark(self, known: str | None) -> bool:
        """Whether something that is `known` then may be used at the landmark."""
        return self.known_by(known, self.landmark_day)

    def known_by(self, known: str | None, day: int) -> bool:
        """Whether something that is `known` then is known on a study day."""
        if known is None or known == "after":
            return False
        if known == "baseline":
            return True
        return int(known.removeprefix("day ")) <= day

    def columns_used(self, dataset: str) -> tuple[str, ...]:
        """Every column of a dataset that the study file refers to, without repetition."""
        return tuple(dict.fromkeys(_columns_used(self, dataset)))

    def example_section(self) -> dict[str, Any]:
        """The parts that decide what TrialExampleGen writes: its share of the fingerprint."""
        content = self.to_content()
        for key in ("title", "thresholds", "gate", "training", "card", "summary"):
            content.pop(key, None)
        for task in content["tasks"].values():
            for key in ("title", "decision_thresholds"):
                task.pop(key, None)
        groups = content.pop("slices", {}).get("groups")
        endpoints = content.pop("analysis", {}).get("time_to_event", {})
        for endpoint in endpoints.values():
            for key in ("title", "unit", "horizon"):
                endpoint.pop(key, None)
        return (
            content
            | ({"slices": {"groups": groups}} if groups else {})
            | ({"analysis": {"time_to_event": endpoints}} if endpoints else {})
        )

    def to_content(self) -> dict[str, Any]:
        """The whole study file's content; `study_of_json` makes a study of it."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def to_json(self) -> str:
        """The whole study file as JSON; `study_from_json` reads it."""
        return json.dumps(self.to_content())

    def digest(self) -> str:
        """SHA-256 of the whole study file's content, in hexadecimal."""
        return digest_of(self.to_content())


def study_of_section(section: dict[str, Any]) -> Study:
    """Makes a study from its `example_section`; what was left out has its default."""
    tasks = {name: {"title": "", **task} for name, task in section["tasks"].items()}
    endpoints = section.get("analysis", {}).get("time_to_event", {})
    analysis = {"time_to_event": {name: {"title": "", **e} for name, e in endpoints.items()}}
    return parse_study(
        {**section, "title": "", "tasks": tasks, "analysis": analysis}, "the example section"
    )


def study_from_json(text: str) -> Study:
    """Makes a study from what `Study.to_json` wrote."""
    return study_of_json(json.loads(text))


def study_of_json(content: Mapping[str, Any]) -> Study:
    """Makes a study from what `Study.to_content` gave."""
    return parse_study(dict(content), "the study")


def digest_of(content: object) -> str:
    """SHA-256 of JSON-like content, independent of the order of keys, in hexadecimal."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_study(path: Path) -> Study:
    """Reads and validates a study file.

    Args:
        path: A YAML file.

    Returns:
        The study.

    Raises:
        UserError: The file can't be read, is not YAML, or breaks a rule; the message names
            the file, the line, the key and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise UserError(f"{path}: the study file can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: the study file is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        raise UserError(
            f"{path}: not valid YAML: {yaml_fault(error)}. Expected the study file."
        ) from error
    repeated = [
        f"{path}, line {line + 1}: {key}: this key stands here twice; YAML keeps the last."
        for line, key in _repeated_keys(root)
    ]
    if repeated:
        raise UserError("\n".join(repeated))
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys such as `study:` and `datasets:`.")
    return parse_study(content, str(path), root)


def parse_study(content: object, source: str, root: yaml.Node | None = None) -> Study:
    """Validates the content of a study file.

    Args:
        content: What the YAML (or JSON) holds.
        source: Where it came from, for messages.
        root: YAML nodes, for line numbers in messages.

    Returns:
        The study.

    Raises:
        UserError: A rule is broken; each problem is one line of the message.
    """
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{source}{_line_of(root, location)}: {_key_path(location)}{reason}"
            for item in error.errors()
            for location, reason in _located_reasons(item)
        ]
        raise UserError("\n".join(dict.fromkeys(lines))) from error


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Line (from 0) and name of each key that its mapping has already."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line, key.value
            seen.add(str(key.value))
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _located_reasons(item: Any) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Key path and reason of each problem that pydantic reports as one error."""
    if item["type"] == "extra_forbidden":
        yield item["loc"], "unknown key. Check its spelling, or remove it."
    elif item["type"] == "missing":
        yield item["loc"], "this key is missing."
    elif item["loc"]:
        for reason in str(item["msg"]).removeprefix("Value error, ").splitlines():
            yield item["loc"], reason
    else:
        for problem in str(item["msg"]).removeprefix("Value error, ").splitlines():
            key, _, reason = problem.partition(": ")
            yield (tuple(key.split(".")), reason) if reason else ((), problem)


def _key_path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) + ": " if location else ""


def _line_of(root: yaml.Node | None, location: tuple[int | str, ...]) -> str:
    node = root
    line = None
    for part in location:
        child = _child(node, part)
        if child is None:
            break
        line, node = child
    return f", line {line + 1}" if line is not None else ""


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


def _resolve(study: Study, name: str, feature: Feature) -> Iterator[ResolvedFeature]:
    dataset = feature.dataset or study.subject.dataset
    column = None if feature.aggregate == "count" else feature.column or name
    for parameter in feature.each or (None,):
        yield ResolvedFeature(
            name=name if parameter is None else f"{name}_{_identifier(parameter)}",
            kind=feature.kind,
            dataset=dataset,
            column=None if feature.aggregate == "any" else column,
            where=feature.where,
            parameter=parameter,
            aggregate=feature.aggregate,
        )


def _identifier(text: str) -> str:
    return re.sub(r"\W", "_", text)


def _columns_used(study: Study, dataset: str) -> Iterator[str]:
    described = study.datasets[dataset]
    subject = study.subject_column(dataset)
    if subject:
        yield subject
    for column in (described.day, described.date, described.end_day, described.end_date):
        if column:
            yield column
    if dataset == study.subject.dataset:
        yield from _subject_columns(study)
    for feature in study.resolved_features:
        if feature.dataset == dataset:
            yield from _feature_columns(feature, described)
    for task in study.tasks.values():
        yield from _task_columns(study, task, dataset)
    yield from _endpoint_columns(study, dataset)
    if described.supplements:
        yield from ("IDVAR", "IDVARVAL", "QNAM", "QVAL")


def _subject_columns(study: Study) -> Iterator[str]:
    subject = study.subject
    optional = (
        subject.reference_date,
        subject.birth_date,
        subject.exit_day,
        subject.exit_date,
        study.site.column if study.site else None,
        study.window.column if study.window else None,
    )
    yield from (column for column in optional if column)
    yield from study.arm.columns if study.arm else ()
    if study.population:
        yield from study.population.columns()
    yield from (group.column for group in study.slices.groups.values() if group.column)
    for task in study.tasks.values():
        if task.unknown_when:
            yield from task.unknown_when.columns()


def _feature_columns(feature: ResolvedFeature, described: Dataset) -> Iterator[str]:
    if feature.column:
        yield feature.column
    if feature.where:
        yield from feature.where.columns()
    if feature.parameter is not None and described.parameter:
        yield described.parameter


def _task_columns(study: Study, task: Task, dataset: str) -> Iterator[str]:
    if task.event:
        if task.event.dataset == dataset:
            yield from _condition_columns(task.event.where)
            if task.event.day:
                yield task.event.day
        follow_up = task.event.follow_up
        if follow_up and follow_up.dataset == dataset:
            yield from _condition_columns(follow_up.where)
            yield from (column for column in (follow_up.day, follow_up.date) if column)
    if task.state and (task.state.dataset or study.subject.dataset) == dataset:
        yield from _condition_columns(task.state.where)
        yield from task.state.positive.columns()


def _endpoint_columns(study: Study, dataset: str) -> Iterator[str]:
    for endpoint in study.analysis.time_to_event.values():
        if (endpoint.dataset or study.subject.dataset) == dataset:
            yield endpoint.time
            yield from _condition_columns(endpoint.where)
            yield from endpoint.event.columns()


def _condition_columns(condition: Condition | None) -> Iterator[str]:
    if condition is not None:
        yield from condition.columns()


def _label_columns(study: Study) -> set[tuple[str, str]]:
    """Columns (dataset, name) that a label rests on.

    A column that others are merely compared with (`above_column`) is not among them: a
    baseline value may be both a feature and the reference of a change.
    """
    subject = study.subject.dataset
    exits = (study.subject.exit_day, study.subject.exit_date)
    found = {(subject, name) for name in exits if name}
    for task in study.tasks.values():
        if task.unknown_when:
            found.update((subject, name) for name in task.unknown_when.judged_columns())
        if task.event:
            columns = _event_columns(task.event, study.datasets[task.event.dataset])
            found.update((task.event.dataset, name) for name in columns)
            follow_up = task.event.follow_up
            if follow_up:
                days = (follow_up.day, follow_up.date)
                found.update((follow_up.dataset, name) for name in days if name)
        if task.state:
            dataset = task.state.dataset or subject
            found.update((dataset, name) for name in task.state.positive.judged_columns())
    for endpoint in study.analysis.time_to_event.values():
        dataset = endpoint.dataset or subject
        judged = (endpoint.time, *endpoint.event.judged_columns())
        found.update((dataset, name) for name in judged)
    return found


def _event_columns(event: EventLabel, dataset: Dataset) -> Iterator[str]:
    if event.where:
        yield from event.where.judged_columns()
    day = event.day or dataset.day or dataset.date
    if day:
        yield day


def _problems(study: Study) -> Iterator[str]:
    unknown = [*_unknown_datasets(study), *_misused_supplements(study)]
    yield from unknown
    if not unknown:
        # The other rules look into the datasets that features and tasks name.
        yield from _dataset_problems(study)
        yield from _feature_problems(study)
        yield from _task_problems(study)
        yield from _analysis_problems(study)
    yield from _landmark_problems(study)
    yield from _slice_problems(study)
    yield from _threshold_problems(study)


def _landmark_problems(study: Study) -> Iterator[str]:
    if study.landmark_day < study.first_day:
        yield (
            f"landmark.day: study day {study.landmark_day} lies before baseline, which is study "
            f"day {study.first_day}"
        )


def _unknown_datasets(study: Study) -> Iterator[str]:
    for key, dataset in _named_datasets(study):
        if dataset not in study.datasets:
            yield f"{key}: no dataset {dataset}; there are: {', '.join(study.datasets)}"


def _misused_supplements(study: Study) -> Iterator[str]:
    for key, name in _named_datasets(study):
        parent = study.datasets[name].supplements if name in study.datasets else None
        if parent is not None:
            yield f"{key}: {name} only adds columns to {parent}; name {parent}"


def _named_datasets(study: Study) -> Iterator[tuple[str, str]]:
    """Each place in the study file that names a dataset, and the name."""
    yield "subject.dataset", study.subject.dataset
    for name, feature in study.features.items():
        if feature.dataset:
            yield f"features.{name}.dataset", feature.dataset
    for name, dataset in study.datasets.items():
        if dataset.supplements:
            yield f"datasets.{name}.supplements", dataset.supplements
    for name, task in study.tasks.items():
        follow_up = task.event.follow_up if task.event else None
        for key, label in (
            ("event", task.event),
            ("event.follow_up", follow_up),
            ("state", task.state),
        ):
            if label and label.dataset:
                yield f"tasks.{name}.{key}.dataset", label.dataset
    for name, endpoint in study.analysis.time_to_event.items():
        if endpoint.dataset:
            yield f"analysis.time_to_event.{name}.dataset", endpoint.dataset
    yield from _summary_datasets(study.summary)


def _summary_datasets(summary: Summary) -> Iterator[tuple[str, str]]:
    if summary.disposition and summary.disposition.dataset:
        yield "summary.disposition.dataset", summary.disposition.dataset
    if summary.adverse_events:
        yield "summary.adverse_events.dataset", summary.adverse_events.dataset
    for name, visits in summary.endpoints.items():
        yield f"summary.endpoints.{name}.dataset", visits.dataset


def _dataset_problems(study: Study) -> Iterator[str]:
    if study.subject_dataset.rows != "one_per_subject":
        yield f"subject.dataset: {study.subject.dataset} must have `rows: one_per_subject`"
    if study.subject.row_number and len(study.datasets) > 1:
        yield "subject.row_number: only a study of one dataset can do without a subject key"
    needs_reference = study.subject.exit_date or any(d.date for d in study.datasets.values())
    if needs_reference and not study.subject.reference_date:
        yield "subject.reference_date: needed to count study days from dates"
    for name, dataset in study.datasets.items():
        if dataset.format == "csv":
            undeclared = [
                column
                for column in study.columns_used(name)
                if column not in dataset.columns or dataset.columns[column].type is None
            ]
            if undeclared:
                yield (
                    f"datasets.{name}.columns: delimited text carries no types: declare "
                    f"`type` of {', '.join(undeclared)}"
                )


def _feature_problems(study: Study) -> Iterator[str]:
    seen: set[str] = set()
    label_columns = _label_columns(study)
    for feature in study.resolved_features:
        # The arguments of a served model do not tell upper from lower case.
        name = feature.name.lower()
        if name in seen:
            yield f"features.{feature.name}: there are two features of this name"
        seen.add(name)
        if name in _TAKEN_NAMES or name.startswith(_TAKEN_PREFIXES):
            yield f"features.{feature.name}: this name is taken by the pipeline; choose another"
        dataset = study.datasets[feature.dataset]
        if feature.parameter is not None and not dataset.parameter:
            yield f"features.{feature.name}: `each` needs datasets.{feature.dataset}.parameter"
        if dataset.rows == "one_per_subject":
            yield from _column_feature_problems(study, feature, dataset, label_columns)
        else:
            yield from _row_feature_problems(study, feature, dataset)


def _column_feature_problems(
    study: Study,
    feature: ResolvedFeature,
    dataset: Dataset,
    label_columns: set[tuple[str, str]],
) -> Iterator[str]:
    column = feature.column
    if feature.aggregate or feature.where:
        yield (
            f"features.{feature.name}: {feature.dataset} has one row per subject: name its "
            "column, without `aggregate` and `where`"
        )
    if column is None:
        return
    if (feature.dataset, column) in label_columns:
        yield (
            f"features.{feature.name}: column {column} decides a label, so it can't be a "
            "feature: the model would be told the answer"
        )
    known = dataset.columns[column].known if column in dataset.columns else None
    if known is None:
        yield (
            f"features.{feature.name}: say when column {column} is known "
            f"(datasets.{feature.dataset}.columns.{column}.known); an undeclared column can't "
            "be a feature"
        )
    elif not study.known_by_landmark(known):
        yield (
            f"features.{feature.name}: column {column} is known `{known}`, after the landmark "
            f"(study day {study.landmark_day}), so it can't be a feature"
        )


def _row_feature_problems(
    study: Study, feature: ResolvedFeature, dataset: Dataset
) -> Iterator[str]:
    if feature.aggregate is None:
        yield (
            f"features.{feature.name}: {feature.dataset} has many rows per subject: say which "
            "`aggregate` of them (last, first, mean, min, max, change, count, any)"
        )
    if not (dataset.day or dataset.date) and not study.known_by_landmark(dataset.known):
        yield (
            f"features.{feature.name}: the rows of {feature.dataset} have neither day nor date "
            f"and are not declared to be known by the landmark (datasets.{feature.dataset}.known)"
        )
    for column in dict.fromkeys(_feature_columns(feature, dataset)):
        known = dataset.columns[column].known if column in dataset.columns else None
        if known and not study.known_by_landmark(known):
            yield (
                f"features.{feature.name}: column {column} is known `{known}`, after the landmark "
                f"(study day {study.landmark_day}), so it can't be part of a feature"
            )
        elif column in (dataset.end_day, dataset.end_date):
            yield (
                f"features.{feature.name}: column {column} is the end of a row of "
                f"{feature.dataset}, which may lie after the landmark, so it can't be part of a "
                "feature"
            )


def _task_problems(study: Study) -> Iterator[str]:
    for name, task in study.tasks.items():
        if task.horizon is not None and task.horizon <= study.landmark_day:
            yield (
                f"tasks.{name}.horizon: day {task.horizon} must lie after the landmark "
                f"(study day {study.landmark_day})"
            )
        if task.event:
            dataset = study.datasets[task.event.dataset]
            if not (task.event.day or dataset.day or dataset.date):
                yield (
                    f"tasks.{name}.event: {task.event.dataset} has no day or date: name the "
                    "column (`day`), or write the label as a `state`"
                )
            follow_up = task.event.follow_up
            if follow_up and (follow_up.day is None) == (follow_up.date is None):
                yield f"tasks.{name}.event.follow_up: give either `day` or `date`"
        if task.state:
            yield from _state_problems(study, name, task.state)


def _state_problems(study: Study, name: str, state: StateLabel) -> Iterator[str]:
    dataset_name = state.dataset or study.subject.dataset
    dataset = study.datasets[dataset_name]
    for column in state.positive.reference_columns():
        declared = dataset.columns.get(column)
        if dataset.rows == "one_per_subject" and not (
            declared and study.known_by_landmark(declared.known)
        ):
            yield (
                f"tasks.{name}.state.positive: {column}, which others are compared with, must "
                f"be declared as known by the landmark (datasets.{dataset_name}.columns)"
            )


def _is_of_baseline(study: Study, feature: ResolvedFeature) -> bool:
    dataset = study.datasets[feature.dataset]
    arm = study.arm.columns if study.arm and feature.dataset == study.subject.dataset else ()
    if feature.column in arm:
        return False
    if dataset.rows == "one_per_subject" and feature.column in dataset.columns:
        known = dataset.columns[feature.column].known
    elif dataset.day or dataset.date:
        return study.landmark_day <= study.first_day
    else:
        known = dataset.known
    return study.known_by(known, study.first_day)


def _analysis_problems(study: Study) -> Iterator[str]:
    characteristics = [feature.name for feature in study.baseline_features]
    for name in study.analysis.adjust_for or ():
        if name not in characteristics:
            yield (
                f"analysis.adjust_for: {name} is no feature that is known at baseline; those are: "
                f"{', '.join(characteristics)}"
            )
    if study.analysis.randomised and not study.arm:
        yield "analysis.randomised: the study file names no arm"


def _slice_problems(study: Study) -> Iterator[str]:
    for name, group in study.slices.groups.items():
        if group.of == "arm" and not study.arm:
            yield f"slices.groups.{name}: the study file names no arm"
        if group.of == "site" and not study.site:
            yield f"slices.groups.{name}: the study file names no site"
    for pair in study.slices.pairs:
        for name in pair:
            if name not in study.slices.groups:
                yield f"slices.pairs: no group {name}; there are: {', '.join(study.slices.groups)}"
    if study.split.holdout_sites and not study.site:
        yield "split.holdout_sites: the study file names no site"
    if study.training.site_as_feature and not study.site:
        yield "training.site_as_feature: the study file names no site"


def _threshold_problems(study: Study) -> Iterator[str]:
    for threshold in study.thresholds:
        for task in threshold.tasks:
            if task not in study.tasks:
                yield f"thresholds: no task {task}; there are: {', '.join(study.tasks)}"
