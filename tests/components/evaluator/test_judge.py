import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.champion import FIRST_RUN
from components.evaluator.judge import NOT_COMPARED, judge
from components.evaluator.records import Record
from components.evaluator.settings import EvaluatorSettings
from pipeline.study.sections import Threshold
from pipeline.titles import NAMES

FEMALE = (("sex", "F"),)
MALE = (("sex", "M"),)
TWO_TASKS = {"hepatic_ae": (0.5,), "response": (0.5,)}


def settings(*thresholds: Any, tasks: Any = None, drop_tasks: Any = "refused") -> Any:
    return EvaluatorSettings(
        tasks=tasks or {"hepatic_ae": (0.5,)},
        slicings=("sex",),
        pairs=(),
        smallest_group=20,
        thresholds=tuple(Threshold.model_validate(threshold) for threshold in thresholds),
        split_seed=1,
        label_digest="digest",
        drop_tasks=drop_tasks,
    )


def record(
    value: Any,
    lower: Any = math.nan,
    upper: Any = math.nan,
    group: Any = (),
    metric: Any = "auc",
    **more: Any,
) -> Any:
    return Record(
        **{
            "task": "hepatic_ae",
            "group": group,
            "metric": metric,
            "decision_threshold": None,
            "model": "challenger",
            "value": value,
            "lower": lower,
            "upper": upper,
            "subjects": 100,
            "positives": 30,
        }
        | more
    )


def verdict(
    records: Any,
    *thresholds: Any,
    suppressed: Any = None,
    no_champion: Any = None,
    tasks: Any = None,
    champion_tasks: Any = None,
    drop_tasks: Any = "refused",
) -> Any:
    """The verdict; a champion serves the tasks of its records, where not given."""
    if champion_tasks is None:
        champion_tasks = {item.task for item in records if item.model != "challenger"}
    return judge(
        records,
        suppressed or {},
        settings(*thresholds, tasks=tasks, drop_tasks=drop_tasks),
        no_champion,
        tuple(champion_tasks),
    )


def decisions(judged: Any) -> Any:
    return {task: found.verdict for task, found in judged.by_task.items()}


def messages(judged: Any) -> Any:
    return [refusal.judged.text(NAMES) for refusal in judged.refusals]


def test_a_value_at_the_limit_passes() -> None:
    judged = verdict([record(0.65)], {"metric": "auc", "at_least": 0.65})

    assert judged.blessed
    assert judged.judged


def test_a_point_below_at_least_is_refused_with_slice_value_interval_and_limit() -> None:
    judged = verdict(
        [record(0.7, 0.66, 0.74), record(0.61, 0.55, 0.67, FEMALE)],
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice"},
    )

    assert not judged.blessed
    assert messages(judged) == ["hepatic_ae: AUC in slice sex=F is 0.61 (0.55 to 0.67), below 0.65"]


def test_a_point_above_at_most_is_refused() -> None:
    judged = verdict([record(0.3, 0.25, 0.35, metric="brier")], {"metric": "brier", "at_most": 0.2})

    assert messages(judged) == ["hepatic_ae: Brier score overall is 0.3 (0.25 to 0.35), above 0.2"]


def test_a_lower_bound_below_at_least_is_refused_though_the_point_passes() -> None:
    judged = verdict([record(0.7, 0.6, 0.8)], {"metric": "auc", "at_least": 0.65, "holds": "bound"})

    assert messages(judged) == [
        "hepatic_ae: AUC overall is 0.7 (0.6 to 0.8), lower bound below 0.65"
    ]


def test_an_upper_bound_above_at_most_is_refused_though_the_point_passes() -> None:
    judged = verdict(
        [record(0.15, 0.1, 0.22, metric="brier")],
        {"metric": "brier", "at_most": 0.2, "holds": "bound"},
    )

    assert messages(judged) == [
        "hepatic_ae: Brier score overall is 0.15 (0.1 to 0.22), upper bound above 0.2"
    ]


def test_bounds_within_the_limits_pass() -> None:
    judged = verdict(
        [record(0.7, 0.66, 0.8)], {"metric": "auc", "at_least": 0.65, "holds": "bound"}
    )

    assert judged.blessed


def test_a_value_that_rounds_to_its_limit_is_shown_with_more_digits() -> None:
    judged = verdict([record(0.6499999)], {"metric": "auc", "at_least": 0.65})

    assert messages(judged) == ["hepatic_ae: AUC overall is 0.6499999, below 0.65"]


def test_scope_overall_leaves_slices_alone() -> None:
    judged = verdict([record(0.7), record(0.1, group=FEMALE)], {"metric": "auc", "at_least": 0.65})

    assert judged.blessed
    assert judged.compared == 1


def test_every_slice_includes_overall() -> None:
    judged = verdict(
        [record(0.6), record(0.7, group=FEMALE)],
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice"},
    )

    assert [refusal.application.group for refusal in judged.refusals] == [()]


def test_a_group_that_is_too_small_is_listed_and_not_judged() -> None:
    judged = verdict(
        [record(0.7), record(0.1, group=FEMALE, subjects=19, unknown=20)],
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice"},
        suppressed={"hepatic_ae": {FEMALE: "too_small"}},
    )

    assert judged.blessed
    assert judged.to_json()["not_judged"] == [{"task": "hepatic_ae", "slice": {"sex": "F"}}]


def test_a_group_suppressed_to_protect_another_is_judged_without_its_numbers() -> None:
    judged = verdict(
        [record(0.7), record(0.613, 0.55, 0.67, FEMALE)],
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice"},
        suppressed={"hepatic_ae": {FEMALE: "complementary", MALE: "too_small"}},
    )

    assert not judged.blessed
    assert "below 0.65" in messages(judged)[0]
    assert "0.613" not in str(judged.to_json())


def test_a_task_with_too_few_test_subjects_is_not_judged() -> None:
    judged = verdict(
        [record(0.9, subjects=10)],
        {"metric": "auc", "at_least": 0.65},
        suppressed={"hepatic_ae": {(): "too_small"}},
    )

    assert not judged.blessed
    assert judged.to_json()["tasks"]["hepatic_ae"] == {
        "verdict": "not_judged",
        "reasons": [
            {
                "reason": "too_few_subjects",
                "task": "hepatic_ae",
                "metric": "auc",
                "side": "at_least",
                "limit": 0.65,
                "smallest_group": 20,
            }
        ],
    }
    assert judged.by_task["hepatic_ae"].reason_texts(NAMES) == (
        "hepatic_ae: AUC overall can't be judged: fewer than 20 subjects have a known outcome",
    )


@pytest.mark.parametrize("records", [[record(math.nan)], []], ids=["not a number", "missing"])
def test_a_metric_without_a_value_is_a_refusal(records: Any) -> None:
    judged = verdict(records, {"metric": "auc", "at_most": 0.65})

    assert not judged.blessed
    assert "AUC overall has no value" in messages(judged)[0]


def test_a_task_without_the_interval_that_must_hold_is_not_judged() -> None:
    judged = verdict([record(0.9)], {"metric": "auc", "at_least": 0.65, "holds": "bound"})

    assert decisions(judged) == {"hepatic_ae": "not_judged"}
    assert not judged.blessed
    assert "has no confidence interval" in judged.by_task["hepatic_ae"].reason_texts(NAMES)[0]


def test_a_slice_without_an_interval_refuses_nothing() -> None:
    judged = verdict(
        [record(0.9, 0.8, 0.95), record(0.9, group=FEMALE)],
        {"metric": "auc", "at_least": 0.65, "holds": "bound", "scope": "every_slice"},
    )

    assert decisions(judged) == {"hepatic_ae": "blessed"}


def test_a_slice_that_fails_refuses_its_task() -> None:
    judged = verdict(
        [record(0.9), record(0.6, group=FEMALE)],
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice"},
    )

    assert decisions(judged) == {"hepatic_ae": "refused"}


def test_a_task_that_fails_does_not_refuse_the_others() -> None:
    judged = verdict(
        [record(0.5), record(0.9, task="response")],
        {"metric": "auc", "at_least": 0.65},
        tasks=TWO_TASKS,
    )

    assert decisions(judged) == {"hepatic_ae": "refused", "response": "blessed"}
    assert judged.by_task["hepatic_ae"].reason_texts(NAMES) == (
        "hepatic_ae: AUC overall is 0.5, below 0.65",
    )
    assert judged.blessed


def test_a_comparison_that_fails_outweighs_one_that_lacks_evidence() -> None:
    judged = verdict(
        [record(0.5)],
        {"metric": "auc", "at_least": 0.65},
        {"metric": "auc", "at_least": 0.5, "holds": "bound"},
    )

    assert decisions(judged) == {"hepatic_ae": "refused"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["hepatic_ae", "response"]),
            st.sampled_from([(), FEMALE, MALE]),
            st.sampled_from([0.5, 0.9]),
            st.booleans(),
        ),
        unique_by=lambda item: item[:2],
    )
)
def test_a_model_is_blessed_if_and_only_if_a_task_is(found: Any) -> None:
    judged = verdict(
        [
            record(
                value,
                0.4 if interval else math.nan,
                0.95 if interval else math.nan,
                group,
                task=task,
            )
            for task, group, value, interval in found
        ],
        {"metric": "auc", "at_least": 0.65, "scope": "every_slice"},
        {"metric": "auc", "at_least": 0.3, "holds": "bound"},
        tasks=TWO_TASKS,
    )

    assert set(judged.by_task) == set(TWO_TASKS)
    assert judged.blessed == ("blessed" in decisions(judged).values())
    for task, decided in decisions(judged).items():
        failed = [item for item in judged.refusals if item.application.task == task]
        assert (decided == "refused") == bool(failed)
        assert (decided == "blessed") == (not judged.by_task[task].reasons)


def test_each_decision_threshold_of_the_task_is_judged() -> None:
    judged = verdict(
        [
            record(0.4, metric="sensitivity", decision_threshold=0.2),
            record(0.3, metric="sensitivity", decision_threshold=0.5),
        ],
        {"metric": "sensitivity", "at_least": 0.5},
        tasks={"hepatic_ae": (0.2, 0.5)},
    )

    assert messages(judged) == [
        "hepatic_ae: Sensitivity at decision threshold 0.2 overall is 0.4, below 0.5",
        "hepatic_ae: Sensitivity at decision threshold 0.5 overall is 0.3, below 0.5",
    ]


def test_a_named_decision_threshold_is_judged_alone() -> None:
    judged = verdict(
        [
            record(0.6, metric="sensitivity", decision_threshold=0.2),
            record(0.3, metric="sensitivity", decision_threshold=0.5),
        ],
        {"metric": "sensitivity", "at_least": 0.5, "decision_threshold": 0.2},
        tasks={"hepatic_ae": (0.2, 0.5)},
    )

    assert judged.blessed


def test_versus_champion_judges_the_difference() -> None:
    judged = verdict(
        [record(0.9), record(-0.03, -0.05, -0.01, model="difference")],
        {"metric": "auc", "at_least": -0.01, "versus": "champion"},
    )

    assert messages(judged) == [
        "hepatic_ae: difference of AUC to the champion overall is -0.03 (-0.05 to -0.01), "
        "below -0.01"
    ]
    assert judged.refusals[0].application.model == "difference"


def test_without_a_champion_the_comparison_is_noted_and_not_made() -> None:
    judged = verdict(
        [record(0.9)],
        {"metric": "auc", "at_least": -0.01, "versus": "champion"},
        no_champion=FIRST_RUN,
    )

    assert not judged.blessed
    assert not judged.judged
    assert judged.notes == (FIRST_RUN, NOT_COMPARED)


def test_a_threshold_holds_for_its_own_tasks_only() -> None:
    judged = verdict(
        [record(0.5), record(0.9, task="response")],
        {"metric": "auc", "at_least": 0.65, "tasks": ["response"]},
        tasks={"hepatic_ae": (0.5,), "response": (0.5,)},
    )

    assert judged.blessed


@pytest.mark.parametrize(
    "demanded",
    [
        [],
        [{"metric": "auc", "at_least": 0.65, "tasks": ["response"]}],
        [{"metric": "auc", "at_least": -0.01, "versus": "champion", "tasks": ["hepatic_ae"]}],
    ],
    ids=["nothing", "of another task", "of a champion that is not there"],
)
def test_a_task_of_which_nothing_is_demanded_is_not_judged(demanded: Any) -> None:
    judged = verdict(
        [record(0.9, 0.8, 0.95), record(0.9, task="response")],
        *demanded,
        tasks=TWO_TASKS,
        no_champion=FIRST_RUN,
    )

    assert judged.by_task["hepatic_ae"].verdict == "not_judged"
    assert judged.by_task["hepatic_ae"].reason_texts(NAMES) == (
        "hepatic_ae: nothing that could be judged is demanded of this task: add a threshold of all "
        "subjects to the study file, or leave `default_thresholds` of its section `evaluation` on",
    )
    assert judged.blessed == (decisions(judged)["response"] == "blessed")


def test_a_task_whose_reference_model_is_missing_is_not_judged() -> None:
    judged = verdict(
        [record(0.9)],
        {"metric": "auc", "at_least": 0.65},
        {"metric": "brier", "at_most": 0, "versus": "base_rate"},
    )

    assert decisions(judged) == {"hepatic_ae": "not_judged"}


def test_defaults_are_judged_after_the_study_files_thresholds_and_named_so() -> None:
    default = Threshold(metric="auc", at_least=0.5, holds="bound", tasks=("response",))
    judged = judge(
        [record(0.9), record(0.6, 0.45, 0.75, task="response")],
        {},
        settings({"metric": "auc", "at_least": 0.65, "tasks": ["hepatic_ae"]}, tasks=TWO_TASKS),
        None,
        (),
        [default],
    )

    found = [(item.application.number, item.application.origin) for item in judged.comparisons]
    assert found == [(0, "study"), (1, "default")]
    assert decisions(judged) == {"hepatic_ae": "blessed", "response": "refused"}
    assert judged.to_json()["defaults"] == [
        {"metric": "auc", "at_least": 0.5, "holds": "bound", "tasks": ["response"]}
    ]


BOTH_SERVED = {"tasks": TWO_TASKS, "champion_tasks": ("hepatic_ae", "response")}
ONE_FAILS = [record(0.5), record(0.9, task="response")]


def test_a_model_that_would_drop_a_task_of_the_champion_is_not_blessed() -> None:
    judged = verdict(ONE_FAILS, {"metric": "auc", "at_least": 0.65}, **BOTH_SERVED)

    assert decisions(judged) == {"hepatic_ae": "refused", "response": "blessed"}
    assert not judged.blessed
    assert judged.to_json()["dropped_tasks"] == ["hepatic_ae"]


def test_a_task_may_be_dropped_if_the_study_file_allows_it() -> None:
    judged = verdict(
        ONE_FAILS, {"metric": "auc", "at_least": 0.65}, drop_tasks="allowed", **BOTH_SERVED
    )

    assert judged.blessed
    assert judged.dropped == ()


def test_a_task_that_the_champion_does_not_serve_can_be_refused_alone() -> None:
    judged = verdict(
        ONE_FAILS,
        {"metric": "auc", "at_least": 0.65},
        tasks=TWO_TASKS,
        champion_tasks=["response"],
    )

    assert judged.blessed


def test_a_champion_that_can_not_be_compared_keeps_its_tasks_too() -> None:
    judged = verdict(
        ONE_FAILS, {"metric": "auc", "at_least": 0.65}, no_champion="Another split.", **BOTH_SERVED
    )

    assert judged.dropped == ("hepatic_ae",)


def test_a_task_that_the_champion_lacks_is_not_compared_with_it() -> None:
    judged = verdict(
        [record(0.9), record(0.9, task="response"), record(0.1, model="difference")],
        {"metric": "auc", "at_least": -0.01, "versus": "champion"},
        {"metric": "auc", "at_least": 0.8, "tasks": ["response"]},
        tasks=TWO_TASKS,
        champion_tasks=["hepatic_ae"],
    )

    found = [(item.application.task, item.reason) for item in judged.comparisons]
    assert found == [
        ("hepatic_ae", "within_limit"),
        ("response", "no_champion"),
        ("response", "within_limit"),
    ]
    assert decisions(judged) == {"hepatic_ae": "blessed", "response": "blessed"}


def test_the_written_reason_names_what_was_demanded() -> None:
    judged = verdict([record(0.61, 0.55, 0.67)], {"metric": "auc", "at_least": 0.65})

    assert judged.to_json()["reasons"] == [
        {
            "reason": "beyond_limit",
            "side": "at_least",
            "limit": 0.65,
            "estimate": {"value": 0.61, "lower": 0.55, "upper": 0.67},
            "task": "hepatic_ae",
            "slice": {},
            "metric": "auc",
            "decision_threshold": None,
            "model": "challenger",
            "value": 0.61,
            "threshold": {"metric": "auc", "at_least": 0.65},
        }
    ]
