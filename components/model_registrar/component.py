"""The ModelRegistrar component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import (
    ModelCardDocument,
    ModelRegistration,
    ModelVerdict,
    Predictions,
    TrialRejects,
)
from components.model_registrar.executor import Executor
from components.model_registrar.settings import ModelRegistrarSettings


class ModelRegistrarSpec(ComponentSpec):
    """Inputs, parameters and output of ModelRegistrar."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "champion_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "card": ChannelParameter(type=ModelCardDocument, optional=True),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel, optional=True),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "verdict": ChannelParameter(type=ModelVerdict),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "rejects": ChannelParameter(type=TrialRejects, optional=True),
        "predictions": ChannelParameter(type=Predictions, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "registration": ChannelParameter(type=ModelRegistration),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "registry_root": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
        "started_by": ExecutionParameter(type=str),
        "dependency_lock": ExecutionParameter(type=str),
        "serving_dir": ExecutionParameter(type=str),
    }


class ModelRegistrar(base_component.BaseComponent):
    """Registers a blessed model after it was pushed; the champion, if the study's rule lets it.

    Args:
        model: The trained model.
        model_blessing: The Evaluator's blessing; a model without it is not registered.
        statistics: Statistics with a `train` split, for the drift check of later runs.
        verdict: The Evaluator's verdict and metrics.
        examples: The examples of the training (custom property `fingerprint`).
        registry_root: Root of the registry of blessed models.
        settings: What ModelRegistrar reads of the study.
        code_version: Version of the project.
        run_id: Id of the run. The registry is not an artifact, so the cache can't know its content:
            every run is a new execution.
        champion_model: ChampionModel's output: the champion that the model was compared with. If
            it is no longer the champion, the model becomes a candidate.
        card: ModelCard's output: a model without it becomes no champion.
        started_by: Account that started the run, for the audit trail.
        dependency_lock: SHA-256 of the locked dependencies.
        serving_dir: Folder where servers look for the champion; empty for none.
        pushed_model: Pusher's output; if given, only a pushed model is registered.
        rejects: TrialExampleGen's output with the plan of the evaluation; with it the registry
            keeps who was in which part or fold.
        predictions: CrossFit's out-of-fold predictions, which the registry keeps as well.
    """

    SPEC_CLASS = ModelRegistrarSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        model_blessing: BaseChannel,
        statistics: BaseChannel,
        verdict: BaseChannel,
        examples: BaseChannel,
        registry_root: str | RuntimeParameter,
        settings: ModelRegistrarSettings,
        code_version: str,
        run_id: str,
        champion_model: BaseChannel | None = None,
        card: BaseChannel | None = None,
        started_by: str = "",
        dependency_lock: str = "",
        serving_dir: str = "",
        pushed_model: BaseChannel | None = None,
        rejects: BaseChannel | None = None,
        predictions: BaseChannel | None = None,
    ) -> None:
        super().__init__(
            spec=ModelRegistrarSpec(
                model=model,
                champion_model=champion_model,
                card=card,
                model_blessing=model_blessing,
                pushed_model=pushed_model,
                statistics=statistics,
                verdict=verdict,
                examples=examples,
                rejects=rejects,
                predictions=predictions,
                registry_root=registry_root,
                settings=settings.to_json(),
                code_version=code_version,
                run_id=run_id,
                started_by=started_by,
                dependency_lock=dependency_lock,
                serving_dir=serving_dir,
                registration=channel_utils.as_channel([ModelRegistration()]),
            )
        )
