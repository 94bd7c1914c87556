"""Converts a Kubeflow task's input to TFX's form, and TFX's output to Kubeflow's form."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.stage_code import CODE_DIGEST

Spec = dict[str, Any]

EMPTY = "EMPTY"
"""Placeholder file in an empty output: an empty folder can't be uploaded."""

_LOCAL = {"minio://": "/minio/", "s3://": "/s3/", "gs://": "/gcs/"}
"""Where the launcher keeps artifacts (backend/src/v2/component/launcher_v2.go, LocalPathForURI)."""

KUBEFLOW_TYPES = "system."
"""Prefix of Kubeflow's own types; their artifacts are single files."""

_METRICS = "system.Metrics"
"""Type whose metadata may only be numbers."""

_ADDED_BY_BACKEND = ("display_name", "store_session_info", "_kfp_workspace")

INSIDE = {"seed": ("custom_config", "seed"), "steps": ("train_args", "num_steps")}
"""Where TFX's components expect a field of a run's form: parameter, and key in it."""

HANDED_BESIDE = (*INSIDE, "beam_options", "metrics_store", CODE_DIGEST)
"""Parameters for the entrypoint or for the backend's cache, not for the executor."""


def schema_title(artifact_type: Mapping[str, str]) -> str:
    """Title of an artifact's type, such as `tfx.Examples`.

    Args:
        artifact_type: A type of the specification; later backends put the whole schema where
            the title belongs.
    """
    text = artifact_type.get("schemaTitle") or artifact_type.get("instanceSchema", "")
    content = yaml.safe_load(text) if text else None
    return str(content.get("title", "")) if isinstance(content, dict) else str(content or "")


@dataclass(frozen=True)
class Handover:
    """The input that the backend passes to a task.

    Attributes:
        executor_input: The launcher's `{{$}}`.
        inputs_spec: The component's inputs, as compiled.
        outputs_spec: The component's outputs, as compiled.
    """

    executor_input: Spec
    inputs_spec: Spec
    outputs_spec: Spec

    @property
    def output_file(self) -> Path:
        """File in which the launcher expects the task's report on its outputs."""
        return Path(self.executor_input["outputs"]["outputFile"])

    @property
    def run_id(self) -> str:
        """Id of the run; empty where it can't be derived from an output's address.

        The driver makes addresses of root, pipeline, run, task, execution and output
        (backend/src/v2/driver/driver.go, provisionOutputs).
        """
        for artifact in self._outputs().values():
            parts = artifact["uri"].split("/")
            if len(parts) > 4:
                return str(parts[-4])
        return ""

    def parameters(self) -> dict[str, Any]:
        """Values of the task's parameters in their declared types, also if sent as text."""
        values = self.executor_input.get("inputs", {}).get("parameterValues", {})
        declared = self.inputs_spec.get("parameters", {})
        return {
            name: _typed(value, declared[name]["parameterType"])
            for name, value in values.items()
            if name in declared
        }

    def for_tfx(self, parameters: Mapping[str, Any], output_file: Path) -> Spec:
        """The executor input as TFX's entrypoint expects it.

        Args:
            parameters: Parameters of the executor.
            output_file: File to which TFX's entrypoint writes its executor output.

        Returns:
            Inputs and outputs with their types, on local paths.
        """
        given = self.executor_input.get("inputs", {}).get("artifacts", {})
        inputs = {
            name: {
                "artifacts": [
                    self._for_tfx(name, declared, artifact)
                    for artifact in given[name].get("artifacts", ())
                ]
            }
            for name, declared in self.inputs_spec.get("artifacts", {}).items()
            if name in given
        }
        declared_outputs = self.outputs_spec.get("artifacts", {})
        outputs = {
            name: {"artifacts": [self._for_tfx(name, declared_outputs[name], artifact)]}
            for name, artifact in self._outputs().items()
        }
        return {
            "inputs": {"parameterValues": dict(parameters), "artifacts": inputs},
            "outputs": {"artifacts": outputs, "outputFile": str(output_file)},
        }

    def make_output_folders(self) -> None:
        """Makes the folders that executors write to."""
        for name, folder in self.output_paths().items():
            (folder.parent if self._is_file(name) else folder).mkdir(parents=True, exist_ok=True)

    def fill_empty_outputs(self) -> None:
        """Puts a placeholder into every output folder that holds no file."""
        for name, folder in self.output_paths().items():
            if not self._is_file(name) and not any(p.is_file() for p in folder.rglob("*")):
                (folder / EMPTY).touch()

    def output_paths(self) -> dict[str, Path]:
        """Local path of each declared output."""
        return {name: Path(self._local(item["uri"])) for name, item in self._outputs().items()}

    def input_paths(self) -> dict[str, list[Path]]:
        """Local paths of each input's artifacts."""
        given = self.executor_input.get("inputs", {}).get("artifacts", {})
        return {
            name: [Path(self._local(artifact["uri"])) for artifact in found.get("artifacts", ())]
            for name, found in given.items()
        }

    def for_launcher(self, made: Mapping[str, Any]) -> Spec:
        """TFX's executor output in the form that the launcher expects.

        Args:
            made: TFX's executor output.

        Returns:
            The same with the outputs' own addresses and names, without metadata that are null or
            not a number: the backend rejects them (backend/src/v2/metadata/client.go).
        """
        result: Spec = {"artifacts": {}}
        for name, artifact in self._outputs().items():
            found = made.get("artifacts", {}).get(name, {}).get("artifacts", [{}])[0]
            result["artifacts"][name] = {
                "artifacts": [
                    {
                        "name": artifact.get("name", name),
                        "uri": artifact["uri"],
                        "metadata": self._metadata_for_launcher(name, found.get("metadata", {})),
                    }
                ]
            }
        return result

    def _metadata_for_launcher(self, name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
        safe = _safe(metadata)
        if self._title(name) == _METRICS:
            return {key: value for key, value in safe.items() if isinstance(value, int | float)}
        if self._is_file(name):
            # Kubeflow's page shows all metadata of its own types; TFX adds its version.
            safe.pop("tfx_version", None)
        return safe

    def _outputs(self) -> dict[str, Spec]:
        """Declared outputs; the backend adds others, such as `executor-logs`."""
        declared = self.outputs_spec.get("artifacts", {})
        given = self.executor_input.get("outputs", {}).get("artifacts", {})
        return {name: found["artifacts"][0] for name, found in given.items() if name in declared}

    def _is_file(self, name: str) -> bool:
        return self._title(name).startswith(KUBEFLOW_TYPES)

    def _title(self, name: str) -> str:
        return schema_title(self.outputs_spec["artifacts"][name]["artifactType"])

    def _for_tfx(self, name: str, declared: Spec, artifact: Spec) -> Spec:
        title = schema_title(declared["artifactType"])
        found = deepcopy(artifact)
        # TFX identifies artifacts by their names; a backend without a metadata store sends none.
        found["name"] = str(found.get("name") or name)
        found["type"] = {"instanceSchema": f"title: {_class_paths().get(title, title)}\n"}
        found["uri"] = self._local(found["uri"])
        found["metadata"] = {
            key: value
            for key, value in _safe(found.get("metadata", {})).items()
            if key not in _ADDED_BY_BACKEND
        }
        return found

    def _local(self, uri: str) -> str:
        path = _local(uri)
        return path if path == uri else self._launcher_root() + path

    def _launcher_root(self) -> str:
        """Folder that contains the launcher's own folders: the root, except in tests.

        The file of the outputs is next to them.
        """
        file = str(self.output_file)
        for found in self.executor_input.get("outputs", {}).get("artifacts", {}).values():
            beside = _local(found["artifacts"][0]["uri"].rpartition("/")[0])
            expected = f"{beside}/{self.output_file.name}"
            if file.endswith(expected):
                return file.removesuffix(expected)
        return ""


def _local(uri: str) -> str:
    for scheme, folder in _LOCAL.items():
        if uri.startswith(scheme):
            return folder + uri.removeprefix(scheme)
    return uri


@cache
def _class_paths() -> Mapping[str, str]:
    """Import path of each artifact type of this project: TFX treats an unknown title as one."""
    from tfx.types.artifact import Artifact

    from components import artifact_types

    ours: list[Any] = [
        found
        for found in vars(artifact_types).values()
        if isinstance(found, type) and issubclass(found, Artifact) and found is not Artifact
    ]
    return {kind.TYPE_NAME: f"{kind.__module__}.{kind.__qualname__}" for kind in ours}


def _typed(value: object, kind: str) -> object:
    if kind == "STRING":
        return value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, str):
        value = json.loads(value)
    if kind == "NUMBER_INTEGER" and isinstance(value, float):
        return int(value)
    return value


def _safe(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in metadata.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }
