"""What Monitor reads of the study."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from pipeline.names import ARM, SITE
from pipeline.reading.days import date_of_day
from pipeline.study.blinded import title_with_conduct
from pipeline.study.features import feature_columns, feature_titles
from pipeline.study.sections.monitoring import CalendarPeriod
from pipeline.study.settings import Settings
from pipeline.study.slicing_titles import task_titles
from pipeline.study.study import Study


class MonitorSettings(Settings):
    """The parts of a study that predictions are followed by.

    Attributes:
        study_name: Name of the study.
        title: Its title.
        numbers: Features that are numbers.
        categories: Features that are categories.
        features: Titles of the features that have one, by name.
        tasks: Title of each task.
        groups: The feature that each slicing is a copy of, by the slicing's name: the others can't
            be known from the prediction log.
        days: Days from landmark to horizon, of each task with a horizon.
        period: Length of the periods.
        smallest_group: Fewest subjects that a number is shown for.
    """

    study_name: str
    title: str
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    features: dict[str, str] = {}
    tasks: dict[str, str]
    groups: dict[str, str] = {}
    days: dict[str, int] = {}
    period: CalendarPeriod
    smallest_group: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Takes Monitor's part of a study.

        Examples:
            >>> from pipeline.study.load import load_study
            >>> from pipeline.study.shipped import find_study_file
            >>> settings = MonitorSettings.of(load_study(find_study_file("synthetic")))
            >>> settings.period, settings.groups
            ('month', {'arm': 'arm', 'sex': 'SEX'})
        """
        numbers, categories = feature_columns(study)
        return cls(
            study_name=study.study,
            title=title_with_conduct(study),
            numbers=tuple(numbers),
            categories=tuple(categories),
            features=feature_titles(study),
            tasks=task_titles(study),
            groups=dict(sorted(_groups(study, set(categories)))),
            days=dict(_days(study)),
            period=study.monitoring.period,
            smallest_group=study.slicing.smallest_group,
        )


def _days(study: Study) -> Iterator[tuple[str, int]]:
    for name, task in study.tasks.items():
        if task.horizon is not None:
            days = np.array([study.landmark_day, task.horizon], np.float64)
            # There may be no day 0.
            first, last = date_of_day(days, np.zeros(2), study.first_day)
            yield name, int(last - first)


def _groups(study: Study, categories: set[str]) -> Iterator[tuple[str, str]]:
    of_column = {
        feature.column: feature.name
        for feature in study.resolved_features
        if feature.kind == "category"
        and feature.dataset == study.subject.dataset
        and feature.column
        and not (feature.aggregate or feature.where or feature.parameter)
    }
    of_place = {place: place for place in (ARM, SITE) if place in categories}
    for name, slicing in study.slicing.by.items():
        if slicing.of in of_place:
            yield name, of_place[str(slicing.of)]
        elif slicing.column in of_column and not slicing.bands:
            yield name, of_column[slicing.column]
