"""The rules of the gate before scoring, on statistics made by TFDV."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv

from components.skew_gate.rules import skew_findings
from components.skew_gate.settings import SkewGateSettings
from pipeline.results.findings import Finding
from pipeline.skew.coarse_statistics import coarse_statistics
from pipeline.study.sections import Scoring
from tests.described_subjects import columns_of, described
from tests.each import each

SETTINGS = SkewGateSettings(
    study_name="first",
    numbers=("AGE",),
    categories=("SEX",),
    scoring=Scoring(),
    smallest_group=20,
)


def subjects(n: int, **columns: Any) -> pd.DataFrame:
    """Ages of 40 to 70 and both sexes alike, but for some columns."""
    usual = {"AGE": np.linspace(40, 70, n), "SEX": np.resize(["F", "M"], n)}
    return pd.DataFrame({**usual, **columns})


TRAINING = subjects(400)


def found(now: pd.DataFrame, training: pd.DataFrame = TRAINING, **scoring: Any) -> list[Finding]:
    settings = SETTINGS.model_copy(update={"scoring": Scoring(**scoring)})
    current = tfdv.generate_statistics_from_dataframe(now, n_jobs=1)
    before = coarse_statistics(described(training), columns_of(training), settings.smallest_group)
    return list(skew_findings(current, columns_of(now), before, settings))


def rules_of(findings: list[Finding]) -> set[str]:
    return {item.rule for item in each(findings)}


def severities(findings: list[Finding]) -> set[tuple[str, str | None, str]]:
    return {(item.rule, item.feature, item.severity) for item in each(findings)}


def test_subjects_like_those_of_the_training_have_no_finding_beyond_a_limit() -> None:
    assert {item.severity for item in each(found(subjects(200)))} == {"ok"}


def test_numbers_in_another_unit_stop_the_scoring() -> None:
    months = subjects(200, AGE=np.linspace(480, 840, 200))

    assert ("mostly_new", "AGE", "stop") in severities(found(months))


def test_half_of_the_values_may_be_unknown_and_more_stop_the_scoring() -> None:
    half = subjects(200, SEX=["F"] * 100 + ["female"] * 100)
    more = subjects(200, SEX=["F"] * 99 + ["female"] * 101)

    assert "mostly_new" not in rules_of(found(half))
    assert ("mostly_new", "SEX", "stop") in severities(found(more))


def test_a_feature_without_any_value_stops_the_scoring() -> None:
    empty = subjects(200, AGE=np.full(200, np.nan))

    (finding,) = [item for item in found(empty) if item.rule == "mostly_new"]
    assert "feature AGE: it has no value at all" in finding.message


def test_a_feature_that_most_training_subjects_lacked_may_be_empty() -> None:
    rare = subjects(400, AGE=[50.0] * 100 + [np.nan] * 300)

    assert "mostly_new" not in rules_of(found(subjects(200, AGE=np.full(200, np.nan)), rare))


def test_a_shifted_feature_is_a_warning_by_default() -> None:
    older = subjects(200, AGE=np.linspace(62, 70, 200))

    assert ("shifted", "AGE", "warn") in severities(found(older))
    assert ("shifted", "AGE", "stop") in severities(found(older, shifted="stop"))
    assert ("shifted", "AGE", "ok") in severities(found(older, shift_limit=1.0))


def test_no_rule_applies_to_fewer_subjects_than_the_smallest_group() -> None:
    assert found(subjects(19, AGE=np.full(19, 800.0))) == []
    assert found(subjects(20, AGE=np.full(20, 800.0)))


@pytest.mark.parametrize(("missing", "shown"), [(0, True), (19, False), (20, True), (181, False)])
def test_no_small_number_of_missing_values_follows_from_a_finding(
    missing: int, shown: bool
) -> None:
    ages = np.linspace(40, 70, 200)
    ages[:missing] = np.nan
    share = [
        item
        for item in found(subjects(200, AGE=ages))
        if item.feature == "AGE" and "missing" in item.message
    ]
    assert bool(share) == shown


def test_no_message_has_a_value_of_a_subject() -> None:
    odd = subjects(200, SEX=["hermaphrodite"] * 200, AGE=np.full(200, 777.0))

    for item in each(found(odd)):
        assert "hermaphrodite" not in item.message
        assert "777" not in item.message
