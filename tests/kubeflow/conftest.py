"""What the tests of Kubeflow share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.kubeflow.image_build import build_image, remove_image
from tests.kubeflow.spec_walker import REPOSITORY
from tests.kubeflow.walks import FORM, SEED, STEPS, SUBJECTS, Trial
from tests.processor_time import children_seconds


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """A small synthetic trial, compiled; its data stay as they are."""
    folder = tmp_path_factory.mktemp("kubeflow")
    data, study_folder = folder / "data", folder / "study"
    write(SyntheticTrial(SUBJECTS, SEED), str(data), ("--runner=FnApiRunner",))
    study_folder.mkdir()
    shipped = REPOSITORY / "schema" / "synthetic"
    study = yaml.safe_load((shipped / "study.yaml").read_text())
    # A small trial is blessed whatever it reaches, but compared with a champion.
    study["thresholds"] = [
        {"metric": "auc", "at_least": 0},
        {"metric": "auc", "at_least": -0.9, "versus": "champion"},
    ]
    # Only on a test split a challenger is compared with the champion.
    study["evaluation"] = {"scheme": "split", "default_thresholds": False}
    study["slicing"]["smallest_group"] = 10
    (study_folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    (study_folder / "schema.pbtxt").write_text((shipped / "schema.pbtxt").read_text())
    compiled = subprocess.run(
        [
            *(sys.executable, "kubeflow/compile.py"),
            *("--study", study_folder / "study.yaml", "--out", folder / "packages"),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    package = Path(compiled.stdout.splitlines()[0]).read_text()
    return Trial(folder, data, study_folder / "study.yaml", package)


@dataclass(frozen=True)
class LocalRun:
    """The trial's run on this machine, without a champion.

    Attributes:
        metrics: Records of its metrics.
        seconds: What it took of the processor.
    """

    metrics: list[dict[str, Any]]
    seconds: float


@pytest.fixture(scope="session")
def local_run(trial: Trial) -> LocalRun:
    root = trial.folder / "local"
    before = children_seconds()
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
    seconds = children_seconds() - before
    (found,) = (root / "synthetic" / "artifacts" / "TrialEvaluator" / "verdict").glob("*")
    return LocalRun(json.loads((found / "metrics.json").read_text())["records"], seconds)


@pytest.fixture(scope="session")
def local_metrics(local_run: LocalRun) -> list[dict[str, Any]]:
    return local_run.metrics


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of the image of the tasks, really built."""
    yield build_image(tmp_path_factory.mktemp("image"))
    remove_image()
