"""When a model is trained again, and all that is said against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.retraining.policy import Fired, Situation, decide
from pipeline.runs.looks import settings_of
from pipeline.study.parts import part_for_examples
from pipeline.study.sections import RetrainRules
from tests.pipeline.study.hand_made_study import study

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
RULES = RetrainRules(
    when=("calibration", "auc"), at_least_new_outcomes=100, not_more_often_than="30 days"
)
OFF = Fired("calibration", "Predictions of response are too low since 2024-05-06.")
MISSING = Fired("missing", "CRP is missing more often since 2024-05-06.")
READY = Situation(
    NOW,
    champion="a1",
    monitored="a1",
    fired=(OFF,),
    new_outcomes=100,
    last_training=NOW - timedelta(days=30),
)


def test_an_alarm_with_enough_new_outcomes_asks_for_it_and_says_why() -> None:
    found = decide(RULES, READY)
    assert found.retrain
    assert found.reasons == (OFF.reason, "100 new outcomes are known.")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"new_outcomes": 99}, "Of 100 new outcomes that are needed 99 are known."),
        (
            {"last_training": NOW - timedelta(days=30) + timedelta(minutes=1)},
            "The last training was at 2024-05-02 12:01 UTC; the next is not before "
            "2024-06-01 12:01 UTC (`retrain.not_more_often_than`).",
        ),
        ({"running": "r7"}, "The run r7 of this study is under way."),
        ({"fired": ()}, "No alarm that asks for it has fired: calibration, auc."),
        (
            {"fired": (Fired("drift", "Age has shifted."),)},
            "No alarm that asks for it has fired: calibration, auc (but drift, which "
            "`retrain.when` does not name).",
        ),
        ({"monitored": ""}, "The champion was not monitored yet: run `trial monitor` first."),
        (
            {"monitored": "b2"},
            "The newest monitoring is of b2, but the champion is a1: run `trial monitor` again.",
        ),
        (
            {"champion": "", "monitored": ""},
            "There is no champion: run the pipeline first (`trial run`).",
        ),
        (
            {"answered": NOW - timedelta(days=31)},
            "For this alarm a retraining was started at 2024-05-01 12:00 UTC.",
        ),
    ],
)
def test_each_thing_alone_speaks_against_it(changed: dict[str, Any], reason: str) -> None:
    found = decide(RULES, replace(READY, **changed))
    assert not found.retrain
    assert found.reasons == (reason,)
    assert not found.is_for_people


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"fired": (OFF, MISSING)},
            f"{MISSING.reason} A feed is broken, which no training mends: repair it first.",
        ),
        (
            {"stopped": ("The gate stopped the scoring s1.",)},
            "The gate stopped the scoring s1. Look at the data first.",
        ),
    ],
)
def test_a_broken_feed_is_for_people_whatever_else_has_fired(
    changed: dict[str, Any], reason: str
) -> None:
    found = decide(RULES, replace(READY, **changed))
    assert not found.retrain
    assert found.is_for_people
    assert found.reasons == (reason,)


def test_all_that_speaks_against_it_is_said_at_once() -> None:
    found = decide(RULES, replace(READY, fired=(MISSING,), new_outcomes=5, running="r7"))
    assert len(found.reasons) == 4
    assert found.is_for_people


def test_a_schedule_needs_no_alarm_but_new_outcomes_and_time() -> None:
    rules = RULES.model_copy(update={"when": ("schedule",)})
    quiet = replace(READY, fired=())
    assert decide(rules, quiet).reasons == (
        "The study file asks for it without any alarm (`schedule`).",
        "100 new outcomes are known.",
    )
    assert not decide(rules, replace(quiet, new_outcomes=99)).retrain
    assert not decide(rules, replace(quiet, last_training=NOW)).retrain
    assert not decide(rules, replace(quiet, fired=(MISSING,))).retrain


def test_a_study_file_that_says_nothing_asks_for_nothing() -> None:
    assert study().retrain == RetrainRules()
    assert "retrain" not in study().to_content()
    found = decide(study().retrain, READY)
    assert not found.retrain
    assert found.reasons == ("The study file asks for no retraining (`retrain.when`).",)


def test_a_study_file_names_the_alarms() -> None:
    content = {"when": ["auc", "schedule"], "at_least_new_outcomes": 50}
    found = study(retrain=content | {"not_more_often_than": "1 day"}).retrain
    assert found.when == ("auc", "schedule")
    assert found.interval == timedelta(days=1)
    assert RetrainRules().interval == timedelta(days=30)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"when": ["auc", "missing"]}, "a broken feed, which no training mends"),
        ({"when": ["weather"]}, "'calibration', 'auc', 'drift', 'risk_drift' or 'schedule'"),
        ({"at_least_new_outcomes": 0}, "greater than or equal to 1"),
        ({"not_more_often_than": "0 days"}, "String should match pattern"),
        ({"not_more_often_than": "a month"}, "String should match pattern"),
    ],
)
def test_other_rules_are_refused(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        RetrainRules.model_validate(content)


def test_the_rules_change_no_evaluation_and_no_example() -> None:
    plain, ruled = study(), study(retrain={"when": ["auc"]})
    assert part_for_examples(plain) == part_for_examples(ruled)
    assert settings_of(plain, 1, 2, False).digest == settings_of(ruled, 1, 2, False).digest
