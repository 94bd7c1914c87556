"""Sections about the prediction: landmark, features, tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from pipeline.documents import StrictModel
from pipeline.study.conditions import Condition
from pipeline.study.sections.types import (
    Aggregate,
    Name,
    Text,
    Title,
)


class Landmark(StrictModel):
    """The moment of prediction: the end of a study day.

    Attributes:
        day: The study day.
    """

    day: int


def _form_of_each(value: object) -> str:
    return "titles" if isinstance(value, Mapping) else "values"


Each = Annotated[
    Annotated[tuple[Text, ...], Tag("values")] | Annotated[dict[Text, Title], Tag("titles")],
    Discriminator(_form_of_each),
]
"""Values of a parameter column, or the same with a title for each."""


class Feature(StrictModel):
    """A feature: a column of the subject dataset, or an aggregate of rows up to the landmark.

    Attributes:
        kind: `number` or `category`.
        title: One line for people, with the unit; its name where not given. With `each` the title
            of each value follows it.
        dataset: The subject dataset where not given.
        column: The feature's own name where not given.
        where: Condition of the rows that count.
        each: Values of the dataset's parameter column: one feature for each. A mapping gives the
            title of each value (`ALB: Albumin (g/L)`).
        aggregate: Aggregate of the rows; required if a subject can have several.
        rejected_rows: What an aggregate is where a row that may belong to it was rejected:
            `missing`, or made of the other rows as if there had been none (`ignore`).
    """

    kind: Literal["number", "category"]
    title: Title | None = None
    dataset: str | None = None
    column: str | None = None
    where: Condition | None = None
    each: Each = ()
    aggregate: Aggregate | None = None
    rejected_rows: Literal["missing", "ignore"] = "missing"

    @model_validator(mode="after")
    def _numbers_aggregate(self) -> Feature:
        if self.kind == "category" and self.aggregate not in (None, "last", "first"):
            raise ValueError(f"a category can't have the aggregate {self.aggregate}")
        return self


class FollowUp(StrictModel):
    """Follow-up: the study day until which a subject was observed for an event (its last row).

    Attributes:
        dataset: Dataset of the rows that show that a subject was observed.
        where: Which rows count; all, where not given.
        day: Column of the study day; the dataset's own day or date where not given.
        date: The same as a date.
    """

    dataset: str
    where: Condition | None = None
    day: str | None = None
    date: str | None = None


class LandmarkOrder(StrictModel):
    """What distinguishes times on the landmark's day: a time of day, or a sequence.

    Attributes:
        column: Column of the event's row with date and time, a time of day, or a number that rises
            with time.
        landmark: Column of the subject dataset with the same of the landmark, such as the time of
            randomisation.
    """

    column: str
    landmark: str


def _form_of_landmark_day(value: object) -> str:
    if isinstance(value, str):
        return "word"
    is_order = isinstance(value, LandmarkOrder) or (
        isinstance(value, Mapping) and "landmark" in value
    )
    return "order" if is_order else "condition"


LandmarkDay = Annotated[
    Annotated[Literal["masked", "after", "before"], Tag("word")]
    | Annotated[LandmarkOrder, Tag("order")]
    | Annotated[Condition, Tag("condition")],
    Discriminator(_form_of_landmark_day),
]


class EventLabel(StrictModel):
    """Positive when a row that meets `where` is dated after the landmark, up to the horizon.

    An event at or before the landmark masks the subject. Without an event the label is
    negative if the follow-up reaches the horizon, and unknown if it ends before; without
    `follow_up` all subjects count as observed. `follow_up` needs the task's `horizon`.

    Attributes:
        dataset: Dataset of the events.
        where: Which rows are events; all, where not given.
        day: Column of the event's day; the dataset's own day or date where not given.
        date: The same as a date.
        landmark_day: What an event on the first study day is, where the landmark is baseline:
            `after` it, for data that can't hold anything earlier, such as deaths; `before` it;
            or a condition over the event's row that is met after it, such as
            `{column: HOURS, above: 0}`, not met before it, and not known where the column is
            missing; or a column to compare with that of the landmark (`{column: AESTDTC, landmark:
            RANDDTC}`), where what may be equal is not known. `masked`: not known, so that the
            subject's label is unknown.
        follow_up: Follow-up of the subjects.
        competing: Which rows are competing events, such as a death of another cause: a subject who
            has one before the event is known not to have the event by the horizon. On one and
            the same day the event counts. At or before the landmark it masks its subject.
    """

    dataset: str
    where: Condition | None = None
    day: str | None = None
    date: str | None = None
    landmark_day: LandmarkDay = "masked"
    follow_up: FollowUp | None = None
    competing: Condition | None = None

    @field_validator("landmark_day", mode="before")
    @classmethod
    def _landmark_day_is_known(cls, value: object) -> object:
        words = ("masked", "after", "before")
        if isinstance(value, Condition | LandmarkOrder | Mapping) or value in words:
            return value
        raise ValueError(
            "expected `after`, `before`, `masked` or a condition over the event's row, or `column` "
            "and `landmark` to compare"
        )


class StateLabel(StrictModel):
    """Positive when the selected row meets `positive`; unknown when its columns are missing.

    Attributes:
        dataset: Dataset of the row; the subject dataset where not given.
        where: Condition of the row; of several in the window the last counts.
        positive: Condition under which the label is positive.
        no_row: Label of a subject without such a row.
    """

    dataset: str | None = None
    where: Condition | None = None
    positive: Condition
    no_row: Literal["unknown", "negative"] = "unknown"


class Censoring(StrictModel):
    """How labels are weighted for subjects whose follow-up ended before the horizon (IPCW).

    A known label has the weight 1 / G, where G is the probability of still being observed then:
    just before the event, or at the horizon without one. G is estimated by Kaplan-Meier with the
    end of follow-up as its event, in each arm by itself (Robins JM, Finkelstein DM. Biometrics
    2000;56:779-88).

    Attributes:
        by: Slicings by which G is estimated within each arm as well, where the end of follow-up
            depends on them; they must be known by the landmark.
        smallest_stratum: Fewest subjects of an arm and slice for an estimate of their own. Smaller
            ones of an arm are put together, if need be with its next smallest.
        largest_weight: Weights above it are cut to it: a few subjects who stand for very many make
            every estimate unsteady (Cole SR, Hernán MA. Am J Epidemiol 2008;168:656-64). The limit
            itself is a convention; what is cut is counted.
        least_observed: Smallest G at the horizon; below it a run stops, since the subjects who are
            left say too little of the others.
    """

    by: tuple[Name, ...] = ()
    smallest_stratum: Annotated[int, Field(ge=20)] = 50
    largest_weight: Annotated[float, Field(ge=1)] = 20.0
    least_observed: Annotated[float, Field(gt=0, lt=1)] = 0.02


class Task(StrictModel):
    """A task: one thing to predict.

    Attributes:
        kind: `outcome`, `response` or `adverse_event`.
        title: One line for people.
        event: The label as an event in time.
        state: The label as a state.
        horizon: Last study day that counts.
        unknown_when: Condition over the subject dataset that masks the subject.
        censoring: Weights for labels that are unknown because follow-up ended before the horizon;
            only of a task whose event has a `follow_up`.
        decision_thresholds: Probabilities from which a prediction is positive.
    """

    kind: Literal["outcome", "response", "adverse_event"]
    title: str
    event: EventLabel | None = None
    state: StateLabel | None = None
    horizon: int | None = None
    unknown_when: Condition | None = None
    censoring: Censoring = Censoring()
    decision_thresholds: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)
    ] = (0.5,)

    @property
    def has_follow_up(self) -> bool:
        """Whether follow-up may end before the horizon, so that known labels are weighted."""
        return self.event is not None and self.event.follow_up is not None

    @model_validator(mode="after")
    def _one_label(self) -> Task:
        if (self.event is None) == (self.state is None):
            raise ValueError("give either `event` or `state`")
        return self
