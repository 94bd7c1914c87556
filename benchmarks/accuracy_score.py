"""Scores one division in a process of its own, which alone imports TensorFlow."""

from __future__ import annotations

from benchmarks.accuracy_division import Division, Scores


def score(division: Division) -> Scores:
    """Runs one division; imports what it needs only in the process that does it.

    Args:
        division: What to divide and which models to fit.

    Returns:
        Predictions on the test split.

    Raises:
        UserError: The data can't be used.
    """
    from benchmarks.accuracy_run import run_division

    return run_division(division)
