"""Bins of the features by what the training subjects had: coarse, and the same for all writers.

A number becomes the number of its bin, as text: 1 to k in the bins of the training statistics that
the registry keeps, 0 below their lower limit, k + 1 above the upper one. A category stays its name
if the model knows it; another one is an empty text, so that no text that a client sends is kept. A
missing value is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.reading.examples import Categories, ExampleColumns
from pipeline.skew.training_values import SeenValues

BINNED = pa.map_(pa.string(), pa.string())
"""Type of the binned features of a subject: bin by name."""

OTHER_CATEGORY = ""
"""In place of a category that the model does not know."""


@dataclass(frozen=True)
class InputBins:
    """Bins of the features of a model.

    Attributes:
        edges: Ends of the bins of each number, rising, float32 `[k + 1]`.
        categories: Categories that are named, by feature.
    """

    edges: Mapping[str, NDArray[np.float32]]
    categories: Mapping[str, frozenset[str]]


def input_bins(
    seen: Mapping[str, SeenValues],
    numbers: Sequence[str],
    categories: Sequence[str],
    smallest_group: int,
) -> InputBins:
    """Bins of a model's features.

    Args:
        seen: What the training subjects had of each feature.
        numbers: Features that are numbers.
        categories: Features that are categories.
        smallest_group: Fewest training subjects of the bin of a number.
    """
    return InputBins(
        edges={name: _edges(seen[name], smallest_group) for name in numbers if name in seen},
        categories={
            name: seen[name].categories or frozenset() for name in categories if name in seen
        },
    )


def _edges(seen: SeenValues, smallest_group: int) -> NDArray[np.float32]:
    inner, filled = [seen.lower], 0.0
    for upper, subjects in seen.bins:
        filled += subjects
        if filled >= smallest_group and upper > inner[-1]:
            inner.append(upper)
            filled = 0.0
    # What is left over joins the last bin, which ends at the upper limit.
    if len(inner) > 1:
        inner.pop()
    return np.array([*inner, seen.upper], np.float32)


def binned_inputs(columns: ExampleColumns, bins: InputBins) -> pa.MapArray:
    """The bins of n subjects.

    Args:
        columns: Features of the subjects.
        bins: Bins of the model's features.

    Returns:
        Of type `BINNED`, `[n]`.

    Examples:
        >>> found = {"AGE": SeenValues(40, 70, bins=((50, 60), (60, 60), (70, 60)))}
        >>> bins = input_bins(found, ["AGE"], [], smallest_group=50)
        >>> ages = np.array([39, 40, 50, 70, 71, np.nan], np.float32)
        >>> binned_inputs(ExampleColumns(6, {"AGE": ages}, {}), bins).items.to_pylist()
        ['0', '1', '2', '3', '4', None]
    """
    parts = [
        *(_number_bins(columns.numbers[name], edges) for name, edges in bins.edges.items()),
        *(_named(columns.categories[name], known) for name, known in bins.categories.items()),
    ]
    names = [*bins.edges, *bins.categories]
    n, features = columns.subjects, len(names)
    # Features of one subject stand beside each other: by feature they are columns of a table.
    places = np.arange(features * n).reshape(features, n).T.ravel()
    joined = pa.concat_arrays([pa.array([], pa.string()), *parts])
    return pa.MapArray.from_arrays(
        pa.array(np.arange(n + 1, dtype=np.int32) * features),
        pa.array(np.tile(np.array(names, object), n), pa.string()),
        joined.take(pa.array(places)),
    )


def _number_bins(values: NDArray[np.float32], edges: NDArray[np.float32]) -> pa.Array:
    missing = np.isnan(values)
    found = np.searchsorted(edges[1:-1], values, side="right") + 1
    found[values < edges[0]] = 0
    found[values > edges[-1]] = len(edges)
    names = pa.array([str(number) for number in range(len(edges) + 1)])
    return names.take(pa.array(np.where(missing, 0, found), mask=missing))


def _named(found: Categories, known: frozenset[str]) -> pa.Array:
    names = [value if value in known else OTHER_CATEGORY for value in found.values]
    # -1 stands for a missing value.
    missing = found.codes < 0
    return pa.array([*names, None], pa.string()).take(
        pa.array(np.where(missing, len(names), found.codes))
    )
