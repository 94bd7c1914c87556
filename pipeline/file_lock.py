"""Waiting for a lock on a file, which the system releases when its holder dies."""

from __future__ import annotations

import fcntl
import time
from typing import IO


def lock_within(stream: IO[bytes], patience: float, poll: float) -> bool:
    """Locks a file, or gives up.

    Args:
        stream: The open file.
        patience: How many seconds another holder is waited for.
        poll: Seconds between two tries.

    Returns:
        Whether it is locked now.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(poll)
        else:
            return True
