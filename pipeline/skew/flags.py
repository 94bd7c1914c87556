"""Flags of subjects whose values no training subject had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
    for name, numbers in columns.numbers.items():
        if name in seen:
            of = seen[name]
            missing = np.isnan(numbers)
            yield (OUT_OF_RANGE, name), (numbers < of.lower) | (numbers > of.upper)
            yield (MISSING_VALUE, name), missing & of.always_present
    for name, categories in columns.categories.items():
        if name in seen:
            yield (UNKNOWN_CATEGORY, name), _unknown(categories, seen[name].categories)
            yield (MISSING_VALUE, name), (categories.codes < 0) & seen[name].always_present


def _unknown(found: Categories, known: frozenset[str] | None) -> NDArray[np.bool_]:
    if known is None or not found.values:
        return np.zeros(len(found.codes), bool)
    # The last place stands for a missing value, which is no category.
    is_new = np.array([*(value not in known for value in found.values), False], bool)
    return is_new[found.codes]
