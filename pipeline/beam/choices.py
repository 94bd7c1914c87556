"""What a person chooses of Beam, and the options for it; nothing here is slow to import."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WORKER_POOL_PORT = 50_000
WORKER_POOL = f"localhost:{WORKER_POOL_PORT}"
"""Where a worker finds the pool beside it."""


class Runner(StrEnum):
    """Where Beam's stages run."""

    IN_MEMORY = "in-memory"
    MULTI_PROCESS = "multi-process"
    FLINK = "flink"
    SPARK = "spark"
    DATAFLOW = "dataflow"


@dataclass(frozen=True)
class BeamChoice:
    """A choice, and how it is given on a command line or in the form of a run on Kubeflow.

    Attributes:
        name: Attribute of `BeamSettings`.
        options: Names of its option; Beam's own names work, too.
        help: What it means.
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
        f"Where each task manager finds its worker pool (default {WORKER_POOL}).",
    ),
)
