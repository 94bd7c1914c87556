"""The BlessedModel component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ModelUncertainty, ModelVerdict
from components.blessed_model.executor import Executor
from components.blessed_model.settings import BlessedModelSettings


class BlessedModelSpec(ComponentSpec):
    """Inputs, parameter and output of BlessedModel."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "trained_model": ChannelParameter(type=standard_artifacts.Model),
        "verdict": ChannelParameter(type=ModelVerdict),
        "uncertainty": ChannelParameter(type=ModelUncertainty),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
    }


class BlessedModel(base_component.BaseComponent):
    """Restricts the signatures of a model to its blessed tasks.

    The verdict on each task stands in the model's file `assets.extra/tasks.json`. Beside each
    prediction the signatures answer its interval and set.

    Args:
        trained_model: The challenger.
        verdict: The Evaluator's verdict on it.
        uncertainty: CrossFit's output, with the intervals and sets of the challenger.
        settings: What BlessedModel reads of the study.
    """

    SPEC_CLASS = BlessedModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        trained_model: BaseChannel,
        verdict: BaseChannel,
        uncertainty: BaseChannel,
        settings: BlessedModelSettings,
    ) -> None:
        super().__init__(
            spec=BlessedModelSpec(
                trained_model=trained_model,
                verdict=verdict,
                uncertainty=uncertainty,
                settings=settings.to_json(),
                model=channel_utils.as_channel([standard_artifacts.Model()]),
            )
        )
