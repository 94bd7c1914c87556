"""The ExternalValidation component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import (
    ExternalValidation as ExternalValidationArtifact,
)
from components.artifact_types import KubeflowHTML, ModelRegistration, ModelVerdict
from components.external_validation.executor import Executor
from components.external_validation.settings import ExternalValidationSettings


class ExternalValidationSpec(ComponentSpec):
    """Inputs, parameters and outputs of ExternalValidation."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "registration": ChannelParameter(type=ModelRegistration),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "model_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "verdict": ChannelParameter(type=ModelVerdict),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "validation": ChannelParameter(type=ExternalValidationArtifact),
        "html": ChannelParameter(type=KubeflowHTML),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class ExternalValidation(base_component.BaseComponent):
    """Reports the external validation of a registered model, as a document and as a page.

    Args:
        examples: The examples; all subjects are in the split `test`.
        model: The model, under the study's names.
        registration: Its entry in the registry.
        statistics: Statistics of the examples.
        model_statistics: Statistics of the subjects that the model was trained on.
        verdict: The Evaluator's verdict, metrics and curves.
        settings: What ExternalValidation reads of the study.
        fingerprint: Fingerprint of the data.
        code_version: Version of the project.
    """

    SPEC_CLASS = ExternalValidationSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        registration: BaseChannel,
        statistics: BaseChannel,
        model_statistics: BaseChannel,
        verdict: BaseChannel,
        settings: ExternalValidationSettings,
        fingerprint: str | RuntimeParameter,
        code_version: str,
    ) -> None:
        super().__init__(
            spec=ExternalValidationSpec(
                examples=examples,
                model=model,
                registration=registration,
                statistics=statistics,
                model_statistics=model_statistics,
                verdict=verdict,
                settings=settings.to_json(),
                fingerprint=fingerprint,
                code_version=code_version,
                validation=channel_utils.as_channel([ExternalValidationArtifact()]),
                html=channel_utils.as_channel([KubeflowHTML()]),
            )
        )
