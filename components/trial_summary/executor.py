"""Reads the study's files and writes the summary."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.trial_summary.graph import (
    PROBLEMS_FILE,
    SUMMARY_FILE,
    SummaryProblems,
    write_summary,
)
from components.trial_summary.settings import TrialSummarySettings
from pipeline.errors import UserError
from pipeline.reading.plan import plan_summary
from pipeline.results.documents import read_result
from pipeline.results.held_back import held_summary
from pipeline.results.release import Release, read_release
from pipeline.results.trial_progress import TrialSummaryDocument
from pipeline.storage import read, write_whole

logger = logging.getLogger(__name__)


class Executor(BaseBeamExecutor):
    """Executor of TrialSummary."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads the study's files and writes the summary.

        Args:
            input_dict: `rejects`, which may be missing.
            output_dict: `summary`: its folder gets `summary.json`.
            exec_properties: The component's parameters.

        Raises:
            UserError: A file or a column that the summary needs is missing or can't be read, or
                no row has what `summary` names.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = TrialSummarySettings.from_json(exec_properties["settings"])
        plan = plan_summary(
            settings.study,
            exec_properties["data_root"],
            exec_properties.get("snapshot") or "",
        )
        folder = artifact_utils.get_single_uri(output_dict["summary"])
        # Removes files of an earlier attempt.
        if fileio.exists(folder):
            fileio.rmtree(folder)
        fileio.makedirs(folder)
        with self._make_beam_pipeline() as root:
            write_summary(root, plan, folder, settings.levels)
        problems = read(f"{folder}/{PROBLEMS_FILE}")
        if problems is not None:
            raise UserError("\n".join(SummaryProblems.model_validate_json(problems).root))
        document = read_result(TrialSummaryDocument, folder)
        rejects = input_dict.get("rejects")
        release = read_release(artifact_utils.get_single_uri(rejects)) if rejects else Release()
        if release.is_held_back:
            document = held_summary(document, release)
            content = f"{document.model_dump_json(indent=1)}\n"
            write_whole(f"{folder}/{SUMMARY_FILE}", content.encode())
        for message in document.absent_levels:
            logger.warning("%s", message)
        for absent in document.absent:
            logger.info("Missing from the summary's %s: %s.", absent.section, absent.reason)
