"""The TrialSummary component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import ProgressSummary, TrialRejects
from components.trial_summary.executor import Executor
from components.trial_summary.settings import TrialSummarySettings


class TrialSummarySpec(ComponentSpec):
    """Parameters and output of TrialSummary."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "rejects": ChannelParameter(type=TrialRejects, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "summary": ChannelParameter(type=ProgressSummary),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "data_root": ExecutionParameter(type=str),
        "snapshot": ExecutionParameter(type=str, optional=True),
        "fingerprint": ExecutionParameter(type=str),
    }


class TrialSummary(BaseBeamComponent):
    """Summarizes a trial's progress with Beam: enrolment, disposition, exposure, adverse events.

    It is not part of the training: it may read data after the landmark, and no training stage reads
    its output.

    Args:
        settings: What TrialSummary reads of the study.
        data_root: Folder that the study file's patterns are relative to.
        fingerprint: Fingerprint of the data, so that changed data are a new execution.
        snapshot: Folder of the snapshot of the study's database, if it reads one.
        rejects: Rejects of TrialExampleGen, beside which is whether the run shows its numbers.
    """

    SPEC_CLASS = TrialSummarySpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        settings: TrialSummarySettings,
        data_root: str | RuntimeParameter,
        fingerprint: str | RuntimeParameter,
        snapshot: str | RuntimeParameter | None = None,
        rejects: BaseChannel | None = None,
    ) -> None:
        super().__init__(
            spec=TrialSummarySpec(
                rejects=rejects,
                settings=settings.to_json(),
                data_root=data_root,
                snapshot=snapshot or None,
                fingerprint=fingerprint,
                summary=channel_utils.as_channel([ProgressSummary()]),
            )
        )
