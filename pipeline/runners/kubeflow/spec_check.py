"""Finds what open-source Kubeflow Pipelines would reject in a package, before it is submitted.

Each rule names its source in kubeflow/pipelines (release 2.15 unless stated otherwise), so that
it can be checked against a newer release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]

SCHEMA_VERSION = "2.1.0"

_TASK_NAME = re.compile(r"^[A-Za-z0-9][-A-Za-z0-9]*$")
_PIPELINE_NAME = re.compile(r"^[a-z0-9][-a-z0-9]{0,126}[a-z0-9]$")
_PLACEHOLDER = re.compile(r"\{\{\$\.(inputs|outputs)\.(parameters|artifacts)\['([^']*)'\]")
_PARAMETER_KINDS = {
    "STRING": str,
    "NUMBER_INTEGER": int,
    "NUMBER_DOUBLE": float,
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}


def problems(spec: Spec) -> list[str]:
    """Everything in a package that the backend would reject, one sentence each.

    Args:
        spec: The pipeline specification.
    """
    return [
        *_header(spec),
        *_form(spec),
        *(text for item in _tasks(spec).items() for text in _task(spec, *item)),
        *_cycles(spec),
        *(
            text
            for label, executor in _executors(spec).items()
            for text in _executor(label, executor)
        ),
        *_nulls(spec, "the package"),
    ]


def names_a_version(image: str) -> bool:
    """Whether an image's name identifies its code: a tag other than `latest`, or a digest."""
    name = image.rpartition("/")[2]
    return "@sha256:" in image or (":" in name and not name.endswith(":latest"))


def _header(spec: Spec) -> Iterator[str]:
    # backend/src/apiserver/template/template.go, New: other versions are not v2 specifications.
    if spec.get("schemaVersion") != SCHEMA_VERSION:
        yield (
            f"schemaVersion is {spec.get('schemaVersion')!r}; open-source Kubeflow Pipelines takes "
            f"{SCHEMA_VERSION}."
        )
    # backend/src/apiserver/template/v2_template.go, validatePipelineName.
    name = spec.get("pipelineInfo", {}).get("name", "")
    if not _PIPELINE_NAME.match(name):
        yield (
            f"The pipeline's name {name!r} must have lower-case letters, digits and hyphens only, "
            "128 at most."
        )
    if not _tasks(spec):
        yield "The package has no tasks."


def _form(spec: Spec) -> Iterator[str]:
    for name, definition in _definitions(spec.get("root", {}), "input", "parameters").items():
        kind = definition.get("parameterType")
        if kind not in _PARAMETER_KINDS:
            yield f"Runtime parameter {name}: {kind!r} is not a parameter type."
            continue
        # backend/src/v2/driver/root_dag.go, RootDAG: a parameter without a value is an error.
        if "defaultValue" not in definition:
            yield f"Runtime parameter {name} has no default: a recurring run could not start."
        elif not _is_of_kind(definition["defaultValue"], kind):
            yield f"Runtime parameter {name}: its default is not of type {kind}."
        if not definition.get("description"):
            yield f"Runtime parameter {name} has no description for a run's form."


def _task(spec: Spec, name: str, task: Spec) -> Iterator[str]:
    # backend/src/v2/compiler/argocompiler/dag.go: task names become names of Argo's tasks.
    if not _TASK_NAME.match(name):
        yield f"Task {name}: its name may have letters, digits and hyphens only."
    if task.get("taskInfo", {}).get("name") != name:
        yield f"Task {name} is named {task.get('taskInfo', {}).get('name')!r}."
    component = spec.get("components", {}).get(task.get("componentRef", {}).get("name"))
    if component is None:
        yield f"Task {name}: its component is not in the package."
        return
    for upstream in task.get("dependentTasks", ()):
        if upstream not in _tasks(spec):
            yield f"Task {name} depends on {upstream}, which is not a task."
    # backend/src/v2/driver/resolve.go, resolveUpstreamParameters and resolveUpstreamArtifacts.
    yield from _inputs(spec, name, task, component)
    condition = task.get("triggerPolicy", {}).get("condition", "")
    if "inputs.parameters" in condition:
        yield f"Task {name}: TFX's conditions work on properties of artifacts only."
    if task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED":
        yield f"Task {name} is an exit handler: with one, no task receives runtime parameters."
    if component.get("executorLabel") not in _executors(spec):
        yield f"Task {name}: its executor is not in the package."
    else:
        yield from _placeholders(spec, name, component)


def _inputs(spec: Spec, name: str, task: Spec, component: Spec) -> Iterator[str]:
    given = task.get("inputs", {})
    for kind in ("parameters", "artifacts"):
        declared = _definitions(component, "input", kind)
        for key, source in given.get(kind, {}).items():
            if key not in declared:
                yield f"Task {name} gives {key}, which its component does not take."
            yield from _source(spec, name, key, source, task)
        for key, definition in declared.items():
            if key not in given.get(kind, {}) and not definition.get("isOptional"):
                yield f"Task {name} does not give {key}, which its component needs."


def _source(spec: Spec, name: str, key: str, source: Spec, task: Spec) -> Iterator[str]:
    asked = source.get("componentInputParameter")
    if asked is not None and asked not in _definitions(spec["root"], "input", "parameters"):
        yield f"Task {name}, {key}: there is no runtime parameter {asked}."
    for kind, word, output in (
        ("taskOutputParameter", "parameters", "outputParameterKey"),
        ("taskOutputArtifact", "artifacts", "outputArtifactKey"),
    ):
        if kind not in source:
            continue
        producer = source[kind].get("producerTask")
        upstream = _tasks(spec).get(producer)
        if upstream is None:
            yield f"Task {name}, {key}: comes from {producer}, which is not a task."
            continue
        made = spec["components"].get(upstream["componentRef"]["name"], {})
        if source[kind].get(output) not in _definitions(made, "output", word):
            yield f"Task {name}, {key}: {producer} has no output {source[kind].get(output)}."
        # backend/src/v2/compiler/argocompiler/dag.go: only these become Argo's dependencies.
        if producer not in task.get("dependentTasks", ()):
            yield f"Task {name} takes {key} from {producer} but does not depend on it."
    constant = source.get("runtimeValue", {})
    if "runtimeParameter" in constant:
        # backend/src/v2/driver/resolve.go, resolveInputParameter: not implemented.
        yield f"Task {name}, {key}: a runtime parameter inside a constant is not supported."


def _placeholders(spec: Spec, name: str, component: Spec) -> Iterator[str]:
    container = _executors(spec)[component["executorLabel"]].get("container", {})
    for text in (*container.get("command", ()), *container.get("args", ())):
        for side, kind, key in _PLACEHOLDER.findall(text):
            if key not in _definitions(component, side.removesuffix("s"), kind):
                yield f"Task {name}: its command line names {side} {key}, which it does not have."


def _executor(label: str, executor: Spec) -> Iterator[str]:
    # backend/src/v2/compiler/argocompiler/argo.go, Compile: "resolver executors not implemented".
    if "resolver" in executor:
        yield f"{label}: open-source Kubeflow Pipelines runs no resolvers; use ChampionModel."
    if "customJob" in executor:
        yield f"{label}: custom jobs run on Vertex AI only."
    if "importer" in executor:
        yield f"{label}: an importer needs a file outside the package; use CuratedSchema."
    container = executor.get("container")
    if container is None:
        return
    # backend/src/v2/driver/driver.go: the hook is never read, so its results are lost.
    if "lifecycle" in container:
        yield f"{label}: its lifecycle hook is ignored; pass its results as parameters."
    if not container.get("command"):
        # backend/src/v2/driver/driver.go, initPodSpecPatch: an image's own entrypoint is unknown.
        yield f"{label}: no command; the launcher does not know the image's own entrypoint."
    image = container.get("image", "")
    if not names_a_version(image):
        yield f"{label}: image {image!r} has no version, so the cache can't detect changed code."


def _cycles(spec: Spec) -> Iterator[str]:
    waiting = {name: set(task.get("dependentTasks", ())) for name, task in _tasks(spec).items()}
    while ready := [name for name, upstream in waiting.items() if not upstream & set(waiting)]:
        for name in ready:
            del waiting[name]
    if waiting:
        yield f"These tasks depend on each other: {', '.join(sorted(waiting))}."


def _nulls(value: object, place: str) -> Iterator[str]:
    # backend/src/v2/metadata/client.go: a null in metadata ends the run.
    if value is None:
        yield f"{place} is null."
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _nulls(item, f"{place}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _nulls(item, f"{place}[{number}]")


def _tasks(spec: Spec) -> Mapping[str, Any]:
    found: Mapping[str, Any] = spec.get("root", {}).get("dag", {}).get("tasks", {})
    return found


def _executors(spec: Spec) -> Mapping[str, Any]:
    found: Mapping[str, Any] = spec.get("deploymentSpec", {}).get("executors", {})
    return found


def _definitions(component: Spec, side: str, kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = component.get(f"{side}Definitions", {}).get(kind, {})
    return found


def _is_of_kind(value: object, kind: str) -> bool:
    expected = _PARAMETER_KINDS[kind]
    if isinstance(value, bool):
        return expected is bool
    # YAML and JSON do not distinguish 1 from 1.0.
    if expected in (int, float):
        return isinstance(value, int | float) and (expected is float or float(value).is_integer())
    return isinstance(value, expected)
