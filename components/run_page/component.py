"""The RunPage component."""

from __future__ import annotations

from typing import Any, ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.artifact import Artifact
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import (
    GateFindings,
    KubeflowClassificationMetrics,
    KubeflowHTML,
    KubeflowMarkdown,
    KubeflowMetrics,
    ModelRegistration,
    ModelVerdict,
    TrialRejects,
)
from components.run_page.executor import (
    HTML_KEY,
    SUMMARY_KEY,
    Executor,
    curves_key,
    metrics_key,
)
from pipeline.pages.evaluation.settings import RunPageSettings


class RunPageSpec(ComponentSpec):
    """Inputs and parameters of RunPage; its outputs depend on the study's tasks."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "verdict": ChannelParameter(type=ModelVerdict),
        "findings": ChannelParameter(type=GateFindings),
        "rejects": ChannelParameter(type=TrialRejects),
        "registration": ChannelParameter(type=ModelRegistration),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {}
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
    }


class RunPage(base_component.BaseComponent):
    """Writes the page of a run, and the artifacts that Kubeflow shows on its page.

    Outputs:
        html: One self-contained HTML file.
        summary: A few lines of Markdown.
        metrics_<task>: A table of numbers.
        curves_<task>: ROC curve and confusion matrix.

    Args:
        verdict: The Evaluator's verdict, metrics and curves.
        findings: Findings of DataGate.
        rejects: TrialExampleGen's counts.
        registration: Whether ModelRegistrar registered the model.
        model_run: Trainer's record of the training.
        settings: What the page reads of the study.
        fingerprint: Fingerprint of data and study file.
        code_version: Version of the project.
    """

    SPEC_CLASS = RunPageSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        verdict: BaseChannel,
        findings: BaseChannel,
        rejects: BaseChannel,
        registration: BaseChannel,
        model_run: BaseChannel,
        settings: RunPageSettings,
        fingerprint: str | RuntimeParameter,
        code_version: str,
    ) -> None:
        outputs = _outputs(settings)
        # The outputs depend on the study, so each study has its own specification.
        spec_class: Any = type(
            "RunPageSpecOfStudy",
            (RunPageSpec,),
            {"OUTPUTS": {key: ChannelParameter(type=kind) for key, kind in outputs.items()}},
        )
        super().__init__(
            spec=spec_class(
                verdict=verdict,
                findings=findings,
                rejects=rejects,
                registration=registration,
                model_run=model_run,
                settings=settings.to_json(),
                fingerprint=fingerprint,
                code_version=code_version,
                **{key: channel_utils.as_channel([kind()]) for key, kind in outputs.items()},
            )
        )


def _outputs(settings: RunPageSettings) -> dict[str, type[Artifact]]:
    """All outputs with their types; Kubeflow titles a table or curve by the name of its output."""
    outputs: dict[str, type[Artifact]] = {HTML_KEY: KubeflowHTML, SUMMARY_KEY: KubeflowMarkdown}
    for task in settings.tasks:
        outputs[metrics_key(task)] = KubeflowMetrics
        outputs[curves_key(task)] = KubeflowClassificationMetrics
    return outputs
