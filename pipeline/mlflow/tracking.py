"""Runs of MLflow: one for each registered model, in the experiment of its study."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.documents import Document
from pipeline.mlflow.answers import (
    Nothing,
    Tag,
    changed,
    check_registry,
    found_or_made,
    tags_of,
    values_of,
)
from pipeline.mlflow.content import MODEL_TAG, REGISTRY_TAG, Mirrored
from pipeline.mlflow.server import MlflowError, Server

_AT_ONCE = 500
"""Metrics of one request, of which MLflow takes 1000."""

_PAGE = 500
_FINISHED = "FINISHED"


class _Experiment(Document):
    experiment_id: str
    lifecycle_stage: str = "active"
    tags: tuple[Tag, ...] = ()


class _ExperimentAnswer(Document):
    experiment: _Experiment


class _RunInfo(Document):
    run_id: str
    status: str


class _RunData(Document):
    tags: tuple[Tag, ...] = ()


class _Run(Document):
    info: _RunInfo
    data: _RunData = _RunData()


class _RunAnswer(Document):
    run: _Run


class _Runs(Document):
    runs: tuple[_Run, ...] = ()
    next_page_token: str = ""


def write_runs(
    server: Server, study: str, registry: str, models: Iterable[Mirrored]
) -> dict[str, str]:
    """Makes the runs that are missing and finishes those that are not finished.

    Args:
        server: The server.
        study: Name of the study.
        registry: The first model of the registry.
        models: What the runs are about.

    Returns:
        Ids of the runs, by model.

    Raises:
        MlflowError: The server can't be reached or refuses, or the experiment is another one's.
    """
    experiment = _experiment(server, study, registry)
    known = _known_runs(server, experiment)
    found = {}
    for model in models:
        run = known.get(model.model) or _new_run(server, experiment, model)
        if run.info.status != _FINISHED:
            _finish(server, run.info.run_id, model)
        different = changed(run.data.tags, model.run_tags)
        if different:
            content = {"run_id": run.info.run_id, "tags": tags_of(different)}
            server.post(Nothing, "runs/log-batch", content)
        found[model.model] = run.info.run_id
    return found


def _experiment(server: Server, study: str, registry: str) -> str:
    def find() -> _Experiment:
        given = {"experiment_name": study}
        return server.get(_ExperimentAnswer, "experiments/get-by-name", given).experiment

    def make() -> _Experiment:
        content = {"name": study, "tags": tags_of({REGISTRY_TAG: registry})}
        server.post(Nothing, "experiments/create", content)
        return find()

    found = found_or_made(find, make)
    if found.lifecycle_stage != "active":
        raise MlflowError(
            f"the experiment {study} was deleted there: restore it, or delete it for good."
        )
    check_registry(f"experiment {study}", found.tags, registry)
    return found.experiment_id


def _known_runs(server: Server, experiment: str) -> dict[str, _Run]:
    """Runs by model; of two that two writers have made at once, always the same one."""
    found: dict[str, _Run] = {}
    content: dict[str, Any] = {"experiment_ids": [experiment], "max_results": _PAGE}
    while True:
        page = server.post(_Runs, "runs/search", content)
        found.update((values_of(run.data.tags).get(MODEL_TAG, ""), run) for run in page.runs)
        if not page.next_page_token:
            return found
        content["page_token"] = page.next_page_token


def _new_run(server: Server, experiment: str, model: Mirrored) -> _Run:
    content = {
        "experiment_id": experiment,
        "run_name": model.name,
        "start_time": model.at,
        "tags": tags_of(model.run_tags),
    }
    return server.post(_RunAnswer, "runs/create", content).run


def _finish(server: Server, run: str, model: Mirrored) -> None:
    """Writes parameters and metrics, then that the run has ended: repeated, it changes nothing."""
    content = {"run_id": run, "params": tags_of(model.parameters)}
    server.post(Nothing, "runs/log-batch", content)
    metrics = [
        {"key": name, "value": value, "timestamp": model.at, "step": 0}
        for name, value in model.metrics.items()
    ]
    for start in range(0, len(metrics), _AT_ONCE):
        part = {"run_id": run, "metrics": metrics[start : start + _AT_ONCE]}
        server.post(Nothing, "runs/log-batch", part)
    ended = {"run_id": run, "status": _FINISHED, "end_time": model.at}
    server.post(Nothing, "runs/update", ended)
