"""The hyperparameters that are searched, and the sets of them that a procedure chooses among."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from trainer.fit import Progress
from trainer.model import Hyperparameters

MOST_SETS = 8
"""Sets at most, the ones that are not tuned among them: each is as much work as a run without
tuning."""

_MOST_DRAWS = 100
"""Draws at most: a space of few values has no more sets."""


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers between two ends, each order of magnitude as likely.

    Attributes:
        low: The lower end.
        high: The upper end.
    """

    low: float
    high: float


SPACE: Mapping[str, Range | tuple[int, ...] | tuple[float, ...]] = {
    "depth": (0, 1, 2),
    "width": (32, 64, 128),
    "dropout": (0.0, 0.2, 0.4),
    "learning_rate": Range(3e-4, 1e-2),
    "weight_decay": Range(0.05, 2.0),
    "penalty": (1.0, 10.0, 100.0),
}
"""The hyperparameters that matter: values, or a range."""


_OF_HIDDEN_LAYERS = ("width", "dropout")


def other_sets(
    hyperparameters: Hyperparameters, chosen: Collection[str], seed: int
) -> tuple[Hyperparameters, ...]:
    """Draws what a procedure may choose instead of the hyperparameters of an untuned run.

    Args:
        hyperparameters: Those of an untuned run.
        chosen: Names that the study file sets; they are not searched.
        seed: Seeds the draws: the same sets in every procedure of a run.

    Returns:
        At most `MOST_SETS - 1`, all different from each other and from `hyperparameters`.
    """
    draw = np.random.default_rng([seed, len(SPACE)])
    found = {hyperparameters: None}
    for _ in range(_MOST_DRAWS):
        values: dict[str, Any] = {
            name: _drawn(of, draw) for name, of in SPACE.items() if name not in chosen
        }
        drawn = dataclasses.replace(hyperparameters, **values)
        if not drawn.depth:
            # Without hidden layers these have no effect: two that differ in them are one model.
            unused = {name: getattr(hyperparameters, name) for name in _OF_HIDDEN_LAYERS}
            drawn = dataclasses.replace(drawn, **unused)
        found[drawn] = None
        if len(found) == MOST_SETS:
            break
    return tuple(found)[1:]


def progress_of_sets(progress: Progress | None, count: int) -> list[Progress | None]:
    """The progress of each of some sets, as parts of one."""
    if progress is None or count == 1:
        return [progress] * count

    def of_set(number: int) -> Progress:
        def report(epoch: int, total: int, detail: str) -> None:
            progress(number * total + epoch, count * total, f"set {number + 1}, {detail}")

        return report

    return [of_set(number) for number in range(count)]


def _drawn(
    values: Range | tuple[int, ...] | tuple[float, ...], draw: np.random.Generator
) -> int | float:
    if isinstance(values, Range):
        return float(math.exp(draw.uniform(math.log(values.low), math.log(values.high))))
    return values[int(draw.integers(len(values)))]
