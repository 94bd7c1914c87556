"""The compiled package, run task by task, each in a container of the real image."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from tests.kubeflow.image_build import ContainerCommands
from tests.kubeflow.spec_walker import Walker
from tests.kubeflow.walks import KEY, Trial, Walked, by_key, walk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def volume(trial: Trial) -> Trial:
    """The trial with a registry and a store of its own."""
    own = dataclasses.replace(trial, folder=trial.folder / "containers")
    own.shared.mkdir(parents=True)
    return own


@pytest.fixture(scope="module")
def walked(volume: Trial, image: str) -> Walked:
    mounted = [volume.data, volume.shared]
    commands = ContainerCommands(image, {"TRIAL_SUBJECT_KEY": KEY}, mounted)
    return walk(volume, Walker(volume.folder / "backend", commands))


def test_every_metric_is_the_local_runners(
    walked: Walked, local_metrics: list[dict[str, Any]]
) -> None:
    records = walked.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    found, local = by_key(records), by_key(local_metrics)
    assert set(found) == set(local)
    for key, record in local.items():
        for name in ("value", "lower", "upper"):
            ours, theirs = found[key][name], record[name]
            assert (ours is None) == (theirs is None), key
            assert ours is None or math.isclose(ours, theirs, abs_tol=1e-6), (key, name)


def test_the_model_is_registered_on_the_mounted_volume(walked: Walked, volume: Trial) -> None:
    registration = walked.document("ModelRegistrar", "registration", "registration.json")
    assert registration["registered"] is True
    assert list((volume.shared / "registry" / "synthetic" / "history").glob("*.json"))
