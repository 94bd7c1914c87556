"""TrialExampleGen: a study's files in, one tf.Example per subject out."""

from __future__ import annotations

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import standard_artifacts
from tfx.types.channel import Channel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import TrialRejects
from components.trial_example_gen.executor import INHERITED_KEY, TrialExampleGenExecutor
from components.trial_example_gen.settings import TrialExampleGenSettings


class TrialExampleGenSpec(ComponentSpec):
    """Parameters and outputs of TrialExampleGen."""

    PARAMETERS = {
        "settings": ExecutionParameter(type=str),
        "data_root": ExecutionParameter(type=str),
        "snapshot": ExecutionParameter(type=str, optional=True),
        "fingerprint": ExecutionParameter(type=str),
        "subject_key": ExecutionParameter(type=str),
        "subject_key_id": ExecutionParameter(type=str),
        "registry_root": ExecutionParameter(type=str, optional=True),
        INHERITED_KEY: ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "rejects": ChannelParameter(type=TrialRejects),
    }


class TrialExampleGen(BaseBeamComponent):
    """Reads a study's files with Beam and writes one tf.Example per subject.

    Outputs:
        examples: Splits train, eval and test; custom properties `fingerprint`, `subject_key_id` and
            `inherited_division`.
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
        registry_root: str | RuntimeParameter | None = None,
        inherited_division: str | RuntimeParameter | None = None,
        snapshot: str | RuntimeParameter | None = None,
    ) -> None:
        """Describes one reading of a study.

        Args:
            settings: What TrialExampleGen reads of the study.
            data_root: Folder that the study file's patterns are relative to.
            fingerprint: `content_fingerprint` of study and data, taken now.
            subject_key: Reference to the secret of the subject hash (`env:` or `file:`).
            subject_key_id: Identifies the secret, so that another one is another execution.
            registry_root: Root of the registry, which holds the champion's division, and which the
                list of forgotten subjects lies beside.
            inherited_division: Digest of the division whose subjects keep their part or fold, see
                `pipeline.runs.inheritance`; without it all subjects are dealt.
            snapshot: Folder of the snapshot of the study's database, if it reads one.
        """
        super().__init__(
            spec=TrialExampleGenSpec(
                settings=settings.to_json(),
                data_root=data_root,
                snapshot=snapshot or None,
                fingerprint=fingerprint,
                subject_key=subject_key,
                subject_key_id=subject_key_id,
                registry_root=registry_root,
                inherited_division=inherited_division,
                examples=Channel(type=standard_artifacts.Examples),
                rejects=Channel(type=TrialRejects),
            )
        )
