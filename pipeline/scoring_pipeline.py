"""The graph of a scoring: a registered model predicts subjects whose outcome is not known."""

from __future__ import annotations

import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.orchestration.pipeline import Pipeline

from components.batch_scoring.component import BatchScoring
from components.batch_scoring.settings import BatchScoringSettings
from components.registered_model.component import RegisteredModel
from components.registered_model.settings import RegisteredModelSettings
from components.skew_gate.component import SkewGate
from components.skew_gate.settings import SkewGateSettings
from components.trial_example_gen.component import TrialExampleGen
from components.trial_example_gen.settings import TrialExampleGenSettings
from pipeline.config import RunConfig
from pipeline.pipeline import pipeline_of
from pipeline.study.features import feature_columns


def create_scoring_pipeline(config: RunConfig, model: str = "") -> Pipeline:
    """Builds the pipeline of one scoring.

    Nothing of an outcome is read, nothing is trained, pushed or registered.

    Args:
        config: Everything that the run depends on, see `resolve_scoring`.
        model: Id of the registration that predicts; empty for the champion.

    Returns:
        The pipeline.
    """
    study = config.study.as_public()
    # First: a study that does not fit the model is refused before its data are read.
    registered = RegisteredModel(
        registry_root=config.registry_root,
        settings=RegisteredModelSettings.for_scoring(study, model),
        champion_token=config.champion_token,
    )
    example_gen = TrialExampleGen(
        settings=TrialExampleGenSettings.for_scoring(study),
        data_root=config.data_root,
        snapshot=config.snapshot,
        fingerprint=config.fingerprint,
        subject_key=config.subject_key,
        subject_key_id=config.subject_key_id,
        registry_root=config.registry_root,
    )
    example_gen.add_upstream_node(registered)
    examples = example_gen.outputs["examples"]
    numbers, categories = feature_columns(study)
    # No statistics of pseudonyms: the most frequent values would be in the artifact.
    statistics_gen = StatisticsGen(
        examples=examples,
        stats_options=tfdv.StatsOptions(feature_allowlist=[*numbers, *categories]),
    )
    gate = SkewGate(
        examples=examples,
        statistics=statistics_gen.outputs["statistics"],
        model_statistics=registered.outputs["statistics"],
        settings=SkewGateSettings.of(study),
    )
    scoring = BatchScoring(
        examples=examples,
        model=registered.outputs["model"],
        registration=registered.outputs["registration"],
        model_statistics=registered.outputs["statistics"],
        findings=gate.outputs["findings"],
        settings=BatchScoringSettings.of(study),
        fingerprint=config.fingerprint,
        code_version=config.code_version,
        prediction_log=config.prediction_log,
        run_id=config.run_id,
    )
    return pipeline_of(config, [registered, example_gen, statistics_gen, gate, scoring])
