"""AUC from pairs between weeks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.monitoring.alarms.ranking import ranked_pairs
from pipeline.monitoring.alarms.watched import WeekOfOutcomes
from tests.pipeline.monitoring.alarms.weekly import monday, outcomes


def test_pairs_between_weeks_are_counted() -> None:
    weeks = [outcomes(0, [0.2, 0.6, 0.9], [0, 0, 1]), outcomes(1, [0.4, 0.6], [0, 1])]
    found = ranked_pairs(weeks)
    # .9 is above .2, .6 and .4; .6 is above .2 and .4, and equals .6.
    assert found.higher.tolist() == [[2.0, 1.0], [1.5, 1.0]]
    assert found.auc(np.array([True, True])) == 5.5 / 6
    assert found.auc(np.array([False, True])) == 1.0
    # 2 events beside 3 others.
    assert found.size(np.array([True, True])) == 1.2


def test_the_auc_is_that_of_scikit_learn_with_weights_and_ties() -> None:
    rng = np.random.default_rng(3)
    weeks = [
        WeekOfOutcomes(
            monday(number),
            np.round(rng.random(30), 1),
            (rng.random(30) < 0.4).astype(np.float64),
            rng.uniform(1, 3, 30),
        )
        for number in range(4)
    ]
    some = np.array([True, False, True, True])
    outcome, prediction, weight = (
        np.concatenate([getattr(weeks[at], name) for at in np.flatnonzero(some)])
        for name in ("outcomes", "predictions", "weights")
    )
    expected = roc_auc_score(outcome, prediction, sample_weight=weight)
    assert ranked_pairs(weeks).auc(some) == pytest.approx(expected)


def test_without_an_event_there_is_no_auc() -> None:
    found = ranked_pairs([outcomes(0, [0.2, 0.6], [0, 0])])
    week = np.array([True])
    assert np.isnan(found.auc(week))
    assert found.size(week) == 0
