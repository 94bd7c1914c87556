"""The MetricsExporter component."""

from __future__ import annotations

from typing import ClassVar

from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import channel_utils, standard_artifacts
from tfx.types.channel import BaseChannel
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifact_types import (
    ExternalValidation,
    GateFindings,
    ModelRegistration,
    ModelVerdict,
    MonitoringSummary,
    ProgressSummary,
    StoreExport,
    TrialRejects,
)
from components.metrics_exporter.executor import Executor
from components.metrics_exporter.settings import MetricsExporterSettings


class MetricsExporterSpec(ComponentSpec):
    """Inputs, parameters and output of MetricsExporter."""

    INPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "rejects": ChannelParameter(type=TrialRejects, optional=True),
        "verdict": ChannelParameter(type=ModelVerdict, optional=True),
        "findings": ChannelParameter(type=GateFindings, optional=True),
        "registration": ChannelParameter(type=ModelRegistration, optional=True),
        "summary": ChannelParameter(type=ProgressSummary, optional=True),
        "validation": ChannelParameter(type=ExternalValidation, optional=True),
        "monitoring": ChannelParameter(type=MonitoringSummary, optional=True),
    }
    OUTPUTS: ClassVar[dict[str, ChannelParameter]] = {
        "export": ChannelParameter(type=StoreExport),
    }
    PARAMETERS: ClassVar[dict[str, ExecutionParameter]] = {
        "settings": ExecutionParameter(type=str),
        "store": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
        "runner": ExecutionParameter(type=str),
        "started_by": ExecutionParameter(type=str),
        "seed": ExecutionParameter(type=int, optional=True),
        "steps": ExecutionParameter(type=int, optional=True),
        "data_root": ExecutionParameter(type=str),
    }


class MetricsExporter(base_component.BaseComponent):
    """Exports the documents of a run's stages to the SQL store.

    A store that can't be written does not fail the run: the output holds the rows that are pending,
    and the export can be repeated at any time.

    Args:
        settings: What MetricsExporter reads of the study.
        store: Address of the store, without a password; empty exports nothing.
        run_id: Id of the run; every run is a new execution.
        runner: `local`, whose runner exports the results with the run's outcome at its end, or
            `kubeflow`.
        started_by: Who or what started the run.
        data_root: Folder of the study's data files, whose age is exported.
        examples: The examples, for their fingerprint; a monitoring reads none.
        rejects: The counts of used and rejected rows.
        verdict: The Evaluator's metrics, curves and decision.
        findings: Findings of DataGate.
        registration: Whether the model was registered.
        summary: Progress of the trial.
        validation: The result of an external validation, which trains no model.
        monitoring: What a monitoring found.
        seed: Seed of training.
        steps: Training steps; 0 if the eval split stopped the training.
    """

    SPEC_CLASS = MetricsExporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        settings: MetricsExporterSettings,
        store: str | RuntimeParameter,
        run_id: str,
        runner: str,
        started_by: str,
        data_root: str | RuntimeParameter,
        examples: BaseChannel | None = None,
        rejects: BaseChannel | None = None,
        verdict: BaseChannel | None = None,
        findings: BaseChannel | None = None,
        registration: BaseChannel | None = None,
        summary: BaseChannel | None = None,
        validation: BaseChannel | None = None,
        monitoring: BaseChannel | None = None,
        seed: int | None = None,
        steps: int | None = None,
    ) -> None:
        super().__init__(
            spec=MetricsExporterSpec(
                examples=examples,
                rejects=rejects,
                verdict=verdict,
                findings=findings,
                registration=registration,
                summary=summary,
                validation=validation,
                monitoring=monitoring,
                settings=settings.to_json(),
                store=store,
                run_id=run_id,
                runner=runner,
                started_by=started_by,
                seed=seed,
                steps=steps,
                data_root=data_root,
                export=channel_utils.as_channel([StoreExport()]),
            )
        )
