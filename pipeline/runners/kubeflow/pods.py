"""Lets several tasks of a compiled package share a pod: they become one node of its graph.

Each keeps its executor, parameters and artifacts: what members take from tasks outside, and all
that they make, is an input or output of the node, under the name of the stage that made it and its
own (`RunPage__html`). `pipeline.runners.kubeflow.pod` runs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.errors import UserError
from pipeline.runners.kubeflow.resources import resource_spec
from pipeline.runners.kubeflow.settings import KubeflowSettings, Resources
from pipeline.runners.stages import STAGES

Spec = dict[str, Any]

POD_COMMAND = ("python", "-m", "pipeline.runners.kubeflow.pod")
EXECUTOR_INPUT = "executor_input"
"""Stands in a member's command line for what the pod makes of the launcher's `{{$}}`."""

_BETWEEN = "__"
_LAUNCHERS_INPUT = "{{$}}"
_LARGEST = 100_000
"""Characters of what a package hands to a pod: Linux takes 128 KiB in one argument, and the
addresses of artifacts come in addition."""


def joined(stage: str, name: str) -> str:
    """Name that a parameter or output of a stage has at the node.

    Examples:
        >>> joined("RunPage", "html")
        'RunPage__html'
    """
    return f"{stage}{_BETWEEN}{name}"


def share_pods(spec: Spec, settings: KubeflowSettings) -> None:
    """Makes one task of the tasks of each pod that the settings name.

    A stage that this package does not have is left out, since the packages of a study that train,
    validate and score may have the same settings; a pod of one stage that is left stays a task.

    Args:
        spec: The pipeline specification, complete but for this; it is changed.
        settings: Settings of the cluster.

    Raises:
        UserError: A stage is unknown, or a task outside of a pod must run between two inside.
    """
    tasks = spec["root"]["dag"]["tasks"]
    for pod, stages in settings.pods.items():
        unknown = [stage for stage in stages if stage not in STAGES]
        if unknown:
            raise UserError(
                f"Settings, pods.{pod}: there is no stage {', '.join(unknown)} that can share a "
                f"pod; there are {', '.join(STAGES)}."
            )
        if pod in STAGES or pod in tasks:
            raise UserError(f"Settings, pods.{pod}: a stage has this name: choose another one.")
        inside = [stage for stage in stages if stage in tasks]
        if len(inside) > 1:
            _check_nothing_between(tasks, pod, inside)
            _share(spec, pod, _in_order(tasks, inside), settings)


def _share(spec: Spec, pod: str, inside: Sequence[str], settings: KubeflowSettings) -> None:
    tasks, executors = spec["root"]["dag"]["tasks"], spec["deploymentSpec"]["executors"]
    members = {stage: tasks.pop(stage) for stage in inside}
    node: Spec = {"executorLabel": f"{pod}_executor"}
    given: Spec = {"parameters": {}, "artifacts": {}}
    plan: list[Spec] = []
    for stage, task in members.items():
        component = spec["components"].pop(task["componentRef"]["name"])
        container = executors.pop(component["executorLabel"])["container"]
        arguments = [EXECUTOR_INPUT if a == _LAUNCHERS_INPUT else a for a in container["args"]]
        handed = {}
        for kind, name, source in _inputs(task):
            place = (stage, name)
            if kind == "artifacts":
                # What two members take is handed to the pod once.
                output = source["taskOutputArtifact"]
                place = (output["producerTask"], output["outputArtifactKey"])
                handed[name] = place
            if kind == "parameters" or place[0] not in members:
                given[kind][joined(*place)] = source
                declared = node.setdefault("inputDefinitions", {}).setdefault(kind, {})
                declared[joined(*place)] = component["inputDefinitions"][kind][name]
        for name, made in component.get("outputDefinitions", {}).get("artifacts", {}).items():
            outputs = node.setdefault("outputDefinitions", {}).setdefault("artifacts", {})
            outputs[joined(stage, name)] = made
        plan.append({"stage": stage, "arguments": arguments, "handed": handed})
    wanted = [settings.resources_of(stage) for stage in inside]
    image = container["image"]
    spec["components"][pod] = node
    executors[f"{pod}_executor"] = {
        "container": {
            "image": image,
            "command": list(POD_COMMAND),
            "args": [_LAUNCHERS_INPUT, *map(json.dumps, plan)],
            "resources": resource_spec(Resources.largest(wanted)),
        }
    }
    _check_size(pod, given["parameters"])
    first = next(iter(members.values()))
    upstream = {name for task in members.values() for name in task.get("dependentTasks", ())}
    tasks[pod] = {
        "taskInfo": {"name": pod},
        "componentRef": {"name": pod},
        "inputs": {kind: found for kind, found in given.items() if found},
        "dependentTasks": sorted(upstream - set(members)),
        "cachingOptions": {
            "enableCache": all(
                task.get("cachingOptions", {}).get("enableCache") for task in members.values()
            )
        },
        **({"retryPolicy": first["retryPolicy"]} if "retryPolicy" in first else {}),
    }
    for task in tasks.values():
        _take_from_pod(task, pod, members)


def _inputs(task: Spec) -> Iterator[tuple[str, str, Spec]]:
    for kind in ("parameters", "artifacts"):
        for name, source in task.get("inputs", {}).get(kind, {}).items():
            yield kind, name, source


def _take_from_pod(task: Spec, pod: str, members: Mapping[str, Spec]) -> None:
    for _, _, source in _inputs(task):
        output = source.get("taskOutputArtifact", {})
        if output.get("producerTask") in members:
            stage, name = output["producerTask"], output["outputArtifactKey"]
            output.update(producerTask=pod, outputArtifactKey=joined(stage, name))
    upstream = set(task.get("dependentTasks", ()))
    if upstream & set(members):
        task["dependentTasks"] = sorted({*upstream - set(members), pod})


def _in_order(tasks: Mapping[str, Spec], inside: Sequence[str]) -> list[str]:
    """Stages of a pod, each after those that it needs."""
    before = {stage: _upstream(tasks, stage) & set(inside) for stage in inside}
    return sorted(inside, key=lambda stage: (len(before[stage]), inside.index(stage)))


def _upstream(tasks: Mapping[str, Spec], task: str) -> set[str]:
    """All tasks that must have ended before a task starts."""
    found: set[str] = set()
    waiting = [task]
    while waiting:
        new = set(tasks[waiting.pop()].get("dependentTasks", ())) - found
        found |= new
        waiting += new
    return found


def _check_nothing_between(tasks: Mapping[str, Spec], pod: str, inside: Sequence[str]) -> None:
    needed = {name for stage in inside for name in _upstream(tasks, stage)} - set(inside)
    for task in sorted(needed):
        after = sorted(_upstream(tasks, task) & set(inside))
        if after:
            raise UserError(
                f"Settings, pods.{pod}: {task} runs after {', '.join(after)} and before others of "
                f"the pod. Add {task} to it, or take some of them out."
            )


def _check_size(pod: str, parameters: Mapping[str, Spec]) -> None:
    size = sum(
        len(json.dumps(source.get("runtimeValue", {}).get("constant", "")))
        for source in parameters.values()
    )
    if size > _LARGEST:
        raise UserError(
            f"Settings, pods.{pod}: its stages are handed {size:,} characters of the study file, "
            f"of which a command line takes {_LARGEST:,}: make two pods of it."
        )
