"""A model that would drop a task of the champion, through evaluation, push and registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.results.registration import RegisteredModel
from pipeline.runs.entries import served_tasks
from pipeline.runs.registry import Registry
from tests.whole_runs import LENIENT, SMALL, Run, run_pipeline, study_copy

pytestmark = pytest.mark.slow

WORSENING_FAILS = [
    {"metric": "auc", "tasks": ["worsening"], "at_least": 0.999},
    {"metric": "auc", "tasks": ["response", "hepatic_ae"], "at_least": 0.3},
]
"""Thresholds that refuse one task that the champion serves."""


def _night(folder: Path, name: str, changes: Mapping[Sequence[str], Any], steps: int) -> Run:
    """A run on the same root as the others, of a model of its own."""
    study = study_copy(folder / name, LENIENT | dict(changes))
    arguments = ("--study", str(study), "--subjects", str(SMALL), "--steps", str(steps))
    run = run_pipeline(folder / "runs", *arguments)
    assert run.code == 0, run.terminal + run.errors
    return run


def _champion(run: Run) -> RegisteredModel:
    found = Registry(str(run.root / "registry")).champion(run.study)
    assert found is not None
    return found


def _served(model: RegisteredModel) -> list[str]:
    return sorted(served_tasks(model.model_uri) or ())


def _pushed(run: Run) -> list[str]:
    """Versions that servers of TensorFlow models can load, and what Pusher pushed."""
    serving = run.root / run.study / "serving"
    return sorted(str(path.relative_to(serving)) for path in serving.rglob("saved_model.pb"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dropped")


@pytest.fixture(scope="module")
def first(folder: Path) -> tuple[Run, RegisteredModel, list[str]]:
    """The run of the champion, which serves all tasks, and what was pushed."""
    run = _night(folder, "study", {}, steps=40)
    return run, _champion(run), _pushed(run)


@pytest.fixture(scope="module")
def refused(
    first: tuple[Run, RegisteredModel, list[str]],
) -> tuple[Run, RegisteredModel, list[str]]:
    """A run whose model would not serve `worsening`; the champion and what was pushed after it."""
    run = _night(first[0].root.parent, "fewer", {("thresholds",): WORSENING_FAILS}, steps=50)
    return run, _champion(run), _pushed(run)


def test_a_model_that_drops_a_task_does_not_become_the_champion(
    first: tuple[Run, RegisteredModel, list[str]],
    refused: tuple[Run, RegisteredModel, list[str]],
) -> None:
    assert _served(first[1]) == ["hepatic_ae", "response", "worsening"]
    assert {task: found["verdict"] for task, found in refused[0].verdict["tasks"].items()} == {
        "worsening": "refused",
        "response": "blessed",
        "hepatic_ae": "blessed",
    }
    assert not refused[0].verdict["blessed"]
    assert refused[1:] == first[1:]


def test_the_reason_names_the_task_and_the_setting_that_allows_it(
    refused: tuple[Run, RegisteredModel, list[str]],
) -> None:
    run = refused[0]
    assert run.verdict["dropped_tasks"] == ["worsening"]
    reason = run.file_of("ModelRegistrar", "registration", "registration.json")["reason"]
    title = "First worsening on study days 29 to 180"
    for text in (reason, run.terminal):
        assert f"would not serve {title}, which the champion serves" in text
        assert "drop_tasks: allowed" in text


def test_where_the_study_file_allows_it_the_model_becomes_the_champion(
    folder: Path, refused: tuple[Run, RegisteredModel, list[str]]
) -> None:
    changes: dict[Any, Any] = {
        ("thresholds",): WORSENING_FAILS,
        ("evaluation",): {**LENIENT[("evaluation",)], "drop_tasks": "allowed"},
    }
    run = _night(folder, "allowed", changes, steps=50)

    assert run.verdict["blessed"]
    assert _champion(run).id != refused[1].id
    assert _served(_champion(run)) == ["hepatic_ae", "response"]
    assert set(_pushed(run)) - set(refused[2])
