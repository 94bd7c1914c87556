"""The compiled package, run task by task, each in a container of the real image.

The trial is evaluated out of fold here; `test_walk.py` has the one on a test split.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.runners.kubeflow.record import RECORD
from tests.each import each
from tests.kubeflow.image_build import ContainerCommands
from tests.kubeflow.spec_walker import Walker
from tests.kubeflow.walks import Trial, Walked, by_key, walk
from tests.two_locks import bound
from tests.whole_runs import SUBJECT_KEY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def volume(out_of_fold_trial: Trial) -> Trial:
    """The trial with its registry and store, which containers mount."""
    out_of_fold_trial.shared.mkdir()
    return out_of_fold_trial


@pytest.fixture(scope="module")
def walked(volume: Trial, image: str) -> Walked:
    mounted = [volume.data, volume.shared]
    commands = ContainerCommands(image, {"TRIAL_SUBJECT_KEY": SUBJECT_KEY}, mounted)
    return walk(volume, Walker(volume.folder / "backend", commands))


def test_every_metric_is_the_local_runners_but_for_the_other_lock(
    walked: Walked, local_out_of_fold_metrics: list[dict[str, Any]]
) -> None:
    records = walked.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    found, local = by_key(records), by_key(local_out_of_fold_metrics)
    assert set(found) == set(local)
    for key, record in each(local.items()):
        for name in ("value", "lower", "upper"):
            ours, theirs = found[key][name], record[name]
            assert (ours is None) == (theirs is None), key
            assert ours is None or math.isclose(ours, theirs, abs_tol=bound(record["metric"])), (
                key,
                name,
            )


def test_every_subject_was_predicted_out_of_fold(walked: Walked) -> None:
    plan = walked.document("TrialExampleGen", "rejects", "evaluation.json")
    assert (plan["scheme"], plan["folds"], plan["repeats"]) == ("cross_fit", 3, 2)


def test_the_model_is_registered_on_the_mounted_volume(walked: Walked, volume: Trial) -> None:
    registration = walked.document("ModelRegistrar", "registration", "registration.json")
    assert registration["registered"] is True
    assert list((volume.shared / "registry" / "synthetic" / "history").glob("*.json"))


def test_the_log_of_a_task_is_short_and_ends_with_what_it_took(walked: Walked) -> None:
    for name, task in each(walked.tasks.items()):
        *before, last = task.log.splitlines()
        assert last.startswith(RECORD), name
        assert len(before) <= 40, (name, before)
        assert "Using Any for unsupported type" not in task.log, name
