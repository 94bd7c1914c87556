"""The features of a study, with all defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pipeline.names import ARM, SITE
from pipeline.study.conditions import Condition
from pipeline.study.sections import Aggregate, Feature
from pipeline.titles import title_or_name, titled

if TYPE_CHECKING:
    from pipeline.study.study import Study

UNTITLED: Mapping[str, str] = MappingProxyType({})
"""Titles of features of which none has one."""

MIN_CATEGORY_COUNT = 5
"""Subjects of the train split that a category needs to be distinguished from other rare ones."""


@dataclass(frozen=True)
class ResolvedFeature:
    """A feature with all defaults, one for each value of `each`.

    Attributes:
        name: Its column in the examples.
        title: What people read; its name where the study file gives no title.
        key: Its key in the study file; with `each` several features share it.
        parameter: Value of the dataset's parameter column that selects its rows.
        rejected_rows: What the feature is where a rejected row could have decided otherwise.
    """

    name: str
    title: str
    key: str
    kind: Literal["number", "category"]
    dataset: str
    column: str | None
    where: Condition | None
    parameter: str | None
    aggregate: Aggregate | None
    rejected_rows: Literal["missing", "ignore"] = "missing"


def resolve_features(study: Study) -> Iterator[ResolvedFeature]:
    """Yields all features, with `each` expanded, in the order of the file."""
    for name, feature in study.features.items():
        yield from _resolve(study, name, feature)


def _resolve(study: Study, name: str, feature: Feature) -> Iterator[ResolvedFeature]:
    dataset = feature.dataset or study.subject.dataset
    column = None if feature.aggregate in ("count", "any") else feature.column or name
    for parameter in feature.each or (None,):
        yield ResolvedFeature(
            name=name if parameter is None else feature_name(name, parameter),
            title=_title(name, feature, parameter),
            key=f"features.{name}",
            kind=feature.kind,
            dataset=dataset,
            column=column,
            where=feature.where,
            parameter=parameter,
            aggregate=feature.aggregate,
            rejected_rows=feature.rejected_rows,
        )


def _title(name: str, feature: Feature, parameter: str | None) -> str:
    if parameter is None:
        return title_or_name(name, feature.title)
    titles = feature.each if isinstance(feature.each, Mapping) else {}
    if feature.title is None:
        return title_or_name(feature_name(name, parameter), titles.get(parameter))
    return f"{feature.title}: {titled(parameter, titles)}"


def feature_titles(study: Study) -> dict[str, str]:
    """Titles of the features that have one, by name, in the order of the file.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> feature_titles(load_study(find_study_file("synthetic")))["lab_change_ALT"]
        'Change since baseline: alanine aminotransferase (U/L)'
    """
    return {f.name: f.title for f in study.resolved_features if f.title != f.name}


def feature_name(name: str, parameter: str) -> str:
    """Name of the feature that `each` makes of one parameter.

    Examples:
        >>> feature_name("laboratory", "ALT-2")
        'laboratory_ALT_2'
    """
    return name + "_" + re.sub(r"\W", "_", parameter)


def is_of_baseline(study: Study, feature: ResolvedFeature) -> bool:
    """Whether a feature is known at baseline and is not part of the arm."""
    dataset = study.datasets[feature.dataset]
    arm = study.arm.columns if study.arm and feature.dataset == study.subject.dataset else ()
    if feature.column in arm:
        return False
    if dataset.rows == "one_per_subject" and feature.column:
        known = dataset.known_of(feature.column)
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
