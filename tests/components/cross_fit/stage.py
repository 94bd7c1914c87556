"""CrossFit on hand-made subjects."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.artifact import Artifact

from components.artifact_types import ModelUncertainty, Predictions, TrialRejects
from components.cross_fit import executor as module
from components.cross_fit.settings import CrossFitSettings
from pipeline.names import FOLDS, SUBJECT_HASH, slice_key
from pipeline.results.evaluation_plan import PLAN_FILE, EvaluationPlan
from tests.trainer.trainer_study import INPUTS, example
from trainer.cross_fit import OutOfFold
from trainer.fit import Fitted
from trainer.serving import save
from trainer.transformation import Transformation

COUNT, REPEATS = 240, 2
SETTINGS = CrossFitSettings(
    numeric=INPUTS.numeric,
    categorical=INPUTS.categorical,
    tasks=INPUTS.tasks,
    hyperparameters={"members": 4, "width": 8, "depth": 1, "max_epochs": 3, "batch_size": 64},
    slicings=(("sex",),),
    smallest_group=10,
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


def write_examples(rows: list[dict[str, Any]], path: Path) -> None:
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions("GZIP")) as writer:
        for number, row in enumerate(rows):
            found = tf.train.Example.FromString(example(row))
            found.features.feature[SUBJECT_HASH].bytes_list.value.append(subject_hash(number))
            found.features.feature[FOLDS].int64_list.value.extend(folds_of(number))
            found.features.feature[slice_key("sex")].bytes_list.value.extend(row["sex"])
            writer.write(found.SerializeToString())


@dataclasses.dataclass(frozen=True)
class Stage:
    """CrossFit with its inputs."""

    trial: Trial
    folder: Path

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions"

    @property
    def uncertainty(self) -> Path:
        return self.folder / "uncertainty"

    def save(self, fitted: Fitted) -> Path:
        """Saves a final model; returns the folder of the artifact."""
        graph = tft.TFTransformOutput(str(self.trial.graph))
        save(fitted, Transformation(graph, INPUTS), str(self.folder / "model" / "Format-Serving"))
        return self.folder / "model"

    def execute(
        self,
        model: Path | None = None,
        plan: EvaluationPlan = PLAN,
        tune: bool = False,
        **more: Artifact,
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
            {
                "predictions": [_artifact(Predictions(), self.predictions)],
                "uncertainty": [_artifact(ModelUncertainty(), self.uncertainty)],
            },
            {
                "settings": SETTINGS.to_json(),
                "seed": 1,
                "steps": 0,
                "tune": int(tune),
            },
        )


def _artifact(artifact: Artifact, folder: Path) -> Artifact:
    artifact.uri = str(folder)
    return artifact
