"""Counts and sums over subjects, from which the summary is computed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = ""
"""The arm, site, month, reason or severity of subjects for whom it is unknown."""

ANY = ""
"""Key of events of any organ class."""


@dataclass
class Moments:
    """Number, mean, and sum of squares about the mean.

    They are merged as by Chan, Golub and LeVeque (Updating formulae and a pairwise algorithm for
    computing sample variances, COMPSTAT 1982), which is numerically stable for large means.
    """

    number: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: NDArray[Any]) -> Moments:
        """Moments of values, float64 `[n]`, n at least 1, without missing ones."""
        mean = float(values.mean())
        return cls(len(values), mean, float(np.square(values - mean).sum()))

    def merge(self, other: Moments) -> None:
        """Merges another one into this one."""
        number = self.number + other.number
        if not number:
            return
        apart = other.mean - self.mean
        self.squares += other.squares + apart * apart * self.number * other.number / number
        self.mean += apart * other.number / number
        self.number = number


@dataclass
class Sums:
    """Counts of subjects of one population, and moments of their values.

    Attributes:
        enrolled: Subjects by site and month (`YYYY-MM`).
        arms: Subjects by arm.
        dispositions: Subjects by arm and reason.
        events: Subjects with an adverse event by arm, organ class (`ANY` for any) and the worst
            severity of theirs.
        events_unknown: Subjects by arm of whom a rejected row may be an adverse event; they are
            in none of `events`.
        with_rows: Subjects with a row by dataset.
        expected: Values of those rows, missing or not, by dataset and site.
        present: Values that are not missing by dataset and site.
        exposure: By arm and measured parameter.
        visits: By arm, endpoint and visit; one value per subject.
    """

    enrolled: Counter[tuple[str, str]] = field(default_factory=Counter)
    arms: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    events_unknown: Counter[str] = field(default_factory=Counter)
    with_rows: Counter[str] = field(default_factory=Counter)
    expected: Counter[tuple[str, str]] = field(default_factory=Counter)
    present: Counter[tuple[str, str]] = field(default_factory=Counter)
    exposure: dict[tuple[str, str], Moments] = field(default_factory=dict)
    visits: dict[tuple[str, str, str], Moments] = field(default_factory=dict)

    @property
    def subjects(self) -> int:
        """All subjects."""
        return self.arms.total()

    def merge(self, other: Sums) -> None:
        """Merges another one into this one."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
                continue
            for key, moments in theirs.items():
                mine.setdefault(key, Moments()).merge(moments)


@dataclass
class Progress:
    """Sums of all subjects of the trial.

    Attributes:
        enrolled: Sums of the enrolled subjects.
        treated: Sums of the treated subjects among them; None if the study file does not
            distinguish them.
        visit_order: Smallest order number by endpoint and visit.
        qualifiers: Number of values of each supplemental qualifier that is needed, by
            ("qualifiers", dataset, qualifier).
        levels: What the reading's `LevelFinder`s found.
        problems: Faults that the user must fix.
    """

    enrolled: Sums = field(default_factory=Sums)
    treated: Sums | None = None
    visit_order: dict[tuple[str, str], float] = field(default_factory=dict)
    qualifiers: Counter[tuple[str, ...]] = field(default_factory=Counter)
    levels: Counter[tuple[str, ...]] = field(default_factory=Counter)
    problems: set[str] = field(default_factory=set)

    def merge(self, other: Progress) -> None:
        """Merges another one into this one."""
        self.enrolled.merge(other.enrolled)
        if other.treated is not None:
            self.treated = self.treated or Sums()
            self.treated.merge(other.treated)
        for key, number in other.visit_order.items():
            self.visit_order[key] = min(number, self.visit_order.get(key, math.inf))
        self.qualifiers.update(other.qualifiers)
        self.levels.update(other.levels)
        self.problems |= other.problems
