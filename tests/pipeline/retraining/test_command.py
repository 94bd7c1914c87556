"""`trial retrain`: what it decides, says and starts."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from pipeline.cli.main import main
from pipeline.runners.local import run as local
from pipeline.runners.local.outcome import RunOutcome
from pipeline.runs import trail
from pipeline.runs.registry import Registry
from tests.pipeline.retraining.hand_made import TOO_LOW, alarm, monitored, monitoring
from tests.pipeline.runners.kubeflow.test_submit import RUN, Endpoint, endpoint, package
from tests.pipeline.runs.governed import add
from tests.pipeline.service.processes import until
from tests.pipeline.study.hand_made_study import STUDY
from tests.whole_runs import environment

__all__ = ["endpoint", "package"]

RULES = {"when": ["calibration"], "at_least_new_outcomes": 100, "not_more_often_than": "1 day"}


class Place:
    """A root with a champion that was registered two days ago, and a study file.

    Args:
        folder: Folder for all.
        patched: Sets the clock of the registration back.
    """

    def __init__(self, folder: Path, patched: pytest.MonkeyPatch) -> None:
        self.root = folder / "runs"
        self.study = folder / "study.yaml"
        self.study.write_text(yaml.safe_dump(yaml.safe_load(STUDY) | {"retrain": RULES}))

        class Earlier(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.now(tz) - timedelta(days=2)

        with patched.context() as then:
            then.setattr(trail, "datetime", Earlier)
            self.registry = str(self.root / "registry")
            self.champion = add(self.registry, folder, "first", study="hand").entry.id

    def monitor(self, *kinds: str) -> None:
        found = monitoring(
            self.champion, *(alarm(kind, reason=f"{kind} {TOO_LOW}") for kind in kinds)
        )
        monitored(self.root, f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}", found)

    @property
    def trail(self) -> list[str]:
        entries = Registry(self.registry).book("hand").entries()
        return [e.action for e in entries if e.action.startswith("retraining")]

    def ask(self, *further: str) -> int:
        return main(["retrain", str(self.study), "data", "--root", str(self.root), *further])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Settings of the runs that were started; none is run."""
    found: list[Any] = []

    def run(settings: Any) -> RunOutcome:
        found.append(settings)
        return RunOutcome("r1", "done", verdict="blessed")

    monkeypatch.setattr(local, "run", run)
    return found


def test_an_alarm_starts_the_pipeline_on_the_data(
    place: Place, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    place.monitor("calibration")
    assert place.ask("--steps", "7", "--json") == 0
    (settings,) = runs
    assert (settings.study, settings.data) == (str(place.study), "data")
    assert (settings.root, settings.steps) == (place.root, 7)
    said = json.loads(capsys.readouterr().out)
    assert (said["retrain"], said["run"], said["verdict"]) == (True, "r1", "blessed")
    assert said["why"] == [f"calibration {TOO_LOW}", "120 new outcomes are known."]
    assert place.trail == ["retraining_started"]


def test_the_second_one_waits(place: Place, runs: list[Any]) -> None:
    place.monitor("calibration")
    assert place.ask() == 0
    assert place.ask() == 0
    assert len(runs) == 1
    assert place.trail == ["retraining_started", "retraining_declined"]


def test_without_an_alarm_nothing_is_started(
    place: Place, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    place.monitor()
    assert place.ask() == 0
    assert not runs
    said = capsys.readouterr().out
    assert said == "No retraining: No alarm that asks for it has fired: calibration.\n"


def test_a_broken_feed_ends_as_something_to_fix(place: Place, runs: list[Any]) -> None:
    place.monitor("calibration", "missing")
    assert place.ask() == 2
    assert not runs
    assert place.trail == ["retraining_declined"]


def test_to_decide_alone_starts_and_records_nothing(
    place: Place, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    place.monitor("calibration")
    assert place.ask("--only-decide") == 0
    assert capsys.readouterr().out.startswith("Retraining: calibration")
    assert not runs
    assert place.trail == []


def test_a_run_is_submitted_to_kubeflow(
    place: Place, endpoint: Endpoint, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.monitor("calibration")
    given = ["--endpoint", endpoint.address, "--package", str(package), "--set", "steps=3"]
    assert place.ask(*given) == 0
    sent = endpoint.submitted["runtime_config"]["parameters"]
    assert sent == {"data_root": "data", "steps": 3}
    assert f"run {RUN}" in capsys.readouterr().out
    assert place.trail == ["retraining_started"]


def test_a_kubeflow_that_does_not_answer_is_asked_again_later(
    place: Place, package: Path, endpoint: Endpoint
) -> None:
    place.monitor("calibration")
    given = ["--package", str(package), "--set", "steps=3"]
    assert place.ask(*given, "--endpoint", "http://127.0.0.1:1") == 2
    assert place.trail == ["retraining_started", "retraining_failed"]
    assert place.ask(*given, "--endpoint", endpoint.address) == 0
    assert place.trail[2:] == ["retraining_started"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--endpoint", "http://h"], "needs both --endpoint and --package"),
        (["--package", "p.yaml"], "needs both --endpoint and --package"),
        (["--registry", "s3://models"], "--registry s3://models: a run that is started here"),
        (["--registry", "other"], "--registry other: a run that is started here registers"),
        (["--listen", "8090"], "--listen: expected HOST:PORT"),
        (["--listen", "127.0.0.1:0"], "name the accepted tokens (--tokens FILE)"),
        (["--listen", "127.0.0.1:0", "--only-decide"], "leave out --only-decide"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    place: Place, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.ask(*options) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_it_listens_and_starts_a_run_of_its_own(place: Place, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"admin {hashlib.sha256(b'secret').hexdigest()}\n")
    place.monitor("calibration")
    command = [sys.executable, "-m", "pipeline.cli", "retrain", str(place.study), "no such folder"]
    options = ["--root", str(place.root), "--listen", "127.0.0.1:0", "--tokens", str(tokens)]
    said = tmp_path / "said"

    def says(words: str) -> bool:
        return words in said.read_text(errors="replace")

    with (
        said.open("wb") as written,
        subprocess.Popen(
            [*command, *options], env=environment(), stdout=written, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            until(lambda: says("Alerts on hand are answered at"))
            (address,) = re.findall(r"answered at (http://\S+/retrain)", said.read_text())
            firing = {"status": "firing", "fingerprint": "ab", "startsAt": "2024-07-01T10:00:00Z"}
            answer = httpx.post(
                address,
                json={"alerts": [firing]},
                headers={"Authorization": "Bearer secret"},
                timeout=60,
            )
            assert answer.status_code == 202, answer.text
            # The run's process looks at its data first.
            until(lambda: says("no such folder"))
        finally:
            process.kill()
    assert place.trail == ["retraining_started"]
