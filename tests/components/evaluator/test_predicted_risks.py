"""Mean predictions beside the risks by the horizon: two arms of 400 subjects, horizon day 90."""

from __future__ import annotations

from typing import Any

import pytest

from components.evaluator.predicted_risks import predicted_risks
from pipeline.estimates import Estimate
from pipeline.results.censoring import ALL_SUBJECTS, CensoredArm, CensoredTask
from pipeline.results.documents import Group, Metrics, Verdict
from pipeline.results.outcomes import Outcome
from pipeline.results.predicted_risks import PredictedRisk
from pipeline.results.suppress import SuppressionReason
from pipeline.titles import NAMES

OF_A = Estimate(0.10, 0.08, 0.13)
OF_B = Estimate(0.20, 0.17, 0.24)


def followed(risk: Estimate, censored: int = 60) -> CensoredArm:
    return CensoredArm(
        subjects=400,
        events=40,
        competing=0,
        complete=360 - censored,
        censored=censored,
        risk=risk,
        naive=0.11,
        weighted=risk.value,
        observed=0.8,
        largest_weight=1.25,
        truncated=0,
        effective=333.0,
    )


def task(censored: int = 60, **changes: Any) -> CensoredTask:
    arms = {"A": followed(OF_A), "B": followed(OF_B, censored)}
    overall = followed(Estimate(0.15, 0.13, 0.17), 60 + censored)
    return CensoredTask(horizon=90, overall=overall, arms=arms).model_copy(update=changes)


def mean(value: float, arm: str = "", lower: Any = None, upper: Any = None) -> dict[str, Any]:
    return {
        "task": "death",
        "slice": {"treatment": arm} if arm else {},
        "metric": "mean_prediction",
        "decision_threshold": None,
        "model": "challenger",
        "value": value,
        "lower": lower,
        "upper": upper,
        "subjects": 340,
        "positives": 40,
    }


def metrics(*records: dict[str, Any], scheme: str = "cross_fit", suppressed: Any = ()) -> Metrics:
    return Metrics.model_validate(
        {
            "smallest_group": 20,
            "records": records,
            "suppressed": suppressed,
            "evaluation": {"scheme": scheme, "requested": "auto"},
        }
    )


def compared(
    *records: dict[str, Any], censoring: CensoredTask | None = None, **changes: Any
) -> tuple[PredictedRisk, ...]:
    found = {"death": censoring or task()}
    shown = metrics(*records, **changes)
    hidden: dict[str, dict[Group, SuppressionReason]] = {"death": {}}
    hidden["death"] |= {item.group: "too_small" for item in shown.suppressed}
    return predicted_risks(found, shown, "treatment", hidden)


def notes(found: tuple[PredictedRisk, ...]) -> list[str]:
    """What the verdict says of the risks."""
    verdict = Verdict(
        blessed=True,
        judged=True,
        compared=1,
        comparisons=(),
        reasons=(),
        not_judged=(),
        notes=(),
        risks=found,
    )
    return list(verdict.note_texts(NAMES))


def outcomes(*records: dict[str, Any], **changes: Any) -> dict[str, Outcome]:
    return {item.arm: item.outcome for item in compared(*records, **changes)}


def test_a_mean_prediction_agrees_within_the_interval_of_the_arms_risk() -> None:
    found = outcomes(mean(0.16), mean(0.13, "A"), mean(0.25, "B"))

    assert found == {ALL_SUBJECTS: "passes", "A": "passes", "B": "fails"}


def test_a_mean_prediction_outside_is_a_note_that_says_in_which_direction() -> None:
    found = compared(mean(0.15), mean(0.07, "A"), mean(0.25, "B"))

    assert notes(found) == [
        "death: the mean prediction of the arm A is 0.070, but the risk by the horizon is 0.100 "
        "(0.080 to 0.130): predictions are too low there.",
        "death: the mean prediction of the arm B is 0.250, but the risk by the horizon is 0.200 "
        "(0.170 to 0.240): predictions are too high there.",
    ]


def test_the_mean_of_a_test_split_agrees_if_its_interval_reaches_that_of_the_risk() -> None:
    records = mean(0.19, "", 0.165, 0.215), mean(0.16, "A", 0.14, 0.18)

    assert outcomes(*records, scheme="split") == {
        ALL_SUBJECTS: "passes",
        "A": "fails",
        "B": "not_judged",
    }
    assert outcomes(*records, scheme="cross_fit")[ALL_SUBJECTS] == "fails"


def test_an_arm_without_a_mean_prediction_is_not_judged() -> None:
    found = compared(mean(0.15))

    assert [item.reason for item in found] == ["within_interval", "no_prediction", "no_prediction"]
    assert not notes(found)


def test_a_risk_that_is_not_known_is_not_judged() -> None:
    unknown = task(arms={"": followed(Estimate())}, overall=None)

    assert [item.reason for item in compared(mean(0.15), censoring=unknown)] == ["no_risk"]


def test_a_risk_from_which_few_censored_subjects_follow_is_compared_but_not_shown() -> None:
    found = compared(mean(0.15), mean(0.1, "A"), mean(0.9, "B"), censoring=task(censored=3))

    assert (found[-1].arm, found[-1].outcome, found[-1].risk) == ("B", "fails", Estimate())
    assert notes(found) == [
        "death: the mean prediction of the arm B is 0.900, but the risk by the horizon is another "
        "(not shown, since few censored subjects would follow from it): predictions are too high "
        "there."
    ]


def test_a_group_that_is_not_shown_is_not_judged() -> None:
    small = [{"task": "death", "slice": {"treatment": "B"}, "reason": "too_small"}]
    found = compared(mean(0.15), mean(0.1, "A"), suppressed=small)

    assert (found[-1].arm, found[-1].reason) == ("B", "group_too_small")


def test_an_arm_of_fewer_subjects_than_the_smallest_group_is_not_judged() -> None:
    few = followed(OF_B).model_copy(update={"subjects": 19})
    found = compared(mean(0.9), censoring=task(arms={"": few}, overall=None))

    assert [item.reason for item in found] == ["group_too_small"]


def test_complete_follow_up_is_compared_with_nothing() -> None:
    assert not compared(mean(0.15), censoring=task(is_complete=True))


@pytest.mark.parametrize("model", ["champion", "ridge"])
def test_another_models_mean_prediction_is_not_compared(model: str) -> None:
    other = mean(0.15) | {"model": model}

    assert compared(other)[0].reason == "no_prediction"
