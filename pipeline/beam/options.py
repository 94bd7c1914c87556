"""The user's choice of a Beam runner, and Beam's options for it.

No stage depends on the runner. Options that a runner requires, and that users should not have to
know, are set here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pipeline.beam.choices import BEAM_CHOICES, WORKER_POOL, Runner
from pipeline.documents import StrictModel
from pipeline.errors import UserError
from pipeline.version import PROJECT

_SETUP_FILE = PROJECT / "setup.py"

FLINK_VERSION = "1.19"

CLUSTERS = (Runner.FLINK, Runner.SPARK, Runner.DATAFLOW)
"""Runners whose workers may be on other machines."""

_BEAMS_NAMES = {
    "FnApiRunner": Runner.IN_MEMORY,
    "FlinkRunner": Runner.FLINK,
    "SparkRunner": Runner.SPARK,
    "DataflowRunner": Runner.DATAFLOW,
}


class BeamSettings(StrictModel):
    """The user's choice of a Beam runner.

    Attributes:
        runner: Where Beam's stages run.
        workers: How many parts of the data are processed at once; None takes all slots of a Flink
            cluster, all cores of this machine with several processes, and the runner's own
            default elsewhere.
        master: Address of the cluster: host and port of Flink's REST interface, or Spark's URL.
        worker_pool: Address at which each of the cluster's task managers finds its worker pool.
        options: Further options, by Beam's names.
    """

    runner: Runner = Runner.IN_MEMORY
    workers: Annotated[int, Field(ge=1)] | None = None
    master: str | None = None
    worker_pool: str = WORKER_POOL
    options: tuple[str, ...] = ()


IN_MEMORY = BeamSettings()
"""The default choice."""


@dataclass(frozen=True)
class FlinkSlots:
    """What a Flink cluster offers.

    Attributes:
        total: Slots of all task managers.
        most_of_one: Slots of the task manager with the most.
    """

    total: int
    most_of_one: int


def parse_beam_options(arguments: Sequence[str]) -> BeamSettings:
    """Reads a choice from options, such as those of a field in a run's form.

    Args:
        arguments: Options of `BEAM_CHOICES`; any other one is handed to Beam.

    Returns:
        The choice.

    Raises:
        UserError: An option is invalid.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    for choice in BEAM_CHOICES:
        parser.add_argument(*choice.options, dest=choice.name)
    known, unknown = parser.parse_known_args(arguments)
    return beam_settings({**vars(known), "options": tuple(unknown)})


def beam_settings(chosen: dict[str, Any]) -> BeamSettings:
    """Validates a choice.

    Args:
        chosen: Attributes of `BeamSettings`; None for the default. Beam's names of runners
            work, too.

    Raises:
        UserError: The runner is unknown, or another value is invalid.
    """
    given = {name: value for name, value in chosen.items() if value not in (None, "")}
    runner = given.get("runner", Runner.IN_MEMORY)
    given["runner"] = _BEAMS_NAMES.get(runner, runner)
    if given["runner"] not in tuple(Runner):
        raise UserError(
            f"There is no Beam runner {runner} here. Expected one of {', '.join(Runner)} "
            "(--runner, RUNNER=)."
        )
    try:
        settings = BeamSettings.model_validate(given)
    except ValidationError as error:
        lines = [f"--{item['loc'][0]}: {item['msg']}." for item in error.errors()]
        raise UserError("\n".join(lines)) from error
    _check_master(settings)
    return settings


def _check_master(settings: BeamSettings) -> None:
    if settings.master and settings.runner not in (Runner.FLINK, Runner.SPARK):
        raise UserError(
            f"A cluster's address was given (--master {settings.master}), but the runner is "
            f"{settings.runner}. Add --runner=flink or --runner=spark."
        )
    if settings.runner is Runner.SPARK and not settings.master:
        raise UserError("The runner spark needs the cluster's address: --master spark://host:7077.")


def beam_options(settings: BeamSettings, slots: FlinkSlots | None = None) -> tuple[str, ...]:
    """Beam's options for a choice.

    Args:
        settings: The choice.
        slots: Slots of the Flink cluster, for the runner `flink`.

    Returns:
        Options as on Beam's command line; the user's own come last and take precedence.
    """
    match settings.runner:
        case Runner.IN_MEMORY:
            # By name: Beam's default runner would download a program.
            own = ["--runner=FnApiRunner", *_no_package()]
        case Runner.MULTI_PROCESS:
            own = [
                "--runner=FnApiRunner",
                "--direct_running_mode=multi_processing",
                f"--direct_num_workers={settings.workers or os.cpu_count() or 1}",
                *_no_package(),
            ]
        case Runner.FLINK:
            own = _flink_options(settings, slots)
        case Runner.SPARK:
            own = [
                "--runner=SparkRunner",
                f"--spark_master_url={settings.master}",
                *_external_workers(settings),
            ]
        case Runner.DATAFLOW:
            own = ["--runner=DataflowRunner"]
            own += [f"--max_num_workers={settings.workers}"] if settings.workers else []
    return (*own, *settings.options)


def _flink_options(settings: BeamSettings, slots: FlinkSlots | None) -> list[str]:
    parallelism = settings.workers or (slots.total if slots else 1)
    return [
        "--runner=FlinkRunner",
        f"--flink_version={FLINK_VERSION}",
        f"--flink_master={settings.master}",
        f"--parallelism={parallelism}",
        # Python computes with one core a process: as many workers as slots, or slots share one.
        f"--sdk_worker_parallelism={slots.most_of_one if slots else 1}",
        *_external_workers(settings),
    ]


def _external_workers(settings: BeamSettings) -> list[str]:
    """For workers that have the project installed, in a pool beside each task manager."""
    return [
        "--environment_type=EXTERNAL",
        f"--environment_config={settings.worker_pool}",
        # Otherwise the workers of a job end with each of its steps, and those of the next step
        # load models and fill caches again. After the job's end they stop after this time.
        "--environment_cache_millis=60000",
        *_no_package(shipped=False),
    ]


def _no_package(shipped: bool = True) -> list[str]:
    """Options that keep TFX from packaging its own installation for each stage's workers.

    TFX skips that when an option states how workers get their code. Workers of this machine and
    of a pool have the project installed; the setup file has no effect on them.
    """
    if shipped and _SETUP_FILE.exists():
        return [f"--setup_file={_SETUP_FILE}"]
    # Beam reads this option only for Docker environments.
    return ["--sdk_container_image=the-pool-has-the-project"]


class _Parser(argparse.ArgumentParser):
    """Raises an error instead of ending the process."""

    def error(self, message: str) -> Any:
        raise UserError(f"Beam's options: {message}.")
