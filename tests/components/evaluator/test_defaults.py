"""What is demanded of a task that the study file demands nothing of."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.evaluator.champion import FIRST_RUN
from components.evaluator.defaults import default_thresholds
from components.evaluator.judge import judge
from components.evaluator.settings import EvaluatorSettings
from pipeline.results.judged_words import _NOT_SHOWN
from pipeline.study.sections import DefaultThresholds, Evaluation, Threshold
from pipeline.titles import NAMES
from tests.components.evaluator.test_judge import record
from tests.pipeline.study.two_tasks import study

SCHEMES: tuple[Any, ...] = ("split", "cross_fit", "internal_external")
BOTH = ("ae", "response")


def settings(*thresholds: dict[str, Any], **chosen: Any) -> EvaluatorSettings:
    return EvaluatorSettings(
        tasks=dict.fromkeys(BOTH, (0.5,)),
        slicings=(),
        pairs=(),
        smallest_group=10,
        thresholds=tuple(Threshold.model_validate(item) for item in thresholds),
        split_seed=1,
        label_digest="digest",
        default_thresholds=DefaultThresholds.model_validate(chosen),
    )


def applied(*thresholds: dict[str, Any], scheme: Any = "split", **chosen: Any) -> dict[str, Any]:
    """Tasks of each default by its metric and what it is compared with."""
    found = default_thresholds(settings(*thresholds, **chosen), scheme)
    return {f"{item.metric} {item.versus or ''}".strip(): item.tasks for item in found}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_evidence_is_demanded_of_each_task(scheme: Any) -> None:
    calibration = "calibration_slope" if scheme == "cross_fit" else "calibration_in_the_large"

    assert applied(scheme=scheme) == {
        "auc": BOTH,
        "brier base_rate": BOTH,
        calibration: BOTH,
        "auc champion": BOTH,
    }


def test_on_another_trial_there_is_no_base_rate_to_compare_with() -> None:
    assert applied(scheme="validate") == {
        "auc": BOTH,
        "calibration_in_the_large": BOTH,
        "auc champion": BOTH,
    }


def test_a_threshold_of_the_study_file_replaces_the_default_of_its_metric_and_tasks() -> None:
    own = {"metric": "auc", "at_least": 0.7, "tasks": ["ae"]}

    assert applied(own)["auc"] == ("response",)
    assert applied(own)["auc champion"] == BOTH
    assert applied(own)["brier base_rate"] == BOTH


def test_a_difference_to_the_champion_replaces_that_to_the_champion_alone() -> None:
    found = applied({"metric": "auc", "at_least": -0.1, "versus": "champion"})

    assert found["auc"] == BOTH
    assert "auc champion" not in found


@pytest.mark.parametrize("versus", ["ridge", "base_rate"])
def test_a_difference_to_a_reference_model_leaves_the_default_of_the_value(versus: str) -> None:
    found = applied({"metric": "auc", "at_least": 0.01, "versus": versus})

    assert found["auc"] == BOTH
    assert found["auc champion"] == BOTH


def test_a_largest_brier_score_leaves_that_it_is_better_than_the_base_rates() -> None:
    assert applied({"metric": "brier", "at_most": 0.25})["brier base_rate"] == BOTH


COMPARED = [
    (metric, versus)
    for metric in ("auc", "brier", "calibration_slope", "log_loss")
    for versus in (None, "champion", "base_rate", "ridge")
    # No model but the champion is compared by its calibration.
    if metric != "calibration_slope" or versus in (None, "champion")
]


def own_threshold(compared: tuple[str, str | None], tasks: list[str], scope: str) -> dict[str, Any]:
    metric, versus = compared
    return {"metric": metric, "versus": versus, "at_least": 0.1, "tasks": tasks, "scope": scope}


@given(
    st.lists(
        st.builds(
            own_threshold,
            st.sampled_from(COMPARED),
            tasks=st.sampled_from([[], ["ae"], ["response"]]),
            scope=st.sampled_from(["overall", "every_slice"]),
        ),
        max_size=4,
    ),
    st.sampled_from(SCHEMES),
)
def test_study_file_and_defaults_never_demand_the_same_and_leave_no_task_out(
    own: Any, scheme: Any
) -> None:
    everything = default_thresholds(settings(), scheme)
    found = default_thresholds(settings(*own), scheme)

    assert everything
    for default in everything:
        of_default = (default.metric, default.versus)
        by_study = {
            task
            for item in own
            for task in item["tasks"] or BOTH
            if (item["metric"], item["versus"]) == of_default
        }
        by_default = {
            task
            for item in found
            for task in item.tasks
            if (item.metric, item.versus) == of_default
        }
        assert by_study.isdisjoint(by_default)
        assert by_study | by_default == set(BOTH)


@pytest.mark.parametrize(
    ("chosen", "turned_off"),
    [
        ({"auc": None}, "auc"),
        ({"better_than_base_rate": False}, "brier base_rate"),
        ({"calibration": None}, "calibration_in_the_large"),
        ({"champion_margin": None}, "auc champion"),
    ],
)
def test_each_can_be_turned_off(chosen: Any, turned_off: Any) -> None:
    assert set(applied()) - set(applied(**chosen)) == {turned_off}


def test_the_slope_can_be_turned_off() -> None:
    assert "calibration_slope" not in applied(scheme="cross_fit", calibration_slope=None)


def test_all_can_be_turned_off_in_the_study_file() -> None:
    def turn_off(content: dict[str, Any]) -> None:
        content["evaluation"] = {"default_thresholds": False}

    assert EvaluatorSettings.of(study()).default_thresholds == DefaultThresholds()
    chosen = EvaluatorSettings.of(study(turn_off))
    assert default_thresholds(chosen, "split") == ()


def test_a_slope_whose_limits_fall_is_refused() -> None:
    with pytest.raises(ValidationError, match="must rise"):
        Evaluation.model_validate({"default_thresholds": {"calibration_slope": [1.3, 0.7]}})


def verdict_of(scheme: Any = "split", **numbers: tuple[float, float, float]) -> Any:
    """The verdict on a task by (value, lower, upper) of its metrics."""
    good = {
        "auc": (0.7, 0.6, 0.8),
        "brier": (-0.02, -0.03, -0.01),
        "calibration_in_the_large": (0.0, -0.02, 0.02),
        "calibration_slope": (1.0, 0.8, 1.2),
    }
    of_study = settings().model_copy(update={"tasks": {"hepatic_ae": (0.5,)}})
    records = [
        record(*found, metric=metric, model="difference", versus="base_rate")
        if metric == "brier"
        else record(*found, metric=metric)
        for metric, found in {**good, **numbers}.items()
    ]
    defaults = default_thresholds(of_study, scheme)
    return judge(records, {}, of_study, FIRST_RUN, (), defaults)


def decision_of(scheme: Any = "split", **numbers: tuple[float, float, float]) -> Any:
    return verdict_of(scheme, **numbers).by_task["hepatic_ae"].verdict


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_model_that_shows_evidence_is_blessed(scheme: Any) -> None:
    assert decision_of(scheme) == "blessed"


@pytest.mark.parametrize(
    ("metric", "numbers"),
    [
        ("auc", (0.62, 0.49, 0.73)),
        ("auc", (0.5, 0.5, 0.5)),
        ("brier", (-0.01, -0.03, 0.01)),
        ("brier", (0.0, 0.0, 0.0)),
        ("calibration_in_the_large", (0.07, 0.04, 0.1)),
        ("calibration_in_the_large", (-0.07, -0.1, -0.04)),
    ],
)
def test_one_that_could_be_guessing_is_refused(metric: Any, numbers: Any) -> None:
    assert decision_of(**{metric: numbers}) == "refused"


@pytest.mark.parametrize("numbers", [(0.5, 0.3, 0.69), (1.6, 1.31, 1.9)])
def test_out_of_fold_the_slope_is_judged_and_mean_predictions_are_not(numbers: Any) -> None:
    assert decision_of("cross_fit", calibration_slope=numbers) == "refused"
    assert decision_of("split", calibration_slope=numbers) == "blessed"
    assert decision_of("cross_fit", calibration_in_the_large=(0.5, 0.4, 0.6)) == "blessed"


@pytest.mark.parametrize(
    ("metric", "numbers", "scheme", "message"),
    [
        (
            "auc",
            (0.62, 0.49, 0.73),
            "split",
            "AUC overall is 0.62 (0.49 to 0.73), lower bound below or at 0.5: that it ranks "
            "subjects better than guessing is not shown",
        ),
        (
            "brier",
            (-0.01, -0.03, 0.01),
            "split",
            "difference of Brier score to the base rate overall is -0.01 (-0.03 to 0.01), upper "
            "bound above or at 0: that it predicts better than the arm's rate of the outcome is "
            "not shown",
        ),
        (
            "calibration_slope",
            (0.5, 0.3, 0.69),
            "cross_fit",
            "Calibration slope overall is 0.5 (0.3 to 0.69), interval wholly below 0.7: its "
            "predictions are too extreme (below 1) or too timid (above 1)",
        ),
    ],
)
def test_the_reason_says_what_it_means(
    metric: Any, numbers: Any, scheme: Any, message: Any
) -> None:
    refused = verdict_of(scheme, **{metric: numbers}).by_task["hepatic_ae"]

    assert refused.reason_texts(NAMES) == (f"hepatic_ae: {message}",)


def test_each_default_has_words_for_what_it_means() -> None:
    defaults = [default for scheme in SCHEMES for default in default_thresholds(settings(), scheme)]

    assert {(item.metric, item.versus) for item in defaults} == set(_NOT_SHOWN)


def test_without_an_interval_it_is_not_judged() -> None:
    assert decision_of(auc=(1.0, math.nan, math.nan)) == "not_judged"
