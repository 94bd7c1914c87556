"""The summary over the groups of `internal_external`."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from components.evaluator.between_groups import pool, summarize_groups
from components.evaluator.records import Record
from pipeline.results.evaluation_plan import EvaluationPlan
from tests.components.run_page.hand_made_run import BY_SITE, CROSS_FIT

T_19 = float(stats.t.ppf(0.975, 19))


def record(
    site: str, value: float, error: float = 0.05, metric: str = "brier", **of: str
) -> Record:
    """A metric of a site, with the interval of a standard error."""
    group = tuple({"site": site, **of}.items())
    ends = value - T_19 * error, value + T_19 * error
    return Record("death", group, metric, None, "challenger", value, *ends, 60, 20)


def on_logit(site: str, value: float, error: float) -> Record:
    """An AUC of a site, with the interval of a standard error on the scale of the logit."""
    middle = math.log(value / (1 - value))
    lower, upper = (1 / (1 + math.exp(-middle + side * T_19 * error)) for side in (1, -1))
    return Record(
        "death", (("site", site),), "auc", None, "challenger", value, lower, upper, 60, 20
    )


def paule_and_mandel(effects: list[float], errors: list[float]) -> tuple[float, float]:
    """Mean and between-group variance of Paule & Mandel, by bisection of their equation."""
    y, v = np.array(effects), np.array(errors) ** 2
    low, high = 0.0, 100.0
    for _ in range(200):
        between = (low + high) / 2
        w = 1 / (v + between)
        excess = (w * (y - (w @ y) / w.sum()) ** 2).sum() - (len(y) - 1)
        low, high = (between, high) if excess > 0 else (low, between)
    w = 1 / (v + low)
    return float((w @ y) / w.sum()), low


def test_the_mean_solves_the_equation_of_paule_and_mandel() -> None:
    effects, errors = [0.5, 0.8, 1.2, 0.9], [0.1, 0.12, 0.09, 0.15]
    mean, between = paule_and_mandel(effects, errors)

    found = pool(effects, errors)

    assert found.mean == pytest.approx(mean, abs=1e-5)
    error = math.sqrt(1 / sum(1 / (e**2 + between) for e in errors))
    assert found.upper - found.mean == pytest.approx(stats.t.ppf(0.975, 3) * error, rel=1e-4)
    new = stats.t.ppf(0.975, 2) * math.sqrt(between + error**2)
    assert found.new_upper - found.mean == pytest.approx(new, rel=1e-4)


def test_equal_groups_keep_the_interval_of_the_fixed_weights() -> None:
    found = pool([0.5, 0.5, 0.5], [0.1, 0.1, 0.1])
    error = 0.1 / math.sqrt(3)
    assert found.upper - found.mean == pytest.approx(stats.t.ppf(0.975, 2) * error)


def test_two_groups_have_a_mean_and_no_prediction_interval() -> None:
    found = pool([0.4, 0.5], [0.1, 0.1])
    assert found.mean == pytest.approx(0.45)
    assert math.isnan(found.new_lower)


def test_areas_are_pooled_on_the_scale_of_the_logit() -> None:
    records = [on_logit("A", 0.7, 0.2), on_logit("B", 0.8, 0.2), on_logit("C", 0.75, 0.2)]
    expected = pool([math.log(p / (1 - p)) for p in (0.7, 0.8, 0.75)], [0.2] * 3)

    (found,) = summarize_groups(records, {}, BY_SITE)

    assert (found.metric, found.groups, found.left_out) == ("auc", 3, 1)
    assert (found.lowest, found.highest) == (0.7, 0.8)
    assert found.mean == pytest.approx(1 / (1 + math.exp(-expected.mean)))
    assert found.new_upper == pytest.approx(1 / (1 + math.exp(-expected.new_upper)))
    assert 0 < float(found.new_lower or 0) < 0.7


def test_no_bound_of_a_score_between_0_and_1_lies_outside() -> None:
    records = [record(site, value) for site, value in zip("ABC", (0.05, 0.5, 0.3), strict=True)]
    expected = pool([0.05, 0.5, 0.3], [0.05] * 3)
    assert expected.new_lower < 0 < 1 < expected.new_upper

    (brier,) = summarize_groups(records, {}, BY_SITE)
    slopes = [
        record(site, value, metric="calibration_slope")
        for site, value in zip("ABC", (0.05, 0.5, 0.3), strict=True)
    ]
    (slope,) = summarize_groups(slopes, {}, BY_SITE)

    assert (brier.new_lower, brier.new_upper) == (0.0, 1.0)
    assert slope.new_lower == pytest.approx(expected.new_lower)
    assert slope.new_upper == pytest.approx(expected.new_upper)


def test_a_suppressed_group_is_not_in_the_summary() -> None:
    records = [
        record(site, value) for site, value in zip("ABCD", (0.1, 0.2, 0.3, 0.9), strict=True)
    ]
    hidden = {"death": {(("site", "D"),): "too_small"}}

    (found,) = summarize_groups(records, hidden, BY_SITE)  # type: ignore[arg-type]

    assert (found.groups, found.left_out, found.highest) == (3, 1, 0.3)


def test_a_group_without_an_interval_is_not_in_the_summary() -> None:
    undefined = math.nan
    group = (("site", "D"),)
    without = Record("death", group, "brier", None, "challenger", 0.9, undefined, undefined, 9, 3)

    (found,) = summarize_groups([record("A", 0.1), record("B", 0.2), without], {}, BY_SITE)

    assert (found.groups, found.left_out) == (2, 2)
    assert found.new_lower is None


def test_groups_of_other_slicings_are_not_summarized() -> None:
    pair = record("A", 0.9, sex="F")
    (found,) = summarize_groups([record("A", 0.1), record("B", 0.2), pair], {}, BY_SITE)
    assert found.highest == 0.2


@pytest.mark.parametrize("plan", [CROSS_FIT, BY_SITE.model_copy(update={"by": ""})])
def test_other_schemes_have_no_summary(plan: EvaluationPlan) -> None:
    assert summarize_groups([record("A", 0.1), record("B", 0.2)], {}, plan) == ()
