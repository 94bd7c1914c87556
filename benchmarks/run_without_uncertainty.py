"""Runs the pipeline without intervals and prediction sets: what the local runner does otherwise.

No study file leaves them out, so this takes their fit away: each task answers why it has none, as
where there are too few subjects to calibrate on. Takes the local runner's options; all stages must
run in this process (`--stages-at-once 1`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from pipeline import local_runner

LEFT_OUT = "Left out, to measure what a run takes without."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the pipeline.

    Args:
        argv: The local runner's options; those of the process by default.

    Returns:
        The exit code of `trial run`.
    """
    from trainer.uncertainty import model

    def no_fit(*_: Any, **__: Any) -> str:
        return LEFT_OUT

    with patch.object(model, "fit_task", no_fit):
        return local_runner.main(argv)


if __name__ == "__main__":
    sys.exit(main())
