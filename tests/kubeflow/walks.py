"""What the tests that walk a compiled package share."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lock_differences import is_stepped
from pipeline.results.reference_models import TITLES
from pipeline.runners.kubeflow.pods import joined
from pipeline.store.sqlite_file import sqlite_address
from tests.kubeflow.spec_walker import REPOSITORY, TaskRun, Walker
from tests.whole_runs import SUBJECT_KEY

SUBJECTS = 600
SEED = 7
STEPS = 40
STORE = "store.sqlite"
FORM = {"steps": STEPS, "seed": 11}

WITHOUT_CHAMPION: set[tuple[str, str | None]] = {
    ("challenger", None),
    *((model, None) for model in TITLES),
    *(("difference", model) for model in TITLES),
}
"""Model and `versus` of the metrics of a run that has no champion."""

ALL = WITHOUT_CHAMPION | {("champion", None), ("difference", None)}
"""The same of a run that has one."""


PODS = {
    "Preparation": ["CuratedSchema", "StatisticsGen", "ExampleValidator", "DataGate"],
    "Publication": ["BlessedModel", "ModelCard", "ModelRegistrar", "RunPage", "MetricsExporter"],
}
"""Tasks that share a pod, where some do."""


@dataclass(frozen=True)
class Trial:
    """What runs have in common.

    Attributes:
        folder: Where they write.
        data: The trial's data.
        study: The study file.
        package: The compiled package, as YAML.
    """

    folder: Path
    data: Path
    study: Path
    package: str

    @property
    def shared(self) -> Path:
        """What the runs share: the registry of models and the SQL store."""
        return self.folder / "shared"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TRIAL_SUBJECT_KEY": SUBJECT_KEY,
            "PYTHONPATH": str(REPOSITORY),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }


@dataclass(frozen=True)
class Walked:
    """A walk that has ended."""

    walker: Walker
    tasks: dict[str, TaskRun]

    def output(self, task: str, name: str) -> Path:
        return self.walker.content(self.tasks[task].artifacts[name].uri)

    def document(self, task: str, name: str, file: str) -> Any:
        return json.loads((self.output(task, name) / file).read_text())

    @property
    def in_own_pods(self) -> Walked:
        """The walk as if every stage had had a pod of its own."""
        stages = {name: task for name, task in self.tasks.items() if name not in PODS}
        for pod, members in PODS.items():
            for stage in members:
                made = {
                    name.removeprefix(joined(stage, "")): artifact
                    for name, artifact in self.tasks[pod].artifacts.items()
                    if name.startswith(joined(stage, ""))
                }
                stages[stage] = dataclasses.replace(self.tasks[pod], artifacts=made)
        return Walked(self.walker, stages)

    @property
    def ran(self) -> set[str]:
        return {name for name, task in self.tasks.items() if not task.cached}


def walk(trial: Trial, walker: Walker) -> Walked:
    form = {
        "data_root": str(trial.data),
        "registry_root": str(trial.shared / "registry"),
        "metrics_store": sqlite_address(trial.shared / STORE),
        **FORM,
    }
    return Walked(walker, walker.run(trial.package, form))


def roles(records: list[dict[str, Any]]) -> set[tuple[str, str | None]]:
    return {(record["model"], record["versus"]) for record in records}


STEPPED = "in steps"


def deviations(
    walked: Walked, local_metrics: list[dict[str, Any]], bound: Callable[[str], float]
) -> tuple[int, list[tuple[Any, ...]]]:
    """Metrics of a walk beside those of the local run, with the ends of their intervals.

    Args:
        walked: The walk.
        local_metrics: Records of the local run.
        bound: By how much a metric of a name may differ.

    Returns:
        Metrics of both, and the keys of those that one lacks or that differ by more; numbers of
        groups that are shown in steps are with `STEPPED`.
    """
    records = walked.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    found, local = by_key(records), by_key(local_metrics)
    deviating = [*(set(found) ^ set(local))]
    shared = set(found) & set(local)
    for key in shared:
        for name in ("value", "lower", "upper"):
            ours, theirs = found[key][name], local[key][name]
            same = (
                ours is theirs
                if ours is None or theirs is None
                else math.isclose(ours, theirs, abs_tol=bound(local[key]["metric"]))
            )
            if not same:
                steps = local[key]["slice"] and ours and theirs and is_stepped(ours, theirs)
                deviating.append((*key, name, *([STEPPED] if steps else [])))
    return len(shared), deviating


def by_key(records: list[dict[str, Any]]) -> dict[tuple[Any, ...], Any]:
    names = ("task", "metric", "decision_threshold", "model", "versus")
    found = {
        (*(record[name] for name in names), *sorted(record["slice"].items())): record
        for record in records
    }
    assert len(found) == len(records)
    return found
