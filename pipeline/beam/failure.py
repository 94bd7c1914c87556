"""Interprets the failure of a Beam job: Beam passes on the innermost cause, wrapped or as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.errors import UserError

_CLUSTERS = ("--runner=FlinkRunner", "--runner=SparkRunner")
_SIGNS_OF_A_LOSS = (
    "Connection refused",
    "Connection reset",
    "Connection unexpectedly closed",
    "UNAVAILABLE",
    "no longer reachable",
    "recipient is unreachable",
    "Heartbeat of TaskManager",
)


_STEP = r" \[while running '[^']*'\]"
_IN_A_TRACEBACK = re.compile(
    r"^pipeline\.errors\.UserError: (.*?)"
    rf"(?:{_STEP}|\n\nDuring handling of the above|\n\nThe above exception was|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""The message of a traceback's first `UserError`, which may have several lines."""


def find_user_error(error: BaseException) -> UserError | None:
    """The user's mistake that made a stage fail.

    A worker in this process raises it with the step's name behind its message. Of another
    process's worker Beam knows only the text of the traceback.

    Args:
        error: What a stage raised.

    Returns:
        The mistake with its original message; None where the cause is something else.
    """
    text = str(error)
    if isinstance(error, UserError):
        return UserError(re.sub(rf"(?:{_STEP})+\Z", "", text))
    found = _IN_A_TRACEBACK.search(text)
    return UserError(found[1].strip()) if found else None


def meaning(error: BaseException, beam_args: Sequence[str]) -> str:
    """Explains the likely cause of a failed job of a cluster.

    Args:
        error: What a stage raised.
        beam_args: Beam's options of the run.

    Returns:
        A sentence or two; empty where the error explains itself.
    """
    on_cluster = any(option in _CLUSTERS for option in beam_args)
    if not (on_cluster and any(sign in str(error) for sign in _SIGNS_OF_A_LOSS)):
        return ""
    return (
        "A task manager of the cluster, or the worker pool beside it, ended during "
        "the job, often for lack of memory; see its log. Restart it; a cluster with a "
        "restart strategy recovers from a lost task manager by itself."
    )
