"""Runs the tasks that share a pod, one after the other, each as in a pod of its own.

The command is `python -m pipeline.runners.kubeflow.pod EXECUTOR_INPUT TASK...`, where each task is
a JSON object that `pipeline.runners.kubeflow.pods` has written. Each runs in a child process of
this one, with its own record and log; the first one that fails ends the pod.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.errors import UserError
from pipeline.runners.kubeflow.entrypoint import log_to_stderr, run_supervised, task_options
from pipeline.runners.kubeflow.pods import EXECUTOR_INPUT, joined

Spec = dict[str, Any]


class Member(BaseModel):
    """A task of the pod.

    Attributes:
        stage: Its name.
        arguments: Command line of its entrypoint; `EXECUTOR_INPUT` where its input belongs.
        handed: For each input the task and the output that it is.
    """

    stage: str
    arguments: tuple[str, ...]
    handed: dict[str, tuple[str, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tasks and reports their outputs to the launcher.

    Returns:
        0, or 1 for an error that the user can fix.

    Raises:
        Exception: A stage failed otherwise; the note at the end of it names the stage.
    """
    handed, *tasks = sys.argv[1:] if arguments is None else arguments
    log_to_stderr()
    executor_input = json.loads(handed)
    made: dict[str, Spec] = {}
    output = Path(executor_input["outputs"]["outputFile"])
    for member in map(Member.model_validate_json, tasks):
        # Beside the pod's own: from its place a task knows where the launcher's folders are.
        said = output.with_name(f"{member.stage}-{output.name}")
        own = member_input(executor_input, member, made, said)
        command = [json.dumps(own) if a == EXECUTOR_INPUT else a for a in member.arguments]
        try:
            run_supervised(task_options(command))
        except UserError as error:
            named = f"Stage {member.stage}: "
            sys.stderr.write(f"{named}{str(error).removeprefix(named)}\n")
            return 1
        except Exception as error:
            error.add_note(f"This was stage {member.stage}.")
            raise
        for name, found in json.loads(said.read_text("utf-8"))["artifacts"].items():
            made[joined(member.stage, name)] = found
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"artifacts": made}), encoding="utf-8")
    return 0


def member_input(
    executor_input: Spec, member: Member, made: Mapping[str, Spec], said: Path
) -> Spec:
    """What the launcher would hand to a task that has a pod of its own.

    Args:
        executor_input: What it handed to the pod.
        member: The task.
        made: What the tasks before it said of their outputs.
        said: File for what it says of its own.
    """
    prefix = joined(member.stage, "")
    inputs = executor_input.get("inputs", {})
    outside = inputs.get("artifacts", {})
    given = {}
    for name, source in member.handed.items():
        place = joined(*source)
        given[name] = _without_names(made[place]) if place in made else outside[place]
    return {
        "inputs": {
            "parameterValues": _own(inputs.get("parameterValues", {}), prefix),
            "artifacts": given,
        },
        "outputs": {
            "artifacts": _own(executor_input["outputs"].get("artifacts", {}), prefix),
            "outputFile": str(said),
        },
    }


def _own(found: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): item for key, item in found.items() if key.startswith(prefix)}


def _without_names(found: Spec) -> Spec:
    """Artifacts as a backend hands them that has no metadata store."""
    return {
        "artifacts": [
            {key: value for key, value in artifact.items() if key != "name"}
            for artifact in found["artifacts"]
        ]
    }


if __name__ == "__main__":
    sys.exit(main())
