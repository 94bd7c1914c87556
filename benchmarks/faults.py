"""Damaged files by the ten thousand, and runs that are killed at random moments.

The tests have a short form of both: fifteen seconds of damaged files for each format, and a chain
of runs that die. Here the damage and the moments come from other seeds:

    python -m benchmarks.faults --inputs 100000 --moments 20 --seed 7

An input that was neither read nor refused in one line, and all runs, are kept below `--out`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import machine_line, markdown_table
from pipeline.errors import UserError
from pipeline.version import PROJECT

_FUZZING = "tests.pipeline.reading.formats.fuzzing"
_MOMENTS = "tests.campaign.moments"
_LONGEST_SECONDS = 7_200
_LIST = f"from {_FUZZING} import TARGETS; print(*TARGETS, sep='\\n')"


@dataclass(frozen=True)
class Fuzzed:
    """The outcome of damaged files of a format.

    Attributes:
        name: How they were written.
        inputs: How many were read or refused in one line.
        seconds: How long it took.
        problem: The end of what a reader wrote that crashed or raised; empty where none did.
    """

    name: str
    inputs: int
    seconds: float
    problem: str


def fuzz(name: str, inputs: int, seed: int, out: Path) -> Fuzzed:
    """Reads damaged files of a format in a process of its own.

    Args:
        name: One of the targets of the tests' fuzzing.
        inputs: How many files.
        seed: The damage of the first.
        out: Folder for the files; what is left there was neither read nor refused.
    """
    folder = out / name.replace(" ", "_").replace(",", "")
    folder.mkdir(parents=True)
    start = time.monotonic()
    ended = _python(
        ["-m", _FUZZING, name, str(seed), str(folder), str(_LONGEST_SECONDS), str(inputs)]
    )
    seconds = time.monotonic() - start
    if ended.returncode:
        return Fuzzed(name, 0, seconds, ended.stderr[-2_000:])
    return Fuzzed(name, int(ended.stdout.splitlines()[-1]), seconds, "")


def targets() -> list[str]:
    """Names of what can be damaged.

    Raises:
        UserError: The tests can't be imported.
    """
    ended = _python(["-c", _LIST])
    if ended.returncode:
        raise UserError(f"{PROJECT / 'tests'} can't be imported: {ended.stderr[-500:]}")
    return ended.stdout.splitlines()


def kill_at_moments(number: int, seed: int, out: Path) -> list[dict[str, Any]]:
    """Kills runs at random moments.

    Args:
        number: How many moments.
        seed: What they come from.
        out: Folder for the runs.

    Returns:
        Each moment with the stages that ran, at last what is wrong.

    Raises:
        UserError: The runs broke off.
    """
    folder = out / "moments"
    folder.mkdir(parents=True)
    ended = _python(["-m", _MOMENTS, str(number), str(seed), str(folder)])
    if ended.returncode:
        raise UserError(f"The runs broke off: {ended.stderr[-2_000:]}")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def _python(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )


def report(fuzzed: Iterable[Fuzzed], killed: Sequence[dict[str, Any]]) -> str:
    """Both tables, and what is wrong."""
    rows = [
        [item.name, f"{item.inputs:,}", f"{item.seconds:.0f}", "no" if item.problem else "yes"]
        for item in fuzzed
    ]
    parts = [markdown_table(["format", "inputs", "seconds", "all read or refused"], rows)]
    if killed:
        moments = [
            [str(item["seconds"]), ", ".join(item["stages"]) or "none", str(item["ended"]).lower()]
            for item in killed[:-1]
        ]
        parts += [
            markdown_table(["killed after s", "in", "had ended"], moments),
            "Wrong: " + ("; ".join(killed[-1]["wrong"]) or "nothing"),
        ]
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs both.

    Returns:
        1 where something is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="damaged files, of all formats")
    parser.add_argument("--moments", type=int, default=20, help="runs that are killed")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help="a new folder; default: a temporary one")
    chosen = parser.parse_args(arguments)
    out = chosen.out or Path(tempfile.mkdtemp(prefix="trial-faults-"))
    sys.stdout.write(f"{machine_line()}\n\n")
    names = targets()
    each = -(-chosen.inputs // len(names))
    fuzzed = [fuzz(name, each, chosen.seed * 10**7, out) for name in names if chosen.inputs > 0]
    killed = kill_at_moments(chosen.moments, chosen.seed, out) if chosen.moments else []
    sys.stdout.write(report(fuzzed, killed) + "\n")
    problems = [f"{item.name}: {item.problem}" for item in fuzzed if item.problem]
    sys.stdout.write("".join(f"\n{problem}\n" for problem in problems))
    return 1 if problems or (killed and killed[-1]["wrong"]) else 0


if __name__ == "__main__":
    sys.exit(main())
