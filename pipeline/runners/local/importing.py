"""Imports of large libraries without the garbage collector's repeated look at them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pauses the garbage collector; what was made meanwhile is never examined by it.

    TensorFlow and TFX make over a million objects that live as long as the process. The collector
    examines all of them several times while they are imported, a sixth of the import's processor
    time, and again with each full collection of the run (`make bench-startup`).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
