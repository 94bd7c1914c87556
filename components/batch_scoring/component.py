"""The BatchScoring component."""

from __future__ import annotations

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import (
    GateFindings,
    KubeflowHTML,
    ModelRegistration,
    ScoredSubjects,
    ScoringSummary,
)
from components.batch_scoring.executor import Executor
from components.batch_scoring.settings import BatchScoringSettings


class BatchScoringSpec(ComponentSpec):
    """Inputs, parameters and outputs of BatchScoring."""

    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "registration": ChannelParameter(type=ModelRegistration),
        "model_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "findings": ChannelParameter(type=GateFindings),
    }
    OUTPUTS = {
        "scored": ChannelParameter(type=ScoredSubjects),
        "summary": ChannelParameter(type=ScoringSummary),
        "html": ChannelParameter(type=KubeflowHTML),
    }
    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "prediction_log": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
    }


class BatchScoring(BaseBeamComponent):
    """Predicts subjects with a registered model, flags them and sums the predictions up.

    Args:
        examples: The examples; all subjects are in the split `test`.
        model: The model.
        registration: Its entry in the registry.
        model_statistics: Statistics of the subjects that it was trained on.
        findings: What SkewGate found.
        settings: What BatchScoring reads of the study.
        fingerprint: Fingerprint of the data.
        code_version: Version of the project.
        prediction_log: Address of the prediction log; empty for none.
        run_id: Id of the run. The log is not an artifact, so with one every run is a new execution.
    """

    SPEC_CLASS = BatchScoringSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        registration: BaseChannel,
        model_statistics: BaseChannel,
        findings: BaseChannel,
        settings: BatchScoringSettings,
        fingerprint: str | RuntimeParameter,
        code_version: str,
        prediction_log: str,
        run_id: str,
    ) -> None:
        super().__init__(
            spec=BatchScoringSpec(
                examples=examples,
                model=model,
                registration=registration,
                model_statistics=model_statistics,
                findings=findings,
                settings=settings.to_json(),
                fingerprint=fingerprint,
                code_version=code_version,
                prediction_log=prediction_log,
                run_id=run_id if prediction_log else "",
                scored=channel_utils.as_channel([ScoredSubjects()]),
                summary=channel_utils.as_channel([ScoringSummary()]),
                html=channel_utils.as_channel([KubeflowHTML()]),
            )
        )
