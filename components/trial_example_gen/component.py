"""TrialExampleGen: a study's files in, one tf.Example per subject out."""

from __future__ import annotations

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_artifacts
from tfx.types.channel import Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import TrialRejects
from components.trial_example_gen.executor import TrialExampleGenExecutor
from components.trial_example_gen.settings import TrialExampleGenSettings


class TrialExampleGenSpec(ComponentSpec):
    """Parameters and outputs of TrialExampleGen."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "data_root": ExecutionParameter(type=str),
        "fingerprint": ExecutionParameter(type=str),
        "subject_key": ExecutionParameter(type=str),
        "subject_key_id": ExecutionParameter(type=str),
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "rejects": ChannelParameter(type=TrialRejects),
    }


class TrialExampleGen(BaseBeamComponent):
    """Reads a study's files with Beam and writes one tf.Example per subject.

    Outputs:
        examples: Splits train, eval and test; custom property `fingerprint`.
        rejects: Rejected rows, with file, row, column and reason, and all counts.
    """

    SPEC_CLASS = TrialExampleGenSpec
    EXECUTOR_SPEC = BeamExecutorSpec(TrialExampleGenExecutor)

    def __init__(
        self,
        settings: TrialExampleGenSettings,
        data_root: str | RuntimeParameter,
        fingerprint: str | RuntimeParameter,
        subject_key: str,
        subject_key_id: str | RuntimeParameter,
    ) -> None:
        """Describes one reading of a study.

        Args:
            settings: What TrialExampleGen reads of the study.
            data_root: Folder that the study file's patterns are relative to.
            fingerprint: `content_fingerprint` of study and data, taken now.
            subject_key: Reference to the secret of the subject hash (`env:` or `file:`).
            subject_key_id: Identifies the secret, so that another one is another execution.
        """
        super().__init__(
            spec=TrialExampleGenSpec(
                settings=settings.to_json(),
                data_root=data_root,
                fingerprint=fingerprint,
                subject_key=subject_key,
                subject_key_id=subject_key_id,
                examples=Channel(type=standard_artifacts.Examples),
                rejects=Channel(type=TrialRejects),
            )
        )
