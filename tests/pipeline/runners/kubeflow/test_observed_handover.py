"""What a real backend handed to real tasks: the walker hands over the same, and TFX can take it.

The hand-overs were seen on the API server, driver and launcher of kubeflow/pipelines of August
2026. They lie outside the repository; where they are absent these tests are skipped.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.runners.kubeflow.handover import Handover
from tests.kubeflow.spec_walker import REPOSITORY, Commands, Walker

OBSERVED = REPOSITORY / ".." / "shared" / "reference" / "kfp-observed.json"
PIPELINES = ("two_plain_containers", "two_tfx_typed_tasks")
LOGS = "executor-logs"

WRITE_ALL = 'for path in "$@"; do mkdir -p "$(dirname "$path")"; echo 5 > "$path"; done'
"""Program of a task: a file for each output, whose paths are its arguments."""


@pytest.fixture(scope="module")
def observed() -> dict[str, Any]:
    if not OBSERVED.is_file():
        pytest.skip("the hand-overs of a real backend are absent")
    found: dict[str, Any] = json.loads(OBSERVED.read_text())
    return found


def task_name(seen: dict[str, Any]) -> str:
    return str(Path(seen["executor_input"]["outputs"]["outputFile"]).parts[-3])


def pipeline_name(seen: dict[str, Any]) -> str:
    return str(Path(seen["executor_input"]["outputs"]["outputFile"]).parts[-5])


def declared(seen: dict[str, Any]) -> dict[str, Any]:
    """The component as it was compiled: the backend added its output for logs."""
    component: dict[str, Any] = deepcopy(seen["component_spec"])
    component.get("outputDefinitions", {}).get("artifacts", {}).pop(LOGS, None)
    return component


def task(seen: dict[str, Any]) -> dict[str, Any]:
    """The task with its parameters as constants and its artifacts from where they came from."""
    inputs = seen["executor_input"]["inputs"]
    sources = {
        name: Path(found["artifacts"][0]["uri"]).parts
        for name, found in inputs.get("artifacts", {}).items()
    }
    return {
        "componentRef": {"name": task_name(seen)},
        "dependentTasks": sorted({parts[-3] for parts in sources.values()}),
        "inputs": {
            "parameters": {
                name: {"runtimeValue": {"constant": value}}
                for name, value in inputs["parameterValues"].items()
            },
            "artifacts": {
                name: {
                    "taskOutputArtifact": {
                        "producerTask": parts[-3],
                        "outputArtifactKey": parts[-1],
                    }
                }
                for name, parts in sources.items()
            },
        },
    }


def executor(component: dict[str, Any]) -> dict[str, Any]:
    outputs = component.get("outputDefinitions", {})
    paths = [f"{{{{$.outputs.artifacts['{name}'].path}}}}" for name in outputs.get("artifacts", {})]
    paths += [
        f"{{{{$.outputs.parameters['{name}'].output_file}}}}"
        for name in outputs.get("parameters", {})
    ]
    return {
        "container": {"image": "seen:1", "command": ["sh", "-c", WRITE_ALL, "sh"], "args": paths}
    }


def package(seen: list[dict[str, Any]]) -> str:
    """A package whose tasks have the components, inputs and names of those that were seen."""
    components = {task_name(item): declared(item) for item in seen}
    return yaml.safe_dump(
        {
            "schemaVersion": "2.1.0",
            "pipelineInfo": {"name": pipeline_name(seen[0])},
            "root": {"dag": {"tasks": {task_name(item): task(item) for item in seen}}},
            "components": components,
            "deploymentSpec": {
                "executors": {item["executorLabel"]: executor(item) for item in components.values()}
            },
        }
    )


def without_chance(handed: dict[str, Any], root: str = "") -> dict[str, Any]:
    """A hand-over without random ids, numbers of artifacts, and the object store's settings."""
    text = json.dumps(handed).replace(root, "") if root else json.dumps(handed)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    found: dict[str, Any] = json.loads(re.sub(r'"name": "\d+"', '"name": "<number>"', text))
    for given in found["inputs"].get("artifacts", {}).values():
        for artifact in given["artifacts"]:
            session = json.loads(artifact["metadata"]["store_session_info"])
            artifact["metadata"]["store_session_info"] = sorted(session)
    return found


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_walker_hands_over_what_the_backend_did(
    observed: dict[str, Any], pipeline: str, tmp_path: Path
) -> None:
    seen = observed[pipeline]
    ran = Walker(tmp_path, Commands({"PATH": "/usr/bin:/bin"})).run(package(seen), {})
    walked = {
        name: without_chance(done.handed, str(tmp_path / "launcher")) for name, done in ran.items()
    }
    assert walked == {task_name(item): without_chance(item["executor_input"]) for item in seen}


def test_the_folders_of_the_launcher_are_those_of_a_real_task(
    observed: dict[str, Any], tmp_path: Path
) -> None:
    walker = Walker(tmp_path, Commands({"PATH": "/usr/bin:/bin"}))
    walker.run(package(observed["two_plain_containers"]), {})
    folders = {f"/{path.name}" for path in (tmp_path / "launcher").iterdir()}
    mounts = {mount["mountPath"] for mount in observed["pod_of_a_task"]["volumeMounts"]}
    # /tmp is the container's own.
    assert folders - {"/tmp"} <= mounts


@pytest.mark.slow
def test_tfx_takes_what_a_real_task_was_handed(observed: dict[str, Any], tmp_path: Path) -> None:
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
    from tfx.types import standard_artifacts

    (seen,) = (i for i in observed["two_tfx_typed_tasks"] if task_name(i) == "StatisticsGen")
    component = declared(seen)
    handover = Handover(
        executor_input=seen["executor_input"],
        inputs_spec=component["inputDefinitions"],
        outputs_spec=component["outputDefinitions"],
    )
    handed = handover.for_tfx(handover.parameters(), tmp_path / "said.json")
    assert set(handed["outputs"]["artifacts"]) == {"statistics"}
    parsed = json_format.ParseDict(handed, pipeline_spec_pb2.ExecutorInput())
    (made,) = kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict(parsed.inputs.artifacts)[
        "examples"
    ]
    assert isinstance(made, standard_artifacts.Examples)
    assert made.uri.startswith("/minio/mlpipeline/v2/artifacts/plain/")
