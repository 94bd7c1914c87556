"""How far a metric of one lock may be from the other's: docs/install.md says it to users."""

from __future__ import annotations

_BOUNDS = {
    "auc": 1e-3,
    "pr_auc": 5e-3,
    "expected_calibration_error": 1e-2,
    "calibration_slope": 3e-3,
}
_OTHERS = 1e-4

MOST_MOVED = 0.05
"""Largest share of the numbers of groups that are shown in steps and lie on another one: each may,
whose exact values are on both sides of where two steps meet."""


def bound(metric: str) -> float:
    """The bound of a metric and of the ends of its interval.

    Two releases of TensorFlow sum in another order: predictions differ in their last digits, and
    the more with each step of training. Where two of them change places (AUC), or one falls into
    another bin (calibration error), a small group's metric makes a step; the calibration slope is a
    ratio.

    Args:
        metric: Its name.
    """
    return _BOUNDS.get(metric, _OTHERS)
