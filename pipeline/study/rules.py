"""Rules between the sections of a study file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipeline.names import (
    ARM,
    BASE_RATE,
    FOLDS,
    LONGEST_TITLE,
    SITE,
    SUBJECT_HASH,
    event_key,
    label_key,
    slice_key,
    time_key,
    weight_key,
)
from pipeline.study.features import ResolvedFeature
from pipeline.study.references import Reference, label_columns
from pipeline.study.sections import Censoring, Dataset, EventLabel, Task

if TYPE_CHECKING:
    from pipeline.study.study import Study

_TAKEN_NAMES = (ARM, FOLDS, SITE, SUBJECT_HASH)
_TAKEN_PREFIXES = tuple(key("") for key in (label_key, weight_key, slice_key, time_key, event_key))


def problems(study: Study) -> Iterator[str]:
    """Each violated rule as one line: key, fault and what was expected."""
    # Reported together with the other problems of the file.
    for key in ("features", "tasks"):
        if not getattr(study, key):
            yield f"{key}: this key is missing."
    unknown = [*_unknown_datasets(study), *_misused_supplements(study)]
    yield from unknown
    if not unknown:
        # The other rules need the datasets that features and tasks name.
        yield from _dataset_problems(study)
        yield from _feature_problems(study)
        yield from _title_problems(study)
        yield from _task_problems(study)
        yield from _analysis_problems(study)
    yield from _conduct_problems(study)
    yield from _landmark_problems(study)
    yield from _slice_problems(study)
    yield from _evaluation_problems(study)
    yield from _validation_problems(study)
    yield from _threshold_problems(study)


def _conduct_problems(study: Study) -> Iterator[str]:
    if study.hidden and (study.arm or study.conduct != "ongoing"):
        yield "hidden: only the pipeline writes it; remove the section"


def _landmark_problems(study: Study) -> Iterator[str]:
    if study.landmark_day < study.first_day:
        yield (
            f"landmark.day: study day {study.landmark_day} lies before baseline, which is study "
            f"day {study.first_day}: write `landmark: baseline`, and to count events of that day "
            "as after it, `landmark_day: after` in the task's `event`"
        )


def _unknown_datasets(study: Study) -> Iterator[str]:
    for use in _named_datasets(study):
        if use.dataset not in study.datasets:
            yield f"{use.key}: no dataset {use.dataset}; there are: {', '.join(study.datasets)}"


def _misused_supplements(study: Study) -> Iterator[str]:
    for use in _named_datasets(study):
        name = use.dataset
        parent = study.datasets[name].supplements if name in study.datasets else None
        if parent is not None:
            yield f"{use.key}: {name} only adds columns to {parent}; name {parent}"


def _named_datasets(study: Study) -> Iterator[Reference]:
    """The uses of a dataset as a whole.

    The subject dataset is checked once, where `subject` names it: it is the default elsewhere.
    """
    for use in study.references():
        if use.column is None and (use.role == "subject" or use.dataset != study.subject.dataset):
            yield use


def _dataset_problems(study: Study) -> Iterator[str]:
    if study.subject_dataset.rows != "one_per_subject":
        yield f"subject.dataset: {study.subject.dataset} must have `rows: one_per_subject`"
    if study.sql_datasets and study.database is None:
        yield "database: needed by the datasets of the format `sql`: give its `address`"
    if study.database is not None and not study.sql_datasets:
        yield "database: no dataset has `format: sql`; remove the section"
    if study.subject.row_number and len(study.datasets) > 1:
        yield "subject.row_number: only a study of one dataset can do without a subject key"
    events = [task.event for task in study.tasks.values() if task.event]
    needs_reference = (
        study.subject.exit_date
        or any(dataset.date for dataset in study.datasets.values())
        or any(event.date or (event.follow_up and event.follow_up.date) for event in events)
    )
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
    decisive = label_columns(study)
    for feature in study.resolved_features:
        # The arguments of a served model are not case-sensitive.
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
            yield from _column_feature_problems(study, feature, dataset, decisive)
        else:
            yield from _row_feature_problems(study, feature, dataset)


def _title_problems(study: Study) -> Iterator[str]:
    """Titles that two features share, or that with those of `each` are too long."""
    named: dict[str, str] = {}
    for feature in study.resolved_features:
        other = named.setdefault(feature.title, feature.name)
        if other != feature.name:
            yield (
                f"features.{feature.name}: its title is that of {other}: give each a title of its "
                "own"
            )
        if len(feature.title) > LONGEST_TITLE and feature.title != feature.name:
            yield (
                f"features.{feature.name}: with that of `each` its title has {len(feature.title)} "
                f"characters, expected at most {LONGEST_TITLE}"
            )


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
            "feature: the label would leak into the features"
        )
    known = dataset.known_of(column)
    if known is None:
        yield (
            f"features.{feature.name}: say when column {column} is known "
            f"(datasets.{feature.dataset}.columns.{column}.known, or datasets.{feature.dataset}."
            "known for all columns that don't say it); an undeclared column can't be a feature"
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
    uses = (use.column for use in study.references() if _is_part_of(feature, use))
    for column in dict.fromkeys(column for column in uses if column):
        known = dataset.known_of(column)
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


def _is_part_of(feature: ResolvedFeature, use: Reference) -> bool:
    return f"{use.key}.".startswith(f"{feature.key}.")


def _task_problems(study: Study) -> Iterator[str]:
    for name, task in study.tasks.items():
        if task.horizon is not None and task.horizon <= study.landmark_day:
            yield (
                f"tasks.{name}.horizon: day {task.horizon} must lie after the landmark "
                f"(study day {study.landmark_day})"
            )
        if task.event:
            dataset = study.datasets[task.event.dataset]
            if task.event.day and task.event.date:
                yield f"tasks.{name}.event: give either `day` or `date`"
            if not (task.event.day or task.event.date or dataset.day or dataset.date):
                yield (
                    f"tasks.{name}.event: {task.event.dataset} has no day or date: name the "
                    "column (`day` or `date`), or write the label as a `state`"
                )
            yield from _event_problems(study, f"tasks.{name}", task, task.event)
        yield from _censoring_problems(study, name, task)
    yield from _compared_problems(study)


def _event_problems(study: Study, key: str, task: Task, event: EventLabel) -> Iterator[str]:
    follow_up = event.follow_up
    if follow_up and (follow_up.day is None) == (follow_up.date is None):
        yield f"{key}.event.follow_up: give either `day` or `date`"
    if follow_up and task.horizon is None:
        yield (
            f"{key}.event.follow_up: without `horizon` no subject is known not to have the event, "
            f"however long the follow-up: give the last study day that counts ({key}.horizon)"
        )
    if event.landmark_day not in ("masked", "before") and study.landmark_day > study.first_day:
        yield (
            f"{key}.event.landmark_day: the landmark is the end of study day "
            f"{study.landmark_day}: what happens on that day is before it; leave this key out"
        )
    if event.competing and event.where is None:
        yield (
            f"{key}.event.competing: without `where` every row is an event: say which rows are "
            f"events ({key}.event.where)"
        )


def _censoring_problems(study: Study, name: str, task: Task) -> Iterator[str]:
    key, censoring = f"tasks.{name}.censoring", task.censoring
    if censoring != Censoring() and not task.has_follow_up:
        yield (
            f"{key}: only the end of `event.follow_up` is weighted for, and this task has none: "
            "leave this key out"
        )
    subjects = study.subject_dataset
    for slicing in censoring.by:
        if slicing not in study.slicing.by:
            yield _no_slicing(f"{key}.by", slicing, study.slicing.by)
            continue
        column = study.slicing.by[slicing].column or study.slicing.by[slicing].date
        if column and not study.known_by_landmark(subjects.known_of(column)):
            yield (
                f"{key}.by: column {column} of slicing {slicing} must be declared as known by the "
                f"landmark (datasets.{study.subject.dataset}.columns): who is still observed can't "
                "depend on what comes later"
            )


def _compared_problems(study: Study) -> Iterator[str]:
    """The reference of a state's comparison must be known at the landmark."""
    for use in study.references():
        dataset = study.datasets[use.dataset]
        if not (use.compared and use.column and use.key.endswith(".state.positive")):
            continue
        if dataset.rows == "one_per_subject" and not study.known_by_landmark(
            dataset.known_of(use.column)
        ):
            yield (
                f"{use.key}: {use.column}, which others are compared with, must be declared as "
                f"known by the landmark (datasets.{use.dataset}.columns)"
            )


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
    for name, group in study.slicing.by.items():
        if group.of == "arm" and not study.arm:
            yield f"slicing.by.{name}: the study file names no arm"
        if group.of == "site" and not study.site:
            yield f"slicing.by.{name}: the study file names no site"
    for pair in study.slicing.pairs:
        for name in pair:
            if name not in study.slicing.by:
                yield _no_slicing("slicing.pairs", name, study.slicing.by)
    if study.training.site_as_feature and not study.site:
        yield "training.site_as_feature: the study file names no site"


def _no_slicing(key: str, name: str, known: Iterable[str]) -> str:
    return f"{key}: no slicing {name}; there are: {', '.join(known) or 'none'}"


def _evaluation_problems(study: Study) -> Iterator[str]:
    by = study.evaluation.by
    if by == SITE and not study.site:
        yield "evaluation.by: the study file names no site"
    if by is not None and by not in (SITE, *study.slicing.by):
        dated = f" (periods: `slicing: {{by: {{{by}: {{date: COLUMN, period: year}}}}}}`)"
        problem = _no_slicing("evaluation.by", by, [SITE, *study.slicing.by])
        yield problem + (dated if by == "time" else "")
    if study.split.holdout_sites and study.evaluation.scheme in ("cross_fit", "internal_external"):
        yield (
            "split.holdout_sites: only a split holds sites out; say `scheme: split` in "
            "`evaluation`, or leave this key out"
        )
    if study.split.holdout_sites and not study.site:
        yield "split.holdout_sites: the study file names no site"


def _validation_problems(study: Study) -> Iterator[str]:
    features = {feature.name for feature in study.resolved_features} | {ARM, SITE}
    for key, named, known in (
        ("tasks", study.validation.tasks, set(study.tasks)),
        ("features", study.validation.features, features),
    ):
        for name in named:
            if name not in known:
                yield f"validation.{key}.{name}: this study has no such name under `{key}`"


def _threshold_problems(study: Study) -> Iterator[str]:
    for threshold in study.thresholds:
        for task in threshold.tasks:
            if task not in study.tasks:
                yield f"thresholds: no task {task}; there are: {', '.join(study.tasks)}"
        fitted = (None, BASE_RATE, *study.training.reference_models)
        if threshold.reference not in fitted:
            yield (
                f"thresholds: `versus: {threshold.reference}` needs this model in "
                "`training.reference_models`"
            )
