"""The columns that a champion reads, with what study file and training data say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.names import ARM, SITE
from pipeline.results.signatures import argument_names
from pipeline.service.subject_columns import SubjectColumn, subject_columns
from pipeline.skew.coarse_statistics import REST
from pipeline.skew.training_values import SeenValues, seen_values
from pipeline.study.features import ResolvedFeature, feature_columns, feature_titles
from pipeline.study.study import Study
from pipeline.titles import titled

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import statistics_pb2

_KEEPS_THE_RANGE = (None, "first", "last", "min", "max", "mean")
"""Aggregates whose result lies in the range of what they are made of."""


@dataclass(frozen=True)
class Input:
    """A column that a request may have.

    Attributes:
        name: Its name in the study.
        title: What people read, with its unit; its name where the study file gives no title.
        argument: Its name in the model's signature `columns`; its name where the model reads none.
        kind: `number` or `category`; `date` of a text with a date, which no model reads.
        source: Dataset, column and aggregate that it is made from, in words.
        lower: Smallest possible number by the study file; None where it does not say.
        upper: Largest possible number.
        seen: What the training subjects had.
        shown: Categories that enough training subjects had to be shown, sorted.
        used_for: What it is asked for, for people, where the model does not read it.
    """

    name: str
    title: str
    argument: str
    kind: Literal["number", "category", "date"]
    source: str
    lower: float | None
    upper: float | None
    seen: SeenValues
    shown: tuple[str, ...]
    used_for: str = ""

    @property
    def is_arm(self) -> bool:
        """Whether it is the arm, which each request must name."""
        return self.name == ARM

    @property
    def must_be_given(self) -> bool:
        """Whether no training subject lacked it."""
        return self.is_arm or self.seen.always_present

    @property
    def shows_all(self) -> bool:
        """Whether all categories of the training subjects are shown."""
        return frozenset(self.shown) == self.seen.categories and not self.seen.has_rare


class Inputs:
    """The columns of a model, by the names that a request may use.

    Attributes:
        limited: Numbers that the study file declares a range of.
        limits: Smallest and largest possible number of each of these, `[limited, 2]`.

    Args:
        columns: The columns that the model reads, in the order of the study file.
        others: Further ones, which say in which groups a subject is, and whether it would have
            been in the trial.
        of_subjects: The columns of the subject dataset that these two are found by.
    """

    def __init__(
        self,
        columns: tuple[Input, ...],
        others: tuple[Input, ...] = (),
        of_subjects: tuple[SubjectColumn, ...] = (),
    ) -> None:
        self.columns = columns
        self.others = others
        self.all = columns + others
        self.of_subjects = of_subjects
        self.names: Mapping[str, Input] = {
            name: column for column in self.all for name in (column.argument, column.name)
        }
        self.titles = {column.name: column.title for column in self.all}
        self.seen = {column.name: column.seen for column in columns}
        limits = {
            column.name: (column.lower, column.upper)
            for column in self.all
            if column.kind == "number" and None not in (column.lower, column.upper)
        }
        self.limited = tuple(limits)
        self.limits: NDArray[np.float64] = np.reshape(list(limits.values()), (-1, 2)).astype(float)

    @property
    def arm(self) -> Input | None:
        """The arm; None where the model does not read one."""
        return next((column for column in self.columns if column.is_arm), None)


def inputs_of(
    study: Study,
    statistics: statistics_pb2.DatasetFeatureStatistics,
    sources: Mapping[str, str],
) -> Inputs:
    """The columns that a study's model reads.

    Args:
        study: The study.
        statistics: Statistics of the training subjects.
        sources: What each column is made from, in words.
    """
    numbers, categories = feature_columns(study)
    seen = seen_values(statistics, numbers, categories)
    shown = dict(_shown_categories(statistics, study.slicing.smallest_group))
    ranges = {feature.name: _range(study, feature) for feature in study.resolved_features}
    titles = feature_titles(study)
    order = [feature.name for feature in study.resolved_features]
    order += [name for name in (ARM, SITE) if name in categories]
    arguments = argument_names(order)
    columns = tuple(
        Input(
            name=name,
            title=titled(name, titles),
            argument=arguments[name],
            kind="number" if name in numbers else "category",
            source=sources.get(name, ""),
            lower=ranges.get(name, (None, None))[0],
            upper=ranges.get(name, (None, None))[1],
            seen=seen.get(name, SeenValues()),
            shown=shown.get(name, ()) if name in categories else (),
        )
        for name in order
    )
    of_subjects = subject_columns(study, order)
    return Inputs(columns, tuple(_others(study, of_subjects, order)), of_subjects)


def _others(study: Study, columns: Iterable[SubjectColumn], read: Sequence[str]) -> Iterator[Input]:
    """Columns of the subject dataset that no column of the model has."""
    dataset = study.subject.dataset
    for column in columns:
        if column.source in read:
            continue
        declared = study.datasets[dataset].columns.get(column.name)
        lower, upper = declared.range if declared and declared.range else (None, None)
        yield Input(
            name=column.source,
            title=column.source,
            argument=column.source,
            kind=column.kind,
            source=f"{dataset}, {column.name}",
            lower=lower if column.kind == "number" else None,
            upper=upper if column.kind == "number" else None,
            seen=SeenValues(),
            shown=(),
            used_for=", ".join(column.used_for),
        )


def _range(study: Study, feature: ResolvedFeature) -> tuple[float | None, float | None]:
    """Possible numbers of a feature by the study file."""
    if feature.column is None or feature.aggregate not in _KEEPS_THE_RANGE:
        return None, None
    column = study.datasets[feature.dataset].columns.get(feature.column)
    return column.range if column and column.range else (None, None)


def _shown_categories(
    statistics: statistics_pb2.DatasetFeatureStatistics, smallest_group: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for feature in statistics.features:
        buckets = feature.string_stats.rank_histogram.buckets
        shown = (b.label for b in buckets if b.sample_count >= smallest_group and b.label != REST)
        yield feature.path.step[0], tuple(sorted(shown))
