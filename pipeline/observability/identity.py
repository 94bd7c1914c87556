"""Ids of traces and spans that follow from a run's id.

Every process that knows a run's id puts its span into the run's trace: tasks of Kubeflow, and who
closes a run that died. What is sent twice has the same ids twice.
"""

from __future__ import annotations

from hashlib import sha256


def trace_id(run: str) -> int:
    """Id of a run's trace, 128 bits, never 0.

    Args:
        run: The run's id.
    """
    return _digest(16, "trace", run)


def span_id(run: str, stage: str = "") -> int:
    """Id of the span of a run's stage, 64 bits, never 0.

    Args:
        run: The run's id.
        stage: The stage; empty for the run itself.
    """
    return _digest(8, "span", run, stage)


def line_fields(run: str, stage: str) -> dict[str, str]:
    """What a line of a run's log has to be found by, ids as W3C's trace context writes them.

    Args:
        run: The run's id.
        stage: The stage that logs; empty for the run itself.
    """
    return {
        "run": run,
        **({"stage": stage} if stage else {}),
        "trace_id": f"{trace_id(run):032x}",
        "span_id": f"{span_id(run, stage):016x}",
    }


def _digest(size: int, *words: str) -> int:
    text = "\0".join(words).encode()
    return int.from_bytes(sha256(text).digest()[:size], "big") or 1
