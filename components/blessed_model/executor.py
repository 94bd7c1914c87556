"""Writes the model that serves the blessed tasks only."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.blessed_model.settings import BlessedModelSettings
from components.blessed_model.signatures import save_with_tasks
from pipeline import storage
from pipeline.errors import UserError
from pipeline.results.documents import Verdict, read_result
from pipeline.results.served_tasks import TASKS_FILE, ServedTasks
from pipeline.results.uncertainty import (
    SERVED_FILE,
    UNCERTAINTY_FILE,
    Uncertainty,
    read_uncertainty,
)
from pipeline.runs.entries import folder_digest
from pipeline.storage import copy_folder

logger = logging.getLogger(__name__)

PLACEHOLDER = "NO_BLESSED_TASK"
"""Placeholder file in the folder of a model without a task: an empty one can't be uploaded."""


class Executor(base_executor.BaseExecutor):
    """Executor of BlessedModel."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the model.

        Args:
            input_dict: `trained_model`, `verdict` and `uncertainty`.
            output_dict: `model`: its folder gets `Format-Serving`, or a placeholder where no task
                is blessed.
            exec_properties: The parameters of the component.

        Raises:
            UserError: The verdict or the intervals and sets can't be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = BlessedModelSettings.from_json(exec_properties["settings"])
        verdict = read_result(Verdict, artifact_utils.get_single_uri(input_dict["verdict"]))
        trained = path_utils.serving_model_path(
            artifact_utils.get_single_uri(input_dict["trained_model"])
        )
        target = artifact_utils.get_single_uri(output_dict["model"])
        # Without the run's id: a model that is trained again has the same files.
        served = ServedTasks(
            study=settings.study_name,
            tasks={task: verdict.of_task(task) for task in settings.tasks},
            trained_model=folder_digest(trained),
        )
        if not served.blessed:
            io_utils.write_string_file(f"{target}/{PLACEHOLDER}", "")
            return
        folder = path_utils.serving_model_dir(target)
        uncertainty = _uncertainty(artifact_utils.get_single_uri(input_dict["uncertainty"]))
        if len(served.blessed) == len(served.tasks) and not uncertainty.fitted:
            copy_folder(trained, folder)
            storage.write_whole(f"{folder}/{SERVED_FILE}", uncertainty.model_dump_json().encode())
        else:
            save_with_tasks(trained, folder, served.blessed, uncertainty, settings.slicings)
        said = served.model_dump_json(indent=1, exclude_defaults=True)
        io_utils.write_string_file(f"{folder}/{TASKS_FILE}", said)
        logger.info("The model serves %s.", ", ".join(served.blessed))


def _uncertainty(folder: str) -> Uncertainty:
    path = f"{folder}/{UNCERTAINTY_FILE}"
    found = read_uncertainty(path)
    if found is None:
        raise UserError(f"{path}: this file of CrossFit is missing. Run the pipeline again.")
    return found
