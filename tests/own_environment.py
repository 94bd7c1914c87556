"""Programs that share no environment with the pipeline, installed from locks of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.whole_runs import REPOSITORY


def install(folder: Path, lock: str) -> Path:
    """Installs what a lock holds.

    Args:
        folder: Folder of the environment, which is made.
        lock: File in `requirements/`.

    Returns:
        The folder of its programs.
    """
    programs = folder / "bin"
    uv = Path(sys.executable).parent / "uv"
    check(sys.executable, "-m", "venv", "--without-pip", folder)
    check(
        *(uv, "pip", "sync", "-q", "--require-hashes", "--python", programs / "python"),
        REPOSITORY / "requirements" / lock,
    )
    return programs


def check(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Runs a command; the test fails where it fails.

    Returns:
        What it wrote.
    """
    ran = subprocess.run(
        [str(part) for part in command], env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
    return ran.stdout + ran.stderr
