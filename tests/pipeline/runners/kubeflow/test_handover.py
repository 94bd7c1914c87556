"""What a backend hands to a task and takes from it, as TFX's entrypoint takes and says it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.runners.kubeflow.handover import EMPTY, Handover

FOLDER = "bucket/v2/artifacts/trial-tiny/the-run/Gate/the-execution"
SCHEMA = "title: tfx.Examples\ntype: object\nproperties:\n  span:\n    type: integer\n"
INPUTS_SPEC: dict[str, Any] = {
    "parameters": {
        "name": {"parameterType": "STRING"},
        "steps": {"parameterType": "NUMBER_INTEGER"},
        "rate": {"parameterType": "NUMBER_DOUBLE"},
        "quick": {"parameterType": "BOOLEAN"},
        "splits": {"parameterType": "LIST"},
    },
    "artifacts": {"examples": {"artifactType": {"instanceSchema": SCHEMA}}},
}
OUTPUTS_SPEC: dict[str, Any] = {
    "artifacts": {
        "findings": {"artifactType": {"instanceSchema": "title: trial.GateFindings\n"}},
        "html": {"artifactType": {"schemaTitle": "system.HTML", "schemaVersion": "0.0.1"}},
        "metrics": {"artifactType": {"schemaTitle": "system.Metrics", "schemaVersion": "0.0.1"}},
    }
}


def handed(root: Path | str, **changes: Any) -> Handover:
    """What a backend hands to a task; the launcher's folders lie below `root`."""
    examples = {
        "name": "4",
        "type": {"instanceSchema": ""},
        "uri": "minio://bucket/examples",
        "metadata": {
            "split_names": '["train"]',
            "span": 0.0,
            "display_name": "examples",
            "store_session_info": "{}",
        },
    } | changes.pop("examples", {})
    outputs = ["findings", "html", "metrics", "executor-logs"]
    executor_input: dict[str, Any] = {
        "inputs": {
            "parameterValues": changes.pop("parameters", {}),
            "artifacts": {"examples": {"artifacts": [examples]}},
        },
        "outputs": {
            "artifacts": {
                name: {"artifacts": [{"name": name, "uri": f"minio://{FOLDER}/{name}"}]}
                for name in outputs
            },
            "outputFile": f"{root}/minio/{FOLDER}/output_metadata.json",
        },
    }
    assert not changes
    return Handover(executor_input, INPUTS_SPEC, OUTPUTS_SPEC)


def for_tfx(handover: Handover) -> dict[str, Any]:
    return handover.for_tfx({"name": "x"}, Path("/tmp/output.json"))


def example_artifact(handover: Handover) -> dict[str, Any]:
    (artifact,) = for_tfx(handover)["inputs"]["artifacts"]["examples"]["artifacts"]
    assert isinstance(artifact, dict)
    return artifact


@pytest.mark.parametrize(
    "sent",
    [
        {"instanceSchema": ""},
        {},
        {"schemaTitle": SCHEMA},
        {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"},
    ],
    ids=["empty", "none", "the whole schema as a title", "another one"],
)
def test_the_type_is_that_of_the_package_whatever_is_sent(tmp_path: Path, sent: Any) -> None:
    artifact = example_artifact(handed(tmp_path, examples={"type": sent}))
    assert artifact["type"] == {"instanceSchema": "title: tfx.Examples\n"}


def test_a_type_of_this_project_is_an_import_path(tmp_path: Path) -> None:
    (artifact,) = for_tfx(handed(tmp_path))["outputs"]["artifacts"]["findings"]["artifacts"]
    assert artifact["type"] == {"instanceSchema": "title: components.artifact_types.GateFindings\n"}


def test_inputs_and_outputs_are_the_launchers_files(tmp_path: Path) -> None:
    handover = handed(tmp_path)
    assert example_artifact(handover)["uri"] == f"{tmp_path}/minio/bucket/examples"
    (artifact,) = for_tfx(handover)["outputs"]["artifacts"]["findings"]["artifacts"]
    assert artifact["uri"] == f"{tmp_path}/minio/{FOLDER}/findings"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://bucket/examples", "/s3/bucket/examples"),
        ("gs://bucket/examples", "/gcs/bucket/examples"),
        ("minio://bucket/examples", "/minio/bucket/examples"),
    ],
)
def test_every_object_store_has_its_folder(uri: str, path: str) -> None:
    artifact = example_artifact(handed("", examples={"uri": uri}))
    assert artifact["uri"] == path


def test_a_path_of_a_volume_stays_what_it_is(tmp_path: Path) -> None:
    artifact = example_artifact(handed(tmp_path, examples={"uri": "/models/examples"}))
    assert artifact["uri"] == "/models/examples"


def test_paths_of_inputs_are_the_launchers(tmp_path: Path) -> None:
    assert handed(tmp_path).input_paths() == {"examples": [tmp_path / "minio/bucket/examples"]}


def test_metadata_of_another_task_reach_tfx(tmp_path: Path) -> None:
    assert example_artifact(handed(tmp_path))["metadata"] == {
        "split_names": '["train"]',
        "span": 0.0,
    }


def test_an_artifact_without_a_name_gets_one(tmp_path: Path) -> None:
    assert example_artifact(handed(tmp_path, examples={"name": ""}))["name"] == "examples"


def test_the_backends_own_output_is_kept_from_tfx(tmp_path: Path) -> None:
    assert set(for_tfx(handed(tmp_path))["outputs"]["artifacts"]) == {"findings", "html", "metrics"}


@pytest.mark.parametrize(
    ("name", "sent", "value"),
    [
        ("name", "5", "5"),
        ("name", {"a": 1}, '{"a": 1}'),
        ("steps", 40.0, 40),
        ("steps", "40", 40),
        ("rate", "0.5", 0.5),
        ("quick", "true", True),
        ("splits", '["train"]', ["train"]),
        ("splits", ["train"], ["train"]),
    ],
)
def test_a_parameter_has_its_declared_type(
    tmp_path: Path, name: str, sent: object, value: object
) -> None:
    found = handed(tmp_path, parameters={name: sent}).parameters()[name]
    assert found == value
    assert type(found) is type(value)


def test_a_parameter_that_is_not_declared_is_left_out(tmp_path: Path) -> None:
    assert handed(tmp_path, parameters={"other": 1}).parameters() == {}


def test_the_runs_id_stands_in_the_outputs_address(tmp_path: Path) -> None:
    assert handed(tmp_path).run_id == "the-run"


def test_output_folders_are_made_and_a_files_folder_too(tmp_path: Path) -> None:
    handover = handed(tmp_path)
    handover.make_output_folders()
    assert handover.output_paths()["findings"].is_dir()
    assert not handover.output_paths()["html"].exists()
    assert handover.output_paths()["html"].parent.is_dir()


def test_an_empty_output_folder_gets_a_file(tmp_path: Path) -> None:
    handover = handed(tmp_path)
    handover.make_output_folders()
    (handover.output_paths()["findings"] / "empty").mkdir()
    handover.fill_empty_outputs()
    assert (handover.output_paths()["findings"] / EMPTY).is_file()


def test_an_output_with_a_file_gets_none(tmp_path: Path) -> None:
    handover = handed(tmp_path)
    handover.make_output_folders()
    deep = handover.output_paths()["findings"] / "Split-train"
    deep.mkdir()
    (deep / "findings.json").write_text("{}")
    handover.fill_empty_outputs()
    assert not (handover.output_paths()["findings"] / EMPTY).exists()


def told(handover: Handover, **metadata: dict[str, Any]) -> dict[str, Any]:
    made = {
        "artifacts": {
            name: {"artifacts": [{"uri": "/minio/somewhere", "metadata": found}]}
            for name, found in metadata.items()
        }
    }
    return handover.for_launcher(made)["artifacts"]


def test_outputs_go_back_under_their_own_addresses(tmp_path: Path) -> None:
    (artifact,) = told(handed(tmp_path), findings={"stopped": 0})["findings"]["artifacts"]
    assert artifact == {
        "name": "findings",
        "uri": f"minio://{FOLDER}/findings",
        "metadata": {"stopped": 0},
    }


def test_an_output_that_nothing_is_said_of_goes_back_too(tmp_path: Path) -> None:
    (artifact,) = told(handed(tmp_path))["findings"]["artifacts"]
    assert artifact["metadata"] == {}


def test_no_null_and_no_number_that_is_none_goes_back(tmp_path: Path) -> None:
    metadata = {"a": None, "b": float("nan"), "c": float("inf"), "d": 1}
    (artifact,) = told(handed(tmp_path), findings=metadata)["findings"]["artifacts"]
    assert artifact["metadata"] == {"d": 1}
    json.dumps(artifact, allow_nan=False)


def test_metrics_are_numbers_only(tmp_path: Path) -> None:
    metadata = {"auc": 0.8, "tfx_version": "1.16.0", "state": "published"}
    (artifact,) = told(handed(tmp_path), metrics=metadata)["metrics"]["artifacts"]
    assert artifact["metadata"] == {"auc": 0.8}
