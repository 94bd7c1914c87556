"""The RegisteredModel component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ModelRegistration
from components.registered_model.executor import Executor
from components.registered_model.settings import RegisteredModelSettings


class RegisteredModelSpec(ComponentSpec):
    """Parameters and outputs of RegisteredModel."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {}
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "registration": ChannelParameter(type=ModelRegistration),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "registry_root": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str),
        "champion_token": ExecutionParameter(type=str),
    }


class RegisteredModel(base_component.BaseComponent):
    """Loads a registered model, and the statistics of the subjects that it was trained on.

    ChampionModel loads the champion of the run's own study, to compare with; this component loads
    any registration of any study, and saves it under the names of the run's study.

    Args:
        registry_root: Root of the registry.
        settings: Which model it is, and its names.
        champion_token: `Registry.champion_token` of the model's study when the run was created;
            of effect where the settings name no registration.
    """

    SPEC_CLASS = RegisteredModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        registry_root: str | RuntimeParameter,
        settings: RegisteredModelSettings,
        champion_token: str | RuntimeParameter,
    ) -> None:
        super().__init__(
            spec=RegisteredModelSpec(
                registry_root=registry_root,
                settings=settings.to_json(),
                champion_token=champion_token,
                model=channel_utils.as_channel([standard_artifacts.Model()]),
                statistics=channel_utils.as_channel([standard_artifacts.ExampleStatistics()]),
                registration=channel_utils.as_channel([ModelRegistration()]),
            )
        )
