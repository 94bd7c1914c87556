"""Intervals and sets of the final model, and of the subjects that are evaluated."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.cross_fit.settings import CrossFitSettings
from pipeline.results.predictions import Predictions, write_predictions
from pipeline.results.uncertainty import UNCERTAINTY_FILE, UNCERTAINTY_FOLDER
from trainer.features import ModelInputs
from trainer.served_model import KeywordModel
from trainer.subjects import Subjects, read_subjects, slices_of
from trainer.uncertainty.model import Fit, Labelled, ModelUncertainty

logger = logging.getLogger(__name__)

Outputs = dict[str, list[Artifact]]


def write_out_of_fold(
    subjects: Subjects,
    probabilities: NDArray[np.float32],
    settings: CrossFitSettings,
    outputs: Outputs,
) -> None:
    """Fits to the out-of-fold predictions of the first repeat, in which each subject has one.

    The intervals and sets of a subject that is evaluated are fitted to the other folds.

    Args:
        subjects: All subjects.
        probabilities: Their out-of-fold predictions, `[subjects, repeats, tasks]`.
        settings: What CrossFit reads of the study.
        outputs: The outputs `predictions` and `uncertainty`.
    """
    labelled = _labelled(subjects, settings)
    fit = _fit(settings)
    fitted = fit(probabilities[:, 0], labelled)
    found = fit.cross_fitted(probabilities, subjects.folds, labelled, fitted)
    _write(fitted, True, subjects, subjects.folds, found, settings, outputs)


def write_on_split(
    model: str, examples: list[Artifact], settings: CrossFitSettings, outputs: Outputs
) -> None:
    """Fits to the final model's predictions of the `eval` split, which calibrates it too.

    Args:
        model: Folder of the final model.
        examples: The examples; intervals and sets of their `test` split are written.
        settings: What CrossFit reads of the study.
        outputs: The outputs `predictions` and `uncertainty`.
    """
    served = KeywordModel.load(model)
    calibrating, test = (_read(examples, split, settings) for split in ("eval", "test"))

    def predicted(subjects: Subjects) -> NDArray[np.float32]:
        return served.probabilities(subjects.serialized, settings.tasks)

    fitted = _fit(settings)(predicted(calibrating), _labelled(calibrating, settings))
    parts = fitted(predicted(test), slices_of(test.serialized, _columns(settings)))
    found = {part: values[:, np.newaxis] for part, values in parts.items()}
    _write(fitted, False, test, np.zeros((len(test), 1), np.int16), found, settings, outputs)


def _write(
    fitted: ModelUncertainty,
    out_of_fold: bool,
    subjects: Subjects,
    folds: NDArray[Any],
    found: dict[str, NDArray[np.float32]],
    settings: CrossFitSettings,
    outputs: Outputs,
) -> None:
    document = fitted.to_document(out_of_fold)
    for task, of_task in document.tasks.items():
        if of_task.why_not:
            logger.warning("Task %s: %s", task, of_task.why_not)
    of_model, of_subjects = (
        artifact_utils.get_single_uri(outputs[key]) for key in ("uncertainty", "predictions")
    )
    io_utils.write_string_file(f"{of_model}/{UNCERTAINTY_FILE}", document.model_dump_json())
    rows = Predictions.of_repeats(subjects.hashes, folds, found, settings.tasks)
    write_predictions(f"{of_subjects}/{UNCERTAINTY_FOLDER}", rows)


def _read(examples: list[Artifact], split: str, settings: CrossFitSettings) -> Subjects:
    files = artifact_utils.get_split_uri(examples, split)
    inputs = ModelInputs(settings.numeric, settings.categorical, settings.tasks)
    return read_subjects([f"{files}/*"], None, inputs, 0)


def _labelled(subjects: Subjects, settings: CrossFitSettings) -> Labelled:
    return Labelled(
        subjects.arrays.labels,
        subjects.arrays.weights,
        slices_of(subjects.serialized, _columns(settings)),
    )


def _fit(settings: CrossFitSettings) -> Fit:
    return Fit(settings.tasks, settings.slicings, settings.smallest_group)


def _columns(settings: CrossFitSettings) -> list[str]:
    return sorted({name for slicing in settings.slicings for name in slicing})
