"""Flags of subjects whose values no training subject had, or few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.results.scoring import (
    LEFT_BY_LANDMARK,
    MISSING_VALUE,
    OUT_OF_RANGE,
    OUTSIDE_POPULATION,
    UNKNOWN_CATEGORY,
)
from pipeline.skew.training_values import SeenValues
from pipeline.study.sections import Reaction, Scoring

Flag = tuple[str, str | None]
"""A kind of flag and the feature that it is about; None where it is about the subject."""


def reactions(scoring: Scoring) -> dict[str, Reaction]:
    """What happens to a subject with a flag, by kind of flag."""
    return {
        OUTSIDE_POPULATION: scoring.outside_population,
        LEFT_BY_LANDMARK: scoring.outside_population,
        UNKNOWN_CATEGORY: scoring.unknown_category,
        OUT_OF_RANGE: scoring.out_of_range,
        MISSING_VALUE: scoring.missing_value,
    }


def flags_of_values(
    columns: ExampleColumns, seen: Mapping[str, SeenValues]
) -> Iterator[tuple[Flag, NDArray[np.bool_]]]:
    """Who differs from the training subjects, feature by feature.

    Args:
        columns: Features of n subjects.
        seen: What the training subjects had of each feature.

    Yields:
        A flag, and whether each subject has it; booleans, shape [n].
    """
    known = [name for name in columns.numbers if name in seen]
    outside, missing = _of_numbers(columns, known, seen)
    for place, name in enumerate(known):
        yield (OUT_OF_RANGE, name), outside[place]
        yield (MISSING_VALUE, name), missing[place]
    for name, categories in columns.categories.items():
        if name in seen:
            yield (UNKNOWN_CATEGORY, name), _unknown(categories, seen[name].categories)
            yield (MISSING_VALUE, name), (categories.codes < 0) & seen[name].always_present


def _of_numbers(
    columns: ExampleColumns, names: Sequence[str], seen: Mapping[str, SeenValues]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who is outside of the range, and who lacks what all others had, by number, `[numbers, n]`."""
    # All at once: for a few subjects a call of each column takes longer than what it does.
    numbers = np.empty((len(names), columns.subjects), np.float32)
    for place, name in enumerate(names):
        numbers[place] = columns.numbers[name]
    # The numbers are float32: a limit of more digits would be another number.
    limits = np.array([(seen[name].lower, seen[name].upper) for name in names], np.float32)
    limits = limits.reshape(len(names), 2, 1)
    present = np.array([seen[name].always_present for name in names], bool)
    outside = (numbers < limits[:, 0]) | (numbers > limits[:, 1])
    return outside, np.isnan(numbers) & present[:, None]


def _unknown(found: Categories, known: frozenset[str] | None) -> NDArray[np.bool_]:
    if known is None or not found.values:
        return np.zeros(len(found.codes), bool)
    # The last place stands for a missing value, which is no category.
    is_new = np.array([*(value not in known for value in found.values), False], bool)
    return is_new[found.codes]
