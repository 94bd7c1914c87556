"""The compiled package of a validation, run task by task as Kubeflow Pipelines would run it.

The registered model is made by hand and the registry starts with it alone.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.results.registration import RegisteredModel
from pipeline.runs.registry import Registry
from pipeline.store.sqlite_file import sqlite_address
from tests.components.registered_model.hand_made_model import (
    STUDY,
    content_of,
    register_by_hand,
)
from tests.each import each
from tests.kubeflow.spec_walker import REPOSITORY, Commands, Walker
from tests.kubeflow.walks import Walked
from tests.shifted_trial import SHIFT, SUBJECTS, expected_metrics, write_trial
from tests.whole_runs import SUBJECT_KEY, environment

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Validation:
    """A validation that was walked.

    Attributes:
        walked: Its tasks.
        data: Folder of the trial's data.
        registry: Root of the registry.
        before: Content of the registry before it.
        model: The registered model.
    """

    walked: Walked
    data: Path
    registry: Path
    before: dict[str, bytes]
    model: RegisteredModel

    def metric(self, name: str) -> dict[str, Any]:
        """A metric of all subjects."""
        records = self.walked.document("TrialEvaluator", "verdict", "metrics.json")["records"]
        (found,) = [
            record
            for record in records
            if (record["metric"], record["slice"], record["model"]) == (name, {}, "challenger")
        ]
        return dict(found)


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    folder = tmp_path_factory.mktemp("validation")
    (folder / "trained").mkdir()
    registry = folder / "registry"
    model = register_by_hand(registry, folder / "trained")
    before = content_of(registry)
    study = write_trial(folder / "second")
    surroundings = environment(TRIAL_SUBJECT_KEY=SUBJECT_KEY, TF_CPP_MIN_LOG_LEVEL="3")
    compiled = subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.cli", "compile", "--validate", "--study", study),
            *("--update", "recalibration_in_the_large", "--out", folder / "packages"),
        ],
        cwd=REPOSITORY,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    walker = Walker(folder / "backend", Commands(surroundings))
    tasks = walker.run(
        Path(compiled.stdout.splitlines()[0]).read_text(),
        {
            "data_root": str(study.parent),
            "registry_root": str(registry),
            "metrics_store": sqlite_address(folder / "store.sqlite"),
        },
    )
    return Validation(Walked(walker, tasks), study.parent, registry, before, model)


def test_the_metrics_are_those_of_the_models_predictions(validation: Validation) -> None:
    assert validation.metric("auc")["subjects"] == SUBJECTS
    for name, value in each(expected_metrics(validation.data).items()):
        assert validation.metric(name)["value"] == pytest.approx(value, abs=1e-6), name


def test_recalibration_in_the_large_recovers_the_shift(validation: Validation) -> None:
    found = validation.walked.document("ExternalValidation", "validation", "validation.json")
    (task,) = found["tasks"]
    intercept = task["updates"][0]["intercept"]
    assert intercept["lower"] < SHIFT < intercept["upper"]


def test_the_page_is_an_artifact_that_kubeflow_shows(validation: Validation) -> None:
    page = validation.walked.output("ExternalValidation", "html").read_text()
    assert "External validation of a registered model" in page


def test_an_updated_model_is_registered_beside_the_champion(validation: Validation) -> None:
    registry = Registry(str(validation.registry))
    (updated,) = registry.updates(STUDY)
    assert updated.origin is not None
    assert (updated.origin.model, updated.origin.study) == (validation.model.id, "second")
    assert registry.champion(STUDY) == validation.model
    after = content_of(validation.registry)
    assert {name: after[name] for name in validation.before} == validation.before


def test_the_store_has_it_as_a_validation(validation: Validation) -> None:
    with closing(sqlite3.connect(validation.registry.parent / "store.sqlite")) as store:
        runs = store.execute("SELECT study, kind FROM runs").fetchall()
        stages = store.execute("SELECT stage, status FROM stages").fetchall()
        models = store.execute("SELECT model_study, model FROM validations").fetchall()
    assert runs == [("second", "validation")]
    assert dict(stages) == dict.fromkeys(validation.walked.tasks, "done")
    assert models == [(STUDY, validation.model.id)]


def test_the_model_says_which_one_it_is_from_task_to_task(validation: Validation) -> None:
    handed = validation.walked.tasks["TrialEvaluator"].handed["inputs"]["artifacts"]["model"]
    assert json.dumps(handed).count(validation.model.id) == 1
