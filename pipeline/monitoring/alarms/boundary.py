"""Boundaries of looks at a statistic that grows: how far is too far, when looking every week.

The evidence at successive looks is jointly normal. Means of one more week and the same reference
have independent increments in information, the inverse of the variance of their difference
(Jennison C, Turnbull BW. Group-sequential analysis incorporating covariate information. JASA
1997;92:1330-1341), the reference's own noise included: evidence is a Markov chain, whose density
among years that have not fired is carried from look to look (Armitage P, McPherson CK, Rowe BC.
Repeated significance tests on accumulating data. JRSS A 1969;132:235-244). A moving window is no
Markov chain: that its last look is enough to know is an approximation, which the simulated years
of docs/monitoring.md hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

_FloatArray = NDArray[np.float64]

_REACH = 7.0
"""Standard errors that the grid reaches to: beyond lies nothing that counts."""

_STEP = 0.04
_NOTHING = 1e-300
_HIGHEST_CORRELATION = float(np.sqrt(1 - _STEP**2))
"""Of successive looks, that the grid resolves: a lower one than the true spends no more error."""


def boundaries(
    correlations: Sequence[float], errors: Sequence[float], two_sided: bool
) -> tuple[float, ...]:
    """The boundary of each look.

    Args:
        correlations: Of the evidence at each look with that at the look before; the first is not
            used. `[k]`.
        errors: Error that each look may spend, `[k]`.
        two_sided: Whether evidence on both sides fires, or only that above.

    Returns:
        `[k]`; infinite where nothing may be spent. Later looks do not change earlier boundaries.

    Examples:
        >>> [round(found, 2) for found in boundaries([0, 0.9], [0.025, 0.025], two_sided=True)]
        [2.24, 2.02]
    """
    rounded = tuple(round(value, 5) for value in correlations)
    return _boundaries(rounded, tuple(round(error, 12) for error in errors), two_sided)


@lru_cache(maxsize=256)
def _boundaries(
    correlations: tuple[float, ...], errors: tuple[float, ...], two_sided: bool
) -> tuple[float, ...]:
    grid = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    density = norm.pdf(grid) * _STEP
    found: list[float] = []
    for look, (correlation, error) in enumerate(zip(correlations, errors, strict=True)):
        if look:
            density = _carried(grid, density, correlation)
        limit = _limit(grid, density, error, two_sided)
        found.append(limit)
        # The share of a point's cell that lies inside.
        distance = np.abs(grid) if two_sided else grid
        density = density * np.clip((limit - distance) / _STEP + 0.5, 0, 1)
    return tuple(found)


def _carried(grid: _FloatArray, density: _FloatArray, correlation: float) -> _FloatArray:
    correlation = min(correlation, _HIGHEST_CORRELATION)
    spread = np.sqrt(1 - correlation**2)
    (kept,) = np.nonzero(density)
    steps = (grid[:, None] - correlation * grid[None, kept]) / spread
    moved: _FloatArray = np.exp(-0.5 * steps**2) @ density[kept]
    return moved * _STEP / (spread * np.sqrt(2 * np.pi))


def _limit(grid: _FloatArray, density: _FloatArray, error: float, two_sided: bool) -> float:
    """The point beyond which the error lies, between points of the grid."""
    if error <= 0:
        return np.inf
    mass = density + density[::-1] if two_sided else density
    # Of a point's cell half lies beyond it.
    beyond = np.cumsum(mass[::-1])[::-1] - mass / 2
    # The logarithm of a tail is nearly straight between points.
    return float(np.interp(-np.log(error), -np.log(np.maximum(beyond, _NOTHING)), grid))
