"""The package of a cross-fitted trial, walked in the environment that the local run has."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from tests.each import each
from tests.kubeflow.conftest import package_of
from tests.kubeflow.spec_walker import Commands, Walker
from tests.kubeflow.walks import Trial, Walked, by_key, walk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def walked(out_of_fold_trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    folder: Path = tmp_path_factory.mktemp("out_of_fold_walk")
    package = package_of(out_of_fold_trial.study, folder / "packages")
    trial = dataclasses.replace(out_of_fold_trial, folder=folder, package=package)
    return walk(trial, Walker(folder / "backend", Commands(trial.environment)))


def test_every_metric_and_interval_is_the_local_runners(
    walked: Walked, local_out_of_fold_metrics: list[dict[str, Any]]
) -> None:
    records = walked.document("TrialEvaluator", "verdict", "metrics.json")["records"]
    found, local = by_key(records), by_key(local_out_of_fold_metrics)
    assert set(found) == set(local)
    for key, record in each(local.items()):
        for name in ("value", "lower", "upper"):
            ours, theirs = found[key][name], record[name]
            assert (ours is None) == (theirs is None), (key, name)
            assert ours is None or math.isclose(ours, theirs, abs_tol=1e-6), (key, name)
