"""Predicts out of fold, and compares the final model with the models of the folds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow_transform as tft
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.cross_fit.settings import CrossFitSettings
from components.cross_fit.uncertainty import write_on_split, write_out_of_fold
from pipeline.log_odds import log_odds
from pipeline.names import CHALLENGER
from pipeline.results.evaluation_plan import read_plan
from pipeline.results.final_fit import FINAL_FIT_FILE
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.results.release import read_release
from pipeline.results.tuning import TUNING_FILE, TunedSet, Tuning
from trainer.agreement import FoldLogits, compare, require_agreement
from trainer.cross_fit import OutOfFold, cross_fit
from trainer.examples import read_encoding
from trainer.features import ModelInputs
from trainer.model import Hyperparameters, resolve
from trainer.run import throttled_progress
from trainer.search_space import SPACE, other_sets
from trainer.subjects import Subjects, read_subjects, served_logits
from trainer.transformation import Transformation

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of CrossFit."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the predictions, and how the final model agrees with them.

        Args:
            input_dict: `examples`, `transform_graph`, `rejects` and `model`.
            output_dict: `predictions`: its folder gets `predictions.parquet` and, out of fold,
                `final_fit.json`, where hyperparameters are tuned `tuning.json`, and below
                `uncertainty/` the intervals and sets of the subjects that are evaluated.
                `uncertainty`: its folder gets `uncertainty.json` with those of the final model.
            exec_properties: The parameters of the component.

        Raises:
            UserError: The final model departs from the models of the folds, or the examples can't
                be used.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = CrossFitSettings.from_json(exec_properties["settings"])
        folder = artifact_utils.get_single_uri(output_dict["predictions"])
        plan = read_plan(artifact_utils.get_single_uri(input_dict["rejects"]))
        if not plan.out_of_fold:
            write_predictions(folder, _empty(settings))
            write_on_split(_model(input_dict), input_dict["examples"], settings, output_dict)
            return
        graph = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        files = artifact_utils.get_split_uri(input_dict["examples"], plan.evaluated_split)
        inputs = _inputs(settings)
        subjects = read_subjects(
            [f"{files}/*"], Transformation(graph, inputs), inputs, plan.repeats
        )
        logger.info("rows", extra={"rows": {"split": "train", "subjects": len(subjects)}})
        sets = _sets(len(subjects), settings, exec_properties)
        found = _cross_fit(subjects, graph, settings, sets, exec_properties)
        if exec_properties["tune"]:
            tuning = _tuning(sets, found, settings)
            io_utils.write_string_file(f"{folder}/{TUNING_FILE}", tuning.model_dump_json(indent=1))
        predictions = Predictions.of_repeats(
            subjects.hashes, subjects.folds, {CHALLENGER: found.probabilities}, settings.tasks
        )
        write_predictions(folder, predictions)
        is_shown = not read_release(
            artifact_utils.get_single_uri(input_dict["rejects"])
        ).is_held_back
        _check_final_model(
            subjects, found, _model(input_dict), settings, folder if is_shown else None
        )
        write_out_of_fold(subjects, found.probabilities, settings, output_dict)


def _model(input_dict: dict[str, list[Artifact]]) -> str:
    return path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["model"]))


def _inputs(settings: CrossFitSettings) -> ModelInputs:
    return ModelInputs(settings.numeric, settings.categorical, settings.tasks)


def _empty(settings: CrossFitSettings) -> Predictions:
    empty = np.zeros(0, np.int16)
    return Predictions(
        subjects=np.zeros(0, object),
        repeat=empty,
        fold=empty,
        of={CHALLENGER: {task: np.zeros(0, np.float32) for task in settings.tasks}},
    )


def _cross_fit(
    subjects: Subjects,
    graph: tft.TFTransformOutput,
    settings: CrossFitSettings,
    sets: Sequence[Hyperparameters],
    exec_properties: dict[str, Any],
) -> OutOfFold:
    first, *others = sets
    return cross_fit(
        subjects.arrays,
        subjects.folds,
        read_encoding(graph, _inputs(settings)),
        first,
        exec_properties["seed"],
        exec_properties["steps"] or None,
        throttled_progress(),
        others,
    )


def _sets(
    subjects: int, settings: CrossFitSettings, exec_properties: dict[str, Any]
) -> tuple[Hyperparameters, ...]:
    """What the procedures choose among, that of a run without tuning first."""
    chosen = settings.hyperparameters
    first = resolve(subjects, chosen=chosen)
    if not exec_properties["tune"]:
        return (first,)
    return (first, *other_sets(first, chosen, exec_properties["seed"]))


def _tuning(
    sets: Sequence[Hyperparameters], found: OutOfFold, settings: CrossFitSettings
) -> Tuning:
    searched = [name for name in SPACE if name not in settings.hyperparameters]
    counts = np.bincount(found.chosen, minlength=len(sets))
    return Tuning(
        sets=tuple(
            TunedSet(
                hyperparameters={name: getattr(item, name) for name in searched},
                procedures=int(count),
            )
            for item, count in zip(sets, counts, strict=True)
        )
    )


def _check_final_model(
    subjects: Subjects,
    found: OutOfFold,
    model: str,
    settings: CrossFitSettings,
    folder: str | None,
) -> None:
    agreement = compare(
        served_logits(model, subjects, settings.tasks),
        FoldLogits(found.logits.astype(np.float64), found.trained),
        log_odds(found.probabilities).mean(axis=1),
        settings.tasks,
    )
    if folder is not None:
        text = agreement.model_dump_json(indent=1)
        io_utils.write_string_file(f"{folder}/{FINAL_FIT_FILE}", text)
    require_agreement(agreement)
