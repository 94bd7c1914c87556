"""The health check of an image: everything can be imported, and a tiny task runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from pipeline.errors import UserError

_CONTENT = 'feature { name: "AGE" type: FLOAT }\n'


def check(run_entrypoint: Callable[[Sequence[str]], int]) -> None:
    """Imports the pipeline with all its components and runs the task CuratedSchema.

    It writes only below the folder for temporary files.

    Args:
        run_entrypoint: Runs a task by its command line; 0 means that it succeeded.

    Raises:
        UserError: The task failed, or did not write its output.
    """
    for name in (
        "pipeline.pipeline",
        "pipeline.validation_pipeline",
        "pipeline.scoring_pipeline",
        "pipeline.outcomes_pipeline",
        "pipeline.runners.kubeflow.inputs",
        "trainer.run",
        "trainer.tuning",
    ):
        import_module(name)
    with tempfile.TemporaryDirectory() as root:
        if run_entrypoint(_tiny_task(root)):
            raise UserError("The entrypoint's tiny task failed.")
        made = Path(root) / "minio" / "bucket" / "run" / "CuratedSchema" / "1" / "schema"
        if (made / "schema.pbtxt").read_text() != _CONTENT:
            raise UserError(f"{made}: the entrypoint's tiny task did not write its output.")


def _tiny_task(root: str) -> list[str]:
    """The command line of a task, as a package has it."""
    folder = "bucket/run/CuratedSchema/1"
    inputs = {"parameters": {"content": {"parameterType": "STRING"}}}
    outputs = {"artifacts": {"schema": {"artifactType": {"schemaTitle": "tfx.Schema"}}}}
    executor_input = {
        "inputs": {"parameterValues": {"content": _CONTENT}},
        "outputs": {
            "artifacts": {
                "schema": {"artifacts": [{"name": "schema", "uri": f"minio://{folder}/schema"}]}
            },
            "outputFile": f"{root}/minio/{folder}/output_metadata.json",
        },
    }
    return [
        "--stage=CuratedSchema",
        "--study=check",
        "--executor_class_path=components.curated_schema.executor.Executor",
        *("--json_serialized_invocation_args", json.dumps(executor_input)),
        *("--json_serialized_inputs_spec_args", json.dumps(inputs)),
        *("--outputs_spec", json.dumps(outputs)),
    ]
