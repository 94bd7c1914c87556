"""What the tests of Kubeflow share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.synthetic.trial import SyntheticTrial
from pipeline.synthetic.write import write
from tests.kubeflow.image_build import build_image, remove_image
from tests.kubeflow.spec_walker import REPOSITORY
from tests.kubeflow.walks import FORM, SEED, STEPS, SUBJECTS, Trial


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


@pytest.fixture(scope="session")
def local_metrics(trial: Trial) -> list[dict[str, Any]]:
    """Records of the metrics of the trial's run on this machine, without a champion."""
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
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of the image of the tasks, really built."""
    yield build_image(tmp_path_factory.mktemp("image"))
    remove_image()
