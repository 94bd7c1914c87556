"""How much a subject's prediction would change with another training sample.

Riley and Collins (Biom J 2023;65:2200302) train a model again on bootstrap samples and look at how
the predictions of each subject spread. A cross-fitted run has that spread nearly for nothing: in
each repeat a subject is predicted by a model that was trained on another part of the subjects.
These parts overlap more than independent samples do. Drawing a share f of the subjects without
replacement varies a mean by `(1 - f) / f` of the variance that another sample of all subjects has
(the finite population correction), so standard deviations are multiplied by `sqrt(f / (1 - f))`:
by 2 for five folds. `make bench-stability` compares this with 200 bootstrap samples
(docs/measurements.md).

The training's own randomness is a part of the spread, multiplied as well: where it is large, the
spread is overestimated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.documents import Count, Document

FEWEST_REPEATS = 3
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_BINS = 10
_NEIGHBOURS = 5
"""Subjects whose mean is a quantile."""

_FloatArray = NDArray[np.float64]


class SpreadBin(Document):
    """Subjects with similar predictions.

    Attributes:
        mean_prediction: Mean of their predictions.
        spread: Root mean square of the standard deviations of their predictions between training
            samples.
        subjects: Number of subjects.
    """

    mean_prediction: float
    spread: float
    subjects: Count


class Stability(Document):
    """How predictions vary between training samples, as a distribution over subjects.

    Attributes:
        repeats: Predictions of each subject that it was measured on.
        trained_share: Share of the subjects that each model was trained on.
        mean_absolute_change: Mean over subjects of the absolute difference between a prediction and
            the mean of those with other training samples; 0.02 is two percentage points.
        quantiles: Quantiles over subjects of the standard deviation between training samples, by
            the quantile in percent; each is the mean of five neighbours.
        bins: Groups of subjects, predictions rising.
    """

    repeats: Count
    trained_share: float
    mean_absolute_change: float
    quantiles: Mapping[str, float]
    bins: tuple[SpreadBin, ...]


def spread_of(score: NDArray[np.floating[Any]], trained_share: float) -> _FloatArray:
    """Standard deviation of each subject's prediction between training samples; `[subjects]`.

    Args:
        score: Out-of-fold predictions, `[subjects, repeats]`, at least two repeats.
        trained_share: Share of the subjects that each model was trained on, above 0, below 1.

    Examples:
        >>> spread_of(np.array([[0.2, 0.3, 0.4]]), 0.8).round(3)
        array([0.2])
    """
    return np.asarray(score.astype(np.float64).std(axis=1, ddof=1) * _scale(trained_share))


def stability_of(
    score: NDArray[np.floating[Any]], trained_share: float, smallest: int
) -> Stability | None:
    """Summarises the spread of the predictions of a group of subjects.

    Args:
        score: Out-of-fold predictions, `[subjects, repeats]`.
        trained_share: Share of the subjects that each model was trained on, above 0, below 1.
        smallest: Fewest subjects of a bin.

    Returns:
        The summary; None with fewer than three repeats or a group that is too small.
    """
    subjects, repeats = score.shape
    if repeats < FEWEST_REPEATS or subjects < smallest:
        return None
    mean = score.astype(np.float64).mean(axis=1)
    spread = spread_of(score, trained_share)
    # The mean of the repeats varies, too: distances to it are too short by this.
    correction = math.sqrt(repeats / (repeats - 1)) * _scale(trained_share)
    ordered = np.sort(spread)
    parts = np.array_split(np.argsort(mean, kind="stable"), min(_BINS, subjects // smallest))
    return Stability(
        repeats=repeats,
        trained_share=trained_share,
        mean_absolute_change=float(np.abs(score - mean[:, None]).mean() * correction),
        quantiles={f"{100 * share:g}": _quantile(ordered, share) for share in QUANTILES},
        bins=tuple(
            SpreadBin(
                mean_prediction=float(mean[rows].mean()),
                spread=float(np.sqrt(np.mean(spread[rows] ** 2))),
                subjects=len(rows),
            )
            for rows in parts
        ),
    )


def _scale(trained_share: float) -> float:
    return math.sqrt(trained_share / (1 - trained_share))


def _quantile(ordered: _FloatArray, share: float) -> float:
    """Mean of the values around a quantile: no single subject's value."""
    first = round(share * (len(ordered) - 1)) - _NEIGHBOURS // 2
    first = max(0, min(first, len(ordered) - _NEIGHBOURS))
    return float(ordered[first : first + _NEIGHBOURS].mean())
