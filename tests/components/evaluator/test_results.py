import math
from typing import Any

import pytest
from scipy import stats
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.named_groups import OTHER
from components.evaluator.results import read_records
from components.evaluator.settings import EvaluatorSettings
from components.evaluator.shown import shown_metrics, suppressed_groups
from pipeline.results.evaluation_plan import SPLIT_PLAN
from pipeline.results.tuning import TunedSet, Tuning

SETTINGS = EvaluatorSettings(
    tasks={"response": (0.5,)},
    slicings=("sex",),
    pairs=(),
    smallest_group=20,
    thresholds=(),
    split_seed=1,
    label_digest="digest",
)


def part(
    subjects: Any = 30, positives: Any = 10, sex: Any = None, unknown: Any = 0, **metrics: Any
) -> Any:
    """Metrics of a slice as TFMA writes them: name to (value, lower, upper)."""
    made = metrics_for_slice_pb2.MetricsForSlice()
    if sex:
        made.slice_key.single_slice_keys.add(column="slice_sex", bytes_value=sex.encode())
    counts = {
        "members": (subjects + unknown,),
        "subjects": (subjects,),
        "positives": (positives,),
        "effective_positives": (metrics.pop("effective_positives", positives),),
        "effective_negatives": (metrics.pop("effective_negatives", subjects - positives),),
    }
    for name, (value, *interval) in (counts | metrics).items():
        item = made.metric_keys_and_values.add()
        item.key.name = name.replace("_at_half", "@0.5")
        item.key.output_name = "response"
        item.value.double_value.value = value
        if interval:
            item.confidence_interval.lower_bound.double_value.value = interval[0]
            item.confidence_interval.upper_bound.double_value.value = interval[1]
    return made


def interval_of(metric: Any, **metrics: Any) -> Any:
    (found,) = (r for r in read_records([part(**metrics)], SETTINGS) if r.metric == metric)
    return found.lower, found.upper


def test_an_interval_beyond_what_a_metric_can_be_ends_at_the_edge() -> None:
    assert interval_of("auc", auc=(0.98, 0.93, 1.03)) == (0.93, 1.0)


def test_the_slope_has_no_edge() -> None:
    assert interval_of("calibration_slope", calibration_slope=(1.9, -0.2, 4.0)) == (-0.2, 4.0)


@pytest.mark.parametrize(
    ("metric", "value", "trials"),
    [
        ("sensitivity", 1.0, 10),
        ("false_negative_rate", 0.0, 10),
        ("specificity", 1.0, 20),
        ("false_positive_rate", 0.0, 20),
    ],
)
def test_a_share_at_its_edge_has_the_exact_binomial_interval(
    metric: Any, value: Any, trials: Any
) -> None:
    exact = stats.binomtest(int(value * trials), trials).proportion_ci(0.95, method="exact")

    found = interval_of(metric, **{f"{metric}_at_half": (value, value, value)})

    assert found == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_a_positive_predictive_value_of_one_rests_on_the_subjects_that_are_predicted_positive() -> (
    None
):
    """8 of the 10 subjects with the outcome are found, and no others."""
    exact = stats.binomtest(8, 8).proportion_ci(0.95, method="exact")

    found = interval_of(
        "positive_predictive_value",
        positive_predictive_value_at_half=(1.0, 1.0, 1.0),
        sensitivity_at_half=(0.8, 0.6, 1.0),
        false_positive_rate_at_half=(0.0, 0.0, 0.0),
    )

    assert found == pytest.approx((exact.low, exact.high), abs=1e-12)


@pytest.mark.parametrize(("positives", "has"), [(9, False), (10, True), (20, True), (21, False)])
@pytest.mark.parametrize("metric", ["auc", "brier", "calibration_in_the_large"])
def test_with_too_few_subjects_of_an_outcome_there_is_no_interval(
    metric: Any, positives: Any, has: Any
) -> None:
    (found,) = read_records([part(positives=positives, **{metric: (0.6, 0.5, 0.7)})], SETTINGS)

    assert found.value == 0.6
    assert [math.isnan(found.lower), math.isnan(found.upper)] == [not has, not has]


def test_a_share_needs_only_the_subjects_that_it_is_of() -> None:
    rates = {"sensitivity_at_half": (0.6, 0.5, 0.7), "specificity_at_half": (0.6, 0.5, 0.7)}
    found = read_records([part(positives=9, **rates)], SETTINGS)

    assert {r.metric: math.isnan(r.lower) for r in found} == {
        "sensitivity": True,
        "specificity": False,
    }


def test_a_perfect_ranking_has_no_interval() -> None:
    lower, upper = interval_of("auc", auc=(1.0, 1.0, 1.0))

    assert math.isnan(lower)
    assert math.isnan(upper)


def test_records_come_in_the_order_of_tasks_and_slicings() -> None:
    parts = [part(sex="M", auc=(0.7,)), part(auc=(0.8,)), part(sex="F", auc=(0.6,))]

    groups = [record.group for record in read_records(parts, SETTINGS)]

    assert groups == [(), (("sex", "F"),), (("sex", "M"),)]


def test_an_empty_test_split_is_too_small() -> None:
    hidden = suppressed_groups([], SETTINGS)

    assert hidden == {"response": {(): "too_small"}}
    assert shown_metrics([], hidden, hidden, SETTINGS).suppressed[0].subjects == "<20"


def test_what_the_procedures_chose_is_in_the_metrics_of_a_tuned_run_alone() -> None:
    tuning = Tuning(sets=(TunedSet(hyperparameters={"depth": 2}, procedures=5),))
    found = shown_metrics([], {}, {}, SETTINGS, SPLIT_PLAN, {}, tuning)
    untuned = shown_metrics([], {}, {}, SETTINGS)

    assert found.model_dump(exclude_unset=True)["tuning"]["sets"] == (
        {"hyperparameters": {"depth": 2}, "procedures": 5},
    )
    assert "tuning" not in untuned.model_dump(exclude_unset=True)


def test_suppressed_groups_are_listed_without_their_numbers() -> None:
    parts = [
        part(subjects=105, auc=(0.8,)),
        part(subjects=45, sex="F", auc=(0.81,)),
        part(subjects=55, sex="M", auc=(0.82,)),
        part(subjects=5, sex="U", auc=(0.83,)),
    ]
    records = read_records(parts, SETTINGS)

    hidden = suppressed_groups(records, SETTINGS)
    content = shown_metrics(records, hidden, hidden, SETTINGS).model_dump()

    assert [record["slice"] for record in content["records"]] == [{}, {"sex": "M"}]
    assert list(content["suppressed"]) == [
        {
            "task": "response",
            "slice": {"sex": "F"},
            "reason": "complementary",
            "subjects": None,
        },
        {"task": "response", "slice": {"sex": OTHER}, "reason": "too_small", "subjects": None},
    ]


def test_the_effective_number_of_weighted_subjects_decides_whether_there_is_an_interval() -> None:
    """Of twelve subjects with the outcome one has most of the weight."""
    of_few = interval_of("auc", auc=(0.6, 0.5, 0.7), positives=12, effective_positives=9.9)
    of_enough = interval_of("auc", auc=(0.6, 0.5, 0.7), positives=12, effective_positives=10.1)

    lower, upper = of_few
    assert math.isnan(lower)
    assert math.isnan(upper)
    assert of_enough == (0.5, 0.7)


def test_the_exact_interval_of_weighted_subjects_is_of_their_effective_number() -> None:
    found = interval_of("sensitivity", sensitivity=(1.0, 1.0, 1.0), effective_positives=4.0)

    assert found == pytest.approx((0.025 ** (1 / 4), 1.0))
