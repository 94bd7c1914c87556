"""Simulated subjects whose predictions err in another way in each group."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Simulated:
    """Subjects with predictions, outcomes and groups, in one order."""

    score: NDArray[np.float32]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    slices: dict[str, NDArray[Any]]

    def take(self, rows: NDArray[Any]) -> Simulated:
        """Some of the subjects."""
        return Simulated(
            self.score[rows],
            self.label[rows],
            self.weight[rows],
            {name: values[rows] for name, values in self.slices.items()},
        )


def simulate(subjects: int, seed: int, intercept: float = -0.5) -> Simulated:
    """Draws subjects; a lower intercept makes the outcome rarer."""
    rng = np.random.default_rng(seed)
    woman, old = rng.random(subjects) < 0.5, rng.random(subjects) < 0.3
    country = rng.choice(["A", "B", "C", "D"], subjects, p=[0.5, 0.3, 0.15, 0.05])
    logit = rng.normal(0, 1 + 0.5 * woman, subjects) + 0.6 * old + intercept
    truth = logit * (0.6 + 0.5 * woman) - 0.7 * old
    return Simulated(
        (1 / (1 + np.exp(-logit))).astype(np.float32),
        (rng.random(subjects) < 1 / (1 + np.exp(-truth))).astype(np.float64),
        np.ones(subjects),
        {
            "sex": np.where(woman, "F", "M"),
            "age": np.where(old, "old", "young"),
            "country": country,
        },
    )
