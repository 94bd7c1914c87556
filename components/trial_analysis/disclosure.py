"""Which groups may be shown.

Arm, site, sex, age band and values at baseline identify a subject. A group that they form is shown
from the study's smallest size on, and otherwise suppressed together with the groups from which it
would follow by subtraction (`pipeline.results.suppress`); a missing value counts as a value. Within
an arm that is shown, outcomes are counted as they are, as in the flow chart and the results of
every published trial (CONSORT 2010, items 13 and 17): how many had the event, and of how many that
is unknown. In other groups, and in an arm's subgroups, unknown outcomes are not counted
(`pipeline.results.resolution`). Where time is involved a count of outcomes is finer than that;
`components.trial_analysis.curves` says what is done about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from components.trial_analysis.subjects import Factor, TrialSubjects
from pipeline.names import ARM
from pipeline.reading.examples import Categories
from pipeline.results.documents import OVERALL, Group
from pipeline.results.suppress import empty_of_small, suppressed

MISSING = "missing"
KNOWN = "known"

Hidden = frozenset[Group]


class Disclosure:
    """Decides whether a group may be shown.

    Args:
        subjects: The subjects.
        smallest: Fewest subjects that a group is shown for.
        is_exact: Whether every group and every subject's time is shown: for the owner of the data.
    """

    def __init__(self, subjects: TrialSubjects, smallest: int, is_exact: bool = False) -> None:
        self.smallest = smallest
        self.is_exact = is_exact
        self._fewest = 0 if is_exact else smallest
        all_subjects = np.ones(subjects.count, bool)
        self._levels = _hidden_levels(subjects, self._fewest, [all_subjects])
        self._partly_known = {
            task for task, outcome in subjects.outcomes.items() if not outcome.known.all()
        }
        self._outcomes = {
            task: _hidden_levels(subjects, self._fewest, [all_subjects, outcome.known])
            for task, outcome in subjects.outcomes.items()
        }
        self._times = {
            endpoint: _hidden_levels(subjects, self._fewest, [all_subjects, times.known])
            for endpoint, times in subjects.times.items()
        }
        columns = {
            **{name: _presence(values) for name, values in subjects.numbers.items()},
            **subjects.categories,
        }
        self._characteristics = {
            name: self._hidden_cells(subjects, column, [all_subjects])
            for name, column in columns.items()
        }
        self._subgroups = {
            (task, name): self._hidden_cells(subjects, column, [all_subjects, outcome.known])
            for task, outcome in subjects.outcomes.items()
            for name, column in subjects.slicings.items()
        }

    def is_coarse(self, task: str) -> bool:
        """Whether the numbers of subgroups are shown at their resolution; else they are exact."""
        return not self.is_exact and task in self._partly_known

    def shows_all(self, subjects: int) -> bool:
        """Whether all subjects together may be shown."""
        return subjects >= self._fewest

    def shows_level(self, factor: Factor, level: str) -> bool:
        """Whether a group of a factor may be shown."""
        return ((factor.name, level),) not in self._levels

    def shows_outcome(self, task: str, factor: Factor, level: str) -> bool:
        """Whether the subjects of a group whose outcome is known may be shown."""
        return ((factor.name, level),) not in self._outcomes[task]

    def shows_times(self, endpoint: str, factor: Factor, level: str) -> bool:
        """Whether the subjects of a group who have a time may be shown."""
        return ((factor.name, level),) not in self._times[endpoint]

    def shows_value(self, factor: Factor, level: str, characteristic: str, value: str) -> bool:
        """Whether the subjects of a group with a value at baseline may be counted."""
        cell = ((factor.name, level), ("value", value))
        return self.shows_level(factor, level) and cell not in self._characteristics[characteristic]

    def shows_mean(self, factor: Factor, level: str, subjects: int) -> bool:
        """Whether a mean over some subjects of a group may be shown, if not their number."""
        return self.shows_level(factor, level) and self.shows_all(subjects)

    def shows_subgroup(
        self, task: str, factor: Factor, level: str, slicing: str, value: str
    ) -> bool:
        """Whether a group's subjects within a subgroup whose outcome is known may be shown."""
        cell = ((factor.name, level), ("value", value))
        shown = self.shows_outcome(task, factor, level)
        return shown and cell not in self._subgroups[task, slicing]

    def _hidden_cells(
        self, subjects: TrialSubjects, column: Categories, populations: Sequence[NDArray[np.bool_]]
    ) -> Hidden:
        hidden: set[Group] = set()
        for population in populations:
            cells = dict(_cells(subjects.describing, column, population, self._levels))
            sizes = {group: size for group, size in cells.items() if size}
            factors = [(factor.name,) for factor in subjects.describing]
            pairs = [(factor.name, "value") for factor in subjects.describing]
            slicings = [(), *factors, ("value",), *pairs]
            # An empty group discloses no subject, unless it says where those of a small value are.
            empty = empty_of_small(sizes, slicings, self._fewest)
            hidden |= suppressed(sizes, slicings, self._fewest, empty=empty).keys()
        return frozenset(hidden)


def with_missing(column: Categories) -> list[tuple[str, int]]:
    """Values of a column with their codes, including a missing one if it occurs."""
    values = [(value, code) for code, value in enumerate(column.values)]
    return [*values, (MISSING, -1)] if (column.codes < 0).any() else values


def _presence(values: NDArray[np.float32]) -> Categories:
    return Categories(np.where(np.isnan(values), -1, 0).astype(np.int32), (KNOWN,))


def _hidden_levels(
    subjects: TrialSubjects, smallest: int, populations: Sequence[NDArray[np.bool_]]
) -> Hidden:
    groups = {
        (factor.name, level): _arm_group(factor, level, subjects.factors)
        for factor in subjects.factors
        for level in factor.levels
    }
    named = [tuple(name for name, _ in group) for group in (OVERALL, *groups.values())]
    slicings = list(dict.fromkeys(named))
    hidden: set[Group] = set()
    for population in populations:
        sizes: dict[Group, int] = {OVERALL: int(population.sum())}
        for factor in subjects.factors:
            for level in factor.levels:
                size = int((factor.of(level) & population).sum())
                sizes[groups[factor.name, level]] = size
        hidden |= suppressed(sizes, slicings, smallest).keys()
    return frozenset((key,) for key, group in groups.items() if group in hidden)


def _arm_group(factor: Factor, level: str, factors: Sequence[Factor]) -> Group:
    """The group of a factor's level; an arm of a factorial design is a cell of its two factors."""
    margins = [other.name for other in factors if other.name != ARM]
    if factor.name == ARM and margins:
        return tuple(zip(margins, level.split("/"), strict=True))
    return ((factor.name, level),)


def _cells(
    factors: Sequence[Factor],
    column: Categories,
    population: NDArray[np.bool_],
    hidden_levels: Hidden,
) -> Iterator[tuple[Group, int]]:
    yield OVERALL, int(population.sum())
    of_value = {value: (column.codes == code) & population for value, code in with_missing(column)}
    for value, mask in of_value.items():
        yield (("value", value),), int(mask.sum())
    for factor in factors:
        for level in factor.levels:
            group: Group = ((factor.name, level),)
            if group in hidden_levels:
                continue
            inside = factor.of(level)
            yield group, int((inside & population).sum())
            for value, mask in of_value.items():
                yield (*group, ("value", value)), int((inside & mask).sum())
