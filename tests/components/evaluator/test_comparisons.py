"""What each comparison of a verdict says."""

import itertools
import math
from typing import Any

import pytest

from pipeline.results.judged import Judged
from pipeline.results.outcomes import OUTCOMES
from tests.components.evaluator.test_judge import FEMALE, MALE, record, verdict
from tests.verdict_texts import text_of

AT_LEAST = {"metric": "auc", "at_least": 0.65}
EVERYWHERE = AT_LEAST | {"scope": "every_slice"}
DIFFERENCE = {"metric": "auc", "at_least": -0.01, "versus": "champion"}
NO_CHAMPION = Judged(reason="first_run")


def written(records: Any, *thresholds: Any, **more: Any) -> Any:
    return verdict(records, *thresholds, **({"no_champion": NO_CHAMPION} | more)).to_json()[
        "comparisons"
    ]


def test_a_comparison_says_what_was_compared_with_what() -> None:
    assert written([record(0.7, 0.66, 0.74)], AT_LEAST | {"holds": "bound"}) == [
        {
            "threshold": 0,
            "origin": "study",
            "model": "challenger",
            "versus": None,
            "task": "hepatic_ae",
            "slice": {},
            "metric": "auc",
            "decision_threshold": None,
            "side": "at_least",
            "limit": 0.65,
            "holds": "bound",
            "strict": False,
            "value": 0.66,
            "outcome": "passes",
            "reason": "within_limit",
        }
    ]


def test_each_limit_of_a_threshold_is_a_comparison() -> None:
    both = AT_LEAST | {"at_most": 0.8}
    found = written([record(0.9)], both)

    assert [(item["side"], item["limit"], item["outcome"]) for item in found] == [
        ("at_least", 0.65, "passes"),
        ("at_most", 0.8, "fails"),
    ]


def test_the_far_end_of_the_interval_is_judged_on_each_side() -> None:
    both = AT_LEAST | {"at_most": 0.8, "holds": "bound"}
    found = written([record(0.7, 0.6, 0.9)], both)

    assert [(item["value"], item["outcome"]) for item in found] == [(0.6, "fails"), (0.9, "fails")]


def test_thresholds_are_distinguished_by_their_place_in_the_study_file() -> None:
    found = written([record(0.7)], AT_LEAST, AT_LEAST | {"at_least": 0.8})

    assert [(item["threshold"], item["outcome"]) for item in found] == [
        (0, "passes"),
        (1, "fails"),
    ]


@pytest.mark.parametrize(
    ("records", "threshold", "reason"),
    [
        ([], AT_LEAST, "no_value"),
        ([record(math.nan)], AT_LEAST, "no_value"),
        ([record(math.nan, 0.6, 0.9)], AT_LEAST | {"holds": "bound"}, "no_value"),
    ],
)
def test_where_nothing_can_be_judged_a_comparison_fails_without_a_value(
    records: Any, threshold: Any, reason: Any
) -> None:
    (found,) = written(records, threshold)

    assert (found["outcome"], found["reason"], found["value"]) == ("fails", reason, None)


@pytest.mark.parametrize("found", [record(0.9), record(0.9, 0.8)])
def test_a_bound_that_does_not_exist_is_not_judged(found: Any) -> None:
    (made,) = written([found], AT_LEAST | {"holds": "bound"})

    assert (made["outcome"], made["reason"], made["value"]) == ("not_judged", "no_interval", None)


@pytest.mark.parametrize(("subjects", "positives"), [(100, 9), (100, 91), (19, 9)])
@pytest.mark.parametrize("holds", ["point", "bound", "overlap"])
def test_too_few_events_or_others_are_not_judged_whatever_they_reach(
    subjects: Any, positives: Any, holds: Any
) -> None:
    few = record(0.9, 0.8, 0.95, subjects=subjects, positives=positives)
    (made,) = written([few], AT_LEAST | {"holds": holds})

    assert (made["outcome"], made["reason"]) == ("not_judged", "too_few_events")
    assert "fewer than 10 subjects with the outcome, or without it" in text_of(made)


def test_ten_of_each_are_judged() -> None:
    (made,) = written([record(0.9, 0.8, 0.95, subjects=20, positives=10)], AT_LEAST)

    assert made["outcome"] == "passes"


def test_a_share_of_those_without_the_outcome_needs_only_these() -> None:
    found = record(0.9, metric="specificity", decision_threshold=0.5, positives=3)
    (made,) = written([found], {"metric": "specificity", "at_least": 0.8})

    assert made["outcome"] == "passes"


@pytest.mark.parametrize(
    ("lower", "upper", "outcomes", "ending"),
    [
        (-0.02, 0.02, ("passes", "passes"), None),
        (-0.9, 0.9, ("passes", "passes"), None),
        (0.03, 0.09, ("passes", "passes"), None),
        (0.04, 0.09, ("passes", "fails"), "interval wholly above 0.03"),
        (-0.09, -0.04, ("fails", "passes"), "interval wholly below -0.03"),
    ],
)
def test_an_interval_overlaps_unless_it_lies_wholly_beyond_a_limit(
    lower: Any, upper: Any, outcomes: Any, ending: Any
) -> None:
    found = record((lower + upper) / 2, lower, upper, metric="calibration_in_the_large")
    within = {"at_least": -0.03, "at_most": 0.03, "holds": "overlap"}
    made = written([found], {"metric": "calibration_in_the_large", **within})

    assert tuple(item["outcome"] for item in made) == outcomes
    assert [item["value"] for item in made] == [upper, lower]
    messages = [text_of(item) for item in made if text_of(item)]
    assert len(messages) == outcomes.count("fails")
    assert all(message.endswith(ending) for message in messages)


@pytest.mark.parametrize(
    ("limit", "value", "outcome"),
    [
        ({"at_least": 0.5}, 0.5, "fails"),
        ({"at_least": 0.5}, 0.51, "passes"),
        ({"at_most": 0.5}, 0.5, "fails"),
        ({"at_most": 0.5}, 0.49, "passes"),
    ],
)
def test_a_strict_limit_itself_fails(limit: Any, value: Any, outcome: Any) -> None:
    (made,) = written([record(value)], {"metric": "auc", "strict": True, **limit})

    assert made["outcome"] == outcome
    assert (" or at 0.5" in text_of(made)) == (outcome == "fails")


REFERENCE = {"metric": "brier", "at_most": 0, "holds": "bound", "versus": "base_rate"}


def test_a_difference_to_a_reference_model_is_judged_with_and_without_a_champion() -> None:
    worse = record(0.01, -0.01, 0.03, metric="brier", model="difference", versus="base_rate")
    to_champion = record(-0.1, -0.2, -0.05, metric="brier", model="difference")
    for no_champion in (None, NO_CHAMPION):
        (made,) = written([worse, to_champion], REFERENCE, no_champion=no_champion)

        assert (made["model"], made["versus"], made["value"]) == ("difference", "base_rate", 0.03)
        assert text_of(made) == (
            "hepatic_ae: difference of Brier score to the base rate overall is 0.01 (-0.01 to "
            "0.03), upper bound above 0"
        )


def test_without_its_reference_model_a_threshold_is_not_judged() -> None:
    (made,) = written([record(0.2, 0.1, 0.3, metric="brier")], REFERENCE)

    assert (made["outcome"], made["reason"]) == ("not_judged", "no_reference")


def test_a_group_that_is_too_small_is_not_judged_and_has_no_value() -> None:
    _, found = written(
        [record(0.9), record(0.613, group=FEMALE)],
        EVERYWHERE,
        suppressed={"hepatic_ae": {FEMALE: "too_small"}},
    )

    assert (found["outcome"], found["reason"]) == ("not_judged", "group_too_small")
    assert "613" not in str(found)


@pytest.mark.parametrize("value", [0.6137, 0.7137, math.nan])
@pytest.mark.parametrize("holds", ["point", "bound"])
def test_no_digit_of_a_suppressed_group_is_written(value: Any, holds: Any) -> None:
    judged = verdict(
        [record(0.9, 0.8, 0.95), record(value, 0.5921, 0.7921, FEMALE)],
        EVERYWHERE | {"holds": holds},
        suppressed={"hepatic_ae": {FEMALE: "complementary", MALE: "too_small"}},
        no_champion=NO_CHAMPION,
    )

    assert not any(digits in str(judged.to_json()) for digits in ("137", "921"))
    found = judged.to_json()["comparisons"][1]
    assert found["value"] is None
    assert found["outcome"] in ("passes", "fails")


def test_a_suppressed_group_has_the_outcome_that_it_had_if_it_were_shown() -> None:
    records = [record(0.9), record(0.6, group=FEMALE), record(0.7, group=MALE)]
    shown = written(records, EVERYWHERE)
    hidden = written(
        records,
        EVERYWHERE,
        suppressed={"hepatic_ae": {FEMALE: "complementary", MALE: "complementary"}},
    )

    assert [i["outcome"] for i in hidden] == [i["outcome"] for i in shown]


def test_a_champion_that_was_scored_is_compared_with_the_same_thresholds() -> None:
    found = written(
        [record(0.9), record(0.6, model="champion"), record(0.3, model="difference")],
        AT_LEAST,
        DIFFERENCE,
        no_champion=None,
    )

    assert [(item["model"], item["value"], item["outcome"]) for item in found] == [
        ("challenger", 0.9, "passes"),
        ("champion", 0.6, "fails"),
        ("difference", 0.3, "passes"),
    ]
    assert text_of(found[1]) == "hepatic_ae: AUC of the champion overall is 0.6, below 0.65"


def test_the_champions_own_numbers_do_not_decide() -> None:
    judged = verdict([record(0.9), record(0.6, model="champion")], AT_LEAST)

    assert judged.blessed
    assert judged.compared == 1
    assert judged.refusals == ()


def test_without_a_champion_there_is_no_row_of_one_and_differences_are_not_judged() -> None:
    found = written([record(0.9)], AT_LEAST, DIFFERENCE)

    assert [(item["model"], item["outcome"], item["reason"]) for item in found] == [
        ("challenger", "passes", "within_limit"),
        ("difference", "not_judged", "no_champion"),
    ]


def test_one_missing_value_is_one_reason_whatever_limits_it_misses() -> None:
    judged = verdict([], AT_LEAST | {"at_most": 0.8}, no_champion=NO_CHAMPION)

    assert judged.compared == 2
    assert len(judged.to_json()["reasons"]) == 1


def test_reasons_are_the_comparisons_that_fail() -> None:
    judged = verdict(
        [record(0.6), record(0.5, group=FEMALE), record(0.7, group=MALE)],
        EVERYWHERE,
        no_champion=NO_CHAMPION,
    ).to_json()

    failing = [text_of(item) for item in judged["comparisons"] if item["outcome"] == "fails"]
    assert [text_of(item) for item in judged["reasons"]] == failing


def test_every_reason_has_an_outcome_and_a_message_where_it_does_not_pass() -> None:
    suppressed = {"hepatic_ae": {FEMALE: "too_small"}}
    found = list(
        itertools.chain(
            written([record(0.9), record(0.5, group=FEMALE)], EVERYWHERE, suppressed=suppressed),
            written([record(0.9)], AT_LEAST, suppressed={"hepatic_ae": {(): "too_small"}}),
            written([record(0.9)], AT_LEAST | {"holds": "bound"}, DIFFERENCE),
            written([], AT_LEAST),
            written([record(0.5)], AT_LEAST),
            written([record(0.9, positives=9)], AT_LEAST),
            written([record(0.9)], REFERENCE),
        )
    )

    assert {item["reason"] for item in found} == set(OUTCOMES)
    for item in found:
        assert item["outcome"] == OUTCOMES[item["reason"]]
        assert bool(text_of(item)) == (item["outcome"] != "passes")
