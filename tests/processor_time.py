"""What processes take of the processor: it depends far less on other processes than wall time."""

from __future__ import annotations

import resource


def children_seconds() -> float:
    """Seconds of the processor that all processes took which this one started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
