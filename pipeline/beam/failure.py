"""What a cluster's failure means: Beam hands on the innermost cause alone."""

from __future__ import annotations

from collections.abc import Sequence

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


def meaning(error: BaseException, beam_args: Sequence[str]) -> str:
    """Says in a person's words what a failure of a cluster's job points to.

    Args:
        error: What a stage raised.
        beam_args: Beam's options of the run.

    Returns:
        A sentence or two; nothing where the error speaks for itself.
    """
    on_cluster = any(option in _CLUSTERS for option in beam_args)
    if not (on_cluster and any(sign in str(error) for sign in _SIGNS_OF_A_LOSS)):
        return ""
    return (
        "A task manager of the cluster, or the worker pool beside it, has ended in the middle of "
        "the job: often for lack of memory. Its log tells. Start it again; a cluster with a "
        "restart strategy makes up for a lost task manager by itself."
    )
