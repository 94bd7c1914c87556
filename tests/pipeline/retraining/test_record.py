"""A retraining is decided on and recorded at once, and not twice for the same alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.results.trail import Actor
from pipeline.retraining import record
from pipeline.retraining.policy import Decision, Fired, Situation
from pipeline.retraining.record import Asked, ask, note_failed_start
from pipeline.runs.registry import Registry
from pipeline.runs.trail import extend as extend_trail
from pipeline.runs.verify import verify
from pipeline.study.study import Study
from tests.pipeline.runs.governed import add
from tests.pipeline.study.hand_made_study import study

ADA = Asked(Actor(account="ada@ward"))
HOOK = Actor(account="hook@server")
RULES = {"when": ["calibration"], "at_least_new_outcomes": 10, "not_more_often_than": "7 days"}
LATER = datetime.now(UTC) + timedelta(days=8)


@pytest.fixture
def ruled() -> Study:
    return study(retrain=RULES)


@pytest.fixture
def registry(tmp_path: Path) -> str:
    root = str(tmp_path / "registry")
    add(root, tmp_path, "first", study="hand")
    return root


@pytest.fixture
def ready(registry: str) -> Situation:
    champion = Registry(registry).champion("hand")
    assert champion
    return Situation(
        LATER, "", champion.id, (Fired("calibration", "Predictions are off."),), new_outcomes=20
    )


def alerted(*names: str) -> Asked:
    return Asked(HOOK, names)


def recorded(registry: str) -> list[tuple[str, str]]:
    entries = Registry(registry).book("hand").entries()
    return [(e.action, e.reason) for e in entries if e.action.startswith("retraining")]


def test_the_trail_says_who_started_it_and_why(
    registry: str, ruled: Study, ready: Situation
) -> None:
    before = Registry(registry).champion_token("hand")
    assert ask(registry, ruled, ADA, ready).retrain
    entry = Registry(registry).book("hand").entries()[-1]
    assert (entry.action, entry.actor, entry.asked_by) == ("retraining_started", ADA.actor, ())
    assert entry.reason == "Predictions are off. 20 new outcomes are known."
    assert entry.study_digest == ruled.digest()
    # Neither champion nor cache of later runs change by it.
    assert Registry(registry).champion_token("hand") == before
    assert not verify(registry, "hand").problems


def test_a_model_that_was_registered_lately_is_not_trained_again(
    registry: str, ruled: Study, ready: Situation
) -> None:
    found = ask(registry, ruled, ADA, replace(ready, now=datetime.now(UTC)))
    assert not found.retrain
    assert "The last training was at" in found.text
    assert recorded(registry) == [("retraining_declined", found.text)]


def test_the_same_refusal_is_recorded_once(registry: str, ruled: Study, ready: Situation) -> None:
    few = replace(ready, new_outcomes=5)
    for outcomes in (5, 5, 6, 5):
        assert not ask(registry, ruled, ADA, replace(few, new_outcomes=outcomes)).retrain
    assert [reason for _, reason in recorded(registry)] == [
        f"Of 10 new outcomes that are needed {n} are known." for n in (5, 6, 5)
    ]


def test_an_alarm_starts_one_run_however_often_it_comes(
    registry: str, ruled: Study, ready: Situation
) -> None:
    assert ask(registry, ruled, alerted("a@1"), ready).retrain
    much_later = replace(ready, now=LATER + timedelta(days=8))
    again = ask(registry, ruled, alerted("a@1"), much_later)
    assert not again.retrain
    assert "For this alarm a retraining was started at" in again.text
    assert not ask(registry, ruled, alerted("a@1"), much_later).retrain
    # Another one, or the same that had gone and came back.
    assert ask(registry, ruled, alerted("a@1", "b@1"), much_later).retrain
    assert not ask(registry, ruled, alerted("b@1"), much_later).retrain


def test_a_refused_alarm_may_start_a_run_later(
    registry: str, ruled: Study, ready: Situation
) -> None:
    assert not ask(registry, ruled, alerted("a@1"), replace(ready, new_outcomes=5)).retrain
    assert ask(registry, ruled, alerted("a@1"), ready).retrain


def test_the_next_one_is_not_started_too_soon(
    registry: str, ruled: Study, ready: Situation
) -> None:
    now = replace(ready, now=LATER)
    assert ask(registry, ruled, ADA, now).retrain
    # The entry has the time of the test: seven days after it are over at LATER.
    soon = replace(ready, now=datetime.now(UTC) + timedelta(days=6))
    assert "the next is not before" in ask(registry, ruled, ADA, soon).text


def test_a_run_that_could_not_be_started_does_not_count(
    registry: str, ruled: Study, ready: Situation
) -> None:
    assert ask(registry, ruled, alerted("a@1"), ready).retrain
    note_failed_start(registry, ruled, alerted("a@1"), "Kubeflow does not answer.")
    assert recorded(registry)[-1] == ("retraining_failed", "Kubeflow does not answer.")
    assert ask(registry, ruled, alerted("a@1"), ready).retrain
    assert not ask(registry, ruled, alerted("a@1"), ready).retrain


def test_of_two_who_ask_at_once_one_starts_a_run(
    registry: str, ruled: Study, ready: Situation, monkeypatch: pytest.MonkeyPatch
) -> None:
    extend, others = extend_trail, list[Decision]()

    def slow(*given: object) -> object:
        if not others:
            others.append(Decision(False, ()))
            others.append(ask(registry, ruled, alerted("a@1"), ready))
        return extend(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(record, "extend", slow)
    mine = ask(registry, ruled, alerted("a@1"), ready)
    assert others[1].retrain
    assert not mine.retrain
    assert [action for action, _ in recorded(registry)] == [
        "retraining_started",
        "retraining_declined",
    ]


def test_a_registry_without_models_stays_as_it_is(
    tmp_path: Path, ruled: Study, ready: Situation
) -> None:
    root = tmp_path / "empty"
    found = ask(str(root), ruled, ADA, replace(ready, monitored=""))
    assert found.reasons[0].startswith("There is no champion")
    assert not (root / "hand" / "champion.json").exists()


def test_where_the_study_asks_for_nothing_nothing_is_recorded(
    registry: str, ready: Situation
) -> None:
    assert not ask(registry, study(), ADA, ready).retrain
    assert not recorded(registry)
