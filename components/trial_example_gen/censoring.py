"""Weights of known labels: the inverse probability of being observed, per task, arm and slice.

The ends of follow-up of all subjects are counted by stratum, time and kind; what the counters of
many workers add up to does not depend on who counted what. G is estimated from them once, and
every worker weighs its subjects by it. Subjects whose label is unknown for another reason are not
counted: they stay masked, and no label is weighted for them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.trial_example_gen.ends import EndKind, Ends
from components.trial_example_gen.incidence import EndTable, Observed
from pipeline.estimates import Estimate, mean_of_groups
from pipeline.results.censoring import CensoredArm, CensoredTask
from pipeline.study.sections import Censoring
from pipeline.study.study import Study
from pipeline.weights import effective_size

Stratum = tuple[str, ...]
"""Arm ("" without arms), then the slice of each slicing of `censoring.by`."""

EndCounts = Counter[tuple[str, Stratum, float, int]]
"""Subjects by task, stratum, time and number of `EndKind`."""

_Ends = Mapping[tuple[float, int], int]


def strata_by_slices(
    arms: Sequence[str] | None, slices: Iterable[Sequence[str]], n: int
) -> list[Stratum]:
    """Stratum of each subject.

    Args:
        arms: Arm of each subject; None in a study without arms.
        slices: Slice of each subject, for each slicing of `censoring.by`.
        n: Number of subjects.
    """
    return list(zip([""] * n if arms is None else arms, *slices, strict=True))


def count_ends(task: str, strata: Iterable[Stratum], ends: Ends) -> EndCounts:
    """Counts the subjects of a bucket.

    Args:
        task: The task.
        strata: Stratum of each subject, n of them.
        ends: How their observation ended.
    """
    found = zip(strata, ends.time.tolist(), ends.kind.tolist(), strict=True)
    return Counter(
        (task, stratum, time, kind) for stratum, time, kind in found if kind != EndKind.OUTSIDE
    )


@dataclass(frozen=True)
class TaskWeights:
    """Weights of one task.

    Attributes:
        by: Slicings of the strata.
        observed: G by stratum; strata that are estimated together share it.
        largest: Weights above it are cut to it.
    """

    by: tuple[str, ...]
    observed: Mapping[Stratum, Observed]
    largest: float

    def of(self, strata: Iterable[Stratum], ends: Ends) -> NDArray[np.float64]:
        """Weights of subjects; 0 where the label is unknown.

        Args:
            strata: Stratum of each subject, n of them.
            ends: How their observation ended.
        """
        weights = np.zeros(len(ends.kind))
        counted = (ends.kind != EndKind.OUTSIDE) & (ends.kind != EndKind.CENSORED)
        places: dict[Stratum, list[int]] = {}
        for place, (stratum, counts) in enumerate(zip(strata, counted.tolist(), strict=True)):
            if counts:
                places.setdefault(stratum, []).append(place)
        for stratum, members in places.items():
            weights[members] = self.at(stratum, ends.time[members])
        return weights

    def at(self, stratum: Stratum, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of labels of a stratum that are known at some times, cut to the largest."""
        return np.minimum(self.uncut(stratum, time), self.largest)

    def uncut(self, stratum: Stratum, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same before they are cut."""
        return 1 / self.observed[stratum].before(time)


@dataclass(frozen=True)
class CensoringModel:
    """Weights of all tasks with a `follow_up`, and what `counts.json` says of them.

    Attributes:
        weights: By task.
        documents: By task.
    """

    weights: Mapping[str, TaskWeights]
    documents: Mapping[str, CensoredTask]


def fit_censoring(study: Study, counts: EndCounts) -> CensoringModel:
    """Estimates G for every task with a `follow_up`.

    Args:
        study: The study.
        counts: Ends of all subjects; their order does not matter.
    """
    strata: dict[str, dict[Stratum, dict[tuple[float, int], int]]] = {}
    for (name, stratum, time, kind), n in sorted(counts.items()):
        strata.setdefault(name, {}).setdefault(stratum, {})[time, kind] = n
    weights, documents = {}, {}
    for name, task in study.tasks.items():
        if task.event is None or task.event.follow_up is None or task.horizon is None:
            continue
        fit = _Fit(task.censoring, task.horizon, strata.get(name, {}))
        weights[name] = TaskWeights(
            task.censoring.by, fit.observed_by_stratum(), task.censoring.largest_weight
        )
        arms = {arm: fit.document(arm, weights[name]) for arm in fit.arms}
        documents[name] = CensoredTask(
            horizon=task.horizon,
            is_complete=not any(arm.censored for arm in arms.values()),
            has_competing=task.event.competing is not None,
            by=task.censoring.by,
            overall=fit.overall(arms, weights[name]) if len(arms) > 1 else None,
            arms=arms,
        )
    return CensoringModel(weights, documents)


class _Fit:
    """Groups of strata in which G is estimated, for one task."""

    def __init__(
        self, censoring: Censoring, horizon: float, strata: Mapping[Stratum, _Ends]
    ) -> None:
        self._censoring = censoring
        self._horizon = np.array([float(horizon)])
        self._strata = strata
        self.arms = sorted({stratum[0] for stratum in strata})
        self._of_arm = {arm: [s for s in strata if s[0] == arm] for arm in self.arms}
        self._groups = {arm: self._grouped(arm) for arm in self.arms}
        self._pooled = self._pooled_arms()

    def observed_by_stratum(self) -> dict[Stratum, Observed]:
        """G of every stratum."""
        everyone = self._table(self._strata).observed
        return {
            stratum: everyone if arm in self._pooled else table.observed
            for arm, groups in self._groups.items()
            for group in groups
            for table in [self._table(group)]
            for stratum in group
        }

    def document(self, arm: str, weights: TaskWeights) -> CensoredArm:
        """What `counts.json` says of an arm."""
        groups = self._groups[arm]
        found = self._document(self._of_arm[arm], weights, self._risk(groups))
        changes = {
            "strata": len(groups),
            "small_strata": sum(len(group) for group in groups if len(group) > 1),
            "is_pooled": arm in self._pooled,
        }
        return found.model_copy(update=changes)

    def _risk(self, groups: Sequence[Sequence[Stratum]]) -> Estimate:
        """Risk of an arm from groups of strata that are followed differently.

        Within a group the end of follow-up says nothing about the event; in all of them together
        it may, and Kaplan-Meier's estimate of the whole arm would be off.
        """
        if len(groups) == 1:
            return self._table(groups[0]).risk
        tables = [self._table(group) for group in groups]
        return mean_of_groups([(table.risk, table.subjects) for table in tables])

    def overall(self, arms: Mapping[str, CensoredArm], weights: TaskWeights) -> CensoredArm:
        """What it says of all subjects."""
        sizes = [(arm.risk, arm.subjects or 0) for arm in arms.values()]
        return self._document(list(self._strata), weights, mean_of_groups(sizes))

    def _document(
        self, strata: Sequence[Stratum], weights: TaskWeights, risk: Estimate
    ) -> CensoredArm:
        table = self._table(strata)
        number = {kind: table.number(kind) for kind in EndKind if kind}
        known = table.subjects - number[EndKind.CENSORED]
        uncut = [
            (weights.uncut(stratum, np.array([time])).item(), kind == EndKind.EVENT, n)
            for stratum in strata
            for (time, kind), n in self._strata[stratum].items()
            if kind != EndKind.CENSORED
        ]
        found = [(min(weight, weights.largest), is_event, n) for weight, is_event, n in uncut]
        total = math.fsum(weight * n for weight, _, n in found)
        squares = math.fsum(weight**2 * n for weight, _, n in found)
        positive = math.fsum(weight * n for weight, is_event, n in found if is_event)
        return CensoredArm(
            subjects=table.subjects,
            events=number[EndKind.EVENT],
            competing=number[EndKind.COMPETING],
            complete=number[EndKind.COMPLETE],
            censored=number[EndKind.CENSORED],
            risk=risk,
            naive=number[EndKind.EVENT] / known if known else None,
            weighted=positive / total if total else None,
            observed=min(
                float(weights.observed[stratum].before(self._horizon)[0]) for stratum in strata
            ),
            largest_weight=max((weight for weight, *_ in found), default=1.0),
            truncated=sum(n for weight, _, n in uncut if weight > weights.largest),
            effective=effective_size(total, squares),
        )

    def _grouped(self, arm: str) -> list[list[Stratum]]:
        """Strata of an arm that are estimated together; small ones are put together."""
        by_size = sorted(
            self._of_arm[arm], key=lambda s: (sum(self._strata[s].values()), s), reverse=True
        )
        alone = [[stratum] for stratum in by_size if self._stands([stratum])]
        rest = [stratum for stratum in by_size if [stratum] not in alone]
        while rest and alone and not self._stands(rest):
            rest += alone.pop()
        return [*alone, *([rest] if rest else [])]

    def _stands(self, strata: list[Stratum]) -> bool:
        """Whether G can be estimated from some strata alone."""
        table = self._table(strata)
        return table.subjects >= self._censoring.smallest_stratum and self._is_observed(table)

    def _pooled_arms(self) -> set[str]:
        """Arms that are too small and can't be weighted by themselves, beside others that can."""
        tables = {arm: self._table(strata) for arm, strata in self._of_arm.items()}
        unobserved = {arm for arm, table in tables.items() if not self._is_observed(table)}
        if unobserved == set(tables):
            return set()
        smallest = self._censoring.smallest_stratum
        return {arm for arm in unobserved if tables[arm].subjects < smallest}

    def _is_observed(self, table: EndTable) -> bool:
        share = table.observed.before(self._horizon)[0]
        return table.is_determined and bool(share >= self._censoring.least_observed)

    def _table(self, strata: Iterable[Stratum]) -> EndTable:
        total: Counter[tuple[float, int]] = Counter()
        for stratum in strata:
            total.update(self._strata[stratum])
        return EndTable.of(total)
