"""What a run imports, under this lock and under the other one, in pairs of processes.

A process imports what `trial run` imports before its first stage, says how long it took, and ends;
nothing is run. The two locks take turns, and who is first changes with each pair. The other lock's
interpreter is started by the command that is given, in a checkout of this project; where it is in
a root of another Debian, by `chroot`:

    debootstrap --include=python3,python3-venv,python3-dev,g++,make,git trixie ROOT
    git clone . ROOT/src
    mount -t proc proc ROOT/proc && mount --bind /dev ROOT/dev && cp /etc/resolv.conf ROOT/etc
    chroot ROOT make -C /src setup
    python -m benchmarks.locks chroot ROOT env -C /src .venv/bin/python
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import machine, machine_line, markdown_table, quietness, spread, write_json
from benchmarks.startup import Start, measure_pairs
from pipeline.errors import UserError
from pipeline.version import PROJECT

logger = logging.getLogger(__name__)

_PROGRAM = """
import time
started = time.perf_counter()
from pipeline.runners.local.importing import collection_paused
with collection_paused():
    import pipeline.pipeline
    import pipeline.runners.local.observed
import json
from pipeline.tfx_release import installed_lock
print(json.dumps([installed_lock(), time.perf_counter() - started, time.process_time()]))
"""


def measure_imports(python: Sequence[str]) -> tuple[str, Start]:
    """Starts an interpreter that imports what a run imports.

    Args:
        python: The command that starts it, in a checkout of this project.

    Returns:
        Name of its lock, and what it needed: wall time of the imports, processor time of the
        process from its start.

    Raises:
        UserError: It failed.
    """
    ran = subprocess.run(
        [*python, "-c", _PROGRAM], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise UserError(f"{' '.join(python)}: it ended with {ran.returncode}: {ran.stderr[-500:]}")
    lock, seconds, cpu_seconds = json.loads(ran.stdout.splitlines()[-1])
    return lock, Start(seconds, cpu_seconds)


def table(names: tuple[str, str], pairs: Sequence[tuple[Start, Start]]) -> str:
    """Lays the pairs out as Markdown.

    Args:
        names: Of the other lock and of this one.
        pairs: The other's and our start.

    Returns:
        A row a kind of time: each lock's, and the median of the ratios other / this.
    """
    rows = []
    for kind, title in (("seconds", "wall time, s"), ("cpu_seconds", "processor time, s")):
        other, ours = (
            [getattr(start, kind) for start in side] for side in zip(*pairs, strict=True)
        )
        ratio = statistics.median(b / a for b, a in zip(other, ours, strict=True))
        rows.append((title, spread(ours), spread(other), f"{ratio:.2f}"))
    header = ("imports of a run", names[1], names[0], f"{names[0]} / {names[1]}")
    return markdown_table(header, rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        0, or 2 for what the user has to change.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.locks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pairs", type=int, default=7, help="starts of each lock")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/benchmarks/locks.json"), help="results as JSON"
    )
    parser.add_argument("other", nargs=argparse.REMAINDER, help="starts the other lock's python")
    arguments = parser.parse_args(argv)
    if not arguments.other:
        logger.error("%s", "Name the command that starts the other lock's python.")
        return 2
    sys.stdout.write(f"{machine_line()}\n{quietness([machine()['load_average'][0]])}")
    try:
        names = measure_imports(arguments.other)[0], measure_imports([sys.executable])[0]
        pairs = measure_pairs(
            lambda: measure_imports(arguments.other)[1],
            lambda: measure_imports([sys.executable])[1],
            arguments.pairs,
        )
    except UserError as error:
        logger.error("%s", error)
        return 2
    sys.stdout.write("\n" + table(names, pairs))
    times = [[vars(start) for start in pair] for pair in pairs]
    write_json(arguments.out, {"machine": machine(), "locks": names, "times": times})
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(main())
