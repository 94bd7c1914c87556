"""Runs a COMPILED package as open-source Kubeflow Pipelines would, without a cluster.

What the backend does with a package is imitated here, also what it does badly; each rule names the
place of kubeflow/pipelines that it comes from. Every task is the task's own command line in a
process of its own (or in a container, see `Commands`).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

Spec = Mapping[str, Any]

BUCKET = "mlpipeline"
OUTPUT_METADATA = "output_metadata.json"
LOGS = "executor-logs"
REPOSITORY = Path(__file__).parents[2]

_SESSION = json.dumps({"Provider": "minio", "Params": {"endpoint": "object-store:9000"}})


class WalkError(Exception):
    """The backend would have ended the run here."""


@dataclass(frozen=True)
class Made:
    """An artifact as the backend keeps it.

    Attributes:
        identifier: Number that it gets in the metadata store.
        output: Name of the output that it was.
        uri: Its address.
        metadata: What the task said of it.
        schema: Its type as compiled.
    """

    identifier: str
    output: str
    uri: str
    metadata: dict[str, Any]
    schema: Mapping[str, Any]


@dataclass
class TaskRun:
    """A task that has ended.

    Attributes:
        artifacts: What it made, by output.
        parameters: Its output parameters.
        cached: Whether an earlier run's result was taken.
        handed: The executor input that it was handed.
        log: What it wrote to standard error.
    """

    artifacts: dict[str, Made]
    parameters: dict[str, Any]
    cached: bool = False
    handed: dict[str, Any] = field(default_factory=dict)
    log: str = ""


class Commands:
    """Runs the command lines of tasks as processes of this machine."""

    visible_root: str | None = None
    """Root of the launcher's folders as the task sees it; None: where they really are."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def run(self, command: list[str], launcher_root: Path) -> subprocess.CompletedProcess[str]:
        """Runs a command line; the image's python is this one."""
        del launcher_root
        program = [sys.executable if command[0] == "python" else command[0], *command[1:]]
        return subprocess.run(
            program,
            env=self._environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )


@dataclass
class Walker:
    """A backend with a bucket, a metadata store and a cache.

    Attributes:
        folder: Where the bucket and the launcher's folders lie.
        commands: How the command lines are run.
        later: Whether to imitate the release without ML Metadata.
        on_task: Called with each task's name before it runs.
    """

    folder: Path
    commands: Commands
    later: bool = False
    on_task: Callable[[str], None] = lambda _: None
    _cache: dict[str, TaskRun] = field(default_factory=dict)
    _identifiers: int = 0

    def run(self, package: str, values: Mapping[str, Any]) -> dict[str, TaskRun]:
        """Runs a package.

        Args:
            package: The YAML text, as it would be uploaded.
            values: What the run's form holds; other parameters have their defaults.

        Returns:
            All tasks by name.

        Raises:
            WalkError: The backend would have refused the package or ended the run.
        """
        spec = next(yaml.safe_load_all(package))
        # backend/src/apiserver/template/v2_template.go: unknown fields are refused.
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        json_format.ParseDict(spec["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
        form = _form(spec, values)
        run_id = str(uuid.uuid4())
        ended: dict[str, TaskRun] = {}
        for name, task in _in_order(spec["root"]["dag"]["tasks"]):
            self.on_task(name)
            ended[name] = self._task(spec, run_id, name, task, form, ended)
        return ended

    def content(self, uri: str) -> Path:
        """Where an artifact lies in the bucket."""
        return self.folder / "bucket" / uri.removeprefix("minio://")

    def _task(
        self,
        spec: Spec,
        run_id: str,
        name: str,
        task: Spec,
        form: Mapping[str, Any],
        ended: Mapping[str, TaskRun],
    ) -> TaskRun:
        component = spec["components"][task["componentRef"]["name"]]
        executor = spec["deploymentSpec"]["executors"][component["executorLabel"]]
        if set(executor) != {"container"}:
            # backend/src/v2/compiler/argocompiler/argo.go.
            raise WalkError(f"{name}: {set(executor)} not implemented")
        container = executor["container"]
        inputs = self._inputs(name, task, component, run_id, form, ended)
        key = _cache_key(container, inputs, component)
        if task.get("cachingOptions", {}).get("enableCache") and key in self._cache:
            found = self._cache[key]
            return TaskRun(found.artifacts, found.parameters, cached=True)
        made = self._execute(
            spec["pipelineInfo"]["name"], run_id, name, component, container, inputs
        )
        self._cache[key] = made
        return made

    def _inputs(
        self,
        name: str,
        task: Spec,
        component: Spec,
        run_id: str,
        form: Mapping[str, Any],
        ended: Mapping[str, TaskRun],
    ) -> dict[str, Any]:
        """backend/src/v2/driver/resolve.go, resolveInputs."""
        waits = set(task.get("dependentTasks", ()))
        known = {"{{$.pipeline_job_uuid}}": run_id, "{{$.pipeline_job_name}}": f"run of {run_id}"}
        parameters: dict[str, Any] = {}
        for key, source in task.get("inputs", {}).get("parameters", {}).items():
            if "componentInputParameter" in source:
                parameters[key] = form[source["componentInputParameter"]]
            elif "taskOutputParameter" in source:
                producer = source["taskOutputParameter"]["producerTask"]
                _check_waits(name, waits, producer)
                output = source["taskOutputParameter"]["outputParameterKey"]
                parameters[key] = ended[producer].parameters[output]
            else:
                constant = source["runtimeValue"]["constant"]
                parameters[key] = known.get(constant, constant)
        artifacts: dict[str, Any] = {}
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            producer = source["taskOutputArtifact"]["producerTask"]
            _check_waits(name, waits, producer)
            output = source["taskOutputArtifact"]["outputArtifactKey"]
            artifacts[key] = {"artifacts": [self._handed(ended[producer].artifacts[output])]}
        declared = component.get("inputDefinitions", {}).get("parameters", {})
        for key, definition in declared.items():
            if key not in parameters and not definition.get("isOptional"):
                raise WalkError(f"{name}: neither value nor default value provided for {key}")
        handed = {
            key: _as_declared(name, key, value, declared[key]["parameterType"])
            for key, value in parameters.items()
        }
        return {"parameterValues": handed, **({"artifacts": artifacts} if artifacts else {})}

    def _handed(self, made: Made) -> dict[str, Any]:
        """An artifact that another task made: its type is lost.

        Seen on a backend of August 2026: the type is an empty instance schema, and the metadata
        hold two entries that no task wrote. Later: the whole schema in place of a title.
        """
        if self.later:
            text = made.schema.get("instanceSchema") or made.schema["schemaTitle"]
            artifact_type: dict[str, str] = {"schemaTitle": text}
        else:
            artifact_type = {"instanceSchema": ""}
        added = {"display_name": made.output, "store_session_info": _SESSION}
        found: dict[str, Any] = {
            "type": artifact_type,
            "uri": made.uri,
            "metadata": {**made.metadata, **({} if self.later else added)},
        }
        return found if self.later else {"name": made.identifier, **found}

    def _execute(
        self,
        pipeline: str,
        run_id: str,
        name: str,
        component: Spec,
        container: Spec,
        inputs: dict[str, Any],
    ) -> TaskRun:
        """backend/src/v2/component/launcher_v2.go, execute."""
        launcher = self.folder / "launcher"
        # Each task has a container of its own, and empty folders.
        shutil.rmtree(launcher, ignore_errors=True)
        for folder in ("minio", "gcs", "s3", "tmp/kfp/outputs"):
            (launcher / folder).mkdir(parents=True)
        visible = str(launcher) if self.commands.visible_root is None else ""
        outputs = _outputs(component, f"{BUCKET}/v2/artifacts/{pipeline}/{run_id}/{name}", visible)
        executor_input = {"inputs": inputs, "outputs": outputs}
        for found in inputs.get("artifacts", {}).values():
            # downloadArtifacts: the first artifact of each input.
            self._download(found["artifacts"][0]["uri"], launcher)
        for found in outputs.get("artifacts", {}).values():
            # prepareOutputFolders: the folder that the output lies in, not the output itself.
            _local(found["artifacts"][0]["uri"], launcher).parent.mkdir(parents=True, exist_ok=True)
        placeholders = _placeholders(executor_input, visible)
        command = [
            _replaced(text, placeholders) for text in (*container["command"], *container["args"])
        ]
        ran = self.commands.run(command, launcher)
        if ran.returncode:
            raise WalkError(f"{name} failed:\n{ran.stderr[-6000:]}{ran.stdout[-2000:]}")
        said = _said(launcher / outputs["outputFile"].removeprefix(visible).lstrip("/"))
        return TaskRun(
            artifacts=self._upload(name, component, outputs, said, launcher),
            parameters=_output_parameters(name, component, launcher),
            handed=executor_input,
            log=ran.stderr,
        )

    def _download(self, uri: str, launcher: Path) -> None:
        source, target = self.content(uri), _local(uri, launcher)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)

    def _upload(
        self, name: str, component: Spec, outputs: Spec, said: Spec, launcher: Path
    ) -> dict[str, Made]:
        """backend/src/v2/component/launcher_v2.go, uploadOutputArtifacts.

        The launcher only warns of an output that is not there; the next task would fail for it.
        """
        made = {}
        declared = component.get("outputDefinitions", {}).get("artifacts", {})
        for key, found in outputs.get("artifacts", {}).items():
            if key == LOGS:
                continue
            artifact = found["artifacts"][0]
            told = said.get("artifacts", {}).get(key, {}).get("artifacts", [{}])[0]
            uri = told.get("uri") or artifact["uri"]
            local, target = _local(uri, launcher), self.content(uri)
            if not local.exists():
                raise WalkError(f"{name}: output {key} is not there: {local}")
            target.parent.mkdir(parents=True, exist_ok=True)
            if local.is_dir():
                _upload_folder(name, key, local, target)
            else:
                shutil.copyfile(local, target)
            metadata = told.get("metadata", {})
            _check_metadata(name, key, metadata, declared[key]["artifactType"])
            self._identifiers += 1
            made[key] = Made(
                identifier=str(self._identifiers),
                output=key,
                uri=uri,
                metadata=metadata,
                schema=declared[key]["artifactType"],
            )
        return made


def _form(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    unknown = set(values) - set(declared)
    if unknown:
        raise WalkError(f"the run's form has no {unknown}")
    form = {}
    for name, definition in declared.items():
        if name not in values and "defaultValue" not in definition:
            raise WalkError(f"no value for runtime parameter {name}")
        form[name] = values.get(name, definition.get("defaultValue"))
    return form


def _in_order(tasks: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Argo starts a task when those it depends on have ended."""
    waiting, ordered = dict(tasks), []
    while waiting:
        ready = sorted(
            name
            for name, task in waiting.items()
            if not set(task.get("dependentTasks", ())) & set(waiting)
        )
        if not ready:
            raise WalkError(f"tasks wait for each other: {sorted(waiting)}")
        ordered += [(name, waiting.pop(name)) for name in ready]
    return ordered


def _check_waits(name: str, waits: set[str], producer: str) -> None:
    # backend/src/v2/compiler/argocompiler/dag.go takes Argo's dependencies from dependentTasks.
    if producer not in waits:
        raise WalkError(f"{name} does not wait for {producer}")


def _as_declared(name: str, key: str, value: object, kind: str) -> object:
    """backend/src/v2/driver/resolve.go, handleParamTypeValidationAndConversion."""
    if kind == "STRING":
        return value if isinstance(value, str) else json.dumps(value)
    if kind in ("NUMBER_INTEGER", "NUMBER_DOUBLE") and not isinstance(value, int | float):
        raise WalkError(f"{name}: input parameter {key} type mismatch: expect {kind}")
    return value


def _outputs(component: Spec, base: str, visible: str) -> dict[str, Any]:
    """backend/src/v2/driver/driver.go, provisionOutputs."""
    folder = f"{base}/{uuid.uuid4()}"
    declared = component.get("outputDefinitions", {})
    artifacts = {
        name: {
            "artifacts": [
                {
                    "name": name,
                    "type": dict(definition["artifactType"]),
                    "uri": f"minio://{folder}/{name}",
                }
            ]
        }
        for name, definition in declared.get("artifacts", {}).items()
    }
    artifacts[LOGS] = {
        "artifacts": [
            {
                "name": LOGS,
                "type": {"schemaTitle": "system.Artifact"},
                "uri": f"minio://{folder}/{LOGS}",
            }
        ]
    }
    parameters = {
        name: {"outputFile": f"{visible}/tmp/kfp/outputs/{name}"}
        for name in declared.get("parameters", {})
    }
    return {
        **({"parameters": parameters} if parameters else {}),
        "artifacts": artifacts,
        "outputFile": f"{visible}/minio/{folder}/{OUTPUT_METADATA}",
    }


def _local(uri: str, launcher: Path) -> Path:
    """backend/src/v2/component/launcher_v2.go, LocalPathForURI."""
    return launcher / "minio" / uri.removeprefix("minio://")


def _placeholders(executor_input: Spec, visible: str) -> dict[str, str]:
    """backend/src/v2/component/launcher_v2.go, getPlaceholders."""
    found = {"{{$}}": json.dumps(executor_input)}
    for name, value in executor_input["inputs"]["parameterValues"].items():
        text = value if isinstance(value, str) else json.dumps(value)
        found[f"{{{{$.inputs.parameters['{name}']}}}}"] = text
    for side in ("inputs", "outputs"):
        for name, artifacts in executor_input[side].get("artifacts", {}).items():
            uri = artifacts["artifacts"][0]["uri"]
            path = f"{visible}/minio/{uri.removeprefix('minio://')}"
            found[f"{{{{$.{side}.artifacts['{name}'].uri}}}}"] = uri
            found[f"{{{{$.{side}.artifacts['{name}'].path}}}}"] = path
    for name, parameter in executor_input["outputs"].get("parameters", {}).items():
        key = f"{{{{$.outputs.parameters['{name}'].output_file}}}}"
        found[key] = parameter["outputFile"]
    return found


def _replaced(text: str, placeholders: Mapping[str, str]) -> str:
    for key, value in placeholders.items():
        text = text.replace(key, value)
    left = re.search(r"\{\{\$[^}]*\}\}", text)
    if left and left[0] not in json.dumps(placeholders["{{$}}"]):
        raise WalkError(f"nothing replaces {left[0]}")
    return text


def _said(path: Path) -> dict[str, Any]:
    """getExecutorOutputFile: unknown fields end the run; no file says nothing."""
    if not path.exists():
        return {}
    said = json_format.Parse(path.read_text(), pipeline_spec_pb2.ExecutorOutput())
    return json_format.MessageToDict(said)


def _output_parameters(name: str, component: Spec, launcher: Path) -> dict[str, Any]:
    """collectOutputParameters: a missing file ends the run."""
    found = {}
    for key in component.get("outputDefinitions", {}).get("parameters", {}):
        path = launcher / "tmp" / "kfp" / "outputs" / key
        if not path.exists():
            raise WalkError(f"{name}: failed to read output parameter {key}: {path}")
        found[key] = path.read_text()
    return found


def _upload_folder(name: str, key: str, local: Path, target: Path) -> None:
    """An object store has files only: an empty folder is nothing."""
    files = [path for path in local.rglob("*") if path.is_file()]
    if not files:
        raise WalkError(f"{name}: output {key} is an empty folder: nothing would be uploaded")
    for path in files:
        copy = target / path.relative_to(local)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _check_metadata(name: str, key: str, metadata: Spec, artifact_type: Spec) -> None:
    """backend/src/v2/metadata/client.go, RecordArtifact: null and, for metrics, text are errors."""
    for entry, value in metadata.items():
        if value is None:
            raise WalkError(f"{name}: metadata {entry} of {key} is null")
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if artifact_type.get("schemaTitle") == "system.Metrics" and not numeric:
            raise WalkError(f"{name}: metadata {entry} of {key} is no number")


def _cache_key(container: Spec, inputs: Spec, component: Spec) -> str:
    """backend/src/v2/cacheutils/cache.go, GenerateCacheKey: names of artifacts, not contents."""
    names = {
        key: [artifact.get("name") or artifact["uri"] for artifact in found["artifacts"]]
        for key, found in inputs.get("artifacts", {}).items()
    }
    content = [
        container["image"],
        container["command"],
        container["args"],
        inputs["parameterValues"],
        names,
        component.get("outputDefinitions", {}),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
