"""Intervals: equal to those of statsmodels and scipy to the last digit, and by hand."""

from __future__ import annotations

import math
import subprocess
import sys
from statistics import NormalDist
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from pipeline import estimates
from pipeline.estimates import (
    Estimate,
    detectable_difference,
    difference_of_shares,
    exact_interval_at_edge,
    independent_ratio,
    log_normal_interval,
    normal_interval,
    ratio_of_shares,
    share_of,
    student_interval,
    wilson_interval,
    wilson_interval_of_bin,
)
from tests.each import each

SUBJECTS = st.integers(1, 60) | st.integers(61, 50_000)
SHARES = SUBJECTS.flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def two_sided(method: str, compare: str, *counts: int) -> tuple[float, float]:
    lower, upper = confint_proportions_2indep(*counts, method=method, compare=compare)
    return float(lower), float(upper)


@given(SHARES)
def test_wilsons_interval_has_the_digits_of_statsmodels(share: tuple[int, int]) -> None:
    expected = proportion_confint(*share, method="wilson")

    assert wilson_interval(*share) == tuple(map(float, expected))
    assert wilson_interval_of_bin(*share) == pytest.approx(expected, abs=1e-15)


@given(SHARES, SHARES)
def test_newcombes_interval_has_the_digits_of_statsmodels(
    share: tuple[int, int], other: tuple[int, int]
) -> None:
    found = difference_of_shares(*share, *other)

    assert (found.lower, found.upper) == two_sided("newcomb", "diff", *share, *other)


@given(SHARES.filter(lambda share: share[0] > 0), SHARES.filter(lambda share: share[0] > 0))
def test_katzs_interval_has_the_digits_of_statsmodels(
    share: tuple[int, int], other: tuple[int, int]
) -> None:
    found = ratio_of_shares(*share, *other)

    assert (found.lower, found.upper) == two_sided("log", "ratio", *share, *other)


def test_a_share_of_no_subjects_has_no_estimate() -> None:
    assert share_of(0, 0) == Estimate()
    assert difference_of_shares(0, 0, 1, 2) == Estimate()
    assert difference_of_shares(1, 2, 0, 0) == Estimate()
    assert ratio_of_shares(0, 0, 1, 2) == Estimate()


def test_a_share_has_its_interval() -> None:
    assert share_of(10, 40) == Estimate(0.25, *wilson_interval(10, 40))


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    normal = NormalDist()

    assert float(stats.norm.ppf(0.975)) == estimates.NORMAL_95
    assert float(stats.norm.isf(0.025)) == estimates._SCORE_95
    assert normal.inv_cdf(0.8) == pytest.approx(estimates._POWER_80, abs=1e-15)


def test_an_interval_of_the_normal_distribution_is_symmetric() -> None:
    assert normal_interval(1.0, 0.5) == Estimate(
        1.0,
        pytest.approx(1 - 0.98, abs=1e-4),  # type: ignore[arg-type]
        pytest.approx(1 + 0.98, abs=1e-4),  # type: ignore[arg-type]
    )


def test_an_interval_of_a_logarithm_is_that_of_the_ratio() -> None:
    found = log_normal_interval(math.log(2.0), 0.1)

    assert found.value == pytest.approx(2.0)
    assert (found.lower, found.upper) == (
        pytest.approx(2.0 * math.exp(-0.196), rel=1e-4),
        pytest.approx(2.0 * math.exp(0.196), rel=1e-4),
    )


def test_students_interval_is_wider_with_few_degrees_of_freedom() -> None:
    # The 0.975 quantile with 4 degrees of freedom is 2.776, with very many 1.960.
    assert student_interval(10.0, 1.0, 4) == pytest.approx((10 - 2.776, 10 + 2.776), abs=1e-3)
    assert student_interval(10.0, 1.0, 10**6) == pytest.approx((8.04, 11.96), abs=1e-3)


@pytest.mark.parametrize("trials", [1, 5, 200])
def test_the_interval_at_an_edge_is_clopper_and_pearsons(trials: int) -> None:
    # The other end is that of "beta": the tail of 2.5 % is all on one side.
    lower, _ = proportion_confint(trials, trials, method="beta")
    _, upper = proportion_confint(0, trials, method="beta")

    assert exact_interval_at_edge(1.0, trials) == (pytest.approx(lower), 1.0)
    assert exact_interval_at_edge(0.0, trials) == (0.0, pytest.approx(upper))


def test_a_share_of_no_trials_has_no_interval_at_its_edge() -> None:
    assert all(each(map(math.isnan, exact_interval_at_edge(1.0, math.nan))))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({}, '{"value":null,"lower":null,"upper":null}'),
        (
            {"value": 0.25, "lower": 0.1, "upper": 0.5},
            '{"value":0.25,"lower":0.1,"upper":0.5}',
        ),
    ],
)
def test_an_estimate_is_part_of_a_document(content: dict[str, Any], text: str) -> None:
    adapter = TypeAdapter(Estimate)

    assert (
        adapter.dump_json(adapter.validate_python({**content, "added_later": 1})) == text.encode()
    )


def test_the_module_is_imported_without_a_statistics_library() -> None:
    code = (
        "import sys, pipeline.estimates;"
        "assert not {'numpy', 'scipy', 'statsmodels'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_ends_of_a_ratio_solve_the_equation_that_defines_them() -> None:
    """MOVER-R: (a - Ra')^2 = (a - end)^2 + R^2 (a' - other end)^2 at both ends R."""
    first, second = (0.3, 0.2, 0.45), (0.6, 0.5, 0.75)

    found = independent_ratio(Estimate(*first), Estimate(*second))

    assert found.value == pytest.approx(0.5)
    for end, own, other in ((found.lower, 0.2, 0.75), (found.upper, 0.45, 0.5)):
        assert end is not None
        assert (0.3 - end * 0.6) ** 2 == pytest.approx(
            (0.3 - own) ** 2 + end**2 * (0.6 - other) ** 2
        )
    assert found.lower < found.value < found.upper  # type: ignore[operator]


def test_a_known_divisor_leaves_the_interval_of_the_dividend() -> None:
    found = independent_ratio(Estimate(0.3, 0.2, 0.45), Estimate(0.5, 0.5, 0.5))

    assert (found.lower, found.upper) == (pytest.approx(0.4), pytest.approx(0.9))


def test_a_share_of_nought_has_a_ratio_with_an_upper_end() -> None:
    found = independent_ratio(Estimate(0.0, 0.0, 0.1), Estimate(0.5, 0.4, 0.6))

    assert (found.value, found.lower) == (0, 0)
    assert found.upper == pytest.approx(0.1 / math.sqrt(0.4 * 0.6))


def test_a_divisor_that_may_be_nought_leaves_the_upper_end_open() -> None:
    assert independent_ratio(Estimate(0.3, 0.2, 0.45), Estimate(0.1, 0.0, 0.3)).upper == math.inf


def test_nothing_is_divided_by_nought() -> None:
    assert independent_ratio(Estimate(0.3, 0.2, 0.45), Estimate(0.0, 0.0, 0.1)).value is None


def test_a_ratio_without_both_intervals_has_none() -> None:
    found = independent_ratio(Estimate(0.3, 0.2, 0.45), Estimate(0.6))

    assert (found.value, found.lower, found.upper) == (pytest.approx(0.5), None, None)


def test_what_would_be_seen_comes_from_the_widths_of_both_intervals() -> None:
    # Widths 0.3 and 0.4: half a width is 1.96 standard errors, the difference's width 0.5.
    found = detectable_difference(Estimate(0.5, 0.35, 0.65), Estimate(0.5, 0.3, 0.7))

    assert found == pytest.approx(0.5 / 3.92 * 2.8, rel=1e-3)


def test_the_difference_that_would_be_seen_has_a_power_of_four_in_five() -> None:
    normal = NormalDist()
    error = 0.5 / (2 * normal.inv_cdf(0.975))
    found = detectable_difference(Estimate(0.5, 0.35, 0.65), Estimate(0.5, 0.3, 0.7))

    assert found is not None
    assert 1 - normal.cdf(normal.inv_cdf(0.975) - found / error) == pytest.approx(0.8)


def test_without_an_interval_nothing_is_known_of_what_would_be_seen() -> None:
    lacking = Estimate(0.6)

    assert detectable_difference(Estimate(0.5, 0.35, 0.65), lacking) is None
