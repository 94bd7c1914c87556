"""Tasks of a package that share a pod, by the settings: A makes what B takes, C what D takes."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.errors import UserError
from pipeline.runners.kubeflow.pods import share_pods
from pipeline.runners.kubeflow.settings import DEFAULT_SETTINGS, KubeflowSettings, load_settings
from pipeline.runners.kubeflow.spec_check import problems
from tests.each import each
from tests.pipeline.runners.kubeflow.test_package import SETTINGS, compiled

A, B, C, D = "CuratedSchema", "StatisticsGen", "ExampleValidator", "DataGate"


def chain() -> dict[str, Any]:
    """The tasks, each of which takes what the one before it made."""
    spec: dict[str, Any] = {
        "components": {},
        "deploymentSpec": {"executors": {}},
        "root": {"dag": {"tasks": {}}},
    }
    before = None
    for stage in (A, B, C, D):
        given = {"taskOutputArtifact": {"producerTask": before, "outputArtifactKey": "out"}}
        spec["components"][stage] = {
            "executorLabel": f"{stage}_executor",
            "inputDefinitions": {
                "parameters": {"seed": {"parameterType": "STRING"}},
                **({"artifacts": {"in": {"artifactType": {}}}} if before else {}),
            },
            "outputDefinitions": {"artifacts": {"out": {"artifactType": {"schemaTitle": stage}}}},
        }
        spec["deploymentSpec"]["executors"][f"{stage}_executor"] = {
            "container": {"image": "trial:1", "command": ["python"], "args": ["{{$}}", stage]}
        }
        spec["root"]["dag"]["tasks"][stage] = {
            "taskInfo": {"name": stage},
            "componentRef": {"name": stage},
            "cachingOptions": {"enableCache": True},
            "inputs": {
                "parameters": {"seed": {"runtimeValue": {"constant": stage}}},
                **({"artifacts": {"in": given}} if before else {}),
            },
            **({"dependentTasks": [before]} if before else {}),
        }
        before = stage
    return spec


def settings(pods: dict[str, Any], **changes: Any) -> KubeflowSettings:
    return KubeflowSettings.model_validate(SETTINGS | {"pods": pods} | changes)


def shared(*stages: str, spec: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    found = spec or chain()
    share_pods(found, settings({"Middle": list(stages)}, **changes))
    return found


def refusal(*stages: str, pod: str = "Middle") -> str:
    with pytest.raises(UserError) as raised:
        share_pods(chain(), settings({pod: list(stages)}))
    return str(raised.value)


def test_by_default_each_task_has_a_pod_of_its_own() -> None:
    spec = chain()
    share_pods(spec, load_settings(DEFAULT_SETTINGS))

    assert spec == chain()


def test_two_tasks_become_one_node_between_those_before_and_after() -> None:
    tasks = shared(B, C)["root"]["dag"]["tasks"]

    assert set(tasks) == {A, "Middle", D}
    assert tasks["Middle"]["dependentTasks"] == [A]
    assert tasks["Middle"]["inputs"]["artifacts"] == {
        f"{A}__out": {"taskOutputArtifact": {"producerTask": A, "outputArtifactKey": "out"}}
    }
    assert tasks[D]["dependentTasks"] == ["Middle"]
    assert tasks[D]["inputs"]["artifacts"]["in"]["taskOutputArtifact"] == {
        "producerTask": "Middle",
        "outputArtifactKey": f"{C}__out",
    }


def test_what_two_of_a_pod_take_is_handed_to_it_once() -> None:
    spec = chain()
    source = {"taskOutputArtifact": {"producerTask": A, "outputArtifactKey": "out"}}
    spec["root"]["dag"]["tasks"][C]["inputs"]["artifacts"]["in"] = source

    found = shared(B, C, spec=spec)["root"]["dag"]["tasks"]["Middle"]["inputs"]["artifacts"]
    assert found == {f"{A}__out": source}


def test_parameters_and_outputs_of_both_are_the_nodes() -> None:
    spec = shared(B, C)

    found = spec["root"]["dag"]["tasks"]["Middle"]["inputs"]["parameters"]
    assert {name: value["runtimeValue"]["constant"] for name, value in found.items()} == {
        f"{B}__seed": B,
        f"{C}__seed": C,
    }
    outputs = spec["components"]["Middle"]["outputDefinitions"]["artifacts"]
    assert {name: made["artifactType"]["schemaTitle"] for name, made in outputs.items()} == {
        f"{B}__out": B,
        f"{C}__out": C,
    }


def test_the_command_has_each_task_after_those_that_it_needs() -> None:
    spec = shared(C, B)

    launchers, *plan = spec["deploymentSpec"]["executors"]["Middle_executor"]["container"]["args"]
    assert launchers == "{{$}}"
    assert [json.loads(task) for task in plan] == [
        {"stage": B, "arguments": ["executor_input", B], "handed": {"in": [A, "out"]}},
        {"stage": C, "arguments": ["executor_input", C], "handed": {"in": [B, "out"]}},
    ]


def test_the_pod_has_what_each_of_its_tasks_needs() -> None:
    wanted = {B: {"cpu": 2, "memory": "1Gi"}, C: {"cpu": 1, "memory": "4Gi"}}
    spec = shared(B, C, resources=wanted)

    found = spec["deploymentSpec"]["executors"]["Middle_executor"]["container"]["resources"]
    assert (found["resourceCpuLimit"], found["resourceMemoryLimit"]) == ("2", "4Gi")


def test_one_task_that_is_not_cached_keeps_the_pod_from_it() -> None:
    spec = chain()
    spec["root"]["dag"]["tasks"][C]["cachingOptions"] = {"enableCache": False}

    tasks = shared(B, C, spec=spec)["root"]["dag"]["tasks"]
    assert tasks["Middle"]["cachingOptions"] == {"enableCache": False}


def test_a_task_that_must_run_between_two_of_a_pod_is_named() -> None:
    assert f"pods.Middle: {C} runs after {B} and before others of the pod" in refusal(B, D)


def test_an_unknown_stage_is_refused() -> None:
    assert "there is no stage StatisticGen that can share a pod" in refusal(A, "StatisticGen")
    # What the cache depends on is determined before anything is taken from it.
    assert "there is no stage RunInputs" in refusal(A, "RunInputs")


def test_the_name_of_a_stage_is_no_name_of_a_pod() -> None:
    assert f"pods.{D}: a stage has this name" in refusal(A, B, pod=D)


def test_stages_of_other_packages_are_left_out() -> None:
    assert shared(A, "SkewGate") == chain()


def test_a_stage_in_two_pods_is_refused() -> None:
    with pytest.raises(ValidationError, match=f"{B} is named twice"):
        settings({"One": [A, B], "Two": [B, C]})


def test_a_study_file_that_no_command_line_takes_is_refused() -> None:
    spec = deepcopy(chain())
    long = {"runtimeValue": {"constant": "x" * 60_000}}
    for stage in (B, C):
        spec["root"]["dag"]["tasks"][stage]["inputs"]["parameters"]["seed"] = long
    with pytest.raises(UserError, match=r"pods.Middle: its stages are handed 120,004 characters"):
        shared(B, C, spec=spec)


def test_kubeflow_takes_the_package_of_the_example_in_the_settings() -> None:
    lines = DEFAULT_SETTINGS.read_text("utf-8").splitlines()
    start = lines.index("# pods:")
    example = {
        name.strip(" #"): stages.strip(" []").split(", ")
        for name, stages in (line.split(":") for line in lines[start + 1 : start + 3])
    }
    found = compiled(pods=example, serving_dir="/models/serving")

    assert problems(found.package.spec) == []
    assert set(example) <= set(found.tasks)
    for stages in each(example.values()):
        assert not set(stages) & set(found.tasks)
