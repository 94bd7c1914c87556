"""Start-up of a command beside another checkout of this project, in pairs of processes.

Two starts are measured: `trial run --help`, and `trial run` from the start of the command until
its first stage opens the metadata store (`metadata.sqlite` of a study whose root is empty; the
data are there already). The two checkouts take turns, and who is first changes with each pair, so
that a machine which becomes slower or faster favours neither. A checkout without the command
`trial` (0.1.0) is started by `python -m pipeline.local_runner`.

    git worktree add ../old v0.1.0
    python -m benchmarks.startup ../old
"""

from __future__ import annotations

import argparse
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.measure import run
from benchmarks.report import machine, machine_line, markdown_table, quietness, spread, write_json
from pipeline.errors import UserError
from pipeline.version import PROJECT

logger = logging.getLogger(__name__)

HELP, FIRST_STAGE = "`trial run --help`", "`trial run` until its first stage"

_SUBJECTS = 200
_POLL_SECONDS = 0.005
_LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes:
        seconds: Wall time.
        cpu_seconds: Processor time of the process and its descendants, user and system.
    """

    seconds: float
    cpu_seconds: float


Pairs = dict[str, list[tuple[Start, Start]]]
"""By what is started: the other checkout's start and this one's, pair by pair."""


@dataclass(frozen=True)
class Checkout:
    """A checkout whose command is started.

    Attributes:
        folder: Where it is.
        root: What its runs are written below.
    """

    folder: Path
    root: Path

    def command(self, *arguments: str) -> list[str]:
        """The command line of `trial run`."""
        python = self.folder / ".venv" / "bin" / "python"
        has_trial = (self.folder / "pipeline" / "cli").is_dir()
        module = ["pipeline.cli", "run"] if has_trial else ["pipeline.local_runner"]
        found = str(python) if python.exists() else sys.executable
        return [found, "-m", *module, *arguments]

    def measure_help(self) -> Start:
        """Measures `--help`."""
        log = self.root / "help.log"
        found = run(self.command("--help"), log_path=log, cwd=self.folder, interval_seconds=60)
        if not found.succeeded:
            raise UserError(f"{self.folder}: --help failed: {found.output_tail}")
        return Start(found.seconds, found.cpu_seconds)

    def measure_first_stage(self) -> Start:
        """Measures a run until its first stage, and ends it there.

        Raises:
            UserError: The run ended before.
        """
        shutil.rmtree(self.root / "synthetic", ignore_errors=True)
        marker = self.root / "synthetic" / "metadata.sqlite"
        command = self.command("--root", str(self.root), "--subjects", str(_SUBJECTS))
        log = self.root / "run.log"
        with log.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                while not marker.exists():
                    if (
                        process.poll() is not None
                        or time.perf_counter() - started > _LONGEST_SECONDS
                    ):
                        raise UserError(f"{self.folder}: no stage was started; see {log}.")
                    time.sleep(_POLL_SECONDS)
                return Start(time.perf_counter() - started, _cpu_seconds(process.pid))
            finally:
                _end(process)


def measure_pairs(
    other: Callable[[], Start], ours: Callable[[], Start], pairs: int
) -> list[tuple[Start, Start]]:
    """Measures two starts in turn; the first of a pair is not the first of the next.

    Args:
        other: Starts the other checkout.
        ours: Starts this one.
        pairs: Number of pairs. One more is started before and does not count: files come into
            memory, the synthetic trial is written.

    Returns:
        Pairs of the other's and our start.
    """
    found = []
    for pair in range(pairs + 1):
        if pair % 2:
            own = ours()
            found.append((other(), own))
        else:
            found.append((other(), ours()))
    return found[1:]


def report(pairs: Pairs) -> str:
    """Lays the pairs out as Markdown: each checkout's times, and this one's as a share."""
    rows = []
    for what, starts in pairs.items():
        for kind in ("seconds", "cpu_seconds"):
            old, new = (
                [getattr(start, kind) for start in side] for side in zip(*starts, strict=True)
            )
            ratios = [after / before for before, after in zip(old, new, strict=True)]
            unit = "wall time, s" if kind == "seconds" else "processor time, s"
            rows.append(
                (what, unit, spread(old, 2), spread(new, 2), f"{statistics.median(ratios):.2f}")
            )
    header = ("start", "", "other checkout", "this checkout", "median of the pairs' ratios")
    return "\n" + markdown_table(header, rows)


def compare_checkouts(
    name: str,
    arguments: argparse.Namespace,
    measured: Callable[[Checkout, Checkout], Pairs],
) -> int:
    """Measures another checkout beside this one and writes the report.

    Args:
        name: The benchmark's name.
        arguments: Those of `parser_of`.
        measured: Measures the other checkout beside this one.

    Returns:
        0, or 2 for what the user has to change.
    """
    if not (arguments.other and arguments.other.is_dir()):
        logger.error("%s", "Name the folder of another checkout (make: OTHER=folder).")
        return 2
    sys.stdout.write(f"{machine_line()}\n{quietness([machine()['load_average'][0]])}")
    try:
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as scratch:
            other, ours = (
                Checkout(folder.resolve(), Path(scratch) / side)
                for side, folder in (("other", arguments.other), ("ours", PROJECT))
            )
            for checkout in (other, ours):
                checkout.root.mkdir()
            pairs = measured(other, ours)
    except UserError as error:
        logger.error("%s", error)
        return 2
    sys.stdout.write(report(pairs))
    times = {
        what: [[vars(start) for start in pair] for pair in starts] for what, starts in pairs.items()
    }
    write_json(arguments.out, {"benchmark": name, "machine": machine(), "times": times})
    return 0


def parser_of(name: str, description: str | None, pairs: int) -> argparse.ArgumentParser:
    """The arguments that every comparison of checkouts has.

    Args:
        name: The benchmark's name.
        description: What it says of itself.
        pairs: How often each checkout is started, if the user does not say.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("other", type=_folder, help="folder of another checkout")
    parser.add_argument("--pairs", type=int, default=pairs, help="starts of each checkout")
    parser.add_argument(
        "--out", type=Path, default=Path(f"runs/benchmarks/{name}.json"), help="results as JSON"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0, or 2 for what the user has to change.
    """
    arguments = parser_of("startup", __doc__, 7).parse_args(argv)

    def measured(other: Checkout, ours: Checkout) -> Pairs:
        return {
            HELP: measure_pairs(other.measure_help, ours.measure_help, arguments.pairs),
            FIRST_STAGE: measure_pairs(
                other.measure_first_stage, ours.measure_first_stage, arguments.pairs
            ),
        }

    return compare_checkouts("startup", arguments, measured)


def _folder(text: str) -> Path | None:
    return Path(text) if text else None


def _cpu_seconds(pid: int) -> float:
    """Processor time of a process, its living descendants and those they waited for."""
    root = psutil.Process(pid)
    return sum(sum(process.cpu_times()[:4]) for process in (root, *root.children(recursive=True)))


def _end(process: subprocess.Popen[bytes]) -> None:
    tree: list[psutil.Process] = []
    if process.poll() is None:
        root = psutil.Process(process.pid)
        tree = [*root.children(recursive=True), root]
    for one in tree:
        if one.is_running():
            one.kill()
    process.wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
