"""The ReferenceModels component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import Predictions, TrialRejects
from components.reference_models.executor import Executor
from components.reference_models.settings import ReferenceModelsSettings


class ReferenceModelsSpec(ComponentSpec):
    """Inputs, parameters and output of ReferenceModels."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "rejects": ChannelParameter(type=TrialRejects),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "predictions": ChannelParameter(type=Predictions),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int),
    }


class ReferenceModels(base_component.BaseComponent):
    """Fits simpler models beside the Keras model, on the same folds and transformed features.

    The base rate of the arm always; ridge logistic regression, random forest and gradient boosting
    as the study asks for them. Under the scheme `split` they are trained on the splits that the
    Keras model uses, and predict the test split.

    Args:
        examples: TrialExampleGen's examples.
        transform_graph: Transform's output.
        rejects: TrialExampleGen's output with the plan of the evaluation.
        settings: What ReferenceModels reads of the study.
        seed: Seed of the models.
    """

    SPEC_CLASS = ReferenceModelsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        rejects: BaseChannel,
        settings: ReferenceModelsSettings,
        seed: int,
    ) -> None:
        super().__init__(
            spec=ReferenceModelsSpec(
                examples=examples,
                transform_graph=transform_graph,
                rejects=rejects,
                settings=settings.to_json(),
                seed=seed,
                predictions=channel_utils.as_channel([Predictions()]),
            )
        )
