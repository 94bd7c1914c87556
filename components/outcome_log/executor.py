"""Adds the outcomes of a cut to the prediction log, then counts them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.file_artifacts import write_file_artifact
from components.outcome_log.rows import numbers_of, of_predicted, outcome_rows
from components.outcome_log.settings import OutcomeLogSettings
from components.outcome_log.summary import summarize
from pipeline.html.page import render
from pipeline.names import SUBJECT_HASH
from pipeline.pages.outcomes import outcomes_page
from pipeline.predictions.log import PredictionLog
from pipeline.predictions.open_log import open_log
from pipeline.predictions.outcomes import RecordedCut
from pipeline.reading.examples import read_columns
from pipeline.results.counts import Counts
from pipeline.results.documents import read_result
from pipeline.titles import title_or_name

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of OutcomeLog."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Adds the rows, and writes counts and page.

        Args:
            input_dict: `examples` and `rejects` of TrialExampleGen.
            output_dict: `summary`: its folder gets `outcomes.json`. `html`: the page, a file.
            exec_properties: `settings`: `OutcomeLogSettings` as JSON; `fingerprint`,
                `code_version`, `prediction_log` and `run_id`.

        Raises:
            UserError: The log does not answer, or refuses; nothing was added.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = OutcomeLogSettings.from_json(exec_properties["settings"])
        tasks = list(settings.titles)
        columns = read_columns(
            artifact_utils.get_single_instance(input_dict["examples"]),
            ["test"],
            [name for task in tasks for name in numbers_of(task)],
            [SUBJECT_HASH],
        )
        censoring = read_result(
            Counts, artifact_utils.get_single_uri(input_dict["rejects"])
        ).censoring
        undetermined = [
            task
            for task, found in censoring.items()
            if not found.is_determined(settings.least_observed[task])
        ]
        if undetermined:
            logger.warning(
                "Outcomes are censored, since too few subjects were observed up to the horizon: %s",
                ", ".join(undetermined),
            )
        fingerprint = exec_properties["fingerprint"]
        cut = RecordedCut(settings.study_name, fingerprint, datetime.now(UTC))
        log: PredictionLog = open_log(exec_properties["prediction_log"])
        predictions = list(log.read(settings.study_name))
        rows = of_predicted(outcome_rows(cut, columns, tasks, undetermined), predictions)
        is_new = log.append_outcomes(cut, rows)
        summary = summarize(settings, fingerprint, columns.subjects, rows, predictions, is_new)
        folder = artifact_utils.get_single_uri(output_dict["summary"])
        io_utils.write_string_file(
            f"{folder}/outcomes.json", summary.model_dump_json(indent=1) + "\n"
        )
        page = outcomes_page(
            summary,
            title_or_name(settings.study_name, settings.title),
            exec_properties["code_version"],
        )
        write_file_artifact(artifact_utils.get_single_uri(output_dict["html"]), render(page))
