"""Weights in simulated trials where the end of follow-up depends on arm and sex."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from components.trial_example_gen.censoring import EndCounts, count_ends, fit_censoring
from components.trial_example_gen.ends import Ends
from tests.components.trial_example_gen.hand_made_trial import FOLLOWED_RASH, hand_made_study
from tests.each import each

BY_SEX: dict[str, Any] = {
    **FOLLOWED_RASH,
    "slicing.by": {"sex": {"column": "SEX"}},
    "datasets.dm.columns.SEX.known": "baseline",
    "tasks.rash.censoring": {"by": ["sex"]},
}


def simulated(seed: int, arms: dict[str, dict[str, tuple[float, float]]]) -> EndCounts:
    """4,000 subjects of each arm and sex, with a rate of the event and one of leaving a day."""
    rng = np.random.default_rng(seed)
    counts: EndCounts = Counter()
    for arm, by_sex in arms.items():
        for sex, (event_rate, leaving_rate) in by_sex.items():
            event = 28 + np.ceil(rng.exponential(1 / event_rate, 4000))
            last = 28 + np.ceil(rng.exponential(1 / leaving_rate, 4000))
            has_event = (event <= last) & (event <= 90)
            ends = Ends.of(np.where(has_event, event, np.inf), np.full(4000, np.inf), last, 90.0)
            counts.update(count_ends("rash", [(arm, sex)] * 4000, ends))
    return counts


INFORMATIVE = {
    # Who is at a higher risk leaves earlier.
    "A": {"F": (0.010, 0.020), "M": (0.002, 0.002)},
    "B": {"F": (0.005, 0.015), "M": (0.005, 0.015)},
}


def true_risk(arm: str) -> float:
    return float(np.mean([1 - np.exp(-rate * 62) for rate, _ in INFORMATIVE[arm].values()]))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_the_end_of_follow_up_depends_on_a_slicing_weights_by_it_find_the_risk(
    seed: int,
) -> None:
    model = fit_censoring(hand_made_study(BY_SEX), simulated(seed, INFORMATIVE))
    arms = model.documents["rash"].arms

    found = {arm: of_arm.weighted for arm, of_arm in arms.items()}
    # Four standard errors: .5 / sqrt(2,500) is the largest that so many effective subjects have.
    assert found == pytest.approx({arm: true_risk(arm) for arm in arms}, abs=0.04)
    assert min(arm.effective for arm in arms.values()) > 2500
    assert (arms["B"].naive or 0) > true_risk("B") + 0.08


def test_the_risk_by_the_horizon_is_then_the_mean_of_the_strata() -> None:
    arms = fit_censoring(hand_made_study(BY_SEX), simulated(1, INFORMATIVE)).documents["rash"].arms

    for arm, found in each(arms.items()):
        risk = found.risk
        assert risk.value == pytest.approx(found.weighted, abs=1e-9)
        assert risk.lower is not None
        assert risk.upper is not None
        assert risk.lower < true_risk(arm) < risk.upper


def test_without_it_the_arms_kaplan_meier_is_off_as_well() -> None:
    counts: EndCounts = Counter()
    for (task, (arm, _), time, kind), n in simulated(1, INFORMATIVE).items():
        counts[task, (arm,), time, kind] += n

    arms = fit_censoring(hand_made_study(FOLLOWED_RASH), counts).documents["rash"].arms

    assert arms["B"].weighted == pytest.approx(true_risk("B"), abs=0.02)
    assert arms["A"].weighted == pytest.approx(arms["A"].risk.value, abs=1e-9)
    assert abs((arms["A"].weighted or 0) - true_risk("A")) > 0.02
