"""The CrossFit component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ModelUncertainty, Predictions, TrialRejects
from components.cross_fit.executor import Executor
from components.cross_fit.settings import CrossFitSettings


class CrossFitSpec(ComponentSpec):
    """Inputs, parameters and output of CrossFit."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "rejects": ChannelParameter(type=TrialRejects),
        "model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "predictions": ChannelParameter(type=Predictions),
        "uncertainty": ChannelParameter(type=ModelUncertainty),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
        "steps": ExecutionParameter(type=int),
        "tune": ExecutionParameter(type=int),
    }


class CrossFit(base_component.BaseComponent):
    """Predicts every subject by models that never saw it, and checks the final model with them.

    It also fits how far to trust a prediction of the final model: the interval and the set of
    outcomes. Under the scheme `split` it trains nothing and writes an empty table of predictions.
    Out of fold the Tuner finds nothing: where hyperparameters are tuned, each procedure chooses
    them on its own training subjects.

    Args:
        examples: TrialExampleGen's examples.
        transform_graph: Transform's output.
        rejects: TrialExampleGen's output with the plan of the evaluation.
        model: The Trainer's model.
        settings: What CrossFit reads of the study.
        seed: Seed of training.
        steps: Training steps; 0 for early stopping.
        tune: Whether each procedure chooses among sets of hyperparameters.
    """

    SPEC_CLASS = CrossFitSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        rejects: BaseChannel,
        model: BaseChannel,
        settings: CrossFitSettings,
        seed: int,
        steps: int,
        tune: bool,
    ) -> None:
        super().__init__(
            spec=CrossFitSpec(
                examples=examples,
                transform_graph=transform_graph,
                rejects=rejects,
                model=model,
                settings=settings.to_json(),
                seed=seed,
                steps=steps,
                tune=int(tune),
                predictions=channel_utils.as_channel([Predictions()]),
                uncertainty=channel_utils.as_channel([ModelUncertainty()]),
            )
        )
