"""Adds the prediction log up, then says how the champion does."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.file_artifacts import write_file_artifact
from components.monitor.drift import Training
from components.monitor.graph import add_up, read_sums, remove_sums
from components.monitor.partition import Plan
from components.monitor.reference import evaluated_tasks, risk_bins, training_inputs
from components.monitor.settings import MonitorSettings
from components.monitor.summary import monitoring_of
from components.monitor.values import Sums
from pipeline.html.page import render
from pipeline.pages.monitoring import monitoring_page
from pipeline.results.used_model import read_used_model
from pipeline.storage import make_folder

logger = logging.getLogger(__name__)


class Executor(BaseBeamExecutor):
    """Executor of Monitor."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes document and page.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `monitoring`: its folder gets `monitoring.json`. `html`: the page, a file.
            exec_properties: The parameters of the component.

        Raises:
            UserError: The log does not answer, or a file of the registry can't be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = MonitorSettings.from_json(exec_properties["settings"])
        inputs = {
            key: artifact_utils.get_single_instance(found) for key, found in input_dict.items()
        }
        entry = read_used_model(inputs["registration"].uri)
        statistics = stats_artifact_utils.load_statistics(inputs["model_statistics"], "train")
        smallest = settings.smallest_group
        training = Training(
            training_inputs(
                statistics.proto().datasets[0], settings.numbers, settings.categories, smallest
            ),
            risk_bins(exec_properties["registry_root"], entry, smallest),
        )
        folder = artifact_utils.get_single_uri(output_dict["monitoring"])
        plan = Plan(entry.id, settings.period, settings.groups, settings.days)
        # Before the log is read: what comes meanwhile is of a period that is not complete.
        now = datetime.now(UTC)
        sums = self._sums(exec_properties["prediction_log"], settings.study_name, plan, folder)
        found = monitoring_of(sums, settings, entry, evaluated_tasks(entry), training, now)
        io_utils.write_string_file(
            f"{folder}/monitoring.json", found.model_dump_json(indent=1) + "\n"
        )
        page = monitoring_page(found, settings.title, exec_properties["code_version"])
        write_file_artifact(artifact_utils.get_single_uri(output_dict["html"]), render(page))
        logger.info("%d alarms have fired", len(found.fired))

    def _sums(self, address: str, study: str, plan: Plan, folder: str) -> Sums:
        make_folder(folder)
        try:
            with self._make_beam_pipeline() as root:
                add_up(root, address, study, plan, folder)
            return read_sums(folder)
        finally:
            # They hold numbers of few subjects.
            remove_sums(folder)
