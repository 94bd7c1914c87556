"""Predicts the subjects, then sums the predictions up."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import tensorflow as tf
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.batch_scoring.graph import ScoringJob, score
from components.batch_scoring.settings import BatchScoringSettings
from components.batch_scoring.summary import Totals, may_be_shown
from components.file_artifacts import write_file_artifact
from pipeline.html.page import render
from pipeline.pages.scoring import scoring_page
from pipeline.predictions.log import Batch
from pipeline.predictions.open_log import open_log
from pipeline.predictions.rows import SCORE, Occasion, log_rows
from pipeline.results.documents import read_result
from pipeline.results.findings import Findings
from pipeline.results.scored_file import read_parts
from pipeline.results.scoring import Scoring
from pipeline.results.used_model import read_used_model, shown_model
from pipeline.results.validation import ValidatedModel
from pipeline.skew.bins import input_bins
from pipeline.skew.flags import reactions
from pipeline.skew.training_values import seen_values
from pipeline.storage import make_folder
from pipeline.titles import title_or_name

logger = logging.getLogger(__name__)


class Executor(BaseBeamExecutor):
    """Executor of BatchScoring."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes predictions, summary and page.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `scored`: its folder gets the predictions. `summary`: its folder gets
                `scoring.json`. `html`: the page, a file.
            exec_properties: `settings`: `BatchScoringSettings` as JSON; `fingerprint` and
                `code_version`.

        Raises:
            UserError: A file of another stage can't be read, or the model can't predict.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = BatchScoringSettings.from_json(exec_properties["settings"])
        inputs = {
            key: artifact_utils.get_single_instance(found) for key, found in input_dict.items()
        }
        model = shown_model(read_used_model(inputs["registration"].uri))
        scored = artifact_utils.get_single_uri(output_dict["scored"])
        address = exec_properties["prediction_log"]
        self._score(inputs, settings, model, scored, logged=bool(address))
        totals = Totals()
        for part in read_parts(scored):
            totals.add(part)
        logger.info("rows", extra={"rows": {"split": "test", "subjects": totals.subjects}})
        few = not may_be_shown([totals.subjects], settings.smallest_group)
        summary = Scoring(
            model=model,
            study=settings.study_name,
            fingerprint=exec_properties["fingerprint"],
            subjects=None if few else totals.subjects,
            smallest_group=settings.smallest_group,
            tasks=totals.tasks(settings),
            flags=totals.flags(settings),
            skew=read_result(Findings, inputs["findings"].uri).root,
            logged=bool(address),
        )
        folder = artifact_utils.get_single_uri(output_dict["summary"])
        io_utils.write_string_file(
            f"{folder}/scoring.json", summary.model_dump_json(indent=1) + "\n"
        )
        page = scoring_page(
            summary,
            title_or_name(settings.study_name, settings.title),
            exec_properties["code_version"],
        )
        write_file_artifact(artifact_utils.get_single_uri(output_dict["html"]), render(page))
        if address:
            # Last: what is tried again after an error has added nothing to the log.
            occasion = Occasion(settings.study_name, SCORE, exec_properties["run_id"])
            _add_to_log(address, occasion, scored)

    def _score(
        self,
        inputs: dict[str, Artifact],
        settings: BatchScoringSettings,
        model: ValidatedModel,
        folder: str,
        logged: bool,
    ) -> None:
        # What an earlier attempt left behind would be taken for predictions.
        if fileio.exists(folder):
            fileio.rmtree(folder)
        make_folder(folder)
        statistics = stats_artifact_utils.load_statistics(inputs["model_statistics"], "train")
        seen = seen_values(statistics.proto().datasets[0], settings.numbers, settings.categories)
        job = ScoringJob(
            model=path_utils.serving_model_path(inputs["model"].uri),
            version=model.id,
            numbers=settings.numbers,
            categories=settings.categories,
            seen=seen,
            reactions=reactions(settings.scoring),
            folder=folder,
            bins=input_bins(seen, settings.numbers, settings.categories, settings.smallest_group)
            if logged
            else None,
        )
        examples = artifact_utils.get_split_uri([inputs["examples"]], "test")
        files = sorted(tf.io.gfile.glob(f"{examples}/*"))
        with self._make_beam_pipeline() as root:
            score(root, job, files)


def _add_to_log(address: str, occasion: Occasion, scored: str) -> None:
    """Adds all predictions of a run to a prediction log, as one batch."""
    now = datetime.now(UTC)
    batch = Batch(occasion, occasion.run, now.date())
    tables = (log_rows(occasion, part, now) for part in read_parts(scored))
    open_log(address).append(batch, tables)
