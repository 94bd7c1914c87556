"""The section `summary`: what the summary of the trial's progress is made from."""

from __future__ import annotations

from pydantic import model_validator

from pipeline.documents import StrictModel
from pipeline.study.conditions import Condition, Scalar
from pipeline.study.sections.types import (
    Name,
)


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
