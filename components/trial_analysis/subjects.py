"""The subjects of a trial as columns: arms, characteristics, groups, outcomes, times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.proportions import Observed
from components.trial_analysis.settings import TrialAnalysisSettings
from pipeline.errors import UserError
from pipeline.names import ARM, SPLITS, event_key, label_key, slice_key, time_key, weight_key
from pipeline.reading.examples import Categories, ExampleColumns, read_columns
from pipeline.study.sections import Arm
from pipeline.weights import is_weighted

if TYPE_CHECKING:
    from tfx.types.artifact import Artifact

ALL_SUBJECTS = "all subjects"
OTHER = "other"

MOST_SUBJECTS = 50_000
"""Slow computations use a random sample of at most this many subjects."""

_MOST_VALUES = 30
"""Largest number of values of a category: rare values beyond it are pooled."""


@dataclass(frozen=True)
class Factor:
    """A division of the subjects into groups that are compared.

    Attributes:
        name: `arm`, one of the arm's columns, or `all`.
        groups: Each subject's group; the code is -1 where it is unknown.
        control: Group that the others are compared with; None without comparisons.
        describes: Whether baseline and subgroups are shown by this factor.
    """

    name: str
    groups: Categories
    control: str | None
    describes: bool

    @property
    def levels(self) -> tuple[str, ...]:
        """All groups, the control first."""
        others = [name for name in self.groups.values if name != self.control]
        return (*([self.control] if self.control is not None else []), *others)

    @property
    def treatments(self) -> tuple[str, ...]:
        """Groups that are compared with the control."""
        return self.levels[1:] if self.control is not None else ()

    def of(self, level: str) -> NDArray[np.bool_]:
        """Mask of the subjects of a group, shape [n]."""
        return self.groups.codes == self.groups.values.index(level)


@dataclass(frozen=True)
class Outcome:
    """A task's outcome.

    Attributes:
        positive: Booleans, shape [n]; false where unknown.
        known: Booleans, shape [n].
        weight: Weights, shape [n], 0 where unknown; None where each has weight 1.
    """

    positive: NDArray[np.bool_]
    known: NDArray[np.bool_]
    weight: NDArray[np.float32] | None = None

    def observed(self, inside: NDArray[np.bool_]) -> Observed:
        """Those of a group whose outcome is known.

        Args:
            inside: Mask of the group; booleans, shape [n].
        """
        known = inside & self.known
        return Observed.of(self.positive[known], self.weights_of(known))

    def weights_of(self, rows: NDArray[Any]) -> NDArray[np.float32] | None:
        """Weights of some subjects; None where each has weight 1."""
        return None if self.weight is None else self.weight[rows]


@dataclass(frozen=True)
class Times:
    """Times to an endpoint.

    Attributes:
        time: float64, shape [n]; NaN where unknown.
        event: Booleans, shape [n]; false where the subject is censored at `time`.
    """

    time: NDArray[np.float64]
    event: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Mask of the subjects with a time, shape [n]."""
        return ~np.isnan(self.time)


@dataclass(frozen=True)
class TrialSubjects:
    """Columns of n subjects.

    Attributes:
        count: n.
        factors: Divisions into groups that are compared; never empty.
        numbers: Characteristics that are numbers, float32, shape [n]; NaN where missing.
        categories: Characteristics that are categories.
        slicings: Groups that subgroups are made by.
        outcomes: By task.
        times: By endpoint.
    """

    count: int
    factors: tuple[Factor, ...]
    numbers: Mapping[str, NDArray[np.float32]]
    categories: Mapping[str, Categories]
    slicings: Mapping[str, Categories]
    outcomes: Mapping[str, Outcome]
    times: Mapping[str, Times]

    @property
    def describing(self) -> tuple[Factor, ...]:
        """Factors that baseline and subgroups are shown by."""
        return tuple(factor for factor in self.factors if factor.describes)


def load_subjects(examples: Artifact, settings: TrialAnalysisSettings) -> TrialSubjects:
    """Reads the subjects of all splits; no model is involved, so none is held out.

    Args:
        examples: The examples.
        settings: What to read.

    Raises:
        UserError: The examples lack a column, or no subject is in the control arm.
    """
    endpoints = settings.analysis.time_to_event
    keys = [key(task) for key in (label_key, weight_key) for task in settings.tasks]
    keys += [key(name) for key in (time_key, event_key) for name in endpoints]
    numbers = [name for name, kind in settings.characteristics.items() if kind == "number"]
    categories = [name for name, kind in settings.characteristics.items() if kind == "category"]
    texts = [*categories, *map(slice_key, settings.slicings), *([ARM] if settings.arm else [])]
    columns = read_columns(examples, SPLITS, [*numbers, *keys], texts)
    _check(columns, keys, examples.uri)
    return TrialSubjects(
        count=columns.subjects,
        factors=make_factors(columns.categories.get(ARM), settings.arm, columns.subjects),
        numbers={name: columns.numbers[name] for name in numbers},
        categories={name: pooled(columns.categories[name]) for name in categories},
        slicings={name: pooled(columns.categories[slice_key(name)]) for name in settings.slicings},
        outcomes={
            task: _outcome(columns.numbers[label_key(task)], columns.numbers[weight_key(task)])
            for task in settings.tasks
        },
        times={
            name: _times(columns, name, endpoint.horizon) for name, endpoint in endpoints.items()
        },
    )


def _outcome(label: NDArray[np.float32], weight: NDArray[np.float32]) -> Outcome:
    return Outcome(label > 0, weight > 0, weight if is_weighted(weight) else None)


def make_factors(arms: Categories | None, arm: Arm | None, subjects: int) -> tuple[Factor, ...]:
    """Makes the factors whose levels are compared.

    An arm of two columns is a factorial design: each column is a factor of its own, compared
    over all levels of the other one ("at the margins"); baseline and subgroups are shown by these
    factors. The arm itself, a cell of the design, is compared as well.

    Args:
        arms: Each subject's arm; None where there are no arms.
        arm: The study file's section on the arm.
        subjects: Number of subjects.

    Raises:
        UserError: No subject is in the control arm.
    """
    if arms is None or arm is None:
        one_level = Categories(np.zeros(subjects, np.int32), (ALL_SUBJECTS,))
        return (Factor("all", one_level, None, True),)
    if arm.control not in arms.values:
        raise UserError(
            f"arm.control: no subject is in arm {arm.control}; found: "
            f"{', '.join(arms.values)}. Name one of these in the study file."
        )
    parts = [value.split("/") for value in arms.values]
    if len(arm.columns) != 2 or any(len(part) != 2 for part in parts):
        return (Factor(ARM, arms, arm.control, True),)
    margins = [
        Factor(column, _margin(arms, [part[place] for part in parts]), control, True)
        for place, (column, control) in enumerate(
            zip(arm.columns, arm.control.split("/"), strict=True)
        )
    ]
    return (*margins, Factor(ARM, arms, arm.control, False))


def sampled(chosen: NDArray[np.bool_], most: int = MOST_SUBJECTS) -> NDArray[np.int64]:
    """Indices of the chosen subjects, or of a random sample if there are too many."""
    places = np.flatnonzero(chosen)
    if len(places) <= most:
        return places
    return np.sort(np.random.default_rng(0).choice(places, most, replace=False))


def pooled(column: Categories) -> Categories:
    """The column with rare values pooled, if it has too many."""
    if len(column.values) <= _MOST_VALUES:
        return column
    sizes = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    frequent = set(np.argsort(-sizes, kind="stable")[: _MOST_VALUES - 1].tolist())
    names = [value if code in frequent else OTHER for code, value in enumerate(column.values)]
    return _margin(column, names)


def _margin(column: Categories, names: list[str]) -> Categories:
    """The column with every value replaced by the name at its index."""
    values = tuple(sorted(set(names)))
    place = np.array([*(values.index(name) for name in names), -1], np.int32)
    return Categories(place[column.codes], values)


def _times(columns: ExampleColumns, endpoint: str, horizon: float | None) -> Times:
    time = columns.numbers[time_key(endpoint)].astype(np.float64)
    event = columns.numbers[event_key(endpoint)] > 0
    if horizon is not None:
        event &= ~(time > horizon)
        time = np.minimum(time, horizon)
    return Times(time, event)


def _check(columns: ExampleColumns, keys: list[str], uri: str) -> None:
    for name in keys:
        if np.isnan(columns.numbers[name]).all():
            raise UserError(
                f"{uri}: no example has a value of {name}, which the analysis needs. Check the "
                "conditions of the study file and rerun TrialExampleGen."
            )
