"""The graph: one function for every runner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow_data_validation as tfdv
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.pusher.component import Pusher
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.components.tuner.component import Tuner
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2, trainer_pb2, transform_pb2
from tfx.types.channel import BaseChannel

from components.blessed_model.component import BlessedModel
from components.blessed_model.settings import BlessedModelSettings
from components.champion_model.component import ChampionModel
from components.champion_model.settings import ChampionModelSettings
from components.cross_fit.component import CrossFit
from components.cross_fit.settings import CrossFitSettings
from components.curated_schema.component import CuratedSchema
from components.data_gate.component import DataGate
from components.data_gate.settings import DataGateSettings
from components.evaluator.component import TrialEvaluator
from components.evaluator.settings import EvaluatorSettings
from components.metrics_exporter.component import MetricsExporter
from components.metrics_exporter.settings import MetricsExporterSettings
from components.model_card.component import ModelCard
from components.model_card.settings import ModelCardSettings
from components.model_registrar.component import ModelRegistrar
from components.model_registrar.settings import ModelRegistrarSettings
from components.reference_models.component import ReferenceModels
from components.reference_models.settings import ReferenceModelsSettings
from components.run_page.component import RunPage
from components.trial_analysis.component import TrialAnalysis
from components.trial_analysis.settings import TrialAnalysisSettings
from components.trial_example_gen.component import TrialExampleGen
from components.trial_example_gen.settings import TrialExampleGenSettings
from components.trial_summary.component import TrialSummary
from components.trial_summary.settings import TrialSummarySettings
from pipeline.config import RunConfig
from pipeline.names import ARM, SITE, label_key, slice_key, weight_key
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.runs.publish import PUSHED
from pipeline.stage_code import CODE_DIGEST, code_digest, entry_modules
from pipeline.study.blinded_schema import blinded_schema
from pipeline.study.features import feature_columns
from pipeline.study.study import Study
from trainer.features import ModelInputs


def create_pipeline(config: RunConfig) -> Pipeline:
    """Builds the pipeline of one run.

    Args:
        config: Everything that the run depends on.

    Returns:
        The pipeline.
    """
    return pipeline_of(config, _components(config))


def pipeline_of(config: RunConfig, components: Iterable[BaseNode | None]) -> Pipeline:
    """The pipeline of some components.

    Args:
        config: Everything that the run depends on.
        components: The components; None for one that this run does not have.
    """
    nodes = [node for node in components if node is not None]
    for node in nodes:
        # TFX's cache identifies code only by its name: what was edited must run again.
        node.exec_properties[CODE_DIGEST] = code_digest(entry_modules(node))
    return Pipeline(
        pipeline_name=config.pipeline_name,
        pipeline_root=config.pipeline_root,
        components=nodes,
        enable_cache=True,
        metadata_connection_config=_metadata(config),
        beam_pipeline_args=list(config.beam_args),
    )


def examine(
    config: RunConfig, study: Study, examples: BaseChannel
) -> tuple[StatisticsGen, CuratedSchema, ExampleValidator]:
    """The components that compare the statistics of examples with the curated schema."""
    # No statistics of pseudonyms: the most frequent values would be in the artifact.
    statistics_gen = StatisticsGen(
        examples=examples,
        stats_options=tfdv.StatsOptions(feature_allowlist=statistics_columns(study)),
    )
    schema = CuratedSchema(blinded_schema(config.schema, study))
    validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema.outputs["schema"]
    )
    return statistics_gen, schema, validator


def _metadata(config: RunConfig) -> metadata.ConnectionConfigType | None:
    if config.metadata_path is None:
        return None
    return metadata.sqlite_metadata_connection_config(config.metadata_path)


def _components(config: RunConfig) -> list[BaseNode | None]:
    # Internal results never reach a stage: `pipeline.internal_report` computes them.
    study = config.study.as_public()
    example_gen = TrialExampleGen(
        settings=TrialExampleGenSettings.of(study),
        data_root=config.data_root,
        snapshot=config.snapshot,
        fingerprint=config.fingerprint,
        subject_key=config.subject_key,
        subject_key_id=config.subject_key_id,
        registry_root=config.registry_root,
        inherited_division=config.inherited_division,
    )
    examples = example_gen.outputs["examples"]
    statistics_gen, schema, validator = examine(config, study, examples)
    champion = ChampionModel(
        registry_root=config.registry_root,
        settings=ChampionModelSettings.of(study),
        champion_token=config.champion_token,
    )
    gate = DataGate(
        statistics=statistics_gen.outputs["statistics"],
        schema=schema.outputs["schema"],
        anomalies=validator.outputs["anomalies"],
        examples=examples,
        rejects=example_gen.outputs["rejects"],
        champion_statistics=champion.outputs["statistics"],
        settings=DataGateSettings.of(study),
    )
    summary = TrialSummary(
        settings=TrialSummarySettings.of(study),
        data_root=config.data_root,
        snapshot=config.snapshot,
        fingerprint=config.fingerprint,
        rejects=example_gen.outputs["rejects"],
    )
    transform = Transform(
        examples=examples,
        schema=schema.outputs["schema"],
        preprocessing_fn="trainer.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=["train"]),
        custom_config=_custom_config(config),
        # Who reads examples transforms them with the graph, as the served model does.
        materialize=False,
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    tuner = _tuner(config, examples, transform, schema) if config.tune else None
    trainer = Trainer(
        run_fn="trainer.run.run_fn",
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=config.steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config=_custom_config(config),
    )
    # Nothing trains before all that the study file names was found in the data.
    for node in (tuner, trainer):
        for earlier in (gate, summary):
            if node:
                node.add_upstream_node(earlier)
    cross_fit = CrossFit(
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        rejects=example_gen.outputs["rejects"],
        model=trainer.outputs["model"],
        settings=CrossFitSettings.of(study),
        seed=config.seed,
        steps=config.steps,
        tune=config.tune,
    )
    references = ReferenceModels(
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        rejects=example_gen.outputs["rejects"],
        settings=ReferenceModelsSettings.of(study),
        seed=config.seed,
    )
    evaluator = TrialEvaluator(
        examples=examples,
        model=trainer.outputs["model"],
        champion_model=champion.outputs["model"],
        champion_division=champion.outputs["division"],
        settings=EvaluatorSettings.of(study),
        registry_root=config.registry_root,
        look=config.look,
        predictions=cross_fit.outputs["predictions"],
        reference_predictions=references.outputs["predictions"],
        rejects=example_gen.outputs["rejects"],
    )
    card = ModelCard(
        examples=examples,
        rejects=example_gen.outputs["rejects"],
        statistics=statistics_gen.outputs["statistics"],
        findings=gate.outputs["findings"],
        model_run=trainer.outputs["model_run"],
        verdict=evaluator.outputs["verdict"],
        champion_model=champion.outputs["model"],
        settings=ModelCardSettings.of(study),
        code_version=config.code_version,
        dependency_lock=config.dependency_lock,
    )
    blessed = BlessedModel(
        trained_model=trainer.outputs["model"],
        verdict=evaluator.outputs["verdict"],
        uncertainty=cross_fit.outputs["uncertainty"],
        settings=BlessedModelSettings.of(study),
    )
    pusher = _pusher(config.serving_dir, blessed, evaluator) if config.serving_dir else None
    registrar = ModelRegistrar(
        model=blessed.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"] if pusher else None,
        statistics=statistics_gen.outputs["statistics"],
        verdict=evaluator.outputs["verdict"],
        examples=examples,
        champion_model=champion.outputs["model"],
        card=card.outputs["card"],
        registry_root=config.registry_root,
        settings=ModelRegistrarSettings.of(study),
        code_version=config.code_version,
        run_id=config.run_id,
        started_by=config.started_by,
        dependency_lock=config.dependency_lock,
        serving_dir=config.serving_dir or "",
        rejects=example_gen.outputs["rejects"],
        predictions=cross_fit.outputs["predictions"],
    )
    # Independent of the training: neither waits for the other.
    analysis = TrialAnalysis(examples=examples, settings=TrialAnalysisSettings.of(study))
    # What the gate stops is reported by the gate.
    analysis.add_upstream_node(gate)
    # No model is pushed or registered without its card, nor when a later stage would still fail
    # on the data or the study file.
    for node in (pusher, registrar):
        for earlier in (card, cross_fit, analysis, summary):
            if node:
                node.add_upstream_node(earlier)
    run_page = RunPage(
        verdict=evaluator.outputs["verdict"],
        findings=gate.outputs["findings"],
        rejects=example_gen.outputs["rejects"],
        registration=registrar.outputs["registration"],
        model_run=trainer.outputs["model_run"],
        settings=RunPageSettings.of(study),
        fingerprint=config.fingerprint,
        code_version=config.code_version,
    )
    exporter = MetricsExporter(
        examples=examples,
        rejects=example_gen.outputs["rejects"],
        verdict=evaluator.outputs["verdict"],
        findings=gate.outputs["findings"],
        registration=registrar.outputs["registration"],
        summary=summary.outputs["summary"],
        settings=MetricsExporterSettings.of(study),
        store=config.store,
        run_id=config.run_id,
        runner=config.runner,
        started_by=config.started_by,
        seed=config.seed,
        steps=config.steps,
        data_root=config.data_root,
    )
    # A run that the store lists as done has its page.
    exporter.add_upstream_node(run_page)
    return [
        example_gen,
        statistics_gen,
        schema,
        validator,
        champion,
        gate,
        transform,
        tuner,
        trainer,
        cross_fit,
        references,
        evaluator,
        blessed,
        card,
        analysis,
        summary,
        pusher,
        registrar,
        run_page,
        exporter,
    ]


def statistics_columns(study: Study) -> list[str]:
    """Columns of the examples that statistics may be taken of: all but the subject hash."""
    numbers, categories = feature_columns(study)
    columns = [*numbers, *categories]
    for task in study.tasks:
        columns += [label_key(task), weight_key(task)]
    columns += [slice_key(name) for name in study.slicing.by]
    columns += [ARM] if study.arm else []
    columns += [SITE] if study.site else []
    return list(dict.fromkeys(columns))


def model_inputs(study: Study) -> ModelInputs:
    """Inputs and outputs of a study's model."""
    numbers, categories = feature_columns(study)
    return ModelInputs(
        numeric=tuple(numbers), categorical=tuple(categories), tasks=tuple(study.tasks)
    )


def _custom_config(config: RunConfig) -> dict[str, Any]:
    return {
        "inputs": model_inputs(config.study).to_config(),
        "seed": config.seed,
        "hyperparameters": config.study.training.hyperparameters.given,
        "tune": config.tune,
        "contributions": config.study.training.contributions,
    }


def _pusher(serving_dir: str, blessed: BlessedModel, evaluator: TrialEvaluator) -> Pusher:
    return Pusher(
        model=blessed.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(
                base_directory=f"{serving_dir}/{PUSHED}"
            )
        ),
    )


def _tuner(
    config: RunConfig, examples: BaseChannel, transform: Transform, schema: CuratedSchema
) -> Tuner:
    return Tuner(
        tuner_fn="trainer.tuning.tuner_fn",
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=config.steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config=_custom_config(config),
    )
