"""What the tests of Kubeflow share."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.runners.kubeflow.settings import DEFAULT_SETTINGS
from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.kubeflow.delivery_jobs import checkout
from tests.kubeflow.image_build import TASKS, build_image, remove_image
from tests.kubeflow.spec_walker import REPOSITORY
from tests.kubeflow.walks import FORM, PODS, SEED, STEPS, SUBJECTS, Trial


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of a small synthetic trial; they stay as they are."""
    folder = tmp_path_factory.mktemp("kubeflow") / "data"
    write(SyntheticTrial(SUBJECTS, SEED), str(folder), ("--runner=FnApiRunner",))
    return folder


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Trial:
    """The trial evaluated on a test split."""
    folder = tmp_path_factory.mktemp("split")
    evaluation = {"scheme": "split", "default_thresholds": False}
    study = write_study(folder / "study", {"evaluation": evaluation})
    return Trial(folder, data, study, package_of(study, folder / "packages"))


@pytest.fixture(scope="session")
def out_of_fold_trial(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Trial:
    """The trial evaluated out of fold, in a checkout of its own; a person promotes its models.

    Delivery compiles its package.
    """
    folder = tmp_path_factory.mktemp("out_of_fold")
    study = checkout(folder / "checkout") / "schema" / "synthetic" / "study.yaml"
    evaluation = {"scheme": "cross_fit", "folds": 3, "repeats": 2, "default_thresholds": False}
    write_study(study.parent, {"evaluation": evaluation, "registry": {"promotion": "person"}})
    return Trial(folder, data, study, package="")


@pytest.fixture(scope="session")
def sharing_pods(trial: Trial) -> Trial:
    """The trial on a test split, in a package of which several tasks share a pod."""
    settings = yaml.safe_load(DEFAULT_SETTINGS.read_text()) | {"pods": PODS}
    file = trial.folder / "pods.yaml"
    file.write_text(yaml.safe_dump(settings))
    package = package_of(trial.study, trial.folder / "sharing_pods", "--settings", file)
    return dataclasses.replace(trial, package=package)


def write_study(folder: Path, changes: dict[str, Any]) -> Path:
    """Writes the shipped study for a small trial, which is blessed whatever it reaches.

    Args:
        folder: Where to.
        changes: Sections that differ besides.
    """
    folder.mkdir(exist_ok=True)
    shipped = REPOSITORY / "schema" / "synthetic"
    study = yaml.safe_load((shipped / "study.yaml").read_text())
    study["thresholds"] = [
        {"metric": "auc", "at_least": 0},
        {"metric": "auc", "at_least": -0.9, "versus": "champion"},
    ]
    study["slicing"]["smallest_group"] = 10
    written = folder / "study.yaml"
    written.write_text(yaml.safe_dump(study | changes, sort_keys=False))
    (folder / "schema.pbtxt").write_text((shipped / "schema.pbtxt").read_text())
    return written


def package_of(study: Path, out: Path, *options: str | Path) -> str:
    """The package that a study is compiled to."""
    ran = subprocess.run(
        [
            *(sys.executable, "kubeflow/compile.py"),
            *("--study", study, "--out", out, *options),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(ran.stdout.splitlines()[0]).read_text()


def run_locally(trial: Trial) -> list[dict[str, Any]]:
    """Records of the metrics of a trial's run on this machine, without a champion."""
    root = trial.folder / "local"
    subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.local_runner", "--study", trial.study),
            *("--data", trial.data, "--root", root),
            *("--steps", str(STEPS), "--seed", str(FORM["seed"])),
        ],
        cwd=REPOSITORY,
        env=trial.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = (root / "synthetic" / "artifacts" / "TrialEvaluator" / "verdict").glob("*")
    records: list[dict[str, Any]] = json.loads((found / "metrics.json").read_text())["records"]
    return records


@pytest.fixture(scope="session")
def local_metrics(trial: Trial) -> list[dict[str, Any]]:
    return run_locally(trial)


@pytest.fixture(scope="session")
def local_out_of_fold_metrics(out_of_fold_trial: Trial) -> list[dict[str, Any]]:
    return run_locally(out_of_fold_trial)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of the image of the tasks, really built."""
    build_image(tmp_path_factory.mktemp("image"))
    yield TASKS
    remove_image()
