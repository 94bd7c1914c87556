"""The SkewGate component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import GateFindings
from components.skew_gate.executor import Executor
from components.skew_gate.settings import SkewGateSettings


class SkewGateSpec(ComponentSpec):
    """Inputs, parameter and output of SkewGate."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "model_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "findings": ChannelParameter(type=GateFindings),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
    }


class SkewGate(base_component.BaseComponent):
    """Fails before any prediction where the subjects are too unlike those of the training.

    Args:
        examples: The subjects who are to be scored, in the split `test`.
        statistics: Statistics of the subjects who are to be scored, in the split `test`.
        model_statistics: Statistics of the subjects that the model was trained on.
        settings: What the gate reads of the study.
    """

    SPEC_CLASS = SkewGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        statistics: BaseChannel,
        model_statistics: BaseChannel,
        settings: SkewGateSettings,
    ) -> None:
        super().__init__(
            spec=SkewGateSpec(
                examples=examples,
                statistics=statistics,
                model_statistics=model_statistics,
                settings=settings.to_json(),
                findings=channel_utils.as_channel([GateFindings()]),
            )
        )
