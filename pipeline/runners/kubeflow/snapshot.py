"""The task DataSnapshot: reads the study's SQL database once, before RunInputs.

It is never cached: whether the database changed is known only when it was read. Unchanged content
gives the folder of the run before, and so the same parameters of all other tasks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UserError
from pipeline.names import RUN_KINDS, TRAINING
from pipeline.runners.kubeflow.record import Task, recorded_task
from pipeline.runners.kubeflow.snapshot_task import DATA_SNAPSHOT
from pipeline.study.load import parse_study


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes the snapshot, and writes the address of its folder to a file.

    Returns:
        0, or 1 for an error in the input.
    """
    options = _parser().parse_args(arguments)
    study = parse_study(json.loads(options.study), "the study")
    task = Task(options.run_id, DATA_SNAPSHOT, study.study, options.metrics_store, options.kind)
    try:
        with recorded_task(task):
            # Beam, whose file systems it takes, needs a second or two to be imported.
            from pipeline.reading.database.snapshot import take_snapshot

            folder = f"{options.snapshot_root.rstrip('/')}/{study.study}"
            snapshot = take_snapshot(study, options.data_root, folder)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    target = Path(options.snapshot_to)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(snapshot, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.runners.kubeflow.snapshot")
    parser.add_argument("--study", required=True, help="the study file as JSON")
    parser.add_argument("--data_root", default="", help="folder of the study's files, if any")
    parser.add_argument("--snapshot_root", required=True, help="folder of all snapshots")
    parser.add_argument("--metrics_store", default="", help="address of the SQL store, if any")
    parser.add_argument("--run_id", default="", help="id of the run")
    parser.add_argument("--kind", default=TRAINING, choices=RUN_KINDS, help="what the run does")
    parser.add_argument("--snapshot_to", required=True, help="output file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
