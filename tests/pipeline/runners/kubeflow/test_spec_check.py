"""The check of a package: each rule finds the fault that is planted, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.runners.kubeflow.spec_check import problems


@pytest.fixture
def spec() -> dict[str, Any]:
    """Two tasks: one makes data from the form's seed, one reads it."""
    return {
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "trial-tiny"},
        "root": {
            "inputDefinitions": {
                "parameters": {
                    "seed": {
                        "parameterType": "NUMBER_INTEGER",
                        "defaultValue": 7,
                        "description": "Seed of training",
                    }
                }
            },
            "dag": {
                "tasks": {
                    "Make": {
                        "taskInfo": {"name": "Make"},
                        "componentRef": {"name": "Make"},
                        "inputs": {"parameters": {"seed": {"componentInputParameter": "seed"}}},
                    },
                    "Read": {
                        "taskInfo": {"name": "Read"},
                        "componentRef": {"name": "Read"},
                        "dependentTasks": ["Make"],
                        "inputs": {
                            "artifacts": {
                                "data": {
                                    "taskOutputArtifact": {
                                        "producerTask": "Make",
                                        "outputArtifactKey": "data",
                                    }
                                }
                            },
                            "parameters": {
                                "rows": {
                                    "taskOutputParameter": {
                                        "producerTask": "Make",
                                        "outputParameterKey": "rows",
                                    }
                                },
                                "width": {"runtimeValue": {"constant": 64}},
                            },
                        },
                    },
                }
            },
        },
        "components": {
            "Make": {
                "executorLabel": "Make_executor",
                "inputDefinitions": {"parameters": {"seed": {"parameterType": "NUMBER_INTEGER"}}},
                "outputDefinitions": {
                    "artifacts": {"data": {"artifactType": {"schemaTitle": "system.Artifact"}}},
                    "parameters": {"rows": {"parameterType": "STRING"}},
                },
            },
            "Read": {
                "executorLabel": "Read_executor",
                "inputDefinitions": {
                    "artifacts": {"data": {"artifactType": {"schemaTitle": "system.Artifact"}}},
                    "parameters": {
                        "rows": {"parameterType": "STRING"},
                        "width": {"parameterType": "NUMBER_INTEGER"},
                    },
                },
            },
        },
        "deploymentSpec": {
            "executors": {
                "Make_executor": {
                    "container": {
                        "image": "registry.example.org:5000/trial:1",
                        "command": ["make"],
                        "args": ["{{$.outputs.artifacts['data'].path}}", "{{$}}"],
                    }
                },
                "Read_executor": {
                    "container": {
                        "image": "registry.example.org:5000/trial:1",
                        "command": ["read", "{{$.inputs.artifacts['data'].path}}"],
                    }
                },
            }
        },
    }


@pytest.fixture
def form(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["root"]["inputDefinitions"]["parameters"]
    return found


@pytest.fixture
def tasks(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = spec["root"]["dag"]["tasks"]
    return found


@pytest.fixture
def reader(spec: dict[str, Any]) -> dict[str, Any]:
    """Executor of the second task."""
    found: dict[str, Any] = spec["deploymentSpec"]["executors"]["Read_executor"]
    return found


def only_problem(spec: dict[str, Any]) -> str:
    (problem,) = problems(spec)
    return problem


def test_a_sound_package_has_no_problem(spec: dict[str, Any]) -> None:
    assert problems(spec) == []


@pytest.mark.parametrize("version", ["2.0.0", None])
def test_another_schema_version(spec: dict[str, Any], version: str | None) -> None:
    spec["schemaVersion"] = version or ""
    assert "takes 2.1.0" in only_problem(spec)


@pytest.mark.parametrize("name", ["Trial", "trial_tiny", "-trial", "t" * 129, ""])
def test_a_pipelines_name_that_is_refused(spec: dict[str, Any], name: str) -> None:
    spec["pipelineInfo"]["name"] = name
    assert "The pipeline's name" in only_problem(spec)


def test_a_package_without_tasks(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks.clear()
    assert only_problem(spec) == "The package has no tasks."


def test_a_runtime_parameter_without_a_default(spec: dict[str, Any], form: dict[str, Any]) -> None:
    del form["seed"]["defaultValue"]
    assert only_problem(spec).startswith("Runtime parameter seed has no default")


@pytest.mark.parametrize("default", ["7", 7.5, True, [7]])
def test_a_default_of_another_type(
    spec: dict[str, Any], form: dict[str, Any], default: object
) -> None:
    form["seed"]["defaultValue"] = default
    expected = "Runtime parameter seed: its default is not of type NUMBER_INTEGER."
    assert only_problem(spec) == expected


def test_a_number_as_default_of_a_text(spec: dict[str, Any], form: dict[str, Any]) -> None:
    form["seed"] |= {"parameterType": "STRING"}
    assert only_problem(spec) == "Runtime parameter seed: its default is not of type STRING."


def test_a_runtime_parameter_of_an_unknown_type(spec: dict[str, Any], form: dict[str, Any]) -> None:
    form["seed"]["parameterType"] = "INT"
    assert only_problem(spec) == "Runtime parameter seed: 'INT' is not a parameter type."


def test_a_runtime_parameter_without_a_description(
    spec: dict[str, Any], form: dict[str, Any]
) -> None:
    form["seed"]["description"] = ""
    assert "no description" in only_problem(spec)


@pytest.mark.parametrize("name", ["Make_data", "Make.data", "-Make", "Make data"])
def test_a_task_name_that_is_refused(
    spec: dict[str, Any], tasks: dict[str, Any], name: str
) -> None:
    tasks[name] = tasks["Make"] | {"taskInfo": {"name": name}}
    assert "letters, digits and hyphens only" in only_problem(spec)


def test_a_task_that_calls_itself_otherwise(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Make"]["taskInfo"]["name"] = "Maker"
    assert only_problem(spec) == "Task Make is named 'Maker'."


def test_a_component_that_is_not_there(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Read"]["componentRef"]["name"] = "Reader"
    assert only_problem(spec) == "Task Read: its component is not in the package."


def test_an_executor_that_is_not_there(spec: dict[str, Any]) -> None:
    spec["components"]["Read"]["executorLabel"] = "reader"
    assert only_problem(spec) == "Task Read: its executor is not in the package."


def test_waiting_for_a_task_that_is_not_there(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    # What TFX compiles `.future()[0].value` to.
    tasks["Read"]["dependentTasks"].append("Maker")
    assert only_problem(spec) == "Task Read depends on Maker, which is not a task."


def test_an_artifact_of_a_task_that_is_not_there(
    spec: dict[str, Any], tasks: dict[str, Any]
) -> None:
    source = tasks["Read"]["inputs"]["artifacts"]["data"]["taskOutputArtifact"]
    source["producerTask"] = "Maker"
    assert only_problem(spec) == "Task Read, data: comes from Maker, which is not a task."


def test_a_parameter_of_a_task_that_is_not_there(
    spec: dict[str, Any], tasks: dict[str, Any]
) -> None:
    source = tasks["Read"]["inputs"]["parameters"]["rows"]["taskOutputParameter"]
    source["producerTask"] = "Maker"
    assert only_problem(spec) == "Task Read, rows: comes from Maker, which is not a task."


def test_an_output_that_is_not_there(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    source = tasks["Read"]["inputs"]["artifacts"]["data"]["taskOutputArtifact"]
    source["outputArtifactKey"] = "table"
    assert only_problem(spec) == "Task Read, data: Make has no output table."


def test_taking_from_a_task_without_waiting_for_it(
    spec: dict[str, Any], tasks: dict[str, Any]
) -> None:
    del tasks["Read"]["dependentTasks"]
    assert problems(spec) == [
        "Task Read takes rows from Make but does not depend on it.",
        "Task Read takes data from Make but does not depend on it.",
    ]


def test_a_runtime_parameter_that_is_not_there(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Make"]["inputs"]["parameters"]["seed"]["componentInputParameter"] = "sead"
    assert only_problem(spec) == "Task Make, seed: there is no runtime parameter sead."


def test_a_runtime_parameter_inside_a_constant(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Make"]["inputs"]["parameters"]["seed"] = {"runtimeValue": {"runtimeParameter": "seed"}}
    assert "inside a constant is not supported" in only_problem(spec)


def test_an_input_that_is_not_given(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    del tasks["Read"]["inputs"]["parameters"]["width"]
    assert only_problem(spec) == "Task Read does not give width, which its component needs."


def test_an_input_that_no_task_takes(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Read"]["inputs"]["parameters"]["depth"] = {"runtimeValue": {"constant": 2}}
    assert only_problem(spec) == "Task Read gives depth, which its component does not take."


def test_a_condition_on_a_parameter(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    condition = "inputs.parameters['rows'].string_value != '0'"
    tasks["Read"]["triggerPolicy"] = {"condition": condition}
    assert only_problem(spec) == "Task Read: TFX's conditions work on properties of artifacts only."


def test_an_exit_handler(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Read"]["triggerPolicy"] = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert only_problem(spec).startswith("Task Read is an exit handler")


def test_a_placeholder_that_nothing_replaces(spec: dict[str, Any], reader: dict[str, Any]) -> None:
    reader["container"]["args"] = ["{{$.inputs.artifacts['table'].uri}}"]
    assert "names inputs table, which it does not have" in only_problem(spec)


def test_a_resolver(spec: dict[str, Any], reader: dict[str, Any]) -> None:
    reader.clear()
    reader["resolver"] = {}
    assert only_problem(spec) == (
        "Read_executor: open-source Kubeflow Pipelines runs no resolvers; use ChampionModel."
    )


def test_a_custom_job(spec: dict[str, Any], reader: dict[str, Any]) -> None:
    reader.clear()
    reader["customJob"] = {}
    assert only_problem(spec) == "Read_executor: custom jobs run on Vertex AI only."


def test_an_importer(spec: dict[str, Any], reader: dict[str, Any]) -> None:
    reader.clear()
    reader["importer"] = {}
    assert "use CuratedSchema" in only_problem(spec)


def test_a_lifecycle_hook(spec: dict[str, Any], reader: dict[str, Any]) -> None:
    reader["container"]["lifecycle"] = {"preCacheCheck": {"command": ["fingerprint"]}}
    assert "its lifecycle hook is ignored" in only_problem(spec)


def test_no_command(spec: dict[str, Any], reader: dict[str, Any]) -> None:
    reader["container"]["command"] = []
    assert only_problem(spec).startswith("Read_executor: no command")


@pytest.mark.parametrize("image", ["", "trial", "host:5000/trial", "trial:latest"])
def test_an_image_without_a_version(
    spec: dict[str, Any], reader: dict[str, Any], image: str
) -> None:
    reader["container"]["image"] = image
    assert only_problem(spec).startswith(f"Read_executor: image {image!r} has no version")


def test_tasks_that_wait_for_each_other(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    tasks["Make"]["dependentTasks"] = ["Read"]
    assert only_problem(spec) == "These tasks depend on each other: Make, Read."


def test_a_null(spec: dict[str, Any]) -> None:
    spec["components"]["Make"]["outputDefinitions"]["artifacts"]["data"]["metadata"] = {"a": None}
    assert only_problem(spec) == (
        "the package.components.Make.outputDefinitions.artifacts.data.metadata.a is null."
    )
