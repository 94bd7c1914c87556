"""Correlations of baseline characteristics and outcomes, and the false discovery rate."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from components.trial_analysis.disclosure import Disclosure
from components.trial_analysis.multiplicity import false_discovery, holm
from components.trial_analysis.screening import cramers_v, rank_correlation, screen
from pipeline.estimates import Estimate
from pipeline.results.analysis import Correlation, HypothesisTest
from tests.components.trial_analysis.hand_made_subjects import repeated, trial
from tests.each import each


def p_values(*values: float) -> list[HypothesisTest]:
    return [HypothesisTest(name="test", p_value=value) for value in values]


def test_a_number_and_an_outcome_correlate_by_ranks() -> None:
    # Ranks 1 to 20 and an outcome of the upper half: by hand 50 / sqrt(665 * 5).
    values = np.arange(20.0)
    found = rank_correlation(values, values >= 10)
    assert found is not None
    expected = 50 / math.sqrt(665 * 5)
    assert found[0].value == pytest.approx(expected)
    reach = 1.96 * math.sqrt((1 + expected**2 / 2) / 17)
    assert found[0].lower == pytest.approx(math.tanh(math.atanh(expected) - reach), rel=1e-3)
    assert rank_correlation(np.exp(values), values >= 10) == found


def test_a_category_and_an_outcome_go_together_by_the_root_of_chi_squared() -> None:
    # 30 of 100 against 15 of 100: chi-squared 6.4516 by 200 subjects.
    codes = np.array(repeated((0, 100), (1, 100)), np.int32)
    positive = np.array(repeated((True, 30), (False, 70), (True, 15), (False, 85)))
    found = cramers_v(codes, positive)
    assert found is not None
    strength, p_value = found
    assert strength.value == pytest.approx(math.sqrt(6.4516 / 200), rel=1e-4)
    assert p_value == pytest.approx(0.01109, abs=5e-6)
    # With one degree of freedom the root of chi-squared is nearly normal: 2.54 +- 1.96.
    assert strength.lower == pytest.approx((2.54 - 1.96) / math.sqrt(200), rel=0.1)
    assert strength.upper == pytest.approx((2.54 + 1.96) / math.sqrt(200), rel=0.01)


def test_no_association_has_an_interval_from_zero() -> None:
    codes = np.array(repeated((0, 100), (1, 100)), np.int32)
    positive = np.array(repeated((True, 20), (False, 80), (True, 20), (False, 80)))
    found = cramers_v(codes, positive)
    assert found is not None
    assert (found[0].value, found[0].lower) == (0, 0)
    assert found[0].upper is not None
    assert found[0].upper > 0


@pytest.mark.parametrize("positive", [[True] * 20, [False] * 20])
def test_an_outcome_that_does_not_vary_goes_with_nothing(positive: list[bool]) -> None:
    assert rank_correlation(np.arange(20.0), np.array(positive)) is None
    assert cramers_v(np.arange(20, dtype=np.int32) % 2, np.array(positive)) is None


def test_equal_weights_change_no_association() -> None:
    values, twice = np.arange(20.0), np.full(20, 2.0)
    positive, codes = values % 7 > 3, (np.arange(20) % 3).astype(np.int32)

    for weighted, plain in (
        (rank_correlation(values, positive, twice), rank_correlation(values, positive)),
        (cramers_v(codes, positive, twice), cramers_v(codes, positive)),
    ):
        assert weighted is not None
        assert plain is not None
        assert vars(weighted[0]) == pytest.approx(vars(plain[0]), abs=1e-9)
        assert weighted[1] == pytest.approx(plain[1], abs=1e-9)


def test_a_subject_of_weight_2_counts_for_the_association_as_two_subjects() -> None:
    values = np.array([1.0, 2, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10])
    positive = np.array([0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1], bool)
    codes = np.array([0, 1, 1, 0, 2, 2, 0, 1, 1, 2, 2, 0], np.int32)
    times = np.array([1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1])

    def strength(found: tuple[Estimate, float] | None) -> float | None:
        return found[0].value if found else None

    weight = times.astype(np.float64)
    assert strength(rank_correlation(values, positive, weight)) == pytest.approx(
        strength(rank_correlation(values.repeat(times), positive.repeat(times)))
    )
    assert strength(cramers_v(codes, positive, weight)) == pytest.approx(
        strength(cramers_v(codes.repeat(times), positive.repeat(times)))
    )


def test_unequal_weights_widen_the_interval() -> None:
    values = np.arange(40.0)
    positive, weight = values % 7 > 3, np.where(values % 4 == 0, 4.0, 1.0)
    weighted, plain = (rank_correlation(values, positive, own) for own in (weight, None))

    def width(found: tuple[Estimate, float] | None) -> float:
        assert found is not None
        assert found[0].lower is not None
        assert found[0].upper is not None
        return found[0].upper - found[0].lower

    assert width(weighted) > 1.2 * width(plain)


def test_screening_weighs_the_subjects() -> None:
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        numbers={"AGE": list(range(40))},
        characteristics={"SEX": repeated(("F", 10), ("M", 30))},
        outcomes={"death": repeated((False, 15), (True, 25))},
    )
    weight = np.linspace(1, 3, 40).astype(np.float32)
    outcome = subjects.outcomes["death"]
    weighted = replace(subjects, outcomes={"death": replace(outcome, weight=weight)})

    exact = Disclosure(weighted, 5, is_exact=True)
    found = {pair.measure: pair.strength for pair in screen(weighted, exact).pairs}

    ages, codes = subjects.numbers["AGE"].astype(np.float64), subjects.categories["SEX"].codes
    of_age = rank_correlation(ages, outcome.positive, weight)
    of_sex = cramers_v(codes, outcome.positive, weight)
    assert of_age is not None
    assert of_sex is not None
    assert found == {"spearman": of_age[0], "cramers_v": of_sex[0]}
    assert of_age[0] != (rank_correlation(ages, outcome.positive) or (None,))[0]


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    # Sorted p values times m by rank, the smaller of this and the later ones.
    assert false_discovery([0.01, 0.04, 0.03, 0.5]) == pytest.approx(
        [0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5]
    )
    assert false_discovery([]) == []


def test_holms_p_values_rise_step_by_step() -> None:
    adjusted = [test.p_value_holm for test in holm(p_values(0.01, 0.04, 0.03, 0.5))]
    # .01 * 4, .03 * 3, .04 * 2 but not below the one before, .5.
    assert adjusted == pytest.approx([0.04, 0.09, 0.09, 0.5])


def test_holms_p_values_are_at_most_one() -> None:
    assert [test.p_value_holm for test in holm(p_values(0.6, 0.7))] == [1, 1]


def test_all_characteristics_are_screened_against_all_tasks() -> None:
    outcome = repeated((False, 20), (True, 20))
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        numbers={"AGE": list(range(40))},
        characteristics={"SEX": repeated(("F", 10), ("M", 10), ("F", 10), ("M", 10))},
        outcomes={"death": outcome, "nausea": repeated((False, 39), (True, 1))},
    )
    found = screen(subjects, Disclosure(subjects, 5)).pairs
    assert len(found) == 4
    first, last = found[0], found[-1]
    assert (first.characteristic, first.task, first.selected) == ("AGE", "death", True)
    assert first.strength.value is not None
    assert first.strength.value > 0.8
    assert (last.characteristic, last.task, last.selected) == ("SEX", "death", False)


def test_strength_and_p_values_have_no_more_digits_than_a_subject_is_worth() -> None:
    random = np.random.default_rng(3)
    subjects = trial(
        repeated(("Active", 100), ("Placebo", 100)),
        numbers={name: random.normal(size=200).tolist() for name in ("AGE", "BMI", "ALT")},
        characteristics={"SEX": random.choice(["F", "M"], 200).tolist()},
        outcomes={"death": (random.random(200) < 0.4).tolist()},
    )
    shown = screen(subjects, Disclosure(subjects, 5)).pairs
    exact = screen(subjects, Disclosure(subjects, 5, is_exact=True)).pairs

    # Of 160 subjects, the fewest that may be counted, a step is .01.
    for coarse, fine in zip(each(shown), exact, strict=True):
        assert (coarse.characteristic, coarse.selected) == (fine.characteristic, fine.selected)
        for number, same in zip(each(ends(coarse)), ends(fine), strict=True):
            assert number == round(number, 2)
            assert number == pytest.approx(same, abs=0.005)
        assert coarse.p_value == float(f"{fine.p_value:.1e}")
        assert coarse.q_value == float(f"{fine.q_value:.1e}")
    assert any(pair.p_value != float(f"{pair.p_value:.1e}") for pair in exact)


def ends(pair: Correlation) -> list[float]:
    found = (pair.strength.value, pair.strength.lower, pair.strength.upper)
    return [number for number in found if number is not None]


def test_few_missing_values_do_not_follow_from_the_number_of_subjects() -> None:
    ages = [*range(38), math.nan, math.nan]
    subjects = trial(
        repeated(("Active", 20), ("Placebo", 20)),
        numbers={"AGE": ages},
        outcomes={"death": repeated((False, 20), (True, 20))},
    )
    [pair] = screen(subjects, Disclosure(subjects, 5)).pairs
    assert pair.subjects is None
