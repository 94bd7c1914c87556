"""The graph of an external validation: a registered model on data that it was not trained on."""

from __future__ import annotations

from tfx.orchestration.pipeline import Pipeline

from components.data_gate.component import DataGate
from components.data_gate.settings import DataGateSettings
from components.evaluator.component import TrialEvaluator
from components.evaluator.settings import EvaluatorSettings
from components.external_validation.component import ExternalValidation
from components.external_validation.settings import ExternalValidationSettings
from components.metrics_exporter.component import MetricsExporter
from components.metrics_exporter.settings import MetricsExporterSettings
from components.registered_model.component import RegisteredModel
from components.registered_model.settings import RegisteredModelSettings
from components.trial_example_gen.component import TrialExampleGen
from components.trial_example_gen.settings import TrialExampleGenSettings
from components.updated_model.component import UpdatedModel
from components.updated_model.settings import UpdatedModelSettings
from pipeline.config import RunConfig
from pipeline.names import VALIDATION
from pipeline.pipeline import examine, pipeline_of
from pipeline.results.validation import UpdateMethod


def create_validation_pipeline(config: RunConfig, update: UpdateMethod | None = None) -> Pipeline:
    """Builds the pipeline of one external validation.

    Nothing is trained: all subjects are in the test split, and neither ExampleValidator's findings
    nor the gate's ask for subjects elsewhere.

    Args:
        config: Everything that the run depends on, see `resolve_validation`.
        update: How the model is updated; None registers no updated model.

    Returns:
        The pipeline.
    """
    study = config.study.as_public()
    # First: a study that does not fit the model is refused before its data are read.
    model = RegisteredModel(
        registry_root=config.registry_root,
        settings=RegisteredModelSettings.of(study),
        champion_token=config.champion_token,
    )
    example_gen = TrialExampleGen(
        settings=TrialExampleGenSettings.for_validation(study),
        data_root=config.data_root,
        snapshot=config.snapshot,
        fingerprint=config.fingerprint,
        subject_key=config.subject_key,
        subject_key_id=config.subject_key_id,
        registry_root=config.registry_root,
    )
    example_gen.add_upstream_node(model)
    examples, rejects = example_gen.outputs["examples"], example_gen.outputs["rejects"]
    statistics_gen, schema, validator = examine(config, study, examples)
    gate = DataGate(
        statistics=statistics_gen.outputs["statistics"],
        schema=schema.outputs["schema"],
        anomalies=validator.outputs["anomalies"],
        examples=examples,
        rejects=rejects,
        settings=DataGateSettings.of(study),
    )
    evaluator = TrialEvaluator(
        examples=examples,
        model=model.outputs["model"],
        settings=EvaluatorSettings.of(study),
        rejects=rejects,
    )
    # What the gate stops is reported by the gate.
    evaluator.add_upstream_node(gate)
    validation = ExternalValidation(
        examples=examples,
        model=model.outputs["model"],
        registration=model.outputs["registration"],
        statistics=statistics_gen.outputs["statistics"],
        model_statistics=model.outputs["statistics"],
        verdict=evaluator.outputs["verdict"],
        settings=ExternalValidationSettings.of(study),
        fingerprint=config.fingerprint,
        code_version=config.code_version,
    )
    exporter = MetricsExporter(
        examples=examples,
        rejects=rejects,
        verdict=evaluator.outputs["verdict"],
        findings=gate.outputs["findings"],
        registration=model.outputs["registration"],
        validation=validation.outputs["validation"],
        settings=MetricsExporterSettings.of(study, VALIDATION),
        store=config.store,
        run_id=config.run_id,
        runner=config.runner,
        started_by=config.started_by,
        data_root=config.data_root,
    )
    updated = (
        UpdatedModel(
            validation=validation.outputs["validation"],
            registration=model.outputs["registration"],
            registry_root=config.registry_root,
            settings=UpdatedModelSettings.of(study),
            method=update,
            code_version=config.code_version,
            run_id=config.run_id,
        )
        if update
        else None
    )
    if updated:
        # A validation that the store lists as done has registered what it was asked to.
        exporter.add_upstream_node(updated)
    return pipeline_of(
        config,
        [
            model,
            example_gen,
            statistics_gen,
            schema,
            validator,
            gate,
            evaluator,
            validation,
            updated,
            exporter,
        ],
    )
