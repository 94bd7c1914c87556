"""Runs the pipeline on this machine, for TFX's CLI: `trial run` by the path of a script.

TFX's CLI runs this file as a script without arguments, so every choice can also be made by
an environment variable (TRIAL_STUDY, TRIAL_DATA, TRIAL_ROOT, ...).
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    # As a script this file's own folder is first on the path, where pipeline.py would
    # hide the package of that name.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from collections.abc import Sequence

from pipeline.cli.main import main as run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the pipeline.

    Args:
        arguments: Command line of `trial run`; None is the process's own.

    Returns:
        The exit code of `trial run`.
    """
    return run_command(["run", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
