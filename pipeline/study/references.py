"""All references of a study file to datasets and columns.

The columns that a stage reads, that decide a label or that are dates, and the named datasets, are
filters of `Study.references()`; no other module traverses the sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.study.conditions import Condition
from pipeline.study.features import ResolvedFeature
from pipeline.study.sections import EventLabel, LandmarkOrder, StateLabel, Task

if TYPE_CHECKING:
    from pipeline.study.study import Study

Kind = Literal["text", "number", "date", "moment"]
"""A moment is whatever orders events in time: a number, a date with its time, a time of day."""

Role = Literal[
    "subject",
    "subject_key",
    "row_day",
    "row_end",
    "qualifier",
    "reference_date",
    "birth_date",
    "exit",
    "population",
    "window",
    "arm",
    "hidden",
    "site",
    "slicing",
    "feature",
    "feature_rows",
    "label",
    "label_rows",
    "unknown_when",
    "landmark",
    "follow_up",
    "follow_up_rows",
    "analysis",
    "analysis_rows",
    "enrolled",
    "safety",
    "enrolment",
    "disposition",
    "exposure",
    "adverse_events",
    "event_category",
    "event_severity",
    "visits",
    "visit_value",
    "visit_name",
    "visit_order",
]
"""Role of a column; roles `..._rows` select the rows of a use."""

SUMMARY_ROLES: frozenset[Role] = frozenset(
    {
        "enrolled",
        "safety",
        "enrolment",
        "disposition",
        "exposure",
        "adverse_events",
        "event_category",
        "event_severity",
        "visits",
        "visit_value",
        "visit_name",
        "visit_order",
    }
)
"""Roles of the section `summary`: they do not affect the examples."""

OUTCOME_ROLES: frozenset[Role] = frozenset(
    {
        "exit",
        "label",
        "label_rows",
        "unknown_when",
        "landmark",
        "follow_up",
        "follow_up_rows",
        "analysis",
        "analysis_rows",
    }
)
"""Roles of what decides an outcome: a subject who is scored has none yet."""

QUALIFIER_COLUMNS = ("IDVAR", "IDVARVAL", "QNAM", "QVAL")
"""Columns of a SUPP-- dataset (SDTM Implementation Guide 3.4, section 8.4)."""

RECORD_KEY = re.compile(r".*(SEQ|GRPID|REFID|SPID|LNKID|LNKGRP)|VISIT|VISITNUM")
"""Variables that IDVAR of a SUPP-- dataset may name (SDTM Implementation Guide 3.4, 8.4)."""

NUMERIC_RECORD_KEY = re.compile(r".*SEQ|VISITNUM")
"""Those of them that SDTM makes numbers."""

DOMAIN, RELATED_DOMAIN = "DOMAIN", "RDOMAIN"
"""Columns with the domain of a record, and with that of a qualifier's parent."""


@dataclass(frozen=True)
class Reference:
    """One use of a column or of a whole dataset.

    Attributes:
        key: Its key in the study file, such as `tasks.death.event.where`.
        role: Role of the column.
        dataset: The dataset, as named or by default; it need not exist.
        column: The column; None if only the dataset is named.
        kind: Type that the use requires; None for any.
        condition: The condition that contains the column; for a dataset, the condition of the rows
            that the use reads (None: all rows).
        compared: Whether the column is the reference of a comparison (`above_column`,
            `below_column`).
    """

    key: str
    role: Role
    dataset: str
    column: str | None = None
    kind: Kind | None = None
    condition: Condition | None = None
    compared: bool = False


def references(study: Study) -> Iterator[Reference]:
    """Yields every use that a study file makes of a dataset or a column.

    A column that is used twice is yielded twice. Only each section by itself must be valid: named
    datasets need not exist.

    Args:
        study: The study.

    Yields:
        The uses, in the order of the sections: datasets, subject, slicing, features, tasks,
        analysis, summary.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("ist"))
        >>> sorted({use.role for use in references(study) if use.column == "AGE"})
        ['feature', 'slicing']
    """
    yield from _of_datasets(study)
    yield from _of_subjects(study)
    for feature in study.resolved_features:
        yield from _of_feature(study, feature)
    for name, task in study.tasks.items():
        yield from _of_task(study, f"tasks.{name}", task)
    yield from _of_endpoints(study)
    yield from _of_summary(study)


def _of_datasets(study: Study) -> Iterator[Reference]:
    for name, dataset in study.datasets.items():
        key = f"datasets.{name}"
        subject = "subject.column" if dataset.subject is None else f"{key}.subject"
        yield from _columns(subject, "subject_key", name, study.subject_column(name))
        yield from _columns(f"{key}.day", "row_day", name, dataset.day, kind="number")
        yield from _columns(f"{key}.date", "row_day", name, dataset.date, kind="date")
        yield from _columns(f"{key}.end_day", "row_end", name, dataset.end_day, kind="number")
        yield from _columns(f"{key}.end_date", "row_end", name, dataset.end_date, kind="date")
        if dataset.supplements:
            place = f"{key}.supplements"
            yield Reference(place, "qualifier", dataset.supplements)
            yield from _columns(place, "qualifier", name, *QUALIFIER_COLUMNS, kind="text")


def _of_subjects(study: Study) -> Iterator[Reference]:
    subject, name = study.subject, study.subject.dataset
    yield Reference("subject.dataset", "subject", name)
    yield from _columns(
        "subject.reference_date", "reference_date", name, subject.reference_date, kind="date"
    )
    yield from _columns("subject.birth_date", "birth_date", name, subject.birth_date, kind="date")
    yield from _columns("subject.exit_day", "exit", name, subject.exit_day, kind="number")
    yield from _columns("subject.exit_date", "exit", name, subject.exit_date, kind="date")
    if study.site:
        yield from _columns("site.column", "site", name, study.site.column)
    if study.window:
        yield from _columns("window.column", "window", name, study.window.column, kind="date")
    if study.arm:
        yield from _columns("arm.columns", "arm", name, *study.arm.columns)
    yield from _condition("population", "population", name, study.population)
    for group, slicing in study.slicing.by.items():
        kind: Kind | None = "number" if slicing.bands else None
        yield from _columns(f"slicing.by.{group}", "slicing", name, slicing.column, kind=kind)
        yield from _columns(f"slicing.by.{group}", "slicing", name, slicing.date, kind="date")


def _of_feature(study: Study, feature: ResolvedFeature) -> Iterator[Reference]:
    key, dataset = feature.key, feature.dataset
    described = study.datasets.get(dataset)
    parameter = described.parameter if described and feature.parameter is not None else None
    parts = [feature.where] if feature.where else []
    if parameter:
        parts.append(Condition(column=parameter, equals=feature.parameter))
    rows = Condition(all=tuple(parts)) if parts else None
    yield Reference(f"{key}.dataset", "feature", dataset, condition=rows)
    kind: Kind | None = "number" if feature.kind == "number" else None
    yield from _columns(key, "feature", dataset, feature.column, kind=kind)
    yield from _condition(f"{key}.where", "feature_rows", dataset, feature.where)
    yield from _columns(f"{key}.each", "feature_rows", dataset, parameter)


def _of_task(study: Study, key: str, task: Task) -> Iterator[Reference]:
    if task.event:
        yield from _of_event(study, f"{key}.event", task.event)
    if task.state:
        yield from _of_state(study, f"{key}.state", task.state)
    yield from _condition(
        f"{key}.unknown_when", "unknown_when", study.subject.dataset, task.unknown_when
    )


def _of_event(study: Study, key: str, event: EventLabel) -> Iterator[Reference]:
    yield Reference(f"{key}.dataset", "label", event.dataset, condition=_rows_of_event(event))
    yield from _condition(f"{key}.where", "label", event.dataset, event.where)
    yield from _condition(f"{key}.competing", "label", event.dataset, event.competing)
    described = study.datasets.get(event.dataset)
    if event.day or event.date:
        yield from _columns(f"{key}.day", "label", event.dataset, event.day, kind="number")
        yield from _columns(f"{key}.date", "label", event.dataset, event.date, kind="date")
    elif described:
        # Its type is required where the dataset names it.
        yield from _columns(key, "label", event.dataset, described.day or described.date)
    if isinstance(event.landmark_day, Condition):
        yield from _condition(f"{key}.landmark_day", "label", event.dataset, event.landmark_day)
    if isinstance(event.landmark_day, LandmarkOrder):
        place, order = f"{key}.landmark_day", event.landmark_day
        own = study.subject.dataset
        yield from _columns(f"{place}.column", "label", event.dataset, order.column, kind="moment")
        yield from _columns(f"{place}.landmark", "landmark", own, order.landmark, kind="moment")
    if event.follow_up:
        key, rows = f"{key}.follow_up", event.follow_up
        yield Reference(f"{key}.dataset", "follow_up", rows.dataset, condition=rows.where)
        yield from _condition(f"{key}.where", "follow_up_rows", rows.dataset, rows.where)
        yield from _columns(f"{key}.day", "follow_up", rows.dataset, rows.day, kind="number")
        yield from _columns(f"{key}.date", "follow_up", rows.dataset, rows.date, kind="date")


def _rows_of_event(event: EventLabel) -> Condition | None:
    """Condition of the rows that are events or compete with them; None for all rows."""
    if event.where is None or event.competing is None:
        return event.where
    return Condition(any=(event.where, event.competing))


def _of_state(study: Study, key: str, state: StateLabel) -> Iterator[Reference]:
    dataset = state.dataset or study.subject.dataset
    yield Reference(f"{key}.dataset", "label", dataset, condition=state.where)
    yield from _condition(f"{key}.where", "label_rows", dataset, state.where)
    yield from _condition(f"{key}.positive", "label", dataset, state.positive)


def _of_endpoints(study: Study) -> Iterator[Reference]:
    for name, endpoint in study.analysis.time_to_event.items():
        key = f"analysis.time_to_event.{name}"
        dataset = endpoint.dataset or study.subject.dataset
        yield Reference(f"{key}.dataset", "analysis", dataset, condition=endpoint.where)
        yield from _columns(f"{key}.time", "analysis", dataset, endpoint.time, kind="number")
        yield from _condition(f"{key}.where", "analysis_rows", dataset, endpoint.where)
        yield from _condition(f"{key}.event", "analysis", dataset, endpoint.event)


def _of_summary(study: Study) -> Iterator[Reference]:
    summary, subject = study.summary, study.subject.dataset
    if summary.population:
        yield from _condition("summary.population", "enrolled", subject, summary.population)
    else:
        yield from _condition("population", "enrolled", subject, study.population)
    yield from _condition("summary.safety", "safety", subject, summary.safety)
    enrolment = summary.enrolment or study.subject.reference_date
    key = "summary.enrolment" if summary.enrolment else "subject.reference_date"
    yield from _columns(key, "enrolment", subject, enrolment, kind="date")
    for what, column in summary.exposure.items():
        yield from _columns(f"summary.exposure.{what}", "exposure", subject, column, kind="number")
    yield from _of_disposition(study)
    yield from _of_adverse_events(study)
    yield from _of_visits(study)


def _of_disposition(study: Study) -> Iterator[Reference]:
    key, ends = "summary.disposition", study.summary.disposition
    if ends:
        dataset = ends.dataset or study.subject.dataset
        yield Reference(f"{key}.dataset", "disposition", dataset, condition=ends.where)
        yield from _condition(f"{key}.where", "disposition", dataset, ends.where)
        yield from _columns(f"{key}.column", "disposition", dataset, ends.column)


def _of_adverse_events(study: Study) -> Iterator[Reference]:
    key, events = "summary.adverse_events", study.summary.adverse_events
    if events:
        name = events.dataset
        yield Reference(f"{key}.dataset", "adverse_events", name, condition=events.where)
        yield from _condition(f"{key}.where", "adverse_events", name, events.where)
        yield from _columns(f"{key}.category", "event_category", name, events.category)
        yield from _columns(f"{key}.severity", "event_severity", name, events.severity)


def _of_visits(study: Study) -> Iterator[Reference]:
    for name, visits in study.summary.endpoints.items():
        key, dataset = f"summary.endpoints.{name}", visits.dataset
        yield Reference(f"{key}.dataset", "visits", dataset, condition=visits.where)
        yield from _condition(f"{key}.where", "visits", dataset, visits.where)
        yield from _columns(f"{key}.value", "visit_value", dataset, visits.value, kind="number")
        yield from _columns(f"{key}.visit", "visit_name", dataset, visits.visit)
        yield from _columns(f"{key}.order", "visit_order", dataset, visits.order, kind="number")


def _columns(
    key: str, role: Role, dataset: str, *columns: str | None, kind: Kind | None = None
) -> Iterator[Reference]:
    yield from (Reference(key, role, dataset, column, kind) for column in columns if column)


def _condition(
    key: str, role: Role, dataset: str, condition: Condition | None
) -> Iterator[Reference]:
    if condition:
        for column in condition.judged_columns():
            yield Reference(key, role, dataset, column, condition=condition)
        for column in condition.reference_columns():
            yield Reference(key, role, dataset, column, condition=condition, compared=True)


def columns_used(study: Study, dataset: str) -> tuple[str, ...]:
    """Columns of a dataset that the examples are made from, each once.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> "AGE" in columns_used(load_study(find_study_file("ist")), "ist")
        True
    """
    found = (
        use.column
        for use in study.references()
        if use.dataset == dataset and use.role not in SUMMARY_ROLES and use.column
    )
    return tuple(dict.fromkeys(found))


def label_columns(study: Study) -> set[tuple[str, str]]:
    """Columns (dataset, name) that determine a label or an endpoint of the analysis.

    The reference of a comparison (`above_column`) is not among them: a baseline value may be both a
    feature and the reference of a change. Neither are columns that only select rows.
    """
    roles: tuple[Role, ...] = ("exit", "label", "unknown_when", "follow_up", "analysis")
    return {
        (use.dataset, use.column)
        for use in study.references()
        if use.role in roles and use.column and not use.compared
    }


def conditions(uses: Iterable[Reference]) -> Iterator[tuple[str, str, Condition]]:
    """Key, dataset and condition of each distinct condition of the uses."""
    seen = set()
    for use in uses:
        if use.column and use.condition and use.key not in seen:
            seen.add(use.key)
            yield use.key, use.dataset, use.condition
