"""The container's entrypoint: what it changes on the way to TFX, and how it ends."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from components.champion_model.settings import ChampionModelSettings
from pipeline.errors import UserError
from pipeline.runners.kubeflow.entrypoint import (
    beam_arguments,
    executor_parameters,
    is_of_interest,
)
from pipeline.runners.kubeflow.record import RECORD
from pipeline.store.migrate import migrate
from tests.kubeflow.spec_walker import REPOSITORY


def test_the_forms_seed_and_steps_replace_those_of_the_package() -> None:
    given = {
        "custom_config": '{"seed": 1, "inputs": {}}',
        "train_args": '{"splits": ["train"], "num_steps": 2}',
        "seed": 7,
        "steps": 40,
    }
    found = executor_parameters(given)
    assert json.loads(found["custom_config"]) == {"seed": 7, "inputs": {}}
    assert json.loads(found["train_args"]) == {"splits": ["train"], "num_steps": 40}


def test_seed_and_steps_that_are_the_executors_own_stay() -> None:
    assert executor_parameters({"seed": 7, "steps": 40}) == {"seed": 7, "steps": 40}


def test_the_executor_does_not_get_parameters_of_others() -> None:
    given = {
        "run_fn": "trainer.run.run_fn",
        "beam_options": "--runner=FnApiRunner",
        "metrics_store": "sqlite:///store",
        "code_digest": "a1",
    }
    assert executor_parameters(given) == {"run_fn": "trainer.run.run_fn"}


def test_beams_options_are_split_as_a_shell_would(tmp_path: Path) -> None:
    arguments = beam_arguments("--runner=in-memory --job_name='two words'", str(tmp_path))
    assert "--job_name=two words" in arguments


@pytest.mark.parametrize("options", ["", "--streaming"])
def test_without_a_runner_beams_own_default_is_not_taken(tmp_path: Path, options: str) -> None:
    # It would fetch a program from the network.
    assert "--runner=FnApiRunner" in beam_arguments(options, str(tmp_path))


def test_a_runner_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no Beam runner nowhere here"):
        beam_arguments("--runner=nowhere", str(tmp_path))


def test_a_quote_that_is_not_closed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="beam_options can't be read"):
        beam_arguments("--job_name='two words", str(tmp_path))


ENTRYPOINT = ("-m", "pipeline.runners.kubeflow.entrypoint")


def run_task(
    root: Path,
    stage: str,
    executor: str,
    parameters: dict[str, str],
    program: Sequence[str] = ENTRYPOINT,
    **made: str,
) -> Any:
    """Runs the entrypoint as the launcher does, for a task that makes artifacts of these types."""
    folder = f"bucket/trial-tiny/the-run/{stage}/1"
    executor_input = {
        "inputs": {"parameterValues": parameters},
        "outputs": {
            "artifacts": {
                name: {"artifacts": [{"name": name, "uri": f"minio://{folder}/{name}"}]}
                for name in made
            },
            "outputFile": f"{root}/minio/{folder}/output_metadata.json",
        },
    }
    inputs = {"parameters": {name: {"parameterType": "STRING"} for name in parameters}}
    outputs = {
        "artifacts": {
            name: {"artifactType": {"schemaTitle": title}} for name, title in made.items()
        }
    }
    return subprocess.run(
        [
            *(sys.executable, *program),
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


def only_record(said: str) -> dict[str, Any]:
    (line,) = (text for text in said.splitlines() if text.startswith(RECORD))
    record: dict[str, Any] = json.loads(line.removeprefix(RECORD))
    return record


DYING = """\
import os, signal, sys
from pipeline.runners.kubeflow import entrypoint
entrypoint.run_task = lambda options: {death}
sys.exit(entrypoint.main())
"""


@pytest.mark.parametrize(
    ("death", "told", "status"),
    [
        ("os.abort()", "was ended by SIGABRT: a native library failed", "failed"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "was ended by SIGKILL: as a rule because",
            "killed",
        ),
        (
            "os.kill(os.getpid(), signal.SIGSEGV)",
            "was ended by SIGSEGV: a native library failed",
            "failed",
        ),
        ("os._exit(3)", "ended with exit code 3", "failed"),
    ],
)
def test_task_whose_process_dies_is_reported_and_recorded(
    death: str, told: str, status: str, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path}/store.sqlite"
    migrate(store)

    ran = run_task(
        tmp_path,
        "TrialEvaluator",
        "no.such.Executor",
        {"metrics_store": store},
        program=("-c", DYING.format(death=death)),
        verdict="Verdict",
    )

    last = ran.stderr.splitlines()[-1]
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert last.startswith(f"Stage TrialEvaluator: its process {told}")
    assert "raise resources.TrialEvaluator.memory in the settings and compile again" in last
    record = only_record(ran.stderr)
    assert (record["run"], record["stage"], record["status"]) == (
        *("the-run", "TrialEvaluator"),
        status,
    )
    assert last.startswith(record["error"])
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as opened:
        outcomes = opened.execute("SELECT run, status, failed_stage, reason FROM outcomes")
        assert list(outcomes) == [("the-run", status, "TrialEvaluator", record["error"])]


@pytest.mark.slow
def test_what_an_executor_refuses_is_one_message_no_traceback_and_a_record(tmp_path: Path) -> None:
    ran = run_task(
        tmp_path,
        "ChampionModel",
        "components.champion_model.executor.Executor",
        {
            "registry_root": str(tmp_path),
            "settings": ChampionModelSettings(
                study_name="tiny", split_seed=1, label_digest="2:labels"
            ).to_json(),
            "champion_token": "of another registry",
        },
        model="tfx.Model",
        statistics="tfx.ExampleStatistics",
    )
    message = f"{tmp_path}/tiny: no registration has the token of another "
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith(message)
    record = only_record(ran.stderr)
    assert (record["stage"], record["status"]) == ("ChampionModel", "failed")
    assert message in record["error"]


@pytest.mark.slow
def test_a_task_that_fails_otherwise_leaves_its_record_too(tmp_path: Path) -> None:
    ran = run_task(tmp_path, "Gate", "no.such.Executor", {}, model="tfx.Model")
    assert ran.returncode == 1
    record = only_record(ran.stderr)
    assert (record["run"], record["stage"], record["status"]) == ("the-run", "Gate", "failed")
    assert record["error"] == "ImportError: Could not import no.such.Executor"


@pytest.mark.slow
def test_the_check_of_an_image_runs_a_task() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.runners.kubeflow.entrypoint", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stderr.splitlines() if line.startswith(RECORD)]
    [record] = [json.loads(line.removeprefix(RECORD)) for line in lines]
    assert (record["stage"], record["status"]) == ("CuratedSchema", "done")
    assert " INFO absl: " not in ran.stderr
    assert ran.stderr.splitlines()[-1] == lines[0]


@pytest.mark.parametrize(
    ("name", "level", "shown"),
    [
        ("absl", logging.INFO, False),
        ("apache_beam.typehints.native_type_compatibility", logging.INFO, False),
        ("absl", logging.WARNING, True),
        ("pipeline.runs.stage_rows", logging.INFO, True),
        ("components.evaluator.executor", logging.INFO, True),
        ("trainer.run", logging.INFO, True),
    ],
)
def test_a_tasks_log_has_what_the_project_says_and_warnings(
    name: str, level: int, shown: bool
) -> None:
    record = logging.makeLogRecord({"name": name, "levelno": level})

    assert is_of_interest(record) is shown
