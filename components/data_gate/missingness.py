"""The gate's rule on missing values that depend on the outcome or the arm: pure functions.

Whether a feature was measured may depend on what happened to the subject, or on the arm. A model
then learns who was measured. The leakage rule's AUC detects only a feature that nearly determines a
label; here the shares of missing values are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.data_gate.rules import Columns
from pipeline.estimates import Estimate, exact_interval, independent_difference
from pipeline.names import ARM
from pipeline.results.findings import Finding
from pipeline.study.sections import Gate
from pipeline.titles import called

NOMINAL_RATE = 0.01
"""Probability that any feature of a trial is found whose values are missing at random, at most."""


@dataclass(frozen=True)
class _Pair:
    """Two groups of subjects whose shares of missing values are compared.

    Attributes:
        first: Name of the first group, for people.
        second: Name of the second group.
        in_first: bool, shape [subjects].
        in_second: bool, shape [subjects]; disjoint from `in_first`.
        task: The task whose labels make the groups; None where arms do.
    """

    first: str
    second: str
    in_first: NDArray[np.bool_]
    in_second: NDArray[np.bool_]
    task: str | None = None


@dataclass(frozen=True)
class _Table:
    """Missing values of a feature in the two groups of a pair."""

    missing: int
    subjects: int
    other_missing: int
    other_subjects: int

    @property
    def varies(self) -> bool:
        """Whether some subjects lack the feature and some have it; else there is no difference."""
        missing = self.missing + self.other_missing
        return bool(
            self.subjects
            and self.other_subjects
            and 0 < missing < self.subjects + self.other_subjects
        )

    def difference(self, confidence: float) -> Estimate:
        """First share minus second, with an interval that keeps its confidence far out.

        Newcombe's construction (Stat Med 1998;17:873-90, method 10) with exact limits of the two
        shares in the place of Wilson's. Corrected for many features an interval of a share
        needs a confidence of 99.99 %, and there Wilson's misses rare values a hundred times more
        often than it says.
        """
        share, other = self.missing / self.subjects, self.other_missing / self.other_subjects
        return independent_difference(
            Estimate(share, *exact_interval(self.missing, self.subjects, confidence)),
            Estimate(other, *exact_interval(self.other_missing, self.other_subjects, confidence)),
        )

    def shows(self, smallest: int) -> bool:
        """Whether its shares may be shown: no one and no few lack the feature, or have it."""
        cells = (
            self.missing,
            self.subjects - self.missing,
            self.other_missing,
            self.other_subjects - self.other_missing,
        )
        return all(cell == 0 or cell >= smallest for cell in cells)


def missingness(columns: Columns, gate: Gate, smallest_group: int) -> Iterator[Finding]:
    """Features that are missing more often in one of two groups of subjects than in the other.

    The groups are the positives and the negatives of each task, and each arm and all others. A
    feature is found where the difference of the two shares of missing values reaches
    `gate.missingness_limit` and its interval excludes 0. The intervals' confidence is corrected
    for the number of comparisons (Bonferroni), so that a trial whose values are missing at random
    has a finding with a probability of at most `NOMINAL_RATE`.

    Args:
        columns: Columns of the train split.
        gate: Severity and limit.
        smallest_group: Fewest subjects that a number is shown for.

    Yields:
        A finding for each feature and pair that exceeds, otherwise one for the task or the arms
        that says so.
    """
    tables = [
        (pair, {name: table for name, table in _tables(columns, pair) if table.varies})
        for pair in (*_outcomes(columns), *_arms(columns, smallest_group))
    ]
    comparisons = sum(len(by_feature) for _, by_feature in tables)
    confidence = 1 - NOMINAL_RATE / max(1, comparisons)
    for pair, by_feature in tables:
        exceeding = [
            _finding(name, pair, table, gate, smallest_group, columns)
            for name, table in by_feature.items()
            if _exceeds(table, confidence, gate.missingness_limit)
        ]
        yield from exceeding or [_nothing_found(pair, gate, columns.where)]


def _outcomes(columns: Columns) -> Iterator[_Pair]:
    for task, label in columns.labels.items():
        known = columns.known[task]
        yield _Pair(
            f"subjects with a positive label of task {called(task, columns.task_titles)}",
            "those with a negative one",
            known & label,
            known & ~label,
            task,
        )


def _arms(columns: Columns, smallest_group: int) -> Iterator[_Pair]:
    """Each arm against the others; of two arms the first."""
    arms = columns.arms if len(columns.arms) > 2 else dict(list(columns.arms.items())[:1])
    for arm, inside in arms.items():
        outside = np.any(list(columns.arms.values()), axis=0) & ~inside
        # The name of a small arm is not shown, and so few subjects show no difference.
        if min(inside.sum(), outside.sum()) >= smallest_group:
            yield _Pair(f"arm {arm}", "the other subjects", inside, outside)


def _tables(columns: Columns, pair: _Pair) -> Iterator[tuple[str, _Table]]:
    for name, missing in columns.missing.items():
        if name == ARM and pair.task is None:
            continue
        yield (
            name,
            _Table(
                int((missing & pair.in_first).sum()),
                int(pair.in_first.sum()),
                int((missing & pair.in_second).sum()),
                int(pair.in_second.sum()),
            ),
        )


def _exceeds(table: _Table, confidence: float, limit: float) -> bool:
    found = table.difference(confidence)
    if found.value is None or found.lower is None or found.upper is None:
        return False
    return abs(found.value) >= limit and not found.lower <= 0 <= found.upper


def _finding(
    name: str, pair: _Pair, table: _Table, gate: Gate, smallest_group: int, columns: Columns
) -> Finding:
    share, other = table.missing / table.subjects, table.other_missing / table.other_subjects
    more = "more" if share > other else "less"
    difference = round(abs(share - other), 2)
    shown = table.shows(smallest_group)
    numbers = (
        f": for {share:.0%} and {other:.0%} (limit {gate.missingness_limit:.0%} apart)"
        if shown
        else f" (numbers are suppressed: some groups have fewer than {smallest_group} subjects)"
    )
    return Finding(
        rule="missingness",
        severity=gate.missingness,
        message=(
            f"feature {called(name, columns.titles)} is missing {more} often for {pair.first} "
            f"than for {pair.second} {columns.where}{numbers}. Whether it was measured probably "
            "depends on what happened afterwards, so a model learns who was measured: check when "
            "and why it is measured and remove it from the features, or raise "
            "gate.missingness_limit if the difference is there before the landmark for every "
            "future subject too."
        ),
        feature=name,
        title=columns.titles.get(name),
        task=pair.task,
        split="train",
        value=difference if shown else None,
        limit=gate.missingness_limit,
    )


def _nothing_found(pair: _Pair, gate: Gate, where: str) -> Finding:
    return Finding(
        rule="missingness",
        severity="ok",
        message=(
            f"no feature is missing more often for {pair.first} than for {pair.second} {where}, "
            f"or less often, by {gate.missingness_limit:.0%} and more than chance."
        ),
        task=pair.task,
        split="train",
        limit=gate.missingness_limit,
    )
