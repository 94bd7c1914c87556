"""Writes the page of a run and the artifacts that Kubeflow shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.file_artifacts import write_file_artifact
from components.run_page.kubeflow_outputs import (
    classification_metadata,
    metrics_metadata,
    summary_markdown,
)
from pipeline.html.page import render
from pipeline.pages.evaluation.page import run_page
from pipeline.pages.evaluation.run_result import RunResult
from pipeline.pages.evaluation.settings import RunPageSettings
from pipeline.results.documents import Curves, Metrics, Verdict, read_result
from pipeline.results.findings import Findings
from pipeline.results.held_back import read_counts
from pipeline.results.registration import Registration
from pipeline.results.training import Training

HTML_KEY = "html"
SUMMARY_KEY = "summary"


def metrics_key(task: str) -> str:
    """Name of the output with a task's metrics."""
    return f"metrics_{task}"


def curves_key(task: str) -> str:
    """Name of the output with a task's ROC curve and confusion matrix."""
    return f"curves_{task}"


class Executor(base_executor.BaseExecutor):
    """Executor of RunPage."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads the results of the run and writes all outputs.

        Args:
            input_dict: The inputs of the component, one artifact each.
            output_dict: `html` and `summary`: each becomes one file. For each task its table of
                numbers and its curves: metadata of the artifact, and the same as a JSON file, since
                object stores keep no empty folders.
            exec_properties: `settings`: `RunPageSettings` as JSON; `fingerprint` and
                `code_version`.

        Raises:
            UserError: A file of another stage can't be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        result = _read(input_dict, exec_properties)
        outputs = {
            key: artifact_utils.get_single_instance(artifacts)
            for key, artifacts in output_dict.items()
        }
        write_file_artifact(outputs[HTML_KEY].uri, render(run_page(result)))
        write_file_artifact(outputs[SUMMARY_KEY].uri, summary_markdown(result))
        for task in result.settings.tasks:
            _write_metadata(outputs[metrics_key(task)], metrics_metadata(result, task))
            _write_metadata(outputs[curves_key(task)], classification_metadata(result, task))


def _read(input_dict: dict[str, list[Artifact]], exec_properties: dict[str, Any]) -> RunResult:
    def folder(key: str) -> str:
        return str(artifact_utils.get_single_uri(input_dict[key]))

    return RunResult(
        settings=RunPageSettings.from_json(exec_properties["settings"]),
        code_version=exec_properties["code_version"],
        fingerprint=exec_properties["fingerprint"],
        metrics=read_result(Metrics, folder("verdict")),
        verdict=read_result(Verdict, folder("verdict")),
        curves=read_result(Curves, folder("verdict")),
        findings=read_result(Findings, folder("findings")),
        counts=read_counts(folder("rejects")),
        registration=read_result(Registration, folder("registration")),
        importance=read_result(Training, folder("model_run")).importance,
    ).titled


def _write_metadata(artifact: Artifact, metadata: Mapping[str, Any]) -> None:
    for name, value in metadata.items():
        if isinstance(value, float):
            artifact.set_float_custom_property(name, value)
        else:
            artifact.set_json_value_custom_property(name, value)
    write_file_artifact(artifact.uri, json.dumps(metadata, indent=1, allow_nan=False) + "\n")
