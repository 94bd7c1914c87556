"""Writes the document and the page of an external validation."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.external_validation.case_mix import compare_case_mix, observed_rate
from components.external_validation.predictions import PredictedTask, predict
from components.external_validation.recalibration import (
    deal_folds,
    observed_to_expected,
    updates,
)
from components.external_validation.settings import ExternalValidationSettings
from components.file_artifacts import write_file_artifact
from pipeline.html.page import render
from pipeline.log_odds import log_odds
from pipeline.pages.validation import validation_page
from pipeline.pages.validation_result import ValidationResult
from pipeline.results.documents import Curves, Metrics, Verdict, read_result
from pipeline.results.outcomes import LEAST_EVENTS
from pipeline.results.titled_groups import with_titles
from pipeline.results.used_model import read_used_model, shown_model
from pipeline.results.validation import ExternalValidation, TaskValidation
from pipeline.titles import title_or_name
from pipeline.weights import mean_and_deviation

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of ExternalValidation."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Compares the case mix, and estimates what simple updates would gain.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `validation`: its folder gets `validation.json`. `html`: the page, a file.
            exec_properties: `settings`: `ExternalValidationSettings` as JSON; `fingerprint` and
                `code_version`.

        Raises:
            UserError: A file of another stage can't be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = ExternalValidationSettings.from_json(exec_properties["settings"])
        inputs = {
            key: artifact_utils.get_single_instance(found) for key, found in input_dict.items()
        }
        found = _validate(inputs, settings, exec_properties["fingerprint"])
        for warning in found.warnings:
            logger.warning("%s", warning)
        folder = artifact_utils.get_single_uri(output_dict["validation"])
        io_utils.write_string_file(
            f"{folder}/validation.json", found.model_dump_json(indent=1) + "\n"
        )
        verdict = inputs["verdict"].uri
        page = validation_page(
            ValidationResult(
                title=title_or_name(settings.study_name, settings.title),
                titles={task: title.title for task, title in settings.titles.items()},
                validation=found,
                metrics=with_titles(read_result(Metrics, verdict), settings.slicings),
                verdict=with_titles(read_result(Verdict, verdict), settings.slicings),
                curves=with_titles(read_result(Curves, verdict), settings.slicings),
                code_version=exec_properties["code_version"],
            )
        )
        write_file_artifact(artifact_utils.get_single_uri(output_dict["html"]), render(page))


def _validate(
    inputs: dict[str, Artifact], settings: ExternalValidationSettings, fingerprint: str
) -> ExternalValidation:
    subjects, predicted = predict(
        artifact_utils.get_split_uri([inputs["examples"]], "test"),
        path_utils.serving_model_path(inputs["model"].uri),
        list(settings.tasks),
    )
    logger.info("rows", extra={"rows": {"split": "test", "subjects": subjects}})
    training = _statistics(inputs["model_statistics"], "train")
    entry = read_used_model(inputs["registration"].uri)
    return ExternalValidation(
        model=shown_model(entry),
        study=settings.study_name,
        fingerprint=fingerprint,
        subjects=subjects,
        smallest_group=settings.smallest_group,
        case_mix=compare_case_mix(
            training,
            _statistics(inputs["statistics"], "test"),
            settings.numbers,
            settings.categories,
            settings.smallest_group,
            settings.features,
        ),
        tasks=tuple(
            task_validation(
                task, predicted[task], observed_rate(training, theirs, entry.metrics), settings
            )
            for task, theirs in settings.tasks.items()
        ),
        decision_thresholds={
            task: found for task, found in settings.decision_thresholds.items() if found
        },
    )


def task_validation(
    task: str,
    predicted: PredictedTask,
    rate_in_training: float | None,
    settings: ExternalValidationSettings,
) -> TaskValidation:
    """What the validation says of a task.

    Args:
        task: The task.
        predicted: Its subjects with a known label.
        rate_in_training: Share with the outcome in the training data; None where it is not known.
        settings: What ExternalValidation reads of the study.
    """
    subjects = len(predicted.outcome)
    theirs = settings.tasks[task]
    if subjects < settings.smallest_group:
        return TaskValidation(task=task, model_task=theirs, subjects=None, positives=None)
    logit = log_odds(predicted.probability)
    logit_mean, logit_sd = mean_and_deviation(logit, predicted.weight)
    positives = int(predicted.outcome.sum())
    fold = (
        deal_folds(list(predicted.hashes), predicted.outcome)
        if min(positives, subjects - positives) >= LEAST_EVENTS
        else None
    )
    found = (
        ()
        if fold is None
        else updates(
            logit,
            predicted.outcome,
            fold,
            settings.decision_thresholds[task],
            predicted.weight,
        )
    )
    return TaskValidation(
        task=task,
        model_task=theirs,
        subjects=subjects,
        positives=positives,
        observed_rate_in_training=rate_in_training,
        observed_to_expected=observed_to_expected(
            predicted.probability.astype(np.float64), predicted.outcome, predicted.weight
        ),
        logit_mean=logit_mean,
        logit_sd=logit_sd,
        folds=int(fold.max()) + 1 if fold is not None and found else 0,
        updates=found,
    )


def _statistics(artifact: Artifact, split: str) -> Any:
    return stats_artifact_utils.load_statistics(artifact, split).proto().datasets[0]
