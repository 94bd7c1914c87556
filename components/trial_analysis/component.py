"""The TrialAnalysis component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ResearcherAnalysis
from components.trial_analysis.executor import Executor
from components.trial_analysis.settings import TrialAnalysisSettings


class TrialAnalysisSpec(ComponentSpec):
    """Input, parameter and output of TrialAnalysis."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "analysis": ChannelParameter(type=ResearcherAnalysis),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
    }


class TrialAnalysis(base_component.BaseComponent):
    """Compares the arms of a trial statistically; no model is involved.

    Args:
        examples: TrialExampleGen's examples; all splits are read.
        settings: What the analysis reads of the study.
    """

    SPEC_CLASS = TrialAnalysisSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, examples: BaseChannel, settings: TrialAnalysisSettings) -> None:
        super().__init__(
            spec=TrialAnalysisSpec(
                examples=examples,
                settings=settings.to_json(),
                analysis=channel_utils.as_channel([ResearcherAnalysis()]),
            )
        )
