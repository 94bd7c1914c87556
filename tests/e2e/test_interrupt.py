"""A run that a person interrupts."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole_runs import (
    LENIENT,
    SMALL,
    Run,
    accept_signals,
    command,
    environment,
    small_run,
    study_copy,
)

_LONGEST_WAIT = 600


def _wait_for(condition: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + _LONGEST_WAIT
    while not condition():
        assert child.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < end, "the run did not get that far"
        time.sleep(0.1)


def _interrupted(root: Path, *arguments: str, when: Callable[[], bool]) -> Run:
    """Starts a run and interrupts it as soon as a condition is met."""
    start = time.monotonic()
    child = subprocess.Popen(
        command(root, *arguments),
        cwd=root.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=accept_signals,
    )
    try:
        _wait_for(when, child)
        child.send_signal(signal.SIGINT)
        terminal, errors = child.communicate(timeout=60)
    finally:
        child.kill()
    return Run(child.returncode, terminal, errors, root, "synthetic", time.monotonic() - start)


def test_before_the_first_stage_one_line_and_130(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    run = _interrupted(root, "--subjects", "100000", when=(root / "data").exists)
    assert run.code == 130
    assert run.terminal.splitlines()[-1] == "Interrupted before the first stage."
    assert "Traceback" not in run.terminal + run.errors


@pytest.mark.slow
def test_during_training_the_stage_is_recorded_as_interrupted_and_a_rerun_goes_on(
    tmp_path: Path,
) -> None:
    study = study_copy(tmp_path / "study", LENIENT)
    long = ("--study", str(study), "--subjects", str(SMALL), "--steps", "20000")
    root = tmp_path / "runs"

    def trains() -> bool:
        logs = [path.read_text(errors="replace") for path in root.glob("logs/*.log")]
        # The reference models, which are fitted beside it, report their progress alike.
        of_trainer = [log.partition("INFO trainer.run: rows")[2] for log in logs]
        return any("INFO trainer.run: training" in log for log in of_trainer)

    run = _interrupted(root, *long, when=trains)

    assert run.code == 130
    assert "✗ Trainer" in run.terminal
    assert "Interrupted. Rerun the same command to continue" in run.terminal
    assert "Traceback" not in run.terminal + run.errors
    assert run.stages["Trainer"]["status"] == "interrupted"
    assert run.stages["Trainer"]["error"] == "interrupted"
    assert not list((root / "synthetic" / "artifacts" / "Trainer").glob("model/*"))

    again = small_run(root, study)
    assert again.code == 0, again.terminal
    finished = {stage for stage, status in run.statuses.items() if status == "done"}
    cached = {stage for stage, status in again.statuses.items() if status == "cached"}
    assert cached == finished
    assert "Transform" in cached
    assert again.statuses["Trainer"] == "done"
