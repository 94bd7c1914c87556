"""Applies the gate's rules to the statistics of subjects who are to be scored."""

from __future__ import annotations

import logging
from typing import Any

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.skew_gate.rules import skew_findings
from components.skew_gate.settings import SkewGateSettings
from pipeline.errors import UserError
from pipeline.results.findings import Findings, log_findings, stop_message
from pipeline.skew.coarse_statistics import read_described

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of SkewGate."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Applies the rules, writes `findings.json` and logs findings outside their limits.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `findings`: its folder gets `findings.json`.
            exec_properties: `settings`: `SkewGateSettings` as JSON.

        Raises:
            UserError: There are findings of severity `stop`; the message holds all of them.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = SkewGateSettings.from_json(exec_properties["settings"])
        training = _statistics(input_dict["model_statistics"], "train")
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        findings = tuple(
            skew_findings(
                _statistics(input_dict["statistics"], "test"),
                read_described(examples, "test", training.datasets[0], settings.kinds),
                training,
                settings,
            )
        )
        folder = artifact_utils.get_single_uri(output_dict["findings"])
        io_utils.write_string_file(
            f"{folder}/findings.json", Findings(findings).model_dump_json(indent=2)
        )
        log_findings(logger, findings)
        message = stop_message(settings.study_name, findings, "the scoring", "scoring")
        if message:
            raise UserError(message)


def _statistics(artifacts: list[Artifact], split: str) -> Any:
    artifact = artifact_utils.get_single_instance(artifacts)
    return stats_artifact_utils.load_statistics(artifact, split).proto()
