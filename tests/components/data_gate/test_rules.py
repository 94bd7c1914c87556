import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from components.data_gate import rules
from components.data_gate.auc import auc_of_category, auc_of_number, standard_error_of_chance
from components.data_gate.rules import Columns
from pipeline.results.counts import Counts
from pipeline.results.findings import Finding, Findings, stop_message
from pipeline.skew.distance import Distance
from pipeline.study.sections import Gate, Minimum, SplitMinimum, TrainMinimum

SEVERITIES = ["stop", "warn", "ignore"]


def counts_of(known: int, positives: int) -> Counts:
    return Counts.model_validate(
        {
            "datasets": {},
            "subjects": {"train": 100, "eval": 50, "test": 50},
            "tasks": {
                "death": {
                    "train": {"known": known, "positives": positives},
                    "eval": {"known": 50, "positives": 25},
                    "test": {"known": 50, "positives": 25},
                }
            },
        }
    )


def train_minimum(severity: str = "stop") -> Gate:
    return Gate(too_few=severity, minimum=Minimum(train=TrainMinimum(subjects=50, events=10)))  # type: ignore[arg-type]


def rows(rows_in: int, rejected: int, reasons: dict[str, int] | None = None) -> Counts:
    dataset = {
        "rows_in": rows_in,
        "used": rows_in - rejected,
        "excluded": 0,
        "rejected": rejected,
        "reasons": reasons or {},
    }
    return Counts.model_validate({"datasets": {"adsl": dataset}, "subjects": {}, "tasks": {}})


def columns(
    label: NDArray[Any], known: NDArray[np.bool_] | None = None, **features: NDArray[Any]
) -> Columns:
    return Columns(
        numbers={name: x for name, x in features.items() if x.dtype.kind == "f"},
        categories={name: x for name, x in features.items() if x.dtype.kind == "i"},
        labels={"death": label},
        known={"death": np.ones(label.size, bool) if known is None else known},
    )


def a_label(seed: int = 1, size: int = 2000, rate: float = 0.3) -> NDArray[Any]:
    return np.random.default_rng(seed).random(size) < rate


def test_enough_subjects_and_events_are_no_finding() -> None:
    assert list(rules.too_few(counts_of(known=50, positives=10), ["death"], train_minimum())) == []


@pytest.mark.parametrize("severity", SEVERITIES)
def test_too_few_known_labels_are_found_with_the_studys_severity(severity: Any) -> None:
    (finding,) = rules.too_few(
        counts_of(known=49, positives=20), ["death"], train_minimum(severity)
    )

    assert finding.severity == severity
    assert (finding.task, finding.split) == ("death", "train")
    assert (finding.value, finding.limit) == (49, 50)
    assert finding.message.startswith(
        "task death: the train split has 49 subjects with a known label, at least 50 are needed."
    )
    assert "lower gate.minimum.train.subjects" in finding.message


def test_too_few_positives_are_found() -> None:
    (finding,) = rules.too_few(counts_of(known=60, positives=9), ["death"], train_minimum())

    assert "has 9 subjects with a positive label, at least 10 are needed" in finding.message


def test_of_a_validation_the_whole_trial_is_judged_by_the_minimum_of_the_test_split() -> None:
    counts = counts_of(known=10, positives=5)
    counts.tasks["death"]["test"] = counts.tasks["death"]["train"]

    (finding,) = rules.too_few(counts, ["death"], Gate(), ("test",))

    assert finding.message == (
        "task death: the trial has 10 subjects with a known label, at least 30 are needed. Add "
        "data, change the task's definition (horizon, condition), or lower "
        "gate.minimum.test.subjects."
    )


def test_too_few_negatives_are_found() -> None:
    (finding,) = rules.too_few(counts_of(known=60, positives=51), ["death"], train_minimum())

    assert "has 9 subjects with a negative label, at least 10 are needed" in finding.message


def test_a_split_that_is_not_counted_has_no_subjects() -> None:
    counts = counts_of(known=60, positives=30).model_copy(update={"tasks": {"death": {}}})

    findings = list(rules.too_few(counts, ["death"], train_minimum()))

    assert [finding.value for finding in findings] == [0] * 9
    assert {finding.split for finding in findings} == {"train", "eval", "test"}


def in_folds(sizes: list[int], positives: list[int]) -> Columns:
    """Subjects of each fold, so many of them with the outcome."""
    fold = np.repeat(np.arange(len(sizes)), sizes)
    label = np.concatenate([np.arange(n) < k for n, k in zip(sizes, positives, strict=True)])
    return Columns({}, {}, {"death": label}, {"death": np.ones(len(fold), bool)}, fold=fold)


def test_enough_subjects_outside_every_fold_are_no_finding() -> None:
    columns = in_folds([25, 25, 25], [5, 5, 5])
    assert list(rules.too_few_in_folds(columns, train_minimum(), groups=False)) == []


def test_the_training_set_without_the_largest_fold_is_judged() -> None:
    columns = in_folds([31, 20, 29], [6, 6, 6])

    (finding,) = rules.too_few_in_folds(columns, train_minimum(), groups=False)

    assert (finding.value, finding.limit, finding.split) == (49, 50, None)
    assert finding.message.startswith(
        "task death: a model that predicts a fold is trained on 49 subjects with a known label, "
        "at least 50 are needed."
    )
    assert "lower gate.minimum.train.subjects" in finding.message


def test_positives_outside_each_fold_are_judged() -> None:
    columns = in_folds([30, 30, 30], [9, 4, 4])

    (finding,) = rules.too_few_in_folds(columns, train_minimum(), groups=True)

    assert (finding.value, finding.limit) == (8, 10)
    assert "a model that predicts a group is trained on 8 subjects with a positive label" in (
        finding.message
    )


def test_all_subjects_together_are_judged_by_the_minimum_of_test() -> None:
    gate = Gate(
        minimum=Minimum(
            train=TrainMinimum(subjects=10, events=1), test=SplitMinimum(subjects=91, events=1)
        )
    )
    (finding,) = rules.too_few_in_folds(in_folds([30, 30, 30], [5, 5, 5]), gate, groups=False)

    assert finding.message.startswith("task death: all subjects together have 90 subjects with")
    assert "lower gate.minimum.test.subjects" in finding.message


def test_a_task_that_is_not_counted_has_no_subjects() -> None:
    findings = list(rules.too_few(counts_of(known=60, positives=30), ["relapse"], train_minimum()))

    assert [finding.value for finding in findings] == [0] * 9
    assert {finding.task for finding in findings} == {"relapse"}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_too_large_a_share_of_rejected_rows_is_found_with_its_reasons(severity: Any) -> None:
    counts = rows(200, 20, {"date": 5, "range": 14, "type": 1})

    (finding,) = rules.rejects(counts, Gate(rejects=severity))

    assert finding.severity == severity
    assert finding.dataset == "adsl"
    assert (finding.value, finding.limit) == (0.1, 0.05)
    assert finding.message.startswith(
        "dataset adsl: 20 of 200 rows (10.0%) were rejected (range: 14, date: 5, type: 1); at "
        "most 5.0% may be. Look them up"
    )


def test_a_share_of_rejected_rows_at_the_limit_is_reported_as_in_order() -> None:
    (finding,) = rules.rejects(rows(200, 10), Gate())

    assert finding.severity == "ok"
    assert finding.value == 0.05
    assert finding.message.endswith("at most 5.0% may be.")


def test_an_empty_dataset_has_no_share_of_rejected_rows() -> None:
    assert list(rules.rejects(rows(0, 0), Gate())) == []


@pytest.mark.parametrize("severity", SEVERITIES)
def test_drift_above_the_limit_is_found_with_the_studys_severity(severity: Any) -> None:
    distance = Distance("AGE", "Jensen-Shannon divergence", 0.25)

    (finding,) = rules.drift([distance], Gate(drift=severity))

    assert finding.severity == severity
    assert (finding.feature, finding.value, finding.limit) == ("AGE", 0.25, 0.1)
    assert finding.message.startswith(
        "feature AGE differs from the champion's train data: Jensen-Shannon divergence 0.250 "
        "(limit 0.1). Check units"
    )


def test_a_distance_within_the_limit_is_reported_as_in_order() -> None:
    (finding,) = rules.drift([Distance("SEX", "L-infinity distance", 0.1)], Gate(drift="stop"))

    assert (finding.severity, finding.value) == ("ok", 0.1)


def test_a_feature_without_a_distance_is_reported_as_not_compared() -> None:
    (finding,) = rules.drift([Distance("NEW", "L-infinity distance", None)], Gate(drift="stop"))

    assert finding.severity == "ok"
    assert "was not compared" in finding.message


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_feature_made_from_the_label_is_a_leak(severity: Any) -> None:
    label = a_label()
    leak = label + np.random.default_rng(2).normal(0, 0.2, label.size)

    (finding,) = rules.leakage(columns(label, LEAK=leak), Gate(leakage=severity))

    assert finding.severity == severity
    assert (finding.feature, finding.task) == ("LEAK", "death")
    assert finding.value > 0.99  # type: ignore[operator]
    assert finding.message.startswith(
        "feature LEAK alone predicts task death on train with an AUC of"
    )
    assert "remove it from the features" in finding.message


def test_a_leak_that_points_downwards_is_found() -> None:
    label = a_label()
    leak = np.random.default_rng(2).normal(0, 0.2, label.size) - label

    (finding,) = rules.leakage(columns(label, LEAK=leak), Gate())

    assert finding.severity == "stop"


def test_an_honest_strong_number_is_no_leak() -> None:
    label = a_label()
    honest = 1.19 * label + np.random.default_rng(2).normal(size=label.size)

    (finding,) = rules.leakage(columns(label, AGE=honest), Gate())

    assert finding.severity == "ok"
    assert finding.value == pytest.approx(0.8, abs=0.03)
    assert "strongest single predictor of task death" in finding.message


def test_a_number_that_is_missing_only_for_negatives_is_a_leak() -> None:
    label = a_label()
    values = np.where(label, np.random.default_rng(2).normal(size=label.size), np.nan)

    (finding,) = rules.leakage(columns(label, DAYS_TO_DEATH=values), Gate())

    assert (finding.severity, finding.value) == ("stop", 1.0)


def test_a_category_that_names_the_outcome_is_a_leak() -> None:
    label = a_label()
    reason = np.where(label, 0, 1 + np.random.default_rng(2).integers(3, size=label.size))

    (finding,) = rules.leakage(columns(label, DCSREAS=reason), Gate())

    assert finding.severity == "stop"


@pytest.mark.parametrize("levels", [50, 500, 2000])
def test_a_random_category_of_many_levels_is_no_leak(levels: Any) -> None:
    label = a_label()
    site = np.random.default_rng(2).integers(levels, size=label.size)

    (finding,) = rules.leakage(columns(label, SITE=site), Gate())

    assert finding.severity == "ok"
    assert finding.value < 0.56  # type: ignore[operator]


def test_a_category_with_one_level_for_each_subject_is_not_informative() -> None:
    label = a_label()

    assert auc_of_category(np.arange(label.size), label) == 0.5


def test_matched_pairs_are_no_leak() -> None:
    label = np.tile([True, False], 500)
    pair = np.repeat(np.arange(500), 2)

    assert auc_of_category(pair, label) == 0.5


def test_subjects_with_an_unknown_label_are_left_out() -> None:
    label = a_label()
    known = np.random.default_rng(3).random(label.size) < 0.5
    noise = np.random.default_rng(2).normal(size=label.size)
    leak_where_unknown = np.where(known, noise, 10.0 * label)

    (finding,) = rules.leakage(columns(label, known, AGE=leak_where_unknown), Gate())

    assert finding.value < 0.55  # type: ignore[operator]


def test_a_high_auc_that_few_events_reach_by_chance_is_only_a_warning() -> None:
    label = np.arange(100) < 3
    lucky = label + 0.001 * np.arange(100)

    (finding,) = rules.leakage(columns(label, AGE=lucky), Gate(leakage="stop"))

    assert finding.severity == "warn"
    assert "With 3 positive and 97 negative labels this may be chance" in finding.message


def test_a_task_with_one_outcome_alone_is_not_judged_for_leakage() -> None:
    label = np.zeros(10, bool)

    assert list(rules.leakage(columns(label, AGE=np.arange(10.0)), Gate())) == []


@settings(max_examples=60)
@given(
    values=st.lists(st.integers(0, 5), min_size=4, max_size=40),
    seed=st.integers(0, 1000),
)
def test_auc_of_a_number_equals_scikit_learns_above_one_half(values: Any, seed: Any) -> None:
    numbers = np.array(values, float)
    label = np.random.default_rng(seed).random(numbers.size) < 0.5
    label[:2] = [True, False]

    expected = roc_auc_score(label, numbers)

    assert auc_of_number(numbers, label) == pytest.approx(max(expected, 1 - expected))


@settings(max_examples=60)
@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=4, max_size=40),
    seed=st.integers(0, 1000),
)
def test_missing_numbers_rank_as_one_level_at_the_better_end(values: Any, seed: Any) -> None:
    numbers = np.array(values, float)
    label = np.random.default_rng(seed).random(numbers.size) < 0.5
    label[:2] = [True, False]

    ends = [roc_auc_score(label, np.nan_to_num(numbers, nan=end)) for end in (-1.0, 9.0)]

    expected = max(max(auc, 1 - auc) for auc in ends)
    assert auc_of_number(numbers, label) == pytest.approx(expected)


def test_the_standard_error_of_chance_is_that_of_permuted_labels() -> None:
    random = np.random.default_rng(4)
    label = np.arange(40) < 10
    permuted = random.permuted(np.tile(label, (4000, 1)), axis=1)
    aucs = ((permuted * np.arange(1, 41)).sum(axis=1) - 10 * 11 / 2) / (10 * 30)

    assert standard_error_of_chance(10, 30) == pytest.approx(aucs.std(), rel=0.05)


def test_the_message_of_a_stop_holds_every_stop_finding_and_no_other() -> None:
    findings = [
        Finding(
            rule="leakage",
            severity="stop",
            message="feature LEAK gives task death away. Remove it.",
        ),
        Finding(rule="drift", severity="warn", message="feature AGE drifted."),
        Finding(
            rule="too_few", severity="stop", message="task death has too few events. Add data."
        ),
        Finding(rule="drift", severity="ok", message="feature SEX did not drift."),
    ]

    message = stop_message("ACTG175", findings)

    assert message.splitlines() == [  # type: ignore[union-attr]
        "The data gate stopped the run of ACTG175 before training (2 findings):",
        "- leakage: feature LEAK gives task death away. Remove it.",
        "- too_few: task death has too few events. Add data.",
        "Fix these problems and rerun. A finding that you accept after review can be made a "
        "warning in the study file (gate.leakage, gate.too_few: warn).",
    ]


def test_a_validation_is_stopped_before_its_evaluation() -> None:
    found = [Finding(rule="too_few", severity="stop", message="task death has too few events.")]

    assert "before the evaluation (1 finding):" in (
        stop_message("IST", found, "the evaluation") or ""
    )


def test_warnings_and_ignored_findings_stop_nothing() -> None:
    findings = [
        Finding(rule="drift", severity="warn", message="a"),
        Finding(rule="rejects", severity="ignore", message="b"),
    ]

    assert stop_message("ACTG175", findings) is None


def test_findings_are_written_with_all_their_attributes() -> None:
    text = Findings(
        (Finding(rule="drift", severity="ok", message="a", feature="AGE", value=0.1, limit=0.2),)
    ).model_dump_json(indent=2)

    assert '"feature": "AGE"' in text
    assert '"task": null' in text


def test_a_subject_of_weight_3_counts_for_a_features_auc_as_three_subjects() -> None:
    values = np.array([1.0, 2, 2, 3, np.nan, 5, 6, np.nan, 7, 8])
    outcome = np.array([0, 1, 0, 1, 0, 0, 1, 1, 1, 0], bool)
    times = np.array([1, 3, 1, 1, 2, 1, 1, 3, 1, 4])

    found = auc_of_number(values, outcome, times.astype(float))

    assert found == pytest.approx(auc_of_number(values.repeat(times), outcome.repeat(times)))
    assert found != auc_of_number(values, outcome)


def test_the_leakage_rule_weighs_the_subjects() -> None:
    """A level that all 20 with the outcome and 20 of 40 others have; those weigh a tenth."""
    label = np.repeat([True, False], [20, 40])
    level = np.repeat([1, 0], [40, 20])
    weight = np.where(label | (level == 0), 1.0, 0.1)
    plain = columns(label, LEVEL=level)
    weighted = dataclasses.replace(plain, weights={"death": weight})

    (unweighted,) = rules.leakage(plain, Gate(leakage_auc=0.9))
    (found,) = rules.leakage(weighted, Gate(leakage_auc=0.9))

    assert unweighted.severity == "ok"
    assert found.value == pytest.approx((20 + 2 / 2) / 22, abs=0.02)
    assert found.severity == "stop"
