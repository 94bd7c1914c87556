"""Sections about what is predicted, when, and from what: landmark, features, tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.documents import StrictModel
from pipeline.study.conditions import Condition
from pipeline.study.sections.types import (
    Aggregate,
)


class Landmark(StrictModel):
    """The moment of prediction: the end of a study day.

    Attributes:
        day: The study day.
    """

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
    """Until which study day a subject was observed for an event (its last such row).

    Attributes:
        dataset: Where the rows are that show that a subject was observed.
        where: Which rows count; all, where not given.
        day: Column of the study day; the dataset's own day or date where not given.
        date: The same as a date.
    """

    dataset: str
    where: Condition | None = None
    day: str | None = None
    date: str | None = None


class EventLabel(StrictModel):
    """Positive when a row that meets `where` is dated after the landmark, up to the horizon.

    An event at or before the landmark masks the subject. Without an event the label is
    negative if the follow-up reaches the horizon, and unknown if it ends before; without
    `follow_up` everybody counts as observed. `follow_up` needs the task's `horizon`.

    Attributes:
        dataset: Where the events are.
        where: Which rows are events; all, where not given.
        day: Column of the event's day; the dataset's own day or date where not given.
        landmark_day: What an event on the first study day is, where the landmark is baseline:
            `after` it, for data that can't hold anything earlier, such as deaths; `before` it;
            or a condition over the event's row that is met after it, such as
            `{column: HOURS, above: 0}`, not met before it, and not known where the column is
            missing. `masked`: not known, so that the subject's label is unknown.
        follow_up: Until when a subject was observed.
    """

    dataset: str
    where: Condition | None = None
    day: str | None = None
    landmark_day: Literal["masked", "after", "before"] | Condition = "masked"
    follow_up: FollowUp | None = None

    @field_validator("landmark_day", mode="before")
    @classmethod
    def _landmark_day_is_known(cls, value: object) -> object:
        if isinstance(value, Condition | Mapping) or value in ("masked", "after", "before"):
            return value
        raise ValueError("expected `after`, `before`, `masked` or a condition over the event's row")


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
