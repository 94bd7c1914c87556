"""Whole runs beside another checkout of this project, in pairs of processes.

The synthetic trial as `trial run` makes it, CDISC Pilot 01 (ADaM) as shipped, and the same without
reference models beside the other checkout's shipped study. Roots are fresh, so that nothing comes
from a cache; the two checkouts take turns, as in `benchmarks.startup`.

    git worktree add ../old v0.1.0
    python -m benchmarks.whole_runs ../old --data folder/with/cdisc_pilot01
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.measure import run
from benchmarks.report import machine, machine_line, quietness, write_json
from benchmarks.startup import Checkout, Start, measure_pairs, report
from pipeline.errors import UserError
from pipeline.version import PROJECT

logger = logging.getLogger(__name__)

_STUDY = "cdisc_pilot01"


@dataclass(frozen=True)
class Side:
    """A checkout and what it runs.

    Attributes:
        checkout: The checkout.
        arguments: Of its command.
    """

    checkout: Checkout
    arguments: tuple[str, ...]

    def measure(self) -> Start:
        """Measures a whole run in a fresh root.

        Raises:
            UserError: The run failed.
        """
        root = self.checkout.root / "runs"
        shutil.rmtree(root, ignore_errors=True)
        log = self.checkout.root / "run.log"
        command = self.checkout.command("--root", str(root), *self.arguments)
        found = run(command, log_path=log, cwd=self.checkout.folder)
        if not found.succeeded:
            raise UserError(f"{self.checkout.folder}: the run failed: {found.output_tail}")
        return Start(found.seconds, found.cpu_seconds)


def write_study_without_references(folder: Path) -> Path:
    """Writes the shipped study of CDISC Pilot 01 without reference models, and its schema.

    Args:
        folder: Destination; created.

    Returns:
        Path of the study file.
    """
    shipped = PROJECT / "schema" / _STUDY
    folder.mkdir(parents=True)
    study = yaml.safe_load((shipped / "study.yaml").read_text("utf-8"))
    study["training"] = {**study.get("training", {}), "reference_models": []}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False, allow_unicode=True), "utf-8")
    shutil.copy(shipped / "schema.pbtxt", folder)
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0, or 2 for what the user has to change.
    """
    arguments = _parser().parse_args(argv)
    sys.stdout.write(f"{machine_line()}\n{quietness([machine()['load_average'][0]])}")
    try:
        with tempfile.TemporaryDirectory(prefix="whole-runs-") as scratch:
            other, ours = (
                Checkout(folder.resolve(), Path(scratch) / name)
                for name, folder in (("other", arguments.other), ("ours", PROJECT))
            )
            for checkout in (other, ours):
                checkout.root.mkdir()
            data = ("--data", str(arguments.data.resolve()))
            shipped = ("--study", _STUDY, *data)
            without = write_study_without_references(Path(scratch) / "without_references")
            compared: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
                "synthetic trial": ((), ()),
                "CDISC Pilot 01": (shipped, shipped),
                "CDISC Pilot 01 without reference models": (
                    shipped,
                    ("--study", str(without), *data),
                ),
            }
            pairs = {
                what: measure_pairs(
                    Side(other, theirs).measure, Side(ours, own).measure, arguments.pairs
                )
                for what, (theirs, own) in compared.items()
            }
    except UserError as error:
        logger.error("%s", error)
        return 2
    sys.stdout.write(report(pairs))
    times = {
        what: [[vars(start) for start in pair] for pair in starts] for what, starts in pairs.items()
    }
    write_json(arguments.out, {"benchmark": "whole_runs", "machine": machine(), "times": times})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.whole_runs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("other", type=Path, help="folder of another checkout")
    parser.add_argument("--data", type=Path, required=True, help="folder of CDISC Pilot 01")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each checkout")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/whole_runs.json"), help="results as JSON"
    )
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
