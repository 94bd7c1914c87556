"""Every use that a study file makes of a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.names import ARM, SITE
from pipeline.study.conditions import Condition
from pipeline.study.sections import Dataset, EventLabel, ResolvedFeature, Summary, Task

if TYPE_CHECKING:
    from pipeline.study.study import Study


def columns_used(study: Study, dataset: str) -> Iterator[str]:
    """Every column of a dataset that the study file refers to, repetitions included."""
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
            yield from columns_of_feature(feature, described)
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


def columns_of_feature(feature: ResolvedFeature, described: Dataset) -> Iterator[str]:
    """Columns that a feature is made from."""
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


def label_columns(study: Study) -> set[tuple[str, str]]:
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


def named_datasets(study: Study) -> Iterator[tuple[str, str]]:
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


def is_of_baseline(study: Study, feature: ResolvedFeature) -> bool:
    """Whether a feature is known when the arm begins and is no part of the arm itself."""
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


def feature_columns(study: Study) -> tuple[Sequence[str], Sequence[str]]:
    """Columns that the model reads: (numbers, categories); the arm is always among them."""
    numbers = [f.name for f in study.resolved_features if f.kind == "number"]
    categories = [f.name for f in study.resolved_features if f.kind == "category"]
    if study.arm:
        categories.append(ARM)
    if study.training.site_as_feature:
        categories.append(SITE)
    return numbers, categories
