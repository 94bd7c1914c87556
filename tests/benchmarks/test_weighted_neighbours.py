"""What the weights of a task change in its neighbours."""

import numpy as np
import pytest

from benchmarks.weighted_neighbours import change_of, report, worse_by


def test_a_change_is_that_of_pairs_with_its_interval() -> None:
    """Seeds differ by .1, pairs by .002 to .004: only the pairs count."""
    without = np.array([0.6, 0.7, 0.8])
    found = np.stack([without + np.array([0.002, 0.003, 0.004]), without], axis=1)

    change = change_of("ist", "dead", "auc", found)

    assert change.change == pytest.approx(0.003)
    # The deviation is .001, the t quantile with two degrees of freedom 4.303.
    assert change.upper - change.change == pytest.approx(4.303 * 0.001 / np.sqrt(3), rel=1e-3)
    assert "ist dead" in report([change])


def test_a_lower_area_and_a_higher_brier_score_are_worse() -> None:
    found = np.array([[0.70, 0.71], [0.70, 0.71]])

    worse = {
        metric: worse_by(change_of("ist", "dead", metric, found)) for metric in ("auc", "brier")
    }

    assert worse["auc"] == pytest.approx(0.01)
    assert worse["brier"] == pytest.approx(-0.01)
