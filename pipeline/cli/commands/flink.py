"""`trial flink`: a Flink cluster on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.answer import Answer
from pipeline.cli.lazy import Command, LazyGroup
from pipeline.cli.options import WholeNumber, json_option, path_option
from pipeline.errors import UserError


@click.group(cls=LazyGroup)
def flink() -> None:
    """Start and stop a Flink cluster on this machine."""


@flink.command(cls=Command)
@click.option("--task-managers", type=WholeNumber(1), help="How many; 2 if not given.")
@path_option("--jars", help="Folder of further jars for the cluster's class path.")
@json_option
def up(task_managers: int | None, jars: Path | None) -> Answer:
    """Start a cluster for `trial run --runner=flink`."""
    from pipeline.beam.local_flink.plan import TASK_MANAGERS, ClusterPlan
    from pipeline.beam.local_flink.session import up as start_cluster

    plan = ClusterPlan(
        task_managers=task_managers or TASK_MANAGERS,
        jars=_find_jars(jars) if jars else (),
    )
    cluster = start_cluster(plan)
    click.echo(f"Flink: http://{cluster.master}, logs in {cluster.folder}")
    return Answer({"master": cluster.master, "logs": str(cluster.folder)})


@flink.command(cls=Command)
@json_option
def down() -> Answer:
    """Stop the cluster."""
    from pipeline.beam.local_flink.session import down as stop_cluster

    stopped = stop_cluster()
    click.echo("stopped" if stopped else "no local Flink is up")
    return Answer({"stopped": stopped})


def _find_jars(folder: Path) -> tuple[Path, ...]:
    jars = tuple(sorted(folder.glob("*.jar")))
    if not jars:
        raise UserError(f"{folder}: there are no jars in this folder (--jars, FLINK_JARS=).")
    return jars
