"""Reads what the run's stages wrote and hands it to the store."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from grafana.store.engine import StoreDownError
from grafana.store.export import (
    KUBEFLOW,
    ResultFolders,
    RunFacts,
    outcome_rows,
    result_rows_of,
)
from grafana.store.writer import export
from pipeline.storage import newest_change
from pipeline.study import Study, study_from_json

EXPORT_FILE = "export.json"

_LOG = logging.getLogger(__name__)


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
            input_dict: The inputs of the component, one artifact each.
            output_dict: `export`: its folder gets `export.json` with `status` (`done`, `pending`
                where the store did not take it, `no store`), `rows` and `reason`.
            exec_properties: The parameters of the component.

        Raises:
            UserError: The store's address is wrong, or its tables are those of another release.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        said = _export(input_dict, exec_properties)
        folder = artifact_utils.get_single_uri(output_dict["export"])
        io_utils.write_string_file(f"{folder}/{EXPORT_FILE}", json.dumps(said, indent=1) + "\n")


def _export(
    input_dict: dict[str, list[Artifact]], exec_properties: dict[str, Any]
) -> dict[str, Any]:
    if not exec_properties["store"]:
        return {"status": "no store", "rows": 0, "reason": None}
    inputs = {key: artifact_utils.get_single_instance(found) for key, found in input_dict.items()}
    folders = ResultFolders(
        verdict=inputs["verdict"].uri,
        findings=inputs["findings"].uri,
        registration=inputs["registration"].uri,
        summary=inputs["summary"].uri,
    )
    study = study_from_json(exec_properties["study"])
    rows = result_rows_of(exec_properties["run_id"], study, folders)
    if exec_properties["runner"] == KUBEFLOW:
        facts = _facts(study, inputs["examples"], exec_properties)
        rows |= facts.rows() | outcome_rows(facts.run, "done", facts.started)
    try:
        return {"status": "done", "rows": export(exec_properties["store"], rows), "reason": None}
    except StoreDownError as error:
        _LOG.warning("The run's result stands, but it is not in the store: %s", error)
        return {"status": "pending", "rows": 0, "reason": str(error)}


def _facts(study: Study, examples: Artifact, exec_properties: dict[str, Any]) -> RunFacts:
    root = exec_properties["data_root"]
    return RunFacts(
        run=exec_properties["run_id"],
        study=study,
        started=datetime.now(UTC),
        runner=KUBEFLOW,
        started_by="",
        code_version=exec_properties["code_version"],
        fingerprint=examples.get_string_custom_property("fingerprint"),
        data_modified=newest_change(f"{root}/{item.file}" for item in study.datasets.values()),
        parameters={},
    )
