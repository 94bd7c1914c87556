"""The Monitor component."""

from __future__ import annotations

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import KubeflowHTML, ModelRegistration, MonitoringSummary
from components.monitor.executor import Executor
from components.monitor.settings import MonitorSettings


class MonitorSpec(ComponentSpec):
    """Inputs, parameters and outputs of Monitor."""

    INPUTS = {
        "registration": ChannelParameter(type=ModelRegistration),
        "model_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    OUTPUTS = {
        "monitoring": ChannelParameter(type=MonitoringSummary),
        "html": ChannelParameter(type=KubeflowHTML),
    }
    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "registry_root": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str),
        "prediction_log": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
    }


class Monitor(BaseBeamComponent):
    """Follows the predictions of the champion in the prediction log, by calendar period.

    Args:
        registration: The champion's entry in the registry.
        model_statistics: Statistics of the subjects that it was trained on.
        settings: What Monitor reads of the study.
        registry_root: Root of the registry, for the predictions that the model was evaluated on.
        code_version: Version of the project.
        prediction_log: Address of the prediction log.
        run_id: Id of the run. The log is not an artifact, so every run is a new execution.
    """

    SPEC_CLASS = MonitorSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        registration: BaseChannel,
        model_statistics: BaseChannel,
        settings: MonitorSettings,
        registry_root: str | RuntimeParameter,
        code_version: str,
        prediction_log: str,
        run_id: str,
    ) -> None:
        super().__init__(
            spec=MonitorSpec(
                registration=registration,
                model_statistics=model_statistics,
                settings=settings.to_json(),
                registry_root=registry_root,
                code_version=code_version,
                prediction_log=prediction_log,
                run_id=run_id,
                monitoring=channel_utils.as_channel([MonitoringSummary()]),
                html=channel_utils.as_channel([KubeflowHTML()]),
            )
        )
