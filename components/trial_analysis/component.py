"""The TrialAnalysis component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ResearcherAnalysis
from components.trial_analysis.executor import Executor


class TrialAnalysisSpec(ComponentSpec):
    """Input, parameter and output of TrialAnalysis."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "analysis": ChannelParameter(type=ResearcherAnalysis),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "plan": ExecutionParameter(type=str),
    }


class TrialAnalysis(base_component.BaseComponent):
    """Compares the arms of a trial as a statistician would; no model is involved.

    Args:
        examples: TrialExampleGen's examples; all splits are read.
        plan: What `components.trial_analysis.plan.analysis_section` makes of the study.
    """

    SPEC_CLASS = TrialAnalysisSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, examples: BaseChannel, plan: str) -> None:
        super().__init__(
            spec=TrialAnalysisSpec(
                examples=examples,
                plan=plan,
                analysis=channel_utils.as_channel([ResearcherAnalysis()]),
            )
        )
