"""The section `summary`: settings of the summary of the trial's progress."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import field_validator, model_validator

from pipeline.documents import StrictModel
from pipeline.study.conditions import Condition, Scalar
from pipeline.study.sections.types import (
    Name,
)


class Disposition(StrictModel):
    """Disposition: how subjects left the trial.

    Attributes:
        dataset: Its dataset; the subject dataset where not given.
        where: Condition of the rows; a subject whose rows disagree counts as unknown.
        column: Column of the reason.
        completed: Its value for those who completed the trial.
    """

    dataset: str | None = None
    where: Condition | None = None
    column: str
    completed: Scalar


class AdverseEvents(StrictModel):
    """Adverse events, one row each.

    Attributes:
        dataset: Their dataset.
        where: Condition of the rows that count, such as treatment-emergent events.
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
        dataset: Its dataset.
        where: Condition of the rows; of several of a subject and visit the mean counts.
        value: Column of the number.
        visit: Column of the visit's name.
        order: Column of a number that orders the visits.
    """

    title: str
    dataset: str
    where: Condition | None = None
    value: str
    visit: str
    order: str | None = None


class Summary(StrictModel):
    """Settings of the summary of the trial's progress.

    Attributes:
        population: Condition over the subject dataset for enrolled subjects; the study's population
            where not given.
        safety: Condition for the treated subjects among them, of whom exposure and adverse events
            are; all, where not given.
        enrolment: Column of the subject dataset with the date of enrolment; the reference date
            where not given.
        disposition: How subjects left the trial.
        exposure: Columns of the subject dataset with a number, by name with unit.
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

    @field_validator("exposure", mode="before")
    @classmethod
    def _exposure_names_columns(cls, value: object) -> object:
        entries = value if isinstance(value, Mapping) else {}
        if set(entries) == {"column", "unit"} or any(
            isinstance(entry, Mapping) for entry in entries.values()
        ):
            raise ValueError(
                "expected one column by what it measures, with the unit in that text, such as "
                "`Duration of treatment (days): TRTDURD`"
            )
        return value
