"""The user's choices about Beam and their command-line options; imports no slow library."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WORKER_POOL_PORT = 50_000
WORKER_POOL = f"localhost:{WORKER_POOL_PORT}"
"""Default address of a task manager's worker pool."""


class Runner(StrEnum):
    """Where Beam's stages run."""

    IN_MEMORY = "in-memory"
    MULTI_PROCESS = "multi-process"
    FLINK = "flink"
    SPARK = "spark"
    DATAFLOW = "dataflow"


@dataclass(frozen=True)
class BeamChoice:
    """A choice, and its option on a command line or in the form of a run on Kubeflow.

    Attributes:
        name: Attribute of `BeamSettings`.
        options: Names of its option; Beam's own names work, too.
        help: Its help text.
    """

    name: str
    options: tuple[str, ...]
    help: str


BEAM_CHOICES = (
    BeamChoice("runner", ("--runner",), f"Where Beam's stages run: {', '.join(Runner)}."),
    BeamChoice(
        "workers",
        ("--workers", "--parallelism", "--direct_num_workers"),
        "How many parts of the data are processed at once.",
    ),
    BeamChoice(
        "master",
        ("--master", "--flink_master", "--spark_master_url"),
        "The cluster: host:port of Flink's REST interface, or Spark's URL.",
    ),
    BeamChoice(
        "worker_pool",
        ("--worker-pool", "--environment_config"),
        f"Address of each task manager's worker pool (default {WORKER_POOL}).",
    ),
)
