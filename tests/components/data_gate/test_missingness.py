"""Missing values that depend on the outcome or the arm are found; those at random are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.data_gate.missingness import NOMINAL_RATE, missingness
from components.data_gate.rules import Columns
from pipeline.results.findings import Finding
from pipeline.study.sections import Gate

SMALLEST = 20


def groups(*cells: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Group of each subject and whether a feature is missing, from (missing, subjects) by group."""
    group = np.concatenate([np.full(size, place) for place, (_, size) in enumerate(cells)])
    missing = np.concatenate([np.arange(size) < lost for lost, size in cells])
    return group, missing


def by_outcome(positives: tuple[int, int], negatives: tuple[int, int], others: int = 0) -> Columns:
    """A feature `lab` by its missing values; `others` are complete features."""
    group, missing = groups(positives, negatives)
    features = {"lab": missing} | {f"x{i}": np.arange(group.size) % 7 < 3 for i in range(others)}
    return Columns(
        numbers={},
        categories={},
        labels={"death": group == 0},
        known={"death": np.ones(group.size, bool)},
        missing=features,
    )


def by_arm(*cells: tuple[int, int]) -> Columns:
    group, missing = groups(*cells)
    arms = {f"arm{place}": group == place for place in range(len(cells))}
    return Columns({}, {}, {}, {}, missing={"lab": missing}, arms=arms)


def found(columns: Columns, **gate: Any) -> list[Finding]:
    findings = missingness(columns, Gate(**gate), SMALLEST)
    return [finding for finding in findings if finding.severity != "ok"]


def test_a_feature_measured_in_85_of_103_cases_and_305_of_711_others_is_found() -> None:
    (finding,) = found(by_outcome(positives=(18, 103), negatives=(406, 711)))

    assert (finding.rule, finding.severity) == ("missingness", "warn")
    assert (finding.feature, finding.task, finding.split) == ("lab", "death", "train")
    assert "missing less often for subjects with a positive label of task death" in finding.message


@pytest.mark.parametrize("others", [10, 100, 1000])
def test_it_is_found_among_many_features(others: int) -> None:
    (finding,) = found(by_outcome((18, 103), (406, 711), others), missingness_limit=0.3)

    assert finding.feature == "lab"


def test_it_is_found_in_the_train_split_alone() -> None:
    (finding,) = found(by_outcome(positives=(11, 62), negatives=(244, 427), others=30))[:1]

    assert finding.feature == "lab"


def test_shares_are_shown_where_no_group_is_small() -> None:
    (finding,) = found(by_outcome(positives=(100, 200), negatives=(100, 400)))

    assert "train: for 50% and 25% (limit 10% apart)" in finding.message
    assert (finding.value, finding.limit) == (0.25, 0.1)


@pytest.mark.parametrize("few", [1, SMALLEST - 1])
def test_shares_of_few_subjects_are_suppressed(few: int) -> None:
    (finding,) = found(by_outcome(positives=(few, 200), negatives=(400, 400)))

    assert "suppressed: some groups have fewer than 20 subjects" in finding.message
    assert finding.value is None
    assert "0%" not in finding.message


@pytest.mark.parametrize("severity", ["stop", "warn", "ignore"])
def test_the_studys_severity_is_kept(severity: Any) -> None:
    (finding,) = found(by_outcome((18, 103), (406, 711)), missingness=severity)

    assert finding.severity == severity


def test_a_difference_below_the_limit_is_none_however_certain() -> None:
    assert found(by_outcome(positives=(5_000, 10_000), negatives=(4_100, 10_000))) == []
    assert found(
        by_outcome(positives=(5_000, 10_000), negatives=(4_100, 10_000)), missingness_limit=0.08
    )


def test_a_large_difference_of_few_subjects_is_none() -> None:
    assert found(by_outcome(positives=(4, 8), negatives=(30, 100))) == []


@pytest.mark.parametrize("lost", [0.0, 1.0])
def test_a_feature_that_all_subjects_have_or_lack_does_not_differ(lost: float) -> None:
    assert found(by_outcome((int(lost * 100), 100), (int(lost * 300), 300))) == []


def test_a_task_without_negatives_is_not_compared() -> None:
    assert found(by_outcome(positives=(20, 100), negatives=(0, 0))) == []


@pytest.mark.parametrize(
    "cells",
    [
        {"positives": (80, 180), "negatives": (0, 300)},
        {"positives": (0, 100), "negatives": (200, 300)},
    ],
)
def test_subjects_whose_label_is_unknown_are_in_neither_group(cells: Any) -> None:
    columns = by_outcome(**cells)
    known = {"death": ~columns.missing["lab"]}

    changed = Columns({}, {}, columns.labels, known, columns.missing)

    assert found(changed) == []


def test_a_difference_between_two_arms_is_found_once() -> None:
    (finding,) = found(by_arm((60, 200), (120, 200)))

    assert (finding.feature, finding.task) == ("lab", None)
    assert "missing less often for arm arm0 than for the other subjects" in finding.message


def test_of_three_arms_each_is_compared_with_the_others() -> None:
    findings = found(by_arm((20, 200), (20, 200), (120, 200)))

    assert len(findings) == 3
    assert any("more often for arm arm2" in finding.message for finding in findings)


def test_the_name_of_a_small_arm_is_not_shown() -> None:
    findings = missingness(by_arm((19, 19), (40, 200)), Gate(), SMALLEST)

    assert not list(findings)


def test_what_is_compared_without_a_finding_is_reported() -> None:
    (finding,) = missingness(by_outcome((50, 100), (150, 300)), Gate(), SMALLEST)

    assert finding.severity == "ok"
    assert finding.message.startswith("no feature is missing more often for subjects with a pos")


def random_trial(random: np.random.Generator) -> Columns:
    """200 subjects in two arms with 12 features, two tasks, all missing at random."""
    size = 200
    shares = random.choice([0.02, 0.1, 0.3, 0.5], 12)
    missing = random.random((12, size)) < shares[:, None]
    outcomes = random.random((2, size)) < np.array([[0.1], [0.4]])
    arm = random.random(size) < 0.5
    return Columns(
        numbers={},
        categories={},
        labels={f"task{i}": outcome for i, outcome in enumerate(outcomes)},
        known={f"task{i}": random.random(size) < 0.95 for i in range(2)},
        missing={f"x{i}": column for i, column in enumerate(missing)},
        arms={"A": arm, "B": ~arm},
    )


@pytest.mark.parametrize("limit", [0.0, 0.1])
def test_missing_at_random_raises_it_in_at_most_5_percent_of_500_trials(limit: float) -> None:
    random = np.random.default_rng(14)

    raised = [bool(found(random_trial(random), missingness_limit=limit)) for _ in range(500)]

    assert np.mean(raised) <= 0.05
    # The rule promises less.
    assert np.mean(raised) <= 2 * NOMINAL_RATE
