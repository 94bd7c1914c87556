"""The walker hands over what a real backend hands over, and ends a run where one would.

The expected hand-over was seen on a real API server, driver and launcher of kubeflow/pipelines
(commit 7b70c7b95f of August 2026).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubeflow.spec_walker import Commands, TaskRun, Walker, WalkError

EXAMPLES = (
    "title: tfx.Examples\ntype: object\nproperties:\n  span:\n    type: integer\n"
    "    description: Span for an artifact.\n"
)
MAKE = (
    'mkdir -p "$0" && echo 1 > "$0/rows" && printf 5 > "$1" && '
    'printf \'{"artifacts": {"examples": {"artifacts": [{"metadata": {"split": "all"}}]}}}\' > '
    '"$(dirname "$0")/output_metadata.json"'
)


@pytest.fixture
def spec() -> dict[str, Any]:
    """Make writes examples and a number, Read reads both."""
    return {
        "schemaVersion": "2.1.0",
        "pipelineInfo": {"name": "tiny"},
        "root": {
            "inputDefinitions": {
                "parameters": {
                    "size": {"parameterType": "NUMBER_INTEGER", "defaultValue": 6},
                }
            },
            "dag": {
                "tasks": {
                    "Make": {
                        "componentRef": {"name": "Make"},
                        "cachingOptions": {"enableCache": True},
                        "inputs": {
                            "parameters": {
                                "size": {"componentInputParameter": "size"},
                                "run": {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}},
                            }
                        },
                    },
                    "Read": {
                        "componentRef": {"name": "Read"},
                        "dependentTasks": ["Make"],
                        "inputs": {
                            "artifacts": {
                                "examples": {
                                    "taskOutputArtifact": {
                                        "producerTask": "Make",
                                        "outputArtifactKey": "examples",
                                    }
                                }
                            },
                            "parameters": {
                                "n": {
                                    "taskOutputParameter": {
                                        "producerTask": "Make",
                                        "outputParameterKey": "n",
                                    }
                                }
                            },
                        },
                    },
                }
            },
        },
        "components": {
            "Make": {
                "executorLabel": "Make_executor",
                "inputDefinitions": {
                    "parameters": {
                        "size": {"parameterType": "NUMBER_INTEGER"},
                        "run": {"parameterType": "STRING"},
                    }
                },
                "outputDefinitions": {
                    "artifacts": {"examples": {"artifactType": {"instanceSchema": EXAMPLES}}},
                    "parameters": {"n": {"parameterType": "STRING"}},
                },
            },
            "Read": {
                "executorLabel": "Read_executor",
                "inputDefinitions": {
                    "artifacts": {"examples": {"artifactType": {"instanceSchema": EXAMPLES}}},
                    "parameters": {"n": {"parameterType": "STRING"}},
                },
            },
        },
        "deploymentSpec": {
            "executors": {
                "Make_executor": {
                    "container": {
                        "image": "tiny:1",
                        "command": ["sh", "-c", MAKE],
                        "args": [
                            "{{$.outputs.artifacts['examples'].path}}",
                            "{{$.outputs.parameters['n'].output_file}}",
                        ],
                    }
                },
                "Read_executor": {
                    "container": {
                        "image": "tiny:1",
                        "command": ["sh", "-c", 'test -s "$0/rows" && echo "$1" >&2'],
                        "args": [
                            "{{$.inputs.artifacts['examples'].path}}",
                            "{{$.inputs.parameters['n']}}",
                        ],
                    }
                },
            }
        },
    }


@pytest.fixture
def walker(tmp_path: Path) -> Walker:
    return Walker(tmp_path, Commands({"PATH": "/usr/bin:/bin"}))


def walked(walker: Walker, spec: dict[str, Any], **values: Any) -> dict[str, TaskRun]:
    return walker.run(yaml.safe_dump(spec), values)


def without_ids(walker: Walker, handed: object) -> Any:
    """A hand-over with `<id>` for each random id, and the launcher's folders at the root."""
    text = json.dumps(handed).replace(str(walker.folder / "launcher"), "")
    return json.loads(re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text))


def logs(task: str) -> dict[str, Any]:
    """The output that was not declared."""
    return {
        "artifacts": [
            {
                "name": "executor-logs",
                "type": {"schemaTitle": "system.Artifact"},
                "uri": f"minio://mlpipeline/v2/artifacts/tiny/<id>/{task}/<id>/executor-logs",
            }
        ]
    }


def test_a_task_without_upstream_is_handed_what_was_seen(
    walker: Walker, spec: dict[str, Any]
) -> None:
    handed = walked(walker, spec)["Make"].handed
    assert without_ids(walker, handed) == {
        "inputs": {"parameterValues": {"size": 6, "run": "<id>"}},
        "outputs": {
            "parameters": {"n": {"outputFile": "/tmp/kfp/outputs/n"}},
            "artifacts": {
                "examples": {
                    "artifacts": [
                        {
                            "name": "examples",
                            "type": {"instanceSchema": EXAMPLES},
                            "uri": "minio://mlpipeline/v2/artifacts/tiny/<id>/Make/<id>/examples",
                        }
                    ]
                },
                "executor-logs": logs("Make"),
            },
            "outputFile": (
                "/minio/mlpipeline/v2/artifacts/tiny/<id>/Make/<id>/output_metadata.json"
            ),
        },
    }


def test_a_task_is_handed_upstreams_artifact_as_was_seen(
    walker: Walker, spec: dict[str, Any]
) -> None:
    handed = without_ids(walker, walked(walker, spec)["Read"].handed)
    (artifact,) = handed["inputs"]["artifacts"].pop("examples")["artifacts"]
    session = json.loads(artifact["metadata"].pop("store_session_info"))
    assert set(session) == {"Provider", "Params"}
    assert artifact == {
        # A number as text, and no type at all.
        "name": "1",
        "type": {"instanceSchema": ""},
        "uri": "minio://mlpipeline/v2/artifacts/tiny/<id>/Make/<id>/examples",
        # What Make said, and what the backend added.
        "metadata": {"split": "all", "display_name": "examples"},
    }
    assert handed == {
        "inputs": {"artifacts": {}, "parameterValues": {"n": "5"}},
        "outputs": {
            "artifacts": {"executor-logs": logs("Read")},
            "outputFile": (
                "/minio/mlpipeline/v2/artifacts/tiny/<id>/Read/<id>/output_metadata.json"
            ),
        },
    }


def test_the_later_backend_sends_the_whole_schema_as_a_title(
    tmp_path: Path, spec: dict[str, Any]
) -> None:
    walker = Walker(tmp_path, Commands({"PATH": "/usr/bin:/bin"}), later=True)
    handed = without_ids(walker, walked(walker, spec)["Read"].handed)
    assert handed["inputs"]["artifacts"]["examples"]["artifacts"] == [
        {
            "type": {"schemaTitle": EXAMPLES},
            "uri": "minio://mlpipeline/v2/artifacts/tiny/<id>/Make/<id>/examples",
            "metadata": {"split": "all"},
        }
    ]


def test_a_task_finds_nothing_of_those_before(walker: Walker, spec: dict[str, Any]) -> None:
    reader = spec["deploymentSpec"]["executors"]["Read_executor"]["container"]
    reader["command"][2] = 'cd "$0/../../.." && test "$(find . -name n)" = "" && ls >&2'
    assert walked(walker, spec)["Read"].log.split() == ["Make", "Read"]


def test_a_value_of_the_form_wins_over_its_default(walker: Walker, spec: dict[str, Any]) -> None:
    handed = walked(walker, spec, size=9)["Make"].handed
    assert handed["inputs"]["parameterValues"]["size"] == 9


def test_a_parameter_without_a_value_ends_the_run(walker: Walker, spec: dict[str, Any]) -> None:
    del spec["root"]["inputDefinitions"]["parameters"]["size"]["defaultValue"]
    with pytest.raises(WalkError, match="no value for runtime parameter size"):
        walked(walker, spec)


def test_a_text_for_a_number_ends_the_run(walker: Walker, spec: dict[str, Any]) -> None:
    with pytest.raises(WalkError, match="type mismatch"):
        walked(walker, spec, size="nine")


def test_an_unknown_field_of_the_package_ends_the_run(walker: Walker, spec: dict[str, Any]) -> None:
    spec["root"]["dag"]["tasks"]["Make"]["retries"] = 3
    with pytest.raises(Exception, match="retries"):
        walked(walker, spec)


def test_a_resolver_ends_the_run(walker: Walker, spec: dict[str, Any]) -> None:
    spec["deploymentSpec"]["executors"]["Make_executor"] = {"resolver": {}}
    with pytest.raises(WalkError, match="not implemented"):
        walked(walker, spec)


def test_not_waiting_for_what_is_read_ends_the_run(walker: Walker, spec: dict[str, Any]) -> None:
    del spec["root"]["dag"]["tasks"]["Read"]["dependentTasks"]
    with pytest.raises(WalkError, match="Read does not wait for Make"):
        walked(walker, spec)


def test_a_command_that_fails_ends_the_run(walker: Walker, spec: dict[str, Any]) -> None:
    container = spec["deploymentSpec"]["executors"]["Read_executor"]["container"]
    container["command"] = ["sh", "-c", "echo it broke >&2; exit 3"]
    with pytest.raises(WalkError, match=r"Read failed:\nit broke"):
        walked(walker, spec)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ('printf 5 > "$1"', "output examples is not there"),
        ('mkdir "$0" && printf 5 > "$1"', "empty folder"),
        ('mkdir "$0" && echo 1 > "$0/rows"', "failed to read output parameter n"),
    ],
)
def test_an_output_that_is_not_written_ends_the_run(
    walker: Walker, spec: dict[str, Any], command: str, problem: str
) -> None:
    container = spec["deploymentSpec"]["executors"]["Make_executor"]["container"]
    container["command"][2] = command
    with pytest.raises(WalkError, match=problem):
        walked(walker, spec)


def test_a_placeholder_that_nothing_replaces_ends_the_run(
    walker: Walker, spec: dict[str, Any]
) -> None:
    container = spec["deploymentSpec"]["executors"]["Read_executor"]["container"]
    container["args"].append("{{$.inputs.artifacts['table'].path}}")
    with pytest.raises(WalkError, match="nothing replaces"):
        walked(walker, spec)


@pytest.mark.parametrize(
    ("metadata", "problem"), [('{"auc": null}', "is null"), ('{"auc": "high"}', "is no number")]
)
def test_metadata_that_the_backend_refuses_end_the_run(
    walker: Walker, spec: dict[str, Any], metadata: str, problem: str
) -> None:
    spec["components"]["Make"]["outputDefinitions"]["artifacts"]["examples"]["artifactType"] = {
        "schemaTitle": "system.Metrics"
    }
    container = spec["deploymentSpec"]["executors"]["Make_executor"]["container"]
    container["command"][2] = MAKE.replace('{"split": "all"}', metadata)
    with pytest.raises(WalkError, match=problem):
        walked(walker, spec)


def test_the_same_inputs_come_from_the_cache(walker: Walker, spec: dict[str, Any]) -> None:
    del spec["root"]["dag"]["tasks"]["Make"]["inputs"]["parameters"]["run"]
    del spec["components"]["Make"]["inputDefinitions"]["parameters"]["run"]
    first, second = walked(walker, spec), walked(walker, spec)
    assert second["Make"].cached
    assert second["Make"].artifacts == first["Make"].artifacts
    assert not walked(walker, spec, size=9)["Make"].cached


def test_a_task_that_gets_the_run_is_never_cached(walker: Walker, spec: dict[str, Any]) -> None:
    walked(walker, spec)
    assert not walked(walker, spec)["Make"].cached
