"""Whole runs beside another checkout of this project, in pairs of processes.

The synthetic trial as `trial run` makes it, CDISC Pilot 01 (ADaM) as shipped and without reference
models, and ACTG175 cross-fitted 5 x 5, each beside the other checkout's shipped study. Roots are
fresh, so that nothing comes from a cache; the two checkouts take turns, as in `benchmarks.startup`.

    git worktree add ../old v0.1.0
    python -m benchmarks.whole_runs ../old --data folder
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import run
from benchmarks.shipped_study import five_by_five, without_references, write_changed_study
from benchmarks.startup import (
    Checkout,
    Pairs,
    Start,
    compare_checkouts,
    measure_pairs,
    parser_of,
)
from pipeline.errors import UserError

_SMALL, _MEDIUM = "cdisc_pilot01", "actg175"


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
        # Memory is not reported, and reading it often takes a sixth of a core.
        found = run(command, log_path=log, cwd=self.checkout.folder, interval_seconds=60)
        if not found.succeeded:
            raise UserError(f"{self.checkout.folder}: the run failed: {found.output_tail}")
        return Start(found.seconds, found.cpu_seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0, or 2 for what the user has to change.
    """
    parser = parser_of("whole_runs", __doc__, 3)
    parser.add_argument(
        "--data", type=Path, required=True, help=f"folder with the folders {_SMALL} and {_MEDIUM}"
    )
    arguments = parser.parse_args(argv)
    small, medium = (
        ("--data", str(arguments.data.resolve() / study)) for study in (_SMALL, _MEDIUM)
    )
    shipped = ("--study", _SMALL, *small)

    def measured(other: Checkout, ours: Checkout) -> Pairs:
        without = write_changed_study(_SMALL, ours.root / "without", without_references)
        repeated = write_changed_study(_MEDIUM, ours.root / "repeated", five_by_five)
        compared: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
            "synthetic trial": ((), ()),
            "CDISC Pilot 01": (shipped, shipped),
            "CDISC Pilot 01 without reference models": (shipped, ("--study", str(without), *small)),
            "ACTG175, 5 folds x 5 repeats": (
                ("--study", _MEDIUM, *medium),
                ("--study", str(repeated), *medium),
            ),
        }
        return {
            what: measure_pairs(
                Side(other, theirs).measure, Side(ours, own).measure, arguments.pairs
            )
            for what, (theirs, own) in compared.items()
        }

    return compare_checkouts("whole_runs", arguments, measured)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
