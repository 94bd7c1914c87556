"""The cluster that `trial flink up` starts and `trial run --runner=flink` finds."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from pipeline.beam.local_flink.cluster import LocalFlink, start
from pipeline.beam.local_flink.hosts import Host, Network, remove_network
from pipeline.beam.local_flink.jars import TOOLS, fetch_flink
from pipeline.beam.local_flink.plan import ClusterPlan
from pipeline.beam.local_flink.processes import Member, end_processes
from pipeline.errors import UserError

STATE_FILE = TOOLS / "cluster.json"


def running_cluster(state_file: Path = STATE_FILE) -> dict[str, Any] | None:
    """The description of the cluster that `up` started; None when none is running."""
    if not state_file.exists():
        return None
    found: dict[str, Any] = json.loads(state_file.read_text())
    return found


def up(plan: ClusterPlan, state_file: Path = STATE_FILE) -> LocalFlink:
    """Starts the cluster that `make run RUNNER=flink` finds.

    Raises:
        UserError: One is up already, or it can't be started.
    """
    if running_cluster(state_file):
        raise UserError("A local Flink is up already. `make flink-down` stops it.")
    cluster = start(plan, state_file.parent / "cluster", fetch_flink())
    state_file.write_text(json.dumps(cluster.to_json(), indent=1) + "\n")
    return cluster


def down(state_file: Path = STATE_FILE) -> bool:
    """Stops the cluster that `up` started.

    Returns:
        Whether there was one.
    """
    found = running_cluster(state_file)
    if found is None:
        return False
    members = [Member(**{**item, "host": Host(**item["host"])}) for item in found["members"]]
    end_processes(members[::-1], signal.SIGTERM)
    network = found["network"]
    remove_network(
        Network(
            network["bridge"],
            Host(**network["machine"]),
            tuple(Host(**host) for host in network["hosts"]),
        )
    )
    state_file.unlink()
    return True
