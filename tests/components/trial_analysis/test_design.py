"""Covariates that say nothing of their own: aliased with the arm or with others, or separating."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trial_analysis.adjusted import adjusted_effect, standardised
from pipeline.estimates import Estimate
from pipeline.results.analysis import AdjustedEffect
from tests.components.trial_analysis.hand_made_subjects import trial

SUBJECTS = 600
RNG = np.random.default_rng(1)
TREATED = RNG.random(SUBJECTS) < 0.5
AGE = RNG.normal(60, 10, SUBJECTS).astype(np.float32).astype(float)
LAB = RNG.normal(size=SUBJECTS).astype(np.float32).astype(float)
SEX = RNG.random(SUBJECTS) < 0.4
POSITIVE = RNG.random(SUBJECTS) < 1 / (1 + np.exp(-(-0.4 + 0.9 * TREATED + (AGE - 60) / 20)))


def effect(
    *,
    outcome: Any = POSITIVE,
    numbers: dict[str, Any] | None = None,
    categories: dict[str, Any] | None = None,
) -> AdjustedEffect:
    """Of the treatment, adjusted for AGE, LAB and SEX, and then for what is added."""
    added = (numbers or {}) | (categories or {})
    subjects = trial(
        ["Active" if treated else "Placebo" for treated in TREATED],
        numbers={k: list(v) for k, v in {"AGE": AGE, "LAB": LAB, **(numbers or {})}.items()},
        characteristics={"SEX": ["F" if sex else "M" for sex in SEX], **(categories or {})},
        outcomes={"death": [bool(value) for value in outcome]},
    )
    names = ["AGE", "LAB", "SEX", *added]
    return adjusted_effect(subjects, "death", subjects.factors[0], "Active", names)


def same(found: Estimate, expected: Estimate) -> bool:
    return asdict(found) == pytest.approx(asdict(expected), abs=1e-9)


def dropped(found: AdjustedEffect) -> dict[str, str]:
    return {covariate.name: covariate.reason for covariate in found.dropped}


WEIGHTS = st.floats(-5, 5).map(lambda value: round(value, 2))


@settings(max_examples=60)
@given(
    arm=WEIGHTS, age=WEIGHTS, lab=WEIGHTS, sex=WEIGHTS, start=st.sampled_from([0, 1, -40.0, 2000.0])
)
def test_combination_of_arm_and_covariates_is_named_and_changes_nothing(
    arm: float, age: float, lab: float, sex: float, start: float
) -> None:
    combined = start + arm * TREATED + age * AGE + lab * LAB + sex * SEX

    found = effect(numbers={"COPY": combined})

    assert list(dropped(found)) == ["COPY"]
    assert found.covariates == ("AGE", "LAB", "SEX")
    assert same(found.risk_difference, effect().risk_difference)
    assert same(found.risk_ratio, effect().risk_ratio)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.where(TREATED, 1.0, 0.0), "repeats the group"),
        (np.where(TREATED, LAB, np.nan), "repeats the group"),
        (AGE / 2 - 3, "repeats others"),
        (np.full(SUBJECTS, 7.0), "constant"),
        (np.full(SUBJECTS, np.nan), "constant"),
    ],
    ids=[
        "repeats the arm",
        "missing in the control",
        "half of the age",
        "constant",
        "of no subject",
    ],
)
def test_number_without_a_say_of_its_own_is_left_out_with_the_reason(
    values: Any, reason: str
) -> None:
    found = effect(numbers={"ODD": values})

    assert dropped(found) == {"ODD": reason}
    assert found.risk_difference == effect().risk_difference


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["A" if treated else "B" for treated in TREATED], "repeats the group"),
        (["M" if not sex else "F" for sex in SEX], "repeats others"),
        (["one"] * SUBJECTS, "constant"),
        ([None if treated else "known" for treated in TREATED], "repeats the group"),
    ],
    ids=["repeats the arm", "repeats the sex", "one value", "missing in the treated"],
)
def test_category_without_a_say_of_its_own_is_left_out_with_the_reason(
    values: Any, reason: str
) -> None:
    found = effect(categories={"ODD": values})

    assert dropped(found) == {"ODD": reason}
    assert found.risk_difference == effect().risk_difference


def test_covariates_that_are_missing_together_both_stay() -> None:
    missing = np.arange(SUBJECTS) % 5 == 0
    values = [np.where(missing, np.nan, RNG.normal(size=SUBJECTS)) for _ in range(2)]

    found = effect(numbers={"ALT": values[0], "AST": values[1]})

    assert found.covariates == ("AGE", "LAB", "SEX", "ALT", "AST")
    assert not found.dropped


def test_covariate_that_separates_the_outcome_is_named() -> None:
    found = effect(numbers={"LEAK": np.where(POSITIVE, 2.0, 1.0)})

    assert found.risk_difference == Estimate()
    assert "LEAK separates subjects with and without the event" in str(found.absent)


def test_covariates_that_separate_the_outcome_together_are_named() -> None:
    part = RNG.normal(size=SUBJECTS)
    rest = np.where(POSITIVE, 1.0, -1.0) - part

    found = effect(numbers={"PART": part, "REST": rest})

    assert "PART, REST separate subjects with and without the event" in str(found.absent)


@pytest.mark.parametrize("group", [TREATED, ~TREATED], ids=["treated", "control"])
@pytest.mark.parametrize("happens", [False, True], ids=["no subject", "every subject"])
def test_group_with_one_outcome_has_no_adjusted_difference(group: Any, happens: bool) -> None:
    found = effect(outcome=np.where(group, happens, POSITIVE))

    assert found.risk_difference == found.risk_ratio == Estimate()
    assert "no subject, or every subject, had the event" in str(found.absent)


def test_columns_that_repeat_the_treatment_are_ignored_by_the_model_itself() -> None:
    plain = standardised(POSITIVE.astype(float), TREATED, AGE[:, None])
    aliased = np.column_stack([AGE, TREATED.astype(float), ~TREATED])

    assert standardised(POSITIVE.astype(float), TREATED, aliased) == plain
