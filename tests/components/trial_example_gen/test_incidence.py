"""Kaplan-Meier and Aalen-Johansen on ten subjects, by hand.

Horizon 10. Day 2: an event and a censoring; day 4: an event; day 5: two censorings; day 6: an
event; four subjects are observed to the horizon.

    day   at risk   events   without event        censored of   observed just after
      2        10        1   9/10                       1 of 9   8/9
      4         8        1   9/10 * 7/8 = .7875
      5         7        0                              2 of 7   8/9 * 5/7 = 40/63
      6         5        1   .7875 * 4/5 = .63
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trial_example_gen.ends import EndKind
from components.trial_example_gen.incidence import EndTable

EVENT, COMPETING, COMPLETE, CENSORED = (
    EndKind.EVENT,
    EndKind.COMPETING,
    EndKind.COMPLETE,
    EndKind.CENSORED,
)
TEN: dict[tuple[float, int], int] = {
    (2.0, EVENT): 1,
    (2.0, CENSORED): 1,
    (4.0, EVENT): 1,
    (5.0, CENSORED): 2,
    (6.0, EVENT): 1,
    (10.0, COMPLETE): 4,
}
COMPETED: dict[tuple[float, int], int] = {
    **{k: n for k, n in TEN.items() if k != (4.0, EVENT)},
    (4.0, COMPETING): 1,
}


def weighted_share(table: EndTable) -> float:
    """The share of known labels that are positive, weighted by 1 / G."""
    weights = 1 / table.observed.before(table.times)
    known = table.counts[:, :3].sum(axis=1)
    return float((weights * table.counts[:, 0]).sum() / (weights * known).sum())


def test_the_risk_is_kaplan_meiers() -> None:
    assert EndTable.of(TEN).risk.value == pytest.approx(1 - 0.63, abs=1e-12)


def test_a_competing_event_makes_it_aalen_and_johansens() -> None:
    assert EndTable.of(COMPETED).risk.value == pytest.approx(1 / 10 + 0.7875 / 5, abs=1e-12)


def test_events_of_a_day_come_before_the_end_of_follow_up() -> None:
    observed = EndTable.of(TEN).observed

    before = observed.before(np.array([2.0, 4.0, 5.0, 6.0, 10.0]))

    assert before.tolist() == pytest.approx([1, 8 / 9, 8 / 9, 40 / 63, 40 / 63], abs=1e-12)


def test_the_interval_is_greenwoods_on_the_scale_of_log_minus_log() -> None:
    risk = EndTable.of(TEN).risk

    error = math.sqrt(0.63**2 * (1 / (10 * 9) + 1 / (8 * 7) + 1 / (5 * 4)))
    reach = math.exp(1.959964 * error / (0.63 * -math.log(0.63)))
    assert risk.lower == pytest.approx(1 - 0.63 ** (1 / reach), abs=1e-6)
    assert risk.upper == pytest.approx(1 - 0.63**reach, abs=1e-6)


def test_without_censoring_the_interval_of_a_competing_risk_is_that_of_a_share() -> None:
    ends: dict[tuple[float, int], int] = {
        (3.0, EVENT): 30,
        (7.0, COMPETING): 20,
        (10.0, COMPLETE): 50,
    }
    risk = EndTable.of(ends).risk

    error = math.sqrt(0.3 * 0.7 / 100)
    reach = math.exp(1.959964 * error / (0.7 * -math.log(0.7)))
    assert risk.value == pytest.approx(0.3, abs=1e-12)
    assert risk.upper == pytest.approx(1 - 0.7**reach, abs=1e-6)


def test_no_subject_at_the_horizon_leaves_the_risk_unknown() -> None:
    assert EndTable.of({(2.0, EVENT): 3, (5.0, CENSORED): 2}).risk.value is None


def test_the_risk_is_1_where_the_last_ones_have_the_event() -> None:
    risk = EndTable.of({(2.0, CENSORED): 3, (5.0, EVENT): 2}).risk

    assert (risk.value, risk.upper) == (1.0, 1.0)


def test_no_event_has_an_exact_interval() -> None:
    risk = EndTable.of({(2.0, CENSORED): 3, (10.0, COMPLETE): 30}).risk

    assert (risk.value, risk.lower) == (0.0, 0.0)
    assert risk.upper == pytest.approx(1 - 0.025 ** (1 / 30))


ENDS = st.dictionaries(
    st.tuples(st.sampled_from([1.0, 2.0, 3.0, 4.0]), st.sampled_from([EVENT, COMPETING, CENSORED])),
    st.integers(1, 9),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(ends=ENDS, complete=st.integers(1, 9))
def test_the_weighted_share_is_the_risk_and_the_weights_stand_for_all_subjects(
    ends: dict[tuple[float, int], int], complete: int
) -> None:
    table = EndTable.of({**ends, (9.0, COMPLETE): complete})
    known = table.counts[:, :3].sum(axis=1)

    assert weighted_share(table) == pytest.approx(table.risk.value, abs=1e-12)
    total = ((1 / table.observed.before(table.times)) * known).sum()
    assert total == pytest.approx(table.subjects, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(ends=ENDS, complete=st.integers(1, 9))
def test_a_subject_alone_with_its_time_changes_nothing_for_earlier_ones(
    ends: dict[tuple[float, int], int], complete: int
) -> None:
    table = EndTable.of({**ends, (9.0, COMPLETE): complete})
    more: Counter[tuple[float, int]] = Counter({**ends, (9.0, COMPLETE): complete})
    more[8.0, CENSORED] += 1
    later = EndTable.of(more)

    assert later.risk.value is not None
    assert table.observed.before(np.array([1.0])) == later.observed.before(np.array([1.0]))
