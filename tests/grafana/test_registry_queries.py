"""What the board on registered models asks of the store."""

from __future__ import annotations

from typing import Any

import pytest

from grafana.queries import registry
from tests.pipeline.store.hand_made_monitoring import CHALLENGER, MODEL
from tests.pipeline.store.hand_made_registry import NEWER

pytestmark = pytest.mark.usefixtures("filled")


def test_each_model_has_its_stage_of_now_with_the_run_that_made_it(ask: Any) -> None:
    found = [
        (row["model"], row["stage"], row["run"], row["verdict"], row["not_promoted"])
        for row in ask(registry.MODELS)
    ]

    assert found == [
        (MODEL, "champion", "r1", "blessed", ""),
        (NEWER, "candidate", "r9", "not recorded", "a person decides"),
        (CHALLENGER, "candidate", "r2", "refused", "a person decides"),
    ]


def test_each_change_of_the_champion_says_who_decided_it(ask: Any) -> None:
    found = [(row["champion"], row["how"], row["actor"]) for row in ask(registry.CHAMPIONS)]

    assert found == [
        (MODEL, "rolled back", "Grace (grace@ward)"),
        (CHALLENGER, "promoted", "Ada (ada@ward)"),
        (MODEL, "promoted", "run r1"),
    ]


def test_what_was_decided_on_a_model_is_shown_with_the_reasons(ask: Any) -> None:
    found = [(row["decision"], row["reason"]) for row in ask(registry.DECISIONS)]

    assert found[:2] == [("rolled back", "probabilities are too high"), ("promoted", "")]
    assert [row["not_promoted"] for row in ask(registry.DECISIONS, registered=NEWER)] == [
        "a person decides"
    ]


def test_the_champion_is_chosen_first_and_what_came_after_it_waits(ask: Any) -> None:
    assert ask(registry.CHAMPION) == [{"champion": MODEL}]
    assert [row["value"] for row in ask(registry.REGISTERED)] == [MODEL, NEWER, CHALLENGER]
    assert ask(registry.CANDIDATES) == [{"models": 1}]
    assert ask(registry.SINCE_CHANGE)[0]["days"] > 0


def test_a_study_without_a_registered_model_shows_nothing(ask: Any) -> None:
    for query in (registry.CHAMPION, registry.CANDIDATES, registry.MODELS, registry.CHAMPIONS):
        assert ask(query, study="another") == []
