"""The performance to be expected, beside what is then observed in a simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.estimates import Estimate
from pipeline.monitoring import expected, observed
from pipeline.monitoring.tallies import (
    FloatArray,
    Tally,
    cells_of,
    expected_outcomes,
    outcome_tally,
    outcomes_of,
)

RNG = np.random.default_rng(11)
PERIODS, SUBJECTS = 100, 500


def estimates(predictions: FloatArray) -> dict[str, Estimate]:
    vectors = np.stack([np.ones_like(predictions), predictions, predictions**2], axis=1)
    found = expected_outcomes(Tally.of(cells_of(predictions).tolist(), vectors).sums)
    return {"auc": expected.expected_auc(found), "brier": expected.expected_brier(found)}


def seen(predictions: FloatArray, risks: FloatArray) -> dict[str, float]:
    """What is observed where subjects have these risks."""
    drawn = (RNG.random(len(risks)) < risks).astype(float)
    found = outcomes_of(outcome_tally(predictions, drawn, np.ones_like(risks)).sums)
    values = {"auc": observed.auc(found).value, "brier": observed.brier(found).value}
    return {name: float(value or np.nan) for name, value in values.items()}


def shares_within(change: float) -> dict[str, float]:
    """Share of periods whose observed performance lies where it was expected.

    Args:
        change: Standard deviation of a change of each subject's risk on the scale of the logit:
            0 keeps the predictions calibrated.
    """
    within = {"auc": 0, "brier": 0}
    for _ in range(PERIODS):
        # The population differs between periods: how hard it is to predict changes.
        centre = RNG.uniform(-2, 0)
        logits = RNG.normal(centre, RNG.uniform(0.5, 1.5), SUBJECTS)
        moved = logits + RNG.normal(0, change, SUBJECTS) if change else logits
        predictions, risks = (1 / (1 + np.exp(-of)) for of in (logits, moved))
        at, was = estimates(predictions), seen(predictions, risks)
        for name, found in at.items():
            assert found.lower is not None
            assert found.upper is not None
            within[name] += found.lower <= was[name] <= found.upper
    return {name: times / PERIODS for name, times in within.items()}


def test_calibrated_predictions_do_as_well_as_expected_in_each_population() -> None:
    shares = shares_within(change=0.0)

    assert min(shares["auc"], shares["brier"]) >= 0.88


def test_under_concept_drift_the_expected_performance_is_wrong() -> None:
    shares = shares_within(change=2.0)

    assert max(shares["auc"], shares["brier"]) < 0.5


def test_two_subjects_can_be_counted_by_hand() -> None:
    found = estimates(np.array([0.2, 0.6]))

    # Expected pairs of one with and one without: 0.6 x 0.8 ranked rightly, 0.2 x 0.4 wrongly, and
    # 0.2 x 0.8 and 0.6 x 0.4 of a subject beside itself, tied.
    assert found["auc"].value == pytest.approx((0.48 + (0.16 + 0.24) / 2) / (0.8 * 1.2))
    assert found["brier"].value == pytest.approx((0.16 + 0.24) / 2)


def test_it_is_always_said_what_is_assumed() -> None:
    assert "no concept drift" in expected.ASSUMES
