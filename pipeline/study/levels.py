"""The values of columns that a study file names: levels, codes, parameters and sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.study.conditions import Condition, Scalar
from pipeline.study.references import SUMMARY_ROLES, conditions

if TYPE_CHECKING:
    from pipeline.study.study import Study


@dataclass(frozen=True)
class NamedLevels:
    """The values that one place of the study file compares a column with.

    Attributes:
        key: Where the study file says so, such as `features.laboratory.each`.
        dataset: The dataset.
        column: The column.
        levels: The values.
        negated: Whether the place asks for other rows than these (`not`): it may be right
            that there are none of them.
        alone: Whether each value is needed by itself; otherwise they are alternatives.
        from_start: Whether the column must have values; otherwise it may still be empty, as that
            of adverse events is early in a trial.
    """

    key: str
    dataset: str
    column: str
    levels: tuple[Scalar, ...]
    negated: bool = False
    alone: bool = False
    from_start: bool = True


def named_levels(study: Study) -> Iterator[NamedLevels]:
    """Every place that compares a column with values; not the summary's, nor the arm's control.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("cdisc_pilot01"))
        >>> [(n.column, n.levels) for n in named_levels(study) if n.key == "features.vital.each"]
        [('PARAMCD', ('TEMP',))]
    """
    for name, feature in study.features.items():
        dataset = feature.dataset or study.subject.dataset
        parameter = study.datasets[dataset].parameter
        if feature.each and parameter:
            key = f"features.{name}.each"
            yield NamedLevels(key, dataset, parameter, tuple(feature.each), alone=True)
    if study.site and study.split.holdout_sites:
        dataset, column = study.subject.dataset, study.site.column
        sites = study.split.holdout_sites
        yield NamedLevels("split.holdout_sites", dataset, column, tuple(sites), alone=True)
    uses = (use for use in study.references() if use.role not in SUMMARY_ROLES)
    for key, dataset, condition in conditions(uses):
        yield from _of_condition(key, dataset, condition)


def summary_levels(study: Study) -> Iterator[NamedLevels]:
    """Every place of the section `summary` that compares a column with values.

    Examples:
        >>> from pipeline.study.load import load_study
        >>> from pipeline.study.shipped import find_study_file
        >>> study = load_study(find_study_file("cdisc_pilot01"))
        >>> [n.key for n in summary_levels(study) if n.column == "AESEV"]
        ['summary.adverse_events.severities']
    """
    uses = (use for use in study.references() if use.key.startswith("summary."))
    for key, dataset, condition in conditions(uses):
        for named in _of_condition(key, dataset, condition):
            yield replace(named, from_start=False)
    ends, events = study.summary.disposition, study.summary.adverse_events
    if ends:
        key, dataset = "summary.disposition.completed", ends.dataset or study.subject.dataset
        yield NamedLevels(key, dataset, ends.column, (ends.completed,), from_start=False)
    if events and events.severity:
        key, names = "summary.adverse_events.severities", events.severities
        yield NamedLevels(key, events.dataset, events.severity, names, from_start=False)


def _of_condition(
    key: str, dataset: str, condition: Condition, negated: bool = False
) -> Iterator[NamedLevels]:
    inside = negated or condition.negated is not None
    for member in condition.members():
        yield from _of_condition(key, dataset, member, inside)
    levels = condition.is_in or ()
    if condition.equals is not None:
        levels = (condition.equals, *levels)
    if condition.column and levels:
        yield NamedLevels(key, dataset, condition.column, levels, negated)


def level_name(level: Scalar) -> str:
    """A value as text by which it is recognised: 1 and 1.0 are one number, "1" is text.

    Examples:
        >>> level_name(1) == level_name(1.0), level_name(1) == level_name("1")
        (True, False)
    """
    return repr(level) if isinstance(level, str) else repr(float(level))
