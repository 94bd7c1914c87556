"""Transformed subjects in memory."""

from __future__ import annotations

import dataclasses
from typing import Any

from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Transformed subjects.

    Attributes:
        numbers: float32 `[subjects, numbers]`.
        categories: Codes, int32 `[subjects, categories]`.
        labels: 0 or 1, float32 `[subjects, tasks]`.
        weights: 0 where the label is unknown, float32 `[subjects, tasks]`.
    """

    numbers: NDArray[Any]
    categories: NDArray[Any]
    labels: NDArray[Any]
    weights: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[Any]) -> Arrays:
        """The subjects at these positions."""
        return Arrays(
            self.numbers[rows], self.categories[rows], self.labels[rows], self.weights[rows]
        )

    def head(self, rows: int) -> Arrays:
        """The first subjects."""
        return Arrays(
            self.numbers[:rows], self.categories[:rows], self.labels[:rows], self.weights[:rows]
        )
