"""The graph that records outcomes: a later data cut is read for the labels alone."""

from __future__ import annotations

from tfx.orchestration.pipeline import Pipeline

from components.outcome_log.component import OutcomeLog
from components.outcome_log.settings import OutcomeLogSettings
from components.trial_example_gen.component import TrialExampleGen
from components.trial_example_gen.settings import TrialExampleGenSettings
from pipeline.config import RunConfig
from pipeline.pipeline import pipeline_of


def create_outcomes_pipeline(config: RunConfig) -> Pipeline:
    """Builds the pipeline of one recording.

    No feature is read, no model is loaded, nothing is registered or exported.

    Args:
        config: Everything that the run depends on, see `resolve_outcomes`.

    Returns:
        The pipeline.
    """
    study = config.study.as_public()
    example_gen = TrialExampleGen(
        settings=TrialExampleGenSettings.for_outcomes(study),
        data_root=config.data_root,
        snapshot=config.snapshot,
        fingerprint=config.fingerprint,
        subject_key=config.subject_key,
        subject_key_id=config.subject_key_id,
        # For the list of forgotten subjects alone: all are in one part, and nothing is released.
        registry_root=config.registry_root,
    )
    outcome_log = OutcomeLog(
        examples=example_gen.outputs["examples"],
        rejects=example_gen.outputs["rejects"],
        settings=OutcomeLogSettings.of(study),
        fingerprint=config.fingerprint,
        code_version=config.code_version,
        prediction_log=config.prediction_log,
        run_id=config.run_id,
    )
    return pipeline_of(config, [example_gen, outcome_log])
