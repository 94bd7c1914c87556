"""A challenger sees the requests, and only counts of differences leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel
from pipeline.results.trail import Actor
from pipeline.runs.changes import Change, retire, roll_back
from pipeline.runs.registry import Registry
from pipeline.service import shadow as shadow_module
from pipeline.service.answers import predict
from pipeline.service.app import create_app
from pipeline.service.follower import Follower
from pipeline.service.given import columns_of_rows
from pipeline.service.shadow import NEWEST, Shadow
from pipeline.service.telemetry import Telemetry
from tests.pipeline.service.hand_made import STUDY, SUBJECT, log_odds, register, risk
from tests.pipeline.service.running import running

CHANGE = Change(study=STUDY, actor=Actor(account="tester"), reason="a test")
GIVEN = columns_of_rows([SUBJECT])
CHAMPION = risk(log_odds(60, 30, "F", "Active"))
CHALLENGER = risk(log_odds(60, 30, "F", "Active", offset=1.0))


@pytest.fixture
def challenger(tmp_path: Path, saved_model: Path, other_model: Path) -> RegisteredModel:
    """A model that was registered after the champion."""
    register(tmp_path / "registry", saved_model, tmp_path)
    later = register(tmp_path / "registry", other_model, tmp_path, run="run-2")
    roll_back(str(tmp_path / "registry"), CHANGE)
    return later


@pytest.fixture
def registry(tmp_path: Path, challenger: RegisteredModel) -> Registry:
    assert challenger
    return Registry(str(tmp_path / "registry"))


def counted(client: httpx.Client, name: str) -> float:
    """A number of `/metrics`, once there is one."""
    for _ in range(10_000):
        lines = client.get("/metrics").text.splitlines()
        found = [line for line in lines if line.startswith(name)]
        if found:
            return float(found[0].split()[-1])
    pytest.fail(f"{name} is not counted")


def test_the_challenger_sees_the_request_and_the_champion_answers(
    registry: Registry, challenger: RegisteredModel
) -> None:
    app = create_app(Follower(registry, STUDY), seconds=0.01, shadow=NEWEST)
    with running(app) as client:
        # Until the challenger is loaded, what was answered is not seen.
        for _ in range(1000):
            answer = client.post("/predict", json={"subject": SUBJECT})
            if "trial_service_shadow_requests_total{" in client.get("/metrics").text:
                break
        count = (
            f'trial_service_shadow_difference_bucket{{id="{challenger.id}",le="%s",task="death"}}'
        )
        # The challenger predicts .58 where the champion predicts .34: the difference is .24.
        assert pytest.approx(0.24, abs=0.01) == CHALLENGER - CHAMPION
        assert counted(client, count % "0.5") >= 1
        assert counted(client, count % "0.2") == 0

    found = answer.json()
    assert found["predictions"]["death"]["probability"] == pytest.approx(CHAMPION, abs=1e-6)
    assert challenger.id not in answer.text


@pytest.fixture
def shadow(registry: Registry) -> Iterator[tuple[Shadow, Follower, Telemetry]]:
    follower = Follower(registry, STUDY)
    telemetry = Telemetry(follower)
    made = Shadow(registry, STUDY, NEWEST, telemetry)
    yield made, follower, telemetry
    made.close()


def test_a_request_that_would_wait_too_long_is_left_out(
    shadow: tuple[Shadow, Follower, Telemetry], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, follower, telemetry = shadow
    made.look()
    champion = follower.served.champion
    assert champion is not None
    answered, goes_on = predict(champion, GIVEN), threading.Event()

    def slow(*_: Any) -> Any:
        goes_on.wait(60)
        raise RuntimeError("a bug")

    monkeypatch.setattr(shadow_module, "predict", slow)
    for _ in range(103):
        made.see(answered, GIVEN)
    assert b'outcome="left_out"} 3.0' in telemetry.text()
    goes_on.set()


def test_a_bug_of_the_challenger_is_counted_and_its_message_stays_inside(
    shadow: tuple[Shadow, Follower, Telemetry],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made, follower, telemetry = shadow
    made.look()
    champion = follower.served.champion
    assert champion is not None
    done = threading.Event()

    def broken(*_: Any) -> Any:
        raise RuntimeError("the age 61.25")

    def note(outcome: str) -> None:
        Telemetry.note_shadow(telemetry, outcome)
        done.set()

    monkeypatch.setattr(shadow_module, "predict", broken)
    monkeypatch.setattr(telemetry, "note_shadow", note)
    made.see(predict(champion, GIVEN), GIVEN)
    assert done.wait(60)
    assert b'outcome="failed"} 1.0' in telemetry.text()
    assert "RuntimeError" in caplog.text
    assert "61.25" not in caplog.text


def test_a_retired_model_is_no_challenger(
    registry: Registry,
    challenger: RegisteredModel,
    shadow: tuple[Shadow, Follower, Telemetry],
    tmp_path: Path,
) -> None:
    made, _, _ = shadow
    made.look()
    assert made.challenger is not None
    assert made.challenger.entry.id == challenger.id
    retire(str(tmp_path / "registry"), CHANGE, challenger.id)
    made.look()
    assert made.challenger is None
    assert registry.champion(STUDY) is not None


def test_an_id_that_no_model_has_is_an_error(registry: Registry) -> None:
    follower = Follower(registry, STUDY)
    with pytest.raises(UserError, match="no registration has the id nothing"):
        create_app(follower, shadow="nothing")


def test_a_retired_model_is_refused_and_one_that_is_retired_later_is_stopped(
    registry: Registry, challenger: RegisteredModel, tmp_path: Path
) -> None:
    telemetry = Telemetry(Follower(registry, STUDY))
    made = Shadow(registry, STUDY, challenger.id, telemetry)
    made.look()
    assert made.challenger is not None
    retire(str(tmp_path / "registry"), CHANGE, challenger.id)
    made.look()
    assert made.challenger is None
    made.close()
    with pytest.raises(UserError, match=f"the model {challenger.id} is retired"):
        Shadow(registry, STUDY, challenger.id, telemetry)


def test_a_challenger_that_could_not_be_loaded_is_tried_again_at_the_next_look(
    shadow: tuple[Shadow, Follower, Telemetry],
    challenger: RegisteredModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made, _, _ = shadow
    model = Path(challenger.model_uri)
    model.rename(model.with_name("away"))
    made.look()
    assert made.challenger is None
    assert "No challenger sees the requests." in caplog.text
    model.with_name("away").rename(model)
    made.look()
    assert made.challenger is not None
    assert made.challenger.entry.id == challenger.id
