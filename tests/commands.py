"""Runs programs that share no environment with the pipeline."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path


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
