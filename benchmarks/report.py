"""What all benchmarks write: the machine, tables in Markdown, results as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil

_DISTRIBUTIONS = (
    "tfx",
    "tensorflow",
    "keras",
    "apache-beam",
    "tensorflow-data-validation",
    "tensorflow-transform",
    "tensorflow-model-analysis",
    "tfx-bsl",
    "pyarrow",
    "numpy",
)
_MEBIBYTE = 2**20


def machine() -> dict[str, Any]:
    """Describes the machine without naming it: processor, cores, memory, load and versions."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / _MEBIBYTE),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _DISTRIBUTIONS},
    }


def machine_line() -> str:
    """The machine in one line, for people."""
    about = machine()
    return (
        f"{about['processor']}, {about['cores']} cores, {about['memory_mb'] / 1024:.0f} GiB, "
        f"load {about['load_average'][0]} at the start; Python {about['python']}, "
        f"TFX {about['versions']['tfx']}, TensorFlow {about['versions']['tensorflow']}, "
        f"Beam {about['versions']['apache-beam']}"
    )


def quietness(loads: Iterable[float]) -> str:
    """A warning where the machine was busy before a run, otherwise nothing.

    Args:
        loads: Load averages just before the runs, the benchmark's own earlier runs included.

    Returns:
        A paragraph of Markdown, or the empty text.
    """
    highest = max(loads, default=0.0)
    if highest <= machine()["cores"]:
        return ""
    return (
        f"The machine was busy (load up to {highest:.1f} before a run): wall times of different "
        "runs are not comparable, processor times nearly.\n\n"
    )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lays a table out in Markdown: the first column to the left, the others to the right.

    Args:
        header: Titles of the columns.
        rows: Cells; None becomes an empty one.

    Returns:
        The table, with a line break at its end.
    """
    lines = [_line(header), _line([":--", *["--:"] * (len(header) - 1)])]
    lines += [_line(["" if cell is None else str(cell) for cell in row]) for row in rows]
    return "".join(lines)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Minimum, median and maximum as text; the value alone where there is only one."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return " / ".join(f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))


def write_json(path: Path, content: object) -> None:
    """Writes results, the folder included.

    Raises:
        OSError: The file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
