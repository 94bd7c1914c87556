"""What a person sees in the terminal of what modules log."""

from __future__ import annotations

import logging
import os
import sys
import warnings

from pipeline.observability.lines import JsonLines


def quiet_libraries() -> None:
    """Keeps what libraries say on import out of the terminal; called before they are imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    warnings.simplefilter("ignore", FutureWarning)


def log_to_terminal(package: str) -> None:
    """Shows what a package of this project logs, and errors of everything else.

    Args:
        package: Its name.
    """
    quiet_libraries()
    logging.basicConfig(format="%(message)s", level=logging.ERROR)
    logging.getLogger(package).setLevel(logging.INFO)
    # Every command that loads a study file logs its former names.
    logging.getLogger("pipeline.study").setLevel(logging.WARNING)


def log_service(package: str) -> None:
    """Shows what a service logs: as text on a terminal, else as JSON lines.

    Args:
        package: Name of its package.
    """
    log_to_terminal(package)
    if not sys.stderr.isatty():
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines({}))
