"""The graph of a monitoring: what the champion predicted, and how it turned out, by period."""

from __future__ import annotations

from tfx.orchestration.pipeline import Pipeline

from components.metrics_exporter.component import MetricsExporter
from components.metrics_exporter.settings import MetricsExporterSettings
from components.monitor.component import Monitor
from components.monitor.settings import MonitorSettings
from components.registered_model.component import RegisteredModel
from components.registered_model.settings import RegisteredModelSettings
from pipeline.config import RunConfig
from pipeline.names import MONITORING
from pipeline.pipeline import pipeline_of


def create_monitoring_pipeline(config: RunConfig) -> Pipeline:
    """Builds the pipeline of one monitoring.

    No data of the trial are read: what is monitored is in the prediction log.

    Args:
        config: Everything that the run depends on, see `resolve_monitoring`.

    Returns:
        The pipeline.
    """
    study = config.study.as_public()
    registered = RegisteredModel(
        registry_root=config.registry_root,
        settings=RegisteredModelSettings.for_scoring(study, ""),
        champion_token=config.champion_token,
    )
    monitor = Monitor(
        registration=registered.outputs["registration"],
        model_statistics=registered.outputs["statistics"],
        settings=MonitorSettings.of(study),
        registry_root=config.registry_root,
        code_version=config.code_version,
        prediction_log=config.prediction_log,
        run_id=config.run_id,
    )
    exporter = MetricsExporter(
        monitoring=monitor.outputs["monitoring"],
        settings=MetricsExporterSettings.of(study, MONITORING),
        store=config.store,
        run_id=config.run_id,
        runner=config.runner,
        started_by=config.started_by,
        data_root="",
    )
    return pipeline_of(config, [registered, monitor, exporter])
