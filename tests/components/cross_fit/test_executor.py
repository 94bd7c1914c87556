"""CrossFit on hand-made subjects; the models of the folds are trained once for all tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import Predictions, TrialRejects
from components.cross_fit import executor as module
from components.cross_fit.settings import CrossFitSettings
from pipeline.errors import UserError
from pipeline.names import FOLDS, SUBJECT_HASH
from pipeline.results.evaluation_plan import PLAN_FILE, SPLIT_PLAN, EvaluationPlan
from pipeline.results.final_fit import FINAL_FIT_FILE, FinalFit
from pipeline.results.predictions import read_predictions
from tests.trainer.trainer_study import INPUTS, example, subjects, transform
from trainer.calibration import Calibration
from trainer.cross_fit import OutOfFold, cross_fit
from trainer.examples import read_encoding
from trainer.final_fit import fit_on_all
from trainer.fit import Fitted
from trainer.model import resolve
from trainer.serving import save
from trainer.subjects import read_subjects

COUNT, REPEATS = 240, 2
SETTINGS = CrossFitSettings(
    numeric=INPUTS.numeric,
    categorical=INPUTS.categorical,
    tasks=INPUTS.tasks,
    hyperparameters={"members": 4, "width": 8, "depth": 1, "max_epochs": 3, "batch_size": 64},
)
PLAN = EvaluationPlan(scheme="cross_fit", requested="auto", folds=5, repeats=REPEATS)


def folds_of(subject: int) -> list[int]:
    """Fold of a subject in each repeat."""
    return [subject % 5, subject // 5 % 5]


def subject_hash(subject: int) -> bytes:
    return f"{subject:032x}".encode()


@dataclasses.dataclass(frozen=True)
class Trial:
    """A trial as CrossFit finds it, and the final model of the same procedure."""

    examples: Path
    graph: Path
    fitted: Fitted
    model: Path
    out_of_fold: OutOfFold


def _write_examples(rows: list[dict[str, Any]], path: Path) -> None:
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as writer:
        for number, row in enumerate(rows):
            found = tf.train.Example.FromString(example(row))
            found.features.feature[SUBJECT_HASH].bytes_list.value.append(subject_hash(number))
            found.features.feature[FOLDS].int64_list.value.extend(folds_of(number))
            writer.write(found.SerializeToString())


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("cross_fit")
    rows = subjects(COUNT)
    _write_examples(rows, folder / "examples" / "Split-train" / "data_tfrecord-00000-of-00001.gz")
    transform(rows, INPUTS, folder / "graph")
    graph = tft.TFTransformOutput(str(folder / "graph"))
    read = read_subjects([f"{folder}/examples/Split-train/*"], graph, INPUTS, REPEATS)
    encoding = read_encoding(graph, INPUTS)
    hyper = resolve(COUNT, chosen=SETTINGS.hyperparameters)
    fitted = fit_on_all(read.arrays, encoding, hyper, seed=1)
    save(fitted, graph, INPUTS, str(folder / "model" / "Format-Serving"))
    out_of_fold = cross_fit(read.arrays, read.folds, encoding, hyper, seed=1)
    return Trial(folder / "examples", folder / "graph", fitted, folder / "model", out_of_fold)


@dataclasses.dataclass(frozen=True)
class Stage:
    """CrossFit with its inputs."""

    trial: Trial
    folder: Path

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions"

    def save(self, fitted: Fitted) -> Path:
        """Saves a final model; returns the folder of the artifact."""
        graph = tft.TFTransformOutput(str(self.trial.graph))
        save(fitted, graph, INPUTS, str(self.folder / "model" / "Format-Serving"))
        return self.folder / "model"

    def execute(
        self, model: Path | None = None, plan: EvaluationPlan = PLAN, **more: Artifact
    ) -> None:
        (self.folder / "rejects").mkdir()
        (self.folder / "rejects" / PLAN_FILE).write_text(plan.model_dump_json())
        examples = _artifact(standard_artifacts.Examples(), self.trial.examples)
        examples.split_names = artifact_utils.encode_split_names(["train", "eval", "test"])
        inputs = {
            "examples": examples,
            "transform_graph": _artifact(standard_artifacts.TransformGraph(), self.trial.graph),
            "rejects": _artifact(TrialRejects(), self.folder / "rejects"),
            "model": _artifact(standard_artifacts.Model(), model or self.trial.model),
            **more,
        }
        module.Executor().Do(
            {key: [artifact] for key, artifact in inputs.items()},
            {"predictions": [_artifact(Predictions(), self.predictions)]},
            {"settings": SETTINGS.to_json(), "seed": 1, "steps": 0, "source": ""},
        )


def _artifact(artifact: Artifact, folder: Path) -> Artifact:
    artifact.uri = str(folder)
    return artifact


@pytest.fixture
def stage(trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(module, "cross_fit", lambda *_: trial.out_of_fold)
    return Stage(trial, tmp_path)


def test_every_subject_is_predicted_in_each_repeat_with_its_fold(stage: Stage) -> None:
    stage.execute()

    found = read_predictions(str(stage.predictions))

    assert list(found.of) == ["challenger"]
    assert list(found.of["challenger"]) == ["death", "ae"]
    folds = {
        (bytes(subject), int(repeat)): int(fold)
        for subject, repeat, fold in zip(found.subjects, found.repeat, found.fold, strict=True)
    }
    assert folds == {
        (subject_hash(subject), repeat): fold
        for subject in range(COUNT)
        for repeat, fold in enumerate(folds_of(subject))
    }
    for values in found.of["challenger"].values():
        assert np.all((values > 0) & (values < 1))


def test_the_final_model_of_the_procedure_is_compared_and_passes(stage: Stage) -> None:
    stage.execute()

    found = FinalFit.model_validate_json((stage.predictions / FINAL_FIT_FILE).read_text())

    assert set(found.tasks) == {"death", "ae"}
    for agreement in found.tasks.values():
        assert set(agreement.departures) == {"shift", "spread", "correlation"}


def _with_half_the_slope(fitted: Fitted) -> Fitted:
    slopes = tuple(slope / 2 for slope in fitted.calibration.slopes)
    return dataclasses.replace(
        fitted, calibration=Calibration(slopes, fitted.calibration.intercepts)
    )


class _Swapped(tf.Module):  # type: ignore[misc]
    """A model whose first two numbers are swapped."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def __call__(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        numbers, codes = inputs
        order = [1, 0, *range(2, numbers.shape[1])]
        return self.model((tf.gather(numbers, order, axis=1), codes), training=training)


def _with_a_swapped_column(fitted: Fitted) -> Fitted:
    return dataclasses.replace(fitted, model=_Swapped(fitted.model))


@pytest.mark.parametrize(
    ("wrong", "measure"),
    [(_with_half_the_slope, "spread"), (_with_a_swapped_column, "correlation")],
)
def test_a_fault_of_the_final_model_alone_fails_the_stage_before_the_push(
    wrong: Callable[[Fitted], Fitted], measure: str, stage: Stage
) -> None:
    with pytest.raises(UserError, match=rf"death: {measure} .* is not pushed"):
        stage.execute(stage.save(wrong(stage.trial.fitted)))


def test_under_split_nothing_is_predicted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cross_fit", lambda *_: pytest.fail("the folds were trained"))
    stage.execute(plan=SPLIT_PLAN)

    found = read_predictions(str(stage.predictions))
    assert len(found.subjects) == 0
    assert list(found.of["challenger"]) == ["death", "ae"]
    assert not (stage.predictions / FINAL_FIT_FILE).exists()
