"""Sections about reports: the model card and the analysis of the arms."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from pipeline.documents import StrictModel
from pipeline.study.conditions import Condition
from pipeline.study.sections.types import (
    Name,
)
from pipeline.study.tripod import ITEMS


class Card(StrictModel):
    """Statements of the model card that a run can't measure.

    Attributes:
        purpose: Purpose of the model and the time of use.
        users: Who is meant to use it.
        not_for: Uses that are out of scope.
        population: Whom the trial enrolled, and where.
        period: When it enrolled them and how long it followed them.
        limits: Limitations known in advance.
        statements: A person's answers to items of TRIPOD+AI, by the item's number.
    """

    purpose: str | None = None
    users: str | None = None
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
    """A time to an event or to censoring, as in ADTTE.

    Attributes:
        title: One line for people.
        dataset: Dataset of the rows; the subject dataset where not given.
        where: Condition of the row; of several of a subject the earliest counts.
        time: Column of the time since the start of treatment or randomisation.
        event: Condition under which the time is that of an event; otherwise the subject is
            censored.
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
    """Settings of the analysis of the arms.

    Attributes:
        randomised: Whether the arms were assigned at random. Otherwise differences between arms are
            described and never called effects.
        adjust_for: Baseline features that effects are adjusted for; all, where not given.
        time_to_event: Times to events, by name.
    """

    randomised: bool = False
    adjust_for: tuple[str, ...] | None = None
    time_to_event: dict[Name, TimeToEvent] = {}
