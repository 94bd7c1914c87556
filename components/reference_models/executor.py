"""Fits the reference models and predicts the subjects that the evaluation is about."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow_transform as tft
from numpy.typing import NDArray
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.reference_models.settings import ReferenceModelsSettings
from pipeline.names import BASE_RATE
from pipeline.results.evaluation_plan import EvaluationPlan, read_plan
from pipeline.results.held_back import held_references
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.results.reference_models import (
    REFERENCE_MODELS_FILE,
    ReferenceModels,
)
from pipeline.results.release import read_release
from trainer.examples import read_encoding
from trainer.features import ModelInputs
from trainer.reference_folds import (
    MOST_SUBJECTS,
    Found,
    ReferenceSubjects,
    predict_out_of_fold,
    predict_split,
)
from trainer.run import throttled_progress
from trainer.subjects import Subjects, read_subjects
from trainer.transformation import Transformation

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of ReferenceModels."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the predictions, and how the models were fitted.

        Args:
            input_dict: `examples`, `transform_graph`, `rejects`.
            output_dict: `predictions`: its folder gets `predictions.parquet` and
                `reference_models.json`.
            exec_properties: The parameters of the component.

        Raises:
            UserError: The examples can't be used.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = ReferenceModelsSettings.from_json(exec_properties["settings"])
        plan = read_plan(artifact_utils.get_single_uri(input_dict["rejects"]))
        run = _OutOfFold if plan.out_of_fold else _OnSplit
        predictions, found = run(input_dict, settings, exec_properties["seed"], plan).predict()
        folder = artifact_utils.get_single_uri(output_dict["predictions"])
        write_predictions(folder, predictions)
        record = ReferenceModels(models={name: model.record for name, model in found.items()})
        if read_release(artifact_utils.get_single_uri(input_dict["rejects"])).is_held_back:
            record = held_references(record)
        io_utils.write_string_file(
            f"{folder}/{REFERENCE_MODELS_FILE}", record.model_dump_json(indent=1)
        )


class _Run:
    """What both schemes read."""

    def __init__(
        self,
        input_dict: dict[str, list[Artifact]],
        settings: ReferenceModelsSettings,
        seed: int,
        plan: EvaluationPlan,
    ) -> None:
        self._examples = input_dict["examples"]
        graph = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        self._inputs = ModelInputs(settings.numeric, settings.categorical, settings.tasks)
        self._settings, self._seed, self._plan = settings, seed, plan
        self._graph, self._encoding = graph, read_encoding(graph, self._inputs)

    @cached_property
    def _transformation(self) -> Transformation:
        return Transformation(self._graph, self._inputs)

    def _read(
        self, *splits: str, features: bool = True, only: NDArray[np.bytes_] | None = None
    ) -> Subjects:
        folders = [artifact_utils.get_split_uri(self._examples, split) for split in splits]
        return read_subjects(
            [f"{folder}/*" for folder in folders],
            self._transformation if features else None,
            self._inputs,
            self._plan.repeats,
            only,
        )

    def _table(
        self, subjects: Subjects, folds: NDArray[Any], found: dict[str, Found]
    ) -> Predictions:
        of = {name: model.probabilities for name, model in found.items()}
        return Predictions.of_repeats(subjects.hashes, folds, of, self._settings.tasks)

    def _log(self, split: str, subjects: Subjects) -> None:
        logger.info("rows", extra={"rows": {"split": split, "subjects": len(subjects)}})


class _OutOfFold(_Run):
    """Every subject is predicted by models that never saw it."""

    def predict(self) -> tuple[Predictions, dict[str, Found]]:
        subjects = self._read("train", features=bool(self._settings.models))
        self._log("train", subjects)
        found = predict_out_of_fold(
            _as_read(subjects),
            subjects.folds,
            self._encoding,
            (BASE_RATE, *self._settings.models),
            self._seed,
            throttled_progress(),
        )
        return self._table(subjects, subjects.folds, found), found


class _OnSplit(_Run):
    """The test split is predicted by models of the other two."""

    def predict(self) -> tuple[Predictions, dict[str, Found]]:
        fitted = self._settings.models
        train = self._read("train", "eval", features=False)
        test = self._read("test", features=bool(fitted))
        self._log("train", train)
        self._log("test", test)
        found = self._predict_with(train, test, (BASE_RATE,))
        if fitted:
            pseudonyms = np.sort(train.hashes.astype(bytes))[:MOST_SUBJECTS]
            found |= self._predict_with(self._read("train", "eval", only=pseudonyms), test, fitted)
        return self._table(test, np.zeros((len(test), 1), np.int16), found), found

    def _predict_with(
        self, train: Subjects, test: Subjects, names: tuple[str, ...]
    ) -> dict[str, Found]:
        return predict_split(
            _as_read(train),
            _as_read(test),
            self._encoding,
            names,
            self._seed,
            throttled_progress(),
        )


def _as_read(subjects: Subjects) -> ReferenceSubjects:
    return ReferenceSubjects(subjects.arrays, subjects.arms, subjects.hashes)
