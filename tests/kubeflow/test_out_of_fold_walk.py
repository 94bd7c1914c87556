"""The package of a cross-fitted trial, walked in the environment that the local run has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.kubeflow.conftest import package_of
from tests.kubeflow.spec_walker import Commands, Walker
from tests.kubeflow.walks import Trial, Walked, deviations, walk

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
    compared, deviating = deviations(walked, local_out_of_fold_metrics, lambda _: 1e-6)
    assert compared > 0
    assert deviating == []
