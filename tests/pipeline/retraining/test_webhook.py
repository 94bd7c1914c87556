"""The webhook: who may ask, what is read of an alert, and that one alarm starts one run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.errors import UserError
from pipeline.outputs.output import Within
from pipeline.outputs.register import outputs_within
from pipeline.results.trail import Actor
from pipeline.retraining.policy import Fired, Situation
from pipeline.retraining.start import LocalStart
from pipeline.retraining.webhook import Retraining, create_app
from pipeline.runs.registry import Registry
from pipeline.service.tokens import Tokens
from tests.pipeline.runs.governed import add
from tests.pipeline.service.running import problem, running
from tests.pipeline.service.test_routes import served
from tests.pipeline.study.hand_made_study import study

TOKEN = "of grafana"
OTHER = "of a client"
TOKENS = Tokens(
    {
        hashlib.sha256(TOKEN.encode()).hexdigest(): "admin",
        hashlib.sha256(OTHER.encode()).hexdigest(): "predict",
    }
)
RULES = {"when": ["calibration"], "at_least_new_outcomes": 10, "not_more_often_than": "7 days"}
OFF = Fired("calibration", "Predictions are off.")


@dataclass
class Starts:
    """Counts the runs that were started."""

    fails: bool = False
    go_on: bool = False
    running: str = ""
    started: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> str:
        if self.fails:
            raise UserError("Kubeflow does not answer.")
        with self._lock:
            self.started += 1
            self.running = "of 2024-07-01 10:00 UTC" if self.go_on else ""
        return f"r{self.started}"


@dataclass
class Asking:
    """A webhook that listens."""

    client: httpx.Client
    starts: Starts
    registry: str
    known: Situation

    def send(self, *alerts: dict[str, Any], token: str = TOKEN) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.post("/retrain", json={"alerts": alerts}, headers=headers)

    @property
    def trail(self) -> list[str]:
        return [str(e.action) for e in Registry(self.registry).book("hand").entries()][2:]


def alert(fingerprint: str = "ab12", status: str = "firing", **labels: str) -> dict[str, Any]:
    """An alert as Grafana sends it."""
    return {
        "status": status,
        "fingerprint": fingerprint,
        "startsAt": "2024-07-01T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "labels": {"alertname": "Calibration", **labels},
        "annotations": {"summary": "Predictions are off"},
        "generatorURL": "https://grafana.example.org/alerting",
        "values": None,
    }


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    registry = str(tmp_path / "registry")
    champion = add(registry, tmp_path, "first", study="hand").entry.id
    later = datetime.now(UTC) + timedelta(days=8)
    found = Asking(
        None,  # type: ignore[arg-type]
        Starts(),
        registry,
        Situation(later, "", champion, (OFF,), new_outcomes=20),
    )
    retraining = Retraining(
        registry,
        study(retrain=RULES),
        Actor(account="hook@server"),
        found.starts,
        lambda _: found.known,
    )
    with running(create_app(retraining, TOKENS)) as client:
        found.client = client
        yield found


def test_an_alert_starts_a_run_and_the_trail_says_which(asking: Asking) -> None:
    answer = asking.send(alert(study="hand"))
    assert answer.status_code == 202
    assert answer.json() == {
        "retrain": True,
        "reasons": ["Predictions are off.", "20 new outcomes are known."],
        "is_for_people": False,
        "run": "r1",
    }
    entry = Registry(asking.registry).book("hand").entries()[-1]
    assert entry.action == "retraining_started"
    assert entry.asked_by == ("ab12@2024-07-01T10:00:00+00:00",)
    assert entry.actor.account == "hook@server"


def test_the_same_alert_again_starts_nothing(asking: Asking) -> None:
    assert asking.send(alert()).status_code == 202
    # Longer ago than `not_more_often_than`: only that it is the same speaks against it.
    asking.known = replace(asking.known, now=asking.known.now + timedelta(days=30))
    for _ in range(2):
        again = asking.send(alert())
        assert again.status_code == 200
        assert "For this alarm a retraining was started" in again.json()["reasons"][0]
    assert asking.starts.started == 1
    assert asking.send(alert("cd34")).status_code == 202
    assert asking.starts.started == 2


def test_alerts_at_the_same_moment_start_one_run(asking: Asking) -> None:
    asking.starts.go_on = True
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(asking.send(alert(f"{n:02x}")).status_code)
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 7 + [202]
    assert asking.starts.started == 1


def test_while_its_run_goes_on_no_other_is_started(asking: Asking) -> None:
    asking.starts.go_on = True
    assert asking.send(alert()).status_code == 202
    assert asking.send(alert("cd34")).json()["reasons"] == [
        "The run of 2024-07-01 10:00 UTC of this study is under way."
    ]
    asking.starts.running = ""
    assert asking.send(alert("cd34")).status_code == 202


def test_a_broken_feed_starts_nothing_and_is_for_people(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    asking.known = replace(asking.known, fired=(OFF, Fired("missing", "CRP is missing.")))
    answer = asking.send(alert())
    assert answer.status_code == 200
    assert answer.json()["is_for_people"]
    assert asking.starts.started == 0
    assert asking.trail == ["retraining_declined"]
    (said,) = [r for r in caplog.records if r.name == "pipeline.retraining.webhook"]
    assert said.levelname == "WARNING"
    assert "A feed is broken" in said.getMessage()


@pytest.mark.parametrize(
    "sent", [alert(status="resolved"), alert(study="another"), alert("ab", "resolved")]
)
def test_what_is_over_or_on_another_study_asks_for_nothing(
    asking: Asking, sent: dict[str, Any]
) -> None:
    answer = asking.send(sent)
    assert answer.status_code == 200
    assert answer.json()["reasons"] == ["No alert on this study is firing."]
    assert asking.trail == []


@pytest.mark.parametrize(("token", "status"), [("", 401), ("guess", 401), (OTHER, 403)])
def test_who_has_no_token_of_an_operator_starts_nothing(
    asking: Asking, token: str, status: int
) -> None:
    problem(asking.send(alert(), token=token), status)
    assert (asking.starts.started, asking.trail) == (0, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"alerts": 1}',
        json.dumps({"alerts": [alert("../x")]}).encode(),
        json.dumps({"alerts": [alert() | {"startsAt": "yesterday"}]}).encode(),
        json.dumps({"alerts": [alert()] * 1_001}).encode(),
    ],
)
def test_what_grafana_does_not_send_is_refused(asking: Asking, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    problem(asking.client.post("/retrain", content=body, headers=headers), 400)
    assert (asking.starts.started, asking.trail) == (0, [])


def test_a_large_body_is_not_read(asking: Asking) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    problem(asking.client.post("/retrain", content=b" " * (2**20 + 1), headers=headers), 413)


def test_a_run_that_can_not_be_started_is_tried_again_at_the_next_alert(asking: Asking) -> None:
    asking.starts.fails = True
    problem(asking.send(alert()), 503)
    assert asking.trail == ["retraining_started", "retraining_failed"]
    asking.starts.fails = False
    assert asking.send(alert()).status_code == 202


def test_routes_are_those_of_the_register(asking: Asking) -> None:
    retraining = Retraining(
        asking.registry, study(), Actor(account=""), asking.starts, lambda _: asking.known
    )
    places = {place for output in outputs_within(Within.WEBHOOK) for place in output.places}
    assert set(served(create_app(retraining, TOKENS).routes)) == places
    assert asking.client.get("/health").json() == {"study": "hand"}


def test_a_webhook_without_tokens_is_refused(asking: Asking) -> None:
    retraining = Retraining(
        asking.registry, study(), Actor(account=""), asking.starts, lambda _: asking.known
    )
    with pytest.raises(UserError, match=r"name the accepted tokens \(--tokens FILE\)"):
        create_app(retraining, Tokens({}))


def test_a_process_of_its_own_runs_trial_run(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []
    popen = subprocess.Popen

    def begin(command: list[str], **given: Any) -> Any:
        begun.append(command)
        assert given == {"start_new_session": True}
        return popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, **given)

    monkeypatch.setattr(subprocess, "Popen", begin)
    start = LocalStart(["--study", "hand"])
    assert start.running == ""
    assert start.running == "" != start() == start.running
    assert begun == [[sys.executable, "-m", "pipeline.cli", "run", "--study", "hand"]]
    process = start._process
    assert process
    process.communicate(b"\n")
    assert start.running == ""
