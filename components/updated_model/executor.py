"""Updates a registered model and registers the result beside it."""

from __future__ import annotations

import logging
import tempfile
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.updated_model.settings import UpdatedModelSettings
from components.updated_model.signatures import save_updated
from pipeline.errors import UserError
from pipeline.results.documents import read_result
from pipeline.results.registration import (
    ModelOrigin,
    Recalibrated,
    RegisteredModel,
    Registration,
)
from pipeline.results.validation import ExternalValidation, UpdateMethod
from pipeline.runs.registry import Registry
from pipeline.storage import local_folder
from pipeline.titles import called

logger = logging.getLogger(__name__)

NOT_CHAMPION = "an updated model does not become the champion by itself."


class Executor(base_executor.BaseExecutor):
    """Executor of UpdatedModel."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Updates and registers the model; the model that was validated stays as it is.

        Args:
            input_dict: `validation` and `registration`.
            output_dict: `updated`: its folder gets `registration.json` with the entry of the
                updated model.
            exec_properties: The parameters of the component.

        Raises:
            UserError: No task could be updated, or a file can't be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = UpdatedModelSettings.from_json(exec_properties["settings"])
        validation = read_result(
            ExternalValidation, artifact_utils.get_single_uri(input_dict["validation"])
        )
        entry = read_result(
            Registration, artifact_utils.get_single_uri(input_dict["registration"])
        ).entry
        if entry is None:
            raise UserError("The validated model has no entry of the registry. Run again.")
        origin = _origin(entry, validation, settings, exec_properties["method"])
        updated = _register(entry, origin, exec_properties)
        logger.info("Registered the updated model %s of %s.", updated.id, updated.study)
        folder = artifact_utils.get_single_uri(output_dict["updated"])
        content = Registration(registered=False, reason=NOT_CHAMPION, entry=updated)
        io_utils.write_string_file(f"{folder}/registration.json", content.model_dump_json(indent=2))


def _origin(
    entry: RegisteredModel,
    validation: ExternalValidation,
    settings: UpdatedModelSettings,
    method: UpdateMethod,
) -> ModelOrigin:
    tasks: dict[str, Recalibrated] = {}
    why_not: dict[str, str] = {}
    for task in validation.tasks:
        update = next((item for item in task.updates if item.method == method), None)
        if update is None or update.intercept.value is None:
            why_not[called(task.task, settings.titles)] = task.why_not_fitted
            continue
        slope = update.slope.value if update.slope else None
        tasks[task.model_task] = Recalibrated(
            intercept=update.intercept.value, slope=1.0 if slope is None else slope
        )
    if not tasks:
        reasons = "\n".join(f"- {task}: {reason}" for task, reason in why_not.items())
        raise UserError(
            f"No task can be updated:\n{reasons}\nValidate on more subjects, with another update, "
            "or without --update."
        )
    for task_called, reason in why_not.items():
        logger.warning("Task %s is not updated: %s.", task_called, reason)
    return ModelOrigin(
        model=entry.id,
        model_digest=entry.model_digest,
        study=settings.study_name,
        fingerprint=validation.fingerprint,
        method=method,
        tasks=tasks,
    )


def _register(
    entry: RegisteredModel, origin: ModelOrigin, exec_properties: dict[str, Any]
) -> RegisteredModel:
    with tempfile.TemporaryDirectory() as folder, local_folder(entry.model_uri) as source:
        save_updated(source, folder, origin.tasks)
        return Registry(exec_properties["registry_root"]).register_update(
            entry,
            origin,
            folder,
            run=exec_properties["run_id"],
            code_version=exec_properties["code_version"],
        )
