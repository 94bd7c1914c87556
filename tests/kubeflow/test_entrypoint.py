"""The container's entrypoint: what it changes on the way to TFX, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spec_walker import REPOSITORY

from pipeline.errors import UserError
from pipeline.kubeflow_entrypoint import beam_arguments, executor_parameters
from pipeline.kubeflow_record import RECORD


def test_the_forms_seed_and_steps_replace_those_of_the_package():
    given = {
        "custom_config": '{"seed": 1, "inputs": {}}',
        "train_args": '{"splits": ["train"], "num_steps": 2}',
        "seed": 7,
        "steps": 40,
    }
    found = executor_parameters(given)
    assert json.loads(found["custom_config"]) == {"seed": 7, "inputs": {}}
    assert json.loads(found["train_args"]) == {"splits": ["train"], "num_steps": 40}


def test_the_executor_is_not_told_what_is_for_others():
    given = {
        "run_fn": "trainer.run.run_fn",
        "beam_options": "--runner=FnApiRunner",
        "metrics_store": "sqlite:///store",
        "code_digest": "a1",
    }
    assert executor_parameters(given) == {"run_fn": "trainer.run.run_fn"}


def test_beams_options_are_split_as_a_shell_would():
    arguments = beam_arguments("--runner=FlinkRunner --job_name='two words' --setup_file=/x")
    assert arguments == ["--runner=FlinkRunner", "--job_name=two words", "--setup_file=/x"]


def test_beams_options_without_a_runner_are_refused():
    with pytest.raises(UserError, match="names no runner"):
        beam_arguments("--streaming")


def run_task(root: Path, stage: str, executor: str, parameters: dict[str, str]) -> Any:
    """Runs the entrypoint as the launcher does, for a task with one output."""
    folder = f"bucket/trial-tiny/the-run/{stage}/1"
    executor_input = {
        "inputs": {"parameterValues": parameters},
        "outputs": {
            "artifacts": {
                "result": {"artifacts": [{"name": "result", "uri": f"minio://{folder}/result"}]}
            },
            "outputFile": f"{root}/minio/{folder}/output_metadata.json",
        },
    }
    inputs = {"parameters": {name: {"parameterType": "STRING"} for name in parameters}}
    outputs = {"artifacts": {"result": {"artifactType": {"schemaTitle": "tfx.Schema"}}}}
    return subprocess.run(
        [
            *(sys.executable, "-m", "pipeline.kubeflow_entrypoint"),
            *("--executor_class_path", executor),
            *("--json_serialized_invocation_args", json.dumps(executor_input)),
            *("--json_serialized_inputs_spec_args", json.dumps(inputs)),
            *("--outputs_spec", json.dumps(outputs)),
            *("--stage", stage, "--study", "tiny"),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_mistake_is_one_message_and_no_traceback(tmp_path: Path):
    # There is no file of the study in this folder.
    study = {"study": "tiny"}
    ran = run_task(
        tmp_path,
        "TrialExampleGen",
        "components.trial_example_gen.executor.TrialExampleGenExecutor",
        {"study": json.dumps(study), "data_root": str(tmp_path), "beam_options": "--streaming"},
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("beam_options names no runner")


@pytest.mark.slow
def test_a_task_that_failed_leaves_its_record_with_the_reason(tmp_path: Path):
    ran = run_task(tmp_path, "Gate", "no.such.Executor", {})
    assert ran.returncode == 1
    (line,) = (text for text in ran.stderr.splitlines() if text.startswith(RECORD))
    record = json.loads(line.removeprefix(RECORD))
    assert (record["run"], record["stage"], record["status"]) == ("the-run", "Gate", "failed")
    assert record["error"] == "ImportError: Could not import no.such.Executor"


@pytest.mark.slow
def test_the_check_of_an_image_runs_a_task():
    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.kubeflow_entrypoint", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert '"stage": "CuratedSchema", "status": "done"' in ran.stderr
