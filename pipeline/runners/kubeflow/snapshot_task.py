"""The task DataSnapshot of a package, for a study that reads a SQL database."""

from __future__ import annotations

from typing import Any

from pipeline.errors import UserError
from pipeline.runners.kubeflow.settings import KubeflowSettings
from pipeline.study.study import Study

DATA_SNAPSHOT = "DataSnapshot"
SNAPSHOT = "snapshot"
"""Parameter with the folder of the snapshot."""

_COMMAND = ("python", "-m", "pipeline.runners.kubeflow.snapshot")


def check_snapshot(study: Study, settings: KubeflowSettings) -> None:
    """Refuses settings with which tasks can't read the study's database.

    Raises:
        UserError: There is no folder for snapshots, or no secret with the password.
    """
    if study.database is None:
        return
    if not settings.snapshot_root:
        raise UserError(
            f"The study {study.study} reads a SQL database, and the settings say no `snapshot_root`"
            ": name the folder for its snapshots, such as s3://bucket/trial-snapshots. It holds "
            "subjects' data: let only the tasks read it."
        )
    kind, _, variable = (study.database.password or "").partition(":")
    if kind == "env" and variable not in settings.secrets:
        raise UserError(
            f"The study {study.study} reads the password of its database from the environment "
            f"variable {variable}, which the settings give to no task: name its secret, such as "
            f"secrets: {{{variable}: {{secret: trial-database, key: password}}}}."
        )


def add_snapshot_task(
    spec: dict[str, Any], image: str, constants: dict[str, str], asked: dict[str, str]
) -> None:
    """Inserts the task, whose output parameter RunInputs takes.

    Args:
        spec: The pipeline specification, with RunInputs.
        image: Image of every task.
        constants: Values that the package fixes.
        asked: Fields of a run's form that it takes, with their types.
    """
    kinds = dict.fromkeys(constants, "STRING") | asked
    spec["components"][DATA_SNAPSHOT] = {
        "executorLabel": f"{DATA_SNAPSHOT}_executor",
        "inputDefinitions": {
            "parameters": {name: {"parameterType": kind} for name, kind in kinds.items()}
        },
        "outputDefinitions": {"parameters": {SNAPSHOT: {"parameterType": "STRING"}}},
    }
    arguments = [
        text for name in kinds for text in (f"--{name}", f"{{{{$.inputs.parameters['{name}']}}}}")
    ]
    arguments += [f"--{SNAPSHOT}_to", f"{{{{$.outputs.parameters['{SNAPSHOT}'].output_file}}}}"]
    spec["deploymentSpec"]["executors"][f"{DATA_SNAPSHOT}_executor"] = {
        "container": {"image": image, "command": list(_COMMAND), "args": arguments}
    }
    spec["root"]["dag"]["tasks"][DATA_SNAPSHOT] = {
        "taskInfo": {"name": DATA_SNAPSHOT},
        "componentRef": {"name": DATA_SNAPSHOT},
        "inputs": {
            "parameters": {
                **{
                    name: {"runtimeValue": {"constant": value}} for name, value in constants.items()
                },
                **{name: {"componentInputParameter": name} for name in asked},
            }
        },
    }


def take_from_snapshot_task(spec: dict[str, Any], task: str) -> None:
    """Hands the snapshot's folder to a task.

    Args:
        spec: The pipeline specification.
        task: Name of the task and of its component.
    """
    component = spec["components"][task]
    component["inputDefinitions"]["parameters"][SNAPSHOT] = {"parameterType": "STRING"}
    found = spec["root"]["dag"]["tasks"][task]
    found["inputs"]["parameters"][SNAPSHOT] = {
        "taskOutputParameter": {"producerTask": DATA_SNAPSHOT, "outputParameterKey": SNAPSHOT}
    }
    found["dependentTasks"] = [DATA_SNAPSHOT]
    container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    container["args"] += [f"--{SNAPSHOT}", f"{{{{$.inputs.parameters['{SNAPSHOT}']}}}}"]
