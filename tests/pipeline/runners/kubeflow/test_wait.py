"""Submitting under the study's name, and waiting for the run's end."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.pipeline.runners.kubeflow.test_submit import (
    RUN,
    Answer,
    Endpoint,
    endpoint,
    package,
    submitted,
)

__all__ = ["endpoint", "package", "submitted"]

STATE = f"GET /apis/v2beta1/runs/{RUN}"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_a_run_is_named_after_its_study(endpoint: Endpoint, submitted: Any) -> None:
    submitted()

    assert re.fullmatch(
        r"trial-tiny \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", endpoint.submitted["display_name"]
    )


@pytest.mark.parametrize(
    ("state", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("CANCELED", 1), ("SKIPPED", 1)]
)
def test_the_exit_code_says_how_the_run_ended(
    endpoint: Endpoint, submitted: Any, state: str, code: int
) -> None:
    endpoint.answers[STATE] = Answer(200, {"run_id": RUN, "state": state})

    assert submitted("--wait", "1")[0] == code


def test_a_run_that_goes_on_is_named_with_its_page(endpoint: Endpoint, submitted: Any) -> None:
    endpoint.answers[STATE] = Answer(200, {"run_id": RUN, "state": "RUNNING"})

    code, said = submitted("--wait", "0")

    assert code == 2
    assert f"runs/details/{RUN}: the run is running after 0 minutes" in said


def test_a_schedule_is_not_waited_for(submitted: Any) -> None:
    code, said = submitted("--wait", "1", "--cron", "0 3 * * *")

    assert code == 2
    assert "--cron" in said
