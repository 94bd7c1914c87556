"""The ChampionModel component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import Predictions
from components.champion_model.executor import Executor
from components.champion_model.settings import ChampionModelSettings


class ChampionModelSpec(ComponentSpec):
    """Parameters and outputs of ChampionModel."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {}
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "division": ChannelParameter(type=Predictions),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "registry_root": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str),
        "champion_token": ExecutionParameter(type=str),
    }


class ChampionModel(base_component.BaseComponent):
    """Loads the current champion of a study: its model, its train statistics and its division.

    The division says who was in which part or fold of its run, with its predictions out of fold.
    The component replaces TFX's Resolver, which open-source Kubeflow Pipelines rejects. Model and
    statistics carry the custom property `present`: 0 in a study's first run, when they hold only a
    placeholder file.

    Args:
        registry_root: Root of the registry of blessed models.
        settings: What ChampionModel reads of the study.
        champion_token: `Registry.champion_token` when the run was created. That champion is loaded
            even if another one has been registered since.
    """

    SPEC_CLASS = ChampionModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        registry_root: str | RuntimeParameter,
        settings: ChampionModelSettings,
        champion_token: str | RuntimeParameter,
    ) -> None:
        super().__init__(
            spec=ChampionModelSpec(
                registry_root=registry_root,
                settings=settings.to_json(),
                champion_token=champion_token,
                model=channel_utils.as_channel([standard_artifacts.Model()]),
                statistics=channel_utils.as_channel([standard_artifacts.ExampleStatistics()]),
                division=channel_utils.as_channel([Predictions()]),
            )
        )
