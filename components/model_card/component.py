"""The ModelCard component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import GateFindings, ModelCardDocument, ModelVerdict, TrialRejects
from components.model_card.executor import Executor
from components.model_card.settings import ModelCardSettings


class ModelCardSpec(ComponentSpec):
    """Inputs, parameters and output of ModelCard."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "rejects": ChannelParameter(type=TrialRejects),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "findings": ChannelParameter(type=GateFindings),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
        "verdict": ChannelParameter(type=ModelVerdict),
        "champion_model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "card": ChannelParameter(type=ModelCardDocument),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "dependency_lock": ExecutionParameter(type=str),
    }


class ModelCard(base_component.BaseComponent):
    """Writes the card of every model that was evaluated, blessed or not.

    Args:
        examples: The examples, for their fingerprint.
        rejects: TrialExampleGen's counts of rows, subjects and labels.
        statistics: Statistics of the splits, for missing values and sites.
        findings: Findings of DataGate.
        model_run: Trainer's record of the training.
        verdict: The Evaluator's metrics, curves and decision.
        champion_model: The champion, from ChampionModel.
        settings: What ModelCard reads of the study: the card holds all of it.
        code_version: Version of this project.
        dependency_lock: SHA-256 of the locked dependencies; empty if there is no lock.
    """

    SPEC_CLASS = ModelCardSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        rejects: BaseChannel,
        statistics: BaseChannel,
        findings: BaseChannel,
        model_run: BaseChannel,
        verdict: BaseChannel,
        champion_model: BaseChannel,
        settings: ModelCardSettings,
        code_version: str,
        dependency_lock: str,
    ) -> None:
        super().__init__(
            spec=ModelCardSpec(
                examples=examples,
                rejects=rejects,
                statistics=statistics,
                findings=findings,
                model_run=model_run,
                verdict=verdict,
                champion_model=champion_model,
                settings=settings.to_json(),
                code_version=code_version,
                dependency_lock=dependency_lock,
                card=channel_utils.as_channel([ModelCardDocument()]),
            )
        )
