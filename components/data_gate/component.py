"""The DataGate component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import GateFindings, TrialRejects
from components.data_gate.executor import Executor
from components.data_gate.settings import DataGateSettings


class DataGateSpec(ComponentSpec):
    """Inputs, parameter and output of DataGate."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "rejects": ChannelParameter(type=TrialRejects),
        "champion_statistics": ChannelParameter(
            type=standard_artifacts.ExampleStatistics, optional=True
        ),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "findings": ChannelParameter(type=GateFindings),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
    }


class DataGate(base_component.BaseComponent):
    """Fails before training if the data can't be used, with all reasons in one message.

    What trains must depend on it (`add_upstream_node`), or the gate stops nothing.

    Args:
        statistics: Statistics of the splits train, eval and test.
        schema: The curated schema.
        anomalies: ExampleValidator's anomalies.
        examples: The examples; only the train split is read.
        rejects: TrialExampleGen's rejected rows, with `counts.json`.
        settings: What the gate reads of the study.
        champion_statistics: Train statistics of the champion, from ChampionModel.
    """

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        statistics: BaseChannel,
        schema: BaseChannel,
        anomalies: BaseChannel,
        examples: BaseChannel,
        rejects: BaseChannel,
        settings: DataGateSettings,
        champion_statistics: BaseChannel | None = None,
    ) -> None:
        super().__init__(
            spec=DataGateSpec(
                statistics=statistics,
                schema=schema,
                anomalies=anomalies,
                examples=examples,
                rejects=rejects,
                champion_statistics=champion_statistics,
                settings=settings.to_json(),
                findings=channel_utils.as_channel([GateFindings()]),
            )
        )
