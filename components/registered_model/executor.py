"""Loads a registered model into a run, under the names of the run's study."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.registered_model.fit import arguments_of, check_fit, read_names
from components.registered_model.settings import RegisteredModelSettings
from pipeline.errors import UserError
from pipeline.results.registration import RegisteredModel, Registration
from pipeline.runs.registry import NO_CHAMPION, Registry
from pipeline.storage import copy_folder, local_folder

logger = logging.getLogger(__name__)

_NOT_REGISTERED = "this run uses a registered model and registers none."


class Executor(base_executor.BaseExecutor):
    """Executor of RegisteredModel."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Loads the model and checks that the study fits it.

        Args:
            input_dict: Empty.
            output_dict: `model`: its folder gets `Format-Serving`, with the signature
                `serving_default` under the study's names, and the custom property `model_id`.
                `statistics`: its folder gets `Split-train`, the statistics of the subjects that the
                model was trained on. `registration`: its folder gets `registration.json` with the
                model's entry.
            exec_properties: The parameters of the component.

        Raises:
            UserError: There is no such model, its files are missing, or the study does not fit it.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = RegisteredModelSettings.from_json(exec_properties["settings"])
        registry = Registry(exec_properties["registry_root"])
        entry = find_entry(registry, settings, exec_properties["champion_token"])
        registry.check_files(entry)
        model = artifact_utils.get_single_instance(output_dict["model"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        with local_folder(entry.model_uri) as source:
            _save_model(source, path_utils.serving_model_dir(model.uri), settings, entry)
        copy_folder(entry.statistics_uri, statistics.uri)
        statistics.split_names = artifact_utils.encode_split_names(["train"])
        model.set_string_custom_property("model_id", entry.id)
        _write(artifact_utils.get_single_uri(output_dict["registration"]), entry)
        logger.info("Uses the model %s of %s.", entry.id, entry.study)


def _save_model(
    source: str, target: str, settings: RegisteredModelSettings, entry: RegisteredModel
) -> None:
    """Saves the model under the study's names, if the study fits it."""
    check_fit(settings, read_names(source), f"the model {entry.id} of {entry.study}")
    if settings.keeps_names:
        copy_folder(source, target)
        return
    from components.registered_model.renamed import save_renamed

    save_renamed(source, target, settings, arguments_of(settings))


def _write(folder: str, entry: RegisteredModel) -> None:
    content = Registration(registered=False, reason=_NOT_REGISTERED, entry=entry)
    io_utils.write_string_file(f"{folder}/registration.json", content.model_dump_json(indent=2))


def find_entry(
    registry: Registry, settings: RegisteredModelSettings, champion_token: str
) -> RegisteredModel:
    """The registration that the run uses.

    Args:
        registry: The registry.
        settings: Which model it is.
        champion_token: The champion of the time when the run was created.

    Raises:
        UserError: There is no such registration.
    """
    if settings.model:
        return registry.entry(settings.trained_on, settings.model)
    if champion_token == NO_CHAMPION:
        raise UserError(
            f"The study {settings.trained_on} has no champion in this registry. Run its pipeline "
            "first, name another study (`validation.of` of the study file) or another registry."
        )
    entry = registry.entry_of_token(settings.trained_on, champion_token)
    assert entry is not None
    return entry
