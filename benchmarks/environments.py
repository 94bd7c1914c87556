"""Environments of their own, for programs that share none with TFX."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.version import PROJECT


def environment(name: str, folder: Path) -> Path:
    """Makes an environment with what a lock has.

    Args:
        name: The lock, a file of `requirements` without its ending.
        folder: The environment's folder; it is made.

    Returns:
        The folder of its programs.

    Raises:
        subprocess.CalledProcessError: A package can't be installed.
    """
    uv = Path(sys.executable).parent / "uv"
    lock = PROJECT / "requirements" / f"{name}.txt"
    programs = folder / "bin"
    for command in (
        (sys.executable, "-m", "venv", "--without-pip", folder),
        (uv, "pip", "sync", "-q", "--require-hashes", "--python", programs / "python", lock),
    ):
        subprocess.run(command, check=True)
    return programs
