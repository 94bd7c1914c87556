"""Subjects of an analysis, made by hand: who is in which arm, with what, and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subjects import (
    Outcome,
    Times,
    TrialSubjects,
    make_factors,
)
from pipeline.reading.examples import Categories
from pipeline.study.conditions import Condition
from pipeline.study.sections import Analysis as AnalysisSection
from pipeline.study.sections import Arm, TimeToEvent
from pipeline.study.settings import TaskTitle

Values = Sequence[str | None]


def categories(values: Values) -> Categories:
    names = tuple(sorted({value for value in values if value is not None}))
    codes = [-1 if value is None else names.index(value) for value in values]
    return Categories(np.array(codes, np.int32), names)


def times(time: Sequence[float], event: Sequence[bool | int]) -> Times:
    return Times(np.array(time, np.float64), np.array(event, bool))


def trial(
    arms: Values | None,
    *,
    control: str = "Placebo",
    columns: tuple[str, ...] = ("ARM",),
    numbers: Mapping[str, Sequence[float]] | None = None,
    characteristics: Mapping[str, Values] | None = None,
    slicings: Mapping[str, Values] | None = None,
    outcomes: Mapping[str, Sequence[bool | None]] | None = None,
    times: Mapping[str, Times] | None = None,
    count: int | None = None,
) -> TrialSubjects:
    """A trial; an outcome of None is unknown."""
    n = len(arms) if arms is not None else int(count or 0)
    arm = Arm(columns=columns, control=control) if arms is not None else None
    return TrialSubjects(
        count=n,
        factors=make_factors(categories(arms) if arms is not None else None, arm, n),
        numbers={k: np.array(v, np.float32) for k, v in (numbers or {}).items()},
        categories={k: categories(v) for k, v in (characteristics or {}).items()},
        slicings={k: categories(v) for k, v in (slicings or {}).items()},
        outcomes={
            task: Outcome(
                np.array([bool(value) for value in values]),
                np.array([value is not None for value in values]),
            )
            for task, values in (outcomes or {}).items()
        },
        times=times or {},
    )


def settings_of(
    subjects: TrialSubjects, smallest: int = 5, **analysis: Any
) -> TrialAnalysisSettings:
    """The settings that fit these subjects."""
    kinds: dict[str, Any] = dict.fromkeys(subjects.numbers, "number")
    kinds |= dict.fromkeys(subjects.categories, "category")
    first = subjects.factors[-1]
    arm = Arm(columns=("ARM",), control=first.control) if first.control else None
    endpoint = TimeToEvent(title="Event", time="T", event=Condition(column="E", equals=1))
    analysis.setdefault("time_to_event", dict.fromkeys(subjects.times, endpoint))
    return TrialAnalysisSettings(
        study_name="hand",
        title="A trial made by hand",
        arm=arm,
        characteristics=kinds,
        tasks={
            name: TaskTitle(title=name.capitalize(), kind="outcome") for name in subjects.outcomes
        },
        slicings=tuple(subjects.slicings),
        smallest_group=smallest,
        landmark=None,
        analysis=AnalysisSection(**analysis),
    )


def repeated(*groups: tuple[Any, int]) -> list[Any]:
    """Values, each as often as is said."""
    return [value for value, times_ in groups for _ in range(times_)]
