"""The OutcomeLog component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import KubeflowHTML, OutcomeSummary, TrialRejects
from components.outcome_log.executor import Executor
from components.outcome_log.settings import OutcomeLogSettings


class OutcomeLogSpec(ComponentSpec):
    """Inputs, parameters and outputs of OutcomeLog."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "rejects": ChannelParameter(type=TrialRejects),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "summary": ChannelParameter(type=OutcomeSummary),
        "html": ChannelParameter(type=KubeflowHTML),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "prediction_log": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
    }


class OutcomeLog(base_component.BaseComponent):
    """Adds the outcomes of subjects who were predicted to the prediction log.

    Args:
        examples: What is known of the subjects of a cut, in the split `test`.
        rejects: Counts of rows and subjects, and how follow-up ended.
        settings: What OutcomeLog reads of the study.
        fingerprint: Fingerprint of the data.
        code_version: Version of the project.
        prediction_log: Address of the prediction log.
        run_id: Id of the run. The log is not an artifact: every run is a new execution.
    """

    SPEC_CLASS = OutcomeLogSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        rejects: BaseChannel,
        settings: OutcomeLogSettings,
        fingerprint: str | RuntimeParameter,
        code_version: str,
        prediction_log: str,
        run_id: str,
    ) -> None:
        super().__init__(
            spec=OutcomeLogSpec(
                examples=examples,
                rejects=rejects,
                settings=settings.to_json(),
                fingerprint=fingerprint,
                code_version=code_version,
                prediction_log=prediction_log,
                run_id=run_id,
                summary=channel_utils.as_channel([OutcomeSummary()]),
                html=channel_utils.as_channel([KubeflowHTML()]),
            )
        )
