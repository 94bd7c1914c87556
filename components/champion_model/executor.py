"""Copies the current champion of a study into the artifacts of a run."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, path_utils

from components.champion_model.blinded_champion import check_without_arm
from components.champion_model.settings import ChampionModelSettings
from pipeline.errors import UserError
from pipeline.results.division import has_division
from pipeline.results.registration import RegisteredModel
from pipeline.runs.registry import NO_CHAMPION, Registry
from pipeline.storage import copy_folder, files_below

logger = logging.getLogger(__name__)

PLACEHOLDER = "NO_CHAMPION"
"""Placeholder file in an absent model's folder, since an empty folder can't be uploaded."""


class Executor(base_executor.BaseExecutor):
    """Executor of ChampionModel."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the model, the train statistics and the division that the token names.

        Args:
            input_dict: Empty.
            output_dict: `model`: its folder gets `Format-Serving` and the custom properties
                `present` (0 or 1), `split_seed`, `label_digest`, `subject_key_id` and
                `champion_id`: the champion's own or, without a champion, this run's and `none`.
                `statistics`: its folder gets `Split-train`, and it gets `present`. `division`: its
                folder gets who was in which part or fold of the champion's run, and the champion's
                predictions out of fold, or a placeholder where the registry holds none.
            exec_properties: The parameters of the component.

        Raises:
            UserError: The registry is damaged or lacks the token's registration; or the champion
                reads the arm, which is hidden.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(output_dict["model"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])
        statistics.split_names = artifact_utils.encode_split_names(["train"])
        registry = Registry(exec_properties["registry_root"])
        settings = ChampionModelSettings.from_json(exec_properties["settings"])
        study_name = settings.study_name
        entry = registry.entry_of_token(study_name, exec_properties["champion_token"])
        if entry is None:
            logger.info("The study %s has no champion yet.", study_name)
            _write_placeholders(model, statistics)
        else:
            if settings.is_blinded:
                check_without_arm(entry)
            _log_differences(entry, registry.champion(study_name), settings)
            _copy(entry, model, statistics)
        _write_division(
            entry, registry, artifact_utils.get_single_instance(output_dict["division"])
        )
        _set_properties(entry, model, statistics, settings)


def _copy(entry: RegisteredModel, model: Artifact, statistics: Artifact) -> None:
    for folder in (entry.model_uri, entry.statistics_uri):
        if not files_below(folder):
            raise UserError(
                f"{folder}: the registry's files of the champion {entry.id} are missing. Restore "
                "them, or point champion.json to another registration (a file of history/) and "
                "create the run again."
            )
    copy_folder(entry.model_uri, path_utils.serving_model_dir(model.uri))
    copy_folder(entry.statistics_uri, statistics.uri)


def _write_division(entry: RegisteredModel | None, registry: Registry, division: Artifact) -> None:
    folder = registry.division_folder(entry) if entry else ""
    if entry is None or not has_division(folder):
        _write_placeholders(division)
        return
    copy_folder(folder, division.uri)


def _write_placeholders(*artifacts: Artifact) -> None:
    for artifact in artifacts:
        io_utils.write_string_file(f"{artifact.uri}/{PLACEHOLDER}", "")


def _set_properties(
    entry: RegisteredModel | None,
    model: Artifact,
    statistics: Artifact,
    settings: ChampionModelSettings,
) -> None:
    present = int(entry is not None)
    statistics.set_int_custom_property("present", present)
    model.set_int_custom_property("present", present)
    model.set_int_custom_property("split_seed", entry.split_seed if entry else settings.split_seed)
    model.set_string_custom_property(
        "label_digest", entry.label_digest if entry else settings.label_digest
    )
    model.set_string_custom_property("subject_key_id", entry.subject_key_id if entry else "")
    model.set_string_custom_property("champion_id", entry.id if entry else NO_CHAMPION)


def _log_differences(
    entry: RegisteredModel, champion_now: RegisteredModel | None, settings: ChampionModelSettings
) -> None:
    if champion_now is None or champion_now.id != entry.id:
        logger.warning(
            "The champion of %s has changed since this run was created; the run uses "
            "the earlier one, %s.",
            entry.study,
            entry.id,
        )
    if entry.split_seed != settings.split_seed:
        logger.warning(
            "The champion %s was trained on another split (split seed %d, this run "
            "%d): it may have seen test subjects, so it can't be compared.",
            entry.id,
            entry.split_seed,
            settings.split_seed,
        )
    if entry.label_digest != settings.label_digest:
        logger.warning(
            "The champion %s was trained on other label definitions, so it can't be compared.",
            entry.id,
        )
