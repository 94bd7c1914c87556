"""Reads the examples, analyses them and writes `analysis.json`."""

from __future__ import annotations

import logging
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.trial_analysis.analyse import analyse
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_analysis.subjects import load_subjects
from pipeline.results.held_back import held_analysis
from pipeline.results.release import read_release

ANALYSIS_FILE = "analysis.json"

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of TrialAnalysis."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the analysis.

        Args:
            input_dict: `examples`.
            output_dict: `analysis`: its folder gets `analysis.json`.
            exec_properties: `settings`: `TrialAnalysisSettings` as JSON.

        Raises:
            UserError: The examples lack a column, or the control arm has no subjects.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = TrialAnalysisSettings.from_json(exec_properties["settings"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        subjects = load_subjects(examples, settings)
        logger.info("rows", extra={"rows": {"subjects": subjects.count}})
        analysis = analyse(subjects, settings)
        release = read_release(examples.uri)
        if release.is_held_back:
            analysis = held_analysis(analysis, release)
        document = analysis.model_dump_json(indent=1)
        folder = artifact_utils.get_single_uri(output_dict["analysis"])
        io_utils.write_string_file(f"{folder}/{ANALYSIS_FILE}", document + "\n")
