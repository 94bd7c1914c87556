"""The UpdatedModel component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ExternalValidation, ModelRegistration
from components.updated_model.executor import Executor
from components.updated_model.settings import UpdatedModelSettings
from pipeline.results.validation import UpdateMethod


class UpdatedModelSpec(ComponentSpec):
    """Inputs, parameters and output of UpdatedModel."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "validation": ChannelParameter(type=ExternalValidation),
        "registration": ChannelParameter(type=ModelRegistration),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "updated": ChannelParameter(type=ModelRegistration),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "registry_root": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str),
        "method": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
    }


class UpdatedModel(base_component.BaseComponent):
    """Registers a recalibrated model beside the one that was validated.

    Args:
        validation: What the update is.
        registration: The entry of the model that was validated.
        registry_root: Root of the registry.
        settings: What UpdatedModel reads of the study.
        method: How the model is updated.
        code_version: Version of the project.
        run_id: Id of the run. The registry is not an artifact, so every run is a new execution.
    """

    SPEC_CLASS = UpdatedModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        validation: BaseChannel,
        registration: BaseChannel,
        registry_root: str | RuntimeParameter,
        settings: UpdatedModelSettings,
        method: UpdateMethod,
        code_version: str,
        run_id: str,
    ) -> None:
        super().__init__(
            spec=UpdatedModelSpec(
                validation=validation,
                registration=registration,
                registry_root=registry_root,
                settings=settings.to_json(),
                method=method,
                code_version=code_version,
                run_id=run_id,
                updated=channel_utils.as_channel([ModelRegistration()]),
            )
        )
