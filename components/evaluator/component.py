"""The Evaluator as a TFX component."""

from __future__ import annotations

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel, standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.system_executions import Evaluate

from components.artifact_types import ModelVerdict, Predictions, TrialRejects
from components.evaluator import executor, scheme
from components.evaluator.settings import EvaluatorSettings


class TrialEvaluatorSpec(ComponentSpec):
    """Inputs, outputs and parameter of `TrialEvaluator`."""

    PARAMETERS = {
        executor.SETTINGS_KEY: ExecutionParameter(type=str),
        executor.REGISTRY_KEY: ExecutionParameter(type=str, optional=True),
        executor.LOOK_KEY: ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        standard_component_specs.EXAMPLES_KEY: ChannelParameter(type=standard_artifacts.Examples),
        standard_component_specs.MODEL_KEY: ChannelParameter(type=standard_artifacts.Model),
        executor.CHAMPION_KEY: ChannelParameter(type=standard_artifacts.Model, optional=True),
        executor.DIVISION_KEY: ChannelParameter(type=Predictions, optional=True),
        scheme.PREDICTIONS_KEY: ChannelParameter(type=Predictions, optional=True),
        scheme.REFERENCES_KEY: ChannelParameter(type=Predictions, optional=True),
        scheme.REJECTS_KEY: ChannelParameter(type=TrialRejects, optional=True),
    }
    OUTPUTS = {
        standard_component_specs.EVALUATION_KEY: ChannelParameter(
            type=standard_artifacts.ModelEvaluation
        ),
        standard_component_specs.BLESSING_KEY: ChannelParameter(
            type=standard_artifacts.ModelBlessing
        ),
        executor.VERDICT_KEY: ChannelParameter(type=ModelVerdict),
    }
    TYPE_ANNOTATION = Evaluate


class TrialEvaluator(base_beam_component.BaseBeamComponent):
    """Evaluates a model by task and slice, and blesses or refuses it.

    Under the scheme `split` the model predicts the test split. Otherwise every subject has been
    predicted by models that never saw it, and these predictions are evaluated.

    Outputs:
        evaluation: TFMA's raw result; internal, because it holds groups of any size.
        blessing: As TFX's Evaluator writes it.
        verdict: `metrics.json` and `curves.json` with small groups suppressed, and
            `verdict.json` with reasons.
    """

    SPEC_CLASS = TrialEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: channel.BaseChannel,
        model: channel.BaseChannel,
        settings: EvaluatorSettings,
        champion_model: channel.BaseChannel | None = None,
        registry_root: str | RuntimeParameter | None = None,
        look: str | RuntimeParameter | None = None,
        predictions: channel.BaseChannel | None = None,
        reference_predictions: channel.BaseChannel | None = None,
        rejects: channel.BaseChannel | None = None,
        champion_division: channel.BaseChannel | None = None,
    ) -> None:
        """Makes the component.

        Args:
            examples: `Examples` with a split `test`, and `train` for out-of-fold predictions.
            model: The challenger, a `Model`.
            settings: The Evaluator's part of the study.
            champion_model: A `Model`: the champion, or one marked as not present.
            registry_root: Root of the registry, which records the evaluation of these settings.
            look: `pipeline.runs.looks.RunLook` as JSON; without it nothing is recorded.
            predictions: Out-of-fold predictions of the challenger; empty under `split`.
            reference_predictions: Predictions of the reference models.
            rejects: TrialExampleGen's output with the plan of the evaluation; without it the
                scheme is `split`.
            champion_division: ChampionModel's output; without it no champion is comparable.
        """
        super().__init__(
            TrialEvaluatorSpec(
                examples=examples,
                model=model,
                champion_model=champion_model,
                champion_division=champion_division,
                predictions=predictions,
                reference_predictions=reference_predictions,
                rejects=rejects,
                settings=settings.to_json(),
                registry_root=registry_root,
                look=look,
                evaluation=channel.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=channel.Channel(type=standard_artifacts.ModelBlessing),
                verdict=channel.Channel(type=ModelVerdict),
            )
        )
