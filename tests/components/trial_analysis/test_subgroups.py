"""Differences within subgroups, and whether they differ between them."""

from __future__ import annotations

import math

import pytest

from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.proportions import Observed
from components.trial_analysis.subgroups import interaction_test, subgroup_effects
from pipeline.results.analysis import Subgroups
from tests.components.trial_analysis.hand_made_subjects import repeated, trial


def test_the_same_odds_ratio_everywhere_is_no_interaction() -> None:
    # Odds 1 against 1 / 3, and 3 against 1.
    groups = [
        (Observed(20, 10), Observed(20, 5)),
        (Observed(20, 15), Observed(20, 10)),
    ]
    found = interaction_test(groups)
    assert found is not None
    assert found.statistic == pytest.approx(0, abs=1e-6)
    assert found.p_value == pytest.approx(1, abs=1e-3)


def test_opposite_differences_are_an_interaction() -> None:
    # Without interaction both groups of both subgroups would have 7.5 of 20.
    groups = [
        (Observed(20, 10), Observed(20, 5)),
        (Observed(20, 5), Observed(20, 10)),
    ]
    expected = 4 * (10 * math.log(10 / 7.5) + 10 * math.log(10 / 12.5))
    expected += 4 * (5 * math.log(5 / 7.5) + 15 * math.log(15 / 12.5))
    found = interaction_test(groups)
    assert found is not None
    assert found.statistic == pytest.approx(expected)
    assert found.degrees_of_freedom == 1


def test_a_subgroup_without_events_is_not_informative_of_interaction() -> None:
    informative = [(Observed(20, 10), Observed(20, 5)), (Observed(20, 5), Observed(20, 10))]
    empty = (Observed(20, 0), Observed(20, 0))
    assert interaction_test([*informative, empty]) == interaction_test(informative)
    assert interaction_test([informative[0], empty]) is None


def test_a_comparison_is_shown_within_every_group_of_a_slicing() -> None:
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        slicings={"sex": [*repeated(("F", 10), ("M", 10)), *repeated(("F", 10), ("M", 10))]},
        outcomes={
            "death": [
                *repeated((True, 4), (False, 6), (True, 2), (False, 8)),
                *repeated((True, 2), (False, 8), (True, 5), (False, 5)),
            ]
        },
    )
    [block] = subgroup_effects(subjects, Disclosure(subjects, 5))
    women, men = block.groups
    assert (women.value, women.subjects, women.events) == ("F", 10, 4)
    assert (women.control_subjects, women.control_events) == (10, 2)
    assert women.risk_difference.value == pytest.approx(0.2)
    assert men.risk_difference.value == pytest.approx(-0.3)
    assert block.suppressed == 0
    assert block.interaction is not None


def test_a_small_group_is_suppressed_together_with_what_would_disclose_it() -> None:
    ages = [*repeated(("<65", 3), (">=65", 17)), *repeated(("<65", 10), (">=65", 10))]
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        slicings={"age": ages},
        outcomes={"death": repeated((True, 20), (False, 20))},
    )
    [block] = subgroup_effects(subjects, Disclosure(subjects, 5))
    assert block.groups == ()
    assert block.suppressed == 2


def test_subjects_whose_outcome_is_unknown_are_in_no_subgroup() -> None:
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        slicings={"sex": repeated(("F", 40))},
        outcomes={"death": [*repeated((True, 5), (None, 10), (False, 5)), *repeated((False, 20))]},
    )
    [block] = subgroup_effects(subjects, Disclosure(subjects, 5, is_exact=True))
    assert [(group.subjects, group.events) for group in block.groups] == [(10, 5)]


def test_the_number_of_suppressed_groups_is_read_under_its_name_of_0_1_0() -> None:
    comparison = {"factor": "arm", "level": "A", "control": "B"}
    content = {
        "task": "death",
        "comparison": comparison,
        "slicing": "sex",
        "groups": [],
        "withheld": 3,
        "interaction": None,
    }
    assert Subgroups.model_validate(content).suppressed == 3
    assert Subgroups.model_validate(content).model_dump()["suppressed"] == 3


def test_unknown_outcomes_of_a_subgroup_are_not_counted_but_in_the_internal_analysis() -> None:
    """One woman of the active arm has an unknown outcome."""
    deaths: list[bool | None] = [
        *repeated((True, 4), (False, 5)),
        None,
        *repeated((True, 2), (False, 8), (True, 2), (False, 8), (True, 5), (False, 5)),
    ]
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        slicings={"sex": [*repeated(("F", 10), ("M", 10)), *repeated(("F", 10), ("M", 10))]},
        outcomes={"death": deaths},
    )
    [block] = subgroup_effects(subjects, Disclosure(subjects, 5))
    [exact] = subgroup_effects(subjects, Disclosure(subjects, 5, is_exact=True))
    women, men = block.groups
    assert (women.subjects, women.events) == (10, 5)
    assert (men.subjects, men.events) == (10, 0)
    assert women.risk_difference.value == 0.2
    assert (exact.groups[0].subjects, exact.groups[0].events) == (9, 4)
    assert exact.groups[0].risk_difference.value == pytest.approx(4 / 9 - 0.2)
