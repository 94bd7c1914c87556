"""What Transform learns of subjects without labels, in numpy, for any part of a trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.study.features import MIN_CATEGORY_COUNT
from trainer.arrays import Arrays
from trainer.model import Encoding
from trainer.preprocessing import CLIP

_FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """What Transform learns of subjects without looking at labels.

    Attributes:
        mean: Of each number, float64 `[numbers]`.
        deviation: Of each number; 0 where it does not vary.
        codes: Code of each frequent category of each column.
        categories: Number of those.
    """

    mean: _FloatArray
    deviation: _FloatArray
    codes: tuple[dict[str, int], ...]
    categories: int

    @classmethod
    def of(cls, numbers: _FloatArray, texts: NDArray[Any]) -> Statistics:
        """Describes subjects.

        Args:
            numbers: NaN where missing, `[subjects, numbers]`.
            texts: "" where missing, `[subjects, columns]`.
        """
        observed = np.ma.masked_invalid(numbers)
        mean = observed.mean(axis=0).filled(0.0)
        deviation = observed.std(axis=0).filled(0.0)
        deviation[deviation <= 1e-12 * np.abs(mean)] = 0.0
        codes: list[dict[str, int]] = []
        number = 0
        for column in texts.T:
            levels, counts = np.unique(column[column != ""], return_counts=True)
            frequent = levels[counts >= MIN_CATEGORY_COUNT].tolist()
            codes.append({level: number + place for place, level in enumerate(frequent)})
            number += len(frequent)
        return cls(mean, deviation, tuple(codes), number)

    def apply(self, numbers: _FloatArray, texts: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Numbers and codes as `trainer.preprocessing` makes them; codes are numbered otherwise."""
        scale = np.where(self.deviation > 0, self.deviation, np.inf)
        score = np.clip((numbers - self.mean) / scale, -CLIP, CLIP)
        missing = np.isnan(numbers)
        dense = np.concatenate([np.where(missing, 0.0, score), missing], axis=1)
        columns = texts.shape[1]
        coded = [
            [self._code(place, value, columns) for place, value in enumerate(row)]
            for row in texts.tolist()
        ]
        shape = (len(texts), columns)
        return dense.astype(np.float32), np.array(coded, np.int32).reshape(shape)

    def _code(self, place: int, value: str, columns: int) -> int:
        if value == "":
            return self.categories + columns + place
        return self.codes[place].get(value, self.categories + place)


@dataclass(frozen=True)
class Trial:
    """The examples of a study.

    Attributes:
        numbers: float64 `[subjects, numbers]`, NaN where missing.
        texts: Text `[subjects, columns]`, "" where missing.
        labels: float32 `[subjects, tasks]`.
        weights: 0 where the label is unknown; float32 `[subjects, tasks]`.
        tasks: Names of the tasks.
        arm: Position of the column of the arms; None without one.
    """

    numbers: _FloatArray
    texts: NDArray[Any]
    labels: NDArray[Any]
    weights: NDArray[Any]
    tasks: tuple[str, ...]
    arm: int | None = None

    def arrays(self, statistics: Statistics) -> tuple[Arrays, Encoding]:
        """All subjects, transformed by statistics."""
        numbers, codes = statistics.apply(self.numbers, self.texts)
        columns = self.texts.shape[1]
        arms: tuple[int, ...] = ()
        if self.arm is not None:
            rare = statistics.categories + self.arm
            arms = (*statistics.codes[self.arm].values(), rare, rare + columns)
        encoding = Encoding(
            numbers.shape[1], columns, statistics.categories + 2 * columns, self.tasks, arms
        )
        return Arrays(numbers, codes, self.labels, self.weights), encoding

    def described(self, rows: NDArray[np.bool_]) -> Statistics:
        """Statistics of some subjects."""
        return Statistics.of(self.numbers[rows], self.texts[rows])
