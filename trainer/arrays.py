"""Transformed subjects in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Arrays:
    """Transformed subjects.

    Attributes:
        numbers: float32 `[subjects, numbers]`.
        categories: Codes, int32 `[subjects, categories]`.
        labels: 0 or 1, float32 `[subjects, tasks]`.
        weights: Weight of the subject (`pipeline.weights`), 0 where the label is unknown, float32
            `[subjects, tasks]`.
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

    def order(self, *more: NDArray[Any]) -> NDArray[np.int64]:
        """Positions of the subjects in an order that depends on their values alone.

        Runners read the files of a split in different orders.

        Args:
            more: Further values of the subjects, number `[subjects, values]`.
        """
        # Labels last: those of a fold must not move the subjects of others.
        parts = (self.numbers, self.categories, *more, self.labels, self.weights)
        values = np.concatenate([part.astype(np.float64) for part in parts], axis=1)
        return np.lexsort(values.T[::-1])

    def head(self, rows: int) -> Arrays:
        """The first subjects."""
        return Arrays(
            self.numbers[:rows], self.categories[:rows], self.labels[:rows], self.weights[:rows]
        )


def concatenate(parts: Sequence[Arrays]) -> Arrays:
    """The subjects of all parts, one after the other."""
    return Arrays(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.categories for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )
