"""Reads the documents of the run's stages and writes them to the store."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.metrics_exporter.settings import MetricsExporterSettings
from pipeline.errors import UserError
from pipeline.names import KUBEFLOW
from pipeline.store.export import (
    ResultFolders,
    RunFacts,
    first_start,
    kubeflow_facts,
    outcome_rows,
    result_rows_of,
)
from pipeline.store.pending import EXPORT_FILE, ExportFile, by_table
from pipeline.store.rows import Rows, joined
from pipeline.store.writer import export

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Executor of MetricsExporter."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Exports the run.

        Args:
            input_dict: The inputs of the component, one artifact each, or none.
            output_dict: `export`: its folder gets `export.json`
                (`pipeline.store.pending.ExportFile`). On Kubeflow it has all rows if the store
                could not be written: `trial export FOLDER` adds them later. Elsewhere nothing is
                exported here: the run adds its results in one transaction with its outcome, so
                that one that dies before leaves no result without an outcome.
            exec_properties: The parameters of the component.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        export = _export(input_dict, exec_properties)
        folder = artifact_utils.get_single_uri(output_dict["export"])
        io_utils.write_string_file(f"{folder}/{EXPORT_FILE}", export.to_json())


def _export(input_dict: dict[str, list[Artifact]], exec_properties: dict[str, Any]) -> ExportFile:
    store = exec_properties["store"]
    if not store:
        return ExportFile(status="no store", store="")
    rows = _rows(input_dict, exec_properties)
    if exec_properties["runner"] != KUBEFLOW:
        return ExportFile(status="with the outcome", store=store, rows=sum(map(len, rows.values())))
    try:
        return ExportFile(status="done", store=store, rows=export(store, rows))
    except UserError as error:
        # A failed export must not fail a run that took hours to train.
        logger.warning("The run is valid, but it could not be exported to the store: %s", error)
        return ExportFile(status="pending", store=store, reason=str(error), pending=by_table(rows))


def _rows(input_dict: dict[str, list[Artifact]], exec_properties: dict[str, Any]) -> Rows:
    inputs = {
        key: artifact_utils.get_single_instance(found) for key, found in input_dict.items() if found
    }
    uris = {key: artifact.uri for key, artifact in inputs.items() if key != "examples"}
    folders = ResultFolders(**uris)
    settings = MetricsExporterSettings.from_json(exec_properties["settings"])
    results = result_rows_of(exec_properties["run_id"], settings.study, folders, settings.kind)
    if exec_properties["runner"] != KUBEFLOW:
        return results
    facts = _facts(settings, inputs.get("examples"), exec_properties)
    return joined(facts.rows(), results, outcome_rows(facts.run, "done", datetime.now(UTC)))


def _facts(
    settings: MetricsExporterSettings, examples: Artifact | None, exec_properties: dict[str, Any]
) -> RunFacts:
    store, run = exec_properties["store"], exec_properties["run_id"]
    return kubeflow_facts(
        run=run,
        study=settings.study,
        files=settings.files if examples else (),
        started=first_start(store, run) or datetime.now(UTC),
        started_by=exec_properties["started_by"],
        fingerprint=examples.get_string_custom_property("fingerprint") if examples else "",
        data_root=exec_properties["data_root"],
        parameters={
            key: exec_properties[key]
            for key in ("seed", "steps")
            if exec_properties.get(key) is not None
        },
        kind=settings.kind,
    )
